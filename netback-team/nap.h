/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nap.h - how long a worker sleeps, and when it does not. Pure.
 *
 * Theory of Operation. Most deadlines may be met late: an average makes up for it, timers do not
 * care. A peak without a period does not: its frames wait for each other, and what one is late is
 * lost. Such a moment is called exact. Two things make a frame late, and both are learned, as means
 * of what was seen last:
 *   waking up. A sleep ends before the moment, by a margin of 1.5 times what sleeps lasted too
 *     long, 2 to 30 us; what is left until the moment is spent looking.
 *   sending. A frame leaves some microseconds after its pass began (its copy, the switch), so that
 *     the pass may begin that much earlier, at most 20 us: its `now` is the time at which its
 *     frames leave. One that was faster waits before it sends: nothing leaves early.
 * Both are bounded for each frame, and happen only while a peak is what holds a guest back: one
 * that its average holds, or that sends nothing, has no exact moments.
 */
#ifndef XB_NET_NAP_H
#define XB_NET_NAP_H

#include <stdbool.h>
#include <stdint.h>

#define NAP_MARGIN_MIN_NS 2000u
#define NAP_MARGIN_MAX_NS 30000u
#define NAP_LEAD_MAX_NS	  20000u

/** All zeros: nothing is known yet. */
struct nap {
	uint64_t late_ns; /**< sleeps end so much too late */
	uint64_t lead_ns; /**< frames leave so much after their pass began */
};

/** Is the exact moment (ns, DEADLINE_NEVER = none) so near that a sleep would miss it? */
bool nap_spins(const struct nap *nap, uint64_t now_ns, uint64_t exact_ns);
/** How long to sleep, ns; DEADLINE_NEVER = until something happens. */
uint64_t nap_ns(const struct nap *nap, uint64_t now_ns, uint64_t deadline_ns, uint64_t exact_ns);
/** A sleep that was to end at wanted_ns ended by itself at now_ns. */
void nap_woke(struct nap *nap, uint64_t wanted_ns, uint64_t now_ns);
/** What a pass has to add to its time: nothing when no moment is exact. */
uint64_t nap_lead(const struct nap *nap, uint64_t exact_ns);
/** The frames of a pass were ready to be sent took_ns after it began. */
void nap_sends(struct nap *nap, uint64_t took_ns);

#endif
