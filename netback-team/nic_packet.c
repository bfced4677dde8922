/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nic_packet.c - an uplink by AF_PACKET: batches of frames with virtio_net_hdr through recvmmsg and
 * sendmmsg.
 *
 * Theory of Operation
 * Receiving: one socket, bound to ETH_P_ALL only after all its options are set, so that no frame
 * arrives in another form; it ignores what the host itself sends. Offload settings are made at
 * open, and the host's own stack is kept quiet on the interface.
 * Sending: a socket of protocol 0 (it costs the receive path nothing) that bypasses the qdisc: that
 * is what makes a send without carrier fail with ENOBUFS instead of vanishing. The price: a GSO
 * frame that the driver cannot segment is dropped with ENOBUFS as well, since the kernel segments
 * only on the way through the qdisc. GSO frames then make a detour by a third socket without
 * bypass: always when the port has no TSO at open, else after GSO_REFUSALS refusals although the
 * carrier is there (TSO switched off, limits of a driver, a full queue), for a number of frames
 * that doubles each time. What may wait in the qdisc is bounded by that socket's small send buffer.
 * On the detour only linkwatch notices a lost carrier.
 * Life: at admin down the kernel says ENETDOWN once, and re-hooks us by itself when the interface
 * comes up. An interface that is removed (or moved away) leaves the socket without an ifindex for
 * good; the owner closes and opens anew.
 */
#include "nic.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/util.h"
#include "frame.h"
#include "nic_link.h"
#include "nic_rtnl.h"

#define LOG_MODULE "nic"

#define RCVBUF_DEFAULT_BYTES (16u << 20)
/* Room for every frame that a driver's ring can hold: a full ring then shows as ENOBUFS, not as
 * EAGAIN. */
#define SNDBUF_BYTES	   (16 << 20)
#define QDISC_SNDBUF_BYTES (1 << 20)
/* With the Ethernet header and a re-inserted tag, a GRO frame still is no longer than a guest's
 * ring takes. */
#define GRO_MAX_BYTES (FRAME_MAX - FRAME_ETH_LEN - 4)

#define GSO_REFUSALS  4
#define DETOUR_MIN    64u
#define DETOUR_MAX    (64u << 10)
#define DETOUR_ALWAYS UINT32_MAX

struct packet_nic {
	struct nic nic;
	int tx_fd;
	int qdisc_fd;		     /* for GSO frames that the driver does not segment */
	uint32_t detour;	     /* GSO frames that still go by qdisc_fd */
	uint32_t next_detour;	     /* how many the next time */
	unsigned int n_gso_refusals; /* since the last look at the carrier */
	int ctl_fd;		     /* ioctls in the interface's namespace */
	struct nic_quiet quiet;
	bool down;	    /* ENETDOWN was reported; nothing received with carrier since */
	uint64_t n_dropped; /* by the kernel: our buffer was full */
	uint64_t n_refused; /* by the kernel: no virtio_net_hdr describes the frame */
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	} control[NIC_BATCH_MAX];
};

static struct packet_nic *to_packet(struct nic *nic)
{
	return container_of(nic, struct packet_nic, nic);
}

static void packet_close(struct nic *nic)
{
	struct packet_nic *p = to_packet(nic);

	nic_quiet_end(&p->quiet);
	if (p->nic.fd >= 0)
		close(p->nic.fd);
	if (p->tx_fd >= 0)
		close(p->tx_fd);
	if (p->qdisc_fd >= 0)
		close(p->qdisc_fd);
	if (p->ctl_fd >= 0)
		close(p->ctl_fd);
	free(p);
}

/* The kernel takes the ifindex from a socket whose interface is removed. */
static bool is_gone(const struct packet_nic *p)
{
	struct sockaddr_ll address = {0};
	socklen_t size = sizeof(address);

	return getsockname(p->nic.fd, (struct sockaddr *)&address, &size) == 0 &&
	       address.sll_ifindex <= 0;
}

static void refresh_mtu(struct packet_nic *p)
{
	int mtu = nic_link_mtu(p->ctl_fd, p->nic.name);

	if (mtu > 0)
		p->nic.mtu = (uint32_t)mtu;
}

static bool is_gso(const struct mmsghdr *msg)
{
	const struct virtio_net_hdr *vnet = msg->msg_hdr.msg_iov[0].iov_base;

	return vnet->gso_type != VIRTIO_NET_HDR_GSO_NONE;
}

/* The driver or the kernel dropped a GSO frame: no carrier, a full queue, or is it that nobody
 * segments it? */
static void note_gso_refusal(struct packet_nic *p)
{
	if (++p->n_gso_refusals < GSO_REFUSALS)
		return;
	p->n_gso_refusals = 0;
	if (nic_link_carrier(p->ctl_fd, p->nic.name) != 1)
		return;
	if (p->next_detour == DETOUR_MIN)
		log_debug("%s: refuses GSO frames; the kernel segments them", p->nic.name);
	p->detour = p->next_detour;
	p->next_detour = MIN(p->next_detour * 2, DETOUR_MAX);
}

static int send_direct(struct packet_nic *p, struct mmsghdr *msgs, unsigned int n)
{
	int sent = sendmmsg(p->tx_fd, msgs, n, MSG_DONTWAIT);
	int error = errno;

	if (sent >= 0)
		return sent;
	if (error == EMSGSIZE)
		refresh_mtu(p);
	if (error == ENOBUFS && is_gso(&msgs[0]))
		note_gso_refusal(p);
	return error == ENODEV ? -ENXIO : -error;
}

static int send_by_qdisc(struct packet_nic *p, struct mmsghdr *msgs, unsigned int n)
{
	int sent = sendmmsg(p->qdisc_fd, msgs, n, MSG_DONTWAIT);

	if (sent < 0)
		return errno == ENODEV ? -ENXIO : -errno;
	if (p->detour != DETOUR_ALWAYS)
		p->detour -= MIN((uint32_t)sent, p->detour);
	return sent;
}

static int packet_send(struct nic *nic, struct mmsghdr *msgs, unsigned int n)
{
	struct packet_nic *p = to_packet(nic);
	unsigned int done = 0;

	while (p->detour && done < n) {
		bool gso = is_gso(&msgs[done]);
		unsigned int end = done + 1;
		int sent;

		while (end < n && is_gso(&msgs[end]) == gso)
			end++;
		sent = gso ? send_by_qdisc(p, msgs + done, end - done)
			   : send_direct(p, msgs + done, end - done);
		if (sent < 0)
			return done ? (int)done : sent;
		done += (unsigned int)sent;
		if (done < end)
			return (int)done;
	}
	if (done < n) {
		int sent = send_direct(p, msgs + done, n - done);

		if (sent < 0)
			return done ? (int)done : sent;
		done += (unsigned int)sent;
	}
	return (int)done;
}

/* The VLAN tag that came beside a message, see nic_ops.recv. */
static int32_t read_tag(struct msghdr *msg)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		struct tpacket_auxdata aux;
		int32_t tci;

		if (c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA ||
		    c->cmsg_len < CMSG_LEN(sizeof(aux)))
			continue;
		memcpy(&aux, CMSG_DATA(c), sizeof(aux));
		if (!(aux.tp_status & TP_STATUS_VLAN_VALID))
			return -1;
		tci = aux.tp_vlan_tci;
		if (aux.tp_status & TP_STATUS_VLAN_TPID_VALID && aux.tp_vlan_tpid == ETH_P_8021AD)
			tci |= NIC_VLAN_SERVICE;
		return tci;
	}
	return -1;
}

/* recvmmsg; a frame that the kernel cannot describe (it has dropped it and says EINVAL) is counted
 * and passed over. */
static int receive(struct packet_nic *p, struct mmsghdr *msgs, unsigned int n)
{
	for (int attempt = 0; attempt < NIC_BATCH_MAX; attempt++) {
		int got;

		for (unsigned int i = 0; i < n; i++) {
			msgs[i].msg_hdr.msg_control = p->control[i].bytes;
			msgs[i].msg_hdr.msg_controllen = sizeof(p->control[i].bytes);
		}
		got = recvmmsg(p->nic.fd, msgs, n, MSG_DONTWAIT, NULL);
		if (got >= 0)
			return got;
		if (errno == EAGAIN)
			return 0;
		if (errno == EINVAL)
			p->n_refused++;
		else if (errno != EINTR)
			return -errno;
	}
	return -EINVAL;
}

static int packet_recv(struct nic *nic, struct mmsghdr *msgs, int32_t *vlan_tci, unsigned int n)
{
	struct packet_nic *p = to_packet(nic);
	int got = receive(p, msgs, MIN(n, NIC_BATCH_MAX));

	for (int i = 0; i < got; i++) {
		vlan_tci[i] = read_tag(&msgs[i].msg_hdr);
		msgs[i].msg_hdr.msg_control = NULL;
		msgs[i].msg_hdr.msg_controllen = 0;
	}
	if (got == -ENETDOWN)
		p->down = true;
	if (!p->down)
		return got;
	/* Frames may have waited in the socket since before it went down: they do not say that it
	 * is up again. */
	if (got > 0) {
		p->down = nic_link_carrier(p->ctl_fd, p->nic.name) != 1;
		refresh_mtu(p);
		return got;
	}
	/* Admin down and removal both say ENETDOWN, removal after admin down says nothing: look. */
	return is_gone(p) ? -ENXIO : got;
}

static int packet_carrier(struct nic *nic)
{
	return nic_link_carrier(to_packet(nic)->ctl_fd, nic->name);
}

static int membership(struct packet_nic *p, int option, unsigned short type, const uint8_t *mac)
{
	struct packet_mreq mreq = {.mr_ifindex = p->nic.ifindex, .mr_type = type};

	if (mac) {
		mreq.mr_alen = 6;
		memcpy(mreq.mr_address, mac, 6);
	}
	if (setsockopt(p->nic.fd, SOL_PACKET, option, &mreq, sizeof(mreq)) == 0)
		return 0;
	return errno == ENODEV ? -ENXIO : -errno;
}

static int packet_mac_add(struct nic *nic, const uint8_t mac[6])
{
	if (frame_is_multicast(mac))
		return -EINVAL;
	return membership(to_packet(nic), PACKET_ADD_MEMBERSHIP, PACKET_MR_UNICAST, mac);
}

static int packet_mac_del(struct nic *nic, const uint8_t mac[6])
{
	if (frame_is_multicast(mac))
		return -EINVAL;
	return membership(to_packet(nic), PACKET_DROP_MEMBERSHIP, PACKET_MR_UNICAST, mac);
}

static int packet_group(struct nic *nic, const uint8_t mac[6], bool add)
{
	if (!frame_is_multicast(mac))
		return -EINVAL;
	return membership(to_packet(nic), add ? PACKET_ADD_MEMBERSHIP : PACKET_DROP_MEMBERSHIP,
			  PACKET_MR_MULTICAST, mac);
}

static int packet_promisc(struct nic *nic, bool on)
{
	return membership(to_packet(nic), on ? PACKET_ADD_MEMBERSHIP : PACKET_DROP_MEMBERSHIP,
			  PACKET_MR_PROMISC, NULL);
}

static uint64_t packet_drops(struct nic *nic)
{
	struct packet_nic *p = to_packet(nic);
	struct tpacket_stats stats;
	socklen_t size = sizeof(stats);

	/* Reading resets the kernel's count. */
	if (getsockopt(p->nic.fd, SOL_PACKET, PACKET_STATISTICS, &stats, &size) == 0)
		p->n_dropped += stats.tp_drops;
	return p->n_dropped + p->n_refused;
}

static const struct nic_ops packet_ops = {
	.name = "packet",
	.close = packet_close,
	.send = packet_send,
	.recv = packet_recv,
	.carrier = packet_carrier,
	.mac_add = packet_mac_add,
	.mac_del = packet_mac_del,
	.group = packet_group,
	.promisc = packet_promisc,
	.drops = packet_drops,
};

/* A socket option that frames depend on. */
struct option {
	int level, name, value;
	const char *text;
};

static int set_options(int fd, const char *name, const struct option *options, size_t n,
		       char *error, size_t size)
{
	for (size_t i = 0; i < n; i++) {
		int ret;

		if (setsockopt(fd, options[i].level, options[i].name, &options[i].value,
			       sizeof(options[i].value)) == 0)
			continue;
		ret = -errno;
		snprintf(error, size, "%s: the kernel refuses %s: %s", name, options[i].text,
			 strerror(-ret));
		return ret;
	}
	return 0;
}

static int packet_socket(const char *name, char *error, size_t size)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), ret;

	if (fd >= 0)
		return fd;
	ret = -errno;
	snprintf(error, size, "%s: cannot open a packet socket: %s%s", name, strerror(-ret),
		 ret == -EPERM ? "; it needs CAP_NET_RAW" : "");
	return ret;
}

static int bind_socket(int fd, struct packet_nic *p, uint16_t protocol, char *error, size_t size)
{
	struct sockaddr_ll address = {.sll_family = AF_PACKET,
				      .sll_protocol = htons(protocol),
				      .sll_ifindex = p->nic.ifindex};
	int ret;

	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return 0;
	ret = errno == ENODEV ? -ENXIO : -errno;
	snprintf(error, size, "%s: cannot bind a packet socket to it: %s", p->nic.name,
		 strerror(-ret));
	return ret;
}

static int open_tx(struct packet_nic *p, int *fd, bool bypass, char *error, size_t size)
{
	const struct option options[] = {
		{SOL_PACKET, PACKET_VNET_HDR, 1, "PACKET_VNET_HDR"},
		{SOL_PACKET, PACKET_QDISC_BYPASS, bypass, "PACKET_QDISC_BYPASS"},
		{SOL_SOCKET, SO_SNDBUFFORCE, bypass ? SNDBUF_BYTES : QDISC_SNDBUF_BYTES,
		 "SO_SNDBUFFORCE (needs CAP_NET_ADMIN)"},
	};
	int ret;

	*fd = packet_socket(p->nic.name, error, size);
	if (*fd < 0)
		return *fd;
	ret = set_options(*fd, p->nic.name, options, ARRAY_SIZE(options), error, size);
	return ret ? ret : bind_socket(*fd, p, 0, error, size);
}

static int open_rx(struct packet_nic *p, uint32_t rcvbuf_bytes, char *error, size_t size)
{
	const struct option options[] = {
		{SOL_PACKET, PACKET_VNET_HDR, 1, "PACKET_VNET_HDR"},
		{SOL_PACKET, PACKET_AUXDATA, 1, "PACKET_AUXDATA"},
		{SOL_PACKET, PACKET_IGNORE_OUTGOING, 1,
		 "PACKET_IGNORE_OUTGOING (needs Linux 4.20)"},
		{SOL_SOCKET, SO_RCVBUFFORCE, (int)MIN(rcvbuf_bytes, (uint32_t)INT32_MAX / 2),
		 "SO_RCVBUFFORCE (needs CAP_NET_ADMIN)"},
	};
	int ret;

	p->nic.fd = packet_socket(p->nic.name, error, size);
	if (p->nic.fd < 0)
		return p->nic.fd;
	ret = set_options(p->nic.fd, p->nic.name, options, ARRAY_SIZE(options), error, size);
	if (ret)
		return ret;
	ret = membership(p, PACKET_ADD_MEMBERSHIP, PACKET_MR_ALLMULTI, NULL);
	if (ret) {
		snprintf(error, size, "%s: cannot receive multicast: %s", p->nic.name,
			 strerror(-ret));
		return ret;
	}
	return bind_socket(p->nic.fd, p, ETH_P_ALL, error, size);
}

static void limit_gro(struct packet_nic *p)
{
	int ret;
	struct nl_sock *sk = nic_rtnl_open(&ret);

	if (sk) {
		ret = nic_rtnl_set_gro_max(sk, p->nic.ifindex, GRO_MAX_BYTES);
		nl_socket_free(sk);
	}
	if (ret)
		log_debug("%s: GRO keeps its size limit: %s", p->nic.name, strerror(-ret));
}

/* What the interface is: index, address, MTU. */
static int identify(struct packet_nic *p, char *error, size_t size)
{
	const char *name = p->nic.name;
	int ret = nic_link_index(p->ctl_fd, name);

	if (ret < 0) {
		snprintf(error, size, "%s: %s; `ip link` lists the interfaces", name,
			 ret == -ENXIO ? "no such interface" : strerror(-ret));
		return ret;
	}
	p->nic.ifindex = ret;
	ret = nic_link_mac(p->ctl_fd, name, p->nic.mac);
	if (ret == 0)
		ret = nic_link_mtu(p->ctl_fd, name);
	if (ret < 0) {
		snprintf(error, size, "%s: %s", name,
			 ret == -EINVAL ? "is not Ethernet; name an Ethernet interface"
					: strerror(-ret));
		return ret;
	}
	p->nic.mtu = (uint32_t)ret;
	return 0;
}

/* In the interface's namespace: settings first, then the sockets, the receiving one last. */
static int open_here(struct packet_nic *p, uint32_t rcvbuf_bytes, char *error, size_t size)
{
	int ret;

	p->ctl_fd = nic_link_socket();
	if (p->ctl_fd < 0) {
		snprintf(error, size, "%s: cannot open a socket: %s", p->nic.name,
			 strerror(-p->ctl_fd));
		return p->ctl_fd;
	}
	ret = identify(p, error, size);
	if (ret)
		return ret;
	nic_quiet_begin(&p->quiet, p->nic.name);
	nic_link_offloads(p->ctl_fd, p->nic.name);
	limit_gro(p);
	ret = nic_link_up(p->ctl_fd, p->nic.name);
	if (ret) {
		snprintf(error, size, "%s: cannot bring it up: %s", p->nic.name, strerror(-ret));
		return ret;
	}
	p->next_detour = DETOUR_MIN;
	p->detour = nic_link_segments(p->ctl_fd, p->nic.name) ? 0 : DETOUR_ALWAYS;
	ret = open_tx(p, &p->tx_fd, true, error, size);
	if (ret == 0)
		ret = open_tx(p, &p->qdisc_fd, false, error, size);
	return ret ? ret : open_rx(p, rcvbuf_bytes, error, size);
}

int nic_packet_open(struct nic **nic, const char *name, const struct nic_packet_options *options,
		    char *error, size_t error_size)
{
	uint32_t rcvbuf_bytes =
		options->rcvbuf_bytes ? options->rcvbuf_bytes : RCVBUF_DEFAULT_BYTES;
	struct packet_nic *p;
	int ret, back;

	*nic = NULL;
	if (!nic_link_name_ok(name)) {
		snprintf(error, error_size, "\"%.32s\" cannot be the name of an interface", name);
		return -ENXIO;
	}
	p = xb_calloc(1, sizeof(*p));
	p->nic = (struct nic){.ops = &packet_ops, .fd = -1};
	p->tx_fd = p->qdisc_fd = p->ctl_fd = p->quiet.fd[0] = p->quiet.fd[1] = -1;
	snprintf(p->nic.name, sizeof(p->nic.name), "%s", name);
	ret = nic_ns_enter(options->netns_fd, &back);
	if (ret < 0) {
		snprintf(error, error_size, "%s: cannot enter its namespace: %s", name,
			 strerror(-ret));
		packet_close(&p->nic);
		return ret;
	}
	ret = open_here(p, rcvbuf_bytes, error, error_size);
	nic_ns_leave(back);
	if (ret < 0) {
		packet_close(&p->nic);
		return ret;
	}
	*nic = &p->nic;
	return 0;
}
