/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xenbackctl_dos.c - commands about attacks on and by guests: dos show, clear, relearn, failover,
 * failback. */
#include "xenbackctl.h"

#include <stdlib.h>
#include <string.h>

#include "common/util.h"

static const char *const list_columns[] = {"vif",	"team",		  "state",   "alarms",
					   "reactions", "in_pps",	  "out_pps", "in_bps",
					   "out_bps",	"failed_over_to", NULL};
static const char *const team_columns[] = {"team",    "state",	"alarms",  "in_pps",
					   "out_pps", "in_bps", "out_bps", NULL};
static const char *const show_first[] = {"vif",	      "team",	"state",   "dry_run", "alarms",
					 "reactions", "in_pps", "out_pps", NULL};
static const char *const meter_columns[] = {"direction", "metric", "value", "threshold", "unit",
					    "alarm",	 "mean",   "sd",    "since_ms",	 NULL};
static const char *const history_columns[] = {"age_ms", "vif", "direction", "what", "why", NULL};
static const char *const peer_columns[] = {"direction", "address", "port", "packets", NULL};

/* The elements' member `name`, or they themselves where it is NULL, as "a, b". */
static char *join(const json_t *array, const char *name)
{
	char *text = xb_strdup("");

	for (size_t i = 0; i < json_array_size(array); i++) {
		const json_t *one = json_array_get(array, i);
		AUTO_FREE char *word = render_value("", name ? json_object_get(one, name) : one);
		char *longer = xb_asprintf("%s%s%s", text, i ? ", " : "", word);

		free(text);
		text = longer;
	}
	return text;
}

/* Arrays as words, for tables. */
static void flatten(json_t *status)
{
	AUTO_FREE char *alarms = join(json_object_get(status, "alarms"), NULL);
	AUTO_FREE char *reactions = join(json_object_get(status, "reactions"), "action");

	json_object_set_new(status, "alarms", json_string(alarms));
	json_object_set_new(status, "reactions", json_string(reactions));
}

static void print_history(const json_t *history)
{
	if (!json_array_size(history))
		return;
	puts("history:");
	render_rows(stdout, history, history_columns, true, 2);
}

static void print_all(json_t *result)
{
	json_t *vifs = json_object_get(result, "vifs"), *teams = json_object_get(result, "teams");
	json_t *one;
	size_t i;

	json_array_foreach(vifs, i, one)
	{
		flatten(one);
	}
	json_array_foreach(teams, i, one)
	{
		flatten(one);
	}
	if (json_array_size(teams))
		render_rows(stdout, teams, team_columns, true, 0);
	else
		puts("no teams");
	if (json_array_size(vifs)) {
		puts("guests:");
		render_rows(stdout, vifs, list_columns, true, 2);
	}
	json_array_foreach(teams, i, one)
	{
		print_history(json_object_get(one, "history"));
	}
}

/* {"to-guest": [...], "from-guest": [...]} as rows. */
static void add_rows(json_t *rows, json_t *by_direction)
{
	const char *direction;
	json_t *list, *row;
	size_t i;

	json_object_foreach(by_direction, direction, list)
	{
		json_array_foreach(list, i, row)
		{
			json_object_set_new(row, "direction", json_string(direction));
			json_array_append(rows, row);
		}
	}
}

static void print_one(json_t *result)
{
	json_t *meters = json_incref(json_object_get(result, "meters"));
	json_t *history = json_incref(json_object_get(result, "history"));
	json_t *rows = json_array();

	add_rows(rows, json_object_get(result, "peers"));
	add_rows(rows, json_object_get(result, "ports"));
	json_object_del(result, "meters");
	json_object_del(result, "history");
	json_object_del(result, "peers");
	json_object_del(result, "ports");
	json_object_del(result, "domid");
	json_object_del(result, "devid");
	json_object_del(result, "watched");
	flatten(result);
	render_object(stdout, result, show_first, 0);
	if (json_array_size(meters)) {
		puts("meters, of the last second:");
		render_rows(stdout, meters, meter_columns, true, 2);
	}
	if (json_array_size(rows)) {
		puts("most packets, of the last second:");
		render_rows(stdout, rows, peer_columns, true, 2);
	}
	print_history(history);
	json_decref(meters);
	json_decref(history);
	json_decref(rows);
}

int cmd_dos_show(struct cli *cli, int argc, char **argv)
{
	json_t *args = NULL, *result;
	int status;

	if (argc > 0) {
		args = device_parse(cli, &cli_vif_kind, argv[0], &status);
		if (!args)
			return status;
	}
	result = cli_call(cli, argc > 0 ? "dos show" : "dos list", args);
	if (!result)
		return CLI_FAILURE;
	if (cli->json)
		cli_print_json(result);
	else if (argc > 0)
		print_one(result);
	else
		print_all(result);
	json_decref(result);
	return CLI_OK;
}

static int clear(struct cli *cli, const char *device, bool relearn)
{
	int status;
	json_t *args = device_parse(cli, &cli_vif_kind, device, &status), *result;

	if (!args)
		return status;
	json_object_set_new(args, "relearn", json_boolean(relearn));
	result = cli_call(cli, "dos clear", args);
	if (!result)
		return CLI_FAILURE;
	if (cli->json)
		cli_print_json(result);
	else
		printf("%s: alarms and reactions ended%s\n", device,
		       relearn ? "; what is usual is learned anew" : "");
	json_decref(result);
	return CLI_OK;
}

int cmd_dos_clear(struct cli *cli, int argc, char **argv)
{
	return clear(cli, argv[0], false);
}

int cmd_dos_relearn(struct cli *cli, int argc, char **argv)
{
	return clear(cli, argv[0], true);
}

static int fail_over(struct cli *cli, const char *cmd, const char *device, const char *words)
{
	int status;
	json_t *args = device_parse(cli, &cli_vif_kind, device, &status), *result;
	const char *member;

	if (!args)
		return status;
	result = cli_call(cli, cmd, args);
	if (!result)
		return CLI_FAILURE;
	member = json_string_value(json_object_get(result, "failed_over_to"));
	if (cli->json)
		cli_print_json(result);
	else
		printf("%s: %s%s\n", device, words, member ? member : "");
	json_decref(result);
	return CLI_OK;
}

int cmd_dos_failover(struct cli *cli, int argc, char **argv)
{
	return fail_over(cli, "dos failover", argv[0], "failed over to ");
}

int cmd_dos_failback(struct cli *cli, int argc, char **argv)
{
	return fail_over(cli, "dos failback", argv[0], "back where it belongs");
}
