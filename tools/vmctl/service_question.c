/* SPDX-License-Identifier: GPL-2.0-or-later */
/* service_question.c - what the service is asked: taken apart, and whether it is allowed. */
#include "service_priv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/util.h"
#include "guest.h"

int question_fail(const struct question *q, int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(q->error, CTL_ERROR_MAX, fmt, args);
	va_end(args);
	return err;
}

/* --- what is asked --- */

static int take_vm(struct question *q, json_t *vm)
{
	json_int_t domid = json_integer_value(vm);

	if (!vmctl_verb_desc(q->verb)->domid)
		return vm ? question_fail(q, -EINVAL, "%s takes no \"vm\"", q->name) : 0;
	if (!json_is_integer(vm) || domid <= 0 || domid >= VMCTL_DOMID_END)
		return question_fail(q, -EINVAL,
				     "%s needs \"vm\", the domid of a guest: a number from 1 to %d",
				     q->name, VMCTL_DOMID_END - 1);
	q->domid = (uint16_t)domid;
	return 0;
}

static int take_argument(struct question *q, json_t *argument)
{
	const struct vmctl_verb_desc *desc = vmctl_verb_desc(q->verb);

	if (argument && !desc->argument)
		return question_fail(q, -EINVAL, "%s takes no \"argument\"", q->name);
	if (!argument && desc->needs_argument)
		return question_fail(q, -EINVAL, "%s needs \"argument\": %s", q->name, desc->value);
	if (argument && !json_is_string(argument))
		return question_fail(q, -EINVAL, "\"argument\" of %s is a string", q->name);
	if (argument && json_string_length(argument) > VMCTL_ARGUMENT_MAX)
		return question_fail(q, -EINVAL, "\"argument\" of %s is longer than %d characters",
				     q->name, VMCTL_ARGUMENT_MAX);
	q->argument = json_string_value(argument);
	return 0;
}

static int take_reason(struct question *q, json_t *reason)
{
	if (!reason)
		return 0;
	if (!vmctl_verb_desc(q->verb)->reason)
		return question_fail(q, -EINVAL, "%s takes no \"reason\"", q->name);
	q->reason = json_string_value(reason);
	if (!q->reason || !xb_is_word(q->reason, VMCTL_REASON_MAX))
		return question_fail(q, -EINVAL,
				     "\"reason\" of %s: allowed are 1 to %d letters, digits and "
				     "._:-",
				     q->name, VMCTL_REASON_MAX);
	return 0;
}

int question_take(struct question *q, json_t *args)
{
	const char *key;
	json_t *value;
	int err;

	json_object_foreach(args, key, value)
	{
		if (strcmp(key, "vm") && strcmp(key, "argument") && strcmp(key, "reason"))
			return question_fail(
				q, -EINVAL,
				"%s: \"%.40s\" is unknown; allowed: vm, argument, reason", q->name,
				key);
	}
	q->domid = VMCTL_NO_DOMID;
	err = take_vm(q, json_object_get(args, "vm"));
	if (!err)
		err = take_argument(q, json_object_get(args, "argument"));
	return err ? err : take_reason(q, json_object_get(args, "reason"));
}

/* --- whether it is allowed --- */

int question_find_guest(struct question *q)
{
	struct vms *vms = q->service->config.vms;
	int err = vms->ops->find(vms, q->domid, &q->info);

	if (err == -ESRCH)
		return question_fail(q, err, "there is no guest %u", q->domid);
	if (err)
		return question_fail(q, err, "guest %u: the hypervisor does not tell: %s", q->domid,
				     strerror(-err));
	guest_printable(q->info.name);
	return 0;
}

int question_check_rules(struct question *q)
{
	struct conf *conf = &q->service->conf;

	conf_refresh(conf);
	q->rules = rules_find(&conf->rules, q->info.name, q->info.uuid);
	if (!q->rules)
		return question_fail(
			q, -EPERM,
			"%s of guest %u (%s): not allowed, no section [vm GUEST] of %.100s fits "
			"it%s%.160s",
			q->name, q->domid, q->info.name, conf->path, conf->error[0] ? "; " : "",
			conf->error);
	if (!q->rules->verbs[q->verb])
		return question_fail(
			q, -EPERM,
			"%s of guest %u (%s): not allowed; section [vm %s] of %.100s allows: "
			"%.60s",
			q->name, q->domid, q->info.name, q->rules->guest, conf->path,
			q->rules->allow[0] ? q->rules->allow : "nothing");
	return 0;
}

int question_check_state(const struct question *q)
{
	const struct job *job = jobs_of(&q->service->jobs, q->info.uuid);

	if (q->info.ending)
		return question_fail(q, -EBUSY, "guest %u (%s) has shut down or is going", q->domid,
				     q->info.name);
	if (job)
		return question_fail(q, -EBUSY, "guest %u (%s): job %" PRIu64 " (%s) runs",
				     q->domid, q->info.name, job->id,
				     vmctl_verb_desc(job->verb)->name);
	/* xl asks the guest, and a guest that stands still does not answer. */
	if (q->info.paused && q->verb != VMCTL_PAUSE)
		return question_fail(q, -EBUSY, "guest %u (%s) is paused: unpause it for %s",
				     q->domid, q->info.name, q->name);
	return 0;
}

/* uuid NULL: no guest that is there. */
int question_book(const struct question *q, const char *uuid)
{
	const struct rules_service *service = &q->service->conf.rules.service;
	const struct ledger_rate all = {service->times, service->interval_ns};
	struct ledger_rate own = {1, 1};
	uint64_t wait_ns;
	int err;

	if (q->rules)
		own = (struct ledger_rate){q->rules->times, q->rules->interval_ns};
	err = ledger_book(&q->service->ledger, uuid, &own, &all,
			  clock_now(q->service->config.clock), &wait_ns);
	if (err == -ENOSPC)
		return question_fail(q, err, "%d guests are paused, no more can be", LEDGER_VMS);
	if (err)
		return question_fail(
			q, err,
			"%s: too often (times and interval of %.100s); possible again in %" PRIu64
			" s",
			q->name, q->service->conf.path, seconds_up(wait_ns));
	return 0;
}
