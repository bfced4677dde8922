/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fake_store.c - the store of the fake: store.[ch] in this process, faults in front of it. See
 * fake.h. */
#include "fake_priv.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <utlist.h>

struct xen_store {
	struct xen_store *prev, *next;
	struct fake_domain *domain;
	struct store_conn *conn;
	int fd;
	bool lost; /* the store was down since: only a new connection helps */
};

static void on_store_event(void *ctx)
{
	(void)eventfd_write(((struct xen_store *)ctx)->fd, 1);
}

static int store_down(const struct xen_store *store)
{
	return store->lost ? -EIO : 0;
}

int fake_store_open(struct xen *xen, struct xen_store **out)
{
	struct xen_store *store;

	if (fake_of(xen)->fake->faults[FAKE_FAULT_STORE_DOWN])
		return -EIO;
	store = xb_calloc(1, sizeof(*store));
	store->domain = fake_of(xen);
	store->conn = store_connect(fake_of(xen)->fake->store, xen->domid);
	store->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	store_on_event(store->conn, on_store_event, store);
	DL_APPEND(fake_of(xen)->fake->stores, store);
	*out = store;
	return 0;
}

void fake_store_close(struct xen_store *store)
{
	DL_DELETE(store->domain->fake->stores, store);
	store_disconnect(store->conn);
	close(store->fd);
	free(store);
}

int fake_store_fd(struct xen_store *store)
{
	return store->fd;
}

int fake_store_read(struct xen_store *store, xen_txn txn, const char *path, char **value,
		    size_t *len)
{
	int rc = store_down(store);

	return rc < 0 ? rc : store_read(store->conn, txn, path, value, len);
}

int fake_store_write(struct xen_store *store, xen_txn txn, const char *path, const char *value,
		     size_t len)
{
	int rc = store_down(store);

	if (rc == 0 && fake_hit(store->domain->fake, FAKE_FAULT_STORE_WRITE))
		rc = -ENOSPC;
	return rc < 0 ? rc : store_write(store->conn, txn, path, value, len);
}

int fake_store_mkdir(struct xen_store *store, xen_txn txn, const char *path)
{
	int rc = store_down(store);

	return rc < 0 ? rc : store_mkdir(store->conn, txn, path);
}

int fake_store_rm(struct xen_store *store, xen_txn txn, const char *path)
{
	int rc = store_down(store);

	return rc < 0 ? rc : store_rm(store->conn, txn, path);
}

int fake_store_list(struct xen_store *store, xen_txn txn, const char *path, char ***names,
		    unsigned int *n)
{
	int rc = store_down(store);

	return rc < 0 ? rc : store_list(store->conn, txn, path, names, n);
}

int fake_store_get_perms(struct xen_store *store, xen_txn txn, const char *path,
			 struct xen_perm **perms, unsigned int *n)
{
	int rc = store_down(store);

	return rc < 0 ? rc : store_get_perms(store->conn, txn, path, perms, n);
}

int fake_store_set_perms(struct xen_store *store, xen_txn txn, const char *path,
			 const struct xen_perm *perms, unsigned int n)
{
	int rc = store_down(store);

	return rc < 0 ? rc : store_set_perms(store->conn, txn, path, perms, n);
}

int fake_store_watch(struct xen_store *store, const char *path, const char *token)
{
	int rc = store_down(store);

	return rc < 0 ? rc : store_watch(store->conn, path, token);
}

int fake_store_unwatch(struct xen_store *store, const char *path, const char *token)
{
	int rc = store_down(store);

	return rc < 0 ? rc : store_unwatch(store->conn, path, token);
}

int fake_store_event(struct xen_store *store, char **path, char **token)
{
	eventfd_t count;
	int rc = store_down(store);

	if (rc < 0)
		return rc;
	rc = store_next_event(store->conn, path, token);
	if (rc == 0)
		(void)eventfd_read(store->fd, &count);
	return rc;
}

int fake_txn_start(struct xen_store *store, xen_txn *txn)
{
	int rc = store_down(store);

	return rc < 0 ? rc : store_txn_start(store->conn, txn);
}

int fake_txn_end(struct xen_store *store, xen_txn txn, bool abort)
{
	int rc = store_down(store);

	if (rc == 0 && !abort && fake_hit(store->domain->fake, FAKE_FAULT_TXN_EAGAIN)) {
		store_txn_end(store->conn, txn, true);
		return -EAGAIN;
	}
	return rc < 0 ? rc : store_txn_end(store->conn, txn, abort);
}

void fake_stores_lose(struct fake *fake)
{
	struct xen_store *store;

	DL_FOREACH (fake->stores, store) {
		store->lost = true;
		(void)eventfd_write(store->fd, 1);
	}
}
