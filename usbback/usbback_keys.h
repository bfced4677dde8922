/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usbback_keys.h - every configuration key of usbback: the tables that parse, check, document and
 * apply them.
 *
 * Adding a key: one row in usbback_keys.c and the member it fills.
 */
#ifndef XB_USB_USBBACK_KEYS_H
#define XB_USB_USBBACK_KEYS_H

#include "devspec.h"
#include "keys.h"

/** Settings of the daemon, policies of VMs, and attachments that end with their domain. */
#define USBBACK_PATH	  KEYS_BASE "usbback"
#define USBBACK_VM_PATH	  KEYS_BASE "vm"
#define USBBACK_ONCE_PATH KEYS_BASE "once"

/** What belongs on one port of one VM's controller; survives reboots of the guest. */
struct usb_policy {
	char device[DEVSPEC_TEXT_MAX + 1]; /**< devspec.h; "" = none */
	char quirks[128];		   /**< quirk.h */
};

/** Settings of the daemon. */
struct usbback_options {
	uint64_t usbfs_memory_bytes;
	uint64_t attach_hold_ns, return_time_ns;
};

extern const struct key_table usb_key_table;	 /**< fills struct usb_policy */
extern const struct key_table usbback_key_table; /**< fills struct usbback_options */
/** Both, for the command "keys" and the manual page. */
extern const struct key_table *const usbback_key_tables[2];

#endif
