/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xenbackctl_team.c - commands about teams of network cards. */
#include "xenbackctl.h"

#include <stdlib.h>
#include <string.h>

#include "common/util.h"

static const char *const list_columns[] = {"name",    "mode", "state", "active",
					   "members", "vifs", "error", NULL};
static const char *const member_columns[] = {
	"name",		  "state",	"priority",  "carrier",	 "active",	"since_ms",
	"reason",	  "speed_mbps", "rx_bytes",  "tx_bytes", "rx_packets",	"tx_packets",
	"rx_dropped",	  "errors",	"shortages", "probe",	 "flaps",	"rx_use_percent",
	"tx_use_percent", "weight",	"buckets",   "lacp",	 "reserve_for", NULL,
};
static const char *const guest_columns[] = {"vif",     "member", "belongs", "pin",
					    "confine", "moves",	 "why",	    NULL};
static const char *const show_first[] = {"name", "mode", "state", "active", "vifs", "error", NULL};

/* "eth0 active, eth1 down" */
static char *summarize_members(const json_t *members)
{
	char *text = xb_strdup("");

	for (size_t i = 0; i < json_array_size(members); i++) {
		const json_t *member = json_array_get(members, i);
		AUTO_FREE char *name = render_value("", json_object_get(member, "name"));
		AUTO_FREE char *state = render_value("", json_object_get(member, "state"));
		char *longer = xb_asprintf("%s%s%s%s%s", text, i ? ", " : "", name,
					   *state ? " " : "", state);

		free(text);
		text = longer;
	}
	return text;
}

/* An array has one cell only: how many there are. */
static void count_vifs(json_t *team)
{
	const json_t *vifs = json_object_get(team, "vifs");

	if (json_is_array(vifs))
		json_object_set_new(team, "vifs", json_integer((json_int_t)json_array_size(vifs)));
}

/* Where several members carry traffic, "active" is only who receives for groups: how many then. */
static void count_active(json_t *team)
{
	const json_t *members = json_object_get(team, "members");
	const size_t all = json_array_size(members);
	size_t n = 0;

	for (size_t i = 0; i < all; i++) {
		const char *state =
			json_string_value(json_object_get(json_array_get(members, i), "state"));

		n += state && !strcmp(state, "active");
	}
	if (n > 1) {
		AUTO_FREE char *text = xb_asprintf("%zu of %zu", n, all);

		json_object_set_new(team, "active", json_string(text));
	}
}

int cmd_team_list(struct cli *cli, int argc, char **argv)
{
	json_t *result = cli_call(cli, "team list", NULL), *team;
	size_t i;

	if (!result)
		return CLI_FAILURE;
	if (cli->json) {
		cli_print_json(result);
	} else if (!json_array_size(result)) {
		puts("no teams; `xenbackctl set team team0 members \"eth0 eth1\"` makes one");
	} else {
		json_array_foreach(result, i, team)
		{
			AUTO_FREE char *members =
				summarize_members(json_object_get(team, "members"));

			count_active(team);
			json_object_set_new(team, "members", json_string(members));
			count_vifs(team);
		}
		render_rows(stdout, result, list_columns, true, 0);
	}
	json_decref(result);
	return CLI_OK;
}

static void print_team(json_t *team)
{
	json_t *members = json_incref(json_object_get(team, "members"));
	json_t *options = json_incref(json_object_get(team, "options"));
	json_t *guests = json_incref(json_object_get(team, "guests"));

	count_active(team);
	json_object_del(json_object_get(team, "distribution"), "bucket_map"); /* for programs */
	json_object_del(team, "members");
	json_object_del(team, "options");
	json_object_del(team, "guests");
	render_object(stdout, team, show_first, 0);
	puts(json_array_size(members) ? "members:" : "no members");
	render_rows(stdout, members, member_columns, false, 2);
	if (json_array_size(guests)) {
		puts("guests bound to members:");
		render_rows(stdout, guests, guest_columns, false, 2);
	}
	if (json_object_size(options)) {
		puts("options:");
		render_object(stdout, options, NULL, 2);
	}
	json_decref(members);
	json_decref(options);
	json_decref(guests);
}

int cmd_team_show(struct cli *cli, int argc, char **argv)
{
	json_t *args = json_pack("{s:s}", "name", argv[0]);
	json_t *result = args ? cli_call(cli, "team show", args) : NULL;

	if (!args)
		return cli_usage(cli, "the name is not UTF-8");
	if (!result)
		return CLI_FAILURE;
	if (cli->json)
		cli_print_json(result);
	else
		print_team(result);
	json_decref(result);
	return CLI_OK;
}

/* Commands that change something: what the daemon says about it, or our own words. */
__attribute__((format(printf, 4, 5))) static int change(struct cli *cli, const char *cmd,
							json_t *args, const char *fmt, ...)
{
	json_t *result = args ? cli_call(cli, cmd, args) : NULL;
	va_list words;

	if (!args)
		return cli_usage(cli, "an argument is not UTF-8");
	if (!result)
		return CLI_FAILURE;
	if (cli->json) {
		cli_print_json(result);
	} else if (json_is_string(result)) {
		puts(json_string_value(result));
	} else if (json_is_string(json_object_get(result, "active"))) {
		printf("%s: the active member is %s\n",
		       json_string_value(json_object_get(result, "name")),
		       json_string_value(json_object_get(result, "active")));
	} else {
		va_start(words, fmt);
		vprintf(fmt, words);
		va_end(words);
	}
	json_decref(result);
	return CLI_OK;
}

int cmd_team_set(struct cli *cli, int argc, char **argv)
{
	return change(
		cli, "team set",
		json_pack("{s:s, s:s, s:s}", "name", argv[0], "key", argv[1], "value", argv[2]),
		"%s: %s = %s\n", argv[0], argv[1], argv[2]);
}

int cmd_team_add(struct cli *cli, int argc, char **argv)
{
	return change(cli, "team add", json_pack("{s:s, s:s}", "name", argv[0], "nic", argv[1]),
		      "%s: %s added\n", argv[0], argv[1]);
}

int cmd_team_remove(struct cli *cli, int argc, char **argv)
{
	return change(cli, "team remove", json_pack("{s:s, s:s}", "name", argv[0], "nic", argv[1]),
		      "%s: %s removed\n", argv[0], argv[1]);
}

int cmd_team_drain(struct cli *cli, int argc, char **argv)
{
	return change(cli, "team drain", json_pack("{s:s, s:s}", "name", argv[0], "nic", argv[1]),
		      "%s: %s is drained\n", argv[0], argv[1]);
}

int cmd_team_undrain(struct cli *cli, int argc, char **argv)
{
	return change(cli, "team undrain", json_pack("{s:s, s:s}", "name", argv[0], "nic", argv[1]),
		      "%s: %s is used again\n", argv[0], argv[1]);
}

int cmd_team_failover(struct cli *cli, int argc, char **argv)
{
	return change(cli, "team failover",
		      json_pack("{s:s, s:s*}", "name", argv[0], "nic", argc > 1 ? argv[1] : NULL),
		      "%s: %s is to take over\n", argv[0],
		      argc > 1 ? argv[1] : "the next best member");
}
