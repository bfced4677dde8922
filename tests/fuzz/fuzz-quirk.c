/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz-quirk.c - the administrator's list of quirks: taken as a whole or not at all, and what was
 * taken is within its bounds. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/keys.h"
#include "usbback/quirk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same(const struct quirks *a, const struct quirks *b)
{
	return a->no_merge == b->no_merge && a->zlp == b->zlp &&
	       a->clear_halt_host == b->clear_halt_host && a->reset == b->reset &&
	       a->read_ahead == b->read_ahead;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *list = calloc(1, size + 1), error[KEY_ERROR_MAX] = "";
	struct quirks before, quirks, again;
	int rc;

	if (!list)
		return 0;
	if (size)
		memcpy(list, data, size);
	quirks_init(&before, size ? 0x1a86 : 0, 0x7523);
	quirks = again = before;
	rc = quirks_parse(&quirks, list, error, sizeof(error));
	if (rc != 0 && (rc != -EINVAL || !error[0] || !same(&quirks, &before)))
		abort();
	if (rc == 0 && (error[0] || quirks.read_ahead > QUIRK_READ_AHEAD_MAX ||
			quirks.read_ahead % 1024 || quirks.reset > QUIRK_RESET_NEVER))
		abort();
	/* The same list again says the same, and a small buffer takes what fits. */
	if (quirks_parse(&again, list, error, 16) != rc || strlen(error) >= sizeof(error) ||
	    !same(&again, &quirks))
		abort();
	free(list);
	return 0;
}
