/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * frame.c - headers and checksum offload of Ethernet frames, see frame.h.
 *
 * segment.c cuts GSO frames on top of this; csum.c adds bytes up. Parsing looks at no more than
 * FRAME_HEAD_MAX bytes, however many are at hand: what a frame is does not depend on how a guest
 * spread it over slots, and no chain of extension headers costs more than its 256 bytes.
 */
#include "frame.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "csum.h"
#include "util.h"

#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_ARP  0x0806
#define ETHERTYPE_RARP 0x8035
#define ETHERTYPE_IPV6 0x86dd
#define ETHERTYPE_QINQ 0x88a8

#define VLAN_TAGS_MAX 2u
#define IPV4_LEN      20u
#define IPV4_OFF_MASK 0x1fffu /**< fragment offset; the bit above it: more fragments */
#define IPV4_MF	      0x2000u
#define IPV6_LEN      40u
#define IPV6_MF	      0x0001u
#define IPV6_OFF_MASK 0xfff8u
#define IPV6_AH	      51 /**< authentication header: its length counts 32-bit words */
#define IPV6_MOBILITY 135
#define TCP_LEN	      20u
#define TCP_CSUM_OFF  16u
#define TCP_FLAGS_OFF 13u
#define TCP_CWR	      0x80
#define UDP_LEN	      8u
#define UDP_CSUM_OFF  6u
#define ARP_LEN	      28u
#define ARP_REQUEST   1
#define ARP_REPLY     2
#define RARP_REQUEST  3

#define ND_ADVERTISEMENT  136
#define ND_FLAG_SOLICITED 0x40

static inline uint16_t be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

bool frame_is_link_local(const uint8_t dst[6])
{
	static const uint8_t prefix[5] = {0x01, 0x80, 0xc2, 0x00, 0x00};

	return memcmp(dst, prefix, sizeof(prefix)) == 0 && dst[5] < 0x10;
}

static void parse_l4(const uint8_t *head, size_t len, size_t off, uint8_t proto,
		     struct frame_info *info)
{
	size_t header = 0;

	info->l4_proto = proto;
	info->l4_off = (uint16_t)off;
	if (proto == IPPROTO_TCP && off + TCP_LEN <= len)
		header = (head[off + 12] >> 4) * 4u;
	else if (proto == IPPROTO_UDP)
		header = UDP_LEN;
	if (header < (proto == IPPROTO_TCP ? TCP_LEN : UDP_LEN) || off + header > len)
		header = 0;
	info->l4_len = (uint16_t)header;
	info->payload_off = (uint16_t)(off + header);
}

static void parse_ipv4(const uint8_t *head, size_t len, struct frame_info *info)
{
	const uint8_t *ip = head + info->l3_off;
	size_t header;
	uint16_t frag;

	if (info->l3_off + IPV4_LEN > len || ip[0] >> 4 != 4)
		return;
	header = (ip[0] & 15) * 4u;
	if (header < IPV4_LEN || info->l3_off + header > len)
		return;
	info->ip_version = 4;
	frag = be16(ip + 6);
	info->fragment = frag & (IPV4_MF | IPV4_OFF_MASK);
	if (frag & IPV4_OFF_MASK)
		info->payload_off = (uint16_t)(info->l3_off + header);
	else
		parse_l4(head, len, info->l3_off + header, ip[9], info);
}

/* Bytes of the extension header of type `type` at ext, which has 8 bytes at least; 0: not one that
 * can be passed over. */
static size_t extension_len(uint8_t type, const uint8_t *ext)
{
	switch (type) {
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_DSTOPTS:
	case IPV6_MOBILITY:
		return (ext[1] + 1u) * 8;
	case IPV6_AH:
		return (ext[1] + 2u) * 4;
	case IPPROTO_FRAGMENT:
		return 8;
	default:
		return 0;
	}
}

static bool is_extension(uint8_t type)
{
	static const uint8_t zero[8];

	return extension_len(type, zero) != 0;
}

/* RFC 8200 section 4. */
static void parse_ipv6(const uint8_t *head, size_t len, struct frame_info *info)
{
	const uint8_t *ip = head + info->l3_off;
	size_t off = info->l3_off + IPV6_LEN, ext;
	uint8_t next;
	uint16_t frag;

	if (off > len || ip[0] >> 4 != 6)
		return;
	info->ip_version = 6;
	info->payload_off = (uint16_t)off;
	for (next = ip[6]; is_extension(next); next = head[off], off += ext) {
		if (off + 8 > len)
			return;
		ext = extension_len(next, head + off);
		if (off + ext > len)
			return;
		if (next != IPPROTO_FRAGMENT)
			continue;
		frag = be16(head + off + 2);
		info->fragment = frag & (IPV6_MF | IPV6_OFF_MASK);
		if (frag & IPV6_OFF_MASK) {
			info->payload_off = (uint16_t)(off + ext);
			return;
		}
	}
	parse_l4(head, len, off, next, info);
}

bool frame_parse(const uint8_t *head, size_t head_len, size_t total, struct frame_info *info)
{
	size_t len = MIN(MIN(head_len, total), FRAME_HEAD_MAX), off = FRAME_ETH_LEN;
	uint16_t type;

	memset(info, 0, sizeof(*info));
	if (len < FRAME_ETH_LEN)
		return false;
	type = be16(head + 12);
	for (unsigned int tags = 0; tags < VLAN_TAGS_MAX && off + FRAME_TAG_LEN <= len; tags++) {
		if (type != FRAME_TYPE_VLAN && type != ETHERTYPE_QINQ)
			break;
		if (!info->has_vlan)
			info->vlan_tci = be16(head + off);
		info->has_vlan = true;
		type = be16(head + off + 2);
		off += FRAME_TAG_LEN;
	}
	info->ethertype = type;
	info->l3_off = info->payload_off = (uint16_t)off;
	if (type == ETHERTYPE_IPV4)
		parse_ipv4(head, len, info);
	else if (type == ETHERTYPE_IPV6)
		parse_ipv6(head, len, info);
	return true;
}

/* IPv6: where the packet finally goes, which is what the checksum covers (RFC 8200 section 8.1): a
 * routing header may say. */
static const uint8_t *final_dst(const uint8_t *head, const struct frame_info *info)
{
	const uint8_t *dst = head + info->l3_off + 24;
	size_t off = info->l3_off + IPV6_LEN, ext;

	for (uint8_t next = head[info->l3_off + 6]; off < info->l4_off; off += ext) {
		const uint8_t *h = head + off;

		ext = extension_len(next, h);
		if (next == IPPROTO_ROUTING && h[3] && ext >= 24) {
			/* SRv6 (RFC 8754) lists backwards; types 0 and 2 (RFC 6275) forwards. */
			if (h[2] == 4)
				dst = h + 8;
			else if (h[2] == 0 || h[2] == 2)
				dst = h + 8 + ((ext - 8) / 16 - 1) * 16;
		}
		next = h[0];
	}
	return dst;
}

uint64_t frame_pseudo_sum(const uint8_t *head, const struct frame_info *info, uint32_t l4_bytes)
{
	const uint8_t tail[8] = {(uint8_t)(l4_bytes >> 24),
				 (uint8_t)(l4_bytes >> 16),
				 (uint8_t)(l4_bytes >> 8),
				 (uint8_t)l4_bytes,
				 0,
				 0,
				 0,
				 info->l4_proto};
	const uint8_t *ip = head + info->l3_off;
	uint64_t sum;

	if (info->ip_version == 4)
		return csum_add(csum_add(0, ip + 12, 8), tail, 8);
	sum = csum_add(0, ip + 8, 16);
	if (info->l4_off == info->l3_off + IPV6_LEN)
		sum = csum_add(sum, ip + 24, 16);
	else
		sum = csum_add(sum, final_dst(head, info), 16);
	return csum_add(sum, tail, 8);
}

/* Bytes of TCP or UDP by the IP header's word, header included; 0 when that can't be: more than
 * there is, or less than the header. */
static uint32_t l4_bytes(const uint8_t *head, size_t total, const struct frame_info *info)
{
	size_t end = info->l3_off;

	if (info->ip_version == 4)
		end += be16(head + info->l3_off + 2);
	else
		end += IPV6_LEN + be16(head + info->l3_off + 4);
	if (end > total || end < (size_t)info->l4_off + info->l4_len)
		return 0;
	return (uint32_t)(end - info->l4_off);
}

static int check_gso(const struct frame_info *info, uint16_t gso_size, uint8_t gso_type)
{
	if (info->l4_proto != IPPROTO_TCP || gso_size < FRAME_GSO_MIN)
		return -EPROTO;
	if (gso_type == VIRTIO_NET_HDR_GSO_TCPV4 && info->ip_version == 4)
		return 0;
	if (gso_type == VIRTIO_NET_HDR_GSO_TCPV6 && info->ip_version == 6)
		return 0;
	return -EPROTO;
}

int frame_offload_setup(uint8_t *head, size_t head_len, size_t total, const struct frame_info *info,
			uint16_t gso_size, uint8_t gso_type, bool fix_pseudo,
			struct virtio_net_hdr *vnet)
{
	const bool tcp = info->l4_proto == IPPROTO_TCP;
	uint32_t bytes;
	uint16_t sum;

	memset(vnet, 0, sizeof(*vnet));
	if (!info->l4_len || info->fragment || info->payload_off > MIN(head_len, total))
		return -EPROTO;
	if (gso_size && check_gso(info, gso_size, gso_type) < 0)
		return -EPROTO;
	vnet->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	vnet->csum_start = info->l4_off;
	vnet->csum_offset = tcp ? TCP_CSUM_OFF : UDP_CSUM_OFF;
	vnet->hdr_len = info->payload_off;
	bytes = l4_bytes(head, total, info);
	/* What fits into one segment is no GSO frame; kernels refuse to call it one. */
	if (gso_size && total - info->payload_off > gso_size) {
		bytes = 0; /* some leave the IP length of a GSO frame empty */
		vnet->gso_size = gso_size;
		vnet->gso_type = gso_type;
		if (head[info->l4_off + TCP_FLAGS_OFF] & TCP_CWR)
			vnet->gso_type |= VIRTIO_NET_HDR_GSO_ECN;
	}
	if (fix_pseudo) {
		bytes = bytes ? bytes : (uint32_t)(total - info->l4_off);
		sum = csum_fold(frame_pseudo_sum(head, info, bytes));
		memcpy(head + vnet->csum_start + vnet->csum_offset, &sum, sizeof(sum));
	}
	return 0;
}

int frame_csum_fill(uint8_t *frame, size_t len, const struct virtio_net_hdr *vnet)
{
	const size_t start = vnet->csum_start, field = start + vnet->csum_offset;
	uint16_t csum;

	if (!(vnet->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM))
		return 0;
	if (field + sizeof(csum) > len)
		return -EINVAL;
	/* To the end of the frame, as virtio defines it: trailing padding is zeros and adds
	 * nothing. */
	csum = (uint16_t)~csum_fold(csum_add(0, frame + start, len - start));
	if (csum == 0 && vnet->csum_offset == UDP_CSUM_OFF)
		csum = 0xffff; /* RFC 768: 0 says that there is none */
	memcpy(frame + field, &csum, sizeof(csum));
	return 0;
}

static bool ipv4_header_ok(const uint8_t *frame, size_t len, const struct frame_info *info)
{
	const uint8_t *ip = frame + info->l3_off;
	const size_t header = (ip[0] & 15) * 4u, total = be16(ip + 2);

	return total >= header && total <= len - info->l3_off &&
	       csum_fold(csum_add(0, ip, header)) == 0xffff;
}

bool frame_csum_ok(const uint8_t *frame, size_t len)
{
	struct frame_info info;
	const uint8_t *l4;
	uint32_t bytes;

	if (!frame_parse(frame, len, len, &info))
		return true;
	if (info.ip_version == 0) /* a broken IP header is not right */
		return info.ethertype != ETHERTYPE_IPV4 && info.ethertype != ETHERTYPE_IPV6;
	if (info.ip_version == 4 && !ipv4_header_ok(frame, len, &info))
		return false;
	if (info.fragment)
		return true;
	if (info.l4_proto != IPPROTO_TCP && info.l4_proto != IPPROTO_UDP)
		return info.ip_version == 4 ||
		       info.l4_off; /* IPv6: the chain of headers has an end */
	bytes = l4_bytes(frame, len, &info);
	if (!info.l4_len || !bytes)
		return false;
	l4 = frame + info.l4_off;
	if (info.l4_proto == IPPROTO_UDP) {
		if (be16(l4 + UDP_CSUM_OFF) == 0)
			return info.ip_version == 4;
		if (be16(l4 + 4) < UDP_LEN || be16(l4 + 4) > bytes)
			return false;
		bytes = be16(l4 + 4);
	}
	return csum_fold(csum_add(frame_pseudo_sum(frame, &info, bytes), l4, bytes)) == 0xffff;
}

bool frame_is_announcement(const uint8_t *head, size_t len)
{
	struct frame_info info;
	const uint8_t *arp;

	if (!frame_parse(head, len, len, &info) || !frame_is_multicast(frame_dst(head)))
		return false;
	if (info.l4_proto == IPPROTO_ICMPV6 && info.l4_off + 8u <= len)
		return head[info.l4_off] == ND_ADVERTISEMENT &&
		       !(head[info.l4_off + 4] & ND_FLAG_SOLICITED);
	if (info.l3_off + ARP_LEN > len)
		return false;
	arp = head + info.l3_off;
	if (memcmp(arp + 8, frame_src(head), 6))
		return false; /* speaks for somebody else */
	if (info.ethertype == ETHERTYPE_RARP)
		return be16(arp + 6) == RARP_REQUEST;
	if (info.ethertype != ETHERTYPE_ARP)
		return false;
	return be16(arp + 6) == ARP_REPLY ||
	       (be16(arp + 6) == ARP_REQUEST && !memcmp(arp + 14, arp + 24, 4));
}

uint8_t *frame_insert_tag(uint8_t *frame, uint16_t tpid, uint16_t tci)
{
	uint8_t *start = frame - FRAME_TAG_LEN;

	memmove(start, frame, 12);
	start[12] = (uint8_t)(tpid >> 8);
	start[13] = (uint8_t)tpid;
	start[14] = (uint8_t)(tci >> 8);
	start[15] = (uint8_t)tci;
	return start;
}

/* A request to all, of ARP or RARP, by mac. */
static void request(uint8_t out[FRAME_ANNOUNCE_LEN], const uint8_t mac[6], uint16_t ethertype,
		    uint8_t operation)
{
	/* Ethernet, IPv4, lengths 6 and 4 */
	const uint8_t fixed[8] = {0, 1, ETHERTYPE_IPV4 >> 8, 0, 6, 4, 0, operation};

	memset(out, 0, FRAME_ANNOUNCE_LEN);
	memset(out, 0xff, 6);
	memcpy(out + 6, mac, 6);
	out[12] = (uint8_t)(ethertype >> 8);
	out[13] = (uint8_t)ethertype;
	memcpy(out + 14, fixed, sizeof(fixed));
	memcpy(out + 22, mac, 6);
}

void frame_rarp(uint8_t out[FRAME_ANNOUNCE_LEN], const uint8_t mac[6])
{
	request(out, mac, ETHERTYPE_RARP, RARP_REQUEST);
	memcpy(out + 32, mac, 6);
}

void frame_arp(uint8_t out[FRAME_ANNOUNCE_LEN], const uint8_t mac[6], uint32_t ipv4)
{
	const uint32_t address = htonl(ipv4);

	request(out, mac, ETHERTYPE_ARP, ARP_REQUEST);
	memcpy(out + 28, &address, 4);
	memcpy(out + 38, &address, 4);
}

void frame_mac_format(char out[18], const uint8_t mac[6])
{
	snprintf(out, 18, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
		 mac[5]);
}
