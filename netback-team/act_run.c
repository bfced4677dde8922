/* SPDX-License-Identifier: GPL-2.0-or-later */
/* act_run.c - when actions begin and end, see act.h. */
#include "act_priv.h"

#include <errno.h>

#include "util.h"

static const struct {
	const char *name;
	bool lasts;  /**< is undone */
	bool once;   /**< in an attack */
	bool shared; /**< its rate limit is the team's */
} actions[ACT_ACTIONS] = {
	[ACT_ALERT] = {"alert", false, false, false},
	[ACT_HOOK] = {"hook", false, false, false},
	[ACT_LIMIT] = {"limit", true, false, false},
	[ACT_DELAY] = {"delay", true, false, false},
	[ACT_SECOND_TEAM] = {"second-team", true, false, true},
	[ACT_PAUSE] = {"pause", true, false, true},
	[ACT_MIGRATE] = {"migrate", false, true, true},
};

const char *act_action_name(enum act_action action)
{
	return actions[action].name;
}

bool act_lasts(enum act_action action)
{
	return actions[action].lasts;
}

/* When the limiter allows the action again: <= now_ns means now. */
static uint64_t allowed_ns(const struct act_limiter *limiter, const struct act_rule *rule)
{
	if (limiter->n < rule->times)
		return 0;
	return limiter->taken_ns[(limiter->n - rule->times) % ACT_TIMES_MAX] + rule->interval_ns;
}

static struct act_limiter *limiter_of(struct act *act, struct act_guest *g, unsigned int action)
{
	return actions[action].shared ? &act->shared[action] : &g->states[action].limiter;
}

static int call_limit(struct act *act, int vm, const struct act_guest *g, uint8_t directions,
		      bool on)
{
	int err = 0;

	if (!act->ops.limit)
		return -ENOSYS;
	for (unsigned int d = 0; d < 2 && !err; d++)
		if (directions >> d & 1)
			err = act->ops.limit(act->ctx, vm, (enum dos_direction)d,
					     on ? g->options.limit_pps : 0,
					     on ? g->options.limit_bps : 0);
	return err;
}

/* An action that needs no alarm at hand, or its end. */
static int call(struct act *act, int vm, struct act_guest *g, enum act_action action, bool on)
{
	const struct act_ops *ops = &act->ops;

	switch (action) {
	case ACT_LIMIT:
		return call_limit(act, vm, g, g->states[action].directions, on);
	case ACT_DELAY:
		return ops->delay ? ops->delay(act->ctx, vm, on ? g->options.delay_ns : 0)
				  : -ENOSYS;
	case ACT_SECOND_TEAM:
		return ops->second_team ? ops->second_team(act->ctx, vm, on) : -ENOSYS;
	case ACT_PAUSE:
		if (!ops->pause || !ops->unpause)
			return -ENOSYS;
		return on ? ops->pause(act->ctx, vm) : ops->unpause(act->ctx, vm);
	case ACT_MIGRATE:
		return ops->migrate ? ops->migrate(act->ctx, vm) : -ENOSYS;
	case ACT_ALERT:
	case ACT_HOOK:
	case ACT_ACTIONS:
		break;
	}
	return -ENOSYS;
}

uint8_t act_directions_of(const struct act_rule *rule)
{
	return rule->when == ACT_BOTH ? 3 : (uint8_t)(1u << rule->when);
}

/* Those of them that are under attack. */
static uint8_t attacked(const struct act_guest *g, const struct act_rule *rule)
{
	const uint8_t now = (uint8_t)((g->n_alarms[0] ? 1 : 0) | (g->n_alarms[1] ? 2 : 0));

	return rule->enable ? now & act_directions_of(rule) : 0;
}

bool act_take_one(struct act *act, int vm, enum act_action action, enum dos_direction direction,
		  uint64_t now_ns)
{
	struct act_guest *g = act_guest_of(act, vm);
	struct act_limiter *limiter = limiter_of(act, g, action);
	struct act_state *state = &g->states[action];

	if (allowed_ns(limiter, &g->options.rules[action]) <= now_ns) {
		limiter->taken_ns[limiter->n++ % ACT_TIMES_MAX] = now_ns;
		return true;
	}
	if (!state->held_back)
		act_note(act, ACT_EVENT_HELD_BACK, vm, (int)action, direction, now_ns);
	state->held_back = true;
	return false;
}

void act_retry_later(struct act_state *state, int err, uint64_t now_ns)
{
	if (err == 0) {
		state->n_failures = 0;
		state->retry_ns = 0;
		return;
	}
	state->retry_ns = now_ns + (ACT_RETRY_NS << state->n_failures);
	state->n_failures = MIN(state->n_failures + 1, ACT_RETRY_SHIFT_MAX);
}

/* When an action that is wanted may begin: its age, its limit, the last failure. */
static uint64_t begin_ns(struct act *act, struct act_guest *g, enum act_action action)
{
	const struct act_rule *rule = &g->options.rules[action];
	const uint8_t directions = attacked(g, rule);
	uint64_t attack_ns = DEADLINE_NEVER;

	for (unsigned int d = 0; d < 2; d++)
		if (directions >> d & 1)
			attack_ns = MIN(attack_ns, g->attack_ns[d]);
	return MAX(attack_ns + rule->after_ns, g->states[action].retry_ns);
}

static void begin(struct act *act, int vm, struct act_guest *g, enum act_action action,
		  uint64_t now_ns)
{
	struct act_state *state = &g->states[action];
	const uint8_t directions = attacked(g, &g->options.rules[action]);
	const enum dos_direction direction = directions & 1 ? DOS_TO_GUEST : DOS_FROM_GUEST;
	int err = 0;

	if (!act_take_one(act, vm, action, direction, now_ns))
		return;
	state->directions = directions;
	if (!g->options.dry_run)
		err = call(act, vm, g, action, true);
	act_retry_later(state, err, now_ns);
	if (err) {
		act_note(act, ACT_EVENT_FAILED, vm, (int)action, direction, now_ns)->error = err;
		return;
	}
	state->active = actions[action].lasts;
	state->done = actions[action].once;
	state->dry = g->options.dry_run;
	state->since_ns = now_ns;
	act_note(act, ACT_EVENT_TAKEN, vm, (int)action, direction, now_ns);
}

void act_finish(struct act *act, int vm, enum act_action action, uint64_t now_ns)
{
	struct act_guest *g = act_guest_of(act, vm);
	struct act_state *state = &g->states[action];
	const int err = state->dry ? 0 : call(act, vm, g, action, false);
	struct act_event *event =
		act_note(act, err ? ACT_EVENT_FAILED : ACT_EVENT_UNDONE, vm, (int)action,
			 state->directions & 1 ? DOS_TO_GUEST : DOS_FROM_GUEST, now_ns);

	event->error = err;
	event->dry_run = state->dry;
	state->active = err != 0;
	act_retry_later(state, err, now_ns);
	if (!err && attacked(g, &g->options.rules[action]))
		state->retry_ns = now_ns + MAX(g->options.rules[action].min_ns, ACT_RETRY_NS);
}

/* When an action in force ends, as far as is known now. */
static uint64_t end_ns(const struct act_guest *g, enum act_action action)
{
	const struct act_rule *rule = &g->options.rules[action];
	const struct act_state *state = &g->states[action];
	uint64_t end = DEADLINE_NEVER;

	if (!rule->enable)
		end = 0;
	else if (!attacked(g, rule))
		end = state->since_ns + rule->min_ns;
	else if (rule->max_ns)
		end = state->since_ns + rule->max_ns;
	return MAX(end, state->retry_ns);
}

/* An action whose attack spread to the other direction goes along. */
static void widen(struct act *act, int vm, struct act_guest *g, uint64_t now_ns)
{
	struct act_state *state = &g->states[ACT_LIMIT];
	const uint8_t more = attacked(g, &g->options.rules[ACT_LIMIT]) & ~state->directions;
	int err;

	if (!state->active || !more || now_ns < state->retry_ns)
		return;
	err = state->dry ? 0 : call_limit(act, vm, g, more, true);
	act_note(act, err ? ACT_EVENT_FAILED : ACT_EVENT_TAKEN, vm, ACT_LIMIT,
		 more & 1 ? DOS_TO_GUEST : DOS_FROM_GUEST, now_ns)
		->error = err;
	act_retry_later(state, err, now_ns);
	if (!err)
		state->directions |= more;
}

void act_run_guest(struct act *act, int vm, uint64_t now_ns)
{
	struct act_guest *g = act_guest_of(act, vm);

	for (unsigned int i = ACT_LIMIT; i < ACT_ACTIONS; i++) {
		const enum act_action action = (enum act_action)i;
		struct act_state *state = &g->states[i];
		const bool wanted = attacked(g, &g->options.rules[i]);

		if (!wanted)
			state->done = state->held_back = false;
		if (state->active && now_ns >= end_ns(g, action))
			act_finish(act, vm, action, now_ns);
		else if (!state->active && wanted && !state->done &&
			 now_ns >= begin_ns(act, g, action))
			begin(act, vm, g, action, now_ns);
	}
	widen(act, vm, g, now_ns);
}

void act_run(struct act *act, uint64_t now_ns)
{
	for (int vm = 0; vm < DOS_VMS_MAX; vm++)
		if (act->guests[vm])
			act_run_guest(act, vm, now_ns);
	act_plan(act);
}

static uint64_t guest_deadline(struct act *act, struct act_guest *g)
{
	uint64_t deadline = DEADLINE_NEVER;

	for (unsigned int i = ACT_LIMIT; i < ACT_ACTIONS; i++) {
		const struct act_rule *rule = &g->options.rules[i];
		uint64_t next = DEADLINE_NEVER;

		if (g->states[i].active)
			next = end_ns(g, (enum act_action)i);
		else if (attacked(g, rule) && !g->states[i].done)
			next = begin_ns(act, g, (enum act_action)i);
		/* That it is held back is worth a line in time. */
		if (!g->states[i].active && g->states[i].held_back && next != DEADLINE_NEVER)
			next = MAX(next, allowed_ns(limiter_of(act, g, i), rule));
		deadline = MIN(deadline, next);
	}
	return deadline;
}

void act_plan(struct act *act)
{
	act->deadline_ns = DEADLINE_NEVER;
	for (int vm = 0; vm < DOS_VMS_MAX; vm++)
		if (act->guests[vm])
			act->deadline_ns =
				MIN(act->deadline_ns, guest_deadline(act, act->guests[vm]));
}

uint64_t act_deadline(const struct act *act)
{
	return act->deadline_ns;
}
