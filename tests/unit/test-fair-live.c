/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-fair-live.c - changes while frames flow, members that take nothing, waits and their reasons,
 * values that are refused, entitled rates. */
#include "netback-team/fair.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/fair-lab.h"
#include "util.h"

static struct lab lab;

static const struct cost mtu = {1538, 1538};

static struct fair_status status_of(unsigned int id)
{
	struct fair_status status;

	fair_flow_status(lab.fair, id, lab.now_ns, &status);
	return status;
}

static void change(unsigned int id, struct fair_flow_config config)
{
	lab_flow(&lab, id, &config);
}

static void test_shares_change(void **state)
{
	lab_init(&lab, GBIT);
	lab_greedy(&lab, 0, 1000, 1514);
	lab_greedy(&lab, 1, 1000, 1514);
	lab_run(&lab, NSEC_PER_SEC / 10);
	change(0, (struct fair_flow_config){.shares = 3000});
	lab_mark(&lab);
	lab_run(&lab, 10 * NSEC_PER_MSEC);
	lab_close("three quarters", lab_part(&lab, 0), 0.75, 0.01);
	change(0, (struct fair_flow_config){.shares = 1});
	change(1, (struct fair_flow_config){.shares = 9});
	lab_mark(&lab);
	lab_run(&lab, NSEC_PER_SEC / 10);
	lab_close("a tenth", lab_part(&lab, 0), 0.1, 0.01);
	lab_fini(&lab);
}

/* Setting the same again and again, or shares up and down, brings no advantage. */
static void test_change_storm(void **state)
{
	lab_init(&lab, GBIT);
	lab_greedy(&lab, 0, 1000, 1514);
	lab_greedy(&lab, 1, 1000, 1514);
	for (unsigned int i = 0; i < 10000; i++) {
		change(0, (struct fair_flow_config){.shares = 1000, .priority = i % 11});
		lab_run(&lab, 15 * NSEC_PER_USEC);
	}
	lab_close("half", lab_part(&lab, 0), 0.5, 0.005);
	lab_fini(&lab);
}

static void test_limit_change(void **state)
{
	struct fair_flow_config config = {.shares = 1, .limit = {.avg_bps = 100 * MBIT}};

	lab_init(&lab, GBIT);
	lab_greedy(&lab, 0, 1, 1514);
	change(0, config);
	lab_run(&lab, NSEC_PER_SEC / 4); /* the burst is used up */
	assert_int_equal(status_of(0).wait, FAIR_WAIT_AVERAGE);
	config.limit.avg_bps = 200 * MBIT;
	change(0, config);
	lab_mark(&lab);
	lab_run(&lab, NSEC_PER_SEC / 4);
	/* The default burst grows from 128 KiB to 10 ms, 250000 bytes: that much is new. */
	lab_close("200 Mbit", (double)(lab.flows[0].sent - lab.marks[0]),
		  50e6 / 8 + 250000 - 131072, 0.005);
	config.limit = (struct limit_config){0};
	change(0, config);
	lab_mark(&lab);
	lab_run(&lab, NSEC_PER_SEC / 10);
	lab_close("no limit", lab_bps(&lab, 0), 1e9, 0.001);
	assert_true(status_of(0).average_waits > 1000);
	assert_int_equal(status_of(0).peak_waits, 0);
	lab_fini(&lab);
}

static void test_peak(void **state)
{
	lab_init(&lab, GBIT);
	lab_greedy(&lab, 0, 1, 1514);
	change(0, (struct fair_flow_config){.shares = 1, .limit = {.peak_bps = 100 * MBIT}});
	lab_run(&lab, NSEC_PER_SEC);
	assert_int_equal(status_of(0).wait, FAIR_WAIT_PEAK);
	assert_true(status_of(0).peak_waits > 5000);
	lab_close("100 Mbit", lab_bps(&lab, 0), 100e6, 0.005);
	lab_fini(&lab);
}

/* A pinned VM whose member takes nothing for 30 % of the time: others go on, it is told. */
static void test_hold(void **state)
{
	lab_init(&lab, GBIT);
	lab_greedy(&lab, 0, 1000, 1514);
	lab_greedy(&lab, 1, 1000, 1514);
	lab_run(&lab, NSEC_PER_SEC / 10);
	assert_false(status_of(0).pin_limited);
	lab.flows[0].demand_bps = 0;
	fair_hold(lab.fair, 0, lab.now_ns);
	assert_int_equal(status_of(0).wait, FAIR_WAIT_MEMBER);
	lab_mark(&lab);
	lab_run(&lab, NSEC_PER_SEC / 10);
	assert_int_equal(lab.flows[0].sent, lab.marks[0]);
	assert_true(status_of(0).pin_limited);
	/* It lost as much as the other one got, for their shares are equal. */
	lab_close("lost", (double)status_of(0).lost_bytes,
		  (double)(lab.flows[1].sent - lab.marks[1]), 0.001);
	lab.flows[0].demand_bps = LAB_GREEDY;
	lab_mark(&lab);
	lab_run(&lab, NSEC_PER_SEC / 10);
	lab_close("half again", lab_part(&lab, 0), 0.5, 0.001);
	assert_true(status_of(0).pin_limited);
	lab_run(&lab, NSEC_PER_SEC);
	assert_false(status_of(0).pin_limited);
	/* Short holds that cost nothing are not reported. */
	for (int i = 0; i < 100; i++) {
		fair_hold(lab.fair, 0, lab.now_ns);
		fair_backlog(lab.fair, 0, mtu, lab.now_ns);
		lab_run(&lab, NSEC_PER_MSEC);
	}
	assert_false(status_of(0).pin_limited);
	assert_int_equal(status_of(0).member_waits, 101);
	fair_hold(lab.fair, 0, lab.now_ns);
	fair_idle(lab.fair, 0, lab.now_ns);
	assert_int_equal(status_of(0).wait, FAIR_WAIT_IDLE);
	fair_hold(lab.fair, 0, lab.now_ns); /* of an idle one: nothing */
	assert_int_equal(status_of(0).member_waits, 102);
	lab_fini(&lab);
}

static void test_flows_come_and_go(void **state)
{
	uint64_t deadline;

	lab_init(&lab, GBIT);
	assert_int_equal(fair_next(lab.fair, lab.now_ns, &deadline), -1);
	assert_true(deadline == DEADLINE_NEVER);
	fair_backlog(lab.fair, 3, mtu, lab.now_ns); /* not there */
	assert_int_equal(fair_next(lab.fair, lab.now_ns, &deadline), -1);
	lab_greedy(&lab, 3, 5, 1514);
	lab_greedy(&lab, 4, 5, 1514);
	lab_run(&lab, NSEC_PER_MSEC);
	assert_int_equal(status_of(3).wait, FAIR_WAIT_TURN);
	fair_flow_remove(lab.fair, 3, lab.now_ns);
	fair_flow_remove(lab.fair, 3, lab.now_ns);
	assert_false(fair_has(lab.fair, 3));
	fair_sent(lab.fair, 3, mtu, NULL, lab.now_ns);
	assert_int_equal(fair_next(lab.fair, lab.now_ns, &deadline), 4);
	lab.flows[3].demand_bps = 0;
	lab_run(&lab, NSEC_PER_MSEC);
	/* A new one with the old number begins at zero, and where the others are. */
	lab_greedy(&lab, 3, 5, 1514);
	assert_int_equal(status_of(3).frames, 0);
	lab_mark(&lab);
	lab_run(&lab, 10 * NSEC_PER_MSEC);
	lab_close("half", lab_part(&lab, 3), 0.5, 0.01);
	assert_int_equal(status_of(3).wakes, 0);
	assert_false(fair_has(lab.fair, LAB_FLOWS));
	lab_fini(&lab);
}

/* A minimum that vanishes between the question and the frame is not divided by. */
static void test_turn_is_void(void **state)
{
	uint64_t deadline;
	const uint64_t now_ns = NSEC_PER_SEC;

	lab_init(&lab, GBIT);
	change(0, (struct fair_flow_config){.shares = 1, .min_bps = MBIT});
	fair_backlog(lab.fair, 0, mtu, now_ns);
	assert_int_equal(fair_next(lab.fair, now_ns, &deadline), 0);
	assert_int_equal(fair_last_phase(lab.fair), FAIR_PHASE_MINIMUM);
	fair_set_capacity(lab.fair, 0, GBIT, now_ns);
	fair_sent(lab.fair, 0, mtu, &mtu, now_ns);
	assert_int_equal(status_of(0).bytes[FAIR_PHASE_MINIMUM], 0);
	assert_int_equal(status_of(0).bytes[FAIR_PHASE_SHARE], 1538);
	/* A frame that went without being asked for is charged all the same. */
	fair_idle(lab.fair, 0, now_ns);
	fair_sent(lab.fair, 0, mtu, NULL, now_ns);
	assert_int_equal(status_of(0).bytes[FAIR_PHASE_SHARE], 2 * 1538);
	assert_int_equal(status_of(0).frames, 2);
	assert_int_equal(status_of(0).lag_bytes, 1538);
	lab_fini(&lab);
}

/* A second of a VM that always has frames, looked after when its timer says so: what it sent, and
 * how often it was looked after. */
static unsigned int run_limited(const struct limit_config *limit, uint64_t slack_ns,
				uint64_t *bytes)
{
	const struct fair_flow_config config = {.shares = 1, .limit = *limit};
	const uint64_t burst = limit->burst_bytes, begin_ns = NSEC_PER_SEC;
	struct fair_options options = fair_options_default;
	struct fair *fair = fair_create(1);
	uint64_t now_ns = begin_ns, deadline_ns;
	unsigned int wakes = 0;
	const char *why;

	options.slack_ns = slack_ns;
	assert_int_equal(fair_configure(fair, &options, now_ns, &why), 0);
	assert_int_equal(fair_flow_set(fair, 0, &config, now_ns, &why), 0);
	fair_backlog(fair, 0, mtu, now_ns);
	for (*bytes = 0; now_ns < begin_ns + NSEC_PER_SEC; wakes++, now_ns = deadline_ns) {
		while (fair_next(fair, now_ns, &deadline_ns) == 0) {
			fair_sent(fair, 0, mtu, &mtu, now_ns);
			*bytes += mtu.bytes;
		}
		assert_true(*bytes <=
			    burst + limit->avg_bps / 8 * (now_ns - begin_ns) / NSEC_PER_SEC + 1);
		assert_true(deadline_ns > now_ns);
	}
	fair_destroy(fair);
	return wakes;
}

/* Fewer wake-ups, as many bytes, and never more than the burst allows; a burst that is too small
 * for the slack, or a peak, costs wake-ups rather than bytes. */
static void test_slack(void **state)
{
	struct limit_config limit = {.avg_bps = GBIT, .burst_bytes = 131072};
	uint64_t exact, slack;

	assert_in_range(run_limited(&limit, 0, &exact), 81000, 82000);
	assert_in_range(run_limited(&limit, 100 * NSEC_PER_USEC, &slack), 8000, 10000);
	assert_in_range(slack, exact - 2 * 12500, exact);
	limit.burst_bytes = 6152; /* 49 us */
	run_limited(&limit, 0, &exact);
	assert_in_range(run_limited(&limit, 100 * NSEC_PER_USEC, &slack), 20000, 82000);
	assert_in_range(slack, exact - 2 * 6152, exact);
	limit = (struct limit_config){.avg_bps = GBIT, .burst_bytes = 131072, .peak_bps = GBIT};
	assert_true(run_limited(&limit, 100 * NSEC_PER_USEC, &slack) > 80000);
}

static void gives_every_second_back(struct lab *l, unsigned int flow, struct cost cost)
{
	static unsigned int n;

	if (flow == 0 && n++ % 2)
		fair_give_back(l->fair, 0, cost, fair_last_phase(l->fair) == FAIR_PHASE_MINIMUM,
			       l->now_ns);
}

/* Frames that did not use the link: who sends every second one elsewhere has twice the turns, and
 * as much of the link as the other one; nobody who does nothing else gets far behind. */
static void test_give_back(void **state)
{
	for (int minimum = 0; minimum < 2; minimum++) {
		const struct fair_flow_config config = {.shares = 1000,
							.min_bps = minimum ? 400 * MBIT : 0};

		lab_init(&lab, GBIT);
		lab_greedy(&lab, 0, 1000, 1514);
		lab_greedy(&lab, 1, minimum ? 100000 : 1000, 1514);
		lab_flow(&lab, 0, &config);
		lab.after = gives_every_second_back;
		lab_run(&lab, NSEC_PER_SEC);
		/* The minimum of 400 Mbit is of the link: 800 Mbit of turns. */
		lab_close("turns", lab_part(&lab, 0), minimum ? 0.8 : 2 / 3.0, 0.015);
		lab_fini(&lab);
	}
	lab_init(&lab, GBIT);
	lab_greedy(&lab, 0, 1000, 1514);
	lab_greedy(&lab, 1, 1000, 1514);
	lab_run(&lab, 10 * NSEC_PER_MSEC);
	for (int i = 0; i < 100000; i++)
		fair_give_back(lab.fair, 0, mtu, false, lab.now_ns);
	assert_in_range(-status_of(0).lag_bytes, fair_options_default.max_lag_bytes - 1538,
			fair_options_default.max_lag_bytes + 1538);
	lab_mark(&lab);
	lab_run(&lab, 3 * NSEC_PER_MSEC); /* 256 KiB are 2.1 ms */
	lab_close("after that", lab_part(&lab, 0), 2.55 / 3, 0.02);
	fair_idle(lab.fair, 1, lab.now_ns);
	fair_give_back(lab.fair, 1, mtu, false, lab.now_ns);
	fair_give_back(lab.fair, 9, mtu, false, lab.now_ns); /* who is not there */
	lab_fini(&lab);
}

/* Frames out of turn are charged, up to the lag, and change nothing between the others. */
static void test_out_of_turn(void **state)
{
	lab_init(&lab, GBIT);
	for (unsigned int i = 0; i < 3; i++)
		lab_greedy(&lab, i, 1000, 1514);
	lab.flows[0].demand_bps = lab.flows[2].demand_bps = 0;
	lab_run(&lab, NSEC_PER_MSEC);
	for (int i = 0; i < 10000; i++)
		fair_sent(lab.fair, 0, mtu, NULL, lab.now_ns);
	assert_in_range(status_of(0).lag_bytes, 2 * 1538,
			fair_options_default.max_lag_bytes + 2 * 1538);
	lab.flows[2].demand_bps = LAB_GREEDY;
	lab_mark(&lab);
	lab_run(&lab, NSEC_PER_MSEC);
	lab_close("two of three", lab_part(&lab, 2), 0.5, 0.02);
	lab.flows[0].demand_bps = LAB_GREEDY;
	lab_run(&lab, 10 * NSEC_PER_MSEC);
	lab_mark(&lab);
	lab_run(&lab, 10 * NSEC_PER_MSEC);
	lab_close("all three", lab_part(&lab, 0), 1 / 3.0, 0.01);
	lab_fini(&lab);
}

/* Dry and refilled within one pass is not asleep: the minimum's clock goes on. */
static void test_idle_for_no_time(void **state)
{
	const uint64_t now_ns = 2 * NSEC_PER_SEC;
	uint64_t deadline;

	lab_init(&lab, GBIT);
	change(0, (struct fair_flow_config){.shares = 1, .min_bps = 8 * MBIT});
	fair_backlog(lab.fair, 0, mtu, now_ns);
	fair_next(lab.fair, now_ns + NSEC_PER_MSEC, &deadline);
	fair_sent(lab.fair, 0, mtu, NULL, now_ns + NSEC_PER_MSEC);
	fair_backlog(lab.fair, 0, mtu, now_ns + NSEC_PER_MSEC);
	assert_int_equal(status_of(0).wakes, 1);
	fair_next(lab.fair, now_ns + NSEC_PER_MSEC, &deadline);
	assert_int_equal(deadline, now_ns + 1538 * NSEC_PER_USEC);
	lab_fini(&lab);
}

/* A minimum that changes owes its frames, not its time. */
static void test_minimum_change(void **state)
{
	const uint64_t now_ns = 2 * NSEC_PER_SEC;
	uint64_t deadline;

	lab_init(&lab, GBIT);
	lab.now_ns = now_ns;
	change(0, (struct fair_flow_config){.shares = 1, .min_bps = 8 * MBIT});
	fair_backlog(lab.fair, 0, mtu, now_ns);
	fair_next(lab.fair, now_ns, &deadline);
	fair_sent(lab.fair, 0, mtu, &mtu, now_ns);
	change(0, (struct fair_flow_config){.shares = 1, .min_bps = 4 * MBIT});
	fair_next(lab.fair, now_ns, &deadline);
	assert_int_equal(deadline, now_ns + 2 * 1538 * NSEC_PER_USEC);
	change(0, (struct fair_flow_config){.shares = 1});
	fair_next(lab.fair, now_ns, &deadline);
	assert_true(deadline == DEADLINE_NEVER);
	lab_fini(&lab);
}

static void refuse(struct fair_flow_config config)
{
	const char *why = NULL;

	assert_int_equal(fair_flow_set(lab.fair, 0, &config, 1, &why), -EINVAL);
	assert_non_null(why);
	assert_false(fair_has(lab.fair, 0));
}

static void test_refused(void **state)
{
	struct fair_options options = fair_options_default;
	const char *why;

	lab_init(&lab, GBIT);
	refuse((struct fair_flow_config){.shares = 0});
	refuse((struct fair_flow_config){.shares = FAIR_SHARES_MAX + 1});
	refuse((struct fair_flow_config){.shares = 1, .priority = 11});
	refuse((struct fair_flow_config){.shares = 1, .min_bps = 2, .limit = {.avg_bps = 1}});
	refuse((struct fair_flow_config){.shares = 1, .min_bps = 2, .limit = {.peak_bps = 1}});
	refuse((struct fair_flow_config){.shares = 1, .min_bps = FAIR_RATE_MAX + 1});
	refuse((struct fair_flow_config){.shares = 1, .limit = {.avg_bps = FAIR_RATE_MAX + 1}});
	refuse((struct fair_flow_config){.shares = 1, .limit = {.avg_bps = 2, .peak_bps = 1}});
	assert_int_equal(fair_configure(lab.fair, &options, 1, &why), 0);
	options.floor_permille = FAIR_FLOOR_MAX + 1;
	assert_int_equal(fair_configure(lab.fair, &options, 1, &why), -EINVAL);
	options = fair_options_default;
	options.admission_percent = 0;
	assert_int_equal(fair_configure(lab.fair, &options, 1, &why), -EINVAL);
	options.admission_percent = 101;
	assert_int_equal(fair_configure(lab.fair, &options, 1, &why), -EINVAL);
	options = fair_options_default;
	options.max_lag_bytes = 1537;
	assert_int_equal(fair_configure(lab.fair, &options, 1, &why), -EINVAL);
	options.max_lag_bytes = FAIR_LAG_MAX + 1;
	assert_int_equal(fair_configure(lab.fair, &options, 1, &why), -EINVAL);
	options.max_lag_bytes = 2000;
	options.wake_credit_bytes = 2001;
	assert_int_equal(fair_configure(lab.fair, &options, 1, &why), -EINVAL);
	assert_non_null(why);
	lab_fini(&lab);
}

/* Demands in, rates out, with what the flows are configured for; flows that are not there get none.
 */
static void test_entitled(void **state)
{
	uint64_t demand[LAB_FLOWS], rate[LAB_FLOWS];
	struct fair_options options = fair_options_default;
	const char *why;

	for (unsigned int i = 0; i < LAB_FLOWS; i++)
		demand[i] = 10 * GBIT;
	lab_init(&lab, GBIT);
	change(0, (struct fair_flow_config){.shares = 2000});
	change(1, (struct fair_flow_config){.shares = 2000, .limit = {.avg_bps = 200 * MBIT}});
	change(3, (struct fair_flow_config){.shares = 1000, .min_bps = 300 * MBIT, .priority = 1});
	fair_entitled(lab.fair, demand, rate);
	lab_close("0", (double)rate[0], 500e6, 1e-6);
	lab_close("1", (double)rate[1], 200e6, 1e-6);
	lab_close("3", (double)rate[3], 300e6, 1e-6);
	assert_int_equal(rate[2], 0);
	options.strict = true;
	assert_int_equal(fair_configure(lab.fair, &options, 1, &why), 0);
	fair_entitled(lab.fair, demand, rate);
	lab_close("strict", (double)rate[3], 990e6, 1e-6);
	lab_fini(&lab);
	fair_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shares_change),  cmocka_unit_test(test_change_storm),
		cmocka_unit_test(test_limit_change),   cmocka_unit_test(test_peak),
		cmocka_unit_test(test_hold),	       cmocka_unit_test(test_flows_come_and_go),
		cmocka_unit_test(test_turn_is_void),   cmocka_unit_test(test_idle_for_no_time),
		cmocka_unit_test(test_minimum_change), cmocka_unit_test(test_out_of_turn),
		cmocka_unit_test(test_slack),	       cmocka_unit_test(test_give_back),
		cmocka_unit_test(test_refused),	       cmocka_unit_test(test_entitled),
	};

	return cmocka_run_group_tests_name("fair-live", tests, NULL, NULL);
}
