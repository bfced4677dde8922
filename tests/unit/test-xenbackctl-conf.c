/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-xenbackctl-conf.c - what set, unset and load write into xenstore, and that they write all or
 * nothing.
 *
 * The store is a list in memory behind struct xen_ops, with conflicts and failures on demand; the
 * daemon is its key tables.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/util.h"
#include "tools/xenbackctl.h"

#define UUID "5f0c2a66-0d63-4a0c-9d4e-0123456789ab"

/* --- the store: committed nodes, and those of the one transaction --- */

struct node {
	char path[128], value[64];
};

struct nodes {
	struct node list[32];
	size_t n;
};

static struct {
	struct nodes committed, pending;
	int conflicts;	/* so many transactions end with -EAGAIN */
	int fail_write; /* -errno of the next write */
	bool refuse_open, refuse_store;
	unsigned int stopped; /* daemons by bit */
	int n_open;
	char last_error[512];
} t;

static void put(struct nodes *nodes, const char *path, const char *value)
{
	struct node *node = nodes->list;

	while (node < nodes->list + nodes->n && strcmp(node->path, path))
		node++;
	assert_true(node < nodes->list + ARRAY_SIZE(nodes->list));
	if (node == nodes->list + nodes->n)
		nodes->n++;
	snprintf(node->path, sizeof(node->path), "%s", path);
	snprintf(node->value, sizeof(node->value), "%s", value);
}

static struct node *find(struct nodes *nodes, const char *path)
{
	for (size_t i = 0; i < nodes->n; i++)
		if (!strcmp(nodes->list[i].path, path))
			return &nodes->list[i];
	return NULL;
}

static const char *value_of(const char *path)
{
	const struct node *node = find(&t.committed, path);

	return node ? node->value : NULL;
}

static void mem_close(struct xen *xen)
{
	t.n_open--;
	free(xen);
}

static int mem_store_open(struct xen *xen, struct xen_store **store)
{
	if (t.refuse_store)
		return -ECONNREFUSED;
	t.n_open++;
	*store = xb_calloc(1, 1);
	return 0;
}

static void mem_store_close(struct xen_store *store)
{
	t.n_open--;
	free(store);
}

static int mem_read(struct xen_store *store, xen_txn txn, const char *path, char **value,
		    size_t *len)
{
	const char *found = value_of(path);

	if (found)
		*value = xb_strdup(found);
	return found ? 0 : -ENOENT;
}

static int mem_write(struct xen_store *store, xen_txn txn, const char *path, const char *value,
		     size_t len)
{
	assert_int_not_equal(txn, XEN_TXN_NONE);
	assert_int_equal(len, strlen(value));
	if (t.fail_write && find(&t.pending, "/local/domain/0/xenback/team/team0/mode"))
		return t.fail_write; /* half-way */
	put(&t.pending, path, value);
	return 0;
}

static int mem_rm(struct xen_store *store, xen_txn txn, const char *path)
{
	struct node *node = find(&t.pending, path);

	assert_int_not_equal(txn, XEN_TXN_NONE);
	if (!node)
		return -ENOENT;
	*node = t.pending.list[--t.pending.n];
	return 0;
}

static int mem_txn_start(struct xen_store *store, xen_txn *txn)
{
	*txn = 7;
	t.pending = t.committed;
	return 0;
}

static int mem_txn_end(struct xen_store *store, xen_txn txn, bool abort_it)
{
	assert_int_equal(txn, 7);
	if (abort_it)
		return 0;
	if (t.conflicts && t.conflicts--)
		return -EAGAIN;
	t.committed = t.pending;
	return 0;
}

static const struct xen_ops mem_ops = {
	.name = "mem",
	.close = mem_close,
	.store_open = mem_store_open,
	.store_close = mem_store_close,
	.store_read = mem_read,
	.store_write = mem_write,
	.store_rm = mem_rm,
	.txn_start = mem_txn_start,
	.txn_end = mem_txn_end,
};

int xen_open(struct xen **xen, const char *spec)
{
	if (t.refuse_open)
		return -ENOENT;
	t.n_open++;
	*xen = xb_calloc(1, sizeof(**xen));
	(*xen)->ops = &mem_ops;
	return 0;
}

/* --- what xenbackctl.c provides otherwise --- */

int cli_error(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(t.last_error, sizeof(t.last_error), fmt, args);
	va_end(args);
	return CLI_FAILURE;
}

const char *const cli_daemons[CLI_DAEMONS] = {"netback-team", "usbback"};

size_t cli_known_daemons(const struct cli *cli, const char *daemons[CLI_DAEMONS])
{
	size_t n = 0;

	for (size_t i = 0; i < CLI_DAEMONS; i++)
		if (!(t.stopped & (1u << i)))
			daemons[n++] = cli_daemons[i];
	return n;
}

bool cli_daemon_runs(const struct cli *cli, const char *daemon)
{
	return true;
}

char *cli_daemon_program(const char *daemon)
{
	return NULL;
}

json_t *cli_call_daemon(const struct cli *cli, const char *daemon, const char *cmd, json_t *args)
{
	const char *file = strcmp(daemon, "usbback") ? "answers" : "answers-usb";
	AUTO_FREE char *path =
		xb_asprintf("%s/tests/unit/xenbackctl/%s.json", getenv("XENBACK_SRC"), file);
	json_t *answers = json_load_file(path, 0, NULL);
	json_t *result = json_incref(json_object_get(answers, cmd));

	json_decref(args);
	json_decref(answers);
	assert_non_null(result);
	return result;
}

int cli_print_json(const json_t *json)
{
	return CLI_OK;
}

/* --- the tests --- */

static struct cli cli = {.json = true};

static int setup(void **state)
{
	memset(&t, 0, sizeof(t));
	cli = (struct cli){.json = true};
	put(&t.committed, "/local/domain/3/vm", "/vm/" UUID);
	put(&t.committed, "/local/domain/4/vm", "nonsense");
	return 0;
}

static int teardown(void **state)
{
	assert_int_equal(t.n_open, 0);
	return 0;
}

static int run(int (*fn)(struct cli *cli, int argc, char **argv), const char *const *words)
{
	int n = 0;

	while (words[n])
		n++;
	return fn(&cli, n, (char **)(uintptr_t)words);
}

#define RUN(fn, ...) run(fn, (const char *const[]){__VA_ARGS__, NULL})

static void set_finds_the_place(void **state)
{
	assert_int_equal(RUN(cmd_set, "team", "team0", "mode", "rr"), CLI_OK);
	assert_string_equal(value_of("/local/domain/0/xenback/team/team0/mode"), "rr");
	assert_int_equal(RUN(cmd_set, "vif", UUID, "0", "rate", "100Mbit"), CLI_OK);
	assert_string_equal(value_of("/local/domain/0/xenback/vm/" UUID "/vif/0/rate"), "100Mbit");
	assert_int_equal(RUN(cmd_set, "vm", UUID, "vif", "1", "rate", "1Gbit"), CLI_OK);
	assert_string_equal(value_of("/local/domain/0/xenback/vm/" UUID "/vif/1/rate"), "1Gbit");
	assert_int_equal(RUN(cmd_set, "/local/domain/0/xenback/team/b", "updelay", "5s"), CLI_OK);
	assert_string_equal(value_of("/local/domain/0/xenback/team/b/updelay"), "5s");
}

static void set_finds_a_port(void **state)
{
	assert_int_equal(RUN(cmd_set, "usb", UUID, "0", "3", "device", "3-1"), CLI_OK);
	assert_string_equal(value_of("/local/domain/0/xenback/vm/" UUID "/usb/0/3/device"), "3-1");
	assert_int_equal(RUN(cmd_set, "usb", "3.0", "4", "device", "3-2"), CLI_OK);
	assert_string_equal(value_of("/local/domain/0/xenback/vm/" UUID "/usb/0/4/device"), "3-2");
	assert_int_equal(RUN(cmd_set, "usbback", "attach_hold", "3s"), CLI_OK);
	assert_string_equal(value_of("/local/domain/0/xenback/usbback/attach_hold"), "3s");
	assert_int_equal(RUN(cmd_set, "usb", UUID, "0", "32", "device", "3-1"), CLI_FAILURE);
	assert_string_equal(t.last_error,
			    "PORT: \"32\" is refused; allowed: a port number from 1 to 31");
	assert_int_equal(RUN(cmd_set, "usb", UUID, "0", "01", "device", "3-1"), CLI_FAILURE);
}

static void set_takes_a_running_domain(void **state)
{
	assert_int_equal(RUN(cmd_set, "vif", "3.2", "rate", "none"), CLI_OK);
	assert_string_equal(value_of("/local/domain/0/xenback/vm/" UUID "/vif/2/rate"), "none");
	assert_int_equal(RUN(cmd_set, "vif", "9.0", "rate", "none"), CLI_FAILURE);
	assert_string_equal(t.last_error,
			    "there is no domain \"9\"; allowed: the number or the name of one that "
			    "`xl list` shows, or a UUID");
	assert_int_equal(RUN(cmd_set, "vif", "4.0", "rate", "none"), CLI_FAILURE);
}

static void unset_removes_one_key(void **state)
{
	put(&t.committed, "/local/domain/0/xenback/team/team0/mode", "rr");
	put(&t.committed, "/local/domain/0/xenback/team/team0/updelay", "5s");
	assert_int_equal(RUN(cmd_unset, "team", "team0", "mode"), CLI_OK);
	assert_null(value_of("/local/domain/0/xenback/team/team0/mode"));
	assert_non_null(value_of("/local/domain/0/xenback/team/team0/updelay"));
	assert_int_equal(RUN(cmd_unset, "team", "team0", "mode"), CLI_OK); /* twice is fine */
	assert_int_equal(RUN(cmd_unset, "team", "team0", "mdoe"), CLI_FAILURE);
	assert_string_equal(t.last_error, "team has no key \"mdoe\"; did you mean \"mode\"?");
}

static void refused_values_write_nothing(void **state)
{
	size_t before = t.committed.n;

	assert_int_equal(RUN(cmd_set, "team", "team0", "mode", "xor"), CLI_FAILURE);
	assert_int_equal(RUN(cmd_set, "team", "..", "mode", "rr"), CLI_FAILURE);
	assert_int_equal(RUN(cmd_set, "team", "a/../../b", "mode", "rr"), CLI_FAILURE);
	assert_int_equal(RUN(cmd_set, "vif", "ABC", "0", "rate", "none"), CLI_FAILURE);
	assert_int_equal(RUN(cmd_set, "/local/domain/0/xenback/status/team/x", "mode", "rr"),
			 CLI_FAILURE);
	assert_int_equal(t.committed.n, before);
}

static void conflicts_are_tried_again(void **state)
{
	t.conflicts = 5;
	assert_int_equal(RUN(cmd_set, "team", "team0", "mode", "rr"), CLI_OK);
	assert_string_equal(value_of("/local/domain/0/xenback/team/team0/mode"), "rr");
	t.conflicts = 1000000;
	assert_int_equal(RUN(cmd_set, "team", "team0", "mode", "lacp"), CLI_FAILURE);
	assert_non_null(strstr(t.last_error, "nothing was changed"));
	assert_string_equal(value_of("/local/domain/0/xenback/team/team0/mode"), "rr");
}

static void store_that_is_away_is_named(void **state)
{
	cli.xen_spec = "box:/nowhere";
	t.refuse_store = true;
	assert_int_equal(RUN(cmd_set, "team", "team0", "mode", "rr"), CLI_FAILURE);
	assert_string_equal(t.last_error,
			    "cannot connect to xenstore (--xen=box:/nowhere): Connection refused");
	t.refuse_open = true;
	assert_int_equal(RUN(cmd_set, "team", "team0", "mode", "rr"), CLI_FAILURE);
}

static char good[256], bad[256];

static void load_writes_all(void **state)
{
	assert_int_equal(RUN(cmd_load, good), CLI_OK);
	assert_string_equal(value_of("/local/domain/0/xenback/team/team0/mode"), "rr");
	assert_string_equal(value_of("/local/domain/0/xenback/team/team0/members"), "eth0 eth1");
	assert_string_equal(value_of("/local/domain/0/xenback/vm/" UUID "/vif/0/rate"), "100Mbit");
	assert_string_equal(value_of("/local/domain/0/xenback/vm/" UUID "/usb/0/2/device"),
			    "0951:1666");
	assert_string_equal(value_of("/local/domain/0/xenback/loaded/netback-team"), "1");
	assert_string_equal(value_of("/local/domain/0/xenback/loaded/usbback"), "1");
}

static void load_writes_all_or_nothing(void **state)
{
	size_t before = t.committed.n;

	assert_int_equal(RUN(cmd_load, good, bad), CLI_FAILURE);
	assert_string_equal(t.last_error, "7 mistakes; nothing was written");
	assert_int_equal(t.committed.n, before);
	t.fail_write = -ENOSPC;
	assert_int_equal(RUN(cmd_load, good), CLI_FAILURE);
	assert_string_equal(
		t.last_error,
		"cannot write to xenstore, nothing was changed: No space left on device");
	assert_int_equal(t.committed.n, before);
}

static void check_writes_nothing(void **state)
{
	size_t before = t.committed.n;

	assert_int_equal(RUN(cmd_check, good), CLI_OK);
	assert_int_equal(RUN(cmd_check, bad), CLI_FAILURE);
	assert_int_equal(t.committed.n, before);
}

static void load_once_does_not_undo_later_changes(void **state)
{
	cli.once = true;
	assert_int_equal(RUN(cmd_load, good), CLI_OK);
	assert_int_equal(RUN(cmd_set, "team", "team0", "mode", "lacp"), CLI_OK);
	assert_int_equal(RUN(cmd_load, good), CLI_OK);
	assert_string_equal(value_of("/local/domain/0/xenback/team/team0/mode"), "lacp");
	cli.once = false;
	assert_int_equal(RUN(cmd_load, good), CLI_OK);
	assert_string_equal(value_of("/local/domain/0/xenback/team/team0/mode"), "rr");
}

/* At boot each daemon loads when it has started; the other one may come later. */
static void load_leaves_out_who_does_not_run(void **state)
{
	t.stopped = 2; /* usbback */
	cli.once = true;
	assert_int_equal(RUN(cmd_load, good), CLI_OK);
	assert_non_null(value_of("/local/domain/0/xenback/team/team0/mode"));
	assert_null(value_of("/local/domain/0/xenback/vm/" UUID "/usb/0/2/device"));
	assert_null(value_of("/local/domain/0/xenback/loaded/usbback"));
	put(&t.committed, "/local/domain/0/xenback/team/team0/mode", "lacp");
	t.stopped = 0;
	assert_int_equal(RUN(cmd_load, good), CLI_OK);
	assert_string_equal(value_of("/local/domain/0/xenback/team/team0/mode"), "lacp");
	assert_non_null(value_of("/local/domain/0/xenback/vm/" UUID "/usb/0/2/device"));
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(set_finds_the_place),	 TEST(set_takes_a_running_domain),
		TEST(unset_removes_one_key),	 TEST(refused_values_write_nothing),
		TEST(conflicts_are_tried_again), TEST(store_that_is_away_is_named),
		TEST(load_writes_all),		 TEST(load_writes_all_or_nothing),
		TEST(set_finds_a_port),		 TEST(load_leaves_out_who_does_not_run),
		TEST(check_writes_nothing),	 TEST(load_once_does_not_undo_later_changes),
	};

	snprintf(good, sizeof(good), "%s/tests/unit/xenbackctl/good.conf", getenv("XENBACK_SRC"));
	snprintf(bad, sizeof(bad), "%s/tests/unit/xenbackctl/bad.conf", getenv("XENBACK_SRC"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
