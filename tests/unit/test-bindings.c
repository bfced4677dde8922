/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-bindings.c - devices that xl attaches, and devices that vanish. */
#include "usb-bench.h"

#include <errno.h>

#define BACKEND "/local/domain/0/backend/vusb"

/* xl usbdev-attach: held for a second, then attached. */
static void test_xl_attach(void **state)
{
	struct usb_bench *bench = *state;

	bench_plug_in(bench, "3-1.5", 0x0951, 0x1666, "A");
	bench_guest(bench, 5, UUID_A);
	bench_write_node(bench, 5, 2, "3-1.5");
	bench_expect_state(bench, 5, 2, BINDING_HELD);
	bench_expect_calls("");
	bench_wait_ms(bench, 999);
	bench_expect_state(bench, 5, 2, BINDING_HELD);
	bench_expect_calls("");
	bench_wait_ms(bench, 1);
	bench_expect_state(bench, 5, 2, BINDING_ATTACHED);
	bench_expect_calls("attach 2 3-1.5;");
	assert_string_equal(bench_plugged(bench, 5, 2), "3-1.5");
	bench_expect_node(bench, 5, 2, "3-1.5");

	/* xl usbdev-detach */
	bench_write_node(bench, 5, 2, "");
	bench_expect_state(bench, 5, 2, BINDING_FREE);
	bench_expect_calls("detach 2;unconfigure 3-1.5;");
	bench_expect_node(bench, 5, 2, "");
	assert_int_equal(bench->n_warnings, 0);
}

/* libxl found interfaces and took it back; the device was never touched. */
static void test_xl_takes_back(void **state)
{
	struct usb_bench *bench = *state;

	bench_plug_in(bench, "3-1.5", 0x0951, 0x1666, "A");
	bench_guest(bench, 5, UUID_A);
	bench_write_node(bench, 5, 1, "3-1.5");
	bench_wait_ms(bench, 500);
	bench_write_node(bench, 5, 1, "");
	bench_expect_state(bench, 5, 1, BINDING_FREE);
	bench_wait_ms(bench, 5000);
	assert_int_equal(usb_fakes.n_host_opens, 0);
	assert_string_equal(usb_fakes.calls, "unconfigure 3-1.5;");
}

/* Written again with another device, or the same one: the time begins anew. */
static void test_change_during_hold(void **state)
{
	struct usb_bench *bench = *state;

	bench_plug_in(bench, "3-1", 0x0951, 0x1666, "A");
	bench_plug_in(bench, "3-2", 0x0951, 0x1666, "B");
	bench_guest(bench, 5, UUID_A);
	bench_write_node(bench, 5, 1, "3-1");
	bench_wait_ms(bench, 600);
	bench_write_node(bench, 5, 1, "3-2");
	bench_wait_ms(bench, 600);
	bench_expect_state(bench, 5, 1, BINDING_HELD);
	/* Emptied and written again before anybody looked. */
	bench_write(bench, "", BACKEND "/5/0/port/1");
	bench_write_node(bench, 5, 1, "3-2");
	bench_wait_ms(bench, 600);
	bench_expect_state(bench, 5, 1, BINDING_HELD);
	bench_wait_ms(bench, 400);
	bench_expect_state(bench, 5, 1, BINDING_ATTACHED);
	assert_string_equal(bench_plugged(bench, 5, 1), "3-2");
}

/* The event of a change is still on its way when the time is over: the node is read again. */
static void test_change_at_the_end(void **state)
{
	struct usb_bench *bench = *state;

	bench_plug_in(bench, "3-1", 0x0951, 0x1666, "A");
	bench_guest(bench, 5, UUID_A);
	bench_write_node(bench, 5, 1, "3-1");
	bench_write(bench, "", BACKEND "/5/0/port/1");
	clock_advance(&bench->clock, NSEC_PER_SEC);
	bindings_run(bench->ub.bindings); /* before the scanner hears of it */
	assert_int_equal(usb_fakes.n_host_opens, 0);
	bench_run(bench);
	bench_expect_state(bench, 5, 1, BINDING_FREE);
}

/* Attached before the guest's driver is there: it waits, and comes with the driver. */
static void test_driver_later(void **state)
{
	struct usb_bench *bench = *state;

	bench_plug_in(bench, "3-1", 0x0951, 0x1666, "A");
	bench_domain(bench, 5, UUID_A);
	bench_controller(bench, 5);
	bench_write_node(bench, 5, 1, "3-1");
	bench_wait_ms(bench, 1000);
	bench_expect_state(bench, 5, 1, BINDING_WAITING);
	bench_frontend_connects(bench, 5);
	bench_expect_state(bench, 5, 1, BINDING_ATTACHED);
	/* The driver is unloaded and loaded again. */
	bench_write(bench, "5", "/local/domain/5/device/vusb/0/state");
	bench_run(bench);
	bench_write(bench, "6", "/local/domain/5/device/vusb/0/state");
	bench_run(bench);
	bench_expect_state(bench, 5, 1, BINDING_WAITING);
	bench_expect_node(bench, 5, 1, "3-1");
	bench_write(bench, "1", "/local/domain/5/device/vusb/0/state");
	bench_run(bench);
	bench_frontend_connects(bench, 5);
	bench_wait_ms(bench, 1000);
	bench_expect_state(bench, 5, 1, BINDING_ATTACHED);
	assert_int_equal(usb_fakes.n_closed, 1);
	assert_int_equal(usb_fakes.n_kept, 0);
}

/* A yanked device: the node is cleared after a while, so that xl works for all domains. */
static void test_yank(void **state)
{
	struct usb_bench *bench = *state;

	bench_plug_in(bench, "3-1", 0x0951, 0x1666, "A");
	bench_guest(bench, 5, UUID_A);
	bench_write_node(bench, 5, 1, "3-1");
	bench_wait_ms(bench, 1000);
	bench_expect_calls("attach 1 3-1;");
	bench_yank(bench, "3-1");
	bench_expect_state(bench, 5, 1, BINDING_MISSING);
	bench_expect_calls("detach 1;");
	bench_wait_ms(bench, 1999);
	bench_expect_node(bench, 5, 1, "3-1");
	bench_wait_ms(bench, 1);
	bench_expect_node(bench, 5, 1, "");
	bench_expect_state(bench, 5, 1, BINDING_FREE);
	/* There is nothing to unconfigure, and it does not come back by itself. */
	bench_plug_in(bench, "3-1", 0x0951, 0x1666, "A");
	bench_wait_ms(bench, 5000);
	bench_expect_state(bench, 5, 1, BINDING_FREE);
	bench_expect_calls("");
}

/* The controller notices first; the host's list follows. */
static void test_yank_by_controller(void **state)
{
	struct usb_bench *bench = *state;

	bench_plug_in(bench, "3-1", 0x0951, 0x1666, "A");
	bench_guest(bench, 5, UUID_A);
	bench_write_node(bench, 5, 1, "3-1");
	bench_wait_ms(bench, 1000);
	fake_vusb_gone(bench_vusbdev(bench, 5)->vusb, 1);
	bench_run(bench);
	bench_expect_state(bench, 5, 1, BINDING_MISSING);
	bench_yank(bench, "3-1");
	bench_wait_ms(bench, 2000);
	bench_expect_node(bench, 5, 1, "");
	bench_expect_state(bench, 5, 1, BINDING_FREE);
}

/* A device that comes back at once under a new address (reset, new firmware) keeps its port. */
static void test_comes_back(void **state)
{
	struct usb_bench *bench = *state;

	bench_plug_in(bench, "3-1", 0x0951, 0x1666, "A");
	bench_guest(bench, 5, UUID_A);
	bench_write_node(bench, 5, 1, "3-1");
	bench_wait_ms(bench, 1000);
	bench_expect_calls("attach 1 3-1;");
	bench_yank(bench, "3-1");
	bench_wait_ms(bench, 1000);
	bench_plug_in(bench, "3-1", 0x0951, 0x1666, "A");
	bench_expect_state(bench, 5, 1, BINDING_ATTACHED);
	bench_expect_node(bench, 5, 1, "3-1");
	bench_expect_calls("detach 1;attach 1 3-1;");
	/* Both between two looks: only the address tells. */
	bench->devices[0].address++;
	bindings_set_devices(bench->ub.bindings, bench->devices, bench->n_devices);
	bench_run(bench);
	bench_expect_state(bench, 5, 1, BINDING_ATTACHED);
	bench_expect_calls("detach 1;attach 1 3-1;");
	/* The controller says gone, but the host still has it: tried again after a moment. */
	fake_vusb_gone(bench_vusbdev(bench, 5)->vusb, 1);
	bench_run(bench);
	bench_expect_state(bench, 5, 1, BINDING_MISSING);
	bench_wait_ms(bench, 500);
	bench_expect_state(bench, 5, 1, BINDING_ATTACHED);
	bench_expect_calls("attach 1 3-1;");
}

/* What a controller said before it was unplugged is not taken for its next device. */
static void test_late_letter(void **state)
{
	struct usb_bench *bench = *state;

	bench_plug_in(bench, "3-1", 0x0951, 0x1666, "A");
	bench_guest(bench, 5, UUID_A);
	bench_write_node(bench, 5, 1, "3-1");
	bench_wait_ms(bench, 1000);
	fake_vusb_gone(bench_vusbdev(bench, 5)->vusb, 1); /* not read yet */
	bench->devices[0].address++;
	bindings_set_devices(bench->ub.bindings, bench->devices, bench->n_devices);
	bindings_run(bench->ub.bindings);
	bench_expect_state(bench, 5, 1, BINDING_ATTACHED);
	bench_run(bench);
	bench_wait_ms(bench, 1000);
	bench_expect_state(bench, 5, 1, BINDING_ATTACHED);
	bench_expect_calls("attach 1 3-1;detach 1;attach 1 3-1;");
}

/* A device is in one place only; whoever waits gets it when it is free. */
static void test_conflict(void **state)
{
	struct usb_bench *bench = *state;

	bench_plug_in(bench, "3-1", 0x0951, 0x1666, "A");
	bench_guest(bench, 5, UUID_A);
	bench_guest(bench, 6, UUID_B);
	bench_write_node(bench, 5, 1, "3-1");
	bench_wait_ms(bench, 1000);
	bench_write_node(bench, 6, 3, "3-1");
	bench_wait_ms(bench, 1000);
	bench_expect_state(bench, 6, 3, BINDING_BLOCKED);
	bench_expect(bench, "3-1 is on port 1 of vusb5.0", BACKEND "/6/0/port-error/3");
	assert_int_equal(bench->n_warnings, 1);
	bench_wait_ms(bench, 60000);
	assert_int_equal(bench->n_warnings, 1);
	bench_write_node(bench, 5, 1, "");
	bench_expect_state(bench, 6, 3, BINDING_ATTACHED);
	bench_expect(bench, NULL, BACKEND "/6/0/port-error/3");
}

/* Text that is no bus id stops xl for all domains: taken away, and said. */
static void test_nonsense(void **state)
{
	struct usb_bench *bench = *state;

	bench_guest(bench, 5, UUID_A);
	bench_write_node(bench, 5, 1, "srv7:1-2");
	bench_expect_node(bench, 5, 1, "");
	bench_expect(bench,
		     "port/1 was \"srv7:1-2\"; allowed: the bus id of a device of this host, such "
		     "as 3-1.5, or nothing",
		     BACKEND "/5/0/port-error/1");
	assert_int_equal(bench->n_warnings, 1);
	bench_expect_state(bench, 5, 1, BINDING_FREE);
	/* A right id, but nothing there. */
	bench_write_node(bench, 5, 1, "7-7");
	bench_expect(bench, NULL, BACKEND "/5/0/port-error/1");
	bench_expect_state(bench, 5, 1, BINDING_MISSING);
	bench_wait_ms(bench, 2000);
	bench_expect_node(bench, 5, 1, "");
	bench_expect_state(bench, 5, 1, BINDING_FREE);
}

/* Failures are shown and tried again, further and further apart; what time cannot heal is not. */
static void test_failures(void **state)
{
	struct usb_bench *bench = *state;

	bench_plug_in(bench, "3-1", 0x0951, 0x1666, "A");
	bench_guest(bench, 5, UUID_A);
	usb_fakes.open_result = -EACCES;
	usb_fakes.error = "no right";
	bench_write_node(bench, 5, 1, "3-1");
	bench_wait_ms(bench, 1000);
	bench_expect_state(bench, 5, 1, BINDING_FAILED);
	bench_expect(bench, "3-1: no right", BACKEND "/5/0/port-error/1");
	assert_int_equal(bench_port(bench, 5, 1)->n_failures, 1);
	bench_wait_ms(bench, 999);
	assert_int_equal(bench_port(bench, 5, 1)->n_failures, 1);
	bench_wait_ms(bench, 1);
	assert_int_equal(bench_port(bench, 5, 1)->n_failures, 2);
	bench_wait_ms(bench, 1999);
	assert_int_equal(bench_port(bench, 5, 1)->n_failures, 2);
	assert_int_equal(bench->n_warnings, 1);
	usb_fakes.open_result = 0;
	usb_fakes.attach_result = -EPROTONOSUPPORT;
	usb_fakes.error = "too fast";
	bench_wait_ms(bench, 1);
	bench_expect(bench, "3-1: too fast", BACKEND "/5/0/port-error/1");
	usb_fakes.attach_result = 0;
	bench_wait_ms(bench, 3600000);
	bench_expect_state(bench, 5, 1, BINDING_FAILED);
	bench_write_node(bench, 5, 1, "");
	bench_write_node(bench, 5, 1, "3-1");
	bench_wait_ms(bench, 1000);
	bench_expect_state(bench, 5, 1, BINDING_ATTACHED);
	bench_expect(bench, NULL, BACKEND "/5/0/port-error/1");
}

/* Hubs, and devices that are too fast for a USB 1 controller, are refused without touching them. */
static void test_unfit(void **state)
{
	struct usb_bench *bench = *state;

	bench_plug_in(bench, "3-1", 0x0951, 0x1666, "A");
	bench_plug_in(bench, "3-2", 0x1d6b, 0x0002, "");
	bench->devices[1].hub = true;
	bindings_set_devices(bench->ub.bindings, bench->devices, bench->n_devices);
	bench_guest(bench, 5, UUID_A);
	bench_vusbdev(bench, 5)->usb_version = 1;
	bench_write_node(bench, 5, 1, "3-1");
	bench_write_node(bench, 5, 2, "3-2");
	bench_wait_ms(bench, 2000);
	bench_expect_state(bench, 5, 1, BINDING_BLOCKED);
	bench_expect_state(bench, 5, 2, BINDING_BLOCKED);
	bench_expect(bench, "3-2 is a hub; attach what is plugged into it",
		     BACKEND "/5/0/port-error/2");
	assert_non_null(strstr(bench_port(bench, 5, 1)->why, "version=2"));
	bench_expect_calls("");
	bench->devices[0].speed = USB_SPEED_FULL;
	bindings_set_devices(bench->ub.bindings, bench->devices, bench->n_devices);
	bench_run(bench);
	bench_expect_state(bench, 5, 1, BINDING_ATTACHED);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, bench_setup, bench_teardown)
	static const struct CMUnitTest tests[] = {
		TEST(test_xl_attach),
		TEST(test_xl_takes_back),
		TEST(test_change_during_hold),
		TEST(test_change_at_the_end),
		TEST(test_driver_later),
		TEST(test_yank),
		TEST(test_yank_by_controller),
		TEST(test_comes_back),
		TEST(test_late_letter),
		TEST(test_conflict),
		TEST(test_nonsense),
		TEST(test_failures),
		TEST(test_unfit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
