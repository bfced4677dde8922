/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * act.h - what is done about an alarm of dos.[ch]: which actions, when, how often, and when they
 * are taken back. Pure: decides and remembers; what is to happen leaves by struct act_ops. One per
 * team.
 *
 * Theory of Operation: an attack on (or by) a guest begins with the first alarm of a direction and
 * is over when the last one is cleared. Each action is enabled apart, for one direction or both.
 *
 * - alert and hook happen at every alarm, and hook at its end, too. migrate happens once in an
 *   attack.
 * - limit, delay, second-team and pause last: they begin when an attack is `after` old, and end
 * when it is over, but not before `min`; and at `max` at the latest. While the attack goes on they
 * may begin again. An action that is configured for both directions is one action.
 * - All are rate limited: at most `times` in `interval`; second-team, pause and migrate count for
 * all guests of the team together, the others for the guest. What is held back is taken when the
 * limit allows it, if there is still reason to.
 * - Dry run: everything is decided and remembered, no callback is called.
 * - Whitelist: an alarm is ignored while at least half of its packets come from (or go to)
 * addresses of the whitelist. dos reports lasting alarms anew, so that it is looked at again.
 * Spoofed sources, drops and the like name no peers; they are not ignored.
 * - A callback that fails costs one of `times` and is tried again after ACT_RETRY_NS, then after
 * twice that, and so on.
 * - An operator's act_clear ends everything at once; alarms that are still there count again when
 * dos reports them next.
 *
 * Everything that happens is in the history, a ring.
 */
#ifndef XB_NET_ACT_H
#define XB_NET_ACT_H

#include "dos.h"

#define ACT_RETRY_NS	  1000000000ull
#define ACT_TIMES_MAX	  16
#define ACT_WHITELIST_MAX 512 /**< characters with the end */
#define ACT_CIDRS_MAX	  32
#define ACT_ERROR_MAX	  128

enum act_action {
	ACT_ALERT,	 /**< tell the operator */
	ACT_HOOK,	 /**< run his program */
	ACT_LIMIT,	 /**< limit the packets and bits of the direction */
	ACT_DELAY,	 /**< deliver in larger intervals */
	ACT_SECOND_TEAM, /**< move the guest to its second team of NICs */
	ACT_PAUSE,	 /**< pause the guest; unpause takes it back */
	ACT_MIGRATE,	 /**< move the guest to another host */
	ACT_ACTIONS
};
const char *act_action_name(enum act_action action);

enum act_when {
	ACT_TO_GUEST,	/**< attacks on the guest */
	ACT_FROM_GUEST, /**< attacks by the guest */
	ACT_BOTH,
};

/** Configuration of one action. */
struct act_rule {
	bool enable;	      /**< default: alert only */
	int when;	      /**< enum act_when */
	uint64_t after_ns;    /**< age of the attack: 0 to 1 h */
	uint64_t min_ns;      /**< shortest duration: 0 to 24 h */
	uint64_t max_ns;      /**< longest: 0 = none, or min to 24 h */
	uint64_t times;	      /**< 1 to ACT_TIMES_MAX in */
	uint64_t interval_ns; /**< 1 s to 24 h */
};

/** Configuration of a guest, or of DOS_TEAM (whose alarms know alert and hook only). */
struct act_options {
	bool dry_run; /**< default false */
	struct act_rule rules[ACT_ACTIONS];
	uint64_t limit_pps; /**< of ACT_LIMIT: 0 = no limit of packets, default 20000 */
	uint64_t
		limit_bps; /**< 0 = no limit of bits, default 100 Mbit/s; one of both must be set */
	uint64_t delay_ns; /**< of ACT_DELAY: 100 us to 100 ms, default 5 ms */
	char whitelist[ACT_WHITELIST_MAX]; /**< "10.0.0.0/8 2001:db8::/32 192.0.2.7", default "" */
};

/**
 * The defaults; of rules (enabled, when, after, min, max, times in interval):
 *
 *   alert        yes  both  0 s   -     -     16 in 1 min
 *   hook         no   both  0 s   -     -     16 in 1 min
 *   limit        no   both  0 s   10 s  none   6 in 1 min
 *   delay        no   to    2 s   10 s  none   6 in 1 min
 *   second-team  no   to    5 s   60 s  none   4 in 1 h
 *   pause        no   from  10 s  5 s   60 s   3 in 1 h
 *   migrate      no   to    60 s  -     -      1 in 1 h
 */
void act_options_default(struct act_options *options);
/** 0; -EINVAL with error: which option, and what is allowed. */
int act_options_check(const struct act_options *options, char error[ACT_ERROR_MAX]);

/**
 * What is carried out, by the integrator; NULL members are actions that cannot be done here: these
 * fail with -ENOSYS. They return 0 or -errno and must not call act. What takes longer than a moment
 * is begun, and act_failed called when it comes to nothing.
 */
struct act_ops {
	int (*alert)(void *ctx, const struct dos_alarm *alarm);
	/** After the alert, with the same alarm; also at its end (event DOS_CLEARED). */
	int (*hook)(void *ctx, const struct dos_alarm *alarm);
	/** Limits of one direction; both 0 = none any more. */
	int (*limit)(void *ctx, int vm, enum dos_direction direction, uint64_t pps, uint64_t bps);
	/** Deliver to the guest every delay_ns only; 0 = at once again. */
	int (*delay)(void *ctx, int vm, uint64_t delay_ns);
	/** To the second team, or back. */
	int (*second_team)(void *ctx, int vm, bool second);
	int (*pause)(void *ctx, int vm);
	int (*unpause)(void *ctx, int vm);
	int (*migrate)(void *ctx, int vm);
};

enum act_event_kind {
	ACT_EVENT_RAISED,      /**< an alarm, value and threshold with it */
	ACT_EVENT_CLEARED,     /**< its end */
	ACT_EVENT_WHITELISTED, /**< an alarm that is ignored */
	ACT_EVENT_TAKEN,       /**< an action */
	ACT_EVENT_UNDONE,      /**< its end */
	ACT_EVENT_HELD_BACK,   /**< by the rate limit: once an attack and action */
	ACT_EVENT_FAILED,      /**< by the error */
};
const char *act_event_name(enum act_event_kind kind);

struct act_event {
	uint64_t now_ns;
	uint64_t number; /**< of all events from 1 */
	enum act_event_kind kind;
	int vm;
	enum dos_direction direction;
	int action;		       /**< enum act_action, -1 for alarms */
	unsigned int source;	       /**< as in struct dos_alarm, of alarms */
	char name[SIGNATURE_NAME_MAX]; /**< of it */
	uint64_t value, threshold;     /**< of alarms */
	struct dos_top peer;	       /**< the first one of an alarm; packets 0 = none */
	int error;		       /**< -errno of ACT_EVENT_FAILED */
	bool dry_run;
};

struct act;

/** history: events that are remembered, 1 to 65536. NULL without memory. team: for alarms of
 * DOS_TEAM; options are those that act_options_check finds good. */
struct act *act_create(unsigned int history, const struct act_options *team,
		       const struct act_ops *ops, void *ctx);
/** Undoes nothing. */
void act_destroy(struct act *act);
/** vm: the number that dos_vm_add gave. -ENOMEM. */
int act_vm_add(struct act *act, int vm, const struct act_options *options);
/** Undoes nothing: the guest is gone. */
void act_vm_remove(struct act *act, int vm);
/** Takes effect at the next act_run, which is due at once: what is no longer enabled is undone
 * then. vm or DOS_TEAM. */
void act_set_options(struct act *act, int vm, const struct act_options *options);

/** An alarm: the observer of dos calls it. Does what is due at once. */
void act_on_alarm(struct act *act, const struct dos_alarm *alarm, uint64_t now_ns);
/** Something that a callback began, the action or its end, came to nothing; error: -errno. */
void act_failed(struct act *act, int vm, enum act_action action, int error, uint64_t now_ns);
/** The operator says that it is over: undoes everything of this guest now. */
void act_clear(struct act *act, int vm, uint64_t now_ns);
/** Does what is due; call at the deadline. */
void act_run(struct act *act, uint64_t now_ns);
/** DEADLINE_NEVER (util.h) = nothing will be due. */
uint64_t act_deadline(const struct act *act);

/** Is this action in force? since_ns may be NULL. */
bool act_active(const struct act *act, int vm, enum act_action action, uint64_t *since_ns);
/** The i-th event from the last one (0) back; NULL past the oldest one that is remembered. */
const struct act_event *act_history(const struct act *act, unsigned int i);

#endif
