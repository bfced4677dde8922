/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dos_frame.c - see dos_frame.h. */
#include "dos_frame.h"

#include <netinet/in.h>
#include <string.h>

#include "cost.h"
#include "util.h"

/* Offsets in the fixed headers: RFC 791 3.1, RFC 8200 3, RFC 9293 3.1, RFC 792. */
#define IPV4_PROTO    9u
#define IPV4_SRC      12u
#define IPV4_DST      16u
#define IPV6_SRC      8u
#define IPV6_DST      24u
#define TCP_FLAGS_OFF 13u
#define PORTS_LEN     4u
#define ICMP_LEN      8u

static inline uint16_t be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static void map_ipv4(struct dos_addr *addr, const uint8_t ip[4])
{
	memset(addr->bytes, 0, 10);
	memset(addr->bytes + 10, 0xff, 2);
	memcpy(addr->bytes + 12, ip, 4);
}

/* frame_parse says ip_version only where the whole fixed header is in the head. */
static void read_ip(struct dos_packet *p, const uint8_t *head, const struct frame_info *info)
{
	const uint8_t *ip = head + info->l3_off;

	p->fragment = info->fragment;
	p->later = info->fragment && info->l4_proto == 0;
	if (info->ip_version == 4) {
		map_ipv4(&p->src, ip + IPV4_SRC);
		map_ipv4(&p->dst, ip + IPV4_DST);
		p->proto = ip[IPV4_PROTO];
	} else {
		memcpy(p->src.bytes, ip + IPV6_SRC, sizeof(p->src.bytes));
		memcpy(p->dst.bytes, ip + IPV6_DST, sizeof(p->dst.bytes));
		p->proto = info->l4_proto;
		if (p->proto == 0 && info->fragment) /* a later one */
			p->proto = IPPROTO_FRAGMENT;
	}
	if (p->proto == 0) /* IPv6 headers without end; IPv4 says 0 only to pass for no IP */
		p->proto = IPPROTO_NONE;
}

/* Where the payload begins; 0 = there is none that can be told. */
static size_t read_l4(struct dos_packet *p, const uint8_t *head, size_t len,
		      const struct frame_info *info)
{
	const uint8_t *l4 = head + info->l4_off;

	if (info->l4_proto == IPPROTO_ICMP || info->l4_proto == IPPROTO_ICMPV6) {
		if (info->l4_off + ICMP_LEN > len)
			return 0;
		p->icmp_type = l4[0];
		p->icmp_code = l4[1];
		return info->l4_off + ICMP_LEN;
	}
	if (info->l4_len < PORTS_LEN)
		return 0;
	p->sport = be16(l4);
	p->dport = be16(l4 + 2);
	if (info->l4_proto == IPPROTO_TCP)
		p->tcp_flags = l4[TCP_FLAGS_OFF];
	return info->payload_off;
}

void dos_frame_read(struct dos_packet *packet, const uint8_t *head, size_t head_len, size_t total,
		    const struct frame_info *info, uint16_t gso_size)
{
	const size_t len = MIN(head_len, total);
	const uint32_t headers = info->payload_off;
	size_t payload;

	memset(packet, 0, sizeof(*packet));
	packet->packets =
		(uint16_t)MIN(cost_segments((uint32_t)total, gso_size, headers), UINT16_MAX);
	packet->bytes = cost_of(COST_UNIT_WIRE, (uint32_t)total, gso_size, headers).bytes;
	if (info->ip_version == 0)
		return;
	read_ip(packet, head, info);
	payload = packet->later ? 0 : read_l4(packet, head, MIN(len, FRAME_HEAD_MAX), info);
	if (payload && payload < len) {
		packet->payload = head + payload;
		packet->payload_len = (uint32_t)(len - payload);
	}
}
