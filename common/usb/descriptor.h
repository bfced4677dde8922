/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * descriptor.h - what a device's descriptors say about its endpoints. Pure; the bytes are foreign.
 */
#ifndef XB_USB_DESCRIPTOR_H
#define XB_USB_DESCRIPTOR_H

#include <linux/usb/ch9.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define USB_ENDPOINTS_MAX  256u /**< endpoints of one configuration, over all alternate settings */
#define USB_INTERFACES_MAX 32u	/**< as Linux has it (USB_MAXINTERFACES) */

struct usb_endpoint {
	uint8_t address; /**< bEndpointAddress */
	uint8_t type;	 /**< USB_ENDPOINT_XFER_* */
	uint8_t interface, alternate;
	uint8_t interval;		   /**< bInterval */
	uint8_t transactions;		   /**< a microframe, 1 to 3 (high-bandwidth endpoints) */
	uint16_t max_packet;		   /**< bytes, at least 1 */
	uint8_t class, subclass, protocol; /**< of its interface */
};

/** One configuration. */
struct usb_config {
	uint8_t value;	      /**< bConfigurationValue */
	uint8_t n_interfaces; /**< bNumInterfaces */
	unsigned int n_endpoints;
	struct usb_endpoint endpoints[USB_ENDPOINTS_MAX];
};

/** The device descriptor in front of the bytes; -EINVAL where there is none. */
int usb_device_descriptor(const uint8_t *bytes, size_t size, struct usb_device_descriptor *out);

/**
 * Reads the configuration `value` out of a device descriptor that is followed by configurations.
 * -ENOENT: there is none; -EINVAL with *why (static text): the bytes contradict themselves. A few
 * lies that devices are known for are mended: a wTotalLength beyond the bytes, an unknown
 * descriptor, wMaxPacketSize 0, an endpoint that another interface has already.
 */
int usb_config_parse(struct usb_config *config, const uint8_t *bytes, size_t size, uint8_t value,
		     const char **why);

/** The endpoint of that address under the alternate settings in force; NULL where there is none. */
const struct usb_endpoint *usb_config_endpoint(const struct usb_config *config,
					       const uint8_t alternates[USB_INTERFACES_MAX],
					       uint8_t address);

#endif
