/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rounds.c - see rounds.h. */
#include "tests/bench/rounds.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "util.h"

static bool number(const char *program, const char *option, unsigned int max, unsigned int *value)
{
	char *end;
	unsigned long n = strtoul(optarg, &end, 10);

	if (*end || end == optarg || n < 1 || n > max) {
		fprintf(stderr, "%s: --%s \"%s\": not a number from 1 to %u\n", program, option,
			optarg, max);
		return false;
	}
	*value = (unsigned int)n;
	return true;
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
			good = number(program, "ms", 10000, &ms);
		else if (option == 'r')
			good = number(program, "rounds", ROUNDS_MAX, &rounds->n);
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
