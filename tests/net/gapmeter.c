/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gapmeter.c - measures what a fault costs: the longest hole in a UDP stream, the TCP connections
 * that it ends.
 *
 *   gapmeter udp-send HOST PORT SECONDS [HZ]   numbered datagrams at a fixed rate (default 1000),
 * then an end marker gapmeter udp-recv PORT SECONDS             until the marker or the time is
 * over; prints one line gapmeter tcp-serve PORT SECONDS            echoes on any number of
 * connections gapmeter tcp-hold HOST PORT N SECONDS      keeps N connections talking; prints one
 * line
 *
 * Theory of Operation. A datagram carries its number and the sender's time. The receiver takes the
 * kernel's arrival times, so that its own scheduling does not count, and prints sent S received R
 * lost L duplicates D reordered O longest_hole_ms H hole_at_s T sender_stall_ms P H: longest time
 * between two arrivals; T: when it began, after the first arrival; P: longest time between two
 * sends that follow each other, i.e. what the measuring machine itself contributed. The marker,
 * which names the number of datagrams sent, is repeated. tcp-hold sends a numbered message on each
 * connection every 20 ms, expects it back, and prints connections N lost L messages M
 * longest_stall_ms H A connection is lost when it is reset, closed, refused or brings wrong bytes;
 * a stall is the longest time without an answer on any living connection.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "clock.h"
#include "cursor.h"
#include "util.h"

#define MAGIC	    0x78626770u /* "xbgp" */
#define KIND_DATA   1u
#define KIND_END    2u
#define PACKET_SIZE 24u
#define SEQ_MAX	    (1u << 22) /* 70 minutes at 1 kHz */
#define CONNS_MAX   256u
#define TCP_TICK_NS (20 * NSEC_PER_MSEC)
#define ANSWER_MAX  60 /* seconds that tcp-hold waits for the last answers */

struct packet {
	uint32_t kind, seq;
	uint64_t sent_ns;
};

/* ---- addresses, numbers, times ---- */

static uint64_t now(void)
{
	return clock_now(&clock_monotonic);
}

static void sleep_until(uint64_t at_ns)
{
	struct timespec ts = {
		.tv_sec = (time_t)(at_ns / NSEC_PER_SEC),
		.tv_nsec = (long)(at_ns % NSEC_PER_SEC),
	};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
		;
}

static double ms(uint64_t ns)
{
	return (double)ns / 1e6;
}

static void usage(void)
{
	fprintf(stderr, "usage: gapmeter udp-send HOST PORT SECONDS [HZ]\n"
			"       gapmeter udp-recv PORT SECONDS\n"
			"       gapmeter tcp-serve PORT SECONDS\n"
			"       gapmeter tcp-hold HOST PORT N SECONDS\n"
			"       gapmeter noise SECONDS\n");
	exit(2);
}

static uint32_t number(const char *what, const char *text, uint32_t min, uint32_t max)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || end == text || *end || *text == '-' || value < min || value > max) {
		fprintf(stderr, "gapmeter: %s '%s' is not a number from %u to %u\n", what, text,
			min, max);
		exit(2);
	}
	return (uint32_t)value;
}

static struct sockaddr_in address(const char *host, const char *port)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)number("port", port, 1, 65535)),
	};

	if (inet_pton(AF_INET, host, &sin.sin_addr) != 1) {
		fprintf(stderr, "gapmeter: '%s' is not an IPv4 address\n", host);
		exit(2);
	}
	return sin;
}

static int die(const char *what)
{
	fprintf(stderr, "gapmeter: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int bound_socket(int type, const char *port)
{
	struct sockaddr_in sin = address("0.0.0.0", port);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)))
		die("socket");
	if (bind(fd, (struct sockaddr *)&sin, sizeof(sin)))
		die("bind");
	return fd;
}

/* Scheduling noise would be measured as a gap; without the right to do so we measure all the same.
 */
static void be_punctual(void)
{
	struct sched_param param = {.sched_priority = 10};

	(void)sched_setscheduler(0, SCHED_FIFO, &param);
}

/* ---- UDP ---- */

static void put32(uint8_t *out, uint32_t value)
{
	value = htonl(value);
	memcpy(out, &value, sizeof(value));
}

static void packet_write(uint8_t out[PACKET_SIZE], const struct packet *packet)
{
	memset(out, 0, PACKET_SIZE);
	put32(out, MAGIC);
	put32(out + 4, packet->kind);
	put32(out + 8, packet->seq);
	put32(out + 12, (uint32_t)(packet->sent_ns >> 32));
	put32(out + 16, (uint32_t)packet->sent_ns);
}

static bool packet_read(struct packet *packet, const uint8_t *data, size_t size)
{
	struct cursor c;
	uint32_t magic;

	cursor_init(&c, data, size);
	magic = cursor_be32(&c);
	packet->kind = cursor_be32(&c);
	packet->seq = cursor_be32(&c);
	packet->sent_ns = (uint64_t)cursor_be32(&c) << 32;
	packet->sent_ns |= cursor_be32(&c);
	return !c.failed && magic == MAGIC && packet->seq < SEQ_MAX &&
	       (packet->kind == KIND_DATA || packet->kind == KIND_END);
}

static void udp_send_one(int fd, uint32_t kind, uint32_t seq)
{
	struct packet packet = {.kind = kind, .seq = seq, .sent_ns = now()};
	uint8_t bytes[PACKET_SIZE];

	packet_write(bytes, &packet);
	/* A network that is down for a moment is what we measure: the datagram counts as lost. */
	(void)send(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
}

static int udp_send(const char *host, const char *port, uint32_t seconds, uint32_t hz)
{
	struct sockaddr_in sin = address(host, port);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint64_t start, interval_ns = NSEC_PER_SEC / hz;
	uint32_t seq, n = seconds * hz;

	if (fd < 0 || connect(fd, (struct sockaddr *)&sin, sizeof(sin)))
		die("connect");
	be_punctual();
	start = now();
	for (seq = 0; seq < n; seq++) {
		sleep_until(start + seq * interval_ns);
		udp_send_one(fd, KIND_DATA, seq);
	}
	for (seq = 0; seq < 20; seq++) {
		sleep_until(now() + 20 * NSEC_PER_MSEC);
		udp_send_one(fd, KIND_END, n);
	}
	close(fd);
	return 0;
}

/* What the receiver knows. Arrival times are CLOCK_REALTIME, only their differences are used. */
struct udp_state {
	uint8_t *seen; /* one byte a number */
	uint32_t sent; /* from the marker, 0 = not seen yet */
	uint64_t n_received, n_duplicates, n_reordered;
	uint32_t max_seq;
	uint32_t last_seq;
	uint64_t first_ns, last_ns; /* arrivals */
	uint64_t last_sent_ns;	    /* sender's time in the packet before */
	uint64_t hole_ns, hole_at_ns, stall_ns;
};

/* A datagram that is new: only these end a hole. */
static void udp_note_new(struct udp_state *s, const struct packet *packet, uint64_t at_ns)
{
	s->seen[packet->seq] = 1;
	if (!s->n_received) {
		s->first_ns = s->last_ns = at_ns;
	} else {
		s->n_reordered += packet->seq < s->max_seq;
		if (packet->seq == s->last_seq + 1)
			s->stall_ns = MAX(s->stall_ns, packet->sent_ns - s->last_sent_ns);
	}
	if (at_ns > s->last_ns && at_ns - s->last_ns > s->hole_ns) {
		s->hole_ns = at_ns - s->last_ns;
		s->hole_at_ns = s->last_ns - s->first_ns;
	}
	s->last_ns = at_ns;
	s->max_seq = MAX(s->max_seq, packet->seq);
	s->last_seq = packet->seq;
	s->last_sent_ns = packet->sent_ns;
	s->n_received++;
}

static void udp_note(struct udp_state *s, const struct packet *packet, uint64_t at_ns)
{
	/* A marker before any datagram is a late one of another stream. */
	if (packet->kind == KIND_END && s->n_received)
		s->sent = packet->seq;
	else if (packet->kind == KIND_END)
		return;
	else if (s->seen[packet->seq])
		s->n_duplicates++;
	else
		udp_note_new(s, packet, at_ns);
}

static uint64_t arrival_ns(struct msghdr *msg)
{
	struct cmsghdr *c;
	struct timespec ts;

	for (c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
			memcpy(&ts, CMSG_DATA(c), sizeof(ts));
			return (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
		}
	}
	die("the kernel gives no arrival times");
	return 0;
}

static void udp_receive_one(int fd, struct udp_state *s)
{
	uint8_t data[2048];
	union {
		struct cmsghdr align;
		char bytes[256];
	} control;
	struct iovec iov = {.iov_base = data, .iov_len = sizeof(data)};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct packet packet;
	ssize_t n = recvmsg(fd, &msg, MSG_DONTWAIT);

	if (n >= 0 && packet_read(&packet, data, (size_t)n))
		udp_note(s, &packet, arrival_ns(&msg));
}

static int udp_recv(const char *port, uint32_t seconds)
{
	int fd = bound_socket(SOCK_DGRAM, port), on = 1, size = 4 << 20;
	uint64_t end = now() + seconds * NSEC_PER_SEC;
	struct udp_state s = {.seen = xb_calloc(SEQ_MAX, 1)};
	struct pollfd pfd = {.fd = fd, .events = POLLIN};
	uint64_t sent;

	if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)))
		die("SO_TIMESTAMPNS");
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	be_punctual();
	while (!s.sent && now() < end) {
		if (poll(&pfd, 1, 100) > 0)
			udp_receive_one(fd, &s);
	}
	sent = s.sent ? s.sent : (s.n_received ? s.max_seq + 1ull : 0);
	printf("sent %" PRIu64 " received %" PRIu64 " lost %" PRIu64 " duplicates %" PRIu64
	       " reordered %" PRIu64 " longest_hole_ms %.1f hole_at_s %.3f sender_stall_ms %.1f\n",
	       sent, s.n_received, sent - s.n_received, s.n_duplicates, s.n_reordered,
	       ms(s.hole_ns), (double)s.hole_at_ns / 1e9, ms(s.stall_ns));
	free(s.seen);
	close(fd);
	return s.n_received ? 0 : 1;
}

/* ---- TCP ---- */

/* Echoes what came in on one connection; false when the connection is over. */
static bool echo(int fd)
{
	uint8_t bytes[4096];
	ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT), done = 0, sent;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	/* The messages are small, so the socket's buffer takes them at once. */
	while (done < n) {
		sent = send(fd, bytes + done, (size_t)(n - done), MSG_NOSIGNAL);
		if (sent < 0)
			return false;
		done += sent;
	}
	return n > 0;
}

static int tcp_serve(const char *port, uint32_t seconds)
{
	struct pollfd pfds[CONNS_MAX + 1];
	uint64_t end = now() + seconds * NSEC_PER_SEC;
	nfds_t n = 1, i;

	pfds[0] = (struct pollfd){.fd = bound_socket(SOCK_STREAM, port), .events = POLLIN};
	if (listen(pfds[0].fd, (int)CONNS_MAX))
		die("listen");
	while (now() < end) {
		if (poll(pfds, n, 100) <= 0)
			continue;
		for (i = n - 1; i >= 1; i--) {
			if (pfds[i].revents && !echo(pfds[i].fd)) {
				close(pfds[i].fd);
				pfds[i] = pfds[--n];
			}
		}
		if (pfds[0].revents && n <= CONNS_MAX) {
			int fd = accept(pfds[0].fd, NULL, NULL), on = 1;

			if (fd < 0)
				continue;
			setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
			pfds[n++] = (struct pollfd){.fd = fd, .events = POLLIN};
		}
	}
	for (i = 0; i < n; i++)
		close(pfds[i].fd);
	return 0;
}

struct conn {
	int fd;
	bool lost;
	uint32_t sent, answered; /* messages */
	uint8_t part[4];	 /* of an answer that came in pieces */
	unsigned int n_part;
	uint64_t waiting_ns; /* since when an answer is due, 0 = none is */
	uint64_t stall_ns;
};

static void conn_lose(struct conn *c, const char *why)
{
	fprintf(stderr, "gapmeter: connection lost after %u messages: %s\n", c->answered, why);
	c->lost = true;
	close(c->fd);
	c->fd = -1;
}

static void conn_open(struct conn *c, const struct sockaddr_in *sin)
{
	int on = 1;

	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		die("socket");
	if (connect(c->fd, (const struct sockaddr *)sin, sizeof(*sin))) {
		conn_lose(c, strerror(errno));
		return;
	}
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static void conn_tick(struct conn *c, uint64_t now_ns)
{
	uint8_t bytes[4];

	if (c->lost)
		return;
	put32(bytes, c->sent);
	if (send(c->fd, bytes, sizeof(bytes), MSG_DONTWAIT | MSG_NOSIGNAL) != sizeof(bytes)) {
		conn_lose(c, strerror(errno));
		return;
	}
	c->sent++;
	if (!c->waiting_ns)
		c->waiting_ns = now_ns;
}

static void conn_answer(struct conn *c, uint8_t byte, uint64_t now_ns)
{
	uint8_t wanted[4];

	c->part[c->n_part++] = byte;
	if (c->n_part < sizeof(c->part))
		return;
	c->n_part = 0;
	put32(wanted, c->answered);
	if (memcmp(c->part, wanted, sizeof(wanted))) {
		conn_lose(c, "wrong bytes came back");
		return;
	}
	c->stall_ns = MAX(c->stall_ns, now_ns - c->waiting_ns);
	c->answered++;
	c->waiting_ns = c->answered < c->sent ? now_ns : 0;
}

static void conn_read(struct conn *c, uint64_t now_ns)
{
	uint8_t bytes[4096];
	ssize_t n, i;

	if (c->lost)
		return;
	n = recv(c->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		conn_lose(c, n ? strerror(errno) : "closed by the other side");
		return;
	}
	for (i = 0; i < n && !c->lost; i++)
		conn_answer(c, bytes[i], now_ns);
}

static bool all_answered(const struct conn *conns, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (!conns[i].lost && conns[i].answered < conns[i].sent)
			return false;
	}
	return true;
}

/* Ticks every 20 ms until `end`, then waits for the answers that are still due. */
static void hold(struct conn *conns, uint32_t n, uint64_t end)
{
	struct pollfd pfds[CONNS_MAX];
	uint64_t next = now(), t;
	uint32_t i;

	while ((t = now()) < end ||
	       (!all_answered(conns, n) && t < end + ANSWER_MAX * NSEC_PER_SEC)) {
		for (i = 0; t >= next && t < end && i < n; i++)
			conn_tick(&conns[i], t);
		if (t >= next)
			next = t + TCP_TICK_NS;
		for (i = 0; i < n; i++)
			pfds[i] = (struct pollfd){.fd = conns[i].fd, .events = POLLIN};
		poll(pfds, n, (int)((next - t) / NSEC_PER_MSEC) + 1);
		t = now();
		for (i = 0; i < n; i++) {
			if (pfds[i].revents)
				conn_read(&conns[i], t);
		}
	}
	for (i = 0; i < n; i++) {
		if (!conns[i].lost && conns[i].answered < conns[i].sent)
			conn_lose(&conns[i], "no answer any more");
	}
}

static int tcp_hold(const char *host, const char *port, uint32_t n, uint32_t seconds)
{
	struct sockaddr_in sin = address(host, port);
	struct conn conns[CONNS_MAX] = {0};
	uint64_t messages = 0, stall_ns = 0;
	uint32_t i, lost = 0;

	for (i = 0; i < n; i++)
		conn_open(&conns[i], &sin);
	hold(conns, n, now() + seconds * NSEC_PER_SEC);
	for (i = 0; i < n; i++) {
		lost += conns[i].lost;
		messages += conns[i].answered;
		stall_ns = MAX(stall_ns, conns[i].stall_ns);
		if (!conns[i].lost)
			close(conns[i].fd);
	}
	printf("connections %u lost %u messages %" PRIu64 " longest_stall_ms %.1f\n", n, lost,
	       messages, ms(stall_ns));
	return lost ? 1 : 0;
}

/* ---- noise ---- */

struct ticker {
	pthread_t thread;
	int cpu;
	uint64_t end_ns;
	uint64_t stall_ns;
};

static void *tick(void *arg)
{
	struct ticker *ticker = arg;
	cpu_set_t set;
	uint64_t next, t;

	CPU_ZERO(&set);
	CPU_SET(ticker->cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set)) /* not one of ours */
		return NULL;
	be_punctual();
	for (next = now(); next < ticker->end_ns; next = t + NSEC_PER_MSEC) {
		sleep_until(next);
		t = now();
		ticker->stall_ns = MAX(ticker->stall_ns, t - next);
	}
	return NULL;
}

static int noise(uint32_t seconds)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	struct ticker *tickers = xb_calloc((size_t)n, sizeof(*tickers));
	uint64_t stall_ns = 0, end_ns = now() + seconds * NSEC_PER_SEC;

	for (int i = 0; i < n; i++) {
		tickers[i].cpu = i;
		tickers[i].end_ns = end_ns;
		errno = pthread_create(&tickers[i].thread, NULL, tick, &tickers[i]);
		if (errno)
			return die("pthread_create");
	}
	for (int i = 0; i < n; i++) {
		pthread_join(tickers[i].thread, NULL);
		stall_ns = MAX(stall_ns, tickers[i].stall_ns);
	}
	free(tickers);
	printf("longest_stall_ms %.1f\n", ms(stall_ns));
	return 0;
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";

	if (!strcmp(mode, "udp-send") && (argc == 5 || argc == 6))
		return udp_send(argv[2], argv[3], number("SECONDS", argv[4], 1, 3600),
				argc == 6 ? number("HZ", argv[5], 1, 1000) : 1000);
	if (!strcmp(mode, "udp-recv") && argc == 4)
		return udp_recv(argv[2], number("SECONDS", argv[3], 1, 3600));
	if (!strcmp(mode, "tcp-serve") && argc == 4)
		return tcp_serve(argv[2], number("SECONDS", argv[3], 1, 3600));
	if (!strcmp(mode, "tcp-hold") && argc == 6)
		return tcp_hold(argv[2], argv[3], number("N", argv[4], 1, CONNS_MAX),
				number("SECONDS", argv[5], 1, 3600));
	if (!strcmp(mode, "noise") && argc == 3)
		return noise(number("SECONDS", argv[2], 1, 3600));
	usage();
	return 2;
}
