/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * serve.c - xenback-vmctl as a service: opens the hypervisor, forks the process that runs xl, then
 * gives all rights up (common/app.h) and listens.
 */
#include "serve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/app.h"
#include "common/log.h"
#include "common/util.h"
#include "helper.h"
#include "service.h"

#define LOG_MODULE "vmctl"

struct serve {
	const struct vmctl_parts *parts;
	const char *conf_path;
	char *state_path;
	struct vms *vms;
	struct helper *helper;
	struct service *service;
};

static int set_conf(void *ctx, const char *value)
{
	((struct serve *)ctx)->conf_path = value;
	return 0;
}

static int check(void *ctx, bool only)
{
	/* A service with a wrong file still ends the pauses of its predecessor. */
	return only ? service_check_conf(((struct serve *)ctx)->conf_path) : 0;
}

static int start_job(void *ctx, uint64_t job, enum vmctl_verb verb, uint16_t domid,
		     const char *argument, uint64_t timeout_ns)
{
	return helper_start(ctx, job, verb, domid, argument, timeout_ns);
}

static int prepare(struct app *app)
{
	struct serve *serve = app->ctx;
	/* First: this process is to have nothing of ours. */
	int err = helper_create(&serve->helper, serve->parts->xl);

	return err ? err : serve->parts->vms_open(&serve->vms);
}

static int start(struct app *app)
{
	struct serve *serve = app->ctx;
	const struct service_config config = {
		.clock = app->clock,
		.event = app->event,
		.vms = serve->vms,
		.conf_path = serve->conf_path,
		.state_path = serve->state_path,
		.start = start_job,
		.start_ctx = serve->helper,
	};
	int err = service_create(&serve->service, &config);

	if (err)
		return err;
	err = helper_attach(serve->helper, app->event, service_job_done, serve->service);
	if (err) {
		log_err("no event source for the process that runs xl: %s", strerror(-err));
		return err;
	}
	service_register(serve->service, app->ctl);
	app_status("serving");
	return 0;
}

static void stop(struct app *app)
{
	struct serve *serve = app->ctx;

	service_destroy(serve->service);
	helper_destroy(serve->helper);
	if (serve->vms)
		serve->vms->ops->close(serve->vms);
}

int vmctl_serve(int argc, char **argv, const struct vmctl_parts *parts)
{
	const char *run = getenv("XENBACK_RUN");
	struct serve serve = {.parts = parts, .conf_path = SYSCONFDIR "/xenback/vmctl.conf"};
	const struct app_option options[] = {
		{"conf", "FILE", "what is allowed (default: " SYSCONFDIR "/xenback/vmctl.conf)",
		 &serve, set_conf},
	};
	const struct app_desc desc = {
		.name = "xenback-vmctl",
		.socket = "vmctl.sock",
		.summary = "Pauses, saves, restores, migrates, stops and launches guests for "
			   "daemons that hold no such right.",
		.ctx = &serve,
		.options = options,
		.n_options = ARRAY_SIZE(options),
		.no_xen = true,
		.check = check,
		.prepare = prepare,
		.start = start,
		.stop = stop,
	};
	int status;

	serve.state_path = xb_asprintf("%s/vmctl.paused", run && *run ? run : "/run/xenback");
	status = app_run(&desc, argc, argv);
	free(serve.state_path);
	return status;
}
