/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-fair-minimum.c - minima and maxima beside shares, admission, what remains when capacity is
 * lost. */
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

static void flow(unsigned int id, uint32_t shares, uint64_t min_bps, uint64_t avg_bps,
		 uint8_t priority)
{
	const struct fair_flow_config config = {
		.shares = shares,
		.priority = priority,
		.min_bps = min_bps,
		.limit = {.avg_bps = avg_bps, .burst_bytes = avg_bps ? 20000 : 0}};

	lab_flow(&lab, id, &config);
	lab_load(&lab, id, lab_mixed, 2, LAB_GREEDY);
}

/* 1 share beside 9, but half of the link guaranteed. */
static void test_minimum_above_share(void **state)
{
	struct fair_status status;

	lab_init(&lab, GBIT);
	flow(0, 1, 500 * MBIT, 0, 0);
	flow(1, 9, 0, 0, 10);
	lab_run(&lab, NSEC_PER_SEC);
	lab_close("minimum", lab_part(&lab, 0), 0.5, 0.005);
	fair_flow_status(lab.fair, 0, lab.now_ns, &status);
	assert_true(status.bytes[FAIR_PHASE_MINIMUM] > status.bytes[FAIR_PHASE_SHARE] * 100);
	/* Ahead of its shares, by the knob and two frames at most. */
	assert_in_range(status.lag_bytes, 1, fair_options_default.max_lag_bytes + 2 * 1538);
	lab_fini(&lab);
}

/* A minimum below the share changes nothing: it is not given in addition. */
static void test_minimum_below_share(void **state)
{
	lab_init(&lab, GBIT);
	flow(0, 2000, 300 * MBIT, 0, 0);
	flow(1, 2000, 0, 0, 0);
	flow(2, 1000, 100 * MBIT, 0, 0);
	lab_run(&lab, NSEC_PER_SEC);
	lab_close("first", lab_part(&lab, 0), 0.4, 0.005);
	lab_close("second", lab_part(&lab, 1), 0.4, 0.005);
	lab_close("third", lab_part(&lab, 2), 0.2, 0.005);
	lab_fini(&lab);
}

/* What a VM got beside its minimum while others slept costs it nothing when they wake. */
static void test_minimum_at_once(void **state)
{
	lab_init(&lab, GBIT);
	flow(0, 1, 500 * MBIT, 0, 0);
	flow(1, 99, 0, 0, 0);
	lab.flows[1].demand_bps = 0;
	lab_run(&lab, NSEC_PER_SEC);
	lab.flows[1].demand_bps = LAB_GREEDY;
	lab_mark(&lab);
	lab_run(&lab, 5 * NSEC_PER_MSEC);
	lab_close("in the first 5 ms", lab_part(&lab, 0), 0.5, 0.02);
	lab_fini(&lab);
}

/* And what its minimum gave it is forgotten, but for the lag, when the minimum is taken away. */
static void test_ahead_is_bounded(void **state)
{
	lab_init(&lab, GBIT);
	flow(0, 1000, 700 * MBIT, 0, 0);
	flow(1, 1000, 0, 0, 0);
	lab_run(&lab, NSEC_PER_SEC);
	flow(0, 1000, 0, 0, 0);
	lab_mark(&lab);
	lab_run(&lab, 20 * NSEC_PER_MSEC);
	lab_close("held back",
		  (double)(lab.flows[1].sent - lab.marks[1]) -
			  (double)(lab.flows[0].sent - lab.marks[0]),
		  fair_options_default.max_lag_bytes, 0.02);
	lab_fini(&lab);
}

/* A minimum a little below the share, frames larger than the lag beside small ones: the lag forgets
 * nothing of it. */
static void test_large_frames(void **state)
{
	struct fair_options options = fair_options_default;
	const uint32_t sizes[] = {LAB_GSO, 60};
	const char *why;

	options.max_lag_bytes = 20000;
	lab_init(&lab, GBIT);
	assert_int_equal(fair_configure(lab.fair, &options, lab.now_ns, &why), 0);
	flow(0, 1000, 230 * MBIT, 0, 0);
	flow(1, 3000, 0, 0, 0);
	lab_load(&lab, 0, sizes, 2, LAB_GREEDY);
	lab_run(&lab, NSEC_PER_SEC);
	lab_close("a quarter", lab_part(&lab, 0), 0.25, 0.01);
	lab_fini(&lab);
}

/* sum clamp(lambda * w, min, max): 500 at its minimum, 100 at its maximum, 400 as 3 : 1. */
static void test_all_three(void **state)
{
	lab_init(&lab, GBIT);
	flow(0, 1, 500 * MBIT, 0, 0);
	flow(1, 1000, 0, 100 * MBIT, 0);
	flow(2, 300, 50 * MBIT, 0, 0);
	flow(3, 100, 0, 900 * MBIT, 0);
	lab_run(&lab, NSEC_PER_SEC / 10);
	lab_mark(&lab);
	lab_run(&lab, NSEC_PER_SEC);
	lab_close("minimum", lab_bps(&lab, 0), 500e6, 0.01);
	lab_close("maximum", lab_bps(&lab, 1), 100e6, 0.01);
	lab_close("three quarters", lab_bps(&lab, 2), 300e6, 0.01);
	lab_close("one quarter", lab_bps(&lab, 3), 100e6, 0.01);
	lab_fini(&lab);
}

/* A maximum holds even for a VM that is alone, and for one whose minimum is due. */
static void test_maximum_is_hard(void **state)
{
	lab_init(&lab, GBIT);
	flow(0, 1000, 100 * MBIT, 100 * MBIT, 0);
	lab_run(&lab, NSEC_PER_SEC);
	assert_true((double)lab.flows[0].sent <= 20000 + 100e6 / 8);
	lab_close("alone", lab_bps(&lab, 0), 100e6, 0.005);
	lab_fini(&lab);
}

static void test_admission(void **state)
{
	struct fair_flow_config config = {.shares = 1, .min_bps = 500 * MBIT};
	const char *why;

	lab_init(&lab, GBIT);
	flow(0, 1, 500 * MBIT, 0, 0);
	config.min_bps = 251 * MBIT;
	assert_int_equal(fair_flow_set(lab.fair, 1, &config, lab.now_ns, &why), -ENOSPC);
	assert_non_null(why);
	assert_false(fair_has(lab.fair, 1));
	config.min_bps = 250 * MBIT;
	assert_int_equal(fair_flow_set(lab.fair, 1, &config, lab.now_ns, &why), 0);
	assert_null(why);
	assert_true(fair_minima_fit(lab.fair));
	/* A refused change leaves the old value. */
	config.min_bps = 260 * MBIT;
	assert_int_equal(fair_flow_set(lab.fair, 1, &config, lab.now_ns, &why), -ENOSPC);
	assert_int_equal(fair_flow_config(lab.fair, 1)->min_bps, 250 * MBIT);
	/* Members that are down do not refuse, members that are gone do; less is always taken. */
	lab_set_capacity(&lab, 100 * MBIT, GBIT);
	assert_int_equal(
		fair_flow_set(lab.fair, 0, fair_flow_config(lab.fair, 0), lab.now_ns, &why), 0);
	lab_set_capacity(&lab, 100 * MBIT, 100 * MBIT);
	config.min_bps = 240 * MBIT;
	assert_int_equal(fair_flow_set(lab.fair, 1, &config, lab.now_ns, &why), 0);
	config.min_bps = 1;
	assert_int_equal(fair_flow_set(lab.fair, 2, &config, lab.now_ns, &why), -ENOSPC);
	config.min_bps = 0;
	assert_int_equal(fair_flow_set(lab.fair, 2, &config, lab.now_ns, &why), 0);
	/* Capacity that nobody knows refuses nothing. */
	lab_set_capacity(&lab, 0, 0);
	assert_true(fair_admissible_bps(lab.fair) == UINT64_MAX);
	config.min_bps = 100 * GBIT;
	assert_int_equal(fair_flow_set(lab.fair, 2, &config, lab.now_ns, &why), 0);
	assert_true(fair_minima_fit(lab.fair));
	lab_fini(&lab);
}

static uint64_t admitted(unsigned int id)
{
	struct fair_status status;

	fair_flow_status(lab.fair, id, lab.now_ns, &status);
	return status.min_bps;
}

/* Priority order, then the band that does not fit is scaled, then nothing; back with the capacity.
 */
static void test_capacity_lost(void **state)
{
	lab_init(&lab, GBIT);
	flow(0, 1, 300 * MBIT, 0, 9);
	flow(1, 1, 100 * MBIT, 0, 5);
	flow(2, 1, 200 * MBIT, 0, 5);
	flow(3, 1, 100 * MBIT, 0, 2);
	flow(4, 996, 0, 0, 0);
	lab_run(&lab, NSEC_PER_SEC / 10);
	lab_set_capacity(&lab, 600 * MBIT, GBIT); /* 450 for minima */
	assert_false(fair_minima_fit(lab.fair));
	assert_int_equal(fair_admissible_bps(lab.fair), 450 * MBIT);
	assert_int_equal(admitted(0), 300 * MBIT);
	assert_int_equal(admitted(1), 50 * MBIT);
	assert_int_equal(admitted(2), 100 * MBIT);
	assert_int_equal(admitted(3), 0);
	lab_mark(&lab);
	lab_run(&lab, NSEC_PER_SEC / 2);
	lab_close("high", lab_bps(&lab, 0), 300e6, 0.01);
	lab_close("scaled", lab_bps(&lab, 1), 50e6, 0.01);
	lab_close("scaled", lab_bps(&lab, 2), 100e6, 0.01);
	assert_true(lab_bps(&lab, 3) < 1e6);
	lab_set_capacity(&lab, GBIT, GBIT);
	assert_true(fair_minima_fit(lab.fair));
	lab_mark(&lab);
	lab_run(&lab, NSEC_PER_SEC / 2);
	lab_close("again", lab_bps(&lab, 1), 100e6, 0.01);
	lab_close("again", lab_bps(&lab, 3), 100e6, 0.01);
	lab_set_capacity(&lab, 0, GBIT);
	assert_int_equal(admitted(0), 0);
	lab_fini(&lab);
}

/* Due minima go by priority, so that a short shortage hits low ones. */
static void test_due_by_priority(void **state)
{
	const struct cost cost = {1538, 1538};
	struct fair_flow_config config = {.shares = 1, .min_bps = GBIT};
	struct fair *fair = fair_create(11);
	uint64_t deadline;
	const char *why;

	for (uint32_t i = 0; i <= FAIR_PRIORITY_MAX; i++) {
		config.priority = (uint8_t)(i * 7 % 11);
		assert_int_equal(fair_flow_set(fair, i, &config, 0, &why), 0);
		fair_backlog(fair, i, cost, NSEC_PER_SEC + i);
	}
	for (int priority = FAIR_PRIORITY_MAX; priority >= 0; priority--) {
		int id = fair_next(fair, NSEC_PER_SEC + 100, &deadline);

		assert_int_equal(fair_flow_config(fair, (uint32_t)id)->priority, priority);
		assert_int_equal(fair_last_phase(fair), FAIR_PHASE_MINIMUM);
		fair_sent(fair, (uint32_t)id, cost, &cost, NSEC_PER_SEC + 100);
	}
	fair_next(fair, NSEC_PER_SEC + 100, &deadline);
	assert_int_equal(fair_last_phase(fair), FAIR_PHASE_SHARE);
	/* The clock of a minimum of 1 Gbit is one frame ahead. */
	assert_in_range(deadline, NSEC_PER_SEC + 12304, NSEC_PER_SEC + 12304 + 100);
	fair_destroy(fair);
}

/* A link that stood still for long: what a minimum may catch up is bounded. */
static void test_catch_up_is_bounded(void **state)
{
	lab_init(&lab, GBIT);
	flow(0, 1, 700 * MBIT, 0, 0);
	flow(1, 1000, 0, 0, 0);
	lab_run(&lab, NSEC_PER_SEC / 10);
	lab.capacity_bps = 0; /* nothing goes, but nobody said so */
	lab_run(&lab, 10 * NSEC_PER_SEC);
	lab.capacity_bps = GBIT;
	lab_mark(&lab);
	lab_run(&lab, NSEC_PER_SEC);
	/* 70 % and 20 ms of that. */
	lab_close("minimum", lab_bps(&lab, 0), 700e6 * 1.02, 0.005);
	lab_fini(&lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_minimum_above_share),
		cmocka_unit_test(test_minimum_below_share),
		cmocka_unit_test(test_minimum_at_once),
		cmocka_unit_test(test_ahead_is_bounded),
		cmocka_unit_test(test_large_frames),
		cmocka_unit_test(test_all_three),
		cmocka_unit_test(test_maximum_is_hard),
		cmocka_unit_test(test_admission),
		cmocka_unit_test(test_capacity_lost),
		cmocka_unit_test(test_due_by_priority),
		cmocka_unit_test(test_catch_up_is_bounded),
	};

	return cmocka_run_group_tests_name("fair-minimum", tests, NULL, NULL);
}
