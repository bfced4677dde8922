/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ring_fill.h - slots of netif rings as a guest writes them (Xen public io/netif.h), right or
 * wrong: nothing is checked.
 *
 * Used by the frontend (netfront_ring.c), by its misbehaviour (netfront_evil.c), by the load
 * generator and by fuzzers of the backend's side. Requests stay private until ring_front_push.
 * Pure.
 */
#ifndef XB_TESTS_RING_FILL_H
#define XB_TESTS_RING_FILL_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <xen/io/netif.h>

#include "xen/ring.h"

#define FILL_TX_BYTES 12u
#define FILL_RX_BYTES 8u

static_assert(sizeof(netif_tx_request_t) == FILL_TX_BYTES, "TX request slot");
static_assert(sizeof(netif_rx_request_t) == FILL_RX_BYTES, "RX request slot");
static_assert(sizeof(netif_rx_response_t) == FILL_RX_BYTES, "RX response slot");
static_assert(sizeof(netif_extra_info_t) == FILL_RX_BYTES, "extra info");

/** A data slot. In the first slot of a packet `size` is the size of the whole frame. */
static inline void fill_tx(struct ring_front *ring, uint32_t gref, uint16_t offset, uint16_t size,
			   uint16_t flags, uint16_t id)
{
	netif_tx_request_t req = {
		.gref = gref, .offset = offset, .flags = flags, .id = id, .size = size};

	ring_front_request(ring, &req);
}

/** An extra info of any type; `bytes` are its six bytes of payload. */
static inline void fill_tx_extra(struct ring_front *ring, uint8_t type, uint8_t flags,
				 const uint8_t bytes[6])
{
	uint8_t slot[FILL_TX_BYTES] = {type, flags};

	memcpy(slot + 2, bytes, 6);
	ring_front_request(ring, slot);
}

static inline void fill_tx_gso(struct ring_front *ring, uint8_t flags, uint16_t gso_size,
			       uint8_t gso_type)
{
	netif_extra_info_t extra = {.type = XEN_NETIF_EXTRA_TYPE_GSO, .flags = flags};
	uint8_t slot[FILL_TX_BYTES] = {0};

	extra.u.gso.size = gso_size;
	extra.u.gso.type = gso_type;
	memcpy(slot, &extra, sizeof(extra));
	ring_front_request(ring, slot);
}

/** A page for a received slot. */
static inline void fill_rx(struct ring_front *ring, uint32_t gref, uint16_t id)
{
	netif_rx_request_t req = {.id = id, .gref = gref};

	ring_front_request(ring, &req);
}

/**
 * A whole TX ring from a fuzzer's bytes: the first 16 are the four indices, the rest fills slots
 * from the first on, so that a corpus file is the ring page without its reserved bytes.
 */
static inline void fill_page(struct ring_page *page, const uint8_t *data, size_t size)
{
	size_t head = size < 16 ? size : 16;

	memset(page, 0, sizeof(*page));
	memcpy(page, data, head);
	if (size - head > sizeof(page->slots))
		size = head + sizeof(page->slots);
	memcpy(page->slots, data + head, size - head);
}

#endif
