/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * seen.h - which flows and peers were seen lately: a table of fixed size, one cache line a look-up.
 * For dos.[ch], which keeps a few flags a flow in it. Pure.
 *
 * Theory of Operation: an entry is a tag of 16 bits, the time of its last use and eight flags; the
 * owner's hash names it. Sets of eight entries: a new one takes a free place, else that of an old
 * one, else that of the one used longest ago among those without the flag SEEN_KEEP. So a flood of
 * flows that nobody answers pushes out its own kind first. Two flows with the same tag in the same
 * set are one to us: 8 in 65536 at most. An entry is forgotten SEEN_AGE steps after its last use.
 */
#ifndef XB_NET_SEEN_H
#define XB_NET_SEEN_H

#include <stdbool.h>
#include <stdint.h>

#define SEEN_AGE  15   /**< steps of the owner's clock */
#define SEEN_KEEP 0x40 /**< flag: the entry is worth more than those without it */
#define SEEN_USED 0x80 /**< flag: the table's own */

struct seen;

/** 1 << entries_log2 (3 to 22) entries of 4 bytes; NULL without memory or for other sizes. */
struct seen *seen_create(unsigned int entries_log2);
void seen_destroy(struct seen *seen);

/**
 * The flags of the entry of this hash, which it makes when there is none (then *is_new, and no flag
 * but SEEN_USED is set). step: the owner's clock, modulo 256. The pointer is good until the next
 * call; SEEN_USED must stay.
 */
uint8_t *seen_get(struct seen *seen, uint64_t hash, uint8_t step, bool *is_new);
/** The same without making one: NULL when there is none. */
uint8_t *seen_find(struct seen *seen, uint64_t hash, uint8_t step);
/** Fetches the place of this hash into the cache, for a call that follows soon. */
void seen_prefetch(const struct seen *seen, uint64_t hash);

#endif
