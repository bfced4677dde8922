/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz-hook.c - a datagram to the process that runs hooks: what is taken for valid names a file of
 * one directory. */
#include <stdlib.h>
#include <string.h>

#include "netback-team/hook_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hook_message *message;

	if (size > sizeof(*message))
		return 0;
	message = calloc(1, sizeof(*message));
	if (!message)
		return 0;
	memcpy(message, data, size);
	if (hook_message_valid(message, size)) {
		const size_t n = strnlen(message->program, HOOK_PROGRAM_MAX);

		if (n == 0 || n == HOOK_PROGRAM_MAX || message->program[0] == '.' ||
		    strchr(message->program, '/') || size < HOOK_PROGRAM_MAX)
			abort();
	}
	free(message);
	return 0;
}
