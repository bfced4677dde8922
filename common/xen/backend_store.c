/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * backend_store.c - the nodes of a device: strict reads, and writes that can't revive a removed
 * one.
 *
 * The toolstack removes a device's directory whenever it likes; a plain write after that would make
 * it anew, as a zombie that no tool cleans up. So a state is written in a transaction that reads
 * the node first, which is also what the kernel's backends do.
 */
#include "backend_priv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "util.h"

#define LOG_MODULE "xenbus"

/* Others may write to the store all the time; a transaction that never gets through is put off. */
#define TXN_TRIES 32

int backend_note(struct backend *backend, int r)
{
	if (r == -EIO)
		backend->lost = true;
	return r;
}

static int get(struct backend *backend, xen_txn txn, const char *path, char **value, size_t *len)
{
	if (backend->store == NULL || backend->lost)
		return -EIO;
	return backend_note(backend,
			    backend->xen->ops->store_read(backend->store, txn, path, value, len));
}

int backend_get(struct backend *backend, xen_txn txn, const char *path, char *buf, size_t size)
{
	AUTO_FREE char *value = NULL;
	size_t len;
	int r = get(backend, txn, path, &value, &len);

	if (r < 0)
		return r;
	if (len >= size || memchr(value, '\0', len) != NULL)
		return -EINVAL;
	memcpy(buf, value, len + 1);
	return 0;
}

bool backend_is_online(const char *value)
{
	size_t zeros = strspn(value, "0"), digits = strspn(value, "0123456789");

	return digits > zeros && value[digits] == '\0';
}

bool backend_exists(struct backend *backend, xen_txn txn, const char *path)
{
	AUTO_FREE char *value = NULL;
	size_t len;

	return get(backend, txn, path, &value, &len) != -ENOENT;
}

bool backend_store_is_blank(struct backend *backend)
{
	char path[32];

	snprintf(path, sizeof(path), "/local/domain/%u", backend->xen->domid);
	return !backend_exists(backend, XEN_TXN_NONE, path);
}

static int device_path(const struct device *dev, bool frontend, const char *key, char *path,
		       size_t size)
{
	const char *dir = frontend ? dev->pub.frontend : dev->pub.dir;
	int n;

	if (dir[0] == '\0')
		return -ENOENT;
	n = snprintf(path, size, "%s/%s", dir, key);
	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

int backend_write(struct backend_device *dev, xen_txn txn, const char *key, const char *fmt, ...)
{
	struct device *self = device_of(dev);
	struct backend *backend = dev->backend;
	AUTO_FREE char *value = NULL;
	char path[256];
	va_list ap;
	int n, r = device_path(self, false, key, path, sizeof(path));

	if (r < 0)
		return r;
	if (backend->store == NULL || backend->lost)
		return -EIO;
	va_start(ap, fmt);
	n = vasprintf(&value, fmt, ap);
	va_end(ap);
	if (n < 0) {
		value = NULL;
		return -ENOMEM;
	}
	if ((size_t)n > BACKEND_VALUE_MAX)
		return -E2BIG;
	return backend_note(backend, backend->xen->ops->store_write(backend->store, txn, path,
								    value, (size_t)n));
}

int backend_read(struct backend_device *dev, xen_txn txn, bool frontend, const char *key,
		 char **value)
{
	char path[256];
	size_t len;
	int r = device_path(device_of(dev), frontend, key, path, sizeof(path));

	*value = NULL;
	if (r < 0)
		return r;
	r = get(dev->backend, txn, path, value, &len);
	if (r < 0) {
		*value = NULL;
		return r;
	}
	if (len <= BACKEND_VALUE_MAX && memchr(*value, '\0', len) == NULL)
		return 0;
	free(*value);
	*value = NULL;
	return -EINVAL;
}

int backend_read_u32(struct backend_device *dev, xen_txn txn, bool frontend, const char *key,
		     uint32_t min, uint32_t max, uint32_t *value)
{
	AUTO_FREE char *text = NULL;
	uint64_t number = 0;
	size_t n_digits;
	int r = backend_read(dev, txn, frontend, key, &text);

	if (r < 0)
		return r;
	n_digits = strspn(text, "0123456789");
	if (n_digits == 0 || n_digits > 10 || text[n_digits] != '\0')
		return -EINVAL;
	for (size_t i = 0; i < n_digits; i++)
		number = number * 10 + (uint64_t)(text[i] - '0');
	if (number < min || number > max)
		return -EINVAL;
	*value = (uint32_t)number;
	return 0;
}

/* 0 when state and online are still what the decision was made from. */
static int check_unchanged(struct device *dev, xen_txn txn)
{
	struct backend *backend = dev->pub.backend;
	char path[256], value[32] = "";
	int r;

	snprintf(path, sizeof(path), "%s/state", dev->pub.dir);
	r = backend_get(backend, txn, path, value, sizeof(value));
	if (r < 0 && r != -EINVAL)
		return r;
	if ((r < 0 ? XENBUS_STATE_MISSING : xenbus_state_parse(value)) != dev->in.backend)
		return -ESTALE;
	value[0] = '\0';
	snprintf(path, sizeof(path), "%s/online", dev->pub.dir);
	r = backend_get(backend, txn, path, value, sizeof(value));
	if (r < 0 && r != -EINVAL && r != -ENOENT)
		return r;
	return (r == 0 && backend_is_online(value)) == dev->in.online ? 0 : -ESTALE;
}

static int remove_error(struct device *dev, xen_txn txn)
{
	struct backend *backend = dev->pub.backend;
	char path[256];

	snprintf(path, sizeof(path), "%s/error", dev->pub.dir);
	if (!backend_exists(backend, txn, path))
		return 0;
	return backend_note(backend, backend->xen->ops->store_rm(backend->store, txn, path));
}

static int write_change(struct device *dev, xen_txn txn, const struct state_change *change)
{
	struct backend *backend = dev->pub.backend;
	int r = check_unchanged(dev, txn);

	if (r < 0)
		return r;
	if (change->publish) {
		r = backend->driver->publish(backend->ctx, &dev->pub, txn);
		if (r == 0 && !dev->error_due)
			r = remove_error(dev, txn);
		if (r < 0)
			return r;
	}
	if (dev->error_due) {
		r = backend_write(&dev->pub, txn, "error", "%s", dev->error);
		if (r < 0)
			return r;
	}
	if (change->next == dev->in.backend)
		return 0;
	return backend_write(&dev->pub, txn, "state", "%d", (int)change->next);
}

/* Runs fn in a transaction until it gets through. */
static int in_txn(struct device *dev,
		  int (*fn)(struct device *dev, xen_txn txn, const struct state_change *change),
		  const struct state_change *change)
{
	struct backend *backend = dev->pub.backend;
	int r = -EAGAIN;

	for (unsigned int i = 0; i < TXN_TRIES && r == -EAGAIN; i++) {
		xen_txn txn;
		int end;

		if (backend->store == NULL || backend->lost)
			return -EIO;
		r = backend_note(backend, backend->xen->ops->txn_start(backend->store, &txn));
		if (r < 0)
			return r;
		r = fn(dev, txn, change);
		if (backend->lost)
			return -EIO;
		end = backend_note(backend, backend->xen->ops->txn_end(backend->store, txn, r < 0));
		if (r == 0)
			r = end;
	}
	return r;
}

int backend_change_state(struct device *dev, const struct state_change *change)
{
	int r = in_txn(dev, write_change, change);

	if (r < 0)
		return r;
	dev->error_due = false;
	if (change->publish) {
		free(dev->error);
		dev->error = NULL;
	}
	if (change->next != dev->in.backend) {
		log_debug("%s: state %s -> %s", dev->pub.name, xenbus_state_name(dev->in.backend),
			  xenbus_state_name(change->next));
		dev->in.backend = change->next;
		dev->since_ns = dev->pub.backend->now_ns;
	}
	return 0;
}

bool backend_is_orphan(struct device *dev, xen_txn txn)
{
	struct backend *backend = dev->pub.backend;
	char path[64];

	if (dev->pub.frontend[0] != '\0' && backend_exists(backend, txn, dev->pub.frontend))
		return false;
	snprintf(path, sizeof(path), "/libxl/%u", dev->pub.domid);
	if (backend_exists(backend, txn, path))
		return false;
	if (dev->pub.frontend[0] != '\0')
		return true;
	/* We never knew its frontend: only a domain that is gone proves that nobody needs it. */
	snprintf(path, sizeof(path), "/local/domain/%u", dev->pub.domid);
	return !backend_exists(backend, txn, path);
}

static int remove_dir(struct device *dev, xen_txn txn, const struct state_change *change)
{
	struct backend *backend = dev->pub.backend;
	char **names = NULL, parent[64];
	unsigned int n = 0;
	int r = check_unchanged(dev, txn);

	if (r < 0)
		return r;
	if (!backend_is_orphan(dev, txn))
		return -ESTALE;
	r = backend_note(backend, backend->xen->ops->store_rm(backend->store, txn, dev->pub.dir));
	if (r < 0)
		return r;
	snprintf(parent, sizeof(parent), "%s/%u", backend->base, dev->pub.domid);
	r = backend_note(backend,
			 backend->xen->ops->store_list(backend->store, txn, parent, &names, &n));
	if (r < 0)
		return r;
	free(names);
	if (n > 0)
		return 0;
	return backend_note(backend, backend->xen->ops->store_rm(backend->store, txn, parent));
}

int backend_remove_orphan(struct device *dev)
{
	return in_txn(dev, remove_dir, NULL);
}
