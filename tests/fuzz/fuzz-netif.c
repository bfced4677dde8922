/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz-netif.c - a guest that fills its ring pages and data pages with anything, against the whole
 * data path on a fake Xen. */
#include <assert.h>
#include <string.h>

#include "netback-team/worker.h"

#include "clock.h"
#include "log.h"
#include "util.h"
#include "xen/fake.h"

#define DATA_PAGES 8u

struct machine {
	struct fake *fake;
	struct clock clock;
	struct worker *worker;
	struct xen *guest;
	struct xen_shr *shr;
	struct xen_evt *evt;
	uint32_t refs[2 + DATA_PAGES], port;
	uint8_t *pages; /* TX ring, RX ring, data: the references that requests name are these */
	bool failed;
};

static void no_log(void *ctx, enum log_level level, const char *module, const char *line)
{
}

static void on_failed(void *ctx, struct vif *vif, const char *why)
{
	((struct machine *)ctx)->failed = true;
}

static struct machine *build(void)
{
	struct machine *m = xb_calloc(1, sizeof(*m));
	struct worker_observer observer = {.vif_failed = on_failed, .ctx = m};
	struct team_options options = {.announce = ANNOUNCE_BOTH}; /* guests' ARP is read */
	const struct xen_ops *ops;
	char error[256];
	void *pages;
	int rc;

	log_set_sink(no_log, NULL);
	clock_init_manual(&m->clock, NSEC_PER_SEC);
	rc = fake_create(&m->fake);
	assert(rc == 0);
	m->guest = fake_domain(m->fake, 1);
	ops = m->guest->ops;
	rc = ops->shr_open(m->guest, &m->shr);
	rc |= ops->evt_open(m->guest, &m->evt);
	rc |= ops->evt_alloc(m->evt, 0, &m->port);
	rc |= ops->shr_alloc(m->shr, 0, 2 + DATA_PAGES, true, m->refs, &pages);
	rc |= worker_create(&m->worker, fake_domain(m->fake, 0), &m->clock, "t", &options,
			    &observer, false, error, sizeof(error));
	assert(rc == 0);
	m->pages = pages;
	return m;
}

/* Input: flags, then bytes laid over TX ring, RX ring and data pages; gref fields that fuzzers
 * can't guess are folded into ours. */
static void fill(struct machine *m, const uint8_t *data, size_t size)
{
	struct ring_page *tx = (struct ring_page *)m->pages;
	struct ring_page *rx = (struct ring_page *)(m->pages + 4096);

	memset(m->pages, 0, (2 + DATA_PAGES) * 4096);
	memcpy(m->pages + 2 * 4096, data, MIN(size, DATA_PAGES * 4096));
	memcpy(tx->slots, data, MIN(size, sizeof(tx->slots)));
	if (size > 64)
		memcpy(rx->slots, data + 64, MIN(size - 64, sizeof(rx->slots)));
	for (unsigned int i = 0; i < 256; i++) {
		uint32_t *tx_ref = (uint32_t *)(tx->slots + (size_t)i * NETIF_TX_SLOT_BYTES);
		uint32_t *rx_ref = (uint32_t *)(rx->slots + (size_t)i * NETIF_RX_SLOT_BYTES + 4);

		if (*tx_ref % 8)
			*tx_ref = m->refs[*tx_ref % (2 + DATA_PAGES)];
		if (*rx_ref % 8)
			*rx_ref = m->refs[*rx_ref % (2 + DATA_PAGES)];
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct machine *m;
	struct vif_config config = {.domid = 1, .name = "vif1.0", .mac = {0, 0x16, 0x3e, 0, 0, 1}};
	struct ring_page *tx, *rx;
	uint64_t deadline;
	struct vif *vif;
	char error[256];

	if (!m)
		m = build();
	if (size < 4)
		return 0;
	fill(m, data + 4, size - 4);
	tx = (struct ring_page *)m->pages;
	rx = (struct ring_page *)(m->pages + 4096);
	config.n_queues = 1;
	config.qos.tx.shares = 1000;
	config.sg = data[0] & 1;
	config.gso_tcpv4 = data[0] & 2;
	config.csum_ipv4 = data[0] & 4;
	config.rx_notify = data[0] & 8;
	config.learning = data[0] & 16;
	config.mcast_control = data[0] & 32;
	config.queues[0] = (struct vif_queue_config){m->refs[0], m->refs[1], m->port, m->port};
	if (vif_open(&vif, m->worker, &config, NULL, error, sizeof(error)) < 0)
		return 0;
	m->failed = false;
	for (unsigned int pass = 0; pass < 4 && !m->failed; pass++) {
		tx->req_prod += data[1];
		rx->req_prod += data[2];
		m->guest->ops->evt_notify(m->evt, m->port);
		clock_advance(&m->clock, data[3] * NSEC_PER_SEC);
		for (unsigned int i = 0; i < 8; i++)
			worker_pass(m->worker, clock_now(&m->clock), &deadline);
	}
	vif_close(vif);
	assert(fake_mapped(m->fake, 1) == 0);
	return 0;
}
