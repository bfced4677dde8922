/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usbdev.h - a small USB stack of a guest above the PVUSB frontend (usbfront.h): enumeration,
 * control, bulk and interrupt transfers, reset.
 *
 * Theory of Operation. A bus is one virtual controller, a device is what was found at one of its
 * ports. Devices are enumerated in the order that Linux has: 64 bytes of the device descriptor from
 * address 0, SET_ADDRESS, the whole descriptor, the configuration, strings, SET_CONFIGURATION. A
 * port reset is the frontend's own business and never seen by the backend; usb_reset_device shows
 * as the same requests to address 0 again.
 *
 * Everything underneath is asynchronous. The functions that take a deadline wait for their URBs:
 * they run the frontend and sleep by poll(), or by `wait` of the options where a test moves the
 * other side by hand. When the deadline passes, URBs are unlinked; what does not come back within
 * USBDEV_GRACE_NS after that is abandoned and counts as a complaint about the backend.
 *
 * Deadlines are times of the bus's clock. Errors: 0 or -errno as usbfront_urb has them, -ETIMEDOUT,
 * -ENODEV when the device is gone, -EIO when the store is. One thread a bus.
 */
#ifndef XB_TESTS_USBDEV_H
#define XB_TESTS_USBDEV_H

#include "clock.h"
#include "usbdesc.h"
#include "usbfront.h"
#include "util.h"

#define USBDEV_GRACE_NS	  (2 * NSEC_PER_SEC)
#define USBDEV_LIST_URBS  64u /**< a bulk list of usb-storage: 30 URBs for 120 KiB */
#define USBDEV_TEXT_BYTES 256u

struct usbdev_bus;
struct usbdev;

struct usbdev_options {
	struct usbfront_options front; /**< devid, grant_each, evil; callbacks are the bus's */
	struct clock *clock;	       /**< NULL: the machine's */
	/** Bytes of an URB in a bulk list: 4096 as usb-storage has them on xen-hcd; a multiple of
	 * the packet size up to USBFRONT_URB_MAX. 0 = 4096. */
	uint32_t urb_bytes;
	/** Sleeps until something may have happened, at most until deadline_ns; -errno ends the
	 * wait. NULL: poll(). */
	int (*wait)(void *ctx, struct usbdev_bus *bus, uint64_t deadline_ns);
	/** Something about a device or the bus that a person may want to know; NULL. */
	void (*say)(void *ctx, const char *text);
	void *ctx;
};

/** What is known of a device. */
struct usbdev_info {
	unsigned int port;
	uint8_t address;
	enum usb_device_speed speed;
	struct usbdesc_device device;
	struct usbdesc_config config; /**< the first one, which is set */
	char manufacturer[USBDEV_TEXT_BYTES], product[USBDEV_TEXT_BYTES], serial[USBDEV_TEXT_BYTES];
	bool gone; /**< unplugged; it will not come back */
};

/* --- bus --- */

/** Opens a controller; -ENOENT when the toolstack has not written it. */
int usbdev_bus_create(struct usbdev_bus **out, struct xen *xen,
		      const struct usbdev_options *options);
/** Ends at once, with its devices; writes no state. */
void usbdev_bus_destroy(struct usbdev_bus *bus);
/** The frontend underneath. */
struct usbfront *usbdev_bus_front(struct usbdev_bus *bus);
/** Now, by the bus's clock. */
uint64_t usbdev_bus_now(const struct usbdev_bus *bus);
/** Waits until `until` is true; 0, -ETIMEDOUT, -ENOTCONN (closed), -EIO. */
int usbdev_bus_wait(struct usbdev_bus *bus, bool (*until)(void *arg), void *arg,
		    uint64_t deadline_ns);
/** Waits for the connection to the backend. */
int usbdev_bus_connect(struct usbdev_bus *bus, uint64_t deadline_ns);
/** Closes as a driver does: states 5 and 6. */
int usbdev_bus_close(struct usbdev_bus *bus, uint64_t deadline_ns);
/** Waits for a device at the port (plugged) or for none. */
int usbdev_bus_wait_port(struct usbdev_bus *bus, unsigned int port, bool plugged,
			 uint64_t deadline_ns);

/* --- device --- */

/** Waits for a device at the port and enumerates it; with a sentence in error on failure. -EBUSY:
 * there is one open at this port. One that is gone stays its owner's to close. */
int usbdev_open(struct usbdev **out, struct usbdev_bus *bus, unsigned int port,
		uint64_t deadline_ns, char *error, size_t error_size);
/** Forgets the device; none of its URBs may be in flight. */
void usbdev_close(struct usbdev *dev);
/** What is known of it; lives as long as the device. */
const struct usbdev_info *usbdev_info(const struct usbdev *dev);
/** Its bus. */
struct usbdev_bus *usbdev_bus(const struct usbdev *dev);
/** The endpoint among those of the alternate settings in force; NULL where there is none. */
const struct usbdesc_endpoint *usbdev_endpoint(const struct usbdev *dev, uint8_t address);
/** The alternate setting of an interface that is in force. */
uint8_t usbdev_alternate(const struct usbdev *dev, uint8_t interface);

/** One control transfer: bytes moved or -errno. length at most 65535. */
int usbdev_control(struct usbdev *dev, uint8_t request_type, uint8_t request, uint16_t value,
		   uint16_t index, void *data, uint16_t length, uint64_t deadline_ns);
/** One URB on a bulk or interrupt endpoint: bytes moved or -errno. At most USBFRONT_URB_MAX. */
int usbdev_transfer(struct usbdev *dev, uint8_t endpoint, void *data, uint32_t length,
		    uint64_t deadline_ns);
/**
 * Bulk data in a list of URBs of urb_bytes each (IN: SHORT_NOT_OK) that are all queued at once, as
 * Linux does with scatter lists; at most USBDEV_LIST_URBS of them. *moved: bytes. 0, -EREMOTEIO:
 * the device ended early, or -errno.
 */
int usbdev_list(struct usbdev *dev, uint8_t endpoint, void *data, uint32_t length, uint32_t *moved,
		uint64_t deadline_ns);
/** The same with pieces of given lengths, whatever they are. */
int usbdev_pieces(struct usbdev *dev, uint8_t endpoint, void *data, const uint32_t *lengths,
		  unsigned int n, uint32_t *moved, uint64_t deadline_ns);

/** CLEAR_FEATURE(ENDPOINT_HALT), GET_STATUS of an endpoint: 1 halted, 0 not; SET_FEATURE. */
int usbdev_clear_halt(struct usbdev *dev, uint8_t endpoint, uint64_t deadline_ns);
int usbdev_is_halted(struct usbdev *dev, uint8_t endpoint, uint64_t deadline_ns);
int usbdev_set_halt(struct usbdev *dev, uint8_t endpoint, uint64_t deadline_ns);
/** SET_INTERFACE. */
int usbdev_set_interface(struct usbdev *dev, uint8_t interface, uint8_t alternate,
			 uint64_t deadline_ns);
/** usb_reset_device: enumerates again at the same address, checks that it is the same device, sets
 * configuration and alternate settings again. -ENODEV: it is another one now. */
int usbdev_reset(struct usbdev *dev, uint64_t deadline_ns);

/* --- for those who keep URBs of their own --- */

/** An URB for an endpoint of the device; submit it by usbfront_submit. done and ctx are set by the
 * caller. */
void usbdev_urb_init(const struct usbdev *dev, struct usbfront_urb *urb, uint8_t endpoint,
		     void *data, uint32_t length);
/** Waits until none of n URBs is in flight; those that are at the deadline are unlinked, after the
 * grace abandoned: -ETIMEDOUT. */
int usbdev_finish(struct usbdev_bus *bus, struct usbfront_urb *urbs, unsigned int n,
		  uint64_t deadline_ns);
/** Unlinks and waits for all of them. */
int usbdev_cancel(struct usbdev_bus *bus, struct usbfront_urb *urbs, unsigned int n);

#endif
