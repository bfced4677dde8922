/* SPDX-License-Identifier: GPL-2.0-or-later */
/* heap.c - priority queue with four children a node, see heap.h. fair.c keeps its order in it. */
#include "heap.h"

#include "util.h"

#define CHILDREN 4u

static uint32_t parent_of(uint32_t at)
{
	return at / CHILDREN + 2;
}

static void set(struct heap *heap, uint32_t at, struct heap_entry entry)
{
	heap->entries[at] = entry;
	heap->position[entry.id] = at;
}

/* Moves an entry from the free place `at` towards the root, as far as it belongs. */
static void up(struct heap *heap, uint32_t at, struct heap_entry entry)
{
	while (at > HEAP_ROOT) {
		const uint32_t parent = parent_of(at);

		if (heap->entries[parent].key <= entry.key)
			break;
		set(heap, at, heap->entries[parent]);
		at = parent;
	}
	set(heap, at, entry);
}

/* Which of four siblings has the smallest key, the first of equal ones. Without branches, as nobody
 * could foresee them. */
static uint32_t least_of(const struct heap_entry *siblings)
{
	const uint32_t left = siblings[1].key < siblings[0].key;
	const uint32_t right = 2u + (siblings[3].key < siblings[2].key);
	const uint32_t mask = 0u - (siblings[right].key < siblings[left].key);

	return left ^ ((left ^ right) & mask);
}

/* And away from it. */
static void down(struct heap *heap, uint32_t at, struct heap_entry entry)
{
	const uint32_t end = HEAP_ROOT + heap->n;

	for (;;) {
		const uint32_t first = (at - 2) * CHILDREN;
		uint32_t least;

		if (first >= end)
			break;
		least = first + least_of(&heap->entries[first]);
		if (heap->entries[least].key >= entry.key)
			break;
		set(heap, at, heap->entries[least]);
		at = least;
	}
	set(heap, at, entry);
}

/* Places behind the last entry that share its line are as if they held the largest key. */
static void append(struct heap *heap, struct heap_entry entry)
{
	const uint32_t at = HEAP_ROOT + heap->n++;

	for (uint32_t i = at + 1; at % CHILDREN == 0 && i < at + CHILDREN; i++)
		heap->entries[i].key = UINT64_MAX;
	up(heap, at, entry);
}

void heap_put(struct heap *heap, uint32_t id, uint64_t key)
{
	const struct heap_entry entry = {.key = key, .id = id};
	const uint32_t at = heap->position[id];

	if (at == HEAP_ABSENT)
		append(heap, entry);
	else if (key < heap->entries[at].key)
		up(heap, at, entry);
	else if (key > heap->entries[at].key)
		down(heap, at, entry);
}

void heap_remove(struct heap *heap, uint32_t id)
{
	const uint32_t at = heap->position[id];
	struct heap_entry last;
	uint32_t end;

	if (at == HEAP_ABSENT)
		return;
	heap->position[id] = HEAP_ABSENT;
	end = HEAP_ROOT + --heap->n;
	last = heap->entries[end];
	heap->entries[end].key = UINT64_MAX;
	if (at == end)
		return;
	if (at > HEAP_ROOT && last.key < heap->entries[parent_of(at)].key)
		up(heap, at, last);
	else
		down(heap, at, last);
}
