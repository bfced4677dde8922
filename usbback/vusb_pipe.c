/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vusb_pipe.c - bulk and interrupt endpoints: between the merging engine and the host, see vusb.h.
 */
#include "vusb_priv.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "clock.h"
#include "util.h"

/* Bulk-Only Transport 1.0 section 5.1: the command block wrapper. */
#define BOT_CBW_BYTES	  31u
#define BOT_CBW_SIGNATURE 0x43425355u
#define BOT_SUBCLASS	  6u
#define BOT_PROTOCOL	  0x50u

/* Who serves the pipe. */
enum kind { KIND_MERGED, KIND_ISO, KIND_AHEAD };

static enum kind kind_of(const struct vusb_pipe *pipe)
{
	if (pipe->endpoint->type == USB_ENDPOINT_XFER_ISOC)
		return KIND_ISO;
	return pipe->ahead.memory ? KIND_AHEAD : KIND_MERGED;
}

static struct vusb_flight *flight_of(struct vusb_pipe *pipe, const struct coalesce_batch *batch)
{
	return &pipe->flights[batch - pipe->co.batches];
}

/* --- what the engine asks for --- */

static void move(void *ctx, struct coalesce_batch *batch, uint32_t batch_offset,
		 struct coalesce_request *co, uint32_t request_offset, uint32_t length)
{
	struct vusb_pipe *pipe = ctx;

	if (pipe->port->closing)
		return;
	vusb_copy(container_of(co, struct vusb_request, co), request_offset,
		  flight_of(pipe, batch)->transfer.data + batch_offset, length, pipe->co.config.in);
}

static void cancel(void *ctx, struct coalesce_batch *batch)
{
	struct vusb_pipe *pipe = ctx;
	struct usb_host *host = pipe->port->host;

	host->ops->cancel(host, &flight_of(pipe, batch)->transfer);
}

static void retire(void *ctx, struct coalesce_batch *batch)
{
	struct vusb_pipe *pipe = ctx;
	struct vusb_flight *flight = flight_of(pipe, batch);

	pool_put(&pipe->port->pool, flight->transfer.data, flight->buffer_bytes);
	flight->transfer.data = NULL;
}

static void done(void *ctx, struct coalesce_request *co)
{
	vusb_finish(container_of(co, struct vusb_request, co), co->status, co->actual);
}

static const struct coalesce_ops engine_ops = {
	.move = move, .cancel = cancel, .retire = retire, .done = done};

/* The pipes' transitions, added up for the controller. */
static void count_states(struct vusb_pipe *pipe)
{
	struct vusb_stats *stats = &pipe->port->vusb->stats;
	const uint64_t *to = pipe->co.counters.to;

	stats->to_idle += to[COALESCE_STATE_IDLE] - pipe->counted[COALESCE_STATE_IDLE];
	stats->to_wait += to[COALESCE_STATE_WAIT] - pipe->counted[COALESCE_STATE_WAIT];
	stats->to_data += to[COALESCE_STATE_DATA] - pipe->counted[COALESCE_STATE_DATA];
	stats->to_failure += to[COALESCE_STATE_FAILURE] - pipe->counted[COALESCE_STATE_FAILURE];
	memcpy(pipe->counted, to, sizeof(pipe->counted));
}

/* --- configuration --- */

static void init_pipe(struct vusb_pipe *pipe, struct vusb_port *port,
		      const struct usb_endpoint *endpoint)
{
	bool bulk = endpoint->type == USB_ENDPOINT_XFER_BULK;
	const struct quirks *quirks = &port->device.quirks;
	struct coalesce_config config = {
		.max_packet = endpoint->max_packet,
		.max_batch = VUSB_MAX_BATCH,
		.in = endpoint->address & USB_DIR_IN,
		.merge = bulk && !quirks->no_merge,
		.zero_packet = bulk && quirks->zlp,
		.depth = bulk ? COALESCE_BATCHES : 1, /* interrupt: one request is one poll */
	};

	vusb_pipe_clear(pipe);
	memset(pipe, 0, sizeof(*pipe));
	pipe->port = port;
	pipe->endpoint = endpoint;
	pipe->bot = bulk && endpoint->class == USB_CLASS_MASS_STORAGE &&
		    endpoint->subclass == BOT_SUBCLASS && endpoint->protocol == BOT_PROTOCOL;
	coalesce_init(&pipe->co, &config, &engine_ops, pipe);
	if (bulk && config.in && quirks->read_ahead)
		vusb_ahead_init(pipe, quirks->read_ahead); /* without memory: as others */
}

void vusb_pipe_clear(struct vusb_pipe *pipe)
{
	vusb_ahead_fini(pipe);
	pipe->endpoint = NULL;
}

static unsigned int pipe_index(uint8_t address)
{
	return (address & USB_ENDPOINT_NUMBER_MASK) | (address & USB_DIR_IN ? 16 : 0);
}

void vusb_pipes_configure(struct vusb_port *port)
{
	for (unsigned int i = 0; i < VUSB_PIPES; i++) {
		uint8_t address =
			(uint8_t)((i & USB_ENDPOINT_NUMBER_MASK) | (i & 16 ? USB_DIR_IN : 0));
		const struct usb_endpoint *endpoint =
			usb_config_endpoint(&port->config, port->view->alternates, address);

		if (endpoint && endpoint != port->pipes[i].endpoint)
			init_pipe(&port->pipes[i], port, endpoint);
		else if (!endpoint)
			vusb_pipe_clear(&port->pipes[i]);
	}
}

struct vusb_pipe *vusb_pipe(struct vusb_port *port, uint8_t address)
{
	struct vusb_pipe *pipe = &port->pipes[pipe_index(address)];

	return pipe->endpoint ? pipe : NULL;
}

/* --- requests --- */

/* After a restart a storage device waits for a command, while its driver may wait for the rest of
 * one: that would be for as long as drivers wait. True: such a request has to fail, so that the
 * driver begins anew. */
static bool of_lost_command(struct vusb_pipe *pipe, const struct vusb_request *request)
{
	const struct usb_endpoint *endpoint = pipe->endpoint;

	if (!pipe->port->forgetful || endpoint->type != USB_ENDPOINT_XFER_BULK ||
	    endpoint->class != USB_CLASS_MASS_STORAGE || endpoint->subclass != BOT_SUBCLASS ||
	    endpoint->protocol != BOT_PROTOCOL)
		return false;
	if ((endpoint->address & USB_DIR_IN) || request->urb.length != BOT_CBW_BYTES)
		return true;
	pipe->port->forgetful = false;
	return false;
}

void vusb_pipe_queue(struct vusb_pipe *pipe, struct vusb_request *request)
{
	if (of_lost_command(pipe, request)) {
		vusb_finish(request, -EPROTO, 0);
		return;
	}
	if (kind_of(pipe) == KIND_ISO) {
		vusb_iso_start(pipe, request);
		return;
	}
	request->co.length = request->urb.length;
	if (pipe->bot && request->urb.length > BOT_CBW_BYTES)
		pipe->usual_bytes = request->urb.length;
	request->co.short_not_ok = request->urb.short_not_ok;
	request->co.fence = pipe->fence != pipe->port->n_control;
	pipe->fence = pipe->port->n_control;
	if (kind_of(pipe) == KIND_AHEAD)
		vusb_ahead_queue(pipe, request);
	else
		coalesce_queue(&pipe->co, &request->co);
}

void vusb_pipe_unlink(struct vusb_pipe *pipe, struct vusb_request *request)
{
	struct usb_host *host = pipe->port->host;

	switch (kind_of(pipe)) {
	case KIND_MERGED:
		coalesce_unlink(&pipe->co, &request->co);
		break;
	case KIND_ISO:
		if (request->started)
			host->ops->cancel(host, &request->flight.transfer);
		break;
	case KIND_AHEAD:
		vusb_ahead_unlink(pipe, request);
		break;
	}
}

/* --- start --- */

/* The command of a storage device says how much data follows: worth waiting for. */
static void look_at_command(struct vusb_pipe *pipe, const struct vusb_flight *flight)
{
	const uint8_t *cbw = flight->transfer.data;
	struct vusb_port *port = pipe->port;
	uint32_t signature, length;

	if (!pipe->bot || pipe->co.config.in || flight->transfer.length != BOT_CBW_BYTES)
		return;
	memcpy(&signature, cbw, sizeof(signature));
	memcpy(&length, cbw + 8, sizeof(length));
	if (le32toh(signature) != BOT_CBW_SIGNATURE)
		return;
	for (unsigned int i = 0; i < VUSB_PIPES; i++) {
		struct vusb_pipe *other = &port->pipes[i];
		bool in = cbw[12] & USB_DIR_IN;

		if (other->endpoint && other->endpoint->interface == pipe->endpoint->interface &&
		    other->endpoint->type == USB_ENDPOINT_XFER_BULK)
			coalesce_expect(&other->co,
					in == other->co.config.in ? le32toh(length) : 0);
	}
}

/* OUT: fetches the data. False where some of the guest's pages are bad: the requests concerned were
 * ended, the batch is to be made anew. */
static bool fetch(struct vusb_pipe *pipe, struct coalesce_batch *batch)
{
	struct coalesce_request *co, *next;
	bool good = true;

	coalesce_gather(&pipe->co, batch);
	vusb_copy_run(pipe->port->vusb);
	for (co = pipe->co.queue; co; co = co->next)
		good = good && !container_of(co, struct vusb_request, co)->bad_memory;
	if (good)
		return true;
	retire(pipe, batch);
	coalesce_unissue(&pipe->co, batch);
	for (co = pipe->co.queue; co; co = next) {
		next = co->next;
		if (container_of(co, struct vusb_request, co)->bad_memory)
			coalesce_unlink(&pipe->co, co);
	}
	return false;
}

/* The host had no memory for a transfer of this size, more than a page: smaller ones from now on.
 */
static void shrink(struct vusb_pipe *pipe, struct coalesce_batch *batch)
{
	pipe->co.config.max_batch = MAX(batch->length / 2, XEN_PAGE_SIZE);
	log_limited(&pipe->port->vusb->limit, clock_now(pipe->port->vusb->clock), "vusb",
		    LOG_LEVEL_WARN,
		    "%s: port %u: no memory for a transfer of %u bytes; transfers are smaller now "
		    "(usbfs_memory in usbback's configuration raises the limit)",
		    pipe->port->vusb->config.name, pipe->port->number, batch->length);
	retire(pipe, batch);
	coalesce_unissue(&pipe->co, batch);
}

/* The host has no memory for a request, or a few small ones: that of others may come back. */
static bool waits_for_memory(struct vusb_pipe *pipe, struct coalesce_batch *batch, uint64_t now_ns,
			     uint64_t *deadline_ns)
{
	if (pipe->no_memory_ns == 0)
		pipe->no_memory_ns = now_ns;
	if (now_ns >= pipe->no_memory_ns + VUSB_MEMORY_MAX_NS)
		return false;
	*deadline_ns = MIN(*deadline_ns, now_ns + VUSB_MEMORY_POLL_NS);
	retire(pipe, batch);
	coalesce_unissue(&pipe->co, batch);
	return true;
}

/* True when the batch was dealt with, and the next one may be tried. */
static bool start(struct vusb_pipe *pipe, struct coalesce_batch *batch, uint64_t now_ns,
		  uint64_t *deadline_ns)
{
	struct vusb_flight *flight = flight_of(pipe, batch);
	struct vusb_port *port = pipe->port;
	int rc;

	memset(flight, 0, sizeof(*flight));
	flight->pipe = pipe;
	flight->batch = batch;
	flight->buffer_bytes = batch->length;
	flight->transfer.endpoint = pipe->endpoint->address;
	flight->transfer.type = pipe->endpoint->type;
	flight->transfer.length = batch->length;
	if (batch->length)
		flight->transfer.data = pool_get(&port->pool, batch->length);
	if (batch->length && !flight->transfer.data) {
		coalesce_unissue(&pipe->co, batch);
		return false;
	}
	if (!pipe->co.config.in) {
		if (!fetch(pipe, batch))
			return true;
		flight->transfer.zero_packet = pipe->co.config.zero_packet && batch->length &&
					       batch->length % pipe->co.config.max_packet == 0;
		look_at_command(pipe, flight);
	}
	rc = vusb_submit(port, flight);
	if (rc == -ENOMEM && batch->n_requests > 1 && batch->length > XEN_PAGE_SIZE &&
	    batch->length <= pipe->co.config.max_batch) { /* longer: it cannot be cut */
		shrink(pipe, batch);
		return true;
	}
	if (rc == -ENOMEM && waits_for_memory(pipe, batch, now_ns, deadline_ns))
		return false;
	pipe->no_memory_ns = 0;
	if (rc < 0)
		coalesce_complete(&pipe->co, batch, rc, 0);
	else if (batch->n_requests > 1)
		port->vusb->stats.merged_urbs += batch->n_requests;
	return true;
}

static void run_merged(struct vusb_pipe *pipe, uint64_t now_ns, uint64_t *deadline_ns)
{
	struct vusb *vusb = pipe->port->vusb;
	struct coalesce_batch *batch;
	bool guest_full;

	do {
		guest_full =
			vusb->urb_ring.req_cons - vusb->urb_ring.rsp_prod >= vusb->urb_ring.size;
		batch = coalesce_issue(&pipe->co, now_ns, guest_full, pool_room(&pipe->port->pool),
				       deadline_ns);
	} while (batch && start(pipe, batch, now_ns, deadline_ns));
	count_states(pipe);
}

void vusb_pipe_run(struct vusb_pipe *pipe, uint64_t now_ns, uint64_t *deadline_ns)
{
	if (kind_of(pipe) == KIND_AHEAD)
		vusb_ahead_run(pipe);
	else if (pipe->co.queue)
		run_merged(pipe, now_ns, deadline_ns);
}

/* --- end --- */

void vusb_pipe_ended(struct vusb_pipe *pipe, struct vusb_flight *flight)
{
	switch (kind_of(pipe)) {
	case KIND_MERGED:
		coalesce_complete(&pipe->co, flight->batch, flight->transfer.status,
				  flight->transfer.actual);
		count_states(pipe);
		break;
	case KIND_ISO:
		vusb_iso_ended(pipe, flight->request);
		break;
	case KIND_AHEAD:
		vusb_ahead_ended(pipe, flight);
		break;
	}
}

static void flush_iso(struct vusb_pipe *pipe)
{
	struct vusb_port *port = pipe->port;

	for (unsigned int i = 0; i < VUSB_REQUESTS; i++) {
		struct vusb_request *request = &port->vusb->requests[i];

		if (request->used && request->pipe == pipe && request->started)
			port->host->ops->cancel(port->host, &request->flight.transfer);
	}
}

void vusb_pipe_flush(struct vusb_pipe *pipe, int status)
{
	switch (kind_of(pipe)) {
	case KIND_MERGED:
		coalesce_flush(&pipe->co, status);
		break;
	case KIND_ISO:
		flush_iso(pipe);
		break;
	case KIND_AHEAD:
		vusb_ahead_flush(pipe, status);
		break;
	}
}

void vusb_pipe_recall(struct vusb_pipe *pipe)
{
	switch (kind_of(pipe)) {
	case KIND_MERGED:
		coalesce_recall(&pipe->co);
		break;
	case KIND_ISO:
		flush_iso(pipe);
		break;
	case KIND_AHEAD:
		vusb_ahead_drop(pipe);
		break;
	}
}

uint32_t vusb_pipe_awaited(const struct vusb_pipe *pipe)
{
	const struct coalesce_request *co;
	uint64_t queued = 0;

	if (!pipe->bot || !pipe->usual_bytes || pipe->co.held)
		return 0;
	for (co = pipe->co.queue; co; co = co->next)
		queued += co->batch ? 0 : co->length;
	if (queued >= pipe->co.expect)
		return 0;
	return (uint32_t)MIN(DIV_ROUND_UP(pipe->co.expect - queued, pipe->usual_bytes),
			     (uint64_t)VUSB_REQUESTS);
}

bool vusb_pipe_flying(const struct vusb_pipe *pipe)
{
	return pipe->n_iso || pipe->co.n_batches || pipe->ahead.n_flying;
}

/* --- after a failure --- */

void vusb_pipe_answered(struct vusb_pipe *pipe, uint32_t response)
{
	if (!pipe->co.held)
		return;
	if (!pipe->holding)
		pipe->hold_since_ns = clock_now(pipe->port->vusb->clock);
	pipe->holding = true;
	pipe->hold_response = response;
	pipe->port->vusb->holds = true;
}

bool vusb_pipe_seen(struct vusb_pipe *pipe, uint64_t now_ns, uint64_t *deadline_ns)
{
	if (!pipe->co.held)
		return false;
	if (pipe->holding && !vusb_ring_seen(pipe->port->vusb, pipe->hold_response) &&
	    now_ns < pipe->hold_since_ns + VUSB_HOLD_MAX_NS) {
		*deadline_ns = MIN(*deadline_ns, now_ns + VUSB_HOLD_POLL_NS);
		return false;
	}
	pipe->holding = false;
	return true;
}
