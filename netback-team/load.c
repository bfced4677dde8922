/* SPDX-License-Identifier: GPL-2.0-or-later */
/* load.c - see load.h. */
#include "load.h"

#include <assert.h>
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

static uint16_t use_of(const struct load *load)
{
	return (uint16_t)MIN(load->wire_ns[0] * 1000 / LOAD_WINDOW_NS, UINT16_MAX);
}

/* The window of now begins; those between are remembered as empty. */
static void next_window(struct load *load, uint64_t now_ns)
{
	const uint64_t old = load->window_ns / LOAD_WINDOW_NS, present = now_ns / LOAD_WINDOW_NS;

	load->uses[old % LOAD_HISTORY] = use_of(load);
	for (uint64_t i = 1; i < MIN(present - old, LOAD_HISTORY); i++)
		load->uses[(old + i) % LOAD_HISTORY] = 0;
	load->wire_ns[1] = present - old == 1 ? load->wire_ns[0] : 0;
	load->wire_ns[0] = 0;
	load->window_ns = present * LOAD_WINDOW_NS;
}

uint64_t load_add(struct load *load, uint32_t bytes, uint64_t now_ns)
{
	const uint64_t wire = wire_ns(load, bytes);

	if (now_ns - load->window_ns >= LOAD_WINDOW_NS)
		next_window(load, now_ns);
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

unsigned int load_use_permille(const struct load *load, unsigned int n, uint64_t now_ns)
{
	const uint64_t newest = load->window_ns / LOAD_WINDOW_NS, present = now_ns / LOAD_WINDOW_NS;
	unsigned int sum = 0;

	assert(n > 0);
	for (unsigned int i = 1; i <= n && i <= present; i++) {
		const uint64_t window = present - i;

		if (window == newest)
			sum += use_of(load);
		else if (window < newest && newest - window < LOAD_HISTORY)
			sum += load->uses[window % LOAD_HISTORY];
	}
	return sum / n;
}

uint64_t load_queued_bytes(const struct load *load, uint64_t now_ns)
{
	const uint64_t wait_ns = MAX(load->idle_ns, now_ns) - now_ns;

	return (uint64_t)((__uint128_t)wait_ns * load->rate_bps / (8 * NSEC_PER_SEC));
}

unsigned int load_permille(uint64_t rate_bps, uint64_t bytes, uint64_t ns)
{
	const __uint128_t room = (__uint128_t)rate_bps * ns;

	return room ? (unsigned int)MIN((__uint128_t)bytes * 8000 * NSEC_PER_SEC / room, UINT32_MAX)
		    : 0;
}
