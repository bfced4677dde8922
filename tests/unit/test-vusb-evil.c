/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-vusb-evil.c - guests that break the rules (tests/guest/usbfront.h): each deed is answered or
 * ends the controller with a reason; nothing is lost, nothing is touched that is not theirs.
 */
#include "vusb-lab.h"

#include <errno.h>

#define HOST(lab) (&(lab)->hosts[0])

static void up(struct lab *lab)
{
	lab_up(lab);
	assert_int_equal(
		lab_control(lab, 1, 2, USB_RECIP_INTERFACE, USB_REQ_SET_INTERFACE, 1, 1, 0), 0);
	memset(&lab->vusb->stats, 0, sizeof(lab->vusb->stats));
}

/* A device that is quick with everything. */
static void finish_all(struct lab *lab)
{
	while (HOST(lab)->n_flying && !lab->failed[0]) {
		struct usb_transfer *t = HOST(lab)->flying[0];

		for (uint32_t i = 0; i < t->n_packets; i++)
			t->packets[i].actual = t->packets[i].length;
		fake_host_end(HOST(lab), t, 0, t->length);
		lab_pass(lab);
		lab_advance(lab, 2 * COALESCE_EXPECT_NS);
	}
}

static void misbehave(struct lab *lab, enum usbfront_evil kind)
{
	do {
		lab_evil(lab, kind);
		kind = USBFRONT_EVIL_NONE;
		finish_all(lab);
	} while (usbfront_evil_busy(lab->front) && !lab->failed[0]);
	lab_advance(lab, 2 * VUSB_MEMORY_MAX_NS);
	finish_all(lab);
}

/* After it: everything is answered, and a good request is served. */
static void expect_alive(struct lab *lab, const char *name, bool address_lost)
{
	struct lab_urb *urb;

	if (lab->failed[0])
		fail_msg("%s: %s", name, lab->failed);
	assert_int_equal(lab->vusb->urb_ring.req_cons, lab->vusb->urb_ring.rsp_prod);
	assert_int_equal(lab->vusb->ports[1].pool.used, 0);
	if (address_lost) {
		lab_enumerate(lab, 1, 2);
		return;
	}
	if (lab_control(lab, 1, 2, USB_DIR_IN, USB_REQ_GET_STATUS, 0, 0, 2) != 2)
		fail_msg("%s: the device is lost", name);
	urb = lab_queue(lab, 1, 2, FAKE_BULK_OUT, 1, 512, false, &(uint32_t){0});
	lab_run(lab);
	finish_all(lab);
	lab_expect(urb, 0, 512);
}

/* malformed, errors: how often that counts; a minimum for errors. */
static const struct {
	enum usbfront_evil kind;
	unsigned int malformed, errors;
	bool address_lost;
} survived[] = {
	{USBFRONT_EVIL_GREF_IN, 0, 1, false},
	{USBFRONT_EVIL_GREF_OUT, 0, 1, false},
	{USBFRONT_EVIL_GREF_LAST, 0, 1, false},
	{USBFRONT_EVIL_READ_ONLY, 0, 1, false},
	{USBFRONT_EVIL_OVERRUN, 1, 1, false},
	{USBFRONT_EVIL_OFFSET, 1, 1, false},
	{USBFRONT_EVIL_LENGTH, 1, 1, false},
	{USBFRONT_EVIL_SEGS_17, 1, 1, false},
	{USBFRONT_EVIL_SEGS_65535, 1, 1, false},
	{USBFRONT_EVIL_SEGS_0, 1, 1, false},
	{USBFRONT_EVIL_EMPTY_SEGS, 0, 0, false},
	{USBFRONT_EVIL_BUFFER_MORE, 1, 1, false},
	{USBFRONT_EVIL_BUFFER_LESS, 1, 1, false},
	{USBFRONT_EVIL_FLAGS, 0, 0, false},
	{USBFRONT_EVIL_PIPE_BITS, 0, 0, false},
	{USBFRONT_EVIL_PORT_0, 1, 1, false},
	{USBFRONT_EVIL_PORT_31, 1, 1, false},
	{USBFRONT_EVIL_PORT_EMPTY, 0, 1, false},
	{USBFRONT_EVIL_ADDRESS, 0, 1, false},
	{USBFRONT_EVIL_ENDPOINT, 1, 1, false},
	{USBFRONT_EVIL_TYPE, 1, 1, false},
	{USBFRONT_EVIL_BULK_0, 1, 1, false},
	{USBFRONT_EVIL_DIRECTION, 0, 0, false},
	{USBFRONT_EVIL_SETUP_MORE, 1, 1, false},
	{USBFRONT_EVIL_SETUP_LESS, 0, 0, false},
	{USBFRONT_EVIL_SETUP_64K, 0, 0, false},
	{USBFRONT_EVIL_ADDRESS_128, 1, 1, false},
	{USBFRONT_EVIL_ADDRESS_65535, 1, 1, false},
	{USBFRONT_EVIL_ADDRESS_0, 0, 0, true},
	{USBFRONT_EVIL_INTERFACE_255, 0, 0, false},
	{USBFRONT_EVIL_HALT_15, 0, 0, false},
	{USBFRONT_EVIL_ID_65535, 0, 0, false},
	{USBFRONT_EVIL_UNLINK_UNKNOWN, 0, 0, false},
	{USBFRONT_EVIL_UNLINK_SELF, 0, 0, false},
	{USBFRONT_EVIL_UNLINK_TWICE, 0, 0, false},
	{USBFRONT_EVIL_UNLINK_JUNK, 0, 0, false},
	{USBFRONT_EVIL_UNLINK_STORM, 0, 0, false},
	{USBFRONT_EVIL_ISO_PACKETS_0, 1, 1, false},
	{USBFRONT_EVIL_ISO_PACKETS_65535, 1, 1, false},
	{USBFRONT_EVIL_ISO_DESC_0, 1, 1, false},
	{USBFRONT_EVIL_ISO_DESC_16, 1, 1, false},
	{USBFRONT_EVIL_ISO_DESC_SHORT, 1, 1, false},
	{USBFRONT_EVIL_ISO_OFFSET, 0, 1, false},
	{USBFRONT_EVIL_ISO_LENGTH, 0, 1, false},
	{USBFRONT_EVIL_ISO_OVERLAP, 0, 0, false},
	{USBFRONT_EVIL_ISO_GREF, 0, 1, false},
	{USBFRONT_EVIL_ISO_READ_ONLY, 0, 1, false},
	{USBFRONT_EVIL_REVOKE, 0, 1, false},
	{USBFRONT_EVIL_HOG, 0, 0, false},
	{USBFRONT_EVIL_EVENTS, 0, 0, false},
};
static void test_survives(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(survived); i++) {
		const char *name = usbfront_evil_name(survived[i].kind);
		struct lab *lab;

		if (i)
			lab_setup(state);
		lab = *state;
		up(lab);
		misbehave(lab, survived[i].kind);
		if (lab->vusb->stats.malformed != survived[i].malformed)
			fail_msg("%s: %llu malformed", name,
				 (unsigned long long)lab->vusb->stats.malformed);
		if (lab->vusb->stats.errors < survived[i].errors)
			fail_msg("%s: %llu errors", name,
				 (unsigned long long)lab->vusb->stats.errors);
		expect_alive(lab, name, survived[i].address_lost);
		if (i + 1 < ARRAY_SIZE(survived))
			lab_teardown(state);
	}
}

/* What ends the controller, and with which words. */
static void test_ends(void **state)
{
	static const struct {
		enum usbfront_evil kind;
		const char *words;
	} cases[] = {
		{USBFRONT_EVIL_ID_TWICE, "id of a request that is still open"},
		{USBFRONT_EVIL_ID_ALL, "id of a request that is still open"},
		{USBFRONT_EVIL_REQ_PROD, "request index is outside of the ring"},
		{USBFRONT_EVIL_CONN_PROD, "connection ring"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct lab *lab;

		if (i)
			lab_setup(state);
		lab = *state;
		up(lab);
		misbehave(lab, cases[i].kind);
		vusb_unplug(&lab->vusb->ports[1]); /* for the connection ring: an event */
		lab_pass(lab);
		if (!strstr(lab->failed, cases[i].words))
			fail_msg("%s: \"%s\"", usbfront_evil_name(cases[i].kind), lab->failed);
		if (i + 1 < ARRAY_SIZE(cases))
			lab_teardown(state);
	}
}

/* Bytes that change while they are read, an index of ours overwritten: whatever comes of it, the
 * controller ends cleanly (teardown looks). */
static void test_whatever(void **state)
{
	static const enum usbfront_evil kinds[] = {
		USBFRONT_EVIL_REWRITE,	  USBFRONT_EVIL_ISO_REWRITE, USBFRONT_EVIL_RSP_PROD,
		USBFRONT_EVIL_CONFIG_255, USBFRONT_EVIL_CONN_NONE,
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct lab *lab;

		if (i)
			lab_setup(state);
		lab = *state;
		up(lab);
		misbehave(lab, kinds[i]);
		vusb_unplug(&lab->vusb->ports[1]);
		lab_pass(lab);
		assert_int_equal(lab_plug(lab, 1, 0), 0);
		lab_pass(lab);
		if (i + 1 < ARRAY_SIZE(kinds))
			lab_teardown(state);
	}
}

/* From the first handshake on no place for port events: requests would be served, but there is
 * nobody to send them to. */
static void test_no_places(void **state)
{
	struct lab *lab = *state;

	lab->options.evil = USBFRONT_EVIL_CONN_NONE;
	lab_start(lab);
	for (unsigned int i = 0; i < 10; i++) {
		assert_int_equal(lab_plug(lab, 1, 0), 0);
		lab_pass(lab);
		vusb_unplug(&lab->vusb->ports[1]);
		lab_pass(lab);
	}
	assert_string_equal(lab->ports, "");
	assert_string_equal(lab->failed, "");
}

/* A guest that is told of its failure once, whatever it goes on with. */
static void test_told_once(void **state)
{
	struct lab *lab = *state;

	up(lab);
	misbehave(lab, USBFRONT_EVIL_ID_TWICE);
	for (unsigned int i = 0; i < 5; i++) {
		uint64_t taken = lab->vusb->stats.urbs;

		__atomic_fetch_add(&lab->vusb->urb_ring.page->req_prod, 1, __ATOMIC_RELEASE);
		lab_pass(lab); /* on_failed of the lab counts */
		assert_int_equal(lab->vusb->stats.urbs, taken);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, lab_setup, lab_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_survives),  TEST(test_ends),	    TEST(test_whatever),
		TEST(test_no_places), TEST(test_told_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
