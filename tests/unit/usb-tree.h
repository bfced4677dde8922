/* SPDX-License-Identifier: GPL-2.0-or-later */
/* usb-tree.h - a /sys and a /dev of files, with USB devices, for tests. */
#ifndef XB_TEST_USB_TREE_H
#define XB_TEST_USB_TREE_H

#include <stddef.h>

struct usb_tree {
	char dir[32];
	char sysfs[40], devfs[40];
};

void usb_tree_init(struct usb_tree *tree);
void usb_tree_fini(struct usb_tree *tree);
/** Writes a file below the tree, with its folders. */
void usb_tree_write(const struct usb_tree *tree, const char *path, const char *text);
/** Its text. */
const char *usb_tree_read(const struct usb_tree *tree, const char *path);
/** A device in sysfs, configured, with its node in dev. */
void usb_tree_device(const struct usb_tree *tree, const char *busid, unsigned int bus,
		     unsigned int dev, const char *id, const char *class);
/** One attribute of it. */
void usb_tree_attribute(const struct usb_tree *tree, const char *busid, const char *name,
			const char *text);

#endif
