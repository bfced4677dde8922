/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench-defence.c - floods for bench-defence.sh, and a server that answers them.
 *
 * bench-defence --attack KIND --iface IFACE --mac MAC --ip ADDRESS [--rate PPS] [--seconds N]
 * bench-defence --echo PORT
 *
 * The flood leaves by a packet socket: frames to MAC and ADDRESS whose sources and ports are drawn
 * anew for each one, with good checksums, so that the guest's stack treats them as real. --rate 0:
 * as fast as it goes. It ends after --seconds, or with SIGTERM; then a line of JSON says when the
 * first frame left (microseconds since 1970, as the daemon's events count) and how many followed.
 *
 * The server sends each UDP datagram back.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/util.h"
#include "netback-team/csum.h"
#include "tests/bench/rounds.h"

#define BATCH	    64u
#define FRAME_BYTES 1514u
#define L3	    14u
#define L4	    34u
#define SYN	    0x02
#define ACK	    0x10
#define SOURCES	    0x14000000u /* 20.0.0.0, far from what the bench uses */
#define ANY	    0x04000000u /* "all" sources: 20.0.0.0/6 */
#define NAP_NS	    200000

struct attack {
	const char *name;
	uint8_t proto, tcp_flags;
	uint16_t bytes;	       /* of a frame, check sequence apart */
	uint16_t sport, dport; /* 0 = drawn */
	uint32_t n_sources;
};

/* As the scenarios of tests/sim/sim-dos.c. */
static const struct attack attacks[] = {
	{"syn", IPPROTO_TCP, SYN, 60, 0, 443, ANY},
	{"udp", IPPROTO_UDP, 0, 1442, 0, 0, 200},
	{"small", IPPROTO_UDP, 0, 60, 4000, 27015, 50},
	{"spoofed", IPPROTO_TCP, ACK, 60, 0, 443, ANY},
	{"flows", IPPROTO_UDP, 0, 100, 0, 5353, 5000},
	{"amplification", IPPROTO_UDP, 0, 1514, 53, 8080, 2000},
};

struct options {
	const struct attack *attack;
	const char *iface;
	struct ether_addr mac;
	struct in_addr ip;
	double rate, seconds;
	uint16_t echo;
};

static volatile sig_atomic_t stopped;

static void on_term(int number)
{
	(void)number;
	stopped = 1;
}

static void die(const char *what)
{
	fprintf(stderr, "bench-defence: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* xorshift32: nobody guesses here. */
static uint32_t draw(uint32_t n)
{
	static uint32_t state = 2463534242u;

	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state % n;
}

/* What all frames have in common. own: address of the interface. */
static void write_frame(const struct options *options, const uint8_t own[6], uint8_t *frame)
{
	const struct attack *a = options->attack;

	memset(frame, 0, FRAME_BYTES);
	memcpy(frame, &options->mac, 6);
	memcpy(frame + 6, own, 6);
	put16(frame + 12, ETH_P_IP);
	frame[L3] = 0x45;
	put16(frame + L3 + 2, a->bytes - L3);
	frame[L3 + 8] = 64;
	frame[L3 + 9] = a->proto;
	memcpy(frame + L3 + 16, &options->ip, 4);
	if (a->proto == IPPROTO_UDP) {
		put16(frame + L4 + 4, a->bytes - L4); /* no checksum: RFC 768 */
		return;
	}
	put16(frame + L3 + 2, 40); /* the rest is padding */
	frame[L4 + 12] = 0x50;
	frame[L4 + 13] = a->tcp_flags;
	put16(frame + L4 + 14, 0xffff);
}

static void draw_frame(const struct attack *a, uint8_t *frame)
{
	const uint32_t source = htonl(SOURCES + draw(a->n_sources));
	uint16_t sum = 0;
	uint64_t tcp;

	memcpy(frame + L3 + 12, &source, 4);
	memcpy(frame + L3 + 10, &sum, 2);
	put16(frame + L4, a->sport ? a->sport : 1024 + draw(64000));
	put16(frame + L4 + 2, a->dport ? a->dport : 1024 + draw(64000));
	sum = (uint16_t)~csum_fold(csum_add(0, frame + L3, 20));
	memcpy(frame + L3 + 10, &sum, 2);
	if (a->proto == IPPROTO_UDP)
		return;
	put16(frame + L4 + 4, draw(UINT32_MAX));
	memset(frame + L4 + 16, 0, 2);
	/* The pseudo-header: both addresses, protocol, length. */
	tcp = csum_add(0, frame + L3 + 12, 8 + 20);
	tcp = csum_add(tcp, (const uint8_t[4]){0, IPPROTO_TCP, 0, 20}, 4);
	sum = (uint16_t)~csum_fold(tcp);
	memcpy(frame + L4 + 16, &sum, 2);
}

static int open_iface(const struct options *options, uint8_t own[6])
{
	struct sockaddr_ll address = {.sll_family = AF_PACKET,
				      .sll_ifindex = (int)if_nametoindex(options->iface)};
	socklen_t size = sizeof(address);
	/* Protocol 0: nothing is received. */
	const int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0 || setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof(on)) < 0 ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &size) < 0)
		die(options->iface);
	memcpy(own, address.sll_addr, 6);
	return fd;
}

/* How many frames are due; 0 after a nap. */
static unsigned int due(const struct options *options, uint64_t passed_ns, uint64_t sent)
{
	double owed = options->rate * (double)passed_ns / 1e9 - (double)sent;

	if (!(options->rate > 0))
		return BATCH;
	if (owed < 1) {
		nanosleep(&(struct timespec){.tv_nsec = NAP_NS}, NULL);
		return 0;
	}
	return owed < BATCH ? (unsigned int)owed : BATCH;
}

static int run_attack(const struct options *options)
{
	static uint8_t frames[BATCH][FRAME_BYTES];
	struct mmsghdr msgs[BATCH] = {0};
	struct iovec iov[BATCH];
	struct timespec start;
	uint64_t start_ns, passed_ns = 0, sent = 0;
	uint8_t own[6];
	const int fd = open_iface(options, own);

	for (unsigned int i = 0; i < BATCH; i++) {
		write_frame(options, own, frames[i]);
		iov[i] = (struct iovec){frames[i], options->attack->bytes};
		msgs[i].msg_hdr.msg_iov = &iov[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
	}
	clock_gettime(CLOCK_REALTIME, &start);
	start_ns = clock_now(&clock_monotonic);
	while (!stopped && (double)passed_ns < options->seconds * 1e9) {
		const unsigned int n = due(options, passed_ns, sent);
		int done;

		for (unsigned int i = 0; i < n; i++)
			draw_frame(options->attack, frames[i]);
		done = sendmmsg(fd, msgs, n, 0);
		if (done < 0 && errno != ENOBUFS && errno != EAGAIN && errno != EINTR)
			die("sendmmsg");
		sent += done > 0 ? (uint64_t)done : 0;
		passed_ns = clock_now(&clock_monotonic) - start_ns;
	}
	printf("{\"attack\": \"%s\", \"start_us\": %lld, \"seconds\": %.3f, \"kpps\": %.1f}\n",
	       options->attack->name,
	       (long long)start.tv_sec * 1000000 + (long long)start.tv_nsec / 1000,
	       (double)passed_ns / 1e9, (double)sent * 1e6 / (double)passed_ns);
	close(fd);
	return 0;
}

static int run_echo(uint16_t port)
{
	const struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
	const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in peer;
	char data[2048];

	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		die("echo");
	while (!stopped) {
		socklen_t size = sizeof(peer);
		const ssize_t n =
			recvfrom(fd, data, sizeof(data), 0, (struct sockaddr *)&peer, &size);

		/* What cannot be sent is lost, as on any network. */
		if (n >= 0)
			(void)sendto(fd, data, (size_t)n, 0, (struct sockaddr *)&peer, size);
	}
	close(fd);
	return 0;
}

static int usage(const char *why, const char *value)
{
	fprintf(stderr,
		"bench-defence: %s \"%s\"\nusage: bench-defence --echo PORT | --attack KIND "
		"--iface IFACE --mac MAC --ip ADDRESS [--rate PPS] [--seconds N]\nkinds:",
		why, value);
	for (unsigned int i = 0; i < ARRAY_SIZE(attacks); i++)
		fprintf(stderr, " %s", attacks[i].name);
	fputc('\n', stderr);
	return 2;
}

static const struct attack *find_attack(const char *name)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(attacks); i++)
		if (strcmp(attacks[i].name, name) == 0)
			return &attacks[i];
	return NULL;
}

static bool set_option(struct options *options, int c, const char *text)
{
	switch (c) {
	case 'a':
		options->attack = find_attack(text);
		return options->attack;
	case 'f':
		options->iface = text;
		return true;
	case 'm':
		return ether_aton_r(text, &options->mac);
	case 'i':
		return inet_aton(text, &options->ip);
	case 'r':
		options->rate = bench_number("bench-defence", "rate", text, 0, 1e9);
		return true;
	case 's':
		options->seconds = bench_number("bench-defence", "seconds", text, 0, 3600);
		return true;
	case 'e':
		options->echo = (uint16_t)bench_number("bench-defence", "echo", text, 1, 65535);
		return true;
	default:
		return false;
	}
}

int main(int argc, char **argv)
{
	static const struct option table[] = {
		{"attack", required_argument, NULL, 'a'}, {"iface", required_argument, NULL, 'f'},
		{"mac", required_argument, NULL, 'm'},	  {"ip", required_argument, NULL, 'i'},
		{"rate", required_argument, NULL, 'r'},	  {"seconds", required_argument, NULL, 's'},
		{"echo", required_argument, NULL, 'e'},	  {0}};
	const struct sigaction on_signal = {.sa_handler = on_term};
	struct options options = {.seconds = 3};
	int c;

	while ((c = getopt_long(argc, argv, "", table, NULL)) != -1)
		if (!set_option(&options, c, optarg ? optarg : ""))
			return usage("not possible:", optarg ? optarg : argv[optind - 1]);
	sigaction(SIGTERM, &on_signal, NULL);
	if (options.echo)
		return run_echo(options.echo);
	if (!options.attack || !options.iface || !options.ip.s_addr)
		return usage("missing:", "--attack, --iface or --ip");
	return run_attack(&options);
}
