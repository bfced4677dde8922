/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * service_pause.c - pauses: made, ended, and kept in a file so that a successor ends them.
 *
 * The file is written before the guest is paused: between the two a kill leaves a pause too much in
 * the file, whose end fails harmlessly, and not a guest that nobody lets go on.
 */
#include "service_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/util.h"

#define LOG_MODULE "vmctl"

/* An end that failed is tried again. */
#define RETRY_NS NSEC_PER_SEC

static int write_all(const char *path, const char *text)
{
	AUTO_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	size_t size = strlen(text);

	if (fd < 0)
		return -errno;
	while (size) {
		ssize_t n = write(fd, text, size);

		if (n < 0)
			return -errno;
		text += n;
		size -= (size_t)n;
	}
	return 0;
}

/* The old file stays whole until the new one is. */
static int save(const struct service *service)
{
	const char *path = service->config.state_path;
	AUTO_FREE char *next = xb_asprintf("%s.new", path);
	AUTO_FREE char *text = xb_calloc(1, LEDGER_TEXT_MAX);
	int err;

	ledger_format(&service->ledger, text);
	err = write_all(next, text);
	if (!err && rename(next, path))
		err = -errno;
	if (err)
		log_err("%s: cannot be written: %s; pauses would not end if this service is killed",
			path, strerror(-err));
	return err;
}

void pauses_load(struct service *service)
{
	const char *path = service->config.state_path;
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	AUTO_FREE char *text = xb_calloc(1, LEDGER_TEXT_MAX);
	ssize_t n = fd < 0 ? -1 : read(fd, text, LEDGER_TEXT_MAX);
	unsigned int n_wrong;

	if (n < 0) {
		if (errno != ENOENT)
			log_err("%s: %s; guests that a predecessor paused stay so", path,
				strerror(errno));
		return;
	}
	n_wrong = ledger_parse(&service->ledger, text, (size_t)n, clock_now(service->config.clock),
			       RULES_PAUSE_MAX_NS);
	if (n_wrong)
		log_err("%s: %u lines make no sense and are left out", path, n_wrong);
	if (ledger_nth_paused(&service->ledger, 0))
		log_info("%s: guests that a predecessor paused go on in time", path);
}

int pause_begin(struct service *service, const struct vms_info *info, const char *reason,
		uint64_t until_ns, char error[CTL_ERROR_MAX])
{
	struct vms *vms = service->config.vms;
	const bool stands = ledger_paused(&service->ledger, info->uuid);
	int err = ledger_pause(&service->ledger, info->uuid, info->domid, reason,
			       clock_now(service->config.clock), until_ns);

	if (err == -EUSERS)
		snprintf(error, CTL_ERROR_MAX, "guest %u is paused for %d reasons, no more fit",
			 info->domid, LEDGER_REASONS);
	else if (err)
		snprintf(error, CTL_ERROR_MAX, "%d guests are paused, no more can be", LEDGER_VMS);
	if (err)
		return err;
	err = save(service);
	if (stands) /* what the file has lets it go on, too */
		return 0;
	if (err) {
		ledger_unpause(&service->ledger, info->uuid);
		snprintf(error, CTL_ERROR_MAX,
			 "the guest is not paused, for %.200s cannot be written: %s",
			 service->config.state_path, strerror(-err));
		return err;
	}
	err = vms->ops->pause(vms, info->domid);
	if (err) {
		ledger_unpause(&service->ledger, info->uuid);
		save(service);
		snprintf(error, CTL_ERROR_MAX, "the hypervisor refuses: %s", strerror(-err));
	}
	return err;
}

void pause_forget(struct service *service, const struct ledger_vm *vm, const char *reason)
{
	log_info("guest %u (%s) stays paused, but not for %s any more", vm->domid, vm->uuid,
		 reason);
	ledger_forget(&service->ledger, vm->uuid, reason);
	save(service);
}

int pause_end(struct service *service, const struct ledger_vm *vm, const char *why)
{
	struct vms *vms = service->config.vms;
	char uuid[LEDGER_UUID];
	struct vms_info info;
	int err = vms->ops->find(vms, vm->domid, &info);

	memcpy(uuid, vm->uuid, sizeof(uuid));
	/* The number may be another guest's by now. */
	if (!err && strcmp(info.uuid, uuid))
		err = -ESRCH;
	if (!err)
		err = vms->ops->unpause(vms, vm->domid);
	if (err && err != -ESRCH && err != -EINVAL) {
		log_err("guest %u (%s) cannot go on: %s; trying again", vm->domid, uuid,
			strerror(-err));
		ledger_retry(&service->ledger, uuid, clock_now(service->config.clock) + RETRY_NS);
		return err;
	}
	if (err)
		log_info("guest %u (%s) is not paused any more: %s", vm->domid, uuid,
			 err == -ESRCH ? "it is gone" : "somebody else let it go on");
	else
		log_info("guest %u (%s) goes on: %s", vm->domid, uuid, why);
	ledger_unpause(&service->ledger, uuid);
	save(service);
	return 0;
}
