/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz-lacp.c - frames, raw or as a partner would send them with some bytes changed, links and
 * configurations that change: into a live LACP system, whose invariants are checked after each
 * step.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "netback-team/lacp.h"

#define PORTS 4u

#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

struct world {
	struct lacp lacp;
	struct lacp_config config;
	struct lacp_link links[PORTS];
	struct lacp_info heard[PORTS]; /* what the system said of itself last */
	uint64_t tx_ns[PORTS][3];
	uint64_t now_ns;
	uint32_t collecting, distributing;
	bool refuse;
};

static struct world w;

static int on_send(void *ctx, unsigned int port, const uint8_t *frame)
{
	struct lacp_frame f;

	MUST(port < PORTS && w.links[port].carrier);
	if (w.refuse)
		return -ENOBUFS;
	lacp_frame_parse(frame, LACP_FRAME_LEN, &f);
	MUST(f.kind >= LACP_FRAME_LACPDU);
	if (f.kind != LACP_FRAME_LACPDU)
		return 0;
	MUST(w.tx_ns[port][0] == 0 || w.now_ns - w.tx_ns[port][0] >= NSEC_PER_SEC);
	memmove(w.tx_ns[port], w.tx_ns[port] + 1, 2 * sizeof(uint64_t));
	w.tx_ns[port][2] = w.now_ns;
	w.heard[port] = f.pdu.actor;
	return 0;
}

static void on_port(void *ctx, unsigned int port, bool collect, bool distribute)
{
	w.collecting = (w.collecting & ~(1u << port)) | (uint32_t)collect << port;
	w.distributing = (w.distributing & ~(1u << port)) | (uint32_t)distribute << port;
}

static void on_active(void *ctx, int old, int new)
{
	MUST(old != new &&new < LACP_PORTS_MAX);
}

static void check_port(unsigned int port, const struct lacp_port_status **first)
{
	static struct lacp_port_status statuses[PORTS];
	struct lacp_port_status *s = &statuses[port];

	if (lacp_port_status(&w.lacp, port, w.now_ns, s) < 0) {
		MUST(!((w.collecting | w.distributing) >> port & 1));
		return;
	}
	MUST(s->rx_ns <= w.now_ns && s->mux_ns <= w.now_ns && s->reason);
	if (!(w.collecting >> port & 1))
		return;
	MUST(s->carrier && s->selected == LACP_SELECTED && !s->loopback);
	MUST(s->partner.state & LACP_STATE_SYNC);
	MUST(!(w.distributing >> port & 1) || w.config.coupled ||
	     (s->partner.state & LACP_STATE_COLLECTING));
	if (s->drain != LACP_DRAIN_NONE)
		return;
	MUST(s->active);
	MUST(!*first || memcmp((*first)->partner.system, s->partner.system, 6) == 0);
	*first = s;
}

static void check(void)
{
	const struct lacp_port_status *first = NULL;

	MUST(w.collecting == lacp_collecting(&w.lacp));
	MUST(w.distributing == lacp_distributing(&w.lacp));
	MUST(!(w.distributing & ~w.collecting));
	for (unsigned int port = 0; port < PORTS; port++)
		check_port(port, &first);
}

/* The frame in memory of exactly its size, so that sanitizers see each byte too far. */
static void receive(unsigned int port, const uint8_t *bytes, size_t len)
{
	uint8_t *frame = malloc(len ? len : 1);

	MUST(frame);
	if (len)
		memcpy(frame, bytes, len);
	lacp_receive(&w.lacp, port, frame, len, w.now_ns);
	free(frame);
}

/* A LACPDU or marker that fits, then pairs of place and value that are changed in it. */
static void partner_sends(unsigned int port, bool marker, const uint8_t *patch, size_t len)
{
	static const uint8_t src[6] = {2, 0, 0, 0, 9, 9};
	const struct lacp_pdu pdu = {.actor = {.system_priority = 32768,
					       .system = {2, 0, 0, 0, 0, 9},
					       .key = 7,
					       .port_priority = 255,
					       .port = (uint16_t)(port + 1),
					       .state = 0x3f},
				     .partner = w.heard[port]};
	const struct lacp_marker request = {
		.port = (uint16_t)(port + 1), .system = {2, 0, 0, 0, 0, 1}, .transaction = 1};
	uint8_t frame[LACP_FRAME_LEN];

	if (marker)
		lacp_marker_build(frame, src, LACP_FRAME_MARKER, &request);
	else
		lacp_pdu_build(frame, src, &pdu);
	for (; len >= 2; patch += 2, len -= 2)
		frame[patch[0] % LACP_FRAME_LEN] ^= patch[1];
	receive(port, frame, sizeof(frame));
}

static void change_config(const uint8_t *bytes, size_t len)
{
	struct lacp_config config = w.config;

	if (len < 4)
		return;
	config.mode = bytes[0] % 3;
	config.fast = bytes[0] & 4;
	config.coupled = bytes[0] & 8;
	config.strict = bytes[0] & 16;
	config.ad_select = bytes[1] % 4;
	config.fallback = bytes[1] / 4 % 3;
	config.max_ports = bytes[1] / 16 % 4;
	config.key = (uint16_t)(bytes[2] * 8); /* some are too large */
	config.system[0] = bytes[2] & 0xc3;
	config.system_priority = bytes[3];
	if (lacp_configure(&w.lacp, &config, w.now_ns) == 0)
		w.config = config;
}

static void change_link(unsigned int port, const uint8_t *bytes, size_t len)
{
	struct lacp_link *link = &w.links[port];

	if (len) {
		link->mbps = bytes[0] % 4 * 500u;
		link->duplex = bytes[0] / 4 % 3;
		link->priority = bytes[0] / 16;
	}
	link->carrier = !link->carrier || len;
	lacp_port_set(&w.lacp, port, link, w.now_ns);
}

static void step(uint8_t op, const uint8_t *bytes, size_t len)
{
	const unsigned int port = op / 16 % PORTS;

	switch (op % 16) {
	case 0:
		receive(port, bytes, len);
		break;
	case 1:
		change_config(bytes, len);
		break;
	case 2:
		change_link(port, bytes, len);
		break;
	case 3:
		lacp_port_remove(&w.lacp, port, w.now_ns);
		break;
	case 4:
		lacp_port_drain(&w.lacp, port, op & 128, w.now_ns);
		break;
	case 5:
		lacp_marker_send(&w.lacp, port, w.now_ns);
		break;
	case 6:
		w.refuse = op & 128;
		break;
	case 7:
		partner_sends(port, true, bytes, len);
		break;
	case 8:
	case 9: /* time passes: as much as nothing is due, or more */
		w.now_ns = len ? w.now_ns + ((uint64_t)bytes[0] << 24)
			       : MAX(w.now_ns, MIN(lacp_deadline(&w.lacp), w.now_ns << 1));
		MUST(lacp_run(&w.lacp, w.now_ns) > w.now_ns);
		break;
	default:
		partner_sends(port, false, bytes, len);
		break;
	}
	check();
}

/* Each step: what to do, how many bytes it has, these. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct lacp_ops ops = {.send = on_send, .port = on_port, .active = on_active};

	memset(&w, 0, sizeof(w));
	w.now_ns = NSEC_PER_SEC;
	w.config = (struct lacp_config){.fast = true,
					.system_priority = 32768,
					.system = {2, 0, 0, 0, 0, 1},
					.default_mbps = 1000};
	MUST(lacp_init(&w.lacp, &w.config, &ops, w.now_ns) == 0);
	for (unsigned int port = 0; port < PORTS; port++) {
		w.links[port] = (struct lacp_link){.carrier = true, .mac = {2, 1, 0, 0, 0, 0}};
		lacp_port_set(&w.lacp, port, &w.links[port], w.now_ns);
	}
	for (size_t len; size >= 2; data += 2 + len, size -= 2 + len) {
		len = MIN(data[1], size - 2);
		step(data[0], data + 2, len);
	}
	return 0;
}
