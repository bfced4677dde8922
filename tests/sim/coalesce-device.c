/* SPDX-License-Identifier: GPL-2.0-or-later */
/* coalesce-device.c - the device and its host controller, see coalesce-world.h. */
#include <errno.h>
#include <string.h>

#include "tests/sim/coalesce-world.h"
#include "util.h"

static struct w_item script_items[WORLD_ITEMS], log_items[WORLD_ITEMS];
static uint8_t stream[WORLD_BYTES], buffers[COALESCE_BATCHES][WORLD_BYTES],
	contents[WORLD_URBS][WORLD_LENGTH];

void world_memory(struct world *w)
{
	w->script.at = script_items;
	w->log.at = log_items;
	w->stream = stream;
	for (uint32_t i = 0; i < COALESCE_BATCHES; i++)
		w->xfers[i].buffer = buffers[i];
	for (uint32_t i = 0; i < WORLD_URBS; i++)
		w->urbs[i].data = contents[i];
}

/* --- device --- */

static struct w_item *append(struct world *w, struct w_items *items, const struct w_item *item)
{
	WANT(w, items->n < WORLD_ITEMS, "more than %u items", WORLD_ITEMS);
	if (items->n == WORLD_ITEMS)
		items->n = 0;
	items->at[items->n] = *item;
	return &items->at[items->n++];
}

/* A packet that the device sends: bytes of a counter, so that each is known by its place. */
static struct w_item *send(struct world *w, uint32_t length)
{
	struct w_item item = {.kind = ITEM_PACKET, .offset = w->n_stream, .length = length};

	WANT(w, w->n_stream + length <= WORLD_BYTES, "stream too long");
	if (w->n_stream + length > WORLD_BYTES)
		w->n_stream = item.offset = 0;
	for (uint32_t i = 0; i < length; i++, w->n_stream++)
		w->stream[w->n_stream] = (uint8_t)(w->n_stream * 7 + (w->n_stream >> 8));
	return append(w, &w->script, &item);
}

struct w_item *world_invent(struct world *w, uint32_t room, bool babbles)
{
	uint32_t packet = MIN(room, w->config.max_packet);
	struct w_item item = {0};

	switch (w->draw(w->draw_ctx, 64)) {
	case 63:
		item.kind = ITEM_STALL;
		break;
	case 62:
		item.kind = ITEM_ERROR;
		break;
	case 61:
	case 60:
		item.kind = ITEM_NAK;
		item.ns = (1ull << w->draw(w->draw_ctx, 28)) + 1;
		break;
	case 59:
		item.kind = babbles && room < w->config.max_packet ? ITEM_BABBLE : ITEM_PACKET;
		break;
	case 58:
	case 57:
		item.length = packet ? w->draw(w->draw_ctx, packet) : 0;
		break;
	default:
		item.length = packet;
	}
	if (w->config.in)
		return item.kind == ITEM_PACKET ? send(w, item.length)
						: append(w, &w->script, &item);
	if (item.kind == ITEM_BABBLE)
		item.kind = ITEM_PACKET;
	item.length = packet;
	return append(w, &w->script, &item);
}

/* --- transfers --- */

void world_host_submit(struct world *w, const struct coalesce_batch *batch)
{
	struct w_xfer *x = &w->xfers[batch - w->co.batches];

	WANT(w, x->state == XFER_FREE, "a batch is issued while its transfer is in use");
	x->state = XFER_QUEUED;
	x->serial = ++w->serial;
	x->length = batch->length;
	x->moved = 0;
	x->epoch = w->epoch;
}

void world_host_cancel(struct world *w, const struct coalesce_batch *batch)
{
	WANT(w, w->n_cancels < WORLD_CANCELS, "cancelled again and again");
	WANT(w, w->xfers[batch - w->co.batches].state != XFER_FREE, "cancel of no transfer");
	if (w->n_cancels < WORLD_CANCELS)
		w->cancels[w->n_cancels++] = (uint32_t)(batch - w->co.batches);
}

void world_host_retire(struct world *w, const struct coalesce_batch *batch)
{
	struct w_xfer *x = &w->xfers[batch - w->co.batches];
	uint32_t n = 0;

	WANT(w, x->state == XFER_TOLD, "a batch retires before it ended, or twice");
	x->state = XFER_FREE;
	w->n_retired++;
	if (w->stopped == x) {
		w->stopped = NULL;
		w->cancelling = true;
	}
	for (uint32_t i = 0; i < w->n_cancels; i++)
		if (&w->xfers[w->cancels[i]] != x)
			w->cancels[n++] = w->cancels[i];
	w->n_cancels = n;
}

static void end(struct world *w, struct w_xfer *x, int status)
{
	x->state = XFER_ENDED;
	x->status = status;
	x->item = w->log.n;
	w->progress = true;
	if (status == 0 || status == -ECANCELED)
		return;
	w->failed_epoch = x->epoch;
	if (w->stops)
		w->stopped = x;
}

/* An event: who is it for? */
static void note(struct world *w, const struct w_xfer *x, struct w_item *item)
{
	const struct coalesce_request *r = w->co.queue;

	while (r && r->batch != &w->co.batches[x - w->xfers])
		r = r->next;
	item->urb = r ? (uint32_t)(container_of(r, struct w_urb, co) - w->urbs) : 0;
	item->echo = w->failed_epoch == x->epoch && x->moved == 0 &&
		     (item->kind == ITEM_STALL || !w->config.in);
	w->counts.echoes += item->echo;
	w->counts.failures++;
}

static void take_cancel(struct world *w)
{
	struct w_xfer *x = &w->xfers[w->cancels[0]];

	w->n_cancels--;
	memmove(w->cancels, w->cancels + 1, w->n_cancels * sizeof(w->cancels[0]));
	if (x->state == XFER_QUEUED)
		end(w, x, -ECANCELED);
	else
		w->counts.too_late++;
	w->progress = true;
}

static struct w_xfer *oldest(struct world *w)
{
	struct w_xfer *best = NULL;

	for (uint32_t i = 0; i < COALESCE_BATCHES; i++) {
		struct w_xfer *x = &w->xfers[i];

		if (x->state == XFER_QUEUED && (!best || x->serial < best->serial))
			best = x;
	}
	return best;
}

/* The packet on the bus; its transfer may have ended with it. */
static void carry(struct world *w, struct w_xfer *x, struct w_item *item)
{
	uint32_t max = w->config.max_packet;

	WANT(w, item->length <= x->length - x->moved, "a packet of %u bytes overflows a transfer",
	     item->length);
	if (item->length > x->length - x->moved || w->error[0])
		return;
	if (w->config.in) {
		memcpy(x->buffer + x->moved, w->stream + item->offset, item->length);
	} else {
		WANT(w, item->length == MIN(max, x->length - x->moved),
		     "an OUT packet of %u bytes instead of %u", MIN(max, x->length - x->moved),
		     item->length);
		item->offset = w->n_stream;
		memcpy(w->stream + w->n_stream, x->buffer + x->moved, item->length);
		w->n_stream += item->length;
	}
	x->moved += item->length;
	if (item->length < max ||
	    (x->moved == x->length && (w->config.in || !w->config.zero_packet)))
		end(w, x, 0);
}

/* The device's next item meets the oldest transfer. False where nothing can happen now. */
static bool act(struct world *w, struct w_xfer *x)
{
	struct w_item item = {.kind = ITEM_STALL};

	if (w->halted) {
		note(w, x, &item);
		end(w, x, -EPIPE);
		append(w, &w->log, &item);
		return true;
	}
	if (w->script_at == w->script.n && w->exact)
		world_wrong(w, "the device was asked for more than without merging");
	else if (w->script_at == w->script.n)
		world_invent(w, x->length - x->moved, true);
	if (w->error[0])
		return false;
	item = w->script.at[w->script_at];
	if (item.kind == ITEM_GATE && !world_all_seen_before(w, item.urb))
		return false;
	w->script_at++;
	switch (item.kind) {
	case ITEM_GATE:
		return true;
	case ITEM_NAK:
		w->busy_until = w->now_ns + item.ns;
		return true;
	case ITEM_PACKET:
		carry(w, x, &item);
		break;
	case ITEM_STALL:
	case ITEM_ERROR:
	case ITEM_BABBLE:
		note(w, x, &item);
		w->halted = item.kind == ITEM_STALL;
		end(w, x,
		    item.kind == ITEM_STALL   ? -EPIPE
		    : item.kind == ITEM_ERROR ? -EPROTO
					      : -EOVERFLOW);
		break;
	}
	append(w, &w->log, &item);
	return true;
}

void world_host_step(struct world *w)
{
	struct w_xfer *x;

	w->cancelling = w->cancelling && w->n_cancels;
	if (w->n_cancels && !world_chance(w, 2))
		take_cancel(w);
	for (uint32_t n = w->draw(w->draw_ctx, 12) + 1; n > 0; n--) {
		x = oldest(w);
		if (!x || w->stopped || w->cancelling || w->silent || w->now_ns < w->busy_until ||
		    w->error[0] || !act(w, x))
			return;
		w->progress = true;
	}
}
