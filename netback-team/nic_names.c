/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nic_names.c - see nic_names.h. The place on the bus is asked for by ethtool: /sys shows another
 * namespace's interfaces. */
#include "nic_names.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "common/util.h"
#include "nic_link.h"
#include "nic_rtnl.h"

#define EVENT_RCVBUF_BYTES (1u << 20)

struct list {
	struct nic_name *names;
	unsigned int n;
	int netns_fd;
};

struct nic_names {
	struct nl_sock *events;
	nic_names_fn fn;
	void *ctx;
};

/* What other interfaces are parts of, or what is part of another one. */
static bool is_made_of_others(const struct nic_rtnl_link *link)
{
	static const char *const kinds[] = {"bridge",  "bond",	  "team",   "openvswitch", "vlan",
					    "macvlan", "macvtap", "ipvlan", "dummy",	   "vxlan"};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(link->kind, kinds[i]))
			return true;
	return false;
}

static void on_link(void *ctx, const struct nlmsghdr *header)
{
	struct list *list = ctx;
	struct nic_rtnl_link link;
	struct nic_name *name;

	if (!nic_rtnl_parse(header, &link) || link.arp_type != ARPHRD_ETHER ||
	    link.flags & IFF_LOOPBACK || is_made_of_others(&link))
		return;
	for (unsigned int i = 0; i < list->n; i++)
		if (list->names[i].ifindex == link.ifindex &&
		    list->names[i].netns_fd == list->netns_fd)
			return;
	list->names = xb_realloc(list->names, (list->n + 1) * sizeof(*list->names));
	name = &list->names[list->n++];
	memset(name, 0, sizeof(*name));
	memcpy(name->id.name, link.name, sizeof(name->id.name));
	name->ifindex = link.ifindex;
	name->netns_fd = list->netns_fd;
}

static void ask_bus(int fd, struct member_id *id)
{
	struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};
	struct ifreq request;

	memset(&request, 0, sizeof(request));
	memcpy(request.ifr_name, id->name, sizeof(id->name));
	request.ifr_data = (char *)&info;
	if (ioctl(fd, SIOCETHTOOL, &request) == 0)
		snprintf(id->bus, sizeof(id->bus), "%.*s", (int)sizeof(id->bus) - 1, info.bus_info);
}

/* The interfaces of one namespace. A kernel that does not answer has none for us. */
static void add_namespace(struct list *list, int netns_fd)
{
	struct ifinfomsg all = {.ifi_family = AF_UNSPEC};
	const unsigned int begin = list->n;
	struct nl_sock *sk;
	int back, fd, ret;

	if (nic_ns_enter(netns_fd, &back) < 0)
		return;
	list->netns_fd = netns_fd;
	sk = nic_rtnl_open(&ret);
	if (sk) {
		nic_rtnl_dump(sk, RTM_GETLINK, &all, sizeof(all), on_link, list);
		nl_socket_free(sk);
	}
	fd = nic_link_socket();
	for (unsigned int i = begin; fd >= 0 && i < list->n; i++) {
		nic_link_mac(fd, list->names[i].id.name, list->names[i].id.mac);
		ask_bus(fd, &list->names[i].id);
	}
	if (fd >= 0)
		close(fd);
	nic_ns_leave(back);
}

static int by_index(const void *a, const void *b)
{
	const struct nic_name *x = a, *y = b;

	return (x->ifindex > y->ifindex) - (x->ifindex < y->ifindex);
}

unsigned int nic_names_get(int netns_fd, struct nic_name **names)
{
	struct list list = {0};

	add_namespace(&list, -1);
	if (netns_fd >= 0)
		add_namespace(&list, netns_fd);
	if (list.n)
		qsort(list.names, list.n, sizeof(*list.names), by_index);
	*names = list.names;
	return list.n;
}

static int on_event(struct nl_msg *msg, void *arg)
{
	struct nic_names *names = arg;
	struct nic_rtnl_link link;

	if (nic_rtnl_parse(nlmsg_hdr(msg), &link))
		names->fn(names->ctx, link.name);
	return NL_OK;
}

int nic_names_watch(struct nic_names **names, nic_names_fn fn, void *ctx)
{
	struct nic_names *self = xb_calloc(1, sizeof(*self));
	int error = 0;

	self->fn = fn;
	self->ctx = ctx;
	self->events = nic_rtnl_open_events(EVENT_RCVBUF_BYTES, &error);
	if (!self->events) {
		free(self);
		return error;
	}
	nl_socket_modify_cb(self->events, NL_CB_VALID, NL_CB_CUSTOM, on_event, self);
	*names = self;
	return 0;
}

int nic_names_fd(const struct nic_names *names)
{
	return nl_socket_get_fd(names->events);
}

void nic_names_read(struct nic_names *names)
{
	const int error = nl_recvmsgs_default(names->events);

	if (error < 0 && error != -NLE_AGAIN)
		names->fn(names->ctx, "");
}

void nic_names_unwatch(struct nic_names *names)
{
	if (!names)
		return;
	nl_socket_free(names->events);
	free(names);
}
