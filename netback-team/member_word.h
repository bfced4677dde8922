/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * member_word.h - the words of the key `members`: interfaces by name, or by patterns of their name,
 * MAC or place on the PCI bus. Pure.
 *
 * NAME, or a shell pattern (* ? []) of names; mac:AA:BB:CC:DD:EE:FF;
 * pci:DOMAIN:BUS:DEVICE.FUNCTION, each part of which may be a pattern. After any of them :PRIORITY,
 * 0 to 255, and then any number of /KEY=VALUE, which are the caller's to understand. Interfaces
 * that are called "mac" or "pci" can be named all the same, where what follows is no address.
 */
#ifndef XB_NET_MEMBER_WORD_H
#define XB_NET_MEMBER_WORD_H

#include <stdbool.h>
#include <stdint.h>

#include "seat.h"

#define MEMBER_BUS_MAX	  32
#define MEMBER_TRAITS_MAX 48

enum member_word_kind {
	MEMBER_WORD_NAME,
	MEMBER_WORD_GLOB,
	MEMBER_WORD_MAC,
	MEMBER_WORD_PCI,
};

struct member_word {
	enum member_word_kind kind;
	char text[MEMBER_BUS_MAX]; /**< NAME, GLOB: up to TEAM_NIC_NAME_MAX - 1; PCI: the pattern */
	uint8_t mac[6];
	uint8_t priority;
	char traits[MEMBER_TRAITS_MAX]; /**< "/KEY=VALUE/KEY=VALUE", "" = none */
};

/** An interface as patterns see it. */
struct member_id {
	char name[TEAM_NIC_NAME_MAX];
	uint8_t mac[6];
	char bus[MEMBER_BUS_MAX]; /**< "0000:3b:00.1"; "" = not on a bus */
};

/** True and the next word; false at the end, or (*bad, *rest at it) where a word is none of these.
 */
bool member_word_next(const char **rest, struct member_word *word, bool *bad);
bool member_word_matches(const struct member_word *word, const struct member_id *id);

#endif
