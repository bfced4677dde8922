/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz-usb-control.c - control requests of a guest to one port, in any order: what they are taken
 * for, and what becomes of the port.
 *
 * Input: flags (quirks, speed), then requests of 10 bytes: address (255: the port's own), what
 * happens (another port has the address; the change fails; length of the reply), setup packet.
 */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "usbback/port.h"
#include "util.h"

#define REQUEST_BYTES 10u

static void check(bool good)
{
	if (!good)
		abort();
}

static void check_refusal(const struct port_decision *d)
{
	check(d->status < 0 && d->why && *d->why);
}

static void check_change(const struct usb_change *c, const struct quirks *quirks)
{
	switch (c->kind) {
	case USB_CHANGE_CONFIGURATION:
		break;
	case USB_CHANGE_INTERFACE:
		check(c->interface < USB_INTERFACES_MAX);
		break;
	case USB_CHANGE_CLEAR_HALT:
		check((c->endpoint & 0x70) == 0 && c->endpoint & 15);
		check(c->soft == quirks->clear_halt_host);
		break;
	case USB_CHANGE_RESET:
		check(quirks->reset == QUIRK_RESET_INFER);
		break;
	}
}

/* The reply is patched in its own bytes only. */
static void reply(enum usb_device_speed speed, const struct usb_ctrlrequest *setup, uint8_t length)
{
	uint8_t *bytes = xb_calloc(1, length ? length : 1u);

	port_patch_reply(speed, setup, bytes, length);
	for (uint32_t i = 0; i < length; i++)
		check(bytes[i] == 0 || (i == 7 && bytes[i] == 64));
	free(bytes);
}

static void one(struct port_view *view, const struct quirks *quirks, enum usb_device_speed speed,
		const uint8_t *data)
{
	uint8_t address = data[0] == 255 ? view->address : data[0] & PORT_ADDRESS_MAX;
	struct port_view before = *view;
	struct usb_ctrlrequest setup;
	struct port_decision d;
	bool again = false;

	memcpy(&setup, data + 2, sizeof(setup));
	do {
		port_control(view, &setup, address, data[1] & 1, quirks, &d);
		check(view->address <= PORT_ADDRESS_MAX && view->speed == before.speed);
		switch (d.action) {
		case PORT_ACTION_FORWARD:
			reply(speed, &setup, data[1]);
			break;
		case PORT_ACTION_ANSWER:
			check(setup.bRequest == USB_REQ_SET_ADDRESS && !(data[1] & 1));
			check(view->address == le16toh(setup.wValue));
			break;
		case PORT_ACTION_REFUSE:
			check_refusal(&d);
			break;
		case PORT_ACTION_RESET:
			check(!again && address == 0 && view->address == 0); /* once */
			again = true;
			check_change(&d.change, quirks);
			continue;
		case PORT_ACTION_CHANGE:
			check_change(&d.change, quirks);
			if (!(data[1] & 2))
				port_changed(view, &d.change);
			break;
		}
		again = false;
	} while (again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct port_view view = {.speed = 3};
	struct quirks quirks = {0};
	enum usb_device_speed speed;

	if (size < 1)
		return 0;
	quirks.reset = data[0] & 1 ? QUIRK_RESET_NEVER : QUIRK_RESET_INFER;
	quirks.clear_halt_host = data[0] & 2;
	speed = data[0] & 4 ? USB_SPEED_SUPER : USB_SPEED_HIGH;
	for (data++, size--; size >= REQUEST_BYTES; data += REQUEST_BYTES, size -= REQUEST_BYTES)
		one(&view, &quirks, speed, data);
	return 0;
}
