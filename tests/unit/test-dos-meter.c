/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-dos-meter.c - thresholds fixed and learned, n of m, fast values, hysteresis, freezing. */
#include "netback-team/dos_meter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "util.h"

#define FLOOR 1000u

struct lab {
	struct dos_meter meter;
	struct dos_meter_options options;
	struct dos_reading reading;
	uint64_t now_ns;
};

static void setup(struct lab *lab, enum dos_mode mode)
{
	*lab = (struct lab){.reading = {.floor = FLOOR, .adaptive = true}, .now_ns = NSEC_PER_SEC};
	dos_meter_defaults(&lab->options);
	lab->options.mode = mode;
}

static enum dos_change tick(struct lab *lab, uint64_t value)
{
	lab->now_ns += NSEC_PER_SEC;
	lab->reading.value = value;
	return dos_meter_tick(&lab->meter, &lab->options, &lab->reading, lab->now_ns);
}

static enum dos_change fast(struct lab *lab, uint64_t value)
{
	lab->now_ns += 100 * NSEC_PER_MSEC;
	return dos_meter_fast(&lab->meter, &lab->options, value, FLOOR, lab->now_ns);
}

static void test_options(void **state)
{
	struct dos_meter_options good, bad;

	dos_meter_defaults(&good);
	assert_null(dos_meter_check(&good));
#define BAD(member, value)                                                                         \
	do {                                                                                       \
		bad = good;                                                                        \
		bad.member = (value);                                                              \
		assert_non_null(dos_meter_check(&bad));                                            \
	} while (0)
	BAD(mode, 2);
	BAD(mode, -1);
	BAD(deviations, 0);
	BAD(deviations, 21);
	BAD(learn_ns, 3601 * NSEC_PER_SEC);
	BAD(ceiling, 0);
	BAD(ceiling, 1001);
	BAD(n, 0);
	BAD(n, 6);
	BAD(m, 9);
	BAD(m, 2);
	BAD(fast_factor, 1001);
	BAD(fast_n, 0);
	BAD(fast_m, 9);
	BAD(clear_percent, 9);
	BAD(clear_percent, 96);
	BAD(clear_ns, 0);
	BAD(clear_ns, 3601 * NSEC_PER_SEC);
#undef BAD
}

/* Every pattern of five values: an alarm at the first moment when 3 of the last 5 were over. */
static void test_n_of_m(void **state)
{
	for (unsigned int pattern = 0; pattern < 1u << 10; pattern++) {
		struct lab lab;
		bool raised = false;

		setup(&lab, DOS_MODE_FIXED);
		for (unsigned int i = 0; i < 10 && !raised; i++) {
			unsigned int over = 0;

			for (unsigned int k = i < 4 ? 0 : i - 4; k <= i; k++)
				over += pattern >> k & 1;
			raised = tick(&lab, pattern >> i & 1 ? FLOOR + 1 : FLOOR) ==
				 DOS_CHANGE_RAISED;
			assert_int_equal(raised, over >= 3);
		}
	}
}

static void raise_it(struct lab *lab, uint64_t value)
{
	assert_int_equal(tick(lab, value), DOS_CHANGE_NONE);
	assert_int_equal(tick(lab, value), DOS_CHANGE_NONE);
	assert_int_equal(tick(lab, value), DOS_CHANGE_RAISED);
}

/* Cleared after 30 s below 60 % of the threshold; one value in between and they begin anew. */
static void test_hysteresis(void **state)
{
	struct lab lab;

	setup(&lab, DOS_MODE_FIXED);
	raise_it(&lab, 5000);
	assert_int_equal(lab.meter.peak, 5000);
	for (unsigned int i = 0; i < 100; i++)
		assert_int_equal(tick(&lab, 600), DOS_CHANGE_NONE);
	assert_true(lab.meter.alarm);
	for (unsigned int i = 0; i < 29; i++)
		assert_int_equal(tick(&lab, 599), DOS_CHANGE_NONE);
	assert_int_equal(tick(&lab, 7000), DOS_CHANGE_NONE);
	for (unsigned int i = 0; i < 29; i++)
		assert_int_equal(tick(&lab, 599), DOS_CHANGE_NONE);
	assert_int_equal(tick(&lab, 599), DOS_CHANGE_CLEARED);
	assert_false(lab.meter.alarm);
	assert_int_equal(lab.meter.peak, 7000);
	raise_it(&lab, 1001); /* and it needs three values again */
}

static unsigned int seed_noise;

/* About 200, mostly within 150 and 250. */
static uint64_t usual(void)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < 4; i++)
		sum += (uint64_t)rand_r(&seed_noise) % 51;
	return 100 + sum;
}

/* In the beginning, mean and variance are those of the values there are: 100, 200, 300. */
static void test_first_values_count_alike(void **state)
{
	struct lab lab;

	setup(&lab, DOS_MODE_ADAPTIVE);
	tick(&lab, 100);
	assert_int_equal(lab.meter.n_learned, 1);
	assert_int_equal((uint64_t)lab.meter.mean, 100);
	tick(&lab, 200);
	assert_int_equal((uint64_t)lab.meter.mean, 150);
	tick(&lab, 300);
	assert_int_equal(lab.meter.n_learned, 3);
	assert_int_equal((uint64_t)(lab.meter.mean + 0.5), 200);
	assert_int_equal(dos_meter_sd(&lab.meter), 82); /* the root of 20000/3 */
}

static void test_learns_mean_and_deviation(void **state)
{
	struct lab lab;

	setup(&lab, DOS_MODE_ADAPTIVE);
	seed_noise = 3;
	for (unsigned int i = 0; i < 1000; i++)
		assert_int_equal(tick(&lab, usual()), DOS_CHANGE_NONE);
	assert_in_range((uint64_t)lab.meter.mean, 180, 220);
	assert_in_range(dos_meter_sd(&lab.meter), 23, 36); /* 4 dice of 51: 29.4 */
	assert_int_equal(lab.meter.threshold, FLOOR);
	lab.reading.floor = 100;
	tick(&lab, usual());
	assert_in_range(lab.meter.threshold, 300, 400);
}

/* What was learned decays to nothing, and not to numbers that take ever longer to compute with. */
static void test_silence_is_forgotten_entirely(void **state)
{
	struct lab lab;

	setup(&lab, DOS_MODE_ADAPTIVE);
	for (unsigned int i = 0; i < 100; i++)
		tick(&lab, usual());
	for (unsigned int i = 0; i < 10000; i++)
		tick(&lab, 0);
	assert_true(lab.meter.mean == 0 && lab.meter.var == 0);
	assert_int_equal(lab.meter.threshold, FLOOR);
	for (unsigned int i = 0; i < 1000; i++)
		tick(&lab, usual());
	assert_in_range((uint64_t)lab.meter.mean, 180, 220);
}

/* While little is known the threshold is the ceiling, which learning never exceeds. */
static void test_ceiling(void **state)
{
	struct lab lab;

	setup(&lab, DOS_MODE_ADAPTIVE);
	for (unsigned int i = 0; i < 50; i++)
		assert_int_equal(tick(&lab, 10 * FLOOR), DOS_CHANGE_NONE);
	assert_int_equal(lab.meter.threshold, 10 * FLOOR);
	for (unsigned int i = 0; i < 50; i++)
		tick(&lab, 10 * FLOOR);
	assert_int_equal(lab.meter.threshold, 10 * FLOOR);
	raise_it(&lab, 10 * FLOOR + 1);

	/* Fixed: at once. */
	setup(&lab, DOS_MODE_FIXED);
	raise_it(&lab, FLOOR + 1);
	setup(&lab, DOS_MODE_ADAPTIVE);
	lab.reading.adaptive = false;
	raise_it(&lab, FLOOR + 1);
}

/* Neither an alarm, nor what is over, nor a frozen value teaches. */
static void test_freezing(void **state)
{
	struct lab lab;
	double mean;
	uint64_t n;

	setup(&lab, DOS_MODE_ADAPTIVE);
	for (unsigned int i = 0; i < 100; i++)
		tick(&lab, 100);
	mean = lab.meter.mean;
	n = lab.meter.n_learned;
	raise_it(&lab, 50000);
	for (unsigned int i = 0; i < 600; i++)
		assert_int_equal(tick(&lab, 50000), DOS_CHANGE_NONE);
	assert_true(lab.meter.mean == mean);
	assert_int_equal(lab.meter.n_learned, n);
	assert_int_equal(lab.meter.threshold, FLOOR);
	for (unsigned int i = 0; i < 29; i++)
		tick(&lab, 100);
	assert_int_equal(tick(&lab, 100), DOS_CHANGE_CLEARED);
	assert_int_equal(lab.meter.n_learned, n);
	lab.reading.freeze = true;
	for (unsigned int i = 0; i < 100; i++)
		tick(&lab, 900);
	assert_true(lab.meter.mean == mean);
	lab.reading.freeze = false;
	tick(&lab, 900);
	assert_true(lab.meter.mean > mean);
	dos_meter_reset(&lab.meter);
	assert_int_equal(lab.meter.n_learned, 0);
}

/* 5 of 8 values of 100 ms over four times the threshold; a burst of 400 ms is none. */
static void test_fast(void **state)
{
	struct lab lab;

	setup(&lab, DOS_MODE_FIXED);
	tick(&lab, 0);
	for (unsigned int i = 0; i < 20; i++)
		assert_int_equal(fast(&lab, i % 10 < 4 ? 900000 : 0), DOS_CHANGE_NONE);
	for (unsigned int i = 0; i < 8; i++)
		fast(&lab, 4 * FLOOR);
	assert_false(lab.meter.alarm);
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(fast(&lab, 4 * FLOOR + 1), DOS_CHANGE_NONE);
	assert_int_equal(fast(&lab, 4 * FLOOR + 1), DOS_CHANGE_RAISED);
	assert_int_equal(fast(&lab, 4 * FLOOR + 1), DOS_CHANGE_NONE);
	assert_int_equal(lab.meter.value, 4 * FLOOR + 1);

	setup(&lab, DOS_MODE_FIXED);
	lab.options.fast_factor = 0;
	for (unsigned int i = 0; i < 20; i++)
		assert_int_equal(fast(&lab, 900000), DOS_CHANGE_NONE);
	/* Nothing learned yet: the ceiling counts. */
	setup(&lab, DOS_MODE_ADAPTIVE);
	for (unsigned int i = 0; i < 8; i++)
		assert_int_equal(fast(&lab, 40 * FLOOR), DOS_CHANGE_NONE);
	for (unsigned int i = 0; i < 4; i++)
		fast(&lab, 41 * FLOOR);
	assert_int_equal(fast(&lab, 41 * FLOOR), DOS_CHANGE_RAISED);
}

/* A drop is as strange as a jump; idle seconds are not judged. */
static void test_two_sided(void **state)
{
	static const uint64_t strange[] = {0, 800};

	for (size_t i = 0; i < ARRAY_SIZE(strange); i++) {
		struct lab lab;

		setup(&lab, DOS_MODE_FIXED);
		lab.reading.two_sided = true;
		lab.reading.floor = 200;
		for (unsigned int k = 0; k < 50; k++)
			assert_int_equal(tick(&lab, k % 2 ? 0 : 800), DOS_CHANGE_NONE);
		dos_meter_reset(&lab.meter);
		for (unsigned int k = 0; k < 100; k++)
			assert_int_equal(tick(&lab, 400 + k % 20), DOS_CHANGE_NONE);
		lab.reading.idle = true;
		for (unsigned int k = 0; k < 10; k++)
			assert_int_equal(tick(&lab, 410), DOS_CHANGE_NONE);
		lab.reading.freeze = true;
		for (unsigned int k = 0; k < 10; k++)
			assert_int_equal(tick(&lab, strange[i]), DOS_CHANGE_NONE);
		lab.reading.idle = lab.reading.freeze = false;
		raise_it(&lab, strange[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_n_of_m),
		cmocka_unit_test(test_hysteresis),
		cmocka_unit_test(test_first_values_count_alike),
		cmocka_unit_test(test_learns_mean_and_deviation),
		cmocka_unit_test(test_silence_is_forgotten_entirely),
		cmocka_unit_test(test_ceiling),
		cmocka_unit_test(test_freezing),
		cmocka_unit_test(test_fast),
		cmocka_unit_test(test_two_sided),
	};

	return cmocka_run_group_tests_name("dos-meter", tests, NULL, NULL);
}
