/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * uplink_drain.c - the key `drained` in the worker. In most modes the team does it alone
 * (team_drain); in mode lacp the partner has to be told first, or it would go on sending to a
 * member that nobody listens on: there uplink_lacp.h drains, and the team keeps the member. Reserve
 * members do not speak LACP: the team drains them.
 */
#include "worker.h"

#include <stdio.h>
#include <string.h>

#include "policy.h"

/* Of the list, this word. */
static void keep_word(char *words, size_t size, const char *list, const char *word)
{
	const size_t n = strlen(words);

	if (team_listed(list, word))
		snprintf(words + n, size - n, "%s%s", n ? " " : "", word);
}

void uplink_drain_keep(struct worker *w, struct team_options *options)
{
	memset(w->lacp_drained_list, 0, sizeof(w->lacp_drained_list));
	if (!policy_get(options->mode)->lacp)
		return;
	memcpy(w->lacp_drained_list, options->drained, sizeof(options->drained));
	options->drained[0] = '\0';
	for (int i = 0; i < TEAM_MEMBERS_MAX; i++)
		if (seat_in(w->team.reserve, i))
			keep_word(options->drained, sizeof(options->drained), w->lacp_drained_list,
				  w->team.members[i].name);
}

void uplink_drain_set(struct worker *w)
{
	for (int i = 0; i < TEAM_MEMBERS_MAX; i++) {
		const struct team_member *m = &w->team.members[i];
		const uint32_t bit = 1u << i;
		const bool on =
			m->used && !m->reserve && team_listed(w->lacp_drained_list, m->name);

		if (on == ((w->lacp_drained & bit) != 0))
			continue;
		w->lacp_drained ^= bit;
		uplink_lacp_drain(w, i, on);
	}
}
