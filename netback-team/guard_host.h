/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guard_host.h - reactions to attacks that this daemon has no right to carry out itself: guests are
 * paused, unpaused and migrated by xenback-vmctl(8), programs are run by hook.[ch]. Control thread.
 *
 * A pause carries its longest time with it, so that xenback-vmctl wakes the guest up should this
 * daemon die meanwhile.
 */
#ifndef XB_NET_GUARD_HOST_H
#define XB_NET_GUARD_HOST_H

#include "guard.h"

struct guard_host;
struct hook;
struct netback;

/** hook: borrowed, NULL = programs cannot be run. vmctl_path: socket, NULL = the usual one. 0 or
 * -errno. */
int guard_host_create(struct guard_host **out, struct netback *nb, struct hook *hook,
		      const char *vmctl_path);
/** Forgets what is under way. NULL is legal. */
void guard_host_destroy(struct guard_host *host);
/** HOOK, PAUSE, UNPAUSE or MIGRATE; the guest's worker hears of what comes to nothing. */
void guard_host_do(struct guard_host *host, const struct guard_request *request, const char *team);
/** The vif was taken over from a predecessor, who may have paused its guest in a shortage
 * (relief.h); nobody else knows: it goes on. Where there still is one it is paused again. */
void guard_host_end_pause(struct guard_host *host, const char *vif, uint16_t domid, uint32_t devid);

#endif
