/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lacp_options.h - the keys of a team that say how it speaks LACP, and the configuration of lacp.h
 * that they make.
 */
#ifndef XB_NET_LACP_OPTIONS_H
#define XB_NET_LACP_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lacp.h"

/** Target of the rows lacp_* of the key table (netback_keys.c), part of struct team_options. */
struct lacp_options {
	int mode; /**< enum lacp_mode */
	int rate; /**< 0 slow, 1 fast */
	uint64_t system_priority;
	char system_id[18]; /**< as text, "" = the address of the first member */
	uint64_t key;
	uint64_t port_priority; /**< of a member with the default priority */
	int ad_select;		/**< enum lacp_ad_select */
	uint64_t max_links, min_links;
	int mux;      /**< 0 independent, 1 coupled */
	int fallback; /**< enum lacp_fallback */
	bool strict;
};

/** NULL-terminated, index = value. */
extern const char *const lacp_rate_names[];
extern const char *const lacp_mux_mode_names[];

/** What the table alone cannot say: 0, or -EINVAL with a sentence that names key, value and what is
 * allowed. */
int lacp_options_check(const struct lacp_options *options, char *error, size_t error_size);

/** The configuration. first: address of the team's first member, for the default of the system's
 * id; speed_bps: of members that tell none. options must have passed lacp_options_check. */
void lacp_options_config(const struct lacp_options *options, const uint8_t first[6],
			 uint64_t speed_bps, struct lacp_config *config);

/** Port priority (smaller = preferred) of a member whose priority in the team is 0-255 (higher =
 * preferred, TEAM_PRIORITY_DEFAULT gives options->port_priority). */
uint16_t lacp_options_port_priority(const struct lacp_options *options, uint8_t priority);

#endif
