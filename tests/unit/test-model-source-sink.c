/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-model-source-sink.c - what usbtest asks of gadget zero, and the schedule of isochronous and
 * interrupt endpoints. */
#include "cluster/models/source_sink.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "cluster/models/models.h"
#include "usb-host-lab.h"
#include "util.h"

#define BULK USB_ENDPOINT_XFER_BULK
#define INT  USB_ENDPOINT_XFER_INT
#define ISO  USB_ENDPOINT_XFER_ISOC

static uint8_t buffer[1 << 20];

static void test_bulk(void **state)
{
	struct usb_lab lab;

	lab_open(&lab, "source-sink");
	memset(buffer, 0xa5, sizeof(buffer));
	assert_int_equal(lab_bulk(&lab, 0x81, buffer, sizeof(buffer)), sizeof(buffer));
	for (size_t i = 0; i < sizeof(buffer); i++)
		assert_int_equal(buffer[i], 0);
	assert_int_equal(lab_bulk(&lab, 0x01, buffer, sizeof(buffer)), sizeof(buffer));
	assert_int_equal(lab_bulk(&lab, 0x01, NULL, 0), 0);
	assert_int_equal(lab_bulk(&lab, 0x81, NULL, 0), 0);
	lab_close(&lab);
}

/* The pattern begins anew with each packet, at both speeds. */
static void test_mod63(void **state)
{
	static const struct {
		const char *spec;
		size_t packet;
	} speeds[] = {{"source-sink,pattern=1", 512}, {"source-sink,pattern=1,speed=full", 64}};

	for (size_t s = 0; s < ARRAY_SIZE(speeds); s++) {
		struct usb_lab lab;

		lab_open(&lab, speeds[s].spec);
		assert_int_equal(lab_bulk(&lab, 0x81, buffer, 2000), 2000);
		for (size_t i = 0; i < 2000; i++)
			assert_int_equal(buffer[i], i % speeds[s].packet % 63);
		assert_int_equal(lab_bulk(&lab, 0x01, buffer, 2000), 2000);
		/* One wrong byte: the packets were taken, then the endpoint halts. */
		buffer[1999] ^= 1;
		assert_int_equal(lab_bulk(&lab, 0x01, buffer, 2000), 2000);
		assert_int_equal(lab_bulk(&lab, 0x01, buffer, 1999), -EPIPE);
		assert_int_equal(lab_clear_halt(&lab, 0x01), 0);
		assert_int_equal(lab_bulk(&lab, 0x01, buffer, 1999), 1999);
		lab_close(&lab);
	}
}

static void test_pattern_any(void **state)
{
	struct usb_lab lab;

	lab_open(&lab, "source-sink,pattern=2");
	memset(buffer, 0x5a, 1024);
	assert_int_equal(lab_bulk(&lab, 0x01, buffer, 1024), 1024);
	assert_int_equal(lab_bulk(&lab, 0x01, buffer, 1024), 1024);
	lab_close(&lab);
}

/* usbtest case 14, 21. */
static void test_vendor_requests(void **state)
{
	static const uint16_t sizes[] = {1, 63, 64, 65, 512, 4096, 65535};
	static uint8_t back[65535];
	struct usb_lab lab;

	lab_open(&lab, "source-sink");
	for (size_t s = 0; s < ARRAY_SIZE(sizes); s++) {
		for (size_t i = 0; i < sizes[s]; i++)
			buffer[i] = (uint8_t)(i + s);
		assert_int_equal(lab_control(&lab, USB_TYPE_VENDOR, 0x5b, 0, 0, buffer, sizes[s]),
				 sizes[s]);
		assert_int_equal(
			lab_control(&lab, USB_TYPE_VENDOR | USB_DIR_IN, 0x5c, 0, 0, back, sizes[s]),
			sizes[s]);
		assert_memory_equal(back, buffer, sizes[s]);
	}
	assert_int_equal(lab_control(&lab, USB_TYPE_VENDOR, 0x5b, 0, 0, NULL, 0), 0);
	assert_int_equal(lab_control(&lab, USB_TYPE_VENDOR, 0x5b, 1, 0, buffer, 1), -EPIPE);
	assert_int_equal(lab_control(&lab, USB_TYPE_VENDOR, 0x5b, 0, 1, buffer, 1), -EPIPE);
	assert_int_equal(lab_control(&lab, USB_TYPE_VENDOR, 0x5d, 0, 0, buffer, 1), -EPIPE);
	assert_int_equal(lab_control(&lab, USB_TYPE_CLASS, 0x5b, 0, 0, buffer, 1), -EPIPE);
	lab_close(&lab);
}

/* usbtest case 13. */
static void test_halt(void **state)
{
	static const uint8_t endpoints[] = {0x81, 0x01};
	struct usb_lab lab;

	lab_open(&lab, "source-sink");
	for (size_t i = 0; i < ARRAY_SIZE(endpoints); i++) {
		uint8_t ep = endpoints[i], status[2] = {9, 9};

		memset(buffer, 0, 512);
		assert_int_equal(lab_bulk(&lab, ep, buffer, 512), 512);
		assert_int_equal(lab_control(&lab, USB_RECIP_ENDPOINT, USB_REQ_SET_FEATURE,
					     USB_ENDPOINT_HALT, ep, NULL, 0),
				 0);
		assert_int_equal(lab_control(&lab, USB_DIR_IN | USB_RECIP_ENDPOINT,
					     USB_REQ_GET_STATUS, 0, ep, status, 2),
				 2);
		assert_int_equal(status[0], 1);
		assert_int_equal(lab_bulk(&lab, ep, buffer, 512), -EPIPE);
		assert_int_equal(lab_bulk(&lab, ep, buffer, 512), -EPIPE);
		assert_int_equal(lab_clear_halt(&lab, ep), 0);
		assert_int_equal(lab_bulk(&lab, ep, buffer, 512), 512);
	}
	lab_close(&lab);
}

static void set_up_packets(struct lab_urb *urb, struct usb_packet *packets, uint32_t n,
			   uint32_t length)
{
	for (uint32_t i = 0; i < n; i++)
		packets[i] = (struct usb_packet){.length = length, .actual = 77, .status = -1};
	urb->transfer.packets = packets;
	urb->transfer.n_packets = n;
}

/* Two transfers of eight packets always in flight for a minute: each packet has its millisecond,
 * however late the loop runs. */
static void test_iso_is_paced(uint8_t endpoint)
{
	struct usb_packet packets[2][8];
	struct lab_urb urbs[2];
	struct usb_lab lab;
	uint64_t start_ns;
	uint32_t n = 0;

	lab_open(&lab, "source-sink");
	assert_int_equal(lab_change(&lab, USB_CHANGE_INTERFACE, 1, 0, 0), 0);
	start_ns = clock_now(&lab.clock);
	for (int i = 0; i < 2; i++) {
		memset(&urbs[i], 0, sizeof(urbs[i]));
		urbs[i].transfer.type = ISO;
		urbs[i].transfer.endpoint = endpoint;
		urbs[i].transfer.data = buffer + 8192 * i;
		urbs[i].transfer.length = 8192;
		set_up_packets(&urbs[i], packets[i], 8, 1024);
		assert_int_equal(lab_submit(&lab, &urbs[i]), 0);
	}
	for (; n < 60000 / 8; n++) {
		struct lab_urb *urb = &urbs[n % 2];

		lab_wait(urb);
		assert_int_equal(urb->transfer.status, 0);
		assert_int_equal(urb->transfer.actual, 8192);
		for (int i = 0; i < 8; i++) {
			assert_int_equal(packets[n % 2][i].status, 0);
			assert_int_equal(packets[n % 2][i].actual, 1024);
		}
		/* The last packet of the nth transfer. */
		assert_int_equal(urb->done_ns, start_ns + (8ull * n + 7) * NSEC_PER_MSEC);
		set_up_packets(urb, packets[n % 2], 8, 1024);
		assert_int_equal(lab_submit(&lab, urb), 0);
	}
	lab.host->ops->cancel(lab.host, &urbs[0].transfer);
	lab.host->ops->cancel(lab.host, &urbs[1].transfer);
	lab_settle(&lab);
	assert_int_equal(urbs[0].transfer.status, -ECANCELED);
	assert_int_equal(urbs[1].transfer.status, -ECANCELED);
	lab_close(&lab);
}

static void test_iso_in(void **state)
{
	test_iso_is_paced(0x82);
}

static void test_iso_out(void **state)
{
	test_iso_is_paced(0x02);
}

/* A loop that was away for long finds all that was queued done, and the next one follows them. */
static void test_iso_late_loop(void **state)
{
	struct usb_packet packets[4][4];
	struct lab_urb urbs[4];
	struct usb_lab lab;

	lab_open(&lab, "source-sink,pattern=1,interval=1");
	assert_int_equal(lab_change(&lab, USB_CHANGE_INTERFACE, 1, 0, 0), 0);
	for (int i = 0; i < 3; i++) {
		memset(&urbs[i], 0, sizeof(urbs[i]));
		urbs[i].transfer.type = ISO;
		urbs[i].transfer.endpoint = 0x82;
		urbs[i].transfer.data = buffer;
		urbs[i].transfer.length = 400;
		set_up_packets(&urbs[i], packets[i], 4, 100);
		assert_int_equal(lab_submit(&lab, &urbs[i]), 0);
	}
	lab_settle(&lab);
	assert_int_equal(lab.n_done, 0);
	clock_advance(&lab.clock, 10 * NSEC_PER_SEC);
	usb_model_run(lab.host);
	assert_int_equal(lab.n_done, 3);
	for (size_t i = 0; i < 400; i++)
		assert_int_equal(buffer[i], i % 100 % 63);
	/* An idle stream starts at once when something comes: 3 more microframes for 4 packets. */
	urbs[3] = urbs[2];
	set_up_packets(&urbs[3], packets[3], 4, 100);
	assert_int_equal(lab_submit(&lab, &urbs[3]), 0);
	lab_settle(&lab);
	assert_int_equal(usb_model_deadline_ns(lab.host), clock_now(&lab.clock) + 375000);
	lab_wait(&urbs[3]);
	lab_close(&lab);
}

static void test_iso_refused(void **state)
{
	struct usb_packet packets[2];
	struct lab_urb urb;
	struct usb_lab lab;

	lab_open(&lab, "source-sink");
	memset(&urb, 0, sizeof(urb));
	urb.transfer.type = ISO;
	urb.transfer.endpoint = 0x02;
	urb.transfer.data = buffer;
	urb.transfer.length = 2048;
	set_up_packets(&urb, packets, 2, 1024);
	assert_int_equal(lab_submit(&lab, &urb), -EINVAL); /* not in setting 0 */
	assert_int_equal(lab_change(&lab, USB_CHANGE_INTERFACE, 1, 0, 0), 0);
	urb.transfer.length = 2047;
	assert_int_equal(lab_submit(&lab, &urb), -EINVAL); /* not the sum */
	urb.transfer.length = 2048;
	packets[0].length = 1025;
	packets[1].length = 1023;
	assert_int_equal(lab_submit(&lab, &urb), -EINVAL); /* longer than a packet */
	urb.transfer.n_packets = 0;
	assert_int_equal(lab_submit(&lab, &urb), -EINVAL);
	urb.transfer.type = BULK;
	assert_int_equal(lab_submit(&lab, &urb), -EINVAL); /* another type */
	/* IN: the device sends what fits into a packet of its own. */
	urb.transfer.type = ISO;
	urb.transfer.endpoint = 0x82;
	urb.transfer.n_packets = 2;
	assert_int_equal(lab_submit(&lab, &urb), 0);
	lab_wait(&urb);
	assert_int_equal(packets[0].actual, 1024);
	assert_int_equal(packets[1].actual, 1023);
	lab_close(&lab);
}

/* usbtest case 25, 26: packets of 1024, a millisecond each. */
static void test_interrupt(void **state)
{
	static const uint8_t endpoints[] = {0x83, 0x03};
	struct usb_lab lab;
	struct lab_urb urb;

	lab_open(&lab, "source-sink");
	assert_int_equal(lab_change(&lab, USB_CHANGE_INTERFACE, 1, 0, 0), 0);
	for (size_t i = 0; i < ARRAY_SIZE(endpoints); i++) {
		uint64_t start_ns = clock_now(&lab.clock);

		memset(buffer, 0, 4096);
		for (unsigned int n = 0; n < 10; n++) {
			assert_int_equal(lab_start(&lab, &urb, INT, endpoints[i], buffer, 4 * 1024),
					 0);
			lab_wait(&urb);
			assert_int_equal(urb.transfer.status, 0);
			assert_int_equal(urb.transfer.actual, 4096);
			assert_int_equal(urb.done_ns, start_ns + (4 * n + 3) * NSEC_PER_MSEC);
		}
	}
	lab_close(&lab);
}

/* usbtest case 11, 12, 24: what is cancelled ends once, what is not goes on, in order. */
static void test_cancel(void **state)
{
	struct lab_urb urbs[16];
	struct usb_lab lab;

	lab_open(&lab, "source-sink");
	for (int i = 0; i < 16; i++)
		assert_int_equal(lab_start(&lab, &urbs[i], BULK, 0x81, buffer, 4096), 0);
	lab.host->ops->cancel(lab.host, &urbs[12].transfer);
	lab.host->ops->cancel(lab.host, &urbs[14].transfer);
	lab_settle(&lab);
	assert_int_equal(lab.n_done, 16);
	for (int i = 0; i < 16; i++) {
		bool cancelled = i == 12 || i == 14;

		assert_int_equal(urbs[i].transfer.status, cancelled ? -ECANCELED : 0);
		assert_int_equal(urbs[i].transfer.actual, cancelled ? 0 : 4096);
	}
	assert_true(urbs[11].order < urbs[13].order && urbs[13].order < urbs[15].order);
	lab.host->ops->cancel(lab.host, &urbs[3].transfer); /* not in flight: nothing */
	lab_settle(&lab);
	assert_int_equal(lab.n_done, 16);
	lab_close(&lab);
}

/* On the machine's clock the loop wakes up by itself. */
static void test_real_clock(void **state)
{
	struct usb_packet packets[2];
	struct usb_lab lab;
	struct lab_urb urb;

	lab_open(&lab, "source-sink");
	lab.host->ops->close(lab.host);
	assert_int_equal(usb_model_open(&lab.host, "source-sink,interval=1", lab.event,
					&clock_monotonic, (char *)buffer, 256),
			 0);
	assert_int_equal(lab_change(&lab, USB_CHANGE_CONFIGURATION, 1, 0, 0), 0);
	assert_int_equal(lab_change(&lab, USB_CHANGE_INTERFACE, 1, 0, 0), 0);
	memset(&urb, 0, sizeof(urb));
	urb.transfer.type = ISO;
	urb.transfer.endpoint = 0x82;
	urb.transfer.data = buffer;
	urb.transfer.length = 2048;
	set_up_packets(&urb, packets, 2, 1024);
	assert_int_equal(lab_submit(&lab, &urb), 0);
	while (urb.in_flight)
		assert_true(sd_event_run(lab.event, UINT64_MAX) >= 0);
	assert_int_equal(urb.transfer.actual, 2048);
	lab_close(&lab);
}

static void test_close_gives_back(void **state)
{
	struct usb_packet packets[1];
	struct lab_urb bulk, iso;
	struct usb_lab lab;

	lab_open(&lab, "source-sink");
	assert_int_equal(lab_change(&lab, USB_CHANGE_INTERFACE, 1, 0, 0), 0);
	memset(&iso, 0, sizeof(iso));
	iso.transfer.type = ISO;
	iso.transfer.endpoint = 0x02;
	iso.transfer.data = buffer;
	iso.transfer.length = 10;
	set_up_packets(&iso, packets, 1, 10);
	assert_int_equal(lab_submit(&lab, &iso), 0);
	assert_int_equal(lab_start(&lab, &bulk, BULK, 0x81, buffer, 512), 0);
	lab.host->ops->close(lab.host);
	lab.host = NULL;
	assert_false(bulk.in_flight || iso.in_flight);
	assert_int_equal(bulk.transfer.status, -ENODEV);
	assert_int_equal(iso.transfer.status, -ENODEV);
	lab_close(&lab);
}

static void close_in_done(struct usb_transfer *transfer)
{
	struct lab_urb *urb = transfer->owner;
	struct usb_lab *lab = urb->lab;

	urb->in_flight = false;
	if (lab->host)
		lab->host->ops->close(lab->host);
	lab->host = NULL;
}

/* A callback closes the device: what is left is given back, and nothing is touched afterwards. */
static void test_close_from_callback(void **state)
{
	struct lab_urb urbs[3];
	struct usb_lab lab;

	lab_open(&lab, "source-sink");
	for (int i = 0; i < 3; i++) {
		assert_int_equal(lab_start(&lab, &urbs[i], BULK, 0x81, buffer, 512), 0);
		if (!i)
			urbs[i].transfer.done = close_in_done;
	}
	lab_settle(&lab);
	assert_null(lab.host);
	for (int i = 0; i < 3; i++)
		assert_false(urbs[i].in_flight);
	lab_close(&lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bulk),
		cmocka_unit_test(test_mod63),
		cmocka_unit_test(test_pattern_any),
		cmocka_unit_test(test_vendor_requests),
		cmocka_unit_test(test_halt),
		cmocka_unit_test(test_iso_in),
		cmocka_unit_test(test_iso_out),
		cmocka_unit_test(test_iso_late_loop),
		cmocka_unit_test(test_iso_refused),
		cmocka_unit_test(test_interrupt),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_real_clock),
		cmocka_unit_test(test_close_gives_back),
		cmocka_unit_test(test_close_from_callback),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
