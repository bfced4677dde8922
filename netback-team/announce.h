/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * announce.h - which guest addresses still have to be announced after the active member changed.
 * Pure: time is passed in.
 *
 * Switches learn where a guest is from frames that it sends; after a failover a RARP for each
 * address moves their tables at once, instead of when the guest happens to send. ARP announcements,
 * one for each IPv4 address that a guest claims (claims.h), do so, too, and reach switches and
 * hosts that do not heed RARP. Rate: at most `burst` frames in any ANNOUNCE_BURST_NS, also across
 * restarts, so that a large host or a flapping link does not flood the network. A round sends each
 * frame once; the next round begins an interval after the begin of this one, or when this one is
 * over.
 *
 * A guest that sends tagged frames is announced in those VLANs, too, by RARP: switches learn for
 * each VLAN by itself.
 *
 * A frame that could not be sent is tried again after ANNOUNCE_RETRY_NS, for as long as it takes,
 * in a round of those alone. An ARP announcement whose claim has ended meanwhile goes as a RARP: it
 * could steal the address from the one who has it now.
 */
#ifndef XB_NET_ANNOUNCE_H
#define XB_NET_ANNOUNCE_H

#include <stdbool.h>
#include <stdint.h>

#include "claims.h"
#include "frame.h"

#define ANNOUNCE_MACS_MAX  4096u
#define ANNOUNCE_VLANS_MAX 4096u
#define ANNOUNCE_ITEMS_MAX (ANNOUNCE_MACS_MAX + CLAIMS_MAX + ANNOUNCE_VLANS_MAX)
#define ANNOUNCE_FRAME_MAX (FRAME_ANNOUNCE_LEN + FRAME_TAG_LEN)
#define ANNOUNCE_BURST_MAX 256u	     /**< frames ... */
#define ANNOUNCE_BURST_NS  10000000u /**< ... in any window of so long */
#define ANNOUNCE_RETRY_NS  10000000u

enum announce_kind {
	ANNOUNCE_RARP, /**< a RARP for each address */
	ANNOUNCE_GARP, /**< ARP; RARP for addresses of which no IPv4 address is known */
	ANNOUNCE_BOTH, /**< a RARP for each address, and ARP */
};

struct announce_options {
	enum announce_kind kind;
	unsigned int count;   /**< rounds of an announcement; 0: never announce */
	uint64_t interval_ns; /**< between the rounds */
	unsigned int burst;   /**< frames in a window, 1 to ANNOUNCE_BURST_MAX */
};

/** A frame of each round. */
struct announce_item {
	uint8_t mac[6];
	uint16_t vid;  /**< 0: without a tag */
	bool failed;   /**< could not be sent the last time */
	uint32_t ipv4; /**< host order; 0: a RARP */
};

struct announce {
	struct announce_options options;
	struct announce_item items[ANNOUNCE_ITEMS_MAX];
	unsigned int n_items, n_failed, n_vlans;
	unsigned int next;   /**< item to announce next */
	bool retry;	     /**< the present round is for those that failed */
	unsigned int rounds; /**< rounds of all that are left, the present one included */
	uint64_t round_ns;   /**< the present or next round of all begins then */
	uint64_t due_ns;     /**< the present round begins then */
	uint64_t retry_ns;   /**< the next round of those that failed */
	uint64_t free_ns[ANNOUNCE_BURST_MAX]; /**< ends of the windows that the last frames began */
	unsigned int slot;		      /**< of free_ns: the oldest */
};

/** New options: kind and rounds of the next announcement, the burst at once. A struct of zeros has
 * nothing to announce. */
void announce_set(struct announce *announce, const struct announce_options *options);
/** Announces n addresses from now on, instead of what was still to be announced; more than
 * ANNOUNCE_MACS_MAX are cut. claims NULL: no IPv4 address is known. */
void announce_start(struct announce *announce, const uint8_t (*macs)[6], unsigned int n,
		    const struct claims *claims, uint64_t now_ns);
/** After announce_start: this address in this VLAN (1 to 4094), too; past ANNOUNCE_VLANS_MAX it is
 * left out. */
void announce_in_vlan(struct announce *announce, const uint8_t mac[6], uint16_t vid);
/**
 * The address is no longer here (guest shut down, or migrated away: announcing it would steal its
 * traffic from the new host). An unknown one is ignored.
 */
void announce_forget(struct announce *announce, const uint8_t mac[6]);
/** Writes the next due frame and returns its length; 0 when none is due. announce_done has to
 * follow. */
unsigned int announce_next(struct announce *announce, const struct claims *claims, uint64_t now_ns,
			   uint8_t frame[ANNOUNCE_FRAME_MAX]);
/** What became of it: sent, or not (false), and then it is tried again. */
void announce_done(struct announce *announce, bool sent, uint64_t now_ns);
/** When announce_next has the next frame; DEADLINE_NEVER (UINT64_MAX) = nothing to do. */
uint64_t announce_deadline(const struct announce *announce);
/** Frames that are still to be sent: those of all rounds, and those that failed. */
unsigned int announce_pending(const struct announce *announce);

#endif
