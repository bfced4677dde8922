/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz-ecn.c - a frame: marking it changes at most three bytes, and a second time none. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "netback-team/ecn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *frame = malloc(size + 1);
	unsigned int changed = 0;
	bool marked;

	if (!frame || size > 70000) {
		free(frame);
		return 0;
	}
	memcpy(frame, data, size);
	marked = ecn_mark(frame, (uint32_t)size);
	for (size_t i = 0; i < size; i++)
		changed += frame[i] != data[i];
	if (changed > 3 || (changed > 0) != marked || ecn_mark(frame, (uint32_t)size))
		abort();
	free(frame);
	return 0;
}
