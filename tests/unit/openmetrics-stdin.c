/* SPDX-License-Identifier: GPL-2.0-or-later */
/* openmetrics-stdin.c - reads a text from its standard input and says whether it is OpenMetrics;
 * for shell tests. */
#include <stdio.h>
#include <stdlib.h>

#include "common/util.h"
#include "openmetrics-lint.h"

int main(void)
{
	char *text = NULL, error[256];
	size_t room = 0;

	if (getdelim(&text, &room, '\0', stdin) < 0) {
		puts("nothing to read");
		return 1;
	}
	if (!openmetrics_lint(text, error, sizeof(error))) {
		puts(error);
		return 1;
	}
	free(text);
	return 0;
}
