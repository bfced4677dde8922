/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench-failover.c - how long a team of two TAP interfaces takes to go on on the other one: until
 * the first and the last of 64 guests' announcements come out of it after the active one lost its
 * carrier, while other interfaces lose and regain theirs all the time; and what a frame costs whose
 * member turns out to be down.
 *
 * bench-failover [--losses N] [--seconds S] [--json FILE]. The parts of the daemon are its own:
 * link watch, worker thread, AF_PACKET; guests are entries of the switch. Link watch by the
 * kernel's events alone is the peer, in trials that take turns with ours. S bounds the time. On a
 * machine that does other things as well, trials during which it let a thread wait that had nothing
 * to do but wake up are shown apart.
 */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "netback-team/linkwatch.h"
#include "netback-team/worker.h"
#include "tests/net/netlab.h"
#include "util.h"
#include "xen/fake.h"

#define LOSSES_MAX  1000u
#define N_GUESTS    64u
#define N_STORM	    4
#define STALL_NS    (3 * NSEC_PER_MSEC)
#define TRIAL_LIMIT (3 * NSEC_PER_SEC)

enum way { WAY_EVENTS, WAY_POLL, WAYS };
static const struct {
	const char *name;
	uint64_t poll_ns;
} ways[WAYS] = {{"events only", 0}, {"poll 10 ms", 10 * NSEC_PER_MSEC}};

struct series {
	double first_ms[LOSSES_MAX], last_ms[LOSSES_MAX];
	bool calm[LOSSES_MAX]; /* the machine did not stall meanwhile */
	unsigned int n;
};

struct bench {
	struct worker *worker;
	struct vif vifs[N_GUESTS];
	int taps[2];
	struct series series[WAYS];
	double error_us[LOSSES_MAX], calm_us[LOSSES_MAX];
	unsigned int n_errors, n_calm;
	pthread_t storm, watch;
	uint64_t stall_ns; /* longest that a thread with nothing to do was late */
	bool stop;
};

/* --- the world --- */

static void *run_storm(void *arg)
{
	struct bench *b = arg;
	int taps[N_STORM];
	char name[16];

	for (int i = 0; i < N_STORM; i++) {
		snprintf(name, sizeof(name), "storm%d", i);
		taps[i] = netlab_tap(name);
	}
	for (unsigned int i = 0; !__atomic_load_n(&b->stop, __ATOMIC_RELAXED); i++) {
		netlab_tap_carrier(taps[i % N_STORM], i / N_STORM % 2);
		usleep(3000);
	}
	for (int i = 0; i < N_STORM; i++)
		close(taps[i]);
	return NULL;
}

/* How late does this machine wake who sleeps? Other programs make that what it is, not ours. */
static void *run_watch(void *arg)
{
	struct bench *b = arg;

	while (!__atomic_load_n(&b->stop, __ATOMIC_RELAXED)) {
		const uint64_t begin_ns = clock_now(&clock_monotonic);
		uint64_t took_ns;

		usleep(1000);
		took_ns = clock_now(&clock_monotonic) - begin_ns;
		if (took_ns > __atomic_load_n(&b->stall_ns, __ATOMIC_RELAXED))
			__atomic_store_n(&b->stall_ns, took_ns, __ATOMIC_RELAXED);
	}
	return NULL;
}

static int call_link(void *ctx, void *arg)
{
	const struct link_state *state = arg;
	struct worker *w = ctx;

	team_on_link(&w->team, team_find(&w->team, state->name), state->usable, w->now_ns);
	worker_deadline(w, 0);
	return 0;
}

static void on_link(void *ctx, const struct link_state *state)
{
	worker_post(ctx, call_link, state, sizeof(*state));
}

struct add {
	const char *name;
	uint8_t priority;
	struct nic *nic;
};

static int call_add(void *ctx, void *arg)
{
	const struct add *add = arg;

	return uplink_add(ctx, add->name, add->priority, add->nic);
}

static int call_guests(void *ctx, void *arg)
{
	struct bench *b = arg;
	struct worker *w = ctx;

	for (unsigned int i = 0; i < N_GUESTS; i++) {
		const struct sw_port_options options = {.mac = {0, 0x16, 0x3e, 0, 0, (uint8_t)i},
							.antispoof = true};
		const int port = sw_port_add(w->sw, &options);

		if (port < 0)
			return port;
		w->ports[port] = &b->vifs[i];
	}
	return 0;
}

static int start(struct bench *b, struct fake *fake)
{
	static const struct worker_observer observer;
	const struct team_options options = {.rarp_count = 1,
					     .rarp_interval_ns = NSEC_PER_SEC,
					     .rarp_burst = 64,
					     .failback_load = 50,
					     .speed_bps = 1000000000};
	const struct nic_packet_options nic = {.netns_fd = -1};
	char error[256] = "";
	int rc = worker_create(&b->worker, fake_domain(fake, 0), &clock_monotonic, "t", &options,
			       &observer, true, error, sizeof(error));

	for (unsigned int i = 0; rc >= 0 && i < 2; i++) {
		struct add add = {i ? "tap1" : "tap0", i ? 100 : 200, NULL};

		b->taps[i] = netlab_tap(add.name);
		rc = nic_packet_open(&add.nic, add.name, &nic, error, sizeof(error));
		if (rc == 0)
			rc = worker_call(b->worker, call_add, &add);
	}
	if (rc >= 0)
		rc = worker_call(b->worker, call_guests, b);
	if (rc < 0)
		fprintf(stderr, "bench-failover: %s\n", error[0] ? error : strerror(-rc));
	return rc < 0 ? rc : 0;
}

/* --- trials --- */

/* Until a frame comes out of a TAP: its ethertype, -1 = not before until_ns. */
static int next_frame(int tap, uint64_t until_ns)
{
	uint8_t frame[2048];
	const uint64_t now = clock_now(&clock_monotonic);
	struct pollfd fd = {.fd = tap, .events = POLLIN};
	const struct timespec left = {.tv_sec = (time_t)((until_ns - now) / NSEC_PER_SEC),
				      .tv_nsec = (long)((until_ns - now) % NSEC_PER_SEC)};

	if (now >= until_ns || ppoll(&fd, 1, &left, NULL) <= 0 ||
	    read(tap, frame, sizeof(frame)) < 14)
		return -1;
	return frame[12] << 8 | frame[13];
}

/* The announcements of all guests on a TAP: when the first and the last one came. */
static bool announced(int tap, uint64_t begin_ns, double *first_ms, double *last_ms)
{
	for (unsigned int n = 0; n < N_GUESTS;) {
		const int type = next_frame(tap, begin_ns + TRIAL_LIMIT);

		if (type < 0)
			return false;
		if (type != 0x8035)
			continue;
		*last_ms = (double)(clock_now(&clock_monotonic) - begin_ns) / 1e6;
		if (n++ == 0)
			*first_ms = *last_ms;
	}
	return true;
}

static void drop_frames(int tap)
{
	const uint64_t until_ns = clock_now(&clock_monotonic) + NSEC_PER_MSEC;

	while (next_frame(tap, until_ns) >= 0)
		;
}

static bool lose(struct bench *b, struct series *series, unsigned int i)
{
	double unused[2], first_ms, last_ms;
	uint64_t begin_ns;

	usleep(1000 *
	       (15 + i * 37 % 23)); /* anywhere in a poll period, and past the pace of RARPs */
	drop_frames(b->taps[1]);
	__atomic_store_n(&b->stall_ns, 0, __ATOMIC_RELAXED);
	begin_ns = clock_now(&clock_monotonic);
	netlab_tap_carrier(b->taps[0], false);
	if (!announced(b->taps[1], begin_ns, &first_ms, &last_ms))
		return false;
	series->first_ms[series->n] = first_ms;
	series->last_ms[series->n] = last_ms;
	usleep(2000); /* the watch has written down what was late */
	series->calm[series->n++] = __atomic_load_n(&b->stall_ns, __ATOMIC_RELAXED) < STALL_NS;
	drop_frames(b->taps[0]);
	netlab_tap_carrier(b->taps[0], true);
	return announced(b->taps[0], clock_now(&clock_monotonic), &unused[0], &unused[1]);
}

/* Link watches begin anew for each trial: their first look is over when the team is settled. */
static bool one_trial(struct bench *b, enum way way, unsigned int i)
{
	struct linkwatch *lw;
	bool good;

	if (linkwatch_create(&lw, -1, ways[way].poll_ns, on_link, b->worker) < 0)
		return false;
	linkwatch_add(lw, "tap0");
	linkwatch_add(lw, "tap1");
	usleep(30000);
	drop_frames(b->taps[0]);
	good = lose(b, &b->series[way], i);
	linkwatch_destroy(lw);
	return good;
}

struct shot {
	struct vif_queue queue;
	struct tx_record record;
	uint8_t frame[64];
	bool hit;
	double us;
};

static void set_up(const char *name, bool up)
{
	struct ifreq request;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memset(&request, 0, sizeof(request));
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	request.ifr_flags = up ? IFF_UP : 0;
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		fprintf(stderr, "bench-failover: %s: %s\n", name, strerror(errno));
	if (fd >= 0)
		close(fd);
}

/* In the worker: the active member is set down, and before anybody knows, a guest sends. */
static int call_shoot(void *ctx, void *arg)
{
	struct worker *w = ctx;
	struct shot *shot = arg;
	const uint64_t before = w->stats.reselected;
	uint64_t begin_ns;

	team_on_link(&w->team, 0, true, w->now_ns);
	team_on_link(&w->team, 1, true, w->now_ns);
	set_up("tap0", false);
	begin_ns = clock_now(&clock_monotonic);
	uplink_queue(w, &shot->record);
	uplink_flush(w);
	shot->us = (double)(clock_now(&clock_monotonic) - begin_ns) / 1e3;
	shot->hit = w->stats.reselected > before;
	worker_deadline(w, 0);
	return 0;
}

static void shoot(struct bench *b)
{
	struct shot *shot = xb_calloc(1, sizeof(*shot));
	struct pkt *pkt = &shot->record.pkt;
	int type;

	memset(shot->frame, 0xff, 6);
	memcpy(shot->frame + 6, (uint8_t[]){0, 0x16, 0x3e, 0, 0, 0, 0x88, 0xb6}, 8);
	shot->queue.vif = &b->vifs[0];
	shot->record.queue = &shot->queue;
	pkt->total = pkt->head_len = sizeof(shot->frame);
	pkt->head = shot->frame;
	pkt->n_frags = 1;
	pkt->frags[0] = (struct frag){.virt = shot->frame, .len = sizeof(shot->frame)};
	drop_frames(b->taps[1]);
	__atomic_store_n(&b->stall_ns, 0, __ATOMIC_RELAXED);
	worker_call(b->worker, call_shoot, shot);
	do
		type = next_frame(b->taps[1], clock_now(&clock_monotonic) + NSEC_PER_SEC);
	while (type >= 0 && type != 0x88b6);
	if (type >= 0 && shot->hit)
		b->error_us[b->n_errors++] = shot->us;
	usleep(2000); /* the watch has written down what was late */
	if (type >= 0 && shot->hit && __atomic_load_n(&b->stall_ns, __ATOMIC_RELAXED) < STALL_NS)
		b->calm_us[b->n_calm++] = shot->us;
	set_up("tap0", true);
	free(shot);
}

/* --- results --- */

static int by_size(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static json_t *row(const char *what, const char *unit, double *values, unsigned int n)
{
	if (n == 0)
		return json_pack("{s:s, s:i}", "what", what, "trials", 0);
	qsort(values, n, sizeof(*values), by_size);
	printf("%-52s %4u %10.2f %10.2f %10.2f %s\n", what, n, values[n / 2], values[n * 99 / 100],
	       values[n - 1], unit);
	return json_pack("{s:s, s:s, s:i, s:f, s:f, s:f}", "what", what, "unit", unit, "trials",
			 (int)n, "median", values[n / 2], "p99", values[n * 99 / 100], "worst",
			 values[n - 1]);
}

static json_t *print_results(struct bench *b)
{
	json_t *rows = json_array();

	printf("%-52s %4s %10s %10s %10s\n", "what", "n", "median", "p99", "worst");
	for (unsigned int way = 0; way < WAYS; way++) {
		struct series *s = &b->series[way];
		char what[64];

		double calm_ms[LOSSES_MAX];
		unsigned int n_calm = 0;

		for (unsigned int i = 0; i < s->n; i++) {
			s->last_ms[i] -= s->first_ms[i];
			if (s->calm[i])
				calm_ms[n_calm++] = s->first_ms[i];
		}
		snprintf(what, sizeof(what), "carrier lost, %s: first frame", ways[way].name);
		json_array_append_new(rows, row(what, "ms", s->first_ms, s->n));
		snprintf(what, sizeof(what), "  where the machine did not stall for 3 ms");
		json_array_append_new(rows, row(what, "ms", calm_ms, n_calm));
		snprintf(what, sizeof(what), "  64 guests announced after the first");
		json_array_append_new(rows, row(what, "ms", s->last_ms, s->n));
	}
	json_array_append_new(rows, row("send error: the frame is on the other member", "us",
					b->error_us, b->n_errors));
	json_array_append_new(rows, row("  where the machine did not stall for 3 ms", "us",
					b->calm_us, b->n_calm));
	return rows;
}

static int measure(struct bench *b, unsigned int losses, uint64_t seconds)
{
	const uint64_t begin_ns = clock_now(&clock_monotonic);
	const uint64_t end_ns = begin_ns + seconds * NSEC_PER_SEC;
	unsigned int lost = 0;

	for (unsigned int i = 0;
	     i < losses && clock_now(&clock_monotonic) < (begin_ns + end_ns) / 2; i++)
		shoot(b);
	for (unsigned int i = 0; i < losses && clock_now(&clock_monotonic) < end_ns; i++) {
		if (i % 10 == 0)
			lost += !one_trial(b, WAY_EVENTS, i);
		lost += !one_trial(b, WAY_POLL, i);
	}
	if (lost)
		printf("%u trials ended after %u s without a failover\n", lost,
		       (unsigned int)(TRIAL_LIMIT / NSEC_PER_SEC));
	return 0;
}

static int run(struct bench *b, unsigned int losses, uint64_t seconds)
{
	struct fake *fake;
	int rc = fake_create(&fake);

	if (rc == 0)
		rc = start(b, fake);
	if (rc < 0)
		return 1;
	if (pthread_create(&b->storm, NULL, run_storm, b) != 0 ||
	    pthread_create(&b->watch, NULL, run_watch, b) != 0)
		return 1;
	rc = measure(b, losses, seconds);
	__atomic_store_n(&b->stop, true, __ATOMIC_RELAXED);
	pthread_join(b->storm, NULL);
	pthread_join(b->watch, NULL);
	worker_destroy(b->worker);
	fake_destroy(fake);
	return rc;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"losses", required_argument, NULL, 'n'},
						{"seconds", required_argument, NULL, 's'},
						{"json", required_argument, NULL, 'j'},
						{0}};
	const char *json_path = NULL;
	unsigned long n = 200, seconds = 60;
	struct bench *b;
	json_t *rows;
	int c, failed = 0;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'n')
			n = strtoul(optarg, NULL, 10);
		else if (c == 's')
			seconds = strtoul(optarg, NULL, 10);
		else if (c == 'j')
			json_path = optarg;
		else
			return 2;
	}
	if (n < 1 || n > LOSSES_MAX || seconds < 1 || seconds > 3600) {
		fprintf(stderr, "bench-failover: --losses: 1 to %u, --seconds: 1 to 3600\n",
			LOSSES_MAX);
		return 2;
	}
	log_set_level(NULL, LOG_LEVEL_WARN); /* each trial is some lines of info */
	netlab_enter((unsigned int)seconds + 60);
	b = xb_calloc(1, sizeof(*b));
	if (run(b, (unsigned int)n, seconds) != 0)
		return 1;
	rows = print_results(b);
	if (json_path)
		failed = json_dump_file(rows, json_path, JSON_INDENT(1)) < 0;
	if (failed)
		fprintf(stderr, "bench-failover: cannot write %s: %s\n", json_path,
			strerror(errno));
	json_decref(rows);
	free(b);
	return failed;
}
