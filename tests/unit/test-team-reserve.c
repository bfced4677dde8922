/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-team-reserve.c - reserve members: nobody uses them but guests that are failed over, in every
 * mode. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "netback-team/policy.h"
#include "team-lab.h"
#include "tests/unit/team-choose.h"

#define C 2
#define D 3

/* a and b, and the reserve c and d; all up. */
static void reserve_team(struct lab *lab, int mode)
{
	const struct team_options options = lab->options;

	memset(lab, 0, sizeof(*lab));
	lab->options = options;
	lab->options.mode = mode;
	lab->options.drain_ns = MS;
	lab_setup(lab, "2199");
	team_reserve(&lab->team, C);
	team_reserve(&lab->team, D);
	for (char name[2] = "a"; name[0] <= 'd'; name[0]++)
		lab_link_at(lab, name, true, 1);
	lab->trail[0] = '\0';
}

static int choose_for(struct lab *lab, struct pin *pin, uint64_t ms, uint32_t tried)
{
	struct team_frame frame = numbered_frame(1, ms * MS);

	frame.pin = pin;
	return team_choose(&lab->team, &frame, tried);
}

static void place(struct lab *lab, struct pin *pin, const char *list, enum pin_reach reach,
		  uint64_t ms)
{
	assert_true(spread_pin_place(&lab->team, pin, list, false, reach, ms * MS));
}

static void no_mode_uses_it(void **state)
{
	for (int mode = 0; policy_get(mode); mode++) {
		struct lab lab = {0};

		reserve_team(&lab, mode);
		for (uint32_t flow = 0; flow < 300; flow++) {
			struct team_frame frame = numbered_frame(flow, 2 * MS);

			assert_in_range(team_choose(&lab.team, &frame, 0), 0, 1);
		}
		assert_int_equal(choose(&lab.team, 1, 3), -1); /* nor when others can't */
		assert_int_equal(lab.team.members[C].state, TEAM_MEMBER_STANDBY);
		assert_int_equal(team_failover(&lab.team, C, 3 * MS), -EPERM);
		lab_link_at(&lab, "a", false, 4);
		lab_link_at(&lab, "b", false, 4);
		assert_int_equal(lab.team.active, -1);
		assert_int_equal(choose(&lab.team, 1, 0), -1);
	}
}

static void a_guest_fails_over_in_every_mode(void **state)
{
	for (int mode = 0; policy_get(mode); mode++) {
		struct pin pin = {.name = "vif1.0"}, beside = {.name = "vif2.0"};
		struct lab lab = {0};

		reserve_team(&lab, mode);
		spread_pin_add(&lab.team, &pin, 2 * MS);
		spread_pin_add(&lab.team, &beside, 2 * MS);
		assert_in_range(choose_for(&lab, &pin, 2, 0), 0, 1);
		place(&lab, &pin, "", PIN_RESERVE, 10);
		assert_int_equal(lab.team.spread.n_away, 1);
		assert_int_equal(choose_for(&lab, &pin, 10, 0), C);
		assert_in_range(choose_for(&lab, &beside, 10, 0), 0, 1);
		/* the other one of the reserve, then the others */
		lab_link_at(&lab, "c", false, 20);
		assert_int_equal(choose_for(&lab, &pin, 20, 0), D);
		assert_in_range(choose_for(&lab, &pin, 20, 1u << D), 0, 1);
		lab_link_at(&lab, "d", false, 30);
		assert_in_range(choose_for(&lab, &pin, 30, 0), 0, 1);
		assert_string_equal(pin.why, "no reserve member is usable: the mode chooses");
		assert_int_equal(lab.team.spread.n_away, 0);
		lab_link_at(&lab, "d", true, 40);
		assert_int_equal(choose_for(&lab, &pin, 50, 0), D);
		place(&lab, &pin, "", PIN_NORMAL, 60);
		assert_in_range(choose_for(&lab, &pin, 70, 0), 0, 1);
		spread_pin_remove(&lab.team, &beside);
		spread_pin_remove(&lab.team, &pin);
	}
}

static void it_moves_when_the_old_member_has_sent_all(void **state)
{
	struct pin pin = {.name = "vif1.0"};
	struct lab lab = {0};

	reserve_team(&lab, AB);
	spread_pin_add(&lab.team, &pin, 2 * MS);
	assert_int_equal(choose_for(&lab, &pin, 10, 0), 0);
	place(&lab, &pin, "", PIN_RESERVE, 10);
	assert_int_equal(choose_for(&lab, &pin, 10, 0), 0);
	assert_int_equal(choose_for(&lab, &pin, 20, 0), C);
	/* Switches are told where it is going, not where it was. */
	assert_int_equal(spread_member_of_mac(&lab.team, &pin, (const uint8_t[6]){2}, 0), C);
	place(&lab, &pin, "", PIN_NORMAL, 20);
	assert_int_equal(choose_for(&lab, &pin, 20, 0), C);
	assert_int_equal(choose_for(&lab, &pin, 30, 0), 0);
	assert_int_equal(spread_member_of_mac(&lab.team, &pin, (const uint8_t[6]){2}, 0), 0);
	spread_pin_remove(&lab.team, &pin);
}

static void lists_may_name_it(void **state)
{
	struct pin pin = {.name = "vif1.0"};
	struct lab lab = {0};

	reserve_team(&lab, RR);
	spread_pin_add(&lab.team, &pin, 2 * MS);
	/* not the guest's own */
	place(&lab, &pin, "d b", PIN_NORMAL, 2);
	assert_int_equal(choose_for(&lab, &pin, 10, 0), 1);
	place(&lab, &pin, "d b", PIN_ALL, 20);
	assert_int_equal(choose_for(&lab, &pin, 30, 0), D);
	lab_link_at(&lab, "d", false, 40);
	assert_int_equal(choose_for(&lab, &pin, 40, 0), 1);
	/* and without the reserve its own list counts */
	place(&lab, &pin, "b", PIN_RESERVE, 50);
	assert_int_equal(choose_for(&lab, &pin, 60, 0), C);
	lab_link_at(&lab, "c", false, 70);
	assert_int_equal(choose_for(&lab, &pin, 80, 0), 1);
	assert_string_equal(pin.why, "no reserve member is usable: by its own list");
	spread_pin_remove(&lab.team, &pin);
}

static void it_counts_for_nothing_else(void **state)
{
	struct lab lab = {.options = {.min_links = 2, .updelay_ns = 500 * MS}};
	struct pin pin = {.name = "vif1.0"};

	reserve_team(&lab, RR);
	lab_run_at(&lab, 600,
		   "a:standby>active b:updelay>active c:updelay>standby d:updelay>standby "
		   "->a(first usable member)");
	lab_link_at(&lab, "b", false, 700);
	assert_int_equal(lab.team.active, -1); /* fewer than min_links, with the reserve four */
	spread_pin_add(&lab.team, &pin, 700 * MS);
	place(&lab, &pin, "", PIN_RESERVE, 700);
	assert_int_equal(choose_for(&lab, &pin, 700, 0), C);
	assert_int_equal(choose(&lab.team, 1, 0), -1);
	/* A member whose link came back is not kept waiting while only the reserve works. */
	lab_link_at(&lab, "a", false, 800);
	lab_link_at(&lab, "b", true, 900);
	assert_int_equal(lab.team.members[1].state, TEAM_MEMBER_STANDBY);
	spread_pin_remove(&lab.team, &pin);
}

static void who_receives_on_it(void **state)
{
	struct lab lab = {0};

	reserve_team(&lab, AB);
	assert_true(team_may_receive(&lab.team, C) && team_may_receive(&lab.team, D));
	assert_false(team_takes_groups(&lab.team, C));
	lab_link_at(&lab, "a", false, 2);
	lab_link_at(&lab, "b", false, 2);
	assert_true(team_takes_groups(&lab.team, C));
	assert_false(team_takes_groups(&lab.team, D));
	lab_link_at(&lab, "c", false, 3);
	assert_false(team_may_receive(&lab.team, C) || team_takes_groups(&lab.team, C));
	assert_true(team_takes_groups(&lab.team, D));
	lab_link_at(&lab, "b", true, 4);
	assert_false(team_takes_groups(&lab.team, D));
	/* Whoever has its place later is not of the reserve. */
	team_remove(&lab.team, C, 5 * MS);
	assert_int_equal(team_add(&lab.team, "e", 10, NULL), C);
	lab_link_at(&lab, "e", true, 6);
	assert_int_equal(lab.team.usable, 0x6);
	assert_int_equal(lab.team.spare, 0x8);
}

static void a_drained_one_is_left_by_its_guests(void **state)
{
	struct pin pin = {.name = "vif1.0"};
	struct lab lab = {0};

	reserve_team(&lab, AB);
	spread_pin_add(&lab.team, &pin, 2 * MS);
	place(&lab, &pin, "", PIN_RESERVE, 2);
	assert_int_equal(choose_for(&lab, &pin, 10, 0), C);
	assert_true(team_drain(&lab.team, C, 10 * MS) > 10 * MS);
	assert_true(team_held(&lab.team, 10 * MS));
	team_run(&lab.team, 20 * MS);
	assert_int_equal(lab.team.members[C].state, TEAM_MEMBER_DRAINED);
	assert_int_equal(choose_for(&lab, &pin, 20, 0), D);
	spread_pin_remove(&lab.team, &pin);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_mode_uses_it),
		cmocka_unit_test(a_guest_fails_over_in_every_mode),
		cmocka_unit_test(it_moves_when_the_old_member_has_sent_all),
		cmocka_unit_test(lists_may_name_it),
		cmocka_unit_test(it_counts_for_nothing_else),
		cmocka_unit_test(who_receives_on_it),
		cmocka_unit_test(a_drained_one_is_left_by_its_guests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
