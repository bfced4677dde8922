/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-vusb-control.c - endpoint 0 of a controller's devices: enumeration, order, unlinks, and
 * changes with transfers in flight. */
#include "vusb-lab.h"

#include <endian.h>
#include <errno.h>

#define HOST(lab) (&(lab)->hosts[0])

static const struct usb_change *last_change(const struct fake_host *host)
{
	assert_true(host->n_changes > 0);
	return &host->changes[host->n_changes - 1];
}

static bool was_sent(const struct fake_host *host, uint8_t request_type, uint8_t request)
{
	for (unsigned int i = 0; i < host->n_records; i++)
		if (host->records[i].type == USB_ENDPOINT_XFER_CONTROL &&
		    host->records[i].setup.bRequestType == request_type &&
		    host->records[i].setup.bRequest == request)
			return true;
	return false;
}

/* --- enumeration --- */

static void test_enumeration(void **state)
{
	struct lab *lab = *state;

	lab_start(lab);
	assert_int_equal(lab_plug(lab, 3, 0), 0);
	lab_pass(lab);
	assert_int_equal(HOST(lab)->n_changes, 1); /* from whoever had it before */
	assert_int_equal(last_change(HOST(lab))->kind, USB_CHANGE_RESET);
	assert_string_equal(lab->ports, "3H");
	lab_enumerate(lab, 3, 9);
	assert_int_equal(lab->vusb->ports[3].view->address, 9);
	assert_int_equal(lab->vusb->ports[3].view->configuration, 1);
	assert_int_equal(last_change(HOST(lab))->kind, USB_CHANGE_CONFIGURATION);
	assert_int_equal(last_change(HOST(lab))->value, 1);
	assert_int_equal(HOST(lab)->n_changes, 2);
	/* What the host must do itself never went to the device as it is. */
	assert_false(was_sent(HOST(lab), 0, USB_REQ_SET_ADDRESS));
	assert_false(was_sent(HOST(lab), 0, USB_REQ_SET_CONFIGURATION));
	assert_int_equal(fake_host_records(HOST(lab), 0), 3);
	assert_int_equal(lab->vusb->stats.malformed, 0);
	assert_int_equal(lab->vusb->stats.errors, 0);
}

static void test_super_speed(void **state)
{
	struct lab *lab = *state;

	fake_host_init(HOST(lab), USB_SPEED_SUPER);
	lab_start(lab);
	assert_int_equal(lab_plug(lab, 1, 0), 0);
	lab_pass(lab);
	assert_string_equal(lab->ports, "1H");
	assert_int_equal(lab_control(lab, 1, 0, USB_DIR_IN, USB_REQ_GET_DESCRIPTOR,
				     USB_DT_DEVICE << 8, 0, 8),
			 8);
	assert_int_equal(HOST(lab)->descriptors[7], 9);
	assert_int_equal(lab->urbs[lab->n_urbs - 1].data[7], 64);
}

static void test_version_1(void **state)
{
	struct lab *lab = *state;

	lab->config.usb_version = 1;
	fake_host_init(&lab->hosts[1], USB_SPEED_FULL);
	lab_start(lab);
	assert_int_equal(lab_plug(lab, 1, 0), -EPROTONOSUPPORT);
	assert_false(HOST(lab)->is_open);
	assert_int_equal(lab_plug(lab, 1, 1), 0);
	lab_pass(lab);
	assert_string_equal(lab->ports, "1F");
}

/* Addresses belong to the controller, not to a port. */
static void test_addresses(void **state)
{
	struct lab *lab = *state;

	lab_up(lab);
	assert_int_equal(lab_plug(lab, 2, 1), 0);
	lab_pass(lab);
	assert_int_equal(lab_control(lab, 2, 0, 0, USB_REQ_SET_ADDRESS, 2, 0, 0), -EINVAL);
	assert_int_equal(lab_control(lab, 2, 0, 0, USB_REQ_SET_ADDRESS, 128, 0, 0), -EINVAL);
	assert_int_equal(lab_control(lab, 2, 2, USB_DIR_IN, USB_REQ_GET_STATUS, 0, 0, 2), -ENODEV);
	assert_int_equal(lab_control(lab, 2, 0, 0, USB_REQ_SET_ADDRESS, 3, 0, 0), 0);
	assert_int_equal(lab_control(lab, 1, 3, USB_DIR_IN, USB_REQ_GET_STATUS, 0, 0, 2), -ENODEV);
	assert_int_equal(lab_control(lab, 1, 2, USB_DIR_IN, USB_REQ_GET_STATUS, 0, 0, 2), 2);
	assert_int_equal(lab_control(lab, 2, 3, USB_DIR_IN, USB_REQ_GET_STATUS, 0, 0, 2), 2);
	vusb_unplug(&lab->vusb->ports[2]);
	lab_pass(lab);
	/* Free again. */
	assert_int_equal(lab_control(lab, 1, 2, 0, USB_REQ_SET_ADDRESS, 3, 0, 0), 0);
	assert_int_equal(lab_control(lab, 1, 3, USB_DIR_IN, USB_REQ_GET_STATUS, 0, 0, 2), 2);
}

/* --- the queue --- */

static struct lab_urb *vendor(struct lab *lab, uint8_t request, uint16_t length)
{
	return lab_control_start(lab, 1, 2, USB_DIR_IN | USB_TYPE_VENDOR, request, 0, 0, length);
}

/* One at a time, in order, changes among them. */
static void test_order(void **state)
{
	struct lab *lab = *state;
	struct lab_urb *first, *set, *last;

	lab_up(lab);
	HOST(lab)->hold_control = HOST(lab)->hold_changes = true;
	first = vendor(lab, 1, 8);
	set = lab_control_start(lab, 1, 2, USB_RECIP_INTERFACE, USB_REQ_SET_INTERFACE, 1, 1, 0);
	last = vendor(lab, 2, 8);
	lab_run(lab);
	assert_int_equal(fake_host_flying(HOST(lab), 0), 1);
	assert_int_equal(HOST(lab)->n_changes, 0);
	fake_host_give(HOST(lab), 0, 0, 8, &(uint32_t){0});
	lab_pass(lab);
	lab_expect(first, 0, 8);
	lab_expect_bytes(first, 0);
	assert_int_equal(fake_host_flying(HOST(lab), 0), 0);
	assert_non_null(HOST(lab)->change);
	assert_false(set->done);
	fake_host_changed(HOST(lab), 0);
	lab_pass(lab);
	lab_expect(set, 0, 0);
	assert_int_equal(fake_host_record(HOST(lab), 0, 1)->setup.bRequest, 2);
	fake_host_give(HOST(lab), 0, 0, 3, &(uint32_t){8}); /* short */
	lab_pass(lab);
	lab_expect(last, 0, 3);
	lab_expect_bytes(last, 8);
	assert_true(first->order < set->order && set->order < last->order);
}

static void test_data_out(void **state)
{
	struct lab *lab = *state;
	struct lab_urb *urb;

	lab_up(lab);
	urb = lab_control_start(lab, 1, 2, USB_TYPE_VENDOR, 7, 0x1234, 0x5678, 600);
	for (unsigned int i = 0; i < 600; i++)
		urb->data[i] = fake_host_byte(i);
	usbfront_unlink(lab->front, &urb->u); /* the data was copied at submit */
	lab_run(lab);
	assert_true(urb->done);
	urb = lab_urb(lab, 1, 2, 0, 600);
	urb->u.type = USB_ENDPOINT_XFER_CONTROL;
	urb->u.setup =
		(struct usb_ctrlrequest){USB_TYPE_VENDOR, 7, htole16(0x1234), 0, htole16(600)};
	for (unsigned int i = 0; i < 600; i++)
		urb->data[i] = fake_host_byte(i);
	lab_submit(lab, urb);
	lab_run(lab);
	lab_expect(urb, 0, 600);
	for (unsigned int i = 0; i < 64; i++)
		assert_int_equal(fake_host_record(HOST(lab), 0, HOST(lab)->n_records - 1)->data[i],
				 fake_host_byte(i));
	assert_int_equal(fake_host_record(HOST(lab), 0, HOST(lab)->n_records - 1)->setup.wValue,
			 htole16(0x1234));
	assert_int_equal(lab->vusb->stats.urb_bytes_out, 600);
}

static void test_failures(void **state)
{
	static const struct {
		int status, told;
	} cases[] = {{-EPIPE, -EPIPE},	    {-EOVERFLOW, -EOVERFLOW}, {-EPROTO, -EPROTO},
		     {-ETIMEDOUT, -EPROTO}, {-EINVAL, -EINVAL},	      {-ENOMEM, -EPROTO}};
	struct lab *lab = *state;

	lab_up(lab);
	HOST(lab)->hold_control = true;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct lab_urb *urb = vendor(lab, 1, 8);

		lab_run(lab);
		fake_host_give(HOST(lab), 0, cases[i].status, 0, NULL);
		lab_pass(lab);
		lab_expect(urb, cases[i].told, 0);
		/* And where it does not even start. */
		HOST(lab)->submit_error = cases[i].status;
		HOST(lab)->n_refusals = 1;
		urb = vendor(lab, 1, 8);
		lab_run(lab);
		lab_expect(urb, cases[i].told, 0);
	}
	assert_int_equal(lab->vusb->stats.stalls, 2);
	assert_int_equal(lab->vusb->stats.errors, 2 * (ARRAY_SIZE(cases) - 1));
	assert_int_equal(lab->vusb->ports[1].pool.used, 0);
}

/* --- unlinks --- */

static void test_unlink(void **state)
{
	struct lab *lab = *state;
	struct lab_urb *flying, *waiting, *behind;

	lab_up(lab);
	HOST(lab)->hold_control = HOST(lab)->deaf = true;
	flying = vendor(lab, 1, 8);
	waiting = vendor(lab, 2, 8);
	behind = vendor(lab, 3, 8);
	lab_run(lab);
	usbfront_unlink(lab->front, &waiting->u);
	usbfront_unlink(lab->front, &flying->u);
	lab_run(lab);
	lab_expect(waiting, -ECONNRESET, 0);
	assert_false(flying->done);
	assert_true(fake_host_is_cancelled(HOST(lab), HOST(lab)->flying[0]));
	HOST(lab)->deaf = false;
	lab_run(lab);
	lab_expect(flying, -ECONNRESET, 0);
	assert_int_equal(fake_host_record(HOST(lab), 0, 1)->setup.bRequest, 3);
	/* The cancel comes too late. */
	HOST(lab)->deaf = true;
	usbfront_unlink(lab->front, &behind->u);
	lab_run(lab);
	fake_host_give(HOST(lab), 0, 0, 8, &(uint32_t){0});
	lab_pass(lab);
	lab_expect(behind, -ECONNRESET, 8); /* the bytes are delivered all the same */
	lab_expect_bytes(behind, 0);
	assert_int_equal(fake_host_records(HOST(lab), 0), 2);
}

/* A change cannot be taken back: it ends, then its request does. */
static void test_unlink_change(void **state)
{
	struct lab *lab = *state;
	struct lab_urb *set;

	lab_up(lab);
	HOST(lab)->hold_changes = true;
	set = lab_control_start(lab, 1, 2, 0, USB_REQ_SET_CONFIGURATION, 2, 0, 0);
	lab_run(lab);
	usbfront_unlink(lab->front, &set->u);
	lab_run(lab);
	assert_false(set->done);
	fake_host_changed(HOST(lab), 0);
	lab_pass(lab);
	lab_expect(set, -ECONNRESET, 0);
	assert_int_equal(lab->vusb->ports[1].view->configuration, 2);
	/* What waits for a reset is not begun behind it. */
	set = lab_control_start(lab, 1, 0, USB_DIR_IN, USB_REQ_GET_DESCRIPTOR, USB_DT_DEVICE << 8,
				0, 64);
	lab_run(lab);
	assert_int_equal(HOST(lab)->change->kind, USB_CHANGE_RESET);
	usbfront_unlink(lab->front, &set->u);
	lab_run(lab);
	HOST(lab)->n_records = 0;
	fake_host_changed(HOST(lab), 0);
	lab_pass(lab);
	lab_expect(set, -ECONNRESET, 0);
	assert_int_equal(HOST(lab)->n_records, 0);
}

/* --- resets --- */

static void test_reset(void **state)
{
	struct lab *lab = *state;
	struct lab_urb *bulk, *get;

	lab_up(lab);
	bulk = lab_queue(lab, 1, 2, FAKE_BULK_IN, 2, 512, false, NULL);
	lab_run(lab);
	HOST(lab)->hold_changes = HOST(lab)->deaf = true;
	get = lab_control_start(lab, 1, 0, USB_DIR_IN, USB_REQ_GET_DESCRIPTOR, USB_DT_DEVICE << 8,
				0, 64);
	lab_run(lab);
	assert_null(HOST(lab)->change); /* not with transfers in flight */
	HOST(lab)->deaf = false;
	lab_run(lab);
	assert_int_equal(HOST(lab)->change->kind, USB_CHANGE_RESET);
	lab_expect(&bulk[0], -ESHUTDOWN, 0);
	lab_expect(&bulk[1], -ESHUTDOWN, 0);
	assert_false(get->done);
	HOST(lab)->hold_changes = false;
	lab_run(lab);
	lab_expect(get, 0, 18);
	assert_int_equal(HOST(lab)->n_changes, 1);
	assert_int_equal(lab->vusb->stats.resets, 2); /* one when it was plugged in */
	bulk = lab_queue(lab, 1, 2, FAKE_BULK_IN, 1, 512, false, NULL);
	lab_run(lab);
	lab_expect(bulk, -ENODEV, 0); /* it has no address */
	lab_enumerate(lab, 1, 2);
	lab_queue(lab, 1, 2, FAKE_BULK_IN, 1, 512, false, NULL);
	lab_run(lab);
	assert_int_equal(fake_host_flying(HOST(lab), FAKE_BULK_IN), 1);
	assert_int_equal(lab->vusb->stats.resets, 2);
}

/* A reset that the host cannot do is not hidden by what was before it. */
static void test_reset_fails(void **state)
{
	struct lab *lab = *state;
	struct lab_urb *bulk;

	lab_up(lab);
	HOST(lab)->change_status = -EPROTO;
	assert_int_equal(lab_control(lab, 1, 0, USB_DIR_IN, USB_REQ_GET_DESCRIPTOR,
				     USB_DT_DEVICE << 8, 0, 64),
			 18);
	HOST(lab)->change_status = 0;
	assert_int_equal(lab_control(lab, 1, 0, 0, USB_REQ_SET_ADDRESS, 2, 0, 0), 0);
	bulk = lab_queue(lab, 1, 2, FAKE_BULK_IN, 1, 512, false, NULL);
	lab_run(lab);
	lab_expect(bulk, -EINVAL, 0); /* not configured */
	assert_int_equal(lab_control(lab, 1, 2, 0, USB_REQ_SET_CONFIGURATION, 1, 0, 0), 0);
	bulk = lab_queue(lab, 1, 2, FAKE_BULK_IN, 1, 512, false, NULL);
	lab_run(lab);
	assert_false(bulk->done);
}

static void test_reset_never(void **state)
{
	struct lab *lab = *state;

	lab_start(lab);
	lab_plug_quirks(lab, 1, 0, "reset=never");
	lab_pass(lab);
	lab_enumerate(lab, 1, 2);
	lab_enumerate(lab, 1, 3);
	assert_int_equal(HOST(lab)->n_changes, 2);
	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(HOST(lab)->changes[i].kind, USB_CHANGE_CONFIGURATION);
	assert_int_equal(lab->vusb->stats.resets, 0);
}

/* --- changes with transfers in flight --- */

static void test_configuration(void **state)
{
	struct lab *lab = *state;
	struct lab_urb *flying, *late, *set, *after;

	lab_up(lab);
	flying = lab_queue(lab, 1, 2, FAKE_DISK_IN, 2, 512, false, NULL);
	lab_run(lab);
	HOST(lab)->deaf = HOST(lab)->hold_changes = true;
	set = lab_control_start(lab, 1, 2, 0, USB_REQ_SET_CONFIGURATION, 2, 0, 0);
	lab_run(lab);
	assert_int_equal(HOST(lab)->n_changes, 0);
	/* Requests that come now are for endpoints which are about to end. */
	late = lab_queue(lab, 1, 2, FAKE_DISK_IN, 2, 512, false, NULL);
	after = lab_queue(lab, 1, 2, FAKE_INT_IN, 1, 8, false, NULL);
	lab_run(lab);
	assert_false(late->done);
	HOST(lab)->deaf = false;
	lab_run(lab);
	lab_expect(&flying[0], -ESHUTDOWN, 0);
	lab_expect(&flying[1], -ESHUTDOWN, 0);
	assert_int_equal(HOST(lab)->n_changes, 1);
	usbfront_unlink(lab->front, &after->u); /* in the middle of the change */
	lab_run(lab);
	lab_expect(after, -ECONNRESET, 0);
	fake_host_changed(HOST(lab), 0);
	lab_pass(lab);
	lab_expect(set, 0, 0);
	lab_expect(&late[0], -ESHUTDOWN, 0);
	lab_expect(&late[1], -ESHUTDOWN, 0);
	/* The new configuration has one endpoint, with smaller packets. */
	after = lab_queue(lab, 1, 2, FAKE_BULK_IN, 1, 512, false, NULL);
	lab_queue(lab, 1, 2, FAKE_DISK_IN, 1, 512, false, NULL);
	lab_run(lab);
	lab_expect(after, -EINVAL, 0);
	assert_int_equal(fake_host_flying(HOST(lab), FAKE_DISK_IN), 1);
	assert_int_equal(lab->vusb->ports[1].pipes[17].co.config.max_packet, 64);
	assert_int_equal(lab->vusb->ports[1].pool.used, 1);
}

static void test_configuration_refused(void **state)
{
	struct lab *lab = *state;
	struct lab_urb *urb;

	lab_up(lab);
	HOST(lab)->change_status = -EPIPE;
	assert_int_equal(lab_control(lab, 1, 2, 0, USB_REQ_SET_CONFIGURATION, 2, 0, 0), -EPIPE);
	HOST(lab)->change_error = -EBUSY; /* not even begun */
	assert_int_equal(lab_control(lab, 1, 2, 0, USB_REQ_SET_CONFIGURATION, 2, 0, 0), -EPROTO);
	assert_int_equal(lab->vusb->ports[1].view->configuration, 1);
	HOST(lab)->change_status = HOST(lab)->change_error = 0;
	urb = lab_queue(lab, 1, 2, FAKE_BULK_IN, 1, 512, false, NULL);
	lab_run(lab);
	assert_int_equal(fake_host_flying(HOST(lab), FAKE_BULK_IN), 1); /* as before */
	/* One that the descriptors do not have, but the device takes. */
	assert_int_equal(lab_control(lab, 1, 2, 0, USB_REQ_SET_CONFIGURATION, 9, 0, 0), 0);
	lab_expect(urb, -ESHUTDOWN, 0);
	urb = lab_queue(lab, 1, 2, FAKE_BULK_IN, 1, 512, false, NULL);
	lab_run(lab);
	lab_expect(urb, -EINVAL, 0);
	assert_int_equal(lab_control(lab, 1, 2, 0, USB_REQ_SET_CONFIGURATION, 1, 0, 0), 0);
}

/* Only its own endpoints are touched. */
static void test_interface(void **state)
{
	struct lab *lab = *state;
	struct lab_urb *disk, *bulk, *late, *set;

	lab_up(lab);
	disk = lab_queue(lab, 1, 2, FAKE_DISK_IN, 2, 512, false, NULL);
	bulk = lab_queue(lab, 1, 2, FAKE_BULK_IN, 2, 512, false, NULL);
	lab_run(lab);
	HOST(lab)->hold_changes = true;
	set = lab_control_start(lab, 1, 2, USB_RECIP_INTERFACE, USB_REQ_SET_INTERFACE, 0, 0, 0);
	lab_run(lab);
	lab_expect(&disk[0], -ESHUTDOWN, 0);
	lab_expect(&disk[1], -ESHUTDOWN, 0);
	late = lab_queue(lab, 1, 2, FAKE_DISK_IN, 1, 512, false, NULL);
	fake_host_give(HOST(lab), FAKE_BULK_IN, 0, 512, &(uint32_t){0});
	lab_pass(lab);
	lab_expect(&bulk[0], 0, 512);
	assert_false(set->done);
	fake_host_changed(HOST(lab), 0);
	lab_pass(lab);
	lab_expect(set, 0, 0);
	lab_expect(late, -ESHUTDOWN, 0);
	assert_int_equal(last_change(HOST(lab))->kind, USB_CHANGE_INTERFACE);
	fake_host_give(HOST(lab), FAKE_BULK_IN, 0, 512, &(uint32_t){512});
	lab_pass(lab);
	lab_expect(&bulk[1], 0, 512);
	lab_queue(lab, 1, 2, FAKE_DISK_IN, 1, 512, false, NULL);
	lab_run(lab);
	assert_int_equal(fake_host_flying(HOST(lab), FAKE_DISK_IN), 1);
}

/* The requests stay, in order; the transfers are taken back for the moment. */
static void test_clear_halt(void **state)
{
	struct lab *lab = *state;
	struct lab_urb *bulk, *clear;
	uint32_t at = 0;

	lab_up(lab);
	bulk = lab_queue(lab, 1, 2, FAKE_BULK_IN, 3, 512, false, NULL);
	lab_run(lab);
	assert_int_equal(fake_host_flying(HOST(lab), FAKE_BULK_IN), 3);
	HOST(lab)->hold_changes = true;
	clear = lab_control_start(lab, 1, 2, USB_RECIP_ENDPOINT, USB_REQ_CLEAR_FEATURE,
				  USB_ENDPOINT_HALT, FAKE_BULK_IN, 0);
	lab_run(lab);
	assert_int_equal(HOST(lab)->change->kind, USB_CHANGE_CLEAR_HALT);
	assert_int_equal(HOST(lab)->change->endpoint, FAKE_BULK_IN);
	assert_int_equal(fake_host_flying(HOST(lab), FAKE_BULK_IN), 0);
	assert_false(bulk[0].done);
	fake_host_changed(HOST(lab), 0);
	lab_pass(lab);
	lab_expect(clear, 0, 0);
	assert_int_equal(fake_host_flying(HOST(lab), FAKE_BULK_IN), 3);
	for (unsigned int i = 0; i < 3; i++) {
		fake_host_give(HOST(lab), FAKE_BULK_IN, 0, 512, &at);
		lab_pass(lab);
		lab_expect(&bulk[i], 0, 512);
		lab_expect_bytes(&bulk[i], i * 512);
	}
	/* Of an endpoint that is not there: the host says so. */
	HOST(lab)->hold_changes = false;
	HOST(lab)->change_status = -EPIPE;
	assert_int_equal(lab_control(lab, 1, 2, USB_RECIP_ENDPOINT, USB_REQ_CLEAR_FEATURE,
				     USB_ENDPOINT_HALT, 0x8f, 0),
			 -EPIPE);
}

/* A device that is another one after its reset is unplugged, without waiting for anything else. */
static void test_change_ends_device(void **state)
{
	struct lab *lab = *state;
	struct lab_urb *get;

	for (unsigned int begun = 0; begun < 2; begun++) {
		if (begun) {
			lab_plug(lab, 1, 0);
			lab_pass(lab);
			lab_enumerate(lab, 1, 2);
		} else {
			lab_up(lab);
		}
		HOST(lab)->change_status = begun ? -ENODEV : 0;
		HOST(lab)->change_error = begun ? 0 : -ENODEV;
		get = lab_control_start(lab, 1, 0, USB_DIR_IN, USB_REQ_GET_DESCRIPTOR,
					USB_DT_DEVICE << 8, 0, 64);
		if (!begun) { /* the pass that hears of it asks for another one */
			assert_int_equal(vusb_pass(lab->vusb), clock_now(&lab->clock));
		} else {
			lab_run(lab);
			assert_int_equal(lab->deadline_ns, clock_now(&lab->clock));
		}
		lab_pass(lab);
		lab_expect(get, -ENODEV, 0);
		assert_string_equal(lab->gone, begun ? "1,1," : "1,");
		assert_string_equal(lab->ports, begun ? "1H1-1H1-" : "1H1-");
		assert_false(HOST(lab)->is_open);
		HOST(lab)->change_status = HOST(lab)->change_error = 0;
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, lab_setup, lab_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_enumeration),
		TEST(test_super_speed),
		TEST(test_version_1),
		TEST(test_addresses),
		TEST(test_order),
		TEST(test_data_out),
		TEST(test_failures),
		TEST(test_unlink),
		TEST(test_unlink_change),
		TEST(test_reset),
		TEST(test_reset_fails),
		TEST(test_reset_never),
		TEST(test_configuration),
		TEST(test_configuration_refused),
		TEST(test_interface),
		TEST(test_clear_halt),
		TEST(test_change_ends_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
