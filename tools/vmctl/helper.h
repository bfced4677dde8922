/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * helper.h - the process that runs xl for the service.
 *
 * Forked before the service gives its rights up: xl needs them, who reads from sockets does not. It
 * is asked by datagrams (helper_wire.h) and believes none: an argument that is not what the verb
 * takes is refused. When the service ends it stays until its last xl has ended, for an xl that is
 * killed in the middle of a save loses the guest.
 */
#ifndef XB_VMCTL_HELPER_H
#define XB_VMCTL_HELPER_H

#include <stdint.h>
#include <systemd/sd-event.h>

#include "common/vmctl_wire.h"

struct helper;

/** A job has ended: rc 0 or -errno; message: why it failed, or what xl said. */
typedef void (*helper_done_fn)(void *ctx, uint64_t job, int rc, const char *message);

/** Forks the process; call it while there is one thread. xl: the program, see runner_start; must
 * live on. -errno after a message. */
int helper_create(struct helper **out, const char *xl);
/** Answers come in this loop from now on; when the process ends the loop is ended, too. */
int helper_attach(struct helper *helper, sd_event *event, helper_done_fn done, void *ctx);
/** Lets it go; jobs that run go on. NULL is legal. */
void helper_destroy(struct helper *helper);

/** Starts a job; argument: as in command_make. 0 or -errno. */
int helper_start(struct helper *helper, uint64_t job, enum vmctl_verb verb, uint16_t domid,
		 const char *argument, uint64_t timeout_ns);

#endif
