/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-segment.c - the segments of a GSO frame must be, byte for byte, the frames that
 * frame-build.c makes of the payload's slices.
 */
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

/* The segments that a sender without GSO would have made of the same data. */
static void check_segments(const struct spec *s, const uint8_t *payload, size_t n,
			   const uint8_t *frame, size_t len, const struct virtio_net_hdr *vnet)
{
	const size_t gso = vnet->gso_size, count = n ? (n + gso - 1) / gso : 1;
	static uint8_t expected[70000], out[70000];
	struct frame_segmenter seg;
	struct layout at;

	assert_int_equal(frame_segment_init(&seg, frame, len, vnet), count);
	for (size_t i = 0; i < count; i++) {
		const bool last = i + 1 == count;
		struct spec piece = *s;
		size_t want;

		piece.seq += (uint32_t)(i * gso);
		piece.ip_id = (uint16_t)(s->ip_id + i);
		if (!last)
			piece.flags &= (uint8_t) ~(FIN | PSH);
		if (i > 0)
			piece.flags &= (uint8_t)~CWR;
		want = build(&piece, payload + i * gso, last ? n - i * gso : gso, expected, &at);
		assert_int_equal(frame_segment_next(&seg, out, want - 1), -ENOSPC);
		assert_int_equal(frame_segment_next(&seg, out, want), want);
		assert_memory_equal(out, expected, want);
		assert_true(frame_csum_ok(out, want));
	}
	assert_int_equal(frame_segment_next(&seg, out, sizeof(out)), 0);
	assert_int_equal(frame_segment_next(&seg, out, sizeof(out)), 0);
}

static void segments_equal_the_reference(void **state)
{
	static uint8_t payload[65535], frame[70000];
	struct virtio_net_hdr vnet;
	struct frame_info info;
	struct layout at;

	print_message("# seed %llu\n", (unsigned long long)seed);
	for (size_t j = 0; j < sizeof(payload); j++)
		payload[j] = (uint8_t)rnd(256);
	for (unsigned int i = 0; i < 300; i++) {
		struct spec s = random_spec(IPPROTO_TCP);
		const size_t n = 10 + rnd(i % 10 ? 5000 : 65000);
		const uint8_t type =
			s.version == 4 ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_TCPV6;
		size_t len = build(&s, payload, n, frame, &at);
		AUTO_FREE uint8_t *copy = NULL;

		put16(frame + at.l4 + 16, at.pseudo);
		copy = exact(frame, len);
		assert_true(frame_parse(copy, len, len, &info));
		assert_int_equal(frame_offload_setup(copy, at.payload, len, &info,
						     (uint16_t)(FRAME_GSO_MIN +
								rnd((uint32_t)MIN(n - 9, 3000u))),
						     type, false, &vnet),
				 0);
		if (vnet.gso_type) /* else it fitted into one */
			check_segments(&s, payload, n, copy, len, &vnet);
	}
}

static void segments_of_odd_kinds(void **state)
{
	struct virtio_net_hdr vnet = {.gso_type = VIRTIO_NET_HDR_GSO_TCPV4 | VIRTIO_NET_HDR_GSO_ECN,
				      .gso_size = 1};
	uint8_t frame[256], payload[20] = {1, 2, 3};
	struct spec s = tcp4;
	struct layout at;
	size_t len;

	s.flags = ACK | FIN | PSH | CWR;
	len = build(&s, payload, 20, frame, &at);
	check_segments(&s, payload, 20, frame, len, &vnet); /* a byte each */
	vnet.gso_size = 20;
	check_segments(&s, payload, 20, frame, len, &vnet); /* just one: all flags stay */
	len = build(&s, payload, 0, frame, &at);
	check_segments(&s, payload, 0, frame, len, &vnet); /* no data at all */
}

static void segmentation_refuses_what_does_not_fit(void **state)
{
	struct virtio_net_hdr vnet = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
				      .gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
				      .gso_size = 10,
				      .csum_start = 34,
				      .csum_offset = 16};
	static uint8_t big[65600];
	uint8_t frame[256], payload[20] = {1, 2, 3};
	struct virtio_net_hdr bad;
	struct frame_segmenter seg;
	struct layout at;
	const size_t len = build(&tcp4, payload, 20, frame, &at);

#define INIT(vnet) frame_segment_init(&seg, frame, len, &(vnet))
	assert_int_equal(INIT(vnet), 2);
	bad = vnet;
	bad.gso_size = 0;
	assert_int_equal(INIT(bad), -EINVAL);
	bad = vnet;
	bad.gso_type = VIRTIO_NET_HDR_GSO_NONE;
	assert_int_equal(INIT(bad), -EINVAL);
	bad.gso_type = VIRTIO_NET_HDR_GSO_UDP;
	assert_int_equal(INIT(bad), -EINVAL);
	bad.gso_type = VIRTIO_NET_HDR_GSO_TCPV6;
	assert_int_equal(INIT(bad), -EPROTO);
	bad = vnet;
	bad.csum_start++;
	assert_int_equal(INIT(bad), -EINVAL);
	bad = vnet;
	bad.csum_offset = 6;
	assert_int_equal(INIT(bad), -EINVAL);
	assert_int_equal(frame_segment_init(&seg, frame, 53, &vnet), -EPROTO);
	assert_int_equal(frame_segment_init(&seg, frame, 13, &vnet), -EPROTO);
	put16(frame + 20, 0x2000);
	assert_int_equal(INIT(vnet), -EPROTO);
	put16(frame + 20, 0);
	frame[at.l4 + 12] = 0xf0;
	assert_int_equal(INIT(vnet), -EPROTO);
	build(&udp4, payload, 20, frame, &at);
	assert_int_equal(INIT(vnet), -EPROTO);
	build(&tcp4, payload, 20, big, &at);
	assert_int_equal(frame_segment_init(&seg, big, 14 + 65535, &vnet), 6550);
	assert_int_equal(frame_segment_init(&seg, big, 14 + 65536, &vnet), -EINVAL);
#undef INIT
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(segments_equal_the_reference),
		cmocka_unit_test(segments_of_odd_kinds),
		cmocka_unit_test(segmentation_refuses_what_does_not_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
