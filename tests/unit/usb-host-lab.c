/* SPDX-License-Identifier: GPL-2.0-or-later */
/* usb-host-lab.c - a USB host for tests of models, see usb-host-lab.h. */
#include "usb-host-lab.h"

#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "cluster/models/models.h"
#include "util.h"

#define START_NS (1000 * NSEC_PER_SEC)

void lab_open(struct usb_lab *lab, const char *spec)
{
	char error[512] = "";

	memset(lab, 0, sizeof(*lab));
	clock_init_manual(&lab->clock, START_NS);
	assert_int_equal(sd_event_new(&lab->event), 0);
	if (usb_model_open(&lab->host, spec, lab->event, &lab->clock, error, sizeof(error)))
		fail_msg("%s: %s", spec, error);
	assert_int_equal(lab_change(lab, USB_CHANGE_CONFIGURATION, 1, 0, 0), 0);
}

void lab_close(struct usb_lab *lab)
{
	if (lab->host)
		lab->host->ops->close(lab->host);
	sd_event_unref(lab->event);
}

static void on_done(struct usb_transfer *transfer)
{
	struct lab_urb *urb = transfer->owner;

	assert_true(urb->in_flight);
	urb->in_flight = false;
	urb->order = ++urb->lab->n_done;
	urb->done_ns = clock_now(&urb->lab->clock);
}

int lab_submit(struct usb_lab *lab, struct lab_urb *urb)
{
	int rc;

	urb->lab = lab;
	urb->transfer.owner = urb;
	urb->transfer.done = on_done;
	urb->in_flight = true;
	rc = lab->host->ops->submit(lab->host, &urb->transfer);
	assert_true(rc || urb->in_flight); /* done is never called from inside submit */
	if (rc)
		urb->in_flight = false;
	return rc;
}

int lab_start(struct usb_lab *lab, struct lab_urb *urb, uint8_t type, uint8_t endpoint, void *data,
	      uint32_t length)
{
	memset(urb, 0, sizeof(*urb));
	urb->transfer.type = type;
	urb->transfer.endpoint = endpoint;
	urb->transfer.data = data;
	urb->transfer.length = length;
	return lab_submit(lab, urb);
}

/* One step: an event that is there, else time passes, else an event that will come. */
static void step(struct usb_lab *lab)
{
	uint64_t deadline_ns;
	int rc = sd_event_run(lab->event, 0);

	assert_true(rc >= 0);
	if (rc)
		return;
	deadline_ns = usb_model_deadline_ns(lab->host);
	if (deadline_ns == DEADLINE_NEVER) {
		assert_true(sd_event_run(lab->event, UINT64_MAX) >= 0);
		return;
	}
	if (deadline_ns > clock_now(&lab->clock))
		clock_advance(&lab->clock, deadline_ns - clock_now(&lab->clock));
	usb_model_run(lab->host);
}

void lab_wait(struct lab_urb *urb)
{
	while (urb->in_flight)
		step(urb->lab);
}

void lab_settle(struct usb_lab *lab)
{
	while (sd_event_run(lab->event, 0) > 0)
		;
}

void lab_advance(struct usb_lab *lab, uint64_t ns)
{
	uint64_t end_ns = clock_now(&lab->clock) + ns, next_ns;

	lab_settle(lab);
	while ((next_ns = usb_model_deadline_ns(lab->host)) <= end_ns) {
		if (next_ns > clock_now(&lab->clock))
			clock_advance(&lab->clock, next_ns - clock_now(&lab->clock));
		usb_model_run(lab->host);
		lab_settle(lab);
	}
	clock_advance(&lab->clock, end_ns - clock_now(&lab->clock));
	usb_model_run(lab->host);
}

static int result(const struct usb_transfer *transfer)
{
	return transfer->status ? transfer->status : (int)transfer->actual;
}

int lab_bulk(struct usb_lab *lab, uint8_t endpoint, void *data, uint32_t length)
{
	struct lab_urb urb;
	int rc = lab_start(lab, &urb, USB_ENDPOINT_XFER_BULK, endpoint, data, length);

	if (rc)
		return rc;
	lab_wait(&urb);
	return result(&urb.transfer);
}

int lab_control(struct usb_lab *lab, uint8_t type, uint8_t request, uint16_t value, uint16_t index,
		void *data, uint16_t length)
{
	struct lab_urb urb = {.transfer = {.type = USB_ENDPOINT_XFER_CONTROL,
					   .setup = {type, request, htole16(value), htole16(index),
						     htole16(length)},
					   .data = data,
					   .length = length}};
	int rc = lab_submit(lab, &urb);

	if (rc)
		return rc;
	lab_wait(&urb);
	return result(&urb.transfer);
}

static void change_done(struct usb_change *change)
{
	*(bool *)change->owner = true;
}

int lab_change(struct usb_lab *lab, enum usb_change_kind kind, uint8_t value, uint8_t interface,
	       uint8_t endpoint)
{
	bool done = false;
	struct usb_change change = {.kind = kind,
				    .value = value,
				    .interface = interface,
				    .endpoint = endpoint,
				    .done = change_done,
				    .owner = &done};
	int rc = lab->host->ops->change(lab->host, &change);

	if (rc)
		return rc;
	assert_false(done); /* never from inside the call */
	while (!done)
		step(lab);
	return change.status;
}

int lab_clear_halt(struct usb_lab *lab, uint8_t endpoint)
{
	return lab_change(lab, USB_CHANGE_CLEAR_HALT, 0, 0, endpoint);
}
