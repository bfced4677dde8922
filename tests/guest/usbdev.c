/* SPDX-License-Identifier: GPL-2.0-or-later */
/* usbdev.c - USB devices of a guest: enumeration, settings, reset. See usbdev.h. */
#include "usbdev.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "usbdev_priv.h"
#include "util.h"

#define TRIES	       3u /* of the first request to a device */
#define FIRST_BYTES    64u
#define ADDRESS_LAST   127u
#define LANGID_ENGLISH 0x0409u

/* --- requests of an enumeration --- */

static int first_descriptor(struct usbdev_bus *bus, unsigned int port, uint8_t *data,
			    uint64_t deadline_ns)
{
	struct usb_ctrlrequest setup = {USB_DIR_IN, USB_REQ_GET_DESCRIPTOR,
					htole16(USB_DT_DEVICE << 8), 0, htole16(FIRST_BYTES)};
	int rc = -EPROTO;

	for (unsigned int i = 0; i < TRIES && rc < 0 && rc != -ENODEV && rc != -ETIMEDOUT; i++) {
		rc = ud_control(bus, port, 0, &setup, data, deadline_ns);
		if (rc >= 0 && (rc < 8 || data[1] != USB_DT_DEVICE))
			rc = -EPROTO;
	}
	return rc;
}

static int set_address(struct usbdev_bus *bus, unsigned int port, uint8_t address,
		       uint64_t deadline_ns)
{
	struct usb_ctrlrequest setup = {USB_DIR_OUT, USB_REQ_SET_ADDRESS, htole16(address), 0, 0};

	return ud_control(bus, port, 0, &setup, NULL, deadline_ns);
}

static int get_descriptor(struct usbdev *dev, uint8_t type, uint8_t index, uint16_t language,
			  void *data, uint16_t length, uint64_t deadline_ns)
{
	return usbdev_control(dev, USB_DIR_IN, USB_REQ_GET_DESCRIPTOR,
			      (uint16_t)(type << 8 | index), language, data, length, deadline_ns);
}

static int read_config(struct usbdev *dev, uint8_t *data, uint64_t deadline_ns)
{
	int rc = get_descriptor(dev, USB_DT_CONFIG, 0, 0, data, USB_DT_CONFIG_SIZE, deadline_ns);
	uint32_t total;

	if (rc < 0)
		return rc;
	total = data[2] | (uint32_t)data[3] << 8;
	if (rc < USB_DT_CONFIG_SIZE || total < USB_DT_CONFIG_SIZE || total > UD_CONFIG_MAX)
		return -EPROTO;
	return get_descriptor(dev, USB_DT_CONFIG, 0, 0, data, (uint16_t)total, deadline_ns);
}

/* Strings are a courtesy: a device that has none, or wrong ones, works all the same. */
static void read_string(struct usbdev *dev, uint8_t index, uint16_t language, char *text,
			uint64_t deadline_ns)
{
	uint8_t data[255];
	int rc;

	text[0] = '\0';
	if (index == 0 || language == 0)
		return;
	rc = get_descriptor(dev, USB_DT_STRING, index, language, data, sizeof(data), deadline_ns);
	if (rc >= 2)
		usbdesc_parse_string(data, (size_t)rc, text, USBDEV_TEXT_BYTES);
}

static void read_strings(struct usbdev *dev, uint64_t deadline_ns)
{
	const struct usbdesc_device *device = &dev->info.device;
	uint8_t data[255] = {0};
	uint16_t language = 0;

	if (device->manufacturer || device->product || device->serial) {
		int rc = get_descriptor(dev, USB_DT_STRING, 0, 0, data, sizeof(data), deadline_ns);

		if (rc >= 4 && data[1] == USB_DT_STRING)
			language = (uint16_t)(data[2] | data[3] << 8);
		else if (rc >= 0)
			language = LANGID_ENGLISH;
	}
	read_string(dev, device->manufacturer, language, dev->info.manufacturer, deadline_ns);
	read_string(dev, device->product, language, dev->info.product, deadline_ns);
	read_string(dev, device->serial, language, dev->info.serial, deadline_ns);
}

static int set_configuration(struct usbdev *dev, uint64_t deadline_ns)
{
	return usbdev_control(dev, USB_DIR_OUT, USB_REQ_SET_CONFIGURATION, dev->info.config.value,
			      0, NULL, 0, deadline_ns);
}

/* --- enumeration --- */

static int failed(char *error, size_t error_size, const char *step, int rc)
{
	snprintf(error, error_size, "%s: %s", step, strerror(-rc));
	return rc;
}

static uint8_t free_address(struct usbdev_bus *bus)
{
	bool used[ADDRESS_LAST + 1] = {true, true};

	for (unsigned int port = 1; port <= USBFRONT_PORTS_MAX; port++)
		if (bus->devices[port])
			used[bus->devices[port]->info.address] = true;
	do
		bus->last_address = (uint8_t)(bus->last_address % ADDRESS_LAST + 1);
	while (used[bus->last_address]);
	return bus->last_address;
}

static int enumerate(struct usbdev *dev, uint64_t deadline_ns, char *error, size_t error_size)
{
	struct usbdev_bus *bus = dev->bus;
	uint8_t first[FIRST_BYTES];
	int rc = first_descriptor(bus, dev->info.port, first, deadline_ns);

	if (rc < 0)
		return failed(error, error_size, "device descriptor read/64 at address 0", rc);
	rc = set_address(bus, dev->info.port, dev->info.address, deadline_ns);
	if (rc < 0)
		return failed(error, error_size, "SET_ADDRESS", rc);
	rc = get_descriptor(dev, USB_DT_DEVICE, 0, 0, dev->raw_device, USB_DT_DEVICE_SIZE,
			    deadline_ns);
	if (rc < 0)
		return failed(error, error_size, "device descriptor", rc);
	rc = usbdesc_parse_device(dev->raw_device, (size_t)rc, &dev->info.device, error,
				  error_size);
	if (rc < 0)
		return rc;
	rc = read_config(dev, dev->raw, deadline_ns);
	if (rc < 0)
		return failed(error, error_size, "configuration descriptor", rc);
	dev->n_raw = (uint32_t)rc;
	rc = usbdesc_parse_config(dev->raw, dev->n_raw, &dev->info.config, error, error_size);
	if (rc < 0)
		return rc;
	read_strings(dev, deadline_ns);
	rc = set_configuration(dev, deadline_ns);
	return rc < 0 ? failed(error, error_size, "SET_CONFIGURATION", rc) : 0;
}

int usbdev_open(struct usbdev **out, struct usbdev_bus *bus, unsigned int port,
		uint64_t deadline_ns, char *error, size_t error_size)
{
	struct usbdev *dev;
	int rc = usbdev_bus_wait_port(bus, port, true, deadline_ns);

	if (rc < 0)
		return failed(error, error_size, "no device at this port", rc);
	if (bus->devices[port] && !bus->devices[port]->info.gone)
		return failed(error, error_size, "the device at this port is open", -EBUSY);
	dev = xb_calloc(1, sizeof(*dev));
	dev->bus = bus;
	dev->info.port = port;
	dev->info.speed = usbfront_info(bus->front)->speeds[port];
	dev->info.address = free_address(bus);
	bus->devices[port] = dev;
	rc = enumerate(dev, deadline_ns, error, error_size);
	if (rc < 0) {
		usbdev_close(dev);
		return rc;
	}
	ud_say(bus, "port %u: %04x:%04x %s %s, address %u", port, dev->info.device.vid,
	       dev->info.device.pid, dev->info.manufacturer, dev->info.product, dev->info.address);
	*out = dev;
	return 0;
}

void usbdev_close(struct usbdev *dev)
{
	if (!dev)
		return;
	if (dev->bus->devices[dev->info.port] == dev)
		dev->bus->devices[dev->info.port] = NULL;
	free(dev);
}

/* --- what is known --- */

const struct usbdev_info *usbdev_info(const struct usbdev *dev)
{
	return &dev->info;
}

struct usbdev_bus *usbdev_bus(const struct usbdev *dev)
{
	return dev->bus;
}

uint8_t usbdev_alternate(const struct usbdev *dev, uint8_t interface)
{
	return interface < UD_INTERFACES ? dev->alternates[interface] : 0;
}

const struct usbdesc_endpoint *usbdev_endpoint(const struct usbdev *dev, uint8_t address)
{
	const struct usbdesc_config *config = &dev->info.config;

	for (unsigned int i = 0; i < config->n_alts; i++) {
		const struct usbdesc_alt *alt = &config->alts[i];

		if (alt->alternate != usbdev_alternate(dev, alt->interface))
			continue;
		for (unsigned int e = 0; e < alt->n_endpoints; e++)
			if (alt->endpoints[e].address == address)
				return &alt->endpoints[e];
	}
	return NULL;
}

/* --- settings --- */

int usbdev_set_interface(struct usbdev *dev, uint8_t interface, uint8_t alternate,
			 uint64_t deadline_ns)
{
	int rc;

	if (interface >= UD_INTERFACES || !usbdesc_alt(&dev->info.config, interface, alternate))
		return -EINVAL;
	rc = usbdev_control(dev, USB_RECIP_INTERFACE, USB_REQ_SET_INTERFACE, alternate, interface,
			    NULL, 0, deadline_ns);
	if (rc == 0)
		dev->alternates[interface] = alternate;
	return rc;
}

static int set_interfaces(struct usbdev *dev, uint64_t deadline_ns)
{
	int rc = 0;

	for (unsigned int i = 0; i < UD_INTERFACES && rc == 0; i++)
		if (dev->alternates[i])
			rc = usbdev_set_interface(dev, (uint8_t)i, dev->alternates[i], deadline_ns);
	return rc;
}

int usbdev_reset(struct usbdev *dev, uint64_t deadline_ns)
{
	static uint8_t raw[UD_CONFIG_MAX];
	uint8_t first[FIRST_BYTES], device[USB_DT_DEVICE_SIZE];
	int rc;

	if (dev->info.gone)
		return -ENODEV;
	ud_say(dev->bus, "port %u: reset", dev->info.port);
	rc = first_descriptor(dev->bus, dev->info.port, first, deadline_ns);
	if (rc >= 0)
		rc = set_address(dev->bus, dev->info.port, dev->info.address, deadline_ns);
	if (rc >= 0)
		rc = get_descriptor(dev, USB_DT_DEVICE, 0, 0, device, sizeof(device), deadline_ns);
	if (rc < 0)
		return rc;
	if (rc != sizeof(device) || memcmp(device, dev->raw_device, sizeof(device)) != 0)
		return -ENODEV;
	rc = read_config(dev, raw, deadline_ns);
	if (rc < 0)
		return rc;
	if ((uint32_t)rc != dev->n_raw || memcmp(raw, dev->raw, dev->n_raw) != 0)
		return -ENODEV;
	rc = set_configuration(dev, deadline_ns);
	return rc < 0 ? rc : set_interfaces(dev, deadline_ns);
}
