/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * csum.h - the Internet checksum (RFC 1071) as sums in memory order. Pure.
 *
 * Sums are not folded until the end, so that pieces (pseudo-header, header, payload) add up. Adding
 * in the machine's byte order gives the result in the frame's byte order (RFC 1071 section 2 B):
 * nothing is swapped.
 */
#ifndef XB_NET_CSUM_H
#define XB_NET_CSUM_H

#include <stddef.h>
#include <stdint.h>

/** Adds len bytes to a sum that began as 0. Only the last piece may have an odd length. Up to 2^31
 * bytes in all. */
uint64_t csum_add(uint64_t sum, const void *data, size_t len);

/** The 16-bit one's complement sum, to be stored as it is (memcpy); its complement is the checksum.
 */
static inline uint16_t csum_fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

#endif
