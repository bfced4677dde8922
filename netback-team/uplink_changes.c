/* SPDX-License-Identifier: GPL-2.0-or-later */
/* uplink_changes.c - what follows when a team's members, or who belongs to them, change: guests'
 * addresses are announced, the log and the control thread hear of it. */
#include "worker.h"

#include <stdio.h>

#include "log.h"
#include "policy.h"
#include "util.h"

#define LOG_MODULE "team"

static void announce_all(struct worker *w)
{
	uint8_t macs[ANNOUNCE_MACS_MAX][6];
	const unsigned int n = sw_macs(w->sw, macs, ANNOUNCE_MACS_MAX);

	announce_start(&w->announce, (const uint8_t(*)[6])macs, n, w->claims, w->now_ns);
	for (unsigned int i = 0; i < n; i++) {
		const struct vlans vlans = sw_vlans(w->sw, macs[i]);

		for (unsigned int k = 0; k < vlans.n; k++)
			announce_in_vlan(&w->announce, macs[i], vlans.ids[k]);
	}
	worker_deadline(w, announce_deadline(&w->announce));
}

void uplink_announce_set(struct worker *w, const struct team_options *options)
{
	const struct announce_options announce = {
		.kind = (enum announce_kind)options->announce,
		.count = (unsigned int)options->rarp_count,
		.interval_ns = options->rarp_interval_ns,
		.burst = (unsigned int)options->rarp_burst,
	};

	announce_set(&w->announce, &announce);
	/* Frames came in on any member, and a switch learned from them: now the address counts. */
	if (options->mode != w->announced_mode && w->team.active >= 0 &&
	    policy_get(options->mode)->by_mac)
		announce_all(w);
	w->announced_mode = options->mode;
	if (announce.kind != ANNOUNCE_RARP && !w->claims) {
		w->claims = claims_create();
	} else if (announce.kind == ANNOUNCE_RARP) { /* what nobody keeps up must not be used */
		claims_destroy(w->claims);
		w->claims = NULL;
	}
}

static bool is_up(enum team_member_state state)
{
	return state == TEAM_MEMBER_STANDBY || state == TEAM_MEMBER_ACTIVE;
}

static void tell(struct worker *w, const struct worker_change *change)
{
	if (w->observer.team_changed)
		w->observer.team_changed(w->observer.ctx, change);
}

static const char *member_or(const struct team *team, int member, const char *other)
{
	return member >= 0 && team->members[member].used ? team->members[member].name : other;
}

static void on_member(void *ctx, struct team *team, int member, enum team_member_state old)
{
	struct worker *w = ctx;
	const struct team_member *m = &team->members[member];
	const bool was_used = old == TEAM_MEMBER_ACTIVE, used = m->state == TEAM_MEMBER_ACTIVE;

	w->qos.stale = true;
	log_info("%s: %s: %s -> %s (%s)", team->name, m->name, team_member_state_name(old),
		 team_member_state_name(m->state), m->reason ? m->reason : "");
	uplink_lacp_touch(w);
	/* One that max_links puts out of use is up, and yet guests are not heard there any more. */
	if ((was_used != used || is_up(old) != is_up(m->state)) && team->active >= 0 &&
	    spread_moves_macs(team))
		announce_all(w);
	/* The mode changed: guests that were known here are not heard here any more. */
	if (was_used && m->state == TEAM_MEMBER_STANDBY && team->active >= 0 &&
	    policy_get(team->options.mode)->single_active)
		announce_all(w);
	tell(w, &(struct worker_change){.kind = EVENTS_KIND_MEMBER,
					.who = m->name,
					.old = team_member_state_name(old),
					.new = team_member_state_name(m->state),
					.why = m->reason,
					.bad = !is_up(m->state)});
}

static void on_active(void *ctx, struct team *team, int old, int new, const char *reason)
{
	struct worker *w = ctx;
	const char *before = member_or(team, old, "none"), *name = member_or(team, new, "none");

	w->qos.stale = true;
	log_info("%s: active member %s -> %s (%s)", team->name, before, name, reason);
	if (new >= 0)
		announce_all(w);
	tell(w, &(struct worker_change){.kind = EVENTS_KIND_ACTIVE,
					.who = "",
					.old = before,
					.new = name,
					.why = reason,
					.bad = new < 0});
}

/* To the reserve, off it, or from one of its members to another. */
static void moved_away(struct worker *w, const struct pin *pin, int old)
{
	const struct vif *vif = container_of(pin, struct vif, pin);
	const bool away = seat_in(w->team.reserve, pin->seat.want);

	if (old == pin->seat.want || (!away && !seat_in(w->team.reserve, old)))
		return;
	w->stats.to_reserve += away;
	sw_port_home(w->sw, vif->port, away ? pin->seat.want : -1, w->now_ns);
	announce_all(w);
}

static void on_guest(void *ctx, struct team *team, const struct pin *pin, int old)
{
	moved_away(ctx, pin, old);
	tell(ctx, &(struct worker_change){.kind = EVENTS_KIND_MOVE,
					  .who = pin->name,
					  .old = member_or(team, old, "any"),
					  .new = member_or(team, pin->seat.want, "any"),
					  .why = pin->why});
}

static void on_buckets(void *ctx, struct team *team, unsigned int n, int from)
{
	char who[32];

	snprintf(who, sizeof(who), "%u of %u buckets", n, (unsigned int)BUCKETS);
	tell(ctx, &(struct worker_change){.kind = EVENTS_KIND_MOVE,
					  .who = who,
					  .old = member_or(team, from, "any"),
					  .new = "others",
					  .why = "rebalancing: it carried most"});
}

void uplink_team_observer(struct worker *w, struct team_observer *observer)
{
	*observer = (struct team_observer){.member = on_member,
					   .active = on_active,
					   .guest = on_guest,
					   .buckets = on_buckets,
					   .ctx = w};
}
