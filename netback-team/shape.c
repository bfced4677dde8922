/* SPDX-License-Identifier: GPL-2.0-or-later */
/* shape.c - token bucket, see shape.h. Used by guest_tx.c before a frame leaves the guest's ring.
 */
#include "shape.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "util.h"

#define FRAME_MAX_BYTES 65535u

#define NS_MAX (UINT64_MAX / 4) /* sums of two such stay in range */

static const uint64_t NSEC_BITS = 8 * NSEC_PER_SEC;

/* Rounded up: a change forgives nothing. */
static uint64_t muldiv(uint64_t a, uint64_t b, uint64_t divisor)
{
	__uint128_t n = ((__uint128_t)a * b + divisor - 1) / divisor;

	return n > NS_MAX ? NS_MAX : (uint64_t)n;
}

void shape_set_depth(struct shape *shape, uint64_t rate_bps, uint64_t burst_bytes, uint64_t now_ns)
{
	uint64_t debt_bytes = 0;

	if (shape->rate_bps && shape->full_ns + (shape->frac > 0) > now_ns)
		debt_bytes = muldiv(shape->full_ns + (shape->frac > 0) - now_ns, shape->rate_bps,
				    NSEC_BITS);
	shape->rate_bps = rate_bps;
	shape->burst_bytes = burst_bytes;
	shape->frac = 0;
	shape->full_ns = rate_bps ? now_ns + muldiv(debt_bytes, NSEC_BITS, rate_bps) : 0;
	shape->taken_ns = DEADLINE_NEVER;
}

void shape_set(struct shape *shape, uint64_t rate_bps, uint64_t burst_bytes, uint64_t now_ns)
{
	shape_set_depth(shape, rate_bps, MAX(burst_bytes, FRAME_MAX_BYTES), now_ns);
}

uint64_t shape_ready_ns(const struct shape *shape, uint32_t bytes, uint64_t now_ns)
{
	__uint128_t room;
	uint64_t early_ns;

	if (!shape->rate_bps || shape->full_ns < now_ns)
		return now_ns;
	/* What may be missing from a full bucket; rounded once, at the end. */
	room = (__uint128_t)(shape->burst_bytes - MIN(bytes, shape->burst_bytes)) * NSEC_BITS;
	if (room < shape->frac)
		return shape->full_ns + 1;
	room -= shape->frac;
	/* Most ask for a frame that may go: a multiplication tells that sooner than a division. */
	if ((__uint128_t)(shape->full_ns - now_ns) * shape->rate_bps <= room)
		return now_ns;
	room /= shape->rate_bps;
	early_ns = room > shape->full_ns ? shape->full_ns : (uint64_t)room;
	return MAX(shape->full_ns - early_ns, now_ns);
}

void shape_take(struct shape *shape, uint32_t bytes, uint64_t now_ns)
{
	uint64_t cost;

	if (!shape->rate_bps)
		return;
	if (shape->full_ns < now_ns) {
		shape->full_ns = now_ns;
		shape->frac = 0;
	}
	if (shape->taken_ns != now_ns) {
		shape->taken_ns = now_ns;
		shape->from_ns = shape->full_ns;
	}
	cost = bytes * NSEC_BITS + shape->frac;
	shape->full_ns += cost / shape->rate_bps;
	shape->frac = cost % shape->rate_bps;
}

void shape_late(struct shape *shape, uint64_t taken_ns, uint64_t now_ns)
{
	if (!shape->rate_bps || shape->taken_ns != taken_ns || shape->from_ns >= now_ns)
		return;
	shape->full_ns += now_ns - shape->from_ns;
	shape->from_ns = now_ns;
}

void shape_give(struct shape *shape, uint32_t bytes)
{
	const uint64_t bits = bytes * NSEC_BITS;
	uint64_t ns;

	if (!shape->rate_bps)
		return;
	if (bits <= shape->frac) {
		shape->frac -= bits;
		return;
	}
	ns = DIV_ROUND_UP(bits - shape->frac, shape->rate_bps);
	shape->frac = ns * shape->rate_bps - (bits - shape->frac);
	shape->full_ns -= ns;
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
