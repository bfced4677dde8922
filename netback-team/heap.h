/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * heap.h - smallest key first: a priority queue of numbered things, in arrays of its owner. Pure.
 *
 * Four children a node: keys of siblings share a cache line, and the tree is half as deep as one
 * with two. `position` remembers where each number stands, so that a key can be changed or removed
 * in O(log n). Several heaps may share one `position` array as long as a number is in one of them
 * at a time.
 */
#ifndef XB_NET_HEAP_H
#define XB_NET_HEAP_H

#include <stdbool.h>
#include <stdint.h>

#define HEAP_ABSENT UINT32_MAX

struct heap_entry {
	uint64_t key;
	uint32_t id;
};

struct heap {
	struct heap_entry *entries; /**< room for as many as will ever be in it */
	uint32_t *position;	    /**< by number; HEAP_ABSENT = in no heap */
	uint32_t n;
};

/** An empty heap; the caller fills position with HEAP_ABSENT before its first heap. */
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
	return &heap->entries[0];
}

#endif
