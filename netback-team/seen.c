/* SPDX-License-Identifier: GPL-2.0-or-later */
/* seen.c - table of flows seen lately, see seen.h. */
#include "seen.h"

#include <stddef.h>
#include <stdlib.h>

#define WAYS 8u

struct entry {
	uint16_t tag;
	uint8_t step; /**< of the last use */
	uint8_t flags;
};

struct seen {
	uint64_t mask; /**< number of sets - 1 */
	struct entry *sets;
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
	seen->sets = calloc(n, sizeof(struct entry));
	if (!seen->sets) {
		free(seen);
		return NULL;
	}
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

static struct entry *set_of(const struct seen *seen, uint64_t hash)
{
	return &seen->sets[(hash & seen->mask) * WAYS];
}

void seen_prefetch(const struct seen *seen, uint64_t hash)
{
	__builtin_prefetch(set_of(seen, hash), 1);
}

static bool is_alive(const struct entry *entry, uint8_t step)
{
	return (entry->flags & SEEN_USED) && (uint8_t)(step - entry->step) <= SEEN_AGE;
}

static struct entry *look(struct entry *set, uint16_t tag, uint8_t step)
{
	for (unsigned int i = 0; i < WAYS; i++) {
		if (set[i].tag != tag || !is_alive(&set[i], step))
			continue;
		set[i].step = step;
		return &set[i];
	}
	return NULL;
}

/* How gladly an entry's place is taken: dead, then without SEEN_KEEP, then by age. */
static unsigned int badness(const struct entry *entry, uint8_t step)
{
	if (!is_alive(entry, step))
		return 1000;
	return (uint8_t)(step - entry->step) + (entry->flags & SEEN_KEEP ? 0 : 100u);
}

uint8_t *seen_find(struct seen *seen, uint64_t hash, uint8_t step)
{
	struct entry *entry = look(set_of(seen, hash), (uint16_t)(hash >> 48), step);

	return entry ? &entry->flags : NULL;
}

uint8_t *seen_get(struct seen *seen, uint64_t hash, uint8_t step, bool *is_new)
{
	struct entry *set = set_of(seen, hash), *victim = set;
	uint8_t *flags = seen_find(seen, hash, step);
	unsigned int worst = 0;

	*is_new = !flags;
	if (flags)
		return flags;
	for (unsigned int i = 0; i < WAYS; i++) {
		const unsigned int bad = badness(&set[i], step);

		if (bad > worst || i == 0) {
			worst = bad;
			victim = &set[i];
		}
	}
	victim->tag = (uint16_t)(hash >> 48);
	victim->step = step;
	victim->flags = SEEN_USED;
	return &victim->flags;
}
