/* SPDX-License-Identifier: GPL-2.0-or-later */
/* coalesce.c - one destination's queue and the replay of what its transfers moved, see coalesce.h.
 * Which requests share a transfer is in coalesce_issue.c. */
#include "coalesce_priv.h"

#include <errno.h>
#include <string.h>

#include "util.h"

const char *coalesce_state_name(enum coalesce_state state)
{
	static const char *const names[COALESCE_STATES] = {"IDLE", "WAIT", "DATA", "FAILURE"};

	return names[state];
}

/* --- small parts --- */

void coalesce_set_state(struct coalesce *c)
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
	coalesce_set_state(c);
}

void coalesce_expect(struct coalesce *c, uint64_t bytes)
{
	c->expect = bytes;
}

/* --- replay --- */

/* Cancels every batch behind the i oldest ones, newest first: so that none of them begins. */
static void cancel_behind(struct coalesce *c, uint32_t i)
{
	for (uint32_t n = c->n_batches; n > i; n--) {
		struct coalesce_batch *batch = coalesce_batch_at(c, n - 1);

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

/* Is it a zero-length packet that ends the request? Where only that is left to be sent, the request
 * goes on as an empty one. */
static bool ends_empty(const struct coalesce *c, const struct coalesce_request *r)
{
	return r->length == 0 ||
	       (!c->config.in && c->config.zero_packet && coalesce_whole_packets(c, r->length));
}

/* Deals out the bytes of a batch; full requests complete. Returns the one in which the bytes end
 * (its next byte would be the next to move), NULL when they end with the batch. */
static struct coalesce_request *deal(struct coalesce *c, struct coalesce_batch *batch)
{
	bool failed = batch->status < 0 && batch->status != -ECANCELED;
	uint32_t offset = 0, n;
	struct coalesce_request *r;

	while ((r = next_of(c, batch)) != NULL) {
		n = MIN(coalesce_left(r), batch->actual - offset);
		if (n && c->config.in)
			c->ops->move(c->ctx, batch, offset, r, r->actual, n);
		r->actual += n;
		offset += n;
		c->counters.bytes += n;
		/* A failure behind the last byte is the last request's. */
		if (coalesce_left(r) || (failed && offset == batch->length) ||
		    (ends_empty(c, r) && batch->status < 0))
			return r;
		finish(c, r, 0);
		if (offset == batch->length)
			return NULL;
	}
	return NULL;
}

/* IN requests which lost their batch to a short end are next in line for what is in flight;
 * requests are bound to batches anew, in order. One that was unlinked and loses its place was not
 * begun, and its own batch is cancelled: it ends. */
static void rebind(struct coalesce *c)
{
	struct coalesce_request *r, *next;
	struct coalesce_batch *batch;
	uint32_t i = 0, n = 0;

	for (r = c->queue; r; r = next) {
		next = r->next;
		while (i < c->n_batches && n == coalesce_batch_at(c, i)->n_requests) {
			i++;
			n = 0;
		}
		batch = i < c->n_batches ? coalesce_batch_at(c, i) : NULL;
		if (r->unlinked && r->batch != batch) {
			finish(c, r, r->status);
			continue;
		}
		r->batch = batch;
		n++;
	}
}

/* What is left of a batch's members: ended ones complete, the others wait again. */
static void give_back(struct coalesce *c, struct coalesce_batch *batch)
{
	struct coalesce_request *r, *tmp;

	DL_FOREACH_SAFE (c->queue, r, tmp) {
		if (r->batch != batch)
			continue;
		r->batch = NULL;
		if (r->unlinked)
			finish(c, r, r->status);
	}
	batch->n_requests = 0;
	c->ops->retire(c->ctx, batch);
	batch->owner = NULL;
}

static void fail(struct coalesce *c, struct coalesce_request *r, int status)
{
	c->held = true;
	c->streak = 0;
	c->expect = 0;
	if (r)
		finish(c, r, status);
	cancel_behind(c, 1);
	for (uint32_t i = 1; i < c->n_batches; i++)
		coalesce_batch_at(c, i)->behind_failure = true;
}

/* A host may have begun with OUT data behind a failure before the cancel reached it. What should
 * have gone before that cannot go any more: it is lost. */
static void lose_overtaken(struct coalesce *c, const struct coalesce_batch *batch)
{
	if (c->config.in || (batch->actual == 0 && batch->status < 0))
		return;
	while (c->queue && !c->queue->batch)
		fail(c, c->queue, c->queue->unlinked ? c->queue->status : -EPROTO);
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

/* A failure before the first byte of what was in flight behind a failure, of which the guest has
 * not heard yet: the same halt again, or OUT that must wait for what was to be sent before. */
static bool is_echo(const struct coalesce *c, const struct coalesce_batch *batch)
{
	if (batch->behind_failure && batch->status == -EPIPE)
		return true;
	return !c->config.in && (batch->behind_failure || !c->queue->batch);
}

/* What the end of a batch means beyond what the host said. */
static void interpret(const struct coalesce *c, struct coalesce_batch *batch)
{
	if (batch->status == -ECANCELED && !batch->cancelled)
		batch->status = -EPROTO;
	if (batch->status < 0 && batch->actual == 0 && is_echo(c, batch))
		batch->status = -ECANCELED;
	/* Cancelled, and a short packet had ended it already. */
	if (batch->status == -ECANCELED && c->config.in && batch->actual < batch->length &&
	    !coalesce_whole_packets(c, batch->actual))
		batch->status = 0;
}

/* A batch without a failure ended in request `at`. */
static void end_short(struct coalesce *c, const struct coalesce_batch *batch,
		      struct coalesce_request *at)
{
	/* The short packet was the end of the request before; `at` was not begun. */
	if (at->actual == 0 && !coalesce_whole_packets(c, batch->actual))
		return;
	c->streak = 0;
	c->expect = 0;
	if (coalesce_is_chain(c, at))
		fail(c, at, 0);
	else
		finish(c, at, 0);
}

static uint32_t n_waiting(const struct coalesce *c)
{
	const struct coalesce_request *r;
	uint32_t n = 0;

	DL_FOREACH (c->queue, r)
		n += !r->batch;
	return n;
}

/* The oldest batch, which has ended. */
static void replay(struct coalesce *c, struct coalesce_batch *batch)
{
	struct coalesce_request *at;

	interpret(c, batch);
	judge_merging(c, batch);
	lose_overtaken(c, batch);
	if (!c->config.in && batch->n_requests > 1 && batch->status == 0) {
		c->refill = batch->n_requests + n_waiting(c);
		c->refill_since_ns = batch->oldest_ns;
	}
	at = deal(c, batch);
	if (batch->status < 0 && batch->status != -ECANCELED)
		fail(c, at, batch->status);
	else if (batch->status == 0 && batch->actual < batch->length && at)
		end_short(c, batch, at);
	else if (c->config.in && batch->status == 0)
		c->streak += c->streak < COALESCE_STREAK;
	give_back(c, batch);
}

/* Takes what is through off the ring's ends. A batch that was cancelled before it began, behind
 * others, is a hole until then. */
static void forget_ended(struct coalesce *c)
{
	while (c->n_batches && coalesce_batch_at(c, 0)->ended) {
		struct coalesce_batch *batch = coalesce_batch_at(c, 0);

		if (batch->n_requests)
			replay(c, batch);
		c->head = (c->head + 1) % COALESCE_BATCHES;
		c->n_batches--;
		if (c->config.in)
			rebind(c);
	}
	while (c->n_batches && coalesce_batch_at(c, c->n_batches - 1)->n_requests == 0)
		c->n_batches--;
}

/* A batch behind others that did not begin need not wait for them, which may take for ever. */
static void drop(struct coalesce *c, struct coalesce_batch *batch)
{
	batch->status = -ECANCELED;
	judge_merging(c, batch);
	give_back(c, batch);
	if (c->config.in)
		rebind(c);
}

void coalesce_complete(struct coalesce *c, struct coalesce_batch *batch, int status,
		       uint32_t actual)
{
	batch->ended = true;
	batch->status = status;
	batch->actual = MIN(actual, batch->length);
	if (batch != coalesce_batch_at(c, 0) && batch->cancelled && status == -ECANCELED &&
	    batch->actual == 0)
		drop(c, batch);
	forget_ended(c);
	coalesce_set_state(c);
}

/* --- changes of mind --- */

/* An unlinked request whose batch failed before it began, and waits to say so. */
static void unlink_failed(struct coalesce *c, struct coalesce_batch *batch, uint32_t i)
{
	cancel_behind(c, i + 1);
	while (++i < c->n_batches)
		coalesce_batch_at(c, i)->behind_failure = true;
	drop(c, batch);
	forget_ended(c);
	coalesce_set_state(c);
}

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
		coalesce_set_state(c);
		return;
	}
	while (coalesce_batch_at(c, i) != batch)
		i++;
	if (batch->ended && batch->actual == 0 && batch->status < 0)
		unlink_failed(c, batch, i);
	if (batch->ended || batch->cancelled)
		return;
	if (batch->n_requests > 1) {
		cancel_behind(c, i);
		return;
	}
	batch->cancelled = true;
	c->ops->cancel(c->ctx, batch);
}

void coalesce_release(struct coalesce *c)
{
	c->held = false;
	coalesce_set_state(c);
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
	coalesce_set_state(c);
}
