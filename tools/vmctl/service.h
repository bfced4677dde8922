/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * service.h - xenback-vmctl as a service: commands of its socket (vmctl_wire.h), rules, pauses,
 * jobs.
 *
 * Theory of Operation: every question is judged by vmctl.conf (rules.h), which is read again when
 * it has changed; one with a mistake is reported and the rules stay as they were. Pauses and their
 * ends are hypercalls, done at once; the rest are jobs of the helper. A pause is written to a file
 * before it is made, and every one ends: by who asked for it, after max_pause, when the service
 * stops, or, when it was killed, by its successor, who reads the file. Guests that others paused
 * are left alone.
 */
#ifndef XB_VMCTL_SERVICE_H
#define XB_VMCTL_SERVICE_H

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "common/clock.h"
#include "common/ctl.h"
#include "common/vmctl_wire.h"
#include "common/xen/vms.h"

struct service_config {
	struct clock *clock;
	sd_event *event;	/**< NULL: the caller calls service_run at the deadline (tests) */
	struct vms *vms;	/**< borrowed */
	const char *conf_path;	/**< vmctl.conf */
	const char *state_path; /**< the pauses */
	/** Starts a job, as helper_start does. */
	int (*start)(void *ctx, uint64_t job, enum vmctl_verb verb, uint16_t domid,
		     const char *argument, uint64_t timeout_ns);
	void *start_ctx;
};

struct service;

/** Reads both files; a pause whose time is up ends at once. -errno after a message. */
int service_create(struct service **out, const struct service_config *config);
/** Lets all go on that it paused. */
void service_destroy(struct service *service);

/** Adds the commands, and says who may use them. */
void service_register(struct service *service, struct ctl *ctl);
/** A helper_done_fn: a job has ended. */
void service_job_done(void *ctx, uint64_t id, int rc, const char *message);

/** Ends the pauses whose time is up. */
void service_run(struct service *service);
/** DEADLINE_NEVER (util.h) = none. */
uint64_t service_deadline(const struct service *service);

/** Reads a vmctl.conf and prints what is wrong with it: -EINVAL; none is fine, too. */
int service_check_conf(const char *path);

#endif
