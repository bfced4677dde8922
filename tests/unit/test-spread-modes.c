/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-spread-modes.c - the modes that look at flows and loads, one after the other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "common/util.h"
#include "netback-team/policy.h"
#include "tests/unit/team-choose.h"

#define MEMBERS 4
#define US	NSEC_PER_USEC
#define MS	NSEC_PER_MSEC

static struct team team;
static uint64_t now_ns;

static void team_with(const char *mode, struct team_options options)
{
	static const char *const names[MEMBERS] = {"a", "b", "c", "d"};

	while (policy_names[options.mode] && strcmp(policy_names[options.mode], mode))
		options.mode++;
	assert_non_null(policy_names[options.mode]);
	options.speed_bps = NSEC_PER_SEC; /* 8 ns a byte, 12.1 us a frame */
	now_ns = NSEC_PER_SEC;
	team_init(&team, "t", &options, NULL);
	for (int i = 0; i < MEMBERS; i++) {
		assert_int_equal(team_add(&team, names[i], 128, NULL), i);
		team_on_link(&team, i, true, now_ns);
	}
}

static int ask(struct team_frame frame)
{
	frame.now_ns = now_ns;
	return team_choose(&team, &frame, 0);
}

static int ask_tcp(uint32_t flow, uint8_t flags)
{
	struct team_frame frame = numbered_frame(flow, now_ns);

	frame.key.proto = IPPROTO_TCP;
	frame.key.tcp_flags = flags;
	return ask(frame);
}

static void hash_keeps_flows_and_balances_ten_thousand(void **state)
{
	for (int fields = FLOW_L2; fields <= FLOW_SRCDST; fields++) {
		unsigned int count[MEMBERS] = {0};

		team_with("hash", (struct team_options){.hash = fields});
		for (uint32_t flow = 0; flow < 10000; flow++) {
			struct team_frame frame = numbered_frame(flow, now_ns);
			int member;

			frame.key.src[0] ^= flow;
			frame.key.dst[0] ^= flow;
			frame.key.src_mac ^= flow << 8;
			member = ask(frame);
			now_ns += US;
			frame.key.tcp_flags = 0x18;
			frame.bytes = 60;
			assert_int_equal(ask(frame), member);
			count[member]++;
		}
		for (int i = 0; i < MEMBERS; i++)
			assert_in_range(count[i], 2250, 2750);
	}
}

static void another_seed_deals_anew(void **state)
{
	int members[1000] = {0};
	unsigned int same = 0;

	for (uint64_t seed = 0; seed < 2; seed++) {
		team_with("hash", (struct team_options){.hash = FLOW_L34, .hash_seed = seed});
		for (uint32_t flow = 0; flow < 1000; flow++) {
			const int member = ask(numbered_frame(flow, now_ns));

			same += seed && members[flow] == member;
			members[flow] = member;
		}
	}
	assert_in_range(same, 180, 320); /* a fourth of them, by chance */
}

static void hash_moves_only_what_the_dead_member_had(void **state)
{
	int before[1000];

	team_with("hash", (struct team_options){.hash = FLOW_L34, .drain_ns = MS});
	for (uint32_t flow = 0; flow < 1000; flow++)
		before[flow] = ask(numbered_frame(flow, now_ns));
	team_on_link(&team, 2, false, now_ns);
	for (uint32_t flow = 0; flow < 1000; flow++) {
		const int member = ask(numbered_frame(flow, now_ns));

		assert_int_not_equal(member, 2);
		assert_true(before[flow] == 2 || member == before[flow]);
	}
	team_on_link(&team, 2, true, now_ns);
	for (uint32_t flow = 0; flow < 1000; flow++) /* nothing is drained */
		assert_int_not_equal(ask(numbered_frame(flow, now_ns)), 2);
	now_ns += 100 * MS;
	for (uint32_t flow = 0; flow < 1000; flow++)
		assert_int_equal(ask(numbered_frame(flow, now_ns)), before[flow]);
}

static void a_flow_that_was_refused_stays_aside_until_it_pauses(void **state)
{
	struct team_frame frame;
	int member, other;

	team_with("hash", (struct team_options){.hash = FLOW_L34});
	frame = numbered_frame(7, now_ns);
	member = team_choose(&team, &frame, 0);
	assert_non_null(frame.seat);
	other = team_choose(&team, &frame, 1u << member);
	assert_int_not_equal(other, member);
	assert_non_null(frame.seat);
	assert_int_equal(frame.seat->want, member);
	assert_int_equal(team_choose(&team, &frame, 0), other);
	frame.now_ns += 100 * MS;
	assert_int_equal(team_choose(&team, &frame, 0), member);
}

static void ip_hash_takes_turns_without_ip(void **state)
{
	struct team_frame arp = {.key = {.src_mac = 2, .dst_mac = 0xffffffffffff}, .bytes = 60};
	const struct team_frame broken = {.key = {.malformed = true}, .bytes = 60};
	int member;

	team_with("ip-hash", (struct team_options){0});
	for (unsigned int i = 0; i < 12; i++)
		assert_int_equal(ask(arp), i % MEMBERS);
	ask(broken);
	assert_int_equal(team.spread.stats.non_ip, 13);
	assert_int_equal(team.spread.stats.malformed, 1);
	member = ask(numbered_frame(0, now_ns));
	for (uint32_t flow = 1; flow < 100; flow++) /* ports do not count */
		assert_int_equal(ask(numbered_frame(flow, now_ns)), member);
}

static void least_load_goes_by_bytes_over_speed(void **state)
{
	uint64_t bytes[MEMBERS] = {0};

	team_with("least-load", (struct team_options){0});
	spread_set_speed(&team, 0, 4 * NSEC_PER_SEC);
	for (unsigned int i = 0; i < 7000; i++) {
		struct team_frame frame = numbered_frame(1, now_ns);

		frame.bytes = i % 7 ? 1514 : 60;
		bytes[ask(frame)] += frame.bytes;
		now_ns += i % 3 * US; /* more than the links carry */
	}
	for (int i = 1; i < MEMBERS; i++) {
		assert_in_range(bytes[0] * 100 / bytes[i], 390, 410);
		assert_in_range(bytes[1] * 100 / bytes[i], 98, 102);
	}
}

static void least_load_takes_turns_on_idle_links(void **state)
{
	unsigned int count[MEMBERS] = {0};

	team_with("least-load", (struct team_options){0});
	for (unsigned int i = 0; i < 400; i++, now_ns += MS)
		count[ask(numbered_frame(1, now_ns))]++;
	for (int i = 0; i < MEMBERS; i++)
		assert_in_range(count[i], 99, 101);
}

static void flowlets_stay_until_they_pause(void **state)
{
	int last = -1;

	team_with("rr-flowlet", (struct team_options){.flowlet_gap_ns = 500 * US});
	for (unsigned int burst = 0; burst < 20; burst++) {
		const int member = ask(numbered_frame(9, now_ns));

		assert_int_equal(member, (last + 1) % MEMBERS);
		last = member;
		for (unsigned int i = 0; i < 50; i++, now_ns += 500 * US)
			assert_int_equal(ask(numbered_frame(9, now_ns)), member);
		now_ns += 13 * US; /* the last frame's time on the wire, and a bit */
	}
}

static void a_flowlet_leaves_a_dead_member_at_once(void **state)
{
	int member;

	team_with("rr-flowlet", (struct team_options){.flowlet_gap_ns = 500 * US});
	member = ask(numbered_frame(9, now_ns));
	team_on_link(&team, member, false, now_ns);
	assert_int_not_equal(ask(numbered_frame(9, now_ns)), member);
}

static void sessions_stay_where_the_load_put_them(void **state)
{
	const struct team_options options = {.sticky_age_ns = NSEC_PER_SEC};
	unsigned int count[MEMBERS] = {0};
	int members[400];

	team_with("tcp-sticky", options);
	for (uint32_t flow = 0; flow < 400; flow++) {
		members[flow] = ask_tcp(flow, FLOW_TCP_SYN);
		count[members[flow]]++;
	}
	for (int i = 0; i < MEMBERS; i++)
		assert_int_equal(count[i], 100);
	assert_int_equal(team.spread.stats.sessions, 400);
	for (uint32_t flow = 0; flow < 400; flow++, now_ns += 100 * US)
		assert_int_equal(ask_tcp(flow, 0x10), members[flow]);
	team_on_link(&team, 1, false, now_ns); /* they move for good */
	for (uint32_t flow = 0; flow < 400; flow++) {
		const int member = ask_tcp(flow, 0x10);

		assert_true(members[flow] == 1 ? member != 1 : member == members[flow]);
		members[flow] = member;
	}
	team_on_link(&team, 1, true, now_ns);
	now_ns += 100 * MS;
	for (uint32_t flow = 0; flow < 400; flow++)
		assert_int_equal(ask_tcp(flow, 0x10), members[flow]);
}

static void a_full_table_leaves_sessions_to_the_hash(void **state)
{
	const uint32_t n = 3 * STICKY_SETS * STICKY_WAYS;
	int member;

	team_with("tcp-sticky", (struct team_options){.sticky_age_ns = NSEC_PER_SEC});
	for (uint32_t flow = 0; flow < n; flow++) {
		member = ask_tcp(flow, FLOW_TCP_SYN);
		assert_int_equal(ask_tcp(flow, 0x10), member);
	}
	assert_true(team.spread.stats.sessions_by_hash > n / 2);
	assert_int_equal(team.spread.stats.sessions_by_hash + team.spread.stats.sessions, n);
	member = ask(numbered_frame(3, now_ns)); /* UDP */
	assert_int_equal(ask(numbered_frame(3, now_ns)), member);
	now_ns += 2 * NSEC_PER_SEC; /* all are old: there is room again */
	ask_tcp(n, FLOW_TCP_SYN);
	assert_int_equal(sticky_count(&team.spread.sticky, NSEC_PER_SEC, now_ns), 1);
}

static void slb_keeps_the_guest_together(void **state)
{
	unsigned int count[MEMBERS] = {0};

	team_with("slb", (struct team_options){0});
	for (uint8_t guest = 0; guest < 200; guest++) {
		const uint8_t mac[6] = {0, 0x16, 0x3e, 0, 0, guest};
		struct team_frame frame = numbered_frame(guest, now_ns);
		int member;

		memcpy(&frame.key.src_mac, mac, sizeof(mac));
		frame.key.vlan = guest % 2 * 42;
		member = ask(frame);
		assert_int_equal(spread_member_of_mac(&team, NULL, mac, frame.key.vlan), member);
		count[member]++;
		frame.key.dst[0] ^= 99;
		frame.key.dst_mac ^= 99;
		frame.key.ports ^= 99;
		assert_int_equal(ask(frame), member);
	}
	for (int i = 0; i < MEMBERS; i++)
		assert_in_range(count[i], 20, 80);
	assert_true(spread_moves_macs(&team));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hash_keeps_flows_and_balances_ten_thousand),
		cmocka_unit_test(another_seed_deals_anew),
		cmocka_unit_test(hash_moves_only_what_the_dead_member_had),
		cmocka_unit_test(a_flow_that_was_refused_stays_aside_until_it_pauses),
		cmocka_unit_test(ip_hash_takes_turns_without_ip),
		cmocka_unit_test(least_load_goes_by_bytes_over_speed),
		cmocka_unit_test(least_load_takes_turns_on_idle_links),
		cmocka_unit_test(flowlets_stay_until_they_pause),
		cmocka_unit_test(a_flowlet_leaves_a_dead_member_at_once),
		cmocka_unit_test(sessions_stay_where_the_load_put_them),
		cmocka_unit_test(a_full_table_leaves_sessions_to_the_hash),
		cmocka_unit_test(slb_keeps_the_guest_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
