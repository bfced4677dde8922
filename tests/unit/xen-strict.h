/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xen-strict.h - a fake Xen that ends the program where the real one would do the wrong thing
 * silently: grant copies to guests and from guests in one call (the kernel keeps one direction for
 * all of them), local memory of which a byte cannot be touched.
 */
#ifndef XB_TESTS_XEN_STRICT_H
#define XB_TESTS_XEN_STRICT_H

#include "xen/ops.h"

/* From now on this view of a fake is strict. */
void xen_strict(struct xen *xen);

#endif
