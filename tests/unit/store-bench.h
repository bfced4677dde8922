/* SPDX-License-Identifier: GPL-2.0-or-later */
/* store-bench.h - a store with two guests, and short words for its tests: test-store.c,
 * test-store-events.c. */
#ifndef XB_TESTS_STORE_BENCH_H
#define XB_TESTS_STORE_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "xen/store.h"

#define NONE XEN_TXN_NONE

/** Domain 0 twice, and two guests. */
struct bench {
	struct store *store;
	struct store_conn *dom0, *other, *guest, *guest6;
};

int store_bench_setup(void **state);
int store_bench_teardown(void **state);
int put(struct store_conn *conn, xen_txn txn, const char *path, const char *value);
/** The connection reads this value. */
void sees(struct store_conn *conn, xen_txn txn, const char *path, const char *wanted);
/** Result of a read. */
int get(struct store_conn *conn, xen_txn txn, const char *path);
/** The next event is this one. */
void has_event(struct store_conn *conn, const char *path, const char *token);
void has_no_event(struct store_conn *conn);
/** Watches, and takes the first event: there is no other. */
void watch_new(struct store_conn *conn, const char *path, const char *token);
/** perms: "n0 r5". */
int give(struct store_conn *conn, const char *path, const char *perms);
void has_perms(struct store_conn *conn, const char *path, const char *wanted);
/** names: "a b". */
void has_names(struct store_conn *conn, const char *path, const char *wanted);
xen_txn txn_start(struct store_conn *conn);

#define TEST(name) cmocka_unit_test_setup_teardown(name, store_bench_setup, store_bench_teardown)

#endif
