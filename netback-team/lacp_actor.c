/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lacp_actor.c - what a port says of itself, see lacp.h: its state octet, its key, and how a change
 * of its identity is carried through.
 *
 * A partner that sees another identity deselects the port and takes seconds to bring it back. So of
 * ports that carry traffic one at a time is drained and changed; the next one has to wait until
 * that one is ready again, or for LACP_ROLL_NS.
 */
#include "lacp_priv.h"

#include <string.h>

#include "common/util.h"

/* The key: configured part 10 bits, speed class 5 bits, full duplex 1 bit. */
#define KEY_SHIFT  6
#define LINK_BITS  0x3fu
#define FULL_BIT   0x01u
#define SPEED_SHFT 1

uint32_t lacp_mbps(const struct lacp *lacp, const struct lacp_port *p)
{
	return p->link.mbps ? p->link.mbps : lacp->config.default_mbps;
}

static uint16_t speed_class(uint32_t mbps)
{
	static const uint32_t classes[] = {10,	  100,	 1000,	2500,	5000,	10000,	20000,
					   25000, 40000, 50000, 100000, 200000, 400000, 800000};
	uint16_t class = 0;

	while (class < ARRAY_SIZE(classes) && classes[class] <= mbps)
		class ++;
	return class;
}

static uint16_t make_key(const struct lacp *lacp, const struct lacp_port *p)
{
	return (uint16_t)(lacp->config.key << KEY_SHIFT |
			  speed_class(lacp_mbps(lacp, p)) << SPEED_SHFT |
			  (p->link.duplex == LACP_DUPLEX_HALF ? 0 : FULL_BIT));
}

uint8_t lacp_actor_state(const struct lacp *lacp, const struct lacp_port *p)
{
	const bool synced = p->selected == LACP_SELECTED && p->mux >= LACP_MUX_ATTACHED &&
			    p->drain < LACP_DRAIN_UNSYNC;
	uint8_t state = 0;

	if (lacp->config.mode == LACP_ACTIVE)
		state |= LACP_STATE_ACTIVITY;
	if (lacp->config.fast)
		state |= LACP_STATE_TIMEOUT;
	if (p->link.duplex != LACP_DUPLEX_HALF)
		state |= LACP_STATE_AGGREGATION;
	if (synced)
		state |= LACP_STATE_SYNC;
	if (p->mux >= LACP_MUX_COLLECTING)
		state |= LACP_STATE_COLLECTING;
	if (p->mux == LACP_MUX_DISTRIBUTING && p->drain == LACP_DRAIN_NONE)
		state |= LACP_STATE_DISTRIBUTING;
	if (p->partner_default)
		state |= LACP_STATE_DEFAULTED;
	if (p->rx == LACP_RX_EXPIRED)
		state |= LACP_STATE_EXPIRED;
	return state;
}

static bool same_identity(const struct lacp_info *a, const struct lacp_info *b)
{
	return a->system_priority == b->system_priority && a->key == b->key &&
	       a->port_priority == b->port_priority &&
	       memcmp(a->system, b->system, sizeof(a->system)) == 0;
}

static struct lacp_info wanted(const struct lacp *lacp, const struct lacp_port *p)
{
	struct lacp_info info = p->actor;

	info.system_priority = lacp->config.system_priority;
	memcpy(info.system, lacp->config.system, sizeof(info.system));
	info.key = make_key(lacp, p);
	info.port_priority = p->link.priority;
	return info;
}

/* Does the port wait for its change, or has it not come back after it? */
static bool is_rolling(const struct lacp_port *p, const struct lacp_info *want, uint64_t now_ns)
{
	if (!p->rolling || now_ns >= p->roll_ns || !p->link.carrier)
		return false;
	return !same_identity(&p->actor, want) || !p->matched || !lacp_ready(p);
}

static void apply(struct lacp_port *p, const struct lacp_info *want)
{
	p->actor = *want;
	p->matched = false;
	p->ntt = true;
	if (!p->drain_asked)
		lacp_drain_stop(p);
}

void lacp_actor_update(struct lacp *lacp, uint64_t now_ns)
{
	bool busy = false;

	LACP_PORTS(lacp, p)
	{
		const struct lacp_info want = wanted(lacp, p);

		p->rolling = is_rolling(p, &want, now_ns);
		busy |= p->rolling;
	}
	LACP_PORTS(lacp, p)
	{
		const struct lacp_info want = wanted(lacp, p);

		if (same_identity(&p->actor, &want)) {
			if (!p->drain_asked) /* changed back meanwhile */
				lacp_drain_stop(p);
			continue;
		}
		/* Another speed or duplex is there already, whatever we say. */
		if (p->mux < LACP_MUX_COLLECTING || p->drain == LACP_DRAIN_DONE ||
		    ((p->actor.key ^ want.key) & LINK_BITS)) {
			apply(p, &want);
		} else if (!busy) {
			busy = p->rolling = true;
			p->roll_ns = now_ns + LACP_ROLL_NS;
			lacp_drain_start(lacp, p, now_ns);
		}
	}
}
