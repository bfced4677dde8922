/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usbdesc.h - descriptors of a USB device, as a guest reads them (USB 2.0 chapter 9): foreign bytes
 * into plain structs.
 *
 * What a device should not say but may is taken as an error with a sentence, never as a reason to
 * read on where there is nothing. Unknown descriptors are skipped.
 */
#ifndef XB_TESTS_USBDESC_H
#define XB_TESTS_USBDESC_H

#include <linux/usb/ch9.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define USBDESC_ALTS	  64u /**< alternate settings of a configuration, all interfaces */
#define USBDESC_ENDPOINTS 30u /**< of one alternate setting */

struct usbdesc_device {
	uint16_t usb;	   /**< BCD, 0x0200 */
	uint16_t vid, pid; /**< vendor and product */
	uint16_t release;  /**< BCD */
	uint8_t class, subclass, protocol;
	uint8_t max_packet0;
	uint8_t manufacturer, product, serial; /**< indices of strings, 0 = none */
	uint8_t n_configs;
};

struct usbdesc_endpoint {
	uint8_t address;     /**< number, USB_DIR_IN */
	uint8_t type;	     /**< USB_ENDPOINT_XFER_* */
	uint16_t max_packet; /**< bytes of one packet */
	uint8_t per_frame;   /**< packets in a (micro)frame, 1 to 3 */
	uint8_t interval;    /**< bInterval as it stands */
};

struct usbdesc_alt {
	uint8_t interface, alternate;
	uint8_t class, subclass, protocol;
	uint8_t n_endpoints;
	struct usbdesc_endpoint endpoints[USBDESC_ENDPOINTS];
};

struct usbdesc_config {
	uint8_t value; /**< bConfigurationValue */
	uint8_t n_interfaces;
	uint16_t max_power_ma;
	bool self_powered;
	unsigned int n_alts;
	struct usbdesc_alt alts[USBDESC_ALTS];
};

/** A device descriptor of 18 bytes; -EINVAL with a sentence in error. */
int usbdesc_parse_device(const uint8_t *data, size_t size, struct usbdesc_device *device,
			 char *error, size_t error_size);
/** A configuration with all that belongs to it, wTotalLength bytes or less; -EINVAL with a sentence
 * in error. */
int usbdesc_parse_config(const uint8_t *data, size_t size, struct usbdesc_config *config,
			 char *error, size_t error_size);
/** A string descriptor as UTF-8, cut to what fits; characters that say nothing become '?'. -EINVAL
 * when it is none. */
int usbdesc_parse_string(const uint8_t *data, size_t size, char *text, size_t text_size);

/** The alternate setting; NULL where there is none. */
const struct usbdesc_alt *usbdesc_alt(const struct usbdesc_config *config, uint8_t interface,
				      uint8_t alternate);
/** The first endpoint of a type and direction (USB_DIR_IN or 0) of an alternate setting; NULL. */
const struct usbdesc_endpoint *usbdesc_find(const struct usbdesc_alt *alt, uint8_t type,
					    uint8_t direction);
/** "mass storage", "hub" ... for a class code. */
const char *usbdesc_class_name(uint8_t class);

#endif
