/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vif.c - birth and death of a guest interface in its worker; see vif.h. The data path is in
 * guest_tx.c and guest_rx.c. */
#include "vif.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "explain.h"
#include "log.h"
#include "netif.h"
#include "util.h"
#include "worker.h"

#define LOG_MODULE "vif"

static int map_ring(struct vif *vif, uint32_t ref, uint32_t slot_bytes, void **page,
		    struct ring_back *ring, const char *what, char *error, size_t error_size)
{
	struct worker *w = vif->worker;
	int rc = w->xen->ops->gnt_map(w->gnt, vif->config.domid, &ref, 1, page);

	if (rc < 0) {
		*page = NULL;
		snprintf(error, error_size,
			 "%s-ring-ref %u: cannot map the guest's page: %s (a reference it granted "
			 "to "
			 "us, writable, is needed)",
			 what, ref, strerror(-rc));
		return rc;
	}
	rc = ring_back_attach(ring, *page, slot_bytes);
	if (rc < 0)
		snprintf(error, error_size,
			 "%s ring: %u requests ahead of its responses, at most %u fit", what,
			 ring->page->req_prod - ring->rsp_prod, ring->size);
	return rc;
}

static int bind_port(struct vif *vif, struct vif_queue *q, uint32_t remote, uint32_t *port,
		     char *error, size_t error_size)
{
	int rc = worker_evt_bind(vif->worker, q, vif->config.domid, remote, port);

	if (rc < 0) {
		*port = UINT32_MAX;
		snprintf(error, error_size,
			 "event-channel %u: cannot bind: %s (a port offered to us is needed)",
			 remote, strerror(-rc));
	}
	return rc;
}

static int open_queue(struct vif *vif, unsigned int i, char *error, size_t error_size)
{
	const struct vif_queue_config *config = &vif->config.queues[i];
	struct vif_queue *q = &vif->queues[i];
	int rc;

	q->vif = vif;
	q->index = i;
	q->header_bytes = COST_HEADER_GUESS;
	q->tx_port = q->rx_port = UINT32_MAX;
	rc = map_ring(vif, config->tx_ref, NETIF_TX_SLOT_BYTES, &q->tx_page, &q->tx, "tx", error,
		      error_size);
	if (rc == 0)
		rc = map_ring(vif, config->rx_ref, NETIF_RX_SLOT_BYTES, &q->rx_page, &q->rx, "rx",
			      error, error_size);
	if (rc == 0)
		rc = bind_port(vif, q, config->tx_port, &q->tx_port, error, error_size);
	if (rc == 0 && config->rx_port != config->tx_port)
		rc = bind_port(vif, q, config->rx_port, &q->rx_port, error, error_size);
	else if (rc == 0)
		q->rx_port = q->tx_port;
	return rc;
}

static void close_queue(struct vif *vif, struct vif_queue *q)
{
	struct worker *w = vif->worker;

	guest_rx_discard(w, q);
	if (q->rx_port != UINT32_MAX && q->rx_port != q->tx_port)
		worker_evt_unbind(w, q->rx_port);
	if (q->tx_port != UINT32_MAX)
		worker_evt_unbind(w, q->tx_port);
	if (q->rx_page)
		w->xen->ops->gnt_unmap(w->gnt, q->rx_page, 1);
	if (q->tx_page)
		w->xen->ops->gnt_unmap(w->gnt, q->tx_page, 1);
}

static int join_switch(struct vif *vif, char *error, size_t error_size)
{
	struct sw_port_options options = {.learning = vif->config.learning,
					  .antispoof = vif->config.antispoof};
	char mac[18];

	memcpy(options.mac, vif->config.mac, 6);
	vif->port = sw_port_add(vif->worker->sw, &options);
	if (vif->port >= 0)
		return 0;
	frame_mac_format(mac, vif->config.mac);
	if (vif->port == -EEXIST)
		snprintf(error, error_size, "mac %s: another guest of team %s has this address",
			 mac, vif->worker->team.name);
	else if (vif->port == -EINVAL)
		snprintf(error, error_size, "mac %s: not the address of one interface", mac);
	else
		snprintf(error, error_size, "team %s: no room for another guest (at most %d)",
			 vif->worker->team.name, SWITCH_PORTS_MAX);
	return vif->port;
}

/* A predecessor of ours may have answered and died before it told. */
static void tell_again(struct vif *vif)
{
	struct worker *w = vif->worker;

	for (unsigned int i = 0; i < vif->config.n_queues; i++) {
		w->xen->ops->evt_notify(w->evt, vif->queues[i].tx_port);
		if (vif->queues[i].rx_port != vif->queues[i].tx_port)
			w->xen->ops->evt_notify(w->evt, vif->queues[i].rx_port);
	}
}

int vif_open(struct vif **out, struct worker *w, const struct vif_config *config, void *owner,
	     char *error, size_t error_size)
{
	struct vif *vif = xb_calloc(1, sizeof(*vif));
	unsigned int opened = 0;
	int rc = 0;

	vif->worker = w;
	vif->config = *config;
	vif->owner = owner;
	vif->port = -1;
	vif->guard.vm = -1;
	while (rc == 0 && opened < config->n_queues)
		rc = open_queue(vif, opened++, error, error_size);
	if (rc == 0)
		rc = join_switch(vif, error, error_size);
	if (rc < 0) {
		while (opened > 0)
			close_queue(vif, &vif->queues[--opened]);
		free(vif);
		return rc;
	}
	sw_mcast_filter(w->sw, vif->port, config->mcast_control);
	qos_vif_add(w, vif);
	snprintf(vif->pin.name, sizeof(vif->pin.name), "%s", config->name);
	spread_pin_add(&w->team, &vif->pin, w->now_ns);
	vif_set_pin(vif, config->pin, config->confine);
	guard_vif_set(vif, &config->guard);
	worker_vif_add(w, vif);
	tell_again(vif);
	*out = vif;
	return 0;
}

/* It may live elsewhere soon: a late announcement would draw its traffic back here. */
static void leave_announcements(struct vif *vif)
{
	struct worker *w = vif->worker;
	uint8_t macs[SWITCH_LEARN_MAX + 1][6];
	unsigned int n = sw_port_macs(w->sw, vif->port, macs, ARRAY_SIZE(macs));

	while (n > 0)
		announce_forget(&w->announce, macs[--n]);
	if (w->claims)
		claims_forget(w->claims, vif->port);
}

void vif_close(struct vif *vif)
{
	guard_vif_remove(vif);
	explain_forget(vif);
	worker_vif_remove(vif->worker, vif);
	qos_vif_remove(vif->worker, vif);
	spread_pin_remove(&vif->worker->team, &vif->pin);
	leave_announcements(vif);
	sw_port_remove(vif->worker->sw, vif->port);
	for (unsigned int i = 0; i < vif->config.n_queues; i++)
		close_queue(vif, &vif->queues[i]);
	free(vif);
}

void vif_fail(struct vif *vif, const char *why)
{
	struct worker *w = vif->worker;

	if (vif->failed)
		return;
	vif->failed = true;
	vif->why = why;
	for (unsigned int i = 0; i < vif->config.n_queues; i++)
		guest_take_forget(w, &vif->queues[i]);
	if (w->observer.vif_failed)
		w->observer.vif_failed(w->observer.ctx, vif, why);
}

void vif_set_pin(struct vif *vif, const char *list, bool confine)
{
	memmove(vif->config.pin, list, strlen(list) + 1);
	vif->config.confine = confine;
	guard_place(vif); /* perhaps an attack has bound it elsewhere */
}

void vif_set_mcast_control(struct vif *vif, bool on)
{
	vif->config.mcast_control = on;
	sw_mcast_filter(vif->worker->sw, vif->port, on);
}

const struct stat_desc vif_stat_descs[] = {
#define ROW(member, text)                                                                          \
	{                                                                                          \
#member, STAT_KIND_COUNTER, offsetof(struct vif_stats, member), text               \
	}
	ROW(tx_packets, "Frames taken from the guest"),
	ROW(tx_bytes, "Bytes taken from the guest"),
	ROW(tx_gso_packets, "Frames of the guest that were GSO"),
	ROW(tx_errors, "Requests of the guest that were malformed or could not be copied"),
	ROW(tx_spoofed, "Frames dropped because their source address was not the guest's"),
	ROW(tx_limited, "Frames of the guest dropped by the limit that answers an attack"),
	ROW(tx_control, "Link-local control frames of the guest, dropped"),
	ROW(tx_no_member, "Frames dropped because no member of the team was up"),
	ROW(tx_too_big, "Frames dropped because they exceeded the NIC's MTU"),
	ROW(tx_refused, "Frames that the NIC refused"),
	ROW(tx_by_time, "Frames whose share was of the worker's time, as no member was short"),
	ROW(tx_local_packets, "Frames to other guests of the team"),
	ROW(rx_packets, "Frames given to the guest"),
	ROW(rx_bytes, "Bytes given to the guest"),
	ROW(rx_gso_packets, "Frames given to the guest that were GSO"),
	ROW(rx_segmented, "Segments made in software for a guest without GSO"),
	ROW(rx_csum_filled, "Checksums completed for a guest that takes no partial ones"),
	ROW(rx_dropped_full, "Frames dropped because too much waited for the guest"),
	ROW(rx_dropped_late, "Frames dropped because the guest took too long"),
	ROW(rx_dropped_stalled, "Frames dropped because the guest posts no requests"),
	ROW(rx_limited, "Frames for the guest dropped by the limit that answers an attack"),
	ROW(rx_errors, "Frames that could not be copied to the guest or do not fit it"),
	ROW(rx_queued, "Frames that had to wait for the guest"),
	ROW(rx_marked, "Waiting frames that were marked as having met congestion (ECN)"),
	ROW(notifies, "Events sent to the guest"),
	ROW(events, "Events received from the guest"),
#undef ROW
};
const size_t vif_n_stat_descs = ARRAY_SIZE(vif_stat_descs);
