/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-rebalance.c - which item should move, by counters: worked examples, and what holds for any.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/util.h"
#include "netback-team/load.h"
#include "netback-team/rebalance.h"

#define GBIT 1000000000ull
#define MB   1000000ull
#define ALL  UINT32_MAX

static const struct rebalance_rule rule = {.min_percent = 10, .gain_percent = 5};

/* Sums up what items sent, in one second. */
static struct rebalance_state state_of(uint32_t usable, const struct rebalance_item *items,
				       size_t n)
{
	struct rebalance_state state = {.usable = usable, .interval_ns = NSEC_PER_SEC};

	for (unsigned int i = 0; i < TEAM_MEMBERS_MAX; i++)
		state.rate_bps[i] = GBIT; /* 125 MB a second */
	for (size_t i = 0; i < n; i++)
		if (items[i].member >= 0)
			state.bytes[items[i].member] += items[i].bytes;
	return state;
}

static void the_move_that_evens_most_is_picked(void **state)
{
	struct rebalance_item items[] = {
		{0, ALL, 60 * MB}, {0, ALL, 25 * MB}, {0, ALL, 10 * MB}, {1, ALL, 30 * MB}};
	struct rebalance_state s = state_of(3, items, 4);
	struct rebalance_move move;

	/* 95 and 30: 60 would make it 35 and 90, 25 makes it 70 and 55 */
	assert_true(rebalance_pick(&s, items, 4, &rule, &move));
	assert_int_equal(move.item, 1);
	assert_int_equal(move.from, 0);
	assert_int_equal(move.to, 1);
	rebalance_apply(&s, items, &move);
	assert_int_equal(s.bytes[0], 70 * MB);
	assert_int_equal(s.bytes[1], 55 * MB);
	assert_true(rebalance_pick(&s, items, 4, &rule, &move)); /* 60 and 65 */
	assert_int_equal(move.item, 2);
	rebalance_apply(&s, items, &move);
	assert_false(rebalance_pick(&s, items, 4, &rule, &move));
}

static void what_does_not_help_stays(void **state)
{
	struct rebalance_item one[] = {{0, ALL, 90 * MB}, {1, ALL, 10 * MB}};
	struct rebalance_item idle[] = {{0, ALL, 8 * MB}, {0, ALL, 4 * MB}};
	struct rebalance_item even[] = {{0, ALL, 50 * MB}, {0, ALL, 2 * MB}, {1, ALL, 50 * MB}};
	struct rebalance_item bound[] = {{0, 1, 50 * MB}, {0, 0, 40 * MB}, {-1, ALL, 9 * MB}};
	struct rebalance_state s = state_of(3, one, 2);
	struct rebalance_move move;

	assert_false(rebalance_pick(&s, one, 2, &rule, &move)); /* would be 0 and 100 */
	s = state_of(3, idle, 2);
	assert_false(rebalance_pick(&s, idle, 2, &rule, &move)); /* under 10 % of 125 */
	s = state_of(3, even, 3);
	assert_false(rebalance_pick(&s, even, 3, &rule, &move)); /* from 52 to 50: under 5 % */
	s = state_of(3, bound, 3);
	assert_false(rebalance_pick(&s, bound, 3, &rule, &move));
	s = state_of(1, idle, 2);
	assert_false(rebalance_pick(&s, idle, 2, &rule, &move));
	s = state_of(0, idle, 2);
	assert_false(rebalance_pick(&s, idle, 2, &rule, &move));
}

static void speeds_count(void **state)
{
	struct rebalance_item items[] = {{0, ALL, 60 * MB}, {0, ALL, 60 * MB}, {1, ALL, 60 * MB}};
	struct rebalance_state s = state_of(3, items, 3);
	struct rebalance_move move;

	s.rate_bps[0] = 10 * GBIT; /* 120 of 1250 MB beside 60 of 125 */
	assert_true(rebalance_pick(&s, items, 3, &rule, &move));
	assert_int_equal(move.from, 1);
	assert_int_equal(move.to, 0);
	assert_int_equal(move.item, 2);
}

/* Repeated to its end, from any start: the most used member only gets better, and it ends. */
static void any_start_gets_better_and_ends(void **state)
{
	uint64_t seed = 1;

	for (unsigned int world = 0; world < 200; world++) {
		struct rebalance_item items[64];
		struct rebalance_state s;
		struct rebalance_move move;
		unsigned int moves = 0;

		for (unsigned int i = 0; i < ARRAY_SIZE(items); i++) {
			seed = seed * 6364136223846793005ull + 1442695040888963407ull;
			items[i] = (struct rebalance_item){(int)(seed >> 62), ALL,
							   (seed >> 33) % (8 * MB)};
		}
		s = state_of(15, items, ARRAY_SIZE(items));
		while (rebalance_pick(&s, items, ARRAY_SIZE(items), &rule, &move)) {
			uint64_t before = s.bytes[move.from];

			rebalance_apply(&s, items, &move);
			assert_true(MAX(s.bytes[move.from], s.bytes[move.to]) * 100 <= before * 96);
			assert_in_range(++moves, 1, ARRAY_SIZE(items));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_move_that_evens_most_is_picked),
		cmocka_unit_test(what_does_not_help_stays),
		cmocka_unit_test(speeds_count),
		cmocka_unit_test(any_start_gets_better_and_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
