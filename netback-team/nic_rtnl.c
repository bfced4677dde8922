/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nic_rtnl.c - rtnetlink requests through libnl-3, with the kernel's own error codes. */
#include "nic_rtnl.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "common/util.h"

#define DUMP_ATTEMPTS 5

/* What the callbacks of one request share. */
struct reply {
	nic_rtnl_fn fn;
	void *ctx;
	int error; /* -errno as the kernel said it; libnl's own codes lose most of them */
};

/* libnl's codes for what can fail before the kernel saw the request. */
static int from_nl(int nl_error)
{
	switch (-nl_error) {
	case 0:
		return 0;
	case NLE_NOMEM:
		return -ENOMEM;
	case NLE_PERM:
		return -EPERM;
	case NLE_AGAIN:
		return -EAGAIN;
	case NLE_DUMP_INTR:
		return -EINTR;
	case NLE_AF_NOSUPPORT:
		return -EAFNOSUPPORT;
	default:
		return -EIO;
	}
}

static struct nl_sock *open_socket(int *error)
{
	struct nl_sock *sk = nl_socket_alloc();
	int on = 1;

	if (!sk) {
		*error = -ENOMEM;
		return NULL;
	}
	nl_socket_disable_auto_ack(sk);
	*error = from_nl(nl_connect(sk, NETLINK_ROUTE));
	if (*error) {
		nl_socket_free(sk);
		return NULL;
	}
	/* A peek for each message would double the system calls; no message of ours is near this
	 * size. */
	nl_socket_set_msg_buf_size(sk, 65536);
	/* Lets the kernel filter dumps; where it cannot (before 4.20), our callbacks do. */
	setsockopt(nl_socket_get_fd(sk), SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	return sk;
}

struct nl_sock *nic_rtnl_open(int *error)
{
	return open_socket(error);
}

struct nl_sock *nic_rtnl_open_events(uint32_t rcvbuf_bytes, int *error)
{
	struct nl_sock *sk = open_socket(error);
	int size = (int)rcvbuf_bytes;

	if (!sk)
		return NULL;
	nl_socket_disable_seq_check(sk);
	nl_socket_set_nonblocking(sk);
	setsockopt(nl_socket_get_fd(sk), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	*error = from_nl(nl_socket_add_memberships(sk, RTNLGRP_LINK, 0));
	if (*error) {
		nl_socket_free(sk);
		return NULL;
	}
	return sk;
}

static int on_valid(struct nl_msg *msg, void *arg)
{
	struct reply *reply = arg;

	if (reply->fn)
		reply->fn(reply->ctx, nlmsg_hdr(msg));
	return NL_OK;
}

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *e, void *arg)
{
	struct reply *reply = arg;

	reply->error = e->error;
	return NL_STOP;
}

/* Sends msg (consumed) and receives its answer: one message, an acknowledgement or a whole dump. */
static int transact(struct nl_sock *sk, struct nl_msg *msg, nic_rtnl_fn fn, void *ctx)
{
	struct reply reply = {.fn = fn, .ctx = ctx};
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);
	int error;

	if (!cb) {
		nlmsg_free(msg);
		return -ENOMEM;
	}
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_valid, &reply);
	nl_cb_err(cb, NL_CB_CUSTOM, on_error, &reply);
	error = nl_send_auto(sk, msg);
	if (error >= 0)
		error = nl_recvmsgs(sk, cb);
	nl_cb_put(cb);
	nlmsg_free(msg);
	if (reply.error)
		return reply.error;
	return from_nl(MIN(error, 0));
}

/* A new request with its fixed header; NULL = out of memory. */
static struct nl_msg *request(int type, int flags, const void *header, size_t size)
{
	struct nl_msg *msg = nlmsg_alloc_simple(type, flags);

	if (msg && nlmsg_append(msg, (void *)header, size, NLMSG_ALIGNTO) < 0) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

static void read_info(struct nlattr *info, char kind[16])
{
	struct nlattr *tb[IFLA_INFO_MAX + 1];

	if (nla_parse_nested(tb, IFLA_INFO_MAX, info, NULL) == 0 && tb[IFLA_INFO_KIND])
		nla_strlcpy(kind, tb[IFLA_INFO_KIND], 16);
}

static uint32_t attr_u32(struct nlattr *attr)
{
	return attr && nla_len(attr) >= 4 ? nla_get_u32(attr) : 0;
}

static uint8_t attr_u8(struct nlattr *attr)
{
	return attr && nla_len(attr) >= 1 ? nla_get_u8(attr) : 0;
}

bool nic_rtnl_parse(const struct nlmsghdr *header, struct nic_rtnl_link *link)
{
	const struct ifinfomsg *info = nlmsg_data(header);
	struct nlattr *tb[IFLA_MAX + 1];

	if (header->nlmsg_type != RTM_NEWLINK && header->nlmsg_type != RTM_DELLINK)
		return false;
	if (nlmsg_parse((struct nlmsghdr *)header, sizeof(*info), tb, IFLA_MAX, NULL) < 0 ||
	    info->ifi_family != AF_UNSPEC || !tb[IFLA_IFNAME])
		return false;
	*link = (struct nic_rtnl_link){
		.ifindex = info->ifi_index,
		.arp_type = info->ifi_type,
		.flags = info->ifi_flags,
		.mtu = attr_u32(tb[IFLA_MTU]),
		.carrier = attr_u8(tb[IFLA_CARRIER]) != 0,
		.operstate = attr_u8(tb[IFLA_OPERSTATE]),
		.master = (int)attr_u32(tb[IFLA_MASTER]),
	};
	nla_strlcpy(link->name, tb[IFLA_IFNAME], sizeof(link->name));
	/* With a namespace id the number is one of another namespace. */
	if (!tb[IFLA_LINK_NETNSID])
		link->lower = (int)attr_u32(tb[IFLA_LINK]);
	if (tb[IFLA_LINKINFO])
		read_info(tb[IFLA_LINKINFO], link->kind);
	return true;
}

/* Answer of nic_rtnl_get. */
struct found {
	struct nic_rtnl_link *link;
	bool found;
};

static void on_link(void *ctx, const struct nlmsghdr *header)
{
	struct found *found = ctx;

	found->found = nic_rtnl_parse(header, found->link);
}

int nic_rtnl_get(struct nl_sock *sk, const char *name, int ifindex, struct nic_rtnl_link *link)
{
	struct ifinfomsg info = {.ifi_family = AF_UNSPEC, .ifi_index = name ? 0 : ifindex};
	struct found found = {.link = link};
	struct nl_msg *msg = request(RTM_GETLINK, 0, &info, sizeof(info));
	int error;

	if (!msg)
		return -ENOMEM;
	if (name)
		nla_put_string(msg, IFLA_IFNAME, name);
	nla_put_u32(msg, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	error = transact(sk, msg, on_link, &found);
	if (error)
		return error;
	return found.found ? 0 : -ENODEV;
}

int nic_rtnl_dump(struct nl_sock *sk, int type, const void *header, size_t size, nic_rtnl_fn fn,
		  void *ctx)
{
	int error;

	/* -EINTR: the table changed under the dump; what we look for may have been skipped. */
	for (int attempt = 0; attempt < DUMP_ATTEMPTS; attempt++) {
		struct nl_msg *msg = request(type, NLM_F_DUMP, header, size);

		error = msg ? transact(sk, msg, fn, ctx) : -ENOMEM;
		if (error != -EINTR)
			break;
	}
	return error;
}

int nic_rtnl_set_gro_max(struct nl_sock *sk, int ifindex, uint32_t bytes)
{
	struct ifinfomsg info = {.ifi_family = AF_UNSPEC, .ifi_index = ifindex};
	struct nl_msg *msg = request(RTM_NEWLINK, NLM_F_ACK, &info, sizeof(info));

	if (!msg)
		return -ENOMEM;
	nla_put_u32(msg, IFLA_GRO_MAX_SIZE, bytes);
	return transact(sk, msg, NULL, NULL);
}

int nic_rtnl_move(struct nl_sock *sk, int ifindex, int netns_fd, uint32_t pid)
{
	struct ifinfomsg info = {.ifi_family = AF_UNSPEC, .ifi_index = ifindex};
	struct nl_msg *msg = request(RTM_NEWLINK, NLM_F_ACK, &info, sizeof(info));

	if (!msg)
		return -ENOMEM;
	if (netns_fd >= 0)
		nla_put_u32(msg, IFLA_NET_NS_FD, (uint32_t)netns_fd);
	else
		nla_put_u32(msg, IFLA_NET_NS_PID, pid);
	return transact(sk, msg, NULL, NULL);
}
