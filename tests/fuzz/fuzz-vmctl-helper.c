/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz-vmctl-helper.c - requests to the process that runs xl: what is taken makes whole words, and
 * none that could be an option or leave its folder. */
#include <stdlib.h>
#include <string.h>

#include "tools/vmctl/helper_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct helper_request request;
	struct command command;
	const char *word;
	size_t n = 0;

	if (!helper_request_valid(data, size, "xl", &request, &command))
		return 0;
	while (n < COMMAND_WORDS && command.argv[n])
		n++;
	if (n < 3 || n == COMMAND_WORDS)
		abort();
	word = command.argv[n - 1];
	if (!*word || *word == '-' || strstr(word, "/..") || strpbrk(word, "\n\t"))
		abort();
	return 0;
}
