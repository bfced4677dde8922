/* SPDX-License-Identifier: GPL-2.0-or-later */
/* usbfront_keys.c - what a PVUSB frontend reads and writes in the store, see usbfront.h; when, is
 * usbfront.c's business. */
#include "usbfront_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

char *uf_read(struct usbfront *front, xen_txn txn, const char *dir, const char *key)
{
	char path[256], *value;

	snprintf(path, sizeof(path), "%s/%s", dir, key);
	return front->ops->store_read(front->store, txn, path, &value, NULL) < 0 ? NULL : value;
}

uint32_t uf_read_number(struct usbfront *front, const char *dir, const char *key, uint32_t absent)
{
	AUTO_FREE char *value = uf_read(front, XEN_TXN_NONE, dir, key);
	unsigned long number;
	char *end;

	if (!value || *value < '0' || *value > '9')
		return absent;
	errno = 0;
	number = strtoul(value, &end, 10);
	return *end || errno || number > UINT32_MAX ? absent : (uint32_t)number;
}

static int write_key(struct usbfront *front, xen_txn txn, const char *key, const char *value)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", front->info.frontend, key);
	return front->ops->store_write(front->store, txn, path, value, strlen(value));
}

int uf_read_device(struct usbfront *front)
{
	struct usbfront_info *info = &front->info;
	AUTO_FREE char *backend = uf_read(front, XEN_TXN_NONE, info->frontend, "backend");
	AUTO_FREE char *state = uf_read(front, XEN_TXN_NONE, info->frontend, "state");

	if (!backend || !state)
		return -ENOENT;
	if (strlen(backend) >= sizeof(info->backend))
		return -EINVAL;
	snprintf(info->backend, sizeof(info->backend), "%s", backend);
	info->backend_domid = (uint16_t)uf_read_number(front, info->frontend, "backend-id", 0);
	info->n_ports = uf_read_number(front, info->backend, "num-ports", 0);
	info->usb_version = uf_read_number(front, info->backend, "usb-ver", 0);
	front->own = xenbus_state_parse(state);
	if (info->n_ports < 1 || info->n_ports > USBFRONT_PORTS_MAX || info->usb_version < 1 ||
	    info->usb_version > 2)
		return -EINVAL;
	return 0;
}

/* Runs `act` in a transaction, again while others are in its way. */
static int transact(struct usbfront *front, int (*act)(struct usbfront *, xen_txn, const void *),
		    const void *arg)
{
	int rc = -EAGAIN;

	for (unsigned int i = 0; i < UF_TXN_TRIES && rc == -EAGAIN; i++) {
		xen_txn txn;

		rc = front->ops->txn_start(front->store, &txn);
		if (rc < 0)
			return rc;
		rc = act(front, txn, arg);
		if (rc < 0) {
			front->ops->txn_end(front->store, txn, true);
			return rc;
		}
		rc = front->ops->txn_end(front->store, txn, false);
	}
	return rc;
}

static int state_txn(struct usbfront *front, xen_txn txn, const void *text)
{
	AUTO_FREE char *old = uf_read(front, txn, front->info.frontend, "state");

	return old ? write_key(front, txn, "state", text) : -ENOENT;
}

int uf_write_state(struct usbfront *front, enum xenbus_state state)
{
	char text[2] = {(char)('0' + state), '\0'};
	int rc = transact(front, state_txn, text);

	if (rc == 0)
		front->own = state;
	return rc;
}

static int publish_text(struct usbfront *front, xen_txn txn, const char *key, const char *value)
{
	char buf[UF_LONG_VALUE + 1];

	value = uf_evil_value(front, key, value, buf);
	return value ? write_key(front, txn, key, value) : 0;
}

static int publish_txn(struct usbfront *front, xen_txn txn, const void *unused)
{
	const struct {
		const char *key;
		uint32_t value;
	} keys[] = {
		{"urb-ring-ref", front->urb_ref},
		{"conn-ring-ref", front->conn_ref},
		{"event-channel", front->port},
	};
	char text[16];
	int rc = 0;

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(keys) && rc == 0; i++) {
		snprintf(text, sizeof(text), "%u", keys[i].value);
		rc = publish_text(front, txn, keys[i].key, text);
	}
	/* xen-hcd writes no "protocol". */
	return rc == 0 && front->evil_store == USBFRONT_EVIL_PROTOCOL
		       ? publish_text(front, txn, "protocol", "pdp11-abi")
		       : rc;
}

int uf_publish(struct usbfront *front)
{
	return transact(front, publish_txn, NULL);
}
