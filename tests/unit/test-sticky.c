/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-sticky.c - the table of TCP sessions: found again, bounded, forgotten when it may be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/util.h"
#include "netback-team/flow.h"
#include "netback-team/sticky.h"

#define AGE (60 * NSEC_PER_SEC)

static struct sticky sticky;

/* Hashes of one set with different tags. */
static uint64_t same_set(unsigned int i)
{
	return (uint64_t)(i + 1) << 33 | 5;
}

static void a_session_is_found_again(void **state)
{
	struct sticky_entry *entry;

	sticky_init(&sticky);
	assert_null(sticky_find(&sticky, 0));
	assert_null(sticky_find(&sticky, same_set(0)));
	entry = sticky_enter(&sticky, same_set(0), AGE, 10);
	assert_non_null(entry);
	assert_int_equal(entry->seat.member, -1);
	assert_ptr_equal(sticky_find(&sticky, same_set(0)), entry);
	assert_null(sticky_find(&sticky, same_set(1)));
	assert_null(sticky_find(&sticky, same_set(0) ^ 1));
	assert_int_equal(sticky_count(&sticky, AGE, 11), 1);
	assert_int_equal(sticky_count(&sticky, AGE, 10 + AGE), 0);
}

static void a_full_set_takes_nobody_in(void **state)
{
	sticky_init(&sticky);
	for (unsigned int i = 0; i < STICKY_WAYS; i++)
		assert_non_null(sticky_enter(&sticky, same_set(i), AGE, 100 + i));
	assert_null(sticky_enter(&sticky, same_set(9), AGE, 200));
	assert_non_null(sticky_enter(&sticky, same_set(9) ^ 1, AGE, 200)); /* another set */
	for (unsigned int i = 0; i < STICKY_WAYS; i++)
		assert_non_null(sticky_find(&sticky, same_set(i)));
}

static void silence_frees_a_place(void **state)
{
	sticky_init(&sticky);
	for (unsigned int i = 0; i < STICKY_WAYS; i++)
		sticky_enter(&sticky, same_set(i), AGE, 100);
	for (unsigned int i = 1; i < STICKY_WAYS; i++)
		sticky_seen(sticky_find(&sticky, same_set(i)), 0, 200);
	assert_null(sticky_enter(&sticky, same_set(9), AGE, 99 + AGE));
	assert_non_null(sticky_find(&sticky, same_set(0))); /* late, but nobody came */
	assert_non_null(sticky_enter(&sticky, same_set(9), AGE, 100 + AGE));
	assert_null(sticky_find(&sticky, same_set(0)));
}

static void the_end_of_a_session_frees_its_place_soon(void **state)
{
	static const uint8_t ends[] = {FLOW_TCP_FIN, FLOW_TCP_RST};

	for (unsigned int i = 0; i < ARRAY_SIZE(ends); i++) {
		struct sticky_entry *entry;

		sticky_init(&sticky);
		entry = sticky_enter(&sticky, same_set(0), AGE, 100);
		sticky_seen(entry, ends[i], 100);
		assert_false(sticky_is_over(entry, AGE, 99 + STICKY_CLOSE_NS));
		sticky_seen(entry, 0, 200); /* acknowledgements of the other side's rest */
		assert_false(sticky_is_over(entry, AGE, 199 + STICKY_CLOSE_NS));
		assert_true(sticky_is_over(entry, AGE, 200 + STICKY_CLOSE_NS));
		sticky_seen(entry, FLOW_TCP_SYN, 300); /* the same ports once more */
		assert_false(sticky_is_over(entry, AGE, 300 + STICKY_CLOSE_NS));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_is_found_again),
		cmocka_unit_test(a_full_set_takes_nobody_in),
		cmocka_unit_test(silence_frees_a_place),
		cmocka_unit_test(the_end_of_a_session_frees_its_place_soon),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
