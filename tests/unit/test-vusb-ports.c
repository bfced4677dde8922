/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-vusb-ports.c - devices that come and go: events to the guest, requests that were under way.
 */
#include "vusb-lab.h"

#include <errno.h>

#define HOST(lab) (&(lab)->hosts[0])

static void unplug(struct lab *lab, unsigned int port)
{
	vusb_unplug(&lab->vusb->ports[port]);
}

/* --- plugging --- */

static void test_plug(void **state)
{
	struct lab *lab = *state;

	lab_start(lab);
	assert_int_equal(lab_plug(lab, 0, 0), -EINVAL);
	assert_int_equal(lab_plug(lab, LAB_PORTS + 1, 0), -EINVAL);
	assert_int_equal(lab_plug(lab, LAB_PORTS, 0), 0);
	assert_int_equal(lab_plug(lab, LAB_PORTS, 1), -EBUSY);
	assert_int_equal(lab->hosts[1].n_opens, 0);
	assert_int_equal(lab_plug(lab, 1, 1), 0);
	lab_pass(lab);
	assert_string_equal(lab->ports, "1H8H");
	unplug(lab, 2); /* nothing there */
	unplug(lab, 8);
	unplug(lab, 8);
	lab_pass(lab);
	assert_string_equal(lab->ports, "1H8H8-");
	assert_false(HOST(lab)->is_open);
	assert_string_equal(lab->gone, ""); /* who unplugs knows it */
}

/* Devices that cannot be had leave nothing behind. */
static void test_refused(void **state)
{
	struct lab *lab = *state;

	lab_start(lab);
	HOST(lab)->open_error = -EACCES;
	assert_int_equal(lab_plug(lab, 1, 0), -EACCES);
	HOST(lab)->open_error = 0;
	HOST(lab)->host.n_descriptors = 17;
	assert_int_equal(lab_plug(lab, 1, 0), -EPROTO);
	HOST(lab)->host.n_descriptors = 18; /* a device without a configuration is one */
	assert_int_equal(lab_plug(lab, 1, 0), 0);
	unplug(lab, 1);
	HOST(lab)->host.speed = (enum usb_device_speed)77;
	assert_int_equal(lab_plug(lab, 1, 0), -EPROTONOSUPPORT);
	lab_pass(lab);
	assert_string_equal(lab->ports, "");
	assert_false(HOST(lab)->is_open);
}

/* The guest hears of a device when it is ready, however long that takes. */
static void test_preparing(void **state)
{
	struct lab *lab = *state;
	struct lab_urb *urb;

	lab_start(lab);
	HOST(lab)->hold_changes = true;
	assert_int_equal(lab_plug(lab, 1, 0), 0);
	lab_pass(lab);
	assert_string_equal(lab->ports, "");
	urb = lab_control_start(lab, 1, 0, USB_DIR_IN, USB_REQ_GET_DESCRIPTOR, 0x100, 0, 64);
	lab_run(lab);
	lab_expect(urb, -ENODEV, 0); /* a guest that asks anyway */
	unplug(lab, 1);		     /* in the middle of it */
	lab_pass(lab);
	assert_string_equal(lab->ports, "");
	assert_int_equal(lab_plug(lab, 1, 0), 0);
	HOST(lab)->change_status = -EPROTO; /* cannot be reset: the guest may try */
	HOST(lab)->hold_changes = false;
	lab_pass(lab);
	assert_string_equal(lab->ports, "1H");
}

static void test_preparing_vanishes(void **state)
{
	struct lab *lab = *state;

	lab_start(lab);
	HOST(lab)->change_status = -ENODEV;
	assert_int_equal(lab_plug(lab, 1, 0), 0);
	lab_advance(lab, 0);
	assert_string_equal(lab->ports, "");
	assert_string_equal(lab->gone, "1,");
	HOST(lab)->change_status = 0;
	HOST(lab)->change_error = -ENODEV;
	assert_int_equal(lab_plug(lab, 1, 0), 0);
	lab_advance(lab, 0);
	assert_string_equal(lab->ports, "");
	assert_string_equal(lab->gone, "1,1,");
}

/* --- requests under way --- */

/* One of every kind, in every state. */
static void start_everything(struct lab *lab, struct lab_urb *urbs[8])
{
	uint32_t at = 0;

	HOST(lab)->hold_control = true;
	urbs[0] = lab_control_start(lab, 1, 2, USB_DIR_IN, USB_REQ_GET_STATUS, 0, 0, 2);
	urbs[1] = lab_control_start(lab, 1, 2, 0, USB_REQ_SET_CONFIGURATION, 1, 0, 0);
	urbs[2] = lab_queue(lab, 1, 2, FAKE_DISK_IN, 1, 4096, true, NULL);
	urbs[3] = lab_queue(lab, 1, 2, FAKE_DISK_IN, 1, 4096, false, NULL);
	urbs[4] = lab_queue(lab, 1, 2, FAKE_BULK_OUT, 1, 4096, false, &at);
	urbs[5] = lab_queue(lab, 1, 2, FAKE_BULK_IN, 1, 4096, false, NULL);
	urbs[6] = lab_queue(lab, 1, 2, FAKE_INT_IN, 1, 8, false, NULL);
	urbs[7] = lab_queue(lab, 1, 2, FAKE_INT_IN, 1, 8, false, NULL);
	lab_run(lab);
}

static void expect_everything(struct lab *lab, struct lab_urb *urbs[8])
{
	for (unsigned int i = 0; i < 8; i++)
		lab_expect(urbs[i], -ENODEV, 0);
	assert_int_equal(usbfront_in_flight(lab->front), 0);
	assert_int_equal(lab->vusb->urb_ring.req_cons, lab->vusb->urb_ring.rsp_prod);
	assert_string_equal(lab->ports, "1H1-");
	assert_false(HOST(lab)->is_open);
	assert_int_equal(lab->vusb->ports[1].view->address, 0);
}

static void test_vanishes(void **state)
{
	for (unsigned int how = 0; how < 4; how++) {
		struct lab_urb *urbs[8];
		struct lab *lab;

		if (how)
			lab_setup(state);
		lab = *state;
		lab_up(lab);
		start_everything(lab, urbs);
		if (how == 3) {
			unplug(lab, 1);
		} else {
			/* Told before, behind, or only by its transfers. */
			fake_host_vanish(HOST(lab), how == 1);
			if (how == 2)
				vusb_pass(lab->vusb);
		}
		lab_pass(lab);
		expect_everything(lab, urbs);
		assert_string_equal(lab->gone, how == 3 ? "" : "1,");
		/* Another one takes its place. */
		HOST(lab)->hold_control = false;
		assert_int_equal(lab_plug(lab, 1, 1), 0);
		lab_pass(lab);
		assert_string_equal(lab->ports, "1H1-1H");
		lab_enumerate(lab, 1, 2);
		if (how < 3)
			lab_teardown(state);
	}
}

/* In the middle of a change, whose end never comes. */
static void test_unplug_in_change(void **state)
{
	struct lab *lab = *state;
	struct lab_urb *set, *waits;

	lab_up(lab);
	HOST(lab)->hold_changes = true;
	set = lab_control_start(lab, 1, 2, 0, USB_REQ_SET_CONFIGURATION, 2, 0, 0);
	lab_run(lab);
	assert_non_null(HOST(lab)->change);
	waits = lab_queue(lab, 1, 2, FAKE_BULK_IN, 1, 512, false, NULL);
	lab_run(lab);
	assert_false(waits->done);
	unplug(lab, 1);
	lab_pass(lab);
	lab_expect(set, -ENODEV, 0);
	lab_expect(waits, -ENODEV, 0);
	HOST(lab)->hold_changes = false;
	assert_int_equal(lab_plug(lab, 1, 0), 0);
	lab_pass(lab);
	lab_enumerate(lab, 1, 2);
	assert_int_equal(lab->vusb->ports[1].view->configuration, 1);
}

/* What ended before the device was closed counts. */
static void test_ended_before(void **state)
{
	struct lab *lab = *state;
	struct lab_urb *urbs;
	uint32_t at = 0;

	lab_up(lab);
	urbs = lab_queue(lab, 1, 2, FAKE_BULK_IN, 2, 512, false, NULL);
	lab_run(lab);
	fake_host_give(HOST(lab), FAKE_BULK_IN, 0, 512, &at);
	unplug(lab, 1);
	lab_pass(lab);
	lab_expect(&urbs[0], 0, 512);
	lab_expect_bytes(&urbs[0], 0);
	lab_expect(&urbs[1], -ENODEV, 0);
}

/* --- events --- */

/* Another device, before the guest heard that the first one is gone: it hears of both, and nothing
 * that it sends meanwhile reaches the new one. */
static void test_replug(void **state)
{
	struct lab *lab = *state;
	struct lab_urb *bulk, *control, *zero;

	lab_up(lab);
	lab_plug(lab, 3, 1);
	unplug(lab, 3); /* one that it never heard of */
	unplug(lab, 1);
	assert_int_equal(lab_plug(lab, 1, 1), 0);
	bulk = lab_queue(lab, 1, 2, FAKE_BULK_IN, 1, 512, false, NULL);
	control = lab_control_start(lab, 1, 2, USB_DIR_IN, USB_REQ_GET_STATUS, 0, 0, 2);
	zero = lab_control_start(lab, 1, 0, USB_DIR_IN, USB_REQ_GET_DESCRIPTOR, 0x100, 0, 64);
	lab_pass(lab);
	lab_expect(bulk, -ENODEV, 0);
	lab_expect(control, -ENODEV, 0);
	lab_expect(zero, -ENODEV, 0);
	assert_int_equal(lab->hosts[1].n_records, 0);
	assert_string_equal(lab->ports, "1H1-1H");
	lab_enumerate(lab, 1, 2);
}

/* A guest that does not look: places for events run out; what it finds then is consistent, and the
 * present state follows as soon as there is room. */
static void test_no_room(void **state)
{
	struct lab *lab = *state;
	const char *ports;

	lab_up(lab);
	for (unsigned int i = 0; i < 400; i++) {
		unplug(lab, 1);
		vusb_pass(lab->vusb);
		assert_int_equal(lab_plug(lab, 1, 0), 0);
		vusb_pass(lab->vusb);
		assert_true(fake_host_run(HOST(lab)));
		vusb_pass(lab->vusb);
	}
	assert_true(lab->vusb->untold);
	assert_int_equal(lab->vusb->conn_ring.rsp_prod, lab->vusb->conn_ring.page->req_prod);
	unplug(lab, 1);
	vusb_pass(lab->vusb);
	assert_int_equal(lab_plug(lab, 2, 1), 0);
	lab_pass(lab);
	assert_false(lab->vusb->untold);
	/* lab->ports has but the beginning; complaints would show an event out of turn. */
	ports = lab->ports;
	assert_memory_equal(ports, "1H1-1H1-1H", 10);
	assert_int_equal(usbfront_info(lab->front)->speeds[1], USB_SPEED_UNKNOWN);
	assert_int_equal(usbfront_info(lab->front)->speeds[2], USB_SPEED_HIGH);
	assert_int_equal(usbfront_stats(lab->front)->repeats, 0);
}

/* The guest makes room between the controller's look and its sleep. */
static void test_room_at_last_moment(void **state)
{
	struct lab *lab = *state;
	struct ring_page *page;
	uint32_t all;

	lab_up(lab);
	page = lab->vusb->conn_ring.page;
	all = page->req_prod;
	__atomic_store_n(&page->req_prod, lab->vusb->conn_ring.req_cons, __ATOMIC_RELEASE);
	unplug(lab, 1);
	lab_pass(lab);
	assert_true(lab->vusb->untold);
	__atomic_store_n(&page->req_prod, all, __ATOMIC_RELEASE);
	assert_int_equal(page->req_event, lab->vusb->conn_ring.req_cons + 1); /* it asked */
	lab_pass(lab);
	assert_string_equal(lab->ports, "1H1-");
}

/* A guest that is quick: it makes room as soon as it is told, before the controller has asked to
 * hear of that. */
static struct {
	struct xen_ops ops;
	const struct xen_ops *real;
	struct ring_page *page;
	uint32_t all;
} quick;

static int notify_and_make_room(struct xen_evt *evt, uint32_t port)
{
	__atomic_store_n(&quick.page->req_prod, quick.all, __ATOMIC_RELEASE);
	return quick.real->evt_notify(evt, port);
}

static void test_quick_guest(void **state)
{
	struct lab *lab = *state;

	lab_up(lab);
	assert_int_equal(lab_plug(lab, 2, 1), 0);
	lab_pass(lab);
	quick.real = lab->dom0->ops;
	quick.ops = *quick.real;
	quick.ops.evt_notify = notify_and_make_room;
	quick.page = lab->vusb->conn_ring.page;
	quick.all = quick.page->req_prod;
	__atomic_store_n(&quick.page->req_prod, lab->vusb->conn_ring.req_cons + 1,
			 __ATOMIC_RELEASE); /* one place for two events */
	lab->dom0->ops = &quick.ops;
	unplug(lab, 1);
	unplug(lab, 2);
	vusb_pass(lab->vusb);
	assert_false(lab->vusb->untold);
	lab->dom0->ops = quick.real;
	lab_run(lab);
	assert_string_equal(lab->ports, "1H2H1-2-");
}

static void test_conn_lies(void **state)
{
	struct lab *lab = *state;

	lab_up(lab);
	lab->bad_guest = true;
	lab->vusb->conn_ring.page->req_prod += 1000;
	unplug(lab, 1);
	lab_pass(lab);
	assert_non_null(strstr(lab->failed, "connection ring"));
	assert_int_equal(lab_plug(lab, 1, 0), 0); /* nobody is served, nothing breaks */
	lab_pass(lab);
}

/* --- the end --- */

/* A clean end answers everything. */
static void test_close(void **state)
{
	struct lab *lab = *state;
	struct lab_urb *urbs[8];

	lab_up(lab);
	start_everything(lab, urbs);
	lab_end(lab);
	lab_run(lab);
	for (unsigned int i = 0; i < 8; i++)
		lab_expect(urbs[i], -ENODEV, 0);
	assert_int_equal(fake_mapped(lab->fake, LAB_DOMID), 0);
}

/* What is needed cannot be had: a sentence, and nothing left. */
static void test_start_fails(void **state)
{
	struct lab *lab = *state;
	struct vusb_events events = {.mail = NULL};
	char error[256];

	lab_up(lab);
	lab_end(lab);
	for (unsigned int i = 0; i < 6; i++) {
		struct vusb_config config = lab->config;
		const char *words = "cannot be mapped";

		error[0] = '\0';
		switch (i) {
		case 0:
			fake_fault(lab->fake, FAKE_FAULT_MAP, 1);
			break;
		case 1:
			config.urb_ref = 0x7ffffff0u;
			break;
		case 2:
			config.conn_ref = 0x7ffffff0u;
			words = "conn-ring-ref";
			break;
		case 3:
			fake_fault(lab->fake, FAKE_FAULT_EVT_BIND, 1);
			words = "cannot be bound";
			break;
		case 4:
			config.journal_dir = "/nonexistent";
			words = "/nonexistent/vusb7.0.journal";
			break;
		case 5:
			config.adopt = true;
			words = "vusb7.0.journal";
			break;
		}
		assert_true(vusb_start(&lab->vusb, lab->dom0, &lab->clock, &config, &events,
				       lab->event, error, sizeof(error)) < 0);
		if (!strstr(error, words))
			fail_msg("\"%s\" does not say \"%s\"", error, words);
		assert_int_equal(fake_mapped(lab->fake, LAB_DOMID), 0);
	}
	lab->vusb = NULL;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, lab_setup, lab_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_plug),	 TEST(test_refused),
		TEST(test_preparing),	 TEST(test_preparing_vanishes),
		TEST(test_vanishes),	 TEST(test_unplug_in_change),
		TEST(test_ended_before), TEST(test_replug),
		TEST(test_no_room),	 TEST(test_room_at_last_moment),
		TEST(test_quick_guest),	 TEST(test_conn_lies),
		TEST(test_close),	 TEST(test_start_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
