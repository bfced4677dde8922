/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-fair-examples.c - the worked examples of sharing a team, one test each, on simulated time:
 * 2000, 2000 and 1000 shares; one VM of them stopped; one that uses 20 %; a VM at 15 % of a team
 * that loses half of its capacity; a VM that wakes.
 *
 * Every example runs with every mix of frames: all sizes from 84 to 1538 bytes on the wire and GSO
 * frames of 64 KiB, in one VM and against each other. Each asserts rates within 1 % over a second
 * and, frame by frame, the bound of the lag: service divided by shares of two VMs that always have
 * frames never differs by more than the largest frame of each, over any interval.
 */
#include "netback-team/fair.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/fair-lab.h"
#include "util.h"

#define VMS_MAX 5

/* What one VM of a mix sends, in turn; VMs beyond the third begin with the first again. */
struct mix {
	const char *name;
	uint32_t sizes[3][LAB_SIZES];
	unsigned int n;
	bool random; /* each frame sent is replaced by one of any size */
};

static const struct mix mixes[] = {
	{"all sizes in each VM",
	 {{60, 600, 1514, LAB_GSO}, {LAB_GSO, 60, 600, 1514}, {1514, LAB_GSO, 60, 600}},
	 4,
	 false},
	{"any size at random",
	 {{60, 600, 1514, LAB_GSO}, {60, 600, 1514, LAB_GSO}, {60, 600, 1514, LAB_GSO}},
	 4,
	 true},
	{"60, GSO, 1514", {{60}, {LAB_GSO}, {1514}}, 1, false},
	{"GSO, 1514, 60", {{LAB_GSO}, {1514}, {60}}, 1, false},
	{"1514, 60, GSO", {{1514}, {60}, {LAB_GSO}}, 1, false},
};

/* A team, and what its VMs got since `begin`, divided by their shares. */
struct team {
	struct lab lab;
	const struct mix *mix;
	unsigned int n;
	uint32_t shares[VMS_MAX];
	bool always[VMS_MAX];	 /* has frames all the time */
	double served[VMS_MAX];	 /* bytes / shares */
	double largest[VMS_MAX]; /* frame, bytes / shares */
	double low[VMS_MAX][VMS_MAX], high[VMS_MAX][VMS_MAX];
	uint64_t random;
	char what[96];
};

static struct team team;

/* xorshift64 (Marsaglia 2003) */
static uint32_t draw(uint32_t n)
{
	team.random ^= team.random << 13;
	team.random ^= team.random >> 7;
	team.random ^= team.random << 17;
	return (uint32_t)(team.random % n);
}

static struct cost any_size(void)
{
	if (draw(4) == 0)
		return cost_of(COST_UNIT_WIRE, LAB_GSO, 1448, 54);
	return cost_of(COST_UNIT_WIRE, 60 + draw(1514 - 60 + 1), 0, 54);
}

/* The difference of two VMs, as it was at its lowest and at its highest: over any interval it
 * changed by no more than their distance. */
static void note(struct lab *lab, unsigned int vm, struct cost cost)
{
	struct lab_flow *flow = &lab->flows[vm];

	team.served[vm] += (double)cost.bytes / team.shares[vm];
	team.largest[vm] = fmax(team.largest[vm], (double)cost.bytes / team.shares[vm]);
	for (unsigned int i = 0; i < team.n; i++) {
		const double ahead = team.served[vm] - team.served[i];

		team.high[vm][i] = fmax(team.high[vm][i], ahead);
		team.low[i][vm] = fmin(team.low[i][vm], -ahead);
	}
	/* The next frame is known already, the one behind it is not. */
	if (team.mix->random)
		flow->sizes[(flow->at + flow->n_sizes - 1) % flow->n_sizes] = any_size();
}

static void begin(void)
{
	memset(team.served, 0, sizeof(team.served));
	memset(team.low, 0, sizeof(team.low));
	memset(team.high, 0, sizeof(team.high));
	lab_mark(&team.lab);
}

/* VMs that always have frames. */
static void start(const struct mix *mix, unsigned int n, const uint32_t *shares, uint64_t bps)
{
	memset(&team, 0, sizeof(team));
	team.mix = mix;
	team.n = n;
	team.random = 88172645463325252u;
	lab_init(&team.lab, bps);
	for (unsigned int i = 0; i < n; i++) {
		lab_greedy(&team.lab, i, shares[i], 60);
		lab_load(&team.lab, i, mix->sizes[i % 3], mix->n, LAB_GREEDY);
		team.shares[i] = shares[i];
		team.always[i] = true;
	}
	team.lab.after = note;
}

static void demand(unsigned int vm, uint64_t bps)
{
	team.lab.flows[vm].demand_bps = bps;
	team.always[vm] = bps == LAB_GREEDY;
	if (bps == 0)
		fair_idle(team.lab.fair, vm, team.lab.now_ns);
}

static void part(unsigned int vm, double want)
{
	snprintf(team.what, sizeof(team.what), "%s: VM %u", team.mix->name, vm);
	lab_close(team.what, lab_part(&team.lab, vm), want, 0.01);
}

/* `vm` was never further ahead of `other` than a largest frame of each. */
static void not_ahead(unsigned int vm, unsigned int other)
{
	const double bound = team.largest[vm] + team.largest[other];

	if (team.high[vm][other] > bound * 1.000001)
		fail_msg("%s: VM %u ahead of VM %u by %.3f bytes a share, largest frames %.3f",
			 team.mix->name, vm, other, team.high[vm][other], bound);
}

static void lag_bounded(void)
{
	for (unsigned int i = 0; i < team.n; i++) {
		for (unsigned int j = 0; j < i; j++) {
			const double lag = team.high[i][j] - team.low[i][j];
			const double bound = team.largest[i] + team.largest[j];

			if (team.always[i] && team.always[j] && lag > bound * 1.000001)
				fail_msg("%s: lag of VMs %u and %u %.3f bytes a share, largest "
					 "frames %.3f",
					 team.mix->name, j, i, lag, bound);
		}
	}
}

static const uint32_t three[] = {2000, 2000, 1000};
static const uint32_t five[] = {1000, 1000, 1000, 1000, 1000};

/* An example with every mix. */
static void with_every_mix(void (*example)(const struct mix *mix))
{
	for (size_t i = 0; i < ARRAY_SIZE(mixes); i++) {
		example(&mixes[i]);
		lag_bounded();
		lab_fini(&team.lab);
	}
}

static void all_send(const struct mix *mix)
{
	start(mix, 3, three, GBIT);
	lab_run(&team.lab, NSEC_PER_SEC);
	part(0, 0.4);
	part(1, 0.4);
	part(2, 0.2);
}

static void test_40_40_20(void **state)
{
	with_every_mix(all_send);
}

static void one_stopped(const struct mix *mix)
{
	start(mix, 3, three, GBIT);
	lab_run(&team.lab, 20 * NSEC_PER_MSEC);
	demand(1, 0);
	begin();
	lab_run(&team.lab, NSEC_PER_SEC);
	part(0, 2 / 3.0);
	part(2, 1 / 3.0);
}

static void test_67_33_one_stopped(void **state)
{
	with_every_mix(one_stopped);
}

static void one_uses_20(const struct mix *mix)
{
	start(mix, 3, three, GBIT);
	demand(1, GBIT / 5);
	lab_run(&team.lab, 20 * NSEC_PER_MSEC);
	begin();
	lab_run(&team.lab, NSEC_PER_SEC);
	part(0, 0.8 * 2 / 3);
	part(1, 0.2);
	part(2, 0.8 / 3);
	not_ahead(1, 0);
	not_ahead(1, 2);
}

static void test_53_27_one_uses_20(void **state)
{
	with_every_mix(one_uses_20);
}

/* 15 % used of 20 % shares; half of the team dies, and that is 30 % of what is left. From the very
 * next frame on it is held to its 20 %. */
static void team_halved(const struct mix *mix)
{
	start(mix, 5, five, 2 * GBIT);
	demand(0, 300 * MBIT);
	lab_run(&team.lab, 20 * NSEC_PER_MSEC);
	begin();
	lab_run(&team.lab, NSEC_PER_SEC);
	part(0, 0.15);
	part(1, 0.85 / 4);
	lab_set_capacity(&team.lab, GBIT, 2 * GBIT);
	begin();
	lab_run(&team.lab, NSEC_PER_SEC);
	for (unsigned int i = 0; i < team.n; i++)
		part(i, 0.2);
	for (unsigned int i = 1; i < team.n; i++)
		not_ahead(0, i);
}

static void test_15_of_20_team_halved(void **state)
{
	with_every_mix(team_halved);
}

/* Slept half a second: its share from now on, nothing of what it missed; the others lose nothing
 * but that share. */
static void one_wakes(const struct mix *mix)
{
	start(mix, 3, three, GBIT);
	demand(0, 0);
	lab_run(&team.lab, NSEC_PER_SEC / 2);
	demand(0, LAB_GREEDY);
	begin();
	lab_run(&team.lab, NSEC_PER_SEC);
	part(0, 0.4);
	part(1, 0.4);
	part(2, 0.2);
}

static void test_wake_starves_nobody(void **state)
{
	with_every_mix(one_wakes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_40_40_20),
		cmocka_unit_test(test_67_33_one_stopped),
		cmocka_unit_test(test_53_27_one_uses_20),
		cmocka_unit_test(test_15_of_20_team_halved),
		cmocka_unit_test(test_wake_starves_nobody),
	};

	return cmocka_run_group_tests_name("fair-examples", tests, NULL, NULL);
}
