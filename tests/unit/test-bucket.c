/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-bucket.c - the map from hash values to members: even, and changing as little as possible. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "common/util.h"
#include "netback-team/bucket.h"

#define DRAIN 1000u

static int members_of[BUCKETS]; /* before the change that is tested */

static void remember(const struct bucket_map *map)
{
	for (unsigned int i = 0; i < BUCKETS; i++)
		members_of[i] = map->buckets[i].seat.member;
}

/* Every bucket sends a frame; how many are on another member than before. */
static unsigned int moved(struct bucket_map *map, uint64_t now_ns)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < BUCKETS; i++)
		n += bucket_choose(map, &map->buckets[i], now_ns, DRAIN) != members_of[i];
	return n;
}

static void assert_even(const struct bucket_map *map, uint32_t members)
{
	unsigned int count[TEAM_MEMBERS_MAX], least = UINT32_MAX, most = 0;

	bucket_count(map, 0, DRAIN, count);
	for (unsigned int i = 0; i < TEAM_MEMBERS_MAX; i++) {
		if (!(members >> i & 1)) {
			assert_int_equal(count[i], 0);
			continue;
		}
		least = MIN(least, count[i]);
		most = MAX(most, count[i]);
	}
	assert_in_range(most - least, 0, 1);
}

static void start(struct bucket_map *map, uint32_t members)
{
	bucket_init(map);
	bucket_members(map, members, members);
	remember(map);
}

static void every_set_of_members_shares_evenly(void **state)
{
	struct bucket_map map;

	for (uint32_t members = 1; members < 1u << TEAM_MEMBERS_MAX; members += 77) {
		start(&map, members);
		assert_even(&map, members);
	}
}

static void members_that_come_up_one_by_one_share_evenly(void **state)
{
	struct bucket_map map;

	bucket_init(&map);
	assert_int_equal(bucket_choose(&map, &map.buckets[5], 1, DRAIN), -1);
	bucket_members(&map, 15, 0);
	assert_int_equal(bucket_choose(&map, &map.buckets[5], 1, DRAIN), -1);
	for (uint32_t up = 1; up <= 15; up = up << 1 | 1)
		bucket_members(&map, 15, up);
	moved(&map, DRAIN * 2);
	assert_even(&map, 15);
}

static void only_the_dead_members_buckets_move(void **state)
{
	struct bucket_map map;
	unsigned int before[TEAM_MEMBERS_MAX], waiting;

	start(&map, 15);
	bucket_count(&map, 0, DRAIN, before);
	bucket_members(&map, 15, 13);
	assert_int_equal(moved(&map, 1), before[1]);
	for (unsigned int i = 0; i < BUCKETS; i++)
		assert_true(members_of[i] == 1 || map.buckets[i].seat.member == members_of[i]);
	bucket_count(&map, 0, DRAIN, before);
	for (unsigned int i = 0; i < 4; i++) /* shared out over all that are left */
		assert_in_range(before[i], i == 1 ? 0 : 85, i == 1 ? 0 : 86);

	/* it returns: they wait until they are drained, then all are home, and nobody else moved */
	for (unsigned int i = 0; i < BUCKETS; i++)
		map.buckets[i].seat.clear_ns = 5000 + i;
	bucket_members(&map, 15, 15);
	assert_int_equal(bucket_count(&map, 5000 + DRAIN + BUCKETS, DRAIN, before), 0);
	assert_int_equal(before[1], 64);
	waiting = bucket_count(&map, 0, DRAIN, before);
	assert_int_equal(waiting, 64);
	assert_int_equal(moved(&map, 5000 + DRAIN - 1), waiting);
	assert_int_equal(moved(&map, 5000 + DRAIN + BUCKETS), 0);
	assert_int_equal(bucket_count(&map, 0, DRAIN, before), 0);
	assert_int_equal(map.n_moves, 128);
}

static void when_all_are_dead_nothing_is_forgotten(void **state)
{
	struct bucket_map map;

	start(&map, 7);
	bucket_members(&map, 7, 0);
	assert_int_equal(bucket_choose(&map, &map.buckets[9], 1, DRAIN), -1);
	bucket_members(&map, 7, 7);
	assert_int_equal(moved(&map, 1), 0);
}

static void a_new_member_gets_its_share_from_all(void **state)
{
	struct bucket_map map;

	for (uint32_t n = 1; n < TEAM_MEMBERS_MAX; n++) {
		const uint32_t old = (1u << n) - 1, all = (2u << n) - 1;

		start(&map, old);
		bucket_members(&map, all, all);
		assert_in_range(moved(&map, DRAIN), BUCKETS / (n + 1), BUCKETS / (n + 1) + 1);
		for (unsigned int i = 0; i < BUCKETS; i++)
			assert_true(map.buckets[i].seat.member == members_of[i] ||
				    map.buckets[i].seat.member == (int)n);
	}
	start(&map, 3); /* and twice in a row, of those that came before it */
	bucket_members(&map, 7, 7);
	bucket_members(&map, 15, 15);
	moved(&map, DRAIN);
	assert_even(&map, 15);
}

static void a_removed_members_buckets_are_shared_out(void **state)
{
	struct bucket_map map;

	start(&map, 15);
	bucket_members(&map, 11, 11);
	assert_int_equal(moved(&map, 0), 64);
	assert_even(&map, 11);
	bucket_members(&map, 0, 0);
	assert_int_equal(bucket_choose(&map, &map.buckets[0], 1, 0), -1);
	bucket_members(&map, 2, 2);
	assert_int_equal(bucket_choose(&map, &map.buckets[0], 1, 0), 1);
}

static void a_given_home_lasts(void **state)
{
	struct bucket_map map;

	start(&map, 7);
	bucket_move(&map, 40, (members_of[40] + 1) % 3, 77);
	assert_int_equal(map.buckets[40].moved_ns, 77);
	assert_int_equal(moved(&map, DRAIN), 1);
	remember(&map);
	bucket_members(&map, 7, 7u & ~(1u << members_of[40]));
	bucket_members(&map, 7, 7);
	assert_int_equal(moved(&map, 3 * DRAIN), 0);

	/* away from home it goes on, and then returns */
	bucket_members(&map, 7, 7u & ~(1u << members_of[40]));
	bucket_move(&map, 40, 3 - members_of[40] - map.buckets[40].seat.member, 78);
	moved(&map, 5 * DRAIN);
	assert_int_not_equal(map.buckets[40].seat.member, members_of[40]);
	bucket_members(&map, 7, 7);
	assert_int_equal(moved(&map, 7 * DRAIN), 0);
}

static void homes_go_by_weight(void **state)
{
	unsigned int count[TEAM_MEMBERS_MAX];
	struct bucket_map map;

	bucket_init(&map);
	bucket_weight(&map, 0, 5);
	bucket_weight(&map, 1, 2);
	bucket_weight(&map, 2, 1);
	bucket_members(&map, 7, 7);
	remember(&map);
	bucket_count(&map, 0, DRAIN, count);
	assert_int_equal(count[0], 160);
	assert_int_equal(count[1], 64);
	assert_int_equal(count[2], 32);

	/* the others take over what the first one had, by their weights, and give it back */
	bucket_members(&map, 7, 6);
	moved(&map, DRAIN * 2);
	bucket_count(&map, DRAIN * 2, DRAIN, count);
	assert_in_range(count[1], 170, 171);
	bucket_members(&map, 7, 7);
	assert_int_equal(moved(&map, DRAIN * 4), 0);
}

static void another_weight_moves_no_more_than_it_has_to(void **state)
{
	struct bucket_map map;

	start(&map, 15);
	bucket_weight(&map, 2, 1); /* the same one: nothing */
	bucket_members(&map, 15, 15);
	assert_int_equal(moved(&map, DRAIN), 0);
	bucket_weight(&map, 2, 5); /* 32 32 160 32 */
	bucket_members(&map, 15, 15);
	assert_int_equal(moved(&map, DRAIN * 2), 96);
	for (unsigned int i = 0; i < BUCKETS; i++)
		assert_true(map.buckets[i].seat.member == members_of[i] ||
			    map.buckets[i].seat.member == 2);
	bucket_weight(&map, 2, 1);
	bucket_members(&map, 15, 15);
	moved(&map, DRAIN * 4);
	assert_even(&map, 15);
}

static void weights_become_even_again_with_many_members(void **state)
{
	const uint32_t all = (1u << 15) - 1; /* 15 members: 256 does not divide */
	struct bucket_map map;

	start(&map, all);
	bucket_weight(&map, 3, 100);
	bucket_members(&map, all, all);
	bucket_weight(&map, 3, 1);
	bucket_members(&map, all, all);
	moved(&map, DRAIN * 4);
	assert_even(&map, all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_set_of_members_shares_evenly),
		cmocka_unit_test(members_that_come_up_one_by_one_share_evenly),
		cmocka_unit_test(only_the_dead_members_buckets_move),
		cmocka_unit_test(when_all_are_dead_nothing_is_forgotten),
		cmocka_unit_test(a_new_member_gets_its_share_from_all),
		cmocka_unit_test(a_removed_members_buckets_are_shared_out),
		cmocka_unit_test(a_given_home_lasts),
		cmocka_unit_test(homes_go_by_weight),
		cmocka_unit_test(another_weight_moves_no_more_than_it_has_to),
		cmocka_unit_test(weights_become_even_again_with_many_members),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
