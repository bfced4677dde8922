/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vifdev_priv.h - what vifdev.c (life and configuration) and vifdev_status.c (replies) share. */
#ifndef XB_NET_VIFDEV_PRIV_H
#define XB_NET_VIFDEV_PRIV_H

#include "netback.h"
#include "qos_policy.h"

struct vifdev {
	struct netback *nb;
	struct backend_device *dev;
	char uuid[64]; /**< of the VM, "" = unknown */
	struct vif_policy policy;
	struct qos_xl_rate xl_rate; /**< the toolstack's rate=, the last good one */
	bool min_refused;	    /**< its minimum did not fit beside the others */
	bool policy_read;	    /**< the keys were to be had when they were read last */
	char policy_error[KEY_ERROR_MAX];
	struct guard_profile guard; /**< that was last found for it */
	struct team_entry *team;    /**< while connected */
	struct vif *vif;	    /**< while connected */
	struct stats_group *group;
	char failure[128]; /**< why the data path gave up, "" = it did not */
};

/** The team that the VM's policy, or else the toolstack, names; "" = none. */
void vifdev_team_name(const struct vifdev *vd, char *out, size_t size);

#endif
