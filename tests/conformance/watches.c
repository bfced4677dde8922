/* SPDX-License-Identifier: GPL-2.0-or-later */
/* watches.c - events of the store: which come, for which paths, in which order. */
#include "conformance.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An event of Xen's daemon comes through a thread of its library; the wait ends when it is there.
 */
#define WAIT_MS 2000

static int put(struct party *p, xen_txn txn, const char *path)
{
	return p->ops->store_write(p->store, txn, path, "v", 1);
}

static int next_event(struct party *p, char **path, char **token, int wait_ms)
{
	struct pollfd fd = {.fd = p->ops->store_fd(p->store), .events = POLLIN};
	int rc = 0;

	for (int tries = 0; rc == 0 && tries < 3 && poll(&fd, 1, wait_ms) == 1; tries++)
		rc = p->ops->store_event(p->store, path, token);
	return rc;
}

static bool event_is(struct party *p, const char *path, const char *token, const char *what)
{
	char *got_path = NULL, *got_token = NULL;
	int rc = next_event(p, &got_path, &got_token, WAIT_MS);
	bool good = check(rc == 1 && !strcmp(got_path, path) && !strcmp(got_token, token),
			  "%s: %d, %s %s (wanted %s %s)", what, rc, rc == 1 ? got_path : "-",
			  rc == 1 ? got_token : "-", path, token);

	if (rc == 1) {
		free(got_path);
		free(got_token);
	}
	return good;
}

/* Events are in order, so that none before the mark means none. */
static bool no_event(struct party *p, const char *what)
{
	char *path = NULL, *token = NULL;
	bool good;
	int rc;

	p->ops->store_watch(p->store, TOP "/mark", "mark");
	rc = next_event(p, &path, &token, WAIT_MS);
	good = check(rc == 1 && !strcmp(token, "mark"), "%s: %s %s", what, rc == 1 ? path : "-",
		     rc == 1 ? token : "-");
	while (rc == 1 && strcmp(token, "mark") != 0) {
		free(path);
		free(token);
		rc = next_event(p, &path, &token, WAIT_MS);
	}
	if (rc == 1) {
		free(path);
		free(token);
	}
	p->ops->store_unwatch(p->store, TOP "/mark", "mark");
	return good;
}

static void watch(struct party *p, const char *path, const char *token)
{
	if (check_int(p->ops->store_watch(p->store, path, token), 0, "watch %s as %s", path, token))
		event_is(p, path, token, "it fires at once");
}

static void unwatch(struct party *p, const char *path, const char *token)
{
	check_int(p->ops->store_unwatch(p->store, path, token), 0, "unwatch %s", path);
}

static void test_paths(struct world *w)
{
	struct party *p = &w->back;

	put(p, XEN_TXN_NONE, TOP "/w/x");
	watch(p, TOP "/w", "tok");
	put(p, XEN_TXN_NONE, TOP "/w");
	event_is(p, TOP "/w", "tok", "a change of the node");
	put(p, XEN_TXN_NONE, TOP "/w/x");
	event_is(p, TOP "/w/x", "tok", "a change below it");
	put(p, XEN_TXN_NONE, TOP "/w/n/e/w");
	event_is(p, TOP "/w/n/e/w", "tok", "a new node, far below");
	p->ops->store_mkdir(p->store, XEN_TXN_NONE, TOP "/w/dir");
	event_is(p, TOP "/w/dir", "tok", "a new directory");
	put(p, XEN_TXN_NONE, TOP "/ww");
	no_event(p, "a name that only begins alike is another");
	put(p, XEN_TXN_NONE, TOP "/v");
	no_event(p, "nor a neighbour");
	p->ops->store_rm(p->store, XEN_TXN_NONE, TOP "/w/x");
	event_is(p, TOP "/w/x", "tok", "a removal below it");
	unwatch(p, TOP "/w", "tok");
	put(p, XEN_TXN_NONE, TOP "/w");
	no_event(p, "nothing after unwatch");
	watch(p, TOP "/missing", "m");
	put(p, XEN_TXN_NONE, TOP "/missing");
	event_is(p, TOP "/missing", "m", "a node that is made while watched");
	unwatch(p, TOP "/missing", "m");
}

static void test_removal(struct world *w)
{
	struct party *p = &w->back;

	put(p, XEN_TXN_NONE, TOP "/r/dir/leaf");
	watch(p, TOP "/r/dir/leaf", "leaf");
	p->ops->store_rm(p->store, XEN_TXN_NONE, TOP "/r");
	event_is(p, TOP "/r/dir/leaf", "leaf", "the removal of a tree reaches its leaves");
	unwatch(p, TOP "/r/dir/leaf", "leaf");
	put(p, XEN_TXN_NONE, TOP "/r/dir/leaf");
	watch(p, TOP, "top");
	p->ops->store_rm(p->store, XEN_TXN_NONE, TOP "/r");
	event_is(p, TOP "/r", "top", "above it is one event, for the tree");
	no_event(p, "and only one");
	unwatch(p, TOP, "top");
}

static void test_tokens(struct world *w)
{
	struct party *p = &w->back;

	watch(p, TOP "/k", "one");
	watch(p, TOP "/k", "two");
	check_int(p->ops->store_watch(p->store, TOP "/k", "one"), -EEXIST, "the same again");
	check_int(p->ops->store_unwatch(p->store, TOP "/k", "three"), -ENOENT, "unwatch of none");
	unwatch(p, TOP "/k", "one");
	put(p, XEN_TXN_NONE, TOP "/k");
	event_is(p, TOP "/k", "two", "the other one stays");
	unwatch(p, TOP "/k", "two");
	no_event(p, "no event is left");
	watch(p, "@introduceDomain", "intro");
	watch(p, "@releaseDomain", "release");
	unwatch(p, "@introduceDomain", "intro");
	unwatch(p, "@releaseDomain", "release");
}

static void test_transactions(struct world *w)
{
	struct party *p = &w->back;
	xen_txn txn;

	put(p, XEN_TXN_NONE, TOP "/x/a");
	watch(p, TOP "/x", "x");
	p->ops->txn_start(p->store, &txn);
	put(p, txn, TOP "/x/a");
	put(p, txn, TOP "/x/b");
	put(p, txn, TOP "/x/a");
	no_event(p, "a transaction is silent");
	check_int(p->ops->txn_end(p->store, txn, false), 0, "until it ends");
	event_is(p, TOP "/x/a", "x", "then its changes come in order, first");
	event_is(p, TOP "/x/b", "x", "second");
	/* oxenstored tells of each write, C xenstored and we of each node. */
	if (!w->real)
		no_event(p, "one event a node");
	unwatch(p, TOP "/x", "x");
	watch(p, TOP "/x", "y");
	p->ops->txn_start(p->store, &txn);
	put(p, txn, TOP "/x/c");
	p->ops->txn_end(p->store, txn, true);
	no_event(p, "an abort is silent");
	unwatch(p, TOP "/x", "y");
}

/* Two domains: who sees what. */
static void test_domains(struct world *w)
{
	struct xen_perm list[2] = {{0, false, false}, {w->front.xen->domid, true, false}};
	struct party *back = &w->back, *front = &w->front;

	watch(front, TOP "/s", "f");
	if (!w->real) {
		put(back, XEN_TXN_NONE, TOP "/s/secret");
		no_event(front, "a guest hears nothing of what it may not read");
	}
	put(back, XEN_TXN_NONE, TOP "/s");
	back->ops->store_set_perms(back->store, XEN_TXN_NONE, TOP "/s", list, 2);
	event_is(front, TOP "/s", "f", "it hears of what it may read");
	unwatch(front, TOP "/s", "f");
	watch(back, TOP "/s", "b");
	put(front, XEN_TXN_NONE, TOP "/s");
	if (!w->real)
		no_event(back, "a refused write is no change");
	unwatch(back, TOP "/s", "b");
}

void conformance_watches(struct world *w)
{
	struct xen_perm list[1] = {{0, false, false}};

	w->back.ops->store_mkdir(w->back.store, XEN_TXN_NONE, TOP);
	w->back.ops->store_set_perms(w->back.store, XEN_TXN_NONE, TOP, list, 1);
	test_paths(w);
	test_removal(w);
	test_tokens(w);
	test_transactions(w);
	test_domains(w);
	w->back.ops->store_rm(w->back.store, XEN_TXN_NONE, TOP);
}
