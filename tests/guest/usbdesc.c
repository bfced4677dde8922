/* SPDX-License-Identifier: GPL-2.0-or-later */
/* usbdesc.c - see usbdesc.h. */
#include "usbdesc.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cursor.h"
#include "util.h"

static int bad(char *error, size_t error_size, const char *what, unsigned int got,
	       const char *allowed)
{
	snprintf(error, error_size, "%s %u: must be %s", what, got, allowed);
	return -EINVAL;
}

/* --- device --- */

int usbdesc_parse_device(const uint8_t *data, size_t size, struct usbdesc_device *device,
			 char *error, size_t error_size)
{
	struct cursor c;
	uint8_t length, type;

	cursor_init(&c, data, size);
	length = cursor_u8(&c);
	type = cursor_u8(&c);
	if (size < USB_DT_DEVICE_SIZE || length < USB_DT_DEVICE_SIZE)
		return bad(error, error_size, "device descriptor: length",
			   size < USB_DT_DEVICE_SIZE ? (unsigned int)size : length, "18");
	if (type != USB_DT_DEVICE)
		return bad(error, error_size, "device descriptor: type", type, "1");
	device->usb = cursor_le16(&c);
	device->class = cursor_u8(&c);
	device->subclass = cursor_u8(&c);
	device->protocol = cursor_u8(&c);
	device->max_packet0 = cursor_u8(&c);
	device->vid = cursor_le16(&c);
	device->pid = cursor_le16(&c);
	device->release = cursor_le16(&c);
	device->manufacturer = cursor_u8(&c);
	device->product = cursor_u8(&c);
	device->serial = cursor_u8(&c);
	device->n_configs = cursor_u8(&c);
	if (device->max_packet0 != 8 && device->max_packet0 != 16 && device->max_packet0 != 32 &&
	    device->max_packet0 != 64)
		return bad(error, error_size, "device descriptor: bMaxPacketSize0",
			   device->max_packet0, "8, 16, 32 or 64");
	return 0;
}

/* --- configuration --- */

static int take_config(struct cursor *c, struct usbdesc_config *config, char *error,
		       size_t error_size)
{
	uint8_t attributes;

	if (cursor_left(c) < USB_DT_CONFIG_SIZE - 2)
		return bad(error, error_size, "configuration descriptor: length",
			   (unsigned int)cursor_left(c) + 2, "9");
	cursor_le16(c); /* wTotalLength: the caller knows what there is */
	config->n_interfaces = cursor_u8(c);
	config->value = cursor_u8(c);
	cursor_u8(c);
	attributes = cursor_u8(c);
	config->max_power_ma = (uint16_t)(cursor_u8(c) * 2);
	config->self_powered = attributes & USB_CONFIG_ATT_SELFPOWER;
	return 0;
}

static int take_alt(struct cursor *c, struct usbdesc_config *config, char *error, size_t error_size)
{
	struct usbdesc_alt *alt = &config->alts[config->n_alts];

	if (cursor_left(c) < USB_DT_INTERFACE_SIZE - 2)
		return bad(error, error_size, "interface descriptor: length",
			   (unsigned int)cursor_left(c) + 2, "9");
	if (config->n_alts == USBDESC_ALTS)
		return bad(error, error_size, "alternate settings", config->n_alts + 1,
			   "at most 64");
	memset(alt, 0, sizeof(*alt));
	alt->interface = cursor_u8(c);
	alt->alternate = cursor_u8(c);
	cursor_u8(c); /* bNumEndpoints: those that come are counted */
	alt->class = cursor_u8(c);
	alt->subclass = cursor_u8(c);
	alt->protocol = cursor_u8(c);
	if (usbdesc_alt(config, alt->interface, alt->alternate))
		return bad(error, error_size, "alternate setting", alt->alternate,
			   "there once an interface");
	config->n_alts++;
	return 0;
}

static int take_endpoint(struct cursor *c, struct usbdesc_config *config, char *error,
			 size_t error_size)
{
	struct usbdesc_endpoint *endpoint;
	struct usbdesc_alt *alt;
	uint16_t max_packet;

	if (config->n_alts == 0)
		return bad(error, error_size, "endpoint descriptors before an interface", 1,
			   "behind one");
	if (cursor_left(c) < USB_DT_ENDPOINT_SIZE - 2)
		return bad(error, error_size, "endpoint descriptor: length",
			   (unsigned int)cursor_left(c) + 2, "7");
	alt = &config->alts[config->n_alts - 1];
	if (alt->n_endpoints == USBDESC_ENDPOINTS)
		return bad(error, error_size, "endpoints", alt->n_endpoints + 1u, "at most 30");
	endpoint = &alt->endpoints[alt->n_endpoints];
	endpoint->address = cursor_u8(c) & (USB_DIR_IN | USB_ENDPOINT_NUMBER_MASK);
	endpoint->type = cursor_u8(c) & USB_ENDPOINT_XFERTYPE_MASK;
	max_packet = cursor_le16(c);
	endpoint->max_packet = max_packet & 0x7ff;
	endpoint->per_frame = (uint8_t)(1 + (max_packet >> 11 & 3));
	endpoint->interval = cursor_u8(c);
	if ((endpoint->address & USB_ENDPOINT_NUMBER_MASK) == 0)
		return bad(error, error_size, "endpoint number", 0, "1 to 15");
	if (endpoint->max_packet == 0 && endpoint->type != USB_ENDPOINT_XFER_ISOC)
		return bad(error, error_size, "wMaxPacketSize", 0, "1 to 1024");
	if (endpoint->per_frame > 3)
		return bad(error, error_size, "packets in a microframe", 4, "1 to 3");
	alt->n_endpoints++;
	return 0;
}

int usbdesc_parse_config(const uint8_t *data, size_t size, struct usbdesc_config *config,
			 char *error, size_t error_size)
{
	struct cursor all;
	bool first = true;
	int rc = 0;

	memset(config, 0, offsetof(struct usbdesc_config, alts));
	cursor_init(&all, data, size);
	while (rc == 0 && cursor_left(&all) > 0) {
		uint8_t length = cursor_u8(&all), type = cursor_u8(&all);
		const uint8_t *body;
		struct cursor c;

		body = length >= 2 ? cursor_skip(&all, length - 2u) : NULL;
		if (all.failed || !body)
			return bad(error, error_size, "descriptor length", length,
				   "2 or more, and not beyond the configuration");
		cursor_init(&c, body, length - 2u);
		if (first != (type == USB_DT_CONFIG))
			return bad(error, error_size, "descriptor type", type,
				   first ? "2 in the first place" : "2 in the first place only");
		first = false;
		if (type == USB_DT_CONFIG)
			rc = take_config(&c, config, error, error_size);
		else if (type == USB_DT_INTERFACE)
			rc = take_alt(&c, config, error, error_size);
		else if (type == USB_DT_ENDPOINT)
			rc = take_endpoint(&c, config, error, error_size);
	}
	return rc == 0 && first ? bad(error, error_size, "configuration: bytes", 0, "9 or more")
				: rc;
}

/* --- strings --- */

static size_t put_utf8(char *out, uint16_t unit)
{
	if (unit < 0x20 || unit == 0x7f || (unit >= 0xd800 && unit < 0xe000))
		unit = '?';
	if (unit < 0x80) {
		out[0] = (char)unit;
		return 1;
	}
	if (unit < 0x800) {
		out[0] = (char)(0xc0 | unit >> 6);
		out[1] = (char)(0x80 | (unit & 0x3f));
		return 2;
	}
	out[0] = (char)(0xe0 | unit >> 12);
	out[1] = (char)(0x80 | (unit >> 6 & 0x3f));
	out[2] = (char)(0x80 | (unit & 0x3f));
	return 3;
}

int usbdesc_parse_string(const uint8_t *data, size_t size, char *text, size_t text_size)
{
	struct cursor c;
	size_t at = 0, n;
	uint8_t length;

	cursor_init(&c, data, size);
	length = cursor_u8(&c);
	if (cursor_u8(&c) != USB_DT_STRING || c.failed || length < 2 || length > size)
		return -EINVAL;
	for (n = (length - 2u) / 2; n > 0 && at + 4 <= text_size; n--)
		at += put_utf8(text + at, cursor_le16(&c));
	text[at] = '\0';
	return 0;
}

/* --- looking things up --- */

const struct usbdesc_alt *usbdesc_alt(const struct usbdesc_config *config, uint8_t interface,
				      uint8_t alternate)
{
	for (unsigned int i = 0; i < config->n_alts; i++)
		if (config->alts[i].interface == interface &&
		    config->alts[i].alternate == alternate)
			return &config->alts[i];
	return NULL;
}

const struct usbdesc_endpoint *usbdesc_find(const struct usbdesc_alt *alt, uint8_t type,
					    uint8_t direction)
{
	for (unsigned int i = 0; i < alt->n_endpoints; i++)
		if (alt->endpoints[i].type == type &&
		    (alt->endpoints[i].address & USB_DIR_IN) == direction)
			return &alt->endpoints[i];
	return NULL;
}

const char *usbdesc_class_name(uint8_t class)
{
	static const struct {
		uint8_t class;
		const char *name;
	} names[] = {
		{USB_CLASS_PER_INTERFACE, "by interface"},
		{USB_CLASS_AUDIO, "audio"},
		{USB_CLASS_COMM, "communications"},
		{USB_CLASS_HID, "human interface"},
		{USB_CLASS_PRINTER, "printer"},
		{USB_CLASS_MASS_STORAGE, "mass storage"},
		{USB_CLASS_HUB, "hub"},
		{USB_CLASS_CDC_DATA, "CDC data"},
		{USB_CLASS_VIDEO, "video"},
		{USB_CLASS_MISC, "miscellaneous"},
		{USB_CLASS_VENDOR_SPEC, "vendor specific"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].class == class)
			return names[i].name;
	return "other";
}
