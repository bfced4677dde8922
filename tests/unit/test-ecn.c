/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-ecn.c - which frames are marked, and that the header's checksum stays right. */
#include "netback-team/ecn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "netback-team/csum.h"
#include "netback-team/frame.h"

static uint8_t frame[64], before[64];

/* A frame of len bytes with so many tags in front of IPv4 or IPv6; where the packet begins. */
static uint8_t *build(unsigned int tags, unsigned int version, unsigned int traffic_class)
{
	uint8_t *ip = frame + 14 + 4 * (size_t)tags;
	uint16_t sum;

	memset(frame, 0, sizeof(frame));
	for (unsigned int i = 0; i < tags; i++) {
		frame[12 + 4 * i] = i + 1 < tags ? 0x88 : 0x81;
		frame[13 + 4 * i] = i + 1 < tags ? 0xa8 : 0x00;
	}
	ip[-2] = version == 4 ? 0x08 : 0x86;
	ip[-1] = version == 4 ? 0x00 : 0xdd;
	if (version == 4) {
		ip[0] = 0x45;
		ip[1] = (uint8_t)traffic_class;
		ip[8] = 64;
		ip[12] = (uint8_t)(traffic_class * 37); /* all kinds of sums */
		sum = (uint16_t)~csum_fold(csum_add(0, ip, 20));
		memcpy(ip + 10, &sum, 2);
	} else {
		ip[0] = (uint8_t)(0x60 | traffic_class >> 4);
		ip[1] = (uint8_t)(traffic_class << 4 | 0xa);
	}
	memcpy(before, frame, sizeof(frame));
	return ip;
}

static void capable_packets_are_marked(void **state)
{
	for (unsigned int class = 0; class < 256; class ++) {
		const bool capable = (class & 3) == 1 || (class & 3) == 2;

		for (unsigned int tags = 0; tags < 3; tags++) {
			uint8_t *ip = build(tags, 4, class);

			assert_int_equal(ecn_mark(frame, sizeof(frame)), capable);
			assert_int_equal(ip[1], capable ? class | 3 : class);
			assert_int_equal(csum_fold(csum_add(0, ip, 20)), 0xffff);
			ip = build(tags, 6, class);
			assert_int_equal(ecn_mark(frame, sizeof(frame)), capable);
			assert_int_equal((ip[0] & 15) << 4 | ip[1] >> 4,
					 capable ? class | 3 : class);
			assert_int_equal(ip[1] & 15, 0xa);
		}
	}
}

static void others_stay_as_they_are(void **state)
{
	build(3, 4, 1); /* one tag too many */
	assert_false(ecn_mark(frame, sizeof(frame)));
	assert_memory_equal(frame, before, sizeof(frame));
	build(0, 4, 1)[0] = 0x65; /* not the version that its type says */
	assert_false(ecn_mark(frame, sizeof(frame)));
	build(0, 4, 1)[0] = 0x44; /* shorter than a header is */
	assert_false(ecn_mark(frame, sizeof(frame)));
	build(0, 6, 1)[0] = 0x40;
	assert_false(ecn_mark(frame, sizeof(frame)));
	build(0, 4, 1)[-1] = 0x06; /* ARP */
	assert_false(ecn_mark(frame, sizeof(frame)));
	for (unsigned int tags = 0; tags < 3; tags++) {
		build(tags, 4, 1);
		for (uint32_t len = 0; len < 34 + 4 * tags; len++)
			assert_false(ecn_mark(frame, len));
		assert_true(ecn_mark(frame, 34 + 4 * tags));
		build(tags, 6, 1);
		for (uint32_t len = 0; len < 54 + 4 * tags; len++)
			assert_false(ecn_mark(frame, len));
		assert_true(ecn_mark(frame, 54 + 4 * tags));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(capable_packets_are_marked),
		cmocka_unit_test(others_stay_as_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
