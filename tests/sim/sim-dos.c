/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sim-dos.c - attacks on and by a guest, and innocent peaks, as streams of packets on a manual
 * clock: every attack raises an alarm soon and the alarm ends, no peak raises one, with default
 * settings.
 *
 * Each scenario begins with a minute of everyday traffic (a web server that asks a name server),
 * which goes on beneath. Rates, numbers of sources and answers are drawn from the seed. SIM_SEEDS
 * (default 6) runs from SIM_SEED (default 1); the seed of a failure is printed.
 */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/clock.h"
#include "netback-team/dos.h"
#include "util.h"

#define SYN	  0x02
#define RST	  0x04
#define ACK	  0x10
#define FULL	  1514u
#define SEEDS_MAX 1000

#define LEARN_MS  70000u
#define ATTACK_MS 15000u
#define QUIET_MS  90000u
#define BOUND_MS  5000u

struct world {
	struct dos *dos;
	struct clock clock;
	unsigned int seed;
	int vm;
	uint32_t ms;	  /**< since the scenario began */
	uint32_t rate, n; /**< of the scenario: drawn once */
	bool variant;
	uint32_t credit; /**< thousandths of a packet that are due */
	uint16_t next_port;
	uint32_t raised_ms; /**< of the first alarm, 0 = none */
	char first[64];
	enum dos_direction direction; /**< of the attack */
	char wrong[64];		      /**< an alarm of the other direction */
	unsigned int n_alarms;	      /**< raised and not cleared */
};

static uint32_t draw(struct world *w, uint32_t n)
{
	const uint32_t a = (uint32_t)rand_r(&w->seed), b = (uint32_t)rand_r(&w->seed);

	return (a << 16 ^ b) % n;
}

static uint32_t between(struct world *w, uint32_t least, uint32_t most)
{
	return least + draw(w, most - least + 1);
}

static struct dos_addr ipv4(uint32_t addr)
{
	return (struct dos_addr){{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, (uint8_t)(addr >> 24),
				  (uint8_t)(addr >> 16), (uint8_t)(addr >> 8), (uint8_t)addr}};
}

#define GUEST 0x0a000001u

/* A packet between the guest's port and the peer's; len: of each on the wire. */
static struct dos_packet packet(struct world *w, bool in, uint8_t proto, uint32_t peer,
				uint16_t peer_port, uint16_t port, uint32_t n, uint32_t len)
{
	struct dos_packet p = {
		.src = ipv4(in ? peer : GUEST),
		.dst = ipv4(in ? GUEST : peer),
		.sport = in ? peer_port : port,
		.dport = in ? port : peer_port,
		.proto = proto,
		.packets = (uint16_t)n,
		.bytes = n * len,
	};

	return p;
}

static void give(struct world *w, bool in, const struct dos_packet *p)
{
	dos_on_packet(w->dos, w->vm, in ? DOS_TO_GUEST : DOS_FROM_GUEST, p);
}

static void tcp(struct world *w, bool in, uint32_t peer, uint16_t peer_port, uint16_t port,
		uint8_t flags, uint32_t n, uint32_t len)
{
	struct dos_packet p = packet(w, in, IPPROTO_TCP, peer, peer_port, port, n, len);

	p.tcp_flags = flags;
	give(w, in, &p);
}

static void udp(struct world *w, bool in, uint32_t peer, uint16_t peer_port, uint16_t port,
		uint32_t n, uint32_t len)
{
	const struct dos_packet p = packet(w, in, IPPROTO_UDP, peer, peer_port, port, n, len);

	give(w, in, &p);
}

/* A connection to a port of the one that is called, `data` full packets come back. */
static void connection(struct world *w, bool in, uint32_t peer, uint16_t port, uint32_t data)
{
	const uint16_t from = (uint16_t)(1024 + w->next_port++ % 60000);
	const uint16_t peer_port = in ? from : port, own = in ? port : from;

	tcp(w, in, peer, peer_port, own, SYN, 1, 74);
	tcp(w, !in, peer, peer_port, own, SYN | ACK, 1, 74);
	tcp(w, in, peer, peer_port, own, ACK, 1, 66);
	tcp(w, in, peer, peer_port, own, ACK, 1, 300);
	if (data)
		tcp(w, !in, peer, peer_port, own, ACK, data, FULL);
	tcp(w, in, peer, peer_port, own, ACK, 1 + data / 2, 66);
	tcp(w, !in, peer, peer_port, own, ACK | 1, 1, 66);
	tcp(w, in, peer, peer_port, own, ACK | 1, 1, 66);
}

/* n full packets one way and the ACKs that they cause. */
static void bulk(struct world *w, bool in, uint32_t peer, uint16_t peer_port, uint32_t n)
{
	for (uint32_t left = n, now; left > 0; left -= now) {
		now = MIN(left, 44u);
		tcp(w, in, peer, peer_port, 5001, ACK, now, FULL);
		tcp(w, !in, peer, peer_port, 5001, ACK, DIV_ROUND_UP(now, 2), 66);
	}
}

/* How many of `rate` a second are due in this millisecond. */
static uint32_t due(struct world *w, uint32_t rate)
{
	uint32_t n;

	w->credit += rate;
	n = w->credit / 1000;
	w->credit %= 1000;
	return n;
}

static void everyday(struct world *w)
{
	/* A busier and a calmer time of some seconds. */
	const uint32_t rate = w->ms / 7000 % 2 ? 250 : 90;

	if (draw(w, 1000) < rate)
		connection(w, true, 0x50000000u + draw(w, 400), 443, draw(w, 40));
	if (draw(w, 1000) < 20) {
		const uint16_t port = (uint16_t)between(w, 30000, 60000);

		udp(w, false, 0x08080808, 53, port, 1, 80);
		udp(w, true, 0x08080808, 53, port, 1, 200);
	}
	if (draw(w, 1000) < 3) /* scanners of the internet */
		tcp(w, true, draw(w, UINT32_MAX), 40000, (uint16_t)draw(w, 65535), SYN, 1, 60);
}

/* Attacks */

static void syn_flood(struct world *w)
{
	for (uint32_t n = due(w, w->rate); n > 0; n--) {
		const uint32_t peer = draw(w, UINT32_MAX);
		const uint16_t port = (uint16_t)draw(w, 65535);

		tcp(w, true, peer, port, 443, SYN, 1, 60);
		if (w->variant || n % 8 == 0) /* SYN cookies, or a queue that is full */
			tcp(w, false, peer, port, 443, SYN | ACK, 1, 60);
	}
}

static void udp_flood(struct world *w)
{
	for (uint32_t n = due(w, w->rate); n > 0; n--) {
		const uint32_t peer = 0x20000000u + draw(w, w->n);
		struct dos_packet icmp = packet(w, false, IPPROTO_ICMP, peer, 0, 0, 1, 70);

		udp(w, true, peer, (uint16_t)draw(w, 65535), (uint16_t)draw(w, 65535), 1, 1400);
		icmp.icmp_type = icmp.icmp_code = 3;
		if (n == 1) /* Linux: 1000 a second */
			give(w, false, &icmp);
	}
}

/* To a port that answers, as a game server does. */
static void small_packets(struct world *w)
{
	for (uint32_t n = due(w, w->rate); n > 0; n--) {
		const uint32_t peer = 0x20000000u + draw(w, w->n);

		udp(w, true, peer, 4000, 27015, 1, 60);
		if (w->variant && n % 4 == 0)
			udp(w, false, peer, 4000, 27015, 1, 100);
	}
}

static void spoofed(struct world *w)
{
	for (uint32_t n = due(w, w->rate); n > 0; n--) {
		const uint32_t peer = draw(w, UINT32_MAX);

		if (w->variant)
			udp(w, true, peer, (uint16_t)draw(w, 65535), 53, 1, 80);
		else
			tcp(w, true, peer, (uint16_t)draw(w, 65535), 443, ACK, 1, 60);
		if (!w->variant && n % 2)
			tcp(w, false, peer, 1, 443, RST, 1, 60);
	}
}

static void new_flows(struct world *w)
{
	for (uint32_t n = due(w, w->rate); n > 0; n--)
		connection(w, true, 0x20000000u + draw(w, w->n), 443, w->variant ? 3 : 0);
}

static void amplification(struct world *w)
{
	static const uint16_t ports[] = {53, 123, 1900, 11211, 389};

	for (uint32_t n = due(w, w->rate); n > 0; n--) {
		const uint32_t peer = 0x30000000u + draw(w, w->n);
		struct dos_packet p = packet(w, true, IPPROTO_UDP, peer,
					     ports[w->n % ARRAY_SIZE(ports)], 8080, 1, 1500);

		p.fragment = w->variant;
		p.later = w->variant && n % 2;
		if (p.later)
			p.sport = p.dport = 0;
		give(w, true, &p);
	}
}

static void own_syn_flood(struct world *w)
{
	for (uint32_t n = due(w, w->rate); n > 0; n--)
		tcp(w, false, w->variant ? 0x40000000u : draw(w, UINT32_MAX), w->variant ? 80 : 23,
		    (uint16_t)draw(w, 65535), SYN, 1, 60);
}

static void own_udp_flood(struct world *w)
{
	for (uint32_t n = due(w, w->rate); n > 0; n--)
		udp(w, false, 0x40000000u + draw(w, 3), 80, (uint16_t)draw(w, 65535), 1,
		    w->variant ? 60 : 1400);
}

static void own_spoofed(struct world *w)
{
	for (uint32_t n = due(w, w->rate); n > 0; n--) {
		struct dos_packet p = packet(w, false, IPPROTO_UDP, 0x40000000u, 53, 53, 1, 80);

		p.src = ipv4(draw(w, UINT32_MAX));
		p.spoofed = w->variant; /* there is a filter, or there is none */
		give(w, false, &p);
	}
}

/* Innocent peaks */

static void backup(struct world *w)
{
	bulk(w, w->variant, 0x0a000010, 22, due(w, w->rate));
}

/* Sixteen connections, first one way and then the other. */
static void speed_test(struct world *w)
{
	for (uint32_t left = due(w, w->rate), n; left > 0; left -= n) {
		n = MIN(left, 44u);
		bulk(w, w->ms / 7000 % 2, 0x60000000u, (uint16_t)(8000 + draw(w, 16)), n);
	}
}

static void quic_download(struct world *w)
{
	const uint32_t n = due(w, w->rate);

	if (n)
		udp(w, true, 0x60000001u, 443, 50000, n, 1400);
	if (w->ms % 2)
		udp(w, false, 0x60000001u, 443, 50000, 1 + n / 4, 80);
}

/* Every 50 ms all servers answer at once; in the beginning, all of them are connected to. */
static void incast(struct world *w)
{
	if (w->ms == 0 || w->ms == 9000)
		for (uint32_t i = 0; i < w->n; i++)
			connection(w, w->variant, 0x0a010000u + i, 9000, 1);
	if (w->ms % 50 == 0)
		for (uint32_t i = 0; i < w->n; i++)
			bulk(w, true, 0x0a010000u + i, 9000, 1 + w->rate / 20 / w->n);
	if (w->ms % 50 == 1)
		dos_on_drop(w->dos, w->vm, DOS_TO_GUEST, between(w, 0, 300));
}

/* Rounds at the rate of the wire, each shorter than the one before, at the end nothing. */
static void migration(struct world *w)
{
	if (w->ms % 6000 < 5000 - MIN(w->ms / 6000 * 1500, 4000u))
		bulk(w, w->variant, 0x0a000020, 49152, due(w, w->rate));
}

/* A node of a cluster: tunnels whose source port differs each way (RFC 7348 5). */
static void overlay(struct world *w)
{
	const uint32_t n = due(w, w->rate);

	for (uint32_t i = 0; i < n; i += 20) {
		const uint32_t peer = 0x0a020000u + draw(w, 20);

		udp(w, true, peer, (uint16_t)between(w, 49152, 65535), 4789, 20, 1450);
		udp(w, false, peer, 4789, (uint16_t)between(w, 49152, 65535), 10, 116);
	}
}

static void flash_crowd(struct world *w)
{
	for (uint32_t n = due(w, w->rate); n > 0; n--)
		connection(w, true, 0x50000000u + draw(w, 4000), 443, draw(w, 60));
}

static void log_collector(struct world *w)
{
	for (uint32_t n = due(w, w->rate); n > 0; n--)
		udp(w, true, 0x0a030000u + draw(w, 200), 514, 514, 1, between(w, 100, 600));
}

static const struct scenario {
	const char *name;
	void (*step)(struct world *w);
	uint32_t least, most; /**< packets, or connections, a second */
	uint32_t n_least, n_most;
	bool attack;
	enum dos_direction direction;
} scenarios[] = {
	{"SYN flood", syn_flood, 1000, 60000, 1, 1, true, DOS_TO_GUEST},
	{"UDP flood", udp_flood, 15000, 80000, 1, 200, true, DOS_TO_GUEST},
	{"small-packet flood", small_packets, 70000, 200000, 1, 50, true, DOS_TO_GUEST},
	{"spoofed sources", spoofed, 15000, 60000, 1, 1, true, DOS_TO_GUEST},
	{"many new flows", new_flows, 6000, 12000, 500, 5000, true, DOS_TO_GUEST},
	{"amplification", amplification, 15000, 80000, 50, 2000, true, DOS_TO_GUEST},
	{"own SYN flood", own_syn_flood, 3000, 40000, 0, 2, true, DOS_FROM_GUEST},
	{"own UDP flood", own_udp_flood, 25000, 80000, 1, 1, true, DOS_FROM_GUEST},
	{"own spoofed flood", own_spoofed, 500, 20000, 1, 1, true, DOS_FROM_GUEST},
	{"backup", backup, 20000, 800000, 1, 1, false, 0},
	{"speed test", speed_test, 80000, 800000, 1, 1, false, 0},
	{"QUIC download", quic_download, 5000, 90000, 1, 1, false, 0},
	{"incast", incast, 50000, 400000, 32, 512, false, 0},
	{"migration", migration, 80000, 800000, 1, 1, false, 0},
	{"overlay network", overlay, 10000, 100000, 1, 1, false, 0},
	{"flash crowd", flash_crowd, 500, 3000, 1, 1, false, 0},
	{"log collector", log_collector, 500, 5000, 1, 1, false, 0},
};

static void on_alarm(void *ctx, const struct dos_alarm *alarm, uint64_t now_ns)
{
	struct world *w = ctx;

	if (alarm->event == DOS_CLEARED)
		w->n_alarms--;
	if (alarm->event != DOS_RAISED)
		return;
	w->n_alarms++;
	if (alarm->direction != w->direction) {
		snprintf(w->wrong, sizeof(w->wrong), "%s", alarm->name);
		return;
	}
	if (w->raised_ms)
		return;
	w->raised_ms = MAX(w->ms, 1u);
	snprintf(w->first, sizeof(w->first), "%s %s", alarm->name,
		 alarm->direction == DOS_TO_GUEST ? "in" : "out");
}

/* step: beside everyday traffic, may be NULL. */
static void run(struct world *w, uint32_t duration_ms, void (*step)(struct world *w))
{
	for (w->ms = 0; w->ms < duration_ms; w->ms++) {
		everyday(w);
		if (step)
			step(w);
		clock_advance(&w->clock, NSEC_PER_MSEC);
		if (clock_now(&w->clock) >= dos_deadline(w->dos))
			dos_run(w->dos, clock_now(&w->clock));
	}
}

/* Draws many small rates and some large ones. */
static uint32_t draw_rate(struct world *w, uint32_t least, uint32_t most)
{
	return between(w, least, draw(w, 2) ? most : least + (most - least) / 8);
}

/* Time of detection in ms. */
static uint32_t run_seed(const struct scenario *s, unsigned int seed, char first[64])
{
	struct world w = {.seed = seed * 7919u + (unsigned int)(s - scenarios)};
	const struct dos_observer observer = {on_alarm, &w};
	struct dos_options options;
	uint32_t detected;

	clock_init_manual(&w.clock, between(&w, 1, 1000) * NSEC_PER_MSEC);
	w.rate = draw_rate(&w, s->least, s->most);
	w.n = between(&w, s->n_least, s->n_most);
	w.variant = draw(&w, 2);
	w.direction = s->direction;
	dos_options_default(&options, true);
	w.dos = dos_create(seed, &options, &observer, clock_now(&w.clock));
	dos_options_default(&options, false);
	w.vm = dos_vm_add(w.dos, &options, clock_now(&w.clock));
	run(&w, LEARN_MS + draw(&w, 3000), NULL);
	if (w.raised_ms)
		fail_msg("%s, seed %u: alarm %s before it began", s->name, seed, w.first);
	run(&w, ATTACK_MS, s->step);
	detected = w.raised_ms;
	strcpy(first, w.first);
	if (s->attack && (!detected || detected > BOUND_MS))
		fail_msg("%s, seed %u, %u/s: not seen in time (%u ms)", s->name, seed, w.rate,
			 detected);
	if (w.wrong[0])
		fail_msg("%s, seed %u, %u/s: alarm of the wrong direction, %s", s->name, seed,
			 w.rate, w.wrong);
	if (!s->attack && detected)
		fail_msg("%s, seed %u, %u/s, %u: false alarm %s", s->name, seed, w.rate, w.n,
			 first);
	run(&w, QUIET_MS, NULL);
	if (w.n_alarms)
		fail_msg("%s, seed %u: %u alarms did not end", s->name, seed, w.n_alarms);
	dos_destroy(w.dos);
	return detected;
}

static unsigned int from_env(const char *name, unsigned int otherwise)
{
	const char *value = getenv(name);

	return value ? (unsigned int)strtoul(value, NULL, 10) : otherwise;
}

static int by_value(const void *a, const void *b)
{
	return (int)*(const uint32_t *)a - (int)*(const uint32_t *)b;
}

static void run_scenarios(bool attack)
{
	const unsigned int first = from_env("SIM_SEED", 1);
	const unsigned int n = MAX(MIN(from_env("SIM_SEEDS", 6), SEEDS_MAX), 1);
	uint32_t times[SEEDS_MAX] = {0};
	char by[64];

	printf("# seeds %u to %u (repeat one: SIM_SEED=N SIM_SEEDS=1)\n", first, first + n - 1);
	for (size_t i = 0; i < ARRAY_SIZE(scenarios); i++) {
		if (scenarios[i].attack != attack)
			continue;
		for (unsigned int k = 0; k < n; k++)
			times[k] = run_seed(&scenarios[i], first + k, by);
		qsort(times, n, sizeof(times[0]), by_value);
		if (attack)
			printf("# %-20s seen after %5u %5u %5u ms (first, median, last), e.g. %s\n",
			       scenarios[i].name, times[0], times[n / 2], times[n - 1], by);
		else
			printf("# %-20s 0 alarms\n", scenarios[i].name);
	}
}

static void test_attacks_are_seen(void **state)
{
	run_scenarios(true);
}

static void test_peaks_are_not(void **state)
{
	run_scenarios(false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_attacks_are_seen),
		cmocka_unit_test(test_peaks_are_not),
	};

	return cmocka_run_group_tests_name("sim-dos", tests, NULL, NULL);
}
