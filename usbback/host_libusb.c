/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host_libusb.c - a USB device of this machine behind usb/host.h: opening, transfers, events.
 *
 * Theory of Operation
 * One libusb context a device, without a thread of libusb's: its descriptors (usbfs, a timer, an
 * event) are sources of the caller's loop, and a ready one lets libusb reap what is complete.
 * libusb's callbacks only move the transfer to the list of those that are done; the submitters hear
 * of it afterwards, when libusb holds no lock of its own, so that they may submit, cancel and
 * close.
 *
 * A transfer is spare, held, sent or done. Sent: libusb has it, and it comes back exactly once,
 * whatever happens. Held: submitted while a change runs; usbfs keeps the device locked meanwhile,
 * and submitting, reaping or cancelling would stop this thread and all that it serves. So during a
 * change nothing here touches the device: the sources are off, transfers are held, cancels noted.
 *
 * A device is gone when the kernel says so (usbfs in error, or ENODEV), never because a transfer
 * ended in "no device": that is also what transfers say which a change ended. A transfer that the
 * kernel ended because its interface went away looks complete and short; a change that makes
 * interfaces go cancels everything first, so that it looks cancelled.
 */
#include "host_libusb_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <utlist.h>

#include "clock.h"
#include "log.h"
#include "mailbox.h"
#include "util.h"

#define LOG_MODULE "usb"

#define CLOSE_MS	2000
#define CONTROL_MS	10000
#define DESCRIPTORS_MAX (256u << 10)

/** A descriptor of libusb in the loop. */
struct source {
	int fd;
	sd_event_source *io;
	struct source *next;
};

static struct local_device *device_of(struct usb_host *host)
{
	return container_of(host, struct local_device, host);
}

/* The one place that calls back, but for close. The last thing that a handler of the loop does:
 * a callback may have closed the device. */
static void deliver(struct local_device *device)
{
	if (device->delivering)
		return;
	device->delivering = true;
	flights_tell_done(device);
	if (device->gone && !device->gone_told && !device->closed) {
		device->gone_told = true;
		log_info("%s: the device is gone", device->host.name);
		if (device->host.gone)
			device->host.gone(&device->host, device->host.owner);
	}
	device->delivering = false;
	if (device->closed)
		free(device);
}

/* --- descriptors of libusb in the loop --- */

static void sources_enable(const struct local_device *device, bool on)
{
	const struct source *source;

	LL_FOREACH (device->sources, source)
		(void)sd_event_source_set_enabled(source->io, on ? SD_EVENT_ON : SD_EVENT_OFF);
}

static int on_ready(sd_event_source *io, int fd, uint32_t revents, void *userdata)
{
	struct local_device *device = userdata;
	struct timeval zero = {0};
	int rc = libusb_handle_events_timeout_completed(device->link->ctx, &zero, NULL);

	if (rc)
		log_debug("%s: events: %s", device->host.name, libusb_strerror(rc));
	deliver(device);
	return 0;
}

static int source_add(struct local_device *device, int fd, short events)
{
	struct source *source = xb_calloc(1, sizeof(*source));
	int err;

	source->fd = fd;
	/* POLLIN and POLLOUT have the values of EPOLLIN and EPOLLOUT. */
	err = sd_event_add_io(device->event, &source->io, fd, (uint32_t)events, on_ready, device);
	if (err < 0) {
		free(source);
		return err;
	}
	LL_PREPEND(device->sources, source);
	return 0;
}

static void source_free(struct local_device *device, struct source *source)
{
	LL_DELETE(device->sources, source);
	(void)sd_event_source_disable_unref(source->io);
	free(source);
}

static void LIBUSB_CALL on_fd_added(int fd, short events, void *user_data)
{
	struct local_device *device = user_data;
	int err = source_add(device, fd, events);

	if (err)
		log_err("%s: cannot watch a descriptor: %s", device->host.name, strerror(-err));
}

/* libusb stops watching usbfs when that is in error, and only then. */
static void LIBUSB_CALL on_fd_removed(int fd, void *user_data)
{
	struct local_device *device = user_data;
	struct source *source, *next;

	LL_FOREACH_SAFE (device->sources, source, next) {
		if (source->fd == fd)
			source_free(device, source);
	}
	if (fd == device->link->fd)
		device->gone = true;
}

static int watch_descriptors(struct local_device *device)
{
	libusb_context *ctx = device->link->ctx;
	const struct libusb_pollfd **fds = libusb_get_pollfds(ctx);
	int err = fds ? 0 : -ENOMEM;

	for (int i = 0; !err && fds[i]; i++)
		err = source_add(device, fds[i]->fd, fds[i]->events);
	libusb_free_pollfds(fds);
	libusb_set_pollfd_notifiers(ctx, on_fd_added, on_fd_removed, device);
	return err;
}

static void unwatch_descriptors(struct local_device *device)
{
	if (device->link)
		libusb_set_pollfd_notifiers(device->link->ctx, NULL, NULL, NULL);
	while (device->sources)
		source_free(device, device->sources);
}

static int on_work(sd_event_source *source, void *userdata)
{
	deliver(userdata);
	return 0;
}

/* --- changes --- */

static int local_change(struct usb_host *host, struct usb_change *change)
{
	struct local_device *device = device_of(host);
	bool all = change->kind == USB_CHANGE_CONFIGURATION || change->kind == USB_CHANGE_RESET;
	int err;

	if (device->gone || device->closed)
		return -ENODEV;
	if (device->change)
		return -EBUSY;
	if (all)
		flights_cancel_sent(device);
	device->link->request = *change;
	err = link_start(device->link, LINK_JOB_CHANGE);
	if (err)
		return err == -EAGAIN ? -ENOMEM : err;
	device->change = change;
	change->host = device;
	sources_enable(device, false);
	return 0;
}

static void end_change(struct local_device *device, int status)
{
	struct usb_change *change = device->change;

	if (!change)
		return;
	device->change = NULL;
	change->status = status;
	change->host = NULL;
	change->done(change);
}

static int on_letter(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct local_device *device = userdata;
	struct timeval zero = {0};
	int status;

	link_finish(device->link);
	status = device->link->result;
	if (status == -ENODEV && !link_alive(device->link))
		device->gone = true;
	sources_enable(device, true);
	flights_resume(device);
	device_wake(device); /* for `gone` */
	/* What the change ended is told before the change. */
	(void)libusb_handle_events_timeout_completed(device->link->ctx, &zero, NULL);
	device->delivering = true;
	flights_tell_done(device);
	end_change(device, status);
	device->delivering = false;
	if (device->closed)
		free(device);
	return 0;
}

/* --- closing --- */

/* Cancels and waits; true when nothing is left. */
static bool drain(struct local_device *device, unsigned int timeout_ms)
{
	uint64_t now = clock_now(&clock_monotonic);
	const uint64_t end = now + timeout_ms * NSEC_PER_MSEC;

	flights_cancel_sent(device);
	while (device->sent && now < end) {
		struct timeval left = {.tv_sec = (time_t)((end - now) / NSEC_PER_SEC),
				       .tv_usec = (suseconds_t)((end - now) % NSEC_PER_SEC / 1000)};

		if (libusb_handle_events_timeout_completed(device->link->ctx, &left, NULL))
			break;
		now = clock_now(&clock_monotonic);
	}
	return !device->sent;
}

static unsigned int ms_until(uint64_t end)
{
	uint64_t now = clock_now(&clock_monotonic);

	return now < end ? (unsigned int)DIV_ROUND_UP(end - now, NSEC_PER_MSEC) : 0;
}

static void local_close(struct usb_host *host)
{
	struct local_device *device = device_of(host);
	struct link *link = device->link;
	const uint64_t end = clock_now(&clock_monotonic) + device->tuning.close_ms * NSEC_PER_MSEC;
	bool idle;

	device->closed = true;
	(void)sd_event_source_disable_unref(device->mailed);
	(void)sd_event_source_disable_unref(device->work);
	device->work = NULL;
	unwatch_descriptors(device);
	flights_fail_held(device, -ENODEV);
	idle = link_wait(link, device->tuning.close_ms);
	/* A thread that still works has the device locked: draining would wait for it. */
	if (idle && device->sent)
		(void)drain(device, ms_until(end));
	end_change(device, -ENODEV);
	flights_tell_done(device);
	flights_lose_sent(device);
	/* Both refer to what libusb frees next. */
	memory_fini(device);
	flights_free(device);
	if (idle && !link_start(link, LINK_JOB_GIVE_BACK))
		(void)link_wait(link, ms_until(end));
	link_free(link);
	free(device->descriptors);
	/* From inside one of its own callbacks: the caller frees it when that has returned. */
	if (!device->delivering)
		free(device);
}

static const struct usb_host_ops local_ops = {
	.name = "libusb",
	.submit = flight_submit,
	.cancel = flight_cancel,
	.change = local_change,
	.buffer_alloc = memory_alloc,
	.buffer_free = memory_free,
	.close = local_close,
};

/* --- opening --- */

static int read_descriptors(struct local_device *device, int fd, char *error, size_t error_size)
{
	size_t size = 0;
	ssize_t n = 0;

	device->descriptors = xb_calloc(1, DESCRIPTORS_MAX);
	do {
		size += (size_t)n;
		n = pread(fd, device->descriptors + size, DESCRIPTORS_MAX - size, (off_t)size);
	} while (n > 0 && size + (size_t)n < DESCRIPTORS_MAX);
	if (n < 0 || n + size == DESCRIPTORS_MAX || size < USB_DT_DEVICE_SIZE) {
		int err = n < 0 ? -errno : -EPROTO;

		snprintf(error, error_size,
			 "%s: its descriptors cannot be read: %s (%zu bytes; %u to %u are allowed)",
			 device->host.name, strerror(-err), size, USB_DT_DEVICE_SIZE,
			 DESCRIPTORS_MAX - 1);
		return err;
	}
	device->descriptors = xb_realloc(device->descriptors, size);
	device->host.descriptors = device->descriptors;
	device->host.n_descriptors = size;
	return 0;
}

static int find_speed(struct local_device *device, char *error, size_t error_size)
{
	switch ((enum libusb_speed)libusb_get_device_speed(
		libusb_get_device(device->link->handle))) {
	case LIBUSB_SPEED_LOW:
		device->host.speed = USB_SPEED_LOW;
		return 0;
	case LIBUSB_SPEED_FULL:
		device->host.speed = USB_SPEED_FULL;
		return 0;
	case LIBUSB_SPEED_HIGH:
		device->host.speed = USB_SPEED_HIGH;
		return 0;
	case LIBUSB_SPEED_SUPER:
		device->host.speed = USB_SPEED_SUPER;
		return 0;
	case LIBUSB_SPEED_SUPER_PLUS:
		device->host.speed = USB_SPEED_SUPER_PLUS;
		return 0;
	case LIBUSB_SPEED_UNKNOWN:
		break;
	}
	snprintf(error, error_size, "%s: the kernel does not tell the device's speed",
		 device->host.name);
	return -EPROTO;
}

static int enter_loop(struct local_device *device, char *error, size_t error_size)
{
	int err = sd_event_add_defer(device->event, &device->work, on_work, device);

	if (err >= 0)
		err = sd_event_source_set_enabled(device->work, SD_EVENT_OFF);
	if (err >= 0)
		err = sd_event_add_io(device->event, &device->mailed,
				      mailbox_fd(device->link->mail), EPOLLIN, on_letter, device);
	if (err >= 0)
		err = watch_descriptors(device);
	if (err < 0)
		snprintf(error, error_size, "%s: cannot watch its descriptors: %s",
			 device->host.name, strerror(-err));
	return MIN(err, 0);
}

int host_libusb_open_tuned(struct usb_host **host, int fd, const char *name, sd_event *event,
			   const struct host_libusb_tuning *tuning, char *error, size_t error_size)
{
	struct local_device *device = xb_calloc(1, sizeof(*device));
	int err;

	*host = NULL;
	device->host.ops = &local_ops;
	snprintf(device->host.name, sizeof(device->host.name), "%s", name);
	device->event = event;
	device->tuning = *tuning;
	err = read_descriptors(device, fd, error, error_size);
	if (err)
		close(fd);
	else
		err = link_open(&device->link, fd, name, error, error_size);
	if (err) {
		free(device->descriptors);
		free(device);
		return err;
	}
	err = find_speed(device, error, error_size);
	if (!err)
		err = enter_loop(device, error, error_size);
	if (err) {
		local_close(&device->host);
		return err;
	}
	memory_init(device);
	log_info("%s: opened%s", name, device->mapping ? ", with mapped buffers" : "");
	*host = &device->host;
	return 0;
}

int host_libusb_open(struct usb_host **host, int fd, const char *name, sd_event *event, char *error,
		     size_t error_size)
{
	static const struct host_libusb_tuning usual = {
		.close_ms = CLOSE_MS,
		.control_ms = CONTROL_MS,
		.mapping = HOST_LIBUSB_MAPPING_MEASURE,
	};

	return host_libusb_open_tuned(host, fd, name, event, &usual, error, error_size);
}
