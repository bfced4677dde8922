/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xenbackctl_daemon.c - commands about the daemon itself: status, stats, metrics, log, keys. */
#include "xenbackctl.h"

#include <stdlib.h>
#include <string.h>

#include "common/util.h"

int cmd_status(struct cli *cli, int argc, char **argv)
{
	static const char *const first[] = {"name", "version", "status", "uptime_s",
					    "xen",  "pid",     NULL};
	const char *daemons[CLI_DAEMONS];
	const size_t n = cli_running_daemons(cli, daemons);
	json_t *all = json_object();
	int status = CLI_OK;

	for (size_t i = 0; i < n; i++) {
		json_t *result = cli_call_daemon(cli, daemons[i], "status", NULL);

		if (!result)
			status = CLI_FAILURE;
		else
			json_object_set_new(all, daemons[i], result);
		if (!result || cli->json)
			continue;
		if (json_object_size(all) > 1)
			putchar('\n');
		render_object(stdout, result, first, 0);
	}
	/* One daemon that was asked for by name answers as itself. */
	if (cli->json && json_object_size(all))
		cli_print_json(cli->daemon || cli->ctl_path ? json_object_get(all, daemons[0])
							    : all);
	json_decref(all);
	return status;
}

/* The daemon's own text, but for what labels might do to a terminal. */
static void print_lines(const char *text)
{
	for (; *text; text++)
		putchar(((unsigned char)*text < 0x20 && *text != '\n') || *text == 0x7f ? '?'
											: *text);
}

int cmd_stats(struct cli *cli, int argc, char **argv)
{
	const char *daemons[CLI_DAEMONS];
	const size_t n = cli_running_daemons(cli, daemons);
	json_t *all = json_array();
	int status = CLI_OK;

	for (size_t i = 0; i < n; i++) {
		json_t *args = json_pack("{s:s}", "format", cli->json ? "json" : "text");
		json_t *result = cli_call_daemon(cli, daemons[i], "stats", args);

		if (!result)
			status = CLI_FAILURE;
		else if (cli->json)
			json_array_extend(all, result);
		else if (json_is_string(result))
			print_lines(json_string_value(result));
		json_decref(result);
	}
	if (cli->json)
		cli_print_json(all);
	json_decref(all);
	return status;
}

int cmd_log(struct cli *cli, int argc, char **argv)
{
	const char *equals = argc ? strchr(argv[0], '=') : NULL;
	json_t *args = NULL, *result;

	if (argc && !equals)
		args = json_pack("{s:s, s:s}", "module", "*", "level", argv[0]);
	else if (argc)
		args = json_pack("{s:s%, s:s}", "module", argv[0], (size_t)(equals - argv[0]),
				 "level", equals + 1);
	if (argc && !args)
		return cli_usage(cli, "the module or level is not UTF-8");
	result = cli_call(cli, "log", args);
	if (!result)
		return CLI_FAILURE;
	if (cli->json)
		cli_print_json(result);
	else
		render_object(stdout, result, NULL, 0);
	json_decref(result);
	return CLI_OK;
}

/* Fills lines of about 90 columns with the words of text. */
static void print_wrapped(const char *text, int indent)
{
	int column = 0;

	while (*text) {
		int n = (int)strcspn(text, " ");

		if (column && column + 1 + n > 90 - indent) {
			putchar('\n');
			column = 0;
		}
		column +=
			printf("%*s%.*s", column ? 1 : indent, "", n, text) - (column ? 0 : indent);
		text += n;
		text += strspn(text, " ");
	}
	putchar('\n');
}

static void print_key(const struct key *key)
{
	AUTO_FREE char *allowed = key_allowed(key);

	printf("  %s\n", key->name);
	print_wrapped(key->help, 6);
	print_wrapped(allowed, 6);
	printf("      %s%s; %s\n", key->def ? "default: " : "must be given",
	       key->def ? (*key->def ? key->def : "empty") : "",
	       key->live ? "takes effect at once" : "takes effect when the object is created anew");
}

static void print_key_table(const struct key_table *table, const char *key)
{
	AUTO_FREE char *words = keys_section(table);

	printf("%s    in files [%s], in xenstore %s\n\n", table->name, words,
	       table->path ? table->path : "?");
	for (size_t i = 0; i < table->n_keys; i++)
		if (!key || !strcmp(table->keys[i].name, key))
			print_key(&table->keys[i]);
	putchar('\n');
}

static int unknown_name(const struct tables *tables, const char *name)
{
	struct nearest nearest;

	nearest_init(&nearest, name);
	for (size_t i = 0; i < tables->n; i++)
		nearest_offer(&nearest, tables->tables[i]->name);
	return cli_error("there is no key table \"%s\"%s%s%s; `xenbackctl keys` shows all", name,
			 nearest.best ? " (did you mean \"" : "", nearest.best ? nearest.best : "",
			 nearest.best ? "\"?)" : "");
}

static int print_tables(const struct tables *tables, const char *name, const char *key)
{
	char error[KEY_ERROR_MAX];
	size_t n = 0;

	for (size_t i = 0; i < tables->n; i++) {
		const struct key_table *table = tables->tables[i];

		if (name && strcmp(table->name, name))
			continue;
		n++;
		if (key && !key_find(table, key)) {
			key_set(table, NULL, key, "", error); /* says what is near */
			return cli_error("%s", error);
		}
		print_key_table(table, key);
	}
	return n ? CLI_OK : unknown_name(tables, name ? name : "");
}

int cmd_keys(struct cli *cli, int argc, char **argv)
{
	struct tables tables;
	json_t *result;
	int status;

	if (cli->json) {
		result = cli_call(cli, "keys", NULL);
		status = result ? cli_print_json(result) : CLI_FAILURE;
		json_decref(result);
		return status;
	}
	status = tables_fetch(cli, &tables);
	if (!status)
		status = print_tables(&tables, argc ? argv[0] : NULL, argc > 1 ? argv[1] : NULL);
	tables_free(&tables);
	return status;
}
