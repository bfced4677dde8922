/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * switch_copy.h - frames that come in by two ways (R8 of switch.h): which of them is a copy. Pure.
 *
 * The last frames are remembered by a hash of their first bytes, with how often each came by one
 * way and by the other: a sender may repeat itself, and then the first ones of both ways are one
 * frame, and so on.
 */
#ifndef XB_NET_SWITCH_COPY_H
#define XB_NET_SWITCH_COPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SWITCH_COPIES  64u	    /**< frames that are remembered */
#define SWITCH_COPY_NS 100000000ull /**< copies of a frame arrive within so long */

struct switch_copies {
	uint64_t salt; /**< of the hash, set by the owner */
	struct {
		uint64_t hash, first_ns;
		uint32_t n[2]; /**< by way */
	} frames[SWITCH_COPIES];
};

/** Notes the frame, which came by this way; has it come by the other one already? */
bool switch_copy_is_second(struct switch_copies *copies, bool way, const uint8_t *head, size_t len,
			   uint64_t now_ns);

#endif
