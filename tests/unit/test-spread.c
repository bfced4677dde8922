/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-spread.c - guests bound to members, and what is done about uneven loads from time to time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "common/util.h"
#include "netback-team/policy.h"
#include "tests/unit/team-choose.h"

#define MS  NSEC_PER_MSEC
#define SEC NSEC_PER_SEC

static struct team team;
static struct pin pins[16];
static uint64_t now_ns;

/* Members nic0, nic1 ... of 1 Gbit/s, up; no guest. */
static void team_with(const char *mode, struct team_options options, int n)
{
	char name[8] = "nic0";

	while (policy_names[options.mode] && strcmp(policy_names[options.mode], mode))
		options.mode++;
	assert_non_null(policy_names[options.mode]);
	options.speed_bps = 1000000000;
	options.hash = FLOW_L34;
	now_ns = SEC;
	memset(pins, 0, sizeof(pins));
	team_init(&team, "t", &options, NULL);
	for (int i = 0; i < n; i++) {
		name[3] = (char)('0' + i);
		assert_int_equal(team_add(&team, name, 128, NULL), i);
		team_on_link(&team, i, true, now_ns);
	}
}

static void bind_guest(int guest, const char *list, bool confine)
{
	if (!pins[guest].name[0]) {
		pins[guest].name[0] = (char)('a' + guest);
		spread_pin_add(&team, &pins[guest], now_ns);
	}
	assert_true(spread_pin_set(&team, &pins[guest], list, confine, now_ns));
}

static int send_bytes(int guest, uint32_t flow, uint32_t bytes)
{
	struct team_frame frame = numbered_frame(flow, now_ns);

	frame.bytes = bytes;
	frame.pin = &pins[guest];
	return team_choose(&team, &frame, 0);
}

static int send_from(int guest, uint32_t flow)
{
	return send_bytes(guest, flow, 1514);
}

/* All flows of the guest are on one member; which one. */
static int only_member(int guest)
{
	const int member = send_from(guest, 0);

	for (uint32_t flow = 1; flow < 50; flow++)
		assert_int_equal(send_from(guest, flow), member);
	return member;
}

static void lists_are_checked(void **state)
{
	static const char *const bad[] = {"nic0 nic0", "nic0:3", "nic/0", "a-name-of-20-letters",
					  "a b c d e f g h i j k l m n o p q"};
	struct pin pin = {0};

	assert_true(pin_set(&pin, "", false));
	assert_false(pin_binds(&pin));
	assert_true(pin_set(&pin, " nic0\tnic1 ", false));
	assert_true(pin_binds(&pin));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_false(pin_set(&pin, bad[i], true));
		assert_int_equal(pin.n_members, 2);
		assert_string_equal(pin.members[1], "nic1");
		assert_false(pin.confine);
	}
	assert_true(pin_set(&pin, "a b c d e f g h i j k l m n o p", false));
	assert_int_equal(pin.n_members, 16);
}

static void a_list_is_followed_in_its_order(void **state)
{
	team_with("hash", (struct team_options){.drain_ns = MS}, 4);
	bind_guest(0, "nic2 nic1", false);
	assert_int_equal(only_member(0), 2);
	assert_string_equal(pins[0].why, "the first of its list");
	team_on_link(&team, 2, false, now_ns);
	assert_int_equal(only_member(0), 1);
	team_on_link(&team, 1, false, now_ns);
	assert_int_equal(pins[0].seat.want, -1);
	assert_true(send_from(0, 1) == 0 || send_from(0, 1) == 3); /* nobody is lost */
	team_on_link(&team, 2, true, now_ns);
	assert_int_not_equal(send_from(0, 1), 2); /* the mode's frames are under way */
	now_ns += 100 * MS;
	assert_int_equal(only_member(0), 2);
	bind_guest(0, "nic3", false); /* live, drained */
	assert_int_equal(only_member(0), 2);
	now_ns += 100 * MS;
	assert_int_equal(only_member(0), 3);
	assert_int_equal(pins[0].n_moves, 3); /* with the one away from nic1 */
	bind_guest(0, "", false);
	bind_guest(1, "", false);
	now_ns += 100 * MS;
	assert_int_equal(send_from(0, 1), send_from(1, 1)); /* as the mode says */
	assert_int_equal(pins[0].seat.member, -1);
}

static void names_may_come_later(void **state)
{
	int member;

	team_with("slb", (struct team_options){0}, 2);
	bind_guest(0, "eth9", false);
	assert_in_range(send_from(0, 1), 0, 1);
	now_ns += 100 * MS;
	member = team_add(&team, "eth9", 128, NULL);
	team_on_link(&team, member, true, now_ns);
	assert_int_equal(only_member(0), member);
	assert_int_equal(spread_member_of_mac(&team, &pins[0], (uint8_t[6]){2}, 0), member);
	team_remove(&team, member, now_ns);
	assert_in_range(send_from(0, 1), 0, 1);
	assert_int_equal(team_add(&team, "other", 128, NULL), member);
	team_on_link(&team, member, true, now_ns + 100 * MS);
	assert_int_equal(pins[0].seat.want, -1); /* the same number, another name */
}

static void one_active_member_means_all(void **state)
{
	team_with("active-backup", (struct team_options){0}, 2);
	bind_guest(0, "nic1", false);
	assert_int_equal(only_member(0), 0);
	assert_int_equal(spread_member_of_mac(&team, &pins[0], (uint8_t[6]){2}, 0), 0);
	assert_false(spread_moves_macs(&team));
}

static void confined_guests_spread_over_idle_members(void **state)
{
	unsigned int count[4] = {0};

	team_with("round-robin", (struct team_options){0}, 4);
	for (int i = 0; i < 12; i++)
		bind_guest(i, "", true);
	for (int i = 0; i < 12; i++)
		count[only_member(i)]++;
	for (int i = 0; i < 4; i++)
		assert_int_equal(count[i], 3);
	team_on_link(&team, 1, false, now_ns);
	for (int i = 0; i < 12; i++)
		assert_int_not_equal(only_member(i), 1);
	for (int i = 0; i < 12; i++)
		spread_pin_remove(&team, &pins[i]);
}

static void a_confined_guest_takes_the_least_used_of_its_list(void **state)
{
	team_with("hash", (struct team_options){0}, 3);
	for (unsigned int i = 0; i < 100; i++, now_ns += 5 * MS) {
		load_add(&team.spread.loads[0], 200000, now_ns);
		load_add(&team.spread.loads[1], 400000, now_ns);
	}
	bind_guest(0, "nic1 nic0", true);
	assert_int_equal(only_member(0), 0);
	bind_guest(1, "", true);
	assert_int_equal(only_member(1), 2);
	bind_guest(1, "nic1", false);
	bind_guest(1, "", true); /* before it could move */
	now_ns += 100 * MS;
	assert_int_equal(only_member(1), 1);
	assert_string_equal(pins[1].why, "confined to the member that it used");
}

static void a_confined_guest_leaves_a_busy_member(void **state)
{
	const struct team_options options = {
		.repin_interval_ns = 30 * SEC, .repin_threshold = 75, .drain_ns = MS / 10};
	uint64_t until_ns;

	team_with("hash", options, 2);
	for (int i = 0; i < 4; i++) /* in turn on both */
		bind_guest(i, "", true);
	for (uint32_t round = 0; round < 2; round++) {
		until_ns = now_ns + 31 * SEC;
		for (; now_ns < until_ns; now_ns += MS) { /* 125 kB is a link's millisecond */
			for (int i = 0; i < 4; i++)
				send_bytes(i, 0, i == 0 ? 60000 : i == 2 ? 40000 : 10000);
			team_run(&team, now_ns);
		}
		if (round == 0) { /* 80 % and 16 %: the guest that evens them best moved, once */
			assert_int_equal(team.spread.stats.repinned, 1);
			assert_int_equal(only_member(0), 0);
			assert_string_equal(pins[2].why, "moved off a busy member");
		}
	}
	assert_int_equal(only_member(2), 1);
	assert_int_equal(pins[2].n_moves, 1);
	assert_int_equal(team.spread.stats.repinned, 1);
}

/* 40 flows of equal size that all live on two members' worth of buckets, for some intervals. */
static void run_uneven(unsigned int intervals)
{
	const uint64_t until_ns = now_ns + intervals * 10 * SEC + SEC;

	for (; now_ns < until_ns; now_ns += 20 * MS) {
		for (uint32_t flow = 0, n = 0; n < 40; flow++) {
			struct team_frame frame = numbered_frame(flow, now_ns);
			const uint64_t hash = flow_hash(&frame.key, FLOW_L34, 0);

			if (hash % BUCKETS % 4 > 1)
				continue;
			n++;
			frame.bytes = 40000;
			assert_true(team_choose(&team, &frame, 0) >= 0);
		}
		team_run(&team, now_ns);
	}
}

static void buckets_move_when_two_intervals_agree(void **state)
{
	const struct team_options options = {.rebalance_interval_ns = 10 * SEC,
					     .rebalance_threshold = 10,
					     .rebalance_gain = 5,
					     .drain_ns = MS};
	uint64_t begin[4], most = 0, least = UINT64_MAX;

	team_with("hash", options, 4);
	run_uneven(1);
	assert_int_equal(team.spread.stats.rebalanced, 0);
	assert_true(team.spread.relieve >= 0);
	run_uneven(1);
	assert_in_range(team.spread.stats.rebalanced, 1, SPREAD_MOVES);
	run_uneven(40);
	for (unsigned int i = 0; i < 4; i++)
		begin[i] = team.spread.loads[i].bytes;
	run_uneven(1);
	for (unsigned int i = 0; i < 4; i++) {
		most = MAX(most, team.spread.loads[i].bytes - begin[i]);
		least = MIN(least, team.spread.loads[i].bytes - begin[i]);
	}
	assert_true(most * 100 <= least * 150); /* it was everything and nothing */
}

/* Flows by the buckets, each as much: what goes by weight is even, and stays. */
/* A flow whose bucket lives on this member, after the one of the last call. */
static uint32_t next_flow_of(int member, uint32_t flow)
{
	struct team_frame frame;

	do
		frame = numbered_frame(++flow, now_ns);
	while (team.spread.map.buckets[flow_hash(&frame.key, FLOW_L34, 0) % BUCKETS].home !=
	       member);
	return flow;
}

/* Flows of equal size, as many as weights say: the loads are even. */
static void weights_count_when_loads_are_compared(void **state)
{
	const struct team_options options = {
		.rebalance_interval_ns = 10 * SEC, .rebalance_gain = 3, .drain_ns = MS};
	uint32_t flows[32], flow = 0;

	team_with("hash", options, 2);
	bind_guest(0, "", false);
	team_set_traits(&team, 0, &(struct member_traits){.weight = 3}, now_ns);
	for (uint32_t i = 0; i < ARRAY_SIZE(flows); i++)
		flows[i] = flow = next_flow_of(i % 4 == 3, flow);
	for (uint32_t i = 0; i < 60 * 1000; i++, now_ns += MS) {
		send_bytes(0, flows[i % ARRAY_SIZE(flows)], 40000);
		team_run(&team, now_ns);
	}
	assert_int_equal(team.spread.loads[0].bytes, 3 * team.spread.loads[1].bytes);
	assert_int_equal(team.spread.stats.rebalanced, 0);
}

static void an_idle_team_sleeps(void **state)
{
	const struct team_options options = {.rebalance_interval_ns = 10 * SEC,
					     .rebalance_gain = 5};

	team_with("hash", options, 2);
	assert_int_equal(team_deadline(&team), DEADLINE_NEVER);
	send_from(0, 1);
	assert_int_equal(team_deadline(&team), now_ns + 10 * SEC);
	now_ns = team_deadline(&team);
	team_run(&team, now_ns);
	assert_int_equal(team_deadline(&team), now_ns + 10 * SEC);
	now_ns = team_deadline(&team);
	team_run(&team, now_ns);
	assert_int_equal(team_deadline(&team), DEADLINE_NEVER);
	send_from(0, 1);
	assert_int_equal(team_deadline(&team), now_ns + 10 * SEC);
}

static void speeds_are_the_drivers_or_the_keys(void **state)
{
	struct team_options options;

	team_with("least-load", (struct team_options){0}, 2);
	spread_set_speed(&team, 1, 40000000000);
	options = team.options;
	options.speed_bps = 100000000;
	team_set_options(&team, &options, now_ns);
	assert_int_equal(team.spread.loads[0].rate_bps, 100000000);
	assert_int_equal(team.spread.loads[1].rate_bps, 40000000000);
	team_remove(&team, 1, now_ns);
	assert_int_equal(team.spread.loads[1].rate_bps, 100000000);
}

static void another_seed_forgets_sessions(void **state)
{
	struct team_options options;
	struct team_frame frame;

	team_with("tcp-sticky", (struct team_options){.sticky_age_ns = SEC}, 2);
	frame = numbered_frame(1, now_ns);
	frame.key.proto = IPPROTO_TCP;
	frame.key.tcp_flags = FLOW_TCP_SYN;
	team_choose(&team, &frame, 0);
	options = team.options;
	team_set_options(&team, &options, now_ns);
	assert_int_equal(sticky_count(&team.spread.sticky, SEC, now_ns), 1);
	options.hash_seed = 5;
	team_set_options(&team, &options, now_ns);
	assert_int_equal(sticky_count(&team.spread.sticky, SEC, now_ns), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_are_checked),
		cmocka_unit_test(a_list_is_followed_in_its_order),
		cmocka_unit_test(names_may_come_later),
		cmocka_unit_test(one_active_member_means_all),
		cmocka_unit_test(confined_guests_spread_over_idle_members),
		cmocka_unit_test(a_confined_guest_takes_the_least_used_of_its_list),
		cmocka_unit_test(a_confined_guest_leaves_a_busy_member),
		cmocka_unit_test(buckets_move_when_two_intervals_agree),
		cmocka_unit_test(weights_count_when_loads_are_compared),
		cmocka_unit_test(an_idle_team_sleeps),
		cmocka_unit_test(speeds_are_the_drivers_or_the_keys),
		cmocka_unit_test(another_seed_forgets_sessions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
