/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-flow.c - keys of frames of every kind, whole, cut short and lying; hashes over each set of
 * fields: what they see, how well they mix and spread. */
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
#include "netback-team/flow.h"

static struct flow_key key_of_head(const uint8_t *frame, size_t head_len, size_t total)
{
	AUTO_FREE uint8_t *head = exact(frame, head_len);
	struct frame_info info;
	struct flow_key key;

	assert_true(frame_parse(head, head_len, total, &info));
	flow_key_init(&key, head, head_len, total, &info);
	return key;
}

static struct flow_key key_of(const uint8_t *frame, size_t len)
{
	return key_of_head(frame, len, len);
}

static void key_holds_what_tells_flows_apart(void **state)
{
	static const struct spec *const specs[] = {&tcp4, &tcp6, &udp4, &udp6};
	uint8_t frame[512], payload[20] = {1};

	for (unsigned int i = 0; i < 2000; i++) {
		struct spec s = i < 4 ? *specs[i] : random_spec(rnd(2) ? IPPROTO_TCP : IPPROTO_UDP);
		struct layout at;
		const size_t len = build(&s, payload, sizeof(payload), frame, &at);
		const struct flow_key key = key_of(frame, len);
		const size_t addr = at.l3 + (s.version == 4 ? 12 : 8), n = s.version == 4 ? 4 : 16;

		assert_int_equal(key.ip_version, s.version);
		assert_int_equal(key.proto, s.proto);
		assert_true(key.has_ports);
		assert_false(key.malformed);
		assert_memory_equal(&key.ports, frame + at.l4, 4);
		assert_memory_equal(key.src, frame + addr, n);
		assert_memory_equal(key.dst, frame + addr + n, n);
		assert_memory_equal(&key.dst_mac, frame, 6);
		assert_memory_equal(&key.src_mac, frame + 6, 6);
		assert_int_equal(key.src_mac >> 48 | key.dst_mac >> 48, 0);
		assert_int_equal(key.vlan, s.n_vlans ? get16(frame + 14) & 0xfff : 0);
		if (s.proto == IPPROTO_TCP)
			assert_int_equal(key.tcp_flags, frame[at.l4 + 13]);
	}
}

static void sctp_has_ports(void **state)
{
	uint8_t frame[256], payload[20] = {1};
	struct layout at;
	const size_t len = build(&udp4, payload, sizeof(payload), frame, &at);
	struct flow_key key;

	frame[23] = IPPROTO_SCTP;
	assert_true(key_of(frame, len).has_ports);
	key = key_of(frame, len);
	assert_memory_equal(&key.ports, frame + at.l4, 4);
	assert_false(key_of_head(frame, at.l4 + 11, len).has_ports);
	frame[23] = IPPROTO_ICMP;
	assert_false(key_of(frame, len).has_ports);
	assert_int_equal(key_of(frame, len).proto, IPPROTO_ICMP);
}

/* The word of the length in the IP header is judged against the frame. */
static void lying_lengths_are_no_ip(void **state)
{
	uint8_t frame[256], payload[40] = {1};
	struct layout at;
	size_t len = build(&tcp4, payload, sizeof(payload), frame, &at);

	assert_false(key_of(frame, len).malformed);
	put16(frame + 16, (uint32_t)(len - 14 + 1)); /* longer than the frame */
	assert_true(key_of(frame, len).malformed);
	assert_int_equal(key_of(frame, len).ip_version, 0);
	assert_false(key_of(frame, len).has_ports);
	put16(frame + 16, 19); /* shorter than its own header */
	assert_true(key_of(frame, len).malformed);
	put16(frame + 16, 30); /* ends within TCP's header: what follows is padding */
	assert_false(key_of(frame, len).malformed);
	assert_false(key_of(frame, len).has_ports);
	put16(frame + 16, 0); /* as a large GSO frame has it */
	assert_true(key_of(frame, len).has_ports);
	frame[14] = 0x44; /* a header of 16 bytes */
	assert_true(key_of(frame, len).malformed);
	frame[14] = 0x65; /* version 6 in an IPv4 frame */
	assert_true(key_of(frame, len).malformed);

	len = build(&tcp6, payload, sizeof(payload), frame, &at);
	put16(frame + 18, (uint32_t)(len - 54 + 1));
	assert_true(key_of(frame, len).malformed);
	put16(frame + 18, (uint32_t)(len - 54));
	assert_true(key_of(frame, len).has_ports);
	put16(frame + 18, 0); /* jumbogram */
	assert_true(key_of(frame, len).has_ports);
}

static void cut_short_is_survived_at_every_byte(void **state)
{
	const struct spec s = {.version = 6,
			       .n_vlans = 2,
			       .ip_options = 16,
			       .routing = true,
			       .proto = IPPROTO_TCP,
			       .tcp_options = 40};
	uint8_t frame[512];
	struct layout at;
	const size_t len = build(&s, NULL, 0, frame, &at);

	for (size_t n = 14; n <= len; n++) {
		struct flow_key key = key_of_head(frame, n, len);

		assert_int_equal(key.has_ports, n == len);
		if (n >= 22)
			assert_int_equal(key.malformed, n < at.l3 + 40);
		key = key_of_head(frame, n, n); /* the length lies now */
		assert_int_equal(key.malformed, n >= 22 && n < len);
	}
}

static void arp_and_others_are_no_ip(void **state)
{
	uint8_t frame[60] = {0};
	struct flow_key key;

	put16(frame + 12, 0x0806);
	key = key_of(frame, sizeof(frame));
	assert_int_equal(key.ip_version, 0);
	assert_false(key.malformed);
	key = key_of(frame, 14);
	assert_false(key.malformed);
}

static uint64_t hash_of(const uint8_t *frame, size_t len, uint32_t hash_seed)
{
	const struct flow_key key = key_of(frame, len);

	return flow_hash(&key, FLOW_L34, hash_seed);
}

static void hash_depends_on_the_flow_only(void **state)
{
	static const struct spec *const specs[] = {&tcp4, &tcp6, &udp4, &udp6};
	uint8_t a[256], b[256], payload[50] = {1};
	struct layout at;

	for (size_t i = 0; i < ARRAY_SIZE(specs); i++) {
		struct spec other = *specs[i];
		size_t len = build(specs[i], payload, 50, a, &at), other_len;

		other.seq += 1448;
		other.flags = ACK | PSH;
		other.ip_id = 77;
		other.n_vlans = 1;
		other.tcp_options = other.proto == IPPROTO_TCP ? 12 : 0;
		other_len = build(&other, payload, 7, b, &at);
		assert_int_equal(hash_of(a, len, 5), hash_of(b, other_len, 5));
		assert_int_not_equal(hash_of(a, len, 5), hash_of(a, len, 6));
		b[at.l4 + 1] ^= 1; /* source port */
		assert_int_not_equal(hash_of(a, len, 5), hash_of(b, other_len, 5));
		b[at.l4 + 1] ^= 1;
		b[at.l4 - 1] ^= 1; /* last byte of the addresses */
		assert_int_not_equal(hash_of(a, len, 5), hash_of(b, other_len, 5));
	}
}

static void hash_keeps_fragments_together(void **state)
{
	uint8_t first[256], rest[256], payload[50] = {1};
	struct layout at;
	size_t len = build(&udp4, payload, 50, first, &at);

	memcpy(rest, first, len);
	put16(first + 20, 0x2000);
	put16(rest + 20, 0x0010);
	memset(rest + 34, 0xee, len - 34);
	assert_int_equal(hash_of(first, len, 5), hash_of(rest, len, 5));
	/* no IP at all: by the Ethernet addresses */
	put16(first + 12, 0x0806);
	memcpy(rest, first, len);
	rest[40] ^= 1;
	assert_int_equal(hash_of(first, len, 5), hash_of(rest, len, 5));
	rest[11] ^= 1;
	assert_int_not_equal(hash_of(first, len, 5), hash_of(rest, len, 5));
}

static void hash_spreads_neighbours(void **state)
{
	unsigned int count[16] = {0};
	uint8_t frame[256];
	struct layout at;
	const size_t len = build(&tcp4, NULL, 0, frame, &at);

	for (unsigned int i = 0; i < 16000; i++) {
		put16(frame + at.l4, 32768 + i);
		count[hash_of(frame, len, 0) % 16]++;
	}
	/* 1000 each; the deviation of a fair choice is 31, so this is seven of them */
	for (unsigned int i = 0; i < 16; i++)
		assert_in_range(count[i], 780, 1220);
}

/* Which parts of a flow each set of fields sees. */
static void each_set_sees_its_fields(void **state)
{
	enum { SRC_MAC = 1, DST_MAC = 2, VLAN = 4, SRC = 8, DST = 16, PORTS = 32, PROTO = 64 };
	static const int sees[FLOW_FIELDS_COUNT] = {
		[FLOW_L2] = SRC_MAC | DST_MAC | VLAN,
		[FLOW_L3] = SRC_MAC | DST_MAC | VLAN | SRC | DST,
		[FLOW_L34] = SRC | DST | PORTS | PROTO,
		[FLOW_SRC] = SRC,
		[FLOW_DST] = DST,
		[FLOW_SRCDST] = SRC | DST,
		[FLOW_VLAN_SRCMAC] = SRC_MAC | VLAN,
	};

	for (int fields = 0; fields < FLOW_FIELDS_COUNT; fields++) {
		for (uint8_t version = 4; version <= 6; version += 2) {
			struct flow_key a = {.ip_version = version, .src = {5, 6}, .dst = {7, 8}};
			const uint64_t h = flow_hash(&a, (enum flow_fields)fields, 3);

			for (int part = 1; part <= PROTO; part <<= 1) {
				struct flow_key b = a;

				b.src_mac ^= part == SRC_MAC;
				b.dst_mac ^= part == DST_MAC;
				b.vlan ^= part == VLAN;
				b.src[version == 6] ^= part == SRC;
				b.dst[version == 6] ^= part == DST;
				b.ports ^= part == PORTS;
				b.proto ^= part == PROTO;
				assert_int_equal(flow_hash(&b, (enum flow_fields)fields, 3) != h,
						 (sees[fields] & part) != 0);
			}
			assert_int_not_equal(flow_hash(&a, (enum flow_fields)fields, 4), h);
		}
	}
}

static void without_ip_addresses_of_ethernet_count(void **state)
{
	for (int fields = 0; fields < FLOW_FIELDS_COUNT; fields++) {
		struct flow_key a = {.src_mac = 2, .dst_mac = 4}, b = a, c = a;

		b.src_mac = 6;
		c.dst_mac = 6;
		assert_int_equal(flow_hash(&a, (enum flow_fields)fields, 0) ==
					 flow_hash(&b, (enum flow_fields)fields, 0),
				 fields == FLOW_DST);
		assert_int_equal(flow_hash(&a, (enum flow_fields)fields, 0) ==
					 flow_hash(&c, (enum flow_fields)fields, 0),
				 fields == FLOW_SRC || fields == FLOW_VLAN_SRCMAC);
	}
}

static void srcdst_is_the_same_both_ways(void **state)
{
	struct flow_key a = {.ip_version = 6, .src = {1, 2}, .dst = {3, 4}};
	struct flow_key b = {.ip_version = 6, .src = {3, 4}, .dst = {1, 2}};

	assert_int_equal(flow_hash(&a, FLOW_SRCDST, 9), flow_hash(&b, FLOW_SRCDST, 9));
	assert_int_not_equal(flow_hash(&a, FLOW_L3, 9), flow_hash(&b, FLOW_L3, 9));
}

static void mac_hash_is_that_of_its_frames(void **state)
{
	uint8_t frame[60] = {0, 1, 2, 3, 4, 5, 0, 0x16, 0x3e, 7, 8, 9, 8, 6};
	struct flow_key key = key_of(frame, sizeof(frame));

	assert_int_equal(flow_hash_mac(frame + 6, 0, 11), flow_hash(&key, FLOW_VLAN_SRCMAC, 11));
	memcpy(frame + 12, (uint8_t[4]){0x81, 0, 0xb1, 0x23}, 4);
	key = key_of(frame, sizeof(frame));
	assert_int_equal(flow_hash_mac(frame + 6, 0x123, 11),
			 flow_hash(&key, FLOW_VLAN_SRCMAC, 11));
}

/* One bit of the key flips each bit of the hash in half of the cases. */
static void every_bit_counts(void **state)
{
	const size_t bits[] = {0,
			       31,
			       offsetof(struct flow_key, dst) * 8 + 13,
			       offsetof(struct flow_key, ports) * 8,
			       offsetof(struct flow_key, ports) * 8 + 31,
			       offsetof(struct flow_key, proto) * 8 + 2};
	const unsigned int n = 4000;

	for (size_t which = 0; which < ARRAY_SIZE(bits); which++) {
		unsigned int flipped[64] = {0};

		for (unsigned int i = 0; i < n; i++) {
			struct flow_key a = {.ip_version = 4, .proto = 6}, b;
			uint64_t diff;

			a.src[0] = rnd(UINT32_MAX);
			a.dst[0] = rnd(UINT32_MAX);
			a.ports = rnd(UINT32_MAX);
			b = a;
			((uint8_t *)&b)[bits[which] / 8] ^= (uint8_t)(1 << bits[which] % 8);
			diff = flow_hash(&a, FLOW_L34, 1) ^ flow_hash(&b, FLOW_L34, 1);
			for (unsigned int bit = 0; bit < 64; bit++)
				flipped[bit] += diff >> bit & 1;
		}
		for (unsigned int bit = 0; bit < 64; bit++) /* six deviations of 31.6 */
			assert_in_range(flipped[bit], n / 2 - 190, n / 2 + 190);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(key_holds_what_tells_flows_apart),
		cmocka_unit_test(sctp_has_ports),
		cmocka_unit_test(lying_lengths_are_no_ip),
		cmocka_unit_test(cut_short_is_survived_at_every_byte),
		cmocka_unit_test(arp_and_others_are_no_ip),
		cmocka_unit_test(hash_depends_on_the_flow_only),
		cmocka_unit_test(hash_keeps_fragments_together),
		cmocka_unit_test(hash_spreads_neighbours),
		cmocka_unit_test(each_set_sees_its_fields),
		cmocka_unit_test(without_ip_addresses_of_ethernet_count),
		cmocka_unit_test(srcdst_is_the_same_both_ways),
		cmocka_unit_test(mac_hash_is_that_of_its_frames),
		cmocka_unit_test(every_bit_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
