/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host_opener_priv.h - the two ends of the opener's socket: host_opener.c asks, host_opener_child.c
 * answers.
 */
#ifndef XB_USB_HOST_OPENER_PRIV_H
#define XB_USB_HOST_OPENER_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Size of a bus id with its end: bus, and up to seven ports (USB 2.0 4.1.1). */
#define OPENER_BUSID_SIZE 32u

enum opener_request_kind {
	OPENER_OPEN = 1,
	OPENER_UNCONFIGURE = 2,
	OPENER_USBFS_MEMORY = 3,
};

/** One datagram to the process. What a kind does not use is zero. */
struct opener_request {
	uint32_t id; /**< the reply carries it */
	uint32_t kind;
	uint32_t mb;		       /**< USBFS_MEMORY */
	char busid[OPENER_BUSID_SIZE]; /**< OPEN, UNCONFIGURE; padded with zeros */
};

/** And back, with a descriptor beside it for OPEN. */
struct opener_reply {
	uint32_t id;
	int32_t result;	 /**< 0 or -errno; USBFS_MEMORY: MiB */
	char error[160]; /**< a sentence, "" = all is well */
};

/** True for bytes of a request that a daemon of ours would send, and nothing else. */
bool opener_request_valid(const void *bytes, size_t size, struct opener_request *request);

/** Carries a request out. Returns a descriptor for OPEN, or -1. */
int opener_serve(const char *sysfs, const char *devfs, const struct opener_request *request,
		 struct opener_reply *reply);

/** The process: answers what comes from fd until that ends. */
void opener_run(int fd, const char *sysfs, const char *devfs);

#endif
