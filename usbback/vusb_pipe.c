/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vusb_pipe.c - bulk and interrupt endpoints: between the merging engine and the host, see vusb.h.
 */
#include "vusb_priv.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "clock.h"
#include "util.h"

/* Who serves the pipe. */
enum kind { KIND_MERGED, KIND_ISO, KIND_AHEAD };

static enum kind kind_of(const struct vusb_pipe *pipe)
{
	if (pipe->endpoint->type == USB_ENDPOINT_XFER_ISOC)
		return KIND_ISO;
	if (!pipe->ahead.memory || (pipe->ahead.plans && !pipe->ahead.active))
		return KIND_MERGED;
	return KIND_AHEAD;
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
	pipe->bot = vusb_storage_endpoint(endpoint);
	coalesce_init(&pipe->co, &config, &engine_ops, pipe);
	if (bulk && config.in && quirks->read_ahead)
		vusb_ahead_init(pipe, quirks->read_ahead, false); /* without memory: as others */
	else if (pipe->bot && config.in && config.merge)
		vusb_ahead_init(pipe, VUSB_PLAN_BYTES, true);
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

void vusb_pipe_queue(struct vusb_pipe *pipe, struct vusb_request *request)
{
	if (vusb_storage_lost(pipe, request)) {
		vusb_finish(request, -EPROTO, 0);
		return;
	}
	if (kind_of(pipe) == KIND_ISO) {
		vusb_iso_start(pipe, request);
		return;
	}
	if (pipe->co.held && pipe->dooms) {
		request->doomed = true;
		pipe->dooms = request->urb.short_not_ok;
	}
	request->co.length = request->urb.length;
	if (pipe->bot && request->urb.length > VUSB_CBW_BYTES)
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

	if (request->doomed)
		pipe->doom_since_ns = clock_now(pipe->port->vusb->clock);
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
		vusb_storage_starts(pipe, flight);
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
	if (kind_of(pipe) == KIND_AHEAD) {
		vusb_ahead_run(pipe);
		count_states(pipe);
	}
	if (kind_of(pipe) == KIND_MERGED && pipe->co.queue && vusb_storage_clear(pipe))
		run_merged(pipe, now_ns, deadline_ns);
}

/* --- end --- */

void vusb_pipe_ended(struct vusb_pipe *pipe, struct vusb_flight *flight)
{
	switch (kind_of(pipe)) {
	case KIND_MERGED:
		vusb_storage_ended(pipe, flight);
		coalesce_complete(&pipe->co, flight->batch, flight->transfer.status,
				  flight->transfer.actual);
		count_states(pipe);
		break;
	case KIND_ISO:
		vusb_iso_ended(pipe, flight->request);
		break;
	case KIND_AHEAD:
		vusb_ahead_ended(pipe, flight);
		count_states(pipe);
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
		vusb_ahead_recall(pipe);
		break;
	}
}

bool vusb_pipe_flying(const struct vusb_pipe *pipe)
{
	return pipe->n_iso || pipe->co.n_batches || pipe->ahead.n_flying;
}

/* --- after a failure --- */

static struct coalesce_request *queue_of(const struct vusb_pipe *pipe)
{
	return kind_of(pipe) == KIND_AHEAD ? pipe->ahead.queue : pipe->co.queue;
}

/* A list of SHORT_NOT_OK requests ended early: its driver unlinks the rest, in as many turns as the
 * ring makes it take. Until then none of the rest may have what the device sends next. Where the
 * rest fills the ring, there is no room for an unlink: its newest request fails, which makes
 * room. */
static void doom(struct vusb_pipe *pipe)
{
	struct coalesce_request *co;

	pipe->dooms = true;
	pipe->doom_since_ns = clock_now(pipe->port->vusb->clock);
	for (co = queue_of(pipe); co && pipe->dooms; co = co->next) {
		container_of(co, struct vusb_request, co)->doomed = true;
		pipe->dooms = co->short_not_ok;
	}
}

/* The newest one, or NULL. */
static struct vusb_request *find_doomed(const struct vusb_pipe *pipe)
{
	struct vusb_request *found = NULL;

	for (struct coalesce_request *co = queue_of(pipe); co; co = co->next)
		if (container_of(co, struct vusb_request, co)->doomed)
			found = container_of(co, struct vusb_request, co);
	return found;
}

void vusb_pipe_answered(struct vusb_request *request, uint32_t response)
{
	const struct coalesce_request *co = &request->co;
	struct vusb_pipe *pipe = request->pipe;

	if (!pipe->endpoint || !pipe->co.held)
		return;
	if (co->short_not_ok && co->status != -ECONNRESET &&
	    (co->status < 0 || co->actual < co->length))
		doom(pipe);
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
	return true;
}

void vusb_pipe_release(struct vusb_pipe *pipe, uint64_t now_ns, uint64_t *deadline_ns)
{
	const struct vusb *vusb = pipe->port->vusb;
	uint32_t open = vusb->urb_ring.req_cons - vusb->urb_ring.rsp_prod;
	uint64_t until_ns = pipe->doom_since_ns + VUSB_DOOM_MAX_NS;
	struct vusb_request *doomed = find_doomed(pipe);

	if (doomed && now_ns < until_ns) {
		*deadline_ns = MIN(*deadline_ns, until_ns);
		if (open >= vusb->urb_ring.size && !vusb->finished)
			vusb_pipe_unlink(pipe, doomed);
		return;
	}
	for (struct coalesce_request *co = queue_of(pipe); co; co = co->next)
		container_of(co, struct vusb_request, co)->doomed = false;
	pipe->holding = pipe->dooms = false;
	coalesce_release(&pipe->co);
}
