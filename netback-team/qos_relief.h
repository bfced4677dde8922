/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qos_relief.h - relief.h for the guests of a worker: what it decides goes to the control thread,
 * which asks xenback-vmctl(8) (guard_host.h). Worker thread only. */
#ifndef XB_NET_QOS_RELIEF_H
#define XB_NET_QOS_RELIEF_H

struct vif;
struct worker;

/** Its reason for xenback-vmctl, behind the vif's name: an attack may be another one. */
#define QOS_RELIEF_REASON "shortage"

/** Looks whether somebody has to be paused, or may go on. At each run of deadlines. */
void qos_relief_run(struct worker *worker);
/** The vif has come, or its values are new: vif->config.qos. */
void qos_relief_set(struct worker *worker, const struct vif *vif);
/** The vif goes; its guest goes on. */
void qos_relief_remove(struct worker *worker, const struct vif *vif);
/** xenback-vmctl did not pause the guest. */
void qos_relief_failed(struct worker *worker, const struct vif *vif);

#endif
