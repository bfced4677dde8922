/* SPDX-License-Identifier: GPL-2.0-or-later */
/* usb-fake-host.c - see usb-fake-host.h. */
#include "usb-fake-host.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

/* --- descriptors --- */

#define ENDPOINT(address, type, size, interval)                                                    \
	7, USB_DT_ENDPOINT, (address), (type), (size)&0xff, (size) >> 8, (interval)
#define INTERFACE(number, alternate, n, class, subclass, protocol)                                 \
	9, USB_DT_INTERFACE, (number), (alternate), (n), (class), (subclass), (protocol), 0
#define CONFIG(total, n, value)                                                                    \
	9, USB_DT_CONFIG, (total)&0xff, (total) >> 8, (n), (value), 0, 0x80, 50

static const uint8_t descriptors[] = {
	/* device: USB 2.0, 64 bytes for endpoint 0, 1209:0001, 2 configurations */
	18,
	USB_DT_DEVICE,
	0x00,
	0x02,
	0,
	0,
	0,
	64,
	0x09,
	0x12,
	0x01,
	0x00,
	0x00,
	0x01,
	0,
	0,
	0,
	2,
	CONFIG(94, 3, 1),
	INTERFACE(0, 0, 2, USB_CLASS_MASS_STORAGE, 6, 0x50),
	ENDPOINT(FAKE_DISK_IN, USB_ENDPOINT_XFER_BULK, 512, 0),
	ENDPOINT(FAKE_DISK_OUT, USB_ENDPOINT_XFER_BULK, 512, 0),
	INTERFACE(1, 0, 0, USB_CLASS_VENDOR_SPEC, 0, 0),
	INTERFACE(1, 1, 2, USB_CLASS_VENDOR_SPEC, 0, 0),
	ENDPOINT(FAKE_ISO_IN, USB_ENDPOINT_XFER_ISOC, FAKE_ISO_PACKET, 1),
	ENDPOINT(FAKE_ISO_OUT, USB_ENDPOINT_XFER_ISOC, FAKE_ISO_PACKET, 1),
	INTERFACE(2, 0, 3, USB_CLASS_VENDOR_SPEC, 0, 0),
	ENDPOINT(FAKE_BULK_IN, USB_ENDPOINT_XFER_BULK, 512, 0),
	ENDPOINT(FAKE_BULK_OUT, USB_ENDPOINT_XFER_BULK, 512, 0),
	ENDPOINT(FAKE_INT_IN, USB_ENDPOINT_XFER_INT, 8, 4),
	CONFIG(25, 1, 2),
	INTERFACE(0, 0, 1, USB_CLASS_VENDOR_SPEC, 0, 0),
	ENDPOINT(FAKE_DISK_IN, USB_ENDPOINT_XFER_BULK, 64, 0),
};

/* --- the seam --- */

static struct fake_host *of(struct usb_host *host)
{
	struct fake_host *fake = container_of(host, struct fake_host, host);

	assert(fake->is_open); /* nobody uses a device that he closed */
	return fake;
}

static bool is_in(const struct usb_transfer *t)
{
	return t->type == USB_ENDPOINT_XFER_CONTROL ? t->setup.bRequestType & USB_DIR_IN
						    : t->endpoint & USB_DIR_IN;
}

static void record(struct fake_host *fake, const struct usb_transfer *t)
{
	struct fake_record *r = &fake->records[fake->n_records % FAKE_RECORDS];

	fake->n_records++;
	*r = (struct fake_record){.endpoint = t->endpoint,
				  .type = t->type,
				  .zero_packet = t->zero_packet,
				  .setup = t->setup,
				  .length = t->length,
				  .n_packets = t->n_packets};
	if (!is_in(t) && t->length)
		memcpy(r->data, t->data, MIN(t->length, sizeof(r->data)));
}

static int fake_submit(struct usb_host *host, struct usb_transfer *t)
{
	struct fake_host *fake = of(host);

	assert(fake->n_flying < FAKE_FLYING && t->done && (t->data || t->length == 0));
	if (t->type == USB_ENDPOINT_XFER_CONTROL)
		assert(t->endpoint == 0 && le16toh(t->setup.wLength) == t->length &&
		       fake_host_flying(fake, 0) == 0);
	if (fake->n_refusals) {
		fake->n_refusals--;
		return fake->submit_error;
	}
	if (fake->memory && fake->bytes + t->length > fake->memory)
		return -ENOMEM;
	record(fake, t);
	if (t->length && is_in(t))
		memset(t->data, 0xee, t->length); /* the memory is the device's now */
	t->host = fake;
	fake->bytes += t->length;
	fake->cancelled[fake->n_flying] = false;
	fake->flying[fake->n_flying++] = t;
	return 0;
}

static unsigned int place_of(const struct fake_host *fake, const struct usb_transfer *t)
{
	unsigned int i = 0;

	while (i < fake->n_flying && fake->flying[i] != t)
		i++;
	return i;
}

static void fake_cancel(struct usb_host *host, struct usb_transfer *t)
{
	struct fake_host *fake = of(host);
	unsigned int i = place_of(fake, t);

	fake->n_cancels++;
	if (i < fake->n_flying)
		fake->cancelled[i] = true;
}

static int fake_change(struct usb_host *host, struct usb_change *change)
{
	struct fake_host *fake = of(host);

	assert(!fake->change && change->done);
	fake->changes[fake->n_changes++ % FAKE_CHANGES] = *change;
	if (fake->change_error)
		return fake->change_error;
	fake->change = change;
	return 0;
}

static void *fake_buffer_alloc(struct usb_host *host, size_t size)
{
	struct fake_host *fake = of(host);

	if (!fake->mapped || fake->buffer)
		return NULL;
	fake->buffer = calloc(1, size);
	return fake->buffer;
}

static void fake_buffer_free(struct usb_host *host, void *buffer, size_t size)
{
	assert(of(host)->buffer == buffer && size);
	of(host)->buffer = NULL;
	free(buffer);
}

static void fake_close(struct usb_host *host)
{
	struct fake_host *fake = of(host);

	while (fake->n_flying)
		fake_host_end(fake, fake->flying[0], fake->close_status, fake->close_actual);
	fake->change = NULL;
	fake->is_open = false;
	free(fake->buffer);
	fake->buffer = NULL;
}

static const struct usb_host_ops fake_ops = {
	.name = "fake",
	.submit = fake_submit,
	.cancel = fake_cancel,
	.change = fake_change,
	.buffer_alloc = fake_buffer_alloc,
	.buffer_free = fake_buffer_free,
	.close = fake_close,
};

/* --- life --- */

void fake_host_init(struct fake_host *fake, enum usb_device_speed speed)
{
	memset(fake, 0, sizeof(*fake));
	fake->host = (struct usb_host){.ops = &fake_ops, .name = "fake", .speed = speed};
	memcpy(fake->descriptors, descriptors, sizeof(descriptors));
	fake->host.descriptors = fake->descriptors;
	fake->host.n_descriptors = sizeof(descriptors);
	fake->close_status = -ENODEV;
	if (speed >= USB_SPEED_SUPER)
		fake->descriptors[7] = 9; /* 2^9 bytes */
}

int fake_host_open(struct usb_host **host, void *arg, sd_event *event, struct clock *clock,
		   char *error, size_t error_size)
{
	struct fake_host *fake = arg;

	if (fake->open_error) {
		snprintf(error, error_size, "fake: %s", strerror(-fake->open_error));
		return fake->open_error;
	}
	assert(!fake->is_open && event && clock);
	fake->is_open = true;
	fake->n_opens++;
	fake->n_flying = 0;
	fake->bytes = 0;
	fake->host.gone = NULL;
	*host = &fake->host;
	return 0;
}

/* --- ends --- */

uint8_t fake_host_byte(uint32_t i)
{
	return (uint8_t)((i * 2654435761u) >> 24 ^ i);
}

void fake_host_end(struct fake_host *fake, struct usb_transfer *t, int status, uint32_t actual)
{
	unsigned int i = place_of(fake, t), n = --fake->n_flying - i;

	memmove(fake->flying + i, fake->flying + i + 1, n * sizeof(fake->flying[0]));
	memmove(fake->cancelled + i, fake->cancelled + i + 1, n * sizeof(fake->cancelled[0]));
	fake->bytes -= t->length;
	fake->n_done++;
	t->status = status;
	t->actual = actual;
	t->done(t);
}

/* The i-th configuration; NULL where the descriptors have none. */
static const uint8_t *configuration(const struct fake_host *fake, unsigned int i, uint32_t *length)
{
	uint32_t at = fake->descriptors[0], end = (uint32_t)fake->host.n_descriptors;

	while (at + USB_DT_CONFIG_SIZE <= end) {
		*length = (uint32_t)(fake->descriptors[at + 2] | fake->descriptors[at + 3] << 8);
		*length = MIN(*length, end - at);
		if (i-- == 0)
			return fake->descriptors + at;
		at += MAX(*length, 1u);
	}
	return NULL;
}

/* What a device with these descriptors says. */
static void answer_control(struct fake_host *fake, struct usb_transfer *t)
{
	uint16_t value = le16toh(t->setup.wValue);
	uint32_t n = t->length, left = USB_DT_DEVICE_SIZE;
	const uint8_t *from = fake->descriptors;
	bool get = is_in(t) && t->setup.bRequest == USB_REQ_GET_DESCRIPTOR;

	if (get && value >> 8 == USB_DT_CONFIG)
		from = configuration(fake, value & 0xff, &left);
	if (fake->stalls_control || !from) {
		fake_host_end(fake, t, -EPIPE, 0);
		return;
	}
	n = get ? MIN(n, left) : n;
	if (get && n)
		memcpy(t->data, from, n);
	else if (is_in(t) && n)
		memset(t->data, 0, n);
	fake_host_end(fake, t, 0, n);
}

static struct usb_transfer *due(struct fake_host *fake, bool *cancelled)
{
	for (unsigned int i = 0; i < fake->n_flying; i++) {
		*cancelled = fake->cancelled[i] && !fake->deaf;
		if (*cancelled ||
		    (fake->flying[i]->type == USB_ENDPOINT_XFER_CONTROL && !fake->hold_control))
			return fake->flying[i];
	}
	return NULL;
}

bool fake_host_run(struct fake_host *fake)
{
	struct usb_transfer *t;
	bool any = false, cancelled;

	while ((t = due(fake, &cancelled)) != NULL) {
		any = true;
		if (cancelled)
			fake_host_end(fake, t, -ECANCELED, 0);
		else
			answer_control(fake, t);
	}
	if (fake->change && !fake->hold_changes) {
		fake_host_changed(fake, fake->change_status);
		any = true;
	}
	return any;
}

unsigned int fake_host_flying(const struct fake_host *fake, uint8_t endpoint)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < fake->n_flying; i++)
		n += fake->flying[i]->endpoint == endpoint;
	return n;
}

struct usb_transfer *fake_host_transfer(const struct fake_host *fake, uint8_t endpoint,
					unsigned int i)
{
	for (unsigned int k = 0; k < fake->n_flying; k++)
		if (fake->flying[k]->endpoint == endpoint && i-- == 0)
			return fake->flying[k];
	return NULL;
}

bool fake_host_is_cancelled(const struct fake_host *fake, const struct usb_transfer *t)
{
	return fake->cancelled[place_of(fake, t)];
}

void fake_host_give(struct fake_host *fake, uint8_t endpoint, int status, uint32_t actual,
		    uint32_t *at)
{
	struct usb_transfer *t = fake_host_transfer(fake, endpoint, 0);

	assert(t && actual <= t->length);
	for (uint32_t i = 0; at && i < actual; i++)
		t->data[i] = fake_host_byte((*at)++);
	fake_host_end(fake, t, status, actual);
}

void fake_host_changed(struct fake_host *fake, int status)
{
	struct usb_change *change = fake->change;

	fake->change = NULL;
	change->status = status;
	change->done(change);
}

void fake_host_vanish(struct fake_host *fake, bool first)
{
	if (!first)
		fake->host.gone(&fake->host, fake->host.owner);
	while (fake->n_flying)
		fake_host_end(fake, fake->flying[0], -ENODEV, 0);
	if (first)
		fake->host.gone(&fake->host, fake->host.owner);
}

unsigned int fake_host_records(const struct fake_host *fake, uint8_t endpoint)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < MIN(fake->n_records, FAKE_RECORDS); i++)
		n += fake->records[i].endpoint == endpoint;
	return n;
}

const struct fake_record *fake_host_record(const struct fake_host *fake, uint8_t endpoint,
					   unsigned int i)
{
	for (unsigned int k = 0; k < MIN(fake->n_records, FAKE_RECORDS); k++)
		if (fake->records[k].endpoint == endpoint && i-- == 0)
			return &fake->records[k];
	assert(!"there are not that many records");
	return NULL;
}
