/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netlab.h - a sandbox for tests and benchmarks that need interfaces: own network, mount and
 * process namespaces, ip(8), raw peers.
 *
 * Everything made in it vanishes with the process, also when that is killed; the host's interfaces
 * are out of reach.
 */
#ifndef XB_TESTS_NETLAB_H
#define XB_TESTS_NETLAB_H

#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/**
 * Enters the sandbox and returns in a process of it (lo up, an empty /run/netns, pid 1 in the same
 * namespace). Where that is not possible, prints `1..0 # SKIP why` and exits 0. The outer process
 * waits and exits as the inner one does; after timeout_s it kills it and fails.
 */
void netlab_enter(unsigned int timeout_s);

/** Runs a shell command; its exit status. */
int netlab_try(const char *format, ...) __attribute__((format(printf, 1, 2)));
/** Runs a shell command that must succeed; else prints it and ends the process. */
void netlab_run(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** Creates a TAP interface, up; its fd. The interface vanishes when the fd is closed. */
int netlab_tap(const char *name);
/** Carrier of a TAP interface. */
void netlab_tap_carrier(int fd, bool on);

/** A plain packet socket on an interface of the thread's namespace, as a test's other end: no vnet
 * header, non-blocking. */
int netlab_raw(const char *name);
/** Receives one frame from such a socket, or a TAP, into buf within 2 s; its length or -1. Frames
 * that the kernel made by itself (IPv6) are passed over. */
int netlab_raw_recv(int fd, void *buf, size_t size);

/** Frames of a fixed shape, for senders: room for head and payload, an mmsghdr with vnet header and
 * one iovec. */
struct netlab_frame {
	struct virtio_net_hdr vnet;
	struct iovec iov[2];
	size_t len; /**< of data */
	uint8_t data[65536];
};

/** Addresses of the frames below. */
extern const uint8_t netlab_dst[6], netlab_src[6];

/** A frame without IP: ethertype 0x88b5 (for experiments), len bytes in total, filled from seed. */
void netlab_frame_plain(struct netlab_frame *f, size_t len, uint8_t seed);
/**
 * An IPv4 TCP segment of payload bytes with partial checksum; gso_size 0 = not GSO. vlan_tci < 0:
 * untagged. 10.9.0.1 -> 10.9.0.2.
 */
void netlab_frame_tcp(struct netlab_frame *f, size_t payload, uint16_t gso_size, int vlan_tci);
/** Points msg at the frame (as much room as it has when receive, else its len). */
void netlab_msg(struct mmsghdr *msg, struct netlab_frame *f, bool receive);

/** Sum of the IPv4 pseudo header and the L4 bytes of a frame: 0xffff when the checksum is right.
 * l3_off: of the IPv4 header. */
uint16_t netlab_l4_sum(const uint8_t *frame, size_t len, size_t l3_off);

/** rx_packets and rx_bytes of an interface in the thread's namespace (/proc/net/dev). */
void netlab_counters(const char *name, uint64_t *rx_packets, uint64_t *rx_bytes);

#endif
