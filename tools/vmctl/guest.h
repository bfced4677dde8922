/* SPDX-License-Identifier: GPL-2.0-or-later */
/* guest.h - a guest as `list` shows it. No I/O. */
#ifndef XB_VMCTL_GUEST_H
#define XB_VMCTL_GUEST_H

#include <jansson.h>

#include "common/xen/vms.h"

/** Makes a name printable ASCII. */
void guest_printable(char *name);
/** {"domid": 3, "name": ..., "uuid": ..., "state": "running"|"paused"|"ending"}. */
json_t *guest_json(const struct vms_info *info);

#endif
