/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-policy.c - the table of modes, and which member each mode gives a frame: all up, one down,
 * none up, some tried. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "netback-team/policy.h"
#include "netback-team/team.h"
#include "tests/unit/team-choose.h"

static int mode_of(const char *name)
{
	for (int i = 0; policy_names[i]; i++)
		if (!strcmp(policy_names[i], name))
			return i;
	return -1;
}

static void team_of(struct team *team, const char *mode, unsigned int n)
{
	struct team_options options = {.mode = mode_of(mode)};
	char name[3] = "m0";

	assert_true(options.mode >= 0);
	team_init(team, "t", &options, NULL);
	for (unsigned int i = 0; i < n; i++) {
		name[1] = (char)('a' + i);
		assert_int_equal(team_add(team, name, 128, NULL), (int)i);
		team_on_link(team, (int)i, true, 1);
	}
}

static void names_and_rows_agree(void **state)
{
	int n = 0;

	for (; policy_names[n]; n++) {
		assert_ptr_equal(policy_get(n)->name, policy_names[n]);
		assert_true(strlen(policy_get(n)->help) > 10);
		assert_non_null(policy_get(n)->choose);
		assert_int_equal(mode_of(policy_names[n]), n); /* each name once */
	}
	assert_true(n >= 2);
	assert_null(policy_get(n));
	assert_null(policy_get(-1));
	assert_null(policy_get(INT32_MAX));
	assert_string_equal(policy_names[0], "active-backup"); /* what zeroed options mean */
	assert_true(policy_get(mode_of("active-backup"))->single_active);
	assert_false(policy_get(mode_of("round-robin"))->single_active);
}

static void no_mode_chooses_a_member_that_is_not_there(void **state)
{
	struct team team;

	for (int mode = 0; policy_names[mode]; mode++) {
		team_of(&team, policy_names[mode], 3);
		assert_int_equal(choose(&team, 7, 7), -1);
		for (int i = 0; i < 3; i++)
			assert_int_equal(choose(&team, 7, 7u & ~(1u << i)), i);
		for (int i = 0; i < 3; i++)
			team_on_link(&team, i, false, 2);
		assert_int_equal(choose(&team, 7, 0), -1);
		team_of(&team, policy_names[mode], 0);
		assert_int_equal(choose(&team, 7, 0), -1);
	}
}

static void active_backup_sends_on_the_active_one(void **state)
{
	struct team team;

	team_of(&team, "active-backup", 3);
	for (uint32_t hash = 0; hash < 10; hash++)
		assert_int_equal(choose(&team, hash * 0x9e3779b9u, 0), 0);
	/* what it could not take goes to the best of the others, in turn */
	assert_int_equal(choose(&team, 0, 1), 1);
	assert_int_equal(choose(&team, 0, 3), 2);
	team_on_link(&team, 0, false, 2);
	assert_int_equal(team.active, 1);
	assert_int_equal(choose(&team, 0, 0), 2); /* not past what is there */
	assert_int_equal(team_failover(&team, 2, 3), 0);
	assert_int_equal(choose(&team, 0, 0), 2);
	assert_int_equal(choose(&team, 0, 4), 1);
}

static void active_backup_prefers_priority_for_what_is_left(void **state)
{
	struct team_options options = {.mode = mode_of("active-backup")};
	struct team team;

	team_init(&team, "t", &options, NULL);
	team_add(&team, "a", 10, NULL);
	team_add(&team, "b", 30, NULL);
	team_add(&team, "c", 20, NULL);
	for (int i = 0; i < 3; i++)
		team_on_link(&team, i, true, 1);
	assert_int_equal(choose(&team, 0, 0), 1);
	assert_int_equal(choose(&team, 0, 2), 2);
	assert_int_equal(choose(&team, 0, 6), 0);
}

static void round_robin_takes_turns(void **state)
{
	unsigned int count[TEAM_MEMBERS_MAX] = {0};
	struct team team;

	team_of(&team, "round-robin", 3);
	for (unsigned int i = 0; i < 9; i++)
		assert_int_equal(choose(&team, 5, 0), i % 3);
	team_on_link(&team, 1, false, 2);
	for (unsigned int i = 0; i < 8; i++)
		assert_int_equal(choose(&team, 5, 0), i % 2 * 2);
	team_of(&team, "round-robin", TEAM_MEMBERS_MAX);
	for (unsigned int i = 0; i < 1000; i++) {
		unsigned int least = UINT32_MAX, most = 0;

		count[choose(&team, i, 0)]++;
		for (unsigned int m = 0; m < TEAM_MEMBERS_MAX; m++) {
			least = count[m] < least ? count[m] : least;
			most = count[m] > most ? count[m] : most;
		}
		assert_in_range(most - least, 0, 1);
	}
}

static void round_robin_goes_on_behind_a_member_that_was_tried(void **state)
{
	struct team team;

	team_of(&team, "round-robin", 3);
	assert_int_equal(choose(&team, 5, 0), 0);
	assert_int_equal(choose(&team, 5, 1), 1); /* the same frame again */
	assert_int_equal(choose(&team, 5, 3), 2);
	assert_int_equal(choose(&team, 5, 0), 0); /* the next one */
	assert_int_equal(choose(&team, 5, 6), 0);
	assert_int_equal(choose(&team, 5, 0), 1);
}

static void round_robin_turns_last_as_long_as_the_weight(void **state)
{
	static const int turns[] = {0, 0, 0, 1, 2, 2, 0, 0, 0, 1, 2, 2, 0};
	struct team team;

	team_of(&team, "round-robin", 3);
	team_set_traits(&team, 0, &(struct member_traits){.weight = 3}, 2);
	team_set_traits(&team, 2, &(struct member_traits){.weight = 2}, 2);
	for (size_t i = 0; i < sizeof(turns) / sizeof(turns[0]); i++)
		assert_int_equal(choose(&team, 5, 0), turns[i]);
	assert_int_equal(choose(&team, 5, 1), 1); /* a turn that cannot be used is over */
	assert_int_equal(choose(&team, 5, 0), 2);
	team_on_link(&team, 2, false, 3);
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(choose(&team, 5, 0), i % 4 == 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_rows_agree),
		cmocka_unit_test(no_mode_chooses_a_member_that_is_not_there),
		cmocka_unit_test(active_backup_sends_on_the_active_one),
		cmocka_unit_test(active_backup_prefers_priority_for_what_is_left),
		cmocka_unit_test(round_robin_takes_turns),
		cmocka_unit_test(round_robin_goes_on_behind_a_member_that_was_tried),
		cmocka_unit_test(round_robin_turns_last_as_long_as_the_weight),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
