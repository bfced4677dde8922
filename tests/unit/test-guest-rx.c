/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-guest-rx.c - frames to guests: slots, offloads kept or done in software, waiting, dropping,
 * stalling. */
#include "datapath.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "util.h"

static uint8_t frame[70000], got[70000];

static const struct virtio_net_hdr partial = {
	.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 34, .csum_offset = 16};
static const struct virtio_net_hdr gso = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
					  .csum_start = 34,
					  .csum_offset = 16,
					  .hdr_len = 54,
					  .gso_size = 1446,
					  .gso_type = VIRTIO_NET_HDR_GSO_TCPV4};

/* A guest with fewer features than Linux takes its place. */
static void reconnect(struct dp *dp, unsigned int i, const struct vif_config *config)
{
	dp_disconnect(dp, i);
	dp_connect(dp, i, config);
}

static void test_sizes(void **state)
{
	static const uint32_t payloads[] = {6, 1446, 4042, 4043, 8000, 65000};
	struct dp *dp = *state;
	struct dp_guest *g = &dp->guests[0];
	uint16_t flags, gso_size;

	for (size_t i = 0; i < ARRAY_SIZE(payloads); i++) {
		bool big = payloads[i] > 1446;
		uint32_t len = dp_tcp(frame, g->mac, dp_wire_mac, payloads[i], 1);

		dp_post_rx(dp, 0, 20);
		dp_incoming(dp->nics[0], frame, len, big ? &gso : &partial, -1);
		dp_run(dp);
		assert_int_equal(dp_receive(g, got, &flags, &gso_size), len);
		assert_memory_equal(got, frame, len);
		assert_int_equal(gso_size, big ? 1446 : 0);
		assert_true(flags & NETRXF_csum_blank);
		assert_true(flags & NETRXF_data_validated);
	}
}

static void test_flags(void **state)
{
	struct virtio_net_hdr valid = {.flags = VIRTIO_NET_HDR_F_DATA_VALID};
	struct dp *dp = *state;
	struct dp_guest *g = &dp->guests[0];
	uint32_t len = dp_tcp(frame, g->mac, dp_wire_mac, 100, 2);
	uint16_t flags;

	dp_post_rx(dp, 0, 2);
	dp_incoming(dp->nics[0], frame, len, &valid, -1);
	dp_incoming(dp->nics[0], frame, len, NULL, -1);
	dp_run(dp);
	assert_int_equal(dp_receive(g, got, &flags, NULL), len);
	assert_int_equal(flags, NETRXF_data_validated);
	assert_int_equal(dp_receive(g, got, &flags, NULL), len);
	assert_int_equal(flags, 0);
}

static void test_vlan_reinserted(void **state)
{
	struct dp *dp = *state;
	struct dp_guest *g = &dp->guests[0];
	uint32_t len = dp_tcp(frame, g->mac, dp_wire_mac, 100, 1);

	dp_post_rx(dp, 0, 2);
	dp_incoming(dp->nics[0], frame, len, &partial, 0x2123);
	dp_run(dp);
	assert_int_equal(dp_receive(g, got, NULL, NULL), len + 4);
	assert_memory_equal(got, frame, 12);
	assert_memory_equal(got + 12, ((uint8_t[]){0x81, 0, 0x21, 0x23}), 4);
	assert_memory_equal(got + 16, frame + 12, len - 12);
}

/* No GSO: segments with right checksums whose payloads join to the original. */
static void test_software_segments(void **state)
{
	struct dp *dp = *state;
	struct dp_guest *g = &dp->guests[0];
	struct vif_config config = dp_config(dp, 0);
	uint32_t len = dp_tcp(frame, g->mac, dp_wire_mac, 5000, 1), joined = 0;
	int n;

	config.gso_tcpv4 = config.csum_ipv4 = false;
	config.sg = false;
	reconnect(dp, 0, &config);
	dp_post_rx(dp, 0, 20);
	dp_incoming(dp->nics[0], frame, len, &gso, -1);
	dp_run(dp);
	while ((n = dp_receive(g, got, NULL, NULL)) > 0) {
		assert_true(n <= 1500);
		assert_true(frame_csum_ok(got, (size_t)n));
		assert_memory_equal(got + 54, frame + 54 + joined, (size_t)n - 54);
		joined += (uint32_t)n - 54;
	}
	assert_int_equal(joined, 5000);
	assert_int_equal(g->vif->stats.rx_segmented, 4);
}

static void test_software_checksum(void **state)
{
	struct dp *dp = *state;
	struct dp_guest *g = &dp->guests[0];
	struct vif_config config = dp_config(dp, 0);
	uint32_t len = dp_tcp(frame, g->mac, dp_wire_mac, 333, 1);
	uint16_t flags;

	config.csum_ipv4 = false;
	for (unsigned int round = 0; round < 2; round++) {
		reconnect(dp, 0, &config);
		dp_post_rx(dp, 0, 4);
		dp_incoming(dp->nics[0], frame, len, &partial, -1);
		dp_run(dp);
		assert_int_equal(dp_receive(g, got, &flags, NULL), len);
		assert_false(flags & NETRXF_csum_blank);
		assert_true(frame_csum_ok(got, len));
		config = dp_config(dp, 0);
		config.csum_fill = true; /* the policy for router guests does the same */
	}
}

/* From guest to guest the same rules hold: the receiver's features count. */
static void test_guest_without_features(void **state)
{
	const uint16_t sizes[] = {54, 3000, 3000, 0};
	struct dp *dp = *state;
	struct dp_guest *a = &dp->guests[0], *b = &dp->guests[1];
	struct vif_config config = dp_config(dp, 1);
	uint32_t len = dp_tcp(frame, b->mac, a->mac, 6000, 1), joined;
	int n;

	config.gso_tcpv4 = config.sg = config.csum_ipv4 = false;
	reconnect(dp, 1, &config);
	for (unsigned int round = 0; round < 2; round++) { /* the second from guest memory */
		joined = 0;
		dp_post_rx(dp, 1, 20);
		dp_send(dp, 0, frame, len, sizes, NETTXF_csum_blank, 1446,
			XEN_NETIF_GSO_TYPE_TCPV4);
		dp_run(dp);
		while ((n = dp_receive(b, got, NULL, NULL)) > 0) {
			assert_true(frame_csum_ok(got, (size_t)n));
			assert_memory_equal(got + 54, frame + 54 + joined, (size_t)n - 54);
			joined += (uint32_t)n - 54;
		}
		assert_int_equal(joined, 6000);
	}
}

/* No requests: frames wait in order, bounded, and arrive when there is room. */
static void test_wait(void **state)
{
	struct dp *dp = *state;
	struct dp_guest *g = &dp->guests[0];
	uint32_t len;

	for (uint32_t i = 0; i < 100; i++) {
		len = dp_tcp(frame, g->mac, dp_wire_mac, i < 5 ? 60000 : 100 + i, 1);
		dp_incoming(dp->nics[0], frame, len, i < 5 ? &gso : &partial, -1);
	}
	dp_run(dp);
	assert_int_equal(g->vif->stats.rx_queued, 100);
	assert_int_equal(g->vif->queues[0].wait.n_frames, 100);
	for (uint32_t i = 0; i < 100; i++) {
		len = dp_tcp(frame, g->mac, dp_wire_mac, i < 5 ? 60000 : 100 + i, 1);
		dp_post_rx(dp, 0, i < 5 ? 16 : 1);
		dp_run(dp);
		assert_int_equal(dp_receive(g, got, NULL, NULL), len);
		assert_memory_equal(got, frame, len);
	}
	assert_int_equal(g->vif->queues[0].wait.n_bytes, 0);
}

static void test_bounded(void **state)
{
	struct dp *dp = *state;
	struct dp_guest *g = &dp->guests[0];
	uint32_t len = dp_tcp(frame, g->mac, dp_wire_mac, 60000, 1);
	unsigned int fit = VIF_RXQ_BYTES_MAX / len;

	for (unsigned int i = 0; i < 40; i++)
		dp_incoming(dp->nics[0], frame, len, &gso, -1);
	dp_run(dp);
	assert_int_equal(g->vif->queues[0].wait.n_frames, fit);
	assert_int_equal(g->vif->stats.rx_dropped_full, 40 - fit);
	/* Another guest gets its frames all the same. */
	len = dp_tcp(frame, dp->guests[1].mac, dp_wire_mac, 100, 2);
	dp_post_rx(dp, 1, 2);
	dp_incoming(dp->nics[0], frame, len, NULL, -1);
	dp_run(dp);
	assert_int_equal(dp_receive(&dp->guests[1], got, NULL, NULL), len);
}

static void test_late_and_stalled(void **state)
{
	struct dp *dp = *state;
	struct dp_guest *g = &dp->guests[0];
	uint32_t len = dp_tcp(frame, g->mac, dp_wire_mac, 100, 2);

	for (unsigned int i = 0; i < 7; i++) {
		dp_incoming(dp->nics[0], frame, len, NULL, -1);
		dp_advance(dp, VIF_DRAIN_NS);
	}
	assert_true(g->vif->stats.rx_dropped_late >= 6);
	assert_true(g->vif->queues[0].stalled);
	dp_incoming(dp->nics[0], frame, len, NULL, -1);
	dp_run(dp);
	assert_true(g->vif->stats.rx_dropped_stalled > 0);
	dp_post_rx(dp, 0, 4); /* it lives again */
	dp_incoming(dp->nics[0], frame, len, NULL, -1);
	dp_run(dp);
	assert_false(g->vif->queues[0].stalled);
	assert_int_equal(dp_receive(g, got, NULL, NULL), len);
}

/* A frontend that does not notify us of requests: frames wait 30 ms, then go. */
static void test_no_rx_notify(void **state)
{
	struct dp *dp = *state;
	struct dp_guest *g = &dp->guests[0];
	struct vif_config config = dp_config(dp, 0);
	uint32_t len = dp_tcp(frame, g->mac, dp_wire_mac, 100, 2);

	config.rx_notify = false;
	reconnect(dp, 0, &config);
	dp_incoming(dp->nics[0], frame, len, NULL, -1);
	dp_run(dp);
	assert_int_equal(g->vif->queues[0].wait.n_frames, 1);
	dp_advance(dp, VIF_DRAIN_NOTIFY_NS);
	assert_int_equal(g->vif->stats.rx_dropped_late, 1);
}

static void test_bad_rx_grant(void **state)
{
	struct dp *dp = *state;
	struct dp_guest *g = &dp->guests[0];
	uint32_t len = dp_tcp(frame, g->mac, dp_wire_mac, 100, 2);

	dp_post_rx(dp, 0, 2);
	fake_revoke(dp->fake, g->domid, g->rx_refs[0]);
	dp_incoming(dp->nics[0], frame, len, NULL, -1);
	dp_incoming(dp->nics[0], frame, len, NULL, -1);
	dp_run(dp);
	assert_int_equal(dp_receive(g, got, NULL, NULL), NETIF_RSP_ERROR);
	assert_int_equal(dp_receive(g, got, NULL, NULL), len);
	assert_int_equal(g->vif->stats.rx_errors, 1);
}

static void test_bad_rx_index(void **state)
{
	struct dp *dp = *state;
	struct dp_guest *g = &dp->guests[0];
	uint32_t len = dp_tcp(frame, g->mac, dp_wire_mac, 100, 2);

	((struct ring_page *)g->rx_page)->req_prod = 300;
	dp_incoming(dp->nics[0], frame, len, NULL, -1);
	dp_run(dp);
	assert_ptr_equal(dp->failed, g->vif);
}

/* Only the active member's frames count; our own coming back and strangers' are dropped. */
static void test_receive_rules(void **state)
{
	static const uint8_t all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	static const uint8_t stranger[6] = {0x02, 0, 0, 0, 0, 9};
	struct dp *dp = *state;
	struct dp_guest *g = &dp->guests[0];
	uint32_t len;

	dp_post_rx(dp, 0, 10);
	len = dp_tcp(frame, g->mac, dp_wire_mac, 100, 2);
	dp_incoming(dp->nics[1], frame, len, NULL, -1);
	len = dp_tcp(frame, all, dp->guests[1].mac, 100, 2);
	dp_incoming(dp->nics[0], frame, len, NULL, -1);
	len = dp_tcp(frame, stranger, dp_wire_mac, 100, 2);
	dp_incoming(dp->nics[0], frame, len, NULL, -1);
	dp_run(dp);
	assert_int_equal(dp_receive(g, got, NULL, NULL), 0);
	assert_int_equal(dp->worker->stats.nic_rx_dropped_switch, 3);
	len = dp_tcp(frame, all, dp_wire_mac, 100, 2);
	dp_incoming(dp->nics[0], frame, len, NULL, -1);
	dp_run(dp);
	assert_int_equal(dp_receive(g, got, NULL, NULL), len);
}

/* Nothing moves until the worker waits for events again. */
static void end_looks(struct dp *dp)
{
	for (unsigned int i = 0; dp->worker->looks_left; i++) {
		assert_true(i < WORKER_LOOKS);
		dp_pass(dp);
	}
	dp_run(dp);
}

/* After much was received the worker looks by itself: a guest's small frame is taken without an
 * event, and its completion told only when the looking ends. */
static void test_looks_by_itself(void **state)
{
	struct dp *dp = *state;
	struct dp_guest *g = &dp->guests[0];
	struct vif_stats *stats = &g->vif->stats;
	uint64_t events, notifies;
	uint32_t len;

	dp->worker->may_look = true;
	dp_post_rx(dp, 0, 20);
	dp_run(dp);
	len = dp_tcp(frame, g->mac, dp_wire_mac, 65000, 1);
	dp_incoming(dp->nics[0], frame, len, &gso, -1);
	assert_true(dp_pass(dp));
	assert_true(dp->worker->looks_left);
	g->xen->ops->evt_notify(g->evt, g->port); /* the last event: its queue stays on the list */
	assert_true(dp_pass(dp));
	events = stats->events;

	len = dp_tcp(frame, dp_wire_mac, g->mac, 0, 2);
	dp_incoming(dp->nics[0], frame, 65000, &gso, -1); /* for nobody, but received */
	assert_true(dp_pass(dp));
	ring_front_arm(&g->tx);
	notifies = stats->notifies;
	dp_tx_slot(g, 0, 0, (uint16_t)len, 0, 1);
	memcpy(g->tx_data, frame, len);
	ring_front_push(&g->tx); /* without an event */
	assert_true(dp_pass(dp));
	assert_int_equal(dp->nics[0]->n_sent, 1);
	assert_int_equal(stats->events, events);
	assert_int_equal(stats->notifies, notifies);
	end_looks(dp);
	assert_int_equal(stats->notifies, notifies + 1);
	assert_int_equal(dp_tx_status(g), NETIF_RSP_OKAY);

	/* Armed again: the next request needs its event. */
	dp_tx_slot(g, 0, 0, (uint16_t)len, 0, 2);
	assert_true(ring_front_push(&g->tx));
}

/* A guest that saw its completions by itself is not told of them. */
static void test_looking_saves_notices(void **state)
{
	struct dp *dp = *state;
	struct dp_guest *g = &dp->guests[0];
	struct vif_stats *stats = &g->vif->stats;
	uint64_t notifies;
	uint32_t len;

	dp->worker->may_look = true;
	dp_post_rx(dp, 0, 20);
	dp_run(dp);
	dp_incoming(dp->nics[0], frame, dp_tcp(frame, g->mac, dp_wire_mac, 65000, 1), &gso, -1);
	dp_pass(dp);
	assert_true(dp->worker->looks_left);
	notifies = stats->notifies;
	len = dp_tcp(frame, dp_wire_mac, g->mac, 0, 2);
	dp_send(dp, 0, frame, len, NULL, 0, 0, 0);
	dp_pass(dp);
	assert_int_equal(dp_tx_status(g), NETIF_RSP_OKAY);
	ring_front_arm(&g->tx);
	end_looks(dp);
	assert_int_equal(stats->notifies, notifies);
}

/* What stays below both limits in every pass starts no looks, however long it goes on. */
static void test_little_starts_no_looks(void **state)
{
	struct dp *dp = *state;
	struct dp_guest *g = &dp->guests[0];
	uint32_t small, big;

	dp->worker->may_look = true;
	for (unsigned int round = 0; round < 4; round++) {
		small = dp_tcp(frame, g->mac, dp_wire_mac, 100, 2);
		dp_post_rx(dp, 0, WORKER_BULK_FRAMES - 1 + 10);
		for (unsigned int i = 0; i < WORKER_BULK_FRAMES - 1; i++)
			dp_incoming(dp->nics[0], frame, small, NULL, -1);
		dp_pass(dp);
		assert_int_equal(dp->worker->looks_left, 0);
		big = dp_tcp(frame, g->mac, dp_wire_mac, WORKER_BULK_BYTES - 1 - 54, 1);
		dp_incoming(dp->nics[0], frame, big, &gso, -1);
		dp_pass(dp);
		assert_int_equal(dp->worker->looks_left, 0);
		for (unsigned int i = 0; i < WORKER_BULK_FRAMES - 1; i++)
			assert_int_equal(dp_receive(g, got, NULL, NULL), small);
		assert_int_equal(dp_receive(g, got, NULL, NULL), big);
	}
	dp_run(dp);
	assert_int_equal(dp->worker->stats.looks, 0);
}

/* Looks in vain end after WORKER_LOOKS passes; little traffic meanwhile does not prolong them, much
 * does. */
static void test_looks_in_vain_end(void **state)
{
	struct dp *dp = *state;
	struct dp_guest *g = &dp->guests[0];
	uint32_t len;

	dp->worker->may_look = true;
	dp_post_rx(dp, 0, 40);
	dp_run(dp);
	for (unsigned int round = 0; round < 2; round++) {
		len = dp_tcp(frame, g->mac, dp_wire_mac, WORKER_BULK_BYTES - 54, 1);
		dp_incoming(dp->nics[0], frame, len, &gso, -1);
		assert_true(dp_pass(dp));
		assert_int_equal(dp->worker->looks_left, WORKER_LOOKS);
		if (round == 0)
			for (unsigned int i = 1; i < WORKER_LOOKS; i++) /* one is left */
				assert_true(dp_pass(dp));
	}
	len = dp_tcp(frame, g->mac, dp_wire_mac, 100, 2);
	for (unsigned int i = 1; i < WORKER_LOOKS; i++) {
		if (i == WORKER_LOOKS / 2)
			dp_incoming(dp->nics[0], frame, len, NULL, -1);
		assert_true(dp_pass(dp));
		assert_true(dp->worker->uplinks[0]->busy);
	}
	assert_false(dp_pass(dp)); /* the last one: nothing is left but to sleep */
	assert_int_equal(dp->worker->looks_left, 0);
	assert_false(dp->worker->uplinks[0]->busy);
	assert_int_equal(dp->worker->stats.looks, WORKER_LOOKS - 1 + WORKER_LOOKS);
	assert_false(dp_pass(dp));
	assert_int_equal(dp->worker->stats.looks, WORKER_LOOKS - 1 + WORKER_LOOKS);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, dp_setup, dp_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_sizes),
		T(test_flags),
		T(test_vlan_reinserted),
		T(test_software_segments),
		T(test_software_checksum),
		T(test_guest_without_features),
		T(test_wait),
		T(test_bounded),
		T(test_late_and_stalled),
		T(test_no_rx_notify),
		T(test_bad_rx_grant),
		T(test_bad_rx_index),
		T(test_receive_rules),
		T(test_looks_by_itself),
		T(test_looking_saves_notices),
		T(test_little_starts_no_looks),
		T(test_looks_in_vain_end),
	};

	return cmocka_run_group_tests_name("guest-rx", tests, NULL, NULL);
}
