/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * team_priv.h - what the team files share: team.c has the entry points, team_state.c what happens
 * to members, team_roles.c who of them is active. Pure.
 */
#ifndef XB_NET_TEAM_PRIV_H
#define XB_NET_TEAM_PRIV_H

#include "policy.h"
#include "team.h"
#include "util.h"

/** One entry into this module. */
struct pass {
	uint64_t now_ns;
	enum team_member_state old[TEAM_MEMBERS_MAX];
	int old_active;
	const char *why;      /**< the active member changed: for the observer */
	const char *why_role; /**< ... and for members that go from STANDBY to ACTIVE or back */
	const char *const *why_member; /**< instead, one for each; NULL = why_role */
};

/** start_ns + delay_ns, or never where that does not fit. */
static inline uint64_t team_after(uint64_t start_ns, uint64_t delay_ns)
{
	return delay_ns < DEADLINE_NEVER - start_ns ? start_ns + delay_ns : DEADLINE_NEVER;
}

static inline bool team_is_usable(const struct team *team, int member)
{
	return team->usable >> member & 1;
}

/** Is it STANDBY or ACTIVE? */
static inline bool team_is_up(const struct team *team, int member)
{
	return team->up >> member & 1;
}

static inline bool team_single_active(const struct team *team)
{
	return policy_get(team->options.mode)->single_active;
}

/** A detour around the active member begins or ends (-1). */
static inline void team_aside_is(struct team *team, int member, uint64_t until_ns)
{
	team->aside.member = (int16_t)member;
	team->aside_ns = until_ns;
}

/* team_state.c */

/** Does what was due. */
void team_expire(struct team *team, uint64_t now_ns);
/** Members whose probes are missed, and members that wait while nobody else is usable. */
void team_judge_dead(struct team *team, uint64_t now_ns);
/** A member that is not in use, and maybe can be. */
void team_member_link_up(struct team *team, int i, uint64_t now_ns, const char *reason);
/** It failed; or, on its way out of use, it is there. */
void team_member_down(struct team *team, int i, uint64_t now_ns, const char *reason);
/** No new frames from now on; what it has will have left by its deadline. */
void team_begin_drain(struct team *team, int i, uint64_t now_ns);
/** Others will carry what these did, which go on sending what they have: nobody may send until that
 * has left. */
void team_hold(struct team *team, uint32_t members);
/** Members that the option `drained` names now, or no longer. */
void team_set_drained(struct team *team, uint64_t now_ns);
/** The only place where a state changes. */
void team_enter_state(struct team_member *m, enum team_member_state state, uint64_t now_ns,
		      const char *reason);

/* team_roles.c */

void team_set_active(struct team *team, struct pass *pass, int member, const char *why,
		     const char *why_role);
/** The members that are up, and what follows: which are fit, usable, spare. Members that only
 * max_links puts out of use send what they have first (team_hold). */
void team_set_up(struct team *team, uint32_t up);
/** Are there enough members? */
void team_check_min_links(struct team *team);
void team_fail_over(struct team *team, struct pass *pass);
void team_fail_back(struct team *team, struct pass *pass);
/** STANDBY or ACTIVE. */
void team_assign_roles(struct team *team, const struct pass *pass);

#endif
