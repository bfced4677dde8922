/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devspec.h - how an administrator names a USB device, and which device of this machine is meant.
 *
 *   3-1.5                  the device in that place: bus 3, port 1, port 5 of the hub there
 *   0951:1666              the first free device with this vendor and product id
 *   0951:1666:60A44C41     the one with this serial number
 *   model:KIND[,...]       a device in software (cluster/models/models.h)
 */
#ifndef XB_USB_DEVSPEC_H
#define XB_USB_DEVSPEC_H

#include <linux/usb/ch9.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Longest text, without its end. */
#define DEVSPEC_TEXT_MAX 255u
/** Size of a bus id: bus, and up to seven ports (USB 2.0 4.1.1). */
#define BUSID_SIZE 32u

enum devspec_kind {
	DEVSPEC_NONE,  /**< the empty text: no device */
	DEVSPEC_BUSID, /**< a place of this machine */
	DEVSPEC_ID,    /**< vendor, product, perhaps serial number */
	DEVSPEC_MODEL, /**< software */
};

struct devspec {
	enum devspec_kind kind;
	char text[DEVSPEC_TEXT_MAX + 1]; /**< as it was written */
	uint16_t vid, pid;
	const char *serial; /**< inside text; NULL = any */
};

/** A USB device that is plugged into this machine. */
struct host_device {
	char busid[BUSID_SIZE];
	uint32_t address; /**< device number on its bus: another one after each plugging in */
	uint16_t vid, pid;
	char serial[128], product[128]; /**< as the device says; foreign text, "" = none */
	enum usb_device_speed speed;
	char drivers[96]; /**< of this machine, that have its interfaces: "usb-storage,usbhid" */
	bool hub;	  /**< hubs stay here */
	bool reserved; /**< not configured: no driver of this machine has it, so xl may attach it */
};

/**
 * Parses text. 0, or -EINVAL with a sentence in error that names the text and what is allowed; spec
 * is unchanged then.
 */
int devspec_parse(struct devspec *spec, const char *text, char *error, size_t error_size);

/** Copies a spec; it points into itself, so assignment does not do. */
void devspec_copy(struct devspec *to, const struct devspec *from);

/** True where spec (a place or an id) means this device. */
bool devspec_matches(const struct devspec *spec, const struct host_device *device);

#endif
