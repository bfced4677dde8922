/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ctl.h - control socket: one JSON request a line, one JSON reply a line.
 *
 * Request {"cmd": "team show", "args": {...}}; reply {"ok": true, "result": ...} or {"ok": false,
 * "error": "..."}. The server runs in the daemon's sd-event loop; only root (or the daemon's own
 * uid) is answered (SO_PEERCRED), and who ctl_set_allow says. A line over 64 KiB, or bytes that are
 * not JSON, get an error reply and the connection is closed; at most 16 connections.
 */
#ifndef XB_CTL_H
#define XB_CTL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#define CTL_LINE_MAX  65536
#define CTL_ERROR_MAX 512

struct ctl;

/**
 * Handles one command. args: a JSON object, never NULL, borrowed. On success returns 0 and sets
 * *result (new reference; NULL means null); on failure returns -errno and writes a sentence for a
 * person into error.
 */
typedef int (*ctl_fn)(void *ctx, json_t *args, json_t **result, char error[CTL_ERROR_MAX]);

/**
 * Listens on the unix socket `path` (mode 0600; a stale one is replaced, a live one is -EADDRINUSE)
 * or, where systemd passed a socket, on that. path NULL: no socket, only ctl_handle (tests,
 * fuzzing).
 */
int ctl_create(struct ctl **out, sd_event *event, const char *path);
void ctl_destroy(struct ctl *ctl);

/**
 * May this user run the command? cmd NULL: may he connect at all? Root and the daemon's own user
 * are not asked about.
 */
typedef bool (*ctl_allow_fn)(void *ctx, uid_t uid, const char *cmd);
/** Lets others ask as well; without it nobody else does. */
void ctl_set_allow(struct ctl *ctl, ctl_allow_fn fn, void *ctx);
/** Who asks, inside of a command; 0 for ctl_handle. */
uid_t ctl_peer(const struct ctl *ctl);

/** Adds a command; usage is shown by "help". name and usage must outlive ctl. */
void ctl_register(struct ctl *ctl, const char *name, const char *usage, ctl_fn fn, void *ctx);

/** Answers one request line (without the newline); returns the reply line to free(). */
char *ctl_handle(struct ctl *ctl, const char *line, size_t size);

/**
 * Client: sends one command to the socket and waits at most timeout_ms. Returns 0 and *result, or
 * -errno and a sentence that names the socket and the next step (daemon not running, no permission,
 * ...); -EREMOTEIO: the daemon itself refused, error is its own sentence. args may be NULL,
 * borrowed.
 */
int ctl_call(const char *path, const char *cmd, json_t *args, int timeout_ms, json_t **result,
	     char error[CTL_ERROR_MAX]);

#endif
