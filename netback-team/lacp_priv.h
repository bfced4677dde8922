/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lacp_priv.h - what the lacp files share: each machine's functions, in the order in which lacp.c
 * runs them. Pure.
 *
 * Calls change what a port knows (rx), then lacp.c runs a pass over all ports, in which everything
 * that follows is decided once, without repetition: identities, who leaves its aggregator, who
 * joins, who attaches, which aggregator is active, who carries traffic. Last come churn and frames.
 */
#ifndef XB_NET_LACP_PRIV_H
#define XB_NET_LACP_PRIV_H

#include "lacp.h"

/** Index of a port. */
static inline unsigned int lacp_index(const struct lacp *lacp, const struct lacp_port *p)
{
	return (unsigned int)(p - lacp->ports);
}

/** The next used port behind p, NULL at the end; p NULL: the first one. */
struct lacp_port *lacp_next(struct lacp *lacp, struct lacp_port *p);
#define LACP_PORTS(lacp, p)                                                                        \
	for (struct lacp_port * (p) = lacp_next((lacp), NULL); (p); (p) = lacp_next((lacp), (p)))

static inline bool lacp_in_sync(const struct lacp_port *p)
{
	return p->partner.state & LACP_STATE_SYNC;
}

/** In Sync on both sides, with carrier, and not about to leave. */
static inline bool lacp_ready(const struct lacp_port *p)
{
	return p->link.carrier && p->selected == LACP_SELECTED && p->mux >= LACP_MUX_ATTACHED &&
	       lacp_in_sync(p) && p->drain == LACP_DRAIN_NONE;
}

/* lacp_actor.c: what we say of ourselves. */
uint32_t lacp_mbps(const struct lacp *lacp, const struct lacp_port *p);
uint8_t lacp_actor_state(const struct lacp *lacp, const struct lacp_port *p);
/** Takes identities over from configuration and link, of ports that carry traffic one by one. */
void lacp_actor_update(struct lacp *lacp, uint64_t now_ns);

/* lacp_rx.c: the receive machine. */
void lacp_rx_init(struct lacp *lacp, struct lacp_port *p, uint64_t now_ns);
/** Carrier, mode or fallback may have changed. */
void lacp_rx_update(struct lacp *lacp, struct lacp_port *p, uint64_t now_ns);
void lacp_rx_pdu(struct lacp *lacp, struct lacp_port *p, const struct lacp_pdu *pdu,
		 uint64_t now_ns);
/** current_while is over. */
void lacp_rx_expire(struct lacp *lacp, struct lacp_port *p, uint64_t now_ns);

/* lacp_select.c: aggregators. */
bool lacp_is_loopback(const struct lacp *lacp, const struct lacp_port *p);
bool lacp_is_individual(const struct lacp *lacp, const struct lacp_port *p);
static inline void lacp_unselect(struct lacp_port *p, const char *reason)
{
	if (p->selected == LACP_UNSELECTED)
		return;
	p->selected = LACP_UNSELECTED;
	p->reason = reason;
}
/** Ports whose group is another one now are UNSELECTED. */
void lacp_select_leave(struct lacp *lacp);
/** Ports that are DETACHED get an aggregator. */
void lacp_select_join(struct lacp *lacp);
/** SELECTED or STANDBY. */
void lacp_select_limit(struct lacp *lacp);
/** Chooses the active aggregator. */
void lacp_select_active(struct lacp *lacp);
/** When the partner should collect. */
uint64_t lacp_select_deadline(const struct lacp *lacp, const struct lacp_port *p);

/* lacp_mux.c: mux machine, and draining, which leads it down in small steps. */
/** Steps down, as far as conditions are gone. */
void lacp_mux_down(struct lacp *lacp, uint64_t now_ns);
/** WAITING, and ATTACHED when the time is over. */
void lacp_mux_attach(struct lacp *lacp, uint64_t now_ns);
/** COLLECTING and DISTRIBUTING. */
void lacp_mux_carry(struct lacp *lacp, uint64_t now_ns);
/** Begins to drain a port that carries traffic; another one is drained at once. */
void lacp_drain_start(struct lacp *lacp, struct lacp_port *p, uint64_t now_ns);
void lacp_drain_stop(struct lacp_port *p);
void lacp_drain_update(struct lacp *lacp, uint64_t now_ns);
/** Next end of WAITING or of a step of draining. */
uint64_t lacp_mux_deadline(const struct lacp *lacp, const struct lacp_port *p);

/* lacp_churn.c */
void lacp_churn_init(struct lacp_port *p);
void lacp_churn_update(struct lacp *lacp, struct lacp_port *p, uint64_t now_ns);

/* lacp_tx.c: periodic and transmit machines. */
/** Empty windows; they outlive a port. */
void lacp_tx_init(struct lacp_port *p);
void lacp_tx_update(struct lacp *lacp, struct lacp_port *p, uint64_t now_ns);
/** The last LACPDU of a port that is removed, if one may go: individual and out of Sync. */
void lacp_tx_farewell(struct lacp *lacp, struct lacp_port *p, uint64_t now_ns);
uint64_t lacp_tx_deadline(const struct lacp_port *p);
/** True and taken when another frame fits into the window. */
bool lacp_window_take(struct lacp_window *window, uint64_t now_ns);

/* lacp_marker.c: answers to markers, and own ones. */
void lacp_marker_request(struct lacp *lacp, struct lacp_port *p, const struct lacp_marker *marker,
			 uint64_t now_ns);
void lacp_marker_response(struct lacp_port *p, const struct lacp_marker *marker);
void lacp_marker_expire(struct lacp_port *p, uint64_t now_ns);

#endif
