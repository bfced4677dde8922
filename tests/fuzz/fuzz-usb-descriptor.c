/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz-usb-descriptor.c - descriptors of a lying device; what is accepted keeps its promises. */
#include <stdlib.h>
#include <string.h>

#include "usb/descriptor.h"
#include "util.h"

static void check(bool good)
{
	if (!good)
		abort();
}

/* An address belongs to one interface; every endpoint can be found by its setting. */
static void check_config(const struct usb_config *config, uint8_t value)
{
	check(config->value == value && config->n_endpoints <= USB_ENDPOINTS_MAX);
	for (unsigned int i = 0; i < config->n_endpoints; i++) {
		const struct usb_endpoint *ep = &config->endpoints[i], *found;
		uint8_t alternates[USB_INTERFACES_MAX] = {0};

		check(ep->max_packet >= 1 && ep->max_packet <= 2047);
		check(ep->transactions >= 1 && ep->transactions <= 3);
		check(ep->type <= 3 && (ep->address & 0x70) == 0 && ep->address & 15);
		check(ep->interface < USB_INTERFACES_MAX);
		alternates[ep->interface] = ep->alternate;
		found = usb_config_endpoint(config, alternates, ep->address);
		check(found && found->interface == ep->interface &&
		      found->alternate == ep->alternate);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct usb_config config;
	struct usb_device_descriptor device;
	const char *why = NULL;

	if (size < 1)
		return 0;
	usb_device_descriptor(data + 1, size - 1, &device);
	if (usb_config_parse(&config, data + 1, size - 1, data[0], &why) == 0)
		check_config(&config, data[0]);
	else
		check(why != NULL);
	return 0;
}
