/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nic_link.h - what nic_packet.c, nic_check.c and linkwatch.c ask an interface by ioctl, and how a
 * thread enters its namespace.
 *
 * ioctls answer for the namespace of the socket, not of the thread: a socket from nic_link_socket
 * keeps working in any thread.
 */
#ifndef XB_NET_NIC_LINK_H
#define XB_NET_NIC_LINK_H

#include <stdbool.h>
#include <stdint.h>

/** May this be the name of an interface (1-15 bytes, neither "/", ":" nor space, not "." or "..")?
 */
bool nic_link_name_ok(const char *name);

/** Moves the calling thread into netns_fd (-1: it stays); *back is for nic_ns_leave. 0 or -errno
 * (thread not moved). */
int nic_ns_enter(int netns_fd, int *back);
/** Brings the thread back. Aborts when the kernel refuses: going on in the wrong namespace could
 * break the host's network. */
void nic_ns_leave(int back);

/** A socket for the calls below, of the thread's present namespace; fd or -errno. */
int nic_link_socket(void);

/* All below: -ENXIO when no interface has this name, else -errno of the kernel. */

/** Carrier as the driver sees it this moment (ETHTOOL_GLINK): 1, 0 (also while admin down);
 * -EOPNOTSUPP cannot tell. */
int nic_link_carrier(int fd, const char *name);
/** Speed in Mbit/s (-1 unknown) and duplex. */
int nic_link_speed(int fd, const char *name, int32_t *mbps, bool *full_duplex);
/** ifindex of name. */
int nic_link_index(int fd, const char *name);
/** MTU in bytes of L3. */
int nic_link_mtu(int fd, const char *name);
int nic_link_mac(int fd, const char *name, uint8_t mac[6]);
/** Sets it admin up. */
int nic_link_up(int fd, const char *name);

/**
 * Turns off what makes frames that virtio_net_hdr cannot describe (LRO, fraglist and UDP GRO),
 * turns on GRO, TSO, SG and TX checksum where the driver lets us. A refusal only costs speed: it is
 * logged at debug.
 */
void nic_link_offloads(int fd, const char *name);

/** True when the interface segments TCP over IPv4 and IPv6 itself, as set at this moment. */
bool nic_link_segments(int fd, const char *name);

/** The host's own protocols on an interface, silenced; what is needed to undo it. */
struct nic_quiet {
	int fd[2]; /**< open sysctls, -1 = nothing to undo */
	char old[2][16];
};

/**
 * Keeps the host's stack from talking on the interface: no IPv6 (no autoconfiguration, no MLD), no
 * ARP replies. Of the thread's present namespace. A kernel without IPv6 has no such file: not an
 * error.
 */
void nic_quiet_begin(struct nic_quiet *quiet, const char *name);
/** Writes the old values back, from any namespace. An interface that vanished takes its settings
 * with it. */
void nic_quiet_end(struct nic_quiet *quiet);

#endif
