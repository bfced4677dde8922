/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host_devices.h - the USB devices of this machine, out of sysfs.
 *
 * Attributes that the kernel made (numbers, speed) are read strictly; those that the device says
 * (serial number, product) are foreign text: cut to size, what cannot be shown becomes '?'.
 */
#ifndef XB_USB_HOST_DEVICES_H
#define XB_USB_HOST_DEVICES_H

#include <stddef.h>

#include "devspec.h"

/** Reads one: 0, -ENODEV when there is none in that place, -EPROTO when sysfs does not say what it
 * is. sysfs: "/sys" (tests: another root). */
int host_device_read(const char *sysfs, const char *busid, struct host_device *device);

/** All that are plugged in, hubs too but not the root hubs, sorted by place; an array to free().
 * 0, also where there is no USB at all, or -errno. */
int host_devices_list(const char *sysfs, struct host_device **devices, size_t *n);

#endif
