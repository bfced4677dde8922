/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vusb_ahead.c - bulk IN endpoints with the quirk read-ahead: what a streaming device sends is
 * fetched before the guest asks.
 *
 * Theory of Operation
 * The first request starts it. While requests wait, as many chunks as the quirk's bytes allow are
 * in flight or full, in a ring; requests are served from the oldest. The device's message
 * boundaries stay: a chunk that came back short ends the request that takes its last byte, and
 * where that request was full anyway, with whole packets, the next one ends empty, as a zero-length
 * packet would end it. A failure ends the request whose turn it is. What nobody asks for any more
 * is dropped: when the guest unlinks its last request, and on every change of the device.
 *
 * Only for devices that the administrator names: a device that is asked for more than its driver
 * wants may answer what the driver then does not expect.
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

int vusb_ahead_init(struct vusb_pipe *pipe, uint32_t bytes)
{
	struct vusb_ahead *a = &pipe->ahead;
	uint32_t packet = pipe->endpoint->max_packet;

	memset(a, 0, sizeof(*a));
	a->chunk_bytes = MAX(bytes / VUSB_CHUNKS / packet * packet, packet);
	a->memory = aligned_alloc(4096,
				  DIV_ROUND_UP((size_t)a->chunk_bytes * VUSB_CHUNKS, 4096) * 4096);
	return a->memory ? 0 : -ENOMEM;
}

void vusb_ahead_fini(struct vusb_pipe *pipe)
{
	free(pipe->ahead.memory);
	pipe->ahead.memory = NULL;
}

/* --- serving --- */

static void finish_first(struct vusb_ahead *a, int status)
{
	struct coalesce_request *co = a->queue;
	uint32_t actual = co->actual;

	DL_DELETE(a->queue, co);
	vusb_finish(container_of(co, struct vusb_request, co), status, actual);
}

static void pop(struct vusb_ahead *a)
{
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
	co->actual += n;
	pipe->co.counters.bytes += n;
	whole = co->length % pipe->endpoint->max_packet == 0;
	if (co->actual == co->length && (chunk->used < chunk->actual || whole || !chunk->ends)) {
		finish_first(a, 0);
		if (chunk->used == chunk->actual && !chunk->ends)
			pop(a);
		return; /* an end that is left is the next request's: it comes out empty */
	}
	if (chunk->used < chunk->actual)
		return;
	if (chunk->ends)
		finish_first(a, chunk->status);
	pop(a);
}

static void serve(struct vusb_pipe *pipe)
{
	struct vusb_ahead *a = &pipe->ahead;

	while (a->queue && a->n && chunk_at(a, 0)->state == VUSB_CHUNK_FULL)
		deal(pipe, chunk_at(a, 0));
	vusb_copy_run(pipe->port->vusb); /* chunks are used again before the answer */
}

/* --- fetching --- */

static int fetch_chunk(struct vusb_pipe *pipe, unsigned int i)
{
	struct vusb_ahead *a = &pipe->ahead;
	unsigned int place = (a->head + i) % VUSB_CHUNKS;
	struct vusb_chunk *chunk = &a->chunks[place];
	struct vusb_flight *flight = &pipe->flights[place];
	int rc;

	memset(flight, 0, sizeof(*flight));
	*chunk = (struct vusb_chunk){.data = a->memory + (size_t)place * a->chunk_bytes};
	flight->pipe = pipe;
	flight->transfer.endpoint = pipe->endpoint->address;
	flight->transfer.type = pipe->endpoint->type;
	flight->transfer.data = chunk->data;
	flight->transfer.length = a->chunk_bytes;
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

void vusb_ahead_run(struct vusb_pipe *pipe)
{
	struct vusb_ahead *a = &pipe->ahead;
	int rc = 0;

	if (!a->dropping)
		serve(pipe);
	if (a->n == 0)
		a->paused = a->dropping = false;
	while (a->queue && !pipe->co.blocked && !a->paused && !a->dropping && rc == 0 &&
	       a->n < VUSB_CHUNKS)
		rc = fetch_chunk(pipe, a->n);
	while (rc < 0 && a->n == 0 && a->queue)
		finish_first(a, rc);
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
	chunk->ends = status == 0 && chunk->actual < a->chunk_bytes;
	if (status < 0 && status != -ECANCELED && !a->dropping) {
		chunk->ends = true;
		a->paused = true; /* until the guest has it */
		cancel_flying(pipe);
	}
	if (a->dropping && a->n_flying == 0)
		a->n = 0;
}

/* --- requests --- */

void vusb_ahead_drop(struct vusb_pipe *pipe)
{
	struct vusb_ahead *a = &pipe->ahead;

	if (a->n == 0)
		return;
	a->dropping = true;
	cancel_flying(pipe);
	if (a->n_flying == 0)
		a->n = 0;
}

void vusb_ahead_queue(struct vusb_pipe *pipe, struct vusb_request *request)
{
	request->co.actual = 0;
	pipe->co.counters.requests++;
	DL_APPEND(pipe->ahead.queue, &request->co);
}

void vusb_ahead_unlink(struct vusb_pipe *pipe, struct vusb_request *request)
{
	struct vusb_ahead *a = &pipe->ahead;

	DL_DELETE(a->queue, &request->co);
	vusb_finish(request, -ECONNRESET, request->co.actual);
	if (!a->queue)
		vusb_ahead_drop(pipe);
}

void vusb_ahead_flush(struct vusb_pipe *pipe, int status)
{
	while (pipe->ahead.queue)
		finish_first(&pipe->ahead, status);
	vusb_ahead_drop(pipe);
}
