/* SPDX-License-Identifier: GPL-2.0-or-later */
/* service_verbs.c - the commands of the service: what is asked, whether it is allowed, done or
 * handed to the helper. */
#include "service_priv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "common/log.h"
#include "common/util.h"
#include "guest.h"

#define LOG_MODULE "vmctl"

/* --- pause and unpause --- */

#define PAUSE_MIN_NS (10 * NSEC_PER_MSEC)
static const struct key time_keys[] = {
	{.name = "pause",
	 .type = KEY_TYPE_DURATION,
	 .min = PAUSE_MIN_NS,
	 .max = RULES_PAUSE_MAX_NS,
	 .def = "60s"},
};
static const struct key_table time_table = {
	.name = "pause", .keys = time_keys, .n_keys = 1, .object_size = sizeof(uint64_t)};

static json_t *message(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static json_t *message(const char *fmt, ...)
{
	char text[CTL_ERROR_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return json_pack("{s:s}", "message", text);
}

static uint64_t left_s(const struct ledger_vm *paused, uint64_t now_ns)
{
	return seconds_up(paused->until_ns - MIN(now_ns, paused->until_ns));
}

/* Not past latest_ns, but a moment at least. */
static uint64_t bounded(uint64_t for_ns, uint64_t latest_ns, uint64_t now_ns)
{
	return MIN(for_ns, latest_ns > now_ns ? latest_ns - now_ns : 1);
}

static int do_pause(struct question *q, json_t **result)
{
	struct service *service = q->service;
	uint64_t now_ns = clock_now(service->config.clock), for_ns = q->rules->max_pause_ns;
	const struct ledger_vm *paused = ledger_paused(&service->ledger, q->info.uuid);
	const char *reason = q->reason ? q->reason : "";
	const struct ledger_reason *known;
	int err;

	if (q->argument && key_set(&time_table, &for_ns, "pause", q->argument, q->error))
		return -EINVAL;
	for_ns = MIN(for_ns, q->rules->max_pause_ns);
	/* It is another domain by now, or somebody else let it go on. */
	if (paused && (paused->domid != q->domid || !q->info.paused)) {
		ledger_unpause(&service->ledger, q->info.uuid);
		paused = NULL;
	}
	known = paused ? ledger_reason(paused, reason) : NULL;
	if (known && known->until_ns > now_ns) {
		*result = message("guest %u (%s) is paused already, for %" PRIu64 " s more",
				  q->domid, q->info.name, left_s(paused, now_ns));
		return 0;
	}
	/* Reasons that follow each other make no pause longer than it may be. */
	if (paused)
		for_ns = bounded(for_ns, paused->since_ns + q->rules->max_pause_ns, now_ns);
	err = question_book(q, q->info.uuid);
	if (!err)
		err = pause_begin(service, &q->info, reason, now_ns + for_ns, q->error);
	if (err)
		return err;
	service_run(service); /* sets the timer */
	*result = message("guest %u (%s) is paused, for %" PRIu64 " s at most", q->domid,
			  q->info.name, seconds_up(for_ns));
	return 0;
}

/* Is it paused for others than this one, whose time is not up? */
static bool has_others(const struct ledger_vm *paused, const char *reason, uint64_t now_ns)
{
	for (unsigned int i = 0; i < paused->n_reasons; i++)
		if (strcmp(paused->reasons[i].text, reason) && paused->reasons[i].until_ns > now_ns)
			return true;
	return false;
}

static int do_unpause(struct question *q, json_t **result)
{
	struct service *service = q->service;
	const struct ledger_vm *paused = ledger_paused(&service->ledger, q->info.uuid);
	const uint64_t now_ns = clock_now(service->config.clock);
	int err;

	if (q->reason && !(paused && ledger_reason(paused, q->reason))) {
		*result = message("guest %u (%s) is not paused for %s any more", q->domid,
				  q->info.name, q->reason);
		return 0;
	}
	if (q->reason && has_others(paused, q->reason, now_ns)) {
		pause_forget(service, paused, q->reason);
		*result = message(
			"guest %u (%s) stays paused for other reasons, for %" PRIu64 " s more",
			q->domid, q->info.name, left_s(paused, clock_now(service->config.clock)));
		service_run(service); /* perhaps only reasons were left whose time is up */
		return 0;
	}
	if (!paused)
		return question_fail(q, -EPERM, "guest %u (%s) was not paused by this service%s",
				     q->domid, q->info.name,
				     q->info.paused ? ", but by others: `xl unpause` lets it go on"
						    : "");
	err = pause_end(service, paused, "it was asked for");
	service_run(service);
	if (err)
		return question_fail(q, err, "guest %u (%s) cannot go on: %s", q->domid,
				     q->info.name, strerror(-err));
	*result = message("guest %u (%s) goes on", q->domid, q->info.name);
	return 0;
}

/* --- jobs --- */

/* dir/argument, where list allows it (NULL: any). */
static int make_path(const struct question *q, const char *dir, const char *key, const char *list,
		     char path[COMMAND_PATH_MAX])
{
	if (!command_file_valid(q->argument))
		return question_fail(
			q, -EINVAL,
			"%s: \"%.60s\" is refused; allowed: the name of a file in %.100s, up to "
			"%d letters, digits and ._+- with a letter or digit first",
			q->name, q->argument, dir, COMMAND_FILE_MAX);
	if (list && !rules_listed(list, q->argument))
		return question_fail(q, -EPERM, "%s: \"%.60s\" is not allowed by `%s` of %.100s",
				     q->name, q->argument, key, q->service->conf.path);
	snprintf(path, COMMAND_PATH_MAX, "%s/%s", dir, q->argument);
	if (q->verb == VMCTL_SAVE && !access(path, F_OK))
		return question_fail(q, -EEXIST, "save: %.300s is there already", path);
	return 0;
}

static int check_host(const struct question *q, char host[COMMAND_PATH_MAX])
{
	if (!command_host_valid(q->argument))
		return question_fail(
			q, -EINVAL,
			"migrate: \"%.60s\" is refused; allowed: the name or address of a host",
			q->argument);
	if (!rules_listed(q->service->conf.rules.service.migrate_to, q->argument))
		return question_fail(q, -EPERM,
				     "migrate: \"%.60s\" is not allowed by `migrate_to` of %.100s",
				     q->argument, q->service->conf.path);
	snprintf(host, COMMAND_PATH_MAX, "%s", q->argument);
	return 0;
}

/* What xl is called with. */
static int make_word(const struct question *q, char word[COMMAND_PATH_MAX])
{
	const struct rules_service *rules = &q->service->conf.rules.service;

	word[0] = 0;
	switch (q->verb) {
	case VMCTL_SAVE:
		return make_path(q, rules->save_dir, "save_dir", NULL, word);
	case VMCTL_RESTORE:
		return make_path(q, rules->save_dir, "restore", rules->restore, word);
	case VMCTL_LAUNCH:
		return make_path(q, rules->launch_dir, "launch", rules->launch, word);
	case VMCTL_MIGRATE:
		return check_host(q, word);
	case VMCTL_SHUTDOWN:
	case VMCTL_LIST:
	case VMCTL_PAUSE:
	case VMCTL_UNPAUSE:
	case VMCTL_VERBS:
		break;
	}
	return 0;
}

static json_t *job_json(const struct job *job)
{
	json_t *json = json_pack("{s:I, s:s, s:s, s:s, s:s}", "job", (json_int_t)job->id, "verb",
				 vmctl_verb_desc(job->verb)->name, "what", job->what, "state",
				 vmctl_job_state_name(job->state), "message", job->message);

	if (job->domid != VMCTL_NO_DOMID)
		json_object_set_new(json, "vm", json_integer(job->domid));
	return json;
}

static int do_job(struct question *q, json_t **result)
{
	struct service *service = q->service;
	const struct service_config *config = &service->config;
	const struct rules_service *rules = &service->conf.rules.service;
	bool guest = q->domid != VMCTL_NO_DOMID;
	char word[COMMAND_PATH_MAX];
	struct job *job;
	int err = make_word(q, word);

	if (!err && jobs_n_running(&service->jobs) >= rules->jobs)
		err = question_fail(q, -EBUSY,
				    "%s: %" PRIu64 " jobs run already (`jobs` of %.100s)", q->name,
				    rules->jobs, service->conf.path);
	if (!err)
		err = question_book(q, guest ? q->info.uuid : NULL);
	if (err)
		return err;
	job = jobs_add(&service->jobs, q->verb, q->domid, q->info.uuid,
		       guest ? q->info.name : q->argument);
	err = config->start(config->start_ctx, job->id, q->verb, q->domid, word[0] ? word : NULL,
			    rules->timeout_ns);
	if (err) {
		jobs_end(job, err, "not started");
		return question_fail(q, err, "%s: the process that runs xl cannot be asked: %s",
				     q->name, strerror(-err));
	}
	*result = job_json(job);
	return 0;
}

/* --- list --- */

static json_t *listed(const struct service *service, const struct vms_info *info)
{
	const struct ledger_vm *paused = ledger_paused(&service->ledger, info->uuid);
	uint64_t now_ns = clock_now(service->config.clock);
	json_t *json = guest_json(info), *reasons;

	if (!paused)
		return json;
	reasons = json_array();
	for (unsigned int i = 0; i < paused->n_reasons; i++)
		if (paused->reasons[i].text[0])
			json_array_append_new(reasons, json_string(paused->reasons[i].text));
	json_object_set_new(json, "goes_on_in_s", json_integer((json_int_t)left_s(paused, now_ns)));
	json_object_set_new(json, "reasons", reasons);
	return json;
}

static int do_list(struct question *q, json_t **result)
{
	struct vms *vms = q->service->config.vms;
	struct vms_info *list;
	size_t n;
	int err = vms->ops->list(vms, &list, &n);

	if (err)
		return question_fail(q, err,
				     "the hypervisor does not tell which guests there are: %s",
				     strerror(-err));
	*result = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(*result, listed(q->service, &list[i]));
	free(list);
	return 0;
}

/* --- commands --- */

static int run_verb(struct question *q, json_t **result)
{
	const struct vmctl_verb_desc *desc = vmctl_verb_desc(q->verb);
	int err = 0;

	if (q->verb == VMCTL_LIST)
		return do_list(q, result);
	if (desc->domid)
		err = question_find_guest(q);
	if (!err && q->verb == VMCTL_UNPAUSE)
		return do_unpause(q, result);
	if (desc->domid && !err)
		err = question_check_rules(q);
	else
		conf_refresh(&q->service->conf);
	if (desc->domid && !err)
		err = question_check_state(q);
	if (err)
		return err;
	return desc->job ? do_job(q, result) : do_pause(q, result);
}

static int cmd_verb(struct service *service, enum vmctl_verb verb, json_t *args, json_t **result,
		    char error[CTL_ERROR_MAX])
{
	struct question q = {.service = service,
			     .verb = verb,
			     .name = vmctl_verb_desc(verb)->name,
			     .error = error};
	unsigned int uid = ctl_peer(service->ctl);
	int err = question_take(&q, args);

	if (!err)
		err = run_verb(&q, result);
	if (err)
		log_info("%s, asked for by uid %u, is refused: %s", q.name, uid, error);
	else if (verb != VMCTL_LIST)
		log_info("%s of %s, asked for by uid %u", q.name,
			 q.info.uuid[0] ? q.info.uuid : q.argument, uid);
	return err;
}

/* ctl.h hands one pointer over: a function for each verb. */
#define VERB(name, verb)                                                                           \
	static int cmd_##name(void *ctx, json_t *args, json_t **result, char error[CTL_ERROR_MAX]) \
	{                                                                                          \
		return cmd_verb(ctx, verb, args, result, error);                                   \
	}
VERB(list, VMCTL_LIST)
VERB(pause, VMCTL_PAUSE)
VERB(unpause, VMCTL_UNPAUSE)
VERB(save, VMCTL_SAVE)
VERB(restore, VMCTL_RESTORE)
VERB(migrate, VMCTL_MIGRATE)
VERB(shutdown, VMCTL_SHUTDOWN)
VERB(launch, VMCTL_LAUNCH)

static int cmd_job(void *ctx, json_t *args, json_t **result, char error[CTL_ERROR_MAX])
{
	struct service *service = ctx;
	const json_t *id = json_object_get(args, "job");
	const struct job *job = NULL;

	if (json_is_integer(id) && json_integer_value(id) > 0)
		job = jobs_find(&service->jobs, (uint64_t)json_integer_value(id));
	if (job) {
		*result = job_json(job);
		return 0;
	}
	snprintf(error, CTL_ERROR_MAX,
		 "there is no such job (any more); \"job\" is a number that a verb has answered");
	return -ENOENT;
}

static int cmd_jobs(void *ctx, json_t *args, json_t **result, char error[CTL_ERROR_MAX])
{
	struct service *service = ctx;
	uint64_t last = service->jobs.last_id;

	*result = json_array();
	for (uint64_t id = last > JOBS_MAX ? last - JOBS_MAX : 1; id <= last; id++) {
		const struct job *job = jobs_find(&service->jobs, id);

		if (job)
			json_array_append_new(*result, job_json(job));
	}
	return 0;
}

void verbs_register(struct service *service)
{
	static const ctl_fn functions[VMCTL_VERBS] = {
		[VMCTL_LIST] = cmd_list,	 [VMCTL_PAUSE] = cmd_pause,
		[VMCTL_UNPAUSE] = cmd_unpause,	 [VMCTL_SAVE] = cmd_save,
		[VMCTL_RESTORE] = cmd_restore,	 [VMCTL_MIGRATE] = cmd_migrate,
		[VMCTL_SHUTDOWN] = cmd_shutdown, [VMCTL_LAUNCH] = cmd_launch,
	};

	for (int i = 0; i < VMCTL_VERBS; i++) {
		const struct vmctl_verb_desc *desc = vmctl_verb_desc((enum vmctl_verb)i);

		ctl_register(service->ctl, desc->name, desc->help, functions[i], service);
	}
	ctl_register(service->ctl, "job", "job {\"job\": ID}: what has become of it", cmd_job,
		     service);
	ctl_register(service->ctl, "jobs", "jobs that run, or ran lately", cmd_jobs, service);
}
