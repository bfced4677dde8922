/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nic_names.h - the Ethernet interfaces of this host, and word of new ones. */
#ifndef XB_NET_NIC_NAMES_H
#define XB_NET_NIC_NAMES_H

#include "member_word.h"

struct nic_name {
	struct member_id id;
	int ifindex;
	int netns_fd; /**< where it is, -1 = our namespace */
};

/**
 * All Ethernet interfaces of our namespace and (netns_fd >= 0) of another one, but bridges, bonds
 * and the like, and what is built on others (VLANs): in the order in which they were made. Their
 * number; *names is for free(), NULL for none or when the kernel would not say.
 */
unsigned int nic_names_get(int netns_fd, struct nic_name **names);

struct nic_names;
/** Called for every interface of our namespace that the kernel tells of. */
typedef void (*nic_names_fn)(void *ctx, const char *name);
/** Listens; 0 or -errno. */
int nic_names_watch(struct nic_names **names, nic_names_fn fn, void *ctx);
int nic_names_fd(const struct nic_names *names);
/** Calls fn for what came in. Where the kernel lost something, with the name "". */
void nic_names_read(struct nic_names *names);
/** NULL is legal. */
void nic_names_unwatch(struct nic_names *names);

#endif
