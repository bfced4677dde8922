/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * urb.h - requests of a guest's USB ring (Xen public io/usbif.h): copied, judged, decoded. Pure.
 */
#ifndef XB_USB_URB_H
#define XB_USB_URB_H

#include <linux/usb/ch9.h>
#include <stdbool.h>
#include <stdint.h>
#include <xen/io/usbif.h>

#define URB_SLOT_BYTES	    148u /**< sizeof of a request: what the ring is laid out by */
#define URB_CONN_SLOT_BYTES 4u	 /**< of the larger one, the response */
#define URB_ISO_PACKETS_MAX 128u /**< packets of one isochronous request (usbfs's limit) */

/** A description of an isochronous packet in the guest's memory (Linux struct
 * usb_iso_packet_descriptor). */
struct urb_iso_packet {
	uint32_t offset; /**< in the data */
	uint32_t length;
	uint32_t actual_length;
	int32_t status;
};

/** A request that passed urb_parse. */
struct urb {
	uint16_t id;
	bool unlink; /**< only unlink_id counts then */
	uint16_t unlink_id;
	uint8_t port;	  /**< 1 to the controller's number of ports */
	uint8_t address;  /**< device address, 0 to 127 */
	uint8_t endpoint; /**< bEndpointAddress; 0 for control */
	uint8_t type;	  /**< USB_ENDPOINT_XFER_* */
	bool in;	  /**< data flows to the guest; control: by the setup packet */
	bool short_not_ok;
	uint32_t length; /**< bytes of data: the sum of the segments (buffer_length is cut to 16
			    bit) */
	struct usb_ctrlrequest setup; /**< control */
	uint16_t interval;	      /**< isochronous, interrupt: as the guest gives it */
	uint16_t n_packets;	      /**< isochronous */
	uint8_t n_segments;	      /**< data */
	uint8_t n_packet_segments; /**< isochronous: segments with the packets' descriptions, behind
				      those of the data */
	struct usbif_request_segment segments[USBIF_MAX_SEGMENTS_PER_REQUEST];
};

/**
 * Judges a copy of a request. urb->id is set in any case. 0, or USBIF_STATUS_INVAL with *why
 * (static text): answer it so.
 */
int urb_parse(struct urb *urb, const struct usbif_urb_request *request, unsigned int n_ports,
	      const char **why);

/** What a frontend is told for 0 or -errno: one of the seven codes that it knows. */
int32_t urb_status(int status);

#endif
