/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-host-opener.c - the process that opens USB devices, on a tree of files. */
#include "usbback/host_opener_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "usb-tree.h"
#include "usbback/host_opener.h"
#include "util.h"

struct bench {
	struct usb_tree tree;
	struct host_opener *opener;
	char error[200];
};

static int setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	usb_tree_init(&b->tree);
	usb_tree_device(&b->tree, "3-1.5", 3, 7, "0951:1666", "00");
	usb_tree_device(&b->tree, "3-1", 3, 2, "05e3:0610", "09");
	assert_int_equal(host_opener_create(&b->opener, b->tree.sysfs, b->tree.devfs), 0);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	host_opener_destroy(b->opener);
	usb_tree_fini(&b->tree);
	free(b);
	return 0;
}

static int open_busid(struct bench *b, const char *busid)
{
	b->error[0] = '\0';
	return host_opener_open(b->opener, busid, b->error, sizeof(b->error));
}

static void expect(const struct bench *b, const char *words)
{
	if (!strstr(b->error, words))
		fail_msg("\"%s\" is missing in: %s", words, b->error);
}

static void test_busids(void **state)
{
	static const char *const good[] = {"1-1", "3-1.5", "10-14", "255-1.2.3.4.5.6.7"};
	static const char *const bad[] = {"",
					  "1",
					  "1-",
					  "-1",
					  "1-1.",
					  "1-.1",
					  "1-1:1.0",
					  "usb1",
					  "0-1",
					  "1-0",
					  "01-1",
					  "1-1.2/../x",
					  "../1-1",
					  "1-1 ",
					  " 1-1",
					  "1-1\n",
					  "1000-1",
					  "1--1",
					  "1-1..2",
					  "1-1.2.3.4.5.6.7.8",
					  "1-1.2.3.4.5.6.7.8.9.10.11",
					  "123456789-123456789.123456789.123456789"};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(host_busid_valid(good[i]));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(host_busid_valid(bad[i]));
}

static void test_open(void **state)
{
	struct bench *b = *state;
	char text[16] = "";
	int fd = open_busid(b, "3-1.5");

	assert_true(fd >= 0);
	assert_int_equal(read(fd, text, sizeof(text)), 5);
	assert_string_equal(text, "3-1.5");
	assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
	/* Again, as often as one likes. */
	fd = open_busid(b, "3-1.5");
	assert_true(fd >= 0);
	close(fd);
}

static void test_refused(void **state)
{
	struct bench *b = *state;

	assert_int_equal(open_busid(b, "3-1.6"), -ENODEV);
	expect(b, "3-1.6: there is no USB device in that place");
	assert_int_equal(open_busid(b, "3-1"), -EPERM);
	expect(b, "3-1: is a hub");
	assert_int_equal(open_busid(b, "../etc"), -EINVAL);
	expect(b, "\"../etc\" is not a bus id; allowed: a bus and ports, such as 3-1.5");
	usb_tree_attribute(&b->tree, "3-1.5", "devnum", "8\n");
	assert_int_equal(open_busid(b, "3-1.5"), -ENOENT);
	expect(b, "/dev/bus/usb/003/008 cannot be opened: No such file");
	usb_tree_attribute(&b->tree, "3-1.5", "devnum", "seven\n");
	assert_int_equal(open_busid(b, "3-1.5"), -EPROTO);
	expect(b, "3-1.5: its place in ");
	usb_tree_attribute(&b->tree, "3-1.5", "devnum", "-7\n");
	assert_int_equal(open_busid(b, "3-1.5"), -EPROTO);
	usb_tree_attribute(&b->tree, "3-1.5", "devnum", "99999999999\n");
	assert_int_equal(open_busid(b, "3-1.5"), -EPROTO);
}

static void test_other_node(void **state)
{
	struct bench *b = *state;
	char path[128], target[128];

	/* sysfs says which device number the node has; a file has none. */
	usb_tree_attribute(&b->tree, "3-1.5", "dev", "189:262\n");
	assert_int_equal(open_busid(b, "3-1.5"), -ENODEV);
	expect(b, "is not its device node (any more)");
	usb_tree_attribute(&b->tree, "3-1.5", "dev", "nonsense\n");
	assert_int_equal(open_busid(b, "3-1.5"), -ENODEV);
	/* Nor is a link followed. */
	snprintf(target, sizeof(target), "%s/bus/usb/003/007", b->tree.devfs);
	snprintf(path, sizeof(path), "%s/bus/usb/003/002", b->tree.devfs);
	unlink(path);
	assert_int_equal(symlink(target, path), 0);
	usb_tree_attribute(&b->tree, "3-1", "bDeviceClass", "00\n");
	assert_int_equal(open_busid(b, "3-1"), -ELOOP);
}

static void test_unconfigure(void **state)
{
	struct bench *b = *state;

	assert_int_equal(host_opener_unconfigure(b->opener, "3-1.5", b->error, sizeof(b->error)),
			 0);
	/* A file keeps what is behind: the kernel sees "-1". */
	assert_memory_equal(
		usb_tree_read(&b->tree, "sys/bus/usb/devices/3-1.5/bConfigurationValue"), "-1", 2);
	assert_int_equal(host_opener_unconfigure(b->opener, "3-1", b->error, sizeof(b->error)),
			 -EPERM);
	assert_int_equal(host_opener_unconfigure(b->opener, "9-1", b->error, sizeof(b->error)),
			 -ENODEV);
	expect(b, "9-1: there is no USB device");
}

#define MEMORY "sys/module/usbcore/parameters/usbfs_memory_mb"

static void test_memory(void **state)
{
	struct bench *b = *state;

	assert_int_equal(host_opener_usbfs_memory(b->opener, 100), -ENOENT);
	usb_tree_write(&b->tree, MEMORY, "16\n");
	assert_int_equal(host_opener_usbfs_memory(b->opener, 8), 16);
	assert_string_equal(usb_tree_read(&b->tree, MEMORY), "16\n");
	usb_tree_write(&b->tree, MEMORY, "16");
	assert_int_equal(host_opener_usbfs_memory(b->opener, 64), 64);
	assert_string_equal(usb_tree_read(&b->tree, MEMORY), "64");
	/* Unlimited. */
	usb_tree_write(&b->tree, MEMORY, "0\n");
	assert_int_equal(host_opener_usbfs_memory(b->opener, 64), 0);
	assert_string_equal(usb_tree_read(&b->tree, MEMORY), "0\n");
	usb_tree_write(&b->tree, MEMORY, "many\n");
	assert_int_equal(host_opener_usbfs_memory(b->opener, 64), -EPROTO);
}

static void test_requests(void **state)
{
	struct opener_request request = {.id = 1, .kind = OPENER_OPEN, .busid = "3-1.5"}, seen;
	struct opener_request good = request;

	assert_true(opener_request_valid(&request, sizeof(request), &seen));
	assert_string_equal(seen.busid, "3-1.5");
	assert_false(opener_request_valid(&request, sizeof(request) - 1, &seen));
	assert_false(opener_request_valid(&request, sizeof(request) + 1, &seen));
	request.mb = 1;
	assert_false(opener_request_valid(&request, sizeof(request), &seen));
	request = good;
	request.kind = 0;
	assert_false(opener_request_valid(&request, sizeof(request), &seen));
	request.kind = 4;
	assert_false(opener_request_valid(&request, sizeof(request), &seen));
	request = good;
	request.busid[20] = 'x'; /* behind its end */
	assert_false(opener_request_valid(&request, sizeof(request), &seen));
	memset(request.busid, '1', sizeof(request.busid)); /* without an end */
	assert_false(opener_request_valid(&request, sizeof(request), &seen));
	request = good;
	request.kind = OPENER_USBFS_MEMORY;
	assert_false(opener_request_valid(&request, sizeof(request), &seen));
	request.busid[0] = request.busid[1] = request.busid[2] = request.busid[3] =
		request.busid[4] = '\0';
	request.mb = 65536;
	assert_false(opener_request_valid(&request, sizeof(request), &seen));
	request.mb = 64;
	assert_true(opener_request_valid(&request, sizeof(request), &seen));
}

/* A daemon that has gone mad gets no answers: the process ends. */
static void test_nonsense_ends_it(void **state)
{
	struct bench *b = *state;
	/* The first member is the socket. */
	int fd = *(const int *)(const void *)b->opener;

	assert_int_equal(write(fd, "nonsense", 8), 8);
	assert_int_equal(open_busid(b, "3-1.5"), -EPIPE);
	expect(b, "the process that opens USB devices has ended");
	assert_int_equal(open_busid(b, "3-1.5"), -EPIPE);
	assert_int_equal(host_opener_usbfs_memory(b->opener, 64), -EPIPE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_busids),
		TEST(test_open),
		TEST(test_refused),
		TEST(test_other_node),
		TEST(test_unconfigure),
		TEST(test_memory),
		cmocka_unit_test(test_requests),
		TEST(test_nonsense_ends_it),
	};

	host_opener_destroy(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
