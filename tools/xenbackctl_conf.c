/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xenbackctl_conf.c - settings: set and unset one, load or check files.
 *
 * Everything is checked by the daemon's own key tables before the first byte is written, and then
 * written in one transaction: xenstore never holds half of a file, nor a value that the daemon
 * would refuse.
 */
#include "xenbackctl.h"

#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"

#ifndef SYSCONFDIR
#define SYSCONFDIR "/etc"
#endif

/* A file of settings longer than this is something else. */
#define FILE_MAX ((size_t)1 << 20)
/* Says of a daemon that its settings were loaded since xenstore started: it lives as long as they.
 */
#define LOADED_DIR "/local/domain/0/xenback/loaded"
/* After so many mistakes the reader has work enough. */
#define ERRORS_MAX 20
/* Somebody else writes to the same nodes without pause. */
#define RETRIES_MAX 100

/** What is to be written, value NULL = removed. */
struct setting {
	char *path, *value;
	char *where; /* "file:line", for messages */
};

struct settings {
	struct setting *list;
	size_t n;
	unsigned int n_errors;
	unsigned int n_waiting[CLI_DAEMONS]; /* for a daemon whose keys are not known */
};

static void settings_add(struct settings *settings, const char *dir, const char *key,
			 const char *value, const char *where)
{
	struct setting *setting;

	settings->list = xb_realloc(settings->list, (settings->n + 1) * sizeof(*settings->list));
	setting = &settings->list[settings->n++];
	setting->path = xb_asprintf("%s/%s", dir, key);
	setting->value = value ? xb_strdup(value) : NULL;
	setting->where = xb_strdup(where);
}

static void settings_drop_last(struct settings *settings)
{
	struct setting *last = &settings->list[--settings->n];

	free(last->path);
	free(last->value);
	free(last->where);
}

static void settings_fini(struct settings *settings)
{
	while (settings->n)
		settings_drop_last(settings);
	free(settings->list);
}

static int write_one(const struct xen_ops *ops, struct xen_store *store, xen_txn txn,
		     const struct setting *setting)
{
	int err;

	if (setting->value)
		return ops->store_write(store, txn, setting->path, setting->value,
					strlen(setting->value));
	err = ops->store_rm(store, txn, setting->path);
	return err == -ENOENT ? 0 : err;
}

static int write_once(const struct xen_ops *ops, struct xen_store *store,
		      const struct settings *settings)
{
	xen_txn txn;
	int err = ops->txn_start(store, &txn);

	if (err)
		return err;
	for (size_t i = 0; i < settings->n && !err; i++)
		err = write_one(ops, store, txn, &settings->list[i]);
	if (err) {
		ops->txn_end(store, txn, true);
		return err;
	}
	return ops->txn_end(store, txn, false);
}

static int settings_write(const struct cli *cli, const struct settings *settings)
{
	struct xen *xen;
	struct xen_store *store;
	int status = cli_store_open(cli, &xen, &store), err = -EAGAIN;

	for (int i = 0; i < RETRIES_MAX && !status && err == -EAGAIN; i++)
		err = write_once(xen->ops, store, settings);
	if (!status && err)
		status = cli_error("cannot write to xenstore, nothing was changed: %s",
				   strerror(-err));
	cli_store_close(xen, store);
	return status;
}

static json_t *settings_to_json(const struct settings *settings)
{
	json_t *array = json_array();

	for (size_t i = 0; i < settings->n; i++)
		json_array_append_new(array,
				      json_pack("{s:s, s:s?}", "path", settings->list[i].path,
						"value", settings->list[i].value));
	return array;
}

static int print_json(const struct settings *settings)
{
	json_t *json = settings_to_json(settings);

	cli_print_json(json);
	json_decref(json);
	return CLI_OK;
}

/*
 * "vif 3.0" or "vif web.0" -> "vif UUID 0", "usb 3.0 1" -> "usb UUID 0 1": settings belong to the
 * VM, not to the number that it has until its next start. resolved: n_words + 1 words, NULL when
 * there is nothing to resolve.
 */
static int resolve_domain(const struct cli *cli, const struct tables *tables, char **words,
			  size_t n_words, char **resolved)
{
	const char *dot = n_words >= 2 ? strrchr(words[1], '.') : NULL;
	AUTO_FREE char *domain = NULL;
	bool of_vm = false;
	int status;

	for (size_t i = 0; i < tables->n; i++)
		of_vm |= !strcmp(tables->tables[i]->name, words[0]) && tables->tables[i]->path &&
			 strstr(tables->tables[i]->path, "/UUID/");
	if (!of_vm || !dot || dot == words[1])
		return CLI_OK;
	domain = xb_asprintf("%.*s", (int)(dot - words[1]), words[1]);
	status = cli_vm_uuid(cli, domain, &resolved[1]);
	if (status)
		return status;
	resolved[0] = xb_strdup(words[0]);
	resolved[2] = xb_strdup(dot + 1);
	for (size_t i = 2; i < n_words; i++)
		resolved[i + 1] = xb_strdup(words[i]);
	return CLI_OK;
}

/* Looks up the object that the words before the key name. */
static int find_object(const struct cli *cli, const struct tables *tables, struct object *object,
		       char **words, size_t n_words)
{
	AUTO_FREE char **resolved = xb_calloc(n_words + 1, sizeof(*resolved));
	char error[KEY_ERROR_MAX];
	int status = resolve_domain(cli, tables, words, n_words, resolved);

	if (!status && object_find(tables, object, resolved[0] ? resolved : words,
				   resolved[0] ? n_words + 1 : n_words, error))
		status = cli_error("%s", error);
	for (size_t i = 0; i <= n_words; i++)
		free(resolved[i]);
	return status;
}

int cmd_set(struct cli *cli, int argc, char **argv)
{
	const char *key = argv[argc - 2], *value = argv[argc - 1];
	char error[KEY_ERROR_MAX];
	struct settings settings = {0};
	struct object object = {0};
	struct tables tables;
	int status = tables_fetch(cli, &tables);

	if (!status)
		status = find_object(cli, &tables, &object, argv, (size_t)argc - 2);
	if (!status && object_check(&object, key, value, error))
		status = cli_error("%s", error);
	if (!status) {
		settings_add(&settings, object.path, key, value, "");
		status = settings_write(cli, &settings);
	}
	if (!status && cli->json)
		print_json(&settings);
	else if (!status)
		printf("%s = %s\n", settings.list[0].path, value);
	settings_fini(&settings);
	object_fini(&object);
	tables_free(&tables);
	return status;
}

int cmd_unset(struct cli *cli, int argc, char **argv)
{
	const char *key = argv[argc - 1];
	struct settings settings = {0};
	struct object object = {0};
	struct tables tables;
	int status = tables_fetch(cli, &tables);

	if (!status)
		status = find_object(cli, &tables, &object, argv, (size_t)argc - 1);
	if (!status && !key_find(object.table, key)) {
		char error[KEY_ERROR_MAX];

		key_set(object.table, NULL, key, "",
			error); /* unknown, so it only says what is near */
		status = cli_error("%s", error);
	}
	if (!status) {
		settings_add(&settings, object.path, key, NULL, "");
		status = settings_write(cli, &settings);
	}
	if (!status && cli->json)
		print_json(&settings);
	else if (!status)
		printf("%s removed\n", settings.list[0].path);
	settings_fini(&settings);
	object_fini(&object);
	tables_free(&tables);
	return status;
}

__attribute__((format(printf, 2, 3))) static void mistake(struct settings *settings,
							  const char *fmt, ...)
{
	va_list args;

	if (settings->n_errors++ >= ERRORS_MAX)
		return;
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
}

static const struct setting *find_setting(const struct settings *settings, const char *dir,
					  const char *key)
{
	AUTO_FREE char *path = xb_asprintf("%s/%s", dir, key);

	for (size_t i = 0; i < settings->n; i++)
		if (!strcmp(settings->list[i].path, path))
			return &settings->list[i];
	return NULL;
}

/* Settings of a daemon that has them already, or of one whose keys are not known.
 */
static bool is_left_out(struct settings *settings, const struct tables *tables, const char *section)
{
	const char *owner = tables_section_owner(section);
	int daemon = owner ? tables_daemon(tables, owner) : 0;

	if (!owner)
		return false;
	if (daemon >= 0)
		return tables->skip[daemon];
	for (size_t i = 0; i < CLI_DAEMONS; i++)
		if (!strcmp(cli_daemons[i], owner))
			settings->n_waiting[i]++;
	return true;
}

static void take_item(struct settings *settings, const struct tables *tables, const char *file,
		      const struct keys_file_item *item)
{
	AUTO_FREE char *where = xb_asprintf("%s:%u", file, item->line);
	struct object object;
	const struct setting *earlier;
	char error[KEY_ERROR_MAX];

	if (is_left_out(settings, tables, item->section))
		return;
	if (object_find_section(tables, &object, item->section, error)) {
		mistake(settings, "%s: in [%s]: %s", where, item->section, error);
		return;
	}
	earlier = find_setting(settings, object.path, item->key);
	if (object_check(&object, item->key, item->value, error))
		mistake(settings, "%s: %s", where, error);
	else if (earlier)
		mistake(settings, "%s: %s of [%s] is given already in %s", where, item->key,
			item->section, earlier->where);
	else
		settings_add(settings, object.path, item->key, item->value, where);
	object_fini(&object);
}

/* The whole file, at most FILE_MAX bytes; NULL after a message. */
static char *read_file(struct settings *settings, const char *name, size_t *size)
{
	FILE *file = fopen(name, "rb");
	char *text = xb_calloc(1, FILE_MAX + 1);

	*size = file ? fread(text, 1, FILE_MAX + 1, file) : 0;
	if (!file || ferror(file))
		mistake(settings, "%s: cannot be read: %s", name, strerror(errno));
	else if (*size > FILE_MAX)
		mistake(settings, "%s: is longer than 1 MiB, that is no file of settings", name);
	else {
		fclose(file);
		return text;
	}
	if (file)
		fclose(file);
	free(text);
	return NULL;
}

static void take_file(struct settings *settings, const struct tables *tables, const char *name)
{
	struct keys_file file;
	char error[KEY_ERROR_MAX];
	size_t size;
	AUTO_FREE char *text = read_file(settings, name, &size);

	if (!text)
		return;
	if (keys_file_parse(&file, name, text, size, error)) {
		mistake(settings, "%s", error);
		return;
	}
	for (size_t i = 0; i < file.n_items; i++)
		take_item(settings, tables, name, &file.items[i]);
	keys_file_fini(&file);
}

static int report(const struct cli *cli, const struct settings *settings, size_t n_files,
		  bool write)
{
	for (size_t i = 0; i < CLI_DAEMONS; i++)
		if (settings->n_waiting[i])
			fprintf(stderr,
				"%u setting%s for %s left out: it is not installed, or was not "
				"asked\n",
				settings->n_waiting[i], settings->n_waiting[i] == 1 ? "" : "s",
				cli_daemons[i]);
	if (cli->json)
		return print_json(settings);
	printf("%zu setting%s from %zu file%s %s\n", settings->n, settings->n == 1 ? "" : "s",
	       n_files, n_files == 1 ? "" : "s", write ? "written" : "checked, nothing written");
	return CLI_OK;
}

static int refuse(const struct settings *settings)
{
	if (settings->n_errors > ERRORS_MAX)
		fprintf(stderr, "... and %u more\n", settings->n_errors - ERRORS_MAX);
	return cli_error("%u mistake%s; nothing was written", settings->n_errors,
			 settings->n_errors > 1 ? "s" : "");
}

/* Writes the settings, and that they were written. */
static int write_loaded(const struct cli *cli, const struct tables *tables,
			struct settings *settings)
{
	size_t n = settings->n;
	int status;

	for (size_t i = 0; i < tables->n_daemons; i++)
		settings_add(settings, LOADED_DIR, tables->daemons[i], "1", "");
	status = settings_write(cli, settings);
	while (settings->n > n)
		settings_drop_last(settings);
	return status;
}

static int load_files(const struct cli *cli, const struct tables *tables, int n_files, char **files,
		      bool write)
{
	struct settings settings = {0};
	int status = CLI_OK;

	for (int i = 0; i < n_files; i++)
		take_file(&settings, tables, files[i]);
	if (settings.n_errors)
		status = refuse(&settings);
	else if (write)
		status = write_loaded(cli, tables, &settings);
	if (!status)
		status = report(cli, &settings, (size_t)n_files, write);
	settings_fini(&settings);
	return status;
}

/* Which of the daemons asked have their settings already; *all: every one. CLI_OK, or another exit
 * status after a message. */
static int find_loaded(const struct cli *cli, struct tables *tables, bool *all)
{
	struct xen *xen;
	struct xen_store *store;
	int status = cli_store_open(cli, &xen, &store), err = 0;

	*all = true;
	for (size_t i = 0; i < tables->n_daemons && !status; i++) {
		AUTO_FREE char *path = xb_asprintf("%s/%s", LOADED_DIR, tables->daemons[i]);
		AUTO_FREE char *value = NULL;

		err = xen->ops->store_read(store, XEN_TXN_NONE, path, &value, NULL);
		tables->skip[i] = !err;
		*all &= !err;
		if (err && err != -ENOENT)
			status = cli_error("cannot read xenstore: %s", strerror(-err));
	}
	cli_store_close(xen, store);
	return status;
}

static int nothing_to_do(const struct cli *cli, const char *why)
{
	const struct settings none = {0};

	if (cli->json)
		return print_json(&none);
	printf("%s: nothing to do\n", why);
	return CLI_OK;
}

/* Of the files in /etc/xenback those that hold settings, to free(); the others are programs' own,
 * each with its form and manual page. */
static char **settings_files(const glob_t *found, int *n)
{
	static const char *const others[] = {"usb-reserve.conf", "vmctl.conf"};
	char **files = xb_calloc(found->gl_pathc + 1, sizeof(*files));

	*n = 0;
	for (size_t i = 0; i < found->gl_pathc; i++) {
		const char *name = strrchr(found->gl_pathv[i], '/') + 1;
		bool other = false;

		for (size_t j = 0; j < ARRAY_SIZE(others); j++)
			other |= !strcmp(name, others[j]);
		if (!other)
			files[(*n)++] = found->gl_pathv[i];
	}
	return files;
}

static int load(struct cli *cli, int argc, char **argv, bool write)
{
	struct tables tables = {0};
	bool loaded = false;
	AUTO_FREE char **files = NULL;
	glob_t found = {0};
	int status = CLI_OK;

	if (!argc && !glob(SYSCONFDIR "/xenback/*.conf", 0, NULL, &found)) {
		files = settings_files(&found, &argc);
		argv = files;
	}
	if (!argc) {
		status = nothing_to_do(cli, "no " SYSCONFDIR "/xenback/*.conf");
	} else {
		status = tables_fetch(cli, &tables);
		if (!status && cli->once)
			status = find_loaded(cli, &tables, &loaded);
		if (!status && loaded)
			status = nothing_to_do(cli, "loaded already since xenstore started");
		else if (!status)
			status = load_files(cli, &tables, argc, argv, write);
		tables_free(&tables);
	}
	globfree(&found);
	return status;
}

int cmd_load(struct cli *cli, int argc, char **argv)
{
	return load(cli, argc, argv, true);
}

int cmd_check(struct cli *cli, int argc, char **argv)
{
	return load(cli, argc, argv, false);
}
