/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-clock.c - the machine's clock and the manual one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/clock.h"

static void monotonic_never_goes_back(void **state)
{
	uint64_t last_ns = clock_now(&clock_monotonic);

	assert_true(last_ns > 0);
	for (int i = 0; i < 1000; i++) {
		uint64_t now_ns = clock_now(&clock_monotonic);

		assert_true(now_ns >= last_ns);
		last_ns = now_ns;
	}
}

static void manual_moves_only_by_hand(void **state)
{
	struct clock clock;

	clock_init_manual(&clock, 500);
	assert_int_equal(clock_now(&clock), 500);
	assert_int_equal(clock_now(&clock), 500);
	clock_advance(&clock, 7);
	assert_int_equal(clock_now(&clock), 507);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(monotonic_never_goes_back),
		cmocka_unit_test(manual_moves_only_by_hand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
