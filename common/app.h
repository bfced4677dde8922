/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * app.h - skeleton of a daemon: options, event loop, signals, readiness, watchdog, dropping of
 * rights.
 *
 * Common options: --xen real|box[:DIR], --log [MODULE=]LEVEL (repeatable), --ctl SOCKET, --check,
 * --keys, --version, --help.
 *
 * Order: options, check (--check: exit), Xen, control socket (with the commands help, stats,
 * metrics, log, keys, status), capabilities down to `keep_caps`, start, no_new_privs and seccomp,
 * READY=1, loop (watchdog pings), stop. Capabilities go before start, while there is one thread:
 * they belong to threads, and start makes more of those.
 *
 * SIGTERM and SIGINT end the loop, then stop runs. SIGHUP does nothing but a log line: settings are
 * live in xenstore.
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
	const char *summary; /**< one line for --help */
	const struct app_option *options;
	size_t n_options;
	const struct key_table *const *tables; /**< for the command "keys" and the manual page */
	size_t n_tables;
	const cap_value_t *keep_caps; /**< capabilities that start and all after it have */
	size_t n_keep_caps;
	bool no_xen; /**< this program needs no Xen */
	/** Checks the environment and the configuration; prints what is wrong; 0 = fine. Runs
	 * before start and for --check. */
	int (*check)(void);
	/** Sets everything up; -errno after a message. */
	int (*start)(struct app *app);
	/** Undoes start; also called when start failed half-way. */
	void (*stop)(struct app *app);
};

/** Runs the daemon; returns main's exit status: 0, 1 failure, 2 usage. */
int app_run(const struct app_desc *desc, int argc, char **argv);

/** sd_notify STATUS= with a formatted line. */
void app_status(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
