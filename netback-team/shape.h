/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * shape.h - how fast a guest may send: a token bucket over wire bytes. Pure: time is passed in.
 *
 * Tokens are kept as time: the bucket is full when `full_ns` lies in the past, and each frame moves
 * it forward by its size at the rate. So an idle hour costs nothing and rounding never accumulates.
 * A frame larger than the whole bucket goes when the bucket is full, and what it took too much is
 * waited for afterwards. In any time t go at most max(burst, that frame) + rate * t bytes, to the
 * byte.
 *
 * limit.h builds average, burst and peak out of this; rate= of the toolstack uses it as it is.
 */
#ifndef XB_NET_SHAPE_H
#define XB_NET_SHAPE_H

#include <stdbool.h>
#include <stdint.h>

struct shape {
	uint64_t rate_bps;    /**< bit/s, 0 = unlimited */
	uint64_t burst_bytes; /**< bucket depth */
	uint64_t full_ns;     /**< when the bucket is (was) full */
	uint64_t frac;	      /**< bits * 1e9 not yet turned into ns */
	uint64_t taken_ns;    /**< now_ns of the last shape_take */
	uint64_t from_ns;     /**< full_ns before the first frame that was taken then */
};

/** New rate (bit/s, 0 = unlimited) and burst; what was used so far stays used. burst_bytes is
 * raised to one maximal frame (65535). */
void shape_set(struct shape *shape, uint64_t rate_bps, uint64_t burst_bytes, uint64_t now_ns);
/** The same with the burst as it is given; 0 = a frame goes when all before it is paid for. */
void shape_set_depth(struct shape *shape, uint64_t rate_bps, uint64_t burst_bytes, uint64_t now_ns);
/** When a frame of `bytes` may go: <= now_ns means now. */
uint64_t shape_ready_ns(const struct shape *shape, uint32_t bytes, uint64_t now_ns);
/** Takes the tokens of a frame that goes. */
void shape_take(struct shape *shape, uint32_t bytes, uint64_t now_ns);
/** What was taken at taken_ns went only now: a bucket that was full, or filled up in between, does
 * not gain by that. Frames that were not the last ones taken are left as they are. */
void shape_late(struct shape *shape, uint64_t taken_ns, uint64_t now_ns);
/** Gives back what shape_take took, in the same instant. */
void shape_give(struct shape *shape, uint32_t bytes);

/**
 * Parses the toolstack's rate= value "BYTES,USEC" (bytes per interval, both at least 1); -EINVAL
 * when it is anything else. No limit is a key that is not there, as xl leaves it.
 */
int shape_parse_xl_rate(const char *value, uint64_t *rate_bps, uint64_t *burst_bytes);

#endif
