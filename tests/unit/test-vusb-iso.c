/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-vusb-iso.c - isochronous requests through a controller: gaps, errors, unlinks. */
#include "vusb-lab.h"

#include <errno.h>

#define HOST(lab) (&(lab)->hosts[0])

/* An URB of n packets of `length` bytes, `pitch` bytes from one beginning to the next. */
static struct lab_urb *packets(struct lab *lab, uint8_t endpoint, uint32_t n, uint32_t length,
			       uint32_t pitch)
{
	struct lab_urb *urb = lab_urb(lab, 1, 2, endpoint, n * pitch);

	urb->u.packets = urb->packets;
	urb->u.n_packets = n;
	urb->u.interval = 1;
	urb->u.packets_offset = 600; /* somewhere in the guest's URB */
	for (uint32_t i = 0; i < n; i++)
		urb->packets[i] = (struct usbfront_packet){.offset = i * pitch, .length = length};
	return urb;
}

static void up(struct lab *lab)
{
	lab_up(lab);
	assert_int_equal(
		lab_control(lab, 1, 2, USB_RECIP_INTERFACE, USB_REQ_SET_INTERFACE, 1, 1, 0), 0);
	HOST(lab)->n_records = 0;
}

static struct usb_transfer *flying(struct lab *lab, uint8_t endpoint)
{
	struct usb_transfer *t = fake_host_transfer(HOST(lab), endpoint, 0);
	uint32_t sum = 0;

	assert_non_null(t);
	assert_int_equal(t->type, USB_ENDPOINT_XFER_ISOC);
	for (uint32_t i = 0; i < t->n_packets; i++)
		sum += t->packets[i].length;
	assert_int_equal(sum, t->length);
	return t;
}

/* Fills the packets of the oldest transfer, packet i with byte i * 7 + k, and ends it. */
static void give(struct lab *lab, uint8_t endpoint, int status)
{
	struct usb_transfer *t = flying(lab, endpoint);
	uint8_t *p = t->data;
	uint32_t sum = 0;

	for (uint32_t i = 0; i < t->n_packets; i++) {
		for (uint32_t k = 0; k < t->packets[i].actual && (endpoint & USB_DIR_IN); k++)
			p[k] = (uint8_t)(i * 7 + k);
		p += t->packets[i].length;
		sum += t->packets[i].actual;
	}
	fake_host_end(HOST(lab), t, status, sum);
	lab_pass(lab);
}

static void expect_packet(const struct lab_urb *urb, uint32_t i, int status, uint32_t actual)
{
	const uint8_t *data = urb->data + urb->packets[i].offset;

	assert_int_equal(urb->packets[i].status, status);
	assert_int_equal(urb->packets[i].actual, actual);
	for (uint32_t k = 0; k < actual && (urb->u.endpoint & USB_DIR_IN); k++)
		assert_int_equal(data[k], (uint8_t)(i * 7 + k));
}

/* --- data --- */

static void test_in(void **state)
{
	struct lab *lab = *state;
	struct lab_urb *a, *b;

	lab->options.grant_each = true;
	up(lab);
	a = packets(lab, FAKE_ISO_IN, 8, 192, 192);
	b = packets(lab, FAKE_ISO_IN, 8, 192, 192);
	lab_submit(lab, a);
	lab_submit(lab, b);
	lab_run(lab);
	assert_int_equal(fake_host_flying(HOST(lab), FAKE_ISO_IN), 2); /* never a pause */
	assert_int_equal(flying(lab, FAKE_ISO_IN)->n_packets, 8);
	for (uint32_t i = 0; i < 8; i++)
		flying(lab, FAKE_ISO_IN)->packets[i].actual = 192;
	give(lab, FAKE_ISO_IN, 0);
	lab_expect(a, 0, 8 * 192);
	assert_int_equal(a->u.n_errors, 0);
	assert_int_equal(a->u.start_frame, 0);
	for (uint32_t i = 0; i < 8; i++)
		expect_packet(a, i, 0, 192);
	assert_false(b->done);
	for (uint32_t i = 0; i < 8; i++)
		flying(lab, FAKE_ISO_IN)->packets[i].actual = 192;
	give(lab, FAKE_ISO_IN, 0);
	lab_expect(b, 0, 8 * 192);
	assert_int_equal(b->u.start_frame, 8);
	assert_int_equal(lab->vusb->stats.iso_packets, 16);
	assert_int_equal(lab->vusb->stats.iso_errors, 0);
}

/* The guest's packets have gaps, the host's have none; short ones and failed ones among them. */
static void test_gaps_in(void **state)
{
	static const struct {
		int status;
		uint32_t actual;
	} got[] = {{0, 192}, {0, 0}, {-EXDEV, 0}, {0, 100}, {-EPROTO, 50}, {-EOVERFLOW, 192}};
	static const int told[] = {0, 0, -EPROTO, 0, -EPROTO, -EOVERFLOW};
	struct lab *lab = *state;
	struct usb_transfer *t;
	struct lab_urb *urb;

	up(lab);
	urb = packets(lab, FAKE_ISO_IN, 6, 192, 700);
	urb->u.offset = 3000; /* packets cross pages */
	lab_submit(lab, urb);
	lab_run(lab);
	t = flying(lab, FAKE_ISO_IN);
	assert_int_equal(t->length, 6 * 192);
	for (uint32_t i = 0; i < 6; i++) {
		t->packets[i].status = got[i].status;
		t->packets[i].actual = got[i].actual;
	}
	give(lab, FAKE_ISO_IN, 0);
	lab_expect(urb, 0, 192 + 100 + 50 + 192);
	assert_int_equal(urb->u.n_errors, 3);
	for (uint32_t i = 0; i < 6; i++)
		expect_packet(urb, i, told[i], got[i].actual);
	assert_int_equal(lab->vusb->stats.iso_errors, 3);
	assert_int_equal(lab->vusb->ports[1].pool.used, 0);
}

static void test_gaps_out(void **state)
{
	struct lab *lab = *state;
	struct usb_transfer *t;
	struct lab_urb *urb;

	up(lab);
	urb = packets(lab, FAKE_ISO_OUT, 8, 192, 500);
	urb->packets[2].length = 0;
	urb->packets[5].length = 77;
	for (uint32_t i = 0; i < urb->u.length; i++)
		urb->data[i] = fake_host_byte(i);
	lab_submit(lab, urb);
	lab_run(lab);
	t = flying(lab, FAKE_ISO_OUT);
	assert_int_equal(t->length, 6 * 192 + 77);
	for (uint32_t i = 0, at = 0; i < 8; i++) {
		assert_int_equal(t->packets[i].length, urb->packets[i].length);
		for (uint32_t k = 0; k < t->packets[i].length; k++)
			assert_int_equal(t->data[at++], fake_host_byte(i * 500 + k));
		t->packets[i].actual = t->packets[i].length;
	}
	give(lab, FAKE_ISO_OUT, 0);
	lab_expect(urb, 0, 6 * 192 + 77);
	assert_int_equal(urb->u.n_errors, 0);
	assert_int_equal(lab->vusb->stats.urb_bytes_out, 6 * 192 + 77);
}

static void test_sizes(void **state)
{
	struct lab *lab = *state;
	struct lab_urb *urb;

	up(lab);
	urb = packets(lab, FAKE_ISO_IN, 128, 0, 0); /* no bytes at all */
	lab_submit(lab, urb);
	lab_run(lab);
	assert_int_equal(flying(lab, FAKE_ISO_IN)->length, 0);
	give(lab, FAKE_ISO_IN, 0);
	lab_expect(urb, 0, 0);
	urb = packets(lab, FAKE_ISO_IN, 128, 464, 464); /* the most that fits: 15 pages */
	lab_submit(lab, urb);
	lab_run(lab);
	for (uint32_t i = 0; i < 128; i++)
		flying(lab, FAKE_ISO_IN)->packets[i].actual = 464;
	give(lab, FAKE_ISO_IN, 0);
	lab_expect(urb, 0, 128 * 464);
	for (uint32_t i = 0; i < 128; i++)
		expect_packet(urb, i, 0, 464);
	urb = packets(lab, FAKE_ISO_IN, 129, 8, 8); /* more than usbfs has */
	lab_submit(lab, urb);
	lab_run(lab);
	lab_expect(urb, -EINVAL, 0);
	/* Packets that overlap may add up to more than the data; not to more than a request. */
	urb = packets(lab, FAKE_ISO_IN, 16, 4096, 0);
	urb->u.length = 4096;
	lab_submit(lab, urb);
	lab_run(lab);
	assert_int_equal(flying(lab, FAKE_ISO_IN)->length, 65536);
	give(lab, FAKE_ISO_IN, 0);
	lab_expect(urb, 0, 0);
	urb = packets(lab, FAKE_ISO_IN, 17, 4096, 0);
	urb->u.length = 4096;
	lab_submit(lab, urb);
	lab_run(lab);
	lab_expect(urb, -EINVAL, 0);
	assert_int_equal(lab->vusb->ports[1].pool.used, 0);
}

/* --- failures --- */

static void test_fails_whole(void **state)
{
	struct lab *lab = *state;
	struct usb_transfer *t;
	struct lab_urb *urb;

	up(lab);
	urb = packets(lab, FAKE_ISO_IN, 4, 192, 192);
	lab_submit(lab, urb);
	lab_run(lab);
	t = flying(lab, FAKE_ISO_IN);
	t->packets[0].actual = 192; /* and then it ended */
	give(lab, FAKE_ISO_IN, -EPROTO);
	lab_expect(urb, -EPROTO, 192);
	expect_packet(urb, 0, 0, 192);
	for (uint32_t i = 1; i < 4; i++)
		expect_packet(urb, i, -EPROTO, 0);
	assert_int_equal(urb->u.n_errors, 3);
	/* It does not even start. */
	HOST(lab)->submit_error = -ENOMEM;
	HOST(lab)->n_refusals = 1;
	urb = packets(lab, FAKE_ISO_IN, 4, 192, 192);
	lab_submit(lab, urb);
	lab_run(lab);
	lab_expect(urb, -EPROTO, 0);
	assert_int_equal(lab->vusb->ports[1].pool.used, 0);
}

static void test_bad_pages(void **state)
{
	struct lab *lab = *state;
	struct lab_urb *urb;

	up(lab);
	for (unsigned int out = 0; out < 2; out++) {
		uint8_t endpoint = out ? FAKE_ISO_OUT : FAKE_ISO_IN;

		/* The descriptions cannot be read. */
		fake_fault(lab->fake, FAKE_FAULT_COPY_STATUS, 1);
		urb = packets(lab, endpoint, 4, 192, 192);
		lab_submit(lab, urb);
		lab_run(lab);
		lab_expect(urb, -EINVAL, 0);
		assert_int_equal(HOST(lab)->n_records, 0);
	}
	/* Data: OUT before, IN behind the transfer. */
	fake_fault(lab->fake, FAKE_FAULT_COPY_STATUS, 2);
	fake_fault(lab->fake, FAKE_FAULT_COPY_STATUS, 0);
	urb = packets(lab, FAKE_ISO_IN, 4, 192, 192);
	lab_submit(lab, urb);
	lab_run(lab);
	for (uint32_t i = 0; i < 4; i++)
		flying(lab, FAKE_ISO_IN)->packets[i].actual = 192;
	fake_fault(lab->fake, FAKE_FAULT_COPY_CALL, 1);
	give(lab, FAKE_ISO_IN, 0);
	lab_expect(urb, -EINVAL, 0);
	assert_int_equal(lab->vusb->ports[1].pool.used, 0);
}

/* --- unlinks, changes --- */

static void test_unlink(void **state)
{
	struct lab *lab = *state;
	struct lab_urb *a, *b;

	up(lab);
	a = packets(lab, FAKE_ISO_IN, 4, 192, 192);
	b = packets(lab, FAKE_ISO_IN, 4, 192, 192);
	lab_submit(lab, a);
	lab_submit(lab, b);
	lab_run(lab);
	usbfront_unlink(lab->front, &a->u);
	lab_run(lab);
	lab_expect(a, -ECONNRESET, 0);
	assert_false(b->done);
	HOST(lab)->deaf = true; /* the race is lost */
	usbfront_unlink(lab->front, &b->u);
	lab_run(lab);
	assert_true(fake_host_is_cancelled(HOST(lab), HOST(lab)->flying[0]));
	flying(lab, FAKE_ISO_IN)->packets[3].actual = 192;
	give(lab, FAKE_ISO_IN, 0);
	lab_expect(b, -ECONNRESET, 192);
	expect_packet(b, 3, 0, 192);
}

/* Setting 0 has no endpoints: what is in flight ends, what comes meanwhile is refused. */
static void test_setting(void **state)
{
	struct lab *lab = *state;
	struct lab_urb *a, *late, *set;

	up(lab);
	a = packets(lab, FAKE_ISO_IN, 4, 192, 192);
	lab_submit(lab, a);
	lab_run(lab);
	HOST(lab)->deaf = true;
	set = lab_control_start(lab, 1, 2, USB_RECIP_INTERFACE, USB_REQ_SET_INTERFACE, 0, 1, 0);
	lab_run(lab);
	late = packets(lab, FAKE_ISO_IN, 4, 192, 192);
	lab_submit(lab, late);
	lab_run(lab);
	lab_expect(late, -ESHUTDOWN, 0);
	assert_false(set->done);
	HOST(lab)->deaf = false;
	lab_run(lab);
	lab_expect(set, 0, 0);
	assert_true(a->done);
	late = packets(lab, FAKE_ISO_IN, 4, 192, 192);
	lab_submit(lab, late);
	lab_run(lab);
	lab_expect(late, -EINVAL, 0);
}

static void test_unplug(void **state)
{
	struct lab *lab = *state;
	struct lab_urb *urbs[4];

	HOST(lab)->mapped = true;
	up(lab);
	for (unsigned int i = 0; i < 4; i++) {
		urbs[i] = packets(lab, i % 2 ? FAKE_ISO_OUT : FAKE_ISO_IN, 4, 192, 192);
		lab_submit(lab, urbs[i]);
	}
	lab_run(lab);
	HOST(lab)->close_status = 0; /* as some hosts end them, with statuses in the packets */
	vusb_unplug(&lab->vusb->ports[1]);
	lab_pass(lab);
	for (unsigned int i = 0; i < 4; i++)
		lab_expect(urbs[i], -ENODEV, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, lab_setup, lab_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_in),	   TEST(test_gaps_in),	   TEST(test_gaps_out),
		TEST(test_sizes),  TEST(test_fails_whole), TEST(test_bad_pages),
		TEST(test_unlink), TEST(test_setting),	   TEST(test_unplug),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
