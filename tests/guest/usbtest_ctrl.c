/* SPDX-License-Identifier: GPL-2.0-or-later */
/* usbtest_ctrl.c - source/sink tests of endpoint 0 and of halted endpoints. See usbtest.h. */
#include "usbtest_priv.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "util.h"

/* What Linux's gadget zero does with two requests of a vendor: keep bytes, give them back. */
#define REQUEST_WRITE 0x5b
#define REQUEST_READ  0x5c
#define QUEUE_URBS    32u
#define SEED	      0x9d

/* --- case 9: standard requests --- */

static int expect(struct ut *t, int rc, int wanted, const char *what)
{
	if (rc < 0)
		return ut_fail(t, rc, "%s", what);
	return rc == wanted ? 0 : ut_fail(t, -EREMOTEIO, "%s: %d bytes of %d", what, rc, wanted);
}

static int get(struct ut *t, uint8_t recipient, uint8_t request, uint16_t value, uint16_t index,
	       uint16_t length)
{
	return usbdev_control(t->dev, (uint8_t)(USB_DIR_IN | recipient), request, value, index,
			      t->data, length, ut_deadline(t));
}

static int descriptors(struct ut *t)
{
	int rc = expect(t,
			get(t, USB_RECIP_DEVICE, USB_REQ_GET_DESCRIPTOR, USB_DT_DEVICE << 8, 0,
			    USB_DT_DEVICE_SIZE),
			USB_DT_DEVICE_SIZE, "GET_DESCRIPTOR(device)");

	if (rc == 0) /* no more than was asked for */
		rc = expect(
			t,
			get(t, USB_RECIP_DEVICE, USB_REQ_GET_DESCRIPTOR, USB_DT_DEVICE << 8, 0, 7),
			7, "GET_DESCRIPTOR(device), the first 7 bytes");
	if (rc == 0)
		rc = expect(t,
			    get(t, USB_RECIP_DEVICE, USB_REQ_GET_DESCRIPTOR, USB_DT_CONFIG << 8, 0,
				USB_DT_CONFIG_SIZE),
			    USB_DT_CONFIG_SIZE, "GET_DESCRIPTOR(configuration)");
	if (rc == 0 &&
	    (rc = get(t, USB_RECIP_DEVICE, USB_REQ_GET_DESCRIPTOR, 0x3f00, 0, 18)) != -EPIPE)
		return ut_fail(t, rc < 0 ? rc : -EILSEQ,
			       "GET_DESCRIPTOR of a type that is not there: no stall");
	return 0;
}

static int states(struct ut *t)
{
	const struct usbdesc_config *config = &usbdev_info(t->dev)->config;
	int rc = expect(t, get(t, USB_RECIP_DEVICE, USB_REQ_GET_CONFIGURATION, 0, 0, 1), 1,
			"GET_CONFIGURATION");

	if (rc == 0 && t->data[0] != config->value)
		return ut_fail(t, -EILSEQ, "GET_CONFIGURATION says %u, %u is set", t->data[0],
			       config->value);
	if (rc == 0)
		rc = expect(t, get(t, USB_RECIP_DEVICE, USB_REQ_GET_STATUS, 0, 0, 2), 2,
			    "GET_STATUS(device)");
	for (unsigned int i = 0; i < config->n_alts && rc == 0; i++) {
		uint8_t interface = config->alts[i].interface;

		if (config->alts[i].alternate != usbdev_alternate(t->dev, interface))
			continue;
		rc = expect(t, get(t, USB_RECIP_INTERFACE, USB_REQ_GET_STATUS, 0, interface, 2), 2,
			    "GET_STATUS(interface)");
		if (rc == 0 &&
		    (rc = usbdev_set_interface(t->dev, interface, config->alts[i].alternate,
					       ut_deadline(t))) < 0)
			return ut_fail(t, rc, "SET_INTERFACE(%u)", interface);
		for (unsigned int e = 0; e < config->alts[i].n_endpoints && rc == 0; e++)
			rc = expect(t,
				    get(t, USB_RECIP_ENDPOINT, USB_REQ_GET_STATUS, 0,
					config->alts[i].endpoints[e].address, 2),
				    2, "GET_STATUS(endpoint)");
	}
	return rc;
}

int ut_chapter9(struct ut *t)
{
	int rc = 0;

	for (unsigned int i = 0; i < t->options.iterations && rc == 0; i++) {
		rc = descriptors(t);
		rc = rc < 0 ? rc : states(t);
	}
	return rc;
}

/* --- case 10: a queue of control transfers, some of which stall --- */

static void ignore(struct usbfront_urb *urb)
{
	(void)urb;
}

static bool stalls(unsigned int i)
{
	return i % 5 == 2;
}

static int control_queue_once(struct ut *t)
{
	struct usbfront_urb urbs[QUEUE_URBS];
	unsigned int n = t->options.n_pieces, sent = 0;
	int rc = 0;

	for (; sent < n && rc == 0; sent++) {
		struct usb_ctrlrequest setup = {
			.bRequestType = USB_DIR_IN,
			.bRequest = USB_REQ_GET_DESCRIPTOR,
			.wValue = htole16(stalls(sent) ? 0x3f00 : USB_DT_DEVICE << 8),
			.wLength = htole16(USB_DT_DEVICE_SIZE)};

		usbdev_urb_init(t->dev, &urbs[sent], 0, t->data + (size_t)sent * 64,
				USB_DT_DEVICE_SIZE);
		urbs[sent].type = USB_ENDPOINT_XFER_CONTROL;
		urbs[sent].setup = setup;
		urbs[sent].done = ignore;
		rc = usbfront_submit(t->front, &urbs[sent]);
	}
	if (rc < 0)
		usbdev_cancel(t->bus, urbs, sent - 1);
	else
		rc = usbdev_finish(t->bus, urbs, n, ut_deadline(t));
	if (rc < 0)
		return ut_fail(t, rc, "%u control transfers at once", n);
	for (unsigned int i = 0; i < n; i++)
		if (urbs[i].status != (stalls(i) ? -EPIPE : 0))
			return ut_fail(t, -EILSEQ, "control transfer %u of %u: status %d, not %s",
				       i, n, urbs[i].status, stalls(i) ? "a stall" : "success");
	return 0;
}

int ut_control_queue(struct ut *t)
{
	int rc = 0;

	for (unsigned int i = 0; i < t->options.iterations && rc == 0; i++)
		rc = control_queue_once(t);
	return rc;
}

/* --- cases 14, 21: what was written is read back --- */

static int vendor_request(struct ut *t, bool in, uint16_t length)
{
	struct usbfront_urb urb;
	struct usb_ctrlrequest setup = {.bRequestType =
						(uint8_t)(USB_TYPE_VENDOR | (in ? USB_DIR_IN : 0)),
					.bRequest = in ? REQUEST_READ : REQUEST_WRITE,
					.wLength = htole16(length)};
	int rc;

	usbdev_urb_init(t->dev, &urb, 0, t->data, length);
	urb.type = USB_ENDPOINT_XFER_CONTROL;
	urb.setup = setup;
	urb.offset = t->offset;
	rc = usbfront_submit(t->front, &urb);
	if (rc == 0)
		rc = usbdev_finish(t->bus, &urb, 1, ut_deadline(t));
	if (rc == 0)
		rc = urb.status;
	if (rc < 0)
		return ut_fail(t, rc, "vendor request 0x%02x, %u bytes", setup.bRequest, length);
	return urb.actual == length
		       ? 0
		       : ut_fail(t, -EREMOTEIO, "vendor request 0x%02x: %u of %u bytes",
				 setup.bRequest, urb.actual, length);
}

int ut_control_out(struct ut *t)
{
	uint32_t length = t->options.vary ? t->options.vary : 509;
	int rc = 0;

	for (unsigned int i = 0; i < t->options.iterations && rc == 0; i++) {
		length = length % MIN(t->options.length, 1024u) + 1;
		for (uint32_t b = 0; b < length; b++)
			t->data[b] = (uint8_t)(i + b * 7 + SEED);
		rc = vendor_request(t, false, (uint16_t)length);
		memset(t->data, 0, length);
		if (rc == 0)
			rc = vendor_request(t, true, (uint16_t)length);
		for (uint32_t b = 0; b < length && rc == 0; b++)
			if (t->data[b] != (uint8_t)(i + b * 7 + SEED))
				rc = ut_fail(t, -EILSEQ, "byte %u of %u came back wrong", b,
					     length);
		length += t->options.vary ? t->options.vary : 509;
	}
	return rc;
}

/* --- cases 13, 29: halts, toggles --- */

static int is_halted(struct ut *t, uint8_t endpoint, int wanted)
{
	int rc = usbdev_is_halted(t->dev, endpoint, ut_deadline(t));

	if (rc < 0)
		return ut_fail(t, rc, "GET_STATUS of endpoint 0x%02x", endpoint);
	return rc == wanted ? 0
			    : ut_fail(t, -EILSEQ, "endpoint 0x%02x is%s halted", endpoint,
				      rc ? "" : " not");
}

static int halt_once(struct ut *t, const struct usbdesc_endpoint *endpoint)
{
	uint8_t address = endpoint->address;
	int rc;

	t->endpoint = endpoint;
	rc = ut_once(t, ut_length(t, t->options.length));
	if (rc == 0)
		rc = is_halted(t, address, 0);
	if (rc < 0)
		return rc;
	rc = usbdev_set_halt(t->dev, address, ut_deadline(t));
	if (rc < 0)
		return ut_fail(t, rc, "SET_FEATURE(HALT) of endpoint 0x%02x", address);
	rc = is_halted(t, address, 1);
	if (rc < 0)
		return rc;
	for (unsigned int i = 0; i < 2; i++) { /* it stays so */
		rc = usbdev_transfer(t->dev, address, t->data, endpoint->max_packet,
				     ut_deadline(t));
		if (rc != -EPIPE)
			return ut_fail(t, rc < 0 ? rc : -EILSEQ,
				       "transfer on the halted endpoint 0x%02x: no stall", address);
	}
	rc = usbdev_clear_halt(t->dev, address, ut_deadline(t));
	if (rc < 0)
		return ut_fail(t, rc, "CLEAR_FEATURE(HALT) of endpoint 0x%02x", address);
	rc = is_halted(t, address, 0);
	return rc < 0 ? rc : ut_once(t, ut_length(t, t->options.length));
}

int ut_halt(struct ut *t)
{
	int rc = 0;

	for (unsigned int i = 0; i < t->options.iterations && rc == 0; i++) {
		rc = halt_once(t, t->out);
		rc = rc < 0 ? rc : halt_once(t, t->in);
	}
	return rc;
}

int ut_toggle(struct ut *t)
{
	int rc = 0;

	for (unsigned int i = 0; i < t->options.iterations && rc == 0; i++) {
		rc = ut_once(t, t->endpoint->max_packet);
		if (rc < 0)
			return rc;
		rc = usbdev_clear_halt(t->dev, t->endpoint->address, ut_deadline(t));
		if (rc < 0)
			return ut_fail(t, rc, "CLEAR_FEATURE(HALT) of endpoint 0x%02x",
				       t->endpoint->address);
		rc = ut_once(t, t->endpoint->max_packet);
	}
	return rc;
}
