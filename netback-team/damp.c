/* SPDX-License-Identifier: GPL-2.0-or-later */
/* damp.c - see damp.h. */
#include "damp.h"

#include "util.h"

#define HALVINGS_MAX 40u /* DAMP_REUSE << 40 fits */
#define STEPS	     16u /* a half-life has 2^16 steps; more precision has no use */

/* 2^(-1/2), 2^(-1/4), ... in 1/2^32. */
static const uint32_t roots[STEPS] = {
	3037000500, 3611622603, 3938502376, 4112874773, 4202935003, 4248701965,
	4271771996, 4283353945, 4289156690, 4292061010, 4293513907, 4294240540,
	4294603903, 4294785595, 4294876445, 4294921870,
};

/* penalty * 2^(-ns / half_life) */
static uint64_t decayed(uint64_t penalty, uint64_t ns, uint64_t half_life_ns)
{
	const uint64_t halvings = ns / half_life_ns;
	__uint128_t value = (__uint128_t)penalty << STEPS; /* bits to lose by rounding */
	uint64_t rest = ns % half_life_ns;

	if (halvings >= 64)
		return 0;
	value >>= halvings;
	for (unsigned int i = 0; i < STEPS; i++) {
		rest *= 2;
		if (rest < half_life_ns)
			continue;
		rest -= half_life_ns;
		value = (value * roots[i]) >> 32;
	}
	return (uint64_t)(value >> STEPS);
}

static uint64_t ceiling(const struct damp_options *options)
{
	const uint64_t halvings = MIN(options->max_ns / options->half_life_ns, HALVINGS_MAX);

	return MAX((uint64_t)DAMP_REUSE << halvings, options->suppress * DAMP_FLAP);
}

uint64_t damp_penalty(const struct damp *damp, const struct damp_options *options, uint64_t now_ns)
{
	const uint64_t penalty =
		decayed(damp->penalty, now_ns - damp->at_ns, options->half_life_ns);

	return MIN(penalty, ceiling(options));
}

void damp_flap(struct damp *damp, const struct damp_options *options, uint64_t now_ns)
{
	if (!options->on)
		return;
	damp->penalty = MIN(damp_penalty(damp, options, now_ns) + DAMP_FLAP, ceiling(options));
	damp->at_ns = now_ns;
	if (damp->penalty >= options->suppress * DAMP_FLAP - DAMP_FLAP / 2)
		damp->suppressed = true;
}

/* How long a penalty takes to fall below DAMP_REUSE: halvings, then a search for the rest.
 */
static uint64_t left_ns(uint64_t penalty, uint64_t half_life_ns)
{
	uint64_t ns = 0, low = 0, high = half_life_ns;

	if (penalty < DAMP_REUSE)
		return 0;
	while (penalty >= 2 * DAMP_REUSE) {
		penalty >>= 1;
		ns += half_life_ns;
	}
	while (high - low > 1) {
		const uint64_t middle = low + (high - low) / 2;

		if (decayed(penalty, middle, half_life_ns) < DAMP_REUSE)
			high = middle;
		else
			low = middle;
	}
	return ns + high;
}

bool damp_holds(struct damp *damp, const struct damp_options *options, uint64_t now_ns)
{
	if (damp->suppressed && damp_until(damp, options, now_ns) <= now_ns)
		damp->suppressed = false;
	return damp->suppressed;
}

uint64_t damp_until(const struct damp *damp, const struct damp_options *options, uint64_t now_ns)
{
	uint64_t left;

	if (!options->on || !damp->suppressed)
		return now_ns;
	left = left_ns(MIN(damp->penalty, ceiling(options)), options->half_life_ns);
	return MAX(damp->at_ns + MIN(left, options->max_ns), now_ns);
}
