/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * teams_members.c - members of teams: who may join, NICs opened and closed, what link watch says.
 *
 * A NIC that may not join (enslaved, in another team, carries the host's address) is refused with
 * its reason; one that does not exist yet joins when it appears. A NIC that vanished is opened
 * again when link watch sees it return.
 */
#include "teams_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <uthash.h>

#include "linkwatch.h"
#include "log.h"
#include "stats.h"
#include "util.h"

#define LOG_MODULE "team"
/* Frames for guests may come in on a member for so long after the announcements left on another. */
#define LEARN_NS (20 * NSEC_PER_MSEC)

/* What crosses from link watch's thread into ours. */
struct link_letter {
	char team[TEAM_NAME_MAX];
	struct link_state state;
};

static struct member_entry *find_member(struct team_entry *entry, const char *name)
{
	for (unsigned int i = 0; i < entry->n_members; i++)
		if (strcmp(entry->members[i].name, name) == 0)
			return &entry->members[i];
	return NULL;
}

struct nic_call {
	struct member_entry *member;
	bool id_taken; /* see uplink_lacp.h */
	struct nic *nic;
	struct uplink_stats *stats;
};

static int call_add(void *ctx, void *arg)
{
	struct worker *w = ctx;
	struct nic_call *call = arg;
	int i;

	w->lacp.id_taken = call->id_taken;
	if (call->member->reserve && team_find(&w->team, call->member->name) < 0) {
		i = team_add(&w->team, call->member->name, call->member->priority, NULL);
		if (i < 0)
			return i;
		team_reserve(&w->team, i);
	}
	i = uplink_add(w, call->member->name, call->member->priority, call->nic);
	if (i >= 0) {
		team_set_traits(&w->team, i, &call->member->traits, w->now_ns);
		call->stats = &w->uplinks[i]->stats;
	}
	uplink_drain_set(w);
	return i;
}

static int call_remove(void *ctx, void *arg)
{
	struct nic_call *call = arg;

	return uplink_remove(ctx, call->member->name, &call->nic);
}

struct drain_call {
	const char *name;
	uint64_t wait_ns;
};

static int call_drain(void *ctx, void *arg)
{
	struct worker *w = ctx;
	struct drain_call *call = arg;
	const int member = team_find(&w->team, call->name);

	if (member < 0 || !seat_in(w->team.usable | w->team.spare, member))
		return -ENETDOWN;
	call->wait_ns = team_drain(&w->team, member, w->now_ns) - w->now_ns;
	worker_deadline(w, 0);
	return 0;
}

static int call_link(void *ctx, void *arg)
{
	struct worker *w = ctx;
	const struct link_state *state = arg;
	int member = team_find(&w->team, state->name);
	uint32_t mbps = state->speed_mbps > 0 ? (uint32_t)state->speed_mbps : 0;

	if (member < 0)
		return 0;
	if (w->uplinks[member] && w->uplinks[member]->nic && state->mtu)
		w->uplinks[member]->nic->mtu = state->mtu;
	spread_set_speed(&w->team, member, mbps * 1000000ull);
	w->qos.stale = true;
	if (w->team.members[member].traits.speed_bps)
		mbps = (uint32_t)MAX(w->team.members[member].traits.speed_bps / 1000000, 1);
	uplink_lacp_speed(w, member, mbps,
			  state->speed_mbps <= 0 ? LACP_DUPLEX_UNKNOWN
			  : state->full_duplex	 ? LACP_DUPLEX_FULL
						 : LACP_DUPLEX_HALF);
	team_on_link(&w->team, member, state->usable, w->now_ns);
	worker_deadline(w, 0);
	return 0;
}

static int call_traits(void *ctx, void *arg)
{
	struct worker *w = ctx;
	struct member_entry *member = arg;
	int i = team_find(&w->team, member->name);

	if (i >= 0)
		team_set_traits(&w->team, i, &member->traits, w->now_ns);
	return call_link(w, &member->link);
}

static void open_nic(struct team_entry *entry, struct member_entry *member)
{
	struct nic_packet_options options = {.netns_fd = entry->netns_fd};
	struct nic_call call = {.member = member};
	char error[256];
	json_t *labels;
	int rc;

	rc = nic_packet_open(&call.nic, member->name, &options, error, sizeof(error));
	if (rc < 0) {
		log_warn("%s: %s", entry->name, error);
		return;
	}
	call.id_taken = teams_lacp_has_id(entry, call.nic->mac);
	rc = worker_call(entry->worker, call_add, &call);
	if (rc < 0) {
		log_err("%s: %s: cannot join: %s", entry->name, member->name, strerror(-rc));
		call.nic->ops->close(call.nic);
		return;
	}
	member->open = true;
	if (!member->group) {
		labels = json_pack("{s:s, s:s}", "team", entry->name, "member", member->name);
		member->group = stats_add(entry->teams->nb->app->stats, "member", labels,
					  uplink_stat_descs, uplink_n_stat_descs, call.stats);
	}
}

/* Runs in our thread, posted by link watch's. */
static int mail_link(void *ctx, void *arg)
{
	struct netback *nb = ctx;
	struct link_letter *letter = arg;
	struct team_entry *entry = teams_find(nb->teams, letter->team);
	struct member_entry *member = entry ? find_member(entry, letter->state.name) : NULL;
	bool again;

	if (!member)
		return 0;
	again = letter->state.ifindex != member->link.ifindex;
	if (letter->state.usable && letter->state.speed_mbps <= 0 && !member->speed_missed &&
	    !member->traits.speed_bps)
		log_info("%s: %s: its driver does not tell its speed; the key `speed` counts",
			 entry->name, member->name);
	member->speed_missed |= letter->state.usable && letter->state.speed_mbps <= 0;
	member->link = letter->state;
	if (letter->state.ifindex == 0 && member->matched)
		team_match_soon(nb->teams);
	else if (letter->state.ifindex == 0)
		log_warn("%s: %s: the interface is gone; it joins again when it returns",
			 entry->name, member->name);
	else if (again || !member->open)
		open_nic(entry, member);
	/* What link watch told the worker itself may have come before the member was there. */
	worker_post(entry->worker, call_link, &member->link, sizeof(member->link));
	team_status_dirty(entry);
	return 0;
}

/* Link watch's thread: the team hears it first, then we. */
void teams_members_on_link(void *ctx, const struct link_state *state)
{
	struct team_entry *entry = ctx;
	struct link_letter letter = {.state = *state};

	worker_post(entry->worker, call_link, state, sizeof(*state));
	snprintf(letter.team, sizeof(letter.team), "%s", entry->name);
	mailbox_post(entry->teams->nb->mail, mail_link, &letter, sizeof(letter));
}

static void tell_membership(struct team_entry *entry, const char *member, bool joins)
{
	netback_event(entry->teams->nb, &(struct events_input){.kind = EVENTS_KIND_MEMBER,
							       .team = entry->name,
							       .who = member,
							       .old = joins ? "absent" : "member",
							       .new = joins ? "member" : "absent"});
}

/* A member that works leaves in order: what it was given has left, and switches have learned from
 * announcements where the guests are, before its NIC is closed. LACP drains in its own way. */
static void drain_member(struct team_entry *entry, struct member_entry *member)
{
	struct drain_call call = {.name = member->name};

	if (entry->teams->stopping || member->leaving || !member->open || entry->n_members < 2 ||
	    worker_call(entry->worker, call_drain, &call) < 0)
		return;
	usleep((useconds_t)((call.wait_ns + LEARN_NS) / NSEC_PER_USEC));
}

void teams_members_drop(struct team_entry *entry, struct member_entry *member)
{
	struct nic_call call = {.member = member};

	drain_member(entry, member);
	linkwatch_remove(entry->linkwatch, member->name);
	if (member->group)
		stats_remove(entry->teams->nb->app->stats, member->group);
	if (member->open)
		worker_call(entry->worker, call_remove, &call);
	if (call.nic)
		call.nic->ops->close(call.nic);
	if (entry->netns_fd >= 0 && !entry->teams->stopping)
		nic_netns_return(member->name, entry->netns_fd);
	log_info("%s: %s left the team", entry->name, member->name);
	tell_membership(entry, member->name, false);
	*member = entry->members[--entry->n_members];
}

/* One that leaves has no time left when its place is needed. */
static void make_room(struct team_entry *entry)
{
	for (unsigned int i = entry->n_members; i-- > 0 && entry->n_members == TEAM_MEMBERS_MAX;)
		if (entry->members[i].leaving)
			teams_members_drop(entry, &entry->members[i]);
}

static void add_member(struct team_entry *entry, const struct member_entry *wanted)
{
	struct member_entry *member;

	make_room(entry);
	member = &entry->members[entry->n_members++];
	*member = *wanted;
	log_info("%s: %s joins%s, priority %u", entry->name, member->name,
		 member->reserve ? " the reserve" : "", member->priority);
	tell_membership(entry, member->name, true);
	linkwatch_add(entry->linkwatch, member->name); /* its first report opens the NIC */
}

static void keep_traits(struct team_entry *entry, struct member_entry *member,
			const struct member_traits *traits)
{
	if (member->traits.weight == traits->weight &&
	    member->traits.speed_bps == traits->speed_bps)
		return;
	member->traits = *traits;
	log_info("%s: %s: weight %llu, speed %s", entry->name, member->name,
		 (unsigned long long)traits->weight,
		 traits->speed_bps ? "as it was set" : "as its driver tells");
	if (member->open)
		worker_call(entry->worker, call_traits, member);
}

static const char *member_key(const struct member_entry *member)
{
	return member->reserve ? "reserve_members" : "members";
}

/* Members by difference. fresh: the team is new, so good members start without the refused ones. */
bool teams_members_apply(struct team_entry *entry, const struct team_options *options, bool fresh,
			 char *error, size_t error_size)
{
	struct member_entry wanted[TEAM_MEMBERS_MAX];
	unsigned int n;

	if (!team_match_members(entry, options, wanted, &n, error, error_size))
		return false;
	for (unsigned int i = 0; i < n; i++) {
		if (find_member(entry, wanted[i].name))
			continue;
		team_match_check(entry, &wanted[i]);
		if (!wanted[i].refused[0])
			continue;
		snprintf(error, error_size, "%s: %s", member_key(&wanted[i]), wanted[i].refused);
		if (!fresh)
			return false;
	}
	for (unsigned int m = entry->n_members; m-- > 0;) {
		struct member_entry *member = &entry->members[m];
		struct member_entry *want = NULL;

		for (unsigned int i = 0; i < n; i++)
			if (strcmp(wanted[i].name, member->name) == 0)
				want = &wanted[i];
		if (!want) {
			teams_lacp_release(entry, member);
			continue;
		}
		if (want->reserve != member->reserve) { /* it joins anew, see below */
			teams_members_drop(entry, member);
			team_match_check(entry, want);
			continue;
		}
		member->matched = want->matched;
		teams_lacp_keep(entry, member, want->priority);
		keep_traits(entry, member, &want->traits);
	}
	for (unsigned int i = 0; i < n; i++)
		if (!wanted[i].refused[0] && !find_member(entry, wanted[i].name))
			add_member(entry, &wanted[i]);
	return true;
}
