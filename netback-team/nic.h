/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nic.h - one uplink: send and receive batches of frames with offload metadata.
 *
 * nic_packet.c is the AF_PACKET implementation; tests bring their own. A NIC belongs to one worker
 * thread after it was opened. Messages are struct mmsghdr whose first iovec is a struct
 * virtio_net_hdr (10 bytes) and whose others are the frame.
 */
#ifndef XB_NET_NIC_H
#define XB_NET_NIC_H

#include <linux/virtio_net.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct nic;

/** Most messages of one recv. */
#define NIC_BATCH_MAX 64
/** Bit of vlan_tci: the tag is a service tag (802.1ad, 0x88a8), not 0x8100. */
#define NIC_VLAN_SERVICE 0x10000

struct nic_ops {
	const char *name;
	void (*close)(struct nic *nic);
	/**
	 * Sends messages [0, n); returns how many left (their order kept), or -errno for the first
	 * one: -ENOBUFS no carrier or queue full (offer it to another member), -ENETDOWN admin
	 * down, -ENXIO gone, -EMSGSIZE larger than the MTU, -EINVAL refused metadata, -EAGAIN
	 * socket buffer full.
	 */
	int (*send)(struct nic *nic, struct mmsghdr *msgs, unsigned int n);
	/**
	 * Receives up to min(n, NIC_BATCH_MAX) messages; returns their number, 0 none, -errno
	 * (-ENETDOWN once after admin down, -ENXIO gone: close and open it again when it is back).
	 * On return msg_len counts header and frame; MSG_TRUNC in msg_flags marks a frame that did
	 * not fit. vlan_tci[i] is -1 or the tag that the kernel stripped, with NIC_VLAN_SERVICE
	 * where that applies; who re-inserts it adds 4 to csum_start. gso_type may carry GSO_ECN,
	 * and on kernels since 6.2 types other than TCP.
	 */
	int (*recv)(struct nic *nic, struct mmsghdr *msgs, int32_t *vlan_tci, unsigned int n);
	/** Carrier as the kernel sees it this moment: 1, 0 or -errno. */
	int (*carrier)(struct nic *nic);
	/** Accept (or no longer) frames to this guest address; additions count. -EINVAL a group
	 * address. */
	int (*mac_add)(struct nic *nic, const uint8_t mac[6]);
	int (*mac_del)(struct nic *nic, const uint8_t mac[6]);
	/** The same for a group address, also where the card keeps it from those that take all
	 * groups. -EINVAL no group address. */
	int (*group)(struct nic *nic, const uint8_t mac[6], bool add);
	int (*promisc)(struct nic *nic, bool on);
	/** Frames that the kernel dropped because we were slow, or could not describe, since the
	 * start. */
	uint64_t (*drops)(struct nic *nic);
};

struct nic {
	const struct nic_ops *ops;
	char name[IFNAMSIZ];
	int ifindex;
	int fd;	      /**< readable when frames wait; -1 = poll by recv */
	uint32_t mtu; /**< bytes of L3; read at open, after -EMSGSIZE and after an admin down;
			 linkwatch tells changes sooner */
	uint8_t mac[6];
};

/** Options beside the name. */
struct nic_packet_options {
	int netns_fd;	       /**< namespace the interface lives in, -1 = ours */
	uint32_t rcvbuf_bytes; /**< SO_RCVBUFFORCE, 0 = 16 MiB */
};

/**
 * Opens interface `name`: SOCK_RAW, ETH_P_ALL, VNET_HDR, AUXDATA, IGNORE_OUTGOING, QDISC_BYPASS,
 * MR_ALLMULTI; brings it up; turns LRO, rx-gro-list and rx-udp-gro-forwarding off and GRO, TSO, SG,
 * tx-csum on where the driver lets us; keeps GRO below FRAME_MAX; disables IPv6 and ARP replies of
 * the host on it until close. Must be called from a thread that may enter the namespace. -errno
 * after writing why (name, what, next step) into error; -ENXIO when there is no such interface
 * (yet).
 */
int nic_packet_open(struct nic **nic, const char *name, const struct nic_packet_options *options,
		    char *error, size_t error_size);

/**
 * May this interface join a team? 0; -ENODEV unknown, -EBUSY enslaved to a bridge/bond/team (names
 * it) or carrying a VLAN, macvlan or the like (names that), -EADDRINUSE it carries an IP address of
 * the host (IPv6 link-local ones do not count) or its default route, -EINVAL loopback or not
 * Ethernet; the reason, with the next step, in error.
 */
int nic_check(const char *name, int netns_fd, char *error, size_t error_size);

/** Opens the named namespace /run/netns/NAME, creating it (and bringing lo up) where needed; an fd,
 * -EINVAL a bad name, -errno. */
int nic_netns_open(const char *name);
/**
 * Moves an interface from the caller's namespace into netns_fd; and from there back to the
 * namespace of pid 1. It arrives admin down, without its addresses. -ENODEV, -EEXIST (the name is
 * taken there), -EINVAL (a kind that cannot move: a bridge, lo).
 */
int nic_netns_move(const char *name, int netns_fd);
int nic_netns_return(const char *name, int netns_fd);

#endif
