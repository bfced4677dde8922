/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * models.h - USB devices in software, behind the seam that real devices have (usb/host.h).
 *
 * A model is named by a text, "KIND" or "KIND,key=value,flag,..."; a comma within a value is
 * written twice: disk,file=PATH[,readonly][,removable][,serial=TEXT][,no-stall] mass storage,
 * Bulk-Only Transport, on an image or a block device. removable: can be ejected; no-stall: ends
 * data by short packets only, as cheap devices do
 *   source-sink[,pattern=0|1|2][,speed=full|high][,interval=1..16]
 *       what Linux's gadget zero is to usbtest; interval: bInterval of the isochronous and
 * interrupt endpoints, a millisecond where it is not given serial[,link=PATH] CDC-ACM; the other
 * end is a pty, PATH a link to it keyboard[,input=PATH], tablet[,input=PATH] HID; a datagram socket
 * at PATH takes the input (hid_input.h) All are high speed devices, but for source-sink,speed=full.
 * A model is not configured until the host sets a configuration.
 */
#ifndef XB_CLUSTER_MODELS_H
#define XB_CLUSTER_MODELS_H

#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

struct clock;
struct usb_host;

/**
 * Opens a model; it lives in the thread of event and takes its time from clock. -EINVAL: spec is
 * wrong; else what the file said (-ENOENT, -EACCES, -EROFS, -EBUSY: in use, ...); with a sentence
 * in error that names the word, what was given and what is allowed.
 */
int usb_model_open(struct usb_host **host, const char *spec, sd_event *event, struct clock *clock,
		   char *error, size_t error_size);

/** Looks at the text only: 0, or -EINVAL with a sentence in error. */
int usb_model_check(const char *spec, char *error, size_t error_size);

/**
 * For owners of a manual clock, whose time the loop does not know (with clock_monotonic all goes by
 * itself): when the model wants to run next, UINT64_MAX = not before something is submitted; and
 * the call that lets it do what is due, callbacks included. host: of usb_model_open.
 */
uint64_t usb_model_deadline_ns(struct usb_host *host);
void usb_model_run(struct usb_host *host);

#endif
