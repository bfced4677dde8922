/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pool.h - memory of a device's transfers: one block, handed out in runs of slots.
 *
 * A slot holds the largest single request; there are as many as a ring has requests, so each of
 * those can have one, and a merged transfer takes the run that its members would have had. The
 * block comes from the host where that moves data without a copy (usb/host.h).
 */
#ifndef XB_USB_POOL_H
#define XB_USB_POOL_H

#include <stdint.h>

#include "usb/host.h"

#define POOL_SLOTS	16u
#define POOL_SLOT_BYTES (64u << 10)

struct pool {
	struct usb_host *host; /**< who gave the memory, NULL = malloc */
	uint8_t *base;
	uint32_t used; /**< a bit a slot */
};

/** -ENOMEM. */
int pool_init(struct pool *pool, struct usb_host *host);
/** To be called after the host's close, which ends its transfers: no memory may be used any more.
 */
void pool_fini(struct pool *pool);

/** Bytes of the longest run that is free. */
uint32_t pool_room(const struct pool *pool);
/** size > 0 bytes, or NULL. */
uint8_t *pool_get(struct pool *pool, uint32_t size);
/** Gives back what pool_get(size) returned; NULL is legal. */
void pool_put(struct pool *pool, const uint8_t *p, uint32_t size);

#endif
