/* SPDX-License-Identifier: GPL-2.0-or-later */
/* water.c - entitled rates by water filling, see water.h. fair_config.c reports them. */
#include "water.h"

#include "util.h"

#define BISECTIONS 100

/* One group that shares by weight: everybody, or a band. */
struct group {
	struct water_flow *flows;
	uint32_t n;
	int band; /* -1: all */
};

static bool member(const struct group *group, uint32_t i)
{
	return group->band < 0 || group->flows[i].priority == group->band;
}

static double highest(const struct water_flow *flow)
{
	if (flow->max_bps && flow->max_bps < flow->demand_bps)
		return (double)flow->max_bps;
	return (double)flow->demand_bps;
}

static double lowest(const struct water_flow *flow)
{
	return MIN((double)flow->min_bps, highest(flow));
}

static double at_level(const struct water_flow *flow, double level)
{
	const double rate = level * flow->shares;

	return MIN(MAX(rate, lowest(flow)), highest(flow));
}

static double sum(const struct group *group, double (*of)(const struct water_flow *flow))
{
	double total = 0;

	for (uint32_t i = 0; i < group->n; i++)
		if (member(group, i))
			total += of(&group->flows[i]);
	return total;
}

static double find_level(const struct group *group, double capacity)
{
	double low = 0, high = capacity; /* one share is the least that a flow has */

	for (int step = 0; step < BISECTIONS; step++) {
		const double level = (low + high) / 2;
		double total = 0;

		for (uint32_t i = 0; i < group->n; i++)
			if (member(group, i))
				total += at_level(&group->flows[i], level);
		if (total < capacity)
			low = level;
		else
			high = level;
	}
	return low;
}

static void fill(const struct group *group, double capacity)
{
	const double low = sum(group, lowest);
	const double scale = low > capacity ? capacity / low : 1;
	const double level = low < capacity ? find_level(group, capacity) : 0;

	for (uint32_t i = 0; i < group->n; i++)
		if (member(group, i))
			group->flows[i].rate_bps =
				(uint64_t)(at_level(&group->flows[i], level) * scale);
}

void water_fill(struct water_flow *flows, uint32_t n, const struct water_link *link)
{
	struct group group = {.flows = flows, .n = n, .band = -1};
	double left = (double)link->capacity_bps, sure[WATER_BANDS], below = 0;

	if (!link->strict) {
		fill(&group, left);
		return;
	}
	for (group.band = 0; group.band < (int)WATER_BANDS; group.band++) {
		const double floor = (double)link->capacity_bps * link->floor_permille / 1000;
		const double low = sum(&group, lowest), high = sum(&group, highest);

		sure[group.band] = MIN(MAX(low, floor), high);
		below += sure[group.band];
	}
	for (group.band = WATER_BANDS - 1; group.band >= 0; group.band--) {
		double part;

		below -= sure[group.band];
		part = MIN(sum(&group, highest), MAX(left - below, 0));
		fill(&group, part);
		left -= part;
	}
}
