/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-bindings-policy.c - devices that a VM's keys name: reboot, replug, reserved nodes, mistakes.
 */
#include "usb-bench.h"

#include <errno.h>

#define BACKEND "/local/domain/0/backend/vusb"
#define POLICY	USBBACK_VM_PATH "/" UUID_A "/usb/0"

/* By its place: no hold, for xl is not in between; the node says what xl must know. */
static void test_busid(void **state)
{
	struct usb_bench *bench = *state;

	bench_plug_in(bench, "3-1", 0x0951, 0x1666, "A");
	bench_policy(bench, UUID_A, 2, "device", "3-1");
	bench_domain(bench, 5, UUID_A);
	bench_controller(bench, 5);
	bench_expect_node(bench, 5, 2, "3-1");
	bench_expect_state(bench, 5, 2, BINDING_WAITING);
	bench_frontend_connects(bench, 5);
	bench_wait_ms(bench, 1000);
	bench_expect_state(bench, 5, 2, BINDING_ATTACHED);
	bench_expect_calls("attach 2 3-1;");
	/* The key goes: so does the device. It was not reserved, so it is not unconfigured. */
	bench_policy(bench, UUID_A, 2, NULL, NULL);
	bench_expect_state(bench, 5, 2, BINDING_FREE);
	bench_expect_node(bench, 5, 2, "");
	bench_expect_calls("detach 2;");
	assert_int_equal(bench->n_warnings, 0);
}

/* A device comes back after a reboot of the guest: new domain, same UUID. */
static void test_reboot(void **state)
{
	struct usb_bench *bench = *state;

	bench_plug_in(bench, "3-1", 0x0951, 0x1666, "A");
	bench_policy(bench, UUID_A, 1, "device", "0951:1666");
	bench_guest(bench, 5, UUID_A);
	bench_expect_state(bench, 5, 1, BINDING_ATTACHED);
	bench_expect_node(bench, 5, 1, "3-1");
	bench_destroy(bench, 5);
	assert_null(bindings_owner(bench->ub.bindings, "3-1"));
	bench_guest(bench, 6, UUID_A);
	bench_expect_state(bench, 6, 1, BINDING_ATTACHED);
	bench_expect_node(bench, 6, 1, "3-1");
	/* Another VM has nothing to do with it. */
	bench_guest(bench, 7, UUID_B);
	bench_expect_state(bench, 7, 1, BINDING_FREE);
	bench_expect_node(bench, 7, 1, "");
}

/* A port that waits for its device is reserved: xl skips it. The device is taken when it comes. */
static void test_replug(void **state)
{
	struct usb_bench *bench = *state;

	bench_policy(bench, UUID_A, 1, "device", "0951:1666:A");
	bench_guest(bench, 5, UUID_A);
	bench_expect_state(bench, 5, 1, BINDING_MISSING);
	bench_expect_node(bench, 5, 1, NULL);
	bench_expect_node(bench, 5, 2, "");
	bench_plug_in(bench, "3-1", 0x0951, 0x1666, "B"); /* another one */
	bench_expect_state(bench, 5, 1, BINDING_MISSING);
	bench_plug_in(bench, "3-2", 0x0951, 0x1666, "A");
	bench_expect_state(bench, 5, 1, BINDING_ATTACHED);
	bench_expect_node(bench, 5, 1, "3-2");
	bench_yank(bench, "3-2");
	bench_expect_node(bench, 5, 1, "3-2");
	bench_wait_ms(bench, 2000);
	bench_expect_node(bench, 5, 1, NULL);
	bench_expect_state(bench, 5, 1, BINDING_MISSING);
	/* In another socket. */
	bench_plug_in(bench, "1-4.2", 0x0951, 0x1666, "A");
	bench_expect_state(bench, 5, 1, BINDING_ATTACHED);
	bench_expect_node(bench, 5, 1, "1-4.2");
	assert_int_equal(bench->n_warnings, 0);
}

/* Equal devices go one to each, the nearest number first. */
static void test_first_free(void **state)
{
	struct usb_bench *bench = *state;

	bench_plug_in(bench, "3-10", 0x0951, 0x1666, "A");
	bench_plug_in(bench, "3-9", 0x0951, 0x1666, "B");
	bench_policy(bench, UUID_A, 1, "device", "0951:1666");
	bench_policy(bench, UUID_B, 3, "device", "0951:1666");
	bench_guest(bench, 5, UUID_A);
	bench_guest(bench, 6, UUID_B);
	bench_expect_node(bench, 5, 1, "3-9");
	bench_expect_node(bench, 6, 3, "3-10");
	bench_policy(bench, UUID_A, 2, "device", "0951:1666");
	bench_expect_state(bench, 5, 2, BINDING_BLOCKED);
	bench_expect_node(bench, 5, 2, NULL);
	bench_expect(bench, "3-9 is on port 1 of vusb5.0", POLICY "/2/error");
	bench_destroy(bench, 6);
	bench_expect_state(bench, 5, 2, BINDING_ATTACHED);
	bench_expect(bench, NULL, POLICY "/2/error");
}

/* A model is nothing that xl knows: its port has no node, and gets it back afterwards. */
static void test_model(void **state)
{
	struct usb_bench *bench = *state;

	bench_policy(bench, UUID_A, 1, "device", "model:disk,file=/x.img");
	bench_guest(bench, 5, UUID_A);
	bench_expect_state(bench, 5, 1, BINDING_ATTACHED);
	bench_expect_node(bench, 5, 1, NULL);
	bench_expect_calls("attach 1 model:disk,file=/x.img;");
	bench_policy(bench, UUID_A, 1, "device", "model:source-sink");
	bench_expect_node(bench, 5, 1, NULL);
	bench_expect_calls("detach 1;attach 1 model:source-sink;");
	bench_policy(bench, UUID_A, 1, "device", "");
	bench_expect_node(bench, 5, 1, "");
	bench_expect_calls("detach 1;");
	/* An end of its own is tried again. */
	bench_policy(bench, UUID_A, 1, "device", "model:source-sink");
	fake_vusb_gone(bench_vusbdev(bench, 5)->vusb, 1);
	bench_run(bench);
	bench_expect_state(bench, 5, 1, BINDING_MISSING);
	bench_wait_ms(bench, 500);
	bench_expect_state(bench, 5, 1, BINDING_ATTACHED);
}

/* xl that was told the port's number puts a device on a reserved port: it is taken away again. */
static void test_forced_port(void **state)
{
	struct usb_bench *bench = *state;

	bench_plug_in(bench, "3-1", 0x0951, 0x1666, "A");
	bench_policy(bench, UUID_A, 1, "device", "model:source-sink");
	bench_guest(bench, 5, UUID_A);
	bench_expect_calls("attach 1 model:source-sink;");
	bench_write_node(bench, 5, 1, "3-1");
	bench_expect_node(bench, 5, 1, NULL);
	bench_expect(bench,
		     "port 1 is kept for model:source-sink by the VM's keys; 3-1 was not attached",
		     BACKEND "/5/0/port-error/1");
	bench_expect_state(bench, 5, 1, BINDING_ATTACHED);
	bench_expect_calls("");
	assert_null(bindings_owner(bench->ub.bindings, "3-1"));
}

/* xl was first: the policy waits, and says so. */
static void test_xl_was_first(void **state)
{
	struct usb_bench *bench = *state;

	bench_plug_in(bench, "3-1", 0x0951, 0x1666, "A");
	bench_guest(bench, 5, UUID_A);
	bench_write_node(bench, 5, 1, "3-1");
	bench_wait_ms(bench, 1000);
	bench_policy(bench, UUID_A, 1, "device", "model:source-sink");
	bench_expect_state(bench, 5, 1, BINDING_ATTACHED);
	bench_expect_node(bench, 5, 1, "3-1");
	bench_expect(bench, "port 1 has 3-1, which xl attached", POLICY "/1/error");
	bench_expect_calls("attach 1 3-1;");
	bench_write_node(bench, 5, 1, "");
	bench_expect_node(bench, 5, 1, NULL);
	bench_expect(bench, NULL, POLICY "/1/error");
	bench_expect_calls("detach 1;unconfigure 3-1;attach 1 model:source-sink;");
}

/* Both want the same: the device stays where it is, without a gap. */
static void test_same_wish(void **state)
{
	struct usb_bench *bench = *state;

	bench_plug_in(bench, "3-1", 0x0951, 0x1666, "A");
	bench_guest(bench, 5, UUID_A);
	bench_write_node(bench, 5, 1, "3-1");
	bench_wait_ms(bench, 1000);
	bench_policy(bench, UUID_A, 1, "device", "0951:1666");
	bench_expect_calls("attach 1 3-1;");
	assert_int_equal(bench_port(bench, 5, 1)->source, SOURCE_POLICY);
	/* A domain's file names the device as well: what xl wrote is held. */
	bench_destroy(bench, 5);
	bench_domain(bench, 6, UUID_A);
	bench_controller(bench, 6);
	bench_expect_node(bench, 6, 1, "3-1");
	assert_int_equal(bench->n_warnings, 0);
}

/* What xl detaches stays away until something says that it is wanted again. */
static void test_suspended(void **state)
{
	struct usb_bench *bench = *state;

	bench_plug_in(bench, "3-1", 0x0951, 0x1666, "A");
	bench_policy(bench, UUID_A, 1, "device", "0951:1666");
	bench_guest(bench, 5, UUID_A);
	bench_expect_calls("attach 1 3-1;");
	bench_write_node(bench, 5, 1, "");
	bench_expect_state(bench, 5, 1, BINDING_FREE);
	bench_expect_node(bench, 5, 1, "");
	bench_expect_calls("detach 1;");
	bench_wait_ms(bench, 60000);
	bench_expect_state(bench, 5, 1, BINDING_FREE);
	bench_policy(bench, UUID_A, 2, "quirks", "zlp"); /* other keys say nothing */
	bench_expect_state(bench, 5, 1, BINDING_FREE);
	/* Plugged in anew. */
	bench_yank(bench, "3-1");
	bench_plug_in(bench, "3-1", 0x0951, 0x1666, "A");
	bench_expect_state(bench, 5, 1, BINDING_ATTACHED);
	/* The key changes. */
	bench_write_node(bench, 5, 1, "");
	bench_expect_state(bench, 5, 1, BINDING_FREE);
	bench_policy(bench, UUID_A, 1, "device", "3-1");
	bench_expect_state(bench, 5, 1, BINDING_ATTACHED);
	/* The guest is started anew. */
	bench_write_node(bench, 5, 1, "");
	bench_destroy(bench, 5);
	bench_guest(bench, 6, UUID_A);
	bench_expect_state(bench, 6, 1, BINDING_ATTACHED);
}

/* Wrong keys: the old wish stays, one line, one node that says why. */
static void test_mistakes(void **state)
{
	struct usb_bench *bench = *state;
	AUTO_FREE char *error = NULL;

	bench_policy(bench, UUID_A, 1, "device", "model:source-sink");
	bench_guest(bench, 5, UUID_A);
	bench_policy(bench, UUID_A, 1, "device", "bananas");
	bench_expect_state(bench, 5, 1, BINDING_ATTACHED);
	error = bench_read(bench, POLICY "/1/error");
	assert_non_null(error);
	assert_non_null(strstr(error, "\"bananas\""));
	assert_non_null(strstr(error, "VID:PID:SERIAL"));
	assert_int_equal(bench->n_warnings, 1);
	bindings_config_changed(bench->ub.bindings);
	bench_run(bench);
	assert_int_equal(bench->n_warnings, 1);
	bench_policy(bench, UUID_A, 1, "device", "model:source-sink");
	bench_expect(bench, NULL, POLICY "/1/error");
	bench_policy(bench, UUID_A, 1, "quirks", "fast");
	assert_non_null(strstr(bench->last_warning, "\"fast\""));
	bench_policy(bench, UUID_A, 2, "device", "model:toaster");
	bench_expect(bench, "model \"toaster\": none of disk, source-sink", POLICY "/2/error");
	bench_expect_state(bench, 5, 2, BINDING_FREE);
	bench_expect_node(bench, 5, 2, "");
	bench_policy(bench, UUID_A, 5, "device", "3-1");
	bench_expect(bench, "port \"5\": vusb5.0 has the ports 1 to 4", POLICY "/5/error");
	bench_policy(bench, UUID_A, 3, "colour", "red");
	assert_non_null(strstr(bench->last_warning, "colour"));
}

/* Quirks of the keys: for the device of the keys, or, when they name none, for xl's. */
static void test_quirks(void **state)
{
	struct usb_bench *bench = *state;
	const struct vusb *vusb;

	bench_plug_in(bench, "3-1", 0x0951, 0x1666, "A");
	bench_plug_in(bench, "3-2", 0x1a86, 0x7523, "B");
	bench_policy(bench, UUID_A, 1, "quirks", "zlp,reset=never");
	bench_policy(bench, UUID_A, 2, "device", "3-2");
	bench_policy(bench, UUID_A, 2, "quirks", "zlp");
	bench_guest(bench, 5, UUID_A);
	bench_write_node(bench, 5, 1, "3-1");
	bench_wait_ms(bench, 1000);
	vusb = bench_vusbdev(bench, 5)->vusb;
	assert_true(vusb->quirks[1].zlp);
	assert_int_equal(vusb->quirks[1].reset, QUIRK_RESET_NEVER);
	assert_false(vusb->quirks[1].no_merge);
	assert_true(vusb->quirks[2].zlp);
	assert_true(vusb->quirks[2].no_merge); /* the device's own */
}

/* Attached for this run of the guest only. */
static void test_once(void **state)
{
	struct usb_bench *bench = *state;

	bench_guest(bench, 5, UUID_A);
	bench_write(bench, "model:source-sink", USBBACK_ONCE_PATH "/5/usb/0/3/device");
	bindings_config_changed(bench->ub.bindings);
	bench_run(bench);
	bench_expect_state(bench, 5, 3, BINDING_ATTACHED);
	assert_int_equal(bench_port(bench, 5, 3)->source, SOURCE_ONCE);
	bench_stop(bench);
	bench_expect(bench, "model:source-sink", USBBACK_ONCE_PATH "/5/usb/0/3/device");
	bench_start(bench);
	bench_expect_state(bench, 5, 3, BINDING_ATTACHED);
	bench_destroy(bench, 5);
	bench_expect(bench, NULL, USBBACK_ONCE_PATH "/5");
	/* A domain that ended while nobody was here. */
	bench_write(bench, "model:source-sink", USBBACK_ONCE_PATH "/9/usb/0/3/device");
	bench_stop(bench);
	bench_start(bench);
	bench_expect(bench, NULL, USBBACK_ONCE_PATH "/9");
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, bench_setup, bench_teardown)
	static const struct CMUnitTest tests[] = {
		TEST(test_busid),	 TEST(test_reboot),    TEST(test_replug),
		TEST(test_first_free),	 TEST(test_model),     TEST(test_forced_port),
		TEST(test_xl_was_first), TEST(test_same_wish), TEST(test_suspended),
		TEST(test_mistakes),	 TEST(test_quirks),    TEST(test_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
