/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * switch.h - the guests of one team: MAC table, anti-spoof, receive rules for several uplinks.
 * Pure; one per team.
 *
 * Theory of Operation: ports are guests' vifs, named by small numbers; uplinks are the team's
 * members. A port has its own address (a vif's mac) and, when learning is on, up to
 * SWITCH_LEARN_MAX others; past that limit new sources are dropped, so that a guest can fill
 * neither our table nor the physical switch's. Nobody may send with another port's own address.
 * Frames from a NIC pass the rules of non-LACP teaming:
 *
 * - R1: unicast counts from a usable member only (active-backup: the active one).
 * - R2: multicast counts from designated members only: from one where the switch floods it to all
 *   members, from every usable one where the switch takes them for one link (team_takes_groups).
 * - R3: a frame whose source lives on a port of ours is our own, reflected by a switch: dropped.
 * - R4: but when that source announces itself (gratuitous ARP, RARP, unsolicited neighbour
 *   advertisement), the guest has moved to another host. A learned address is forgotten; an own
 *   one is marked away, so that frames for it leave the host, until the guest speaks here again.
 * - R5: not for SWITCH_GARP_LOCK_NS after the guest announced itself here, or we announced it
 *   (sw_announced): that comes back, too.
 * - R6: sw_macs and sw_vlans list what to announce after a failover (a physical switch looks a
 *   guest up in its VLAN).
 * - R7: link-local control frames (LACP, STP, LLDP, pause) reach no guest, no guest sends them.
 * - R8: a physical switch may not know a guest that has been silent for SWITCH_SILENT_NS, and then
 *   floods its frames to every member. A frame that came through a member of the other kind
 *   (designated, not designated) already is a copy: dropped.
 *
 * Some members are a reserve, for guests that are told to be there (sw_port_home). Unicast for such
 * a guest counts from its reserve member only, for others from the rest; for SWITCH_MOVE_NS after a
 * move from both, copies (R8) aside: so long switches may take to hear of it.
 */
#ifndef XB_NET_SWITCH_H
#define XB_NET_SWITCH_H

#include <stdbool.h>
#include <stdint.h>

#include "frame.h"
#include "switch_copy.h"
#include "vlans.h"

#define SWITCH_PORTS_MAX    1024
#define SWITCH_LEARN_MAX    64 /**< learned addresses a port */
#define SWITCH_MCAST_MAX    64 /**< multicast filter entries a port (netif MCAST_ADD) */
#define SWITCH_AGE_NS	    300000000000ull /**< learned entries age out */
#define SWITCH_GARP_LOCK_NS 5000000000ull   /**< R5: after a guest's own gratuitous ARP */
#define SWITCH_SILENT_NS    10000000000ull  /**< R8: the shortest ageing time (802.1D) */
#define SWITCH_MOVE_NS	    1000000000ull   /**< after a port came to a reserve member, or back */

struct sw;

struct sw_port_options {
	uint8_t mac[6];
	bool learning;	/**< accept and learn other source addresses (nested bridges) */
	bool antispoof; /**< source must be the port's own (ignored with learning) */
};

struct sw *sw_create(void);
void sw_destroy(struct sw *sw);

/** Adds a port; returns its number, -EEXIST when another port has this mac as its own, -EINVAL when
 * it is zero or multicast, -ENOSPC. */
int sw_port_add(struct sw *sw, const struct sw_port_options *options);
/** Forgets the port's addresses and filter with it. */
void sw_port_remove(struct sw *sw, int port);
/** Own multicast filter: once on (request-multicast-control), only listed groups and broadcast are
 * delivered. */
void sw_mcast_filter(struct sw *sw, int port, bool on);
/** -ENOSPC past SWITCH_MCAST_MAX, -EINVAL when not a multicast address. */
int sw_mcast_add(struct sw *sw, int port, const uint8_t mac[6]);
void sw_mcast_del(struct sw *sw, int port, const uint8_t mac[6]);

/** From now on frames for this port come in on this reserve member, -1: on the others (as for a new
 * port). Nothing where that is so already. */
void sw_port_home(struct sw *sw, int port, int member, uint64_t now_ns);

/** Where a frame goes. */
enum sw_verdict {
	SW_VERDICT_UPLINK, /**< to the team */
	SW_VERDICT_LOCAL,  /**< to one port */
	SW_VERDICT_FLOOD,  /**< multicast or broadcast: to the ports that want it and (from a guest)
			      to the team */
	SW_VERDICT_DROP_SPOOF,	  /**< source address not the guest's, or one too many to learn */
	SW_VERDICT_DROP_CTRL,	  /**< link-local control frame */
	SW_VERDICT_DROP_REFLECT,  /**< our own frame coming back (R3) */
	SW_VERDICT_DROP_INACTIVE, /**< not for this member (R1, R2), or the second copy (R8) */
	SW_VERDICT_DROP_UNKNOWN,  /**< unicast for nobody here (from a guest: for itself), or no
				     frame at all */
};
#define SW_VERDICT_COUNT 8
const char *sw_verdict_name(enum sw_verdict verdict);

struct sw_decision {
	enum sw_verdict verdict;
	int port; /**< SW_VERDICT_LOCAL, else -1 */
};

/** A frame from guest `port`; head holds at least the Ethernet header. May learn, may note a
 * gratuitous ARP. */
struct sw_decision sw_from_guest(struct sw *sw, int port, const uint8_t *head, size_t head_len,
				 uint64_t now_ns);
/**
 * A frame from a member. usable: the member may receive unicast (active-backup: it is the active
 * one); designated: multicast of this member counts.
 */
struct sw_decision sw_from_nic(struct sw *sw, bool usable, bool designated, const uint8_t *head,
			       size_t head_len, uint64_t now_ns);

/** The same for a frame from this reserve member. usable: it may receive at all; designated: none
 * but reserve members may. */
struct sw_decision sw_from_reserve(struct sw *sw, int member, bool usable, bool designated,
				   const uint8_t *head, size_t head_len, uint64_t now_ns);

/** Iterates the ports that a flooded frame goes to: start with prev = -1, ends with -1. except: the
 * sending port or -1. */
int sw_flood_next(const struct sw *sw, const uint8_t dst[6], int except, int prev);

/** The addresses to announce after a failover (own and learned, not those that are away), max at
 * most; returns their number. */
unsigned int sw_macs(const struct sw *sw, uint8_t (*macs)[6], unsigned int max);
/** The VLANs in which the address sent since it is here; none where it is not. */
struct vlans sw_vlans(struct sw *sw, const uint8_t mac[6]);
/** Those of one port, its own first. */
unsigned int sw_port_macs(const struct sw *sw, int port, uint8_t (*macs)[6], unsigned int max);
/** Is the address still here? Not when it went elsewhere (R4), aged, or its port was removed: then
 * announcing it would draw its traffic away from where it is. */
bool sw_is_here(struct sw *sw, const uint8_t mac[6]);
/** We announced the address, if it is here: R5 begins. */
void sw_announced(struct sw *sw, const uint8_t mac[6], uint64_t now_ns);
/** The port that has the address, as its own or learned; -1 = none. */
int sw_port_of(struct sw *sw, const uint8_t mac[6]);

#endif
