/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trace.c - the last decisions about a guest's frames, see trace.h; explain.c fills it in. */
#include "trace.h"

#include <string.h>

#include "util.h"

static const struct {
	bool went;
	const char *name, *help;
} outcomes[] = {
#define ROW(outcome, went, name, help) {went, name, help},
	TRACE_OUTCOMES(ROW)
#undef ROW
};

bool trace_went(enum trace_outcome outcome)
{
	return outcomes[outcome].went;
}

const char *trace_outcome_name(enum trace_outcome outcome)
{
	return outcomes[outcome].name;
}

const char *trace_outcome_help(enum trace_outcome outcome)
{
	return outcomes[outcome].help;
}

void trace_ask(struct trace *trace, uint64_t now_ns)
{
	if (!trace->begin_ns || trace_is_over(trace, now_ns)) {
		memset(trace, 0, sizeof(*trace));
		trace->begin_ns = now_ns;
	}
	trace->asked_ns = now_ns;
}

bool trace_wants(struct trace *trace, enum trace_direction direction, enum trace_outcome outcome,
		 uint64_t now_ns)
{
	uint64_t *last_ns = &trace->last_went_ns[direction];

	if (!trace_went(outcome))
		return true;
	if (trace->n_went[direction]++ % TRACE_SAMPLE && now_ns - *last_ns < TRACE_PAUSE_NS)
		return false;
	*last_ns = now_ns;
	return true;
}

static bool is_same(const struct trace_entry *a, const struct trace_entry *b)
{
	return a->direction == b->direction && a->outcome == b->outcome && a->rule == b->rule &&
	       a->member == b->member && a->port == b->port && a->how == b->how &&
	       a->flow_known == b->flow_known && a->why == b->why &&
	       a->flow.src[0] == b->flow.src[0] && a->flow.dst[0] == b->flow.dst[0] &&
	       a->flow.src[1] == b->flow.src[1] && a->flow.dst[1] == b->flow.dst[1] &&
	       a->flow.src_mac == b->flow.src_mac && a->flow.dst_mac == b->flow.dst_mac &&
	       a->flow.ports == b->flow.ports && a->flow.proto == b->flow.proto;
}

void trace_add(struct trace *trace, const struct trace_entry *entry)
{
	const bool went = trace_went((enum trace_outcome)entry->outcome);
	struct trace_ring *ring = went ? &trace->went : &trace->held;
	struct trace_entry *last = &ring->entries[(ring->n + TRACE_ENTRIES - 1) % TRACE_ENTRIES];
	uint32_t count = 1;

	if (!went && ring->n && is_same(last, entry))
		count += last->count;
	else
		last = &ring->entries[ring->n++ % TRACE_ENTRIES];
	*last = *entry;
	last->count = count;
}

static const struct trace_entry *newest(const struct trace_ring *ring, uint64_t back)
{
	if (back >= MIN(ring->n, TRACE_ENTRIES))
		return NULL;
	return &ring->entries[(ring->n - 1 - back) % TRACE_ENTRIES];
}

const struct trace_entry *trace_get(const struct trace *trace, unsigned int i)
{
	const struct trace_entry *found = NULL;
	uint64_t from_went = 0, from_held = 0;

	for (unsigned int taken = 0; taken <= i; taken++) {
		const struct trace_entry *a = newest(&trace->went, from_went);
		const struct trace_entry *b = newest(&trace->held, from_held);

		found = !b || (a && a->time_ns > b->time_ns) ? a : b;
		if (!found)
			return NULL;
		if (found == a)
			from_went++;
		else
			from_held++;
	}
	return found;
}
