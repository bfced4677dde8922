/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-team.c - links, delays, send errors, modes and options, one rule a test.
 * test-team-failback.c has the ways back, test-team-sim.c tries what nobody thought of.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "team-choose.h"
#include "team-lab.h"

static void the_first_link_is_active(void **state)
{
	struct lab lab = {.options = {.mode = AB}};

	lab_setup(&lab, "11");
	assert_int_equal(lab.team.active, -1);
	lab_deadline_is(&lab, 0);
	lab_link_at(&lab, "b", true, 1);
	lab_expect(&lab, "b:down>active ->b(first usable member)");
	assert_string_equal(lab.team.members[1].reason, "link up");
	assert_int_equal(lab.team.members[1].since_ns, 1 * MS);
	assert_ptr_equal(lab.team.members[1].ctx, &lab);
	lab_link_at(&lab, "b", true, 2); /* nothing new */
	lab_expect(&lab, "");
	assert_true(team_may_receive(&lab.team, 1));
	assert_false(team_may_receive(&lab.team, 0));
}

static void failover_is_immediate(void **state)
{
	struct lab lab = {.options = {.mode = AB, .failback = TEAM_FAILBACK_FAILURE}};

	lab_setup(&lab, "111");
	lab_link_at(&lab, "a", true, 1);
	lab_link_at(&lab, "b", true, 1);
	lab_link_at(&lab, "c", true, 1);
	lab_expect(&lab, "a:down>active ->a(first usable member) b:down>standby c:down>standby");
	lab_link_at(&lab, "a", false, 2);
	lab_expect(&lab, "a:active>down b:standby>active a>b(link down)");
	assert_string_equal(lab.team.members[1].reason, "failover");
	assert_int_equal(lab.team.members[0].n_flaps, 1);
	lab_link_at(&lab, "a", false, 3);
	lab_link_at(&lab, "c", false, 3); /* a standby's end changes nothing else */
	lab_expect(&lab, "c:standby>down");
	lab_link_at(&lab, "b", false, 4);
	lab_expect(&lab, "b:active>down b>-(link down)");
	lab_link_at(&lab, "c", true, 5);
	lab_expect(&lab, "c:down>active ->c(first usable member)");
}

static void failover_takes_priority_then_order(void **state)
{
	struct lab lab = {.options = {.mode = AB}};

	lab_setup(&lab, "9233");
	for (int i = 0; i < 4; i++)
		team_on_link(&lab.team, 3 - i, true, 1);
	assert_int_equal(lab.team.active, 0);
	lab_link_at(&lab, "a", false, 2);
	assert_int_equal(lab.team.active, 2);
	lab_link_at(&lab, "c", false, 2);
	assert_int_equal(lab.team.active, 3);
	lab_link_at(&lab, "d", false, 2);
	assert_int_equal(lab.team.active, 1);
	/* an index that is used again counts as added last */
	team_remove(&lab.team, 2, 3);
	assert_int_equal(team_add(&lab.team, "e", 30, NULL), 2);
	lab_link_at(&lab, "e", true, 4);
	assert_int_equal(lab.team.active, 2);
	lab_link_at(&lab, "d", true, 5);
	assert_int_equal(lab.team.active, 3);
}

static void updelay_must_pass_in_one_piece(void **state)
{
	struct lab lab = {.options = {.mode = AB, .updelay_ns = 100 * MS}};

	lab_setup(&lab, "12");
	lab_link_at(&lab, "a", true, 1); /* nobody else: at once */
	lab_expect(&lab, "a:down>active ->a(first usable member)");
	lab_link_at(&lab, "b", true, 10);
	lab_expect(&lab, "b:down>updelay");
	lab_deadline_is(&lab, 110);
	assert_int_equal(choose(&lab.team, 0, 1), -1); /* not yet usable */
	assert_int_equal(team_failover(&lab.team, 1, 11 * MS), -ENETDOWN);
	lab_link_at(&lab, "b", false, 50);
	lab_expect(&lab, "b:updelay>down");
	lab_deadline_is(&lab, 0);
	lab_link_at(&lab, "b", true, 60);
	lab_run_at(&lab, 159, "b:down>updelay");
	lab_run_at(&lab, 160, "a:active>standby b:updelay>active a>b(failback)");
	assert_int_equal(lab.team.members[1].n_flaps, 0); /* it had not been up */
	lab_deadline_is(&lab, 0);
}

static void updelay_is_skipped_when_nobody_is_left(void **state)
{
	struct lab lab = {.options = {.mode = AB, .updelay_ns = 100 * MS}};

	lab_setup(&lab, "132");
	lab_link_at(&lab, "a", true, 1);
	lab_link_at(&lab, "b", true, 2);
	lab_link_at(&lab, "c", true, 3);
	lab_expect(&lab, "a:down>active ->a(first usable member) b:down>updelay c:down>updelay");
	lab_link_at(&lab, "a", false,
		    4); /* the better one of those that wait; the other one waits on */
	lab_expect(&lab, "a:active>down b:updelay>active a>b(link down)");
	lab_deadline_is(&lab, 103);
	lab_run_at(&lab, 103, "c:updelay>standby");
}

static void downdelay_bridges_short_losses(void **state)
{
	struct lab lab = {.options = {.mode = AB, .downdelay_ns = 50 * MS}};

	lab_setup(&lab, "11");
	lab_link_at(&lab, "a", true, 1);
	lab_link_at(&lab, "b", true, 1);
	lab.trail[0] = '\0';
	lab_link_at(&lab, "a", false, 10);
	lab_deadline_is(&lab, 60);
	assert_int_equal(choose(&lab.team, 0, 0), 0);
	lab_link_at(&lab, "a", false, 20); /* said again: the delay goes on */
	lab_deadline_is(&lab, 60);
	lab_link_at(&lab, "a", true, 59);
	lab_expect(&lab, "");
	lab_deadline_is(&lab, 0);
	assert_int_equal(lab.team.members[0].n_flaps, 0);
	lab_link_at(&lab, "a", false, 70);
	lab_run_at(&lab, 119, "");
	lab_run_at(&lab, 120, "a:active>down b:standby>active a>b(link down, downdelay over)");
	assert_int_equal(lab.team.members[0].n_flaps, 1);
}

static void what_was_due_happens_before_the_next_event(void **state)
{
	struct lab lab = {.options = {.mode = AB, .downdelay_ns = 50 * MS}};

	lab_setup(&lab, "11");
	lab_link_at(&lab, "a", true, 1);
	lab_link_at(&lab, "b", true, 1);
	lab.trail[0] = '\0';
	lab_link_at(&lab, "a", false, 10);
	lab_link_at(&lab, "a", true, 61); /* too late: it was down at 60 */
	/* down at 60 and up at 61 are one step for the observer, in which it failed back */
	lab_expect(&lab, "");
	assert_int_equal(lab.team.members[0].n_flaps, 1);
	assert_int_equal(lab.team.members[0].up_ns, 61 * MS);
}

static void a_member_in_downdelay_is_second_choice(void **state)
{
	struct lab lab = {.options = {.mode = AB, .downdelay_ns = 50 * MS}};

	lab_setup(&lab, "921");
	lab_link_at(&lab, "a", true, 1);
	lab_link_at(&lab, "b", true, 1);
	lab_link_at(&lab, "c", true, 1);
	lab_link_at(&lab, "b", false, 2);
	team_on_send_error(&lab.team, 0, ENETDOWN, 3 * MS);
	assert_int_equal(lab.team.active, 2);
	assert_int_equal(choose(&lab.team, 0, 4), 1); /* but still one */
}

static void send_errors_take_a_member_down(void **state)
{
	static const int errors[] = {ENETDOWN, ENXIO, ENODEV};
	struct lab lab = {.options = {.mode = AB, .downdelay_ns = 50 * MS}};

	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		lab_setup(&lab, "21");
		lab_link_at(&lab, "a", true, 1);
		lab_link_at(&lab, "b", true, 1);
		lab.trail[0] = '\0';
		team_on_send_error(&lab.team, 0, errors[i],
				   2 * MS); /* there is no doubt, so no delay */
		lab_expect(&lab, errors[i] == ENETDOWN
					 ? "a:active>down b:standby>active a>b(interface is down)"
					 : "a:active>down b:standby>active a>b(interface is gone)");
		assert_int_equal(lab.team.members[0].n_errors, 1);
		lab_link_at(&lab, "a", false, 3);
		lab_expect(&lab, "");
		lab_deadline_is(&lab, 0);
		lab_link_at(&lab, "a", true, 4);
		lab_expect(&lab, "a:down>active b:active>standby b>a(failback)");
	}
}

static void resource_errors_only_count(void **state)
{
	static const int errors[] = {ENOBUFS, EAGAIN, EIO};
	struct lab lab = {.options = {.mode = AB}};

	lab_setup(&lab, "21");
	lab_link_at(&lab, "a", true, 1);
	lab.trail[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++)
		team_on_send_error(&lab.team, 0, errors[i], 2 * MS);
	lab_expect(&lab, "");
	assert_int_equal(lab.team.members[0].n_errors, 3);
}

/* Down and up faster than anybody saw, but the socket remembers it: nobody will report "up" again.
 */
static void a_member_whose_link_stayed_up_is_tried_again(void **state)
{
	struct lab lab = {.options = {.mode = AB}};

	lab_setup(&lab, "1");
	lab_link_at(&lab, "a", true, 1);
	team_on_send_error(&lab.team, 0, ENETDOWN, 2 * MS);
	lab_expect(&lab,
		   "a:down>active ->a(first usable member) a:active>down a>-(interface is down)");
	lab_deadline_is(&lab, 1002);
	team_on_send_error(&lab.team, 0, ENETDOWN, 3 * MS); /* no prolonging */
	lab_run_at(&lab, 1001, "");
	lab_run_at(&lab, 1002, "a:down>active ->a(first usable member)");
	team_on_send_error(&lab.team, 0, ENETDOWN, 2000 * MS);
	lab_link_at(&lab, "a", false, 2001); /* now it was reported */
	lab_deadline_is(&lab, 0);
	lab_link_at(&lab, "a", true, 2002);
	team_on_send_error(&lab.team, 0, ENETDOWN, 2003 * MS);
	team_on_send_error(&lab.team, 0, ENODEV, 2004 * MS); /* gone: nothing to try */
	lab_deadline_is(&lab, 0);
	lab_link_at(&lab, "a", true, 2005);
	assert_int_equal(lab.team.active, 0);
}

static void removal_hands_over(void **state)
{
	struct lab lab = {.options = {.mode = AB}};

	lab_setup(&lab, "321");
	for (int i = 0; i < 3; i++)
		team_on_link(&lab.team, i, true, 1);
	lab.trail[0] = '\0';
	team_remove(&lab.team, 0, 2 * MS); /* the observer still knows its name */
	lab_expect(&lab, "a:active>down b:standby>active a>b(removed)");
	assert_int_equal(team_find(&lab.team, "a"), -1);
	assert_int_equal(choose(&lab.team, 0, 2), 2);
	team_remove(&lab.team, 2, 3 * MS);
	lab_expect(&lab, "c:standby>down");
	team_remove(&lab.team, 1, 4 * MS);
	lab_expect(&lab, "b:active>down b>-(removed)");
	assert_int_equal(choose(&lab.team, 0, 0), -1);
	lab_deadline_is(&lab, 0);
}

static void members_have_limits(void **state)
{
	struct lab lab = {.options = {.mode = AB}};
	char name[TEAM_NAME_MAX + 2] = "n";

	lab_setup(&lab, "1");
	assert_int_equal(team_add(&lab.team, "a", 1, NULL), -EEXIST);
	assert_int_equal(team_add(&lab.team, "", 1, NULL), -EINVAL);
	memset(name, 'x', TEAM_NAME_MAX);
	assert_int_equal(team_add(&lab.team, name, 1, NULL), -EINVAL);
	name[TEAM_NAME_MAX - 1] = '\0';
	assert_int_equal(team_add(&lab.team, name, 1, NULL), 1);
	for (int i = 2; i < TEAM_MEMBERS_MAX; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		assert_int_equal(team_add(&lab.team, name, 1, NULL), i);
	}
	assert_int_equal(team_add(&lab.team, "last", 1, NULL), -ENOSPC);
	assert_int_equal(team_find(&lab.team, "n7"), 7);
	assert_int_equal(team_find(&lab.team, "n99"), -1);
}

static void round_robin_makes_all_active(void **state)
{
	struct lab lab = {.options = {.mode = RR}};

	lab_setup(&lab, "12");
	lab_link_at(&lab, "a", true, 1);
	lab_link_at(&lab, "b", true, 2); /* one of them is designated for multicast: the best */
	lab_expect(&lab, "a:down>active ->a(first usable member) b:down>active a>b(failback)");
	assert_true(team_may_receive(&lab.team, 0));
	assert_true(team_may_receive(&lab.team, 1));
	lab_link_at(&lab, "b", false, 3);
	lab_expect(&lab, "b:active>down b>a(link down)");
	assert_false(team_may_receive(&lab.team, 1));
}

static void the_mode_changes_live(void **state)
{
	struct lab lab = {.options = {.mode = AB}};

	lab_setup(&lab, "11");
	lab_link_at(&lab, "a", true, 1);
	lab_link_at(&lab, "b", true, 1);
	lab.trail[0] = '\0';
	lab.options.mode = RR;
	lab_set_options(&lab, 2);
	lab_expect(&lab, "b:standby>active");
	assert_string_equal(lab.team.members[1].reason, "mode changed");
	assert_int_equal(choose(&lab.team, 0, 0), 0);
	assert_int_equal(choose(&lab.team, 0, 0), 1);
	lab.options.mode = AB;
	lab_set_options(&lab, 3);
	lab_expect(&lab, "b:active>standby");
	assert_int_equal(choose(&lab.team, 0, 0), 0);
	assert_int_equal(choose(&lab.team, 0, 0), 0);
}

static void delays_that_run_follow_the_options(void **state)
{
	struct lab lab = {.options = {.mode = AB,
				      .updelay_ns = 100 * MS,
				      .downdelay_ns = 100 * MS,
				      .failback_hold_ns = 1000 * MS}};

	lab_setup(&lab, "112");
	lab_link_at(&lab, "a", true, 1);
	lab_link_at(&lab, "b", true, 10);
	lab_deadline_is(&lab, 110);
	lab.options.updelay_ns = 50 * MS;
	lab_set_options(&lab, 20);
	lab_deadline_is(&lab, 60);
	lab.options.updelay_ns = 0; /* over, as it began at 10 */
	lab_set_options(&lab, 21);
	lab_expect(&lab, "a:down>active ->a(first usable member) b:down>updelay b:updelay>standby");
	lab_link_at(&lab, "b", false, 30);
	lab_deadline_is(&lab, 130);
	lab.options.downdelay_ns = 20 * MS;
	lab_set_options(&lab, 40);
	lab_deadline_is(&lab, 50);
	lab.options.downdelay_ns = 5 * MS;
	lab_set_options(&lab, 41);
	lab_expect(&lab, "b:standby>down");
	lab_link_at(&lab, "c", true, 42);
	lab_deadline_is(&lab, 1042);
	lab.options.failback_hold_ns = 3 * MS;
	lab_set_options(&lab, 43);
	lab_deadline_is(&lab, 45);
	lab.options.failback = TEAM_FAILBACK_MANUAL;
	lab_set_options(&lab, 44);
	lab_deadline_is(&lab, 0);
	lab.options.failback = TEAM_FAILBACK_ALWAYS;
	lab_set_options(&lab, 46);
	lab_expect(&lab, "c:down>standby a:active>standby c:standby>active a>c(failback)");
	lab.options.updelay_ns = UINT64_MAX; /* an end of time that does not come round */
	lab_set_options(&lab, 47);
	lab_link_at(&lab, "b", true, 48);
	lab_deadline_is(&lab, 0);
}

static void no_observer_is_fine(void **state)
{
	struct team_options options = {.mode = AB};
	struct team team;

	team_init(&team, "a name that is longer than thirty-one letters", &options, NULL);
	assert_int_equal(strlen(team.name), TEAM_NAME_MAX - 1);
	team_add(&team, "a", 1, NULL);
	team_on_link(&team, 0, true, 1);
	assert_int_equal(team.active, 0);
	assert_string_equal(team_member_state_name(team.members[0].state), "active");
	assert_string_equal(team_member_state_name((enum team_member_state)99), "unknown");
}

static void member_words(void **state)
{
	static const char *const bad_words[] = {
		":5",	   "eth0:",    "eth0:256",	     "eth0:-1",
		"eth0:1x", "eth0:1:2", "sixteen-letters-",   ".",
		"..:3",	   "a/b",      "eth0:99999999999999"};
	const char *rest = "  eth0 eth1:200\tenp3s0f1np1-abc:0 \n ...:255 ";
	char name[TEAM_NAME_MAX];
	uint8_t priority;
	bool bad = false;

	assert_true(team_members_next(&rest, name, &priority, &bad));
	assert_string_equal(name, "eth0");
	assert_int_equal(priority, TEAM_PRIORITY_DEFAULT);
	assert_true(team_members_next(&rest, name, &priority, &bad));
	assert_string_equal(name, "eth1");
	assert_int_equal(priority, 200);
	assert_true(team_members_next(&rest, name, &priority, &bad));
	assert_string_equal(name, "enp3s0f1np1-abc");
	assert_int_equal(priority, 0);
	assert_true(team_members_next(&rest, name, &priority, &bad));
	assert_string_equal(name, "...");
	assert_int_equal(priority, 255);
	assert_false(team_members_next(&rest, name, &priority, &bad));
	assert_false(team_members_next(&rest, name, &priority, &bad));
	assert_false(bad);
	for (size_t i = 0; i < ARRAY_SIZE(bad_words); i++) {
		rest = bad_words[i];
		bad = false;
		assert_false(team_members_next(&rest, name, &priority, &bad));
		assert_true(bad);
		assert_ptr_equal(rest, bad_words[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_link_is_active),
		cmocka_unit_test(failover_is_immediate),
		cmocka_unit_test(failover_takes_priority_then_order),
		cmocka_unit_test(updelay_must_pass_in_one_piece),
		cmocka_unit_test(updelay_is_skipped_when_nobody_is_left),
		cmocka_unit_test(downdelay_bridges_short_losses),
		cmocka_unit_test(what_was_due_happens_before_the_next_event),
		cmocka_unit_test(a_member_in_downdelay_is_second_choice),
		cmocka_unit_test(send_errors_take_a_member_down),
		cmocka_unit_test(resource_errors_only_count),
		cmocka_unit_test(a_member_whose_link_stayed_up_is_tried_again),
		cmocka_unit_test(removal_hands_over),
		cmocka_unit_test(members_have_limits),
		cmocka_unit_test(round_robin_makes_all_active),
		cmocka_unit_test(the_mode_changes_live),
		cmocka_unit_test(delays_that_run_follow_the_options),
		cmocka_unit_test(no_observer_is_fine),
		cmocka_unit_test(member_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
