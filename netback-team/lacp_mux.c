/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lacp_mux.c - the mux machine (802.1AX-2014 6.4.15), see lacp.h: attaching to an aggregator and
 * carrying traffic, and how a port is drained of it. */
#include "lacp_priv.h"

#include "common/util.h"

static bool is_draining(const struct lacp_port *p)
{
	return p->drain == LACP_DRAIN_MARKER || p->drain == LACP_DRAIN_UNSYNC;
}

/* A draining port goes on when the aggregator has lost its last one, so that nothing is lost. */
static bool may_collect(const struct lacp *lacp, const struct lacp_port *p)
{
	return p->link.carrier && p->selected == LACP_SELECTED && lacp_in_sync(p) &&
	       (p->aggregator == lacp->active || is_draining(p));
}

static bool may_distribute(const struct lacp *lacp, const struct lacp_port *p)
{
	return may_collect(lacp, p) &&
	       (lacp->config.coupled || (p->partner.state & LACP_STATE_COLLECTING));
}

static void enter(struct lacp_port *p, enum lacp_mux state, uint64_t now_ns)
{
	p->mux = state;
	p->mux_since_ns = now_ns;
	p->wait_ns = DEADLINE_NEVER;
	p->ntt = true;
}

/* A step down when the present state has lost its condition; false when there is nothing to do. */
static bool step_down(const struct lacp *lacp, struct lacp_port *p, uint64_t now_ns)
{
	switch (p->mux) {
	case LACP_MUX_DETACHED:
		return false;
	case LACP_MUX_WAITING:
		if (p->selected != LACP_UNSELECTED)
			return false;
		enter(p, LACP_MUX_DETACHED, now_ns);
		return true;
	case LACP_MUX_ATTACHED:
		if (p->selected == LACP_SELECTED)
			return false;
		enter(p, LACP_MUX_DETACHED, now_ns);
		return true;
	case LACP_MUX_COLLECTING:
		if (may_collect(lacp, p))
			return false;
		enter(p, LACP_MUX_ATTACHED, now_ns);
		return true;
	case LACP_MUX_DISTRIBUTING:
		if (may_distribute(lacp, p))
			return false;
		enter(p, lacp->config.coupled ? LACP_MUX_ATTACHED : LACP_MUX_COLLECTING, now_ns);
		return true;
	}
	return false;
}

void lacp_mux_down(struct lacp *lacp, uint64_t now_ns)
{
	LACP_PORTS(lacp, p)
	while (step_down(lacp, p, now_ns))
		;
}

/* Time in WAITING: none where nobody could join as well, or nobody listens. */
static uint64_t wait_time(const struct lacp *lacp, const struct lacp_port *p, uint64_t now_ns)
{
	if (p->partner_default || lacp_is_individual(lacp, p) || now_ns < lacp->adopt_ns)
		return 0;
	return LACP_WAIT_NS;
}

/* Its time is over, and that of all that wait for the same aggregator: Ready of 6.4.8. Flapping
 * ports delay the others no longer than LACP_WAIT_MAX_NS. */
static bool may_attach(struct lacp *lacp, const struct lacp_port *p, uint64_t now_ns)
{
	if (p->selected != LACP_SELECTED || now_ns < p->wait_ns)
		return false;
	if (now_ns - p->mux_since_ns >= LACP_WAIT_MAX_NS)
		return true;
	LACP_PORTS(lacp, q)
	if (q->mux == LACP_MUX_WAITING && q->selected == LACP_SELECTED && q->link.carrier &&
	    q->aggregator == p->aggregator && now_ns < q->wait_ns)
		return false;
	return true;
}

void lacp_mux_attach(struct lacp *lacp, uint64_t now_ns)
{
	uint32_t attach = 0;

	LACP_PORTS(lacp, p)
	{
		if (p->mux != LACP_MUX_DETACHED || p->selected == LACP_UNSELECTED)
			continue;
		enter(p, LACP_MUX_WAITING, now_ns);
		p->wait_ns = now_ns + wait_time(lacp, p, now_ns);
		p->reason = p->selected == LACP_STANDBY ? p->reason : "waits for others to join";
	}
	LACP_PORTS(lacp, p)
	if (p->mux == LACP_MUX_WAITING && may_attach(lacp, p, now_ns))
		attach |= 1u << lacp_index(lacp, p);
	LACP_PORTS(lacp, p)
	if (attach >> lacp_index(lacp, p) & 1)
		enter(p, LACP_MUX_ATTACHED, now_ns);
}

static const char *why_only_attached(struct lacp *lacp, const struct lacp_port *attached)
{
	unsigned int n_ready = 0;

	if (!attached->link.carrier)
		return "no carrier";
	if (attached->rx == LACP_RX_EXPIRED)
		return "partner is silent";
	if (!lacp_in_sync(attached))
		return "partner is out of sync";
	LACP_PORTS(lacp, p)
	n_ready += p->aggregator == attached->aggregator && lacp_ready(p);
	return n_ready < lacp->config.min_ports ? "fewer links in sync than lacp_min_links"
						: "another aggregator is active";
}

void lacp_mux_carry(struct lacp *lacp, uint64_t now_ns)
{
	LACP_PORTS(lacp, p)
	{
		if (p->mux == LACP_MUX_ATTACHED && may_collect(lacp, p))
			enter(p, LACP_MUX_COLLECTING, now_ns);
		if (p->mux == LACP_MUX_COLLECTING && may_distribute(lacp, p))
			enter(p, LACP_MUX_DISTRIBUTING, now_ns);
		if (p->mux == LACP_MUX_ATTACHED)
			p->reason = why_only_attached(lacp, p);
		else if (p->mux == LACP_MUX_COLLECTING)
			p->reason = "partner does not collect";
		else if (p->mux == LACP_MUX_DISTRIBUTING)
			p->reason = "in sync with the partner";
	}
}

/* --- draining --- */

static void drain_step(struct lacp_port *p, enum lacp_drain step, uint64_t end_ns)
{
	p->drain = step;
	p->drain_ns = end_ns;
	p->ntt = true;
}

void lacp_drain_start(struct lacp *lacp, struct lacp_port *p, uint64_t now_ns)
{
	if (p->mux < LACP_MUX_COLLECTING || p->partner_default) {
		drain_step(p, LACP_DRAIN_DONE, DEADLINE_NEVER);
		return;
	}
	drain_step(p, LACP_DRAIN_MARKER, now_ns + LACP_MARKER_NS);
	p->marker = LACP_MARKER_NONE; /* an earlier one says nothing of what went since */
	lacp_marker_send(lacp, lacp_index(lacp, p), now_ns);
}

void lacp_drain_stop(struct lacp_port *p)
{
	if (p->drain != LACP_DRAIN_NONE)
		drain_step(p, LACP_DRAIN_NONE, DEADLINE_NEVER);
}

void lacp_drain_update(struct lacp *lacp, uint64_t now_ns)
{
	LACP_PORTS(lacp, p)
	{
		if (!is_draining(p))
			continue;
		if (p->drain == LACP_DRAIN_MARKER &&
		    (p->marker == LACP_MARKER_ANSWERED || now_ns >= p->drain_ns))
			drain_step(p, LACP_DRAIN_UNSYNC, now_ns + LACP_DRAIN_NS);
		if (p->mux < LACP_MUX_COLLECTING ||
		    (p->drain == LACP_DRAIN_UNSYNC &&
		     (now_ns >= p->drain_ns || !(p->partner.state & LACP_STATE_DISTRIBUTING))))
			drain_step(p, LACP_DRAIN_DONE, DEADLINE_NEVER);
	}
}

uint64_t lacp_mux_deadline(const struct lacp *lacp, const struct lacp_port *p)
{
	uint64_t deadline = is_draining(p) ? p->drain_ns : DEADLINE_NEVER;

	if (p->mux != LACP_MUX_WAITING || p->selected != LACP_SELECTED)
		return deadline;
	/* One whose time is over waits for others: until theirs is, or for the longest one. */
	return MIN(deadline,
		   p->wait_ns > lacp->now_ns ? p->wait_ns : p->mux_since_ns + LACP_WAIT_MAX_NS);
}
