/* SPDX-License-Identifier: GPL-2.0-or-later */
/* coalesce.c - the merging of one destination's requests, see coalesce.h for its theory. */
#include "coalesce.h"

#include <errno.h>
#include <string.h>
#include <utlist.h>

#include "util.h"

const char *coalesce_state_name(enum coalesce_state state)
{
	static const char *const names[COALESCE_STATES] = {"IDLE", "WAIT", "DATA", "FAILURE"};

	return names[state];
}

/* --- small parts --- */

static void set_state(struct coalesce *c)
{
	enum coalesce_state state = COALESCE_STATE_IDLE;

	if (c->held)
		state = COALESCE_STATE_FAILURE;
	else if (c->n_batches)
		state = COALESCE_STATE_DATA;
	else if (c->queue)
		state = COALESCE_STATE_WAIT;
	if (!c->queue)
		c->gather_ns = 0;
	if (state == c->state)
		return;
	c->state = state;
	c->counters.to[state]++;
}

static struct coalesce_batch *batch_at(struct coalesce *c, uint32_t i)
{
	return &c->batches[(c->head + i) % COALESCE_BATCHES];
}

static uint32_t left(const struct coalesce_request *r)
{
	return r->length - r->actual;
}

static bool whole_packets(const struct coalesce *c, uint32_t length)
{
	return length % c->config.max_packet == 0;
}

static void finish(struct coalesce *c, struct coalesce_request *r, int status)
{
	DL_DELETE(c->queue, r);
	r->batch = NULL;
	r->status = status;
	c->ops->done(c->ctx, r);
}

/* --- queueing --- */

void coalesce_init(struct coalesce *c, const struct coalesce_config *config,
		   const struct coalesce_ops *ops, void *ctx)
{
	memset(c, 0, sizeof(*c));
	c->config = *config;
	c->ops = ops;
	c->ctx = ctx;
}

void coalesce_queue(struct coalesce *c, struct coalesce_request *request)
{
	request->actual = 0;
	request->status = 0;
	request->unlinked = false;
	request->batch = NULL;
	DL_APPEND(c->queue, request);
	c->counters.requests++;
	if (c->off)
		c->off--;
	set_state(c);
}

void coalesce_expect(struct coalesce *c, uint64_t bytes)
{
	c->expect = bytes;
}

/* --- SCAN --- */

/* What a scan found: the requests first..last may share a transfer. */
struct scan {
	struct coalesce_request *first, *last;
	uint32_t n, length;
	bool chain;  /* has a SHORT_NOT_OK member */
	bool closed; /* nothing that comes later could join */
};

static bool is_chain(const struct coalesce *c, const struct coalesce_request *r)
{
	return c->config.in && r->short_not_ok;
}

/* May `next` follow `r` in one transfer? */
static bool joins(const struct coalesce *c, const struct coalesce_request *r,
		  const struct coalesce_request *next)
{
	if (next->fence || next->length == 0)
		return false;
	if (!c->config.in)
		return !c->config.zero_packet && whole_packets(c, left(r));
	if (r->short_not_ok)
		return true;
	return c->streak >= COALESCE_STREAK && !next->short_not_ok && r->actual == 0 &&
	       r->length == next->length && whole_packets(c, r->length);
}

/* Could anything that the guest queues later join behind `r`? */
static bool may_grow(const struct coalesce *c, const struct coalesce_request *r)
{
	if (!c->config.in)
		return !c->config.zero_packet && whole_packets(c, left(r));
	return r->short_not_ok;
}

/* IN messages are merged only when every request in flight has the same length: a short packet
 * moves what comes behind it up to the next request, whichever batch that was in. */
static bool same_as_flying(const struct coalesce *c, const struct coalesce_request *first)
{
	const struct coalesce_request *r;

	DL_FOREACH (c->queue, r) {
		if (!r->batch)
			return true;
		if (r->length != first->length || r->actual)
			return false;
	}
	return true;
}

/* A chain that is cut must be cut between packets, else the device overflows the buffer. */
static void cut_at_packet(const struct coalesce *c, struct scan *s)
{
	struct coalesce_request *r = s->last;
	uint32_t n = s->n, length = s->length;

	while (n > 1 && !whole_packets(c, length)) {
		length -= left(r);
		r = r->prev;
		n--;
	}
	if (!whole_packets(c, length))
		return;
	s->last = r;
	s->n = n;
	s->length = length;
}

static void scan(const struct coalesce *c, struct coalesce_request *first, uint32_t limit,
		 struct scan *s)
{
	uint32_t most = MIN(c->config.max_batch, limit);
	struct coalesce_request *next;

	*s = (struct scan){first, first, 1, left(first), is_chain(c, first), false};
	if (!c->config.merge || c->off || first->length == 0 ||
	    (c->config.in && !s->chain && !same_as_flying(c, first))) {
		s->closed = true;
		return;
	}
	while ((next = s->last->next) != NULL && joins(c, s->last, next)) {
		if (s->length + left(next) > most) {
			s->closed = true;
			if (s->chain)
				cut_at_packet(c, s);
			return;
		}
		s->last = next;
		s->n++;
		s->length += left(next);
	}
	s->closed = next != NULL || !may_grow(c, s->last) || s->length >= most;
}

/* --- ISSUE --- */

static struct coalesce_request *first_waiting(const struct coalesce *c)
{
	struct coalesce_request *r;

	DL_FOREACH (c->queue, r)
		if (!r->batch)
			return r;
	return NULL;
}

/* Is it better to wait for more of what has begun to come? */
static bool gathers(struct coalesce *c, const struct scan *s, uint64_t now_ns,
		    uint64_t *deadline_ns)
{
	uint64_t wait_ns = 0;

	if (c->expect > s->length && (s->chain || !c->config.in))
		wait_ns = COALESCE_EXPECT_NS;
	else if (s->chain && c->expect == 0)
		wait_ns = COALESCE_GATHER_NS;
	if (wait_ns == 0)
		return false;
	if (c->gather_ns == 0)
		c->gather_ns = now_ns + wait_ns;
	if (now_ns >= c->gather_ns)
		return false;
	*deadline_ns = MIN(*deadline_ns, c->gather_ns);
	return true;
}

/* With something in flight already: is another batch worth its trip? */
static bool pipelines(const struct coalesce *c, const struct scan *s, bool guest_full)
{
	const struct coalesce_batch *newest =
		&c->batches[(c->head + c->n_batches - 1) % COALESCE_BATCHES];
	uint32_t depth = c->config.depth;

	if (c->config.in && c->config.merge && c->streak >= COALESCE_STREAK)
		depth = MIN(depth, COALESCE_MERGED_DEPTH); /* the rest gathers */
	if (c->n_batches >= depth || newest->chain || newest->cancelled)
		return false;
	if (s->chain) /* behind messages whose end is not known */
		return false;
	if (c->config.in)
		return true;
	return s->closed || guest_full || s->length >= COALESCE_PIPELINE_BYTES;
}

static struct coalesce_batch *start(struct coalesce *c, const struct scan *s)
{
	struct coalesce_batch *batch = batch_at(c, c->n_batches++);
	struct coalesce_request *r = s->first;

	memset(batch, 0, sizeof(*batch));
	batch->length = s->length;
	batch->n_requests = s->n;
	batch->chain = s->chain;
	for (uint32_t i = 0; i < s->n; i++, r = r->next)
		r->batch = batch;
	c->gather_ns = 0;
	c->expect -= MIN(c->expect, s->length);
	c->counters.batches++;
	if (s->n > 1)
		c->counters.merged += s->n;
	set_state(c);
	return batch;
}

struct coalesce_batch *coalesce_issue(struct coalesce *c, uint64_t now_ns, bool guest_full,
				      uint32_t limit, uint64_t *deadline_ns)
{
	struct coalesce_request *first = first_waiting(c);
	struct scan s;

	if (!first || c->held || c->blocked || c->n_batches == COALESCE_BATCHES)
		return NULL;
	scan(c, first, limit, &s);
	if (c->n_batches && !pipelines(c, &s, guest_full))
		return NULL;
	if (!s.closed && !guest_full && gathers(c, &s, now_ns, deadline_ns))
		return NULL;
	return start(c, &s);
}

void coalesce_unissue(struct coalesce *c, struct coalesce_batch *batch)
{
	struct coalesce_request *r;

	DL_FOREACH (c->queue, r)
		if (r->batch == batch)
			r->batch = NULL;
	c->n_batches--;
	c->counters.batches--;
	if (batch->n_requests > 1)
		c->counters.merged -= batch->n_requests;
	set_state(c);
}

void coalesce_gather(struct coalesce *c, struct coalesce_batch *batch)
{
	struct coalesce_request *r;
	uint32_t offset = 0;

	DL_FOREACH (c->queue, r) {
		if (r->batch != batch)
			continue;
		if (left(r))
			c->ops->move(c->ctx, batch, offset, r, r->actual, left(r));
		offset += left(r);
	}
}

/* --- replay --- */

/* Cancels every batch behind the i oldest ones, newest first: so that none of them begins. */
static void cancel_behind(struct coalesce *c, uint32_t i)
{
	for (uint32_t n = c->n_batches; n > i; n--) {
		struct coalesce_batch *batch = batch_at(c, n - 1);

		if (batch->cancelled || batch->ended)
			continue;
		batch->cancelled = true;
		c->ops->cancel(c->ctx, batch);
	}
}

/* The next request that bytes of this batch belong to: IN is a stream, filled from the queue's
 * front; OUT bytes are their request's own. */
static struct coalesce_request *next_of(struct coalesce *c, const struct coalesce_batch *batch)
{
	struct coalesce_request *r;

	if (c->config.in)
		return c->queue;
	DL_FOREACH (c->queue, r)
		if (r->batch == batch)
			return r;
	return NULL;
}

/* Deals out the bytes of a batch; full requests complete. Returns the one in which the bytes end
 * (its next byte would be the next to move), NULL when they end with the batch. */
static struct coalesce_request *deal(struct coalesce *c, struct coalesce_batch *batch)
{
	bool failed = batch->status < 0 && batch->status != -ECANCELED;
	uint32_t offset = 0, n;
	struct coalesce_request *r;

	while ((r = next_of(c, batch)) != NULL) {
		n = MIN(left(r), batch->actual - offset);
		if (n && c->config.in)
			c->ops->move(c->ctx, batch, offset, r, r->actual, n);
		r->actual += n;
		offset += n;
		c->counters.bytes += n;
		/* An empty request ends with its batch; a failure behind the last byte is the last
		 * request's. */
		if (left(r) || (failed && offset == batch->length) ||
		    (r->length == 0 && (failed || batch->status < 0)))
			return r;
		finish(c, r, 0);
		if (offset == batch->length)
			return NULL;
	}
	return NULL;
}

/* IN requests which lost their batch to a short end are next in line for what is in flight;
 * requests are bound to batches anew, in order. */
static void rebind(struct coalesce *c)
{
	struct coalesce_request *r = c->queue;

	for (uint32_t i = 0; i < c->n_batches; i++)
		for (uint32_t n = batch_at(c, i)->n_requests; n && r; n--, r = r->next)
			r->batch = batch_at(c, i);
	for (; r; r = r->next)
		r->batch = NULL;
}

/* What is left of a batch's members: ended ones complete, the others wait again. */
static void give_back(struct coalesce *c, const struct coalesce_batch *batch)
{
	struct coalesce_request *r, *tmp;

	DL_FOREACH_SAFE (c->queue, r, tmp) {
		if (r->batch != batch)
			continue;
		r->batch = NULL;
		if (r->unlinked)
			finish(c, r, r->status);
	}
}

static void fail(struct coalesce *c, struct coalesce_request *r, int status)
{
	c->held = true;
	c->streak = 0;
	if (r)
		finish(c, r, status);
	cancel_behind(c, 1);
}

static void judge_merging(struct coalesce *c, const struct coalesce_batch *batch)
{
	if (batch->n_requests < 2)
		return;
	if (batch->status != -ECANCELED) {
		c->cancels = 0;
	} else if (++c->cancels >= COALESCE_CANCELS_MAX) {
		c->cancels = 0;
		c->off = COALESCE_OFF_REQUESTS;
	}
}

/* The oldest batch, which has ended. */
static void replay(struct coalesce *c, struct coalesce_batch *batch)
{
	struct coalesce_request *at = deal(c, batch);
	bool is_short = batch->status == 0 && batch->actual < batch->length;

	if (batch->status == -ECANCELED && !batch->cancelled)
		batch->status = -EPROTO;
	judge_merging(c, batch);
	if (batch->status < 0 && batch->status != -ECANCELED) {
		fail(c, at, batch->status);
	} else if (is_short && at) {
		c->streak = 0;
		if (is_chain(c, at))
			fail(c, at, 0);
		else
			finish(c, at, 0);
	} else if (c->config.in && batch->status == 0) {
		c->streak += c->streak < COALESCE_STREAK;
	}
	give_back(c, batch);
	c->ops->retire(c->ctx, batch);
	batch->owner = NULL;
	c->head = (c->head + 1) % COALESCE_BATCHES;
	c->n_batches--;
	if (c->config.in)
		rebind(c);
}

void coalesce_complete(struct coalesce *c, struct coalesce_batch *batch, int status,
		       uint32_t actual)
{
	batch->ended = true;
	batch->status = status;
	batch->actual = MIN(actual, batch->length);
	while (c->n_batches && batch_at(c, 0)->ended)
		replay(c, batch_at(c, 0));
	set_state(c);
}

/* --- changes of mind --- */

void coalesce_unlink(struct coalesce *c, struct coalesce_request *request)
{
	struct coalesce_batch *batch = request->batch;
	uint32_t i = 0;

	if (request->unlinked)
		return;
	request->unlinked = true;
	request->status = -ECONNRESET;
	if (!batch) {
		finish(c, request, -ECONNRESET);
		set_state(c);
		return;
	}
	if (batch->n_requests == 1 && !batch->cancelled && !batch->ended) {
		batch->cancelled = true;
		c->ops->cancel(c->ctx, batch);
		return;
	}
	while (batch_at(c, i) != batch)
		i++;
	cancel_behind(c, i);
}

void coalesce_release(struct coalesce *c)
{
	c->held = false;
	set_state(c);
}

void coalesce_recall(struct coalesce *c)
{
	cancel_behind(c, 0);
}

void coalesce_flush(struct coalesce *c, int status)
{
	struct coalesce_request *r, *tmp;

	c->expect = 0;
	c->gather_ns = 0;
	c->held = false;
	DL_FOREACH_SAFE (c->queue, r, tmp) {
		if (!r->batch) {
			finish(c, r, status);
			continue;
		}
		r->unlinked = true;
		r->status = status;
	}
	cancel_behind(c, 0);
	set_state(c);
}
