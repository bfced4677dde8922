/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netback_top.c - the command "top": all that changes from second to second, of all teams, members
 * and guests, for few instructions: what `xenbackctl top` and `vm show` are made of.
 *
 * A team's figures are copied in its worker's thread, in one call, and printed in ours.
 */
#include "teams_priv.h"

#include <stdio.h>
#include <string.h>
#include <utlist.h>

#include "ctl.h"
#include "load.h"
#include "policy.h"
#include "qos_report.h"
#include "util.h"

struct top_vif {
	char name[32], member[TEAM_NIC_NAME_MAX];
	uint16_t domid;
	uint32_t devid;
	struct fair_flow_config qos;
	uint64_t tx_bps, rx_bps; /* of the last second, as the schedule counts bytes */
	uint64_t entitled_bps;
	uint64_t waiting_bytes; /* for the guest */
	bool backlog;		/* has frames in its turn */
	bool limited;		/* share lost because its member took nothing */
	struct vif_stats stats;
	struct decide_counts tx_counts, rx_counts;
	uint64_t dropped;
	json_t *drops;
};

struct top_member {
	char name[TEAM_NIC_NAME_MAX];
	const char *state;
	bool active;
	struct uplink_stats stats;
	uint64_t n_errors, n_flaps;
	uint64_t recent_ns, wait_ns; /* sent in the last LOAD_WINDOW_NS; still to send */
	uint64_t rate_bps;
};

struct top_call {
	struct top_vif *vifs;
	unsigned int n_vifs, room;
	struct top_member members[TEAM_MEMBERS_MAX];
	unsigned int n_members;
	uint64_t up_bps, all_bps;
	const char *mode;
};

static void copy_member(const struct worker *w, unsigned int i, struct top_member *to)
{
	const struct team_member *m = &w->team.members[i];
	const struct load *load = &w->team.spread.loads[i];

	snprintf(to->name, sizeof(to->name), "%.15s", m->name);
	to->state = team_member_state_name(m->state);
	to->active = w->team.active == (int)i;
	to->n_errors = m->n_errors;
	to->n_flaps = m->n_flaps;
	to->recent_ns = load_recent_ns(load, w->now_ns);
	to->wait_ns = load_wait_ns(load, 0, w->now_ns);
	to->rate_bps = load->rate_bps;
	if (w->uplinks[i])
		to->stats = w->uplinks[i]->stats;
}

static const char *member_of(const struct worker *w, const struct vif *vif)
{
	int member = vif->pin.seat.member;

	if (policy_get(w->team.options.mode)->single_active && !seat_in(w->team.reserve, member))
		member = w->team.active;
	return member >= 0 && w->team.members[member].used ? w->team.members[member].name : "any";
}

static void copy_vif(const struct worker *w, const struct vif *vif, struct top_vif *to)
{
	struct fair_status status;

	fair_flow_status(w->qos.fair, (uint32_t)vif->port, w->now_ns, &status);
	snprintf(to->name, sizeof(to->name), "%s", vif->config.name);
	snprintf(to->member, sizeof(to->member), "%.15s", member_of(w, vif));
	to->domid = vif->config.domid;
	to->devid = vif->config.devid;
	to->qos = vif->config.qos.tx;
	to->tx_bps = meter_bps(&vif->tx_meter, w->now_ns);
	to->rx_bps = meter_bps(&vif->rx_meter, w->now_ns);
	to->backlog = vif->backlog != NULL;
	to->limited = status.pin_limited;
	to->stats = vif->stats;
	to->tx_counts = vif->tx_counts;
	to->rx_counts = vif->rx_counts;
	for (unsigned int i = 0; i < vif->config.n_queues; i++)
		to->waiting_bytes += vif->queues[i].wait.n_bytes;
	to->drops = vif_drops_to_json(vif, &to->dropped);
}

static int call_top(void *ctx, void *arg)
{
	AUTO_FREE uint64_t *rate = xb_calloc(SWITCH_PORTS_MAX, sizeof(*rate));
	struct worker *w = ctx;
	struct top_call *call = arg;
	const struct vif *vif;

	call->mode = policy_names[w->team.options.mode];
	call->up_bps = w->qos.up_bps;
	call->all_bps = w->qos.all_bps;
	for (unsigned int i = 0; i < TEAM_MEMBERS_MAX; i++)
		if (w->team.members[i].used)
			copy_member(w, i, &call->members[call->n_members++]);
	qos_entitle(w, rate);
	DL_FOREACH (w->vifs, vif) {
		struct top_vif *to = &call->vifs[call->n_vifs];

		if (call->n_vifs == call->room)
			break;
		call->n_vifs++;
		copy_vif(w, vif, to);
		to->entitled_bps = rate[vif->port];
	}
	return 0;
}

static json_t *member_to_json(const struct top_member *m)
{
	return json_pack(
		"{s:s, s:s, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "name",
		m->name, "state", m->state, "active", (int)m->active, "rate_bps",
		(json_int_t)m->rate_bps, "tx_bytes", (json_int_t)m->stats.tx_bytes, "tx_packets",
		(json_int_t)m->stats.tx_packets, "rx_bytes", (json_int_t)m->stats.rx_bytes,
		"rx_packets", (json_int_t)m->stats.rx_packets, "use_percent",
		(json_int_t)(m->recent_ns * 100 / LOAD_WINDOW_NS), "queued_us",
		(json_int_t)(m->wait_ns / 1000), "errors",
		(json_int_t)(m->n_errors + m->stats.tx_errors), "flaps", (json_int_t)m->n_flaps,
		"dropped", (json_int_t)(m->stats.rx_dropped + m->stats.rx_dropped_host));
}

/* Reasons of the schedule that occurred. */
static json_t *reasons_to_json(const struct decide_counts *counts)
{
	json_t *all = json_object();

	for (unsigned int i = 0; i < DECIDE_N_REASONS; i++)
		if (counts->frames[i])
			json_object_set_new(all, decide_name((enum decide_reason)i),
					    json_integer((json_int_t)counts->frames[i]));
	return all;
}

static json_t *vif_to_json(const struct top_vif *v)
{
	json_t *json = json_pack("{s:s, s:i, s:i, s:s, s:i, s:i, s:I, s:I, s:I, s:I, s:b, s:b}",
				 "name", v->name, "domid", (int)v->domid, "devid", (int)v->devid,
				 "member", v->member, "shares", (int)v->qos.shares, "priority",
				 (int)v->qos.priority, "tx_bps", (json_int_t)v->tx_bps, "rx_bps",
				 (json_int_t)v->rx_bps, "entitled_bps", (json_int_t)v->entitled_bps,
				 "waiting_bytes", (json_int_t)v->waiting_bytes, "backlog",
				 (int)v->backlog, "share_limited", (int)v->limited);
	json_t *counters = json_pack(
		"{s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o}", "tx_bytes",
		(json_int_t)v->stats.tx_bytes, "tx_packets", (json_int_t)v->stats.tx_packets,
		"rx_bytes", (json_int_t)v->stats.rx_bytes, "rx_packets",
		(json_int_t)v->stats.rx_packets, "dropped", (json_int_t)v->dropped, "drops",
		v->drops, "tx_reasons", reasons_to_json(&v->tx_counts), "rx_reasons",
		reasons_to_json(&v->rx_counts));

	json_object_update(json, counters);
	json_decref(counters);
	return json;
}

static json_t *team_top(struct team_entry *entry)
{
	AUTO_FREE struct top_vif *vifs = xb_calloc(entry->users + 1, sizeof(*vifs));
	struct top_call call = {.vifs = vifs, .room = entry->users};
	json_t *members = json_array(), *guests = json_array();

	worker_call(entry->worker, call_top, &call);
	for (unsigned int i = 0; i < call.n_members; i++)
		json_array_append_new(members, member_to_json(&call.members[i]));
	for (unsigned int i = 0; i < call.n_vifs; i++)
		json_array_append_new(guests, vif_to_json(&call.vifs[i]));
	return json_pack("{s:s, s:s, s:I, s:I, s:o, s:o}", "name", entry->name, "mode", call.mode,
			 "up_bps", (json_int_t)call.up_bps, "all_bps", (json_int_t)call.all_bps,
			 "members", members, "vifs", guests);
}

static int cmd_top(void *ctx, json_t *args, json_t **result, char error[CTL_ERROR_MAX])
{
	struct netback *nb = ctx;
	struct team_entry *entry, *tmp;

	*result = json_array();
	HASH_ITER (hh, nb->teams->entries, entry, tmp)
		json_array_append_new(*result, team_top(entry));
	return 0;
}

void netback_top_register(struct netback *nb)
{
	ctl_register(nb->app->ctl, "top", "all that changes from second to second", cmd_top, nb);
}
