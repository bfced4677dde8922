/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netif.h - the wire format of a vif (Xen public io/netif.h): packets out of a TX ring, packets
 * into an RX ring. Pure.
 *
 * Guest requests are copied once (ring.h), judged, and only the copy is used. What a guest did
 * wrong is either a packet that is answered with an error (DROP) or the end of the device
 * (-EPROTO): the distinction is that of Linux's xen-netback, so that frontends which it tolerates
 * live here too.
 */
#ifndef XB_NET_NETIF_H
#define XB_NET_NETIF_H

#include <stdbool.h>
#include <stdint.h>
#include <xen/io/netif.h>

#include "xen/ring.h"

/** Data slots of one packet that are accepted (XEN_NETIF_NR_SLOTS_MIN), and the number at which a
 * guest is hostile. */
#define NETIF_SLOTS_MAX	    18u
#define NETIF_SLOTS_FATAL   20u
#define NETIF_TX_SLOT_BYTES 12u
#define NETIF_RX_SLOT_BYTES 8u

enum netif_verdict {
	NETIF_VERDICT_OK,	 /**< a frame to forward */
	NETIF_VERDICT_DROP,	 /**< malformed: answer every slot with ERROR */
	NETIF_VERDICT_MCAST_ADD, /**< a request about the multicast filter, no frame */
	NETIF_VERDICT_MCAST_DEL,
};

struct netif_slot {
	uint32_t gref;
	uint16_t offset, size, id;
};

/** One packet of a TX ring. */
struct netif_tx_packet {
	enum netif_verdict verdict;
	const char *why;     /**< of DROP: static text */
	uint32_t total;	     /**< bytes of the frame */
	uint32_t ring_slots; /**< slots it occupies: data and extras */
	uint8_t n_slots;     /**< data slots */
	uint8_t n_extras;
	bool csum_blank, data_validated;
	uint16_t gso_size; /**< MSS, 0 = not GSO */
	uint8_t gso_type;  /**< XEN_NETIF_GSO_TYPE_* */
	uint8_t mcast[6];
	struct netif_slot slots[NETIF_SLOTS_FATAL];
};

/**
 * Decodes the packet at ring->req_cons, of which `avail` slots are known to be there; consumes
 * nothing. Returns 0 (see verdict), or -EPROTO with *why (static text): the guest broke the
 * protocol, stop its device.
 */
int netif_tx_decode(const struct ring_back *ring, uint32_t avail, struct netif_tx_packet *packet,
		    const char **why);

/** What the next packet will cost, before anything is consumed. */
struct netif_tx_head {
	uint16_t size;	   /**< bytes of the frame, as its first slot says */
	uint16_t gso_size; /**< as its first extra info says, 0 = not GSO */
};

/** Reads the first slot of the next packet, and the first extra info where it has one; avail >= 1
 * slots are known to be there. */
void netif_tx_peek(const struct ring_back *ring, uint32_t avail, struct netif_tx_head *head);

/** Writes the responses of a decoded packet: status for data slots, NULL for extras. */
void netif_tx_respond(struct ring_back *ring, const struct netif_tx_packet *packet, int16_t status);

/** Slots that a frame takes in an RX ring. */
static inline uint32_t netif_rx_slots(uint32_t total, bool gso)
{
	return (total + 4095) / 4096 + (gso ? 1 : 0);
}

/** Writes one RX response: status = bytes in the slot (or a negative error), flags NETRXF_*. */
void netif_rx_respond(struct ring_back *ring, uint16_t id, uint16_t flags, int16_t status);
/** Writes the GSO extra info in the place of an RX response. */
void netif_rx_respond_gso(struct ring_back *ring, uint16_t gso_size, uint8_t gso_type);

#endif
