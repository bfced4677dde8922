/* SPDX-License-Identifier: GPL-2.0-or-later */
/* model_ch9.c - standard requests, see model_ch9.h. */
#include "model_ch9.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "util.h"

/* bmRequestType of the three recipients. */
#define DEVICE_OUT    (USB_DIR_OUT | USB_RECIP_DEVICE)
#define DEVICE_IN     (USB_DIR_IN | USB_RECIP_DEVICE)
#define INTERFACE_OUT (USB_DIR_OUT | USB_RECIP_INTERFACE)
#define INTERFACE_IN  (USB_DIR_IN | USB_RECIP_INTERFACE)
#define ENDPOINT_OUT  (USB_DIR_OUT | USB_RECIP_ENDPOINT)
#define ENDPOINT_IN   (USB_DIR_IN | USB_RECIP_ENDPOINT)

#define REQUEST(type, request) ((type) << 8 | (request))

void model_ch9_init(struct model_ch9 *ch9, const struct model_desc *desc)
{
	size_t n;

	*ch9 = (struct model_ch9){.desc = desc};
	ch9->n_interfaces = model_desc_config(desc, &n)[4];
	assert(ch9->n_interfaces <= MODEL_CH9_INTERFACES);
}

bool model_ch9_is_standard(const struct usb_ctrlrequest *setup)
{
	if ((setup->bRequestType & USB_TYPE_MASK) != USB_TYPE_STANDARD)
		return false;
	return setup->bRequestType != INTERFACE_IN || setup->bRequest != USB_REQ_GET_DESCRIPTOR;
}

static uint32_t halt_bit(uint8_t address)
{
	return 1u << ((address & USB_ENDPOINT_NUMBER_MASK) + (address & USB_DIR_IN ? 16 : 0));
}

bool model_ch9_halted(const struct model_ch9 *ch9, uint8_t address)
{
	return ch9->halted & halt_bit(address);
}

void model_ch9_halt(struct model_ch9 *ch9, uint8_t address)
{
	ch9->halted |= halt_bit(address);
}

void model_ch9_clear_halt(struct model_ch9 *ch9, uint8_t address)
{
	ch9->halted &= ~halt_bit(address);
}

bool model_ch9_endpoint(const struct model_ch9 *ch9, uint8_t address, struct model_endpoint *out)
{
	struct model_endpoint endpoint = {.type = USB_ENDPOINT_XFER_CONTROL, .max_packet = 64};

	if (!(address & USB_ENDPOINT_NUMBER_MASK)) {
		if (out)
			*out = endpoint;
		return true;
	}
	for (uint8_t i = 0; ch9->configuration && i < ch9->n_interfaces; i++) {
		const uint8_t *setting = model_desc_setting(ch9->desc, i, ch9->alt[i]);

		for (unsigned int n = 0; model_desc_endpoint_at(ch9->desc, setting, n, &endpoint);
		     n++) {
			if (endpoint.address != address)
				continue;
			if (out)
				*out = endpoint;
			return true;
		}
	}
	return false;
}

int model_ch9_set_configuration(struct model_ch9 *ch9, uint8_t value)
{
	size_t n;

	if (value && value != model_desc_config(ch9->desc, &n)[5])
		return -EPIPE;
	ch9->configuration = value;
	model_ch9_reset(ch9);
	return 0;
}

int model_ch9_set_interface(struct model_ch9 *ch9, uint8_t number, uint8_t alt)
{
	const uint8_t *setting;
	struct model_endpoint endpoint;

	if (!ch9->configuration || number >= ch9->n_interfaces)
		return -EPIPE;
	setting = model_desc_setting(ch9->desc, number, alt);
	if (!setting)
		return -EPIPE;
	ch9->alt[number] = alt;
	for (unsigned int n = 0; model_desc_endpoint_at(ch9->desc, setting, n, &endpoint); n++)
		model_ch9_clear_halt(ch9, endpoint.address);
	return 0;
}

void model_ch9_reset(struct model_ch9 *ch9)
{
	memset(ch9->alt, 0, sizeof(ch9->alt));
	ch9->halted = 0;
}

static int reply(const struct usb_ctrlrequest *setup, uint8_t *data, const uint8_t *bytes, size_t n)
{
	n = MIN(n, le16toh(setup->wLength));
	if (n)
		memcpy(data, bytes, n);
	return (int)n;
}

static int get_descriptor(const struct model_ch9 *ch9, const struct usb_ctrlrequest *setup,
			  uint8_t *data)
{
	uint8_t type = (uint8_t)(le16toh(setup->wValue) >> 8),
		index = (uint8_t)le16toh(setup->wValue);
	uint8_t scratch[MODEL_DESC_MAX];
	const uint8_t *bytes = scratch;
	size_t n = 0;
	bool high_speed = ch9->desc->speed == USB_SPEED_HIGH;

	if (index && type != USB_DT_STRING)
		return -EPIPE;
	if (type == USB_DT_STRING) {
		n = model_desc_string(ch9->desc, index, scratch);
	} else if (type == USB_DT_DEVICE) {
		bytes = ch9->desc->bytes;
		n = USB_DT_DEVICE_SIZE;
	} else if (type == USB_DT_CONFIG) {
		bytes = model_desc_config(ch9->desc, &n);
	} else if (type == USB_DT_DEVICE_QUALIFIER && high_speed) {
		n = model_desc_qualifier(ch9->desc, scratch);
	} else if (type == USB_DT_OTHER_SPEED_CONFIG && high_speed) {
		n = model_desc_other_speed(ch9->desc, scratch);
	}
	return n ? reply(setup, data, bytes, n) : -EPIPE;
}

static int get_status(const struct model_ch9 *ch9, const struct usb_ctrlrequest *setup,
		      uint8_t *data)
{
	uint16_t index = le16toh(setup->wIndex);
	uint8_t status[2] = {0, 0};

	if (setup->bRequestType == INTERFACE_IN &&
	    (!ch9->configuration || index >= ch9->n_interfaces))
		return -EPIPE;
	if (setup->bRequestType == ENDPOINT_IN) {
		if (!model_ch9_endpoint(ch9, (uint8_t)index, NULL))
			return -EPIPE;
		status[0] = model_ch9_halted(ch9, (uint8_t)index);
	}
	return reply(setup, data, status, sizeof(status));
}

static int get_interface(const struct model_ch9 *ch9, const struct usb_ctrlrequest *setup,
			 uint8_t *data)
{
	uint16_t index = le16toh(setup->wIndex);

	if (!ch9->configuration || index >= ch9->n_interfaces)
		return -EPIPE;
	return reply(setup, data, &ch9->alt[index], 1);
}

static int endpoint_halt(struct model_ch9 *ch9, const struct usb_ctrlrequest *setup,
			 enum model_ch9_effect *effect)
{
	uint8_t address = (uint8_t)le16toh(setup->wIndex);
	struct model_endpoint endpoint;

	if (le16toh(setup->wValue) != USB_ENDPOINT_HALT ||
	    !model_ch9_endpoint(ch9, address, &endpoint))
		return -EPIPE;
	if (setup->bRequest == USB_REQ_CLEAR_FEATURE) {
		*effect = MODEL_CH9_CLEAR_HALT;
		return 0;
	}
	/* Endpoint 0 never stays halted, an isochronous one has no handshake to halt with. */
	if (endpoint.type != USB_ENDPOINT_XFER_BULK && endpoint.type != USB_ENDPOINT_XFER_INT)
		return -EPIPE;
	model_ch9_halt(ch9, address);
	return 0;
}

int model_ch9_request(struct model_ch9 *ch9, const struct usb_ctrlrequest *setup, uint8_t *data,
		      enum model_ch9_effect *effect)
{
	uint16_t value = le16toh(setup->wValue);
	int rc = -EPIPE;

	*effect = MODEL_CH9_NOTHING;
	switch (REQUEST(setup->bRequestType, setup->bRequest)) {
	case REQUEST(DEVICE_IN, USB_REQ_GET_DESCRIPTOR):
		return get_descriptor(ch9, setup, data);
	case REQUEST(DEVICE_IN, USB_REQ_GET_CONFIGURATION):
		return reply(setup, data, &ch9->configuration, 1);
	case REQUEST(DEVICE_OUT, USB_REQ_SET_CONFIGURATION):
		rc = value > UINT8_MAX ? -EPIPE : model_ch9_set_configuration(ch9, (uint8_t)value);
		*effect = rc ? MODEL_CH9_NOTHING : MODEL_CH9_CONFIGURED;
		return rc;
	case REQUEST(DEVICE_OUT, USB_REQ_SET_ADDRESS): /* the bus keeps addresses, not the model */
		return value > 127 ? -EPIPE : 0;
	case REQUEST(INTERFACE_IN, USB_REQ_GET_INTERFACE):
		return get_interface(ch9, setup, data);
	case REQUEST(INTERFACE_OUT, USB_REQ_SET_INTERFACE):
		if (value <= UINT8_MAX && le16toh(setup->wIndex) <= UINT8_MAX)
			rc = model_ch9_set_interface(ch9, (uint8_t)le16toh(setup->wIndex),
						     (uint8_t)value);
		*effect = rc ? MODEL_CH9_NOTHING : MODEL_CH9_CONFIGURED;
		return rc;
	case REQUEST(DEVICE_IN, USB_REQ_GET_STATUS):
	case REQUEST(INTERFACE_IN, USB_REQ_GET_STATUS):
	case REQUEST(ENDPOINT_IN, USB_REQ_GET_STATUS):
		return get_status(ch9, setup, data);
	case REQUEST(ENDPOINT_OUT, USB_REQ_SET_FEATURE):
	case REQUEST(ENDPOINT_OUT, USB_REQ_CLEAR_FEATURE):
		return endpoint_halt(ch9, setup, effect);
	}
	return -EPIPE;
}
