/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-vusb-restart.c - kill -9 of the daemon: its successor answers what was open, once, and the
 * guest keeps its devices. */
#include "vusb-lab.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define HOST(lab) (&(lab)->hosts[0])

static void restart(struct lab *lab)
{
	lab_kill(lab);
	HOST(lab)->n_records = HOST(lab)->n_changes = 0;
	lab_serve(lab, true);
}

/* --- requests --- */

static void test_open_requests(void **state)
{
	struct lab *lab = *state;
	struct lab_urb *urbs[16], *later;
	uint32_t at = 0;

	lab_up(lab);
	HOST(lab)->hold_control = true;
	urbs[0] = lab_control_start(lab, 1, 2, USB_DIR_IN, USB_REQ_GET_STATUS, 0, 0, 2);
	urbs[1] = lab_queue(lab, 1, 2, FAKE_DISK_IN, 1, 4096, false, NULL);
	urbs[2] = lab_queue(lab, 1, 2, FAKE_BULK_OUT, 1, 4096, false, &at);
	urbs[3] = lab_queue(lab, 1, 2, FAKE_INT_IN, 1, 8, false, NULL);
	urbs[4] = lab_queue(lab, 1, 2, FAKE_BULK_IN, 1, 512, false, NULL);
	urbs[5] = lab_queue(lab, 1, 2, FAKE_BULK_IN, 1, 512, false, NULL);
	lab_run(lab);
	/* Answered out of order: responses lie over requests that are open. */
	fake_host_give(HOST(lab), FAKE_BULK_IN, 0, 512, &at);
	fake_host_give(HOST(lab), FAKE_BULK_OUT, 0, 4096, NULL);
	lab_pass(lab);
	lab_expect(urbs[4], 0, 512);
	lab_expect(urbs[2], 0, 4096);
	restart(lab);
	assert_int_equal(fake_host_flying(HOST(lab), FAKE_DISK_IN), 0);
	/* The guest goes on meanwhile: that waits until the device is back. */
	later = lab_queue(lab, 1, 2, FAKE_BULK_IN, 1, 512, false, NULL);
	lab_run(lab);
	assert_false(urbs[0]->done || later->done);
	assert_int_equal(lab->vusb->urb_ring.req_cons - lab->vusb->urb_ring.rsp_prod, 4);
	assert_int_equal(lab_plug(lab, 1, 0), 0);
	lab_pass(lab);
	assert_string_equal(lab->ports, "1H"); /* it saw nothing */
	lab_expect(urbs[0], -EPROTO, 0);
	lab_expect(urbs[1], -EPROTO, 0);
	lab_expect(urbs[3], -EPROTO, 0);
	lab_expect(urbs[5], -EPROTO, 0);
	at = 0;
	fake_host_give(HOST(lab), FAKE_BULK_IN, 0, 512, &at);
	lab_pass(lab);
	lab_expect(later, 0, 512);
	lab_expect_bytes(later, 0);
	HOST(lab)->hold_control = false;
	assert_int_equal(lab_control(lab, 1, 2, USB_DIR_IN, USB_REQ_GET_STATUS, 0, 0, 2), 2);
}

/* An URB that was asked back: both of its requests are answered. */
static void test_open_unlink(void **state)
{
	struct lab *lab = *state;
	struct lab_urb *urbs;

	lab_up(lab);
	urbs = lab_queue(lab, 1, 2, FAKE_BULK_IN, 3, 512, false, NULL);
	lab_run(lab);
	HOST(lab)->deaf = true;
	usbfront_unlink(lab->front, &urbs[1].u);
	lab_run(lab);
	usbfront_unlink(lab->front, &urbs[2].u); /* in the ring, not yet taken */
	restart(lab);
	lab_run(lab);
	assert_int_equal(lab_plug(lab, 1, 0), 0);
	lab_pass(lab);
	lab_expect(&urbs[0], -EPROTO, 0);
	lab_expect(&urbs[1], -ECONNRESET, 0);
	lab_expect(&urbs[2], -ECONNRESET, 0);
	assert_int_equal(lab->vusb->urb_ring.req_cons, lab->vusb->urb_ring.rsp_prod);
}

/* Killed again and again, also while the rings wait. */
static void test_again(void **state)
{
	struct lab *lab = *state;
	struct lab_urb *urbs;

	lab_up(lab);
	urbs = lab_queue(lab, 1, 2, FAKE_BULK_IN, 4, 512, false, NULL);
	lab_run(lab);
	for (unsigned int i = 0; i < 4; i++) {
		restart(lab);
		lab_run(lab);
		if (i == 2) {
			HOST(lab)->hold_changes = true;
			assert_int_equal(lab_plug(lab, 1, 0), 0);
			lab_pass(lab);
			assert_non_null(HOST(lab)->change);
		}
	}
	HOST(lab)->hold_changes = false;
	assert_int_equal(lab_plug(lab, 1, 0), 0);
	lab_pass(lab);
	for (unsigned int i = 0; i < 4; i++)
		lab_expect(&urbs[i], -EPROTO, 0);
	assert_string_equal(lab->ports, "1H");
}

/* The event of the last response is lost with the daemon: the successor sends one. */
static void test_lost_event(void **state)
{
	struct lab *lab = *state;
	uint64_t events;

	lab_up(lab);
	lab_run(lab);
	events = usbfront_stats(lab->front)->events;
	restart(lab);
	lab_run(lab);
	assert_int_equal(usbfront_stats(lab->front)->events, events + 1);
	assert_int_equal(lab_plug(lab, 1, 0), 0);
	lab_pass(lab);
}

/* The guest waits for the end of a command that the device does not know any more. */
static void test_storage_command(void **state)
{
	struct lab *lab = *state;
	struct lab_urb *urb;
	uint32_t at = 0;

	lab_up(lab);
	urb = lab_queue(lab, 1, 2, FAKE_DISK_OUT, 1, 31, false, &at);
	lab_run(lab);
	lab_give(lab, FAKE_DISK_OUT, 0, 31, NULL);
	lab_expect(urb, 0, 31);
	restart(lab);
	urb = lab_queue(lab, 1, 2, FAKE_DISK_IN, 2, 4096, true, NULL);
	assert_int_equal(lab_plug(lab, 1, 0), 0);
	lab_pass(lab);
	lab_expect(&urb[0], -EPROTO, 0);
	lab_expect(&urb[1], -EPROTO, 0);
	urb = lab_queue(lab, 1, 2, FAKE_DISK_OUT, 1, 4096, false, &at);
	lab_run(lab);
	lab_expect(urb, -EPROTO, 0);
	urb = lab_queue(lab, 1, 2, FAKE_DISK_IN, 1, 13, false, NULL);
	lab_run(lab);
	lab_expect(urb, -EPROTO, 0);
	assert_int_equal(fake_host_flying(HOST(lab), FAKE_DISK_IN), 0);
	/* A new command. */
	urb = lab_queue(lab, 1, 2, FAKE_DISK_OUT, 1, 31, false, &at);
	lab_run(lab);
	lab_give(lab, FAKE_DISK_OUT, 0, 31, NULL);
	lab_expect(urb, 0, 31);
	urb = lab_queue(lab, 1, 2, FAKE_DISK_IN, 1, 13, false, NULL);
	lab_run(lab);
	at = 0;
	lab_give(lab, FAKE_DISK_IN, 0, 13, &at);
	lab_expect(urb, 0, 13);
	assert_string_equal(lab->ports, "1H");
}

/* --- devices --- */

/* The device is brought to what the guest knows of it. */
static void test_settings(void **state)
{
	struct lab *lab = *state;
	struct lab_urb *urb;

	lab_up(lab);
	assert_int_equal(
		lab_control(lab, 1, 2, USB_RECIP_INTERFACE, USB_REQ_SET_INTERFACE, 1, 1, 0), 0);
	restart(lab);
	HOST(lab)->hold_changes = true;
	urb = lab_urb(lab, 1, 2, FAKE_ISO_IN, 192);
	urb->u.packets = urb->packets;
	urb->u.n_packets = 1;
	urb->packets[0] = (struct usbfront_packet){.length = 192};
	lab_submit(lab, urb);
	assert_int_equal(lab_plug(lab, 1, 0), 0);
	lab_pass(lab);
	assert_int_equal(HOST(lab)->change->kind, USB_CHANGE_CONFIGURATION);
	assert_int_equal(HOST(lab)->change->value, 1);
	fake_host_changed(HOST(lab), 0);
	lab_pass(lab);
	assert_int_equal(HOST(lab)->change->kind, USB_CHANGE_INTERFACE);
	assert_int_equal(HOST(lab)->change->interface, 1);
	assert_int_equal(HOST(lab)->change->value, 1);
	assert_false(urb->done);
	fake_host_changed(HOST(lab), 0);
	lab_pass(lab);
	assert_int_equal(HOST(lab)->n_changes, 2); /* no reset */
	assert_int_equal(fake_host_flying(HOST(lab), FAKE_ISO_IN), 1);
	assert_string_equal(lab->ports, "1H");
	assert_int_equal(lab->vusb->ports[1].view->address, 2);
}

/* One that the guest was still enumerating. */
static void test_no_configuration(void **state)
{
	struct lab *lab = *state;

	lab_start(lab);
	assert_int_equal(lab_plug(lab, 1, 0), 0);
	lab_pass(lab);
	assert_int_equal(lab_control(lab, 1, 0, 0, USB_REQ_SET_ADDRESS, 5, 0, 0), 0);
	restart(lab);
	assert_int_equal(lab_plug(lab, 1, 0), 0);
	lab_pass(lab);
	assert_int_equal(HOST(lab)->n_changes, 0);
	assert_int_equal(lab_control(lab, 1, 5, 0, USB_REQ_SET_CONFIGURATION, 1, 0, 0), 0);
	assert_string_equal(lab->ports, "1H");
}

static void expect_new(struct lab *lab, const char *ports)
{
	assert_string_equal(lab->ports, ports);
	assert_int_equal(lab->vusb->ports[1].view->address, 0);
	assert_int_equal(lab->vusb->ports[1].view->configuration, 0);
	assert_int_equal(lab_control(lab, 1, 2, USB_DIR_IN, USB_REQ_GET_STATUS, 0, 0, 2), -ENODEV);
	lab_enumerate(lab, 1, 2);
	assert_int_equal(lab_control(lab, 1, 2, USB_DIR_IN, USB_REQ_GET_STATUS, 0, 0, 2), 2);
}

/* Another device, of the same speed or not: the guest must not take it for the old one. */
static void test_other_device(void **state)
{
	struct lab *lab = *state;

	lab_up(lab);
	restart(lab);
	lab->hosts[1].descriptors[8] ^= 1; /* another vendor */
	assert_int_equal(lab_plug(lab, 1, 1), 0);
	lab_pass(lab);
	assert_int_equal(lab->hosts[1].changes[0].kind, USB_CHANGE_RESET);
	expect_new(lab, "1H1-1H");
	lab_kill(lab);
	lab_serve(lab, true);
	fake_host_init(HOST(lab), USB_SPEED_FULL);
	assert_int_equal(lab_plug(lab, 1, 0), 0);
	lab_pass(lab);
	expect_new(lab, "1H1-1H1-1F");
}

/* One that does not come back in time is unplugged for the guest; others wait no longer for it. */
static void test_missing(void **state)
{
	struct lab *lab = *state;
	struct lab_urb *urb;

	lab_up(lab);
	assert_int_equal(lab_plug(lab, 2, 1), 0);
	lab_pass(lab);
	lab_enumerate(lab, 2, 3);
	restart(lab);
	assert_int_equal(lab_plug(lab, 2, 1), 0);
	urb = lab_queue(lab, 2, 3, FAKE_BULK_IN, 1, 512, false, NULL);
	lab_advance(lab, VUSB_ADOPT_NS - 1);
	assert_string_equal(lab->ports, "1H2H");
	assert_int_equal(lab->hosts[1].n_flying, 0);
	lab_advance(lab, 1);
	assert_string_equal(lab->ports, "1H2H1-");
	assert_int_equal(fake_host_flying(&lab->hosts[1], FAKE_BULK_IN), 1);
	assert_false(urb->done);
	assert_int_equal(lab_plug(lab, 1, 0), 0); /* at last: it is a new one */
	lab_pass(lab);
	expect_new(lab, "1H2H1-1H");
}

/* It is there, but takes too long over its settings: it becomes a new one. */
static void test_slow(void **state)
{
	struct lab *lab = *state;

	lab_up(lab);
	restart(lab);
	HOST(lab)->hold_changes = true;
	assert_int_equal(lab_plug(lab, 1, 0), 0);
	lab_advance(lab, VUSB_ADOPT_NS);
	assert_string_equal(lab->ports, "1H1-");
	fake_host_changed(HOST(lab), 0);
	lab_pass(lab);
	assert_int_equal(HOST(lab)->change->kind, USB_CHANGE_RESET);
	assert_string_equal(lab->ports, "1H1-");
	fake_host_changed(HOST(lab), 0);
	HOST(lab)->hold_changes = false;
	lab_pass(lab);
	expect_new(lab, "1H1-1H");
}

/* It goes while the rings wait, and comes again. */
static void test_vanishes(void **state)
{
	struct lab *lab = *state;

	lab_up(lab);
	restart(lab);
	HOST(lab)->hold_changes = true;
	assert_int_equal(lab_plug(lab, 1, 0), 0);
	lab_pass(lab);
	fake_host_vanish(HOST(lab), true);
	lab_pass(lab);
	assert_string_equal(lab->gone, "1,");
	assert_false(HOST(lab)->is_open);
	HOST(lab)->hold_changes = false;
	assert_int_equal(lab_plug(lab, 1, 0), 0);
	lab_pass(lab);
	expect_new(lab, "1H1-1H");
}

/* --- events that were under way --- */

/* The journal says that the guest was told, but the response was never published. */
static void untell(struct lab *lab)
{
	struct ring_page *page = lab->vusb->conn_ring.page;

	page->rsp_prod--;
}

static void test_untold_plug(void **state)
{
	struct lab *lab = *state;

	lab_start(lab);
	assert_int_equal(lab_plug(lab, 1, 0), 0);
	vusb_pass(lab->vusb);
	fake_host_run(HOST(lab));
	vusb_pass(lab->vusb);
	assert_int_equal(lab->vusb->ports[1].view->speed, USBIF_SPEED_HIGH);
	untell(lab);
	restart(lab);
	lab_run(lab);
	assert_string_equal(lab->ports, "");
	assert_int_equal(lab_plug(lab, 1, 0), 0);
	lab_pass(lab);
	expect_new(lab, "1H");
}

static void test_untold_unplug(void **state)
{
	struct lab *lab = *state;

	lab_up(lab);
	vusb_unplug(&lab->vusb->ports[1]);
	vusb_pass(lab->vusb);
	assert_int_equal(lab->vusb->ports[1].view->speed, USBIF_SPEED_NONE);
	untell(lab);
	restart(lab);
	assert_int_equal(lab_plug(lab, 1, 0), 0);
	lab_pass(lab);
	expect_new(lab, "1H1-1H");
}

/* --- the journal --- */

static void test_bad_journal(void **state)
{
	struct lab *lab = *state;
	AUTO_FREE char *path = xb_asprintf("%s/vusb7.0.journal", lab->journal_dir);
	struct vusb_events events = {.mail = lab->mail};
	struct vusb *vusb;
	char error[256];

	lab_up(lab);
	lab_queue(lab, 1, 2, FAKE_BULK_IN, 3, 512, false, NULL);
	lab_run(lab);
	lab_kill(lab);
	lab->config.adopt = true;
	for (unsigned int i = 0; i < 4; i++) {
		static const char *const words[] = {"does not fit the ring", "belongs to other",
						    "wrong size", "No such file"};
		struct vusb_config config = lab->config;
		AUTO_CLOSE int fd = open(path, O_RDWR);
		uint32_t req_cons = 77;

		if (i == 0)
			assert_int_equal(
				pwrite(fd, &req_cons, 4, offsetof(struct journal_file, req_cons)),
				4);
		if (i == 1)
			config.event_channel++;
		if (i == 2)
			assert_int_equal(ftruncate(fd, 100), 0);
		if (i == 3)
			assert_int_equal(unlink(path), 0);
		assert_true(vusb_start(&vusb, lab->dom0, &lab->clock, &config, &events, lab->event,
				       error, sizeof(error)) < 0);
		if (!strstr(error, words[i]))
			fail_msg("\"%s\" does not say \"%s\"", error, words[i]);
		assert_int_equal(fake_mapped(lab->fake, LAB_DOMID), 0);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, lab_setup, lab_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_open_requests),
		TEST(test_open_unlink),
		TEST(test_again),
		TEST(test_lost_event),
		TEST(test_storage_command),
		TEST(test_settings),
		TEST(test_no_configuration),
		TEST(test_other_device),
		TEST(test_missing),
		TEST(test_slow),
		TEST(test_vanishes),
		TEST(test_untold_plug),
		TEST(test_untold_unplug),
		TEST(test_bad_journal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
