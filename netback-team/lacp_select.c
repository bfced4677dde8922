/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lacp_select.c - who aggregates with whom (802.1AX-2014 6.4.14), see lacp.h: groups, standby, and
 * the active one among the aggregators.
 *
 * There are as many aggregators as ports, named by the same numbers; an aggregator exists while a
 * port has selected it. All that is known of one is computed from its ports.
 */
#include "lacp_priv.h"

#include <assert.h>
#include <string.h>

#include "common/util.h"

static_assert(sizeof(struct lacp_lag) == 26, "no padding, so that memcmp may compare");

bool lacp_is_loopback(const struct lacp *lacp, const struct lacp_port *p)
{
	return !p->partner_default && (memcmp(p->partner.system, p->actor.system, 6) == 0 ||
				       memcmp(p->partner.system, lacp->config.system, 6) == 0);
}

bool lacp_is_individual(const struct lacp *lacp, const struct lacp_port *p)
{
	return !(lacp_actor_state(lacp, p) & p->partner.state & LACP_STATE_AGGREGATION);
}

static struct lacp_lag make_lag(const struct lacp *lacp, const struct lacp_port *p)
{
	const struct lacp_info *const ends[2] = {&p->actor, &p->partner};
	const bool individual = lacp_is_individual(lacp, p);
	struct lacp_lag lag = {.defaulted = p->partner_default};

	for (int i = 0; i < 2; i++) {
		lag.system_priority[i] = ends[i]->system_priority;
		lag.key[i] = ends[i]->key;
		lag.port[i] = individual ? ends[i]->port : 0;
		memcpy(lag.system[i], ends[i]->system, 6);
	}
	return lag;
}

void lacp_select_leave(struct lacp *lacp)
{
	LACP_PORTS(lacp, p)
	{
		const struct lacp_lag lag = make_lag(lacp, p);

		if (p->selected == LACP_UNSELECTED)
			continue;
		if (p->drain == LACP_DRAIN_DONE)
			lacp_unselect(p, "drained");
		else if (lacp_is_loopback(lacp, p))
			lacp_unselect(p, "loopback: the partner is this system");
		else if (memcmp(&lag, &p->lag, sizeof(lag)) != 0)
			lacp_unselect(p, "speed, identity or partner changed");
	}
}

/* May it have an aggregator? */
static bool may_join(const struct lacp *lacp, const struct lacp_port *p)
{
	if (!p->link.carrier || p->drain == LACP_DRAIN_DONE || lacp_is_loopback(lacp, p))
		return false;
	switch (p->rx) {
	case LACP_RX_PORT_DISABLED:
	case LACP_RX_EXPIRED:
		return false;
	case LACP_RX_DEFAULTED:
		return lacp->config.fallback != LACP_FALLBACK_NONE && !lacp->config.strict;
	case LACP_RX_LACP_DISABLED:
	case LACP_RX_CURRENT:
		return true;
	}
	return false;
}

static bool is_taken(struct lacp *lacp, int aggregator)
{
	LACP_PORTS(lacp, p)
	if (p->selected != LACP_UNSELECTED && p->aggregator == aggregator)
		return true;
	return false;
}

/* The aggregator of the group, else the port's own, else a free one: there is one, as ports and
 * aggregators are equally many. */
static int find_aggregator(struct lacp *lacp, const struct lacp_port *p)
{
	int aggregator = (int)lacp_index(lacp, p);

	LACP_PORTS(lacp, q)
	if (q != p && q->selected != LACP_UNSELECTED &&
	    memcmp(&q->lag, &p->lag, sizeof(p->lag)) == 0)
		return q->aggregator;
	while (is_taken(lacp, aggregator))
		aggregator = (aggregator + 1) % LACP_PORTS_MAX;
	return aggregator;
}

void lacp_select_join(struct lacp *lacp)
{
	LACP_PORTS(lacp, p)
	{
		if (p->selected != LACP_UNSELECTED || p->mux != LACP_MUX_DETACHED ||
		    !may_join(lacp, p))
			continue;
		p->lag = make_lag(lacp, p);
		p->aggregator = find_aggregator(lacp, p);
		p->selected = LACP_SELECTED;
	}
}

/* --- standby --- */

/* Is this system the one that decides: that with the smaller identifier (6.3.2)? */
static bool we_decide(const struct lacp_port *p)
{
	const struct lacp_info *a = &p->actor, *b = &p->partner;

	if (p->partner_default || a->system_priority != b->system_priority)
		return p->partner_default || a->system_priority < b->system_priority;
	return memcmp(a->system, b->system, sizeof(a->system)) < 0;
}

/* Rank of a port in the eyes of the system that decides. What does not work at present comes last.
 */
static uint64_t rank(const struct lacp_port *p)
{
	const struct lacp_info *end = we_decide(p) ? &p->actor : &p->partner;
	const bool works =
		p->link.carrier && p->rx != LACP_RX_EXPIRED && (p->partner_default || p->matched);

	return (uint64_t)!works << 40 | (uint64_t)end->port_priority << 24 |
	       (uint64_t)end->port << 8 | (uint64_t)p->actor.port;
}

/* A draining port is neither counted nor sent away. */
static bool is_candidate(const struct lacp_port *p, int aggregator)
{
	return p->selected != LACP_UNSELECTED && p->aggregator == aggregator &&
	       p->drain == LACP_DRAIN_NONE;
}

/* Candidates of the same aggregator that are better than p. */
static unsigned int n_better(struct lacp *lacp, const struct lacp_port *p)
{
	const uint64_t own = rank(p);
	unsigned int n = 0;

	LACP_PORTS(lacp, q)
	n += is_candidate(q, p->aggregator) && rank(q) < own;
	return n;
}

/* The best max_ports are SELECTED; of the others, those that are in use stay as long as not all of
 * these are ready. */
static void limit(struct lacp *lacp, int aggregator)
{
	const unsigned int max = lacp->config.max_ports;
	unsigned int n_spare = max;

	LACP_PORTS(lacp, p)
	if (is_candidate(p, aggregator) && n_better(lacp, p) < max && lacp_ready(p))
		n_spare--;
	LACP_PORTS(lacp, p)
	{
		if (!is_candidate(p, aggregator))
			continue;
		if (n_better(lacp, p) < max) {
			p->selected = LACP_SELECTED;
		} else if (lacp_ready(p) && n_spare) {
			n_spare--;
		} else if (p->selected == LACP_SELECTED) {
			p->selected = LACP_STANDBY;
			p->reason = "standby: lacp_max_links better ones";
		}
	}
}

void lacp_select_limit(struct lacp *lacp)
{
	if (!lacp->config.max_ports) {
		LACP_PORTS(lacp, p)
		if (p->selected == LACP_STANDBY)
			p->selected = LACP_SELECTED;
		return;
	}
	for (int i = 0; i < LACP_PORTS_MAX; i++)
		limit(lacp, i);
}

/* --- the active one --- */

/** What the choice looks at. */
struct merit {
	bool usable;	 /**< it has a ready port, and the configuration allows it */
	bool negotiated; /**< by LACP */
	bool individual;
	bool collects; /**< the partner does, on a ready port */
	unsigned int n_ready;
	uint64_t mbps;	     /**< sum over ready ports */
	uint32_t preference; /**< of the best ready port: priority and number, smaller = better */
};

static struct merit judge(struct lacp *lacp, int aggregator)
{
	const bool dynamic = lacp->config.mode != LACP_STATIC;
	struct merit m = {.preference = UINT32_MAX};

	LACP_PORTS(lacp, p)
	{
		if (p->aggregator != aggregator || !lacp_ready(p))
			continue;
		m.negotiated = !p->partner_default;
		m.individual = lacp_is_individual(lacp, p);
		m.collects |= !!(p->partner.state & LACP_STATE_COLLECTING);
		m.n_ready++;
		m.mbps += lacp_mbps(lacp, p);
		m.preference =
			MIN(m.preference, (uint32_t)p->actor.port_priority << 16 | p->actor.port);
	}
	m.usable = m.n_ready && m.n_ready >= lacp->config.min_ports &&
		   !(lacp->config.strict && dynamic && m.individual);
	return m;
}

/* > 0: a is better, < 0: b is. `a_active`: a is the active one. */
static int compare(const struct lacp *lacp, const struct merit *a, const struct merit *b,
		   bool a_active)
{
	int by_rule = (a->mbps > b->mbps) - (a->mbps < b->mbps);

	if (a->negotiated != b->negotiated)
		return a->negotiated ? 1 : -1;
	if (a->individual != b->individual)
		return b->individual ? 1 : -1;
	switch (lacp->config.ad_select) {
	case LACP_SELECT_STABLE:
		if (a_active)
			return 1;
		break;
	case LACP_SELECT_BANDWIDTH:
		break;
	case LACP_SELECT_COUNT:
		by_rule = (a->n_ready > b->n_ready) - (a->n_ready < b->n_ready);
		break;
	case LACP_SELECT_PRIO:
		return a->preference < b->preference ? 1 : -1;
	}
	if (by_rule)
		return by_rule;
	if (a_active)
		return 1;
	return a->preference < b->preference ? 1 : -1;
}

static uint64_t deaf_ns(const struct lacp_port *p)
{
	return p->mux_since_ns + (we_decide(p) ? LACP_DEAF_LONG_NS : LACP_DEAF_NS);
}

static bool waits_for_partner(const struct lacp_port *p)
{
	return p->mux >= LACP_MUX_COLLECTING && !(p->partner.state & LACP_STATE_COLLECTING);
}

/* Has the partner had its time to collect, on all ready ports? */
static bool is_deaf(struct lacp *lacp, int aggregator)
{
	LACP_PORTS(lacp, p)
	if (p->aggregator == aggregator && lacp_ready(p) &&
	    (!waits_for_partner(p) || lacp->now_ns < deaf_ns(p)))
		return false;
	return true;
}

uint64_t lacp_select_deadline(const struct lacp *lacp, const struct lacp_port *p)
{
	return waits_for_partner(p) && deaf_ns(p) > lacp->now_ns ? deaf_ns(p) : DEADLINE_NEVER;
}

void lacp_select_active(struct lacp *lacp)
{
	const int old = lacp->active;
	struct merit best = {0};
	int active = -1;
	bool deaf = false, picky;

	if (old >= 0) {
		best = judge(lacp, old);
		active = best.usable ? old : -1;
		deaf = best.usable && is_deaf(lacp, old);
	}
	/* Who follows the partner goes only where it collects. */
	picky = deaf || (active >= 0 && lacp->followed);
	for (int i = 0; i < LACP_PORTS_MAX; i++) {
		const struct merit m = judge(lacp, i);
		const bool rescue = deaf && active == old;

		if (i == old || !m.usable || (picky && !m.collects))
			continue;
		if (active >= 0 && !rescue && compare(lacp, &best, &m, active == old) > 0)
			continue;
		best = m;
		active = i;
	}
	if (active == old)
		return;
	lacp->n_active_changes++;
	lacp->followed = deaf;
	lacp->active = active;
}
