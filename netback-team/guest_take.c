/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guest_take.c - which packet leaves which guest's TX ring next: by the schedule (qos.h) among
 * vifs, in turn among the queues of a vif. guest_tx.c, which copies and forwards them, is the
 * caller.
 *
 * Theory of Operation. A queue with packets is in its vif's rotation, and the vif takes part in the
 * schedule with the first packet of the queue whose turn it is. Taking a packet moves the ring's
 * consumer index only; responses are written in ring order when the batch is done. So packets that
 * a full NIC did not take can be put back: from the first of them on, the queue is as if nothing
 * had been taken, but for a mark for each packet behind it: it is paid for, and perhaps already
 * sent (by another member, or to another guest), so that it is only answered next time. Such a
 * queue is in no rotation until all its marked packets went; then it joins again.
 *
 * While every member is full, the schedule stands still: nobody loses his turn. What was put back
 * goes first, alone. Where others can go on (several members, not all of them full), the vifs with
 * packets that were put back are held (fair_hold), which is reported as "pinned share limited".
 */
#include "worker.h"

#include <string.h>
#include <utlist.h>

#include "explain.h"
#include "util.h"

/* Of a packet that was put back. */
#define MARK_PAID  1 /* it has had its turn */
#define MARK_DONE  2 /* it went: only the answer is missing */
#define MARK_FLOOD 4 /* the guests of this team have got it */

#define ROOM_MIN   4u
#define TIME_SCALE 22u
#define ALONE_MAX  (1u << 24) /* bytes that the schedule hears of at once */

static uint8_t *mark_at(struct vif_queue *q, uint32_t index)
{
	return &q->marks[index & (ARRAY_SIZE(q->marks) - 1)];
}

static bool has_room(const struct worker *w)
{
	return w->n_tx < w->qos.room && w->n_tx_pages + NETIF_SLOTS_FATAL <= WORKER_TX_PAGES;
}

/* What a frame takes of the worker's time, see qos.h; in bytes such that a frame of 1538 costs the
 * same in both, so that nobody gains when what is short changes. */
static uint32_t time_share(uint32_t bytes)
{
	return (bytes + (TIME_SCALE - 1) * COST_FRAME_SHARE) / TIME_SCALE;
}

/* Is it the NICs, or the pace, that there is too little of? */
static bool nics_are_short(const struct worker *w)
{
	return w->qos.short_ns && w->now_ns - w->qos.short_ns <= QOS_SHORT_NS;
}

/* Are shares of the worker's time? */
static bool time_is_short(const struct worker *w)
{
	return !nics_are_short(w) && w->qos.unit != COST_UNIT_FRAME;
}

static struct cost cost_in(const struct worker *w, uint32_t bytes, uint32_t gso_size,
			   const struct vif_queue *q)
{
	struct cost cost = cost_of(w->qos.unit, bytes, gso_size, q->header_bytes);

	if (time_is_short(w))
		cost.share = time_share(cost.share);
	cost.bytes = MAX(cost.bytes, 1u); /* a guest may ask for a frame of no bytes */
	cost.share = MAX(cost.share, 1u);
	return cost;
}

static struct cost head_cost(const struct worker *w, const struct vif_queue *q)
{
	struct netif_tx_head head;

	netif_tx_peek(&q->tx, q->avail, &head);
	return cost_in(w, head.size, head.gso_size, q);
}

/* --- rotation of a vif's queues --- */

static void join(struct worker *w, struct vif_queue *q)
{
	struct vif *vif = q->vif;

	w->qos.n_backlog += vif->backlog == NULL;
	q->backlog = true;
	DL_APPEND2(vif->backlog, q, turn_prev, turn_next);
}

static void leave(struct worker *w, struct vif_queue *q)
{
	struct vif *vif = q->vif;

	if (!q->backlog)
		return;
	q->backlog = false;
	DL_DELETE2(vif->backlog, q, turn_prev, turn_next);
	w->qos.n_backlog -= vif->backlog == NULL;
}

static void rotate(struct vif_queue *q)
{
	struct vif *vif = q->vif;

	if (!q->turn_next)
		return;
	DL_DELETE2(vif->backlog, q, turn_prev, turn_next);
	DL_APPEND2(vif->backlog, q, turn_prev, turn_next);
}

/* Tells the schedule what the vif has, after its rotation or its marks changed. */
static void report(struct worker *w, struct vif *vif)
{
	if (vif->backlog)
		fair_backlog(w->qos.fair, (uint32_t)vif->port, head_cost(w, vif->backlog),
			     w->now_ns);
	else
		fair_idle(w->qos.fair, (uint32_t)vif->port, w->now_ns);
}

static void refresh(struct vif_queue *q)
{
	int n = ring_back_requests(&q->tx);

	if (n < 0)
		vif_fail(q->vif,
			 "TX ring: request index further ahead than the ring has slots (256)");
	q->avail = (uint32_t)MAX(n, 0);
}

void guest_take_resume(struct worker *w, struct vif *vif)
{
	report(w, vif);
	w->qos.wake_ns = 0;
}

void guest_take_look(struct worker *w, struct vif_queue *q)
{
	const bool first = !q->vif->backlog;

	if (q->back)
		return;
	refresh(q);
	if (q->avail == 0 || q->backlog)
		return;
	join(w, q);
	if (first)
		report(w, q->vif);
}

static void clear_marks(struct vif_queue *q)
{
	if (q->n_marks)
		memset(q->marks, 0, sizeof(q->marks));
	q->n_marks = 0;
}

static void leave_back(struct worker *w, struct vif_queue *q)
{
	q->back = false;
	DL_DELETE2(w->qos.back, q, back_prev, back_next);
}

void guest_take_forget(struct worker *w, struct vif_queue *q)
{
	leave(w, q);
	clear_marks(q);
	if (q->back)
		leave_back(w, q);
	if (!q->vif->backlog)
		fair_idle(w->qos.fair, (uint32_t)q->vif->port, w->now_ns);
}

/* --- taking --- */

/* Takes the packet at the head of a queue; NULL when the guest broke the protocol. */
static struct tx_record *take(struct worker *w, struct vif_queue *q)
{
	struct tx_record *rec = &w->tx[w->n_tx];
	const char *why;

	if (netif_tx_decode(&q->tx, q->avail, &rec->packet, &why) < 0) {
		vif_fail(q->vif, why);
		return NULL;
	}
	w->n_tx++;
	rec->queue = q;
	rec->status = NETIF_RSP_OKAY;
	rec->failed = rec->held = rec->forwarded = rec->flooded = false;
	rec->local = rec->looked = false;
	rec->tried = 0;
	rec->n_segs = 0;
	rec->index = q->tx.req_cons;
	rec->again = false;
	rec->pages = w->tx_pages + (size_t)w->n_tx_pages * XEN_PAGE_SIZE;
	if (rec->packet.verdict == NETIF_VERDICT_OK)
		w->n_tx_pages += rec->packet.n_slots;
	rec->cost = cost_in(w, rec->packet.total, rec->packet.gso_size, q);
	q->vif->stats.tx_by_time += time_is_short(w);
	q->tx.req_cons += rec->packet.ring_slots;
	q->avail -= rec->packet.ring_slots;
	q->waits_turn = false;
	worker_queue_ready(w, q); /* to be armed when nothing is left */
	if (q->vif->guard.vm >= 0)
		guard_fetch(q->vif);
	return rec;
}

/* Packets that were put back and are due, as many as the batch has room for. */
static void take_back(struct worker *w)
{
	struct vif_queue *q;

	DL_FOREACH2(w->qos.back, q, back_next)
	{
		while (q->n_marks && has_room(w)) {
			uint8_t *mark = mark_at(q, q->tx.req_cons);
			struct tx_record *rec;

			if (q->avail == 0 || !*mark) { /* the guest wrote over its requests */
				clear_marks(q);
				break;
			}
			rec = take(w, q);
			if (!rec)
				return; /* all queues of its vif have left the list */
			rec->again = true;
			rec->failed = *mark & MARK_DONE; /* no frame behind it */
			rec->flooded = *mark & MARK_FLOOD;
			rec->reason = DECIDE_REASON_SHARE;
			*mark = 0;
			q->n_marks--;
		}
	}
}

/* A packet of the queue was taken: its place in the rotation. */
static void move_on(struct worker *w, struct vif_queue *q)
{
	if (q->avail == 0)
		refresh(q);
	if (q->vif->failed)
		return;
	if (q->avail == 0)
		leave(w, q);
	else
		rotate(q);
}

/* Packets of the vif were taken: what they cost, and what comes next. */
static void charge(struct worker *w, struct vif *vif, struct cost cost)
{
	const struct limit_config *limit = &vif->config.qos.tx.limit;
	struct cost next;

	if (vif->failed)
		return;
	if (vif->backlog)
		next = head_cost(w, vif->backlog);
	fair_sent(w->qos.fair, (uint32_t)vif->port, cost, vif->backlog ? &next : NULL, w->now_ns);
	shape_take(&w->qos.pace, cost.bytes, w->now_ns);
	w->qos.bounded |= limit->avg_bps || limit->peak_bps || w->qos.pace_bps;
}

/* Nobody else has packets, and nothing bounds this flow: the schedule has to hear only how much it
 * took. */
static bool is_alone(const struct worker *w, uint32_t flow, enum fair_phase phase)
{
	const struct fair_flow_config *config = fair_flow_config(w->qos.fair, flow);

	return w->qos.n_backlog == 1 && phase == FAIR_PHASE_SHARE && !w->qos.pace_bps &&
	       !config->min_bps && !config->limit.avg_bps && !config->limit.peak_bps;
}

/* The rest of the batch from one vif, after its first packet was taken; what it cost is added to
 * *cost. */
static void take_alone(struct worker *w, struct vif *vif, struct cost *cost)
{
	uint64_t bytes = cost->bytes, share = cost->share;

	while (vif->backlog && has_room(w) && bytes < ALONE_MAX && share < ALONE_MAX) {
		struct vif_queue *q = vif->backlog;
		struct tx_record *rec = take(w, q);

		if (!rec)
			break;
		rec->reason = DECIDE_REASON_SHARE;
		bytes += rec->cost.bytes;
		share += rec->cost.share;
		move_on(w, q);
	}
	cost->bytes = (uint32_t)MIN(bytes, COST_MAX);
	cost->share = (uint32_t)MIN(share, COST_MAX);
}

/* Takes packets as the schedule says; true: until the batch was full. */
static bool take_turns(struct worker *w)
{
	struct qos *qos = &w->qos;

	while (has_room(w)) {
		const int flow = fair_next(qos->fair, w->now_ns, &qos->wake_ns);
		enum fair_phase phase;
		struct tx_record *rec;
		struct vif_queue *q;
		struct vif *vif;
		uint64_t ready_ns;
		struct cost cost;
		bool alone;

		if (flow < 0) {
			if (fair_deadline_exact(qos->fair))
				worker_deadline_exact(w, qos->wake_ns);
			return false;
		}
		vif = w->ports[flow];
		if (vif->guard.rest_ns > w->now_ns) {
			fair_idle(qos->fair, (uint32_t)flow, w->now_ns);
			guard_rest(vif);
			continue;
		}
		q = vif->backlog;
		ready_ns = shape_ready_ns(&qos->pace, COST_FRAME_SHARE, w->now_ns);
		if (ready_ns > w->now_ns) {
			qos->wake_ns = ready_ns + w->team.options.timer_slack_ns;
			qos->paced = true;
			qos->short_ns = w->now_ns;
			return false;
		}
		phase = fair_last_phase(qos->fair);
		rec = take(w, q);
		if (!rec)
			continue;
		rec->reason = decide_sent(phase);
		cost = rec->cost;
		alone = is_alone(w, (uint32_t)flow, phase);
		move_on(w, q);
		if (alone)
			take_alone(w, vif, &cost);
		charge(w, vif, cost);
	}
	return true;
}

/* May the schedule go on beside packets that were put back? */
static bool open_beside(struct worker *w)
{
	struct vif_queue *q;

	if (uplink_all_full(w))
		return false;
	DL_FOREACH2(w->qos.back, q, back_next)
	if (!q->vif->backlog)
		fair_hold(w->qos.fair, (uint32_t)q->vif->port, w->now_ns);
	return true;
}

bool guest_take_batch(struct worker *w)
{
	struct qos *qos = &w->qos;

	qos->wake_ns = DEADLINE_NEVER;
	if (qos->paced || qos->back) /* until now, however late that is */
		qos->short_ns = w->now_ns;
	qos->paced = false;
	if (qos->back && qos->retry_ns <= w->now_ns) { /* nobody else before it is known */
		take_back(w);
		if (qos->n_backlog) /* then it is their turn, or is known when it is */
			qos->wake_ns = w->now_ns;
		return !has_room(w);
	}
	if (qos->n_backlog && (!qos->back || open_beside(w)))
		return take_turns(w);
	return false;
}

/* --- answers, and putting back --- */

static void count(struct worker *w, const struct tx_record *rec)
{
	struct vif *vif = rec->queue->vif;

	vif->stats.tx_packets++;
	vif->stats.tx_bytes += rec->packet.total;
	if (rec->packet.gso_size)
		vif->stats.tx_gso_packets++;
	decide_count(&vif->tx_counts, rec->reason);
	if (decide_action(rec->reason) == DECIDE_ACTION_SEND)
		meter_add(&vif->tx_meter, rec->cost.bytes, w->now_ns);
}

/* The frame used no NIC; true: others may go for that. */
static bool give_back(struct worker *w, const struct tx_record *rec)
{
	struct qos *qos = &w->qos;

	if (!rec->local || rec->again)
		return false;
	if (nics_are_short(w))
		fair_give_back(qos->fair, (uint32_t)rec->queue->vif->port, rec->cost,
			       rec->reason == DECIDE_REASON_MINIMUM, w->now_ns);
	shape_give(&qos->pace, rec->cost.bytes);
	return qos->pace_bps && qos->n_backlog;
}

/* From the first packet that was not sent on, a queue's packets stay in its ring. */
static void put_back(struct worker *w, struct tx_record *rec)
{
	struct vif_queue *q = rec->queue;

	if (!q->rewind) {
		q->rewind = true;
		q->rewind_to = rec->index;
		leave(w, q);
	}
	if (!q->back) {
		q->back = true;
		DL_APPEND2(w->qos.back, q, back_prev, back_next);
	}
	w->qos.short_ns = w->now_ns;
	if (rec->held && !rec->again) {
		decide_count(&q->vif->tx_counts, DECIDE_REASON_MEMBER);
		explain_tx(w, q->vif, rec, TRACE_OUTCOME_WAITS, -1, -1);
	}
	*mark_at(q, rec->index) =
		(uint8_t)(MARK_PAID | (rec->flooded ? MARK_FLOOD : 0) |
			  (rec->held || rec->status != NETIF_RSP_OKAY ? 0 : MARK_DONE));
	q->n_marks++;
}

/* Queues whose marked packets all went take part again; true when one has more. */
static bool settle_back(struct worker *w)
{
	struct vif_queue *q, *next;
	bool more = false;

	for (q = w->qos.back; q; q = next) {
		if (q->rewind)
			q->tx.req_cons = q->rewind_to;
		q->rewind = false;
		refresh(q);
		if (q->vif->failed) { /* all its queues have left the list */
			next = w->qos.back;
			continue;
		}
		next = q->back_next;
		if (q->n_marks)
			continue;
		leave_back(w, q);
		if (q->avail) {
			join(w, q);
			more = true;
		}
		report(w, q->vif);
	}
	return more;
}

bool guest_take_answer(struct worker *w)
{
	unsigned int answered = 0;
	bool more = false;

	for (unsigned int i = 0; i < w->n_tx; i++) {
		struct tx_record *rec = &w->tx[i];
		struct vif_queue *q = rec->queue;

		if (rec->forwarded && !rec->held) {
			count(w, rec);
			more |= give_back(w, rec);
		}
		if ((rec->held || q->rewind) && !q->vif->failed) {
			put_back(w, rec);
			continue;
		}
		netif_tx_respond(&q->tx, &rec->packet, rec->status);
		q->tx_quiet_bytes += rec->packet.total;
		w->pass_bytes += rec->packet.total;
		guest_touch(w, q);
		answered++;
	}
	w->pass_frames += answered;
	if (answered < w->n_tx)
		w->qos.room = MAX(answered, ROOM_MIN);
	else if (w->n_tx)
		w->qos.room = MIN(w->qos.room * 2, WORKER_TX_BATCH);
	if (w->qos.back)
		more |= settle_back(w);
	return more;
}
