/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * probe.h - finds links that are up but dead: every member asks somebody, again and again. Pure:
 * time and frames are passed in.
 *
 * Theory of Operation: once an interval, on each member with a link:
 *
 * - ARP: an ARP request (RFC 826) for each target; without an address of our own, it is the probe
 *   of RFC 5227 2.1.1, with a sender address of 0.
 * - NS: a neighbour solicitation (RFC 4861 4.3) from the link-local address that belongs to the
 *   member's MAC.
 * - BEACON: a frame of our own (ethertype 0x88b5, IEEE 802 local experimental), to a group address.
 *   A member that hears no beacon of another member, nor of another host's team, is cut off; so is
 *   one that nobody hears while the others hear each other. With fewer than PROBE_VOICES members
 *   and other hosts it can't be told which side is dead, and nobody is.
 *
 * A target's address, once it answered, is asked directly (the LAN does not hear 20 broadcasts a
 * second), and by broadcast again after an answer that did not come. Probes come from the MAC of
 * the member itself: switches must learn guests' addresses from guests alone. What comes back is
 * judged at the next interval. `missed` intervals in a row without an answer, and the member is
 * dead; as many with one, and it is back. So a link that dies is found out between missed and
 * missed + 1 intervals later. Of several targets, any (default) or all must answer. Nobody is told
 * dead while no other member gets answers: then it is the target that is gone.
 */
#ifndef XB_NET_PROBE_H
#define XB_NET_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "seat.h"

#define PROBE_TARGETS_MAX 4u
#define PROBE_FRAME_MAX	  86u /**< bytes; a neighbour solicitation */
#define PROBE_VOICES	  3u
#define PROBE_PEER_NS	  10000000000ull /**< another host counts for so long after its beacon */

enum probe_mode { PROBE_OFF, PROBE_ARP, PROBE_NS, PROBE_BEACON };

struct probe_options {
	enum probe_mode mode;
	uint8_t targets[PROBE_TARGETS_MAX][16]; /**< IPv4 ones in the first 4 bytes */
	unsigned int n_targets;
	uint8_t source[4];    /**< IPv4 address of ours, 0.0.0.0 = none */
	uint64_t interval_ns; /**< > 0 */
	unsigned int missed;  /**< > 0 */
	bool all;	      /**< all targets must answer, not any */
};

/** What one member knows of one target; beacons are one target. */
struct probe_target {
	uint8_t mac[6];	      /**< where the last answer came from */
	bool known;	      /**< mac is */
	bool asked, answered; /**< in the present interval */
	unsigned int missed;  /**< intervals in a row without an answer */
	unsigned int good;    /**< ... with one */
};

struct probe_member {
	bool on;
	bool dead, told; /**< the verdict, and the one that probe_verdict gave last */
	bool was_heard;	 /**< its beacon, by another member in this interval */
	uint8_t mac[6];
	uint64_t due_ns;
	unsigned int next; /**< target to ask now, n_targets = the interval begins anew at due_ns */
	struct probe_target targets[PROBE_TARGETS_MAX];
	uint64_t n_sent, n_answers;
};

struct probe {
	bool on; /**< probe_receive wants frames */
	struct probe_options options;
	uint8_t id[8];	  /**< of this team in its beacons */
	uint64_t peer_ns; /**< last beacon of another host, 0 = never */
	struct probe_member members[TEAM_MEMBERS_MAX];
};

/** Off, everybody alive. id: random, so that teams are told apart. */
void probe_init(struct probe *probe, const uint8_t id[8]);
/** New options: everybody counts as alive until proven otherwise. ARP and NS without targets are
 * off. */
void probe_set(struct probe *probe, const struct probe_options *options, uint64_t now_ns);
/** The member has a link and this MAC, or (NULL) none: then nothing is asked, and its verdict
 * stays.
 */
void probe_member(struct probe *probe, int member, const uint8_t *mac, uint64_t now_ns);
/** The member is another one now: alive. */
void probe_forget(struct probe *probe, int member);
/** Writes the next due frame; the member to send it on, -1 = none is due. */
int probe_next(struct probe *probe, uint64_t now_ns, uint8_t frame[PROBE_FRAME_MAX], size_t *len);
/** A frame that came in on member. True: it was an answer or a probe, and is for nobody else. */
bool probe_receive(struct probe *probe, int member, const uint8_t *frame, size_t len,
		   uint64_t now_ns);
/** A member whose verdict is new, -1 = none; each is told once. */
int probe_verdict(struct probe *probe, bool *alive);
/** When probe_next has the next frame; DEADLINE_NEVER = never. */
uint64_t probe_deadline(const struct probe *probe);

#endif
