/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * app.h - skeleton of a daemon: options, event loop, signals, readiness, watchdog, dropping of
 * rights.
 *
 * Common options: --xen real|box[:DIR], --log [MODULE=]LEVEL (repeatable), --ctl SOCKET, --check,
 * --keys, --version, --help.
 *
 * Order: options, check (--check: exit), Xen, control socket (with the commands help, stats,
 * metrics, log, keys, status), prepare, user (--user), capabilities down to `keep_caps`, start,
 * no_new_privs and seccomp, READY=1, loop (watchdog pings), stop. Capabilities go before start,
 * while there is one thread: they belong to threads, and start makes more of those.
 *
 * SIGTERM and SIGINT end the loop, then stop runs. SIGHUP calls reload, or does nothing but a log
 * line: settings are live in xenstore.
 */
#ifndef XB_APP_H
#define XB_APP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/capability.h>
#include <systemd/sd-event.h>

struct clock;
struct ctl;
struct key_table;
struct stats;
struct xen;

/** An option of this daemon only, beside the common ones. */
struct app_option {
	const char *name;  /**< long name without dashes */
	const char *value; /**< placeholder of its value in --help, NULL = flag */
	const char *help;
	void *ctx;
	/** Returns 0, or -EINVAL after printing a message that names option, value and what is
	 * allowed. */
	int (*set)(void *ctx, const char *value);
};

/** What the skeleton hands to the daemon; lives until stop returned. */
struct app {
	sd_event *event;
	struct xen *xen; /**< the Xen seam chosen by --xen */
	struct ctl *ctl;
	struct stats *stats;
	struct clock *clock;
	void *ctx; /**< the daemon's own, set by start */
};

struct app_desc {
	const char *name;    /**< "netback-team": also the default socket /run/xenback/NAME.ctl */
	const char *socket;  /**< another name for that: FILE below /run/xenback; NULL: NAME.ctl */
	void *ctx;	     /**< what app->ctx is at first */
	const char *summary; /**< one line for --help */
	const struct app_option *options;
	size_t n_options;
	const struct key_table *const *tables; /**< for the command "keys" and the manual page */
	size_t n_tables;
	const cap_value_t *keep_caps; /**< capabilities that start and all after it have */
	size_t n_keep_caps;
	bool no_xen;	  /**< this program needs no Xen */
	bool user_option; /**< offers --user NAME: prepare is the last that runs as root */
	/** Checks the environment and the configuration; prints what is wrong; 0 = fine. Runs
	 * before start and for --check (only); ctx: of this struct. */
	int (*check)(void *ctx, bool only);
	/** Does what needs the rights that go next, while there is one thread: forks a helper that
	 * keeps some, makes directories. -errno after a message. May be NULL. */
	int (*prepare)(struct app *app);
	/** Sets everything up; -errno after a message. */
	int (*start)(struct app *app);
	/** SIGHUP: files that settings name may have changed. What is wrong is told where settings
	 * that are wrong are, and what was in force stays. NULL: there are no such files. */
	void (*reload)(struct app *app);
	/** Undoes prepare and start; also called when one of them failed half-way. */
	void (*stop)(struct app *app);
};

/** Runs the daemon; returns main's exit status: 0, 1 failure, 2 usage. */
int app_run(const struct app_desc *desc, int argc, char **argv);

/**
 * For a helper process that the daemon forked: no capabilities, no_new_privs, and of all system
 * calls those that open, read, write and stat files, pass descriptors over a socket that is there,
 * manage memory and exit; EPERM for the others. Builds with AddressSanitizer keep what
 * app_restrict_syscalls allows. Returns 0 or -errno after a message.
 */
int app_confine_helper(void);

/** sd_notify STATUS= with a formatted line. */
void app_status(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
