/* SPDX-License-Identifier: GPL-2.0-or-later */
/* store_txn.c - nodes of the store, transactions' views of them, and commit (see store_priv.h). */
#include "store_priv.h"

#include <errno.h>
#include <string.h>

#include "util.h"

/* uthash's macros nest deep, and the analyzer does not follow its lists. */
/* NOLINTBEGIN(readability-function-size, clang-analyzer-unix.Malloc) */

/* --- permissions --- */

struct store_perms *store_perms_new(const struct xen_perm *list, unsigned int n)
{
	struct store_perms *perms = xb_calloc(1, sizeof(*perms) + n * sizeof(*list));

	perms->refs = 1;
	perms->n = n;
	memcpy(perms->list, list, n * sizeof(*list));
	return perms;
}

struct store_perms *store_perms_ref(struct store_perms *perms)
{
	perms->refs++;
	return perms;
}

void store_perms_unref(struct store_perms *perms)
{
	if (perms && --perms->refs == 0)
		free(perms);
}

static unsigned int rights_of(const struct xen_perm *perm)
{
	return (perm->read ? STORE_READ : 0) | (perm->write ? STORE_WRITE : 0);
}

unsigned int store_perms_rights(const struct store_perms *perms, uint16_t domid)
{
	if (domid == 0 || perms->list[0].domid == domid)
		return STORE_READ | STORE_WRITE | STORE_OWNER;
	for (unsigned int i = 1; i < perms->n; i++)
		if (perms->list[i].domid == domid)
			return rights_of(&perms->list[i]);
	return rights_of(&perms->list[0]);
}

/* --- nodes --- */

static struct store_node *node_new(const char *path)
{
	struct store_node *node = xb_calloc(1, sizeof(*node));

	node->path = xb_strdup(path);
	return node;
}

static void node_free(struct store_node *node)
{
	free(node->path);
	free(node->value);
	free(node->children);
	store_perms_unref(node->perms);
	free(node);
}

void store_nodes_free(struct store_node **nodes)
{
	struct store_node *node, *tmp;

	HASH_ITER (hh, *nodes, node, tmp) {
		HASH_DEL(*nodes, node);
		node_free(node);
	}
}

static char *copy_bytes(const char *bytes, size_t len)
{
	char *copy = xb_calloc(1, len + 1);

	if (len)
		memcpy(copy, bytes, len);
	return copy;
}

static struct store_node *node_copy(const struct store_node *from)
{
	struct store_node *node = node_new(from->path);

	node->exists = true;
	node->generation = node->seen = from->generation;
	node->value = copy_bytes(from->value, from->len);
	node->len = from->len;
	node->perms = store_perms_ref(from->perms);
	node->children = copy_bytes(from->children, from->children_len);
	node->children_len = from->children_len;
	return node;
}

void store_node_set_value(struct store_node *node, const char *value, size_t len)
{
	free(node->value);
	node->value = copy_bytes(value, len);
	node->len = len;
}

void store_node_set_perms(struct store_node *node, struct store_perms *perms)
{
	store_perms_unref(node->perms);
	node->perms = perms;
}

void store_node_add_child(struct store_node *node, const char *name)
{
	size_t len = strlen(name) + 1;

	node->children = xb_realloc(node->children, node->children_len + len);
	memcpy(node->children + node->children_len, name, len);
	node->children_len += len;
}

static void node_remove_child(struct store_node *node, const char *name)
{
	size_t len = strlen(name) + 1;

	for (size_t at = 0; at < node->children_len; at += strlen(node->children + at) + 1) {
		if (strcmp(node->children + at, name))
			continue;
		node->children_len -= len;
		memmove(node->children + at, node->children + at + len, node->children_len - at);
		return;
	}
}

/* --- views --- */

static struct store_node *own_copy(struct store_txn *txn, const char *path)
{
	struct store_node *node, *original;

	HASH_FIND_STR(txn->nodes, path, node);
	if (node)
		return node;
	HASH_FIND_STR(txn->conn->store->nodes, path, original);
	node = original ? node_copy(original) : node_new(path);
	HASH_ADD_KEYPTR(hh, txn->nodes, node->path, strlen(node->path), node);
	return node;
}

const struct store_node *store_view(const struct store *store, struct store_txn *txn,
				    const char *path)
{
	struct store_node *node;

	if (txn)
		node = own_copy(txn, path);
	else
		HASH_FIND_STR(store->nodes, path, node);
	return node && node->exists ? node : NULL;
}

struct store_node *store_edit(struct store_txn *txn, const char *path)
{
	struct store_node *node = own_copy(txn, path);

	node->changed = true;
	node->generation = ++txn->conn->store->generation;
	node->exists = true;
	return node;
}

void store_txn_note(struct store_txn *txn, const char *path, bool exact)
{
	struct store_change *change;

	HASH_FIND_STR(txn->changes, path, change);
	if (change) {
		change->exact = change->exact && exact;
		return;
	}
	change = xb_calloc(1, sizeof(*change));
	change->path = xb_strdup(path);
	change->exact = exact;
	HASH_ADD_KEYPTR(hh, txn->changes, change->path, strlen(change->path), change);
}

/* As deep as a path has parts: at most half of its length. */
static void remove_below(struct store_txn *txn, const char *path, bool exact)
{
	struct store_node *node = store_edit(txn, path);

	store_txn_note(txn, path, exact);
	for (size_t at = 0; at < node->children_len; at += strlen(node->children + at) + 1) {
		AUTO_FREE char *child = xb_asprintf("%s/%s", path, node->children + at);

		remove_below(txn, child, true);
	}
	node->exists = false;
	node->len = node->children_len = 0;
}

void store_remove(struct store_txn *txn, const char *path)
{
	AUTO_FREE char *parent = xb_strdup(path);

	remove_below(txn, path, false);
	if (store_path_up(parent))
		node_remove_child(store_edit(txn, parent), strrchr(path, '/') + 1);
}

/* --- commit --- */

struct store_domain *store_domain_find(const struct store *store, uint16_t domid)
{
	struct store_domain *domain;

	HASH_FIND(hh, store->domains, &domid, sizeof(domid), domain);
	return domain;
}

struct store_domain *store_domain_get(struct store *store, uint16_t domid)
{
	struct store_domain *domain = store_domain_find(store, domid);

	if (domain)
		return domain;
	domain = xb_calloc(1, sizeof(*domain));
	domain->domid = domid;
	HASH_ADD(hh, store->domains, domid, sizeof(domid), domain);
	return domain;
}

void store_domains_free(struct store *store)
{
	struct store_domain *domain, *next;

	HASH_ITER (hh, store->domains, domain, next) {
		HASH_DEL(store->domains, domain);
		free(domain);
	}
}

static bool is_owned(const struct store_node *node, uint16_t domid)
{
	return node && node->exists && node->perms->list[0].domid == domid;
}

/* A domain that holds too much already may still change and remove. */
static bool over_quota(const struct store_txn *txn)
{
	const struct store_domain *domain = txn->conn->domain;
	struct store_node *node, *tmp, *original;
	long growth = 0;

	if (domain->domid == 0)
		return false;
	HASH_ITER (hh, txn->nodes, node, tmp) {
		if (!node->changed)
			continue;
		HASH_FIND_STR(txn->conn->store->nodes, node->path, original);
		growth += is_owned(node, domain->domid);
		growth -= is_owned(original, domain->domid);
	}
	return growth > 0 && domain->n_nodes + growth > STORE_QUOTA_NODES;
}

static bool conflicts(const struct store_txn *txn)
{
	struct store_node *node, *tmp, *original;

	HASH_ITER (hh, txn->nodes, node, tmp) {
		HASH_FIND_STR(txn->conn->store->nodes, node->path, original);
		if ((original ? original->generation : 0) != node->seen)
			return true;
	}
	return false;
}

static void put_in_place(struct store *store, struct store_txn *txn, struct store_node *node)
{
	struct store_node *original;

	HASH_DEL(txn->nodes, node);
	HASH_FIND_STR(store->nodes, node->path, original);
	if (original) {
		store_domain_get(store, (uint16_t)original->perms->list[0].domid)->n_nodes--;
		HASH_DEL(store->nodes, original);
		node_free(original);
	}
	if (!node->exists) {
		node_free(node);
		return;
	}
	node->changed = false;
	node->generation = ++store->generation;
	store_domain_get(store, (uint16_t)node->perms->list[0].domid)->n_nodes++;
	HASH_ADD_KEYPTR(hh, store->nodes, node->path, strlen(node->path), node);
}

int store_txn_commit(struct store_txn *txn)
{
	struct store *store = txn->conn->store;
	struct store_change *change, *next_change;
	struct store_node *node, *next;

	if (conflicts(txn))
		return -EAGAIN;
	if (over_quota(txn))
		return -ENOSPC;
	HASH_ITER (hh, txn->changes, change, next_change) {
		HASH_FIND_STR(store->nodes, change->path, node);
		change->old = node ? store_perms_ref(node->perms) : NULL;
	}
	HASH_ITER (hh, txn->nodes, node, next) {
		if (node->changed)
			put_in_place(store, txn, node);
	}
	HASH_ITER (hh, txn->changes, change, next_change) {
		store_fire_change(store, change->path, change->exact, change->old);
	}
	return 0;
}

void store_txn_clear(struct store_txn *txn)
{
	struct store_change *change, *next;

	store_nodes_free(&txn->nodes);
	HASH_ITER (hh, txn->changes, change, next) {
		HASH_DEL(txn->changes, change);
		store_perms_unref(change->old);
		free(change->path);
		free(change);
	}
}

/* NOLINTEND(readability-function-size, clang-analyzer-unix.Malloc) */
