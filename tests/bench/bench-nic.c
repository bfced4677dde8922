/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench-nic.c - what the AF_PACKET uplink sends in a second to a peer that drops, beside the
 * kernel's bridge with the same frames.
 *
 * bench-nic [--ms N] [--rounds N] [--json FILE]. The paths take turns in short rounds, so that a
 * busy machine hurts both alike; figures are medians of the rounds. Sending and receiving happen on
 * the sender's core: the figures are of one core.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "common/clock.h"
#include "common/util.h"
#include "netback-team/nic.h"
#include "tests/bench/rounds.h"
#include "tests/net/netlab.h"
#include "topology.h"

#define BATCH 64

static const struct {
	const char *name;
	size_t payload; /* of TCP; 0: a plain frame of len bytes */
	size_t len;
	uint16_t gso_size;
} kinds[] = {
	{"60 B", 0, 60, 0},
	{"1514 B", 0, 1514, 0},
	{"64 KiB GSO", 65535 - 54, 0, 1448},
};

struct sample {
	double kpps, gbit, cpu_us; /* arrived; CPU time of a sent frame */
};

static struct netlab_frame frame;
static struct sample samples[ARRAY_SIZE(kinds)][BENCH_PATH_COUNT][ROUNDS_MAX];

static double cpu_seconds(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static struct sample blast(struct nic *nic, enum bench_path path, uint64_t duration_ns)
{
	uint64_t begin_ns = clock_now(&clock_monotonic), now_ns, packets[2], bytes[2], n_sent = 0;
	struct mmsghdr msgs[BATCH];
	double cpu = cpu_seconds(), seconds;

	for (int i = 0; i < BATCH; i++)
		netlab_msg(&msgs[i], &frame, false);
	bench_arrived(path, &packets[0], &bytes[0]);
	do {
		int sent = nic->ops->send(nic, msgs, BATCH);

		if (sent < 0 && sent != -ENOBUFS && sent != -EAGAIN) {
			fprintf(stderr, "%s: send: %s\n", nic->name, strerror(-sent));
			exit(1);
		}
		n_sent += (uint64_t)MAX(sent, 0);
		now_ns = clock_now(&clock_monotonic);
	} while (now_ns - begin_ns < duration_ns);
	cpu = cpu_seconds() - cpu;
	bench_arrived(path, &packets[1], &bytes[1]);
	seconds = (double)(now_ns - begin_ns) / 1e9;
	return (struct sample){.kpps = (double)(packets[1] - packets[0]) / seconds / 1e3,
			       .gbit = (double)(bytes[1] - bytes[0]) * 8 / seconds / 1e9,
			       .cpu_us = n_sent ? cpu * 1e6 / (double)n_sent : 0};
}

static int by_kpps(const void *a, const void *b)
{
	const struct sample *x = a, *y = b;

	return (x->kpps > y->kpps) - (x->kpps < y->kpps);
}

static void measure(struct nic **nics, unsigned int rounds, uint64_t duration_ns)
{
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		if (kinds[k].payload)
			netlab_frame_tcp(&frame, kinds[k].payload, kinds[k].gso_size, -1);
		else
			netlab_frame_plain(&frame, kinds[k].len, 0);
		memcpy(frame.data, bench_mac, 6);
		for (unsigned int r = 0; r < rounds; r++)
			for (int path = 0; path < BENCH_PATH_COUNT; path++)
				samples[k][path][r] =
					blast(nics[path], (enum bench_path)path, duration_ns);
		for (int path = 0; path < BENCH_PATH_COUNT; path++)
			qsort(samples[k][path], rounds, sizeof(samples[k][path][0]), by_kpps);
	}
}

static json_t *print_results(unsigned int rounds)
{
	json_t *rows = json_array();

	printf("%-12s %-8s %10s %10s %12s %8s\n", "frames", "path", "kpps", "Gbit/s",
	       "CPU us/frame", "ratio");
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		const struct sample *bridge = &samples[k][BENCH_BRIDGE][rounds / 2];

		for (int path = 0; path < BENCH_PATH_COUNT; path++) {
			const struct sample *s = &samples[k][path][rounds / 2];
			double ratio = bridge->kpps > 0 ? s->kpps / bridge->kpps : 0;
			double cpu_ratio = s->cpu_us > 0 ? bridge->cpu_us / s->cpu_us : 0;
			const char *name = bench_path_name((enum bench_path)path);

			printf("%-12s %-8s %10.1f %10.2f %8.2f %14.2f %8.2f\n", kinds[k].name, name,
			       s->kpps, s->gbit, ratio, s->cpu_us, cpu_ratio);
			json_array_append_new(
				rows, json_pack("{s:s, s:s, s:f, s:f, s:f, s:f, s:f}", "frames",
						kinds[k].name, "path", name, "kpps", s->kpps,
						"gbit_per_s", s->gbit, "times_bridge_rate", ratio,
						"cpu_us_per_frame", s->cpu_us,
						"times_bridge_per_cpu_second", cpu_ratio));
		}
	}
	return rows;
}

int main(int argc, char **argv)
{
	const struct nic_packet_options nic_options = {.netns_fd = -1};
	struct rounds rounds;
	struct nic *nics[BENCH_PATH_COUNT];
	int status;

	if (!rounds_options(&rounds, "bench-nic", 300, argc, argv))
		return 2;
	make_bench_topology(60 + (unsigned int)(rounds.duration_ns / NSEC_PER_MSEC * rounds.n *
						ARRAY_SIZE(kinds) * BENCH_PATH_COUNT / 500));
	for (int path = 0; path < BENCH_PATH_COUNT; path++) {
		char error[256];

		if (nic_packet_open(&nics[path], bench_source((enum bench_path)path), &nic_options,
				    error, sizeof(error)) < 0) {
			fprintf(stderr, "bench-nic: %s\n", error);
			return 1;
		}
	}
	measure(nics, rounds.n, rounds.duration_ns);
	status = rounds_report(&rounds, print_results(rounds.n));
	for (int path = 0; path < BENCH_PATH_COUNT; path++)
		nics[path]->ops->close(nics[path]);
	return status;
}
