/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fair_config.c - live changes of the schedule, admission of minima, and its status: see fair.h. */
#include "fair_priv.h"

#include <errno.h>
#include <string.h>

#include "util.h"

const struct fair_options fair_options_default = {
	.floor_permille = 10, .admission_percent = 75, .max_lag_bytes = 262144};

static uint64_t scale(uint64_t value, uint64_t num, uint64_t den)
{
	return (uint64_t)((__uint128_t)value * num / den);
}

/* What the clock of a minimum is ahead stays the same in bytes. */
static void set_minimum(struct fair *fair, uint32_t id, uint64_t min_bps, uint64_t now_ns)
{
	struct flow *flow = &fair->flows[id];

	if (flow->min_bps == min_bps)
		return;
	if (flow->min_bps == 0)
		flow->min_ns = now_ns;
	else if (flow->min_ns > now_ns && min_bps)
		flow->min_ns = now_ns + scale(flow->min_ns - now_ns, flow->min_bps, min_bps);
	flow->min_bps = min_bps;
	flow->minimum = min_bps > 0;
	if (fair_flow_active(flow))
		fair_place(fair, id, now_ns);
}

static uint64_t admissible(const struct fair *fair, uint64_t capacity_bps)
{
	if (fair->all_bps == 0)
		return UINT64_MAX;
	return scale(capacity_bps, fair->options.admission_percent, 100);
}

/* Highest priorities in full, the first band that does not fit in proportion, the others nothing.
 */
static void admit(struct fair *fair, uint64_t now_ns)
{
	uint64_t sums[FAIR_BANDS] = {0}, given[FAIR_BANDS];
	uint64_t left = admissible(fair, fair->up_bps);

	fair->turn = -1;
	fair->fit = true;
	for (uint32_t id = 0; id < fair->max_flows; id++)
		if (fair_has(fair, id))
			sums[fair->flows[id].config.priority] += fair->flows[id].config.min_bps;
	for (int band = FAIR_PRIORITY_MAX; band >= 0; band--) {
		given[band] = MIN(sums[band], left);
		left -= given[band];
		fair->fit &= given[band] == sums[band];
	}
	for (uint32_t id = 0; id < fair->max_flows; id++) {
		const struct fair_flow_config *config = &fair->flows[id].config;

		if (fair_has(fair, id) && sums[config->priority])
			set_minimum(fair, id,
				    scale(config->min_bps, given[config->priority],
					  sums[config->priority]),
				    now_ns);
	}
}

void fair_set_capacity(struct fair *fair, uint64_t up_bps, uint64_t all_bps, uint64_t now_ns)
{
	if (fair->up_bps == up_bps && fair->all_bps == all_bps)
		return;
	fair->up_bps = up_bps;
	fair->all_bps = all_bps;
	admit(fair, now_ns);
}

int fair_options_check(const struct fair_options *options, const char **why)
{
	*why = NULL;
	if (options->floor_permille > FAIR_FLOOR_MAX)
		*why = "floor is over 5 %";
	else if (options->admission_percent < 1 || options->admission_percent > 100)
		*why = "admission is not 1 to 100 %";
	else if (options->max_lag_bytes < LIMIT_BURST_MIN || options->max_lag_bytes > FAIR_LAG_MAX)
		*why = "max_lag is not 1538 bytes to 1 GiB";
	else if (options->wake_credit_bytes > options->max_lag_bytes)
		*why = "wake_credit is over max_lag";
	else if (options->slack_ns > FAIR_SLACK_MAX_NS)
		*why = "timer_slack is over 1 ms";
	return *why ? -EINVAL : 0;
}

/* A flow that changes its band or its shares is as far ahead of the new virtual time as it was of
 * the old one, in bytes. */
struct position {
	uint64_t ahead_bytes;
	bool active;
};

static struct position lift(struct fair *fair, uint32_t id)
{
	struct flow *flow = &fair->flows[id];
	struct position position = {.active = fair_flow_active(flow)};
	uint64_t time;

	fair_count_loss(fair, flow);
	time = fair_band_time(fair_band(fair, flow));
	fair_unlink(fair, id);
	if (flow->tag > time)
		position.ahead_bytes = fair_cost_of(flow, flow->tag - time);
	return position;
}

static void lower(struct fair *fair, uint32_t id, struct position position, uint64_t now_ns)
{
	struct flow *flow = &fair->flows[id];

	flow->tag = fair_band_time(fair_band(fair, flow)) + fair_tag_of(flow, position.ahead_bytes);
	flow->tag_frac = 0;
	if (position.active)
		fair_place(fair, id, now_ns);
}

int fair_configure(struct fair *fair, const struct fair_options *options, uint64_t now_ns,
		   const char **why)
{
	const bool strict = fair->options.strict;

	if (fair_options_check(options, why) < 0)
		return -EINVAL;
	fair->options = *options;
	for (uint32_t id = 0; id < fair->max_flows && strict != options->strict; id++) {
		struct position position;

		if (!fair_has(fair, id))
			continue;
		fair->options.strict = strict;
		position = lift(fair, id);
		fair->options.strict = options->strict;
		lower(fair, id, position, now_ns);
	}
	admit(fair, now_ns);
	return 0;
}

int fair_flow_check(const struct fair_flow_config *config, const char **why)
{
	const struct limit_config *limit = &config->limit;

	if (limit_check(limit, why) < 0)
		return -EINVAL;
	if (config->shares < 1 || config->shares > FAIR_SHARES_MAX)
		*why = "shares are not 1 to 100000";
	else if (config->priority > FAIR_PRIORITY_MAX)
		*why = "priority is over 10";
	else if (MAX(config->min_bps, MAX(limit->avg_bps, limit->peak_bps)) > FAIR_RATE_MAX)
		*why = "rate is over 1 Tbit";
	else if (limit->avg_bps && config->min_bps > limit->avg_bps)
		*why = "min is over avg";
	else if (limit->peak_bps && config->min_bps > limit->peak_bps)
		*why = "min is over peak";
	return *why ? -EINVAL : 0;
}

int64_t fair_room_bps(const struct fair *fair)
{
	const uint64_t limit = admissible(fair, fair->all_bps);
	uint64_t sum = 0;

	if (limit == UINT64_MAX)
		return INT64_MAX;
	for (uint32_t i = 0; i < fair->max_flows; i++)
		if (fair_has(fair, i))
			sum += fair->flows[i].config.min_bps;
	return (int64_t)limit - (int64_t)sum;
}

/* Lowering is always allowed, even while the sum is still too much. */
static bool fits(const struct fair *fair, uint32_t id, uint64_t min_bps)
{
	const uint64_t now_bps = fair_has(fair, id) ? fair->flows[id].config.min_bps : 0;

	return min_bps <= now_bps || (int64_t)(min_bps - now_bps) <= fair_room_bps(fair);
}

int fair_flow_set(struct fair *fair, uint32_t id, const struct fair_flow_config *config,
		  uint64_t now_ns, const char **why)
{
	struct flow *flow = &fair->flows[id];
	struct position position = {0};

	if (fair_flow_check(config, why) < 0)
		return -EINVAL;
	if (!fits(fair, id, config->min_bps)) {
		*why = "the sum of all min is over the part of the capacity for them";
		return -ENOSPC;
	}
	if (fair_has(fair, id))
		position = lift(fair, id);
	else
		*flow = (struct flow){.state = FLOW_STATE_IDLE, .idle_ns = now_ns};
	flow->config = *config;
	flow->shares = config->shares;
	flow->priority = config->priority;
	flow->limited = config->limit.avg_bps || config->limit.peak_bps;
	flow->largest = 0;
	limit_set(&flow->limit, &config->limit, now_ns);
	lower(fair, id, position, now_ns);
	if (config->min_bps == 0)
		set_minimum(fair, id, 0, now_ns);
	admit(fair, now_ns);
	return 0;
}

void fair_flow_remove(struct fair *fair, uint32_t id, uint64_t now_ns)
{
	if (!fair_has(fair, id))
		return;
	fair_unlink(fair, id);
	fair->flows[id].state = FLOW_STATE_FREE;
	admit(fair, now_ns);
}

bool fair_has(const struct fair *fair, uint32_t id)
{
	return id < fair->max_flows && fair->flows[id].state != FLOW_STATE_FREE;
}

const struct fair_flow_config *fair_flow_config(const struct fair *fair, uint32_t id)
{
	return &fair->flows[id].config;
}

static enum fair_wait wait_of(const struct flow *flow)
{
	switch (flow->state) {
	case FLOW_STATE_FREE:
	case FLOW_STATE_IDLE:
		return FAIR_WAIT_IDLE;
	case FLOW_STATE_READY:
		return FAIR_WAIT_TURN;
	case FLOW_STATE_BLOCKED:
		return flow->bound == LIMIT_BOUND_AVERAGE ? FAIR_WAIT_AVERAGE : FAIR_WAIT_PEAK;
	case FLOW_STATE_HELD:
		return FAIR_WAIT_MEMBER;
	}
	return FAIR_WAIT_IDLE;
}

void fair_flow_status(struct fair *fair, uint32_t id, uint64_t now_ns, struct fair_status *status)
{
	struct flow *flow = &fair->flows[id];
	const uint64_t time = fair_band_time(fair_band(fair, flow));
	uint64_t lost, sent;

	fair_count_loss(fair, flow);
	*status = flow->counts;
	status->frames = flow->frames;
	status->bytes[FAIR_PHASE_SHARE] = flow->share_bytes;
	status->min_bps = flow->min_bps;
	status->wait = wait_of(flow);
	status->lag_bytes = flow->tag >= time ? (int64_t)fair_cost_of(flow, flow->tag - time)
					      : -(int64_t)fair_cost_of(flow, time - flow->tag);
	if (status->wait == FAIR_WAIT_IDLE)
		status->lag_bytes = MAX(status->lag_bytes, 0);
	lost = flow->counts.lost_bytes - flow->window_lost;
	sent = fair_flow_sent(flow) - flow->window_bytes;
	status->pin_limited =
		lost * 100 > lost + sent &&
		(flow->state == FLOW_STATE_HELD || now_ns - flow->window_ns <= NSEC_PER_SEC);
}

uint64_t fair_admissible_bps(const struct fair *fair)
{
	return admissible(fair, fair->up_bps);
}

bool fair_minima_fit(const struct fair *fair)
{
	return fair->fit;
}

void fair_entitled(struct fair *fair, const uint64_t *demand_bps, uint64_t *rate_bps)
{
	const struct water_link link = {.capacity_bps = fair->up_bps,
					.strict = fair->options.strict,
					.floor_permille = fair->options.floor_permille};

	for (uint32_t i = 0; i < fair->max_flows; i++) {
		const struct flow *flow = &fair->flows[i];
		const struct limit_config *limit = &flow->config.limit;

		/* A flow that is not there has one share of nothing. */
		fair->water[i] = (struct water_flow){.shares = 1};
		if (fair_has(fair, i))
			fair->water[i] = (struct water_flow){
				.shares = flow->config.shares,
				.priority = flow->config.priority,
				.min_bps = flow->min_bps,
				.max_bps = limit->avg_bps ? limit->avg_bps : limit->peak_bps,
				.demand_bps = demand_bps[i]};
	}
	water_fill(fair->water, fair->max_flows, &link);
	for (uint32_t i = 0; i < fair->max_flows; i++)
		rate_bps[i] = fair->water[i].rate_bps;
}
