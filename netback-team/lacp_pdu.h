/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lacp_pdu.h - LACPDUs and Marker PDUs as bytes (IEEE 802.1AX-2014 6.4.2, 6.5.3). Pure.
 *
 * Frames come from the wire and are hostile. Strict are: destination, EtherType without a VLAN tag,
 * subtype, a length of at least 124 bytes, version at least 1, type and length of the first TLVs.
 * Everything else is tolerated: newer versions with more TLVs behind those of version 1, longer
 * frames, anything in reserved bytes, an unknown collector TLV.
 */
#ifndef XB_NET_LACP_PDU_H
#define XB_NET_LACP_PDU_H

#include <stddef.h>
#include <stdint.h>

#define LACP_ETHERTYPE 0x8809u
#define LACP_FRAME_LEN 124u /**< of every frame that we build, without FCS */

/** Bits of the state octet (802.1AX-2014 6.4.2.3 m). */
#define LACP_STATE_ACTIVITY	0x01u
#define LACP_STATE_TIMEOUT	0x02u /**< short */
#define LACP_STATE_AGGREGATION	0x04u
#define LACP_STATE_SYNC		0x08u
#define LACP_STATE_COLLECTING	0x10u
#define LACP_STATE_DISTRIBUTING 0x20u
#define LACP_STATE_DEFAULTED	0x40u
#define LACP_STATE_EXPIRED	0x80u

/** One end of a link, as an LACPDU describes it. */
struct lacp_info {
	uint16_t system_priority; /**< smaller = higher */
	uint8_t system[6];
	uint16_t key;
	uint16_t port_priority; /**< smaller = higher */
	uint16_t port;
	uint8_t state; /**< LACP_STATE_* */
};

struct lacp_pdu {
	uint8_t version;
	struct lacp_info actor;	  /**< the sender */
	struct lacp_info partner; /**< what the sender knows of the receiver */
	uint16_t max_delay;	  /**< CollectorMaxDelay in 10 us; 0 when not given */
};

struct lacp_marker {
	uint16_t port;	   /**< requester's */
	uint8_t system[6]; /**< requester's */
	uint32_t transaction;
};

enum lacp_frame_kind {
	LACP_FRAME_OTHER,    /**< no frame of the Slow Protocols, or with a VLAN tag */
	LACP_FRAME_UNKNOWN,  /**< a subtype that is not ours (OAM, ESMC, ...) */
	LACP_FRAME_BAD,	     /**< ours, but malformed */
	LACP_FRAME_LACPDU,   /**< pdu is valid */
	LACP_FRAME_MARKER,   /**< marker is valid: a request */
	LACP_FRAME_RESPONSE, /**< marker is valid: an answer */
};

struct lacp_frame {
	enum lacp_frame_kind kind;
	struct lacp_pdu pdu;
	struct lacp_marker marker;
};

/** Parses a whole Ethernet frame without FCS into *out, whose kind says what else is valid. */
void lacp_frame_parse(const uint8_t *frame, size_t len, struct lacp_frame *out);
/** Writes an LACPDU of version 1; src is the address of the sending member. */
void lacp_pdu_build(uint8_t out[LACP_FRAME_LEN], const uint8_t src[6], const struct lacp_pdu *pdu);
/** Writes a Marker PDU, kind LACP_FRAME_MARKER or LACP_FRAME_RESPONSE. */
void lacp_marker_build(uint8_t out[LACP_FRAME_LEN], const uint8_t src[6], enum lacp_frame_kind kind,
		       const struct lacp_marker *marker);

#endif
