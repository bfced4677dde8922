/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz-coalesce.c - the world around the merging engine (tests/sim/coalesce-world.h), whose every
 * choice is taken from the input: one byte for up to 256 ways, two for up to 65536, else four.
 * Behind the input's end each choice is 0: everybody does the next thing, and all ends well.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/sim/coalesce-world.h"

struct input {
	const uint8_t *at, *end;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t draw(void *ctx, uint32_t n)
{
	struct input *input = ctx;
	uint32_t value = 0;

	for (unsigned int k = n <= 256 ? 1 : n <= 65536 ? 2 : 4; k > 0; k--)
		value = value << 8 | (input->at < input->end ? *input->at++ : 0);
	return value % n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world world;
	struct input input = {data, data + size};

	if (!world_run(&world, draw, &input)) {
		fprintf(stderr, "%s, %s: %s\n", world.exact ? "exact" : "race",
			world.config.in ? "IN" : "OUT", world.error);
		abort();
	}
	return 0;
}
