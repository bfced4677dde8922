/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * heap.h - smallest key first: a priority queue of numbered things, in arrays of its owner. Pure.
 *
 * Four children a node: siblings fill one cache line, and the tree is half as deep as one with two.
 * So that their lines begin where the machine's do, the root is entry 3 of an array aligned to
 * HEAP_ALIGN; entries 4 to 7 are its children, those of entry i begin at 4 (i - 2). `position`
 * remembers where each number stands, so that a key can be changed or removed in O(log n). Several
 * heaps may share one `position` array as long as a number is in one of them at a time.
 */
#ifndef XB_NET_HEAP_H
#define XB_NET_HEAP_H

#include <stdbool.h>
#include <stdint.h>

#define HEAP_ABSENT  UINT32_MAX
#define HEAP_ROOT    3u
#define HEAP_ALIGN   64u
#define HEAP_ROOM(n) (((n) + HEAP_ROOT + 3u) / 4u * 4u) /**< entries of an array for n numbers */

struct heap_entry {
	uint64_t key;
	uint32_t id;
};

struct heap {
	struct heap_entry *entries; /**< HEAP_ROOM of as many as will ever be in it */
	uint32_t *position;	    /**< by number; HEAP_ABSENT = in no heap */
	uint32_t n;
};

/** An empty heap; entries need no values. The caller fills position with HEAP_ABSENT before its
 * first heap. */
static inline void heap_init(struct heap *heap, struct heap_entry *entries, uint32_t *position)
{
	*heap = (struct heap){.entries = entries, .position = position};
}

/** Inserts a number, or gives it a new key. */
void heap_put(struct heap *heap, uint32_t id, uint64_t key);
/** Removes a number if it is there. */
void heap_remove(struct heap *heap, uint32_t id);

/** The entry with the smallest key; the heap must not be empty. */
static inline const struct heap_entry *heap_top(const struct heap *heap)
{
	return &heap->entries[HEAP_ROOT];
}

#endif
