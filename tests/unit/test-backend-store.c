/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-backend-store.c - the scanner when the store fails or changes under its hands; reading of
 * values. */
#include "backend-bench.h"

#include <errno.h>
#include <stdio.h>

#define DIR(domid, devid) "/local/domain/0/backend/vif/" #domid "/" #devid

static void test_txn_again(void **state)
{
	struct bench *bench = *state;

	bench_start(bench);
	bench_attach(bench, 5, 0, 1, 1);
	fake_fault(bench->fake, FAKE_FAULT_TXN_EAGAIN, 5);
	bench_run(bench);
	bench_expect_trail(bench, "2");
	assert_int_equal(bench->n_published, 6);
	assert_int_equal(bench->n_created, 1);

	/* It never gets through: put off, not given up, no busy loop. */
	fake_fault(bench->fake, FAKE_FAULT_TXN_EAGAIN, 1000000);
	bench_hotplug(bench, 5, 0);
	bench_frontend(bench, 5, 0, 4);
	bench_run(bench);
	bench_expect_trail(bench, "");
	fake_fault(bench->fake, FAKE_FAULT_TXN_EAGAIN, 0);
	bench_wait_ms(bench, 1000);
	bench_expect_trail(bench, "4");
	/* The rings were bound once. */
	assert_int_equal(bench_vif(bench, 5, 0)->n_connects, 1);
}

static void test_write_refused(void **state)
{
	struct bench *bench = *state;

	bench_start(bench);
	fake_fault(bench->fake, FAKE_FAULT_STORE_WRITE, 0);
	bench_connect(bench, 5, 0);
	bench_attach(bench, 6, 0, 1, 1);
	fake_fault(bench->fake, FAKE_FAULT_STORE_WRITE, 1);
	bench_run(bench);
	bench_expect_trail(bench, "");
	assert_int_equal(bench->n_warnings, 1);
	assert_non_null(strstr(bench->last_warning, "No space left"));
	assert_true(bench_vif(bench, 5, 0)->connected);
	bench_wait_ms(bench, 1000);
	bench_expect_trail(bench, "2");

	/* Also the error text of a device that failed gets there in the end. */
	bench->connect_error = "bad ring";
	bench->connect_result = -EINVAL;
	bench_hotplug(bench, 6, 0);
	bench_frontend(bench, 6, 0, 4);
	fake_fault(bench->fake, FAKE_FAULT_STORE_WRITE, 2);
	bench_run(bench);
	bench_wait_ms(bench, 1000);
	bench_wait_ms(bench, 1000);
	bench_expect_trail(bench, "56");
	assert_true(bench_exists(bench, DIR(6, 0) "/error"));
	assert_int_equal(bench_vif(bench, 6, 0)->n_connects, 1);
}

static void remove_on_connect(struct bench *bench, struct backend_device *dev)
{
	bench_rm(bench, "%s", dev->dir);
}

/* The toolstack removes the directory while we bind the rings. */
static void test_removed_while_connecting(void **state)
{
	struct bench *bench = *state;

	bench->on_connect = remove_on_connect;
	bench_start(bench);
	bench_attach(bench, 5, 0, 1, 1);
	bench_run(bench);
	bench_hotplug(bench, 5, 0);
	bench_frontend(bench, 5, 0, 4);
	bench_run(bench);
	assert_false(bench_exists(bench, DIR(5, 0)));
	assert_int_equal(bench->n_disconnected, 1);
	assert_int_equal(bench->n_destroyed, 1);
	bench_expect_trail(bench, "2");
}

static void remove_on_write(struct bench *bench, const char *path)
{
	bench->on_write = NULL;
	bench_rm(bench, DIR(5, 0));
}

/* The same between the transaction's read and its write, for each state that we write. */
static void test_removed_while_writing(void **state)
{
	struct bench *bench = *state;

	bench_start(bench);
	bench->on_write = remove_on_write;
	bench_attach(bench, 5, 0, 1, 1);
	bench_run(bench);
	assert_false(bench_exists(bench, DIR(5, 0)));
	assert_int_equal(bench->n_destroyed, 1);

	bench_connect(bench, 5, 0);
	bench->on_write = remove_on_write;
	bench_frontend(bench, 5, 0, 5);
	bench_run(bench);
	assert_false(bench_exists(bench, DIR(5, 0)));

	bench_connect(bench, 5, 0);
	bench->on_write = remove_on_write;
	backend_fail(bench_vif(bench, 5, 0)->dev, "bad");
	bench_run(bench);
	assert_false(bench_exists(bench, DIR(5, 0)));
	assert_int_equal(bench->n_destroyed, 3);
	assert_int_equal(bench->n_connected, bench->n_disconnected);
}

static void detach_on_connect(struct bench *bench, struct backend_device *dev)
{
	bench_detach(bench, dev->domid, dev->devid);
}

/* Connected is not written over the toolstack's Closing. */
static void test_detached_while_connecting(void **state)
{
	struct bench *bench = *state;

	bench->on_connect = detach_on_connect;
	bench_start(bench);
	bench_attach(bench, 5, 0, 1, 1);
	bench_run(bench);
	bench_hotplug(bench, 5, 0);
	bench_frontend(bench, 5, 0, 4);
	bench_run(bench);
	bench_expect_trail(bench, "2");
	bench_wait_ms(bench, 2000);
	bench_expect_trail(bench, "6");
}

static void test_store_lost(void **state)
{
	struct bench *bench = *state;

	bench_start(bench);
	bench_connect(bench, 5, 0);
	bench_connect(bench, 6, 0);
	bench_store_goes(bench);
	bench_run(bench);
	assert_null(backend_store(bench->backend));
	for (unsigned int i = 0; i < 20; i++)
		bench_wait_ms(bench, 5000);
	/* Rings go on; the loss is reported once. */
	assert_true(bench_vif(bench, 5, 0)->connected);
	assert_int_equal(bench->n_warnings, 1);
	bench_store_comes(bench);
	bench_detach(bench, 5, 0);
	bench_frontend(bench, 5, 0, 6);
	bench_wait_ms(bench, 5000);
	assert_non_null(backend_store(bench->backend));
	bench_expect_trail(bench, "6");
	assert_true(bench_vif(bench, 6, 0)->connected);
	assert_int_equal(bench_vif(bench, 6, 0)->n_connects, 1);
	/* The watches are back. */
	bench_frontend(bench, 6, 0, 5);
	bench_run(bench);
	bench_expect_trail(bench, "5");
	bench_connect(bench, 7, 0);
}

static void store_down_on_connect(struct bench *bench, struct backend_device *dev)
{
	bench->on_connect = NULL;
	bench_store_goes(bench);
}

/* It is lost between binding the rings and saying so. */
static void test_store_lost_while_connecting(void **state)
{
	struct bench *bench = *state;

	bench_start(bench);
	bench_attach(bench, 5, 0, 1, 1);
	bench_run(bench);
	bench_hotplug(bench, 5, 0);
	bench_frontend(bench, 5, 0, 4);
	bench->on_connect = store_down_on_connect;
	bench_run(bench);
	bench_expect_trail(bench, "2");
	bench_store_comes(bench);
	bench_wait_ms(bench, 5000);
	bench_expect_state(bench, 5, 0, 4);
	assert_int_equal(bench_vif(bench, 5, 0)->n_connects, 1);
}

/* xenstored started over without its content: that is not the toolstack removing everything. */
static void test_store_blank(void **state)
{
	struct bench *bench = *state;

	bench_start(bench);
	bench_connect(bench, 5, 0);
	bench_store_goes(bench);
	bench_run(bench);
	bench_store_comes(bench);
	bench_rm(bench, "/local/domain/0");
	bench_wait_ms(bench, 5000);
	bench_wait_ms(bench, 60000);
	assert_true(bench_vif(bench, 5, 0)->connected);
	assert_non_null(strstr(bench->last_warning, "lost its content"));
	/* Content is back, this device is not: now it is gone indeed. */
	bench_write(bench, "Domain-0", "/local/domain/0/name");
	bench_wait_ms(bench, 60000);
	assert_null(bench_vif(bench, 5, 0));
	assert_int_equal(bench->n_disconnected, 1);
}

static void test_no_store_at_start(void **state)
{
	struct bench *bench = *state;

	bench_store_goes(bench);
	assert_int_equal(backend_create(&bench->backend, bench->dom0, NULL, &bench->clock,
					&bench->driver, bench),
			 -EIO);
	assert_null(bench->backend);
	assert_int_equal(bench->n_warnings, 1);
	bench_store_comes(bench);
}

/* The store comes back after it died, if it did. */
static bool revive(struct bench *bench)
{
	if (bench->n_calls < bench->die_at)
		return false;
	bench->ops.store_close(bench->tool);
	bench->tool = NULL;
	bench_store_comes(bench);
	bench_wait_ms(bench, 5000);
	return true;
}

/* One life of a device, in which the store dies at the scanner's call n. False when it was never
 * reached. */
static bool live_with_store_loss(struct bench *bench, unsigned int n)
{
	static const unsigned int frontend[] = {4, 5, 6, 1, 4, 6};
	bool died = false;

	bench_start(bench);
	bench_attach(bench, 5, 0, 1, 1);
	bench->n_calls = 0;
	bench->die_at = n;
	bench_run(bench);
	died = revive(bench);
	bench_hotplug(bench, 5, 0);
	for (size_t i = 0; i < ARRAY_SIZE(frontend); i++) {
		bench_frontend(bench, 5, 0, frontend[i]);
		bench_run(bench);
		if (!died)
			died = revive(bench);
		bench_expect_state(bench, 5, 0, frontend[i] == 1 ? 2 : (int)frontend[i]);
	}
	assert_int_equal(bench_vif(bench, 5, 0)->n_connects, 2);
	assert_int_equal(bench->n_created, 1);
	bench_rm(bench, DIR(5, 0));
	bench_run(bench);
	if (!died)
		died = revive(bench);
	assert_null(bench_vif(bench, 5, 0));
	return died;
}

/* xenstored dies at each single call that the scanner makes: nothing is done twice, nothing
 * forgotten. */
static void test_store_lost_anywhere(void **state)
{
	unsigned int n = 1;

	while (live_with_store_loss(*state, n++)) {
		assert_int_equal(bench_teardown(state), 0);
		assert_int_equal(bench_setup(state), 0);
	}
	assert_in_range(n, 100, 1000);
}

/* A driver that never gets its features out: tried again and again, but slowly. */
static void test_publish_never(void **state)
{
	static const int results[] = {-ESTALE, -ENOENT, -ENOSPC, -EINVAL, -EAGAIN};
	struct bench *bench = *state;
	unsigned int before;

	bench_start(bench);
	for (unsigned int i = 0; i < ARRAY_SIZE(results); i++) {
		bench->publish_result = results[i];
		bench_attach(bench, 5, i, 1, 1);
		bench_run(bench);
		before = bench->n_published;
		for (unsigned int j = 0; j < 10; j++)
			bench_wait_ms(bench, 100);
		assert_in_range(bench->n_published - before, 1, 200);
		bench->publish_result = 0;
		bench_wait_ms(bench, 1000);
		bench_expect_trail(bench, "2");
	}
}

static void test_watch_refused(void **state)
{
	struct bench *bench = *state;

	bench->watch_result = -E2BIG;
	bench_start(bench);
	bench_attach(bench, 5, 0, 1, 1);
	bench_run(bench);
	bench_expect_trail(bench, "56");
	assert_non_null(strstr(bench->last_warning, "can't watch /local/domain/5/device/vif/0"));
	assert_int_equal(bench->n_created, 0);
}

/* --- values ----------------------------------------------------------------------- */

static void check_u32(struct bench *bench, const char *text, size_t len, int wanted)
{
	struct backend_device *dev = bench_vif(bench, 5, 0)->dev;
	uint32_t value = 77;

	assert_int_equal(bench->ops.store_write(bench->tool, XEN_TXN_NONE,
						"/local/domain/5/device/vif/0/n", text, len),
			 0);
	assert_int_equal(backend_read_u32(dev, XEN_TXN_NONE, true, "n", 1, 4000000000u, &value),
			 wanted);
	if (wanted != 0)
		assert_int_equal(value, 77);
}

static void test_read_u32(void **state)
{
	static const char *const bad[] = {"",
					  "0",
					  " 1",
					  "1 ",
					  "+1",
					  "-1",
					  "0x1",
					  "1e",
					  "1.0",
					  "1\n",
					  "4000000001",
					  "4294967297",
					  "99999999999999999999"};
	struct bench *bench = *state;
	struct backend_device *dev;
	uint32_t value = 77;

	bench_start(bench);
	bench_attach(bench, 5, 0, 1, 1);
	bench_run(bench);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		check_u32(bench, bad[i], strlen(bad[i]), -EINVAL);
	check_u32(bench,
		  "1\0"
		  "2",
		  3, -EINVAL);
	check_u32(bench, "1", 1, 0);
	check_u32(bench, "4000000000", 10, 0);
	dev = bench_vif(bench, 5, 0)->dev;
	assert_int_equal(backend_read_u32(dev, XEN_TXN_NONE, true, "n", 0, UINT32_MAX, &value), 0);
	assert_int_equal(value, 4000000000u);
	assert_int_equal(backend_read_u32(dev, XEN_TXN_NONE, true, "none", 0, 1, &value), -ENOENT);
	assert_int_equal(backend_read_u32(dev, XEN_TXN_NONE, false, "frontend-id", 0, 9, &value),
			 0);
	assert_int_equal(value, 5);
}

static void test_read_bounds(void **state)
{
	struct bench *bench = *state;
	struct backend_device *dev;
	char key[300], *value;

	bench_start(bench);
	bench_attach(bench, 5, 0, 1, 1);
	bench_run(bench);
	dev = bench_vif(bench, 5, 0)->dev;
	memset(key, 'k', sizeof(key) - 1);
	key[sizeof(key) - 1] = '\0';
	assert_int_equal(backend_read(dev, XEN_TXN_NONE, true, key, &value), -ENAMETOOLONG);
	assert_null(value);
	assert_int_equal(backend_read(dev, XEN_TXN_NONE, false, "bridge", &value), 0);
	assert_string_equal(value, "team0");
	free(value);
	assert_int_equal(backend_write(dev, XEN_TXN_NONE, key, "x"), -ENAMETOOLONG);
	assert_int_equal(backend_write(dev, XEN_TXN_NONE, "long", "%5000d", 1), -E2BIG);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, bench_setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_txn_again),
		TEST(test_write_refused),
		TEST(test_removed_while_connecting),
		TEST(test_removed_while_writing),
		TEST(test_detached_while_connecting),
		TEST(test_store_lost),
		TEST(test_store_lost_while_connecting),
		TEST(test_store_blank),
		TEST(test_no_store_at_start),
		TEST(test_store_lost_anywhere),
		TEST(test_publish_never),
		TEST(test_watch_refused),
		TEST(test_read_u32),
		TEST(test_read_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
