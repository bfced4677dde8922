/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cost.c - from a frame's length to its cost, see cost.h. */
#include "cost.h"

#include <stddef.h>

#include "util.h"

const char *const cost_unit_names[] = {"wire", "byte", "frame", NULL};

uint32_t cost_segments(uint32_t frame_bytes, uint32_t gso_size, uint32_t header_bytes)
{
	if (gso_size == 0 || frame_bytes <= header_bytes)
		return 1;
	return DIV_ROUND_UP(frame_bytes - header_bytes, gso_size);
}

/* The last segment is the only one that can be shorter than its fellows. */
static uint64_t padded(uint32_t frame_bytes, uint32_t segments, uint32_t gso_size,
		       uint32_t header_bytes)
{
	const uint64_t full = (uint64_t)header_bytes + gso_size;
	uint64_t last;

	if (segments == 1)
		return MAX(frame_bytes, COST_FRAME_MIN);
	last = frame_bytes - (segments - 1) * gso_size;
	return (segments - 1) * MAX(full, COST_FRAME_MIN) + MAX(last, COST_FRAME_MIN);
}

struct cost cost_of(enum cost_unit unit, uint32_t frame_bytes, uint32_t gso_size,
		    uint32_t header_bytes)
{
	const uint32_t segments = cost_segments(frame_bytes, gso_size, header_bytes);
	const uint64_t byte = frame_bytes + (uint64_t)(segments - 1) * header_bytes;
	const uint64_t wire = padded(frame_bytes, segments, gso_size, header_bytes) +
			      (uint64_t)segments * COST_WIRE_EXTRA;
	const uint64_t bytes = MIN(unit == COST_UNIT_BYTE ? byte : wire, COST_MAX);
	const uint64_t frames = MIN((uint64_t)segments * COST_FRAME_SHARE, COST_MAX);

	return (struct cost){.bytes = (uint32_t)bytes,
			     .share = (uint32_t)(unit == COST_UNIT_FRAME ? frames : bytes)};
}
