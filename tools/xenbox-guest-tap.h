/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xenbox-guest-tap.h - a TAP interface with offloads: the guest's eth0, behind which a real Linux
 * network stack works.
 *
 * It appears in the network namespace of the caller. Reads and writes begin with a struct
 * virtio_net_hdr. Used by xenbox-guest.c.
 */
#ifndef XB_TOOLS_XENBOX_GUEST_TAP_H
#define XB_TOOLS_XENBOX_GUEST_TAP_H

#include <linux/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TAP_QUEUES_MAX 16u

struct tap {
	char name[IFNAMSIZ];
	unsigned int n_queues;
	int fds[TAP_QUEUES_MAX]; /**< non-blocking */
};

/** What the interface may leave to us. */
struct tap_offload {
	bool csum, tso4, tso6;
};

/** An address with its prefix; family AF_INET, AF_INET6 or 0 = none. */
struct tap_address {
	int family;
	unsigned int prefix_len;
	uint8_t bytes[16];
};

/** "10.0.0.2/24", "fd00::2/64"; -EINVAL. */
int tap_address_parse(const char *text, struct tap_address *address);

/** Makes the interface, without carrier. -errno with a sentence in error. */
int tap_open(struct tap *tap, const char *name, unsigned int n_queues, char *error,
	     size_t error_size);
/** Removes it. */
void tap_close(struct tap *tap);

int tap_set_offload(const struct tap *tap, const struct tap_offload *offload);
/** MAC and MTU, address (may be NULL), then up. -errno with a sentence in error. */
int tap_configure(const struct tap *tap, const uint8_t mac[6], uint32_t mtu,
		  const struct tap_address *address, char *error, size_t error_size);
int tap_set_carrier(const struct tap *tap, bool on);

#endif
