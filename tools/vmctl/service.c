/* SPDX-License-Identifier: GPL-2.0-or-later */
/* service.c - see service.h; service_verbs.c has the commands, service_pause.c the pauses,
 * service_conf.c the file of rules. */
#include "service_priv.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "common/log.h"
#include "common/util.h"

#define LOG_MODULE "vmctl"

uint64_t service_deadline(const struct service *service)
{
	return ledger_deadline(&service->ledger);
}

static void set_timer(struct service *service)
{
	uint64_t next_ns = service_deadline(service);

	if (!service->timer)
		return;
	if (next_ns == DEADLINE_NEVER) {
		sd_event_source_set_enabled(service->timer, SD_EVENT_OFF);
		return;
	}
	sd_event_source_set_time(service->timer, DIV_ROUND_UP(next_ns, NSEC_PER_USEC));
	sd_event_source_set_enabled(service->timer, SD_EVENT_ONESHOT);
}

void service_run(struct service *service)
{
	uint64_t now_ns = clock_now(service->config.clock);
	const struct ledger_vm *vm;

	while ((vm = ledger_due(&service->ledger, now_ns)))
		pause_end(service, vm, "its time is up");
	set_timer(service);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	service_run(userdata);
	return 0;
}

int service_create(struct service **out, const struct service_config *config)
{
	struct service *service = xb_calloc(1, sizeof(*service));
	int err = 0;

	*out = NULL;
	service->config = *config;
	service->conf.path = config->conf_path;
	ledger_init(&service->ledger);
	if (config->event) {
		err = sd_event_add_time(config->event, &service->timer, CLOCK_MONOTONIC, 0, 1000,
					on_timer, service);
		if (err < 0) {
			log_err("no timer: %s", strerror(-err));
			free(service);
			return err;
		}
	}
	conf_refresh(&service->conf);
	pauses_load(service);
	service_run(service);
	*out = service;
	return 0;
}

void service_destroy(struct service *service)
{
	const struct ledger_vm *vm;

	if (!service)
		return;
	/* One that cannot go on now stays in the file, for a successor. */
	for (size_t i = 0; (vm = ledger_nth_paused(&service->ledger, i));)
		i += pause_end(service, vm, "the service stops") != 0;
	sd_event_source_disable_unref(service->timer);
	free(service);
}

void service_job_done(void *ctx, uint64_t id, int rc, const char *message)
{
	struct service *service = ctx;
	struct job *job = jobs_find(&service->jobs, id);

	if (!job) {
		log_err("the end of an unknown job %llu: %s", (unsigned long long)id, message);
		return;
	}
	jobs_end(job, rc, message);
	if (rc)
		log_warn("job %llu (%s): %s", (unsigned long long)id, job->what, message);
	else
		log_info("job %llu (%s): %s", (unsigned long long)id, job->what, message);
}

/* What others than root may use: the verbs, and what becomes of their jobs. */
static bool may_ask(void *ctx, uid_t uid, const char *cmd)
{
	struct service *service = ctx;
	enum vmctl_verb verb;

	if (!cmd)
		conf_refresh(&service->conf);
	if (cmd && strcmp(cmd, "job") && vmctl_verb_parse(cmd, &verb))
		return false;
	for (size_t i = 0; i < service->conf.n_users; i++)
		if (service->conf.users[i] == uid)
			return true;
	return false;
}

void service_register(struct service *service, struct ctl *ctl)
{
	service->ctl = ctl;
	verbs_register(service);
	ctl_set_allow(ctl, may_ask, service);
}
