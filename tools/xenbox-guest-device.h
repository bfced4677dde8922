/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xenbox-guest-device.h - one vif of the played guest: a frontend, a TAP interface, and the frames
 * between them.
 *
 * xenbox-guest.c finds devices and waits for all of them. Frames are read from the TAP directly
 * into granted pages and written to it directly from granted pages. A queue whose ring is full is
 * not read from: the guest's queueing discipline holds the rest.
 */
#ifndef XB_TOOLS_XENBOX_GUEST_DEVICE_H
#define XB_TOOLS_XENBOX_GUEST_DEVICE_H

#include <poll.h>

#include "tests/guest/netfront.h"
#include "xenbox-guest-tap.h"

#define DEVICE_ADDRESSES_MAX 8u
#define DEVICE_FDS_MAX	     (NETFRONT_FDS + NETFRONT_QUEUES_MAX)

struct device_options {
	struct netfront_options netfront;
	const char *pattern; /**< of interface names: "eth%u" or a fixed one */
	unsigned int n_addresses;
	struct tap_address addresses[DEVICE_ADDRESSES_MAX]; /**< of device 0, 1 ... */
};

struct device {
	const struct device_options *options;
	bool used;
	uint32_t devid;
	struct netfront *nf;
	struct tap tap;
	bool readable[NETFRONT_QUEUES_MAX]; /**< the TAP queue has frames, as far as we know */
	bool blocked[NETFRONT_QUEUES_MAX];  /**< the ring is full */
	uint64_t lost;			    /**< frames that one side did not take */
	bool complained;
};

/** Good for an interface name: short, and at most one %u. */
bool device_pattern_ok(const char *pattern);

/** Begins to serve device devid; -ENOENT when the toolstack has not written all of it yet. */
int device_open(struct device *dev, struct xen *xen, const struct device_options *options,
		uint32_t devid);
/** Says what it did, removes the interface. */
void device_close(struct device *dev);

/** Descriptors to wait on (room for DEVICE_FDS_MAX); their number. */
unsigned int device_fds(const struct device *dev, struct pollfd *fds);
/** One turn, with what poll said about device_fds: 1 when there is more to do at once, 0 idle, -EIO
 * the box is gone. */
int device_turn(struct device *dev, const struct pollfd *fds);

#endif
