/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vms-fake.h - guests of a host that is not there, as common/xen/vms.h wants them. */
#ifndef XB_TESTS_VMS_FAKE_H
#define XB_TESTS_VMS_FAKE_H

#include "common/xen/vms.h"

#define VMS_FAKE_GUESTS 8

struct vms_fake_guest {
	struct vms_info info; /**< domid 0: no guest */
	unsigned int pauses;  /**< as Xen counts them */
};

struct vms_fake {
	struct vms vms;
	struct vms_fake_guest guests[VMS_FAKE_GUESTS];
	int error; /**< what every call fails with, 0 = none */
};

/** No guests. */
void vms_fake_init(struct vms_fake *fake);
/** UUID: 00000000-0000-0000-0000-NNNNNNNNNNNN, with the number. */
struct vms_fake_guest *vms_fake_add(struct vms_fake *fake, uint16_t domid, const char *name,
				    unsigned int uuid);
/** NULL: there is none. */
struct vms_fake_guest *vms_fake_find(struct vms_fake *fake, uint16_t domid);

#endif
