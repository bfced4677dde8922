/* SPDX-License-Identifier: GPL-2.0-or-later */
/* netif.c - decoding and answering of netif ring slots; see netif.h. Used by guest_tx.c and
 * guest_rx.c. */
#include "netif.h"

static_assert(sizeof(netif_tx_request_t) == NETIF_TX_SLOT_BYTES, "netif.h: TX slot");
static_assert(sizeof(netif_rx_response_t) == NETIF_RX_SLOT_BYTES, "netif.h: RX slot");
static_assert(sizeof(netif_rx_request_t) == NETIF_RX_SLOT_BYTES, "netif.h: RX slot");
static_assert(sizeof(netif_extra_info_t) == NETIF_RX_SLOT_BYTES, "netif.h: extra info");

static int decode_gso(const netif_extra_info_t *extra, struct netif_tx_packet *packet,
		      const char **why)
{
	if (extra->u.gso.size == 0) {
		*why = "GSO extra info with size 0";
		return -EPROTO;
	}
	if (extra->u.gso.type != XEN_NETIF_GSO_TYPE_TCPV4 &&
	    extra->u.gso.type != XEN_NETIF_GSO_TYPE_TCPV6) {
		*why = "GSO extra info of a type other than TCPv4 (1) and TCPv6 (2)";
		return -EPROTO;
	}
	packet->gso_size = extra->u.gso.size;
	packet->gso_type = extra->u.gso.type;
	return 0;
}

/* Reads the chain of extra infos behind the first slot; *pos moves behind it. */
static int decode_extras(const struct ring_back *ring, uint32_t avail, uint32_t *pos,
			 struct netif_tx_packet *packet, const char **why)
{
	uint8_t slot[NETIF_TX_SLOT_BYTES];
	netif_extra_info_t extra;

	do {
		if (*pos >= avail) {
			*why = "chain of extra infos runs past the requests in the ring";
			return -EPROTO;
		}
		ring_back_read(ring, ring->req_cons + *pos, slot);
		memcpy(&extra, slot, sizeof(extra));
		(*pos)++;
		packet->n_extras++;
		switch (extra.type) {
		case XEN_NETIF_EXTRA_TYPE_GSO:
			if (decode_gso(&extra, packet, why) < 0)
				return -EPROTO;
			break;
		case XEN_NETIF_EXTRA_TYPE_MCAST_ADD:
		case XEN_NETIF_EXTRA_TYPE_MCAST_DEL:
			packet->verdict = extra.type == XEN_NETIF_EXTRA_TYPE_MCAST_ADD
						  ? NETIF_VERDICT_MCAST_ADD
						  : NETIF_VERDICT_MCAST_DEL;
			memcpy(packet->mcast, extra.u.mcast.addr, 6);
			break;
		case XEN_NETIF_EXTRA_TYPE_HASH:
			break; /* advisory; we hash ourselves */
		default:
			*why = "extra info of a type outside 1..4";
			return -EPROTO;
		}
	} while (extra.flags & XEN_NETIF_EXTRA_FLAG_MORE);
	return 0;
}

static void drop(struct netif_tx_packet *packet, const char *why)
{
	if (packet->verdict != NETIF_VERDICT_DROP)
		packet->why = why;
	packet->verdict = NETIF_VERDICT_DROP;
}

/* Reads the data slots behind the first; *left is what the first slot keeps. */
static int decode_slots(const struct ring_back *ring, uint32_t avail, uint32_t pos, bool more,
			struct netif_tx_packet *packet, const char **why)
{
	uint32_t left = packet->total;
	netif_tx_request_t req;

	while (more) {
		if (pos >= avail) {
			*why = "packet runs past the requests in the ring";
			return -EPROTO;
		}
		if (packet->n_slots >= NETIF_SLOTS_FATAL) {
			*why = "packet of more than 20 slots";
			return -EPROTO;
		}
		ring_back_read(ring, ring->req_cons + pos++, &req);
		if ((uint32_t)req.offset + req.size > 4096) {
			*why = "slot reaches past its page (offset + size > 4096)";
			return -EPROTO;
		}
		if (packet->n_slots >= NETIF_SLOTS_MAX)
			drop(packet, "more than 18 data slots");
		if (req.size > left) /* frontends that overflow 16 bits do this: not hostile */
			drop(packet, "slots larger than the packet");
		else
			left -= req.size;
		packet->slots[packet->n_slots++] =
			(struct netif_slot){req.gref, req.offset, req.size, req.id};
		more = req.flags & NETTXF_more_data;
	}
	if (packet->verdict == NETIF_VERDICT_DROP)
		left = 0;
	if (packet->slots[0].offset + left > 4096) {
		*why = "first slot reaches past its page (offset + size > 4096)";
		return -EPROTO;
	}
	packet->slots[0].size = (uint16_t)left;
	packet->ring_slots = pos;
	return 0;
}

int netif_tx_decode(const struct ring_back *ring, uint32_t avail, struct netif_tx_packet *packet,
		    const char **why)
{
	netif_tx_request_t first;
	uint32_t pos = 1;

	ring_back_read(ring, ring->req_cons, &first);
	packet->verdict = NETIF_VERDICT_OK;
	packet->why = NULL;
	packet->total = first.size;
	packet->n_slots = 1;
	packet->n_extras = 0;
	packet->csum_blank = first.flags & NETTXF_csum_blank;
	packet->data_validated = first.flags & NETTXF_data_validated;
	packet->gso_size = 0;
	packet->slots[0] = (struct netif_slot){first.gref, first.offset, first.size, first.id};

	if (first.flags & NETTXF_extra_info) {
		if (decode_extras(ring, avail, &pos, packet, why) < 0)
			return -EPROTO;
		if (packet->verdict != NETIF_VERDICT_OK) {
			/* Multicast requests carry no frame: whatever the first slot says is
			 * ignored. */
			packet->ring_slots = pos;
			return 0;
		}
	}
	if (decode_slots(ring, avail, pos, first.flags & NETTXF_more_data, packet, why) < 0)
		return -EPROTO;
	if (packet->total < 14)
		drop(packet, "shorter than an Ethernet header (14 bytes)");
	return 0;
}

void netif_tx_peek(const struct ring_back *ring, uint32_t avail, struct netif_tx_head *head)
{
	uint8_t slot[NETIF_TX_SLOT_BYTES];
	netif_tx_request_t first;
	netif_extra_info_t extra;

	ring_back_read(ring, ring->req_cons, &first);
	head->size = first.size;
	head->gso_size = 0;
	if (!(first.flags & NETTXF_extra_info) || avail < 2)
		return;
	ring_back_read(ring, ring->req_cons + 1, slot);
	memcpy(&extra, slot, sizeof(extra));
	if (extra.type == XEN_NETIF_EXTRA_TYPE_GSO)
		head->gso_size = extra.u.gso.size;
}

void netif_tx_respond(struct ring_back *ring, const struct netif_tx_packet *packet, int16_t status)
{
	netif_tx_response_t rsp;

	for (unsigned int i = 0; i < packet->n_slots; i++) {
		memset(&rsp, 0, sizeof(rsp));
		rsp.id = packet->slots[i].id;
		rsp.status = status;
		ring_back_respond(ring, &rsp, sizeof(rsp));
		if (i > 0)
			continue;
		for (unsigned int e = 0; e < packet->n_extras; e++) {
			memset(&rsp, 0, sizeof(rsp));
			rsp.status = NETIF_RSP_NULL;
			ring_back_respond(ring, &rsp, sizeof(rsp));
		}
	}
}

void netif_rx_respond(struct ring_back *ring, uint16_t id, uint16_t flags, int16_t status)
{
	netif_rx_response_t rsp = {.id = id, .offset = 0, .flags = flags, .status = status};

	ring_back_respond(ring, &rsp, sizeof(rsp));
}

void netif_rx_respond_gso(struct ring_back *ring, uint16_t gso_size, uint8_t gso_type)
{
	netif_extra_info_t extra;

	memset(&extra, 0, sizeof(extra));
	extra.type = XEN_NETIF_EXTRA_TYPE_GSO;
	extra.u.gso.size = gso_size;
	extra.u.gso.type = gso_type;
	ring_back_respond(ring, &extra, sizeof(extra));
}
