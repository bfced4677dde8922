/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-vusb-memory.c - a controller whose guest's pages are bad, whose host has no memory, or
 * memory of its own. */
#include "vusb-lab.h"

#include <errno.h>

#define HOST(lab) (&(lab)->hosts[0])

/* --- the guest's memory --- */

static void test_bad_pages_in(void **state)
{
	struct lab *lab = *state;
	struct lab_urb *urbs;
	uint32_t at = 0;

	lab_up(lab);
	urbs = lab_queue(lab, 1, 2, FAKE_DISK_IN, 16, 4096, true, NULL);
	lab_run(lab);
	fake_fault(lab->fake, FAKE_FAULT_COPY_STATUS, 2); /* the first two pages */
	lab_give(lab, FAKE_DISK_IN, 0, 65536, &at);
	lab_expect(&urbs[0], -EINVAL, 0);
	lab_expect(&urbs[1], -EINVAL, 0);
	for (unsigned int i = 2; i < 16; i++) {
		lab_expect(&urbs[i], 0, 4096);
		lab_expect_bytes(&urbs[i], i * 4096);
	}
	urbs = lab_queue(lab, 1, 2, FAKE_DISK_IN, 1, 512, false, NULL);
	lab_run(lab);
	fake_fault(lab->fake, FAKE_FAULT_COPY_CALL, 1);
	lab_give(lab, FAKE_DISK_IN, 0, 512, &at);
	lab_expect(urbs, -EINVAL, 0);
}

/* Requests whose pages cannot be read end; the others go, without them. */
static void test_bad_pages_out(void **state)
{
	struct lab *lab = *state;
	struct lab_urb *urbs;
	uint32_t at = 0;

	lab_up(lab);
	fake_fault(lab->fake, FAKE_FAULT_COPY_STATUS, 1);
	urbs = lab_queue(lab, 1, 2, FAKE_BULK_OUT, 3, 4096, false, &at);
	lab_run(lab);
	lab_expect(&urbs[0], -EINVAL, 0);
	assert_int_equal(HOST(lab)->n_records, 1);
	lab_expect_sent(lab, FAKE_BULK_OUT, 8192, 4096);
	lab_give(lab, FAKE_BULK_OUT, 0, 8192, NULL);
	lab_expect_all(&urbs[1], 2, 4096, 0);
	fake_fault(lab->fake, FAKE_FAULT_COPY_CALL, 1);
	urbs = lab_queue(lab, 1, 2, FAKE_BULK_OUT, 3, 4096, false, &at);
	lab_run(lab);
	for (unsigned int i = 0; i < 3; i++)
		lab_expect(&urbs[i], -EINVAL, 0);
	assert_int_equal(HOST(lab)->n_records, 1);
	assert_int_equal(lab->vusb->ports[1].pool.used, 0);
	/* Control data, too. */
	fake_fault(lab->fake, FAKE_FAULT_COPY_STATUS, 1);
	assert_int_equal(lab_control(lab, 1, 2, USB_TYPE_VENDOR, 1, 0, 0, 8), -EINVAL);
	fake_fault(lab->fake, FAKE_FAULT_COPY_STATUS, 1);
	assert_int_equal(lab_control(lab, 1, 2, USB_DIR_IN, USB_REQ_GET_STATUS, 0, 0, 2), -EINVAL);
	assert_int_equal(lab->vusb->ports[1].pool.used, 0);
}

/* --- the host's memory --- */

static void test_memory_short(void **state)
{
	struct lab *lab = *state;
	struct lab_urb *urbs;
	uint32_t at = 0;

	lab_up(lab);
	HOST(lab)->memory = 20000;
	urbs = lab_queue(lab, 1, 2, FAKE_DISK_IN, 16, 4096, true, NULL);
	lab_run(lab);
	for (unsigned int i = 0; i < 4; i++) { /* 65536, 32768: refused */
		lab_advance(lab, COALESCE_GATHER_NS);
		assert_int_equal(fake_host_transfer(HOST(lab), FAKE_DISK_IN, 0)->length, 16384);
		lab_give(lab, FAKE_DISK_IN, 0, 16384, &at);
	}
	lab_expect_all(urbs, 16, 4096, 0);
	/* Single ones wait for each other. */
	HOST(lab)->memory = 5000;
	at = 0;
	urbs = lab_queue(lab, 1, 2, FAKE_BULK_IN, 4, 4000, false, NULL);
	lab_run(lab);
	for (unsigned int i = 0; i < 4; i++) {
		assert_int_equal(fake_host_flying(HOST(lab), FAKE_BULK_IN), 1);
		lab_give(lab, FAKE_BULK_IN, 0, 4000, &at);
	}
	lab_expect_all(urbs, 4, 4000, 0);
}

/* Memory that others have comes back, or it does not. */
static void test_memory_none(void **state)
{
	struct lab *lab = *state;
	struct lab_urb *urb;
	uint32_t at = 0;

	lab_up(lab);
	HOST(lab)->memory = 1;
	urb = lab_queue(lab, 1, 2, FAKE_BULK_OUT, 1, 4096, false, &at);
	lab_run(lab);
	lab_advance(lab, NSEC_PER_SEC);
	assert_false(urb->done);
	HOST(lab)->memory = 0;
	lab_advance(lab, VUSB_MEMORY_POLL_NS);
	lab_expect_sent(lab, FAKE_BULK_OUT, 4096, 0);
	lab_give(lab, FAKE_BULK_OUT, 0, 4096, NULL);
	lab_expect(urb, 0, 4096);
	HOST(lab)->memory = 1;
	urb = lab_queue(lab, 1, 2, FAKE_BULK_OUT, 1, 4096, false, &at);
	lab_run(lab);
	lab_advance(lab, VUSB_MEMORY_MAX_NS - VUSB_MEMORY_POLL_NS);
	assert_false(urb->done);
	lab_advance(lab, VUSB_MEMORY_POLL_NS);
	lab_expect(urb, -EPROTO, 0);
	assert_int_equal(lab->vusb->ports[1].pool.used, 0);
}

/* Less than a page, and even that is not there. */
static void test_memory_small(void **state)
{
	struct lab *lab = *state;
	struct lab_urb *urbs;
	uint32_t at = 0;

	lab_up(lab);
	HOST(lab)->memory = 1000;
	urbs = lab_queue(lab, 1, 2, FAKE_BULK_OUT, 4, 512, false, &at);
	lab_run(lab);
	lab_advance(lab, NSEC_PER_SEC);
	assert_int_equal(HOST(lab)->n_records, 0);
	HOST(lab)->memory = 0;
	lab_advance(lab, VUSB_MEMORY_POLL_NS);
	lab_expect_sent(lab, FAKE_BULK_OUT, 2048, 0);
	lab_give(lab, FAKE_BULK_OUT, 0, 2048, NULL);
	lab_expect_all(urbs, 4, 512, 0);
}

/* Memory of the host's own, which ends with it. */
static void test_mapped_memory(void **state)
{
	struct lab *lab = *state;
	struct lab_urb *urbs;
	uint32_t at = 0;

	HOST(lab)->mapped = true;
	lab_up(lab);
	assert_ptr_equal(lab->vusb->ports[1].pool.base, HOST(lab)->buffer);
	urbs = lab_queue(lab, 1, 2, FAKE_DISK_IN, 16, 4096, true, NULL);
	lab_run(lab);
	lab_give(lab, FAKE_DISK_IN, 0, 65536, &at);
	lab_expect_all(urbs, 16, 4096, 0);
	urbs = lab_queue(lab, 1, 2, FAKE_DISK_IN, 2, 4096, true, NULL);
	lab_run(lab);
	lab_advance(lab, COALESCE_GATHER_NS);
	/* It had come, but its memory is gone before it could be read. */
	HOST(lab)->close_status = 0;
	HOST(lab)->close_actual = 8192;
	vusb_unplug(&lab->vusb->ports[1]);
	lab_pass(lab);
	lab_expect(&urbs[0], -ENODEV, 0);
	lab_expect(&urbs[1], -ENODEV, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, lab_setup, lab_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_bad_pages_in), TEST(test_bad_pages_out), TEST(test_memory_short),
		TEST(test_memory_none),	 TEST(test_memory_small),  TEST(test_mapped_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
