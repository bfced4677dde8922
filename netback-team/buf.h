/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * buf.h - frame buffers of one worker: locked, page-aligned, of two sizes, bounded.
 *
 * A big buffer holds any frame (its data begins on a page, so that a page of data is one segment of
 * a grant copy); a small one holds what fits into 3.8 KiB. Free buffers are kept last-in first-out:
 * the next one is warm in the cache. One thread, no malloc after creation.
 */
#ifndef XB_NET_BUF_H
#define XB_NET_BUF_H

#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BUF_BIG_DATA   69632u /**< data bytes of a big buffer: a 64 KiB GSO frame and its headers */
#define BUF_SMALL_DATA 3840u
/** Room in front of the data, for a VLAN tag that the kernel took off. */
#define BUF_HEADROOM 128u

struct buf {
	struct buf *next; /**< in the free list, or in the queue that holds it */
	uint8_t *data;	  /**< BUF_HEADROOM bytes in front are ours too */
	bool big;
	/* Of a frame that waits in a queue: */
	uint8_t *start; /**< its first byte, within headroom and data */
	uint32_t len;
	uint64_t queued_ns;
	struct virtio_net_hdr vnet;
};

struct buf_pool;

/** n_big * 72 KiB + n_small * 4 KiB of address space; memory is used (and locked) on first touch.
 * NULL: no memory. */
struct buf_pool *buf_pool_create(unsigned int n_big, unsigned int n_small);
void buf_pool_destroy(struct buf_pool *pool);

/** A buffer for `bytes` of data, NULL when there is none left (or bytes > BUF_BIG_DATA). */
struct buf *buf_get(struct buf_pool *pool, size_t bytes);
void buf_put(struct buf_pool *pool, struct buf *buf);
/** Bytes that fit into the free buffers of the size that a frame of `bytes` needs. */
uint64_t buf_pool_room(const struct buf_pool *pool, size_t bytes);
/** Buffers not in use. */
unsigned int buf_pool_free(const struct buf_pool *pool);

#endif
