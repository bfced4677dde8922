/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-nic-check.c - which interfaces a team may take, private namespaces, what open does to an
 * interface, and a kernel's TCP through two uplinks.
 */
#include "netback-team/nic.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/util.h"
#include "netlab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static char error[256];

static int delete_all(void **state)
{
	netlab_try("for i in v0 a1 b1 br0 mv0 vl0; do ip link del $i 2>/dev/null; done; for n in "
		   "/run/netns/*; "
		   "do ip netns del ${n##*/} 2>/dev/null; done; true");
	return 0;
}

static int make_veth(void **state)
{
	netlab_run(
		"ip link add v0 type veth peer name v1 && ip link set v0 up && ip link set v1 up");
	return 0;
}

/* What nic_check says about v0 after a command, which another one undoes. */
static void assert_refused(const char *command, const char *undo, int expect, const char *text)
{
	netlab_run("%s", command);
	error[0] = '\0';
	assert_int_equal(nic_check("v0", -1, error, sizeof(error)), expect);
	if (!strstr(error, text))
		fail_msg("\"%s\" does not contain \"%s\"", error, text);
	assert_non_null(strstr(error, "v0"));
	netlab_run("%s", undo);
	assert_int_equal(nic_check("v0", -1, error, sizeof(error)), 0);
}

static void test_check_accepts_a_free_interface(void **state)
{
	assert_int_equal(nic_check("v0", -1, error, sizeof(error)), 0);
	/* Nobody configured an IPv6 link-local address: it is just there. */
	netlab_run("ip -6 addr add fe80::42/64 dev v0 nodad");
	assert_int_equal(nic_check("v0", -1, error, sizeof(error)), 0);
}

static void test_check_refuses_what_does_not_exist(void **state)
{
	assert_int_equal(nic_check("nosuch0", -1, error, sizeof(error)), -ENODEV);
	assert_non_null(strstr(error, "nosuch0: no such interface"));
	assert_int_equal(nic_check("", -1, error, sizeof(error)), -ENODEV);
	assert_int_equal(nic_check("../v0", -1, error, sizeof(error)), -ENODEV);
	assert_non_null(strstr(error, "../v0"));
	assert_int_equal(nic_check("sixteen-letters0", -1, error, sizeof(error)), -ENODEV);
	assert_int_equal(nic_check("v0", 0, error, sizeof(error)), -EINVAL);
	assert_non_null(strstr(error, "namespace"));
}

static void test_check_refuses_what_is_not_ethernet(void **state)
{
	assert_int_equal(nic_check("lo", -1, error, sizeof(error)), -EINVAL);
	assert_non_null(strstr(error, "loopback"));
	netlab_run("ip tuntap add tun0 mode tun");
	assert_int_equal(nic_check("tun0", -1, error, sizeof(error)), -EINVAL);
	assert_non_null(strstr(error, "not Ethernet"));
	netlab_run("ip link del tun0");
}

static void test_check_refuses_what_others_use(void **state)
{
	assert_refused("ip link add br0 type bridge && ip link set v0 master br0",
		       "ip link set v0 nomaster", -EBUSY, "br0 (bridge)");
	assert_refused("ip link add mv0 link v0 type macvlan", "ip link del mv0", -EBUSY,
		       "mv0 (macvlan)");
}

static void test_check_refuses_what_the_host_uses(void **state)
{
	assert_refused("ip addr add 10.1.2.3/24 dev v0", "ip addr flush dev v0", -EADDRINUSE,
		       "IPv4 address");
	assert_refused("ip -6 addr add 2001:db8::1/64 dev v0 nodad",
		       "ip -6 addr del 2001:db8::1/64 dev v0", -EADDRINUSE, "IPv6 address");
	assert_refused("ip route add default dev v0", "ip route del default dev v0", -EADDRINUSE,
		       "IPv4 default route");
	assert_refused("ip -6 route add default dev v0", "ip -6 route del default dev v0",
		       -EADDRINUSE, "IPv6 default route");
	assert_refused("ip route add default nexthop dev v1 nexthop dev v0", "ip route del default",
		       -EADDRINUSE, "IPv4 default route");
	/* Another interface's routes and addresses, or a route to somewhere, do not concern v0. */
	netlab_run("ip addr add 10.1.2.3/24 dev v1 && ip route add default dev v1 && "
		   "ip route add 10.5.0.0/16 dev v0");
	assert_int_equal(nic_check("v0", -1, error, sizeof(error)), 0);
}

static void test_namespace_is_made_reopened_and_repaired(void **state)
{
	struct stat first, second;
	int fd = nic_netns_open("xb-test"), again = nic_netns_open("xb-test");

	assert_true(fd >= 0 && again >= 0);
	assert_int_equal(fstat(fd, &first), 0);
	assert_int_equal(fstat(again, &second), 0);
	assert_int_equal(first.st_ino, second.st_ino);
	assert_int_equal(netlab_try("ip -n xb-test link show lo | grep -q UP"), 0);
	assert_int_equal(stat("/proc/self/ns/net", &second), 0);
	assert_int_not_equal(first.st_ino, second.st_ino);
	close(fd);
	close(again);

	netlab_run("ip netns del xb-test && touch /run/netns/xb-test");
	fd = nic_netns_open("xb-test");
	assert_true(fd >= 0);
	assert_int_equal(netlab_try("ip -n xb-test link show lo | grep -q UP"), 0);
	close(fd);

	assert_int_equal(nic_netns_open(""), -EINVAL);
	assert_int_equal(nic_netns_open(".."), -EINVAL);
	assert_int_equal(nic_netns_open("a/b"), -EINVAL);
	assert_int_equal(
		nic_netns_open("0123456789012345678901234567890123456789012345678901234567890123"),
		-EINVAL);
}

static void test_interface_moves_and_returns(void **state)
{
	int fd = nic_netns_open("xb-test");
	struct nic_packet_options there = {.netns_fd = fd};
	static struct netlab_frame f;
	struct nic *nic;
	struct mmsghdr msg;
	uint8_t buf[128];
	int raw;

	assert_int_equal(nic_netns_move("nosuch0", fd), -ENODEV);
	assert_int_equal(nic_netns_move("v0", -1), -EBADF);
	assert_int_equal(nic_netns_return("v0", -1), -EBADF);
	assert_int_equal(nic_netns_move("lo", fd), -EINVAL);
	assert_int_equal(nic_netns_move("v0", fd), 0);
	assert_int_equal(nic_check("v0", -1, error, sizeof(error)), -ENODEV);
	assert_int_equal(nic_check("v0", fd, error, sizeof(error)), 0);

	/* The uplink works from here although its interface is there. */
	assert_int_equal(nic_packet_open(&nic, "v0", &there, error, sizeof(error)), 0);
	raw = netlab_raw("v1");
	netlab_frame_plain(&f, 60, 9);
	netlab_msg(&msg, &f, false);
	assert_int_equal(nic->ops->send(nic, &msg, 1), 1);
	assert_int_equal(netlab_raw_recv(raw, buf, sizeof(buf)), 60);
	assert_int_equal(nic->ops->carrier(nic), 1);
	assert_int_equal(netlab_try("ip -n xb-test link set v0 mtu 1200"), 0);
	netlab_frame_plain(&f, 1300, 9);
	netlab_msg(&msg, &f, false);
	assert_int_equal(nic->ops->send(nic, &msg, 1), -EMSGSIZE);
	assert_int_equal(nic->mtu, 1200);
	close(raw);

	/* Moving away is removal to the socket. */
	assert_int_equal(nic_netns_return("v0", fd), 0);
	netlab_msg(&msg, &f, true);
	assert_int_equal(nic->ops->recv(nic, &msg, &(int32_t){0}, 1), -ENXIO);
	nic->ops->close(nic);
	assert_int_equal(nic_check("v0", -1, error, sizeof(error)), 0);
	assert_int_equal(nic_netns_return("v0", fd), -ENODEV);

	/* A name that is taken. */
	netlab_run("ip -n xb-test link add v0 type bridge");
	assert_int_equal(nic_netns_move("v0", fd), -EEXIST);
	close(fd);
}

/* Value of a sysctl of v0, -1 absent. */
static int sysctl_v0(const char *family, const char *key)
{
	char path[128];
	FILE *file;
	int value = -1;

	snprintf(path, sizeof(path), "/proc/sys/net/%s/conf/v0/%s", family, key);
	file = fopen(path, "re");
	if (!file)
		return -1;
	if (fscanf(file, "%d", &value) != 1)
		value = -1;
	fclose(file);
	return value;
}

static void test_open_silences_the_host_until_close(void **state)
{
	static const struct nic_packet_options options = {.netns_fd = -1};
	int old = sysctl_v0("ipv4", "arp_ignore");
	struct nic *nic;

	assert_int_equal(old, 0);
	netlab_run("ip link set v0 down");
	assert_int_equal(nic_packet_open(&nic, "v0", &options, error, sizeof(error)), 0);
	assert_int_equal(sysctl_v0("ipv4", "arp_ignore"), 8);
	assert_int_not_equal(sysctl_v0("ipv6", "disable_ipv6"),
			     0); /* 1, or a kernel without IPv6 */
	assert_int_equal(netlab_try("ip link show v0 | grep -q 'UP,'"), 0);
	assert_int_not_equal(netlab_try("ip -6 addr show dev v0 | grep -q inet6"), 0);
	nic->ops->close(nic);
	assert_int_equal(sysctl_v0("ipv4", "arp_ignore"), 0);
	assert_int_not_equal(sysctl_v0("ipv6", "disable_ipv6"), 1);
}

static void test_open_sets_offloads(void **state)
{
	static const struct nic_packet_options options = {.netns_fd = -1};
	struct nic *nic;

	if (netlab_try("command -v ethtool >/dev/null") != 0)
		skip();
	netlab_run("ethtool -K v0 gro off rx-gro-list on rx-udp-gro-forwarding on tso off tx off "
		   ">/dev/null && ip link set v0 gro_max_size 65536");
	assert_int_equal(nic_packet_open(&nic, "v0", &options, error, sizeof(error)), 0);
	assert_int_equal(netlab_try("ethtool -k v0 | grep -q 'generic-receive-offload: on'"), 0);
	assert_int_equal(netlab_try("ethtool -k v0 | grep -q 'rx-gro-list: off'"), 0);
	assert_int_equal(netlab_try("ethtool -k v0 | grep -q 'rx-udp-gro-forwarding: off'"), 0);
	assert_int_equal(netlab_try("ethtool -k v0 | grep -q 'tx-tcp-segmentation: on'"), 0);
	assert_int_equal(netlab_try("ethtool -k v0 | grep -q 'tx-checksumming: on'"), 0);
	assert_int_equal(netlab_try("ip -d link show v0 | grep -q 'gro_max_size 65517'"), 0);
	nic->ops->close(nic);
}

/* A kernel's TCP from namespace xb-a to xb-b, carried by us between two uplinks. */
#define TCP_BYTES (16u << 20)

struct tcp_end {
	const char *netns;
	bool server;
	int listener; /* server: set up before the client starts */
	uint64_t n_bytes, n_wrong;
};

static void enter(const char *netns)
{
	AUTO_CLOSE int fd = nic_netns_open(netns);

	if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
		abort();
}

static void *run_tcp(void *arg)
{
	const struct sockaddr_in address = {.sin_family = AF_INET,
					    .sin_port = htons(5001),
					    .sin_addr.s_addr = htonl(0x0a070002)};
	const struct timeval patience = {.tv_sec = 10};
	struct tcp_end *end = arg;
	static uint8_t out[65536];
	uint8_t in[16384];
	int fd;

	enter(end->netns);
	fd = end->server ? accept(end->listener, NULL, NULL) : socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (end->server) {
		ssize_t n;

		while ((n = read(fd, in, sizeof(in))) > 0) {
			for (ssize_t i = 0; i < n; i++)
				end->n_wrong +=
					in[i] != (uint8_t)((end->n_bytes + (uint64_t)i) % 251);
			end->n_bytes += (uint64_t)n;
		}
	} else if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0) {
		while (end->n_bytes < TCP_BYTES) {
			for (size_t i = 0; i < sizeof(out); i++)
				out[i] = (uint8_t)((end->n_bytes + i) % 251);
			if (write(fd, out, sizeof(out)) != sizeof(out))
				break;
			end->n_bytes += sizeof(out);
		}
	}
	close(fd);
	return NULL;
}

static void *listen_tcp(void *arg)
{
	const struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(5001)};
	struct tcp_end *end = arg;

	enter(end->netns);
	end->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(end->listener, (const struct sockaddr *)&any, sizeof(any)) < 0 ||
	    listen(end->listener, 1) < 0)
		abort();
	return NULL;
}

static struct netlab_frame batch[16];

/* Carries what waits from one uplink to the other; counts GSO frames. */
static unsigned int pump(struct nic *from, struct nic *to, unsigned int *n_gso)
{
	struct mmsghdr msgs[ARRAY_SIZE(batch)];
	int32_t tags[ARRAY_SIZE(batch)];
	int n, sent = 0;

	for (size_t i = 0; i < ARRAY_SIZE(batch); i++)
		netlab_msg(&msgs[i], &batch[i], true);
	n = from->ops->recv(from, msgs, tags, ARRAY_SIZE(batch));
	assert_true(n >= 0);
	for (int i = 0; i < n; i++) {
		assert_int_equal(msgs[i].msg_hdr.msg_flags & MSG_TRUNC, 0);
		assert_true(msgs[i].msg_len <= 65535 + sizeof(batch[i].vnet));
		batch[i].iov[1].iov_len = msgs[i].msg_len - sizeof(batch[i].vnet);
		*n_gso += batch[i].vnet.gso_type != VIRTIO_NET_HDR_GSO_NONE;
	}
	while (sent < n) {
		int done = to->ops->send(to, msgs + sent, (unsigned int)(n - sent));

		assert_true(done > 0 || done == -EAGAIN);
		sent += MAX(done, 0);
	}
	return (unsigned int)n;
}

static void test_tcp_of_a_kernel_passes_with_gso(void **state)
{
	static const struct nic_packet_options options = {.netns_fd = -1};
	struct tcp_end client = {.netns = "xb-a"}, server = {.netns = "xb-b", .server = true};
	unsigned int n_gso[2] = {0}, n_frames = 0;
	struct nic *nics[2];
	pthread_t threads[2];
	struct pollfd fds[2];

	netlab_run("ip netns add xb-a && ip netns add xb-b && "
		   "ip link add a1 type veth peer name a0 netns xb-a && "
		   "ip link add b1 type veth peer name b0 netns xb-b && "
		   "ip -n xb-a addr add 10.7.0.1/24 dev a0 && ip -n xb-b addr add 10.7.0.2/24 dev "
		   "b0 && "
		   "ip -n xb-a link set a0 up && ip -n xb-b link set b0 up");
	assert_int_equal(nic_packet_open(&nics[0], "a1", &options, error, sizeof(error)), 0);
	assert_int_equal(nic_packet_open(&nics[1], "b1", &options, error, sizeof(error)), 0);
	for (int i = 0; i < 2; i++)
		fds[i] = (struct pollfd){.fd = nics[i]->fd, .events = POLLIN};
	pthread_create(&threads[0], NULL, listen_tcp, &server);
	pthread_join(threads[0], NULL);
	pthread_create(&threads[0], NULL, run_tcp, &server);
	pthread_create(&threads[1], NULL, run_tcp, &client);
	while (pthread_tryjoin_np(threads[0], NULL) != 0) {
		unsigned int n =
			pump(nics[0], nics[1], &n_gso[0]) + pump(nics[1], nics[0], &n_gso[1]);

		n_frames += n;
		if (n == 0)
			poll(fds, 2, 100);
	}
	pthread_join(threads[1], NULL);
	assert_int_equal(client.n_bytes, TCP_BYTES);
	assert_int_equal(server.n_bytes, TCP_BYTES);
	assert_int_equal(server.n_wrong, 0);
	print_message("# %u bytes in %u frames, %u of them GSO\n", TCP_BYTES, n_frames, n_gso[0]);
	assert_true(n_gso[0] > 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(nics[i]->ops->drops(nics[i]), 0);
		nics[i]->ops->close(nics[i]);
	}
	close(server.listener);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_check_accepts_a_free_interface, make_veth,
						delete_all),
		cmocka_unit_test_setup_teardown(test_check_refuses_what_does_not_exist, make_veth,
						delete_all),
		cmocka_unit_test_setup_teardown(test_check_refuses_what_is_not_ethernet, make_veth,
						delete_all),
		cmocka_unit_test_setup_teardown(test_check_refuses_what_others_use, make_veth,
						delete_all),
		cmocka_unit_test_setup_teardown(test_check_refuses_what_the_host_uses, make_veth,
						delete_all),
		cmocka_unit_test_setup_teardown(test_namespace_is_made_reopened_and_repaired,
						make_veth, delete_all),
		cmocka_unit_test_setup_teardown(test_interface_moves_and_returns, make_veth,
						delete_all),
		cmocka_unit_test_setup_teardown(test_open_silences_the_host_until_close, make_veth,
						delete_all),
		cmocka_unit_test_setup_teardown(test_open_sets_offloads, make_veth, delete_all),
		cmocka_unit_test_setup_teardown(test_tcp_of_a_kernel_passes_with_gso, make_veth,
						delete_all),
	};

	netlab_enter(120);
	return cmocka_run_group_tests_name("nic-check", tests, NULL, NULL);
}
