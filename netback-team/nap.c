/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nap.c - how long a worker sleeps, see nap.h. worker.c asks before it waits for events, guest_tx.c
 * tells when it sends. */
#include "nap.h"

#include "util.h"

#define MEAN_SHIFT 4	  /* over some 16 times */
#define SEEN_MAX   200000 /* ns: more is another process's doing, and says nothing about the next */

static uint64_t mean(uint64_t so_far, uint64_t seen)
{
	seen = MIN(seen, SEEN_MAX);
	return so_far - (so_far >> MEAN_SHIFT) + (seen >> MEAN_SHIFT);
}

static uint64_t margin(const struct nap *nap)
{
	return MIN(MAX(nap->late_ns * 3 / 2, NAP_MARGIN_MIN_NS), NAP_MARGIN_MAX_NS);
}

bool nap_spins(const struct nap *nap, uint64_t now_ns, uint64_t exact_ns)
{
	return exact_ns > now_ns && exact_ns - now_ns <= margin(nap);
}

uint64_t nap_ns(const struct nap *nap, uint64_t now_ns, uint64_t deadline_ns, uint64_t exact_ns)
{
	if (exact_ns != DEADLINE_NEVER)
		deadline_ns = MIN(deadline_ns, exact_ns - MIN(exact_ns, margin(nap)));
	if (deadline_ns == DEADLINE_NEVER)
		return DEADLINE_NEVER;
	return deadline_ns > now_ns ? deadline_ns - now_ns : 0;
}

void nap_woke(struct nap *nap, uint64_t wanted_ns, uint64_t now_ns)
{
	nap->late_ns = mean(nap->late_ns, now_ns > wanted_ns ? now_ns - wanted_ns : 0);
}

uint64_t nap_lead(const struct nap *nap, uint64_t exact_ns)
{
	return exact_ns == DEADLINE_NEVER ? 0 : MIN(nap->lead_ns, NAP_LEAD_MAX_NS);
}

void nap_sends(struct nap *nap, uint64_t took_ns)
{
	nap->lead_ns = mean(nap->lead_ns, took_ns);
}
