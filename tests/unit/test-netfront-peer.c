/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-netfront-peer.c - the box's frontend and its backend: one that breaks the rules, that
 * closes, that restarts, that is removed. */
#include "netfront-stub.h"

#include <errno.h>
#include <stdio.h>

#include "util.h"

static uint8_t buffer[STUB_FRAME * 2], copy[STUB_FRAME * 2];

static const struct netfront_stats *stats(struct stub *s)
{
	return netfront_stats(s->nf);
}

static void expect_honest(struct stub *s)
{
	if (stats(s)->complaints)
		fail_msg("complaint: %s", stats(s)->complaint);
}

static int send_len(struct stub *s, unsigned int queue, uint32_t len,
		    const struct virtio_net_hdr *vnet)
{
	struct virtio_net_hdr none = {0};
	struct iovec iov[2] = {{buffer, MIN(len, 40u)},
			       {buffer + MIN(len, 40u), len - MIN(len, 40u)}};

	return netfront_send(s->nf, queue, iov, 2, vnet ? vnet : &none);
}

/* --- a backend that breaks the rules --- */

static void expect_complaint(struct stub *s, const char *part)
{
	stub_push(s, 0);
	stub_run(s);
	assert_true(stats(s)->complaints > 0);
	if (!strstr(stats(s)->complaint, part))
		fail_msg("complaint \"%s\" does not speak of \"%s\"", stats(s)->complaint, part);
}

static void rx_raw(struct stub *s, int id, uint16_t offset, uint16_t flags, int16_t status)
{
	struct ring_back *rx = &s->queues[0].rx;
	netif_rx_response_t rsp = {(uint16_t)(id < 0 ? (int)(rx->rsp_prod & 255) : id), offset,
				   flags, status};

	rx->req_cons++;
	ring_back_respond(rx, &rsp, sizeof(rsp));
}

static void test_bad_rx_page(void **state)
{
	struct stub *s = *state;

	stub_up(s, "linux", 1);
	rx_raw(s, -1, 4000, 0, 97);
	expect_complaint(s, "beyond its page");
	assert_int_equal(s->n_frames, 0);
}

static void test_bad_rx_empty(void **state)
{
	struct stub *s = *state;

	stub_up(s, "linux", 1);
	rx_raw(s, -1, 0, 0, 0);
	expect_complaint(s, "empty");
}

static void test_bad_rx_id(void **state)
{
	struct stub *s = *state;

	stub_up(s, "linux", 1);
	rx_raw(s, 5, 0, 0, 60);
	expect_complaint(s, "another request");
}

static void test_bad_rx_short(void **state)
{
	struct stub *s = *state;

	stub_up(s, "linux", 1);
	rx_raw(s, -1, 0, 0, 13);
	expect_complaint(s, "Ethernet");
}

static void test_bad_rx_slots(void **state)
{
	struct stub *s = *state;

	stub_up(s, "linux", 1);
	for (unsigned int i = 0; i < 20; i++)
		rx_raw(s, -1, 0, i < 19 ? NETRXF_more_data : 0, 100);
	expect_complaint(s, "more slots");
	assert_int_equal(s->n_frames, 0);
}

/* An error is the backend's right: the frame is gone, no complaint. */
static void test_rx_error(void **state)
{
	struct stub *s = *state;

	stub_up(s, "linux", 1);
	rx_raw(s, -1, 0, NETRXF_more_data, -1);
	rx_raw(s, -1, 0, 0, 100);
	rx_raw(s, -1, 0, 0, 60);
	stub_push(s, 0);
	stub_run(s);
	assert_int_equal(s->n_frames, 1);
	assert_int_equal(stats(s)->rx_errors, 1);
	expect_honest(s);
}

static void test_bad_rx_extra(void **state)
{
	struct stub *s = *state;
	netif_extra_info_t extra = {.type = XEN_NETIF_EXTRA_TYPE_HASH};

	stub_up(s, "linux", 1);
	rx_raw(s, -1, 0, NETRXF_extra_info, 60);
	s->queues[0].rx.req_cons++;
	ring_back_respond(&s->queues[0].rx, &extra, sizeof(extra));
	expect_complaint(s, "extra info of an unknown kind");
}

static void test_bad_rx_features(void **state)
{
	struct stub *s = *state;
	uint32_t len = stub_tcp(buffer, false, 1000);

	stub_up(s, "none", 1);
	stub_give(s, 0, buffer, len, 4096, NETRXF_csum_blank, 0, 0);
	expect_complaint(s, "blank checksum towards");
	stub_give(s, 0, buffer, 5000, 4096, 0, 0, 0);
	stub_push(s, 0);
	stub_run(s);
	assert_int_equal(stats(s)->complaints, 2);
	stub_give(s, 0, buffer, len, 4096, NETRXF_data_validated, 500, XEN_NETIF_GSO_TYPE_TCPV4);
	stub_push(s, 0);
	stub_run(s);
	assert_int_equal(stats(s)->complaints, 3);
}

static void test_bad_rx_csum(void **state)
{
	struct stub *s = *state;

	stub_up(s, "linux", 1);
	memset(buffer, 0x55, 200);
	stub_give(s, 0, buffer, 200, 4096, NETRXF_csum_blank, 0, 0);
	expect_complaint(s, "no TCP or UDP");
	assert_int_equal(s->n_frames, 0);
}

static void test_bad_indices(void **state)
{
	struct stub *s = *state;

	stub_up(s, "linux", 1);
	s->queues[0].rx.rsp_prod += 300;
	expect_complaint(s, "more RX responses");
	assert_int_equal(send_len(s, 0, 60, NULL), -ENOTCONN);
	s->queues[0].tx.rsp_prod += 1;
	stub_push(s, 0);
	stub_run(s);
	assert_int_equal(stats(s)->complaints, 1); /* the rings are left alone */
}

static void test_bad_tx_response(void **state)
{
	struct stub *s = *state;
	struct netif_tx_packet p;

	stub_up(s, "linux", 1);
	assert_int_equal(send_len(s, 0, 60, NULL), 0);
	assert_int_equal(send_len(s, 0, 60, NULL), 0);
	stub_take(s, 0, &p, copy);
	netif_tx_respond(&s->queues[0].tx, &p, NETIF_RSP_OKAY);
	netif_tx_respond(&s->queues[0].tx, &p, NETIF_RSP_OKAY); /* the same twice */
	expect_complaint(s, "id that no request had");
	assert_int_equal(stats(s)->complaints, 1);
}

static void test_spurious_events(void **state)
{
	struct stub *s = *state;

	stub_up(s, "linux", 1);
	stub_run(s);
	for (unsigned int i = 0; i < 3; i++) {
		s->ops->evt_notify(s->evt, s->queues[0].rx_port);
		stub_run(s);
	}
	assert_int_equal(stats(s)->spurious, 3);
}

/* --- closing, restarts --- */

static void test_backend_closes(void **state)
{
	struct stub *s = *state;

	stub_up(s, "linux", 1);
	stub_write(s, BACK "/state", "5");
	stub_run(s);
	stub_expect(s, FRONT "/state", "6");
	assert_string_equal(s->states, "cr.");
	stub_disconnect(s);
	stub_write(s, BACK "/state", "6");
	stub_run(s);
	assert_int_equal(netfront_reopen(s->nf), 0);
	stub_run(s);
	stub_expect(s, FRONT "/state", "1");
	stub_write(s, BACK "/state", "2");
	stub_run(s);
	stub_connect(s);
	stub_run(s);
	assert_string_equal(s->states, "cr.wcr");
	assert_int_equal(netfront_reopen(s->nf), -EINVAL);
	assert_int_equal(send_len(s, 0, 60, NULL), 0);
	expect_honest(s);
}

/* A backend that says Closed and keeps pages. */
static void test_backend_keeps_pages(void **state)
{
	struct stub *s = *state;

	stub_up(s, "linux", 1);
	stub_write(s, BACK "/state", "6");
	stub_run(s);
	assert_int_equal(netfront_reopen(s->nf), 0);
	expect_complaint(s, "still maps");
}

static void test_we_close(void **state)
{
	struct stub *s = *state;

	stub_up(s, "linux", 1);
	assert_int_equal(netfront_close(s->nf), 0);
	stub_expect(s, FRONT "/state", "5");
	stub_run(s);
	stub_expect(s, FRONT "/state", "5");
	stub_disconnect(s);
	stub_write(s, BACK "/state", "5");
	stub_run(s);
	stub_expect(s, FRONT "/state", "6");
	assert_int_equal(netfront_info(s->nf)->state, NETFRONT_STATE_CLOSING);
	stub_write(s, BACK "/state", "6");
	stub_run(s);
	assert_string_equal(s->states, "crc.");
	assert_int_equal(netfront_close(s->nf), 0);
}

/* Windows: 5, 6, 1 before the first 4. */
static void test_close_cycle(void **state)
{
	struct stub *s = *state;

	stub_publish(s, 4);
	stub_front(s, "windows", 1);
	stub_expect(s, FRONT "/state", "5");
	stub_write(s, BACK "/state", "5");
	stub_run(s);
	stub_expect(s, FRONT "/state", "6");
	stub_write(s, BACK "/state", "6");
	stub_run(s);
	stub_expect(s, FRONT "/state", "1");
	stub_write(s, BACK "/state", "2");
	stub_run(s);
	stub_expect(s, FRONT "/state", "4");
	stub_connect(s);
	stub_run(s);
	assert_string_equal(s->states, "c.wcr");
}

/* The toolstack removes the device: nothing is written, so nothing comes back to life. */
static void test_removed(void **state)
{
	struct stub *s = *state;

	stub_up(s, "linux", 1);
	assert_int_equal(s->ops->store_rm(s->store, XEN_TXN_NONE, FRONT), 0);
	assert_int_equal(s->ops->store_rm(s->store, XEN_TXN_NONE, BACK), 0);
	stub_run(s);
	assert_int_equal(netfront_info(s->nf)->state, NETFRONT_STATE_CLOSED);
	assert_int_equal(netfront_close(s->nf), 0);
	stub_expect(s, FRONT "/state", NULL);
}

static void test_removed_while_closing(void **state)
{
	struct stub *s = *state;

	stub_up(s, "linux", 1);
	assert_int_equal(s->ops->store_rm(s->store, XEN_TXN_NONE, FRONT), 0);
	assert_int_equal(netfront_close(s->nf), 0);
	assert_int_equal(netfront_info(s->nf)->state, NETFRONT_STATE_CLOSED);
	stub_expect(s, FRONT "/state", NULL);
}

/* kill -9 of the backend and a successor: states and rings stay, frames that waited are served. */
static void test_backend_restarts(void **state)
{
	struct stub *s = *state;
	struct netif_tx_packet p;

	stub_up(s, "linux", 2);
	for (unsigned int i = 0; i < 5; i++)
		assert_int_equal(send_len(s, 1, 100 + i, NULL), 0);
	stub_take(s, 1, &p, copy);
	stub_answer(s, 1, &p, NETIF_RSP_OKAY);
	stub_take(s, 1, &p, copy); /* taken, never answered */
	stub_disconnect(s);
	for (unsigned int i = 5; i < 8; i++)
		assert_int_equal(send_len(s, 1, 100 + i, NULL), 0);
	stub_run(s);
	stub_connect(s);
	stub_run(s);
	for (unsigned int i = 1; i < 8; i++) {
		assert_int_equal(stub_take(s, 1, &p, copy), 100 + i);
		stub_answer(s, 1, &p, NETIF_RSP_OKAY);
	}
	stub_give(s, 0, buffer, 60, 4096, 0, 0, 0);
	stub_push(s, 0);
	stub_run(s);
	assert_int_equal(s->n_frames, 1);
	assert_int_equal(stats(s)->tx_responses, 8);
	assert_string_equal(s->states, "cr");
	expect_honest(s);
}

static void test_store_lost(void **state)
{
	struct stub *s = *state;

	stub_up(s, "linux", 1);
	fake_fault(s->fake, FAKE_FAULT_STORE_DOWN, 1);
	assert_int_equal(netfront_run(s->nf), -EIO);
	fake_fault(s->fake, FAKE_FAULT_STORE_DOWN, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, stub_setup, stub_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_bad_rx_page),	     TEST(test_bad_rx_empty),
		TEST(test_bad_rx_id),	     TEST(test_bad_rx_short),
		TEST(test_bad_rx_slots),     TEST(test_rx_error),
		TEST(test_bad_rx_extra),     TEST(test_bad_rx_features),
		TEST(test_bad_rx_csum),	     TEST(test_bad_indices),
		TEST(test_bad_tx_response),  TEST(test_spurious_events),
		TEST(test_backend_closes),   TEST(test_backend_keeps_pages),
		TEST(test_we_close),	     TEST(test_close_cycle),
		TEST(test_removed),	     TEST(test_removed_while_closing),
		TEST(test_backend_restarts), TEST(test_store_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
