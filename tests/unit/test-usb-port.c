/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-usb-port.c - what control requests mean for a port. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <endian.h>
#include <errno.h>
#include <xen/io/usbif.h>

#include "usbback/port.h"
#include "util.h"

#define OUT  USB_DIR_OUT
#define IN   USB_DIR_IN
#define FACE USB_RECIP_INTERFACE
#define ENDP USB_RECIP_ENDPOINT

static struct port_view view;
static struct quirks quirks;
static bool taken;
static struct port_decision d;

static int setup(void **state)
{
	memset(&view, 0, sizeof(view));
	memset(&quirks, 0, sizeof(quirks));
	taken = false;
	return 0;
}

static enum port_action ask(uint8_t address, uint8_t type, uint8_t request, uint16_t value,
			    uint16_t index)
{
	struct usb_ctrlrequest r = {.bRequestType = type,
				    .bRequest = request,
				    .wValue = htole16(value),
				    .wIndex = htole16(index)};

	memset(&d, 0x55, sizeof(d));
	port_control(&view, &r, address, taken, &quirks, &d);
	if (d.action == PORT_ACTION_REFUSE) {
		assert_true(d.status < 0);
		assert_true(d.why && *d.why);
	}
	return d.action;
}

static enum port_action get_descriptor(uint8_t address)
{
	return ask(address, IN, USB_REQ_GET_DESCRIPTOR, USB_DT_DEVICE << 8, 0);
}

static enum port_action set_address(uint8_t address, uint16_t value)
{
	return ask(address, OUT, USB_REQ_SET_ADDRESS, value, 0);
}

/* A device that the guest has set up: address 5, configuration 1, a setting. */
static void used(void)
{
	assert_int_equal(set_address(0, 5), PORT_ACTION_ANSWER);
	view.configuration = 1;
	view.alternates[2] = 3;
}

static void test_enumeration(void **state)
{
	assert_int_equal(get_descriptor(0), PORT_ACTION_FORWARD);
	assert_int_equal(view.address, 0);
	assert_int_equal(set_address(0, 5), PORT_ACTION_ANSWER);
	assert_int_equal(view.address, 5);
	assert_int_equal(get_descriptor(5), PORT_ACTION_FORWARD);
	assert_int_equal(ask(5, OUT, USB_REQ_SET_CONFIGURATION, 1, 0), PORT_ACTION_CHANGE);
	assert_int_equal(d.change.kind, USB_CHANGE_CONFIGURATION);
	assert_int_equal(d.change.value, 1);
	assert_int_equal(view.configuration, 0); /* once it is done */
	port_changed(&view, &d.change);
	assert_int_equal(view.configuration, 1);
	assert_int_equal(ask(5, OUT | FACE, USB_REQ_SET_INTERFACE, 4, 2), PORT_ACTION_CHANGE);
	assert_int_equal(d.change.kind, USB_CHANGE_INTERFACE);
	assert_int_equal(d.change.interface, 2);
	assert_int_equal(d.change.value, 4);
	port_changed(&view, &d.change);
	assert_int_equal(view.alternates[2], 4);
	/* A configuration begins with every setting at 0. */
	assert_int_equal(ask(5, OUT, USB_REQ_SET_CONFIGURATION, 0, 0), PORT_ACTION_CHANGE);
	assert_int_equal(d.change.value, 0);
	port_changed(&view, &d.change);
	assert_int_equal(view.configuration, 0);
	assert_int_equal(view.alternates[2], 0);
}

static void test_addresses(void **state)
{
	for (unsigned int i = 1; i <= PORT_ADDRESS_MAX; i++) {
		setup(NULL);
		assert_int_equal(set_address(0, (uint16_t)i), PORT_ACTION_ANSWER);
		assert_int_equal(view.address, i);
	}
	setup(NULL);
	for (unsigned int i = 128; i <= 65535; i += i < 300 ? 1 : 997) {
		assert_int_equal(set_address(0, (uint16_t)i), PORT_ACTION_REFUSE);
		assert_int_equal(d.status, -EINVAL);
		assert_int_equal(view.address, 0);
	}
	taken = true;
	assert_int_equal(set_address(0, 5), PORT_ACTION_REFUSE);
	assert_int_equal(d.status, -EINVAL);
	assert_int_equal(view.address, 0);
	taken = false;
	used();
	assert_int_equal(set_address(5, 6), PORT_ACTION_ANSWER); /* a new one, without a reset */
	assert_int_equal(view.address, 6);
	assert_int_equal(view.configuration, 1);
	assert_int_equal(set_address(6, 128), PORT_ACTION_REFUSE);
	assert_int_equal(view.address, 6);
	assert_int_equal(set_address(6, 0), PORT_ACTION_ANSWER); /* legal: back to the default */
	assert_int_equal(view.address, 0);
}

static void test_unknown_address(void **state)
{
	used();
	for (unsigned int i = 1; i < 128; i++) {
		if (i == 5)
			continue;
		assert_int_equal(get_descriptor((uint8_t)i), PORT_ACTION_REFUSE);
		assert_int_equal(d.status, -ENODEV);
	}
	setup(NULL); /* none has been given yet */
	assert_int_equal(get_descriptor(5), PORT_ACTION_REFUSE);
	assert_int_equal(d.status, -ENODEV);
}

/* At address 0 only what belongs to an enumeration. */
static void test_default_address(void **state)
{
	for (unsigned int type = 0; type < 256; type++) {
		for (unsigned int request = 0; request < 256; request++) {
			enum port_action action = ask(0, (uint8_t)type, (uint8_t)request, 1, 0);

			if (type == IN && request == USB_REQ_GET_DESCRIPTOR) {
				assert_int_equal(action, PORT_ACTION_FORWARD);
			} else if (type == OUT && request == USB_REQ_SET_ADDRESS) {
				assert_int_equal(action, PORT_ACTION_ANSWER);
				view.address = 0;
			} else {
				assert_int_equal(action, PORT_ACTION_REFUSE);
				assert_int_equal(d.status, -EINVAL);
			}
		}
	}
	used();
	/* What is refused is no reset either. */
	assert_int_equal(ask(0, OUT, USB_REQ_SET_CONFIGURATION, 1, 0), PORT_ACTION_REFUSE);
	assert_int_equal(view.address, 5);
}

/* An enumeration that begins again is the only sign of a reset; once each time. */
static void test_reset(void **state)
{
	used();
	assert_int_equal(get_descriptor(0), PORT_ACTION_RESET);
	assert_int_equal(d.change.kind, USB_CHANGE_RESET);
	assert_int_equal(view.address, 0);
	assert_int_equal(view.configuration, 0);
	assert_int_equal(view.alternates[2], 0);
	port_changed(&view, &d.change);
	assert_int_equal(get_descriptor(0), PORT_ACTION_FORWARD);
	assert_int_equal(get_descriptor(0), PORT_ACTION_FORWARD);
	assert_int_equal(set_address(0, 5), PORT_ACTION_ANSWER);
	assert_int_equal(set_address(0, 5), PORT_ACTION_RESET); /* again, by its first request */
	assert_int_equal(set_address(0, 5), PORT_ACTION_ANSWER);
	assert_int_equal(view.address, 5);
}

static void test_reset_never(void **state)
{
	quirks.reset = QUIRK_RESET_NEVER;
	used();
	assert_int_equal(get_descriptor(0), PORT_ACTION_FORWARD);
	assert_int_equal(view.address, 0);
	assert_int_equal(view.configuration, 0);
	used();
	assert_int_equal(set_address(0, 6), PORT_ACTION_ANSWER);
	assert_int_equal(view.address, 6);
	assert_int_equal(view.alternates[2], 0);
}

static void test_clear_halt(void **state)
{
	used();
	assert_int_equal(ask(5, OUT | ENDP, USB_REQ_CLEAR_FEATURE, USB_ENDPOINT_HALT, 0x81),
			 PORT_ACTION_CHANGE);
	assert_int_equal(d.change.kind, USB_CHANGE_CLEAR_HALT);
	assert_int_equal(d.change.endpoint, 0x81);
	assert_false(d.change.soft);
	quirks.clear_halt_host = true;
	assert_int_equal(ask(5, OUT | ENDP, USB_REQ_CLEAR_FEATURE, USB_ENDPOINT_HALT, 0xff02),
			 PORT_ACTION_CHANGE);
	assert_int_equal(d.change.endpoint, 0x02);
	assert_true(d.change.soft);
	assert_int_equal(ask(5, OUT | ENDP, USB_REQ_CLEAR_FEATURE, USB_ENDPOINT_HALT, 0xf2),
			 PORT_ACTION_CHANGE);
	assert_int_equal(d.change.endpoint, 0x82); /* without the reserved bits */
	/* Another feature, another receiver, endpoint 0: the device's business. */
	assert_int_equal(ask(5, OUT | ENDP, USB_REQ_CLEAR_FEATURE, 1, 0x81), PORT_ACTION_FORWARD);
	assert_int_equal(ask(5, OUT | ENDP, USB_REQ_CLEAR_FEATURE, USB_ENDPOINT_HALT, 0x80),
			 PORT_ACTION_FORWARD);
	assert_int_equal(ask(5, OUT, USB_REQ_CLEAR_FEATURE, 1, 0), PORT_ACTION_FORWARD);
	assert_int_equal(ask(5, OUT | ENDP, USB_REQ_SET_FEATURE, USB_ENDPOINT_HALT, 0x81),
			 PORT_ACTION_FORWARD);
}

static void test_set_interface(void **state)
{
	used();
	assert_int_equal(ask(5, OUT | FACE, USB_REQ_SET_INTERFACE, 255, 31), PORT_ACTION_CHANGE);
	assert_int_equal(ask(5, OUT | FACE, USB_REQ_SET_INTERFACE, 0, 32), PORT_ACTION_REFUSE);
	assert_int_equal(d.status, -EPIPE);
	assert_int_equal(ask(5, OUT | FACE, USB_REQ_SET_INTERFACE, 0, 65535), PORT_ACTION_REFUSE);
	assert_int_equal(ask(5, OUT | FACE, USB_REQ_SET_INTERFACE, 256, 0), PORT_ACTION_REFUSE);
	assert_int_equal(d.status, -EPIPE);
}

/* Everything but the four is the device's, class and vendor requests with the same numbers too. */
static void test_forward(void **state)
{
	unsigned int others = 0;

	used();
	for (unsigned int type = 0; type < 256; type++) {
		for (unsigned int request = 0; request < 256; request++) {
			if (ask(5, (uint8_t)type, (uint8_t)request, USB_ENDPOINT_HALT, 1) !=
			    PORT_ACTION_FORWARD)
				others++;
			view.address = 5;
		}
	}
	assert_int_equal(others, 4);
	assert_int_equal(ask(5, OUT | USB_TYPE_VENDOR, USB_REQ_SET_ADDRESS, 9, 0),
			 PORT_ACTION_FORWARD);
	assert_int_equal(ask(5, OUT | USB_TYPE_CLASS | FACE, USB_REQ_SET_INTERFACE, 9, 0),
			 PORT_ACTION_FORWARD);
	assert_int_equal(view.address, 5);
}

static void test_speed(void **state)
{
	static const struct {
		enum usb_device_speed speed;
		int v1, v2;
	} cases[] = {
		{USB_SPEED_UNKNOWN, USBIF_SPEED_FULL, USBIF_SPEED_FULL},
		{USB_SPEED_LOW, USBIF_SPEED_LOW, USBIF_SPEED_LOW},
		{USB_SPEED_FULL, USBIF_SPEED_FULL, USBIF_SPEED_FULL},
		{USB_SPEED_HIGH, -EPROTONOSUPPORT, USBIF_SPEED_HIGH},
		{USB_SPEED_WIRELESS, -EPROTONOSUPPORT, USBIF_SPEED_HIGH},
		{USB_SPEED_SUPER, -EPROTONOSUPPORT, USBIF_SPEED_HIGH},
		{USB_SPEED_SUPER_PLUS, -EPROTONOSUPPORT, USBIF_SPEED_HIGH},
		{(enum usb_device_speed)99, -EPROTONOSUPPORT, -EPROTONOSUPPORT},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(port_speed(cases[i].speed, 1), cases[i].v1);
		assert_int_equal(port_speed(cases[i].speed, 2), cases[i].v2);
	}
}

static uint8_t patched(enum usb_device_speed speed, uint8_t type, uint8_t request, uint16_t value,
		       uint32_t length)
{
	struct usb_ctrlrequest r = {
		.bRequestType = type, .bRequest = request, .wValue = htole16(value)};
	uint8_t *data = malloc(length ? length : 1), byte;

	memset(data, 9, length);
	port_patch_reply(speed, &r, data, length);
	for (uint32_t i = 0; i < length; i++)
		if (i != 7)
			assert_int_equal(data[i], 9);
	byte = length > 7 ? data[7] : 0;
	free(data);
	return byte;
}

static void test_super_speed(void **state)
{
	const uint16_t device = USB_DT_DEVICE << 8;

	assert_int_equal(patched(USB_SPEED_SUPER, IN, USB_REQ_GET_DESCRIPTOR, device, 18), 64);
	assert_int_equal(patched(USB_SPEED_SUPER_PLUS, IN, USB_REQ_GET_DESCRIPTOR, device, 8), 64);
	for (uint32_t length = 0; length < 8; length++)
		assert_int_equal(
			patched(USB_SPEED_SUPER, IN, USB_REQ_GET_DESCRIPTOR, device, length), 0);
	assert_int_equal(patched(USB_SPEED_HIGH, IN, USB_REQ_GET_DESCRIPTOR, device, 18), 9);
	assert_int_equal(
		patched(USB_SPEED_SUPER, IN, USB_REQ_GET_DESCRIPTOR, USB_DT_CONFIG << 8, 18), 9);
	assert_int_equal(patched(USB_SPEED_SUPER, IN, USB_REQ_GET_STATUS, device, 18), 9);
	assert_int_equal(
		patched(USB_SPEED_SUPER, IN | USB_TYPE_VENDOR, USB_REQ_GET_DESCRIPTOR, device, 18),
		9);
}

static void test_identity(void **state)
{
	uint8_t bytes[40] = {18, 1, 0, 2};
	uint32_t first = port_identity(bytes, sizeof(bytes));

	assert_int_equal(port_identity(bytes, sizeof(bytes)), first);
	for (size_t i = 0; i < sizeof(bytes); i++) {
		bytes[i] ^= 1;
		assert_int_not_equal(port_identity(bytes, sizeof(bytes)), first);
		bytes[i] ^= 1;
	}
	assert_int_not_equal(port_identity(bytes, sizeof(bytes) - 1), first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_enumeration, setup),
		cmocka_unit_test_setup(test_addresses, setup),
		cmocka_unit_test_setup(test_unknown_address, setup),
		cmocka_unit_test_setup(test_default_address, setup),
		cmocka_unit_test_setup(test_reset, setup),
		cmocka_unit_test_setup(test_reset_never, setup),
		cmocka_unit_test_setup(test_clear_halt, setup),
		cmocka_unit_test_setup(test_set_interface, setup),
		cmocka_unit_test_setup(test_forward, setup),
		cmocka_unit_test_setup(test_speed, setup),
		cmocka_unit_test_setup(test_super_speed, setup),
		cmocka_unit_test_setup(test_identity, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
