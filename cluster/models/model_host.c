/* SPDX-License-Identifier: GPL-2.0-or-later */
/* model_host.c - queues, schedule and callbacks between a model and the loop, see model_host.h. */
#include "model_host.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <utlist.h>

#include "clock.h"
#include "util.h"

/* Queues: endpoint numbers 0 to 15, IN behind OUT; control transfers are in queue 0. */
#define N_QUEUES 32

/* A transfer in flight. */
struct entry {
	struct entry *prev, *next;
	struct usb_transfer *transfer;
	uint64_t submitted_ns;
	uint64_t due_ns; /**< scheduled endpoints: its last packet; DEADLINE_NEVER = not yet at the
			    head */
	bool cancelled;
	bool waited; /**< the model had nothing for it when it was due */
};

struct queue {
	struct entry *entries;
	struct model_endpoint endpoint;
	uint64_t free_ns; /**< scheduled endpoints: the first time that no packet has taken */
};

struct model_host {
	struct usb_host device;
	struct model model;
	struct clock *clock;
	sd_event *event;
	sd_event_source *wake, *timer;
	struct queue queues[N_QUEUES];
	struct entry *finished, *unused;
	struct usb_change *change; /**< carried out, done is still to be called */
	uint64_t timer_ns;
	bool pumping;	/**< in a model: kicks need no further pass */
	bool reporting; /**< in a callback: the host cannot be freed here */
	bool closed;
};

static struct queue *queue_of(struct model_host *host, uint8_t address)
{
	return &host->queues[(address & USB_ENDPOINT_NUMBER_MASK) +
			     (address & USB_DIR_IN ? N_QUEUES / 2 : 0)];
}

static void wake(struct model_host *host)
{
	if (host->wake)
		(void)sd_event_source_set_enabled(host->wake, SD_EVENT_ONESHOT);
}

static void finish(struct model_host *host, struct queue *queue, struct entry *entry, int status)
{
	entry->transfer->status = status;
	DL_DELETE(queue->entries, entry);
	DL_APPEND(host->finished, entry);
}

static bool is_busy(const struct model_host *host, const struct entry *entry)
{
	return host->model.ops->busy && host->model.ops->busy(host->model.self, entry->transfer);
}

/* Ends every transfer of a queue that the model can let go of. */
static bool finish_all(struct model_host *host, struct queue *queue, int status)
{
	struct entry *entry, *next;
	bool moved = false;

	DL_FOREACH_SAFE (queue->entries, entry, next) {
		if (is_busy(host, entry))
			continue;
		finish(host, queue, entry, status);
		moved = true;
	}
	return moved;
}

/* What the endpoints are now; whoever still waits at one that is gone or begins anew is cancelled.
 */
static void configured(struct model_host *host)
{
	host->model.ops->reset(host->model.self);
	for (uint8_t i = 1; i < N_QUEUES; i++) {
		uint8_t address = i < N_QUEUES / 2 ? i : USB_DIR_IN | (i - N_QUEUES / 2);
		struct queue *queue = &host->queues[i];
		struct entry *entry;

		DL_FOREACH (queue->entries, entry)
			entry->cancelled = true;
		queue->free_ns = 0;
		if (!(address & USB_ENDPOINT_NUMBER_MASK) ||
		    !model_ch9_endpoint(&host->model.ch9, address, &queue->endpoint))
			queue->endpoint = (struct model_endpoint){0};
	}
}

static void clear_halt(struct model_host *host, uint8_t address)
{
	const struct model_ops *ops = host->model.ops;

	if (!ops->clear_halt || ops->clear_halt(host->model.self, address))
		model_ch9_clear_halt(&host->model.ch9, address);
}

static int control(struct model_host *host, struct usb_transfer *transfer)
{
	enum model_ch9_effect effect = MODEL_CH9_NOTHING;
	struct usb_ctrlrequest *setup = &transfer->setup;
	int rc;

	if (!model_ch9_is_standard(setup))
		rc = host->model.ops->control(host->model.self, setup, transfer->data);
	else
		rc = model_ch9_request(&host->model.ch9, setup, transfer->data, &effect);
	if (effect == MODEL_CH9_CONFIGURED)
		configured(host);
	else if (effect == MODEL_CH9_CLEAR_HALT)
		clear_halt(host, (uint8_t)le16toh(setup->wIndex));
	if (rc >= 0)
		transfer->actual = (uint32_t)rc;
	return MIN(rc, 0);
}

static bool pump_control(struct model_host *host)
{
	struct queue *queue = &host->queues[0];
	bool moved = false;

	for (; queue->entries; moved = true) {
		struct entry *entry = queue->entries;

		finish(host, queue, entry,
		       entry->cancelled ? -ECANCELED : control(host, entry->transfer));
	}
	return moved;
}

/* Packets that a transfer takes on a schedule. An endpoint that sends messages sends one of them a
 * transfer; others fill their packets. */
static uint64_t n_packets(const struct model_host *host, const struct queue *queue,
			  const struct usb_transfer *transfer)
{
	if (queue->endpoint.type == USB_ENDPOINT_XFER_ISOC)
		return transfer->n_packets;
	if (!host->model.ops->fills_packets)
		return 1;
	return MAX(DIV_ROUND_UP(transfer->length, queue->endpoint.max_packet), 1);
}

/* Whether the head of a queue has to wait for its time. */
static bool scheduled_later(struct model_host *host, struct queue *queue, uint64_t now_ns)
{
	struct entry *entry = queue->entries;
	uint64_t interval_ns = queue->endpoint.interval_ns;

	if (!interval_ns)
		return false;
	if (entry->due_ns == DEADLINE_NEVER)
		entry->due_ns = MAX(queue->free_ns, entry->submitted_ns) +
				(n_packets(host, queue, entry->transfer) - 1) * interval_ns;
	return now_ns < entry->due_ns;
}

static bool pump_cancelled(struct model_host *host, struct queue *queue)
{
	struct entry *entry, *next;
	bool moved = false;

	DL_FOREACH_SAFE (queue->entries, entry, next) {
		if (!entry->cancelled || is_busy(host, entry))
			continue;
		finish(host, queue, entry, -ECANCELED);
		moved = true;
	}
	return moved;
}

static bool pump_queue(struct model_host *host, struct queue *queue, uint64_t now_ns)
{
	bool moved = pump_cancelled(host, queue);
	struct entry *entry;

	while ((entry = queue->entries)) {
		if (model_ch9_halted(&host->model.ch9, queue->endpoint.address))
			return finish_all(host, queue, -EPIPE) || moved;
		if (scheduled_later(host, queue, now_ns))
			return moved;
		if (host->model.ops->transfer(host->model.self, entry->transfer, now_ns) ==
		    MODEL_WAIT) {
			if (model_ch9_halted(&host->model.ch9, queue->endpoint.address))
				continue; /* by this very transfer */
			entry->waited = true;
			return moved;
		}
		queue->free_ns =
			(entry->waited ? now_ns : entry->due_ns) + queue->endpoint.interval_ns;
		finish(host, queue, entry, entry->transfer->status);
		moved = true;
	}
	return moved;
}

/* Lets everybody move until nobody can. */
static void pump(struct model_host *host)
{
	const struct model_ops *ops = host->model.ops;
	uint64_t now_ns = clock_now(host->clock);
	bool moved = true;

	host->pumping = true;
	if (ops->deadline_ns && ops->deadline_ns(host->model.self) <= now_ns)
		ops->tick(host->model.self, now_ns);
	while (moved) {
		moved = pump_control(host);
		for (unsigned int i = 1; i < N_QUEUES; i++)
			if (host->queues[i].entries && pump_queue(host, &host->queues[i], now_ns))
				moved = true;
	}
	host->pumping = false;
}

uint64_t model_host_deadline_ns(const struct model_host *host)
{
	const struct model_ops *ops = host->model.ops;
	uint64_t first_ns = ops->deadline_ns ? ops->deadline_ns(host->model.self) : DEADLINE_NEVER;

	for (unsigned int i = 1; i < N_QUEUES; i++) {
		const struct entry *entry = host->queues[i].entries;

		if (entry && host->queues[i].endpoint.interval_ns && !entry->waited)
			first_ns = MIN(first_ns, entry->due_ns);
	}
	return first_ns;
}

static void set_timer(struct model_host *host)
{
	uint64_t due_ns = model_host_deadline_ns(host);

	if (!host->timer || due_ns == host->timer_ns)
		return;
	host->timer_ns = due_ns;
	if (due_ns != DEADLINE_NEVER)
		(void)sd_event_source_set_time(host->timer, DIV_ROUND_UP(due_ns, NSEC_PER_USEC));
	(void)sd_event_source_set_enabled(host->timer, due_ns == DEADLINE_NEVER ? SD_EVENT_OFF
										: SD_EVENT_ONESHOT);
}

/* Frees a host that was closed, unless a callback of it is still running. */
static bool release(struct model_host *host)
{
	bool closed = host->closed;

	if (closed && !host->reporting)
		free(host);
	return closed;
}

/* Calls done for what ended. The host may be closed, and freed, by one of them: false then. */
static bool report(struct model_host *host)
{
	struct usb_change *change;

	if (host->reporting) /* the outer call goes on */
		return true;
	host->reporting = true;
	while (host->finished && !host->closed) {
		struct entry *entry = host->finished;
		struct usb_transfer *transfer = entry->transfer;

		DL_DELETE(host->finished, entry);
		DL_APPEND(host->unused, entry);
		transfer->host = NULL;
		transfer->done(transfer);
	}
	change = host->change;
	if (change && !host->closed) {
		host->change = NULL;
		change->done(change);
	}
	host->reporting = false;
	return !release(host);
}

void model_host_run(struct model_host *host)
{
	pump(host);
	if (report(host))
		set_timer(host);
}

static void kicked(struct model *model)
{
	model_host_run(container_of(model, struct model_host, model));
}

static int on_wake(sd_event_source *source, void *userdata)
{
	model_host_run(userdata);
	return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct model_host *host = userdata;

	host->timer_ns = DEADLINE_NEVER;
	model_host_run(host);
	return 0;
}

static struct entry *new_entry(struct model_host *host, struct usb_transfer *transfer)
{
	struct entry *entry = host->unused;

	if (entry)
		DL_DELETE(host->unused, entry);
	else
		entry = xb_calloc(1, sizeof(*entry));
	*entry = (struct entry){.transfer = transfer,
				.due_ns = DEADLINE_NEVER,
				.submitted_ns = clock_now(host->clock)};
	return entry;
}

static bool packets_fit(const struct usb_transfer *transfer, const struct model_endpoint *endpoint)
{
	uint64_t total = 0;

	for (uint32_t i = 0; i < transfer->n_packets; i++) {
		if (!(transfer->endpoint & USB_DIR_IN) &&
		    transfer->packets[i].length > endpoint->max_packet)
			return false;
		total += transfer->packets[i].length;
	}
	return transfer->n_packets && total == transfer->length;
}

/* What no host controller would take. */
static bool is_possible(struct model_host *host, const struct usb_transfer *transfer)
{
	const struct model_endpoint *endpoint = &queue_of(host, transfer->endpoint)->endpoint;

	if (transfer->length && !transfer->data)
		return false;
	if (transfer->type == USB_ENDPOINT_XFER_CONTROL)
		return !(transfer->endpoint & USB_ENDPOINT_NUMBER_MASK) &&
		       le16toh(transfer->setup.wLength) == transfer->length;
	if (!endpoint->address || endpoint->address != transfer->endpoint ||
	    endpoint->type != transfer->type)
		return false;
	return transfer->type != USB_ENDPOINT_XFER_ISOC || packets_fit(transfer, endpoint);
}

static int submit(struct usb_host *device, struct usb_transfer *transfer)
{
	struct model_host *host = model_host_of(device);
	struct queue *queue = transfer->type == USB_ENDPOINT_XFER_CONTROL
				      ? &host->queues[0]
				      : queue_of(host, transfer->endpoint);
	struct entry *entry;

	if (host->closed)
		return -ENODEV;
	if (!is_possible(host, transfer))
		return -EINVAL;
	transfer->actual = 0;
	transfer->status = 0;
	for (uint32_t i = 0; transfer->type == USB_ENDPOINT_XFER_ISOC && i < transfer->n_packets;
	     i++) {
		transfer->packets[i].actual = 0;
		transfer->packets[i].status = 0;
	}
	entry = new_entry(host, transfer);
	transfer->host = entry;
	DL_APPEND(queue->entries, entry);
	wake(host);
	return 0;
}

/* Looked for in the queues: `host` of a transfer that was never submitted says nothing. */
static void cancel(struct usb_host *device, struct usb_transfer *transfer)
{
	struct model_host *host = model_host_of(device);

	for (unsigned int i = 0; i < N_QUEUES; i++) {
		struct entry *entry;

		DL_FOREACH (host->queues[i].entries, entry) {
			if (entry->transfer != transfer)
				continue;
			entry->cancelled = true;
			wake(host);
			return;
		}
	}
}

static int carry_out(struct model_host *host, const struct usb_change *change)
{
	struct model_ch9 *ch9 = &host->model.ch9;
	int rc = 0;

	switch (change->kind) {
	case USB_CHANGE_CONFIGURATION:
		rc = model_ch9_set_configuration(ch9, change->value);
		break;
	case USB_CHANGE_INTERFACE:
		rc = model_ch9_set_interface(ch9, change->interface, change->value);
		break;
	case USB_CHANGE_CLEAR_HALT:
		if (!model_ch9_endpoint(ch9, change->endpoint, NULL))
			return -EPIPE;
		if (!change->soft)
			clear_halt(host, change->endpoint);
		return 0;
	case USB_CHANGE_RESET:
		model_ch9_reset(ch9);
		break;
	}
	if (!rc)
		configured(host);
	return rc;
}

static int change(struct usb_host *device, struct usb_change *change)
{
	struct model_host *host = model_host_of(device);

	if (host->closed)
		return -ENODEV;
	if (host->change)
		return -EBUSY;
	(void)pump_control(host); /* endpoint 0 works in order */
	change->status = carry_out(host, change);
	host->change = change;
	wake(host);
	return 0;
}

static void close_device(struct usb_host *device)
{
	model_host_destroy(model_host_of(device));
}

static const struct usb_host_ops model_host_ops = {
	.name = "model",
	.submit = submit,
	.cancel = cancel,
	.change = change,
	.close = close_device,
};

struct model_host *model_host_create(const char *name, sd_event *event, struct clock *clock)
{
	struct model_host *host = xb_calloc(1, sizeof(*host));

	snprintf(host->device.name, sizeof(host->device.name), "%s", name);
	host->device.ops = &model_host_ops;
	host->model.kick = kicked;
	host->event = sd_event_ref(event);
	host->clock = clock;
	host->timer_ns = DEADLINE_NEVER;
	return host;
}

struct model *model_host_model(struct model_host *host)
{
	return &host->model;
}

int model_host_start(struct model_host *host)
{
	int rc = sd_event_add_defer(host->event, &host->wake, on_wake, host);

	if (rc < 0)
		return rc;
	(void)sd_event_source_set_enabled(host->wake, SD_EVENT_OFF);
	if (host->clock->now_ns == clock_monotonic.now_ns) {
		rc = sd_event_add_time(host->event, &host->timer, CLOCK_MONOTONIC, 0, 1, on_timer,
				       host);
		if (rc < 0)
			return rc;
		(void)sd_event_source_set_enabled(host->timer, SD_EVENT_OFF);
	}
	host->device.speed = host->model.desc.speed;
	host->device.descriptors = host->model.desc.bytes;
	host->device.n_descriptors = host->model.desc.n;
	model_ch9_init(&host->model.ch9, &host->model.desc);
	return 0;
}

struct usb_host *model_host_device(struct model_host *host)
{
	return &host->device;
}

struct model_host *model_host_of(struct usb_host *device)
{
	assert(device->ops == &model_host_ops);
	return container_of(device, struct model_host, device);
}

static void give_back(struct model_host *host)
{
	for (unsigned int i = 0; i < N_QUEUES; i++) {
		struct queue *queue = &host->queues[i];

		while (queue->entries)
			finish(host, queue, queue->entries, -ENODEV);
	}
	while (host->finished) {
		struct entry *entry = host->finished;
		struct usb_transfer *transfer = entry->transfer;

		DL_DELETE(host->finished, entry);
		free(entry);
		transfer->host = NULL;
		transfer->done(transfer);
	}
}

void model_host_destroy(struct model_host *host)
{
	struct usb_change *change = host->change;
	struct entry *entry, *next;

	host->closed = true;
	host->wake = sd_event_source_disable_unref(host->wake);
	host->timer = sd_event_source_disable_unref(host->timer);
	if (host->model.ops)
		host->model.ops->destroy(host->model.self);
	give_back(host);
	DL_FOREACH_SAFE (host->unused, entry, next)
		free(entry);
	host->unused = NULL;
	host->change = NULL;
	if (change) {
		change->status = -ENODEV;
		change->done(change);
	}
	sd_event_unref(host->event);
	(void)release(host);
}
