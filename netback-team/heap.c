/* SPDX-License-Identifier: GPL-2.0-or-later */
/* heap.c - priority queue with four children a node, see heap.h. fair.c keeps its order in it. */
#include "heap.h"

#include "util.h"

#define CHILDREN 4u

static void set(struct heap *heap, uint32_t at, struct heap_entry entry)
{
	heap->entries[at] = entry;
	heap->position[entry.id] = at;
}

/* Moves an entry from the free place `at` towards the root, as far as it belongs. */
static void up(struct heap *heap, uint32_t at, struct heap_entry entry)
{
	while (at > 0) {
		const uint32_t parent = (at - 1) / CHILDREN;

		if (heap->entries[parent].key <= entry.key)
			break;
		set(heap, at, heap->entries[parent]);
		at = parent;
	}
	set(heap, at, entry);
}

/* And away from it. */
static void down(struct heap *heap, uint32_t at, struct heap_entry entry)
{
	for (;;) {
		const uint32_t first = at * CHILDREN + 1, end = MIN(first + CHILDREN, heap->n);
		uint32_t least = first;

		for (uint32_t i = first + 1; i < end; i++)
			if (heap->entries[i].key < heap->entries[least].key)
				least = i;
		if (first >= end || heap->entries[least].key >= entry.key)
			break;
		set(heap, at, heap->entries[least]);
		at = least;
	}
	set(heap, at, entry);
}

void heap_put(struct heap *heap, uint32_t id, uint64_t key)
{
	const struct heap_entry entry = {.key = key, .id = id};
	uint32_t at = heap->position[id];

	if (at == HEAP_ABSENT)
		up(heap, heap->n++, entry);
	else if (key < heap->entries[at].key)
		up(heap, at, entry);
	else
		down(heap, at, entry);
}

void heap_remove(struct heap *heap, uint32_t id)
{
	const uint32_t at = heap->position[id];
	struct heap_entry last;

	if (at == HEAP_ABSENT)
		return;
	heap->position[id] = HEAP_ABSENT;
	last = heap->entries[--heap->n];
	if (at == heap->n)
		return;
	if (at > 0 && last.key < heap->entries[(at - 1) / CHILDREN].key)
		up(heap, at, last);
	else
		down(heap, at, last);
}
