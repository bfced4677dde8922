/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-backend-faults.c - the scanner when guests lie or flood, and tools write nonsense.
 */
#include "backend-bench.h"

#include <errno.h>
#include <stdio.h>

#define BASE		  "/local/domain/0/backend/vif"
#define DIR(domid, devid) BASE "/" #domid "/" #devid

/* A guest's error closes its device and nobody else's; the way back is the guest's. */
static void test_connect_fails(void **state)
{
	struct bench *bench = *state;
	AUTO_FREE char *error = NULL;

	bench_start(bench);
	bench_connect(bench, 6, 0);
	bench->connect_error = "tx-ring-ref is \"x\": must be a number";
	bench->connect_result = -EINVAL;
	bench_attach(bench, 5, 0, 1, 1);
	bench_run(bench);
	bench_hotplug(bench, 5, 0);
	bench_frontend(bench, 5, 0, 4);
	bench_run(bench);
	bench_expect_trail(bench, "256");
	error = bench_read(bench, DIR(5, 0) "/error");
	assert_string_equal(error, bench->connect_error);
	assert_int_equal(bench->n_warnings, 1);
	assert_string_equal(bench->last_warning, "vif5.0: tx-ring-ref is \"x\": must be a number");
	bench_wait_ms(bench, 60000);
	assert_int_equal(bench_vif(bench, 5, 0)->n_connects, 1);
	bench_expect_state(bench, 6, 0, 4);

	bench->connect_result = 0;
	bench_frontend(bench, 5, 0, 6);
	bench_run(bench);
	bench_frontend(bench, 5, 0, 1);
	bench_run(bench);
	assert_false(bench_exists(bench, DIR(5, 0) "/error"));
	bench_frontend(bench, 5, 0, 4);
	bench_run(bench);
	bench_expect_trail(bench, "24");
}

/* "Not now": tried again for a while, then an error like any other. */
static void test_connect_again(void **state)
{
	struct bench *bench = *state;

	bench_attach(bench, 5, 0, 4, 4);
	bench->connect_error = "still held by another process";
	bench->connect_result = -EAGAIN;
	bench_start(bench);
	bench_wait_ms(bench, 200);
	bench_wait_ms(bench, 200);
	bench_expect_trail(bench, "");
	assert_int_equal(bench_vif(bench, 5, 0)->n_connects, 3);
	bench->connect_result = 0;
	bench_wait_ms(bench, 200);
	assert_true(bench_vif(bench, 5, 0)->adopted);
	bench_expect_trail(bench, "");

	bench->connect_result = -EAGAIN;
	bench_attach(bench, 5, 1, 4, 4);
	bench_stop(bench);
	bench_start(bench);
	for (unsigned int i = 0; i < 60; i++)
		bench_wait_ms(bench, 200);
	bench_expect_state(bench, 5, 1, 6);
	bench_expect_trail(bench, "5656");
}

static void test_fail(void **state)
{
	struct bench *bench = *state;
	AUTO_FREE char *error = NULL;

	bench_start(bench);
	bench_connect(bench, 5, 0);
	backend_fail(bench_vif(bench, 5, 0)->dev, "request 7 has size 0");
	backend_fail(bench_vif(bench, 5, 0)->dev, "and many more"); /* the first is the cause */
	bench_run(bench);
	bench_expect_trail(bench, "56");
	assert_int_equal(bench->n_disconnected, 1);
	error = bench_read(bench, DIR(5, 0) "/error");
	assert_string_equal(error, "request 7 has size 0");
	assert_int_equal(bench->n_warnings, 1);
}

static void fail_at_once(struct bench *bench, struct backend_device *dev)
{
	backend_fail(dev, "the first request is bad");
}

static void test_fail_in_callback(void **state)
{
	struct bench *bench = *state;

	bench->on_connect = fail_at_once;
	bench_start(bench);
	bench_attach(bench, 5, 0, 4, 4);
	bench_run(bench);
	bench_expect_state(bench, 5, 0, 6);
	assert_int_equal(bench->n_connected, 1);
	assert_int_equal(bench->n_disconnected, 1);
}

static void test_create_fails(void **state)
{
	struct bench *bench = *state;
	AUTO_FREE char *error = NULL;

	bench->create_error = "no team \"team0\"";
	bench->create_result = -ENOENT;
	bench_start(bench);
	bench_attach(bench, 5, 0, 1, 1);
	bench_run(bench);
	bench_expect_trail(bench, "56");
	error = bench_read(bench, DIR(5, 0) "/error");
	assert_string_equal(error, bench->create_error);
	assert_null(bench_vif(bench, 5, 0));
	assert_int_equal(bench->n_warnings, 1);
	/* The cause is removed: a change of a key has it tried again. */
	bench_write(bench, "team0", DIR(5, 0) "/bridge");
	bench_run(bench);
	assert_int_equal(bench->n_warnings, 1);
	bench_expect_trail(bench, "");
	bench->create_result = 0;
	bench_write(bench, "team1", DIR(5, 0) "/bridge");
	bench_run(bench);
	bench_expect_trail(bench, "2");
	assert_false(bench_exists(bench, DIR(5, 0) "/error"));
}

/* Drivers that say nothing: the error number speaks. */
static void test_wordless(void **state)
{
	struct bench *bench = *state;
	AUTO_FREE char *error = NULL;

	bench->create_result = -ENOMEM;
	bench_start(bench);
	bench_attach(bench, 5, 0, 1, 1);
	bench_run(bench);
	error = bench_read(bench, DIR(5, 0) "/error");
	assert_string_equal(error, "Cannot allocate memory");
	bench->create_result = 0;
	bench->connect_result = -ENOMEM;
	bench_attach(bench, 5, 1, 1, 4);
	bench_hotplug(bench, 5, 1);
	bench_run(bench);
	assert_string_equal(bench->last_warning, "vif5.1: Cannot allocate memory");
}

static void test_reconfigure_fails(void **state)
{
	struct bench *bench = *state;

	bench_start(bench);
	bench_connect(bench, 5, 0);
	bench->reconfigure_result = -EINVAL;
	bench_frontend(bench, 5, 0, 7);
	bench_run(bench);
	bench_expect_trail(bench, "56");
	assert_true(bench_exists(bench, DIR(5, 0) "/error"));

	/* A driver without anything to reconfigure answers all the same. */
	bench->driver.reconfigure = NULL;
	bench_connect(bench, 5, 1);
	bench_frontend(bench, 5, 1, 7);
	bench_run(bench);
	bench_expect_trail(bench, "8");
}

/* --- directories that are no devices ---------------------------------------------- */

static void test_bad_names(void **state)
{
	static const char *const bad[] = {
		"x/0/state",  "32752/0/state",	    "-1/0/state",
		"05/0/state", "5/-1/state",	    "5/00/state",
		"5/x/state",  "5/4294967296/state", "99999999999/0/state"};
	struct bench *bench = *state;

	bench_start(bench);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		bench_write(bench, "1", BASE "/%s", bad[i]);
	bench_run(bench);
	assert_int_equal(bench->n_warnings, ARRAY_SIZE(bad));
	bench_write(bench, "2", BASE "/x/0/state");
	bench_run(bench);
	assert_int_equal(bench->n_warnings, ARRAY_SIZE(bad)); /* each is said once */
	assert_int_equal(bench->n_writes, 0);
	/* Gone and back is worth a line again. */
	bench_rm(bench, BASE "/x");
	bench_run(bench);
	bench_write(bench, "1", BASE "/x/0/state");
	bench_run(bench);
	assert_int_equal(bench->n_warnings, ARRAY_SIZE(bad) + 1);
	bench_connect(bench, 32751, 4294967295u);
}

static void check_refused(struct bench *bench, const char *key, const char *value,
			  const char *complaint)
{
	bench->n_warnings = 0;
	bench_attach(bench, 5, 0, 1, 1);
	bench_write(bench, value, DIR(5, 0) "/%s", key);
	bench_run(bench);
	assert_null(bench_vif(bench, 5, 0));
	/* The toolstack's detach needs its answer all the same. */
	bench_expect_trail(bench, "56");
	assert_true(bench_exists(bench, DIR(5, 0) "/error"));
	assert_int_equal(bench->n_warnings, 1);
	assert_non_null(strstr(bench->last_warning, complaint));
	bench_rm(bench, DIR(5, 0));
	bench_run(bench);
}

static void test_bad_frontend(void **state)
{
	struct bench *bench = *state;
	char deep[200] = "/local/domain/5/";

	bench_start(bench);
	memset(deep + 16, 'a', sizeof(deep) - 17);
	check_refused(bench, "frontend", "/local/domain/6/device/vif/0", "below /local/domain/5");
	check_refused(bench, "frontend", "/local/domain/50/device/vif/0", "below /local/domain/5");
	check_refused(bench, "frontend", "/local/domain/5/", "below");
	check_refused(bench, "frontend", "/local/domain/5//x", "below");
	check_refused(bench, "frontend", "/local/domain/5/../6/device/vif/0", "below");
	check_refused(bench, "frontend", "device/vif/0", "below");
	check_refused(bench, "frontend", "", "below");
	check_refused(bench, "frontend", deep, "below");
	check_refused(bench, "frontend-id", "6", "frontend-id is not 5");
	check_refused(bench, "frontend-id", "x", "frontend-id is not 5");
	assert_int_equal(bench->n_created, 0);
	bench_connect(bench, 5, 0);
}

/* What nobody is left to clean up, we do: after a time, and only then. */
static void test_garbage(void **state)
{
	struct bench *bench = *state;

	bench_attach(bench, 5, 0, 4, 4);
	bench_attach(bench, 5, 1, 4, 4);
	bench_attach(bench, 6, 0, 4, 4);
	bench_rm(bench, "/local/domain/5");
	bench_start(bench);
	bench_expect_trail(bench, "5656");
	bench_wait_ms(bench, 100000); /* /libxl/5 is still there: xl is at work */
	assert_true(bench_exists(bench, DIR(5, 0)));
	bench_rm(bench, "/libxl/5");
	bench_wait_ms(bench, 60000);
	bench_wait_ms(bench, 9999);
	assert_true(bench_exists(bench, DIR(5, 0)));
	bench_wait_ms(bench, 1);
	assert_false(bench_exists(bench, DIR(5, 0)));
	assert_false(bench_exists(bench, BASE "/5"));
	assert_true(bench_exists(bench, DIR(6, 0)));
	assert_int_equal(bench->n_destroyed, 2);
}

/* Garbage that never was a device: removed when its domain is gone as well. */
static void test_garbage_refused(void **state)
{
	struct bench *bench = *state;

	bench_start(bench);
	bench_attach(bench, 5, 0, 1, 1);
	bench_write(bench, "nonsense", DIR(5, 0) "/frontend");
	bench_rm(bench, "/libxl/5");
	bench_run(bench);
	bench_wait_ms(bench, 100000);
	assert_true(bench_exists(bench, DIR(5, 0)));
	bench_rm(bench, "/local/domain/5");
	bench_wait_ms(bench, 60000);
	bench_wait_ms(bench, 10000);
	assert_false(bench_exists(bench, DIR(5, 0)));
}

static void come_back(struct bench *bench, const char *path)
{
	bench->on_write = NULL;
	bench_write(bench, "", "/libxl/5");
}

/* The domain is back at the very moment in which its garbage is removed. */
static void test_garbage_race(void **state)
{
	struct bench *bench = *state;

	bench_attach(bench, 5, 0, 6, 1);
	bench_rm(bench, "/local/domain/5");
	bench_rm(bench, "/libxl/5");
	bench_start(bench);
	bench->on_write = come_back;
	bench_wait_ms(bench, 10000);
	assert_null(bench->on_write);
	assert_true(bench_exists(bench, DIR(5, 0)));
}

/* --- floods ----------------------------------------------------------------------- */

static void test_storm(void **state)
{
	struct bench *bench = *state;

	bench_start(bench);
	bench_connect(bench, 5, 0);
	bench_connect(bench, 6, 0);
	bench_storm(bench, "/local/domain/5/device/vif/0/state", 20000);
	bench_frontend(bench, 6, 0, 5);
	bench_run(bench);
	/* The other guest has its answer, one line tells about the storm, and we stopped listening.
	 */
	assert_in_range(bench->n_storm, 18000, 19500);
	bench_expect_trail(bench, "5");
	assert_int_equal(bench->n_warnings, 1);
	assert_non_null(strstr(bench->last_warning, "too often"));
	/* Nobody looks at the noisy one for the rest of the second, */
	bench_frontend(bench, 5, 0, 5);
	bench_wait_ms(bench, 500);
	bench_expect_trail(bench, "");
	assert_true(bench_vif(bench, 5, 0)->connected);
	/* then its state counts again. */
	bench->n_storm = 0;
	bench_wait_ms(bench, 600);
	bench_expect_trail(bench, "5");
	bench_frontend(bench, 5, 0, 6);
	bench_run(bench);
	bench_expect_trail(bench, "6");
}

/* A throttled guest's device still obeys the toolstack. */
static void test_storm_and_detach(void **state)
{
	struct bench *bench = *state;

	bench_start(bench);
	bench_connect(bench, 5, 0);
	bench_storm(bench, "/local/domain/5/device/vif/0/state", 2000);
	bench_run(bench);
	bench_rm(bench, "/local/domain/5/device/vif/0");
	bench_detach(bench, 5, 0);
	bench_run(bench);
	bench_expect_trail(bench, "6");
}

/* Dom0's own tools may write as often as they like, and delay nobody either. */
static void test_storm_of_keys(void **state)
{
	struct bench *bench = *state;
	uint64_t deadline_ns;

	bench_start(bench);
	bench_connect(bench, 5, 0);
	bench_connect(bench, 6, 0);
	bench_storm(bench, DIR(5, 0) "/rate", 20000);
	bench_frontend(bench, 6, 0, 5);
	deadline_ns = backend_run(bench->backend);
	assert_int_equal(deadline_ns, bench->clock.manual_ns); /* there is more to do */
	bench_expect_trail(bench, "5");
	assert_in_range(bench->n_storm, 10000, 19999);
	bench_run(bench);
	assert_int_equal(bench->n_storm, 0);
	assert_int_equal(bench->n_warnings, 0);
}

static const char *why(struct backend_device *dev)
{
	static char text[200];
	json_t *json = backend_explain(dev);

	snprintf(text, sizeof(text), "%s", json_string_value(json_object_get(json, "why")));
	json_decref(json);
	return text;
}

static void test_explain(void **state)
{
	struct bench *bench = *state;
	struct backend_device *dev;

	bench_start(bench);
	bench_connect(bench, 5, 0);
	dev = bench_vif(bench, 5, 0)->dev;
	assert_string_equal(why(dev), "running");
	bench_storm(bench, "/local/domain/5/device/vif/0/state", 2000);
	bench_run(bench);
	assert_non_null(strstr(why(dev), "too often"));
	bench_wait_ms(bench, 1000);
	bench->n_storm = 0;
	bench_wait_ms(bench, 1000);
	bench_store_goes(bench);
	bench_run(bench);
	assert_non_null(strstr(why(dev), "xenstored"));
	bench_store_comes(bench);
}

/* A guest that goes round and round makes us write so many states a second, no more. */
static void test_flapping(void **state)
{
	static const unsigned int circle[] = {5, 6, 1, 4};
	struct bench *bench = *state;
	unsigned int writes;

	bench_start(bench);
	bench_connect(bench, 5, 0);
	writes = bench->n_writes;
	for (unsigned int i = 0; i < 2000; i++) {
		bench_frontend(bench, 5, 0, circle[i % ARRAY_SIZE(circle)]);
		bench_run(bench);
		bench->trail[0] = '\0';
	}
	/* A publish writes one key more. */
	assert_in_range(bench->n_writes - writes, 40, 130);
	bench_wait_ms(bench, 1000);
	bench_expect_state(bench, 5, 0, 4);
	assert_true(bench->n_warnings < 15);
}

static void test_many(void **state)
{
	struct bench *bench = *state;
	uint64_t rest;

	bench_start(bench);
	for (unsigned int i = 0; i < 200; i++)
		bench_attach(bench, 1 + i / 2, i % 2, 1, 1);
	bench_run(bench);
	for (unsigned int i = 0; i < 200; i++) {
		bench_expect_state(bench, 1 + i / 2, i % 2, 2);
		bench_hotplug(bench, 1 + i / 2, i % 2);
		bench_frontend(bench, 1 + i / 2, i % 2, 4);
	}
	bench_run(bench);
	assert_int_equal(bench->n_connected, 200);
	rest = backend_run(bench->backend);
	assert_true(rest == DEADLINE_NEVER);
	bench_stop(bench);
	bench_start(bench);
	assert_int_equal(bench->n_connected, 400);
	for (unsigned int i = 0; i < 200; i++)
		bench_rm(bench, BASE "/%u/%u", 1 + i / 2, i % 2);
	bench_run(bench);
	assert_int_equal(bench->n_destroyed, 400);
}

/* --- states that are none ---------------------------------------------------------- */

/* The guest's state node holds anything but a state. */
static void test_frontend_garbage(void **state)
{
	static const char *const bad[] = {
		"", "9", "4 ", "04", "four", "\xff\xfe", "44444444444444"};
	struct bench *bench = *state;

	bench_start(bench);
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		bench_connect(bench, 5, i);
		bench_write(bench, bad[i], "/local/domain/5/device/vif/%u/state", i);
		bench_run(bench);
		bench_expect_trail(bench, "56"); /* as if it were missing */
		bench_frontend(bench, 5, i, 1);
		bench_run(bench);
		bench_expect_trail(bench, "2");
	}
}

/* Our own state node holds anything but a state. */
static void test_backend_garbage(void **state)
{
	struct bench *bench = *state;

	bench_start(bench);
	bench_connect(bench, 5, 0);
	bench_write(bench, "what", DIR(5, 0) "/state");
	bench_run(bench);
	bench_expect_trail(bench, "56");
	assert_int_equal(bench->n_disconnected, 1);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, bench_setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_connect_fails),
		TEST(test_connect_again),
		TEST(test_fail),
		TEST(test_fail_in_callback),
		TEST(test_create_fails),
		TEST(test_wordless),
		TEST(test_reconfigure_fails),
		TEST(test_bad_names),
		TEST(test_bad_frontend),
		TEST(test_garbage),
		TEST(test_garbage_refused),
		TEST(test_garbage_race),
		TEST(test_storm),
		TEST(test_storm_and_detach),
		TEST(test_storm_of_keys),
		TEST(test_explain),
		TEST(test_flapping),
		TEST(test_many),
		TEST(test_frontend_garbage),
		TEST(test_backend_garbage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
