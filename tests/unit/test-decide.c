/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-decide.c - send, queue, discard: the matrix of what matters, bounds of queues, names. */
#include "netback-team/decide.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "util.h"

#define RING                                                                                       \
	(struct decide_input)                                                                      \
	{                                                                                          \
		.member_up = true, .member_room = true, .frame_bytes = 1514                        \
	}
#define QUEUE                                                                                      \
	(struct decide_input)                                                                      \
	{                                                                                          \
		.member_up = true, .member_room = true, .frame_bytes = 1500, .fresh = true,        \
		.phase = FAIR_PHASE_SHARE, .queue_max_bytes = 100000, .pool_free_bytes = 1000000   \
	}

/* Every frame of a ring that may go goes, all others wait; none is lost. */
static void test_ring_matrix(void **state)
{
	for (unsigned int bits = 0; bits < 8; bits++) {
		for (int wait = FAIR_WAIT_IDLE; wait <= FAIR_WAIT_MEMBER; wait++) {
			struct decide_input in = {.chosen = bits & 1,
						  .member_up = bits & 2,
						  .member_room = bits & 4,
						  .wait = (enum fair_wait)wait};
			const enum decide_reason reason = decide(&in);

			assert_int_equal(decide_action(reason),
					 bits == 7 ? DECIDE_ACTION_SEND : DECIDE_ACTION_QUEUE);
			if (!(bits & 2))
				assert_int_equal(reason, DECIDE_REASON_NO_MEMBER);
			else if (bits == 3)
				assert_int_equal(reason, DECIDE_REASON_MEMBER);
		}
	}
}

static void test_reasons_to_send(void **state)
{
	struct decide_input in = RING;

	in.chosen = true;
	in.phase = FAIR_PHASE_MINIMUM;
	assert_int_equal(decide(&in), DECIDE_REASON_MINIMUM);
	in.phase = FAIR_PHASE_SHARE;
	assert_int_equal(decide(&in), DECIDE_REASON_SHARE);
	in.phase = FAIR_PHASE_FLOOR;
	assert_int_equal(decide(&in), DECIDE_REASON_FLOOR);
}

static void test_reasons_to_wait(void **state)
{
	static const enum decide_reason want[] = {
		[FAIR_WAIT_IDLE] = DECIDE_REASON_TURN,	     [FAIR_WAIT_TURN] = DECIDE_REASON_TURN,
		[FAIR_WAIT_AVERAGE] = DECIDE_REASON_AVERAGE, [FAIR_WAIT_PEAK] = DECIDE_REASON_PEAK,
		[FAIR_WAIT_MEMBER] = DECIDE_REASON_MEMBER,
	};

	for (size_t wait = 0; wait < ARRAY_SIZE(want); wait++) {
		struct decide_input ring = RING, queue = QUEUE;

		ring.wait = queue.wait = (enum fair_wait)wait;
		assert_int_equal(decide(&ring), want[wait]);
		assert_int_equal(decide(&queue), want[wait]);
	}
}

/* Frames in our memory are bounded in number, time and by the pool; one whose turn it is goes even
 * then. */
static void test_queue_bounds(void **state)
{
	struct decide_input in = QUEUE;

	in.queued_bytes = 98500;
	assert_int_equal(decide(&in), DECIDE_REASON_TURN);
	in.queued_bytes++;
	assert_int_equal(decide(&in), DECIDE_REASON_QUEUE_FULL);
	in.fresh = false; /* it is in the queue already: only time can discard it */
	assert_int_equal(decide(&in), DECIDE_REASON_TURN);
	in.fresh = true;
	in.chosen = true;
	assert_int_equal(decide(&in), DECIDE_REASON_SHARE);
	in.member_room = false;
	assert_int_equal(decide(&in), DECIDE_REASON_QUEUE_FULL);
	in.member_up = false;
	assert_int_equal(decide(&in), DECIDE_REASON_DOWN);
	in = QUEUE;
	in.wait_max_ns = 10;
	in.waited_ns = 10;
	in.chosen = true;
	assert_int_equal(decide(&in), DECIDE_REASON_SHARE);
	in.waited_ns = 11;
	assert_int_equal(decide(&in), DECIDE_REASON_LATE);
	in.wait_max_ns = 0;
	assert_int_equal(decide(&in), DECIDE_REASON_SHARE);
}

/* As memory runs out, priorities lose their frames from the lowest to the highest. */
static void test_memory_by_priority(void **state)
{
	uint64_t last = UINT64_MAX;

	for (uint8_t priority = 0; priority <= 10; priority++) {
		struct decide_input in = QUEUE;
		uint64_t free = 1000000;

		in.queued_bytes = 50000;
		in.priority = priority;
		do {
			in.pool_free_bytes = free;
			free -= 100;
		} while (decide(&in) != DECIDE_REASON_MEMORY);
		assert_true(in.pool_free_bytes < last);
		last = in.pool_free_bytes;
	}
	assert_true(last > 15000); /* even the highest leaves something */
	/* Who has nothing queued gets the last byte, but not more than there is. */
	for (uint8_t priority = 0; priority <= 10; priority++) {
		struct decide_input in = QUEUE;

		in.priority = priority;
		in.pool_free_bytes = 1500;
		assert_int_equal(decide(&in), DECIDE_REASON_TURN);
		in.pool_free_bytes = 1499;
		assert_int_equal(decide(&in), DECIDE_REASON_MEMORY);
	}
}

static void test_queue_bytes(void **state)
{
	const uint64_t two = 2 * DECIDE_FRAME_BYTES;

	assert_int_equal(decide_queue_bytes(1000000000, DECIDE_TARGET_NS, 10000000), 625000);
	assert_int_equal(decide_queue_bytes(1000000, DECIDE_TARGET_NS, 10000000), two);
	assert_int_equal(decide_queue_bytes(100000000000, DECIDE_TARGET_NS, 524288), 524288);
	assert_int_equal(decide_queue_bytes(1000000, DECIDE_TARGET_NS, 1000), 1000);
	assert_int_equal(decide_queue_bytes(0, DECIDE_TARGET_NS, 524288), 524288);
	/* A delay beyond a second is a mistake, not an overflow. */
	assert_int_equal(decide_queue_bytes(FAIR_RATE_MAX, UINT64_MAX, UINT64_MAX),
			 FAIR_RATE_MAX / 8);
}

static void test_names_and_counters(void **state)
{
	struct decide_counts counts = {{0}};

	for (unsigned int i = 0; i < DECIDE_N_REASONS; i++) {
		const enum decide_reason reason = (enum decide_reason)i;
		static const char *const begin[] = {"sent-", "queued-", "discarded-"};

		assert_int_equal(strncmp(decide_name(reason), begin[decide_action(reason)],
					 strlen(begin[decide_action(reason)])),
				 0);
		assert_int_equal(strncmp(decide_rx_name(reason), begin[decide_action(reason)],
					 strlen(begin[decide_action(reason)])),
				 0);
		assert_true(strlen(decide_help(reason)) > 10);
		assert_true(strlen(decide_rx_help(reason)) > 10);
		for (unsigned int j = 0; j < i; j++) {
			assert_string_not_equal(decide_name(reason),
						decide_name((enum decide_reason)j));
			assert_string_not_equal(decide_rx_name(reason),
						decide_rx_name((enum decide_reason)j));
		}
		decide_count(&counts, reason);
		assert_int_equal(counts.frames[i], 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ring_matrix),	   cmocka_unit_test(test_reasons_to_send),
		cmocka_unit_test(test_reasons_to_wait),	   cmocka_unit_test(test_queue_bounds),
		cmocka_unit_test(test_memory_by_priority), cmocka_unit_test(test_queue_bytes),
		cmocka_unit_test(test_names_and_counters),
	};

	return cmocka_run_group_tests_name("decide", tests, NULL, NULL);
}
