/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host_libusb.h - a USB device of this machine behind usb/host.h, by libusb-1.0.
 *
 * The device comes as an open usbfs descriptor (host_opener.h), so this needs no right but that
 * descriptor. One libusb context a device: its descriptors are sources of the caller's sd_event.
 */
#ifndef XB_USB_HOST_LIBUSB_H
#define XB_USB_HOST_LIBUSB_H

#include <stddef.h>
#include <systemd/sd-event.h>

#include "usb/host.h"

/**
 * Takes over fd (also on failure) of /dev/bus/usb/BBB/DDD and claims every interface of the active
 * configuration, detaching kernel drivers. name: the bus id, "3-1.5". 0, or -errno with a sentence
 * in error.
 */
int host_libusb_open(struct usb_host **host, int fd, const char *name, sd_event *event, char *error,
		     size_t error_size);

#endif
