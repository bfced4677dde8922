/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rounds.h - what benchmarks of nanoseconds share: short rounds in which rows take turns, so that a
 * busy machine hurts all alike; medians of the rounds; a table as JSON.
 */
#ifndef XB_BENCH_ROUNDS_H
#define XB_BENCH_ROUNDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define ROUNDS_MAX 99u

struct rounds {
	const char *program; /**< for messages */
	unsigned int n;
	uint64_t duration_ns; /**< of one measurement */
	const char *json;     /**< file, NULL = none */
};

/** What is measured beside its peer: each function does its job `batch` times. */
struct rounds_row {
	const char *name;
	void (*ours)(void);
	const char *peer_name;
	void (*peer)(void);
	unsigned int batch;
};

/** The value of an option of program, min to max; ends the program with a message otherwise. */
double bench_number(const char *program, const char *option, const char *text, double min,
		    double max);
/** Options --ms N (1 to 10000, default ms), --rounds N (1 to ROUNDS_MAX, default 9), --json FILE.
 * False after a message of getopt's; a bad number ends the program. */
bool rounds_options(struct rounds *rounds, const char *program, unsigned int ms, int argc,
		    char **argv);
/** Measures both in turns and prints a line, ns a job; the same as JSON. */
json_t *rounds_row(const struct rounds *rounds, const struct rounds_row *row);
/** The value in the middle of n; puts them into order. */
double rounds_median(double *values, unsigned int n);
/** Writes results where --json says, and drops them. The exit status: 0, or 1 after a message. */
int rounds_report(const struct rounds *rounds, json_t *results);

#endif
