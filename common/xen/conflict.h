/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * conflict.h - is somebody else serving the devices that a daemon is about to serve?
 *
 * Two backends on one ring destroy each other's indices, and the guest's driver with them. So a
 * daemon looks for drivers of the kernel, and for device models, before it starts.
 */
#ifndef XB_XEN_CONFLICT_H
#define XB_XEN_CONFLICT_H

#include <stddef.h>

#include "ops.h"

/** A driver in the kernel that serves the same kind of backend. */
struct xen_conflict {
	const char *driver; /**< its name in /sys/bus/xen-backend/drivers: "vif" */
	const char *remedy; /**< the sentence for the operator: what it is, and what to do */
};

/**
 * Looks below sysfs ("/sys"; tests have another one) for the n drivers. 0; -EBUSY after a message
 * with the remedy of the first that is there.
 */
int xen_check_drivers(const char *sysfs, const struct xen_conflict *conflicts, size_t n);

/**
 * Looks whether a device model (QEMU) has registered itself for backends of this type in some
 * domain: /local/domain/OURS/device-model/DOMID/backends/TYPE. 0; -EBUSY after a message that names
 * the domain; another -errno where the store can't be asked.
 */
int xen_check_device_models(struct xen *xen, const char *type);

#endif
