/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-guest-tx.c - frames from guests: to NICs, to other guests, refused, held back, failed over,
 * across a restart. */
#include "datapath.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "util.h"

static uint8_t frame[70000], got[70000];

static void test_single(void **state)
{
	struct dp *dp = *state;
	struct dp_guest *g = &dp->guests[0];
	uint32_t len = dp_tcp(frame, dp_wire_mac, g->mac, 100, 2);

	dp_send(dp, 0, frame, len, NULL, 0, 0, 0);
	dp_run(dp);
	assert_int_equal(dp->nics[0]->n_sent, 1);
	assert_int_equal(dp->nics[0]->sent[0]->len, len);
	assert_memory_equal(dp->nics[0]->sent[0]->data, frame, len);
	assert_int_equal(dp->nics[0]->sent[0]->vnet.flags, 0);
	assert_int_equal(dp_tx_status(g), NETIF_RSP_OKAY);
	assert_int_equal(dp_tx_status(g), -100);
	assert_int_equal(g->vif->stats.tx_bytes, len);
}

/* 64 KiB of GSO with its headers in a slot of their own, as Linux sends it. */
static void test_gso(void **state)
{
	struct dp *dp = *state;
	struct dp_guest *g = &dp->guests[0];
	uint32_t len = dp_tcp(frame, dp_wire_mac, g->mac, 16 * 3900, 1);
	uint16_t sizes[18] = {54};
	struct dp_frame *sent;

	for (unsigned int i = 1; i <= 16; i++)
		sizes[i] = 3900;
	dp_send(dp, 0, frame, len, sizes, NETTXF_csum_blank | NETTXF_data_validated, 1446,
		XEN_NETIF_GSO_TYPE_TCPV4);
	dp_run(dp);
	assert_int_equal(dp->nics[0]->n_sent, 1);
	sent = dp->nics[0]->sent[0];
	assert_int_equal(sent->len, len);
	assert_memory_equal(sent->data, frame, len);
	assert_int_equal(sent->vnet.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
	assert_int_equal(sent->vnet.gso_type, VIRTIO_NET_HDR_GSO_TCPV4);
	assert_int_equal(sent->vnet.gso_size, 1446);
	assert_int_equal(sent->vnet.csum_start, 34);
	assert_int_equal(sent->vnet.csum_offset, 16);
	for (unsigned int i = 0; i < 18; i++)
		assert_int_equal(dp_tx_status(g), i == 1 ? NETIF_RSP_NULL : NETIF_RSP_OKAY);
	assert_int_equal(g->vif->stats.tx_gso_packets, 1);
}

/* Headers spread over eighteen tiny slots (XSA-423, XSA-432). */
static void test_tiny_slots(void **state)
{
	struct dp *dp = *state;
	struct dp_guest *g = &dp->guests[0];
	uint32_t len = dp_tcp(frame, dp_wire_mac, g->mac, 50, 1);
	uint16_t sizes[19];

	for (unsigned int i = 0; i < 17; i++)
		sizes[i] = 3;
	sizes[17] = (uint16_t)(len - 17 * 3);
	dp_send(dp, 0, frame, len, sizes, NETTXF_csum_blank, 0, 0);
	dp_run(dp);
	assert_int_equal(dp->nics[0]->n_sent, 1);
	assert_int_equal(dp->nics[0]->sent[0]->len, len);
	assert_memory_equal(dp->nics[0]->sent[0]->data, frame, len);
	assert_int_equal(dp->nics[0]->sent[0]->vnet.csum_start, 34);
}

static void test_malformed_and_revoked(void **state)
{
	struct dp *dp = *state;
	struct dp_guest *g = &dp->guests[0];
	uint32_t len = dp_tcp(frame, dp_wire_mac, g->mac, 100, 2);

	dp_tx_slot(g, 0, 0, 13, 0, 1); /* too short */
	if (ring_front_push(&g->tx))
		g->xen->ops->evt_notify(g->evt, g->port);
	dp_send(dp, 0, frame, len, NULL, 0, 0, 0);
	g->tx_next = 5;
	fake_revoke(dp->fake, g->domid, g->tx_refs[5]);
	dp_send(dp, 0, frame, len, NULL, 0, 0, 0);
	dp_send(dp, 1, frame, len, NULL, 0, 0, 0); /* another guest's address */
	g = &dp->guests[1];
	len = dp_tcp(frame, dp_wire_mac, g->mac, 20, 2);
	dp_send(dp, 1, frame, len, NULL, 0, 0, 0);
	dp_run(dp);
	g = &dp->guests[0];
	assert_int_equal(dp_tx_status(g), NETIF_RSP_ERROR);
	assert_int_equal(dp_tx_status(g), NETIF_RSP_OKAY);
	assert_int_equal(dp_tx_status(g), NETIF_RSP_ERROR);
	assert_int_equal(g->vif->stats.tx_errors, 2);
	assert_int_equal(dp->nics[0]->n_sent, 2); /* one of each guest */
	assert_int_equal(dp->guests[1].vif->stats.tx_spoofed, 1);
	assert_null(dp->failed);
}

static void test_copy_call_fails(void **state)
{
	struct dp *dp = *state;
	struct dp_guest *g = &dp->guests[0];
	uint32_t len = dp_tcp(frame, dp_wire_mac, g->mac, 100, 2);

	fake_fault(dp->fake, FAKE_FAULT_COPY_CALL, 1);
	dp_send(dp, 0, frame, len, NULL, 0, 0, 0);
	dp_run(dp);
	assert_int_equal(dp_tx_status(g), NETIF_RSP_ERROR);
	dp_send(dp, 0, frame, len, NULL, 0, 0, 0);
	dp_run(dp);
	assert_int_equal(dp_tx_status(g), NETIF_RSP_OKAY);
}

/* A guest that breaks the protocol is reported and served no more; the others notice nothing. */
static void test_hostile_guest(void **state)
{
	struct dp *dp = *state;
	struct dp_guest *g = &dp->guests[0];
	uint32_t len = dp_tcp(frame, dp_wire_mac, dp->guests[1].mac, 100, 2);

	dp_tx_slot(g, 0, 4000, 200, 0, 1);
	ring_front_push(&g->tx);
	g->xen->ops->evt_notify(g->evt, g->port);
	dp_send(dp, 1, frame, len, NULL, 0, 0, 0);
	dp_run(dp);
	assert_ptr_equal(dp->failed, g->vif);
	assert_non_null(strstr(dp->why, "page"));
	assert_int_equal(dp_tx_status(g), -100);
	assert_int_equal(dp_tx_status(&dp->guests[1]), NETIF_RSP_OKAY);
	((struct ring_page *)g->tx_page)->req_prod += 5000; /* and goes on misbehaving */
	dp_run(dp);
}

static void test_control_frames_stay(void **state)
{
	static const uint8_t lacp[6] = {0x01, 0x80, 0xc2, 0, 0, 2};
	struct dp *dp = *state;
	uint32_t len = dp_tcp(frame, lacp, dp->guests[0].mac, 70, 2);

	dp_send(dp, 0, frame, len, NULL, 0, 0, 0);
	dp_run(dp);
	assert_int_equal(dp->nics[0]->n_sent + dp->nics[1]->n_sent, 0);
	assert_int_equal(dp->guests[0].vif->stats.tx_control, 1);
}

/* Guest to guest: many slots to many slots, GSO kept, then in one foreign-to-foreign copy once the
 * worker has learned. */
static void test_guest_to_guest(void **state)
{
	struct dp *dp = *state;
	struct dp_guest *a = &dp->guests[0], *b = &dp->guests[1];
	uint32_t len = dp_tcp(frame, b->mac, a->mac, 9000, 1);
	const uint16_t sizes[] = {54, 3000, 3000, 3000, 0};
	uint16_t flags, gso;

	for (unsigned int round = 0; round < 3; round++) {
		dp_post_rx(dp, 1, 20);
		dp_send(dp, 0, frame, len, sizes, NETTXF_csum_blank | NETTXF_data_validated, 1446,
			XEN_NETIF_GSO_TYPE_TCPV4);
		dp_run(dp);
		assert_int_equal(dp_receive(b, got, &flags, &gso), len);
		assert_memory_equal(got, frame, len);
		assert_true(flags & NETRXF_csum_blank);
		assert_int_equal(gso, 1446);
		assert_true(a->vif->queues[0].peek);
	}
	assert_int_equal(dp->nics[0]->n_sent, 0);
	assert_int_equal(a->vif->stats.tx_local_packets, 3);
	/* A frame for the wire after that: predicted wrong, sent right. */
	len = dp_tcp(frame, dp_wire_mac, a->mac, 9000, 1);
	dp_send(dp, 0, frame, len, sizes, NETTXF_csum_blank, 1446, XEN_NETIF_GSO_TYPE_TCPV4);
	dp_run(dp);
	assert_int_equal(dp->nics[0]->n_sent, 1);
	assert_memory_equal(dp->nics[0]->sent[0]->data, frame, len);
	assert_false(a->vif->queues[0].peek);
}

static void test_broadcast(void **state)
{
	static const uint8_t all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	struct dp *dp = *state;
	uint32_t len = dp_tcp(frame, all, dp->guests[0].mac, 100, 2);

	for (unsigned int i = 0; i < DP_GUESTS; i++)
		dp_post_rx(dp, i, 4);
	dp_send(dp, 0, frame, len, NULL, 0, 0, 0);
	dp_run(dp);
	assert_int_equal(dp_receive(&dp->guests[0], got, NULL, NULL), 0);
	for (unsigned int i = 1; i < DP_GUESTS; i++) {
		assert_int_equal(dp_receive(&dp->guests[i], got, NULL, NULL), len);
		assert_memory_equal(got, frame, len);
	}
	assert_int_equal(dp->nics[0]->n_sent, 1);
	assert_int_equal(dp->nics[1]->n_sent, 0);
}

/* The rate limit leaves frames in the ring and lets them go in time; a change acts at once. */
static void test_rate(void **state)
{
	struct dp *dp = *state;
	struct dp_guest *g = &dp->guests[0];
	uint32_t len = dp_tcp(frame, dp_wire_mac, g->mac, 922, 2); /* 1000 bytes on the wire */
	struct qos_vif qos = g->vif->config.qos;
	const char *why;

	qos.tx.limit = (struct limit_config){.avg_bps = 8000000, .burst_bytes = 65535};
	assert_int_equal(qos_vif_set(dp->worker, g->vif, &qos, &why), 0); /* 1 byte a us */
	for (unsigned int i = 0; i < 100; i++)
		dp_send(dp, 0, frame, len, NULL, 0, 0, 0);
	dp_run(dp);
	assert_int_equal(dp->nics[0]->n_sent, 65);
	assert_int_equal(ring_front_responses(&g->tx),
			 65); /* the others wait in the guest's memory */
	dp_advance(dp, 10 * NSEC_PER_MSEC);
	assert_int_equal(dp->nics[0]->n_sent, 75);
	qos.tx.limit = (struct limit_config){0};
	assert_int_equal(qos_vif_set(dp->worker, g->vif, &qos, &why), 0);
	dp_run(dp);
	assert_int_equal(dp->nics[0]->n_sent, 100);
}

/* Frames that a dead member could not take leave through the other in the same pass, in order. */
static void test_failover_on_send_error(void **state)
{
	struct dp *dp = *state;
	struct dp_guest *g = &dp->guests[0];
	uint32_t len;

	dp->nics[0]->send_error = ENOBUFS;
	dp->nics[0]->accept = 2;
	dp->nics[0]->carrier = 0;
	for (unsigned int i = 0; i < 5; i++) {
		len = dp_tcp(frame, dp_wire_mac, g->mac, 100 + i, 2);
		dp_send(dp, 0, frame, len, NULL, 0, 0, 0);
	}
	dp_run(dp);
	assert_int_equal(dp->nics[0]->n_sent, 2);
	assert_int_equal(dp->nics[1]->n_sent, 3);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(dp->nics[1]->sent[i]->len, 54 + 102 + i);
	assert_int_equal(g->vif->stats.tx_no_member, 0);
	assert_int_equal(dp->worker->stats.reselected, 3);
}

/* When the active member goes down, each guest's address is announced on the new one. */
static void test_announce(void **state)
{
	struct dp *dp = *state;
	unsigned int rarps = 0;

	team_on_link(&dp->worker->team, 0, false, clock_now(&dp->clock));
	worker_deadline(dp->worker, 0);
	dp_run(dp);
	assert_int_equal(dp->worker->team.active, 1);
	for (unsigned int i = 0; i < dp->nics[1]->n_sent; i++) {
		const struct dp_frame *sent = dp->nics[1]->sent[i];

		assert_int_equal(sent->len, FRAME_ANNOUNCE_LEN);
		assert_int_equal(sent->data[12] << 8 | sent->data[13], 0x8035);
		rarps++;
	}
	assert_int_equal(rarps, DP_GUESTS);
}

static void test_no_member(void **state)
{
	struct dp *dp = *state;
	struct dp_guest *g = &dp->guests[0];
	uint32_t len = dp_tcp(frame, dp_wire_mac, g->mac, 100, 2);

	for (int i = 0; i < DP_NICS; i++)
		team_on_link(&dp->worker->team, i, false, clock_now(&dp->clock));
	dp_send(dp, 0, frame, len, NULL, 0, 0, 0);
	dp_run(dp);
	assert_int_equal(dp_tx_status(g),
			 NETIF_RSP_OKAY); /* lost as on a cut cable, not an error of the guest */
	assert_int_equal(g->vif->stats.tx_no_member, 1);
}

static void test_too_big_and_refused(void **state)
{
	struct dp *dp = *state;
	struct dp_guest *g = &dp->guests[0];
	uint32_t len = dp_tcp(frame, dp_wire_mac, g->mac, 2000, 2);

	dp_send(dp, 0, frame, len, NULL, 0, 0, 0);
	dp_run(dp);
	assert_int_equal(g->vif->stats.tx_too_big, 1);
	dp->nics[0]->send_error = EINVAL;
	len = dp_tcp(frame, dp_wire_mac, g->mac, 200, 2);
	dp_send(dp, 0, frame, len, NULL, 0, 0, 0);
	dp_run(dp);
	assert_int_equal(g->vif->stats.tx_refused, 1);
	assert_int_equal(dp->nics[1]->n_sent, 0); /* no other member would take it either */
}

/* kill -9 and a successor: what was not answered is sent (again), what was answered stays answered.
 */
static void test_restart(void **state)
{
	struct dp *dp = *state;
	struct dp_guest *g = &dp->guests[0];
	uint32_t len = dp_tcp(frame, dp_wire_mac, g->mac, 100, 2);

	for (unsigned int i = 0; i < 10; i++)
		dp_send(dp, 0, frame, len, NULL, 0, 0, 0);
	dp_run(dp);
	for (unsigned int i = 0; i < 7; i++)
		dp_send(dp, 0, frame, len, NULL, 0, 0, 0); /* nobody served these */
	dp_post_rx(dp, 0, 8);
	dp_restart(dp);
	dp_run(dp);
	assert_int_equal(g->vif->stats.tx_packets, 7);
	for (unsigned int i = 0; i < 17; i++)
		assert_int_equal(dp_tx_status(g), NETIF_RSP_OKAY);
	assert_int_equal(dp_tx_status(g), -100);
	len = dp_tcp(frame, g->mac, dp_wire_mac, 100, 2);
	dp_incoming(dp->nics[0], frame, len, NULL, -1);
	dp_run(dp);
	assert_int_equal(dp_receive(g, got, NULL, NULL), len);
}

/* A worker that died between answering and telling: its successor tells, for the guest sleeps. */
static void test_restart_tells(void **state)
{
	struct dp *dp = *state;
	struct dp_guest *g = &dp->guests[0];
	uint32_t port, len = dp_tcp(frame, dp_wire_mac, g->mac, 100, 2);

	dp_send(dp, 0, frame, len, NULL, 0, 0, 0);
	dp_run(dp);
	while (g->xen->ops->evt_pending(g->evt, &port, 1) == 1) /* this one was never sent */
		g->xen->ops->evt_unmask(g->evt, &port, 1);
	dp_restart(dp);
	dp_run(dp);
	assert_int_equal(g->xen->ops->evt_pending(g->evt, &port, 1), 1);
	assert_int_equal(port, g->port);
}

/* A full ring of many guests at once: everything is answered, in order. */
static void test_many(void **state)
{
	struct dp *dp = *state;
	uint32_t len;

	for (unsigned int round = 0; round < 50; round++) {
		for (unsigned int i = 0; i < DP_GUESTS; i++) {
			len = dp_tcp(frame, dp_wire_mac, dp->guests[i].mac, 10 + round, 2);
			dp_send(dp, i, frame, len, NULL, 0, 0, 0);
		}
	}
	dp_run(dp);
	assert_int_equal(dp->nics[0]->n_sent, 150);
	for (unsigned int i = 0; i < DP_GUESTS; i++)
		for (unsigned int round = 0; round < 50; round++)
			assert_int_equal(dp_tx_status(&dp->guests[i]), NETIF_RSP_OKAY);
}

/* Nothing new, no event: netfront counts spurious ones (XSA-391). */
static void test_no_spurious_events(void **state)
{
	struct dp *dp = *state;
	struct dp_guest *g = &dp->guests[0];
	uint64_t before = g->vif->stats.notifies;

	g->xen->ops->evt_notify(g->evt, g->port);
	dp_run(dp);
	dp_run(dp);
	assert_int_equal(g->vif->stats.notifies, before);
}

/* The guest sends one GSO frame of so many bytes. */
static void send_big(struct dp *dp, unsigned int guest, uint32_t bytes)
{
	uint32_t len = dp_tcp(frame, dp_wire_mac, dp->guests[guest].mac, bytes - 54, 1);
	uint16_t sizes[NETIF_SLOTS_MAX + 1] = {0};

	for (uint32_t i = 0, left = len; left > 0; i++) {
		sizes[i] = (uint16_t)MIN(left, 3900u);
		left -= sizes[i];
	}
	dp_send(dp, guest, frame, len, sizes, NETTXF_csum_blank, 1446, XEN_NETIF_GSO_TYPE_TCPV4);
}

static void send_small(struct dp *dp, unsigned int guest, unsigned int frames)
{
	uint32_t len = dp_tcp(frame, dp_wire_mac, dp->guests[guest].mac, 100, 2);

	while (frames-- > 0)
		dp_send(dp, guest, frame, len, NULL, 0, 0, 0);
}

/* The guest takes all its answers, none of which is an error. */
static void take_answers(struct dp_guest *g)
{
	int status;

	while ((status = dp_tx_status(g)) != -100)
		assert_true(status == NETIF_RSP_OKAY || status == NETIF_RSP_NULL);
}

/* A guest that stays below both limits in every pass starts no looks, however long it goes on. */
static void test_little_starts_no_looks(void **state)
{
	struct dp *dp = *state;

	dp->worker->may_look = true;
	for (unsigned int round = 0; round < 4; round++) {
		send_small(dp, 0, WORKER_BULK_FRAMES - 1);
		dp_pass(dp);
		assert_int_equal(dp->worker->looks_left, 0);
		send_big(dp, 0, WORKER_BULK_BYTES - 1);
		dp_pass(dp);
		assert_int_equal(dp->worker->looks_left, 0);
		take_answers(&dp->guests[0]);
	}
	dp_run(dp);
	assert_int_equal(dp->nics[0]->n_sent, 4 * WORKER_BULK_FRAMES);
	assert_int_equal(dp->worker->stats.looks, 0);
}

/* Much from a guest, as bytes or as frames, starts looks: its next frames need no event. */
static void test_much_starts_looks(void **state)
{
	struct dp *dp = *state;
	uint64_t events;

	dp->worker->may_look = true;
	for (unsigned int i = 0; i < 2; i++) {
		struct dp_guest *g = &dp->guests[i];
		unsigned int sent = dp->nics[0]->n_sent;

		if (i == 0)
			send_big(dp, i, WORKER_BULK_BYTES);
		else
			send_small(dp, i, WORKER_BULK_FRAMES);
		assert_true(dp_pass(dp));
		assert_int_equal(dp->worker->looks_left, WORKER_LOOKS);
		send_small(dp, i, 1); /* the last event: its queue stays on the list */
		assert_true(dp_pass(dp));
		events = g->vif->stats.events;
		send_small(dp, i, 1);
		assert_true(dp_pass(dp));
		assert_int_equal(g->vif->stats.events, events);
		assert_int_equal(dp->nics[0]->n_sent - sent, i == 0 ? 3 : WORKER_BULK_FRAMES + 2);
		dp_run(dp);
		assert_int_equal(dp->worker->looks_left, 0);
		take_answers(g);
	}
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, dp_setup, dp_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_single),
		T(test_gso),
		T(test_tiny_slots),
		T(test_malformed_and_revoked),
		T(test_copy_call_fails),
		T(test_hostile_guest),
		T(test_control_frames_stay),
		T(test_guest_to_guest),
		T(test_broadcast),
		T(test_rate),
		T(test_failover_on_send_error),
		T(test_announce),
		T(test_no_member),
		T(test_too_big_and_refused),
		T(test_restart),
		T(test_restart_tells),
		T(test_many),
		T(test_no_spurious_events),
		T(test_little_starts_no_looks),
		T(test_much_starts_looks),
	};

	return cmocka_run_group_tests_name("guest-tx", tests, NULL, NULL);
}
