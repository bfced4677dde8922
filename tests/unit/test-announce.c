/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-announce.c - rounds, pace and forgetting of announcements. */
#include "netback-team/announce.h"

#include <netinet/in.h>
#include <string.h>

#include "common/util.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define MS NSEC_PER_MSEC

#define BURST 64u /* the default */

static struct announce announce;
static struct claims *claims; /* NULL: as with `announce` = rarp */
static uint8_t macs[ANNOUNCE_MACS_MAX + 1][6];

static void set(unsigned int count, uint64_t interval_ns)
{
	announce_set(&announce, &(struct announce_options){.kind = announce.options.kind,
							   .count = count,
							   .interval_ns = interval_ns,
							   .burst = BURST});
}

static int setup(void **state)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(macs); i++) {
		const uint8_t mac[6] = {0x00, 0x16, 0x3e, 0, (uint8_t)(i >> 8), (uint8_t)i};

		memcpy(macs[i], mac, 6);
	}
	memset(&announce, 0, sizeof(announce));
	set(1, 200 * MS);
	return 0;
}

static int setup_claims(void **state)
{
	claims = claims_create();
	return setup(state);
}

static int teardown(void **state)
{
	claims_destroy(claims);
	claims = NULL;
	return 0;
}

static void start(unsigned int n, uint64_t now_ns)
{
	announce_start(&announce, (const uint8_t(*)[6])macs, n, claims, now_ns);
}

static uint32_t ipv4_of(unsigned int index, unsigned int k)
{
	return 0x0a000000 + index * 8 + k;
}

/* Guest 0, or the network (-1), sends an ARP frame of macs[index], which has ipv4. */
static void claim(int guest, unsigned int index, uint32_t ipv4, uint64_t now_ns)
{
	uint8_t frame[FRAME_ANNOUNCE_LEN];

	frame_arp(frame, macs[index], ipv4);
	claims_learn(claims, guest, frame, sizeof(frame), now_ns);
}

/* The source address of the next frame, as its index in macs; -1 none is due. It is sent or not. */
static int next_is(uint64_t now_ns, bool sent)
{
	uint8_t frame[ANNOUNCE_FRAME_MAX], expect[FRAME_ANNOUNCE_LEN];
	const unsigned int len = announce_next(&announce, claims, now_ns, frame);
	int index;

	if (!len)
		return -1;
	assert_int_equal(len, FRAME_ANNOUNCE_LEN);
	index = frame[10] << 8 | frame[11];
	frame_rarp(expect, macs[index]);
	assert_memory_equal(frame, expect, len);
	announce_done(&announce, sent, now_ns);
	return index;
}

static int next(uint64_t now_ns)
{
	return next_is(now_ns, true);
}

/* As `next`, with the address of an ARP announcement in *ipv4, 0 = a RARP. */
static int next_item(uint64_t now_ns, uint32_t *ipv4)
{
	uint8_t frame[ANNOUNCE_FRAME_MAX], expect[FRAME_ANNOUNCE_LEN];
	uint32_t address;
	int index;

	if (!announce_next(&announce, claims, now_ns, frame))
		return -1;
	index = frame[10] << 8 | frame[11];
	memcpy(&address, frame + 28, 4);
	*ipv4 = ntohl(address);
	if (*ipv4)
		frame_arp(expect, macs[index], *ipv4);
	else
		frame_rarp(expect, macs[index]);
	assert_memory_equal(frame, expect, sizeof(expect));
	announce_done(&announce, true, now_ns);
	return index;
}

static void test_nothing_to_announce(void **state)
{
	assert_int_equal(announce_deadline(&announce), DEADLINE_NEVER);
	assert_int_equal(next(0), -1);
	assert_int_equal(next(UINT64_MAX), -1);
	start(0, 5);
	assert_int_equal(announce_deadline(&announce), DEADLINE_NEVER);
	set(0, MS);
	start(3, 5);
	assert_int_equal(announce_deadline(&announce), DEADLINE_NEVER);
	assert_int_equal(next(5), -1);
}

static void test_rounds(void **state)
{
	set(3, 200 * MS);
	start(2, 1000 * MS);
	for (unsigned int round = 0; round < 3; round++) {
		uint64_t due_ns = (1000 + 200 * round) * MS;

		assert_int_equal(announce_deadline(&announce), due_ns);
		assert_int_equal(next(due_ns - 1), -1);
		assert_int_equal(next(due_ns), 0);
		assert_int_equal(announce_deadline(&announce), due_ns);
		assert_int_equal(next(due_ns + MS), 1);
	}
	assert_int_equal(announce_deadline(&announce), DEADLINE_NEVER);
	assert_int_equal(next(10000 * MS), -1);
}

static void test_a_burst_of_64_goes_at_once(void **state)
{
	start(BURST, 7);
	for (int i = 0; i < (int)BURST; i++)
		assert_int_equal(next(7), i);
	assert_int_equal(announce_deadline(&announce), DEADLINE_NEVER);
}

/* However the owner calls, no window of 10 ms holds more than 64 frames, and nothing is lost. */
static void test_pace_of_a_large_host(void **state)
{
	static uint64_t sent_ns[2 * ANNOUNCE_MACS_MAX];
	uint64_t now_ns = 1000 * MS;
	unsigned int n_sent = 0, seed = 1;

	set(2, MS);
	start(ANNOUNCE_MACS_MAX + 1, now_ns);
	assert_int_equal(announce.n_items, ANNOUNCE_MACS_MAX);
	assert_int_equal(announce_pending(&announce), ARRAY_SIZE(sent_ns));
	while (announce_deadline(&announce) != DEADLINE_NEVER) {
		int index = next(now_ns);

		if (index < 0) {
			seed = seed * 1103515245 + 12345;
			now_ns = announce_deadline(&announce) + (seed >> 16) % 3 * MS;
			continue;
		}
		assert_int_equal(index, n_sent % ANNOUNCE_MACS_MAX);
		assert_true(n_sent < ARRAY_SIZE(sent_ns));
		sent_ns[n_sent++] = now_ns;
		now_ns += (seed >> 20) % 4 * (MS / 10);
	}
	assert_int_equal(n_sent, ARRAY_SIZE(sent_ns));
	for (unsigned int i = BURST; i < n_sent; i++)
		assert_true(sent_ns[i] - sent_ns[i - BURST] >= ANNOUNCE_BURST_NS);
}

static void test_deadline_is_the_next_frame(void **state)
{
	start(200, 0);
	for (uint64_t now_ns = 0; announce_deadline(&announce) != DEADLINE_NEVER;) {
		now_ns = announce_deadline(&announce);
		if (now_ns > 0)
			assert_int_equal(next(now_ns - 1), -1);
		assert_true(next(now_ns) >= 0);
		while (next(now_ns) >= 0)
			;
	}
	/* 64 at 0, 10 and 20 ms, 8 at 30 ms. */
	assert_int_equal(announce.free_ns[191], 30 * MS);
	assert_int_equal(announce.free_ns[192], 40 * MS);
	assert_int_equal(announce.free_ns[199], 40 * MS);
}

static void test_restart_keeps_the_pace(void **state)
{
	start(40, 0);
	for (int i = 0; i < 40; i++)
		assert_int_equal(next(0), i);
	/* The link flaps: all of them again, at another member. */
	start(40, MS);
	for (int i = 0; i < 24; i++)
		assert_int_equal(next(MS), i);
	assert_int_equal(next(MS), -1);
	assert_int_equal(announce_deadline(&announce), 10 * MS);
	start(5, 2 * MS);
	assert_int_equal(next(2 * MS), -1);
	for (int i = 0; i < 5; i++)
		assert_int_equal(next(10 * MS), i);
	assert_int_equal(announce_deadline(&announce), DEADLINE_NEVER);
}

static void test_forget(void **state)
{
	set(2, 100 * MS);
	start(5, 0);
	announce_forget(&announce, macs[9]);
	assert_int_equal(next(0), 0);
	assert_int_equal(next(0), 1);
	announce_forget(&announce, macs[0]); /* sent already in this round */
	announce_forget(&announce, macs[3]); /* not yet */
	assert_int_equal(next(0), 2);
	announce_forget(&announce, macs[4]); /* the last of the round: it is over */
	assert_int_equal(announce_deadline(&announce), 100 * MS);
	assert_int_equal(next(100 * MS), 1);
	announce_forget(&announce, macs[1]);
	announce_forget(&announce, macs[2]);
	assert_int_equal(announce_deadline(&announce), DEADLINE_NEVER);
	assert_int_equal(next(200 * MS), -1);
}

/* What could not be sent is tried again, alone and for as long as it takes, beside the rounds. */
static void test_failures_are_tried_again(void **state)
{
	set(2, 25 * MS);
	start(4, 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(next_is(0, i % 2 == 0), i);
	assert_int_equal(announce_deadline(&announce), 10 * MS);
	assert_int_equal(announce_pending(&announce), 4 + 2);
	assert_int_equal(next_is(10 * MS, false), 1);
	assert_int_equal(next_is(10 * MS, true), 3);
	assert_int_equal(announce_deadline(&announce), 20 * MS);
	assert_int_equal(next_is(20 * MS, false), 1);
	assert_int_equal(announce_deadline(&announce), 25 * MS); /* the second round */
	for (int i = 0; i < 4; i++)
		assert_int_equal(next_is(25 * MS, i == 1), i);
	for (uint64_t ms = 35; ms < 1035; ms += 10) {
		assert_int_equal(announce_deadline(&announce), ms * MS);
		assert_int_equal(next_is(ms * MS, false), 0);
		assert_int_equal(next_is(ms * MS, false), 2);
		assert_int_equal(next_is(ms * MS, false), 3);
	}
	assert_int_equal(announce_pending(&announce), 3);
	announce_forget(&announce, macs[0]);
	announce_forget(&announce, macs[1]);
	assert_int_equal(announce_pending(&announce), 2);
	assert_int_equal(next_is(1035 * MS, true), 2);
	announce_forget(&announce, macs[3]);
	assert_int_equal(announce_deadline(&announce), DEADLINE_NEVER);
	start(1, 1100 * MS);
	assert_int_equal(next_is(1100 * MS, false), 0);
	start(1, 1100 * MS); /* instead */
	assert_int_equal(announce_deadline(&announce), 1100 * MS);
}

/* The source address and the VLAN (0: no tag) of the next frame are these. */
static void assert_next_in(unsigned int index, uint16_t vid, bool sent)
{
	uint8_t frame[ANNOUNCE_FRAME_MAX], expect[ANNOUNCE_FRAME_MAX];
	unsigned int len = FRAME_ANNOUNCE_LEN;

	frame_rarp(expect, macs[index]);
	if (vid) {
		memmove(expect + 16, expect + 12, len - 12);
		memcpy(expect + 12, (uint8_t[4]){0x81, 0, (uint8_t)(vid >> 8), (uint8_t)vid}, 4);
		len += 4;
	}
	assert_int_equal(announce_next(&announce, claims, announce_deadline(&announce), frame),
			 len);
	assert_memory_equal(frame, expect, len);
	announce_done(&announce, sent, announce_deadline(&announce));
}

/* After the others of each round; tried again and forgotten as these are; not without end. */
static void test_vlans(void **state)
{
	set(2, 200 * MS);
	start(2, 0);
	announce_in_vlan(&announce, macs[0], 7);
	announce_in_vlan(&announce, macs[1], 4094);
	announce_in_vlan(&announce, macs[0], 300);
	assert_int_equal(announce_pending(&announce), 10);
	assert_next_in(0, 0, true);
	assert_next_in(1, 0, true);
	assert_next_in(0, 7, true);
	assert_next_in(1, 4094, false);
	assert_next_in(0, 300, true);
	assert_next_in(1, 4094, true); /* again */
	assert_next_in(0, 0, true);
	assert_next_in(1, 0, true);
	assert_next_in(0, 7, true);
	announce_forget(&announce, macs[0]);
	assert_next_in(1, 4094, true);
	assert_int_equal(announce_deadline(&announce), DEADLINE_NEVER);
	start(1, 0);
	for (unsigned int i = 0; i <= ANNOUNCE_VLANS_MAX; i++)
		announce_in_vlan(&announce, macs[0], 1);
	assert_int_equal(announce_pending(&announce), 2 * (1 + ANNOUNCE_VLANS_MAX));
}

/* Each window ends with a frame: as many as the burst then is may stand in it, and before a change
 * as many as it was. */
static void test_the_burst_changes_live(void **state)
{
	static const unsigned int bursts[] = {64, 1, 256, 10, 100, 256, 3};
	static uint64_t sent_ns[ANNOUNCE_MACS_MAX];
	static unsigned int allowed[ANNOUNCE_MACS_MAX];
	uint64_t now_ns = 0, changed_ns = 0;
	unsigned int n_sent = 0, seed = 1, at = 0;

	start(ANNOUNCE_MACS_MAX, now_ns);
	while (announce_deadline(&announce) != DEADLINE_NEVER) {
		unsigned int larger = bursts[at % ARRAY_SIZE(bursts)];

		announce.options.burst = larger;
		if (at && now_ns < changed_ns + ANNOUNCE_BURST_NS)
			larger = MAX(larger, bursts[(at - 1) % ARRAY_SIZE(bursts)]);
		if (next(now_ns) >= 0) {
			allowed[n_sent] = larger;
			sent_ns[n_sent++] = now_ns;
			continue;
		}
		seed = seed * 1103515245 + 12345;
		if ((seed >> 16) % 4 == 0 && now_ns >= changed_ns + ANNOUNCE_BURST_NS) {
			at++;
			changed_ns = now_ns;
			continue;
		}
		now_ns = MIN(announce_deadline(&announce), now_ns + (seed >> 18) % 4 * MS);
	}
	assert_int_equal(n_sent, ANNOUNCE_MACS_MAX);
	assert_true(at > 2 * ARRAY_SIZE(bursts));
	for (unsigned int i = 1; i < n_sent; i++)
		if (i >= allowed[i])
			assert_true(sent_ns[i] - sent_ns[i - allowed[i]] >= ANNOUNCE_BURST_NS);
}

static void test_a_larger_burst_helps_at_once(void **state)
{
	start(200, 0);
	for (int i = 0; i < 64; i++)
		assert_int_equal(next(0), i);
	assert_int_equal(next(0), -1);
	announce.options.burst = 100;
	for (int i = 64; i < 100; i++)
		assert_int_equal(next(MS), i);
	assert_int_equal(next(MS), -1);
	announce.options.burst = 2;
	assert_int_equal(next(10 * MS), -1); /* the last two went at 1 ms */
	assert_int_equal(announce_deadline(&announce), 11 * MS);
	assert_int_equal(next(11 * MS), 100);
	assert_int_equal(next(11 * MS), 101);
	assert_int_equal(next(11 * MS), -1);
}

/* Sums of what a round sends, of 3 guests of which the first has two addresses, the second one. */
static void one_round(uint64_t now_ns, unsigned int *n_rarp, uint64_t *arp_sum, uint64_t *rarp_sum)
{
	uint32_t ipv4;
	int index;

	*n_rarp = 0;
	*arp_sum = *rarp_sum = 0;
	while ((index = next_item(now_ns, &ipv4)) >= 0) {
		*n_rarp += ipv4 == 0;
		*arp_sum += ipv4;
		if (!ipv4)
			*rarp_sum += (unsigned int)index + 1;
		else
			assert_int_equal(ipv4 / 8, ipv4_of((unsigned int)index, 0) / 8);
	}
}

static void test_kinds(void **state)
{
	const uint64_t all = (uint64_t)ipv4_of(0, 0) + ipv4_of(0, 1) + ipv4_of(1, 0);
	uint64_t arp, rarp;
	unsigned int n;

	claim(0, 0, ipv4_of(0, 0), 0);
	claim(0, 0, ipv4_of(0, 1), 0);
	claim(0, 1, ipv4_of(1, 0), 0);
	start(3, 0);
	assert_int_equal(announce_pending(&announce), 3);
	one_round(0, &n, &arp, &rarp);
	assert_int_equal(n, 3);
	assert_int_equal(arp, 0);
	assert_int_equal(rarp, 1 + 2 + 3);

	announce.options.kind = ANNOUNCE_GARP;
	start(3, 0);
	assert_int_equal(announce_pending(&announce), 4);
	one_round(0, &n, &arp, &rarp);
	assert_int_equal(n, 1);
	assert_int_equal(arp, all);
	assert_int_equal(rarp, 3); /* else nobody would hear of it */

	announce.options.kind = ANNOUNCE_BOTH;
	start(3, 0);
	assert_int_equal(announce_pending(&announce), 6);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(announce.items[i].ipv4, 0); /* RARP first */
	one_round(0, &n, &arp, &rarp);
	assert_int_equal(n, 3);
	assert_int_equal(arp, all);
	assert_int_equal(rarp, 1 + 2 + 3);
	assert_int_equal(announce_pending(&announce), 0);
}

static void test_forget_takes_all_of_an_address(void **state)
{
	uint64_t arp, rarp;
	unsigned int n;
	uint32_t ipv4;

	announce.options.kind = ANNOUNCE_BOTH;
	set(2, 100 * MS);
	for (unsigned int i = 0; i < 3; i++)
		for (unsigned int k = 0; k < CLAIMS_PER_MAC; k++)
			claim(0, i, ipv4_of(i, k), 0);
	start(3, 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(next_item(0, &ipv4), i);
	for (int i = 0; i < 6; i++) /* four of the first, two of the second */
		assert_int_equal(next_item(0, &ipv4), i / 4);
	assert_int_equal(announce_pending(&announce), 6 + 15);
	announce_forget(&announce, macs[1]);
	assert_int_equal(announce_pending(&announce), 4 + 10);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(next_item(0, &ipv4), 2);
		assert_true(ipv4);
	}
	assert_int_equal(announce_deadline(&announce), 100 * MS);
	one_round(100 * MS, &n, &arp, &rarp);
	assert_int_equal(n, 2);
	assert_int_equal(rarp, 1 + 3);
	assert_int_equal(announce_deadline(&announce), DEADLINE_NEVER);
}

/* Another host, another guest has the address by now, or it was long not heard of. */
static void test_what_ended_is_not_announced(void **state)
{
	const uint64_t now_ns = CLAIMS_AGE_NS + 1;
	uint32_t ipv4;

	announce.options.kind = ANNOUNCE_GARP;
	for (unsigned int i = 0; i < 5; i++)
		claim(0, i, ipv4_of(i, 0), 0);
	start(5, 0);
	claim(-1, 9, ipv4_of(0, 0), 0);
	claim(0, 2, ipv4_of(1, 0), now_ns - 1);
	claim(0, 4, ipv4_of(4, 0), now_ns - 1);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(next_item(now_ns, &ipv4), i);
		assert_int_equal(ipv4, i < 4 ? 0 : ipv4_of(4, 0));
	}
	assert_int_equal(next_item(now_ns, &ipv4), -1);
	/* the new owner's, from the next announcement on */
	start(3, now_ns);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(next_item(now_ns, &ipv4), i);
		assert_int_equal(ipv4, 0);
	}
	assert_int_equal(next_item(now_ns, &ipv4), 2);
	assert_int_equal(ipv4, ipv4_of(1, 0));
}

static void test_nothing_is_lost_when_all_is_full(void **state)
{
	uint64_t now_ns = 0;
	unsigned int n_rarp = 0, n_arp = 0;
	uint32_t ipv4;

	announce.options.kind = ANNOUNCE_BOTH;
	for (unsigned int i = 0; i < CLAIMS_MAX; i++)
		claim(0, i % 2048, ipv4_of(i % 2048, i / 2048), 0);
	start(ANNOUNCE_MACS_MAX + 1, 0);
	assert_int_equal(announce.n_items, ANNOUNCE_MACS_MAX + CLAIMS_MAX);
	for (; announce_deadline(&announce) != DEADLINE_NEVER;
	     now_ns = announce_deadline(&announce))
		while (next_item(now_ns, &ipv4) >= 0) {
			n_arp += ipv4 != 0;
			n_rarp += ipv4 == 0;
		}
	assert_int_equal(n_rarp, ANNOUNCE_MACS_MAX);
	assert_int_equal(n_arp, CLAIMS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_nothing_to_announce, setup),
		cmocka_unit_test_setup(test_rounds, setup),
		cmocka_unit_test_setup(test_a_burst_of_64_goes_at_once, setup),
		cmocka_unit_test_setup(test_pace_of_a_large_host, setup),
		cmocka_unit_test_setup(test_deadline_is_the_next_frame, setup),
		cmocka_unit_test_setup(test_restart_keeps_the_pace, setup),
		cmocka_unit_test_setup(test_forget, setup),
		cmocka_unit_test_setup(test_failures_are_tried_again, setup),
		cmocka_unit_test_setup(test_the_burst_changes_live, setup),
		cmocka_unit_test_setup(test_a_larger_burst_helps_at_once, setup),
		cmocka_unit_test_setup(test_vlans, setup),
		cmocka_unit_test_setup_teardown(test_kinds, setup_claims, teardown),
		cmocka_unit_test_setup_teardown(test_forget_takes_all_of_an_address, setup_claims,
						teardown),
		cmocka_unit_test_setup_teardown(test_what_ended_is_not_announced, setup_claims,
						teardown),
		cmocka_unit_test_setup_teardown(test_nothing_is_lost_when_all_is_full, setup_claims,
						teardown),
	};

	return cmocka_run_group_tests_name("announce", tests, NULL, NULL);
}
