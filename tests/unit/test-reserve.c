/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-reserve.c - the list of reserved devices, and devices out of sysfs. */
#include "usbback/reserve.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "usb-tree.h"
#include "usbback/host_devices.h"
#include "util.h"

static char wrongs[2000];

static void note(void *ctx, unsigned int line, const char *message)
{
	size_t used = strlen(wrongs);

	snprintf(wrongs + used, sizeof(wrongs) - used, "%u: %s\n", line, message);
}

static unsigned int parse(struct reserve_list *list, const char *text)
{
	wrongs[0] = '\0';
	return reserve_parse(list, text, strlen(text), note, NULL);
}

static void expect(const char *words)
{
	if (!strstr(wrongs, words))
		fail_msg("\"%s\" is missing in: %s", words, wrongs);
}

static void test_list(void **state)
{
	struct reserve_list list = {0};
	struct host_device stick = {.busid = "3-1.5",
				    .vid = 0x0951,
				    .pid = 0x1666,
				    .serial = "60A4"},
			   other = {.busid = "1-2", .vid = 0x0951, .pid = 0x1667, .serial = "x"};

	assert_int_equal(parse(&list, "# all of these\n\n  0951:1666   # a stick\r\n\t0951:1667:x\n"
				      "2-1\n0bDa:FFee"),
			 0);
	assert_int_equal(list.n, 4);
	assert_int_equal(reserve_match(&list, &stick)->line, 3);
	assert_int_equal(reserve_match(&list, &other)->line, 4);
	strcpy(other.serial, "y");
	assert_null(reserve_match(&list, &other));
	strcpy(other.busid, "2-1");
	assert_int_equal(reserve_match(&list, &other)->line, 5);
	other.hub = true;
	assert_null(reserve_match(&list, &other));
	assert_int_equal(list.entries[3].vid, 0x0bda);
	assert_int_equal(list.entries[3].pid, 0xffee);
	reserve_free(&list);
	assert_null(reserve_match(&list, &stick));
}

static void test_wrong_lines(void **state)
{
	static const char *const bad[] = {"951:1666",	"0951:166",	 "0951-1666",  "0951:1666:",
					  "0951:16666", "model:disk",	 "port 3-1.5", "3-1.5 more",
					  "g951:1666",	"0951:1666 3-1", "usb1",       "*:*"};
	struct reserve_list list = {0};
	char many[RESERVE_ENTRIES_MAX * 4 + 16] = "", longer[400];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(parse(&list, bad[i]), 1);
		expect("1: \"");
		expect(bad[i]);
		expect("is refused; allowed: VID:PID or VID:PID:SERIAL such as 0951:1666, or a bus "
		       "id "
		       "such as 3-1.5");
	}
	/* The others count. */
	assert_int_equal(parse(&list, "1-1\nnonsense\n1-2\n"), 1);
	assert_int_equal(list.n, 2);
	expect("2: \"nonsense\"");
	memset(longer, 'a', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(parse(&list, longer), 1);
	expect("the line is too long");
	wrongs[0] = '\0';
	assert_int_equal(reserve_parse(&list,
				       "1-\0"
				       "3",
				       4, note, NULL),
			 1);
	expect("zero byte");
	for (unsigned int i = 0; i < RESERVE_ENTRIES_MAX - 1; i++)
		strcat(many, "1-3\n");
	assert_int_equal(parse(&list, many), 1);
	expect("is one too many: at most 256 devices");
	reserve_free(&list);
}

static void test_devices(void **state)
{
	struct usb_tree tree;
	struct host_device *devices;
	struct host_device device;
	char path[200];
	size_t n;

	usb_tree_init(&tree);
	/* No USB at all. */
	assert_int_equal(host_devices_list(tree.sysfs, &devices, &n), 0);
	assert_int_equal(n, 0);
	assert_null(devices);
	usb_tree_device(&tree, "usb1", 1, 1, "1d6b:0002", "09");
	usb_tree_device(&tree, "1-10", 1, 9, "0951:1666", "00");
	usb_tree_device(&tree, "1-2", 1, 3, "046d:c077", "00");
	usb_tree_device(&tree, "1-1", 1, 2, "05e3:0610", "09");
	usb_tree_device(&tree, "1-3", 1, 4, "1234:5678", "00");
	usb_tree_attribute(&tree, "1-3", "idVendor", "what\n");
	usb_tree_attribute(&tree, "1-10", "speed", "480\n");
	usb_tree_attribute(&tree, "1-10", "serial", "60A4\n");
	usb_tree_attribute(&tree, "1-10", "product", "Data\033[31mTraveler\n");
	usb_tree_attribute(&tree, "1-10", "bConfigurationValue", "");
	usb_tree_attribute(&tree, "1-2", "1-2:1.0/bInterfaceClass", "03\n");
	usb_tree_attribute(&tree, "1-2", "1-2:1.1/bInterfaceClass", "03\n");
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/bus/usb/devices/1-2/1-2:1.%d/driver", tree.sysfs,
			 i);
		assert_int_equal(symlink("../../../drivers/usbhid", path), 0);
	}
	assert_int_equal(host_devices_list(tree.sysfs, &devices, &n), 0);
	/* In order; the one that is nonsense is none. */
	assert_int_equal(n, 3);
	assert_string_equal(devices[0].busid, "1-1");
	assert_true(devices[0].hub);
	assert_string_equal(devices[1].busid, "1-2");
	assert_string_equal(devices[1].drivers, "usbhid");
	assert_false(devices[1].reserved);
	assert_string_equal(devices[2].busid, "1-10");
	assert_int_equal(devices[2].address, 9);
	assert_int_equal(devices[2].vid, 0x0951);
	assert_int_equal(devices[2].pid, 0x1666);
	assert_int_equal(devices[2].speed, USB_SPEED_HIGH);
	assert_string_equal(devices[2].serial, "60A4");
	assert_string_equal(devices[2].product, "Data?[31mTraveler");
	assert_string_equal(devices[2].drivers, "");
	assert_true(devices[2].reserved);
	free(devices);
	assert_int_equal(host_device_read(tree.sysfs, "1-3", &device), -EPROTO);
	assert_int_equal(host_device_read(tree.sysfs, "1-4", &device), -ENODEV);
	assert_int_equal(host_device_read(tree.sysfs, "../usb1", &device), -ENODEV);
	usb_tree_fini(&tree);
}

static void test_speeds(void **state)
{
	static const struct {
		const char *text;
		enum usb_device_speed speed;
	} cases[] = {{"1.5", USB_SPEED_LOW},	      {"12", USB_SPEED_FULL},
		     {"480", USB_SPEED_HIGH},	      {"5000", USB_SPEED_SUPER},
		     {"20000", USB_SPEED_SUPER_PLUS}, {"fast", USB_SPEED_UNKNOWN}};
	struct usb_tree tree;
	struct host_device device;

	usb_tree_init(&tree);
	usb_tree_device(&tree, "1-1", 1, 2, "0951:1666", "00");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		usb_tree_attribute(&tree, "1-1", "speed", cases[i].text);
		assert_int_equal(host_device_read(tree.sysfs, "1-1", &device), 0);
		assert_int_equal(device.speed, cases[i].speed);
	}
	usb_tree_fini(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_wrong_lines),
		cmocka_unit_test(test_devices),
		cmocka_unit_test(test_speeds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
