/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conflict.c - looks for other backends of the same type, see conflict.h. */
#include "conflict.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "util.h"

#define LOG_MODULE "xenbus"

int xen_check_drivers(const char *sysfs, const struct xen_conflict *conflicts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		AUTO_FREE char *path =
			xb_asprintf("%s/bus/xen-backend/drivers/%s", sysfs, conflicts[i].driver);

		if (access(path, F_OK) < 0)
			continue;
		log_err("%s", conflicts[i].remedy);
		return -EBUSY;
	}
	return 0;
}

static int check_models(struct xen *xen, struct xen_store *store, const char *type)
{
	AUTO_FREE char *base = xb_asprintf("/local/domain/%u/device-model", xen->domid);
	AUTO_FREE char **domains = NULL;
	unsigned int n = 0;
	int r = xen->ops->store_list(store, XEN_TXN_NONE, base, &domains, &n);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	for (unsigned int i = 0; i < n; i++) {
		AUTO_FREE char *path = xb_asprintf("%s/%s/backends/%s", base, domains[i], type);
		AUTO_FREE char *value = NULL;

		if (xen->ops->store_read(store, XEN_TXN_NONE, path, &value, NULL) < 0)
			continue;
		log_err("the device model (QEMU) of domain %s serves backend/%s (%s): end that "
			"domain, then start again",
			domains[i], type, path);
		return -EBUSY;
	}
	return 0;
}

int xen_check_device_models(struct xen *xen, const char *type)
{
	struct xen_store *store;
	int r = xen->ops->store_open(xen, &store);

	if (r < 0) {
		log_err("xenstore: cannot connect: %s", strerror(-r));
		return r;
	}
	r = check_models(xen, store, type);
	xen->ops->store_close(store);
	return r;
}
