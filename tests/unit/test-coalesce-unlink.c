/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-coalesce-unlink.c - a guest that changes its mind: unlinks, flushes, recalls. */
#include <errno.h>
#include <string.h>

#include "coalesce-lab.h"
#include "util.h"

#define KIB 1024u

/* A chain of n requests in flight. */
static struct coalesce_batch *chain(struct lab *lab, unsigned int n, uint32_t length)
{
	struct coalesce_batch *batch;

	lab->full = true;
	lab_queue(lab, n, length, true);
	batch = lab_expect_batch(lab, n, n * length);
	lab->full = false;
	return batch;
}

/* --- unlink --- */

static void test_unlink_waiting(void **state)
{
	struct lab *lab = lab_init(true);

	lab_queue(lab, 2, 4096, true);
	coalesce_unlink(&lab->co, &lab->requests[0].co);
	lab_expect_done(&lab->requests[0], -ECONNRESET, 0);
	assert_int_equal(lab->n_cancelled, 0);
	coalesce_unlink(&lab->co, &lab->requests[1].co);
	assert_int_equal(lab->co.state, COALESCE_STATE_IDLE);
}

/* First, middle, last of a chain in flight; how far it had come. */
static void test_unlink_member(void **state)
{
	static const struct {
		unsigned int member;
		uint32_t actual;
		unsigned int n_done;
		uint32_t rest; /* bytes of the next batch */
	} cases[] = {
		{0, 0, 1, 3 * 4096},	      {1, 0, 1, 3 * 4096},
		{3, 0, 1, 3 * 4096},	      {0, 512, 1, 3 * 4096},
		{1, 4096 + 512, 2, 2 * 4096}, {1, 512, 1, 3 * 4096 - 512},
		{3, 512, 1, 3 * 4096 - 512},  {1, 2 * 4096 + 512, 2, 2 * 4096 - 512},
		{3, 3 * 4096, 4, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct lab *lab = lab_init(true);
		struct coalesce_batch *batch = chain(lab, 4, 4096);
		struct lab_request *request = &lab->requests[cases[i].member];
		uint32_t before = cases[i].member * 4096, actual = cases[i].actual;
		bool full = actual >= before + 4096;

		coalesce_unlink(&lab->co, &request->co);
		coalesce_unlink(&lab->co, &request->co); /* again: nothing */
		assert_int_equal(lab->n_cancelled, 1);
		assert_int_equal(lab->n_done, 0);
		lab_end(lab, batch, -ECANCELED, actual);
		lab_expect_done(request, full ? 0 : -ECONNRESET,
				full ? 4096 : actual - MIN(actual, before));
		assert_int_equal(lab->n_done, cases[i].n_done);
		assert_false(lab->co.held);
		if (cases[i].rest == 0)
			continue;
		lab->full = true;
		batch = lab_issue(lab);
		assert_int_equal(batch->length, cases[i].rest);
		lab_end(lab, batch, 0, batch->length);
		assert_int_equal(lab->n_done, 4);
		assert_int_equal(lab->co.counters.bytes, 3 * 4096 + request->co.actual);
	}
}

/* The bytes of one request from two transfers. */
static void test_unlink_bytes(void **state)
{
	struct lab *lab = lab_init(true);
	struct coalesce_batch *batch = chain(lab, 3, 4096);

	coalesce_unlink(&lab->co, &lab->requests[2].co);
	lab_end(lab, batch, -ECANCELED, 1024);
	lab->full = true;
	lab_end(lab, lab_expect_batch(lab, 2, 3072 + 4096), 0, 3072 + 4096);
	lab_expect_bytes(&lab->requests[0], 0, 0, 1024);
	lab_expect_bytes(&lab->requests[0], 1024, 0, 3072);
	lab_expect_bytes(&lab->requests[1], 0, 3072, 4096);
}

/* The cancel loses: what came is given out, to the unlinked one as well. */
static void test_unlink_too_late(void **state)
{
	struct lab *lab = lab_init(true);
	struct coalesce_batch *batch = chain(lab, 3, 4096);

	coalesce_unlink(&lab->co, &lab->requests[1].co);
	lab_end(lab, batch, 0, 12 * KIB);
	for (unsigned int i = 0; i < 3; i++)
		lab_expect_done(&lab->requests[i], 0, 4096);
	lab = lab_init(true);
	batch = chain(lab, 3, 4096);
	coalesce_unlink(&lab->co, &lab->requests[2].co);
	lab_end(lab, batch, 0, 100); /* short at the same moment */
	lab_expect_done(&lab->requests[0], 0, 100);
	lab_expect_done(&lab->requests[2], -ECONNRESET, 0);
	assert_int_equal(lab->n_done, 2);
	assert_true(lab->co.held);
}

/* Cancelled, but the last packet was short: the message had ended. */
static void test_cancel_meets_short(void **state)
{
	struct lab *lab = lab_init(true);
	struct coalesce_batch *batch;

	lab_queue(lab, 1, 4096, false);
	batch = lab_expect_batch(lab, 1, 4096);
	coalesce_recall(&lab->co);
	lab_end(lab, batch, -ECANCELED, 513);
	lab_expect_done(&lab->requests[0], 0, 513);
}

/* A silent device: a request behind others ends as soon as its cancel is through. */
static void test_unlink_behind(void **state)
{
	struct lab *lab = lab_init(true);
	struct coalesce_batch *batches[4];

	lab_queue(lab, 4, 64, false);
	for (unsigned int i = 0; i < 4; i++)
		batches[i] = lab_expect_batch(lab, 1, 64);
	coalesce_unlink(&lab->co, &lab->requests[1].co);
	assert_int_equal(lab->n_cancelled, 1); /* of it alone */
	lab_end(lab, batches[1], -ECANCELED, 0);
	lab_expect_done(&lab->requests[1], -ECONNRESET, 0);
	assert_int_equal(lab->n_retired, 1);
	coalesce_unlink(&lab->co, &lab->requests[3].co);
	lab_end(lab, batches[3], -ECANCELED, 0);
	lab_expect_done(&lab->requests[3], -ECONNRESET, 0);
	assert_int_equal(lab->co.n_batches, 3); /* with a hole */
	lab_queue(lab, 1, 64, false);
	lab_expect_batch(lab, 1, 64); /* the last place is free again */
	lab_end(lab, batches[0], 0, 7);
	lab_expect_done(&lab->requests[0], 0, 7);
	lab_end(lab, batches[2], 0, 8);
	lab_expect_done(&lab->requests[2], 0, 8);
	lab_expect_bytes(&lab->requests[2], 0, 0, 8);
	assert_int_equal(lab->n_retired, 4);
	assert_int_equal(lab->co.n_batches, 1);
}

/* Members of a batch that did not begin wait behind the older ones, in order. */
static void test_unlink_behind_merged(void **state)
{
	struct lab *lab = lab_init(false);
	struct coalesce_batch *first, *second;

	lab_queue(lab, 1, 5, false);
	first = lab_expect_batch(lab, 1, 5);
	lab_queue(lab, 2, 16 * KIB, false);
	second = lab_expect_batch(lab, 2, 32 * KIB);
	coalesce_unlink(&lab->co, &lab->requests[1].co);
	lab_end(lab, second, -ECANCELED, 0);
	lab_expect_done(&lab->requests[1], -ECONNRESET, 0);
	assert_int_equal(lab->n_done, 1);
	lab_expect_batch(lab, 1, 16 * KIB);
	lab_end(lab, first, 0, 5);
	assert_int_equal(lab->co.n_batches, 1);
}

/* Cancels go newest first, so that nothing behind begins. */
static void test_cancel_order(void **state)
{
	struct lab *lab = lab_init(false);
	struct coalesce_batch *batches[3];

	for (unsigned int i = 0; i < 3; i++) {
		lab_queue(lab, 2, 8 * KIB, false);
		batches[i] = lab_expect_batch(lab, 2, 16 * KIB);
	}
	coalesce_unlink(&lab->co, &lab->requests[3].co);
	assert_int_equal(lab->n_cancelled, 2);
	assert_ptr_equal(lab->cancelled[0], batches[2]);
	assert_ptr_equal(lab->cancelled[1], batches[1]);
	lab_queue(lab, 2, 8 * KIB, false);
	lab_expect_none(lab, 1000 + COALESCE_PATIENCE_OUT_NS);
	lab_end(lab, batches[2], -ECANCELED, 0);
	lab_end(lab, batches[0], 0, 16 * KIB);
	lab_end(lab, batches[1], -ECANCELED, 512);
	lab_expect_done(&lab->requests[3], -ECONNRESET, 0);
	batches[0] = lab_expect_batch(lab, 5, 40 * KIB - 512);
	assert_int_equal(lab->buffers[batches[0] - lab->co.batches][0], 3);
	assert_int_equal(lab->buffers[batches[0] - lab->co.batches][8 * KIB - 512], 5);
}

/* Merged batches that are cancelled again and again: merging does not pay. */
static void test_unlink_storm(void **state)
{
	struct lab *lab = lab_init(true);
	struct coalesce_batch *batch;

	for (unsigned int i = 0; i < COALESCE_CANCELS_MAX; i++) {
		assert_int_equal(lab->co.off, 0);
		lab->n = 0;
		batch = chain(lab, 3, 4096);
		for (unsigned int k = 0; k < 3; k++)
			coalesce_unlink(&lab->co, &lab->requests[k].co);
		lab_end(lab, batch, -ECANCELED, 0);
	}
	assert_int_equal(lab->co.off, COALESCE_OFF_REQUESTS);
	lab->n = 0;
	lab->co.config.max_packet = 1024;
	lab_queue(lab, 2, 4096, true);
	lab_queue(lab, 3, 3584, true);
	lab_end(lab, lab_expect_batch(lab, 1, 4096), 0, 4096); /* at once: nothing joins */
	lab_end(lab, lab_expect_batch(lab, 1, 4096), 0, 4096);
	lab_end(lab, lab_expect_batch(lab, 2, 2 * 3584), 0, 2 * 3584); /* it has to */
	coalesce_flush(&lab->co, -ENODEV);
	for (unsigned int i = 5; i < COALESCE_OFF_REQUESTS; i++) {
		lab->n = 0;
		lab_queue(lab, 1, 4096, true);
		coalesce_unlink(&lab->co, &lab->requests[0].co);
	}
	assert_int_equal(lab->co.off, 0);
	lab->n = 0;
	chain(lab, 3, 4096);
}

/* One that goes through in between is enough to go on. */
static void test_no_storm(void **state)
{
	struct lab *lab = lab_init(true);
	struct coalesce_batch *batch;

	for (unsigned int i = 0; i < 3 * COALESCE_CANCELS_MAX; i++) {
		lab->n = 0;
		batch = chain(lab, 2, 4096);
		if (i % COALESCE_CANCELS_MAX == 0) {
			lab_end(lab, batch, 0, 8 * KIB);
			continue;
		}
		coalesce_flush(&lab->co, -ENODEV);
		lab_end(lab, batch, -ECANCELED, 0);
	}
	assert_int_equal(lab->co.off, 0);
}

/* --- all at once --- */

static void test_flush(void **state)
{
	struct lab *lab = lab_init(true);
	struct coalesce_batch *batch = chain(lab, 2, 4096);

	coalesce_expect(&lab->co, 100 * KIB);
	lab_queue(lab, 2, 4096, true);
	coalesce_flush(&lab->co, -ENODEV);
	assert_int_equal(lab->co.expect, 0);
	lab_expect_done(&lab->requests[2], -ENODEV, 0);
	lab_expect_done(&lab->requests[3], -ENODEV, 0);
	assert_int_equal(lab->n_done, 2);
	lab_queue(lab, 1, 4096, true);
	lab_expect_none(lab, LAB_NEVER);
	lab_end(lab, batch, -ECANCELED, 4096 + 512);
	lab_expect_done(&lab->requests[0], 0, 4096);
	lab_expect_done(&lab->requests[1], -ENODEV, 512);
	lab->full = true;
	lab_expect_batch(lab, 1, 4096);
}

static void test_flush_held(void **state)
{
	struct lab *lab = lab_init(true);

	lab_end(lab, chain(lab, 2, 4096), 0, 5);
	coalesce_flush(&lab->co, -ENODEV);
	lab_expect_done(&lab->requests[1], -ENODEV, 0);
	assert_int_equal(lab->co.state, COALESCE_STATE_IDLE);
}

/* Quiet for a moment: nobody is told, all goes on. */
static void test_recall(void **state)
{
	struct lab *lab = lab_init(false);
	struct coalesce_batch *first, *second;

	lab_queue(lab, 2, 8 * KIB, false);
	first = lab_expect_batch(lab, 2, 16 * KIB);
	lab_queue(lab, 2, 8 * KIB, false);
	second = lab_expect_batch(lab, 2, 16 * KIB);
	lab->co.blocked = true;
	coalesce_recall(&lab->co);
	coalesce_recall(&lab->co);
	assert_int_equal(lab->n_cancelled, 2);
	assert_ptr_equal(lab->cancelled[0], second);
	lab_end(lab, second, -ECANCELED, 0);
	lab_end(lab, first, -ECANCELED, 9 * KIB);
	lab_expect_done(&lab->requests[0], 0, 8 * KIB);
	assert_int_equal(lab->n_done, 1);
	assert_int_equal(lab->co.state, COALESCE_STATE_WAIT);
	lab_expect_none(lab, LAB_NEVER);
	lab->co.blocked = false;
	lab_expect_batch(lab, 3, 23 * KIB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unlink_waiting),
		cmocka_unit_test(test_unlink_member),
		cmocka_unit_test(test_unlink_bytes),
		cmocka_unit_test(test_unlink_too_late),
		cmocka_unit_test(test_cancel_meets_short),
		cmocka_unit_test(test_unlink_behind),
		cmocka_unit_test(test_unlink_behind_merged),
		cmocka_unit_test(test_cancel_order),
		cmocka_unit_test(test_unlink_storm),
		cmocka_unit_test(test_no_storm),
		cmocka_unit_test(test_flush),
		cmocka_unit_test(test_flush_held),
		cmocka_unit_test(test_recall),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
