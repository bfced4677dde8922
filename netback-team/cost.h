/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cost.h - what a frame costs, for limits and for shares. Pure.
 *
 * A frame on the wire is more than its bytes (IEEE 802.3 clause 3, 4.4): padding to 60, FCS 4,
 * preamble and delimiter 8, gap 12. A GSO frame becomes several, and each repeats the headers:
 * 64 KiB at an MSS of 1448 hide 3.7 %.
 */
#ifndef XB_NET_COST_H
#define XB_NET_COST_H

#include <stdint.h>

#define COST_FRAME_MIN	  60u
#define COST_WIRE_EXTRA	  24u
#define COST_FRAME_SHARE  1538u	     /**< share cost of any frame in the unit `frame` */
#define COST_MAX	  0x7ffffffu /**< bytes: a GSO frame with an absurd MSS costs no more */
#define COST_HEADER_GUESS 54u	     /**< Ethernet, IPv4, TCP: before a frame is parsed */

enum cost_unit {
	COST_UNIT_WIRE,	 /**< bytes as above: the default */
	COST_UNIT_BYTE,	 /**< bytes of the Ethernet frame without FCS, those of each segment */
	COST_UNIT_FRAME, /**< shares count frames (segments); limits and minima count wire bytes */
	COST_UNITS,
};

struct cost {
	uint32_t bytes; /**< for rates: average, peak, minimum */
	uint32_t share; /**< for shares */
};

/** NULL-terminated names, index = unit: the choices of a key. */
extern const char *const cost_unit_names[];

/** Frames that one frame of a ring becomes: 1, or the segments of a GSO frame (gso_size > 0 bytes
 * of payload each, header_bytes in front of each). */
uint32_t cost_segments(uint32_t frame_bytes, uint32_t gso_size, uint32_t header_bytes);
/** Cost of a frame of frame_bytes (without FCS). gso_size 0: it goes as it is. */
struct cost cost_of(enum cost_unit unit, uint32_t frame_bytes, uint32_t gso_size,
		    uint32_t header_bytes);

#endif
