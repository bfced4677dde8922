/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * load-frames.h - the frames that bench-vif-load sends: written once into granted pages, then sent
 * again and again by requests alone (tests/guest/ring_fill.h).
 */
#ifndef XB_BENCH_LOAD_FRAMES_H
#define XB_BENCH_LOAD_FRAMES_H

#include <stdint.h>

#include "xen/ring.h"

#define LOAD_PAGES 256u /**< as many as a TX ring has slots */
#define LOAD_SIZES 4u

/** Frames of these sizes, in turn. One of over 1514 bytes is TCP with GSO, the others are UDP. */
struct load_mix {
	const char *name;
	unsigned int n;
	uint32_t sizes[LOAD_SIZES];
};

/** bulk, small, full, frames, mixed. NULL: no such name. */
const struct load_mix *load_mix_find(const char *name);
/** Ring slots of the frame with the most of them; of all sizes once, and bytes of these. */
unsigned int load_mix_slots_max(const struct load_mix *mix);
unsigned int load_mix_slots(const struct load_mix *mix);
uint32_t load_mix_bytes(const struct load_mix *mix);

struct load_frames {
	uint8_t *pages;	      /**< LOAD_PAGES, the caller's */
	const uint32_t *refs; /**< grants of them */
	const struct load_mix *mix;
	unsigned int page, size; /**< of the next frame */
};

/** Fills the pages. Frames go from 10.77.1.DOMID, ports 40000 to 40015, to 10.77.1.254. */
void load_frames_write(struct load_frames *frames, const struct load_mix *mix, const uint8_t dst[6],
		       const uint8_t src[6], uint16_t domid);
/** Puts the next frame into a ring that has room for it; its bytes on the wire (cost.h). */
uint32_t load_frames_put(struct load_frames *frames, struct ring_front *ring);

#endif
