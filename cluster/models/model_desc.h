/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * model_desc.h - the descriptors of a model, assembled once (USB 2.0, 9.6). Pure.
 *
 * Device descriptor and one configuration stand one behind the other as struct usb_host wants them;
 * strings are kept as text. What they say at the other speed follows from them.
 */
#ifndef XB_MODEL_DESC_H
#define XB_MODEL_DESC_H

#include <linux/usb/ch9.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MODEL_DESC_MAX	   512
#define MODEL_DESC_STRINGS 6
/** Longest string: 126 UTF-16 units fit into a descriptor. */
#define MODEL_DESC_STRING_MAX 64

struct model_desc {
	enum usb_device_speed speed; /**< USB_SPEED_FULL or USB_SPEED_HIGH */
	uint8_t bytes[MODEL_DESC_MAX];
	size_t n;
	size_t interface; /**< offset of the interface that endpoints are added to */
	/** Strings 1 to n_strings. */
	char strings[MODEL_DESC_STRINGS][MODEL_DESC_STRING_MAX];
	unsigned int n_strings;
};

/** An endpoint of the active setting of an interface. */
struct model_endpoint {
	uint8_t address, type; /**< bEndpointAddress, USB_ENDPOINT_XFER_* */
	uint8_t interface;
	uint16_t max_packet;  /**< bytes a packet */
	uint64_t interval_ns; /**< interrupt and isochronous; else 0 */
};

/** Begins with a device descriptor whose class is said by the interfaces; serial may be NULL. */
void model_desc_init(struct model_desc *desc, enum usb_device_speed speed, uint16_t vid,
		     uint16_t pid, const char *product, const char *serial);
/** Class of the device descriptor, for devices that are no sum of their interfaces. */
void model_desc_class(struct model_desc *desc, uint8_t class);
/** Begins an interface; class 0: vendor specific. text: its string or NULL. */
void model_desc_interface(struct model_desc *desc, uint8_t number, uint8_t alt,
			  const uint8_t class[3], const char *text);
/** Anything that stands between interfaces and endpoints (class descriptors). */
void model_desc_raw(struct model_desc *desc, const uint8_t *bytes, size_t n);
/** Adds an endpoint to the interface. interval: bInterval as it is written. */
void model_desc_endpoint(struct model_desc *desc, uint8_t address, uint8_t type,
			 uint16_t max_packet, uint8_t interval);

/** Bytes of the configuration descriptor with all that belongs to it. */
const uint8_t *model_desc_config(const struct model_desc *desc, size_t *n);
/** The first descriptor of a type in the configuration at or behind `from` (0: the beginning), NULL
 * when there is none. */
const uint8_t *model_desc_find(const struct model_desc *desc, uint8_t type, const uint8_t *from);
/** The setting `alt` of an interface, NULL when there is none. */
const uint8_t *model_desc_setting(const struct model_desc *desc, uint8_t number, uint8_t alt);
/** The nth endpoint (from 0) of a setting, false when there are fewer. */
bool model_desc_endpoint_at(const struct model_desc *desc, const uint8_t *setting, unsigned int nth,
			    struct model_endpoint *out);

/** Writes string descriptor `index` (0: the languages); bytes written, 0 when there is none. */
size_t model_desc_string(const struct model_desc *desc, uint8_t index, uint8_t out[256]);
/** Writes the device qualifier: what the device descriptor would be at the other speed. */
size_t model_desc_qualifier(const struct model_desc *desc, uint8_t out[10]);
/** Writes the configuration as it would be at the other speed: packets and intervals fit it. */
size_t model_desc_other_speed(const struct model_desc *desc, uint8_t out[MODEL_DESC_MAX]);

#endif
