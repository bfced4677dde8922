/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * app.c - skeleton of a daemon: options, order of start and stop, signals, readiness, watchdog.
 *
 * Reads top-down as a daemon's life; app_rights.c gives rights up, app_commands.c answers the
 * common control commands.
 */
#include "app.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "app_priv.h"
#include "clock.h"
#include "config.h"
#include "ctl.h"
#include "log.h"
#include "stats.h"
#include "util.h"
#include "xen/ops.h"

#define LOG_MODULE "app"

enum app_exit { APP_EXIT_OK = 0, APP_EXIT_FAILURE = 1, APP_EXIT_USAGE = 2 };

/* Nothing decided yet: go on. */
#define APP_GO_ON (-1)

enum common_option {
	OPTION_XEN,
	OPTION_LOG,
	OPTION_CTL,
	OPTION_USER,
	OPTION_CHECK,
	OPTION_KEYS,
	OPTION_VERSION,
	OPTION_HELP
};

static const struct {
	const char *name, *value, *help;
} common_options[] = {
	[OPTION_XEN] = {"xen", "real|box[:DIR]",
			"which Xen to serve (default: $XENBACK_XEN, or real)"},
	[OPTION_LOG] = {"log", "[MODULE=]LEVEL",
			"log err, warn, info (default) or debug; repeatable"},
	[OPTION_CTL] = {"ctl", "SOCKET",
			"control socket (default: $XENBACK_RUN or /run/xenback, /NAME.ctl)"},
	[OPTION_USER] = {"user", "NAME", "run as this user once what needs root is done"},
	[OPTION_CHECK] = {"check", NULL, "check the environment and the configuration, then exit"},
	[OPTION_KEYS] = {"keys", NULL, "print the tables of configuration keys as JSON, then exit"},
	[OPTION_VERSION] = {"version", NULL, "print the version, then exit"},
	[OPTION_HELP] = {"help", NULL, "print this, then exit"},
};

struct run {
	const struct app_desc *desc;
	const char *xen_spec;
	const char *user; /* NULL: stay who we are */
	char *ctl_path;
	bool check_only;
	struct app app;
	struct app_commands commands;
	bool started;
	bool unknown_xen; /* --xen names none that we know */
};

static char last_status[256];

const char *app_last_status(void)
{
	return last_status;
}

void app_status(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(last_status, sizeof(last_status), fmt, args);
	va_end(args);
	for (char *c = last_status; *c; c++)
		if ((unsigned char)*c < 0x20)
			*c = ' ';
	sd_notifyf(0, "STATUS=%s", last_status);
}

static void print_option(const char *name, const char *value, const char *help)
{
	AUTO_FREE char *left = xb_asprintf("--%s%s%s", name, value ? "=" : "", value ? value : "");

	printf("  %-24s %s\n", left, help);
}

static bool is_offered(const struct app_desc *desc, enum common_option option)
{
	return option == OPTION_XEN    ? !desc->no_xen
	       : option == OPTION_USER ? desc->user_option
				       : true;
}

static void print_help(const struct app_desc *desc)
{
	printf("Usage: %s [OPTION]...\n%s\n\n", desc->name, desc->summary);
	for (size_t i = 0; i < desc->n_options; i++)
		print_option(desc->options[i].name, desc->options[i].value, desc->options[i].help);
	for (size_t i = 0; i < ARRAY_SIZE(common_options); i++)
		if (is_offered(desc, (enum common_option)i))
			print_option(common_options[i].name, common_options[i].value,
				     common_options[i].help);
	printf("\nExit status: 0 fine, 1 failure, 2 wrong usage. See %s(8).\n", desc->name);
}

/* All options as getopt wants them: the common ones, then the daemon's. */
static struct option *make_getopt_table(const struct app_desc *desc)
{
	size_t n = ARRAY_SIZE(common_options);
	struct option *table = xb_calloc(n + desc->n_options + 1, sizeof(*table));

	for (size_t i = 0; i < n + desc->n_options; i++) {
		bool common = i < n;
		const char *value = common ? common_options[i].value : desc->options[i - n].value;

		table[i].name = common ? common_options[i].name : desc->options[i - n].name;
		table[i].has_arg = value ? required_argument : no_argument;
		table[i].val = (int)i + 1000;
	}
	return table;
}

static int usage_error(const struct run *run, const char *what, const char *given)
{
	struct nearest nearest;

	/* "--foo=bar": only the name can be a misspelt one. */
	AUTO_FREE char *name = xb_strdup(given + strspn(given, "-"));

	name[strcspn(name, "=")] = 0;
	nearest_init(&nearest, name);
	for (size_t i = 0; i < ARRAY_SIZE(common_options); i++)
		nearest_offer(&nearest, common_options[i].name);
	for (size_t i = 0; i < run->desc->n_options; i++)
		nearest_offer(&nearest, run->desc->options[i].name);
	fprintf(stderr, "%s: %s %s", run->desc->name, what, given);
	if (nearest.best && strcmp(nearest.best, name))
		fprintf(stderr, "; did you mean --%s?", nearest.best);
	fprintf(stderr, "\nTry `%s --help`.\n", run->desc->name);
	return APP_EXIT_USAGE;
}

static int set_log_level(const struct run *run, const char *value)
{
	const char *equals = strchr(value, '=');
	enum log_level level;
	char module[32];

	snprintf(module, sizeof(module), "%.*s", equals ? (int)(equals - value) : 1,
		 equals ? value : "*");
	if (!log_level_parse(equals ? equals + 1 : value, &level) && !log_set_level(module, level))
		return APP_GO_ON;
	fprintf(stderr,
		"%s: --log: \"%s\" is refused; allowed: [MODULE=] and err, warn, info or debug\n",
		run->desc->name, value);
	return APP_EXIT_USAGE;
}

static int set_user(struct run *run, const char *name)
{
	int err = app_find_user(name);

	if (!err) {
		run->user = name;
		return APP_GO_ON;
	}
	fprintf(stderr, "%s: --user: \"%s\" is refused; allowed: a user of this machine%s%s\n",
		run->desc->name, name, err == -ENOENT ? "" : ": ",
		err == -ENOENT ? "" : strerror(-err));
	return APP_EXIT_USAGE;
}

static int take_option(struct run *run, size_t index, const char *value)
{
	const struct app_option *own;

	if (index >= ARRAY_SIZE(common_options)) {
		own = &run->desc->options[index - ARRAY_SIZE(common_options)];
		return own->set(own->ctx, value) ? APP_EXIT_USAGE : APP_GO_ON;
	}
	switch ((enum common_option)index) {
	case OPTION_XEN:
		run->xen_spec = value;
		break;
	case OPTION_LOG:
		return set_log_level(run, value);
	case OPTION_CTL:
		free(run->ctl_path);
		run->ctl_path = xb_strdup(value);
		break;
	case OPTION_USER:
		if (!run->desc->user_option)
			return usage_error(run, "unknown option", "--user");
		return set_user(run, value);
	case OPTION_CHECK:
		run->check_only = true;
		break;
	case OPTION_KEYS:
		return app_print_keys(run->desc) ? APP_EXIT_FAILURE : APP_EXIT_OK;
	case OPTION_VERSION:
		printf("%s %s\n", run->desc->name, PACKAGE_VERSION);
		return APP_EXIT_OK;
	case OPTION_HELP:
		print_help(run->desc);
		return APP_EXIT_OK;
	}
	return APP_GO_ON;
}

static int parse_options(struct run *run, int argc, char **argv)
{
	AUTO_FREE struct option *table = make_getopt_table(run->desc);
	int status = APP_GO_ON;

	optind = 0; /* glibc: start anew */
	opterr = 0;
	while (status == APP_GO_ON) {
		int given = MAX(optind, 1);
		int c = getopt_long(argc, argv, "+:", table, NULL);

		if (c < 0)
			break;
		if (c == '?')
			status = usage_error(run, "unknown option", argv[given]);
		else if (c == ':')
			status = usage_error(run, "a value is missing after", argv[given]);
		else
			status = take_option(run, (size_t)c - 1000, optarg);
	}
	if (status == APP_GO_ON && optind < argc)
		status = usage_error(run, "unexpected argument", argv[optind]);
	return status;
}

static int on_stop_signal(sd_event_source *source, const struct signalfd_siginfo *info,
			  void *userdata)
{
	const struct run *run = userdata;

	log_info("stopping: SIG%s", sigabbrev_np((int)info->ssi_signo));
	return sd_event_exit(run->app.event, 0);
}

static int on_hangup(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	struct run *run = userdata;

	if (run->desc->reload) {
		log_info("SIGHUP: settings and the files that they name are read again");
		run->desc->reload(&run->app);
	} else {
		log_info("SIGHUP: nothing to do, settings in xenstore take effect when they are "
			 "written");
	}
	return 0;
}

/* Before any thread: all of them must have the signals blocked that the loop reads. */
static int set_signals(struct run *run)
{
	sigset_t set;
	int err;

	signal(SIGPIPE, SIG_IGN); /* EPIPE says it where it happens */
	signal(SIGXFSZ, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	err = -pthread_sigmask(SIG_BLOCK, &set, NULL);
	if (err >= 0)
		err = sd_event_add_signal(run->app.event, NULL, SIGTERM, on_stop_signal, run);
	if (err >= 0)
		err = sd_event_add_signal(run->app.event, NULL, SIGINT, on_stop_signal, run);
	if (err >= 0)
		err = sd_event_add_signal(run->app.event, NULL, SIGHUP, on_hangup, run);
	return MIN(err, 0);
}

static int create_parts(struct run *run)
{
	struct app *app = &run->app;
	int err = sd_event_new(&app->event);

	app->clock = &clock_monotonic;
	app->stats = stats_create();
	if (err >= 0)
		err = set_signals(run);
	if (err < 0) {
		log_err("no event loop: %s", strerror(-err));
		return err;
	}
	if (!run->desc->no_xen) {
		err = xen_open(&app->xen, run->xen_spec);
		run->unknown_xen = err == -EINVAL;
		if (err)
			return err; /* it has said what is missing */
	}
	err = ctl_create(&app->ctl, app->event, run->ctl_path);
	if (err) {
		log_err("no control socket %s: %s", run->ctl_path, strerror(-err));
		return err;
	}
	run->commands = (struct app_commands){
		.desc = run->desc, .app = app, .start_ns = clock_now(app->clock)};
	app_commands_register(&run->commands);
	return 0;
}

static int start(struct run *run)
{
	const struct app_desc *desc = run->desc;
	int err = create_parts(run);

	if (err)
		return err;
	run->started = true;
	if (desc->prepare)
		err = desc->prepare(&run->app);
	if (!err && run->user)
		err = app_become_user(run->user);
	/* Capabilities belong to a thread: give them up before start makes more of those. */
	if (!err)
		err = app_reduce_capabilities(desc->keep_caps, desc->n_keep_caps);
	if (!err)
		err = desc->start(&run->app);
	if (!err)
		err = app_restrict_syscalls();
	return err;
}

static void stop(struct run *run)
{
	struct app *app = &run->app;

	sd_notify(0, "STOPPING=1");
	if (run->started)
		run->desc->stop(app);
	ctl_destroy(app->ctl);
	if (app->xen)
		app->xen->ops->close(app->xen);
	stats_destroy(app->stats);
	sd_event_unref(app->event);
}

static int serve(struct run *run)
{
	int err;

	log_info("%s %s starts", run->desc->name, PACKAGE_VERSION);
	err = start(run);
	if (!err) {
		/* Pings only where systemd asked for it. */
		sd_event_set_watchdog(run->app.event, true);
		sd_notify(0, "READY=1");
		err = sd_event_loop(run->app.event);
		if (err < 0)
			log_err("event loop: %s", strerror(-err));
	}
	stop(run);
	if (run->unknown_xen)
		return APP_EXIT_USAGE;
	return err < 0 ? APP_EXIT_FAILURE : APP_EXIT_OK;
}

static void set_defaults(struct run *run)
{
	const char *xen_spec = getenv("XENBACK_XEN"), *dir = getenv("XENBACK_RUN");

	run->xen_spec = xen_spec && *xen_spec ? xen_spec : "real";
	dir = dir && *dir ? dir : "/run/xenback";
	run->ctl_path = run->desc->socket ? xb_asprintf("%s/%s", dir, run->desc->socket)
					  : xb_asprintf("%s/%s.ctl", dir, run->desc->name);
}

int app_run(const struct app_desc *desc, int argc, char **argv)
{
	struct run run = {.desc = desc, .app.ctx = desc->ctx};
	int status;

	set_defaults(&run);
	status = parse_options(&run, argc, argv);
	if (status == APP_GO_ON && desc->check && desc->check(desc->ctx, run.check_only))
		status = APP_EXIT_FAILURE;
	if (status == APP_GO_ON && run.check_only) {
		printf("%s: everything is as it should be\n", desc->name);
		status = APP_EXIT_OK;
	}
	if (status == APP_GO_ON)
		status = serve(&run);
	free(run.ctl_path);
	return status;
}
