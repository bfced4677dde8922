/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hid.h - models of a boot keyboard and an absolute tablet (HID 1.11).
 *
 * Input comes as datagrams to a socket, a line each (hid_input.h). A sender whose socket has a name
 * gets an answer: "ok", or "error: " and what was wrong; the errors of others are logged. Reports
 * go to the host one an interval; without news the last one is repeated as often as SET_IDLE says.
 */
#ifndef XB_HID_H
#define XB_HID_H

#include <stddef.h>
#include <systemd/sd-event.h>

#include "model.h"
#include "model_spec.h"

/** Class requests (HID 1.11, 7.2). */
#define HID_GET_REPORT	 0x01
#define HID_GET_IDLE	 0x02
#define HID_GET_PROTOCOL 0x03
#define HID_SET_REPORT	 0x09
#define HID_SET_IDLE	 0x0a
#define HID_SET_PROTOCOL 0x0b
/** Descriptors of an interface (7.1). */
#define HID_DT_HID    0x21
#define HID_DT_REPORT 0x22

#define HID_ENDPOINT_IN 0x81

/** Fills model; binds the socket of spec (a dead one there is replaced). 0 or -errno with a
 * sentence in error (-EADDRINUSE: somebody listens there, -EEXIST: no socket). */
int hid_create(struct model *model, const struct model_spec *spec, sd_event *event, char *error,
	       size_t error_size);

#endif
