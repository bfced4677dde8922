/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-vusbdev.c - controllers through the xenbus states, restart of the daemon, replies. */
#include "usb-bench.h"

#include <errno.h>
#include <unistd.h>

#define BACKEND "/local/domain/0/backend/vusb"

/* InitWait is held for libxl to see it, also when the guest is faster. */
static void test_states(void **state)
{
	struct usb_bench *bench = *state;

	bench_domain(bench, 5, UUID_A);
	bench_controller(bench, 5);
	bench_expect(bench, "2", BACKEND "/5/0/state");
	bench_frontend_connects(bench, 5);
	bench_wait_ms(bench, 999);
	bench_expect(bench, "2", BACKEND "/5/0/state");
	bench_wait_ms(bench, 1);
	bench_expect(bench, "4", BACKEND "/5/0/state");
	assert_int_equal(bench_vusbdev(bench, 5)->vusb->config.urb_ref, 8);
	assert_int_equal(bench_vusbdev(bench, 5)->vusb->config.conn_ref, 9);
	assert_int_equal(bench_vusbdev(bench, 5)->vusb->config.event_channel, 5);
	assert_int_equal(bench_vusbdev(bench, 5)->vusb->config.n_ports, 4);
	assert_false(usb_fakes.adopted);
	/* xl usbctrl-detach: devices first, then the controller. */
	bench_write(bench, "0", BACKEND "/5/0/online");
	bench_write(bench, "5", BACKEND "/5/0/state");
	bench_run(bench);
	bench_write(bench, "6", "/local/domain/5/device/vusb/0/state");
	bench_run(bench);
	bench_expect(bench, "6", BACKEND "/5/0/state");
	assert_int_equal(usb_fakes.n_closed, 1);
	assert_int_equal(usb_fakes.n_kept, 0);
}

static void expect_error(struct usb_bench *bench, unsigned int domid, const char *words)
{
	AUTO_FREE char *error = bench_read(bench, BACKEND "/%u/0/error", domid);

	assert_non_null(error);
	if (!strstr(error, words))
		fail_msg("\"%s\" does not say \"%s\"", error, words);
}

/* What the toolstack wrote is wrong: closed with a reason, and served once it is right. */
static void test_bad_backend(void **state)
{
	static const struct {
		const char *key, *value, *words, *right;
	} bad[] = {
		{"usb-ver", "3", "usb-ver is \"3\": must be a number from 1 to 2", "2"},
		{"usb-ver", "", "usb-ver is \"\"", "1"},
		{"num-ports", "0", "num-ports is \"0\": must be a number from 1 to 31", "4"},
		{"num-ports", "32", "num-ports is \"32\"", "31"},
		{"num-ports", "4 ", "num-ports is \"4 \"", "1"},
	};
	struct usb_bench *bench = *state;

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		unsigned int domid = 10 + i;

		bench_domain(bench, domid, UUID_A);
		bench_stop(bench);
		bench_controller_with(bench, domid, bad[i].key, bad[i].value);
		bench_start(bench);
		expect_error(bench, domid, bad[i].words);
		assert_null(bindings_find(bench->ub.bindings, (uint16_t)domid, 0));
		bench_write(bench, bad[i].right, BACKEND "/%u/0/%s", domid, bad[i].key);
		bench_run(bench);
		assert_non_null(bindings_find(bench->ub.bindings, (uint16_t)domid, 0));
	}
}

/* What the guest wrote is wrong. */
static void test_bad_frontend(void **state)
{
	static const char *const keys[] = {"urb-ring-ref", "conn-ring-ref", "event-channel"};
	static const char *const values[] = {"", "-1", "4294967296", "8 ", "0x8", "99999999999"};
	struct usb_bench *bench = *state;
	unsigned int domid = 20;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		for (size_t j = 0; j < ARRAY_SIZE(values); j++, domid++) {
			bench_domain(bench, domid, UUID_A);
			bench_controller(bench, domid);
			bench_wait_ms(bench, 1000);
			bench_write(bench, "8", "/local/domain/%u/device/vusb/0/urb-ring-ref",
				    domid);
			bench_write(bench, "9", "/local/domain/%u/device/vusb/0/conn-ring-ref",
				    domid);
			bench_write(bench, "5", "/local/domain/%u/device/vusb/0/event-channel",
				    domid);
			bench_write(bench, values[j], "/local/domain/%u/device/vusb/0/%s", domid,
				    keys[i]);
			bench_write(bench, "4", "/local/domain/%u/device/vusb/0/state", domid);
			bench_run(bench);
			expect_error(bench, domid, keys[i]);
			bench_destroy(bench, domid);
		}
	assert_int_equal(usb_fakes.n_opened, 0);
	/* Missing. */
	bench_domain(bench, 5, UUID_A);
	bench_controller(bench, 5);
	bench_wait_ms(bench, 1000);
	bench_write(bench, "4", "/local/domain/5/device/vusb/0/state");
	bench_run(bench);
	expect_error(bench, 5, "did not write urb-ring-ref");
}

/* Rings that cannot be mapped, and rings that turn out to be hostile. */
static void test_bad_rings(void **state)
{
	struct usb_bench *bench = *state;

	usb_fakes.connect_result = -EINVAL;
	usb_fakes.error = "grant 8 cannot be mapped";
	bench_domain(bench, 5, UUID_A);
	bench_controller(bench, 5);
	bench_wait_ms(bench, 1000);
	bench_frontend_connects(bench, 5);
	expect_error(bench, 5, "grant 8 cannot be mapped");
	usb_fakes.connect_result = 0;
	bench_guest(bench, 6, UUID_B);
	fake_vusb_failed(bench_vusbdev(bench, 6)->vusb, "the request index ran away");
	bench_run(bench);
	expect_error(bench, 6, "the request index ran away");
	assert_null(bench_vusbdev(bench, 6)->vusb);
	assert_string_equal(bench_vusbdev(bench, 6)->failure, "the request index ran away");
}

/* The last words of rings that are closed meanwhile hit nobody. */
static void test_late_failure(void **state)
{
	struct usb_bench *bench = *state;

	bench_guest(bench, 5, UUID_A);
	fake_vusb_failed(bench_vusbdev(bench, 5)->vusb, "too late");
	bench_rm(bench, BACKEND "/5");
	bench_controller(bench, 5);
	bench_run(bench);
	bench_expect(bench, NULL, BACKEND "/5/0/error");
}

/* Stop and start: no state is written, nothing is held, the guest's devices stay. */
static void test_adopt(void **state)
{
	struct usb_bench *bench = *state;

	bench_plug_in(bench, "3-1", 0x0951, 0x1666, "A");
	bench_plug_in(bench, "3-2", 0x0951, 0x1667, "B");
	bench_policy(bench, UUID_A, 2, "device", "0951:1667");
	bench_policy(bench, UUID_A, 3, "device", "model:source-sink");
	bench_guest(bench, 5, UUID_A);
	bench_write_node(bench, 5, 1, "3-1");
	bench_wait_ms(bench, 1000);
	bench_stop(bench);
	bench_expect(bench, "4", BACKEND "/5/0/state");
	bench_expect_node(bench, 5, 1, "3-1");
	bench_expect_node(bench, 5, 2, "3-2");
	bench_expect_node(bench, 5, 3, NULL);
	assert_int_equal(usb_fakes.n_kept, 1);
	assert_null(strstr(usb_fakes.calls, "detach"));
	usb_fakes.calls[0] = '\0';
	bench_start(bench);
	assert_true(usb_fakes.adopted);
	bench_expect_calls("attach 1 3-1;attach 2 3-2;attach 3 model:source-sink;detach 4;");
	assert_int_equal(bench_port(bench, 5, 1)->source, SOURCE_XL);
	assert_int_equal(bench_port(bench, 5, 2)->source, SOURCE_POLICY);
	assert_int_equal(bench->n_warnings, 0);
}

/* A reserved device is configured while a guest has it; it is reserved again after a restart, too.
 */
static void test_reserved_again(void **state)
{
	struct usb_bench *bench = *state;
	char dir[] = "/tmp/xb-usb-XXXXXX";

	assert_non_null(mkdtemp(dir));
	strcpy(bench->journal_dir, dir);
	bench_stop(bench);
	bench_start(bench);
	bench_plug_in(bench, "3-1", 0x0951, 0x1666, "A");
	bench_plug_in(bench, "3-2", 0x0951, 0x1667, "B");
	bench->devices[0].reserved = true;
	bindings_set_devices(bench->ub.bindings, bench->devices, bench->n_devices);
	bench_policy(bench, UUID_A, 1, "device", "3-1");
	bench_policy(bench, UUID_A, 2, "device", "3-2");
	bench_guest(bench, 5, UUID_A);
	bench->devices[0].reserved = false; /* by the guest */
	bench_stop(bench);
	bench_start(bench);
	usb_fakes.calls[0] = '\0';
	bench_policy(bench, UUID_A, 1, NULL, NULL);
	bench_policy(bench, UUID_A, 2, NULL, NULL);
	bench_expect_calls("detach 1;unconfigure 3-1;detach 2;");
	assert_int_equal(rmdir(dir), 0); /* nothing is left in it */
}

/* Meanwhile a device was yanked, and the keys of another one removed. */
static void test_adopt_less(void **state)
{
	struct usb_bench *bench = *state;

	bench_plug_in(bench, "3-1", 0x0951, 0x1666, "A");
	bench_policy(bench, UUID_A, 3, "device", "model:source-sink");
	bench_guest(bench, 5, UUID_A);
	bench_write_node(bench, 5, 1, "3-1");
	bench_wait_ms(bench, 1000);
	bench_stop(bench);
	bench->n_devices = 0;
	bench_rm(bench, USBBACK_VM_PATH "/" UUID_A "/usb");
	usb_fakes.calls[0] = '\0';
	bench_start(bench);
	bench_expect_node(bench, 5, 3, "");
	bench_expect_calls("detach 2;detach 3;detach 4;");
	bench_expect_state(bench, 5, 1, BINDING_MISSING);
	bench_wait_ms(bench, 2000);
	bench_expect_node(bench, 5, 1, "");
	bench_expect_calls("detach 1;");
}

/* xenstored goes away and comes back: everything is looked at again. */
static void test_store_restart(void **state)
{
	struct usb_bench *bench = *state;

	bench_plug_in(bench, "3-1", 0x0951, 0x1666, "A");
	bench_guest(bench, 5, UUID_A);
	bench->dom0->ops->store_close(bench->tool);
	fake_fault(bench->fake, FAKE_FAULT_STORE_DOWN, 1);
	backend_run(bench->ub.backend);
	bindings_config_changed(bench->ub.bindings);
	bindings_run(bench->ub.bindings);
	bench_wait_ms(bench, 1000);
	fake_fault(bench->fake, FAKE_FAULT_STORE_DOWN, 0);
	assert_int_equal(bench->dom0->ops->store_open(bench->dom0, &bench->tool), 0);
	bench_write(bench, "3-1", BACKEND "/5/0/port/1");
	bench_wait_ms(bench, 10000);
	bench_expect_state(bench, 5, 1, BINDING_HELD);
	bench_wait_ms(bench, 1000);
	bench_expect_state(bench, 5, 1, BINDING_ATTACHED);
}

/* Nodes are written in transactions: repeated when others write, not at all when it is offline. */
static void test_node_writes(void **state)
{
	struct usb_bench *bench = *state;

	bench_guest(bench, 5, UUID_A);
	fake_fault(bench->fake, FAKE_FAULT_TXN_EAGAIN, 5);
	bench_policy(bench, UUID_A, 1, "device", "model:source-sink");
	bench_expect_node(bench, 5, 1, NULL);
	bench_expect_state(bench, 5, 1, BINDING_ATTACHED);
	bench_write(bench, "0", BACKEND "/5/0/online");
	bench_run(bench);
	bench_policy(bench, UUID_A, 1, NULL, NULL);
	bench_expect_node(bench, 5, 1, NULL);
	/* The directory is removed: nothing brings a piece of it back. */
	bench_rm(bench, BACKEND "/5/0");
	bench_policy(bench, UUID_A, 2, "device", "model:source-sink");
	assert_null(bench_read(bench, BACKEND "/5/0/port"));
	assert_null(bench_read(bench, BACKEND "/5/0"));
}

/* The reply of a command as text with sorted keys; free(). */
static char *ask(struct usb_bench *bench, const char *line)
{
	return ctl_handle(bench->app.ctl, line, strlen(line));
}

static void expect_reply(struct usb_bench *bench, const char *line, const char *words)
{
	AUTO_FREE char *reply = ask(bench, line);

	if (!strstr(reply, words))
		fail_msg("%s: \"%s\" does not say \"%s\"", line, reply, words);
}

static void test_commands(void **state)
{
	struct usb_bench *bench = *state;

	assert_int_equal(ctl_create(&bench->app.ctl, bench->event, NULL), 0);
	usbback_ctl_register(&bench->ub);
	bench_plug_in(bench, "3-1", 0x0951, 0x1666, "A");
	bench_guest(bench, 5, UUID_A);
#define CMD(name, args) "{\"cmd\": \"usb " name "\", \"args\": {" args "}}"
#define DEV		"\"domid\": 5, \"devid\": 0"
	expect_reply(bench, CMD("list", ""), "\"used_by\":null");
	expect_reply(bench, CMD("show", "\"domid\": 6, \"devid\": 0"), "there is no vusb6.0");
	expect_reply(bench, CMD("show", "\"domid\": \"5\""), "arguments domid");
	expect_reply(bench, CMD("show", DEV), "\"counters\":{\"urbs\":0");
	expect_reply(bench, CMD("attach", DEV), "argument device (a string) is needed");
	expect_reply(bench, CMD("attach", DEV ", \"device\": \"x\""), "\\\"x\\\" is refused");
	expect_reply(bench, CMD("attach", DEV ", \"device\": \"3-1\", \"port\":5"),
		     "has the ports 1 to 4");
	expect_reply(bench, CMD("attach", DEV ", \"device\": \"3-1\", \"quirks\": \"q\""),
		     "quirk \\\"q\\\"");
	expect_reply(bench, CMD("attach", DEV ", \"device\": \"3-1\", \"quirks\": \"zlp\""),
		     "\"state\":\"attached\"");
	bench_expect(bench, "3-1", USBBACK_VM_PATH "/" UUID_A "/usb/0/1/device");
	bench_expect(bench, "zlp", USBBACK_VM_PATH "/" UUID_A "/usb/0/1/quirks");
	expect_reply(bench, CMD("show", DEV), "\"address\":2");
	expect_reply(bench, CMD("list", ""), "\"used_by\":\"vusb5.0 port 1\"");
	expect_reply(bench, CMD("attach", DEV ", \"device\": \"3-1\", \"port\":2"),
		     "3-1 is on port 1 of vusb5.0");
	expect_reply(bench,
		     CMD("attach", DEV ", \"device\": \"model:disk,file=/x\", \"once\": true"),
		     "\"port\":2");
	bench_expect(bench, "model:disk,file=/x", USBBACK_ONCE_PATH "/5/usb/0/2/device");
	expect_reply(bench, CMD("attach", DEV ", \"device\": \"model:disk\", \"port\":1"),
		     "port 1 of vusb5.0 is taken by 3-1");
	expect_reply(bench, CMD("explain", DEV), "rings are mapped and served");
	expect_reply(bench, CMD("explain", DEV ", \"port\":4"), "nothing belongs here");
	expect_reply(bench, CMD("explain", DEV ", \"port\":0"), "has the ports 1 to 4");
	expect_reply(bench, CMD("detach", DEV), "argument port (a number) or device is needed");
	expect_reply(bench, CMD("detach", DEV ", \"device\": \"9-9\""), "has no \\\"9-9\\\"");
	expect_reply(bench, CMD("detach", DEV ", \"port\":4"), "nothing is attached there");
	/* xl takes it away, we bring it back. */
	bench_write_node(bench, 5, 1, "");
	expect_reply(bench, CMD("explain", DEV), "xenbackctl usb attach brings it back");
	expect_reply(bench, CMD("attach", DEV ", \"device\": \"3-1\", \"port\":1"),
		     "\"state\":\"attached\"");
	expect_reply(bench, CMD("detach", DEV ", \"device\": \"3-1\""), "\"state\":\"free\"");
	bench_expect(bench, NULL, USBBACK_VM_PATH "/" UUID_A "/usb/0/1");
	expect_reply(bench, CMD("detach", DEV ", \"port\":2"), "\"state\":\"free\"");
	bench_expect(bench, NULL, USBBACK_ONCE_PATH "/5/usb/0/2");
	/* What xl attached is detached as xl would. */
	bench_write_node(bench, 5, 3, "3-1");
	bench_wait_ms(bench, 1000);
	expect_reply(bench, CMD("detach", DEV ", \"port\":3"), "\"state\":\"free\"");
	bench_expect_node(bench, 5, 3, "");
	ctl_destroy(bench->app.ctl);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, bench_setup, bench_teardown)
	static const struct CMUnitTest tests[] = {
		TEST(test_states),	TEST(test_bad_backend),	   TEST(test_bad_frontend),
		TEST(test_bad_rings),	TEST(test_late_failure),   TEST(test_adopt),
		TEST(test_adopt_less),	TEST(test_reserved_again), TEST(test_store_restart),
		TEST(test_node_writes), TEST(test_commands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
