/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-shape.c - token bucket and the toolstack's rate= value. */
#include "netback-team/shape.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "util.h"

#define MBIT 1000000ull

static void test_unlimited(void **state)
{
	struct shape shape = {0};

	shape_set(&shape, 0, 0, 5);
	shape_take(&shape, 65535, 5);
	assert_int_equal(shape_ready_ns(&shape, 65535, 5), 5);
}

/* A full bucket lets exactly its burst go at once. */
static void test_burst(void **state)
{
	struct shape shape = {0};
	uint64_t sent = 0;

	shape_set(&shape, 100 * MBIT, 200000, NSEC_PER_SEC);
	while (shape_ready_ns(&shape, 1000, NSEC_PER_SEC) <= NSEC_PER_SEC) {
		shape_take(&shape, 1000, NSEC_PER_SEC);
		sent += 1000;
	}
	assert_int_equal(sent, 200000);
	/* 1000 bytes at 100 Mbit/s take 80 us. */
	assert_int_equal(shape_ready_ns(&shape, 1000, NSEC_PER_SEC),
			 NSEC_PER_SEC + 80 * NSEC_PER_USEC);
}

/* Over any time t no more than burst + rate * t goes, and not less when there is always something
 * to send. */
static void test_rate_exact(void **state)
{
	static const uint64_t rates[] = {1 * MBIT, 7 * MBIT, 100 * MBIT, 9999 * MBIT};
	static const uint32_t sizes[] = {60, 1514, 65535};

	for (size_t r = 0; r < ARRAY_SIZE(rates); r++) {
		for (size_t s = 0; s < ARRAY_SIZE(sizes); s++) {
			struct shape shape = {0};
			uint64_t now = 7, sent = 0, end = now + 2 * NSEC_PER_SEC, allowed;

			shape_set(&shape, rates[r], 65535, now);
			while (now < end) {
				uint64_t ready = shape_ready_ns(&shape, sizes[s], now);

				if (ready > now) {
					now = ready;
					continue;
				}
				shape_take(&shape, sizes[s], now);
				sent += sizes[s];
			}
			allowed = 65535 + rates[r] / 8 * 2;
			assert_true(sent <= allowed + sizes[s]);
			assert_true(sent + 2 * 65535 >= allowed);
		}
	}
}

/* A frame larger than the bucket must not wait for ever: the bucket holds at least one. */
static void test_small_burst(void **state)
{
	struct shape shape = {0};

	shape_set(&shape, MBIT, 100, 0);
	assert_int_equal(shape.burst_bytes, 65535);
	assert_int_equal(shape_ready_ns(&shape, 65535, 0), 0);
}

/* A bucket as small as it is asked for: larger frames go when it is full, and are paid for. */
static void test_depth(void **state)
{
	struct shape shape = {0};

	shape_set_depth(&shape, 8 * MBIT, 2000, 0);
	assert_int_equal(shape_ready_ns(&shape, 65535, 0), 0);
	shape_take(&shape, 65535, 0);
	assert_int_equal(shape_ready_ns(&shape, 1000, 0), 64535 * NSEC_PER_USEC);
	assert_int_equal(shape_ready_ns(&shape, 5000, 0), 65535 * NSEC_PER_USEC);
	/* None at all: one after the other. */
	shape_set_depth(&shape, 8 * MBIT, 0, NSEC_PER_SEC);
	assert_int_equal(shape_ready_ns(&shape, 9000, NSEC_PER_SEC), NSEC_PER_SEC);
	shape_take(&shape, 100, NSEC_PER_SEC);
	assert_int_equal(shape_ready_ns(&shape, 1, NSEC_PER_SEC),
			 NSEC_PER_SEC + 100 * NSEC_PER_USEC);
}

/* What is given back is as if it had never been taken, to the fraction of a nanosecond. */
static void test_give(void **state)
{
	struct shape shape = {0}, before;

	shape_give(&shape, 1000); /* unlimited */
	shape_set_depth(&shape, 7 * MBIT + 13, 3000, 0);
	for (uint32_t bytes = 1; bytes < 70000; bytes = bytes * 3 + 1) {
		shape_take(&shape, 1000 + bytes % 7, NSEC_PER_SEC);
		before = shape;
		shape_take(&shape, bytes, NSEC_PER_SEC);
		shape_take(&shape, 5, NSEC_PER_SEC);
		shape_give(&shape, bytes);
		shape_give(&shape, 5);
		assert_int_equal(shape.full_ns, before.full_ns);
		assert_int_equal(shape.frac, before.frac);
	}
}

/* Never a byte more than burst + rate * t, at rates that no nanosecond divides. */
static void test_never_more(void **state)
{
	struct shape shape = {0};
	const uint64_t rate = 9999999967, burst = 70000;
	uint64_t now = 3, sent = 0;

	shape_set_depth(&shape, rate, burst, now);
	for (int i = 0; i < 200000; i++) {
		const uint32_t size = 60 + (uint32_t)i * 7 % 1455;

		now = shape_ready_ns(&shape, size, now);
		shape_take(&shape, size, now);
		sent += size;
		assert_true((sent - burst) * 8 * NSEC_PER_SEC <= (now - 3) * rate || sent <= burst);
	}
	/* And, at once when it may, not less: a nanosecond carries 1.25 bytes. */
	assert_true((sent - burst + 2) * 8 * NSEC_PER_SEC >= (now - 3) * rate);
}

/* Frames that went later than they were taken: the burst of a full bucket begins when they went. */
static void test_late(void **state)
{
	struct shape shape = {0};

	shape_set_depth(&shape, 8 * MBIT, 2000, 0); /* a byte a microsecond */
	shape_take(&shape, 1000, NSEC_PER_SEC);
	shape_take(&shape, 1000, NSEC_PER_SEC);
	shape_late(&shape, NSEC_PER_SEC, NSEC_PER_SEC + 300 * NSEC_PER_USEC);
	assert_int_equal(shape_ready_ns(&shape, 2000, NSEC_PER_SEC),
			 NSEC_PER_SEC + 2300 * NSEC_PER_USEC);
	/* Once more, with what went in between counted. */
	shape_late(&shape, NSEC_PER_SEC, NSEC_PER_SEC + 500 * NSEC_PER_USEC);
	assert_int_equal(shape_ready_ns(&shape, 2000, NSEC_PER_SEC),
			 NSEC_PER_SEC + 2500 * NSEC_PER_USEC);
	/* A bucket that would not have been full by then loses nothing. */
	shape_take(&shape, 100, NSEC_PER_SEC + NSEC_PER_MSEC);
	shape_late(&shape, NSEC_PER_SEC + NSEC_PER_MSEC, NSEC_PER_SEC + 2 * NSEC_PER_MSEC);
	assert_int_equal(shape_ready_ns(&shape, 2000, NSEC_PER_SEC),
			 NSEC_PER_SEC + 2600 * NSEC_PER_USEC);
	/* Filled up on the way, it loses what ran over. */
	shape_take(&shape, 100, NSEC_PER_SEC + 2500 * NSEC_PER_USEC);
	shape_late(&shape, NSEC_PER_SEC + 2500 * NSEC_PER_USEC, NSEC_PER_SEC + 3 * NSEC_PER_MSEC);
	assert_int_equal(shape_ready_ns(&shape, 2000, NSEC_PER_SEC),
			 NSEC_PER_SEC + 3100 * NSEC_PER_USEC);
	/* Frames of another time, and none at all. */
	shape_late(&shape, NSEC_PER_SEC, 9 * NSEC_PER_SEC);
	assert_int_equal(shape_ready_ns(&shape, 2000, NSEC_PER_SEC),
			 NSEC_PER_SEC + 3100 * NSEC_PER_USEC);
	shape_set_depth(&shape, 8 * MBIT, 2000, 10 * NSEC_PER_SEC);
	shape_late(&shape, NSEC_PER_SEC + 2500 * NSEC_PER_USEC, 11 * NSEC_PER_SEC);
	assert_int_equal(shape_ready_ns(&shape, 2000, 10 * NSEC_PER_SEC), 10 * NSEC_PER_SEC);
}

/* What was used stays used when the limit changes. */
static void test_live_change(void **state)
{
	struct shape shape = {0};
	uint64_t ready;

	shape_set(&shape, 8 * MBIT, 65535, 0);
	shape_take(&shape, 65535, 0);
	shape_take(&shape, 10000, 0);
	ready = shape_ready_ns(&shape, 0, 0);
	assert_int_equal(ready, 10 * NSEC_PER_MSEC);
	shape_set(&shape, 80 * MBIT, 65535, 0);
	assert_in_range(shape_ready_ns(&shape, 0, 0), NSEC_PER_MSEC - 10, NSEC_PER_MSEC + 10);
	shape_set(&shape, 0, 0, 0);
	assert_int_equal(shape_ready_ns(&shape, 65535, 0), 0);
}

static void test_xl_rate(void **state)
{
	static const char *const bad[] = {"",
					  "1",
					  "1,",
					  ",1",
					  "a,b",
					  "-1,50000",
					  "625000,50000x",
					  "99999999999,50000",
					  "1,99999999999",
					  " 1,2",
					  "1, 2"};
	uint64_t rate = 1, burst = 1;

	assert_int_equal(shape_parse_xl_rate("625000,50000", &rate, &burst), 0);
	assert_int_equal(rate, 100 * MBIT);
	assert_int_equal(burst, 625000);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(shape_parse_xl_rate(bad[i], &rate, &burst), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unlimited),   cmocka_unit_test(test_burst),
		cmocka_unit_test(test_rate_exact),  cmocka_unit_test(test_small_burst),
		cmocka_unit_test(test_depth),	    cmocka_unit_test(test_never_more),
		cmocka_unit_test(test_late),	    cmocka_unit_test(test_give),
		cmocka_unit_test(test_live_change), cmocka_unit_test(test_xl_rate),
	};

	return cmocka_run_group_tests_name("shape", tests, NULL, NULL);
}
