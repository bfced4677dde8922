/* SPDX-License-Identifier: GPL-2.0-or-later */
/* announce.c - rounds of RARPs, paced by a ring of the times at which the last frames went. */
#include "announce.h"

#include <string.h>

#include "common/util.h"

void announce_init(struct announce *announce, unsigned int count, uint64_t interval_ns)
{
	memset(announce, 0, sizeof(*announce));
	announce_set(announce, count, interval_ns);
}

void announce_set(struct announce *announce, unsigned int count, uint64_t interval_ns)
{
	announce->count = count;
	announce->interval_ns = interval_ns;
}

void announce_start(struct announce *announce, const uint8_t (*macs)[6], unsigned int n,
		    uint64_t now_ns)
{
	announce->n_macs = MIN(n, ANNOUNCE_MACS_MAX);
	memcpy(announce->macs, macs, announce->n_macs * sizeof(announce->macs[0]));
	announce->next = 0;
	announce->rounds = announce->n_macs ? announce->count : 0;
	announce->round_ns = now_ns;
}

/* Begins the next round when the present one is over. */
static void end_round(struct announce *announce)
{
	if (announce->rounds == 0 || announce->next < announce->n_macs)
		return;
	announce->rounds = announce->n_macs ? announce->rounds - 1 : 0;
	announce->next = 0;
	announce->round_ns += announce->interval_ns;
}

void announce_forget(struct announce *announce, const uint8_t mac[6])
{
	unsigned int i = 0;

	while (i < announce->n_macs && memcmp(announce->macs[i], mac, 6))
		i++;
	if (i == announce->n_macs)
		return;
	announce->n_macs--;
	memmove(announce->macs[i], announce->macs[i + 1],
		(announce->n_macs - i) * sizeof(announce->macs[0]));
	if (i < announce->next)
		announce->next--;
	end_round(announce);
}

uint64_t announce_deadline(const struct announce *announce)
{
	if (announce->rounds == 0)
		return DEADLINE_NEVER;
	return MAX(announce->round_ns, announce->free_ns[announce->slot]);
}

bool announce_next(struct announce *announce, uint64_t now_ns, uint8_t frame[FRAME_RARP_LEN])
{
	if (announce->rounds == 0 || now_ns < announce_deadline(announce))
		return false;
	announce->free_ns[announce->slot] = now_ns + ANNOUNCE_BURST_NS;
	announce->slot = (announce->slot + 1) % ANNOUNCE_BURST;
	frame_rarp(frame, announce->macs[announce->next++]);
	end_round(announce);
	return true;
}
