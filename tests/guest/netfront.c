/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netfront.c - life of a frontend: features, keys, handshake, closing, events. See netfront.h; the
 * rings are in netfront_ring.c.
 */
#include "netfront.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netfront_priv.h"
#include "util.h"

#define MTU_DEFAULT 1500u
#define PORTS_MAX   64u
#define WATCH_TOKEN "backend-state"

const char *netfront_state_name(enum netfront_state state)
{
	switch (state) {
	case NETFRONT_STATE_WAITING:
		return "waiting";
	case NETFRONT_STATE_CONNECTING:
		return "connecting";
	case NETFRONT_STATE_RUNNING:
		return "running";
	case NETFRONT_STATE_CLOSING:
		return "closing";
	case NETFRONT_STATE_CLOSED:
		return "closed";
	}
	return "?";
}

void nf_complain(struct netfront *nf, const char *what)
{
	if (nf->lied)
		return;
	if (nf->stats.complaints++ == 0)
		snprintf(nf->stats.complaint, sizeof(nf->stats.complaint), "%s", what);
}

/* --- the store --- */

int nf_write_state(struct netfront *nf, enum xenbus_state state)
{
	char text[2] = {(char)('0' + state), '\0'};
	int rc = -EAGAIN;

	for (unsigned int i = 0; i < NF_TXN_TRIES && rc == -EAGAIN; i++) {
		AUTO_FREE char *old = NULL;
		xen_txn txn;

		rc = nf->ops->txn_start(nf->store, &txn);
		if (rc < 0)
			return rc;
		old = nf_read(nf, txn, nf->info.frontend, "state");
		rc = old ? nf_write(nf, txn, "state", text) : -ENOENT;
		if (rc < 0) {
			nf->ops->txn_end(nf->store, txn, true);
			return rc;
		}
		rc = nf->ops->txn_end(nf->store, txn, false);
	}
	if (rc == 0)
		nf->own = state;
	return rc;
}

static void enter(struct netfront *nf, enum netfront_state state, const char *why)
{
	if (nf->info.state == state)
		return;
	nf->info.state = state;
	if (nf->options.changed)
		nf->options.changed(nf->options.ctx, state, why);
}

/* --- the handshake --- */

static void close_queues(struct netfront *nf, bool forced)
{
	for (unsigned int i = 0; i < nf->info.n_queues; i++)
		nf_queue_close(&nf->queues[i], forced);
	nf->info.n_queues = 0;
}

/* The backend is in InitWait: rings, grants, ports, keys, 4. */
static int connect_backend(struct netfront *nf)
{
	uint32_t max = nf_read_number(nf, nf->info.backend, "multi-queue-max-queues", 0);
	bool several = max && (nf->options.features & NETFRONT_FEATURE_MULTI_QUEUE);
	unsigned int n = several ? MIN(max, nf->options.n_queues) : 1;
	int rc = 0;

	if (nf_read_number(nf, nf->info.backend, "feature-rx-copy", 0) != 1) {
		nf_complain(nf, "the backend has no feature-rx-copy");
		return -ENODEV;
	}
	nf->broken = nf->lied = false;
	nf->info.tx_features = nf_backend_features(nf);
	for (unsigned int i = 0; i < n && rc == 0; i++) {
		nf->info.n_queues = i + 1;
		rc = nf_queue_open(nf, i);
	}
	if (rc == 0)
		rc = nf_publish(nf, several);
	if (rc == 0)
		rc = nf_write_state(nf, XENBUS_STATE_CONNECTED);
	if (rc < 0)
		close_queues(nf, true);
	return rc;
}

/* --- walking through the states --- */

static bool gone(enum xenbus_state peer)
{
	return peer == XENBUS_STATE_CLOSING || peer == XENBUS_STATE_CLOSED ||
	       peer == XENBUS_STATE_MISSING;
}

static void walk_waiting(struct netfront *nf)
{
	int rc;

	if (nf->peer != XENBUS_STATE_INIT_WAIT)
		return;
	if (nf->cycle_due) {
		nf->cycle_due = false;
		nf->reopen = true;
		netfront_close(nf);
		return;
	}
	rc = connect_backend(nf);
	if (rc == 0) {
		enter(nf, NETFRONT_STATE_CONNECTING, "rings are published");
		return;
	}
	nf_write_state(nf, XENBUS_STATE_CLOSED);
	enter(nf, NETFRONT_STATE_CLOSED,
	      rc == -ENODEV ? "the backend has no feature-rx-copy"
			    : "rings, grants or keys could not be made");
}

static void walk_closing(struct netfront *nf)
{
	if (nf->own == XENBUS_STATE_CLOSING && gone(nf->peer) &&
	    nf_write_state(nf, XENBUS_STATE_CLOSED) == -ENOENT)
		nf->peer = XENBUS_STATE_MISSING;
	if (nf->peer != XENBUS_STATE_MISSING &&
	    !(nf->own == XENBUS_STATE_CLOSED && nf->peer == XENBUS_STATE_CLOSED))
		return;
	enter(nf, NETFRONT_STATE_CLOSED, "closed as we asked");
	if (nf->reopen) {
		nf->reopen = false;
		netfront_reopen(nf);
	}
}

static void walk(struct netfront *nf)
{
	switch (nf->info.state) {
	case NETFRONT_STATE_WAITING:
		walk_waiting(nf);
		break;
	case NETFRONT_STATE_CONNECTING:
	case NETFRONT_STATE_RUNNING:
		if (gone(nf->peer)) {
			nf_write_state(nf, XENBUS_STATE_CLOSED);
			enter(nf, NETFRONT_STATE_CLOSED, "the backend closed");
		} else if (nf->peer == XENBUS_STATE_CONNECTED) {
			enter(nf, NETFRONT_STATE_RUNNING, "the backend is connected");
		}
		break;
	case NETFRONT_STATE_CLOSING:
		walk_closing(nf);
		break;
	case NETFRONT_STATE_CLOSED:
		break;
	}
}

static int look_at_backend(struct netfront *nf)
{
	AUTO_FREE char *value = NULL;
	char path[160];
	int rc;

	snprintf(path, sizeof(path), "%s/state", nf->info.backend);
	rc = nf->ops->store_read(nf->store, XEN_TXN_NONE, path, &value, NULL);
	if (rc == -EIO)
		return rc;
	nf->peer = xenbus_state_parse(value);
	walk(nf);
	return 0;
}

static int store_events(struct netfront *nf)
{
	bool any = false;
	int rc;

	for (;;) {
		AUTO_FREE char *path = NULL;
		AUTO_FREE char *token = NULL;

		rc = nf->ops->store_event(nf->store, &path, &token);
		if (rc <= 0)
			break;
		any = true;
	}
	if (rc == 0 && any)
		rc = look_at_backend(nf);
	return rc;
}

/* --- closing --- */

int netfront_close(struct netfront *nf)
{
	int rc;

	if (nf->info.state == NETFRONT_STATE_CLOSED || nf->info.state == NETFRONT_STATE_CLOSING)
		return 0;
	rc = nf_write_state(nf, XENBUS_STATE_CLOSING);
	if (rc == -ENOENT)
		nf->peer = XENBUS_STATE_MISSING;
	enter(nf, NETFRONT_STATE_CLOSING, "we close");
	walk(nf);
	return rc == -ENOENT ? 0 : rc;
}

int nf_restart(struct netfront *nf, bool forced)
{
	int rc;

	close_queues(nf, forced);
	nf->info.tx_features = 0;
	rc = nf_write_state(nf, XENBUS_STATE_INITIALISING);
	if (rc < 0)
		return rc;
	enter(nf, NETFRONT_STATE_WAITING, "we begin anew");
	return look_at_backend(nf);
}

int netfront_reopen(struct netfront *nf)
{
	return nf->info.state == NETFRONT_STATE_CLOSED ? nf_restart(nf, false) : -EINVAL;
}

/* --- events --- */

void nf_notify(struct netfront *nf, uint32_t port)
{
	nf->stats.notifies++;
	nf->ops->evt_notify(nf->evt, port); /* nobody bound at the moment: dropped, as on Xen */
}

static bool live(const struct netfront *nf)
{
	return !nf->broken && (nf->info.state == NETFRONT_STATE_RUNNING ||
			       nf->info.state == NETFRONT_STATE_CONNECTING);
}

bool netfront_poll(struct netfront *nf)
{
	bool any = false;

	for (unsigned int i = 0; i < nf->info.n_queues && live(nf); i++)
		any |= nf_queue_poll(&nf->queues[i]);
	for (unsigned int i = 0; i < nf->info.n_queues && live(nf) && !any; i++)
		any = nf_queue_arm(&nf->queues[i]);
	return any;
}

/* An event promises responses; those that the last polls took count as well. */
static void count_event(struct netfront *nf, uint32_t port)
{
	nf->stats.events++;
	for (unsigned int i = 0; i < nf->info.n_queues; i++) {
		struct nf_queue *q = &nf->queues[i];
		bool tx = q->tx_port == port && q->tx.rsp_cons != q->tx_seen;
		bool rx = q->rx_port == port && q->rx.rsp_cons != q->rx_seen;

		if (q->tx_port != port && q->rx_port != port)
			continue;
		if (!tx && !rx)
			nf->stats.spurious++;
		q->tx_seen = q->tx_port == port ? q->tx.rsp_cons : q->tx_seen;
		q->rx_seen = q->rx_port == port ? q->rx.rsp_cons : q->rx_seen;
		return;
	}
}

int netfront_run(struct netfront *nf)
{
	uint32_t ports[PORTS_MAX];
	int rc = store_events(nf), n;
	bool more = false;

	if (rc < 0)
		return rc;
	n = nf->ops->evt_pending(nf->evt, ports, PORTS_MAX);
	more = netfront_poll(nf);
	for (int i = 0; i < n; i++)
		count_event(nf, ports[i]);
	if (n > 0)
		nf->ops->evt_unmask(nf->evt, ports, (unsigned int)n);
	if (nf->evil && nf->info.state == NETFRONT_STATE_RUNNING)
		nf_evil_act(nf);
	more |= nf_evil_rewrite(nf);
	return more || n == (int)PORTS_MAX;
}

/* --- birth and death --- */

static int read_mac(struct netfront *nf)
{
	AUTO_FREE char *text = nf_read(nf, XEN_TXN_NONE, nf->info.frontend, "mac");

	return text ? netfront_mac_parse(text, nf->info.mac) : -ENOENT;
}

/* What the toolstack wrote; it does so in one transaction, so that a missing key means: not yet. */
static int read_device(struct netfront *nf)
{
	AUTO_FREE char *backend = nf_read(nf, XEN_TXN_NONE, nf->info.frontend, "backend");
	AUTO_FREE char *state = nf_read(nf, XEN_TXN_NONE, nf->info.frontend, "state");
	int rc = read_mac(nf);

	if (!backend || !state)
		return -ENOENT;
	if (rc < 0)
		return rc;
	if (strlen(backend) >= sizeof(nf->info.backend))
		return -EINVAL;
	snprintf(nf->info.backend, sizeof(nf->info.backend), "%s", backend);
	nf->info.backend_domid = (uint16_t)nf_read_number(nf, nf->info.frontend, "backend-id", 0);
	nf->info.mtu = nf_read_number(nf, nf->info.frontend, "mtu", MTU_DEFAULT);
	nf->own = xenbus_state_parse(state);
	return 0;
}

static int open_device(struct netfront *nf)
{
	char path[160];
	int rc = nf->ops->store_open(nf->xen, &nf->store);

	if (rc == 0)
		rc = nf->ops->evt_open(nf->xen, &nf->evt);
	if (rc == 0)
		rc = nf->ops->shr_open(nf->xen, &nf->shr);
	if (rc == 0)
		rc = read_device(nf);
	if (rc < 0)
		return rc;
	if (nf->own != XENBUS_STATE_INITIALISING) /* of a driver before us, which is dead */
		rc = nf_write_state(nf, XENBUS_STATE_INITIALISING);
	if (rc < 0)
		return rc;
	snprintf(path, sizeof(path), "%s/state", nf->info.backend);
	return nf->ops->store_watch(nf->store, path, WATCH_TOKEN);
}

int netfront_create(struct netfront **out, struct xen *xen, const struct netfront_options *options)
{
	struct netfront *nf = xb_calloc(1, sizeof(*nf));
	int rc;

	nf->xen = xen;
	nf->ops = xen->ops;
	nf->options = *options;
	nf->options.n_queues = MAX(1u, MIN(options->n_queues, NETFRONT_QUEUES_MAX));
	nf->cycle_due = options->features & NETFRONT_FEATURE_CLOSE_CYCLE;
	snprintf(nf->info.frontend, sizeof(nf->info.frontend), "/local/domain/%u/device/vif/%u",
		 xen->domid, options->devid);
	rc = open_device(nf);
	if (rc == 0)
		rc = netfront_misbehave(nf, options->evil);
	if (rc < 0) {
		netfront_destroy(nf);
		return rc;
	}
	*out = nf;
	return 0;
}

void netfront_destroy(struct netfront *nf)
{
	if (!nf)
		return;
	close_queues(nf, true);
	if (nf->shr)
		nf->ops->shr_close(nf->shr);
	if (nf->evt)
		nf->ops->evt_close(nf->evt);
	if (nf->store)
		nf->ops->store_close(nf->store);
	free(nf);
}

unsigned int netfront_fds(const struct netfront *nf, int fds[NETFRONT_FDS])
{
	fds[0] = nf->ops->store_fd(nf->store);
	fds[1] = nf->ops->evt_fd(nf->evt);
	return 2;
}

const struct netfront_info *netfront_info(const struct netfront *nf)
{
	return &nf->info;
}

const struct netfront_stats *netfront_stats(const struct netfront *nf)
{
	return &nf->stats;
}
