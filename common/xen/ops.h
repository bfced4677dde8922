/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ops.h - the Xen seam: grants, event channels and the store behind one struct of function
 * pointers.
 *
 * Three implementations: real.c (the Xen libraries), box.c (client of the xenbox daemon), fake.c
 * (in-process, manual, with fault switches). Box and fake share core.[ch], which has the rules of
 * the real thing.
 *
 * Threads: a `struct xen` may be used by any thread to open handles; each handle (xen_gnt, xen_evt,
 * xen_shr, xen_store) belongs to one thread at a time. A worker opens its own xen_gnt and xen_evt;
 * the control thread owns the xen_store. Errors: 0 or -errno unless said otherwise.
 */
#ifndef XB_XEN_OPS_H
#define XB_XEN_OPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define XEN_PAGE_SIZE 4096u

struct xen_gnt;	  /* grant handle: map and copy other domains' pages */
struct xen_evt;	  /* event channel handle: one fd for many ports */
struct xen_shr;	  /* sharing handle: grant own pages to others (frontends, tests) */
struct xen_store; /* connection to xenstored */

/** Flags of struct xen_copy (Xen public grant_table.h, GNTCOPY_*). */
#define XEN_COPY_SRC_GREF 1u
#define XEN_COPY_DST_GREF 2u

/** Status of one copied segment (Xen public grant_table.h, GNTST_*). */
#define XEN_GNTST_OKAY		    0
#define XEN_GNTST_GENERAL_ERROR	    (-1)
#define XEN_GNTST_BAD_DOMAIN	    (-2)
#define XEN_GNTST_BAD_GNTREF	    (-3)
#define XEN_GNTST_PERMISSION_DENIED (-8)
#define XEN_GNTST_BAD_COPY_ARG	    (-10)

/**
 * One segment of a grant copy, laid out as xengnttab_grant_copy_segment. A foreign side must stay
 * inside its page (offset + len <= 4096), else the whole call is -EINVAL; a local side may cross
 * pages. At least one side is foreign. Never mix to-guest and from-guest segments in one call: the
 * kernel keeps one "writeable" flag per batch (gntdev.c).
 */
struct xen_copy {
	union xen_copy_ptr {
		void *virt;
		struct {
			uint32_t ref;
			uint16_t offset;
			uint16_t domid;
		} foreign;
	} src, dst;
	uint16_t len;
	uint16_t flags;
	int16_t status; /**< XEN_GNTST_*: valid for every segment when the call returned 0 */
};

/** A store transaction; XEN_TXN_NONE outside of any. */
typedef uint32_t xen_txn;
#define XEN_TXN_NONE 0u

/** Access to a node: the first entry is the owner with the default for others. */
struct xen_perm {
	uint32_t domid;
	bool read, write;
};

struct xen;

struct xen_ops {
	const char *name; /**< "real", "box", "fake" */
	void (*close)(struct xen *xen);

	/* Grants: other domains' pages. */
	int (*gnt_open)(struct xen *xen, struct xen_gnt **gnt);
	void (*gnt_close)(struct xen_gnt *gnt); /**< unmaps what is still mapped */
	/** Maps n pages of domid, read-write, contiguous in *addr. -EINVAL/-EACCES/-ENOENT when one
	 * of them can't be. */
	int (*gnt_map)(struct xen_gnt *gnt, uint16_t domid, const uint32_t *refs, unsigned int n,
		       void **addr);
	int (*gnt_unmap)(struct xen_gnt *gnt, void *addr, unsigned int n);
	/** Copies n segments; 0 = each segment has a status of its own; -EINVAL = nothing can be
	 * said of any. */
	int (*gnt_copy)(struct xen_gnt *gnt, struct xen_copy *segs, unsigned int n);

	/* Event channels. A port that fired stays masked until evt_unmask: unmask after the work
	 * (late EOI). */
	int (*evt_open)(struct xen *xen, struct xen_evt **evt);
	void (*evt_close)(
		struct xen_evt *evt); /**< the other ends become unbound and may be bound again */
	int (*evt_fd)(struct xen_evt *evt); /**< readable while an event is pending */
	/** Binds to a port that domid offered to us; *port is ours. The new port is pending at
	 * once, as on Xen. */
	int (*evt_bind)(struct xen_evt *evt, uint16_t domid, uint32_t remote_port, uint32_t *port);
	/** Offers a new port to domid (frontends, tests). */
	int (*evt_alloc)(struct xen_evt *evt, uint16_t domid, uint32_t *port);
	int (*evt_unbind)(struct xen_evt *evt, uint32_t port);
	int (*evt_notify)(struct xen_evt *evt, uint32_t port);
	/** Reads up to max fired ports, which are masked from then on; returns their number, 0 =
	 * none, or -errno. */
	int (*evt_pending)(struct xen_evt *evt, uint32_t *ports, unsigned int max);
	int (*evt_unmask)(struct xen_evt *evt, const uint32_t *ports, unsigned int n);

	/* Sharing: own pages granted to another domain (the frontend's side; real: gntalloc). */
	int (*shr_open)(struct xen *xen, struct xen_shr **shr);
	void (*shr_close)(struct xen_shr *shr);
	/** Allocates n zeroed pages, contiguous in *addr, and grants each to domid; refs[n]
	 * receives the references. */
	int (*shr_alloc)(struct xen_shr *shr, uint16_t domid, unsigned int n, bool writable,
			 uint32_t *refs, void **addr);
	/** Ends the grants and frees the pages. -EBUSY where one is still mapped (box, fake; real:
	 * freed when unmapped). */
	int (*shr_free)(struct xen_shr *shr, void *addr, unsigned int n);

	/* The store. Paths are absolute. Strings and arrays that are returned are to be freed with
	 * free(). */
	int (*store_open)(struct xen *xen, struct xen_store **store);
	void (*store_close)(struct xen_store *store);
	/** Readable while a watch event (or the loss of the connection) waits. */
	int (*store_fd)(struct xen_store *store);
	/** Reads a node: NUL-terminated copy, length in *len if len is not NULL. -ENOENT, -EACCES,
	 * -EIO (connection lost). */
	int (*store_read)(struct xen_store *store, xen_txn txn, const char *path, char **value,
			  size_t *len);
	int (*store_write)(struct xen_store *store, xen_txn txn, const char *path,
			   const char *value, size_t len);
	int (*store_mkdir)(struct xen_store *store, xen_txn txn, const char *path);
	int (*store_rm)(struct xen_store *store, xen_txn txn, const char *path);
	/** Children's names; *names is one allocation (free(*names) frees all). */
	int (*store_list)(struct xen_store *store, xen_txn txn, const char *path, char ***names,
			  unsigned int *n);
	int (*store_get_perms)(struct xen_store *store, xen_txn txn, const char *path,
			       struct xen_perm **perms, unsigned int *n);
	int (*store_set_perms)(struct xen_store *store, xen_txn txn, const char *path,
			       const struct xen_perm *perms, unsigned int n);
	int (*store_watch)(struct xen_store *store, const char *path, const char *token);
	int (*store_unwatch)(struct xen_store *store, const char *path, const char *token);
	/** Next event: returns 1 with *path and *token to free(), 0 none, -EIO connection lost
	 * (re-open). Never blocks. */
	int (*store_event)(struct xen_store *store, char **path, char **token);
	int (*txn_start)(struct xen_store *store, xen_txn *txn);
	/** -EAGAIN: somebody else changed what the transaction read; repeat all of it. */
	int (*txn_end)(struct xen_store *store, xen_txn txn, bool abort);
};

/** What every implementation begins with. */
struct xen {
	const struct xen_ops *ops;
	uint16_t domid; /**< the domain that we are */
};

/** Opens the real Xen; -ENOENT/-ENODEV where there is none, with a message that says what is
 * missing. */
int xen_open_real(struct xen **xen);

/**
 * Opens a xenbox as domid (0 = the backends' domain) at the directory of its sockets; NULL =
 * $XENBOX_DIR or /run/xenbox. Opening a domid other than 0 introduces the domain; closing its last
 * connection releases it.
 */
int xen_open_box(struct xen **xen, const char *dir, uint16_t domid);

/** "real", "box" or "box:DIR", as domid 0. -EINVAL with a message for anything else. */
int xen_open(struct xen **xen, const char *spec);

#endif
