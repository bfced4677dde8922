/* SPDX-License-Identifier: GPL-2.0-or-later */
/* model_desc.c - descriptors, put together and looked up, see model_desc.h. */
#include "model_desc.h"

#include <assert.h>
#include <string.h>

#include "util.h"

/* Offsets in descriptors (USB 2.0, tables 9-8, 9-10, 9-12, 9-13). */
#define DEVICE_CLASS	    4
#define CONFIG_TOTAL_LENGTH 2
#define CONFIG_INTERFACES   4
#define INTERFACE_NUMBER    2
#define INTERFACE_ALT	    3
#define INTERFACE_ENDPOINTS 4
#define ENDPOINT_ADDRESS    2
#define ENDPOINT_ATTRIBUTES 3
#define ENDPOINT_PACKET	    4
#define ENDPOINT_INTERVAL   6

#define MICROFRAME_NS 125000ull
#define FRAME_NS      1000000ull

/* English (United States). */
#define LANGUAGE 0x0409

static void append(struct model_desc *desc, const uint8_t *bytes, size_t n)
{
	size_t total;

	assert(desc->n + n <= sizeof(desc->bytes));
	memcpy(desc->bytes + desc->n, bytes, n);
	desc->n += n;
	if (desc->n < USB_DT_DEVICE_SIZE + USB_DT_CONFIG_SIZE)
		return;
	total = desc->n - USB_DT_DEVICE_SIZE;
	desc->bytes[USB_DT_DEVICE_SIZE + CONFIG_TOTAL_LENGTH] = (uint8_t)total;
	desc->bytes[USB_DT_DEVICE_SIZE + CONFIG_TOTAL_LENGTH + 1] = (uint8_t)(total >> 8);
}

/* Keeps a string; its number, 0 for none. */
static uint8_t add_string(struct model_desc *desc, const char *text)
{
	if (!text || !*text)
		return 0;
	assert(desc->n_strings < MODEL_DESC_STRINGS && strlen(text) < MODEL_DESC_STRING_MAX);
	strcpy(desc->strings[desc->n_strings], text);
	return (uint8_t)++desc->n_strings;
}

void model_desc_init(struct model_desc *desc, enum usb_device_speed speed, uint16_t vid,
		     uint16_t pid, const char *product, const char *serial)
{
	uint8_t device[USB_DT_DEVICE_SIZE] = {USB_DT_DEVICE_SIZE,
					      USB_DT_DEVICE,
					      0x00,
					      0x02,
					      0,
					      0,
					      0,
					      64,
					      (uint8_t)vid,
					      (uint8_t)(vid >> 8),
					      (uint8_t)pid,
					      (uint8_t)(pid >> 8),
					      0x00,
					      0x01};
	uint8_t config[USB_DT_CONFIG_SIZE] = {USB_DT_CONFIG_SIZE,
					      USB_DT_CONFIG,
					      0,
					      0,
					      0,
					      1,
					      0,
					      USB_CONFIG_ATT_ONE,
					      50 /* times 2 mA */};

	memset(desc, 0, sizeof(*desc));
	desc->speed = speed;
	device[14] = add_string(desc, "xenback");
	device[15] = add_string(desc, product);
	device[16] = add_string(desc, serial);
	device[17] = 1;
	append(desc, device, sizeof(device));
	append(desc, config, sizeof(config));
}

void model_desc_class(struct model_desc *desc, uint8_t class)
{
	desc->bytes[DEVICE_CLASS] = class;
}

void model_desc_interface(struct model_desc *desc, uint8_t number, uint8_t alt,
			  const uint8_t class[3], const char *text)
{
	uint8_t bytes[USB_DT_INTERFACE_SIZE] = {USB_DT_INTERFACE_SIZE,
						USB_DT_INTERFACE,
						number,
						alt,
						0,
						class[0],
						class[1],
						class[2],
						add_string(desc, text)};
	uint8_t *n = &desc->bytes[USB_DT_DEVICE_SIZE + CONFIG_INTERFACES];

	desc->interface = desc->n;
	append(desc, bytes, sizeof(bytes));
	*n = MAX(*n, (uint8_t)(number + 1));
}

void model_desc_raw(struct model_desc *desc, const uint8_t *bytes, size_t n)
{
	append(desc, bytes, n);
}

void model_desc_endpoint(struct model_desc *desc, uint8_t address, uint8_t type,
			 uint16_t max_packet, uint8_t interval)
{
	uint8_t bytes[USB_DT_ENDPOINT_SIZE] = {
		USB_DT_ENDPOINT_SIZE,	    USB_DT_ENDPOINT, address, type, (uint8_t)max_packet,
		(uint8_t)(max_packet >> 8), interval};

	append(desc, bytes, sizeof(bytes));
	desc->bytes[desc->interface + INTERFACE_ENDPOINTS]++;
}

const uint8_t *model_desc_config(const struct model_desc *desc, size_t *n)
{
	*n = desc->n - USB_DT_DEVICE_SIZE;
	return desc->bytes + USB_DT_DEVICE_SIZE;
}

const uint8_t *model_desc_find(const struct model_desc *desc, uint8_t type, const uint8_t *from)
{
	const uint8_t *end = desc->bytes + desc->n;
	const uint8_t *at = from ? from : desc->bytes + USB_DT_DEVICE_SIZE;

	for (; at < end; at += at[0])
		if (at[1] == type)
			return at;
	return NULL;
}

const uint8_t *model_desc_setting(const struct model_desc *desc, uint8_t number, uint8_t alt)
{
	const uint8_t *at = model_desc_find(desc, USB_DT_INTERFACE, NULL);

	while (at && (at[INTERFACE_NUMBER] != number || at[INTERFACE_ALT] != alt))
		at = model_desc_find(desc, USB_DT_INTERFACE, at + at[0]);
	return at;
}

static uint64_t interval_ns(const struct model_desc *desc, uint8_t type, uint8_t interval)
{
	if (type != USB_ENDPOINT_XFER_INT && type != USB_ENDPOINT_XFER_ISOC)
		return 0;
	if (desc->speed == USB_SPEED_HIGH)
		return MICROFRAME_NS << (interval - 1);
	return type == USB_ENDPOINT_XFER_INT ? FRAME_NS * interval : FRAME_NS << (interval - 1);
}

bool model_desc_endpoint_at(const struct model_desc *desc, const uint8_t *setting, unsigned int nth,
			    struct model_endpoint *out)
{
	const uint8_t *at = setting;

	if (nth >= setting[INTERFACE_ENDPOINTS])
		return false;
	for (unsigned int i = 0; i <= nth; i++)
		at = model_desc_find(desc, USB_DT_ENDPOINT, at + at[0]);
	out->address = at[ENDPOINT_ADDRESS];
	out->type = at[ENDPOINT_ATTRIBUTES] & USB_ENDPOINT_XFERTYPE_MASK;
	out->interface = setting[INTERFACE_NUMBER];
	out->max_packet = (uint16_t)(at[ENDPOINT_PACKET] | at[ENDPOINT_PACKET + 1] << 8);
	out->interval_ns = interval_ns(desc, out->type, at[ENDPOINT_INTERVAL]);
	return true;
}

size_t model_desc_string(const struct model_desc *desc, uint8_t index, uint8_t out[256])
{
	const char *text;
	size_t n = 0;

	if (!index) {
		memcpy(out, (const uint8_t[]){4, USB_DT_STRING, LANGUAGE & 0xff, LANGUAGE >> 8}, 4);
		return 4;
	}
	if (index > desc->n_strings)
		return 0;
	text = desc->strings[index - 1];
	for (; text[n]; n++) {
		out[2 + 2 * n] = (uint8_t)text[n];
		out[3 + 2 * n] = 0;
	}
	out[0] = (uint8_t)(2 + 2 * n);
	out[1] = USB_DT_STRING;
	return out[0];
}

size_t model_desc_qualifier(const struct model_desc *desc, uint8_t out[10])
{
	/* bcdUSB to bMaxPacketSize0 are the device descriptor's, then bNumConfigurations. */
	memcpy(out, desc->bytes, 8);
	out[0] = 10;
	out[1] = USB_DT_DEVICE_QUALIFIER;
	out[8] = 1;
	out[9] = 0;
	return 10;
}

/* bInterval of full speed for what an endpoint has at high speed: frames, not microframes. */
static uint8_t full_speed_interval(uint8_t type, uint8_t interval)
{
	uint8_t exponent = interval > 4 ? interval - 4 : 0; /* 2^3 microframes a frame */

	if (type == USB_ENDPOINT_XFER_ISOC)
		return exponent + 1;
	return exponent > 7 ? 255 : (uint8_t)(1u << exponent);
}

/* And the other way round, at the nearest power of two below. */
static uint8_t high_speed_interval(uint8_t type, uint8_t interval)
{
	uint8_t exponent = 0;

	if (type == USB_ENDPOINT_XFER_ISOC)
		return MIN(interval + 3, 16);
	while (interval >>= 1)
		exponent++;
	return exponent + 4;
}

static void endpoint_to_full(uint8_t *endpoint, uint8_t type, uint16_t packet)
{
	uint16_t most = type == USB_ENDPOINT_XFER_ISOC ? 1023 : 64;

	packet = MIN(packet, most);
	endpoint[ENDPOINT_PACKET] = (uint8_t)packet;
	endpoint[ENDPOINT_PACKET + 1] = (uint8_t)(packet >> 8);
	if (type != USB_ENDPOINT_XFER_BULK)
		endpoint[ENDPOINT_INTERVAL] =
			full_speed_interval(type, endpoint[ENDPOINT_INTERVAL]);
}

static void endpoint_to_high(uint8_t *endpoint, uint8_t type)
{
	if (type == USB_ENDPOINT_XFER_BULK) { /* high speed has but one size */
		endpoint[ENDPOINT_PACKET] = 0;
		endpoint[ENDPOINT_PACKET + 1] = 2;
	} else {
		endpoint[ENDPOINT_INTERVAL] =
			high_speed_interval(type, endpoint[ENDPOINT_INTERVAL]);
	}
}

size_t model_desc_other_speed(const struct model_desc *desc, uint8_t out[MODEL_DESC_MAX])
{
	size_t n;
	const uint8_t *config = model_desc_config(desc, &n);

	memcpy(out, config, n);
	out[1] = USB_DT_OTHER_SPEED_CONFIG;
	for (size_t at = 0; at < n; at += out[at]) {
		uint8_t *d = out + at, type = d[ENDPOINT_ATTRIBUTES] & USB_ENDPOINT_XFERTYPE_MASK;

		if (d[1] != USB_DT_ENDPOINT)
			continue;
		if (desc->speed == USB_SPEED_HIGH)
			endpoint_to_full(
				d, type,
				(uint16_t)(d[ENDPOINT_PACKET] | d[ENDPOINT_PACKET + 1] << 8));
		else
			endpoint_to_high(d, type);
	}
	return n;
}
