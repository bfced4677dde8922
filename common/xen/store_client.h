/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store_client.h - the store operations of ops.h over a socket of store_server.h, for box.c.
 * Signatures and results are those of struct xen_ops.
 *
 * A request waits for its reply, at most STORE_CLIENT_WAIT_MS; then, as after any loss of the
 * connection, everything is -EIO until the store is opened anew.
 */
#ifndef XB_XEN_STORE_CLIENT_H
#define XB_XEN_STORE_CLIENT_H

#include "ops.h"

#define STORE_CLIENT_WAIT_MS 10000

/** Connects as domid to the server in dir. -ENOENT/-ECONNREFUSED: no server there; -ENAMETOOLONG.
 */
int store_client_open(struct xen_store **out, const char *dir, uint16_t domid);
void store_client_close(struct xen_store *store);
int store_client_fd(struct xen_store *store);
int store_client_read(struct xen_store *store, xen_txn txn, const char *path, char **value,
		      size_t *len);
int store_client_write(struct xen_store *store, xen_txn txn, const char *path, const char *value,
		       size_t len);
int store_client_mkdir(struct xen_store *store, xen_txn txn, const char *path);
int store_client_rm(struct xen_store *store, xen_txn txn, const char *path);
int store_client_list(struct xen_store *store, xen_txn txn, const char *path, char ***out,
		      unsigned int *n);
int store_client_get_perms(struct xen_store *store, xen_txn txn, const char *path,
			   struct xen_perm **perms, unsigned int *n);
int store_client_set_perms(struct xen_store *store, xen_txn txn, const char *path,
			   const struct xen_perm *perms, unsigned int n);
int store_client_watch(struct xen_store *store, const char *path, const char *token);
int store_client_unwatch(struct xen_store *store, const char *path, const char *token);
int store_client_event(struct xen_store *store, char **path, char **token);
int store_client_txn_start(struct xen_store *store, xen_txn *txn);
int store_client_txn_end(struct xen_store *store, xen_txn txn, bool abort);

#endif
