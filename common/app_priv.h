/* SPDX-License-Identifier: GPL-2.0-or-later */
/* app_priv.h - between app.c, app_commands.c (control commands that every daemon has) and
 * app_rights.c (what it gives up). */
#ifndef XB_APP_PRIV_H
#define XB_APP_PRIV_H

#include <stddef.h>
#include <stdint.h>
#include <sys/capability.h>

#include "app.h"

/** What the built-in commands show. */
struct app_commands {
	const struct app_desc *desc;
	struct app *app;
	uint64_t start_ns;
};

/** Registers status, stats, metrics, log and keys. `commands` lives as long as app->ctl. */
void app_commands_register(struct app_commands *commands);

/** Prints what the command "keys" answers, for those who ask while no daemon runs. -EIO where it
 * cannot be written. */
int app_print_keys(const struct app_desc *desc);

/** The text last given to app_status. */
const char *app_last_status(void);

/**
 * Reduces the capabilities of this thread, and of all that it starts, to those of keep that it has,
 * and the bounding set to keep. Call it while there is one thread. Returns 0 or -errno after a
 * message.
 */
int app_reduce_capabilities(const cap_value_t *keep, size_t n_keep);

/** 0 when there is such a user, -ENOENT, or another -errno. */
int app_find_user(const char *name);
/** Becomes the user with his groups; capabilities stay as they are. 0 or -errno after a message.
 * Call it while there is one thread. */
int app_become_user(const char *name);

/**
 * No new privileges, and EPERM for the system calls that no daemon of ours needs once it runs, in
 * all threads: new programs, debugging, mounting, modules, kexec, bpf, clocks, keyrings, new
 * namespaces. Joining a namespace, sockets and files stay.
 */
int app_restrict_syscalls(void);

#endif
