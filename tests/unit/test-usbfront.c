/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-usbfront.c - the box's PVUSB frontend: handshake, URBs, ports. What it says of a backend
 * that breaks the rules is in test-usbfront-peer.c. */
#include "usbfront-stub.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>

#include "util.h"

#define N_URBS 40u

static uint8_t data[N_URBS][USBFRONT_URB_MAX];
static struct usbfront_urb urbs[N_URBS];
static unsigned int order[N_URBS], n_done;

static void on_done(struct usbfront_urb *urb)
{
	assert_int_equal(urb->state, USBFRONT_URB_IDLE);
	order[n_done++] = (unsigned int)(urb - urbs);
}

static const struct usbfront_stats *stats(struct stub *s)
{
	return usbfront_stats(s->front);
}

static void expect_honest(struct stub *s)
{
	if (stats(s)->complaints)
		fail_msg("complaint: %s", stats(s)->complaint);
}

static struct usbfront_urb *make(unsigned int i, uint8_t endpoint, uint32_t length)
{
	urbs[i] = (struct usbfront_urb){.port = 2,
					.address = 5,
					.endpoint = endpoint,
					.type = USB_ENDPOINT_XFER_BULK,
					.data = data[i],
					.length = length,
					.done = on_done};
	return &urbs[i];
}

static int setup(void **state)
{
	n_done = 0;
	memset(urbs, 0, sizeof(urbs));
	return stub_setup(state);
}

/* --- handshake --- */

static void test_handshake(void **state)
{
	struct stub *s = *state;

	stub_front(s);
	assert_string_equal(s->states, "");
	stub_expect(s, FRONT "/state", "1");
	stub_expect(s, FRONT "/urb-ring-ref", NULL);
	stub_write(s, BACK "/state", "2");
	stub_run(s);
	assert_string_equal(s->states, "c");
	stub_expect(s, FRONT "/state", "4");
	stub_expect(s, FRONT "/protocol", NULL);
	assert_int_equal(usbfront_submit(s->front, make(0, 0x81, 512)), -ENOTCONN);
	stub_connect(s);
	stub_run(s);
	assert_string_equal(s->states, "cr");
	assert_int_equal(usbfront_info(s->front)->n_ports, 4);
	assert_int_equal(usbfront_info(s->front)->usb_version, 2);
	assert_int_equal(s->urb.size, USBFRONT_SLOTS);
	assert_int_equal(ring_back_requests(&s->conn), 512);
	assert_int_equal(ring_back_requests(&s->urb), 0);
	expect_honest(s);
}

/* Linux's frontend also goes on where the backend is further. */
static void test_late(void **state)
{
	struct stub *s = *state;

	stub_write(s, BACK "/state", "4");
	stub_front(s);
	stub_expect(s, FRONT "/state", "4");
	assert_string_equal(s->states, "cr");
}

/* After another driver, a backend in 4 is still that one's. */
static void test_old_driver(void **state)
{
	struct stub *s = *state;

	stub_write(s, FRONT "/state", "4");
	stub_write(s, BACK "/state", "4");
	stub_front(s);
	stub_expect(s, FRONT "/state", "1");
	stub_write(s, BACK "/state", "6");
	stub_run(s);
	stub_expect(s, FRONT "/state", "1");
	stub_write(s, BACK "/state", "2");
	stub_run(s);
	stub_expect(s, FRONT "/state", "4");
}

static void test_incomplete(void **state)
{
	struct stub *s = *state;
	struct usbfront_options options = {0};

	stub_write(s, BACK "/num-ports", "32");
	assert_int_equal(usbfront_create(&s->front, s->domu, &options), -EINVAL);
	stub_write(s, BACK "/num-ports", "4");
	stub_write(s, BACK "/usb-ver", "3");
	assert_int_equal(usbfront_create(&s->front, s->domu, &options), -EINVAL);
	assert_int_equal(s->ops->store_rm(s->store, XEN_TXN_NONE, FRONT "/backend"), 0);
	assert_int_equal(usbfront_create(&s->front, s->domu, &options), -ENOENT);
	options.devid = 5;
	assert_int_equal(usbfront_create(&s->front, s->domu, &options), -ENOENT);
}

static void test_close(void **state)
{
	struct stub *s = *state;

	stub_up(s);
	stub_event(s, 2, USBIF_SPEED_HIGH);
	stub_run(s);
	assert_int_equal(usbfront_submit(s->front, make(0, 0x81, 512)), 0);
	assert_int_equal(usbfront_close(s->front), 0);
	stub_expect(s, FRONT "/state", "5");
	stub_disconnect(s);
	stub_write(s, BACK "/state", "5");
	stub_run(s);
	stub_expect(s, FRONT "/state", "6");
	assert_int_equal(n_done, 1);
	assert_int_equal(urbs[0].status, -ESHUTDOWN);
	stub_write(s, BACK "/state", "6");
	stub_run(s);
	assert_string_equal(s->states, "crc.");
	assert_string_equal(s->ports, "2H2-");
	assert_int_equal(usbfront_reopen(s->front), 0);
	stub_write(s, BACK "/state", "2");
	stub_run(s);
	stub_connect(s);
	stub_run(s);
	assert_string_equal(s->states, "crc.wcr");
	assert_int_equal(usbfront_reopen(s->front), -EINVAL);
	expect_honest(s);
}

static void test_backend_closes(void **state)
{
	struct stub *s = *state;

	stub_up(s);
	for (unsigned int i = 0; i < 20; i++)
		assert_int_equal(usbfront_submit(s->front, make(i, 0x81, 512)), 0);
	usbfront_unlink(s->front, &urbs[3]); /* no slot for that */
	stub_disconnect(s);
	stub_write(s, BACK "/state", "5");
	stub_run(s);
	assert_int_equal(n_done, 20);
	for (unsigned int i = 0; i < 20; i++)
		assert_int_equal(urbs[i].status, -ESHUTDOWN);
	assert_int_equal(usbfront_in_flight(s->front), 0);
	stub_expect(s, FRONT "/state", "6");
	assert_string_equal(s->states, "cr.");
	expect_honest(s);
}

/* --- URBs --- */

static void test_control(void **state)
{
	struct stub *s = *state;
	struct usbfront_urb *urb = make(0, 0, 64);
	struct usbif_urb_request req;
	uint8_t answer[18];

	stub_up(s);
	urb->address = 0;
	urb->type = USB_ENDPOINT_XFER_CONTROL;
	urb->setup = (struct usb_ctrlrequest){USB_DIR_IN, USB_REQ_GET_DESCRIPTOR, htole16(0x100), 0,
					      htole16(64)};
	assert_int_equal(usbfront_submit(s->front, urb), 0);
	assert_int_equal(usbfront_submit(s->front, urb), -EBUSY);
	stub_run(s);
	assert_int_equal(s->n_notified, 1);
	assert_true(stub_take(s, &req));
	assert_int_equal(req.pipe, 2u << 30 | 0x80 | 2);
	assert_int_equal(req.buffer_length, 64);
	assert_int_equal(req.nr_buffer_segs, 1);
	assert_int_equal(req.transfer_flags, 0);
	assert_memory_equal(req.u.ctrl, ((uint8_t[]){0x80, 6, 0, 1, 0, 0, 64, 0}), 8);
	memset(answer, 0x5a, sizeof(answer));
	assert_true(stub_copy(s, &req, 0, true, 0, answer, sizeof(answer)));
	stub_answer(s, req.id, 0, sizeof(answer), 0);
	stub_run(s);
	assert_int_equal(n_done, 1);
	assert_int_equal(urb->status, 0);
	assert_int_equal(urb->actual, 18);
	assert_int_equal(data[0][17], 0x5a);
	expect_honest(s);
}

/* A full URB: its length does not fit into buffer_length. */
static void test_large_out(void **state)
{
	struct stub *s = *state;
	struct usbif_urb_request req;
	static uint8_t got[USBFRONT_URB_MAX];

	stub_up(s);
	for (uint32_t i = 0; i < USBFRONT_URB_MAX; i++)
		data[0][i] = (uint8_t)(i * 7 + i / 251);
	assert_int_equal(usbfront_submit(s->front, make(0, 0x02, USBFRONT_URB_MAX)), 0);
	assert_true(stub_take(s, &req));
	assert_int_equal(req.buffer_length, 0);
	assert_int_equal(req.nr_buffer_segs, 16);
	assert_int_equal(req.pipe, 3u << 30 | 2u << 15 | 5u << 8 | 2);
	assert_true(stub_copy(s, &req, 0, false, 0, got, sizeof(got)));
	assert_memory_equal(got, data[0], sizeof(got));
	stub_answer(s, req.id, 0, USBFRONT_URB_MAX, 0);
	stub_run(s);
	assert_int_equal(urbs[0].actual, USBFRONT_URB_MAX);
	expect_honest(s);
}

static void test_offset_in(void **state)
{
	struct stub *s = *state;
	struct usbfront_urb *urb = make(0, 0x81, 3584);
	struct usbif_urb_request req;

	stub_up(s);
	urb->offset = 2048;
	urb->short_not_ok = true;
	assert_int_equal(usbfront_submit(s->front, urb), 0);
	assert_true(stub_take(s, &req));
	assert_int_equal(req.transfer_flags, USBIF_SHORT_NOT_OK);
	assert_int_equal(req.nr_buffer_segs, 2);
	assert_int_equal(req.seg[0].offset, 2048);
	assert_int_equal(req.seg[0].length, 2048);
	assert_int_equal(req.seg[1].offset, 0);
	assert_int_equal(req.seg[1].length, 1536);
	assert_true(stub_copy(s, &req, 0, true, 2047, "xy", 2));
	stub_answer(s, req.id, 0, 3000, 0);
	stub_run(s);
	assert_int_equal(data[0][2047], 'x');
	assert_int_equal(data[0][2048], 'y');
	assert_int_equal(urb->status, -EREMOTEIO);
	assert_int_equal(urb->actual, 3000);
	expect_honest(s);
}

static void test_refused(void **state)
{
	struct stub *s = *state;
	struct usbfront_packet packet = {0, 100, 0, 0};
	struct usbfront_urb *urb;

	stub_up(s);
	urb = make(0, 0x81, USBFRONT_URB_MAX);
	urb->offset = 1;
	assert_int_equal(usbfront_submit(s->front, urb), -E2BIG);
	urb = make(0, 0x81, USBFRONT_URB_MAX + 1);
	assert_int_equal(usbfront_submit(s->front, urb), -E2BIG);
	urb = make(0, 0x81, 512);
	urb->port = 5;
	assert_int_equal(usbfront_submit(s->front, urb), -EINVAL);
	urb->port = 0;
	assert_int_equal(usbfront_submit(s->front, urb), -EINVAL);
	urb->port = 1;
	urb->address = 128;
	assert_int_equal(usbfront_submit(s->front, urb), -EINVAL);
	urb->address = 1;
	urb->type = USB_ENDPOINT_XFER_ISOC;
	assert_int_equal(usbfront_submit(s->front, urb), -EINVAL);
	urb->packets = &packet;
	urb->n_packets = 1;
	packet.offset = 413;
	assert_int_equal(usbfront_submit(s->front, urb), -EINVAL);
	assert_int_equal(ring_back_requests(&s->urb), 0);
}

/* More than the ring holds: in order, each once. */
static void test_full(void **state)
{
	struct stub *s = *state;
	struct usbif_urb_request req;

	stub_up(s);
	for (unsigned int i = 0; i < 40; i++) {
		memset(data[i], (int)i, 16);
		assert_int_equal(usbfront_submit(s->front, make(i, 0x02, 16)), 0);
	}
	assert_int_equal(ring_back_requests(&s->urb), 16);
	assert_int_equal(stats(s)->full, 24);
	for (unsigned int i = 0; i < 40; i++) {
		uint8_t got[16];

		assert_true(stub_take(s, &req));
		assert_true(stub_copy(s, &req, 0, false, 0, got, sizeof(got)));
		assert_int_equal(got[15], i);
		stub_answer(s, req.id, 0, 16, 0);
		stub_run(s);
	}
	assert_false(stub_take(s, &req));
	assert_int_equal(n_done, 40);
	for (unsigned int i = 0; i < 40; i++)
		assert_int_equal(order[i], i);
	expect_honest(s);
}

static void test_grant_each(void **state)
{
	struct stub *s = *state;
	struct usbif_urb_request req;
	void *map;

	s->options.grant_each = true;
	stub_up(s);
	assert_int_equal(usbfront_submit(s->front, make(0, 0x02, 16)), 0);
	assert_true(stub_take(s, &req));
	stub_answer(s, req.id, 0, 16, 0);
	stub_run(s);
	expect_honest(s);
	assert_false(stub_copy(s, &req, 0, false, 0, data[1], 16)); /* not ours any more */
	assert_int_equal(usbfront_submit(s->front, make(0, 0x02, 16)), 0);
	assert_true(stub_take(s, &req));
	assert_int_equal(s->ops->gnt_map(s->gnt, STUB_DOMID, &req.seg[0].gref, 1, &map), 0);
	stub_answer(s, req.id, 0, 16, 0);
	stub_run(s);
	assert_int_equal(stats(s)->complaints, 1);
	assert_non_null(strstr(stats(s)->complaint, "still maps pages of a request"));
	assert_int_equal(s->ops->gnt_unmap(s->gnt, map, 1), 0);
}

/* --- unlink --- */

static void test_unlink(void **state)
{
	struct stub *s = *state;
	struct usbif_urb_request urb, unlink;

	stub_up(s);
	assert_int_equal(usbfront_submit(s->front, make(0, 0x81, 512)), 0);
	assert_true(stub_take(s, &urb));
	usbfront_unlink(s->front, &urbs[0]);
	usbfront_unlink(s->front, &urbs[0]); /* once is enough */
	assert_true(stub_take(s, &unlink));
	assert_false(stub_take(s, &unlink));
	assert_int_equal(unlink.pipe, urb.pipe | USBIF_PIPE_UNLINK);
	assert_int_equal(unlink.u.unlink.unlink_id, urb.id);
	assert_int_not_equal(unlink.id, urb.id);
	stub_answer(s, unlink.id, 0, 0, 0);
	stub_run(s);
	assert_int_equal(n_done, 0); /* it waits for the URB itself */
	assert_true(stub_copy(s, &urb, 0, true, 0, "abc", 3));
	stub_answer(s, urb.id, USBIF_STATUS_IOERROR, 3, 0);
	stub_run(s);
	assert_int_equal(n_done, 1);
	assert_int_equal(urbs[0].status, -ECONNRESET);
	assert_int_equal(urbs[0].actual, 3);
	assert_memory_equal(data[0], "abc", 3);
	usbfront_unlink(s->front, &urbs[0]);
	stub_run(s);
	assert_int_equal(n_done, 1);
	expect_honest(s);
}

static void test_unlink_full(void **state)
{
	struct stub *s = *state;
	struct usbif_urb_request urb[16], unlink;

	stub_up(s);
	for (unsigned int i = 0; i < 18; i++)
		assert_int_equal(usbfront_submit(s->front, make(i, 0x81, 512)), 0);
	for (unsigned int i = 0; i < 16; i++)
		assert_true(stub_take(s, &urb[i]));
	usbfront_unlink(s->front, &urbs[17]); /* was never sent */
	usbfront_unlink(s->front, &urbs[4]);
	usbfront_unlink(s->front, &urbs[5]);
	assert_int_equal(n_done, 0); /* not from inside the call */
	stub_run(s);
	assert_int_equal(n_done, 1);
	assert_int_equal(urbs[17].status, -ECONNRESET);
	stub_answer(s, urb[4].id, 0, 512, 0); /* ends by itself before its unlink found a slot */
	stub_run(s);
	assert_int_equal(n_done, 2);
	assert_int_equal(urbs[4].status, -ECONNRESET);
	assert_true(stub_take(s, &unlink)); /* that of 5 goes before URB 16 */
	assert_int_equal(unlink.u.unlink.unlink_id, urb[5].id);
	assert_false(stub_take(s, &unlink));
	stub_answer(s, urb[5].id, USBIF_STATUS_IOERROR, 0, 0);
	stub_run(s);
	assert_true(stub_take(s, &unlink));
	assert_false(unlink.pipe & USBIF_PIPE_UNLINK);
	assert_int_equal(usbfront_in_flight(s->front), 15);
	expect_honest(s);
}

/* --- isochronous --- */

static void make_iso(struct usbfront_packet *packets, unsigned int n, uint8_t endpoint,
		     uint16_t packets_offset)
{
	make(0, endpoint, 1024 * n);
	urbs[0].type = USB_ENDPOINT_XFER_ISOC;
	urbs[0].interval = 1;
	urbs[0].packets = packets;
	urbs[0].n_packets = n;
	urbs[0].packets_offset = packets_offset;
	for (unsigned int i = 0; i < n; i++)
		packets[i] = (struct usbfront_packet){i * 1024, 1024, 0, 0};
}

static void test_iso(void **state)
{
	struct stub *s = *state;
	struct usbfront_packet packets[10];
	struct usbif_urb_request req;
	uint32_t frames[10][4];

	stub_up(s);
	make_iso(packets, 10, 0x81, 4096 - 40);
	assert_int_equal(usbfront_submit(s->front, &urbs[0]), 0);
	assert_true(stub_take(s, &req));
	assert_int_equal(req.pipe, 0x80 | 1u << 15 | 5u << 8 | 2);
	assert_int_equal(req.nr_buffer_segs, 3);
	assert_int_equal(req.u.isoc.number_of_packets, 10);
	assert_int_equal(req.u.isoc.nr_frame_desc_segs, 2); /* across a page's end */
	assert_int_equal(req.seg[3].length + req.seg[4].length, sizeof(frames));
	assert_true(stub_copy(s, &req, 3, false, 0, frames, sizeof(frames)));
	for (unsigned int i = 0; i < 10; i++) {
		assert_int_equal(frames[i][0], i * 1024);
		assert_int_equal(frames[i][1], 1024);
		frames[i][2] = i == 4 ? 0 : 100 + i;
		frames[i][3] = i == 4 ? (uint32_t)-EXDEV : 0;
	}
	assert_true(stub_copy(s, &req, 3, true, 0, frames, sizeof(frames)));
	assert_true(stub_copy(s, &req, 0, true, 9 * 1024, "last", 4));
	stub_answer(s, req.id, 0, 9 * 100 + 41, 1);
	stub_run(s);
	assert_int_equal(n_done, 1);
	assert_int_equal(urbs[0].status, 0);
	assert_int_equal(urbs[0].n_errors, 1);
	assert_int_equal(packets[4].status, -EXDEV);
	assert_int_equal(packets[9].actual, 109);
	assert_memory_equal(data[0] + 9 * 1024, "last", 4);
	assert_int_equal(stats(s)->iso_packets, 10);
	assert_int_equal(stats(s)->iso_errors, 1);
	expect_honest(s);
}

/* --- ports --- */

static void test_ports(void **state)
{
	struct stub *s = *state;

	stub_up(s);
	stub_event(s, 1, USBIF_SPEED_FULL);
	stub_event(s, 4, USBIF_SPEED_HIGH);
	stub_event(s, 1, USBIF_SPEED_NONE);
	stub_event(s, 1, USBIF_SPEED_LOW);
	stub_event(s, 1, USBIF_SPEED_LOW);
	stub_run(s);
	assert_string_equal(s->ports, "1F4H1-1L");
	assert_int_equal(usbfront_info(s->front)->speeds[4], USB_SPEED_HIGH);
	assert_int_equal(stats(s)->connects, 3);
	assert_int_equal(stats(s)->repeats, 1);
	/* The places are given back: more events than there are requests. */
	for (unsigned int i = 0; i < 600; i++) {
		stub_event(s, 2, i % 2 ? USBIF_SPEED_NONE : USBIF_SPEED_HIGH);
		stub_run(s);
		s->ports[0] = '\0';
	}
	assert_int_equal(ring_back_requests(&s->conn), 512);
	assert_int_equal(stats(s)->disconnects, 301);
	expect_honest(s);
}

/* The daemon dies and comes back; the frontend keeps its rings and notices nothing. */
static void test_successor(void **state)
{
	struct stub *s = *state;
	struct usbif_urb_request req;

	stub_up(s);
	assert_int_equal(usbfront_submit(s->front, make(0, 0x81, 512)), 0);
	assert_true(stub_take(s, &req));
	stub_disconnect(s);
	assert_int_equal(usbfront_submit(s->front, make(1, 0x81, 512)), 0);
	stub_run(s);
	stub_connect(s);
	assert_int_equal(ring_back_requests(&s->urb), 2); /* from rsp_prod on: both */
	assert_true(stub_take(s, &req));
	assert_true(stub_take(s, &req));
	stub_answer(s, 0, USBIF_STATUS_IOERROR, 0, 0);
	stub_answer(s, 1, 0, 512, 0);
	stub_run(s);
	assert_string_equal(s->states, "cr");
	assert_int_equal(urbs[0].status, -EPROTO);
	assert_int_equal(urbs[1].status, 0);
	expect_honest(s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, stub_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_handshake),  TEST(test_late),	       TEST(test_old_driver),
		TEST(test_incomplete), TEST(test_close),       TEST(test_backend_closes),
		TEST(test_control),    TEST(test_large_out),   TEST(test_offset_in),
		TEST(test_refused),    TEST(test_full),	       TEST(test_grant_each),
		TEST(test_unlink),     TEST(test_unlink_full), TEST(test_iso),
		TEST(test_ports),      TEST(test_successor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
