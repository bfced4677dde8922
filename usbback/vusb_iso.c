/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vusb_iso.c - isochronous requests: each is a transfer of its own, started at once, so that the
 * host always has the next one while one runs; packets are packed without the guest's gaps.
 */
#include "vusb_priv.h"

#include <errno.h>

#include "clock.h"
#include "util.h"

static void release(struct vusb_request *request)
{
	pool_put(&request->port->pool, request->flight.transfer.data, request->flight.buffer_bytes);
	request->flight.transfer.data = NULL;
}

/* What the guest says of its packets; the sum of their lengths, or -EINVAL. */
static int64_t read_packets(struct vusb_request *request)
{
	const struct urb *urb = &request->urb;
	int64_t sum = 0;

	vusb_copy_packets(request, false);
	vusb_copy_run(request->vusb);
	if (request->bad_memory)
		return -EINVAL;
	for (unsigned int i = 0; i < urb->n_packets; i++) {
		const struct urb_iso_packet *p = &request->guest_packets[i];

		if (p->length > urb->length || p->offset > urb->length - p->length)
			return -EINVAL;
		request->packets[i] = (struct usb_packet){.length = p->length};
		sum += p->length;
	}
	return sum <= (int64_t)POOL_SLOT_BYTES ? sum : -EINVAL;
}

static int fetch(struct vusb_request *request)
{
	uint8_t *to = request->flight.transfer.data; /* NULL: packets without bytes */

	for (unsigned int i = 0; i < request->urb.n_packets && to; i++) {
		vusb_copy(request, request->guest_packets[i].offset, to,
			  request->guest_packets[i].length, false);
		to += request->guest_packets[i].length;
	}
	vusb_copy_run(request->vusb);
	return request->bad_memory ? -EINVAL : 0;
}

static int start(struct vusb_pipe *pipe, struct vusb_request *request)
{
	struct usb_transfer *transfer = &request->flight.transfer;
	int64_t sum = read_packets(request);
	int rc = 0;

	if (sum < 0)
		return (int)sum;
	request->flight.pipe = pipe;
	request->flight.request = request;
	request->flight.buffer_bytes = (uint32_t)sum;
	transfer->endpoint = pipe->endpoint->address;
	transfer->type = USB_ENDPOINT_XFER_ISOC;
	transfer->length = (uint32_t)sum;
	transfer->packets = request->packets;
	transfer->n_packets = request->urb.n_packets;
	if (sum && !(transfer->data = pool_get(&pipe->port->pool, (uint32_t)sum)))
		return -ENOMEM;
	if (!request->urb.in)
		rc = fetch(request);
	if (rc == 0)
		rc = vusb_submit(pipe->port, &request->flight);
	if (rc < 0)
		release(request);
	return rc;
}

void vusb_iso_start(struct vusb_pipe *pipe, struct vusb_request *request)
{
	int rc;

	/* What waits to be given to the guest shares no call with what is fetched from it. */
	vusb_copy_run(pipe->port->vusb);
	rc = pipe->co.blocked ? -ESHUTDOWN : start(pipe, request);
	if (rc < 0) {
		vusb_finish(request, rc, 0);
		return;
	}
	request->started = true;
	pipe->n_iso++;
}

/* Packet by packet: data to where the guest wants it, length and status into its description. */
static uint32_t give(struct vusb_request *request)
{
	uint32_t from = 0;
	int failure = request->flight.transfer.status;
	struct vusb *vusb = request->vusb;
	uint32_t actual = 0;

	for (unsigned int i = 0; i < request->urb.n_packets; i++) {
		struct usb_packet *p = &request->packets[i];
		struct urb_iso_packet *g = &request->guest_packets[i];

		if (failure && p->actual == 0 && p->status == 0)
			p->status = failure; /* its turn never came */
		if (request->urb.in && p->actual)
			vusb_copy(request, g->offset, request->flight.transfer.data + from,
				  MIN(p->actual, g->length), true);
		from += g->length;
		g->actual_length = MIN(p->actual, g->length);
		g->status = urb_status(p->status);
		actual += g->actual_length;
		request->error_count += p->status != 0;
	}
	vusb_copy_packets(request, true);
	vusb->stats.iso_packets += request->urb.n_packets;
	vusb->stats.iso_errors += request->error_count;
	return actual;
}

void vusb_iso_ended(struct vusb_pipe *pipe, struct vusb_request *request)
{
	int status = request->flight.transfer.status;
	uint32_t actual = 0;

	pipe->n_iso--;
	request->started = false;
	request->start_frame = pipe->frame;
	pipe->frame = (uint16_t)(pipe->frame + request->urb.n_packets);
	if (!pipe->port->closing)
		actual = give(request);
	vusb_copy_run(pipe->port->vusb); /* before the memory is anybody else's */
	release(request);
	vusb_finish(request, status, actual);
}
