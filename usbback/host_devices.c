/* SPDX-License-Identifier: GPL-2.0-or-later */
/* host_devices.c - USB devices out of sysfs, see host_devices.h. */
#include "host_devices.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host_opener.h"
#include "util.h"

#define DEVICES_MAX 1024

/* The text of an attribute without its line end; "" when there is none. 0, -ENOENT or -errno. */
static int read_text(int dir, const char *name, char *text, size_t size)
{
	AUTO_CLOSE int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);
	int err = n < 0 ? -errno : 0;

	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return err;
}

static void read_foreign(int dir, const char *name, char *text, size_t size)
{
	(void)read_text(dir, name, text, size);
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
}

static bool read_number(int dir, const char *name, int base, unsigned long max,
			unsigned long *value)
{
	char text[32], *end;

	if (read_text(dir, name, text, sizeof(text)))
		return false;
	errno = 0;
	*value = strtoul(text, &end, base);
	return !errno && end != text && !*end && text[0] != '-' && *value <= max;
}

static enum usb_device_speed read_speed(int dir)
{
	static const struct {
		const char *text;
		enum usb_device_speed speed;
	} speeds[] = {
		{"1.5", USB_SPEED_LOW},		 {"12", USB_SPEED_FULL},
		{"480", USB_SPEED_HIGH},	 {"5000", USB_SPEED_SUPER},
		{"10000", USB_SPEED_SUPER_PLUS}, {"20000", USB_SPEED_SUPER_PLUS},
	};
	char text[32];

	(void)read_text(dir, "speed", text, sizeof(text));
	for (size_t i = 0; i < ARRAY_SIZE(speeds); i++)
		if (strcmp(text, speeds[i].text) == 0)
			return speeds[i].speed;
	return USB_SPEED_UNKNOWN;
}

/* Adds the name of an interface's driver, if it has one that is not there yet. */
static void add_driver(int dir, const char *interface, char *drivers, size_t size)
{
	char link[80], target[256];
	const char *name;
	ssize_t n;
	size_t used = strlen(drivers);

	snprintf(link, sizeof(link), "%s/driver", interface);
	n = readlinkat(dir, link, target, sizeof(target) - 1);
	if (n <= 0)
		return;
	target[n] = '\0';
	name = strrchr(target, '/') ? strrchr(target, '/') + 1 : target;
	if (strstr(drivers, name))
		return;
	snprintf(drivers + used, size - used, "%s%s", used ? "," : "", name);
}

static void read_drivers(int dir, const char *busid, char *drivers, size_t size)
{
	const size_t length = strlen(busid);
	int copy = fcntl(dir, F_DUPFD_CLOEXEC, 0);
	DIR *list = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *entry;

	drivers[0] = '\0';
	if (!list) {
		if (copy >= 0)
			close(copy);
		return;
	}
	while ((entry = readdir(list)))
		if (strncmp(entry->d_name, busid, length) == 0 && entry->d_name[length] == ':' &&
		    strlen(entry->d_name) < 64)
			add_driver(dir, entry->d_name, drivers, size);
	closedir(list);
}

int host_device_read(const char *sysfs, const char *busid, struct host_device *device)
{
	AUTO_FREE char *path = xb_asprintf("%s/bus/usb/devices/%s", sysfs, busid);
	AUTO_CLOSE int dir = -1;
	unsigned long vid, pid, class, address, value;
	char configuration[16];

	*device = (struct host_device){0};
	if (!host_busid_valid(busid))
		return -ENODEV;
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -ENODEV;
	if (!read_number(dir, "idVendor", 16, UINT16_MAX, &vid) ||
	    !read_number(dir, "idProduct", 16, UINT16_MAX, &pid) ||
	    !read_number(dir, "bDeviceClass", 16, UINT8_MAX, &class) ||
	    !read_number(dir, "devnum", 10, UINT16_MAX, &address))
		return -EPROTO;
	snprintf(device->busid, sizeof(device->busid), "%s", busid);
	device->vid = (uint16_t)vid;
	device->pid = (uint16_t)pid;
	device->address = (uint32_t)address;
	device->hub = class == USB_CLASS_HUB;
	device->speed = read_speed(dir);
	read_foreign(dir, "serial", device->serial, sizeof(device->serial));
	read_foreign(dir, "product", device->product, sizeof(device->product));
	read_drivers(dir, busid, device->drivers, sizeof(device->drivers));
	/* The kernel leaves it empty where no configuration is in force. */
	(void)read_text(dir, "bConfigurationValue", configuration, sizeof(configuration));
	device->reserved = !configuration[0] ||
			   !read_number(dir, "bConfigurationValue", 10, UINT8_MAX, &value);
	return 0;
}

static int by_place(const void *a, const void *b)
{
	const struct host_device *one = a, *other = b;

	return strverscmp(one->busid, other->busid);
}

int host_devices_list(const char *sysfs, struct host_device **devices, size_t *n)
{
	AUTO_FREE char *path = xb_asprintf("%s/bus/usb/devices", sysfs);
	DIR *list = opendir(path);
	const struct dirent *entry;

	*devices = NULL;
	*n = 0;
	if (!list)
		return errno == ENOENT ? 0 : -errno;
	while ((entry = readdir(list)) && *n < DEVICES_MAX) {
		/* Neither usb1 (root hubs) nor 1-2:1.0 (interfaces). */
		if (!host_busid_valid(entry->d_name))
			continue;
		*devices = xb_realloc(*devices, (*n + 1) * sizeof(**devices));
		/* One that left meanwhile is none. */
		if (!host_device_read(sysfs, entry->d_name, &(*devices)[*n]))
			(*n)++;
	}
	closedir(list);
	if (*n)
		qsort(*devices, *n, sizeof(**devices), by_place);
	return 0;
}
