/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hotplug.h - hears of USB devices that are plugged into this machine, and out of it.
 *
 * Events come from udev (so after its rules, usbback-reserve among them, have run) through
 * libsystemd. Where udev does not run nobody tells; where there is no USB there is nothing to tell.
 */
#ifndef XB_USB_HOTPLUG_H
#define XB_USB_HOTPLUG_H

#include <systemd/sd-event.h>

enum hotplug_event {
	HOTPLUG_ADD,
	HOTPLUG_REMOVE,
	HOTPLUG_CHANGE, /**< bound, unbound, configured otherwise: look again */
};

struct hotplug;
/** busid: of a device, hubs too; never of a root hub or an interface. */
typedef void (*hotplug_fn)(void *ctx, enum hotplug_event event, const char *busid);

/** Calls fn from the loop for every event from now on. 0 or -errno. */
int hotplug_create(struct hotplug **out, sd_event *event, hotplug_fn fn, void *ctx);
void hotplug_destroy(struct hotplug *hotplug);

/** "add", "remove", "change" */
const char *hotplug_event_name(enum hotplug_event event);

#endif
