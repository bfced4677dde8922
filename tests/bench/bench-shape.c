/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench-shape.c - how exactly a rate is kept: a meter of what arrives on an interface, and a sender
 * that always has more.
 *
 * bench-shape --meter IFACE --seconds N --rate BITS --burst BYTES [--peak BITS --period NS]
 *             [--dst MAC]
 * bench-shape --blast IFACE --seconds N [--gso] [--dst MAC]
 *
 * The meter goes by the kernel's receive timestamps. Bytes are those of Ethernet frames without
 * check sequence, of each segment for GSO frames: what tc's qdiscs count. The rate of a window is
 * taken from the arrival of its first frame to that of the first one behind it, so that the window
 * needs no share of a frame. What exceeds a bucket is the highest level of a bucket of no size that
 * leaks at the rate: bytes in any time t <= level + rate * t. For a peak with a period it is what
 * came in any period beyond peak * period.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/util.h"
#include "netback-team/cost.h"
#include "tests/bench/arrivals.h"
#include "tests/bench/rounds.h"
#include "tests/net/netlab.h"
#include "topology.h"

#define BATCH	    64u
#define WINDOWS_MAX 65536u
#define SLIDE_MAX   65536u
#define WARM_UP_NS  (1000 * NSEC_PER_MSEC) /* the first burst, and a sender that starts */
#define IDLE_NS	    (5 * NSEC_PER_SEC)

struct options {
	const char *meter, *blast;
	double seconds, rate_bps, burst_bytes, peak_bps, period_ns;
	bool gso;
	uint8_t dst[6];
};

/* Level of a bucket of no size: what came beyond the rate. */
struct leak {
	double rate; /* bytes a nanosecond */
	double level, top;
};

/* Rates of windows of one length. */
struct windows {
	uint64_t length_ns;
	uint64_t begin_ns;
	double bytes;
	unsigned int n;
	double errors[WINDOWS_MAX]; /* percent */
};

/* The most that came in any time of one length. */
struct slide {
	uint64_t length_ns;
	double bytes, top;
	unsigned int first, n;
	struct {
		uint64_t at_ns;
		double bytes;
	} log[SLIDE_MAX];
};

struct meter {
	uint64_t first_ns, last_ns;
	double bytes;
	uint64_t frames;
	struct leak average, peak;
	struct slide period;
	struct windows second, tenth;
};

static struct meter meter;

static void leak_add(struct leak *leak, double bytes, uint64_t passed_ns)
{
	leak->level -= leak->rate * (double)passed_ns;
	leak->level = MAX(leak->level, 0.0) + bytes;
	leak->top = MAX(leak->top, leak->level);
}

static void slide_add(struct slide *s, double bytes, uint64_t at_ns)
{
	while (s->n && s->log[s->first].at_ns + s->length_ns <= at_ns) {
		s->bytes -= s->log[s->first].bytes;
		s->first = (s->first + 1) % SLIDE_MAX;
		s->n--;
	}
	if (s->n == SLIDE_MAX) {
		fprintf(stderr, "bench-shape: more than %u frames in a period\n", SLIDE_MAX);
		exit(1);
	}
	s->log[(s->first + s->n) % SLIDE_MAX].at_ns = at_ns;
	s->log[(s->first + s->n++) % SLIDE_MAX].bytes = bytes;
	s->bytes += bytes;
	s->top = MAX(s->top, s->bytes);
}

static void window_add(struct windows *w, double bytes, uint64_t at_ns, double bps)
{
	if (w->begin_ns && at_ns - w->begin_ns >= w->length_ns && w->n < WINDOWS_MAX) {
		double got = w->bytes * 8e9 / (double)(at_ns - w->begin_ns);

		w->errors[w->n++] = (got / bps - 1) * 100;
		w->begin_ns = at_ns;
		w->bytes = 0;
	}
	if (!w->begin_ns)
		w->begin_ns = at_ns;
	w->bytes += bytes;
}

static void count_frame(const struct options *options, double bytes, uint64_t at_ns)
{
	if (!meter.first_ns)
		meter.first_ns = meter.last_ns = at_ns;
	at_ns = MAX(at_ns, meter.last_ns);
	/* Bounds hold from the first frame on. */
	leak_add(&meter.average, bytes, at_ns - meter.last_ns);
	leak_add(&meter.peak, bytes, at_ns - meter.last_ns);
	if (options->period_ns > 0)
		slide_add(&meter.period, bytes, at_ns);
	meter.last_ns = at_ns;
	if (at_ns - meter.first_ns < WARM_UP_NS)
		return;
	meter.frames++;
	meter.bytes += bytes;
	window_add(&meter.second, bytes, at_ns, options->rate_bps);
	window_add(&meter.tenth, bytes, at_ns, options->rate_bps);
}

static void die(const char *what)
{
	fprintf(stderr, "bench-shape: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void take(void *ctx, const struct arrival *arrival)
{
	const struct options *options = ctx;
	const struct cost cost =
		cost_of(COST_UNIT_BYTE, arrival->bytes, arrival->gso_size, arrival->head);

	if (memcmp(arrival->data, options->dst, sizeof(options->dst)) == 0)
		count_frame(options, cost.bytes, arrival->at_ns);
}

static void run_meter(struct options *options)
{
	const uint64_t begin_ns = clock_now(&clock_monotonic),
		       length_ns = (uint64_t)(options->seconds * 1e9) + WARM_UP_NS;
	struct arrivals arrivals;
	uint64_t passed_ns;

	arrivals_open(&arrivals, options->meter);
	meter.average.rate = options->rate_bps / 8e9;
	meter.peak.rate = options->peak_bps / 8e9;
	meter.period.length_ns = (uint64_t)options->period_ns;
	meter.second.length_ns = NSEC_PER_SEC;
	meter.tenth.length_ns = 100 * NSEC_PER_MSEC;
	do {
		arrivals_look(&arrivals, take, options);
		passed_ns = clock_now(&clock_monotonic) - begin_ns;
	} while (meter.first_ns ? meter.last_ns - meter.first_ns < length_ns &&
					  passed_ns < length_ns + IDLE_NS
				: passed_ns < IDLE_NS);
	arrivals_close(&arrivals);
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The error of the window in the middle, and of the one that is furthest off. */
static void judge(struct windows *w, double *median, double *worst)
{
	*median = *worst = 0;
	if (w->n == 0)
		return;
	qsort(w->errors, w->n, sizeof(w->errors[0]), by_size);
	*median = w->errors[w->n / 2];
	*worst = -w->errors[0] > w->errors[w->n - 1] ? w->errors[0] : w->errors[w->n - 1];
}

/* Bytes beyond the peak: in any period, or in any time. */
static double beyond_peak(const struct options *options)
{
	if (options->peak_bps == 0)
		return 0;
	if (options->period_ns > 0)
		return MAX(meter.period.top - options->peak_bps / 8e9 * options->period_ns, 0.0);
	return meter.peak.top;
}

static int print_meter(const struct options *options)
{
	double seconds = (double)(meter.last_ns - meter.first_ns - WARM_UP_NS) / 1e9;
	double s_median, s_worst, t_median, t_worst;

	if (meter.second.n == 0) {
		fprintf(stderr, "bench-shape: %s: less than a second of traffic arrived\n",
			options->meter);
		return 1;
	}
	judge(&meter.second, &s_median, &s_worst);
	judge(&meter.tenth, &t_median, &t_worst);
	printf("{\"mbit_s\": %.3f, \"frames\": %llu, \"error_1s_pct\": %.3f, "
	       "\"worst_1s_pct\": %.3f, \"error_100ms_pct\": %.3f, \"worst_100ms_pct\": %.3f, "
	       "\"beyond_burst_bytes\": %.0f, \"peak_bps\": %.0f, \"beyond_peak_bytes\": %.0f}\n",
	       meter.bytes * 8 / seconds / 1e6, (unsigned long long)meter.frames, s_median, s_worst,
	       t_median, t_worst, MAX(meter.average.top - options->burst_bytes, 0.0),
	       options->peak_bps, beyond_peak(options));
	return 0;
}

/* As much as the interface's queue takes. */
static int run_blast(const struct options *options)
{
	uint64_t end_ns = clock_now(&clock_monotonic) + (uint64_t)(options->seconds * 1e9);
	static struct netlab_frame frame;
	struct sockaddr_ll address = {.sll_family = AF_PACKET,
				      .sll_protocol = htons(ETH_P_IP),
				      .sll_ifindex = (int)if_nametoindex(options->blast)};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), on = 1;
	struct mmsghdr msgs[BATCH];

	if (options->gso)
		netlab_frame_tcp(&frame, 65535 - 54, 1448, -1);
	else
		netlab_frame_plain(&frame, 1514, 0);
	memcpy(frame.data, options->dst, sizeof(options->dst));
	/* Through the qdisc, unlike a team's NIC. */
	if (fd < 0 || setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)) < 0 ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		die(options->blast);
	for (unsigned int i = 0; i < BATCH; i++)
		netlab_msg(&msgs[i], &frame, false);
	while (clock_now(&clock_monotonic) < end_ns)
		if (sendmmsg(fd, msgs, BATCH, 0) < 0 && errno != ENOBUFS && errno != EAGAIN)
			die(options->blast);
	close(fd);
	return 0;
}

static void address(const char *text, uint8_t mac[6])
{
	const struct ether_addr *parsed = ether_aton(text);

	if (!parsed) {
		fprintf(stderr, "bench-shape: --dst \"%s\": not an Ethernet address\n", text);
		exit(2);
	}
	memcpy(mac, parsed, 6);
}

int main(int argc, char **argv)
{
	static const struct option table[] = {
		{"meter", required_argument, NULL, 'm'},   {"blast", required_argument, NULL, 'b'},
		{"seconds", required_argument, NULL, 's'}, {"rate", required_argument, NULL, 'r'},
		{"burst", required_argument, NULL, 'B'},   {"peak", required_argument, NULL, 'p'},
		{"period", required_argument, NULL, 'P'},  {"gso", no_argument, NULL, 'g'},
		{"dst", required_argument, NULL, 'd'},	   {0}};
	struct options options = {.seconds = 3};
	int c;

	memcpy(options.dst, bench_mac, sizeof(options.dst));
	while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
		if (c == 'm')
			options.meter = optarg;
		else if (c == 'b')
			options.blast = optarg;
		else if (c == 's')
			options.seconds = bench_number("bench-shape", "seconds", optarg, 0, 1e13);
		else if (c == 'r')
			options.rate_bps = bench_number("bench-shape", "rate", optarg, 0, 1e13);
		else if (c == 'B')
			options.burst_bytes = bench_number("bench-shape", "burst", optarg, 0, 1e13);
		else if (c == 'p')
			options.peak_bps = bench_number("bench-shape", "peak", optarg, 0, 1e13);
		else if (c == 'P')
			options.period_ns = bench_number("bench-shape", "period", optarg, 0, 1e13);
		else if (c == 'd')
			address(optarg, options.dst);
		else if (c == 'g')
			options.gso = true;
		else
			return 2;
	}
	if (options.blast)
		return run_blast(&options);
	if (!options.meter || !(options.rate_bps > 0)) {
		fprintf(stderr, "bench-shape: --blast IFACE, or --meter IFACE and --rate\n");
		return 2;
	}
	run_meter(&options);
	return print_meter(&options);
}
