/* SPDX-License-Identifier: GPL-2.0-or-later */
/* act_priv.h - what taking alarms (act.c) and taking actions (act_run.c) share. Pure. */
#ifndef XB_NET_ACT_PRIV_H
#define XB_NET_ACT_PRIV_H

#include "act.h"
#include "act_options.h"

#define ACT_RETRY_SHIFT_MAX 6 /**< 64 times ACT_RETRY_NS at most */
#define ACT_SOURCE_WORDS    ((DOS_METRICS + SIGNATURE_RULES_MAX + 63) / 64)

/* When an action was last taken, as often as its limit looks back. */
struct act_limiter {
	uint64_t taken_ns[ACT_TIMES_MAX];
	uint64_t n; /**< ever */
};

struct act_state {
	bool active;
	bool dry;	    /**< begun in a dry run */
	uint8_t directions; /**< of ACT_LIMIT in force: bits */
	bool done;	    /**< once in this attack */
	bool held_back;	    /**< noted in this attack */
	uint64_t since_ns;
	uint64_t retry_ns;	 /**< not before */
	unsigned int n_failures; /**< in a row */
	struct act_limiter limiter;
};

struct act_guest {
	struct act_options options;
	struct act_cidr cidrs[ACT_CIDRS_MAX];
	unsigned int n_cidrs;
	uint64_t alarms[2][ACT_SOURCE_WORDS]; /**< bits of the sources by direction */
	unsigned int n_alarms[2];
	uint64_t attack_ns[2]; /**< of the first one */
	struct act_state states[ACT_ACTIONS];
};

struct act {
	uint64_t deadline_ns; /**< of act_run */
	struct act_ops ops;
	void *ctx;
	struct act_guest team;
	struct act_guest *guests[DOS_VMS_MAX];
	struct act_limiter shared[ACT_ACTIONS];
	unsigned int n_history;
	uint64_t n_events;
	struct act_event history[];
};

/** The guest, or the team. */
struct act_guest *act_guest_of(struct act *act, int vm);
/** Adds an event to the history; the caller fills in the rest. */
struct act_event *act_note(struct act *act, enum act_event_kind kind, int vm, int action,
			   enum dos_direction direction, uint64_t now_ns);
/** Is it undone at the end? */
bool act_lasts(enum act_action action);
/** Directions whose attacks this rule answers, as bits. */
uint8_t act_directions_of(const struct act_rule *rule);
/** Takes one of the times that the rule allows. False when there is none: once an attack that is
 * noted. */
bool act_take_one(struct act *act, int vm, enum act_action action, enum dos_direction direction,
		  uint64_t now_ns);
/** After a callback: when the action may be tried again, later after each failure. */
void act_retry_later(struct act_state *state, int err, uint64_t now_ns);
/** Begins and ends what is due of one guest. */
void act_run_guest(struct act *act, int vm, uint64_t now_ns);
/** Ends an action in force. */
void act_finish(struct act *act, int vm, enum act_action action, uint64_t now_ns);
/** Computes act->deadline_ns anew: after every change. */
void act_plan(struct act *act);

#endif
