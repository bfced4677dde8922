/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ecn.h - Congestion Experienced on frames that have to wait (RFC 3168). Pure.
 *
 * A sender that understands ECN slows down when a router marks its packets, instead of waiting for
 * one to be lost. We are that router for what a guest receives: guest_wait.c marks.
 */
#ifndef XB_NET_ECN_H
#define XB_NET_ECN_H

#include <stdbool.h>
#include <stdint.h>

/**
 * Marks an Ethernet frame of len bytes (up to two VLAN tags) that carries ECN-capable IPv4 or IPv6
 * (codepoints ECT(0), ECT(1)), and corrects the checksum of the IPv4 header (RFC 1624). True when
 * it did; false and nothing changed for all other frames, marked ones among them.
 */
bool ecn_mark(uint8_t *frame, uint32_t len);

#endif
