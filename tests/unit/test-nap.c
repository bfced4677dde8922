/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-nap.c - when a worker sleeps, how long, and when it does not. */
#include "netback-team/nap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "util.h"

#define NOW (5 * NSEC_PER_SEC)

static void test_nothing_exact(void **state)
{
	assert_int_equal(nap_ns(NOW, DEADLINE_NEVER, DEADLINE_NEVER), DEADLINE_NEVER);
	assert_int_equal(nap_ns(NOW, NOW + 7, DEADLINE_NEVER), 7);
	assert_int_equal(nap_ns(NOW, NOW, DEADLINE_NEVER), 0);
	assert_int_equal(nap_ns(NOW, 0, DEADLINE_NEVER), 0);
	/* However near a deadline is, it is no reason to spin. */
	assert_false(nap_spins(NOW, DEADLINE_NEVER));
}

/* Awake before the moment, and then until it. */
static void test_exact(void **state)
{
	const uint64_t exact = NOW + 100 * NSEC_PER_USEC;

	assert_false(nap_spins(NOW, exact));
	assert_int_equal(nap_ns(NOW, exact, exact), 100 * NSEC_PER_USEC - NAP_SPIN_NS);
	assert_int_equal(nap_ns(NOW, DEADLINE_NEVER, exact), 100 * NSEC_PER_USEC - NAP_SPIN_NS);
	assert_int_equal(nap_ns(NOW, NOW + 3, exact), 3);
	assert_false(nap_spins(exact - NAP_SPIN_NS - 1, exact));
	assert_true(nap_spins(exact - NAP_SPIN_NS, exact));
	assert_true(nap_spins(exact - 1, exact));
	/* What has passed is over, even if nobody has looked yet. */
	assert_false(nap_spins(exact, exact));
	assert_false(nap_spins(exact + 1, exact));
	assert_int_equal(nap_ns(exact - 5, exact, exact), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_exact),
		cmocka_unit_test(test_exact),
	};

	return cmocka_run_group_tests_name("nap", tests, NULL, NULL);
}
