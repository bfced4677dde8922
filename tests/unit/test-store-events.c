/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-store-events.c - the store: transactions, conflicts, watches and events. */
#include "store-bench.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "util.h"

/* --- transactions --- */

static void test_transaction(void **state)
{
	struct bench *b = *state;
	xen_txn txn;

	watch_new(b->other, "/t", "w");
	txn = txn_start(b->dom0);
	assert_int_equal(put(b->dom0, txn, "/t/a", "1"), 0);
	assert_int_equal(put(b->dom0, txn, "/t/a", "2"), 0);
	assert_int_equal(put(b->dom0, txn, "/t/b", "3"), 0);
	sees(b->dom0, txn, "/t/a", "2");
	assert_int_equal(get(b->other, NONE, "/t/a"), -ENOENT);
	assert_int_equal(get(b->other, txn, "/t/a"), -ENOENT); /* not its transaction */
	has_no_event(b->other);
	assert_int_equal(store_txn_end(b->dom0, txn, false), 0);
	sees(b->other, NONE, "/t/a", "2");
	has_event(b->other, "/t/a", "w");
	has_event(b->other, "/t/b", "w");
	has_no_event(b->other);
	assert_int_equal(store_txn_end(b->dom0, txn, false), -ENOENT);
}

static void test_abort(void **state)
{
	struct bench *b = *state;
	unsigned int nodes = store_nodes(b->store);
	xen_txn txn = txn_start(b->dom0);

	watch_new(b->other, "/", "w");
	assert_int_equal(put(b->dom0, txn, "/t/a", "1"), 0);
	assert_int_equal(store_rm(b->dom0, txn, "/local"), 0);
	assert_int_equal(store_txn_end(b->dom0, txn, true), 0);
	assert_int_equal(store_nodes(b->store), nodes);
	has_no_event(b->other);
}

/* What the other does between this one's read or write and its end; 0 or the conflict. */
static int race(struct bench *b, const char *mine, bool write, const char *theirs,
		int (*action)(struct store_conn *, xen_txn, const char *))
{
	xen_txn txn = txn_start(b->dom0);

	if (write)
		assert_int_equal(put(b->dom0, txn, mine, "mine"), 0);
	else
		get(b->dom0, txn, mine);
	assert_int_equal(action(b->other, NONE, theirs), 0);
	return store_txn_end(b->dom0, txn, false);
}

static int put_something(struct store_conn *conn, xen_txn txn, const char *path)
{
	return put(conn, txn, path, "theirs");
}

static void test_conflicts(void **state)
{
	struct bench *b = *state;

	assert_int_equal(put(b->dom0, NONE, "/t/a/b", "1"), 0);
	assert_int_equal(put(b->dom0, NONE, "/t/c", "1"), 0);
	assert_int_equal(race(b, "/t/c", false, "/t/c", put_something), -EAGAIN);
	assert_int_equal(race(b, "/t/c", true, "/t/c", put_something), -EAGAIN);
	sees(b->dom0, NONE, "/t/c", "theirs");
	assert_int_equal(race(b, "/t/c", true, "/t/a/b", put_something), 0);
	assert_int_equal(race(b, "/t/c", true, "/new/x", put_something), 0);
	sees(b->dom0, NONE, "/t/c", "mine");
	/* Read as missing, and made by the other. */
	assert_int_equal(race(b, "/t/d", false, "/t/d", store_mkdir), -EAGAIN);
	/* Both add a child to the same node. */
	assert_int_equal(race(b, "/t/e", true, "/t/f", put_something), -EAGAIN);
	assert_int_equal(get(b->dom0, NONE, "/t/e"), -ENOENT);
	assert_int_equal(race(b, "/t/a/b", true, "/t/a", store_rm), -EAGAIN);
	assert_int_equal(get(b->dom0, NONE, "/t/a/b"), -ENOENT);
}

static void test_conflict_rm_and_new_child(void **state)
{
	struct bench *b = *state;
	xen_txn txn = txn_start(b->dom0);

	assert_int_equal(put(b->dom0, txn, "/t/a", "1"), 0);
	assert_int_equal(store_txn_end(b->dom0, txn, false), 0);
	txn = txn_start(b->dom0);
	assert_int_equal(store_rm(b->dom0, txn, "/t"), 0);
	assert_int_equal(get(b->dom0, txn, "/t/a"), -ENOENT);
	assert_int_equal(put(b->other, NONE, "/t/a/deep", "1"), 0);
	assert_int_equal(store_txn_end(b->dom0, txn, false), -EAGAIN);
	sees(b->dom0, NONE, "/t/a/deep", "1");
}

static void test_rm_and_write_again(void **state)
{
	struct bench *b = *state;
	xen_txn txn;

	assert_int_equal(put(b->dom0, NONE, "/t/a/b", "old"), 0);
	watch_new(b->other, "/t", "w");
	txn = txn_start(b->dom0);
	assert_int_equal(store_rm(b->dom0, txn, "/t/a"), 0);
	assert_int_equal(put(b->dom0, txn, "/t/a/c", "new"), 0);
	assert_int_equal(store_txn_end(b->dom0, txn, false), 0);
	has_names(b->dom0, "/t/a", "c");
	has_event(b->other, "/t/a", "w");
	has_event(b->other, "/t/a/c", "w");
	has_no_event(b->other);
	/* All of it once more, with nothing left in the end. */
	txn = txn_start(b->dom0);
	assert_int_equal(put(b->dom0, txn, "/u/v", "1"), 0);
	assert_int_equal(store_rm(b->dom0, txn, "/u"), 0);
	assert_int_equal(store_txn_end(b->dom0, txn, false), 0);
	assert_int_equal(get(b->dom0, NONE, "/u"), -ENOENT);
}

/* --- watches --- */

static void test_watch(void **state)
{
	struct bench *b = *state;

	watch_new(b->dom0, "/w/a", "t");
	assert_int_equal(store_watch(b->dom0, "/w/a", "t"), -EEXIST);
	watch_new(b->dom0, "/w/a", "u");
	assert_int_equal(put(b->other, NONE, "/w/ab", ""), 0);
	assert_int_equal(store_mkdir(b->other, NONE, "/w"), 0);
	has_no_event(b->dom0);
	assert_int_equal(put(b->other, NONE, "/w/a/x/y", ""), 0);
	has_event(b->dom0, "/w/a/x/y", "t");
	has_event(b->dom0, "/w/a/x/y", "u");
	assert_int_equal(store_unwatch(b->dom0, "/w/a", "u"), 0);
	assert_int_equal(store_unwatch(b->dom0, "/w/a", "u"), -ENOENT);
	assert_int_equal(store_unwatch(b->dom0, "/w", "t"), -ENOENT);
	assert_int_equal(give(b->other, "/w/a", "n0 r5"), 0);
	has_event(b->dom0, "/w/a", "t");
	has_no_event(b->dom0);
}

static void test_watch_rm(void **state)
{
	struct bench *b = *state;

	assert_int_equal(put(b->dom0, NONE, "/w/a/b/c", ""), 0);
	watch_new(b->dom0, "/w", "above");
	watch_new(b->dom0, "/w/a/b", "below");
	watch_new(b->dom0, "/w/a/b/none", "missing");
	assert_int_equal(store_rm(b->other, NONE, "/w/a"), 0);
	has_event(b->dom0, "/w/a", "above");
	has_event(b->dom0, "/w/a/b", "below");
	has_no_event(b->dom0);
	assert_int_equal(store_rm(b->other, NONE, "/w/a"), 0);
	has_no_event(b->dom0);
}

static void test_watch_relative(void **state)
{
	struct bench *b = *state;

	watch_new(b->guest, "dir", "t");
	assert_int_equal(put(b->dom0, NONE, "/local/domain/5/dir/x", ""), 0);
	has_event(b->guest, "dir/x", "t");
	assert_int_equal(store_unwatch(b->guest, "/local/domain/5/dir", "t"), 0);
}

static void test_watch_rights(void **state)
{
	struct bench *b = *state;

	assert_int_equal(put(b->dom0, NONE, "/w/secret", ""), 0);
	watch_new(b->guest, "/w", "t");
	assert_int_equal(put(b->dom0, NONE, "/w/secret", "1"), 0);
	has_no_event(b->guest);
	assert_int_equal(give(b->dom0, "/w/secret", "n0 r5"), 0);
	has_event(b->guest, "/w/secret", "t");
	assert_int_equal(give(b->dom0, "/w/secret", "n0"), 0);
	has_event(b->guest, "/w/secret", "t"); /* it is told what it loses */
	assert_int_equal(put(b->dom0, NONE, "/w/secret", "2"), 0);
	has_no_event(b->guest);
	/* A readable parent shows that its children change. */
	assert_int_equal(give(b->dom0, "/w", "r0"), 0);
	has_event(b->guest, "/w", "t");
	assert_int_equal(put(b->dom0, NONE, "/w/secret", "3"), 0);
	has_event(b->guest, "/w/secret", "t");
	assert_int_equal(store_rm(b->dom0, NONE, "/w/secret"), 0);
	has_event(b->guest, "/w/secret", "t");
}

static void test_unwatch_drops_events(void **state)
{
	struct bench *b = *state;

	watch_new(b->dom0, "/w", "t");
	watch_new(b->dom0, "/w/a", "t");
	assert_int_equal(put(b->other, NONE, "/w/a", "1"), 0);
	assert_int_equal(store_unwatch(b->dom0, "/w", "t"), 0);
	has_event(b->dom0, "/w/a", "t");
	has_no_event(b->dom0);
}

static void test_events_coalesce(void **state)
{
	struct bench *b = *state;
	char path[32];

	watch_new(b->dom0, "/w", "t");
	for (int i = 0; i < 100; i++)
		assert_int_equal(put(b->other, NONE, "/w/a", "1"), 0);
	store_fire(b->store, "/w/b");
	has_event(b->dom0, "/w/a", "t");
	has_event(b->dom0, "/w/b", "t");
	has_no_event(b->dom0);
	/* Bounded, and what is lost is counted. */
	for (unsigned int i = 0; i < STORE_EVENTS_MAX + 3; i++) {
		snprintf(path, sizeof(path), "/w/%u", i);
		store_fire(b->store, path);
	}
	assert_int_equal(store_conn_dropped(b->dom0), 3);
	has_event(b->dom0, "/w/0", "t");
}

static void count_event(void *ctx)
{
	++*(unsigned int *)ctx;
}

static void test_on_event(void **state)
{
	struct bench *b = *state;
	unsigned int n = 0;

	store_on_event(b->dom0, count_event, &n);
	assert_int_equal(store_watch(b->dom0, "/w", "t"), 0);
	assert_int_equal(n, 1);
	assert_int_equal(put(b->other, NONE, "/w", "1"), 0);
	assert_int_equal(n, 1); /* the same one still waits */
	assert_int_equal(put(b->other, NONE, "/w/x", "1"), 0);
	assert_int_equal(n, 2);
	store_on_event(b->dom0, NULL, NULL);
	assert_int_equal(put(b->other, NONE, "/w/y", "1"), 0);
	assert_int_equal(n, 2);
}

static void test_disconnect(void **state)
{
	struct bench *b = *state;
	struct store_conn *conn = store_connect(b->store, 5);
	xen_txn txn = txn_start(conn);

	assert_int_equal(store_conn_domid(conn), 5);
	assert_ptr_equal(store_conn_store(conn), b->store);
	watch_new(conn, "x", "t");
	assert_int_equal(put(conn, txn, "x", "1"), 0);
	assert_int_equal(put(b->guest, NONE, "x/y", "1"), 0);
	store_disconnect(conn);
	assert_int_equal(put(b->guest, NONE, "x/z", "1"), 0);
	assert_int_equal(get(b->guest, NONE, "x"), 0);
}

static void test_reset(void **state)
{
	struct bench *b = *state;
	xen_txn txn = txn_start(b->guest);

	assert_int_equal(store_watch(b->guest, "x", "t"), 0);
	store_reset(b->guest);
	has_no_event(b->guest);
	assert_int_equal(store_txn_end(b->guest, txn, true), -ENOENT);
	watch_new(b->guest, "x", "t");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_transaction),	       TEST(test_abort),
		TEST(test_conflicts),	       TEST(test_conflict_rm_and_new_child),
		TEST(test_rm_and_write_again), TEST(test_watch),
		TEST(test_watch_rm),	       TEST(test_watch_relative),
		TEST(test_watch_rights),       TEST(test_unwatch_drops_events),
		TEST(test_events_coalesce),    TEST(test_on_event),
		TEST(test_disconnect),	       TEST(test_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
