/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * limit.h - the bandwidth that a VM may use at most: average, burst, peak and peak period. Pure.
 *
 * Theory of Operation. Two bounds, and a frame needs both:
 *   average: a token bucket (shape.h) of `burst` bytes. In any time t go at most burst +
 *     average * t.
 *   peak: in any time of one period go at most peak * period bytes, and one frame. A frame goes for
 *     either of two reasons. Pacing: everything before it is paid for at the peak rate; then any
 *     time that ends now holds at most peak * t and this frame. Or room: what went in the last
 *     period is known, and with this frame it is still not more than peak * period. Pacing alone
 *     would let no bunch of frames through and lose all that a late wake-up misses; room alone
 *     would lose a little each period, as frames are remembered by 1/16 period, all with the time
 *     of the last. Every frame is charged to both.
 *     Without a period there is pacing alone, by a bucket of an MTU: any time t holds at most peak
 *     * t and an MTU (1538 bytes, or one larger frame). Its moments are to be met exactly (nap.h).
 *     A peak is a bound and no promise: a VM that sends at its peak and is looked after d too late
 *     each time loses about d / period of it, and up to 1/16 more; without a period, d of the time
 *     that each full frame takes at the peak.
 * A change keeps what was used: debts stay debts in bytes, and the last period's bytes count in the
 * new one.
 */
#ifndef XB_NET_LIMIT_H
#define XB_NET_LIMIT_H

#include <stdint.h>

#include "shape.h"

#define LIMIT_SLOTS	    17u		   /**< of 1/16 period: as many as a period can touch */
#define LIMIT_BURST_MIN	    1538u	   /**< wire bytes of a frame of 1514: less is refused */
#define LIMIT_BURST_DEFAULT 131072u	   /**< bytes; or what 10 ms bring, if that is more */
#define LIMIT_PERIOD_MAX_NS 10000000000ull /**< 10 s */

struct limit_config {
	uint64_t avg_bps;     /**< bit/s, 0 = no bound */
	uint64_t burst_bytes; /**< 0 = the default */
	uint64_t peak_bps;    /**< bit/s, >= avg_bps; 0 = no bound */
	uint64_t period_ns;   /**< of the peak; 0 = no bunches of full frames */
};

enum limit_bound { LIMIT_BOUND_NONE, LIMIT_BOUND_AVERAGE, LIMIT_BOUND_PEAK };

struct limit { /* what each frame needs comes first */
	struct shape average, pace;
	uint64_t slot_ns;      /**< period / 16; 0 = no period */
	uint64_t window_bytes; /**< peak * period */
	uint64_t slot_end_ns;  /**< of the newest one */
	uint64_t used;	       /**< bytes of the slots that are remembered */
	uint64_t period_ns;    /**< as in config */
	uint64_t patience_ns;  /**< in so long half of the burst comes back */
	uint32_t first, n;     /**< the oldest one, and how many: a ring */
	struct limit_slot {
		uint64_t last_ns, bytes;
	} slots[LIMIT_SLOTS];
	struct limit_config config;
};

/** 0, or -EINVAL: peak below average, burst below one frame, burst without average, period without
 * peak or over 10 s, or one that is not 0 and below 1 us. *why (static text) says which. */
int limit_check(const struct limit_config *config, const char **why);
/** Sets a checked configuration; a limit of zeros is a fresh one without bounds. */
void limit_set(struct limit *limit, const struct limit_config *config, uint64_t now_ns);
/** When a frame of `bytes` (< 2^31) may go: now_ns means now, else *bound says what holds it
 * longest. */
uint64_t limit_ready_ns(struct limit *limit, uint32_t bytes, uint64_t now_ns,
			enum limit_bound *bound);
/** By how much a frame that `bound` holds may be late, slack_ns at most, so that others can go with
 * it and nothing is lost: what the average brings meanwhile has to fit into the burst. 0 for the
 * peak, which makes up for nothing. */
static inline uint64_t limit_slack_ns(const struct limit *limit, enum limit_bound bound,
				      uint64_t slack_ns)
{
	if (bound != LIMIT_BOUND_AVERAGE)
		return 0;
	return slack_ns < limit->patience_ns ? slack_ns : limit->patience_ns;
}
/** Charges a frame that goes. */
void limit_take(struct limit *limit, uint32_t bytes, uint64_t now_ns);
/** What was charged at taken_ns, and nothing since, went only now (ns): bounds hold where frames
 * go, not where that is decided. */
void limit_late(struct limit *limit, uint64_t taken_ns, uint64_t now_ns);

#endif
