/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lacp_status.c - what a port looks like, and names for people, see lacp.h. */
#include "lacp_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/util.h"

int lacp_port_status(const struct lacp *lacp, unsigned int port, uint64_t now_ns,
		     struct lacp_port_status *status)
{
	const struct lacp_port *p = port < LACP_PORTS_MAX ? &lacp->ports[port] : NULL;

	if (!p || !p->used)
		return -EINVAL;
	*status = (struct lacp_port_status){
		.carrier = p->link.carrier,
		.mbps = lacp_mbps(lacp, p),
		.mbps_assumed = !p->link.mbps,
		.individual = lacp_is_individual(lacp, p),
		.loopback = lacp_is_loopback(lacp, p),
		.rx = p->rx,
		.selected = p->selected,
		.mux = p->mux,
		.drain = p->drain,
		.churn = {p->churn[0], p->churn[1]},
		.aggregator = p->selected == LACP_UNSELECTED ? -1 : p->aggregator,
		.ready = lacp_ready(p),
		.actor = p->actor,
		.partner = p->partner,
		.partner_default = p->partner_default,
		.rx_ns = now_ns - p->rx_since_ns,
		.mux_ns = now_ns - p->mux_since_ns,
		.reason = p->reason,
		.counters = p->counters,
	};
	status->actor.state = lacp_actor_state(lacp, p);
	status->active = status->aggregator >= 0 && status->aggregator == lacp->active;
	return 0;
}

void lacp_state_format(char out[LACP_STATE_TEXT], uint8_t state)
{
	static const char *const set[8] = {"active",	 "fast",	 "aggregatable", "sync",
					   "collecting", "distributing", "defaulted",	 "expired"};
	static const char *const clear[8] = {"passive", "slow", "individual"};
	size_t len = 0;

	out[0] = '\0';
	for (int i = 0; i < 8; i++) {
		const char *name = state >> i & 1 ? set[i] : clear[i];

		if (name)
			len += (size_t)snprintf(out + len, LACP_STATE_TEXT - len, "%s%s",
						len ? "," : "", name);
	}
}

const char *lacp_rx_name(enum lacp_rx rx)
{
	static const char *const names[] = {"port-disabled", "expired", "lacp-disabled",
					    "defaulted", "current"};

	return names[rx];
}

const char *lacp_selected_name(enum lacp_selected selected)
{
	static const char *const names[] = {"unselected", "standby", "selected"};

	return names[selected];
}

const char *lacp_mux_name(enum lacp_mux mux)
{
	static const char *const names[] = {"detached", "waiting", "attached", "collecting",
					    "distributing"};

	return names[mux];
}

const char *lacp_drain_name(enum lacp_drain drain)
{
	static const char *const names[] = {"none", "marker", "unsync", "done"};

	return names[drain];
}

const char *lacp_churn_name(enum lacp_churn churn)
{
	static const char *const names[] = {"none", "monitoring", "churned"};

	return names[churn];
}

const char *const lacp_mode_names[] = {"active", "passive", "static", NULL};
const char *const lacp_ad_select_names[] = {"stable", "bandwidth", "count", "prio", NULL};
const char *const lacp_fallback_names[] = {"none", "active-backup", "static", NULL};
