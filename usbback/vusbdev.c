/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vusbdev.c - a controller of a guest as the control thread sees it: keys in, rings to its thread.
 *
 * The scanner (common/xen/backend.h) calls this driver as a device passes through the xenbus
 * states. libxl waits for InitWait and runs no script for USB, so InitWait is held for a second:
 * libxl must get to see it. What a guest wrote is read in one transaction, bounded and checked,
 * before a thread hears of it.
 */
#include "usbback.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "util.h"

#define LOG_MODULE "usb"

/* --- birth, death --- */

/* A number that the toolstack wrote. */
static int need_ours(struct backend_device *dev, const char *key, uint32_t max, unsigned int *value,
		     char *error, size_t error_size)
{
	AUTO_FREE char *text = NULL;
	uint32_t number;

	if (backend_read_u32(dev, XEN_TXN_NONE, false, key, 1, max, &number) == 0) {
		*value = number;
		return 0;
	}
	backend_read(dev, XEN_TXN_NONE, false, key, &text);
	snprintf(error, error_size, "%s/%s is \"%.40s\": must be a number from 1 to %u", dev->dir,
		 key, text ? text : "", max);
	return -EINVAL;
}

static int vusbdev_create(void *ctx, struct backend_device *dev, char *error, size_t error_size)
{
	struct usbback *ub = ctx;
	struct vusbdev *vd = xb_calloc(1, sizeof(*vd));
	int rc = need_ours(dev, "usb-ver", 2, &vd->usb_version, error, error_size);

	if (rc == 0)
		rc = need_ours(dev, "num-ports", USBIF_MAX_PORTNR, &vd->n_ports, error, error_size);
	if (rc < 0) {
		free(vd);
		return rc;
	}
	vd->ub = ub;
	vd->dev = dev;
	dev->ctx = vd;
	bindings_add(ub->bindings, vd);
	return 0;
}

static void vusbdev_destroy(void *ctx, struct backend_device *dev)
{
	struct usbback *ub = ctx;
	struct vusbdev *vd = dev->ctx;

	bindings_remove(ub->bindings, vd);
	free(vd);
	dev->ctx = NULL;
}

/* usbif knows no feature keys; what the frontend reads, libxl has written. */
static int vusbdev_publish(void *ctx, struct backend_device *dev, xen_txn txn)
{
	return 0;
}

/* --- connecting --- */

static int need_u32(struct backend_device *dev, xen_txn txn, const char *key, uint32_t *value,
		    char *error, size_t error_size)
{
	int rc = backend_read_u32(dev, txn, true, key, 0, UINT32_MAX, value);

	if (rc == -ENOENT)
		snprintf(error, error_size, "the frontend did not write %s", key);
	else if (rc < 0)
		snprintf(error, error_size, "the frontend's %s is not a number from 0 to %u", key,
			 UINT32_MAX);
	return rc;
}

static int read_frontend(struct vusbdev *vd, struct vusb_config *config, char *error,
			 size_t error_size)
{
	const struct xen_ops *ops = vd->ub->app->xen->ops;
	struct xen_store *store = backend_store(vd->dev->backend);
	xen_txn txn;
	int rc = store ? ops->txn_start(store, &txn) : -EIO;

	if (rc < 0) {
		snprintf(error, error_size, "xenstore: %s", strerror(-rc));
		return rc;
	}
	rc = need_u32(vd->dev, txn, "urb-ring-ref", &config->urb_ref, error, error_size);
	if (rc == 0)
		rc = need_u32(vd->dev, txn, "conn-ring-ref", &config->conn_ref, error, error_size);
	if (rc == 0)
		rc = need_u32(vd->dev, txn, "event-channel", &config->event_channel, error,
			      error_size);
	ops->txn_end(store, txn, true); /* a consistent view, nothing written */
	return rc;
}

/* From the controller's thread, by way of the mailbox. */
static void on_failed(void *ctx, struct vusb *vusb, const char *why)
{
	struct usbback *ub = ctx;
	struct vusbdev *vd = bindings_find_vusb(ub->bindings, vusb);

	if (!vd)
		return; /* closed meanwhile */
	snprintf(vd->failure, sizeof(vd->failure), "%s", why);
	backend_fail(vd->dev, why);
}

static void on_gone(void *ctx, struct vusb *vusb, unsigned int port)
{
	struct usbback *ub = ctx;
	struct vusbdev *vd = bindings_find_vusb(ub->bindings, vusb);

	if (vd && port >= 1 && port <= vd->n_ports)
		bindings_gone(ub->bindings, vd, port);
}

static int vusbdev_connect(void *ctx, struct backend_device *dev, bool adopt, char *error,
			   size_t error_size)
{
	struct usbback *ub = ctx;
	struct vusbdev *vd = dev->ctx;
	struct vusb_events events = {
		.mail = ub->mail, .failed = on_failed, .gone = on_gone, .ctx = ub};
	struct vusb_config config = {.domid = dev->domid,
				     .devid = dev->devid,
				     .usb_version = vd->usb_version,
				     .n_ports = vd->n_ports,
				     .journal_dir = ub->journal_dir[0] ? ub->journal_dir : NULL,
				     .adopt = adopt};
	int rc;

	snprintf(config.name, sizeof(config.name), "%s", dev->name);
	vd->failure[0] = '\0';
	rc = read_frontend(vd, &config, error, error_size);
	if (rc == 0)
		rc = vusb_open(&vd->vusb, ub->app->xen, ub->app->clock, &config, &events, error,
			       error_size);
	if (rc < 0) {
		vd->vusb = NULL;
		return rc;
	}
	vd->group = stats_add(ub->app->stats, "vusb",
			      json_pack("{s:s, s:s}", "vusb", dev->name, "uuid", vd->uuid),
			      vusb_stat_descs, vusb_n_stat_descs, vusb_stats(vd->vusb));
	bindings_connected(ub->bindings, vd, adopt);
	return 0;
}

static void vusbdev_disconnect(void *ctx, struct backend_device *dev)
{
	struct usbback *ub = ctx;
	struct vusbdev *vd = dev->ctx;
	struct vusb *vusb = vd->vusb;

	if (!vusb)
		return;
	stats_remove(ub->app->stats, vd->group);
	vd->group = NULL;
	vd->vusb = NULL;
	bindings_disconnected(ub->bindings, vd);
	vusb_close(vusb, ub->stopping);
	/* What it said to the end is about rings that are gone: the next ones may have its address.
	 */
	mailbox_drain(ub->mail, ub);
}

static void vusbdev_changed(void *ctx, struct backend_device *dev, const char *key)
{
	struct usbback *ub = ctx;
	struct vusbdev *vd = dev->ctx;

	for (unsigned int port = 1; port <= vd->n_ports; port++) {
		char name[24];

		snprintf(name, sizeof(name), "port/%u", port);
		if (strcmp(key, name) == 0)
			bindings_node_changed(ub->bindings, vd, port);
	}
}

const struct backend_driver vusbdev_driver = {
	.type = "vusb",
	.init_wait_hold_ns = NSEC_PER_SEC,
	.create = vusbdev_create,
	.publish = vusbdev_publish,
	.connect = vusbdev_connect,
	.disconnect = vusbdev_disconnect,
	.changed = vusbdev_changed,
	.destroy = vusbdev_destroy,
};
