/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nap.c - how long a worker sleeps, see nap.h. worker.c asks before it waits for events. */
#include "nap.h"

#include "util.h"

bool nap_spins(uint64_t now_ns, uint64_t exact_ns)
{
	return exact_ns > now_ns && exact_ns - now_ns <= NAP_SPIN_NS;
}

uint64_t nap_ns(uint64_t now_ns, uint64_t deadline_ns, uint64_t exact_ns)
{
	if (exact_ns != DEADLINE_NEVER)
		deadline_ns = MIN(deadline_ns, exact_ns - MIN(exact_ns, NAP_SPIN_NS));
	if (deadline_ns == DEADLINE_NEVER)
		return DEADLINE_NEVER;
	return deadline_ns > now_ns ? deadline_ns - now_ns : 0;
}
