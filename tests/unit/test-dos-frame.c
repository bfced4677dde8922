/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-dos-frame.c - frames of every kind as attack detection sees them: addresses, ports, flags,
 * packets on the wire, payload. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "frame-build.h"
#include "netback-team/dos_frame.h"

static struct dos_packet read_frame(const uint8_t *frame, size_t head_len, size_t total,
				    uint16_t gso_size)
{
	struct frame_info info;
	struct dos_packet p;

	assert_true(frame_parse(frame, head_len, total, &info));
	dos_frame_read(&p, frame, head_len, total, &info, gso_size);
	return p;
}

static void headers_and_payload_are_found(void **state)
{
	static const struct spec *const specs[] = {&tcp4, &tcp6, &udp4, &udp6};
	static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	uint8_t frame[512], payload[20] = {1, 2, 3};

	for (unsigned int i = 0; i < 2000; i++) {
		struct spec s = i < 4 ? *specs[i] : random_spec(rnd(2) ? IPPROTO_TCP : IPPROTO_UDP);
		struct layout at;
		const size_t len = build(&s, payload, sizeof(payload), frame, &at);
		const struct dos_packet p = read_frame(frame, len, len, 0);
		const uint8_t *ip = frame + at.l3;

		assert_int_equal(p.proto, s.proto);
		if (s.version == 4) {
			assert_memory_equal(p.src.bytes, mapped, 12);
			assert_memory_equal(p.src.bytes + 12, ip + 12, 4);
			assert_memory_equal(p.dst.bytes, mapped, 12);
			assert_memory_equal(p.dst.bytes + 12, ip + 16, 4);
		} else {
			assert_memory_equal(p.src.bytes, ip + 8, 16);
			assert_memory_equal(p.dst.bytes, ip + 24, 16);
		}
		assert_int_equal(p.sport, get16(frame + at.l4));
		assert_int_equal(p.dport, get16(frame + at.l4 + 2));
		assert_int_equal(p.tcp_flags, s.proto == IPPROTO_TCP ? frame[at.l4 + 13] : 0);
		assert_false(p.fragment || p.later || p.spoofed);
		assert_ptr_equal(p.payload, frame + at.payload);
		assert_int_equal(p.payload_len, len - at.payload);
		assert_int_equal(p.packets, 1);
		assert_int_equal(p.bytes, MAX(len, 60u) + 24);
	}
}

static void gso_frames_count_as_their_segments(void **state)
{
	uint8_t frame[4096], payload[3000] = {0};
	struct layout at;
	const size_t len = build(&tcp4, payload, sizeof(payload), frame, &at);
	const struct dos_packet p = read_frame(frame, len, len, 1000);

	assert_int_equal(p.packets, 3);
	assert_int_equal(p.bytes, 3 * (1000 + at.payload + 24));
	/* An absurd segment size does not wrap. */
	assert_int_equal(read_frame(frame, 200, 70000, 1).packets, UINT16_MAX);
}

static void fragments_have_no_ports_but_the_first(void **state)
{
	uint8_t frame[512], payload[64] = {0};
	struct layout at;
	size_t len = build(&udp4, payload, sizeof(payload), frame, &at);
	struct dos_packet p;

	frame[at.l3 + 6] = 0x20; /* more fragments */
	p = read_frame(frame, len, len, 0);
	assert_true(p.fragment && !p.later);
	assert_int_equal(p.proto, IPPROTO_UDP);
	assert_int_equal(p.dport, get16(frame + at.l4 + 2));
	frame[at.l3 + 7] = 8; /* offset 64 */
	p = read_frame(frame, len, len, 0);
	assert_true(p.fragment && p.later);
	assert_int_equal(p.proto, IPPROTO_UDP);
	assert_int_equal(p.sport | p.dport, 0);
	assert_null(p.payload);
}

static void icmp_tells_what_it_is(void **state)
{
	uint8_t frame[512], payload[64] = {9};
	struct layout at;
	const size_t len = build(&udp4, payload, sizeof(payload), frame, &at);
	struct dos_packet p;

	frame[at.l3 + 9] = IPPROTO_ICMP;
	frame[at.l4] = frame[at.l4 + 1] = 3;
	p = read_frame(frame, len, len, 0);
	assert_int_equal(p.proto, IPPROTO_ICMP);
	assert_int_equal(p.icmp_type, 3);
	assert_int_equal(p.icmp_code, 3);
	assert_ptr_equal(p.payload, frame + at.l4 + 8);
	/* Cut inside of its header: known as ICMP, no more. */
	p = read_frame(frame, at.l4 + 7, at.l4 + 7, 0);
	assert_int_equal(p.proto, IPPROTO_ICMP);
	assert_int_equal(p.icmp_type, 0);
	assert_null(p.payload);
}

static void what_is_no_ip_is_counted_only(void **state)
{
	uint8_t frame[60] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 0x08, 0x06};
	const struct dos_packet p = read_frame(frame, sizeof(frame), sizeof(frame), 0);

	assert_int_equal(p.proto, 0);
	assert_int_equal(p.packets, 1);
	assert_int_equal(p.bytes, 84);
}

/* Or a flood of such packets would be measured as little as ARP is. */
static void ip_without_a_protocol_is_ip(void **state)
{
	uint8_t frame[512], payload[20] = {0};
	struct layout at;
	const size_t len = build(&udp4, payload, sizeof(payload), frame, &at);
	struct dos_packet p;

	frame[at.l3 + 9] = 0;
	p = read_frame(frame, len, len, 0);
	assert_int_equal(p.proto, IPPROTO_NONE);
	assert_memory_equal(p.src.bytes + 12, frame + at.l3 + 12, 4);
}

static void heads_alone_are_enough(void **state)
{
	uint8_t frame[512], payload[300] = {0};
	struct layout at;
	const size_t len = build(&tcp6, payload, sizeof(payload), frame, &at);
	const struct dos_packet p = read_frame(frame, at.payload, len, 0);

	assert_int_equal(p.dport, get16(frame + at.l4 + 2));
	assert_int_equal(p.bytes, len + 24);
	assert_null(p.payload);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_and_payload_are_found),
		cmocka_unit_test(gso_frames_count_as_their_segments),
		cmocka_unit_test(fragments_have_no_ports_but_the_first),
		cmocka_unit_test(icmp_tells_what_it_is),
		cmocka_unit_test(what_is_no_ip_is_counted_only),
		cmocka_unit_test(ip_without_a_protocol_is_ip),
		cmocka_unit_test(heads_alone_are_enough),
	};

	return cmocka_run_group_tests_name("dos-frame", tests, NULL, NULL);
}
