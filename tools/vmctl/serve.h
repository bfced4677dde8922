/* SPDX-License-Identifier: GPL-2.0-or-later */
/* serve.h - the program xenback-vmctl: as a service, and as a command. */
#ifndef XB_VMCTL_SERVE_H
#define XB_VMCTL_SERVE_H

#include "common/xen/vms.h"

/** What it works on; tests have others. */
struct vmctl_parts {
	/** Opens the hypervisor: 0, or -errno after a message. */
	int (*vms_open)(struct vms **out);
	const char *xl; /**< a path, or a name that is looked for */
};

/** `xenback-vmctl serve [OPTION]...`; argv[0] is "serve". Returns main's exit status. */
int vmctl_serve(int argc, char **argv, const struct vmctl_parts *parts);
/** The program; returns main's exit status: 0, 1 failure, 2 usage. */
int vmctl_main(int argc, char **argv, const struct vmctl_parts *parts);

#endif
