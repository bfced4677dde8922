/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * disk.h - model of a USB disk: Bulk-Only Transport (bot.h) on an image file or a block device.
 *
 * The file is locked against a second user (flock), shared by disks that only read. Its size is
 * looked at once. What needs no waiting is done in the loop, everything else by a thread
 * (disk_io.h).
 */
#ifndef XB_DISK_H
#define XB_DISK_H

#include <stddef.h>
#include <systemd/sd-event.h>

#include "model.h"
#include "model_spec.h"

/** Fills model. -errno of the file (-ENOENT, -EACCES, -EROFS, -EBUSY: in use, -EINVAL: its size or
 * kind) with a sentence in error. */
int disk_create(struct model *model, const struct model_spec *spec, sd_event *event, char *error,
		size_t error_size);

#endif
