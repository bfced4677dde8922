/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netfront-stub.h - a toolstack and a tiny backend on a fake Xen, moved by hand, for
 * test-netfront.c and test-netfront-evil.c.
 *
 * The backend maps and binds what the frontend published, copies frames by grants and answers as
 * the test says.
 */
#ifndef XB_TESTS_NETFRONT_STUB_H
#define XB_TESTS_NETFRONT_STUB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "netback-team/netif.h"
#include "tests/guest/netfront.h"
#include "xen/fake.h"

#define STUB_DOMID  7
#define STUB_FRAME  65536u
#define STUB_FRAMES 64u
#define FRONT	    "/local/domain/7/device/vif/0"
#define BACK	    "/local/domain/0/backend/vif/7/0"

/* A frame that the frontend delivered. */
struct stub_frame {
	struct virtio_net_hdr vnet;
	unsigned int queue;
	uint32_t len;
	uint8_t *data;
};

struct stub_queue {
	struct ring_back tx, rx;
	void *tx_page, *rx_page;
	uint32_t tx_port, rx_port;
};

struct stub {
	struct fake *fake;
	struct xen *dom0, *domu;
	const struct xen_ops *ops;
	struct xen_store *store;
	struct xen_gnt *gnt;
	struct xen_evt *evt;
	unsigned int n_queues;
	struct stub_queue queues[NETFRONT_QUEUES_MAX];
	unsigned int n_notified; /* events that the backend got */
	struct netfront *nf;
	struct netfront_options options;
	char states[64]; /* letters of the states that the frontend went through */
	unsigned int n_frames;
	struct stub_frame frames[STUB_FRAMES];
};

/* cmocka: a machine with a vif attached by the toolstack, the backend in state 1. Teardown checks
 * for leaks. */
int stub_setup(void **state);
int stub_teardown(void **state);

void stub_write(struct stub *stub, const char *path, const char *value);
/* To free(); NULL when there is no such node. */
char *stub_read(struct stub *stub, const char *path);
void stub_expect(struct stub *stub, const char *path, const char *value); /* NULL: no such node */

/* Writes all features, max_queues and state 2. */
void stub_publish(struct stub *stub, unsigned int max_queues);
/* The frontend with `features` and at most n_queues. */
void stub_front(struct stub *stub, const char *features, unsigned int n_queues);
/* Maps and binds what the frontend wrote, then state 4. */
void stub_connect(struct stub *stub);
/* Unbinds and unmaps, as at a close and when a daemon dies; no state is written. */
void stub_disconnect(struct stub *stub);
/* All of it: publish, front, connect; both are running. */
void stub_up(struct stub *stub, const char *features, unsigned int n_queues);
/* netfront_run until it has nothing to do. */
void stub_run(struct stub *stub);

/* Takes the next TX packet of a queue and copies its frame into data (STUB_FRAME); its length, 0 =
 * none. Not answered yet. */
uint32_t stub_take(struct stub *stub, unsigned int queue, struct netif_tx_packet *packet,
		   uint8_t *data);
/* Answers a taken packet; pushes, and notifies where the frontend wants it. */
void stub_answer(struct stub *stub, unsigned int queue, const struct netif_tx_packet *packet,
		 int16_t status);
void stub_push(struct stub *stub, unsigned int queue);

/* Puts a frame into the RX ring in pieces of `piece` bytes; flags NETRXF_*, gso_size 0 = none. Not
 * pushed. */
void stub_give(struct stub *stub, unsigned int queue, const uint8_t *frame, uint32_t len,
	       uint32_t piece, uint16_t flags, uint16_t gso_size, uint8_t gso_type);

/* A TCP frame with `payload` bytes and the pseudo-header sum in its checksum field; IPv4 or IPv6.
 * Its length. */
uint32_t stub_tcp(uint8_t *out, bool ipv6, uint32_t payload);

#endif
