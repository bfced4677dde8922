/* SPDX-License-Identifier: GPL-2.0-or-later */
/* delays.c - see delays.h. guest_wait.c counts what guests receive. */
#include "delays.h"

#include <string.h>

#include "util.h"

#define UNIT_SHIFT 10 /* steps begin at 1024 ns */

/* Steps of a quarter of each power of two: the two bits behind the highest one. */
static unsigned int step_of(uint64_t delay_ns)
{
	const uint64_t units = delay_ns >> UNIT_SHIFT;
	unsigned int power, quarter;

	if (units == 0)
		return 0;
	power = 63u - (unsigned int)__builtin_clzll(units);
	quarter = (unsigned int)(delay_ns >> (power + UNIT_SHIFT - 2) & 3);
	return MIN(1 + power * 4 + quarter, DELAYS_STEPS - 1);
}

static uint64_t end_of(unsigned int step)
{
	if (step == 0)
		return 0;
	return (uint64_t)(5 + (step - 1) % 4) << ((step - 1) / 4 + UNIT_SHIFT - 2);
}

static void turn(struct delays *delays, uint64_t now_ns)
{
	const uint64_t age = now_ns - delays->begin_ns;

	if (age < DELAYS_SPAN_NS)
		return;
	if (age < 2 * DELAYS_SPAN_NS) {
		memcpy(delays->counts[1], delays->counts[0], sizeof(delays->counts[0]));
		delays->n[1] = delays->n[0];
		delays->begin_ns += DELAYS_SPAN_NS;
	} else {
		memset(delays->counts[1], 0, sizeof(delays->counts[1]));
		delays->n[1] = 0;
		delays->begin_ns = now_ns;
	}
	memset(delays->counts[0], 0, sizeof(delays->counts[0]));
	delays->n[0] = 0;
}

void delays_add(struct delays *delays, uint64_t delay_ns, uint64_t now_ns)
{
	turn(delays, now_ns);
	delays->counts[0][step_of(delay_ns)]++;
	delays->n[0]++;
}

uint64_t delays_quantile(const struct delays *delays, unsigned int permille, uint64_t now_ns)
{
	struct delays now = *delays;
	uint64_t rank, seen = 0;

	turn(&now, now_ns);
	rank = DIV_ROUND_UP((uint64_t)(now.n[0] + now.n[1]) * permille, 1000);
	for (unsigned int step = 0; step < DELAYS_STEPS; step++) {
		seen += now.counts[0][step] + now.counts[1][step];
		if (seen >= rank)
			return end_of(step);
	}
	return end_of(DELAYS_STEPS - 1);
}
