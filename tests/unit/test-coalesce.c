/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-coalesce.c - what the ends of transfers mean for requests; states. */
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

/* --- replay --- */

static void test_full(void **state)
{
	struct lab *lab = lab_init(true);

	lab_end(lab, chain(lab, 4, 4096), 0, 16 * KIB);
	for (unsigned int i = 0; i < 4; i++) {
		lab_expect_done(&lab->requests[i], 0, 4096);
		lab_expect_bytes(&lab->requests[i], 0, i * 4096, 4096);
		assert_int_equal(lab->requests[i].order, i + 1);
	}
	assert_int_equal(lab->co.state, COALESCE_STATE_IDLE);
	assert_int_equal(lab->n_retired, 1);
	assert_null(lab->co.queue);
}

/* A short end: the rest was not begun, and is held, until the guest has had its chance. */
static void test_chain_short(void **state)
{
	struct lab *lab = lab_init(true);

	lab_end(lab, chain(lab, 4, 4096), 0, 4096 + 100);
	lab_expect_done(&lab->requests[0], 0, 4096);
	lab_expect_done(&lab->requests[1], 0, 100);
	lab_expect_bytes(&lab->requests[1], 0, 4096, 100);
	assert_int_equal(lab->n_done, 2);
	assert_int_equal(lab->co.state, COALESCE_STATE_FAILURE);
	lab->full = true;
	lab_expect_none(lab, LAB_NEVER);
	coalesce_unlink(&lab->co, &lab->requests[2].co);
	lab_expect_done(&lab->requests[2], -ECONNRESET, 0);
	coalesce_release(&lab->co);
	lab_expect_batch(lab, 1, 4096);
	assert_ptr_equal(lab->co.queue, &lab->requests[3].co);
}

/* Ends with the last packet of a request that was full: an empty packet, the next one's. */
static void test_chain_zero_length_packet(void **state)
{
	struct lab *lab = lab_init(true);

	lab_end(lab, chain(lab, 3, 4096), 0, 4096);
	lab_expect_done(&lab->requests[0], 0, 4096);
	lab_expect_done(&lab->requests[1], 0, 0);
	assert_int_equal(lab->n_done, 2);
	assert_true(lab->co.held);
}

/* A short packet that fills its request exactly is that one's end, no failure of the next. */
static void test_chain_short_on_border(void **state)
{
	struct lab *lab = lab_init(true);

	lab_queue(lab, 1, 13, true);
	lab->full = true;
	lab_queue(lab, 2, 4096, true);
	lab_end(lab, lab_expect_batch(lab, 3, 13 + 8 * KIB), 0, 13);
	lab_expect_done(&lab->requests[0], 0, 13);
	assert_int_equal(lab->n_done, 1);
	assert_false(lab->co.held);
	lab_expect_batch(lab, 2, 8 * KIB);
}

static void test_chain_nothing(void **state)
{
	struct lab *lab = lab_init(true);

	lab_end(lab, chain(lab, 2, 4096), 0, 0);
	lab_expect_done(&lab->requests[0], 0, 0);
	assert_int_equal(lab->n_done, 1);
	assert_true(lab->co.held);
}

/* Short in the request that closes the chain: a message, so nothing is held. */
static void test_chain_last_short(void **state)
{
	struct lab *lab = lab_init(true);

	lab_queue(lab, 1, 4096, true);
	lab_queue(lab, 1, 4096, false);
	lab_queue(lab, 1, 4096, false);
	lab_end(lab, lab_expect_batch(lab, 2, 8 * KIB), 0, 4096 + 13);
	lab_expect_done(&lab->requests[1], 0, 13);
	assert_false(lab->co.held);
	lab_expect_batch(lab, 1, 4096);
}

/* The order of OUT failures: what lies below is through, one fails, the rest waits. */
static void test_out_stall(void **state)
{
	struct lab *lab = lab_init(false);

	lab_queue(lab, 4, 1024, false);
	lab_end(lab, lab_expect_batch(lab, 4, 4096), -EPIPE, 1024 + 512);
	lab_expect_done(&lab->requests[0], 0, 1024);
	lab_expect_done(&lab->requests[1], -EPIPE, 512);
	assert_int_equal(lab->n_done, 2);
	assert_int_equal(lab->co.state, COALESCE_STATE_FAILURE);
	lab_expect_none(lab, LAB_NEVER);
	coalesce_release(&lab->co);
	lab_expect_batch(lab, 2, 2048);
	assert_int_equal(lab->buffers[1][0], 3);
}

static void test_failure_on_border(void **state)
{
	struct lab *lab = lab_init(false);

	lab_queue(lab, 3, 1024, false);
	lab_end(lab, lab_expect_batch(lab, 3, 3072), -EPROTO, 1024);
	lab_expect_done(&lab->requests[0], 0, 1024);
	lab_expect_done(&lab->requests[1], -EPROTO, 0);
	assert_int_equal(lab->n_done, 2);
}

/* A failure behind the last byte belongs to the last request. */
static void test_failure_at_last_byte(void **state)
{
	struct lab *lab = lab_init(false);

	lab_queue(lab, 3, 1024, false);
	lab_end(lab, lab_expect_batch(lab, 3, 3072), -EPROTO, 3072);
	lab_expect_done(&lab->requests[1], 0, 1024);
	lab_expect_done(&lab->requests[2], -EPROTO, 1024);
	assert_true(lab->co.held);
	lab = lab_init(true);
	lab_end(lab, chain(lab, 2, 4096), -EOVERFLOW, 8 * KIB);
	lab_expect_done(&lab->requests[0], 0, 4096);
	lab_expect_done(&lab->requests[1], -EOVERFLOW, 4096);
	lab_expect_bytes(&lab->requests[1], 0, 4096, 4096);
}

static void test_empty_fails(void **state)
{
	struct lab *lab = lab_init(false);

	lab_queue(lab, 1, 0, false);
	lab_end(lab, lab_expect_batch(lab, 1, 0), -EPIPE, 0);
	lab_expect_done(&lab->requests[0], -EPIPE, 0);
	assert_true(lab->co.held);
}

/* The host says more than there was: no more than that is believed. */
static void test_host_exaggerates(void **state)
{
	struct lab *lab = lab_init(true);

	lab_queue(lab, 1, 100, false);
	coalesce_complete(&lab->co, lab_expect_batch(lab, 1, 100), 0, UINT32_MAX);
	lab_expect_done(&lab->requests[0], 0, 100);
}

/* A host that cancels by itself has failed. */
static void test_host_cancels(void **state)
{
	struct lab *lab = lab_init(false);

	lab_queue(lab, 2, 1024, false);
	lab_end(lab, lab_expect_batch(lab, 2, 2048), -ECANCELED, 2048);
	lab_expect_done(&lab->requests[0], 0, 1024);
	lab_expect_done(&lab->requests[1], -EPROTO, 1024);
	assert_true(lab->co.held);
}

/* --- failures with more in flight --- */

static void test_echo(void **state)
{
	struct lab *lab = lab_init(false);
	struct coalesce_batch *first, *second;

	lab_queue(lab, 2, 16 * KIB, false);
	first = lab_expect_batch(lab, 2, 32 * KIB);
	lab_queue(lab, 2, 16 * KIB, false);
	second = lab_expect_batch(lab, 2, 32 * KIB);
	lab_end(lab, first, -EPIPE, 0);
	lab_expect_done(&lab->requests[0], -EPIPE, 0);
	assert_ptr_equal(lab->cancelled[0], second);
	lab_expect_none(lab, LAB_NEVER);
	lab_end(lab, second, -EPIPE, 0); /* the same halt: nobody is told */
	assert_int_equal(lab->n_done, 1);
	coalesce_release(&lab->co);
	lab_expect_batch(lab, 3, 48 * KIB);
	assert_int_equal(lab->buffers[2][0], 2);
}

/* Nothing goes behind what was in flight when it failed, though it has ended already. */
static void test_echo_blocks(void **state)
{
	struct lab *lab = lab_init(false);
	struct coalesce_batch *first, *second, *third;

	lab_queue(lab, 3, 16 * KIB + 1, false);
	first = lab_expect_batch(lab, 1, 16 * KIB + 1);
	second = lab_expect_batch(lab, 1, 16 * KIB + 1);
	third = lab_expect_batch(lab, 1, 16 * KIB + 1);
	lab_end(lab, third, 0, 16 * KIB + 1);
	lab_end(lab, first, -EPROTO, 0);
	coalesce_release(&lab->co);
	lab_queue(lab, 1, 5, false);
	lab_expect_none(lab, LAB_NEVER);
	lab_end(lab, second, 0, 16 * KIB + 1);
	lab_expect_done(&lab->requests[1], 0, 16 * KIB + 1);
	lab_expect_done(&lab->requests[2], 0, 16 * KIB + 1);
	lab_expect_batch(lab, 1, 5);
}

/* The host went on behind a failure: what it left out cannot go in order any more. */
static void test_overtaken(void **state)
{
	struct lab *lab = lab_init(false);
	struct coalesce_batch *first, *second;

	lab_queue(lab, 4, 8 * KIB, false);
	first = lab_expect_batch(lab, 4, 32 * KIB);
	lab_queue(lab, 2, 8 * KIB, false);
	second = lab_expect_batch(lab, 2, 16 * KIB);
	lab_end(lab, first, -EPROTO, 8 * KIB);
	lab_expect_done(&lab->requests[1], -EPROTO, 0);
	assert_int_equal(lab->n_done, 2);
	coalesce_unlink(&lab->co, &lab->requests[3].co);
	lab_end(lab, second, 0, 16 * KIB);
	lab_expect_done(&lab->requests[2], -EPROTO, 0);
	lab_expect_done(&lab->requests[3], -ECONNRESET, 0);
	lab_expect_done(&lab->requests[4], 0, 8 * KIB);
	lab_expect_done(&lab->requests[5], 0, 8 * KIB);
	assert_int_equal(lab->requests[2].order, 4);
	assert_true(lab->co.held);
}

/* IN bytes that came behind a failure are the next requests' in line. */
static void test_in_behind_failure(void **state)
{
	struct lab *lab = lab_init(true);
	struct coalesce_batch *first, *second;

	lab_queue(lab, 2, 1024, false);
	first = lab_expect_batch(lab, 1, 1024);
	second = lab_expect_batch(lab, 1, 1024);
	lab_end(lab, first, -EPROTO, 512);
	lab_end(lab, second, 0, 700);
	lab_expect_done(&lab->requests[0], -EPROTO, 512);
	lab_expect_done(&lab->requests[1], 0, 700);
	lab_expect_bytes(&lab->requests[1], 0, 0, 700);
	assert_true(lab->co.held);
}

/* --- merged messages --- */

/* A short packet moves what is behind it up: bytes of the next batch are for the next requests. */
static void test_messages_move_up(void **state)
{
	struct lab *lab = lab_init(true);
	struct coalesce_batch *first, *second;

	lab_streak(lab, 1024);
	lab_queue(lab, 3, 1024, false);
	first = lab_expect_batch(lab, 3, 3072);
	lab_queue(lab, 3, 1024, false);
	second = lab_expect_batch(lab, 3, 3072);
	lab_end(lab, first, 0, 1024 + 5);
	lab_expect_done(&lab->requests[0], 0, 1024);
	lab_expect_done(&lab->requests[1], 0, 5);
	lab_end(lab, second, 0, 3072);
	for (unsigned int i = 0; i < 3; i++) {
		lab_expect_done(&lab->requests[2 + i], 0, 1024);
		lab_expect_bytes(&lab->requests[2 + i], 0, i * 1024, 1024);
	}
	assert_int_equal(lab->n_done, 5);
	lab_expect_batch(lab, 1, 1024);
	assert_false(lab->co.held);
}

/* Unlinked, and then its place in a batch went to another: it ends, and is not issued again. */
static void test_messages_unlinked_moves(void **state)
{
	struct lab *lab = lab_init(true);
	struct coalesce_batch *first, *second;

	lab_streak(lab, 1024);
	lab_queue(lab, 3, 1024, false);
	first = lab_expect_batch(lab, 3, 3072);
	lab_queue(lab, 3, 1024, false);
	second = lab_expect_batch(lab, 3, 3072);
	coalesce_unlink(&lab->co, &lab->requests[5].co);
	assert_ptr_equal(lab->cancelled[0], second);
	assert_int_equal(lab->n_cancelled, 1);
	lab_end(lab, first, 0, 1024 + 5);
	lab_expect_done(&lab->requests[5], -ECONNRESET, 0);
	lab_end(lab, second, -ECANCELED, 512);
	assert_int_equal(lab->n_done, 3);
	assert_int_equal(lab->requests[2].co.actual, 512);
	lab_end(lab, lab_expect_batch(lab, 1, 512), 0, 512);
	lab_expect_done(&lab->requests[2], 0, 1024);
}

/* --- ends out of order --- */

static void test_out_of_order(void **state)
{
	struct lab *lab = lab_init(true);
	struct coalesce_batch *batches[3];

	lab_queue(lab, 3, 64, false);
	for (unsigned int i = 0; i < 3; i++)
		batches[i] = lab_expect_batch(lab, 1, 64);
	lab_end(lab, batches[2], 0, 3);
	lab_end(lab, batches[1], 0, 2);
	assert_int_equal(lab->n_done, 0);
	lab_end(lab, batches[0], 0, 1);
	for (unsigned int i = 0; i < 3; i++) {
		lab_expect_done(&lab->requests[i], 0, i + 1);
		assert_int_equal(lab->requests[i].order, i + 1);
	}
}

/* A failure that the host told of early waits for its turn; nothing new goes behind it. */
static void test_early_failure(void **state)
{
	struct lab *lab = lab_init(true);
	struct coalesce_batch *first;

	lab_queue(lab, 2, 64, false);
	first = lab_expect_batch(lab, 1, 64);
	lab_end(lab, lab_expect_batch(lab, 1, 64), -EINVAL, 0);
	lab_queue(lab, 1, 64, false);
	lab_expect_none(lab, LAB_NEVER);
	assert_int_equal(lab->n_done, 0);
	lab_end(lab, first, 0, 5);
	lab_expect_done(&lab->requests[0], 0, 5);
	lab_expect_done(&lab->requests[1], -EINVAL, 0);
	assert_true(lab->co.held);
}

/* The guest need not wait for it. */
static void test_unlink_early_failure(void **state)
{
	struct lab *lab = lab_init(true);

	lab_queue(lab, 2, 64, false);
	lab_expect_batch(lab, 1, 64);
	lab_end(lab, lab_expect_batch(lab, 1, 64), -EINVAL, 0);
	coalesce_unlink(&lab->co, &lab->requests[1].co);
	lab_expect_done(&lab->requests[1], -ECONNRESET, 0);
	assert_int_equal(lab->n_retired, 1);
	assert_int_equal(lab->co.n_batches, 1);
	assert_false(lab->co.held);
}

/* --- states --- */

static void test_states(void **state)
{
	static const char *const names[] = {"IDLE", "WAIT", "DATA", "FAILURE"};
	struct lab *lab = lab_init(true);
	const uint64_t *to = lab->co.counters.to;
	struct coalesce_batch *batch;

	for (unsigned int i = 0; i < COALESCE_STATES; i++)
		assert_string_equal(coalesce_state_name(i), names[i]);
	assert_int_equal(lab->co.state, COALESCE_STATE_IDLE);
	lab_queue(lab, 2, 4096, true);
	assert_int_equal(lab->co.state, COALESCE_STATE_WAIT);
	lab->full = true;
	batch = lab_expect_batch(lab, 2, 8 * KIB);
	assert_int_equal(lab->co.state, COALESCE_STATE_DATA);
	lab_end(lab, batch, 0, 100);
	assert_int_equal(lab->co.state, COALESCE_STATE_FAILURE);
	coalesce_release(&lab->co);
	assert_int_equal(lab->co.state, COALESCE_STATE_WAIT);
	lab_end(lab, lab_expect_batch(lab, 1, 4096), 0, 4096);
	assert_int_equal(lab->co.state, COALESCE_STATE_IDLE);
	assert_int_equal(to[COALESCE_STATE_IDLE], 1);
	assert_int_equal(to[COALESCE_STATE_WAIT], 2);
	assert_int_equal(to[COALESCE_STATE_DATA], 2);
	assert_int_equal(to[COALESCE_STATE_FAILURE], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_chain_short),
		cmocka_unit_test(test_chain_zero_length_packet),
		cmocka_unit_test(test_chain_short_on_border),
		cmocka_unit_test(test_chain_nothing),
		cmocka_unit_test(test_chain_last_short),
		cmocka_unit_test(test_out_stall),
		cmocka_unit_test(test_failure_on_border),
		cmocka_unit_test(test_failure_at_last_byte),
		cmocka_unit_test(test_empty_fails),
		cmocka_unit_test(test_host_exaggerates),
		cmocka_unit_test(test_host_cancels),
		cmocka_unit_test(test_echo),
		cmocka_unit_test(test_echo_blocks),
		cmocka_unit_test(test_overtaken),
		cmocka_unit_test(test_in_behind_failure),
		cmocka_unit_test(test_messages_move_up),
		cmocka_unit_test(test_messages_unlinked_moves),
		cmocka_unit_test(test_out_of_order),
		cmocka_unit_test(test_early_failure),
		cmocka_unit_test(test_unlink_early_failure),
		cmocka_unit_test(test_states),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
