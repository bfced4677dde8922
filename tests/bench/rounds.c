/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rounds.c - see rounds.h. */
#include "tests/bench/rounds.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "util.h"

double bench_number(const char *program, const char *option, const char *text, double min,
		    double max)
{
	char *end;
	const double value = strtod(text, &end);

	if (*end || end == text || !(value >= min && value <= max)) {
		fprintf(stderr, "%s: --%s \"%s\": not a number from %.15g to %.15g\n", program,
			option, text, min, max);
		exit(2);
	}
	return value;
}

bool rounds_options(struct rounds *rounds, const char *program, unsigned int ms, int argc,
		    char **argv)
{
	static const struct option options[] = {{"ms", required_argument, NULL, 'm'},
						{"rounds", required_argument, NULL, 'r'},
						{"json", required_argument, NULL, 'j'},
						{NULL, 0, NULL, 0}};
	bool good = true;
	int option;

	*rounds = (struct rounds){.program = program, .n = 9};
	while (good && (option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'm')
			ms = (unsigned int)bench_number(program, "ms", optarg, 1, 10000);
		else if (option == 'r')
			rounds->n = (unsigned int)bench_number(program, "rounds", optarg, 1,
							       ROUNDS_MAX);
		else if (option == 'j')
			rounds->json = optarg;
		else
			good = false;
	}
	rounds->duration_ns = ms * NSEC_PER_MSEC;
	return good;
}

static int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double measure(void (*fn)(void), unsigned int batch, uint64_t duration_ns)
{
	const uint64_t begin_ns = clock_now(&clock_monotonic);
	uint64_t n = 0, end_ns;

	do {
		for (int i = 0; i < 16; i++)
			fn();
		n += 16 * (uint64_t)batch;
		end_ns = clock_now(&clock_monotonic);
	} while (end_ns - begin_ns < duration_ns);
	return (double)(end_ns - begin_ns) / (double)n;
}

json_t *rounds_row(const struct rounds *rounds, const struct rounds_row *row)
{
	double ours[ROUNDS_MAX] = {0}, peer[ROUNDS_MAX] = {0};
	double ours_ns, peer_ns;

	row->ours(); /* what it is like may depend on what went before */
	for (unsigned int i = 0; i < rounds->n; i++) {
		ours[i] = measure(row->ours, row->batch, rounds->duration_ns);
		peer[i] = measure(row->peer, row->batch, rounds->duration_ns);
	}
	ours_ns = rounds_median(ours, rounds->n);
	peer_ns = rounds_median(peer, rounds->n);
	printf("%-22s %8.1f ns   %-17s %8.1f ns   %6.2f times as fast\n", row->name, ours_ns,
	       row->peer_name, peer_ns, peer_ns / ours_ns);
	return json_pack("{s:s, s:s, s:f, s:f, s:f}", "name", row->name, "peer", row->peer_name,
			 "ours_ns", ours_ns, "peer_ns", peer_ns, "ratio", peer_ns / ours_ns);
}

double rounds_median(double *values, unsigned int n)
{
	qsort(values, n, sizeof(*values), by_value);
	return values[n / 2];
}

int rounds_report(const struct rounds *rounds, json_t *results)
{
	int status = 0;

	if (rounds->json && json_dump_file(results, rounds->json, JSON_INDENT(1)) < 0) {
		fprintf(stderr, "%s: cannot write %s\n", rounds->program, rounds->json);
		status = 1;
	}
	json_decref(results);
	return status;
}
