/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-vusb-ahead.c - the quirk read-ahead: a device's bytes are fetched before they are asked for,
 * and its messages keep their ends. */
#include "vusb-lab.h"

#include <errno.h>

#define HOST(lab)   (&(lab)->hosts[0])
#define CHUNK	    16384u
#define AHEAD	    "read-ahead=64KiB"
#define FLYING(lab) fake_host_flying(HOST(lab), FAKE_BULK_IN)

static void up(struct lab *lab)
{
	lab_start(lab);
	lab_plug_quirks(lab, 1, 0, AHEAD);
	lab_pass(lab);
	lab_enumerate(lab, 1, 2);
	HOST(lab)->n_records = 0;
}

static struct lab_urb *ask(struct lab *lab, unsigned int n, uint32_t length)
{
	struct lab_urb *urbs = lab_queue(lab, 1, 2, FAKE_BULK_IN, n, length, false, NULL);

	lab_run(lab);
	return urbs;
}

/* Nothing is fetched for nobody; once somebody asks, there is always something in flight. */
static void test_stream(void **state)
{
	struct lab *lab = *state;
	struct lab_urb *urbs;
	uint32_t at = 0;

	up(lab);
	assert_int_equal(HOST(lab)->n_records, 0);
	urbs = ask(lab, 1, 4096);
	assert_int_equal(FLYING(lab), VUSB_CHUNKS);
	assert_int_equal(fake_host_record(HOST(lab), FAKE_BULK_IN, 0)->length, CHUNK);
	lab_give(lab, FAKE_BULK_IN, 0, CHUNK, &at);
	lab_expect_all(urbs, 1, 4096, 0);
	assert_int_equal(FLYING(lab), VUSB_CHUNKS - 1);
	urbs = ask(lab, 3, 4096); /* is there already */
	lab_expect_all(urbs, 3, 4096, 4096);
	urbs = ask(lab, 2, 10000); /* out of two chunks */
	assert_int_equal(FLYING(lab), VUSB_CHUNKS);
	lab_give(lab, FAKE_BULK_IN, 0, CHUNK, &at);
	lab_expect(&urbs[0], 0, 10000);
	assert_false(urbs[1].done);
	lab_give(lab, FAKE_BULK_IN, 0, CHUNK, &at);
	lab_expect_all(urbs, 2, 10000, CHUNK);
}

/* Where a message of the device ends, there a request ends. */
static void test_ends(void **state)
{
	struct lab *lab = *state;
	struct lab_urb *urbs;
	uint32_t at = 0;

	up(lab);
	urbs = ask(lab, 4, 4096);
	lab_give(lab, FAKE_BULK_IN, 0, 5000, &at);
	lab_expect(&urbs[0], 0, 4096);
	lab_expect(&urbs[1], 0, 904);
	lab_expect_bytes(&urbs[1], 4096);
	lab_give(lab, FAKE_BULK_IN, 0, 4096, &at); /* and nothing: an empty packet behind it */
	lab_expect(&urbs[2], 0, 4096);
	lab_expect(&urbs[3], 0, 0);
	urbs = ask(lab, 1, 100);
	lab_give(lab, FAKE_BULK_IN, 0, 100, &at);
	lab_expect(urbs, 0, 100); /* a short packet ends with the request that holds it */
	lab_expect_bytes(urbs, 9096);
	urbs = ask(lab, 1, 512);
	assert_false(urbs->done);
	lab_give(lab, FAKE_BULK_IN, 0, 0, NULL);
	lab_expect(urbs, 0, 0);
}

/* A failure comes behind the bytes before it, and what it stopped is fetched again. */
static void test_failure(void **state)
{
	struct lab *lab = *state;
	struct lab_urb *urbs;
	uint32_t at = 0;

	up(lab);
	urbs = ask(lab, 3, 4096);
	lab_give(lab, FAKE_BULK_IN, -EPROTO, 5000, &at);
	lab_run(lab);
	lab_expect(&urbs[0], 0, 4096);
	lab_expect(&urbs[1], -EPROTO, 904);
	lab_expect_bytes(&urbs[1], 4096);
	lab_pass(lab);
	assert_false(urbs[2].done);
	assert_int_equal(FLYING(lab), VUSB_CHUNKS);
	lab_give(lab, FAKE_BULK_IN, 0, CHUNK, &at);
	lab_expect(&urbs[2], 0, 4096);
	lab_expect_bytes(&urbs[2], 5000);
}

/* It cannot start at all: everybody hears of it. */
static void test_refused(void **state)
{
	struct lab *lab = *state;
	struct lab_urb *urbs;

	up(lab);
	HOST(lab)->submit_error = -EPROTO;
	HOST(lab)->n_refusals = 1;
	urbs = ask(lab, 3, 4096);
	for (unsigned int i = 0; i < 3; i++)
		lab_expect(&urbs[i], -EPROTO, 0);
	HOST(lab)->memory = CHUNK; /* room for one: as far as it goes */
	urbs = ask(lab, 1, 4096);
	assert_int_equal(FLYING(lab), 1);
	lab_give(lab, FAKE_BULK_IN, 0, 4096, &(uint32_t){0});
	lab_expect_all(urbs, 1, 4096, 0);
}

/* When nobody asks any more, what was fetched is dropped. */
static void test_unlink(void **state)
{
	struct lab *lab = *state;
	struct lab_urb *urbs;
	uint32_t at = 0;

	up(lab);
	urbs = ask(lab, 2, 4096);
	usbfront_unlink(lab->front, &urbs[0].u);
	lab_run(lab);
	lab_expect(&urbs[0], -ECONNRESET, 0);
	assert_int_equal(HOST(lab)->n_cancels, 0); /* the other one still wants it */
	HOST(lab)->deaf = true;
	usbfront_unlink(lab->front, &urbs[1].u);
	lab_run(lab);
	lab_expect(&urbs[1], -ECONNRESET, 0);
	assert_int_equal(HOST(lab)->n_cancels, VUSB_CHUNKS);
	urbs = ask(lab, 1, 4096);
	lab_give(lab, FAKE_BULK_IN, 0, CHUNK, &at); /* too late: nobody's */
	assert_false(urbs->done);
	HOST(lab)->deaf = false;
	lab_run(lab);
	lab_pass(lab);
	assert_int_equal(FLYING(lab), VUSB_CHUNKS);
	lab_give(lab, FAKE_BULK_IN, 0, CHUNK, &at);
	lab_expect(urbs, 0, 4096);
	lab_expect_bytes(urbs, CHUNK);
}

static void test_changes(void **state)
{
	struct lab *lab = *state;
	struct lab_urb *urbs;
	uint32_t at = 0;

	up(lab);
	urbs = ask(lab, 2, 4096);
	assert_int_equal(lab_control(lab, 1, 2, USB_RECIP_ENDPOINT, USB_REQ_CLEAR_FEATURE,
				     USB_ENDPOINT_HALT, FAKE_BULK_IN, 0),
			 0);
	lab_pass(lab);
	assert_false(urbs[0].done);
	assert_int_equal(FLYING(lab), VUSB_CHUNKS); /* anew */
	lab_give(lab, FAKE_BULK_IN, 0, 4096, &at);
	lab_expect(&urbs[0], 0, 4096);
	lab_expect(&urbs[1], 0, 0); /* the message was no longer than that */
	urbs = ask(lab, 2, 4096);
	assert_int_equal(lab_control(lab, 1, 2, 0, USB_REQ_SET_CONFIGURATION, 1, 0, 0), 0);
	assert_int_equal(FLYING(lab), 0);
	lab_expect(&urbs[0], -ESHUTDOWN, 0);
	lab_expect(&urbs[1], -ESHUTDOWN, 0);
	urbs = ask(lab, 1, 4096);
	lab_give(lab, FAKE_BULK_IN, 0, CHUNK, &at);
	lab_expect(urbs, 0, 4096);
	urbs = ask(lab, 8, 4096);
	vusb_unplug(&lab->vusb->ports[1]);
	lab_pass(lab);
	for (unsigned int i = 0; i < 3; i++)
		lab_expect(&urbs[i], 0, 4096); /* were there */
	for (unsigned int i = 3; i < 8; i++)
		lab_expect(&urbs[i], -ENODEV, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, lab_setup, lab_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_stream),  TEST(test_ends),   TEST(test_failure),
		TEST(test_refused), TEST(test_unlink), TEST(test_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
