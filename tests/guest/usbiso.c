/* SPDX-License-Identifier: GPL-2.0-or-later */
/* usbiso.c - see usbiso.h. */
#include "usbiso.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

#define URBS_DEFAULT	6u
#define PACKETS_DEFAULT 8u
#define MODULUS		63u

struct stream {
	struct usbdev *dev;
	struct usbfront *front;
	struct usbiso_options options;
	struct usbiso_result *result;
	uint64_t start_ns, last_ns, told_ns;
	uint64_t sent;
	uint16_t max_packet;
	bool stop; /**< nothing more is sent */
	uint8_t *data;
	struct usbfront_urb urbs[USBISO_URBS_MAX];
	struct usbfront_packet packets[USBISO_URBS_MAX][USBISO_PACKETS_MAX];
};

static bool right(const struct stream *stream, const uint8_t *data, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (data[i] !=
		    (stream->options.pattern == 0 ? 0 : (i % stream->max_packet) % MODULUS))
			return false;
	return true;
}

static void count(struct stream *stream, const struct usbfront_urb *urb)
{
	struct usbiso_result *result = stream->result;

	result->urbs++;
	result->packets += urb->n_packets;
	if (urb->status < 0) {
		result->lost += urb->n_packets;
		result->status = result->status ? result->status : urb->status;
		return;
	}
	for (uint32_t i = 0; i < urb->n_packets; i++) {
		const struct usbfront_packet *packet = &urb->packets[i];

		result->lost += packet->status != 0;
		result->bytes += packet->actual;
		if (!(urb->endpoint & USB_DIR_IN) || packet->status != 0)
			continue;
		result->empty += packet->actual == 0;
		if (stream->options.pattern >= 0 &&
		    !right(stream, urb->data + packet->offset, packet->actual))
			result->wrong++;
	}
}

static bool may_send(struct stream *stream, uint64_t now_ns)
{
	const struct usbiso_options *options = &stream->options;

	return !stream->stop && !usbdev_info(stream->dev)->gone &&
	       now_ns - stream->start_ns < options->duration_ns &&
	       (options->max_urbs == 0 || stream->sent < options->max_urbs);
}

static void tell(struct stream *stream, uint64_t now_ns)
{
	const struct usbiso_result *result = stream->result;

	if (!stream->options.progress || now_ns - stream->told_ns < NSEC_PER_SEC)
		return;
	stream->told_ns = now_ns;
	if (!stream->options.progress(stream->options.ctx, now_ns - stream->start_ns,
				      result->packets, result->lost))
		stream->stop = true;
}

static void on_done(struct usbfront_urb *urb)
{
	struct stream *stream = urb->ctx;
	uint64_t now_ns = usbdev_bus_now(usbdev_bus(stream->dev));

	stream->result->longest_gap_ns =
		MAX(stream->result->longest_gap_ns, now_ns - stream->last_ns);
	stream->last_ns = now_ns;
	count(stream, urb);
	tell(stream, now_ns);
	if (urb->status < 0)
		stream->stop = true;
	if (may_send(stream, now_ns) && usbfront_submit(stream->front, urb) == 0)
		stream->sent++;
}

static void make_urb(struct stream *stream, unsigned int n)
{
	const struct usbiso_options *options = &stream->options;
	uint32_t bytes = options->n_packets * options->packet_bytes;
	struct usbfront_urb *urb = &stream->urbs[n];

	usbdev_urb_init(stream->dev, urb, options->endpoint, stream->data + (size_t)n * bytes,
			bytes);
	urb->offset = options->offset;
	urb->packets_offset = (uint16_t)(n * 500); /* Linux: anywhere in a page */
	urb->packets = stream->packets[n];
	urb->n_packets = options->n_packets;
	urb->done = on_done;
	urb->ctx = stream;
	for (uint32_t i = 0; i < options->n_packets; i++)
		urb->packets[i] = (struct usbfront_packet){.offset = i * options->packet_bytes,
							   .length = options->packet_bytes};
	if (options->endpoint & USB_DIR_IN)
		return;
	for (uint32_t i = 0; i < bytes; i++)
		urb->data[i] = options->pattern == 1 ? (uint8_t)((i % options->packet_bytes) %
								 stream->max_packet % MODULUS)
						     : 0;
}

static int start(struct stream *stream)
{
	int rc = 0;

	for (unsigned int i = 0; i < stream->options.n_urbs; i++)
		make_urb(stream, i);
	stream->start_ns = stream->last_ns = stream->told_ns =
		usbdev_bus_now(usbdev_bus(stream->dev));
	for (unsigned int i = 0; i < stream->options.n_urbs && rc == 0; i++) {
		if (!may_send(stream, stream->start_ns))
			break;
		rc = usbfront_submit(stream->front, &stream->urbs[i]);
		stream->sent += rc == 0;
	}
	return rc;
}

int usbiso_run(struct usbdev *dev, const struct usbiso_options *options,
	       struct usbiso_result *result)
{
	const struct usbdesc_endpoint *endpoint = usbdev_endpoint(dev, options->endpoint);
	struct usbdev_bus *bus = usbdev_bus(dev);
	struct stream *stream;
	int rc;

	memset(result, 0, sizeof(*result));
	if (!endpoint || endpoint->type != USB_ENDPOINT_XFER_ISOC || !endpoint->max_packet)
		return -EINVAL;
	stream = xb_calloc(1, sizeof(*stream));
	stream->dev = dev;
	stream->front = usbdev_bus_front(bus);
	stream->options = *options;
	stream->result = result;
	stream->max_packet = endpoint->max_packet;
	options = &stream->options;
	stream->options.n_urbs =
		options->n_urbs ? MIN(options->n_urbs, USBISO_URBS_MAX) : URBS_DEFAULT;
	stream->options.n_packets =
		options->n_packets ? MIN(options->n_packets, USBISO_PACKETS_MAX) : PACKETS_DEFAULT;
	if (!options->packet_bytes)
		stream->options.packet_bytes = (uint32_t)endpoint->max_packet * endpoint->per_frame;
	stream->data =
		xb_calloc((size_t)options->n_urbs * options->n_packets, options->packet_bytes);
	rc = start(stream);
	if (rc < 0)
		usbdev_cancel(bus, stream->urbs, options->n_urbs);
	else
		rc = usbdev_finish(bus, stream->urbs, options->n_urbs,
				   stream->start_ns + MIN(options->duration_ns, UINT64_MAX / 4) +
					   USBDEV_GRACE_NS);
	result->elapsed_ns = usbdev_bus_now(bus) - stream->start_ns;
	if (rc == 0 && usbdev_info(dev)->gone)
		rc = -ENODEV;
	free(stream->data);
	free(stream);
	return rc;
}
