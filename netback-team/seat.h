/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * seat.h - a place on one member for what must stay together (a bucket of flows, a session, a
 * guest), and the rule by which it moves without reordering. Pure.
 *
 * Theory of Operation: a seat knows when the last frame that it sent will have left its member's
 * queue (load.h estimates that). It may go to another member once that time and a delay (`drain`)
 * on top have passed, so that what it sends there cannot overtake; or at once when its member is
 * not usable any more, because then nothing of it is under way. Everything that places frames
 * (bucket.h, sticky.h, pin.h, policy.c) goes by this one rule.
 */
#ifndef XB_NET_SEAT_H
#define XB_NET_SEAT_H

#include <stdbool.h>
#include <stdint.h>

#define TEAM_MEMBERS_MAX  16
#define TEAM_NAME_MAX	  32
#define TEAM_NIC_NAME_MAX 16 /**< name of an interface and its end: IFNAMSIZ */

struct seat {
	int16_t member;	   /**< sends there, -1 = nowhere yet */
	int16_t last;	   /**< its last frame went there */
	int16_t want;	   /**< belongs there; differs while it waits to move. -1 = anywhere */
	uint64_t clear_ns; /**< its last frame will have left the member by then */
	uint64_t bytes;	   /**< sent since the owner last looked */
};

/** Is member i in the set? False for -1. */
static inline bool seat_in(uint32_t members, int i)
{
	return i >= 0 && (members >> i & 1);
}

/** The set of member i; empty for -1. */
static inline uint32_t seat_bit(int i)
{
	return i >= 0 ? 1u << i : 0;
}

/** May the next frame go to another member? usable: set of members that can send. */
static inline bool seat_may_leave(const struct seat *seat, uint32_t usable, uint64_t now_ns,
				  uint64_t drain_ns)
{
	return !seat_in(usable, seat->member) || now_ns >= seat->clear_ns + drain_ns;
}

/** Goes to where it belongs if it may; true when it moved. */
static inline bool seat_follow(struct seat *seat, uint32_t usable, uint64_t now_ns,
			       uint64_t drain_ns)
{
	if (seat->member == seat->want || !seat_may_leave(seat, usable, now_ns, drain_ns))
		return false;
	seat->member = seat->want;
	return true;
}

#endif
