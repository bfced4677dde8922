/* SPDX-License-Identifier: GPL-2.0-or-later */
/* day-guests.c - frames of numbered flows from guest to guest and through the team, and accounts of
 * them; see day.h. */
#include "tests/sim/day.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "netback-team/dos_keys.h"
#include "util.h"

#define HEADERS	   54u
#define MSS	   1446u
#define SLOT_BYTES 3900u
#define GSO_BYTES  12000u
#define SLOTS_MAX  5u

const char *const day_loss_names[DAY_LOSSES] = {
	[DAY_LOSS_LINK] = "in a NIC whose link died",
	[DAY_LOSS_SILENT] = "on a dead link, not found out yet",
	[DAY_LOSS_PARTNER] = "on a link that the partner left",
	[DAY_LOSS_NO_MEMBER] = "no member could send",
	[DAY_LOSS_INACTIVE] = "came in before the switch knew",
	[DAY_LOSS_LIMIT] = "over a receive limit",
	[DAY_LOSS_LAZY] = "the guest took none",
	[DAY_LOSS_GUEST] = "waited for a guest that left",
};

static const uint8_t *mac_of(const struct day *day, unsigned int party)
{
	return party == DAY_WIRE ? dp_wire_mac : day->guests[party].g->mac;
}

/* The next frame of a flow: its number and size stand behind the headers. */
static uint32_t make(struct day *day, unsigned int from, unsigned int to, unsigned int flow,
		     uint32_t payload)
{
	const uint32_t number = ++day->next[from][to][flow];
	const uint32_t len =
		dp_tcp(day->frame, mac_of(day, to), mac_of(day, from), payload, from != DAY_WIRE);

	day->frame[34] ^= (uint8_t)flow;
	/* A new session with the ports of an old one: for the mode tcp-sticky. */
	if (day_now(day) - day->made_ns[from][to][flow] > NSEC_PER_SEC && day_rnd(day, 4) == 0)
		day->frame[47] = 0x02; /* SYN */
	day->made_ns[from][to][flow] = day_now(day);
	memcpy(day->frame + HEADERS, &number, 4);
	memcpy(day->frame + HEADERS + 4, &payload, 4);
	day->f->frames++;
	return len;
}

void day_parse(struct day *day, const uint8_t *frame, uint32_t len, struct day_queued *queued)
{
	unsigned int from = DAY_PARTIES, to = DAY_PARTIES;
	uint32_t payload;

	for (unsigned int i = 0; i < DAY_PARTIES; i++) {
		from = memcmp(frame + 6, mac_of(day, i), 6) ? from : i;
		to = memcmp(frame, mac_of(day, i), 6) ? to : i;
	}
	assert_true(from < DAY_PARTIES && to < DAY_PARTIES);
	queued->from = (uint8_t)from;
	queued->to = (uint8_t)to;
	queued->flow = frame[34] ^ 0x30;
	memcpy(&queued->number, frame + HEADERS, 4);
	memcpy(&payload, frame + HEADERS + 4, 4);
	assert_true(queued->flow < DAY_FLOWS);
	assert_int_equal(len, payload + HEADERS);
	dp_tcp(day->want, mac_of(day, to), mac_of(day, from), payload, 0);
	assert_memory_equal(frame + HEADERS + 8, day->want + HEADERS + 8, payload - 8);
	if (queued->number > day->next[from][to][queued->flow])
		day_fail(day, "frame %u from %u to %u was never sent", queued->number, from, to);
}

void day_arrived(struct day *day, const struct day_queued *queued)
{
	uint32_t *seen = &day->seen[queued->from][queued->to][queued->flow];

	day->f->arrived++;
	if (queued->number > *seen) {
		*seen = queued->number;
		return;
	}
	if (queued->number == *seen ||
	    (!day->no_order &&
	     queued->number > day->unordered[queued->from][queued->to][queued->flow]))
		day_fail(day, "flow %u from %u to %u: frame %u after %u", queued->flow,
			 queued->from, queued->to, queued->number, *seen);
	day->f->out_of_order++;
}

void day_lost(struct day *day, enum day_loss why, uint64_t n)
{
	day->f->lost[why] += n;
}

/* --- connecting --- */

void day_watch(struct day *day, bool on)
{
	struct guard_profile profile;

	guard_profile_off(&profile);
	if (on)
		keys_set_defaults(&dos_key_table, &profile);
	day->watched = on;
	for (unsigned int i = 0; i < DP_GUESTS; i++)
		if (day->guests[i].on)
			guard_vif_set(day->guests[i].g->vif, &profile);
}

static void post(struct day *day, unsigned int i)
{
	struct dp_guest *g = day->guests[i].g;

	if (!day->guests[i].lazy && ring_front_free(&g->rx))
		dp_post_rx(day->dp, i, ring_front_free(&g->rx));
}

void day_guest_connect(struct day *day, unsigned int i)
{
	struct vif_config config = dp_config(day->dp, i);
	struct day_guest *guest = &day->guests[i];

	memset(guest, 0, sizeof(*guest));
	guest->g = &day->dp->guests[i];
	guest->on = true;
	day->learned[i] = -1; /* until it speaks */
	ring_front_init(&guest->g->tx, guest->g->tx_page, NETIF_TX_SLOT_BYTES);
	ring_front_init(&guest->g->rx, guest->g->rx_page, NETIF_RX_SLOT_BYTES);
	dp_connect(day->dp, i, &config);
	post(day, i);
	day_watch(day, day->watched);
}

/* Sent, queued, or discarded for a reason: everything that it ever offered. */
static void check_counts(struct day *day, const struct day_guest *guest)
{
	const struct vif *vif = guest->g->vif;
	uint64_t done = 0;

	if (guest->n_frames)
		return;
	for (int r = 0; r < DECIDE_N_REASONS; r++)
		if (decide_action((enum decide_reason)r) != DECIDE_ACTION_QUEUE)
			done += vif->tx_counts.frames[r];
	if (done != guest->offered || vif->stats.tx_packets != guest->offered ||
	    vif->tx_counts.frames[DECIDE_REASON_DOWN] != vif->stats.tx_no_member)
		day_fail(day, "%s offered %llu frames, %llu were counted, %llu by reason",
			 vif->config.name, (unsigned long long)guest->offered,
			 (unsigned long long)vif->stats.tx_packets, (unsigned long long)done);
}

void day_guest_leave(struct day *day, unsigned int i)
{
	struct day_guest *guest = &day->guests[i];

	day_guests_look(day);
	check_counts(day, guest);
	day->f->left += guest->n_frames;
	day_lost(day, DAY_LOSS_GUEST, guest->g->vif->queues[0].wait.n_frames);
	dp_disconnect(day->dp, i);
	guest->on = false;
	guest->todo = guest->n_frames = 0;
}

/* --- sending --- */

static void put_request(struct day_guest *guest, const void *request, int32_t id, bool last)
{
	const uint32_t index = guest->g->tx.req_prod % DAY_IDS;

	guest->ids[index] = id;
	guest->last[index] = last;
	ring_front_request(&guest->g->tx, request);
}

static void put_gso(struct day_guest *guest)
{
	uint8_t slot[NETIF_TX_SLOT_BYTES] = {0};
	netif_extra_info_t extra = {.type = XEN_NETIF_EXTRA_TYPE_GSO};

	extra.u.gso.size = MSS;
	extra.u.gso.type = XEN_NETIF_GSO_TYPE_TCPV4;
	memcpy(slot, &extra, sizeof(extra));
	put_request(guest, slot, -1, false);
}

static void put_frame(struct day_guest *guest, const uint8_t *frame, uint32_t len, bool gso,
		      uint32_t head)
{
	struct dp_guest *g = guest->g;

	for (uint32_t done = 0, size; done < len; done += size) {
		const bool first = done == 0;
		unsigned int page = g->tx_next++ % DP_TX_PAGES;
		netif_tx_request_t req = {
			.gref = g->tx_refs[page], .offset = 100, .id = guest->next_id++};

		size = MIN(len - done, first ? head : SLOT_BYTES);
		req.size = (uint16_t)(first ? len : size);
		if (first)
			req.flags = (uint16_t)(NETTXF_csum_blank | (gso ? NETTXF_extra_info : 0));
		if (done + size < len)
			req.flags |= NETTXF_more_data;
		memcpy(g->tx_data + (size_t)page * XEN_PAGE_SIZE + 100, frame + done, size);
		put_request(guest, &req, req.id, done + size == len);
		guest->n_pages++;
		if (first && gso)
			put_gso(guest);
	}
	guest->n_frames++;
	guest->offered++;
}

static bool sends(struct day *day, unsigned int i)
{
	struct day_guest *guest = &day->guests[i];
	bool any = false;

	for (; guest->todo && guest->n_pages + SLOTS_MAX <= DP_TX_PAGES; guest->todo--) {
		const bool gso = guest->gso && day_rnd(day, guest->gso) == 0;
		const uint32_t payload = 8 + day_rnd(day, gso ? GSO_BYTES : MSS);
		const uint32_t len = make(day, i, guest->to, day_rnd(day, DAY_FLOWS), payload);

		put_frame(guest, day->frame, len, gso, day_rnd(day, 8) ? SLOT_BYTES : HEADERS);
		any = true;
	}
	if (any && ring_front_push(&guest->g->tx))
		guest->g->xen->ops->evt_notify(guest->g->evt, guest->g->port);
	return any;
}

bool day_guests_send(struct day *day)
{
	bool any = false;

	for (unsigned int i = 0; i < DP_GUESTS; i++)
		if (day->guests[i].on)
			any |= sends(day, i);
	return any;
}

void day_wire_sends(struct day *day, unsigned int n)
{
	while (n-- > 0) {
		const unsigned int to = day_rnd(day, DP_GUESTS), flow = day_rnd(day, DAY_FLOWS);
		uint32_t len;

		if (!day->guests[to].on)
			continue;
		len = make(day, DAY_WIRE, to, flow, 8 + day_rnd(day, MSS));
		if (!day_incoming(day, to, flow, day->frame, len))
			day->f->frames--;
	}
}

bool day_guests_wait(const struct day *day)
{
	for (unsigned int i = 0; i < DP_GUESTS; i++)
		if (day->guests[i].n_frames || day->guests[i].todo)
			return true;
	return false;
}

/* --- what came of it --- */

/* Each request is answered once, in order. */
static void look_answers(struct day *day, struct day_guest *guest)
{
	struct ring_front *tx = &guest->g->tx;

	while (ring_front_responses(tx)) {
		const uint32_t index = tx->rsp_cons % DAY_IDS;
		const int32_t id = guest->ids[index];
		netif_tx_response_t rsp;

		if (tx->rsp_cons == tx->req_prod)
			day_fail(day, "an answer to nothing");
		ring_front_read(tx, tx->rsp_cons++, &rsp, sizeof(rsp));
		if (rsp.status != (id < 0 ? NETIF_RSP_NULL : NETIF_RSP_OKAY) ||
		    (id >= 0 && rsp.id != (uint16_t)id))
			day_fail(day, "request %d was answered as %u, status %d", id, rsp.id,
				 rsp.status);
		guest->n_pages -= id >= 0;
		if (!guest->last[index])
			continue;
		guest->n_frames--;
		guest->taken++;
	}
}

static void look_received(struct day *day, unsigned int i)
{
	struct day_guest *guest = &day->guests[i];
	struct day_queued got;
	int len;

	while ((len = dp_receive(guest->g, day->frame, NULL, NULL)) != 0) {
		assert_true(len > 0);
		day_parse(day, day->frame, (uint32_t)len, &got);
		assert_int_equal(got.to, i);
		day->f->local += got.from != DAY_WIRE;
		day_arrived(day, &got);
	}
	post(day, i);
}

static void refuse(struct day *day, const struct vif *vif, const char *what)
{
	day_fail(day, "%s: a frame was lost: %s", vif->config.name, what);
}

/* Losses that counters tell, and whether each is legal; those for want of a member judges
 * sim-day.c. */
static void look_losses(struct day *day, struct day_guest *guest)
{
	const struct vif *vif = guest->g->vif;
	const struct vif_stats *now = &vif->stats, *was = &guest->seen;
	const bool lazy = guest->lazy || day_now(day) - guest->lazy_ns < 11 * NSEC_PER_SEC;
	const bool limited = vif->rx_limit.config.avg_bps || vif->rx_limit.config.peak_bps ||
			     day_now(day) - guest->limit_ns < 11 * NSEC_PER_SEC;
	const uint64_t dropped = now->rx_dropped_full + now->rx_dropped_late -
				 was->rx_dropped_full - was->rx_dropped_late;

	if (now->tx_errors + now->tx_spoofed + now->tx_control + now->tx_too_big + now->tx_refused)
		refuse(day, vif, "refused");
	if (now->tx_limited + now->rx_limited)
		refuse(day, vif, "taken for an attack");
	if (now->rx_errors)
		refuse(day, vif, "did not fit");
	if ((dropped && !limited && !lazy) ||
	    (now->rx_dropped_stalled != was->rx_dropped_stalled && !lazy))
		refuse(day, vif, "though the guest takes frames");
	day_lost(day, lazy ? DAY_LOSS_LAZY : DAY_LOSS_LIMIT, dropped);
	day_lost(day, DAY_LOSS_LAZY, now->rx_dropped_stalled - was->rx_dropped_stalled);
	day_lost(day, DAY_LOSS_NO_MEMBER, now->tx_no_member - was->tx_no_member);
	guest->seen = *now;
}

void day_guests_look(struct day *day)
{
	for (unsigned int i = 0; i < DP_GUESTS; i++) {
		struct day_guest *guest = &day->guests[i];

		if (!guest->on)
			continue;
		look_answers(day, guest);
		look_received(day, i);
		look_losses(day, guest);
		check_counts(day, guest);
	}
}
