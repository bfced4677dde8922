/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vusb_storage.c - storage devices of Bulk-Only Transport: what a command tells of the transfers
 * that follow it.
 *
 * Theory of Operation
 * A command block wrapper (USB Mass Storage Class, Bulk-Only Transport 1.0, section 5.1) says how
 * much data follows, and which way; a status comes behind it. A driver sends the command, waits,
 * asks for the data, waits, asks for the status, and each wait is two wake-ups of the guest and two
 * of ours. So once the device has taken a command, what it will send is fetched at once
 * (vusb_ahead.c): it is there when the guest asks. Data for the device is worth waiting for
 * (coalesce_expect); as soon as it is through the status is fetched. Whatever the guest sends next
 * ends what it did not ask for. The quirk no-merge turns this off.
 */
#include "vusb_priv.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "util.h"

#define CBW_SIGNATURE 0x43425355u
#define BOT_SUBCLASS  6u
#define BOT_PROTOCOL  0x50u

struct command {
	uint32_t length; /* of its data */
	bool in;
};

bool vusb_storage_endpoint(const struct usb_endpoint *endpoint)
{
	return endpoint->type == USB_ENDPOINT_XFER_BULK &&
	       endpoint->class == USB_CLASS_MASS_STORAGE && endpoint->subclass == BOT_SUBCLASS &&
	       endpoint->protocol == BOT_PROTOCOL;
}

/* After a restart a storage device waits for a command, while its driver may wait for the rest of
 * one: that would be for as long as drivers wait. Such a request has to fail, so that the driver
 * begins anew. */
bool vusb_storage_lost(struct vusb_pipe *pipe, const struct vusb_request *request)
{
	if (!pipe->port->forgetful || !pipe->bot)
		return false;
	if (pipe->co.config.in || request->urb.length != VUSB_CBW_BYTES)
		return true;
	pipe->port->forgetful = false;
	return false;
}

static bool read_command(const struct usb_transfer *transfer, struct command *command)
{
	const uint8_t *cbw = transfer->data;
	uint32_t signature, length;

	if (transfer->length != VUSB_CBW_BYTES)
		return false;
	memcpy(&signature, cbw, sizeof(signature));
	memcpy(&length, cbw + 8, sizeof(length));
	command->length = le32toh(length);
	command->in = cbw[12] & USB_DIR_IN;
	return le32toh(signature) == CBW_SIGNATURE;
}

/* The interface's bulk IN endpoint, or NULL. */
static struct vusb_pipe *in_pipe(struct vusb_pipe *pipe)
{
	for (unsigned int i = 0; i < VUSB_PIPES; i++) {
		struct vusb_pipe *other = &pipe->port->pipes[i];

		if (other->endpoint && other->bot && other->co.config.in &&
		    other->endpoint->interface == pipe->endpoint->interface)
			return other;
	}
	return NULL;
}

void vusb_storage_starts(struct vusb_pipe *pipe, const struct vusb_flight *flight)
{
	struct vusb_pipe *in = pipe->bot ? in_pipe(pipe) : NULL;
	struct command command;

	if (!in || !read_command(&flight->transfer, &command))
		return;
	coalesce_expect(&pipe->co, command.in ? 0 : command.length);
	coalesce_expect(&in->co, command.in ? command.length : 0);
}

void vusb_storage_ended(struct vusb_pipe *pipe, const struct vusb_flight *flight)
{
	const struct usb_transfer *transfer = &flight->transfer;
	struct vusb_pipe *in;
	struct command command;

	if (!pipe->bot || pipe->co.config.in)
		return;
	if (transfer->status < 0 || transfer->actual < transfer->length) {
		pipe->data_left = 0; /* what comes next is the guest's to find out */
		return;
	}
	if (read_command(transfer, &command))
		pipe->data_left = command.in ? 0 : command.length;
	else if (pipe->data_left)
		pipe->data_left -= MIN(transfer->actual, pipe->data_left);
	else
		return;
	in = pipe->data_left ? NULL : in_pipe(pipe);
	if (in && vusb_ahead_plan(in, (uint32_t)in->co.expect))
		coalesce_expect(&in->co, 0);
}

bool vusb_storage_clear(struct vusb_pipe *pipe)
{
	struct vusb_pipe *in = pipe->bot && !pipe->co.config.in ? in_pipe(pipe) : NULL;

	if (!in || !in->ahead.active || in->ahead.queue)
		return true;
	vusb_ahead_drop(in);
	in->ahead.active = in->ahead.n_flying > 0;
	return !in->ahead.active;
}

uint32_t vusb_storage_awaited(const struct vusb_pipe *pipe)
{
	const struct coalesce_request *co;
	uint64_t queued = 0, announced = pipe->co.expect;

	if (!pipe->bot || !pipe->usual_bytes || pipe->co.held)
		return 0;
	if (pipe->ahead.active)
		announced = pipe->ahead.unasked;
	for (co = pipe->co.queue; co; co = co->next)
		queued += co->batch ? 0 : co->length;
	if (queued >= announced)
		return 0;
	return (uint32_t)MIN(DIV_ROUND_UP(announced - queued, pipe->usual_bytes),
			     (uint64_t)VUSB_REQUESTS);
}
