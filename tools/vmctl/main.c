/* SPDX-License-Identifier: GPL-2.0-or-later */
/* main.c - the program xenback-vmctl on a real Xen; everything else is in libvmctl.a. */
#include "serve.h"

int main(int argc, char **argv)
{
	static const struct vmctl_parts parts = {.vms_open = real_vms_open, .xl = "xl"};

	return vmctl_main(argc, argv, &parts);
}
