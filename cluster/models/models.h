/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * models.h - USB devices in software, behind the seam that real devices have (usb/host.h).
 *
 * A model is named by a text, "KIND" or "KIND,key=value,flag,...":
 *   disk,file=PATH[,readonly][,serial=TEXT]   mass storage, Bulk-Only Transport, on an image or a
 *                                             block device
 *   source-sink[,pattern=0|1|2]               what Linux's gadget zero is to usbtest
 *   serial[,link=PATH]                        CDC-ACM; the other end is a pty, PATH a link to it
 *   keyboard[,input=PATH], tablet[,input=PATH]  HID; a datagram socket at PATH takes the input
 */
#ifndef XB_CLUSTER_MODELS_H
#define XB_CLUSTER_MODELS_H

#include <stddef.h>
#include <systemd/sd-event.h>

struct clock;
struct usb_host;

/**
 * Opens a model; it lives in the thread of event and takes its time from clock. -EINVAL: spec is
 * wrong; else what the file said (-ENOENT, -EACCES, -EROFS, ...); with a sentence in error that
 * names the word, what was given and what is allowed.
 */
int usb_model_open(struct usb_host **host, const char *spec, sd_event *event, struct clock *clock,
		   char *error, size_t error_size);

/** Looks at the text only: 0, or -EINVAL with a sentence in error. */
int usb_model_check(const char *spec, char *error, size_t error_size);

#endif
