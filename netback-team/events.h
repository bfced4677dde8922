/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * events.h - what happened lately: a ring of entries that says who changed from what to what, and
 * why. Pure; netback_events.c feeds it and shows it.
 *
 * The ring holds the last EVENTS_MAX entries, in order, each with a number that grows by one: who
 * follows asks for what came after the last number that it has. What a guest or the network can
 * cause over and over is bounded for each kind: EVENTS_BURST at once and EVENTS_PER_S a second on
 * the long run; what went over it is counted in the next entry of that kind. An entry that repeats
 * the one before only counts there, under a number of its own.
 */
#ifndef XB_NET_EVENTS_H
#define XB_NET_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#define EVENTS_MAX	 1024u
#define EVENTS_BURST	 100u
#define EVENTS_PER_S	 5u
#define EVENTS_NAME_MAX	 32u  /**< of a team, with its end */
#define EVENTS_WHO_MAX	 64u  /**< of a member, a guest's interface, a directory of keys */
#define EVENTS_VALUE_MAX 128u /**< old and new */
#define EVENTS_WHY_MAX	 256u

/* Kind, name in JSON, help for the manual. */
#define EVENTS_KINDS(ROW)                                                                          \
	ROW(MEMBER, "member", "a member of a team changed its state, came or went")                \
	ROW(ACTIVE, "active", "another member is active")                                          \
	ROW(MOVE, "move", "a guest or flows belong to another member")                             \
	ROW(TEAM, "team", "a team came or went")                                                   \
	ROW(VIF, "vif", "a guest's interface connected, disconnected or failed")                   \
	ROW(LIMIT, "limit", "a guest's limit or share is another one, or a shortage pauses it")    \
	ROW(CONFIG, "config", "a key has another value")                                           \
	ROW(ERROR, "error", "a key was refused, or is right again")                                \
	ROW(LACP, "lacp", "a partner was found, lost or changed")                                  \
	ROW(DOS, "dos", "an attack began or ended, something was done about it")                   \
	ROW(ADMIN, "admin", "somebody gave a command")

enum events_kind {
#define ROW(kind, name, help) EVENTS_KIND_##kind,
	EVENTS_KINDS(ROW)
#undef ROW
		EVENTS_N_KINDS
};

enum events_severity { EVENTS_INFO, EVENTS_WARN, EVENTS_ERR };

/** An entry as its author gives it; NULL = "". Texts are copied, and cut to their maxima. */
struct events_input {
	enum events_severity severity;
	enum events_kind kind;
	const char *team;
	const char *who; /**< member, interface of a guest, key */
	const char *old, *new;
	const char *why;
};

/** ... and as the ring keeps it. */
struct events_entry {
	uint64_t number;   /**< from 1 */
	uint64_t time_us;  /**< of the last time, as given to events_add */
	uint64_t count;	   /**< how often it came in a row */
	uint64_t left_out; /**< entries of the kind that were too many since the one before */
	enum events_severity severity;
	enum events_kind kind;
	char team[EVENTS_NAME_MAX], who[EVENTS_WHO_MAX];
	char old[EVENTS_VALUE_MAX], new[EVENTS_VALUE_MAX], why[EVENTS_WHY_MAX];
};

/** Tokens of a kind, in units of 1/EVENTS_PER_S s. */
struct events_bucket {
	uint64_t tokens_us; /**< saved time */
	uint64_t last_us;
	uint64_t left_out;
};

struct events {
	struct events_entry ring[EVENTS_MAX];
	uint64_t n; /**< numbers given */
	unsigned int n_kept, newest;
	struct events_bucket buckets[EVENTS_N_KINDS];
};

void events_init(struct events *events);
/** Adds an entry that happened at time_us (any clock in microseconds; steps back are survived).
 * False when it was one too many of its kind. */
bool events_add(struct events *events, const struct events_input *input, uint64_t time_us);
/** The oldest entry with a number above `after` (0: of all); NULL = none. Valid until the next
 * events_add. */
const struct events_entry *events_next(const struct events *events, uint64_t after);

const char *events_kind_name(enum events_kind kind);
const char *events_severity_name(enum events_severity severity);

#endif
