/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * uplink_lacp.h - LACP in a worker: between the team (team.h), its members' NICs and the LACP
 * system (lacp.h).
 *
 * Theory of Operation. A team in mode lacp has one LACP system; member i is its port i. The team
 * says which members have a link (that is the port's carrier, delays included), the system says
 * which of them may send and receive (team_permit), and neither calls the other: what one changed
 * is noted, and uplink_lacp_settle carries it over until nothing is left. LACPDUs go straight to
 * the member's NIC, before guests' frames that wait, and come from it before the switch sees them.
 *
 * A partner is not silent because we were late: when something of LACP is due, all NICs are read
 * once more first, for LACP_LATE_NS at most where they never run dry.
 *
 * The system's id, where no key gives it, is the address of the first member, and stays when that
 * one leaves: to change it would interrupt the traffic of all links.
 *
 * A member that is to leave is retired first (its flows move to the others as they pause, for at
 * most LACP_RETIRE_NS), then drained by lacp_port_drain; then the observer's member_drained is
 * called. In modes without LACP that is at once.
 */
#ifndef XB_NET_UPLINK_LACP_H
#define XB_NET_UPLINK_LACP_H

#include <stdbool.h>
#include <stdint.h>

#include "lacp.h"
#include "seat.h"

#define LACP_LATE_NS   100000000ull
#define LACP_RETIRE_NS 300000000ull

struct worker;
struct uplink;

struct uplink_lacp {
	bool on;	/**< lacp is initialised: the mode wants it, and there is a member */
	bool restarted; /**< the predecessor aggregated a moment ago */
	bool id_taken;	/**< another team has the first member's address for its own */
	bool quiet;	/**< the daemon stops: partners shall not hear of it */
	bool links_changed, ports_changed; /**< not carried over yet */
	bool asked;			   /**< NICs are read for what is due */
	uint64_t asked_ns;
	uint64_t due_ns; /**< of lacp and of retiring members; DEADLINE_NEVER = none */
	uint8_t id[6];	 /**< for want of the key lacp_system_id */
	struct lacp lacp;
	struct lacp_link told[TEAM_MEMBERS_MAX]; /**< what lacp knows of each port */
	uint32_t n_told;			 /**< bits: ports that lacp has */
	uint32_t mbps[TEAM_MEMBERS_MAX];	 /**< as drivers tell it, 0 = unknown */
	enum lacp_duplex duplex[TEAM_MEMBERS_MAX];
	uint32_t leaving;		      /**< bits: members that are to go */
	uint64_t retire_ns[TEAM_MEMBERS_MAX]; /**< when a leaving one is drained at the latest;
						 DEADLINE_NEVER = it is already */
};

void uplink_lacp_init(struct worker *worker);
/** The team's options changed. restarted: guests were served a moment ago, by a predecessor. */
void uplink_lacp_configure(struct worker *worker, bool restarted);
/** No LACPDU leaves any more, so that a successor finds the partners as they are. */
void uplink_lacp_hush(struct worker *worker);

/** Member has a (new) NIC. */
void uplink_lacp_add(struct worker *worker, int member);
/** Member is about to lose its NIC for good. */
void uplink_lacp_remove(struct worker *worker, int member);
/** What its driver says, 0 = unknown. */
void uplink_lacp_speed(struct worker *worker, int member, uint32_t mbps, enum lacp_duplex duplex);
/** A member's state or priority changed: from the team's observer, so nothing happens yet. */
void uplink_lacp_touch(struct worker *worker);
/** Takes the member out of use without losing a frame, then calls member_drained; or, on = false,
 * back into use. */
void uplink_lacp_drain(struct worker *worker, int member, bool on);

/** True: the frame was for LACP. Only where worker->lacp.on. */
bool uplink_lacp_receive(struct uplink *uplink, const uint8_t *frame, uint32_t len);
/** Carries over what has changed. */
void uplink_lacp_settle(struct worker *worker);
/** Performs what is due, once the NICs are read (more: they hold more). True: call again at once.
 */
bool uplink_lacp_run(struct worker *worker, bool more);

#endif
