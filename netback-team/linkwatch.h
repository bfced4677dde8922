/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * linkwatch.h - tells within milliseconds when an interface loses or regains its link.
 *
 * A thread of its own per namespace: rtnetlink events, and a poll of the carrier every poll_ns as
 * well, because the kernel delays carrier-down events of plain NICs by up to 1 s
 * (net/core/link_watch.c). Asking for the carrier can wait for the RTNL lock, which is why it must
 * not happen in a data path thread.
 */
#ifndef XB_NET_LINKWATCH_H
#define XB_NET_LINKWATCH_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

struct linkwatch;

struct link_state {
	char name[IFNAMSIZ];
	int ifindex; /**< 0: the interface does not exist */
	bool usable; /**< exists, admin up, carrier, operstate UP or UNKNOWN, not enslaved */
	bool admin_up;
	bool carrier;
	bool enslaved; /**< somebody made it part of a bridge or bond */
	uint32_t mtu;
	int32_t speed_mbps; /**< -1 unknown */
	bool full_duplex;
};

/**
 * Called from linkwatch's thread on the first look and on every change. It may add and remove
 * interfaces, but must not wait for a thread that may be in linkwatch_add or linkwatch_remove.
 */
typedef void (*linkwatch_fn)(void *ctx, const struct link_state *state);

/** netns_fd: namespace to watch, -1 = the caller's. poll_ns 0 = netlink only. 0 or -errno (of
 * setns, of sockets). */
int linkwatch_create(struct linkwatch **lw, int netns_fd, uint64_t poll_ns, linkwatch_fn fn,
		     void *ctx);
/** Ends the thread; no callback runs after it returned. Not from a callback. NULL is legal. */
void linkwatch_destroy(struct linkwatch *lw);
/** Watches one more interface, which need not exist yet. Thread-safe. 0, -EEXIST, -EINVAL cannot be
 * a name. */
int linkwatch_add(struct linkwatch *lw, const char *name);
/** No callback about this interface begins or runs after it returned. Thread-safe; an unknown name
 * is ignored. */
void linkwatch_remove(struct linkwatch *lw, const char *name);
void linkwatch_set_poll(struct linkwatch *lw, uint64_t poll_ns);

#endif
