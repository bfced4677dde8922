/* SPDX-License-Identifier: GPL-2.0-or-later */
/* uplink_lacp.c - LACP in a worker, see uplink_lacp.h. */
#include "uplink_lacp.h"

#include <errno.h>
#include <string.h>

#include "log.h"
#include "policy.h"
#include "util.h"
#include "worker.h"

#define LOG_MODULE "team"

static const uint8_t slow_protocols[6] = {0x01, 0x80, 0xc2, 0x00, 0x00, 0x02};

static struct nic *nic_of(const struct worker *w, unsigned int member)
{
	const struct uplink *up = w->uplinks[member];

	return up && !up->gone ? up->nic : NULL;
}

/* --- what lacp.h calls --- */

static int on_send(void *ctx, unsigned int port, const uint8_t *frame)
{
	struct worker *w = ctx;
	struct nic *nic = nic_of(w, port);
	struct virtio_net_hdr vnet = {0};
	struct iovec iov[2] = {{&vnet, sizeof(vnet)}, {(void *)frame, LACP_FRAME_LEN}};
	struct mmsghdr msg = {.msg_hdr = {.msg_iov = iov, .msg_iovlen = 2}};
	int rc;

	if (!nic)
		return -ENODEV;
	if (w->lacp.quiet)
		return 0;
	rc = nic->ops->send(nic, &msg, 1);
	return rc < 0 ? rc : 0;
}

static void on_port(void *ctx, unsigned int port, bool collect, bool distribute)
{
	struct worker *w = ctx;

	w->lacp.ports_changed = true;
	log_debug("%s: %s: LACP: %s, %s", w->team.name, w->team.members[port].name,
		  collect ? "collects" : "does not collect",
		  distribute ? "distributes" : "does not distribute");
}

static void on_active(void *ctx, int old, int new)
{
	struct worker *w = ctx;

	log_info("%s: LACP: active aggregator %d -> %d (-1: none)", w->team.name, old, new);
}

/* --- configuration --- */

static bool is_wanted(const struct worker *w)
{
	return policy_get(w->team.options.mode)->lacp;
}

static const struct nic *first_nic(const struct worker *w)
{
	const struct nic *first = NULL;
	uint32_t order = UINT32_MAX;

	for (unsigned int i = 0; i < TEAM_MEMBERS_MAX; i++) {
		const struct uplink *up = w->uplinks[i];

		if (up && up->nic && !w->team.members[i].reserve &&
		    w->team.members[i].order < order) {
			order = w->team.members[i].order;
			first = up->nic;
		}
	}
	return first;
}

static void permit(struct worker *w)
{
	const struct uplink_lacp *l = &w->lacp;
	const char *why[TEAM_MEMBERS_MAX];
	uint32_t send = 0, receive = 0;

	for (unsigned int i = 0; i < TEAM_MEMBERS_MAX; i++)
		why[i] = l->n_told >> i & 1 ? l->lacp.ports[i].reason : "mode changed";
	if (!is_wanted(w)) {
		send = receive = UINT32_MAX;
	} else if (l->on) {
		send = lacp_distributing(&l->lacp);
		receive = lacp_collecting(&l->lacp);
	}
	if (send != w->team.may_send || receive != w->team.may_receive)
		team_permit(&w->team, send, receive, why, w->now_ns);
}

static void join_group(struct worker *w, unsigned int member, bool on)
{
	struct nic *nic = nic_of(w, member);
	int rc = nic ? nic->ops->group(nic, slow_protocols, on) : 0;

	if (rc < 0 && on)
		log_warn("%s: %s: cannot receive LACPDUs: %s", w->team.name, nic->name,
			 strerror(-rc));
}

static void stop(struct worker *w)
{
	struct uplink_lacp *l = &w->lacp;

	for (unsigned int i = 0; i < TEAM_MEMBERS_MAX; i++) {
		if (!(l->n_told >> i & 1))
			continue;
		lacp_port_remove(&l->lacp, i, w->now_ns);
		join_group(w, i, false);
	}
	l->on = l->asked = false;
	l->n_told = 0;
	l->due_ns = DEADLINE_NEVER;
}

/* Begins with the first NIC, or tells what is new. */
static void start(struct worker *w)
{
	const struct lacp_ops ops = {on_send, on_port, on_active, w};
	const struct nic *first = first_nic(w);
	struct uplink_lacp *l = &w->lacp;
	struct lacp_config config;

	if (!l->on && !first)
		return;
	if (!l->on) {
		memcpy(l->id, first->mac, sizeof(l->id));
		l->id[0] ^= l->id_taken ? 0x02 : 0; /* a locally administered one */
	}
	lacp_options_config(&w->team.options.lacp, l->id, w->team.options.speed_bps, &config);
	config.restarted = l->restarted;
	if (l->on)
		lacp_configure(&l->lacp, &config, w->now_ns);
	else
		l->on = lacp_init(&l->lacp, &config, &ops, w->now_ns) == 0;
	l->restarted = false;
}

void uplink_lacp_init(struct worker *w)
{
	w->lacp.due_ns = DEADLINE_NEVER;
}

void uplink_lacp_configure(struct worker *w, bool restarted)
{
	struct uplink_lacp *l = &w->lacp;

	l->restarted |= restarted;
	if (is_wanted(w))
		start(w);
	else if (l->on)
		stop(w);
	l->links_changed = l->ports_changed = true;
	uplink_lacp_settle(w);
}

void uplink_lacp_hush(struct worker *w)
{
	w->lacp.quiet = true;
}

/* --- members --- */

void uplink_lacp_add(struct worker *w, int member)
{
	struct uplink_lacp *l = &w->lacp;

	if (!is_wanted(w))
		return;
	if (l->n_told >> member & 1)
		join_group(w, (unsigned int)member, true); /* in place of one that had joined */
	start(w);
	l->links_changed = true;
	uplink_lacp_settle(w);
}

void uplink_lacp_remove(struct worker *w, int member)
{
	struct uplink_lacp *l = &w->lacp;

	l->leaving &= ~(1u << member);
	l->mbps[member] = 0;
	l->duplex[member] = LACP_DUPLEX_UNKNOWN;
	if (!(l->n_told >> member & 1))
		return;
	lacp_port_remove(&l->lacp, (unsigned int)member, w->now_ns);
	l->n_told &= ~(1u << member);
	l->links_changed = l->ports_changed = true;
}

void uplink_lacp_speed(struct worker *w, int member, uint32_t mbps, enum lacp_duplex duplex)
{
	w->lacp.mbps[member] = mbps;
	w->lacp.duplex[member] = duplex;
	w->lacp.links_changed = true;
}

void uplink_lacp_touch(struct worker *w)
{
	w->lacp.links_changed = true;
	worker_deadline(w, 0);
}

static bool same_link(const struct lacp_link *a, const struct lacp_link *b)
{
	return a->carrier == b->carrier && a->mbps == b->mbps && a->duplex == b->duplex &&
	       a->priority == b->priority && memcmp(a->mac, b->mac, sizeof(a->mac)) == 0;
}

static void tell_links(struct worker *w)
{
	struct uplink_lacp *l = &w->lacp;

	for (unsigned int i = 0; i < TEAM_MEMBERS_MAX; i++) {
		const struct team_member *m = &w->team.members[i];
		const struct uplink *up = w->uplinks[i];
		struct lacp_link link;

		if (!m->used || m->reserve || !up || !up->nic)
			continue;
		link = (struct lacp_link){
			.carrier = w->team.up >> i & 1,
			.mbps = l->mbps[i],
			.duplex = l->duplex[i],
			.priority = lacp_options_port_priority(&w->team.options.lacp, m->priority),
		};
		memcpy(link.mac, up->nic->mac, sizeof(link.mac));
		if ((l->n_told >> i & 1) && same_link(&link, &l->told[i]))
			continue;
		if (!(l->n_told >> i & 1))
			join_group(w, i, true);
		if (lacp_port_set(&l->lacp, i, &link, w->now_ns) < 0)
			continue;
		l->told[i] = link;
		l->n_told |= 1u << i;
		l->ports_changed = true; /* also its reason is new */
	}
}

/* --- members that leave --- */

static void drained(struct worker *w, unsigned int member)
{
	w->lacp.leaving &= ~(1u << member);
	if (w->observer.member_drained)
		w->observer.member_drained(w->observer.ctx, w->team.members[member].name);
}

void uplink_lacp_drain(struct worker *w, int member, bool on)
{
	struct uplink_lacp *l = &w->lacp;

	team_retire(&w->team, member, on, w->now_ns);
	if (on) {
		l->leaving |= 1u << member;
		l->retire_ns[member] = w->now_ns + LACP_RETIRE_NS;
	} else {
		l->leaving &= ~(1u << member);
		if (l->n_told >> member & 1)
			lacp_port_drain(&l->lacp, (unsigned int)member, false, w->now_ns);
	}
	uplink_lacp_settle(w);
}

/* One step further; the next one is due by what is returned. */
static uint64_t run_leaving(struct worker *w, unsigned int i)
{
	struct uplink_lacp *l = &w->lacp;
	const bool known = l->n_told >> i & 1;

	if (!known || lacp_port_drained(&l->lacp, i)) {
		drained(w, i);
		return DEADLINE_NEVER;
	}
	if (l->retire_ns[i] == DEADLINE_NEVER)
		return DEADLINE_NEVER;
	if (w->now_ns < l->retire_ns[i] && !team_retired(&w->team, (int)i, w->now_ns))
		return MIN(l->retire_ns[i], w->now_ns + NSEC_PER_MSEC);
	l->retire_ns[i] = DEADLINE_NEVER;
	lacp_port_drain(&l->lacp, i, true, w->now_ns);
	return w->now_ns;
}

/* --- the loop --- */

void uplink_lacp_settle(struct worker *w)
{
	struct uplink_lacp *l = &w->lacp;

	while (l->links_changed || l->ports_changed) {
		const bool links = l->links_changed;

		l->links_changed = false;
		if (links && l->on)
			tell_links(w);
		if (!l->ports_changed)
			continue;
		l->ports_changed = false;
		permit(w);
	}
	l->due_ns = l->on ? lacp_deadline(&l->lacp) : DEADLINE_NEVER;
	for (unsigned int i = 0; i < TEAM_MEMBERS_MAX; i++) {
		const uint64_t due_ns = l->leaving >> i & 1 ? run_leaving(w, i) : DEADLINE_NEVER;

		l->due_ns = MIN(l->due_ns, due_ns);
	}
	worker_deadline(w, l->due_ns);
}

bool uplink_lacp_receive(struct uplink *up, const uint8_t *frame, uint32_t len)
{
	struct worker *w = up->worker;
	struct uplink_lacp *l = &w->lacp;

	if (frame[12] != LACP_ETHERTYPE >> 8 || frame[13] != (LACP_ETHERTYPE & 0xff) ||
	    memcmp(frame, slow_protocols, sizeof(slow_protocols)) != 0)
		return false;
	lacp_receive(&l->lacp, (unsigned int)up->member, frame, len, w->now_ns);
	uplink_lacp_settle(w);
	return true;
}

static void read_all(struct worker *w)
{
	for (unsigned int i = 0; i < TEAM_MEMBERS_MAX; i++)
		if (w->uplinks[i])
			w->uplinks[i]->readable = true;
}

bool uplink_lacp_run(struct worker *w, bool more)
{
	struct uplink_lacp *l = &w->lacp;

	if (l->links_changed || l->ports_changed)
		uplink_lacp_settle(w);
	if (w->now_ns < l->due_ns)
		return false;
	if (!l->asked) {
		l->asked = true;
		l->asked_ns = w->now_ns;
		read_all(w);
		return true;
	}
	if (more && w->now_ns < l->asked_ns + LACP_LATE_NS)
		return true;
	l->asked = false;
	if (l->on)
		lacp_run(&l->lacp, w->now_ns);
	uplink_lacp_settle(w);
	return false;
}
