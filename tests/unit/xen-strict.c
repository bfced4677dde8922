/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xen-strict.c - see xen-strict.h. */
#include "xen-strict.h"

#include <stdlib.h>

static const struct xen_ops *lenient;
static struct xen_ops strict;

static void touch(const volatile uint8_t *p, uint16_t len, bool write)
{
	for (uint16_t i = 0; i < len; i++) {
		uint8_t byte = p[i];

		if (write)
			((volatile uint8_t *)p)[i] = byte;
	}
}

static int strict_copy(struct xen_gnt *gnt, struct xen_copy *segs, unsigned int n)
{
	const uint16_t both = XEN_COPY_SRC_GREF | XEN_COPY_DST_GREF;

	for (unsigned int i = 0; i < n; i++) {
		if ((segs[i].flags & both) != (segs[0].flags & both))
			abort();
		if (!(segs[i].flags & XEN_COPY_SRC_GREF))
			touch(segs[i].src.virt, segs[i].len, false);
		if (!(segs[i].flags & XEN_COPY_DST_GREF))
			touch(segs[i].dst.virt, segs[i].len, true);
	}
	return lenient->gnt_copy(gnt, segs, n);
}

void xen_strict(struct xen *xen)
{
	if (xen->ops == &strict)
		return;
	lenient = xen->ops;
	strict = *lenient;
	strict.gnt_copy = strict_copy;
	xen->ops = &strict;
}
