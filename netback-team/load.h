/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * load.h - how much a member has to send: an estimate out of what it was given and its speed. Pure.
 *
 * Theory of Operation: packet sockets past the queueing discipline do not tell how much of what
 * they took is still in the NIC's ring. But a link sends at a known speed without pauses while it
 * has something: so what was handed over keeps it busy until `idle_ns`, which moves on by each
 * frame's time on the wire. The wait of a new frame is the rest of that time, queued bytes over
 * rate. A NIC holds no more than its ring, so the estimate ends at LOAD_WAIT_MAX_NS: a speed that
 * is told too low does no lasting harm. Beside it, time on the wire in the last second says how
 * much the link is used, and a count of bytes serves longer windows (rebalance.h).
 */
#ifndef XB_NET_LOAD_H
#define XB_NET_LOAD_H

#include <stdint.h>

#define LOAD_WAIT_MAX_NS 50000000ull
#define LOAD_WINDOW_NS	 1000000000ull
#define LOAD_HISTORY	 60u		/**< windows */
#define LOAD_RATE_MIN	 1000000ull	/**< bit/s; lower ones are raised to it */
#define LOAD_RATE_NONE	 10000000000ull /**< bit/s, where none is known or configured */

struct load {
	uint64_t rate_bps;
	uint64_t ns_per_byte; /**< in 1/2^20 ns */
	uint64_t idle_ns;     /**< everything given will have left */
	uint64_t window_ns;   /**< begin of the present window */
	uint64_t wire_ns[2];  /**< time on the wire in the present window and the one before */
	uint64_t bytes;	      /**< ever given */
	uint16_t uses[LOAD_HISTORY]; /**< in 1/1000, of windows before the present one, by number */
};

/** New speed, 0 = unknown: LOAD_RATE_NONE. What was counted stays. */
void load_set_rate(struct load *load, uint64_t rate_bps);
/** A frame was given to the member; when everything will have left. */
uint64_t load_add(struct load *load, uint32_t bytes, uint64_t now_ns);
/** Until the last bit of a frame of so many bytes would have left, ns. */
uint64_t load_wait_ns(const struct load *load, uint32_t bytes, uint64_t now_ns);
/** Time on the wire during about the last second, ns. */
uint64_t load_recent_ns(const struct load *load, uint64_t now_ns);
/** Use of the link in the last n whole windows (1 to LOAD_HISTORY), in 1/1000; over 1000 where more
 * was given to it than its speed carries. */
unsigned int load_use_permille(const struct load *load, unsigned int n, uint64_t now_ns);
/** How much of what it was given will not have left, bytes. */
uint64_t load_queued_bytes(const struct load *load, uint64_t now_ns);
/** How much of its speed so many bytes in so much time are, in 1/1000; 0 for no time. */
unsigned int load_permille(uint64_t rate_bps, uint64_t bytes, uint64_t ns);

#endif
