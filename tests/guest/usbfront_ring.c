/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usbfront_ring.c - the rings of a PVUSB frontend: URBs into slots, responses out of them, port
 * events. See usbfront.h.
 *
 * The id of a request is its slot, as in xen-hcd. An URB is on one list from submit to done:
 * pending, sent, unlinks (asked back, but no slot is free for the unlink), given.
 */
#include "usbfront_priv.h"

#include <errno.h>
#include <string.h>
#include <utlist.h>

#include "util.h"

/* --- birth and death --- */

static int alloc_pages(struct usbfront *front, unsigned int n, uint32_t *refs, void *addr)
{
	return front->ops->shr_alloc(front->shr, front->info.backend_domid, n, true, refs,
				     (void **)addr);
}

static void free_pages(struct usbfront *front, void *addr, unsigned int n, const char *complaint)
{
	if (addr && front->ops->shr_free(front->shr, addr, n) == -EBUSY && complaint)
		uf_complain(front, complaint);
}

int uf_slot_pages(struct usbfront *front, struct uf_slot *slot)
{
	return slot->pages ? 0 : alloc_pages(front, USBFRONT_SLOT_PAGES, slot->refs, &slot->pages);
}

static void post_conn(struct usbfront *front, uint16_t id)
{
	/* A slot has room for both, and all of it is copied. */
	union {
		struct usbif_conn_request req;
		struct usbif_conn_response rsp;
	} slot = {.req = {.id = id}};

	front->posted[id] = true;
	ring_front_request(&front->conn_ring, &slot);
}

int uf_connect(struct usbfront *front)
{
	int rc = alloc_pages(front, 1, &front->urb_ref, &front->urb_page);

	front->connected = true;
	if (rc == 0)
		rc = alloc_pages(front, 1, &front->conn_ref, &front->conn_page);
	if (rc == 0)
		rc = front->ops->evt_alloc(front->evt, front->info.backend_domid, &front->port);
	for (unsigned int i = 0; i < USBFRONT_SLOTS && rc == 0 && !front->options.grant_each; i++)
		rc = uf_slot_pages(front, &front->slots[i]);
	if (rc < 0)
		return rc;
	ring_front_init(&front->urb_ring, front->urb_page, sizeof(struct usbif_urb_request));
	/* The rings' slots are unions of request and response. */
	ring_front_init(&front->conn_ring, front->conn_page, sizeof(struct usbif_conn_response));
	for (unsigned int i = 0; i < USBFRONT_CONN_SLOTS; i++)
		if (front->evil != USBFRONT_EVIL_CONN_NONE)
			post_conn(front, (uint16_t)i);
	ring_front_push(&front->conn_ring);
	return 0;
}

static void give(struct usbfront *front, struct usbfront_urb *urb, int status)
{
	urb->status = status;
	urb->state = USBFRONT_URB_GIVEN;
	front->stats.failed += status != 0;
	DL_APPEND(front->given, urb);
}

static void give_list(struct usbfront *front, struct usbfront_urb **list)
{
	struct usbfront_urb *urb, *next;

	DL_FOREACH_SAFE (*list, urb, next) {
		DL_DELETE(*list, urb);
		give(front, urb, -ESHUTDOWN);
	}
}

static void give_all(struct usbfront *front)
{
	give_list(front, &front->sent);
	give_list(front, &front->unlinks);
	give_list(front, &front->pending);
	for (unsigned int i = 0; i < USBFRONT_SLOTS; i++) {
		front->slots[i].urb = NULL;
		front->slots[i].use = UF_SLOT_FREE;
	}
}

static void set_speed(struct usbfront *front, unsigned int port, enum usb_device_speed speed)
{
	if (front->info.speeds[port] == speed)
		return;
	front->info.speeds[port] = speed;
	if (front->options.port)
		front->options.port(front->options.ctx, port, speed);
}

void uf_disconnect(struct usbfront *front, bool forced)
{
	const char *complaint = forced ? NULL : "the backend still maps pages of a closed device";

	if (!front->connected)
		return;
	front->connected = false;
	give_all(front);
	if (front->port)
		front->ops->evt_unbind(front->evt, front->port);
	for (unsigned int i = 0; i < USBFRONT_SLOTS; i++) {
		free_pages(front, front->slots[i].pages, USBFRONT_SLOT_PAGES, complaint);
		front->slots[i].pages = NULL;
	}
	free_pages(front, front->evil_page, 1, NULL);
	free_pages(front, front->urb_page, 1, complaint);
	free_pages(front, front->conn_page, 1, complaint);
	front->urb_page = front->conn_page = front->evil_page = NULL;
	front->port = front->urb_seen = front->conn_seen = 0;
	memset(front->posted, 0, sizeof(front->posted));
	for (unsigned int port = 1; port <= USBFRONT_PORTS_MAX; port++)
		set_speed(front, port, USB_SPEED_UNKNOWN);
}

bool uf_give_back(struct usbfront *front)
{
	bool any = front->given != NULL;

	while (front->given) {
		struct usbfront_urb *urb = front->given;

		DL_DELETE(front->given, urb);
		urb->state = USBFRONT_URB_IDLE;
		front->n_in_flight--;
		urb->done(urb);
	}
	return any;
}

/* --- requests --- */

struct uf_slot *uf_free_slot(struct usbfront *front)
{
	if (ring_front_free(&front->urb_ring) == 0)
		return NULL;
	for (unsigned int i = 0; i < USBFRONT_SLOTS; i++)
		if (front->slots[i].use == UF_SLOT_FREE)
			return &front->slots[i];
	return NULL;
}

uint16_t uf_id(const struct usbfront *front, const struct uf_slot *slot)
{
	return (uint16_t)(slot - front->slots);
}

void uf_push(struct usbfront *front)
{
	if (ring_front_push(&front->urb_ring))
		uf_notify(front);
}

uint32_t uf_pipe(uint8_t port, uint8_t address, uint8_t endpoint, uint8_t type)
{
	static const uint32_t types[] = {[USB_ENDPOINT_XFER_CONTROL] = USBIF_PIPE_TYPE_CTRL,
					 [USB_ENDPOINT_XFER_ISOC] = USBIF_PIPE_TYPE_ISOC,
					 [USB_ENDPOINT_XFER_BULK] = USBIF_PIPE_TYPE_BULK,
					 [USB_ENDPOINT_XFER_INT] = USBIF_PIPE_TYPE_INT};

	return port | (endpoint & USB_DIR_IN ? USBIF_PIPE_DIR : 0) |
	       (uint32_t)address << USBIF_PIPE_DEV_SHIFT |
	       (uint32_t)(endpoint & USB_ENDPOINT_NUMBER_MASK) << USBIF_PIPE_EP_SHIFT |
	       types[type] << USBIF_PIPE_TYPE_SHIFT;
}

unsigned int uf_segments(const struct uf_slot *slot, struct usbif_urb_request *req, unsigned int n,
			 uint32_t at, uint32_t bytes)
{
	while (bytes > 0) {
		uint32_t offset = at % XEN_PAGE_SIZE, part = MIN(bytes, XEN_PAGE_SIZE - offset);

		req->seg[n].gref = slot->refs[at / XEN_PAGE_SIZE];
		req->seg[n].offset = (uint16_t)offset;
		req->seg[n++].length = (uint16_t)part;
		at += part;
		bytes -= part;
	}
	return n;
}

static bool urb_in(const struct usbfront_urb *urb)
{
	return urb->type == USB_ENDPOINT_XFER_CONTROL ? urb->setup.bRequestType & USB_DIR_IN
						      : urb->endpoint & USB_DIR_IN;
}

static uint32_t pages_of(uint32_t offset, uint32_t bytes)
{
	return bytes ? DIV_ROUND_UP(offset + bytes, XEN_PAGE_SIZE) : 0;
}

static int check_urb(const struct usbfront *front, const struct usbfront_urb *urb)
{
	bool iso = urb->type == USB_ENDPOINT_XFER_ISOC;

	if (urb->port < 1 || urb->port > front->info.n_ports || urb->address > 127 ||
	    urb->type > USB_ENDPOINT_XFER_INT || urb->offset >= XEN_PAGE_SIZE ||
	    urb->packets_offset >= XEN_PAGE_SIZE || !urb->done || (urb->length && !urb->data) ||
	    iso != (urb->n_packets > 0))
		return -EINVAL;
	if (urb->length > USBFRONT_URB_MAX || urb->n_packets > USBFRONT_URB_MAX / 16 ||
	    pages_of(urb->offset, urb->length) +
			    pages_of(urb->packets_offset, urb->n_packets * 16) >
		    USBFRONT_SLOT_PAGES)
		return -E2BIG;
	for (uint32_t i = 0; i < urb->n_packets; i++)
		if (urb->packets[i].offset > urb->length ||
		    urb->packets[i].length > urb->length - urb->packets[i].offset)
			return -EINVAL;
	return 0;
}

static void fill_iso(struct uf_slot *slot, const struct usbfront_urb *urb,
		     struct usbif_urb_request *req)
{
	struct uf_frame frame = {.status = -EXDEV};
	uint32_t bytes = urb->n_packets * (uint32_t)sizeof(frame);

	slot->frames_at = pages_of(urb->offset, urb->length) * XEN_PAGE_SIZE + urb->packets_offset;
	for (uint32_t i = 0; i < urb->n_packets; i++) {
		frame.offset = urb->packets[i].offset;
		frame.length = urb->packets[i].length;
		memcpy(slot->pages + slot->frames_at + i * sizeof(frame), &frame, sizeof(frame));
	}
	req->u.isoc.interval = urb->interval;
	req->u.isoc.number_of_packets = (uint16_t)urb->n_packets;
	req->u.isoc.nr_frame_desc_segs =
		(uint16_t)(uf_segments(slot, req, req->nr_buffer_segs, slot->frames_at, bytes) -
			   req->nr_buffer_segs);
}

static void fill_urb(struct usbfront *front, struct uf_slot *slot, struct usbfront_urb *urb)
{
	struct usbif_urb_request req = {.id = uf_id(front, slot)};
	uint8_t endpoint = (uint8_t)((urb->endpoint & USB_ENDPOINT_NUMBER_MASK) |
				     (urb_in(urb) ? USB_DIR_IN : 0));

	req.pipe = uf_pipe(urb->port, urb->address, endpoint, urb->type);
	req.transfer_flags = urb->short_not_ok ? USBIF_SHORT_NOT_OK : 0;
	req.buffer_length = (uint16_t)urb->length; /* 65536 becomes 0, as in xen-hcd */
	req.nr_buffer_segs = (uint16_t)uf_segments(slot, &req, 0, urb->offset, urb->length);
	if (urb->length && !urb_in(urb))
		memcpy(slot->pages + urb->offset, urb->data, urb->length);
	if (urb->type == USB_ENDPOINT_XFER_CONTROL)
		memcpy(req.u.ctrl, &urb->setup, sizeof(req.u.ctrl));
	else if (urb->type == USB_ENDPOINT_XFER_INT)
		req.u.intr.interval = urb->interval;
	else if (urb->type == USB_ENDPOINT_XFER_ISOC)
		fill_iso(slot, urb, &req);
	ring_front_request(&front->urb_ring, &req);
	front->stats.urbs++;
	front->stats.iso_packets += urb->n_packets;
	slot->use = UF_SLOT_URB;
	slot->urb = urb;
	urb->slot = uf_id(front, slot);
	urb->state = USBFRONT_URB_SENT;
	DL_APPEND(front->sent, urb);
}

static void fill_unlink(struct usbfront *front, struct uf_slot *slot, struct usbfront_urb *urb)
{
	struct usbif_urb_request req = {.id = uf_id(front, slot)};

	req.pipe = uf_pipe(urb->port, urb->address,
			   (uint8_t)((urb->endpoint & USB_ENDPOINT_NUMBER_MASK) |
				     (urb_in(urb) ? USB_DIR_IN : 0)),
			   urb->type) |
		   USBIF_PIPE_UNLINK;
	req.u.unlink.unlink_id = (uint16_t)urb->slot;
	ring_front_request(&front->urb_ring, &req);
	front->stats.unlinks++;
	slot->use = UF_SLOT_UNLINK;
	slot->urb = NULL;
	DL_APPEND(front->sent, urb);
}

/* Puts into the ring what waits for a slot: unlinks first, they make room. */
static bool send_waiting(struct usbfront *front)
{
	bool any = false;
	struct uf_slot *slot;

	while ((front->unlinks || front->pending) && (slot = uf_free_slot(front))) {
		struct usbfront_urb *urb = front->unlinks ? front->unlinks : front->pending;

		if (front->unlinks) {
			DL_DELETE(front->unlinks, urb);
			fill_unlink(front, slot, urb);
		} else {
			DL_DELETE(front->pending, urb);
			if (uf_slot_pages(front, slot) < 0)
				give(front, urb, -ENOMEM);
			else
				fill_urb(front, slot, urb);
		}
		any = true;
	}
	if (any)
		uf_push(front);
	return any;
}

int usbfront_submit(struct usbfront *front, struct usbfront_urb *urb)
{
	int rc;

	if (front->info.state != USBFRONT_STATE_RUNNING || front->broken)
		return -ENOTCONN;
	if (urb->state != USBFRONT_URB_IDLE)
		return -EBUSY;
	rc = check_urb(front, urb);
	if (rc < 0)
		return rc;
	urb->status = -EINPROGRESS;
	urb->actual = urb->n_errors = urb->start_frame = 0;
	urb->state = USBFRONT_URB_PENDING;
	DL_APPEND(front->pending, urb);
	front->n_in_flight++;
	send_waiting(front);
	front->stats.full += urb->state == USBFRONT_URB_PENDING;
	return 0;
}

void usbfront_unlink(struct usbfront *front, struct usbfront_urb *urb)
{
	if (urb->state == USBFRONT_URB_PENDING) {
		DL_DELETE(front->pending, urb);
		give(front, urb, -ECONNRESET);
	} else if (urb->state == USBFRONT_URB_SENT) {
		urb->state = USBFRONT_URB_UNLINK;
		DL_DELETE(front->sent, urb);
		DL_APPEND(front->unlinks, urb);
		send_waiting(front);
	}
}

void usbfront_abandon(struct usbfront *front, struct usbfront_urb *urb)
{
	struct usbfront_urb *waits;

	if (urb->state == USBFRONT_URB_IDLE)
		return;
	if (urb->state == USBFRONT_URB_PENDING) {
		DL_DELETE(front->pending, urb);
	} else if (urb->state == USBFRONT_URB_GIVEN) {
		DL_DELETE(front->given, urb);
	} else {
		DL_SEARCH_SCALAR(front->unlinks, waits, slot, urb->slot);
		if (waits == urb) /* the ring is full: the backend was not even asked */
			DL_DELETE(front->unlinks, urb);
		else
			DL_DELETE(front->sent, urb);
		front->slots[urb->slot].use = UF_SLOT_LOST;
		front->slots[urb->slot].urb = NULL;
		if (waits != urb)
			uf_complain(front, "an URB that was asked back was not answered");
	}
	urb->state = USBFRONT_URB_IDLE;
	urb->status = -ETIMEDOUT;
	front->n_in_flight--;
}

unsigned int usbfront_in_flight(const struct usbfront *front)
{
	return front->n_in_flight;
}

/* --- responses --- */

static void break_rings(struct usbfront *front, const char *what)
{
	uf_complain(front, what);
	front->broken = true;
	give_all(front);
}

/* Number of responses that wait, bounded by our requests. */
static uint32_t responses(struct usbfront *front, struct ring_front *ring, const char *what)
{
	uint32_t n = ring_front_responses(ring);

	if (n <= ring->req_pushed - ring->rsp_cons)
		return n;
	break_rings(front, what);
	return 0;
}

static int status_of(struct usbfront *front, int32_t status)
{
	switch (status) {
	case USBIF_STATUS_OK:
		return 0;
	case USBIF_STATUS_NODEV:
		return -ENODEV;
	case USBIF_STATUS_INVAL:
		return -EINVAL;
	case USBIF_STATUS_STALL:
		return -EPIPE;
	case USBIF_STATUS_IOERROR:
		return -EPROTO;
	case USBIF_STATUS_BABBLE:
		return -EOVERFLOW;
	case USBIF_STATUS_SHUTDOWN:
		return -ESHUTDOWN;
	}
	uf_complain(front, "URB response with a status that usbif does not have");
	return -ESHUTDOWN;
}

/* What became of one packet; its bytes. */
static uint32_t take_frame(struct usbfront *front, const struct uf_slot *slot,
			   struct usbfront_urb *urb, uint32_t i)
{
	struct usbfront_packet *packet = &urb->packets[i];
	struct uf_frame frame;

	memcpy(&frame, slot->pages + slot->frames_at + i * sizeof(frame), sizeof(frame));
	if (frame.offset != packet->offset || frame.length != packet->length)
		uf_complain(front, "frame descriptor with another place or length than ours");
	if (frame.status > 0)
		uf_complain(front, "frame descriptor with a positive status");
	if (frame.actual > packet->length) {
		uf_complain(front, "frame descriptor with more bytes than its packet has room for");
		frame.actual = 0;
	}
	packet->status = frame.status;
	packet->actual = frame.actual;
	urb->n_errors += frame.status != 0;
	if (urb_in(urb) && frame.actual)
		memcpy(urb->data + packet->offset, slot->pages + urb->offset + packet->offset,
		       frame.actual);
	return frame.actual;
}

static void take_iso(struct usbfront *front, const struct uf_slot *slot,
		     const struct usbif_urb_response *rsp)
{
	struct usbfront_urb *urb = slot->urb;
	uint32_t sum = 0;

	for (uint32_t i = 0; i < urb->n_packets; i++)
		sum += take_frame(front, slot, urb, i);
	urb->start_frame = rsp->start_frame;
	front->stats.iso_errors += urb->n_errors;
	if (rsp->status == 0 && urb->n_errors != (uint32_t)rsp->error_count)
		uf_complain(front, "error count that is not that of the frame descriptors");
	if (rsp->status == 0 && sum != urb->actual)
		uf_complain(front, "actual length that is not that of the frame descriptors");
}

static void finish_urb(struct usbfront *front, const struct uf_slot *slot,
		       const struct usbif_urb_response *rsp)
{
	struct usbfront_urb *urb = slot->urb, *waits;
	bool unlinked = urb->state == USBFRONT_URB_UNLINK;
	int status = status_of(front, rsp->status);

	urb->actual = (uint32_t)rsp->actual_length;
	if (rsp->actual_length < 0 || urb->actual > urb->length) {
		uf_complain(front, "URB response with an actual length beyond its buffer");
		urb->actual = 0;
	}
	if (urb->type == USB_ENDPOINT_XFER_ISOC)
		take_iso(front, slot, rsp);
	else if (urb_in(urb) && urb->actual)
		memcpy(urb->data, slot->pages + urb->offset, urb->actual);
	front->stats.urb_bytes += urb->actual;
	if (status == 0 && urb->short_not_ok && urb_in(urb) && urb->actual < urb->length)
		status = -EREMOTEIO;
	DL_SEARCH_SCALAR(front->unlinks, waits, slot, urb->slot);
	if (waits == urb) /* answered before its unlink found a slot */
		DL_DELETE(front->unlinks, urb);
	else
		DL_DELETE(front->sent, urb);
	give(front, urb, unlinked ? -ECONNRESET : status);
}

static void take_urb(struct usbfront *front, const struct usbif_urb_response *rsp)
{
	struct uf_slot *slot = &front->slots[rsp->id % USBFRONT_SLOTS];

	front->stats.responses++;
	if (rsp->id >= USBFRONT_SLOTS || slot->use == UF_SLOT_FREE) {
		uf_complain(front, "URB response with an id that no request has");
		return;
	}
	if (slot->use == UF_SLOT_URB)
		finish_urb(front, slot, rsp);
	slot->urb = NULL;
	slot->use = UF_SLOT_FREE;
	if (!front->options.grant_each)
		return;
	free_pages(front, slot->pages, USBFRONT_SLOT_PAGES,
		   "the backend still maps pages of a request that it answered");
	slot->pages = NULL;
}

static bool take_urbs(struct usbfront *front)
{
	uint32_t n = responses(front, &front->urb_ring, "more URB responses than requests");

	for (uint32_t i = 0; i < n; i++) {
		struct usbif_urb_response rsp;

		ring_front_read(&front->urb_ring, front->urb_ring.rsp_cons, &rsp, sizeof(rsp));
		front->urb_ring.rsp_cons++;
		take_urb(front, &rsp);
	}
	return n > 0;
}

static void take_conn(struct usbfront *front, const struct usbif_conn_response *rsp)
{
	enum usb_device_speed old;

	if (rsp->portnum < 1 || rsp->portnum > front->info.n_ports) {
		uf_complain(front, "port event of a port that the controller does not have");
		return;
	}
	if (rsp->speed > USBIF_SPEED_HIGH ||
	    (rsp->speed == USBIF_SPEED_HIGH && front->info.usb_version == 1)) {
		uf_complain(front, "port event with a speed that the controller does not have");
		return;
	}
	old = front->info.speeds[rsp->portnum];
	if (old == (enum usb_device_speed)rsp->speed) {
		front->stats.repeats++;
		return;
	}
	if (old != USB_SPEED_UNKNOWN && rsp->speed != USBIF_SPEED_NONE)
		uf_complain(front, "a device at a port where there is one already");
	front->stats.connects += rsp->speed != USBIF_SPEED_NONE;
	front->stats.disconnects += rsp->speed == USBIF_SPEED_NONE;
	set_speed(front, rsp->portnum, (enum usb_device_speed)rsp->speed);
}

static bool take_conns(struct usbfront *front)
{
	uint32_t n = responses(front, &front->conn_ring, "more port events than requests");

	for (uint32_t i = 0; i < n; i++) {
		struct usbif_conn_response rsp;

		ring_front_read(&front->conn_ring, front->conn_ring.rsp_cons, &rsp, sizeof(rsp));
		front->conn_ring.rsp_cons++;
		if (rsp.id >= USBFRONT_CONN_SLOTS || !front->posted[rsp.id]) {
			uf_complain(front, "port event with an id that no request has");
			continue;
		}
		take_conn(front, &rsp);
		post_conn(front, rsp.id);
	}
	if (n > 0 && ring_front_push(&front->conn_ring))
		uf_notify(front);
	return n > 0;
}

bool uf_poll(struct usbfront *front)
{
	bool any = take_urbs(front);

	if (!front->broken)
		any |= take_conns(front);
	if (front->broken)
		return any;
	any |= send_waiting(front);
	if (any)
		return true;
	any = ring_front_arm(&front->urb_ring);
	return ring_front_arm(&front->conn_ring) || any;
}
