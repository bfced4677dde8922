/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rebalance.h - what should move to another member, by counters of one interval. Pure, without
 * state: the same counters give the same answer.
 *
 * Buckets of a hash (bucket.h) and guests on one member (pin.h) are items alike: each sends on one
 * member and sent so many bytes. The most used member gives away the item that brings the most used
 * of the two down furthest; nothing moves unless that is worth it.
 */
#ifndef XB_NET_REBALANCE_H
#define XB_NET_REBALANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "seat.h"

struct rebalance_item {
	int member;	  /**< where it belongs, -1 = nowhere */
	uint32_t members; /**< set of those that it may go to; empty = it may not move now */
	uint64_t bytes;
};

struct rebalance_state {
	uint32_t usable; /**< set of members that items may be on */
	uint64_t bytes[TEAM_MEMBERS_MAX], rate_bps[TEAM_MEMBERS_MAX];
	uint64_t interval_ns;
};

struct rebalance_rule {
	unsigned int min_percent;  /**< use of its speed below which a member is left alone */
	unsigned int gain_percent; /**< by how much the use of the most used member must fall, in
				      parts of itself */
};

struct rebalance_move {
	size_t item;
	int from, to;
};

/** The most rewarding move; false when there is none. */
bool rebalance_pick(const struct rebalance_state *state, const struct rebalance_item *items,
		    size_t n_items, const struct rebalance_rule *rule, struct rebalance_move *move);
/** Counters as if the move had been made before the interval. */
void rebalance_apply(struct rebalance_state *state, struct rebalance_item *items,
		     const struct rebalance_move *move);

#endif
