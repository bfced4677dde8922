/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-usbfront-peer.c - what the box's PVUSB frontend says of a backend that breaks the rules. */
#include "usbfront-stub.h"

#include <errno.h>

#include "util.h"

static uint8_t data[4096];
static struct usbfront_urb urb;
static unsigned int n_done;

static void on_done(struct usbfront_urb *done)
{
	assert_ptr_equal(done, &urb);
	n_done++;
}

static int setup(void **state)
{
	n_done = 0;
	urb = (struct usbfront_urb){.port = 1,
				    .address = 3,
				    .endpoint = 0x81,
				    .type = USB_ENDPOINT_XFER_BULK,
				    .data = data,
				    .length = sizeof(data),
				    .done = on_done};
	return stub_setup(state);
}

static void expect_complaint(struct stub *s, uint64_t n, const char *text)
{
	const struct usbfront_stats *stats = usbfront_stats(s->front);

	assert_int_equal(stats->complaints, n);
	if (!strstr(stats->complaint, text))
		fail_msg("\"%s\" does not say \"%s\"", stats->complaint, text);
}

static uint16_t send_one(struct stub *s)
{
	struct usbif_urb_request req;

	stub_up(s);
	assert_int_equal(usbfront_submit(s->front, &urb), 0);
	assert_true(stub_take(s, &req));
	return req.id;
}

static void test_status(void **state)
{
	static const struct {
		int32_t status;
		int wanted;
		bool complaint;
	} cases[] = {
		{0, 0, false},
		{-19, -ENODEV, false},
		{-22, -EINVAL, false},
		{-32, -EPIPE, false},
		{-71, -EPROTO, false},
		{-75, -EOVERFLOW, false},
		{-108, -ESHUTDOWN, false},
		{-121, -ESHUTDOWN, true},
		{-110, -ESHUTDOWN, true},
		{-104, -ESHUTDOWN, true},
		{-2, -ESHUTDOWN, true},
		{1, -ESHUTDOWN, true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		void *machine;
		struct stub *s;

		setup(&machine);
		s = machine;
		stub_answer(s, send_one(s), cases[i].status, 0, 0);
		stub_run(s);
		assert_int_equal(urb.status, cases[i].wanted);
		assert_int_equal(usbfront_stats(s->front)->complaints, cases[i].complaint);
		stub_teardown(&machine);
	}
}

static void test_twice(void **state)
{
	struct stub *s = *state;
	uint16_t id = send_one(s);
	struct usbif_urb_request req;

	assert_int_equal(usbfront_submit(s->front, &urb), -EBUSY);
	stub_answer(s, id, 0, 0, 0);
	stub_run(s);
	assert_int_equal(usbfront_submit(s->front, &urb), 0);
	assert_true(stub_take(s, &req));
	stub_answer(s, (uint16_t)(id + 1), 0, 0, 0); /* in place of its own */
	stub_run(s);
	assert_int_equal(n_done, 1);
	expect_complaint(s, 1, "an id that no request has");
}

static void test_unknown_id(void **state)
{
	struct stub *s = *state;

	send_one(s);
	stub_answer(s, 16, 0, 0, 0);
	stub_run(s);
	expect_complaint(s, 1, "an id that no request has");
	assert_int_equal(n_done, 0);
}

static void test_no_request(void **state)
{
	struct stub *s = *state;
	uint16_t id = send_one(s);

	stub_answer(s, id, 0, 0, 0);
	stub_answer(s, id, 0, 0, 0);
	stub_run(s);
	expect_complaint(s, 1, "more URB responses than requests");
	assert_int_equal(n_done, 1);
	assert_int_equal(urb.status, -ESHUTDOWN);
	assert_int_equal(usbfront_submit(s->front, &urb), -ENOTCONN);
}

static void test_actual(void **state)
{
	static const int32_t wrong[] = {4097, -1, INT32_MAX, INT32_MIN};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		void *machine;
		struct stub *s;

		setup(&machine);
		s = machine;
		stub_answer(s, send_one(s), 0, wrong[i], 0);
		stub_run(s);
		expect_complaint(s, 1, "actual length beyond its buffer");
		assert_int_equal(urb.actual, 0);
		stub_teardown(&machine);
	}
}

/* One packet of 100 bytes; the descriptor and the response as given. */
static void iso_case(const uint32_t frame[4], int32_t actual, int32_t errors, const char *text)
{
	struct usbfront_packet packet = {0, 100, 0, 0};
	struct usbif_urb_request req;
	void *machine;
	struct stub *s;

	setup(&machine);
	s = machine;
	urb.type = USB_ENDPOINT_XFER_ISOC;
	urb.packets = &packet;
	urb.n_packets = 1;
	stub_up(s);
	assert_int_equal(usbfront_submit(s->front, &urb), 0);
	assert_true(stub_take(s, &req));
	assert_true(stub_copy(s, &req, 1, true, 0, (void *)frame, 16));
	stub_answer(s, req.id, 0, actual, errors);
	stub_run(s);
	expect_complaint(s, text ? 1 : 0, text ? text : "");
	assert_true(packet.actual <= 100);
	stub_teardown(&machine);
}

static void test_iso(void **state)
{
	(void)state;
	iso_case((uint32_t[]){0, 100, 50, 0}, 50, 0, NULL);
	iso_case((uint32_t[]){0, 100, 0, (uint32_t)-EXDEV}, 0, 1, NULL);
	iso_case((uint32_t[]){8, 100, 50, 0}, 50, 0, "another place or length");
	iso_case((uint32_t[]){0, 99, 50, 0}, 50, 0, "another place or length");
	iso_case((uint32_t[]){0, 100, 101, 0}, 0, 0, "more bytes than its packet");
	iso_case((uint32_t[]){0, 100, 50, 0}, 50, 1, "error count");
	iso_case((uint32_t[]){0, 100, 50, 0}, 49, 0, "actual length that is not that");
	iso_case((uint32_t[]){0, 100, 50, 7}, 50, 1, "positive status");
}

static void test_events(void **state)
{
	static const struct {
		uint8_t port, speed;
		const char *text;
	} cases[] = {
		{0, USBIF_SPEED_HIGH, "port that the controller does not have"},
		{5, USBIF_SPEED_HIGH, "port that the controller does not have"},
		{255, USBIF_SPEED_NONE, "port that the controller does not have"},
		{1, 4, "speed that the controller does not have"},
		{1, 255, "speed that the controller does not have"},
		{2, USBIF_SPEED_FULL, "where there is one already"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		void *machine;
		struct stub *s;

		setup(&machine);
		s = machine;
		stub_up(s);
		stub_event(s, 2, USBIF_SPEED_HIGH);
		stub_event(s, cases[i].port, cases[i].speed);
		stub_run(s);
		expect_complaint(s, 1, cases[i].text);
		stub_teardown(&machine);
	}
}

static void test_full_speed_controller(void **state)
{
	struct stub *s = *state;

	stub_write(s, BACK "/usb-ver", "1");
	stub_up(s);
	stub_event(s, 1, USBIF_SPEED_FULL);
	stub_run(s);
	expect_complaint(s, 0, "");
	stub_event(s, 2, USBIF_SPEED_HIGH);
	stub_run(s);
	expect_complaint(s, 1, "speed that the controller does not have");
	assert_string_equal(s->ports, "1F");
}

static void test_event_id(void **state)
{
	struct stub *s = *state;
	struct usbif_conn_response rsp = {.id = 3, .portnum = 1, .speed = 3};

	stub_up(s);
	s->conn.req_cons += 2;
	ring_back_respond(&s->conn, &rsp, sizeof(rsp));
	ring_back_respond(&s->conn, &rsp, sizeof(rsp));
	if (ring_back_push(&s->conn))
		s->ops->evt_notify(s->evt, s->port);
	stub_run(s);
	expect_complaint(s, 0, ""); /* 3 is posted, and again as soon as it was taken */
	rsp.id = 512;
	ring_back_respond(&s->conn, &rsp, sizeof(rsp));
	ring_back_push(&s->conn);
	s->ops->evt_notify(s->evt, s->port);
	stub_run(s);
	expect_complaint(s, 1, "port event with an id");
}

static void test_more_events_than_requests(void **state)
{
	struct stub *s = *state;

	stub_up(s);
	s->conn.rsp_prod += 600;
	ring_back_push(&s->conn);
	s->ops->evt_notify(s->evt, s->port);
	stub_run(s);
	expect_complaint(s, 1, "more port events than requests");
}

static void test_spurious(void **state)
{
	struct stub *s = *state;

	stub_answer(s, send_one(s), 0, 0, 0);
	stub_run(s);
	assert_int_equal(usbfront_stats(s->front)->events, 1);
	assert_int_equal(usbfront_stats(s->front)->spurious, 0);
	s->ops->evt_notify(s->evt, s->port);
	stub_run(s);
	assert_int_equal(usbfront_stats(s->front)->spurious, 1);
}

static void test_still_mapped(void **state)
{
	struct stub *s = *state;

	stub_up(s);
	stub_write(s, BACK "/state", "6");
	stub_run(s);
	expect_complaint(s, 2, "still maps pages of a closed device");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, stub_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status), TEST(test_twice),
		TEST(test_unknown_id),	       TEST(test_no_request),
		cmocka_unit_test(test_actual), cmocka_unit_test(test_iso),
		cmocka_unit_test(test_events), TEST(test_full_speed_controller),
		TEST(test_event_id),	       TEST(test_more_events_than_requests),
		TEST(test_spurious),	       TEST(test_still_mapped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
