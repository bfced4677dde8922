/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qos.h - bandwidth control of one worker: the schedule of what guests send (fair.h), the limits of
 * what they receive (limit.h), and the capacity that both go by.
 *
 * Theory of Operation. Guest to team: guest_take.c takes packets out of the guests' rings in the
 * order of the schedule; what may not go stays in the ring. The order matters as soon as somebody
 * has to wait, and that is for one of three reasons: the worker has no more time, a NIC's queue is
 * full, or the option `pace` says that the team has sent enough (for NICs that take more than what
 * lies behind them can carry). A frame that a full NIC did not take is put back into its ring: it
 * has had its turn and been paid for, so it goes first when the NIC is tried again, after 50 us to
 * 1 ms.
 *
 * Shares are of what is short. While NICs are, or the pace, a frame costs its bytes. Otherwise it
 * is the worker's time, of which a small frame takes nearly as much as a large one: about 1.6 us,
 * and 0.05 ns a byte. By bytes a guest that floods with small frames would have nearly all of it,
 * and the others next to nothing.
 *
 * A frame is in its turn before anybody has read where it goes. One that went to another guest gets
 * back what it was charged for: the pace always, its share and minimum while it is the NICs that
 * are short. When it is the worker's time, such a frame has used its part of that, like any other.
 * The guest's own limit holds what it sends, wherever to.
 *
 * Team to guest: guest_rx.c asks the guest's limit; frames wait in a bounded queue, are marked
 * (ECN) when more than half of it is used, and discarded when all of it is.
 *
 * The capacity is the sum of the speeds of the members that are up (in modes with one active
 * member: its speed), each at most `pace`.
 */
#ifndef XB_NET_QOS_H
#define XB_NET_QOS_H

#include <stdbool.h>
#include <stdint.h>

#include "fair.h"
#include "limit.h"
#include "shape.h"

#define QOS_PACE_NS  4000000ull	 /**< a pace makes up for wake-ups that are so late */
#define QOS_SHORT_NS 10000000ull /**< NICs are short so long after a frame waited for one */

struct relief;
struct vif;
struct vif_queue;
struct worker;
struct team_options;

/** Bandwidth of one vif. */
struct qos_vif {
	struct fair_flow_config tx; /**< what the guest sends */
	struct limit_config rx;	    /**< what it receives */
	uint64_t rx_queue_bytes;    /**< that may wait for it; 0 = as of decide_queue_bytes */
	uint64_t shortage_pause_ns; /**< may be paused so long, see relief.h; 0 = not at all */
};

/** One worker's. */
struct qos {
	struct fair *fair;     /**< flow = the vif's switch port */
	struct relief *relief; /**< guest = the same */
	enum cost_unit unit;
	uint64_t pace_bps; /**< of each member, 0 = none */
	struct shape pace; /**< of the team */
	bool paced;	   /**< the last pass ended because of the pace */
	uint64_t short_ns; /**< when a frame last had to wait for NICs or the pace, 0 = never */
	uint64_t up_bps, all_bps;
	bool bounded; /**< frames of this batch count in limits or in the pace */
	bool refused; /**< somebody's minimum did not fit, with this much room then */
	int64_t refused_room_bps;
	bool stale;		/**< members or options changed: the capacity has to be computed */
	uint64_t wake_ns;	/**< when rings have to be looked at again without an event */
	unsigned int room;	/**< packets of the next batch; few while NICs are full */
	unsigned int n_backlog; /**< vifs with packets in their turn */
	struct vif_queue *back; /**< queues with packets that were put back, first one first */
	uint64_t retry_ns;	/**< when these are tried again */
};

void qos_create(struct worker *worker, const struct team_options *options);
void qos_destroy(struct worker *worker);
/** New options, live: they were checked by qos_check_options. */
void qos_set_options(struct worker *worker, const struct team_options *options);
/** 0, or -EINVAL: *why (static text) says which option is wrong. */
int qos_check_options(const struct team_options *options, const char **why);
/** Computes the capacity anew if something changed. */
void qos_capacity(struct worker *worker);

/** A vif joins. A minimum that does not fit beside the others is left out: a second qos_vif_set
 * tells. Whenever there is more room for minima than when one was refused, the worker's observer
 * hears of it (minima_room). */
void qos_vif_add(struct worker *worker, struct vif *vif);
void qos_vif_remove(struct worker *worker, struct vif *vif);
/** New values, live: 0, or as of fair_flow_set with *why (static text): -EINVAL, then nothing
 * changed, or -ENOSPC, then all but the minimum did, which stays as it was. */
int qos_vif_set(struct worker *worker, struct vif *vif, const struct qos_vif *config,
		const char **why);
/** Are these values possible by themselves? 0, or -EINVAL with *why (static text). */
int qos_vif_check(const struct qos_vif *config, const char **why);
bool qos_vif_equal(const struct qos_vif *a, const struct qos_vif *b);

#endif
