/* SPDX-License-Identifier: GPL-2.0-or-later */
/* datapath.c - see datapath.h. */
#include "datapath.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "util.h"

const uint8_t dp_wire_mac[6] = {0x02, 0xaa, 0, 0, 0, 1};

/* --- fake NICs --- */

static struct dp_nic *of(struct nic *nic)
{
	return container_of(nic, struct dp_nic, nic);
}

static void nic_close(struct nic *nic)
{
}

static int nic_send(struct nic *nic, struct mmsghdr *msgs, unsigned int n)
{
	struct dp_nic *d = of(nic);
	unsigned int sent;

	clock_advance(d->clock, d->send_ns);
	for (sent = 0; sent < n; sent++) {
		const struct msghdr *m = &msgs[sent].msg_hdr;
		struct dp_frame *frame;

		if (d->send_error && d->accept == 0)
			return sent ? (int)sent : -d->send_error;
		if (d->send_error)
			d->accept--;
		assert_true(d->n_sent < DP_FRAMES);
		frame = calloc(1, sizeof(*frame));
		frame->sent_ns = clock_now(d->clock);
		assert_int_equal(m->msg_iov[0].iov_len, sizeof(frame->vnet));
		memcpy(&frame->vnet, m->msg_iov[0].iov_base, sizeof(frame->vnet));
		for (size_t i = 1; i < m->msg_iovlen; i++) {
			memcpy(frame->data + frame->len, m->msg_iov[i].iov_base,
			       m->msg_iov[i].iov_len);
			frame->len += (uint32_t)m->msg_iov[i].iov_len;
		}
		d->sent[d->n_sent++] = frame;
	}
	return (int)sent;
}

static int nic_recv(struct nic *nic, struct mmsghdr *msgs, int32_t *vlan_tci, unsigned int n)
{
	struct dp_nic *d = of(nic);
	unsigned int i;

	for (i = 0; i < n && d->n_incoming > 0; i++) {
		struct dp_frame *frame = d->incoming[0];

		memcpy(msgs[i].msg_hdr.msg_iov[0].iov_base, &frame->vnet, sizeof(frame->vnet));
		assert_true(msgs[i].msg_hdr.msg_iov[1].iov_len >= frame->len);
		memcpy(msgs[i].msg_hdr.msg_iov[1].iov_base, frame->data, frame->len);
		msgs[i].msg_len = (unsigned int)sizeof(frame->vnet) + frame->len;
		vlan_tci[i] = frame->vlan_tci;
		memmove(d->incoming, d->incoming + 1, --d->n_incoming * sizeof(d->incoming[0]));
		free(frame);
	}
	return (int)i;
}

static int nic_carrier(struct nic *nic)
{
	return of(nic)->carrier;
}

static int nic_mac_add(struct nic *nic, const uint8_t mac[6])
{
	of(nic)->n_macs++;
	return 0;
}

static int nic_mac_del(struct nic *nic, const uint8_t mac[6])
{
	of(nic)->n_macs--;
	return 0;
}

static int nic_group(struct nic *nic, const uint8_t mac[6], bool add)
{
	of(nic)->n_groups += add ? 1 : -1;
	return 0;
}

static int nic_promisc(struct nic *nic, bool on)
{
	of(nic)->promisc = on;
	return 0;
}

static uint64_t nic_drops(struct nic *nic)
{
	return 0;
}

static const struct nic_ops dp_nic_ops = {"fake",      nic_close,   nic_send,	 nic_recv,
					  nic_carrier, nic_mac_add, nic_mac_del, nic_group,
					  nic_promisc, nic_drops};

void dp_incoming(struct dp_nic *nic, const uint8_t *frame, uint32_t len,
		 const struct virtio_net_hdr *vnet, int32_t vlan_tci)
{
	struct dp_frame *f = calloc(1, sizeof(*f));

	memcpy(f->data, frame, len);
	f->len = len;
	f->vlan_tci = vlan_tci;
	if (vnet)
		f->vnet = *vnet;
	assert_true(nic->n_incoming < DP_FRAMES);
	nic->incoming[nic->n_incoming++] = f;
}

static void forget_frames(struct dp_nic *nic)
{
	while (nic->n_sent > 0)
		free(nic->sent[--nic->n_sent]);
	while (nic->n_incoming > 0)
		free(nic->incoming[--nic->n_incoming]);
}

/* --- worker --- */

static void on_failed(void *ctx, struct vif *vif, const char *why)
{
	struct dp *dp = ctx;

	dp->failed = vif;
	dp->why = why;
}

static void start_worker(struct dp *dp)
{
	struct worker_observer observer = {.vif_failed = on_failed, .ctx = dp};
	struct team_options options = {
		.rarp_count = 1, .rarp_interval_ns = NSEC_PER_SEC, .rarp_burst = 64};
	char error[256];

	assert_int_equal(worker_create(&dp->worker, fake_domain(dp->fake, 0), &dp->clock, "t",
				       &options, &observer, false, error, sizeof(error)),
			 0);
	for (unsigned int i = 0; i < DP_NICS; i++) {
		struct dp_nic *nic = dp->nics[i];

		nic->nic.ops = &dp_nic_ops;
		snprintf(nic->nic.name, sizeof(nic->nic.name), "nic%u", i);
		nic->nic.fd = -1;
		nic->nic.mtu = 1500;
		memcpy(nic->nic.mac, (uint8_t[6]){0x02, 0, 0, 0, 1, (uint8_t)i}, 6);
		nic->carrier = 1;
		nic->clock = &dp->clock;
		assert_int_equal(uplink_add(dp->worker, nic->nic.name, 128, &nic->nic), (int)i);
		team_on_link(&dp->worker->team, (int)i, true, clock_now(&dp->clock));
	}
}

bool dp_pass(struct dp *dp)
{
	uint64_t deadline;

	return worker_pass(dp->worker, clock_now(&dp->clock), &deadline);
}

void dp_run(struct dp *dp)
{
	unsigned int passes = 0;

	while (dp_pass(dp) || passes < 2)
		assert_true(++passes < 1000);
}

void dp_advance(struct dp *dp, uint64_t ns)
{
	clock_advance(&dp->clock, ns);
	dp_run(dp);
}

/* --- guests --- */

static void make_guest(struct dp *dp, unsigned int i)
{
	struct dp_guest *g = &dp->guests[i];
	const struct xen_ops *ops;
	void *data;

	g->domid = (uint16_t)(i + 1);
	g->xen = fake_domain(dp->fake, g->domid);
	ops = g->xen->ops;
	memcpy(g->mac, (uint8_t[6]){0x00, 0x16, 0x3e, 0, 0, (uint8_t)(i + 1)}, 6);
	assert_int_equal(ops->shr_open(g->xen, &g->shr), 0);
	assert_int_equal(ops->evt_open(g->xen, &g->evt), 0);
	assert_int_equal(ops->shr_alloc(g->shr, 0, 1, true, &g->tx_ref, &g->tx_page), 0);
	assert_int_equal(ops->shr_alloc(g->shr, 0, 1, true, &g->rx_ref, &g->rx_page), 0);
	assert_int_equal(ops->shr_alloc(g->shr, 0, DP_TX_PAGES, false, g->tx_refs, &data), 0);
	g->tx_data = data;
	assert_int_equal(ops->shr_alloc(g->shr, 0, DP_RX_PAGES, true, g->rx_refs, &data), 0);
	g->rx_data = data;
	assert_int_equal(ops->evt_alloc(g->evt, 0, &g->port), 0);
	ring_front_init(&g->tx, g->tx_page, NETIF_TX_SLOT_BYTES);
	ring_front_init(&g->rx, g->rx_page, NETIF_RX_SLOT_BYTES);
}

struct vif_config dp_config(struct dp *dp, unsigned int i)
{
	const struct dp_guest *g = &dp->guests[i];
	struct vif_config config = {.domid = g->domid,
				    .n_queues = 1,
				    .sg = true,
				    .gso_tcpv4 = true,
				    .gso_tcpv6 = true,
				    .csum_ipv4 = true,
				    .csum_ipv6 = true,
				    .rx_notify = true,
				    .antispoof = true,
				    .qos.tx.shares = 1000};

	snprintf(config.name, sizeof(config.name), "vif%u.0", g->domid);
	memcpy(config.mac, g->mac, 6);
	config.queues[0] = (struct vif_queue_config){g->tx_ref, g->rx_ref, g->port, g->port};
	return config;
}

void dp_connect(struct dp *dp, unsigned int i, const struct vif_config *config)
{
	char error[256] = "";
	int rc = vif_open(&dp->guests[i].vif, dp->worker, config, NULL, error, sizeof(error));

	if (rc < 0)
		fail_msg("vif_open: %s", error);
}

void dp_disconnect(struct dp *dp, unsigned int i)
{
	vif_close(dp->guests[i].vif);
	dp->guests[i].vif = NULL;
}

void dp_restart(struct dp *dp)
{
	struct vif_config configs[DP_GUESTS];

	for (unsigned int i = 0; i < DP_GUESTS; i++) {
		configs[i] = dp->guests[i].vif->config;
		dp_disconnect(dp, i);
	}
	worker_destroy(dp->worker);
	start_worker(dp);
	for (unsigned int i = 0; i < DP_GUESTS; i++)
		dp_connect(dp, i, &configs[i]);
}

int dp_setup(void **state)
{
	struct dp *dp = calloc(1, sizeof(*dp));
	struct vif_config config;

	clock_init_manual(&dp->clock, NSEC_PER_SEC);
	assert_int_equal(fake_create(&dp->fake), 0);
	for (unsigned int i = 0; i < DP_NICS; i++)
		dp->nics[i] = calloc(1, sizeof(*dp->nics[i]));
	start_worker(dp);
	for (unsigned int i = 0; i < DP_GUESTS; i++) {
		make_guest(dp, i);
		config = dp_config(dp, i);
		dp_connect(dp, i, &config);
	}
	dp_run(dp);
	for (unsigned int i = 0; i < DP_NICS; i++)
		forget_frames(dp->nics[i]); /* announcements of the start */
	*state = dp;
	return 0;
}

int dp_teardown(void **state)
{
	struct dp *dp = *state;

	for (unsigned int i = 0; i < DP_GUESTS; i++) {
		struct dp_guest *g = &dp->guests[i];

		if (g->vif)
			dp_disconnect(dp, i);
		assert_int_equal(fake_mapped(dp->fake, g->domid), 0);
		assert_int_equal(fake_ports(dp->fake, g->domid), 0);
	}
	worker_destroy(dp->worker);
	for (unsigned int i = 0; i < DP_GUESTS; i++) {
		struct dp_guest *g = &dp->guests[i];

		g->xen->ops->evt_close(g->evt);
		g->xen->ops->shr_close(g->shr);
	}
	for (unsigned int i = 0; i < DP_NICS; i++) {
		forget_frames(dp->nics[i]);
		free(dp->nics[i]);
	}
	fake_destroy(dp->fake);
	free(dp);
	return 0;
}

void dp_tx_slot(struct dp_guest *g, unsigned int page, uint16_t offset, uint16_t size,
		uint16_t flags, uint16_t id)
{
	netif_tx_request_t req = {.gref = g->tx_refs[page % DP_TX_PAGES],
				  .offset = offset,
				  .flags = flags,
				  .id = id,
				  .size = size};

	ring_front_request(&g->tx, &req);
}

static void put_gso(struct dp_guest *g, uint16_t gso_size, uint8_t gso_type)
{
	uint8_t slot[NETIF_TX_SLOT_BYTES] = {0};
	netif_extra_info_t extra = {.type = XEN_NETIF_EXTRA_TYPE_GSO};

	extra.u.gso.size = gso_size;
	extra.u.gso.type = gso_type;
	memcpy(slot, &extra, sizeof(extra));
	ring_front_request(&g->tx, slot);
}

static void notify(struct dp_guest *g)
{
	g->xen->ops->evt_notify(g->evt, g->port);
}

void dp_send(struct dp *dp, unsigned int i, const uint8_t *frame, uint32_t len,
	     const uint16_t *sizes, uint16_t flags, uint16_t gso_size, uint8_t gso_type)
{
	const uint16_t whole[] = {(uint16_t)len, 0};
	struct dp_guest *g = &dp->guests[i];
	uint32_t done = 0;

	if (!sizes)
		sizes = whole;
	for (unsigned int s = 0; done < len; s++) {
		uint16_t offset = (uint16_t)(4096 - sizes[s] < 100 ? 4096 - sizes[s] : 100);
		unsigned int page = g->tx_next++ % DP_TX_PAGES;

		memcpy(g->tx_data + (size_t)page * 4096 + offset, frame + done, sizes[s]);
		dp_tx_slot(g, page, offset, s == 0 ? (uint16_t)len : sizes[s],
			   (uint16_t)((s == 0 ? flags | (gso_size ? NETTXF_extra_info : 0) : 0) |
				      (done + sizes[s] < len ? NETTXF_more_data : 0)),
			   (uint16_t)s);
		done += sizes[s];
		if (s == 0 && gso_size)
			put_gso(g, gso_size, gso_type);
	}
	if (ring_front_push(&g->tx))
		notify(g);
}

void dp_post_rx(struct dp *dp, unsigned int i, unsigned int n)
{
	struct dp_guest *g = &dp->guests[i];

	while (n-- > 0) {
		uint16_t id = (uint16_t)(g->rx.req_prod % DP_RX_PAGES);
		netif_rx_request_t req = {.id = id, .gref = g->rx_refs[id]};

		assert_true(ring_front_free(&g->rx) > 0);
		ring_front_request(&g->rx, &req);
	}
	if (ring_front_push(&g->rx))
		notify(g);
}

int dp_tx_status(struct dp_guest *g)
{
	netif_tx_response_t rsp;

	if (ring_front_responses(&g->tx) == 0)
		return -100;
	ring_front_read(&g->tx, g->tx.rsp_cons++, &rsp, sizeof(rsp));
	return rsp.status;
}

int dp_receive(struct dp_guest *g, uint8_t *out, uint16_t *flags, uint16_t *gso_size)
{
	netif_rx_response_t rsp;
	netif_extra_info_t extra;
	uint16_t first_flags = 0;
	int len = 0, bad = 0;

	if (gso_size)
		*gso_size = 0;
	for (bool first = true;; first = false) {
		uint32_t index = g->rx.rsp_cons;

		if (ring_front_responses(&g->rx) == 0)
			return len;
		ring_front_read(&g->rx, g->rx.rsp_cons++, &rsp, sizeof(rsp));
		assert_int_equal(rsp.id, index % DP_RX_PAGES); /* same slot as its request */
		if (first)
			first_flags = rsp.flags;
		if (rsp.status < 0)
			bad = rsp.status;
		else
			memcpy(out + len, g->rx_data + (size_t)rsp.id * 4096 + rsp.offset,
			       (size_t)rsp.status);
		len += rsp.status;
		if (first && (rsp.flags & NETRXF_extra_info)) {
			ring_front_read(&g->rx, g->rx.rsp_cons++, &extra, sizeof(extra));
			assert_int_equal(extra.type, XEN_NETIF_EXTRA_TYPE_GSO);
			if (gso_size)
				*gso_size = extra.u.gso.size;
		}
		if (!(rsp.flags & NETRXF_more_data))
			break;
	}
	if (flags)
		*flags = first_flags;
	return bad ? bad : len;
}

uint32_t dp_tcp(uint8_t *out, const uint8_t dst[6], const uint8_t src[6], uint32_t payload,
		int csum)
{
	uint32_t len = 54 + payload, ip_len = 40 + payload;
	struct virtio_net_hdr vnet;
	struct frame_info info;

	memset(out, 0, 54);
	memcpy(out, dst, 6);
	memcpy(out + 6, src, 6);
	out[12] = 0x08;
	out[14] = 0x45;
	out[16] = (uint8_t)(ip_len >> 8);
	out[17] = (uint8_t)ip_len;
	out[22] = 64;
	out[23] = 6;
	memcpy(out + 26, (uint8_t[8]){10, 0, 0, src[5], 10, 0, 0, dst[5]}, 8);
	out[34] = 0x30;
	out[36] = 0x14;
	out[46] = 0x50;
	out[47] = 0x18;
	for (uint32_t i = 0; i < payload; i++)
		out[54 + i] = (uint8_t)(i * 7 + (i >> 8));
	/* IPv4 header checksum, RFC 791. */
	for (uint32_t sum = 0, i = 14; i <= 34; i += 2) {
		if (i == 34) {
			while (sum >> 16)
				sum = (sum & 0xffff) + (sum >> 16);
			out[24] = (uint8_t)(~sum >> 8);
			out[25] = (uint8_t)~sum;
			break;
		}
		sum += (uint32_t)(out[i] << 8 | out[i + 1]);
	}
	if (csum) {
		assert_true(frame_parse(out, len, len, &info));
		assert_int_equal(frame_offload_setup(out, len, len, &info, 0, 0, true, &vnet), 0);
	}
	if (csum == 2)
		assert_int_equal(frame_csum_fill(out, len, &vnet), 0);
	return len;
}
