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
	memset(announce->failed, 0, sizeof(announce->failed));
	announce->n_failed = announce->next = 0;
	announce->retry = false;
	announce->rounds = announce->n_macs ? announce->count : 0;
	announce->round_ns = announce->due_ns = now_ns;
}

/* After an address, to the next one of the round, or to the next round. */
static void go_on(struct announce *announce)
{
	if (announce->rounds == 0 && !announce->retry)
		return;
	while (announce->retry && announce->next < announce->n_macs &&
	       !announce->failed[announce->next])
		announce->next++;
	if (announce->next < announce->n_macs)
		return;
	announce->next = 0;
	if (!announce->retry) {
		announce->rounds = announce->n_macs ? announce->rounds - 1 : 0;
		announce->round_ns += announce->interval_ns;
	}
	announce->retry = announce->n_failed &&
			  (announce->rounds == 0 || announce->retry_ns < announce->round_ns);
	announce->due_ns = announce->retry ? announce->retry_ns : announce->round_ns;
	while (announce->retry && !announce->failed[announce->next])
		announce->next++;
}

void announce_forget(struct announce *announce, const uint8_t mac[6])
{
	unsigned int i = 0;

	while (i < announce->n_macs && memcmp(announce->macs[i], mac, 6))
		i++;
	if (i == announce->n_macs)
		return;
	announce->n_macs--;
	announce->n_failed -= announce->failed[i];
	memmove(&announce->failed[i], &announce->failed[i + 1], announce->n_macs - i);
	memmove(announce->macs[i], announce->macs[i + 1],
		(announce->n_macs - i) * sizeof(announce->macs[0]));
	if (i < announce->next)
		announce->next--;
	go_on(announce);
}

uint64_t announce_deadline(const struct announce *announce)
{
	if (announce->rounds == 0 && !announce->retry)
		return DEADLINE_NEVER;
	return MAX(announce->due_ns, announce->free_ns[announce->slot]);
}

bool announce_next(struct announce *announce, uint64_t now_ns, uint8_t frame[FRAME_ANNOUNCE_LEN])
{
	if (announce_deadline(announce) == DEADLINE_NEVER || now_ns < announce_deadline(announce))
		return false;
	announce->free_ns[announce->slot] = now_ns + ANNOUNCE_BURST_NS;
	announce->slot = (announce->slot + 1) % ANNOUNCE_BURST;
	frame_rarp(frame, announce->macs[announce->next]);
	return true;
}

void announce_done(struct announce *announce, bool sent, uint64_t now_ns)
{
	bool *failed = &announce->failed[announce->next++];

	announce->n_failed += (unsigned int)!sent - *failed;
	*failed = !sent;
	if (!sent)
		announce->retry_ns = now_ns + ANNOUNCE_RETRY_NS;
	go_on(announce);
}
