/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lacp_rx.c - the receive machine (802.1AX-2014 6.4.12), see lacp.h: what a port knows of its
 * partner. */
#include "lacp_priv.h"

#include <string.h>

#include "common/util.h"

/* The five fields and the Aggregation bit that say who an end is. */
static bool same_end(const struct lacp_info *a, const struct lacp_info *b)
{
	return a->port == b->port && a->port_priority == b->port_priority &&
	       a->system_priority == b->system_priority && a->key == b->key &&
	       memcmp(a->system, b->system, sizeof(a->system)) == 0 &&
	       !((a->state ^ b->state) & LACP_STATE_AGGREGATION);
}

/* Partner_Admin: nobody, or one that takes whatever we send. */
static struct lacp_info default_partner(const struct lacp *lacp)
{
	const uint8_t ready = LACP_STATE_SYNC | LACP_STATE_COLLECTING | LACP_STATE_DISTRIBUTING;
	struct lacp_info partner = {0};

	if (lacp->config.mode == LACP_STATIC) {
		partner.state = ready | LACP_STATE_AGGREGATION;
		return partner;
	}
	switch (lacp->config.fallback) {
	case LACP_FALLBACK_NONE:
		break;
	case LACP_FALLBACK_ACTIVE_BACKUP:
		partner.state = ready;
		break;
	case LACP_FALLBACK_STATIC:
		partner.state = ready | LACP_STATE_AGGREGATION;
		break;
	}
	return partner;
}

static void record_default(const struct lacp *lacp, struct lacp_port *p, const char *reason)
{
	const struct lacp_info partner = default_partner(lacp);

	if (!p->partner_default || !same_end(&partner, &p->partner))
		lacp_unselect(p, reason);
	p->partner = partner;
	p->partner_default = true;
	p->matched = false;
}

static void enter(struct lacp *lacp, struct lacp_port *p, enum lacp_rx state, uint64_t now_ns)
{
	if (p->rx != state)
		p->rx_since_ns = now_ns;
	p->rx = state;
	p->current_while_ns = DEADLINE_NEVER;
	switch (state) {
	case LACP_RX_PORT_DISABLED:
		p->partner.state &= (uint8_t)~LACP_STATE_SYNC;
		break;
	case LACP_RX_EXPIRED:
		p->partner.state &= (uint8_t)~LACP_STATE_SYNC;
		p->partner.state |= LACP_STATE_TIMEOUT;
		p->current_while_ns = now_ns + LACP_SHORT_NS;
		break;
	case LACP_RX_LACP_DISABLED:
		record_default(lacp, p, "static aggregation");
		break;
	case LACP_RX_DEFAULTED:
		record_default(lacp, p, "no LACP partner");
		break;
	case LACP_RX_CURRENT:
		p->current_while_ns = now_ns + (lacp->config.fast ? LACP_SHORT_NS : LACP_LONG_NS);
		break;
	}
}

void lacp_rx_init(struct lacp *lacp, struct lacp_port *p, uint64_t now_ns)
{
	record_default(lacp, p, "partner moved to another port");
	enter(lacp, p, LACP_RX_PORT_DISABLED, now_ns);
}

void lacp_rx_update(struct lacp *lacp, struct lacp_port *p, uint64_t now_ns)
{
	const bool lacp_on = lacp->config.mode != LACP_STATIC;

	if (!p->link.carrier) {
		if (p->rx != LACP_RX_PORT_DISABLED)
			enter(lacp, p, LACP_RX_PORT_DISABLED, now_ns);
		return;
	}
	if (!lacp_on)
		enter(lacp, p, LACP_RX_LACP_DISABLED, now_ns);
	else if (p->rx == LACP_RX_PORT_DISABLED || p->rx == LACP_RX_LACP_DISABLED)
		enter(lacp, p, LACP_RX_EXPIRED, now_ns);
	else if (p->rx == LACP_RX_DEFAULTED) /* the fallback may be another one */
		enter(lacp, p, LACP_RX_DEFAULTED, now_ns);
}

/*
 * The sender sits on p now. A port that took it for its partner before is wrong: for certain when
 * its link is down or the partner silent (6.4.9, port_moved), and also when the sender says that it
 * hears p. Without that, PDUs that some bridge floods to two ports would reset both for ever.
 */
static void forget_moved(struct lacp *lacp, const struct lacp_port *p, const struct lacp_pdu *pdu,
			 uint64_t now_ns)
{
	const bool hears_p = pdu->partner.port == p->actor.port &&
			     memcmp(pdu->partner.system, p->actor.system, 6) == 0;

	LACP_PORTS(lacp, q)
	{
		if (q == p || q->partner_default || q->partner.port != pdu->actor.port ||
		    memcmp(q->partner.system, pdu->actor.system, 6) != 0)
			continue;
		if (q->rx == LACP_RX_CURRENT && !hears_p)
			continue;
		q->counters.n_moved++;
		lacp_rx_init(lacp, q, now_ns);
		lacp_rx_update(lacp, q, now_ns);
	}
}

/* recordPDU */
static void record(const struct lacp *lacp, struct lacp_port *p, const struct lacp_pdu *pdu)
{
	const uint8_t actor = pdu->actor.state;
	struct lacp_info self = p->actor;
	bool alive;

	self.state = lacp_actor_state(lacp, p);
	p->matched = same_end(&pdu->partner, &self);
	alive = (actor & LACP_STATE_ACTIVITY) ||
		(self.state & pdu->partner.state & LACP_STATE_ACTIVITY);
	p->partner = pdu->actor;
	p->partner_default = false;
	if (!alive || !(p->matched || !(actor & LACP_STATE_AGGREGATION)))
		p->partner.state &= (uint8_t)~LACP_STATE_SYNC;
}

/* update_NTT: does the sender know what it must know of us? */
static bool is_outdated(const struct lacp *lacp, const struct lacp_port *p,
			const struct lacp_info *known)
{
	const uint8_t mask =
		LACP_STATE_ACTIVITY | LACP_STATE_TIMEOUT | LACP_STATE_SYNC | LACP_STATE_AGGREGATION;
	struct lacp_info self = p->actor;

	self.state = lacp_actor_state(lacp, p);
	return !same_end(known, &self) || ((known->state ^ self.state) & mask);
}

void lacp_rx_pdu(struct lacp *lacp, struct lacp_port *p, const struct lacp_pdu *pdu,
		 uint64_t now_ns)
{
	p->counters.n_pdu_rx++;
	if (p->rx == LACP_RX_PORT_DISABLED || p->rx == LACP_RX_LACP_DISABLED) {
		p->counters.n_ignored++;
		return;
	}
	forget_moved(lacp, p, pdu, now_ns);
	if (p->partner_default || !same_end(&pdu->actor, &p->partner))
		lacp_unselect(p, "another partner");
	if (is_outdated(lacp, p, &pdu->partner))
		p->ntt = true;
	record(lacp, p, pdu);
	enter(lacp, p, LACP_RX_CURRENT, now_ns);
}

void lacp_rx_expire(struct lacp *lacp, struct lacp_port *p, uint64_t now_ns)
{
	if (now_ns < p->current_while_ns)
		return;
	if (p->rx == LACP_RX_CURRENT) {
		p->counters.n_expired++;
		enter(lacp, p, LACP_RX_EXPIRED, now_ns);
	} else {
		p->counters.n_defaulted++;
		enter(lacp, p, LACP_RX_DEFAULTED, now_ns);
	}
}
