/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sim-fair.c - random teams: VMs with shares, minima, limits and priorities, demands that change,
 * members that fail and come back, values that are set anew while frames flow.
 *
 * Always: the link is never idle while a VM may send (fair-lab.c); no VM ever gets more than its
 * average and burst, or its peak in any period, counted when its frames go, which in a storm may be
 * later than they were chosen. In quiet times, beside water filling (water.h):
 * each VM has the rate that it is entitled to; and of two VMs that only shares decide about,
 * service by share differs by no more than a frame of each. SIM_SEEDS (default 60) runs from
 * SIM_SEED (default 1); the seed of a failure is printed.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/fair-lab.h"
#include "util.h"

#define TIMES	   3 /* quiet times of a seed, a storm before each */
#define SETTLE_NS  (2000 * NSEC_PER_MSEC)
#define MEASURE_NS (300 * NSEC_PER_MSEC)
#define ALL_BPS	   GBIT
#define LAG_BYTES  131072u
#define LOG	   32768u

/* What one VM sent, for a second opinion on its limit. */
struct shadow {
	uint64_t begin_ns, sent;
	double avg_low, peak_low; /**< least of bytes sent - rate * time, so far */
	uint64_t ns[LOG], bytes[LOG];
	uint32_t first, n;
	uint64_t window; /**< bytes of the last period */
	uint32_t largest;
};

struct counts {
	uint64_t strict, scaled, refused, held, late, limited, peaks, windows, pairs, minimum,
		share, floor;
};

struct sim {
	struct lab lab;
	uint64_t random;
	struct shadow shadows[LAB_FLOWS];
	struct counts counts;
	bool storm;
	char error[160];
};

static struct sim sim;

/* splitmix64 */
static uint32_t draw(uint32_t n)
{
	uint64_t x = sim.random += 0x9e3779b97f4a7c15u;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return (uint32_t)((x ^ (x >> 31)) % n);
}

#define ERROR(...)                                                                                 \
	do {                                                                                       \
		if (!sim.error[0])                                                                 \
			snprintf(sim.error, sizeof(sim.error), __VA_ARGS__);                       \
	} while (0)

static const struct fair_flow_config *config_of(unsigned int id)
{
	return fair_flow_config(sim.lab.fair, id);
}

static double burst_of(const struct limit_config *limit)
{
	if (limit->burst_bytes)
		return (double)limit->burst_bytes;
	return (double)MAX(LIMIT_BURST_DEFAULT, limit->avg_bps / 800);
}

static void check_bucket(unsigned int id, double *low, uint64_t rate_bps, double depth,
			 uint32_t bytes, const char *what)
{
	const struct shadow *s = &sim.shadows[id];
	const double fluid = (double)(sim.lab.now_ns - s->begin_ns) * (double)rate_bps / 8e9;

	*low = fmin(*low, (double)s->sent - fluid);
	if ((double)(s->sent + bytes) - fluid - *low > depth + 0.1)
		ERROR("VM %u: %.1f bytes over its %s", id,
		      (double)(s->sent + bytes) - fluid - *low - depth, what);
}

static void check_window(unsigned int id, const struct limit_config *limit, uint32_t bytes)
{
	struct shadow *s = &sim.shadows[id];
	const double room = (double)limit->peak_bps * (double)limit->period_ns / 8e9;

	while (s->n && s->ns[s->first] + limit->period_ns <= sim.lab.now_ns) {
		s->window -= s->bytes[s->first];
		s->first = (s->first + 1) % LOG;
		s->n--;
	}
	s->ns[(s->first + s->n) % LOG] = sim.lab.now_ns;
	s->bytes[(s->first + s->n) % LOG] = bytes;
	s->n++;
	s->window += bytes;
	if (s->n == LOG)
		ERROR("VM %u: log is full", id);
	if ((double)s->window > room + s->largest + 0.1)
		ERROR("VM %u: %.1f bytes over its peak in a period", id,
		      (double)s->window - room - s->largest);
}

static void after(struct lab *lab, unsigned int id, struct cost cost)
{
	const struct limit_config *limit = &config_of(id)->limit;
	struct shadow *s = &sim.shadows[id];

	if (sim.storm && draw(8) == 0) {
		const uint64_t chosen_ns = lab->now_ns;

		lab->now_ns += draw(300) * NSEC_PER_USEC;
		fair_late(lab->fair, id, chosen_ns, lab->now_ns);
		sim.counts.late++;
	}
	s->largest = MAX(s->largest, cost.bytes);
	if (limit->avg_bps)
		check_bucket(id, &s->avg_low, limit->avg_bps, fmax(burst_of(limit), s->largest),
			     cost.bytes, "average");
	if (limit->peak_bps && limit->period_ns)
		check_window(id, limit, cost.bytes);
	else if (limit->peak_bps)
		check_bucket(id, &s->peak_low, limit->peak_bps, MAX(s->largest, LIMIT_BURST_MIN),
			     cost.bytes, "peak");
	s->sent += cost.bytes;
	sim.counts.floor += fair_last_phase(lab->fair) == FAIR_PHASE_FLOOR;
	sim.counts.share += fair_last_phase(lab->fair) == FAIR_PHASE_SHARE;
	sim.counts.minimum += fair_last_phase(lab->fair) == FAIR_PHASE_MINIMUM;
}

static struct limit_config random_limit(void)
{
	struct limit_config limit = {0};

	if (draw(3) == 0) {
		limit.avg_bps = ALL_BPS / 1000 * (5 + draw(400));
		if (draw(3) == 0)
			limit.burst_bytes = LIMIT_BURST_MIN + draw(100000);
		sim.counts.limited++;
	}
	if (draw(5) == 0) {
		limit.peak_bps = limit.avg_bps ? limit.avg_bps * (10 + draw(30)) / 10
					       : ALL_BPS / 1000 * (20 + draw(400));
		limit.period_ns = draw(2) * (1 + draw(20)) * NSEC_PER_MSEC;
		sim.counts.peaks++;
	}
	return limit;
}

static void random_flow(unsigned int id)
{
	struct fair_flow_config config = {.shares = 100 + draw(3000),
					  .priority = (uint8_t)draw(FAIR_PRIORITY_MAX + 1),
					  .limit = random_limit()};
	const uint64_t most = config.limit.avg_bps ? config.limit.avg_bps : config.limit.peak_bps;
	struct shadow *s = &sim.shadows[id];
	const char *why;

	if (draw(3) == 0)
		config.min_bps = (most ? most : ALL_BPS / 3) / 100 * draw(101);
	if (fair_flow_set(sim.lab.fair, id, &config, sim.lab.now_ns, &why) < 0) {
		sim.counts.refused++;
		config.min_bps = 0;
		lab_flow(&sim.lab, id, &config);
	}
	/* A new limit is judged from now on. */
	*s = (struct shadow){.begin_ns = sim.lab.now_ns, .avg_low = INFINITY, .peak_low = INFINITY};
}

static void random_load(unsigned int id)
{
	static const uint32_t sizes[][LAB_SIZES] = {{1514}, {1514, 60}, {590, 1514}, {LAB_GSO, 60}};
	static const unsigned int n[] = {1, 2, 2, 2};
	const unsigned int row = draw(6) == 0 ? 3 : draw(3);
	const uint64_t demands[] = {0, ALL_BPS / 1000 * (1 + draw(300)), LAB_GREEDY};

	lab_load(&sim.lab, id, sizes[row], n[row], demands[draw(3)]);
	if (sim.lab.flows[id].demand_bps == 0)
		fair_idle(sim.lab.fair, id, sim.lab.now_ns);
}

static void random_options(void)
{
	struct fair_options options = fair_options_default;
	const char *why;

	options.strict = draw(3) == 0;
	options.floor_permille = draw(4) * 10;
	options.max_lag_bytes = LAG_BYTES;
	options.wake_credit_bytes = draw(2) * draw(LAG_BYTES);
	sim.counts.strict += options.strict;
	assert_int_equal(fair_configure(sim.lab.fair, &options, sim.lab.now_ns, &why), 0);
}

static void random_step(void)
{
	const unsigned int id = draw(LAB_FLOWS);

	switch (draw(8)) {
	case 0:
		random_options();
		break;
	case 1:
		lab_set_capacity(&sim.lab, ALL_BPS / (1 + draw(4)), ALL_BPS);
		break;
	case 2:
		fair_flow_remove(sim.lab.fair, id, sim.lab.now_ns);
		random_flow(id);
		break;
	case 3:
		fair_hold(sim.lab.fair, id, sim.lab.now_ns);
		sim.counts.held++;
		break;
	case 4:
	case 5:
		random_load(id);
		break;
	default:
		random_flow(id);
	}
}

/* Bytes by which a VM may be off in any time: frames at both ends, lag, what its bucket held. */
static double slack(unsigned int id)
{
	const struct limit_config *limit = &config_of(id)->limit;
	const uint32_t frame =
		MAX(sim.lab.flows[id].sizes[0].bytes, sim.lab.flows[id].sizes[1].bytes);

	return 2.0 * frame + (config_of(id)->min_bps ? LAG_BYTES : 0) +
	       (limit->avg_bps ? burst_of(limit) : 0);
}

/* Frames of others make a VM late; a small bucket, or a peak, does not let it make up for that.
 * Such a VM may get less than it is entitled to, and the others its rest. */
static bool bound_only(unsigned int id)
{
	const struct limit_config *limit = &config_of(id)->limit;

	return limit->peak_bps || limit->burst_bytes;
}

static void entitled(uint64_t *rate)
{
	uint64_t demand[LAB_FLOWS];

	for (unsigned int i = 0; i < LAB_FLOWS; i++)
		demand[i] = MIN(sim.lab.flows[i].demand_bps, 4 * ALL_BPS);
	fair_entitled(sim.lab.fair, demand, rate);
	/* What one of them leaves makes the others' part larger, perhaps that of another such. */
	for (int round = 0; round < 8; round++) {
		for (unsigned int i = 0; i < LAB_FLOWS; i++)
			if (bound_only(i) && lab_bps(&sim.lab, i) < (double)rate[i])
				demand[i] = (uint64_t)lab_bps(&sim.lab, i);
		fair_entitled(sim.lab.fair, demand, rate);
	}
}

static bool same_band(unsigned int i, unsigned int j, bool strict)
{
	return !strict || config_of(i)->priority == config_of(j)->priority;
}

/* A VM may be off by what it is off by itself, and by its part of what others are: those of its
 * band share what all bands leave. The link itself: 0.1 %. */
static double tolerance(unsigned int id, const uint64_t *rate, bool strict)
{
	double all = 0, sum = 1;

	for (unsigned int i = 0; i < LAB_FLOWS; i++) {
		all += sim.lab.flows[i].demand_bps ? slack(i) : 0;
		sum += same_band(i, id, strict) ? (double)rate[i] : 0;
	}
	return (slack(id) + all * (double)rate[id] / sum) * 8e9 /
		       (double)(sim.lab.now_ns - sim.lab.mark_ns) +
	       0.01 * (double)rate[id] + 0.001 * (double)sim.lab.capacity_bps;
}

static void check_rates(bool strict)
{
	uint64_t rate[LAB_FLOWS];

	entitled(rate);
	for (unsigned int i = 0; i < LAB_FLOWS; i++) {
		const double want = (double)rate[i], got = lab_bps(&sim.lab, i);
		const double off = tolerance(i, rate, strict);

		if (sim.lab.flows[i].demand_bps && fabs(got - want) > off)
			ERROR("VM %u: %.3f Mbit, entitled to %.3f +- %.3f", i, got / 1e6,
			      want / 1e6, off / 1e6);
	}
}

static bool by_shares_alone(unsigned int id)
{
	const struct fair_flow_config *config = config_of(id);

	return sim.lab.flows[id].demand_bps == LAB_GREEDY && !config->min_bps &&
	       !config->limit.avg_bps && !config->limit.peak_bps;
}

static double largest_by_share(unsigned int id)
{
	const struct cost *sizes = sim.lab.flows[id].sizes;

	return (double)MAX(sizes[0].bytes, sizes[1].bytes) / config_of(id)->shares;
}

static double served_by_share(unsigned int id)
{
	return (double)(sim.lab.flows[id].sent - sim.lab.marks[id]) / config_of(id)->shares;
}

static void check_pairs(bool strict)
{
	for (unsigned int i = 0; i < LAB_FLOWS; i++) {
		for (unsigned int j = 0; j < i; j++) {
			if (!by_shares_alone(i) || !by_shares_alone(j) || !same_band(i, j, strict))
				continue;
			sim.counts.pairs++;
			if (fabs(served_by_share(i) - served_by_share(j)) >
			    (largest_by_share(i) + largest_by_share(j)) * 1.0001)
				ERROR("VMs %u and %u: more than a frame of each apart", i, j);
		}
	}
}

static void run_seed(unsigned int seed)
{
	sim.random = seed;
	sim.error[0] = '\0';
	lab_init(&sim.lab, ALL_BPS);
	sim.lab.after = after;
	for (unsigned int i = 0; i < LAB_FLOWS; i++) {
		random_flow(i);
		random_load(i);
	}
	for (int time = 0; time < TIMES; time++) {
		uint64_t strict;

		sim.storm = true;
		for (int step = 0; step < 40; step++) {
			random_step();
			lab_run(&sim.lab, draw(1000) * NSEC_PER_USEC);
		}
		sim.storm = false;
		strict = sim.counts.strict;
		random_options();
		for (unsigned int i = 0; i < LAB_FLOWS;
		     i++) /* what gathered in the storm is lost */
			sim.lab.flows[i].arrived = sim.lab.flows[i].sent;
		lab_run(&sim.lab, SETTLE_NS);
		lab_mark(&sim.lab);
		lab_run(&sim.lab, MEASURE_NS);
		sim.counts.windows++;
		sim.counts.scaled += !fair_minima_fit(sim.lab.fair);
		check_rates(sim.counts.strict > strict);
		check_pairs(sim.counts.strict > strict);
	}
	lab_fini(&sim.lab);
}

static unsigned int from_env(const char *name, unsigned int otherwise)
{
	const char *text = getenv(name);

	return text ? (unsigned int)strtoul(text, NULL, 0) : otherwise;
}

static void test_teams(void **state)
{
	unsigned int first = from_env("SIM_SEED", 1), n = from_env("SIM_SEEDS", 60), failed = 0;
	const struct counts *c = &sim.counts;

	for (unsigned int seed = first; seed < first + n; seed++) {
		run_seed(seed);
		if (sim.error[0]) {
			failed++;
			printf("# seed=%u (repeat: SIM_SEED=%u SIM_SEEDS=1): %s\n", seed, seed,
			       sim.error);
		}
	}
	printf("# seeds %u to %u: frames %llu for minima, %llu for shares, %llu for floors; %llu "
	       "times compared, %llu strict, %llu with minima scaled; %llu pairs; %llu averages, "
	       "%llu peaks, %llu refused, %llu held, %llu late\n",
	       first, first + n - 1, (unsigned long long)c->minimum, (unsigned long long)c->share,
	       (unsigned long long)c->floor, (unsigned long long)c->windows,
	       (unsigned long long)c->strict, (unsigned long long)c->scaled,
	       (unsigned long long)c->pairs, (unsigned long long)c->limited,
	       (unsigned long long)c->peaks, (unsigned long long)c->refused,
	       (unsigned long long)c->held, (unsigned long long)c->late);
	assert_int_equal(failed, 0);
	if (n < 20)
		return;
	/* What was never reached was not tested. */
	for (size_t i = 0; i < sizeof(*c) / sizeof(uint64_t); i++)
		assert_true(((const uint64_t *)c)[i] > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_teams)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
