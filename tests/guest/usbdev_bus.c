/* SPDX-License-Identifier: GPL-2.0-or-later */
/* usbdev_bus.c - a guest's USB bus: waiting with deadlines, ports. See usbdev.h. */
#include "usbdev_priv.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "util.h"

#define URB_BYTES_DEFAULT 4096u

void ud_say(struct usbdev_bus *bus, const char *format, ...)
{
	char text[256];
	va_list args;

	if (!bus->options.say)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	bus->options.say(bus->options.ctx, text);
}

/* --- birth and death --- */

static void on_port(void *ctx, unsigned int port, enum usb_device_speed speed)
{
	static const char *const names[] = {[USB_SPEED_UNKNOWN] = "unplugged",
					    [USB_SPEED_LOW] = "low speed",
					    [USB_SPEED_FULL] = "full speed",
					    [USB_SPEED_HIGH] = "high speed"};
	struct usbdev_bus *bus = ctx;

	ud_say(bus, "port %u: %s", port, names[speed]);
	if (!bus->devices[port])
		return;
	bus->devices[port]->info.gone = true;
	for (unsigned int i = 0; i < USBDEV_LIST_URBS; i++)
		if (bus->urbs[i].port == port && bus->urbs[i].state != USBFRONT_URB_IDLE)
			usbfront_unlink(bus->front, &bus->urbs[i]);
}

static void on_changed(void *ctx, enum usbfront_state state, const char *why)
{
	ud_say(ctx, "controller is %s: %s", usbfront_state_name(state), why);
}

int usbdev_bus_create(struct usbdev_bus **out, struct xen *xen,
		      const struct usbdev_options *options)
{
	struct usbdev_bus *bus = xb_calloc(1, sizeof(*bus));
	struct usbfront_options front = options->front;
	int rc;

	bus->options = *options;
	bus->clock = options->clock ? options->clock : &clock_monotonic;
	bus->last_address = 1; /* the root hub's */
	if (bus->options.urb_bytes == 0)
		bus->options.urb_bytes = URB_BYTES_DEFAULT;
	front.port = on_port;
	front.changed = on_changed;
	front.ctx = bus;
	rc = usbfront_create(&bus->front, xen, &front);
	if (rc < 0) {
		free(bus);
		return rc;
	}
	*out = bus;
	return 0;
}

void usbdev_bus_destroy(struct usbdev_bus *bus)
{
	if (!bus)
		return;
	usbfront_destroy(bus->front);
	for (unsigned int i = 0; i <= USBFRONT_PORTS_MAX; i++)
		usbdev_close(bus->devices[i]);
	free(bus);
}

struct usbfront *usbdev_bus_front(struct usbdev_bus *bus)
{
	return bus->front;
}

uint64_t usbdev_bus_now(const struct usbdev_bus *bus)
{
	return clock_now(bus->clock);
}

/* --- waiting --- */

static int sleep_until(struct usbdev_bus *bus, uint64_t deadline_ns)
{
	uint64_t now = usbdev_bus_now(bus), left = deadline_ns > now ? deadline_ns - now : 0;
	struct pollfd fds[USBFRONT_FDS];
	int raw[USBFRONT_FDS];
	unsigned int n;

	if (bus->options.wait)
		return bus->options.wait(bus->options.ctx, bus, deadline_ns);
	n = usbfront_fds(bus->front, raw);
	for (unsigned int i = 0; i < n; i++)
		fds[i] = (struct pollfd){.fd = raw[i], .events = POLLIN};
	left = MIN(DIV_ROUND_UP(left, NSEC_PER_MSEC), 1000u);
	return poll(fds, n, (int)left) < 0 && errno != EINTR ? -errno : 0;
}

int usbdev_bus_wait(struct usbdev_bus *bus, bool (*until)(void *arg), void *arg,
		    uint64_t deadline_ns)
{
	for (;;) {
		int rc = usbfront_run(bus->front);

		if (rc < 0)
			return rc;
		if (until(arg))
			return 0;
		if (usbdev_bus_now(bus) >= deadline_ns)
			return -ETIMEDOUT;
		if (rc > 0)
			continue;
		if (usbfront_info(bus->front)->state == USBFRONT_STATE_CLOSED)
			return -ENOTCONN;
		rc = sleep_until(bus, deadline_ns);
		if (rc < 0)
			return rc;
	}
}

static bool is_running(void *arg)
{
	struct usbdev_bus *bus = arg;

	return usbfront_info(bus->front)->state == USBFRONT_STATE_RUNNING;
}

int usbdev_bus_connect(struct usbdev_bus *bus, uint64_t deadline_ns)
{
	return usbdev_bus_wait(bus, is_running, bus, deadline_ns);
}

static bool is_closed(void *arg)
{
	struct usbdev_bus *bus = arg;

	return usbfront_info(bus->front)->state == USBFRONT_STATE_CLOSED;
}

int usbdev_bus_close(struct usbdev_bus *bus, uint64_t deadline_ns)
{
	int rc = usbfront_close(bus->front);

	return rc < 0 ? rc : usbdev_bus_wait(bus, is_closed, bus, deadline_ns);
}

struct port_wait {
	struct usbdev_bus *bus;
	unsigned int port;
	bool plugged;
};

static bool port_is(void *arg)
{
	const struct port_wait *wait = arg;
	bool plugged = usbfront_info(wait->bus->front)->speeds[wait->port] != USB_SPEED_UNKNOWN;

	return plugged == wait->plugged;
}

int usbdev_bus_wait_port(struct usbdev_bus *bus, unsigned int port, bool plugged,
			 uint64_t deadline_ns)
{
	struct port_wait wait = {bus, port, plugged};

	if (port < 1 || port > usbfront_info(bus->front)->n_ports)
		return -EINVAL;
	return usbdev_bus_wait(bus, port_is, &wait, deadline_ns);
}

/* --- URBs --- */

struct urb_wait {
	const struct usbfront_urb *urbs;
	unsigned int n;
};

static bool all_idle(void *arg)
{
	const struct urb_wait *wait = arg;

	for (unsigned int i = 0; i < wait->n; i++)
		if (wait->urbs[i].state != USBFRONT_URB_IDLE)
			return false;
	return true;
}

int usbdev_cancel(struct usbdev_bus *bus, struct usbfront_urb *urbs, unsigned int n)
{
	struct urb_wait wait = {urbs, n};
	int rc;

	/* The last one first, as Linux does: what comes behind an URB must not start when it ends.
	 */
	for (unsigned int i = n; i > 0; i--)
		usbfront_unlink(bus->front, &urbs[i - 1]);
	rc = usbdev_bus_wait(bus, all_idle, &wait, usbdev_bus_now(bus) + USBDEV_GRACE_NS);
	for (unsigned int i = 0; i < n && rc < 0; i++)
		usbfront_abandon(bus->front, &urbs[i]);
	return rc;
}

int usbdev_finish(struct usbdev_bus *bus, struct usbfront_urb *urbs, unsigned int n,
		  uint64_t deadline_ns)
{
	struct urb_wait wait = {urbs, n};
	int rc = usbdev_bus_wait(bus, all_idle, &wait, deadline_ns);

	if (rc < 0)
		usbdev_cancel(bus, urbs, n);
	return rc;
}
