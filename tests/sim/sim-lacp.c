/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sim-lacp.c - random days of a system with two partners: cables fail, deliver in one direction
 * only, or slowly; configurations change, ports are drained and removed, daemons die and start
 * again.
 *
 * At each step hold the assertions of lacp-lab.c (three LACPDUs a second, one partner at a time),
 * and nobody distributes into a port that has not collected for longer than it may take to be told.
 * When all is quiet, both ends of each cable agree, and everything that may carry traffic does.
 * SIM_SEEDS (default 60) days from SIM_SEED (default 1); the seed of a failure is printed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/lacp-lab.h"

#define CABLES	 7u
#define EVENTS	 300
#define TOLD_NS	 (NSEC_PER_SEC + 100 * MS) /* three LACPDUs a second, two latencies */
#define QUIET_MS 200000

struct cable {
	int to; /* system */
	bool up;
};

static struct lab lab;
static struct cable cables[CABLES];
/* Since when an end knows for certain that the other one does not collect. */
static uint64_t since_ns[LAB_SYSTEMS][CABLES];
static uint64_t seed;
static unsigned int running; /* seed of the day */
static unsigned long long n_up, n_longest_ms;

static uint32_t rnd(uint32_t below)
{
	uint64_t x = seed += 0x9e3779b97f4a7c15u; /* splitmix64 */

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return (uint32_t)((x ^ (x >> 31)) % below);
}

static struct lab_system *other_end(const struct lab_system *s, unsigned int port)
{
	return &lab.systems[s->to[port]];
}

/* Ports have the same number on both ends. */
static bool is_right(const struct lab_system *s, unsigned int port)
{
	const struct lacp_port *p = &s->lacp.ports[port];

	return s->frozen || !p->used || !p->link.carrier || !(s->distributing >> port & 1) ||
	       s->lacp.config.coupled || p->partner_default ||
	       (other_end(s, port)->collecting >> port & 1);
}

/* What the other end says is lost, or it says nothing: dead, or passive and deaf. */
static bool is_unheard(const struct lab_system *s, unsigned int port)
{
	const struct lab_system *o = other_end(s, port);

	return o->frozen || o->mute[port] || !o->lacp.ports[port].used ||
	       (s->mute[port] && o->lacp.config.mode == LACP_PASSIVE);
}

static void each(struct lab *l)
{
	for (int i = 0; i < LAB_SYSTEMS; i++) {
		const struct lab_system *s = &l->systems[i];

		for (unsigned int port = 0; port < CABLES; port++) {
			uint64_t *since = &since_ns[i][port];

			if (s->to[port] == LAB_NOBODY)
				continue;
			if (is_right(s, port))
				*since = MAX(*since, l->now_ns);
			/* A lost LACPDU is repeated with the period. */
			if (is_unheard(s, port))
				*since = l->now_ns + 31 * NSEC_PER_SEC;
			assert_true(l->now_ns <= *since + TOLD_NS);
		}
	}
}

/* --- events --- */

static void random_config(int system)
{
	struct lacp_config *config = &lab.systems[system].config;

	switch (rnd(9)) {
	case 0:
		config->fast = rnd(2);
		break;
	case 1:
		config->coupled = rnd(2);
		break;
	case 2:
		config->max_ports = rnd(5);
		break;
	case 3:
		config->ad_select = rnd(4);
		break;
	case 4:
		config->fallback = rnd(3);
		break;
	case 5:
		config->key = (uint16_t)rnd(3);
		break;
	case 6:
		config->system_priority = (uint16_t)rnd(3);
		break;
	case 7:
		config->mode = system ? LACP_ACTIVE : rnd(2);
		break;
	default:
		config->strict = rnd(2);
		break;
	}
	lab_configure(&lab, system);
}

static void restart(int system)
{
	struct lab_system *s = &lab.systems[system];

	s->frozen = !s->frozen;
	if (s->frozen)
		return;
	s->config.restarted = rnd(2);
	lab_start(&lab, system);
	for (unsigned int port = 0; port < CABLES; port++)
		if (s->to[port] != LAB_NOBODY)
			lab_set(&lab, system, port);
}

static void random_port(int system, unsigned int port)
{
	struct lab_system *s = &lab.systems[system];

	if (s->frozen)
		return;
	switch (rnd(5)) {
	case 0:
		lacp_port_remove(&s->lacp, port, lab.now_ns);
		break;
	case 1:
		s->links[port].priority = (uint16_t)rnd(4);
		lab_set(&lab, system, port);
		break;
	case 2:
		s->mute[port] = !s->mute[port] && rnd(3) == 0;
		break;
	case 3:
		s->latency_ns[port] = NSEC_PER_USEC << rnd(15);
		break;
	default:
		if (s->lacp.ports[port].used)
			lacp_port_drain(&s->lacp, port, rnd(2), lab.now_ns);
		break;
	}
}

static void carrier(unsigned int port, bool up)
{
	cables[port].up = up;
	lab_carrier(&lab, 0, port, up);
}

static void one_event(void)
{
	const unsigned int port = rnd(CABLES);
	const int system = rnd(2) ? 0 : cables[port].to;

	switch (rnd(8)) {
	case 0:
		if (!lab.systems[system].frozen)
			random_config(system);
		break;
	case 1:
		if (rnd(3) == 0 || lab.systems[system].frozen)
			restart(system);
		break;
	case 2:
	case 3:
	case 4:
		random_port(system, port);
		break;
	default:
		carrier(port, !cables[port].up);
		break;
	}
}

/* --- and then all is quiet --- */

static void become_quiet(void)
{
	for (int i = 0; i < LAB_SYSTEMS; i++)
		if (lab.systems[i].frozen)
			restart(i);
	for (unsigned int port = 0; port < CABLES; port++) {
		for (int end = 0; end < 2; end++) {
			struct lab_system *s = &lab.systems[end ? cables[port].to : 0];

			s->mute[port] = false;
			if (s->lacp.ports[port].used)
				lacp_port_drain(&s->lacp, port, false, lab.now_ns);
		}
		carrier(port, true);
	}
	for (int i = 0; i < LAB_SYSTEMS; i++) {
		lab.systems[i].config.strict = false;
		lab_configure(&lab, i);
	}
	lab_run(&lab, QUIET_MS);
}

static void expect_same_end(const struct lacp_info *a, const struct lacp_info *b)
{
	assert_int_equal(a->system_priority, b->system_priority);
	assert_memory_equal(a->system, b->system, 6);
	assert_int_equal(a->key, b->key);
	assert_int_equal(a->port_priority, b->port_priority);
	assert_int_equal(a->port, b->port);
	assert_int_equal(a->state, b->state);
}

static void expect_agreement(void)
{
	unsigned int n_ports[LAB_SYSTEMS] = {0}, n_used = 0;
	int partner = LAB_NOBODY;

	for (unsigned int port = 0; port < CABLES; port++) {
		const int to = cables[port].to;
		const struct lacp_port_status a = lab_status(&lab, 0, port);
		const struct lacp_port_status b = lab_status(&lab, to, port);
		const bool used = lab.systems[0].distributing >> port & 1;

		assert_int_equal(a.rx, LACP_RX_CURRENT);
		assert_int_equal(b.rx, LACP_RX_CURRENT);
		expect_same_end(&a.partner, &b.actor);
		expect_same_end(&b.partner, &a.actor);
		/* Coupled, the partner that is not the active one goes by Sync alone. */
		if (used || !lab.systems[to].config.coupled)
			assert_int_equal(used, lab.systems[to].distributing >> port & 1);
		n_ports[to]++;
		if (!used)
			continue;
		assert_true(partner == LAB_NOBODY || partner == to);
		partner = to;
		n_used++;
	}
	assert_int_not_equal(partner, LAB_NOBODY);
	for (int i = 0; i < 2; i++) {
		const unsigned int max = lab.systems[i ? partner : 0].config.max_ports;

		n_ports[partner] = max ? MIN(n_ports[partner], max) : n_ports[partner];
	}
	assert_int_equal(n_used, n_ports[partner]);
	n_up += n_used;
}

static void one_day(void)
{
	uint64_t changes;

	lab_init(&lab);
	memset(since_ns, 0, sizeof(since_ns));
	lab.each = each;
	for (unsigned int port = 0; port < CABLES; port++) {
		cables[port] = (struct cable){.to = port < 4 ? 1 : 2};
		if (rnd(8) == 0)
			lab.systems[0].links[port].mbps = 0;
		lab_cable(&lab, 0, port, cables[port].to, port);
	}
	for (int i = 0; i < EVENTS; i++) {
		each(&lab);
		one_event();
		each(&lab);
		lab_run(&lab, rnd(2u << rnd(18)));
	}
	become_quiet();
	expect_agreement();
	changes = lab.systems[0].n_active_changes;
	lab_run(&lab, QUIET_MS);
	expect_agreement();
	assert_int_equal(lab.systems[0].n_active_changes, changes);
	n_longest_ms = MAX(n_longest_ms, lab.now_ns / MS);
}

static unsigned int from_env(const char *name, unsigned int otherwise)
{
	const char *text = getenv(name);

	return text ? (unsigned int)strtoul(text, NULL, 0) : otherwise;
}

static void random_days(void **state)
{
	const unsigned int first = from_env("SIM_SEED", 1), n = from_env("SIM_SEEDS", 60);

	for (running = first; running < first + n; running++) {
		seed = running;
		one_day();
	}
	running = 0;
	printf("# seeds %u to %u: the longest day %llu s, %llu ports up at the end\n", first,
	       first + n - 1, n_longest_ms / 1000, n_up);
}

static int teardown(void **state)
{
	if (running)
		printf("# seed=%u (repeat: SIM_SEED=%u SIM_SEEDS=1) at %llu ms\n", running, running,
		       (unsigned long long)(lab.now_ns / MS));
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test_teardown(random_days, teardown)};

	return cmocka_run_group_tests_name("sim-lacp", tests, NULL, NULL);
}
