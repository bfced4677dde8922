/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usbfront.c - life of a PVUSB frontend: handshake, closing, events. See usbfront.h; the rings are
 * in usbfront_ring.c.
 */
#include "usbfront.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "usbfront_priv.h"
#include "util.h"

#define PORTS_MAX   8u
#define WATCH_TOKEN "backend-state"

const char *usbfront_state_name(enum usbfront_state state)
{
	switch (state) {
	case USBFRONT_STATE_WAITING:
		return "waiting";
	case USBFRONT_STATE_CONNECTING:
		return "connecting";
	case USBFRONT_STATE_RUNNING:
		return "running";
	case USBFRONT_STATE_CLOSING:
		return "closing";
	case USBFRONT_STATE_CLOSED:
		return "closed";
	}
	return "?";
}

void uf_complain(struct usbfront *front, const char *what)
{
	if (front->lied)
		return;
	if (front->stats.complaints++ == 0)
		snprintf(front->stats.complaint, sizeof(front->stats.complaint), "%s", what);
}

static void enter(struct usbfront *front, enum usbfront_state state, const char *why)
{
	if (front->info.state == state)
		return;
	front->info.state = state;
	if (front->options.changed)
		front->options.changed(front->options.ctx, state, why);
}

/* --- walking through the states --- */

static int connect_backend(struct usbfront *front)
{
	int rc;

	front->broken = front->lied = false;
	rc = uf_connect(front);
	if (rc == 0)
		rc = uf_publish(front);
	if (rc == 0)
		rc = uf_write_state(front, XENBUS_STATE_CONNECTED);
	if (rc < 0)
		uf_disconnect(front, true);
	return rc;
}

static bool gone(enum xenbus_state peer)
{
	return peer == XENBUS_STATE_CLOSING || peer == XENBUS_STATE_CLOSED ||
	       peer == XENBUS_STATE_MISSING;
}

static void walk_waiting(struct usbfront *front)
{
	bool others =
		front->peer == XENBUS_STATE_INITIALISED || front->peer == XENBUS_STATE_CONNECTED;

	if (front->peer != XENBUS_STATE_INIT_WAIT && (front->stale || !others))
		return;
	front->stale = false;
	if (connect_backend(front) == 0) {
		enter(front, USBFRONT_STATE_CONNECTING, "rings are published");
		if (front->peer == XENBUS_STATE_CONNECTED)
			enter(front, USBFRONT_STATE_RUNNING, "the backend is connected");
		return;
	}
	uf_write_state(front, XENBUS_STATE_CLOSED);
	enter(front, USBFRONT_STATE_CLOSED, "rings, grants or keys could not be made");
}

static void walk_closing(struct usbfront *front)
{
	if (front->own == XENBUS_STATE_CLOSING && gone(front->peer)) {
		uf_disconnect(front, front->peer == XENBUS_STATE_CLOSING);
		if (uf_write_state(front, XENBUS_STATE_CLOSED) == -ENOENT)
			front->peer = XENBUS_STATE_MISSING;
	}
	if (front->peer == XENBUS_STATE_MISSING ||
	    (front->own == XENBUS_STATE_CLOSED && front->peer == XENBUS_STATE_CLOSED))
		enter(front, USBFRONT_STATE_CLOSED, "closed as we asked");
}

static void walk(struct usbfront *front)
{
	switch (front->info.state) {
	case USBFRONT_STATE_WAITING:
		walk_waiting(front);
		break;
	case USBFRONT_STATE_CONNECTING:
	case USBFRONT_STATE_RUNNING:
		if (gone(front->peer)) {
			uf_disconnect(front, front->peer == XENBUS_STATE_CLOSING);
			uf_write_state(front, XENBUS_STATE_CLOSED);
			enter(front, USBFRONT_STATE_CLOSED, "the backend closed");
		} else if (front->peer == XENBUS_STATE_CONNECTED) {
			enter(front, USBFRONT_STATE_RUNNING, "the backend is connected");
		}
		break;
	case USBFRONT_STATE_CLOSING:
		walk_closing(front);
		break;
	case USBFRONT_STATE_CLOSED:
		break;
	}
}

static int look_at_backend(struct usbfront *front)
{
	AUTO_FREE char *value = NULL;
	char path[160];
	int rc;

	snprintf(path, sizeof(path), "%s/state", front->info.backend);
	rc = front->ops->store_read(front->store, XEN_TXN_NONE, path, &value, NULL);
	if (rc == -EIO)
		return rc;
	front->peer = xenbus_state_parse(value);
	walk(front);
	return 0;
}

static int store_events(struct usbfront *front)
{
	bool any = false;
	int rc;

	for (;;) {
		AUTO_FREE char *path = NULL;
		AUTO_FREE char *token = NULL;

		rc = front->ops->store_event(front->store, &path, &token);
		if (rc <= 0)
			break;
		any = true;
	}
	if (rc == 0 && any)
		rc = look_at_backend(front);
	return rc;
}

/* --- closing --- */

int usbfront_close(struct usbfront *front)
{
	int rc;

	if (front->info.state == USBFRONT_STATE_CLOSED ||
	    front->info.state == USBFRONT_STATE_CLOSING)
		return 0;
	rc = uf_write_state(front, XENBUS_STATE_CLOSING);
	if (rc == -ENOENT)
		front->peer = XENBUS_STATE_MISSING;
	enter(front, USBFRONT_STATE_CLOSING, "we close");
	walk(front);
	return rc == -ENOENT ? 0 : rc;
}

int uf_restart(struct usbfront *front, bool forced)
{
	int rc;

	uf_disconnect(front, forced);
	rc = uf_write_state(front, XENBUS_STATE_INITIALISING);
	if (rc < 0)
		return rc;
	front->stale = true;
	enter(front, USBFRONT_STATE_WAITING, "we begin anew");
	return look_at_backend(front);
}

int usbfront_reopen(struct usbfront *front)
{
	return front->info.state == USBFRONT_STATE_CLOSED ? uf_restart(front, false) : -EINVAL;
}

/* --- events --- */

void uf_notify(struct usbfront *front)
{
	front->stats.notifies++;
	front->ops->evt_notify(front->evt, front->port); /* nobody bound: dropped, as on Xen */
}

static bool live(const struct usbfront *front)
{
	return front->connected && !front->broken &&
	       (front->info.state == USBFRONT_STATE_RUNNING ||
		front->info.state == USBFRONT_STATE_CONNECTING);
}

/* An event promises responses; those that the last polls took count as well. */
static void count_event(struct usbfront *front)
{
	front->stats.events++;
	if (front->urb_ring.rsp_cons == front->urb_seen &&
	    front->conn_ring.rsp_cons == front->conn_seen)
		front->stats.spurious++;
	front->urb_seen = front->urb_ring.rsp_cons;
	front->conn_seen = front->conn_ring.rsp_cons;
}

int usbfront_run(struct usbfront *front)
{
	uint32_t ports[PORTS_MAX];
	int rc = store_events(front), n;
	bool more = false;

	if (rc < 0)
		return rc;
	n = front->ops->evt_pending(front->evt, ports, PORTS_MAX);
	if (live(front))
		more = uf_poll(front);
	if (n > 0 && front->connected)
		count_event(front);
	if (n > 0)
		front->ops->evt_unmask(front->evt, ports, (unsigned int)n);
	if (front->evil && front->info.state == USBFRONT_STATE_RUNNING)
		uf_evil_act(front);
	more |= uf_evil_go_on(front);
	more |= uf_give_back(front);
	return more;
}

/* --- birth and death --- */

static int open_device(struct usbfront *front)
{
	char path[160];
	int rc = front->ops->store_open(front->xen, &front->store);

	if (rc == 0)
		rc = front->ops->evt_open(front->xen, &front->evt);
	if (rc == 0)
		rc = front->ops->shr_open(front->xen, &front->shr);
	if (rc == 0)
		rc = uf_read_device(front);
	if (rc < 0)
		return rc;
	front->stale = front->own != XENBUS_STATE_INITIALISING; /* of a driver that is dead */
	if (front->stale)
		rc = uf_write_state(front, XENBUS_STATE_INITIALISING);
	if (rc < 0)
		return rc;
	snprintf(path, sizeof(path), "%s/state", front->info.backend);
	return front->ops->store_watch(front->store, path, WATCH_TOKEN);
}

int usbfront_create(struct usbfront **out, struct xen *xen, const struct usbfront_options *options)
{
	struct usbfront *front = xb_calloc(1, sizeof(*front));
	int rc;

	front->xen = xen;
	front->ops = xen->ops;
	front->options = *options;
	front->target.port = 1;
	snprintf(front->info.frontend, sizeof(front->info.frontend),
		 "/local/domain/%u/device/vusb/%u", xen->domid, options->devid);
	rc = open_device(front);
	if (rc == 0)
		rc = usbfront_misbehave(front, options->evil);
	if (rc < 0) {
		usbfront_destroy(front);
		return rc;
	}
	*out = front;
	return 0;
}

void usbfront_destroy(struct usbfront *front)
{
	if (!front)
		return;
	front->options.port = NULL;
	uf_disconnect(front, true);
	if (front->shr)
		front->ops->shr_close(front->shr);
	if (front->evt)
		front->ops->evt_close(front->evt);
	if (front->store)
		front->ops->store_close(front->store);
	free(front);
}

unsigned int usbfront_fds(const struct usbfront *front, int fds[USBFRONT_FDS])
{
	fds[0] = front->ops->store_fd(front->store);
	fds[1] = front->ops->evt_fd(front->evt);
	return USBFRONT_FDS;
}

const struct usbfront_info *usbfront_info(const struct usbfront *front)
{
	return &front->info;
}

const struct usbfront_stats *usbfront_stats(const struct usbfront *front)
{
	return &front->stats;
}
