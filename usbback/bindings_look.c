/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bindings_look.c - one look at one port: who has it, which device it is, what comes next.
 *
 * A look is a function of what is known: keys, node, plugged-in devices, rings, time. It ends in a
 * state with a sentence for people, and with a deadline where time will change something.
 */
#include "bindings_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "util.h"

#define LOG_MODULE     "usb"
#define RETRY_NS       NSEC_PER_SEC /* after the first failure; doubles up to the next */
#define RETRY_MAX_NS   (60 * NSEC_PER_SEC)
#define STORE_RETRY_NS (200 * NSEC_PER_MSEC)

/* The first device that the wish means and nobody else has; *taken: one that somebody has. */
static const struct host_device *find_device(const struct binding *port, const struct devspec *spec,
					     const struct host_device **taken)
{
	struct bindings *bindings = port->vd->ub->bindings;
	const struct host_device *best = NULL;

	*taken = NULL;
	for (size_t i = 0; i < bindings->n_devices; i++) {
		const struct host_device *device = &bindings->devices[i];
		const struct binding *owner = bindings_owner(bindings, device->busid);

		if (!devspec_matches(spec, device))
			continue;
		if (owner && owner != port)
			*taken = device;
		else if (!best || strverscmp(device->busid, best->busid) < 0)
			best = device;
	}
	return best;
}

/* --- whose port it is --- */

/* Text that we did not write, on a port that has been ours: an xl that was told the port's number.
 */
static void evict(struct binding *port)
{
	AUTO_FREE char *text = xb_strdup(port->node_text);
	AUTO_FREE char *error =
		xb_asprintf("port %u is kept for %s by the VM's keys; %s was not attached",
			    port->number, binding_device_name(port), text);

	if (node_write(port, NULL) < 0)
		return;
	log_warn("%s: %s", port->vd->dev->name, error);
	node_show_error(port, error);
}

static enum binding_source decide_source(struct binding *port)
{
	enum binding_source wished = wish_in_force(port);
	bool foreign = port->node == NODE_TEXT && !port->node_ours;
	const struct host_device *device;

	if (!foreign || wished == SOURCE_NONE)
		return foreign ? SOURCE_XL : wished;
	device = bindings_device(port->vd->ub->bindings, port->node_text);
	if (device && devspec_matches(&port->wishes[wished].spec, device))
		return wished; /* xl, or our predecessor, did what the keys want */
	if (port->source != wished)
		return SOURCE_XL; /* it was here first */
	evict(port);
	return wished;
}

/* --- looks --- */

/* What the node should say, now that it is known who has the port. False: not now. */
static bool settle_node(struct binding *port, const char *text)
{
	struct bindings *bindings = port->vd->ub->bindings;
	int rc = node_write(port, text);

	if (rc == 0)
		return true;
	if (rc == -ENOENT) /* the toolstack takes the device away */
		return false;
	port->vd->unread = true;
	bindings_wake_at(bindings, bindings->now_ns + (rc == -ESTALE ? 0 : STORE_RETRY_NS));
	return false;
}

static void after_failure(struct binding *port, int rc, const char *error)
{
	struct bindings *bindings = port->vd->ub->bindings;
	uint64_t pause_ns = MIN(RETRY_NS << MIN(port->n_failures, 10u), RETRY_MAX_NS);

	port->n_failures++;
	port->retry_ns = bindings->now_ns + pause_ns;
	if (rc == -EINVAL || rc == -EPROTONOSUPPORT) /* time does not change it */
		port->retry_ns = DEADLINE_NEVER;
	binding_set(port, BINDING_FAILED, "%s: %s", binding_device_name(port),
		    error[0] ? error : strerror(-rc));
}

/* Everything is decided but the moment. */
static void look_at_plug(struct binding *port)
{
	struct bindings *bindings = port->vd->ub->bindings;
	char error[256] = "";
	int rc;

	if (port->state == BINDING_ATTACHED)
		return;
	if (bindings->now_ns < port->held_until_ns) {
		binding_set(port, BINDING_HELD, "%s: xl may still take it back",
			    binding_device_name(port));
		bindings_wake_at(bindings, port->held_until_ns);
		return;
	}
	if (!port->vd->vusb) {
		binding_set(port, BINDING_WAITING, "%s: waits for the guest's driver",
			    binding_device_name(port));
		return;
	}
	if (bindings->now_ns < port->retry_ns) {
		bindings_wake_at(bindings, port->retry_ns);
		return;
	}
	if (!node_is_unchanged(port)) { /* its event is on its way */
		port->vd->unread = true;
		bindings_wake_at(bindings, bindings->now_ns + STORE_RETRY_NS);
		return;
	}
	rc = binding_plug(port, error, sizeof(error));
	if (rc < 0) {
		after_failure(port, rc, error);
		bindings_wake_at(bindings, port->retry_ns);
		return;
	}
	port->n_failures = 0;
	port->retry_ns = 0;
	binding_set(port, BINDING_ATTACHED, "the guest has %s", binding_device_name(port));
}

/* Its device is not there (any more). */
static void look_at_missing(struct binding *port)
{
	struct bindings *bindings = port->vd->ub->bindings;
	bool attached = port->state == BINDING_ATTACHED;
	uint64_t until_ns;

	if (!port->device.busid[0] && port->source != SOURCE_XL) {
		settle_node(port, NULL);
		binding_set(port, BINDING_MISSING, "%s is not plugged into this host",
			    port->wanted);
		return;
	}
	if (!port->gone_ns)
		port->gone_ns = bindings->now_ns;
	until_ns = port->gone_ns + port->vd->ub->options.return_time_ns;
	binding_set(port, BINDING_MISSING, "%s vanished; it may come back",
		    binding_device_name(port));
	if (attached)
		binding_unplug(port);
	if (bindings->now_ns < until_ns) {
		bindings_wake_at(bindings, until_ns);
		return;
	}
	log_info("%s: port %u: %s is gone", port->vd->dev->name, port->number,
		 binding_device_name(port));
	if (port->source == SOURCE_XL && !settle_node(port, ""))
		return;
	binding_release(port, "its device is gone");
}

/* A bus id can't be made of it; and while it stands there, xl works for no domain. */
static void look_at_nonsense(struct binding *port)
{
	AUTO_FREE char *error = xb_asprintf(
		"port/%u was \"%s\"; allowed: the bus id of a device of this host, such as "
		"3-1.5, or nothing",
		port->number, port->node_text);

	if (!settle_node(port, ""))
		return;
	log_warn("%s: %s", port->vd->dev->name, error);
	node_show_error(port, error);
	binding_release(port, "it was no bus id");
}

/* Why this device cannot go there at all; false = it can. */
static bool is_unfit(const struct binding *port, const struct host_device *device, char *why,
		     size_t size)
{
	if (device->hub)
		snprintf(why, size, "%s is a hub; attach what is plugged into it", device->busid);
	else if (port->vd->usb_version == 1 && device->speed >= USB_SPEED_HIGH)
		snprintf(why, size,
			 "%s is faster than full speed and the controller is USB 1: attach one "
			 "with version=2",
			 device->busid);
	else if (!port->vd->ub->opener)
		snprintf(why, size, "%s: devices of the host cannot be opened here", device->busid);
	else
		return false;
	return true;
}

static void claim(struct binding *port, const struct host_device *device)
{
	bool same = strcmp(port->device.busid, device->busid) == 0;
	bool attached = port->state == BINDING_ATTACHED;

	if (same && port->device.address == device->address) {
		port->device = *device;
		return;
	}
	if (attached) { /* it was unplugged and plugged in between two looks */
		binding_set(port, BINDING_MISSING, "%s comes back", device->busid);
		binding_unplug(port);
	}
	if (!same)
		port->was_reserved = device->reserved || port->source == SOURCE_XL;
	port->device = *device;
	port->retry_ns = 0;
	port->n_failures = 0;
	binding_mark_reserved(port);
}

/* The device for a port: the one that it has, or one that is free. */
static const struct host_device *choose_device(const struct binding *port,
					       const struct devspec *spec,
					       const struct host_device **taken)
{
	const struct host_device *device;

	*taken = NULL;
	if (!port->device.busid[0])
		return find_device(port, spec, taken);
	device = bindings_device(port->vd->ub->bindings, port->device.busid);
	return device && devspec_matches(spec, device) ? device : NULL;
}

static void look_at_host_device(struct binding *port, const struct devspec *spec)
{
	const struct host_device *taken, *device = choose_device(port, spec, &taken);
	char why[sizeof(port->why)];
	bool unfit;

	if (!device && !taken) {
		look_at_missing(port);
		return;
	}
	port->gone_ns = 0;
	if (!device) {
		const struct binding *owner = bindings_owner(port->vd->ub->bindings, taken->busid);

		unfit = true;
		snprintf(why, sizeof(why), "%s is on port %u of %s", taken->busid, owner->number,
			 owner->vd->dev->name);
	} else {
		unfit = is_unfit(port, device, why, sizeof(why));
	}
	if (unfit) {
		if (port->source != SOURCE_XL)
			settle_node(port, NULL);
		binding_set(port, BINDING_BLOCKED, "%s", why);
		return;
	}
	claim(port, device);
	if (port->source == SOURCE_XL || settle_node(port, device->busid))
		look_at_plug(port);
}

static void look_at_free(struct binding *port)
{
	settle_node(port, "");
	if (port->suspended)
		binding_set(port, BINDING_FREE,
			    "xl took %s away; it comes back when the guest starts anew, when it is "
			    "plugged in again, or when its key is written",
			    port->suspended_of.busid);
	else
		binding_set(port, BINDING_FREE, "nothing belongs here");
}

/* The port gets another owner, or its owner another wish. */
static void change_owner(struct binding *port, enum binding_source source,
			 const struct devspec *spec)
{
	bool stays = port->device.busid[0] && devspec_matches(spec, &port->device);

	if (source == port->source && strcmp(spec->text, port->wanted) == 0)
		return;
	if (port->source != SOURCE_NONE && !stays)
		binding_release(port, source == SOURCE_NONE ? "nobody wants it there any more"
							    : "another device belongs there");
	port->source = source;
	strcpy(port->wanted, spec->text); /* of the same size */
}

/* Keys that are not in force tell so. */
static void tell_losers(struct binding *port)
{
	char text[sizeof(port->why)];

	if (port->source != SOURCE_XL || wish_in_force(port) == SOURCE_NONE)
		return;
	snprintf(text, sizeof(text), "port %u has %s, which xl attached", port->number,
		 port->node_text);
	wish_show_error(port, wish_in_force(port), text);
}

/* A guest that came over from our predecessor learns which devices it has lost. */
static void settle_stale(struct binding *port)
{
	bool lost = port->state == BINDING_FREE || port->state == BINDING_BLOCKED ||
		    (port->state == BINDING_MISSING && !port->gone_ns) || port->n_failures >= 3;

	if (!port->stale || !port->vd->vusb)
		return;
	if (port->state == BINDING_ATTACHED) {
		port->stale = false;
	} else if (lost) {
		port->stale = false;
		vusb_detach(port->vd->vusb, port->number);
	}
}

void binding_look(struct binding *port)
{
	struct devspec spec = {.kind = DEVSPEC_NONE};
	enum binding_source source;

	if (port->node == NODE_UNREAD)
		return;
	source = decide_source(port);
	if (source < N_WISHES) {
		devspec_copy(&spec, &port->wishes[source].spec);
	} else if (source == SOURCE_XL) {
		spec.kind = DEVSPEC_BUSID;
		snprintf(spec.text, sizeof(spec.text), "%s", port->node_text);
	}
	change_owner(port, source, &spec);
	if (source == SOURCE_NONE)
		look_at_free(port);
	else if (spec.kind == DEVSPEC_MODEL && settle_node(port, NULL))
		look_at_plug(port);
	else if (source == SOURCE_XL && !host_busid_valid(spec.text))
		look_at_nonsense(port);
	else if (spec.kind != DEVSPEC_MODEL)
		look_at_host_device(port, &spec);
	tell_losers(port);
	settle_stale(port);
}
