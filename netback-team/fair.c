/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fair.c - the choice of the next frame, see fair.h. Changes and status are in fair_config.c. */
#include "fair_priv.h"

#include <assert.h>
#include <stdlib.h>

#include "util.h"

#define DUE_PRIORITY_SHIFT 60
#define FLOOR_LAG_BYTES	   65536ull /* that a band may be behind or ahead of its floor */
#define TAG_REBASE	   (1ull << 62)
#define TAG_REST	   (1ull << 48) /* stays below `time` when tags are rebased */

/* Which of the three position arrays. */
enum { POSITION_BAND, POSITION_DUE, POSITION_TIMER, POSITIONS };

struct fair *fair_create(uint32_t max_flows)
{
	const size_t n = max_flows;
	struct fair *fair = xb_calloc(1, sizeof(*fair));
	struct heap_entry *entries;

	assert(max_flows >= 1 && max_flows <= FAIR_FLOWS_MAX);
	fair->max_flows = max_flows;
	fair->options = fair_options_default;
	fair->fit = true;
	fair->turn = -1;
	fair->flows = xb_calloc_lines(n, sizeof(*fair->flows));
	fair->water = xb_calloc(n, sizeof(*fair->water));
	fair->positions = xb_calloc(n, POSITIONS * sizeof(*fair->positions));
	for (size_t i = 0; i < POSITIONS * n; i++)
		fair->positions[i] = HEAP_ABSENT;
	fair->entries = entries = xb_calloc_lines(FAIR_BANDS + 2, HEAP_ROOM(n) * sizeof(*entries));
	for (size_t i = 0; i < FAIR_BANDS; i++, entries += HEAP_ROOM(n))
		heap_init(&fair->bands[i].heap, entries, fair->positions);
	heap_init(&fair->due, entries, fair->positions + POSITION_DUE * n);
	heap_init(&fair->timers, entries + HEAP_ROOM(n), fair->positions + POSITION_TIMER * n);
	return fair;
}

void fair_destroy(struct fair *fair)
{
	if (!fair)
		return;
	free(fair->flows);
	free(fair->water);
	free(fair->positions);
	free(fair->entries);
	free(fair);
}

struct band *fair_band(struct fair *fair, const struct flow *flow)
{
	return &fair->bands[fair->options.strict ? flow->priority : 0];
}

static void band_put(struct fair *fair, struct band *band, uint32_t id)
{
	if (band->heap.n == 0) /* nobody wanted the floor: nothing is owed */
		band->floor_due = MAX(band->floor_due, fair->served);
	heap_put(&band->heap, id, fair->flows[id].tag);
	fair->bands_ready |= 1u << (band - fair->bands);
}

static void band_remove(struct fair *fair, struct band *band, uint32_t id)
{
	heap_remove(&band->heap, id);
	if (band->heap.n == 0)
		fair->bands_ready &= ~(1u << (band - fair->bands));
}

void fair_unlink(struct fair *fair, uint32_t id)
{
	band_remove(fair, fair_band(fair, &fair->flows[id]), id);
	heap_remove(&fair->due, id);
	heap_remove(&fair->timers, id);
	fair->flows[id].timed = false;
	if (fair->turn == (int)id)
		fair->turn = -1;
}

uint64_t fair_band_time(struct band *band)
{
	if (band->heap.n)
		band->time = MAX(band->time, heap_top(&band->heap)->key);
	return band->time;
}

uint64_t fair_tag_of(const struct flow *flow, uint64_t cost)
{
	return (cost << FAIR_TAG_SHIFT) / flow->shares;
}

uint64_t fair_cost_of(const struct flow *flow, uint64_t tags)
{
	return (uint64_t)((__uint128_t)tags * flow->shares >> FAIR_TAG_SHIFT);
}

void fair_count_loss(struct fair *fair, struct flow *flow)
{
	const uint64_t time = fair_band_time(fair_band(fair, flow));

	if (flow->state != FLOW_STATE_HELD || flow->tag >= time)
		return;
	flow->counts.lost_bytes += fair_cost_of(flow, time - flow->tag);
	flow->tag = time;
}

/* A flow joins those that are ready: it makes up for at most its credit. One that only its limit
 * kept away may be late by a frame, or its limit would cost it share. */
static void join(struct fair *fair, struct flow *flow)
{
	const uint64_t credit = fair_tag_of(flow, flow->state == FLOW_STATE_BLOCKED
							  ? flow->head.share
							  : fair->options.wake_credit_bytes);
	const uint64_t time = fair_band_time(fair_band(fair, flow));

	fair_count_loss(fair, flow);
	if (time > credit)
		flow->tag = MAX(flow->tag, time - credit);
	flow->state = FLOW_STATE_READY;
}

static void place_minimum(struct fair *fair, uint32_t id, uint64_t now_ns)
{
	struct flow *flow = &fair->flows[id];

	if (!flow->minimum && !flow->timed)
		return;
	flow->timed = flow->minimum;
	if (flow->minimum && flow->min_ns <= now_ns) {
		heap_put(&fair->due, id,
			 (uint64_t)(FAIR_PRIORITY_MAX - flow->priority) << DUE_PRIORITY_SHIFT |
				 flow->min_ns);
		heap_remove(&fair->timers, id);
		return;
	}
	heap_remove(&fair->due, id);
	if (flow->minimum)
		heap_put(&fair->timers, id, flow->min_ns);
	else
		heap_remove(&fair->timers, id);
}

void fair_place(struct fair *fair, uint32_t id, uint64_t now_ns)
{
	struct flow *flow = &fair->flows[id];
	enum limit_bound bound = LIMIT_BOUND_NONE;
	const uint64_t ready_ns =
		flow->limited ? limit_ready_ns(&flow->limit, flow->head.bytes, now_ns, &bound)
			      : now_ns;

	flow->bound = (uint8_t)bound;
	if (ready_ns > now_ns) {
		fair_unlink(fair, id);
		flow->state = FLOW_STATE_BLOCKED;
		flow->timed = true;
		heap_put(&fair->timers, id,
			 ready_ns + limit_slack_ns(&flow->limit, bound, fair->options.slack_ns));
		return;
	}
	if (flow->state != FLOW_STATE_READY)
		join(fair, flow);
	band_put(fair, fair_band(fair, flow), id);
	place_minimum(fair, id, now_ns);
}

/* What a flow waited for by its clock is there. One that is ready has no limit to wait for. */
static void wake(struct fair *fair, uint32_t id, uint64_t now_ns)
{
	if (fair->flows[id].state == FLOW_STATE_READY)
		place_minimum(fair, id, now_ns);
	else
		fair_place(fair, id, now_ns);
}

/* Counts a wait once, when it begins. */
static void count_block(struct flow *flow)
{
	if (flow->state != FLOW_STATE_BLOCKED)
		return;
	if (flow->bound == LIMIT_BOUND_AVERAGE)
		flow->counts.average_waits++;
	else
		flow->counts.peak_waits++;
}

void fair_backlog(struct fair *fair, uint32_t id, struct cost cost, uint64_t now_ns)
{
	struct flow *flow = &fair->flows[id];

	if (flow->state == FLOW_STATE_FREE ||
	    (fair_flow_active(flow) && flow->head.bytes == cost.bytes &&
	     flow->head.share == cost.share))
		return;
	/* Idle for no time at all (a ring that ran dry and was refilled in one pass) is not idle.
	 */
	if (flow->state == FLOW_STATE_IDLE && flow->idle_ns != now_ns) {
		flow->min_ns = MAX(flow->min_ns, now_ns);
		flow->counts.wakes++;
	}
	flow->head = cost;
	fair_place(fair, id, now_ns);
	count_block(flow);
}

void fair_idle(struct fair *fair, uint32_t id, uint64_t now_ns)
{
	struct flow *flow = &fair->flows[id];

	if (flow->state == FLOW_STATE_FREE || flow->state == FLOW_STATE_IDLE)
		return;
	fair_count_loss(fair, flow);
	fair_unlink(fair, id);
	flow->state = FLOW_STATE_IDLE;
	flow->idle_ns = now_ns;
}

void fair_hold(struct fair *fair, uint32_t id, uint64_t now_ns)
{
	struct flow *flow = &fair->flows[id];

	if (!fair_flow_active(flow))
		return;
	if (now_ns - flow->window_ns > NSEC_PER_SEC) { /* the loss belongs to the second of now */
		flow->window_ns = now_ns;
		flow->window_bytes = fair_flow_sent(flow);
		flow->window_lost = flow->counts.lost_bytes;
	}
	fair_unlink(fair, id);
	flow->state = FLOW_STATE_HELD;
	flow->counts.member_waits++;
}

/* The highest band, or a lower one whose floor is due. */
static struct band *choose_band(struct fair *fair, enum fair_phase *phase)
{
	struct band *top = &fair->bands[31 - __builtin_clz(fair->bands_ready)], *due = top;

	*phase = FAIR_PHASE_SHARE;
	if (top == fair->bands || fair->options.floor_permille == 0)
		return top;
	for (struct band *band = fair->bands; band < top; band++)
		if (band->heap.n && band->floor_due <= fair->served &&
		    (due == top || band->floor_due < due->floor_due))
			due = band;
	if (due != top)
		*phase = FAIR_PHASE_FLOOR;
	return due;
}

int fair_next(struct fair *fair, uint64_t now_ns, uint64_t *deadline_ns)
{
	while (fair->timers.n && heap_top(&fair->timers)->key <= now_ns)
		wake(fair, heap_top(&fair->timers)->id, now_ns);
	*deadline_ns = fair->timers.n ? heap_top(&fair->timers)->key : DEADLINE_NEVER;
	fair->turn = -1;
	if (fair->due.n) {
		fair->turn = (int)heap_top(&fair->due)->id;
		fair->phase = FAIR_PHASE_MINIMUM;
	} else if (fair->bands_ready) {
		fair->turn = (int)heap_top(&choose_band(fair, &fair->phase)->heap)->id;
	}
	return fair->turn;
}

enum fair_phase fair_last_phase(const struct fair *fair)
{
	return fair->phase;
}

/* Virtual times begin again before they could wrap. The order in the heap stays the same. */
static void rebase(struct fair *fair, struct band *band)
{
	const uint64_t base = band->time - TAG_REST;

	for (uint32_t id = 0; id < fair->max_flows; id++) {
		struct flow *flow = &fair->flows[id];

		if (flow->state != FLOW_STATE_FREE && fair_band(fair, flow) == band)
			flow->tag -= MIN(flow->tag, base);
	}
	for (uint32_t i = HEAP_ROOT; i < HEAP_ROOT + band->heap.n; i++)
		band->heap.entries[i].key -= MIN(band->heap.entries[i].key, base);
	band->time -= base;
}

/* When the band's floor is due again, in bytes of all that is served. What the band gets as the
 * highest one does not count, neither way. Minima do: a floor is not given in addition. */
static void charge_floor(struct fair *fair, struct band *band, uint32_t bytes,
			 enum fair_phase phase)
{
	const uint32_t floor = fair->options.floor_permille;
	uint64_t lag;

	if (!fair->options.strict || floor == 0)
		return;
	if (phase == FAIR_PHASE_SHARE) {
		band->floor_due = MAX(band->floor_due, fair->served);
		return;
	}
	/* Frames differ: a small one may be due behind a large one of another band. */
	lag = FLOOR_LAG_BYTES * 1000 / floor;
	if (band->floor_due + lag < fair->served)
		band->floor_due = fair->served - lag;
	band->floor_due = MIN(band->floor_due, fair->served + lag);
	band->floor_due += (uint64_t)bytes * 1000 / floor;
}

/* Service out of turn counts as share as well. What puts the flow further ahead than the lag is
 * forgotten, but never its last frame, which by itself may be larger than the lag. */
static void bound_lead(struct fair *fair, struct flow *flow)
{
	const uint64_t lead =
		fair_tag_of(flow, (uint64_t)fair->options.max_lag_bytes + flow->largest);

	flow->tag = MIN(flow->tag, fair_band_time(fair_band(fair, flow)) + lead);
}

static void charge_minimum(struct flow *flow, uint32_t bytes, uint64_t now_ns)
{
	if (flow->min_ns + FAIR_MINIMUM_LAG_NS < now_ns)
		flow->min_ns = now_ns - FAIR_MINIMUM_LAG_NS;
	flow->min_ns += bytes * 8 * NSEC_PER_SEC / flow->min_bps;
}

void fair_give_back(struct fair *fair, uint32_t id, struct cost cost, bool minimum, uint64_t now_ns)
{
	struct flow *flow = &fair->flows[id];
	uint64_t time, lag, back;

	/* Whose member takes nothing has no use for turns. */
	if (flow->state == FLOW_STATE_FREE || flow->state == FLOW_STATE_HELD)
		return;
	time = fair_band_time(fair_band(fair, flow));
	lag = fair_tag_of(flow, fair->options.max_lag_bytes);
	back = fair_tag_of(flow, cost.share);
	if (time > lag)
		back = MIN(back, flow->tag - MIN(flow->tag, time - lag));
	flow->tag -= MIN(flow->tag, back);
	if (minimum && flow->min_bps) {
		const uint64_t ns = cost.bytes * 8 * NSEC_PER_SEC / flow->min_bps;

		flow->min_ns -= MIN(flow->min_ns, ns);
	}
	if (fair_flow_active(flow))
		fair_place(fair, id, now_ns);
}

static void charge(struct fair *fair, struct flow *flow, struct cost cost, enum fair_phase phase,
		   uint64_t now_ns)
{
	struct band *band = fair_band(fair, flow);
	const uint64_t add = ((uint64_t)cost.share << FAIR_TAG_SHIFT) + flow->tag_frac;

	flow->tag += add / flow->shares;
	flow->tag_frac = (uint32_t)(add % flow->shares);
	if (phase == FAIR_PHASE_MINIMUM)
		charge_minimum(flow, cost.bytes, now_ns);
	if (flow->limited)
		limit_take(&flow->limit, cost.bytes, now_ns);
	charge_floor(fair, band, cost.bytes, phase);
	fair->served += cost.bytes;
	*fair_flow_bytes(flow, phase) += cost.bytes;
	flow->frames++;
	if (band->time > TAG_REBASE)
		rebase(fair, band);
}

void fair_sent(struct fair *fair, uint32_t id, struct cost cost, const struct cost *next,
	       uint64_t now_ns)
{
	struct flow *flow = &fair->flows[id];
	const bool asked = fair->turn == (int)id;
	const enum fair_phase phase = asked ? fair->phase : FAIR_PHASE_SHARE;
	struct band *band;

	if (flow->state == FLOW_STATE_FREE)
		return;
	fair->turn = -1;
	flow->largest = MAX(flow->largest, cost.share);
	band = fair_band(fair, flow);
	if (asked && phase != FAIR_PHASE_MINIMUM)
		band->time = MAX(band->time, flow->tag);
	else
		bound_lead(fair, flow);
	charge(fair, flow, cost, phase, now_ns);
	if (!next) {
		fair_idle(fair, id, now_ns);
		return;
	}
	flow->head = *next;
	if (flow->state == FLOW_STATE_HELD)
		return;
	fair_place(fair, id, now_ns);
	count_block(flow);
}

void fair_late(struct fair *fair, uint32_t id, uint64_t taken_ns, uint64_t now_ns)
{
	/* A timer that was set meanwhile is early then; when it fires the limit is asked again. */
	limit_late(&fair->flows[id].limit, taken_ns, now_ns);
}

bool fair_deadline_exact(const struct fair *fair)
{
	const struct flow *flow;

	if (fair->timers.n == 0)
		return false;
	flow = &fair->flows[heap_top(&fair->timers)->id];
	return flow->state == FLOW_STATE_BLOCKED && flow->bound == LIMIT_BOUND_PEAK &&
	       flow->config.limit.period_ns == 0;
}
