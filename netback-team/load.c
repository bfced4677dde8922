/* SPDX-License-Identifier: GPL-2.0-or-later */
/* load.c - see load.h. */
#include "load.h"

#include <stdbool.h>

#include "util.h"

#define SHIFT 20

void load_set_rate(struct load *load, uint64_t rate_bps)
{
	load->rate_bps = MAX(rate_bps ? rate_bps : LOAD_RATE_NONE, LOAD_RATE_MIN);
	load->ns_per_byte = DIV_ROUND_UP(8 * NSEC_PER_SEC << SHIFT, load->rate_bps);
}

static inline uint64_t wire_ns(const struct load *load, uint32_t bytes)
{
	return bytes * load->ns_per_byte >> SHIFT;
}

uint64_t load_add(struct load *load, uint32_t bytes, uint64_t now_ns)
{
	const uint64_t wire = wire_ns(load, bytes);

	if (now_ns - load->window_ns >= LOAD_WINDOW_NS) {
		const bool next = now_ns - load->window_ns < 2 * LOAD_WINDOW_NS;

		load->wire_ns[1] = next ? load->wire_ns[0] : 0;
		load->wire_ns[0] = 0;
		load->window_ns = now_ns - now_ns % LOAD_WINDOW_NS;
	}
	load->wire_ns[0] += wire;
	load->bytes += bytes;
	load->idle_ns = MIN(MAX(load->idle_ns, now_ns) + wire, now_ns + LOAD_WAIT_MAX_NS);
	return load->idle_ns;
}

uint64_t load_wait_ns(const struct load *load, uint32_t bytes, uint64_t now_ns)
{
	return MAX(load->idle_ns, now_ns) - now_ns + wire_ns(load, bytes);
}

uint64_t load_recent_ns(const struct load *load, uint64_t now_ns)
{
	const uint64_t age = now_ns - load->window_ns;

	if (age >= 2 * LOAD_WINDOW_NS)
		return 0;
	if (age >= LOAD_WINDOW_NS) /* the next window has begun, without a frame so far */
		return load->wire_ns[0] * ((2 * LOAD_WINDOW_NS - age) >> 10) /
		       (LOAD_WINDOW_NS >> 10);
	return load->wire_ns[0] +
	       load->wire_ns[1] * ((LOAD_WINDOW_NS - age) >> 10) / (LOAD_WINDOW_NS >> 10);
}

unsigned int load_permille(uint64_t rate_bps, uint64_t bytes, uint64_t ns)
{
	const __uint128_t room = (__uint128_t)rate_bps * ns;

	return room ? (unsigned int)MIN((__uint128_t)bytes * 8000 * NSEC_PER_SEC / room, UINT32_MAX)
		    : 0;
}
