/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ecn.c - marks frames, see ecn.h. */
#include "ecn.h"

#define ETH_BYTES     14u
#define TAG_BYTES     4u
#define TAGS_MAX      2
#define TYPE_IPV4     0x0800
#define TYPE_IPV6     0x86dd
#define TYPE_VLAN     0x8100
#define TYPE_SERVICE  0x88a8
#define IPV4_BYTES    20u
#define IPV4_CHECKSUM 10
#define IPV6_BYTES    40u
#define CE	      3u /* both bits; neither: not ECN-capable */

static uint32_t be16(const uint8_t *at)
{
	return (uint32_t)at[0] << 8 | at[1];
}

static bool is_capable(unsigned int codepoint)
{
	return codepoint != 0 && codepoint != CE;
}

/* RFC 1624, equation 3: HC' = ~(~HC + ~m + m'). */
static void fix_checksum(uint8_t *at, uint32_t old, uint32_t new)
{
	uint32_t sum = (~be16(at) & 0xffff) + (~old & 0xffff) + new;

	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	at[0] = (uint8_t)(~sum >> 8);
	at[1] = (uint8_t)~sum;
}

static bool mark_ipv4(uint8_t *ip, uint32_t len)
{
	const uint32_t old = be16(ip);

	if (len < IPV4_BYTES || ip[0] >> 4 != 4 || (ip[0] & 15) < 5 || !is_capable(ip[1] & CE))
		return false;
	ip[1] |= CE;
	fix_checksum(ip + IPV4_CHECKSUM, old, be16(ip));
	return true;
}

/* The traffic class lies across the first two bytes: its last two bits are 4 and 5 of the second.
 */
static bool mark_ipv6(uint8_t *ip, uint32_t len)
{
	if (len < IPV6_BYTES || ip[0] >> 4 != 6 || !is_capable(ip[1] >> 4 & CE))
		return false;
	ip[1] |= CE << 4;
	return true;
}

bool ecn_mark(uint8_t *frame, uint32_t len)
{
	uint32_t at = ETH_BYTES, type;

	if (len < ETH_BYTES)
		return false;
	type = be16(frame + at - 2);
	for (int tags = 0; tags < TAGS_MAX && (type == TYPE_VLAN || type == TYPE_SERVICE); tags++) {
		if (len < at + TAG_BYTES)
			return false;
		at += TAG_BYTES;
		type = be16(frame + at - 2);
	}
	if (len < at + IPV4_BYTES)
		return false;
	if (type == TYPE_IPV4)
		return mark_ipv4(frame + at, len - at);
	return type == TYPE_IPV6 && mark_ipv6(frame + at, len - at);
}
