/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz-vmctl-reply.c - answers of xenback-vmctl, as the daemons that ask it read them: what is
 * taken has a message that can be printed. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/vmctl_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vmctl_reply reply;

	if (vmctl_reply_parse((const char *)data, size, &reply))
		return 0;
	for (const char *c = reply.message; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			abort();
	if (!reply.ok && reply.job)
		abort();
	free(reply.message);
	return 0;
}
