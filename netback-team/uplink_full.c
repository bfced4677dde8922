/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * uplink_full.c - members whose NIC takes no more frames for now; uplink.c is the caller.
 *
 * Theory of Operation: what a full NIC did not take goes back into the guests' rings (guest_take.c)
 * and is tried again after 50 us, then after twice as long each time that nothing was taken, at
 * most 1 ms. Where it has taken nothing for 5 ms its frames are offered to other members, too, and
 * those of them that are full as well are not waited for, unless something of the flow is there;
 * where none has taken anything for a second they are dropped, as on a cut cable. A NIC that nobody
 * had a frame for meanwhile is asked again before any of that counts.
 */
#include "worker.h"

#include <errno.h>

#include "explain.h"
#include "policy.h"
#include "util.h"

#define FULL_WAIT_NS  50000ull
#define FULL_WAIT_MAX 1000000ull
#define FULL_STUCK_NS 5000000ull
#define FULL_DEAD_NS  NSEC_PER_SEC
#define FULL_PAUSE_NS (20 * NSEC_PER_MSEC)

bool uplink_all_full(const struct worker *w)
{
	const struct team *team = &w->team;
	const bool single = policy_get(team->options.mode)->single_active;
	uint32_t full = 0, mask = team->usable;

	for (unsigned int i = 0; i < TEAM_MEMBERS_MAX; i++)
		if (w->uplinks[i] && w->uplinks[i]->full)
			full |= 1u << i;
	if (single)
		mask = seat_bit(team->aside.member >= 0 ? team->aside.member : team->active);
	if (team->spread.n_away) /* some may go on although the others are full */
		mask |= team->spare;
	return mask && (mask & ~full) == 0;
}

/* Nothing went for so long that others may have its frames. */
static bool is_stuck(const struct worker *w, const struct uplink *up, uint64_t ns)
{
	return up->full && w->now_ns - up->full_since_ns >= ns;
}

/* The frame goes back into the ring. */
static void hold(struct worker *w, struct tx_record *rec, const struct uplink *up)
{
	w->qos.retry_ns =
		w->qos.retry_ns <= w->now_ns ? up->retry_ns : MIN(w->qos.retry_ns, up->retry_ns);
	rec->held = true;
}

bool uplink_waits(struct worker *w, const struct uplink *up, struct tx_record *rec)
{
	if (!up->full || is_stuck(w, up, FULL_STUCK_NS))
		return false;
	hold(w, rec, up);
	return true;
}

void uplink_no_member(struct worker *w, struct tx_record *rec)
{
	for (unsigned int i = 0; i < TEAM_MEMBERS_MAX; i++) {
		const struct uplink *up = w->uplinks[i];

		if (!seat_in(rec->tried, (int)i) || !up || !up->full)
			continue;
		if (!is_stuck(w, up, FULL_DEAD_NS) || up->full_pass != w->stats.passes) {
			hold(w, rec, up);
			return;
		}
	}
	rec->reason = DECIDE_REASON_DOWN;
	rec->queue->vif->stats.tx_no_member++;
	explain_tx(w, rec->queue->vif, rec, TRACE_OUTCOME_NO_MEMBER, -1, -1);
}

/* The member took `done` frames, and no more for want of room: when it is tried again. */
static void note_full(struct worker *w, struct uplink *up, unsigned int done)
{
	w->stats.nic_full_waits++;
	if (!up->full || done || w->now_ns > up->retry_ns + FULL_PAUSE_NS) {
		up->full_since_ns = w->now_ns;
		up->full_wait_ns = FULL_WAIT_NS;
	} else {
		up->full_wait_ns = MIN(up->full_wait_ns * 2, FULL_WAIT_MAX);
	}
	up->full = true;
	up->full_pass = w->stats.passes;
	up->retry_ns = w->now_ns + up->full_wait_ns;
}

bool uplink_hold_if_full(struct worker *w, struct uplink *up, unsigned int done, unsigned int n,
			 int error)
{
	if ((error != ENOBUFS && error != EAGAIN) || up->nic->ops->carrier(up->nic) != 1) {
		up->full = false;
		return false;
	}
	note_full(w, up, done);
	if (is_stuck(w, up, FULL_STUCK_NS))
		return false;
	for (unsigned int i = done; i < n; i++) {
		struct tx_record *rec = up->records[i];

		if (done || !rec->tried || rec->follows) {
			hold(w, rec, up);
			continue;
		}
		rec->tried |= 1u << up->member;
		w->stats.reselected++;
		uplink_queue(w, rec);
	}
	return true;
}
