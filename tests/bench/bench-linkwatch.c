/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench-linkwatch.c - how long after the loss of a carrier link watch reports it, on a host whose
 * other links come and go: by the kernel's events alone (what other teaming software does), and
 * with polls of the carrier.
 *
 * bench-linkwatch [--losses N] [--json FILE]. The ways take turns. Another interface loses and
 * regains its carrier just before each loss: after any link event the kernel delays the next loss
 * by up to a second.
 */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/util.h"
#include "netback-team/linkwatch.h"
#include "tests/net/netlab.h"

#define LOSSES_MAX 1000

static const struct {
	const char *name;
	uint64_t poll_ns;
} ways[] = {
	{"events only", 0},
	{"poll 50 ms", 50 * NSEC_PER_MSEC},
	{"poll 10 ms", 10 * NSEC_PER_MSEC},
};

static double took_ms[ARRAY_SIZE(ways)][LOSSES_MAX];
static sem_t lost, found;

static void on_link(void *ctx, const struct link_state *state)
{
	if (!strcmp(state->name, "tap0"))
		sem_post(state->usable ? &found : &lost);
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* One loss; the pause before it differs each time, so that it falls anywhere in a poll period. */
static double lose(int tap, int other, unsigned int i)
{
	uint64_t begin_ns;

	netlab_tap_carrier(other, false);
	netlab_tap_carrier(other, true);
	usleep(1000 * (20 + i * 37 % 50));
	begin_ns = clock_now(&clock_monotonic);
	netlab_tap_carrier(tap, false);
	while (sem_wait(&lost) < 0)
		;
	begin_ns = clock_now(&clock_monotonic) - begin_ns;
	netlab_tap_carrier(tap, true);
	while (sem_wait(&found) < 0)
		;
	return (double)begin_ns / 1e6;
}

static int measure(unsigned int n)
{
	int tap = netlab_tap("tap0"), other = netlab_tap("tap1");

	for (unsigned int i = 0; i < n; i++) {
		for (size_t w = 0; w < ARRAY_SIZE(ways); w++) {
			struct linkwatch *lw;
			int ret = linkwatch_create(&lw, -1, ways[w].poll_ns, on_link, NULL);

			if (ret < 0) {
				fprintf(stderr, "bench-linkwatch: %s\n", strerror(-ret));
				return 1;
			}
			sem_init(&lost, 0, 0);
			sem_init(&found, 0, 0);
			linkwatch_add(lw, "tap0");
			while (sem_wait(&found) < 0)
				;
			took_ms[w][i] = lose(tap, other, i);
			linkwatch_destroy(lw);
		}
	}
	close(tap);
	close(other);
	return 0;
}

static json_t *print_results(unsigned int n)
{
	json_t *rows = json_array();

	printf("%-12s %12s %12s %12s\n", "way", "median ms", "worst ms", "ratio");
	for (size_t w = 0; w < ARRAY_SIZE(ways); w++) {
		double median, ratio;

		qsort(took_ms[w], n, sizeof(took_ms[w][0]), by_size);
		median = took_ms[w][n / 2];
		ratio = median > 0 ? took_ms[0][n / 2] / median : 0;
		printf("%-12s %12.1f %12.1f %12.2f\n", ways[w].name, median, took_ms[w][n - 1],
		       ratio);
		json_array_append_new(rows,
				      json_pack("{s:s, s:f, s:f, s:f}", "way", ways[w].name,
						"median_ms", median, "worst_ms", took_ms[w][n - 1],
						"times_faster_than_events", ratio));
	}
	return rows;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"losses", required_argument, NULL, 'n'},
						{"json", required_argument, NULL, 'j'},
						{0}};
	const char *json_path = NULL;
	unsigned long n = 15;
	json_t *rows;
	int c, failed = 0;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'n')
			n = strtoul(optarg, NULL, 10);
		else if (c == 'j')
			json_path = optarg;
		else
			return 2;
	}
	if (n < 1 || n > LOSSES_MAX) {
		fprintf(stderr, "bench-linkwatch: --losses: not a number from 1 to %d\n",
			LOSSES_MAX);
		return 2;
	}
	netlab_enter(60 + 10 * (unsigned int)n);
	if (measure((unsigned int)n) != 0)
		return 1;
	rows = print_results((unsigned int)n);
	if (json_path)
		failed = json_dump_file(rows, json_path, JSON_INDENT(1)) < 0;
	if (failed)
		fprintf(stderr, "bench-linkwatch: cannot write %s: %s\n", json_path,
			strerror(errno));
	json_decref(rows);
	return failed;
}
