/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bondpeer.c - a DPDK bond (mode 4) as LACP partner that answers: each IPv4 frame goes back with
 * its addresses exchanged, echo requests as replies. e2e-lacp-dpdk.sh compiles it where DPDK is.
 *
 * DPDK's bond sends and receives its LACPDUs within rte_eth_rx_burst and rte_eth_tx_burst only, so
 * both are called all the time, also without frames. Ends with SIGTERM.
 */
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BURST	 32
#define PAUSE_US 200
#define ETH_LEN	 14
#define IP_LEN	 20

static void swap(uint8_t *a, uint8_t *b, size_t n)
{
	uint8_t keep[16];

	memcpy(keep, a, n);
	memcpy(a, b, n);
	memcpy(b, keep, n);
}

/* ICMP type 8 becomes 0; its checksum (RFC 1624) changes by the same. */
static void echo_reply(uint8_t *icmp)
{
	uint32_t sum = (uint32_t)(icmp[2] << 8 | icmp[3]) + 0x0800;

	sum = (sum & 0xffff) + (sum >> 16);
	icmp[0] = 0;
	icmp[2] = (uint8_t)(sum >> 8);
	icmp[3] = (uint8_t)sum;
}

static int answer(struct rte_mbuf *mbuf)
{
	uint8_t *frame = rte_pktmbuf_mtod(mbuf, uint8_t *), *ip = frame + ETH_LEN;

	if (rte_pktmbuf_data_len(mbuf) < ETH_LEN + IP_LEN + 8 || frame[12] != 0x08 ||
	    frame[13] != 0x00 || ip[0] != 0x45 || (frame[0] & 1))
		return -1;
	swap(frame, frame + 6, 6);
	swap(ip + 12, ip + 16, 4);
	if (ip[9] == 1 && ip[IP_LEN] == 8)
		echo_reply(ip + IP_LEN);
	return 0;
}

static void serve(uint16_t port)
{
	struct rte_mbuf *mbufs[BURST], *back[BURST];

	for (;;) {
		const uint16_t n = rte_eth_rx_burst(port, 0, mbufs, BURST);
		uint16_t n_back = 0, sent;

		for (uint16_t i = 0; i < n; i++) {
			if (answer(mbufs[i]) == 0)
				back[n_back++] = mbufs[i];
			else
				rte_pktmbuf_free(mbufs[i]);
		}
		sent = rte_eth_tx_burst(port, 0, back, n_back);
		while (sent < n_back)
			rte_pktmbuf_free(back[sent++]);
		if (n == 0)
			usleep(PAUSE_US);
	}
}

int main(int argc, char **argv)
{
	const struct rte_eth_conf conf = {0};
	struct rte_mempool *pool;
	uint16_t port = 0;

	if (rte_eal_init(argc, argv) < 0 || rte_eth_dev_get_port_by_name("net_bonding0", &port) < 0)
		return 1;
	pool = rte_pktmbuf_pool_create("pool", 8191, 64, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
				       (int)rte_socket_id());
	if (!pool || rte_eth_dev_configure(port, 1, 1, &conf) < 0 ||
	    rte_eth_rx_queue_setup(port, 0, 512, rte_socket_id(), NULL, pool) < 0 ||
	    rte_eth_tx_queue_setup(port, 0, 512, rte_socket_id(), NULL) < 0 ||
	    rte_eth_dev_start(port) < 0 || rte_eth_promiscuous_enable(port) < 0)
		return 1;
	puts("ready");
	fflush(stdout);
	serve(port);
}
