/* SPDX-License-Identifier: GPL-2.0-or-later */
/* usb-tree.c - a /sys and a /dev of files; see usb-tree.h. */
#include "usb-tree.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

void usb_tree_init(struct usb_tree *tree)
{
	strcpy(tree->dir, "/tmp/usb-tree.XXXXXX");
	assert_non_null(mkdtemp(tree->dir));
	snprintf(tree->sysfs, sizeof(tree->sysfs), "%s/sys", tree->dir);
	snprintf(tree->devfs, sizeof(tree->devfs), "%s/dev", tree->dir);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

void usb_tree_fini(struct usb_tree *tree)
{
	(void)nftw(tree->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void usb_tree_write(const struct usb_tree *tree, const char *path, const char *text)
{
	char full[256];
	size_t length = strlen(text);
	int fd;

	snprintf(full, sizeof(full), "%s/%s", tree->dir, path);
	for (char *slash = full + strlen(tree->dir) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		if (mkdir(full, 0755))
			assert_int_equal(errno, EEXIST);
		*slash = '/';
	}
	fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, length), length);
	close(fd);
}

const char *usb_tree_read(const struct usb_tree *tree, const char *path)
{
	static char text[256];
	char full[256];
	ssize_t n;
	int fd;

	snprintf(full, sizeof(full), "%s/%s", tree->dir, path);
	fd = open(full, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

void usb_tree_attribute(const struct usb_tree *tree, const char *busid, const char *name,
			const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "sys/bus/usb/devices/%s/%s", busid, name);
	usb_tree_write(tree, path, text);
}

void usb_tree_device(const struct usb_tree *tree, const char *busid, unsigned int bus,
		     unsigned int dev, const char *id, const char *class)
{
	char text[64];

	snprintf(text, sizeof(text), "%u\n", bus);
	usb_tree_attribute(tree, busid, "busnum", text);
	snprintf(text, sizeof(text), "%u\n", dev);
	usb_tree_attribute(tree, busid, "devnum", text);
	snprintf(text, sizeof(text), "%.4s\n", id);
	usb_tree_attribute(tree, busid, "idVendor", text);
	snprintf(text, sizeof(text), "%.4s\n", id + 5);
	usb_tree_attribute(tree, busid, "idProduct", text);
	snprintf(text, sizeof(text), "%s\n", class);
	usb_tree_attribute(tree, busid, "bDeviceClass", text);
	usb_tree_attribute(tree, busid, "bConfigurationValue", "1\n");
	snprintf(text, sizeof(text), "dev/bus/usb/%03u/%03u", bus, dev);
	usb_tree_write(tree, text, busid);
}
