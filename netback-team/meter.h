/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * meter.h - bytes of about the last second, for status. Pure; a few instructions a frame.
 *
 * Theory of Operation: bytes are counted in windows of a second that begin with the first frame
 * after the last one ended. The rate is the bytes of this window and, for the part of the last
 * second that lies before it, a proportional part of the window before.
 */
#ifndef XB_NET_METER_H
#define XB_NET_METER_H

#include <stdint.h>

#define METER_WINDOW_NS 1000000000ull

struct meter {
	uint64_t begin_ns; /**< of the present window */
	uint64_t bytes[2]; /**< in the present window, in the one before */
};

/** Counts bytes at now_ns, which never goes back. */
static inline void meter_add(struct meter *meter, uint64_t bytes, uint64_t now_ns)
{
	const uint64_t age = now_ns - meter->begin_ns;

	if (age >= METER_WINDOW_NS) {
		meter->bytes[1] = age < 2 * METER_WINDOW_NS ? meter->bytes[0] : 0;
		meter->bytes[0] = 0;
		meter->begin_ns =
			age < 2 * METER_WINDOW_NS ? meter->begin_ns + METER_WINDOW_NS : now_ns;
	}
	meter->bytes[0] += bytes;
}

/** Rate of about the last second, bit/s. */
static inline uint64_t meter_bps(const struct meter *meter, uint64_t now_ns)
{
	struct meter copy = *meter;
	uint64_t left;

	meter_add(&copy, 0, now_ns);
	left = METER_WINDOW_NS - (now_ns - copy.begin_ns);
	return 8 *
	       (copy.bytes[0] + (uint64_t)((__uint128_t)copy.bytes[1] * left / METER_WINDOW_NS));
}

#endif
