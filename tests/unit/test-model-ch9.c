/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-model-ch9.c - standard requests of every model: what hosts and usbtest (cases 9 and 10) ask.
 */
#include "cluster/models/model_ch9.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "usb-host-lab.h"
#include "util.h"

#define DEVICE_IN    (USB_DIR_IN | USB_RECIP_DEVICE)
#define INTERFACE_IN (USB_DIR_IN | USB_RECIP_INTERFACE)
#define ENDPOINT_IN  (USB_DIR_IN | USB_RECIP_ENDPOINT)

static char disk_spec[64] = "disk,file=/tmp/xb-ch9-XXXXXX";
static const char *const specs[] = {
	"source-sink", "source-sink,speed=full", "serial", "keyboard", "tablet", disk_spec};

static int make_disk(void **state)
{
	int fd = mkstemp(strchr(disk_spec, '/'));

	assert_true(fd >= 0 && !ftruncate(fd, 1 << 20));
	close(fd);
	return 0;
}

static int remove_disk(void **state)
{
	return unlink(strchr(disk_spec, '/'));
}

static int descriptor(struct usb_lab *lab, uint8_t type, uint8_t index, void *data, uint16_t length)
{
	return lab_control(lab, DEVICE_IN, USB_REQ_GET_DESCRIPTOR, (uint16_t)(type << 8 | index), 0,
			   data, length);
}

/* A configuration whose lengths, counts and endpoints agree with each other. */
static void check_config(const uint8_t *config, size_t n, bool high_speed)
{
	unsigned int n_endpoints = 0, n_interfaces = 0;
	size_t at;

	assert_int_equal(config[0], 9);
	assert_int_equal(config[2] | config[3] << 8, n);
	assert_int_equal(config[7] & 0x9f, 0x80);
	for (at = 9; at < n; at += config[at]) {
		const uint8_t *d = config + at;

		assert_true(d[0] >= 2);
		if (d[1] == USB_DT_INTERFACE) {
			assert_int_equal(n_endpoints, 0);
			n_endpoints = d[4];
			n_interfaces = MAX(n_interfaces, d[2] + 1u);
		} else if (d[1] == USB_DT_ENDPOINT) {
			unsigned int packet = d[4] | d[5] << 8, type = d[3] & 3;

			assert_true(n_endpoints-- > 0);
			if (type == USB_ENDPOINT_XFER_BULK)
				assert_int_equal(packet, high_speed ? 512 : 64);
			else
				assert_true(d[6] >= 1 && (high_speed ? d[6] <= 16 : true));
			assert_true(packet <= (high_speed ? 1024 : 1023));
		}
	}
	assert_int_equal(at, n);
	assert_int_equal(n_endpoints, 0);
	assert_int_equal(n_interfaces, config[4]);
}

static void test_descriptors(void **state)
{
	for (size_t s = 0; s < ARRAY_SIZE(specs); s++) {
		uint8_t device[64], config[1024], other[1024], qualifier[10];
		struct usb_lab lab;
		bool high;
		int n;

		lab_open(&lab, specs[s]);
		high = lab.host->speed == USB_SPEED_HIGH;
		assert_int_equal(descriptor(&lab, USB_DT_DEVICE, 0, device, 64), 18);
		n = descriptor(&lab, USB_DT_CONFIG, 0, config, sizeof(config));
		assert_true(n > 18 && n < 960); /* short for usbtest's reads */
		check_config(config, (size_t)n, high);
		/* What the seam shows is the same. */
		assert_int_equal(lab.host->n_descriptors, 18 + n);
		assert_memory_equal(lab.host->descriptors, device, 18);
		assert_memory_equal(lab.host->descriptors + 18, config, n);
		assert_int_equal(descriptor(&lab, USB_DT_CONFIG, 0, config, 9), 9);
		assert_int_equal(descriptor(&lab, USB_DT_CONFIG, 0, config, 18), 18);
		assert_int_equal(descriptor(&lab, USB_DT_DEVICE, 0, NULL, 0), 0);
		/* The other speed. */
		assert_int_equal(descriptor(&lab, USB_DT_DEVICE_QUALIFIER, 0, qualifier, 10),
				 high ? 10 : -EPIPE);
		assert_int_equal(
			descriptor(&lab, USB_DT_OTHER_SPEED_CONFIG, 0, other, sizeof(other)),
			high ? n : -EPIPE);
		if (high)
			check_config(other, (size_t)n, false);
		/* What there is not: BOS, a second configuration, descriptors by themselves. */
		assert_int_equal(descriptor(&lab, USB_DT_BOS, 0, config, 5), -EPIPE);
		assert_int_equal(descriptor(&lab, USB_DT_CONFIG, 1, config, 9), -EPIPE);
		assert_int_equal(descriptor(&lab, USB_DT_INTERFACE, 0, config, 9), -EPIPE);
		assert_int_equal(descriptor(&lab, USB_DT_ENDPOINT, 0, config, 9), -EPIPE);
		lab_close(&lab);
	}
}

static void test_strings(void **state)
{
	for (size_t s = 0; s < ARRAY_SIZE(specs); s++) {
		uint8_t device[18], string[256];
		struct usb_lab lab;

		lab_open(&lab, specs[s]);
		assert_int_equal(descriptor(&lab, USB_DT_STRING, 0, string, 255), 4);
		assert_memory_equal(string, "\4\3\x09\x04", 4);
		descriptor(&lab, USB_DT_DEVICE, 0, device, 18);
		for (int i = 14; i <= 16; i++) {
			int n = device[i] ? descriptor(&lab, USB_DT_STRING, device[i], string, 255)
					  : 0;

			assert_int_equal(n, device[i] ? string[0] : 0);
			assert_true(i == 16 || n > 2); /* a serial number is not for everybody */
		}
		assert_int_equal(descriptor(&lab, USB_DT_STRING, 200, string, 255), -EPIPE);
		lab_close(&lab);
	}
}

static void test_status_and_configuration(void **state)
{
	for (size_t s = 0; s < ARRAY_SIZE(specs); s++) {
		uint8_t data[2] = {9, 9};
		struct usb_lab lab;

		lab_open(&lab, specs[s]);
		assert_int_equal(lab_control(&lab, DEVICE_IN, USB_REQ_GET_STATUS, 0, 0, data, 2),
				 2);
		assert_int_equal(data[0] | data[1], 0);
		assert_int_equal(lab_control(&lab, INTERFACE_IN, USB_REQ_GET_STATUS, 0, 0, data, 2),
				 2);
		assert_int_equal(lab_control(&lab, INTERFACE_IN, USB_REQ_GET_STATUS, 0, 9, data, 2),
				 -EPIPE);
		assert_int_equal(lab_control(&lab, ENDPOINT_IN, USB_REQ_GET_STATUS, 0, 0, data, 2),
				 2);
		assert_int_equal(
			lab_control(&lab, ENDPOINT_IN, USB_REQ_GET_STATUS, 0, 0x8f, data, 2),
			-EPIPE);
		assert_int_equal(
			lab_control(&lab, DEVICE_IN, USB_REQ_GET_CONFIGURATION, 0, 0, data, 1), 1);
		assert_int_equal(data[0], 1);
		/* Endpoint 0 never halts, but clearing it is no error. */
		assert_int_equal(
			lab_control(&lab, USB_RECIP_ENDPOINT, USB_REQ_SET_FEATURE, 0, 0, NULL, 0),
			-EPIPE);
		assert_int_equal(
			lab_control(&lab, USB_RECIP_ENDPOINT, USB_REQ_CLEAR_FEATURE, 0, 0, NULL, 0),
			0);
		assert_int_equal(lab_clear_halt(&lab, 0), 0);
		assert_int_equal(lab_clear_halt(&lab, 0x8f), -EPIPE);
		assert_int_equal(lab_control(&lab, USB_RECIP_DEVICE, USB_REQ_SET_FEATURE,
					     USB_DEVICE_REMOTE_WAKEUP, 0, NULL, 0),
				 -EPIPE);
		assert_int_equal(
			lab_control(&lab, USB_RECIP_DEVICE, USB_REQ_SYNCH_FRAME, 0, 0, NULL, 0),
			-EPIPE);
		/* Without a configuration there are no endpoints and no interfaces. */
		assert_int_equal(lab_change(&lab, USB_CHANGE_CONFIGURATION, 2, 0, 0), -EPIPE);
		assert_int_equal(lab_change(&lab, USB_CHANGE_CONFIGURATION, 0, 0, 0), 0);
		assert_int_equal(
			lab_control(&lab, DEVICE_IN, USB_REQ_GET_CONFIGURATION, 0, 0, data, 1), 1);
		assert_int_equal(data[0], 0);
		assert_int_equal(lab_control(&lab, INTERFACE_IN, USB_REQ_GET_STATUS, 0, 0, data, 2),
				 -EPIPE);
		assert_int_equal(lab_bulk(&lab, 0x81, data, 0), -EINVAL);
		assert_int_equal(lab_change(&lab, USB_CHANGE_INTERFACE, 0, 0, 0), -EPIPE);
		lab_close(&lab);
	}
}

static void test_interfaces(void **state)
{
	struct usb_lab lab;
	uint8_t alt = 9;

	lab_open(&lab, "source-sink");
	for (uint8_t i = 0; i < 4; i++) {
		assert_int_equal(lab_change(&lab, USB_CHANGE_INTERFACE, i % 2, 0, 0), 0);
		assert_int_equal(
			lab_control(&lab, INTERFACE_IN, USB_REQ_GET_INTERFACE, 0, 0, &alt, 1), 1);
		assert_int_equal(alt, i % 2);
	}
	assert_int_equal(lab_change(&lab, USB_CHANGE_INTERFACE, 2, 0, 0), -EPIPE);
	assert_int_equal(lab_change(&lab, USB_CHANGE_INTERFACE, 0, 1, 0), -EPIPE);
	/* The same requests as plain control transfers. */
	assert_int_equal(
		lab_control(&lab, USB_RECIP_INTERFACE, USB_REQ_SET_INTERFACE, 0, 0, NULL, 0), 0);
	assert_int_equal(
		lab_control(&lab, USB_RECIP_INTERFACE, USB_REQ_SET_INTERFACE, 0, 256, NULL, 0),
		-EPIPE);
	assert_int_equal(
		lab_control(&lab, USB_RECIP_DEVICE, USB_REQ_SET_CONFIGURATION, 1, 0, NULL, 0), 0);
	assert_int_equal(
		lab_control(&lab, USB_RECIP_DEVICE, USB_REQ_SET_CONFIGURATION, 257, 0, NULL, 0),
		-EPIPE);
	assert_int_equal(lab_control(&lab, USB_RECIP_DEVICE, USB_REQ_SET_ADDRESS, 127, 0, NULL, 0),
			 0);
	assert_int_equal(lab_control(&lab, USB_RECIP_DEVICE, USB_REQ_SET_ADDRESS, 128, 0, NULL, 0),
			 -EPIPE);
	lab_close(&lab);
}

static void soft_done(struct usb_change *change)
{
	*(bool *)change->owner = true;
}

/* Halts end with the setting, the configuration and a reset; a soft clear leaves the device alone.
 */
static void test_halts_end(void **state)
{
	static const enum usb_change_kind kinds[] = {USB_CHANGE_INTERFACE, USB_CHANGE_CONFIGURATION,
						     USB_CHANGE_RESET};
	bool done = false;
	struct usb_change soft = {.kind = USB_CHANGE_CLEAR_HALT,
				  .endpoint = 0x81,
				  .soft = true,
				  .done = soft_done,
				  .owner = &done};
	uint8_t data[512] = {0};
	struct usb_lab lab;

	lab_open(&lab, "source-sink");
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		uint8_t value = kinds[i] == USB_CHANGE_CONFIGURATION;

		lab_control(&lab, USB_RECIP_ENDPOINT, USB_REQ_SET_FEATURE, 0, 0x81, NULL, 0);
		assert_int_equal(lab_bulk(&lab, 0x81, data, 512), -EPIPE);
		assert_int_equal(lab_change(&lab, kinds[i], value, 0, 0), 0);
		assert_int_equal(lab_bulk(&lab, 0x81, data, 512), 512);
	}
	lab_control(&lab, USB_RECIP_ENDPOINT, USB_REQ_SET_FEATURE, 0, 0x81, NULL, 0);
	assert_int_equal(lab.host->ops->change(lab.host, &soft), 0);
	assert_int_equal(lab.host->ops->change(lab.host, &soft), -EBUSY); /* one at a time */
	lab_settle(&lab);
	assert_true(done);
	assert_int_equal(soft.status, 0);
	assert_int_equal(lab_bulk(&lab, 0x81, data, 512), -EPIPE);
	lab_close(&lab);
}

/* Control transfers are answered in order; a stall is over with the next one. usbtest case 10. */
static void test_control_queue(void **state)
{
	static const struct {
		struct usb_ctrlrequest setup;
		int result;
	} cases[] = {
		{{DEVICE_IN, USB_REQ_GET_DESCRIPTOR, 0x0100, 0, 18}, 18},
		{{DEVICE_IN, USB_REQ_GET_DESCRIPTOR, 0x0400, 0, 9}, -EPIPE},
		{{USB_RECIP_ENDPOINT, USB_REQ_CLEAR_FEATURE, 0, 0, 0}, 0},
		{{ENDPOINT_IN, USB_REQ_GET_STATUS, 0, 0, 2}, 2},
		{{DEVICE_IN, USB_REQ_GET_DESCRIPTOR, 0x0500, 0, 9}, -EPIPE},
		{{DEVICE_IN, USB_REQ_GET_DESCRIPTOR, 0x0300, 0, 9}, 4},
		{{DEVICE_IN, USB_REQ_GET_DESCRIPTOR, 0x0100, 0, 64}, 18},
	};
	struct lab_urb urbs[ARRAY_SIZE(cases)];
	uint8_t data[ARRAY_SIZE(cases)][64];
	struct usb_lab lab;

	lab_open(&lab, "source-sink");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		memset(&urbs[i], 0, sizeof(urbs[i]));
		urbs[i].transfer.setup = cases[i].setup;
		urbs[i].transfer.data = data[i];
		urbs[i].transfer.length = cases[i].setup.wLength;
		assert_int_equal(lab_submit(&lab, &urbs[i]), 0);
	}
	lab_settle(&lab);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct usb_transfer *transfer = &urbs[i].transfer;

		assert_int_equal(urbs[i].order, i + 1);
		assert_int_equal(transfer->status ? transfer->status : (int)transfer->actual,
				 cases[i].result);
	}
	urbs[0].transfer.length = 17; /* not what the setup says */
	assert_int_equal(lab_submit(&lab, &urbs[0]), -EINVAL);
	lab_close(&lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_status_and_configuration),
		cmocka_unit_test(test_interfaces),
		cmocka_unit_test(test_halts_end),
		cmocka_unit_test(test_control_queue),
	};

	return cmocka_run_group_tests(tests, make_disk, remove_disk);
}
