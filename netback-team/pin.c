/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pin.c - see pin.h. */
#include "pin.h"

#include <string.h>

#include "team.h"
#include "util.h"

/* Uses of a member that differ by less are alike; then the number of guests decides. */
#define USE_STEP_NS (LOAD_WINDOW_NS / 20)

bool pin_set(struct pin *pin, const char *list, bool confine)
{
	char names[TEAM_MEMBERS_MAX][TEAM_NIC_NAME_MAX], name[TEAM_NAME_MAX];
	unsigned int n = 0;
	uint8_t priority;
	bool bad = strchr(list, ':') != NULL;

	while (!bad && team_members_next(&list, name, &priority, &bad)) {
		for (unsigned int i = 0; i < n; i++)
			bad |= strcmp(names[i], name) == 0;
		if (bad || n == TEAM_MEMBERS_MAX)
			return false;
		memcpy(names[n++], name, TEAM_NIC_NAME_MAX);
	}
	if (bad)
		return false;
	memcpy(pin->members, names, n * sizeof(names[0]));
	pin->n_members = n;
	pin->confine = confine;
	pin->why = NULL;
	memset(pin->order, -1, sizeof(pin->order));
	return true;
}

static void find_members(struct pin *pin, const struct pin_team *team)
{
	memset(pin->order, -1, sizeof(pin->order));
	for (unsigned int n = 0; n < pin->n_members; n++)
		for (int i = 0; i < TEAM_MEMBERS_MAX; i++)
			if (team->names[i] && !strcmp(team->names[i], pin->members[n]))
				pin->order[n] = (int16_t)i;
}

uint32_t pin_members(const struct pin *pin, uint32_t usable)
{
	uint32_t members = 0;

	if (!pin->n_members)
		return usable;
	for (unsigned int i = 0; i < pin->n_members; i++)
		if (seat_in(usable, pin->order[i]))
			members |= 1u << pin->order[i];
	return members;
}

static unsigned int guests_on(const struct pin *others, const struct pin *self, int member)
{
	unsigned int n = 0;

	for (const struct pin *p = others; p; p = p->next)
		n += p != self && p->seat.want == member;
	return n;
}

static int least_used(const struct pin *pin, const struct pin_team *team, uint32_t members,
		      const struct pin *others, uint64_t now_ns)
{
	uint64_t best_use = UINT64_MAX;
	unsigned int best_guests = UINT32_MAX;
	int best = -1;

	for (; members; members &= members - 1) {
		const int i = __builtin_ctz(members);
		const uint64_t use = load_recent_ns(&team->loads[i], now_ns) / USE_STEP_NS;
		const unsigned int guests = guests_on(others, pin, i);

		if (use > best_use || (use == best_use && guests >= best_guests))
			continue;
		best = i;
		best_use = use;
		best_guests = guests;
	}
	return best;
}

/* False: no reserve member is usable. */
static bool aim_at_reserve(struct pin *pin, const struct pin_team *team, const struct pin *others,
			   uint64_t now_ns)
{
	if (!team->spare)
		return false;
	if (seat_in(team->spare, pin->seat.want)) {
		pin->why = pin->why ? pin->why : "on the reserve, which it used";
		return true;
	}
	pin->why = "failed over to the least used reserve member";
	pin->seat.want = (int16_t)least_used(pin, team, team->spare, others, now_ns);
	return true;
}

static void aim_at_list(struct pin *pin, const struct pin_team *team, const struct pin *others,
			uint64_t now_ns)
{
	const uint32_t members =
		pin_members(pin, team->usable | (pin->reach == PIN_ALL ? team->spare : 0));

	if (!pin->n_members && !pin->confine) {
		pin->seat.want = -1;
		pin->why = "the mode chooses";
	} else if (!members) {
		pin->seat.want = -1;
		pin->why = pin->n_members ? "none of its list is usable: the mode chooses"
					  : "no member is usable";
	} else if (pin->confine) {
		if (seat_in(members, pin->seat.want)) {
			if (!pin->why)
				pin->why = "confined to the member that it used";
			return;
		}
		pin->why = pin->seat.want < 0 ? "confined to the least used member"
					      : "its member failed: the least used of the others";
		pin->seat.want = (int16_t)least_used(pin, team, members, others, now_ns);
	} else {
		unsigned int first = 0;

		while (!seat_in(members, pin->order[first]))
			first++;
		pin->seat.want = pin->order[first];
		pin->why = first ? "the first usable one of its list" : "the first of its list";
	}
}

void pin_aim(struct pin *pin, const struct pin_team *team, const struct pin *others,
	     uint64_t now_ns)
{
	find_members(pin, team);
	if (pin->reach == PIN_RESERVE && aim_at_reserve(pin, team, others, now_ns))
		return;
	aim_at_list(pin, team, others, now_ns);
	if (pin->reach == PIN_RESERVE)
		pin->why = pin->seat.want < 0 ? "no reserve member is usable: the mode chooses"
					      : "no reserve member is usable: by its own list";
}

int pin_choose(struct pin *pin, uint32_t usable, uint64_t now_ns, uint64_t drain_ns)
{
	struct seat *seat = &pin->seat;
	const int old = seat->member;

	/* Frames that the mode placed may still be under way, on any member. */
	if (old < 0 && now_ns < seat->clear_ns + drain_ns)
		return -1;
	if (seat_follow(seat, usable, now_ns, drain_ns))
		pin->n_moves += old >= 0;
	return seat_in(usable, seat->member) ? seat->member : -1;
}
