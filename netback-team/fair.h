/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fair.h - whose frame goes next among the VMs of a team, in one direction. Pure: time is passed
 * in, nothing is allocated after fair_create.
 *
 * Theory of Operation. Each VM is a flow with a minimum, a maximum (limit.h) and shares. Frame by
 * frame, as mClock (OSDI 2010) does it for disks, with bytes instead of requests:
 *   limit     a flow whose head frame does not conform to its average or peak takes no part until
 *             it does; no other rule overrides that.
 *   minimum   each flow has a clock R that advances by bytes / minimum when the flow is served by
 *             this rule. R <= now: the minimum is behind, the flow is served before all that is
 *             left to shares; higher priority first, then smaller R. Service by shares does not
 *             move R, so that what a flow gets beside does not eat up its minimum later.
 *   shares    start-time fair queueing: each flow has a virtual time that advances by cost /
 *             shares with every frame; the smallest one is next. Shares are of whatever there is
 *             to share, so a member that fails or comes back changes nothing here: who was above
 *             its part of the new capacity is held from the next frame on.
 * Between two flows that both have frames and that only shares decide about, service divided by
 * shares differs by at most one largest frame of each (divided by its shares), at any link rate.
 * Lag is bounded both ways: a flow that was silent starts at the virtual time of now (less
 * wake_credit_bytes, 0 unless set), so it makes up for nothing and starves nobody; a flow that its
 * minimum carried ahead of its shares is at most max_lag_bytes and two frames ahead, so it is not
 * punished long when that ends. R is at most FAIR_MINIMUM_LAG_NS behind.
 *
 * Priorities 0 to 10: order of minima when they are due, who keeps its minimum when not all fit,
 * and, with `strict`, bands above shares: a lower band gets what higher ones leave, and at least
 * floor_permille of all bytes.
 *
 * Minima are admitted up to admission_percent of the capacity of all members. When members that are
 * up have less, the highest priorities keep theirs, the first band that does not fit is scaled to
 * what is left, lower ones get none, until the capacity is back.
 *
 * Cost O(log n) a frame: heaps of numbers (heap.h).
 *
 * The owner keeps the frames. For each pass:
 *     fair_backlog(flow, cost of its first frame) for whom has frames, fair_idle for whom has not;
 *     while ((flow = fair_next(...)) >= 0) send its first frame, fair_sent(flow, cost, next one);
 *     frames that may not go stay where they are; look again at the deadline.
 */
#ifndef XB_NET_FAIR_H
#define XB_NET_FAIR_H

#include <stdbool.h>
#include <stdint.h>

#include "cost.h"
#include "limit.h"

#define FAIR_FLOWS_MAX	    4096u
#define FAIR_SHARES_MAX	    100000u
#define FAIR_PRIORITY_MAX   10u
#define FAIR_RATE_MAX	    1000000000000ull /**< bit/s of a minimum, average or peak */
#define FAIR_FLOOR_MAX	    50u
#define FAIR_LAG_MAX	    (1u << 30)
#define FAIR_SLACK_MAX_NS   1000000u
#define FAIR_MINIMUM_LAG_NS 20000000u /**< of service that a minimum makes up for, 20 ms */

struct fair_options {
	bool strict;		    /**< priorities are bands above shares */
	uint32_t floor_permille;    /**< 0 to 50: of all bytes for each lower band */
	uint32_t admission_percent; /**< 1 to 100: of the capacity for all minima */
	uint32_t max_lag_bytes;	    /**< knob max-lag: 1538 to 2^30 */
	uint32_t wake_credit_bytes; /**< 0 to max_lag_bytes */
	uint64_t slack_ns;	    /**< so late frames may be that waited for their average, 0 to
				       FAIR_SLACK_MAX_NS */
};
/** Not strict, floor 10 (1 %), admission 75 %, lag 256 KiB, no credit. */
extern const struct fair_options fair_options_default;

struct fair_flow_config {
	uint32_t shares;  /**< 1 to 100000 */
	uint8_t priority; /**< 0 to 10 */
	uint64_t min_bps; /**< 0 = none; <= average and peak */
	struct limit_config limit;
};

/** Why a flow's frame was chosen. */
enum fair_phase { FAIR_PHASE_MINIMUM, FAIR_PHASE_SHARE, FAIR_PHASE_FLOOR, FAIR_PHASES };

/** Why a flow's first frame is not gone yet. */
enum fair_wait {
	FAIR_WAIT_IDLE,	   /**< it has none */
	FAIR_WAIT_TURN,	   /**< others are before it, or nobody asked */
	FAIR_WAIT_AVERAGE, /**< its average and burst */
	FAIR_WAIT_PEAK,
	FAIR_WAIT_MEMBER, /**< fair_hold: its member takes nothing */
};

struct fair_status {
	uint64_t frames;	     /**< GSO frames count once */
	uint64_t bytes[FAIR_PHASES]; /**< cost in bytes, by what it was chosen for */
	uint64_t wakes;		     /**< times it had frames after it had none */
	uint64_t average_waits, peak_waits, member_waits;
	uint64_t lost_bytes; /**< share that went to others while its member took nothing */
	uint64_t min_bps;    /**< admitted, now */
	int64_t lag_bytes;   /**< ahead of its shares (> 0) or behind, in share cost */
	enum fair_wait wait;
	bool pin_limited; /**< over 1 % of its share was lost that way in the last second */
};

struct fair;

/** For flows 0 to max_flows - 1 (at most FAIR_FLOWS_MAX), none of them set; ends the program when
 * memory is out. fair_destroy(NULL) is legal. */
struct fair *fair_create(uint32_t max_flows);
void fair_destroy(struct fair *fair);

/** Are these options possible? -EINVAL when one is out of range, *why (static text) says which. */
int fair_options_check(const struct fair_options *options, const char **why);
/** New options, live. -EINVAL when one is out of range, *why (static text) says which. */
int fair_configure(struct fair *fair, const struct fair_options *options, uint64_t now_ns,
		   const char **why);
/** Capacity in bit/s: of the members that are up, and of all that belong to the team. all_bps 0 =
 * not known: all minima are admitted as they are. */
void fair_set_capacity(struct fair *fair, uint64_t up_bps, uint64_t all_bps, uint64_t now_ns);

/** Are these values possible by themselves? -EINVAL out of range or contradictory, *why (static
 * text) says why. */
int fair_flow_check(const struct fair_flow_config *config, const char **why);
/**
 * Adds a flow, or changes it live: what it used stays used, its lag stays the same in bytes. On
 * error nothing changes and *why (static text) says why: -EINVAL out of range or contradictory;
 * -ENOSPC its minimum does not fit beside the others (lowering one is always allowed).
 */
int fair_flow_set(struct fair *fair, uint32_t id, const struct fair_flow_config *config,
		  uint64_t now_ns, const char **why);
/** Forgets a flow, if it is there. */
void fair_flow_remove(struct fair *fair, uint32_t id, uint64_t now_ns);

/** The flow has a frame of this cost (bytes 1 to COST_MAX) at its head. Cheap when nothing changed.
 * Also ends fair_hold. */
void fair_backlog(struct fair *fair, uint32_t id, struct cost cost, uint64_t now_ns);
/** The flow has no frames. */
void fair_idle(struct fair *fair, uint32_t id, uint64_t now_ns);
/** The flow's turn came, but the one member that may carry its frames takes none: others go on
 * until fair_backlog says that it does again. */
void fair_hold(struct fair *fair, uint32_t id, uint64_t now_ns);

/** The flow whose first frame is to go now; -1: none may. *deadline_ns: when that may change by
 * time alone, or DEADLINE_NEVER. Asking changes nobody's turn. */
int fair_next(struct fair *fair, uint64_t now_ns, uint64_t *deadline_ns);
/** Why fair_next chose its last flow. */
enum fair_phase fair_last_phase(const struct fair *fair);
/** The frame of a flow went; `cost` is what it really cost, `next` the cost of the flow's next
 * frame, NULL = it has none. A flow that was not the last answer of fair_next is charged as by
 * shares; that its frame went out of turn puts nobody else back. */
void fair_sent(struct fair *fair, uint32_t id, struct cost cost, const struct cost *next,
	       uint64_t now_ns);
/** The frames of a flow that fair_sent was told of at taken_ns went only now (ns): its limit counts
 * from then on. */
void fair_late(struct fair *fair, uint32_t id, uint64_t taken_ns, uint64_t now_ns);
/** Is the deadline that fair_next told one to be met exactly? A frame that is late then is not made
 * up for: a peak without a period. */
bool fair_deadline_exact(const struct fair *fair);

/** A frame that fair_sent was told of did not use the link after all: what it cost counts neither
 * against the flow's shares nor, if `minimum` chose it, against its minimum; but by this the flow
 * gets at most max_lag_bytes behind. Its limit is charged all the same. */
void fair_give_back(struct fair *fair, uint32_t id, struct cost cost, bool minimum,
		    uint64_t now_ns);

/** Is there such a flow? */
bool fair_has(const struct fair *fair, uint32_t id);
const struct fair_flow_config *fair_flow_config(const struct fair *fair, uint32_t id);
/** Counters and state of a flow that is there. */
void fair_flow_status(struct fair *fair, uint32_t id, uint64_t now_ns, struct fair_status *status);
/** bit/s: what minima may take together, now. UINT64_MAX: capacity not known. */
uint64_t fair_admissible_bps(const struct fair *fair);
/** bit/s that more minima may take; negative: too many are there. INT64_MAX: capacity not known. */
int64_t fair_room_bps(const struct fair *fair);
/** Are all minima granted in full? */
bool fair_minima_fit(const struct fair *fair);
/** Rates that the flows are entitled to while they want to send demand_bps[flow]: water filling
 * over the capacity that is up. Both arrays have max_flows elements. */
void fair_entitled(struct fair *fair, const uint64_t *demand_bps, uint64_t *rate_bps);

#endif
