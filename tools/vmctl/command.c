/* SPDX-License-Identifier: GPL-2.0-or-later */
/* command.c - see command.h; the words are those of xl(1). */
#include "command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* A letter or digit, then those and signs. */
static bool is_word(const char *text, const char *signs, size_t max)
{
	size_t n = strnlen(text, max + 1);

	if (!n || n > max || !is_alnum(*text))
		return false;
	for (size_t i = 1; i < n; i++)
		if (!is_alnum(text[i]) && !strchr(signs, text[i]))
			return false;
	return true;
}

bool command_file_valid(const char *name)
{
	return is_word(name, "._+-", COMMAND_FILE_MAX);
}

bool command_host_valid(const char *name)
{
	return is_word(name, ".:-", COMMAND_HOST_MAX);
}

bool command_path_valid(const char *path)
{
	size_t n = strnlen(path, COMMAND_PATH_MAX);

	if (*path != '/' || n == COMMAND_PATH_MAX || strstr(path, "..") || path[n - 1] == '/')
		return false;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)path[i] < 0x20 || path[i] == 0x7f)
			return false;
	return true;
}

/* Is it what the verb takes? */
static bool is_complete(enum vmctl_verb verb, uint16_t domid, const char *argument)
{
	const struct vmctl_verb_desc *desc = vmctl_verb_desc(verb);

	if (desc->domid ? !domid || domid >= VMCTL_DOMID_END : domid != VMCTL_NO_DOMID)
		return false;
	if (!desc->needs_argument)
		return !argument;
	if (!argument)
		return false;
	return verb == VMCTL_MIGRATE ? command_host_valid(argument) : command_path_valid(argument);
}

int command_make(struct command *command, const char *xl, enum vmctl_verb verb, uint16_t domid,
		 const char *argument)
{
	const char **argv;

	*command = (struct command){0};
	argv = command->argv;
	if (!vmctl_verb_desc(verb)->job || !is_complete(verb, domid, argument))
		return -EINVAL;
	snprintf(command->domid, sizeof(command->domid), "%u", domid);
	snprintf(command->argument, sizeof(command->argument), "%s", argument ? argument : "");
	*argv++ = xl;
	switch (verb) {
	case VMCTL_SAVE:
		*argv++ = "save";
		break;
	case VMCTL_RESTORE:
		*argv++ = "restore";
		break;
	case VMCTL_MIGRATE:
		*argv++ = "migrate";
		break;
	case VMCTL_SHUTDOWN:
		/* Wait for it; by ACPI where it has no drivers of Xen. */
		*argv++ = "shutdown";
		*argv++ = "-w";
		*argv++ = "-F";
		break;
	case VMCTL_LAUNCH:
		*argv++ = "create";
		break;
	case VMCTL_LIST:
	case VMCTL_PAUSE:
	case VMCTL_UNPAUSE:
	case VMCTL_VERBS:
		return -EINVAL;
	}
	if (domid != VMCTL_NO_DOMID)
		*argv++ = command->domid;
	if (argument)
		*argv++ = command->argument;
	return 0;
}
