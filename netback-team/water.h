/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * water.h - who is entitled to what: minima, maxima and shares of one link as rates. Pure.
 *
 * fair.c decides frame by frame and never computes a rate; this computes what its decisions add up
 * to, for the status (entitled beside used) and as the tests' reference. One level lambda is sought
 * at which sum clamp(lambda * shares, min, max) is the capacity, min and max being bounded by the
 * demand ("water filling"). With strict priorities the bands are filled from the highest, after
 * what lower ones are sure of (their minima or their floor) has been set aside.
 */
#ifndef XB_NET_WATER_H
#define XB_NET_WATER_H

#include <stdbool.h>
#include <stdint.h>

#define WATER_BANDS 11u /**< priorities 0 to 10 */

struct water_flow {
	uint32_t shares;
	uint8_t priority;    /**< < WATER_BANDS; without strict bands it does not matter */
	uint64_t min_bps;    /**< as admitted */
	uint64_t max_bps;    /**< 0 = none */
	uint64_t demand_bps; /**< what it would send; 0 = it is silent */
	uint64_t rate_bps;   /**< result */
};

struct water_link {
	uint64_t capacity_bps;
	bool strict;		 /**< priorities above shares */
	uint32_t floor_permille; /**< of the capacity, for each band that has demand */
};

/** Sets rate_bps of each flow; their sum is the capacity or all demand, whichever is less.
 * Accuracy: 1e-9 of the capacity, or a bit/s a flow. */
void water_fill(struct water_flow *flows, uint32_t n, const struct water_link *link);

#endif
