/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usb_status.c - controllers, ports and devices as JSON for xenbackctl, and what they wait for in
 * plain words.
 */
#include "bindings_priv.h"

#include <stdio.h>
#include <string.h>

#include "util.h"

/* --- ports and devices --- */

static const char *speed_name(enum usb_device_speed speed)
{
	switch (speed) {
	case USB_SPEED_UNKNOWN:
	case USB_SPEED_WIRELESS:
		break;
	case USB_SPEED_LOW:
		return "low";
	case USB_SPEED_FULL:
		return "full";
	case USB_SPEED_HIGH:
		return "high";
	case USB_SPEED_SUPER:
		return "super";
	case USB_SPEED_SUPER_PLUS:
		return "super+";
	}
	return "unknown";
}

/* A device's own words, which may be no UTF-8 at all. */
static json_t *foreign_string(const char *text)
{
	json_t *string = json_string(text);
	char clean[256];
	size_t i;

	if (string)
		return string;
	for (i = 0; text[i] && i < sizeof(clean) - 1; i++)
		clean[i] = (char)((unsigned char)text[i] < 0x80 ? text[i] : '?');
	clean[i] = '\0';
	return json_string(clean);
}

static void add_id(json_t *object, const struct host_device *device)
{
	AUTO_FREE char *id = xb_asprintf("%04x:%04x", device->vid, device->pid);

	json_object_set_new(object, "id", json_string(id));
	json_object_set_new(object, "product", foreign_string(device->product));
}

json_t *binding_to_json(const struct binding *port)
{
	json_t *object = json_pack("{s:i, s:s, s:s, s:s}", "port", (int)port->number, "state",
				   binding_state_name(port->state), "source",
				   binding_source_name(port->source), "why", port->why);

	if (port->source != SOURCE_NONE)
		json_object_set_new(object, "wanted", foreign_string(port->wanted));
	if (port->device.busid[0]) {
		json_object_set_new(object, "device", json_string(port->device.busid));
		add_id(object, &port->device);
	} else if (port->source != SOURCE_NONE) {
		json_object_set_new(object, "device", foreign_string(port->wanted));
	}
	for (unsigned int i = 0; i < N_WISHES; i++)
		if (port->wishes[i].error[0])
			json_object_set_new(object, "error", foreign_string(port->wishes[i].error));
	if (!json_object_get(object, "error") && port->node_error[0])
		json_object_set_new(object, "error", foreign_string(port->node_error));
	return object;
}

json_t *bindings_devices_to_json(struct bindings *bindings)
{
	json_t *array = json_array();

	for (size_t i = 0; i < bindings->n_devices; i++) {
		const struct host_device *device = &bindings->devices[i];
		const struct binding *owner = bindings_owner(bindings, device->busid);
		AUTO_FREE char *used_by = NULL;
		json_t *object;

		if (device->hub)
			continue;
		if (owner)
			used_by = xb_asprintf("%s port %u", owner->vd->dev->name, owner->number);
		object = json_pack("{s:s, s:s, s:b, s:s?}", "device", device->busid, "speed",
				   speed_name(device->speed), "reserved", (int)device->reserved,
				   "used_by", used_by);
		add_id(object, device);
		json_object_set_new(object, "serial", foreign_string(device->serial));
		json_array_append_new(array, object);
	}
	return array;
}

/* --- controllers --- */

char *vusbdev_label(const struct vusbdev *vd)
{
	AUTO_FREE char *name = confstore_domain_name(vd->ub->conf, vd->dev->domid);

	return name ? xb_asprintf("%s, domain %s", vd->dev->name, name) : xb_strdup(vd->dev->name);
}

static json_t *counters_to_json(const struct vusb_stats *stats)
{
	json_t *counters = json_object();

	for (size_t i = 0; i < vusb_n_stat_descs; i++) {
		const uint64_t *value =
			(const void *)((const char *)stats + vusb_stat_descs[i].offset);
		uint64_t now = __atomic_load_n(value, __ATOMIC_RELAXED);

		json_object_set_new(counters, vusb_stat_descs[i].name,
				    json_integer((json_int_t)now));
	}
	return counters;
}

/* Adds to each port what its thread knows: address, configuration, pipes. */
static void merge_ports(json_t *ports, const json_t *live)
{
	size_t i, j;
	json_t *port, *other;

	json_array_foreach(ports, i, port)
	{
		json_array_foreach((json_t *)(uintptr_t)live, j, other)
		{
			if (json_equal(json_object_get(port, "port"),
				       json_object_get(other, "port")))
				json_object_update_missing(port, other);
		}
	}
}

static void add_details(json_t *reply, struct vusbdev *vd, json_t *ports)
{
	json_t *live = vusb_to_json(vd->vusb), *value;
	const char *name;

	merge_ports(ports, json_object_get(live, "ports"));
	json_object_foreach(live, name, value)
	{
		if (strcmp(name, "ports") != 0 && !json_object_get(reply, name))
			json_object_set(reply, name, value);
	}
	json_decref(live);
	json_object_set_new(reply, "counters", counters_to_json(vusb_stats(vd->vusb)));
}

json_t *vusbdev_to_json(struct vusbdev *vd, bool details)
{
	AUTO_FREE char *domain = confstore_domain_name(vd->ub->conf, vd->dev->domid);
	json_t *reply = json_pack("{s:s, s:i, s:I, s:s, s:s, s:i, s:o}", "name", vd->dev->name,
				  "domid", (int)vd->dev->domid, "devid", (json_int_t)vd->dev->devid,
				  "domain", domain ? domain : "", "uuid", vd->uuid, "version",
				  (int)vd->usb_version, "xenbus", backend_explain(vd->dev));
	json_t *xenbus = json_object_get(reply, "xenbus"), *ports = json_array();

	json_object_set(reply, "state", json_object_get(xenbus, "backend"));
	json_object_set(reply, "frontend", json_object_get(xenbus, "frontend"));
	for (unsigned int i = 0; i < vd->n_ports; i++)
		json_array_append_new(ports, binding_to_json(&vd->ports[i]));
	if (vd->vusb) {
		const struct vusb_stats *stats = vusb_stats(vd->vusb);

		json_object_set_new(reply, "urbs", json_integer((json_int_t)stats->urbs));
		json_object_set_new(reply, "host_transfers",
				    json_integer((json_int_t)stats->host_transfers));
	}
	if (!details)
		json_object_del(reply, "xenbus");
	else if (vd->vusb)
		add_details(reply, vd, ports);
	json_object_set_new(reply, "ports", ports);
	return reply;
}

/* --- what they wait for --- */

static void check(json_t *checks, bool ok, const char *what, const char *hint)
{
	json_array_append_new(checks, json_pack("{s:b, s:o, s:o}", "ok", (int)ok, "what",
						foreign_string(what), "hint",
						foreign_string(ok ? "" : hint)));
}

static const char *hint_of(const struct binding *port)
{
	switch (port->state) {
	case BINDING_FREE:
	case BINDING_ATTACHED:
		return "";
	case BINDING_HELD:
		return "this takes as long as the key attach_hold says";
	case BINDING_MISSING:
		return "plug it in; `xenbackctl usb list` shows what is plugged in";
	case BINDING_BLOCKED:
		return "detach it there, or choose another port or device";
	case BINDING_WAITING:
		return "the guest needs the driver xen-hcd (Linux 5.18 or newer, or the package's "
		       "DKMS recipe)";
	case BINDING_FAILED:
		return port->retry_ns == DEADLINE_NEVER
			       ? "correct what is wrong, then attach it anew"
			       : "it is tried again by itself";
	}
	return "";
}

static void explain_port(json_t *checks, const struct binding *port, bool always)
{
	bool fine = port->state == BINDING_ATTACHED || port->state == BINDING_FREE;
	AUTO_FREE char *what = xb_asprintf("port %u: %s", port->number, port->why);

	for (unsigned int i = 0; i < N_WISHES; i++) {
		AUTO_FREE char *key = xb_asprintf("port %u: key of the %s: %s", port->number,
						  binding_source_name((enum binding_source)i),
						  port->wishes[i].error);

		if (port->wishes[i].error[0])
			check(checks, false, key,
			      "correct the key; the old value stays in force until then");
	}
	if (port->node_error[0] && strcmp(port->node_error, port->why) != 0)
		check(checks, false, port->node_error, "detach it with xl usbdev-detach");
	if (always || port->source != SOURCE_NONE || port->suspended)
		check(checks, fine && !port->suspended, what,
		      port->suspended ? "xenbackctl usb attach brings it back" : hint_of(port));
}

static void explain_controller(json_t *checks, const struct vusbdev *vd)
{
	AUTO_FREE char *ports =
		xb_asprintf("USB %u controller with %u port(s)", vd->usb_version, vd->n_ports);

	check(checks, true, ports, "");
	check(checks, vd->uuid[0], "the VM's uuid is known (policies are found by it)",
	      "the toolstack wrote no /local/domain/DOM/vm");
	check(checks, vd->ub->opener != NULL, "devices of this host can be opened",
	      "see the log of usbback from its start");
	check(checks, !vd->failure[0],
	      vd->failure[0] ? vd->failure : "the guest keeps to the usbif protocol",
	      "the guest's driver broke the ring protocol; detach and attach the controller");
	check(checks, vd->vusb != NULL, "rings are mapped and served", "see why above");
}

json_t *vusbdev_explain(struct vusbdev *vd, unsigned int port)
{
	json_t *reply = backend_explain(vd->dev), *checks = json_array();

	json_object_del(reply, "hotplug"); /* there is no such script for USB */
	explain_controller(checks, vd);
	for (unsigned int i = 1; i <= vd->n_ports; i++)
		if (!port || port == i)
			explain_port(checks, &vd->ports[i - 1], port == i);
	if (port)
		json_object_set_new(reply, "summary", json_string(vd->ports[port - 1].why));
	json_object_set_new(reply, "checks", checks);
	return reply;
}
