/* SPDX-License-Identifier: GPL-2.0-or-later */
/* source_sink.c - patterns out, patterns in, see source_sink.h. */
#include "source_sink.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "util.h"

#define VID 0x0525
#define PID 0xa4a0

#define BULK_IN	 0x81
#define BULK_OUT 0x01
#define ISO_IN	 0x82
#define ISO_OUT	 0x02
#define INT_IN	 0x83
#define INT_OUT	 0x03

/* bInterval where none is asked for: a millisecond each. */
#define HIGH_SPEED_INTERVAL 4
#define FULL_SPEED_INTERVAL 1

enum pattern { PATTERN_ZERO, PATTERN_MOD63, PATTERN_ANY };

#define MOD63_BYTES 1024 /* the longest packet */

struct source_sink {
	struct model *model;
	enum pattern pattern;
	bool full_speed;
	uint8_t mod63[MOD63_BYTES];
	uint8_t written[UINT16_MAX]; /**< by the last vendor write */
};

static uint16_t max_packet(const struct source_sink *ss, uint8_t type)
{
	if (type == USB_ENDPOINT_XFER_ISOC)
		return ss->full_speed ? 1023 : 1024;
	if (type == USB_ENDPOINT_XFER_INT)
		return ss->full_speed ? 64 : 1024;
	return ss->full_speed ? 64 : 512;
}

static int op_control(void *self, const struct usb_ctrlrequest *setup, uint8_t *data)
{
	struct source_sink *ss = self;
	uint16_t n = le16toh(setup->wLength);

	if (setup->wValue || setup->wIndex)
		return -EPIPE;
	if (setup->bRequestType == (USB_DIR_OUT | USB_TYPE_VENDOR) &&
	    setup->bRequest == SOURCE_SINK_WRITE) {
		if (n)
			memcpy(ss->written, data, n);
		return n;
	}
	if (setup->bRequestType == (USB_DIR_IN | USB_TYPE_VENDOR) &&
	    setup->bRequest == SOURCE_SINK_READ) {
		if (n)
			memcpy(data, ss->written, n);
		return n;
	}
	return -EPIPE;
}

/* Packet by packet, for the pattern begins anew with each. */
static void fill(const struct source_sink *ss, uint8_t *data, size_t n, uint16_t packet)
{
	if (ss->pattern == PATTERN_MOD63) {
		for (size_t i = 0; i < n; i += packet)
			memcpy(data + i, ss->mod63, MIN(n - i, packet));
	} else if (n) {
		memset(data, 0, n);
	}
}

static bool is_pattern(const struct source_sink *ss, const uint8_t *data, size_t n, uint16_t packet)
{
	bool good = true;

	if (ss->pattern == PATTERN_ANY || !n)
		return true;
	if (ss->pattern == PATTERN_ZERO)
		return !data[0] && !memcmp(data, data + 1, n - 1);
	for (size_t i = 0; good && i < n; i += packet)
		good = !memcmp(data + i, ss->mod63, MIN(n - i, packet));
	return good;
}

static void move_packets(const struct source_sink *ss, struct usb_transfer *transfer,
			 uint16_t packet)
{
	uint8_t *data = transfer->data;

	for (uint32_t i = 0; i < transfer->n_packets; i++) {
		struct usb_packet *p = &transfer->packets[i];

		p->actual = MIN(p->length, packet);
		if (transfer->endpoint & USB_DIR_IN)
			fill(ss, data, p->actual, packet);
		transfer->actual += p->actual;
		data += p->length;
	}
}

static enum model_verdict op_transfer(void *self, struct usb_transfer *transfer, uint64_t now_ns)
{
	struct source_sink *ss = self;
	uint16_t packet = max_packet(ss, transfer->type);

	if (transfer->type == USB_ENDPOINT_XFER_ISOC) {
		move_packets(ss, transfer, packet);
		return MODEL_DONE;
	}
	if (transfer->endpoint & USB_DIR_IN) {
		fill(ss, transfer->data, transfer->length, packet);
	} else if (!is_pattern(ss, transfer->data, transfer->length, packet)) {
		/* The packets were taken before anybody looked at them. */
		model_ch9_halt(&ss->model->ch9, transfer->endpoint);
	}
	transfer->actual = transfer->length;
	return MODEL_DONE;
}

static void op_reset(void *self)
{
}

static void op_destroy(void *self)
{
	free(self);
}

static const struct model_ops source_sink_ops = {
	.fills_packets = true,
	.control = op_control,
	.transfer = op_transfer,
	.reset = op_reset,
	.destroy = op_destroy,
};

static void add_endpoints(const struct source_sink *ss, struct model_desc *desc, uint8_t type,
			  uint8_t in, uint8_t out, uint8_t interval)
{
	model_desc_endpoint(desc, in, type, max_packet(ss, type), interval);
	model_desc_endpoint(desc, out, type, max_packet(ss, type), interval);
}

void source_sink_create(struct model *model, const struct model_spec *spec)
{
	static const uint8_t vendor_specific[3] = {USB_CLASS_VENDOR_SPEC, 0, 0};
	struct source_sink *ss = xb_calloc(1, sizeof(*ss));
	struct model_desc *desc = &model->desc;
	uint8_t interval = spec->full_speed ? FULL_SPEED_INTERVAL : HIGH_SPEED_INTERVAL;

	if (spec->interval)
		interval = spec->interval;
	ss->model = model;
	ss->pattern = (enum pattern)spec->pattern;
	ss->full_speed = spec->full_speed;
	for (size_t i = 0; i < sizeof(ss->mod63); i++)
		ss->mod63[i] = (uint8_t)(i % 63);
	model_desc_init(desc, spec->full_speed ? USB_SPEED_FULL : USB_SPEED_HIGH, VID, PID,
			"Source and Sink", NULL);
	model_desc_class(desc, USB_CLASS_VENDOR_SPEC);
	model_desc_interface(desc, 0, 0, vendor_specific, "source and sink data");
	add_endpoints(ss, desc, USB_ENDPOINT_XFER_BULK, BULK_IN, BULK_OUT, 0);
	model_desc_interface(desc, 0, 1, vendor_specific, "bulk, isochronous and interrupt");
	add_endpoints(ss, desc, USB_ENDPOINT_XFER_BULK, BULK_IN, BULK_OUT, 0);
	add_endpoints(ss, desc, USB_ENDPOINT_XFER_ISOC, ISO_IN, ISO_OUT, interval);
	add_endpoints(ss, desc, USB_ENDPOINT_XFER_INT, INT_IN, INT_OUT, interval);
	model->ops = &source_sink_ops;
	model->self = ss;
}
