/* SPDX-License-Identifier: GPL-2.0-or-later */
/* coalesce-lab.c - see coalesce-lab.h. */
#include "coalesce-lab.h"

#include <string.h>

#include "util.h"

static struct lab the_lab;

static struct lab_request *request_of(struct coalesce_request *co)
{
	return container_of(co, struct lab_request, co);
}

static uint8_t *buffer_of(struct lab *lab, const struct coalesce_batch *batch)
{
	return lab->buffers[batch - lab->co.batches];
}

static void on_move(void *ctx, struct coalesce_batch *batch, uint32_t batch_offset,
		    struct coalesce_request *co, uint32_t offset, uint32_t length)
{
	struct lab *lab = ctx;
	uint8_t *buffer = buffer_of(lab, batch) + batch_offset;
	uint8_t *data = request_of(co)->data + offset;

	assert_true(length > 0);
	assert_in_range(batch_offset + length, 1, batch->length);
	assert_in_range(offset + length, 1, co->length);
	memcpy(lab->co.config.in ? data : buffer, lab->co.config.in ? buffer : data, length);
}

static void on_cancel(void *ctx, struct coalesce_batch *batch)
{
	struct lab *lab = ctx;

	assert_true(batch->cancelled && !batch->ended);
	assert_true(lab->n_cancelled < ARRAY_SIZE(lab->cancelled));
	lab->cancelled[lab->n_cancelled++] = batch;
}

static void on_retire(void *ctx, struct coalesce_batch *batch)
{
	struct lab *lab = ctx;

	assert_true(batch->ended);
	lab->n_retired++;
}

static void on_done(void *ctx, struct coalesce_request *co)
{
	struct lab *lab = ctx;
	struct lab_request *request = request_of(co);

	assert_null(co->batch);
	request->n_done++;
	request->order = ++lab->n_done;
}

static const struct coalesce_ops ops = {
	.move = on_move, .cancel = on_cancel, .retire = on_retire, .done = on_done};

struct lab *lab_init(bool in)
{
	const struct coalesce_config config = {.max_packet = MPS,
					       .max_batch = 64u << 10,
					       .in = in,
					       .merge = true,
					       .depth = COALESCE_BATCHES};
	struct lab *lab = &the_lab;

	memset(lab, 0, sizeof(*lab));
	coalesce_init(&lab->co, &config, &ops, lab);
	lab->now_ns = 1000;
	lab->limit = UINT32_MAX;
	return lab;
}

struct lab_request *lab_queue(struct lab *lab, unsigned int n, uint32_t length, bool short_not_ok)
{
	struct lab_request *first = &lab->requests[lab->n];

	for (unsigned int i = 0; i < n; i++) {
		struct lab_request *request = &lab->requests[lab->n++];

		assert_true(lab->n <= LAB_REQUESTS && length <= sizeof(request->data));
		memset(request, 0, sizeof(*request));
		if (!lab->co.config.in)
			memset(request->data, (int)lab->n, length);
		request->co.length = length;
		request->co.short_not_ok = short_not_ok;
		coalesce_queue(&lab->co, &request->co);
	}
	return first;
}

struct coalesce_batch *lab_issue(struct lab *lab)
{
	struct coalesce_batch *batch;

	lab->deadline_ns = LAB_NEVER;
	batch = coalesce_issue(&lab->co, lab->now_ns, lab->full, lab->limit, &lab->deadline_ns);
	if (batch && !lab->co.config.in)
		coalesce_gather(&lab->co, batch);
	return batch;
}

struct coalesce_batch *lab_expect_batch(struct lab *lab, unsigned int n, uint32_t length)
{
	struct coalesce_batch *batch = lab_issue(lab);

	assert_non_null(batch);
	assert_int_equal(batch->n_requests, n);
	assert_int_equal(batch->length, length);
	return batch;
}

void lab_expect_none(struct lab *lab, uint64_t deadline_ns)
{
	assert_null(lab_issue(lab));
	assert_int_equal(lab->deadline_ns, deadline_ns);
}

void lab_end(struct lab *lab, struct coalesce_batch *batch, int status, uint32_t actual)
{
	for (uint32_t i = 0; lab->co.config.in && i < actual; i++)
		buffer_of(lab, batch)[i] = (uint8_t)(1 + i % 251);
	coalesce_complete(&lab->co, batch, status, actual);
}

void lab_expect_done(const struct lab_request *request, int status, uint32_t actual)
{
	assert_int_equal(request->n_done, 1);
	assert_int_equal(request->co.status, status);
	assert_int_equal(request->co.actual, actual);
}

void lab_expect_bytes(const struct lab_request *request, uint32_t at, uint32_t offset, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(request->data[at + i], 1 + (offset + i) % 251);
}

void lab_streak(struct lab *lab, uint32_t length)
{
	for (unsigned int i = 0; i < COALESCE_STREAK; i++) {
		lab_queue(lab, 1, length, false);
		lab_end(lab, lab_expect_batch(lab, 1, length), 0, length);
	}
	lab->n = 0;
	lab->n_done = 0;
}
