/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * real.c - the Xen seam on a real Xen: libxengnttab, libxenevtchn and libxenstore, and the only
 * file that includes them.
 *
 * Event channels: a handle's descriptor yields an array of fired ports for one read(2) and takes an
 * array to unmask for one write(2)
 * (/dev/xen/evtchn, linux/xen/evtchn.h), so a busy worker pays one system call for many ports.
 */
#include "ops.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xenevtchn.h>
#include <xengnttab.h>
#include <xenstore.h>

#include "log.h"
#include "util.h"

#define LOG_MODULE "xen"

static_assert(sizeof(struct xen_copy) == sizeof(xengnttab_grant_copy_segment_t),
	      "grant copy segment");
static_assert(offsetof(struct xen_copy, dst) == offsetof(xengnttab_grant_copy_segment_t, dest),
	      "dst");
static_assert(offsetof(struct xen_copy, len) == offsetof(xengnttab_grant_copy_segment_t, len),
	      "len");
static_assert(offsetof(struct xen_copy, status) == offsetof(xengnttab_grant_copy_segment_t, status),
	      "status");
static_assert(offsetof(struct xen_copy, src.foreign.domid) ==
		      offsetof(xengnttab_grant_copy_segment_t, source.foreign.domid),
	      "domid");

struct xen_gnt {
	xengnttab_handle *handle;
};
struct xen_evt {
	xenevtchn_handle *handle;
	int fd;
};
struct xen_shr {
	xengntshr_handle *handle;
};
struct xen_store {
	struct xs_handle *handle;
};

static int negative(void)
{
	return errno ? -errno : -EIO;
}

static void real_close(struct xen *xen)
{
	free(xen);
}

/* --- grants --- */

static int gnt_open(struct xen *xen, struct xen_gnt **out)
{
	struct xen_gnt *gnt = xb_calloc(1, sizeof(*gnt));

	gnt->handle = xengnttab_open(NULL, 0);
	if (!gnt->handle) {
		int rc = negative();

		log_err("cannot open /dev/xen/gntdev: %s (is the module xen-gntdev loaded, and is "
			"this Dom0?)",
			strerror(-rc));
		free(gnt);
		return rc;
	}
	*out = gnt;
	return 0;
}

static void gnt_close(struct xen_gnt *gnt)
{
	xengnttab_close(gnt->handle);
	free(gnt);
}

static int gnt_map(struct xen_gnt *gnt, uint16_t domid, const uint32_t *refs, unsigned int n,
		   void **addr)
{
	errno = 0;
	*addr = xengnttab_map_domain_grant_refs(gnt->handle, n, domid, (uint32_t *)refs,
						PROT_READ | PROT_WRITE);
	return *addr ? 0 : negative();
}

static int gnt_unmap(struct xen_gnt *gnt, void *addr, unsigned int n)
{
	return xengnttab_unmap(gnt->handle, addr, n) < 0 ? negative() : 0;
}

static int gnt_copy(struct xen_gnt *gnt, struct xen_copy *segs, unsigned int n)
{
	if (n == 0)
		return 0;
	return xengnttab_grant_copy(gnt->handle, n, (xengnttab_grant_copy_segment_t *)segs) < 0
		       ? negative()
		       : 0;
}

/* --- event channels --- */

static int evt_open(struct xen *xen, struct xen_evt **out)
{
	struct xen_evt *evt = xb_calloc(1, sizeof(*evt));

	evt->handle = xenevtchn_open(NULL, 0);
	if (!evt->handle) {
		int rc = negative();

		log_err("cannot open /dev/xen/evtchn: %s (is the module xen-evtchn loaded?)",
			strerror(-rc));
		free(evt);
		return rc;
	}
	evt->fd = xenevtchn_fd(evt->handle);
	(void)fcntl(evt->fd, F_SETFL, fcntl(evt->fd, F_GETFL) | O_NONBLOCK);
	*out = evt;
	return 0;
}

static void evt_close(struct xen_evt *evt)
{
	xenevtchn_close(evt->handle);
	free(evt);
}

static int evt_fd(struct xen_evt *evt)
{
	return evt->fd;
}

static int evt_bind(struct xen_evt *evt, uint16_t domid, uint32_t remote_port, uint32_t *port)
{
	xenevtchn_port_or_error_t rc = xenevtchn_bind_interdomain(evt->handle, domid, remote_port);

	if (rc < 0)
		return negative();
	*port = (uint32_t)rc;
	return 0;
}

static int evt_alloc(struct xen_evt *evt, uint16_t domid, uint32_t *port)
{
	xenevtchn_port_or_error_t rc = xenevtchn_bind_unbound_port(evt->handle, domid);

	if (rc < 0)
		return negative();
	*port = (uint32_t)rc;
	return 0;
}

static int evt_unbind(struct xen_evt *evt, uint32_t port)
{
	return xenevtchn_unbind(evt->handle, port) < 0 ? negative() : 0;
}

static int evt_notify(struct xen_evt *evt, uint32_t port)
{
	return xenevtchn_notify(evt->handle, port) < 0 ? negative() : 0;
}

static int evt_pending(struct xen_evt *evt, uint32_t *ports, unsigned int max)
{
	ssize_t n = read(evt->fd, ports, max * sizeof(*ports));

	if (n >= 0)
		return (int)(n / (ssize_t)sizeof(*ports));
	return errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

static int evt_unmask(struct xen_evt *evt, const uint32_t *ports, unsigned int n)
{
	ssize_t size = (ssize_t)(n * sizeof(*ports));

	return write(evt->fd, ports, (size_t)size) == size ? 0 : negative();
}

/* --- sharing --- */

static int shr_open(struct xen *xen, struct xen_shr **out)
{
	struct xen_shr *shr = xb_calloc(1, sizeof(*shr));

	shr->handle = xengntshr_open(NULL, 0);
	if (!shr->handle) {
		int rc = negative();

		log_err("cannot open /dev/xen/gntalloc: %s (is the module xen-gntalloc loaded?)",
			strerror(-rc));
		free(shr);
		return rc;
	}
	*out = shr;
	return 0;
}

static void shr_close(struct xen_shr *shr)
{
	xengntshr_close(shr->handle);
	free(shr);
}

static int shr_alloc(struct xen_shr *shr, uint16_t domid, unsigned int n, bool writable,
		     uint32_t *refs, void **addr)
{
	errno = 0;
	*addr = xengntshr_share_pages(shr->handle, domid, (int)n, refs, writable);
	return *addr ? 0 : negative();
}

static int shr_free(struct xen_shr *shr, void *addr, unsigned int n)
{
	return xengntshr_unshare(shr->handle, addr, n) < 0 ? negative() : 0;
}

/* --- the store --- */

static int store_open(struct xen *xen, struct xen_store **out)
{
	struct xen_store *store = xb_calloc(1, sizeof(*store));

	errno = 0;
	store->handle = xs_open(XS_UNWATCH_FILTER);
	if (!store->handle) {
		int rc = negative();

		free(store);
		return rc;
	}
	*out = store;
	return 0;
}

static void store_close(struct xen_store *store)
{
	xs_close(store->handle);
	free(store);
}

static int store_fd(struct xen_store *store)
{
	return xs_fileno(store->handle);
}

/* What the store answers is passed on; a broken connection is -EIO whatever it looks like. */
static int store_error(void)
{
	switch (errno) {
	case EBADF:
	case EPIPE:
	case ECONNRESET:
	case ENOTCONN:
	case ESHUTDOWN:
		return -EIO;
	default:
		return negative();
	}
}

static int store_read(struct xen_store *store, xen_txn txn, const char *path, char **value,
		      size_t *len)
{
	unsigned int n;

	errno = 0;
	*value = xs_read(store->handle, txn, path, &n);
	if (!*value)
		return store_error();
	if (len)
		*len = n;
	return 0;
}

static int store_write(struct xen_store *store, xen_txn txn, const char *path, const char *value,
		       size_t len)
{
	errno = 0;
	return xs_write(store->handle, txn, path, value, (unsigned int)len) ? 0 : store_error();
}

static int store_mkdir(struct xen_store *store, xen_txn txn, const char *path)
{
	errno = 0;
	return xs_mkdir(store->handle, txn, path) ? 0 : store_error();
}

static int store_rm(struct xen_store *store, xen_txn txn, const char *path)
{
	errno = 0;
	return xs_rm(store->handle, txn, path) ? 0 : store_error();
}

static int store_list(struct xen_store *store, xen_txn txn, const char *path, char ***names,
		      unsigned int *n)
{
	errno = 0;
	*names = xs_directory(store->handle, txn, path, n);
	return *names ? 0 : store_error();
}

static int store_get_perms(struct xen_store *store, xen_txn txn, const char *path,
			   struct xen_perm **perms, unsigned int *n)
{
	struct xs_permissions *from;

	errno = 0;
	from = xs_get_permissions(store->handle, txn, path, n);
	if (!from)
		return store_error();
	*perms = xb_calloc(*n, sizeof(**perms));
	for (unsigned int i = 0; i < *n; i++)
		(*perms)[i] = (struct xen_perm){from[i].id, from[i].perms & XS_PERM_READ,
						from[i].perms & XS_PERM_WRITE};
	free(from);
	return 0;
}

static int store_set_perms(struct xen_store *store, xen_txn txn, const char *path,
			   const struct xen_perm *perms, unsigned int n)
{
	AUTO_FREE struct xs_permissions *to = xb_calloc(n, sizeof(*to));

	for (unsigned int i = 0; i < n; i++) {
		to[i].id = perms[i].domid;
		to[i].perms =
			(perms[i].read ? XS_PERM_READ : 0) | (perms[i].write ? XS_PERM_WRITE : 0);
	}
	errno = 0;
	return xs_set_permissions(store->handle, txn, path, to, n) ? 0 : store_error();
}

/* The first watch starts a reader thread in the library: it must not catch the signals of our loop.
 */
static int store_watch(struct xen_store *store, const char *path, const char *token)
{
	sigset_t all, old;
	bool ok;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	errno = 0;
	ok = xs_watch(store->handle, path, token);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return ok ? 0 : store_error();
}

static int store_unwatch(struct xen_store *store, const char *path, const char *token)
{
	errno = 0;
	return xs_unwatch(store->handle, path, token) ? 0 : store_error();
}

static int store_event(struct xen_store *store, char **path, char **token)
{
	char **event;

	errno = 0;
	event = xs_check_watch(store->handle);
	if (!event)
		return errno == EAGAIN ? 0 : store_error() == -EIO ? -EIO : 0;
	*path = xb_strdup(event[XS_WATCH_PATH]);
	*token = xb_strdup(event[XS_WATCH_TOKEN]);
	free(event);
	return 1;
}

static int txn_start(struct xen_store *store, xen_txn *txn)
{
	errno = 0;
	*txn = xs_transaction_start(store->handle);
	return *txn ? 0 : store_error();
}

static int txn_end(struct xen_store *store, xen_txn txn, bool abort)
{
	errno = 0;
	return xs_transaction_end(store->handle, txn, abort) ? 0 : store_error();
}

static const struct xen_ops real_ops = {
	.name = "real",
	.close = real_close,
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
	.store_open = store_open,
	.store_close = store_close,
	.store_fd = store_fd,
	.store_read = store_read,
	.store_write = store_write,
	.store_mkdir = store_mkdir,
	.store_rm = store_rm,
	.store_list = store_list,
	.store_get_perms = store_get_perms,
	.store_set_perms = store_set_perms,
	.store_watch = store_watch,
	.store_unwatch = store_unwatch,
	.store_event = store_event,
	.txn_start = txn_start,
	.txn_end = txn_end,
};

/* Our own domain id: 0 in Dom0, else what the store says. */
static uint16_t own_domid(struct xs_handle *handle)
{
	unsigned int n;
	AUTO_FREE char *value = xs_read(handle, XBT_NULL, "domid", &n);

	return value ? (uint16_t)strtoul(value, NULL, 10) : 0;
}

int xen_open_real(struct xen **out)
{
	static const char *const devices[] = {"/dev/xen/gntdev", "/dev/xen/evtchn"};
	static const char *const modules[] = {"xen-gntdev", "xen-evtchn"};
	struct xs_handle *handle;
	struct xen *xen;

	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		if (access(devices[i], R_OK | W_OK) == 0)
			continue;
		log_err("%s: %s: this is not a Xen Dom0, or the module %s is not loaded (modprobe "
			"%s), or root "
			"is needed",
			devices[i], strerror(errno), modules[i], modules[i]);
		return -ENODEV;
	}
	errno = 0;
	handle = xs_open(0);
	if (!handle) {
		log_err("xenstored does not answer: %s (is xen.service running?)", strerror(errno));
		return -ENOENT;
	}
	xen = xb_calloc(1, sizeof(*xen));
	xen->ops = &real_ops;
	xen->domid = own_domid(handle);
	xs_close(handle);
	*out = xen;
	return 0;
}
