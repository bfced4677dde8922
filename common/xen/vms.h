/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vms.h - the guests of this host as a seam: which there are, pause one, let it go on. On a real
 * Xen by libxenctrl (real_vms.c); tests have their own.
 */
#ifndef XB_XEN_VMS_H
#define XB_XEN_VMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VMS_UUID_SIZE 37  /**< with the end */
#define VMS_NAME_SIZE 128 /**< with the end; longer names are cut */

struct vms_info {
	uint16_t domid;
	char uuid[VMS_UUID_SIZE]; /**< lower case */
	char name[VMS_NAME_SIZE]; /**< "" = it has none (yet) */
	bool paused;		  /**< by whomever */
	bool ending;		  /**< has shut down, crashed, or is being destroyed */
};

struct vms;

/** Not for several threads. Return 0 or -errno. */
struct vms_ops {
	/** All guests, without Dom0, by domid; *list is to free(). */
	int (*list)(struct vms *vms, struct vms_info **list, size_t *n);
	/** One of them: -ESRCH. */
	int (*find)(struct vms *vms, uint16_t domid, struct vms_info *info);
	/** Xen counts: who pauses twice lets it go on twice. -ESRCH. */
	int (*pause)(struct vms *vms, uint16_t domid);
	/** -EINVAL: nobody had paused it. -ESRCH. */
	int (*unpause)(struct vms *vms, uint16_t domid);
	void (*close)(struct vms *vms);
};

/** The start of what an implementation has. */
struct vms {
	const struct vms_ops *ops;
};

/** Opens the hypervisor and the store; needs root, and the rights of it only now. -errno after a
 * message that says what is missing. */
int real_vms_open(struct vms **out);

#endif
