/* SPDX-License-Identifier: GPL-2.0-or-later */
/* port.c - the meaning of control requests, see port.h. */
#include "port.h"

#include <endian.h>
#include <errno.h>
#include <string.h>
#include <xen/io/usbif.h>

#define REQUEST(type, request) ((type) << 8 | (request))

static void refuse(struct port_decision *d, int status, const char *why)
{
	d->action = PORT_ACTION_REFUSE;
	d->status = status;
	d->why = why;
}

static void set_address(struct port_view *view, uint16_t value, bool taken, struct port_decision *d)
{
	if (value > PORT_ADDRESS_MAX) {
		refuse(d, -EINVAL, "SET_ADDRESS above 127");
	} else if (taken) {
		refuse(d, -EINVAL, "SET_ADDRESS to the address of another port");
	} else {
		view->address = (uint8_t)value;
		d->action = PORT_ACTION_ANSWER;
	}
}

/* At address 0: enumeration. */
static void at_default(struct port_view *view, uint16_t request, uint16_t value, bool taken,
		       const struct quirks *quirks, struct port_decision *d)
{
	if (request != REQUEST(USB_DIR_OUT, USB_REQ_SET_ADDRESS) &&
	    request != REQUEST(USB_DIR_IN, USB_REQ_GET_DESCRIPTOR)) {
		refuse(d, -EINVAL, "not a request that address 0 gets while enumerating");
		return;
	}
	if (view->address) { /* it starts again: the port was reset */
		view->address = 0;
		view->configuration = 0;
		memset(view->alternates, 0, sizeof(view->alternates));
		if (quirks->reset == QUIRK_RESET_INFER) {
			d->action = PORT_ACTION_RESET;
			d->change.kind = USB_CHANGE_RESET;
			return;
		}
	}
	if (request == REQUEST(USB_DIR_OUT, USB_REQ_SET_ADDRESS))
		set_address(view, value, taken, d);
}

static void addressed(struct port_view *view, uint16_t request, uint16_t value, uint16_t index,
		      bool taken, const struct quirks *quirks, struct port_decision *d)
{
	switch (request) {
	case REQUEST(USB_DIR_OUT, USB_REQ_SET_ADDRESS):
		set_address(view, value, taken, d);
		return;
	case REQUEST(USB_DIR_OUT, USB_REQ_SET_CONFIGURATION):
		d->change.kind = USB_CHANGE_CONFIGURATION;
		d->change.value = (uint8_t)value;
		break;
	case REQUEST(USB_DIR_OUT | USB_RECIP_INTERFACE, USB_REQ_SET_INTERFACE):
		if (index >= USB_INTERFACES_MAX) {
			refuse(d, -EPIPE, "SET_INTERFACE of an interface above 31");
			return;
		}
		if (value > UINT8_MAX) {
			refuse(d, -EPIPE, "SET_INTERFACE to a setting above 255");
			return;
		}
		d->change.kind = USB_CHANGE_INTERFACE;
		d->change.interface = (uint8_t)index;
		d->change.value = (uint8_t)value;
		break;
	case REQUEST(USB_DIR_OUT | USB_RECIP_ENDPOINT, USB_REQ_CLEAR_FEATURE):
		if (value != USB_ENDPOINT_HALT || (index & USB_ENDPOINT_NUMBER_MASK) == 0)
			return;
		d->change.kind = USB_CHANGE_CLEAR_HALT;
		d->change.endpoint = index & (USB_DIR_IN | USB_ENDPOINT_NUMBER_MASK);
		d->change.soft = quirks->clear_halt_host;
		break;
	default:
		return;
	}
	d->action = PORT_ACTION_CHANGE;
}

void port_control(struct port_view *view, const struct usb_ctrlrequest *setup, uint8_t address,
		  bool address_taken, const struct quirks *quirks, struct port_decision *decision)
{
	uint16_t request = REQUEST(setup->bRequestType, setup->bRequest);

	memset(decision, 0, sizeof(*decision));
	decision->action = PORT_ACTION_FORWARD;
	if (address == 0)
		at_default(view, request, le16toh(setup->wValue), address_taken, quirks, decision);
	else if (address != view->address)
		refuse(decision, -ENODEV, "no device has this address");
	else
		addressed(view, request, le16toh(setup->wValue), le16toh(setup->wIndex),
			  address_taken, quirks, decision);
}

void port_changed(struct port_view *view, const struct usb_change *change)
{
	switch (change->kind) {
	case USB_CHANGE_CONFIGURATION:
		view->configuration = change->value;
		memset(view->alternates, 0, sizeof(view->alternates));
		break;
	case USB_CHANGE_INTERFACE:
		view->alternates[change->interface % USB_INTERFACES_MAX] = change->value;
		break;
	case USB_CHANGE_CLEAR_HALT:
	case USB_CHANGE_RESET:
		break;
	}
}

int port_speed(enum usb_device_speed speed, unsigned int usb_version)
{
	switch (speed) {
	case USB_SPEED_LOW:
		return USBIF_SPEED_LOW;
	case USB_SPEED_FULL:
	case USB_SPEED_UNKNOWN: /* what every device can do */
		return USBIF_SPEED_FULL;
	case USB_SPEED_HIGH:
	case USB_SPEED_WIRELESS:
	case USB_SPEED_SUPER:
	case USB_SPEED_SUPER_PLUS:
		return usb_version >= 2 ? USBIF_SPEED_HIGH : -EPROTONOSUPPORT;
	}
	return -EPROTONOSUPPORT;
}

uint32_t port_identity(const uint8_t *descriptors, size_t size)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ descriptors[i]) * 16777619u;
	return hash;
}

void port_patch_reply(enum usb_device_speed speed, const struct usb_ctrlrequest *setup,
		      uint8_t *data, uint32_t length)
{
	if (speed < USB_SPEED_SUPER || length < 8 ||
	    setup->bRequestType != (USB_DIR_IN | USB_TYPE_STANDARD | USB_RECIP_DEVICE) ||
	    setup->bRequest != USB_REQ_GET_DESCRIPTOR ||
	    le16toh(setup->wValue) >> 8 != USB_DT_DEVICE)
		return;
	data[7] = 64;
}
