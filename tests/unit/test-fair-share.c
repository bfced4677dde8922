/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-fair-share.c - shares of a link: the worked examples, mixed sizes, lag, waking, priorities
 * as bands. */
#include "netback-team/fair.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/fair-lab.h"
#include "util.h"

static struct lab lab;

static void three(uint32_t a, uint32_t b, uint32_t c)
{
	lab_init(&lab, GBIT);
	lab_greedy(&lab, 0, 2000, a);
	lab_greedy(&lab, 1, 2000, b);
	lab_greedy(&lab, 2, 1000, c);
}

static void test_40_40_20(void **state)
{
	three(1514, 1514, 1514);
	lab_run(&lab, NSEC_PER_SEC);
	lab_close("first", lab_part(&lab, 0), 0.4, 0.001);
	lab_close("second", lab_part(&lab, 1), 0.4, 0.001);
	lab_close("third", lab_part(&lab, 2), 0.2, 0.001);
	lab_fini(&lab);
}

/* Shares of a VM that stops go to the others in proportion. */
static void test_67_33(void **state)
{
	three(1514, 1514, 1514);
	lab_run(&lab, NSEC_PER_SEC / 4);
	lab.flows[1].demand_bps = 0;
	fair_idle(lab.fair, 1, lab.now_ns);
	lab_mark(&lab);
	lab_run(&lab, NSEC_PER_SEC);
	lab_close("first", lab_part(&lab, 0), 2 / 3.0, 0.001);
	lab_close("third", lab_part(&lab, 2), 1 / 3.0, 0.001);
	lab_fini(&lab);
}

/* One uses 20 % of its 40 %: the rest is divided 2 : 1. */
static void test_53_27(void **state)
{
	three(1514, 1514, 1514);
	lab.flows[1].demand_bps = GBIT / 5;
	lab_run(&lab, NSEC_PER_SEC);
	lab_close("first", lab_part(&lab, 0), 0.8 * 2 / 3, 0.002);
	lab_close("second", lab_part(&lab, 1), 0.2, 0.002);
	lab_close("third", lab_part(&lab, 2), 0.8 / 3, 0.002);
	lab_fini(&lab);
}

static void test_mixed_sizes(void **state)
{
	for (unsigned int row = 0; row < 3; row++) {
		three(lab_mixed[row], lab_mixed[(row + 1) % 3], lab_mixed[(row + 2) % 3]);
		lab_run(&lab, NSEC_PER_SEC);
		lab_close("first", lab_part(&lab, 0), 0.4, 0.01);
		lab_close("second", lab_part(&lab, 1), 0.4, 0.01);
		lab_close("third", lab_part(&lab, 2), 0.2, 0.01);
		lab_fini(&lab);
	}
}

/* Frames as the unit: 2000 to 1000 shares are 2 : 1 in frames, whatever their size. */
static void test_unit_frame(void **state)
{
	three(1514, 60, 1514);
	for (unsigned int i = 0; i < 3; i++)
		lab.flows[i].sizes[0].share = COST_FRAME_SHARE;
	lab_run(&lab, NSEC_PER_SEC);
	lab_close("1514 to 60", (double)lab.flows[0].sent / (double)lab.flows[1].sent, 1538 / 84.0,
		  0.001);
	lab_close("2 to 1", (double)lab.flows[0].sent / (double)lab.flows[2].sent, 2, 0.001);
	lab_fini(&lab);
}

/* Costs that the shares do not divide lose nothing. */
static void test_many_shares(void **state)
{
	lab_init(&lab, GBIT);
	lab_greedy(&lab, 0, FAIR_SHARES_MAX, 60);
	lab_greedy(&lab, 1, 30000, 60);
	lab_run(&lab, NSEC_PER_SEC / 4);
	lab_close("10 to 3", lab_part(&lab, 0) / lab_part(&lab, 1), 10 / 3.0, 0.0002);
	lab_fini(&lab);
}

/* A limit above its share, that holds it back for a while after each frame, costs a VM nothing. */
static void test_limit_above_share(void **state)
{
	const struct fair_flow_config config = {.shares = 2000, .limit = {.peak_bps = 470 * MBIT}};

	lab_init(&lab, GBIT);
	lab_flow(&lab, 0, &config);
	lab_load(&lab, 0, lab_mixed, 1, LAB_GREEDY);
	lab_greedy(&lab, 1, 1500, 1514);
	lab_greedy(&lab, 2, 1500, 590);
	lab_run(&lab, NSEC_PER_SEC);
	lab_close("share", lab_part(&lab, 0), 0.4, 0.002);
	lab_fini(&lab);
}

struct lag {
	double normal[3], low[3][3], high[3][3];
};

/* Extremes of the difference of service by weight; over any interval it changes by at most their
 * distance. */
static void note_lag(struct lab *l, unsigned int flow, struct cost cost)
{
	struct lag *lag = l->ctx;

	lag->normal[flow] += (double)cost.bytes / (flow == 2 ? 1000 : 2000);
	for (int i = 0; i < 3; i++) {
		for (int j = 0; j < 3; j++) {
			lag->low[i][j] = fmin(lag->low[i][j], lag->normal[i] - lag->normal[j]);
			lag->high[i][j] = fmax(lag->high[i][j], lag->normal[i] - lag->normal[j]);
		}
	}
}

static void test_lag_bound(void **state)
{
	struct lag lag = {0};

	three(1514, 60, LAB_GSO);
	for (unsigned int i = 0; i < 3; i++)
		lab_load(&lab, i, lab_mixed, 3, LAB_GREEDY);
	lab.after = note_lag;
	lab.ctx = &lag;
	lab_run(&lab, NSEC_PER_SEC);
	for (int i = 0; i < 3; i++) {
		for (int j = 0; j < i; j++) {
			double largest = lab.flows[0].sizes[2].bytes;
			double bound = largest / (i == 2 ? 1000 : 2000) + largest / 2000;

			assert_true(lag.high[i][j] - lag.low[i][j] <= bound * 1.001);
		}
	}
	lab_fini(&lab);
}

/* 15 % of the team used, 20 % shares, half of the team dies: from 30 % down to 20 % at once. */
static void test_half_the_team_dies(void **state)
{
	lab_init(&lab, 2 * GBIT);
	lab_greedy(&lab, 0, 1000, 1514);
	for (unsigned int i = 1; i < 5; i++)
		lab_greedy(&lab, i, 1000, 1514);
	lab.flows[0].demand_bps = 300 * MBIT;
	lab_run(&lab, NSEC_PER_SEC / 2);
	lab_close("before", lab_part(&lab, 0), 0.15, 0.005);
	lab_set_capacity(&lab, GBIT, 2 * GBIT);
	lab_mark(&lab);
	lab_run(&lab, 2 * NSEC_PER_MSEC);
	lab_close("in the first 2 ms", lab_part(&lab, 0), 0.2, 0.03);
	lab_mark(&lab);
	lab_run(&lab, NSEC_PER_SEC);
	lab_close("after", lab_part(&lab, 0), 0.2, 0.002);
	lab_fini(&lab);
}

/* Who slept half a second gets its share from now on, not what it missed. */
static void test_wake(void **state)
{
	lab_init(&lab, GBIT);
	lab_greedy(&lab, 0, 1000, 1514);
	lab_greedy(&lab, 1, 1000, 1514);
	lab.flows[1].demand_bps = 0;
	lab_run(&lab, NSEC_PER_SEC / 2);
	lab.flows[1].demand_bps = LAB_GREEDY;
	lab_mark(&lab);
	lab_run(&lab, 10 * NSEC_PER_MSEC);
	lab_close("sleeper", lab_part(&lab, 1), 0.5, 0.01);
	lab_fini(&lab);
}

static void test_wake_credit(void **state)
{
	struct fair_options options = fair_options_default;
	const char *why;

	options.wake_credit_bytes = 100000;
	lab_init(&lab, GBIT);
	assert_int_equal(fair_configure(lab.fair, &options, lab.now_ns, &why), 0);
	lab_greedy(&lab, 0, 1000, 1514);
	lab_greedy(&lab, 1, 1000, 1514);
	lab.flows[1].demand_bps = 0;
	lab_run(&lab, NSEC_PER_SEC / 2);
	lab.flows[1].demand_bps = LAB_GREEDY;
	lab_mark(&lab);
	lab_run(&lab, 10 * NSEC_PER_MSEC);
	lab_close("credit",
		  (double)(lab.flows[1].sent - lab.marks[1]) -
			  (double)(lab.flows[0].sent - lab.marks[0]),
		  100000, 0.05);
	lab_fini(&lab);
}

static void strict(uint32_t floor_permille)
{
	struct fair_options options = fair_options_default;
	const char *why;

	options.strict = true;
	options.floor_permille = floor_permille;
	assert_int_equal(fair_configure(lab.fair, &options, lab.now_ns, &why), 0);
}

static void priority(unsigned int flow, uint32_t shares, uint8_t level)
{
	const struct fair_flow_config config = {.shares = shares, .priority = level};

	lab_flow(&lab, flow, &config);
	lab_load(&lab, flow, lab_mixed, 2, LAB_GREEDY);
}

/* Priorities alone say nothing about shares. */
static void test_priorities_not_strict(void **state)
{
	lab_init(&lab, GBIT);
	priority(0, 1000, 10);
	priority(1, 1000, 0);
	lab_run(&lab, NSEC_PER_SEC / 2);
	lab_close("low", lab_part(&lab, 1), 0.5, 0.002);
	lab_fini(&lab);
}

static void test_strict(void **state)
{
	struct fair_status status;

	lab_init(&lab, GBIT);
	strict(10);
	priority(0, 1000, 7);
	priority(1, 3000, 7);
	priority(2, 1000, 3);
	priority(3, 1000, 0);
	lab_run(&lab, NSEC_PER_SEC);
	lab_close("one high", lab_part(&lab, 0), 0.98 / 4, 0.005);
	lab_close("other high", lab_part(&lab, 1), 0.98 * 3 / 4, 0.005);
	lab_close("floor", lab_part(&lab, 2), 0.01, 0.02);
	lab_close("lower floor", lab_part(&lab, 3), 0.01, 0.02);
	fair_flow_status(lab.fair, 3, lab.now_ns, &status);
	assert_int_equal(status.bytes[FAIR_PHASE_SHARE], 0);
	/* What the high ones leave goes to the next band. */
	lab.flows[0].demand_bps = 300 * MBIT;
	lab.flows[1].demand_bps = 0;
	fair_idle(lab.fair, 1, lab.now_ns);
	lab_mark(&lab);
	lab_run(&lab, NSEC_PER_SEC);
	lab_close("high", lab_part(&lab, 0), 0.3, 0.005);
	lab_close("middle", lab_part(&lab, 2), 0.69, 0.005);
	lab_close("low", lab_part(&lab, 3), 0.01, 0.02);
	lab_fini(&lab);
}

/* Floors are rates, whatever the sizes of frames, and minima count into them. */
static void test_floor_of_mixed_sizes(void **state)
{
	static const uint32_t small[] = {60}, large[] = {LAB_GSO};
	const struct fair_flow_config minimum = {.shares = 1, .priority = 2, .min_bps = 15 * MBIT};

	lab_init(&lab, GBIT);
	strict(10);
	priority(0, 1000, 9);
	priority(1, 1000, 4);
	priority(2, 1000, 2);
	priority(3, 1000, 2);
	priority(4, 1000, 0);
	lab_load(&lab, 1, large, 1, LAB_GREEDY);
	lab_load(&lab, 4, small, 1, LAB_GREEDY);
	lab_flow(&lab, 2, &minimum);
	lab_run(&lab, NSEC_PER_SEC);
	lab_close("high", lab_part(&lab, 0), 1 - 0.01 - 0.015 - 0.01, 0.005);
	lab_close("large frames", lab_part(&lab, 1), 0.01, 0.07); /* 18 of them */
	lab_close("minimum", lab_part(&lab, 2), 0.015, 0.01);
	assert_true(lab_part(&lab, 3) < 0.0001);
	lab_close("small frames", lab_part(&lab, 4), 0.01, 0.02);
	/* A band that slept is owed nothing. */
	lab.flows[4].demand_bps = 0;
	fair_idle(lab.fair, 4, lab.now_ns);
	lab_run(&lab, NSEC_PER_SEC);
	lab.flows[4].demand_bps = LAB_GREEDY;
	lab_mark(&lab);
	lab_run(&lab, NSEC_PER_SEC / 10);
	lab_close("from now on", lab_part(&lab, 4), 0.01, 0.02);
	lab_fini(&lab);
}

static void test_strict_without_floor(void **state)
{
	lab_init(&lab, GBIT);
	strict(0);
	priority(0, 1, 1);
	priority(1, 100000, 0);
	lab_run(&lab, NSEC_PER_SEC / 10);
	assert_int_equal(lab.flows[1].sent, 0);
	/* Switched live: from now on shares count, not the past. */
	assert_int_equal(
		fair_configure(lab.fair, &fair_options_default, lab.now_ns, &(const char *){NULL}),
		0);
	lab_mark(&lab);
	lab_run(&lab, NSEC_PER_SEC / 10);
	lab_close("100000 shares", lab_part(&lab, 1), 1, 0.01);
	strict(0);
	lab_mark(&lab);
	lab_run(&lab, NSEC_PER_SEC / 10);
	lab_close("priority again", lab_part(&lab, 0), 1, 0.001);
	lab_fini(&lab);
}

/* Virtual times begin anew before they wrap; one share and the largest costs get there soon. */
static void test_virtual_time_rebased(void **state)
{
	const struct cost huge = {.bytes = COST_MAX, .share = COST_MAX};
	const struct fair_flow_config config = {.shares = 1};
	struct fair *fair = fair_create(2);
	uint64_t n[2] = {0}, deadline;
	const char *why;

	for (uint32_t i = 0; i < 2; i++) {
		assert_int_equal(fair_flow_set(fair, i, &config, 0, &why), 0);
		fair_backlog(fair, i, huge, 1);
	}
	/* 2^43 units a frame, 2^21 frames each to wrap. */
	for (int i = 0; i < 5000000; i++) {
		int flow = fair_next(fair, 1, &deadline);

		fair_sent(fair, (uint32_t)flow, huge, &huge, 1);
		n[flow]++;
		if (MAX(n[0], n[1]) - MIN(n[0], n[1]) > 1)
			fail_msg("frame %d", i);
	}
	fair_destroy(fair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_40_40_20),
		cmocka_unit_test(test_67_33),
		cmocka_unit_test(test_53_27),
		cmocka_unit_test(test_mixed_sizes),
		cmocka_unit_test(test_unit_frame),
		cmocka_unit_test(test_many_shares),
		cmocka_unit_test(test_limit_above_share),
		cmocka_unit_test(test_lag_bound),
		cmocka_unit_test(test_half_the_team_dies),
		cmocka_unit_test(test_wake),
		cmocka_unit_test(test_wake_credit),
		cmocka_unit_test(test_priorities_not_strict),
		cmocka_unit_test(test_strict),
		cmocka_unit_test(test_floor_of_mixed_sizes),
		cmocka_unit_test(test_strict_without_floor),
		cmocka_unit_test(test_virtual_time_rebased),
	};

	return cmocka_run_group_tests_name("fair-share", tests, NULL, NULL);
}
