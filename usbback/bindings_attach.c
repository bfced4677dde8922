/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bindings_attach.c - opens what belongs on a port and plugs it in; and takes it out again.
 *
 * A device of this host is opened by the opener process (host_opener.h); its descriptor travels to
 * the controller's thread, where libusb takes it over. A model is made in that thread.
 */
#include "bindings_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cluster/models/models.h"
#include "host_libusb.h"
#include "log.h"
#include "util.h"

#define LOG_MODULE "usb"

/* What travels to the controller's thread. */
struct opening {
	int fd; /**< -1: taken over, or a model */
	char name[DEVSPEC_TEXT_MAX + 1];
};

static int open_host_device(struct usb_host **host, void *arg, sd_event *event, struct clock *clock,
			    char *error, size_t error_size)
{
	struct opening *opening = arg;
	int fd = opening->fd;

	opening->fd = -1;
	return host_libusb_open(host, fd, opening->name, event, error, error_size);
}

static int open_model(struct usb_host **host, void *arg, sd_event *event, struct clock *clock,
		      char *error, size_t error_size)
{
	struct opening *opening = arg;

	return usb_model_open(host, opening->name + strlen("model:"), event, clock, error,
			      error_size);
}

/* The quirks of whoever's device it is; for xl's, those that a policy gives to the port. */
static const char *quirk_list(const struct binding *port)
{
	enum binding_source source = port->source == SOURCE_XL ? SOURCE_POLICY : port->source;
	const struct wish *wish = &port->wishes[source];

	if (port->source == SOURCE_XL && wish->spec.kind != DEVSPEC_NONE)
		return ""; /* they are meant for another device */
	return wish->quirks;
}

/* The parts that do not open anything. */
static int prepare(const struct binding *port, struct vusb_device *device, struct opening *opening,
		   char *error, size_t error_size)
{
	bool local = port->device.busid[0] != '\0';
	const char *name = local ? port->device.busid : port->wishes[port->source].spec.text;

	opening->fd = -1;
	snprintf(opening->name, sizeof(opening->name), "%s", name);
	snprintf(device->name, sizeof(device->name), "%s", name);
	device->open = local ? open_host_device : open_model;
	device->arg = opening;
	quirks_init(&device->quirks, port->device.vid, port->device.pid);
	return quirks_parse(&device->quirks, quirk_list(port), error, error_size);
}

int binding_plug(struct binding *port, char *error, size_t error_size)
{
	struct usbback *ub = port->vd->ub;
	AUTO_FREE struct opening *opening = xb_calloc(1, sizeof(*opening));
	struct vusb_device device = {0};
	int rc = prepare(port, &device, opening, error, error_size);

	if (rc == 0 && port->device.busid[0]) {
		rc = host_opener_open(ub->opener, port->device.busid, error, error_size);
		opening->fd = rc;
	}
	if (rc >= 0)
		rc = vusb_attach(port->vd->vusb, port->number, &device, error, error_size);
	if (opening->fd >= 0)
		close(opening->fd);
	return rc;
}

void binding_unplug(struct binding *port)
{
	struct usbback *ub = port->vd->ub;

	if (!port->vd->vusb)
		return;
	vusb_detach(port->vd->vusb, port->number);
	/* "gone" may be on its way; it is about a device that the port has no longer. */
	mailbox_drain(ub->mail, ub);
}

/* While the guest uses a reserved device it is configured: a successor of ours finds it so, and
 * this file says that it was not. The address is in its name: after plugging in anew it means
 * nothing. */
static char *mark_path(const struct binding *port)
{
	const struct usbback *ub = port->vd->ub;

	if (!ub->journal_dir[0])
		return NULL;
	return xb_asprintf("%s/reserved-%s-%u", ub->journal_dir, port->device.busid,
			   port->device.address);
}

void binding_mark_reserved(struct binding *port)
{
	AUTO_FREE char *path = mark_path(port);
	AUTO_CLOSE int fd = -1;

	if (!path)
		return;
	if (port->was_reserved) {
		fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
		if (fd < 0)
			log_warn("%s: %s", path, strerror(errno));
	} else {
		port->was_reserved = access(path, F_OK) == 0;
	}
}

static void unmark(const struct binding *port)
{
	AUTO_FREE char *path = mark_path(port);

	if (path)
		unlink(path); /* most have none */
}

void binding_unconfigure(struct binding *port)
{
	struct usbback *ub = port->vd->ub;
	char error[256] = "";

	unmark(port);
	if (!port->was_reserved || !bindings_device(ub->bindings, port->device.busid))
		return;
	if (host_opener_unconfigure(ub->opener, port->device.busid, error, sizeof(error)) < 0)
		log_warn("%s: cannot be reserved again, so xl cannot attach it: %s",
			 port->device.busid, error);
}
