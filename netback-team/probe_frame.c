/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * probe_frame.c - probes and answers as bytes, see probe_frame.h.
 *
 * ARP (RFC 826), from the Ethernet header on: 14 hardware type 1 | 16 protocol 0x0800 | 18 lengths
 * 6, 4 | 20 operation | 22 sender MAC | 28 sender IP | 32 target MAC | 38 target IP | = 42, padded
 * to 60. Neighbour discovery (RFC 4861 4.3, 4.4): 14 IPv6 header | 54 type | 55 code | 56 checksum
 * | 58 flags | 62 target | 78 option 1: source MAC | = 86. Beacon: 14 "xbbeacon" | 22 version 1 |
 * 23 member | 24 id of the team | = 32, padded to 60.
 */
#include "probe_frame.h"

#include <netinet/in.h>
#include <string.h>

#include "csum.h"

#define TYPE_ARP    0x0806
#define TYPE_IPV6   0x86dd
#define TYPE_BEACON 0x88b5
#define WIRE_MIN    60u
#define ARP_END	    42u
#define ND_END	    78u /* of an advertisement without options */
#define NS_END	    86u
#define BEACON_END  32u
#define ND_NS	    135
#define ND_NA	    136

static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
static const uint8_t group[6] = {0x03, 0x78, 0x62, 0x00, 0x00, 0x01}; /* a local group address */
static const uint8_t arp_fixed[6] = {0, 1, 0x08, 0x00, 6, 4};
static const uint8_t magic[9] = {'x', 'b', 'b', 'e', 'a', 'c', 'o', 'n', 1};
static const uint8_t link_local[8] = {0xfe, 0x80};
static const uint8_t solicited[13] = {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff};

static unsigned int type_of(const uint8_t *frame)
{
	return (unsigned int)frame[12] << 8 | frame[13];
}

static void put_ethernet(uint8_t *frame, const uint8_t dst[6], const uint8_t src[6],
			 unsigned int type)
{
	memset(frame, 0, PROBE_FRAME_MAX);
	memcpy(frame, dst, 6);
	memcpy(frame + 6, src, 6);
	frame[12] = (uint8_t)(type >> 8);
	frame[13] = (uint8_t)type;
}

/* Where a probe goes: straight to the target while it answers there. */
static const uint8_t *direct(const struct probe_target *t)
{
	return t->known && t->missed == 0 ? t->mac : NULL;
}

static size_t make_arp(const struct probe *probe, const struct probe_member *m, unsigned int target,
		       uint8_t *frame)
{
	const uint8_t *dst = direct(&m->targets[target]);

	put_ethernet(frame, dst ? dst : broadcast, m->mac, TYPE_ARP);
	memcpy(frame + 14, arp_fixed, sizeof(arp_fixed));
	frame[21] = 1; /* request */
	memcpy(frame + 22, m->mac, 6);
	memcpy(frame + 28, probe->options.source, 4);
	memcpy(frame + 38, probe->options.targets[target], 4);
	return WIRE_MIN;
}

/* The checksum over an ICMPv6 message and its pseudo-header (RFC 8200 8.1): 0xffff when right. */
static uint16_t icmp_sum(const uint8_t *frame, size_t bytes)
{
	const uint8_t rest[8] = {0, 0, (uint8_t)(bytes >> 8), (uint8_t)bytes, 0,
				 0, 0, IPPROTO_ICMPV6};
	uint64_t sum = csum_add(0, rest, sizeof(rest));

	sum = csum_add(sum, frame + 22, 32);
	return csum_fold(csum_add(sum, frame + 54, bytes));
}

static size_t make_ns(const struct probe *probe, const struct probe_member *m, unsigned int target,
		      uint8_t *frame)
{
	const uint8_t *address = probe->options.targets[target], *dst = direct(&m->targets[target]);
	const uint8_t many[6] = {0x33, 0x33, 0xff, address[13], address[14], address[15]};
	uint16_t sum;

	put_ethernet(frame, dst ? dst : many, m->mac, TYPE_IPV6);
	frame[14] = 0x60;
	frame[19] = NS_END - 54;
	frame[20] = IPPROTO_ICMPV6;
	frame[21] = 255;
	memcpy(frame + 22, link_local, sizeof(link_local)); /* EUI-64 of the MAC, RFC 4291 */
	memcpy(frame + 30, m->mac, 3);
	frame[30] ^= 2;
	frame[33] = 0xff;
	frame[34] = 0xfe;
	memcpy(frame + 35, m->mac + 3, 3);
	memcpy(frame + 38, address, 16);
	if (!dst)
		memcpy(frame + 38, solicited, sizeof(solicited));
	frame[54] = ND_NS;
	memcpy(frame + 62, address, 16);
	frame[78] = frame[79] = 1;
	memcpy(frame + 80, m->mac, 6);
	sum = (uint16_t)~icmp_sum(frame, NS_END - 54);
	memcpy(frame + 56, &sum, 2);
	return NS_END;
}

static size_t make_beacon(const struct probe *probe, int member, uint8_t *frame)
{
	put_ethernet(frame, group, probe->members[member].mac, TYPE_BEACON);
	memcpy(frame + 14, magic, sizeof(magic));
	frame[23] = (uint8_t)member;
	memcpy(frame + 24, probe->id, sizeof(probe->id));
	return WIRE_MIN;
}

size_t probe_frame_make(const struct probe *probe, int member, unsigned int target,
			uint8_t frame[PROBE_FRAME_MAX])
{
	const struct probe_member *m = &probe->members[member];

	if (probe->options.mode == PROBE_BEACON)
		return make_beacon(probe, member, frame);
	return probe->options.mode == PROBE_ARP ? make_arp(probe, m, target, frame)
						: make_ns(probe, m, target, frame);
}

static bool is_from_us(const struct probe *probe, const uint8_t *frame)
{
	for (unsigned int i = 0; i < TEAM_MEMBERS_MAX; i++)
		if (probe->members[i].on && !memcmp(probe->members[i].mac, frame + 6, 6))
			return true;
	return false;
}

/* The answer of a target at `address`; other members hear it as well where a switch floods. */
static struct probe_answer answer_of(const struct probe *probe, int member, const uint8_t *frame,
				     const uint8_t *address, size_t n)
{
	struct probe_answer answer = {.kind = PROBE_FRAME_FOREIGN};

	if (memcmp(frame, probe->members[member].mac, 6) != 0)
		return answer;
	for (unsigned int i = 0; i < probe->options.n_targets; i++) {
		if (memcmp(probe->options.targets[i], address, n) != 0)
			continue;
		answer.kind = PROBE_FRAME_ANSWER;
		answer.target = i;
	}
	return answer;
}

static struct probe_answer read_arp(const struct probe *probe, int member, const uint8_t *frame,
				    size_t len)
{
	if (len < ARP_END || memcmp(frame + 14, arp_fixed, sizeof(arp_fixed)) != 0 || frame[20])
		return (struct probe_answer){.kind = PROBE_FRAME_FOREIGN};
	if (frame[21] == 1 && is_from_us(probe, frame))
		return (struct probe_answer){.kind = PROBE_FRAME_OURS};
	if (frame[21] != 2)
		return (struct probe_answer){.kind = PROBE_FRAME_FOREIGN};
	return answer_of(probe, member, frame, frame + 28, 4);
}

static struct probe_answer read_nd(const struct probe *probe, int member, const uint8_t *frame,
				   size_t len)
{
	const size_t bytes = len < ND_END ? 0 : (size_t)frame[18] << 8 | frame[19];

	if (len < ND_END || frame[14] >> 4 != 6 || frame[20] != IPPROTO_ICMPV6 || frame[55])
		return (struct probe_answer){.kind = PROBE_FRAME_FOREIGN};
	if (frame[54] == ND_NS && is_from_us(probe, frame))
		return (struct probe_answer){.kind = PROBE_FRAME_OURS};
	/* RFC 4861 7.1.2 */
	if (frame[54] != ND_NA || frame[21] != 255 || bytes < ND_END - 54 || bytes > len - 54 ||
	    icmp_sum(frame, bytes) != 0xffff)
		return (struct probe_answer){.kind = PROBE_FRAME_FOREIGN};
	return answer_of(probe, member, frame, frame + 62, 16);
}

static struct probe_answer read_beacon(const struct probe *probe, int member, const uint8_t *frame,
				       size_t len)
{
	struct probe_answer answer = {.kind = PROBE_FRAME_FOREIGN};

	if (len < BEACON_END || memcmp(frame + 14, magic, sizeof(magic)) != 0)
		return answer;
	answer.kind = PROBE_FRAME_PEER;
	answer.member = frame[23];
	if (memcmp(frame + 24, probe->id, sizeof(probe->id)) != 0)
		return answer;
	/* Where a switch sends a member its own frames back, that says nothing of the others. */
	answer.kind = answer.member < TEAM_MEMBERS_MAX && answer.member != member
			      ? PROBE_FRAME_BEACON
			      : PROBE_FRAME_OURS;
	return answer;
}

struct probe_answer probe_frame_read(const struct probe *probe, int member, const uint8_t *frame,
				     size_t len)
{
	const enum probe_mode mode = probe->options.mode;
	const unsigned int type = len < 14 ? 0 : type_of(frame);

	if (type == TYPE_ARP && mode == PROBE_ARP)
		return read_arp(probe, member, frame, len);
	if (type == TYPE_IPV6 && mode == PROBE_NS)
		return read_nd(probe, member, frame, len);
	if (type == TYPE_BEACON && mode == PROBE_BEACON)
		return read_beacon(probe, member, frame, len);
	return (struct probe_answer){.kind = PROBE_FRAME_FOREIGN};
}
