/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * real.h - the store operations of ops.h by libxenstore, for real.c. Signatures and results are
 * those of struct xen_ops. XENSTORED_PATH names another socket, as for Xen's own tools.
 */
#ifndef XB_XEN_REAL_H
#define XB_XEN_REAL_H

#include "ops.h"

/** Asks the store which domain we are; Dom0 where it does not say. -errno: no store. */
int real_store_domid(uint16_t *domid);

int real_store_open(struct xen *xen, struct xen_store **out);
void real_store_close(struct xen_store *store);
int real_store_fd(struct xen_store *store);
int real_store_read(struct xen_store *store, xen_txn txn, const char *path, char **value,
		    size_t *len);
int real_store_write(struct xen_store *store, xen_txn txn, const char *path, const char *value,
		     size_t len);
int real_store_mkdir(struct xen_store *store, xen_txn txn, const char *path);
int real_store_rm(struct xen_store *store, xen_txn txn, const char *path);
int real_store_list(struct xen_store *store, xen_txn txn, const char *path, char ***names,
		    unsigned int *n);
int real_store_get_perms(struct xen_store *store, xen_txn txn, const char *path,
			 struct xen_perm **perms, unsigned int *n);
int real_store_set_perms(struct xen_store *store, xen_txn txn, const char *path,
			 const struct xen_perm *perms, unsigned int n);
int real_store_watch(struct xen_store *store, const char *path, const char *token);
int real_store_unwatch(struct xen_store *store, const char *path, const char *token);
int real_store_event(struct xen_store *store, char **path, char **token);
int real_txn_start(struct xen_store *store, xen_txn *txn);
int real_txn_end(struct xen_store *store, xen_txn txn, bool abort);

#endif
