/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flow.h - which flow a frame belongs to: addresses, protocol and ports in a small struct, and
 * hashes over parts of it. Pure.
 *
 * frame.h finds the headers; this file reads out of them what tells flows apart, once a frame, so
 * that hashes, tables and modes (policy.h) never look at bytes again. A frame that calls itself IP
 * but whose header is cut short or does not fit its frame counts as no IP at all (`malformed`): it
 * still goes somewhere, by its Ethernet addresses. Ports count for whole packets only: the pieces
 * of a fragmented packet have to stay together, and only the first has ports.
 */
#ifndef XB_NET_FLOW_H
#define XB_NET_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frame.h"

#define FLOW_TCP_FIN 0x01 /**< RFC 9293 3.1 */
#define FLOW_TCP_SYN 0x02
#define FLOW_TCP_RST 0x04

struct flow_key {
	uint64_t src[2], dst[2];   /**< IP: IPv4 in the first word, the other one 0 */
	uint64_t src_mac, dst_mac; /**< 48 bits */
	uint32_t ports;		   /**< both, as they stand; 0 without has_ports */
	uint16_t vlan;		   /**< number of the outer VLAN, 0 = none (IEEE 802.1Q 9.6) */
	uint8_t ip_version;	   /**< 4, 6 or 0 = not IP */
	uint8_t proto;		   /**< IPPROTO_*, 0 unknown or a fragment */
	uint8_t tcp_flags;	   /**< FLOW_TCP_*, of TCP with ports */
	bool has_ports;		   /**< whole TCP, UDP or SCTP header */
	bool malformed;		   /**< says that it is IP, and is not */
};

/** What a hash is made of; what a frame does not have (no IP, no ports) is left out, down to the
 * Ethernet addresses, which every frame has. */
enum flow_fields {
	FLOW_L2,	  /**< Ethernet addresses, VLAN */
	FLOW_L3,	  /**< these and both IP addresses ("layer 2+3") */
	FLOW_L34,	  /**< IP addresses, protocol, ports */
	FLOW_SRC,	  /**< source: IP address, or else Ethernet address */
	FLOW_DST,	  /**< destination, likewise */
	FLOW_SRCDST,	  /**< both, in any order: the same for both directions */
	FLOW_VLAN_SRCMAC, /**< source Ethernet address, VLAN: one guest, one value */
};
#define FLOW_FIELDS_COUNT 7

/**
 * Reads the key of the frame that info describes (frame_parse of the same head, head_len and total;
 * it returned true). IPv4 total length (RFC 791 3.1) and IPv6 payload length (RFC 8200 3) must fit
 * the frame; 0 passes, as GSO frames and jumbograms have it.
 */
void flow_key_init(struct flow_key *key, const uint8_t *head, size_t head_len, size_t total,
		   const struct frame_info *info);

/** Hash of these fields; every bit of them and of seed changes each bit of it with even odds. */
uint64_t flow_hash(const struct flow_key *key, enum flow_fields fields, uint32_t seed);

/** Hash of an Ethernet address in a VLAN (0 = none), as FLOW_VLAN_SRCMAC of its frames. */
uint64_t flow_hash_mac(const uint8_t mac[6], uint16_t vlan, uint32_t seed);

#endif
