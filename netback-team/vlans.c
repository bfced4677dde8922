/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vlans.c - see vlans.h. */
#include "vlans.h"

#include "frame.h"
#include "util.h"

#define RESERVED 0xfff

void vlans_note(struct vlans *vlans, const uint8_t *head, size_t head_len)
{
	const uint16_t id = head_len >= FRAME_ETH_LEN + FRAME_TAG_LEN ? frame_vlan(head) : 0;

	if (id == 0 || id == RESERVED) /* none, or a priority only; IEEE 802.1Q table 9-2 */
		return;
	for (unsigned int i = 0; i < vlans->n; i++)
		if (vlans->ids[i] == id)
			return;
	vlans->ids[vlans->oldest] = id;
	vlans->oldest = (uint8_t)((vlans->oldest + 1) % VLANS_MAX);
	vlans->n = (uint8_t)MIN(vlans->n + 1, VLANS_MAX);
}
