/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usbfront.h - a complete PVUSB frontend over struct xen_ops: what the guest's host controller
 * driver does, well or badly (Xen public io/usbif.h).
 *
 * Works on the fake, in the box and on the real Xen. The guest's USB stack (usbdev.h) stands above
 * it; tests and benchmarks may use it alone.
 *
 * Theory of Operation. One object is one virtual controller. It never blocks and has no time of its
 * own: the caller waits on its descriptors and calls usbfront_run. The handshake is that of Linux's
 * xen-hcd: 1, wait for a backend in 2, 3 or 4, two ring references and a port in one transaction,
 * 4; a backend in 5 or 6 ends it. The URB ring has 16 slots; URBs that find it full wait in order.
 * Each slot has 16 pages, granted once and reused (or, with `grant_each`, granted for each URB as
 * xen-hcd does, which shows whether the backend let go of them before it answered). An unlink takes
 * a slot of its own; the URB comes back when the backend answers *it*. Port events come in the conn
 * ring, whose 512 requests are posted in advance.
 *
 * Callbacks come from usbfront_run only. As a frontend should, it also checks the backend: every
 * rule that the backend breaks is counted in `complaints`.
 *
 * One thread a usbfront. Errors: 0 or -errno.
 */
#ifndef XB_TESTS_USBFRONT_H
#define XB_TESTS_USBFRONT_H

#include <linux/usb/ch9.h>
#include <stdbool.h>
#include <stdint.h>

#include "xen/ops.h"
#include "xen/ring.h"

#define USBFRONT_SLOTS	    16u
#define USBFRONT_SLOT_PAGES 16u
#define USBFRONT_CONN_SLOTS 512u
#define USBFRONT_PORTS_MAX  31u
#define USBFRONT_URB_MAX    (USBFRONT_SLOT_PAGES * XEN_PAGE_SIZE)
#define USBFRONT_FDS	    2u

struct usbfront;

/** A packet of an isochronous URB: its place in the URB's data, and what became of it. */
struct usbfront_packet {
	uint32_t offset, length;
	uint32_t actual;
	int32_t status; /**< 0 or -errno, as the backend wrote it */
};

/** Where an URB is. */
enum usbfront_urb_state {
	USBFRONT_URB_IDLE,    /**< the caller's */
	USBFRONT_URB_PENDING, /**< waits for a slot */
	USBFRONT_URB_SENT,    /**< in the ring */
	USBFRONT_URB_UNLINK,  /**< in the ring, asked back */
	USBFRONT_URB_GIVEN,   /**< ended, `done` comes */
};

/** One request; it and its memory belong to the caller, who keeps both until `done`. */
struct usbfront_urb {
	uint8_t port;	  /**< 1 to 31 */
	uint8_t address;  /**< device address, 0 to 127 */
	uint8_t endpoint; /**< number, and USB_DIR_IN; control: number only */
	uint8_t type;	  /**< USB_ENDPOINT_XFER_* (USB 2.0 table 9-13) */
	bool short_not_ok;
	uint16_t interval;		 /**< interrupt, isochronous: bInterval in ms */
	struct usb_ctrlrequest setup;	 /**< control: as on the wire */
	uint8_t *data;			 /**< copied when it is sent and when it is done */
	uint32_t length;		 /**< bytes; with `offset` at most 16 pages */
	uint16_t offset;		 /**< where in its first page the data begins */
	struct usbfront_packet *packets; /**< isochronous */
	uint32_t n_packets;
	uint16_t packets_offset; /**< where in their page the packets' descriptors begin; Linux
				    has them inside its URB, so anywhere */
	void (*done)(struct usbfront_urb *urb); /**< exactly once for each URB that submit took */
	void *ctx;

	/** 0 or -errno: -EPIPE stall, -EOVERFLOW, -EPROTO, -ENODEV, -EINVAL, -ESHUTDOWN;
	 * -EREMOTEIO short although short_not_ok; -ECONNRESET unlinked. */
	int status;
	uint32_t actual;      /**< bytes moved */
	uint32_t n_errors;    /**< isochronous: packets that failed */
	uint16_t start_frame; /**< isochronous */

	enum usbfront_urb_state state; /* from here on: usbfront's own */
	unsigned int slot;
	struct usbfront_urb *prev, *next;
};

/** What a guest may do wrong. Kinds of the store show at the next handshake, the others once, as
 * soon as it is connected (and the target's port is, where they need a device). Some are legal but
 * unusual. */
enum usbfront_evil {
	USBFRONT_EVIL_NONE,
	USBFRONT_EVIL_GREF_IN,	 /**< a page that was never granted, to be written */
	USBFRONT_EVIL_GREF_OUT,	 /**< ..., to be read */
	USBFRONT_EVIL_GREF_LAST, /**< 16 segments, the last one of them so */
	USBFRONT_EVIL_READ_ONLY, /**< IN data to a page granted read-only */
	USBFRONT_EVIL_OVERRUN,	 /**< offset + length beyond the page */
	USBFRONT_EVIL_OFFSET,	 /**< offset 65535 */
	USBFRONT_EVIL_LENGTH,	 /**< length 65535 */
	USBFRONT_EVIL_SEGS_17,	 /**< more segments than a request has */
	USBFRONT_EVIL_SEGS_65535,
	USBFRONT_EVIL_SEGS_0,	   /**< a length without segments */
	USBFRONT_EVIL_EMPTY_SEGS,  /**< 16 segments of length 0 (legal) */
	USBFRONT_EVIL_BUFFER_MORE, /**< buffer_length is more than the segments hold */
	USBFRONT_EVIL_BUFFER_LESS, /**< ... less */
	USBFRONT_EVIL_FLAGS,	   /**< every transfer flag (others than bit 0 mean nothing) */
	USBFRONT_EVIL_PIPE_BITS,   /**< the pipe's reserved bits */
	USBFRONT_EVIL_PORT_0,
	USBFRONT_EVIL_PORT_31,	   /**< above num-ports */
	USBFRONT_EVIL_PORT_EMPTY,  /**< a port without a device */
	USBFRONT_EVIL_ADDRESS,	   /**< an address that no device has */
	USBFRONT_EVIL_ENDPOINT,	   /**< an endpoint that the device has not */
	USBFRONT_EVIL_TYPE,	   /**< isochronous on a bulk endpoint */
	USBFRONT_EVIL_BULK_0,	   /**< bulk to address 0 */
	USBFRONT_EVIL_DIRECTION,   /**< the pipe says OUT, the setup packet IN */
	USBFRONT_EVIL_SETUP_MORE,  /**< wLength is more than the data */
	USBFRONT_EVIL_SETUP_LESS,  /**< ... less */
	USBFRONT_EVIL_SETUP_64K,   /**< a control transfer of 65535 bytes */
	USBFRONT_EVIL_ADDRESS_128, /**< SET_ADDRESS beyond what there is */
	USBFRONT_EVIL_ADDRESS_65535,
	USBFRONT_EVIL_ADDRESS_0,  /**< SET_ADDRESS(0) */
	USBFRONT_EVIL_CONFIG_255, /**< SET_CONFIGURATION of one that is not there */
	USBFRONT_EVIL_INTERFACE_255,
	USBFRONT_EVIL_HALT_15,	/**< CLEAR_FEATURE(HALT) of an endpoint that is not there */
	USBFRONT_EVIL_ID_TWICE, /**< two requests with one id */
	USBFRONT_EVIL_ID_ALL,	/**< 16 requests with one id */
	USBFRONT_EVIL_ID_65535, /**< an id beyond the slots (legal) */
	USBFRONT_EVIL_UNLINK_UNKNOWN,
	USBFRONT_EVIL_UNLINK_SELF, /**< an unlink of its own id */
	USBFRONT_EVIL_UNLINK_TWICE,
	USBFRONT_EVIL_UNLINK_JUNK,  /**< port 0, address 0, stale segments */
	USBFRONT_EVIL_UNLINK_STORM, /**< a ring of unlinks, 200 times */
	USBFRONT_EVIL_ISO_PACKETS_0,
	USBFRONT_EVIL_ISO_PACKETS_65535,
	USBFRONT_EVIL_ISO_DESC_0,     /**< no segments for the packets' descriptors */
	USBFRONT_EVIL_ISO_DESC_16,    /**< data and descriptor segments are more than 16 */
	USBFRONT_EVIL_ISO_DESC_SHORT, /**< more packets than their descriptors have room for */
	USBFRONT_EVIL_ISO_OFFSET,     /**< a packet beyond the data */
	USBFRONT_EVIL_ISO_LENGTH,     /**< a packet of 4 GiB */
	USBFRONT_EVIL_ISO_OVERLAP,    /**< all packets in one place */
	USBFRONT_EVIL_ISO_GREF,	      /**< descriptors in a page never granted */
	USBFRONT_EVIL_ISO_READ_ONLY,  /**< ... in one granted read-only */
	USBFRONT_EVIL_ISO_REWRITE,    /**< descriptors that change meanwhile */
	USBFRONT_EVIL_REWRITE,	      /**< slots that change while the backend reads them */
	USBFRONT_EVIL_REVOKE,	      /**< a grant that ends after the push */
	USBFRONT_EVIL_REQ_PROD,	      /**< request index 1000 ahead */
	USBFRONT_EVIL_RSP_PROD,	      /**< the backend's index overwritten */
	USBFRONT_EVIL_CONN_PROD,      /**< conn ring's request index 10000 ahead */
	USBFRONT_EVIL_CONN_NONE,      /**< no place for port events, ever (from the connect on) */
	USBFRONT_EVIL_HOG,	      /**< a ring full of requests that wait for data, kept */
	USBFRONT_EVIL_EVENTS,	      /**< 100000 events without a reason */
	USBFRONT_EVIL_STATES,	      /**< 5000 writes to the state node */
	USBFRONT_EVIL_RESET,	      /**< state 1 without closing, then a new handshake */
	USBFRONT_EVIL_VANISH,	      /**< the state node is removed */
	USBFRONT_EVIL_STORE_FIRST,    /* from here on: keys */
	USBFRONT_EVIL_REF_TEXT = USBFRONT_EVIL_STORE_FIRST, /**< references that are no numbers */
	USBFRONT_EVIL_REF_HUGE,				    /**< beyond 32 bits */
	USBFRONT_EVIL_REF_WRONG,			    /**< not granted */
	USBFRONT_EVIL_REF_MISSING,
	USBFRONT_EVIL_PORT_WRONG,
	USBFRONT_EVIL_PORT_MISSING,
	USBFRONT_EVIL_PROTOCOL,	   /**< a key `protocol` with nonsense */
	USBFRONT_EVIL_LONG_VALUES, /**< 2000 bytes in every key */
	USBFRONT_EVIL_COUNT
};

/** "gref-in" ...; NULL for NONE and beyond COUNT. */
const char *usbfront_evil_name(enum usbfront_evil kind);
/** One of the names; -EINVAL where there is no such kind. */
int usbfront_evil_parse(const char *name, enum usbfront_evil *kind);

/** Where evil requests go; zero: not there, control requests to address 0 instead. */
struct usbfront_target {
	uint8_t port, address;
	uint8_t bulk_in, bulk_out, iso_in; /**< endpoint addresses */
};

enum usbfront_state {
	USBFRONT_STATE_WAITING,	   /**< Initialising: for the backend's InitWait */
	USBFRONT_STATE_CONNECTING, /**< Connected: for the backend's Connected */
	USBFRONT_STATE_RUNNING,	   /**< both are Connected */
	USBFRONT_STATE_CLOSING,	   /**< usbfront_close: 5 written, for the backend's answer */
	USBFRONT_STATE_CLOSED,	   /**< Closed; usbfront_reopen begins anew */
};
/** A word for it. */
const char *usbfront_state_name(enum usbfront_state state);

struct usbfront_options {
	uint32_t devid;	 /**< /local/domain/N/device/vusb/DEVID */
	bool grant_each; /**< pages are granted for each URB and taken back at its end */
	enum usbfront_evil evil;
	/** A port's device came (speed USB_SPEED_LOW, FULL, HIGH) or went (USB_SPEED_UNKNOWN). Its
	 * URBs are the caller's to unlink. May be NULL. */
	void (*port)(void *ctx, unsigned int port, enum usb_device_speed speed);
	/** The state changed; `why` is static text. NULL: not wanted. */
	void (*changed)(void *ctx, enum usbfront_state state, const char *why);
	void *ctx;
};

struct usbfront_info {
	enum usbfront_state state;
	unsigned int n_ports;	  /**< 1 to 31 */
	unsigned int usb_version; /**< 1 or 2 */
	char frontend[64];	  /**< /local/domain/3/device/vusb/0 */
	char backend[128];
	uint16_t backend_domid;
	enum usb_device_speed speeds[USBFRONT_PORTS_MAX + 1]; /**< by port; UNKNOWN: nobody there */
};

struct usbfront_stats {
	uint64_t urbs, urb_bytes; /**< sent; bytes moved */
	uint64_t unlinks;
	uint64_t responses; /**< of URBs and unlinks */
	uint64_t failed;    /**< URBs that ended with another status than 0 */
	uint64_t iso_packets, iso_errors;
	uint64_t connects, disconnects;
	uint64_t repeats;    /**< port events that said what was known */
	uint64_t events;     /**< received */
	uint64_t spurious;   /**< received without a new response */
	uint64_t notifies;   /**< sent */
	uint64_t full;	     /**< URBs that had to wait for a slot */
	uint64_t complaints; /**< times the backend broke the protocol */
	char complaint[128]; /**< the first of them, "" = none */
};

/** Opens the device; -ENOENT when the toolstack has not written it (completely), -EINVAL when what
 * it wrote is wrong. Call usbfront_run at once and after every wake. */
int usbfront_create(struct usbfront **out, struct xen *xen, const struct usbfront_options *options);
/** Frees everything at once, writes no state, calls nobody: a guest that dies. */
void usbfront_destroy(struct usbfront *front);

/** Descriptors to wait on for POLLIN; their number. They stay the same until usbfront_destroy. */
unsigned int usbfront_fds(const struct usbfront *front, int fds[USBFRONT_FDS]);

/** Handles store events, the event channel and the rings, and calls back. 1 when there may be more
 * to do at once, 0 when not, -EIO when the store is lost. Call it also after usbfront_unlink. */
int usbfront_run(struct usbfront *front);

/** What is known of the device; lives as long as it. */
const struct usbfront_info *usbfront_info(const struct usbfront *front);
/** Counters; live as long as the device. */
const struct usbfront_stats *usbfront_stats(const struct usbfront *front);

/** Sends an URB, or queues it behind those that wait for a slot. -ENOTCONN: not connected, -EBUSY:
 * it is in flight, -EINVAL: a field is out of its range, -E2BIG: more than 16 pages with its
 * packets' descriptors. */
int usbfront_submit(struct usbfront *front, struct usbfront_urb *urb);
/** Asks an URB back; done comes with -ECONNRESET, or with what happened instead. Nothing when it is
 * not in flight. */
void usbfront_unlink(struct usbfront *front, struct usbfront_urb *urb);
/** Forgets an URB that the backend does not give back: done is not called, its memory is free at
 * once, its slot when the backend answers. A complaint where the backend was asked for it. */
void usbfront_abandon(struct usbfront *front, struct usbfront_urb *urb);
/** URBs that `done` was not called for. */
unsigned int usbfront_in_flight(const struct usbfront *front);

/** Begins the clean way out: 5, the backend's answer, 6, its answer, then USBFRONT_STATE_CLOSED;
 * URBs come back with -ESHUTDOWN. */
int usbfront_close(struct usbfront *front);
/** From CLOSED: state 1 and a new handshake, with new rings. -EINVAL elsewhere. */
int usbfront_reopen(struct usbfront *front);

/** Does it as soon as it can, see enum usbfront_evil. */
int usbfront_misbehave(struct usbfront *front, enum usbfront_evil kind);
/** Says which device evil requests are for; default: port 1, address 0. */
void usbfront_aim(struct usbfront *front, const struct usbfront_target *target);
/** True while a misbehaviour is still to be done, or goes on by itself. */
bool usbfront_evil_busy(const struct usbfront *front);

#endif
