/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nic_rtnl.h - questions to and orders for the kernel's link table by rtnetlink (libnl-3), for
 * nic_*.c and linkwatch.c.
 *
 * libnl's link cache is left out on purpose: it holds every interface of the host and follows each
 * of a thousand vifs; we ask for the few that we watch, at the moment when it matters.
 */
#ifndef XB_NET_NIC_RTNL_H
#define XB_NET_NIC_RTNL_H

#include <net/if.h>
#include <netlink/netlink.h>
#include <stdbool.h>
#include <stdint.h>

/* Operational states (RFC 2863; Linux names them in linux/if.h, which does not go with net/if.h).
 */
#define NIC_RTNL_OPER_UNKNOWN 0
#define NIC_RTNL_OPER_UP      6

/** One row of the kernel's link table. */
struct nic_rtnl_link {
	char name[IFNAMSIZ];
	char kind[16]; /**< "bridge", "vlan", "veth" ...; "" hardware */
	int ifindex;
	uint16_t arp_type; /**< ARPHRD_* */
	uint32_t flags;	   /**< IFF_* */
	uint32_t mtu;
	bool carrier;
	uint8_t operstate; /**< NIC_RTNL_OPER_UP ... */
	int master;	   /**< ifindex of the bridge, bond ... that it belongs to, 0 none */
	int lower;	   /**< ifindex of what it is built on, in this namespace, 0 none */
};

/** A request socket in the thread's present namespace; NULL after setting *error to -errno. */
struct nl_sock *nic_rtnl_open(int *error);
/**
 * A socket that is told of every change of links, non-blocking, with a receive buffer of
 * rcvbuf_bytes; NULL after setting *error.
 */
struct nl_sock *nic_rtnl_open_events(uint32_t rcvbuf_bytes, int *error);

/** Looks one interface up, by name or (name NULL) by ifindex; 0, -ENODEV, -errno. */
int nic_rtnl_get(struct nl_sock *sk, const char *name, int ifindex, struct nic_rtnl_link *link);
/** Reads a RTM_NEWLINK/RTM_DELLINK message; false when it is something else (also AF_BRIDGE's view
 * of a port). */
bool nic_rtnl_parse(const struct nlmsghdr *header, struct nic_rtnl_link *link);

/** Called for one message of a dump. */
typedef void (*nic_rtnl_fn)(void *ctx, const struct nlmsghdr *header);
/** Sends a dump request (type RTM_GET*, fixed header of size bytes) and hands out every answer,
 * maybe more than once; 0 or -errno. */
int nic_rtnl_dump(struct nl_sock *sk, int type, const void *header, size_t size, nic_rtnl_fn fn,
		  void *ctx);

/** Largest IP packet that GRO may build on an interface; 0, -errno (-EOPNOTSUPP: kernel
 * before 5.19). */
int nic_rtnl_set_gro_max(struct nl_sock *sk, int ifindex, uint32_t bytes);
/** Moves an interface into the namespace of netns_fd, or (netns_fd < 0) into that of process pid.
 */
int nic_rtnl_move(struct nl_sock *sk, int ifindex, int netns_fd, uint32_t pid);

#endif
