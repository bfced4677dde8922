/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hotplug.c - udev's events about USB devices, see hotplug.h. */
#include "hotplug.h"

#include <systemd/sd-device.h>

#include "host_opener.h"
#include "log.h"
#include "util.h"

#define LOG_MODULE "usb"

/* A hub with everything behind it makes many events at once. */
#define RECEIVE_BYTES (4u << 20)

struct hotplug {
	sd_device_monitor *monitor;
	hotplug_fn fn;
	void *ctx;
};

const char *hotplug_event_name(enum hotplug_event event)
{
	switch (event) {
	case HOTPLUG_ADD:
		return "add";
	case HOTPLUG_REMOVE:
		return "remove";
	case HOTPLUG_CHANGE:
		return "change";
	}
	return "?";
}

static enum hotplug_event event_of(sd_device_action_t action)
{
	if (action == SD_DEVICE_ADD)
		return HOTPLUG_ADD;
	if (action == SD_DEVICE_REMOVE)
		return HOTPLUG_REMOVE;
	return HOTPLUG_CHANGE; /* bind, unbind, move, online, ... */
}

static int on_device(sd_device_monitor *monitor, sd_device *device, void *userdata)
{
	const struct hotplug *hotplug = userdata;
	sd_device_action_t action;
	enum hotplug_event event;
	const char *busid;

	if (sd_device_get_action(device, &action) < 0 ||
	    sd_device_get_sysname(device, &busid) < 0 || !host_busid_valid(busid))
		return 0;
	event = event_of(action);
	log_debug("%s: %s", busid, hotplug_event_name(event));
	hotplug->fn(hotplug->ctx, event, busid);
	return 0;
}

int hotplug_create(struct hotplug **out, sd_event *event, hotplug_fn fn, void *ctx)
{
	struct hotplug *hotplug = xb_calloc(1, sizeof(*hotplug));
	int err = sd_device_monitor_new(&hotplug->monitor);

	*out = NULL;
	hotplug->fn = fn;
	hotplug->ctx = ctx;
	if (err >= 0)
		err = sd_device_monitor_filter_add_match_subsystem_devtype(hotplug->monitor, "usb",
									   "usb_device");
	if (err >= 0) {
		/* Without the right to have that much it stays what it is. */
		(void)sd_device_monitor_set_receive_buffer_size(hotplug->monitor, RECEIVE_BYTES);
		err = sd_device_monitor_attach_event(hotplug->monitor, event);
	}
	if (err >= 0)
		err = sd_device_monitor_start(hotplug->monitor, on_device, hotplug);
	if (err < 0) {
		hotplug_destroy(hotplug);
		return err;
	}
	*out = hotplug;
	return 0;
}

void hotplug_destroy(struct hotplug *hotplug)
{
	if (!hotplug)
		return;
	sd_device_monitor_unref(hotplug->monitor);
	free(hotplug);
}
