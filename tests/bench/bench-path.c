/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench-path.c - what all decisions about a guest's frame cost together: whose turn it is (fair.h,
 * with shares, minima and limits as the VMs have them), what the frame is (headers, flow key),
 * which member takes it (mode hash), what the meters of attacks make of it (dos.h). Each part
 * alone, all of them, and the headers alone as the measure of the machine; with 1 to 4096 VMs.
 *
 * bench-path [--ms N] [--rounds N] [--json FILE]. Rows take turns in short rounds, so that a busy
 * machine hurts all alike; figures are medians of the rounds. The link and its clock are simulated:
 * 10 Gbit/s, never idle; 8192 flows of 1514 bytes.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/util.h"
#include "netback-team/dos_frame.h"
#include "netback-team/fair.h"
#include "netback-team/policy.h"
#include "netback-team/team.h"
#include "tests/bench/rounds.h"

#define FLOWS	 8192u
#define HEAD	 66u
#define FRAME	 1514u
#define LINK_BPS 10000000000ull
#define MEMBERS	 4

enum part { PART_HEADERS, PART_TEAM, PART_SCHEDULE, PART_METERS, PART_ALL, PARTS };
static const char *const part_names[PARTS] = {"headers", "team", "schedule", "meters", "all"};
static const uint32_t numbers[] = {1, 64, 512, 4096};

static uint8_t heads[FLOWS][HEAD];
static double ns[ARRAY_SIZE(numbers)][PARTS][ROUNDS_MAX], median_ns[ARRAY_SIZE(numbers)][PARTS];
static struct team team;
static struct fair *fair;
static struct dos *dos;
static uint32_t n_vms, next;
static uint64_t now_ns, link_frac;
static volatile uint64_t sink;

static void build_heads(void)
{
	static const uint8_t start[34] = {2, 0, 0,    0, 0, 1,	 2,  0, 0,    0, 0,  2,
					  8, 0, 0x45, 0, 5, 220, 0,  0, 0x40, 0, 64, 6,
					  0, 0, 10,   0, 0, 1,	 10, 0, 0,    2};

	for (uint32_t i = 0; i < FLOWS; i++) {
		memcpy(heads[i], start, sizeof(start));
		heads[i][28] = (uint8_t)(i >> 8);
		heads[i][29] = (uint8_t)i;
		heads[i][34] = (uint8_t)(i >> 8);
		heads[i][35] = (uint8_t)i;
		heads[i][46] = 0x80;
		heads[i][47] = 0x10;
	}
}

static void build_team(void)
{
	static const char *const names[MEMBERS] = {"a", "b", "c", "d"};
	struct team_options options = {
		.hash = FLOW_L34, .drain_ns = 200000, .rebalance_interval_ns = 10 * NSEC_PER_SEC};

	while (strcmp(policy_names[options.mode], "hash") != 0)
		options.mode++;
	team_init(&team, "t", &options, NULL);
	for (int i = 0; i < MEMBERS; i++)
		team_on_link(&team, team_add(&team, names[i], 128, NULL), true, now_ns);
}

/* As administrators do it: all have shares, every second one a minimum, every fourth one an
 * average and a peak. */
static void build_fair(void)
{
	const struct cost cost = cost_of(COST_UNIT_WIRE, FRAME, 0, 0);
	const char *why = NULL;

	fair = fair_create(n_vms);
	fair_set_capacity(fair, LINK_BPS, LINK_BPS, now_ns);
	for (uint32_t id = 0; id < n_vms; id++) {
		struct fair_flow_config config = {.shares = 500 + id * 37 % 1500,
						  .priority = (uint8_t)(id % 11)};

		if (id % 2)
			config.min_bps = LINK_BPS / 2 / n_vms;
		if (id % 4 == 3) {
			config.limit.avg_bps = 2 * LINK_BPS / n_vms;
			config.limit.peak_bps = 2 * config.limit.avg_bps;
			config.limit.period_ns = 10 * NSEC_PER_MSEC;
		}
		if (fair_flow_set(fair, id, &config, now_ns, &why) < 0) {
			fprintf(stderr, "bench-path: VM %u: %s\n", id, why);
			exit(1);
		}
		fair_backlog(fair, id, cost, now_ns);
	}
}

static void build_dos(void)
{
	struct dos_options options;

	dos_options_default(&options, true);
	dos = dos_create(42, &options, NULL, now_ns);
	dos_options_default(&options, false);
	for (uint32_t i = 0; i < MIN(n_vms, DOS_VMS_MAX); i++)
		dos_vm_add(dos, &options, now_ns);
}

static uint32_t schedule(void)
{
	const struct cost cost = cost_of(COST_UNIT_WIRE, FRAME, 0, 0);
	uint64_t deadline_ns;
	int flow;

	while ((flow = fair_next(fair, now_ns, &deadline_ns)) < 0)
		now_ns = deadline_ns;
	fair_sent(fair, (uint32_t)flow, cost, &cost, now_ns);
	return (uint32_t)flow;
}

static uint64_t choose(const uint8_t *head, const struct frame_info *info)
{
	struct team_frame frame = {.bytes = FRAME, .now_ns = now_ns};

	flow_key_init(&frame.key, head, HEAD, FRAME, info);
	return (uint64_t)team_choose(&team, &frame, 0);
}

static void count(const uint8_t *head, const struct frame_info *info, uint32_t vm)
{
	struct dos_packet packet;

	dos_frame_read(&packet, head, HEAD, FRAME, info, 0);
	dos_on_packet(dos, (int)(vm % DOS_VMS_MAX), DOS_FROM_GUEST, &packet);
}

static void one_frame(enum part part)
{
	const uint8_t *head = heads[next++ * 37 % FLOWS];
	uint32_t vm = next % n_vms;
	struct frame_info info;

	if (part == PART_SCHEDULE || part == PART_ALL)
		vm = schedule();
	if (part != PART_SCHEDULE)
		frame_parse(head, HEAD, FRAME, &info);
	if (part == PART_HEADERS)
		sink += info.payload_off;
	if (part == PART_TEAM || part == PART_ALL)
		sink += choose(head, &info);
	if (part == PART_METERS || part == PART_ALL)
		count(head, &info, vm);
	link_frac += (FRAME + COST_WIRE_EXTRA) * 8 * NSEC_PER_SEC;
	now_ns += link_frac / LINK_BPS;
	link_frac %= LINK_BPS;
}

static double measure(enum part part, uint64_t duration_ns)
{
	const uint64_t begin_ns = clock_now(&clock_monotonic);
	uint64_t n = 0, end_ns;

	do {
		for (int i = 0; i < 1024; i++)
			one_frame(part);
		n += 1024;
		if ((part == PART_METERS || part == PART_ALL) && now_ns >= dos_deadline(dos))
			dos_run(dos, now_ns);
		end_ns = clock_now(&clock_monotonic);
	} while (end_ns - begin_ns < duration_ns);
	return (double)(end_ns - begin_ns) / (double)n;
}

static void run(const struct rounds *rounds)
{
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		n_vms = numbers[i];
		now_ns = NSEC_PER_SEC;
		build_team();
		build_fair();
		build_dos();
		for (enum part part = 0; part < PARTS; part++)
			measure(part, rounds->duration_ns); /* caches */
		for (unsigned int round = 0; round < rounds->n; round++)
			for (enum part part = 0; part < PARTS; part++)
				ns[i][part][round] = measure(part, rounds->duration_ns);
		for (enum part part = 0; part < PARTS; part++)
			median_ns[i][part] = rounds_median(ns[i][part], rounds->n);
		fair_destroy(fair);
		dos_destroy(dos);
	}
}

static json_t *print_results(void)
{
	json_t *results = json_array();

	printf("%-6s", "VMs");
	for (enum part part = 0; part < PARTS; part++)
		printf(" %10s ns", part_names[part]);
	printf("   all/headers\n");
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		json_t *row = json_pack("{s:i, s:s}", "vms", (int)numbers[i], "peer", "headers");
		double all = median_ns[i][PART_ALL], alone = median_ns[i][PART_HEADERS];

		printf("%-6u", numbers[i]);
		for (enum part part = 0; part < PARTS; part++) {
			printf(" %13.1f", median_ns[i][part]);
			json_object_set_new(row, part_names[part], json_real(median_ns[i][part]));
		}
		printf(" %13.1f\n", all / alone);
		json_object_set_new(row, "ratio", json_real(all / alone));
		json_array_append_new(results, row);
	}
	return results;
}

int main(int argc, char **argv)
{
	struct rounds rounds;

	if (!rounds_options(&rounds, "bench-path", 10, argc, argv))
		return 2;
	build_heads();
	run(&rounds);
	return rounds_report(&rounds, print_results());
}
