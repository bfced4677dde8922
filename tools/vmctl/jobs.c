/* SPDX-License-Identifier: GPL-2.0-or-later */
/* jobs.c - see jobs.h. */
#include "jobs.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* A free place, or that of the oldest one that has ended. */
static struct job *place(struct jobs *jobs)
{
	struct job *oldest = NULL;

	for (size_t i = 0; i < JOBS_MAX; i++) {
		struct job *job = &jobs->jobs[i];

		if ((!job->id || job->state != VMCTL_JOB_RUNNING) &&
		    (!oldest || job->id < oldest->id))
			oldest = job;
	}
	return oldest;
}

struct job *jobs_add(struct jobs *jobs, enum vmctl_verb verb, uint16_t domid, const char *uuid,
		     const char *what)
{
	struct job *job = place(jobs);

	assert(job);
	*job = (struct job){
		.id = ++jobs->last_id, .verb = verb, .state = VMCTL_JOB_RUNNING, .domid = domid};
	snprintf(job->uuid, sizeof(job->uuid), "%s", uuid);
	snprintf(job->what, sizeof(job->what), "%s", what);
	return job;
}

struct job *jobs_find(struct jobs *jobs, uint64_t id)
{
	for (size_t i = 0; i < JOBS_MAX; i++)
		if (id && jobs->jobs[i].id == id)
			return &jobs->jobs[i];
	return NULL;
}

void jobs_end(struct job *job, int rc, const char *message)
{
	job->state = rc ? VMCTL_JOB_FAILED : VMCTL_JOB_DONE;
	snprintf(job->message, sizeof(job->message), "%s", message);
}

static bool runs(const struct job *job)
{
	return job->id && job->state == VMCTL_JOB_RUNNING;
}

const struct job *jobs_of(const struct jobs *jobs, const char *uuid)
{
	for (size_t i = 0; i < JOBS_MAX; i++)
		if (runs(&jobs->jobs[i]) && !strcmp(jobs->jobs[i].uuid, uuid))
			return &jobs->jobs[i];
	return NULL;
}

size_t jobs_n_running(const struct jobs *jobs)
{
	size_t n = 0;

	for (size_t i = 0; i < JOBS_MAX; i++)
		n += runs(&jobs->jobs[i]);
	return n;
}
