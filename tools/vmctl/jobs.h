/* SPDX-License-Identifier: GPL-2.0-or-later */
/* jobs.h - what xl does, or did lately, for xenback-vmctl. No I/O. */
#ifndef XB_VMCTL_JOBS_H
#define XB_VMCTL_JOBS_H

#include <stddef.h>
#include <stdint.h>

#include "common/vmctl_wire.h"
#include "common/xen/vms.h"

/** Jobs that are remembered, those that run included. */
#define JOBS_MAX	 64
#define JOBS_MESSAGE_MAX 1280

struct job {
	uint64_t id; /**< from 1; 0 = free */
	enum vmctl_verb verb;
	enum vmctl_job_state state;
	uint16_t domid;		  /**< or VMCTL_NO_DOMID */
	char uuid[VMS_UUID_SIZE]; /**< of the guest, "" = none yet */
	char what[VMS_NAME_SIZE]; /**< the guest's name, or the file */
	char message[JOBS_MESSAGE_MAX];
};

struct jobs {
	struct job jobs[JOBS_MAX];
	uint64_t last_id;
};

/** A new one that runs; uuid, what: "" = none. Fewer than JOBS_MAX run. */
struct job *jobs_add(struct jobs *jobs, enum vmctl_verb verb, uint16_t domid, const char *uuid,
		     const char *what);
/** NULL: there is none, or it is forgotten. */
struct job *jobs_find(struct jobs *jobs, uint64_t id);
void jobs_end(struct job *job, int rc, const char *message);
/** The one that runs for this guest; NULL = none. */
const struct job *jobs_of(const struct jobs *jobs, const char *uuid);
size_t jobs_n_running(const struct jobs *jobs);

#endif
