/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy.c - the modes of a team, one row each: see policy.h. team.c asks for the row at each
 * frame. */
#include "policy.h"

#include <stddef.h>

#include "team.h"
#include "util.h"

/* The active one; a frame that it could not take goes to the best of the others. */
static int choose_active(struct team *team, uint32_t hash, uint32_t tried)
{
	const uint32_t mask = team->usable & ~tried;

	if (team->active >= 0 && (mask >> team->active & 1))
		return team->active;
	return team_best(team, mask);
}

/* The next one after the last one, whatever became of its frame. */
static int choose_round_robin(struct team *team, uint32_t hash, uint32_t tried)
{
	const uint32_t mask = team->usable & ~tried;
	const uint32_t ahead = mask & (UINT32_MAX << team->rr_next % TEAM_MEMBERS_MAX);
	int member;

	if (!mask)
		return -1;
	member = __builtin_ctz(ahead ? ahead : mask);
	team->rr_next = (uint32_t)member + 1;
	return member;
}

/* Name, help, single_active, choose. The order is part of nothing that is stored: configurations
 * hold names. */
#define POLICIES(ROW)                                                                              \
	ROW("active-backup",                                                                       \
	    "one member carries everything, another one takes over when it fails", true,           \
	    choose_active)                                                                         \
	ROW("round-robin",                                                                         \
	    "each frame on the next member; needs a static aggregation on the switch, reorders "   \
	    "within flows",                                                                        \
	    false, choose_round_robin)

#define AS_ROW(name, help, single_active, choose)  {name, help, single_active, choose},
#define AS_NAME(name, help, single_active, choose) name,

static const struct policy policies[] = {POLICIES(AS_ROW)};

const char *const policy_names[] = {POLICIES(AS_NAME) NULL};

const struct policy *policy_get(int index)
{
	return index >= 0 && (size_t)index < ARRAY_SIZE(policies) ? &policies[index] : NULL;
}
