/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reserve_main.c - usbback-reserve: keeps listed USB devices from this machine's drivers.
 *
 * udev calls it with the bus id of a device that has come (tools/70-xenback-usb.rules). A device
 * that the list means is unconfigured: it has no interfaces then, so no driver, and `xl
 * usbdev-attach` finds nothing that it would have to take from one.
 */
#include "reserve.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "host_devices.h"
#include "host_opener.h"
#include "host_opener_priv.h"
#include "util.h"

#define NAME "usbback-reserve"

enum { EXIT_FINE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

static const char usage[] =
	"Usage: usbback-reserve [OPTION]... BUSID | --list | --check\n"
	"Keeps USB devices for guests: unconfigures them, so that no driver has them.\n\n"
	"  BUSID           unconfigure this device if the list means it; udev calls it so\n"
	"  --force BUSID   whether the list means it or not, even while a program uses it\n"
	"  --list          show the USB devices of this machine and what the list says of them\n"
	"  --check         check the list\n"
	"  --conf=FILE     the list (default: " SYSCONFDIR "/xenback/usb-reserve.conf)\n"
	"  --sysfs=DIR     another /sys (for tests)\n"
	"  --version       print the version\n"
	"  --help          print this\n\n"
	"A line of the list is VID:PID, VID:PID:SERIAL or a bus id such as 3-1.5; # begins a\n"
	"comment. Exit status: 0 fine, 1 failure, 2 wrong usage.\n";

enum action { ACTION_NONE, ACTION_RESERVE, ACTION_LIST, ACTION_CHECK };

struct options {
	enum action action;
	const char *conf, *sysfs, *busid;
	bool force;
};

/* --- the list --- */

static void print_wrong(void *ctx, unsigned int line, const char *message)
{
	fprintf(stderr, "%s: line %u: %s\n", (const char *)ctx, line, message);
}

/* What is right in it, into list. Its wrong lines are printed; returns whether all is right. A list
 * that is not there is empty. */
static bool load(const char *path, struct reserve_list *list)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	AUTO_FREE char *text = NULL;
	size_t size = 0;
	ssize_t n = 1;

	if (fd < 0 && errno == ENOENT)
		return true;
	text = xb_calloc(1, RESERVE_FILE_MAX + 1);
	while (fd >= 0 && n > 0 && size <= RESERVE_FILE_MAX) {
		n = read(fd, text + size, RESERVE_FILE_MAX + 1 - size);
		size += n > 0 ? (size_t)n : 0;
	}
	if (fd < 0 || n < 0) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return false;
	}
	if (size > RESERVE_FILE_MAX) {
		fprintf(stderr, "%s: longer than %u bytes\n", path, RESERVE_FILE_MAX);
		return false;
	}
	return reserve_parse(list, text, size, print_wrong, (void *)path) == 0;
}

/* --- actions --- */

static int reserve(const struct options *options, const struct reserve_list *list)
{
	struct opener_request request = {.kind = OPENER_UNCONFIGURE};
	struct opener_reply reply;
	struct host_device device;

	if (host_device_read(options->sysfs, options->busid, &device)) {
		fprintf(stderr, NAME ": %s: there is no USB device in that place\n",
			options->busid);
		return EXIT_FAILED;
	}
	if (!options->force && !reserve_match(list, &device))
		return EXIT_FINE;
	/* udev also calls for devices that have been here for long (udevadm trigger). */
	if (!options->force && strstr(device.drivers, "usbfs")) {
		fprintf(stderr, NAME ": %s: a program uses the device, so it stays as it is\n",
			options->busid);
		return EXIT_FINE;
	}
	snprintf(request.busid, sizeof(request.busid), "%s", options->busid);
	opener_serve(options->sysfs, "/dev", &request, &reply);
	if (reply.result) {
		fprintf(stderr, NAME ": %s\n", reply.error);
		return EXIT_FAILED;
	}
	printf("%s: %04x:%04x %s is reserved for guests\n", device.busid, device.vid, device.pid,
	       device.product);
	return EXIT_FINE;
}

static int show(const struct options *options, const struct reserve_list *list)
{
	AUTO_FREE struct host_device *devices = NULL;
	size_t n;
	int err = host_devices_list(options->sysfs, &devices, &n);

	if (err) {
		fprintf(stderr, NAME ": %s: %s\n", options->sysfs, strerror(-err));
		return EXIT_FAILED;
	}
	printf("%-14s %-9s  %-10s %-22s %s\n", "DEVICE", "ID", "STATE", "LISTED", "PRODUCT");
	for (size_t i = 0; i < n; i++) {
		const struct host_device *device = &devices[i];
		const struct reserve_entry *entry = reserve_match(list, device);
		char listed[32] = "-";

		if (device->hub)
			continue;
		if (entry)
			snprintf(listed, sizeof(listed), "by line %u", entry->line);
		printf("%-14s %04x:%04x  %-10s %-22s %s\n", device->busid, device->vid, device->pid,
		       device->reserved ? "reserved" : "in use", listed, device->product);
	}
	return EXIT_FINE;
}

/* --- options --- */

static int usage_error(const char *what, const char *given)
{
	fprintf(stderr, NAME ": %s%s%s\nTry `" NAME " --help`.\n", what, *given ? ": " : "", given);
	return EXIT_USAGE;
}

static const char *value_of(const char *argument, const char *name)
{
	size_t length = strlen(name);

	return strncmp(argument, name, length) == 0 ? argument + length : NULL;
}

/* -1: go on. */
static int take(struct options *options, const char *argument)
{
	enum action action = ACTION_NONE;
	const char *value;

	if (strcmp(argument, "--help") == 0) {
		fputs(usage, stdout);
		return EXIT_FINE;
	}
	if (strcmp(argument, "--version") == 0) {
		puts(NAME " " PACKAGE_VERSION);
		return EXIT_FINE;
	}
	if ((value = value_of(argument, "--conf=")))
		options->conf = value;
	else if ((value = value_of(argument, "--sysfs=")))
		options->sysfs = value;
	else if (strcmp(argument, "--force") == 0)
		options->force = true;
	else if (strcmp(argument, "--list") == 0)
		action = ACTION_LIST;
	else if (strcmp(argument, "--check") == 0)
		action = ACTION_CHECK;
	else if (argument[0] == '-')
		return usage_error("unknown option", argument);
	else if (!host_busid_valid(argument))
		return usage_error("not a bus id such as 3-1.5", argument);
	else
		action = ACTION_RESERVE;
	if (action && options->action)
		return usage_error("one of BUSID, --list and --check is enough", argument);
	if (action) {
		options->action = action;
		options->busid = argument;
	}
	return -1;
}

int main(int argc, char **argv)
{
	struct options options = {.conf = SYSCONFDIR "/xenback/usb-reserve.conf", .sysfs = "/sys"};
	struct reserve_list list = {0};
	int status = -1;
	bool right;

	for (int i = 1; i < argc && status < 0; i++)
		status = take(&options, argv[i]);
	if (status < 0 && !options.action)
		status = usage_error("one of BUSID, --list and --check is needed", "");
	if (status < 0 && options.force && options.action != ACTION_RESERVE)
		status = usage_error("--force goes with a bus id", "");
	if (status >= 0)
		return status;
	right = load(options.conf, &list);
	if (options.action == ACTION_LIST)
		status = show(&options, &list);
	else if (options.action == ACTION_RESERVE)
		status = reserve(&options, &list);
	else if (right)
		printf("%s: %zu devices, all lines are right\n", options.conf, list.n);
	reserve_free(&list);
	return status > 0 || !right ? EXIT_FAILED : EXIT_FINE;
}
