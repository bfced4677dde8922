/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xenbackctl.c - the one command-line tool: table of commands, options, dispatch.
 *
 * A thin client: questions go to the daemon's control socket, settings into xenstore, and the text
 * is made of whatever JSON comes back. A new command is one row below and one function in the file
 * of its subject.
 */
#include "xenbackctl.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/util.h"
#include "config.h"

#define CALL_TIMEOUT_MS 10000

#define NET "netback-team"
#define USB "usbback"
const char *const cli_daemons[CLI_DAEMONS] = {NET, USB};

static const struct cli_command commands[] = {
	{"status", "", NULL, 0, 0, "what the daemon is doing", cmd_status},
	{"vif list", "", NET, 0, 0, "all guest interfaces: team, state, traffic", cmd_vif_list},
	{"vif show", "DOM.DEV", NET, 1, 1, "everything about one guest interface", cmd_vif_show},
	{"explain vif", "DOM.DEV", NET, 1, 1, "why an interface works, or what it waits for",
	 cmd_explain_vif},
	{"explain vm", "DOM[/DEV]", NET, 1, 1,
	 "the chain of decisions for the last frames of a guest: which rule, which NIC, why",
	 cmd_explain_vm},
	{"team list", "", NET, 0, 0, "all teams and their members", cmd_team_list},
	{"team show", "NAME", NET, 1, 1, "members, counters and options of a team", cmd_team_show},
	{"team set", "NAME KEY VALUE", NET, 3, 3, "change an option of a team", cmd_team_set},
	{"team add", "NAME NIC", NET, 2, 2, "add a network card to a team", cmd_team_add},
	{"team remove", "NAME NIC", NET, 2, 2, "take a network card out of a team",
	 cmd_team_remove},
	{"team drain", "NAME NIC", NET, 2, 2,
	 "take a member out of use, without loss or reordering", cmd_team_drain},
	{"team undrain", "NAME NIC", NET, 2, 2, "use a drained member again", cmd_team_undrain},
	{"team failover", "NAME [NIC]", NET, 1, 2,
	 "make NIC, or the next best one, the active member", cmd_team_failover},
	{"dos show", "[DOM.DEV]", NET, 0, 1,
	 "attacks: meters, alarms, reactions and history; of all guests, or one", cmd_dos_show},
	{"dos clear", "DOM.DEV", NET, 1, 1, "end what is done about an attack", cmd_dos_clear},
	{"dos failover", "DOM.DEV", NET, 1, 1, "move a guest to the reserve of its team",
	 cmd_dos_failover},
	{"dos failback", "DOM.DEV", NET, 1, 1, "and back", cmd_dos_failback},
	{"dos relearn", "DOM.DEV", NET, 1, 1,
	 "the same, and forget what traffic is usual for the guest", cmd_dos_relearn},
	{"lacp show", "[TEAM]", NET, 0, 1, "both ends of each link of teams in mode lacp",
	 cmd_lacp_show},
	{"qos show", "", NET, 0, 0,
	 "bandwidth of every guest: entitled, used, held back and lost, why", cmd_qos_show},
	{"usb list", "", USB, 0, 0, "guests' USB ports, and the USB devices of this host",
	 cmd_usb_list},
	{"usb show", "DOM[.DEV]", USB, 1, 1, "everything about one USB controller", cmd_usb_show},
	{"usb explain", "DOM[.DEV] [PORT]", USB, 1, 2, "what a controller or a port waits for",
	 cmd_usb_explain},
	{"usb attach", "[--once] DOM[.DEV] DEVICE [PORT [QUIRKS]]", USB, 2, 4,
	 "plug a device in; it comes back with the guest", cmd_usb_attach},
	{"usb detach", "DOM[.DEV] PORT|DEVICE", USB, 2, 2, "unplug a device for good",
	 cmd_usb_detach},
	{"vm show", "", NET, 0, 0, "all VMs' interfaces: team, keys, rates, losses", cmd_vm_show},
	{"top", "[--batch]", NET, 0, 0, "teams, NICs and VMs, live: rates, shares, queues, losses",
	 cmd_top},
	{"events", "[--follow] [--since=TIME]", NET, 0, 0,
	 "what happened, from what to what and why", cmd_events},
	{"set", "OBJECT... KEY VALUE", NULL, 3, 16,
	 "write a setting: `set team team0 mode rr`, `set vif UUID 0 rate 100Mbit`", cmd_set},
	{"unset", "OBJECT... KEY", NULL, 2, 16, "remove a setting: its default is back", cmd_unset},
	{"load", "[--once] [FILE]...", NULL, 0, 1024,
	 "write the settings of /etc/xenback/*.conf, all or none", cmd_load},
	{"check", "[FILE]...", NULL, 0, 1024, "as load, but only look for mistakes", cmd_check},
	{"keys", "[TABLE [KEY]]", NULL, 0, 2, "what can be set, with types, limits and defaults",
	 cmd_keys},
	{"stats", "", NULL, 0, 0, "all counters as text", cmd_stats},
	{"metrics", "[--listen=ADDRESS:PORT]", NULL, 0, 0,
	 "all counters as OpenMetrics, for a monitoring system; or serve them by HTTP",
	 cmd_metrics},
	{"log", "[[MODULE=]LEVEL]", NULL, 0, 1,
	 "show the log levels, or set one: err, warn, info, debug", cmd_log},
};

static const struct option options[] = {
	{"json", no_argument, NULL, 'j'},	  {"once", no_argument, NULL, 'o'},
	{"daemon", required_argument, NULL, 'd'}, {"ctl", required_argument, NULL, 'c'},
	{"xen", required_argument, NULL, 'x'},	  {"version", no_argument, NULL, 'V'},
	{"help", no_argument, NULL, 'h'},	  {"follow", no_argument, NULL, 'f'},
	{"batch", no_argument, NULL, 'b'},	  {"since", required_argument, NULL, 's'},
	{"listen", required_argument, NULL, 'l'}, {NULL, 0, NULL, 0},
};

/* What a message quotes may come from a guest. */
static void print_message(const char *fmt, va_list args)
{
	AUTO_FREE char *clean = NULL;
	char *text;

	if (vasprintf(&text, fmt, args) < 0)
		return;
	clean = render_text(text);
	free(text);
	fprintf(stderr, "xenbackctl: %s\n", clean);
}

int cli_error(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	print_message(fmt, args);
	va_end(args);
	return CLI_FAILURE;
}

int cli_usage(const struct cli *cli, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	print_message(fmt, args);
	va_end(args);
	fprintf(stderr, "Usage: xenbackctl %s %s\n", cli->command->name, cli->command->args);
	return CLI_USAGE;
}

static const char *env_or(const char *name, const char *other)
{
	const char *value = getenv(name);

	return value && *value ? value : other;
}

static char *socket_path(const char *daemon)
{
	return xb_asprintf("%s/%s.ctl", env_or("XENBACK_RUN", "/run/xenback"), daemon);
}

bool cli_daemon_runs(const struct cli *cli, const char *daemon)
{
	AUTO_FREE char *path = socket_path(daemon);

	return cli->ctl_path || access(path, F_OK) == 0;
}

char *cli_daemon_program(const char *daemon)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *program;

	self[MAX(n, 0)] = '\0';
	if (!strrchr(self, '/'))
		return NULL;
	program = xb_asprintf("%.*s/%s", (int)(strrchr(self, '/') - self), self, daemon);
	if (access(program, X_OK) == 0)
		return program;
	free(program);
	return NULL;
}

size_t cli_known_daemons(const struct cli *cli, const char *daemons[CLI_DAEMONS])
{
	size_t n = 0;

	daemons[0] = cli->daemon ? cli->daemon : NET;
	if (cli->daemon || cli->ctl_path)
		return 1;
	for (size_t i = 0; i < CLI_DAEMONS; i++) {
		AUTO_FREE char *program = cli_daemon_program(cli_daemons[i]);

		if (program || cli_daemon_runs(cli, cli_daemons[i]))
			daemons[n++] = cli_daemons[i];
	}
	return n ? n : 1;
}

size_t cli_running_daemons(const struct cli *cli, const char *daemons[CLI_DAEMONS])
{
	size_t n = 0;

	daemons[0] = cli->daemon ? cli->daemon : NET;
	if (cli->daemon || cli->ctl_path)
		return 1;
	for (size_t i = 0; i < CLI_DAEMONS; i++)
		if (cli_daemon_runs(cli, cli_daemons[i]))
			daemons[n++] = cli_daemons[i];
	return n ? n : 1;
}

/* Whom a command goes to that any daemon answers: the first that runs. */
static const char *default_daemon(const struct cli *cli)
{
	for (size_t i = 0; i < CLI_DAEMONS; i++)
		if (cli_daemon_runs(cli, cli_daemons[i]))
			return cli_daemons[i];
	return NET;
}

json_t *cli_ask(const struct cli *cli, const char *daemon, const char *cmd, json_t *args,
		char error[CTL_ERROR_MAX])
{
	AUTO_FREE char *path = cli->ctl_path ? xb_strdup(cli->ctl_path) : socket_path(daemon);
	json_t *result;

	ctl_call(path, cmd, args, CALL_TIMEOUT_MS, &result, error);
	json_decref(args);
	return result;
}

json_t *cli_call_daemon(const struct cli *cli, const char *daemon, const char *cmd, json_t *args)
{
	char error[CTL_ERROR_MAX];
	json_t *result = cli_ask(cli, daemon, cmd, args, error);

	if (!result)
		cli_error("%s", error);
	return result;
}

json_t *cli_call(const struct cli *cli, const char *cmd, json_t *args)
{
	const char *daemon = cli->daemon ? cli->daemon : cli->command->daemon;

	return cli_call_daemon(cli, daemon ? daemon : default_daemon(cli), cmd, args);
}

int cli_print_json(const json_t *json)
{
	json_dumpf(json, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY);
	putchar('\n');
	return CLI_OK;
}

static void print_help(void)
{
	printf("Usage: xenbackctl [OPTION]... COMMAND [ARGUMENT]...\n"
	       "Shows and sets what the xenback daemons do.\n\nCommands:\n");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		AUTO_FREE char *left = xb_asprintf("%s %s", commands[i].name, commands[i].args);

		printf(strlen(left) > 26 ? "  %s\n                             %s\n"
					 : "  %-26s %s\n",
		       left, commands[i].help);
	}
	printf("\nOptions:\n"
	       "  --json                     print the answer as JSON\n"
	       "  --once                     load: do nothing when it was done since xenstore "
	       "started;\n"
	       "                             usb attach: only until the guest ends\n"
	       "  --follow                   events: go on with what happens\n"
	       "  --since=TIME               events: of the last 10s, 5min, 2h\n"
	       "  --batch                    top: one table, for scripts\n"
	       "  --listen=ADDRESS:PORT      metrics: serve them at http://ADDRESS:PORT/metrics\n"
	       "  --daemon=NAME              which daemon to ask: netback-team or usbback "
	       "(default: as fits)\n"
	       "  --ctl=SOCKET               its control socket (default: $XENBACK_RUN or "
	       "/run/xenback, /NAME.ctl)\n"
	       "  --xen=real|box[:DIR]       where xenstore is (default: $XENBACK_XEN, or real)\n"
	       "  --version, --help\n"
	       "\nExit status: 0 fine, 1 failure, 2 wrong usage. See xenbackctl(8).\n");
}

/* How many words of argv are the command's name; 0 = it is another one. */
static int match(const struct cli_command *command, int argc, char **argv)
{
	const char *blank = strchr(command->name, ' ');
	size_t n = blank ? (size_t)(blank - command->name) : strlen(command->name);

	if (strlen(argv[0]) != n || strncmp(argv[0], command->name, n))
		return 0;
	if (!blank)
		return 1;
	return argc > 1 && !strcmp(argv[1], blank + 1) ? 2 : 0;
}

/* "vif list, vif show" for "vif"; free(). Empty when no command begins so. */
static char *list_group(const char *word)
{
	char *text = xb_strdup("");
	size_t n = strlen(word);

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		char *longer;

		if (strncmp(commands[i].name, word, n) || commands[i].name[n] != ' ')
			continue;
		longer = xb_asprintf("%s%s%s", text, *text ? ", " : "", commands[i].name);
		free(text);
		text = longer;
	}
	return text;
}

static const char *find_nearest(const char *text)
{
	struct nearest nearest;

	nearest_init(&nearest, text);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		nearest_offer(&nearest, commands[i].name);
	return nearest.best;
}

static int unknown_command(int argc, char **argv)
{
	AUTO_FREE char *group = list_group(argv[0]);
	AUTO_FREE char *two =
		argc > 1 ? xb_asprintf("%s %s", argv[0], argv[1]) : xb_strdup(argv[0]);
	const char *best = find_nearest(two);

	if (!best)
		best = find_nearest(argv[0]);
	if (*group && argc == 1)
		cli_error("\"%s\" is half a command; there are: %s", argv[0], group);
	else if (best)
		cli_error("unknown command \"%s\"; did you mean \"%s\"?", two, best);
	else if (*group)
		cli_error("unknown command \"%s\"; there are: %s", two, group);
	else
		cli_error("unknown command \"%s\"", argv[0]);
	fputs("Try `xenbackctl --help`.\n", stderr);
	return CLI_USAGE;
}

/* What to say when an option was given that the command does not have; NULL = all is well. */
static const char *misplaced_option(const struct cli *cli)
{
	typedef int (*command_fn)(struct cli * cli, int argc, char **argv);
	const struct {
		bool given;
		const char *words;
		command_fn fns[2];
	} owned[] = {
		{cli->once, "--once is for load and usb attach", {cmd_load, cmd_usb_attach}},
		{cli->follow, "--follow is for events", {cmd_events, NULL}},
		{cli->since, "--since is for events", {cmd_events, NULL}},
		{cli->batch, "--batch is for top", {cmd_top, NULL}},
		{cli->listen, "--listen is for metrics", {cmd_metrics, NULL}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(owned); i++)
		if (owned[i].given && cli->command->fn != owned[i].fns[0] &&
		    cli->command->fn != owned[i].fns[1])
			return owned[i].words;
	return NULL;
}

static int dispatch(struct cli *cli, int argc, char **argv)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		int n = match(&commands[i], argc, argv);

		if (!n)
			continue;
		cli->command = &commands[i];
		argc -= n;
		argv += n;
		if (argc < commands[i].min)
			return cli_usage(cli, "%s",
					 argc ? "an argument is missing" : "arguments are missing");
		if (misplaced_option(cli))
			return cli_usage(cli, "%s", misplaced_option(cli));
		if (argc > commands[i].max)
			return cli_usage(cli, "unexpected argument \"%s\"", argv[commands[i].max]);
		return commands[i].fn(cli, argc, argv);
	}
	return unknown_command(argc, argv);
}

/* Messages of the Xen seam read like our own. */
static void log_to_stderr(void *ctx, enum log_level level, const char *module, const char *line)
{
	fprintf(stderr, "xenbackctl: %s\n", line);
}

int main(int argc, char **argv)
{
	struct cli cli = {.xen_spec = env_or("XENBACK_XEN", "real")};
	int c, status;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		if (c == 'j')
			cli.json = true;
		else if (c == 'o')
			cli.once = true;
		else if (c == 'f')
			cli.follow = true;
		else if (c == 'b')
			cli.batch = true;
		else if (c == 's')
			cli.since = optarg;
		else if (c == 'l')
			cli.listen = optarg;
		else if (c == 'd')
			cli.daemon = optarg;
		else if (c == 'c')
			cli.ctl_path = optarg;
		else if (c == 'x')
			cli.xen_spec = optarg;
		else if (c == 'V')
			return printf("xenbackctl %s\n", PACKAGE_VERSION) < 0;
		else if (c == 'h')
			return print_help(), CLI_OK;
		else
			return fputs("Try `xenbackctl --help`.\n", stderr), CLI_USAGE;
	}
	if (optind == argc)
		return print_help(), CLI_USAGE;
	log_set_sink(log_to_stderr, NULL);
	log_set_level(NULL, LOG_LEVEL_WARN);
	status = dispatch(&cli, argc - optind, argv + optind);
	if (fflush(stdout) || ferror(stdout))
		status = cli_error("cannot write the output: %s", strerror(errno));
	return status;
}
