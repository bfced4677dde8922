/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * real.c - the Xen seam on a real Xen: grants by libxengnttab and event channels by libxenevtchn;
 * the store is in real_store.c. No other files include Xen's libraries.
 *
 * Event channels: a handle's descriptor yields an array of fired ports for one read(2) and takes an
 * array to unmask for one write(2) (/dev/xen/evtchn, linux/xen/evtchn.h), so a busy worker pays one
 * system call for many ports.
 */
#include "real.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xenevtchn.h>
#include <xengnttab.h>

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
	size_t left = n * sizeof(*ports);

	/* The kernel takes a page of them at a time. */
	while (left) {
		ssize_t done = write(evt->fd, ports + n - left / sizeof(*ports), left);

		if (done < 0 && errno != EINTR)
			return -errno;
		left -= done > 0 ? (size_t)done : 0;
	}
	return 0;
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
	.store_open = real_store_open,
	.store_close = real_store_close,
	.store_fd = real_store_fd,
	.store_read = real_store_read,
	.store_write = real_store_write,
	.store_mkdir = real_store_mkdir,
	.store_rm = real_store_rm,
	.store_list = real_store_list,
	.store_get_perms = real_store_get_perms,
	.store_set_perms = real_store_set_perms,
	.store_watch = real_store_watch,
	.store_unwatch = real_store_unwatch,
	.store_event = real_store_event,
	.txn_start = real_txn_start,
	.txn_end = real_txn_end,
};

int xen_open_real(struct xen **xen)
{
	static const struct {
		const char *path, *module;
	} devices[] = {{"/dev/xen/gntdev", "xen-gntdev"}, {"/dev/xen/evtchn", "xen-evtchn"}};
	uint16_t domid;
	int rc;

	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		if (access(devices[i].path, R_OK | W_OK) == 0)
			continue;
		log_err("%s: %s: this is not a Xen Dom0, or the module %s is not loaded "
			"(modprobe %s), or root is needed",
			devices[i].path, strerror(errno), devices[i].module, devices[i].module);
		return -ENODEV;
	}
	rc = real_store_domid(&domid);
	if (rc < 0) {
		log_err("xenstored does not answer: %s (is xen.service running?)", strerror(-rc));
		return -ENOENT;
	}
	*xen = xb_calloc(1, sizeof(**xen));
	(*xen)->ops = &real_ops;
	(*xen)->domid = domid;
	return 0;
}
