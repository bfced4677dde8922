/* SPDX-License-Identifier: GPL-2.0-or-later */
/* clock.h - the one source of time: CLOCK_MONOTONIC, or a manual clock for tests. */
#ifndef XB_CLOCK_H
#define XB_CLOCK_H

#include <stdint.h>

/** A clock. Pure modules never see it: they take now_ns; the owner of a loop reads it once a wake.
 */
struct clock {
	uint64_t (*now_ns)(struct clock *clock);
	uint64_t manual_ns; /**< the time of a manual clock, ns */
};

/** The clock of the machine (CLOCK_MONOTONIC). */
extern struct clock clock_monotonic;

/** Makes `clock` manual, standing at start_ns. */
void clock_init_manual(struct clock *clock, uint64_t start_ns);
/** Moves a manual clock forward by delta_ns. */
void clock_advance(struct clock *clock, uint64_t delta_ns);

/** Time in ns since an arbitrary start; never goes back. */
static inline uint64_t clock_now(struct clock *clock)
{
	return clock->now_ns(clock);
}

#endif
