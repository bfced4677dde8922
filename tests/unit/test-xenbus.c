/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-xenbus.c - the whole matrix of the state table against its invariants, and the stories
 * behind it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "util.h"
#include "xen/xenbus.h"

/* Longer than any chain of steps that ends: close, end, open. */
#define MAX_STEPS 6

/* What the scanner does with a step, when every action succeeds. */
static void perform(struct xenbus_input *in, const struct xenbus_step *step)
{
	if (step->action == XENBUS_ACTION_CONNECT || step->action == XENBUS_ACTION_ADOPT)
		in->connected = true;
	if (step->action == XENBUS_ACTION_DISCONNECT)
		in->connected = false;
	if (step->action != XENBUS_ACTION_NONE || step->next != in->backend)
		in->ours = true;
	in->backend = step->next;
}

static bool is_idle(const struct xenbus_input *in, const struct xenbus_step *step)
{
	return step->action == XENBUS_ACTION_NONE && step->next == in->backend;
}

/* Which states may be written, and when. */
static void check_next(const struct xenbus_input *in, const struct xenbus_step *step)
{
	/* Of the states that a backend has, we write these. */
	if (step->next != in->backend)
		assert_true(step->next == XENBUS_STATE_INIT_WAIT ||
			    step->next == XENBUS_STATE_CONNECTED ||
			    step->next == XENBUS_STATE_CLOSING ||
			    step->next == XENBUS_STATE_CLOSED ||
			    step->next == XENBUS_STATE_RECONFIGURED);

	/* Connected is written with rings in hand only. */
	if (step->next == XENBUS_STATE_CONNECTED && in->backend != XENBUS_STATE_CONNECTED)
		assert_true(step->action == XENBUS_ACTION_CONNECT || in->connected);
	/* Closed only follows Closing, and not while a frontend waits to see that Closing. */
	if (step->next == XENBUS_STATE_CLOSED && in->backend != XENBUS_STATE_CLOSED) {
		assert_int_equal(in->backend, XENBUS_STATE_CLOSING);
		assert_int_not_equal(in->frontend, XENBUS_STATE_CLOSING);
	}
}

static void check_step(const struct xenbus_input *in, const struct xenbus_step *step)
{
	assert_non_null(step->reason);
	assert_true(step->reason[0] != '\0');
	assert_true(xenbus_explain(in)[0] != '\0');
	if (!in->exists) {
		assert_int_equal(step->action, XENBUS_ACTION_FORGET);
		assert_int_equal(step->next, in->backend);
		assert_false(step->again);
		return;
	}
	assert_int_not_equal(step->action, XENBUS_ACTION_FORGET);
	check_next(in, step);
	switch (step->action) {
	case XENBUS_ACTION_NONE:
	case XENBUS_ACTION_FORGET:
		break;
	case XENBUS_ACTION_PUBLISH:
		assert_true(in->online);
		assert_false(in->connected);
		assert_int_equal(step->next, XENBUS_STATE_INIT_WAIT);
		break;
	case XENBUS_ACTION_CONNECT:
		assert_true(in->online);
		assert_false(in->connected);
		assert_true(in->hotplug_ok);
		assert_int_equal(in->frontend, XENBUS_STATE_CONNECTED);
		assert_int_equal(in->backend, XENBUS_STATE_INIT_WAIT);
		assert_int_equal(step->next, XENBUS_STATE_CONNECTED);
		break;
	case XENBUS_ACTION_ADOPT:
		assert_true(in->online);
		assert_false(in->connected);
		assert_false(in->ours);
		assert_true(in->backend == XENBUS_STATE_CONNECTED ||
			    in->backend == XENBUS_STATE_RECONFIGURED);
		assert_true(in->frontend == XENBUS_STATE_CONNECTED ||
			    in->frontend == XENBUS_STATE_RECONFIGURING);
		assert_int_equal(step->next, in->backend);
		break;
	case XENBUS_ACTION_DISCONNECT:
		assert_true(in->connected);
		break;
	case XENBUS_ACTION_RECONFIGURE:
		assert_true(in->connected);
		assert_int_equal(in->frontend, XENBUS_STATE_RECONFIGURING);
		assert_int_equal(step->next, XENBUS_STATE_RECONFIGURED);
		break;
	}
}

/* Where a frontend's standing state leads when nothing else moves. */
static void check_end(const struct xenbus_input *start, const struct xenbus_input *end)
{
	if (!start->online && start->backend == XENBUS_STATE_CLOSED)
		assert_int_equal(end->backend, XENBUS_STATE_CLOSED);
	switch (start->frontend) {
	case XENBUS_STATE_CLOSING:
		assert_false(end->connected);
		if (start->online || start->backend != XENBUS_STATE_CLOSED)
			assert_int_equal(end->backend, XENBUS_STATE_CLOSING);
		break;
	case XENBUS_STATE_MISSING:
	case XENBUS_STATE_CLOSED:
		assert_false(end->connected);
		assert_int_equal(end->backend, XENBUS_STATE_CLOSED);
		break;
	case XENBUS_STATE_INITIALISING:
		assert_false(end->connected);
		assert_int_equal(end->backend,
				 start->online ? XENBUS_STATE_INIT_WAIT : XENBUS_STATE_CLOSED);
		break;
	case XENBUS_STATE_INIT_WAIT:
	case XENBUS_STATE_INITIALISED:
	case XENBUS_STATE_CONNECTED:
	case XENBUS_STATE_RECONFIGURING:
	case XENBUS_STATE_RECONFIGURED:
		if (!start->online)
			assert_true(end->backend == XENBUS_STATE_CLOSING ||
				    end->backend == XENBUS_STATE_CLOSED);
		break;
	}
}

static void check_chain(const struct xenbus_input *start)
{
	struct xenbus_input in = *start;
	unsigned int n;

	for (n = 0; n < MAX_STEPS; n++) {
		struct xenbus_step step = xenbus_next(&in), after;
		struct xenbus_input next = in;

		check_step(&in, &step);
		if (step.action == XENBUS_ACTION_FORGET)
			return;
		perform(&next, &step);
		after = xenbus_next(&next);
		assert_int_equal(step.again, !is_idle(&next, &after));
		if (is_idle(&in, &step))
			break;
		in = next;
	}
	assert_true(n < MAX_STEPS);
	check_end(start, &in);
}

static void test_matrix(void **state)
{
	unsigned int n = 0;

	for (unsigned int be = 0; be < XENBUS_STATE_COUNT; be++) {
		for (unsigned int fe = 0; fe < XENBUS_STATE_COUNT; fe++) {
			for (unsigned int bits = 0; bits < 32; bits++, n++) {
				struct xenbus_input in = {
					.backend = (enum xenbus_state)be,
					.frontend = (enum xenbus_state)fe,
					.online = (bits & 1) != 0,
					.exists = (bits & 2) != 0,
					.connected = (bits & 4) != 0,
					.hotplug_ok = (bits & 8) != 0,
					.ours = (bits & 16) != 0,
				};

				check_chain(&in);
			}
		}
	}
	assert_int_equal(n, 9 * 9 * 32);
}

/* A device as the stories tell it. */
static struct xenbus_input device(unsigned int be, unsigned int fe, bool connected)
{
	return (struct xenbus_input){
		.backend = (enum xenbus_state)be,
		.frontend = (enum xenbus_state)fe,
		.online = true,
		.exists = true,
		.connected = connected,
		.hotplug_ok = true,
		.ours = true,
	};
}

/* Takes one step and expects it; returns with the step performed. */
static void expect(struct xenbus_input *in, enum xenbus_action action, unsigned int next)
{
	struct xenbus_step step = xenbus_next(in);

	assert_int_equal(step.action, action);
	assert_int_equal(step.next, next);
	perform(in, &step);
}

static void expect_idle(struct xenbus_input *in)
{
	struct xenbus_step step = xenbus_next(in);

	assert_true(is_idle(in, &step));
	assert_false(step.again);
}

static void frontend(struct xenbus_input *in, unsigned int fe)
{
	in->frontend = (enum xenbus_state)fe;
}

static void test_attach(void **state)
{
	struct xenbus_input in = device(1, 1, false);

	in.hotplug_ok = false;
	expect(&in, XENBUS_ACTION_PUBLISH, 2);
	expect_idle(&in);
	frontend(&in, 3);
	expect_idle(&in);
	/* The guest may be faster than the hotplug script. */
	frontend(&in, 4);
	expect_idle(&in);
	assert_string_equal(xenbus_explain(&in), "waiting for the hotplug script to finish");
	in.hotplug_ok = true;
	expect(&in, XENBUS_ACTION_CONNECT, 4);
	expect_idle(&in);
	assert_string_equal(xenbus_explain(&in), "running");
}

/* Windows goes through a close cycle before its first connect, from our InitWait. */
static void test_windows(void **state)
{
	struct xenbus_input in = device(2, 1, false);

	frontend(&in, 5);
	expect(&in, XENBUS_ACTION_NONE, 5);
	expect_idle(&in);
	frontend(&in, 6);
	expect(&in, XENBUS_ACTION_NONE, 6);
	expect_idle(&in);
	frontend(&in, 1);
	expect(&in, XENBUS_ACTION_PUBLISH, 2);
	frontend(&in, 4);
	expect(&in, XENBUS_ACTION_CONNECT, 4);
	expect_idle(&in);
}

/* A crash kernel finds frontends at 4 or 6 and walks 5, 6, 1, waiting for our 5, 6, 2. */
static void test_kexec(void **state)
{
	struct xenbus_input in = device(4, 4, true);

	frontend(&in, 5);
	expect(&in, XENBUS_ACTION_DISCONNECT, 5);
	expect_idle(&in);
	frontend(&in, 6);
	expect(&in, XENBUS_ACTION_NONE, 6);
	frontend(&in, 1);
	expect(&in, XENBUS_ACTION_PUBLISH, 2);

	/* The dead kernel had closed: the walk begins again from 6. */
	in = device(6, 6, false);
	frontend(&in, 5);
	expect(&in, XENBUS_ACTION_NONE, 5);
	expect_idle(&in);
	frontend(&in, 6);
	expect(&in, XENBUS_ACTION_NONE, 6);
	frontend(&in, 1);
	expect(&in, XENBUS_ACTION_PUBLISH, 2);
}

static void test_frontend_vanishes(void **state)
{
	struct xenbus_input in = device(4, 0, true);

	expect(&in, XENBUS_ACTION_DISCONNECT, 5);
	expect(&in, XENBUS_ACTION_NONE, 6);
	expect_idle(&in);
	in.exists = false;
	assert_int_equal(xenbus_next(&in).action, XENBUS_ACTION_FORGET);
}

/* Straight to Closed, as netfront does on an error: both of our states are written. */
static void test_closed_at_once(void **state)
{
	struct xenbus_input in = device(4, 6, true);

	expect(&in, XENBUS_ACTION_DISCONNECT, 5);
	expect(&in, XENBUS_ACTION_NONE, 6);
	expect_idle(&in);
}

static void test_detach(void **state)
{
	/* The toolstack wrote online = 0 and state = 5; the guest lives: rings run until it closes.
	 */
	struct xenbus_input in = device(5, 4, true);

	in.online = false;
	expect_idle(&in);
	frontend(&in, 6);
	expect(&in, XENBUS_ACTION_DISCONNECT, 6);
	expect_idle(&in);

	/* The grace is over (or the guest is paused): the scanner shows it as Closed. */
	in = device(5, 4, true);
	in.online = false;
	frontend(&in, 6);
	expect(&in, XENBUS_ACTION_DISCONNECT, 6);

	/* The domain is being destroyed: its directory went first. */
	in = device(5, 0, true);
	in.online = false;
	expect(&in, XENBUS_ACTION_DISCONNECT, 6);
	expect_idle(&in);

	/* Never connected. */
	in = device(5, 1, false);
	in.online = false;
	expect(&in, XENBUS_ACTION_NONE, 6);
	expect_idle(&in);
	/* Offline ends here, whatever the guest writes. */
	for (unsigned int fe = 0; fe < XENBUS_STATE_COUNT; fe++) {
		frontend(&in, fe);
		expect_idle(&in);
	}
}

/* xl network-detach while we are in InitWait, the guest in whatever state. */
static void test_detach_in_init_wait(void **state)
{
	struct xenbus_input in = device(2, 1, false);

	in.online = false;
	expect(&in, XENBUS_ACTION_NONE, 5);
	expect(&in, XENBUS_ACTION_NONE, 6);
	expect_idle(&in);

	in = device(2, 4, false);
	in.online = false;
	expect(&in, XENBUS_ACTION_NONE, 5);
	expect_idle(&in); /* the grace runs */
	frontend(&in, 6);
	expect(&in, XENBUS_ACTION_NONE, 6);
}

/* The guest was reset: Initialising under our Connected. */
static void test_reset_without_close(void **state)
{
	struct xenbus_input in = device(4, 1, true);

	expect(&in, XENBUS_ACTION_DISCONNECT, 5);
	expect(&in, XENBUS_ACTION_NONE, 6);
	expect(&in, XENBUS_ACTION_PUBLISH, 2);
	expect_idle(&in);
}

static void test_reconfigure(void **state)
{
	struct xenbus_input in = device(4, 7, true);

	expect(&in, XENBUS_ACTION_RECONFIGURE, 8);
	expect_idle(&in);
	frontend(&in, 4);
	expect(&in, XENBUS_ACTION_NONE, 4);
	expect_idle(&in);
	frontend(&in, 7); /* and once more */
	expect(&in, XENBUS_ACTION_RECONFIGURE, 8);
}

static void test_adopt(void **state)
{
	struct xenbus_input in = device(4, 4, false);

	in.ours = false;
	expect(&in, XENBUS_ACTION_ADOPT, 4);
	expect_idle(&in);

	in = device(8, 4, false);
	in.ours = false;
	in.hotplug_ok = false; /* long done: the node may have lost it */
	expect(&in, XENBUS_ACTION_ADOPT, 8);
	expect(&in, XENBUS_ACTION_NONE, 4);
	expect_idle(&in);

	/* Died between the guest's Reconfiguring and the answer. */
	in = device(4, 7, false);
	in.ours = false;
	expect(&in, XENBUS_ACTION_ADOPT, 4);
	expect(&in, XENBUS_ACTION_RECONFIGURE, 8);

	/* Nobody's rings: close, so that the guest can start over. */
	in = device(4, 3, false);
	in.ours = false;
	expect(&in, XENBUS_ACTION_NONE, 5);
	expect(&in, XENBUS_ACTION_NONE, 6);
	expect_idle(&in);

	/* The guest did close meanwhile. */
	in = device(4, 5, false);
	in.ours = false;
	expect(&in, XENBUS_ACTION_NONE, 5);
	expect_idle(&in);
}

static void test_predecessor_died(void **state)
{
	/* In the middle of Closing. */
	struct xenbus_input in = device(5, 6, false);

	in.ours = false;
	expect(&in, XENBUS_ACTION_NONE, 6);
	expect_idle(&in);
	in = device(5, 5, false);
	in.ours = false;
	expect_idle(&in);
	in = device(5, 1, false);
	in.ours = false;
	expect(&in, XENBUS_ACTION_NONE, 6);
	expect(&in, XENBUS_ACTION_PUBLISH, 2);

	/* In InitWait: what it published is published again, without a change of state. */
	in = device(2, 1, false);
	in.ours = false;
	expect(&in, XENBUS_ACTION_PUBLISH, 2);
	expect_idle(&in);
	/* The guest connected meanwhile. */
	in = device(2, 4, false);
	in.ours = false;
	expect(&in, XENBUS_ACTION_CONNECT, 4);
	/* It failed the device: stays closed until the guest starts over. */
	in = device(6, 4, false);
	in.ours = false;
	expect_idle(&in);
}

/* A device that failed under us: 5 and 6 are both written, then the guest has the word. */
static void test_failed(void **state)
{
	struct xenbus_input in = device(5, 4, false);

	expect(&in, XENBUS_ACTION_NONE, 6);
	expect_idle(&in);
	assert_non_null(strstr(xenbus_explain(&in), "after an error"));
	frontend(&in, 6);
	expect_idle(&in);
	frontend(&in, 1);
	expect(&in, XENBUS_ACTION_PUBLISH, 2);
}

/* Restore on another host: fresh directories, a guest that starts from 1 with new rings. */
static void test_restore(void **state)
{
	struct xenbus_input in = device(1, 1, false);

	expect(&in, XENBUS_ACTION_PUBLISH, 2);
	frontend(&in, 4);
	expect(&in, XENBUS_ACTION_CONNECT, 4);
	/* A cancelled suspend goes on with the same rings: nothing moves. */
	expect_idle(&in);
}

/* The directory was removed and made anew while we held the old rings. */
static void test_made_anew(void **state)
{
	struct xenbus_input in = device(1, 1, true);

	expect(&in, XENBUS_ACTION_DISCONNECT, 1);
	expect(&in, XENBUS_ACTION_PUBLISH, 2);
}

/* Rings are bound, but the store refused to take Connected: only the write is repeated. */
static void test_write_lost(void **state)
{
	struct xenbus_input in = device(2, 4, true);

	expect(&in, XENBUS_ACTION_NONE, 4);
	expect_idle(&in);
}

/* Somebody wrote nonsense into our state node. */
static void test_garbage_state(void **state)
{
	struct xenbus_input in = device(0, 4, true);

	expect(&in, XENBUS_ACTION_DISCONNECT, 5);
	expect(&in, XENBUS_ACTION_NONE, 6);
	expect_idle(&in);
}

static void test_parse(void **state)
{
	static const char *const wrong[] = {"",	  "9",	"-1", "10", " 4", "4 ",	 "4\n",
					    "04", "+4", "a",  "/",  ":",  "\x80"};

	for (unsigned int i = 0; i < XENBUS_STATE_COUNT; i++) {
		char text[2] = {(char)('0' + i), '\0'};

		assert_int_equal(xenbus_state_parse(text), i);
	}
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(xenbus_state_parse(wrong[i]), XENBUS_STATE_MISSING);
	assert_int_equal(xenbus_state_parse(NULL), XENBUS_STATE_MISSING);
	assert_string_equal(xenbus_state_name(XENBUS_STATE_CONNECTED), "Connected");
	assert_string_equal(xenbus_state_name(XENBUS_STATE_RECONFIGURED), "Reconfigured");
	assert_string_equal(xenbus_state_name((enum xenbus_state)9), "?");
	assert_string_equal(xenbus_state_name((enum xenbus_state) - 1), "?");
}

static void test_explain(void **state)
{
	struct xenbus_input in = device(2, 1, false);

	assert_non_null(strstr(xenbus_explain(&in), "guest to load its driver"));
	in = device(6, 0, false);
	assert_non_null(strstr(xenbus_explain(&in), "guest's end is gone"));
	in = device(6, 6, false);
	assert_non_null(strstr(xenbus_explain(&in), "guest to start its driver"));
	in.online = false;
	assert_non_null(strstr(xenbus_explain(&in), "toolstack"));
	in = device(4, 4, false);
	assert_non_null(strstr(xenbus_explain(&in), "take the rings over"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matrix),
		cmocka_unit_test(test_attach),
		cmocka_unit_test(test_windows),
		cmocka_unit_test(test_kexec),
		cmocka_unit_test(test_frontend_vanishes),
		cmocka_unit_test(test_closed_at_once),
		cmocka_unit_test(test_detach),
		cmocka_unit_test(test_detach_in_init_wait),
		cmocka_unit_test(test_reset_without_close),
		cmocka_unit_test(test_reconfigure),
		cmocka_unit_test(test_adopt),
		cmocka_unit_test(test_predecessor_died),
		cmocka_unit_test(test_failed),
		cmocka_unit_test(test_restore),
		cmocka_unit_test(test_made_anew),
		cmocka_unit_test(test_write_lost),
		cmocka_unit_test(test_garbage_state),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_explain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
