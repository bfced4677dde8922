/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench-shares.c - who gets how much of a link: a meter of what arrives from each VM, and a sender
 * that plays a VM for the kernel's queueing disciplines.
 *
 * bench-shares --meter IFACE [--meter IFACE]... --seconds N
 * bench-shares --blast IFACE --vm N --class HANDLE --frames MIX --seconds N [--rate BITS]
 *
 * A VM is the last byte of the source address. The meter goes by the kernel's receive timestamps
 * (CLOCK_REALTIME) and prints, when its time is over, a line of JSON for each 10 ms: the time at
 * its end, and what each VM has sent until then, as bytes on the wire and as bytes of Ethernet
 * frames without check sequence (what the qdiscs of the kernel count), both of each segment for
 * GSO frames. The sender's frames are those of load-frames.h; HANDLE is the class of its frames.
 * It always has more, or brings BITS a second (of Ethernet frames), and makes up for 100 ms when it
 * comes late. When it should always have more but all that it sent has left the class, it prints a
 * line of JSON: its VM and the time.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/util.h"
#include "load-frames.h"
#include "netback-team/cost.h"
#include "tests/bench/arrivals.h"
#include "tests/bench/rounds.h"
#include "tests/net/netlab.h"

#define METERS_MAX 2u
#define VMS	   32u
#define BIN_NS	   (10 * NSEC_PER_MSEC)
#define BINS_MAX   6000u
#define BATCH	   64u
#define MSS	   1448u
#define LATE_NS	   (100 * NSEC_PER_MSEC)

struct options {
	const char *meters[METERS_MAX], *blast;
	unsigned int n_meters;
	double seconds, rate_bps;
	uint32_t vm, class;
	const struct load_mix *mix;
};

struct bin {
	uint64_t wire[VMS], bytes[VMS];
};

static struct bin bins[BINS_MAX];

static void die(const char *what)
{
	fprintf(stderr, "bench-shares: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int open_socket(const char *iface)
{
	struct sockaddr_ll address = {.sll_family = AF_PACKET,
				      .sll_protocol = htons(ETH_P_IP),
				      .sll_ifindex = (int)if_nametoindex(iface)};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0 || setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)) < 0 ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		die(iface);
	return fd;
}

/* --- the meter --- */

static uint64_t real_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

static void count(void *ctx, const struct arrival *arrival)
{
	const uint64_t begin_ns = *(const uint64_t *)ctx,
		       bin = (arrival->at_ns - begin_ns) / BIN_NS;
	const uint16_t gso = arrival->gso_size, head = arrival->head;
	const unsigned int vm = arrival->data[11];

	if (arrival->at_ns < begin_ns || bin >= BINS_MAX || vm >= VMS)
		return;
	bins[bin].wire[vm] += cost_of(COST_UNIT_WIRE, arrival->bytes, gso, head).bytes;
	bins[bin].bytes[vm] += cost_of(COST_UNIT_BYTE, arrival->bytes, gso, head).bytes;
}

static void print_vms(const char *name, const uint64_t *values)
{
	printf(", \"%s\": [", name);
	for (unsigned int i = 0; i < VMS; i++)
		printf("%s%llu", i ? "," : "", (unsigned long long)values[i]);
	printf("]");
}

static void print_bins(uint64_t begin_ns, unsigned int n)
{
	static struct bin sum;

	for (unsigned int i = 0; i < n; i++) {
		const uint64_t end_ns = begin_ns + (i + 1) * BIN_NS;

		for (unsigned int vm = 0; vm < VMS; vm++) {
			sum.wire[vm] += bins[i].wire[vm];
			sum.bytes[vm] += bins[i].bytes[vm];
		}
		printf("{\"t\": %.3f", (double)end_ns / 1e9);
		print_vms("wire", sum.wire);
		print_vms("bytes", sum.bytes);
		printf("}\n");
	}
}

static int run_meter(const struct options *options)
{
	const unsigned int n_bins = (unsigned int)(options->seconds * 1e9 / BIN_NS);
	struct arrivals arrivals[METERS_MAX];
	uint64_t begin_ns, end_ns;

	for (unsigned int i = 0; i < options->n_meters; i++)
		arrivals_open(&arrivals[i], options->meters[i]);
	begin_ns = real_ns();
	end_ns = begin_ns + MIN(n_bins, BINS_MAX) * BIN_NS;
	while (real_ns() < end_ns)
		for (unsigned int i = 0; i < options->n_meters; i++)
			arrivals_look(&arrivals[i], count, &begin_ns);
	for (unsigned int i = 0; i < options->n_meters; i++)
		arrivals_close(&arrivals[i]);
	print_bins(begin_ns, MIN(n_bins, BINS_MAX));
	return 0;
}

/* --- the sender --- */

static void write_frame(struct netlab_frame *frame, uint32_t bytes, uint32_t vm)
{
	if (bytes > 1514)
		netlab_frame_tcp(frame, bytes - 54, MSS, -1);
	else
		netlab_frame_plain(frame, bytes, 0);
	memcpy(frame->data, (uint8_t[6]){0x02, 0x58, 0x42, 0, 0, 0x02}, 6);
	memcpy(frame->data + 6, (uint8_t[6]){0x00, 0x16, 0x3e, 0, 0, (uint8_t)vm}, 6);
}

static void wait_until(uint64_t due_ns)
{
	const struct timespec ts = {.tv_sec = (time_t)(due_ns / NSEC_PER_SEC),
				    .tv_nsec = (long)(due_ns % NSEC_PER_SEC)};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

/* Has all that was sent left the class? */
static void tell_when_dry(int fd, uint32_t vm)
{
	int queued;

	if (ioctl(fd, SIOCOUTQ, &queued) < 0)
		die("SIOCOUTQ");
	if (queued)
		return;
	printf("{\"vm\": %u, \"t\": %.3f}\n", vm, (double)real_ns() / 1e9);
	fflush(stdout);
}

/* As much as the class takes, or as the rate brings. */
static int run_blast(const struct options *options)
{
	static struct netlab_frame frames[LOAD_SIZES];
	const int fd = open_socket(options->blast);
	const uint64_t end_ns = clock_now(&clock_monotonic) + (uint64_t)(options->seconds * 1e9);
	const int room = 4 << 20; /* more than a guest's ring holds */
	uint64_t now_ns, due_ns = 0, bytes = 0;
	struct mmsghdr msgs[BATCH];
	unsigned int n = options->mix->n;

	if (setsockopt(fd, SOL_SOCKET, SO_PRIORITY, &options->class, sizeof(options->class)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room)) < 0)
		die("socket options");
	for (unsigned int i = 0; i < options->mix->n; i++) {
		const uint32_t size = options->mix->sizes[i];

		write_frame(&frames[i], size, options->vm);
		netlab_msg(&msgs[i], &frames[i], false);
		bytes += cost_of(COST_UNIT_BYTE, size, frames[i].vnet.gso_size, 54).bytes;
	}
	/* As many turns as a call takes, but one by one where the rate counts. */
	for (; options->rate_bps <= 0 && n + options->mix->n <= BATCH; n += options->mix->n)
		memcpy(&msgs[n], msgs, options->mix->n * sizeof(msgs[0]));
	while ((now_ns = clock_now(&clock_monotonic)) < end_ns) {
		if (options->rate_bps > 0) {
			due_ns = MAX(due_ns, now_ns - LATE_NS) +
				 (uint64_t)((double)bytes * 8e9 / options->rate_bps);
			wait_until(due_ns);
		} else {
			tell_when_dry(fd, options->vm);
		}
		if (sendmmsg(fd, msgs, n, 0) < 0 && errno != ENOBUFS && errno != EAGAIN)
			die(options->blast);
	}
	close(fd);
	return 0;
}

/* --- options --- */

static int set_option(struct options *options, int c, const char *text)
{
	switch (c) {
	case 'm':
		if (options->n_meters == METERS_MAX)
			return -EINVAL;
		options->meters[options->n_meters++] = text;
		return 0;
	case 'b':
		options->blast = text;
		return 0;
	case 's':
		options->seconds = bench_number("bench-shares", "seconds", text, 0, 1e13);
		return 0;
	case 'r':
		options->rate_bps = bench_number("bench-shares", "rate", text, 0, 1e13);
		return 0;
	case 'v':
		options->vm = (uint32_t)bench_number("bench-shares", "vm", text, 0, VMS - 1);
		return 0;
	case 'c':
		options->class = (uint32_t)strtoul(text, NULL, 16);
		return 0;
	case 'f':
		options->mix = load_mix_find(text);
		return options->mix ? 0 : -EINVAL;
	}
	return -EINVAL;
}

int main(int argc, char **argv)
{
	static const struct option table[] = {
		{"meter", required_argument, NULL, 'm'},   {"blast", required_argument, NULL, 'b'},
		{"seconds", required_argument, NULL, 's'}, {"rate", required_argument, NULL, 'r'},
		{"vm", required_argument, NULL, 'v'},	   {"class", required_argument, NULL, 'c'},
		{"frames", required_argument, NULL, 'f'},  {0}};
	struct options options = {.seconds = 3};
	int c, rc = 0;

	while (rc == 0 && (c = getopt_long(argc, argv, "", table, NULL)) != -1)
		rc = set_option(&options, c, optarg);
	if (rc < 0 || (options.blast ? !options.mix : !options.n_meters)) {
		fprintf(stderr, "usage: bench-shares --meter IFACE [--meter IFACE] --seconds N\n"
				"       bench-shares --blast IFACE --vm 0..31 --class HEX --frames "
				"bulk|small|full|frames|mixed --seconds N [--rate BITS]\n");
		return 2;
	}
	return options.blast ? run_blast(&options) : run_meter(&options);
}
