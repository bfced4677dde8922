/* SPDX-License-Identifier: GPL-2.0-or-later */
/* guard_priv.h - what the guard files share. */
#ifndef XB_NET_GUARD_PRIV_H
#define XB_NET_GUARD_PRIV_H

#include "guard.h"

struct guard {
	struct worker *worker;
	struct dos *dos; /**< NULL until the first vif is watched, and act with it */
	struct act *act;
	const struct signature_set *signatures;
	struct guard_profile team; /**< thresholds as in the profile */
	struct vif *vifs[DOS_VMS_MAX];
	unsigned int n_watched, n_delayed;
};

#endif
