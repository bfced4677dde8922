/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * real_vms.c - the guests of a real Xen: by libxenctrl, their names by libxenstore (see vms.h).
 *
 * Built only where libxenctrl is, and into xenback-vmctl only: the other programs hold no such
 * right.
 */
#include "vms.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xenctrl.h>
#include <xenstore.h>

#include "log.h"
#include "util.h"

#define LOG_MODULE "xen"

/* Asked for at a time. */
#define LIST_STEP 64

struct real_vms {
	struct vms vms;
	xc_interface *xc;
	struct xs_handle *store;
};

static struct real_vms *real(struct vms *vms)
{
	return container_of(vms, struct real_vms, vms);
}

static void read_name(const struct real_vms *vms, struct vms_info *info)
{
	AUTO_FREE char *path = xb_asprintf("/local/domain/%u/name", info->domid);
	unsigned int size = 0;
	AUTO_FREE char *name = xs_read(vms->store, XBT_NULL, path, &size);

	snprintf(info->name, sizeof(info->name), "%.*s", (int)size, name ? name : "");
}

static void fill(const struct real_vms *vms, const xc_domaininfo_t *from, struct vms_info *info)
{
	const uint8_t *h = from->handle;

	*info = (struct vms_info){
		.domid = (uint16_t)from->domain,
		.paused = from->flags & XEN_DOMINF_paused,
		.ending = from->flags & (XEN_DOMINF_dying | XEN_DOMINF_shutdown),
	};
	snprintf(info->uuid, sizeof(info->uuid),
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", h[0], h[1],
		 h[2], h[3], h[4], h[5], h[6], h[7], h[8], h[9], h[10], h[11], h[12], h[13], h[14],
		 h[15]);
	read_name(vms, info);
}

static int real_list(struct vms *base, struct vms_info **list, size_t *n)
{
	const struct real_vms *vms = real(base);
	xc_domaininfo_t found[LIST_STEP];
	uint32_t next = 1;
	int step;

	*list = NULL;
	*n = 0;
	do {
		step = xc_domain_getinfolist(vms->xc, next, LIST_STEP, found);
		if (step < 0) {
			step = -errno;
			free(*list);
			*list = NULL;
			return step;
		}
		*list = xb_realloc(*list, (*n + (size_t)step + 1) * sizeof(**list));
		for (int i = 0; i < step; i++)
			fill(vms, &found[i], &(*list)[(*n)++]);
		next = step ? found[step - 1].domain + 1u : next;
	} while (step == LIST_STEP);
	return 0;
}

static int real_find(struct vms *base, uint16_t domid, struct vms_info *info)
{
	const struct real_vms *vms = real(base);
	xc_domaininfo_t found;
	int n = xc_domain_getinfolist(vms->xc, domid, 1, &found);

	if (n < 0)
		return -errno;
	/* The list begins at the next one where there is none of this number. */
	if (n == 0 || found.domain != domid)
		return -ESRCH;
	fill(vms, &found, info);
	return 0;
}

static int real_pause(struct vms *base, uint16_t domid)
{
	return xc_domain_pause(real(base)->xc, domid) ? -errno : 0;
}

static int real_unpause(struct vms *base, uint16_t domid)
{
	return xc_domain_unpause(real(base)->xc, domid) ? -errno : 0;
}

static void real_close(struct vms *base)
{
	struct real_vms *vms = real(base);

	if (vms->xc)
		xc_interface_close(vms->xc);
	if (vms->store)
		xs_close(vms->store);
	free(vms);
}

static const struct vms_ops real_ops = {
	.list = real_list,
	.find = real_find,
	.pause = real_pause,
	.unpause = real_unpause,
	.close = real_close,
};

int real_vms_open(struct vms **out)
{
	struct real_vms *vms = xb_calloc(1, sizeof(*vms));
	int err = 0;

	*out = NULL;
	vms->vms.ops = &real_ops;
	vms->store = xs_open(0);
	if (!vms->store) {
		err = errno ? -errno : -ENOENT;
		log_err("cannot connect to xenstored: %s; is this Dom0, and are you root?",
			strerror(-err));
	} else {
		vms->xc = xc_interface_open(NULL, NULL, XC_OPENFLAG_NON_REENTRANT);
		if (!vms->xc) {
			err = errno ? -errno : -ENODEV;
			log_err("cannot open the hypervisor (/dev/xen/privcmd): %s; is this Dom0, "
				"and are you root?",
				strerror(-err));
		}
	}
	if (err) {
		real_close(&vms->vms);
		return err;
	}
	*out = &vms->vms;
	return 0;
}
