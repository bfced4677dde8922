/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmctl.h - asks xenback-vmctl(8) to do something with a guest: the side that has no such right.
 *
 * Theory of Operation: everything runs in the caller's sd-event loop and nothing waits. Questions
 * are kept in order; a connection is there while there are some, so that xenback-vmctl may start,
 * stop and be restarted at any time. What takes longer than a moment (save, restore, migrate,
 * shutdown, launch) is a job there: it is asked for until it has ended.
 */
#ifndef XB_VMCTL_H
#define XB_VMCTL_H

#include <stdint.h>
#include <systemd/sd-event.h>

/** Where xenback-vmctl listens. */
#define VMCTL_SOCKET "/run/xenback/vmctl.sock"
/** Questions that may wait for their answer. */
#define VMCTL_WAITING_MAX 64
/** Characters of an argument. */
#define VMCTL_ARGUMENT_MAX 255
/** Characters of a reason: letters, digits, '.', '_', ':' and '-'. */
#define VMCTL_REASON_MAX 31
/** vmctl_ask: the verb is not about a running guest. */
#define VMCTL_NO_DOMID UINT16_MAX

/** What can be asked for; in brackets: the argument, "-" = none. */
enum vmctl_verb {
	VMCTL_LIST,    /**< [-] the guests that there are; no domid; message: a JSON array */
	VMCTL_PAUSE,   /**< [longest time, such as "30s"; NULL = what is allowed] stop the guest */
	VMCTL_UNPAUSE, /**< [-] let one go on that was paused by VMCTL_PAUSE, for whatever reason */
	VMCTL_SAVE,    /**< [name of a file] write it to a file and destroy it */
	VMCTL_RESTORE, /**< [name of a file] make it again from the file; no domid */
	VMCTL_MIGRATE, /**< [host] move it to another host */
	VMCTL_SHUTDOWN, /**< [-] ask it to shut down */
	VMCTL_LAUNCH,	/**< [name of a configuration] start it; no domid */
	VMCTL_VERBS
};

struct vmctl;

/**
 * The answer; exactly one for each vmctl_ask that returned 0, unless vmctl_close comes first. rc:
 * 0 = it is done; -EREMOTEIO = refused or failed there; -ENOENT, -ECONNREFUSED, -EACCES, -EAGAIN =
 * it cannot be reached; -ECONNRESET = it went away; -ETIMEDOUT = it does not answer; -EPROTO = what
 * answers is not xenback-vmctl. message: a sentence for people, never NULL, printable; borrowed.
 * May call vmctl_ask and vmctl_close.
 */
typedef void (*vmctl_done_fn)(void *ctx, int rc, const char *message);

/**
 * Connects to nothing yet. path: socket, NULL = VMCTL_SOCKET. Returns 0, -ENAMETOOLONG, or what
 * sd-event says.
 */
int vmctl_open(struct vmctl **out, sd_event *event, const char *path);
/** Forgets what is asked, without calling done; jobs go on. NULL is legal. */
void vmctl_close(struct vmctl *vmctl);

/**
 * Asks. domid: of the guest, 1 to 32751, or VMCTL_NO_DOMID for the verbs without one. argument: see
 * enum vmctl_verb, NULL = none; copied. done is called later, never from here. Returns 0; -EINVAL:
 * a domid or argument where there is none, or the other way round, or not ASCII; -EBUSY:
 * VMCTL_WAITING_MAX are waiting.
 */
int vmctl_ask(struct vmctl *vmctl, enum vmctl_verb verb, uint16_t domid, const char *argument,
	      vmctl_done_fn done, void *ctx);
/**
 * The same for VMCTL_PAUSE and VMCTL_UNPAUSE, with one of several reasons for which a guest may be
 * paused: it stands still until the last one is gone, be it that its time is up or that it was
 * unpaused with that reason. To end a reason that is gone already is no failure. -EINVAL also: not
 * a reason, or another verb.
 */
int vmctl_ask_for(struct vmctl *vmctl, enum vmctl_verb verb, uint16_t domid, const char *argument,
		  const char *reason, vmctl_done_fn done, void *ctx);

#endif
