/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-netif.c - decoding of TX packets with every error class, answers, index wrap, notification
 * thresholds. */
#include "netback-team/netif.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "util.h"

struct fixture {
	struct ring_page page;
	struct ring_front front;
	struct ring_back back;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	ring_front_init(&f->front, &f->page, NETIF_TX_SLOT_BYTES);
	ring_back_attach(&f->back, &f->page, NETIF_TX_SLOT_BYTES);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static void put(struct fixture *f, uint16_t size, uint16_t offset, uint16_t flags, uint16_t id)
{
	netif_tx_request_t req = {
		.gref = 100u + id, .offset = offset, .flags = flags, .id = id, .size = size};

	ring_front_request(&f->front, &req);
}

static void put_extra(struct fixture *f, uint8_t type, uint8_t flags, uint16_t gso_size,
		      uint8_t gso_type)
{
	uint8_t slot[NETIF_TX_SLOT_BYTES] = {0};
	netif_extra_info_t extra = {.type = type, .flags = flags};

	extra.u.gso.size = gso_size;
	extra.u.gso.type = gso_type;
	memcpy(slot, &extra, sizeof(extra));
	ring_front_request(&f->front, slot);
}

static int decode(struct fixture *f, struct netif_tx_packet *p, const char **why)
{
	ring_front_push(&f->front);
	*why = NULL;
	return netif_tx_decode(&f->back, (uint32_t)ring_back_requests(&f->back), p, why);
}

static void test_single(void **state)
{
	struct fixture *f = *state;
	struct netif_tx_packet p;
	struct netif_tx_head head;
	const char *why;

	put(f, 60, 4036, NETTXF_csum_blank | NETTXF_data_validated, 7);
	assert_int_equal(decode(f, &p, &why), 0);
	assert_int_equal(p.verdict, NETIF_VERDICT_OK);
	assert_int_equal(p.total, 60);
	assert_int_equal(p.ring_slots, 1);
	assert_true(p.csum_blank && p.data_validated);
	assert_int_equal(p.slots[0].gref, 107);
	assert_int_equal(p.slots[0].offset, 4036);
	netif_tx_peek(&f->back, 1, &head);
	assert_int_equal(head.size, 60);
	assert_int_equal(head.gso_size, 0);
}

/* 64 KiB of GSO: the first slot keeps what the others leave. */
static void test_gso_packet(void **state)
{
	struct fixture *f = *state;
	struct netif_tx_packet p;
	struct netif_tx_head head;
	const char *why;

	put(f, 66 + 16 * 4000, 10, NETTXF_csum_blank | NETTXF_extra_info | NETTXF_more_data, 0);
	put_extra(f, XEN_NETIF_EXTRA_TYPE_GSO, 0, 1448, XEN_NETIF_GSO_TYPE_TCPV4);
	for (uint16_t i = 1; i <= 16; i++)
		put(f, 4000, 96, i < 16 ? NETTXF_more_data : 0, i);
	assert_int_equal(decode(f, &p, &why), 0);
	assert_int_equal(p.verdict, NETIF_VERDICT_OK);
	assert_int_equal(p.n_slots, 17);
	netif_tx_peek(&f->back, 18, &head);
	assert_int_equal(head.size, 66 + 16 * 4000);
	assert_int_equal(head.gso_size, 1448);
	netif_tx_peek(&f->back, 1, &head); /* nothing is read beyond what is there */
	assert_int_equal(head.gso_size, 0);
	assert_int_equal(p.n_extras, 1);
	assert_int_equal(p.ring_slots, 18);
	assert_int_equal(p.slots[0].size, 66);
	assert_int_equal(p.gso_size, 1448);
}

static void test_multicast_requests(void **state)
{
	struct fixture *f = *state;
	struct netif_tx_packet p;
	const char *why;

	put(f, 0, 0, NETTXF_extra_info, 0);
	put_extra(f, XEN_NETIF_EXTRA_TYPE_MCAST_ADD, XEN_NETIF_EXTRA_FLAG_MORE, 0x0101, 0x5e);
	put_extra(f, XEN_NETIF_EXTRA_TYPE_HASH, 0, 0, 0);
	assert_int_equal(decode(f, &p, &why), 0);
	assert_int_equal(p.verdict, NETIF_VERDICT_MCAST_ADD);
	assert_int_equal(p.ring_slots, 3);
	assert_int_equal(p.mcast[0], 0x01);
	assert_int_equal(p.mcast[2], 0x5e);
}

/* Malformed but not hostile: answered with an error, the device lives (as in Linux's backend). */
static void test_drops(void **state)
{
	struct fixture *f = *state;
	struct netif_tx_packet p;
	const char *why;

	put(f, 13, 0, 0, 0);
	assert_int_equal(decode(f, &p, &why), 0);
	assert_int_equal(p.verdict, NETIF_VERDICT_DROP);
	assert_non_null(p.why);
	f->back.req_cons += p.ring_slots;

	put(f, 100, 0, NETTXF_more_data, 0); /* slots larger than the packet */
	put(f, 101, 0, 0, 1);
	assert_int_equal(decode(f, &p, &why), 0);
	assert_int_equal(p.verdict, NETIF_VERDICT_DROP);
	assert_int_equal(p.ring_slots, 2);
	f->back.req_cons += p.ring_slots;

	put(f, 60000, 0, NETTXF_more_data, 0); /* 19 and 20 slots: too many, not yet hostile */
	for (uint16_t i = 1; i < 20; i++)
		put(f, 3200, 0, i < 19 ? NETTXF_more_data : 0, i);
	assert_int_equal(decode(f, &p, &why), 0);
	assert_int_equal(p.verdict, NETIF_VERDICT_DROP);
	assert_int_equal(p.n_slots, 20);
}

/* XSA-432 and XSA-448: many tiny slots and empty ones are legal. */
static void test_tiny_and_empty_slots(void **state)
{
	struct fixture *f = *state;
	struct netif_tx_packet p;
	const char *why;

	put(f, 60, 0, NETTXF_more_data, 0);
	for (uint16_t i = 1; i < 18; i++)
		put(f, i % 2 ? 0 : 3, 0, i < 17 ? NETTXF_more_data : 0, i);
	assert_int_equal(decode(f, &p, &why), 0);
	assert_int_equal(p.verdict, NETIF_VERDICT_OK);
	assert_int_equal(p.n_slots, 18);
	assert_int_equal(p.slots[0].size, 60 - 8 * 3);
}

static void fatal(struct fixture *f)
{
	struct netif_tx_packet p;
	const char *why;

	assert_int_equal(decode(f, &p, &why), -EPROTO);
	assert_non_null(why);
	f->back.req_cons = f->front.req_prod;
	f->back.rsp_prod = f->front.req_prod;
	f->front.rsp_cons = f->front.req_prod;
}

static void test_fatal(void **state)
{
	struct fixture *f = *state;

	put(f, 100, 4000, 0, 0); /* leaves its page */
	fatal(f);
	put(f, 4097, 0, 0, 0);
	fatal(f);
	put(f, 200, 0, NETTXF_more_data, 0);
	put(f, 100, 3997, 0, 1);
	fatal(f);
	put(f, 100, 0, NETTXF_more_data, 0); /* the rest is not there */
	fatal(f);
	put(f, 100, 0, NETTXF_extra_info, 0); /* the extra is not there */
	fatal(f);
	put(f, 100, 0, NETTXF_extra_info, 0);
	put_extra(f, XEN_NETIF_EXTRA_TYPE_GSO, XEN_NETIF_EXTRA_FLAG_MORE, 1448, 1);
	fatal(f); /* the chain goes on past the end */
	put(f, 100, 0, NETTXF_extra_info, 0);
	put_extra(f, XEN_NETIF_EXTRA_TYPE_GSO, 0, 0, 1);
	fatal(f);
	put(f, 100, 0, NETTXF_extra_info, 0);
	put_extra(f, XEN_NETIF_EXTRA_TYPE_GSO, 0, 1448, 3);
	fatal(f);
	put(f, 100, 0, NETTXF_extra_info, 0);
	put_extra(f, XEN_NETIF_EXTRA_TYPE_MAX, 0, 0, 0);
	fatal(f);
	put(f, 100, 0, NETTXF_extra_info, 0);
	put_extra(f, 0, 0, 0, 0);
	fatal(f);
	put(f, 60000, 0, NETTXF_more_data, 0); /* 21 slots */
	for (uint16_t i = 1; i < 21; i++)
		put(f, 10, 0, i < 20 ? NETTXF_more_data : 0, i);
	fatal(f);
}

/* Extras are answered with NULL right behind the first slot; the rest with the status; padding is
 * zero (XSA-216). */
static void test_responses(void **state)
{
	struct fixture *f = *state;
	struct netif_tx_packet p;
	netif_tx_response_t rsp;
	static const uint16_t ids[] = {5, 0, 6, 7};
	static const int16_t statuses[] = {-1, 1, -1, -1};
	const char *why;

	put(f, 300, 0, NETTXF_extra_info | NETTXF_more_data, 5);
	put_extra(f, XEN_NETIF_EXTRA_TYPE_GSO, 0, 1448, 1);
	put(f, 100, 0, NETTXF_more_data, 6);
	put(f, 100, 0, 0, 7);
	assert_int_equal(decode(f, &p, &why), 0);
	f->back.req_cons += p.ring_slots;
	netif_tx_respond(&f->back, &p, NETIF_RSP_ERROR);
	assert_int_equal(ring_front_responses(&f->front), 0);
	assert_true(ring_back_push(&f->back));
	assert_int_equal(ring_front_responses(&f->front), 4);
	for (uint32_t i = 0; i < 4; i++) {
		ring_front_read(&f->front, i, &rsp, sizeof(rsp));
		assert_int_equal(rsp.id, ids[i]);
		assert_int_equal(rsp.status, statuses[i]);
	}
	assert_false(ring_back_push(&f->back)); /* nothing new: never notify (XSA-391) */
}

/* Indices pass 2^32 and the ring is filled exactly. */
static void test_wrap(void **state)
{
	struct fixture *f = *state;
	struct netif_tx_packet p;
	const char *why;
	uint32_t start = UINT32_MAX - 100;

	f->page.req_prod = f->page.rsp_prod = start;
	f->front.req_prod = f->front.req_pushed = f->front.rsp_cons = start;
	assert_int_equal(ring_back_attach(&f->back, &f->page, NETIF_TX_SLOT_BYTES), 0);
	for (uint16_t i = 0; i < 256; i++)
		put(f, 60, 0, 0, i);
	assert_int_equal(ring_front_free(&f->front), 0);
	ring_front_push(&f->front);
	assert_int_equal(ring_back_requests(&f->back), 256);
	for (uint16_t i = 0; i < 256; i++) {
		assert_int_equal(decode(f, &p, &why), 0);
		assert_int_equal(p.slots[0].id, i);
		f->back.req_cons++;
		netif_tx_respond(&f->back, &p, NETIF_RSP_OKAY);
	}
	assert_int_equal(ring_back_requests(&f->back), 0);
	ring_back_push(&f->back);
	assert_int_equal(ring_front_responses(&f->front), 256);
}

/* A producer index beyond the ring is no work but an attack (XSA-39). */
static void test_bad_index(void **state)
{
	struct fixture *f = *state;

	f->page.req_prod = 257;
	assert_int_equal(ring_back_requests(&f->back), -EPROTO);
	assert_int_equal(ring_back_attach(&f->back, &f->page, NETIF_TX_SLOT_BYTES), -EPROTO);
	f->page.req_prod = (uint32_t)-1;
	assert_int_equal(ring_back_requests(&f->back), -EPROTO);
}

/* A burst notifies once; a backend that asked for k requests sleeps until the k-th. */
static void test_notify_thresholds(void **state)
{
	struct fixture *f = *state;

	put(f, 60, 0, 0, 0);
	assert_true(ring_front_push(&f->front)); /* req_event starts at 1 */
	put(f, 60, 0, 0, 1);
	assert_false(ring_front_push(&f->front));
	f->back.req_cons = 2;
	assert_false(ring_back_arm(&f->back, 3));
	put(f, 60, 0, 0, 2);
	put(f, 60, 0, 0, 3);
	assert_false(ring_front_push(&f->front));
	put(f, 60, 0, 0, 4);
	assert_true(ring_front_push(&f->front));
	assert_true(ring_back_arm(&f->back, 3));
}

static void test_rx_geometry(void **state)
{
	struct ring_page page = {0};
	struct ring_front front;
	struct ring_back back;
	netif_extra_info_t extra;
	netif_rx_response_t rsp;
	netif_rx_request_t req = {.id = 3, .gref = 9};

	assert_int_equal(netif_rx_slots(1, false), 1);
	assert_int_equal(netif_rx_slots(4096, false), 1);
	assert_int_equal(netif_rx_slots(4097, true), 3);
	assert_int_equal(netif_rx_slots(65535, true), 17);
	ring_front_init(&front, &page, NETIF_RX_SLOT_BYTES);
	ring_back_attach(&back, &page, NETIF_RX_SLOT_BYTES);
	assert_int_equal(back.size, 256);
	ring_front_request(&front, &req);
	ring_front_request(&front, &req);
	ring_front_push(&front);
	netif_rx_respond(&back, 3, NETRXF_extra_info, 1500);
	netif_rx_respond_gso(&back, 1448, XEN_NETIF_GSO_TYPE_TCPV6);
	ring_back_push(&back);
	ring_front_read(&front, 0, &rsp, sizeof(rsp));
	assert_int_equal(rsp.status, 1500);
	assert_int_equal(rsp.offset, 0);
	ring_front_read(&front, 1, &extra, sizeof(extra));
	assert_int_equal(extra.type, XEN_NETIF_EXTRA_TYPE_GSO);
	assert_int_equal(extra.u.gso.size, 1448);
	assert_int_equal(extra.u.gso.type, XEN_NETIF_GSO_TYPE_TCPV6);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_single),	     T(test_gso_packet),
		T(test_drops),	     T(test_multicast_requests),
		T(test_fatal),	     T(test_tiny_and_empty_slots),
		T(test_responses),   T(test_wrap),
		T(test_bad_index),   T(test_notify_thresholds),
		T(test_rx_geometry),
	};

	return cmocka_run_group_tests_name("netif", tests, NULL, NULL);
}
