/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xenbackctl_events.c - the command events: what happened, and what happens while one looks. */
#include "xenbackctl.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/ctl.h"
#include "common/util.h"

#define FOLLOW_USEC 250000u

/* Where the follower stands. */
struct position {
	json_int_t start_us; /* of the daemon's numbers, 0 = not known yet */
	json_int_t after;
	json_int_t since_ms;
	bool away; /* the daemon did not answer, and that was told */
};

struct since {
	uint64_t ns;
};

static bool parse_since(const char *text, json_int_t *ms, char error[KEY_ERROR_MAX])
{
	static const struct key keys[] = {
		{"since", KEY_TYPE_DURATION, offsetof(struct since, ns), NSEC_PER_MSEC,
		 366 * 86400 * NSEC_PER_SEC, NULL, "1h", true, "How far to look back."},
	};
	static const struct key_table table = {"events", NULL, keys, ARRAY_SIZE(keys),
					       sizeof(struct since)};
	struct since since;

	if (key_set(&table, &since, "since", text, error) < 0)
		return false;
	*ms = (json_int_t)(since.ns / NSEC_PER_MSEC);
	return true;
}

static const char *text_of(const json_t *event, const char *name)
{
	const char *text = json_string_value(json_object_get(event, name));

	return text ? text : "";
}

static void print_time(json_int_t time_us)
{
	const time_t seconds = (time_t)(time_us / 1000000);
	struct tm tm;
	char text[32] = "?";

	if (localtime_r(&seconds, &tm))
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
	printf("%s.%03d", text, (int)(time_us / 1000 % 1000));
}

/* "nic0: active -> down (link down) 3 times" */
static char *describe(const json_t *event)
{
	const char *who = text_of(event, "who"), *old = text_of(event, "old"),
		   *new = text_of(event, "new"), *why = text_of(event, "why");
	const json_int_t count = json_integer_value(json_object_get(event, "count"));
	const json_int_t left_out = json_integer_value(json_object_get(event, "left_out"));
	AUTO_FREE char *times =
		count > 1 ? xb_asprintf(" %" JSON_INTEGER_FORMAT " times", count) : xb_strdup("");
	AUTO_FREE char *more =
		left_out ? xb_asprintf(" [%" JSON_INTEGER_FORMAT " more were left out]", left_out)
			 : xb_strdup("");

	return xb_asprintf("%s%s%s%s%s%s%s%s%s%s", who, *who && (*old || *new) ? ": " : "",
			   *old ? old : "", *old && *new ? " -> " : "", new, *why ? " (" : "", why,
			   *why ? ")" : "", times, more);
}

static void print_event(const struct cli *cli, const json_t *event)
{
	AUTO_FREE char *raw = NULL;
	AUTO_FREE char *text = NULL;

	if (cli->json) {
		json_dumpf(event, stdout, JSON_COMPACT);
		putchar('\n');
		return;
	}
	raw = describe(event);
	text = render_text(raw);
	print_time(json_integer_value(json_object_get(event, "time_us")));
	printf("  %-7s  %-8s  %-6s  %s\n", text_of(event, "severity"), text_of(event, "team"),
	       text_of(event, "kind"), text);
}

/* Prints what is new. False: no answer, error says why. */
static bool show(struct cli *cli, struct position *at, size_t *n, char error[CTL_ERROR_MAX])
{
	json_t *args = json_pack("{s:I, s:I}", "after", at->after, "since_ms", at->since_ms);
	json_t *reply = cli_ask(cli, cli->command->daemon, "events", args, error);
	const json_t *events = json_object_get(reply, "events");
	const json_int_t start = json_integer_value(json_object_get(reply, "start_us"));

	if (!reply)
		return false;
	if (at->start_us && start != at->start_us) {
		/* A successor: its numbers began anew. */
		at->after = at->since_ms = 0;
		at->start_us = start;
		json_decref(reply);
		return show(cli, at, n, error);
	}
	at->start_us = start;
	at->after = json_integer_value(json_object_get(reply, "last"));
	at->since_ms = 0;
	*n = json_array_size(events);
	for (size_t i = 0; i < *n; i++)
		print_event(cli, json_array_get(events, i));
	json_decref(reply);
	return true;
}

static int follow(struct cli *cli, struct position *at)
{
	char error[CTL_ERROR_MAX];
	size_t n;

	for (;;) {
		if (fflush(stdout))
			return CLI_FAILURE; /* main says why */
		usleep(FOLLOW_USEC);
		if (!show(cli, at, &n, error)) {
			if (!at->away)
				cli_error("%s; waiting for it", error);
			at->away = true;
		} else {
			at->away = false;
		}
	}
}

int cmd_events(struct cli *cli, int argc, char **argv)
{
	struct position at = {0};
	char error[CTL_ERROR_MAX], why[KEY_ERROR_MAX];
	size_t n = 0;

	if (cli->since && !parse_since(cli->since, &at.since_ms, why))
		return cli_usage(cli, "--%s", why);
	if (!show(cli, &at, &n, error))
		return cli_error("%s", error);
	if (cli->follow)
		return follow(cli, &at);
	if (!n && !cli->json)
		puts(cli->since ? "nothing happened in that time" : "nothing happened yet");
	return CLI_OK;
}
