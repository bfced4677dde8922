/* SPDX-License-Identifier: GPL-2.0-or-later */
/* seen.c - table of flows seen lately, see seen.h. */
#include "seen.h"

#include <endian.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define WAYS 8u

#define NONE WAYS

/* All ways of a set at once: no branch could foresee which of them it is. */
typedef uint8_t bytes __attribute__((vector_size(WAYS)));
typedef uint16_t words __attribute__((vector_size(2 * WAYS)));

/* Half a cache line. */
struct set {
	words tags;
	bytes steps; /* of the last use */
	bytes flags;
};

struct seen {
	uint64_t mask; /**< number of sets - 1 */
	struct set *sets;
};

struct seen *seen_create(unsigned int entries_log2)
{
	const size_t n = (size_t)1 << (entries_log2 & 31);
	struct seen *seen;

	if (entries_log2 < 3 || entries_log2 > 22)
		return NULL;
	seen = calloc(1, sizeof(*seen));
	if (!seen)
		return NULL;
	seen->sets = aligned_alloc(sizeof(struct set), n / WAYS * sizeof(struct set));
	if (!seen->sets) {
		free(seen);
		return NULL;
	}
	memset(seen->sets, 0, n / WAYS * sizeof(struct set));
	seen->mask = n / WAYS - 1;
	return seen;
}

void seen_destroy(struct seen *seen)
{
	if (!seen)
		return;
	free(seen->sets);
	free(seen);
}

static struct set *set_of(const struct seen *seen, uint64_t hash)
{
	return &seen->sets[hash & seen->mask];
}

static uint16_t tag_of(uint64_t hash)
{
	return (uint16_t)(hash >> 48);
}

void seen_prefetch(const struct seen *seen, uint64_t hash)
{
	__builtin_prefetch(set_of(seen, hash), 1);
}

/* 255 or 0 for each. */
static bytes alive(const struct set *set, uint8_t step)
{
	return (bytes)((set->flags & SEEN_USED) != 0) & (bytes)(step - set->steps <= SEEN_AGE);
}

/* Which place holds the tag; NONE. */
static unsigned int look(struct set *set, uint16_t tag, uint8_t step)
{
	const bytes found = __builtin_convertvector(set->tags == tag, bytes) & alive(set, step);
	uint64_t all;
	unsigned int at;

	memcpy(&all, &found, sizeof(all));
	if (all == 0)
		return NONE;
	at = (unsigned int)__builtin_ctzll(le64toh(all)) / 8;
	set->steps[at] = step;
	return at;
}

/* How gladly an entry's place is taken: dead, then without SEEN_KEEP, then by age. */
static unsigned int victim_of(const struct set *set, uint8_t step)
{
	const bytes kept = (bytes)((set->flags & SEEN_KEEP) != 0);
	const bytes badness = ((step - set->steps) + (~kept & 100)) | ~alive(set, step);
	unsigned int worst = 0;

	/* The number is part of what is compared; of equal ones the first goes. */
	for (unsigned int i = 0; i < WAYS; i++) {
		const unsigned int bad = badness[i] * WAYS + (WAYS - 1 - i);

		worst = bad > worst ? bad : worst;
	}
	return WAYS - 1 - worst % WAYS;
}

uint8_t *seen_find(struct seen *seen, uint64_t hash, uint8_t step)
{
	struct set *set = set_of(seen, hash);
	const unsigned int at = look(set, tag_of(hash), step);

	return at == NONE ? NULL : (uint8_t *)&set->flags + at;
}

uint8_t *seen_get(struct seen *seen, uint64_t hash, uint8_t step, bool *is_new)
{
	struct set *set = set_of(seen, hash);
	unsigned int at = look(set, tag_of(hash), step);

	*is_new = at == NONE;
	if (!*is_new)
		return (uint8_t *)&set->flags + at;
	at = victim_of(set, step);
	set->tags[at] = tag_of(hash);
	set->steps[at] = step;
	set->flags[at] = SEEN_USED;
	return (uint8_t *)&set->flags + at;
}
