/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lacp_tx.c - when LACPDUs go, see lacp.h: the periodic and the transmit machine (802.1AX-2014
 * 6.4.13, 6.4.16). */
#include "lacp_priv.h"

#include "common/util.h"

/* CollectorMaxDelay in 10 us: how long a frame may stay with us before a guest has it. A partner
 * without markers waits so long before it moves a flow. */
#define MAX_DELAY 1000

bool lacp_window_take(struct lacp_window *window, uint64_t now_ns)
{
	if (now_ns < window->free_ns[window->oldest])
		return false;
	window->free_ns[window->oldest] = now_ns + LACP_WINDOW_NS;
	window->oldest = (window->oldest + 1) % window->n;
	return true;
}

void lacp_tx_init(struct lacp_port *p)
{
	p->pdus.n = LACP_WINDOW_PDUS;
	p->markers.n = LACP_WINDOW_MARKERS;
}

static uint64_t length_ns(enum lacp_period period)
{
	return period == LACP_PERIOD_FAST ? LACP_FAST_NS : LACP_SLOW_NS;
}

static enum lacp_period wanted_period(const struct lacp *lacp, const struct lacp_port *p)
{
	const enum lacp_mode mode = lacp->config.mode;

	if (!p->link.carrier || mode == LACP_STATIC ||
	    (mode == LACP_PASSIVE && !(p->partner.state & LACP_STATE_ACTIVITY)))
		return LACP_PERIOD_NONE;
	return p->partner.state & LACP_STATE_TIMEOUT ? LACP_PERIOD_FAST : LACP_PERIOD_SLOW;
}

static void update_period(struct lacp *lacp, struct lacp_port *p, uint64_t now_ns)
{
	const enum lacp_period period = wanted_period(lacp, p);

	if (period == LACP_PERIOD_NONE) { /* who does not speak has nothing to tell either */
		p->period = period;
		p->period_ns = DEADLINE_NEVER;
		p->ntt = false;
		return;
	}
	if (period != p->period) {
		if (period == LACP_PERIOD_FAST || p->period == LACP_PERIOD_NONE)
			p->ntt = true;
		p->period = period;
		p->period_ns = now_ns + length_ns(period);
	} else if (now_ns >= p->period_ns) {
		p->ntt = true;
		p->period_ns += length_ns(period);
		if (p->period_ns <= now_ns) /* somebody slept; nothing is made up for */
			p->period_ns = now_ns + length_ns(period);
	}
}

static int send_pdu(struct lacp *lacp, struct lacp_port *p, uint8_t state)
{
	struct lacp_pdu pdu = {.actor = p->actor, .partner = p->partner, .max_delay = MAX_DELAY};
	uint8_t frame[LACP_FRAME_LEN];
	int rc;

	pdu.actor.state = state;
	lacp_pdu_build(frame, p->link.mac, &pdu);
	rc = lacp->ops.send(lacp->ops.ctx, lacp_index(lacp, p), frame);
	if (rc < 0)
		p->counters.n_tx_errors++;
	else
		p->counters.n_pdu_tx++;
	return rc;
}

void lacp_tx_update(struct lacp *lacp, struct lacp_port *p, uint64_t now_ns)
{
	update_period(lacp, p, now_ns);
	if (!p->ntt || now_ns < p->retry_ns || !lacp_window_take(&p->pdus, now_ns))
		return;
	if (send_pdu(lacp, p, lacp_actor_state(lacp, p)) < 0)
		p->retry_ns = now_ns + LACP_RETRY_NS;
	else
		p->ntt = false;
}

void lacp_tx_farewell(struct lacp *lacp, struct lacp_port *p, uint64_t now_ns)
{
	const uint8_t gone = LACP_STATE_AGGREGATION | LACP_STATE_SYNC | LACP_STATE_COLLECTING |
			     LACP_STATE_DISTRIBUTING;

	if (p->period != LACP_PERIOD_NONE && lacp_window_take(&p->pdus, now_ns))
		send_pdu(lacp, p, lacp_actor_state(lacp, p) & (uint8_t)~gone);
}

uint64_t lacp_tx_deadline(const struct lacp_port *p)
{
	if (!p->ntt)
		return p->period_ns;
	return MIN(p->period_ns, MAX(p->retry_ns, p->pdus.free_ns[p->pdus.oldest]));
}
