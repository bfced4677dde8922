/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vusb_ring.c - a controller's rings: requests in, data and responses out, see vusb.h. */
#include "vusb_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <utlist.h>

#include "clock.h"
#include "log.h"
#include "util.h"

#define LOG_MODULE "vusb"

/* --- mapping --- */

static int map_page(struct vusb *vusb, uint32_t ref, void **page, const char *what, char *error,
		    size_t error_size)
{
	int rc = vusb->xen->ops->gnt_map(vusb->gnt, vusb->config.domid, &ref, 1, page);

	if (rc < 0)
		snprintf(error, error_size, "the frontend's %s (grant %u) cannot be mapped: %s",
			 what, ref, strerror(-rc));
	return rc;
}

static int attach_rings(struct vusb *vusb, char *error, size_t error_size)
{
	int rc = ring_back_attach(&vusb->urb_ring, vusb->urb_page, URB_SLOT_BYTES);

	if (rc == 0)
		rc = ring_back_attach(&vusb->conn_ring, vusb->conn_page, URB_CONN_SLOT_BYTES);
	if (rc < 0)
		snprintf(error, error_size, "the frontend's rings have impossible indices");
	return rc;
}

/* Requests that a predecessor took: nobody knows how far they came, so each fails once. */
static int recover(struct vusb *vusb, char *error, size_t error_size)
{
	struct journal_file *file = vusb->journal.file;
	struct vusb_request *request = vusb->requests;
	int rc = journal_recover(&vusb->journal, vusb->urb_ring.rsp_prod);
	unsigned int port = journal_recover_event(&vusb->journal, vusb->conn_ring.rsp_prod);

	if (rc < 0 || rc > (int)VUSB_REQUESTS) {
		snprintf(error, error_size, "journal %s does not fit the ring", vusb->journal.path);
		return -EPROTO;
	}
	vusb->urb_ring.req_cons = file->req_cons;
	if (port >= 1 && port <= vusb->config.n_ports)
		vusb->ports[port].replugged = true;
	for (unsigned int i = 0; i < JOURNAL_ENTRIES; i++) {
		if (file->entries[i].state != JOURNAL_OPEN)
			continue;
		request->vusb = vusb;
		request->used = true;
		request->urb.id = file->entries[i].id;
		request->urb.unlink = file->entries[i].unlink;
		vusb_finish(request, request->urb.unlink ? 0 : -EPROTO, 0);
		request++;
	}
	return rc;
}

int vusb_ring_open(struct vusb *vusb, char *error, size_t error_size)
{
	const struct vusb_config *config = &vusb->config;
	int rc =
		map_page(vusb, config->urb_ref, &vusb->urb_page, "urb-ring-ref", error, error_size);

	if (rc == 0)
		rc = map_page(vusb, config->conn_ref, &vusb->conn_page, "conn-ring-ref", error,
			      error_size);
	if (rc == 0)
		rc = attach_rings(vusb, error, error_size);
	if (rc == 0)
		rc = journal_open(&vusb->journal, config->journal_dir, config->name, !config->adopt,
				  config->urb_ref, config->event_channel, error, error_size);
	if (rc == 0 && config->adopt)
		rc = recover(vusb, error, error_size);
	else if (rc == 0)
		vusb->journal.file->req_cons = vusb->urb_ring.req_cons;
	if (rc < 0)
		return rc;
	rc = vusb->xen->ops->evt_bind(vusb->evt, config->domid, config->event_channel,
				      &vusb->evt_port);
	if (rc < 0)
		snprintf(error, error_size, "the frontend's event-channel %u cannot be bound: %s",
			 config->event_channel, strerror(-rc));
	return rc;
}

void vusb_ring_close(struct vusb *vusb)
{
	if (vusb->urb_page)
		vusb->xen->ops->gnt_unmap(vusb->gnt, vusb->urb_page, 1);
	if (vusb->conn_page)
		vusb->xen->ops->gnt_unmap(vusb->gnt, vusb->conn_page, 1);
	vusb->urb_page = vusb->conn_page = NULL;
}

/* --- copies --- */

void vusb_copy_run(struct vusb *vusb)
{
	unsigned int n = vusb->n_copies;
	int rc;

	if (n == 0)
		return;
	vusb->n_copies = 0;
	rc = vusb->xen->ops->gnt_copy(vusb->gnt, vusb->copies, n);
	for (unsigned int i = 0; i < n; i++)
		if (rc < 0 || vusb->copies[i].status != XEN_GNTST_OKAY)
			vusb->copy_owner[i]->bad_memory = true;
}

static void add_copy(struct vusb_request *request, const struct usbif_request_segment *seg,
		     uint32_t offset, uint8_t *local, uint32_t length, bool to_guest)
{
	struct vusb *vusb = request->port->vusb;
	struct xen_copy *copy;
	union xen_copy_ptr here = {.virt = local};
	union xen_copy_ptr there = {.foreign = {.ref = seg->gref,
						.offset = (uint16_t)(seg->offset + offset),
						.domid = vusb->config.domid}};

	if (vusb->n_copies == VUSB_COPIES)
		vusb_copy_run(vusb);
	vusb->copy_owner[vusb->n_copies] = request;
	copy = &vusb->copies[vusb->n_copies++];
	copy->src = to_guest ? here : there;
	copy->dst = to_guest ? there : here;
	copy->len = (uint16_t)length;
	copy->flags = to_guest ? XEN_COPY_DST_GREF : XEN_COPY_SRC_GREF;
}

static void copy_segments(struct vusb_request *request, const struct usbif_request_segment *seg,
			  unsigned int n, uint32_t offset, uint8_t *local, uint32_t length,
			  bool to_guest)
{
	for (unsigned int i = 0; i < n && length; i++) {
		uint32_t part;

		if (offset >= seg[i].length) {
			offset -= seg[i].length;
			continue;
		}
		part = MIN(length, seg[i].length - offset);
		add_copy(request, &seg[i], offset, local, part, to_guest);
		local += part;
		length -= part;
		offset = 0;
	}
}

void vusb_copy(struct vusb_request *request, uint32_t offset, uint8_t *local, uint32_t length,
	       bool to_guest)
{
	copy_segments(request, request->urb.segments, request->urb.n_segments, offset, local,
		      length, to_guest);
}

void vusb_copy_packets(struct vusb_request *request, bool to_guest)
{
	copy_segments(request, request->urb.segments + request->urb.n_segments,
		      request->urb.n_packet_segments, 0, (uint8_t *)request->guest_packets,
		      request->urb.n_packets * (uint32_t)sizeof(struct urb_iso_packet), to_guest);
}

/* --- requests --- */

static struct vusb_request *find_request(struct vusb *vusb, uint16_t id)
{
	for (unsigned int i = 0; i < VUSB_REQUESTS; i++)
		if (vusb->requests[i].used && vusb->requests[i].urb.id == id)
			return &vusb->requests[i];
	return NULL;
}

static struct vusb_request *free_request(struct vusb *vusb)
{
	for (unsigned int i = 0; i < VUSB_REQUESTS; i++)
		if (!vusb->requests[i].used)
			return &vusb->requests[i];
	return NULL; /* a ring has no more slots than that */
}

static void unlink_request(struct vusb *vusb, uint16_t id)
{
	struct vusb_request *request = find_request(vusb, id);

	vusb->stats.unlinks++;
	if (!request || request->finished || request->urb.unlink)
		return; /* answered already, or will be in this pass */
	if (request->pipe)
		vusb_pipe_unlink(request->pipe, request);
	else
		vusb_control_unlink(request);
}

static void dispatch(struct vusb *vusb, struct vusb_request *request)
{
	struct urb *urb = &request->urb;
	struct vusb_port *port = &vusb->ports[urb->port];
	bool control = urb->type == USB_ENDPOINT_XFER_CONTROL;

	request->port = port;
	/* The guest means the device that it was told of, none else. */
	if (!vusb_port_serves(port) || port->view->speed == USBIF_SPEED_NONE ||
	    (!control && urb->address != port->view->address)) {
		vusb_finish(request, -ENODEV, 0);
	} else if (control) {
		vusb_control_queue(request);
	} else {
		request->pipe = vusb_pipe(port, urb->endpoint);
		if (request->pipe && request->pipe->endpoint->type == urb->type) {
			vusb_pipe_queue(request->pipe, request);
		} else {
			request->pipe = NULL;
			vusb->stats.malformed++;
			log_limited(&vusb->limit, clock_now(vusb->clock), LOG_MODULE,
				    LOG_LEVEL_WARN, "%s: port %u has no endpoint 0x%02x of type %u",
				    vusb->config.name, port->number, urb->endpoint, urb->type);
			vusb_finish(request, -EINVAL, 0);
		}
	}
}

static void take(struct vusb *vusb, const struct usbif_urb_request *raw)
{
	struct vusb_request *request = free_request(vusb);
	const char *why;
	int rc;

	if (!request || find_request(vusb, raw->id)) {
		vusb_fail(vusb, "the guest used the id of a request that is still open");
		return;
	}
	memset(&request->co, 0, offsetof(struct vusb_request, packets));
	request->vusb = vusb;
	request->used = true;
	vusb->stats.urbs++;
	rc = urb_parse(&request->urb, raw, vusb->config.n_ports, &why);
	if (rc < 0) {
		vusb->stats.malformed++;
		log_limited(&vusb->limit, clock_now(vusb->clock), LOG_MODULE, LOG_LEVEL_WARN,
			    "%s: request %u refused: %s", vusb->config.name, raw->id, why);
		vusb_finish(request, rc, 0);
	} else if (request->urb.unlink) {
		unlink_request(vusb, request->urb.unlink_id);
		vusb_finish(request, 0, 0);
	} else {
		dispatch(vusb, request);
	}
}

bool vusb_ring_drain(struct vusb *vusb)
{
	struct ring_back *ring = &vusb->urb_ring;
	struct usbif_urb_request raw;
	bool any = false;
	int n;

	while (!vusb->failure && (n = ring_back_requests(ring)) != 0) {
		if (n < 0) {
			vusb_fail(vusb, "the guest's request index is outside of the ring");
			return any;
		}
		any = true;
		for (; n > 0 && !vusb->failure; n--) {
			ring_back_read(ring, ring->req_cons, &raw);
			journal_take(&vusb->journal, ring->req_cons, raw.id,
				     usbif_pipeunlink(raw.pipe));
			ring->req_cons++;
			take(vusb, &raw);
		}
	}
	vusb->stats.in_flight_max =
		MAX(vusb->stats.in_flight_max, (uint64_t)(ring->req_cons - ring->rsp_prod));
	return any;
}

/* --- responses --- */

void vusb_finish(struct vusb_request *request, int status, uint32_t actual)
{
	request->finished = true;
	request->co.status = status;
	request->co.actual = actual;
	DL_APPEND(request->vusb->finished, &request->co);
}

static void count(struct vusb *vusb, const struct vusb_request *request, int status)
{
	if (status == -EPIPE)
		vusb->stats.stalls++;
	else if (status < 0)
		vusb->stats.errors++;
	if (request->urb.in)
		vusb->stats.urb_bytes_in += request->co.actual;
	else
		vusb->stats.urb_bytes_out += request->co.actual;
}

static void respond(struct vusb *vusb, struct vusb_request *request)
{
	int status = request->bad_memory ? -EINVAL : request->co.status;
	uint32_t index = vusb->urb_ring.rsp_prod;
	struct usbif_urb_response rsp = {
		.id = request->urb.id,
		.start_frame = request->start_frame,
		.status = urb_status(status),
		.actual_length = (int32_t)request->co.actual,
		.error_count = (int32_t)request->error_count,
	};

	if (request->bad_memory && request->urb.in)
		rsp.actual_length = 0; /* nobody knows what arrived */
	count(vusb, request, status);
	journal_answer(&vusb->journal, request->urb.id, request->urb.unlink, index);
	ring_back_respond(&vusb->urb_ring, &rsp, sizeof(rsp));
	if (request->pipe)
		vusb_pipe_answered(request, index);
	request->used = false;
}

void vusb_ring_answer(struct vusb *vusb)
{
	struct coalesce_request *co;

	vusb_copy_run(vusb);
	if (!vusb->finished)
		return;
	while ((co = vusb->finished) != NULL) {
		DL_DELETE(vusb->finished, co);
		respond(vusb, container_of(co, struct vusb_request, co));
	}
	ring_back_publish(&vusb->urb_ring);
	journal_published(&vusb->journal, vusb->urb_ring.rsp_prod);
	if (!ring_back_must_notify(&vusb->urb_ring))
		return;
	vusb->stats.notifies++;
	vusb->xen->ops->evt_notify(vusb->evt, vusb->evt_port);
}

bool vusb_ring_seen(const struct vusb *vusb, uint32_t response)
{
	uint32_t event = __atomic_load_n(&vusb->urb_ring.page->rsp_event, __ATOMIC_ACQUIRE);

	/* A frontend asks for the event behind the last response that it took. */
	return (int32_t)(event - (response + 1)) > 0;
}

/* --- ports --- */

/* Takes one of the guest's connection requests: its answer tells of one port. */
static bool tell(struct vusb *vusb, struct vusb_port *port, uint8_t speed)
{
	struct ring_back *ring = &vusb->conn_ring;
	uint8_t raw[URB_CONN_SLOT_BYTES];
	struct usbif_conn_response rsp;
	int n = ring_back_requests(ring);

	if (n < 0)
		vusb_fail(vusb, "the guest's index of the connection ring is outside of it");
	if (n <= 0)
		return false;
	ring_back_read(ring, ring->req_cons++, raw);
	memset(&rsp, 0, sizeof(rsp));
	memcpy(&rsp.id, raw, sizeof(rsp.id));
	rsp.portnum = (uint8_t)port->number;
	rsp.speed = speed;
	if (speed != USBIF_SPEED_NONE)
		port->view->identity = port->identity;
	journal_event(&vusb->journal, ring->rsp_prod, port->number, speed);
	ring_back_respond(ring, &rsp, sizeof(rsp));
	ring_back_publish(ring); /* the journal knows of one event at a time */
	return true;
}

/* False: the guest has no room for it. */
static bool tell_port(struct vusb *vusb, struct vusb_port *port)
{
	struct port_view *view = port->view;

	if (port->replugged || (view->speed && view->speed != port->want_speed)) {
		if (view->speed && !tell(vusb, port, USBIF_SPEED_NONE))
			return false;
		port->replugged = false;
	}
	return view->speed == port->want_speed || tell(vusb, port, port->want_speed);
}

void vusb_ring_connections(struct vusb *vusb)
{
	vusb->untold = false;
	for (unsigned int i = 1; i <= vusb->config.n_ports && !vusb->failure; i++)
		vusb->untold = !tell_port(vusb, &vusb->ports[i]) || vusb->untold;
	if (!ring_back_push(&vusb->conn_ring))
		return;
	vusb->stats.notifies++;
	vusb->xen->ops->evt_notify(vusb->evt, vusb->evt_port);
}
