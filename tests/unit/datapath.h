/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * datapath.h - a worker on a fake Xen with fake NICs and hand-driven guests, for test-guest-tx.c,
 * test-guest-rx.c and test-uplink.c.
 *
 * Nothing happens but by a call: the clock is manual, the worker has no thread, and a guest's ring
 * moves when the test moves it.
 */
#ifndef XB_TESTS_DATAPATH_H
#define XB_TESTS_DATAPATH_H

#include "netback-team/worker.h"

#include "clock.h"
#include "xen/fake.h"

#define DP_GUESTS   3
#define DP_NICS	    2
#define DP_TX_PAGES 32
#define DP_RX_PAGES 256
#define DP_FRAMES   256

/** A frame that a fake NIC sent or is about to receive. */
struct dp_frame {
	struct virtio_net_hdr vnet;
	uint32_t len;
	int32_t vlan_tci;
	uint64_t sent_ns;
	uint8_t data[70000];
};

struct dp_nic {
	struct nic nic;
	struct dp_frame *sent[DP_FRAMES];
	unsigned int n_sent;
	struct dp_frame *incoming[DP_FRAMES];
	unsigned int n_incoming;
	int send_error;	     /**< every send fails with -send_error while not 0 */
	unsigned int accept; /**< with send_error: so many frames still go */
	struct clock *clock;
	uint64_t send_ns; /**< that pass in a send call before its frames go */
	int carrier;
	unsigned int n_macs;
	int n_groups;
	bool promisc;
};

/** A guest with one queue; pages are granted for good. */
struct dp_guest {
	struct xen *xen;
	struct xen_shr *shr;
	struct xen_evt *evt;
	uint16_t domid;
	uint8_t mac[6];
	void *tx_page, *rx_page;
	uint32_t tx_ref, rx_ref;
	uint32_t port; /**< offered to us, shared by both rings */
	struct ring_front tx, rx;
	uint8_t *tx_data, *rx_data;
	uint32_t tx_refs[DP_TX_PAGES], rx_refs[DP_RX_PAGES];
	unsigned int tx_next; /**< next data page */
	struct vif *vif;
};

struct dp {
	struct fake *fake;
	struct clock clock;
	struct worker *worker;
	struct dp_nic *nics[DP_NICS];
	struct dp_guest guests[DP_GUESTS];
	struct vif *failed;
	const char *why;
};

/** cmocka set-up and tear-down: two NICs (up), guests 1 to 3 with all features, connected.
 * Tear-down checks for leaks. */
int dp_setup(void **state);
int dp_teardown(void **state);

/** Default configuration of guest i; change it and connect by dp_connect. */
struct vif_config dp_config(struct dp *dp, unsigned int i);
void dp_connect(struct dp *dp, unsigned int i, const struct vif_config *config);
void dp_disconnect(struct dp *dp, unsigned int i);
/** The daemon dies and its successor takes over: a new worker with the same NICs' names and the
 * same guests. */
void dp_restart(struct dp *dp);

/** One pass, as the worker's own loop does it; true: there is more to do at once. */
bool dp_pass(struct dp *dp);
/** Passes until nothing is left to do at this time. */
void dp_run(struct dp *dp);
void dp_advance(struct dp *dp, uint64_t ns);

/** Writes a request slot for `size` bytes at data page `page`. */
void dp_tx_slot(struct dp_guest *g, unsigned int page, uint16_t offset, uint16_t size,
		uint16_t flags, uint16_t id);
/** Sends a frame as slots of the given sizes (0-terminated; their sum is len); gso_size 0 = none.
 * Pushes and notifies. */
void dp_send(struct dp *dp, unsigned int i, const uint8_t *frame, uint32_t len,
	     const uint16_t *sizes, uint16_t flags, uint16_t gso_size, uint8_t gso_type);
/** Posts n RX requests. */
void dp_post_rx(struct dp *dp, unsigned int i, unsigned int n);
/** Takes the next TX response's status; -100 when there is none. */
int dp_tx_status(struct dp_guest *g);
/** Takes one received frame; its length, 0 = none, negative = error status. */
int dp_receive(struct dp_guest *g, uint8_t *out, uint16_t *flags, uint16_t *gso_size);

/** Gives a frame to a NIC as if it came from the wire. */
void dp_incoming(struct dp_nic *nic, const uint8_t *frame, uint32_t len,
		 const struct virtio_net_hdr *vnet, int32_t vlan_tci);

/** A TCP/IPv4 frame with `payload` bytes; csum: 0 none, 1 partial (pseudo sum), 2 complete. Returns
 * its length. */
uint32_t dp_tcp(uint8_t *out, const uint8_t dst[6], const uint8_t src[6], uint32_t payload,
		int csum);

extern const uint8_t dp_wire_mac[6]; /**< a host outside */

#endif
