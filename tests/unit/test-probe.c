/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-probe.c - who is asked when, what the frames say byte for byte, and who is dead in the end.
 */
#include "netback-team/probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "common/util.h"

#define MS NSEC_PER_MSEC

static const uint8_t id[8] = {1, 2, 3, 4, 5, 6, 7, 8}, other_id[8] = {9};
static const uint8_t macs[3][6] = {{2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2}, {2, 0, 0, 0, 0, 3}};
static const uint8_t router[6] = {2, 0xaa, 0xbb, 0xcc, 0xdd, 0xee};
static const uint8_t everybody[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

static struct probe probe;
static uint8_t frame[PROBE_FRAME_MAX];
static size_t len;

static struct probe_options arp_of(unsigned int n_targets)
{
	struct probe_options options;

	memset(&options, 0, sizeof(options));
	options.mode = PROBE_ARP;
	options.n_targets = n_targets;
	options.interval_ns = 50 * MS;
	options.missed = 3;
	for (unsigned int i = 0; i < n_targets; i++)
		memcpy(options.targets[i], (uint8_t[]){10, 0, 0, (uint8_t)(i + 1)}, 4);
	return options;
}

static void begin(const struct probe_options *options, unsigned int n_members)
{
	probe_init(&probe, id);
	probe_set(&probe, options, 0);
	for (unsigned int i = 0; i < n_members; i++)
		probe_member(&probe, (int)i, macs[i], 0);
}

static int next(uint64_t ms)
{
	return probe_next(&probe, ms * MS, frame, &len);
}

/* -1: no news; 10: member 1 died; 11: it is back. */
static int verdict(void)
{
	bool alive;
	const int member = probe_verdict(&probe, &alive);

	return member < 0 ? -1 : member * 10 + alive;
}

/* The router's answer to the ARP request in `frame`. */
static void answer_arp(uint8_t out[60], const uint8_t target[4])
{
	memset(out, 0, 60);
	memcpy(out, frame + 6, 6);
	memcpy(out + 6, router, 6);
	memcpy(out + 12, (uint8_t[]){8, 6, 0, 1, 8, 0, 6, 4, 0, 2}, 10);
	memcpy(out + 22, router, 6);
	memcpy(out + 28, target, 4);
	memcpy(out + 32, frame + 6, 6);
}

static bool answered(int member, unsigned int target, uint64_t ms)
{
	uint8_t answer[60];

	answer_arp(answer, probe.options.targets[target]);
	return probe_receive(&probe, member, answer, sizeof(answer), ms * MS);
}

static void an_arp_probe_is_that_of_the_rfcs(void **state)
{
	struct probe_options options = arp_of(1);
	static const uint8_t expect[42] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 8, 6, 0, 1, 8, 0,	 6, 4, 0,
		1,    2,    0,	  0,	0,    0,    1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 1};

	begin(&options, 1);
	assert_int_equal(next(0), 0);
	assert_int_equal(len, 60);
	assert_memory_equal(frame, expect, sizeof(expect));
	assert_true(answered(0, 0, 1));
	assert_int_equal(next(1), -1);
	assert_int_equal(probe_deadline(&probe), 50 * MS);
	assert_int_equal(next(50), 0); /* straight to where the answer came from */
	assert_memory_equal(frame, router, 6);
	memcpy(options.source, (uint8_t[]){10, 0, 0, 99}, 4);
	probe_set(&probe, &options, 60 * MS);
	assert_int_equal(next(60), 0);
	assert_memory_equal(frame, everybody, 6);
	assert_memory_equal(frame + 28, options.source, 4);
	assert_int_equal(next(110), 0); /* no answer: it may have moved */
	assert_memory_equal(frame, everybody, 6);
}

static void three_missed_are_dead_three_answered_are_back(void **state)
{
	const struct probe_options options = arp_of(1);
	uint64_t ms = 0;

	begin(&options, 2);
	for (; ms < 500; ms += 50) {
		assert_int_equal(next(ms), 0);
		assert_true(answered(0, 0, ms));
		assert_int_equal(next(ms), 1);
		assert_true(answered(1, 0, ms));
		assert_int_equal(next(ms), -1);
		assert_int_equal(verdict(), -1);
	}
	for (unsigned int i = 0; i < 4; i++, ms += 50) { /* member 1 falls silent at 450 ms */
		assert_int_equal(next(ms), 0);
		assert_true(answered(0, 0, ms));
		assert_int_equal(next(ms), 1);
		assert_int_equal(verdict(), i < 3 ? -1 : 10);
	}
	assert_int_equal(ms, 700); /* dead at 650: 200 ms after the last answer */
	for (unsigned int i = 0; i < 4; i++, ms += 50) {
		assert_int_equal(next(ms), 0);
		assert_true(answered(0, 0, ms));
		assert_int_equal(next(ms), 1);
		assert_int_equal(verdict(), i < 3 ? -1 : 11);
		assert_true(answered(1, 0, ms));
	}
	assert_int_equal(verdict(), -1);
}

static void a_late_loop_misses_once(void **state)
{
	const struct probe_options options = arp_of(1);

	begin(&options, 1);
	assert_int_equal(next(0), 0);
	assert_true(answered(0, 0, 0));
	assert_int_equal(next(50), 0);
	assert_int_equal(next(60000), 0); /* stopped for a minute, the answer still waits */
	assert_int_equal(next(60000), -1);
	assert_int_equal(probe.members[0].targets[0].missed, 1);
	assert_true(answered(0, 0, 60000));
	assert_int_equal(next(60050), 0);
	assert_int_equal(probe.members[0].targets[0].missed, 0);
	assert_int_equal(verdict(), -1);
}

static void any_target_or_all(void **state)
{
	struct probe_options options = arp_of(3);

	for (int all = 0; all < 2; all++) {
		options.all = all;
		begin(&options, 1);
		for (uint64_t ms = 0; ms <= 200; ms += 50) {
			for (unsigned int t = 0; t < 3; t++) {
				assert_int_equal(next(ms), 0);
				assert_int_equal(frame[41], t + 1);
				if (t == 1)
					assert_true(answered(0, t, ms));
			}
			assert_int_equal(next(ms), -1);
		}
		assert_int_equal(verdict(), all ? 0 : -1);
	}
}

static void a_link_that_goes_keeps_its_verdict(void **state)
{
	const struct probe_options options = arp_of(1), off = {.interval_ns = 1, .missed = 1};

	begin(&options, 1);
	for (uint64_t ms = 0; ms <= 150; ms += 50)
		assert_int_equal(next(ms), 0);
	assert_int_equal(verdict(), 0);
	probe_member(&probe, 0, NULL, 160 * MS);
	assert_int_equal(probe_deadline(&probe), DEADLINE_NEVER);
	assert_int_equal(next(500), -1);
	probe_member(&probe, 0, macs[0], 1000 * MS);
	assert_int_equal(next(1000), 0);
	assert_int_equal(verdict(), -1);
	probe_set(&probe, &off, 1010 * MS); /* nobody asks: nobody is dead */
	assert_int_equal(verdict(), 1);
	assert_false(probe.on);
	probe_set(&probe, &options, 1020 * MS);
	for (uint64_t ms = 1020; ms <= 1170; ms += 50)
		assert_int_equal(next(ms), 0);
	probe_forget(&probe, 0); /* another NIC now */
	assert_int_equal(verdict(), -1);
}

static void frames_of_others_pass(void **state)
{
	const struct probe_options options = arp_of(1);
	uint8_t answer[60];

	begin(&options, 2);
	assert_int_equal(next(0), 0);
	assert_true(probe_receive(&probe, 1, frame, len, 0)); /* our own, flooded to the other */
	memcpy(frame + 6, router, 6);
	assert_false(probe_receive(&probe, 1, frame, len, 0)); /* somebody else's request */
	memcpy(frame + 6, macs[0], 6);
	answer_arp(answer, (uint8_t[]){10, 0, 0, 2}); /* another host */
	assert_false(probe_receive(&probe, 0, answer, sizeof(answer), 0));
	answer_arp(answer, options.targets[0]);
	assert_false(probe_receive(&probe, 1, answer, sizeof(answer), 0)); /* flooded */
	for (size_t n = 0; n < 42; n++)
		assert_false(probe_receive(&probe, 0, answer, n, 0));
	answer[19] = 5; /* not an IPv4 length */
	assert_false(probe_receive(&probe, 0, answer, sizeof(answer), 0));
	assert_int_equal(probe.members[0].n_answers, 0);
}

/* RFC 1071, the plain way, over message and pseudo-header. */
static uint16_t sum_of(const uint8_t *f, size_t bytes)
{
	uint32_t sum = 58 + (uint32_t)bytes;

	for (size_t i = 22; i < 54; i += 2)
		sum += (uint32_t)f[i] << 8 | f[i + 1];
	for (size_t i = 0; i < bytes; i += 2)
		sum += (uint32_t)f[54 + i] << 8 | f[55 + i];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static void neighbours_are_solicited(void **state)
{
	static const uint8_t target[16] = {0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4};
	struct probe_options options = arp_of(1);
	uint8_t na[86];
	uint16_t sum;

	options.mode = PROBE_NS;
	memcpy(options.targets[0], target, 16);
	begin(&options, 1);
	assert_int_equal(next(0), 0);
	assert_int_equal(len, 86);
	assert_memory_equal(frame, ((uint8_t[]){0x33, 0x33, 0xff, 2, 3, 4}), 6);
	assert_memory_equal(
		frame + 22,
		((uint8_t[]){0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe, 0, 0, 1}), 16);
	assert_memory_equal(frame + 38,
			    ((uint8_t[]){0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 2, 3, 4}),
			    16);
	assert_int_equal(sum_of(frame, 32), 0xffff);
	/* the advertisement */
	memcpy(na, frame, sizeof(na));
	memcpy(na, macs[0], 6);
	memcpy(na + 6, router, 6);
	memcpy(na + 22, target, 16);
	memcpy(na + 38, frame + 22, 16);
	na[54] = 136;
	na[58] = 0x60;
	na[56] = na[57] = 0;
	sum = (uint16_t)~sum_of(na, 32);
	na[56] = (uint8_t)(sum >> 8);
	na[57] = (uint8_t)sum;
	for (size_t n = 0; n < sizeof(na); n++)
		assert_false(probe_receive(&probe, 0, na, n, 0));
	na[21] = 254; /* it came through a router */
	assert_false(probe_receive(&probe, 0, na, sizeof(na), 0));
	na[21] = 255;
	na[57] ^= 1;
	assert_false(probe_receive(&probe, 0, na, sizeof(na), 0));
	na[57] ^= 1;
	assert_true(probe_receive(&probe, 0, na, sizeof(na), 0));
	assert_int_equal(next(50), 0);
	assert_memory_equal(frame, router, 6);
	assert_memory_equal(frame + 38, target, 16);
	assert_int_equal(sum_of(frame, 32), 0xffff);
	assert_true(probe_receive(&probe, 0, frame, len, 0)); /* reflected */
}

/* One interval of beacons; bit 3 * i + j of reach: member j hears member i. */
static void beacons(unsigned int n, unsigned int reach, uint64_t ms)
{
	for (unsigned int i = 0; i < n; i++) {
		assert_int_equal(next(ms), (int)i);
		for (unsigned int j = 0; j < n; j++)
			if (reach >> (3 * i + j) & 1)
				assert_true(probe_receive(&probe, (int)j, frame, len, ms * MS));
	}
	assert_int_equal(next(ms), -1);
}

static void beacons_find_who_is_cut_off(void **state)
{
	struct probe_options options = arp_of(0);
	uint64_t ms = 0;

	options.mode = PROBE_BEACON;
	begin(&options, 3);
	for (; ms < 500; ms += 50)
		beacons(3, 0777, ms); /* also to themselves, by a loop */
	assert_int_equal(verdict(), -1);
	for (unsigned int i = 0; i < 4; i++, ms += 50)
		beacons(3, 0650, ms); /* 0 hears nobody; nobody hears it */
	assert_int_equal(verdict(), 0);
	assert_int_equal(verdict(), -1);
	for (unsigned int i = 0; i < 4; i++, ms += 50)
		beacons(3, 0770, ms); /* 0 hears again, but is not heard */
	assert_int_equal(verdict(), -1);
	for (unsigned int i = 0; i < 4; i++, ms += 50)
		beacons(3, 0776, ms);
	assert_int_equal(verdict(), 1);
	for (unsigned int i = 0; i < 5; i++, ms += 50)
		beacons(3, 0, ms);	 /* nobody hears anybody */
	assert_int_equal(verdict(), -1); /* which says nothing of one of them */
}

static void a_target_that_is_gone_says_nothing(void **state)
{
	const struct probe_options options = arp_of(1);
	uint64_t ms = 0;

	begin(&options, 2);
	for (; ms < 200; ms += 50)
		for (int i = 0; i < 2; i++) {
			assert_int_equal(next(ms), i);
			assert_true(answered(i, 0, ms));
		}
	for (; ms < 1000; ms += 50) /* gone */
		for (int i = 0; i < 2; i++) {
			assert_int_equal(next(ms), i);
			assert_int_equal(verdict(), -1);
		}
	assert_true(probe.members[0].dead && probe.members[1].dead);
	for (; ms < 1150; ms += 50) { /* back, for member 1 alone */
		assert_int_equal(next(ms), 0);
		assert_int_equal(next(ms), 1);
		assert_true(answered(1, 0, ms));
		assert_int_equal(verdict(), -1);
	}
	assert_int_equal(next(ms), 0);
	assert_int_equal(next(ms), 1);
	assert_int_equal(verdict(), 0);
	ms += 50;
	assert_int_equal(next(ms), 0); /* one answer is missing: no doubt yet */
	assert_int_equal(next(ms), 1);
	assert_int_equal(verdict(), -1);
	for (unsigned int i = 0; i < 2; i++) {
		ms += 50;
		assert_int_equal(next(ms), 0);
		assert_int_equal(next(ms), 1);
	}
	assert_int_equal(verdict(), 1);
	assert_int_equal(verdict(), -1);
}

static void two_members_need_another_host(void **state)
{
	struct probe_options options = arp_of(0);
	uint64_t ms = 0;
	uint8_t peer[60];

	options.mode = PROBE_BEACON;
	begin(&options, 2);
	for (; ms < 500; ms += 50)
		beacons(2, 0, ms);
	assert_int_equal(verdict(), -1);
	memcpy(peer, frame, sizeof(peer));
	memcpy(peer + 24, other_id, sizeof(other_id));
	memcpy(peer + 6, router, 6);
	for (unsigned int i = 0; i < 4; i++, ms += 50) {
		beacons(2, 0, ms);
		assert_true(probe_receive(&probe, 1, peer, sizeof(peer), ms * MS));
	}
	assert_int_equal(verdict(), 0); /* 1 hears the other host, 0 does not */
	assert_int_equal(verdict(), -1);
	for (size_t n = 0; n < 32; n++)
		assert_false(probe_receive(&probe, 1, peer, n, ms * MS));
	for (ms = 20000; ms < 20300; ms += 50) /* the other host has gone */
		beacons(2, 0, ms);
	assert_int_equal(verdict(), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_arp_probe_is_that_of_the_rfcs),
		cmocka_unit_test(three_missed_are_dead_three_answered_are_back),
		cmocka_unit_test(a_late_loop_misses_once),
		cmocka_unit_test(any_target_or_all),
		cmocka_unit_test(a_link_that_goes_keeps_its_verdict),
		cmocka_unit_test(frames_of_others_pass),
		cmocka_unit_test(neighbours_are_solicited),
		cmocka_unit_test(beacons_find_who_is_cut_off),
		cmocka_unit_test(a_target_that_is_gone_says_nothing),
		cmocka_unit_test(two_members_need_another_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
