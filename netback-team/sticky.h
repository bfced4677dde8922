/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sticky.h - which member a TCP session was placed on: a table of bounded size. Pure.
 *
 * A session enters with its SYN and stays until another one needs its place: that may take it when
 * the session was silent for the age, or for STICKY_CLOSE_NS after a FIN or RST. There are
 * STICKY_WAYS places for a hash value; where all are taken, a new session is not entered, and its
 * owner goes by the hash alone. Nobody is thrown out whose frames may be under way.
 */
#ifndef XB_NET_STICKY_H
#define XB_NET_STICKY_H

#include <stdbool.h>
#include <stdint.h>

#include "seat.h"

#define STICKY_WAYS	4
#define STICKY_SETS	1024
#define STICKY_CLOSE_NS 2000000000ull

struct sticky_entry {
	uint32_t tag;	  /**< of the hash; 0 = free */
	bool closing;	  /**< a FIN or RST was seen */
	uint64_t last_ns; /**< its last frame */
	struct seat seat;
};

struct sticky {
	struct sticky_entry sets[STICKY_SETS][STICKY_WAYS];
};

/** Forgets all sessions. */
void sticky_init(struct sticky *sticky);
/** The session's entry, NULL = not entered. */
struct sticky_entry *sticky_find(struct sticky *sticky, uint64_t hash);
/** An entry for a new session that was not found; its seat is nowhere. NULL = no place. */
struct sticky_entry *sticky_enter(struct sticky *sticky, uint64_t hash, uint64_t age_ns,
				  uint64_t now_ns);
/** A frame of the session with these flags (FLOW_TCP_*) goes out. */
void sticky_seen(struct sticky_entry *entry, uint8_t tcp_flags, uint64_t now_ns);
/** Is it over, as far as one can tell? */
bool sticky_is_over(const struct sticky_entry *entry, uint64_t age_ns, uint64_t now_ns);
/** Sessions that are not over. */
unsigned int sticky_count(const struct sticky *sticky, uint64_t age_ns, uint64_t now_ns);

#endif
