/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * policy.h - table of distribution modes: one row a mode, team.c looks nothing else up. Pure.
 *
 * Adding a mode: one row here, its choose function, a unit test, one line in the manual page.
 */
#ifndef XB_NET_POLICY_H
#define XB_NET_POLICY_H

#include <stdbool.h>
#include <stdint.h>

struct team;
struct team_frame;

struct policy {
	const char *name; /**< the value of the key `mode` */
	const char *help;
	bool single_active; /**< only one member carries traffic (its peers are standby) */
	bool by_flow;	    /**< choose looks at the frame's key */
	bool by_bucket;	    /**< goes by the bucket map, which may be rebalanced */
	bool by_mac; /**< each address of a guest is on one member: switches learn it there */
	bool lacp;   /**< LACP says who sends and receives (uplink_lacp.h) */
	/** Member for a frame among the usable ones not in the bit mask `tried`, -1 = none; and the
	 * seat that the frame took in frame->seat, if any. */
	int (*choose)(struct team *team, struct team_frame *frame, uint32_t tried);
};

/** Row i, NULL past the end. */
const struct policy *policy_get(int index);
/** NULL-terminated names, index = row: the choices of the key `mode`. */
extern const char *const policy_names[];

#endif
