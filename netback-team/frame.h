/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * frame.h - what an Ethernet frame says: headers, checksum offload, software
 * segmentation. Pure.
 *
 * Frames come from guests and from the wire and are hostile: every length is checked against the
 * bytes at hand. Offload metadata is a struct virtio_net_hdr, the form that AF_PACKET speaks
 * (PACKET_VNET_HDR); netif flags are turned into it by netif.[ch]. Parses Ethernet with up to two
 * VLAN tags, IPv4 with options, IPv6 with extension headers, TCP, UDP.
 */
#ifndef XB_NET_FRAME_H
#define XB_NET_FRAME_H

#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_ETH_LEN	14u
#define FRAME_TAG_LEN	4u     /**< of a VLAN tag (IEEE 802.1Q 9.3) */
#define FRAME_TYPE_VLAN 0x8100 /**< of a customer's tag */
#define FRAME_MAX	65535u /**< largest frame on a netif ring, Ethernet header included */
/** Bytes from the start that hold every header we parse (Ethernet 22 + IPv6 40 + extensions + TCP
 * 60). */
#define FRAME_HEAD_MAX 256u

/** Offsets are from the frame's first byte; 0 = absent. */
struct frame_info {
	uint16_t ethertype; /**< of the payload, after VLAN tags; host order */
	uint16_t vlan_tci;  /**< of the outer tag */
	bool has_vlan;
	uint8_t ip_version; /**< 4, 6 or 0 */
	uint8_t l4_proto;   /**< IPPROTO_*, 0 when not IP, a fragment other than the first, or IPv6
			       headers without end */
	bool fragment; /**< any IP fragment (an IPv6 fragment header over a whole packet is none) */
	uint16_t l3_off;
	uint16_t l4_off;      /**< valid when l4_proto != 0 */
	uint16_t l4_len;      /**< header bytes of TCP (20-60) or UDP (8), 0 unknown protocol or cut
				 short */
	uint16_t payload_off; /**< behind the last header that was understood; never 0 after
				 frame_parse returned true */
};

static inline bool frame_is_multicast(const uint8_t mac[6])
{
	return mac[0] & 1;
}
static inline const uint8_t *frame_dst(const uint8_t *frame)
{
	return frame;
}
static inline const uint8_t *frame_src(const uint8_t *frame)
{
	return frame + 6;
}

/** What stands where an untagged frame has its ethertype; host order. */
static inline uint16_t frame_type(const uint8_t *frame)
{
	return (uint16_t)(frame[12] << 8 | frame[13]);
}

/** The VLAN of a frame (whole, or a head of 18 bytes or more) with a customer's outer tag; 0 =
 * none.
 */
static inline uint16_t frame_vlan(const uint8_t *frame)
{
	return frame_type(frame) == FRAME_TYPE_VLAN ? (uint16_t)((frame[14] & 0xf) << 8 | frame[15])
						    : 0;
}

/** Link-local control frames (01:80:c2:00:00:0x: STP, pause, LACP, LLDP) never cross a bridge (IEEE
 * 802.1Q 8.6.3). */
bool frame_is_link_local(const uint8_t dst[6]);

/** Parses the first head_len bytes of a frame of total bytes. False when not even an Ethernet
 * header is there. */
bool frame_parse(const uint8_t *head, size_t head_len, size_t total, struct frame_info *info);

/**
 * Unfolded sum (csum.h) of the pseudo-header of TCP or UDP (RFC 793 3.1, RFC 8200 8.1) for l4_bytes
 * of header and payload. IPv6: to the final destination of a routing header. head holds all
 * headers; info->l4_len != 0.
 */
uint64_t frame_pseudo_sum(const uint8_t *head, const struct frame_info *info, uint32_t l4_bytes);

/** Smallest segment that TCP makes: Linux's smallest MSS (48) with all options (40). Less only
 * multiplies packets. */
#define FRAME_GSO_MIN 8u

/**
 * Offload metadata of a frame whose checksum field holds only the pseudo-header sum (netif
 * csum_blank). gso_size 0 = not GSO; gso_type VIRTIO_NET_HDR_GSO_TCPV4/TCPV6, to which GSO_ECN is
 * added for a segment with CWR. A frame whose payload fits into one segment becomes one without
 * GSO. When fix_pseudo, writes the pseudo-header sum itself (a peer that sends GSO without
 * csum_blank). Returns 0; -EPROTO when there is no TCP/UDP checksum to fill (fragment, other
 * protocol, header cut short, GSO type that does not match or gso_size < FRAME_GSO_MIN).
 */
int frame_offload_setup(uint8_t *head, size_t head_len, size_t total, const struct frame_info *info,
			uint16_t gso_size, uint8_t gso_type, bool fix_pseudo,
			struct virtio_net_hdr *vnet);

/** Completes a partial checksum in place (RFC 1071; 0 becomes 0xffff for UDP); nothing to do
 * without NEEDS_CSUM. -EINVAL when vnet points outside of the frame. */
int frame_csum_fill(uint8_t *frame, size_t len, const struct virtio_net_hdr *vnet);

/** Checks TCP/UDP and IPv4 header checksums of a whole frame; true when right or not applicable.
 * For tests and the box's guest. */
bool frame_csum_ok(const uint8_t *frame, size_t len);

/** Software segmentation of a TCP GSO frame for a receiver without the feature. */
struct frame_segmenter {
	const uint8_t *frame;
	size_t len;
	struct frame_info info;
	uint16_t gso_size;
	size_t next; /**< offset of the next payload byte */
	uint32_t index;
};

/** Returns the number of segments (>= 1); -EINVAL when vnet is not TCP GSO or does not point at the
 * TCP checksum, -EPROTO when the frame is not such TCP. */
int frame_segment_init(struct frame_segmenter *seg, const uint8_t *frame, size_t len,
		       const struct virtio_net_hdr *vnet);
/**
 * Writes the next segment, headers and payload, into out[size]: IP length and id, TCP sequence,
 * flags (FIN/PSH only on the last, CWR only on the first) and complete checksums. Returns its
 * length, 0 at the end, -ENOSPC when size is too small.
 */
int frame_segment_next(struct frame_segmenter *seg, uint8_t *out, size_t size);

/** Does the sender say where it is now? An ARP announcement or reply to all (RFC 5227), a RARP
 * request (RFC 903: hosts of VMs use it), a neighbour advertisement that nobody asked for (RFC 4861
 * 7.2.6); VLAN tags aside. */
bool frame_is_announcement(const uint8_t *head, size_t head_len);

/** Puts in an outer VLAN tag (IEEE 802.1Q 9.3); the frame begins 4 bytes earlier then, where there
 * must be room. Returns its begin. */
uint8_t *frame_insert_tag(uint8_t *frame, uint16_t tpid, uint16_t tci);

#define FRAME_ANNOUNCE_LEN 60u /**< of an announcement that we build, padded */
/** Builds the RARP request that announces mac to switches (RFC 903, as OVS does after a failover).
 */
void frame_rarp(uint8_t out[FRAME_ANNOUNCE_LEN], const uint8_t mac[6]);
/** Builds the ARP announcement (RFC 5227 2.3) of mac, which has the address ipv4 (host order): to
 * switches and neighbours. */
void frame_arp(uint8_t out[FRAME_ANNOUNCE_LEN], const uint8_t mac[6], uint32_t ipv4);

/** "aa:bb:cc:dd:ee:ff" into out[18]. */
void frame_mac_format(char out[18], const uint8_t mac[6]);

#endif
