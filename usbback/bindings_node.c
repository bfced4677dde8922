/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bindings_node.c - the nodes port/N of a controller, which we share with libxl.
 *
 * Read by the scanner's connection; written only in a transaction that finds them as they were
 * read, below a device that is online. A device that is being taken away keeps what it has: libxl
 * removes all of it.
 */
#include "bindings_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "util.h"

#define LOG_MODULE "usb"
/* Others may write to the store all the time. */
#define TXN_TRIES 32

/* What a read says of the node; text: of NODE_TEXT. */
static enum binding_node classify(int rc, const char *value, char *text, size_t size)
{
	text[0] = '\0';
	if (rc == -ENOENT)
		return NODE_ABSENT;
	if (rc < 0 && rc != -EINVAL)
		return NODE_UNREAD;
	if (rc == 0 && value[0] == '\0')
		return NODE_EMPTY;
	/* Not text at all, or longer than any bus id: kept as something that is none. */
	snprintf(text, size, "%s", rc == 0 ? value : "?");
	return NODE_TEXT;
}

static enum binding_node read_node(struct binding *port, xen_txn txn, char *text, size_t size)
{
	AUTO_FREE char *value = NULL;
	char key[24];
	int rc;

	snprintf(key, sizeof(key), "port/%u", port->number);
	rc = backend_read(port->vd->dev, txn, false, key, &value);
	return classify(rc, value, text, size);
}

/* Somebody else wrote `node`: xl, or an administrator by hand. */
static void foreign_change(struct binding *port, enum binding_node node, const char *text)
{
	struct bindings *bindings = port->vd->ub->bindings;
	bool emptied = port->node_ours && port->node == NODE_TEXT && node == NODE_EMPTY;
	/* A guest that came over from our predecessor has the device already. */
	bool held = node == NODE_TEXT && !(port->node == NODE_UNREAD && port->stale);

	port->node = node;
	snprintf(port->node_text, sizeof(port->node_text), "%s", text);
	port->node_ours = false;
	node_show_error(port, NULL);
	port->held_until_ns = held ? bindings->now_ns + port->vd->ub->options.attach_hold_ns : 0;
	if (!emptied || port->source == SOURCE_XL || port->source == SOURCE_NONE)
		return;
	port->suspended = true;
	port->suspended_of = port->device;
	log_info("%s: port %u: xl took %s away; the %s's wish rests until the guest starts anew, "
		 "the device is plugged in again, or the key is written",
		 port->vd->dev->name, port->number, port->device.busid,
		 binding_source_name(port->source));
}

void nodes_read(struct vusbdev *vd)
{
	vd->unread = false;
	for (unsigned int i = 0; i < vd->n_ports; i++) {
		struct binding *port = &vd->ports[i];
		char text[sizeof(port->node_text)];
		enum binding_node node = read_node(port, XEN_TXN_NONE, text, sizeof(text));

		if (node == NODE_UNREAD) {
			vd->unread = true; /* the store is away */
			return;
		}
		if (node != port->node || strcmp(text, port->node_text) != 0)
			foreign_change(port, node, text);
	}
}

bool node_is_unchanged(struct binding *port)
{
	char text[sizeof(port->node_text)];

	return read_node(port, XEN_TXN_NONE, text, sizeof(text)) == port->node &&
	       strcmp(text, port->node_text) == 0;
}

/* 0 when the device is there, online, and its node as it was read. */
static int check_txn(struct binding *port, xen_txn txn)
{
	AUTO_FREE char *state = NULL;
	AUTO_FREE char *online = NULL;
	char text[sizeof(port->node_text)];
	enum binding_node node;
	int rc = backend_read(port->vd->dev, txn, false, "state", &state);

	if (rc == 0)
		rc = backend_read(port->vd->dev, txn, false, "online", &online);
	if (rc < 0 || !online)
		return rc < 0 ? rc : -ENOENT;
	if (strcmp(online, "0") == 0 || online[0] == '\0')
		return -ENOENT;
	node = read_node(port, txn, text, sizeof(text));
	if (node == NODE_UNREAD)
		return -EIO;
	return node == port->node && strcmp(text, port->node_text) == 0 ? 0 : -ESTALE;
}

static int change_node(struct binding *port, struct xen_store *store, xen_txn txn, const char *text)
{
	const struct xen_ops *ops = port->vd->ub->app->xen->ops;
	AUTO_FREE char *path = xb_asprintf("%s/port/%u", port->vd->dev->dir, port->number);
	int rc = check_txn(port, txn);

	if (rc < 0)
		return rc;
	return text ? ops->store_write(store, txn, path, text, strlen(text))
		    : ops->store_rm(store, txn, path);
}

/* Beside the nodes, since the device's own `error` is the scanner's. */
static int change_error(struct binding *port, struct xen_store *store, xen_txn txn,
			const char *text)
{
	const struct xen_ops *ops = port->vd->ub->app->xen->ops;
	AUTO_FREE char *path = xb_asprintf("%s/port-error/%u", port->vd->dev->dir, port->number);
	AUTO_FREE char *state = NULL;
	int rc = backend_read(port->vd->dev, txn, false, "state", &state);

	if (rc < 0)
		return rc;
	return text ? ops->store_write(store, txn, path, text, strlen(text))
		    : ops->store_rm(store, txn, path);
}

/* One whole transaction, repeated while others write. */
static int in_txn(struct binding *port,
		  int (*fn)(struct binding *port, struct xen_store *store, xen_txn txn,
			    const char *text),
		  const char *text)
{
	const struct xen_ops *ops = port->vd->ub->app->xen->ops;
	int rc = -EAGAIN;

	for (unsigned int i = 0; i < TXN_TRIES && rc == -EAGAIN; i++) {
		struct xen_store *store = backend_store(port->vd->dev->backend);
		xen_txn txn;
		int end;

		if (!store)
			return -EIO;
		rc = ops->txn_start(store, &txn);
		if (rc < 0)
			return rc;
		rc = fn(port, store, txn, text);
		end = ops->txn_end(store, txn, rc < 0);
		if (rc == 0)
			rc = end;
	}
	return rc;
}

int node_write(struct binding *port, const char *text)
{
	enum binding_node node = !text ? NODE_ABSENT : *text ? NODE_TEXT : NODE_EMPTY;
	int rc;

	if (node == port->node && strcmp(text ? text : "", port->node_text) == 0) {
		port->node_ours = true;
		return 0;
	}
	rc = in_txn(port, change_node, text);
	if (rc < 0)
		return rc;
	log_debug("%s: port/%u: \"%s\" -> %s%s%s", port->vd->dev->name, port->number,
		  port->node_text, text ? "\"" : "", text ? text : "removed", text ? "\"" : "");
	port->node = node;
	snprintf(port->node_text, sizeof(port->node_text), "%s", text ? text : "");
	port->node_ours = true;
	port->held_until_ns = 0;
	return 0;
}

int bindings_clear_node(struct binding *port)
{
	int rc = in_txn(port, change_node, "");

	port->vd->unread = true;
	return rc;
}

void node_show_error(struct binding *port, const char *text)
{
	if (!text)
		text = "";
	if (strcmp(port->node_error, text) == 0)
		return;
	in_txn(port, change_error, text[0] ? text : NULL); /* it only tells */
	snprintf(port->node_error, sizeof(port->node_error), "%s", text);
}
