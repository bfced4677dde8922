/* SPDX-License-Identifier: GPL-2.0-or-later */
/* urb.c - judging and decoding of requests, see urb.h. */
#include "urb.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "xen/ops.h"

static_assert(sizeof(struct usbif_urb_request) == URB_SLOT_BYTES, "layout of the ring");
static_assert(sizeof(struct usbif_conn_response) == URB_CONN_SLOT_BYTES, "layout of the ring");
static_assert(sizeof(struct urb_iso_packet) == 16, "layout of Linux's description");

static const uint8_t types[] = {
	[USBIF_PIPE_TYPE_ISOC] = USB_ENDPOINT_XFER_ISOC,
	[USBIF_PIPE_TYPE_INT] = USB_ENDPOINT_XFER_INT,
	[USBIF_PIPE_TYPE_CTRL] = USB_ENDPOINT_XFER_CONTROL,
	[USBIF_PIPE_TYPE_BULK] = USB_ENDPOINT_XFER_BULK,
};

static const char *check_segments(struct urb *urb, const struct usbif_urb_request *request)
{
	unsigned int n = request->nr_buffer_segs, extra = 0;

	if (urb->type == USB_ENDPOINT_XFER_ISOC)
		extra = request->u.isoc.nr_frame_desc_segs;
	if (n > USBIF_MAX_SEGMENTS_PER_REQUEST || extra > USBIF_MAX_SEGMENTS_PER_REQUEST ||
	    n + extra > USBIF_MAX_SEGMENTS_PER_REQUEST)
		return "more than 16 segments";
	for (unsigned int i = 0; i < n + extra; i++) {
		const struct usbif_request_segment *seg = &request->seg[i];

		if (seg->offset + seg->length > XEN_PAGE_SIZE)
			return "a segment that leaves its page";
		if (i < n)
			urb->length += seg->length;
		urb->segments[i] = *seg;
	}
	urb->n_segments = (uint8_t)n;
	urb->n_packet_segments = (uint8_t)extra;
	if ((urb->length & 0xffff) != request->buffer_length)
		return "buffer_length is not the sum of the segments";
	return NULL;
}

static const char *check_control(struct urb *urb, const struct usbif_urb_request *request)
{
	uint16_t wanted;

	if (urb->endpoint & USB_ENDPOINT_NUMBER_MASK)
		return "a control request to another endpoint than 0";
	memcpy(&urb->setup, request->u.ctrl, sizeof(urb->setup));
	wanted = le16toh(urb->setup.wLength);
	if (urb->length < wanted)
		return "less memory than the setup packet's wLength";
	urb->length = wanted;
	urb->endpoint = 0;
	urb->in = wanted && (urb->setup.bRequestType & USB_DIR_IN);
	return NULL;
}

static const char *check_iso(struct urb *urb, const struct usbif_urb_request *request)
{
	uint32_t bytes = 0;

	urb->interval = request->u.isoc.interval;
	urb->n_packets = request->u.isoc.number_of_packets;
	if (urb->n_packets == 0 || urb->n_packets > URB_ISO_PACKETS_MAX)
		return "number_of_packets is not from 1 to 128";
	for (unsigned int i = 0; i < urb->n_packet_segments; i++)
		bytes += urb->segments[urb->n_segments + i].length;
	if (bytes < urb->n_packets * sizeof(struct urb_iso_packet))
		return "fewer packet descriptions than number_of_packets";
	return NULL;
}

int urb_parse(struct urb *urb, const struct usbif_urb_request *request, unsigned int n_ports,
	      const char **why)
{
	uint32_t pipe = request->pipe;

	memset(urb, 0, sizeof(*urb));
	*why = NULL;
	urb->id = request->id;
	if (usbif_pipeunlink(pipe)) { /* the rest of it is what was there before */
		urb->unlink = true;
		urb->unlink_id = request->u.unlink.unlink_id;
		return 0;
	}
	urb->port = usbif_pipeportnum(pipe);
	urb->address = usbif_pipedevice(pipe);
	urb->type = types[usbif_pipetype(pipe)];
	urb->in = usbif_pipein(pipe);
	urb->endpoint = (uint8_t)(usbif_pipeendpoint(pipe) | (urb->in ? USB_DIR_IN : 0));
	/* Some frontends copy the flags of their own system: bit 0 is all that the protocol has. */
	urb->short_not_ok = urb->in && (request->transfer_flags & USBIF_SHORT_NOT_OK);
	if (urb->port < 1 || urb->port > n_ports)
		*why = "a port that the controller does not have";
	else
		*why = check_segments(urb, request);
	if (*why)
		return USBIF_STATUS_INVAL;
	if (urb->type == USB_ENDPOINT_XFER_CONTROL)
		*why = check_control(urb, request);
	else if (urb->address == 0 || (urb->endpoint & USB_ENDPOINT_NUMBER_MASK) == 0)
		*why = "data for endpoint 0 or for a device without an address";
	else if (urb->type == USB_ENDPOINT_XFER_ISOC)
		*why = check_iso(urb, request);
	else if (urb->type == USB_ENDPOINT_XFER_INT)
		urb->interval = request->u.intr.interval;
	return *why ? USBIF_STATUS_INVAL : 0;
}

int32_t urb_status(int status)
{
	switch (status) {
	case 0:
		return USBIF_STATUS_OK;
	case -ENODEV:
		return USBIF_STATUS_NODEV;
	case -EINVAL:
		return USBIF_STATUS_INVAL;
	case -EPIPE:
		return USBIF_STATUS_STALL;
	case -EOVERFLOW:
		return USBIF_STATUS_BABBLE;
	case -ESHUTDOWN:
		return USBIF_STATUS_SHUTDOWN;
	default: /* errors of the bus, cancelled, out of memory */
		return USBIF_STATUS_IOERROR;
	}
}
