/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guest_rx.c - frames to guests: into their RX rings by batched grant copy, or, when they have to
 * wait, to guest_wait.c.
 *
 * Theory of Operation: guest_rx_deliver takes RX requests in ring order, gathers the copy segments
 * of many frames for many guests, and guest_rx_flush runs them in one call, then answers in the
 * same order. The sources are our buffers or pages of other guests (a foreign to foreign copy);
 * both are copies *to* guests, so they may share a call. Guests without checksum or GSO features
 * get complete checksums and software segments.
 */
#include "worker.h"

#include <netinet/in.h>
#include <string.h>

#include "explain.h"
#include "log.h"
#include "util.h"

#define LOG_MODULE "vif"

static struct log_limit rx_log = LOG_LIMIT_INIT(10, 5);

static bool is_gso(const struct virtio_net_hdr *vnet)
{
	return (vnet->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) != VIRTIO_NET_HDR_GSO_NONE;
}

static bool is_gso_v6(const struct virtio_net_hdr *vnet)
{
	return (vnet->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) == VIRTIO_NET_HDR_GSO_TCPV6;
}

void guest_rx_release(struct worker *w, struct buf *buf)
{
	buf->next = w->release;
	w->release = buf;
}

/* Performs the copies, answers every gathered slot, gives buffers back. */
void guest_rx_flush(struct worker *w)
{
	struct buf *buf;
	int rc = 0;

	if (w->n_rx_copy) {
		w->stats.copies++;
		w->stats.copy_segments += w->n_rx_copy;
		rc = w->xen->ops->gnt_copy(w->gnt, w->rx_copy, w->n_rx_copy);
	}
	for (unsigned int i = 0; i < w->n_rx; i++) {
		struct rx_record *rec = &w->rx[i];
		bool bad = rc < 0 && rec->n_segs;

		for (unsigned int s = 0; s < rec->n_segs && !bad; s++)
			bad = w->rx_copy[rec->seg_first + s].status != XEN_GNTST_OKAY;
		if (bad) {
			rec->queue->vif->stats.rx_errors++;
			log_limited(&rx_log, w->now_ns, LOG_MODULE, LOG_LEVEL_WARN,
				    "%s: grant copy to the guest failed (wrong or revoked grant "
				    "reference in its RX request %u)",
				    rec->queue->vif->config.name, rec->id);
		}
		if (rec->gso_size)
			netif_rx_respond_gso(&rec->queue->rx, rec->gso_size, rec->gso_type);
		else
			netif_rx_respond(&rec->queue->rx, rec->id, rec->flags,
					 bad ? NETIF_RSP_ERROR : rec->size);
		guest_touch(w, rec->queue);
	}
	w->n_rx = w->n_rx_copy = 0;
	while ((buf = w->release)) {
		w->release = buf->next;
		buf_put(w->pool, buf);
	}
}

/* Segments from the frame's position *at (fragment, offset) into one page of the guest. */
static void copy_to_slot(struct worker *w, const struct pkt *pkt, unsigned int *frag_index,
			 uint32_t *frag_off, uint32_t gref, uint16_t domid, uint32_t bytes)
{
	uint32_t done = 0;

	while (done < bytes) {
		const struct frag *frag = &pkt->frags[*frag_index];
		uint32_t n = MIN(frag->len - *frag_off, bytes - done);
		struct xen_copy *seg = &w->rx_copy[w->n_rx_copy++];

		seg->flags = XEN_COPY_DST_GREF;
		if (frag->virt) {
			seg->src.virt = frag->virt + *frag_off;
		} else {
			seg->flags |= XEN_COPY_SRC_GREF;
			seg->src.foreign.ref = frag->gref;
			seg->src.foreign.offset = (uint16_t)(frag->offset + *frag_off);
			seg->src.foreign.domid = frag->domid;
		}
		seg->dst.foreign.ref = gref;
		seg->dst.foreign.offset = (uint16_t)done;
		seg->dst.foreign.domid = domid;
		seg->len = (uint16_t)n;
		seg->status = XEN_GNTST_GENERAL_ERROR;
		done += n;
		*frag_off += n;
		if (*frag_off == frag->len) {
			(*frag_index)++;
			*frag_off = 0;
		}
	}
}

static struct rx_record *take_request(struct worker *w, struct vif_queue *q, uint32_t *gref)
{
	struct rx_record *rec = &w->rx[w->n_rx++];
	netif_rx_request_t req;

	ring_back_read(&q->rx, q->rx.req_cons++, &req);
	*gref = req.gref;
	rec->queue = q;
	rec->id = req.id;
	rec->flags = 0;
	rec->gso_size = 0;
	rec->n_segs = 0;
	rec->seg_first = (uint16_t)w->n_rx_copy;
	return rec;
}

bool guest_rx_place(struct worker *w, struct vif_queue *q, const struct pkt *pkt)
{
	bool gso = is_gso(&pkt->vnet);
	uint32_t need = netif_rx_slots(pkt->total, gso), left = pkt->total, off = 0, gref;
	struct vif *vif = q->vif;
	unsigned int frag = 0;
	int n = ring_back_requests(&q->rx);

	if (n < 0) {
		vif_fail(vif, "RX ring: request index further ahead than the ring has slots (256)");
		return true;
	}
	if ((uint32_t)n < need)
		return false;
	/* Every slot and every piece of the source may begin a segment. */
	if (w->n_rx_copy + need + pkt->n_frags > WORKER_COPY_BATCH)
		guest_rx_flush(w);
	for (bool first = true; left > 0; first = false) {
		uint32_t bytes = MIN(left, XEN_PAGE_SIZE);
		struct rx_record *rec = take_request(w, q, &gref);

		copy_to_slot(w, pkt, &frag, &off, gref, vif->config.domid, bytes);
		rec->n_segs = (uint8_t)(w->n_rx_copy - rec->seg_first);
		rec->size = (int16_t)bytes;
		left -= bytes;
		if (left)
			rec->flags |= NETRXF_more_data;
		if (!first)
			continue;
		if (pkt->vnet.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
			rec->flags |= NETRXF_csum_blank | NETRXF_data_validated;
		else if (pkt->vnet.flags & VIRTIO_NET_HDR_F_DATA_VALID)
			rec->flags |= NETRXF_data_validated;
		if (gso) {
			rec->flags |= NETRXF_extra_info;
			rec = take_request(w, q, &gref);
			rec->gso_size = pkt->vnet.gso_size;
			rec->gso_type = is_gso_v6(&pkt->vnet) ? XEN_NETIF_GSO_TYPE_TCPV6
							      : XEN_NETIF_GSO_TYPE_TCPV4;
		}
	}
	q->stalled = false;
	q->rx_starved_ns = 0;
	vif->stats.rx_packets++;
	vif->stats.rx_bytes += pkt->total;
	if (gso)
		vif->stats.rx_gso_packets++;
	explain_rx(w, vif, pkt, TRACE_OUTCOME_DELIVERED, TRACE_NO_RULE);
	return true;
}

bool guest_rx_linearize(struct worker *w, const struct pkt *pkt, uint8_t *out)
{
	struct xen_copy segs[WORKER_FRAGS_MAX];
	unsigned int n = 0;

	for (unsigned int i = 0; i < pkt->n_frags; i++) {
		const struct frag *frag = &pkt->frags[i];

		if (frag->virt) {
			memcpy(out, frag->virt, frag->len);
		} else {
			segs[n].src.foreign.ref = frag->gref;
			segs[n].src.foreign.offset = frag->offset;
			segs[n].src.foreign.domid = frag->domid;
			segs[n].dst.virt = out;
			segs[n].len = (uint16_t)frag->len;
			segs[n].flags = XEN_COPY_SRC_GREF;
			n++;
		}
		out += frag->len;
	}
	if (n == 0)
		return true;
	if (w->xen->ops->gnt_copy(w->gnt, segs, n) < 0)
		return false;
	while (n > 0)
		if (segs[--n].status != XEN_GNTST_OKAY)
			return false;
	return true;
}

/* Makes pkt a frame of one piece in buf, keeping its metadata. */
static void become_buf(struct pkt *pkt, struct buf **buf, uint32_t len)
{
	pkt->total = pkt->head_len = len;
	pkt->head = (*buf)->data;
	pkt->n_frags = 1;
	pkt->frags[0] = (struct frag){.virt = (*buf)->data, .len = len};
	pkt->buf = buf;
}

static void place_or_wait(struct worker *w, struct vif_queue *q, struct pkt *pkt)
{
	if (!q->vif->config.sg && pkt->total > XEN_PAGE_SIZE) {
		q->vif->stats.rx_errors++; /* one slot a frame is all this guest takes */
		explain_rx(w, q->vif, pkt, TRACE_OUTCOME_UNFIT, TRACE_NO_RULE);
		return;
	}
	guest_wait_or_deliver(w, q, pkt);
}

/* For a guest without the GSO feature: the frame as ordinary segments with complete checksums. */
static void deliver_segments(struct worker *w, struct vif_queue *q, const struct pkt *pkt)
{
	struct frame_segmenter seg;
	const uint8_t *frame = pkt->head;
	struct pkt piece;
	int len;

	if (pkt->n_frags != 1 || !pkt->frags[0].virt) {
		if (!guest_rx_linearize(w, pkt, w->linear)) {
			q->vif->stats.rx_errors++;
			return;
		}
		frame = w->linear;
	}
	if (frame_segment_init(&seg, frame, pkt->total, &pkt->vnet) < 0) {
		q->vif->stats.rx_errors++;
		return;
	}
	memset(&piece, 0, sizeof(piece));
	for (;;) {
		uint32_t room = pkt->vnet.gso_size + FRAME_HEAD_MAX;
		struct buf *buf = buf_get(w->pool, room);

		if (!buf) {
			q->vif->stats.rx_dropped_full++;
			return;
		}
		len = frame_segment_next(&seg, buf->data, room);
		if (len <= 0) {
			buf_put(w->pool, buf);
			return;
		}
		piece.from_member = pkt->from_member;
		piece.vnet.flags = VIRTIO_NET_HDR_F_DATA_VALID;
		become_buf(&piece, &buf, (uint32_t)len);
		q->vif->stats.rx_segmented++;
		place_or_wait(w, q, &piece);
		if (buf)
			guest_rx_release(w, buf);
	}
}

/* For a guest that takes no partial checksums: complete it first. */
static void deliver_filled(struct worker *w, struct vif_queue *q, const struct pkt *pkt)
{
	struct buf *buf = buf_get(w->pool, pkt->total);
	struct pkt filled = *pkt;

	if (!buf) {
		q->vif->stats.rx_dropped_full++;
		return;
	}
	if (!guest_rx_linearize(w, pkt, buf->data) ||
	    frame_csum_fill(buf->data, pkt->total, &pkt->vnet) < 0) {
		q->vif->stats.rx_errors++;
		buf_put(w->pool, buf);
		return;
	}
	memset(&filled.vnet, 0, sizeof(filled.vnet));
	filled.vnet.flags = VIRTIO_NET_HDR_F_DATA_VALID;
	become_buf(&filled, &buf, pkt->total);
	q->vif->stats.rx_csum_filled++;
	place_or_wait(w, q, &filled);
	if (buf)
		guest_rx_release(w, buf);
}

static bool takes_gso(const struct vif_config *config, const struct virtio_net_hdr *vnet)
{
	return config->sg && !config->csum_fill &&
	       (is_gso_v6(vnet) ? config->gso_tcpv6 : config->gso_tcpv4);
}

static bool takes_csum(const struct vif_config *config, const struct pkt *pkt)
{
	return !config->csum_fill &&
	       (pkt->info.ip_version == 6 ? config->csum_ipv6 : config->csum_ipv4);
}

void guest_rx_deliver(struct worker *w, struct vif *vif, struct pkt *pkt)
{
	struct vif_queue *q = &vif->queues[0];
	bool offload = is_gso(&pkt->vnet) || (pkt->vnet.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM);
	bool watched = vif->guard.vm >= 0;

	if (vif->failed)
		return;
	if (!pkt->info.payload_off && (offload || watched || vif->config.n_queues > 1)) {
		frame_parse(pkt->head, pkt->head_len, pkt->total, &pkt->info);
		flow_key_init(&pkt->flow, pkt->head, pkt->head_len, pkt->total, &pkt->info);
	}
	if (watched && !guard_to_guest(vif, pkt)) {
		vif->stats.rx_limited++;
		explain_rx(w, vif, pkt, TRACE_OUTCOME_LIMITED, TRACE_NO_RULE);
		return;
	}
	if (vif->config.n_queues > 1)
		q = &vif->queues[flow_hash(&pkt->flow, FLOW_L34, 0) % vif->config.n_queues];
	if (is_gso(&pkt->vnet) && !takes_gso(&vif->config, &pkt->vnet))
		deliver_segments(w, q, pkt);
	else if (!is_gso(&pkt->vnet) && (pkt->vnet.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) &&
		 !takes_csum(&vif->config, pkt))
		deliver_filled(w, q, pkt);
	else
		place_or_wait(w, q, pkt);
}
