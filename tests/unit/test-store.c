/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-store.c - the store: nodes, paths, rights, domains, quotas. */
#include "store-bench.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "util.h"

/* --- nodes --- */

static void test_write_read_list_rm(void **state)
{
	struct bench *b = *state;
	unsigned int nodes = store_nodes(b->store);

	assert_int_equal(put(b->dom0, NONE, "/a/b/c", "one"), 0);
	sees(b->other, NONE, "/a/b/c", "one");
	sees(b->other, NONE, "/a/b", "");
	assert_int_equal(put(b->dom0, NONE, "/a/d", ""), 0);
	assert_int_equal(store_mkdir(b->dom0, NONE, "/a/e"), 0);
	has_names(b->dom0, "/a", "b d e");
	has_names(b->dom0, "/a/d", "");
	assert_int_equal(store_nodes(b->store), nodes + 5);
	assert_int_equal(store_rm(b->dom0, NONE, "/a/d"), 0);
	has_names(b->dom0, "/a", "b e");
	assert_int_equal(get(b->dom0, NONE, "/a/d"), -ENOENT);
	assert_int_equal(store_rm(b->dom0, NONE, "/a"), 0);
	assert_int_equal(get(b->dom0, NONE, "/a/b/c"), -ENOENT);
	assert_int_equal(store_nodes(b->store), nodes);
}

static void test_missing(void **state)
{
	struct bench *b = *state;
	char **names;
	unsigned int n;

	assert_int_equal(store_list(b->dom0, NONE, "/none", &names, &n), -ENOENT);
	/* Removing what is not there: fine where its parent is. */
	assert_int_equal(store_rm(b->dom0, NONE, "/none"), 0);
	assert_int_equal(store_rm(b->dom0, NONE, "/none/none"), -ENOENT);
	assert_int_equal(store_rm(b->dom0, NONE, "/"), -EINVAL);
	assert_int_equal(give(b->dom0, "/none", "n0"), -ENOENT);
	assert_int_equal(get(b->dom0, 77, "/"), -ENOENT);
	assert_int_equal(put(b->dom0, 77, "/x", ""), -ENOENT);
}

static void test_values(void **state)
{
	struct bench *b = *state;
	char value[STORE_VALUE_MAX + 1];
	AUTO_FREE char *got = NULL;
	size_t len;

	memset(value, 'v', sizeof(value));
	value[7] = '\0';
	assert_int_equal(store_write(b->dom0, NONE, "/v", value, STORE_VALUE_MAX), 0);
	assert_int_equal(store_write(b->dom0, NONE, "/v", value, STORE_VALUE_MAX + 1), -E2BIG);
	assert_int_equal(store_write(b->dom0, NONE, "/w", value, STORE_VALUE_MAX + 1), -E2BIG);
	assert_int_equal(get(b->dom0, NONE, "/w"), -ENOENT);
	assert_int_equal(store_read(b->dom0, NONE, "/v", &got, &len), 0);
	assert_int_equal(len, STORE_VALUE_MAX);
	assert_memory_equal(got, value, len);
	assert_int_equal(got[len], '\0');
}

static void test_paths(void **state)
{
	static const char *const bad[] = {
		"",  "/a/",    "//", "/a//b", "/a b", "/a\xc3\xa4",	   "/a\n",
		"@", "@other", "a/", "/a.b",  "/%s",  "@introduceDomain/x"};
	struct bench *b = *state;
	char path[3200];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(put(b->dom0, NONE, bad[i], ""), -EINVAL);
		assert_int_equal(get(b->dom0, NONE, bad[i]), -EINVAL);
		assert_int_equal(store_watch(b->dom0, bad[i], "t"), -EINVAL);
		assert_int_equal(store_unwatch(b->dom0, bad[i], "t"), -EINVAL);
	}
	assert_int_equal(put(b->dom0, NONE, "/A-z_09@:", ""), -EINVAL);
	assert_int_equal(put(b->dom0, NONE, "/A-z_09@", ""), 0);

	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[3073] = '\0';
	assert_int_equal(put(b->dom0, NONE, path, ""), -EINVAL);
	path[3072] = '\0';
	assert_int_equal(put(b->dom0, NONE, path, ""), 0);
	/* Relative ones, and what they stand for, are shorter. */
	path[2049] = '\0';
	assert_int_equal(put(b->guest, NONE, path + 1, ""), 0);
	memset(path + 2049, 'x', 2);
	path[2050] = '\0';
	assert_int_equal(put(b->guest, NONE, path + 1, ""), -EINVAL);
	path[2050] = 'x';
	memcpy(path, "/local/domain/5/", 16);
	path[16 + 2048] = '\0';
	assert_int_equal(put(b->dom0, NONE, path, ""), 0);
	path[2064] = 'x';
	path[2065] = '\0';
	assert_int_equal(put(b->dom0, NONE, path, ""), -EINVAL);
	/* As deep as can be. */
	for (size_t i = 0; i < 3072; i++)
		path[i] = i % 2 ? 'd' : '/';
	path[3072] = '\0';
	assert_int_equal(put(b->dom0, NONE, path, "deep"), 0);
	sees(b->dom0, NONE, path, "deep");
	assert_int_equal(store_rm(b->dom0, NONE, "/d"), 0);
}

static void test_relative(void **state)
{
	struct bench *b = *state;

	assert_int_equal(put(b->guest, NONE, "data/x", "1"), 0);
	sees(b->dom0, NONE, "/local/domain/5/data/x", "1");
	assert_int_equal(put(b->dom0, NONE, "me", "0"), 0);
	sees(b->dom0, NONE, "/local/domain/0/me", "0");
}

/* --- rights --- */

static void test_rights(void **state)
{
	struct bench *b = *state;

	assert_int_equal(put(b->dom0, NONE, "/s/one", "1"), 0);
	assert_int_equal(give(b->dom0, "/s/one", "n0 r5 w6"), 0);
	assert_int_equal(get(b->guest, NONE, "/s/one"), 0);
	assert_int_equal(put(b->guest, NONE, "/s/one", "2"), -EACCES);
	assert_int_equal(get(b->guest6, NONE, "/s/one"), -EACCES);
	assert_int_equal(put(b->guest6, NONE, "/s/one", "3"), 0);
	assert_int_equal(give(b->dom0, "/s/one", "r0 n5"), 0);
	assert_int_equal(get(b->guest, NONE, "/s/one"), -EACCES);
	assert_int_equal(get(b->guest6, NONE, "/s/one"), 0);
	assert_int_equal(put(b->guest6, NONE, "/s/one", "4"), -EACCES);
	/* Nodes that are not there: as the nearest above says. */
	assert_int_equal(get(b->guest, NONE, "/s/two"), -EACCES);
	assert_int_equal(put(b->guest, NONE, "/s/two/three", ""), -EACCES);
	assert_int_equal(store_mkdir(b->guest, NONE, "/s/two"), -EACCES);
	assert_int_equal(store_rm(b->guest, NONE, "/s/two"), -EACCES);
	assert_int_equal(store_rm(b->guest, NONE, "/s/one"), -EACCES);
	assert_int_equal(give(b->dom0, "/s", "b0"), 0);
	assert_int_equal(get(b->guest, NONE, "/s/two"), -ENOENT);
	assert_int_equal(get(b->guest, NONE, "/local/domain/6/domid"), -EACCES);
	assert_int_equal(get(b->guest, NONE, "/local/domain/5/domid"), 0);
}

static void test_inheritance(void **state)
{
	struct bench *b = *state;

	has_perms(b->dom0, "/local/domain/5", "n5");
	/* Created by domain 0: whole as the parent's. By a guest: its own. */
	assert_int_equal(put(b->dom0, NONE, "/local/domain/5/by-dom0", ""), 0);
	has_perms(b->dom0, "/local/domain/5/by-dom0", "n5");
	assert_int_equal(put(b->dom0, NONE, "/s", ""), 0);
	assert_int_equal(give(b->dom0, "/s", "n0 b5 r6"), 0);
	assert_int_equal(put(b->guest, NONE, "/s/x/y", ""), 0);
	has_perms(b->dom0, "/s/x", "n5 b5 r6");
	has_perms(b->guest6, "/s/x/y", "n5 b5 r6");
}

static void test_set_perms(void **state)
{
	struct xen_perm many[STORE_PERMS_MAX + 1] = {{.domid = 5}};
	struct bench *b = *state;

	assert_int_equal(put(b->guest, NONE, "x", ""), 0);
	assert_int_equal(give(b->guest, "x", "n5 r6"), 0);
	assert_int_equal(give(b->guest, "x", "n6"), -EPERM);
	assert_int_equal(give(b->guest6, "/local/domain/5/x", "n5 b6"), -EACCES);
	assert_int_equal(give(b->dom0, "/local/domain/5/x", "n6"), 0);
	assert_int_equal(give(b->guest, "x", "n5"), -EACCES);
	assert_int_equal(give(b->dom0, "/local/domain/5/x", ""), -EINVAL);
	assert_int_equal(give(b->dom0, "/local/domain/5/x", "n32752"), -EINVAL);
	assert_int_equal(give(b->dom0, "/local/domain/5/x", "n0 r99999"), -EINVAL);
	assert_int_equal(store_set_perms(b->dom0, NONE, "/s", many, STORE_PERMS_MAX + 1), -ENOENT);
	assert_int_equal(put(b->guest, NONE, "y", ""), 0);
	assert_int_equal(store_set_perms(b->guest, NONE, "y", many, STORE_QUOTA_PERMS), 0);
	assert_int_equal(store_set_perms(b->guest, NONE, "y", many, STORE_QUOTA_PERMS + 1),
			 -ENOSPC);
	assert_int_equal(
		store_set_perms(b->dom0, NONE, "/local/domain/5/y", many, STORE_PERMS_MAX + 1),
		-EINVAL);
}

static void test_special_nodes(void **state)
{
	struct bench *b = *state;

	watch_new(b->dom0, "@releaseDomain", "r");
	watch_new(b->guest6, "@releaseDomain", "r");
	assert_int_equal(put(b->dom0, NONE, "@releaseDomain", ""), -EINVAL);
	assert_int_equal(store_rm(b->dom0, NONE, "@releaseDomain"), -EINVAL);
	assert_int_equal(store_release(b->store, 5), 0);
	has_event(b->dom0, "@releaseDomain", "r");
	has_no_event(b->guest6); /* may not read it */
	assert_int_equal(give(b->dom0, "@releaseDomain", "n0 r6"), 0);
	has_event(b->dom0, "@releaseDomain", "r");
	has_event(b->guest6, "@releaseDomain", "r");
	assert_int_equal(store_introduce(b->store, 5), 0);
	assert_int_equal(store_release(b->store, 5), 0);
	has_event(b->guest6, "@releaseDomain", "r");
}

/* --- domains and quotas --- */

static void test_domains(void **state)
{
	struct bench *b = *state;

	watch_new(b->dom0, "@introduceDomain", "i");
	watch_new(b->dom0, "/local/domain/7", "h");
	assert_true(store_introduced(b->store, 0));
	assert_false(store_introduced(b->store, 7));
	assert_int_equal(store_introduce(b->store, 7), 0);
	assert_true(store_introduced(b->store, 7));
	sees(b->dom0, NONE, "/local/domain/7/domid", "7");
	has_event(b->dom0, "/local/domain/7", "h");
	has_event(b->dom0, "/local/domain/7/domid", "h");
	has_event(b->dom0, "@introduceDomain", "i");
	assert_int_equal(store_introduce(b->store, 7), 0);
	has_no_event(b->dom0);
	assert_int_equal(store_release(b->store, 7), 0);
	assert_int_equal(get(b->dom0, NONE, "/local/domain/7"), -ENOENT);
	has_event(b->dom0, "/local/domain/7", "h");
	assert_int_equal(store_release(b->store, 7), -ENOENT);
	assert_int_equal(store_release(b->store, 0), -EINVAL);
	assert_int_equal(store_introduce(b->store, 0), -EINVAL);
	assert_int_equal(store_introduce(b->store, 32752), -EINVAL);
}

/* What the toolstack prepared stays. */
static void test_introduce_later(void **state)
{
	struct bench *b = *state;

	assert_int_equal(put(b->dom0, NONE, "/local/domain/8/name", "eight"), 0);
	assert_int_equal(store_introduce(b->store, 8), 0);
	sees(b->dom0, NONE, "/local/domain/8/name", "eight");
	has_perms(b->dom0, "/local/domain/8/name", "n0");
	sees(b->dom0, NONE, "/local/domain/8/domid", "8");
}

static void test_node_quota(void **state)
{
	struct bench *b = *state;
	char path[32];
	xen_txn txn;

	/* Two are there: the home and domid. */
	for (unsigned int i = 0; i < STORE_QUOTA_NODES - 3; i++) {
		snprintf(path, sizeof(path), "q%u", i);
		assert_int_equal(put(b->guest, NONE, path, ""), 0);
	}
	assert_int_equal(put(b->guest, NONE, "x/y", ""), -ENOSPC);
	assert_int_equal(get(b->guest, NONE, "x"), -ENOENT);
	assert_int_equal(put(b->guest, NONE, "x", ""), 0);
	assert_int_equal(put(b->guest, NONE, "y", ""), -ENOSPC);
	assert_int_equal(put(b->guest, NONE, "x", "changed"), 0);
	txn = txn_start(b->guest);
	assert_int_equal(put(b->guest, txn, "y", ""), 0);
	assert_int_equal(store_txn_end(b->guest, txn, false), -ENOSPC);
	/* Others are not concerned, and room comes back. */
	assert_int_equal(put(b->guest6, NONE, "y", ""), 0);
	assert_int_equal(put(b->dom0, NONE, "/local/domain/5/by-dom0", ""), 0);
	assert_int_equal(store_rm(b->guest, NONE, "q1"), 0);
	assert_int_equal(store_rm(b->guest, NONE, "q2"), 0);
	assert_int_equal(put(b->guest, NONE, "y", ""), 0);
}

static void test_other_quotas(void **state)
{
	struct bench *b = *state;
	struct store_conn *second = store_connect(b->store, 5);
	char token[STORE_TOKEN_MAX + 2];
	xen_txn txn;

	for (unsigned int i = 0; i < STORE_QUOTA_WATCHES; i++) {
		snprintf(token, sizeof(token), "%u", i);
		assert_int_equal(store_watch(i % 2 ? b->guest : second, "x", token), 0);
	}
	assert_int_equal(store_watch(second, "x", "more"), -E2BIG);
	assert_int_equal(store_unwatch(b->guest, "x", "1"), 0);
	assert_int_equal(store_watch(second, "x", "more"), 0);
	for (unsigned int i = 0; i < STORE_QUOTA_TXNS; i++)
		txn = txn_start(i % 2 ? b->guest : second);
	assert_int_equal(store_txn_start(second, &txn), -ENOSPC);
	store_disconnect(second);
	txn = txn_start(b->guest);
	/* Domain 0 has none of these. */
	memset(token, 't', sizeof(token));
	token[STORE_TOKEN_MAX + 1] = '\0';
	assert_int_equal(store_watch(b->dom0, "/x", token), -EINVAL);
	token[STORE_TOKEN_MAX] = '\0';
	assert_int_equal(store_watch(b->dom0, "/x", token), 0);
	for (unsigned int i = 0; i < 2 * STORE_QUOTA_TXNS; i++)
		txn_start(b->dom0);
}

static void test_txn_size_quota(void **state)
{
	struct bench *b = *state;
	xen_txn txn = txn_start(b->guest);
	unsigned int i = 0;
	char path[32];

	do {
		snprintf(path, sizeof(path), "missing%u", i++);
	} while (get(b->guest, txn, path) == -ENOENT);
	assert_int_equal(get(b->guest, txn, path), -ENOSPC);
	assert_in_range(i, STORE_QUOTA_TXN_NODES - 8, STORE_QUOTA_TXN_NODES);
}

static void test_generation(void **state)
{
	struct bench *b = *state;
	uint64_t before, after;

	assert_int_equal(put(b->dom0, NONE, "/g/a", ""), 0);
	assert_int_equal(store_node_generation(b->dom0, NONE, "/g", &before), 0);
	assert_int_equal(put(b->dom0, NONE, "/g/a", "x"), 0);
	assert_int_equal(store_node_generation(b->dom0, NONE, "/g", &after), 0);
	assert_true(before == after);
	assert_int_equal(put(b->dom0, NONE, "/g/b", "x"), 0);
	assert_int_equal(store_node_generation(b->dom0, NONE, "/g", &after), 0);
	assert_true(before != after);
	assert_int_equal(store_node_generation(b->guest, NONE, "/g", &after), -EACCES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_write_read_list_rm),
		TEST(test_missing),
		TEST(test_values),
		TEST(test_paths),
		TEST(test_relative),
		TEST(test_rights),
		TEST(test_inheritance),
		TEST(test_set_perms),
		TEST(test_special_nodes),
		TEST(test_domains),
		TEST(test_introduce_later),
		TEST(test_node_quota),
		TEST(test_other_quotas),
		TEST(test_txn_size_quota),
		TEST(test_generation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
