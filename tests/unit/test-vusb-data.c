/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-vusb-data.c - bulk and interrupt data through a controller: merging, short ends, failures,
 * unlinks, memory. */
#include "vusb-lab.h"

#include <errno.h>

#define HOST(lab) (&(lab)->hosts[0])

/* --- merging --- */

/* What usb-storage reads: a ring full of pages becomes one transfer, one event each way. */
static void test_list_in(void **state)
{
	struct lab *lab = *state;
	struct lab_urb *urbs;
	uint64_t notifies;
	uint32_t at = 0;

	lab->options.grant_each = true;
	lab_up(lab);
	notifies = lab->vusb->stats.notifies;
	urbs = lab_queue(lab, 1, 2, FAKE_DISK_IN, 16, 4096, true, NULL);
	lab_run(lab);
	assert_int_equal(HOST(lab)->n_records, 1);
	assert_int_equal(fake_host_record(HOST(lab), FAKE_DISK_IN, 0)->length, 65536);
	lab_give(lab, FAKE_DISK_IN, 0, 65536, &at);
	lab_expect_all(urbs, 16, 4096, 0);
	assert_int_equal(HOST(lab)->n_records, 1);
	assert_int_equal(lab->vusb->stats.merged_urbs, 16);
	assert_int_equal(lab->vusb->stats.urb_bytes_in, 65536 + 18 + 18 + 94);
	assert_int_equal(lab->vusb->stats.notifies, notifies + 1);
	assert_int_equal(lab->vusb->stats.in_flight_max, 16);
	assert_int_equal(lab->vusb->ports[1].pool.used, 0);
}

static void test_list_out(void **state)
{
	struct lab *lab = *state;
	struct lab_urb *urbs;
	uint32_t at = 0;

	lab_up(lab);
	urbs = lab_queue(lab, 1, 2, FAKE_DISK_OUT, 16, 4096, false, &at);
	lab_run(lab);
	assert_int_equal(HOST(lab)->n_records, 1);
	lab_expect_sent(lab, FAKE_DISK_OUT, 65536, 0);
	lab_give(lab, FAKE_DISK_OUT, 0, 65536, NULL);
	lab_expect_all(urbs, 16, 4096, 0);
	assert_int_equal(lab->vusb->stats.urb_bytes_out, 65536);
}

/* Lengths that are no whole packets, and pages that begin anywhere. */
static void test_odd_lengths(void **state)
{
	static const uint32_t lengths[] = {3584, 4096, 100, 1, 4095, 512};
	struct lab *lab = *state;
	struct lab_urb *urbs[6];
	uint32_t at = 0, sum = 0;

	lab_up(lab);
	for (unsigned int i = 0; i < 6; i++) {
		urbs[i] = lab_urb(lab, 1, 2, FAKE_DISK_IN, lengths[i]);
		urbs[i]->u.short_not_ok = true;
		urbs[i]->u.offset = (uint16_t)(i * 700);
		lab_submit(lab, urbs[i]);
		sum += lengths[i];
	}
	lab_run(lab);
	assert_int_equal(HOST(lab)->n_records, 0); /* there may be more of it */
	lab_advance(lab, COALESCE_GATHER_NS);
	assert_int_equal(fake_host_record(HOST(lab), FAKE_DISK_IN, 0)->length, sum);
	lab_give(lab, FAKE_DISK_IN, 0, sum, &at);
	at = 0;
	for (unsigned int i = 0; i < 6; i++) {
		lab_expect(urbs[i], 0, lengths[i]);
		lab_expect_bytes(urbs[i], at);
		at += lengths[i];
	}
}

static void test_quirks(void **state)
{
	struct lab *lab = *state;
	uint32_t at = 0;

	lab_start(lab);
	lab_plug_quirks(lab, 1, 0, "no-merge,zlp");
	lab_pass(lab);
	lab_enumerate(lab, 1, 2);
	HOST(lab)->n_records = 0;
	lab_queue(lab, 1, 2, FAKE_DISK_OUT, 4, 4096, false, &at);
	lab_queue(lab, 1, 2, FAKE_DISK_OUT, 1, 100, false, &at);
	lab_run(lab);
	assert_int_equal(fake_host_records(HOST(lab), FAKE_DISK_OUT), 5);
	for (unsigned int i = 0; i < 5; i++)
		assert_int_equal(fake_host_record(HOST(lab), FAKE_DISK_OUT, i)->zero_packet, i < 4);
	lab_queue(lab, 1, 2, FAKE_DISK_IN, 4, 4096, true, NULL);
	lab_run(lab);
	lab_advance(lab, COALESCE_GATHER_NS);
	assert_int_equal(fake_host_records(HOST(lab), FAKE_DISK_IN), 1); /* a chain: one by one */
	assert_int_equal(fake_host_record(HOST(lab), FAKE_DISK_IN, 0)->length, 4096);
}

/* 65536 bytes, whose length does not fit its field; and none at all. */
static void test_sizes(void **state)
{
	struct lab *lab = *state;
	struct lab_urb *urb;
	uint32_t at = 0;

	lab_up(lab);
	urb = lab_queue(lab, 1, 2, FAKE_BULK_IN, 1, 65536, false, NULL);
	lab_run(lab);
	lab_give(lab, FAKE_BULK_IN, 0, 65536, &at);
	lab_expect_all(urb, 1, 65536, 0);
	urb = lab_queue(lab, 1, 2, FAKE_BULK_OUT, 1, 65536, false, &at);
	lab_run(lab);
	lab_expect_sent(lab, FAKE_BULK_OUT, 65536, 65536);
	lab_give(lab, FAKE_BULK_OUT, 0, 65536, NULL);
	lab_expect_all(urb, 1, 65536, 65536);
	for (unsigned int in = 0; in < 2; in++) {
		uint8_t endpoint = in ? FAKE_BULK_IN : FAKE_BULK_OUT;

		urb = lab_queue(lab, 1, 2, endpoint, 2, 0, false, NULL);
		lab_run(lab);
		assert_int_equal(fake_host_transfer(HOST(lab), endpoint, 0)->length, 0);
		lab_give(lab, endpoint, 0, 0, NULL);
		lab_give(lab, endpoint, 0, 0, NULL);
		lab_expect_all(urb, 2, 0, 0);
	}
}

/* --- short ends and failures --- */

/* The guest's driver takes the rest of its list back, from the completion of the short one: nothing
 * may be started before it had the chance. */
static void test_short_list(void **state)
{
	struct lab *lab = *state;
	struct lab_urb *urbs, *csw;
	uint32_t at = 0;

	lab_up(lab);
	lab->lists = true;
	urbs = lab_queue(lab, 1, 2, FAKE_DISK_IN, 16, 4096, true, NULL);
	lab_run(lab);
	lab_give(lab, FAKE_DISK_IN, 0, 5000, &at);
	lab_expect(&urbs[0], 0, 4096);
	lab_expect_bytes(&urbs[0], 0);
	lab_expect(&urbs[1], -EREMOTEIO, 904);
	lab_expect_bytes(&urbs[1], 4096);
	for (unsigned int i = 2; i < 16; i++)
		lab_expect(&urbs[i], -ECONNRESET, 0);
	assert_int_equal(HOST(lab)->n_records, 1);
	assert_int_equal(lab->vusb->stats.unlinks, 14);
	/* The status is the next that is asked for. */
	csw = lab_queue(lab, 1, 2, FAKE_DISK_IN, 1, 13, false, NULL);
	lab_run(lab);
	assert_int_equal(fake_host_record(HOST(lab), FAKE_DISK_IN, 1)->length, 13);
	lab_give(lab, FAKE_DISK_IN, 0, 13, &at);
	lab_expect(csw, 0, 13);
	lab_expect_bytes(csw, 5000);
}

/* A guest that does nothing about it gets the rest, once it has seen the short one; and if it never
 * looks, after a second. */
static void test_hold(void **state)
{
	struct lab *lab = *state;
	struct lab_urb *urbs;
	uint32_t at = 0;
	uint64_t deadline_ns;

	lab_up(lab);
	for (unsigned int sees = 0; sees < 2; sees++) {
		urbs = lab_queue(lab, 1, 2, FAKE_DISK_IN, 16, 4096, true, NULL);
		lab_run(lab);
		HOST(lab)->n_records = 0;
		fake_host_give(HOST(lab), FAKE_DISK_IN, sees ? -EPIPE : 0, 4000, &at);
		deadline_ns = vusb_pass(lab->vusb);
		assert_int_equal(deadline_ns, clock_now(&lab->clock) + VUSB_HOLD_POLL_NS);
		clock_advance(&lab->clock, VUSB_HOLD_POLL_NS);
		vusb_pass(lab->vusb);
		assert_int_equal(HOST(lab)->n_records, 0);
		if (sees) {
			lab_run(lab);
			lab_advance(lab, VUSB_HOLD_POLL_NS + VUSB_DOOM_MAX_NS);
			lab_expect(&urbs[0], -EPIPE, 4000);
			assert_int_equal(lab->vusb->stats.stalls, 1);
			assert_true(lab->vusb->stats.to_failure >= 2);
		} else {
			clock_advance(&lab->clock, VUSB_HOLD_MAX_NS - 2 * VUSB_HOLD_POLL_NS);
			vusb_pass(lab->vusb);
			assert_int_equal(HOST(lab)->n_records, 0);
			clock_advance(&lab->clock, VUSB_HOLD_POLL_NS);
			vusb_pass(lab->vusb);
			lab_advance(lab, COALESCE_GATHER_NS);
			lab_expect(&urbs[0], -EREMOTEIO, 4000);
		}
		assert_int_equal(HOST(lab)->n_records, 1);
		assert_int_equal(HOST(lab)->records[0].length, 15 * 4096);
		at = 4096;
		lab_give(lab, FAKE_DISK_IN, 0, 15 * 4096, &at);
		lab_expect_all(&urbs[1], 15, 4096, 4096);
		at = 0;
	}
}

/* Bytes that went out count, the failure is the request's in which they ended. */
static void test_out_failure(void **state)
{
	struct lab *lab = *state;
	struct lab_urb *urbs;
	uint32_t at = 0;

	lab_up(lab);
	urbs = lab_queue(lab, 1, 2, FAKE_BULK_OUT, 4, 4096, false, &at);
	lab_run(lab);
	lab_expect_sent(lab, FAKE_BULK_OUT, 16384, 0);
	lab_give(lab, FAKE_BULK_OUT, -EPROTO, 6000, NULL);
	lab_expect(&urbs[0], 0, 4096);
	lab_expect(&urbs[1], -EPROTO, 1904);
	lab_advance(lab, VUSB_HOLD_POLL_NS);
	lab_expect_sent(lab, FAKE_BULK_OUT, 8192, 8192); /* nothing twice, nothing left out */
	lab_give(lab, FAKE_BULK_OUT, 0, 8192, NULL);
	lab_expect_all(&urbs[2], 2, 4096, 0);
	assert_int_equal(lab->vusb->stats.errors, 1);
}

static void test_statuses(void **state)
{
	static const struct {
		int status, told;
	} cases[] = {{-EPIPE, -EPIPE},	 {-EOVERFLOW, -EOVERFLOW}, {-EPROTO, -EPROTO},
		     {-EINVAL, -EINVAL}, {-ENODEV, -ENODEV},	   {-ETIMEDOUT, -EPROTO},
		     {-ENOENT, -EPROTO}, {-EILSEQ, -EPROTO},	   {-ECANCELED, -EPROTO}};
	static const uint8_t endpoints[] = {FAKE_BULK_IN, FAKE_BULK_OUT, FAKE_INT_IN};
	struct lab *lab = *state;

	lab_up(lab);
	for (size_t i = 0; i < ARRAY_SIZE(cases) * ARRAY_SIZE(endpoints); i++) {
		uint8_t endpoint = endpoints[i % ARRAY_SIZE(endpoints)];
		int status = cases[i / ARRAY_SIZE(endpoints)].status;
		int told = cases[i / ARRAY_SIZE(endpoints)].told;
		struct lab_urb *urb = lab_queue(lab, 1, 2, endpoint, 1, 8, false, NULL);

		lab_run(lab);
		lab_give(lab, endpoint, status, 0, NULL);
		lab_advance(lab, VUSB_HOLD_POLL_NS);
		lab_expect(urb, told, 0);
		/* And where it does not even start. */
		HOST(lab)->submit_error = status;
		HOST(lab)->n_refusals = 1;
		urb = lab_queue(lab, 1, 2, endpoint, 1, 8, false, NULL);
		lab_run(lab);
		lab_advance(lab, VUSB_HOLD_POLL_NS);
		lab_expect(urb, told, 0);
		assert_int_equal(lab->vusb->ports[1].pool.used, 0);
	}
}

/* --- unlinks --- */

static void test_unlink_waiting(void **state)
{
	struct lab *lab = *state;
	struct lab_urb *first, *more;
	uint32_t at = 0;

	lab_up(lab);
	first = lab_queue(lab, 1, 2, FAKE_DISK_IN, 1, 4096, true, NULL);
	lab_run(lab);
	lab_advance(lab, COALESCE_GATHER_NS);
	more = lab_queue(lab, 1, 2, FAKE_DISK_IN, 3, 4096, true, NULL);
	lab_run(lab);
	assert_int_equal(fake_host_flying(HOST(lab), FAKE_DISK_IN), 1);
	usbfront_unlink(lab->front, &more[1].u);
	lab_run(lab);
	lab_expect(&more[1], -ECONNRESET, 0);
	assert_int_equal(HOST(lab)->n_cancels, 0);
	lab_give(lab, FAKE_DISK_IN, 0, 4096, &at);
	lab_advance(lab, COALESCE_GATHER_NS);
	assert_int_equal(fake_host_record(HOST(lab), FAKE_DISK_IN, 1)->length, 8192);
	lab_give(lab, FAKE_DISK_IN, 0, 8192, &at);
	lab_expect_all(first, 1, 4096, 0);
	lab_expect_bytes(&more[0], 4096);
	lab_expect_bytes(&more[2], 8192);
}

/* One member of a merged transfer: it is cancelled, the others go on with what they have. */
static void test_unlink_member(void **state)
{
	struct lab *lab = *state;
	struct lab_urb *urbs;
	uint32_t at = 0;

	lab_up(lab);
	urbs = lab_queue(lab, 1, 2, FAKE_DISK_IN, 8, 4096, true, NULL);
	lab_run(lab);
	lab_advance(lab, COALESCE_GATHER_NS);
	HOST(lab)->deaf = true;
	usbfront_unlink(lab->front, &urbs[2].u);
	usbfront_unlink(lab->front, &urbs[5].u);
	lab_run(lab);
	assert_true(fake_host_is_cancelled(HOST(lab), HOST(lab)->flying[0]));
	assert_false(urbs[2].done);
	lab_give(lab, FAKE_DISK_IN, -ECANCELED, 6144, &at); /* so far it had come */
	lab_expect(&urbs[0], 0, 4096);
	lab_expect_bytes(&urbs[0], 0);
	assert_false(urbs[1].done); /* 2048 bytes of it are there */
	lab_expect(&urbs[2], -ECONNRESET, 0);
	lab_expect(&urbs[5], -ECONNRESET, 0);
	lab_advance(lab, COALESCE_GATHER_NS);
	assert_int_equal(fake_host_record(HOST(lab), FAKE_DISK_IN, 1)->length,
			 4096 - 2048 + 4 * 4096);
	lab_give(lab, FAKE_DISK_IN, 0, 4096 - 2048 + 4 * 4096, &at);
	lab_expect(&urbs[1], 0, 4096);
	lab_expect_bytes(&urbs[1], 4096);
	lab_expect_bytes(&urbs[3], 8192);
	lab_expect_bytes(&urbs[4], 12288);
	lab_expect_bytes(&urbs[6], 16384);
	lab_expect_bytes(&urbs[7], 20480);
}

/* The cancel loses the race: what came is delivered, to the unlinked one as well. */
static void test_unlink_too_late(void **state)
{
	struct lab *lab = *state;
	struct lab_urb *urbs;
	uint32_t at = 0;

	lab_up(lab);
	urbs = lab_queue(lab, 1, 2, FAKE_DISK_IN, 4, 4096, true, NULL);
	lab_run(lab);
	lab_advance(lab, COALESCE_GATHER_NS);
	HOST(lab)->deaf = true;
	usbfront_unlink(lab->front, &urbs[1].u);
	lab_run(lab);
	lab_give(lab, FAKE_DISK_IN, 0, 16384, &at);
	for (unsigned int i = 0; i < 4; i++) {
		lab_expect(&urbs[i], i == 1 ? -ECONNRESET : 0, 4096);
		lab_expect_bytes(&urbs[i], i * 4096);
	}
	/* And the request is answered already when its unlink comes: nothing happens but an answer.
	 */
	urbs = lab_queue(lab, 1, 2, FAKE_DISK_IN, 1, 512, false, NULL);
	lab_run(lab);
	fake_host_give(HOST(lab), FAKE_DISK_IN, 0, 512, &at);
	usbfront_unlink(lab->front, &urbs[0].u); /* the controller has not had its turn yet */
	lab_pass(lab);
	lab_expect(urbs, -ECONNRESET, 512);
	assert_int_equal(usbfront_in_flight(lab->front), 0);
	assert_int_equal(lab->vusb->urb_ring.req_cons, lab->vusb->urb_ring.rsp_prod);
}

/* --- interrupt --- */

/* A poll each, one after the other; idle ones may fill the ring. */
static void test_interrupt(void **state)
{
	struct lab *lab = *state;
	struct lab_urb *urbs;
	uint32_t at = 0;

	lab_up(lab);
	urbs = lab_queue(lab, 1, 2, FAKE_INT_IN, 16, 8, false, NULL);
	lab_run(lab);
	assert_int_equal(fake_host_flying(HOST(lab), FAKE_INT_IN), 1);
	/* No slot is left for an unlink: it waits until one comes back. */
	usbfront_unlink(lab->front, &urbs[7].u);
	lab_run(lab);
	assert_int_equal(lab->vusb->stats.unlinks, 0);
	lab_give(lab, FAKE_INT_IN, 0, 3, &at);
	lab_expect(&urbs[0], 0, 3);
	lab_expect_bytes(&urbs[0], 0);
	lab_expect(&urbs[7], -ECONNRESET, 0);
	for (unsigned int i = 1; i < 16; i++) {
		if (i == 7)
			continue;
		assert_int_equal(fake_host_flying(HOST(lab), FAKE_INT_IN), 1);
		lab_give(lab, FAKE_INT_IN, 0, 8, &at);
		lab_expect(&urbs[i], 0, 8);
	}
	assert_int_equal(fake_host_records(HOST(lab), FAKE_INT_IN), 15);
	assert_int_equal(lab->vusb->stats.merged_urbs, 0);
}

/* --- side by side --- */

static void test_side_by_side(void **state)
{
	struct lab *lab = *state;
	struct lab_urb *a, *b, *c, *d;
	uint32_t at = 0, out = 1000, other = 0;

	lab_up(lab);
	assert_int_equal(lab_plug(lab, 5, 1), 0);
	lab_pass(lab);
	lab_enumerate(lab, 5, 3);
	a = lab_queue(lab, 1, 2, FAKE_DISK_IN, 4, 4096, true, NULL);
	b = lab_queue(lab, 1, 2, FAKE_BULK_OUT, 4, 4096, false, &out);
	c = lab_queue(lab, 5, 3, FAKE_DISK_IN, 4, 4096, true, NULL);
	d = lab_queue(lab, 1, 2, FAKE_INT_IN, 1, 8, false, NULL);
	lab_run(lab);
	lab_advance(lab, COALESCE_GATHER_NS);
	assert_int_equal(HOST(lab)->n_flying, 3);
	assert_int_equal(lab->hosts[1].n_flying, 1);
	fake_host_give(&lab->hosts[1], FAKE_DISK_IN, 0, 16384, &other);
	lab_pass(lab);
	lab_expect_all(c, 4, 4096, 0);
	assert_false(a->done || b->done || d->done);
	/* What goes to the guest and what comes from it in one pass. */
	fake_host_give(HOST(lab), FAKE_DISK_IN, 0, 16384, &at);
	lab_expect_sent(lab, FAKE_BULK_OUT, 16384, 1000);
	fake_host_give(HOST(lab), FAKE_BULK_OUT, 0, 16384, NULL);
	lab_queue(lab, 1, 2, FAKE_DISK_OUT, 2, 4096, false, &out);
	lab_pass(lab);
	lab_expect_all(a, 4, 4096, 0);
	lab_expect_all(b, 4, 4096, 0);
	assert_true(a[3].order < b[0].order);
	lab_expect_sent(lab, FAKE_DISK_OUT, 8192, 1000 + 16384);
	/* One device stalls and is held; the other goes on. */
	a = lab_queue(lab, 1, 2, FAKE_BULK_IN, 2, 512, false, NULL);
	c = lab_queue(lab, 5, 3, FAKE_BULK_IN, 1, 512, false, NULL);
	lab_run(lab);
	fake_host_give(HOST(lab), FAKE_BULK_IN, -EPIPE, 0, NULL);
	fake_host_give(&lab->hosts[1], FAKE_BULK_IN, 0, 512, &other);
	lab_pass(lab);
	lab_expect(a, -EPIPE, 0);
	lab_expect(c, 0, 512);
	lab_expect_bytes(c, 16384);
}

/* --- refusals --- */

static void test_nowhere(void **state)
{
	static const struct {
		unsigned int port;
		uint8_t address, endpoint;
		int status;
	} cases[] = {
		{1, 3, FAKE_BULK_IN, -ENODEV},	   /* another address */
		{2, 2, FAKE_BULK_IN, -ENODEV},	   /* nothing there */
		{1, 2, FAKE_ISO_IN, -EINVAL},	   /* not in this setting */
		{1, 2, FAKE_INT_IN & 15, -EINVAL}, /* the other direction */
	};
	struct lab *lab = *state;

	lab_up(lab);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct lab_urb *urb =
			lab_urb(lab, cases[i].port, cases[i].address, cases[i].endpoint, 192);

		if (urb->u.type == USB_ENDPOINT_XFER_ISOC) {
			urb->packets[0].length = 192;
			urb->u.packets = urb->packets;
			urb->u.n_packets = 1;
		}
		lab_submit(lab, urb);
		lab_run(lab);
		lab_expect(urb, cases[i].status, 0);
	}
	assert_int_equal(lab->vusb->stats.malformed, 2);
	assert_int_equal(HOST(lab)->n_records, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, lab_setup, lab_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_list_in),	   TEST(test_list_out),	     TEST(test_odd_lengths),
		TEST(test_quirks),	   TEST(test_sizes),	     TEST(test_short_list),
		TEST(test_hold),	   TEST(test_out_failure),   TEST(test_statuses),
		TEST(test_unlink_waiting), TEST(test_unlink_member), TEST(test_unlink_too_late),
		TEST(test_interrupt),	   TEST(test_side_by_side),  TEST(test_nowhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
