/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xenbackctl_lacp.c - the command lacp show: three tables a team, of ports, of both ends of each
 * link, of counters. */
#include "xenbackctl.h"

#include <string.h>

#include "common/util.h"

static const char *const team_first[] = {"team",	   "mode", "rate", "active_aggregator",
					 "active_changes", NULL};
static const char *const port_columns[] = {
	"member",	    "mux",	   "mux_since_ms",  "reason", "receive",
	"receive_since_ms", "selected",	   "drain",	    "active", "aggregator",
	"speed_mbps",	    "churn_actor", "churn_partner", NULL};
static const char *const end_columns[] = {
	"member",	 "end",	 "system_priority", "system", "key",
	"port_priority", "port", "state_octet",	    "state",  NULL};
static const char *const counter_columns[] = {"member", NULL};

/* A row of its own for an object within a port: the member's name first. */
static void add_row(json_t *rows, const json_t *port, const char *part, const char *end)
{
	json_t *row = json_copy(json_object_get(port, part));

	if (!json_is_object(row)) {
		json_decref(row);
		return;
	}
	json_object_set(row, "member", json_object_get(port, "member"));
	if (end)
		json_object_set_new(row, "end", json_string(end));
	json_array_append_new(rows, row);
}

static void print_rows(const char *heading, json_t *rows, const char *const *first, bool only)
{
	puts(heading);
	render_rows(stdout, rows, first, only, 2);
	json_decref(rows);
}

static void print_team(const json_t *team)
{
	json_t *ports = json_object_get(team, "ports"), *port;
	json_t *ends = json_array(), *counters = json_array(), *head = json_copy((json_t *)team);
	size_t i;

	json_object_del(head, "ports");
	render_object(stdout, head, team_first, 0);
	json_decref(head);
	json_array_foreach(ports, i, port)
	{
		add_row(ends, port, "actor", "actor");
		add_row(ends, port, "partner", "partner");
		add_row(counters, port, "counters", NULL);
	}
	if (json_array_size(ports)) {
		print_rows("members:", json_incref(ports), port_columns, true);
		print_rows("ends of their links:", ends, end_columns, true);
		print_rows("counters:", counters, counter_columns, false);
		return;
	}
	puts("no members");
	json_decref(ends);
	json_decref(counters);
}

int cmd_lacp_show(struct cli *cli, int argc, char **argv)
{
	json_t *args = json_pack("{s:s*}", "name", argc > 0 ? argv[0] : NULL);
	json_t *result = args ? cli_call(cli, "lacp show", args) : NULL, *team;
	size_t i;

	if (!args)
		return cli_usage(cli, "the name is not UTF-8");
	if (!result)
		return CLI_FAILURE;
	if (cli->json) {
		cli_print_json(result);
	} else if (!json_array_size(result)) {
		puts("no team speaks LACP; `xenbackctl team set TEAM mode lacp` makes one");
	} else {
		json_array_foreach(result, i, team)
		{
			if (i)
				puts("");
			print_team(team);
		}
	}
	json_decref(result);
	return CLI_OK;
}
