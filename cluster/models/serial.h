/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * serial.h - model of a serial line: CDC-ACM (USB CDC PSTN 1.2) whose other end is a pty.
 *
 * Bytes go both ways as they are, the pty is raw. Flow control is what USB has: while the pty has
 * nothing to give or no room, transfers wait. Line coding, control lines and break are kept and
 * answered, a pty has no use for them. Whether somebody has the pty open is the carrier: DCD and
 * DSR of a SERIAL_STATE notification, sent when it changes and when the host configures the device.
 */
#ifndef XB_SERIAL_H
#define XB_SERIAL_H

#include <stddef.h>
#include <systemd/sd-event.h>

#include "model.h"
#include "model_spec.h"

/** Requests of the abstract control model (PSTN 1.2, table 13) and the notification. */
#define SERIAL_SET_LINE_CODING	  0x20
#define SERIAL_GET_LINE_CODING	  0x21
#define SERIAL_SET_CONTROL_LINES  0x22
#define SERIAL_SEND_BREAK	  0x23
#define SERIAL_STATE_NOTIFICATION 0x20

#define SERIAL_NOTIFY_IN 0x82
#define SERIAL_DATA_IN	 0x81
#define SERIAL_DATA_OUT	 0x01

/** Fills model; makes the link of spec (an old link there is replaced, anything else is -EEXIST). 0
 * or -errno with a sentence in error. */
int serial_create(struct model *model, const struct model_spec *spec, sd_event *event, char *error,
		  size_t error_size);

#endif
