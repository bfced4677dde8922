/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-moderation.c - when a busy worker pauses and looks, and when it waits for events. */
#include "netback-team/moderation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "util.h"

/* A ping or a request of a few frames starts nothing, however often. */
static void test_little_never_pauses(void **state)
{
	struct moderation m = {0};

	for (int i = 0; i < 100; i++) {
		moderation_pass(&m, 20000, 1514, 1);
		assert_false(moderation_on(&m));
	}
	moderation_pass(&m, 20000, MODERATION_BULK_BYTES - 1, MODERATION_BULK_FRAMES - 1);
	assert_false(moderation_on(&m));
}

static void test_bulk_pauses_as_long_as_it_took(void **state)
{
	struct moderation m = {0};

	moderation_pass(&m, 50000, MODERATION_BULK_BYTES, 1);
	assert_true(moderation_on(&m));
	assert_int_equal(m.pause_ns, 50000);
	moderation_pass(&m, 70000, 1, MODERATION_BULK_FRAMES);
	assert_int_equal(m.pause_ns, 70000);
	moderation_pass(&m, 1, MODERATION_BULK_BYTES, 1);
	assert_int_equal(m.pause_ns, MODERATION_MIN_NS);
	moderation_pass(&m, 10 * NSEC_PER_SEC, MODERATION_BULK_BYTES, 1);
	assert_int_equal(m.pause_ns, MODERATION_MAX_NS);
}

/* Looks in vain are further and further apart, and end. */
static void test_looks_in_vain_end(void **state)
{
	struct moderation m = {0};
	uint32_t pause = 50000;

	moderation_pass(&m, pause, MODERATION_BULK_BYTES, 1);
	for (unsigned int i = 1; i < MODERATION_LOOKS; i++) {
		moderation_pass(&m, 1000, 0, 0);
		assert_true(moderation_on(&m));
		pause *= 2;
		assert_int_equal(m.pause_ns, MIN(pause, MODERATION_MAX_NS));
	}
	moderation_pass(&m, 1000, 0, 0);
	assert_false(moderation_on(&m));
}

/* What trickles in between keeps the pause, but not the looking. */
static void test_a_trickle_ends_it_too(void **state)
{
	struct moderation m = {0};

	moderation_pass(&m, 50000, MODERATION_BULK_BYTES, 1);
	moderation_pass(&m, 5000, 66, 1);
	assert_true(moderation_on(&m));
	assert_int_equal(m.pause_ns, 50000);
	for (unsigned int i = 1; i < MODERATION_LOOKS; i++)
		moderation_pass(&m, 5000, 66, 1);
	assert_false(moderation_on(&m));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_little_never_pauses),
		cmocka_unit_test(test_bulk_pauses_as_long_as_it_took),
		cmocka_unit_test(test_looks_in_vain_end),
		cmocka_unit_test(test_a_trickle_ends_it_too),
	};

	return cmocka_run_group_tests_name("moderation", tests, NULL, NULL);
}
