/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-hotplug.c - udev's events about USB devices, made by umockdev.
 *
 * Its library must come before libc's, so the program runs itself again with LD_PRELOAD. Without
 * libumockdev, at build or at run time, the test is skipped.
 */
#include "config.h"

#include "usbback/hotplug.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#ifdef HAVE_UMOCKDEV
#include <umockdev.h>

#include "usbback/host_devices.h"

#define PRELOAD "libumockdev-preload.so.0"

struct bench {
	UMockdevTestbed *bed;
	sd_event *event;
	struct hotplug *hotplug;
	char seen[512];
	unsigned int n_seen;
};

static void on_event(void *ctx, enum hotplug_event event, const char *busid)
{
	struct bench *b = ctx;
	size_t used = strlen(b->seen);

	b->n_seen++;
	snprintf(b->seen + used, sizeof(b->seen) - used, "%s %s\n", hotplug_event_name(event),
		 busid);
}

static int setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	b->bed = umockdev_testbed_new();
	assert_true(sd_event_new(&b->event) >= 0);
	assert_int_equal(hotplug_create(&b->hotplug, b->event, on_event, b), 0);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	hotplug_destroy(b->hotplug);
	sd_event_unref(b->event);
	g_object_unref(b->bed);
	free(b);
	return 0;
}

static char *add(struct bench *b, const char *name, const char *parent, const char *class)
{
	return umockdev_testbed_add_device(
		b->bed, "usb", name, parent, "busnum", "1\n", "devnum", "5\n", "idVendor", "0951\n",
		"idProduct", "1666\n", "bDeviceClass", class, "speed", "480\n", "serial", "60A4\n",
		"bConfigurationValue", "1\n", NULL, "DEVTYPE", "usb_device", NULL);
}

static void run(struct bench *b, unsigned int n)
{
	while (b->n_seen < n)
		assert_true(sd_event_run(b->event, UINT64_MAX) >= 0);
}

static void test_events(void **state)
{
	struct bench *b = *state;
	char *hub = add(b, "usb1", NULL, "09\n");
	char *stick = add(b, "1-2", hub, "00\n");
	char *interface;

	run(b, 1);
	assert_string_equal(b->seen, "add 1-2\n");
	/* Interfaces and other subsystems are none of ours. */
	interface = umockdev_testbed_add_device(b->bed, "usb", "1-2:1.0", stick, NULL, "DEVTYPE",
						"usb_interface", NULL);
	umockdev_testbed_uevent(b->bed, interface, "change");
	umockdev_testbed_uevent(b->bed, stick, "bind");
	run(b, 2);
	umockdev_testbed_uevent(b->bed, stick, "change");
	umockdev_testbed_uevent(b->bed, stick, "unbind");
	run(b, 4);
	umockdev_testbed_uevent(b->bed, stick, "remove");
	run(b, 5);
	assert_string_equal(b->seen, "add 1-2\nchange 1-2\nchange 1-2\nchange 1-2\nremove 1-2\n");
	free(interface);
	free(stick);
	free(hub);
}

static void test_list(void **state)
{
	struct bench *b = *state;
	struct host_device *devices;
	char *hub, *stick;
	size_t n;

	/* A machine without USB. */
	assert_int_equal(host_devices_list("/sys", &devices, &n), 0);
	assert_int_equal(n, 0);
	hub = add(b, "usb1", NULL, "09\n");
	stick = add(b, "1-2", hub, "00\n");
	assert_int_equal(host_devices_list("/sys", &devices, &n), 0);
	assert_int_equal(n, 1);
	assert_string_equal(devices[0].busid, "1-2");
	assert_string_equal(devices[0].serial, "60A4");
	assert_int_equal(devices[0].address, 5);
	assert_int_equal(devices[0].speed, USB_SPEED_HIGH);
	assert_false(devices[0].hub || devices[0].reserved);
	free(devices);
	free(stick);
	free(hub);
}

static bool is_preloaded(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512];
	bool found = false;

	while (maps && !found && fgets(line, sizeof(line), maps))
		found = strstr(line, "libumockdev-preload");
	if (maps)
		fclose(maps);
	return found;
}

static void run_again(char **argv)
{
	setenv("LD_PRELOAD", PRELOAD, 1);
	setenv("XENBACK_TEST_AGAIN", "1", 1);
	/* AddressSanitizer wants to be the first library. */
	setenv("ASAN_OPTIONS", "verify_asan_link_order=0:detect_leaks=0", 1);
	execv("/proc/self/exe", argv);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_events, setup, teardown),
		cmocka_unit_test_setup_teardown(test_list, setup, teardown),
	};

	if (!is_preloaded() && !getenv("XENBACK_TEST_AGAIN"))
		run_again(argv);
	if (!is_preloaded()) {
		puts("1..0 # SKIP " PRELOAD " is not there (package libumockdev0)");
		return 0;
	}
	hotplug_destroy(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
#else
int main(void)
{
	puts("1..0 # SKIP built without libumockdev (package libumockdev-dev)");
	return 0;
}
#endif
