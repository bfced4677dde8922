/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netfront_ring.c - the data path of a frontend: frames into TX rings, frames out of RX rings. See
 * netfront.h.
 *
 * TX pages are a stack, so that a guest with little in flight stays in the cache; the id of a
 * request is its page. The RX page of ring index i is always page i: every request of a ring is
 * consumed in order, so the slot and its page come back together.
 */
#include "netfront_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "netback-team/frame.h"
#include "util.h"

#define MASK (NETFRONT_RING_SLOTS - 1)
#define HEAD_OFFSET                                                                                \
	66u /* of a first slot of head_bytes: not at the start of its page, like a socket buffer's \
	     */
#define FLUSH_SLOTS    64u /* the backend starts before a long batch is complete */
#define RX_BATCH_SLOTS 64u /* RX pages go back in such groups */

static_assert(NETFRONT_RING_SLOTS <= NETFRONT_ID_USER, "ids of pages and of the caller");

/* --- birth and death --- */

static int open_ports(struct netfront *nf, struct nf_queue *q)
{
	uint16_t peer = nf->info.backend_domid;
	int rc = nf->ops->evt_alloc(nf->evt, peer, &q->tx_port);

	q->rx_port = q->tx_port;
	if (rc == 0 && (nf->options.features & NETFRONT_FEATURE_SPLIT))
		rc = nf->ops->evt_alloc(nf->evt, peer, &q->rx_port);
	return rc;
}

static int alloc_pages(struct netfront *nf, unsigned int n, bool writable, uint32_t *refs,
		       void *addr)
{
	return nf->ops->shr_alloc(nf->shr, nf->info.backend_domid, n, writable, refs,
				  (void **)addr);
}

static void post_rx(struct nf_queue *q, unsigned int n)
{
	for (; n > 0; n--) {
		uint16_t id = (uint16_t)(q->rx.req_prod & MASK);

		fill_rx(&q->rx, q->rx_refs[id], id);
	}
}

int nf_queue_open(struct netfront *nf, unsigned int i)
{
	struct nf_queue *q = &nf->queues[i];
	int rc;

	memset(q, 0, sizeof(*q));
	q->nf = nf;
	q->index = i;
	rc = alloc_pages(nf, 1, true, &q->tx_ref, &q->tx_page);
	if (rc == 0)
		rc = alloc_pages(nf, 1, true, &q->rx_ref, &q->rx_page);
	if (rc == 0)
		rc = alloc_pages(nf, NETFRONT_RING_SLOTS, false, q->tx_refs, &q->tx_data);
	if (rc == 0)
		rc = alloc_pages(nf, NETFRONT_RING_SLOTS, true, q->rx_refs, &q->rx_data);
	if (rc == 0)
		rc = open_ports(nf, q);
	if (rc < 0)
		return rc;
	ring_front_init(&q->tx, q->tx_page, FILL_TX_BYTES);
	ring_front_init(&q->rx, q->rx_page, FILL_RX_BYTES);
	for (q->n_tx_free = 0; q->n_tx_free < NETFRONT_RING_SLOTS; q->n_tx_free++)
		q->tx_free[q->n_tx_free] = (uint16_t)(NETFRONT_RING_SLOTS - 1 - q->n_tx_free);
	q->armed = 1;
	q->stalled = nf->evil == NETFRONT_EVIL_STALL;
	if (!q->stalled)
		post_rx(q, NETFRONT_RING_SLOTS);
	ring_front_push(&q->rx);
	return 0;
}

static void free_pages(struct nf_queue *q, void *addr, unsigned int n, bool forced)
{
	struct netfront *nf = q->nf;

	if (addr && nf->ops->shr_free(nf->shr, addr, n) == -EBUSY && !forced)
		nf_complain(nf, "the backend still maps pages of a closed device");
}

void nf_queue_close(struct nf_queue *q, bool forced)
{
	struct netfront *nf = q->nf;

	if (!nf)
		return;
	if (q->tx_port)
		nf->ops->evt_unbind(nf->evt, q->tx_port);
	if (q->rx_port && q->rx_port != q->tx_port)
		nf->ops->evt_unbind(nf->evt, q->rx_port);
	free_pages(q, q->tx_page, 1, forced);
	free_pages(q, q->rx_page, 1, forced);
	free_pages(q, q->tx_data, NETFRONT_RING_SLOTS, forced);
	free_pages(q, q->rx_data, NETFRONT_RING_SLOTS, forced);
	memset(q, 0, sizeof(*q));
}

/* --- TX: responses --- */

static void break_ring(struct netfront *nf, const char *what)
{
	nf_complain(nf, what);
	nf->broken = true;
}

/* Number of responses that wait, bounded by our requests. */
static uint32_t responses(struct nf_queue *q, struct ring_front *ring, const char *what)
{
	uint32_t n = ring_front_responses(ring);

	if (n <= ring->req_pushed - ring->rsp_cons)
		return n;
	break_ring(q->nf, what);
	return 0;
}

static void take_page(struct nf_queue *q, uint16_t id)
{
	if (id >= NETFRONT_ID_USER)
		return;
	if (id >= NETFRONT_RING_SLOTS || !q->tx_busy[id]) {
		nf_complain(q->nf, "TX response with an id that no request had");
		return;
	}
	q->tx_busy[id] = false;
	q->tx_free[q->n_tx_free++] = id;
}

static bool reap(struct nf_queue *q)
{
	struct netfront_stats *stats = &q->nf->stats;
	uint32_t n = responses(q, &q->tx, "more TX responses than requests");

	for (uint32_t i = 0; i < n; i++) {
		netif_tx_response_t rsp;

		ring_front_read(&q->tx, q->tx.rsp_cons + i, &rsp, sizeof(rsp));
		if (rsp.status == NETIF_RSP_NULL)
			continue; /* of an extra info */
		if (rsp.status == NETIF_RSP_ERROR)
			stats->tx_errors++;
		else if (rsp.status == NETIF_RSP_DROPPED)
			stats->tx_dropped++;
		else if (rsp.status != NETIF_RSP_OKAY)
			nf_complain(q->nf, "TX response with an unknown status");
		take_page(q, rsp.id);
	}
	q->tx.rsp_cons += n;
	stats->tx_responses += n;
	return n > 0;
}

/* --- TX: requests --- */

bool netfront_tx_room(struct netfront *nf, unsigned int queue, unsigned int slots)
{
	struct nf_queue *q = &nf->queues[queue];
	uint32_t used;

	if (ring_front_free(&q->tx) >= slots)
		return true;
	reap(q);
	if (ring_front_free(&q->tx) >= slots)
		return true;
	netfront_flush(nf, queue);
	/* Wake us when half of it is done, not at every response; and look again. */
	used = q->tx.req_pushed - q->tx.rsp_cons;
	__atomic_store_n(&q->tx.page->rsp_event, q->tx.rsp_cons + used / 2 + 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	reap(q);
	return ring_front_free(&q->tx) >= slots;
}

static struct nf_queue *running_queue(struct netfront *nf, unsigned int queue)
{
	if (nf->broken || nf->info.state != NETFRONT_STATE_RUNNING || queue >= nf->info.n_queues)
		return NULL;
	return &nf->queues[queue];
}

struct ring_front *netfront_tx_ring(struct netfront *nf, unsigned int queue)
{
	struct nf_queue *q = running_queue(nf, queue);

	return q ? &q->tx : NULL;
}

/* Where the first slot of a frame that needs more than one begins in its page, and what it holds.
 */
static void head_slot(const struct netfront *nf, uint32_t *offset, uint32_t *bytes)
{
	uint32_t head = nf->options.head_bytes;

	*offset = 0;
	*bytes = XEN_PAGE_SIZE;
	if (head == 0 || head > XEN_PAGE_SIZE - HEAD_OFFSET ||
	    !(nf->info.tx_features & NETFRONT_FEATURE_SG))
		return;
	*offset = HEAD_OFFSET;
	*bytes = head;
}

unsigned int netfront_tx_buffers(struct netfront *nf, unsigned int queue, uint32_t max_bytes,
				 struct iovec *iov)
{
	struct nf_queue *q = running_queue(nf, queue);
	uint32_t offset, bytes, sum = 0;
	unsigned int n;

	if (!q)
		return 0;
	if (!netfront_tx_room(nf, queue, NETFRONT_FRAME_SLOTS + 1) ||
	    q->n_tx_free < NETFRONT_FRAME_SLOTS)
		return 0;
	head_slot(nf, &offset, &bytes);
	if (!(nf->info.tx_features & NETFRONT_FEATURE_SG))
		max_bytes = MIN(max_bytes, XEN_PAGE_SIZE);
	for (n = 0; n < NETFRONT_FRAME_SLOTS && sum < max_bytes; n++) {
		uint16_t page = q->tx_free[q->n_tx_free - 1 - n];

		iov[n].iov_base = q->tx_data + (size_t)page * XEN_PAGE_SIZE + offset;
		iov[n].iov_len = MIN(bytes, max_bytes - sum);
		sum += (uint32_t)iov[n].iov_len;
		offset = 0;
		bytes = XEN_PAGE_SIZE;
	}
	return n;
}

/* netif's GSO type for virtio's; 0 = not GSO, -EOPNOTSUPP. */
static int gso_type_of(const struct netfront *nf, const struct virtio_net_hdr *vnet)
{
	uint32_t features = nf->info.tx_features;

	switch (vnet->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
	case VIRTIO_NET_HDR_GSO_NONE:
		return 0;
	case VIRTIO_NET_HDR_GSO_TCPV4:
		return features & NETFRONT_FEATURE_GSO_TCPV4 ? XEN_NETIF_GSO_TYPE_TCPV4
							     : -EOPNOTSUPP;
	case VIRTIO_NET_HDR_GSO_TCPV6:
		return features & NETFRONT_FEATURE_GSO_TCPV6 ? XEN_NETIF_GSO_TYPE_TCPV6
							     : -EOPNOTSUPP;
	}
	return -EOPNOTSUPP;
}

static int csum_flags(const struct netfront *nf, const struct virtio_net_hdr *vnet,
		      const uint8_t *head)
{
	uint32_t need = head[12] == 0x86 && head[13] == 0xdd ? NETFRONT_FEATURE_CSUM_IPV6
							     : NETFRONT_FEATURE_CSUM_IPV4;

	if (!(vnet->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM))
		return vnet->flags & VIRTIO_NET_HDR_F_DATA_VALID ? NETTXF_data_validated : 0;
	if (!(nf->info.tx_features & need))
		return -EOPNOTSUPP;
	return NETTXF_csum_blank | NETTXF_data_validated;
}

int netfront_tx_commit(struct netfront *nf, unsigned int queue, uint32_t len,
		       const struct virtio_net_hdr *vnet)
{
	struct nf_queue *q = running_queue(nf, queue);
	uint32_t offset, bytes, left = len, n_slots;
	uint16_t page;
	int gso, flags;

	if (!q)
		return -ENOTCONN;
	head_slot(nf, &offset, &bytes);
	n_slots = 1 + (len > bytes ? DIV_ROUND_UP(len - bytes, XEN_PAGE_SIZE) : 0);
	if (len > NETFRONT_FRAME_MAX || n_slots > NETFRONT_FRAME_SLOTS ||
	    (n_slots > 1 && !(nf->info.tx_features & NETFRONT_FEATURE_SG)))
		return -EMSGSIZE;
	if (len < FRAME_ETH_LEN)
		return -EINVAL;
	page = q->tx_free[q->n_tx_free - 1];
	gso = gso_type_of(nf, vnet);
	flags = csum_flags(nf, vnet, q->tx_data + (size_t)page * XEN_PAGE_SIZE + offset);
	if (gso < 0 || flags < 0)
		return -EOPNOTSUPP;
	flags |= gso ? NETTXF_extra_info : 0;
	for (uint32_t size = len; left > 0; size = MIN(left, XEN_PAGE_SIZE)) {
		uint32_t more = left > bytes ? NETTXF_more_data : 0;

		page = q->tx_free[--q->n_tx_free];
		q->tx_busy[page] = true;
		fill_tx(&q->tx, q->tx_refs[page], (uint16_t)offset, (uint16_t)size,
			(uint16_t)((uint32_t)flags | more), page);
		if (flags & NETTXF_extra_info)
			fill_tx_gso(&q->tx, 0, vnet->gso_size, (uint8_t)gso);
		left -= MIN(left, bytes);
		offset = 0;
		flags = 0;
		bytes = XEN_PAGE_SIZE;
	}
	nf->stats.tx_frames++;
	nf->stats.tx_bytes += len;
	nf->stats.tx_gso += gso != 0;
	q->unflushed += n_slots;
	if (q->unflushed >= FLUSH_SLOTS)
		netfront_flush(nf, queue);
	return 0;
}

void netfront_flush(struct netfront *nf, unsigned int queue)
{
	struct nf_queue *q = &nf->queues[queue];

	if (queue >= nf->info.n_queues || nf->broken)
		return;
	q->unflushed = 0;
	if (ring_front_push(&q->tx))
		nf_notify(nf, q->tx_port);
}

int netfront_send(struct netfront *nf, unsigned int queue, const struct iovec *iov,
		  unsigned int n_iov, const struct virtio_net_hdr *vnet)
{
	struct iovec to[NETFRONT_FRAME_SLOTS];
	unsigned int n, t = 0;
	size_t len = 0, at = 0;
	int rc;

	for (unsigned int i = 0; i < n_iov; i++)
		len += iov[i].iov_len;
	if (len > NETFRONT_FRAME_MAX ||
	    (len > XEN_PAGE_SIZE && !(nf->info.tx_features & NETFRONT_FEATURE_SG)))
		return nf->info.state == NETFRONT_STATE_RUNNING ? -EMSGSIZE : -ENOTCONN;
	n = netfront_tx_buffers(nf, queue, (uint32_t)len, to);
	if (n == 0)
		return running_queue(nf, queue) && len > 0 ? -EAGAIN : -ENOTCONN;
	for (unsigned int i = 0; i < n_iov; i++) {
		const uint8_t *from = iov[i].iov_base;
		size_t left = iov[i].iov_len;

		while (left > 0 && t < n) {
			size_t part = MIN(left, to[t].iov_len - at);

			memcpy((uint8_t *)to[t].iov_base + at, from, part);
			from += part;
			left -= part;
			at += part;
			if (at == to[t].iov_len) {
				t++;
				at = 0;
			}
		}
	}
	rc = netfront_tx_commit(nf, queue, (uint32_t)len, vnet);
	if (rc == 0)
		netfront_flush(nf, queue);
	return rc;
}

int netfront_mcast(struct netfront *nf, const uint8_t mac[6], bool add)
{
	struct nf_queue *q = running_queue(nf, 0);
	uint8_t type = add ? XEN_NETIF_EXTRA_TYPE_MCAST_ADD : XEN_NETIF_EXTRA_TYPE_MCAST_DEL;
	uint16_t page;

	if (!q)
		return -ENOTCONN;
	if (!netfront_tx_room(nf, 0, 2) || q->n_tx_free == 0)
		return -EAGAIN;
	page = q->tx_free[--q->n_tx_free]; /* a dummy: nothing of it is sent */
	q->tx_busy[page] = true;
	memset(q->tx_data + (size_t)page * XEN_PAGE_SIZE, 0, FRAME_ETH_LEN);
	fill_tx(&q->tx, q->tx_refs[page], 0, FRAME_ETH_LEN, NETTXF_extra_info, page);
	fill_tx_extra(&q->tx, type, 0, mac);
	netfront_flush(nf, 0);
	return 0;
}

/* --- RX --- */

struct rx_packet {
	struct netfront_frame frame;
	uint32_t n_slots; /**< with extra infos */
	uint16_t flags;
	uint16_t gso_size;
	uint8_t gso_type;
	bool bad;
};

static void rx_extra(struct nf_queue *q, const netif_extra_info_t *extra, struct rx_packet *packet)
{
	uint32_t need = extra->u.gso.type == XEN_NETIF_GSO_TYPE_TCPV6 ? NETFRONT_FEATURE_GSO_TCPV6
								      : NETFRONT_FEATURE_GSO_TCPV4;

	if (extra->type != XEN_NETIF_EXTRA_TYPE_GSO || extra->u.gso.size == 0 ||
	    extra->u.gso.type == 0 || extra->u.gso.type > XEN_NETIF_GSO_TYPE_TCPV6) {
		nf_complain(q->nf, "RX extra info of an unknown kind");
		packet->bad = true;
		return;
	}
	if (!(q->nf->options.features & need))
		nf_complain(q->nf, "GSO towards a frontend without the feature");
	packet->gso_size = extra->u.gso.size;
	packet->gso_type = extra->u.gso.type;
}

static void rx_data(struct nf_queue *q, uint32_t index, const netif_rx_response_t *rsp,
		    struct rx_packet *packet)
{
	struct netfront_frame *f = &packet->frame;
	uint8_t *page = q->rx_data + (size_t)(index & MASK) * XEN_PAGE_SIZE;

	if (rsp->id != (index & MASK))
		nf_complain(q->nf, "RX response in the place of another request");
	if (rsp->status < 0) {
		q->nf->stats.rx_errors++;
		packet->bad = true;
		return;
	}
	if (rsp->status == 0 || rsp->offset + rsp->status > (int)XEN_PAGE_SIZE) {
		nf_complain(q->nf, "RX response beyond its page, or empty");
		packet->bad = true;
		return;
	}
	if (f->n_iov == ARRAY_SIZE(f->iov)) {
		nf_complain(q->nf, "RX frame in more slots than a frontend takes");
		packet->bad = true;
		return;
	}
	f->iov[f->n_iov].iov_base = page + rsp->offset;
	f->iov[f->n_iov++].iov_len = (size_t)rsp->status;
	f->len += (uint32_t)rsp->status;
}

/* Gathers the frame at rsp_cons out of `avail` responses; false when its end is not there yet. */
static bool rx_gather(struct nf_queue *q, uint32_t avail, struct rx_packet *packet)
{
	uint32_t at = q->rx.rsp_cons;
	netif_extra_info_t extra;
	netif_rx_response_t rsp;

	memset(packet, 0, offsetof(struct rx_packet, frame.iov));
	packet->n_slots = packet->flags = packet->gso_size = packet->gso_type = 0;
	packet->bad = false;
	do {
		if (at - q->rx.rsp_cons >= avail)
			return false;
		ring_front_read(&q->rx, at, &rsp, sizeof(rsp));
		rx_data(q, at, &rsp, packet);
		if (at++ == q->rx.rsp_cons)
			packet->flags = rsp.flags;
		else if (rsp.flags & NETRXF_extra_info)
			nf_complain(q->nf, "RX extra info behind a slot other than the first");
		extra.flags = rsp.flags & NETRXF_extra_info ? XEN_NETIF_EXTRA_FLAG_MORE : 0;
		while (extra.flags & XEN_NETIF_EXTRA_FLAG_MORE) {
			if (at - q->rx.rsp_cons >= avail)
				return false;
			ring_front_read(&q->rx, at++, &extra, sizeof(extra));
			rx_extra(q, &extra, packet);
		}
	} while (rsp.flags & NETRXF_more_data);
	packet->n_slots = at - q->rx.rsp_cons;
	return true;
}

/* Copies between the first bytes of a frame and a flat buffer. */
static void copy_head(const struct netfront_frame *f, uint8_t *flat, uint32_t n, bool back)
{
	for (unsigned int i = 0; n > 0; i++) {
		uint32_t part = MIN(n, (uint32_t)f->iov[i].iov_len);

		if (back)
			memcpy(f->iov[i].iov_base, flat, part);
		else
			memcpy(flat, f->iov[i].iov_base, part);
		flat += part;
		n -= part;
	}
}

/* Offload metadata: netif says only that a checksum is blank, TAP wants to know which. */
static void rx_offload(struct nf_queue *q, struct rx_packet *packet)
{
	struct netfront_frame *f = &packet->frame;
	uint32_t n = MIN(f->len, FRAME_HEAD_MAX);
	bool blank = packet->flags & NETRXF_csum_blank, gathered = f->iov[0].iov_len < n;
	uint8_t flat[FRAME_HEAD_MAX], *head = gathered ? flat : f->iov[0].iov_base;
	uint8_t gso_type = 0;
	struct frame_info info;

	if (!blank && !packet->gso_size) {
		f->vnet.flags =
			packet->flags & NETRXF_data_validated ? VIRTIO_NET_HDR_F_DATA_VALID : 0;
		return;
	}
	if (packet->gso_size)
		gso_type = packet->gso_type == XEN_NETIF_GSO_TYPE_TCPV6 ? VIRTIO_NET_HDR_GSO_TCPV6
									: VIRTIO_NET_HDR_GSO_TCPV4;
	if (gathered)
		copy_head(f, flat, n, false);
	if (!frame_parse(head, n, f->len, &info) ||
	    frame_offload_setup(head, n, f->len, &info, packet->gso_size, gso_type, !blank,
				&f->vnet) < 0) {
		nf_complain(q->nf, "blank checksum or GSO on a frame that is no TCP or UDP");
		packet->bad = true;
		return;
	}
	if (blank &&
	    !(q->nf->options.features &
	      (info.ip_version == 6 ? NETFRONT_FEATURE_CSUM_IPV6 : NETFRONT_FEATURE_CSUM_IPV4)))
		nf_complain(q->nf, "blank checksum towards a frontend without the feature");
	if (gathered && !blank)
		copy_head(f, flat, n, true);
}

static void rx_deliver(struct nf_queue *q, struct rx_packet *packet)
{
	struct netfront *nf = q->nf;

	if (packet->frame.len < FRAME_ETH_LEN && !packet->bad) {
		nf_complain(nf, "RX frame without an Ethernet header");
		packet->bad = true;
	}
	if (packet->frame.len > XEN_PAGE_SIZE && !(nf->options.features & NETFRONT_FEATURE_SG))
		nf_complain(nf, "several slots towards a frontend without scatter/gather");
	if (!packet->bad && nf->options.receive)
		rx_offload(q, packet);
	if (packet->bad)
		return;
	nf->stats.rx_frames++;
	nf->stats.rx_bytes += packet->frame.len;
	nf->stats.rx_gso += packet->gso_size != 0;
	if (nf->options.receive)
		nf->options.receive(nf->options.ctx, q->index, &packet->frame);
}

static void give_pages(struct nf_queue *q)
{
	if (!q->stalled)
		post_rx(q, NETFRONT_RING_SLOTS - (q->rx.req_prod - q->rx.rsp_cons));
	if (ring_front_push(&q->rx) && (q->nf->options.features & NETFRONT_FEATURE_RX_NOTIFY))
		nf_notify(q->nf, q->rx_port);
}

static bool receive(struct nf_queue *q)
{
	uint32_t n = responses(q, &q->rx, "more RX responses than requests");
	uint32_t start = q->rx.rsp_cons, given = start;
	struct rx_packet packet;

	while (n > 0 && rx_gather(q, n, &packet)) {
		rx_deliver(q, &packet);
		q->rx.rsp_cons += packet.n_slots;
		n -= packet.n_slots;
		if (q->rx.rsp_cons - given >= RX_BATCH_SLOTS) {
			give_pages(q);
			given = q->rx.rsp_cons;
		}
	}
	q->rx_left = n;
	if (q->rx.rsp_cons != given)
		give_pages(q);
	return q->rx.rsp_cons != start;
}

/* --- both --- */

bool nf_queue_poll(struct nf_queue *q)
{
	bool rx = receive(q);

	return reap(q) || rx;
}

bool nf_queue_arm(struct nf_queue *q)
{
	uint32_t event = q->rx.rsp_cons + q->rx_left + 1;

	if (event != q->armed) {
		q->armed = event;
		__atomic_store_n(&q->rx.page->rsp_event, event, __ATOMIC_RELAXED);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
	}
	return ring_front_responses(&q->rx) != q->rx_left;
}
