/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * relief.h - which guests stand still while a team has lost members and the others do not suffice.
 * Pure.
 *
 * Theory of Operation. Only guests whose administrator said so take part: each has a longest time
 * for which it may be paused. When members are lost and frames had to wait for NICs all the time
 * for `after`, the one of them with the lowest priority is paused (of equal ones the one with the
 * fewest shares), then the next one if that was not enough for as long again. All go on as soon as
 * the members are back, the highest priority first; one whose longest time is over goes on before
 * that, and is not paused again until then. That frames no longer wait is no reason to go on: they
 * would again.
 *
 * The caller looks every RELIEF_TICK_NS while anything can happen (relief_deadline), says what the
 * team is like, and carries the steps out.
 */
#ifndef XB_NET_RELIEF_H
#define XB_NET_RELIEF_H

#include <stdbool.h>
#include <stdint.h>

#define RELIEF_TICK_NS 100000000ull

struct relief;

/** What the team is like now. */
struct relief_team {
	bool lost;    /**< it carries less than with all of its members */
	bool waiting; /**< frames had to wait for NICs since the last tick */
};

struct relief_step {
	int guest; /**< -1 = nothing to do now */
	bool pause;
	uint64_t longest_ns; /**< of a pause */
};

/** For guests 0 to max - 1, none of which takes part. */
struct relief *relief_create(uint32_t max);
void relief_destroy(struct relief *relief);
/** How long NICs are short before somebody is paused, > 0. Live. */
void relief_set_after(struct relief *relief, uint64_t after_ns);
/** A guest, or its new values; longest_ns 0: it is not paused, and goes on at the next step. */
void relief_set(struct relief *relief, uint32_t guest, uint64_t longest_ns, uint8_t priority,
		uint32_t shares);
/** The guest is gone; true: it was paused. */
bool relief_remove(struct relief *relief, uint32_t guest);
/** It could not be paused: somebody else may be, and it is not tried again while members are lost.
 */
void relief_failed(struct relief *relief, uint32_t guest);
bool relief_paused(const struct relief *relief, uint32_t guest);
/** What is to be done; to be called until there is nothing. */
struct relief_step relief_run(struct relief *relief, struct relief_team team, uint64_t now_ns);
/** When to look again, ns; DEADLINE_NEVER = not before somebody takes part, or members are lost. */
uint64_t relief_deadline(const struct relief *relief, struct relief_team team);

#endif
