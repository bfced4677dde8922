/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * segment.c - software segmentation of TCP GSO frames (frame_segment_*, see frame.h), for guests
 * without the feature.
 *
 * What a NIC does with such a frame, and Linux in tcp_gso_segment: same headers in front of each
 * piece, but lengths, IPv4 id, sequence number, flags and checksums are the piece's own.
 */
#include "frame.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "csum.h"
#include "util.h"

#define IPV6_LEN 40u
#define TCP_CSUM 16u
#define TCP_FIN	 0x01
#define TCP_PSH	 0x08
#define TCP_CWR	 0x80

static void put_be16(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static uint32_t get_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put_be32(uint8_t *p, uint32_t v)
{
	put_be16(p, v >> 16);
	put_be16(p + 2, v & 0xffff);
}

int frame_segment_init(struct frame_segmenter *seg, const uint8_t *frame, size_t len,
		       const struct virtio_net_hdr *vnet)
{
	const uint8_t type = vnet->gso_type & ~VIRTIO_NET_HDR_GSO_ECN;
	const int version = type == VIRTIO_NET_HDR_GSO_TCPV4   ? 4
			    : type == VIRTIO_NET_HDR_GSO_TCPV6 ? 6
							       : 0;
	size_t payload;

	memset(seg, 0, sizeof(*seg));
	if (!version || !vnet->gso_size)
		return -EINVAL;
	if (!frame_parse(frame, len, len, &seg->info) || seg->info.ip_version != version ||
	    seg->info.fragment || seg->info.l4_proto != IPPROTO_TCP || !seg->info.l4_len)
		return -EPROTO;
	if (len - seg->info.l3_off > UINT16_MAX)
		return -EINVAL; /* IP can't say how long it is */
	if ((vnet->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) &&
	    (vnet->csum_start != seg->info.l4_off || vnet->csum_offset != TCP_CSUM))
		return -EINVAL;
	seg->frame = frame;
	seg->len = len;
	seg->gso_size = vnet->gso_size;
	seg->next = seg->info.payload_off;
	payload = len - seg->next;
	return payload ? (int)DIV_ROUND_UP(payload, seg->gso_size) : 1;
}

static void set_ip(const struct frame_segmenter *seg, uint8_t *out, size_t total)
{
	uint8_t *ip = out + seg->info.l3_off;
	uint16_t csum;

	if (seg->info.ip_version == 6) {
		put_be16(ip + 4, total - seg->info.l3_off - IPV6_LEN);
		return;
	}
	put_be16(ip + 2, total - seg->info.l3_off);
	put_be16(ip + 4, ((size_t)ip[4] << 8 | ip[5]) + seg->index);
	put_be16(ip + 10, 0);
	csum = (uint16_t)~csum_fold(csum_add(0, ip, (ip[0] & 15) * 4u));
	memcpy(ip + 10, &csum, sizeof(csum));
}

static void set_tcp(const struct frame_segmenter *seg, uint8_t *out, size_t total, bool last)
{
	const size_t bytes = total - seg->info.l4_off;
	uint8_t *tcp = out + seg->info.l4_off;
	uint16_t csum;

	put_be32(tcp + 4, get_be32(tcp + 4) + (uint32_t)(seg->next - seg->info.payload_off));
	if (!last)
		tcp[13] &= (uint8_t) ~(TCP_FIN | TCP_PSH);
	if (seg->index > 0)
		tcp[13] &= (uint8_t)~TCP_CWR;
	put_be16(tcp + TCP_CSUM, 0);
	csum = (uint16_t)~csum_fold(
		csum_add(frame_pseudo_sum(out, &seg->info, (uint32_t)bytes), tcp, bytes));
	memcpy(tcp + TCP_CSUM, &csum, sizeof(csum));
}

int frame_segment_next(struct frame_segmenter *seg, uint8_t *out, size_t size)
{
	const size_t headers = seg->info.payload_off;
	const size_t payload = MIN(seg->len - seg->next, seg->gso_size), total = headers + payload;

	if (payload == 0 && seg->index > 0)
		return 0;
	if (total > size)
		return -ENOSPC;
	memcpy(out, seg->frame, headers);
	memcpy(out + headers, seg->frame + seg->next, payload);
	set_ip(seg, out, total);
	set_tcp(seg, out, total, seg->next + payload == seg->len);
	seg->next += payload;
	seg->index++;
	return (int)total;
}
