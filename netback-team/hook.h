/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hook.h - programs of the administrator that are told what happens: run by a small process of its
 * own, since the daemon itself may start none once it serves guests.
 *
 * Theory of Operation: hook_create forks while the daemon is young; the process keeps the rights of
 * that moment and waits for datagrams. Each names a program and holds a text. It runs only regular
 * files in one directory, when these and the directory are root's and nobody else can write them;
 * never a shell, no arguments; the text is on the standard input, as a line, the output goes to the
 * log. So a daemon that a guest had taken over could only run what the administrator put there. At
 * most HOOK_RUNNING run at once; one that runs longer than HOOK_TIME_NS is killed.
 */
#ifndef XB_NET_HOOK_H
#define XB_NET_HOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HOOK_PROGRAM_MAX 64u	/**< name, with its end */
#define HOOK_TEXT_MAX	 16384u /**< bytes */
#define HOOK_RUNNING	 8u
#define HOOK_TIME_NS	 10000000000ull

struct hook;

/** Forks. dir: absolute; need not exist. -errno when it cannot. */
int hook_create(struct hook **out, const char *dir);
/** The process ends; programs that run go on. NULL is legal. */
void hook_destroy(struct hook *hook);
/** Asks for a program to be run; what goes wrong then is logged there. Never waits: -EAGAIN = too
 * much waits already; -EINVAL: no name of a file, -EMSGSIZE: text too long; -EPIPE: the process is
 * gone. */
int hook_run(struct hook *hook, const char *program, const char *text);

/** Is it the name of a file, in letters, digits, '_', '-' and '.', not beginning with a dot? */
bool hook_name_valid(const char *name);

/** The process's loop, for tests too: until its socket ends. */
void hook_serve(int fd, const char *dir);

#endif
