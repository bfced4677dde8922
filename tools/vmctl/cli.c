/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli.c - xenback-vmctl as a command: options, and asking the service. */
#include "cli.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/util.h"
#include "config.h"

#define PROGRAM "xenback-vmctl"

enum exit_status { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

int cli_error(const char *fmt, ...)
{
	va_list args;

	fputs(PROGRAM ": ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	return EXIT_FAILED;
}

/* --- guests --- */

static const char *text_of(const json_t *guest, const char *key)
{
	const char *text = json_string_value(json_object_get(guest, key));

	return text ? text : "";
}

void cli_print_list(const struct cli *cli, const json_t *list)
{
	const json_t *guest;
	size_t i;

	if (cli->json) {
		json_dumpf(list, stdout, JSON_INDENT(2));
		putchar('\n');
		return;
	}
	printf("%-6s %-24s %-36s %s\n", "domid", "name", "uuid", "state");
	json_array_foreach(list, i, guest)
	{
		const json_t *left = json_object_get(guest, "goes_on_in_s");
		const json_t *reasons = json_object_get(guest, "reasons"), *reason;
		size_t r;

		printf("%-6lld %-24s %-36s %s",
		       (long long)json_integer_value(json_object_get(guest, "domid")),
		       text_of(guest, "name"), text_of(guest, "uuid"), text_of(guest, "state"));
		if (left)
			printf(", goes on in %lld s", (long long)json_integer_value(left));
		json_array_foreach(reasons, r, reason)
		{
			printf("%s%s", r ? " " : "; paused by ", json_string_value(reason));
		}
		putchar('\n');
	}
}

uint16_t cli_find(const json_t *list, const char *word)
{
	const json_t *guest;
	size_t i;

	json_array_foreach(list, i, guest)
	{
		json_int_t domid = json_integer_value(json_object_get(guest, "domid"));
		AUTO_FREE char *number = xb_asprintf("%lld", (long long)domid);

		if (!strcmp(number, word) || !strcmp(text_of(guest, "uuid"), word) ||
		    !strcmp(text_of(guest, "name"), word))
			return domid > 0 && domid < VMCTL_DOMID_END ? (uint16_t)domid
								    : VMCTL_NO_DOMID;
	}
	cli_error("there is no guest \"%s\"; `" PROGRAM " list` shows which there are", word);
	return VMCTL_NO_DOMID;
}

/* --- the service --- */

struct answer {
	sd_event *event;
	int rc;
	char *message;
};

static void on_done(void *ctx, int rc, const char *message)
{
	struct answer *answer = ctx;

	answer->rc = rc;
	answer->message = xb_strdup(message);
	sd_event_exit(answer->event, 0);
}

/* Asks and waits; the message is to free(). */
static int ask(const struct cli *cli, enum vmctl_verb verb, uint16_t domid, const char *argument,
	       char **message)
{
	struct answer answer = {0};
	struct vmctl *vmctl = NULL;
	int err = sd_event_new(&answer.event);

	if (err >= 0)
		err = vmctl_open(&vmctl, answer.event, cli->socket);
	if (err >= 0)
		err = vmctl_ask(vmctl, verb, domid, argument, on_done, &answer);
	if (err >= 0)
		err = sd_event_loop(answer.event);
	vmctl_close(vmctl);
	sd_event_unref(answer.event);
	*message = answer.message;
	if (err == -EINVAL)
		return cli_error("\"%s\" is refused; allowed: %s, up to %d printable characters "
				 "without blanks",
				 argument ? argument : "", vmctl_verb_desc(verb)->value,
				 VMCTL_ARGUMENT_MAX);
	if (err < 0)
		return cli_error("cannot ask %s: %s", cli->socket, strerror(-err));
	return answer.rc ? cli_error("%s", answer.message) : EXIT_DONE;
}

/* The guests, to json_decref; NULL after a message. */
static json_t *fetch_list(const struct cli *cli)
{
	AUTO_FREE char *message = NULL;
	json_t *list;

	if (ask(cli, VMCTL_LIST, VMCTL_NO_DOMID, NULL, &message))
		return NULL;
	list = json_loads(message, 0, NULL);
	if (!json_is_array(list))
		cli_error("%s answers something that is no list of guests", cli->socket);
	return list;
}

static int ask_service(const struct cli *cli, enum vmctl_verb verb, const char *guest,
		       const char *argument)
{
	AUTO_FREE char *message = NULL;
	uint16_t domid = VMCTL_NO_DOMID;
	int status = EXIT_DONE;

	if (guest || verb == VMCTL_LIST) {
		json_t *list = fetch_list(cli);

		if (list && guest)
			domid = cli_find(list, guest);
		else if (list)
			cli_print_list(cli, list);
		status = !list || (guest && domid == VMCTL_NO_DOMID);
		json_decref(list);
		if (status || !guest)
			return status;
	}
	status = ask(cli, verb, domid, argument, &message);
	if (!status)
		puts(message);
	return status;
}

/* --- options --- */

static void print_help(void)
{
	puts("Usage: " PROGRAM " [OPTION]... VERB [GUEST] [ARGUMENT]\n"
	     "       " PROGRAM " serve [OPTION]...\n"
	     "Does something with a guest, by its domid, name or UUID: asks the service.\n");
	for (int i = 0; i < VMCTL_VERBS; i++) {
		const struct vmctl_verb_desc *desc = vmctl_verb_desc((enum vmctl_verb)i);
		const char *open = desc->argument && !desc->needs_argument ? "[" : "";
		AUTO_FREE char *left =
			xb_asprintf("%s%s%s%s%s%s", desc->name, desc->domid ? " GUEST" : "",
				    desc->value ? " " : "", open, desc->value ? desc->value : "",
				    *open ? "]" : "");

		printf("  %-24s %s\n", left, desc->help);
	}
	puts("\n"
	     "  --socket=PATH            where the service listens (default: $XENBACK_RUN or\n"
	     "                           /run/xenback, /vmctl.sock)\n"
	     "  --direct                 do it without the service and its rules, as root\n"
	     "  --json                   print the list as JSON\n"
	     "  --version                print the version, then exit\n"
	     "  --help                   print this, then exit\n"
	     "\nExit status: 0 done, 1 failed or refused, 2 wrong usage. See " PROGRAM "(8).");
}

static int usage(const char *fmt, const char *what)
{
	fputs(PROGRAM ": ", stderr);
	fprintf(stderr, fmt, what); /* one of the literals below */
	fputs("\nTry `" PROGRAM " --help`.\n", stderr);
	return EXIT_USAGE;
}

/* -1: go on. */
static int take_options(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		{"socket", required_argument, NULL, 's'}, {"direct", no_argument, NULL, 'd'},
		{"json", no_argument, NULL, 'j'},	  {"version", no_argument, NULL, 'v'},
		{"help", no_argument, NULL, 'h'},	  {0},
	};

	opterr = 0;
	for (;;) {
		int given = optind;

		switch (getopt_long(argc, argv, "+:", options, NULL)) {
		case 's':
			cli->socket = optarg;
			break;
		case 'd':
			cli->direct = true;
			break;
		case 'j':
			cli->json = true;
			break;
		case 'v':
			puts(PROGRAM " " PACKAGE_VERSION);
			return EXIT_DONE;
		case 'h':
			print_help();
			return EXIT_DONE;
		case ':':
			return usage("a value is missing after %s", argv[given]);
		case '?':
			return usage("unknown option %s", argv[given]);
		default:
			return -1;
		}
	}
}

static int unknown_verb(const char *name)
{
	struct nearest nearest;

	nearest_init(&nearest, name);
	for (int i = 0; i < VMCTL_VERBS; i++)
		nearest_offer(&nearest, vmctl_verb_desc((enum vmctl_verb)i)->name);
	nearest_offer(&nearest, "serve");
	if (nearest.best) {
		AUTO_FREE char *text = xb_asprintf("%s; did you mean %s?", name, nearest.best);

		return usage("unknown verb %s", text);
	}
	return usage("unknown verb %s", name);
}

static int run_verb(const struct cli *cli, int argc, char **argv)
{
	const struct vmctl_verb_desc *desc;
	const char *guest = NULL, *argument = NULL;
	enum vmctl_verb verb;
	int i = 1;

	if (vmctl_verb_parse(argv[0], &verb))
		return unknown_verb(argv[0]);
	desc = vmctl_verb_desc(verb);
	if (desc->domid && i == argc)
		return usage("%s: a guest is missing, by its domid, name or UUID", argv[0]);
	if (desc->domid)
		guest = argv[i++];
	if (desc->needs_argument && i == argc)
		return usage("%s is missing", desc->value);
	if (desc->argument && i < argc)
		argument = argv[i++];
	if (i < argc)
		return usage("unexpected argument %s", argv[i]);
	return cli->direct ? cli_direct(cli, verb, guest, argument)
			   : ask_service(cli, verb, guest, argument);
}

int vmctl_main(int argc, char **argv, const struct vmctl_parts *parts)
{
	const char *run = getenv("XENBACK_RUN");
	AUTO_FREE char *socket = xb_asprintf("%s/vmctl.sock", run && *run ? run : "/run/xenback");
	struct cli cli = {.parts = parts, .socket = socket};
	int status = take_options(&cli, argc, argv);

	if (status >= 0)
		return status;
	if (optind == argc)
		return usage("a verb is missing%s", "");
	argc -= optind;
	argv += optind;
	return strcmp(argv[0], "serve") ? run_verb(&cli, argc, argv)
					: vmctl_serve(argc, argv, parts);
}
