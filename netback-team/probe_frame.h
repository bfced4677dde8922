/* SPDX-License-Identifier: GPL-2.0-or-later */
/* probe_frame.h - probes and answers as bytes, for probe.c. Pure. */
#ifndef XB_NET_PROBE_FRAME_H
#define XB_NET_PROBE_FRAME_H

#include "probe.h"

enum probe_frame_kind {
	PROBE_FRAME_FOREIGN, /**< nothing of ours */
	PROBE_FRAME_OURS,    /**< a probe of this team, reflected: for nobody */
	PROBE_FRAME_ANSWER,  /**< of `target` */
	PROBE_FRAME_BEACON,  /**< of this team's `member`, another one than received it */
	PROBE_FRAME_PEER,    /**< a beacon of another host's team */
};

struct probe_answer {
	enum probe_frame_kind kind;
	unsigned int target; /**< 0 for beacons */
	int member;
};

/** Writes the probe of a member for a target; its length. */
size_t probe_frame_make(const struct probe *probe, int member, unsigned int target,
			uint8_t frame[PROBE_FRAME_MAX]);
/** What a frame is that came in on member. VLAN tagged ones are foreign. */
struct probe_answer probe_frame_read(const struct probe *probe, int member, const uint8_t *frame,
				     size_t len);

#endif
