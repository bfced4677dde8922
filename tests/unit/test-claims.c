/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-claims.c - which ARP frames claim an address, and when a claim ends. */
#include "netback-team/claims.h"

#include <string.h>

#include "common/util.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define SEC NSEC_PER_SEC
#define A   0x0a000001u
#define B   0x0a000002u

static uint8_t frame[64];
static uint64_t now_ns;

static int setup(void **state)
{
	now_ns = 5 * SEC;
	*state = claims_create();
	return 0;
}

static int teardown(void **state)
{
	claims_destroy(*state);
	return 0;
}

static const uint8_t *mac_of(int number)
{
	static uint8_t macs[4][6];
	static unsigned int next;
	uint8_t *mac = macs[next++ % ARRAY_SIZE(macs)];

	memcpy(mac, (const uint8_t[6]){2, 0, 0, 0, (uint8_t)(number >> 8), (uint8_t)number}, 6);
	return mac;
}

/* A question of `number`, which has the address ipv4. */
static size_t arp(int number, uint32_t ipv4)
{
	static const uint8_t fixed[10] = {8, 6, 0, 1, 8, 0, 6, 4, 0, 1};

	memset(frame, 0, sizeof(frame));
	memset(frame, 0xff, 6);
	memcpy(frame + 6, mac_of(number), 6);
	memcpy(frame + 12, fixed, sizeof(fixed));
	memcpy(frame + 22, mac_of(number), 6);
	for (int i = 0; i < 4; i++)
		frame[28 + i] = (uint8_t)(ipv4 >> (24 - 8 * i));
	frame[41] = 99;
	return 42;
}

/* guest = number of its MAC; -1: from the network. */
static void says(struct claims *claims, int guest, int number, uint32_t ipv4)
{
	const size_t len = arp(number, ipv4);

	claims_learn(claims, guest, frame, len, now_ns);
}

static unsigned int count(struct claims *claims, int number)
{
	uint32_t ipv4[CLAIMS_PER_MAC];
	const unsigned int n = claims_of(claims, mac_of(number), ipv4, now_ns);

	for (unsigned int i = 0; i < n; i++)
		assert_true(claims_has(claims, mac_of(number), ipv4[i], now_ns));
	return n;
}

static bool has(struct claims *claims, int number, uint32_t ipv4)
{
	return claims_has(claims, mac_of(number), ipv4, now_ns);
}

static void questions_and_answers_claim(void **state)
{
	struct claims *claims = *state;
	uint32_t ipv4[CLAIMS_PER_MAC];

	assert_int_equal(count(claims, 1), 0);
	says(claims, 1, 1, A);
	arp(1, B);
	frame[21] = 2; /* an answer, padded */
	claims_learn(claims, 1, frame, 60, now_ns);
	assert_int_equal(claims_of(claims, mac_of(1), ipv4, now_ns), 2);
	assert_int_equal(ipv4[0] + ipv4[1], A + B);
	says(claims, 1, 1, A);
	assert_int_equal(count(claims, 1), 2);
	assert_false(has(claims, 2, A));
	assert_int_equal(claims_of(NULL, mac_of(1), ipv4, now_ns), 0);
	assert_false(claims_has(NULL, mac_of(1), A, now_ns));
}

static void other_frames_do_not(void **state)
{
	static const uint32_t bad[] = {0,	   0x7f000001, 0xe0000001,
				       0xefffffff, 0xffffffff, 0x7fffffff};
	/* Where the frame is changed, to what. */
	static const uint8_t changes[][2] = {{12, 0x80}, {13, 0}, {14, 1}, {15, 6}, {16, 0x86},
					     {17, 1},	 {18, 8}, {19, 6}, {20, 1}, {21, 0},
					     {21, 3},	 {21, 8}, {6, 4},  {22, 4}, {27, 9}};
	struct claims *claims = *state;
	size_t len;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		says(claims, 1, 1, bad[i]);
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		len = arp(1, A);
		frame[changes[i][0]] = changes[i][1];
		claims_learn(claims, 1, frame, len, now_ns);
	}
	arp(1, A);
	for (len = 0; len < 32; len++) /* the sender's address ends there */
		claims_learn(claims, 1, frame, len, now_ns);
	len = arp(1, A); /* tagged */
	memmove(frame + 16, frame + 12, len - 12);
	memcpy(frame + 12, (const uint8_t[4]){0x81, 0, 0, 5}, 4);
	claims_learn(claims, 1, frame, len + 4, now_ns);
	assert_int_equal(count(claims, 1), 0);
	assert_false(has(claims, 1, A));
	says(claims, -1, 1, A); /* nobody we know */
	assert_int_equal(count(claims, 1), 0);
}

static void the_last_one_has_it(void **state)
{
	struct claims *claims = *state;

	says(claims, 1, 1, A);
	says(claims, 1, 1, B);
	says(claims, 2, 2, A);
	assert_false(has(claims, 1, A));
	assert_true(has(claims, 2, A));
	assert_true(has(claims, 1, B));
	/* the network reflects it, and asks about it */
	says(claims, -1, 2, A);
	says(claims, -1, 9, 0);
	assert_true(has(claims, 2, A));
	says(claims, -1, 9, A);
	assert_int_equal(count(claims, 2), 0);
	assert_int_equal(count(claims, 1), 1);
	/* a guest that speaks for another one changes nothing */
	arp(2, B);
	memcpy(frame + 6, mac_of(3), 6);
	claims_learn(claims, 3, frame, 42, now_ns);
	assert_true(has(claims, 1, B));
	claims_learn(claims, -1, frame, 42, now_ns); /* one from anywhere does */
	assert_false(has(claims, 1, B));
}

static void a_guest_goes(void **state)
{
	struct claims *claims = *state;

	says(claims, 1, 1, A);
	says(claims, 1, 11, A + 10); /* behind a bridge in it */
	says(claims, 1, 12, A + 11);
	says(claims, 2, 2, B);
	says(claims, 2, 12, A + 11); /* which moved */
	claims_forget(claims, 7);
	claims_forget(claims, 1);
	assert_int_equal(count(claims, 1) + count(claims, 11), 0);
	assert_int_equal(count(claims, 2) + count(claims, 12), 2);
	claims_forget(claims, 2);
	assert_int_equal(count(claims, 2) + count(claims, 12), 0);
}

static void claims_age(void **state)
{
	struct claims *claims = *state;

	says(claims, 1, 1, A);
	says(claims, 1, 1, B);
	now_ns += CLAIMS_AGE_NS;
	assert_int_equal(count(claims, 1), 2);
	says(claims, 1, 1, B);
	now_ns++;
	assert_false(has(claims, 1, A));
	assert_int_equal(count(claims, 1), 1);
	says(claims, 2, 2, A + 2); /* when something is learned, the table is swept */
	assert_int_equal(count(claims, 1), 1);
	assert_true(has(claims, 1, B));
}

static void four_for_each_address(void **state)
{
	struct claims *claims = *state;

	for (uint32_t i = 0; i < 4; i++, now_ns++)
		says(claims, 1, 1, A + i);
	says(claims, 1, 1, A); /* used again */
	now_ns++;
	says(claims, 1, 1, A + 4);
	assert_int_equal(count(claims, 1), 4);
	assert_true(has(claims, 1, A));
	assert_false(has(claims, 1, A + 1));
	for (uint32_t i = 10; i < 1000; i++) /* all in one moment */
		says(claims, 1, 1, A + i);
	assert_int_equal(count(claims, 1), 4);
	for (uint32_t i = 996; i < 1000; i++)
		assert_true(has(claims, 1, A + i));
}

static void the_table_is_bounded(void **state)
{
	struct claims *claims = *state;
	unsigned int n = 0;

	for (unsigned int i = 0; i < CLAIMS_MAX; i++)
		says(claims, 1, (int)(i / CLAIMS_PER_MAC), A + i);
	for (unsigned int i = 0; i < CLAIMS_MAX; i += CLAIMS_PER_MAC)
		assert_int_equal(count(claims, (int)(i / CLAIMS_PER_MAC)), CLAIMS_PER_MAC);
	says(claims, 1, 0, A);
	says(claims, 2, 5000, B - 10000);
	assert_true(has(claims, 0, A));
	assert_false(has(claims, 0, A + 1)); /* the oldest now */
	for (unsigned int i = 0; i < CLAIMS_MAX; i++)
		n += has(claims, (int)(i / CLAIMS_PER_MAC), A + i);
	assert_int_equal(n, CLAIMS_MAX - 1);
	claims_forget(claims, 1);
	assert_int_equal(count(claims, 5000), 1);
	for (unsigned int i = 0; i < 3 * CLAIMS_MAX; i++)
		says(claims, 1, (int)i, A + i);
	assert_int_equal(count(claims, 5000), 0);
	for (unsigned int i = 0; i < 3 * CLAIMS_MAX; i++)
		assert_int_equal(count(claims, (int)i), i >= 2 * CLAIMS_MAX);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(questions_and_answers_claim),
		TEST(other_frames_do_not),
		TEST(the_last_one_has_it),
		TEST(a_guest_goes),
		TEST(claims_age),
		TEST(four_for_each_address),
		TEST(the_table_is_bounded),
	};

	return cmocka_run_group_tests_name("claims", tests, NULL, NULL);
}
