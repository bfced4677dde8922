/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reserve.h - the list of devices that are kept for guests: /etc/xenback/usb-reserve.conf.
 *
 * One device a line, written as in devspec.h: VID:PID, VID:PID:SERIAL or a bus id; '#' begins a
 * comment, empty lines are fine.
 */
#ifndef XB_USB_RESERVE_H
#define XB_USB_RESERVE_H

#include <stddef.h>

#include "devspec.h"

/** Largest file, bytes; most entries. */
#define RESERVE_FILE_MAX    (64u << 10)
#define RESERVE_ENTRIES_MAX 256u

struct reserve_entry {
	char busid[BUSID_SIZE]; /**< "" = by ids */
	uint16_t vid, pid;
	char serial[128];  /**< "" = any */
	unsigned int line; /**< of the file, from 1 */
};

struct reserve_list {
	struct reserve_entry *entries;
	size_t n;
};

/** Told of each wrong line: a sentence that names the value and what is allowed. */
typedef void (*reserve_wrong_fn)(void *ctx, unsigned int line, const char *message);

/** Adds what the text lists; wrong lines are told and left out. Returns how many were wrong. */
unsigned int reserve_parse(struct reserve_list *list, const char *text, size_t size,
			   reserve_wrong_fn wrong, void *ctx);
/** The first entry that means the device, or NULL. Hubs are meant by none. */
const struct reserve_entry *reserve_match(const struct reserve_list *list,
					  const struct host_device *device);
void reserve_free(struct reserve_list *list);

#endif
