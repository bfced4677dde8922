/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fair_priv.h - what fair.c (frame by frame) and fair_config.c (changes, status) share. Pure. */
#ifndef XB_NET_FAIR_PRIV_H
#define XB_NET_FAIR_PRIV_H

#include <stdbool.h>

#include "fair.h"
#include "heap.h"
#include "water.h"

#define FAIR_BANDS     (FAIR_PRIORITY_MAX + 1)
#define FAIR_TAG_SHIFT 16 /**< virtual time: cost << 16, divided by shares */

enum flow_state {
	FLOW_STATE_FREE,
	FLOW_STATE_IDLE,
	FLOW_STATE_READY, /**< in its band's heap; a minimum is in `due`, or in `timers` until it is
			   */
	FLOW_STATE_BLOCKED, /**< by its limit: in `timers` */
	FLOW_STATE_HELD,    /**< by its member: in no heap */
};

/* What each frame needs comes first, in one cache line; the next one is that of minima. What only
 * some flows have, or only changes and status need, follows. */
struct flow {
	uint8_t state;	  /**< enum flow_state */
	uint8_t bound;	  /**< enum limit_bound of a blocked one */
	uint8_t priority; /**< as in config, and so are shares */
	bool limited;	  /**< has an average or a peak */
	bool timed;	  /**< is in `due` or `timers` */
	bool minimum;	  /**< min_bps is not 0 */
	uint32_t shares;
	uint32_t tag_frac; /**< part of a unit not yet in tag, in 1/shares */
	uint32_t largest;  /**< share cost of a frame so far */
	struct cost head;
	uint64_t tag;			    /**< virtual time at which the head frame starts */
	uint64_t min_ns;		    /**< clock of the minimum: behind when <= now */
	uint64_t frames;		    /**< sent */
	uint64_t share_bytes;		    /**< sent, FAIR_PHASE_SHARE */
	_Alignas(64) uint64_t min_bps;	    /**< admitted */
	uint64_t idle_ns;		    /**< when it went idle */
	struct fair_status counts;	    /**< other counters are kept here, the rest is filled in
					       on demand */
	uint64_t window_ns;		    /**< begin of the second that pin_limited looks at */
	uint64_t window_bytes, window_lost; /**< counters then */
	struct fair_flow_config config;
	_Alignas(64) struct limit limit;
};

/** One level of priority, or all flows when priorities are not strict (band 0). */
struct band {
	struct heap heap;   /**< flows that are ready, by tag */
	uint64_t time;	    /**< virtual time */
	uint64_t floor_due; /**< in bytes of `served` */
};

struct fair {
	struct fair_options options;
	uint32_t max_flows;
	uint64_t up_bps, all_bps;
	bool fit; /**< all minima are admitted in full */
	struct flow *flows;
	struct band bands[FAIR_BANDS];
	uint32_t bands_ready; /**< mask */
	struct heap due;      /**< minima that are behind, by priority and clock */
	struct heap timers;   /**< flows that something changes for at a time */
	uint64_t served;      /**< bytes, all flows */
	int turn;	      /**< last answer of fair_next, -1 = none or already sent */
	enum fair_phase phase;
	struct heap_entry *entries;
	uint32_t *positions;
	struct water_flow *water;
};

/** fair.c: the band that a flow belongs to. */
struct band *fair_band(struct fair *fair, const struct flow *flow);
/** fair.c: takes a flow out of all heaps; its state is the caller's to set. */
void fair_unlink(struct fair *fair, uint32_t id);
/** fair.c: puts a flow that has a frame where its limit, minimum and tag belong. */
void fair_place(struct fair *fair, uint32_t id, uint64_t now_ns);
/** fair.c: counts what a held flow has lost so far. */
void fair_count_loss(struct fair *fair, struct flow *flow);
/** fair.c: cost in the flow's virtual time, and back. */
uint64_t fair_tag_of(const struct flow *flow, uint64_t cost);
uint64_t fair_cost_of(const struct flow *flow, uint64_t tags);
/** fair.c: virtual time of a band now: nobody who is ready stands before it. */
uint64_t fair_band_time(struct band *band);

/** Has it a frame that takes part? */
static inline bool fair_flow_active(const struct flow *flow)
{
	return flow->state == FLOW_STATE_READY || flow->state == FLOW_STATE_BLOCKED;
}

/** What it sent for this reason. */
static inline uint64_t *fair_flow_bytes(struct flow *flow, enum fair_phase phase)
{
	return phase == FAIR_PHASE_SHARE ? &flow->share_bytes : &flow->counts.bytes[phase];
}

/** All that it sent. */
static inline uint64_t fair_flow_sent(const struct flow *flow)
{
	return flow->share_bytes + flow->counts.bytes[FAIR_PHASE_MINIMUM] +
	       flow->counts.bytes[FAIR_PHASE_FLOOR];
}

#endif
