/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-sketch.c - the sketches keep what their papers promise: bounds of count-min and SpaceSaving,
 * standard error of HyperLogLog, entropy. Seeds are fixed: a promise of probability holds or not.
 */
#include "netback-team/sketch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "util.h"

#define KEYS 20000u

static uint64_t key_of(uint64_t i, uint64_t seed)
{
	return sketch_hash(i, 7, seed);
}

/* How often key i occurs: few often, many seldom (Zipf). */
static uint32_t truth(uint32_t i)
{
	return 200000 / (i + 1) + 1;
}

static void test_sizes(void **state)
{
	assert_null(countmin_create(3, 4));
	assert_null(countmin_create(25, 4));
	assert_null(countmin_create(10, 0));
	assert_null(countmin_create(10, 9));
	assert_null(hll_create(3));
	assert_null(hll_create(17));
	assert_null(spacesaving_create(0));
	assert_null(spacesaving_create(1025));
	countmin_destroy(NULL);
	hll_destroy(NULL);
	spacesaving_destroy(NULL);
}

/* Cormode, Muthukrishnan: never too small; more than e * N / w too large with probability e^-d. */
static void test_countmin_bounds(void **state)
{
	struct countmin *cm = countmin_create(10, 4);
	unsigned int n_beyond = 0;
	uint64_t total = 0;

	for (uint32_t i = 0; i < KEYS; i++) {
		countmin_add(cm, key_of(i, 1), truth(i));
		total += truth(i);
	}
	for (uint32_t i = 0; i < KEYS; i++) {
		const uint32_t estimate = countmin_estimate(cm, key_of(i, 1));

		assert_true(estimate >= truth(i));
		n_beyond += estimate - truth(i) > total * 2.7182818 / 1024;
	}
	assert_true(n_beyond <= KEYS * 0.0184);
	countmin_clear(cm);
	assert_int_equal(countmin_estimate(cm, key_of(0, 1)), 0);
	countmin_destroy(cm);
}

static void test_countmin_stays_at_its_end(void **state)
{
	struct countmin *cm = countmin_create(4, 1);

	countmin_add(cm, 5, UINT32_MAX - 1);
	assert_int_equal(countmin_estimate(cm, 5), UINT32_MAX - 1);
	countmin_add(cm, 5, 1);
	assert_int_equal(countmin_estimate(cm, 5), UINT32_MAX);
	countmin_add(cm, 5, 77);
	assert_int_equal(countmin_estimate(cm, 5), UINT32_MAX);
	countmin_destroy(cm);
}

/* Small numbers are exact, or nearly; the root of the mean square error of many runs is the
 * standard error of the paper, 1.04 / sqrt(m). */
static void test_hll_error(void **state)
{
	static const uint32_t sizes[] = {1, 10, 100, 1000, 10000, 50000};
	struct hll *hll = hll_create(10);
	const double standard = 1.04 / 32;

	assert_int_equal(hll_estimate(hll), 0);
	for (size_t s = 0; s < ARRAY_SIZE(sizes); s++) {
		const double n = sizes[s];
		double squares = 0;

		for (uint64_t seed = 0; seed < 40; seed++) {
			double error;

			hll_clear(hll);
			for (uint64_t i = 0; i < sizes[s]; i++)
				hll_add(hll, key_of(i, seed));
			error = ((double)hll_estimate(hll) - n) / n;
			squares += error * error;
		}
		/* 40 runs: their mean is within a quarter of the truth, nearly always. */
		assert_true(squares / 40 < standard * standard * 1.25 * 1.25);
	}
	hll_destroy(hll);
}

static void test_hll_counts_different_ones(void **state)
{
	struct hll *a = hll_create(12), *b = hll_create(12), *empty = hll_create(12);

	for (uint64_t i = 0; i < 3000; i++) {
		hll_add(a, key_of(i % 1000, 3));
		hll_add(b, key_of(500 + i % 1000, 3));
	}
	assert_in_range(hll_estimate(a), 950, 1050);
	hll_merge(a, b);
	assert_in_range(hll_estimate(a), 1425, 1575);
	hll_merge(a, empty);
	assert_in_range(hll_estimate(a), 1425, 1575);
	hll_add(empty, 0); /* the longest run of zeros */
	assert_int_equal(hll_estimate(empty), 1);
	hll_clear(a);
	assert_int_equal(hll_estimate(a), 0);
	hll_destroy(a);
	hll_destroy(b);
	hll_destroy(empty);
}

#define STREAM 100000u

/* Keys in an order of chance, key i as often as truth(i) / 20 says. Returns how many. */
static uint32_t make_stream(uint32_t *stream)
{
	unsigned int seed = 5;
	uint32_t n = 0;

	for (uint32_t i = 0; i < 2000; i++)
		for (uint32_t k = 0; k < truth(i) / 20; k++)
			stream[n++] = i;
	assert_in_range(n, 50000, STREAM);
	for (uint32_t i = n - 1; i > 0; i--) {
		const uint32_t other = (uint32_t)rand_r(&seed) % (i + 1), key = stream[i];

		stream[i] = stream[other];
		stream[other] = key;
	}
	return n;
}

/* Metwally: who has more than N / k is there; count - error <= truth <= count; error <= N / k. */
static void test_spacesaving_bounds(void **state)
{
	enum { K = 64 };
	struct spacesaving *ss = spacesaving_create(K);
	struct spacesaving_item items[K];
	uint32_t *stream = xb_calloc(STREAM, sizeof(*stream));
	const uint32_t total = make_stream(stream);
	unsigned int n_there = 0, n_frequent = 0;

	for (uint32_t i = 0; i < total; i++) {
		uint8_t label[SPACESAVING_LABEL] = {0};

		memcpy(label, &stream[i], sizeof(stream[i]));
		spacesaving_add(ss, key_of(stream[i], 9), label, 1);
	}
	assert_int_equal(spacesaving_total(ss), total);
	assert_int_equal(spacesaving_top(ss, items, K), K);
	for (uint32_t i = 0; i < 2000; i++)
		n_frequent += truth(i) / 20 > total / K;
	for (unsigned int j = 0; j < K; j++) {
		uint32_t i;

		memcpy(&i, items[j].label, sizeof(i));
		assert_true(items[j].key == key_of(i, 9));
		assert_true(items[j].count >= truth(i) / 20);
		assert_true(items[j].count - items[j].error <= truth(i) / 20);
		assert_true(items[j].error <= total / K);
		assert_true(j == 0 || items[j].count <= items[j - 1].count);
		n_there += truth(i) / 20 > total / K;
	}
	assert_int_equal(n_there, n_frequent);
	assert_true(n_frequent > 3);
	spacesaving_clear(ss);
	assert_int_equal(spacesaving_top(ss, items, K), 0);
	spacesaving_destroy(ss);
	free(stream);
}

static void test_spacesaving_few(void **state)
{
	static const uint8_t label[SPACESAVING_LABEL] = "abc";
	struct spacesaving *ss = spacesaving_create(3);
	struct spacesaving_item items[3];

	spacesaving_add(ss, 1, label, 5);
	spacesaving_add(ss, 2, label, 7);
	spacesaving_add(ss, 1, label, 5);
	assert_int_equal(spacesaving_top(ss, items, 0), 0);
	assert_int_equal(spacesaving_top(ss, items, 1), 1);
	assert_int_equal(items[0].key, 1);
	assert_int_equal(spacesaving_top(ss, items, 3), 2);
	assert_int_equal(items[1].count, 7);
	assert_int_equal(items[1].error, 0);
	assert_memory_equal(items[1].label, label, sizeof(label));
	/* Full: a new one takes the place of the least. */
	spacesaving_add(ss, 3, label, 1);
	spacesaving_add(ss, 4, label, 2);
	assert_int_equal(spacesaving_top(ss, items, 3), 3);
	assert_int_equal(items[2].key, 4);
	assert_int_equal(items[2].count, 3);
	assert_int_equal(items[2].error, 1);
	spacesaving_destroy(ss);
}

static void test_entropy(void **state)
{
	uint32_t counts[256] = {0};

	assert_int_equal(sketch_entropy(counts, 256), 0);
	counts[17] = 12345;
	assert_int_equal(sketch_entropy(counts, 256), 0);
	counts[200] = 12345;
	assert_int_equal(sketch_entropy(counts, 256), 100);
	for (size_t i = 0; i < 256; i++)
		counts[i] = 3;
	assert_in_range(sketch_entropy(counts, 256), 799, 800);
	for (size_t i = 0; i < 256; i++)
		counts[i] = UINT32_MAX;
	assert_in_range(sketch_entropy(counts, 256), 799, 800);
	/* 3/4 and 1/4: 0.811 bit */
	memset(counts, 0, sizeof(counts));
	counts[0] = 3000;
	counts[1] = 1000;
	assert_in_range(sketch_entropy(counts, 2), 80, 82);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_countmin_bounds),
		cmocka_unit_test(test_countmin_stays_at_its_end),
		cmocka_unit_test(test_hll_error),
		cmocka_unit_test(test_hll_counts_different_ones),
		cmocka_unit_test(test_spacesaving_bounds),
		cmocka_unit_test(test_spacesaving_few),
		cmocka_unit_test(test_entropy),
	};

	return cmocka_run_group_tests_name("sketch", tests, NULL, NULL);
}
