/* SPDX-License-Identifier: GPL-2.0-or-later */
/* open.c - from the option --xen to an implementation of the seam (ops.h). */
#include <errno.h>
#include <string.h>

#include "log.h"
#include "ops.h"

#define LOG_MODULE "xen"

int xen_open(struct xen **xen, const char *spec)
{
	if (strcmp(spec, "real") == 0)
		return xen_open_real(xen);
	if (strcmp(spec, "box") == 0)
		return xen_open_box(xen, NULL, 0);
	if (strncmp(spec, "box:", 4) == 0 && spec[4])
		return xen_open_box(xen, spec + 4, 0);
	log_err("--xen \"%s\": allowed are real, box and box:DIR", spec);
	return -EINVAL;
}
