/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-water.c - entitled rates: worked examples, then random links with the properties that the
 * result must have. */
#include "netback-team/water.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "util.h"

#define MBIT 1000000ull
#define MANY 1000000000000ull

static void close_to(uint64_t got, uint64_t want)
{
	assert_in_range(got + 2, want, want + 4);
}

static void test_shares(void **state)
{
	struct water_flow flows[] = {{.shares = 2000, .demand_bps = MANY},
				     {.shares = 2000, .demand_bps = MANY},
				     {.shares = 1000, .demand_bps = MANY}};
	const struct water_link link = {.capacity_bps = 1000 * MBIT};

	water_fill(flows, 3, &link);
	close_to(flows[0].rate_bps, 400 * MBIT);
	close_to(flows[1].rate_bps, 400 * MBIT);
	close_to(flows[2].rate_bps, 200 * MBIT);
	flows[1].demand_bps = 0;
	water_fill(flows, 3, &link);
	close_to(flows[0].rate_bps, 666666666);
	close_to(flows[1].rate_bps, 0);
	close_to(flows[2].rate_bps, 333333333);
	flows[1].demand_bps = 200 * MBIT;
	water_fill(flows, 3, &link);
	close_to(flows[0].rate_bps, 533333333);
	close_to(flows[1].rate_bps, 200 * MBIT);
	close_to(flows[2].rate_bps, 266666666);
}

static void test_bounds(void **state)
{
	struct water_flow flows[] = {{.shares = 1, .min_bps = 500 * MBIT, .demand_bps = MANY},
				     {.shares = 1000, .max_bps = 100 * MBIT, .demand_bps = MANY},
				     {.shares = 300, .demand_bps = MANY},
				     {.shares = 100, .demand_bps = MANY},
				     {.shares = 100, .min_bps = 200 * MBIT, .demand_bps = 0}};
	const struct water_link link = {.capacity_bps = 1000 * MBIT};

	water_fill(flows, 5, &link);
	close_to(flows[0].rate_bps, 500 * MBIT);
	close_to(flows[1].rate_bps, 100 * MBIT);
	close_to(flows[2].rate_bps, 300 * MBIT);
	close_to(flows[3].rate_bps, 100 * MBIT);
	close_to(flows[4].rate_bps, 0); /* a minimum that nobody uses is given to others */
}

/* Minima beyond the link (nobody admitted them) are scaled, not exceeded. */
static void test_too_many_minima(void **state)
{
	struct water_flow flows[] = {{.shares = 1, .min_bps = 300 * MBIT, .demand_bps = MANY},
				     {.shares = 1, .min_bps = 100 * MBIT, .demand_bps = MANY}};
	const struct water_link link = {.capacity_bps = 200 * MBIT};

	water_fill(flows, 2, &link);
	close_to(flows[0].rate_bps, 150 * MBIT);
	close_to(flows[1].rate_bps, 50 * MBIT);
}

static void test_strict(void **state)
{
	struct water_flow flows[] = {
		{.shares = 1, .priority = 9, .demand_bps = 300 * MBIT},
		{.shares = 1, .priority = 9, .demand_bps = MANY, .max_bps = 400 * MBIT},
		{.shares = 3, .priority = 4, .demand_bps = MANY},
		{.shares = 1, .priority = 4, .demand_bps = MANY},
		{.shares = 9, .priority = 0, .demand_bps = MANY},
		{.shares = 9, .priority = 1, .demand_bps = MANY, .min_bps = 50 * MBIT}};
	const struct water_link link = {
		.capacity_bps = 1000 * MBIT, .strict = true, .floor_permille = 10};

	water_fill(flows, 6, &link);
	close_to(flows[0].rate_bps, 300 * MBIT);
	close_to(flows[1].rate_bps, 400 * MBIT);
	close_to(flows[2].rate_bps, 180 * MBIT); /* 1000 - 700 - 10 - 50, 3 : 1 */
	close_to(flows[3].rate_bps, 60 * MBIT);
	close_to(flows[4].rate_bps, 10 * MBIT);
	close_to(flows[5].rate_bps, 50 * MBIT);
}

static double top(const struct water_flow *flow)
{
	return flow->max_bps ? (double)MIN(flow->max_bps, flow->demand_bps)
			     : (double)flow->demand_bps;
}

/* All of the link or all demand; minima met, maxima kept; who gets less per share than another is
 * at its maximum, or the other one at its minimum. */
static void check_level(const struct water_flow *flows, uint32_t n, double capacity)
{
	double sum = 0, wanted = 0;

	for (uint32_t i = 0; i < n; i++) {
		const double rate = (double)flows[i].rate_bps, most = top(&flows[i]);

		sum += rate;
		wanted += most;
		assert_true(rate <= most);
		assert_true(rate + 2 >= fmin(most, (double)flows[i].min_bps));
		for (uint32_t j = 0; j < n; j++) {
			const double mine = rate / flows[i].shares;
			const double other = (double)flows[j].rate_bps / flows[j].shares;

			assert_true(mine >= other - 2 || rate + 2 >= most ||
				    (double)flows[j].rate_bps <= (double)flows[j].min_bps + 2);
		}
	}
	assert_true(fabs(sum - fmin(capacity, wanted)) <= n + capacity * 1e-9);
}

static void test_random(void **state)
{
	for (unsigned int seed = 1; seed <= 300; seed++) {
		unsigned int random = seed;
		struct water_flow flows[20];
		const struct water_link link = {
			.capacity_bps = (1 + (unsigned int)rand_r(&random) % 10000) * MBIT};
		const uint32_t n = 1 + (unsigned int)rand_r(&random) % ARRAY_SIZE(flows);

		for (uint32_t i = 0; i < n; i++) {
			flows[i] = (struct water_flow){
				.shares = 1 + (unsigned int)rand_r(&random) % 5000,
				.demand_bps = link.capacity_bps *
					      ((unsigned int)rand_r(&random) % 100) / 50};
			if (rand_r(&random) % 2)
				flows[i].min_bps = link.capacity_bps / n *
						   ((unsigned int)rand_r(&random) % 75) / 100;
			if (rand_r(&random) % 2)
				flows[i].max_bps = flows[i].min_bps + 1 +
						   link.capacity_bps *
							   ((unsigned int)rand_r(&random) % 100) /
							   200;
		}
		water_fill(flows, n, &link);
		check_level(flows, n, (double)link.capacity_bps);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shares),		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_too_many_minima), cmocka_unit_test(test_strict),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests_name("water", tests, NULL, NULL);
}
