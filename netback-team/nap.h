/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nap.h - how long a worker sleeps, and when it does not. Pure.
 *
 * Theory of Operation. Most deadlines may be met late: an average makes up for it, timers do not
 * care. A peak without a period does not: its frames wait for each other, and each one that is late
 * is lost time. Such a moment is called exact. A sleep ends NAP_SPIN_NS before it, since waking up
 * takes a while, and what is left until the moment is spent looking. That is bounded by NAP_SPIN_NS
 * a frame, and happens only while the peak is what holds a guest back: one that its average holds,
 * or that sends nothing, has no exact moments.
 */
#ifndef XB_NET_NAP_H
#define XB_NET_NAP_H

#include <stdbool.h>
#include <stdint.h>

#define NAP_SPIN_NS 20000u

/** Is the exact moment (ns, DEADLINE_NEVER = none) so near that a sleep would miss it? */
bool nap_spins(uint64_t now_ns, uint64_t exact_ns);
/** How long to sleep, ns; DEADLINE_NEVER = until something happens. */
uint64_t nap_ns(uint64_t now_ns, uint64_t deadline_ns, uint64_t exact_ns);

#endif
