/* SPDX-License-Identifier: GPL-2.0-or-later */
/* limit.c - average, burst, peak and period of one VM, see limit.h. fair.c asks it before it offers
 * a VM's frame. */
#include "limit.h"

#include <errno.h>
#include <stddef.h>

#include "util.h"

int limit_check(const struct limit_config *config, const char **why)
{
	*why = NULL;
	if (config->peak_bps && config->peak_bps < config->avg_bps)
		*why = "peak is below avg";
	else if (config->burst_bytes && config->burst_bytes < LIMIT_BURST_MIN)
		*why = "burst is below one frame (1538 bytes)";
	else if (config->burst_bytes && !config->avg_bps)
		*why = "burst without avg";
	else if (config->period_ns && !config->peak_bps)
		*why = "period without peak";
	else if (config->period_ns > LIMIT_PERIOD_MAX_NS)
		*why = "period is over 10 s";
	else if (config->period_ns && config->period_ns < NSEC_PER_USEC)
		*why = "period is below 1 us";
	return *why ? -EINVAL : 0;
}

/* What went a period ago or before is forgotten. */
static void forget(struct limit *limit, uint64_t now_ns)
{
	while (limit->n && limit->slots[limit->first].last_ns + limit->period_ns <= now_ns) {
		limit->used -= limit->slots[limit->first].bytes;
		limit->first = (limit->first + 1) % LIMIT_SLOTS;
		limit->n--;
	}
}

/* `last_ns` of the newest slot is to be this. */
static void set_last(struct limit *limit, struct limit_slot *slot, uint64_t last_ns)
{
	slot->last_ns = last_ns;
	if (last_ns >= limit->slot_end_ns)
		limit->slot_end_ns = (last_ns / limit->slot_ns + 1) * limit->slot_ns;
}

static void remember(struct limit *limit, uint64_t bytes, uint64_t now_ns)
{
	struct limit_slot *slot = &limit->slots[(limit->first + limit->n - 1) % LIMIT_SLOTS];

	forget(limit, now_ns);
	if (limit->n == 0 || now_ns >= limit->slot_end_ns) {
		slot = &limit->slots[(limit->first + limit->n++) % LIMIT_SLOTS];
		slot->bytes = 0;
	}
	set_last(limit, slot, now_ns);
	slot->bytes += bytes;
	limit->used += bytes;
}

void limit_set(struct limit *limit, const struct limit_config *config, uint64_t now_ns)
{
	uint64_t burst = config->burst_bytes, used = 0;

	if (burst == 0)
		burst = MAX(LIMIT_BURST_DEFAULT, config->avg_bps / 800);
	shape_set_depth(&limit->average, config->avg_bps, burst, now_ns);
	limit->patience_ns =
		config->avg_bps
			? (uint64_t)((__uint128_t)burst * 4 * NSEC_PER_SEC / config->avg_bps)
			: 0;
	shape_set_depth(&limit->pace, config->peak_bps, config->period_ns ? 0 : LIMIT_BURST_MIN,
			now_ns);
	if (limit->slot_ns) {
		forget(limit, now_ns);
		used = limit->used;
	}
	limit->config = *config;
	limit->period_ns = config->period_ns;
	limit->slot_ns = DIV_ROUND_UP(config->period_ns, LIMIT_SLOTS - 1);
	limit->window_bytes =
		(uint64_t)((__uint128_t)config->peak_bps * config->period_ns / (8 * NSEC_PER_SEC));
	limit->first = limit->n = 0;
	limit->used = limit->slot_end_ns = 0;
	if (limit->slot_ns && used) /* as if it all went just now: late rather than too much */
		remember(limit, used, now_ns);
}

/* When the window has room; never for what is larger than the window. */
static uint64_t room_ns(struct limit *limit, uint32_t bytes, uint64_t now_ns)
{
	uint64_t used, ready = now_ns;
	uint32_t at;

	if (limit->slot_ns == 0 || bytes > limit->window_bytes)
		return DEADLINE_NEVER;
	forget(limit, now_ns);
	at = limit->first;
	for (used = limit->used; used + bytes > limit->window_bytes; at = (at + 1) % LIMIT_SLOTS) {
		used -= limit->slots[at].bytes;
		ready = limit->slots[at].last_ns + limit->period_ns;
	}
	return ready;
}

uint64_t limit_ready_ns(struct limit *limit, uint32_t bytes, uint64_t now_ns,
			enum limit_bound *bound)
{
	uint64_t ready = shape_ready_ns(&limit->average, bytes, now_ns), peak;

	*bound = ready > now_ns ? LIMIT_BOUND_AVERAGE : LIMIT_BOUND_NONE;
	if (!limit->pace.rate_bps)
		return ready;
	peak = shape_ready_ns(&limit->pace, bytes, now_ns);
	if (peak > now_ns)
		peak = MIN(peak, room_ns(limit, bytes, now_ns));
	if (peak > ready) {
		*bound = LIMIT_BOUND_PEAK;
		ready = peak;
	}
	return ready;
}

void limit_take(struct limit *limit, uint32_t bytes, uint64_t now_ns)
{
	shape_take(&limit->average, bytes, now_ns);
	shape_take(&limit->pace, bytes, now_ns);
	if (limit->slot_ns)
		remember(limit, bytes, now_ns);
}

void limit_late(struct limit *limit, uint64_t taken_ns, uint64_t now_ns)
{
	struct limit_slot *last = &limit->slots[(limit->first + limit->n - 1) % LIMIT_SLOTS];

	shape_late(&limit->average, taken_ns, now_ns);
	shape_late(&limit->pace, taken_ns, now_ns);
	if (limit->n && last->last_ns == taken_ns)
		set_last(limit, last, now_ns);
}
