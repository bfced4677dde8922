/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xenbackctl_tables.c - the key tables: of the daemons that run, or of their programs.
 *
 * Settings are written at boot, before the daemons start. So a daemon that does not run is asked by
 * running its program, which lies where xenbackctl lies, with --keys.
 */
#include "xenbackctl.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/keys_json.h"
#include "common/util.h"

/* Words of sections by which a daemon that does not run is known: its settings can wait for it. */
static const struct {
	const char *word, *daemon;
} section_words[] = {
	{"team", "netback-team"},
	{"vif", "netback-team"},
	{"usb", "usbback"},
	{"usbback", "usbback"},
};

const char *tables_section_owner(const char *section)
{
	AUTO_FREE char *copy = xb_strdup(section);
	char *save = NULL;

	for (char *word = strtok_r(copy, " \t", &save); word; word = strtok_r(NULL, " \t", &save))
		for (size_t i = 0; i < ARRAY_SIZE(section_words); i++)
			if (!strcmp(word, section_words[i].word))
				return section_words[i].daemon;
	return NULL;
}

int tables_daemon(const struct tables *tables, const char *name)
{
	for (size_t i = 0; i < tables->n_daemons; i++)
		if (!strcmp(tables->daemons[i], name))
			return (int)i;
	return -1;
}

/* The answer of `PROGRAM --keys`: a daemon that does not run knows its keys all the same. */
static json_t *ask_program(const char *program)
{
	char *const argv[] = {(char *)(uintptr_t)program, (char *)(uintptr_t) "--keys", NULL};
	posix_spawn_file_actions_t actions;
	json_t *result = NULL;
	int pipe_fds[2];
	FILE *out;
	pid_t pid;

	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return NULL;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, pipe_fds[1], STDOUT_FILENO);
	if (posix_spawn(&pid, program, &actions, NULL, argv, environ) == 0) {
		close(pipe_fds[1]);
		pipe_fds[1] = -1;
		out = fdopen(pipe_fds[0], "r");
		if (out) {
			pipe_fds[0] = -1;
			result = json_loadf(out, 0, NULL);
			fclose(out);
		}
		waitpid(pid, NULL, 0);
	}
	posix_spawn_file_actions_destroy(&actions);
	for (int i = 0; i < 2; i++)
		if (pipe_fds[i] >= 0)
			close(pipe_fds[i]);
	return result;
}

/* From the running daemon, or, at boot before it runs, from its program. */
static json_t *ask(const struct cli *cli, const char *daemon)
{
	AUTO_FREE char *program = cli_daemon_runs(cli, daemon) ? NULL : cli_daemon_program(daemon);
	json_t *result = program ? ask_program(program) : NULL;

	return result ? result : cli_call_daemon(cli, daemon, "keys", NULL);
}

static int fetch_from(const struct cli *cli, struct tables *tables, const char *daemon)
{
	json_t *result = ask(cli, daemon);
	size_t n = tables->n + json_array_size(result);
	int status = CLI_OK;

	if (!result)
		return CLI_FAILURE;
	tables->tables = xb_realloc(tables->tables, n * sizeof(*tables->tables));
	tables->owners = xb_realloc(tables->owners, n * sizeof(*tables->owners));
	for (size_t i = 0; i < json_array_size(result) && !status; i++) {
		struct key_table *table = keys_from_json(json_array_get(result, i));

		if (!table) {
			status = cli_error("the daemon's key table %zu is of another version of "
					   "xenback; install the "
					   "same version of both",
					   i + 1);
			break;
		}
		tables->owners[tables->n] = daemon;
		tables->tables[tables->n++] = table;
	}
	json_decref(result);
	return status;
}

int tables_fetch(const struct cli *cli, struct tables *tables)
{
	int status = CLI_OK;

	*tables = (struct tables){0};
	tables->n_daemons = cli_known_daemons(cli, tables->daemons);
	for (size_t i = 0; i < tables->n_daemons && !status; i++)
		status = fetch_from(cli, tables, tables->daemons[i]);
	return status;
}

void tables_free(struct tables *tables)
{
	for (size_t i = 0; i < tables->n; i++)
		keys_json_free(tables->tables[i]);
	free(tables->tables);
	free(tables->owners);
}
