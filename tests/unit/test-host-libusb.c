/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-host-libusb.c - transfers of a local device, through the real libusb onto the usbfs mock. */
#include "usbback/host_libusb_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "local-device.h"
#include "util.h"

#define BULK USB_ENDPOINT_XFER_BULK

static int setup(void **state)
{
	struct lab *lab = calloc(1, sizeof(*lab));

	lab_init(lab);
	*state = lab;
	return 0;
}

static int setup_open(void **state)
{
	struct lab *lab;

	setup(state);
	lab = *state;
	assert_int_equal(lab_open(lab), 0);
	return 0;
}

static int teardown(void **state)
{
	lab_fini(*state);
	free(*state);
	return 0;
}

/* --- opening --- */

static void test_open(void **state)
{
	struct lab *lab = *state;

	assert_int_equal(lab_open(lab), 0);
	assert_string_equal(lab->host->name, "3-1.5");
	assert_string_equal(lab->host->ops->name, "libusb");
	assert_int_equal(lab->host->speed, USB_SPEED_HIGH);
	assert_int_equal(lab->host->n_descriptors, lab->mock.n_descriptors);
	assert_memory_equal(lab->host->descriptors, lab->mock.descriptors, lab->mock.n_descriptors);
	/* Every interface of the configuration is ours; the kernel's drivers went. */
	assert_int_equal(lab->mock.owner[0], MOCK_OURS);
	assert_int_equal(lab->mock.owner[1], MOCK_OURS);
	assert_int_equal(lab->mock.n_claims, 2);
}

static void test_speeds(void **state)
{
	/* what USBDEVFS_GET_SPEED answers is enum usb_device_speed */
	static const enum usb_device_speed speeds[] = {USB_SPEED_LOW, USB_SPEED_FULL,
						       USB_SPEED_HIGH, USB_SPEED_SUPER,
						       USB_SPEED_SUPER_PLUS};

	for (size_t i = 0; i < ARRAY_SIZE(speeds); i++) {
		struct lab lab;

		lab_init(&lab);
		lab.mock.speed = speeds[i];
		assert_int_equal(lab_open(&lab), 0);
		assert_int_equal(lab.host->speed, speeds[i]);
		lab_fini(&lab);
	}
}

static void test_unknown_speed(void **state)
{
	struct lab *lab = *state;

	lab->mock.speed = USB_SPEED_UNKNOWN;
	assert_int_equal(lab_open(lab), -EPROTO);
	assert_non_null(strstr(lab->error, "3-1.5: the kernel does not tell the device's speed"));
	assert_null(lab->host);
}

static void test_unconfigured(void **state)
{
	struct lab *lab = *state;

	/* As usbback-reserve leaves a device. */
	lab->mock.configuration = 0;
	assert_int_equal(lab_open(lab), 0);
	assert_int_equal(lab->mock.n_claims, 0);
}

static void test_in_use(void **state)
{
	struct lab *lab = *state;

	lab->mock.owner[1] = MOCK_FOREIGN;
	assert_int_equal(lab_open(lab), -EBUSY);
	assert_non_null(strstr(lab->error, "interface 1 cannot be claimed"));
	assert_non_null(strstr(lab->error, "another program"));
	assert_int_equal(fcntl(lab->mock.fd, F_GETFD), -1);
	/* The other interface has its kernel driver again. */
	assert_int_equal(lab->mock.owner[0], MOCK_KERNEL);
}

static void test_lying_descriptors(void **state)
{
	static const uint8_t device[18] = {18, 1, 0, 2, 0, 0, 0, 64, 1, 2, 3, 4, 0, 1, 0, 0, 0, 1};
	static uint8_t bytes[300 << 10];
	static const struct {
		size_t size;
		uint8_t config[9];
	} lies[] = {
		{0, {0}},
		{17, {0}},
		{18, {0}},
		{27, {9, 2, 0xff, 0xff, 1, 1, 0, 0x80, 50}}, /* longer than it is */
		{27, {0, 2, 9, 0, 1, 1, 0, 0x80, 50}},	     /* of no length */
		{27, {9, 2, 0, 0, 1, 1, 0, 0x80, 50}},	     /* total of nothing */
		{27, {9, 4, 9, 0, 1, 1, 0, 0x80, 50}},	     /* something else */
		{22, {9, 2, 9, 0}},
		{sizeof(bytes), {9, 2, 0xff, 0xff, 200, 1, 0, 0x80, 50}},
	};

	memcpy(bytes, device, sizeof(device));
	for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
		struct lab lab;
		int err;

		memcpy(bytes + sizeof(device), lies[i].config, sizeof(lies[i].config));
		lab_init(&lab);
		lab.mock.descriptors = bytes;
		lab.mock.n_descriptors = lies[i].size;
		err = lab_open(&lab);
		/* Refused with a sentence, or taken as it is: both are fine, nothing else is. */
		if (err)
			assert_non_null(strstr(lab.error, "3-1.5: "));
		else
			assert_int_equal(lab.host->n_descriptors, lies[i].size);
		if (lies[i].size < 18 || lies[i].size == sizeof(bytes))
			assert_non_null(strstr(lab.error, "18 to 262143 are allowed"));
		lab_fini(&lab);
	}
}

static void test_gone_before_open(void **state)
{
	struct lab *lab = *state;

	mock_unplug(&lab->mock);
	assert_int_equal(lab_open(lab), -ENODEV);
	assert_non_null(strstr(lab->error, "3-1.5: "));
}

static void test_plain_file(void **state)
{
	struct lab *lab = *state;
	struct usb_host *host;
	char error[200] = "";
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	assert_int_equal(lab_open(lab), 0);
	assert_int_equal(host_libusb_open(&host, fd, "1-1", lab->event, error, sizeof(error)),
			 -EPROTO);
	assert_non_null(strstr(error, "1-1: its descriptors cannot be read"));
	assert_int_equal(fcntl(fd, F_GETFD), -1);
}

/* --- bulk --- */

static void test_out(void **state)
{
	struct lab *lab = *state;
	uint8_t data[] = "nineteen bytes long";

	assert_int_equal(lab_submit(lab, 0, BULK, 0x01, data, 19), 0);
	assert_non_null(lab->transfers[0].host);
	assert_int_equal(lab->mock.last_endpoint, 0x01);
	assert_int_equal(lab->mock.last_flags & USBDEVFS_URB_ZERO_PACKET, 0);
	assert_memory_equal(lab->mock.pending[0].out, data, 19);
	mock_complete(&lab->mock, 0, 0, 19, NULL);
	lab_run(lab, &lab->n_done, 1);
	assert_int_equal(lab->transfers[0].status, 0);
	assert_int_equal(lab->transfers[0].actual, 19);
}

static void test_zero_packet(void **state)
{
	struct lab *lab = *state;
	uint8_t data[512] = {0};

	lab->transfers[0].zero_packet = true;
	assert_int_equal(lab_submit(lab, 0, BULK, 0x01, data, 512), 0);
	assert_int_equal(lab->mock.last_flags & USBDEVFS_URB_ZERO_PACKET, USBDEVFS_URB_ZERO_PACKET);
	/* A zero-length packet alone. */
	assert_int_equal(lab_submit(lab, 1, BULK, 0x01, NULL, 0), 0);
	mock_complete(&lab->mock, 0, 0, 512, NULL);
	mock_complete(&lab->mock, 0, 0, 0, NULL);
	lab_run(lab, &lab->n_done, 2);
	assert_int_equal(lab->transfers[1].status, 0);
}

static void test_short_in(void **state)
{
	struct lab *lab = *state;
	uint8_t data[512];

	memset(data, 0xee, sizeof(data));
	assert_int_equal(lab_submit(lab, 0, BULK, 0x81, data, sizeof(data)), 0);
	mock_complete(&lab->mock, 0, 0, 13, "a short piece");
	lab_run(lab, &lab->n_done, 1);
	assert_int_equal(lab->transfers[0].status, 0);
	assert_int_equal(lab->transfers[0].actual, 13);
	assert_memory_equal(data, "a short piece", 13);
	assert_int_equal(data[13], 0xee);
}

static void test_errors(void **state)
{
	static const struct {
		int urb, wanted;
	} cases[] = {
		{-EPIPE, -EPIPE},
		{-EOVERFLOW, -EOVERFLOW},
		{-EPROTO, -EPROTO},
		{-EILSEQ, -EPROTO},
		{-ETIME, -EPROTO},
		{-ECOMM, -EPROTO},
		{-ENOSR, -EPROTO},
		{-EXDEV, -EPROTO}, /* unknown to libusb */
		/* Shut down by a change while the device is there. */
		{-ESHUTDOWN, -EPROTO},
	};
	struct lab *lab = *state;
	uint8_t data[64];

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(lab_submit(lab, i, BULK, 0x81, data, sizeof(data)), 0);
		mock_complete(&lab->mock, 0, cases[i].urb, 7, "seven..");
		lab_run(lab, &lab->n_done, i + 1);
		assert_int_equal(lab->transfers[i].status, cases[i].wanted);
		/* What was moved before the failure counts. */
		assert_int_equal(lab->transfers[i].actual, 7);
	}
	assert_int_equal(lab->n_gone, 0);
}

static void test_megabyte(void **state)
{
	struct lab *lab = *state;
	const uint32_t size = 1u << 20;
	uint8_t *data = malloc(size), *back = malloc(size);

	for (uint32_t i = 0; i < size; i++)
		data[i] = (uint8_t)(i * 7 + (i >> 11));
	assert_int_equal(lab_submit(lab, 0, BULK, 0x01, data, size), 0);
	assert_int_equal(lab_submit(lab, 1, BULK, 0x81, back, size), 0);
	/* One URB each: nothing is split. */
	assert_int_equal(lab->mock.n_submits, 2);
	assert_memory_equal(lab->mock.pending[0].out, data, size);
	mock_complete(&lab->mock, 0, 0, (int)size, NULL);
	mock_complete(&lab->mock, 0, 0, (int)size, data);
	lab_run(lab, &lab->n_done, 2);
	assert_int_equal(lab->transfers[0].actual, size);
	assert_int_equal(lab->transfers[1].actual, size);
	assert_memory_equal(back, data, size);
	free(data);
	free(back);
}

static void test_many(void **state)
{
	struct lab *lab = *state;
	uint8_t data[LAB_TRANSFERS][64];

	/* More than libusb reaps in one go. */
	for (unsigned int i = 0; i < LAB_TRANSFERS; i++)
		assert_int_equal(lab_submit(lab, i, BULK, 0x81, data[i], 64), 0);
	for (unsigned int i = 0; i < LAB_TRANSFERS; i++)
		mock_complete(&lab->mock, 0, 0, 64, NULL);
	lab_run(lab, &lab->n_done, LAB_TRANSFERS);
	for (unsigned int i = 0; i < LAB_TRANSFERS; i++)
		assert_ptr_equal(lab->order[i], &lab->transfers[i]);
	/* And again, out of what is spare now. */
	lab->n_done = 0;
	for (unsigned int i = 0; i < LAB_TRANSFERS; i++)
		assert_int_equal(lab_submit(lab, i, BULK, 0x81, data[i], 64), 0);
	for (unsigned int i = LAB_TRANSFERS; i-- > 0;)
		mock_complete(&lab->mock, i, 0, 64, NULL);
	lab_run(lab, &lab->n_done, LAB_TRANSFERS);
	assert_ptr_equal(lab->order[0], &lab->transfers[LAB_TRANSFERS - 1]);
}

static void resubmit(struct lab *lab, struct usb_transfer *transfer)
{
	if (lab->n_done < 20)
		assert_int_equal(lab->host->ops->submit(lab->host, transfer), 0);
}

static void test_submit_from_done(void **state)
{
	struct lab *lab = *state;
	uint8_t data[64];

	lab->on_done = resubmit;
	assert_int_equal(lab_submit(lab, 0, BULK, 0x81, data, 64), 0);
	for (unsigned int i = 1; i <= 20; i++) {
		mock_complete(&lab->mock, 0, 0, 64, NULL);
		lab_run(lab, &lab->n_done, i);
	}
	assert_int_equal(lab->mock.n_submits, 20);
}

static void test_no_memory(void **state)
{
	static const uint8_t types[] = {USB_ENDPOINT_XFER_BULK, USB_ENDPOINT_XFER_INT,
					USB_ENDPOINT_XFER_ISOC};
	struct lab *lab = *state;
	struct usb_packet packet = {.length = 64};
	uint8_t data[64] = {0};

	lab->mock.memory_limit = 63;
	for (unsigned int i = 0; i < ARRAY_SIZE(types); i++) {
		if (types[i] == USB_ENDPOINT_XFER_ISOC) {
			lab->transfers[i].packets = &packet;
			lab->transfers[i].n_packets = 1;
		}
		assert_int_equal(lab_submit(lab, i, types[i], 0x81, data, 64), -ENOMEM);
	}
	assert_int_equal(lab_control(lab, 3, 0x00, data, 64), -ENOMEM);
	lab_idle(lab);
	assert_int_equal(lab->n_done, 0);
	/* A smaller one goes. */
	assert_int_equal(lab_submit(lab, 0, BULK, 0x81, data, 63), 0);
	mock_complete(&lab->mock, 0, 0, 63, NULL);
	lab_run(lab, &lab->n_done, 1);
}

static void test_submit_errors(void **state)
{
	static const struct {
		int kernel, wanted;
	} cases[] = {{ENOENT, -EINVAL},
		     {EINVAL, -EINVAL},
		     {EPIPE, -EPIPE},
		     {EIO, -EPROTO},
		     {EBUSY, -EPROTO}};
	struct lab *lab = *state;
	uint8_t data[64];

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		lab->mock.submit_errno = cases[i].kernel;
		assert_int_equal(lab_submit(lab, 0, BULK, 0x81, data, 64), cases[i].wanted);
	}
	lab_idle(lab);
	assert_int_equal(lab->n_done, 0);
}

static void test_unsound(void **state)
{
	struct lab *lab = *state;
	struct usb_packet packets[2] = {{.length = 64}, {.length = 64}};
	static uint8_t data[64];

	assert_int_equal(lab_submit(lab, 0, BULK, 0x80, data, 64), -EINVAL);
	assert_int_equal(lab_submit(lab, 0, BULK, 0x91, data, 64), -EINVAL);
	assert_int_equal(lab_submit(lab, 0, BULK, 0x81, NULL, 64), -EINVAL);
	assert_int_equal(lab_submit(lab, 0, BULK, 0x81, data, 17u << 20), -EINVAL);
	assert_int_equal(lab_submit(lab, 0, 4, 0x81, data, 64), -EINVAL);
	assert_int_equal(lab_submit(lab, 0, USB_ENDPOINT_XFER_ISOC, 0x81, data, 64), -EINVAL);
	lab->transfers[0].packets = packets;
	lab->transfers[0].n_packets = 2;
	assert_int_equal(lab_submit(lab, 0, USB_ENDPOINT_XFER_ISOC, 0x81, data, 64), -EINVAL);
	packets[1].length = UINT32_MAX - 63;
	assert_int_equal(lab_submit(lab, 0, USB_ENDPOINT_XFER_ISOC, 0x81, data, 64), -EINVAL);
	assert_int_equal(lab_submit(lab, 0, BULK, 0x81, data, 64), -EINVAL);
	assert_int_equal(lab->mock.n_submits, 0);
}

/* --- control --- */

static void test_control(void **state)
{
	struct lab *lab = *state;
	uint8_t in[64] = {0}, out[] = {1, 2, 3, 4};

	assert_int_equal(lab_control(lab, 0, 0x80, in, sizeof(in)), 0);
	assert_memory_equal(lab->mock.pending[0].out, &lab->transfers[0].setup, 8);
	mock_complete(&lab->mock, 0, 0, 18, "eighteen bytes....");
	lab_run(lab, &lab->n_done, 1);
	assert_int_equal(lab->transfers[0].status, 0);
	assert_int_equal(lab->transfers[0].actual, 18);
	assert_memory_equal(in, "eighteen bytes....", 18);
	assert_int_equal(in[18], 0);

	assert_int_equal(lab_control(lab, 1, 0x40, out, sizeof(out)), 0);
	assert_int_equal(lab->mock.pending[0].length, 12);
	assert_memory_equal(lab->mock.pending[0].out + 8, out, 4);
	mock_complete(&lab->mock, 0, -EPIPE, 0, NULL);
	lab_run(lab, &lab->n_done, 2);
	assert_int_equal(lab->transfers[1].status, -EPIPE);
	assert_int_equal(lab->transfers[1].actual, 0);
}

static void test_control_limit(void **state)
{
	struct lab *lab = *state;
	static uint8_t data[HOST_LIBUSB_CONTROL_MAX + 1];

	assert_int_equal(lab_control(lab, 0, 0x80, data, HOST_LIBUSB_CONTROL_MAX + 1), -EINVAL);
	assert_int_equal(lab_control(lab, 0, 0x80, data, HOST_LIBUSB_CONTROL_MAX), 0);
	mock_complete(&lab->mock, 0, 0, HOST_LIBUSB_CONTROL_MAX, data);
	lab_run(lab, &lab->n_done, 1);
	/* wLength that is not the buffer's. */
	lab->transfers[1].setup = (struct usb_ctrlrequest){.bRequestType = 0x80, .wLength = 8};
	assert_int_equal(lab_submit(lab, 1, USB_ENDPOINT_XFER_CONTROL, 0, data, 9), -EINVAL);
	assert_int_equal(lab_submit(lab, 1, USB_ENDPOINT_XFER_CONTROL, 0x81, data, 8), -EINVAL);
}

static void test_control_timeout(void **state)
{
	struct lab *lab = *state;
	struct local_device *device = container_of(lab->host, struct local_device, host);
	uint8_t data[8];

	device->tuning.control_ms = 1;
	assert_int_equal(lab_control(lab, 0, 0x80, data, 8), 0);
	lab_run(lab, &lab->n_done, 1);
	assert_int_equal(lab->mock.n_discards, 1);
	assert_int_equal(lab->transfers[0].status, -EPROTO);
}

/* --- isochronous --- */

static void test_isochronous(void **state)
{
	struct lab *lab = *state;
	struct usb_packet packets[8];
	uint8_t data[8 * 192];

	for (unsigned int i = 0; i < 8; i++)
		packets[i] = (struct usb_packet){.length = 192, .status = 1};
	lab->transfers[0].packets = packets;
	lab->transfers[0].n_packets = 8;
	assert_int_equal(lab_submit(lab, 0, USB_ENDPOINT_XFER_ISOC, 0x83, data, sizeof(data)), 0);
	assert_int_equal(lab->mock.last_flags & USBDEVFS_URB_ISO_ASAP, USBDEVFS_URB_ISO_ASAP);
	mock_complete_packets(&lab->mock, 0, 5, -EXDEV);
	lab_run(lab, &lab->n_done, 1);
	assert_int_equal(lab->transfers[0].status, 0);
	assert_int_equal(lab->transfers[0].actual, 7 * 192);
	for (unsigned int i = 0; i < 8; i++) {
		assert_int_equal(packets[i].status, i == 5 ? -EPROTO : 0);
		assert_int_equal(packets[i].actual, i == 5 ? 0 : 192);
	}
	/* Fewer packets, out of the same memory; then more than one URB of usbfs holds. */
	lab->transfers[1].packets = packets;
	lab->transfers[1].n_packets = 1;
	assert_int_equal(lab_submit(lab, 1, USB_ENDPOINT_XFER_ISOC, 0x83, data, 192), 0);
	mock_complete_packets(&lab->mock, 0, -1, 0);
	lab_run(lab, &lab->n_done, 2);
	assert_int_equal(lab->transfers[1].actual, 192);
}

static void test_many_packets(void **state)
{
	struct lab *lab = *state;
	struct usb_packet packets[200];
	uint8_t data[200 * 8];

	for (unsigned int i = 0; i < 200; i++)
		packets[i] = (struct usb_packet){.length = 8};
	lab->transfers[0].packets = packets;
	lab->transfers[0].n_packets = 200;
	assert_int_equal(lab_submit(lab, 0, USB_ENDPOINT_XFER_ISOC, 0x83, data, sizeof(data)), 0);
	assert_int_equal(lab->mock.n_submits, 2);
	mock_complete_packets(&lab->mock, 0, -1, 0);
	mock_complete_packets(&lab->mock, 0, 71, -EPROTO);
	lab_run(lab, &lab->n_done, 1);
	assert_int_equal(lab->transfers[0].actual, 199 * 8);
	assert_int_equal(packets[199].status, -EPROTO);
}

/* --- cancelling --- */

static void test_cancel(void **state)
{
	struct lab *lab = *state;
	uint8_t data[64];

	assert_int_equal(lab_submit(lab, 0, BULK, 0x81, data, 64), 0);
	lab->mock.discard_actual = 16;
	lab->host->ops->cancel(lab->host, &lab->transfers[0]);
	lab->host->ops->cancel(lab->host, &lab->transfers[0]);
	assert_int_equal(lab->n_done, 0);
	assert_int_equal(lab->mock.n_discards, 1);
	lab_run(lab, &lab->n_done, 1);
	assert_int_equal(lab->transfers[0].status, -ECANCELED);
	assert_int_equal(lab->transfers[0].actual, 16);
	/* Not in flight any more: nothing. */
	lab->host->ops->cancel(lab->host, &lab->transfers[0]);
	lab_idle(lab);
	assert_int_equal(lab->n_done, 1);
}

static void test_cancel_too_late(void **state)
{
	struct lab *lab = *state;
	uint8_t data[64];

	assert_int_equal(lab_submit(lab, 0, BULK, 0x81, data, 64), 0);
	mock_complete(&lab->mock, 0, 0, 64, NULL);
	lab->host->ops->cancel(lab->host, &lab->transfers[0]);
	lab_run(lab, &lab->n_done, 1);
	assert_int_equal(lab->transfers[0].status, 0);
	assert_int_equal(lab->transfers[0].actual, 64);
}

static void cancel_other(struct lab *lab, struct usb_transfer *transfer)
{
	if (transfer == &lab->transfers[0])
		lab->host->ops->cancel(lab->host, &lab->transfers[1]);
}

static void test_cancel_from_done(void **state)
{
	struct lab *lab = *state;
	uint8_t data[2][64];

	lab->on_done = cancel_other;
	assert_int_equal(lab_submit(lab, 0, BULK, 0x81, data[0], 64), 0);
	assert_int_equal(lab_submit(lab, 1, BULK, 0x81, data[1], 64), 0);
	mock_complete(&lab->mock, 0, 0, 64, NULL);
	lab_run(lab, &lab->n_done, 2);
	assert_int_equal(lab->transfers[1].status, -ECANCELED);
}

static void test_cancel_packets(void **state)
{
	struct lab *lab = *state;
	struct usb_packet packet = {.length = 64};
	uint8_t data[64];

	lab->transfers[0].packets = &packet;
	lab->transfers[0].n_packets = 1;
	assert_int_equal(lab_submit(lab, 0, USB_ENDPOINT_XFER_ISOC, 0x83, data, 64), 0);
	lab->host->ops->cancel(lab->host, &lab->transfers[0]);
	lab_run(lab, &lab->n_done, 1);
	assert_int_equal(lab->transfers[0].status, -ECANCELED);
	assert_int_equal(lab->transfers[0].actual, 0);
}

#define TEST(name)   cmocka_unit_test_setup_teardown(name, setup_open, teardown)
#define CLOSED(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLOSED(test_open),
		cmocka_unit_test(test_speeds),
		CLOSED(test_unknown_speed),
		CLOSED(test_unconfigured),
		CLOSED(test_in_use),
		cmocka_unit_test(test_lying_descriptors),
		CLOSED(test_gone_before_open),
		CLOSED(test_plain_file),
		TEST(test_out),
		TEST(test_zero_packet),
		TEST(test_short_in),
		TEST(test_errors),
		TEST(test_megabyte),
		TEST(test_many),
		TEST(test_submit_from_done),
		TEST(test_no_memory),
		TEST(test_submit_errors),
		TEST(test_unsound),
		TEST(test_control),
		TEST(test_control_limit),
		TEST(test_control_timeout),
		TEST(test_isochronous),
		TEST(test_many_packets),
		TEST(test_cancel),
		TEST(test_cancel_too_late),
		TEST(test_cancel_from_done),
		TEST(test_cancel_packets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
