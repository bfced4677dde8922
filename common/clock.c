/* SPDX-License-Identifier: GPL-2.0-or-later */
/* clock.c - the only place that asks the machine for the time. */
#include "clock.h"

#include <time.h>

#include "util.h"

static uint64_t monotonic_now_ns(struct clock *clock)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

static uint64_t manual_now_ns(struct clock *clock)
{
	return clock->manual_ns;
}

struct clock clock_monotonic = {.now_ns = monotonic_now_ns};

void clock_init_manual(struct clock *clock, uint64_t start_ns)
{
	*clock = (struct clock){.now_ns = manual_now_ns, .manual_ns = start_ns};
}

void clock_advance(struct clock *clock, uint64_t delta_ns)
{
	clock->manual_ns += delta_ns;
}
