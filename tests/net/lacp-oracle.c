/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lacp-oracle.c - our LACP system as a program that a script drives, beside a partner in virtual
 * time (test-lacp-oracle.sh). Commands on stdin, answers on stdout, "." ends each:
 *
 *   up              the links come up; "tx PORT HEX" for each frame that we send
 *   run MS          lets the time pass; the same
 *   pcap PORT FILE  takes what was appended to a pcap file for frames that came in
 *   show            "PORT MUX RECEIVE" and both ends, a line each
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "netback-team/lacp.h"

#define PORTS	    2
#define STEP_NS	    (20 * NSEC_PER_MSEC)
#define PCAP_HEAD   24
#define RECORD_HEAD 16
#define FRAME_ROOM  2048

struct oracle {
	struct lacp lacp;
	uint64_t now_ns;
	long offsets[PORTS]; /* of the pcap files */
};

static int on_send(void *ctx, unsigned int port, const uint8_t *frame)
{
	printf("tx %u ", port);
	for (unsigned int i = 0; i < LACP_FRAME_LEN; i++)
		printf("%02x", frame[i]);
	putchar('\n');
	return 0;
}

static void on_port(void *ctx, unsigned int port, bool collect, bool distribute)
{
}

static void on_active(void *ctx, int old, int new)
{
}

static void start(struct oracle *o)
{
	const struct lacp_config config = {.fast = true,
					   .system_priority = 4660,
					   .system = {0x02, 0x11, 0x22, 0x33, 0x44, 0x55},
					   .key = 5,
					   .default_mbps = 10000};
	const struct lacp_ops ops = {on_send, on_port, on_active, o};

	o->now_ns = NSEC_PER_SEC;
	assert(lacp_init(&o->lacp, &config, &ops, o->now_ns) == 0);
}

static void links_up(struct oracle *o)
{
	for (unsigned int i = 0; i < PORTS; i++) {
		const struct lacp_link link = {.carrier = true,
					       .priority = (uint16_t)(100 + i),
					       .mac = {0x02, 0, 0, 0, 0, (uint8_t)(i + 1)}};

		assert(lacp_port_set(&o->lacp, i, &link, o->now_ns) == 0);
		o->offsets[i] = PCAP_HEAD;
	}
}

static void run(struct oracle *o, unsigned int ms)
{
	const uint64_t end_ns = o->now_ns + ms * NSEC_PER_MSEC;

	for (; o->now_ns < end_ns; o->now_ns += STEP_NS)
		lacp_run(&o->lacp, o->now_ns);
}

/* The format of libpcap, in the byte order of this machine. A record that is not all there yet is
 * left for the next time. */
static void take_pcap(struct oracle *o, unsigned int port, const char *path)
{
	uint8_t frame[FRAME_ROOM];
	uint32_t head[RECORD_HEAD / 4];
	FILE *file = fopen(path, "rb");

	if (!file || port >= PORTS) {
		printf("cannot read %s\n", path);
		if (file)
			fclose(file);
		return;
	}
	while (fseek(file, o->offsets[port], SEEK_SET) == 0 &&
	       fread(head, sizeof(head), 1, file) == 1 && head[2] <= sizeof(frame) &&
	       fread(frame, 1, head[2], file) == head[2]) {
		lacp_receive(&o->lacp, port, frame, head[2], o->now_ns);
		o->offsets[port] += RECORD_HEAD + (long)head[2];
	}
	fclose(file);
}

static void show_end(const char *name, const struct lacp_info *end)
{
	const uint8_t *s = end->system;
	char state[LACP_STATE_TEXT];

	lacp_state_format(state, end->state);
	printf("%s %u %02x:%02x:%02x:%02x:%02x:%02x key %u priority %u port %u %s\n", name,
	       end->system_priority, s[0], s[1], s[2], s[3], s[4], s[5], end->key,
	       end->port_priority, end->port, state);
}

static void show(const struct oracle *o)
{
	for (unsigned int i = 0; i < PORTS; i++) {
		struct lacp_port_status status;

		assert(lacp_port_status(&o->lacp, i, o->now_ns, &status) == 0);
		printf("%u %s %s bad %" PRIu64 " rx %" PRIu64 "\n", i, lacp_mux_name(status.mux),
		       lacp_rx_name(status.rx), status.counters.n_bad, status.counters.n_pdu_rx);
		show_end("actor", &status.actor);
		show_end("partner", &status.partner);
	}
}

int main(void)
{
	static struct oracle o;
	char line[512], path[400];
	unsigned int number;

	setvbuf(stdout, NULL, _IOLBF, 0);
	start(&o);
	while (fgets(line, sizeof(line), stdin)) {
		if (strcmp(line, "up\n") == 0)
			links_up(&o);
		else if (sscanf(line, "run %u", &number) == 1)
			run(&o, number);
		else if (sscanf(line, "pcap %u %399s", &number, path) == 2)
			take_pcap(&o, number, path);
		else if (strcmp(line, "show\n") == 0)
			show(&o);
		else
			printf("unknown: %s", line);
		puts(".");
	}
	return 0;
}
