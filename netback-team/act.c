/* SPDX-License-Identifier: GPL-2.0-or-later */
/* act.c - from alarms to actions, see act.h: what an attack is, when actions begin and end. */
#include "act_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

const char *act_event_name(enum act_event_kind kind)
{
	static const char *const names[] = {"raised", "cleared",   "whitelisted", "taken",
					    "undone", "held-back", "failed"};

	return names[kind];
}

struct act_guest *act_guest_of(struct act *act, int vm)
{
	return vm == DOS_TEAM ? &act->team : act->guests[vm];
}

static void set_options(struct act_guest *g, const struct act_options *options)
{
	char error[ACT_ERROR_MAX];
	const int n = act_cidrs_parse(options->whitelist, g->cidrs, error);

	g->options = *options;
	g->n_cidrs = n > 0 ? (unsigned int)n : 0;
}

struct act *act_create(unsigned int history, const struct act_options *team,
		       const struct act_ops *ops, void *ctx)
{
	struct act *act;

	if (history < 1 || history > 65536)
		return NULL;
	act = calloc(1, sizeof(*act) + history * sizeof(act->history[0]));
	if (!act)
		return NULL;
	act->ops = *ops;
	act->ctx = ctx;
	act->n_history = history;
	act->deadline_ns = DEADLINE_NEVER;
	set_options(&act->team, team);
	return act;
}

void act_destroy(struct act *act)
{
	if (!act)
		return;
	for (int vm = 0; vm < DOS_VMS_MAX; vm++)
		free(act->guests[vm]);
	free(act);
}

int act_vm_add(struct act *act, int vm, const struct act_options *options)
{
	act->guests[vm] = calloc(1, sizeof(*act->guests[vm]));
	if (!act->guests[vm])
		return -ENOMEM;
	set_options(act->guests[vm], options);
	return 0;
}

void act_vm_remove(struct act *act, int vm)
{
	free(act->guests[vm]);
	act->guests[vm] = NULL;
}

void act_set_options(struct act *act, int vm, const struct act_options *options)
{
	set_options(act_guest_of(act, vm), options);
	act->deadline_ns = 0;
}

struct act_event *act_note(struct act *act, enum act_event_kind kind, int vm, int action,
			   enum dos_direction direction, uint64_t now_ns)
{
	struct act_event *event = &act->history[act->n_events % act->n_history];

	*event = (struct act_event){
		.now_ns = now_ns,
		.number = ++act->n_events,
		.kind = kind,
		.vm = vm,
		.direction = direction,
		.action = action,
		.dry_run = act_guest_of(act, vm)->options.dry_run,
	};
	return event;
}

static void note_alarm(struct act *act, enum act_event_kind kind, const struct dos_alarm *alarm,
		       uint64_t now_ns)
{
	struct act_event *event = act_note(act, kind, alarm->vm, -1, alarm->direction, now_ns);

	event->source = alarm->source;
	event->value = alarm->value;
	event->threshold = alarm->threshold;
	if (alarm->n_peers)
		event->peer = alarm->peers[0];
	strncpy(event->name, alarm->name, sizeof(event->name) - 1);
}

const struct act_event *act_history(const struct act *act, unsigned int i)
{
	if (i >= act->n_history || i >= act->n_events)
		return NULL;
	return &act->history[(act->n_events - 1 - i) % act->n_history];
}

/* alert and hook: of this alarm, or not at all. */
static void announce(struct act *act, struct act_guest *g, enum act_action action,
		     const struct dos_alarm *alarm, uint64_t now_ns)
{
	int (*const op)(void *, const struct dos_alarm *) =
		action == ACT_ALERT ? act->ops.alert : act->ops.hook;
	const struct act_rule *rule = &g->options.rules[action];
	struct act_event *event;
	int err = 0;

	if (!rule->enable || !(act_directions_of(rule) >> alarm->direction & 1) ||
	    !act_take_one(act, alarm->vm, action, alarm->direction, now_ns))
		return;
	g->states[action].held_back = false;
	if (!g->options.dry_run)
		err = op ? op(act->ctx, alarm) : -ENOSYS;
	event = act_note(act, err ? ACT_EVENT_FAILED : ACT_EVENT_TAKEN, alarm->vm, (int)action,
			 alarm->direction, now_ns);
	event->error = err;
}

/* Half of the packets or more are those of the whitelist? Of those peers that are known, that is.
 */
static bool whitelisted(const struct act_guest *g, const struct dos_alarm *alarm)
{
	uint64_t packets = 0;

	if (alarm->source == DOS_SPOOFED || alarm->source == DOS_DROPS || g->n_cidrs == 0)
		return false;
	for (unsigned int i = 0; i < alarm->n_peers; i++)
		if (act_cidrs_have(g->cidrs, g->n_cidrs, &alarm->peers[i].addr))
			packets += alarm->peers[i].packets;
	return packets > 0 && packets >= alarm->packets / 2;
}

static void clear_alarm(struct act_guest *g, const struct dos_alarm *alarm)
{
	g->alarms[alarm->direction][alarm->source / 64] &= ~((uint64_t)1 << alarm->source % 64);
	g->n_alarms[alarm->direction]--;
}

static void raise_alarm(struct act *act, struct act_guest *g, const struct dos_alarm *alarm,
			uint64_t now_ns)
{
	const unsigned int d = alarm->direction;

	if (whitelisted(g, alarm)) {
		if (alarm->event == DOS_RAISED)
			note_alarm(act, ACT_EVENT_WHITELISTED, alarm, now_ns);
		return;
	}
	if (g->n_alarms[d]++ == 0)
		g->attack_ns[d] = now_ns;
	g->alarms[d][alarm->source / 64] |= (uint64_t)1 << alarm->source % 64;
	note_alarm(act, ACT_EVENT_RAISED, alarm, now_ns);
	announce(act, g, ACT_ALERT, alarm, now_ns);
	announce(act, g, ACT_HOOK, alarm, now_ns);
}

void act_on_alarm(struct act *act, const struct dos_alarm *alarm, uint64_t now_ns)
{
	struct act_guest *g = act_guest_of(act, alarm->vm);
	const bool known =
		g->alarms[alarm->direction][alarm->source / 64] >> alarm->source % 64 & 1;

	if (alarm->event != DOS_CLEARED && !known) {
		raise_alarm(act, g, alarm, now_ns);
	} else if (alarm->event == DOS_CLEARED && known) {
		clear_alarm(g, alarm);
		note_alarm(act, ACT_EVENT_CLEARED, alarm, now_ns);
		announce(act, g, ACT_HOOK, alarm, now_ns);
	}
	if (alarm->vm == DOS_TEAM)
		return;
	act_run_guest(act, alarm->vm, now_ns);
	act_plan(act);
}

void act_failed(struct act *act, int vm, enum act_action action, int error, uint64_t now_ns)
{
	struct act_guest *g = act_guest_of(act, vm);
	struct act_state *state = &g->states[action];

	act_note(act, ACT_EVENT_FAILED, vm, (int)action,
		 state->directions & 1 ? DOS_TO_GUEST : DOS_FROM_GUEST, now_ns)
		->error = error;
	/* Pausing that failed is not in force; unpausing that failed leaves it so. */
	state->active = act_lasts(action) && !state->active;
	state->done = false;
	act_retry_later(state, error, now_ns);
	act_plan(act);
}

void act_clear(struct act *act, int vm, uint64_t now_ns)
{
	struct act_guest *g = act_guest_of(act, vm);

	memset(g->alarms, 0, sizeof(g->alarms));
	g->n_alarms[0] = g->n_alarms[1] = 0;
	for (unsigned int i = ACT_LIMIT; i < ACT_ACTIONS; i++) {
		if (g->states[i].active)
			act_finish(act, vm, (enum act_action)i, now_ns);
		g->states[i].done = g->states[i].held_back = false;
	}
	act_plan(act);
}

bool act_active(const struct act *act, int vm, enum act_action action, uint64_t *since_ns)
{
	const struct act_state *state = &act->guests[vm]->states[action];

	if (since_ns)
		*since_ns = state->since_ns;
	return state->active;
}
