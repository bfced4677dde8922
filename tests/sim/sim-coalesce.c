/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sim-coalesce.c - random worlds around the merging engine; what must hold in them is written in
 * coalesce-world.h. SIM_SEEDS (default 3000) runs from SIM_SEED (default 1); the seed of a failure
 * is printed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/sim/coalesce-world.h"
#include "tests/sim/seeds.h"
#include "util.h"

static struct world world;

/* splitmix64: neighbouring seeds have nothing in common. */
static uint32_t draw(void *ctx, uint32_t n)
{
	uint64_t *state = ctx, x = *state += 0x9e3779b97f4a7c15u;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return (uint32_t)((x ^ (x >> 31)) % n);
}

static void add(struct world_counts *sum, const struct world_counts *one)
{
	uint64_t *to = (uint64_t *)sum;
	const uint64_t *from = (const uint64_t *)one;

	for (size_t i = 0; i < sizeof(*sum) / sizeof(*to); i++)
		to[i] += from[i];
}

static void test_worlds(void **state)
{
	unsigned int first = sim_setting("SIM_SEED", 1), n = sim_setting("SIM_SEEDS", 3000),
		     failed = 0;
	struct world_counts sum = {0};

	for (unsigned int seed = first; seed < first + n; seed++) {
		uint64_t random = seed;

		if (!world_run(&world, draw, &random)) {
			failed++;
			printf("# seed=%u (repeat: SIM_SEED=%u SIM_SEEDS=1): %s, %s: %s\n", seed,
			       seed, world.exact ? "exact" : "race", world.config.in ? "IN" : "OUT",
			       world.error);
		}
		add(&sum, &world.counts);
	}
	printf("# seeds %u to %u: %llu requests in %llu transfers, %llu merged; %llu short ends, "
	       "%llu failures, %llu unlinks, %llu recalls, %llu taken back, %llu early ends, %llu "
	       "cancels too late, %llu lost, %llu echoes, %llu straddled, %llu out of patience, "
	       "%llu switched off\n",
	       first, first + n - 1, (unsigned long long)sum.requests,
	       (unsigned long long)sum.batches, (unsigned long long)sum.merged,
	       (unsigned long long)sum.short_ends, (unsigned long long)sum.failures,
	       (unsigned long long)sum.unlinks, (unsigned long long)sum.recalls,
	       (unsigned long long)sum.unissued, (unsigned long long)sum.early_ends,
	       (unsigned long long)sum.too_late, (unsigned long long)sum.lost,
	       (unsigned long long)sum.echoes, (unsigned long long)sum.straddled,
	       (unsigned long long)sum.patience, (unsigned long long)sum.off);
	assert_int_equal(failed, 0);
	if (n < 2000)
		return;
	/* What was never reached was not tested. */
	for (size_t i = 0; i < sizeof(sum) / sizeof(uint64_t); i++)
		assert_true(((const uint64_t *)&sum)[i] > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_worlds)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
