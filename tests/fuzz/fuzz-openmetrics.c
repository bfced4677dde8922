/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz-openmetrics.c - the texts that xenbackctl merges: what is taken comes out the same when it
 * is read again, and what is refused leaves no trace. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tools/openmetrics.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = calloc(1, size + 1), *once, *twice;
	struct openmetrics *om = openmetrics_create(), *again = openmetrics_create();
	bool taken;

	if (size)
		memcpy(text, data, size);
	taken = openmetrics_add(om, text);
	once = openmetrics_text(om);
	if (!taken && strcmp(once, "# EOF\n") != 0)
		abort();
	if (!openmetrics_add(again, once))
		abort();
	twice = openmetrics_text(again);
	if (strcmp(once, twice) != 0)
		abort();
	openmetrics_destroy(om);
	openmetrics_destroy(again);
	free(once);
	free(twice);
	free(text);
	return 0;
}
