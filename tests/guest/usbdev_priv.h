/* SPDX-License-Identifier: GPL-2.0-or-later */
/* usbdev_priv.h - what usbdev_bus.c (waiting), usbdev.c (devices) and usbdev_io.c (transfers)
 * share. */
#ifndef XB_TESTS_USBDEV_PRIV_H
#define XB_TESTS_USBDEV_PRIV_H

#include "usbdev.h"

#define UD_INTERFACES 32u
#define UD_CONFIG_MAX 4096u

struct usbdev {
	struct usbdev_bus *bus;
	struct usbdev_info info;
	uint8_t raw[UD_CONFIG_MAX]; /**< the configuration's descriptors */
	uint32_t n_raw;
	uint8_t raw_device[USB_DT_DEVICE_SIZE];
	uint8_t alternates[UD_INTERFACES]; /**< in force, by interface */
};

struct usbdev_bus {
	struct usbfront *front;
	struct usbdev_options options;
	struct clock *clock;
	struct usbdev *devices[USBFRONT_PORTS_MAX + 1];
	uint8_t last_address;
	struct usbfront_urb urbs[USBDEV_LIST_URBS]; /**< of the synchronous functions */
};

/** One line for a person. */
void ud_say(struct usbdev_bus *bus, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** A control transfer to any address: bytes moved or -errno. */
int ud_control(struct usbdev_bus *bus, unsigned int port, uint8_t address,
	       const struct usb_ctrlrequest *setup, void *data, uint64_t deadline_ns);

#endif
