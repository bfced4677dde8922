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
	struct member_traits traits;
	bool matched;		/**< by a pattern, not by its name */
	bool reserve;		/**< of the key `reserve_members` */
	bool open;		/**< has a NIC in the worker */
	bool leaving;		/**< not in the configuration any more, but not drained yet */
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
	bool has_patterns; /**< in its keys `members` and `reserve_members` */
	struct stats_group *group;
	struct team_guard guard;
	UT_hash_handle hh;
};

struct teams {
	struct netback *nb;
	struct team_entry *entries;
	sd_event_source *mirror_timer;
	struct nic_names *names; /**< word of new interfaces */
	sd_event_source *match_source, *match_timer;
	bool match_armed;
	bool stopping;	/**< the daemon ends, the configuration stays */
	bool restarted; /**< we serve guests that a predecessor left, and have not begun yet */
};

/** teams_members.c: the members that the keys name, by difference; false with a sentence when one
 * may not join. fresh: the team is new, so good members start without the refused ones. */
bool teams_members_apply(struct team_entry *entry, const struct team_options *options, bool fresh,
			 char *error, size_t error_size);
/** teams_members.c: the member is gone from the team, at once. */
void teams_members_drop(struct team_entry *entry, struct member_entry *member);
/** teams_members.c: for link watch (ctx is the entry): the worker hears it first, then we. */
void teams_members_on_link(void *ctx, const struct link_state *state);

/** teams_lacp.c: is a guest connected to us before we began? */
bool teams_lacp_adopts(struct confstore *conf);
/** teams_lacp.c: does a team other than this one speak LACP with this address as its id? */
bool teams_lacp_has_id(const struct team_entry *but, const uint8_t mac[6]);
/** teams_lacp.c: the member leaves, at once or drained first: then teams_members_drop is called
 * later. */
void teams_lacp_release(struct team_entry *entry, struct member_entry *member);
/** teams_lacp.c: the member stays, perhaps after all, perhaps with another priority. */
void teams_lacp_keep(struct team_entry *entry, struct member_entry *member, uint8_t priority);
/** teams_lacp.c: the worker's observer. */
void teams_lacp_on_drained(void *ctx, const char *member);
/** teams_lacp.c: what LACP says of a member, into its reply; nothing in other modes. */
void teams_lacp_add_member(json_t *reply, const struct uplink_lacp *lacp, unsigned int member);

/** team_match.c: listens for new interfaces. */
int team_match_init(struct teams *teams);
void team_match_fini(struct teams *teams);
/** team_match.c: patterns are looked at again in a moment. */
void team_match_soon(struct teams *teams);
/** team_match.c: the members that the keys `members` and `reserve_members` mean now, room for
 * TEAM_MEMBERS_MAX; false and error when a word is no member, or one of both. */
bool team_match_members(struct team_entry *entry, const struct team_options *options,
			struct member_entry *wanted, unsigned int *n, char *error,
			size_t error_size);
/** team_match.c: may this NIC join? "" in member->refused = yes, or once it is there. With a
 * private namespace: moves it there. */
void team_match_check(struct team_entry *entry, struct member_entry *member);
/** team_status.c: the timer of the mirror. */
int team_status_init(struct teams *teams);
/** team_status.c: something about the team changed; the mirror in xenstore is written soon. */
void team_status_dirty(struct team_entry *entry);

#endif
