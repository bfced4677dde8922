/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-usb-descriptor.c - descriptors as devices have them, and as broken devices have them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <endian.h>
#include <errno.h>

#include "usb/descriptor.h"
#include "util.h"

#define DEVICE 18, 1, 0x00, 0x02, 0, 0, 0, 64, 0x34, 0x12, 0x78, 0x56, 0x00, 0x01, 1, 2, 3, 1
#define EP(address, type, size, interval)                                                          \
	7, 5, (address), (type), (size)&0xff, (size) >> 8, (interval)
#define IF(number, alternate, n, class, subclass, protocol)                                        \
	9, 4, (number), (alternate), (n), (class), (subclass), (protocol), 0
#define CONFIG(total, n, value) 9, 2, (total)&0xff, (total) >> 8, (n), (value), 0, 0x80, 50

static const uint8_t no_alternates[USB_INTERFACES_MAX];
static struct usb_config config;

/* A heap copy of the exact size: sanitizers see a byte too far. */
static int parse(const uint8_t *bytes, size_t size, uint8_t value, const char **why)
{
	uint8_t *copy = malloc(size ? size : 1);
	int rc;

	memcpy(copy, bytes, size);
	memset(&config, 0x55, sizeof(config));
	*why = NULL;
	rc = usb_config_parse(&config, copy, size, value, why);
	free(copy);
	return rc;
}

static void refuse(const uint8_t *bytes, size_t size, uint8_t value, int rc, const char *words)
{
	const char *why;

	assert_int_equal(parse(bytes, size, value, &why), rc);
	assert_non_null(why);
	if (!strstr(why, words))
		fail_msg("\"%s\" does not say \"%s\"", why, words);
}

static void accept(const uint8_t *bytes, size_t size, uint8_t value)
{
	const char *why;

	if (parse(bytes, size, value, &why) < 0)
		fail_msg("refused: %s", why ? why : "(null)");
	assert_int_equal(config.value, value);
}

/* --- devices as they are --- */

/* A SuperSpeed disk with both protocols: companions (0x30) and pipe usage (0x24) between. */
static const uint8_t disk[] = {
	DEVICE,
	CONFIG(121, 1, 1),
	IF(0, 0, 2, 8, 6, 0x50),
	EP(0x81, 2, 1024, 0),
	6,
	0x30,
	15,
	0,
	0,
	0,
	EP(0x02, 2, 1024, 0),
	6,
	0x30,
	15,
	0,
	0,
	0,
	IF(0, 1, 4, 8, 6, 0x62),
	EP(0x81, 2, 1024, 0),
	6,
	0x30,
	15,
	4,
	0,
	0,
	4,
	0x24,
	3,
	0,
	EP(0x02, 2, 1024, 0),
	6,
	0x30,
	15,
	4,
	0,
	0,
	4,
	0x24,
	4,
	0,
	EP(0x83, 2, 1024, 0),
	6,
	0x30,
	15,
	4,
	0,
	0,
	4,
	0x24,
	2,
	0,
	EP(0x04, 2, 1024, 0),
	6,
	0x30,
	0,
	0,
	0,
	0,
	4,
	0x24,
	1,
	0,
};

static void test_disk(void **state)
{
	uint8_t alternates[USB_INTERFACES_MAX] = {1};
	const struct usb_endpoint *ep;

	accept(disk, sizeof(disk), 1);
	assert_int_equal(config.n_interfaces, 1);
	assert_int_equal(config.n_endpoints, 6);
	ep = usb_config_endpoint(&config, no_alternates, 0x81);
	assert_non_null(ep);
	assert_int_equal(ep->type, USB_ENDPOINT_XFER_BULK);
	assert_int_equal(ep->max_packet, 1024);
	assert_int_equal(ep->transactions, 1);
	assert_int_equal(ep->class, 8);
	assert_int_equal(ep->subclass, 6);
	assert_int_equal(ep->protocol, 0x50);
	assert_null(usb_config_endpoint(&config, no_alternates, 0x83));
	assert_null(usb_config_endpoint(&config, no_alternates, 0x01));
	ep = usb_config_endpoint(&config, alternates, 0x81);
	assert_non_null(ep);
	assert_int_equal(ep->alternate, 1);
	assert_int_equal(ep->protocol, 0x62);
	assert_non_null(usb_config_endpoint(&config, alternates, 0x83));
	assert_non_null(usb_config_endpoint(&config, alternates, 0x04));
	alternates[0] = 2;
	assert_null(usb_config_endpoint(&config, alternates, 0x81));
}

/* A camera: association (11), class-specific descriptors, high-bandwidth isochronous. */
static const uint8_t camera[] = {
	DEVICE,
	CONFIG(81, 2, 3),
	8,
	11,
	0,
	2,
	14,
	3,
	0,
	0,
	IF(0, 0, 1, 14, 1, 0),
	13,
	0x24,
	1,
	0,
	1,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	EP(0x83, 3, 16, 6),
	5,
	0x25,
	3,
	16,
	0,
	IF(1, 0, 0, 14, 2, 0),
	IF(1, 1, 1, 14, 2, 0),
	EP(0x81, 5, 0x1400, 1),
	5,
	0x25,
	1,
	0,
	0,
};

static void test_camera(void **state)
{
	uint8_t alternates[USB_INTERFACES_MAX] = {0, 1};
	const struct usb_endpoint *ep;

	accept(camera, sizeof(camera), 3);
	assert_int_equal(config.n_endpoints, 2);
	assert_null(usb_config_endpoint(&config, no_alternates, 0x81));
	ep = usb_config_endpoint(&config, alternates, 0x81);
	assert_non_null(ep);
	assert_int_equal(ep->type, USB_ENDPOINT_XFER_ISOC);
	assert_int_equal(ep->max_packet, 1024);
	assert_int_equal(ep->transactions, 3);
	assert_int_equal(ep->interval, 1);
	assert_int_equal(ep->interface, 1);
	ep = usb_config_endpoint(&config, alternates, 0x83);
	assert_int_equal(ep->type, USB_ENDPOINT_XFER_INT);
	assert_int_equal(ep->interval, 6);
}

static void test_several_configurations(void **state)
{
	static const uint8_t bytes[] = {
		DEVICE,
		CONFIG(25, 1, 1),
		IF(0, 0, 1, 255, 0, 0),
		EP(0x81, 2, 512, 0),
		CONFIG(25, 1, 2),
		IF(0, 0, 1, 255, 0, 0),
		EP(0x82, 3, 64, 8),
		CONFIG(9, 0, 7),
	};

	accept(bytes, sizeof(bytes), 1);
	assert_non_null(usb_config_endpoint(&config, no_alternates, 0x81));
	assert_null(usb_config_endpoint(&config, no_alternates, 0x82));
	accept(bytes, sizeof(bytes), 2);
	assert_non_null(usb_config_endpoint(&config, no_alternates, 0x82));
	accept(bytes, sizeof(bytes), 7);
	assert_int_equal(config.n_endpoints, 0);
	refuse(bytes, sizeof(bytes), 3, -ENOENT, "no such configuration");
	refuse(bytes, sizeof(bytes), 0, -ENOENT, "no such configuration");
}

static void test_device(void **state)
{
	struct usb_device_descriptor d;
	uint8_t bytes[] = {DEVICE};

	assert_int_equal(usb_device_descriptor(bytes, sizeof(bytes), &d), 0);
	assert_int_equal(le16toh(d.idVendor), 0x1234);
	assert_int_equal(le16toh(d.idProduct), 0x5678);
	for (size_t size = 0; size < sizeof(bytes); size++)
		assert_int_equal(usb_device_descriptor(bytes, size, &d), -EINVAL);
	bytes[0] = 17;
	assert_int_equal(usb_device_descriptor(bytes, sizeof(bytes), &d), -EINVAL);
	bytes[0] = 18;
	bytes[1] = 2;
	assert_int_equal(usb_device_descriptor(bytes, sizeof(bytes), &d), -EINVAL);
}

/* --- devices that lie --- */

/* Every beginning of the bytes is a device that was cut off. */
static void test_cut(void **state)
{
	const char *why;

	for (size_t size = 0; size < sizeof(disk); size++) {
		int rc = parse(disk, size, 1, &why);

		if (rc == 0)
			assert_true(config.n_endpoints <= 6);
		else
			assert_non_null(why);
	}
	refuse(disk, 0, 1, -EINVAL, "no device descriptor");
	refuse(disk, 17, 1, -EINVAL, "no device descriptor");
	refuse(disk, 18, 1, -ENOENT, "no such configuration");
}

static void test_total_length(void **state)
{
	uint8_t bytes[] = {DEVICE, CONFIG(25, 1, 1), IF(0, 0, 1, 255, 0, 0), EP(0x81, 2, 512, 0)};

	bytes[18 + 2] = bytes[18 + 3] = 0xff; /* more than there is: mended */
	accept(bytes, sizeof(bytes), 1);
	assert_int_equal(config.n_endpoints, 1);
	bytes[18 + 3] = 0;
	bytes[18 + 2] = 18; /* less: the endpoint is outside */
	accept(bytes, sizeof(bytes), 1);
	assert_int_equal(config.n_endpoints, 0);
	bytes[18 + 2] = 20; /* in the middle of it */
	refuse(bytes, sizeof(bytes), 1, -EINVAL, "leaves its configuration");
	bytes[18 + 2] = 8;
	refuse(bytes, sizeof(bytes), 1, -EINVAL, "configuration descriptor was expected");
	bytes[18 + 2] = 0;
	refuse(bytes, sizeof(bytes), 1, -EINVAL, "configuration descriptor was expected");
}

static void test_lengths(void **state)
{
	const uint8_t good[] = {DEVICE, CONFIG(255, 1, 1), IF(0, 0, 1, 255, 0, 0),
				EP(0x81, 2, 512, 0)};
	static const struct {
		size_t at;
		uint8_t length;
		const char *words;
	} bad[] = {
		{0, 255, "no device descriptor"},
		{0, 19, "configuration descriptor was expected"},
		{0, 0, "configuration descriptor was expected"},
		{18, 255, "configuration descriptor that leaves the bytes"},
		{18, 26, "configuration descriptor that leaves the bytes"},
		{18, 8, "configuration descriptor was expected"},
		{18, 0, "configuration descriptor was expected"},
		{27, 8, "interface descriptor that is too short"},
		{27, 0, "less than 2 bytes"},
		{27, 1, "less than 2 bytes"},
		{27, 17, "leaves its configuration"},
		{36, 6, "endpoint descriptor that is too short"},
		{36, 2, "endpoint descriptor that is too short"},
		{36, 8, "leaves its configuration"},
		{36, 255, "leaves its configuration"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		uint8_t bytes[sizeof(good)];

		memcpy(bytes, good, sizeof(good));
		bytes[bad[i].at] = bad[i].length;
		refuse(bytes, sizeof(bytes), 1, -EINVAL, bad[i].words);
	}
}

static void test_numbers(void **state)
{
	uint8_t bytes[] = {DEVICE,
			   CONFIG(39, 1, 1),
			   IF(0, 0, 3, 255, 0, 0),
			   EP(0x81, 2, 0, 0),	   /* packets of no bytes */
			   EP(0xf2, 0xfe, 512, 0), /* reserved bits */
			   EP(0x80, 2, 512, 0)};   /* endpoint 0 */
	const struct usb_endpoint *ep;

	accept(bytes, sizeof(bytes), 1);
	assert_int_equal(config.n_endpoints, 2);
	ep = usb_config_endpoint(&config, no_alternates, 0x81);
	assert_int_equal(ep->max_packet, 1);
	ep = usb_config_endpoint(&config, no_alternates, 0x82);
	assert_int_equal(ep->type, USB_ENDPOINT_XFER_BULK);
	assert_int_equal(ep->max_packet, 512);
	bytes[27 + 2] = 32;
	refuse(bytes, sizeof(bytes), 1, -EINVAL, "interface number above 31");
	bytes[27 + 2] = 31;
	accept(bytes, sizeof(bytes), 1);
	/* An endpoint before any interface belongs to nothing. */
	bytes[27 + 1] = 99;
	accept(bytes, sizeof(bytes), 1);
	assert_int_equal(config.n_endpoints, 0);
	bytes[27 + 1] = 4;
	bytes[27 + 9 + 5] = 0x18; /* 4 transactions a microframe: reserved */
	accept(bytes, sizeof(bytes), 1);
	assert_int_equal(usb_config_endpoint(&config, no_alternates, 0x81)->transactions, 3);
}

/* An address belongs to one interface, whatever the alternate settings: it is the one's that comes
 * first. */
static void test_shared_address(void **state)
{
	static const uint8_t bytes[] = {
		DEVICE,
		CONFIG(73, 2, 1),
		IF(0, 0, 1, 255, 0, 0),
		EP(0x81, 2, 512, 0),
		IF(1, 0, 1, 255, 0, 0),
		EP(0x82, 2, 512, 0),
		IF(1, 1, 2, 255, 0, 0),
		EP(0x81, 3, 8, 1),
		EP(0x82, 2, 512, 0),
		IF(0, 1, 0, 255, 0, 0),
	};
	uint8_t alternates[USB_INTERFACES_MAX] = {1, 1};

	accept(bytes, sizeof(bytes), 1);
	assert_int_equal(config.n_endpoints, 3);
	assert_null(usb_config_endpoint(&config, alternates, 0x81));
	assert_int_equal(usb_config_endpoint(&config, alternates, 0x82)->interface, 1);
	alternates[0] = 0;
	assert_int_equal(usb_config_endpoint(&config, alternates, 0x81)->interface, 0);
}

static void test_many_endpoints(void **state)
{
	uint8_t bytes[18 + 9 + 9 * 40 + 7 * 300] = {DEVICE, CONFIG(65535, 1, 1)};
	size_t size = 27;
	const char *why;

	for (unsigned int i = 0; i < 257; i++) {
		const uint8_t ep[] = {EP(0x81 + i % 8, 2, 512, 0)};
		const uint8_t interface[] = {IF(0, i / 8, 8, 255, 0, 0)};

		if (i % 8 == 0) {
			memcpy(bytes + size, interface, sizeof(interface));
			size += sizeof(interface);
		}
		memcpy(bytes + size, ep, sizeof(ep));
		size += sizeof(ep);
		if (i == 255)
			assert_int_equal(parse(bytes, size, 1, &why), 0);
	}
	refuse(bytes, size, 1, -EINVAL, "more than 256 endpoints");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_disk),
		cmocka_unit_test(test_camera),
		cmocka_unit_test(test_several_configurations),
		cmocka_unit_test(test_device),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_total_length),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_shared_address),
		cmocka_unit_test(test_many_endpoints),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
