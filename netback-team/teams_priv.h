/* SPDX-License-Identifier: GPL-2.0-or-later */
/* teams_priv.h - what teams.c (configuration) and team_status.c (replies, status mirror) share. */
#ifndef XB_NET_TEAMS_PRIV_H
#define XB_NET_TEAMS_PRIV_H

#include <uthash.h>

#include "linkwatch.h"
#include "netback.h"
#include "stats.h"
#include "team_guard.h"

struct member_entry {
	char name[TEAM_NAME_MAX];
	uint8_t priority;
	bool open;		/**< has a NIC in the worker */
	struct link_state link; /**< last seen */
	bool speed_missed;	/**< an unknown speed was told of */
	char refused[256];	/**< why it may not join, "" = it may */
	struct stats_group *group;
};

struct team_entry {
	struct teams *teams;
	char name[TEAM_NAME_MAX];
	struct team_options options;
	struct worker *worker;
	struct linkwatch *linkwatch;
	int netns_fd;
	unsigned int users; /**< vifs */
	bool seen, dirty;
	struct member_entry members[TEAM_MEMBERS_MAX];
	unsigned int n_members;
	struct stats_group *group;
	struct team_guard guard;
	UT_hash_handle hh;
};

struct teams {
	struct netback *nb;
	struct team_entry *entries;
	sd_event_source *mirror_timer;
	bool stopping; /**< the daemon ends, the configuration stays */
};

/** team_status.c: the timer of the mirror. */
int team_status_init(struct teams *teams);
/** team_status.c: something about the team changed; the mirror in xenstore is written soon. */
void team_status_dirty(struct team_entry *entry);

#endif
