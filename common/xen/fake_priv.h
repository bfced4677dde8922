/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fake_priv.h - what fake.c (machine, grants, event channels) and fake_store.c (the store) share.
 */
#ifndef XB_XEN_FAKE_PRIV_H
#define XB_XEN_FAKE_PRIV_H

#include "fake.h"
#include "machine.h"
#include "store.h"
#include "util.h"

struct fake_domain {
	struct xen xen;
	struct fake *fake;
	int frames_fd;
	uint8_t *frames; /* NULL: never used */
	bool dead;
};

struct fake {
	struct machine *machine;
	struct machine_env env;
	struct store *store;
	struct xen_store *stores; /* open ones */
	struct fake_domain domains[MACHINE_DOMAINS];
	int wake_fds[MACHINE_HANDLES];
	unsigned int faults[FAKE_FAULT_COUNT];
};

static inline struct fake_domain *fake_of(struct xen *xen)
{
	return container_of(xen, struct fake_domain, xen);
}

/** True when the armed fault hits now. */
static inline bool fake_hit(struct fake *fake, enum fake_fault fault)
{
	if (fake->faults[fault] == 0)
		return false;
	fake->faults[fault]--;
	return true;
}

/* fake_store.c: operations of ops.h. */
int fake_store_open(struct xen *xen, struct xen_store **out);
void fake_store_close(struct xen_store *store);
int fake_store_fd(struct xen_store *store);
int fake_store_read(struct xen_store *store, xen_txn txn, const char *path, char **value,
		    size_t *len);
int fake_store_write(struct xen_store *store, xen_txn txn, const char *path, const char *value,
		     size_t len);
int fake_store_mkdir(struct xen_store *store, xen_txn txn, const char *path);
int fake_store_rm(struct xen_store *store, xen_txn txn, const char *path);
int fake_store_list(struct xen_store *store, xen_txn txn, const char *path, char ***names,
		    unsigned int *n);
int fake_store_get_perms(struct xen_store *store, xen_txn txn, const char *path,
			 struct xen_perm **perms, unsigned int *n);
int fake_store_set_perms(struct xen_store *store, xen_txn txn, const char *path,
			 const struct xen_perm *perms, unsigned int n);
int fake_store_watch(struct xen_store *store, const char *path, const char *token);
int fake_store_unwatch(struct xen_store *store, const char *path, const char *token);
int fake_store_event(struct xen_store *store, char **path, char **token);
int fake_txn_start(struct xen_store *store, xen_txn *txn);
int fake_txn_end(struct xen_store *store, xen_txn txn, bool abort);
/** All open connections are lost. */
void fake_stores_lose(struct fake *fake);

#endif
