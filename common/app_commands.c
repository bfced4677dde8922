/* SPDX-License-Identifier: GPL-2.0-or-later */
/* app_commands.c - the control commands that every daemon has: status, stats, metrics, log, keys.
 */
#include "app_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "config.h"
#include "ctl.h"
#include "keys_json.h"
#include "log.h"
#include "stats.h"
#include "util.h"
#include "xen/ops.h"

static int cmd_status(void *ctx, json_t *args, json_t **result, char error[CTL_ERROR_MAX])
{
	const struct app_commands *commands = ctx;
	const struct app *app = commands->app;
	uint64_t up_ns = clock_now(app->clock) - commands->start_ns;

	*result = json_pack("{s:s, s:s, s:i, s:I, s:s, s:s, s:I}", "name", commands->desc->name,
			    "version", PACKAGE_VERSION, "pid", (int)getpid(), "uptime_s",
			    (json_int_t)(up_ns / NSEC_PER_SEC), "status", app_last_status(), "xen",
			    app->xen ? app->xen->ops->name : "none", "log_lines_lost",
			    (json_int_t)log_lost());
	return 0;
}

static int cmd_stats(void *ctx, json_t *args, json_t **result, char error[CTL_ERROR_MAX])
{
	const struct app_commands *commands = ctx;
	const json_t *arg = json_object_get(args, "format");
	const char *format = arg ? json_string_value(arg) : "json";
	AUTO_FREE char *text = NULL;

	if (format && !strcmp(format, "json")) {
		*result = stats_to_json(commands->app->stats);
		return 0;
	}
	if (!format || strcmp(format, "text")) {
		snprintf(error, CTL_ERROR_MAX,
			 "format: \"%.32s\" is refused; allowed: json or text",
			 format ? format : "?");
		return -EINVAL;
	}
	text = stats_to_text(commands->app->stats);
	*result = json_string(text);
	return 0;
}

static int cmd_metrics(void *ctx, json_t *args, json_t **result, char error[CTL_ERROR_MAX])
{
	const struct app_commands *commands = ctx;
	AUTO_FREE char *text = stats_to_openmetrics(commands->app->stats);

	*result = json_string(text);
	return 0;
}

static void add_level(void *ctx, const char *module, enum log_level level)
{
	json_object_set_new(ctx, module, json_string(log_level_name(level)));
}

static int set_level(const json_t *args, char error[CTL_ERROR_MAX])
{
	const json_t *arg = json_object_get(args, "module");
	const char *module = arg ? json_string_value(arg) : "*";
	const char *name = json_string_value(json_object_get(args, "level"));
	enum log_level level;
	int err;

	if (!name || log_level_parse(name, &level)) {
		snprintf(error, CTL_ERROR_MAX,
			 "level: \"%.32s\" is refused; allowed: err, warn, info or debug",
			 name ? name : "");
		return -EINVAL;
	}
	err = module ? log_set_level(module, level) : -EINVAL;
	if (err == -ENOSPC)
		snprintf(error, CTL_ERROR_MAX,
			 "too many modules have a level of their own; set \"*\" to start anew");
	else if (err)
		snprintf(
			error, CTL_ERROR_MAX,
			"module: \"%.32s\" is refused; allowed: a name of 1 to 23 characters, or *",
			module ? module : "?");
	return err;
}

static int cmd_log(void *ctx, json_t *args, json_t **result, char error[CTL_ERROR_MAX])
{
	int err = json_object_size(args) ? set_level(args, error) : 0;

	if (err)
		return err;
	*result = json_object();
	log_foreach_level(add_level, *result);
	return 0;
}

static json_t *tables_to_json(const struct app_desc *desc)
{
	json_t *array = json_array();

	for (size_t i = 0; i < desc->n_tables; i++)
		json_array_append_new(array, keys_to_json(desc->tables[i]));
	return array;
}

static int cmd_keys(void *ctx, json_t *args, json_t **result, char error[CTL_ERROR_MAX])
{
	const struct app_commands *commands = ctx;

	*result = tables_to_json(commands->desc);
	return 0;
}

int app_print_keys(const struct app_desc *desc)
{
	json_t *array = tables_to_json(desc);
	int err = json_dumpf(array, stdout, JSON_COMPACT);

	putchar('\n');
	json_decref(array);
	return err || fflush(stdout) ? -EIO : 0;
}

void app_commands_register(struct app_commands *commands)
{
	static const struct {
		const char *name, *usage;
		ctl_fn fn;
	} builtin[] = {
		{"status", "status: version, uptime, state in a sentence", cmd_status},
		{"stats", "stats {\"format\": \"json\" or \"text\"}: all counters", cmd_stats},
		{"metrics", "metrics: all counters as OpenMetrics text", cmd_metrics},
		{"log",
		 "log {\"module\": NAME or \"*\", \"level\": LEVEL}: set, or show the log levels",
		 cmd_log},
		{"keys", "keys: the tables of configuration keys", cmd_keys},
	};

	for (size_t i = 0; i < ARRAY_SIZE(builtin); i++)
		ctl_register(commands->app->ctl, builtin[i].name, builtin[i].usage, builtin[i].fn,
			     commands);
}
