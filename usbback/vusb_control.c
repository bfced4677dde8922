/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vusb_control.c - endpoint 0 of a port: one request at a time, as on the wire, and the changes of
 * the device which some of them are (port.h).
 */
#include "vusb_priv.h"

#include <endian.h>
#include <errno.h>
#include <string.h>
#include <utlist.h>

#include "clock.h"
#include "util.h"

#define LOG_MODULE "vusb"

static struct vusb_request *head(struct vusb_port *port)
{
	return port->control ? container_of(port->control, struct vusb_request, co) : NULL;
}

static void finish_head(struct vusb_port *port, int status, uint32_t actual)
{
	struct vusb_request *request = head(port);

	DL_DELETE(port->control, &request->co);
	pool_put(&port->pool, request->flight.transfer.data, request->flight.buffer_bytes);
	request->flight.transfer.data = NULL;
	port->busy = false;
	vusb_finish(request, status, actual);
}

/* --- transfers --- */

static int forward(struct vusb_port *port, struct vusb_request *request)
{
	struct usb_transfer *transfer = &request->flight.transfer;
	const struct urb *urb = &request->urb;
	int rc;

	request->flight.request = request;
	request->flight.buffer_bytes = urb->length;
	transfer->type = USB_ENDPOINT_XFER_CONTROL;
	transfer->setup = urb->setup;
	transfer->length = urb->length;
	if (urb->length && !(transfer->data = pool_get(&port->pool, urb->length)))
		return -ENOMEM;
	if (urb->length && !urb->in) {
		vusb_copy(request, 0, transfer->data, urb->length, false);
		vusb_copy_run(port->vusb);
		if (request->bad_memory)
			return -EINVAL;
	}
	rc = vusb_submit(port, &request->flight);
	request->started = rc == 0;
	return rc;
}

void vusb_control_ended(struct vusb_request *request)
{
	const struct usb_transfer *transfer = &request->flight.transfer;
	struct vusb_port *port = request->port;

	request->started = false;
	if (request->urb.in && transfer->actual && !port->closing) {
		port_patch_reply(port->host->speed, &request->urb.setup, transfer->data,
				 transfer->actual);
		vusb_copy(request, 0, transfer->data, transfer->actual, true);
		vusb_copy_run(port->vusb);
	}
	finish_head(port, transfer->status, transfer->actual);
}

/* --- changes --- */

static bool concerns(const struct usb_change *change, const struct vusb_pipe *pipe)
{
	switch (change->kind) {
	case USB_CHANGE_CONFIGURATION:
	case USB_CHANGE_RESET:
		return true;
	case USB_CHANGE_INTERFACE:
		return pipe->endpoint->interface == change->interface;
	case USB_CHANGE_CLEAR_HALT:
		return pipe->endpoint->address == change->endpoint;
	}
	return true;
}

static void on_changed(struct usb_change *change)
{
	((struct vusb_port *)change->owner)->changed = true;
}

/* Makes the endpoints concerned quiet; the change starts once they are. */
static void begin_change(struct vusb_port *port, const struct usb_change *change)
{
	port->change = *change;
	port->change.owner = port;
	port->change.done = on_changed;
	port->busy = true;
	port->draining = true;
	port->changed = false;
	for (unsigned int i = 0; i < VUSB_PIPES; i++) {
		struct vusb_pipe *pipe = &port->pipes[i];

		if (!pipe->endpoint || !concerns(change, pipe))
			continue;
		pipe->co.blocked = true;
		if (change->kind == USB_CHANGE_CLEAR_HALT)
			vusb_pipe_recall(pipe);
		else
			vusb_pipe_flush(pipe, -ESHUTDOWN);
	}
}

static void unblock(struct vusb_port *port)
{
	for (unsigned int i = 0; i < VUSB_PIPES; i++)
		port->pipes[i].co.blocked = false;
}

static void read_config(struct vusb_port *port)
{
	const char *why = "";

	for (unsigned int i = 0; i < VUSB_PIPES; i++)
		vusb_pipe_clear(&port->pipes[i]);
	port->config.n_endpoints = 0;
	if (port->view->configuration &&
	    usb_config_parse(&port->config, port->host->descriptors, port->host->n_descriptors,
			     port->view->configuration, &why) < 0) {
		port->config.n_endpoints = 0;
		log_warn("%s: port %u: configuration %u of %s: %s; it has no endpoints for the "
			 "guest",
			 port->vusb->config.name, port->number, port->view->configuration,
			 port->device.name, why);
	}
}

static void apply_change(struct vusb_port *port)
{
	const struct usb_change *change = &port->change;

	port_changed(port->view, change);
	switch (change->kind) {
	case USB_CHANGE_CONFIGURATION:
		read_config(port);
		vusb_pipes_configure(port);
		break;
	case USB_CHANGE_INTERFACE:
		vusb_pipes_configure(port);
		break;
	case USB_CHANGE_RESET:
		port->vusb->stats.resets++;
		if (!port->preparing)
			read_config(port); /* none: the guest sets it again */
		break;
	case USB_CHANGE_CLEAR_HALT:
		break;
	}
}

/* The steps by which a device becomes the guest's: true when there is another one. A new device is
 * reset; one that the guest knows from our predecessor gets its configuration and settings back. */
static bool next_step(struct vusb_port *port, struct usb_change *change)
{
	const struct port_view *view = port->view;
	unsigned int step = port->prepare_next++;

	*change = (struct usb_change){.kind = USB_CHANGE_RESET};
	if (!port->adopted)
		return step == 0 && port->device.quirks.reset == QUIRK_RESET_INFER;
	if (step == 0) {
		change->kind = USB_CHANGE_CONFIGURATION;
		change->value = view->configuration;
		return view->configuration != 0;
	}
	while (step <= USB_INTERFACES_MAX && view->alternates[step - 1] == 0)
		step = port->prepare_next++;
	if (step > USB_INTERFACES_MAX)
		return false;
	change->kind = USB_CHANGE_INTERFACE;
	change->interface = (uint8_t)(step - 1);
	change->value = view->alternates[step - 1];
	return true;
}

static void forget_settings(struct port_view *view)
{
	view->address = view->configuration = 0;
	memset(view->alternates, 0, sizeof(view->alternates));
}

static void prepare(struct vusb_port *port)
{
	struct usb_change change;

	if (next_step(port, &change)) {
		begin_change(port, &change);
		return;
	}
	port->preparing = false;
	if (!port->adopted) {
		forget_settings(port->view);
		read_config(port);
	}
	port->want_speed = (uint8_t)port_speed(port->host->speed, port->vusb->config.usb_version);
	port->replugged = !port->adopted && port->view->speed;
	port->forgetful = port->adopted;
	port->adopted = false;
}

void vusb_control_prepare(struct vusb_port *port)
{
	port->preparing = true;
	port->prepare_next = 0;
	prepare(port);
}

/* What came meanwhile is for endpoints that are no more. */
static void refuse_queued(struct vusb_port *port)
{
	if (port->change.kind == USB_CHANGE_CLEAR_HALT)
		return;
	for (unsigned int i = 0; i < VUSB_PIPES; i++)
		if (port->pipes[i].endpoint && concerns(&port->change, &port->pipes[i]))
			vusb_pipe_flush(&port->pipes[i], -ESHUTDOWN);
}

void vusb_control_give_up(struct vusb_port *port)
{
	port->adopted = false;
	port->prepare_next = 0; /* behind the change in progress */
}

static void end_change(struct vusb_port *port)
{
	int status = port->change.status;
	struct port_view saved = *port->view;

	port->changed = false;
	port->busy = false;
	refuse_queued(port);
	if (status == 0)
		apply_change(port);
	else if (port->change.kind == USB_CHANGE_RESET && !port->preparing)
		read_config(port); /* the guest believes in it */
	if (port->preparing) {
		/* Setting the configuration made every alternate setting 0: on the device, not in
		 * what the guest knows. */
		if (port->adopted) {
			memcpy(port->view->alternates, saved.alternates, sizeof(saved.alternates));
			vusb_pipes_configure(port);
		}
		if (status < 0)
			log_warn("%s: port %u: %s could not be prepared: %s",
				 port->vusb->config.name, port->number, port->device.name,
				 strerror(-status));
	} else if (status < 0) {
		log_limited(&port->vusb->limit, clock_now(port->vusb->clock), LOG_MODULE,
			    LOG_LEVEL_WARN, "%s: port %u: %s refused a change of its state: %s",
			    port->vusb->config.name, port->number, port->device.name,
			    strerror(-status));
	}
	unblock(port);
	if (status == -ENODEV)
		port->gone = true;
	else if (port->preparing)
		prepare(port);
	else if (port->change.kind != USB_CHANGE_RESET)
		finish_head(port, status, 0);
}

static bool quiet(struct vusb_port *port)
{
	for (unsigned int i = 0; i < VUSB_PIPES; i++)
		if (port->pipes[i].endpoint && concerns(&port->change, &port->pipes[i]) &&
		    vusb_pipe_flying(&port->pipes[i]))
			return false;
	return true;
}

/* True when it ended: the next one may have begun. */
static bool advance_change(struct vusb_port *port)
{
	int rc;

	if (port->draining && quiet(port)) {
		port->draining = false;
		rc = port->host->ops->change(port->host, &port->change);
		if (rc < 0) {
			port->change.status = rc;
			port->changed = true;
		}
	}
	if (!port->changed)
		return false;
	end_change(port);
	return true;
}

/* --- the queue --- */

static bool address_taken(const struct vusb_port *port, uint16_t address)
{
	for (unsigned int i = 1; i <= port->vusb->config.n_ports; i++)
		if (i != port->number && address && port->vusb->ports[i].view->address == address)
			return true;
	return false;
}

static void serve_head(struct vusb_port *port)
{
	struct vusb_request *request = head(port);
	const struct usb_ctrlrequest *setup = &request->urb.setup;
	struct port_decision decision;
	int rc;

	if (request->co.unlinked) {
		finish_head(port, -ECONNRESET, 0);
		return;
	}
	port_control(port->view, setup, request->urb.address,
		     address_taken(port, le16toh(setup->wValue)), &port->device.quirks, &decision);
	switch (decision.action) {
	case PORT_ACTION_FORWARD:
		port->busy = true;
		rc = forward(port, request);
		if (rc < 0)
			finish_head(port, rc, 0);
		break;
	case PORT_ACTION_ANSWER:
		finish_head(port, 0, 0);
		break;
	case PORT_ACTION_CHANGE:
	case PORT_ACTION_RESET:
		begin_change(port, &decision.change);
		break;
	case PORT_ACTION_REFUSE:
		port->vusb->stats.malformed += decision.status == -EINVAL;
		log_limited(&port->vusb->limit, clock_now(port->vusb->clock), LOG_MODULE,
			    LOG_LEVEL_WARN, "%s: port %u: control request refused: %s",
			    port->vusb->config.name, port->number, decision.why);
		finish_head(port, decision.status, 0);
		break;
	}
}

void vusb_control_run(struct vusb_port *port)
{
	while (port->busy && advance_change(port))
		;
	while (port->control && !port->busy && vusb_port_serves(port)) {
		serve_head(port);
		if (port->busy && port->draining)
			advance_change(port);
	}
}

void vusb_control_queue(struct vusb_request *request)
{
	request->port->n_control++;
	DL_APPEND(request->port->control, &request->co);
}

void vusb_control_unlink(struct vusb_request *request)
{
	struct vusb_port *port = request->port;

	if (request->started) {
		port->host->ops->cancel(port->host, &request->flight.transfer);
	} else if (request != head(port) || !port->busy) {
		DL_DELETE(port->control, &request->co);
		vusb_finish(request, -ECONNRESET, 0);
	} else {
		request->co.unlinked = true; /* a change cannot be taken back; its end answers */
	}
}

void vusb_control_flush(struct vusb_port *port, int status)
{
	while (port->control)
		finish_head(port, status, 0);
	port->busy = port->draining = port->changed = false;
}
