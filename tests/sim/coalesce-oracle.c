/* SPDX-License-Identifier: GPL-2.0-or-later */
/* coalesce-oracle.c - the model without merging, and the judgement of a run, see coalesce-world.h.
 */
#include <errno.h>
#include <string.h>

#include "tests/sim/coalesce-world.h"
#include "util.h"

static bool snok(const struct world *w, const struct coalesce_request *r)
{
	return w->config.in && r->short_not_ok;
}

static bool whole(const struct world *w, uint32_t length)
{
	return length % w->config.max_packet == 0;
}

/* --- reference --- */

/* The device's next answer to a reference transfer; pauses do not matter here. */
static const struct w_item *next_answer(struct world *w, uint32_t room, bool babbles)
{
	const struct w_item *item;

	do
		item = world_invent(w, room, babbles);
	while (item->kind == ITEM_NAK);
	return item;
}

/* What follows a request that failed or was cut short: the guest unlinks the rest of its group. */
static void react(struct world *w, uint32_t *i)
{
	const struct w_group *group = &w->groups[w->urbs[*i].group];

	if (!group->sg)
		return;
	while (++*i < group->first + group->n) {
		w->urbs[*i].ref_status = -ECONNRESET;
		w->urbs[*i].ref_actual = 0;
	}
	--*i;
}

/* The bytes of a transfer are given to the requests from *i on; *i is the one in which they end. */
static void give(struct world *w, uint32_t *i, uint32_t n)
{
	uint32_t room;

	while (n) {
		room = w->urbs[*i].co.length - w->urbs[*i].ref_actual;
		w->urbs[*i].ref_actual += MIN(room, n);
		n -= MIN(room, n);
		if (n)
			++*i;
	}
}

/* One transfer of the reference: the requests *i to last, of `length` bytes together. */
static void transfer(struct world *w, uint32_t *i, uint32_t last, uint32_t length)
{
	bool owes_zero = !w->config.in && w->config.zero_packet && length && whole(w, length);
	bool babbles = !w->urbs[*i].co.short_not_ok;
	const struct w_item *item;
	struct w_urb *urb;
	uint32_t moved = 0;

	do {
		item = next_answer(w, length - moved, babbles);
		if (item->kind != ITEM_PACKET || w->error[0])
			break;
		/* On a border with more to come: in the next request. */
		if (*i < last && w->urbs[*i].ref_actual == w->urbs[*i].co.length)
			++*i;
		give(w, i, item->length);
		moved += item->length;
	} while (item->length == w->config.max_packet && (moved < length || owes_zero));
	urb = &w->urbs[*i];
	if (item->kind != ITEM_PACKET && *i < last && urb->ref_actual == urb->co.length)
		urb = &w->urbs[++*i];
	urb->ref_status = item->kind == ITEM_PACKET  ? 0
			  : item->kind == ITEM_STALL ? -EPIPE
			  : item->kind == ITEM_ERROR ? -EPROTO
						     : -EOVERFLOW;
	if (urb->ref_status < 0 || (snok(w, &urb->co) && urb->ref_actual < urb->co.length))
		react(w, i);
}

void world_reference(struct world *w)
{
	for (uint32_t i = 0; i < w->n_urbs && !w->error[0]; i++) {
		uint32_t last = i, length = w->urbs[i].co.length;
		const struct w_group *group = &w->groups[w->urbs[i].group];

		while (group->joined && !whole(w, length) && last + 1 < group->first + group->n)
			length += w->urbs[++last].co.length;
		if (w->gates && i && !snok(w, &w->urbs[i - 1].co) && world_chance(w, 8) &&
		    w->script.n < WORLD_ITEMS)
			w->script.at[w->script.n++] = (struct w_item){.kind = ITEM_GATE, .urb = i};
		transfer(w, &i, last, length);
	}
}

/* --- a batch --- */

static void judge_pair(struct world *w, const struct coalesce_request *r, uint32_t length)
{
	const struct coalesce_request *next = r->next;

	WANT(w, w->config.merge, "merged though that is off");
	WANT(w, next->length && r->length, "merged with an empty request");
	WANT(w, !next->fence, "merged across a fence");
	if (!w->config.in) {
		WANT(w, !w->config.zero_packet, "OUT merged, each wants an empty packet");
		WANT(w, whole(w, r->length - r->actual), "OUT merged behind a short packet");
	} else if (!r->short_not_ok) {
		WANT(w, !next->short_not_ok, "a chain merged behind a message");
		WANT(w, r->length == next->length && whole(w, r->length),
		     "messages of %u and %u bytes merged", r->length, next->length);
	}
	/* Beyond the limit only because it cannot be cut. */
	WANT(w,
	     length + next->length - next->actual <= MIN(w->config.max_batch, w->limit) ||
		     (snok(w, r) && !whole(w, length)),
	     "merged to more than %u bytes", MIN(w->config.max_batch, w->limit));
}

void world_judge_batch(struct world *w, const struct coalesce_batch *batch)
{
	const struct coalesce_request *r;
	uint32_t want_n = batch->n_requests, want_length = batch->length;
	uint32_t n = 0, length = 0, others = 0;
	bool chain = false, other_chain = false, waits = false;

	for (r = w->co.queue; r; r = r->next) {
		WANT(w, !waits || !r->batch, "a request overtakes another");
		waits = !r->batch;
		WANT(w, r->batch != batch || !r->unlinked, "an unlinked request is issued");
		if (r->batch != batch) {
			others += r->batch != NULL;
			other_chain = other_chain || (r->batch && snok(w, r));
			continue;
		}
		n++;
		length += r->length - r->actual;
		chain = chain || snok(w, r);
		if (r->next && r->next->batch == batch)
			judge_pair(w, r, length);
	}
	WANT(w, n == want_n && n, "%u requests, not %u", n, want_n);
	WANT(w, length == want_length, "%u bytes, not %u", length, want_length);
	WANT(w, !other_chain && (!chain || !others), "in flight beside a SHORT_NOT_OK request");
	WANT(w, !w->failure_pending, "issued before the guest knew of a failure");
	WANT(w, w->co.n_batches <= w->config.depth, "%u batches in flight", w->co.n_batches);
}

/* --- the whole run --- */

/* Where the judgement stands in the device's log. */
struct cursor {
	uint32_t item, used; /* bytes of the item */
	uint32_t last;	     /* length of the packet that was used up last; max_packet: none */
};

static const struct w_item *item_at(struct world *w, struct cursor *at)
{
	return at->item < w->log.n ? &w->log.at[at->item] : NULL;
}

static const struct w_item *packet_at(struct world *w, struct cursor *at)
{
	const struct w_item *item = item_at(w, at);

	while (item && item->kind != ITEM_PACKET && item->echo) {
		at->item++;
		item = item_at(w, at);
	}
	return item && item->kind == ITEM_PACKET ? item : NULL;
}

static void judge_bytes(struct world *w, uint32_t i, struct cursor *at)
{
	struct w_urb *urb = &w->urbs[i];
	uint32_t got = 0, n;

	at->last = w->config.max_packet;
	while (got < urb->co.actual && !w->error[0]) {
		const struct w_item *item = packet_at(w, at);

		WANT(w, item, "request %u has %u bytes that the device did not move", i,
		     urb->co.actual - got);
		if (!item)
			return;
		n = MIN(item->length - at->used, urb->co.actual - got);
		WANT(w, item->length, "an empty packet amid the bytes of request %u", i);
		WANT(w, at->last == w->config.max_packet, "bytes behind a short packet, request %u",
		     i);
		WANT(w, memcmp(w->stream + item->offset + at->used, urb->data + got, n) == 0,
		     "wrong bytes at %u of request %u", got, i);
		got += n;
		at->used += n;
		if (at->used < item->length)
			break;
		at->last = item->length;
		at->used = 0;
		at->item++;
	}
	if (!at->used || !urb->co.actual)
		return;
	w->counts.straddled++;
	WANT(w, snok(w, &urb->co) && urb->co.actual == urb->co.length,
	     "a packet lies across the end of request %u", i);
}

static void judge_event(struct world *w, uint32_t i, struct cursor *at)
{
	int status = w->urbs[i].co.status;
	enum item_kind kind = status == -EPIPE	  ? ITEM_STALL
			      : status == -EPROTO ? ITEM_ERROR
						  : ITEM_BABBLE;
	const struct w_item *item;
	bool echo = false;

	for (; (item = item_at(w, at)) != NULL && item->echo; at->item++)
		echo = echo || item->kind == kind;
	/* Where an echo would do, an event of later requests is theirs. */
	if (item && item->kind == kind && !at->used && !(echo && item->urb > i)) {
		at->item++;
		return;
	}
	if (echo)
		return;
	WANT(w, status == -EPROTO && !w->config.in && !w->stops && w->urbs[i].co.actual == 0,
	     "request %u ends with %d, no event of the device", i, status);
	w->counts.lost++;
}

/* A request that ended well, or was cut short by an empty packet. */
static void judge_end(struct world *w, uint32_t i, struct cursor *at)
{
	const struct coalesce_request *r = &w->urbs[i].co;
	bool zero = !w->config.in && w->config.zero_packet && r->length && whole(w, r->length);
	const struct w_item *item;

	if (r->actual < r->length) {
		w->counts.short_ends++;
		WANT(w, w->config.in, "OUT request %u ends short", i);
		if (at->last < w->config.max_packet)
			return;
	} else if (r->length && !zero) {
		return;
	}
	item = packet_at(w, at);
	WANT(w, item && item->length == 0 && !at->used,
	     "request %u: %u of %u bytes without a reason", i, r->actual, r->length);
	at->item++;
}

static void judge_urb(struct world *w, uint32_t i, struct cursor *at)
{
	const struct w_urb *urb = &w->urbs[i];
	int status = urb->co.status;

	judge_bytes(w, i, at);
	WANT(w, urb->co.actual <= urb->co.length, "request %u: too many bytes", i);
	if (status == 0)
		judge_end(w, i, at);
	else if (status == -ECONNRESET || status == -ENODEV)
		WANT(w,
		     (status == -ENODEV ? urb->flushed : urb->unlinked) &&
			     (at->last == w->config.max_packet || urb->co.actual == 0),
		     "request %u ends with %d and %u bytes", i, status, urb->co.actual);
	else if (status == -EINVAL)
		WANT(w, w->submit_failed, "request %u ends with EINVAL", i);
	else
		judge_event(w, i, at);
	if (w->exact)
		WANT(w, status == urb->ref_status && urb->co.actual == urb->ref_actual,
		     "request %u: %d with %u bytes, without merging %d with %u", i, status,
		     urb->co.actual, urb->ref_status, urb->ref_actual);
}

void world_judge(struct world *w)
{
	struct cursor at = {0};
	uint64_t bytes = 0, n = 0;

	for (uint32_t i = 0; i < w->n_urbs && !w->error[0]; i++) {
		const struct w_urb *urb = &w->urbs[i];

		if (urb->state == URB_DONE) {
			judge_urb(w, i, &at);
			bytes += urb->co.actual;
			n++;
		} else if (w->exact) {
			WANT(w, urb->ref_status == -ECONNRESET, "request %u was dropped", i);
		}
	}
	packet_at(w, &at); /* skips echoes */
	WANT(w, at.item == w->log.n && !at.used, "the device did %u of %u things for nobody",
	     w->log.n - at.item, w->log.n);
	WANT(w, !w->exact || w->script_at == w->script.n,
	     "the device did less than without merging");
	WANT(w, !w->co.queue && !w->co.n_batches && w->co.state == COALESCE_STATE_IDLE,
	     "the engine is not idle");
	WANT(w, w->co.counters.requests == n, "%llu requests counted",
	     (unsigned long long)w->co.counters.requests);
	WANT(w, w->co.counters.bytes == bytes, "%llu bytes counted",
	     (unsigned long long)w->co.counters.bytes);
	WANT(w, w->co.counters.batches == w->n_issued && w->n_retired == w->n_issued,
	     "%llu batches counted, %u issued, %u retired",
	     (unsigned long long)w->co.counters.batches, w->n_issued, w->n_retired);
}
