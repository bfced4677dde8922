/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench-fair.c - what the choice of the next frame costs (fair_next and fair_sent), with 1 to 4096
 * VMs that all have frames, beside a plain search for the smallest virtual time.
 *
 * bench-fair [--ms N] [--rounds N] [--json FILE]. Ours and the peer take turns in short rounds, so
 * that a busy machine hurts both alike; figures are medians of the rounds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/util.h"
#include "netback-team/fair.h"
#include "tests/bench/rounds.h"

#define BATCH	 64
#define LINK_BPS 10000000000ull

static struct fair *fair;
static uint32_t n_flows;
static uint64_t now_ns, link_frac; /* of the simulated link */
static uint64_t waits;		   /* times it stood still */
static uint64_t searched[FAIR_FLOWS_MAX], steps[FAIR_FLOWS_MAX];
static volatile uint64_t sink;

static const struct cost sizes[] = {{1538, 1538}, {84, 84}, {614, 614}, {68706, 68706}};

static void ours(void)
{
	uint64_t deadline;

	for (int i = 0; i < BATCH; i++) {
		const int flow = fair_next(fair, now_ns, &deadline);
		const struct cost *cost;

		if (flow < 0) { /* all are at their limits: the link waits */
			now_ns = deadline;
			waits++;
			continue;
		}
		cost = &sizes[flow % 4];
		fair_sent(fair, (uint32_t)flow, *cost, cost, now_ns);
		link_frac += cost->bytes * 8 * NSEC_PER_SEC;
		now_ns += link_frac / LINK_BPS;
		link_frac %= LINK_BPS;
	}
}

static void peer(void)
{
	for (int i = 0; i < BATCH; i++) {
		uint32_t least = 0;

		for (uint32_t flow = 1; flow < n_flows; flow++)
			if (searched[flow] < searched[least])
				least = flow;
		searched[least] += steps[least];
		sink += least;
	}
}

/* What each VM is configured with. */
static struct fair_flow_config shares(uint32_t id)
{
	return (struct fair_flow_config){.shares = 500 + id * 37 % 1500};
}

static struct fair_flow_config minima(uint32_t id)
{
	struct fair_flow_config config = shares(id);

	config.min_bps = LINK_BPS / 2 / n_flows;
	config.priority = (uint8_t)(id % (FAIR_PRIORITY_MAX + 1));
	return config;
}

static struct fair_flow_config limits(uint32_t id)
{
	struct fair_flow_config config = minima(id);

	config.limit.avg_bps = LINK_BPS / n_flows;
	config.limit.peak_bps = 2 * config.limit.avg_bps;
	config.limit.period_ns = 10 * NSEC_PER_MSEC;
	return config;
}

static const struct {
	const char *name;
	struct fair_flow_config (*config)(uint32_t id);
	bool strict;
} kinds[] = {
	{"shares", shares, false},
	{"and minima, strict", minima, true},
	{"and average, peak", limits, true},
};

static const uint32_t numbers[] = {1, 64, 512, 4096};

static void build(size_t kind, uint32_t n)
{
	struct fair_options options = fair_options_default;
	const char *why = NULL;

	n_flows = n;
	now_ns = NSEC_PER_SEC;
	fair = fair_create(n);
	options.strict = kinds[kind].strict;
	fair_set_capacity(fair, LINK_BPS, LINK_BPS, now_ns);
	fair_configure(fair, &options, now_ns, &why);
	for (uint32_t id = 0; id < n; id++) {
		const struct fair_flow_config config = kinds[kind].config(id);

		if (fair_flow_set(fair, id, &config, now_ns, &why) < 0) {
			fprintf(stderr, "bench-fair: VM %u: %s\n", id, why);
			exit(1);
		}
		fair_backlog(fair, id, sizes[id % 4], now_ns);
		searched[id] = 0;
		steps[id] = ((uint64_t)sizes[id % 4].bytes << 16) / config.shares;
	}
}

/* ns a frame. */
static double measure(void (*fn)(void), uint64_t duration_ns)
{
	const uint64_t begin_ns = clock_now(&clock_monotonic);
	uint64_t n = 0, end_ns;

	waits = 0;
	do {
		for (int i = 0; i < 16; i++)
			fn();
		n += 16 * BATCH;
		end_ns = clock_now(&clock_monotonic);
	} while (end_ns - begin_ns < duration_ns);
	return (double)(end_ns - begin_ns) / (double)(n - waits);
}

static json_t *run(size_t kind, uint32_t n, const struct rounds *rounds)
{
	double mine[ROUNDS_MAX] = {0}, search[ROUNDS_MAX] = {0};

	build(kind, n);
	measure(ours, rounds->duration_ns); /* bursts are used up */
	for (unsigned int i = 0; i < rounds->n; i++) {
		mine[i] = measure(ours, rounds->duration_ns);
		search[i] = measure(peer, rounds->duration_ns);
	}
	fair_destroy(fair);
	const double mine_ns = rounds_median(mine, rounds->n);
	const double search_ns = rounds_median(search, rounds->n);
	printf("%-20s %5u VMs %8.1f ns   search %8.1f ns   %6.2f times as fast\n", kinds[kind].name,
	       n, mine_ns, search_ns, search_ns / mine_ns);
	return json_pack("{s:s, s:i, s:s, s:f, s:f, s:f}", "name", kinds[kind].name, "flows",
			 (int)n, "peer", "search", "ours_ns", mine_ns, "peer_ns", search_ns,
			 "ratio", search_ns / mine_ns);
}

int main(int argc, char **argv)
{
	struct rounds rounds;
	json_t *results = json_array();

	if (!rounds_options(&rounds, "bench-fair", 20, argc, argv))
		return 2;
	for (size_t kind = 0; kind < ARRAY_SIZE(kinds); kind++)
		for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
			json_array_append_new(results, run(kind, numbers[i], &rounds));
	return rounds_report(&rounds, results);
}
