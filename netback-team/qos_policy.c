/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qos_policy.c - a VM's bandwidth out of its keys, see qos_policy.h. */
#include "qos_policy.h"

#include <stdio.h>

#include "util.h"

#define XL_BURST_MIN 65535u /* rate=1KB/s@50ms is not meant to stop the guest */

void qos_of_policy(const struct vif_policy *policy, const struct qos_xl_rate *xl,
		   struct qos_vif *out)
{
	const uint64_t avg = policy->avg_bps ? policy->avg_bps : policy->rate_bps;
	struct limit_config *limit = &out->tx.limit;

	*out = (struct qos_vif){.tx = {.shares = (uint32_t)policy->shares,
				       .priority = (uint8_t)policy->priority,
				       .min_bps = policy->min_bps},
				.rx = {.avg_bps = policy->rx_avg_bps,
				       .burst_bytes = policy->rx_burst_bytes,
				       .peak_bps = policy->rx_peak_bps,
				       .period_ns = policy->rx_period_ns},
				.rx_queue_bytes = policy->rx_queue_bytes,
				.shortage_pause_ns = policy->shortage_pause_ns};
	limit->avg_bps = avg ? avg : xl->bps;
	limit->burst_bytes = policy->burst_bytes;
	if (!avg && xl->bps && !policy->burst_bytes)
		limit->burst_bytes = MAX(xl->burst_bytes, XL_BURST_MIN);
	limit->peak_bps = policy->peak_bps;
	limit->period_ns = policy->period_ns;
}

/* The keys that stand against each other, as they were given. */
void qos_explain(const struct vif_policy *policy, const char *why, char error[KEY_ERROR_MAX])
{
	static const char *const names[] = {"min",     "avg",	    "rate",    "burst",
					    "peak",    "period",    "rx_avg",  "rx_burst",
					    "rx_peak", "rx_period", "rx_queue"};
	int n = snprintf(error, KEY_ERROR_MAX, "%s:", why);

	for (size_t i = 0; i < ARRAY_SIZE(names) && n > 0 && n < KEY_ERROR_MAX; i++) {
		const struct key *key = key_find(&vif_key_table, names[i]);
		AUTO_FREE char *value = key_format(key, policy);

		n += snprintf(error + n, KEY_ERROR_MAX - (size_t)n, " %s=%s", names[i], value);
	}
}

int qos_check_policy(const struct vif_policy *policy, const struct qos_xl_rate *xl,
		     char error[KEY_ERROR_MAX])
{
	struct qos_vif qos;
	const char *why;
	int rc;

	qos_of_policy(policy, xl, &qos);
	rc = qos_vif_check(&qos, &why);
	if (rc < 0)
		qos_explain(policy, why, error);
	return rc;
}
