/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host.h - the USB seam: a device as a backend reaches it, whatever stands behind it.
 *
 * Implementations: host_libusb.c (devices of this machine), cluster/models (software models), and
 * whatever carries transfers elsewhere. Constants are those of <linux/usb/ch9.h> (USB 2.0 chapter
 * 9); failures are negative errno with the meaning that Linux's USB core gives them:
 *   -EPIPE stall, -EOVERFLOW babble, -EPROTO any error of the bus or the device, -ENODEV the device
 *   is gone, -ECANCELED cancelled, -ENOMEM the host had no memory for it (nothing was moved),
 *   -EINVAL the host refuses such a transfer.
 *
 * Threads: a device belongs to the thread that runs the sd_event which it was opened with. All
 * functions are called there, all callbacks come from there. A callback is never called from inside
 * submit, cancel or change: it comes from the event loop (close is the exception, see there).
 */
#ifndef XB_USB_HOST_H
#define XB_USB_HOST_H

#include <linux/usb/ch9.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct usb_host;

/** One packet of an isochronous transfer. Packets lie one behind the other in the buffer, each in
 * `length` bytes of its own, filled or not. */
struct usb_packet {
	uint32_t length; /**< bytes offered (OUT: to send) */
	uint32_t actual; /**< bytes moved */
	int status;	 /**< 0 or -errno of this packet alone */
};

/** One transfer; whoever submits it owns it and its memory, and keeps both until `done`. */
struct usb_transfer {
	uint8_t endpoint; /**< bEndpointAddress: number, USB_DIR_IN; control: 0 */
	uint8_t type;	  /**< USB_ENDPOINT_XFER_* */
	bool zero_packet; /**< bulk OUT of full packets: send a zero-length packet behind them */
	struct usb_ctrlrequest setup; /**< control: as on the wire, little endian; gives the
					 direction; wLength == length */
	uint8_t *data;
	uint32_t length;	    /**< bytes in data */
	struct usb_packet *packets; /**< isochronous: their lengths add up to length */
	uint32_t n_packets;

	uint32_t actual; /**< bytes moved; also valid beside a failure */
	int status;	 /**< 0 (also for a short IN transfer) or -errno; isochronous: 0 whenever
			    the packets have a status of their own */
	/** Exactly once for each transfer that submit took. */
	void (*done)(struct usb_transfer *transfer);
	void *owner; /**< the submitter's own */
	void *host;  /**< the implementation's own, while it is in flight */
};

/** What must not be sent as a raw control transfer, because the host keeps state about it. */
enum usb_change_kind {
	USB_CHANGE_CONFIGURATION, /**< SET_CONFIGURATION(value); 0 = none */
	USB_CHANGE_INTERFACE,	  /**< SET_INTERFACE(interface, value) */
	USB_CHANGE_CLEAR_HALT, /**< CLEAR_FEATURE(ENDPOINT_HALT, endpoint): toggle reset as well */
	USB_CHANGE_RESET,      /**< port reset; the configuration in force is set again */
};

/** A change in progress; owned by the submitter until `done`. No transfer of the endpoints
 * concerned may be in flight meanwhile. */
struct usb_change {
	enum usb_change_kind kind;
	uint8_t value;	   /**< bConfigurationValue or bAlternateSetting */
	uint8_t interface; /**< bInterfaceNumber */
	uint8_t endpoint;  /**< bEndpointAddress */
	bool soft;	   /**< CLEAR_HALT: quirk clear-halt=host, reset the host's side only */
	int status; /**< 0 or -errno; -ENODEV after a reset: it came back as another device */
	void (*done)(struct usb_change *change);
	void *owner;
	void *host;
};

struct usb_host_ops {
	const char *name; /**< "libusb", "model" */
	/** Starts a transfer. 0: done will be called; -errno: it will not. Transfers of one
	 * endpoint are carried out in order. */
	int (*submit)(struct usb_host *host, struct usb_transfer *transfer);
	/** Asks to end a transfer early; done comes in any case, -ECANCELED or what really
	 * happened, with what was moved in `actual`. Does nothing for one that is not in flight.
	 * Who ends several of an endpoint begins with the newest: then none begins because the one
	 * before it ended. */
	void (*cancel)(struct usb_host *host, struct usb_transfer *transfer);
	/** Starts a change: 0 or -errno as submit. One at a time a device. */
	int (*change)(struct usb_host *host, struct usb_change *change);
	/** Memory that moves without a copy; NULL where there is none to be had (use malloc). What
	 * was not given back by buffer_free ends with close. Both may be NULL. The kernel may be
	 * unable to pin such memory (usbfs maps it VM_IO): a grant copy of a real Xen into or out
	 * of it fails, only the processor can copy. */
	void *(*buffer_alloc)(struct usb_host *host, size_t size);
	void (*buffer_free)(struct usb_host *host, void *buffer, size_t size);
	/** Cancels what is in flight, calls its done with -ENODEV at the latest before it returns
	 * (it may wait for the machine's USB host controller, at most 2 s), gives the device back
	 * and frees it. */
	void (*close)(struct usb_host *host);
};

/** A device that was opened. */
struct usb_host {
	const struct usb_host_ops *ops;
	char name[64];		     /**< for messages: "3-1.5", "model:disk" */
	enum usb_device_speed speed; /**< low, full, high, super or above */
	/** Device descriptor, then every configuration with all that belongs to it, as the device
	 * gives them and as read() of usbfs does. Lives as long as the device; foreign bytes. */
	const uint8_t *descriptors;
	size_t n_descriptors;
	/** The device vanished (or its model ended): called once, set by who opened it before the
	 * loop runs again. Transfers in flight are done with -ENODEV, before or after it. */
	void (*gone)(struct usb_host *host, void *owner);
	void *owner;
};

#endif
