/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * claims.h - which guest claims which IPv4 address: learned from ARP, for announcements.
 * Pure: time is passed in.
 *
 * Theory of Operation: a guest whose ARP frame names its own address as the sender's claims the
 * sender's IPv4 address (RFC 826); a probe (RFC 5227 1.1) has none and claims nothing. An address
 * belongs to one MAC: who claims it last. A claim by anybody who is no guest, as a virtual address
 * has it that moved to another host, ends the guest's, which could otherwise steal the address
 * back. A claim is also forgotten with its guest, after CLAIMS_AGE_NS, and, being the oldest, for
 * want of room. A guest that is wrongly forgotten is announced by RARP until its next ARP frame.
 *
 * ARP frames with a VLAN tag are not looked at: there guests are announced by RARP (announce.h).
 */
#ifndef XB_NET_CLAIMS_H
#define XB_NET_CLAIMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLAIMS_MAX     4096u
#define CLAIMS_PER_MAC 4u
/** Hosts ask, or are asked, anew for a neighbour in use about every minute (RFC 1122 2.3.2.1; BSD:
 * every 20); what nobody spoke of for so long was probably given up, and must not be announced. */
#define CLAIMS_AGE_NS 600000000000ull

struct claims;

struct claims *claims_create(void);
void claims_destroy(struct claims *claims);

/**
 * An ARP frame, or any other, which is ignored. guest: number (0 ...) of the guest that sent it
 * with an address that is its own; -1: it came from the network, or from a guest with an address
 * that is not known to be its own.
 */
void claims_learn(struct claims *claims, int guest, const uint8_t *head, size_t head_len,
		  uint64_t now_ns);
/** The guest is gone. */
void claims_forget(struct claims *claims, int guest);

/** The addresses (host order) that mac claims now; returns their number. claims NULL: none. */
unsigned int claims_of(const struct claims *claims, const uint8_t mac[6],
		       uint32_t ipv4[CLAIMS_PER_MAC], uint64_t now_ns);
/** Does mac claim this one now? claims NULL: no. */
bool claims_has(const struct claims *claims, const uint8_t mac[6], uint32_t ipv4, uint64_t now_ns);

#endif
