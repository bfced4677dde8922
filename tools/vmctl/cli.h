/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli.h - the command line's two ways: cli.c asks the service, direct.c does it itself. */
#ifndef XB_VMCTL_CLI_H
#define XB_VMCTL_CLI_H

#include <jansson.h>
#include <stdbool.h>

#include "common/vmctl_wire.h"
#include "serve.h"

struct cli {
	const struct vmctl_parts *parts;
	const char *socket;
	bool direct, json;
};

/** Prints the message to stderr with the program's name before it; returns 1. */
int cli_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/** Prints guests, as `list` answers them. */
void cli_print_list(const struct cli *cli, const json_t *list);
/** Finds a guest in it by domid, UUID or name: its domid, or VMCTL_NO_DOMID after a message. */
uint16_t cli_find(const json_t *list, const char *word);

/** Does it without the service; guest: NULL for verbs without one. Returns main's exit status. */
int cli_direct(const struct cli *cli, enum vmctl_verb verb, const char *guest,
	       const char *argument);

#endif
