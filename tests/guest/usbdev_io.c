/* SPDX-License-Identifier: GPL-2.0-or-later */
/* usbdev_io.c - transfers of a guest's USB device that wait for their end. See usbdev.h. */
#include "usbdev_priv.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "util.h"

static void ignore(struct usbfront_urb *urb)
{
	(void)urb;
}

/* URBs of a device that is unplugged were asked back by the bus. */
static int status_of(const struct usbdev *dev, int status)
{
	return status == -ECONNRESET && dev->info.gone ? -ENODEV : status;
}

/* --- control --- */

int ud_control(struct usbdev_bus *bus, unsigned int port, uint8_t address,
	       const struct usb_ctrlrequest *setup, void *data, uint64_t deadline_ns)
{
	struct usbfront_urb *urb = &bus->urbs[0];
	int rc;

	*urb = (struct usbfront_urb){.port = (uint8_t)port,
				     .address = address,
				     .type = USB_ENDPOINT_XFER_CONTROL,
				     .setup = *setup,
				     .data = data,
				     .length = le16toh(setup->wLength),
				     .done = ignore};
	rc = usbfront_submit(bus->front, urb);
	if (rc == 0)
		rc = usbdev_finish(bus, urb, 1, deadline_ns);
	if (rc < 0)
		return rc;
	return urb->status < 0 ? urb->status : (int)urb->actual;
}

int usbdev_control(struct usbdev *dev, uint8_t request_type, uint8_t request, uint16_t value,
		   uint16_t index, void *data, uint16_t length, uint64_t deadline_ns)
{
	struct usb_ctrlrequest setup = {.bRequestType = request_type,
					.bRequest = request,
					.wValue = htole16(value),
					.wIndex = htole16(index),
					.wLength = htole16(length)};

	if (dev->info.gone)
		return -ENODEV;
	return status_of(dev, ud_control(dev->bus, dev->info.port, dev->info.address, &setup, data,
					 deadline_ns));
}

/* --- bulk and interrupt --- */

static uint16_t interval_ms(const struct usbdev *dev, const struct usbdesc_endpoint *endpoint)
{
	uint8_t exponent;

	if (endpoint->type == USB_ENDPOINT_XFER_INT && dev->info.speed != USB_SPEED_HIGH)
		return endpoint->interval ? endpoint->interval : 1;
	/* 2^(bInterval-1) frames or microframes (USB 2.0 table 9-13). */
	exponent = (uint8_t)(MAX(1, MIN(endpoint->interval, 16)) - 1);
	if (dev->info.speed == USB_SPEED_HIGH)
		exponent = exponent > 3 ? (uint8_t)(exponent - 3) : 0;
	return (uint16_t)(1u << MIN(exponent, 13));
}

void usbdev_urb_init(const struct usbdev *dev, struct usbfront_urb *urb, uint8_t endpoint,
		     void *data, uint32_t length)
{
	const struct usbdesc_endpoint *desc = usbdev_endpoint(dev, endpoint);

	*urb = (struct usbfront_urb){.port = (uint8_t)dev->info.port,
				     .address = dev->info.address,
				     .endpoint = endpoint,
				     .type = desc ? desc->type : USB_ENDPOINT_XFER_BULK,
				     .interval = desc ? interval_ms(dev, desc) : 0,
				     .data = data,
				     .length = length,
				     .done = ignore};
}

int usbdev_transfer(struct usbdev *dev, uint8_t endpoint, void *data, uint32_t length,
		    uint64_t deadline_ns)
{
	struct usbfront_urb *urb = &dev->bus->urbs[0];
	int rc;

	if (dev->info.gone)
		return -ENODEV;
	usbdev_urb_init(dev, urb, endpoint, data, length);
	rc = usbfront_submit(dev->bus->front, urb);
	if (rc == 0)
		rc = usbdev_finish(dev->bus, urb, 1, deadline_ns);
	if (rc < 0)
		return rc;
	return urb->status < 0 ? status_of(dev, urb->status) : (int)urb->actual;
}

/* --- lists --- */

struct list {
	struct usbdev_bus *bus;
	struct usbfront_urb *urbs;
	unsigned int n;
	int status; /**< of the first that failed */
};

/* When one fails, those behind it are taken back. */
static void list_done(struct usbfront_urb *urb)
{
	struct list *list = urb->ctx;

	if (urb->status == 0 || list->status)
		return;
	list->status = urb->status;
	for (unsigned int i = list->n; i > 0 && &list->urbs[i - 1] != urb; i--)
		usbfront_unlink(list->bus->front, &list->urbs[i - 1]);
}

int usbdev_pieces(struct usbdev *dev, uint8_t endpoint, void *data, const uint32_t *lengths,
		  unsigned int n, uint32_t *moved, uint64_t deadline_ns)
{
	struct list list = {dev->bus, dev->bus->urbs, n, 0};
	uint8_t *at = data;
	int rc = 0;

	*moved = 0;
	if (n > USBDEV_LIST_URBS)
		return -EINVAL;
	if (dev->info.gone)
		return -ENODEV;
	for (unsigned int i = 0; i < n; i++) {
		usbdev_urb_init(dev, &list.urbs[i], endpoint, at, lengths[i]);
		list.urbs[i].short_not_ok = endpoint & USB_DIR_IN;
		list.urbs[i].done = list_done;
		list.urbs[i].ctx = &list;
		at += lengths[i];
	}
	for (unsigned int i = 0; i < n && rc == 0; i++) {
		rc = usbfront_submit(dev->bus->front, &list.urbs[i]);
		list.n = rc == 0 ? i + 1 : i;
	}
	if (rc < 0)
		usbdev_cancel(dev->bus, list.urbs, list.n);
	else
		rc = usbdev_finish(dev->bus, list.urbs, n, deadline_ns);
	for (unsigned int i = 0; i < list.n; i++)
		*moved += list.urbs[i].actual;
	return rc < 0 ? rc : status_of(dev, list.status);
}

int usbdev_list(struct usbdev *dev, uint8_t endpoint, void *data, uint32_t length, uint32_t *moved,
		uint64_t deadline_ns)
{
	uint32_t lengths[USBDEV_LIST_URBS], bytes = dev->bus->options.urb_bytes;
	unsigned int n = 0;

	*moved = 0;
	if (length > USBDEV_LIST_URBS * bytes)
		return -EINVAL;
	for (; length > 0; length -= lengths[n++])
		lengths[n] = MIN(length, bytes);
	return usbdev_pieces(dev, endpoint, data, lengths, n, moved, deadline_ns);
}

/* --- halts --- */

int usbdev_clear_halt(struct usbdev *dev, uint8_t endpoint, uint64_t deadline_ns)
{
	return usbdev_control(dev, USB_RECIP_ENDPOINT, USB_REQ_CLEAR_FEATURE, USB_ENDPOINT_HALT,
			      endpoint, NULL, 0, deadline_ns);
}

int usbdev_set_halt(struct usbdev *dev, uint8_t endpoint, uint64_t deadline_ns)
{
	return usbdev_control(dev, USB_RECIP_ENDPOINT, USB_REQ_SET_FEATURE, USB_ENDPOINT_HALT,
			      endpoint, NULL, 0, deadline_ns);
}

int usbdev_is_halted(struct usbdev *dev, uint8_t endpoint, uint64_t deadline_ns)
{
	uint8_t status[2] = {0};
	int rc = usbdev_control(dev, USB_DIR_IN | USB_RECIP_ENDPOINT, USB_REQ_GET_STATUS, 0,
				endpoint, status, sizeof(status), deadline_ns);

	if (rc < 0)
		return rc;
	return rc == sizeof(status) ? status[0] & 1 : -EPROTO;
}
