/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guest_tx.c - frames from guests: one batch out of the ready queues' TX rings to the team or to
 * other guests.
 *
 * Theory of Operation: packets are taken in ring order and answered in ring order, and responses
 * are pushed only when a whole batch is done, so that a successor of a killed daemon finds every
 * unanswered request intact. A packet is copied to one page a slot, at the slot's own offset: one
 * segment of the grant copy then never crosses a page on either side. Queues whose frames lately
 * went to other guests only have their headers copied ("peek"); the body then goes from guest to
 * guest in one copy.
 */
#include "worker.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <string.h>
#include <utlist.h>

#include "clock.h"
#include "explain.h"
#include "log.h"
#include "util.h"

#define LOG_MODULE "vif"
#define PEEK_BYTES FRAME_HEAD_MAX

static struct log_limit tx_log = LOG_LIMIT_INIT(10, 5);

/* Adds the copy of [skip, size) of slot i to the batch. */
static void copy_slot(struct worker *w, struct tx_record *rec, unsigned int i, uint32_t skip,
		      uint32_t bytes)
{
	const struct netif_slot *slot = &rec->packet.slots[i];
	struct xen_copy *seg;

	if (bytes == 0)
		return;
	seg = &w->tx_copy[w->n_tx_copy++];
	seg->src.foreign.ref = slot->gref;
	seg->src.foreign.offset = (uint16_t)(slot->offset + skip);
	seg->src.foreign.domid = rec->queue->vif->config.domid;
	seg->dst.virt = rec->pages + (size_t)i * XEN_PAGE_SIZE + slot->offset + skip;
	seg->len = (uint16_t)bytes;
	seg->flags = XEN_COPY_SRC_GREF;
	seg->status = XEN_GNTST_GENERAL_ERROR;
}

static void copy_begin(struct worker *w, struct tx_record *rec)
{
	rec->seg_first = (uint16_t)w->n_tx_copy;
}

static void copy_end(struct worker *w, struct tx_record *rec)
{
	rec->n_segs = (uint16_t)(w->n_tx_copy - rec->seg_first);
}

/* First phase: everything, or just the headers where the frame probably goes to another guest. */
static void copy_first(struct worker *w, struct tx_record *rec)
{
	struct netif_tx_packet *p = &rec->packet;

	copy_begin(w, rec);
	rec->whole = !(rec->queue->peek && p->n_slots > 1);
	if (rec->whole)
		for (unsigned int i = 0; i < p->n_slots; i++)
			copy_slot(w, rec, i, 0, p->slots[i].size);
	else
		copy_slot(w, rec, 0, 0, MIN(p->slots[0].size, PEEK_BYTES));
	copy_end(w, rec);
}

/* Second phase, for a frame whose headers alone were copied and which has to be here after all. */
static void copy_rest(struct worker *w, struct tx_record *rec)
{
	struct netif_tx_packet *p = &rec->packet;

	copy_begin(w, rec);
	if (p->slots[0].size > PEEK_BYTES)
		copy_slot(w, rec, 0, PEEK_BYTES, p->slots[0].size - PEEK_BYTES);
	for (unsigned int i = 1; i < p->n_slots; i++)
		copy_slot(w, rec, i, 0, p->slots[i].size);
	copy_end(w, rec);
	rec->whole = true;
}

static void fail(struct worker *w, struct tx_record *rec, const char *why)
{
	struct vif *vif = rec->queue->vif;

	rec->failed = true;
	rec->why = why;
	rec->status = NETIF_RSP_ERROR;
	vif->stats.tx_errors++;
	explain_tx(w, vif, rec, TRACE_OUTCOME_GRANT, -1, -1);
	log_limited(&tx_log, w->now_ns, LOG_MODULE, LOG_LEVEL_WARN,
		    "%s: packet of %u bytes in %u slots refused: %s", vif->config.name,
		    rec->packet.total, rec->packet.n_slots, why);
}

/* Runs the gathered segments and fails the records whose segments did. */
static void copy_run(struct worker *w)
{
	int rc;

	if (w->n_tx_copy == 0)
		return;
	w->stats.copies++;
	w->stats.copy_segments += w->n_tx_copy;
	rc = w->xen->ops->gnt_copy(w->gnt, w->tx_copy, w->n_tx_copy);
	for (unsigned int i = 0; i < w->n_tx; i++) {
		struct tx_record *rec = &w->tx[i];
		bool bad = rc < 0 && rec->n_segs;

		for (unsigned int s = 0; s < rec->n_segs && !bad; s++)
			bad = w->tx_copy[rec->seg_first + s].status != XEN_GNTST_OKAY;
		rec->n_segs = 0;
		if (bad && !rec->failed)
			fail(w, rec, "grant copy failed (revoked or wrong grant reference)");
	}
	w->n_tx_copy = 0;
}

static void mcast_request(struct worker *w, struct tx_record *rec)
{
	struct vif *vif = rec->queue->vif;
	int rc = 0;

	rec->failed = true; /* no frame behind it */
	if (rec->packet.verdict == NETIF_VERDICT_MCAST_ADD)
		rc = sw_mcast_add(w->sw, vif->port, rec->packet.mcast);
	else
		sw_mcast_del(w->sw, vif->port, rec->packet.mcast);
	rec->status = rc < 0 ? NETIF_RSP_ERROR : NETIF_RSP_OKAY;
}

/* The packets of the batch: their frames are copied here, the others are answered as they are. */
static void prepare(struct worker *w)
{
	for (unsigned int i = 0; i < w->n_tx; i++) {
		struct tx_record *rec = &w->tx[i];

		if (rec->failed)
			continue;
		switch (rec->packet.verdict) {
		case NETIF_VERDICT_OK:
			copy_first(w, rec);
			break;
		case NETIF_VERDICT_DROP:
			fail(w, rec, rec->packet.why);
			break;
		case NETIF_VERDICT_MCAST_ADD:
		case NETIF_VERDICT_MCAST_DEL:
			mcast_request(w, rec);
			break;
		}
	}
}

/* The frame as pieces: copied ones here, the others still in the guest. */
static void describe(struct tx_record *rec)
{
	struct netif_tx_packet *p = &rec->packet;
	struct pkt *pkt = &rec->pkt;

	pkt->total = p->total;
	pkt->buf = NULL;
	pkt->n_frags = 0;
	pkt->from_member = -1;
	for (unsigned int i = 0; i < p->n_slots; i++) {
		struct frag *frag = &pkt->frags[pkt->n_frags];

		if (p->slots[i].size == 0)
			continue; /* legal (XSA-448) */
		frag->virt = rec->whole
				     ? rec->pages + (size_t)i * XEN_PAGE_SIZE + p->slots[i].offset
				     : NULL;
		frag->gref = p->slots[i].gref;
		frag->offset = p->slots[i].offset;
		frag->domid = rec->queue->vif->config.domid;
		frag->len = p->slots[i].size;
		pkt->n_frags++;
	}
	pkt->head = rec->pages + p->slots[0].offset;
	pkt->head_len = rec->whole ? p->slots[0].size : MIN(p->slots[0].size, PEEK_BYTES);
}

/* Makes the first bytes contiguous where a guest spread its headers over slots (XSA-423, XSA-432).
 */
static void gather_head(struct tx_record *rec)
{
	struct pkt *pkt = &rec->pkt;
	uint32_t want = MIN(pkt->total, FRAME_HEAD_MAX), got = 0;
	unsigned int from = 0;
	struct frag head;

	while (got < want) {
		struct frag *frag = &pkt->frags[from];
		uint32_t n = MIN(frag->len, want - got);

		memcpy(rec->head + got, frag->virt, n);
		got += n;
		frag->virt += n;
		frag->len -= n;
		if (frag->len == 0)
			from++;
	}
	head = (struct frag){.virt = rec->head, .len = want};
	memmove(&pkt->frags[1], &pkt->frags[from], (pkt->n_frags - from) * sizeof(head));
	pkt->n_frags = pkt->n_frags - from + 1;
	pkt->frags[0] = head;
	pkt->head = rec->head;
	pkt->head_len = want;
}

static uint8_t gso_to_virtio(const struct netif_tx_packet *p)
{
	return p->gso_type == XEN_NETIF_GSO_TYPE_TCPV6 ? VIRTIO_NET_HDR_GSO_TCPV6
						       : VIRTIO_NET_HDR_GSO_TCPV4;
}

/* Headers and offload metadata; false: more of the frame has to be here first. */
static bool parse(struct worker *w, struct tx_record *rec)
{
	struct netif_tx_packet *p = &rec->packet;
	struct pkt *pkt = &rec->pkt;
	bool fix_pseudo = p->gso_size && !p->csum_blank;
	bool short_head = p->slots[0].size < MIN(p->total, FRAME_HEAD_MAX);
	bool parsed;

	describe(rec);
	parsed = frame_parse(pkt->head, pkt->head_len, pkt->total, &pkt->info);
	if ((short_head && (!parsed || pkt->info.l4_len == 0)) || (fix_pseudo && !rec->whole)) {
		if (!rec->whole)
			return false;
		if (short_head) {
			gather_head(rec);
			frame_parse(pkt->head, pkt->head_len, pkt->total, &pkt->info);
		}
	}
	flow_key_init(&pkt->flow, pkt->head, pkt->head_len, pkt->total, &pkt->info);
	if (p->gso_size && pkt->info.payload_off)
		rec->queue->header_bytes = (uint8_t)MIN(pkt->info.payload_off, UINT8_MAX);
	memset(&pkt->vnet, 0, sizeof(pkt->vnet));
	if (p->csum_blank || p->gso_size) {
		if (frame_offload_setup((uint8_t *)pkt->head, pkt->head_len, pkt->total, &pkt->info,
					p->gso_size, p->gso_size ? gso_to_virtio(p) : 0, fix_pseudo,
					&pkt->vnet) < 0)
			fail(w, rec,
			     "checksum or GSO asked for a frame that is no whole TCP or UDP");
	} else if (p->data_validated) {
		pkt->vnet.flags = VIRTIO_NET_HDR_F_DATA_VALID;
	}
	return true;
}

static void flood(struct worker *w, struct tx_record *rec)
{
	struct vif *from = rec->queue->vif;
	int port = -1;

	while (!rec->flooded && (port = sw_flood_next(w->sw, rec->pkt.head, from->port, port)) >= 0)
		guest_rx_deliver(w, w->ports[port], &rec->pkt);
	rec->flooded = true;
	uplink_queue(w, rec);
}

/* Shows the defence a frame that is all here. A frame that was put back was counted before. */
static void look(struct tx_record *rec, const struct sw_decision *decision)
{
	struct vif *vif = rec->queue->vif;

	if (vif->guard.vm < 0 || rec->again || rec->looked)
		return;
	guard_look(vif, &rec->pkt, decision->verdict == SW_VERDICT_DROP_SPOOF, &rec->look);
	rec->looked = true;
}

/* Notes which address the sender of an ARP frame has, for its announcements. */
static void note_claim(struct worker *w, const struct tx_record *rec)
{
	const int port = rec->queue->vif->port;
	const bool known = sw_port_of(w->sw, frame_src(rec->pkt.head)) == port;

	claims_learn(w->claims, known ? port : -1, rec->pkt.head, rec->pkt.head_len, w->now_ns);
}

/* The switch's verdict, performed; a frame that only has its headers here goes from guest to guest.
 */
static void forward(struct worker *w, struct tx_record *rec, const struct sw_decision *decision)
{
	struct vif *vif = rec->queue->vif;

	look(rec, decision);
	if (vif->guard.vm >= 0 && rec->looked && !guard_from_guest(vif, &rec->look)) {
		vif->stats.tx_limited++;
		explain_tx(w, vif, rec, TRACE_OUTCOME_LIMITED, -1, -1);
		return;
	}
	switch (decision->verdict) {
	case SW_VERDICT_UPLINK:
		uplink_queue(w, rec);
		break;
	case SW_VERDICT_LOCAL:
		vif->stats.tx_local_packets++;
		rec->local = true;
		explain_tx(w, vif, rec, TRACE_OUTCOME_LOCAL, -1, decision->port);
		guest_rx_deliver(w, w->ports[decision->port], &rec->pkt);
		break;
	case SW_VERDICT_FLOOD:
		flood(w, rec);
		break;
	case SW_VERDICT_DROP_SPOOF:
		vif->stats.tx_spoofed++;
		explain_tx(w, vif, rec, TRACE_OUTCOME_SPOOF, -1, -1);
		return;
	case SW_VERDICT_DROP_CTRL:
	case SW_VERDICT_DROP_REFLECT:
	case SW_VERDICT_DROP_INACTIVE:
	case SW_VERDICT_DROP_UNKNOWN:
		vif->stats.tx_control++;
		explain_tx(w, vif, rec, TRACE_OUTCOME_CONTROL, -1, -1);
		return;
	}
	rec->forwarded = true;
	if (w->claims && frame_type(rec->pkt.head) == ETH_P_ARP)
		note_claim(w, rec);
}

/* Decides every frame of the batch, fetches what is still missing, sends. */
static void dispatch(struct worker *w)
{
	struct sw_decision decisions[WORKER_TX_BATCH];
	bool parsed[WORKER_TX_BATCH] = {false};

	for (unsigned int i = 0; i < w->n_tx; i++) {
		struct tx_record *rec = &w->tx[i];

		if (rec->failed)
			continue;
		parsed[i] = parse(w, rec);
		if (!parsed[i]) {
			copy_rest(w, rec);
			continue;
		}
		if (rec->failed)
			continue;
		decisions[i] = sw_from_guest(w->sw, rec->queue->vif->port, rec->pkt.head,
					     rec->pkt.head_len, w->now_ns);
		if (rec->whole)
			look(rec, &decisions[i]);
		if (rec->packet.n_slots > 1)
			rec->queue->peek = decisions[i].verdict == SW_VERDICT_LOCAL;
		if (!rec->whole && decisions[i].verdict != SW_VERDICT_LOCAL)
			copy_rest(w, rec);
	}
	copy_run(w);
	for (unsigned int i = 0; i < w->n_tx; i++) {
		struct tx_record *rec = &w->tx[i];

		if (!rec->failed && !parsed[i]) {
			parse(w, rec);
			if (!rec->failed)
				decisions[i] =
					sw_from_guest(w->sw, rec->queue->vif->port, rec->pkt.head,
						      rec->pkt.head_len, w->now_ns);
		} else if (!rec->failed && rec->whole && rec->pkt.frags[0].virt == NULL) {
			describe(rec); /* the body arrived with the second copy */
		}
		if (!rec->failed)
			forward(w, rec, &decisions[i]);
	}
}

void guest_touch(struct worker *w, struct vif_queue *q)
{
	if (q->touched)
		return;
	q->touched = true;
	q->touched_next = w->touched;
	w->touched = q;
}

static void notify_port(struct worker *w, struct vif_queue *q, uint32_t port)
{
	w->xen->ops->evt_notify(w->evt, port);
	q->vif->stats.notifies++;
}

/* Does the guest have to hear of its answered TX requests now? While we look by ourselves, a guest
 * that has sent little finds them when it sends again; settle tells it at the latest. */
static bool must_tell_tx(struct worker *w, struct vif_queue *q)
{
	if (w->looks_left && q->ready && q->tx_quiet_bytes < WORKER_QUIET_BYTES &&
	    q->tx.rsp_pushed - q->tx.rsp_told < WORKER_QUIET_RESPONSES)
		return false;
	q->tx_quiet_bytes = 0;
	return ring_back_must_notify(&q->tx);
}

/* A delay that answers an attack keeps what is in the RX ring back until its time has come. */
static bool push_rx(struct worker *w, struct vif_queue *q)
{
	const uint64_t delay_ns = q->vif->guard.delay_ns;

	q->rx_held = false;
	if (delay_ns && q->rx.rsp_prod != q->rx.rsp_pushed) {
		if (q->deliver_ns > w->now_ns) {
			q->rx_held = true;
			worker_deadline(w, q->deliver_ns);
			return false;
		}
		q->deliver_ns = w->now_ns + delay_ns;
	}
	if (q->rx.rsp_prod != q->rx.rsp_pushed)
		guest_rx_late(w, q->vif);
	return ring_back_push(&q->rx);
}

void guest_notify(struct worker *w)
{
	struct vif_queue *q;

	while ((q = w->touched)) {
		bool tx, rx = push_rx(w, q);

		ring_back_publish(&q->tx);
		tx = must_tell_tx(w, q);
		w->touched = q->touched_next;
		q->touched = false;
		if (tx || (rx && q->rx_port == q->tx_port))
			notify_port(w, q, q->tx_port);
		if (rx && q->rx_port != q->tx_port)
			notify_port(w, q, q->rx_port);
	}
}

/* A queue that ran dry sleeps until the guest's next event; one that has to wait, until the
 * schedule may let it go on. */
static void settle(struct worker *w, struct vif_queue *q, bool waits)
{
	q->tx_quiet_bytes = 0;
	if (ring_back_must_notify(&q->tx))
		notify_port(w, q, q->tx_port);
	if (!waits && !q->vif->failed && ring_back_arm(&q->tx, 1))
		return; /* something came in between */
	q->ready = false;
	DL_DELETE(w->ready, q);
	worker_unmask(w, q);
}

/* Looks at both rings of all queues that are ready. */
static void look_at_rings(struct worker *w)
{
	struct vif_queue *q, *tmp, *last = w->ready ? w->ready->prev : NULL;

	DL_FOREACH_SAFE (w->ready, q, tmp) {
		if (q->wait.head)
			guest_rx_drain(w, q);
		else if (ring_back_requests(&q->rx) < 0)
			vif_fail(q->vif, "RX ring: request index further ahead than the ring has "
					 "slots (256)");
		if (!q->vif->failed)
			guest_take_look(w, q);
		if (q == last)
			break;
	}
}

static void settle_ready(struct worker *w, bool more)
{
	struct vif_queue *q, *tmp, *last = w->ready ? w->ready->prev : NULL;

	DL_FOREACH_SAFE (w->ready, q, tmp) {
		const bool waits = q->backlog || q->back, end = q == last;

		if (more && q->backlog && !q->waits_turn) {
			q->waits_turn = true;
			decide_count(&q->vif->tx_counts, DECIDE_REASON_TURN);
		}
		if (waits ? !more : (!w->looks_left || q->vif->failed)) {
			settle(w, q, waits);
		} else { /* to the end: the next batch begins with the others */
			DL_DELETE(w->ready, q);
			DL_APPEND(w->ready, q);
		}
		if (end)
			break;
	}
}

/* Bounds are to hold on the wire, and a batch may be long on its way there: we may even have lost
 * the processor since it was chosen. */
static void charge_late(struct worker *w)
{
	const uint64_t gone_ns = clock_now(w->clock);
	const struct vif *last = NULL;

	w->qos.bounded = false;
	shape_late(&w->qos.pace, w->now_ns, gone_ns);
	for (unsigned int i = 0; i < w->n_tx; i++) {
		const struct vif *vif = w->tx[i].queue->vif;

		if (vif == last)
			continue;
		fair_late(w->qos.fair, (uint32_t)vif->port, w->now_ns, gone_ns);
		last = vif;
	}
}

bool guest_tx_run(struct worker *w)
{
	struct qos *qos = &w->qos;
	bool more;

	if (team_held(&w->team, w->now_ns)) { /* a member drains: frames stay in the rings */
		worker_deadline(w, w->team.held_ns);
		return false;
	}
	if (qos->stale)
		qos_capacity(w);
	if (!w->ready && w->now_ns < qos->wake_ns) {
		worker_deadline(w, qos->wake_ns);
		return false;
	}
	w->n_tx = w->n_tx_pages = w->n_tx_copy = 0;
	look_at_rings(w);
	more = guest_take_batch(w);
	prepare(w);
	copy_run(w);
	dispatch(w);
	guest_rx_flush(w);
	if (qos->bounded)
		worker_on_time(w);
	uplink_flush(w);
	if (qos->bounded)
		charge_late(w);
	more |= guest_take_answer(w);
	guest_notify(w);
	if (qos->back)
		qos->wake_ns = MIN(qos->wake_ns, qos->retry_ns);
	if (more)
		qos->wake_ns = 0;
	else
		worker_deadline(w, qos->wake_ns);
	if (w->n_traced && qos->n_backlog)
		explain_backlogs(w);
	settle_ready(w, more);
	return more;
}
