/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-frame.c - what a frame says: headers of every kind, whole, cut short and lying; RARP.
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

static void parses_what_was_built(void **state)
{
	uint8_t frame[2048], payload[300] = {7};
	struct frame_info info;
	struct layout at;

	for (unsigned int i = 0; i < 2000; i++) {
		struct spec s = random_spec(rnd(2) ? IPPROTO_TCP : IPPROTO_UDP);
		const size_t len = build(&s, payload, rnd(300), frame, &at);

		parse_exact(frame, len, &info);
		assert_int_equal(info.ethertype, s.version == 4 ? 0x0800 : 0x86dd);
		assert_int_equal(info.has_vlan, s.n_vlans > 0);
		assert_int_equal(info.vlan_tci, s.n_vlans ? 0x2064 : 0);
		assert_int_equal(info.ip_version, s.version);
		assert_int_equal(info.l4_proto, s.proto);
		assert_false(info.fragment);
		assert_int_equal(info.l3_off, at.l3);
		assert_int_equal(info.l4_off, at.l4);
		assert_int_equal(info.l4_len, at.payload - at.l4);
		assert_int_equal(info.payload_off, at.payload);
		assert_true(frame_csum_ok(frame, len));
	}
}

static void short_heads_never_read_past_the_end(void **state)
{
	const struct spec s = {.version = 6,
			       .n_vlans = 2,
			       .ip_options = 16,
			       .routing = true,
			       .proto = IPPROTO_TCP,
			       .tcp_options = 40};
	uint8_t frame[512];
	struct frame_info info;
	struct layout at;
	const size_t len = build(&s, NULL, 0, frame, &at);

	for (size_t n = 0; n <= len; n++) {
		AUTO_FREE uint8_t *head = exact(frame, n);

		assert_int_equal(frame_parse(head, n, len, &info), n >= 14);
		assert_true(info.payload_off <= n);
		assert_int_equal(info.l4_len, n == len ? 60 : 0);
		assert_int_equal(info.l4_proto, n >= at.l4 ? IPPROTO_TCP : 0);
	}
	/* total counts, too: a head may lie in a larger buffer */
	assert_true(frame_parse(frame, len, 20, &info));
	assert_int_equal(info.l3_off, 18);
	assert_false(frame_parse(frame, len, 13, &info));
}

static void other_protocols_have_no_header_length(void **state)
{
	uint8_t frame[128];
	struct frame_info info;
	struct layout at;
	size_t len = build(&tcp4, NULL, 0, frame, &at);

	frame[23] = IPPROTO_ICMP;
	parse_exact(frame, len, &info);
	assert_int_equal(info.l4_proto, IPPROTO_ICMP);
	assert_int_equal(info.l4_off, 34);
	assert_int_equal(info.l4_len, 0);
	assert_int_equal(info.payload_off, 34);
	put16(frame + 12, 0x0806);
	parse_exact(frame, len, &info);
	assert_int_equal(info.ethertype, 0x0806);
	assert_int_equal(info.ip_version, 0);
	assert_int_equal(info.l4_proto, 0);
	assert_int_equal(info.l3_off, 14);
	len = build(&tcp6, NULL, 0, frame, &at);
	frame[20] = IPPROTO_NONE;
	parse_exact(frame, len, &info);
	assert_int_equal(info.l4_proto, IPPROTO_NONE);
	assert_int_equal(info.l4_len, 0);
}

static void three_tags_are_not_looked_through(void **state)
{
	const struct spec s = {.version = 4, .n_vlans = 3, .proto = IPPROTO_TCP};
	uint8_t frame[128];
	struct frame_info info;
	struct layout at;

	parse_exact(frame, build(&s, NULL, 0, frame, &at), &info);
	assert_int_equal(info.ethertype, 0x8100);
	assert_int_equal(info.ip_version, 0);
	assert_int_equal(info.l3_off, 22);
}

static void broken_ipv4_headers_are_no_ip(void **state)
{
	uint8_t frame[128];
	struct frame_info info;
	struct layout at;
	const size_t len = build(&tcp4, NULL, 0, frame, &at);

	for (unsigned int ihl = 0; ihl < 16; ihl++) {
		frame[14] = (uint8_t)(0x40 | ihl);
		parse_exact(frame, len, &info);
		/* 40 bytes of IP are there */
		assert_int_equal(info.ip_version, ihl >= 5 && ihl <= 10 ? 4 : 0);
		assert_int_equal(info.l4_len, ihl == 5 ? 20 : 0);
		if (info.ip_version == 0)
			assert_false(frame_csum_ok(frame, len));
	}
	frame[14] = 0x65; /* version 6 in an IPv4 frame */
	parse_exact(frame, len, &info);
	assert_int_equal(info.ip_version, 0);
	frame[14] = 0x45;
	parse_exact(frame, 33, &info);
	assert_int_equal(info.ip_version, 0);
	put16(frame + 12, 0x86dd);
	parse_exact(frame, len, &info);
	assert_int_equal(info.ip_version, 0);
	assert_false(frame_csum_ok(frame, len));
}

static void broken_tcp_offsets_are_no_header(void **state)
{
	uint8_t frame[128], payload[8] = {0};
	struct frame_info info;
	struct virtio_net_hdr vnet;
	struct layout at;
	const size_t len = build(&tcp4, payload, 8, frame, &at);

	for (unsigned int doff = 0; doff < 16; doff++) {
		frame[at.l4 + 12] = (uint8_t)(doff << 4);
		parse_exact(frame, len, &info);
		assert_int_equal(info.l4_proto, IPPROTO_TCP);
		assert_int_equal(info.l4_len, doff >= 5 && doff <= 7 ? doff * 4 : 0);
		assert_int_equal(frame_offload_setup(frame, len, len, &info, 0, 0, false, &vnet),
				 info.l4_len ? 0 : -EPROTO);
	}
	frame[at.l4 + 12] = 0x40;
	assert_false(frame_csum_ok(frame, len));
}

static void ipv4_fragments(void **state)
{
	static const struct {
		uint16_t field;
		bool fragment, first;
	} rows[] = {{0x4000, false, true},
		    {0x2000, true, true},
		    {0x2001, true, false},
		    {0x0001, true, false},
		    {0x1fff, true, false}};
	uint8_t frame[128];
	struct frame_info info;
	struct virtio_net_hdr vnet;
	struct layout at;
	const size_t len = build(&tcp4, NULL, 0, frame, &at);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		put16(frame + 20, rows[i].field);
		parse_exact(frame, len, &info);
		assert_int_equal(info.fragment, rows[i].fragment);
		assert_int_equal(info.l4_proto, rows[i].first ? IPPROTO_TCP : 0);
		assert_int_equal(info.payload_off, rows[i].first ? 54 : 34);
		assert_int_equal(frame_offload_setup(frame, len, len, &info, 0, 0, false, &vnet),
				 rows[i].fragment ? -EPROTO : 0);
	}
	/* what is in a fragment's payload is not ours to check, its header is */
	put16(frame + 24, 0);
	put16(frame + 24, 0xffffu & ~ref_sum(0, frame + 14, 20));
	frame[50]++;
	assert_true(frame_csum_ok(frame, len));
	frame[15]++;
	assert_false(frame_csum_ok(frame, len));
}

/* IPv6 header and a chain of extension headers of 8 bytes each, the last of type `last`. */
static size_t chain(uint8_t *frame, unsigned int n, uint8_t type, uint8_t last)
{
	memset(frame, 0, 54 + (size_t)n * 8);
	put16(frame + 12, 0x86dd);
	frame[14] = 0x60;
	put16(frame + 18, n * 8);
	frame[20] = n ? type : last;
	for (unsigned int i = 0; i < n; i++)
		frame[54 + i * 8] = i + 1 < n ? type : last;
	return 54 + (size_t)n * 8;
}

static void ipv6_extension_chains(void **state)
{
	uint8_t frame[4096];
	struct frame_info info;
	size_t len;

	for (unsigned int n = 0; n < 25; n++) {
		len = chain(frame, n, IPPROTO_DSTOPTS, IPPROTO_ICMPV6);
		parse_exact(frame, len, &info);
		assert_int_equal(info.l4_proto, IPPROTO_ICMPV6);
		assert_int_equal(info.l4_off, len);
		assert_true(frame_csum_ok(frame, len));
	}
	/* longer than any real one: the end is not looked for */
	len = chain(frame, 400, IPPROTO_HOPOPTS, IPPROTO_TCP);
	parse_exact(frame, len, &info);
	assert_int_equal(info.ip_version, 6);
	assert_int_equal(info.l4_proto, 0);
	assert_int_equal(info.payload_off, 54);
	assert_false(frame_csum_ok(frame, len));
	/* truncated in the middle, and one whose length leads beyond the frame */
	len = chain(frame, 3, IPPROTO_ROUTING, IPPROTO_TCP);
	parse_exact(frame, len - 1, &info);
	assert_int_equal(info.l4_proto, 0);
	frame[54 + 8 + 1] = 255;
	parse_exact(frame, len, &info);
	assert_int_equal(info.l4_proto, 0);
	/* the authentication header counts in words of four bytes */
	len = chain(frame, 3, 51, IPPROTO_NONE);
	frame[54 + 1] = 4;
	parse_exact(frame, len, &info);
	assert_int_equal(info.l4_proto, 51 == frame[54] ? 0 : frame[54]);
	frame[54] = IPPROTO_NONE;
	parse_exact(frame, len, &info);
	assert_int_equal(info.l4_off, 54 + 24);
}

static void ipv6_fragments(void **state)
{
	uint8_t frame[256];
	struct frame_info info;
	size_t len = chain(frame, 1, IPPROTO_FRAGMENT, IPPROTO_UDP) + 8;

	memset(frame + 62, 0, 8);
	parse_exact(frame, len, &info); /* a fragment header over a whole packet */
	assert_false(info.fragment);
	assert_int_equal(info.l4_len, 8);
	put16(frame + 56, 1); /* the first one */
	parse_exact(frame, len, &info);
	assert_true(info.fragment);
	assert_int_equal(info.l4_len, 8);
	put16(frame + 56, 8); /* the last one */
	parse_exact(frame, len, &info);
	assert_true(info.fragment);
	assert_int_equal(info.l4_proto, 0);
	assert_int_equal(info.payload_off, 62);
	assert_true(frame_csum_ok(frame, len));
}

static void link_local_addresses(void **state)
{
	uint8_t mac[6] = {0x01, 0x80, 0xc2, 0, 0, 0};

	for (unsigned int i = 0; i < 256; i++) {
		mac[5] = (uint8_t)i;
		assert_int_equal(frame_is_link_local(mac), i < 16);
	}
	mac[5] = 2;
	mac[0] = 0;
	assert_false(frame_is_link_local(mac));
	mac[0] = 1;
	mac[4] = 1;
	assert_false(frame_is_link_local(mac));
}

static void announcements_and_names(void **state)
{
	static const uint8_t mac[6] = {0x02, 0xab, 0x00, 0x0c, 0xde, 0xff};
	uint8_t frame[FRAME_ANNOUNCE_LEN];
	struct frame_info info;
	char name[18];

	frame_rarp(frame, mac);
	parse_exact(frame, sizeof(frame), &info);
	assert_int_equal(info.ethertype, 0x8035);
	assert_memory_equal(frame, "\xff\xff\xff\xff\xff\xff", 6);
	assert_memory_equal(frame_src(frame), mac, 6);
	assert_true(frame_is_multicast(frame_dst(frame)));
	assert_memory_equal(frame + 14, "\0\1\x08\0\6\4\0\3", 8);
	assert_memory_equal(frame + 22, mac, 6); /* sender, and who is asked for */
	assert_memory_equal(frame + 32, mac, 6);
	assert_true(frame_is_announcement(frame, sizeof(frame)));
	frame_arp(frame, mac, 0x0a000105);
	parse_exact(frame, sizeof(frame), &info);
	assert_int_equal(info.ethertype, 0x0806);
	assert_memory_equal(frame, "\xff\xff\xff\xff\xff\xff", 6);
	assert_memory_equal(frame_src(frame), mac, 6);
	assert_memory_equal(frame + 14, "\0\1\x08\0\6\4\0\1", 8);
	assert_memory_equal(frame + 22, mac, 6);
	assert_memory_equal(frame + 28, "\x0a\0\1\5\0\0\0\0\0\0\x0a\0\1\5", 14);
	assert_true(frame_is_announcement(frame, sizeof(frame)));
	frame_mac_format(name, mac);
	assert_string_equal(name, "02:ab:00:0c:de:ff");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_what_was_built),
		cmocka_unit_test(short_heads_never_read_past_the_end),
		cmocka_unit_test(other_protocols_have_no_header_length),
		cmocka_unit_test(three_tags_are_not_looked_through),
		cmocka_unit_test(broken_ipv4_headers_are_no_ip),
		cmocka_unit_test(broken_tcp_offsets_are_no_header),
		cmocka_unit_test(ipv4_fragments),
		cmocka_unit_test(ipv6_extension_chains),
		cmocka_unit_test(ipv6_fragments),
		cmocka_unit_test(link_local_addresses),
		cmocka_unit_test(announcements_and_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
