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
	struct nap nap = {0};

	nap_woke(&nap, NOW, NOW + NSEC_PER_MSEC);
	nap_sends(&nap, NSEC_PER_MSEC);
	assert_int_equal(nap_ns(&nap, NOW, DEADLINE_NEVER, DEADLINE_NEVER), DEADLINE_NEVER);
	assert_int_equal(nap_ns(&nap, NOW, NOW + 7, DEADLINE_NEVER), 7);
	assert_int_equal(nap_ns(&nap, NOW, NOW, DEADLINE_NEVER), 0);
	assert_int_equal(nap_ns(&nap, NOW, 0, DEADLINE_NEVER), 0);
	/* However near a deadline is, it is no reason to spin, nor for a pass to begin early. */
	assert_false(nap_spins(&nap, NOW, DEADLINE_NEVER));
	assert_int_equal(nap_lead(&nap, DEADLINE_NEVER), 0);
}

/* Awake before the moment, and then until it; as long before as margin says. */
static void check_exact(const struct nap *nap, uint64_t margin)
{
	const uint64_t exact = NOW + 100 * NSEC_PER_USEC;

	assert_false(nap_spins(nap, NOW, exact));
	assert_int_equal(nap_ns(nap, NOW, exact, exact), 100 * NSEC_PER_USEC - margin);
	assert_int_equal(nap_ns(nap, NOW, DEADLINE_NEVER, exact), 100 * NSEC_PER_USEC - margin);
	assert_int_equal(nap_ns(nap, NOW, NOW + 3, exact), 3);
	assert_false(nap_spins(nap, exact - margin - 1, exact));
	assert_true(nap_spins(nap, exact - margin, exact));
	assert_true(nap_spins(nap, exact - 1, exact));
	/* What has passed is over, even if nobody has looked yet. */
	assert_false(nap_spins(nap, exact, exact));
	assert_false(nap_spins(nap, exact + 1, exact));
	assert_int_equal(nap_ns(nap, exact - 1, exact, exact), 0);
}

static void learn(struct nap *nap, uint64_t late_ns, uint64_t took_ns)
{
	for (int i = 0; i < 200; i++) {
		nap_woke(nap, NOW, NOW + late_ns);
		nap_sends(nap, took_ns);
	}
}

static void test_margin(void **state)
{
	struct nap nap = {0};

	check_exact(&nap, NAP_MARGIN_MIN_NS);
	learn(&nap, 10000, 0);
	assert_in_range(nap.late_ns, 9900, 10000);
	check_exact(&nap, nap.late_ns * 3 / 2);
	learn(&nap, 60000, 0);
	check_exact(&nap, NAP_MARGIN_MAX_NS);
	/* One stall is not the rule. */
	learn(&nap, 4000, 0);
	nap_woke(&nap, NOW, NOW + NSEC_PER_SEC);
	assert_in_range(nap.late_ns, 10000, 17000);
	learn(&nap, 100, 0);
	check_exact(&nap, NAP_MARGIN_MIN_NS);
	/* Woken early, which timers do not do, is not late. */
	nap_woke(&nap, NOW, NOW - 1);
	assert_in_range(nap.late_ns, 0, 200);
}

static void test_lead(void **state)
{
	struct nap nap = {0};

	assert_int_equal(nap_lead(&nap, NOW), 0);
	learn(&nap, 0, 6000);
	assert_in_range(nap_lead(&nap, NOW), 5900, 6000);
	learn(&nap, 0, 90000);
	assert_int_equal(nap_lead(&nap, NOW), NAP_LEAD_MAX_NS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_exact),
		cmocka_unit_test(test_margin),
		cmocka_unit_test(test_lead),
	};

	return cmocka_run_group_tests_name("nap", tests, NULL, NULL);
}
