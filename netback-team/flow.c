/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow.c - reads flow keys and hashes them, see flow.h. */
#include "flow.h"

#include <netinet/in.h>
#include <string.h>

#include "util.h"

#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_IPV6 0x86dd
#define IPV6_LEN       40u
#define SCTP_LEN       12u /* common header, RFC 9260 3.1 */
#define TCP_FLAGS_OFF  13u
#define VLAN_ID	       0x0fffu

static inline uint16_t be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t load32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint64_t load64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint64_t load_mac(const uint8_t *p)
{
	uint16_t rest;

	memcpy(&rest, p + 4, sizeof(rest));
	return load32(p) | (uint64_t)rest << 32;
}

/* First byte behind the packet by its own word; 0: it lies. */
static size_t packet_end(const uint8_t *ip, size_t room, const struct frame_info *info)
{
	size_t end;

	if (info->ip_version == 4) {
		end = be16(ip + 2);
		if (end && end < (ip[0] & 15) * 4u)
			return 0;
	} else {
		end = be16(ip + 4);
		end += end ? IPV6_LEN : 0;
	}
	if (!end)
		return room;
	return end <= room ? end : 0;
}

/* Ports of whole packets. info->l4_len says that TCP or UDP is there; SCTP is looked for here. */
static void read_ports(struct flow_key *key, const uint8_t *head, size_t len, size_t end,
		       const struct frame_info *info)
{
	size_t bytes = info->l4_len;

	key->proto = info->l4_proto;
	if (info->l4_proto == IPPROTO_SCTP && (size_t)info->l4_off + SCTP_LEN <= len)
		bytes = SCTP_LEN;
	if (!bytes || info->l4_off + bytes > end)
		return;
	key->has_ports = true;
	key->ports = load32(head + info->l4_off);
	if (info->l4_proto == IPPROTO_TCP)
		key->tcp_flags = head[info->l4_off + TCP_FLAGS_OFF];
}

void flow_key_init(struct flow_key *key, const uint8_t *head, size_t head_len, size_t total,
		   const struct frame_info *info)
{
	const size_t len = MIN(MIN(head_len, total), FRAME_HEAD_MAX);
	const uint8_t *ip = head + info->l3_off;
	size_t end;

	memset(key, 0, sizeof(*key));
	key->dst_mac = load_mac(frame_dst(head));
	key->src_mac = load_mac(frame_src(head));
	key->vlan = info->vlan_tci & VLAN_ID;
	if (info->ethertype != ETHERTYPE_IPV4 && info->ethertype != ETHERTYPE_IPV6)
		return;
	end = info->ip_version ? packet_end(ip, total - info->l3_off, info) : 0;
	if (!end) {
		key->malformed = true;
		return;
	}
	key->ip_version = info->ip_version;
	if (info->ip_version == 4) {
		key->src[0] = load32(ip + 12);
		key->dst[0] = load32(ip + 16);
	} else {
		key->src[0] = load64(ip + 8);
		key->src[1] = load64(ip + 16);
		key->dst[0] = load64(ip + 24);
		key->dst[1] = load64(ip + 32);
	}
	if (!info->fragment)
		read_ports(key, head, len, info->l3_off + end, info);
}

#define MIX_A 0xd1b54a32d192ed03ull /* odd numbers without pattern */
#define MIX_B 0xaef17502108ef2d9ull
#define MIX_C 0x8cb92ba72f3d8dd7ull

/* Both halves of a 128-bit product: every bit of a and b reaches the middle of it. */
static inline uint64_t mix(uint64_t a, uint64_t b)
{
	const __uint128_t product = (__uint128_t)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* One end of a flow; version 0: an Ethernet address. */
static inline uint64_t mix_end(uint64_t h, const uint64_t ip[2], uint64_t mac, uint8_t version)
{
	if (!version)
		return mix(mac ^ h, MIX_A);
	return mix(ip[0] ^ h, ip[1] ^ version ^ MIX_A);
}

static inline uint64_t mix_l2(uint64_t h, const struct flow_key *key)
{
	return mix(key->src_mac ^ (uint64_t)key->vlan << 48 ^ h, key->dst_mac ^ MIX_A);
}

static inline uint64_t mix_ends(uint64_t h, const struct flow_key *key)
{
	h = mix(key->src[0] ^ h, key->dst[0] ^ MIX_A);
	return key->ip_version == 6 ? mix(key->src[1] ^ h, key->dst[1] ^ MIX_B) : h;
}

static inline uint64_t start(uint32_t seed)
{
	return mix(seed ^ MIX_A, MIX_B);
}

static inline uint64_t finish(uint64_t h)
{
	return mix(h ^ MIX_B, MIX_A);
}

uint64_t flow_hash(const struct flow_key *key, enum flow_fields fields, uint32_t seed)
{
	uint64_t h = start(seed);

	switch (fields) {
	case FLOW_L2:
		h = mix_l2(h, key);
		break;
	case FLOW_L3:
		h = mix_l2(h, key);
		if (key->ip_version)
			h = mix_ends(h ^ MIX_C, key);
		break;
	case FLOW_L34:
		if (!key->ip_version) {
			h = mix_l2(h, key);
			break;
		}
		h = mix_ends(h, key);
		h = mix(h ^ MIX_C, (key->ports | (uint64_t)key->proto << 32) ^ MIX_B);
		break;
	case FLOW_SRC:
		h = mix_end(h, key->src, key->src_mac, key->ip_version);
		break;
	case FLOW_DST:
		h = mix_end(h, key->dst, key->dst_mac, key->ip_version);
		break;
	case FLOW_SRCDST:
		h = mix_end(h, key->src, key->src_mac, key->ip_version) +
		    mix_end(h, key->dst, key->dst_mac, key->ip_version);
		break;
	case FLOW_VLAN_SRCMAC:
		h = mix(key->src_mac ^ h, key->vlan ^ MIX_C);
		break;
	}
	return finish(h);
}

uint64_t flow_hash_mac(const uint8_t mac[6], uint16_t vlan, uint32_t seed)
{
	const struct flow_key key = {.src_mac = load_mac(mac), .vlan = vlan};

	return flow_hash(&key, FLOW_VLAN_SRCMAC, seed);
}
