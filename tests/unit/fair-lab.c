/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fair-lab.c - a link and its VMs, see fair-lab.h. */
#include "fair-lab.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "util.h"

#define NSEC_BITS (8 * NSEC_PER_SEC)

const uint32_t lab_mixed[3] = {1514, 60, LAB_GSO};

void lab_init(struct lab *lab, uint64_t capacity_bps)
{
	memset(lab, 0, sizeof(*lab));
	lab->fair = fair_create(LAB_FLOWS);
	lab->now_ns = lab->arrivals_ns = NSEC_PER_SEC;
	lab_set_capacity(lab, capacity_bps, capacity_bps);
	lab_mark(lab);
}

void lab_fini(struct lab *lab)
{
	fair_destroy(lab->fair);
}

void lab_flow(struct lab *lab, unsigned int flow, const struct fair_flow_config *config)
{
	const char *why;

	if (fair_flow_set(lab->fair, flow, config, lab->now_ns, &why) < 0)
		fail_msg("flow %u: %s", flow, why);
}

void lab_load(struct lab *lab, unsigned int flow, const uint32_t *sizes, unsigned int n_sizes,
	      uint64_t demand_bps)
{
	struct lab_flow *f = &lab->flows[flow];

	for (unsigned int i = 0; i < n_sizes; i++)
		f->sizes[i] = cost_of(COST_UNIT_WIRE, sizes[i], sizes[i] == LAB_GSO ? 1448 : 0, 54);
	f->n_sizes = n_sizes;
	f->at = flow % n_sizes;
	f->demand_bps = demand_bps;
	f->arrived = f->sent;
}

void lab_greedy(struct lab *lab, unsigned int flow, uint32_t shares, uint32_t size)
{
	const struct fair_flow_config config = {.shares = shares};

	lab_flow(lab, flow, &config);
	lab_load(lab, flow, &size, 1, LAB_GREEDY);
}

void lab_set_capacity(struct lab *lab, uint64_t up_bps, uint64_t all_bps)
{
	lab->capacity_bps = up_bps;
	fair_set_capacity(lab->fair, up_bps, all_bps, lab->now_ns);
}

static struct cost head(const struct lab_flow *f)
{
	return f->sizes[f->at];
}

static bool has_frame(const struct lab_flow *f)
{
	if (f->demand_bps == LAB_GREEDY)
		return true;
	return f->demand_bps && f->arrived - f->sent >= head(f).bytes;
}

static void arrivals(struct lab *lab)
{
	const uint64_t ns = lab->now_ns - lab->arrivals_ns;

	lab->arrivals_ns = lab->now_ns;
	for (unsigned int i = 0; i < LAB_FLOWS; i++) {
		struct lab_flow *f = &lab->flows[i];
		__uint128_t bits = (__uint128_t)ns * f->demand_bps + f->arrived_frac;

		if (f->demand_bps == 0)
			continue;
		if (f->demand_bps != LAB_GREEDY) {
			f->arrived_frac = (uint64_t)(bits % NSEC_BITS);
			f->arrived += (uint64_t)(bits / NSEC_BITS);
			f->arrived = MIN(f->arrived, f->sent + LAB_QUEUE_BYTES);
		}
		if (has_frame(f))
			fair_backlog(lab->fair, i, head(f), lab->now_ns);
		else
			fair_idle(lab->fair, i, lab->now_ns);
	}
}

/* When the next frame of a VM that has none is complete. */
static uint64_t next_arrival(const struct lab *lab)
{
	uint64_t next = DEADLINE_NEVER;

	for (unsigned int i = 0; i < LAB_FLOWS; i++) {
		const struct lab_flow *f = &lab->flows[i];

		if (f->demand_bps && !has_frame(f)) {
			__uint128_t bits =
				(__uint128_t)(head(f).bytes - (f->arrived - f->sent)) * NSEC_BITS -
				f->arrived_frac;
			uint64_t ns = (uint64_t)((bits + f->demand_bps - 1) / f->demand_bps);

			next = MIN(next, lab->now_ns + MAX(ns, 1));
		}
	}
	return next;
}

static void check_idle(struct lab *lab)
{
	for (unsigned int i = 0; i < LAB_FLOWS; i++) {
		struct fair_status status;

		if (!has_frame(&lab->flows[i]))
			continue;
		fair_flow_status(lab->fair, i, lab->now_ns, &status);
		if (status.wait != FAIR_WAIT_AVERAGE && status.wait != FAIR_WAIT_PEAK)
			lab->idle_wrong++;
	}
}

static void send(struct lab *lab, unsigned int flow)
{
	struct lab_flow *f = &lab->flows[flow];
	const struct cost cost = head(f);
	uint64_t bits;
	struct cost next;

	f->at = (f->at + 1) % f->n_sizes;
	f->sent += cost.bytes;
	if (f->demand_bps == LAB_GREEDY)
		f->arrived = f->sent;
	lab->sent += cost.bytes;
	next = head(f);
	fair_sent(lab->fair, flow, cost, has_frame(f) ? &next : NULL, lab->now_ns);
	if (lab->after)
		lab->after(lab, flow, cost);
	bits = cost.bytes * NSEC_BITS + lab->link_frac;
	lab->link_frac = bits % lab->capacity_bps;
	lab->now_ns += bits / lab->capacity_bps;
}

void lab_run(struct lab *lab, uint64_t duration_ns)
{
	const uint64_t end_ns = lab->now_ns + duration_ns;

	while (lab->now_ns < end_ns) {
		uint64_t deadline, until;
		int flow;

		arrivals(lab);
		flow = fair_next(lab->fair, lab->now_ns, &deadline);
		if (flow >= 0 && lab->capacity_bps) {
			send(lab, (unsigned int)flow);
			continue;
		}
		if (lab->capacity_bps)
			check_idle(lab);
		until = MIN(end_ns, MIN(deadline, next_arrival(lab)));
		if (until <= lab->now_ns)
			fail_msg("deadline %llu at %llu", (unsigned long long)until,
				 (unsigned long long)lab->now_ns);
		lab->idle_ns += until - lab->now_ns;
		lab->now_ns = until;
	}
	assert_int_equal(lab->idle_wrong, 0);
}

void lab_mark(struct lab *lab)
{
	for (unsigned int i = 0; i < LAB_FLOWS; i++)
		lab->marks[i] = lab->flows[i].sent;
	lab->mark_ns = lab->now_ns;
}

double lab_part(const struct lab *lab, unsigned int flow)
{
	double all = 0;

	for (unsigned int i = 0; i < LAB_FLOWS; i++)
		all += (double)(lab->flows[i].sent - lab->marks[i]);
	return (double)(lab->flows[flow].sent - lab->marks[flow]) / all;
}

double lab_bps(const struct lab *lab, unsigned int flow)
{
	return (double)(lab->flows[flow].sent - lab->marks[flow]) * 8e9 /
	       (double)(lab->now_ns - lab->mark_ns);
}

void lab_close(const char *what, double got, double want, double error)
{
	if (fabs(got - want) > error * want)
		fail_msg("%s: %g, should be %g within %g %%", what, got, want, error * 100);
}
