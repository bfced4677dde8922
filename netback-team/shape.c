/* SPDX-License-Identifier: GPL-2.0-or-later */
/* shape.c - token bucket, see shape.h. Used by guest_tx.c before a frame leaves the guest's ring.
 */
#include "shape.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "util.h"

#define FRAME_MAX_BYTES 65535u

static uint64_t bytes_to_ns(const struct shape *shape, uint64_t bytes)
{
	return (uint64_t)((__uint128_t)bytes * 8 * NSEC_PER_SEC / shape->rate_bps);
}

void shape_set(struct shape *shape, uint64_t rate_bps, uint64_t burst_bytes, uint64_t now_ns)
{
	uint64_t debt_bytes = 0;

	if (shape->rate_bps && shape->full_ns > now_ns)
		debt_bytes = (uint64_t)((__uint128_t)(shape->full_ns - now_ns) * shape->rate_bps /
					8 / NSEC_PER_SEC);
	shape->rate_bps = rate_bps;
	shape->burst_bytes = MAX(burst_bytes, FRAME_MAX_BYTES);
	shape->frac = 0;
	shape->full_ns = rate_bps ? now_ns + bytes_to_ns(shape, debt_bytes) : 0;
}

uint64_t shape_ready_ns(const struct shape *shape, uint32_t bytes, uint64_t now_ns)
{
	uint64_t full, depth;

	if (!shape->rate_bps)
		return now_ns;
	full = MAX(shape->full_ns, now_ns) + bytes_to_ns(shape, bytes);
	depth = bytes_to_ns(shape, shape->burst_bytes);
	return full > depth ? MAX(full - depth, now_ns) : now_ns;
}

void shape_take(struct shape *shape, uint32_t bytes, uint64_t now_ns)
{
	__uint128_t cost;

	if (!shape->rate_bps)
		return;
	if (shape->full_ns < now_ns) {
		shape->full_ns = now_ns;
		shape->frac = 0;
	}
	cost = (__uint128_t)bytes * 8 * NSEC_PER_SEC + shape->frac;
	shape->full_ns += (uint64_t)(cost / shape->rate_bps);
	shape->frac = (uint64_t)(cost % shape->rate_bps);
}

int shape_parse_xl_rate(const char *value, uint64_t *rate_bps, uint64_t *burst_bytes)
{
	unsigned long long bytes, usec;
	char *end;

	if (!isdigit((unsigned char)value[0]))
		return -EINVAL;
	errno = 0;
	bytes = strtoull(value, &end, 10);
	if (*end != ',' || !isdigit((unsigned char)end[1]))
		return -EINVAL;
	usec = strtoull(end + 1, &end, 10);
	if (errno || *end || bytes > UINT32_MAX || usec > UINT32_MAX || bytes == 0 || usec == 0)
		return -EINVAL;
	*rate_bps = (uint64_t)bytes * 8 * 1000000 / usec;
	*burst_bytes = bytes;
	return *rate_bps ? 0 : -EINVAL;
}
