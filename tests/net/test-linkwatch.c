/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-linkwatch.c - link watch against interfaces of a sandbox. What is judged is which reports
 * come, and in what order; how long they took is printed only.
 */
#include "netback-team/linkwatch.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/util.h"
#include "netback-team/nic.h"
#include "netlab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define POLL_NS	  (10 * NSEC_PER_MSEC)
#define N_REPORTS 256
/* A report that takes longer than this never comes. */
#define PATIENCE_S 10

static struct {
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct link_state states[N_REPORTS];
	uint64_t at_ns[N_REPORTS]; /* in link watch's thread: the test's own may wake late */
	unsigned int n, next;
} reports = {.lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER};

static void on_report(void *ctx, const struct link_state *state)
{
	pthread_mutex_lock(&reports.lock);
	if (reports.n < N_REPORTS) {
		reports.at_ns[reports.n] = clock_now(&clock_monotonic);
		reports.states[reports.n++] = *state;
	}
	pthread_cond_broadcast(&reports.more);
	pthread_mutex_unlock(&reports.lock);
}

/* The next report; fails the test when none comes. */
static struct link_state next_report(void)
{
	struct link_state state = {0};
	uint64_t end_ns = clock_now(&clock_monotonic) + PATIENCE_S * NSEC_PER_SEC;
	const struct timespec end = {.tv_sec = (time_t)(end_ns / NSEC_PER_SEC)};
	bool there;

	pthread_mutex_lock(&reports.lock);
	while (reports.next == reports.n &&
	       pthread_cond_clockwait(&reports.more, &reports.lock, CLOCK_MONOTONIC, &end) == 0)
		;
	there = reports.next < reports.n;
	if (there)
		state = reports.states[reports.next++];
	pthread_mutex_unlock(&reports.lock);
	assert_true(there);
	return state;
}

/* Reports until one says so about the interface; what comes between must be about others or equal
 * to `until` in all but usable. */
static struct link_state wait_usable(const char *name, bool usable)
{
	for (;;) {
		struct link_state state = next_report();

		if (!strcmp(state.name, name) && state.usable == usable)
			return state;
	}
}

static int start(void **state)
{
	struct linkwatch *lw;

	reports.n = reports.next = 0;
	assert_int_equal(linkwatch_create(&lw, -1, POLL_NS, on_report, NULL), 0);
	*state = lw;
	return 0;
}

static int stop(void **state)
{
	linkwatch_destroy(*state);
	netlab_try("ip link del v0 2>/dev/null; ip link del v9 2>/dev/null; ip link del br0 "
		   "2>/dev/null; "
		   "ip netns del xb-test 2>/dev/null; true");
	return 0;
}

static void make_veth(void)
{
	netlab_run(
		"ip link add v0 type veth peer name v1 && ip link set v1 up && ip link set v0 up");
}

static void test_life_of_an_interface(void **state)
{
	struct linkwatch *lw = *state;
	struct link_state s;

	assert_int_equal(linkwatch_add(lw, "v0"), 0);
	s = next_report();
	assert_string_equal(s.name, "v0");
	assert_int_equal(s.ifindex, 0);
	assert_false(s.usable);
	assert_int_equal(s.speed_mbps, -1);

	make_veth();
	s = wait_usable("v0", true);
	assert_true(s.ifindex > 0 && s.admin_up && s.carrier && !s.enslaved && s.full_duplex);
	assert_int_equal(s.mtu, 1500);
	assert_int_equal(s.speed_mbps, 10000);

	netlab_run("ip link set v0 mtu 1400");
	while ((s = next_report()).mtu != 1400)
		assert_true(s.usable);
	netlab_run("ip link set v1 down");
	s = wait_usable("v0", false);
	assert_false(s.carrier);
	assert_true(s.admin_up);
	netlab_run("ip link set v1 up");
	wait_usable("v0", true);
	netlab_run("ip link set v0 down");
	s = wait_usable("v0", false);
	assert_false(s.admin_up);
	netlab_run("ip link set v0 up");
	wait_usable("v0", true);

	netlab_run("ip link add br0 type bridge && ip link set v0 master br0");
	s = wait_usable("v0", false);
	assert_true(s.enslaved && s.carrier);
	netlab_run("ip link set v0 nomaster");
	s = wait_usable("v0", true);
	assert_false(s.enslaved);

	/* Another name: gone. Its own name again: back. */
	netlab_run("ip link set v0 down && ip link set v0 name v9");
	do
		s = wait_usable("v0", false);
	while (s.ifindex != 0);
	netlab_run("ip link set v9 name v0 && ip link set v0 up");
	wait_usable("v0", true);
	netlab_run("ip link del v0");
	do
		s = wait_usable("v0", false);
	while (s.ifindex != 0);
}

static void test_names(void **state)
{
	struct linkwatch *lw = *state;

	assert_int_equal(linkwatch_add(lw, ""), -EINVAL);
	assert_int_equal(linkwatch_add(lw, "a/b"), -EINVAL);
	assert_int_equal(linkwatch_add(lw, "sixteen-letters0"), -EINVAL);
	assert_int_equal(linkwatch_add(lw, "v0"), 0);
	assert_int_equal(linkwatch_add(lw, "v0"), -EEXIST);
	linkwatch_remove(lw, "nosuch0");
	linkwatch_remove(lw, "v0");
	assert_int_equal(linkwatch_add(lw, "v0"), 0);
	linkwatch_destroy(NULL);
}

static void test_removed_is_not_reported(void **state)
{
	struct linkwatch *lw = *state;
	unsigned int n;

	make_veth();
	linkwatch_add(lw, "v0");
	wait_usable("v0", true);
	linkwatch_remove(lw, "v0");
	n = reports.n;
	netlab_run("ip link set v1 down");
	/* When lo2's first report is there, v0's event would have been seen. */
	linkwatch_add(lw, "lo2");
	assert_string_equal(next_report().name, "lo2");
	assert_int_equal(reports.n, n + 1);
}

static void test_polling_can_change(void **state)
{
	struct linkwatch *lw = *state;
	int tap = netlab_tap("tap0");

	linkwatch_add(lw, "tap0");
	wait_usable("tap0", true);
	for (int i = 0; i < 4; i++) {
		linkwatch_set_poll(lw, i % 2 ? POLL_NS : 0);
		netlab_tap_carrier(tap, false);
		wait_usable("tap0", false);
		netlab_tap_carrier(tap, true);
		wait_usable("tap0", true);
	}
	close(tap);
	while (next_report().ifindex != 0)
		;
}

static void test_other_namespace(void **state)
{
	int fd = nic_netns_open("xb-test");
	struct linkwatch *there;

	assert_true(fd >= 0);
	assert_int_equal(linkwatch_create(&there, 0, POLL_NS, on_report, NULL), -EINVAL);
	assert_int_equal(linkwatch_create(&there, fd, POLL_NS, on_report, NULL), 0);
	close(fd);
	linkwatch_add(there, "v0");
	assert_int_equal(next_report().ifindex, 0);
	/* The same name here is another interface. */
	netlab_run(
		"ip link add v0 type veth peer name v1 && ip link set v1 up && ip link set v0 up");
	netlab_run("ip -n xb-test link add v0 type veth peer name v1 && ip -n xb-test link set v1 "
		   "up && "
		   "ip -n xb-test link set v0 mtu 1234 up");
	assert_int_equal(wait_usable("v0", true).mtu, 1234);
	netlab_run("ip -n xb-test link set v1 down");
	wait_usable("v0", false);
	linkwatch_destroy(there);
}

/* Callbacks may change the list. */
static struct linkwatch *own;
static void on_report_changes_list(void *ctx, const struct link_state *state)
{
	if (!strcmp(state->name, "v0")) {
		linkwatch_remove(own, "v0");
		linkwatch_add(own, "v9");
	}
	on_report(ctx, state);
}

static void test_callback_changes_the_list(void **state)
{
	assert_int_equal(linkwatch_create(&own, -1, 0, on_report_changes_list, NULL), 0);
	linkwatch_add(own, "v0");
	assert_string_equal(next_report().name, "v0");
	assert_string_equal(next_report().name, "v9");
	linkwatch_destroy(own);
}

/* Links come and go as when many guests start: what delays the kernel's own events of a lost
 * carrier. */
static atomic_bool storm_over;
static void *storm(void *arg)
{
	int tap = netlab_tap("storm0");

	while (!atomic_load(&storm_over)) {
		netlab_try(
			"ip link add storm1 type veth peer name storm2 && ip link set storm1 up && "
			"ip link set storm2 up && ip link del storm1");
		netlab_tap_carrier(tap, false);
		netlab_tap_carrier(tap, true);
	}
	close(tap);
	return NULL;
}

static void test_carrier_loss_in_a_storm(void **state)
{
	struct linkwatch *lw = *state;
	int tap = netlab_tap("tap0");
	uint64_t worst_ns = 0;
	pthread_t thread;

	atomic_store(&storm_over, false);
	linkwatch_add(lw, "tap0");
	wait_usable("tap0", true);
	pthread_create(&thread, NULL, storm, NULL);
	for (int i = 0; i < 20; i++) {
		uint64_t begin_ns = clock_now(&clock_monotonic), took_ns;

		netlab_tap_carrier(tap, false);
		/* The next report is of this loss: none is missed, none is invented. */
		assert_false(next_report().carrier);
		took_ns = reports.at_ns[reports.next - 1] - begin_ns;
		worst_ns = MAX(worst_ns, took_ns);
		print_message("# loss %d reported after %.1f ms\n", i, (double)took_ns / 1e6);
		netlab_tap_carrier(tap, true);
		wait_usable("tap0", true);
	}
	print_message("# worst %.1f ms with polls every %.0f ms\n", (double)worst_ns / 1e6,
		      (double)POLL_NS / 1e6);
	atomic_store(&storm_over, true);
	pthread_join(thread, NULL);
	close(tap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_life_of_an_interface, start, stop),
		cmocka_unit_test_setup_teardown(test_names, start, stop),
		cmocka_unit_test_setup_teardown(test_removed_is_not_reported, start, stop),
		cmocka_unit_test_setup_teardown(test_polling_can_change, start, stop),
		cmocka_unit_test_setup_teardown(test_other_namespace, start, stop),
		cmocka_unit_test_setup_teardown(test_callback_changes_the_list, start, stop),
		cmocka_unit_test_setup_teardown(test_carrier_loss_in_a_storm, start, stop),
	};

	netlab_enter(120);
	return cmocka_run_group_tests_name("linkwatch", tests, NULL, NULL);
}
