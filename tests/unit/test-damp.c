/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-damp.c - penalties, half-lives, and how long a member that flaps is kept out. */
#include "netback-team/damp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "common/util.h"

#define SEC NSEC_PER_SEC

static const struct damp_options usual = {true, 15 * SEC, 3, 300 * SEC};

static void a_penalty_halves(void **state)
{
	struct damp damp = {0};

	damp_flap(&damp, &usual, SEC);
	assert_int_equal(damp_penalty(&damp, &usual, SEC), 1000);
	assert_int_equal(damp_penalty(&damp, &usual, 16 * SEC), 500);
	assert_int_equal(damp_penalty(&damp, &usual, 46 * SEC), 125);
	assert_in_range(damp_penalty(&damp, &usual, SEC + 15 * SEC / 2), 706, 707);
	assert_in_range(damp_penalty(&damp, &usual, SEC + 5 * SEC), 793, 794); /* 2^(-1/3) */
	assert_int_equal(damp_penalty(&damp, &usual, 100000 * SEC), 0);
	assert_false(damp_holds(&damp, &usual, SEC));
}

static void so_many_flaps_suppress(void **state)
{
	struct damp damp = {0};
	uint64_t until;

	for (unsigned int i = 0; i < 3; i++) {
		assert_false(damp_holds(&damp, &usual, 10 * SEC + i));
		damp_flap(&damp, &usual, 10 * SEC + i * SEC); /* a little decays meanwhile */
	}
	assert_true(damp_holds(&damp, &usual, 12 * SEC));
	until = damp_until(&damp, &usual, 12 * SEC);
	/* 15 s * log2(2.866) to half a flap, and the last flap at 12 s */
	assert_in_range(until, 12 * SEC + 37 * SEC, 12 * SEC + 38 * SEC);
	assert_int_equal(damp_until(&damp, &usual, until), until);
	assert_true(damp_holds(&damp, &usual, until - SEC / 10));
	assert_false(damp_holds(&damp, &usual, until + SEC / 1000));
	assert_false(damp_holds(&damp, &usual, until));
}

static void slow_flaps_do_not(void **state)
{
	struct damp damp = {0};

	for (unsigned int i = 1; i < 100; i++) {
		damp_flap(&damp, &usual, i * 15 * SEC);
		assert_false(damp_holds(&damp, &usual, i * 15 * SEC));
	}
	assert_in_range(damp_penalty(&damp, &usual, 99 * 15 * SEC), 1990, 2000);
}

static void nobody_is_held_for_ever(void **state)
{
	struct damp_options options = usual;
	struct damp damp = {0};

	for (unsigned int i = 0; i < 1000000; i++)
		damp_flap(&damp, &usual, SEC + i);
	assert_in_range(damp_until(&damp, &usual, 2 * SEC), 300 * SEC, 302 * SEC);
	options.max_ns = SEC; /* less than a half-life */
	assert_int_equal(damp_until(&damp, &options, 2 * SEC),
			 damp.at_ns + SEC > 2 * SEC ? damp.at_ns + SEC : 2 * SEC);
	assert_false(damp_holds(&damp, &options, damp.at_ns + SEC));
	options = (struct damp_options){true, 1, 3, 3600 * SEC}; /* half-lives of a nanosecond */
	damp = (struct damp){0};
	for (unsigned int i = 0; i < 3; i++)
		damp_flap(&damp, &options, SEC);
	assert_true(damp_holds(&damp, &options, SEC));
	assert_in_range(damp_until(&damp, &options, SEC), SEC + 2, SEC + 4);
}

static void off_is_off(void **state)
{
	struct damp_options options = usual;
	struct damp damp = {0};

	for (unsigned int i = 0; i < 3; i++)
		damp_flap(&damp, &usual, SEC);
	assert_true(damp_holds(&damp, &usual, SEC));
	options.on = false;
	assert_false(damp_holds(&damp, &options, SEC));
	assert_int_equal(damp_until(&damp, &options, SEC), SEC);
	damp = (struct damp){0};
	for (unsigned int i = 0; i < 10; i++)
		damp_flap(&damp, &options, SEC);
	assert_int_equal(damp.penalty, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_penalty_halves),  cmocka_unit_test(so_many_flaps_suppress),
		cmocka_unit_test(slow_flaps_do_not), cmocka_unit_test(nobody_is_held_for_ever),
		cmocka_unit_test(off_is_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
