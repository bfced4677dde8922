/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fake.c - a whole Xen in this process, see fake.h: machine.[ch] on private memory, store.[ch], and
 * faults in front of both. */
#include "fake_priv.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include "util.h"

struct map {
	struct map *next;
	uint16_t domid;
	uint32_t *refs;
	unsigned int n;
	void *addr;
};

struct xen_gnt {
	struct fake_domain *domain;
	struct map *maps;
};
struct xen_evt {
	struct fake_domain *domain;
	uint16_t handle;
};
struct xen_shr {
	struct fake_domain *domain;
};

static void fake_close(struct xen *xen)
{
}

/* --- grants --- */

static int gnt_open(struct xen *xen, struct xen_gnt **out)
{
	*out = xb_calloc(1, sizeof(**out));
	(*out)->domain = fake_of(xen);
	return 0;
}

static int gnt_map(struct xen_gnt *gnt, uint16_t domid, const uint32_t *refs, unsigned int n,
		   void **addr)
{
	struct fake *fake = gnt->domain->fake;
	unsigned int done = 0;
	struct map *map;
	int rc = n ? 0 : -EINVAL;

	if (fake_hit(fake, FAKE_FAULT_MAP))
		return -ENOMEM;
	while (done < n && rc == 0) {
		rc = machine_pin(fake->machine, gnt->domain->xen.domid, domid, refs[done]);
		done += rc == 0;
	}
	if (rc == 0)
		rc = machine_window(fake->domains[domid].frames_fd, refs, n, addr);
	if (rc < 0) {
		while (done > 0)
			machine_unpin(fake->machine, domid, refs[--done]);
		return rc;
	}
	map = xb_calloc(1, sizeof(*map));
	map->domid = domid;
	map->n = n;
	map->refs = xb_calloc(n, sizeof(*refs));
	memcpy(map->refs, refs, n * sizeof(*refs));
	map->addr = *addr;
	map->next = gnt->maps;
	gnt->maps = map;
	return 0;
}

static void drop_map(struct xen_gnt *gnt, struct map **link)
{
	struct map *map = *link;

	for (unsigned int i = 0; i < map->n; i++)
		machine_unpin(gnt->domain->fake->machine, map->domid, map->refs[i]);
	munmap(map->addr, (size_t)map->n * XEN_PAGE_SIZE);
	*link = map->next;
	free(map->refs);
	free(map);
}

static int gnt_unmap(struct xen_gnt *gnt, void *addr, unsigned int n)
{
	for (struct map **link = &gnt->maps; *link; link = &(*link)->next) {
		if ((*link)->addr != addr || (*link)->n != n)
			continue;
		drop_map(gnt, link);
		return 0;
	}
	return -EINVAL;
}

static void gnt_close(struct xen_gnt *gnt)
{
	while (gnt->maps)
		drop_map(gnt, &gnt->maps);
	free(gnt);
}

static int gnt_copy(struct xen_gnt *gnt, struct xen_copy *segs, unsigned int n)
{
	struct fake *fake = gnt->domain->fake;
	int rc = 0;

	if (fake_hit(fake, FAKE_FAULT_COPY_CALL))
		return -EINVAL;
	if (fake->faults[FAKE_FAULT_COPY_STATUS] == 0)
		return machine_copy(&fake->env, gnt->domain->xen.domid, segs, n);
	for (unsigned int i = 0; i < n && rc == 0; i++) {
		if (fake_hit(fake, FAKE_FAULT_COPY_STATUS))
			segs[i].status = XEN_GNTST_GENERAL_ERROR;
		else
			rc = machine_copy(&fake->env, gnt->domain->xen.domid, &segs[i], 1);
	}
	return rc;
}

/* --- event channels --- */

static int evt_open(struct xen *xen, struct xen_evt **out)
{
	struct fake *fake = fake_of(xen)->fake;
	int handle = machine_handle_open(fake->machine, xen->domid);

	if (handle < 0)
		return handle;
	fake->wake_fds[handle] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fake->wake_fds[handle] < 0) {
		int rc = -errno;

		machine_handle_close(&fake->env, (uint16_t)handle);
		return rc;
	}
	*out = xb_calloc(1, sizeof(**out));
	(*out)->domain = fake_of(xen);
	(*out)->handle = (uint16_t)handle;
	return 0;
}

static void evt_close(struct xen_evt *evt)
{
	struct fake *fake = evt->domain->fake;

	machine_handle_close(&fake->env, evt->handle);
	close(fake->wake_fds[evt->handle]);
	fake->wake_fds[evt->handle] = -1;
	free(evt);
}

static int evt_fd(struct xen_evt *evt)
{
	return evt->domain->fake->wake_fds[evt->handle];
}

static int evt_bind(struct xen_evt *evt, uint16_t domid, uint32_t remote_port, uint32_t *port)
{
	struct fake *fake = evt->domain->fake;

	if (fake_hit(fake, FAKE_FAULT_EVT_BIND))
		return -EINVAL;
	return machine_evt_bind(&fake->env, evt->handle, domid, remote_port, port);
}

static int evt_alloc(struct xen_evt *evt, uint16_t domid, uint32_t *port)
{
	return machine_evt_alloc(evt->domain->fake->machine, evt->handle, domid, port);
}

static int evt_unbind(struct xen_evt *evt, uint32_t port)
{
	return machine_evt_unbind(evt->domain->fake->machine, evt->handle, port);
}

static int evt_notify(struct xen_evt *evt, uint32_t port)
{
	struct fake *fake = evt->domain->fake;

	if (fake_hit(fake, FAKE_FAULT_EVT_LOST))
		return 0;
	return machine_evt_notify(&fake->env, evt->domain->xen.domid, port);
}

static int evt_pending(struct xen_evt *evt, uint32_t *ports, unsigned int max)
{
	struct fake *fake = evt->domain->fake;

	return machine_evt_take(&fake->env, evt->handle, fake->wake_fds[evt->handle], ports, max);
}

static int evt_unmask(struct xen_evt *evt, const uint32_t *ports, unsigned int n)
{
	return machine_evt_unmask(&evt->domain->fake->env, evt->handle, ports, n);
}

/* --- sharing --- */

static int shr_open(struct xen *xen, struct xen_shr **out)
{
	*out = xb_calloc(1, sizeof(**out));
	(*out)->domain = fake_of(xen);
	return 0;
}

static void shr_close(struct xen_shr *shr)
{
	free(shr);
}

static int shr_alloc(struct xen_shr *shr, uint16_t domid, unsigned int n, bool writable,
		     uint32_t *refs, void **addr)
{
	struct fake_domain *d = shr->domain;
	int first = machine_grant(d->fake->machine, d->xen.domid, domid, n, writable);

	if (first < 0)
		return first;
	for (unsigned int i = 0; i < n; i++)
		refs[i] = (uint32_t)first + i;
	*addr = d->frames + (size_t)first * XEN_PAGE_SIZE;
	memset(*addr, 0, (size_t)n * XEN_PAGE_SIZE);
	return 0;
}

static int shr_free(struct xen_shr *shr, void *addr, unsigned int n)
{
	struct fake_domain *d = shr->domain;

	return machine_ungrant(d->fake->machine, d->xen.domid,
			       (uint32_t)(((uint8_t *)addr - d->frames) / XEN_PAGE_SIZE), n);
}

static const struct xen_ops fake_ops = {
	.name = "fake",
	.close = fake_close,
	.gnt_open = gnt_open,
	.gnt_close = gnt_close,
	.gnt_map = gnt_map,
	.gnt_unmap = gnt_unmap,
	.gnt_copy = gnt_copy,
	.evt_open = evt_open,
	.evt_close = evt_close,
	.evt_fd = evt_fd,
	.evt_bind = evt_bind,
	.evt_alloc = evt_alloc,
	.evt_unbind = evt_unbind,
	.evt_notify = evt_notify,
	.evt_pending = evt_pending,
	.evt_unmask = evt_unmask,
	.shr_open = shr_open,
	.shr_close = shr_close,
	.shr_alloc = shr_alloc,
	.shr_free = shr_free,
	.store_open = fake_store_open,
	.store_close = fake_store_close,
	.store_fd = fake_store_fd,
	.store_read = fake_store_read,
	.store_write = fake_store_write,
	.store_mkdir = fake_store_mkdir,
	.store_rm = fake_store_rm,
	.store_list = fake_store_list,
	.store_get_perms = fake_store_get_perms,
	.store_set_perms = fake_store_set_perms,
	.store_watch = fake_store_watch,
	.store_unwatch = fake_store_unwatch,
	.store_event = fake_store_event,
	.txn_start = fake_txn_start,
	.txn_end = fake_txn_end,
};

/* --- the machine --- */

static uint8_t *env_frames(void *ctx, uint16_t domid)
{
	struct fake_domain *d = &((struct fake *)ctx)->domains[domid];

	return d->dead ? NULL : d->frames;
}

static void env_wake(void *ctx, uint16_t handle)
{
	(void)eventfd_write(((struct fake *)ctx)->wake_fds[handle], 1);
}

/* Sparse: only what is touched costs memory. *fd may be NULL. */
static void *area(size_t size, int *fd)
{
	int flags = fd ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
	void *p;

	if (fd) {
		*fd = memfd_create("fake-frames", MFD_CLOEXEC);
		if (*fd < 0 || ftruncate(*fd, (off_t)size) < 0)
			return NULL;
	}
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd ? *fd : -1, 0);
	return p == MAP_FAILED ? NULL : p;
}

int fake_create(struct fake **out)
{
	struct fake *fake = xb_calloc(1, sizeof(*fake));

	fake->machine = area(sizeof(*fake->machine), NULL);
	fake->store = store_create();
	fake->env = (struct machine_env){fake->machine, env_frames, env_wake, fake};
	memset(fake->wake_fds, -1, sizeof(fake->wake_fds));
	for (unsigned int i = 0; i < MACHINE_DOMAINS; i++)
		fake->domains[i].frames_fd = -1;
	if (!fake->machine || !fake_domain(fake, 0)) {
		fake_destroy(fake);
		return -ENOMEM;
	}
	*out = fake;
	return 0;
}

void fake_destroy(struct fake *fake)
{
	if (!fake)
		return;
	for (unsigned int i = 0; i < MACHINE_DOMAINS; i++) {
		if (fake->domains[i].frames)
			munmap(fake->domains[i].frames, MACHINE_FRAMES_BYTES);
		xb_close_fd(&fake->domains[i].frames_fd);
	}
	if (fake->machine)
		munmap(fake->machine, sizeof(*fake->machine));
	store_destroy(fake->store);
	free(fake);
}

struct xen *fake_domain(struct fake *fake, uint16_t domid)
{
	struct fake_domain *d;

	if (domid >= MACHINE_DOMAINS)
		return NULL;
	d = &fake->domains[domid];
	if (d->frames && !d->dead)
		return &d->xen;
	d->fake = fake;
	d->xen.ops = &fake_ops;
	d->xen.domid = domid;
	d->dead = false;
	if (!d->frames)
		d->frames = area(MACHINE_FRAMES_BYTES, &d->frames_fd);
	if (!d->frames) {
		xb_close_fd(&d->frames_fd);
		d->frames_fd = -1;
		return NULL;
	}
	if (domid)
		store_introduce(fake->store, domid);
	return &d->xen;
}

void fake_domain_kill(struct fake *fake, uint16_t domid)
{
	const struct machine_port *ports;

	if (domid == 0 || domid >= MACHINE_DOMAINS || !fake->domains[domid].frames)
		return;
	ports = fake->machine->domains[domid].ports;
	fake->domains[domid].dead = true;
	/* The handles' owners still close them: only what others see of the domain goes. */
	for (uint32_t port = 1; port < MACHINE_PORTS; port++)
		if (ports[port].state != MACHINE_PORT_FREE)
			machine_evt_unbind(fake->machine, ports[port].handle, port);
	for (uint32_t ref = 0; ref < MACHINE_GRANTS; ref++)
		machine_abandon(fake->machine, domid, ref);
	store_release(fake->store, domid);
}

void fake_fault(struct fake *fake, enum fake_fault fault, unsigned int n)
{
	fake->faults[fault] = n;
	if (fault == FAKE_FAULT_STORE_DOWN && n != 0)
		fake_stores_lose(fake);
}

void fake_revoke(struct fake *fake, uint16_t domid, uint32_t ref)
{
	if (domid < MACHINE_DOMAINS && ref < MACHINE_GRANTS)
		machine_revoke(fake->machine, domid, ref);
}

void fake_watch_storm(struct fake *fake, const char *path, unsigned int n)
{
	while (n-- > 0)
		store_fire(fake->store, path);
}

unsigned int fake_mapped(const struct fake *fake, uint16_t domid)
{
	return machine_pinned(fake->machine, domid);
}

unsigned int fake_ports(const struct fake *fake, uint16_t domid)
{
	return machine_bound(fake->machine, domid);
}

unsigned int fake_nodes(const struct fake *fake)
{
	return store_nodes(fake->store);
}
