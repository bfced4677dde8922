/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nic_check.c - may an interface join a team, and the private namespaces that teams keep their
 * members in.
 *
 * A namespace is a bind mount of /run/netns/NAME, the form that ip-netns(8) makes and reads, so
 * that an operator can look inside with `ip netns exec NAME`.
 */
#include "nic.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"
#include "common/util.h"
#include "nic_link.h"
#include "nic_rtnl.h"

#define LOG_MODULE "nic"

#define NETNS_DIR      "/run/netns"
#define NETNS_NAME_MAX 63

/* What the dumps look for, and what they found. */
struct search {
	int ifindex;
	bool found;
	struct nic_rtnl_link upper; /* of a link search */
};

/* Is something built on the interface (VLAN, macvlan: its rx handler would take our frames, or move
 * away with it)? */
static void on_upper(void *ctx, const struct nlmsghdr *header)
{
	struct search *search = ctx;
	struct nic_rtnl_link link;

	/* The two ends of a veth or netkit name each other; neither stands on the other. */
	if (search->found || !nic_rtnl_parse(header, &link) || link.lower != search->ifindex ||
	    link.ifindex == search->ifindex || !strcmp(link.kind, "veth") ||
	    !strcmp(link.kind, "netkit"))
		return;
	search->found = true;
	search->upper = link;
}

static void on_address(void *ctx, const struct nlmsghdr *header)
{
	const struct ifaddrmsg *address = nlmsg_data(header);
	struct search *search = ctx;

	if (header->nlmsg_type != RTM_NEWADDR || !nlmsg_valid_hdr(header, sizeof(*address)) ||
	    (int)address->ifa_index != search->ifindex)
		return;
	/* Every interface that is up has a link-local IPv6 address: nobody put it there. */
	if (address->ifa_family == AF_INET6 && address->ifa_scope == RT_SCOPE_LINK)
		return;
	search->found = true;
}

static bool hop_uses(struct nlattr *multipath, int ifindex)
{
	struct rtnexthop *hop = nla_data(multipath);
	int left = nla_len(multipath);

	while (RTNH_OK(hop, left)) {
		if (hop->rtnh_ifindex == ifindex)
			return true;
		left -= RTNH_ALIGN(hop->rtnh_len);
		hop = RTNH_NEXT(hop);
	}
	return false;
}

static void on_route(void *ctx, const struct nlmsghdr *header)
{
	const struct rtmsg *route = nlmsg_data(header);
	struct nlattr *tb[RTA_MAX + 1];
	struct search *search = ctx;

	if (header->nlmsg_type != RTM_NEWROUTE ||
	    nlmsg_parse((struct nlmsghdr *)header, sizeof(*route), tb, RTA_MAX, NULL) < 0 ||
	    route->rtm_dst_len != 0 || route->rtm_type != RTN_UNICAST)
		return;
	if (tb[RTA_OIF] && nla_len(tb[RTA_OIF]) >= 4 &&
	    (int)nla_get_u32(tb[RTA_OIF]) == search->ifindex)
		search->found = true;
	if (tb[RTA_MULTIPATH] && hop_uses(tb[RTA_MULTIPATH], search->ifindex))
		search->found = true;
}

static int check_kind(const char *name, const struct nic_rtnl_link *link, char *error, size_t size)
{
	if (link->flags & IFF_LOOPBACK) {
		snprintf(error, size, "%s: is the loopback interface; name an Ethernet interface",
			 name);
		return -EINVAL;
	}
	if (link->arp_type != ARPHRD_ETHER) {
		snprintf(
			error, size,
			"%s: is not Ethernet (ARP type %u, allowed %u); name an Ethernet interface",
			name, link->arp_type, ARPHRD_ETHER);
		return -EINVAL;
	}
	return 0;
}

static int check_free(struct nl_sock *sk, const char *name, const struct nic_rtnl_link *link,
		      char *error, size_t size)
{
	struct ifinfomsg all = {.ifi_family = AF_UNSPEC};
	struct search search = {.ifindex = link->ifindex};
	struct nic_rtnl_link master;
	int ret;

	if (link->master) {
		if (nic_rtnl_get(sk, NULL, link->master, &master) < 0)
			master = (struct nic_rtnl_link){.name = "?", .kind = "unknown"};
		snprintf(error, size,
			 "%s: belongs to %s (%s); release it first: ip link set %s nomaster", name,
			 master.name, master.kind, name);
		return -EBUSY;
	}
	ret = nic_rtnl_dump(sk, RTM_GETLINK, &all, sizeof(all), on_upper, &search);
	if (ret < 0) {
		snprintf(error, size, "%s: cannot read the link table: %s", name, strerror(-ret));
		return ret;
	}
	if (!search.found)
		return 0;
	snprintf(error, size, "%s: carries %s (%s); remove that first: ip link del %s", name,
		 search.upper.name, search.upper.kind, search.upper.name);
	return -EBUSY;
}

static int check_host_use(struct nl_sock *sk, const char *name, int ifindex, char *error,
			  size_t size)
{
	for (int version = 4; version <= 6; version += 2) {
		uint8_t family = version == 4 ? AF_INET : AF_INET6;
		struct ifaddrmsg address = {.ifa_family = family, .ifa_index = (uint32_t)ifindex};
		struct rtmsg route = {.rtm_family = family};
		struct search search = {.ifindex = ifindex};
		int ret = nic_rtnl_dump(sk, RTM_GETADDR, &address, sizeof(address), on_address,
					&search);

		if (ret == 0 && search.found) {
			snprintf(error, size,
				 "%s: carries an IPv%d address of this host; remove it first: ip "
				 "-%d addr flush dev %s",
				 name, version, version, name);
			return -EADDRINUSE;
		}
		if (ret == 0)
			ret = nic_rtnl_dump(sk, RTM_GETROUTE, &route, sizeof(route), on_route,
					    &search);
		if (ret == 0 && search.found) {
			snprintf(error, size,
				 "%s: carries the IPv%d default route of this host; move it first: "
				 "ip -%d route del default dev %s",
				 name, version, version, name);
			return -EADDRINUSE;
		}
		/* A kernel without IPv6 has none of it. */
		if (ret < 0 && ret != -EAFNOSUPPORT && ret != -EOPNOTSUPP) {
			snprintf(error, size, "%s: cannot read IPv%d addresses and routes: %s",
				 name, version, strerror(-ret));
			return ret;
		}
	}
	return 0;
}

static int check_here(const char *name, char *error, size_t size)
{
	struct nic_rtnl_link link;
	struct nl_sock *sk;
	int ret;

	sk = nic_rtnl_open(&ret);
	if (!sk) {
		snprintf(error, size, "%s: cannot ask the kernel: %s", name, strerror(-ret));
		return ret;
	}
	ret = nic_rtnl_get(sk, name, 0, &link);
	if (ret < 0)
		snprintf(error, size, "%s: %s; `ip link` lists the interfaces", name,
			 ret == -ENODEV ? "no such interface" : strerror(-ret));
	if (ret == 0)
		ret = check_kind(name, &link, error, size);
	if (ret == 0)
		ret = check_free(sk, name, &link, error, size);
	if (ret == 0)
		ret = check_host_use(sk, name, link.ifindex, error, size);
	nl_socket_free(sk);
	return ret;
}

int nic_check(const char *name, int netns_fd, char *error, size_t error_size)
{
	int back, ret;

	if (!nic_link_name_ok(name)) {
		snprintf(error, error_size,
			 "\"%.32s\" cannot be the name of an interface (1-15 bytes, no space, no "
			 "'/', no ':')",
			 name);
		return -ENODEV;
	}
	ret = nic_ns_enter(netns_fd, &back);
	if (ret < 0) {
		snprintf(error, error_size, "%s: cannot enter its namespace: %s", name,
			 strerror(-ret));
		return ret;
	}
	ret = check_here(name, error, error_size);
	nic_ns_leave(back);
	return ret;
}

static bool is_netns(int fd)
{
	return ioctl(fd, NS_GET_NSTYPE) == CLONE_NEWNET;
}

/* Runs in a thread of its own, which ends with the namespace it made: ours stays where it is. */
static void *make_netns(void *path)
{
	AUTO_CLOSE int fd = -1;
	int error;

	if (unshare(CLONE_NEWNET) < 0)
		return (void *)(intptr_t)-errno;
	if (mount("/proc/thread-self/ns/net", path, "none", MS_BIND, NULL) < 0)
		return (void *)(intptr_t)-errno;
	fd = nic_link_socket();
	if (fd < 0)
		return (void *)(intptr_t)fd;
	error = nic_link_up(fd, "lo");
	return (void *)(intptr_t)error;
}

static int create_netns(char *path)
{
	pthread_t thread;
	void *result;
	int ret, fd;

	if (mkdir(NETNS_DIR, 0755) < 0 && errno != EEXIST)
		return -errno;
	/* A file that is there without being a mount is what a reboot of the mount tree left: mount
	 * over it. */
	fd = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0444);
	if (fd < 0)
		return -errno;
	close(fd);
	ret = -pthread_create(&thread, NULL, make_netns, path);
	if (ret == 0) {
		pthread_join(thread, &result);
		ret = (int)(intptr_t)result;
	}
	if (ret < 0) {
		umount2(path, MNT_DETACH);
		unlink(path);
	}
	return ret;
}

int nic_netns_open(const char *name)
{
	char path[sizeof(NETNS_DIR) + NETNS_NAME_MAX + 1];
	int fd, ret;

	if (!name[0] || strlen(name) > NETNS_NAME_MAX || strchr(name, '/') || !strcmp(name, ".") ||
	    !strcmp(name, ".."))
		return -EINVAL;
	snprintf(path, sizeof(path), NETNS_DIR "/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && is_netns(fd))
		return fd;
	if (fd >= 0)
		close(fd);
	else if (errno != ENOENT)
		return -errno;
	ret = create_netns(path);
	if (ret < 0)
		return ret;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	log_info("made the network namespace %s", name);
	return fd;
}

/* From the thread's present namespace to netns_fd, or to that of pid 1. */
static int move_link(const char *name, int netns_fd)
{
	struct nic_rtnl_link link;
	struct nl_sock *sk;
	int ret;

	if (!nic_link_name_ok(name))
		return -ENODEV;
	sk = nic_rtnl_open(&ret);
	if (!sk)
		return ret;
	ret = nic_rtnl_get(sk, name, 0, &link);
	if (ret == 0)
		ret = nic_rtnl_move(sk, link.ifindex, netns_fd, 1);
	nl_socket_free(sk);
	return ret;
}

int nic_netns_move(const char *name, int netns_fd)
{
	return netns_fd < 0 ? -EBADF : move_link(name, netns_fd);
}

int nic_netns_return(const char *name, int netns_fd)
{
	int back, ret;

	if (netns_fd < 0)
		return -EBADF;
	ret = nic_ns_enter(netns_fd, &back);
	if (ret < 0)
		return ret;
	ret = move_link(name, -1);
	nic_ns_leave(back);
	return ret;
}
