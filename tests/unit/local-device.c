/* SPDX-License-Identifier: GPL-2.0-or-later */
/* local-device.c - a device of host_libusb on the usbfs mock; see local-device.h. */
#include "local-device.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

const struct host_libusb_tuning lab_tuning = {
	.close_ms = 2000, .control_ms = 60000, .mapping = HOST_LIBUSB_MAPPING_MEASURE};

void lab_init(struct lab *lab)
{
	*lab = (struct lab){0};
	mock_init(&lab->mock);
	assert_true(sd_event_new(&lab->event) >= 0);
}

static void on_gone(struct usb_host *host, void *owner)
{
	struct lab *lab = owner;

	lab->n_gone++;
	if (lab->on_gone)
		lab->on_gone(lab);
}

int lab_open(struct lab *lab)
{
	int err = host_libusb_open_tuned(&lab->host, lab->mock.fd, "3-1.5", lab->event, &lab_tuning,
					 lab->error, sizeof(lab->error));

	if (!err) {
		lab->host->gone = on_gone;
		lab->host->owner = lab;
	}
	return err;
}

void lab_fini(struct lab *lab)
{
	if (lab->host)
		lab->host->ops->close(lab->host);
	assert_int_equal(fcntl(lab->mock.fd, F_GETFD), -1);
	assert_int_equal(lab->mock.violations, 0);
	mock_fini(&lab->mock);
	sd_event_unref(lab->event);
}

static void on_done(struct usb_transfer *transfer)
{
	struct lab *lab = transfer->owner;

	assert_null(transfer->host);
	assert_true(lab->n_done < LAB_TRANSFERS);
	lab->order[lab->n_done++] = transfer;
	if (lab->on_done)
		lab->on_done(lab, transfer);
}

int lab_submit(struct lab *lab, unsigned int i, uint8_t type, uint8_t endpoint, void *data,
	       uint32_t length)
{
	struct usb_transfer *transfer = &lab->transfers[i];
	unsigned int before = lab->n_done;
	int err;

	transfer->type = type;
	transfer->endpoint = endpoint;
	transfer->data = data;
	transfer->length = length;
	transfer->done = on_done;
	transfer->owner = lab;
	transfer->status = 1; /* neither good nor an error */
	err = lab->host->ops->submit(lab->host, transfer);
	assert_int_equal(lab->n_done, before);
	return err;
}

int lab_control(struct lab *lab, unsigned int i, uint8_t request_type, void *data, uint16_t length)
{
	lab->transfers[i].setup = (struct usb_ctrlrequest){
		.bRequestType = request_type, .bRequest = 6, .wLength = htole16(length)};
	return lab_submit(lab, i, USB_ENDPOINT_XFER_CONTROL, 0, data, length);
}

static void on_changed(struct usb_change *change)
{
	struct lab *lab = change->owner;

	lab->n_changed++;
	lab->changed_after = lab->n_done;
	if (lab->on_changed)
		lab->on_changed(lab);
}

int lab_change(struct lab *lab, enum usb_change_kind kind, uint8_t value)
{
	lab->change.kind = kind;
	lab->change.value = value;
	lab->change.done = on_changed;
	lab->change.owner = lab;
	lab->change.status = 1;
	return lab->host->ops->change(lab->host, &lab->change);
}

void lab_run(struct lab *lab, const unsigned int *counter, unsigned int n)
{
	while (*counter < n)
		assert_true(sd_event_run(lab->event, UINT64_MAX) >= 0);
}

void lab_idle(struct lab *lab)
{
	while (sd_event_run(lab->event, 0) > 0)
		;
}
