/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * frame-build.h - frames for tests, built byte by byte by code that shares nothing with
 * netback-team/: checksums by the 16-bit loop of RFC 1071.
 */
#ifndef XB_TEST_FRAME_BUILD_H
#define XB_TEST_FRAME_BUILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "netback-team/frame.h"

#define FIN 0x01
#define SYN 0x02
#define PSH 0x08
#define ACK 0x10
#define CWR 0x80

/* What a frame is made of. */
struct spec {
	int version;
	unsigned int n_vlans;
	unsigned int ip_options; /* bytes: IPv4 options, or IPv6 destination options */
	bool routing;		 /* IPv6: a routing header that is not at its end */
	uint8_t proto;
	unsigned int tcp_options; /* bytes */
	uint16_t ip_id;
	uint32_t seq;
	uint8_t flags;
};
/* TCP or UDP over IPv4 or IPv6, nothing special */
extern const struct spec tcp4, tcp6, udp4, udp6;

/* Where things are in a built frame. */
struct layout {
	size_t l3, l4, payload;
	uint16_t pseudo; /* sum of the pseudo-header */
};

/* The state of rnd(). */
extern uint64_t seed;
/* A pseudo-random number in [0, below). */
uint32_t rnd(uint32_t below);

void put16(uint8_t *p, uint32_t v);
uint32_t get16(const uint8_t *p);

/* RFC 1071 as it is written: 16-bit words, most significant byte first, carries folded at once. */
uint16_t ref_sum(uint32_t sum, const uint8_t *p, size_t n);

/* A whole frame with complete checksums; returns its length. */
size_t build(const struct spec *s, const uint8_t *payload, size_t n, uint8_t *out,
	     struct layout *at);

/* Headers of all kinds and sizes. */
struct spec random_spec(uint8_t proto);

/* A copy whose last byte is the last of its allocation: sanitizers see each byte too far. */
uint8_t *exact(const uint8_t *bytes, size_t n);

/* Parses such a copy. */
void parse_exact(const uint8_t *bytes, size_t n, struct frame_info *info);

#endif
