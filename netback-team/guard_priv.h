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
	unsigned int n_watched, n_delayed, n_resting;
	uint64_t told; /**< number of the last event that the control thread knows */
};

/** guard_status.c: the guest of an event, NULL when it is gone or the event is of the team. */
struct vif *guard_vif_of(const struct guard *guard, const struct act_event *event);
/** guard.c: the guest may send again, if it rested. */
void guard_rest_end(struct vif *vif);
/** guard_act.c: new events of the history go to the control thread. */
void guard_tell(struct guard *guard);

#endif
