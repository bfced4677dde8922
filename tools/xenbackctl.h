/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xenbackctl.h - between the files of xenbackctl.
 *
 * xenbackctl.c holds the table of commands; xenbackctl_SUBJECT.c the commands of a subject;
 * xenbackctl_render.c turns JSON into text for people; xenbackctl_object.c knows how words on the
 * command line and in files name an object in xenstore.
 */
#ifndef XB_TOOLS_XENBACKCTL_H
#define XB_TOOLS_XENBACKCTL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "common/ctl.h"
#include "common/keys.h"
#include "common/xen/ops.h"

enum cli_exit { CLI_OK = 0, CLI_FAILURE = 1, CLI_USAGE = 2 };

/** What the global options say. */
struct cli {
	bool json;			   /**< --json: the raw answer */
	bool once;			   /**< --once, of load and usb attach */
	bool follow;			   /**< --follow, of events */
	bool batch;			   /**< --batch, of top */
	const char *since;		   /**< --since, of events */
	const char *listen;		   /**< --listen, of metrics */
	const char *daemon;		   /**< --daemon: NULL = the one that knows */
	const char *ctl_path;		   /**< --ctl: its socket, NULL = where it belongs */
	const char *xen_spec;		   /**< --xen, for the commands that go to xenstore */
	const struct cli_command *command; /**< the one that runs, for usage errors */
};

/** A row of the command table. */
struct cli_command {
	const char *name;   /**< one or two words */
	const char *args;   /**< for help */
	const char *daemon; /**< who answers it; NULL = any */
	int min, max;	    /**< how many arguments */
	const char *help;   /**< one line */
	/** argv: the arguments behind the name. Returns the exit status. */
	int (*fn)(struct cli *cli, int argc, char **argv);
};

/* xenbackctl.c */

/** Prints a message to stderr; returns CLI_FAILURE. */
int cli_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/** Prints a message and the usage of the running command; returns CLI_USAGE. */
int cli_usage(const struct cli *cli, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** Sends a command to the daemon; args (taken over) may be NULL. NULL after a message when it
 * failed. */
json_t *cli_call(const struct cli *cli, const char *cmd, json_t *args);
/** The daemons of xenback, most of them running. */
#define CLI_DAEMONS 2
extern const char *const cli_daemons[CLI_DAEMONS];
/** Those whose keys can be known: the one of --daemon or --ctl, or all that run or are installed;
 * at least one. Their number. */
size_t cli_known_daemons(const struct cli *cli, const char *daemons[CLI_DAEMONS]);
/** Those that a question to all of them is for: the one of --daemon or --ctl, or all that have a
 * control socket, or the first; at least one. Their number. */
size_t cli_running_daemons(const struct cli *cli, const char *daemons[CLI_DAEMONS]);
/** True when it has a control socket. */
bool cli_daemon_runs(const struct cli *cli, const char *daemon);
/** Its program, if that lies beside ours; free(). */
char *cli_daemon_program(const char *daemon);
/** Asks this daemon and prints nothing: NULL and a sentence in error when it failed. args is taken
 * over. */
json_t *cli_ask(const struct cli *cli, const char *daemon, const char *cmd, json_t *args,
		char error[CTL_ERROR_MAX]);
/** As cli_call, but asks this daemon. */
json_t *cli_call_daemon(const struct cli *cli, const char *daemon, const char *cmd, json_t *args);
/** Prints JSON as --json wants it; always CLI_OK. */
int cli_print_json(const json_t *json);

/* xenbackctl_render.c */

/** A table that is aligned when all of it is known. */
struct table;
/** heading: the first row names the columns; without one, all columns go to the left. */
struct table *table_create(bool heading);
/** Adds a cell to the current row; "-" for an empty text. */
void table_add(struct table *table, const char *text);
void table_end_row(struct table *table);
/** Prints with two blanks between columns, columns of quantities to the right, and frees the table.
 */
void table_print(struct table *table, FILE *out, int indent);

/** Foreign text that cannot harm a terminal; free(). */
char *render_text(const char *text);
/** A value for people, the unit taken from the end of its name (_bytes, _ms, _mbps ...); free(). */
char *render_value(const char *name, const json_t *value);
/** "rx_bytes" -> "rx"; free(). */
char *render_label(const char *name);
/** Name and value a line; members of `first` (NULL-terminated) before all others; arrays and
 * objects as blocks below. */
void render_object(FILE *out, const json_t *object, const char *const *first, int indent);
/** An array of objects as table. first: columns in front; only: no others. Columns that no row has
 * are left out. */
void render_rows(FILE *out, const json_t *rows, const char *const *first, bool only, int indent);

/* xenbackctl_store.c */

/** Opens the store of --xen; CLI_OK, or CLI_FAILURE after a message. cli_store_close in any case.
 */
int cli_store_open(const struct cli *cli, struct xen **xen, struct xen_store **store);
/** Either may be NULL. */
void cli_store_close(struct xen *xen, struct xen_store *store);
/** The UUID of the virtual machine that a domain, by number or name, is now; free(). CLI_OK, or
 * another exit status after a message, then *uuid is NULL. */
int cli_vm_uuid(const struct cli *cli, const char *domain, char **uuid);

/* xenbackctl_tables.c, xenbackctl_object.c */

/** An object of a key table, at its place in xenstore. */
struct object {
	const struct key_table *table;
	char *path;
};

/** The key tables that the daemons serve. */
struct tables {
	struct key_table **tables;
	const char **owners; /**< the daemon of each */
	size_t n;
	const char *daemons[CLI_DAEMONS]; /**< who was asked */
	bool skip[CLI_DAEMONS];		  /**< of load: the settings of this one are left out */
	size_t n_daemons;
};
/** The place of a daemon in `daemons`; -1 = it was not asked. */
int tables_daemon(const struct tables *tables, const char *name);
/** The daemon that a file's section is for, by the word that only it has; NULL = any. */
const char *tables_section_owner(const char *section);
/** Returns CLI_OK, or another exit status after a message; tables_free is fine in both cases. */
int tables_fetch(const struct cli *cli, struct tables *tables);
void tables_free(struct tables *tables);

/**
 * Finds the object that words name: its path, the words of a file's section ("vm UUID vif 0") or
 * the name of its table and the variable words ("vif UUID 0"). Returns 0, or -EINVAL with a
 * sentence. Free with object_fini.
 */
int object_find(const struct tables *tables, struct object *object, char *const *words,
		size_t n_words, char error[KEY_ERROR_MAX]);
/** The same for the text between the brackets of a file's section. */
int object_find_section(const struct tables *tables, struct object *object, const char *section,
			char error[KEY_ERROR_MAX]);
/** 0 when the table takes this key and value, else -errno with a sentence. */
int object_check(const struct object *object, const char *key, const char *value,
		 char error[KEY_ERROR_MAX]);
void object_fini(struct object *object);

/* xenbackctl_device.c */

/** How devices of one kind are written on the command line. */
struct device_kind {
	const char *prefix;  /**< "vif", as in vif3.0 */
	const char *list;    /**< the daemon's command that lists them, with their domains */
	const char *member;  /**< where in its answer they are; NULL = it is the list */
	const char *noun;    /**< "interface" */
	const char *article; /**< "an interface" */
	const char *allowed; /**< what may be written, in words */
	bool devid_may_miss; /**< "web" is "web.0" */
};

/** Guest interfaces; xenbackctl_vif.c. */
extern const struct device_kind cli_vif_kind;

/** "3.0", "vif3.0" or "NAME.0" -> {"domid": 3, "devid": 0}; NULL after a message, *status says
 * which. */
json_t *device_parse(struct cli *cli, const struct device_kind *kind, const char *text,
		     int *status);
/** "vif3.0" in place of the two numbers, and not twice. */
void device_shorten(const struct device_kind *kind, json_t *device);
/** What a daemon answers to "explain ...": summary, states, checks with hints. */
void device_print_explanation(json_t *result, const char *name);

/* the commands, by subject */

int cmd_status(struct cli *cli, int argc, char **argv);
int cmd_stats(struct cli *cli, int argc, char **argv);
int cmd_metrics(struct cli *cli, int argc, char **argv);
int cmd_log(struct cli *cli, int argc, char **argv);
int cmd_keys(struct cli *cli, int argc, char **argv);

/** xenbackctl_vif.c: the addresses in the daemon's answer about an interface as one line, MAC by
 * MAC with the IPv4 addresses that are known of it; a string to free(). */
char *vif_addresses(const json_t *vif);
int cmd_vif_list(struct cli *cli, int argc, char **argv);
int cmd_vif_show(struct cli *cli, int argc, char **argv);
int cmd_top(struct cli *cli, int argc, char **argv);
int cmd_vm_show(struct cli *cli, int argc, char **argv);
int cmd_explain_vm(struct cli *cli, int argc, char **argv);
int cmd_explain_vif(struct cli *cli, int argc, char **argv);

int cmd_dos_show(struct cli *cli, int argc, char **argv);
int cmd_dos_clear(struct cli *cli, int argc, char **argv);
int cmd_dos_relearn(struct cli *cli, int argc, char **argv);
int cmd_dos_failover(struct cli *cli, int argc, char **argv);
int cmd_dos_failback(struct cli *cli, int argc, char **argv);

int cmd_usb_list(struct cli *cli, int argc, char **argv);
int cmd_usb_show(struct cli *cli, int argc, char **argv);
int cmd_usb_explain(struct cli *cli, int argc, char **argv);
int cmd_usb_attach(struct cli *cli, int argc, char **argv);
int cmd_usb_detach(struct cli *cli, int argc, char **argv);

int cmd_team_list(struct cli *cli, int argc, char **argv);
int cmd_team_show(struct cli *cli, int argc, char **argv);
int cmd_team_set(struct cli *cli, int argc, char **argv);
int cmd_team_add(struct cli *cli, int argc, char **argv);
int cmd_team_remove(struct cli *cli, int argc, char **argv);
int cmd_team_failover(struct cli *cli, int argc, char **argv);
int cmd_lacp_show(struct cli *cli, int argc, char **argv);
int cmd_team_drain(struct cli *cli, int argc, char **argv);
int cmd_team_undrain(struct cli *cli, int argc, char **argv);

int cmd_events(struct cli *cli, int argc, char **argv);

int cmd_qos_show(struct cli *cli, int argc, char **argv);

int cmd_set(struct cli *cli, int argc, char **argv);
int cmd_unset(struct cli *cli, int argc, char **argv);
int cmd_load(struct cli *cli, int argc, char **argv);
int cmd_check(struct cli *cli, int argc, char **argv);

#endif
