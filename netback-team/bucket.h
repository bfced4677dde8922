/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bucket.h - hash values to members, by a map that changes as little as possible. Pure.
 *
 * Theory of Operation: a hash falls into one of BUCKETS buckets. Each has a home, a member of the
 * team whether usable or not, and the homes are shared out by the members' weights. While its home
 * is usable a bucket sends there. When it fails, its buckets, and no others, are shared out over
 * the members that are left, at once; when it returns, they want to come home and do so one by one
 * as they drain (seat.h). A new member gets its share of the homes from those that have most; the
 * homes of a removed one go to those that have fewest for their weight, and other weights move no
 * more homes than they have to. rebalance.h may give a bucket another home.
 */
#ifndef XB_NET_BUCKET_H
#define XB_NET_BUCKET_H

#include <stdint.h>

#include "seat.h"

#define BUCKETS 256

struct bucket {
	struct seat seat;
	int16_t home;	   /**< -1 = the team has no members */
	uint64_t moved_ns; /**< when rebalancing moved it last, 0 = never */
};

struct bucket_map {
	struct bucket buckets[BUCKETS];
	uint32_t used, usable; /**< members, as of the last bucket_members */
	uint16_t weights[TEAM_MEMBERS_MAX];
	bool uneven;	  /**< weights of members changed since */
	uint64_t n_moves; /**< seats that changed their member */
};

void bucket_init(struct bucket_map *map);
/** Weight of a member, at least 1; 1 to begin with. Homes follow with the next bucket_members. */
void bucket_weight(struct bucket_map *map, int member, uint16_t weight);
/** The team's members and those that can send; homes and seats follow. */
void bucket_members(struct bucket_map *map, uint32_t used, uint32_t usable);
/** Gives bucket i to another usable member for good, drained; away from home only for as long as
 * that is unusable. */
void bucket_move(struct bucket_map *map, unsigned int i, int member, uint64_t now_ns);
/** The member that the bucket's next frame goes to; -1 = none is usable. */
static inline int bucket_choose(struct bucket_map *map, struct bucket *bucket, uint64_t now_ns,
				uint64_t drain_ns)
{
	map->n_moves += seat_follow(&bucket->seat, map->usable, now_ns, drain_ns);
	return seat_in(map->usable, bucket->seat.member) ? bucket->seat.member : -1;
}
/** The member that bucket i's next frame would go to now; -1 = none. */
int bucket_next(const struct bucket_map *map, unsigned int i, uint64_t now_ns, uint64_t drain_ns);
/** On which member how many buckets would send their next frame now; returns how many of them wait
 * to move. */
unsigned int bucket_count(const struct bucket_map *map, uint64_t now_ns, uint64_t drain_ns,
			  unsigned int count[TEAM_MEMBERS_MAX]);

#endif
