/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-seen.c - the table of flows seen lately: finds, forgets, and what gives way to what. */
#include "netback-team/seen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

/* Hashes of one set of a table of 8 entries: they differ in the tag. */
static uint64_t hash_of(uint64_t tag)
{
	return tag << 48;
}

static void test_sizes(void **state)
{
	assert_null(seen_create(2));
	assert_null(seen_create(23));
	assert_null(seen_create(64));
	seen_destroy(NULL);
}

static void test_flags_stay(void **state)
{
	struct seen *seen = seen_create(10);
	bool is_new;
	uint8_t *flags;

	assert_null(seen_find(seen, 0, 0));
	flags = seen_get(seen, 0, 0, &is_new);
	assert_true(is_new);
	assert_int_equal(*flags, SEEN_USED);
	*flags |= 5;
	flags = seen_get(seen, 0, 3, &is_new);
	assert_false(is_new);
	assert_int_equal(*flags, SEEN_USED | 5);
	assert_ptr_equal(seen_find(seen, 0, 3), flags);
	seen_destroy(seen);
}

/* An entry lives as long as it is used, and SEEN_AGE steps longer; the clock goes round. */
static void test_age(void **state)
{
	struct seen *seen = seen_create(3);
	bool is_new;

	*seen_get(seen, hash_of(1), 250, &is_new) |= 1;
	assert_non_null(seen_find(seen, hash_of(1), (uint8_t)(250 + SEEN_AGE)));
	assert_non_null(seen_find(seen, hash_of(1), (uint8_t)(250 + 2 * SEEN_AGE)));
	assert_null(seen_find(seen, hash_of(1), (uint8_t)(251 + 3 * SEEN_AGE)));
	assert_int_equal(*seen_get(seen, hash_of(1), (uint8_t)(251 + 3 * SEEN_AGE), &is_new),
			 SEEN_USED);
	assert_true(is_new);
	seen_destroy(seen);
}

static void test_oldest_gives_way_and_kept_ones_last(void **state)
{
	struct seen *seen = seen_create(3);
	bool is_new;

	for (uint64_t i = 0; i < 8; i++)
		*seen_get(seen, hash_of(i), (uint8_t)i, &is_new) |= i == 0 ? SEEN_KEEP : 0;
	seen_get(seen, hash_of(100), 8, &is_new);
	assert_true(is_new);
	assert_null(seen_find(seen, hash_of(1), 8)); /* the oldest without the flag */
	assert_non_null(seen_find(seen, hash_of(0), 8));
	/* A flood pushes out its own kind. */
	for (uint64_t i = 1000; i < 2000; i++)
		seen_get(seen, hash_of(i), 9, &is_new);
	assert_non_null(seen_find(seen, hash_of(0), 9));
	assert_null(seen_find(seen, hash_of(2), 9));
	/* All are kept: the oldest of these. */
	for (uint64_t i = 1; i < 8; i++)
		*seen_get(seen, hash_of(i), (uint8_t)(9 + i / 2), &is_new) |= SEEN_KEEP;
	seen_get(seen, hash_of(100), 14, &is_new);
	assert_int_equal(!!seen_find(seen, hash_of(0), 14) + !!seen_find(seen, hash_of(1), 14), 1);
	seen_destroy(seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_flags_stay),
		cmocka_unit_test(test_age),
		cmocka_unit_test(test_oldest_gives_way_and_kept_ones_last),
	};

	return cmocka_run_group_tests_name("seen", tests, NULL, NULL);
}
