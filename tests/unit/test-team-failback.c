/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-team-failback.c - when a team leaves a member that works: failback by each option, failover
 * by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "team-lab.h"

static void failback_always_waits_for_the_hold_time(void **state)
{
	struct lab lab = {.options = {.mode = AB, .failback_hold_ns = 5000 * MS}};

	lab_setup(&lab, "11");
	lab_link_at(&lab, "a", true, 1);
	lab_link_at(&lab, "b", true, 1);
	lab_link_at(&lab, "a", false, 10);
	lab_link_at(&lab, "a", true, 20);
	lab_deadline_is(&lab, 5020);
	lab_link_at(&lab, "a", false, 30); /* not in one piece */
	lab_deadline_is(&lab, 0);
	lab_link_at(&lab, "a", true, 40);
	lab.trail[0] = '\0';
	lab_run_at(&lab, 5039, "");
	lab_run_at(&lab, 5040, "a:standby>active b:active>standby b>a(failback)");
	lab_deadline_is(&lab, 0);
}

static void failback_waits_for_the_best_one_only(void **state)
{
	struct lab lab = {.options = {.mode = AB, .failback_hold_ns = 100 * MS}};

	lab_setup(&lab, "321");
	lab_link_at(&lab, "c", true, 0);
	lab_link_at(&lab, "b", true, 10);
	lab_deadline_is(&lab, 110);
	lab_link_at(&lab, "a", true, 60); /* one move at 160, not two */
	lab_deadline_is(&lab, 160);
	lab_link_at(&lab, "a", false, 100);
	lab_deadline_is(&lab, 110);
	lab_run_at(&lab, 110,
		   "c:down>active ->c(first usable member) b:down>standby a:down>standby "
		   "a:standby>down "
		   "b:standby>active c:active>standby c>b(failback)");
}

static void failback_better_wants_higher_priority(void **state)
{
	struct lab lab = {.options = {.mode = AB, .failback = TEAM_FAILBACK_BETTER}};

	lab_setup(&lab, "112");
	lab_link_at(&lab, "b", true, 1);
	lab_link_at(&lab, "a", true, 2);
	assert_int_equal(lab.team.active, 1); /* a is first, but no better */
	lab_link_at(&lab, "c", true, 3);
	assert_int_equal(lab.team.active, 2);
}

static void failback_failure_and_manual_stay(void **state)
{
	struct lab lab = {.options = {.mode = AB, .failback_hold_ns = 10 * MS}};

	for (int f = TEAM_FAILBACK_FAILURE; f <= TEAM_FAILBACK_MANUAL; f++) {
		lab.options.failback = f;
		lab_setup(&lab, "19");
		lab_link_at(&lab, "a", true, 1);
		lab_link_at(&lab, "b", true, 1);
		lab_deadline_is(&lab, 0);
		assert_int_equal(lab.team.active, 0);
		lab_link_at(&lab, "a", false, 2);
		assert_int_equal(lab.team.active, 1);
		assert_int_equal(team_failover(&lab.team, 0, 3 * MS), -ENETDOWN);
		lab_link_at(&lab, "a", true, 4);
		assert_int_equal(team_failover(&lab.team, 0, 5 * MS), 0);
		lab_run_at(&lab, 1000, lab.trail);
		assert_int_equal(lab.team.active, 0);
	}
}

static void failback_does_not_flee_from_downdelay(void **state)
{
	struct lab lab = {.options = {.mode = AB, .downdelay_ns = 50 * MS}};

	lab_setup(&lab, "21");
	lab_link_at(&lab, "a", true, 1);
	lab_link_at(&lab, "b", true, 1);
	lab_link_at(&lab, "a", false,
		    10); /* b has a link and a has none, but a is to be waited for */
	assert_int_equal(lab.team.active, 0);
	lab_deadline_is(&lab, 60);
}

static void failover_by_hand_lasts(void **state)
{
	struct lab lab = {.options = {.mode = AB}};

	lab_setup(&lab, "321");
	for (int i = 0; i < 3; i++)
		team_on_link(&lab.team, i, true, 1);
	lab.trail[0] = '\0';
	assert_int_equal(team_failover(&lab.team, 2, 2 * MS), 0);
	lab_expect(&lab, "a:active>standby c:standby>active a>c(by hand)");
	lab_link_at(&lab, "b", false, 3);
	lab_link_at(&lab, "b", true, 4);
	lab_run_at(&lab, 100000, "b:standby>down b:down>standby");
	lab_link_at(&lab, "c", false,
		    100001); /* what was chosen by hand is gone: automatic again */
	assert_int_equal(lab.team.active, 0);
	lab_link_at(&lab, "c", true, 100002);
	assert_int_equal(lab.team.active, 0);
	assert_int_equal(team_failover(&lab.team, -1, 100003 * MS), 0); /* the next best */
	assert_int_equal(lab.team.active, 1);
	lab.options.failback = TEAM_FAILBACK_BETTER;
	lab_set_options(&lab, 100004);
	assert_int_equal(lab.team.active, 0);
}

static void failover_by_hand_refuses(void **state)
{
	struct lab lab = {.options = {.mode = AB}};

	lab_setup(&lab, "11");
	assert_int_equal(team_failover(&lab.team, -1, 1), -ENETDOWN);
	lab_link_at(&lab, "a", true, 1);
	lab.trail[0] = '\0';
	assert_int_equal(team_failover(&lab.team, -1, 2 * MS), -ENETDOWN); /* nobody else */
	assert_int_equal(team_failover(&lab.team, 1, 2 * MS), -ENETDOWN);
	assert_int_equal(team_failover(&lab.team, 2, 2 * MS), -EINVAL);
	assert_int_equal(team_failover(&lab.team, -2, 2 * MS), -EINVAL);
	assert_int_equal(team_failover(&lab.team, TEAM_MEMBERS_MAX, 2 * MS), -EINVAL);
	assert_int_equal(team_failover(&lab.team, 0, 2 * MS), 0); /* is already */
	lab_expect(&lab, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(failback_always_waits_for_the_hold_time),
		cmocka_unit_test(failback_waits_for_the_best_one_only),
		cmocka_unit_test(failback_better_wants_higher_priority),
		cmocka_unit_test(failback_failure_and_manual_stay),
		cmocka_unit_test(failback_does_not_flee_from_downdelay),
		cmocka_unit_test(failover_by_hand_lasts),
		cmocka_unit_test(failover_by_hand_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
