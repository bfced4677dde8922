/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vusb.h - one virtual USB controller of a guest: rings, ports, and the thread that serves them.
 *
 * Theory of Operation
 * A controller has a thread of its own, with an sd_event loop: the event channel, the devices'
 * completions and the mailbox from the control thread are its sources. Rings, ports, devices and
 * transfers belong to that thread alone; there are no locks. The control thread (vusbdev.c) opens
 * and closes the controller, attaches and detaches devices by mail, and hears of what happens by
 * the callbacks below, which run in the control thread.
 *
 * A pass: drain the URB ring (parse, journal, queue by pipe), let each pipe that changed issue what
 * it can (coalesce.h), and before completions are replayed drain the ring again, so that a guest
 * which changed its mind is heard; answer in one batch, notify as the guest asked for.
 *
 * The journal (journal.h) in /run knows which ids are open and what the guest believes of each
 * port; after kill -9 the successor answers every open id once, restores addresses and
 * configurations, and the guest's drivers retry.
 */
#ifndef XB_USB_VUSB_H
#define XB_USB_VUSB_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>
#include <xen/io/usbif.h>

#include "quirk.h"
#include "stats.h"
#include "usb/host.h"
#include "xen/ops.h"

struct clock;
struct mailbox;
struct vusb;

/** What the control thread found out before it connects a controller. */
struct vusb_config {
	uint16_t domid;
	uint32_t devid;
	char name[32]; /**< "vusb3.0", for messages */
	uint32_t urb_ref, conn_ref, event_channel;
	unsigned int usb_version; /**< 1 (full speed at most) or 2 */
	unsigned int n_ports;	  /**< 1 to USBIF_MAX_PORTNR */
	const char
		*journal_dir; /**< directory of the journals, /run/xenback/usb; NULL = keep none */
	bool adopt; /**< the rings are in use already: go on with a predecessor's journal */
};

/** How a device is opened, in the controller's thread. */
struct vusb_device {
	char name[256]; /**< what the administrator calls it: "3-1.5", "model:disk,file=..." */
	struct quirks quirks;
	/** Opens it: 0 and *host, or -errno with a sentence in error. arg is freed with free() by
	 * vusb_attach's caller after it returned. */
	int (*open)(struct usb_host **host, void *arg, sd_event *event, struct clock *clock,
		    char *error, size_t error_size);
	void *arg;
};

/** What a controller tells the control thread, through `mail`. */
struct vusb_events {
	struct mailbox *mail; /**< of the control thread */
	/** The rings are broken or hostile: close the device with this reason. */
	void (*failed)(void *ctx, struct vusb *vusb, const char *why);
	/** The device of a port is gone by itself; the port is free again. */
	void (*gone)(void *ctx, struct vusb *vusb, unsigned int port);
	void *ctx;
};

/** Counters of a controller; written by its thread, read by the control thread. */
struct vusb_stats {
	uint64_t urbs, urb_bytes_in, urb_bytes_out; /**< requests taken, bytes moved for them */
	uint64_t host_transfers;		    /**< what they cost on the host's side */
	uint64_t merged_urbs; /**< requests that shared a transfer with another */
	uint64_t unlinks, resets, stalls, errors;
	uint64_t malformed; /**< requests refused as malformed */
	uint64_t iso_packets, iso_errors;
	uint64_t notifies;				/**< events sent to the guest */
	uint64_t to_idle, to_wait, to_data, to_failure; /**< transitions of the pipes */
	uint64_t in_flight_max;				/**< gauge: most requests held at once */
};
extern const struct stat_desc vusb_stat_descs[];
extern const size_t vusb_n_stat_descs;

/**
 * Maps the rings, binds the event channel, starts the thread. On failure -errno and a sentence in
 * error. events is copied. The xen handle must outlive the controller.
 */
int vusb_open(struct vusb **out, struct xen *xen, struct clock *clock,
	      const struct vusb_config *config, const struct vusb_events *events, char *error,
	      size_t error_size);
/** Ends the thread, closes devices, unbinds, unmaps. Open requests are answered if that is still
 * possible. keep: the guest goes on with our successor, so the journal stays and nothing is
 * answered. */
void vusb_close(struct vusb *vusb, bool keep);

/**
 * Opens the device (in the controller's thread) and plugs it into port (1 to n_ports). -EBUSY: the
 * port is taken; -EPROTONOSUPPORT: too fast for this controller (usb-ver 1); else what `open` said;
 * with a sentence in error.
 */
int vusb_attach(struct vusb *vusb, unsigned int port, const struct vusb_device *device, char *error,
		size_t error_size);
/** Unplugs the port and closes its device: open requests end with -ENODEV. Nothing when it is free
 * already. */
void vusb_detach(struct vusb *vusb, unsigned int port);

/** Counters; lives as long as the controller. */
const struct vusb_stats *vusb_stats(const struct vusb *vusb);

/**
 * State for people, asked in the thread: {"requests": 3, "ring_slots": 16, "ports": [{"port": 1,
 * "device": "3-1.5", "id": "0951:1666", "speed": "high", "address": 2, "configuration": 1,
 * "quirks": "no-merge", "pipes": [{"endpoint": "0x81", "type": "bulk", "state": "DATA", "urbs":
 * 812, "transfers": 51, "bytes": ..., "transitions": {"IDLE->WAIT": 3, ...}}]}]}. New reference.
 */
json_t *vusb_to_json(struct vusb *vusb);

#endif
