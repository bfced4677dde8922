/* SPDX-License-Identifier: GPL-2.0-or-later */
/* store-bench.c - see store-bench.h. */
#include "store-bench.h"

#include <stdio.h>
#include <string.h>

#include "util.h"

int store_bench_setup(void **state)
{
	struct bench *b = xb_calloc(1, sizeof(*b));

	b->store = store_create();
	b->dom0 = store_connect(b->store, 0);
	b->other = store_connect(b->store, 0);
	b->guest = store_connect(b->store, 5);
	b->guest6 = store_connect(b->store, 6);
	assert_int_equal(store_introduce(b->store, 5), 0);
	assert_int_equal(store_introduce(b->store, 6), 0);
	*state = b;
	return 0;
}

int store_bench_teardown(void **state)
{
	struct bench *b = *state;

	store_destroy(b->store);
	free(b);
	return 0;
}

int put(struct store_conn *conn, xen_txn txn, const char *path, const char *value)
{
	return store_write(conn, txn, path, value, strlen(value));
}

void sees(struct store_conn *conn, xen_txn txn, const char *path, const char *wanted)
{
	AUTO_FREE char *value = NULL;
	size_t len;

	assert_int_equal(store_read(conn, txn, path, &value, &len), 0);
	assert_string_equal(value, wanted);
	assert_int_equal(len, strlen(wanted));
}

int get(struct store_conn *conn, xen_txn txn, const char *path)
{
	AUTO_FREE char *value = NULL;

	return store_read(conn, txn, path, &value, NULL);
}

void has_event(struct store_conn *conn, const char *path, const char *token)
{
	AUTO_FREE char *got_path = NULL, *got_token = NULL;

	assert_true(store_has_event(conn));
	assert_int_equal(store_next_event(conn, &got_path, &got_token), 1);
	assert_string_equal(got_path, path);
	assert_string_equal(got_token, token);
}

void has_no_event(struct store_conn *conn)
{
	char *path = NULL, *token = NULL;

	assert_false(store_has_event(conn));
	assert_int_equal(store_next_event(conn, &path, &token), 0);
}

void watch_new(struct store_conn *conn, const char *path, const char *token)
{
	assert_int_equal(store_watch(conn, path, token), 0);
	has_event(conn, path, token);
	has_no_event(conn);
}

/* perms: "n0 r5" */
int give(struct store_conn *conn, const char *path, const char *perms)
{
	struct xen_perm list[8];
	unsigned int n = 0;
	int used;

	for (char letter; sscanf(perms, " %c%u%n", &letter, &list[n].domid, &used) == 2;
	     perms += used) {
		list[n].read = letter == 'r' || letter == 'b';
		list[n++].write = letter == 'w' || letter == 'b';
	}
	return store_set_perms(conn, NONE, path, list, n);
}

void has_perms(struct store_conn *conn, const char *path, const char *wanted)
{
	AUTO_FREE struct xen_perm *perms = NULL;
	char text[256] = "";
	size_t len = 0;
	unsigned int n;

	assert_int_equal(store_get_perms(conn, NONE, path, &perms, &n), 0);
	for (unsigned int i = 0; i < n; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%c%u", i ? " " : "",
					"nrwb"[perms[i].read + 2 * perms[i].write], perms[i].domid);
	assert_string_equal(text, wanted);
}

void has_names(struct store_conn *conn, const char *path, const char *wanted)
{
	AUTO_FREE char **names = NULL;
	char text[256] = "";
	unsigned int n;

	assert_int_equal(store_list(conn, NONE, path, &names, &n), 0);
	for (unsigned int i = 0; i < n; i++) {
		strcat(text, i ? " " : "");
		strcat(text, names[i]);
	}
	assert_string_equal(text, wanted);
}

xen_txn txn_start(struct store_conn *conn)
{
	xen_txn txn;

	assert_int_equal(store_txn_start(conn, &txn), 0);
	assert_int_not_equal(txn, NONE);
	return txn;
}
