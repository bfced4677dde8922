/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench-flow.c - what each mode of a team costs a frame: headers parsed, flow key read, hash taken,
 * member chosen and its load counted; beside the same without a choice.
 *
 * bench-flow [--ms N] [--rounds N] [--json FILE]. Rows take turns in short rounds, so that a busy
 * machine hurts all alike; figures are medians of the rounds. 4096 flows take turns as well.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/util.h"
#include "netback-team/policy.h"
#include "netback-team/team.h"
#include "tests/bench/rounds.h"

#define ROWS_MAX 20
#define FLOWS	 4096u
#define HEAD	 66u
#define FRAME	 1514u
#define MEMBERS	 4

static uint8_t heads[FLOWS][HEAD];
static struct team team;
static struct pin pin;
static uint64_t now_ns;
static volatile uint64_t sink;

/* One row: a mode, or what stands beside it. */
struct row {
	const char *name;
	int mode; /* -1: no team is asked */
	bool pinned;
	double ns[ROUNDS_MAX];
};
static struct row rows[ROWS_MAX];
static size_t n_rows;

static void build_heads(void)
{
	static const uint8_t start[34] = {2, 0, 0,    0, 0, 1,	 2,  0, 0,    0, 0,  2,
					  8, 0, 0x45, 0, 5, 220, 0,  0, 0x40, 0, 64, 6,
					  0, 0, 10,   0, 0, 1,	 10, 0, 0,    2};

	for (uint32_t i = 0; i < FLOWS; i++) {
		memcpy(heads[i], start, sizeof(start));
		heads[i][34] = (uint8_t)(i >> 8);
		heads[i][35] = (uint8_t)i;
		heads[i][33] = (uint8_t)(i % 50);
		heads[i][46] = 0x80;
		heads[i][47] = 0x10;
	}
}

static void build_rows(void)
{
	rows[n_rows++] = (struct row){.name = "parse alone", .mode = -1};
	rows[n_rows++] = (struct row){.name = "parse, key, l34 hash", .mode = -1};
	for (int i = 0; policy_names[i]; i++) {
		rows[n_rows++] = (struct row){.name = policy_names[i], .mode = i};
		if (policy_get(i)->by_mac)
			rows[n_rows++] = (struct row){
				.name = "guest with a list", .mode = i, .pinned = true};
	}
}

static void build_team(const struct row *row)
{
	static const char *const names[MEMBERS] = {"a", "b", "c", "d"};
	const struct team_options options = {.mode = row->mode,
					     .hash = FLOW_L34,
					     .flowlet_gap_ns = 500000,
					     .drain_ns = 200000,
					     .sticky_age_ns = 300 * NSEC_PER_SEC,
					     .rebalance_interval_ns = 10 * NSEC_PER_SEC};

	team_init(&team, "t", &options, NULL);
	for (int i = 0; i < MEMBERS; i++)
		team_on_link(&team, team_add(&team, names[i], 128, NULL), true, now_ns);
	memset(&pin, 0, sizeof(pin));
	spread_pin_add(&team, &pin, now_ns);
	spread_pin_set(&team, &pin, row->pinned ? "c b" : "", false, now_ns);
}

static uint64_t frame_without_team(const uint8_t *head, bool hash)
{
	struct frame_info info;
	struct flow_key key;

	frame_parse(head, HEAD, FRAME, &info);
	if (!hash)
		return info.payload_off;
	flow_key_init(&key, head, HEAD, FRAME, &info);
	return flow_hash(&key, FLOW_L34, 0);
}

/* As guest_tx.c and uplink.c do it; sessions begin with a SYN. */
static uint64_t frame_with_team(const uint8_t *head, bool syn)
{
	struct team_frame frame = {.bytes = FRAME, .now_ns = now_ns, .pin = &pin};
	struct frame_info info;

	frame_parse(head, HEAD, FRAME, &info);
	flow_key_init(&frame.key, head, HEAD, FRAME, &info);
	if (syn)
		frame.key.tcp_flags = FLOW_TCP_SYN;
	return (uint64_t)team_choose(&team, &frame, 0);
}

static double measure(const struct row *row, uint64_t duration_ns)
{
	const uint64_t begin_ns = clock_now(&clock_monotonic);
	uint64_t n = 0;

	now_ns = begin_ns;
	if (row->mode >= 0) {
		build_team(row);
		for (uint32_t i = 0; i < FLOWS; i++)
			frame_with_team(heads[i], true);
	}
	const uint64_t start_ns = clock_now(&clock_monotonic);

	do {
		for (uint32_t i = 0; i < 1024; i++) {
			const uint8_t *head = heads[(n + i) * 37 % FLOWS];

			if (row->mode < 0)
				sink += frame_without_team(head, row != rows);
			else
				sink += frame_with_team(head, false);
		}
		n += 1024;
		now_ns = clock_now(&clock_monotonic);
	} while (now_ns - start_ns < duration_ns);
	return (double)(now_ns - start_ns) / (double)n;
}

static json_t *run(const struct rounds *rounds)
{
	json_t *results = json_array();
	double alone = 0;

	for (unsigned int round = 0; round < rounds->n; round++)
		for (size_t i = 0; i < n_rows; i++)
			rows[i].ns[round] = measure(&rows[i], rounds->duration_ns);
	for (size_t i = 0; i < n_rows; i++) {
		double ns;

		ns = rounds_median(rows[i].ns, rounds->n);
		alone = i ? alone : ns;
		printf("%-22s %8.1f ns   %6.2f times parse alone\n", rows[i].name, ns, ns / alone);
		json_array_append_new(results,
				      json_pack("{s:s, s:s, s:f, s:f, s:f}", "name", rows[i].name,
						"peer", "parse alone", "ours_ns", ns, "peer_ns",
						alone, "ratio", alone / ns));
	}
	return results;
}

int main(int argc, char **argv)
{
	struct rounds rounds;

	if (!rounds_options(&rounds, "bench-flow", 10, argc, argv))
		return 2;
	build_heads();
	build_rows();
	return rounds_report(&rounds, run(&rounds));
}
