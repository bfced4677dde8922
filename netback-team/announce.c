/* SPDX-License-Identifier: GPL-2.0-or-later */
/* announce.c - rounds of announcements, paced by a ring of the times at which the last frames went.
 */
#include "announce.h"

#include <assert.h>
#include <string.h>

#include "common/util.h"

void announce_set(struct announce *announce, const struct announce_options *options)
{
	announce->options = *options;
}

static void add(struct announce *announce, const uint8_t mac[6], uint16_t vid, uint32_t ipv4)
{
	struct announce_item *item = &announce->items[announce->n_items++];

	assert(announce->n_items <= ANNOUNCE_ITEMS_MAX); /* no claim has two addresses */
	memcpy(item->mac, mac, 6);
	item->vid = vid;
	item->ipv4 = ipv4;
	item->failed = false;
}

/* RARPs first: they are few, and enough for most. */
static void add_all(struct announce *announce, const uint8_t (*macs)[6], unsigned int n,
		    const struct claims *claims, uint64_t now_ns)
{
	const enum announce_kind kind = announce->options.kind;
	uint32_t ipv4[CLAIMS_PER_MAC];

	for (unsigned int i = 0; i < n; i++)
		if (kind != ANNOUNCE_GARP || claims_of(claims, macs[i], ipv4, now_ns) == 0)
			add(announce, macs[i], 0, 0);
	for (unsigned int i = 0; i < n && kind != ANNOUNCE_RARP; i++) {
		const unsigned int n_ipv4 = claims_of(claims, macs[i], ipv4, now_ns);

		for (unsigned int k = 0; k < n_ipv4; k++)
			add(announce, macs[i], 0, ipv4[k]);
	}
}

void announce_start(struct announce *announce, const uint8_t (*macs)[6], unsigned int n,
		    const struct claims *claims, uint64_t now_ns)
{
	announce->n_items = announce->n_failed = announce->n_vlans = announce->next = 0;
	add_all(announce, macs, MIN(n, ANNOUNCE_MACS_MAX), claims, now_ns);
	announce->retry = false;
	announce->rounds = announce->n_items ? announce->options.count : 0;
	announce->round_ns = announce->due_ns = now_ns;
}

void announce_in_vlan(struct announce *announce, const uint8_t mac[6], uint16_t vid)
{
	if (announce->n_vlans == ANNOUNCE_VLANS_MAX)
		return;
	announce->n_vlans++;
	add(announce, mac, vid, 0);
}

/* After an item, to the next one of the round, or to the next round. */
static void go_on(struct announce *announce)
{
	if (announce->rounds == 0 && !announce->retry)
		return;
	while (announce->retry && announce->next < announce->n_items &&
	       !announce->items[announce->next].failed)
		announce->next++;
	if (announce->next < announce->n_items)
		return;
	announce->next = 0;
	if (!announce->retry) {
		announce->rounds = announce->n_items ? announce->rounds - 1 : 0;
		announce->round_ns += announce->options.interval_ns;
	}
	announce->retry = announce->n_failed &&
			  (announce->rounds == 0 || announce->retry_ns < announce->round_ns);
	announce->due_ns = announce->retry ? announce->retry_ns : announce->round_ns;
	while (announce->retry && !announce->items[announce->next].failed)
		announce->next++;
}

void announce_forget(struct announce *announce, const uint8_t mac[6])
{
	const unsigned int n = announce->n_items, next = announce->next;

	announce->n_items = 0;
	for (unsigned int i = 0; i < n; i++) {
		const struct announce_item *item = &announce->items[i];

		if (memcmp(item->mac, mac, 6) != 0) {
			announce->items[announce->n_items++] = *item;
			continue;
		}
		announce->n_failed -= item->failed;
		announce->next -= i < next;
	}
	if (announce->n_items < n)
		go_on(announce);
}

/* The frame `burst` before the next one. */
static uint64_t window_end(const struct announce *announce)
{
	return announce->free_ns[(announce->slot + ANNOUNCE_BURST_MAX - announce->options.burst) %
				 ANNOUNCE_BURST_MAX];
}

uint64_t announce_deadline(const struct announce *announce)
{
	if (announce->rounds == 0 && !announce->retry)
		return DEADLINE_NEVER;
	return MAX(announce->due_ns, window_end(announce));
}

unsigned int announce_next(struct announce *announce, const struct claims *claims, uint64_t now_ns,
			   uint8_t frame[ANNOUNCE_FRAME_MAX])
{
	const struct announce_item *item = &announce->items[announce->next];

	if (announce_deadline(announce) == DEADLINE_NEVER || now_ns < announce_deadline(announce))
		return 0;
	announce->free_ns[announce->slot] = now_ns + ANNOUNCE_BURST_NS;
	announce->slot = (announce->slot + 1) % ANNOUNCE_BURST_MAX;
	if (item->vid) {
		frame_rarp(frame + FRAME_TAG_LEN, item->mac);
		frame_insert_tag(frame + FRAME_TAG_LEN, FRAME_TYPE_VLAN, item->vid);
		return ANNOUNCE_FRAME_MAX;
	}
	if (item->ipv4 && claims_has(claims, item->mac, item->ipv4, now_ns))
		frame_arp(frame, item->mac, item->ipv4);
	else
		frame_rarp(frame, item->mac);
	return FRAME_ANNOUNCE_LEN;
}

void announce_done(struct announce *announce, bool sent, uint64_t now_ns)
{
	bool *failed = &announce->items[announce->next++].failed;

	announce->n_failed += (unsigned int)!sent - *failed;
	*failed = !sent;
	if (!sent)
		announce->retry_ns = now_ns + ANNOUNCE_RETRY_NS;
	go_on(announce);
}

unsigned int announce_pending(const struct announce *announce)
{
	unsigned int n = announce->rounds * announce->n_items + announce->n_failed;

	if (announce->rounds && !announce->retry)
		n -= announce->next;
	return n;
}
