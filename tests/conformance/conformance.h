/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * conformance.h - what the parts of xen-conformance share: the two domains under test and TAP
 * lines.
 *
 * The same checks run against every implementation of the seam (xen/ops.h), so that what holds for
 * the box and the fake is known to hold for Xen. "back" is domain 0; "front" is a guest, or domain
 * 0 again where there are no guests at hand (real Xen: loopback grants and event channels).
 */
#ifndef XB_TESTS_CONFORMANCE_H
#define XB_TESTS_CONFORMANCE_H

#include <stdbool.h>

#include "xen/ops.h"

/** All nodes of the checks are below it. */
#define TOP "/local/domain/0/xen-conformance"

/** A domain with one handle of each kind. */
struct party {
	struct xen *xen;
	const struct xen_ops *ops;
	struct xen_gnt *gnt;
	struct xen_evt *evt;
	struct xen_shr *shr;
	struct xen_store *store;
};

struct world {
	struct party back, front;
	bool real; /**< a hypervisor: some of its answers come late, and front is back */
};

/** One TAP line. Returns `good`, so that a check can end early. */
bool check(bool good, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** As check(got == wanted), and says both where they differ. */
bool check_int(long got, long wanted, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/** A line that can't be tried here. */
void skipped(const char *what, const char *why);
/** The plan; returns the exit status of the program. */
int checks_done(void);

void conformance_grants(struct world *w);
void conformance_events(struct world *w);
void conformance_storage(struct world *w);
void conformance_watches(struct world *w);

#endif
