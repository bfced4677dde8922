/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vusb_thread.c - a controller's thread, and what the control thread asks of it; see vusb.h. */
#include "vusb_priv.h"

#include <stdio.h>
#include <string.h>

#include "mailbox.h"
#include "util.h"

struct call {
	unsigned int port;
	const struct vusb_device *device;
	char *error;
	size_t error_size;
	bool keep;
	json_t *reply;
};

static void *run(void *arg)
{
	struct vusb *vusb = arg;

	pthread_setname_np(pthread_self(), vusb->config.name);
	while (!vusb->stopping)
		if (sd_event_run(vusb->event, UINT64_MAX) < 0)
			break;
	return NULL;
}

static int call_stop(void *ctx, void *arg)
{
	((struct vusb *)ctx)->stopping = true;
	return 0;
}

static int call_plug(void *ctx, void *arg)
{
	struct call *call = arg;

	return vusb_plug(ctx, call->port, call->device, call->error, call->error_size);
}

static int call_unplug(void *ctx, void *arg)
{
	struct vusb *vusb = ctx;
	const struct call *call = arg;

	if (call->port >= 1 && call->port <= vusb->config.n_ports)
		vusb_unplug(&vusb->ports[call->port]);
	return 0;
}

static int call_json(void *ctx, void *arg)
{
	((struct call *)arg)->reply = vusb_describe(ctx);
	return 0;
}

int vusb_open(struct vusb **out, struct xen *xen, struct clock *clock,
	      const struct vusb_config *config, const struct vusb_events *events, char *error,
	      size_t error_size)
{
	sd_event *event = NULL;
	struct vusb *vusb;
	int rc = sd_event_new(&event);

	if (rc < 0) {
		snprintf(error, error_size, "event loop: %s", strerror(-rc));
		return rc;
	}
	rc = vusb_start(&vusb, xen, clock, config, events, event, error, error_size);
	if (rc < 0)
		goto out;
	rc = -pthread_create(&vusb->thread, NULL, run, vusb);
	if (rc < 0) {
		snprintf(error, error_size, "thread: %s", strerror(-rc));
		vusb_stop(vusb, config->adopt);
		goto out;
	}
	*out = vusb;
	return 0;
out:
	sd_event_unref(event);
	return rc;
}

void vusb_close(struct vusb *vusb, bool keep)
{
	sd_event *event = vusb->event;

	mailbox_call(vusb->mail, call_stop, NULL);
	pthread_join(vusb->thread, NULL);
	vusb_stop(vusb, keep);
	sd_event_unref(event);
}

int vusb_attach(struct vusb *vusb, unsigned int port, const struct vusb_device *device, char *error,
		size_t error_size)
{
	struct call call = {
		.port = port, .device = device, .error = error, .error_size = error_size};

	return mailbox_call(vusb->mail, call_plug, &call);
}

void vusb_detach(struct vusb *vusb, unsigned int port)
{
	struct call call = {.port = port};

	mailbox_call(vusb->mail, call_unplug, &call);
}

json_t *vusb_to_json(struct vusb *vusb)
{
	struct call call = {.port = 0};

	mailbox_call(vusb->mail, call_json, &call);
	return call.reply;
}

const struct vusb_stats *vusb_stats(const struct vusb *vusb)
{
	return &vusb->stats;
}
