/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guest_wait.c - frames that wait for a guest: for RX requests, or until its limit (rx_avg,
 * rx_peak) lets them in. guest_rx.c, which puts frames into the rings, is the caller.
 *
 * Theory of Operation: a queue is bounded in bytes (what the limit carries in 5 ms, at least two
 * frames of 64 KiB; 512 KiB without one), frames and time (XSA-392); decide.h says what becomes of
 * a frame that does not fit. Frames that find more than half of the bound used are marked (ecn.h),
 * so that senders slow down before frames are lost. A guest that posts nothing for a minute is
 * stalled and gets nothing until it posts again.
 */
#include "worker.h"

#include <string.h>

#include "ecn.h"
#include "explain.h"
#include "log.h"
#include "util.h"

#define LOG_MODULE "vif"

static struct log_limit wait_log = LOG_LIMIT_INIT(10, 5);

static bool is_gso(const struct virtio_net_hdr *vnet)
{
	return (vnet->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) != VIRTIO_NET_HDR_GSO_NONE;
}

static bool is_limited(const struct vif *vif)
{
	return vif->rx_limit.config.avg_bps || vif->rx_limit.config.peak_bps;
}

static uint32_t cost_bytes(const struct worker *w, struct pkt *pkt)
{
	uint32_t headers = COST_HEADER_GUESS;

	if (is_gso(&pkt->vnet)) {
		if (!pkt->info.payload_off)
			frame_parse(pkt->head, pkt->head_len, pkt->total, &pkt->info);
		headers = pkt->info.payload_off;
	}
	return cost_of(w->qos.unit, pkt->total, pkt->vnet.gso_size, headers).bytes;
}

/* When the guest's limit lets the frame in, and what holds it until then. */
static uint64_t ready_ns(struct worker *w, struct vif *vif, struct pkt *pkt, enum fair_wait *why)
{
	enum limit_bound bound;
	uint64_t ready;

	*why = FAIR_WAIT_MEMBER; /* the guest's ring */
	if (!is_limited(vif))
		return w->now_ns;
	ready = limit_ready_ns(&vif->rx_limit, cost_bytes(w, pkt), w->now_ns, &bound);
	if (ready > w->now_ns)
		*why = bound == LIMIT_BOUND_PEAK ? FAIR_WAIT_PEAK : FAIR_WAIT_AVERAGE;
	return ready;
}

/* The first frame is looked at again when the limit lets it in. */
static void await(struct worker *w, const struct vif_queue *q, uint64_t ready)
{
	const struct limit *limit = &q->vif->rx_limit;

	if (q->wait.why == FAIR_WAIT_PEAK && limit->config.period_ns == 0)
		worker_deadline_exact(w, ready);
	else if (q->wait.why == FAIR_WAIT_AVERAGE)
		worker_deadline(w, ready + limit_slack_ns(limit, LIMIT_BOUND_AVERAGE,
							  w->team.options.timer_slack_ns));
	else
		worker_deadline(w, ready);
}

void guest_rx_late(struct worker *w, struct vif *vif)
{
	if (is_limited(vif))
		limit_late(&vif->rx_limit, w->now_ns, worker_on_time(w));
}

/* Into the ring, and counted; false: too few requests. queued_ns: since when it waits. */
static bool deliver(struct worker *w, struct vif_queue *q, struct pkt *pkt, uint64_t queued_ns)
{
	struct vif *vif = q->vif;
	uint32_t bytes = pkt->total;

	if (!guest_rx_place(w, q, pkt))
		return false;
	if (is_limited(vif)) {
		bytes = cost_bytes(w, pkt);
		limit_take(&vif->rx_limit, bytes, w->now_ns);
	}
	meter_add(&vif->rx_meter, bytes, w->now_ns);
	decide_count(&vif->rx_counts, DECIDE_REASON_SHARE);
	delays_add(&vif->rx_delays, w->now_ns - queued_ns, w->now_ns);
	return true;
}

static enum decide_reason judge(const struct worker *w, const struct vif_queue *q,
				const struct pkt *pkt, enum fair_wait why)
{
	const struct vif *vif = q->vif;
	const struct decide_input input = {.wait = why,
					   .member_up = !q->stalled,
					   .priority = vif->config.qos.tx.priority,
					   .frame_bytes = pkt->total,
					   .queued_bytes = is_limited(vif) ? vif->rx_wait_bytes
									   : q->wait.n_bytes,
					   .queue_max_bytes = vif->rx_queue_max,
					   .pool_free_bytes = buf_pool_room(w->pool, pkt->total),
					   .fresh = true};

	if (!q->stalled && q->wait.n_frames >= VIF_RXQ_FRAMES_MAX)
		return DECIDE_REASON_QUEUE_FULL;
	return decide(&input);
}

/* The frame in memory of ours: its own, or a copy. NULL: none left, or a guest's page is gone. */
static struct buf *keep(struct worker *w, struct vif_queue *q, struct pkt *pkt)
{
	struct buf *buf;

	if (pkt->buf && *pkt->buf && (pkt->total > BUF_SMALL_DATA || !(*pkt->buf)->big)) {
		buf = *pkt->buf;
		*pkt->buf = NULL;
		buf->start = pkt->frags[0].virt;
	} else {
		buf = buf_get(w->pool, pkt->total);
		if (!buf) {
			decide_count(&q->vif->rx_counts, DECIDE_REASON_MEMORY);
			q->vif->stats.rx_dropped_full++;
			explain_rx(w, q->vif, pkt, TRACE_OUTCOME_FULL, DECIDE_REASON_MEMORY);
			return NULL;
		}
		buf->start = buf->data;
		if (!guest_rx_linearize(w, pkt, buf->data)) {
			buf_put(w->pool, buf);
			q->vif->stats.rx_errors++;
			return NULL;
		}
	}
	buf->len = pkt->total;
	buf->vnet = pkt->vnet;
	buf->queued_ns = w->now_ns;
	buf->next = NULL;
	return buf;
}

static void append(struct vif_queue *q, struct buf *buf)
{
	if (!q->wait.head)
		q->wait.tail = &q->wait.head;
	*q->wait.tail = buf;
	q->wait.tail = &buf->next;
	q->wait.n_bytes += buf->len;
	q->wait.n_frames++;
	q->vif->rx_wait_bytes += buf->len;
}

static struct buf *pop(struct vif_queue *q)
{
	struct buf *buf = q->wait.head;

	q->wait.head = buf->next;
	q->wait.n_frames--;
	q->wait.n_bytes -= buf->len;
	q->vif->rx_wait_bytes -= buf->len;
	return buf;
}

static uint64_t age_max_ns(const struct vif_queue *q)
{
	return q->vif->config.rx_notify || is_limited(q->vif) ? VIF_DRAIN_NS : VIF_DRAIN_NOTIFY_NS;
}

/* Asks for the requests that the first frame needs; true when they are there already. */
static bool arm(struct worker *w, struct vif_queue *q)
{
	const struct buf *buf = q->wait.head;

	if (!q->rx_starved_ns)
		q->rx_starved_ns = w->now_ns;
	worker_deadline(w, buf->queued_ns + age_max_ns(q));
	return ring_back_arm(&q->rx, netif_rx_slots(buf->len, is_gso(&buf->vnet)));
}

static void discard(struct vif_queue *q, enum decide_reason reason)
{
	struct vif_stats *stats = &q->vif->stats;

	decide_count(&q->vif->rx_counts, reason);
	if (reason == DECIDE_REASON_DOWN)
		stats->rx_dropped_stalled++;
	else
		stats->rx_dropped_full++;
}

/* The frame waits, because of `why`, or is discarded. */
static void hold(struct worker *w, struct vif_queue *q, struct pkt *pkt, enum fair_wait why)
{
	const enum decide_reason reason = judge(w, q, pkt, why);
	struct vif *vif = q->vif;
	struct buf *buf;

	if (decide_action(reason) == DECIDE_ACTION_DISCARD) {
		discard(q, reason);
		explain_rx(w, vif, pkt, q->stalled ? TRACE_OUTCOME_STALLED : TRACE_OUTCOME_FULL,
			   reason);
		if (!q->stalled)
			guard_no_room(vif);
		return;
	}
	buf = keep(w, q, pkt);
	if (!buf)
		return;
	if ((is_limited(vif) ? vif->rx_wait_bytes : q->wait.n_bytes) + buf->len >
		    vif->rx_queue_max / 2 &&
	    ecn_mark(buf->start, buf->len))
		vif->stats.rx_marked++;
	append(q, buf);
	decide_count(&vif->rx_counts, reason);
	vif->stats.rx_queued++;
	explain_rx(w, vif, pkt, TRACE_OUTCOME_WAITS, reason);
}

void guest_wait_or_deliver(struct worker *w, struct vif_queue *q, struct pkt *pkt)
{
	const bool first = !q->wait.head;
	enum fair_wait why;
	uint64_t ready;

	if (!first) {
		hold(w, q, pkt, q->wait.why);
		return;
	}
	ready = ready_ns(w, q->vif, pkt, &why);
	if (ready <= w->now_ns && deliver(w, q, pkt, w->now_ns))
		return;
	hold(w, q, pkt, why);
	if (!q->wait.head)
		return;
	q->wait.why = why;
	if (ready > w->now_ns)
		await(w, q, ready);
	else if (arm(w, q))
		worker_queue_ready(w, q); /* requests came in between */
}

/* True when the frame waited too long; the guest that lets a whole minute pass is stalled. */
static bool too_old(struct worker *w, struct vif_queue *q, const struct buf *buf)
{
	if (w->now_ns - buf->queued_ns < age_max_ns(q))
		return false;
	if (q->vif->config.rx_notify && !q->stalled && q->rx_starved_ns &&
	    w->now_ns - q->rx_starved_ns >= VIF_STALL_NS) {
		q->stalled = true;
		log_limited(&wait_log, w->now_ns, LOG_MODULE, LOG_LEVEL_WARN,
			    "%s: queue %u: the guest posted no RX request for 60 s: no more frames "
			    "until it does",
			    q->vif->config.name, q->index);
	}
	return true;
}

void guest_rx_drain(struct worker *w, struct vif_queue *q)
{
	struct pkt pkt = {.n_frags = 1, .from_member = -1};

	while (q->wait.head && !q->vif->failed) {
		struct buf *buf = q->wait.head;
		uint64_t ready;

		pkt.vnet = buf->vnet;
		pkt.total = pkt.head_len = buf->len;
		pkt.head = buf->start;
		pkt.info.payload_off = 0;
		pkt.frags[0] = (struct frag){.virt = buf->start, .len = buf->len};
		ready = ready_ns(w, q->vif, &pkt, &q->wait.why);
		if (ready <= w->now_ns && deliver(w, q, &pkt, buf->queued_ns)) {
			guest_rx_release(w, pop(q));
		} else if (too_old(w, q, buf)) {
			q->vif->stats.rx_dropped_late++;
			decide_count(&q->vif->rx_counts, DECIDE_REASON_LATE);
			explain_rx(w, q->vif, &pkt, TRACE_OUTCOME_LATE, DECIDE_REASON_LATE);
			guard_no_room(q->vif);
			guest_rx_release(w, pop(q));
		} else if (ready > w->now_ns) {
			worker_deadline(w, buf->queued_ns + age_max_ns(q));
			await(w, q, ready);
			return;
		} else if (!arm(w, q)) {
			return;
		}
	}
	if (q->stalled)
		ring_back_arm(&q->rx, 1); /* its next request wakes us */
}

void guest_rx_discard(struct worker *w, struct vif_queue *q)
{
	while (q->wait.head)
		buf_put(w->pool, pop(q));
}
