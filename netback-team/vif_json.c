/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vif_json.c - what a guest's interface lost, by reason, and which of its keys are set: for
 * xenbackctl. */
#include "vif.h"

#include <string.h>

#include "netback.h"
#include "util.h"

/* Counters of frames that did not arrive: name of the reason, member. */
static const struct {
	const char *reason;
	size_t offset;
} drops[] = {
#define ROW(reason, member)                                                                        \
	{                                                                                          \
		reason, offsetof(struct vif_stats, member)                                         \
	}
	ROW("tx-request", tx_errors),	   ROW("tx-spoofed", tx_spoofed),
	ROW("tx-attack", tx_limited),	   ROW("tx-control", tx_control),
	ROW("tx-no-member", tx_no_member), ROW("tx-too-big", tx_too_big),
	ROW("tx-refused", tx_refused),	   ROW("rx-full", rx_dropped_full),
	ROW("rx-late", rx_dropped_late),   ROW("rx-stalled", rx_dropped_stalled),
	ROW("rx-attack", rx_limited),	   ROW("rx-unfit", rx_errors),
#undef ROW
};

json_t *vif_drops_to_json(const struct vif *vif, uint64_t *sum)
{
	json_t *all = json_object();

	*sum = 0;
	for (size_t i = 0; i < ARRAY_SIZE(drops); i++) {
		const uint64_t *counter =
			(const void *)((const char *)&vif->stats + drops[i].offset);
		const uint64_t n = __atomic_load_n(counter, __ATOMIC_RELAXED);

		*sum += n;
		if (n)
			json_object_set_new(all, drops[i].reason, json_integer((json_int_t)n));
	}
	return all;
}

json_t *vif_policy_to_json(const struct vif_policy *policy)
{
	AUTO_FREE struct vif_policy *defaults = xb_calloc(1, sizeof(*defaults));
	json_t *all = json_object();

	keys_set_defaults(&vif_key_table, defaults);
	for (size_t i = 0; i < vif_key_table.n_keys; i++) {
		const struct key *key = &vif_key_table.keys[i];
		AUTO_FREE char *value = key_format(key, policy);
		AUTO_FREE char *usual = key_format(key, defaults);

		if (strcmp(value, usual) != 0)
			json_object_set_new(all, key->name, json_string(value));
	}
	return all;
}
