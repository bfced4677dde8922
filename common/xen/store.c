/* SPDX-License-Identifier: GPL-2.0-or-later */
/* store.c - the operations of the store and who may do them; nodes and commit are in store_txn.c,
 * events in store_watch.c. */
#include "store.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <utlist.h>

#include "store_priv.h"
#include "util.h"

/** One operation: its path and the view that it works on. */
struct operation {
	struct store_conn *conn;
	char *path;
	struct store_txn *txn; /* NULL: reads what is committed */
	struct store_txn own;  /* of a change outside of a transaction */
};

static struct store_txn *find_txn(struct store_conn *conn, xen_txn id)
{
	struct store_txn *txn;

	DL_SEARCH_SCALAR(conn->txns, txn, id, id);
	return txn;
}

static void begin_own(struct operation *op, struct store_conn *conn)
{
	op->conn = op->own.conn = conn;
	op->txn = &op->own;
}

/* After 0, to be closed by end(). */
static int begin(struct operation *op, struct store_conn *conn, xen_txn id, const char *path,
		 bool change)
{
	*op = (struct operation){.conn = conn};
	if (id != XEN_TXN_NONE) {
		op->txn = find_txn(conn, id);
		if (!op->txn)
			return -ENOENT;
		if (conn->domain->domid != 0 && HASH_COUNT(op->txn->nodes) >= STORE_QUOTA_TXN_NODES)
			return -ENOSPC;
	} else if (change) {
		begin_own(op, conn);
	}
	op->path = store_path_absolute(conn->domain->domid, path, NULL);
	return op->path ? 0 : -EINVAL;
}

static int end(struct operation *op, int rc)
{
	if (op->txn == &op->own) {
		rc = rc ? rc : store_txn_commit(&op->own);
		store_txn_clear(&op->own);
	}
	free(op->path);
	return rc;
}

/* The node, or -ENOENT when it is missing and the nearest one above grants the rights. */
static int find(struct operation *op, unsigned int rights, const struct store_node **out)
{
	const struct store_node *node = store_view(op->conn->store, op->txn, op->path);
	AUTO_FREE char *at = NULL;
	bool missing = !node;

	*out = node;
	if (!node)
		at = xb_strdup(op->path);
	while (!node && store_path_up(at))
		node = store_view(op->conn->store, op->txn, at);
	if (node && (store_perms_rights(node->perms, op->conn->domain->domid) & rights) != rights)
		return -EACCES;
	return missing ? -ENOENT : 0;
}

static int begin_read(struct operation *op, struct store_conn *conn, xen_txn id, const char *path,
		      const struct store_node **out)
{
	int rc = begin(op, conn, id, path, false);

	return rc ? rc : find(op, STORE_READ, out);
}

int store_read(struct store_conn *conn, xen_txn txn, const char *path, char **value, size_t *len)
{
	const struct store_node *node;
	struct operation op;
	int rc = begin_read(&op, conn, txn, path, &node);

	if (rc == 0) {
		*value = xb_calloc(1, node->len + 1);
		memcpy(*value, node->value, node->len);
		if (len)
			*len = node->len;
	}
	return end(&op, rc);
}

int store_node_generation(struct store_conn *conn, xen_txn txn, const char *path,
			  uint64_t *generation)
{
	const struct store_node *node;
	struct operation op;
	int rc = begin_read(&op, conn, txn, path, &node);

	if (rc == 0)
		*generation = node->generation;
	return end(&op, rc);
}

/* One allocation: the pointers, then the names. */
static char **copy_names(const struct store_node *node, unsigned int *n)
{
	size_t len = node->children_len, count = 0;
	char **names, *text;

	for (size_t i = 0; i < len; i++)
		count += node->children[i] == '\0';
	names = xb_calloc(1, (count + 1) * sizeof(*names) + len);
	text = (char *)(names + count + 1);
	if (len)
		memcpy(text, node->children, len);
	for (size_t i = 0; i < count; i++, text += strlen(text) + 1)
		names[i] = text;
	*n = (unsigned int)count;
	return names;
}

int store_list(struct store_conn *conn, xen_txn txn, const char *path, char ***names,
	       unsigned int *n)
{
	const struct store_node *node;
	struct operation op;
	int rc = begin_read(&op, conn, txn, path, &node);

	if (rc == 0)
		*names = copy_names(node, n);
	return end(&op, rc);
}

int store_get_perms(struct store_conn *conn, xen_txn txn, const char *path, struct xen_perm **perms,
		    unsigned int *n)
{
	const struct store_node *node;
	struct operation op;
	int rc = begin_read(&op, conn, txn, path, &node);

	if (rc == 0) {
		*n = node->perms->n;
		*perms = xb_calloc(*n, sizeof(**perms));
		memcpy(*perms, node->perms->list, *n * sizeof(**perms));
	}
	return end(&op, rc);
}

/* --- changes --- */

/* A child has the rights of its parent; what a domain creates is its own. */
static struct store_perms *inherit(const struct store_node *parent, uint16_t domid)
{
	struct store_perms *perms;

	if (domid == 0)
		return store_perms_ref(parent->perms);
	perms = store_perms_new(parent->perms->list, parent->perms->n);
	perms->list[0].domid = domid;
	return perms;
}

/* Creates the node and what is missing above; as deep as the path. */
static struct store_node *create(struct operation *op, const char *path)
{
	AUTO_FREE char *above = xb_strdup(path);
	struct store_node *node, *parent;

	store_path_up(above);
	if (!store_view(op->conn->store, op->txn, above))
		create(op, above);
	parent = store_edit(op->txn, above);
	store_node_add_child(parent, strrchr(path, '/') + 1);
	node = store_edit(op->txn, path);
	store_node_set_value(node, NULL, 0);
	store_node_set_perms(node, inherit(parent, op->conn->domain->domid));
	return node;
}

/* Special nodes are there for their permissions only; the root stays. */
static int begin_change(struct operation *op, struct store_conn *conn, xen_txn id, const char *path,
			const struct store_node **out)
{
	int rc = begin(op, conn, id, path, true);

	if (rc == 0 && store_path_special(op->path))
		rc = -EINVAL;
	return rc ? rc : find(op, STORE_WRITE, out);
}

int store_write(struct store_conn *conn, xen_txn txn, const char *path, const char *value,
		size_t len)
{
	const struct store_node *node;
	struct operation op;
	int rc = begin_change(&op, conn, txn, path, &node);

	if ((rc == 0 || rc == -ENOENT) && len > STORE_VALUE_MAX)
		rc = -E2BIG;
	if (rc == 0 || (rc == -ENOENT && op.path)) {
		store_node_set_value(rc ? create(&op, op.path) : store_edit(op.txn, op.path), value,
				     len);
		store_txn_note(op.txn, op.path, false);
		rc = 0;
	}
	return end(&op, rc);
}

int store_mkdir(struct store_conn *conn, xen_txn txn, const char *path)
{
	const struct store_node *node;
	struct operation op;
	int rc = begin_change(&op, conn, txn, path, &node);

	if (rc == -ENOENT && op.path) {
		create(&op, op.path);
		store_txn_note(op.txn, op.path, false);
		rc = 0;
	}
	return end(&op, rc);
}

static bool parent_exists(struct operation *op)
{
	AUTO_FREE char *above = xb_strdup(op->path);

	return store_path_up(above) && store_view(op->conn->store, op->txn, above);
}

int store_rm(struct store_conn *conn, xen_txn txn, const char *path)
{
	const struct store_node *node;
	struct operation op;
	int rc = begin_change(&op, conn, txn, path, &node);

	if (rc == 0 && !strcmp(op.path, "/"))
		rc = -EINVAL;
	if (rc == 0)
		store_remove(op.txn, op.path);
	else if (rc == -ENOENT && op.path && parent_exists(&op))
		rc = 0;
	return end(&op, rc);
}

static int check_perms(const struct store_conn *conn, const struct xen_perm *perms, unsigned int n)
{
	if (n == 0 || n > STORE_PERMS_MAX)
		return -EINVAL;
	for (unsigned int i = 0; i < n; i++)
		if (perms[i].domid > STORE_DOMID_MAX)
			return -EINVAL;
	return conn->domain->domid != 0 && n > STORE_QUOTA_PERMS ? -ENOSPC : 0;
}

int store_set_perms(struct store_conn *conn, xen_txn txn, const char *path,
		    const struct xen_perm *perms, unsigned int n)
{
	const struct store_node *node = NULL;
	struct operation op;
	int rc = begin(&op, conn, txn, path, true);

	if (rc == 0)
		rc = find(&op, STORE_OWNER, &node);
	if (rc == 0)
		rc = check_perms(conn, perms, n);
	if (rc == 0 && conn->domain->domid != 0 && perms[0].domid != node->perms->list[0].domid)
		rc = -EPERM;
	if (rc == 0) {
		store_node_set_perms(store_edit(op.txn, op.path), store_perms_new(perms, n));
		store_txn_note(op.txn, op.path, false);
	}
	return end(&op, rc);
}

/* --- transactions --- */

int store_txn_start(struct store_conn *conn, xen_txn *id)
{
	struct store_txn *txn;

	if (conn->domain->domid != 0 && conn->domain->n_txns >= STORE_QUOTA_TXNS)
		return -ENOSPC;
	txn = xb_calloc(1, sizeof(*txn));
	txn->conn = conn;
	do {
		txn->id = ++conn->store->last_txn;
	} while (txn->id == XEN_TXN_NONE || find_txn(conn, txn->id));
	DL_APPEND(conn->txns, txn);
	conn->domain->n_txns++;
	*id = txn->id;
	return 0;
}

static void txn_free(struct store_txn *txn)
{
	DL_DELETE(txn->conn->txns, txn);
	txn->conn->domain->n_txns--;
	store_txn_clear(txn);
	free(txn);
}

int store_txn_end(struct store_conn *conn, xen_txn id, bool abort)
{
	struct store_txn *txn = find_txn(conn, id);
	int rc;

	if (!txn)
		return -ENOENT;
	rc = abort ? 0 : store_txn_commit(txn);
	txn_free(txn);
	return rc;
}

/* --- domains --- */

/* /local/domain/N and its domid, where the toolstack has not made them. */
static void make_home(struct store *store, uint16_t domid)
{
	AUTO_FREE char *home = xb_asprintf("/local/domain/%u", domid);
	AUTO_FREE char *node = xb_asprintf("%s/domid", home);
	AUTO_FREE char *value = xb_asprintf("%u", domid);
	struct xen_perm owner = {.domid = domid};

	/* Domain 0 may do all of it. */
	if (!store_view(store, NULL, home)) {
		store_mkdir(store->self, XEN_TXN_NONE, home);
		store_set_perms(store->self, XEN_TXN_NONE, home, &owner, 1);
	}
	if (!store_view(store, NULL, node))
		store_write(store->self, XEN_TXN_NONE, node, value, strlen(value));
}

int store_introduce(struct store *store, uint16_t domid)
{
	struct store_domain *domain;

	if (domid == 0 || domid > STORE_DOMID_MAX)
		return -EINVAL;
	domain = store_domain_get(store, domid);
	if (domain->introduced)
		return 0;
	domain->introduced = true;
	make_home(store, domid);
	store_fire(store, "@introduceDomain");
	return 0;
}

int store_release(struct store *store, uint16_t domid)
{
	struct store_domain *domain;
	char home[64];

	if (domid == 0)
		return -EINVAL;
	domain = store_domain_find(store, domid);
	if (!domain || !domain->introduced)
		return -ENOENT;
	domain->introduced = false;
	snprintf(home, sizeof(home), "/local/domain/%u", domid);
	store_rm(store->self, XEN_TXN_NONE, home);
	store_fire(store, "@releaseDomain");
	return 0;
}

bool store_introduced(const struct store *store, uint16_t domid)
{
	const struct store_domain *domain = store_domain_find(store, domid);

	return domain && domain->introduced;
}

/* --- the store and its connections --- */

static void put_root(struct store *store, const char *path)
{
	struct xen_perm owner = {.domid = 0};
	struct operation op = {0};
	struct store_node *node;

	begin_own(&op, store->self);
	node = store_edit(op.txn, path);
	store_node_set_value(node, NULL, 0);
	store_node_set_perms(node, store_perms_new(&owner, 1));
	end(&op, 0);
}

struct store *store_create(void)
{
	struct store *store = xb_calloc(1, sizeof(*store));

	store->self = store_connect(store, 0);
	store->self->domain->introduced = true;
	put_root(store, "/");
	put_root(store, "@introduceDomain");
	put_root(store, "@releaseDomain");
	make_home(store, 0);
	return store;
}

void store_destroy(struct store *store)
{
	struct store_conn *conn, *next;

	DL_FOREACH_SAFE (store->conns, conn, next) {
		store_disconnect(conn);
	}
	store_domains_free(store);
	store_nodes_free(&store->nodes);
	free(store);
}

struct store_conn *store_connect(struct store *store, uint16_t domid)
{
	struct store_conn *conn = xb_calloc(1, sizeof(*conn));

	conn->store = store;
	conn->domain = store_domain_get(store, domid);
	DL_APPEND(store->conns, conn);
	return conn;
}

void store_reset(struct store_conn *conn)
{
	struct store_txn *txn, *next;

	store_drop_watches(conn);
	DL_FOREACH_SAFE (conn->txns, txn, next) {
		txn_free(txn);
	}
}

void store_disconnect(struct store_conn *conn)
{
	store_reset(conn);
	DL_DELETE(conn->store->conns, conn);
	free(conn);
}

uint16_t store_conn_domid(const struct store_conn *conn)
{
	return conn->domain->domid;
}

struct store *store_conn_store(const struct store_conn *conn)
{
	return conn->store;
}

unsigned int store_nodes(const struct store *store)
{
	return HASH_COUNT(store->nodes) - 2; /* without the special ones */
}
