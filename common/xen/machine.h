/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * machine.h - the memory of a machine without Xen: grant tables and event channels as plain shared
 * memory, with Xen's rules.
 *
 * Theory of Operation: the machine is one block of memory that every party maps: box processes
 * through a memfd, the fake as private memory. It holds for each domain a grant table and a port
 * table. Pages that a domain shares live in a second block per domain, addressed by frame number.
 * Everything fast (copy, notify, pending, unmask) is atomics and memcpy on these blocks in the
 * caller's own thread. What changes ownership (map counts, alloc, bind, unbind) is done by one
 * party at a time: the xenbox daemon on behalf of its clients, or the fake itself. Nobody is
 * protected from a process that scribbles over the block: the box is for development and tests.
 */
#ifndef XB_XEN_MACHINE_H
#define XB_XEN_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ops.h"

#define MACHINE_DOMAINS	     64u
#define MACHINE_GRANTS	     8192u /**< a domain's grant entries = frames it can share (32 MiB) */
#define MACHINE_PORTS	     1024u /**< a domain's event channel ports; 0 is never used */
#define MACHINE_HANDLES	     128u  /**< open event channel handles of the whole machine */
#define MACHINE_FRAMES_BYTES ((size_t)MACHINE_GRANTS * XEN_PAGE_SIZE)

/** One grant: entry i covers frame i of its domain. */
struct machine_grant {
	uint16_t flags; /**< MACHINE_GRANT_*; written last, with release */
	uint16_t domid; /**< who may use it */
	uint32_t pins;	/**< mappings that exist */
};
#define MACHINE_GRANT_VALID    1u
#define MACHINE_GRANT_WRITABLE 2u
#define MACHINE_GRANT_REVOKED  4u /**< no longer granted, but its owner's to free */

enum machine_port_state {
	MACHINE_PORT_FREE,
	MACHINE_PORT_UNBOUND,	  /**< offered to remote_domid */
	MACHINE_PORT_INTERDOMAIN, /**< connected */
};

struct machine_port {
	uint32_t state; /**< enum machine_port_state */
	uint16_t remote_domid;
	uint16_t handle; /**< whose fd it fires */
	uint32_t remote_port;
	uint32_t bits; /**< MACHINE_EVT_*, atomically */
};
#define MACHINE_EVT_PENDING 1u
#define MACHINE_EVT_MASKED  2u

struct machine_domain {
	uint32_t generation; /**< counts the domains that had this id: a cached mapping may be stale
			      */
	struct machine_grant grants[MACHINE_GRANTS];
	struct machine_port ports[MACHINE_PORTS];
};

/** An event channel handle: which ports it owns is found by scanning the words of `fired`. */
struct machine_handle {
	uint32_t used;
	uint16_t domid;
	uint32_t generation; /**< differs for each user of the slot: a cached descriptor may be
				stale */
	uint32_t signalled;  /**< its descriptor was written to and nobody has read it since,
				atomically */
	uint32_t idle_looks; /**< its owner's: looks that found nothing */
	uint64_t fired[MACHINE_PORTS /
		       64]; /**< ports that became pending and may be unmasked, atomically */
};

/** The block that all parties map. */
struct machine {
	struct machine_handle handles[MACHINE_HANDLES];
	struct machine_domain domains[MACHINE_DOMAINS];
};

/**
 * Finds the memory of a domain's frames, MACHINE_FRAMES_BYTES long; NULL when the domain does not
 * exist. And wakes the waiter of a handle. Provided by whoever uses the machine; may be called from
 * any thread that owns a handle.
 */
struct machine_env {
	struct machine *machine;
	uint8_t *(*frames)(void *ctx, uint16_t domid);
	void (*wake)(void *ctx, uint16_t handle);
	void *ctx;
};

/* --- grants --- */

/** Frames for n contiguous pages, granted to `to`: first frame (= first reference) or -ENOSPC,
 * -EINVAL for n = 0. Zeroing is the caller's. */
int machine_grant(struct machine *m, uint16_t domid, uint16_t to, unsigned int n, bool writable);
/** Ends grants [ref, ref + n); -EBUSY while one is mapped, -EINVAL when one is none. */
int machine_ungrant(struct machine *m, uint16_t domid, uint32_t ref, unsigned int n);
/** Takes the grant from who uses it, not the page from its owner; mappings stay. Nothing where
 * there is no grant. */
void machine_revoke(struct machine *m, uint16_t domid, uint32_t ref);
/** Ends a grant whose owner is gone; a frame that is mapped is not used again before its unpin. */
void machine_abandon(struct machine *m, uint16_t domid, uint32_t ref);
/** Checks that `user` may map the reference for writing and pins it: 0, -ENOENT no grant, -EACCES
 * not for this domain or read-only. */
int machine_pin(struct machine *m, uint16_t user, uint16_t domid, uint32_t ref);
void machine_unpin(struct machine *m, uint16_t domid, uint32_t ref);
/** Maps the frames of a domain (a descriptor) behind n references in their order, for the caller to
 * munmap(). */
int machine_window(int frames_fd, const uint32_t *refs, unsigned int n, void **addr);
/** Grant copy by Xen's rules, on behalf of domain `user`; see ops.h gnt_copy. */
int machine_copy(const struct machine_env *env, uint16_t user, struct xen_copy *segs,
		 unsigned int n);

/* --- event channels --- */

/** A handle for domid, or -ENOSPC. */
int machine_handle_open(struct machine *m, uint16_t domid);
/** Unbinds all its ports; the slot is free afterwards. */
void machine_handle_close(const struct machine_env *env, uint16_t handle);
int machine_evt_alloc(struct machine *m, uint16_t handle, uint16_t remote, uint32_t *port);
/** Binds to an offered port; ours fires at once. -EINVAL not offered to us, -ENOSPC. */
int machine_evt_bind(const struct machine_env *env, uint16_t handle, uint16_t domid,
		     uint32_t remote_port, uint32_t *port);
/** The other end becomes offered again (to us). -EINVAL not a port of this handle. */
int machine_evt_unbind(struct machine *m, uint16_t handle, uint32_t port);

/** Fires the other end; nothing when there is none (Xen drops the event too). -EINVAL not a port of
 * domid. */
int machine_evt_notify(const struct machine_env *env, uint16_t domid, uint32_t port);
/**
 * Takes up to max fired ports and masks them: their number. fd: the handle's descriptor, an eventfd
 * that env->wake() adds 1 to; it stays readable until a look finds nothing.
 */
int machine_evt_take(const struct machine_env *env, uint16_t handle, int fd, uint32_t *ports,
		     unsigned int max);
/** Wakes the handle whatever came before: somebody died and may have been about to. */
void machine_evt_rouse(const struct machine_env *env, uint16_t handle);
/** Ports that are not the handle's (any more) are ignored. Always 0. */
int machine_evt_unmask(const struct machine_env *env, uint16_t handle, const uint32_t *ports,
		       unsigned int n);

/** A domain died: its grants and ports are gone (other ends unbound). */
void machine_domain_clear(const struct machine_env *env, uint16_t domid);

/* Leak checks. */
unsigned int machine_pinned(const struct machine *m, uint16_t domid);
unsigned int machine_bound(const struct machine *m, uint16_t domid);

#endif
