/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vusb_ahead.c - bulk IN endpoints whose bytes are fetched before the guest asks.
 *
 * Theory of Operation
 * Chunks are in flight or full, in a ring; requests are served from the oldest. The device's
 * message boundaries stay: a chunk that came back short ends the request that takes its last byte,
 * and where that request was full anyway, with whole packets, the next one ends empty, as a
 * zero-length packet would end it. A failure ends the request whose turn it is. After it, and after
 * the short end of a SHORT_NOT_OK request, nothing is served until the guest has seen it and had
 * the chance to unlink the rest, as in coalesce.h.
 *
 * Streams (the quirk read-ahead): the first request starts it; while requests wait, as many chunks
 * as the quirk's bytes allow are in flight or full. What nobody asks for any more is dropped: when
 * the guest unlinks its last request, and on every change of the device. Only for devices that the
 * administrator names: a device that is asked for more than its driver wants may answer what the
 * driver then does not expect.
 *
 * Plans (storage, vusb_storage.c): what a command announced is fetched, once: so many bytes and the
 * status behind them. While the plan lasts the pipe is ours, before and after that the engine's,
 * which also gets the requests that the plan has nothing for. A plan outlives the unlinking of
 * requests (a driver unlinks what a short end made needless, then asks for the status); it ends
 * with a failure, with a change of the device, and when the guest sends something new.
 */
#include "vusb_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "util.h"

static struct vusb_chunk *chunk_at(struct vusb_ahead *a, unsigned int i)
{
	return &a->chunks[(a->head + i) % VUSB_CHUNKS];
}

int vusb_ahead_init(struct vusb_pipe *pipe, uint32_t bytes, bool plans)
{
	struct vusb_ahead *a = &pipe->ahead;
	uint32_t packet = pipe->endpoint->max_packet;

	memset(a, 0, sizeof(*a));
	a->chunk_bytes = MAX(bytes / VUSB_CHUNKS / packet * packet, packet);
	a->plans = plans;
	a->memory = aligned_alloc(4096,
				  DIV_ROUND_UP((size_t)a->chunk_bytes * VUSB_CHUNKS, 4096) * 4096);
	return a->memory ? 0 : -ENOMEM;
}

void vusb_ahead_fini(struct vusb_pipe *pipe)
{
	free(pipe->ahead.memory);
	pipe->ahead.memory = NULL;
}

static void set_state(struct vusb_pipe *pipe)
{
	enum coalesce_state state = COALESCE_STATE_IDLE;

	if (pipe->co.held)
		state = COALESCE_STATE_FAILURE;
	else if (pipe->ahead.n_flying)
		state = COALESCE_STATE_DATA;
	else if (pipe->ahead.queue)
		state = COALESCE_STATE_WAIT;
	if (state == pipe->co.state)
		return;
	pipe->co.state = state;
	pipe->co.counters.to[state]++;
}

/* --- serving --- */

static void finish_first(struct vusb_ahead *a, int status)
{
	struct coalesce_request *co = a->queue;
	uint32_t actual = co->actual;

	DL_DELETE(a->queue, co);
	vusb_finish(container_of(co, struct vusb_request, co), status, actual);
}

static void pop(struct vusb_pipe *pipe)
{
	struct vusb_ahead *a = &pipe->ahead;

	if (chunk_at(a, 0)->n_requests > 1) {
		pipe->co.counters.merged += chunk_at(a, 0)->n_requests;
		pipe->port->vusb->stats.merged_urbs += chunk_at(a, 0)->n_requests;
	}
	chunk_at(a, 0)->state = VUSB_CHUNK_FREE;
	a->head = (a->head + 1) % VUSB_CHUNKS;
	a->n--;
}

/* Bytes of the oldest chunk for the oldest request. */
static void deal(struct vusb_pipe *pipe, struct vusb_chunk *chunk)
{
	struct vusb_ahead *a = &pipe->ahead;
	struct coalesce_request *co = a->queue;
	uint32_t n = MIN(co->length - co->actual, chunk->actual - chunk->used);
	bool whole;

	if (n)
		vusb_copy(container_of(co, struct vusb_request, co), co->actual,
			  chunk->data + chunk->used, n, true);
	chunk->used += n;
	chunk->n_requests += n > 0;
	co->actual += n;
	pipe->co.counters.bytes += n;
	whole = co->length % pipe->endpoint->max_packet == 0;
	if (co->actual == co->length && (chunk->used < chunk->actual || whole || !chunk->ends)) {
		finish_first(a, 0);
		if (chunk->used == chunk->actual && !chunk->ends)
			pop(pipe);
		return; /* an end that is left is the next request's: it comes out empty */
	}
	if (chunk->used < chunk->actual)
		return;
	if (chunk->ends) {
		pipe->co.held = chunk->status < 0 || (co->short_not_ok && co->actual < co->length);
		finish_first(a, chunk->status);
		a->unasked = 0;
	}
	pop(pipe);
}

static void serve(struct vusb_pipe *pipe)
{
	struct vusb_ahead *a = &pipe->ahead;

	while (a->queue && !pipe->co.held && a->n && chunk_at(a, 0)->state == VUSB_CHUNK_FULL)
		deal(pipe, chunk_at(a, 0));
	vusb_copy_run(pipe->port->vusb); /* chunks are used again before the answer */
}

/* --- fetching --- */

static int fetch_chunk(struct vusb_pipe *pipe, uint32_t length)
{
	struct vusb_ahead *a = &pipe->ahead;
	unsigned int place = (a->head + a->n) % VUSB_CHUNKS;
	struct vusb_chunk *chunk = &a->chunks[place];
	struct vusb_flight *flight = &pipe->flights[place];
	int rc;

	memset(flight, 0, sizeof(*flight));
	*chunk = (struct vusb_chunk){.data = a->memory + (size_t)place * a->chunk_bytes};
	flight->pipe = pipe;
	flight->transfer.endpoint = pipe->endpoint->address;
	flight->transfer.type = pipe->endpoint->type;
	flight->transfer.data = chunk->data;
	flight->transfer.length = length;
	rc = vusb_submit(pipe->port, flight);
	if (rc < 0)
		return rc;
	chunk->state = VUSB_CHUNK_FLYING;
	pipe->co.counters.batches++;
	a->n++;
	a->n_flying++;
	return 0;
}

static void cancel_flying(struct vusb_pipe *pipe)
{
	struct usb_host *host = pipe->port->host;
	struct vusb_ahead *a = &pipe->ahead;

	for (unsigned int i = a->n; i > 0; i--)
		if (chunk_at(a, i - 1)->state == VUSB_CHUNK_FLYING)
			host->ops->cancel(host,
					  &pipe->flights[chunk_at(a, i - 1) - a->chunks].transfer);
}

static void run_stream(struct vusb_pipe *pipe)
{
	struct vusb_ahead *a = &pipe->ahead;
	int rc = 0;

	while (a->queue && !pipe->co.blocked && !a->paused && !a->dropping && rc == 0 &&
	       a->n < VUSB_CHUNKS)
		rc = fetch_chunk(pipe, a->chunk_bytes);
	while (rc < 0 && a->n == 0 && a->queue)
		finish_first(a, rc);
}

static void forget_plan(struct vusb_ahead *a)
{
	a->left = 0;
	a->status = false;
}

/* The plan is over; who still waits is the engine's. */
static void end_plan(struct vusb_pipe *pipe)
{
	struct vusb_ahead *a = &pipe->ahead;
	struct coalesce_request *co;

	a->active = false;
	a->unasked = 0;
	while ((co = a->queue) != NULL) {
		DL_DELETE(a->queue, co);
		pipe->co.counters.requests--; /* the engine counts it, too */
		coalesce_queue(&pipe->co, co);
	}
}

static int fetch_planned(struct vusb_pipe *pipe)
{
	struct vusb_ahead *a = &pipe->ahead;
	uint32_t length = (uint32_t)MIN(a->left, a->chunk_bytes);
	/* Of a status only the length of its packet is known: whole packets cannot overflow. */
	int rc = fetch_chunk(pipe, length ? length : pipe->endpoint->max_packet);

	if (rc < 0)
		return rc;
	if (length)
		a->left -= length;
	else
		a->status = false;
	return 0;
}

static void run_plan(struct vusb_pipe *pipe)
{
	struct vusb_ahead *a = &pipe->ahead;
	uint32_t packet = pipe->endpoint->max_packet;
	int rc = 0;

	if (a->dropping)
		return;
	/* A request that wants more than was planned has some of it already: it must have the rest.
	 */
	if (a->n == 0 && !a->left && !a->status && !pipe->co.held && a->queue && a->queue->actual)
		a->left = DIV_ROUND_UP(a->queue->length - a->queue->actual, packet) * packet;
	/* The status behind the data only: not every device expects to be asked for it before. */
	while ((a->left || (a->status && a->n_flying == 0)) && !pipe->co.blocked && rc == 0 &&
	       a->n < VUSB_CHUNKS)
		rc = fetch_planned(pipe);
	if (rc < 0 && a->n == 0) {
		if (a->queue && a->queue->actual)
			finish_first(a, rc);
		forget_plan(a);
	}
	if (a->n == 0 && !a->left && !a->status)
		end_plan(pipe);
}

void vusb_ahead_run(struct vusb_pipe *pipe)
{
	struct vusb_ahead *a = &pipe->ahead;

	if (!a->dropping)
		serve(pipe);
	if (a->n == 0)
		a->paused = a->dropping = false;
	if (a->plans)
		run_plan(pipe);
	else
		run_stream(pipe);
	set_state(pipe);
}

void vusb_ahead_ended(struct vusb_pipe *pipe, struct vusb_flight *flight)
{
	struct vusb_ahead *a = &pipe->ahead;
	struct vusb_chunk *chunk = &a->chunks[flight - pipe->flights];
	int status = flight->transfer.status;

	a->n_flying--;
	chunk->state = VUSB_CHUNK_FULL;
	chunk->actual = flight->transfer.actual;
	chunk->status = status;
	chunk->ends = status == 0 && chunk->actual < flight->transfer.length;
	if (chunk->ends) { /* what is in flight behind it, if anything, brings the status */
		a->left = 0;
		a->status = a->status && a->n_flying == 0;
	}
	if (status < 0 && status != -ECANCELED && !a->dropping) {
		chunk->ends = true;
		a->paused = true; /* until the guest has it */
		forget_plan(a);
		cancel_flying(pipe);
	}
	if (a->dropping && a->n_flying == 0)
		a->n = 0;
	set_state(pipe);
}

bool vusb_ahead_plan(struct vusb_pipe *pipe, uint32_t bytes)
{
	struct vusb_ahead *a = &pipe->ahead;

	if (!a->memory || !a->plans || a->active || pipe->co.queue || pipe->co.n_batches ||
	    pipe->co.held || pipe->co.blocked)
		return false;
	a->active = a->status = true;
	a->left = a->unasked = bytes;
	return true;
}

/* --- requests --- */

void vusb_ahead_drop(struct vusb_pipe *pipe)
{
	struct vusb_ahead *a = &pipe->ahead;

	forget_plan(a);
	if (a->n == 0)
		return;
	a->dropping = true;
	cancel_flying(pipe);
	if (a->n_flying == 0)
		a->n = 0;
}

void vusb_ahead_recall(struct vusb_pipe *pipe)
{
	if (!pipe->ahead.plans) {
		vusb_ahead_drop(pipe);
		return;
	}
	/* What came is the guest's still; the rest it fetches itself. */
	forget_plan(&pipe->ahead);
	cancel_flying(pipe);
}

void vusb_ahead_queue(struct vusb_pipe *pipe, struct vusb_request *request)
{
	request->co.actual = 0;
	pipe->ahead.unasked -= MIN(request->co.length, pipe->ahead.unasked);
	pipe->co.counters.requests++;
	DL_APPEND(pipe->ahead.queue, &request->co);
}

void vusb_ahead_unlink(struct vusb_pipe *pipe, struct vusb_request *request)
{
	struct vusb_ahead *a = &pipe->ahead;

	DL_DELETE(a->queue, &request->co);
	vusb_finish(request, -ECONNRESET, request->co.actual);
	if (!a->queue && !a->plans)
		vusb_ahead_drop(pipe);
}

void vusb_ahead_flush(struct vusb_pipe *pipe, int status)
{
	while (pipe->ahead.queue)
		finish_first(&pipe->ahead, status);
	vusb_ahead_drop(pipe);
}
