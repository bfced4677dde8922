/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fake.h - a whole Xen in this process: several domains, no threads, no clock of its own, and
 * faults on demand.
 *
 * One `struct fake` is the machine; fake_domain() gives each domain's view (a struct xen for
 * ops.h). Deterministic: nothing happens but by a call. evt_fd and store_fd are real eventfds, so
 * that a loop can wait on them as well.
 */
#ifndef XB_XEN_FAKE_H
#define XB_XEN_FAKE_H

#include "ops.h"

struct fake;

int fake_create(struct fake **out);
void fake_destroy(struct fake *fake);

/** Domain domid's view; 0 exists from the start, others are introduced by the first call. NULL when
 * out of memory. */
struct xen *fake_domain(struct fake *fake, uint16_t domid);
/** The domain dies: its grants, ports and /local/domain/N vanish; watches on @releaseDomain fire.
 */
void fake_domain_kill(struct fake *fake, uint16_t domid);

enum fake_fault {
	FAKE_FAULT_COPY_STATUS, /**< the next n copied segments fail with GNTST_GENERAL_ERROR */
	FAKE_FAULT_COPY_CALL,	/**< the next n gnt_copy calls return -EINVAL */
	FAKE_FAULT_MAP,		/**< the next n gnt_map calls return -ENOMEM */
	FAKE_FAULT_EVT_BIND,	/**< the next n evt_bind calls return -EINVAL */
	FAKE_FAULT_EVT_LOST,	/**< the next n notifications are lost */
	FAKE_FAULT_TXN_EAGAIN,	/**< the next n txn_end calls return -EAGAIN */
	FAKE_FAULT_STORE_DOWN,	/**< n != 0: every store call returns -EIO until set to 0, then
				   watches must be set anew */
	FAKE_FAULT_STORE_WRITE, /**< the next n store_write calls return -ENOSPC */
	FAKE_FAULT_COUNT
};

/** Arms a fault: it hits the next n fitting operations. */
void fake_fault(struct fake *fake, enum fake_fault fault, unsigned int n);
/** Revokes a grant under the feet of whoever uses it: later copies fail with GNTST_GENERAL_ERROR;
 * mappings stay. */
void fake_revoke(struct fake *fake, uint16_t domid, uint32_t ref);
/** Fires a watch event on path n times without any change (watch storm). */
void fake_watch_storm(struct fake *fake, const char *path, unsigned int n);

/** Leak checks: pages of domid that others have mapped, ports of domid that are bound, nodes in the
 * store. */
unsigned int fake_mapped(const struct fake *fake, uint16_t domid);
unsigned int fake_ports(const struct fake *fake, uint16_t domid);
unsigned int fake_nodes(const struct fake *fake);

#endif
