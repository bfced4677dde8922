/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * port.h - what the guest believes of a port, and what its control requests mean. Pure.
 *
 * Theory of Operation
 * The frontend plays the root hub by itself; a backend sees neither power nor reset of a port, only
 * the requests of the enumeration: GET_DESCRIPTOR at address 0, SET_ADDRESS, then addressed ones.
 * So:
 * - SET_ADDRESS is answered here: the device keeps the address that this machine gave it.
 * - Requests that the host's USB core must know of become changes (usb/host.h): SET_CONFIGURATION,
 *   SET_INTERFACE, CLEAR_FEATURE(ENDPOINT_HALT).
 * - A request at address 0 while the port has an address means that the guest reset the port: the
 *   device is reset once, and the request goes on behind that (quirk reset=never: only the address
 * is forgotten). The next such requests, up to SET_ADDRESS, belong to the same enumeration.
 * - A super-speed device is shown as a high-speed one, its bMaxPacketSize0 (an exponent, 9) as 64.
 */
#ifndef XB_USB_PORT_H
#define XB_USB_PORT_H

#include <linux/usb/ch9.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "quirk.h"
#include "usb/descriptor.h"
#include "usb/host.h"

#define PORT_ADDRESS_MAX 127u

/** What the guest believes; kept in the journal. */
struct port_view {
	uint8_t speed;	       /**< USBIF_SPEED_* that it was told last, NONE = free */
	uint8_t address;       /**< 0 = none yet */
	uint8_t configuration; /**< 0 = not configured */
	uint32_t identity;     /**< of the device, see port_identity */
	uint8_t alternates[USB_INTERFACES_MAX];
};

/** What to do with a control request. */
enum port_action {
	PORT_ACTION_FORWARD, /**< a control transfer to the device */
	PORT_ACTION_ANSWER,  /**< done: answer status 0, no data */
	PORT_ACTION_CHANGE,  /**< a change, then answer its status */
	PORT_ACTION_RESET,   /**< reset the device, then ask again */
	PORT_ACTION_REFUSE,  /**< answer `status` */
};

struct port_decision {
	enum port_action action;
	int status;		  /**< REFUSE: -errno */
	struct usb_change change; /**< CHANGE, RESET: kind, value, interface, endpoint, soft */
	const char *why;	  /**< REFUSE: static text */
};

/**
 * Decides about a control request to `address`. address_taken: another port of the controller has
 * the address that SET_ADDRESS asks for. Changes view only for what is answered here (the address).
 */
void port_control(struct port_view *view, const struct usb_ctrlrequest *setup, uint8_t address,
		  bool address_taken, const struct quirks *quirks, struct port_decision *decision);

/** A change was carried out: the view follows. */
void port_changed(struct port_view *view, const struct usb_change *change);

/** Speed to tell the guest (USBIF_SPEED_*) for a device; -EPROTONOSUPPORT where a controller of
 * that usb-ver cannot have it. */
int port_speed(enum usb_device_speed speed, unsigned int usb_version);

/** A number that another kind of device is unlikely to have: of its descriptors. */
uint32_t port_identity(const uint8_t *descriptors, size_t size);
/** Adapts the data of a reply before it goes to the guest: bMaxPacketSize0 of super-speed devices.
 */
void port_patch_reply(enum usb_device_speed speed, const struct usb_ctrlrequest *setup,
		      uint8_t *data, uint32_t length);

#endif
