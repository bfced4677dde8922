/* SPDX-License-Identifier: GPL-2.0-or-later */
/* guard_host.c - see guard_host.h. */
#include "guard_host.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <utlist.h>

#include "dos_json.h"
#include "hook.h"
#include "log.h"
#include "netback.h"
#include "qos_relief.h"
#include "util.h"
#include "vmctl.h"

#define LOG_MODULE "dos"

/* A question that xenback-vmctl has not answered yet. */
struct question {
	struct guard_host *host;
	char vif[32];
	uint16_t domid;
	uint32_t devid;
	enum guard_request_kind kind;
	bool shortage; /* not an attack */
	struct question *prev, *next;
};

struct guard_host {
	struct netback *nb;
	struct vmctl *vmctl;
	struct hook *hook;
	struct question *questions;
};

int guard_host_create(struct guard_host **out, struct netback *nb, struct hook *hook,
		      const char *vmctl_path)
{
	struct guard_host *host = xb_calloc(1, sizeof(*host));
	int rc = vmctl_open(&host->vmctl, nb->app->event, vmctl_path);

	if (rc < 0) {
		free(host);
		return rc;
	}
	host->nb = nb;
	host->hook = hook;
	*out = host;
	return 0;
}

void guard_host_destroy(struct guard_host *host)
{
	struct question *question, *tmp;

	if (!host)
		return;
	vmctl_close(host->vmctl);
	DL_FOREACH_SAFE (host->questions, question, tmp)
		free(question);
	free(host);
}

/* --- guests --- */

struct failed_call {
	struct vif *vif;
	bool shortage;
	enum act_action action;
	int error;
};

static int call_failed(void *ctx, void *arg)
{
	struct failed_call *call = arg;

	if (call->shortage)
		qos_relief_failed(ctx, call->vif);
	else
		guard_failed(call->vif, call->action, call->error);
	return 0;
}

static const char *what(enum guard_request_kind kind)
{
	return kind == GUARD_PAUSE ? "pause" : kind == GUARD_UNPAUSE ? "unpause" : "migrate";
}

/* The worker decides whether and when it is tried again. */
static void tell_failure(struct guard_host *host, const struct question *q, int rc,
			 const char *message)
{
	struct backend_device *dev = backend_find(host->nb->backend, q->domid, q->devid);
	struct failed_call call = {.action = q->kind == GUARD_MIGRATE ? ACT_MIGRATE : ACT_PAUSE,
				   .error = rc,
				   .shortage = q->shortage};
	struct worker *worker;

	log_warn("%s: cannot %s the guest: %s", q->vif, what(q->kind), message);
	netback_event(host->nb, &(struct events_input){.severity = EVENTS_ERR,
						       .kind = q->shortage ? EVENTS_KIND_LIMIT
									   : EVENTS_KIND_DOS,
						       .who = q->vif,
						       .new = "refused by xenback-vmctl",
						       .why = message});
	call.vif = dev ? vifdev_vif(dev, &worker) : NULL;
	if (call.vif && !(q->shortage && q->kind == GUARD_UNPAUSE))
		worker_call(worker, call_failed, &call);
}

static void on_answer(void *ctx, int rc, const char *message)
{
	struct question *q = ctx;
	struct guard_host *host = q->host;

	DL_DELETE(host->questions, q);
	if (rc < 0)
		tell_failure(host, q, rc, message);
	else
		log_info("%s: xenback-vmctl: %s: %s", q->vif, what(q->kind), message);
	free(q);
}

static void ask(struct guard_host *host, const struct guard_request *request)
{
	static const enum vmctl_verb verbs[] = {[GUARD_PAUSE] = VMCTL_PAUSE,
						[GUARD_UNPAUSE] = VMCTL_UNPAUSE,
						[GUARD_MIGRATE] = VMCTL_MIGRATE};
	struct question *q = xb_calloc(1, sizeof(*q));
	char reason[VMCTL_REASON_MAX + 1];
	int rc;

	*q = (struct question){.host = host,
			       .domid = request->domid,
			       .devid = request->devid,
			       .kind = request->kind,
			       .shortage = request->reason[0]};
	snprintf(q->vif, sizeof(q->vif), "%s", request->vif);
	DL_APPEND(host->questions, q);
	/* Another interface of the same guest may have reasons of its own to pause it. */
	snprintf(reason, sizeof(reason), "%s%s%s", q->vif, request->reason[0] ? ":" : "",
		 request->reason);
	rc = vmctl_ask_for(host->vmctl, verbs[request->kind], request->domid,
			   request->argument[0] ? request->argument : NULL,
			   request->kind == GUARD_MIGRATE ? NULL : reason, on_answer, q);
	if (rc < 0)
		on_answer(q, rc, strerror(-rc));
}

/* --- programs --- */

static void run_hook(struct guard_host *host, const struct guard_request *request, const char *team)
{
	json_t *json = dos_alarm_to_json(request, team);
	AUTO_FREE char *text = json_dumps(json, JSON_COMPACT);
	const int rc = host->hook ? hook_run(host->hook, request->argument, text) : -ENOSYS;

	json_decref(json);
	if (rc < 0)
		log_warn("%s: hook %s: not run: %s", request->whole_team ? team : request->vif,
			 request->argument, strerror(-rc));
}

void guard_host_end_pause(struct guard_host *host, const char *vif, uint16_t domid, uint32_t devid)
{
	struct guard_request request = {
		.kind = GUARD_UNPAUSE, .domid = domid, .devid = devid, .reason = QOS_RELIEF_REASON};

	snprintf(request.vif, sizeof(request.vif), "%s", vif);
	ask(host, &request);
}

void guard_host_do(struct guard_host *host, const struct guard_request *request, const char *team)
{
	if (request->kind == GUARD_HOOK)
		run_hook(host, request, team);
	else
		ask(host, request);
}
