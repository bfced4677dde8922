/* SPDX-License-Identifier: GPL-2.0-or-later */
/* descriptor.c - endpoints out of descriptors (USB 2.0 section 9.6), see descriptor.h. */
#include "descriptor.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "cursor.h"
#include "util.h"

int usb_device_descriptor(const uint8_t *bytes, size_t size, struct usb_device_descriptor *out)
{
	if (size < USB_DT_DEVICE_SIZE || bytes[0] < USB_DT_DEVICE_SIZE || bytes[1] != USB_DT_DEVICE)
		return -EINVAL;
	memcpy(out, bytes, USB_DT_DEVICE_SIZE);
	return 0;
}

/* The interface that the endpoints which follow belong to. */
struct place {
	uint8_t interface, alternate, class, subclass, protocol;
	bool valid;
};

static const char *add_interface(struct place *place, const uint8_t *d, uint8_t n)
{
	if (n < USB_DT_INTERFACE_SIZE)
		return "an interface descriptor that is too short";
	if (d[2] >= USB_INTERFACES_MAX)
		return "an interface number above 31";
	*place = (struct place){d[2], d[3], d[5], d[6], d[7], true};
	return NULL;
}

/* An address belongs to the interface that has it first, whatever the alternate settings. */
static bool is_anothers(const struct usb_config *config, const struct place *place, uint8_t address)
{
	for (unsigned int i = 0; i < config->n_endpoints; i++)
		if (config->endpoints[i].address == address &&
		    config->endpoints[i].interface != place->interface)
			return true;
	return false;
}

static const char *add_endpoint(struct usb_config *config, const struct place *place,
				const uint8_t *d, uint8_t n)
{
	struct usb_endpoint *ep;
	uint8_t address;
	uint16_t size;

	if (n < USB_DT_ENDPOINT_SIZE)
		return "an endpoint descriptor that is too short";
	address = d[2] & (USB_DIR_IN | USB_ENDPOINT_NUMBER_MASK);
	size = (uint16_t)(d[4] | d[5] << 8);
	if (!place->valid || (address & USB_ENDPOINT_NUMBER_MASK) == 0 ||
	    is_anothers(config, place, address))
		return NULL; /* nobody can address it */
	if (config->n_endpoints == USB_ENDPOINTS_MAX)
		return "more than 256 endpoints";
	ep = &config->endpoints[config->n_endpoints++];
	ep->address = address;
	ep->type = d[3] & USB_ENDPOINT_XFERTYPE_MASK;
	ep->interval = d[6];
	ep->transactions = (uint8_t)MIN(1 + ((size >> 11) & 3), 3);
	ep->max_packet = (uint16_t)MAX(size & 0x7ff, 1);
	ep->interface = place->interface;
	ep->alternate = place->alternate;
	ep->class = place->class;
	ep->subclass = place->subclass;
	ep->protocol = place->protocol;
	return NULL;
}

/* What stands between a configuration descriptor and the next one. */
static int parse_body(struct usb_config *config, struct cursor *c, const char **why)
{
	struct place place = {.valid = false};

	*why = NULL;
	while (cursor_left(c) >= 2 && !*why) {
		uint8_t n = c->data[c->pos], type = c->data[c->pos + 1];
		const uint8_t *d;

		if (n < 2)
			*why = "a descriptor of less than 2 bytes";
		else if ((d = cursor_skip(c, n)) == NULL)
			*why = "a descriptor that leaves its configuration";
		else if (type == USB_DT_INTERFACE)
			*why = add_interface(&place, d, n);
		else if (type == USB_DT_ENDPOINT)
			*why = add_endpoint(config, &place, d, n);
	}
	return *why ? -EINVAL : 0;
}

int usb_config_parse(struct usb_config *config, const uint8_t *bytes, size_t size, uint8_t value,
		     const char **why)
{
	struct cursor all, body;

	cursor_init(&all, bytes, size);
	if (size == 0 || !cursor_skip(&all, bytes[0])) {
		*why = "no device descriptor";
		return -EINVAL;
	}
	while (cursor_left(&all) >= USB_DT_CONFIG_SIZE) {
		const uint8_t *d = all.data + all.pos;
		size_t total = (size_t)(d[2] | d[3] << 8);

		if (d[0] < USB_DT_CONFIG_SIZE || d[1] != USB_DT_CONFIG || total < d[0]) {
			*why = "a configuration descriptor was expected";
			return -EINVAL;
		}
		total = MIN(total, cursor_left(&all));
		if (total < d[0]) {
			*why = "a configuration descriptor that leaves the bytes";
			return -EINVAL;
		}
		cursor_skip(&all, total);
		if (d[5] != value)
			continue;
		memset(config, 0, sizeof(*config));
		config->value = value;
		config->n_interfaces = d[4];
		cursor_init(&body, d + d[0], total - d[0]);
		return parse_body(config, &body, why);
	}
	*why = "there is no such configuration";
	return -ENOENT;
}

const struct usb_endpoint *usb_config_endpoint(const struct usb_config *config,
					       const uint8_t alternates[USB_INTERFACES_MAX],
					       uint8_t address)
{
	for (unsigned int i = 0; i < config->n_endpoints; i++) {
		const struct usb_endpoint *ep = &config->endpoints[i];

		if (ep->address == address && ep->alternate == alternates[ep->interface])
			return ep;
	}
	return NULL;
}
