/* SPDX-License-Identifier: GPL-2.0-or-later */
/* direct.c - `xenback-vmctl --direct`: for root, without the service, its rules and its limits. */
#include "cli.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "common/util.h"
#include "guest.h"
#include "runner.h"

/* Nobody waits for longer. */
#define TIMEOUT_NS (24 * 3600 * NSEC_PER_SEC)

static json_t *list_json(struct vms *vms)
{
	struct vms_info *list;
	size_t n;
	int err = vms->ops->list(vms, &list, &n);
	json_t *json;

	if (err) {
		cli_error("the hypervisor does not tell which guests there are: %s",
			  strerror(-err));
		return NULL;
	}
	json = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(json, guest_json(&list[i]));
	free(list);
	return json;
}

struct run {
	sd_event *event;
	struct runner_result result;
};

static void on_done(void *ctx, const struct runner_result *result)
{
	struct run *run = ctx;

	run->result = *result;
	sd_event_exit(run->event, 0);
}

static int run_xl(const struct command *command)
{
	struct run run = {0};
	sigset_t chld;
	int err = sd_event_new(&run.event);

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD); /* the loop asks for it */
	sigprocmask(SIG_BLOCK, &chld, NULL);
	if (err >= 0)
		err = runner_start(run.event, command->argv, TIMEOUT_NS, on_done, &run);
	if (err >= 0)
		err = sd_event_loop(run.event);
	sd_event_unref(run.event);
	if (err < 0)
		return cli_error("%s cannot be run: %s", command->argv[0], strerror(-err));
	if (run.result.status)
		return cli_error("%s failed (%d): %s", command->argv[0],
				 run.result.status < 0 ? run.result.signal : run.result.status,
				 run.result.output);
	if (run.result.output[0])
		puts(run.result.output);
	return 0;
}

/* A file may be given as people do, from where they are. */
static char *absolute(enum vmctl_verb verb, const char *argument)
{
	AUTO_FREE char *here = NULL;

	if (!argument || verb == VMCTL_MIGRATE || *argument == '/')
		return argument ? xb_strdup(argument) : NULL;
	here = getcwd(NULL, 0);
	return xb_asprintf("%s/%s", here ? here : "", argument);
}

static int run_job(const struct cli *cli, enum vmctl_verb verb, uint16_t domid,
		   const char *argument)
{
	AUTO_FREE char *word = absolute(verb, argument);
	struct command command;

	if (command_make(&command, cli->parts->xl, verb, domid, word))
		return cli_error("\"%s\" is refused; allowed: %s", argument ? argument : "",
				 verb == VMCTL_MIGRATE
					 ? "the name or address of a host"
					 : "a path without .. and control characters");
	return run_xl(&command);
}

static int run_call(struct vms *vms, enum vmctl_verb verb, uint16_t domid, const char *argument)
{
	int err;

	if (argument)
		return cli_error("pause --direct takes no time: without the service nobody would "
				 "let the guest go on");
	err = verb == VMCTL_PAUSE ? vms->ops->pause(vms, domid) : vms->ops->unpause(vms, domid);
	if (err == -EINVAL)
		return cli_error("guest %u is not paused", domid);
	return err ? cli_error("guest %u: the hypervisor refuses: %s", domid, strerror(-err)) : 0;
}

int cli_direct(const struct cli *cli, enum vmctl_verb verb, const char *guest, const char *argument)
{
	uint16_t domid = VMCTL_NO_DOMID;
	struct vms *vms;
	json_t *list;
	int status = cli->parts->vms_open(&vms) != 0;

	if (status)
		return status;
	list = list_json(vms);
	if (list && guest)
		domid = cli_find(list, guest);
	if (!list || (guest && domid == VMCTL_NO_DOMID))
		status = 1;
	else if (verb == VMCTL_LIST)
		cli_print_list(cli, list);
	else if (vmctl_verb_desc(verb)->job)
		status = run_job(cli, verb, domid, argument);
	else
		status = run_call(vms, verb, domid, argument);
	json_decref(list);
	vms->ops->close(vms);
	return status;
}
