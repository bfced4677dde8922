/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench-frame.c - what the pure modules cost a frame (parse, hash, checksum, segments, MAC table,
 * choice of a member), each beside the plain way to do the same.
 *
 * bench-frame [--ms N] [--rounds N] [--json FILE]. Ours and the peer take turns in short rounds, so
 * that a busy machine hurts both alike; figures are medians of the rounds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "common/clock.h"
#include "common/cursor.h"
#include "common/util.h"
#include "netback-team/csum.h"
#include "netback-team/frame.h"
#include "netback-team/policy.h"
#include "netback-team/switch.h"
#include "netback-team/team.h"
#include "tests/bench/rounds.h"
#include "tests/unit/team-choose.h"

#define BATCH  64
#define GUESTS 64
#define MSS    1448
#define BIG    (54 + 44 * MSS)

static uint8_t frame[BIG], frame6[128], out[BIG];
static uint8_t heads[GUESTS][64]; /* to guest i */
static struct sw *sw;
static struct team ab, rr;
static struct frame_info info;
static volatile uint64_t sink;

struct guest {
	uint8_t mac[6];
	int port;
	UT_hash_handle hh;
};
static struct guest guests[GUESTS], *table;

/* Each of these does its job BATCH times. The compiler may not remember what it read in the turn
 * before. */
#define FORGET() __asm__ volatile("" : : : "memory")

static void parse_ours(void)
{
	for (int i = 0; i < BATCH; i++) {
		frame_parse(frame, FRAME_HEAD_MAX, sizeof(frame), &info);
		sink += info.payload_off;
	}
}

static void parse6_ours(void)
{
	for (int i = 0; i < BATCH; i++) {
		frame_parse(frame6, sizeof(frame6), sizeof(frame6), &info);
		sink += info.payload_off;
	}
}

/* The same fields by the bounded reader of common/, for TCP over IPv4. */
static void parse_cursor(void)
{
	for (int i = 0; i < BATCH; i++) {
		struct cursor c;
		uint8_t first, proto;
		uint16_t frag;

		cursor_init(&c, frame, FRAME_HEAD_MAX);
		cursor_skip(&c, 12);
		if (cursor_be16(&c) != 0x0800)
			continue;
		first = cursor_u8(&c);
		cursor_skip(&c, 5);
		frag = cursor_be16(&c);
		cursor_u8(&c);
		proto = cursor_u8(&c);
		cursor_skip(&c, 10 + (first & 15) * 4u - 20);
		cursor_skip(&c, 12);
		first = cursor_u8(&c);
		sink += c.failed ? 0 : c.pos + proto + frag + first;
	}
}

static void hash_ours(void)
{
	struct flow_key key;

	frame_parse(frame, FRAME_HEAD_MAX, sizeof(frame), &info);
	flow_key_init(&key, frame, FRAME_HEAD_MAX, sizeof(frame), &info);
	for (uint32_t i = 0; i < BATCH; i++)
		sink += flow_hash(&key, FLOW_L34, i);
}

/* NOLINTNEXTLINE(readability-function-size): uthash's macros */
static void hash_jenkins(void)
{
	for (int i = 0; i < BATCH; i++) {
		unsigned int hash;

		FORGET();
		HASH_JEN(frame + 26, 12, hash);
		sink += hash;
	}
}

static void csum_ours(void)
{
	for (int i = 0; i < BATCH; i++)
		sink += csum_fold(csum_add((uint64_t)i, frame + 54, MSS));
}

static void csum_words(void)
{
	for (uint32_t i = 0; i < BATCH; i++) {
		uint32_t sum = i;

		for (size_t at = 54; at < 54 + MSS; at += 2)
			sum += (uint32_t)frame[at] << 8 | frame[at + 1];
		sum = (sum & 0xffff) + (sum >> 16);
		sink += sum;
	}
}

static void segment_ours(void)
{
	const struct virtio_net_hdr vnet = {.gso_type = VIRTIO_NET_HDR_GSO_TCPV4, .gso_size = MSS};
	struct frame_segmenter seg;
	uint8_t *p = out;
	int n, len;

	n = frame_segment_init(&seg, frame, sizeof(frame), &vnet);
	for (int i = 0; i < BATCH; i++) { /* 64 segments, of more than one frame */
		len = frame_segment_next(&seg, p, 2048);
		sink += (uint64_t)len;
		if (len == 0 || i == n)
			frame_segment_init(&seg, frame, sizeof(frame), &vnet);
	}
}

static void segment_copy(void)
{
	for (size_t i = 0; i < BATCH; i++) {
		memcpy(out, frame + i % 44 * MSS, 54 + MSS);
		FORGET();
	}
}

static void switch_ours(void)
{
	const uint64_t now_ns = clock_now(&clock_monotonic);

	for (int i = 0; i < BATCH; i++)
		sink += (uint64_t)sw_from_nic(sw, true, true, heads[i * 37 % GUESTS], 64, now_ns)
				.port;
}

static void switch_guest_ours(void)
{
	const uint64_t now_ns = clock_now(&clock_monotonic);

	for (int i = 0; i < BATCH; i++) {
		const int from = (i * 37 + 63) % GUESTS;

		memcpy(heads[i * 37 % GUESTS] + 6, guests[from].mac, 6);
		sink += (uint64_t)sw_from_guest(sw, from, heads[i * 37 % GUESTS], 64, now_ns).port;
		heads[i * 37 % GUESTS][8] = 9; /* no guest's, for switch_ours */
	}
}

/* NOLINTNEXTLINE(readability-function-size): uthash's macros */
static void switch_uthash(void)
{
	for (int i = 0; i < BATCH; i++) {
		const uint8_t *dst = heads[i * 37 % GUESTS];
		struct guest *guest;

		HASH_FIND(hh, table, dst, 6, guest);
		sink += guest ? (uint64_t)guest->port : 0;
	}
}

static void choose_ab(void)
{
	for (uint32_t i = 0; i < BATCH; i++)
		sink += (uint64_t)choose(&ab, i, 0);
}

static void choose_rr(void)
{
	for (uint32_t i = 0; i < BATCH; i++)
		sink += (uint64_t)choose(&rr, i, 0);
}

static void choose_modulo(void)
{
	static volatile uint32_t n_members = 4;

	for (uint32_t i = 0; i < BATCH; i++)
		sink += i % n_members;
}

static const struct rounds_row rows[] = {
	{"parse TCP/IPv4", parse_ours, "cursor.h", parse_cursor, BATCH},
	{"parse TCP/IPv6", parse6_ours, "cursor.h, IPv4", parse_cursor, BATCH},
	{"flow hash", hash_ours, "Jenkins (uthash)", hash_jenkins, BATCH},
	{"checksum 1448 B", csum_ours, "16-bit loop", csum_words, BATCH},
	{"TCP segment 1502 B", segment_ours, "memcpy", segment_copy, BATCH},
	{"frame from NIC", switch_ours, "uthash lookup", switch_uthash, BATCH},
	{"frame guest to guest", switch_guest_ours, "uthash lookup", switch_uthash, BATCH},
	{"member, active-backup", choose_ab, "hash % 4", choose_modulo, BATCH},
	{"member, round-robin", choose_rr, "hash % 4", choose_modulo, BATCH},
};

static void build_frames(void)
{
	static const uint8_t ipv4[34] = {2, 0, 0,    0, 0, 1, 2,  0, 0,	   0, 0,  2,
					 8, 0, 0x45, 0, 0, 0, 0,  0, 0x40, 0, 64, 6,
					 0, 0, 10,   0, 0, 1, 10, 0, 0,	   2};

	for (size_t i = 0; i < sizeof(frame); i++)
		frame[i] = (uint8_t)(i * 7);
	memcpy(frame, ipv4, sizeof(ipv4));
	frame[16] = (uint8_t)((BIG - 14) >> 8);
	frame[17] = (uint8_t)(BIG - 14);
	frame[46] = 0x50;
	frame6[12] = 0x86;
	frame6[13] = 0xdd;
	frame6[14] = 0x60;
	frame6[20] = 6;
	frame6[54 + 12] = 0x80;
}

/* NOLINTNEXTLINE(readability-function-size): uthash's macros */
static void build_switch(void)
{
	sw = sw_create();
	for (int i = 0; i < GUESTS; i++) {
		struct sw_port_options options = {
			.mac = {0, 0x16, 0x3e, 1, (uint8_t)(i * 73), (uint8_t)i},
			.antispoof = true};

		memcpy(guests[i].mac, options.mac, 6);
		guests[i].port = sw_port_add(sw, &options);
		HASH_ADD(hh, table, mac, 6, &guests[i]);
		memcpy(heads[i], options.mac, 6);
		heads[i][8] = 9;
		heads[i][12] = 8;
	}
}

static void build_teams(void)
{
	static const char *const names[] = {"a", "b", "c", "d"};
	struct team_options options = {.mode = 0};

	team_init(&ab, "ab", &options, NULL);
	options.mode = 1;
	team_init(&rr, "rr", &options, NULL);
	for (int i = 0; i < 4; i++) {
		team_on_link(&ab, team_add(&ab, names[i], 128, NULL), true, 1);
		team_on_link(&rr, team_add(&rr, names[i], 128, NULL), true, 1);
	}
}

int main(int argc, char **argv)
{
	struct rounds rounds;
	json_t *results = json_array();
	int status;

	if (!rounds_options(&rounds, "bench-frame", 20, argc, argv))
		return 2;
	build_frames();
	build_switch();
	build_teams();
	for (size_t row = 0; row < ARRAY_SIZE(rows); row++)
		json_array_append_new(results, rounds_row(&rounds, &rows[row]));
	status = rounds_report(&rounds, results);
	HASH_CLEAR(hh, table);
	sw_destroy(sw);
	return status;
}
