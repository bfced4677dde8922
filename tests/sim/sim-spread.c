/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sim-spread.c - random traffic of many flows through a team on links that queue, flap, come and
 * go.
 *
 * A link is a queue that empties at the link's speed; behind it a frame is up to half of `drain`
 * late, as interrupts and switches make it. Invariants: a frame finds a member whenever one is
 * usable; when a member dies, only what was on it moves; in every mode that promises it, frames of
 * a flow arrive in the order in which they were sent (those that died with their link aside).
 * SIM_SEEDS (default 40) runs from SIM_SEED (default 1); the seed of a failure is printed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "netback-team/policy.h"
#include "netback-team/team.h"

#define FLOWS  300
#define GUESTS 6
#define STEPS  20000
#define US     NSEC_PER_USEC
#define MS     NSEC_PER_MSEC
#define DRAIN  (200 * US)

struct flow {
	struct flow_key key;
	int guest;
	bool begun;
	int link;	     /* of its last frame */
	uint64_t sent_ns;    /* its last frame */
	uint64_t arrival_ns; /* of the latest frame */
};

struct sim {
	struct team team;
	struct team_options options;
	struct pin pins[GUESTS];
	struct flow flows[FLOWS];
	uint64_t now_ns;
	uint64_t free_ns[TEAM_MEMBERS_MAX];    /* the link has sent everything */
	uint64_t arrival_ns[TEAM_MEMBERS_MAX]; /* of its last frame */
	unsigned int seed;
	unsigned int n_moves; /* times that a flow was on another link than before */
};

static struct sim sim;

static unsigned int draw(struct sim *s, unsigned int n)
{
	return (unsigned int)rand_r(&s->seed) % n;
}

static uint64_t rate_of(int member)
{
	return (uint64_t)(1 + member % 3) * 1000000000;
}

static void add_member(struct sim *s)
{
	static unsigned int number;
	char name[TEAM_NIC_NAME_MAX];
	int member;

	snprintf(name, sizeof(name), "n%u", number++ % 8);
	member = team_add(&s->team, name, 128, NULL);
	if (member < 0)
		return; /* it is there already */
	s->free_ns[member] = s->arrival_ns[member] = 0;
	spread_set_speed(&s->team, member, rate_of(member));
	team_on_link(&s->team, member, draw(s, 4) > 0, s->now_ns);
}

/* What waits on the link is gone, and cannot arrive too late any more. */
static void kill_queue(struct sim *s, int member)
{
	for (unsigned int i = 0; i < FLOWS; i++)
		if (s->flows[i].link == member && s->flows[i].arrival_ns > s->now_ns)
			s->flows[i].arrival_ns = s->now_ns;
	s->free_ns[member] = s->arrival_ns[member] = s->now_ns;
}

/* Of the buckets that may not move (all but the dead member's), none has. */
static void check_buckets(const struct sim *s, const struct bucket_map *before, int dead)
{
	for (unsigned int i = 0; i < BUCKETS; i++) {
		const int old = before->buckets[i].seat.member;

		if (old != dead && seat_in(before->usable, old))
			assert_int_equal(s->team.spread.map.buckets[i].seat.member, old);
		if (s->team.usable)
			assert_true(
				seat_in(s->team.usable, s->team.spread.map.buckets[i].seat.member));
	}
}

static int any_member(struct sim *s)
{
	const int start = (int)draw(s, TEAM_MEMBERS_MAX);

	for (int i = 0; i < TEAM_MEMBERS_MAX; i++)
		if (s->team.members[(start + i) % TEAM_MEMBERS_MAX].used)
			return (start + i) % TEAM_MEMBERS_MAX;
	return -1;
}

static void link_event(struct sim *s)
{
	const struct bucket_map before = s->team.spread.map;
	const int member = any_member(s);
	const bool was_usable = seat_in(s->team.usable, member);
	int dead = -1;

	switch (member < 0 ? 0 : draw(s, 12)) {
	case 0:
		add_member(s);
		return;
	case 1:
		team_remove(&s->team, member, s->now_ns);
		dead = member;
		break;
	case 2:
		team_on_send_error(&s->team, member, ENETDOWN, s->now_ns);
		break;
	case 3:
	case 4:
	case 5:
		team_on_link(&s->team, member, false, s->now_ns);
		break;
	default:
		team_on_link(&s->team, member, true, s->now_ns);
		break;
	}
	if (was_usable && !seat_in(s->team.usable, member))
		dead = member;
	if (dead >= 0)
		kill_queue(s, dead);
	check_buckets(s, &before, dead);
}

static void bind_event(struct sim *s)
{
	static const char *const lists[] = {"", "", "n1 n2", "n3", "n5 n0 n4"};
	struct pin *pin = &s->pins[draw(s, GUESTS)];

	assert_true(spread_pin_set(&s->team, pin, lists[draw(s, ARRAY_SIZE(lists))], draw(s, 2),
				   s->now_ns));
}

static void send_one(struct sim *s, struct flow *flow)
{
	struct team_frame frame = {.key = flow->key,
				   .bytes = 60 + draw(s, 1455) + (draw(s, 20) ? 0 : 20000),
				   .now_ns = s->now_ns,
				   .pin = &s->pins[flow->guest]};
	/* The ports of a session that has been silent for long may be used again. */
	const bool syn = !flow->begun || (s->now_ns - flow->sent_ns > 200 * MS && draw(s, 2));
	uint64_t arrival_ns;
	int link;

	if (frame.key.proto == IPPROTO_TCP)
		frame.key.tcp_flags = syn ? FLOW_TCP_SYN : draw(s, 100) ? 0 : FLOW_TCP_FIN;
	flow->begun = true;
	link = team_choose(&s->team, &frame, 0);
	assert_int_equal(link >= 0, s->team.usable != 0);
	if (link < 0)
		return;
	assert_true(seat_in(s->team.usable, link));
	s->free_ns[link] = MAX(s->free_ns[link], s->now_ns) +
			   frame.bytes * 8ull * NSEC_PER_SEC / rate_of(link);
	arrival_ns = s->free_ns[link] + draw(s, DRAIN / 2);
	arrival_ns = MAX(arrival_ns, s->arrival_ns[link]);
	s->arrival_ns[link] = arrival_ns;
	if (team_reads_flows(&s->team))
		assert_true(arrival_ns >= flow->arrival_ns);
	s->n_moves += flow->sent_ns && flow->link != link;
	flow->arrival_ns = MAX(flow->arrival_ns, arrival_ns);
	flow->sent_ns = s->now_ns;
	flow->link = link;
}

/* A ring holds no more than this: then the sender waits. */
static void wait_for_rings(struct sim *s)
{
	for (unsigned int i = 0; i < TEAM_MEMBERS_MAX; i++)
		if (s->free_ns[i] > s->now_ns + LOAD_WAIT_MAX_NS / 2)
			s->now_ns = s->free_ns[i] - LOAD_WAIT_MAX_NS / 4;
}

static void start(struct sim *s, unsigned int seed)
{
	int n_modes = 1;

	while (policy_names[n_modes])
		n_modes++;
	memset(s, 0, sizeof(*s));
	s->seed = seed;
	s->now_ns = NSEC_PER_SEC;
	s->options = (struct team_options){.mode = (int)seed % n_modes,
					   .hash = (int)draw(s, FLOW_SRCDST + 1),
					   .drain_ns = DRAIN,
					   .flowlet_gap_ns = 500 * US,
					   .sticky_age_ns = NSEC_PER_SEC,
					   .rebalance_interval_ns = draw(s, 2) * 10 * MS,
					   .rebalance_gain = 1,
					   .repin_interval_ns = 20 * MS,
					   .repin_threshold = 1};
	team_init(&s->team, "t", &s->options, NULL);
	for (unsigned int i = 0; i < GUESTS; i++)
		spread_pin_add(&s->team, &s->pins[i], s->now_ns);
	for (unsigned int i = 0; i < 5; i++)
		add_member(s);
	for (unsigned int i = 0; i < FLOWS; i++) {
		struct flow *flow = &s->flows[i];

		flow->link = -1;
		flow->guest = (int)draw(s, GUESTS);
		flow->key = (struct flow_key){.ip_version = 4,
					      .src_mac = (uint64_t)flow->guest << 40 | 2,
					      .dst_mac = draw(s, 9),
					      .src = {(uint64_t)flow->guest},
					      .dst = {draw(s, 20)},
					      .ports = draw(s, UINT32_MAX),
					      .proto = i % 3 ? IPPROTO_TCP : IPPROTO_UDP,
					      .has_ports = true};
	}
}

static unsigned int run_seed(unsigned int seed)
{
	struct sim *s = &sim;

	start(s, seed);
	for (unsigned int step = 0; step < STEPS; step++) {
		const unsigned int kind = draw(s, 1000);
		/* Some flows send most. */
		const unsigned int flow = draw(s, draw(s, 3) ? 20 : FLOWS);

		if (kind < 5)
			link_event(s);
		else if (kind < 7)
			bind_event(s);
		else if (kind < 10)
			s->now_ns += draw(s, 400) * MS;
		else if (kind < 300)
			s->now_ns += draw(s, 100) * US;
		wait_for_rings(s);
		team_run(&s->team, s->now_ns);
		send_one(s, &s->flows[flow]);
	}
	return s->n_moves;
}

static unsigned int from_env(const char *name, unsigned int otherwise)
{
	const char *value = getenv(name);

	return value ? (unsigned int)strtoul(value, NULL, 10) : otherwise;
}

static void test_seeds(void **state)
{
	const unsigned int first = from_env("SIM_SEED", 1), n = from_env("SIM_SEEDS", 40);

	for (unsigned int seed = first; seed < first + n; seed++) {
		printf("# seed=%u (repeat: SIM_SEED=%u SIM_SEEDS=1)\n", seed, seed);
		assert_true(run_seed(seed) > 50); /* the world was not dull */
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_seeds)};

	return cmocka_run_group_tests_name("sim-spread", tests, NULL, NULL);
}
