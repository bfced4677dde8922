/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netback_keys.h - every configuration key of netback-team: the tables that parse, check, document
 * and apply them.
 *
 * Adding a key: one row in netback_keys.c and the member it fills.
 */
#ifndef XB_NET_NETBACK_KEYS_H
#define XB_NET_NETBACK_KEYS_H

#include "dos_keys.h"
#include "keys.h"
#include "team.h"

#define NETBACK_TEAM_PATH "/local/domain/0/xenback/team"
#define NETBACK_VM_PATH	  "/local/domain/0/xenback/vm"

/** Policy of one VM's vif, from /local/domain/0/xenback/vm/UUID/vif/DEV: survives reboots of the
 * guest. */
struct vif_policy {
	char team[TEAM_NAME_MAX]; /**< "" = what `bridge` of the toolstack says */
	bool learning, antispoof, csum_fill;
	uint64_t queues;   /**< queues offered to the guest */
	uint64_t rate_bps; /**< another name of avg_bps, which comes first */
	/* Bandwidth, see qos_policy.h: what the guest sends, 0 = what `rate` of the toolstack says.
	 */
	uint64_t shares, priority, min_bps;
	uint64_t avg_bps, burst_bytes, peak_bps, period_ns;
	/* What it receives. */
	uint64_t rx_avg_bps, rx_burst_bytes, rx_peak_bps, rx_period_ns;
	uint64_t rx_queue_bytes;
	uint64_t shortage_pause_ns;
	char pin[PIN_LIST_MAX + 1]; /**< members in fallback order */
	bool confine;
	char dos[GUARD_NAME_MAX]; /**< profile, "" = the team's */
};

extern const struct key_table team_key_table; /**< fills struct team_options */
/** Behind a word of `members`, as /KEY=VALUE (member_word.h): fills struct member_traits. */
extern const struct key_table member_key_table;
extern const struct key_table vif_key_table; /**< fills struct vif_policy */
/** All, for the command "keys" and the manual page. */
extern const struct key_table *const netback_key_tables[3];

#endif
