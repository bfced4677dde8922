/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dos_frame.h - an Ethernet frame as dos.[ch] counts it: addresses, ports, flags, packets on the
 * wire. Pure; frame.[ch] has found the headers.
 */
#ifndef XB_NET_DOS_FRAME_H
#define XB_NET_DOS_FRAME_H

#include "dos.h"
#include "frame.h"

/**
 * Fills packet from the first head_len bytes of a frame of `total` bytes, of which frame_parse made
 * info (it returned true for the same bytes). gso_size: of a frame that becomes several, else 0.
 * packet->payload points into head: it lives as long as that. Not spoofed: the caller knows better.
 * Frames without IP get proto 0, IP without a protocol IPPROTO_NONE. IPv4 later fragments keep
 * their protocol, IPv6 ones have IPPROTO_FRAGMENT.
 */
void dos_frame_read(struct dos_packet *packet, const uint8_t *head, size_t head_len, size_t total,
		    const struct frame_info *info, uint16_t gso_size);

#endif
