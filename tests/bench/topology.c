/* SPDX-License-Identifier: GPL-2.0-or-later */
/* topology.c - makes the interfaces of topology.h by ip(8). */
#include "topology.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/net/netlab.h"

const uint8_t bench_mac[6] = {0x02, 0x58, 0x42, 0, 0, 0x02};

static const struct {
	const char *name, *source, *sink;
} paths[BENCH_PATH_COUNT] = {
	[BENCH_DIRECT] = {"veth", "nic0", "sink0"},
	[BENCH_BRIDGE] = {"bridge", "src0", "sink1"},
};

void make_bench_topology(unsigned int timeout_s)
{
	netlab_enter(timeout_s);
	/* No chatter of IPv6, and no firewall hooks in the bridge: a plain Dom0 has none there
	 * either. */
	netlab_run("ip netns add sink && sysctl -qw net.ipv6.conf.default.disable_ipv6=1 && "
		   "ip netns exec sink sysctl -qw net.ipv6.conf.default.disable_ipv6=1");
	netlab_try("sysctl -qw net.bridge.bridge-nf-call-iptables=0 "
		   "net.bridge.bridge-nf-call-ip6tables=0 "
		   "net.bridge.bridge-nf-call-arptables=0 2>/dev/null");
	netlab_run("ip link add br0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0 && "
		   "ip link set br0 up");
	netlab_run("ip link add nic0 type veth peer name sink0 netns sink && "
		   "ip link add src0 type veth peer name port0 && "
		   "ip link add port1 type veth peer name sink1 netns sink");
	netlab_run("ip link set port0 master br0 && ip link set port1 master br0 && "
		   "bridge fdb replace 02:58:42:00:00:02 dev port1 master static");
	netlab_run("for i in nic0 src0 port0 port1; do ip link set $i up || exit; done; "
		   "for i in sink0 sink1; do ip -n sink link set $i up || exit; done");
}

const char *bench_source(enum bench_path path)
{
	return paths[path].source;
}

const char *bench_path_name(enum bench_path path)
{
	return paths[path].name;
}

void bench_arrived(enum bench_path path, uint64_t *packets, uint64_t *bytes)
{
	int sink = open("/run/netns/sink", O_RDONLY | O_CLOEXEC);
	int here = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

	if (sink < 0 || here < 0 || setns(sink, CLONE_NEWNET) < 0)
		abort();
	netlab_counters(paths[path].sink, packets, bytes);
	if (setns(here, CLONE_NEWNET) < 0)
		abort();
	close(sink);
	close(here);
}
