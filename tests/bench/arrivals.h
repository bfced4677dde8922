/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * arrivals.h - frames that arrive on an interface, with the kernel's times (CLOCK_REALTIME).
 *
 * Theory of Operation: an AF_PACKET ring of heads (packet_mmap). The kernel writes the head while
 * the frame arrives and is done with the frame: measuring keeps no memory of frames, and wakes
 * nobody, for whoever looks sleeps on a clock. Both would be paid by whoever sends: a wake-up, and
 * pages that the allocator has not used lately, cost more than 100 us a frame on some virtual
 * machines.
 */
#ifndef XB_BENCH_ARRIVALS_H
#define XB_BENCH_ARRIVALS_H

#include <stdint.h>

#define ARRIVALS_LOOK_MS 1 /* how often to look */

struct arrivals {
	const char *iface;
	int fd;
	uint8_t *ring;
	unsigned int next;
};

struct arrival {
	uint64_t at_ns;
	uint32_t bytes;		 /**< without check sequence; of a GSO frame: the whole */
	uint16_t gso_size, head; /**< bytes; of a GSO frame */
	const uint8_t *data;	 /**< the first 64 bytes at least, where there are so many */
};

/** From now on. Ends the program after a message where that cannot be. */
void arrivals_open(struct arrivals *arrivals, const char *iface);
/** Calls fn for each frame since the last call, then waits for ARRIVALS_LOOK_MS. Ends the program
 * after a message when frames were lost because nobody looked for too long. */
void arrivals_look(struct arrivals *arrivals, void (*fn)(void *ctx, const struct arrival *arrival),
		   void *ctx);
void arrivals_close(struct arrivals *arrivals);

#endif
