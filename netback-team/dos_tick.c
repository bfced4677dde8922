/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dos_tick.c - from counts to figures and verdicts, each second and each tenth: see dos.h. */
#include "dos_priv.h"

#include <string.h>

#include "util.h"

static uint64_t per_second(uint64_t n, uint64_t elapsed_ns)
{
	if (n <= UINT64_MAX / NSEC_PER_SEC)
		return n * NSEC_PER_SEC / MAX(elapsed_ns, 1);
	return (uint64_t)((__uint128_t)n * NSEC_PER_SEC / MAX(elapsed_ns, 1));
}

static uint64_t beyond(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

static uint64_t percent(uint64_t a, uint64_t b)
{
	return a * 100 / MAX(b, 1);
}

/* The metrics that are rates. counts: of both directions in elapsed_ns. */
static void rates(enum dos_direction direction, uint64_t (*counts)[DOS_COUNTS], uint64_t elapsed_ns,
		  uint64_t *values)
{
	const uint64_t *mine = counts[direction], *theirs = counts[!direction];
	static const struct {
		enum dos_metric metric;
		enum dos_counter count;
	} same[] = {
		{DOS_PPS, COUNT_PACKETS}, {DOS_FLOWS, COUNT_FLOWS},
		{DOS_SYN, COUNT_SYN},	  {DOS_FRAGMENTS, COUNT_FRAGMENTS},
		{DOS_DROPS, COUNT_DROPS}, {DOS_SPOOFED, COUNT_SPOOFED},
	};
	/* Who is flooded answers: refusals are laid to what they refuse, and to no more than that.
	 */
	static const struct {
		enum dos_metric metric;
		enum dos_counter count;
	} refused[] = {
		{DOS_RST, COUNT_RST},
		{DOS_UNREACH, COUNT_UNREACH},
		{DOS_CLOSED, COUNT_CLOSED},
	};
	const uint64_t one_sided = beyond(mine[COUNT_UDP], theirs[COUNT_UDP] * DOS_UDP_ONE_SIDED);
	const uint64_t answers =
		theirs[COUNT_LARGE] + (direction == DOS_FROM_GUEST ? theirs[COUNT_SMALL] : 0);

	for (size_t i = 0; i < ARRAY_SIZE(same); i++)
		values[same[i].metric] = per_second(mine[same[i].count], elapsed_ns);
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		values[refused[i].metric] =
			per_second(MIN(theirs[refused[i].count], mine[COUNT_PACKETS]), elapsed_ns);
	values[DOS_BPS] = per_second(mine[COUNT_BYTES] * 8, elapsed_ns);
	values[DOS_UNANSWERED] = per_second(MAX(mine[COUNT_UNANSWERED], one_sided), elapsed_ns);
	values[DOS_SMALL] = per_second(beyond(mine[COUNT_SMALL], answers), elapsed_ns);
}

static void since(const struct dos_side *side, const uint64_t *then, uint64_t *counts)
{
	for (unsigned int i = 0; i < DOS_COUNTS; i++)
		counts[i] = side->counts[i] - then[i];
}

static void judge_fast(struct dos *dos, int vm, enum dos_direction direction,
		       const uint64_t *values, uint64_t now_ns)
{
	struct dos_vm *v = dos->vms[vm];
	struct dos_side *side = &v->sides[direction];

	for (unsigned int metric = 0; metric < DOS_METRICS; metric++) {
		const uint64_t floor = v->options.threshold[direction][metric];
		struct dos_meter *meter = &side->meters[metric];

		/* Most figures are far below: leave those alone. */
		if (!dos_metric_info(metric)->rate || floor == 0 || meter->alarm ||
		    (values[metric] <= floor && !meter->fast_over))
			continue;
		if (dos_meter_fast(meter, &v->options.meter, values[metric], floor, now_ns) !=
		    DOS_CHANGE_RAISED)
			continue;
		dos_take_top(side);
		dos_report(dos, vm, direction, metric, DOS_CHANGE_RAISED, now_ns);
	}
}

static void fast_tick(struct dos *dos, int vm, uint64_t elapsed_ns, uint64_t now_ns)
{
	struct dos_vm *v = dos->vms[vm];
	uint64_t counts[2][DOS_COUNTS], values[2][DOS_METRICS] = {{0}};

	for (unsigned int d = 0; d < 2; d++) {
		since(&v->sides[d], v->sides[d].at_fast, counts[d]);
		memcpy(v->sides[d].at_fast, v->sides[d].counts, sizeof(v->sides[d].counts));
	}
	if (!v->options.enable)
		return;
	for (unsigned int d = 0; d < 2; d++) {
		rates((enum dos_direction)d, counts, elapsed_ns, values[d]);
		values[d][DOS_HALF_OPEN] = v->sides[d].half_open;
		judge_fast(dos, vm, (enum dos_direction)d, values[d], now_ns);
	}
}

/* Sums of unanswered packets of the second; of sampled flows as many as were looked at. */
static uint64_t in_bins(const struct dos_side *side)
{
	uint64_t n = 0;

	for (unsigned int i = 0; i < DOS_BINS; i++)
		n += side->bins[i];
	return n;
}

/* Fewer packets than this have no entropy worth the name. */
#define ENTROPY_LEARN_MIN 50

static void judge(struct dos *dos, int vm, enum dos_direction direction, uint64_t n_bins,
		  uint64_t now_ns)
{
	struct dos_vm *v = dos_vm_of(dos, vm);
	struct dos_side *side = &v->sides[direction];
	const bool freeze = v->n_alarms > 0;

	for (unsigned int metric = 0; metric < DOS_METRICS; metric++) {
		const struct dos_reading reading = {
			.value = side->values[metric],
			.floor = v->options.threshold[direction][metric],
			.two_sided = metric == DOS_ENTROPY,
			.adaptive = dos_metric_info(metric)->adaptive,
			.idle = metric == DOS_ENTROPY && n_bins < v->options.entropy_min,
			.freeze = freeze || (metric == DOS_ENTROPY && n_bins < ENTROPY_LEARN_MIN),
			.partial = side->rested,
		};

		if (reading.floor == 0)
			continue;
		dos_report(
			dos, vm, direction, metric,
			dos_meter_tick(&side->meters[metric], &v->options.meter, &reading, now_ns),
			now_ns);
	}
}

static void judge_rules(struct dos *dos, int vm, uint64_t elapsed_ns, uint64_t now_ns)
{
	const unsigned int n = dos->signatures ? signature_count(dos->signatures) : 0;
	struct dos_vm *v = dos->vms[vm];

	for (unsigned int i = 0; i < n; i++) {
		struct dos_rule *rule = &v->rules[i];
		const struct dos_reading reading = {
			.value = per_second(rule->count, elapsed_ns),
			.floor = signature_info(dos->signatures, i).pps,
			.freeze = true,
			.partial = v->sides[rule->direction].rested,
		};

		if (rule->count == 0 && rule->meter.over == 0 && !rule->meter.alarm)
			continue;
		rule->count = 0;
		dos_report(dos, vm, rule->direction, DOS_METRICS + i,
			   dos_meter_tick(&rule->meter, &v->options.meter, &reading, now_ns),
			   now_ns);
	}
}

/* A guest's second becomes part of the team's. */
static void add_to_team(struct dos *dos, const struct dos_side *from, enum dos_direction direction,
			const uint64_t *counts)
{
	struct dos_side *team = &dos->team.sides[direction];

	for (unsigned int i = 0; i < DOS_COUNTS; i++)
		team->counts[i] += counts[i];
	for (unsigned int i = 0; i < DOS_BINS; i++)
		team->bins[i] += from->bins[i];
	hll_merge(team->sources, from->sources);
	for (unsigned int i = 0; i < from->n_top_peers; i++) {
		const struct dos_top *top = &from->top_peers[i];
		const uint64_t key = dos_addr_hash(dos, &top->addr);

		countmin_add(team->peer_counts, key, (uint32_t)MIN(top->packets, UINT32_MAX));
		spacesaving_add(team->peers, key, top->addr.bytes, top->packets);
	}
	for (unsigned int i = 0; i < from->n_top_ports; i++) {
		uint8_t label[SPACESAVING_LABEL] = {0};

		memcpy(label, &from->top_ports[i].port, sizeof(from->top_ports[i].port));
		spacesaving_add(team->ports, from->top_ports[i].port, label,
				from->top_ports[i].packets);
	}
}

static void begin_second(struct dos_side *side, bool was_busy)
{
	memcpy(side->at_tick, side->counts, sizeof(side->counts));
	side->half_open -= DIV_ROUND_UP(side->half_open, 8);
	side->rested = false;
	if (!was_busy)
		return;
	memset(side->bins, 0, sizeof(side->bins));
	hll_clear(side->sources);
	spacesaving_clear(side->peers);
	spacesaving_clear(side->ports);
	countmin_clear(side->peer_counts);
}

static void figures(const struct dos_options *options, struct dos_side *side,
		    uint64_t (*counts)[DOS_COUNTS], unsigned int d, uint64_t elapsed_ns)
{
	uint64_t *values = side->values;

	rates((enum dos_direction)d, counts, elapsed_ns, values);
	values[DOS_HALF_OPEN] = side->half_open;
	values[DOS_SYN_RATIO] = values[DOS_SYN] >= options->syn_min
					? percent(counts[d][COUNT_SYN], counts[!d][COUNT_SYNACK])
					: 0;
	values[DOS_SOURCES] = hll_estimate(side->sources);
	values[DOS_ENTROPY] = sketch_entropy(side->bins, DOS_BINS);
}

/* A guest's second is over, or the team's. */
static void tick(struct dos *dos, int vm, uint64_t now_ns)
{
	struct dos_vm *v = dos_vm_of(dos, vm);
	const uint64_t elapsed_ns = now_ns - v->tick_ns;
	uint64_t counts[2][DOS_COUNTS];

	for (unsigned int d = 0; d < 2; d++) {
		since(&v->sides[d], v->sides[d].at_tick, counts[d]);
		dos_take_top(&v->sides[d]);
	}
	for (unsigned int d = 0; d < 2; d++) {
		figures(&v->options, &v->sides[d], counts, d, elapsed_ns);
		if (v->options.enable)
			judge(dos, vm, (enum dos_direction)d, in_bins(&v->sides[d]), now_ns);
		if (vm != DOS_TEAM && counts[d][COUNT_PACKETS])
			add_to_team(dos, &v->sides[d], (enum dos_direction)d, counts[d]);
	}
	if (vm != DOS_TEAM && v->options.enable)
		judge_rules(dos, vm, elapsed_ns, now_ns);
	for (unsigned int d = 0; d < 2; d++)
		begin_second(&v->sides[d], counts[d][COUNT_PACKETS] > 0);
	v->tick_ns = now_ns;
	v->due_ns += ((now_ns - v->due_ns) / DOS_TICK_NS + 1) * DOS_TICK_NS;
}

static void team_tick(struct dos *dos, uint64_t now_ns)
{
	for (unsigned int d = 0; d < 2; d++) {
		dos->team.sides[d].half_open = 0;
		for (int vm = 0; vm < dos->n_vms; vm++)
			if (dos->vms[vm])
				dos->team.sides[d].half_open += dos->vms[vm]->sides[d].half_open;
	}
	tick(dos, DOS_TEAM, now_ns);
}

/* How much of the next 100 ms is looked at, if it is as busy as this. */
static void choose_samples(struct dos *dos, uint64_t pps)
{
	dos->flow_shift = pps > DOS_SAMPLE_PPS ? DOS_SAMPLE_SHIFT : 0;
	dos->detail_shift = 0;
	while (pps >> dos->detail_shift > DOS_DETAIL_PPS && dos->detail_shift < 12)
		dos->detail_shift++;
}

void dos_run(struct dos *dos, uint64_t now_ns)
{
	const uint64_t elapsed_ns = now_ns - dos->fast_ns;

	if (now_ns < dos->next_ns)
		return;
	choose_samples(dos, per_second(dos->n_packets, elapsed_ns));
	dos->n_packets = 0;
	dos->step = (uint8_t)(now_ns / DOS_STEP_NS);
	for (int vm = 0; vm < dos->n_vms; vm++) {
		if (!dos->vms[vm])
			continue;
		fast_tick(dos, vm, elapsed_ns, now_ns);
		if (now_ns >= dos->vms[vm]->due_ns)
			tick(dos, vm, now_ns);
	}
	if (now_ns >= dos->team.due_ns)
		team_tick(dos, now_ns);
	dos->fast_ns = now_ns;
	dos->next_ns += ((now_ns - dos->next_ns) / DOS_FAST_NS + 1) * DOS_FAST_NS;
}

uint64_t dos_deadline(const struct dos *dos)
{
	return dos->next_ns;
}
