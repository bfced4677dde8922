/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench-dos.c - what attack detection costs a packet, with 64 guests and everything on: one row for
 * each rate that the team has (which decides what is sampled), one without packets (the ticks), one
 * for rules. The peer of the same run is a uthash look-up of the flow, which the simplest flow
 * table would do.
 *
 * bench-dos [--ms N] [--rounds N] [--json FILE]. Ours and the peer take turns in short rounds, so
 * that a busy machine hurts both alike; figures are medians of the rounds.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "common/util.h"
#include "netback-team/dos.h"
#include "tests/bench/rounds.h"

#define BATCH	64
#define GUESTS	64
#define PACKETS 8192 /**< that are repeated: flows of 64 guests */
#define FLOWS	4096

static const char rules[] =
	"alert udp any any -> $HOME_NET 123 (msg:\"NTP monlist\"; content:\"|17 00 03 2a|\"; "
	"depth:4; "
	"threshold:pps 1000;)\n"
	"alert udp any 53 -> $HOME_NET any (msg:\"DNS answers\"; content:\"|00 00 ff|\"; "
	"threshold:pps "
	"1000;)\n"
	"alert tcp any any -> $HOME_NET 80 (msg:\"slow headers\"; content:\"X-a: b\"; nocase;)\n"
	"alert tcp any any -> $HOME_NET 443 (msg:\"scanner\"; content:\"masscan\"; nocase; "
	"content:\"GET /\"; depth:5;)\n";

struct flow {
	uint32_t key[3];
	UT_hash_handle hh;
};

static struct dos *dos;
static struct dos_packet packets[PACKETS];
static int vms[PACKETS];
static enum dos_direction directions[PACKETS];
static uint8_t payload[1400];
static struct flow flows[FLOWS], *table;
static struct signature_set *set;
static uint64_t now_ns = NSEC_PER_SEC;
static uint32_t next;
static volatile uint64_t sink;

/* BATCH packets at a rate of the team: the clock is that of the packets, and ticks are ours, too.
 */
static void at_rate(uint64_t pps)
{
	for (int i = 0; i < BATCH; i++) {
		const uint32_t at = next++ % PACKETS;

		dos_on_packet(dos, vms[at], directions[at], &packets[at]);
	}
	now_ns += BATCH * NSEC_PER_SEC / pps;
	if (now_ns >= dos_deadline(dos))
		dos_run(dos, now_ns);
}

static void at_50k(void)
{
	at_rate(50000);
}

static void at_250k(void)
{
	at_rate(250000);
}

static void at_1m(void)
{
	at_rate(990000);
}

static void at_5m(void)
{
	at_rate(5000000);
}

/* All packets from sources that were never seen. */
static void spoofed(void)
{
	struct dos_packet p = packets[0];

	for (int i = 0; i < BATCH; i++) {
		next = next * 1664525 + 1013904223;
		memcpy(p.src.bytes + 12, &next, sizeof(next));
		dos_on_packet(dos, vms[i], DOS_TO_GUEST, &p);
	}
	now_ns += BATCH * NSEC_PER_SEC / 900000;
	if (now_ns >= dos_deadline(dos))
		dos_run(dos, now_ns);
}

static void match(void)
{
	const struct signature_packet packet = {.to_guest = true,
						.proto = IPPROTO_TCP,
						.sport = 1025,
						.dport = 443,
						.payload = payload,
						.payload_len = sizeof(payload)};
	uint16_t found[8];

	for (int i = 0; i < BATCH; i++)
		sink += signature_match(set, &packet, found, ARRAY_SIZE(found));
}

/* The same bytes, one rule's pattern after the other. */
static void match_memmem(void)
{
	static const char *const patterns[] = {"masscan", "GET /", "X-a: b"};

	for (int i = 0; i < BATCH; i++)
		for (size_t k = 0; k < ARRAY_SIZE(patterns); k++)
			sink += memmem(payload, SIGNATURE_SCAN, patterns[k], strlen(patterns[k])) !=
				NULL;
}

/* NOLINTNEXTLINE(readability-function-size): uthash's macros */
static void find_flow(void)
{
	for (int i = 0; i < BATCH; i++) {
		const struct flow *wanted = &flows[next++ % FLOWS];
		struct flow *flow;

		HASH_FIND(hh, table, wanted->key, sizeof(wanted->key), flow);
		sink += flow ? 1 : 0;
	}
}

static const struct rounds_row rows[] = {
	{"packet at 50 kpps", at_50k, "uthash lookup", find_flow, BATCH},
	{"packet at 250 kpps", at_250k, "uthash lookup", find_flow, BATCH},
	{"packet at 1 Mpps", at_1m, "uthash lookup", find_flow, BATCH},
	{"packet at 5 Mpps", at_5m, "uthash lookup", find_flow, BATCH},
	{"spoofed, 900 kpps", spoofed, "uthash lookup", find_flow, BATCH},
	{"4 rules, 256 bytes", match, "memmem", match_memmem, BATCH},
};

/* NOLINTNEXTLINE(readability-function-size): uthash's macros */
static void build(void)
{
	char error[SIGNATURE_ERROR_MAX];
	struct dos_options options;

	if (signature_parse(rules, strlen(rules), &set, error)) {
		fprintf(stderr, "bench-dos: %s\n", error);
		exit(1);
	}
	for (size_t i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)('a' + i * 7 % 23);
	dos_options_default(&options, true);
	dos = dos_create(42, &options, NULL, now_ns);
	dos_options_default(&options, false);
	for (int i = 0; i < GUESTS; i++)
		dos_vm_add(dos, &options, now_ns);
	dos_set_signatures(dos, set, now_ns);
	for (uint32_t i = 0; i < PACKETS; i++) {
		const uint32_t flow = i * 2654435761u >> 20; /* of 4096 */
		struct dos_packet *p = &packets[i];
		uint8_t *guest, *peer;

		directions[i] = i % 2 ? DOS_TO_GUEST : DOS_FROM_GUEST;
		vms[i] = (int)(flow % GUESTS);
		guest = (i % 2 ? &p->dst : &p->src)->bytes;
		peer = (i % 2 ? &p->src : &p->dst)->bytes;
		guest[10] = guest[11] = peer[10] = peer[11] = 0xff;
		guest[12] = 10;
		guest[15] = (uint8_t)(flow % GUESTS);
		peer[12] = 80;
		memcpy(peer + 13, &flow, 3);
		p->sport = i % 2 ? (uint16_t)(1024 + flow) : 443;
		p->dport = i % 2 ? 443 : (uint16_t)(1024 + flow);
		p->proto = IPPROTO_TCP;
		p->tcp_flags = 0x10;
		p->packets = 1;
		p->bytes = i % 3 ? 1514 : 66;
		p->payload = payload;
		p->payload_len = i % 3 ? 1448 : 0;
	}
	for (uint32_t i = 0; i < FLOWS; i++) {
		flows[i].key[0] = i * 2654435761u;
		flows[i].key[1] = i;
		HASH_ADD(hh, table, key, sizeof(flows[i].key), &flows[i]);
	}
}

int main(int argc, char **argv)
{
	struct rounds rounds;
	json_t *results = json_array();
	int status;

	if (!rounds_options(&rounds, "bench-dos", 50, argc, argv))
		return 2;
	build();
	for (size_t row = 0; row < ARRAY_SIZE(rows); row++)
		json_array_append_new(results, rounds_row(&rounds, &rows[row]));
	status = rounds_report(&rounds, results);
	HASH_CLEAR(hh, table);
	dos_destroy(dos);
	signature_destroy(set);
	return status;
}
