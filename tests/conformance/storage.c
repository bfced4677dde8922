/* SPDX-License-Identifier: GPL-2.0-or-later */
/* storage.c - nodes, permissions and transactions of the store; watches are in watches.c. Where
 * Xen's two daemons differ (C xenstored, oxenstored), both answers pass on a real Xen. */
#include "conformance.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N_NAMES	     300u
#define N_NAMES_REAL 100u

static int put(struct party *p, xen_txn txn, const char *path, const char *value)
{
	return value ? p->ops->store_write(p->store, txn, path, value, strlen(value)) : -ENOENT;
}

/* The value as text, in a buffer that the next call uses again; NULL: no such node, or no right. */
static const char *get(struct party *p, xen_txn txn, const char *path)
{
	static char copy[64];
	char *value;
	size_t len;

	if (p->ops->store_read(p->store, txn, path, &value, &len) < 0)
		return NULL;
	snprintf(copy, sizeof(copy), "%s", value);
	free(value);
	return copy;
}

static bool value_is(struct party *p, xen_txn txn, const char *path, const char *wanted,
		     const char *what)
{
	const char *value = get(p, txn, path);

	return check(value ? wanted && strcmp(value, wanted) == 0 : !wanted,
		     "%s: \"%s\" (wanted \"%s\")", what, value ? value : "(none)",
		     wanted ? wanted : "(none)");
}

static int read_error(struct party *p, const char *path)
{
	char *value;
	int rc = p->ops->store_read(p->store, XEN_TXN_NONE, path, &value, NULL);

	if (rc == 0)
		free(value);
	return rc;
}

static void test_nodes(struct world *w)
{
	static const char bytes[] = "a\0b\xff\n";
	const struct xen_ops *ops = w->back.ops;
	struct xen_store *store = w->back.store;
	char *value;
	size_t len = 0;

	check_int(read_error(&w->back, TOP "/none"), -ENOENT, "read what is not there");
	check_int(put(&w->back, XEN_TXN_NONE, TOP "/a/b/c", "1"), 0, "write deep");
	value_is(&w->back, XEN_TXN_NONE, TOP "/a/b/c", "1", "it reads back");
	value_is(&w->back, XEN_TXN_NONE, TOP "/a", "", "nodes above are made, empty");
	check_int(put(&w->back, XEN_TXN_NONE, TOP "/a/b/c", "22"), 0, "write again");
	value_is(&w->back, XEN_TXN_NONE, TOP "/a/b/c", "22", "the new value");
	check_int(ops->store_mkdir(store, XEN_TXN_NONE, TOP "/a/b/c"), 0, "mkdir of what exists");
	value_is(&w->back, XEN_TXN_NONE, TOP "/a/b/c", "22", "keeps the value");
	check_int(ops->store_write(store, XEN_TXN_NONE, TOP "/bytes", bytes, sizeof(bytes)), 0,
		  "write any bytes");
	if (check_int(ops->store_read(store, XEN_TXN_NONE, TOP "/bytes", &value, &len), 0,
		      "read them")) {
		check(len == sizeof(bytes) && memcmp(value, bytes, len) == 0, "they are the same");
		check(value[len] == '\0', "with a NUL behind");
		free(value);
	}
	check_int(ops->store_rm(store, XEN_TXN_NONE, TOP "/a"), 0, "remove a tree");
	check_int(read_error(&w->back, TOP "/a/b/c"), -ENOENT, "it is gone to the leaves");
	check_int(ops->store_rm(store, XEN_TXN_NONE, TOP "/a"), 0, "remove what is not there");
}

static void test_list(struct world *w)
{
	const struct xen_ops *ops = w->back.ops;
	struct xen_store *store = w->back.store;
	/* Where more names than one message holds are asked for, oxenstored sends a message that
	 * libxenstore takes for the end of the connection. */
	unsigned int n_names = w->real ? N_NAMES_REAL : N_NAMES, n = 99, found = 0;
	char path[128], **names = NULL;
	int rc = 0;

	check_int(ops->store_list(store, XEN_TXN_NONE, TOP "/list", &names, &n), -ENOENT,
		  "list what is not there");
	ops->store_mkdir(store, XEN_TXN_NONE, TOP "/list");
	if (check_int(ops->store_list(store, XEN_TXN_NONE, TOP "/list", &names, &n), 0,
		      "list an empty node")) {
		check_int(n, 0, "no names");
		free(names);
	}
	for (unsigned int i = 0; i < n_names && rc == 0; i++) {
		snprintf(path, sizeof(path), TOP "/list/a-name-of-some-length-%u", i);
		rc = put(&w->back, XEN_TXN_NONE, path, "x");
	}
	check_int(rc, 0, "write %u children", n_names);
	rc = ops->store_list(store, XEN_TXN_NONE, TOP "/list", &names, &n);
	if (!check_int(rc, 0, "list them all"))
		return;
	check_int(n, n_names, "their number");
	for (unsigned int i = 0; i < n; i++)
		found += strncmp(names[i], "a-name-of-some-length-", 22) == 0;
	check_int(found, n_names, "their names");
	free(names);
	ops->store_rm(store, XEN_TXN_NONE, TOP "/list");
}

static void test_limits(struct world *w)
{
	static const char *const bad[] = {TOP "/a//b", TOP "/a/", TOP "/a b",
					  TOP "/a*",   "//",	  TOP "/\xc3\xa4"};
	char value[2049], path[3100];
	int rc;

	memset(value, 'v', sizeof(value));
	memset(path, 'p', sizeof(path) - 1);
	memcpy(path, TOP "/", sizeof(TOP));
	path[sizeof(path) - 1] = '\0';
	check_int(w->back.ops->store_write(w->back.store, XEN_TXN_NONE, TOP "/big", value, 2048), 0,
		  "a value of 2048 bytes");
	rc = w->back.ops->store_write(w->back.store, XEN_TXN_NONE, TOP "/big", value, 2049);
	/* C xenstored has no limit of its own for domain 0. */
	check(rc == -E2BIG || (w->real && rc == 0), "a value of 2049 bytes: %d", rc);
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		check_int(put(&w->back, XEN_TXN_NONE, bad[i], "x"), -EINVAL, "bad path %u", i);
	check(put(&w->back, XEN_TXN_NONE, path, "x") < 0, "a path of %zu bytes", strlen(path));
}

static void perms_are(struct party *p, const char *path, const struct xen_perm *wanted,
		      unsigned int n_wanted, const char *what)
{
	struct xen_perm *perms;
	unsigned int n = 0;
	bool same;

	if (!check_int(p->ops->store_get_perms(p->store, XEN_TXN_NONE, path, &perms, &n), 0,
		       "%s: read them", what))
		return;
	same = n == n_wanted;
	for (unsigned int i = 0; same && i < n; i++)
		same = perms[i].domid == wanted[i].domid && perms[i].read == wanted[i].read &&
		       perms[i].write == wanted[i].write;
	check(same, "%s: %u entries", what, n);
	free(perms);
}

static void test_permissions(struct world *w)
{
	const struct xen_ops *ops = w->back.ops;
	struct xen_store *store = w->back.store;
	uint32_t guest = w->front.xen->domid;
	struct xen_perm list[2] = {{0, false, false}, {guest, true, false}};

	put(&w->back, XEN_TXN_NONE, TOP "/perm", "v");
	check_int(ops->store_set_perms(store, XEN_TXN_NONE, TOP "/perm", list, 2), 0,
		  "let a domain read");
	perms_are(&w->back, TOP "/perm", list, 2, "permissions");
	put(&w->back, XEN_TXN_NONE, TOP "/perm/below", "v");
	perms_are(&w->back, TOP "/perm/below", list, 2, "inherited permissions");
	if (w->real) {
		skipped("what a guest may do", "front is back");
		return;
	}
	value_is(&w->front, XEN_TXN_NONE, TOP "/perm", "v", "the guest reads");
	check_int(put(&w->front, XEN_TXN_NONE, TOP "/perm", "w"), -EACCES, "but does not write");
	check_int(w->front.ops->store_rm(w->front.store, XEN_TXN_NONE, TOP "/perm"), -EACCES,
		  "nor remove");
	check_int(w->front.ops->store_set_perms(w->front.store, XEN_TXN_NONE, TOP "/perm", list, 2),
		  -EACCES, "nor change permissions");
	list[1] = (struct xen_perm){guest, false, true};
	ops->store_set_perms(store, XEN_TXN_NONE, TOP "/perm", list, 2);
	check_int(put(&w->front, XEN_TXN_NONE, TOP "/perm", "w"), 0, "one that may write writes");
	check_int(read_error(&w->front, TOP "/perm"), -EACCES, "and does not read");
	list[0] = (struct xen_perm){0, true, false};
	ops->store_set_perms(store, XEN_TXN_NONE, TOP "/perm", list, 1);
	value_is(&w->front, XEN_TXN_NONE, TOP "/perm", "w", "the default lets everybody read");
	check_int(put(&w->front, XEN_TXN_NONE, TOP "/perm", "x"), -EACCES, "and nobody write");
	list[0] = (struct xen_perm){0, false, false};
	ops->store_set_perms(store, XEN_TXN_NONE, TOP "/perm", list, 1);
	check_int(read_error(&w->front, TOP "/perm"), -EACCES, "private is private");
	check_int(read_error(&w->front, TOP "/perm/none"), -EACCES,
		  "also what is missing below it");
}

/* A guest at home, and outside. */
static void test_guest(struct world *w)
{
	const struct xen_ops *ops = w->front.ops;
	struct xen_perm owner = {w->front.xen->domid, false, false}, theft = {0, false, false};
	char path[128], number[16];

	if (w->real) {
		skipped("a guest's own nodes", "front is back");
		return;
	}
	snprintf(number, sizeof(number), "%u", w->front.xen->domid);
	snprintf(path, sizeof(path), "/local/domain/%s/domid", number);
	value_is(&w->front, XEN_TXN_NONE, path, number, "a guest finds its number");
	snprintf(path, sizeof(path), "/local/domain/%s/conformance", number);
	check_int(put(&w->front, XEN_TXN_NONE, path, "1"), 0, "a guest writes at home");
	perms_are(&w->front, path, &owner, 1, "it owns what it made");
	check_int(ops->store_set_perms(w->front.store, XEN_TXN_NONE, path, &theft, 1), -EPERM,
		  "a guest can't give its nodes away");
	value_is(&w->back, XEN_TXN_NONE, path, "1", "domain 0 reads everywhere");
	check_int(ops->store_rm(w->front.store, XEN_TXN_NONE, path), 0, "a guest removes its node");
	check_int(put(&w->front, XEN_TXN_NONE, "/local/domain/0/x", "1"), -EACCES,
		  "a guest does not write to domain 0");
	check_int(put(&w->front, XEN_TXN_NONE, "/x", "1"), -EACCES, "nor to the root");
}

static void test_txn_view(struct world *w)
{
	const struct xen_ops *ops = w->back.ops;
	struct xen_store *store = w->back.store;
	xen_txn txn;

	put(&w->back, XEN_TXN_NONE, TOP "/t/keep", "1");
	put(&w->back, XEN_TXN_NONE, TOP "/t/old", "1");
	if (!check_int(ops->txn_start(store, &txn), 0, "start a transaction"))
		return;
	put(&w->back, txn, TOP "/t/new", "2");
	ops->store_rm(store, txn, TOP "/t/old");
	value_is(&w->back, txn, TOP "/t/new", "2", "it sees its own writes");
	value_is(&w->back, txn, TOP "/t/old", NULL, "and its removals");
	value_is(&w->back, txn, TOP "/t/keep", "1", "and the rest");
	value_is(&w->back, XEN_TXN_NONE, TOP "/t/new", NULL, "others don't, yet");
	value_is(&w->back, XEN_TXN_NONE, TOP "/t/old", "1", "neither that");
	check_int(ops->txn_end(store, txn, false), 0, "commit");
	value_is(&w->back, XEN_TXN_NONE, TOP "/t/new", "2", "now it is there");
	value_is(&w->back, XEN_TXN_NONE, TOP "/t/old", NULL, "and the other is gone");
	check(ops->store_mkdir(store, txn, TOP "/t/x") < 0, "a transaction that ended is no more");
	check(ops->txn_end(store, txn, false) < 0, "and does not end twice");
	ops->txn_start(store, &txn);
	put(&w->back, txn, TOP "/t/new", "3");
	check_int(ops->txn_end(store, txn, true), 0, "abort");
	value_is(&w->back, XEN_TXN_NONE, TOP "/t/new", "2", "nothing has changed");
}

static void test_txn_conflict(struct world *w)
{
	const struct xen_ops *ops = w->back.ops;
	struct xen_store *store = w->back.store;
	xen_txn txn, other;

	put(&w->back, XEN_TXN_NONE, TOP "/c/a", "1");
	ops->txn_start(store, &txn);
	value_is(&w->back, txn, TOP "/c/a", "1", "a transaction reads");
	put(&w->back, txn, TOP "/c/b", "2");
	put(&w->back, XEN_TXN_NONE, TOP "/c/a", "5");
	value_is(&w->back, txn, TOP "/c/a", "1", "and sees no change of others");
	check_int(ops->txn_end(store, txn, false), -EAGAIN, "what it read has changed: again");
	value_is(&w->back, XEN_TXN_NONE, TOP "/c/b", NULL, "nothing of it was done");
	ops->txn_start(store, &txn);
	put(&w->back, txn, TOP "/c/b", get(&w->back, txn, TOP "/c/a"));
	check_int(ops->txn_end(store, txn, false), 0, "the second try succeeds");
	value_is(&w->back, XEN_TXN_NONE, TOP "/c/b", "5", "with the new value");
	/* Apart from each other. */
	put(&w->back, XEN_TXN_NONE, TOP "/d/x", "1");
	put(&w->back, XEN_TXN_NONE, TOP "/e/x", "1");
	ops->txn_start(store, &txn);
	ops->txn_start(store, &other);
	put(&w->back, txn, TOP "/d/x", "2");
	put(&w->back, other, TOP "/e/x", "2");
	check_int(ops->txn_end(store, other, false), 0, "one transaction");
	check_int(ops->txn_end(store, txn, false), 0, "and another, elsewhere");
	value_is(&w->back, XEN_TXN_NONE, TOP "/d/x", "2", "both are done");
	value_is(&w->back, XEN_TXN_NONE, TOP "/e/x", "2", "also this");
	/* A node that goes while one writes it: the zombie that backends must not make. */
	ops->txn_start(store, &txn);
	value_is(&w->back, txn, TOP "/d/x", "2", "read a node");
	put(&w->back, txn, TOP "/d/x", "3");
	ops->store_rm(store, XEN_TXN_NONE, TOP "/d");
	check_int(ops->txn_end(store, txn, false), -EAGAIN, "it was removed meanwhile: again");
	check_int(read_error(&w->back, TOP "/d"), -ENOENT, "it stays removed");
}

void conformance_storage(struct world *w)
{
	w->back.ops->store_rm(w->back.store, XEN_TXN_NONE, TOP);
	check_int(w->back.ops->store_mkdir(w->back.store, XEN_TXN_NONE, TOP), 0, "make " TOP);
	test_nodes(w);
	test_list(w);
	test_limits(w);
	test_permissions(w);
	test_guest(w);
	test_txn_view(w);
	test_txn_conflict(w);
	check_int(w->back.ops->store_rm(w->back.store, XEN_TXN_NONE, TOP), 0, "remove " TOP);
}
