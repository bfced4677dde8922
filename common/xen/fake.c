/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fake.c - a whole Xen in this process, see fake.h: machine.[ch] on private memory, store.[ch], and faults in front of both. */
#include "fake.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include "machine.h"
#include "store.h"
#include "util.h"

struct fake_domain {
	struct xen xen;
	struct fake *fake;
	uint8_t *frames;
};

struct fake {
	struct machine *machine;
	struct machine_env env;
	struct store *store;
	struct fake_domain domains[MACHINE_DOMAINS];
	int wake_fds[MACHINE_HANDLES];
	unsigned int faults[FAKE_FAULT_COUNT];
};

/** A mapping: contiguous pages need contiguous frames, so more than one page is remapped from the frames' memfd. */
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
struct xen_store {
	struct fake_domain *domain;
	struct store_conn *conn;
	int fd;
	bool lost; /**< the store was down since: only a new connection helps */
};

static struct fake_domain *of(struct xen *xen)
{
	return container_of(xen, struct fake_domain, xen);
}

/* True when the armed fault hits now. */
static bool hit(struct fake *fake, enum fake_fault fault)
{
	if (fake->faults[fault] == 0)
		return false;
	fake->faults[fault]--;
	return true;
}

static void fake_close(struct xen *xen)
{
}

/* --- grants --- */

static int gnt_open(struct xen *xen, struct xen_gnt **out)
{
	*out = xb_calloc(1, sizeof(**out));
	(*out)->domain = of(xen);
	return 0;
}

/* Pages with consecutive references lie side by side in the frames; others can't be mapped in one piece here. */
static int gnt_map(struct xen_gnt *gnt, uint16_t domid, const uint32_t *refs, unsigned int n, void **addr)
{
	struct fake *fake = gnt->domain->fake;
	struct map *map;
	unsigned int done;
	int rc = 0;

	if (hit(fake, FAKE_FAULT_MAP))
		return -ENOMEM;
	for (done = 0; done < n && rc == 0; done++) {
		rc = done && refs[done] != refs[0] + done ?
			     -EOPNOTSUPP :
			     machine_pin(fake->machine, gnt->domain->xen.domid, domid, refs[done]);
	}
	if (rc < 0) {
		while (--done > 0)
			machine_unpin(fake->machine, domid, refs[done - 1]);
		return rc;
	}
	map = xb_calloc(1, sizeof(*map));
	map->domid = domid;
	map->n = n;
	map->refs = xb_calloc(n, sizeof(*refs));
	memcpy(map->refs, refs, n * sizeof(*refs));
	map->addr = fake->domains[domid].frames + (size_t)refs[0] * XEN_PAGE_SIZE;
	map->next = gnt->maps;
	gnt->maps = map;
	*addr = map->addr;
	return 0;
}

static void drop_map(struct xen_gnt *gnt, struct map **link)
{
	struct map *map = *link;

	for (unsigned int i = 0; i < map->n; i++)
		machine_unpin(gnt->domain->fake->machine, map->domid, map->refs[i]);
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
	int rc;

	if (hit(fake, FAKE_FAULT_COPY_CALL))
		return -EINVAL;
	rc = machine_copy(&fake->env, gnt->domain->xen.domid, segs, n);
	for (unsigned int i = 0; i < n && rc == 0 && fake->faults[FAKE_FAULT_COPY_STATUS]; i++) {
		segs[i].status = XEN_GNTST_GENERAL_ERROR;
		fake->faults[FAKE_FAULT_COPY_STATUS]--;
	}
	return rc;
}

/* --- event channels --- */

static int evt_open(struct xen *xen, struct xen_evt **out)
{
	struct fake *fake = of(xen)->fake;
	int handle = machine_handle_open(fake->machine, xen->domid);

	if (handle < 0)
		return handle;
	fake->wake_fds[handle] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	*out = xb_calloc(1, sizeof(**out));
	(*out)->domain = of(xen);
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

	if (hit(fake, FAKE_FAULT_EVT_BIND))
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

	if (hit(fake, FAKE_FAULT_EVT_LOST))
		return 0;
	return machine_evt_notify(&fake->env, evt->domain->xen.domid, port);
}

static int evt_pending(struct xen_evt *evt, uint32_t *ports, unsigned int max)
{
	struct fake *fake = evt->domain->fake;
	eventfd_t count;
	int n;

	(void)eventfd_read(fake->wake_fds[evt->handle], &count); /* EAGAIN: a look without an event */
	n = machine_evt_pending(fake->machine, evt->handle, ports, max);
	if ((unsigned int)n == max)
		(void)eventfd_write(fake->wake_fds[evt->handle], 1);
	return n;
}

static int evt_unmask(struct xen_evt *evt, const uint32_t *ports, unsigned int n)
{
	return machine_evt_unmask(&evt->domain->fake->env, evt->handle, ports, n);
}

/* --- sharing --- */

static int shr_open(struct xen *xen, struct xen_shr **out)
{
	*out = xb_calloc(1, sizeof(**out));
	(*out)->domain = of(xen);
	return 0;
}

static void shr_close(struct xen_shr *shr)
{
	free(shr);
}

static int shr_alloc(struct xen_shr *shr, uint16_t domid, unsigned int n, bool writable, uint32_t *refs,
		     void **addr)
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

/* --- the store --- */

static void on_store_event(void *ctx)
{
	(void)eventfd_write(((struct xen_store *)ctx)->fd, 1);
}

static int store_down(struct xen_store *store)
{
	if (store->domain->fake->faults[FAKE_FAULT_STORE_DOWN])
		store->lost = true;
	return store->lost ? -EIO : 0;
}

static int op_store_open(struct xen *xen, struct xen_store **out)
{
	struct xen_store *store;

	if (of(xen)->fake->faults[FAKE_FAULT_STORE_DOWN])
		return -EIO;
	store = xb_calloc(1, sizeof(*store));
	store->domain = of(xen);
	store->conn = store_connect(of(xen)->fake->store, xen->domid);
	store->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	store_on_event(store->conn, on_store_event, store);
	*out = store;
	return 0;
}

static void op_store_close(struct xen_store *store)
{
	store_disconnect(store->conn);
	close(store->fd);
	free(store);
}

static int op_store_fd(struct xen_store *store)
{
	return store->fd;
}

static int op_store_read(struct xen_store *store, xen_txn txn, const char *path, char **value, size_t *len)
{
	int rc = store_down(store);

	return rc < 0 ? rc : store_read(store->conn, txn, path, value, len);
}

static int op_store_write(struct xen_store *store, xen_txn txn, const char *path, const char *value,
			  size_t len)
{
	int rc = store_down(store);

	if (rc == 0 && hit(store->domain->fake, FAKE_FAULT_STORE_WRITE))
		rc = -ENOSPC;
	return rc < 0 ? rc : store_write(store->conn, txn, path, value, len);
}

static int op_store_mkdir(struct xen_store *store, xen_txn txn, const char *path)
{
	int rc = store_down(store);

	return rc < 0 ? rc : store_mkdir(store->conn, txn, path);
}

static int op_store_rm(struct xen_store *store, xen_txn txn, const char *path)
{
	int rc = store_down(store);

	return rc < 0 ? rc : store_rm(store->conn, txn, path);
}

static int op_store_list(struct xen_store *store, xen_txn txn, const char *path, char ***names,
			 unsigned int *n)
{
	int rc = store_down(store);

	return rc < 0 ? rc : store_list(store->conn, txn, path, names, n);
}

static int op_store_get_perms(struct xen_store *store, xen_txn txn, const char *path,
			      struct xen_perm **perms, unsigned int *n)
{
	int rc = store_down(store);

	return rc < 0 ? rc : store_get_perms(store->conn, txn, path, perms, n);
}

static int op_store_set_perms(struct xen_store *store, xen_txn txn, const char *path,
			      const struct xen_perm *perms, unsigned int n)
{
	int rc = store_down(store);

	return rc < 0 ? rc : store_set_perms(store->conn, txn, path, perms, n);
}

static int op_store_watch(struct xen_store *store, const char *path, const char *token)
{
	int rc = store_down(store);

	return rc < 0 ? rc : store_watch(store->conn, path, token);
}

static int op_store_unwatch(struct xen_store *store, const char *path, const char *token)
{
	int rc = store_down(store);

	return rc < 0 ? rc : store_unwatch(store->conn, path, token);
}

static int op_store_event(struct xen_store *store, char **path, char **token)
{
	eventfd_t count;
	int rc = store_down(store);

	if (rc < 0)
		return rc;
	rc = store_next_event(store->conn, path, token);
	if (rc == 0)
		(void)eventfd_read(store->fd, &count);
	return rc;
}

static int op_txn_start(struct xen_store *store, xen_txn *txn)
{
	int rc = store_down(store);

	return rc < 0 ? rc : store_txn_start(store->conn, txn);
}

static int op_txn_end(struct xen_store *store, xen_txn txn, bool abort)
{
	int rc = store_down(store);

	if (rc == 0 && !abort && hit(store->domain->fake, FAKE_FAULT_TXN_EAGAIN)) {
		store_txn_end(store->conn, txn, true);
		return -EAGAIN;
	}
	return rc < 0 ? rc : store_txn_end(store->conn, txn, abort);
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
	.store_open = op_store_open,
	.store_close = op_store_close,
	.store_fd = op_store_fd,
	.store_read = op_store_read,
	.store_write = op_store_write,
	.store_mkdir = op_store_mkdir,
	.store_rm = op_store_rm,
	.store_list = op_store_list,
	.store_get_perms = op_store_get_perms,
	.store_set_perms = op_store_set_perms,
	.store_watch = op_store_watch,
	.store_unwatch = op_store_unwatch,
	.store_event = op_store_event,
	.txn_start = op_txn_start,
	.txn_end = op_txn_end,
};

/* --- the machine --- */

static uint8_t *env_frames(void *ctx, uint16_t domid)
{
	return ((struct fake *)ctx)->domains[domid].frames;
}

static void env_wake(void *ctx, uint16_t handle)
{
	(void)eventfd_write(((struct fake *)ctx)->wake_fds[handle], 1);
}

static void *area(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

int fake_create(struct fake **out)
{
	struct fake *fake = xb_calloc(1, sizeof(*fake));

	fake->machine = area(sizeof(*fake->machine));
	fake->store = store_create();
	if (!fake->machine || !fake->store) {
		fake_destroy(fake);
		return -ENOMEM;
	}
	fake->env = (struct machine_env){ fake->machine, env_frames, env_wake, fake };
	memset(fake->wake_fds, -1, sizeof(fake->wake_fds));
	*out = fake;
	return fake_domain(fake, 0) ? 0 : -ENOMEM;
}

void fake_destroy(struct fake *fake)
{
	for (unsigned int i = 0; i < MACHINE_DOMAINS; i++)
		if (fake->domains[i].frames)
			munmap(fake->domains[i].frames, MACHINE_FRAMES_BYTES);
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
	if (d->frames)
		return &d->xen;
	d->fake = fake;
	d->xen.ops = &fake_ops;
	d->xen.domid = domid;
	d->frames = area(MACHINE_FRAMES_BYTES);
	if (d->frames && domid)
		store_introduce(fake->store, domid);
	return d->frames ? &d->xen : NULL;
}

void fake_domain_kill(struct fake *fake, uint16_t domid)
{
	/* The handles' owners still close them: only what others see of the domain goes. */
	for (uint32_t port = 1; port < MACHINE_PORTS; port++)
		machine_evt_unbind(fake->machine, fake->machine->domains[domid].ports[port].handle, port);
	for (uint32_t ref = 0; ref < MACHINE_GRANTS; ref++)
		fake_revoke(fake, domid, ref);
	store_release(fake->store, domid);
}

void fake_fault(struct fake *fake, enum fake_fault fault, unsigned int n)
{
	fake->faults[fault] = n;
}

void fake_revoke(struct fake *fake, uint16_t domid, uint32_t ref)
{
	fake->machine->domains[domid].grants[ref].flags = 0;
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
