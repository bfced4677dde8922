/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-nic.c - the AF_PACKET uplink against veth pairs and TAPs of a sandbox: frames, offload
 * metadata, every error of nic.h.
 */
#include "netback-team/nic.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/util.h"
#include "netlab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define N_FRAMES 4

static struct netlab_frame frames[N_FRAMES];
static struct mmsghdr msgs[N_FRAMES];
static int32_t tags[N_FRAMES];

/* v0 is ours, v1 the other end. */
static int make_veth(void **state)
{
	netlab_run(
		"ip link add v0 type veth peer name v1 && ip link set v0 up && ip link set v1 up");
	return 0;
}

static int delete_veth(void **state)
{
	netlab_try("ip link del v0 2>/dev/null");
	return 0;
}

static struct nic *open_nic(const char *name)
{
	static const struct nic_packet_options options = {.netns_fd = -1};
	char error[256] = "";
	struct nic *nic;
	int ret = nic_packet_open(&nic, name, &options, error, sizeof(error));

	if (ret)
		print_error("%s (%d)\n", error, ret);
	assert_int_equal(ret, 0);
	return nic;
}

/* Receives one message of at least min_len bytes of frame within 2 s; the result of recv. What the
 * kernel says by itself is passed over. */
static int recv_one(struct nic *nic, size_t min_len)
{
	struct pollfd pollfd = {.fd = nic->fd, .events = POLLIN};

	for (;;) {
		int got;

		netlab_msg(&msgs[0], &frames[0], true);
		got = nic->ops->recv(nic, msgs, tags, 1);
		if (got < 0 || (got == 1 && msgs[0].msg_len >= min_len + sizeof(frames[0].vnet) &&
				memcmp(frames[0].data + 12, "\x86\xdd", 2)))
			return got;
		if (got == 0 && poll(&pollfd, 1, 2000) == 0)
			return 0;
	}
}

static int send_one(struct nic *nic, struct netlab_frame *f)
{
	struct mmsghdr msg;

	netlab_msg(&msg, f, false);
	return nic->ops->send(nic, &msg, 1);
}

static void test_send_and_receive_batches(void **state)
{
	struct nic *nic = open_nic("v0"), *peer = open_nic("v1");
	uint8_t buf[2048];
	int raw = netlab_raw("v1"), n = 0;

	assert_int_equal(nic->mtu, 1500);
	assert_int_equal(nic->ops->carrier(nic), 1);
	assert_int_equal(nic->ops->recv(nic, msgs, tags, 0), 0);
	for (int i = 0; i < N_FRAMES; i++) {
		netlab_frame_plain(&frames[i], 60 + 100 * (size_t)i, (uint8_t)i);
		netlab_msg(&msgs[i], &frames[i], false);
	}
	assert_int_equal(nic->ops->send(nic, msgs, N_FRAMES), N_FRAMES);
	for (int i = 0; i < N_FRAMES; i++) {
		assert_int_equal(netlab_raw_recv(raw, buf, sizeof(buf)), 60 + 100 * i);
		assert_memory_equal(buf, frames[i].data, frames[i].len);
	}
	for (int i = 0; i < N_FRAMES; i++)
		netlab_msg(&msgs[i], &frames[i], true);
	while (n < N_FRAMES) {
		int got = peer->ops->recv(peer, msgs + n, tags + n, (unsigned int)(N_FRAMES - n));

		assert_true(got >= 0);
		n += got;
	}
	for (int i = 0; i < N_FRAMES; i++) {
		assert_int_equal(msgs[i].msg_len,
				 sizeof(struct virtio_net_hdr) + 60 + 100 * (size_t)i);
		assert_int_equal(tags[i], -1);
		assert_null(msgs[i].msg_hdr.msg_control);
	}
	/* What we sent ourselves never comes back to us. */
	netlab_msg(&msgs[0], &frames[0], true);
	assert_int_equal(nic->ops->recv(nic, msgs, tags, 1), 0);
	close(raw);
	peer->ops->close(peer);
	nic->ops->close(nic);
}

static void test_recv_takes_at_most_a_batch_and_marks_what_did_not_fit(void **state)
{
	enum { N = NIC_BATCH_MAX + 6 };
	struct nic *nic = open_nic("v0"), *peer = open_nic("v1");
	struct mmsghdr many[N] = {0};
	struct virtio_net_hdr vnet[N];
	struct iovec iov[N][2];
	static uint8_t small[N][40];
	int32_t many_tags[N];

	netlab_frame_plain(&frames[0], 60, 0);
	for (int i = 0; i < N; i++) {
		assert_int_equal(send_one(peer, &frames[0]), 1);
		iov[i][0] = (struct iovec){&vnet[i], sizeof(vnet[i])};
		iov[i][1] = (struct iovec){small[i], sizeof(small[i])};
		many[i].msg_hdr = (struct msghdr){.msg_iov = iov[i], .msg_iovlen = 2};
	}
	assert_int_equal(nic->ops->recv(nic, many, many_tags, N), NIC_BATCH_MAX);
	assert_true(many[0].msg_hdr.msg_flags & MSG_TRUNC);
	assert_int_equal(nic->ops->recv(nic, many, many_tags, N), N - NIC_BATCH_MAX);
	assert_int_equal(nic->ops->drops(nic), 0);
	peer->ops->close(peer);
	nic->ops->close(nic);
}

static void test_gso_and_partial_checksum_pass_unchanged(void **state)
{
	struct nic *nic = open_nic("v0"), *peer = open_nic("v1");
	static struct netlab_frame f;

	netlab_frame_tcp(&f, 60000, 1448, -1);
	assert_int_equal(send_one(nic, &f), 1);
	assert_int_equal(recv_one(peer, 54), 1);
	assert_int_equal(msgs[0].msg_len, sizeof(f.vnet) + f.len);
	assert_int_equal(frames[0].vnet.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
	assert_int_equal(frames[0].vnet.gso_type, VIRTIO_NET_HDR_GSO_TCPV4);
	assert_int_equal(frames[0].vnet.gso_size, 1448);
	assert_int_equal(frames[0].vnet.csum_start, 34);
	assert_int_equal(frames[0].vnet.csum_offset, 16);
	assert_memory_equal(frames[0].data, f.data, f.len);

	netlab_frame_tcp(&f, 1000, 0, -1);
	assert_int_equal(send_one(nic, &f), 1);
	assert_int_equal(recv_one(peer, 54), 1);
	assert_int_equal(frames[0].vnet.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
	assert_int_equal(frames[0].vnet.gso_type, VIRTIO_NET_HDR_GSO_NONE);
	assert_memory_equal(frames[0].data, f.data, f.len);
	peer->ops->close(peer);
	nic->ops->close(nic);
}

/* 10 segments with complete checksums, 14480 bytes of payload in all. */
static void assert_segments(int raw)
{
	uint8_t buf[2048];

	for (int i = 0; i < 10; i++) {
		int len = netlab_raw_recv(raw, buf, sizeof(buf));

		assert_int_equal(len, 54 + 1448);
		assert_int_equal(netlab_l4_sum(buf, (size_t)len, 14), 0xffff);
	}
}

/* A port without offloads: the kernel fills the checksum in and segments. */
static void test_offloads_that_the_port_lacks(void **state)
{
	static struct netlab_frame f, plain;
	uint8_t buf[2048];
	struct nic *nic;
	int raw, len, n_refusals = 0;

	if (netlab_try("command -v ethtool >/dev/null") != 0)
		skip();
	nic = open_nic("v0");
	raw = netlab_raw("v1");
	netlab_run("ethtool -K v0 tx off tso off gso off >/dev/null");
	netlab_frame_tcp(&f, 1000, 0, -1);
	assert_int_not_equal(netlab_l4_sum(f.data, f.len, 14), 0xffff);
	assert_int_equal(send_one(nic, &f), 1);
	len = netlab_raw_recv(raw, buf, sizeof(buf));
	assert_int_equal(len, f.len);
	assert_int_equal(netlab_l4_sum(buf, (size_t)len, 14), 0xffff);

	/* Offloads went away after open: a few refusals, while others pass, then another way. */
	netlab_frame_tcp(&f, 14480, 1448, -1);
	netlab_frame_plain(&plain, 60, 0);
	while (send_one(nic, &f) == -ENOBUFS) {
		assert_true(++n_refusals < 10);
		assert_int_equal(send_one(nic, &plain), 1);
		assert_int_equal(netlab_raw_recv(raw, buf, sizeof(buf)), 60);
	}
	assert_in_range(n_refusals, 1, 9);
	assert_segments(raw);
	netlab_msg(&msgs[0], &plain, false);
	netlab_msg(&msgs[1], &f, false);
	netlab_msg(&msgs[2], &plain, false);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(nic->ops->send(nic, msgs, 3), 3);
		assert_int_equal(netlab_raw_recv(raw, buf, sizeof(buf)), 60);
		assert_segments(raw);
		assert_int_equal(netlab_raw_recv(raw, buf, sizeof(buf)), 60);
	}
	/* And back when they return. */
	netlab_run("ethtool -K v0 tx on tso on gso on >/dev/null");
	n_refusals = 0;
	for (int i = 0; i < 200; i++)
		n_refusals += send_one(nic, &f) != 1;
	assert_int_equal(n_refusals, 0);
	close(raw);
	nic->ops->close(nic);
}

/* The same with offloads that the driver never had. */
static void test_port_that_never_segments(void **state)
{
	int tap = netlab_tap("tap0"), len;
	struct nic *nic = open_nic("tap0");
	static struct netlab_frame f;
	uint8_t buf[2048];

	netlab_frame_tcp(&f, 14480, 1448, -1);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(send_one(nic, &f), 1);
		for (int j = 0; j < 10; j++) {
			len = netlab_raw_recv(tap, buf, sizeof(buf));
			assert_int_equal(len, 54 + 1448);
			assert_int_equal(netlab_l4_sum(buf, (size_t)len, 14), 0xffff);
		}
	}
	nic->ops->close(nic);
	close(tap);
}

/* A GSO frame that no carrier takes stays refused, so that another member gets it. */
static void test_gso_without_carrier(void **state)
{
	struct nic *nic = open_nic("v0");
	static struct netlab_frame f;

	netlab_frame_tcp(&f, 2896, 1448, -1);
	netlab_run("ip link set v1 down");
	assert_int_equal(nic->ops->carrier(nic), 0);
	for (int i = 0; i < 20; i++)
		assert_int_equal(send_one(nic, &f), -ENOBUFS);
	netlab_run("ip link set v1 up");
	assert_int_equal(send_one(nic, &f), 1);
	nic->ops->close(nic);
}

static void test_vlan_tags_are_told(void **state)
{
	struct nic *nic = open_nic("v0"), *peer = open_nic("v1");
	static struct netlab_frame f;

	netlab_frame_tcp(&f, 100, 0, 0xa123);
	assert_int_equal(send_one(peer, &f), 1);
	assert_int_equal(recv_one(nic, 54), 1);
	assert_int_equal(tags[0], 0xa123);
	/* The tag is out of the frame, and csum_start counts without it. */
	assert_int_equal(msgs[0].msg_len, sizeof(f.vnet) + f.len - 4);
	assert_memory_equal(frames[0].data + 12, "\x08\x00", 2);
	assert_int_equal(frames[0].vnet.csum_start, f.vnet.csum_start - 4);

	f.data[12] = 0x88;
	f.data[13] = 0xa8;
	assert_int_equal(send_one(peer, &f), 1);
	assert_int_equal(recv_one(nic, 54), 1);
	assert_int_equal(tags[0], 0xa123 | NIC_VLAN_SERVICE);

	/* Priority 0, VLAN 0 is a tag as well. */
	netlab_frame_tcp(&f, 100, 0, 0);
	assert_int_equal(send_one(peer, &f), 1);
	assert_int_equal(recv_one(nic, 54), 1);
	assert_int_equal(tags[0], 0);

	netlab_frame_tcp(&f, 30000, 1448, 7);
	assert_int_equal(send_one(nic, &f), 1);
	assert_int_equal(recv_one(peer, 54), 1);
	assert_int_equal(tags[0], 7);
	assert_int_equal(msgs[0].msg_len, sizeof(f.vnet) + f.len - 4);
	assert_int_equal(frames[0].vnet.gso_size, 1448);
	peer->ops->close(peer);
	nic->ops->close(nic);
}

static void test_memberships(void **state)
{
	static const uint8_t mac[6] = {0x00, 0x16, 0x3e, 1, 2, 3},
			     group[6] = {0x01, 0, 0x5e, 0, 0, 1};
	const char *listed = "bridge fdb show dev v0 | grep -q 00:16:3e:01:02:03";
	struct nic *nic = open_nic("v0");

	assert_int_equal(netlab_try("%s", listed), 1);
	assert_int_equal(nic->ops->mac_add(nic, mac), 0);
	assert_int_equal(netlab_try("%s", listed), 0);
	assert_int_equal(nic->ops->mac_add(nic, mac), 0);
	assert_int_equal(nic->ops->mac_del(nic, mac), 0);
	assert_int_equal(netlab_try("%s", listed), 0);
	assert_int_equal(nic->ops->mac_del(nic, mac), 0);
	assert_int_equal(netlab_try("%s", listed), 1);
	assert_int_equal(nic->ops->mac_del(nic, mac), 0);

	assert_int_equal(nic->ops->mac_add(nic, group), -EINVAL);
	assert_int_equal(nic->ops->mac_del(nic, group), -EINVAL);

	assert_int_equal(netlab_try("ip -d link show v0 | grep -q 'promiscuity 0 '"), 0);
	assert_int_equal(nic->ops->promisc(nic, true), 0);
	assert_int_equal(netlab_try("ip -d link show v0 | grep -q 'promiscuity 1 '"), 0);
	assert_int_equal(nic->ops->promisc(nic, false), 0);
	assert_int_equal(netlab_try("ip -d link show v0 | grep -q 'promiscuity 0 '"), 0);

	/* Nothing of it outlives us. */
	assert_int_equal(nic->ops->mac_add(nic, mac), 0);
	nic->ops->close(nic);
	assert_int_equal(netlab_try("%s", listed), 1);
}

static void test_admin_down_and_up(void **state)
{
	struct nic *nic = open_nic("v0"), *peer = open_nic("v1");
	static struct netlab_frame f;

	netlab_frame_plain(&f, 60, 0);
	netlab_run("ip link set v0 down mtu 1400");
	assert_int_equal(recv_one(nic, 0), -ENETDOWN);
	netlab_msg(&msgs[0], &frames[0], true);
	assert_int_equal(nic->ops->recv(nic, msgs, tags, 1), 0);
	assert_int_equal(send_one(nic, &f), -ENETDOWN);
	assert_int_equal(nic->ops->carrier(nic), 0);

	netlab_run("ip link set v0 up");
	assert_int_equal(nic->ops->carrier(nic), 1);
	assert_int_equal(send_one(nic, &f), 1);
	assert_int_equal(recv_one(peer, 60), 1);
	assert_int_equal(send_one(peer, &f), 1);
	assert_int_equal(recv_one(nic, 60), 1);
	assert_int_equal(nic->mtu, 1400);
	peer->ops->close(peer);
	nic->ops->close(nic);
}

static void assert_gone(struct nic *nic)
{
	static const uint8_t mac[6] = {0x00, 0x16, 0x3e, 1, 2, 3};
	static struct netlab_frame f;

	netlab_frame_plain(&f, 60, 0);
	assert_int_equal(recv_one(nic, 0), -ENXIO);
	assert_int_equal(recv_one(nic, 0), -ENXIO);
	assert_int_equal(send_one(nic, &f), -ENXIO);
	assert_int_equal(nic->ops->carrier(nic), -ENXIO);
	assert_int_equal(nic->ops->mac_add(nic, mac), -ENXIO);
}

static void test_deleted_interface_and_its_return(void **state)
{
	static const struct nic_packet_options options = {.netns_fd = -1};
	struct nic *nic = open_nic("v0"), *again, *peer;
	static struct netlab_frame f;
	char error[256];

	netlab_run("ip link del v0");
	assert_gone(nic);
	assert_int_equal(nic_packet_open(&again, "v0", &options, error, sizeof(error)), -ENXIO);
	assert_null(again);
	assert_non_null(strstr(error, "v0: no such interface"));

	make_veth(NULL);
	nic->ops->close(nic);
	nic = open_nic("v0");
	peer = open_nic("v1");
	netlab_frame_plain(&f, 60, 0);
	assert_int_equal(send_one(nic, &f), 1);
	assert_int_equal(recv_one(peer, 60), 1);

	/* Down first: the kernel reports the removal of a socket that is unhooked already to
	 * nobody. What came before that is received still. */
	assert_int_equal(send_one(peer, &f), 1);
	netlab_run("ip link set v0 down");
	assert_int_equal(recv_one(nic, 0), -ENETDOWN);
	assert_int_equal(recv_one(nic, 60), 1);
	netlab_run("ip link del v0");
	assert_gone(nic);
	nic->ops->close(nic);
	peer->ops->close(peer);
}

static void test_too_long_for_the_mtu(void **state)
{
	struct nic *nic = open_nic("v0");
	static struct netlab_frame f;

	netlab_frame_plain(&f, 1514, 0);
	assert_int_equal(send_one(nic, &f), 1);
	netlab_frame_plain(&f, 1515, 0);
	assert_int_equal(send_one(nic, &f), -EMSGSIZE);

	/* The bad one in the middle ends the batch; it is the first of the next one. */
	netlab_run("ip link set v0 mtu 1000");
	netlab_frame_plain(&frames[0], 1014, 0);
	netlab_frame_plain(&frames[1], 1015, 0);
	netlab_frame_plain(&frames[2], 1014, 0);
	for (int i = 0; i < 3; i++)
		netlab_msg(&msgs[i], &frames[i], false);
	assert_int_equal(nic->mtu, 1500);
	assert_int_equal(nic->ops->send(nic, msgs, 3), 1);
	assert_int_equal(nic->ops->send(nic, msgs + 1, 2), -EMSGSIZE);
	assert_int_equal(nic->mtu, 1000);
	assert_int_equal(nic->ops->send(nic, msgs + 2, 1), 1);
	nic->ops->close(nic);
}

static void test_refused_metadata(void **state)
{
	struct nic *nic = open_nic("v0");
	static struct netlab_frame f;

	netlab_frame_tcp(&f, 100, 0, -1);
	f.vnet.csum_start = 5000;
	assert_int_equal(send_one(nic, &f), -EINVAL);
	netlab_frame_tcp(&f, 100, 0, -1);
	f.vnet.gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
	assert_int_equal(send_one(nic, &f), -EINVAL);
	netlab_frame_tcp(&f, 100, 0, -1);
	assert_int_equal(send_one(nic, &f), 1);
	nic->ops->close(nic);
}

static void test_no_carrier(void **state)
{
	int tap = netlab_tap("tap0");
	struct nic *nic = open_nic("tap0");
	static struct netlab_frame f;
	uint8_t buf[2048];

	netlab_frame_plain(&f, 60, 3);
	assert_int_equal(nic->ops->carrier(nic), 1);
	assert_int_equal(send_one(nic, &f), 1);
	netlab_tap_carrier(tap, false);
	assert_int_equal(nic->ops->carrier(nic), 0);
	assert_int_equal(send_one(nic, &f), -ENOBUFS);
	netlab_tap_carrier(tap, true);
	assert_int_equal(nic->ops->carrier(nic), 1);
	assert_int_equal(netlab_raw_recv(tap, buf, sizeof(buf)), 60);
	assert_int_equal(send_one(nic, &f), 1);
	assert_int_equal(netlab_raw_recv(tap, buf, sizeof(buf)), 60);
	assert_int_equal(netlab_raw_recv(tap, buf, sizeof(buf)), -1);
	nic->ops->close(nic);
	close(tap);
}

static void test_drops_are_counted(void **state)
{
	static const struct nic_packet_options options = {.netns_fd = -1, .rcvbuf_bytes = 4096};
	struct nic *peer = open_nic("v1"), *nic;
	static struct netlab_frame f;
	char error[256];

	assert_int_equal(nic_packet_open(&nic, "v0", &options, error, sizeof(error)), 0);
	netlab_frame_plain(&f, 1000, 0);
	for (int i = 0; i < 100; i++)
		assert_int_equal(send_one(peer, &f), 1);
	assert_in_range(nic->ops->drops(nic), 1, 100);
	/* Reading is not resetting. */
	assert_in_range(nic->ops->drops(nic), 1, 100);
	nic->ops->close(nic);
	peer->ops->close(peer);
}

static void test_open_refuses(void **state)
{
	static const struct nic_packet_options here = {.netns_fd = -1}, nowhere = {.netns_fd = 0};
	char error[256];
	struct nic *nic;

	assert_int_equal(nic_packet_open(&nic, "../v0", &here, error, sizeof(error)), -ENXIO);
	assert_non_null(strstr(error, "../v0"));
	assert_int_equal(nic_packet_open(&nic, "nosuch0", &here, error, sizeof(error)), -ENXIO);
	assert_non_null(strstr(error, "nosuch0"));
	assert_int_equal(nic_packet_open(&nic, "lo", &here, error, sizeof(error)), -EINVAL);
	assert_non_null(strstr(error, "not Ethernet"));
	/* Standard input is no namespace. */
	assert_int_equal(nic_packet_open(&nic, "v0", &nowhere, error, sizeof(error)), -EINVAL);
	assert_non_null(strstr(error, "namespace"));
	assert_null(nic);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_send_and_receive_batches, make_veth,
						delete_veth),
		cmocka_unit_test_setup_teardown(
			test_recv_takes_at_most_a_batch_and_marks_what_did_not_fit, make_veth,
			delete_veth),
		cmocka_unit_test_setup_teardown(test_gso_and_partial_checksum_pass_unchanged,
						make_veth, delete_veth),
		cmocka_unit_test_setup_teardown(test_offloads_that_the_port_lacks, make_veth,
						delete_veth),
		cmocka_unit_test(test_port_that_never_segments),
		cmocka_unit_test_setup_teardown(test_gso_without_carrier, make_veth, delete_veth),
		cmocka_unit_test_setup_teardown(test_vlan_tags_are_told, make_veth, delete_veth),
		cmocka_unit_test_setup_teardown(test_memberships, make_veth, delete_veth),
		cmocka_unit_test_setup_teardown(test_admin_down_and_up, make_veth, delete_veth),
		cmocka_unit_test_setup_teardown(test_deleted_interface_and_its_return, make_veth,
						delete_veth),
		cmocka_unit_test_setup_teardown(test_too_long_for_the_mtu, make_veth, delete_veth),
		cmocka_unit_test_setup_teardown(test_refused_metadata, make_veth, delete_veth),
		cmocka_unit_test(test_no_carrier),
		cmocka_unit_test_setup_teardown(test_drops_are_counted, make_veth, delete_veth),
		cmocka_unit_test_setup_teardown(test_open_refuses, make_veth, delete_veth),
	};

	netlab_enter(120);
	return cmocka_run_group_tests_name("nic", tests, NULL, NULL);
}
