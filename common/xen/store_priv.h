/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store_priv.h - what the parts of the store share: store.c (operations and rights), store_path.c,
 * store_txn.c (nodes, views, commit), store_watch.c (watches, events).
 *
 * Theory of Operation: nodes are records in a hash by absolute path; a record holds the names of
 * its children. Whatever changes is done in a transaction, a hash of private copies made at first
 * use, with the generation that was copied (0: the node was missing). Commit compares the
 * generations, puts the changed copies in place and fires the events. An operation outside of a
 * transaction is a transaction of its own.
 */
#ifndef XB_XEN_STORE_PRIV_H
#define XB_XEN_STORE_PRIV_H

#include <uthash.h>

#include "store.h"

#define STORE_READ  1u
#define STORE_WRITE 2u
#define STORE_OWNER 4u

/** Permissions are shared by nodes and never changed. */
struct store_perms {
	unsigned int refs, n;
	struct xen_perm list[];
};

struct store_node {
	char *path; /* key */
	bool exists;
	bool changed;	     /* in a transaction: to be put in place */
	uint64_t generation; /* 0: missing */
	uint64_t seen;	     /* in a transaction: generation of the original */
	char *value;	     /* with a NUL behind */
	size_t len;
	struct store_perms *perms;
	char *children; /* names, each with its NUL */
	size_t children_len;
	UT_hash_handle hh;
};

/** A node that a transaction changed: one event. */
struct store_change {
	char *path;
	bool exact; /* only watches on this very node: it went with a node above */
	struct store_perms *old;
	UT_hash_handle hh;
};

struct store_txn {
	struct store_txn *prev, *next;
	struct store_conn *conn;
	xen_txn id;
	struct store_node *nodes;
	struct store_change *changes; /* in order of their first change */
};

/** A path that is watched. */
struct store_point {
	char *path;
	struct store_watch *watches;
	UT_hash_handle hh;
};

struct store_watch {
	struct store_watch *prev, *next; /* of the connection */
	struct store_watch *point_prev, *point_next;
	struct store_conn *conn;
	struct store_point *point;
	char *token;
	bool relative;
};

/** Accounts of a domain. */
struct store_domain {
	uint16_t domid;
	bool introduced;
	unsigned int n_nodes, n_watches, n_txns;
	UT_hash_handle hh;
};

struct store_event;

struct store_conn {
	struct store_conn *prev, *next;
	struct store *store;
	struct store_domain *domain;
	struct store_txn *txns;
	struct store_watch *watches;
	struct store_event *events;
	uint64_t n_dropped;
	void (*on_event)(void *ctx);
	void *on_event_ctx;
};

struct store {
	struct store_node *nodes;
	struct store_point *points;
	struct store_domain *domains;
	struct store_conn *conns;
	struct store_conn *self; /* does the store's own work, as domain 0 */
	uint64_t generation;
	xen_txn last_txn;
};

/* --- store_path.c --- */

bool store_path_special(const char *path);
/** The absolute path, to be freed; NULL: not a valid path. *relative may be NULL. */
char *store_path_absolute(uint16_t domid, const char *path, bool *relative);
/** Shortens path to its parent; false: it was the root or special, and is as before. */
bool store_path_up(char *path);
/** Bytes of "/local/domain/N/". */
size_t store_path_home_len(uint16_t domid);

/* --- store_txn.c --- */

struct store_perms *store_perms_new(const struct xen_perm *list, unsigned int n);
struct store_perms *store_perms_ref(struct store_perms *perms);
void store_perms_unref(struct store_perms *perms); /* NULL is fine */
/** STORE_* rights of domid. */
unsigned int store_perms_rights(const struct store_perms *perms, uint16_t domid);

/** The node as seen by the transaction (NULL: as committed); NULL: missing. */
const struct store_node *store_view(const struct store *store, struct store_txn *txn,
				    const char *path);
/** The transaction's copy, to be changed; missing nodes become existing ones. */
struct store_node *store_edit(struct store_txn *txn, const char *path);
void store_node_set_value(struct store_node *node, const char *value, size_t len);
/** Takes over the reference. */
void store_node_set_perms(struct store_node *node, struct store_perms *perms);
void store_node_add_child(struct store_node *node, const char *name);
/** Removes the node, all below and its name in the parent, and notes the changes. */
void store_remove(struct store_txn *txn, const char *path);
void store_txn_note(struct store_txn *txn, const char *path, bool exact);
/** -EAGAIN, -ENOSPC; does not free. */
int store_txn_commit(struct store_txn *txn);
/** Frees what it holds, not the struct. */
void store_txn_clear(struct store_txn *txn);
/** NULL: never heard of. */
struct store_domain *store_domain_find(const struct store *store, uint16_t domid);
struct store_domain *store_domain_get(struct store *store, uint16_t domid);
void store_domains_free(struct store *store);
void store_nodes_free(struct store_node **nodes);

/* --- store_watch.c --- */

/** Fires watches on path and, unless exact, above it. old: permissions before the change, NULL:
 * none. */
void store_fire_change(struct store *store, const char *path, bool exact,
		       const struct store_perms *old);
void store_drop_watches(struct store_conn *conn);

#endif
