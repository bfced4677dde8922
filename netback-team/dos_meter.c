/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dos_meter.c - thresholds with memory, see dos_meter.h. */
#include "dos_meter.h"

#include <string.h>

#include "util.h"

#define LEARN_WEIGHT 64u  /* values: alpha is 1/64 */
#define NOTHING	     1e-9 /* less of what is learned is 0: silence must not become ever dearer */

void dos_meter_defaults(struct dos_meter_options *options)
{
	*options = (struct dos_meter_options){
		.mode = DOS_MODE_ADAPTIVE,
		.deviations = 5,
		.learn_ns = 60 * NSEC_PER_SEC,
		.ceiling = 10,
		.n = 3,
		.m = 5,
		.fast_factor = 4,
		.fast_n = 5,
		.fast_m = 8,
		.clear_percent = 60,
		.clear_ns = 30 * NSEC_PER_SEC,
	};
}

static bool within(uint64_t value, uint64_t least, uint64_t most)
{
	return value >= least && value <= most;
}

const char *dos_meter_check(const struct dos_meter_options *options)
{
	if (options->mode != DOS_MODE_FIXED && options->mode != DOS_MODE_ADAPTIVE)
		return "the mode is fixed or adaptive";
	if (!within(options->deviations, 1, 20))
		return "deviations are 1 to 20";
	if (options->learn_ns > 3600 * NSEC_PER_SEC)
		return "learning takes 0s to 1h";
	if (!within(options->ceiling, 1, 1000))
		return "the ceiling is 1 to 1000";
	if (!within(options->n, 1, 8) || !within(options->m, options->n, 8))
		return "n of m values are 1 to 8, n at most m";
	if (options->fast_factor > 1000)
		return "the fast factor is 0 to 1000";
	if (!within(options->fast_n, 1, 8) || !within(options->fast_m, options->fast_n, 8))
		return "fast n of m values are 1 to 8, n at most m";
	if (!within(options->clear_percent, 10, 95))
		return "alarms end at 10 to 95 percent of the threshold";
	if (!within(options->clear_ns, NSEC_PER_SEC, 3600 * NSEC_PER_SEC))
		return "alarms end after 1s to 1h";
	return NULL;
}

/* Newton's method from above; libm is not for pure files. x >= 0. */
static double square_root(double x)
{
	double root = x > 1 ? x : 1, next = (root + x / root) / 2;

	while (next < root) {
		root = next;
		next = (root + x / root) / 2;
	}
	return root;
}

uint64_t dos_meter_sd(const struct dos_meter *meter)
{
	return (uint64_t)(square_root(meter->var) + 0.5);
}

static void learn(struct dos_meter *meter, uint64_t value)
{
	const uint64_t n = ++meter->n_learned;
	const double weight = (double)MIN(n, LEARN_WEIGHT);
	const double difference = (double)value - meter->mean;
	const double step = difference / weight;

	/* West 1979; with weight = 1, 2, 3 ... it is the plain mean and variance. */
	meter->mean += step;
	meter->var = (1 - 1 / weight) * (meter->var + difference * step);
	if (meter->mean < NOTHING)
		meter->mean = 0;
	if (meter->var < NOTHING)
		meter->var = 0;
}

static bool is_known(const struct dos_meter *meter, const struct dos_meter_options *options,
		     uint64_t now_ns)
{
	return now_ns - meter->since_ns >= options->learn_ns && meter->n_learned > 1;
}

static uint64_t threshold(const struct dos_meter *meter, const struct dos_meter_options *options,
			  const struct dos_reading *reading, uint64_t now_ns)
{
	const uint64_t most = reading->floor * options->ceiling;
	double usual;

	if (!reading->two_sided && (!reading->adaptive || options->mode == DOS_MODE_FIXED))
		return reading->floor;
	if (!is_known(meter, options, now_ns))
		return reading->two_sided ? UINT64_MAX : most;
	usual = (reading->two_sided ? 0 : meter->mean) +
		(double)options->deviations * square_root(meter->var);
	return usual >= (double)most ? most : MAX((uint64_t)usual, reading->floor);
}

static uint64_t judged_value(const struct dos_meter *meter, const struct dos_reading *reading)
{
	const double difference = (double)reading->value - meter->mean;

	if (reading->idle)
		return 0;
	if (!reading->two_sided)
		return reading->value;
	return (uint64_t)(difference < 0 ? -difference : difference);
}

static bool n_of_m(uint8_t over, uint64_t n, uint64_t m)
{
	uint64_t found = 0;

	for (uint64_t i = 0; i < m; i++)
		found += over >> i & 1;
	return found >= n;
}

static enum dos_change raise_alarm(struct dos_meter *meter, uint64_t now_ns)
{
	meter->alarm = true;
	meter->raised_ns = meter->high_ns = now_ns;
	meter->peak = meter->value;
	return DOS_CHANGE_RAISED;
}

enum dos_change dos_meter_tick(struct dos_meter *meter, const struct dos_meter_options *options,
			       const struct dos_reading *reading, uint64_t now_ns)
{
	const uint64_t value = judged_value(meter, reading);
	bool over;

	if (meter->since_ns == 0)
		meter->since_ns = MAX(now_ns, 1);
	meter->value = reading->value;
	if (!meter->alarm)
		meter->threshold = threshold(meter, options, reading, now_ns);
	over = value > meter->threshold;
	meter->over = (uint8_t)(meter->over << 1 | over);
	if (!over && !meter->alarm && !reading->freeze)
		learn(meter, reading->value);
	if (!meter->alarm)
		return n_of_m(meter->over, options->n, options->m) ? raise_alarm(meter, now_ns)
								   : DOS_CHANGE_NONE;
	meter->peak = MAX(meter->peak, meter->value);
	if (reading->partial ||
	    (double)value * 100 >= (double)meter->threshold * (double)options->clear_percent)
		meter->high_ns = now_ns;
	if (now_ns - meter->high_ns < options->clear_ns)
		return DOS_CHANGE_NONE;
	meter->alarm = false;
	meter->over = meter->fast_over = 0;
	return DOS_CHANGE_CLEARED;
}

enum dos_change dos_meter_fast(struct dos_meter *meter, const struct dos_meter_options *options,
			       uint64_t value, uint64_t floor, uint64_t now_ns)
{
	const uint64_t limit =
		meter->since_ns ? meter->threshold
				: floor * (options->mode == DOS_MODE_FIXED ? 1 : options->ceiling);
	const bool over = (double)value > (double)limit * (double)options->fast_factor;

	meter->fast_over = (uint8_t)(meter->fast_over << 1 | over);
	if (meter->alarm || options->fast_factor == 0 ||
	    !n_of_m(meter->fast_over, options->fast_n, options->fast_m))
		return DOS_CHANGE_NONE;
	meter->value = value;
	meter->threshold = limit;
	return raise_alarm(meter, now_ns);
}

void dos_meter_reset(struct dos_meter *meter)
{
	memset(meter, 0, sizeof(*meter));
}
