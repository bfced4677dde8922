/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pin.h - guests that are bound to members: by a list, or to one that the load chooses. Pure.
 *
 * Theory of Operation: a list names members in fallback order; the guest uses the first one that is
 * usable, and returns to an earlier one when that is back. Confinement (`confine`) binds a guest to
 * a single member, of the list or of the whole team, that has least to do when it is chosen; it
 * stays until that fails, or until the team finds it more than fairly used (spread.h). A guest
 * that can't have any of its list goes where the team's mode sends it. A guest that is failed over
 * (reach) uses the reserve member that had least to do, until that fails; where none of these is
 * usable it goes on as if it were not. All of it moves drained (seat.h). What a name means changes
 * with the team's members, so names are looked up again whenever those change.
 */
#ifndef XB_NET_PIN_H
#define XB_NET_PIN_H

#include <stdbool.h>
#include <stdint.h>

#include "load.h"
#include "seat.h"

#define PIN_LIST_MAX 255 /**< letters of a list */

/** Which members it may use. */
enum pin_reach {
	PIN_NORMAL,  /**< of its list, or all; not those of the reserve */
	PIN_RESERVE, /**< the reserve; PIN_NORMAL where none of it is usable */
	PIN_ALL,     /**< of its list, that may name some of the reserve, too */
};

struct pin {
	char name[32]; /**< of the guest's interface, for people */
	char members[TEAM_MEMBERS_MAX][TEAM_NIC_NAME_MAX];
	unsigned int n_members;
	bool confine;
	enum pin_reach reach;
	int16_t order[TEAM_MEMBERS_MAX]; /**< indices of members[], -1 = not in the team now */
	struct seat seat;		 /**< member -1: where the mode sends it */
	const char *why; /**< of seat.want, static text; NULL between pin_set and pin_aim */
	int16_t told;	 /**< seat.want as the team's observer knows it */
	uint64_t n_moves;
	struct pin *prev, *next; /**< of the team's list */
};

/** Members by name and whether they can send. */
struct pin_team {
	const char *names[TEAM_MEMBERS_MAX]; /**< NULL = unused */
	uint32_t usable, spare;		     /**< see struct team */
	const struct load *loads;
};

/**
 * Sets what the key says: names separated by blanks, none = no list. False when a word is not a
 * name of an interface, one comes twice, or there are more than TEAM_MEMBERS_MAX; then *pin is
 * unchanged. pin_aim has to follow.
 */
bool pin_set(struct pin *pin, const char *list, bool confine);
/** Does it bind its guest at all? */
static inline bool pin_binds(const struct pin *pin)
{
	return pin->n_members > 0 || pin->confine || pin->reach != PIN_NORMAL;
}
/** Decides anew where the guest belongs. others: the team's list of pins, counted where loads are
 * alike. */
void pin_aim(struct pin *pin, const struct pin_team *team, const struct pin *others,
	     uint64_t now_ns);
/** Set of members that the guest may be on: its list, or all. */
uint32_t pin_members(const struct pin *pin, uint32_t usable);
/** Member for the guest's next frame; -1 = the mode's. usable: with the reserve. */
int pin_choose(struct pin *pin, uint32_t usable, uint64_t now_ns, uint64_t drain_ns);

#endif
