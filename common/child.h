/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * child.h - a process that a daemon forks before it gives up its rights, to do for it later what it
 * then cannot: open devices, start programs.
 */
#ifndef XB_CHILD_H
#define XB_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

/** What a child does: talks over fd until that ends, then returns. arg as given to child_fork. */
typedef void (*child_fn)(int fd, const void *arg);

/**
 * Forks a child called name (15 characters at most are seen). Of all that the daemon has open it
 * has one end of a SOCK_SEQPACKET socket, as standard input, and the log. It ignores SIGINT,
 * SIGTERM and SIGHUP, which are for the daemon; no signal is blocked. tied: it is killed when the
 * daemon dies; otherwise run has to end when its socket does. Returns its pid, for waitpid, and the
 * daemon's end (close-on-exec) in *fd; or -errno. Call with one thread.
 */
pid_t child_fork(const char *name, bool tied, child_fn run, const void *arg, int *fd);

#endif
