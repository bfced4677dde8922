/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * model.h - what a device model is to the adapter that makes a USB device of it (model_host.h).
 * Pure.
 *
 * A model answers class and vendor requests and moves the bytes of its endpoints. The rest is the
 * adapter's: queues, standard requests, halted endpoints, intervals, time, callbacks. Of each
 * endpoint only the transfer at the head of the queue is offered to the model, again and again
 * until it is done; each time the model moves what it can and adds it to `actual`.
 *
 * Packets: a transfer is a row of packets of wMaxPacketSize. A shorter packet ends it, also an
 * empty one; a transfer whose buffer is exactly full is done as well, and the next one goes on
 * where it ended.
 */
#ifndef XB_MODEL_H
#define XB_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model_ch9.h"
#include "model_desc.h"
#include "usb/host.h"

struct model;

enum model_verdict {
	MODEL_WAIT, /**< not yet: no data, no room, or the endpoint was halted meanwhile */
	MODEL_DONE, /**< transfer->status is set, the transfer is over */
};

struct model_ops {
	/** Interrupt transfers are filled packet by packet; else each takes one message. */
	bool fills_packets;
	/**
	 * A class or vendor request. data: setup->wLength bytes, sent by the host or room for the
	 * reply. The bytes moved (at most wLength), or -EPIPE: not a request of this device.
	 */
	int (*control)(void *self, const struct usb_ctrlrequest *setup, uint8_t *data);
	/** Moves what it can of the transfer at the head of its endpoint's queue. */
	enum model_verdict (*transfer)(void *self, struct usb_transfer *transfer, uint64_t now_ns);
	/** The host configured the device anew, set an interface or reset the port: what was going
	 * on is forgotten, endpoints are not halted any more. */
	void (*reset)(void *self);
	/** Memory of the transfer is in use by another thread; it is offered again when that ends.
	 * May be NULL: never. */
	bool (*busy)(const void *self, const struct usb_transfer *transfer);
	/** The host wants to end the halt of an endpoint; false: it stays halted. May be NULL:
	 * true. */
	bool (*clear_halt)(void *self, uint8_t endpoint);
	/** When the model has something to do by itself; may be NULL: never. */
	uint64_t (*deadline_ns)(const void *self);
	void (*tick)(void *self, uint64_t now_ns);
	/** Ends threads, closes files, frees self. */
	void (*destroy)(void *self);
};

/** A model with its device; the adapter's, filled by the model's create function. */
struct model {
	const struct model_ops *ops;
	void *self;
	struct model_desc desc;
	struct model_ch9 ch9; /**< the adapter's; a model halts its endpoints by model_ch9_halt */
	/** Set by the adapter: look at the transfers again, something changed. From the loop's
	 * thread, never from inside an op. */
	void (*kick)(struct model *model);
};

#endif
