/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * spread.h - what a team remembers of how it distributes frames: loads, buckets, flowlets,
 * sessions, bound guests; and what is done about uneven loads from time to time. Pure.
 *
 * Theory of Operation: the modes (policy.c) choose by these tables; team_choose tells them what was
 * chosen. Two clocks run while there is traffic and stop without it, so that an idle team sleeps:
 *
 * - Every rebalance_interval, in modes with buckets: rebalance.h says what should move. It does
 *   when the same member was the one to relieve in the interval before, too; SPREAD_MOVES buckets
 *   at most, and none again for SPREAD_HOLD intervals.
 * - Every repin_interval: of the guests confined to a member that was used above repin_threshold,
 *   one moves, if that helps.
 *
 * Both only say where something belongs; it goes there as it drains (seat.h).
 */
#ifndef XB_NET_SPREAD_H
#define XB_NET_SPREAD_H

#include <stdbool.h>
#include <stdint.h>

#include "bucket.h"
#include "flow.h"
#include "load.h"
#include "pin.h"
#include "seat.h"
#include "sticky.h"

#define SPREAD_FLOWLETS 1024 /**< flows share a flowlet when their hashes meet */
#define SPREAD_MOVES	8u
#define SPREAD_HOLD	10u
#define SPREAD_PINS_MAX 1024u /**< guests that one look considers */

struct team;

struct spread_stats {
	uint64_t non_ip;	   /**< frames without IP, in modes that look at flows */
	uint64_t malformed;	   /**< of these: they say that they are IP, and are not */
	uint64_t flowlets;	   /**< times that a flow paused and went to the next member */
	uint64_t sessions;	   /**< TCP sessions placed by load */
	uint64_t sessions_by_hash; /**< TCP sessions that found the table full */
	uint64_t rebalanced;	   /**< buckets that were given another home */
	uint64_t repinned;	   /**< guests that were moved off a busy member */
};

/** An interval that is measured. */
struct spread_clock {
	uint64_t begin_ns, due_ns;	  /**< due DEADLINE_NEVER = stands still */
	uint64_t bytes[TEAM_MEMBERS_MAX]; /**< of the loads when it began */
};

struct spread {
	struct load loads[TEAM_MEMBERS_MAX];
	uint64_t told_bps[TEAM_MEMBERS_MAX]; /**< speeds by their drivers, 0 = unknown */
	struct bucket_map map;
	struct seat flowlets[SPREAD_FLOWLETS];
	struct sticky sticky;
	struct pin *pins;
	unsigned int n_away; /**< of these, who belong to reserve members */
	struct spread_clock rebalance, repin;
	uint32_t spare;		  /**< of the team, as guests were placed by it */
	bool asleep;		  /**< the next frame has to start a clock */
	uint64_t told_rebalanced; /**< stats.rebalanced as the team's observer knows it */
	int moved_from;		  /**< the member that buckets were last moved off */
	int relieve; /**< the member that the last interval wanted to relieve, -1 = none */
	struct spread_stats stats;
};

/* Called by team.c. */

void spread_init(struct team *team);
/** Options changed: speeds, seed, clocks. */
void spread_configure(struct team *team, uint32_t old_seed);
/** Speeds by traits, drivers, the option `speed`, in this order. */
void spread_rates(struct team *team);
/** Members came, went, failed or returned; at most what depends on that changes. */
void spread_members(struct team *team, uint64_t now_ns);
/** Tells the team's observer of guests and buckets that belong elsewhere since the last call. */
void spread_tell(struct team *team);
/** Has everything that has to leave this member (team_retire) left it, or may at its next frame? */
bool spread_is_empty(const struct team *team, int member, uint64_t now_ns);
/** The first frame after a pause. */
void spread_wake(struct team *team, uint64_t now_ns);
void spread_run(struct team *team, uint64_t now_ns);
static inline uint64_t spread_deadline(const struct spread *spread)
{
	return spread->rebalance.due_ns < spread->repin.due_ns ? spread->rebalance.due_ns
							       : spread->repin.due_ns;
}

/* Called by owners of guests and NICs. */

/** Speed of a member as its driver tells it, 0 = unknown: then the option `speed` counts. Its
 * traits come before both. */
void spread_set_speed(struct team *team, int member, uint64_t bps);
/** A guest joins the team; its pin stays the caller's memory, and is in the list until
 * spread_pin_remove. pin->name is set by the caller. */
void spread_pin_add(struct team *team, struct pin *pin, uint64_t now_ns);
void spread_pin_remove(struct team *team, struct pin *pin);
/** New list, live; false and nothing changed as of pin_set. */
bool spread_pin_set(struct team *team, struct pin *pin, const char *list, bool confine,
		    uint64_t now_ns);
/** The same with the members that it may use. Where it cannot have the reserve that it is to use,
 * the observer is told, too. */
bool spread_pin_place(struct team *team, struct pin *pin, const char *list, bool confine,
		      enum pin_reach reach, uint64_t now_ns);
/** The member on which a switch has to learn the address of a guest (pin may be NULL) in a VLAN (0
 * = none); -1 = none. */
int spread_member_of_mac(const struct team *team, const struct pin *pin, const uint8_t mac[6],
			 uint16_t vlan);
/** Do addresses of guests change their member when members come and go? */
bool spread_moves_macs(const struct team *team);

#endif
