/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vlans.h - the VLANs in which an address sent tagged frames, the last few of them. Pure. A struct
 * of zeros knows none. */
#ifndef XB_NET_VLANS_H
#define XB_NET_VLANS_H

#include <stddef.h>
#include <stdint.h>

#define VLANS_MAX 8

struct vlans {
	uint16_t ids[VLANS_MAX]; /**< 1 to 4094; a ring once it is full */
	uint8_t n;
	uint8_t oldest; /**< of ids: is replaced by the next one */
};

/** A frame of the address; its outer tag counts where it is one of IEEE 802.1Q with a VLAN. */
void vlans_note(struct vlans *vlans, const uint8_t *head, size_t head_len);

#endif
