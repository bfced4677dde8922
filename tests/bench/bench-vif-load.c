/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench-vif-load.c - a guest of the box without a network stack: as many frames as the backend
 * takes, for a given time.
 *
 * Theory of Operation. Frames are written once into granted pages, as many as the TX ring holds,
 * and sent again and again by requests alone (load-frames.h): the load costs a few stores
 * a slot, so that what is measured is the backend. The next frames are queued when about half of
 * the ring is answered, as a guest's driver does it; --spin looks at the ring without rest instead.
 * With --rate no more is queued than that rate brings; who comes late makes up for 100 ms.
 * Frames that come in are counted and thrown away. After a warm-up each mode is measured for the
 * same time; the counts are those of answered requests. One line of JSON for each mode.
 *
 * Answered is not delivered: a backend may drop what a receiver does not take. Between two guests
 * the receiver's own line (sink) is the result.
 */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "load-frames.h"
#include "tests/guest/netfront.h"
#include "util.h"

#define WARM_UP_NS   (300 * NSEC_PER_MSEC)
#define CONNECT_NS   (30 * NSEC_PER_SEC)
#define RATE_LATE_NS (100 * NSEC_PER_MSEC)
#define MODES_MAX    8u

struct options {
	uint16_t domid;
	uint32_t devid;
	const char *dir;
	double seconds;
	unsigned int n_modes;
	const struct load_mix *modes[MODES_MAX]; /* NULL: sink */
	uint8_t dst[6];
	long backend_pid; /* 0 = nobody */
	bool spin;
	double rate_bps; /* on the wire; 0 = all that the backend takes */
};

struct load {
	struct options options;
	struct xen *xen;
	struct xen_shr *shr;
	struct netfront *nf;
	uint32_t refs[LOAD_PAGES];
	struct load_frames frames;
	uint64_t due_ns; /* of the next frame, with a rate */
};

/* What is compared between the beginning and the end. */
struct sample {
	uint64_t now_ns;
	double self_s, backend_s; /* CPU */
	struct netfront_stats stats;
};

/* --- running --- */

static uint64_t now(void)
{
	return clock_now(&clock_monotonic);
}

static int wait_and_run(struct load *load, int timeout_ms)
{
	struct pollfd fds[NETFRONT_FDS];
	int raw[NETFRONT_FDS], rc;
	unsigned int n = netfront_fds(load->nf, raw);

	for (unsigned int i = 0; i < n; i++)
		fds[i] = (struct pollfd){.fd = raw[i], .events = POLLIN};
	if (poll(fds, n, timeout_ms) < 0 && errno != EINTR)
		return -errno;
	while ((rc = netfront_run(load->nf)) > 0)
		;
	if (rc == 0 && netfront_info(load->nf)->state == NETFRONT_STATE_CLOSED)
		rc = -ENOTCONN;
	return rc;
}

/* Milliseconds until the rate allows the next frame, 0 = now. */
static int rate_wait_ms(struct load *load)
{
	const uint64_t now_ns = now();

	if (load->options.rate_bps <= 0)
		return 0;
	load->due_ns = MAX(load->due_ns, now_ns - RATE_LATE_NS);
	return load->due_ns <= now_ns ? 0 : (int)DIV_ROUND_UP(load->due_ns - now_ns, NSEC_PER_MSEC);
}

/* As many frames as ring and rate have room for. */
static void fill_ring(struct load *load, struct ring_front *ring, unsigned int slots)
{
	while (ring_front_free(ring) >= slots && rate_wait_ms(load) == 0) {
		uint32_t bytes = load_frames_put(&load->frames, ring);

		if (load->options.rate_bps > 0)
			load->due_ns += (uint64_t)(bytes * 8e9 / load->options.rate_bps);
	}
	netfront_flush(load->nf, 0);
}

/* Sends (mix NULL: only receives) until `end`; 0 or -errno. */
static int send_until(struct load *load, const struct load_mix *mix, uint64_t end_ns)
{
	unsigned int slots = mix ? load_mix_slots_max(mix) : 0;
	int rc = 0, wait_ms;

	while (rc == 0 && now() < end_ns) {
		struct ring_front *ring = netfront_tx_ring(load->nf, 0);

		if (!mix || !ring) {
			rc = wait_and_run(load, load->options.spin && ring ? 0 : 50);
			continue;
		}
		wait_ms = rate_wait_ms(load);
		if (wait_ms) {
			rc = wait_and_run(load, wait_ms);
			continue;
		}
		if (!netfront_tx_room(load->nf, 0, slots)) {
			if (load->options.spin)
				netfront_poll(load->nf);
			else
				rc = wait_and_run(load, 50);
			continue;
		}
		fill_ring(load, ring, slots);
	}
	return rc;
}

/* CPU seconds of a process so far (proc(5): fields 14 and 15 of stat), 0 when there is none. */
static double cpu_of(long pid)
{
	char path[64], text[1024], *after;
	unsigned long user, system;
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
	f = pid ? fopen(path, "r") : NULL;
	if (!f)
		return 0;
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	after = strrchr(text, ')'); /* the name may hold anything */
	if (!after || sscanf(after + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
			     &user, &system) != 2)
		return 0;
	return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static struct sample take_sample(struct load *load)
{
	struct sample s = {.now_ns = now(), .backend_s = cpu_of(load->options.backend_pid)};
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	s.self_s = (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
	s.stats = *netfront_stats(load->nf);
	return s;
}

static const char *mode_name(const struct load_mix *mix)
{
	return mix ? mix->name : "sink";
}

static void report(const struct load *load, const struct load_mix *mix, const struct sample *a,
		   const struct sample *b)
{
	double seconds = (double)(b->now_ns - a->now_ns) / 1e9,
	       backend = b->backend_s - a->backend_s;
	double sent = 0, sent_bytes = 0,
	       received = (double)(b->stats.rx_frames - a->stats.rx_frames);
	double received_bytes = (double)(b->stats.rx_bytes - a->stats.rx_bytes), gbit;

	if (mix) {
		double turns = (double)(b->stats.tx_responses - a->stats.tx_responses) /
			       load_mix_slots(mix);

		sent = turns * mix->n;
		sent_bytes = turns * load_mix_bytes(mix);
	}
	gbit = (sent_bytes + received_bytes) * 8 / 1e9 / seconds;
	printf("{\"mode\": \"%s\", \"seconds\": %.3f, \"tx_gbit_s\": %.3f, \"tx_kpps\": %.1f, "
	       "\"rx_gbit_s\": %.3f, "
	       "\"rx_kpps\": %.1f, \"tx_errors\": %llu, \"self_cpu_s\": %.2f, \"events\": %llu, "
	       "\"notifies\": %llu",
	       mode_name(mix), seconds, sent_bytes * 8 / 1e9 / seconds, sent / 1e3 / seconds,
	       received_bytes * 8 / 1e9 / seconds, received / 1e3 / seconds,
	       (unsigned long long)(b->stats.tx_errors - a->stats.tx_errors), b->self_s - a->self_s,
	       (unsigned long long)(b->stats.events - a->stats.events),
	       (unsigned long long)(b->stats.notifies - a->stats.notifies));
	if (load->options.backend_pid && backend > 0)
		printf(", \"backend_cpu_s\": %.2f, \"gbit_s_per_backend_core\": %.3f, "
		       "\"kpps_per_backend_core\": %.1f",
		       backend, gbit * seconds / backend, (sent + received) / 1e3 / backend);
	printf("}\n");
	fflush(stdout);
}

static int measure(struct load *load, const struct load_mix *mix)
{
	struct sample before, after;
	int rc;

	while (!netfront_tx_room(load->nf, 0, NETFRONT_RING_SLOTS)) { /* the last mode's frames */
		rc = wait_and_run(load, 50);
		if (rc < 0)
			return rc;
	}
	if (mix)
		load_frames_write(&load->frames, mix, load->options.dst,
				  netfront_info(load->nf)->mac, load->options.domid);
	rc = send_until(load, mix, now() + WARM_UP_NS);
	if (rc < 0)
		return rc;
	before = take_sample(load);
	rc = send_until(load, mix, before.now_ns + (uint64_t)(load->options.seconds * 1e9));
	after = take_sample(load);
	if (rc < 0)
		return rc;
	report(load, mix, &before, &after);
	if (mix && after.stats.tx_responses == before.stats.tx_responses) {
		fprintf(stderr, "bench-vif-load: %s: the backend answered nothing\n",
			mode_name(mix));
		return -ETIMEDOUT;
	}
	return 0;
}

/* --- start and end --- */

static int find_vif(struct load *load, uint64_t end_ns)
{
	struct netfront_options options = {.devid = load->options.devid, .n_queues = 1};
	int rc;

	netfront_features_parse("linux", &options.features, NULL, 0);
	while ((rc = netfront_create(&load->nf, load->xen, &options)) == -ENOENT && now() < end_ns)
		poll(NULL, 0, 50); /* the toolstack has not attached it yet */
	return rc;
}

static int connect_vif(struct load *load)
{
	uint64_t end_ns = now() + CONNECT_NS;
	const struct xen_ops *ops;
	void *pages;
	int rc = xen_open_box(&load->xen, load->options.dir, load->options.domid);

	if (rc < 0)
		return rc;
	ops = load->xen->ops;
	rc = find_vif(load, end_ns);
	while (rc == 0 && netfront_info(load->nf)->state != NETFRONT_STATE_RUNNING)
		rc = now() < end_ns ? wait_and_run(load, 50) : -ETIMEDOUT;
	if (rc == 0)
		rc = ops->shr_open(load->xen, &load->shr);
	if (rc == 0)
		rc = ops->shr_alloc(load->shr, netfront_info(load->nf)->backend_domid, LOAD_PAGES,
				    false, load->refs, &pages);
	load->frames.pages = rc == 0 ? pages : NULL;
	load->frames.refs = load->refs;
	return rc;
}

static void disconnect_vif(struct load *load)
{
	uint64_t end_ns = now() + 5 * NSEC_PER_SEC;

	if (load->nf && netfront_close(load->nf) == 0)
		while (netfront_info(load->nf)->state != NETFRONT_STATE_CLOSED && now() < end_ns &&
		       wait_and_run(load, 50) == 0)
			;
	netfront_destroy(load->nf);
	if (load->shr)
		load->xen->ops->shr_close(load->shr);
	if (load->xen)
		load->xen->ops->close(load->xen);
}

static void usage(void)
{
	fprintf(stderr,
		"usage: bench-vif-load --domid N [--devid N] [--dir DIR] [--seconds S] [--mode "
		"MODE]... [--dst MAC]\n"
		"                      [--rate BITS] [--backend-pid PID] [--spin]\n"
		"Plays guest N of a xenbox and loads its vif; waits 30 s for it to be attached. A "
		"line of JSON a mode:\n"
		"  bulk   TCP frames of 64 KiB with GSO    full   UDP frames of 1514 bytes\n"
		"  small  UDP frames of 60 bytes           frames 60, 600, 1514 bytes in turn\n"
		"  mixed  these and bulk in turn           sink   only receive\n"
		"default: bulk, then small; 5 s each; to 02:00:00:00:00:fe; all that the backend "
		"takes\n");
}

static int set_mode(struct options *options, const char *name)
{
	const struct load_mix *mix = load_mix_find(name);

	if ((!mix && strcmp(name, mode_name(NULL)) != 0) || options->n_modes == MODES_MAX)
		return -EINVAL;
	options->modes[options->n_modes++] = mix;
	return 0;
}

static int set_option(struct options *options, int c, const char *value)
{
	switch (c) {
	case 'i':
		options->domid = (uint16_t)strtoul(value, NULL, 10);
		return 0;
	case 'v':
		options->devid = (uint32_t)strtoul(value, NULL, 10);
		return 0;
	case 'd':
		options->dir = value;
		return 0;
	case 's':
		options->seconds = strtod(value, NULL);
		return options->seconds > 0 && options->seconds <= 3600 ? 0 : -EINVAL;
	case 'm':
		return set_mode(options, value);
	case 't':
		return netfront_mac_parse(value, options->dst);
	case 'p':
		options->backend_pid = strtol(value, NULL, 10);
		return 0;
	case 'r':
		options->rate_bps = strtod(value, NULL);
		return options->rate_bps >= 1000 && options->rate_bps <= 1e12 ? 0 : -EINVAL;
	case 'S':
		options->spin = true;
		return 0;
	}
	return -EINVAL;
}

static int parse_options(struct options *options, int argc, char **argv)
{
	static const struct option known[] = {
		{"domid", required_argument, NULL, 'i'},
		{"devid", required_argument, NULL, 'v'},
		{"dir", required_argument, NULL, 'd'},
		{"seconds", required_argument, NULL, 's'},
		{"mode", required_argument, NULL, 'm'},
		{"dst", required_argument, NULL, 't'},
		{"backend-pid", required_argument, NULL, 'p'},
		{"rate", required_argument, NULL, 'r'},
		{"spin", no_argument, NULL, 'S'},
		{NULL, 0, NULL, 0},
	};
	int c;

	memcpy(options->dst, (uint8_t[6]){0x02, 0, 0, 0, 0, 0xfe}, 6);
	options->seconds = 5;
	while ((c = getopt_long(argc, argv, "", known, NULL)) >= 0)
		if (set_option(options, c, optarg) < 0)
			return -EINVAL;
	if (options->n_modes == 0) {
		options->modes[options->n_modes++] = load_mix_find("bulk");
		options->modes[options->n_modes++] = load_mix_find("small");
	}
	return options->domid && optind == argc ? 0 : -EINVAL;
}

int main(int argc, char **argv)
{
	static struct load load;
	int rc = parse_options(&load.options, argc, argv);

	if (rc < 0) {
		usage();
		return 2;
	}
	rc = connect_vif(&load);
	if (rc < 0)
		fprintf(stderr,
			"bench-vif-load: domain %u has no working vif %u: %s (attach one, is a "
			"backend running?)\n",
			load.options.domid, load.options.devid, strerror(-rc));
	for (unsigned int i = 0; i < load.options.n_modes && rc == 0; i++) {
		rc = measure(&load, load.options.modes[i]);
		if (rc < 0)
			fprintf(stderr, "bench-vif-load: %s: %s\n",
				mode_name(load.options.modes[i]), strerror(-rc));
	}
	disconnect_vif(&load);
	return rc < 0;
}
