/* SPDX-License-Identifier: GPL-2.0-or-later */
/* team-choose.h - a frame of a numbered flow asks a team for its member, for tests and benchmarks.
 */
#ifndef XB_TEST_TEAM_CHOOSE_H
#define XB_TEST_TEAM_CHOOSE_H

#include <netinet/in.h>

#include "netback-team/team.h"

/* UDP between two hosts; the flow's number is in the ports. */
static inline struct team_frame numbered_frame(uint32_t flow, uint64_t now_ns)
{
	return (struct team_frame){.key = {.ip_version = 4,
					   .proto = IPPROTO_UDP,
					   .has_ports = true,
					   .src_mac = 2,
					   .dst_mac = 4,
					   .src = {0x0100000a},
					   .dst = {0x0200000a},
					   .ports = flow},
				   .bytes = 1514,
				   .now_ns = now_ns};
}

static inline int choose(struct team *team, uint32_t flow, uint32_t tried)
{
	struct team_frame frame = numbered_frame(flow, 1);

	return team_choose(team, &frame, tried);
}

#endif
