/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz-cidrs.c - the whitelist of act: what is read has sizes that exist and holds its own address.
 */
#include <stdlib.h>
#include <string.h>

#include "netback-team/act_options.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = calloc(1, size + 1), error[ACT_ERROR_MAX] = "";
	struct act_cidr cidrs[ACT_CIDRS_MAX];
	int n;

	if (size)
		memcpy(text, data, size);
	n = act_cidrs_parse(text, cidrs, error);
	if (n > ACT_CIDRS_MAX || (n < 0) != (strncmp(error, "whitelist: ", 11) == 0))
		abort();
	for (int i = 0; i < n; i++)
		if (cidrs[i].bits > 128 || !act_cidrs_have(&cidrs[i], 1, &cidrs[i].addr))
			abort();
	free(text);
	return 0;
}
