/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store.h - a xenstore in memory, with the rules of xenstored; no I/O, no threads, no clock.
 *
 * The fake uses it in-process (fake.c); xenbox serves it on sockets (wire.h, store_server.h).
 * Rules: Xen docs/misc/xenstore.txt and the C xenstored of Xen 4.17. One thread at a time may use a
 * store and its connections.
 *
 * Paths: absolute ("/local/domain/5/device") or relative to /local/domain/<domid of the
 * connection>/; letters, digits and "-/_@", no "//", no "/" at the end, at most 3072 bytes (2048
 * when relative or below /local/domain/N/): else -EINVAL. @introduceDomain and @releaseDomain may
 * be watched and have permissions, nothing else.
 *
 * Errors of every operation: -EINVAL bad path, -EACCES no right (also for a missing node where the
 * nearest existing one above does not grant the right), -ENOENT no such node or transaction,
 * -ENOSPC quota of a domain other than 0.
 */
#ifndef XB_XEN_STORE_H
#define XB_XEN_STORE_H

#include "ops.h"

#define STORE_VALUE_MAX	    2048u /**< bytes of a value, for every domain */
#define STORE_TOKEN_MAX	    1022u /**< bytes of a token: path, token and their NULs fit one message */
#define STORE_PERMS_MAX	    256u   /**< permissions of a node */
#define STORE_EVENTS_MAX    10000u /**< events that wait on one connection */
#define STORE_QUOTA_NODES   1000u  /**< quotas of a domain other than 0 */
#define STORE_QUOTA_WATCHES 100u
#define STORE_QUOTA_TXNS    10u
#define STORE_QUOTA_TXN_NODES                                                                      \
	1024u /**< nodes that one transaction touches (an operation may exceed it, the next fails) \
	       */
#define STORE_QUOTA_PERMS 5u
#define STORE_DOMID_MAX	  32751u /**< Xen public xen.h: DOMID_FIRST_RESERVED - 1 */

struct store;
struct store_conn;

/** A store with domain 0 only: /, /local/domain/0/domid. Never NULL. */
struct store *store_create(void);
/** Frees it and all connections that are left. */
void store_destroy(struct store *store);

/** A connection as domid (0: all-powerful), which need not be introduced. Never NULL. */
struct store_conn *store_connect(struct store *store, uint16_t domid);
/** Drops its watches, events and transactions (aborted). */
void store_disconnect(struct store_conn *conn);
uint16_t store_conn_domid(const struct store_conn *conn);
struct store *store_conn_store(const struct store_conn *conn);
/** Events lost because STORE_EVENTS_MAX different ones were waiting. */
uint64_t store_conn_dropped(const struct store_conn *conn);

/** *value: NUL-terminated copy, to be freed; length in *len unless NULL. */
int store_read(struct store_conn *conn, xen_txn txn, const char *path, char **value, size_t *len);
/** Missing nodes above are created, empty. -E2BIG: len > STORE_VALUE_MAX. */
int store_write(struct store_conn *conn, xen_txn txn, const char *path, const char *value,
		size_t len);
/** 0 and no event when the node exists. */
int store_mkdir(struct store_conn *conn, xen_txn txn, const char *path);
/** Removes the node and all below. 0 for a missing node whose parent exists. */
int store_rm(struct store_conn *conn, xen_txn txn, const char *path);
/** *names: one allocation, also when *n is 0. */
int store_list(struct store_conn *conn, xen_txn txn, const char *path, char ***names,
	       unsigned int *n);
int store_get_perms(struct store_conn *conn, xen_txn txn, const char *path, struct xen_perm **perms,
		    unsigned int *n);
/** Owner only. -EINVAL: no entry, over STORE_PERMS_MAX, or a domid over STORE_DOMID_MAX; -EPERM: a
 * domain gives its node away. */
int store_set_perms(struct store_conn *conn, xen_txn txn, const char *path,
		    const struct xen_perm *perms, unsigned int n);
/** A number that changes whenever value, permissions or children of the node do. Needs the right to
 * read. */
int store_node_generation(struct store_conn *conn, xen_txn txn, const char *path,
			  uint64_t *generation);

/**
 * The first event comes at once. A relative path yields relative paths in events. Events of nodes
 * that the domain may not read (nor their parent) are not delivered. -EEXIST: same path and token;
 * -E2BIG: quota; -EINVAL: token over STORE_TOKEN_MAX.
 */
int store_watch(struct store_conn *conn, const char *path, const char *token);
/** Its waiting events vanish too. -ENOENT: no such watch. */
int store_unwatch(struct store_conn *conn, const char *path, const char *token);
/** All watches, events and transactions of the connection go (XS_RESET_WATCHES). */
void store_reset(struct store_conn *conn);
/** 1 with *path and *token to be freed, or 0: none. Identical waiting events are one. */
int store_next_event(struct store_conn *conn, char **path, char **token);
/** True while an event waits. */
bool store_has_event(const struct store_conn *conn);
/** fn is called for each event that is queued; it must not call the store. NULL: none. */
void store_on_event(struct store_conn *conn, void (*fn)(void *ctx), void *ctx);

int store_txn_start(struct store_conn *conn, xen_txn *id);
/** -EAGAIN: a node that the transaction read or wrote has changed since. It is over in any case,
 * but for -ENOENT. */
int store_txn_end(struct store_conn *conn, xen_txn id, bool abort);

/** Creates /local/domain/N (owned by N) and its node domid where missing, fires @introduceDomain; 0
 * and no event when introduced before. -EINVAL: domid 0 or over STORE_DOMID_MAX. */
int store_introduce(struct store *store, uint16_t domid);
/** Removes /local/domain/N, fires @releaseDomain. -ENOENT: not introduced; -EINVAL: domain 0. */
int store_release(struct store *store, uint16_t domid);
bool store_introduced(const struct store *store, uint16_t domid);

/** Nodes, / included. */
unsigned int store_nodes(const struct store *store);
/** Fires the watches that a change of path (absolute or special) would, for tests. */
void store_fire(struct store *store, const char *path);

#endif
