/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lacp_pdu.c - LACPDUs and Marker PDUs, see lacp_pdu.h. lacp.c decides what they mean. */
#include "lacp_pdu.h"

#include <string.h>

#include "common/cursor.h"

#define SUBTYPE_LACP   1
#define SUBTYPE_MARKER 2

/* Type and length of TLVs, as one big-endian number. */
#define TLV_ACTOR    0x0114
#define TLV_PARTNER  0x0214
#define TLV_DELAY    0x0310
#define TLV_MARKER   0x0110
#define TLV_RESPONSE 0x0210

static const uint8_t slow_protocols[6] = {0x01, 0x80, 0xc2, 0x00, 0x00, 0x02};

static void get_info(struct cursor *c, struct lacp_info *info)
{
	info->system_priority = cursor_be16(c);
	cursor_bytes(c, info->system, sizeof(info->system));
	info->key = cursor_be16(c);
	info->port_priority = cursor_be16(c);
	info->port = cursor_be16(c);
	info->state = cursor_u8(c);
	cursor_skip(c, 3);
}

static enum lacp_frame_kind parse_lacpdu(struct cursor *c, struct lacp_pdu *pdu)
{
	uint16_t actor_tlv, partner_tlv, delay_tlv;

	pdu->version = cursor_u8(c);
	actor_tlv = cursor_be16(c);
	get_info(c, &pdu->actor);
	partner_tlv = cursor_be16(c);
	get_info(c, &pdu->partner);
	delay_tlv = cursor_be16(c);
	pdu->max_delay = cursor_be16(c);
	if (delay_tlv != TLV_DELAY)
		pdu->max_delay = 0;
	if (pdu->version == 0 || actor_tlv != TLV_ACTOR || partner_tlv != TLV_PARTNER)
		return LACP_FRAME_BAD;
	return LACP_FRAME_LACPDU;
}

static enum lacp_frame_kind parse_marker(struct cursor *c, struct lacp_marker *marker)
{
	const uint8_t version = cursor_u8(c);
	const uint16_t tlv = cursor_be16(c);

	marker->port = cursor_be16(c);
	cursor_bytes(c, marker->system, sizeof(marker->system));
	marker->transaction = cursor_be32(c);
	if (version == 0 || (tlv != TLV_MARKER && tlv != TLV_RESPONSE))
		return LACP_FRAME_BAD;
	return tlv == TLV_MARKER ? LACP_FRAME_MARKER : LACP_FRAME_RESPONSE;
}

void lacp_frame_parse(const uint8_t *frame, size_t len, struct lacp_frame *out)
{
	struct cursor c;
	uint8_t dst[6], subtype;

	memset(out, 0, sizeof(*out));
	cursor_init(&c, frame, len);
	cursor_bytes(&c, dst, sizeof(dst));
	cursor_skip(&c, 6);
	if (cursor_be16(&c) != LACP_ETHERTYPE || memcmp(dst, slow_protocols, sizeof(dst)) != 0) {
		out->kind = LACP_FRAME_OTHER;
		return;
	}
	subtype = cursor_u8(&c);
	if (!c.failed && subtype != SUBTYPE_LACP && subtype != SUBTYPE_MARKER)
		out->kind = LACP_FRAME_UNKNOWN;
	else if (len < LACP_FRAME_LEN)
		out->kind = LACP_FRAME_BAD;
	else if (subtype == SUBTYPE_LACP)
		out->kind = parse_lacpdu(&c, &out->pdu);
	else
		out->kind = parse_marker(&c, &out->marker);
}

static uint8_t *put_u16(uint8_t *p, uint16_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
	return p + 2;
}

static uint8_t *put_mac(uint8_t *p, const uint8_t mac[6])
{
	memcpy(p, mac, 6);
	return p + 6;
}

static uint8_t *put_info(uint8_t *p, uint16_t tlv, const struct lacp_info *info)
{
	p = put_u16(p, tlv);
	p = put_u16(p, info->system_priority);
	p = put_mac(p, info->system);
	p = put_u16(p, info->key);
	p = put_u16(p, info->port_priority);
	p = put_u16(p, info->port);
	*p = info->state;
	return p + 4;
}

/* Ethernet header, subtype and version; what is reserved stays zero. */
static uint8_t *put_head(uint8_t out[LACP_FRAME_LEN], const uint8_t src[6], uint8_t subtype)
{
	memset(out, 0, LACP_FRAME_LEN);
	out = put_mac(out, slow_protocols);
	out = put_mac(out, src);
	out = put_u16(out, LACP_ETHERTYPE);
	*out++ = subtype;
	*out++ = 1;
	return out;
}

void lacp_pdu_build(uint8_t out[LACP_FRAME_LEN], const uint8_t src[6], const struct lacp_pdu *pdu)
{
	uint8_t *p = put_head(out, src, SUBTYPE_LACP);

	p = put_info(p, TLV_ACTOR, &pdu->actor);
	p = put_info(p, TLV_PARTNER, &pdu->partner);
	p = put_u16(p, TLV_DELAY);
	put_u16(p, pdu->max_delay);
}

void lacp_marker_build(uint8_t out[LACP_FRAME_LEN], const uint8_t src[6], enum lacp_frame_kind kind,
		       const struct lacp_marker *marker)
{
	uint8_t *p = put_head(out, src, SUBTYPE_MARKER);

	p = put_u16(p, kind == LACP_FRAME_MARKER ? TLV_MARKER : TLV_RESPONSE);
	p = put_u16(p, marker->port);
	p = put_mac(p, marker->system);
	p = put_u16(p, (uint16_t)(marker->transaction >> 16));
	put_u16(p, (uint16_t)marker->transaction);
}
