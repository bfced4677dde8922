/* SPDX-License-Identifier: GPL-2.0-or-later */
/* usbback_keys.c - rows of the key tables, see usbback_keys.h. */
#include "usbback_keys.h"

#include "util.h"

#define MIB 1048576ull

#define USB(member) offsetof(struct usb_policy, member)
static const struct key usb_keys[] = {
	{"device", KEY_TYPE_STRING, USB(device), 0, DEVSPEC_TEXT_MAX, NULL, "", true,
	 "What is plugged into this port: a bus id of this host such as 3-1.5; VID:PID or "
	 "VID:PID:SERIAL, for the first such device that is free; model:KIND,..., a device in "
	 "software; empty = nothing."},
	{"quirks", KEY_TYPE_STRING, USB(quirks), 0, sizeof(((struct usb_policy *)0)->quirks) - 1,
	 NULL, "", false,
	 "What the device on this port needs beyond the standard, also when xl attached it; words "
	 "separated by commas: no-merge, merge, zlp, no-zlp, clear-halt=host, clear-halt=device, "
	 "reset=infer, reset=never, read-ahead=SIZE. no-merge: every request is a transfer of its "
	 "own, and nothing is fetched before it is asked for."},
};
const struct key_table usb_key_table = {"usb", USBBACK_VM_PATH "/UUID/usb/DEV/PORT", usb_keys,
					ARRAY_SIZE(usb_keys), sizeof(struct usb_policy)};

#define OPTION(member) offsetof(struct usbback_options, member)
static const struct key usbback_keys[] = {
	{"usbfs_memory", KEY_TYPE_BYTES, OPTION(usbfs_memory_bytes), 16 * MIB, 65536 * MIB, NULL,
	 "256MiB", true,
	 "What all transfers of this host's USB devices may take together: the kernel's "
	 "usbfs_memory_mb is raised to it, and never lowered."},
	{"attach_hold", KEY_TYPE_DURATION, OPTION(attach_hold_ns), NSEC_PER_SEC, 60 * NSEC_PER_SEC,
	 NULL, "1s", true,
	 "How long a device that xl wrote into a port must stay there before it is opened: xl may "
	 "take it back, and must find no driver on it meanwhile."},
	{"return_time", KEY_TYPE_DURATION, OPTION(return_time_ns), 0, 60 * NSEC_PER_SEC, NULL, "2s",
	 true,
	 "How long a port is kept for a device that vanished, since some come back by themselves "
	 "after a reset; then port/N is cleared, and xl knows that it is free."},
};
const struct key_table usbback_key_table = {"usbback", USBBACK_PATH, usbback_keys,
					    ARRAY_SIZE(usbback_keys),
					    sizeof(struct usbback_options)};

const struct key_table *const usbback_key_tables[2] = {&usb_key_table, &usbback_key_table};
