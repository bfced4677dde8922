/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-csum.c - sums, partial checksums and offload metadata, against checksums that frame-build.c
 * made the slow way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "frame-build.h"
#include "netback-team/csum.h"

static void sums_equal_rfc1071(void **state)
{
	uint8_t bytes[700];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)rnd(256);
	for (size_t len = 0; len < 600; len++) {
		AUTO_FREE uint8_t *copy = exact(bytes + len % 64, len);
		uint16_t sum = csum_fold(csum_add(0, copy, len)), two;
		const size_t cut = len / 3 * 2;

		two = csum_fold(csum_add(csum_add(0, copy, cut), copy + cut, len - cut));
		assert_int_equal(sum, two);
		assert_int_equal(get16((uint8_t *)&sum) % 0xffff, ref_sum(0, copy, len) % 0xffff);
	}
	memset(bytes, 0xff, sizeof(bytes)); /* carries everywhere */
	for (size_t len = 0; len < 600; len += 2)
		assert_int_equal(csum_fold(csum_add(0, bytes, len)), len ? 0xffff : 0);
	assert_int_equal(csum_fold(UINT64_MAX), 0xffff);
	assert_int_equal(csum_fold(0xffffffff00000001ull), 1);
}

static void fills_partial_checksums(void **state)
{
	uint8_t whole[2100], frame[2100], payload[1500];
	struct virtio_net_hdr vnet;
	struct frame_info info;
	struct layout at;

	for (unsigned int i = 0; i < 2000; i++) {
		struct spec s = random_spec(rnd(2) ? IPPROTO_TCP : IPPROTO_UDP);
		const size_t field = s.proto == IPPROTO_TCP ? 16 : 6, n = rnd(1500);
		size_t len;

		for (size_t j = 0; j < n; j++)
			payload[j] = (uint8_t)rnd(256);
		len = build(&s, payload, n, whole, &at);
		memcpy(frame, whole, len);
		put16(frame + at.l4 + field, at.pseudo);
		parse_exact(frame, len, &info);
		assert_int_equal(
			frame_offload_setup(frame, at.payload, len, &info, 0, 0, false, &vnet), 0);
		assert_int_equal(vnet.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
		assert_int_equal(vnet.gso_type, VIRTIO_NET_HDR_GSO_NONE);
		assert_int_equal(vnet.csum_start, at.l4);
		assert_int_equal(vnet.csum_offset, field);
		assert_int_equal(frame_csum_fill(frame, len, &vnet), 0);
		assert_true(frame_csum_ok(frame, len));
		/* TCP knows two zeros */
		if (get16(whole + at.l4 + field) % 0xffff)
			assert_memory_equal(frame, whole, len);
		frame[at.l4] ^= 0x10;
		assert_false(frame_csum_ok(frame, len));
	}
}

static void udp_zero_becomes_ffff(void **state)
{
	uint8_t frame[128], payload[2] = {0};
	struct virtio_net_hdr vnet;
	struct frame_info info;
	struct layout at;
	size_t len;

	build(&udp4, payload, 2, frame, &at);
	/* a payload that makes the sum 0xffff: the checksum as it is now */
	memcpy(payload, frame + at.l4 + 6, 2);
	len = build(&udp4, payload, 2, frame, &at);
	assert_int_equal(get16(frame + at.l4 + 6), 0xffff);
	put16(frame + at.l4 + 6, at.pseudo);
	parse_exact(frame, len, &info);
	assert_int_equal(frame_offload_setup(frame, len, len, &info, 0, 0, false, &vnet), 0);
	assert_int_equal(frame_csum_fill(frame, len, &vnet), 0);
	assert_int_equal(get16(frame + at.l4 + 6), 0xffff);
	assert_true(frame_csum_ok(frame, len));
	put16(frame + at.l4 + 6, 0); /* IPv4: no checksum */
	assert_true(frame_csum_ok(frame, len));
	len = build(&udp6, payload, 2, frame, &at);
	put16(frame + at.l4 + 6, 0); /* IPv6: not allowed */
	assert_false(frame_csum_ok(frame, len));
}

static void odd_lengths_and_padding(void **state)
{
	uint8_t frame[128] = {0}, payload[1] = {0xab};
	struct virtio_net_hdr vnet;
	struct frame_info info;
	struct layout at;
	size_t len = build(&tcp4, payload, 1, frame, &at);

	assert_int_equal(len, 55);
	assert_true(frame_csum_ok(frame, 55));
	assert_true(frame_csum_ok(frame, 60)); /* Ethernet's padding does not belong to it */
	put16(frame + at.l4 + 16, at.pseudo);
	parse_exact(frame, 60, &info);
	assert_int_equal(frame_offload_setup(frame, 60, 60, &info, 0, 0, false, &vnet), 0);
	assert_int_equal(frame_csum_fill(frame, 60, &vnet), 0);
	assert_true(frame_csum_ok(frame, 60));
	/* a UDP length below that of IP: the rest is not covered */
	len = build(&udp4, (const uint8_t *)"abcdef", 6, frame, &at);
	put16(frame + at.l4 + 4, 8 + 4);
	put16(frame + at.l4 + 6, 0);
	put16(frame + at.l4 + 6, 0xffffu & ~ref_sum(ref_sum(at.pseudo, (uint8_t[]){0xff, 0xfd}, 2),
						    frame + at.l4, 12));
	assert_true(frame_csum_ok(frame, len));
	put16(frame + at.l4 + 4, 7);
	assert_false(frame_csum_ok(frame, len));
	put16(frame + at.l4 + 4, 15);
	assert_false(frame_csum_ok(frame, len));
}

static void lying_ip_lengths_are_not_ok(void **state)
{
	uint8_t frame[128], payload[10] = {0};
	struct layout at;
	size_t len = build(&tcp4, payload, 10, frame, &at);

	for (uint32_t v = 0; v < 70000; v += 7) {
		AUTO_FREE uint8_t *copy = exact(frame, len);

		put16(copy + 16, v & 0xffff);
		put16(copy + 24, 0);
		put16(copy + 24, 0xffffu & ~ref_sum(0, copy + 14, 20));
		assert_int_equal(frame_csum_ok(copy, len), (v & 0xffff) == 50);
	}
	len = build(&tcp6, payload, 10, frame, &at);
	for (uint32_t v = 0; v < 65536; v += 3) {
		AUTO_FREE uint8_t *copy = exact(frame, len);

		put16(copy + 18, v);
		assert_int_equal(frame_csum_ok(copy, len), v == 30);
	}
	len = build(&udp6, payload, 10, frame, &at);
	for (uint32_t v = 0; v < 65536; v += 3) {
		AUTO_FREE uint8_t *copy = exact(frame, len);

		put16(copy + at.l4 + 4, v);
		assert_int_equal(frame_csum_ok(copy, len), v == 18);
	}
}

static void fill_refuses_what_lies_outside(void **state)
{
	struct virtio_net_hdr vnet = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM};
	AUTO_FREE uint8_t *frame = exact((const uint8_t[64]){0}, 64);

	for (unsigned int start = 0; start < 70; start++) {
		for (unsigned int offset = 0; offset < 70; offset++) {
			vnet.csum_start = (uint16_t)start;
			vnet.csum_offset = (uint16_t)offset;
			assert_int_equal(frame_csum_fill(frame, 64, &vnet),
					 start + offset <= 62 ? 0 : -EINVAL);
		}
	}
	vnet.csum_start = vnet.csum_offset = 0xffff;
	assert_int_equal(frame_csum_fill(frame, 64, &vnet), -EINVAL);
	vnet.flags = 0;
	assert_int_equal(frame_csum_fill(frame, 64, &vnet), 0);
}

static void offload_refuses_other_frames(void **state)
{
	uint8_t frame[256], payload[100] = {0};
	struct virtio_net_hdr vnet;
	struct frame_info info;
	struct layout at;
	size_t len = build(&tcp4, payload, 100, frame, &at);

#define SETUP(gso_size, type)                                                                      \
	frame_offload_setup(frame, len, len, &info, gso_size, type, true, &vnet)
	parse_exact(frame, len, &info);
	assert_int_equal(SETUP(50, VIRTIO_NET_HDR_GSO_TCPV4), 0);
	assert_int_equal(SETUP(50, VIRTIO_NET_HDR_GSO_TCPV6), -EPROTO);
	assert_int_equal(SETUP(50, VIRTIO_NET_HDR_GSO_NONE), -EPROTO);
	assert_int_equal(SETUP(50, VIRTIO_NET_HDR_GSO_UDP), -EPROTO);
	assert_int_equal(SETUP(FRAME_GSO_MIN - 1, VIRTIO_NET_HDR_GSO_TCPV4), -EPROTO);
	assert_int_equal(SETUP(FRAME_GSO_MIN, VIRTIO_NET_HDR_GSO_TCPV4), 0);
	/* the headers must be in the head */
	assert_int_equal(frame_offload_setup(frame, 53, len, &info, 0, 0, true, &vnet), -EPROTO);
	assert_int_equal(frame_offload_setup(frame, 54, len, &info, 0, 0, true, &vnet), 0);
	frame[23] = IPPROTO_ICMP;
	parse_exact(frame, len, &info);
	assert_int_equal(SETUP(0, 0), -EPROTO);
	len = build(&udp4, payload, 100, frame, &at);
	parse_exact(frame, len, &info);
	assert_int_equal(SETUP(50, VIRTIO_NET_HDR_GSO_TCPV4), -EPROTO);
	assert_int_equal(SETUP(0, 0), 0);
	len = build(&tcp6, payload, 100, frame, &at);
	parse_exact(frame, len, &info);
	assert_int_equal(SETUP(50, VIRTIO_NET_HDR_GSO_TCPV6), 0);
	assert_int_equal(SETUP(50, VIRTIO_NET_HDR_GSO_TCPV4), -EPROTO);
	memset(&info, 0, sizeof(info));
	assert_int_equal(SETUP(0, 0), -EPROTO);
#undef SETUP
}

static void small_gso_frames_are_ordinary(void **state)
{
	uint8_t frame[256], payload[100] = {3};
	struct virtio_net_hdr vnet;
	struct frame_info info;
	struct layout at;
	const size_t len = build(&tcp4, payload, 100, frame, &at);

	parse_exact(frame, len, &info);
	for (unsigned int gso = 100; gso < 70000; gso += 3271) {
		assert_int_equal(frame_offload_setup(frame, len, len, &info,
						     (uint16_t)MIN(gso, 65535u),
						     VIRTIO_NET_HDR_GSO_TCPV4, true, &vnet),
				 0);
		assert_int_equal(vnet.gso_type, VIRTIO_NET_HDR_GSO_NONE);
		assert_int_equal(vnet.gso_size, 0);
		assert_int_equal(frame_csum_fill(frame, len, &vnet), 0);
		assert_true(frame_csum_ok(frame, len));
	}
	assert_int_equal(frame_offload_setup(frame, len, len, &info, 99, VIRTIO_NET_HDR_GSO_TCPV4,
					     true, &vnet),
			 0);
	assert_int_equal(vnet.gso_size, 99);
	assert_int_equal(vnet.hdr_len, 54);
}

static void gso_pseudo_sum_is_made_anew(void **state)
{
	uint8_t frame[4096], payload[3000] = {3};
	struct virtio_net_hdr vnet;
	struct frame_info info;
	struct layout at;

	for (unsigned int i = 0; i < 200; i++) {
		struct spec s = random_spec(IPPROTO_TCP);
		const size_t len = build(&s, payload, 3000, frame, &at);
		uint16_t sum;

		if (rnd(2)) /* some leave the length to the NIC */
			put16(frame + at.l3 + (s.version == 4 ? 2 : 4), 0);
		parse_exact(frame, len, &info);
		assert_int_equal(frame_offload_setup(frame, at.payload, len, &info, 1000,
						     s.version == 4 ? VIRTIO_NET_HDR_GSO_TCPV4
								    : VIRTIO_NET_HDR_GSO_TCPV6,
						     true, &vnet),
				 0);
		sum = (uint16_t)get16(frame + at.l4 + 16);
		assert_int_equal(sum % 0xffff, at.pseudo % 0xffff);
		assert_int_equal(vnet.gso_type & ~VIRTIO_NET_HDR_GSO_ECN,
				 s.version == 4 ? VIRTIO_NET_HDR_GSO_TCPV4
						: VIRTIO_NET_HDR_GSO_TCPV6);
		assert_int_equal(vnet.gso_type & VIRTIO_NET_HDR_GSO_ECN,
				 s.flags & CWR ? VIRTIO_NET_HDR_GSO_ECN : 0);
		assert_int_equal(vnet.hdr_len, at.payload);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums_equal_rfc1071),
		cmocka_unit_test(fills_partial_checksums),
		cmocka_unit_test(udp_zero_becomes_ffff),
		cmocka_unit_test(odd_lengths_and_padding),
		cmocka_unit_test(lying_ip_lengths_are_not_ok),
		cmocka_unit_test(fill_refuses_what_lies_outside),
		cmocka_unit_test(offload_refuses_other_frames),
		cmocka_unit_test(small_gso_frames_are_ordinary),
		cmocka_unit_test(gso_pseudo_sum_is_made_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
