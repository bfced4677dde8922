/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * announce.h - which guest addresses still have to be announced after the active member changed.
 * Pure: time is passed in.
 *
 * Switches learn where a guest is from frames that it sends; after a failover a RARP for each
 * address moves their tables at once, instead of when the guest happens to send. Rate: at most 64
 * frames in any 10 ms, also across restarts, so that a large host or a flapping link does not flood
 * the network. A round sends each address once; the next round begins an interval after the begin
 * of this one, or when this one is over.
 *
 * A frame that could not be sent is tried again after ANNOUNCE_RETRY_NS, for as long as it takes,
 * in a round of those alone.
 */
#ifndef XB_NET_ANNOUNCE_H
#define XB_NET_ANNOUNCE_H

#include <stdbool.h>
#include <stdint.h>

#include "frame.h"

#define ANNOUNCE_MACS_MAX 4096u
#define ANNOUNCE_BURST	  64u	    /**< frames ... */
#define ANNOUNCE_BURST_NS 10000000u /**< ... in any window of so long */
#define ANNOUNCE_RETRY_NS 10000000u

struct announce {
	uint8_t macs[ANNOUNCE_MACS_MAX][6];
	bool failed[ANNOUNCE_MACS_MAX]; /**< could not be sent the last time */
	unsigned int n_macs, n_failed;
	unsigned int next;    /**< address to announce next */
	bool retry;	      /**< the present round is for those that failed */
	unsigned int rounds;  /**< rounds of all that are left, the present one included */
	unsigned int count;   /**< rounds of an announcement */
	uint64_t interval_ns; /**< between the rounds */
	uint64_t round_ns;    /**< the present or next round of all begins then */
	uint64_t due_ns;      /**< the present round begins then */
	uint64_t retry_ns;    /**< the next round of those that failed */
	uint64_t free_ns[ANNOUNCE_BURST]; /**< when each of the frames that fit into a window may go
					     again */
	unsigned int slot;		  /**< of free_ns: the oldest */
};

/** Nothing to announce. count 0: never announce. */
void announce_init(struct announce *announce, unsigned int count, uint64_t interval_ns);
/** New count and interval, for the next announcement. */
void announce_set(struct announce *announce, unsigned int count, uint64_t interval_ns);
/** Announces n addresses from now on, instead of what was still to be announced; more than
 * ANNOUNCE_MACS_MAX are cut. */
void announce_start(struct announce *announce, const uint8_t (*macs)[6], unsigned int n,
		    uint64_t now_ns);
/**
 * The address is no longer here (guest shut down, or migrated away: announcing it would steal its
 * traffic from the new host). An unknown one is ignored.
 */
void announce_forget(struct announce *announce, const uint8_t mac[6]);
/** Writes the next due frame; false when none is due. announce_done has to follow. */
bool announce_next(struct announce *announce, uint64_t now_ns, uint8_t frame[FRAME_ANNOUNCE_LEN]);
/** What became of it: sent, or not (false), and then it is tried again. */
void announce_done(struct announce *announce, bool sent, uint64_t now_ns);
/** When announce_next has the next frame; DEADLINE_NEVER (UINT64_MAX) = nothing to do. */
uint64_t announce_deadline(const struct announce *announce);

#endif
