/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmctl_wire.h - what passes between xenback-vmctl and who asks it: lines of JSON as in ctl.h.
 *
 * {"cmd": "pause", "args": {"vm": 3, "argument": "30s"}}; vm: a domid, or a name or UUID as a
 * string. pause and unpause may have a "reason", see vmctl_ask_for. A verb that is done at once
 * answers {"message": "..."}; a job {"job": 7, "state": "running"}, and so does {"cmd": "job",
 * "args": {"job": 7}}, with "message" once state is "done" or "failed".
 */
#ifndef XB_VMCTL_WIRE_H
#define XB_VMCTL_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmctl.h"

/** Bytes of an answer: a list of all the guests that a host can have. */
#define VMCTL_REPLY_MAX ((size_t)8 << 20)

/** domids from here on are Xen's own (DOMID_FIRST_RESERVED, xen/include/public/xen.h). */
#define VMCTL_DOMID_END 0x7ff0

enum vmctl_job_state { VMCTL_JOB_RUNNING, VMCTL_JOB_DONE, VMCTL_JOB_FAILED };
const char *vmctl_job_state_name(enum vmctl_job_state state);

/** What a verb is about. */
struct vmctl_verb_desc {
	const char *name;
	bool domid;	     /**< about a running guest */
	bool argument;	     /**< may have an argument */
	bool needs_argument; /**< must have it */
	bool job;	     /**< takes longer than a moment */
	bool reason;	     /**< may have a reason */
	const char *value;   /**< the argument for --help, NULL = none */
	const char *help;
};
/** Never NULL. */
const struct vmctl_verb_desc *vmctl_verb_desc(enum vmctl_verb verb);
/** 0, or -ENOENT. */
int vmctl_verb_parse(const char *name, enum vmctl_verb *verb);

/** An answer, taken apart. */
struct vmctl_reply {
	bool ok;		    /**< false: message says why not */
	uint64_t job;		    /**< 0 = no job */
	enum vmctl_job_state state; /**< of the job */
	char *message;		    /**< never NULL, printable; to free() */
};

/** The line that asks, with the newline, to free(); NULL where argument is not UTF-8. argument,
 * reason: NULL = none. */
char *vmctl_request_line(enum vmctl_verb verb, uint16_t domid, const char *argument,
			 const char *reason);
/** The line that asks for a job. */
char *vmctl_job_line(uint64_t job);
/** 0, or -EPROTO: not an answer of xenback-vmctl; then there is nothing to free. */
int vmctl_reply_parse(const char *line, size_t size, struct vmctl_reply *reply);

#endif
