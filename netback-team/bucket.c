/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bucket.c - see bucket.h. */
#include "bucket.h"

#include <string.h>

#include "util.h"

void bucket_init(struct bucket_map *map)
{
	memset(map, 0, sizeof(*map));
	for (unsigned int i = 0; i < BUCKETS; i++) {
		map->buckets[i].home = -1;
		map->buckets[i].seat.member = map->buckets[i].seat.want = -1;
	}
	for (unsigned int i = 0; i < TEAM_MEMBERS_MAX; i++)
		map->weights[i] = 1;
}

void bucket_weight(struct bucket_map *map, int member, uint16_t weight)
{
	map->uneven |= weight != map->weights[member] && seat_in(map->used, member);
	map->weights[member] = weight;
}

/* Of a set, the member that would have the smallest number for its weight with one more; -1: the
 * set is empty. */
static int poorest_of(const struct bucket_map *map, const unsigned int count[TEAM_MEMBERS_MAX],
		      uint32_t members)
{
	int best = -1;

	for (; members; members &= members - 1) {
		const int i = __builtin_ctz(members);

		if (best < 0 ||
		    (count[i] + 1) * map->weights[best] < (count[best] + 1) * map->weights[i])
			best = i;
	}
	return best;
}

/* How many homes each member is to have (highest averages). */
static void find_shares(const struct bucket_map *map, uint32_t used,
			unsigned int share[TEAM_MEMBERS_MAX])
{
	memset(share, 0, TEAM_MEMBERS_MAX * sizeof(*share));
	for (unsigned int i = 0; i < BUCKETS && used; i++)
		share[poorest_of(map, share, used)]++;
}

/* Of a set, the member that lacks most of its share; -1: nobody lacks any. */
static int neediest_of(const unsigned int share[TEAM_MEMBERS_MAX],
		       const unsigned int count[TEAM_MEMBERS_MAX], uint32_t members)
{
	unsigned int most = 0;
	int best = -1;

	for (; members; members &= members - 1) {
		const int i = __builtin_ctz(members);

		if (count[i] + most < share[i]) {
			best = i;
			most = share[i] - count[i];
		}
	}
	return best;
}

/* Homes of members that are gone, and a fair share for those of `takers` that have less. */
static void share_homes(struct bucket_map *map, uint32_t used, uint32_t takers)
{
	unsigned int homes[TEAM_MEMBERS_MAX] = {0}, share[TEAM_MEMBERS_MAX];

	find_shares(map, used, share);
	for (unsigned int i = 0; i < BUCKETS; i++)
		if (seat_in(used, map->buckets[i].home))
			homes[map->buckets[i].home]++;
	for (unsigned int i = 0; i < BUCKETS; i++) {
		struct bucket *b = &map->buckets[i];
		const int taker = neediest_of(share, homes, takers);

		if (!seat_in(used, b->home)) {
			b->home = (int16_t)poorest_of(map, homes, used);
		} else if (taker >= 0 && homes[b->home] > share[b->home]) {
			homes[b->home]--;
			b->home = (int16_t)taker;
		} else {
			continue;
		}
		if (b->home >= 0)
			homes[b->home]++;
	}
}

/* Where each bucket belongs now; those that can't wait are there at once. */
static void share_seats(struct bucket_map *map, uint32_t usable)
{
	unsigned int seats[TEAM_MEMBERS_MAX] = {0};

	if (!usable)
		return;
	for (unsigned int i = 0; i < BUCKETS; i++) {
		struct bucket *b = &map->buckets[i];

		if (seat_in(usable, b->home))
			b->seat.want = b->home;
		if (seat_in(usable, b->seat.want))
			seats[b->seat.want]++;
	}
	for (unsigned int i = 0; i < BUCKETS; i++) {
		struct bucket *b = &map->buckets[i];

		if (!seat_in(usable, b->seat.want)) {
			b->seat.want = (int16_t)poorest_of(map, seats, usable);
			seats[b->seat.want]++;
		}
		if (seat_in(usable, b->seat.member))
			continue;
		map->n_moves += b->seat.member >= 0;
		b->seat.member = b->seat.want;
	}
}

void bucket_members(struct bucket_map *map, uint32_t used, uint32_t usable)
{
	if (used != map->used || map->uneven)
		share_homes(map, used, map->uneven ? used : used & ~map->used);
	if (used != map->used || usable != map->usable || map->uneven)
		share_seats(map, usable);
	map->uneven = false;
	map->used = used;
	map->usable = usable;
}

void bucket_move(struct bucket_map *map, unsigned int i, int member, uint64_t now_ns)
{
	struct bucket *b = &map->buckets[i];

	if (seat_in(map->usable, b->home))
		b->home = (int16_t)member;
	b->seat.want = (int16_t)member;
	b->moved_ns = now_ns;
}

int bucket_next(const struct bucket_map *map, unsigned int i, uint64_t now_ns, uint64_t drain_ns)
{
	struct seat seat = map->buckets[i].seat;

	seat_follow(&seat, map->usable, now_ns, drain_ns);
	return seat.member;
}

unsigned int bucket_count(const struct bucket_map *map, uint64_t now_ns, uint64_t drain_ns,
			  unsigned int count[TEAM_MEMBERS_MAX])
{
	unsigned int waiting = 0;

	memset(count, 0, TEAM_MEMBERS_MAX * sizeof(*count));
	for (unsigned int i = 0; i < BUCKETS; i++) {
		const int member = bucket_next(map, i, now_ns, drain_ns);

		if (member >= 0)
			count[member]++;
		waiting += member != map->buckets[i].seat.want;
	}
	return waiting;
}
