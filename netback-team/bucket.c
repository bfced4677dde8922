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
}

/* Of a set, the member with the smallest number; -1: the set is empty. */
static int poorest_of(const unsigned int count[TEAM_MEMBERS_MAX], uint32_t members)
{
	int best = -1;

	for (; members; members &= members - 1) {
		const int i = __builtin_ctz(members);

		if (best < 0 || count[i] < count[best])
			best = i;
	}
	return best;
}

/* Homes of members that are gone, and a fair share for those that are new. */
static void share_homes(struct bucket_map *map, uint32_t used, uint32_t fresh)
{
	unsigned int homes[TEAM_MEMBERS_MAX] = {0}, n_members = 0, share;

	for (uint32_t left = used; left; left &= left - 1)
		n_members++;
	share = n_members ? BUCKETS / n_members : 0;
	for (unsigned int i = 0; i < BUCKETS; i++)
		if (seat_in(used, map->buckets[i].home))
			homes[map->buckets[i].home]++;
	for (unsigned int i = 0; i < BUCKETS; i++) {
		struct bucket *b = &map->buckets[i];
		const int heir = poorest_of(homes, used), young = poorest_of(homes, fresh);

		if (!seat_in(used, b->home)) {
			b->home = (int16_t)heir;
		} else if (young >= 0 && homes[young] < share && homes[b->home] > share) {
			homes[b->home]--;
			b->home = (int16_t)young;
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
			b->seat.want = (int16_t)poorest_of(seats, usable);
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
	if (used != map->used)
		share_homes(map, used, used & ~map->used);
	if (used != map->used || usable != map->usable)
		share_seats(map, usable);
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

unsigned int bucket_count(const struct bucket_map *map, uint64_t now_ns, uint64_t drain_ns,
			  unsigned int count[TEAM_MEMBERS_MAX])
{
	unsigned int waiting = 0;

	memset(count, 0, TEAM_MEMBERS_MAX * sizeof(*count));
	for (unsigned int i = 0; i < BUCKETS; i++) {
		struct seat seat = map->buckets[i].seat;

		seat_follow(&seat, map->usable, now_ns, drain_ns);
		if (seat.member >= 0)
			count[seat.member]++;
		waiting += seat.member != seat.want;
	}
	return waiting;
}
