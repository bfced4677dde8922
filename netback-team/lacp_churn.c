/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lacp_churn.c - the churn machines (802.1AX-2014 6.4.17), see lacp.h: ends that do not come into
 * Sync, which an operator should look at. A port on standby is out of Sync on purpose.
 */
#include "lacp_priv.h"

#include "common/util.h"

void lacp_churn_init(struct lacp_port *p)
{
	for (int end = 0; end < 2; end++) {
		p->churn[end] = LACP_CHURN_MONITOR;
		p->churn_ns[end] = DEADLINE_NEVER;
	}
}

static void update(struct lacp_port *p, int end, bool in_sync, uint64_t now_ns)
{
	if (in_sync) {
		p->churn[end] = LACP_CHURN_NONE;
		return;
	}
	if (p->churn[end] == LACP_CHURN_NONE) {
		p->churn[end] = LACP_CHURN_MONITOR;
		p->churn_ns[end] = DEADLINE_NEVER;
	}
	if (p->churn[end] != LACP_CHURN_MONITOR)
		return;
	if (p->churn_ns[end] == DEADLINE_NEVER)
		p->churn_ns[end] = now_ns + LACP_CHURN_NS;
	if (now_ns < p->churn_ns[end])
		return;
	p->churn[end] = LACP_CHURN_CHURN;
	p->counters.n_churn[end]++;
}

void lacp_churn_update(struct lacp *lacp, struct lacp_port *p, uint64_t now_ns)
{
	if (!p->link.carrier || lacp->config.mode == LACP_STATIC || p->selected == LACP_STANDBY) {
		lacp_churn_init(p);
		return;
	}
	update(p, 0, lacp_actor_state(lacp, p) & LACP_STATE_SYNC, now_ns);
	update(p, 1, lacp_in_sync(p), now_ns);
}
