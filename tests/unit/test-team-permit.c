/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-team-permit.c - members that a partner does not let send or receive; members whose traffic
 * moves away; priorities that change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "netback-team/policy.h"
#include "team-lab.h"
#include "tests/unit/team-choose.h"

static int mode_of(const char *name)
{
	int mode = 0;

	while (strcmp(policy_names[mode], name) != 0)
		mode++;
	return mode;
}

static const char *const why[TEAM_MEMBERS_MAX] = {"partner a", "partner b", "partner c"};

static void lacp_team(struct lab *lab)
{
	memset(lab, 0, sizeof(*lab));
	lab->options.mode = mode_of("lacp");
	lab->options.hash = FLOW_L34;
	lab->options.drain_ns = MS;
	lab_setup(lab, "111");
	for (char name[2] = "a"; name[0] <= 'c'; name[0]++)
		lab_link_at(lab, name, true, 1);
	lab->trail[0] = '\0';
}

/* How many of 300 flows go to each member. */
static void deal(struct lab *lab, uint64_t ms, unsigned int count[3])
{
	memset(count, 0, 3 * sizeof(*count));
	for (uint32_t flow = 0; flow < 300; flow++) {
		struct team_frame frame = numbered_frame(flow, ms * MS);
		const int member = team_choose(&lab->team, &frame, 0);

		assert_in_range(member, 0, 2);
		count[member]++;
	}
}

static void who_may_not_send_stands_by(void **state)
{
	struct lab lab;
	unsigned int count[3];

	lacp_team(&lab);
	team_permit(&lab.team, 0, 0, why, 2 * MS);
	lab_expect(&lab, "a:active>standby b:active>standby c:active>standby a>-(partner a)");
	assert_string_equal(lab.team.members[1].reason, "partner b");
	assert_int_equal(choose(&lab.team, 1, 0), -1);
	for (int i = 0; i < 3; i++) {
		assert_false(team_may_receive(&lab.team, i));
		assert_false(team_takes_groups(&lab.team, i));
	}
	/* receives before it sends */
	team_permit(&lab.team, 0, 0x4, why, 3 * MS);
	lab_expect(&lab, "");
	assert_true(team_may_receive(&lab.team, 2));
	assert_true(team_takes_groups(&lab.team, 2));
	assert_false(team_may_receive(&lab.team, 0));
	team_permit(&lab.team, 0x6, 0x6, why, 4 * MS);
	lab_expect(&lab, "b:standby>active c:standby>active ->b(first usable member)");
	deal(&lab, 5, count);
	assert_int_equal(count[0], 0);
	assert_true(count[1] > 90 && count[2] > 90);
	/* a link that is gone sends nothing, whatever is permitted */
	lab_link_at(&lab, "b", false, 6);
	lab_expect(&lab, "b:active>down b>c(link down)");
	assert_false(team_may_receive(&lab.team, 1));
	assert_int_equal(lab.team.usable, 0x4);
	lab_link_at(&lab, "b", true, 7);
	assert_int_equal(lab.team.usable, 0x6);
	assert_int_equal(lab.team.up, 0x7);
}

/* Without LACP everything is as it was: the mode says who receives. */
static void other_modes_are_not_concerned(void **state)
{
	struct lab lab;

	lacp_team(&lab);
	team_permit(&lab.team, 0, 0, why, 2 * MS);
	lab.options.mode = mode_of("active-backup");
	lab_set_options(&lab, 3);
	team_permit(&lab.team, UINT32_MAX, UINT32_MAX, why, 3 * MS);
	assert_int_equal(lab.team.active, 0);
	assert_true(team_may_receive(&lab.team, 0) && team_takes_groups(&lab.team, 0));
	assert_false(team_may_receive(&lab.team, 1) || team_takes_groups(&lab.team, 1));
	lab.options.mode = mode_of("hash");
	lab_set_options(&lab, 4);
	assert_true(team_may_receive(&lab.team, 1));
	assert_true(team_takes_groups(&lab.team, 1));
}

/* Where the switch knows nothing of a team it floods frames to groups to all members, and one of
 * them counts; a static aggregation is one link to it, which sends them through any member. */
static void frames_to_groups_by_mode(void **state)
{
	for (int mode = 0; policy_get(mode); mode++) {
		const struct policy *policy = policy_get(mode);
		const bool one = policy->single_active || policy->by_mac;
		struct lab lab;

		assert_int_equal(one, strcmp(policy->name, "active-backup") == 0 ||
					      strcmp(policy->name, "slb") == 0);
		lacp_team(&lab);
		lab.options.mode = mode;
		lab_set_options(&lab, 3);
		team_permit(&lab.team, UINT32_MAX, UINT32_MAX, why, 3 * MS);
		for (int i = 0; i < 3; i++)
			assert_int_equal(team_takes_groups(&lab.team, i),
					 !one || lab.team.active == i);
		lab_link_at(&lab, "b", false, 4);
		assert_false(team_takes_groups(&lab.team, 1));
	}
}

static void who_retires_is_left_flow_by_flow(void **state)
{
	struct lab lab;
	unsigned int count[3];

	lacp_team(&lab);
	deal(&lab, 10, count);
	assert_true(count[1] > 60);
	team_retire(&lab.team, 1, true, 10 * MS);
	/* what it still has to send must not be overtaken */
	assert_false(team_retired(&lab.team, 1, 10 * MS));
	deal(&lab, 10, count);
	assert_true(count[1] > 60);
	assert_int_equal(lab.team.usable, 0x7);
	assert_true(team_retired(&lab.team, 1, 20 * MS));
	deal(&lab, 20, count);
	assert_int_equal(count[1], 0);
	assert_true(count[0] > 120 && count[2] > 120);
	team_retire(&lab.team, 1, false, 30 * MS);
	deal(&lab, 40, count);
	assert_true(count[1] > 60);
	/* one that is removed does not leave its retirement to its successor */
	team_retire(&lab.team, 1, true, 50 * MS);
	team_remove(&lab.team, 1, 50 * MS);
	assert_int_equal(lab.team.retired, 0);
}

static void a_guest_moves_from_who_retires(void **state)
{
	struct team_frame frame = numbered_frame(1, 10 * MS);
	struct pin pin = {.name = "vif1.0"};
	struct lab lab;

	lacp_team(&lab);
	spread_pin_add(&lab.team, &pin, 2 * MS);
	assert_true(spread_pin_set(&lab.team, &pin, "b c", false, 2 * MS));
	frame.pin = &pin;
	assert_int_equal(team_choose(&lab.team, &frame, 0), 1);
	team_retire(&lab.team, 1, true, 10 * MS);
	assert_false(team_retired(&lab.team, 1, 10 * MS));
	assert_int_equal(team_choose(&lab.team, &frame, 0), 1);
	frame.now_ns = 20 * MS;
	assert_true(team_retired(&lab.team, 1, frame.now_ns));
	assert_int_equal(team_choose(&lab.team, &frame, 0), 2);
	spread_pin_remove(&lab.team, &pin);
}

static void a_priority_changes_live(void **state)
{
	struct lab lab = {.options = {.mode = AB}};

	lab_setup(&lab, "21");
	lab_link_at(&lab, "a", true, 1);
	lab_link_at(&lab, "b", true, 1);
	lab.trail[0] = '\0';
	team_set_priority(&lab.team, 1, 30, 2 * MS);
	lab_expect(&lab, "a:active>standby b:standby>active a>b(failback)");
	team_set_priority(&lab.team, 0, 5, 3 * MS);
	lab_expect(&lab, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_may_not_send_stands_by),
		cmocka_unit_test(other_modes_are_not_concerned),
		cmocka_unit_test(frames_to_groups_by_mode),
		cmocka_unit_test(who_retires_is_left_flow_by_flow),
		cmocka_unit_test(a_guest_moves_from_who_retires),
		cmocka_unit_test(a_priority_changes_live),
	};

	return cmocka_run_group_tests_name("team-permit", tests, NULL, NULL);
}
