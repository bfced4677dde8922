/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * uplink.c - the worker's side of the team: frames to and from the members' NICs, re-selection when
 * one can't send, announcements.
 *
 * A frame that a member could not take (no carrier, admin down, gone) is offered to the next member
 * in the same pass, so a dead link costs nothing but the members that were tried. NICs whose queue
 * is full are left to uplink_full.c.
 */
#include "worker.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <string.h>
#include <utlist.h>

#include "explain.h"
#include "log.h"
#include "util.h"

#define LOG_MODULE    "team"
#define WIRE_MIN      60u
#define WIRE_OVERHEAD 24u

/** Receive buffers and messages of one worker, shared by its NICs one after the other. */
struct nic_vector {
	struct mmsghdr msgs[WORKER_RX_BATCH];
	struct iovec iov[WORKER_RX_BATCH][2];
	struct virtio_net_hdr vnet[WORKER_RX_BATCH];
	struct buf *bufs[WORKER_RX_BATCH];
	int32_t vlan_tci[WORKER_RX_BATCH];
};

static struct log_limit nic_log = LOG_LIMIT_INIT(10, 5);

int uplink_add(struct worker *w, const char *name, uint8_t priority, struct nic *nic)
{
	int member = team_find(&w->team, name);
	struct uplink *up;
	struct nic *old;

	if (member < 0)
		member = team_add(&w->team, name, priority, NULL);
	if (member < 0)
		return member;
	w->qos.stale = true;
	up = w->uplinks[member];
	if (!up) {
		up = xb_calloc(1, sizeof(*up));
		up->worker = w;
		up->member = member;
		w->uplinks[member] = up;
		w->team.members[member].ctx = up;
	}
	if (!w->vector)
		w->vector = xb_calloc(1, sizeof(*w->vector));
	old = worker_nic_replace(w, up, nic);
	if (old)
		old->ops->close(old);
	uplink_lacp_add(w, member);
	return member;
}

int uplink_remove(struct worker *w, const char *name, struct nic **nic)
{
	int member = team_find(&w->team, name);
	struct uplink *up;

	if (member < 0)
		return -ENOENT;
	up = w->uplinks[member];
	uplink_lacp_remove(w, member);
	team_remove(&w->team, member, w->now_ns);
	probe_forget(&w->probe, member);
	w->lacp_drained &= ~(1u << member);
	w->uplinks[member] = NULL;
	w->qos.stale = true;
	*nic = worker_nic_replace(w, up, NULL);
	free(up);
	uplink_lacp_settle(w);
	return 0;
}

void uplink_mac(struct worker *w, const uint8_t mac[6], bool add)
{
	for (unsigned int i = 0; i < TEAM_MEMBERS_MAX; i++) {
		struct nic *nic = w->uplinks[i] ? w->uplinks[i]->nic : NULL;

		if (nic && add)
			nic->ops->mac_add(nic, mac);
		else if (nic)
			nic->ops->mac_del(nic, mac);
	}
}

void uplink_promisc(struct worker *w, bool on)
{
	for (unsigned int i = 0; i < TEAM_MEMBERS_MAX; i++)
		if (w->uplinks[i] && w->uplinks[i]->nic)
			w->uplinks[i]->nic->ops->promisc(w->uplinks[i]->nic, on);
}

static bool too_big(const struct uplink *up, const struct pkt *pkt)
{
	/* A GSO frame is cut to the MTU by the NIC; others must fit it, VLAN tag aside. */
	return pkt->vnet.gso_type == VIRTIO_NET_HDR_GSO_NONE &&
	       pkt->total > up->nic->mtu + FRAME_ETH_LEN + (pkt->info.has_vlan ? FRAME_TAG_LEN : 0);
}

/* What the frame takes on the link (IEEE 802.3 4.4.2: preamble, check sequence, gap), a GSO frame
 * with the headers of each of its segments. */
static uint32_t wire_bytes(const struct pkt *pkt)
{
	const uint32_t headers = pkt->info.payload_off, gso_size = pkt->vnet.gso_size;
	uint32_t n = 1;

	if (gso_size && pkt->total > headers)
		n = DIV_ROUND_UP(pkt->total - headers, gso_size);
	return MAX(pkt->total, WIRE_MIN) + (n - 1) * headers + n * WIRE_OVERHEAD;
}

void uplink_queue(struct worker *w, struct tx_record *rec)
{
	struct pkt *pkt = &rec->pkt;
	struct team_frame frame = {
		.bytes = wire_bytes(pkt), .now_ns = w->now_ns, .pin = &rec->queue->vif->pin};
	struct uplink *up;
	struct mmsghdr *msg;
	int member;

	if (team_reads_flows(&w->team))
		frame.key = pkt->flow;
	for (;;) {
		member = team_choose(&w->team, &frame, rec->tried);
		if (member < 0) {
			uplink_no_member(w, rec);
			return;
		}
		up = w->uplinks[member];
		if (up && up->nic && !up->gone && (!up->full || w->now_ns >= up->retry_ns))
			break;
		if (up && !up->gone && (!rec->tried || frame.follows) && uplink_waits(w, up, rec))
			return;
		rec->tried |= 1u << member;
	}
	rec->seat = frame.seat;
	rec->follows = frame.follows;
	if (too_big(up, pkt)) {
		rec->queue->vif->stats.tx_too_big++;
		explain_tx(w, rec->queue->vif, rec, TRACE_OUTCOME_TOO_BIG, member, -1);
		return;
	}
	rec->iov[0] = (struct iovec){&pkt->vnet, sizeof(pkt->vnet)};
	for (unsigned int i = 0; i < pkt->n_frags; i++)
		rec->iov[i + 1] = (struct iovec){pkt->frags[i].virt, pkt->frags[i].len};
	up->records[up->n_msgs] = rec;
	msg = &up->msgs[up->n_msgs++];
	memset(&msg->msg_hdr, 0, sizeof(msg->msg_hdr));
	msg->msg_hdr.msg_iov = rec->iov;
	msg->msg_hdr.msg_iovlen = pkt->n_frags + 1;
}

static void count_sent(struct worker *w, struct uplink *up, unsigned int from, unsigned int n)
{
	for (unsigned int i = from; i < from + n; i++) {
		const struct tx_record *rec = up->records[i];

		up->stats.tx_bytes += rec->pkt.total;
		explain_tx(w, rec->queue->vif, rec, TRACE_OUTCOME_SENT, up->member, -1);
	}
	up->stats.tx_packets += n;
	w->stats.nic_tx_packets += n;
}

/* The member can't send now: what is left goes to others. */
static void reselect(struct worker *w, struct uplink *up, unsigned int from, unsigned int n,
		     int error)
{
	team_on_send_error(&w->team, up->member, error, w->now_ns);
	if (error == ENXIO || error == ENODEV) {
		up->gone = true;
		if (w->observer.nic_gone)
			w->observer.nic_gone(w->observer.ctx, w->team.members[up->member].name);
	}
	for (unsigned int i = from; i < n; i++) {
		up->records[i]->tried |= 1u << up->member;
		w->stats.reselected++;
		uplink_queue(w, up->records[i]);
	}
}

/* One frame that the driver will never take. */
static void refuse(struct worker *w, struct uplink *up, struct tx_record *rec, int error)
{
	struct vif *vif = rec->queue->vif;

	up->stats.tx_errors++;
	if (error == EMSGSIZE)
		vif->stats.tx_too_big++;
	else
		vif->stats.tx_refused++;
	explain_tx(w, vif, rec, error == EMSGSIZE ? TRACE_OUTCOME_TOO_BIG : TRACE_OUTCOME_REFUSED,
		   up->member, -1);
	log_limited(&nic_log, w->now_ns, LOG_MODULE, LOG_LEVEL_WARN,
		    "%s: %s refused a frame of %u bytes from %s: %s (MTU %u)", w->team.name,
		    up->nic->name, rec->pkt.total, vif->config.name, strerror(error), up->nic->mtu);
}

static bool is_link_error(int error)
{
	return error == ENETDOWN || error == ENXIO || error == ENODEV || error == ENOBUFS ||
	       error == EAGAIN;
}

static void flush_one(struct worker *w, struct uplink *up)
{
	unsigned int n = up->n_msgs, done = 0;

	up->n_msgs = 0; /* re-selection may not queue here again: the member is in `tried` */
	while (done < n) {
		int rc = up->nic->ops->send(up->nic, up->msgs + done, n - done);

		w->stats.sends++;
		if (rc > 0) {
			count_sent(w, up, done, (unsigned int)rc);
			done += (unsigned int)rc;
			continue;
		}
		if (!is_link_error(-rc)) {
			refuse(w, up, up->records[done++], -rc);
			continue;
		}
		if (uplink_hold_if_full(w, up, done, n, -rc))
			return;
		up->stats.tx_errors += n - done;
		reselect(w, up, done, n, -rc);
		return;
	}
	up->full = false;
}

void uplink_flush(struct worker *w)
{
	bool again;

	do {
		again = false;
		for (unsigned int i = 0; i < TEAM_MEMBERS_MAX; i++) {
			struct uplink *up = w->uplinks[i];

			if (!up || !up->n_msgs)
				continue;
			flush_one(w, up);
			again = true;
		}
	} while (again);
	worker_deadline(w, team_clock(&w->team));
}

/* Puts back the tag that the kernel took off (IEEE 802.1Q, 802.1ad): the frame begins 4 bytes
 * earlier. */
static uint8_t *insert_vlan(uint8_t *frame, int32_t tci, struct virtio_net_hdr *vnet)
{
	const uint16_t tpid = tci & NIC_VLAN_SERVICE ? ETH_P_8021AD : ETH_P_8021Q;

	if (vnet->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
		vnet->csum_start += FRAME_TAG_LEN;
	return frame_insert_tag(frame, tpid, (uint16_t)tci);
}

/* Cut short, or offloaded in a way that netif has no word for (UDP GSO between veths). */
static bool can_cross(const struct msghdr *msg, const struct virtio_net_hdr *vnet)
{
	uint8_t type = vnet->gso_type & (uint8_t)~VIRTIO_NET_HDR_GSO_ECN;

	return !(msg->msg_flags & MSG_TRUNC) &&
	       (type == VIRTIO_NET_HDR_GSO_NONE || type == VIRTIO_NET_HDR_GSO_TCPV4 ||
		type == VIRTIO_NET_HDR_GSO_TCPV6);
}

static void from_nic(struct worker *w, struct uplink *up, unsigned int i)
{
	struct nic_vector *v = w->vector;
	uint32_t len = v->msgs[i].msg_len - (uint32_t)sizeof(v->vnet[i]);
	const bool may_receive = team_may_receive(&w->team, up->member);
	const bool groups = team_takes_groups(&w->team, up->member);
	struct sw_decision decision;
	struct pkt pkt;
	int port = -1;

	if (v->msgs[i].msg_len < sizeof(v->vnet[i]) + FRAME_ETH_LEN ||
	    !can_cross(&v->msgs[i].msg_hdr, &v->vnet[i])) {
		up->stats.rx_dropped++;
		return;
	}
	pkt.vnet = v->vnet[i];
	pkt.frags[0].virt = v->bufs[i]->data;
	if (v->vlan_tci[i] >= 0) {
		pkt.frags[0].virt = insert_vlan(v->bufs[i]->data, v->vlan_tci[i], &pkt.vnet);
		len += 4;
	}
	pkt.frags[0].len = pkt.total = pkt.head_len = len;
	pkt.head = pkt.frags[0].virt;
	pkt.n_frags = 1;
	pkt.info.payload_off = 0;
	pkt.buf = &v->bufs[i];
	pkt.from_member = (int16_t)up->member;
	up->stats.rx_packets++;
	up->stats.rx_bytes += len;
	w->pass_bytes += len;
	load_add(&up->rx_load,
		 cost_of(COST_UNIT_WIRE, len, pkt.vnet.gso_size, pkt.vnet.hdr_len).bytes,
		 w->now_ns);
	if (w->claims && frame_type(pkt.head) == ETH_P_ARP)
		claims_learn(w->claims, -1, pkt.head, len, w->now_ns);
	if (w->lacp.on && uplink_lacp_receive(up, pkt.head, len))
		return;
	if (w->probe.on && probe_receive(&w->probe, up->member, pkt.head, len, w->now_ns))
		return;
	if (seat_in(w->team.reserve, up->member))
		decision = sw_from_reserve(w->sw, up->member, may_receive, groups, pkt.head, len,
					   w->now_ns);
	else
		decision = sw_from_nic(w->sw, may_receive, groups, pkt.head, len, w->now_ns);
	switch (decision.verdict) {
	case SW_VERDICT_LOCAL:
		guest_rx_deliver(w, w->ports[decision.port], &pkt);
		break;
	case SW_VERDICT_FLOOD:
		while ((port = sw_flood_next(w->sw, pkt.head, -1, port)) >= 0)
			guest_rx_deliver(w, w->ports[port], &pkt);
		break;
	case SW_VERDICT_UPLINK:
	case SW_VERDICT_DROP_SPOOF:
	case SW_VERDICT_DROP_CTRL:
	case SW_VERDICT_DROP_REFLECT:
	case SW_VERDICT_DROP_INACTIVE:
	case SW_VERDICT_DROP_UNKNOWN:
		w->stats.nic_rx_dropped_switch++;
		break;
	}
}

/* Buffers for one receive call; as many as the pool has. */
static unsigned int refill(struct worker *w)
{
	struct nic_vector *v = w->vector;
	unsigned int i;

	for (i = 0; i < WORKER_RX_BATCH; i++) {
		if (!v->bufs[i])
			v->bufs[i] = buf_get(w->pool, BUF_BIG_DATA);
		if (!v->bufs[i])
			break;
		v->iov[i][0] = (struct iovec){&v->vnet[i], sizeof(v->vnet[i])};
		v->iov[i][1] = (struct iovec){v->bufs[i]->data, BUF_BIG_DATA};
		memset(&v->msgs[i].msg_hdr, 0, sizeof(v->msgs[i].msg_hdr));
		v->msgs[i].msg_hdr.msg_iov = v->iov[i];
		v->msgs[i].msg_hdr.msg_iovlen = 2;
	}
	return i;
}

static bool receive_one(struct worker *w, struct uplink *up)
{
	const uint64_t rate_bps = w->team.spread.loads[up->member].rate_bps;
	unsigned int room = refill(w);
	int n;

	if (room == 0)
		return false; /* every buffer waits for guests: the socket's own buffer takes the
				 rest */
	n = up->nic->ops->recv(up->nic, w->vector->msgs, w->vector->vlan_tci, room);
	w->stats.receives++;
	if (n < 0) {
		up->readable = false;
		reselect(w, up, 0, 0, -n);
		return false;
	}
	if (up->rx_load.rate_bps != rate_bps)
		load_set_rate(&up->rx_load, rate_bps);
	for (int i = 0; i < n; i++)
		from_nic(w, up, (unsigned int)i);
	up->busy |= n > 0;
	w->pass_frames += (uint64_t)n;
	w->stats.nic_rx_packets += (uint64_t)n;
	guest_rx_flush(w);
	guest_notify(w);
	up->readable = up->nic->fd < 0 || (unsigned int)n == room;
	return (unsigned int)n == room;
}

bool uplink_receive(struct worker *w)
{
	bool more = false;

	for (unsigned int i = 0; i < TEAM_MEMBERS_MAX; i++) {
		struct uplink *up = w->uplinks[i];

		if (up && up->nic && !up->gone && (up->readable || (w->looks_left && up->busy)))
			more |= receive_one(w, up);
	}
	return more;
}

void uplink_calm(struct worker *w)
{
	for (unsigned int i = 0; i < TEAM_MEMBERS_MAX; i++)
		if (w->uplinks[i])
			w->uplinks[i]->busy = false;
}

static const struct pin *pin_of_mac(const struct worker *w, const uint8_t mac[6])
{
	const int port = sw_port_of(w->sw, mac);

	return port >= 0 ? &w->ports[port]->pin : NULL;
}

/* An announcement goes to the member that the guest sends on, or else to the active one: there the
 * switch learns where its answers belong. False: the member takes none for now. */
static bool announce_one(struct worker *w, uint8_t *frame, unsigned int len)
{
	const uint8_t *mac = frame_src(frame);
	const int member =
		spread_member_of_mac(&w->team, pin_of_mac(w, mac), mac, frame_vlan(frame));
	struct virtio_net_hdr vnet = {0};
	struct iovec iov[2] = {{&vnet, sizeof(vnet)}, {frame, len}};
	struct mmsghdr msg = {.msg_hdr = {.msg_iov = iov, .msg_iovlen = 2}};
	struct uplink *up = member >= 0 ? w->uplinks[member] : NULL;
	int rc;

	if (!up || !up->nic || up->gone) /* announced anew once there is one */
		return true;
	if (!sw_is_here(w->sw, mac)) /* it has gone elsewhere since */
		return true;
	rc = up->nic->ops->send(up->nic, &msg, 1);
	if (rc == 1)
		sw_announced(w->sw, mac, w->now_ns);
	if (frame_type(frame) == ETH_P_ARP)
		w->stats.announced_arp += rc == 1;
	else
		w->stats.announced += rc == 1;
	return rc == 1 || !is_link_error(-rc);
}

void uplink_timers(struct worker *w)
{
	uint8_t frame[ANNOUNCE_FRAME_MAX];
	unsigned int len;

	team_run(&w->team, w->now_ns);
	w->stats.guests_on_reserve = w->team.spread.n_away;
	w->probe_runs = true;
	worker_deadline(w, team_deadline(&w->team));
	worker_deadline(w, w->lacp.due_ns);
	while ((len = announce_next(&w->announce, w->claims, w->now_ns, frame)) > 0)
		announce_done(&w->announce, announce_one(w, frame, len), w->now_ns);
	worker_deadline(w, announce_deadline(&w->announce));
}

const struct stat_desc uplink_stat_descs[] = {
#define ROW(member, text)                                                                          \
	{                                                                                          \
#member, STAT_KIND_COUNTER, offsetof(struct uplink_stats, member), text            \
	}
	ROW(tx_packets, "Frames sent through this member"),
	ROW(tx_bytes, "Bytes sent through this member"),
	ROW(tx_errors, "Frames that this member could not send"),
	ROW(rx_packets, "Frames received on this member"),
	ROW(rx_bytes, "Bytes received on this member"),
	ROW(rx_dropped, "Frames cut short or of an offload that netif does not have"),
	ROW(rx_dropped_host, "Frames that the kernel dropped because the worker was slow"),
#undef ROW
};
const size_t uplink_n_stat_descs = ARRAY_SIZE(uplink_stat_descs);
