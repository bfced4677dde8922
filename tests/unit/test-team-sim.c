/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-team-sim.c - a thousand teams live through random events in virtual time; after each of them
 * what must always hold is checked. XENBACK_SEED and XENBACK_SEQUENCES repeat or extend a run; a
 * failure prints its seed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "netback-team/policy.h"
#include "netback-team/team.h"
#include "tests/unit/team-choose.h"

#define MS NSEC_PER_MSEC

/* The world, and what the observer was told of it. */
struct world {
	struct team team;
	struct team_options options;
	uint64_t now_ns;
	bool link[TEAM_MEMBERS_MAX];
	enum team_member_state told_state[TEAM_MEMBERS_MAX];
	int told_active;
	bool last_was_removed;
	unsigned int n_members, n_failovers;
};

static uint64_t seed;
static unsigned long running; /* seed of the sequence that runs; 0 = none */

static uint32_t rnd(uint32_t below)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)((seed >> 33) % below);
}

static void on_member(void *ctx, struct team *team, int member, enum team_member_state old)
{
	struct world *w = ctx;

	assert_int_equal(w->told_state[member], old);
	assert_int_not_equal(team->members[member].state, old);
	assert_int_equal(team->members[member].since_ns, w->now_ns);
	assert_non_null(team->members[member].reason);
	w->told_state[member] = team->members[member].state;
}

static void on_active(void *ctx, struct team *team, int old, int new, const char *reason)
{
	struct world *w = ctx;

	assert_int_equal(w->told_active, old);
	assert_int_not_equal(old, new);
	assert_int_equal(team->active, new);
	assert_non_null(reason);
	if (old >= 0) /* even a removed one still has its name */
		assert_true(team->members[old].used && team->members[old].name[0]);
	w->told_active = new;
	w->n_failovers++;
}

/* Any flow asks now. */
static int choose_now(struct world *w, uint32_t tried)
{
	struct team_frame frame = numbered_frame(rnd(UINT32_MAX), w->now_ns);

	return team_choose(&w->team, &frame, tried);
}

static void random_options(struct world *w)
{
	uint32_t n_modes = 1;
	static const uint64_t delays[] = {0, 0, MS, 7 * MS, 50 * MS, 31000 * MS};

	while (policy_names[n_modes])
		n_modes++;
	w->options.mode = (int)rnd(n_modes);
	w->options.rebalance_interval_ns = delays[rnd(ARRAY_SIZE(delays))];
	w->options.drain_ns = delays[rnd(3)];
	w->options.failback = (int)rnd(5);
	w->options.failback_load = rnd(101);
	w->options.min_links = rnd(4) ? 0 : rnd(4);
	w->options.max_links = rnd(3) ? 0 : rnd(4);
	w->options.damping =
		(struct damp_options){rnd(2), delays[2 + rnd(3)], 2 + rnd(3), delays[2 + rnd(4)]};
	w->options.drained[0] = '\0';
	for (uint32_t i = 0; i < rnd(3); i++) /* also names of nobody */
		snprintf(w->options.drained + 4 * i, 5, "n%-3u", rnd(w->team.n_added + 4));
	w->options.updelay_ns = delays[rnd(ARRAY_SIZE(delays))];
	w->options.downdelay_ns = delays[rnd(ARRAY_SIZE(delays))];
	w->options.failback_hold_ns = delays[rnd(ARRAY_SIZE(delays))];
}

static int random_member(const struct world *w)
{
	int member;

	if (!w->n_members)
		return -1;
	do
		member = (int)rnd(TEAM_MEMBERS_MAX);
	while (!w->team.members[member].used);
	return member;
}

static void add(struct world *w)
{
	char name[8];
	int member;

	snprintf(name, sizeof(name), "n%u", w->team.n_added);
	member = team_add(&w->team, name, (uint8_t)(rnd(3) * 100), NULL);
	if (w->n_members == TEAM_MEMBERS_MAX) {
		assert_int_equal(member, -ENOSPC);
		return;
	}
	assert_in_range(member, 0, TEAM_MEMBERS_MAX - 1);
	w->told_state[member] =
		w->team.members[member].state; /* unused ones are told of to nobody */
	w->link[member] = false;
	w->n_members++;
}

static void one_event(struct world *w)
{
	static const int errors[] = {ENETDOWN, ENXIO, ENODEV, ENOBUFS};
	const int member = random_member(w);
	uint64_t ready_ns;
	int rc;

	switch (rnd(member < 0 ? 1 : 17)) {
	case 0:
		add(w); /* the only call that knows no time */
		team_run(&w->team, w->now_ns);
		break;
	case 1:
		team_remove(&w->team, member, w->now_ns);
		w->n_members--;
		break;
	case 2:
		random_options(w);
		team_set_options(&w->team, &w->options, w->now_ns);
		break;
	case 3:
		team_on_send_error(&w->team, member, errors[rnd(4)], w->now_ns);
		break;
	case 4:
		rc = team_failover(&w->team, member, w->now_ns);
		assert_int_equal(rc,
				 !w->team.closed && w->team.usable >> member & 1 ? 0 : -ENETDOWN);
		assert_true(rc < 0 || w->team.active == member);
		break;
	case 5:
		rc = team_failover(&w->team, -1, w->now_ns);
		assert_true(rc == 0 || rc == -ENETDOWN);
		break;
	case 6:
		team_on_probe(&w->team, member, rnd(3) == 0, w->now_ns);
		break;
	case 7:
		ready_ns = team_drain(&w->team, member, w->now_ns);
		assert_in_range(ready_ns, w->now_ns,
				w->now_ns + LOAD_WAIT_MAX_NS + w->options.drain_ns);
		break;
	case 8:
		team_set_traits(&w->team, member, &(struct member_traits){.weight = 1 + rnd(3)},
				w->now_ns);
		break;
	case 9:
		team_set_priority(&w->team, member, (uint8_t)(rnd(3) * 100), w->now_ns);
		break;
	default:
		w->link[member] = rnd(3) ? !w->link[member] : w->link[member];
		team_on_link(&w->team, member, w->link[member], w->now_ns);
		break;
	}
}

/* As many as fit, and nobody stands by who is preferred to one in use. */
static void check_max_links(const struct team *team)
{
	const struct policy *policy = policy_get(team->options.mode);
	const int fit = __builtin_popcount(team->fit), used = __builtin_popcount(team->usable);
	const uint32_t spared = team->fit & ~team->usable;

	assert_int_equal(team->usable & ~team->fit, 0);
	if (!team->options.max_links || policy->single_active || policy->lacp)
		assert_int_equal(spared, 0);
	else
		assert_int_equal(used, MIN(fit, (int)team->options.max_links));
	for (int i = 0; i < TEAM_MEMBERS_MAX; i++)
		for (int j = 0; j < TEAM_MEMBERS_MAX; j++)
			if (spared >> i & 1 && team->usable >> j & 1)
				assert_true(team->members[i].priority <=
						    team->members[j].priority ||
					    team->members[i].link < team->members[j].link);
}

static void check_members(const struct world *w)
{
	const struct team *team = &w->team;
	const bool single = policy_get(team->options.mode)->single_active;
	const bool lacp = policy_get(team->options.mode)->lacp;
	const bool by_mac = policy_get(team->options.mode)->by_mac;
	uint32_t usable = 0, dead = 0;

	for (int i = 0; i < TEAM_MEMBERS_MAX; i++) {
		const struct team_member *m = &team->members[i];
		const bool up = m->state == TEAM_MEMBER_STANDBY || m->state == TEAM_MEMBER_ACTIVE;

		assert_int_equal(m->state, w->told_state[i]); /* the observer knows all */
		usable |= (uint32_t)up << i;
		assert_true(m->used || m->state == TEAM_MEMBER_DOWN);
		if (!m->used)
			continue;
		assert_true(m->deadline_ns > w->now_ns);
		dead |= (uint32_t)(up && m->dead) << i;
		assert_int_equal(team_may_receive(team, i),
				 !team->closed &&
					 ((up && ((!single && !by_mac) || i == team->active ||
						  (by_mac && team->usable >> i & 1) ||
						  (team->detours >> i & 1))) ||
					  (!lacp && m->state == TEAM_MEMBER_DRAINED && m->link)));
		assert_true(m->drained || m->state != TEAM_MEMBER_DRAINED);
		assert_true(!m->drained || m->state == TEAM_MEMBER_DRAINED ||
			    (up && team_held(team, w->now_ns)));
		if (!m->link) /* only downdelay keeps a member without a link */
			assert_int_equal(
				up || m->state == TEAM_MEMBER_UPDELAY,
				m->deadline_ns != DEADLINE_NEVER ||
					(up && team->options.downdelay_ns == DEADLINE_NEVER));
		assert_true(m->since_ns <= w->now_ns && m->up_ns <= w->now_ns);
	}
	assert_int_equal(team->fit, usable);
	assert_true(!dead || dead == usable); /* who is dead is not used, but where all are */
	assert_int_equal(team->spread.map.usable, team->usable);
	check_max_links(team);
}

/* Frames with some members already tried, each set of them. */
static void check_choice(struct world *w)
{
	const uint32_t usable = w->team.usable & ~w->team.closed;
	unsigned int count[TEAM_MEMBERS_MAX] = {0};
	unsigned int least = UINT32_MAX, most = 0;

	for (unsigned int i = 0; i < 20; i++) {
		const uint32_t tried = rnd(1u << TEAM_MEMBERS_MAX);
		const int member = choose_now(w, tried);

		assert_int_equal(member >= 0, (usable & ~tried) != 0);
		if (member >= 0)
			assert_true((usable & ~tried) >> member & 1);
	}
	if (w->options.mode == 0) { /* or what follows one that tried it in vain */
		const int member = choose_now(w, 0), aside = w->team.aside.member;

		assert_int_equal(member, aside < 0 ? w->team.active : aside);
	}
	if (w->options.mode != 1)
		return;
	for (unsigned int i = 0; i < 40 && usable; i++)
		count[choose_now(w, 0)]++;
	for (int i = 0; i < TEAM_MEMBERS_MAX; i++) /* turns are longer, see test-policy */
		if (usable >> i & 1 && w->team.members[i].traits.weight != 1)
			return;
	for (int i = 0; i < TEAM_MEMBERS_MAX; i++) {
		if (usable >> i & 1) {
			least = MIN(least, count[i]);
			most = MAX(most, count[i]);
		}
	}
	assert_true(!usable || most - least <= 1);
}

static void check_state(struct world *w)
{
	struct team *team = &w->team;

	check_members(w);
	assert_int_equal(team->active, w->told_active);
	assert_int_equal(team->closed != 0,
			 (unsigned int)__builtin_popcount(team->usable) < team->options.min_links);
	assert_int_equal(team->active >= 0, team->usable != 0 && !team->closed);
	if (team->active >= 0)
		assert_true(team->usable >> team->active & 1);
	for (int i = 0; i < TEAM_MEMBERS_MAX && !team->usable; i++) { /* better than none */
		assert_int_not_equal(team->members[i].state, TEAM_MEMBER_UPDELAY);
		assert_int_not_equal(team->members[i].state, TEAM_MEMBER_DAMPED);
	}
	assert_true(team_deadline(team) > w->now_ns);
	assert_true(team->failback_ns == DEADLINE_NEVER ||
		    (!team->by_hand && team->options.failback != TEAM_FAILBACK_FAILURE &&
		     team->options.failback != TEAM_FAILBACK_MANUAL));
}

static void check(struct world *w)
{
	check_state(w);
	check_choice(w);
}

/* Time goes on: to the deadline (as a loop would), or short of it, or beyond it (a loop that was
 * late). */
static void pass_time(struct world *w)
{
	const uint64_t deadline = team_deadline(&w->team);
	const uint64_t left = deadline == DEADLINE_NEVER ? 100 * MS : deadline - w->now_ns;

	switch (rnd(4)) {
	case 0:
		return; /* two events at once */
	case 1:
		w->now_ns += left;
		break;
	case 2:
		w->now_ns += left / 2;
		break;
	case 3:
		w->now_ns += left + rnd(60000) * MS;
		break;
	}
	if (rnd(3)) {
		team_run(&w->team, w->now_ns);
		check(w);
	}
}

/* After the storm: all links up and long quiet. Everything is usable, and the best one is active if
 * the option says so. */
static void settle(struct world *w)
{
	struct team *team = &w->team;

	while (w->n_members < 2)
		add(w);
	w->options.updelay_ns = 31000 * MS;
	w->options.rebalance_interval_ns = 0; /* its clock runs as long as there are frames */
	w->options.failback = TEAM_FAILBACK_ALWAYS;
	w->options.min_links = w->options.max_links = 0;
	snprintf(w->options.drained, sizeof(w->options.drained), "nobody");
	team_set_options(team, &w->options, w->now_ns);
	if (team->by_hand) /* nothing but this takes back what was done by hand */
		assert_int_equal(team_failover(team, team_best(team, team->usable), w->now_ns), 0);
	for (int i = 0; i < TEAM_MEMBERS_MAX; i++)
		if (team->members[i].used) {
			team_on_probe(team, i, true, w->now_ns);
			team_on_link(team, i, true, w->now_ns);
		}
	for (unsigned int steps = 0; team_deadline(team) != DEADLINE_NEVER; steps++) {
		assert_in_range(steps, 0, 100);
		w->now_ns = team_deadline(team);
		team_run(team, w->now_ns);
		check_state(w); /* frames that step aside set a clock */
	}
	check_choice(w);
	assert_int_equal(__builtin_popcount(team->usable), w->n_members);
	if (!team->by_hand)
		assert_int_equal(team->active, team_best(team, team->usable));
}

static void any_sequence_of_events(void **state)
{
	const char *seed_text = getenv("XENBACK_SEED"), *n_text = getenv("XENBACK_SEQUENCES");
	const unsigned long first = seed_text ? strtoul(seed_text, NULL, 0) : 1;
	const unsigned long n = n_text ? strtoul(n_text, NULL, 0) : 1000;
	unsigned long n_failovers = 0;

	for (unsigned long i = 0; i < n; i++) {
		struct world w = {.now_ns = 1, .told_active = -1};
		struct team_observer observer = {
			.member = on_member, .active = on_active, .ctx = &w};

		seed = first + i;
		running = first + i;
		random_options(&w);
		team_init(&w.team, "t", &w.options, &observer);
		for (unsigned int e = 0; e < 60; e++) {
			one_event(&w);
			check(&w);
			pass_time(&w);
		}
		settle(&w);
		n_failovers += w.n_failovers;
	}
	running = 0;
	assert_true(n_failovers > n * 5); /* the worlds were not dull */
}

static int print_seed(void **state)
{
	if (running)
		print_message("# repeat it: XENBACK_SEED=%lu XENBACK_SEQUENCES=1\n", running);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(any_sequence_of_events, print_seed)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
