/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * delays.h - how long frames waited lately, for status: quantiles. Pure; a few instructions a
 * frame.
 *
 * Theory of Operation: delays are counted in steps of a quarter and less (four to a power of two,
 * from 1 us to 17 s), in two spans of DELAYS_SPAN_NS that take turns. A quantile is of the present
 * span and the one before: the upper end of the step that it falls into.
 */
#ifndef XB_NET_DELAYS_H
#define XB_NET_DELAYS_H

#include <stdint.h>

#define DELAYS_SPAN_NS 10000000000ull
#define DELAYS_STEPS   97u /**< the first one: less than 1 us; the last one: more than all others */

/** All zeros: nothing was counted. */
struct delays {
	uint64_t begin_ns; /**< of the present span */
	uint32_t counts[2][DELAYS_STEPS];
	uint32_t n[2];
};

/** Counts a frame that waited for delay_ns; now_ns never goes back. */
void delays_add(struct delays *delays, uint64_t delay_ns, uint64_t now_ns);
/** What so many of 1000 frames did not exceed, ns; 0 = less than 1 us, or no frames. */
uint64_t delays_quantile(const struct delays *delays, unsigned int permille, uint64_t now_ns);

#endif
