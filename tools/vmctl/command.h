/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * command.h - what xl is called with, and which arguments are good for that. No I/O.
 *
 * No shell sees them: each is one word of the argument vector, and none can be taken for an option.
 */
#ifndef XB_VMCTL_COMMAND_H
#define XB_VMCTL_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "common/vmctl_wire.h"

#define COMMAND_FILE_MAX 128 /**< characters of a file's name */
#define COMMAND_HOST_MAX 253 /**< of a host's (RFC 1035) */
#define COMMAND_PATH_MAX 384 /**< of a path, with the end */
#define COMMAND_WORDS	 8   /**< with the NULL at the end */

/** A call of xl; argv points into it and to words that live for ever. */
struct command {
	const char *argv[COMMAND_WORDS];
	char domid[8];
	char argument[COMMAND_PATH_MAX];
};

/** A name without a way out of its folder: letters, digits, ._+- and no . or - first. */
bool command_file_valid(const char *name);
/** A name or address: letters, digits, .:- and no sign first. */
bool command_host_valid(const char *name);
/** An absolute path without control characters and without "..". */
bool command_path_valid(const char *path);

/**
 * xl: the program. argument: migrate: the host; save, restore, launch: the path of the file; else
 * NULL. domid: VMCTL_NO_DOMID for restore and launch. 0, or -EINVAL: not what the verb takes, or no
 * verb for xl.
 */
int command_make(struct command *command, const char *xl, enum vmctl_verb verb, uint16_t domid,
		 const char *argument);

#endif
