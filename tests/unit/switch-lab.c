/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch-lab.c - frames through a switch, for tests: see switch-lab.h. */
#include "switch-lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

uint64_t lab_now = 1;

void lab_mac(int number, uint8_t mac[6])
{
	memset(mac, number == BROADCAST ? 0xff : 0, 6);
	if (number == 0 || number == BROADCAST)
		return;
	mac[0] = number < 0 ? 0x33 : 0x02;
	number = abs(number);
	mac[3] = (uint8_t)(number >> 16);
	mac[4] = (uint8_t)(number >> 8);
	mac[5] = (uint8_t)number;
}

int lab_port(struct sw *sw, int mac, enum lab_kind kind)
{
	struct sw_port_options options = {.learning = kind == LEARNING,
					  .antispoof = kind != SPOOF_OFF};

	lab_mac(mac, options.mac);
	return sw_port_add(sw, &options);
}

void lab_mcast_add(struct sw *sw, int port, int group, int expected)
{
	uint8_t mac[6];

	lab_mac(group, mac);
	assert_int_equal(sw_mcast_add(sw, port, mac), expected);
}

void lab_mcast_del(struct sw *sw, int port, int group)
{
	uint8_t mac[6];

	lab_mac(group, mac);
	sw_mcast_del(sw, port, mac);
}

bool lab_floods_to(const struct sw *sw, int port, int dst)
{
	uint8_t mac[6];
	int p = -1;

	lab_mac(dst, mac);
	while ((p = sw_flood_next(sw, mac, -1, p)) >= 0)
		if (p == port)
			return true;
	return false;
}

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

struct lab_frame lab_plain(int src, int dst)
{
	struct lab_frame frame = {.len = 64};

	lab_mac(dst, frame.bytes);
	lab_mac(src, frame.bytes + 6);
	put16(frame.bytes + 12, 0x88b5);
	return frame;
}

struct lab_frame lab_arp(int src, int dst, uint16_t ethertype, uint16_t operation, int target)
{
	struct lab_frame frame = lab_plain(src, dst);
	static const uint8_t fixed[6] = {0, 1, 8, 0, 6, 4}, net[3] = {10, 0, 0};
	uint8_t *arp = frame.bytes + 14;

	put16(frame.bytes + 12, ethertype);
	memcpy(arp, fixed, 6);
	put16(arp + 6, operation);
	lab_mac(src, arp + 8);
	memcpy(arp + 14, net, 3);
	arp[17] = (uint8_t)src;
	memcpy(arp + 24, net, 3);
	arp[27] = (uint8_t)target;
	frame.len = 14 + 28;
	return frame;
}

struct lab_frame lab_na(int src, int dst, uint8_t flags)
{
	struct lab_frame frame = lab_plain(src, dst);

	put16(frame.bytes + 12, 0x86dd);
	frame.bytes[14] = 0x60;
	frame.bytes[20] = IPPROTO_ICMPV6;
	frame.bytes[54] = 136;
	frame.bytes[58] = flags;
	frame.len = 54 + 24;
	return frame;
}

struct lab_frame lab_tagged(const struct lab_frame *frame)
{
	struct lab_frame tagged = {.len = frame->len + 4};

	memcpy(tagged.bytes, frame->bytes, 12);
	put16(tagged.bytes + 12, 0x8100);
	put16(tagged.bytes + 14, 5);
	memcpy(tagged.bytes + 16, frame->bytes + 12, frame->len - 12);
	return tagged;
}

static void expect(struct sw_decision decision, enum sw_verdict verdict, int to)
{
	assert_string_equal(sw_verdict_name(decision.verdict), sw_verdict_name(verdict));
	assert_int_equal(decision.port, to);
}

void lab_frame_guest(struct sw *sw, int port, const struct lab_frame *frame,
		     enum sw_verdict verdict, int to)
{
	expect(sw_from_guest(sw, port, frame->bytes, frame->len, lab_now), verdict, to);
}

void lab_frame_nic(struct sw *sw, bool usable, bool designated, const struct lab_frame *frame,
		   enum sw_verdict verdict, int to)
{
	expect(sw_from_nic(sw, usable, designated, frame->bytes, frame->len, lab_now), verdict, to);
}

void lab_frame_reserve(struct sw *sw, int member, bool designated, const struct lab_frame *frame,
		       enum sw_verdict verdict, int to)
{
	expect(sw_from_reserve(sw, member, true, designated, frame->bytes, frame->len, lab_now),
	       verdict, to);
}

void lab_guest(struct sw *sw, int port, int src, int dst, enum sw_verdict verdict, int to)
{
	const struct lab_frame frame = lab_plain(src, dst);

	lab_frame_guest(sw, port, &frame, verdict, to);
}

void lab_nic(struct sw *sw, int src, int dst, enum sw_verdict verdict, int to)
{
	const struct lab_frame frame = lab_plain(src, dst);

	lab_frame_nic(sw, true, true, &frame, verdict, to);
}
