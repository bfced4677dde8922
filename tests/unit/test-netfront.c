/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-netfront.c - the box's frontend: features, handshake, frames in both directions. See also
 * test-netfront-peer.c. */
#include "netfront-stub.h"

#include <errno.h>
#include <stdio.h>

#include "util.h"

static uint8_t buffer[STUB_FRAME * 2], copy[STUB_FRAME * 2];

static const struct netfront_stats *stats(struct stub *s)
{
	return netfront_stats(s->nf);
}

static void expect_honest(struct stub *s)
{
	if (stats(s)->complaints)
		fail_msg("complaint: %s", stats(s)->complaint);
}

static int send_len(struct stub *s, unsigned int queue, uint32_t len,
		    const struct virtio_net_hdr *vnet)
{
	struct virtio_net_hdr none = {0};
	struct iovec iov[2] = {{buffer, MIN(len, 40u)},
			       {buffer + MIN(len, 40u), len - MIN(len, 40u)}};

	return netfront_send(s->nf, queue, iov, 2, vnet ? vnet : &none);
}

/* --- features, names --- */

static void test_features(void **state)
{
	char error[512];
	uint32_t f;

	assert_int_equal(netfront_features_parse("none", &f, error, sizeof(error)), 0);
	assert_int_equal(f, 0);
	assert_int_equal(netfront_features_parse("none,sg,csum-ipv4", &f, error, sizeof(error)), 0);
	assert_int_equal(f, NETFRONT_FEATURE_SG | NETFRONT_FEATURE_CSUM_IPV4);
	assert_int_equal(netfront_features_parse("ipxe,-sg", &f, error, sizeof(error)), 0);
	assert_int_equal(f, NETFRONT_FEATURE_RX_NOTIFY);
	assert_int_equal(netfront_features_parse("-gso-tcpv6", &f, error, sizeof(error)), 0);
	assert_true(f & NETFRONT_FEATURE_GSO_TCPV4 && !(f & NETFRONT_FEATURE_GSO_TCPV6));
	assert_int_equal(netfront_features_parse("windows", &f, error, sizeof(error)), 0);
	assert_true(f & NETFRONT_FEATURE_CLOSE_CYCLE && f & NETFRONT_FEATURE_MCAST);
	f = 77;
	assert_int_equal(netfront_features_parse("sg,linux", &f, error, sizeof(error)), -EINVAL);
	assert_non_null(strstr(error, "\"linux\" in \"sg,linux\""));
	assert_non_null(strstr(error, "close-cycle"));
	assert_int_equal(netfront_features_parse("-linux", &f, error, sizeof(error)), -EINVAL);
	assert_int_equal(netfront_features_parse("tso", &f, error, 10), -EINVAL);
	assert_int_equal(f, 77);
}

/* --- handshake --- */

static void test_handshake(void **state)
{
	struct stub *s = *state;

	stub_front(s, "linux", 1);
	assert_string_equal(s->states, "");
	stub_expect(s, FRONT "/state", "1");
	stub_publish(s, 4);
	stub_run(s);
	assert_string_equal(s->states, "c");
	stub_expect(s, FRONT "/state", "4");
	stub_expect(s, FRONT "/multi-queue-num-queues", "1");
	stub_expect(s, FRONT "/request-rx-copy", "1");
	stub_expect(s, FRONT "/feature-gso-tcpv6", "1");
	stub_expect(s, FRONT "/feature-no-csum-offload", NULL);
	stub_expect(s, FRONT "/event-channel", NULL);
	assert_int_equal(send_len(s, 0, 60, NULL), -ENOTCONN);
	stub_connect(s);
	stub_run(s);
	assert_string_equal(s->states, "cr");
	assert_int_equal(netfront_info(s->nf)->n_queues, 1);
	assert_int_equal(netfront_info(s->nf)->mac[5], 7);
	assert_int_equal(netfront_info(s->nf)->mtu, 1500);
	assert_int_equal(ring_back_requests(&s->queues[0].rx), 256);
	expect_honest(s);
}

static void test_queues(void **state)
{
	struct stub *s = *state;

	stub_write(s, FRONT "/mtu", "9000");
	stub_publish(s, 3);
	stub_front(s, "all,-split", 8);
	stub_connect(s);
	stub_run(s);
	assert_int_equal(netfront_info(s->nf)->n_queues, 3);
	assert_int_equal(netfront_info(s->nf)->mtu, 9000);
	stub_expect(s, FRONT "/multi-queue-num-queues", "3");
	stub_expect(s, FRONT "/tx-ring-ref", NULL);
	stub_expect(s, FRONT "/queue-2/event-channel-tx", NULL);
	stub_expect(s, FRONT "/request-multicast-control", "1");
	assert_ptr_not_equal(s->queues[0].tx_page, s->queues[2].tx_page);
}

/* iPXE after another driver: nothing of that one's keys may stay. */
static void test_old_driver(void **state)
{
	struct stub *s = *state;

	stub_write(s, FRONT "/multi-queue-num-queues", "2");
	stub_write(s, FRONT "/event-channel-tx", "1");
	stub_write(s, FRONT "/event-channel-rx", "2");
	stub_write(s, FRONT "/feature-gso-tcpv4", "1");
	stub_write(s, FRONT "/state", "6");
	stub_publish(s, 4);
	stub_front(s, "ipxe", 4);
	stub_connect(s);
	stub_run(s);
	assert_int_equal(netfront_info(s->nf)->n_queues, 1);
	stub_expect(s, FRONT "/multi-queue-num-queues", NULL);
	stub_expect(s, FRONT "/event-channel-tx", NULL);
	stub_expect(s, FRONT "/feature-gso-tcpv4", NULL);
	stub_expect(s, FRONT "/feature-no-csum-offload", "1");
	assert_int_equal(netfront_info(s->nf)->tx_features, NETFRONT_FEATURE_SG);
}

static void test_incomplete(void **state)
{
	struct stub *s = *state;
	struct netfront_options options = {.n_queues = 1};

	assert_int_equal(s->ops->store_rm(s->store, XEN_TXN_NONE, FRONT "/mac"), 0);
	assert_int_equal(netfront_create(&s->nf, s->domu, &options), -ENOENT);
	stub_write(s, FRONT "/mac", "00:16:3e:zz");
	assert_int_equal(netfront_create(&s->nf, s->domu, &options), -EINVAL);
	options.devid = 5;
	assert_int_equal(netfront_create(&s->nf, s->domu, &options), -ENOENT);
}

static void test_poor_backend(void **state)
{
	struct stub *s = *state;

	stub_write(s, BACK "/state", "2");
	stub_front(s, "linux", 4);
	assert_string_equal(s->states, ".");
	stub_expect(s, FRONT "/state", "6");
	assert_int_equal(stats(s)->complaints, 1);
}

/* QEMU's: rx-copy and nothing else. */
static void test_small_backend(void **state)
{
	struct stub *s = *state;
	struct virtio_net_hdr gso = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
				     .gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
				     .gso_size = 1448};
	uint32_t len = stub_tcp(buffer, true, 100);

	stub_write(s, BACK "/feature-rx-copy", "1");
	stub_write(s, BACK "/state", "2");
	stub_front(s, "linux", 4);
	stub_connect(s);
	stub_run(s);
	stub_expect(s, FRONT "/multi-queue-num-queues", NULL);
	assert_int_equal(netfront_info(s->nf)->tx_features, NETFRONT_FEATURE_CSUM_IPV4);
	assert_int_equal(send_len(s, 0, 4096, NULL), 0);
	assert_int_equal(send_len(s, 0, 4097, NULL), -EMSGSIZE);
	assert_int_equal(send_len(s, 0, 4000, &gso), -EOPNOTSUPP);
	gso.gso_type = VIRTIO_NET_HDR_GSO_NONE;
	assert_int_equal(send_len(s, 0, len, &gso), -EOPNOTSUPP); /* IPv6 */
	assert_int_equal(send_len(s, 0, stub_tcp(buffer, false, 100), &gso), 0);
}

static void test_transactions(void **state)
{
	struct stub *s = *state;

	stub_publish(s, 2);
	fake_fault(s->fake, FAKE_FAULT_TXN_EAGAIN, 3);
	stub_front(s, "linux", 2);
	stub_connect(s);
	stub_run(s);
	assert_int_equal(netfront_info(s->nf)->state, NETFRONT_STATE_RUNNING);
}

/* --- TX --- */

static void test_tx(void **state)
{
	struct stub *s = *state;
	struct netif_tx_packet p;
	static const uint32_t lengths[] = {14, 60, 4096, 4097, 9014, 65535};

	stub_up(s, "linux", 1);
	for (size_t i = 0; i < sizeof(buffer); i++)
		buffer[i] = (uint8_t)(i * 31 + i / 256);
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		assert_int_equal(send_len(s, 0, lengths[i], NULL), 0);
		assert_int_equal(stub_take(s, 0, &p, copy), lengths[i]);
		assert_memory_equal(copy, buffer, lengths[i]);
		assert_int_equal(p.n_slots, (lengths[i] + 4095) / 4096);
		assert_false(p.csum_blank || p.data_validated || p.gso_size);
		stub_answer(s, 0, &p, NETIF_RSP_OKAY);
	}
	assert_int_equal(send_len(s, 0, 13, NULL), -EINVAL);
	assert_int_equal(send_len(s, 0, 65536, NULL), -EMSGSIZE);
	assert_int_equal(send_len(s, 1, 60, NULL), -ENOTCONN);
	stub_run(s);
	assert_int_equal(stats(s)->tx_frames, ARRAY_SIZE(lengths));
	assert_int_equal(stats(s)->tx_responses, 1 + 1 + 1 + 2 + 3 + 16);
	expect_honest(s);
}

static void test_tx_offload(void **state)
{
	struct stub *s = *state;
	struct virtio_net_hdr vnet = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
				      .gso_size = 1448,
				      .gso_type =
					      VIRTIO_NET_HDR_GSO_TCPV6 | VIRTIO_NET_HDR_GSO_ECN};
	struct netif_tx_packet p;
	uint32_t len = stub_tcp(buffer, true, 60000);

	s->options.head_bytes = 128;
	stub_up(s, "linux", 1);
	assert_int_equal(send_len(s, 0, len, &vnet), 0);
	assert_int_equal(stub_take(s, 0, &p, copy), len);
	assert_memory_equal(copy, buffer, len);
	assert_int_equal(p.slots[0].size, 128);
	assert_int_equal(p.slots[0].offset, 66);
	assert_int_equal(p.n_slots, 16);
	assert_int_equal(p.ring_slots, 17);
	assert_true(p.csum_blank && p.data_validated);
	assert_int_equal(p.gso_size, 1448);
	assert_int_equal(p.gso_type, XEN_NETIF_GSO_TYPE_TCPV6);
	stub_answer(s, 0, &p, NETIF_RSP_OKAY);
	vnet = (struct virtio_net_hdr){.flags = VIRTIO_NET_HDR_F_DATA_VALID};
	assert_int_equal(send_len(s, 0, 100, &vnet), 0);
	stub_take(s, 0, &p, copy);
	assert_true(p.data_validated && !p.csum_blank);
	stub_answer(s, 0, &p, NETIF_RSP_DROPPED);
	vnet = (struct virtio_net_hdr){.gso_type = VIRTIO_NET_HDR_GSO_UDP, .gso_size = 1400};
	assert_int_equal(send_len(s, 0, 4000, &vnet), -EOPNOTSUPP);
	stub_run(s);
	assert_int_equal(stats(s)->tx_gso, 1);
	assert_int_equal(stats(s)->tx_dropped, 1);
	expect_honest(s);
}

/* Full ring: no more frames, one event when about half of it is free again, and none without need.
 */
static void test_tx_full(void **state)
{
	struct stub *s = *state;
	struct netif_tx_packet p;
	unsigned int n = 0, taken;
	uint64_t events;

	stub_up(s, "linux", 1);
	stub_run(s);
	events = stats(s)->events;
	for (unsigned int round = 0; round < 5; round++) {
		while (send_len(s, 0, 100, NULL) == 0)
			n++;
		assert_int_equal(send_len(s, 0, 100, NULL), -EAGAIN);
		for (taken = 0; stub_take(s, 0, &p, copy); taken++) {
			stub_answer(s, 0, &p, NETIF_RSP_OKAY);
			stub_run(s);
			if (taken < 100)
				assert_int_equal(stats(s)->events, events);
		}
		assert_true(taken >= 200);
		assert_int_equal(stats(s)->events, ++events);
	}
	assert_true(n > 5 * 200);
	assert_int_equal(stats(s)->spurious, 0);
	expect_honest(s);
}

/* A backend that is at work (asked for no event) gets none. */
static void test_tx_quiet(void **state)
{
	struct stub *s = *state;
	struct netif_tx_packet p;

	stub_up(s, "linux", 1);
	for (unsigned int i = 0; i < 50; i++)
		assert_int_equal(send_len(s, 0, 60, NULL), 0);
	stub_run(s);
	assert_int_equal(s->n_notified, 1);
	assert_int_equal(stats(s)->notifies, 1);
	for (unsigned int i = 0; i < 50; i++) {
		stub_take(s, 0, &p, copy);
		stub_answer(s, 0, &p, NETIF_RSP_OKAY);
	}
	assert_false(ring_back_arm(&s->queues[0].tx, 1));
	assert_int_equal(send_len(s, 0, 60, NULL), 0);
	stub_run(s);
	assert_int_equal(s->n_notified, 2);
}

/* Answers in another order: every page comes back once. */
static void test_tx_out_of_order(void **state)
{
	struct stub *s = *state;
	struct netif_tx_packet p[8];

	stub_up(s, "linux", 1);
	for (unsigned int round = 0; round < 100; round++) {
		for (unsigned int i = 0; i < 8; i++) {
			buffer[20] = (uint8_t)i;
			assert_int_equal(send_len(s, 0, 5000, NULL), 0);
		}
		for (unsigned int i = 0; i < 8; i++) {
			assert_int_equal(stub_take(s, 0, &p[i], copy), 5000);
			assert_int_equal(copy[20], i);
		}
		for (unsigned int i = 8; i-- > 0;)
			stub_answer(s, 0, &p[i], i % 2 ? NETIF_RSP_OKAY : NETIF_RSP_ERROR);
		stub_run(s);
	}
	assert_int_equal(stats(s)->tx_errors, 100 * 4 * 2);
	expect_honest(s);
}

static void test_mcast(void **state)
{
	static const uint8_t group[6] = {0x33, 0x33, 0, 0, 0, 1};
	struct stub *s = *state;
	struct netif_tx_packet p;

	stub_up(s, "all", 1);
	assert_int_equal(netfront_mcast(s->nf, group, true), 0);
	assert_int_equal(stub_take(s, 0, &p, copy), 0);
	assert_int_equal(p.verdict, NETIF_VERDICT_MCAST_ADD);
	assert_memory_equal(p.mcast, group, 6);
	stub_answer(s, 0, &p, NETIF_RSP_OKAY);
	assert_int_equal(netfront_mcast(s->nf, group, false), 0);
	stub_take(s, 0, &p, copy);
	assert_int_equal(p.verdict, NETIF_VERDICT_MCAST_DEL);
	stub_answer(s, 0, &p, NETIF_RSP_OKAY);
	stub_run(s);
	expect_honest(s);
}

/* --- RX --- */

static void test_rx(void **state)
{
	struct stub *s = *state;
	static const uint32_t lengths[] = {14, 60, 1514, 4096, 9014, 65535};

	stub_up(s, "linux", 2);
	for (size_t i = 0; i < sizeof(buffer); i++)
		buffer[i] = (uint8_t)(i * 13 + i / 256);
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++)
		stub_give(s, 1, buffer, lengths[i], 4096, i == 1 ? NETRXF_data_validated : 0, 0, 0);
	stub_push(s, 1);
	stub_run(s);
	assert_int_equal(s->n_frames, ARRAY_SIZE(lengths));
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		assert_int_equal(s->frames[i].queue, 1);
		assert_int_equal(s->frames[i].len, lengths[i]);
		assert_memory_equal(s->frames[i].data, buffer, lengths[i]);
		assert_int_equal(s->frames[i].vnet.flags, i == 1 ? VIRTIO_NET_HDR_F_DATA_VALID : 0);
	}
	assert_int_equal(ring_back_requests(&s->queues[1].rx), 256);
	assert_int_equal(stats(s)->rx_frames, ARRAY_SIZE(lengths));
	expect_honest(s);
}

/* Headers in pieces that split them; blank checksum, GSO with and without it. */
static void test_rx_offload(void **state)
{
	struct stub *s = *state;
	uint32_t len = stub_tcp(buffer, false, 40000);
	struct stub_frame *f = s->frames;

	stub_up(s, "linux", 1);
	stub_give(s, 0, buffer, len, 4096, NETRXF_csum_blank | NETRXF_data_validated, 1448,
		  XEN_NETIF_GSO_TYPE_TCPV4);
	stub_give(s, 0, buffer, 300, 30, NETRXF_csum_blank | NETRXF_data_validated, 0, 0);
	buffer[14 + 20 + 16] ^= 0xff; /* GSO alone: the frontend makes the sum */
	stub_give(s, 0, buffer, len, 4000, NETRXF_data_validated, 1448, XEN_NETIF_GSO_TYPE_TCPV4);
	buffer[14 + 20 + 16] ^= 0xff;
	stub_push(s, 0);
	stub_run(s);
	assert_int_equal(s->n_frames, 3);
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(f[i].vnet.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
		assert_int_equal(f[i].vnet.csum_start, 34);
		assert_int_equal(f[i].vnet.csum_offset, 16);
		assert_int_equal(f[i].vnet.gso_type,
				 i == 1 ? VIRTIO_NET_HDR_GSO_NONE : VIRTIO_NET_HDR_GSO_TCPV4);
		assert_int_equal(f[i].vnet.gso_size, i == 1 ? 0 : 1448);
	}
	assert_memory_equal(f[2].data, buffer, len);
	assert_int_equal(stats(s)->rx_gso, 2);
	expect_honest(s);
}

/* Thousands of frames: indices wrap over the ring, each event has its reason. */
static void test_rx_many(void **state)
{
	struct stub *s = *state;
	uint64_t events;

	stub_up(s, "linux,-split", 1);
	stub_run(s);
	events = stats(s)->events;
	for (unsigned int i = 0; i < 3000; i++) {
		buffer[30] = (uint8_t)i;
		stub_give(s, 0, buffer, 6000, 4096, 0, 0, 0);
		if (i % 3)
			continue; /* several with one push */
		stub_push(s, 0);
		stub_run(s);
		while (s->n_frames > 0)
			free(s->frames[--s->n_frames].data);
	}
	stub_push(s, 0);
	stub_run(s);
	assert_int_equal(stats(s)->rx_frames, 3000);
	assert_int_equal(stats(s)->events, events + 1001);
	assert_int_equal(stats(s)->spurious, 0);
	expect_honest(s);
}

/* A frame in two pushes: it waits for its end. */
static void test_rx_partial(void **state)
{
	struct stub *s = *state;

	stub_up(s, "linux", 1);
	stub_give(s, 0, buffer, 9000, 4096, 0, 0, 0);
	s->queues[0].rx.rsp_prod -= 1;
	stub_push(s, 0);
	stub_run(s);
	assert_int_equal(s->n_frames, 0);
	s->queues[0].rx.rsp_prod += 1;
	stub_push(s, 0);
	stub_run(s);
	assert_int_equal(s->n_frames, 1);
	assert_int_equal(s->frames[0].len, 9000);
	expect_honest(s);
}

/* Without feature-rx-notify new RX buffers are no event; with it they are, where the backend asks.
 */
static void test_rx_notify(void **state)
{
	struct stub *s = *state;

	stub_up(s, "linux,-rx-notify", 1);
	ring_back_arm(&s->queues[0].rx, 257);
	stub_give(s, 0, buffer, 60, 4096, 0, 0, 0);
	stub_push(s, 0);
	stub_run(s);
	assert_int_equal(stats(s)->rx_frames, 1);
	assert_int_equal(stats(s)->notifies, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, stub_setup, stub_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_features),
		TEST(test_handshake),
		TEST(test_queues),
		TEST(test_old_driver),
		TEST(test_incomplete),
		TEST(test_poor_backend),
		TEST(test_small_backend),
		TEST(test_transactions),
		TEST(test_tx),
		TEST(test_tx_offload),
		TEST(test_tx_full),
		TEST(test_tx_quiet),
		TEST(test_tx_out_of_order),
		TEST(test_mcast),
		TEST(test_rx),
		TEST(test_rx_offload),
		TEST(test_rx_many),
		TEST(test_rx_partial),
		TEST(test_rx_notify),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
