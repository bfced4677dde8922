/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-team-health.c - members whose probes are missed, that flap, that are drained; too few of
 * them; failback by load. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "netback-team/policy.h"
#include "team-choose.h"
#include "team-lab.h"

static void probe_at(struct lab *lab, const char *name, bool answered, uint64_t ms)
{
	team_on_probe(&lab->team, team_find(&lab->team, name), answered, ms * MS);
}

static void all_up(struct lab *lab, const char *priorities)
{
	lab_setup(lab, priorities);
	for (size_t i = 0; priorities[i]; i++)
		team_on_link(&lab->team, (int)i, true, MS);
	lab->trail[0] = '\0';
}

static int mode_of(const char *name)
{
	int mode = 0;

	while (strcmp(policy_names[mode], name) != 0)
		mode++;
	return mode;
}

static void a_dead_member_is_down(void **state)
{
	struct lab lab = {.options = {.mode = AB}};

	all_up(&lab, "21");
	probe_at(&lab, "a", false, 10);
	lab_expect(&lab, "a:active>down b:standby>active a>b(probes are missed)");
	lab_link_at(&lab, "a", false, 11);
	lab_link_at(&lab, "a", true, 12); /* a link is not enough */
	lab_expect(&lab, "");
	assert_int_equal(lab.team.members[0].state, TEAM_MEMBER_DOWN);
	lab_deadline_is(&lab, 0);
	probe_at(&lab, "a", true, 20);
	lab_expect(&lab, "a:down>active b:active>standby b>a(failback)");
	assert_string_equal(lab.team.members[0].reason, "probes are answered again");
}

static void probes_missed_everywhere_say_nothing(void **state)
{
	struct lab lab = {.options = {.mode = AB, .failback = TEAM_FAILBACK_FAILURE}};

	all_up(&lab, "211");
	probe_at(&lab, "a", false, 10);
	probe_at(&lab, "c", false, 11);
	lab_expect(&lab, "a:active>down b:standby>active a>b(probes are missed) c:standby>down");
	probe_at(&lab, "b", false, 12); /* the target is gone: b stays, the others can step in */
	lab_expect(&lab, "a:down>standby c:down>standby");
	lab_link_at(&lab, "b", false, 13);
	lab_expect(&lab, "a:standby>active b:active>down b>a(link down)");
	probe_at(&lab, "c", true, 14); /* somebody answers: who is silent now is dead */
	lab_expect(&lab, "a:active>down c:standby>active a>c(probes are missed)");
}

static void a_dead_member_beats_no_delay(void **state)
{
	struct lab lab = {.options = {.mode = AB, .updelay_ns = 1000 * MS}};

	all_up(&lab, "21"); /* a skipped the delay, b waits */
	probe_at(&lab, "a", false, 10);
	lab_expect(&lab, "a:active>down b:updelay>active a>b(probes are missed)");
	probe_at(&lab, "a", true, 20);
	lab_expect(&lab, "a:down>updelay");
	probe_at(&lab, "a", false, 30);
	lab_expect(&lab, "a:updelay>down");
	lab_deadline_is(&lab, 0);
}

static void a_member_that_flaps_is_damped(void **state)
{
	struct lab lab = {.options = {.mode = AB, .damping = {true, 15000 * MS, 3, 300000 * MS}}};
	uint64_t until;

	all_up(&lab, "21");
	for (uint64_t i = 0; i < 3; i++) {
		lab_link_at(&lab, "a", false, 10 + 2 * i);
		lab.trail[0] = '\0';
		lab_link_at(&lab, "a", true, 11 + 2 * i);
		if (i < 2)
			lab_expect(&lab, "a:down>active b:active>standby b>a(failback)");
	}
	lab_expect(&lab, "a:down>damped");
	assert_int_equal(lab.team.active, 1);
	assert_false(team_may_receive(&lab.team, 0));
	until = team_deadline(&lab.team);
	assert_in_range(until, 38000 * MS, 40000 * MS); /* log2(6) half-lives */
	lab_link_at(&lab, "a", false, 1000);		/* it goes on */
	lab_link_at(&lab, "a", true, 1001);
	lab_expect(&lab, "a:damped>down a:down>damped");
	assert_true(team_deadline(&lab.team) > until);
	lab_link_at(&lab, "b", false, 2000); /* better than none */
	lab_expect(&lab, "a:damped>active b:active>down b>a(link down)");
	assert_string_equal(lab.team.members[0].reason,
			    "lost too often, but no other member is usable");
}

static void a_damped_member_returns(void **state)
{
	struct lab lab = {.options = {.mode = AB,
				      .damping = {true, 15000 * MS, 2, 300000 * MS},
				      .updelay_ns = 100 * MS}};
	uint64_t until;

	all_up(&lab, "21");
	team_run(&lab.team, 500 * MS);
	for (uint64_t i = 0; i < 2; i++) {
		lab_link_at(&lab, "a", false, 1000 + 300 * i);
		lab_link_at(&lab, "a", true, 1001 + 300 * i);
		team_run(&lab.team, (1250 + 300 * i) * MS);
	}
	assert_int_equal(lab.team.members[0].state, TEAM_MEMBER_DAMPED);
	lab.trail[0] = '\0';
	until = team_deadline(&lab.team);
	team_run(&lab.team, until);
	lab_expect(&lab, "a:damped>updelay");
	team_run(&lab.team, until + 100 * MS);
	lab_expect(&lab, "a:updelay>active b:active>standby b>a(failback)");
	/* turned off, it lets everybody go */
	lab_link_at(&lab, "a", false, 100000);
	lab_link_at(&lab, "a", true, 100001);
	lab_link_at(&lab, "a", false, 100300);
	lab_link_at(&lab, "a", true, 100301);
	lab_link_at(&lab, "a", false, 100500);
	lab_link_at(&lab, "a", true, 100501);
	assert_int_equal(lab.team.members[0].state, TEAM_MEMBER_DAMPED);
	lab.options.damping.on = false;
	lab_set_options(&lab, 100600);
	assert_int_equal(lab.team.members[0].state, TEAM_MEMBER_UPDELAY);
}

static void set_drained(struct lab *lab, const char *list, uint64_t ms)
{
	snprintf(lab->options.drained, sizeof(lab->options.drained), "%s", list);
	lab_set_options(lab, ms);
}

static void a_drain_waits_for_the_queue(void **state)
{
	struct lab lab = {.options = {.mode = AB, .drain_ns = MS, .speed_bps = 12112000}};

	all_up(&lab, "21");
	for (int i = 0; i < 7; i++) /* 1 ms on the wire each */
		assert_int_equal(choose(&lab.team, 1, 0), 0);
	set_drained(&lab, "x a", 2);
	lab_expect(&lab, "");
	assert_in_range(team_deadline(&lab.team), 8 * MS, 8 * MS + 9);
	assert_true(team_held(&lab.team, 8 * MS - 1));
	assert_false(team_held(&lab.team, 8 * MS + 9));
	team_run(&lab.team, 8 * MS + 9);
	lab_expect(&lab, "a:active>drained b:standby>active a>b(drained)");
	assert_int_equal(lab.team.members[0].n_flaps, 0);
	assert_true(team_may_receive(&lab.team, 0)); /* until switches know */
	lab_link_at(&lab, "a", false, 20);
	assert_false(team_may_receive(&lab.team, 0));
	lab_link_at(&lab, "a", true, 30);
	lab_expect(&lab, "");
	assert_int_equal(team_failover(&lab.team, 0, 31 * MS), -ENETDOWN);
	team_on_send_error(&lab.team, 0, ENETDOWN, 32 * MS);
	lab_deadline_is(&lab, 0);
	set_drained(&lab, "", 40);
	lab_expect(&lab, "a:drained>active b:active>standby b>a(failback)");
}

static void a_drain_can_be_cut_short(void **state)
{
	struct lab lab = {.options = {.mode = AB, .drain_ns = 100 * MS}};

	all_up(&lab, "21");
	set_drained(&lab, "a", 2);
	set_drained(&lab, "", 3); /* taken back */
	lab_run_at(&lab, 1000, "");
	assert_int_equal(lab.team.active, 0);
	set_drained(&lab, "a", 1000);
	lab_link_at(&lab, "a", false, 1001); /* its queue is lost anyway */
	lab_expect(&lab, "a:active>drained b:standby>active a>b(drained)");
	lab_link_at(&lab, "a", true, 1002);
	set_drained(&lab, "a b", 1003); /* the last one: nobody to wait for */
	lab_expect(&lab, "b:active>drained b>-(drained)");
	assert_int_equal(choose(&lab.team, 1, 0), -1);
	set_drained(&lab, "b", 1004);
	lab_expect(&lab, "a:drained>active ->a(first usable member)");
	assert_int_equal(team_add(&lab.team, "c", 1, NULL), 2);
	set_drained(&lab, "b d", 1005);
	assert_int_equal(team_add(&lab.team, "d", 1, NULL), 3); /* drained before it came */
	lab_link_at(&lab, "d", true, 1006);
	assert_int_equal(lab.team.members[3].state, TEAM_MEMBER_DRAINED);
	assert_int_equal(team_drain(&lab.team, 3, 1007 * MS), 1007 * MS);
}

static int choose_at(struct lab *lab, uint32_t flow, uint64_t now_ns)
{
	struct team_frame frame = numbered_frame(flow, now_ns);

	return team_choose(&lab->team, &frame, 0);
}

/* Nothing may overtake what a member has that works and is left. */
static void who_takes_over_waits_for_the_queue(void **state)
{
	struct lab lab = {.options = {.mode = AB,
				      .failback = TEAM_FAILBACK_MANUAL,
				      .drain_ns = MS,
				      .speed_bps = 12112000}};

	all_up(&lab, "21");
	for (int i = 0; i < 7; i++) /* 1 ms on the wire each */
		assert_int_equal(choose(&lab.team, 1, 0), 0);
	assert_int_equal(team_failover(&lab.team, 1, 2 * MS), 0);
	assert_true(team_held(&lab.team, 8 * MS - 1));
	assert_false(team_held(&lab.team, 8 * MS + 9));
	assert_int_equal(team_failover(&lab.team, 0, 20 * MS), 0); /* it had nothing */
	assert_false(team_held(&lab.team, 20 * MS));
	assert_int_equal(choose_at(&lab, 1, 30 * MS), 0);
	lab.options.mode = mode_of("hash");
	lab_set_options(&lab, 30);
	assert_true(team_held(&lab.team, 32 * MS - 1));
	assert_false(team_held(&lab.team, 32 * MS + 9));
	lab.options.mode = AB;
	lab_set_options(&lab, 40);
	assert_int_equal(choose_at(&lab, 1, 50 * MS), 0);
	lab_link_at(&lab, "a", false, 50); /* what it had is lost */
	assert_int_equal(lab.team.active, 1);
	assert_false(team_held(&lab.team, 50 * MS));
}

/* What went by a standby member is not overtaken when the active one takes frames again. */
static void a_detour_is_not_overtaken(void **state)
{
	struct lab lab = {.options = {.mode = AB, .drain_ns = MS, .speed_bps = 12112000}};
	struct team_frame frame = numbered_frame(1, 2 * MS);

	all_up(&lab, "321");
	assert_int_equal(team_choose(&lab.team, &frame, 1), 1); /* 1 ms on the wire */
	assert_int_equal(choose_at(&lab, 1, 2 * MS), 1);
	assert_int_equal(team_choose(&lab.team, &frame, 2), 2); /* full as well */
	assert_int_equal(choose_at(&lab, 1, 3 * MS), 2);
	assert_int_equal(choose_at(&lab, 1, 4 * MS), 2);
	assert_int_equal(choose_at(&lab, 1, 6 * MS + 9), 0);
	frame.now_ns = 8 * MS;
	team_choose(&lab.team, &frame, 1);
	lab_link_at(&lab, "b", false, 8); /* lost: nothing to wait for */
	assert_int_equal(choose_at(&lab, 1, 8 * MS), 0);
}

/* A detour that never pauses ends. */
static void a_busy_detour_is_waited_for(void **state)
{
	struct lab lab = {.options = {.mode = AB, .drain_ns = MS, .speed_bps = 12112000}};
	struct team_frame frame = numbered_frame(1, MS);
	uint64_t ms = 1;

	all_up(&lab, "21");
	team_choose(&lab.team, &frame, 1);
	for (; team_deadline(&lab.team) > ms * MS; ms++)
		assert_int_equal(choose_at(&lab, 1, ms * MS), 1);
	assert_int_equal(ms, 1 + TEAM_ASIDE_NS / MS);
	team_run(&lab.team, ms * MS);
	assert_true(team_held(&lab.team, (ms + 2) * MS - 1));
	assert_false(team_held(&lab.team, (ms + 2) * MS + 9));
	assert_int_equal(choose_at(&lab, 1, (ms + 3) * MS), 0);
	lab_deadline_is(&lab, 0);
}

/* Another active member does not send before the detour has left, but where it is the one. */
static void a_new_active_member_waits_for_a_detour(void **state)
{
	struct lab lab = {.options = {.mode = AB, .drain_ns = MS, .speed_bps = 12112000}};
	struct team_frame frame = numbered_frame(1, 2 * MS);

	all_up(&lab, "321");
	team_choose(&lab.team, &frame, 1);
	assert_int_equal(team_failover(&lab.team, 2, 2 * MS), 0);
	assert_int_equal(choose_at(&lab, 1, 2 * MS), 1);
	assert_true(team_may_receive(&lab.team, 1));
	assert_false(team_may_receive(&lab.team, 0));
	assert_int_equal(team_failover(&lab.team, 1, 2 * MS), 0);
	assert_false(team_may_receive(&lab.team, 2));
	assert_int_equal(choose_at(&lab, 1, 2 * MS), 1);
	assert_int_equal(team_failover(&lab.team, 0, 3 * MS), 0);
	assert_int_equal(choose_at(&lab, 1, 3 * MS), 0);
}

/* Nor what a member has that may not send any more, while its link is up. */
static void who_may_not_send_is_waited_for(void **state)
{
	static const char *const why[TEAM_MEMBERS_MAX];
	struct lab lab = {.options = {.mode = mode_of("lacp"), .drain_ns = MS, .hash = FLOW_L34}};

	all_up(&lab, "11");
	team_permit(&lab.team, 3, 3, why, 2 * MS);
	assert_false(team_held(&lab.team, 2 * MS));
	for (uint32_t flow = 0; flow < 100; flow++)
		choose_at(&lab, flow, 5 * MS);
	team_permit(&lab.team, 1, 3, why, 5 * MS);
	assert_true(team_held(&lab.team, 6 * MS));
	assert_false(team_held(&lab.team, 7 * MS));
}

/* Buckets stay on the member that drains, and are elsewhere once it has. */
static void a_drain_keeps_flows_in_order(void **state)
{
	struct lab lab = {.options = {.mode = mode_of("hash"), .drain_ns = MS, .hash = FLOW_L34}};
	uint64_t clear_ns;
	uint32_t flow = 0;

	all_up(&lab, "111");
	while (choose_at(&lab, flow, 5 * MS) != 1)
		assert_true(++flow < 1000);
	clear_ns = team_drain(&lab.team, 1, 6 * MS);
	assert_int_equal(clear_ns, 7 * MS);
	assert_true(team_held(&lab.team, clear_ns - 1));
	assert_int_equal(choose_at(&lab, flow, 6 * MS), 1);
	team_run(&lab.team, clear_ns);
	lab_expect(&lab, "b:active>drained");
	for (flow = 0; flow < 1000; flow++)
		assert_int_not_equal(choose_at(&lab, flow, clear_ns), 1);
}

static void too_few_members_are_none(void **state)
{
	struct lab lab = {.options = {.mode = AB, .min_links = 2}};

	lab_setup(&lab, "111");
	lab_link_at(&lab, "a", true, 1);
	lab_expect(&lab, "a:down>standby");
	assert_int_equal(choose(&lab.team, 1, 0), -1);
	assert_false(team_may_receive(&lab.team, 0));
	assert_int_equal(team_failover(&lab.team, 0, MS), -ENETDOWN);
	lab_link_at(&lab, "b", true, 2);
	lab_expect(&lab, "a:standby>active b:down>standby ->a(first usable member)");
	assert_int_equal(choose(&lab.team, 1, 0), 0);
	lab_link_at(&lab, "a", false, 3);
	lab_expect(&lab, "a:active>down a>-(fewer usable members than min_links)");
	assert_int_equal(choose(&lab.team, 1, 0), -1);
	lab_run_at(&lab, 100000, "");
	lab.options.min_links = 1;
	lab_set_options(&lab, 100001);
	lab_expect(&lab, "b:standby>active ->b(first usable member)");
	lab.options.min_links = 2;
	lab.options.mode = mode_of("hash");
	lab_set_options(&lab, 100002);
	lab_expect(&lab, "b:active>standby b>-(fewer usable members than min_links)");
	for (uint32_t flow = 0; flow < 100; flow++)
		assert_int_equal(choose(&lab.team, flow, 0), -1);
}

static void no_more_than_max_links_are_used(void **state)
{
	struct lab lab = {.options = {.max_links = 2, .hash = FLOW_L34, .drain_ns = MS}};

	lab.options.mode = mode_of("hash");
	lab_setup(&lab, "1121");
	lab_link_at(&lab, "a", true, 1);
	lab_link_at(&lab, "b", true, 1);
	lab_expect(&lab, "a:down>active ->a(first usable member) b:down>active");
	/* the better one takes the place of the last one, which first sends what it has */
	for (uint32_t flow = 0; flow < 32; flow++)
		assert_int_not_equal(choose_at(&lab, flow, 2 * MS), -1);
	lab_link_at(&lab, "c", true, 2);
	lab_expect(&lab, "b:active>standby c:down>active a>c(failback)");
	assert_string_equal(lab.team.members[1].reason, "max_links others are in use");
	assert_true(team_held(&lab.team, 2 * MS));
	/* one that is as good as who is used waits, but the switch may send to it */
	lab_link_at(&lab, "d", true, 10);
	lab_expect(&lab, "d:down>standby");
	assert_int_equal(lab.team.usable, 5);
	assert_true(team_may_receive(&lab.team, 3));
	/* it comes in at once when one fails, and stays when that returns */
	lab_link_at(&lab, "a", false, 20);
	lab_expect(&lab, "a:active>down b:standby>active");
	assert_int_equal(lab.team.usable, 6);
	lab_link_at(&lab, "a", true, 30);
	lab_expect(&lab, "a:down>standby");
	lab_link_at(&lab, "b", false, 40);
	lab_expect(&lab, "a:standby>active b:active>down");
	/* live */
	lab.options.max_links = 0;
	lab_set_options(&lab, 50);
	lab_expect(&lab, "d:standby>active");
	lab.options.max_links = 1;
	lab_set_options(&lab, 60);
	lab_expect(&lab, "a:active>standby d:active>standby");
	assert_int_equal(lab.team.usable, 4);
	team_set_priority(&lab.team, 0, 200, 70 * MS);
	assert_int_equal(lab.team.usable, 1);
	/* a drain is no loss where others stand by */
	assert_true(team_drain(&lab.team, 0, 80 * MS) > 80 * MS);
	team_run(&lab.team, 200 * MS);
	assert_int_equal(lab.team.usable, 4);
}

static void where_guests_have_one_member_the_spared_ones_are_silent(void **state)
{
	struct lab lab = {.options = {.max_links = 1}};

	lab.options.mode = mode_of("slb");
	lab_setup(&lab, "21");
	lab_link_at(&lab, "a", true, 1);
	lab_link_at(&lab, "b", true, 1);
	assert_true(team_may_receive(&lab.team, 0));
	assert_false(team_may_receive(&lab.team, 1));
	lab.options.mode = AB; /* has one anyway */
	lab_set_options(&lab, 2);
	assert_int_equal(lab.team.usable, 3);
}

static void failback_by_load_waits_for_a_quiet_moment(void **state)
{
	struct lab lab = {.options = {.mode = AB,
				      .failback = TEAM_FAILBACK_LOAD,
				      .failback_load = 50,
				      .failback_hold_ns = 100 * MS,
				      .speed_bps = 12112000}};
	struct team_frame frame;

	all_up(&lab, "21");
	lab_link_at(&lab, "a", false, 10);
	lab_link_at(&lab, "a", true, 1000);
	lab.trail[0] = '\0';
	lab_deadline_is(&lab, 1100);
	for (uint64_t ms = 1000; ms < 1700; ms++) { /* 600 ms of traffic in this second */
		frame = numbered_frame(1, ms * MS);
		assert_int_equal(team_choose(&lab.team, &frame, 0), 1);
		if (ms == 1600)
			lab_run_at(&lab, ms, "");
	}
	lab_deadline_is(&lab, 2600);
	lab_run_at(&lab, 2600, "a:standby>active b:active>standby b>a(failback)");
}

static void a_shortage_changes_nothing(void **state)
{
	struct lab lab = {.options = {.mode = AB}};

	all_up(&lab, "21");
	team_on_send_error(&lab.team, 0, ENOBUFS, 2 * MS);
	team_on_send_error(&lab.team, 0, EAGAIN, 2 * MS);
	lab_expect(&lab, "");
	lab_deadline_is(&lab, 0);
	assert_int_equal(lab.team.members[0].n_shortages, 2);
	assert_int_equal(choose(&lab.team, 1, 0), 0);
	assert_int_equal(choose(&lab.team, 1, 1), 1); /* the frame that did not fit */
}

static void lists_hold_whole_words(void **state)
{
	assert_true(team_listed(" eth0  eth1", "eth1"));
	assert_true(team_listed("eth0\teth1 ", "eth0"));
	assert_false(team_listed("eth10 xeth1", "eth1"));
	assert_false(team_listed("", "eth1"));
	assert_false(team_listed("eth1", "eth10"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_dead_member_is_down),
		cmocka_unit_test(probes_missed_everywhere_say_nothing),
		cmocka_unit_test(a_dead_member_beats_no_delay),
		cmocka_unit_test(a_member_that_flaps_is_damped),
		cmocka_unit_test(a_damped_member_returns),
		cmocka_unit_test(a_drain_waits_for_the_queue),
		cmocka_unit_test(a_drain_can_be_cut_short),
		cmocka_unit_test(who_takes_over_waits_for_the_queue),
		cmocka_unit_test(who_may_not_send_is_waited_for),
		cmocka_unit_test(a_detour_is_not_overtaken),
		cmocka_unit_test(a_busy_detour_is_waited_for),
		cmocka_unit_test(a_new_active_member_waits_for_a_detour),
		cmocka_unit_test(a_drain_keeps_flows_in_order),
		cmocka_unit_test(too_few_members_are_none),
		cmocka_unit_test(no_more_than_max_links_are_used),
		cmocka_unit_test(where_guests_have_one_member_the_spared_ones_are_silent),
		cmocka_unit_test(failback_by_load_waits_for_a_quiet_moment),
		cmocka_unit_test(a_shortage_changes_nothing),
		cmocka_unit_test(lists_hold_whole_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
