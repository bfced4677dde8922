/* SPDX-License-Identifier: GPL-2.0-or-later */
/* team_state.c - how a member changes its state, see team.h: what is due, dead members, drains. */
#include "team_priv.h"

void team_enter_state(struct team_member *m, enum team_member_state state, uint64_t now_ns,
		      const char *reason)
{
	if (m->state == state)
		return;
	m->state = state;
	m->since_ns = now_ns;
	m->reason = reason;
}

static void member_up(struct team *team, int i, uint64_t now_ns, const char *reason)
{
	struct team_member *m = &team->members[i];

	m->deadline_ns = DEADLINE_NEVER;
	m->up_ns = now_ns;
	team_set_up(team, team->up | 1u << i);
	team_enter_state(m, TEAM_MEMBER_STANDBY, now_ns,
			 reason); /* or active: assign_roles knows */
}

static void member_drained(struct team *team, int i, uint64_t now_ns)
{
	struct team_member *m = &team->members[i];

	m->deadline_ns = DEADLINE_NEVER;
	team_set_up(team, team->up & ~(1u << i));
	team_enter_state(m, TEAM_MEMBER_DRAINED, now_ns, "drained");
}

void team_member_down(struct team *team, int i, uint64_t now_ns, const char *reason)
{
	struct team_member *m = &team->members[i];

	if (m->drained) {
		member_drained(team, i, now_ns);
		return;
	}
	m->deadline_ns = DEADLINE_NEVER;
	if (team_is_up(team, i) || m->state == TEAM_MEMBER_DAMPED) {
		m->n_flaps++;
		damp_flap(&m->damp, &team->options.damping, now_ns);
	}
	team_set_up(team, team->up & ~(1u << i));
	team_enter_state(m, TEAM_MEMBER_DOWN, now_ns, reason);
}

void team_member_link_up(struct team *team, int i, uint64_t now_ns, const char *reason)
{
	struct team_member *m = &team->members[i];

	m->deadline_ns = DEADLINE_NEVER;
	if (!m->link || m->dead) {
		team_enter_state(m, TEAM_MEMBER_DOWN, now_ns,
				 m->link ? "link up, but probes are missed" : "link down");
		return;
	}
	if (damp_holds(&m->damp, &team->options.damping, now_ns)) {
		team_enter_state(m, TEAM_MEMBER_DAMPED, now_ns,
				 "link up, but it was lost too often");
		m->deadline_ns = damp_until(&m->damp, &team->options.damping, now_ns);
		return;
	}
	if (!team->options.updelay_ns) {
		member_up(team, i, now_ns, reason);
		return;
	}
	team_enter_state(m, TEAM_MEMBER_UPDELAY, now_ns, reason);
	m->deadline_ns = team_after(now_ns, team->options.updelay_ns);
}

/* What was due. */
void team_expire(struct team *team, uint64_t now_ns)
{
	for (int i = 0; i < TEAM_MEMBERS_MAX; i++) {
		struct team_member *m = &team->members[i];

		if (!m->used || m->deadline_ns > now_ns)
			continue;
		switch (m->state) {
		case TEAM_MEMBER_DOWN:
			team_member_link_up(team, i, now_ns, "link is up after a send error");
			break;
		case TEAM_MEMBER_UPDELAY:
			member_up(team, i, now_ns, "updelay over");
			break;
		case TEAM_MEMBER_DAMPED:
			team_member_link_up(team, i, now_ns, "was quiet for long enough");
			break;
		case TEAM_MEMBER_STANDBY:
		case TEAM_MEMBER_ACTIVE:
			team_member_down(team, i, now_ns, "link down, downdelay over");
			break;
		case TEAM_MEMBER_DRAINED:
			break;
		}
	}
}

/* Members that only their probes keep DOWN. */
static uint32_t silent_members(const struct team *team)
{
	uint32_t found = 0;

	for (int i = 0; i < TEAM_MEMBERS_MAX; i++) {
		const struct team_member *m = &team->members[i];

		if (m->used && m->link && m->dead && m->state == TEAM_MEMBER_DOWN &&
		    m->deadline_ns == DEADLINE_NEVER)
			found |= 1u << i;
	}
	return found;
}

static uint32_t in_state(const struct team *team, enum team_member_state state)
{
	uint32_t found = 0;

	for (int i = 0; i < TEAM_MEMBERS_MAX; i++)
		if (team->members[i].used && team->members[i].state == state)
			found |= 1u << i;
	return found;
}

/* Better a doubtful member than none: a link that may not forward yet (as Linux bonding sees it),
 * or one that comes and goes. The others go on waiting. */
static void use_best(struct team *team, uint64_t now_ns)
{
	const uint32_t waiting = in_state(team, TEAM_MEMBER_UPDELAY) & ~team->reserve;
	const uint32_t damped = in_state(team, TEAM_MEMBER_DAMPED) & ~team->reserve;

	if (waiting)
		member_up(team, team_best(team, waiting), now_ns,
			  "link up, no other member to wait for");
	else if (damped)
		member_up(team, team_best(team, damped), now_ns,
			  "lost too often, but no other member is usable");
}

/* Probes that are missed everywhere do not tell who is dead; those that are missed on some members
 * do. */
void team_judge_dead(struct team *team, uint64_t now_ns)
{
	uint32_t dead = 0;

	for (int i = 0; i < TEAM_MEMBERS_MAX; i++)
		if (team_is_up(team, i) && team->members[i].dead)
			dead |= 1u << i;
	if (((team->up ^ dead) & ~team->reserve) == 0)
		use_best(team, now_ns);
	if (team->up != dead) {
		for (; dead; dead &= dead - 1)
			team_member_down(team, __builtin_ctz(dead), now_ns, "probes are missed");
		return;
	}
	for (dead = silent_members(team); dead; dead &= dead - 1)
		member_up(team, __builtin_ctz(dead), now_ns,
			  "link up, probes are missed on all members");
}

void team_hold(struct team *team, uint32_t members)
{
	for (; members; members &= members - 1) {
		const int i = __builtin_ctz(members);
		const struct load *load = &team->spread.loads[i];

		if (!team->members[i].link)
			continue; /* its queue is lost */
		team->held_ns =
			MAX(team->held_ns, team_after(load->idle_ns, team->options.drain_ns));
	}
}

void team_begin_drain(struct team *team, int i, uint64_t now_ns)
{
	const uint64_t clear_ns = MAX(team->spread.loads[i].idle_ns, now_ns);
	struct team_member *m = &team->members[i];

	m->drained = true;
	if (!seat_in(team->usable | team->spare, i) || !m->link || team->fit == 1u << i) {
		member_drained(team, i, now_ns);
		return;
	}
	m->deadline_ns = team_after(clear_ns, team->options.drain_ns);
	team->held_ns = MAX(team->held_ns, m->deadline_ns);
}

void team_set_drained(struct team *team, uint64_t now_ns)
{
	for (int i = 0; i < TEAM_MEMBERS_MAX; i++) {
		struct team_member *m = &team->members[i];
		const bool drained = m->used && team_listed(team->options.drained, m->name);

		if (!m->used || m->drained == drained)
			continue;
		m->drained = drained;
		if (drained)
			team_begin_drain(team, i, now_ns);
		else if (m->state == TEAM_MEMBER_DRAINED)
			team_member_link_up(team, i, now_ns, "no longer drained");
		else
			m->deadline_ns = DEADLINE_NEVER;
	}
}

const char *team_member_state_name(enum team_member_state state)
{
	switch (state) {
	case TEAM_MEMBER_DOWN:
		return "down";
	case TEAM_MEMBER_UPDELAY:
		return "updelay";
	case TEAM_MEMBER_STANDBY:
		return "standby";
	case TEAM_MEMBER_ACTIVE:
		return "active";
	case TEAM_MEMBER_DAMPED:
		return "damped";
	case TEAM_MEMBER_DRAINED:
		return "drained";
	}
	return "unknown";
}
