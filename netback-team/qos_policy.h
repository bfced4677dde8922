/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qos_policy.h - from the keys of a VM's vif and the toolstack's rate= to bandwidth (qos.h), and
 * the sentence that says what is wrong with them. For the control thread (vifdev.c).
 */
#ifndef XB_NET_QOS_POLICY_H
#define XB_NET_QOS_POLICY_H

#include "netback_keys.h"
#include "qos.h"

/** What the toolstack's rate= says; 0 = nothing. */
struct qos_xl_rate {
	uint64_t bps, burst_bytes;
};

/** The bandwidth that the keys mean. */
void qos_of_policy(const struct vif_policy *policy, const struct qos_xl_rate *xl,
		   struct qos_vif *out);
/** 0, or -EINVAL with a sentence that names keys, values and what is allowed. */
int qos_check_policy(const struct vif_policy *policy, const struct qos_xl_rate *xl,
		     char error[KEY_ERROR_MAX]);
/** The sentence for values that were refused because of `why` (static text of fair.h, limit.h). */
void qos_explain(const struct vif_policy *policy, const char *why, char error[KEY_ERROR_MAX]);

#endif
