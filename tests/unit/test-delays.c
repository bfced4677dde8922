/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-delays.c - quantiles of waits: within a quarter, of the last ten to twenty seconds. */
#include "netback-team/delays.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "common/util.h"

#define SEC   NSEC_PER_SEC
#define START (100 * SEC)

static void nothing_counted(void **state)
{
	const struct delays delays = {0};

	assert_int_equal(delays_quantile(&delays, 500, START), 0);
	assert_int_equal(delays_quantile(&delays, 990, START), 0);
}

static void each_delay_within_a_quarter(void **state)
{
	assert_int_equal(DELAYS_STEPS, 1 + 24 * 4);
	for (uint64_t ns = 1024; ns < 17 * SEC; ns += ns / 7) {
		struct delays delays = {0};
		uint64_t got;

		delays_add(&delays, ns, START);
		got = delays_quantile(&delays, 500, START);
		assert_in_range(got, ns, ns + ns / 4 + 1);
	}
}

static void beyond_both_ends(void **state)
{
	struct delays delays = {0};

	delays_add(&delays, 0, START);
	delays_add(&delays, 1023, START);
	assert_int_equal(delays_quantile(&delays, 1000, START), 0);
	delays_add(&delays, UINT64_MAX, START);
	assert_in_range(delays_quantile(&delays, 1000, START), 17 * SEC, 18 * SEC);
}

static void the_middle_and_the_last_hundredth(void **state)
{
	struct delays delays = {0};

	for (int i = 0; i < 980; i++)
		delays_add(&delays, 100000, START);
	for (int i = 0; i < 20; i++)
		delays_add(&delays, 10000000, START);
	assert_in_range(delays_quantile(&delays, 500, START), 100000, 125000);
	assert_in_range(delays_quantile(&delays, 980, START), 100000, 125000);
	assert_in_range(delays_quantile(&delays, 990, START), 10000000, 12500000);
}

static void old_ones_are_forgotten(void **state)
{
	struct delays delays = {0};

	delays_add(&delays, 10000000, START);
	delays_add(&delays, 1000, START + 11 * SEC);
	assert_int_not_equal(delays_quantile(&delays, 990, START + 11 * SEC), 0);
	delays_add(&delays, 1000, START + 21 * SEC);
	assert_int_equal(delays_quantile(&delays, 990, START + 21 * SEC), 0);
	/* Also when nothing comes any more. */
	delays_add(&delays, 10000000, START + 22 * SEC);
	assert_int_not_equal(delays_quantile(&delays, 990, START + 39 * SEC), 0);
	assert_int_equal(delays_quantile(&delays, 990, START + 60 * SEC), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_counted),
		cmocka_unit_test(each_delay_within_a_quarter),
		cmocka_unit_test(beyond_both_ends),
		cmocka_unit_test(the_middle_and_the_last_hundredth),
		cmocka_unit_test(old_ones_are_forgotten),
	};

	return cmocka_run_group_tests_name("delays", tests, NULL, NULL);
}
