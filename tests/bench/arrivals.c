/* SPDX-License-Identifier: GPL-2.0-or-later */
/* arrivals.c - see arrivals.h. */
#include "tests/bench/arrivals.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/util.h"

#define SLOT_BYTES  256u /* the kernel's header, virtio_net_hdr, the frame's head */
#define SLOTS	    65536u
#define BLOCK_BYTES 65536u
#define RING_BYTES  ((size_t)SLOTS * SLOT_BYTES)

static void die(const char *iface, const char *what)
{
	fprintf(stderr, "meter of %s: %s: %s\n", iface, what, strerror(errno));
	exit(1);
}

void arrivals_open(struct arrivals *arrivals, const char *iface)
{
	const struct tpacket_req ring = {.tp_block_size = BLOCK_BYTES,
					 .tp_block_nr = RING_BYTES / BLOCK_BYTES,
					 .tp_frame_size = SLOT_BYTES,
					 .tp_frame_nr = SLOTS};
	const struct sockaddr_ll address = {.sll_family = AF_PACKET,
					    .sll_protocol = htons(ETH_P_ALL),
					    .sll_ifindex = (int)if_nametoindex(iface)};
	const int version = TPACKET_V2, on = 1;

	*arrivals = (struct arrivals){.iface = iface};
	arrivals->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (arrivals->fd < 0 ||
	    setsockopt(arrivals->fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) < 0 ||
	    setsockopt(arrivals->fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)) < 0 ||
	    setsockopt(arrivals->fd, SOL_PACKET, PACKET_RX_RING, &ring, sizeof(ring)) < 0)
		die(iface, "packet socket");
	arrivals->ring =
		mmap(NULL, RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, arrivals->fd, 0);
	if (arrivals->ring == MAP_FAILED)
		die(iface, "map ring");
	if (bind(arrivals->fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		die(iface, "bind");
}

static void check_losses(const struct arrivals *arrivals)
{
	struct tpacket_stats stats;
	socklen_t size = sizeof(stats);

	if (getsockopt(arrivals->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &size) < 0)
		die(arrivals->iface, "statistics");
	if (stats.tp_drops == 0)
		return;
	fprintf(stderr, "meter of %s: lost %u frames: it did not run for too long\n",
		arrivals->iface, stats.tp_drops);
	exit(1);
}

static struct arrival read_slot(const struct tpacket2_hdr *header)
{
	const uint8_t *data = (const uint8_t *)header + header->tp_mac;
	struct virtio_net_hdr vnet;

	memcpy(&vnet, data - sizeof(vnet), sizeof(vnet)); /* tpacket_rcv() puts it there */
	return (struct arrival){.at_ns = header->tp_sec * NSEC_PER_SEC + header->tp_nsec,
				.bytes = header->tp_len,
				.gso_size = vnet.gso_size,
				.head = vnet.hdr_len,
				.data = data};
}

void arrivals_look(struct arrivals *arrivals, void (*fn)(void *ctx, const struct arrival *arrival),
		   void *ctx)
{
	const struct timespec pause = {.tv_nsec = ARRIVALS_LOOK_MS * NSEC_PER_MSEC};

	for (;;) {
		struct tpacket2_hdr *header =
			(struct tpacket2_hdr *)(arrivals->ring +
						(size_t)arrivals->next * SLOT_BYTES);
		struct arrival arrival;

		if (!(__atomic_load_n(&header->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER))
			break;
		arrival = read_slot(header);
		fn(ctx, &arrival);
		__atomic_store_n(&header->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
		arrivals->next = (arrivals->next + 1) % SLOTS;
	}
	check_losses(arrivals);
	nanosleep(&pause, NULL);
}

void arrivals_close(struct arrivals *arrivals)
{
	munmap(arrivals->ring, RING_BYTES);
	close(arrivals->fd);
}
