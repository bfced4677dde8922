/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-urb.c - requests of a USB ring: good ones decoded, each field wrong in turn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <endian.h>
#include <errno.h>

#include "usbback/urb.h"
#include "util.h"

#define PORTS 8

#define PIPE(port, address, endpoint, in, type)                                                    \
	((uint32_t)(port) | ((in) ? USBIF_PIPE_DIR : 0) |                                          \
	 (uint32_t)(address) << USBIF_PIPE_DEV_SHIFT |                                             \
	 (uint32_t)(endpoint) << USBIF_PIPE_EP_SHIFT | (uint32_t)(type) << USBIF_PIPE_TYPE_SHIFT)

static struct usbif_urb_request bulk(bool in, unsigned int n, uint16_t each)
{
	struct usbif_urb_request r = {
		.id = 5,
		.nr_buffer_segs = (uint16_t)n,
		.pipe = PIPE(3, 7, 2, in, USBIF_PIPE_TYPE_BULK),
		.buffer_length = (uint16_t)(n * each),
	};

	for (unsigned int i = 0; i < n; i++)
		r.seg[i] = (struct usbif_request_segment){.gref = 100 + i, .length = each};
	return r;
}

static struct usbif_urb_request control(bool in, uint16_t length)
{
	struct usbif_urb_request r = bulk(in, length ? 1 : 0, length);
	struct usb_ctrlrequest setup = {.bRequestType = in ? USB_DIR_IN : 0,
					.bRequest = 0x42,
					.wValue = htole16(0x1234),
					.wLength = htole16(length)};

	r.pipe = PIPE(3, 7, 0, in, USBIF_PIPE_TYPE_CTRL);
	memcpy(r.u.ctrl, &setup, sizeof(r.u.ctrl));
	return r;
}

/* Two pages of data, one with the descriptions of 8 packets. */
static struct usbif_urb_request iso(void)
{
	struct usbif_urb_request r = bulk(true, 2, 4096);

	r.pipe = PIPE(3, 7, 2, true, USBIF_PIPE_TYPE_ISOC);
	r.u.isoc.interval = 4;
	r.u.isoc.number_of_packets = 8;
	r.u.isoc.nr_frame_desc_segs = 1;
	r.seg[2] = (struct usbif_request_segment){.gref = 102, .offset = 512, .length = 128};
	return r;
}

static void accept(const struct usbif_urb_request *r, struct urb *urb)
{
	const char *why = "";

	memset(urb, 0x55, sizeof(*urb));
	if (urb_parse(urb, r, PORTS, &why) != 0)
		fail_msg("refused: %s", why);
	assert_int_equal(urb->id, r->id);
}

static void refuse(const struct usbif_urb_request *r, const char *words)
{
	const char *why = NULL;
	struct urb urb;

	memset(&urb, 0x55, sizeof(urb));
	assert_int_equal(urb_parse(&urb, r, PORTS, &why), USBIF_STATUS_INVAL);
	assert_int_equal(urb.id, r->id);
	assert_non_null(why);
	if (!strstr(why, words))
		fail_msg("\"%s\" does not say \"%s\"", why, words);
}

/* --- good ones --- */

static void test_bulk(void **state)
{
	struct usbif_urb_request r = bulk(true, 3, 4096);
	struct urb urb;

	r.transfer_flags = USBIF_SHORT_NOT_OK;
	r.seg[0] = (struct usbif_request_segment){.gref = 1, .offset = 4000, .length = 96};
	r.buffer_length = 96 + 8192;
	accept(&r, &urb);
	assert_false(urb.unlink);
	assert_int_equal(urb.port, 3);
	assert_int_equal(urb.address, 7);
	assert_int_equal(urb.endpoint, USB_DIR_IN | 2);
	assert_int_equal(urb.type, USB_ENDPOINT_XFER_BULK);
	assert_true(urb.in);
	assert_true(urb.short_not_ok);
	assert_int_equal(urb.length, 96 + 8192);
	assert_int_equal(urb.n_segments, 3);
	assert_int_equal(urb.n_packet_segments, 0);
	assert_memory_equal(urb.segments, r.seg, 3 * sizeof(r.seg[0]));
	r = bulk(false, 1, 512);
	r.transfer_flags = 0xffff; /* of an OUT request none means anything */
	accept(&r, &urb);
	assert_int_equal(urb.endpoint, 2);
	assert_false(urb.in);
	assert_false(urb.short_not_ok);
	r = bulk(true, 1, 512);
	r.transfer_flags = 0xfffe;
	accept(&r, &urb);
	assert_false(urb.short_not_ok);
}

/* What Linux's frontend makes of 65536 bytes: the length does not fit its field. */
static void test_64k(void **state)
{
	struct usbif_urb_request r = bulk(false, 16, 4096);
	struct urb urb;

	assert_int_equal(r.buffer_length, 0);
	accept(&r, &urb);
	assert_int_equal(urb.length, 65536);
	assert_int_equal(urb.n_segments, 16);
	r = bulk(false, 0, 0);
	accept(&r, &urb);
	assert_int_equal(urb.length, 0);
	r = bulk(false, 16, 0); /* pages without bytes */
	accept(&r, &urb);
	assert_int_equal(urb.length, 0);
}

static void test_control(void **state)
{
	struct usbif_urb_request r = control(true, 64);
	struct urb urb;

	accept(&r, &urb);
	assert_int_equal(urb.type, USB_ENDPOINT_XFER_CONTROL);
	assert_int_equal(urb.endpoint, 0);
	assert_true(urb.in);
	assert_int_equal(urb.length, 64);
	assert_int_equal(urb.setup.bRequest, 0x42);
	assert_int_equal(urb.setup.wValue, htole16(0x1234));
	/* The setup packet gives the direction, as on the wire. */
	r.pipe &= ~USBIF_PIPE_DIR;
	accept(&r, &urb);
	assert_true(urb.in);
	r = control(false, 64);
	r.pipe |= USBIF_PIPE_DIR;
	accept(&r, &urb);
	assert_false(urb.in);
	r = control(true, 0); /* no data: nothing flows to the guest */
	accept(&r, &urb);
	assert_false(urb.in);
	r = control(true, 64); /* more memory than asked for */
	r.u.ctrl[6] = 18;
	accept(&r, &urb);
	assert_int_equal(urb.length, 18);
	r.pipe = PIPE(3, 0, 0, true, USBIF_PIPE_TYPE_CTRL);
	accept(&r, &urb);
	assert_int_equal(urb.address, 0);
}

static void test_interrupt(void **state)
{
	struct usbif_urb_request r = bulk(true, 1, 8);
	struct urb urb;

	r.pipe = PIPE(3, 127, 15, true, USBIF_PIPE_TYPE_INT);
	r.u.intr.interval = 10;
	accept(&r, &urb);
	assert_int_equal(urb.type, USB_ENDPOINT_XFER_INT);
	assert_int_equal(urb.address, 127);
	assert_int_equal(urb.endpoint, USB_DIR_IN | 15);
	assert_int_equal(urb.interval, 10);
}

static void test_iso(void **state)
{
	struct usbif_urb_request r = iso();
	struct urb urb;

	accept(&r, &urb);
	assert_int_equal(urb.type, USB_ENDPOINT_XFER_ISOC);
	assert_int_equal(urb.interval, 4);
	assert_int_equal(urb.n_packets, 8);
	assert_int_equal(urb.length, 8192);
	assert_int_equal(urb.n_segments, 2);
	assert_int_equal(urb.n_packet_segments, 1);
	assert_int_equal(urb.segments[2].gref, 102);
	r.u.isoc.number_of_packets = URB_ISO_PACKETS_MAX;
	r.seg[2].length = URB_ISO_PACKETS_MAX * 16;
	accept(&r, &urb);
	r = bulk(true, 0, 0); /* no data, but packets */
	r.pipe = PIPE(3, 7, 2, true, USBIF_PIPE_TYPE_ISOC);
	r.u.isoc.number_of_packets = 1;
	r.u.isoc.nr_frame_desc_segs = 1;
	r.seg[0] = (struct usbif_request_segment){.gref = 1, .length = 16};
	accept(&r, &urb);
	assert_int_equal(urb.length, 0);
}

/* All but the id to unlink is what stood there before. */
static void test_unlink(void **state)
{
	struct usbif_urb_request r;
	struct urb urb;

	memset(&r, 0xff, sizeof(r));
	r.id = 9;
	r.u.unlink.unlink_id = 65535;
	accept(&r, &urb);
	assert_true(urb.unlink);
	assert_int_equal(urb.unlink_id, 65535);
	r.pipe = USBIF_PIPE_UNLINK;
	r.u.unlink.unlink_id = 9; /* itself: the controller's to judge */
	accept(&r, &urb);
	assert_int_equal(urb.unlink_id, 9);
}

/* --- bad ones --- */

static void test_bad_pipe(void **state)
{
	struct usbif_urb_request r = bulk(true, 1, 512);

	for (unsigned int port = 0; port < 32; port++) {
		struct urb urb;

		r.pipe = PIPE(port, 7, 2, true, USBIF_PIPE_TYPE_BULK);
		if (port < 1 || port > PORTS) {
			refuse(&r, "a port that the controller does not have");
		} else {
			accept(&r, &urb);
			assert_int_equal(urb.port, port);
		}
	}
	for (uint32_t type = USBIF_PIPE_TYPE_ISOC; type <= USBIF_PIPE_TYPE_BULK; type++) {
		if (type == USBIF_PIPE_TYPE_CTRL)
			continue;
		r.pipe = PIPE(3, 0, 2, true, type);
		refuse(&r, "without an address");
		r.pipe = PIPE(3, 7, 0, true, type);
		refuse(&r, "for endpoint 0");
	}
	r = control(true, 8);
	for (unsigned int endpoint = 1; endpoint < 16; endpoint++) {
		r.pipe = PIPE(3, 7, endpoint, true, USBIF_PIPE_TYPE_CTRL);
		refuse(&r, "another endpoint than 0");
	}
}

static void test_bad_segments(void **state)
{
	static const uint16_t counts[] = {17, 18, 255, 256, 32768, 65535};
	static const struct {
		uint16_t offset, length;
	} places[] = {{1, 4096},  {4096, 1},	  {4097, 0}, {65535, 0},
		      {0, 65535}, {65535, 65535}, {4000, 97}};

	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		struct usbif_urb_request r = bulk(false, 1, 512);

		r.nr_buffer_segs = counts[i];
		refuse(&r, "more than 16 segments");
		r = iso();
		r.nr_buffer_segs = counts[i];
		refuse(&r, "more than 16 segments");
		r = iso();
		r.u.isoc.nr_frame_desc_segs = counts[i];
		refuse(&r, "more than 16 segments");
	}
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		for (unsigned int at = 0; at < 3; at++) {
			struct usbif_urb_request r = iso();

			r.seg[at].offset = places[i].offset;
			r.seg[at].length = places[i].length;
			refuse(&r, "leaves its page");
		}
	}
	for (unsigned int n = 0; n <= 16; n++) {
		struct usbif_urb_request r = iso();

		r.nr_buffer_segs = (uint16_t)n;
		r.u.isoc.nr_frame_desc_segs = (uint16_t)(17 - n);
		refuse(&r, "more than 16 segments");
	}
}

static void test_bad_length(void **state)
{
	static const uint16_t wrong[] = {0, 1, 1023, 1025, 4096, 65535};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct usbif_urb_request r = bulk(true, 2, 512);

		r.buffer_length = wrong[i];
		refuse(&r, "buffer_length");
	}
	for (unsigned int n = 0; n < 2; n++) {
		struct usbif_urb_request r = bulk(true, 2, 512);

		r.nr_buffer_segs = (uint16_t)n;
		refuse(&r, "buffer_length");
	}
}

static void test_bad_control(void **state)
{
	struct usbif_urb_request r = control(true, 64);

	r.u.ctrl[6] = 65;
	refuse(&r, "wLength");
	r.u.ctrl[7] = 0xff;
	refuse(&r, "wLength");
	r = control(false, 0);
	r.u.ctrl[6] = 1;
	refuse(&r, "wLength");
}

static void test_bad_iso(void **state)
{
	static const uint16_t counts[] = {0, 129, 255, 256, 4097, 65535};

	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		struct usbif_urb_request r = iso();

		r.seg[2] = (struct usbif_request_segment){.gref = 1, .length = 4096};
		r.u.isoc.number_of_packets = counts[i];
		refuse(&r, "number_of_packets");
	}
	for (uint16_t length = 0; length < 128; length++) {
		struct usbif_urb_request r = iso();

		r.seg[2].length = length;
		refuse(&r, "fewer packet descriptions");
	}
	{
		struct usbif_urb_request r = iso();

		r.u.isoc.nr_frame_desc_segs = 0;
		refuse(&r, "fewer packet descriptions");
	}
}

/* Any bytes at all: what is accepted keeps within its bounds. */
static void test_noise(void **state)
{
	uint32_t random = 1, accepted = 0;

	for (unsigned int i = 0; i < 200000; i++) {
		struct usbif_urb_request r;
		const char *why;
		struct urb urb;
		uint32_t sum = 0;

		for (size_t k = 0; k < sizeof(r); k++) {
			random = random * 1664525u + 1013904223u;
			((uint8_t *)&r)[k] = (uint8_t)(random >> 24);
		}
		r.pipe &= ~(uint32_t)(i % 2 ? USBIF_PIPE_UNLINK | 0x18 : 0x18);
		r.nr_buffer_segs %= 20;
		for (unsigned int k = 0; k < USBIF_MAX_SEGMENTS_PER_REQUEST; k++) {
			r.seg[k].offset %= 512;
			r.seg[k].length %= 3600;
			sum += k < r.nr_buffer_segs ? r.seg[k].length : 0;
		}
		r.buffer_length = (uint16_t)sum;
		r.u.isoc.number_of_packets %= 140;
		r.u.isoc.nr_frame_desc_segs %= 8;
		if (urb_parse(&urb, &r, PORTS, &why) != 0) {
			assert_non_null(why);
			continue;
		}
		accepted++;
		if (urb.unlink)
			continue;
		assert_in_range(urb.port, 1, PORTS);
		assert_true(urb.n_segments + urb.n_packet_segments <= 16);
		assert_true(urb.length <= sum);
		assert_true(urb.n_packets <= URB_ISO_PACKETS_MAX);
	}
	assert_true(accepted > 50000);
}

/* --- status --- */

static void test_status(void **state)
{
	static const struct {
		int status;
		int32_t told;
	} cases[] = {
		{0, 0},
		{-ENODEV, -19},
		{-EINVAL, -22},
		{-EPIPE, -32},
		{-EOVERFLOW, -75},
		{-ESHUTDOWN, -108},
		{-EPROTO, -71},
		{-EREMOTEIO, -71}, /* never told: the guest would not know them */
		{-ETIMEDOUT, -71},
		{-ECONNRESET, -71},
		{-ECANCELED, -71},
		{-ENOMEM, -71},
		{-ENOENT, -71},
		{1, -71},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(urb_status(cases[i].status), cases[i].told);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bulk),	   cmocka_unit_test(test_64k),
		cmocka_unit_test(test_control),	   cmocka_unit_test(test_interrupt),
		cmocka_unit_test(test_iso),	   cmocka_unit_test(test_unlink),
		cmocka_unit_test(test_bad_pipe),   cmocka_unit_test(test_bad_segments),
		cmocka_unit_test(test_bad_length), cmocka_unit_test(test_bad_control),
		cmocka_unit_test(test_bad_iso),	   cmocka_unit_test(test_noise),
		cmocka_unit_test(test_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
