/* SPDX-License-Identifier: GPL-2.0-or-later */
/* coalesce_issue.c - which requests share a transfer (SCAN), and when it goes (ISSUE), see
 * coalesce.h. */
#include "coalesce_priv.h"

#include <string.h>

#include "util.h"

/* --- SCAN --- */

/* What a scan found: the requests first..last may share a transfer. */
struct scan {
	struct coalesce_request *first, *last;
	uint32_t n, length;
	bool chain;  /* has a SHORT_NOT_OK member */
	bool closed; /* nothing that comes later could join */
};

/* May `next` follow the scan's last in one transfer? */
static bool joins(const struct coalesce *c, const struct scan *s,
		  const struct coalesce_request *next)
{
	const struct coalesce_request *r = s->last;

	if (next->fence || next->length == 0)
		return false;
	if (!c->config.in)
		return !c->config.zero_packet && coalesce_whole_packets(c, coalesce_left(r));
	if (r->short_not_ok)
		return true;
	return !s->chain && c->streak >= COALESCE_STREAK && !next->short_not_ok && r->actual == 0 &&
	       r->length == next->length && coalesce_whole_packets(c, r->length);
}

/* Could anything that the guest queues later join behind the scan's last? */
static bool may_grow(const struct coalesce *c, const struct scan *s)
{
	if (c->off && !(s->chain && !coalesce_whole_packets(c, s->length)))
		return false;
	if (!c->config.in)
		return !c->config.zero_packet && coalesce_whole_packets(c, coalesce_left(s->last));
	return s->last->short_not_ok;
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

/* A chain that goes on behind the scan must be cut between packets, else the device overflows the
 * buffer. False where that cannot be. */
static bool cut_at_packet(const struct coalesce *c, struct scan *s)
{
	struct coalesce_request *r = s->last;
	uint32_t n = s->n, length = s->length;

	while (n > 1 && !coalesce_whole_packets(c, length)) {
		length -= coalesce_left(r);
		r = r->prev;
		n--;
	}
	if (!coalesce_whole_packets(c, length))
		return false;
	s->last = r;
	s->n = n;
	s->length = length;
	return true;
}

static void scan(const struct coalesce *c, struct coalesce_request *first, uint32_t limit,
		 struct scan *s)
{
	uint32_t most = MIN(c->config.max_batch, limit);
	struct coalesce_request *next;

	*s = (struct scan){first, first, 1, coalesce_left(first), coalesce_is_chain(c, first),
			   true};
	if (!c->config.merge || first->length == 0 ||
	    (c->config.in && !s->chain && !same_as_flying(c, first)))
		return;
	while ((next = s->last->next) != NULL && joins(c, s, next)) {
		/* Without merging, what is no whole packet still takes the rest of it along. */
		if (c->off && !(s->chain && !coalesce_whole_packets(c, s->length)))
			return;
		if (s->length + coalesce_left(next) > most && (!s->chain || cut_at_packet(c, s)))
			return;
		s->last = next;
		s->n++;
		s->length += coalesce_left(next);
	}
	s->closed = next != NULL || !may_grow(c, s) || s->length >= most;
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

/* How long to wait for more of what has begun to come. */
static uint64_t gather_time(const struct coalesce *c, const struct scan *s, uint64_t now_ns)
{
	uint64_t took_ns;

	if (c->expect > s->length && (s->chain || !c->config.in))
		return COALESCE_EXPECT_NS;
	if (c->expect)
		return 0;
	if (s->chain)
		return COALESCE_GATHER_NS;
	if (s->n >= c->refill || s->length >= COALESCE_PIPELINE_BYTES)
		return 0;
	took_ns = now_ns - MIN(now_ns, c->refill_since_ns);
	return MIN(MAX(took_ns / COALESCE_REFILL_PART, COALESCE_GATHER_NS), COALESCE_REFILL_MAX_NS);
}

/* Is it better to wait for more? */
static bool gathers(struct coalesce *c, const struct scan *s, uint64_t now_ns,
		    uint64_t *deadline_ns)
{
	uint64_t wait_ns = gather_time(c, s, now_ns);

	if (wait_ns == 0)
		return false;
	if (c->gather_ns == 0)
		c->gather_ns = now_ns + wait_ns;
	if (now_ns >= c->gather_ns)
		return false;
	*deadline_ns = MIN(*deadline_ns, c->gather_ns);
	return true;
}

/* IN with something in flight: messages which may be merged have few batches in flight, so that the
 * rest gathers. Behind a merged batch nothing else may be. */
static bool pipelines_in(const struct coalesce *c, const struct scan *s)
{
	bool same = same_as_flying(c, s->first);
	uint32_t depth = c->config.depth, merged = 0;

	if (s->chain) /* behind messages whose end is not known */
		return false;
	for (uint32_t i = 0; i < c->n_batches; i++)
		merged += c->batches[(c->head + i) % COALESCE_BATCHES].n_requests > 1;
	if (merged && !same)
		return false;
	if (c->config.merge && !c->off && c->streak >= COALESCE_STREAK && same &&
	    s->first->length && coalesce_whole_packets(c, s->first->length))
		depth = MIN(depth, COALESCE_MERGED_DEPTH);
	return c->n_batches < depth;
}

/* OUT with something in flight: is another batch worth its trip? A full guest can send more as soon
 * as the older one is through; then it is better to wait, unless there is as much here as there. */
static bool pipelines_out(const struct coalesce *c, const struct scan *s, bool guest_full)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < c->n_batches; i++)
		n += c->batches[(c->head + i) % COALESCE_BATCHES].n_requests;
	return s->closed || s->length >= COALESCE_PIPELINE_BYTES || (guest_full && s->n >= n);
}

static bool pipelines(const struct coalesce *c, const struct scan *s, bool guest_full)
{
	const struct coalesce_batch *newest =
		&c->batches[(c->head + c->n_batches - 1) % COALESCE_BATCHES];

	if (c->n_batches >= c->config.depth || newest->chain || newest->cancelled ||
	    newest->behind_failure || (newest->ended && newest->status < 0))
		return false;
	return c->config.in ? pipelines_in(c, s) : pipelines_out(c, s, guest_full);
}

static struct coalesce_batch *start(struct coalesce *c, const struct scan *s, uint64_t now_ns)
{
	struct coalesce_batch *batch = coalesce_batch_at(c, c->n_batches++);
	struct coalesce_request *r = s->first;

	memset(batch, 0, sizeof(*batch));
	batch->oldest_ns = c->n_batches == 1 ? MAX(now_ns, 1u) : 0;
	batch->length = s->length;
	batch->n_requests = s->n;
	batch->chain = s->chain;
	batch->announced = (uint32_t)MIN(c->expect, s->length);
	for (uint32_t i = 0; i < s->n; i++, r = r->next)
		r->batch = batch;
	c->gather_ns = 0;
	c->refill = 0;
	c->expect -= batch->announced;
	c->counters.batches++;
	if (s->n > 1)
		c->counters.merged += s->n;
	coalesce_set_state(c);
	return batch;
}

/* The completion of a request must not wait for ever for one that shares its transfer, where that
 * is not one run of data: the device may wait for the guest's answer to the first. */
static void lose_patience(struct coalesce *c, uint64_t now_ns, uint64_t *deadline_ns)
{
	struct coalesce_batch *oldest = coalesce_batch_at(c, 0);
	uint64_t until;

	if (c->n_batches == 0)
		return;
	if (oldest->oldest_ns == 0)
		oldest->oldest_ns = MAX(now_ns, 1u);
	if (oldest->n_requests < 2 || oldest->chain || oldest->cancelled ||
	    oldest->announced == oldest->length)
		return;
	until = oldest->oldest_ns +
		(c->config.in ? COALESCE_PATIENCE_IN_NS : COALESCE_PATIENCE_OUT_NS);
	if (now_ns < until) {
		*deadline_ns = MIN(*deadline_ns, until);
		return;
	}
	c->streak = 0;
	coalesce_recall(c);
}

struct coalesce_batch *coalesce_issue(struct coalesce *c, uint64_t now_ns, bool guest_full,
				      uint32_t limit, uint64_t *deadline_ns)
{
	struct coalesce_request *first = first_waiting(c);
	struct scan s;

	lose_patience(c, now_ns, deadline_ns);
	if (!first || c->held || c->blocked || c->n_batches == COALESCE_BATCHES)
		return NULL;
	scan(c, first, limit, &s);
	if (c->n_batches && !pipelines(c, &s, guest_full))
		return NULL;
	if (!s.closed && !guest_full && gathers(c, &s, now_ns, deadline_ns))
		return NULL;
	if (s.chain && !s.closed && (c->expect > s.length || (c->expect == 0 && guest_full)))
		cut_at_packet(c, &s);
	return start(c, &s, now_ns);
}

void coalesce_unissue(struct coalesce *c, struct coalesce_batch *batch)
{
	struct coalesce_request *r;

	DL_FOREACH (c->queue, r)
		if (r->batch == batch)
			r->batch = NULL;
	c->expect += batch->announced;
	c->gather_ns = 1; /* it was waited for long enough */
	c->n_batches--;
	c->counters.batches--;
	if (batch->n_requests > 1)
		c->counters.merged -= batch->n_requests;
	coalesce_set_state(c);
}

void coalesce_gather(struct coalesce *c, struct coalesce_batch *batch)
{
	struct coalesce_request *r;
	uint32_t offset = 0;

	DL_FOREACH (c->queue, r) {
		if (r->batch != batch)
			continue;
		if (coalesce_left(r))
			c->ops->move(c->ctx, batch, offset, r, r->actual, coalesce_left(r));
		offset += coalesce_left(r);
	}
}
