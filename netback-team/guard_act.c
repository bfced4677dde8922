/* SPDX-License-Identifier: GPL-2.0-or-later */
/* guard_act.c - what act.[ch] decided, carried out: limits and delay here, the rest as requests to
 * the control thread; see guard.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "guard_priv.h"
#include "policy.h"
#include "util.h"
#include "worker.h"

/* Should nobody unpause the guest, xenback-vmctl does so much later than we would have. */
#define PAUSE_GRACE_S 5u

static int ask(struct guard *g, int vm, enum guard_request_kind kind, const struct dos_alarm *alarm)
{
	const struct worker_observer *observer = &g->worker->observer;
	const struct vif *vif = vm == DOS_TEAM ? NULL : g->vifs[vm];
	const struct guard_profile *profile = vif ? &vif->config.guard : &g->team;
	struct guard_request request = {
		.kind = kind, .whole_team = !vif, .now_ns = g->worker->now_ns};

	if (!observer->guard)
		return -ENOSYS;
	if (vif) {
		snprintf(request.vif, sizeof(request.vif), "%s", vif->config.name);
		request.domid = vif->config.domid;
		request.devid = vif->config.devid;
	}
	if (alarm) {
		request.alarm = *alarm;
		request.alarm.name = NULL;
		snprintf(request.name, sizeof(request.name), "%s", alarm->name);
	}
	if (kind == GUARD_HOOK || kind == GUARD_MIGRATE)
		snprintf(request.argument, sizeof(request.argument), "%s",
			 kind == GUARD_HOOK ? profile->hook_program : profile->migrate_host);
	else if (kind == GUARD_PAUSE && profile->react.rules[ACT_PAUSE].max_ns)
		snprintf(
			request.argument, sizeof(request.argument), "%llus",
			(unsigned long long)(profile->react.rules[ACT_PAUSE].max_ns / NSEC_PER_SEC +
					     PAUSE_GRACE_S));
	observer->guard(observer->ctx, &request);
	return 0;
}

void guard_tell(struct guard *g)
{
	const struct worker_observer *observer = &g->worker->observer;
	const struct act_event *last = act_history(g->act, 0);
	const uint64_t n = last ? MIN(last->number - g->told, GUARD_HISTORY) : 0;

	for (unsigned int i = (unsigned int)n; i-- > 0 && observer->guard;) {
		const struct act_event *event = act_history(g->act, i);
		const struct vif *vif = guard_vif_of(g, event);
		struct guard_request request = {.kind = GUARD_EVENT,
						.whole_team = event->vm == DOS_TEAM,
						.now_ns = event->now_ns,
						.event = *event};

		if (vif) {
			snprintf(request.vif, sizeof(request.vif), "%s", vif->config.name);
			request.domid = vif->config.domid;
			request.devid = vif->config.devid;
		}
		observer->guard(observer->ctx, &request);
	}
	g->told += n;
}

static int op_alert(void *ctx, const struct dos_alarm *alarm)
{
	return ask(ctx, alarm->vm, GUARD_ALERT, alarm);
}

static int op_hook(void *ctx, const struct dos_alarm *alarm)
{
	return ask(ctx, alarm->vm, GUARD_HOOK, alarm);
}

static int op_limit(void *ctx, int vm, enum dos_direction direction, uint64_t pps, uint64_t bps)
{
	struct guard *g = ctx;
	struct guard_vif *own = &g->vifs[vm]->guard;
	const uint64_t now_ns = g->worker->now_ns;

	own->limited[direction] = pps || bps;
	shape_set(&own->bits[direction], bps, bps / 8 * GUARD_BURST_NS / NSEC_PER_SEC, now_ns);
	/* A packet is a byte of this one. */
	shape_set_depth(&own->packets[direction], pps * 8,
			MAX(pps * GUARD_BURST_NS / NSEC_PER_SEC, GUARD_BURST_FRAMES), now_ns);
	if (direction == DOS_TO_GUEST)
		return 0;
	shape_set_depth(&own->drops, GUARD_DROPS_PPS * 8, GUARD_BURST_FRAMES, now_ns);
	if (!own->limited[direction])
		guard_rest_end(g->vifs[vm]);
	return 0;
}

static int op_delay(void *ctx, int vm, uint64_t delay_ns)
{
	struct guard *g = ctx;
	struct vif *vif = g->vifs[vm];

	g->n_delayed += (delay_ns ? 1u : 0u) - (vif->guard.delay_ns ? 1u : 0u);
	vif->guard.delay_ns = delay_ns;
	if (delay_ns)
		return 0;
	for (unsigned int i = 0; i < vif->config.n_queues; i++)
		if (vif->queues[i].rx_held)
			guest_touch(g->worker, &vif->queues[i]);
	guest_notify(g->worker);
	return 0;
}

/* --- the second set of NICs --- */

void guard_place(struct vif *vif)
{
	struct worker *w = vif->worker;
	const bool away = vif->guard.second || vif->guard.by_hand;
	const char *second = vif->config.guard.second_members;

	if (away && second[0])
		spread_pin_place(&w->team, &vif->pin, second, false, PIN_ALL, w->now_ns);
	else
		spread_pin_place(&w->team, &vif->pin, vif->config.pin, vif->config.confine,
				 away ? PIN_RESERVE : PIN_NORMAL, w->now_ns);
}

/* The members of the second set that the mode lets it have. */
static int second_set(const struct vif *vif, uint32_t *members)
{
	const struct team *team = &vif->worker->team;
	const char *second = vif->config.guard.second_members;
	const bool single = policy_get(team->options.mode)->single_active;

	*members = second[0] ? 0 : team->reserve;
	for (int i = 0; i < TEAM_MEMBERS_MAX; i++)
		if (team->members[i].used && team_listed(second, team->members[i].name) &&
		    (!single || team->members[i].reserve))
			*members |= 1u << i;
	if (*members)
		return 0;
	return second[0] && single ? -EOPNOTSUPP : -ENODEV;
}

/* The rules of pin.h say what happens when none of them is usable. */
static int op_second_team(void *ctx, int vm, bool second)
{
	struct vif *vif = ((struct guard *)ctx)->vifs[vm];
	uint32_t members;
	int rc = second ? second_set(vif, &members) : 0;

	if (rc < 0)
		return rc;
	vif->guard.second = second;
	guard_place(vif);
	return 0;
}

int guard_failover(struct vif *vif, bool on)
{
	const struct team *team = &vif->worker->team;
	uint32_t members;
	int rc = on ? second_set(vif, &members) : 0;

	if (rc < 0)
		return rc;
	if (on && !(members & (team->usable | team->spare)))
		return -ENETDOWN;
	if (!on && vif->guard.second)
		return -EBUSY;
	vif->guard.by_hand = on;
	guard_place(vif);
	return 0;
}

/* --- what others carry out --- */

static int op_pause(void *ctx, int vm)
{
	return ask(ctx, vm, GUARD_PAUSE, NULL);
}

static int op_unpause(void *ctx, int vm)
{
	return ask(ctx, vm, GUARD_UNPAUSE, NULL);
}

static int op_migrate(void *ctx, int vm)
{
	return ask(ctx, vm, GUARD_MIGRATE, NULL);
}

const struct act_ops guard_act_ops = {
	.alert = op_alert,
	.hook = op_hook,
	.limit = op_limit,
	.delay = op_delay,
	.second_team = op_second_team,
	.pause = op_pause,
	.unpause = op_unpause,
	.migrate = op_migrate,
};

void guard_release(struct vif *vif)
{
	struct guard *g = vif->worker->guard;

	for (unsigned int d = 0; d < 2; d++)
		op_limit(g, vif->guard.vm, (enum dos_direction)d, 0, 0);
	op_delay(g, vif->guard.vm, 0);
	if (vif->guard.second)
		op_second_team(g, vif->guard.vm, false);
}
