/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host_opener.h - the small process that keeps the right to open USB devices.
 *
 * Forked before the daemon gives up its rights. It answers three requests, each about a bus id of
 * the form "3-1.5" and nothing else: open the device's usbfs node, set its configuration to none
 * (so that xl finds no interface to bind), say how much usbfs memory there may be. It ends when the
 * daemon's end of the socket closes. Its calls block; they are made by the control thread.
 */
#ifndef XB_USB_HOST_OPENER_H
#define XB_USB_HOST_OPENER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct host_opener;

/** Forks the process; call it while there is one thread. sysfs, devfs: "/sys" and "/dev" (tests put
 * other roots there). */
int host_opener_create(struct host_opener **out, const char *sysfs, const char *devfs);
/** Closes the socket and waits for the process. */
void host_opener_destroy(struct host_opener *opener);

/** True for "1-2", "3-1.5": what a bus id looks like. */
bool host_busid_valid(const char *text);

/** Opens the device: a descriptor >= 0 that is the caller's, or -errno with a sentence in error. */
int host_opener_open(struct host_opener *opener, const char *busid, char *error, size_t error_size);
/** Sets bConfigurationValue to 0. */
int host_opener_unconfigure(struct host_opener *opener, const char *busid, char *error,
			    size_t error_size);
/** Makes usbcore.usbfs_memory_mb at least mb (0 = unlimited is left alone); returns what it is now,
 * or -errno. */
int host_opener_usbfs_memory(struct host_opener *opener, uint32_t mb);

#endif
