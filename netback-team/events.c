/* SPDX-License-Identifier: GPL-2.0-or-later */
/* events.c - the ring of what happened, see events.h. */
#include "events.h"

#include <string.h>

#include "util.h"

#define TOKEN_US (1000000u / EVENTS_PER_S)
#define FULL_US	 ((uint64_t)EVENTS_BURST * TOKEN_US)

void events_init(struct events *events)
{
	memset(events, 0, sizeof(*events));
	for (unsigned int i = 0; i < EVENTS_N_KINDS; i++)
		events->buckets[i].tokens_us = FULL_US;
}

/* Is there room for one more of the kind? */
static bool take_token(struct events_bucket *bucket, uint64_t time_us)
{
	const uint64_t passed = time_us > bucket->last_us ? time_us - bucket->last_us : 0;

	bucket->last_us = time_us;
	bucket->tokens_us = MIN(bucket->tokens_us + MIN(passed, FULL_US), FULL_US);
	if (bucket->tokens_us < TOKEN_US) {
		bucket->left_out++;
		return false;
	}
	bucket->tokens_us -= TOKEN_US;
	return true;
}

/* Printable ASCII: what comes of values that anybody wrote harms no log, terminal or JSON. */
static void copy(char *to, size_t size, const char *from)
{
	size_t n = 0;

	for (; from && from[n] && n < size - 1; n++)
		to[n] = from[n] >= 0x20 && from[n] < 0x7f ? from[n] : '?';
	to[n] = '\0';
}

static bool is_same(const struct events_entry *a, const struct events_entry *b)
{
	return a->severity == b->severity && a->kind == b->kind && !strcmp(a->team, b->team) &&
	       !strcmp(a->who, b->who) && !strcmp(a->old, b->old) && !strcmp(a->new, b->new) &&
	       !strcmp(a->why, b->why);
}

bool events_add(struct events *events, const struct events_input *input, uint64_t time_us)
{
	struct events_bucket *bucket = &events->buckets[input->kind];
	struct events_entry *last = &events->ring[events->newest];
	struct events_entry entry = {
		.time_us = time_us, .count = 1, .severity = input->severity, .kind = input->kind};

	if (!take_token(bucket, time_us))
		return false;
	copy(entry.team, sizeof(entry.team), input->team);
	copy(entry.who, sizeof(entry.who), input->who);
	copy(entry.old, sizeof(entry.old), input->old);
	copy(entry.new, sizeof(entry.new), input->new);
	copy(entry.why, sizeof(entry.why), input->why);
	entry.number = ++events->n;
	entry.left_out = bucket->left_out;
	bucket->left_out = 0;
	if (events->n_kept && is_same(last, &entry)) {
		entry.count += last->count;
		entry.left_out += last->left_out;
	} else {
		events->newest = (events->newest + (events->n_kept > 0)) % EVENTS_MAX;
		events->n_kept = MIN(events->n_kept + 1, EVENTS_MAX);
	}
	events->ring[events->newest] = entry;
	return true;
}

const struct events_entry *events_next(const struct events *events, uint64_t after)
{
	const struct events_entry *found = NULL;

	for (unsigned int back = 0; back < events->n_kept; back++) {
		const struct events_entry *entry =
			&events->ring[(events->newest + EVENTS_MAX - back) % EVENTS_MAX];

		if (entry->number <= after)
			break;
		found = entry;
	}
	return found;
}

const char *events_kind_name(enum events_kind kind)
{
	static const char *const names[] = {
#define ROW(kind, name, help) name,
		EVENTS_KINDS(ROW)
#undef ROW
	};

	return names[kind];
}

const char *events_severity_name(enum events_severity severity)
{
	static const char *const names[] = {"info", "warning", "error"};

	return names[severity];
}
