/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machine.c - grants and event channels on shared memory, see machine.h. Used by fake.c, box.c and
 * box_server.c. */
#include "machine.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include "util.h"

#define LOOKS_IDLE 16

/* --- grants --- */

int machine_grant(struct machine *m, uint16_t domid, uint16_t to, unsigned int n, bool writable)
{
	struct machine_grant *grants = m->domains[domid].grants;
	unsigned int run = 0;

	if (n == 0)
		return -EINVAL;
	/* As in Xen, the first 8 are reserved. What is still mapped is not free. */
	for (uint32_t ref = 8; ref < MACHINE_GRANTS; ref++) {
		run = grants[ref].flags || grants[ref].pins ? 0 : run + 1;
		if (run < n)
			continue;
		for (uint32_t r = ref + 1 - n; r <= ref; r++) {
			grants[r].domid = to;
			__atomic_store_n(&grants[r].flags,
					 MACHINE_GRANT_VALID |
						 (writable ? MACHINE_GRANT_WRITABLE : 0),
					 __ATOMIC_RELEASE);
		}
		return (int)(ref + 1 - n);
	}
	return -ENOSPC;
}

int machine_ungrant(struct machine *m, uint16_t domid, uint32_t ref, unsigned int n)
{
	struct machine_grant *grants = m->domains[domid].grants;

	if (ref >= MACHINE_GRANTS || n > MACHINE_GRANTS - ref)
		return -EINVAL;
	for (uint32_t r = ref; r < ref + n; r++)
		if (!grants[r].flags)
			return -EINVAL;
	for (uint32_t r = ref; r < ref + n; r++)
		if (grants[r].pins)
			return -EBUSY;
	for (uint32_t r = ref; r < ref + n; r++)
		__atomic_store_n(&grants[r].flags, 0, __ATOMIC_RELEASE);
	return 0;
}

void machine_revoke(struct machine *m, uint16_t domid, uint32_t ref)
{
	struct machine_grant *grant = &m->domains[domid].grants[ref];

	if (grant->flags)
		__atomic_store_n(&grant->flags, MACHINE_GRANT_REVOKED, __ATOMIC_RELEASE);
}

void machine_abandon(struct machine *m, uint16_t domid, uint32_t ref)
{
	__atomic_store_n(&m->domains[domid].grants[ref].flags, 0, __ATOMIC_RELEASE);
}

int machine_pin(struct machine *m, uint16_t user, uint16_t domid, uint32_t ref)
{
	struct machine_grant *grant;
	uint16_t flags;

	if (domid >= MACHINE_DOMAINS || ref >= MACHINE_GRANTS)
		return -ENOENT;
	grant = &m->domains[domid].grants[ref];
	flags = __atomic_load_n(&grant->flags, __ATOMIC_ACQUIRE);
	if (!(flags & MACHINE_GRANT_VALID))
		return -ENOENT;
	if (grant->domid != user || !(flags & MACHINE_GRANT_WRITABLE))
		return -EACCES;
	grant->pins++;
	return 0;
}

void machine_unpin(struct machine *m, uint16_t domid, uint32_t ref)
{
	m->domains[domid].grants[ref].pins--;
}

int machine_window(int frames_fd, const uint32_t *refs, unsigned int n, void **addr)
{
	size_t size = (size_t)n * XEN_PAGE_SIZE;
	uint8_t *window = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (window == MAP_FAILED)
		return -errno;
	for (unsigned int i = 0, run; i < n; i += run) {
		for (run = 1; i + run < n && refs[i + run] == refs[i] + run; run++)
			continue;
		if (mmap(window + (size_t)i * XEN_PAGE_SIZE, (size_t)run * XEN_PAGE_SIZE,
			 PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, frames_fd,
			 (off_t)refs[i] * XEN_PAGE_SIZE) == MAP_FAILED) {
			int rc = -errno;

			munmap(window, size);
			return rc;
		}
	}
	*addr = window;
	return 0;
}

/* The address of a foreign side, or a GNTST_ error. The last domain's frames are remembered in
 * *last. */
static int resolve(const struct machine_env *env, uint16_t user, const union xen_copy_ptr *side,
		   bool write, uint16_t *last_domid, uint8_t **last_frames, uint8_t **out)
{
	uint16_t domid = side->foreign.domid, flags;
	const struct machine_grant *grant;

	if (domid >= MACHINE_DOMAINS)
		return XEN_GNTST_BAD_DOMAIN;
	if (!*last_frames || *last_domid != domid) {
		*last_frames = env->frames(env->ctx, domid);
		*last_domid = domid;
	}
	if (!*last_frames)
		return XEN_GNTST_BAD_DOMAIN;
	if (side->foreign.ref >= MACHINE_GRANTS)
		return XEN_GNTST_BAD_GNTREF;
	grant = &env->machine->domains[domid].grants[side->foreign.ref];
	flags = __atomic_load_n(&grant->flags, __ATOMIC_ACQUIRE);
	/* Xen answers alike for an entry that is none, another domain's, or read-only
	 * (grant_table.c). */
	if (!(flags & MACHINE_GRANT_VALID) || grant->domid != user ||
	    (write && !(flags & MACHINE_GRANT_WRITABLE)))
		return XEN_GNTST_GENERAL_ERROR;
	*out = *last_frames + (size_t)side->foreign.ref * XEN_PAGE_SIZE + side->foreign.offset;
	return XEN_GNTST_OKAY;
}

int machine_copy(const struct machine_env *env, uint16_t user, struct xen_copy *segs,
		 unsigned int n)
{
	uint16_t src_domid = 0, dst_domid = 0;
	uint8_t *src_frames = NULL, *dst_frames = NULL, *src, *dst;

	/* Linux's gntdev checks as it goes; a bad segment spoils the whole call
	 * (gntdev_grant_copy_seg). */
	for (unsigned int i = 0; i < n; i++) {
		const struct xen_copy *seg = &segs[i];

		if (!(seg->flags & (XEN_COPY_SRC_GREF | XEN_COPY_DST_GREF)))
			return -EINVAL;
		if ((seg->flags & XEN_COPY_SRC_GREF) &&
		    (uint32_t)seg->src.foreign.offset + seg->len > XEN_PAGE_SIZE)
			return -EINVAL;
		if ((seg->flags & XEN_COPY_DST_GREF) &&
		    (uint32_t)seg->dst.foreign.offset + seg->len > XEN_PAGE_SIZE)
			return -EINVAL;
	}
	for (unsigned int i = 0; i < n; i++) {
		struct xen_copy *seg = &segs[i];
		int status = XEN_GNTST_OKAY;

		seg->status = XEN_GNTST_OKAY;
		if (seg->len == 0)
			continue; /* Linux does not even look at its reference */
		src = seg->src.virt;
		dst = seg->dst.virt;
		if (seg->flags & XEN_COPY_SRC_GREF)
			status =
				resolve(env, user, &seg->src, false, &src_domid, &src_frames, &src);
		if (status == XEN_GNTST_OKAY && (seg->flags & XEN_COPY_DST_GREF))
			status = resolve(env, user, &seg->dst, true, &dst_domid, &dst_frames, &dst);
		if (status == XEN_GNTST_OKAY)
			memmove(dst, src, seg->len); /* a guest may name one page twice */
		seg->status = (int16_t)status;
	}
	return 0;
}

/* --- event channels --- */

/* Others notify while a port is bound and unbound, by processes that ask nobody. */
#define LOAD(field)	    __atomic_load_n(&(field), __ATOMIC_ACQUIRE)
#define STORE(field, value) __atomic_store_n(&(field), value, __ATOMIC_RELEASE)

int machine_handle_open(struct machine *m, uint16_t domid)
{
	for (unsigned int i = 0; i < MACHINE_HANDLES; i++) {
		struct machine_handle *h = &m->handles[i];

		if (h->used)
			continue;
		memset(h->fired, 0, sizeof(h->fired));
		STORE(h->signalled, 0);
		h->domid = domid;
		STORE(h->generation, h->generation + 1);
		STORE(h->used, 1);
		return (int)i;
	}
	return -ENOSPC;
}

static struct machine_port *own_port(struct machine *m, uint16_t handle, uint32_t port)
{
	struct machine_port *p;

	if (port == 0 || port >= MACHINE_PORTS)
		return NULL;
	p = &m->domains[m->handles[handle].domid].ports[port];
	return LOAD(p->state) != MACHINE_PORT_FREE && LOAD(p->handle) == handle ? p : NULL;
}

static int new_port(struct machine *m, uint16_t handle, uint32_t *port)
{
	struct machine_port *ports = m->domains[m->handles[handle].domid].ports;

	for (uint32_t i = 1; i < MACHINE_PORTS; i++) {
		if (LOAD(ports[i].state) != MACHINE_PORT_FREE)
			continue;
		STORE(ports[i].handle, handle);
		STORE(ports[i].bits, 0);
		*port = i;
		return 0;
	}
	return -ENOSPC;
}

/*
 * First the bit, then the signal: whoever turns `signalled` from 0 to 1 writes to the descriptor.
 * Who waits does it the other way round (machine_evt_take).
 */
static void signal_handle(const struct machine_env *env, uint16_t handle)
{
	if (!__atomic_exchange_n(&env->machine->handles[handle].signalled, 1, __ATOMIC_SEQ_CST))
		env->wake(env->ctx, handle);
}

static void mark_fired(const struct machine_env *env, uint16_t handle, uint32_t port)
{
	struct machine_handle *h = &env->machine->handles[handle];
	uint64_t bit = 1ull << (port % 64);

	if (!(__atomic_fetch_or(&h->fired[port / 64], bit, __ATOMIC_SEQ_CST) & bit))
		signal_handle(env, handle);
}

void machine_evt_rouse(const struct machine_env *env, uint16_t handle)
{
	__atomic_exchange_n(&env->machine->handles[handle].signalled, 1, __ATOMIC_SEQ_CST);
	env->wake(env->ctx, handle);
}

static void fire(const struct machine_env *env, struct machine_port *p, uint32_t port)
{
	uint32_t old = __atomic_fetch_or(&p->bits, MACHINE_EVT_PENDING, __ATOMIC_SEQ_CST);

	if (!(old & (MACHINE_EVT_PENDING | MACHINE_EVT_MASKED)))
		mark_fired(env, LOAD(p->handle), port);
}

/*
 * A notifier that was killed may have set the pending bit and nothing else; those after it would
 * see the bit and leave the rest to it. The owner looks once in vain at worst.
 */
static void fire_again(const struct machine_env *env, struct machine_port *p, uint32_t port)
{
	uint16_t handle = LOAD(p->handle);

	if (LOAD(p->bits) != MACHINE_EVT_PENDING)
		return;
	mark_fired(env, handle, port);
	signal_handle(env, handle);
}

int machine_evt_alloc(struct machine *m, uint16_t handle, uint16_t remote, uint32_t *port)
{
	int rc = new_port(m, handle, port);
	struct machine_port *p;

	if (rc < 0)
		return rc;
	p = &m->domains[m->handles[handle].domid].ports[*port];
	STORE(p->remote_domid, remote);
	STORE(p->remote_port, 0);
	STORE(p->state, MACHINE_PORT_UNBOUND);
	return 0;
}

int machine_evt_bind(const struct machine_env *env, uint16_t handle, uint16_t domid,
		     uint32_t remote_port, uint32_t *port)
{
	struct machine *m = env->machine;
	uint16_t self = m->handles[handle].domid;
	struct machine_port *theirs, *ours;
	int rc;

	if (domid >= MACHINE_DOMAINS || remote_port == 0 || remote_port >= MACHINE_PORTS)
		return -EINVAL;
	theirs = &m->domains[domid].ports[remote_port];
	if (LOAD(theirs->state) != MACHINE_PORT_UNBOUND || LOAD(theirs->remote_domid) != self)
		return -EINVAL;
	rc = new_port(m, handle, port);
	if (rc < 0)
		return rc;
	ours = &m->domains[self].ports[*port];
	STORE(ours->remote_domid, domid);
	STORE(ours->remote_port, remote_port);
	STORE(theirs->remote_port, *port);
	STORE(ours->state, MACHINE_PORT_INTERDOMAIN);
	STORE(theirs->state, MACHINE_PORT_INTERDOMAIN);
	fire(env, ours, *port); /* Xen marks a newly bound port pending */
	fire_again(env, theirs, remote_port);
	return 0;
}

int machine_evt_unbind(struct machine *m, uint16_t handle, uint32_t port)
{
	struct machine_port *p = own_port(m, handle, port);
	struct machine_port *theirs;

	if (!p)
		return -EINVAL;
	if (LOAD(p->state) == MACHINE_PORT_INTERDOMAIN) {
		theirs = &m->domains[LOAD(p->remote_domid)].ports[LOAD(p->remote_port)];
		STORE(theirs->state, MACHINE_PORT_UNBOUND);
	}
	STORE(p->state, MACHINE_PORT_FREE);
	__atomic_fetch_and(&m->handles[handle].fired[port / 64], ~(1ull << (port % 64)),
			   __ATOMIC_SEQ_CST);
	return 0;
}

void machine_handle_close(const struct machine_env *env, uint16_t handle)
{
	struct machine *m = env->machine;

	for (uint32_t port = 1; port < MACHINE_PORTS; port++)
		machine_evt_unbind(m, handle, port);
	STORE(m->handles[handle].used, 0);
}

int machine_evt_notify(const struct machine_env *env, uint16_t domid, uint32_t port)
{
	struct machine *m = env->machine;
	struct machine_port *p, *theirs;
	uint32_t remote;

	if (port == 0 || port >= MACHINE_PORTS)
		return -EINVAL;
	p = &m->domains[domid].ports[port];
	switch ((enum machine_port_state)LOAD(p->state)) {
	case MACHINE_PORT_FREE:
		return -EINVAL;
	case MACHINE_PORT_UNBOUND:
		return 0;
	case MACHINE_PORT_INTERDOMAIN:
		remote = LOAD(p->remote_port);
		theirs = &m->domains[LOAD(p->remote_domid)].ports[remote];
		if (LOAD(theirs->state) == MACHINE_PORT_INTERDOMAIN)
			fire(env, theirs, remote);
		return 0;
	}
	return -EINVAL;
}

/* Takes fired ports and masks them; *more: some were left. */
static unsigned int take_fired(struct machine *m, uint16_t handle, uint32_t *ports,
			       unsigned int max, bool *more)
{
	struct machine_handle *h = &m->handles[handle];
	unsigned int n = 0;

	*more = false;
	for (unsigned int word = 0; word < ARRAY_SIZE(h->fired); word++) {
		for (uint64_t bits = LOAD(h->fired[word]); bits; bits &= bits - 1) {
			uint32_t port = word * 64 + (uint32_t)__builtin_ctzll(bits);
			struct machine_port *p = own_port(m, handle, port);

			if (n == max) {
				*more = true;
				return n;
			}
			__atomic_fetch_and(&h->fired[word], ~(1ull << (port % 64)),
					   __ATOMIC_SEQ_CST);
			if (!p)
				continue; /* fired while it was unbound */
			/* Pending is consumed, masked until unmask; an exchange, for what was
			 * written before the notify is to be seen. */
			__atomic_exchange_n(&p->bits, MACHINE_EVT_MASKED, __ATOMIC_SEQ_CST);
			ports[n++] = port;
		}
	}
	return n;
}

/*
 * Only where nothing has fired the descriptor is read, and only what was read is rearmed: then a
 * signaller that has not written yet will, and wakes us. One that is overtaken (by rouse) leaves a
 * descriptor that is readable for no reason: every LOOKS_IDLE looks it is read all the same.
 */
int machine_evt_take(const struct machine_env *env, uint16_t handle, int fd, uint32_t *ports,
		     unsigned int max)
{
	struct machine_handle *h = &env->machine->handles[handle];
	eventfd_t count;
	unsigned int n;
	bool more;

	n = take_fired(env->machine, handle, ports, max, &more);
	if (n > 0 || more)
		return (int)n;
	if (!LOAD(h->signalled) && ++h->idle_looks % LOOKS_IDLE)
		return 0;
	if (eventfd_read(fd, &count) == 0)
		__atomic_exchange_n(&h->signalled, 0, __ATOMIC_SEQ_CST);
	n = take_fired(env->machine, handle, ports, max, &more);
	if (more)
		signal_handle(env, handle);
	return (int)n;
}

int machine_evt_unmask(const struct machine_env *env, uint16_t handle, const uint32_t *ports,
		       unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		struct machine_port *p = own_port(env->machine, handle, ports[i]);

		if (!p)
			continue; /* unbound since it fired; Linux is silent about it, too */
		if (__atomic_fetch_and(&p->bits, ~MACHINE_EVT_MASKED, __ATOMIC_SEQ_CST) &
		    MACHINE_EVT_PENDING)
			mark_fired(env, handle, ports[i]);
	}
	return 0;
}

void machine_domain_clear(const struct machine_env *env, uint16_t domid)
{
	struct machine *m = env->machine;

	for (unsigned int i = 0; i < MACHINE_HANDLES; i++)
		if (m->handles[i].used && m->handles[i].domid == domid)
			machine_handle_close(env, (uint16_t)i);
	for (uint32_t ref = 0; ref < MACHINE_GRANTS; ref++) {
		machine_abandon(m, domid, ref);
		m->domains[domid].grants[ref].pins = 0; /* pinners know by the generation */
	}
	__atomic_fetch_add(&m->domains[domid].generation, 1, __ATOMIC_RELEASE);
}

unsigned int machine_pinned(const struct machine *m, uint16_t domid)
{
	unsigned int n = 0;

	for (uint32_t ref = 0; ref < MACHINE_GRANTS; ref++)
		n += m->domains[domid].grants[ref].pins > 0;
	return n;
}

unsigned int machine_bound(const struct machine *m, uint16_t domid)
{
	unsigned int n = 0;

	for (uint32_t port = 1; port < MACHINE_PORTS; port++)
		n += m->domains[domid].ports[port].state == MACHINE_PORT_INTERDOMAIN;
	return n;
}
