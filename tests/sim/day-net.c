/* SPDX-License-Identifier: GPL-2.0-or-later */
/* day-net.c - NICs, cables, link watch and the switch of a day, see day.h. */
#include "tests/sim/day.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <utlist.h>

#include "netback-team/cost.h"
#include "netback-team/policy.h"
#include "util.h"

#define MBPS 1000000ull

static const uint8_t router[4] = {10, 0, 0, 254};

static struct day_nic *of(struct nic *nic)
{
	return container_of(nic, struct day_nic, nic);
}

static unsigned int type_of(const uint8_t *frame)
{
	return (unsigned int)(frame[12] << 8 | frame[13]);
}

bool day_carries(const struct day_nic *nic)
{
	return nic->present && nic->admin && nic->cable && !nic->silent;
}

/* --- NICs --- */

static int refuses(const struct day_nic *nic)
{
	if (!nic->present)
		return ENXIO;
	if (!nic->admin)
		return ENETDOWN;
	if (!nic->cable || nic->starved || nic->n == DAY_QUEUE)
		return ENOBUFS;
	return nic->busy_ns > day_now(nic->day) + DAY_DEPTH_NS ? EAGAIN : 0;
}

bool day_takes(struct day *day, const struct day_nic *nic, bool waits)
{
	if (!nic->member || !nic->link || !day_carries(nic))
		return false;
	if (nic->starved)
		return waits && day_now(day) - nic->starved_ns < NSEC_PER_SEC - NSEC_PER_MSEC;
	return waits || refuses(nic) == 0;
}

static void enqueue(struct day_nic *nic, const uint8_t *frame, uint32_t len, uint32_t gso_size)
{
	struct day *day = nic->day;
	struct day_queued *queued = &nic->queue[(nic->first + nic->n) % DAY_QUEUE];
	const struct cost cost = cost_of(COST_UNIT_WIRE, len, gso_size, 54);

	nic->busy_ns = MAX(nic->busy_ns, day_now(day)) + cost.bytes * 8 * NSEC_PER_SEC / nic->bps;
	nic->n++;
	memset(queued, 0, offsetof(struct day_queued, control));
	queued->gone_ns = nic->busy_ns;
	if (type_of(frame) == 0x0800) {
		day_parse(day, frame, len, queued);
		return;
	}
	if (len > DAY_CONTROL)
		day_fail(day, "a control frame of %u bytes on nic%u", len, nic->index);
	queued->n_control = (uint16_t)len;
	memcpy(queued->control, frame, len);
	nic->n_control++;
}

static int nic_send(struct nic *n, struct mmsghdr *msgs, unsigned int count)
{
	struct day_nic *nic = of(n);
	uint8_t *frame = nic->day->frame;

	for (unsigned int i = 0; i < count; i++) {
		const struct msghdr *m = &msgs[i].msg_hdr;
		const struct virtio_net_hdr *vnet = m->msg_iov[0].iov_base;
		const int error = refuses(nic);
		uint32_t len = 0;

		if (error)
			return i ? (int)i : -error;
		for (size_t v = 1; v < m->msg_iovlen; v++) {
			memcpy(frame + len, m->msg_iov[v].iov_base, m->msg_iov[v].iov_len);
			len += (uint32_t)m->msg_iov[v].iov_len;
		}
		enqueue(nic, frame, len, vnet->gso_type ? vnet->gso_size : 0);
	}
	return (int)count;
}

static int nic_recv(struct nic *n, struct mmsghdr *msgs, int32_t *vlan_tci, unsigned int count)
{
	struct day_nic *nic = of(n);
	unsigned int i = 0;

	if (!nic->present)
		return -ENXIO;
	for (; i < count && nic->in; i++) {
		struct day_in *in = nic->in;

		memset(msgs[i].msg_hdr.msg_iov[0].iov_base, 0, sizeof(struct virtio_net_hdr));
		memcpy(msgs[i].msg_hdr.msg_iov[1].iov_base, in->data, in->len);
		msgs[i].msg_len = (unsigned int)sizeof(struct virtio_net_hdr) + in->len;
		vlan_tci[i] = -1;
		DL_DELETE(nic->in, in);
		free(in);
	}
	return (int)i;
}

static int nic_carrier(struct nic *n)
{
	const struct day_nic *nic = of(n);

	return nic->present ? nic->admin && nic->cable : -ENODEV;
}

static void nic_close(struct nic *nic)
{
}

static int nic_mac(struct nic *nic, const uint8_t mac[6])
{
	return 0;
}

static int nic_group(struct nic *nic, const uint8_t mac[6], bool add)
{
	return 0;
}

static int nic_promisc(struct nic *nic, bool on)
{
	return 0;
}

static uint64_t nic_drops(struct nic *nic)
{
	return 0;
}

static const struct nic_ops day_nic_ops = {"day",   nic_close, nic_send,  nic_recv,    nic_carrier,
					   nic_mac, nic_mac,   nic_group, nic_promisc, nic_drops};

/* Would a frame from the switch reach the worker? */
static bool listens(const struct day_nic *nic)
{
	return nic->member && day_carries(nic) && !nic->day->w->uplinks[nic->slot]->gone;
}

static void receive(struct day_nic *nic, const uint8_t *frame, uint32_t len)
{
	struct day_in *in;

	if (!listens(nic))
		return;
	in = xb_calloc(1, sizeof(*in) + len);
	in->len = len;
	memcpy(in->data, frame, len);
	DL_APPEND(nic->in, in);
}

/* An announcement is lost: as far as the switch knows, the guest may be anywhere. */
static void unlearn(struct day *day, const struct day_queued *queued)
{
	for (unsigned int i = 0; i < DP_GUESTS; i++)
		if (queued->n_control && type_of(queued->control) == 0x8035 &&
		    memcmp(queued->control + 6, day->dp->guests[i].mac, 6) == 0)
			day->learned[i] = -1;
}

/* What it has is lost with its link. */
static void drop_all(struct day *day, struct day_nic *nic)
{
	for (; nic->n; nic->n--) {
		const struct day_queued *queued = &nic->queue[nic->first];

		unlearn(day, queued);
		if (!queued->n_control)
			day_lost(day, DAY_LOSS_LINK, 1);
		nic->first = (nic->first + 1) % DAY_QUEUE;
	}
	nic->n_control = 0;
	nic->busy_ns = 0;
	while (nic->in) {
		struct day_in *in = nic->in;

		DL_DELETE(nic->in, in);
		free(in);
	}
}

/* --- the switch --- */

static int partner_send(void *ctx, unsigned int port, const uint8_t *pdu)
{
	struct day *day = ctx;

	receive(&day->nics[port], pdu, LACP_FRAME_LEN);
	return 0;
}

static void partner_port(void *ctx, unsigned int port, bool collect, bool distribute)
{
}

static void partner_active(void *ctx, int old, int new)
{
}

static void partner_link(struct day *day, const struct day_nic *nic)
{
	const struct lacp_link link = {.carrier = nic->present && nic->admin && nic->cable,
				       .mbps = (uint32_t)(nic->bps / MBPS),
				       .duplex = LACP_DUPLEX_FULL,
				       .priority = 255,
				       .mac = {2, 0, 0, 0, 9, (uint8_t)nic->index}};

	if (!day->partner_on)
		return;
	assert_int_equal(lacp_port_set(&day->partner, nic->index, &link, day_now(day)), 0);
}

void day_partner_set(struct day *day, bool on)
{
	const struct lacp_config config = {.fast = day_rnd(day, 2),
					   .coupled = day_rnd(day, 4) == 0,
					   .system_priority = day_rnd(day, 2) ? 1 : 40000,
					   .system = {2, 0, 0, 0, 9, 9},
					   .default_mbps = 1000};
	const struct lacp_ops ops = {partner_send, partner_port, partner_active, day};

	day->lacp_ns = day_now(day);
	day->frozen = false;
	if (on == day->partner_on)
		return;
	day->partner_on = on;
	if (!on)
		return;
	assert_int_equal(lacp_init(&day->partner, &config, &ops, day_now(day)), 0);
	for (unsigned int i = 0; i < DAY_NICS; i++)
		partner_link(day, &day->nics[i]);
}

static void answer_arp(struct day_nic *nic, const uint8_t *asked)
{
	uint8_t reply[60] = {0};

	memcpy(reply, asked + 6, 6);
	memcpy(reply + 6, dp_wire_mac, 6);
	memcpy(reply + 12, (uint8_t[]){8, 6, 0, 1, 8, 0, 6, 4, 0, 2}, 10);
	memcpy(reply + 22, dp_wire_mac, 6);
	memcpy(reply + 28, router, 4);
	receive(nic, reply, sizeof(reply));
}

static void learn(struct day *day, const struct day_nic *nic, const uint8_t mac[6])
{
	for (unsigned int i = 0; i < DP_GUESTS; i++)
		if (memcmp(mac, day->guests[i].g->mac, 6) == 0)
			day->learned[i] = (int)nic->index;
}

static void control_arrives(struct day *day, struct day_nic *nic, const struct day_queued *queued)
{
	const unsigned int type = type_of(queued->control);

	if (type == 0x8035)
		learn(day, nic, queued->control + 6);
	else if (type == 0x0806)
		answer_arp(nic, queued->control);
	else if (type == 0x8809 && day->partner_on && !day->frozen)
		lacp_receive(&day->partner, nic->index, queued->control, queued->n_control,
			     day_now(day));
	for (unsigned int i = 0; type == 0x88b5 && i < DAY_NICS; i++)
		if (i != nic->index)
			receive(&day->nics[i], queued->control, queued->n_control);
}

/* How long a link may be dead without being found out. */
static uint64_t patience_ns(const struct day *day)
{
	const struct lacp_options *lacp = &day->options.lacp;
	uint64_t ns = DEADLINE_NEVER;

	if (day->w->probe.on)
		ns = (day->options.probe_missed + 2) * day->options.probe_interval_ns;
	/* Where no partner is heard all are used (static), and he is asked every 30 s only. */
	if (day->partner_on && lacp->mode == LACP_ACTIVE)
		ns = MIN(ns, (lacp->rate && lacp->fallback != LACP_FALLBACK_STATIC ? 4u : 95u) *
				     NSEC_PER_SEC);
	return ns;
}

/* Was there somebody else, who gets answers to his probes? */
static bool has_alternative(const struct day *day, const struct day_nic *nic)
{
	unsigned int n = 0, voices = 0;

	for (unsigned int i = 0; i < DAY_NICS; i++) {
		const struct day_nic *other = &day->nics[i];

		voices += other->member && other->link;
		n += other != nic && other->member && other->link && day_carries(other) &&
		     !other->starved && seat_in(day->w->team.usable, other->slot);
	}
	return n > 0 && (day->options.probe != PROBE_BEACON || (voices >= 4 && n >= 3));
}

static void on_silent(struct day *day, const struct day_nic *nic)
{
	const uint64_t since =
		MAX(MAX(nic->disturbed_ns, day->probe_ns), MAX(day->options_ns, day->lacp_ns));
	const uint64_t patience = patience_ns(day);

	if (patience < DEADLINE_NEVER && day_now(day) - since > patience &&
	    has_alternative(day, nic))
		day_fail(day, "a frame on nic%u, dead for %llu ms", nic->index,
			 (unsigned long long)((day_now(day) - nic->silent_ns) / NSEC_PER_MSEC));
	day_lost(day, DAY_LOSS_SILENT, 1);
}

static void data_arrives(struct day *day, struct day_nic *nic, const struct day_queued *queued)
{
	/* What partners tell each other takes a moment. */
	if (day->partner_on && day->options.lacp.mode != LACP_STATIC &&
	    !seat_in(lacp_collecting(&day->partner), (int)nic->index)) {
		if (day_now(day) - MAX(day->lacp_ns, nic->disturbed_ns) > 100 * NSEC_PER_SEC)
			day_fail(day, "a frame on nic%u, where the partner does not collect",
				 nic->index);
		day_lost(day, DAY_LOSS_PARTNER, 1);
		return;
	}
	if (queued->from < DP_GUESTS)
		day->learned[queued->from] = (int)nic->index;
	if (queued->to == DAY_WIRE)
		day_arrived(day, queued);
	else /* for a guest that has left */
		day->f->arrived++;
}

static struct day_nic *next_gone(struct day *day)
{
	struct day_nic *best = NULL;

	for (unsigned int i = 0; i < DAY_NICS; i++) {
		struct day_nic *nic = &day->nics[i];

		if (!nic->n || nic->queue[nic->first].gone_ns > day_now(day))
			continue;
		if (!best || nic->queue[nic->first].gone_ns < best->queue[best->first].gone_ns)
			best = nic;
	}
	return best;
}

static void arrive_all(struct day *day)
{
	struct day_nic *nic;

	while ((nic = next_gone(day))) {
		const struct day_queued queued = nic->queue[nic->first];

		nic->first = (nic->first + 1) % DAY_QUEUE;
		nic->n--;
		nic->n_control -= queued.n_control > 0;
		if (nic->silent && queued.n_control == 0)
			on_silent(day, nic);
		else if (nic->silent)
			unlearn(day, &queued);
		else if (queued.n_control)
			control_arrives(day, nic, &queued);
		else
			data_arrives(day, nic, &queued);
	}
}

static int nth(uint32_t set, unsigned int n)
{
	if (!set)
		return -1;
	for (n %= (unsigned int)__builtin_popcount(set); n; n--)
		set &= set - 1;
	return __builtin_ctz(set);
}

/* The port that the switch sends a frame for a guest to. */
static int port_to(const struct day *day, unsigned int guest, unsigned int flow)
{
	const struct policy *policy = policy_get(day->options.mode);
	uint32_t up = 0;

	for (unsigned int i = 0; i < DAY_NICS; i++)
		if (day->nics[i].member && day->nics[i].present && day->nics[i].admin &&
		    day->nics[i].cable)
			up |= 1u << i;
	if (policy->lacp && day->partner_on && day->options.lacp.mode != LACP_STATIC)
		return nth(lacp_distributing(&day->partner), flow);
	if (policy->lacp || !(policy->single_active || policy->by_mac))
		return nth(up, flow);
	return seat_in(up, day->learned[guest]) ? day->learned[guest] : -1;
}

bool day_has_input(const struct day *day)
{
	for (unsigned int i = 0; i < DAY_NICS; i++)
		if (day->nics[i].in && listens(&day->nics[i]))
			return true;
	return false;
}

bool day_incoming(struct day *day, unsigned int to, unsigned int flow, const uint8_t *frame,
		  uint32_t len)
{
	const int port = port_to(day, to, flow);
	struct day_nic *nic;

	if (port < 0)
		return false;
	nic = &day->nics[port];
	if (nic->silent) {
		day_lost(day, DAY_LOSS_SILENT, 1);
		return true;
	}
	if (!listens(nic))
		day_lost(day, DAY_LOSS_LINK, 1);
	receive(nic, frame, len);
	return true;
}

/* --- link watch --- */

void day_link_changed(struct day *day, struct day_nic *nic)
{
	nic->disturbed_ns = day->change_ns = day_now(day);
	if (!nic->present || !nic->admin || !nic->cable)
		drop_all(day, nic);
	partner_link(day, nic);
	if (nic->report_ns == DEADLINE_NEVER)
		nic->report_ns = day_now(day) + day_rnd(day, 20) * NSEC_PER_MSEC;
}

static void report(struct day *day, struct day_nic *nic)
{
	const bool up = nic->present && nic->admin && nic->cable;
	const int member = team_find(&day->w->team, nic->nic.name);
	struct uplink *uplink;

	nic->report_ns = DEADLINE_NEVER;
	if (!nic->member)
		return;
	nic->link = up;
	nic->disturbed_ns = day_now(day);
	assert_int_equal(member, nic->slot);
	uplink = day->w->uplinks[member];
	if (nic->present && uplink->gone) /* teams_members.c opens it again */
		uplink_add(day->w, nic->nic.name, nic->priority, &nic->nic);
	spread_set_speed(&day->w->team, member, nic->bps);
	day->w->qos.stale = true;
	uplink_lacp_speed(day->w, member, (uint32_t)(nic->bps / MBPS), LACP_DUPLEX_FULL);
	team_on_link(&day->w->team, member, up, day_now(day));
	worker_deadline(day->w, 0);
}

void day_join(struct day *day, struct day_nic *nic)
{
	nic->member = true;
	nic->leaving = false;
	nic->link = false;
	nic->remove_ns = DEADLINE_NEVER;
	nic->disturbed_ns = day->change_ns = day_now(day);
	nic->order = day->n_orders++;
	nic->slot = uplink_add(day->w, nic->nic.name, nic->priority, &nic->nic);
	assert_true(nic->slot >= 0);
	uplink_drain_set(day->w);
	nic->report_ns = day_now(day);
}

/* --- time --- */

void day_net_run(struct day *day)
{
	const uint64_t now = day_now(day);

	for (unsigned int i = 0; i < DAY_NICS; i++)
		if (day->nics[i].report_ns <= now)
			report(day, &day->nics[i]);
	arrive_all(day);
	if (day->partner_on && !day->frozen)
		lacp_run(&day->partner, now);
}

uint64_t day_net_deadline(struct day *day)
{
	uint64_t next = DEADLINE_NEVER;

	if (day->partner_on && !day->frozen)
		next = lacp_deadline(&day->partner);
	for (unsigned int i = 0; i < DAY_NICS; i++) {
		const struct day_nic *nic = &day->nics[i];

		next = MIN(next, nic->report_ns);
		if (nic->n_control)
			next = MIN(next, nic->queue[nic->first].gone_ns);
	}
	return next;
}

void day_net_init(struct day *day)
{
	const uint64_t speeds[] = {100 * MBPS, 1000 * MBPS, 1000 * MBPS, 10000 * MBPS};
	const uint64_t bps = speeds[day_rnd(day, ARRAY_SIZE(speeds))];

	for (unsigned int i = 0; i < DP_GUESTS; i++)
		day->learned[i] = -1;
	for (unsigned int i = 0; i < DAY_NICS; i++) {
		struct day_nic *nic = &day->nics[i];

		nic->day = day;
		nic->index = i;
		nic->nic.ops = &day_nic_ops;
		snprintf(nic->nic.name, sizeof(nic->nic.name), "eth%u", i);
		nic->nic.fd = -1;
		nic->nic.mtu = 1500;
		memcpy(nic->nic.mac, (uint8_t[6]){0x02, 0, 0, 0, 1, (uint8_t)i}, 6);
		nic->present = nic->admin = nic->cable = true;
		nic->bps = day_rnd(day, 8) ? bps : speeds[day_rnd(day, ARRAY_SIZE(speeds))];
		nic->priority =
			day_rnd(day, 3) ? TEAM_PRIORITY_DEFAULT : (uint8_t)day_rnd(day, 256);
		nic->queue = xb_calloc(DAY_QUEUE, sizeof(*nic->queue));
		nic->report_ns = nic->remove_ns = nic->mend_ns = DEADLINE_NEVER;
	}
}

void day_net_fini(struct day *day)
{
	for (unsigned int i = 0; i < DAY_NICS; i++) {
		drop_all(day, &day->nics[i]);
		free(day->nics[i].queue);
	}
}
