/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-load.c - what a member still has to send, by what it was given and its speed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/util.h"
#include "netback-team/load.h"

#define GBIT 1000000000ull
#define MS   NSEC_PER_MSEC

static void queue_drains_at_the_speed_of_the_link(void **state)
{
	struct load load = {0};

	load_set_rate(&load, GBIT);
	assert_int_equal(load_wait_ns(&load, 1250, 5), 10000); /* 1250 bytes: 10 us */
	assert_int_equal(load_add(&load, 1250, 1000), 11000);
	assert_int_equal(load_add(&load, 2500, 1000), 31000);
	assert_int_equal(load_wait_ns(&load, 0, 1000), 30000);
	assert_int_equal(load_wait_ns(&load, 1250, 21000), 20000);
	assert_int_equal(load_wait_ns(&load, 0, 31000), 0);
	assert_int_equal(load_wait_ns(&load, 0, 99000), 0);
	assert_int_equal(load_add(&load, 1250, 99000), 109000);
	assert_int_equal(load.bytes, 5000);
	load_set_rate(&load, 10 * GBIT);
	assert_int_equal(load_wait_ns(&load, 1250, 200000), 1000);
}

static void no_more_waits_than_a_ring_holds(void **state)
{
	struct load load = {0};

	load_set_rate(&load, LOAD_RATE_MIN);
	for (unsigned int i = 0; i < 1000; i++)
		load_add(&load, 65535, 7);
	assert_int_equal(load.idle_ns, 7 + LOAD_WAIT_MAX_NS);
}

static void speeds_have_a_floor_and_a_default(void **state)
{
	struct load load = {0};

	load_set_rate(&load, 0);
	assert_int_equal(load.rate_bps, LOAD_RATE_NONE);
	load_set_rate(&load, 1);
	assert_int_equal(load.rate_bps, LOAD_RATE_MIN);
}

static void recent_use_fades_within_two_seconds(void **state)
{
	struct load load = {0};
	uint64_t now_ns = 10 * NSEC_PER_SEC, recent;

	load_set_rate(&load, GBIT);
	assert_int_equal(load_recent_ns(&load, now_ns), 0);
	for (unsigned int i = 0; i < 3000; i++, now_ns += MS) /* half of its speed */
		load_add(&load, 62500, now_ns);
	recent = load_recent_ns(&load, now_ns);
	assert_in_range(recent, LOAD_WINDOW_NS * 45 / 100, LOAD_WINDOW_NS * 55 / 100);
	for (unsigned int i = 0; i < 40; i++, now_ns += 50 * MS) {
		assert_true(load_recent_ns(&load, now_ns) <= recent);
		recent = load_recent_ns(&load, now_ns);
	}
	assert_int_equal(load_recent_ns(&load, now_ns), 0);
	load_add(&load, 125, now_ns); /* the old window does not come back */
	assert_int_equal(load_recent_ns(&load, now_ns), 1000);
}

static void use_is_remembered_for_a_minute(void **state)
{
	struct load load = {0};
	uint64_t now_ns = 1000 * NSEC_PER_SEC;

	load_set_rate(&load, GBIT);
	assert_int_equal(load_use_permille(&load, 60, now_ns), 0);
	for (unsigned int i = 0; i < 20000; i++, now_ns += MS) /* 20 s at half of its speed */
		load_add(&load, 62500, now_ns);
	assert_in_range(load_use_permille(&load, 1, now_ns), 499, 500);
	assert_in_range(load_use_permille(&load, 10, now_ns), 499, 500);
	assert_in_range(load_use_permille(&load, 60, now_ns), 165, 167); /* a third of a minute */
	now_ns += 5 * NSEC_PER_SEC;					 /* quiet */
	assert_int_equal(load_use_permille(&load, 1, now_ns), 0);
	assert_in_range(load_use_permille(&load, 10, now_ns), 248, 250);
	load_add(&load, 125, now_ns); /* the quiet seconds are empty ones */
	assert_in_range(load_use_permille(&load, 10, now_ns), 248, 250);
	assert_in_range(load_use_permille(&load, 60, now_ns), 165, 167);
	assert_int_equal(load_use_permille(&load, 60, now_ns + 90 * NSEC_PER_SEC), 0);
	now_ns += 200 * NSEC_PER_SEC;
	load_add(&load, 125, now_ns); /* nothing old comes back */
	assert_int_equal(load_use_permille(&load, 60, now_ns), 0);
}

static void queued_bytes_are_what_has_not_left(void **state)
{
	struct load load = {0};

	load_set_rate(&load, GBIT);
	assert_int_equal(load_queued_bytes(&load, 1000), 0);
	load_add(&load, 125000, 1000); /* 1 ms */
	assert_int_equal(load_queued_bytes(&load, 1000), 125000);
	assert_int_equal(load_queued_bytes(&load, 501000), 62500);
	assert_int_equal(load_queued_bytes(&load, 2 * MS), 0);
}

static void permille_is_of_the_speed(void **state)
{
	assert_int_equal(load_permille(GBIT, 125000000, NSEC_PER_SEC), 1000);
	assert_int_equal(load_permille(GBIT, 62500000, NSEC_PER_SEC), 500);
	assert_int_equal(load_permille(GBIT, 12500000, 30 * NSEC_PER_SEC), 3);
	assert_int_equal(load_permille(GBIT, 1, 0), 0);
	assert_int_equal(load_permille(LOAD_RATE_MIN, UINT64_MAX, 1), UINT32_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(queue_drains_at_the_speed_of_the_link),
		cmocka_unit_test(no_more_waits_than_a_ring_holds),
		cmocka_unit_test(speeds_have_a_floor_and_a_default),
		cmocka_unit_test(recent_use_fades_within_two_seconds),
		cmocka_unit_test(use_is_remembered_for_a_minute),
		cmocka_unit_test(queued_bytes_are_what_has_not_left),
		cmocka_unit_test(permille_is_of_the_speed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
