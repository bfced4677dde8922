/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * source_sink.h - model of the test device that Linux's usbtest drives (gadget zero, 0525:a4a0).
 * Pure.
 *
 * Setting 0 has bulk IN and OUT, setting 1 these and isochronous and interrupt ones: usbtest runs
 * all its cases with `modprobe usbtest alt=1`, and the others without. IN endpoints give full
 * packets of a pattern without end; OUT endpoints take everything, and a bulk or interrupt one that
 * gets something else than the pattern halts. Vendor request 5Bh keeps what the host writes, 5Ch
 * gives it back.
 */
#ifndef XB_SOURCE_SINK_H
#define XB_SOURCE_SINK_H

#include "model.h"
#include "model_spec.h"

#define SOURCE_SINK_WRITE 0x5b
#define SOURCE_SINK_READ  0x5c

/** Fills model. */
void source_sink_create(struct model *model, const struct model_spec *spec);

#endif
