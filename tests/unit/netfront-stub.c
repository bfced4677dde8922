/* SPDX-License-Identifier: GPL-2.0-or-later */
/* netfront-stub.c - see netfront-stub.h. */
#include "netfront-stub.h"

#include <errno.h>
#include <stdio.h>

#include "netback-team/csum.h"
#include "netback-team/frame.h"
#include "util.h"

/* --- the store --- */

void stub_write(struct stub *stub, const char *path, const char *value)
{
	assert_int_equal(
		stub->ops->store_write(stub->store, XEN_TXN_NONE, path, value, strlen(value)), 0);
}

char *stub_read(struct stub *stub, const char *path)
{
	char *value;

	return stub->ops->store_read(stub->store, XEN_TXN_NONE, path, &value, NULL) < 0 ? NULL
											: value;
}

void stub_expect(struct stub *stub, const char *path, const char *value)
{
	AUTO_FREE char *got = stub_read(stub, path);

	if (!value) {
		assert_null(got);
		return;
	}
	if (!got)
		fail_msg("%s is missing, expected \"%s\"", path, value);
	assert_string_equal(got, value);
}

static uint32_t number(struct stub *stub, const char *dir, const char *key, uint32_t absent)
{
	char path[160];
	AUTO_FREE char *value = NULL;

	snprintf(path, sizeof(path), "%s/%s", dir, key);
	value = stub_read(stub, path);
	return value ? (uint32_t)strtoul(value, NULL, 10) : absent;
}

static void grant_dir(struct stub *stub, const char *path, uint32_t owner, uint32_t reader)
{
	struct xen_perm perms[] = {{.domid = owner}, {.domid = reader, .read = true}};

	assert_int_equal(stub->ops->store_mkdir(stub->store, XEN_TXN_NONE, path), 0);
	assert_int_equal(stub->ops->store_set_perms(stub->store, XEN_TXN_NONE, path, perms, 2), 0);
}

static void attach(struct stub *stub)
{
	grant_dir(stub, FRONT, STUB_DOMID, 0);
	grant_dir(stub, BACK, 0, STUB_DOMID);
	stub_write(stub, FRONT "/backend", BACK);
	stub_write(stub, FRONT "/backend-id", "0");
	stub_write(stub, FRONT "/mac", "00:16:3e:00:00:07");
	stub_write(stub, FRONT "/state", "1");
	stub_write(stub, BACK "/state", "1");
	stub_write(stub, BACK "/online", "1");
}

/* --- machine --- */

int stub_setup(void **state)
{
	struct stub *stub = calloc(1, sizeof(*stub));

	assert_int_equal(fake_create(&stub->fake), 0);
	stub->dom0 = fake_domain(stub->fake, 0);
	stub->domu = fake_domain(stub->fake, STUB_DOMID);
	stub->ops = stub->dom0->ops;
	assert_int_equal(stub->ops->store_open(stub->dom0, &stub->store), 0);
	assert_int_equal(stub->ops->gnt_open(stub->dom0, &stub->gnt), 0);
	assert_int_equal(stub->ops->evt_open(stub->dom0, &stub->evt), 0);
	attach(stub);
	*state = stub;
	return 0;
}

int stub_teardown(void **state)
{
	struct stub *stub = *state;

	stub_disconnect(stub);
	netfront_destroy(stub->nf);
	assert_int_equal(fake_mapped(stub->fake, STUB_DOMID), 0);
	assert_int_equal(fake_ports(stub->fake, STUB_DOMID), 0);
	stub->ops->store_close(stub->store);
	stub->ops->gnt_close(stub->gnt);
	stub->ops->evt_close(stub->evt);
	fake_destroy(stub->fake);
	while (stub->n_frames > 0)
		free(stub->frames[--stub->n_frames].data);
	free(stub);
	return 0;
}

/* --- the backend --- */

void stub_publish(struct stub *stub, unsigned int max_queues)
{
	static const char *const on[] = {
		"feature-rx-copy",	     "feature-sg",
		"feature-gso-tcpv4",	     "feature-gso-tcpv6",
		"feature-ipv6-csum-offload", "feature-split-event-channels"};
	char path[160], text[16];

	for (size_t i = 0; i < ARRAY_SIZE(on); i++) {
		snprintf(path, sizeof(path), BACK "/%s", on[i]);
		stub_write(stub, path, "1");
	}
	snprintf(text, sizeof(text), "%u", max_queues);
	if (max_queues)
		stub_write(stub, BACK "/multi-queue-max-queues", text);
	stub_write(stub, BACK "/state", "2");
}

static void bind_queue(struct stub *stub, struct stub_queue *q, const char *dir)
{
	uint32_t tx_ref = number(stub, dir, "tx-ring-ref", 0),
		 rx_ref = number(stub, dir, "rx-ring-ref", 0);
	uint32_t tx = number(stub, dir, "event-channel-tx", 0),
		 rx = number(stub, dir, "event-channel-rx", 0);
	uint32_t both = number(stub, dir, "event-channel", 0);

	assert_int_equal(stub->ops->gnt_map(stub->gnt, STUB_DOMID, &tx_ref, 1, &q->tx_page), 0);
	assert_int_equal(stub->ops->gnt_map(stub->gnt, STUB_DOMID, &rx_ref, 1, &q->rx_page), 0);
	assert_int_equal(ring_back_attach(&q->tx, q->tx_page, NETIF_TX_SLOT_BYTES), 0);
	assert_int_equal(ring_back_attach(&q->rx, q->rx_page, NETIF_RX_SLOT_BYTES), 0);
	assert_int_equal(stub->ops->evt_bind(stub->evt, STUB_DOMID, both ? both : tx, &q->tx_port),
			 0);
	q->rx_port = q->tx_port;
	if (!both)
		assert_int_equal(stub->ops->evt_bind(stub->evt, STUB_DOMID, rx, &q->rx_port), 0);
}

void stub_connect(struct stub *stub)
{
	char dir[160] = FRONT;

	stub_expect(stub, FRONT "/state", "4");
	stub->n_queues = number(stub, FRONT, "multi-queue-num-queues", 1);
	for (unsigned int i = 0; i < stub->n_queues; i++) {
		if (stub->n_queues > 1)
			snprintf(dir, sizeof(dir), FRONT "/queue-%u", i);
		bind_queue(stub, &stub->queues[i], dir);
	}
	stub_write(stub, BACK "/state", "4");
}

void stub_disconnect(struct stub *stub)
{
	for (unsigned int i = 0; i < stub->n_queues; i++) {
		struct stub_queue *q = &stub->queues[i];

		stub->ops->evt_unbind(stub->evt, q->tx_port);
		if (q->rx_port != q->tx_port)
			stub->ops->evt_unbind(stub->evt, q->rx_port);
		assert_int_equal(stub->ops->gnt_unmap(stub->gnt, q->tx_page, 1), 0);
		assert_int_equal(stub->ops->gnt_unmap(stub->gnt, q->rx_page, 1), 0);
	}
	stub->n_queues = 0;
}

/* --- the frontend --- */

static void on_receive(void *ctx, unsigned int queue, const struct netfront_frame *frame)
{
	struct stub *stub = ctx;
	struct stub_frame *f = &stub->frames[stub->n_frames++];

	assert_true(stub->n_frames <= STUB_FRAMES);
	*f = (struct stub_frame){frame->vnet, queue, 0, malloc(frame->len)};
	for (unsigned int i = 0; i < frame->n_iov; i++) {
		memcpy(f->data + f->len, frame->iov[i].iov_base, frame->iov[i].iov_len);
		f->len += (uint32_t)frame->iov[i].iov_len;
	}
	assert_int_equal(f->len, frame->len);
}

static void on_changed(void *ctx, enum netfront_state state, const char *why)
{
	struct stub *stub = ctx;
	const char letter[2] = {*netfront_state_name(state), '\0'};

	assert_true(why && *why);
	strncat(stub->states, state == NETFRONT_STATE_CLOSED ? "." : letter,
		sizeof(stub->states) - strlen(stub->states) - 1);
}

void stub_front(struct stub *stub, const char *features, unsigned int n_queues)
{
	char error[256];

	assert_int_equal(
		netfront_features_parse(features, &stub->options.features, error, sizeof(error)),
		0);
	stub->options.n_queues = n_queues;
	stub->options.receive = on_receive;
	stub->options.changed = on_changed;
	stub->options.ctx = stub;
	assert_int_equal(netfront_create(&stub->nf, stub->domu, &stub->options), 0);
	stub_run(stub);
}

void stub_run(struct stub *stub)
{
	uint32_t ports[32];
	int n;

	while ((n = netfront_run(stub->nf)) > 0)
		;
	assert_int_equal(n, 0);
	n = stub->ops->evt_pending(stub->evt, ports, ARRAY_SIZE(ports));
	assert_true(n >= 0);
	stub->n_notified += (unsigned int)n;
	if (n > 0)
		assert_int_equal(stub->ops->evt_unmask(stub->evt, ports, (unsigned int)n), 0);
}

void stub_up(struct stub *stub, const char *features, unsigned int n_queues)
{
	stub_publish(stub, 4);
	stub_front(stub, features, n_queues);
	stub_connect(stub);
	stub_run(stub);
	assert_int_equal(netfront_info(stub->nf)->state, NETFRONT_STATE_RUNNING);
	stub->n_notified = 0; /* the first one comes from the binding */
}

/* --- data --- */

static void copy(struct stub *stub, bool to_guest, uint32_t gref, uint16_t offset, void *local,
		 uint32_t len)
{
	struct xen_copy seg = {.len = (uint16_t)len,
			       .flags = to_guest ? XEN_COPY_DST_GREF : XEN_COPY_SRC_GREF};
	union xen_copy_ptr guest = {.foreign = {gref, offset, STUB_DOMID}}, ours = {.virt = local};

	seg.src = to_guest ? ours : guest;
	seg.dst = to_guest ? guest : ours;
	assert_int_equal(stub->ops->gnt_copy(stub->gnt, &seg, 1), 0);
	assert_int_equal(seg.status, XEN_GNTST_OKAY);
}

uint32_t stub_take(struct stub *stub, unsigned int queue, struct netif_tx_packet *packet,
		   uint8_t *data)
{
	struct stub_queue *q = &stub->queues[queue];
	int n = ring_back_requests(&q->tx);
	const char *why;
	uint32_t at = 0;

	assert_true(n >= 0);
	if (n == 0)
		return 0;
	assert_int_equal(netif_tx_decode(&q->tx, (uint32_t)n, packet, &why), 0);
	q->tx.req_cons += packet->ring_slots;
	if (packet->verdict != NETIF_VERDICT_OK)
		return 0;
	for (unsigned int i = 0; i < packet->n_slots; i++) {
		copy(stub, false, packet->slots[i].gref, packet->slots[i].offset, data + at,
		     packet->slots[i].size);
		at += packet->slots[i].size;
	}
	assert_int_equal(at, packet->total);
	return at;
}

void stub_push(struct stub *stub, unsigned int queue)
{
	struct stub_queue *q = &stub->queues[queue];

	if (ring_back_push(&q->tx))
		stub->ops->evt_notify(stub->evt, q->tx_port);
	if (ring_back_push(&q->rx))
		stub->ops->evt_notify(stub->evt, q->rx_port);
}

void stub_answer(struct stub *stub, unsigned int queue, const struct netif_tx_packet *packet,
		 int16_t status)
{
	netif_tx_respond(&stub->queues[queue].tx, packet, status);
	stub_push(stub, queue);
}

void stub_give(struct stub *stub, unsigned int queue, const uint8_t *frame, uint32_t len,
	       uint32_t piece, uint16_t flags, uint16_t gso_size, uint8_t gso_type)
{
	struct stub_queue *q = &stub->queues[queue];
	uint8_t page[XEN_PAGE_SIZE];
	netif_rx_request_t req;

	for (uint32_t at = 0; at < len; at += piece) {
		uint32_t part = MIN(piece, len - at);
		uint16_t f = at + part < len ? NETRXF_more_data : 0;

		assert_true(ring_back_requests(&q->rx) > 0);
		ring_back_read(&q->rx, q->rx.req_cons++, &req);
		memcpy(page, frame + at, part);
		copy(stub, true, req.gref, 0, page, part);
		if (at == 0)
			f = (uint16_t)(f | flags | (gso_size ? NETRXF_extra_info : 0));
		netif_rx_respond(&q->rx, req.id, f, (int16_t)part);
		if (at > 0 || !gso_size)
			continue;
		q->rx.req_cons++;
		netif_rx_respond_gso(&q->rx, gso_size, gso_type);
	}
}

uint32_t stub_tcp(uint8_t *out, bool ipv6, uint32_t payload)
{
	static const uint8_t eth[12] = {2, 0, 0, 0, 0, 9, 0, 0x16, 0x3e, 0, 0, 7};
	uint32_t l3 = ipv6 ? 40 : 20, total = 14 + l3 + 20 + payload;
	uint16_t ip_len = (uint16_t)(ipv6 ? 20 + payload : 40 + payload), sum;
	struct frame_info info;

	memset(out, 0, 14 + l3 + 20);
	memcpy(out, eth, sizeof(eth));
	out[12] = ipv6 ? 0x86 : 0x08;
	out[13] = ipv6 ? 0xdd : 0x00;
	out[14] = ipv6 ? 0x60 : 0x45;
	out[ipv6 ? 18 : 16] = (uint8_t)(ip_len >> 8);
	out[ipv6 ? 19 : 17] = (uint8_t)ip_len;
	out[ipv6 ? 20 : 23] = 6;
	out[ipv6 ? 21 : 22] = 64;
	for (uint32_t i = ipv6 ? 22 : 26; i < 14 + l3; i++)
		out[i] = (uint8_t)i;
	out[14 + l3 + 12] = 0x50; /* 20 bytes of TCP header */
	for (uint32_t i = 0; i < payload; i++)
		out[14 + l3 + 20 + i] = (uint8_t)(i * 7 + i / 251);
	assert_true(frame_parse(out, total, total, &info));
	sum = csum_fold(frame_pseudo_sum(out, &info, 20 + payload));
	memcpy(out + 14 + l3 + 16, &sum, 2);
	return total;
}
