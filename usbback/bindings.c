/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bindings.c - controllers, devices and runs: what changed is marked, then every port is looked at.
 *
 * A run reads the nodes of the controllers that changed and then takes one look at every port
 * (bindings_look.c). A look that frees a device or a port makes the run go round once more, since
 * somebody may have waited for it.
 */
#include "bindings_priv.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <utlist.h>

#include "clock.h"
#include "log.h"
#include "util.h"

#define LOG_MODULE     "usb"
#define PASSES_MAX     4u
#define STORE_RETRY_NS (200 * NSEC_PER_MSEC)
#define GONE_RETRY_NS  (500 * NSEC_PER_MSEC) /* what says so first, may not be the host's list */

/* --- states --- */

const char *binding_state_name(enum binding_state state)
{
	static const char *const names[] = {
		[BINDING_FREE] = "free",	 [BINDING_HELD] = "held",
		[BINDING_MISSING] = "missing",	 [BINDING_BLOCKED] = "blocked",
		[BINDING_WAITING] = "waiting",	 [BINDING_FAILED] = "failed",
		[BINDING_ATTACHED] = "attached",
	};

	return names[state];
}

const char *binding_source_name(enum binding_source source)
{
	static const char *const names[] = {[SOURCE_POLICY] = "policy",
					    [SOURCE_ONCE] = "once",
					    [SOURCE_XL] = "xl",
					    [SOURCE_NONE] = "none"};

	return names[source];
}

const char *binding_device_name(const struct binding *port)
{
	if (port->device.busid[0])
		return port->device.busid;
	return port->source < N_WISHES ? port->wishes[port->source].spec.text : port->node_text;
}

/* Shows the sentence beside what it is about: the keys, or the node. */
static void show(struct binding *port, bool bad)
{
	const char *text = bad ? port->why : NULL;

	for (unsigned int i = 0; i < N_WISHES; i++)
		wish_show_error(port, (enum binding_source)i,
				port->source == (enum binding_source)i ? text : NULL);
	if ((bad && port->source == SOURCE_XL) || port->state == BINDING_ATTACHED)
		node_show_error(port, text);
}

void binding_set(struct binding *port, enum binding_state state, const char *fmt, ...)
{
	enum binding_state was = port->state;
	bool bad = state == BINDING_FAILED || state == BINDING_BLOCKED;
	char why[sizeof(port->why)];
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	if (state == was && strcmp(why, port->why) == 0)
		return;
	port->state = state;
	strcpy(port->why, why); /* of the same size */
	if (state == BINDING_ATTACHED && was != state)
		log_info("%s: port %u: %s attached (%s)", port->vd->dev->name, port->number,
			 binding_device_name(port), binding_source_name(port->source));
	else if (bad)
		log_warn("%s: port %u: %s", port->vd->dev->name, port->number, why);
	else
		log_debug("%s: port %u: %s -> %s: %s", port->vd->dev->name, port->number,
			  binding_state_name(was), binding_state_name(state), why);
	show(port, bad);
}

void binding_release(struct binding *port, const char *why)
{
	bool attached = port->state == BINDING_ATTACHED;
	bool claimed = port->device.busid[0] != '\0';

	if (attached)
		log_info("%s: port %u: %s detached: %s", port->vd->dev->name, port->number,
			 binding_device_name(port), why);
	binding_set(port, BINDING_FREE, "%s",
		    why); /* before: what is in the mail is about the past */
	if (attached)
		binding_unplug(port);
	if (claimed)
		binding_unconfigure(port);
	memset(&port->device, 0, sizeof(port->device));
	port->gone_ns = 0;
	port->retry_ns = 0;
	port->n_failures = 0;
	port->vd->ub->bindings->again = true;
}

/* --- devices --- */

const struct host_device *bindings_device(const struct bindings *bindings, const char *busid)
{
	for (size_t i = 0; i < bindings->n_devices; i++)
		if (strcmp(bindings->devices[i].busid, busid) == 0)
			return &bindings->devices[i];
	return NULL;
}

const struct binding *bindings_owner(struct bindings *bindings, const char *busid)
{
	struct vusbdev *vd;

	DL_FOREACH (bindings->controllers, vd)
		for (unsigned int i = 0; i < vd->n_ports; i++)
			if (strcmp(vd->ports[i].device.busid, busid) == 0)
				return &vd->ports[i];
	return NULL;
}

/* --- runs --- */

void bindings_wake_at(struct bindings *bindings, uint64_t when_ns)
{
	bindings->next_ns = MIN(bindings->next_ns, when_ns);
}

static void arm(struct bindings *bindings, uint64_t when_ns)
{
	if (!bindings->timer)
		return;
	if (when_ns == DEADLINE_NEVER) {
		sd_event_source_set_enabled(bindings->timer, SD_EVENT_OFF);
		return;
	}
	sd_event_source_set_time(bindings->timer, DIV_ROUND_UP(when_ns, NSEC_PER_USEC));
	sd_event_source_set_enabled(bindings->timer, SD_EVENT_ONESHOT);
}

static bool run_once(struct bindings *bindings)
{
	struct vusbdev *vd;
	bool unread = false;

	bindings->again = false;
	bindings->next_ns = DEADLINE_NEVER;
	DL_FOREACH (bindings->controllers, vd)
		if (vd->unread)
			nodes_read(vd);
	DL_FOREACH (bindings->controllers, vd) {
		for (unsigned int i = 0; i < vd->n_ports; i++)
			binding_look(&vd->ports[i]);
		unread |= vd->unread;
	}
	if (unread)
		bindings_wake_at(bindings, bindings->now_ns + STORE_RETRY_NS);
	return bindings->again || bindings->next_ns <= bindings->now_ns;
}

uint64_t bindings_run(struct bindings *bindings)
{
	bindings->now_ns = clock_now(bindings->ub->app->clock);
	for (unsigned int i = 0; i < PASSES_MAX && run_once(bindings); i++)
		;
	arm(bindings, bindings->next_ns);
	return bindings->next_ns;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *ctx)
{
	bindings_run(ctx);
	return 0;
}

int bindings_create(struct bindings **out, struct usbback *ub)
{
	struct bindings *bindings = xb_calloc(1, sizeof(*bindings));
	int rc = 0;

	bindings->ub = ub;
	bindings->next_ns = DEADLINE_NEVER;
	if (ub->app->event)
		rc = sd_event_add_time(ub->app->event, &bindings->timer, CLOCK_MONOTONIC, 0, 1000,
				       on_timer, bindings);
	if (rc < 0) {
		free(bindings);
		return rc;
	}
	*out = bindings;
	return 0;
}

void bindings_destroy(struct bindings *bindings)
{
	if (!bindings)
		return;
	sd_event_source_unref(bindings->timer);
	free(bindings->devices);
	free(bindings);
}

/* --- what changed --- */

/* A run at once, but not from here: the caller may be in the middle of something. */
static void mark(struct bindings *bindings)
{
	bindings->next_ns = 0;
	arm(bindings, 0);
}

void bindings_add(struct bindings *bindings, struct vusbdev *vd)
{
	for (unsigned int i = 0; i < vd->n_ports; i++) {
		vd->ports[i].vd = vd;
		vd->ports[i].number = i + 1;
		vd->ports[i].source = SOURCE_NONE;
	}
	DL_APPEND(bindings->controllers, vd);
	wishes_read(vd);
	vd->unread = true;
	mark(bindings);
}

void bindings_remove(struct bindings *bindings, struct vusbdev *vd)
{
	DL_DELETE(bindings->controllers, vd);
	for (unsigned int i = 0; i < vd->n_ports && !bindings->ub->stopping; i++)
		if (vd->ports[i].device.busid[0])
			binding_unconfigure(&vd->ports[i]);
	if (!bindings->ub->stopping)
		wishes_forget_once(vd);
	mark(bindings);
}

void bindings_connected(struct bindings *bindings, struct vusbdev *vd, bool adopt)
{
	for (unsigned int i = 0; i < vd->n_ports && adopt; i++) {
		vd->ports[i].held_until_ns = 0;
		vd->ports[i].stale = true;
	}
	mark(bindings);
}

void bindings_disconnected(struct bindings *bindings, struct vusbdev *vd)
{
	for (unsigned int i = 0; i < vd->n_ports; i++) {
		struct binding *port = &vd->ports[i];

		port->stale = false;
		if (port->state == BINDING_ATTACHED)
			binding_set(port, BINDING_WAITING, "%s: waits for the guest's driver",
				    binding_device_name(port));
	}
	mark(bindings);
}

void bindings_node_changed(struct bindings *bindings, struct vusbdev *vd, unsigned int number)
{
	struct binding *port = &vd->ports[number - 1];

	/* Perhaps the same text again, which reading could not tell. */
	if (port->node == NODE_TEXT && !port->node_ours)
		port->held_until_ns =
			clock_now(bindings->ub->app->clock) + bindings->ub->options.attach_hold_ns;
	vd->unread = true;
	mark(bindings);
}

void bindings_config_changed(struct bindings *bindings)
{
	struct vusbdev *vd;

	DL_FOREACH (bindings->controllers, vd) {
		wishes_read(vd);
		vd->unread = true;
	}
	mark(bindings);
}

/* A device that xl took away is wanted again when it is plugged in anew. */
static void end_suspension(struct bindings *bindings, struct binding *port)
{
	const struct host_device *device = bindings_device(bindings, port->suspended_of.busid);

	if (!device || device->address != port->suspended_of.address)
		port->suspended = false;
}

void bindings_set_devices(struct bindings *bindings, const struct host_device *devices, size_t n)
{
	struct vusbdev *vd;

	free(bindings->devices);
	bindings->devices = xb_calloc(n, sizeof(*devices));
	bindings->n_devices = n;
	if (n)
		memcpy(bindings->devices, devices, n * sizeof(*devices));
	DL_FOREACH (bindings->controllers, vd)
		for (unsigned int i = 0; i < vd->n_ports; i++)
			if (vd->ports[i].suspended)
				end_suspension(bindings, &vd->ports[i]);
	mark(bindings);
}

void bindings_gone(struct bindings *bindings, struct vusbdev *vd, unsigned int number)
{
	struct binding *port = &vd->ports[number - 1];

	if (port->state != BINDING_ATTACHED)
		return;
	binding_set(port, BINDING_MISSING, "%s vanished; it may come back",
		    binding_device_name(port));
	port->retry_ns = clock_now(bindings->ub->app->clock) + GONE_RETRY_NS;
	mark(bindings);
}

void bindings_resume(struct bindings *bindings, struct binding *port)
{
	port->suspended = false;
	port->retry_ns = 0;
	mark(bindings);
}

struct vusbdev *bindings_find(struct bindings *bindings, uint16_t domid, uint32_t devid)
{
	struct vusbdev *vd;

	DL_FOREACH (bindings->controllers, vd)
		if (vd->dev->domid == domid && vd->dev->devid == devid)
			return vd;
	return NULL;
}

struct vusbdev *bindings_find_vusb(struct bindings *bindings, const struct vusb *vusb)
{
	struct vusbdev *vd;

	DL_FOREACH (bindings->controllers, vd)
		if (vd->vusb == vusb)
			return vd;
	return NULL;
}

void bindings_foreach(struct bindings *bindings, void (*fn)(void *ctx, struct vusbdev *vd),
		      void *ctx)
{
	struct vusbdev *vd, *next;

	DL_FOREACH_SAFE (bindings->controllers, vd, next)
		fn(ctx, vd);
}
