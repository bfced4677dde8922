/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-announce.c - rounds, pace and forgetting of announcements. */
#include "netback-team/announce.h"

#include <string.h>

#include "common/util.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define MS NSEC_PER_MSEC

static struct announce announce;
static uint8_t macs[ANNOUNCE_MACS_MAX + 1][6];

static int setup(void **state)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(macs); i++) {
		const uint8_t mac[6] = {0x00, 0x16, 0x3e, 0, (uint8_t)(i >> 8), (uint8_t)i};

		memcpy(macs[i], mac, 6);
	}
	announce_init(&announce, 1, 200 * MS);
	return 0;
}

static void start(unsigned int n, uint64_t now_ns)
{
	announce_start(&announce, (const uint8_t(*)[6])macs, n, now_ns);
}

/* The source address of the next frame, as its index in macs; -1 none is due. It is sent or not. */
static int next_is(uint64_t now_ns, bool sent)
{
	uint8_t frame[FRAME_ANNOUNCE_LEN], expect[FRAME_ANNOUNCE_LEN];
	int index;

	if (!announce_next(&announce, now_ns, frame))
		return -1;
	index = frame[10] << 8 | frame[11];
	frame_rarp(expect, macs[index]);
	assert_memory_equal(frame, expect, sizeof(frame));
	announce_done(&announce, sent, now_ns);
	return index;
}

static int next(uint64_t now_ns)
{
	return next_is(now_ns, true);
}

static void test_nothing_to_announce(void **state)
{
	assert_int_equal(announce_deadline(&announce), DEADLINE_NEVER);
	assert_int_equal(next(0), -1);
	assert_int_equal(next(UINT64_MAX), -1);
	start(0, 5);
	assert_int_equal(announce_deadline(&announce), DEADLINE_NEVER);
	announce_set(&announce, 0, MS);
	start(3, 5);
	assert_int_equal(announce_deadline(&announce), DEADLINE_NEVER);
	assert_int_equal(next(5), -1);
}

static void test_rounds(void **state)
{
	announce_set(&announce, 3, 200 * MS);
	start(2, 1000 * MS);
	for (unsigned int round = 0; round < 3; round++) {
		uint64_t due_ns = (1000 + 200 * round) * MS;

		assert_int_equal(announce_deadline(&announce), due_ns);
		assert_int_equal(next(due_ns - 1), -1);
		assert_int_equal(next(due_ns), 0);
		assert_int_equal(announce_deadline(&announce), due_ns);
		assert_int_equal(next(due_ns + MS), 1);
	}
	assert_int_equal(announce_deadline(&announce), DEADLINE_NEVER);
	assert_int_equal(next(10000 * MS), -1);
}

static void test_a_burst_of_64_goes_at_once(void **state)
{
	start(ANNOUNCE_BURST, 7);
	for (int i = 0; i < (int)ANNOUNCE_BURST; i++)
		assert_int_equal(next(7), i);
	assert_int_equal(announce_deadline(&announce), DEADLINE_NEVER);
}

/* However the owner calls, no window of 10 ms holds more than 64 frames, and nothing is lost. */
static void test_pace_of_a_large_host(void **state)
{
	static uint64_t sent_ns[2 * ANNOUNCE_MACS_MAX];
	uint64_t now_ns = 1000 * MS;
	unsigned int n_sent = 0, seed = 1;

	announce_set(&announce, 2, MS);
	start(ANNOUNCE_MACS_MAX + 1, now_ns);
	assert_int_equal(announce.n_macs, ANNOUNCE_MACS_MAX);
	while (announce_deadline(&announce) != DEADLINE_NEVER) {
		int index = next(now_ns);

		if (index < 0) {
			seed = seed * 1103515245 + 12345;
			now_ns = announce_deadline(&announce) + (seed >> 16) % 3 * MS;
			continue;
		}
		assert_int_equal(index, n_sent % ANNOUNCE_MACS_MAX);
		assert_true(n_sent < ARRAY_SIZE(sent_ns));
		sent_ns[n_sent++] = now_ns;
		now_ns += (seed >> 20) % 4 * (MS / 10);
	}
	assert_int_equal(n_sent, ARRAY_SIZE(sent_ns));
	for (unsigned int i = ANNOUNCE_BURST; i < n_sent; i++)
		assert_true(sent_ns[i] - sent_ns[i - ANNOUNCE_BURST] >= ANNOUNCE_BURST_NS);
}

static void test_deadline_is_the_next_frame(void **state)
{
	start(200, 0);
	for (uint64_t now_ns = 0; announce_deadline(&announce) != DEADLINE_NEVER;) {
		now_ns = announce_deadline(&announce);
		if (now_ns > 0)
			assert_int_equal(next(now_ns - 1), -1);
		assert_true(next(now_ns) >= 0);
		while (next(now_ns) >= 0)
			;
	}
	/* 64 at 0, 10 and 20 ms, 8 at 30 ms. */
	assert_int_equal(announce.free_ns[7], 40 * MS);
	assert_int_equal(announce.free_ns[8], 30 * MS);
}

static void test_restart_keeps_the_pace(void **state)
{
	start(40, 0);
	for (int i = 0; i < 40; i++)
		assert_int_equal(next(0), i);
	/* The link flaps: all of them again, at another member. */
	start(40, MS);
	for (int i = 0; i < 24; i++)
		assert_int_equal(next(MS), i);
	assert_int_equal(next(MS), -1);
	assert_int_equal(announce_deadline(&announce), 10 * MS);
	start(5, 2 * MS);
	assert_int_equal(next(2 * MS), -1);
	for (int i = 0; i < 5; i++)
		assert_int_equal(next(10 * MS), i);
	assert_int_equal(announce_deadline(&announce), DEADLINE_NEVER);
}

static void test_forget(void **state)
{
	announce_set(&announce, 2, 100 * MS);
	start(5, 0);
	announce_forget(&announce, macs[9]);
	assert_int_equal(next(0), 0);
	assert_int_equal(next(0), 1);
	announce_forget(&announce, macs[0]); /* sent already in this round */
	announce_forget(&announce, macs[3]); /* not yet */
	assert_int_equal(next(0), 2);
	announce_forget(&announce, macs[4]); /* the last of the round: it is over */
	assert_int_equal(announce_deadline(&announce), 100 * MS);
	assert_int_equal(next(100 * MS), 1);
	announce_forget(&announce, macs[1]);
	announce_forget(&announce, macs[2]);
	assert_int_equal(announce_deadline(&announce), DEADLINE_NEVER);
	assert_int_equal(next(200 * MS), -1);
}

/* What could not be sent is tried again, alone and for as long as it takes, beside the rounds. */
static void test_failures_are_tried_again(void **state)
{
	announce_set(&announce, 2, 25 * MS);
	start(4, 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(next_is(0, i % 2 == 0), i);
	assert_int_equal(announce_deadline(&announce), 10 * MS);
	assert_int_equal(next_is(10 * MS, false), 1);
	assert_int_equal(next_is(10 * MS, true), 3);
	assert_int_equal(announce_deadline(&announce), 20 * MS);
	assert_int_equal(next_is(20 * MS, false), 1);
	assert_int_equal(announce_deadline(&announce), 25 * MS); /* the second round */
	for (int i = 0; i < 4; i++)
		assert_int_equal(next_is(25 * MS, i == 1), i);
	for (uint64_t ms = 35; ms < 1035; ms += 10) {
		assert_int_equal(announce_deadline(&announce), ms * MS);
		assert_int_equal(next_is(ms * MS, false), 0);
		assert_int_equal(next_is(ms * MS, false), 2);
		assert_int_equal(next_is(ms * MS, false), 3);
	}
	announce_forget(&announce, macs[0]);
	announce_forget(&announce, macs[1]);
	assert_int_equal(next_is(1035 * MS, true), 2);
	announce_forget(&announce, macs[3]);
	assert_int_equal(announce_deadline(&announce), DEADLINE_NEVER);
	start(1, 1100 * MS);
	assert_int_equal(next_is(1100 * MS, false), 0);
	start(1, 1100 * MS); /* instead */
	assert_int_equal(announce_deadline(&announce), 1100 * MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_nothing_to_announce, setup),
		cmocka_unit_test_setup(test_rounds, setup),
		cmocka_unit_test_setup(test_a_burst_of_64_goes_at_once, setup),
		cmocka_unit_test_setup(test_pace_of_a_large_host, setup),
		cmocka_unit_test_setup(test_deadline_is_the_next_frame, setup),
		cmocka_unit_test_setup(test_restart_keeps_the_pace, setup),
		cmocka_unit_test_setup(test_forget, setup),
		cmocka_unit_test_setup(test_failures_are_tried_again, setup),
	};

	return cmocka_run_group_tests_name("announce", tests, NULL, NULL);
}
