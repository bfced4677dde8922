/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-vusb-thread.c - a controller with its thread, by vusb.h alone, and what it looks like.
 *
 * The fake Xen belongs to one thread at a time: the guest has its turn before the controller begins
 * and after it ended.
 */
#include "vusb-lab.h"

#include <errno.h>
#include <pthread.h>

#include "mailbox.h"

static pthread_t opened_by;

static int open_here(struct usb_host **host, void *arg, sd_event *event, struct clock *clock,
		     char *error, size_t error_size)
{
	opened_by = pthread_self();
	return fake_host_open(host, arg, event, clock, error, error_size);
}

static int attach(struct lab *lab, struct vusb *vusb, unsigned int port, unsigned int i)
{
	struct vusb_device device = {.name = "3-1.5", .open = open_here, .arg = &lab->hosts[i]};
	char error[256] = "";
	int rc;

	device.quirks.reset = QUIRK_RESET_NEVER; /* nobody turns the fake here */
	rc = vusb_attach(vusb, port, &device, error, sizeof(error));
	assert_int_equal(rc < 0, error[0] != '\0');
	return rc;
}

static void expect_json(struct vusb *vusb, unsigned int n_ports, const char *device)
{
	json_t *all = vusb_to_json(vusb), *ports = json_object_get(all, "ports");

	assert_non_null(all);
	assert_int_equal(json_integer_value(json_object_get(all, "ring_slots")), 16);
	assert_int_equal(json_array_size(ports), n_ports);
	if (n_ports) {
		json_t *port = json_array_get(ports, 0);

		assert_string_equal(json_string_value(json_object_get(port, "device")), device);
		assert_string_equal(json_string_value(json_object_get(port, "id")), "1209:0001");
		assert_string_equal(json_string_value(json_object_get(port, "speed")), "high");
	}
	json_decref(all);
}

static void test_thread(void **state)
{
	struct lab *lab = *state;
	struct vusb_events events = {.mail = lab->mail};
	char error[256];
	struct vusb *vusb;

	lab_start(lab);
	lab_end(lab);
	assert_int_equal(vusb_open(&vusb, lab->dom0, &clock_monotonic, &lab->config, &events, error,
				   sizeof(error)),
			 0);
	assert_int_equal(attach(lab, vusb, 1, 0), 0);
	assert_false(pthread_equal(opened_by, pthread_self()));
	assert_int_equal(attach(lab, vusb, 1, 1), -EBUSY);
	assert_int_equal(attach(lab, vusb, 0, 1), -EINVAL);
	expect_json(vusb, 1, "3-1.5");
	vusb_detach(vusb, 1);
	vusb_detach(vusb, 0);
	vusb_detach(vusb, 99);
	expect_json(vusb, 0, NULL);
	assert_int_equal(attach(lab, vusb, 2, 0), 0);
	expect_json(vusb, 1, "3-1.5");
	assert_int_equal(vusb_stats(vusb)->urbs, 0);
	vusb_close(vusb, false);
	lab_run(lab);
	/* How much of it the guest was told depends on who was faster; never the half of it. */
	assert_int_equal(usbfront_info(lab->front)->speeds[1], USB_SPEED_UNKNOWN);
	assert_int_equal(lab->hosts[0].n_opens, 2);
}

static void test_fails(void **state)
{
	struct lab *lab = *state;
	struct vusb_events events = {.mail = lab->mail};
	struct vusb_config config;
	char error[256] = "";
	struct vusb *vusb;

	lab_start(lab);
	lab_end(lab);
	config = lab->config;
	config.urb_ref = 0x7ffffff0u;
	assert_true(vusb_open(&vusb, lab->dom0, &clock_monotonic, &config, &events, error,
			      sizeof(error)) < 0);
	assert_non_null(strstr(error, "urb-ring-ref"));
}

/* --- what it looks like: in the controller's thread --- */

static void test_describe(void **state)
{
	struct lab *lab = *state;
	json_t *all, *port, *pipe = NULL, *each;
	uint32_t at = 0;
	size_t i;

	lab_start(lab);
	lab_plug_quirks(lab, 4, 0, "zlp,reset=never,clear-halt=host,read-ahead=64KiB,no-merge");
	lab_pass(lab);
	lab_enumerate(lab, 4, 6);
	lab_queue(lab, 4, 6, FAKE_BULK_OUT, 2, 512, false, &at);
	lab_run(lab);
	all = vusb_describe(lab->vusb);
	assert_int_equal(json_integer_value(json_object_get(all, "requests")), 2);
	assert_string_equal(json_string_value(json_object_get(all, "failure")), "");
	port = json_array_get(json_object_get(all, "ports"), 0);
	assert_int_equal(json_integer_value(json_object_get(port, "port")), 4);
	assert_int_equal(json_integer_value(json_object_get(port, "address")), 6);
	assert_int_equal(json_integer_value(json_object_get(port, "configuration")), 1);
	assert_int_equal(json_array_size(json_object_get(port, "quirks")), 5);
	assert_int_equal(json_array_size(json_object_get(port, "pipes")), 5);
	json_array_foreach(json_object_get(port, "pipes"), i, each)
	{
		if (strcmp(json_string_value(json_object_get(each, "endpoint")), "0x06") == 0)
			pipe = each;
	}
	assert_non_null(pipe);
	assert_string_equal(json_string_value(json_object_get(pipe, "type")), "bulk");
	assert_string_equal(json_string_value(json_object_get(pipe, "state")), "DATA");
	assert_int_equal(json_integer_value(json_object_get(pipe, "urbs")), 2);
	assert_int_equal(json_integer_value(json_object_get(pipe, "max_packet")), 512);
	json_decref(all);
	lab->vusb->conn_ring.page->req_prod += 1000;
	lab->bad_guest = true;
	vusb_unplug(&lab->vusb->ports[4]);
	lab_pass(lab);
	all = vusb_describe(lab->vusb);
	assert_non_null(strstr(json_string_value(json_object_get(all, "failure")), "connection"));
	json_decref(all);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, lab_setup, lab_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_thread),
		TEST(test_fails),
		TEST(test_describe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
