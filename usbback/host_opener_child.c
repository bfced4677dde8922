/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host_opener_child.c - the process that opens USB devices.
 *
 * It believes nothing of what comes through the socket: the daemon at the other end reads guests'
 * rings. A bus id has one form, and no path is made of anything else; hubs are not opened.
 */
#include "host_opener_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/usb/ch9.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "host_opener.h"
#include "util.h"

#define NUMBER_MAX 65535
#define PATH_SIZE  256

/* --- bus ids and requests --- */

/* A number of up to three digits, without leading zeros; moves behind it. */
static bool skip_number(const char **text)
{
	const char *start = *text;

	while (**text >= '0' && **text <= '9')
		(*text)++;
	return *text > start && *text - start <= 3 && *start != '0';
}

bool host_busid_valid(const char *text)
{
	unsigned int depth = 0;

	if (strnlen(text, OPENER_BUSID_SIZE) >= OPENER_BUSID_SIZE)
		return false;
	if (!skip_number(&text) || *text++ != '-')
		return false;
	do {
		if (++depth > 7 || !skip_number(&text))
			return false;
	} while (*text == '.' && *text++);
	return !*text;
}

static bool is_padded(const char *text, size_t size)
{
	for (size_t i = strnlen(text, size); i < size; i++)
		if (text[i])
			return false;
	return true;
}

bool opener_request_valid(const void *bytes, size_t size, struct opener_request *request)
{
	if (size != sizeof(*request))
		return false;
	memcpy(request, bytes, size);
	if (!is_padded(request->busid, sizeof(request->busid)))
		return false;
	switch ((enum opener_request_kind)request->kind) {
	case OPENER_OPEN:
	case OPENER_UNCONFIGURE:
		return !request->mb && host_busid_valid(request->busid);
	case OPENER_USBFS_MEMORY:
		return !request->busid[0] && request->mb <= NUMBER_MAX;
	}
	return false;
}

/* --- files --- */

static int __attribute__((format(printf, 3, 4)))
fail(struct opener_reply *reply, int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(reply->error, sizeof(reply->error), fmt, args);
	va_end(args);
	reply->result = err;
	return -1;
}

/* The text of an attribute, without its line end. 0 or -errno. */
static int read_text(const char *path, char *text, size_t size)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);

	if (n < 0)
		return -errno;
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return 0;
}

static int read_number(const char *path, int base, unsigned long max, unsigned long *value)
{
	char text[32] = "", *end;
	int err = read_text(path, text, sizeof(text));

	if (err)
		return err;
	errno = 0;
	*value = strtoul(text, &end, base);
	return errno || end == text || *end || text[0] == '-' || *value > max ? -EPROTO : 0;
}

static int write_text(const char *path, const char *text)
{
	AUTO_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return -errno;
	return 0;
}

/* An attribute of a device, as a number. */
static int attribute(const char *sysfs, const char *busid, const char *name, int base,
		     unsigned long *value)
{
	char path[PATH_SIZE];

	if ((size_t)snprintf(path, sizeof(path), "%s/bus/usb/devices/%s/%s", sysfs, busid, name) >=
	    sizeof(path))
		return -ENAMETOOLONG;
	return read_number(path, base, NUMBER_MAX, value);
}

/* Where it is, unless it is a hub or not there. */
static int locate(const char *sysfs, const char *busid, unsigned long *bus, unsigned long *dev,
		  struct opener_reply *reply)
{
	unsigned long class = 0;
	int err = attribute(sysfs, busid, "busnum", 10, bus);

	if (!err)
		err = attribute(sysfs, busid, "devnum", 10, dev);
	if (!err)
		err = attribute(sysfs, busid, "bDeviceClass", 16, &class);
	if (err == -ENOENT || err == -ENODEV)
		return fail(reply, -ENODEV, "%s: there is no USB device in that place", busid);
	if (err)
		return fail(reply, err, "%s: its place in %s cannot be read: %s", busid, sysfs,
			    strerror(-err));
	if (class == USB_CLASS_HUB)
		return fail(reply, -EPERM, "%s: is a hub, which cannot be given to a guest", busid);
	return 0;
}

/* Is it the node that the kernel means? Only sysfs can tell; a tree without it is a test's. */
static bool is_the_node(int fd, const char *sysfs, const char *busid)
{
	unsigned int want_major, want_minor;
	char path[PATH_SIZE], text[32], junk;
	struct stat st;

	snprintf(path, sizeof(path), "%s/bus/usb/devices/%s/dev", sysfs, busid);
	if (read_text(path, text, sizeof(text)) == -ENOENT)
		return true;
	return sscanf(text, "%u:%u%c", &want_major, &want_minor, &junk) == 2 && !fstat(fd, &st) &&
	       S_ISCHR(st.st_mode) && st.st_rdev == makedev(want_major, want_minor);
}

static int open_device(const char *sysfs, const char *devfs, const char *busid,
		       struct opener_reply *reply)
{
	unsigned long bus = 0, dev = 0, again = 0;
	char path[PATH_SIZE];
	int fd;

	if (locate(sysfs, busid, &bus, &dev, reply))
		return -1;
	snprintf(path, sizeof(path), "%s/bus/usb/%03lu/%03lu", devfs, bus, dev);
	fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0) {
		int err = -errno;

		return fail(reply, err, "%s: %s cannot be opened: %s", busid, path, strerror(-err));
	}
	/* Plugged out and in meanwhile: the number may be another device's now. */
	if (!is_the_node(fd, sysfs, busid) || attribute(sysfs, busid, "devnum", 10, &again) ||
	    again != dev) {
		close(fd);
		return fail(reply, -ENODEV, "%s: %s is not its device node (any more)", busid,
			    path);
	}
	return fd;
}

static void unconfigure(const char *sysfs, const char *busid, struct opener_reply *reply)
{
	unsigned long bus = 0, dev = 0;
	char path[PATH_SIZE];
	int err;

	if (locate(sysfs, busid, &bus, &dev, reply))
		return;
	snprintf(path, sizeof(path), "%s/bus/usb/devices/%s/bConfigurationValue", sysfs, busid);
	/* -1 also unconfigures devices that gave a configuration the number 0. */
	err = write_text(path, "-1");
	if (err)
		fail(reply, err, "%s: %s cannot be written: %s", busid, path, strerror(-err));
}

static void usbfs_memory(const char *sysfs, uint32_t mb, struct opener_reply *reply)
{
	char path[PATH_SIZE], text[16];
	unsigned long now;
	int err;

	snprintf(path, sizeof(path), "%s/module/usbcore/parameters/usbfs_memory_mb", sysfs);
	err = read_number(path, 10, INT32_MAX, &now);
	if (!err && now && now < mb) {
		snprintf(text, sizeof(text), "%u", mb);
		err = write_text(path, text);
		if (!err)
			err = read_number(path, 10, INT32_MAX, &now);
	}
	if (err)
		fail(reply, err, "%s: %s", path, strerror(-err));
	else
		reply->result = (int32_t)now;
}

int opener_serve(const char *sysfs, const char *devfs, const struct opener_request *request,
		 struct opener_reply *reply)
{
	*reply = (struct opener_reply){.id = request->id};
	switch ((enum opener_request_kind)request->kind) {
	case OPENER_OPEN:
		return open_device(sysfs, devfs, request->busid, reply);
	case OPENER_UNCONFIGURE:
		unconfigure(sysfs, request->busid, reply);
		return -1;
	case OPENER_USBFS_MEMORY:
		usbfs_memory(sysfs, request->mb, reply);
		return -1;
	}
	return fail(reply, -EINVAL, "unknown request");
}

/* --- the process --- */

static bool answer(int fd, const struct opener_reply *reply, int device)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec data = {.iov_base = (void *)reply, .iov_len = sizeof(*reply)};
	struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};

	if (device >= 0) {
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.header), &device, sizeof(device));
	}
	return sendmsg(fd, &message, MSG_NOSIGNAL) == (ssize_t)sizeof(*reply);
}

void opener_run(int fd, const char *sysfs, const char *devfs)
{
	char bytes[sizeof(struct opener_request) + 1];
	struct opener_request request;
	struct opener_reply reply;

	for (;;) {
		ssize_t n = recv(fd, bytes, sizeof(bytes), 0);
		bool sent;
		int device;

		if (n < 0 && errno == EINTR)
			continue;
		/* The other end is closed, or not ours any more: no second guess. */
		if (n <= 0 || !opener_request_valid(bytes, (size_t)n, &request))
			return;
		device = opener_serve(sysfs, devfs, &request, &reply);
		sent = answer(fd, &reply, device);
		if (device >= 0)
			close(device);
		if (!sent)
			return;
	}
}
