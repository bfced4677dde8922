/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * team_guard.h - defence against attacks in the control thread: a team's profile and signatures go
 * to its worker, what comes from there becomes log lines, events and work for guard_host.[ch].
 */
#ifndef XB_NET_TEAM_GUARD_H
#define XB_NET_TEAM_GUARD_H

#include <stddef.h>
#include <sys/stat.h>

#include "guard.h"

#define TEAM_GUARD_RULES_MAX 1048576u /**< bytes of a file of signatures */

struct team_entry;

/** A team's part; zeros = nothing yet. */
struct team_guard {
	struct guard_profile profile; /**< in force */
	struct signature_set *set;    /**< that the worker uses */
	char path[256];		      /**< its file */
	struct stat file;	      /**< as it was read */
};

/** Brings profile and signatures of entry->options into the worker; a file is read again when it
 * changed. -errno with a sentence in error: then what was in force stays. */
int team_guard_apply(struct team_entry *entry, char *error, size_t error_size);
/** When the worker is gone. */
void team_guard_fini(struct team_entry *entry);
/** Worker's thread: the member `guard` of struct worker_observer, its ctx is the team's entry. */
void team_guard_on_request(void *ctx, const struct guard_request *request);

#endif
