/* SPDX-License-Identifier: GPL-2.0-or-later */
/* team_roles.c - which members are used, and which of them is active: max_links, min_links,
 * failover, failback; see team.h. */
#include "team_priv.h"

/* Of these, max_links, where the mode has a use for more; LACP has a limit of its own. */
static uint32_t within_max_links(const struct team *team, uint32_t fit)
{
	const struct policy *policy = policy_get(team->options.mode);
	const uint64_t max = team->options.max_links;
	uint32_t chosen = 0;

	if (!max || policy->single_active || policy->lacp)
		return fit;
	for (uint64_t n = 0; n < max && fit != chosen; n++) {
		const struct team_member *best = &team->members[team_best(team, fit & ~chosen)];
		uint32_t alike = 0;

		for (uint32_t left = fit & team->usable & ~chosen; left; left &= left - 1) {
			const struct team_member *m = &team->members[__builtin_ctz(left)];

			if (m->link == best->link && m->priority == best->priority)
				alike |= left & -left;
		}
		chosen |= 1u << team_best(team, alike ? alike : fit & ~chosen);
	}
	return chosen;
}

void team_set_up(struct team *team, uint32_t up)
{
	const uint32_t fit = up & team->may_send & ~team->reserve;
	const uint32_t chosen = within_max_links(team, fit);

	team_hold(team, team->usable & fit & ~chosen);
	team->up = up;
	team->fit = fit;
	team->usable = chosen;
	team->spare = up & team->reserve;
}

void team_set_active(struct team *team, struct pass *pass, int member, const char *why,
		     const char *why_role)
{
	team->active = member;
	pass->why = why;
	pass->why_role = why_role;
}

void team_check_min_links(struct team *team)
{
	uint64_t n = 0;

	for (uint32_t left = team->usable; left; left &= left - 1)
		n++;
	team->closed = n < team->options.min_links ? UINT32_MAX : 0;
}

void team_fail_over(struct team *team, struct pass *pass)
{
	const int old = team->active;
	const char *why = "first usable member";

	if (team->closed && team->usable) {
		team->by_hand = false;
		if (old >= 0)
			team_set_active(team, pass, -1, "fewer usable members than min_links",
					"fewer usable members than min_links");
		return;
	}
	if (old >= 0 && team_is_usable(team, old))
		return;
	if (old < 0 && !team->usable)
		return;
	if (old >= 0)
		why = pass->why_member && team_is_up(team, old) ? pass->why_member[old]
								: team->members[old].reason;
	team->by_hand = false;
	team_set_active(team, pass, team_best(team, team->usable), why, "failover");
}

/* Is it worth leaving the active member, which works, for this one? */
static bool wants_failback(const struct team *team, const struct team_member *m)
{
	const struct team_member *active = &team->members[team->active];

	switch ((enum team_failback)team->options.failback) {
	case TEAM_FAILBACK_ALWAYS:
	case TEAM_FAILBACK_LOAD:
		return m->priority > active->priority ||
		       (m->priority == active->priority && m->order < active->order);
	case TEAM_FAILBACK_BETTER:
		return m->priority > active->priority;
	case TEAM_FAILBACK_FAILURE:
	case TEAM_FAILBACK_MANUAL:
		return false;
	}
	return false;
}

/* Too much to do for the active member to be left? */
static bool is_busy(const struct team *team, uint64_t now_ns)
{
	return team->options.failback == TEAM_FAILBACK_LOAD &&
	       load_recent_ns(&team->spread.loads[team->active], now_ns) >=
		       LOAD_WINDOW_NS / 100 * team->options.failback_load;
}

void team_fail_back(struct team *team, struct pass *pass)
{
	const int best = team_best(team, team->usable);
	const struct team_member *m = &team->members[best < 0 ? 0 : best];

	team->failback_ns = DEADLINE_NEVER;
	if (best < 0 || team->active < 0 || best == team->active || team->by_hand ||
	    !wants_failback(team, m))
		return;
	team->failback_ns = team_after(m->up_ns, team->options.failback_hold_ns);
	if (team->failback_ns > pass->now_ns)
		return;
	if (is_busy(team, pass->now_ns)) {
		team->failback_ns = team_after(pass->now_ns, LOAD_WINDOW_NS);
		return;
	}
	team->failback_ns = DEADLINE_NEVER;
	team_set_active(team, pass, best, "failback", "failback");
}

void team_assign_roles(struct team *team, const struct pass *pass)
{
	const bool single = team_single_active(team);

	for (int i = 0; i < TEAM_MEMBERS_MAX; i++) {
		struct team_member *m = &team->members[i];
		const bool active =
			!team->closed && (single ? i == team->active : team_is_usable(team, i));
		const bool was_up =
			pass->old[i] == TEAM_MEMBER_STANDBY || pass->old[i] == TEAM_MEMBER_ACTIVE;
		const char *why = pass->why_member ? pass->why_member[i] : pass->why_role;

		if (!team_is_up(team, i))
			continue;
		if (!was_up) /* a member that just came up has its own reason */
			why = m->reason;
		if (seat_in(team->fit & ~team->usable, i))
			why = "max_links others are in use";
		team_enter_state(m, active ? TEAM_MEMBER_ACTIVE : TEAM_MEMBER_STANDBY, pass->now_ns,
				 why);
	}
}

static bool is_better(const struct team_member *a, const struct team_member *b)
{
	if (a->link != b->link)
		return a->link;
	if (a->priority != b->priority)
		return a->priority > b->priority;
	return a->order < b->order;
}

int team_best(const struct team *team, uint32_t mask)
{
	int best = -1;

	for (; mask; mask &= mask - 1) {
		const int i = __builtin_ctz(mask);

		if (best < 0 || is_better(&team->members[i], &team->members[best]))
			best = i;
	}
	return best;
}
