/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-coalesce-issue.c - which requests share a transfer, and when it goes. */
#include <errno.h>
#include <string.h>

#include "coalesce-lab.h"
#include "util.h"

#define KIB 1024u

/* --- SCAN --- */

static void test_out_merges(void **state)
{
	struct lab *lab = lab_init(false);
	struct coalesce_batch *batch;

	lab_queue(lab, 64 / 2, 2 * MPS, false);
	batch = lab_expect_batch(lab, 32, 64 * MPS);
	for (unsigned int i = 0; i < 32; i++) {
		assert_int_equal(lab->buffers[0][i * 2 * MPS], i + 1);
		assert_int_equal(lab->buffers[0][(i + 1) * 2 * MPS - 1], i + 1);
	}
	lab_end(lab, batch, 0, 64 * MPS);
	for (unsigned int i = 0; i < 32; i++)
		lab_expect_done(&lab->requests[i], 0, 2 * MPS);
	assert_int_equal(lab->co.counters.merged, 32);
	assert_int_equal(lab->co.counters.batches, 1);
	assert_int_equal(lab->co.counters.requests, 32);
	assert_int_equal(lab->co.counters.bytes, 64 * MPS);
	assert_int_equal(lab->n_retired, 1);
}

/* A short packet is the end of a message: its request is the last one. */
static void test_out_short_packet(void **state)
{
	struct lab *lab = lab_init(false);

	lab_queue(lab, 2, MPS, false);
	lab_queue(lab, 1, MPS + 1, false);
	lab_queue(lab, 1, 31, false);
	lab_queue(lab, 1, MPS, false);
	lab_expect_batch(lab, 3, 3 * MPS + 1);
	lab_expect_batch(lab, 1, 31);
	lab_expect_none(lab, 1000 + COALESCE_PATIENCE_OUT_NS); /* the last one may grow */
}

static void test_empty(void **state)
{
	struct lab *lab = lab_init(false);

	lab_queue(lab, 1, MPS, false);
	lab_queue(lab, 1, 0, false);
	lab_queue(lab, 1, MPS, false);
	lab_expect_batch(lab, 1, MPS);
	lab_expect_batch(lab, 1, 0);
	lab = lab_init(true);
	lab_queue(lab, 1, MPS, true);
	lab_queue(lab, 1, 0, true);
	lab_queue(lab, 1, MPS, true);
	lab_end(lab, lab_expect_batch(lab, 1, MPS), 0, MPS);
	lab_end(lab, lab_expect_batch(lab, 1, 0), 0, 0);
	lab_expect_done(&lab->requests[1], 0, 0);
	lab_expect_none(lab, 1000 + COALESCE_GATHER_NS);
}

static void test_fence(void **state)
{
	struct lab *lab = lab_init(false);

	lab_queue(lab, 4, MPS, false);
	lab->requests[2].co.fence = true;
	lab_end(lab, lab_expect_batch(lab, 2, 2 * MPS), 0, 2 * MPS);
	lab->full = true;
	lab_expect_batch(lab, 2, 2 * MPS);
	lab = lab_init(true);
	lab_queue(lab, 4, MPS, true);
	lab->requests[2].co.fence = true;
	lab_expect_batch(lab, 2, 2 * MPS);
	lab_expect_none(lab, LAB_NEVER);
}

static void test_cap(void **state)
{
	struct lab *lab = lab_init(false);

	lab->co.config.max_batch = 16 * KIB;
	lab_queue(lab, 5, 6 * KIB, false);
	lab_expect_batch(lab, 2, 12 * KIB);
	lab_expect_batch(lab, 2, 12 * KIB);
	lab = lab_init(false);
	lab->limit = 8 * KIB;
	lab_queue(lab, 5, 4 * KIB, false);
	lab_expect_batch(lab, 2, 8 * KIB);
	lab->limit = 0; /* the caller compares */
	lab_queue(lab, 1, 20 * KIB, false);
	lab_expect_batch(lab, 1, 4 * KIB);
}

/* SHORT_NOT_OK: lengths do not matter inside of a chain (3584 bytes with packets of 1024). */
static void test_chain(void **state)
{
	struct lab *lab = lab_init(true);

	lab->co.config.max_packet = 1024;
	lab_queue(lab, 1, 3584, true);
	lab_queue(lab, 7, 4096, true);
	lab_queue(lab, 1, 100, false); /* closes it */
	lab_queue(lab, 1, 4096, false);
	lab_expect_batch(lab, 9, 3584 + 7 * 4096 + 100);
	lab_expect_none(lab, LAB_NEVER); /* nothing beside a chain */
}

/* Behind the request that closes a chain nothing joins, whatever the streak. */
static void test_chain_closes(void **state)
{
	struct lab *lab = lab_init(true);

	lab_streak(lab, 4096);
	lab_queue(lab, 2, 4096, true);
	lab_queue(lab, 3, 4096, false);
	lab_end(lab, lab_expect_batch(lab, 3, 12 * KIB), 0, 12 * KIB);
	lab_expect_batch(lab, 2, 8 * KIB);
}

static void test_message_then_chain(void **state)
{
	struct lab *lab = lab_init(true);
	struct coalesce_batch *message;

	lab_queue(lab, 1, 4096, false);
	lab_queue(lab, 2, 4096, true);
	message = lab_expect_batch(lab, 1, 4096);
	lab_expect_none(lab, LAB_NEVER); /* where the message ends is not known */
	lab_end(lab, message, 0, 13);
	lab->full = true;
	lab_expect_batch(lab, 2, 8 * KIB);
}

/* The cap and a full ring cut a chain between packets; where that cannot be, the cap gives way. */
static void test_chain_cut(void **state)
{
	struct lab *lab = lab_init(true);

	lab->co.config.max_packet = 1024;
	lab->co.config.max_batch = 12 * KIB;
	lab_queue(lab, 1, 4096, true);
	lab_queue(lab, 4, 3584, true);
	lab_end(lab, lab_expect_batch(lab, 3, 4096 + 2 * 3584), 0, 4096 + 2 * 3584);
	lab->full = true;
	lab_queue(lab, 1, 3584, true);
	lab_expect_batch(lab, 2, 2 * 3584); /* the third would end amid a packet */
	lab = lab_init(true);
	lab->co.config.max_packet = 1024;
	lab->limit = 4096;
	lab_queue(lab, 3, 3584, true);
	lab_expect_batch(lab, 2, 2 * 3584);
	lab = lab_init(true);
	lab->co.config.max_packet = 1024;
	lab->full = true;
	lab_queue(lab, 1, 3584, true);
	lab_expect_batch(lab, 1, 3584);
}

/* What was announced tells where a chain ends. */
static void test_chain_cut_announced(void **state)
{
	struct lab *lab = lab_init(true);

	lab->full = true;
	coalesce_expect(&lab->co, 5000);
	lab_queue(lab, 1, 4096, true);
	lab_queue(lab, 1, 904, true);
	lab_end(lab, lab_expect_batch(lab, 2, 5000), 0, 5000);
	coalesce_expect(&lab->co, 5001);
	lab_queue(lab, 1, 4096, true);
	lab_queue(lab, 1, 904, true);
	lab_expect_batch(lab, 1, 4096);
}

static void test_messages(void **state)
{
	struct lab *lab = lab_init(true);

	lab_queue(lab, 4, 2 * MPS, false);
	for (unsigned int i = 0; i < 4; i++)
		lab_expect_batch(lab, 1, 2 * MPS); /* all are in flight */
	lab_expect_none(lab, LAB_NEVER);
	lab = lab_init(true);
	lab_streak(lab, 2 * MPS);
	lab_queue(lab, 3, 2 * MPS, false);
	lab_queue(lab, 2, 3 * MPS, false);
	lab_queue(lab, 2, 3 * MPS, true);
	lab_expect_batch(lab, 3, 6 * MPS);
	lab_expect_none(lab, 1000 + COALESCE_PATIENCE_IN_NS); /* another length: not behind it */
}

/* A short packet ends the streak, and so does a failure. */
static void test_streak(void **state)
{
	struct lab *lab = lab_init(true);

	lab_streak(lab, MPS);
	lab_queue(lab, 2, MPS, false);
	lab_end(lab, lab_expect_batch(lab, 2, 2 * MPS), 0, MPS + 1);
	lab_expect_done(&lab->requests[1], 0, 1);
	lab_queue(lab, 2, MPS, false);
	lab_expect_batch(lab, 1, MPS);
	lab_expect_batch(lab, 1, MPS);
	lab = lab_init(true);
	lab_streak(lab, MPS);
	lab_queue(lab, 1, MPS, false);
	lab_end(lab, lab_expect_batch(lab, 1, MPS), -EPROTO, 0);
	coalesce_release(&lab->co);
	lab_queue(lab, 2, MPS, false);
	lab_expect_batch(lab, 1, MPS);
}

static void test_merge_off(void **state)
{
	struct lab *lab = lab_init(false);

	lab->co.config.merge = false;
	lab_queue(lab, 3, MPS, false);
	for (unsigned int i = 0; i < 3; i++)
		lab_expect_batch(lab, 1, MPS);
	lab = lab_init(true);
	lab->co.config.merge = false;
	lab_queue(lab, 2, 4096, true);
	lab_expect_batch(lab, 1, 4096);
	lab_expect_none(lab, LAB_NEVER); /* serialised even so */
}

static void test_zero_packet(void **state)
{
	struct lab *lab = lab_init(false);
	struct coalesce_batch *first;

	lab->co.config.zero_packet = true;
	lab_queue(lab, 2, MPS, false);
	first = lab_expect_batch(lab, 1, MPS);
	lab_expect_batch(lab, 1, MPS);
	/* Cancelled between the data and the empty packet: only that is sent again. */
	coalesce_recall(&lab->co);
	lab_end(lab, lab->cancelled[0], -ECANCELED, 0);
	lab_end(lab, first, -ECANCELED, MPS);
	assert_int_equal(lab->n_done, 0);
	lab_end(lab, lab_expect_batch(lab, 1, 0), 0, 0);
	lab_expect_done(&lab->requests[0], 0, MPS);
	lab_expect_batch(lab, 1, MPS);
}

/* --- ISSUE --- */

/* The first goes at once; what comes meanwhile gathers, unless it is much or cannot grow. */
static void test_out_depth(void **state)
{
	struct lab *lab = lab_init(false);
	struct coalesce_batch *first;

	lab_queue(lab, 1, MPS, false);
	first = lab_expect_batch(lab, 1, MPS);
	lab_queue(lab, 31, MPS, false);
	lab_expect_none(lab, LAB_NEVER);
	lab_queue(lab, 1, MPS, false);
	lab_expect_batch(lab, 32, COALESCE_PIPELINE_BYTES);
	lab_queue(lab, 1, 5, false);
	lab_expect_batch(lab, 1, 5);
	lab_end(lab, first, 0, MPS);
	assert_int_equal(lab->co.n_batches, 2);
}

/* A full ring lets a second one go only where that is worth it. */
static void test_out_ring_full(void **state)
{
	struct lab *lab = lab_init(false);
	struct coalesce_batch *first, *second;

	lab_queue(lab, 1, 64, false);
	lab->co.config.max_packet = 64;
	first = lab_expect_batch(lab, 1, 64);
	lab_queue(lab, 15, 64, false);
	lab->full = true;
	second = lab_expect_batch(lab, 15, 15 * 64);
	lab_end(lab, first, 0, 64);
	lab_queue(lab, 1, 64, false);
	lab_expect_none(lab, 1000 + COALESCE_PATIENCE_OUT_NS); /* soon there will be 16 */
	lab->now_ns += 2000000;
	lab_end(lab, second, 0, 15 * 64);
	lab->full = false;
	lab_expect_none(lab, lab->now_ns + COALESCE_REFILL_MAX_NS);
	lab_queue(lab, 15, 64, false);
	lab->full = true;
	lab_expect_batch(lab, 16, 16 * 64);
}

/* Behind a merged batch the guest's refill is waited for. */
static void test_out_refill(void **state)
{
	struct lab *lab = lab_init(false);
	struct coalesce_batch *batch;

	lab_queue(lab, 8, 64, false);
	lab->co.config.max_packet = 64;
	batch = lab_expect_batch(lab, 8, 8 * 64);
	lab_expect_none(lab, 1000 + COALESCE_PATIENCE_OUT_NS);
	lab_queue(lab, 1, 64, false);
	lab->now_ns += 800000;
	lab_end(lab, batch, 0, 8 * 64);
	assert_int_equal(lab->co.refill, 9);
	lab_expect_none(lab, 801000 + 100000); /* an eighth of what it took */
	lab_queue(lab, 7, 64, false);
	lab_expect_none(lab, 901000);
	lab_queue(lab, 1, 64, false);
	batch = lab_expect_batch(lab, 9, 9 * 64);
	/* It does not come: what is there goes. */
	lab_queue(lab, 2, 64, false);
	lab_end(lab, batch, 0, 9 * 64);
	lab_expect_none(lab, lab->now_ns + COALESCE_GATHER_NS);
	lab->now_ns += COALESCE_GATHER_NS;
	batch = lab_expect_batch(lab, 2, 128);
	lab_end(lab, batch, 0, 128);
	/* Even one request by itself waits once, but the next one does not. */
	lab->now_ns += 1000000000;
	lab_queue(lab, 1, 64, false);
	lab_expect_none(lab, lab->now_ns + COALESCE_REFILL_MAX_NS);
	lab->now_ns += COALESCE_REFILL_MAX_NS;
	lab_end(lab, lab_expect_batch(lab, 1, 64), 0, 64);
	lab_queue(lab, 1, 64, false);
	lab_expect_batch(lab, 1, 64);
}

static void test_depth(void **state)
{
	struct lab *lab = lab_init(true);
	struct coalesce_batch *first;

	lab->co.config.depth = 2;
	lab_queue(lab, 3, 64, false);
	first = lab_expect_batch(lab, 1, 64);
	lab_expect_batch(lab, 1, 64);
	lab_expect_none(lab, LAB_NEVER);
	lab_end(lab, first, 0, 1);
	lab_expect_batch(lab, 1, 64);
	lab = lab_init(true);
	lab_queue(lab, 17, 64, false);
	for (unsigned int i = 0; i < COALESCE_BATCHES; i++)
		lab_expect_batch(lab, 1, 64);
	lab_expect_none(lab, LAB_NEVER);
}

/* Merged messages: three batches in flight. Messages that are never merged: all of them. */
static void test_messages_depth(void **state)
{
	struct lab *lab = lab_init(true);

	lab_streak(lab, MPS);
	for (unsigned int i = 0; i < COALESCE_MERGED_DEPTH; i++) {
		lab_queue(lab, 2, MPS, false);
		lab_expect_batch(lab, 2, 2 * MPS);
	}
	lab_queue(lab, 4, MPS, false);
	lab_expect_none(lab, 1000 + COALESCE_PATIENCE_IN_NS);
	lab = lab_init(true);
	lab_streak(lab, MPS + 1);
	lab_queue(lab, 6, MPS + 1, false);
	for (unsigned int i = 0; i < 6; i++)
		lab_expect_batch(lab, 1, MPS + 1);
}

/* --- GATHER --- */

static void test_gather(void **state)
{
	struct lab *lab = lab_init(true);

	lab_queue(lab, 1, 4096, true);
	lab_expect_none(lab, 1000 + COALESCE_GATHER_NS);
	lab->now_ns += 20000;
	lab_queue(lab, 2, 4096, true);
	lab_expect_none(lab, 1000 + COALESCE_GATHER_NS); /* from the first one on */
	lab->now_ns = 1000 + COALESCE_GATHER_NS;
	lab_end(lab, lab_expect_batch(lab, 3, 12 * KIB), 0, 12 * KIB);
	/* A closed chain and a full ring do not wait. */
	lab_queue(lab, 1, 4096, true);
	lab_queue(lab, 1, 13, false);
	lab_end(lab, lab_expect_batch(lab, 2, 4096 + 13), 0, 4096 + 13);
	lab_queue(lab, 1, 4096, true);
	lab->full = true;
	lab_expect_batch(lab, 1, 4096);
}

/* A deadline does not outlive the requests that it was for. */
static void test_gather_forgotten(void **state)
{
	struct lab *lab = lab_init(true);
	struct lab_request *request = lab_queue(lab, 1, 4096, true);

	lab_expect_none(lab, 1000 + COALESCE_GATHER_NS);
	coalesce_unlink(&lab->co, &request->co);
	lab->now_ns += 1000000;
	lab_queue(lab, 1, 4096, true);
	lab_expect_none(lab, lab->now_ns + COALESCE_GATHER_NS);
}

static void test_expect(void **state)
{
	struct lab *lab = lab_init(true);

	coalesce_expect(&lab->co, 12 * KIB);
	lab_queue(lab, 2, 4096, true);
	lab_expect_none(lab, 1000 + COALESCE_EXPECT_NS);
	lab_queue(lab, 1, 4096, true);
	lab_end(lab, lab_expect_batch(lab, 3, 12 * KIB), 0, 12 * KIB); /* all of it: at once */
	assert_int_equal(lab->co.expect, 0);
	coalesce_expect(&lab->co, 12 * KIB);
	lab_queue(lab, 1, 4096, true);
	lab_expect_none(lab, 1000 + COALESCE_EXPECT_NS);
	lab->now_ns += COALESCE_EXPECT_NS;
	lab_expect_batch(lab, 1, 4096);
	assert_int_equal(lab->co.expect, 8 * KIB);
	lab = lab_init(false);
	coalesce_expect(&lab->co, 8 * KIB);
	lab_queue(lab, 1, 4096, false);
	lab_expect_none(lab, 1000 + COALESCE_EXPECT_NS);
	lab_queue(lab, 1, 4096, false);
	lab_expect_batch(lab, 2, 8 * KIB);
	lab = lab_init(true);
	coalesce_expect(&lab->co, 8 * KIB);
	lab_queue(lab, 1, 13, false); /* a message does not wait for data */
	lab_expect_batch(lab, 1, 13);
}

/* --- taking back, quiet, patience --- */

static void test_unissue(void **state)
{
	struct lab *lab = lab_init(true);
	struct coalesce_batch *batch;

	coalesce_expect(&lab->co, 12 * KIB);
	lab_queue(lab, 3, 4096, true);
	batch = lab_expect_batch(lab, 3, 12 * KIB);
	coalesce_unissue(&lab->co, batch);
	assert_int_equal(lab->co.counters.batches, 0);
	assert_int_equal(lab->co.counters.merged, 0);
	assert_int_equal(lab->co.state, COALESCE_STATE_WAIT);
	assert_int_equal(lab->co.expect, 12 * KIB);
	lab->co.config.max_batch = 8 * KIB; /* the host had no memory */
	lab_end(lab, lab_expect_batch(lab, 2, 8 * KIB), 0, 8 * KIB);
	lab_expect_batch(lab, 1, 4096);
	assert_int_equal(lab->co.counters.batches, 2);
}

/* Taken back while it was waited for: it does not wait again. */
static void test_unissue_gathered(void **state)
{
	struct lab *lab = lab_init(true);
	struct coalesce_batch *batch;

	lab_queue(lab, 1, 4096, true);
	lab_expect_none(lab, 1000 + COALESCE_GATHER_NS);
	lab->now_ns += COALESCE_GATHER_NS;
	batch = lab_expect_batch(lab, 1, 4096);
	coalesce_unissue(&lab->co, batch);
	lab->now_ns += 100;
	lab_expect_batch(lab, 1, 4096);
}

static void test_blocked(void **state)
{
	struct lab *lab = lab_init(false);

	lab_queue(lab, 1, MPS, false);
	lab->co.blocked = true;
	lab_expect_none(lab, LAB_NEVER);
	lab->co.blocked = false;
	lab_expect_batch(lab, 1, MPS);
}

/* The device may wait for what the guest does after the first message. */
static void test_patience_in(void **state)
{
	struct lab *lab = lab_init(true);
	struct coalesce_batch *batch;

	lab_streak(lab, MPS);
	lab_queue(lab, 4, MPS, false);
	batch = lab_expect_batch(lab, 4, 4 * MPS);
	lab_expect_none(lab, 1000 + COALESCE_PATIENCE_IN_NS);
	lab->now_ns += COALESCE_PATIENCE_IN_NS - 1;
	lab_expect_none(lab, lab->now_ns + 1);
	lab->now_ns++;
	lab_expect_none(lab, LAB_NEVER);
	assert_int_equal(lab->n_cancelled, 1);
	lab_end(lab, batch, -ECANCELED, 2 * MPS);
	lab_expect_done(&lab->requests[0], 0, MPS);
	lab_expect_done(&lab->requests[1], 0, MPS);
	lab_expect_bytes(&lab->requests[1], 0, MPS, MPS);
	assert_int_equal(lab->n_done, 2);
	lab_expect_batch(lab, 1, MPS); /* one by one, until there is a streak again */
	lab_expect_batch(lab, 1, MPS);
}

static void test_patience_out(void **state)
{
	struct lab *lab = lab_init(false);
	struct coalesce_batch *batch;

	lab_queue(lab, 4, MPS, false);
	batch = lab_expect_batch(lab, 4, 4 * MPS);
	lab_expect_none(lab, 1000 + COALESCE_PATIENCE_OUT_NS);
	lab->now_ns += COALESCE_PATIENCE_OUT_NS;
	lab_expect_none(lab, LAB_NEVER);
	lab_end(lab, batch, -ECANCELED, MPS);
	lab_expect_done(&lab->requests[0], 0, MPS);
	lab_expect_batch(lab, 3, 3 * MPS);
	assert_int_equal(lab->buffers[1][0], 2);
}

/* A chain, announced data and a single request wait as long as it takes. */
static void test_patience_runs(void **state)
{
	struct lab *lab = lab_init(true);

	lab->full = true;
	lab_queue(lab, 2, 4096, true);
	lab_expect_batch(lab, 2, 8 * KIB);
	lab->now_ns += 10 * COALESCE_PATIENCE_OUT_NS;
	lab_expect_none(lab, LAB_NEVER);
	lab = lab_init(false);
	coalesce_expect(&lab->co, 8 * KIB);
	lab_queue(lab, 2, 4096, false);
	lab_expect_batch(lab, 2, 8 * KIB);
	lab->now_ns += 10 * COALESCE_PATIENCE_OUT_NS;
	lab_expect_none(lab, LAB_NEVER);
	lab = lab_init(false);
	lab_queue(lab, 1, 4096, false);
	lab_expect_batch(lab, 1, 4096);
	lab->now_ns += 10 * COALESCE_PATIENCE_OUT_NS;
	lab_expect_none(lab, LAB_NEVER);
	assert_int_equal(lab->n_cancelled, 0);
}

/* Time counts from when nothing older is in flight. */
static void test_patience_oldest(void **state)
{
	struct lab *lab = lab_init(false);
	struct coalesce_batch *first;

	lab_queue(lab, 1, 5, false);
	lab_queue(lab, 2, 16 * KIB, false);
	first = lab_expect_batch(lab, 1, 5);
	lab_expect_batch(lab, 2, 32 * KIB);
	lab->now_ns += 2 * COALESCE_PATIENCE_OUT_NS;
	lab_expect_none(lab, LAB_NEVER);
	lab_end(lab, first, 0, 5);
	lab_expect_none(lab, lab->now_ns + COALESCE_PATIENCE_OUT_NS);
	assert_int_equal(lab->n_cancelled, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_out_merges),
		cmocka_unit_test(test_out_short_packet),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_fence),
		cmocka_unit_test(test_cap),
		cmocka_unit_test(test_chain),
		cmocka_unit_test(test_chain_closes),
		cmocka_unit_test(test_message_then_chain),
		cmocka_unit_test(test_chain_cut),
		cmocka_unit_test(test_chain_cut_announced),
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_streak),
		cmocka_unit_test(test_merge_off),
		cmocka_unit_test(test_zero_packet),
		cmocka_unit_test(test_out_depth),
		cmocka_unit_test(test_out_ring_full),
		cmocka_unit_test(test_out_refill),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_messages_depth),
		cmocka_unit_test(test_gather),
		cmocka_unit_test(test_gather_forgotten),
		cmocka_unit_test(test_expect),
		cmocka_unit_test(test_unissue),
		cmocka_unit_test(test_unissue_gathered),
		cmocka_unit_test(test_blocked),
		cmocka_unit_test(test_patience_in),
		cmocka_unit_test(test_patience_out),
		cmocka_unit_test(test_patience_runs),
		cmocka_unit_test(test_patience_oldest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
