/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netfront_evil.c - what a broken or hostile guest does to its backend, one kind at a time. See
 * enum netfront_evil in netfront.h.
 *
 * Ring kinds write into the rings of queue 0 behind the back of netfront_ring.c: ids are the
 * caller's range, so that no page is taken for free that is not. From then on the frontend does not
 * complain about its backend.
 */
#include "netfront_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

#define EVIL_ID	       (NETFRONT_ID_USER + 1)
#define EVIL_GREF      0x7ffffff0u
#define EVIL_EVENTS    100000u
#define EVIL_STATES    5000u
#define REWRITE_ROUNDS 100u
#define REWRITE_WRITES 20000u
#define REWRITE_FRAMES 32u
#define FRAME_BYTES    126u

static uint8_t *page_of(struct nf_queue *q, unsigned int page)
{
	return q->tx_data + (size_t)page * XEN_PAGE_SIZE;
}

/* A frame for nobody, from us or from somebody else: an IPv4 header that says nothing true. */
static void write_frame(struct nf_queue *q, unsigned int page, bool spoofed)
{
	uint8_t *frame = page_of(q, page);

	memset(frame, 0x5a, XEN_PAGE_SIZE);
	memcpy(frame, (uint8_t[6]){0x02, 0, 0, 0, 0xee, 0xee}, 6);
	memcpy(frame + 6, q->nf->info.mac, 6);
	frame[11] = spoofed ? (uint8_t)~frame[11] : frame[11];
	frame[12] = 0x08;
	frame[13] = 0x00;
}

static void slot(struct nf_queue *q, uint16_t offset, uint16_t size, uint16_t flags)
{
	fill_tx(&q->tx, q->tx_refs[0], offset, size, flags, EVIL_ID);
}

static void push(struct nf_queue *q)
{
	ring_front_push(&q->tx);
	nf_notify(q->nf, q->tx_port);
}

/* --- packets: lists of slots --- */

/* A first slot of `total` bytes at `offset`, and n more of `each`. */
static const struct {
	enum netfront_evil kind;
	uint16_t offset, total, n, each;
} evil_frags[] = {
	{NETFRONT_EVIL_OVERRUN, 4000, 200, 0, 0},
	{NETFRONT_EVIL_FRAGS_19, 0, 1900, 18, 100},
	{NETFRONT_EVIL_FRAGS_40, 0, 4000, 39, 100},
	{NETFRONT_EVIL_SIZES, 0, 1000, 2, 800},
	{NETFRONT_EVIL_ZERO_FRAGS, 0, FRAME_BYTES, 4, 0},
	{NETFRONT_EVIL_SHORT_FRAGS, 0, 65535, 17, 100},
	{NETFRONT_EVIL_TINY_SLOTS, 0, FRAME_BYTES, 17, FRAME_BYTES / 18},
	{NETFRONT_EVIL_RUNT, 0, 5, 0, 0},
	{NETFRONT_EVIL_SPOOF, 0, FRAME_BYTES, 0, 0},
};

/* One slot and n extra infos: GSO of that size and type, or others; `cut`: the last says that more
 * follow. */
static const struct {
	enum netfront_evil kind;
	uint8_t n, type;
	bool cut;
	uint16_t gso_size;
	uint8_t gso_type;
} evil_extras[] = {
	{NETFRONT_EVIL_EXTRAS_CHAIN, 200, XEN_NETIF_EXTRA_TYPE_HASH, false, 0, 0},
	{NETFRONT_EVIL_EXTRAS_CUT, 1, XEN_NETIF_EXTRA_TYPE_HASH, true, 0, 0},
	{NETFRONT_EVIL_EXTRA_TYPE, 1, 77, false, 0, 0},
	{NETFRONT_EVIL_GSO_ZERO, 1, XEN_NETIF_EXTRA_TYPE_GSO, false, 0, XEN_NETIF_GSO_TYPE_TCPV4},
	{NETFRONT_EVIL_GSO_TYPE, 1, XEN_NETIF_EXTRA_TYPE_GSO, false, 1000, 9},
	{NETFRONT_EVIL_GSO_JUNK, 1, XEN_NETIF_EXTRA_TYPE_GSO, false, 1000,
	 XEN_NETIF_GSO_TYPE_TCPV6},
};

static bool push_frags(struct nf_queue *q, enum netfront_evil kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(evil_frags); i++) {
		uint16_t n = evil_frags[i].n, each = evil_frags[i].each,
			 total = evil_frags[i].total;
		bool flat = total <= XEN_PAGE_SIZE &&
			    n * each <= total; /* the slots are the frame, in pieces */
		uint16_t at = flat ? (uint16_t)(total - n * each) : 0;

		if (evil_frags[i].kind != kind)
			continue;
		slot(q, evil_frags[i].offset, total, n ? NETTXF_more_data : 0);
		for (uint16_t f = 1; f <= n; f++, at = (uint16_t)(at + (flat ? each : 0)))
			slot(q, at, each, f < n ? NETTXF_more_data : 0);
		push(q);
		return true;
	}
	return false;
}

static bool push_extras(struct nf_queue *q, enum netfront_evil kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(evil_extras); i++) {
		unsigned int n = evil_extras[i].n;
		netif_extra_info_t extra = {.type = evil_extras[i].type};

		if (evil_extras[i].kind != kind)
			continue;
		extra.u.gso.size = evil_extras[i].gso_size;
		extra.u.gso.type = evil_extras[i].gso_type;
		slot(q, 0, FRAME_BYTES, NETTXF_extra_info | NETTXF_csum_blank);
		for (unsigned int e = 1; e <= n; e++)
			fill_tx_extra(&q->tx, extra.type,
				      e < n || evil_extras[i].cut ? XEN_NETIF_EXTRA_FLAG_MORE : 0,
				      extra.u.mcast.addr);
		push(q);
		return true;
	}
	return false;
}

/* --- kinds that are more than a packet --- */

static void wrong_gref(struct nf_queue *q)
{
	fill_tx(&q->tx, EVIL_GREF, 0, FRAME_BYTES, 0, EVIL_ID);
	push(q);
}

/* The index of a ring, ahead of what it can hold; our own stays. */
static void lie_about_index(struct nf_queue *q, struct ring_front *ring, uint32_t port)
{
	__atomic_store_n(&ring->page->req_prod, ring->rsp_cons + 1000, __ATOMIC_RELEASE);
	nf_notify(q->nf, port);
}

static void tx_index(struct nf_queue *q)
{
	lie_about_index(q, &q->tx, q->tx_port);
}

static void rx_index(struct nf_queue *q)
{
	lie_about_index(q, &q->rx, q->rx_port);
}

static void revoked_grant(struct nf_queue *q)
{
	struct netfront *nf = q->nf;
	uint32_t ref;
	void *page;

	if (nf->ops->shr_alloc(nf->shr, nf->info.backend_domid, 1, false, &ref, &page) < 0)
		return;
	memcpy(page, page_of(q, 0), XEN_PAGE_SIZE);
	fill_tx(&q->tx, ref, 0, FRAME_BYTES, 0, EVIL_ID);
	ring_front_push(&q->tx);
	nf->ops->shr_free(nf->shr, page, 1);
	nf_notify(nf, q->tx_port);
}

static void rewrite_begin(struct nf_queue *q)
{
	q->nf->rewrites = REWRITE_ROUNDS;
	for (unsigned int i = 0; i < REWRITE_FRAMES; i++) {
		slot(q, 0, FRAME_BYTES, NETTXF_more_data | NETTXF_extra_info);
		fill_tx_gso(&q->tx, 0, 1000, XEN_NETIF_GSO_TYPE_TCPV4);
		slot(q, 0, 60, 0);
	}
	push(q);
}

bool nf_evil_rewrite(struct netfront *nf)
{
	struct nf_queue *q = &nf->queues[0];
	uint32_t random = nf->rewrites * 2654435761u | 1u;
	volatile uint16_t *halves;

	if (nf->rewrites == 0 || !q->tx_page)
		return false;
	halves = (void *)q->tx.page->slots; /* references, offsets, flags, ids and sizes alike */
	for (unsigned int i = 0; i < REWRITE_WRITES; i++) {
		random = random * 1664525u + 1013904223u;
		halves[(random >> 16) % (NETFRONT_RING_SLOTS * FILL_TX_BYTES / 2)] =
			(uint16_t)(random >> 4);
	}
	nf->rewrites--;
	nf_notify(nf, q->tx_port);
	return nf->rewrites > 0;
}

static void rx_grefs(struct nf_queue *q)
{
	netif_rx_request_t *posted = (void *)q->rx.page->slots;

	for (unsigned int i = 0; i < NETFRONT_RING_SLOTS; i++)
		q->rx_refs[i] = EVIL_GREF;
	for (uint32_t i = q->rx.rsp_cons; i != q->rx.req_prod; i++)
		posted[i & (NETFRONT_RING_SLOTS - 1)].gref = EVIL_GREF;
}

static void stall(struct nf_queue *q)
{
	for (unsigned int i = 0; i < q->nf->info.n_queues; i++)
		q->nf->queues[i].stalled = true;
}

static void event_storm(struct nf_queue *q)
{
	for (unsigned int i = 0; i < EVIL_EVENTS; i++)
		nf_notify(q->nf, i % 2 ? q->tx_port : q->rx_port);
}

static void state_storm(struct nf_queue *q)
{
	struct netfront *nf = q->nf;
	char path[128];

	snprintf(path, sizeof(path), "%s/state", nf->info.frontend);
	for (unsigned int i = 0; i < EVIL_STATES; i++)
		nf->ops->store_write(nf->store, XEN_TXN_NONE, path, i % 2 ? "4" : "3", 1);
	nf_write_state(nf, XENBUS_STATE_CONNECTED);
}

static void vanish(struct nf_queue *q)
{
	struct netfront *nf = q->nf;
	char path[128];

	snprintf(path, sizeof(path), "%s/state", nf->info.frontend);
	nf->ops->store_rm(nf->store, XEN_TXN_NONE, path);
}

static void reset(struct nf_queue *q)
{
	nf_restart(q->nf, true);
}

static const struct {
	enum netfront_evil kind;
	void (*act)(struct nf_queue *q);
} evil_acts[] = {
	{NETFRONT_EVIL_GREF, wrong_gref},	{NETFRONT_EVIL_REQ_PROD, tx_index},
	{NETFRONT_EVIL_RX_PROD, rx_index},	{NETFRONT_EVIL_REVOKE, revoked_grant},
	{NETFRONT_EVIL_REWRITE, rewrite_begin}, {NETFRONT_EVIL_RX_GREF, rx_grefs},
	{NETFRONT_EVIL_STALL, stall},		{NETFRONT_EVIL_EVENTS, event_storm},
	{NETFRONT_EVIL_STATES, state_storm},	{NETFRONT_EVIL_VANISH, vanish},
	{NETFRONT_EVIL_RESET, reset},
};

/* Waits until the TX ring is empty: then page 0 is free, and there is room for everything. */
void nf_evil_act(struct netfront *nf)
{
	struct nf_queue *q = &nf->queues[0];
	enum netfront_evil kind = nf->evil;

	if (!netfront_tx_room(nf, 0, NETFRONT_RING_SLOTS) && !nf->lied)
		return;
	nf->evil = NETFRONT_EVIL_NONE;
	nf->lied = true;
	write_frame(q, 0, kind == NETFRONT_EVIL_SPOOF);
	if (push_frags(q, kind) || push_extras(q, kind))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(evil_acts); i++)
		if (evil_acts[i].kind == kind)
			evil_acts[i].act(q);
}

/* --- keys --- */

#define KEY_QUEUES "multi-queue-num-queues"
#define KEY_REFS   "tx-ring-ref rx-ring-ref"
#define KEY_PORTS  "event-channel event-channel-tx event-channel-rx"

static const struct {
	enum netfront_evil kind;
	const char *keys;
	const char *value; /**< NULL: leave out */
} evil_keys[] = {
	{NETFRONT_EVIL_QUEUES_0, KEY_QUEUES, "0"},
	{NETFRONT_EVIL_QUEUES_4096, KEY_QUEUES, "4096"},
	{NETFRONT_EVIL_QUEUES_TEXT, KEY_QUEUES, "two"},
	{NETFRONT_EVIL_REF_TEXT, KEY_REFS, "0x12; rm"},
	{NETFRONT_EVIL_REF_HUGE, KEY_REFS, "18446744073709551617"},
	{NETFRONT_EVIL_REF_WRONG, KEY_REFS, "2147483632"},
	{NETFRONT_EVIL_REF_MISSING, KEY_REFS, NULL},
	{NETFRONT_EVIL_PORT_WRONG, KEY_PORTS, "99999"},
	{NETFRONT_EVIL_PORT_MISSING, KEY_PORTS, NULL},
	{NETFRONT_EVIL_NO_RX_COPY, "request-rx-copy", NULL},
};

static bool has_word(const char *words, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = words; (at = strstr(at, word)); at += n)
		if ((at == words || at[-1] == ' ') && (at[n] == ' ' || at[n] == '\0'))
			return true;
	return false;
}

const char *nf_evil_value(const struct netfront *nf, const char *key, const char *value,
			  char buf[NF_LONG_VALUE + 1])
{
	if (nf->evil_store == NETFRONT_EVIL_LONG_VALUES) {
		memset(buf, '9', NF_LONG_VALUE);
		buf[NF_LONG_VALUE] = '\0';
		return buf;
	}
	for (size_t i = 0; i < ARRAY_SIZE(evil_keys); i++)
		if (evil_keys[i].kind == nf->evil_store && has_word(evil_keys[i].keys, key))
			return evil_keys[i].value;
	return value;
}

/* --- the public side --- */

static const char *const evil_names[NETFRONT_EVIL_COUNT] = {
	[NETFRONT_EVIL_REQ_PROD] = "req-prod",
	[NETFRONT_EVIL_GREF] = "gref",
	[NETFRONT_EVIL_OVERRUN] = "overrun",
	[NETFRONT_EVIL_FRAGS_19] = "frags-19",
	[NETFRONT_EVIL_FRAGS_40] = "frags-40",
	[NETFRONT_EVIL_EXTRAS_CHAIN] = "extras-chain",
	[NETFRONT_EVIL_EXTRAS_CUT] = "extras-cut",
	[NETFRONT_EVIL_EXTRA_TYPE] = "extra-type",
	[NETFRONT_EVIL_SIZES] = "sizes",
	[NETFRONT_EVIL_ZERO_FRAGS] = "zero-frags",
	[NETFRONT_EVIL_SHORT_FRAGS] = "short-frags",
	[NETFRONT_EVIL_TINY_SLOTS] = "tiny-slots",
	[NETFRONT_EVIL_RUNT] = "runt",
	[NETFRONT_EVIL_GSO_ZERO] = "gso-zero",
	[NETFRONT_EVIL_GSO_TYPE] = "gso-type",
	[NETFRONT_EVIL_GSO_JUNK] = "gso-junk",
	[NETFRONT_EVIL_REWRITE] = "rewrite",
	[NETFRONT_EVIL_REVOKE] = "revoke",
	[NETFRONT_EVIL_SPOOF] = "spoof",
	[NETFRONT_EVIL_STALL] = "stall",
	[NETFRONT_EVIL_RX_GREF] = "rx-gref",
	[NETFRONT_EVIL_RX_PROD] = "rx-prod",
	[NETFRONT_EVIL_EVENTS] = "events",
	[NETFRONT_EVIL_STATES] = "states",
	[NETFRONT_EVIL_RESET] = "reset",
	[NETFRONT_EVIL_VANISH] = "vanish",
	[NETFRONT_EVIL_QUEUES_0] = "queues-0",
	[NETFRONT_EVIL_QUEUES_4096] = "queues-4096",
	[NETFRONT_EVIL_QUEUES_TEXT] = "queues-text",
	[NETFRONT_EVIL_REF_TEXT] = "ref-text",
	[NETFRONT_EVIL_REF_HUGE] = "ref-huge",
	[NETFRONT_EVIL_REF_WRONG] = "ref-wrong",
	[NETFRONT_EVIL_REF_MISSING] = "ref-missing",
	[NETFRONT_EVIL_PORT_WRONG] = "port-wrong",
	[NETFRONT_EVIL_PORT_MISSING] = "port-missing",
	[NETFRONT_EVIL_NO_RX_COPY] = "no-rx-copy",
	[NETFRONT_EVIL_LONG_VALUES] = "long-values",
};

const char *netfront_evil_name(enum netfront_evil kind)
{
	return (unsigned int)kind < NETFRONT_EVIL_COUNT ? evil_names[kind] : NULL;
}

int netfront_evil_parse(const char *name, enum netfront_evil *kind)
{
	for (unsigned int i = 1; i < NETFRONT_EVIL_COUNT; i++) {
		if (strcmp(name, evil_names[i]) == 0) {
			*kind = (enum netfront_evil)i;
			return 0;
		}
	}
	return -EINVAL;
}

int netfront_misbehave(struct netfront *nf, enum netfront_evil kind)
{
	if ((unsigned int)kind >= NETFRONT_EVIL_COUNT)
		return -EINVAL;
	if (kind >= NETFRONT_EVIL_STORE_FIRST) {
		nf->evil_store = kind;
		return 0;
	}
	nf->evil = kind;
	if (kind == NETFRONT_EVIL_NONE)
		nf->evil_store = kind;
	else if (nf->info.state == NETFRONT_STATE_RUNNING)
		nf_evil_act(nf);
	return 0;
}
