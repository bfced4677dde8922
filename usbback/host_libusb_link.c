/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host_libusb_link.c - the part of a local device that may block: opening, claiming, changes,
 * giving it back.
 *
 * usbfs carries SET_CONFIGURATION, SET_INTERFACE, CLEAR_HALT and resets out inside the call, with
 * the device locked (up to 5 s for one that does not answer). So a thread of its own makes these
 * calls, one job at a time, and sends a letter when it is through. Who cannot wait for it leaves it
 * everything (link_free): fate decides atomically who cleans up.
 *
 * Interfaces are claimed by number, all that a device can have: which of them exist is known to the
 * kernel, and what the descriptors say about it need not be believed.
 */
#include "host_libusb_priv.h"

#include <errno.h>
#include <linux/usbdevice_fs.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <utlist.h>

#include "clock.h"
#include "log.h"
#include "mailbox.h"
#include "util.h"

#define LOG_MODULE "usb"

/* libusb keeps claims in 32 bits. */
#define N_INTERFACES 32

int host_libusb_error(int error, int saved_errno)
{
	switch ((enum libusb_error)error) {
	case LIBUSB_SUCCESS:
		return 0;
	case LIBUSB_ERROR_NO_DEVICE:
		return -ENODEV;
	case LIBUSB_ERROR_NO_MEM:
		return -ENOMEM;
	case LIBUSB_ERROR_INVALID_PARAM:
	case LIBUSB_ERROR_NOT_FOUND:
	case LIBUSB_ERROR_NOT_SUPPORTED:
		return -EINVAL;
	case LIBUSB_ERROR_PIPE:
		return -EPIPE;
	case LIBUSB_ERROR_OVERFLOW:
		return -EOVERFLOW;
	case LIBUSB_ERROR_BUSY:
		return -EBUSY;
	case LIBUSB_ERROR_ACCESS:
		return -EACCES;
	case LIBUSB_ERROR_IO:
	case LIBUSB_ERROR_OTHER:
	case LIBUSB_ERROR_TIMEOUT:
	case LIBUSB_ERROR_INTERRUPTED:
		break;
	}
	/* "Input/output error" is all that libusb says of most that the kernel can say. */
	switch (saved_errno) {
	case ENOMEM:
	case ENODEV:
	case EPIPE:
	case EINVAL:
		return -saved_errno;
	case ENOENT: /* no such endpoint in the setting in force */
	case EMSGSIZE:
		return -EINVAL;
	case ESHUTDOWN:
		return -ENODEV;
	default:
		return -EPROTO;
	}
}

bool link_alive(const struct link *link)
{
	uint32_t capabilities;

	return ioctl(link->fd, USBDEVFS_GET_CAPABILITIES, &capabilities) == 0 || errno != ENODEV;
}

/* Claims what the configuration in force has. Kernel drivers have to go; another program's claim
 * stands: then the number of that interface is in *taken. */
static int claim_all(struct link *link, int *taken)
{
	int failed = LIBUSB_SUCCESS;

	libusb_set_auto_detach_kernel_driver(link->handle, 1);
	for (int i = 0; i < N_INTERFACES; i++) {
		int rc = libusb_claim_interface(link->handle, i);

		if (!rc)
			link->claimed |= 1u << i;
		/* Both mean that there is no such interface. */
		if (!rc || rc == LIBUSB_ERROR_NOT_FOUND || rc == LIBUSB_ERROR_INVALID_PARAM)
			continue;
		if (!failed)
			*taken = i;
		failed = rc;
		if (rc == LIBUSB_ERROR_NO_DEVICE)
			break;
	}
	return failed;
}

/* Without auto-detach: releasing would otherwise bind the kernel's driver at once, and that driver
 * would be in the way of what comes next. */
static void release_all(struct link *link)
{
	libusb_set_auto_detach_kernel_driver(link->handle, 0);
	for (int i = 0; i < N_INTERFACES; i++)
		if (link->claimed & (1u << i))
			libusb_release_interface(link->handle, i);
	link->claimed = 0;
}

/* --- changes, in the thread --- */

/* A request that the device or the kernel refuses looks like a stall to who made it. */
static int request_error(int rc, int saved_errno)
{
	int err = host_libusb_error(rc, saved_errno);

	return err == -EINVAL || err == -EBUSY || err == -EACCES ? -EPIPE : err;
}

static int reclaim(struct link *link, const char *after)
{
	int taken = 0, rc = claim_all(link, &taken);

	if (!rc)
		return 0;
	if (rc == LIBUSB_ERROR_NO_DEVICE)
		return -ENODEV;
	log_err("%s: interface %d cannot be claimed after %s: %s (another program uses the device)",
		link->name, taken, after, libusb_strerror(rc));
	return -EPROTO;
}

static int change_configuration(struct link *link, uint8_t value)
{
	int rc, err, saved;

	release_all(link);
	errno = 0;
	/* -1: none, even where a device gave a configuration the number 0. */
	rc = libusb_set_configuration(link->handle, value ? value : -1);
	saved = errno;
	if (!rc) {
		link->current = value;
		return reclaim(link, "SET_CONFIGURATION");
	}
	if (rc == LIBUSB_ERROR_BUSY)
		log_err("%s: configuration %u is refused: another driver or program holds an "
			"interface of the device; end it, or reserve the device "
			"(usbback-reserve)",
			link->name, value);
	err = request_error(rc, saved);
	if (err != -ENODEV)
		(void)reclaim(link, "a refused SET_CONFIGURATION");
	return err;
}

static int change_interface(struct link *link, uint8_t interface, uint8_t setting)
{
	int rc;

	errno = 0;
	rc = libusb_set_interface_alt_setting(link->handle, interface, setting);
	return request_error(rc, errno);
}

static int change_clear_halt(struct link *link, uint8_t endpoint, bool soft)
{
	unsigned int address = endpoint;
	int rc;

	errno = 0;
	/* The host's side alone: libusb has no call for it. */
	if (soft)
		rc = ioctl(link->fd, USBDEVFS_RESETEP, &address) ? LIBUSB_ERROR_OTHER : 0;
	else
		rc = libusb_clear_halt(link->handle, endpoint);
	return request_error(rc, errno);
}

/* libusb gave the claims up for a reset that then failed, and still believes to have them: it would
 * neither release nor claim. So past it. */
static void claim_behind_libusb(const struct link *link)
{
	struct usbdevfs_disconnect_claim claim = {.flags = USBDEVFS_DISCONNECT_CLAIM_EXCEPT_DRIVER,
						  .driver = "usbfs"};

	for (unsigned int i = 0; i < N_INTERFACES; i++) {
		claim.interface = i;
		if (link->claimed & (1u << i) && ioctl(link->fd, USBDEVFS_DISCONNECT_CLAIM, &claim))
			log_err("%s: interface %u cannot be claimed after a failed reset: %s",
				link->name, i, strerror(errno));
	}
}

static int change_reset(struct link *link)
{
	int rc, saved;

	errno = 0;
	rc = libusb_reset_device(link->handle);
	saved = errno;
	if (rc == LIBUSB_ERROR_NO_DEVICE || (rc && !link_alive(link)))
		return -ENODEV;
	/* "Not found", but there it is: an interface could not be claimed again. */
	if (!rc || rc == LIBUSB_ERROR_NOT_FOUND)
		return reclaim(link, "a reset");
	claim_behind_libusb(link);
	return host_libusb_error(rc, saved);
}

static int carry_out(struct link *link)
{
	const struct usb_change *request = &link->request;

	switch (request->kind) {
	case USB_CHANGE_CONFIGURATION:
		return change_configuration(link, request->value);
	case USB_CHANGE_INTERFACE:
		return change_interface(link, request->interface, request->value);
	case USB_CHANGE_CLEAR_HALT:
		return change_clear_halt(link, request->endpoint, request->soft);
	case USB_CHANGE_RESET:
		return change_reset(link);
	}
	return -EINVAL;
}

/* --- giving back --- */

/* As it was: unconfigured again, or with the kernel's drivers. */
static void restore(struct link *link)
{
	uint32_t interfaces = link->claimed;
	int rc;

	release_all(link);
	if (link->original != link->current) {
		rc = libusb_set_configuration(link->handle, link->original ? link->original : -1);
		if (rc)
			log_warn("%s: cannot set its former configuration %d again: %s", link->name,
				 link->original, libusb_strerror(rc));
		return; /* the kernel binds drivers by itself */
	}
	for (int i = 0; i < N_INTERFACES && link->original; i++)
		if (interfaces & (1u << i))
			(void)libusb_attach_kernel_driver(link->handle, i);
}

/* Everything of libusb's; the link itself stays. */
static void give_back(struct link *link)
{
	struct flight *flight, *next;

	if (link->handle) {
		if (link_alive(link))
			restore(link);
		libusb_close(link->handle);
	}
	/* libusb forgot them when it closed the handle. */
	DL_FOREACH_SAFE (link->lost, flight, next) {
		DL_DELETE(link->lost, flight);
		flight_free(flight);
	}
	if (link->ctx)
		libusb_exit(link->ctx);
	close(link->fd);
	link->returned = true;
}

static void destroy(struct link *link)
{
	mailbox_destroy(link->mail);
	free(link);
}

/* --- the thread --- */

static int ignore(void *ctx, void *arg)
{
	return 0;
}

static void *run(void *arg)
{
	struct link *link = arg;

	if (link->job == LINK_JOB_CHANGE)
		link->result = carry_out(link);
	else
		give_back(link);
	if (atomic_exchange(&link->fate, LINK_FINISHED) != LINK_ABANDONED) {
		/* Whoever reads it waits for our end before anything is freed. */
		mailbox_post(link->mail, ignore, NULL, 0);
		return NULL;
	}
	if (!link->returned)
		give_back(link);
	destroy(link);
	return NULL;
}

int link_start(struct link *link, enum link_job job)
{
	int err;

	link->job = job;
	atomic_store(&link->fate, LINK_WORKING);
	err = -pthread_create(&link->thread, NULL, run, link);
	link->busy = !err;
	return err;
}

void link_finish(struct link *link)
{
	mailbox_drain(link->mail, NULL);
	pthread_join(link->thread, NULL);
	link->busy = false;
}

bool link_wait(struct link *link, unsigned int timeout_ms)
{
	uint64_t now = clock_now(&clock_monotonic);
	const uint64_t end = now + timeout_ms * NSEC_PER_MSEC;
	struct pollfd letter = {.fd = mailbox_fd(link->mail), .events = POLLIN};

	while (link->busy && atomic_load(&link->fate) == LINK_WORKING) {
		int left_ms = now < end ? (int)DIV_ROUND_UP(end - now, NSEC_PER_MSEC) : 0;

		if (poll(&letter, 1, left_ms) == 0)
			return false;
		now = clock_now(&clock_monotonic);
	}
	if (link->busy)
		link_finish(link);
	return true;
}

void link_free(struct link *link)
{
	if (!link)
		return;
	if (link->busy && atomic_exchange(&link->fate, LINK_ABANDONED) != LINK_FINISHED) {
		pthread_detach(link->thread);
		return;
	}
	if (link->busy)
		link_finish(link);
	if (!link->returned)
		give_back(link);
	destroy(link);
}

/* --- opening --- */

static int wrap(struct link *link, char *error, size_t error_size)
{
	int rc;

	/* For contexts that are made from now on; without it each would look for all devices. */
	libusb_set_option(NULL, LIBUSB_OPTION_NO_DEVICE_DISCOVERY);
	rc = libusb_init(&link->ctx);
	if (!rc)
		rc = libusb_wrap_sys_device(link->ctx, link->fd, &link->handle);
	if (rc)
		snprintf(error, error_size, "%s: libusb cannot use its device node: %s", link->name,
			 libusb_strerror(rc));
	return rc ? host_libusb_error(rc, 0) : 0;
}

static int take(struct link *link, char *error, size_t error_size)
{
	int taken = 0, rc;

	rc = libusb_get_configuration(link->handle, &link->original);
	if (rc) {
		snprintf(error, error_size, "%s: it does not tell its configuration: %s",
			 link->name, libusb_strerror(rc));
		return host_libusb_error(rc, 0);
	}
	link->current = link->original;
	rc = claim_all(link, &taken);
	if (rc) {
		snprintf(error, error_size,
			 "%s: interface %d cannot be claimed: %s (another program uses the device)",
			 link->name, taken, libusb_strerror(rc));
		return host_libusb_error(rc, 0);
	}
	return 0;
}

int link_open(struct link **out, int fd, const char *name, char *error, size_t error_size)
{
	struct link *link = xb_calloc(1, sizeof(*link));
	int err = 0;

	*out = NULL;
	snprintf(link->name, sizeof(link->name), "%s", name);
	link->fd = fd;
	link->mail = mailbox_create();
	if (!link->mail) {
		err = -EMFILE;
		snprintf(error, error_size, "%s: too many open files", name);
	}
	if (!err)
		err = wrap(link, error, error_size);
	if (!err)
		err = take(link, error, error_size);
	if (err) {
		link_free(link);
		return err;
	}
	*out = link;
	return 0;
}
