/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fair-lab.h - a link and its VMs on simulated time around netback-team/fair.h: VMs send at a rate
 * or as much as they can, frames of mixed sizes take their time on the link. After every step the
 * lab checks that the link is never idle while somebody may send.
 */
#ifndef XB_TESTS_FAIR_LAB_H
#define XB_TESTS_FAIR_LAB_H

#include "netback-team/fair.h"

#define LAB_FLOWS	16
#define LAB_SIZES	4
#define LAB_GREEDY	UINT64_MAX /**< demand: always has a frame */
#define LAB_QUEUE_BYTES 1000000u   /**< of a VM; more than that is not sent at all */
#define MBIT		1000000ull
#define GBIT		1000000000ull

struct lab_flow {
	uint64_t demand_bps; /**< wire bits; 0 = silent */
	struct cost sizes[LAB_SIZES];
	unsigned int n_sizes, at;
	uint64_t arrived, sent; /**< bytes */
	uint64_t arrived_frac;
};

struct lab {
	struct fair *fair;
	struct lab_flow flows[LAB_FLOWS];
	uint64_t now_ns, arrivals_ns;
	uint64_t capacity_bps; /**< 0 = the link takes nothing */
	uint64_t link_frac;
	uint64_t sent; /**< bytes, all flows */
	uint64_t idle_ns;
	unsigned int idle_wrong; /**< times the link stood still although a VM could have sent */
	uint64_t marks[LAB_FLOWS], mark_ns;
	/** Called after each frame; may be NULL. */
	void (*after)(struct lab *lab, unsigned int flow, struct cost cost);
	void *ctx;
};

/** The mixed sizes of most tests: 1514, 60, a GSO frame of 64 KiB at 1448. */
extern const uint32_t lab_mixed[3];
#define LAB_GSO 65226u /**< in a list of sizes: 54 + 45 * 1448 and some, as GSO */

void lab_init(struct lab *lab, uint64_t capacity_bps);
void lab_fini(struct lab *lab);
/** Sets a flow, asserts that it is accepted. */
void lab_flow(struct lab *lab, unsigned int flow, const struct fair_flow_config *config);
/** Frame sizes that a flow repeats, and how much it sends. */
void lab_load(struct lab *lab, unsigned int flow, const uint32_t *sizes, unsigned int n_sizes,
	      uint64_t demand_bps);
/** Shares only, greedy, frames of one size. */
void lab_greedy(struct lab *lab, unsigned int flow, uint32_t shares, uint32_t size);
void lab_set_capacity(struct lab *lab, uint64_t up_bps, uint64_t all_bps);
/** Runs for a time, asserts that the link was never idle in vain. */
void lab_run(struct lab *lab, uint64_t duration_ns);
/** Begins to count for lab_part and lab_bps. */
void lab_mark(struct lab *lab);
/** Since the mark: a flow's part of all bytes; its rate. */
double lab_part(const struct lab *lab, unsigned int flow);
double lab_bps(const struct lab *lab, unsigned int flow);
/** Asserts |got - want| <= error * want; says what it was. */
void lab_close(const char *what, double got, double want, double error);

#endif
