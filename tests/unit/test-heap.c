/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-heap.c - random inserts, changes and removals beside a plain search. */
#include "netback-team/heap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "util.h"

#define N      100
#define ABSENT UINT64_MAX

static _Alignas(HEAP_ALIGN) struct heap_entry entries[2][HEAP_ROOM(N)];
static uint32_t position[N];
static struct heap heap, other;
static uint64_t keys[N];

static void begin(void)
{
	for (uint32_t i = 0; i < N; i++) {
		position[i] = HEAP_ABSENT;
		keys[i] = ABSENT;
	}
	heap_init(&heap, entries[0], position);
	heap_init(&other, entries[1], position);
}

/* Parent before child, positions right, everybody there. */
static void check(void)
{
	uint64_t least = ABSENT;
	uint32_t n = 0;

	for (uint32_t i = 0; i < N; i++) {
		n += keys[i] != ABSENT;
		least = MIN(least, keys[i]);
		if (keys[i] == ABSENT)
			assert_int_equal(position[i], HEAP_ABSENT);
		else
			assert_true(heap.entries[position[i]].id == i &&
				    heap.entries[position[i]].key == keys[i]);
	}
	assert_int_equal(heap.n, n);
	if (n)
		assert_true(heap_top(&heap)->key == least);
	for (uint32_t i = HEAP_ROOT + 1; i < HEAP_ROOT + n; i++)
		assert_true(heap.entries[i / 4 + 2].key <= heap.entries[i].key);
}

static void test_random(void **state)
{
	begin();
	for (unsigned int seed = 1; seed < 50; seed++) {
		unsigned int random = seed;

		for (int step = 0; step < 400; step++) {
			const uint32_t id = (unsigned int)rand_r(&random) % N;

			if (rand_r(&random) % (1 + seed % 4) == 0) {
				heap_remove(&heap, id);
				keys[id] = ABSENT;
			} else {
				keys[id] = (unsigned int)rand_r(&random) % 64;
				heap_put(&heap, id, keys[id]);
			}
			check();
		}
	}
}

static void test_sorts(void **state)
{
	uint64_t last = 0;
	unsigned int seed = 5;

	begin();
	for (uint32_t i = 0; i < N; i++)
		heap_put(&heap, i, ((uint64_t)rand_r(&seed) << 32) + i);
	while (heap.n) {
		assert_true(heap_top(&heap)->key >= last);
		last = heap_top(&heap)->key;
		heap_remove(&heap, heap_top(&heap)->id);
	}
}

/* Two heaps, one array of positions. */
static void test_shared_positions(void **state)
{
	begin();
	heap_put(&heap, 1, 10);
	heap_put(&other, 2, 5);
	heap_put(&other, 3, 4);
	assert_int_equal(heap_top(&heap)->id, 1);
	assert_int_equal(heap_top(&other)->id, 3);
	heap_remove(&heap, 1);
	heap_put(&other, 1, 1);
	assert_int_equal(heap.n, 0);
	assert_int_equal(heap_top(&other)->id, 1);
}

/* The largest key is a key like others, though empty places hold it too. */
static void test_largest_key(void **state)
{
	begin();
	for (uint32_t i = 0; i < 7; i++)
		heap_put(&heap, i, UINT64_MAX);
	heap_put(&heap, 3, 1);
	assert_int_equal(heap_top(&heap)->id, 3);
	heap_put(&heap, 3, UINT64_MAX);
	for (uint32_t n = 7; n > 0; n--) {
		const uint32_t id = heap_top(&heap)->id;

		assert_true(id < 7 && position[id] == HEAP_ROOT);
		heap_remove(&heap, id);
		assert_int_equal(position[id], HEAP_ABSENT);
		assert_int_equal(heap.n, n - 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_sorts),
		cmocka_unit_test(test_shared_positions),
		cmocka_unit_test(test_largest_key),
	};

	return cmocka_run_group_tests_name("heap", tests, NULL, NULL);
}
