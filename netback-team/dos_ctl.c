/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dos_ctl.c - commands of the control socket about attacks: `dos list`, `dos show`, `dos clear`,
 * `dos failover`, `dos failback`. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctl.h"
#include "dos_json.h"
#include "netback.h"
#include "util.h"

#define LIST_EVENTS 20u /* of each team */

struct status_call {
	struct vif *vif; /**< NULL: the team */
	struct guard_status status;
	char vifs[GUARD_STATUS_EVENTS][32];
};

static int call_status(void *ctx, void *arg)
{
	struct status_call *call = arg;

	guard_status_of(ctx, call->vif, &call->status, call->vifs);
	return 0;
}

/* The guest's interface, its team and, for the team, what happened lately. */
static struct status_call *ask(struct worker *worker, struct vif *vif)
{
	struct status_call *call = xb_calloc(1, sizeof(*call));

	call->vif = vif;
	worker_call(worker, call_status, call);
	return call;
}

static json_t *history_to_json(const struct status_call *call, unsigned int max)
{
	json_t *history = json_array();

	for (unsigned int i = MIN(call->status.n_events, max); i-- > 0;)
		json_array_append_new(history, dos_event_to_json(&call->status.events[i],
								 call->status.now_ns,
								 call->vif ? "" : call->vifs[i]));
	return history;
}

static json_t *vif_to_json(struct backend_device *dev, const struct status_call *call, bool details)
{
	json_t *reply =
		json_pack("{s:s, s:i, s:i, s:s}", "vif", dev->name, "domid", (int)dev->domid,
			  "devid", (int)dev->devid, "team", team_entry_name(vifdev_team(dev)));

	dos_status_to_json(reply, &call->status, details);
	return reply;
}

static void append_vif(void *ctx, struct backend_device *dev)
{
	struct worker *worker;
	struct vif *vif = vifdev_vif(dev, &worker);
	AUTO_FREE struct status_call *call = vif ? ask(worker, vif) : NULL;

	if (call)
		json_array_append_new(ctx, vif_to_json(dev, call, false));
}

static void append_team(void *ctx, struct team_entry *team)
{
	AUTO_FREE struct status_call *call = ask(team_entry_worker(team), NULL);
	json_t *reply = json_pack("{s:s}", "team", team_entry_name(team));

	dos_status_to_json(reply, &call->status, false);
	json_object_del(reply, "reactions"); /* they are the guests' */
	json_object_set_new(reply, "history", history_to_json(call, LIST_EVENTS));
	json_array_append_new(ctx, reply);
}

static int on_list(void *ctx, json_t *args, json_t **result, char error[CTL_ERROR_MAX])
{
	struct netback *nb = ctx;
	json_t *vifs = json_array(), *teams = json_array();

	backend_foreach(nb->backend, append_vif, vifs);
	teams_foreach(nb->teams, append_team, teams);
	*result = json_pack("{s:o, s:o}", "vifs", vifs, "teams", teams);
	return 0;
}

/* The connected interface that the arguments name; NULL with a sentence. */
static struct vif *need_vif(struct netback *nb, json_t *args, struct backend_device **dev,
			    struct worker **worker, char error[CTL_ERROR_MAX])
{
	struct vif *vif;

	*dev = netback_find_vif(nb, args, error);
	vif = *dev ? vifdev_vif(*dev, worker) : NULL;
	if (*dev && !vif)
		snprintf(error, CTL_ERROR_MAX,
			 "%s is not connected; `xenbackctl explain vif %u.%u` says why",
			 (*dev)->name, (*dev)->domid, (*dev)->devid);
	return vif;
}

static int on_show(void *ctx, json_t *args, json_t **result, char error[CTL_ERROR_MAX])
{
	struct backend_device *dev;
	struct worker *worker;
	struct vif *vif = need_vif(ctx, args, &dev, &worker, error);
	AUTO_FREE struct status_call *call = vif ? ask(worker, vif) : NULL;

	if (!call)
		return -ENOENT;
	*result = vif_to_json(dev, call, true);
	json_object_set_new(*result, "history", history_to_json(call, GUARD_STATUS_EVENTS));
	return 0;
}

struct clear_call {
	struct vif *vif;
	bool relearn;
};

static int call_clear(void *ctx, void *arg)
{
	struct clear_call *call = arg;

	guard_clear(call->vif, call->relearn);
	return 0;
}

static int on_clear(void *ctx, json_t *args, json_t **result, char error[CTL_ERROR_MAX])
{
	const json_t *relearn = json_object_get(args, "relearn");
	struct backend_device *dev;
	struct worker *worker;
	struct clear_call call = {need_vif(ctx, args, &dev, &worker, error), json_is_true(relearn)};
	AUTO_FREE struct status_call *status = NULL;

	if (!call.vif)
		return -ENOENT;
	if (relearn && !json_is_boolean(relearn)) {
		snprintf(error, CTL_ERROR_MAX, "argument relearn is true or false");
		return -EINVAL;
	}
	worker_call(worker, call_clear, &call);
	netback_event(ctx, &(struct events_input){.kind = EVENTS_KIND_ADMIN,
						  .team = team_entry_name(vifdev_team(dev)),
						  .who = dev->name,
						  .new = call.relearn ? "dos clear, relearn"
								      : "dos clear"});
	status = ask(worker, call.vif);
	*result = vif_to_json(dev, status, false);
	return 0;
}

struct failover_call {
	struct vif *vif;
	bool on;
};

static int call_failover(void *ctx, void *arg)
{
	struct failover_call *call = arg;

	worker_deadline(ctx, 0);
	return guard_failover(call->vif, call->on);
}

static const char *failover_error(int rc)
{
	switch (rc) {
	case -EBUSY:
		return "a reaction to an attack keeps it there; `dos clear` ends that";
	case -ENETDOWN:
		return "none of the members that it could be failed over to works now; `team show` "
		       "says why";
	case -EOPNOTSUPP:
		return "second_team_members of its profile names no reserve member, and in "
		       "active-backup only these can be used";
	}
	return "its team has no members that it could be failed over to: no reserve_members, and "
	       "none of second_team_members of its profile";
}

static int failover(struct netback *nb, json_t *args, bool on, json_t **result,
		    char error[CTL_ERROR_MAX])
{
	struct backend_device *dev;
	struct worker *worker;
	struct failover_call call = {need_vif(nb, args, &dev, &worker, error), on};
	AUTO_FREE struct status_call *status = NULL;
	int rc;

	if (!call.vif)
		return -ENOENT;
	rc = worker_call(worker, call_failover, &call);
	if (rc < 0) {
		snprintf(error, CTL_ERROR_MAX, "%s: %s", dev->name, failover_error(rc));
		return rc;
	}
	netback_event(nb, &(struct events_input){.kind = EVENTS_KIND_ADMIN,
						 .team = team_entry_name(vifdev_team(dev)),
						 .who = dev->name,
						 .new = on ? "dos failover" : "dos failback"});
	status = ask(worker, call.vif);
	*result = vif_to_json(dev, status, false);
	return 0;
}

static int on_failover(void *ctx, json_t *args, json_t **result, char error[CTL_ERROR_MAX])
{
	return failover(ctx, args, true, result, error);
}

static int on_failback(void *ctx, json_t *args, json_t **result, char error[CTL_ERROR_MAX])
{
	return failover(ctx, args, false, result, error);
}

void dos_ctl_register(struct netback *nb)
{
	ctl_register(nb->app->ctl, "dos list",
		     "attacks on and by all guests and teams, what happened lately", on_list, nb);
	ctl_register(nb->app->ctl, "dos show",
		     "{domid, devid}: meters, alarms, reactions and history of one vif", on_show,
		     nb);
	ctl_register(nb->app->ctl, "dos clear",
		     "{domid, devid, [relearn]}: end alarms and reactions of one vif; relearn: "
		     "forget what is usual for it",
		     on_clear, nb);
	ctl_register(nb->app->ctl, "dos failover",
		     "{domid, devid}: move one vif to its second set of NICs", on_failover, nb);
	ctl_register(nb->app->ctl, "dos failback", "{domid, devid}: and back to where it belongs",
		     on_failback, nb);
}
