/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench-path.c - what all decisions about a guest's frame cost together: whose turn it is (fair.h,
 * with shares, minima and limits as the VMs have them), what the frame is (headers, flow key),
 * which member takes it (mode hash), what the meters of attacks make of it (dos.h). Each part
 * alone, all of them, and the headers alone as the measure of the machine; with 1 to 4096 VMs.
 *
 * bench-path [--ms N] [--rounds N] [--json FILE]. Nanoseconds of CPU time. Rows take turns in short
 * rounds, so that a busy machine hurts all alike; figures are medians of the rounds. The link and
 * its clock are simulated: 10 Gbit/s, never idle.
 *
 * Frames go in batches, in the steps of guest_tx_run: the schedule for the whole batch, then the
 * copies (here of headers alone; each to a page of its own, as grants are), then headers, flow keys
 * and the meters' prefetch for all, then the meters and the member of each. Frames are of 1514
 * bytes. "all": the VMs have 8192 flows together, at least 2 each. "flood": each frame is a flow of
 * its own from an address of its own, so that no memory of flows helps.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/util.h"
#include "netback-team/dos_frame.h"
#include "netback-team/fair.h"
#include "netback-team/policy.h"
#include "netback-team/team.h"
#include "tests/bench/rounds.h"

#define FLOWS	 8192u
#define HEAD	 66u
#define FRAME	 1514u
#define BATCH	 64u /* WORKER_TX_BATCH */
#define PAGE	 4096u
#define LINK_BPS 10000000000ull
#define MEMBERS	 4

enum part { PART_HEADERS, PART_TEAM, PART_SCHEDULE, PART_METERS, PART_ALL, PART_FLOOD, PARTS };
static const char *const part_names[PARTS] = {"headers", "team", "schedule",
					      "meters",	 "all",	 "flood"};
static const uint32_t numbers[] = {1, 64, 512, 4096};

/* What the daemon keeps of a packet of the batch. */
struct record {
	uint32_t vm;
	struct frame_info info;
	struct team_frame frame;
	struct dos_packet packet;
	struct dos_hashes hashes;
};

static _Alignas(PAGE) uint8_t pages[BATCH][PAGE];
static struct record records[BATCH];
static double ns[ARRAY_SIZE(numbers)][PARTS][ROUNDS_MAX], median_ns[ARRAY_SIZE(numbers)][PARTS];
static struct team team;
static struct fair *fair;
static struct dos *dos;
static uint32_t n_vms, next;
static uint64_t now_ns, meters_ns; /* the meters' clock stands while they are not measured */
static volatile uint64_t sink;

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
	meters_ns = now_ns;
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

	/* Where limits let nobody go on, the batch is not ended, as the daemon would. */
	while ((flow = fair_next(fair, now_ns, &deadline_ns)) < 0)
		now_ns = deadline_ns;
	fair_sent(fair, (uint32_t)flow, cost, &cost, now_ns);
	return (uint32_t)flow;
}

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* TCP, all headers but for addresses and ports. */
static void build_heads(void)
{
	static const uint8_t head[HEAD] = {
		[0] = 2,  [5] = 1,    [6] = 2,	   [11] = 2,   [12] = 8,  [14] = 0x45,
		[16] = 5, [17] = 220, [22] = 64,   [23] = 6,   [26] = 10, [30] = 10,
		[36] = 1, [37] = 187, [46] = 0x80, [47] = 0x10};

	for (uint32_t i = 0; i < BATCH; i++)
		memcpy(pages[i], head, sizeof(head));
}

/* From 10.0.VM or, in a flood, from anywhere. All numbers are powers of two. */
static void copy(uint8_t *head, uint32_t vm, bool flood)
{
	const uint32_t any = next++ * 2654435761u;
	const uint32_t flow = flood ? any : any >> 16 & (MAX(FLOWS / n_vms, 2) - 1);

	put16(head + 28, flood ? any >> 16 : vm);
	put16(head + 32, vm ^ 0x8000u);
	put16(head + 34, flow);
}

static bool schedules(enum part part)
{
	return part == PART_SCHEDULE || part >= PART_ALL;
}

static bool chooses(enum part part)
{
	return part == PART_TEAM || part >= PART_ALL;
}

static bool meters(enum part part)
{
	return part >= PART_METERS;
}

static int metered(const struct record *record)
{
	return (int)(record->vm % DOS_VMS_MAX);
}

static void read_frame(struct record *record, const uint8_t *head, enum part part)
{
	frame_parse(head, HEAD, FRAME, &record->info);
	if (chooses(part))
		flow_key_init(&record->frame.key, head, HEAD, FRAME, &record->info);
	if (!meters(part))
		return;
	dos_frame_read(&record->packet, head, HEAD, FRAME, &record->info, 0);
	dos_prepare(dos, metered(record), DOS_FROM_GUEST, &record->packet, &record->hashes);
}

static void forward(struct record *record, enum part part)
{
	sink += record->info.payload_off;
	if (meters(part))
		dos_count(dos, metered(record), DOS_FROM_GUEST, &record->packet, &record->hashes);
	if (!chooses(part))
		return;
	record->frame.bytes = FRAME;
	record->frame.now_ns = now_ns;
	sink += (uint64_t)team_choose(&team, &record->frame, 0);
}

static void batch(enum part part)
{
	const uint64_t wire_ns = BATCH * (FRAME + COST_WIRE_EXTRA) * 8 * NSEC_PER_SEC / LINK_BPS;

	for (uint32_t i = 0; i < BATCH; i++) {
		records[i].vm = schedules(part) ? schedule() : (next + i) & (n_vms - 1);
		if (meters(part))
			dos_fetch(dos, metered(&records[i]), DOS_FROM_GUEST);
	}
	for (uint32_t i = 0; i < BATCH && part != PART_SCHEDULE; i++)
		copy(pages[i], records[i].vm, part == PART_FLOOD);
	for (uint32_t i = 0; i < BATCH && part != PART_SCHEDULE; i++)
		read_frame(&records[i], pages[i], part);
	for (uint32_t i = 0; i < BATCH && part != PART_SCHEDULE; i++)
		forward(&records[i], part);
	now_ns += wire_ns;
	if (!meters(part))
		return;
	meters_ns += wire_ns;
	if (meters_ns >= dos_deadline(dos))
		dos_run(dos, meters_ns);
}

static uint64_t cpu_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return (uint64_t)time.tv_sec * NSEC_PER_SEC + (uint64_t)time.tv_nsec;
}

static double measure(enum part part, uint64_t duration_ns)
{
	const uint64_t begin_ns = cpu_ns();
	uint64_t n = 0, end_ns;

	do {
		for (int i = 0; i < 16; i++)
			batch(part);
		n += 16 * BATCH;
		end_ns = cpu_ns();
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
