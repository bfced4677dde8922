/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-backend.c - the scanner through a device's life: attach, connect, close, detach, adopt,
 * refuse. */
#include "backend-bench.h"

#include <errno.h>
#include <stdio.h>

#define DIR(domid, devid) "/local/domain/0/backend/vif/" #domid "/" #devid

static void test_attach(void **state)
{
	struct bench *bench = *state;
	AUTO_FREE char *feature = NULL;

	bench_start(bench);
	bench_attach(bench, 5, 0, 1, 1);
	bench_run(bench);
	/* libxl waits for exactly 2, so we stay there until its script has run. */
	bench_expect_state(bench, 5, 0, 2);
	bench_expect_trail(bench, "2");
	feature = bench_read(bench, DIR(5, 0) "/feature-sg");
	assert_string_equal(feature, "1");
	bench_frontend(bench, 5, 0, 4);
	bench_run(bench);
	bench_wait_ms(bench, 60000);
	bench_expect_trail(bench, "");
	bench_hotplug(bench, 5, 0);
	bench_run(bench);
	bench_expect_state(bench, 5, 0, 4);
	bench_expect_trail(bench, "4");
	assert_true(bench_vif(bench, 5, 0)->connected);
	assert_false(bench_vif(bench, 5, 0)->adopted);
	assert_int_equal(bench->n_published, 1);
	assert_int_equal(bench->n_warnings, 0);
}

/* Devices that were there before the daemon. */
static void test_attach_before_start(void **state)
{
	struct bench *bench = *state;

	bench_attach(bench, 5, 0, 1, 1);
	bench_attach(bench, 5, 1, 1, 1);
	bench_attach(bench, 6, 0, 1, 1);
	bench_start(bench);
	bench_expect_trail(bench, "222");
	assert_int_equal(bench->n_created, 3);
}

/* A tool that writes key by key: the device counts once it is complete. */
static void test_attach_piecemeal(void **state)
{
	struct bench *bench = *state;

	bench_start(bench);
	bench_write(bench, "1", DIR(5, 0) "/state");
	bench_run(bench);
	bench_write(bench, "1", DIR(5, 0) "/online");
	bench_run(bench);
	bench_write(bench, "5", DIR(5, 0) "/frontend-id");
	bench_write(bench, "1", "/local/domain/5/device/vif/0/state");
	bench_run(bench);
	assert_int_equal(bench->n_created, 0);
	bench_write(bench, "/local/domain/5/device/vif/0", DIR(5, 0) "/frontend");
	bench_run(bench);
	bench_expect_trail(bench, "2");
}

static void test_windows(void **state)
{
	struct bench *bench = *state;

	bench_start(bench);
	bench_attach(bench, 5, 0, 1, 1);
	bench_run(bench);
	bench_hotplug(bench, 5, 0);
	bench_expect_trail(bench, "2");
	bench_frontend(bench, 5, 0, 5);
	bench_run(bench);
	bench_expect_trail(bench, "5");
	bench_wait_ms(bench, 60000); /* it may take its time */
	bench_expect_trail(bench, "");
	bench_frontend(bench, 5, 0, 6);
	bench_run(bench);
	bench_expect_trail(bench, "6");
	bench_frontend(bench, 5, 0, 1);
	bench_run(bench);
	bench_expect_trail(bench, "2");
	bench_frontend(bench, 5, 0, 4);
	bench_run(bench);
	bench_expect_trail(bench, "4");
}

static void test_kexec(void **state)
{
	struct bench *bench = *state;

	bench_start(bench);
	bench_connect(bench, 5, 0);
	bench_frontend(bench, 5, 0, 5);
	bench_run(bench);
	bench_expect_trail(bench, "5");
	assert_int_equal(bench->n_disconnected, 1);
	bench_frontend(bench, 5, 0, 6);
	bench_run(bench);
	bench_frontend(bench, 5, 0, 1);
	bench_run(bench);
	bench_frontend(bench, 5, 0, 4);
	bench_run(bench);
	bench_expect_trail(bench, "624");
	assert_int_equal(bench_vif(bench, 5, 0)->n_connects, 2);
}

/* The guest was faster than we: only the last of its states is seen, both answers are given. */
static void test_closed_at_once(void **state)
{
	struct bench *bench = *state;

	bench_start(bench);
	bench_connect(bench, 5, 0);
	bench_frontend(bench, 5, 0, 5);
	bench_frontend(bench, 5, 0, 6);
	bench_run(bench);
	bench_expect_trail(bench, "56");
}

static void test_reset_without_close(void **state)
{
	struct bench *bench = *state;

	bench_start(bench);
	bench_connect(bench, 5, 0);
	bench_frontend(bench, 5, 0, 1);
	bench_run(bench);
	bench_expect_trail(bench, "562");
	bench_frontend(bench, 5, 0, 4);
	bench_run(bench);
	bench_expect_trail(bench, "4");
	assert_int_equal(bench->n_connected, 2);
}

static void test_frontend_vanishes(void **state)
{
	struct bench *bench = *state;

	bench_start(bench);
	bench_connect(bench, 5, 0);
	bench_rm(bench, "/local/domain/5/device/vif/0");
	bench_run(bench);
	bench_expect_trail(bench, "56");
	assert_int_equal(bench->n_disconnected, 1);
	/* The toolstack knows the domain: the directory is its business. */
	bench_wait_ms(bench, 600000);
	assert_true(bench_exists(bench, DIR(5, 0)));
	bench_rm(bench, DIR(5, 0));
	bench_run(bench);
	assert_null(bench_vif(bench, 5, 0));
	bench_expect_trail(bench, "");
}

static void test_detach_alive(void **state)
{
	struct bench *bench = *state;

	bench_start(bench);
	bench_connect(bench, 5, 0);
	bench_detach(bench, 5, 0);
	bench_run(bench);
	bench_wait_ms(bench, 1000);
	/* The guest still has its last packets to send. */
	assert_true(bench_vif(bench, 5, 0)->connected);
	bench_expect_trail(bench, "");
	bench_frontend(bench, 5, 0, 6);
	bench_run(bench);
	bench_expect_trail(bench, "6");
	bench_frontend(bench, 5, 0, 1); /* offline ends here */
	bench_wait_ms(bench, 10000);
	bench_expect_trail(bench, "");
	bench_rm(bench, "/local/domain/5/device/vif/0");
	bench_rm(bench, DIR(5, 0));
	bench_run(bench);
	assert_int_equal(bench->n_destroyed, 1);
	assert_false(bench_exists(bench, DIR(5, 0)));
}

static void test_detach_paused(void **state)
{
	struct bench *bench = *state;

	bench_start(bench);
	bench_connect(bench, 5, 0);
	bench_detach(bench, 5, 0);
	bench_run(bench);
	bench_wait_ms(bench, 1999);
	bench_expect_trail(bench, "");
	bench_wait_ms(bench, 1);
	bench_expect_trail(bench, "6");
	assert_int_equal(bench->n_disconnected, 1);
}

/* The guest begins to close, then hangs. */
static void test_detach_hanging(void **state)
{
	struct bench *bench = *state;

	bench_start(bench);
	bench_connect(bench, 5, 0);
	bench_detach(bench, 5, 0);
	bench_run(bench);
	bench_frontend(bench, 5, 0, 5);
	bench_run(bench);
	assert_int_equal(bench->n_disconnected, 1);
	bench_expect_trail(bench, "");
	bench_wait_ms(bench, 2000);
	bench_expect_trail(bench, "6");
}

/* xl destroy: the frontend's directory goes in the same transaction. */
static void test_destroy(void **state)
{
	struct bench *bench = *state;

	bench_start(bench);
	bench_connect(bench, 5, 0);
	bench_rm(bench, "/local/domain/5/device/vif/0");
	bench_detach(bench, 5, 0);
	bench_run(bench);
	bench_expect_trail(bench, "6");
	assert_int_equal(bench->n_disconnected, 1);
}

static void test_detach_in_init_wait(void **state)
{
	struct bench *bench = *state;

	bench_start(bench);
	bench_attach(bench, 5, 0, 1, 1);
	bench_run(bench);
	bench_expect_trail(bench, "2");
	bench_detach(bench, 5, 0);
	bench_run(bench);
	bench_expect_trail(bench, "6");
	assert_int_equal(bench->n_connected, 0);
}

/* All devices of a domain go with one stroke. */
static void test_remove_all(void **state)
{
	struct bench *bench = *state;

	bench_start(bench);
	bench_connect(bench, 5, 0);
	bench_connect(bench, 5, 1);
	bench_connect(bench, 6, 0);
	bench_rm(bench, "/local/domain/0/backend/vif/5");
	bench_run(bench);
	assert_null(bench_vif(bench, 5, 0));
	assert_null(bench_vif(bench, 5, 1));
	assert_non_null(bench_vif(bench, 6, 0));
	assert_int_equal(bench->n_disconnected, 2);
	bench_expect_trail(bench, "");
}

/* Another toolstack: online first, the state left to us. */
static void test_offline_only(void **state)
{
	struct bench *bench = *state;

	bench_start(bench);
	bench_connect(bench, 5, 0);
	bench_write(bench, "0", DIR(5, 0) "/online");
	bench_run(bench);
	bench_expect_trail(bench, "5");
	assert_true(bench_vif(bench, 5, 0)->connected);
	bench_frontend(bench, 5, 0, 6);
	bench_run(bench);
	bench_expect_trail(bench, "6");
}

static void test_reconfigure(void **state)
{
	struct bench *bench = *state;

	bench_start(bench);
	bench_connect(bench, 5, 0);
	bench_frontend(bench, 5, 0, 7);
	bench_run(bench);
	bench_expect_trail(bench, "8");
	assert_int_equal(bench->n_reconfigured, 1);
	bench_frontend(bench, 5, 0, 4);
	bench_run(bench);
	bench_expect_trail(bench, "4");
	assert_int_equal(bench->n_connected, 1);
}

static void test_adopt(void **state)
{
	struct bench *bench = *state;

	bench_attach(bench, 5, 0, 4, 4);
	bench_attach(bench, 5, 1, 8, 4);
	bench_attach(bench, 5, 2, 2, 4); /* died between connecting and saying so, or before */
	bench_hotplug(bench, 5, 2);
	bench_start(bench);
	for (unsigned int i = 0; i < 3; i++) {
		assert_true(bench_vif(bench, 5, i)->connected);
		assert_true(bench_vif(bench, 5, i)->adopted);
		bench_expect_state(bench, 5, i, 4);
	}
	assert_int_equal(bench->n_published, 0);
}

/* kill -9 and start: no state of a running device moves. */
static void test_restart(void **state)
{
	struct bench *bench = *state;

	bench_start(bench);
	bench_connect(bench, 5, 0);
	bench_stop(bench);
	bench_expect_state(bench, 5, 0, 4);
	bench_start(bench);
	bench_expect_trail(bench, "");
	assert_true(bench_vif(bench, 5, 0)->adopted);
	/* And it behaves as any other from then on. */
	bench_frontend(bench, 5, 0, 5);
	bench_run(bench);
	bench_expect_trail(bench, "5");
}

static void test_restart_meanwhile(void **state)
{
	struct bench *bench = *state;

	bench_attach(bench, 5, 0, 5, 6); /* died in the middle of Closing */
	bench_start(bench);
	bench_expect_trail(bench, "6");
	bench_stop(bench);
	bench_attach(bench, 5, 1, 4, 5); /* the guest closed while nobody was there */
	bench_start(bench);
	bench_expect_trail(bench, "5");
	bench_stop(bench);
	bench_attach(bench, 5, 2, 2, 1); /* in InitWait: published anew, state left */
	bench_start(bench);
	bench_expect_trail(bench, "");
	assert_int_equal(bench->n_published, 1);
	bench_stop(bench);
	bench_attach(bench, 5, 3, 4, 4); /* the toolstack took it away meanwhile */
	bench_detach(bench, 5, 3);
	bench_start(bench);
	bench_wait_ms(bench, 2000);
	bench_expect_trail(bench, "6");
	assert_int_equal(bench->n_connected, 0);
}

/* Restored on another host: fresh directories, then a guest that connects at once. */
static void test_restore(void **state)
{
	struct bench *bench = *state;

	bench_start(bench);
	bench_connect(bench, 5, 0);
	bench_attach(bench, 6, 0, 1, 1);
	bench_hotplug(bench, 6, 0);
	bench_frontend(bench, 6, 0, 4);
	bench_run(bench);
	bench_expect_trail(bench, "24");
	bench_rm(bench, "/local/domain/5");
	bench_detach(bench, 5, 0);
	bench_run(bench);
	bench_expect_trail(bench, "6");
	bench_expect_state(bench, 6, 0, 4);
}

/* Detached and attached again before we looked. */
static void test_made_anew(void **state)
{
	struct bench *bench = *state;

	bench_start(bench);
	bench_connect(bench, 5, 0);
	bench_attach(bench, 5, 0, 1, 1);
	bench_run(bench);
	bench_expect_trail(bench, "2");
	assert_int_equal(bench->n_disconnected, 1);
	assert_int_equal(bench->n_created, 2);
	assert_int_equal(bench->n_destroyed, 1);
	assert_false(bench_vif(bench, 5, 0)->connected);
}

/* The hold by time of a type without hotplug script. */
static void test_hold(void **state)
{
	struct bench *bench = *state;

	bench->driver.needs_hotplug = false;
	bench->driver.init_wait_hold_ns = NSEC_PER_SEC;
	bench_start(bench);
	bench_attach(bench, 5, 0, 1, 4);
	bench_run(bench);
	bench_expect_trail(bench, "2");
	bench_wait_ms(bench, 999);
	bench_expect_trail(bench, "");
	bench_wait_ms(bench, 1);
	bench_expect_trail(bench, "4");
}

static void test_changed_keys(void **state)
{
	struct bench *bench = *state;

	bench_start(bench);
	bench_connect(bench, 5, 0);
	bench->changed[0] = '\0';
	bench_write(bench, "625000,50000", DIR(5, 0) "/rate");
	bench_write(bench, "625000,40000", DIR(5, 0) "/rate");
	bench_write(bench, "x", DIR(5, 0) "/error");
	bench_write(bench, "1", DIR(5, 0) "/sub/key");
	bench_run(bench);
	assert_string_equal(bench->changed, "rate sub/key ");
	bench_expect_trail(bench, "");
}

static void test_explain(void **state)
{
	struct bench *bench = *state;
	const char *be, *fe, *why, *hotplug;
	json_t *json;
	int age, online;

	bench_start(bench);
	bench_attach(bench, 5, 0, 1, 1);
	bench_run(bench);
	bench_frontend(bench, 5, 0, 4);
	bench_wait_ms(bench, 1500);
	json = backend_explain(bench_vif(bench, 5, 0)->dev);
	assert_int_equal(json_unpack(json, "{s:s, s:s, s:b, s:s, s:s, s:n, s:i !}", "backend", &be,
				     "frontend", &fe, "online", &online, "hotplug", &hotplug, "why",
				     &why, "error", "age_ms", &age),
			 0);
	assert_string_equal(be, "InitWait");
	assert_string_equal(fe, "Connected");
	assert_true(online);
	assert_string_equal(why, "waiting for the hotplug script to finish");
	assert_int_equal(age, 1500);
	json_decref(json);
}

static void count_device(void *ctx, struct backend_device *dev)
{
	++*(unsigned int *)ctx;
}

static void test_foreach(void **state)
{
	struct bench *bench = *state;
	unsigned int n = 0;

	bench_start(bench);
	bench_attach(bench, 5, 0, 1, 1);
	bench_attach(bench, 6, 3, 1, 1);
	bench_run(bench);
	backend_foreach(bench->backend, count_device, &n);
	assert_int_equal(n, 2);
	assert_string_equal(backend_find(bench->backend, 6, 3)->name, "vif6.3");
	assert_string_equal(backend_find(bench->backend, 6, 3)->dir, DIR(6, 3));
	assert_null(backend_find(bench->backend, 6, 0));
}

/* In sd-event's loop: io wakes it, the timer ends a grace. */
static void test_event_loop(void **state)
{
	struct bench *bench = *state;
	sd_event *event = NULL;

	assert_true(sd_event_new(&event) >= 0);
	bench->driver.needs_hotplug = false;
	assert_int_equal(backend_create(&bench->backend, bench->dom0, event, &clock_monotonic,
					&bench->driver, bench),
			 0);
	bench_attach(bench, 5, 0, 1, 4);
	for (unsigned int i = 0; i < 10; i++)
		assert_true(sd_event_run(event, 0) >= 0);
	bench_expect_trail(bench, "24");
	backend_fail(bench_vif(bench, 5, 0)->dev, "bad");
	for (unsigned int i = 0; i < 10; i++)
		assert_true(sd_event_run(event, 0) >= 0);
	bench_expect_trail(bench, "56");
	bench_stop(bench);
	sd_event_unref(event);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, bench_setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_attach),
		TEST(test_attach_before_start),
		TEST(test_attach_piecemeal),
		TEST(test_windows),
		TEST(test_kexec),
		TEST(test_closed_at_once),
		TEST(test_reset_without_close),
		TEST(test_frontend_vanishes),
		TEST(test_detach_alive),
		TEST(test_detach_paused),
		TEST(test_detach_hanging),
		TEST(test_destroy),
		TEST(test_detach_in_init_wait),
		TEST(test_remove_all),
		TEST(test_offline_only),
		TEST(test_reconfigure),
		TEST(test_adopt),
		TEST(test_restart),
		TEST(test_restart_meanwhile),
		TEST(test_restore),
		TEST(test_made_anew),
		TEST(test_hold),
		TEST(test_changed_keys),
		TEST(test_explain),
		TEST(test_foreach),
		TEST(test_event_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
