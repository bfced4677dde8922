/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * teams_lacp.c - LACP as the control thread sees it: replies, members that leave a team without
 * losing a frame, ids that two teams must not share, and whether a predecessor's aggregations are
 * taken over.
 */
#include "teams_priv.h"

#include <stdio.h>
#include <string.h>

#include "log.h"
#include "policy.h"
#include "util.h"

#define LOG_MODULE   "team"
#define BACKEND_PATH "/local/domain/0/backend/vif"

/* --- a predecessor --- */

static bool is_connected(struct confstore *conf, const char *domid, const char *devid)
{
	AUTO_FREE char *path = xb_asprintf("%s/%s/%s/state", BACKEND_PATH, domid, devid);
	AUTO_FREE char *state = confstore_get(conf, path);

	return state && strcmp(state, "4") == 0; /* XenbusStateConnected */
}

bool teams_lacp_adopts(struct confstore *conf)
{
	AUTO_FREE char **domids = NULL;
	unsigned int n_domids, n_devids;

	if (confstore_list(conf, BACKEND_PATH, &domids, &n_domids) < 0)
		return false;
	for (unsigned int i = 0; i < n_domids; i++) {
		AUTO_FREE char *dir = xb_asprintf("%s/%s", BACKEND_PATH, domids[i]);
		AUTO_FREE char **devids = NULL;

		if (confstore_list(conf, dir, &devids, &n_devids) < 0)
			return false;
		for (unsigned int j = 0; j < n_devids; j++)
			if (is_connected(conf, domids[i], devids[j]))
				return true;
	}
	return false;
}

/* --- members that leave, or stay --- */

struct drain_call {
	const char *name;
	bool on;
};

static int call_drain(void *ctx, void *arg)
{
	struct worker *w = ctx;
	const struct drain_call *call = arg;
	int member = team_find(&w->team, call->name);

	if (member >= 0)
		uplink_lacp_drain(w, member, call->on);
	return 0;
}

void teams_lacp_release(struct team_entry *entry, struct member_entry *member)
{
	struct drain_call call = {member->name, true};

	if (!member->open || member->reserve || !policy_get(entry->options.mode)->lacp) {
		teams_members_drop(entry, member);
		return;
	}
	if (member->leaving)
		return;
	log_info("%s: %s leaves the team once it is drained", entry->name, member->name);
	member->leaving = true;
	worker_call(entry->worker, call_drain, &call);
}

static int call_priority(void *ctx, void *arg)
{
	struct worker *w = ctx;
	const struct member_entry *member = arg;
	int i = team_find(&w->team, member->name);

	if (i < 0)
		return i;
	team_set_priority(&w->team, i, member->priority, w->now_ns);
	uplink_lacp_touch(w);
	return 0;
}

void teams_lacp_keep(struct team_entry *entry, struct member_entry *member, uint8_t priority)
{
	struct drain_call call = {member->name, false};

	if (member->leaving) {
		log_info("%s: %s stays in the team", entry->name, member->name);
		member->leaving = false;
		worker_call(entry->worker, call_drain, &call);
	}
	if (member->priority == priority)
		return;
	log_info("%s: %s: priority %u -> %u", entry->name, member->name, member->priority,
		 priority);
	member->priority = priority;
	if (member->open)
		worker_call(entry->worker, call_priority, member);
}

struct drained_letter {
	char team[TEAM_NAME_MAX], member[TEAM_NAME_MAX];
};

static int mail_drained(void *ctx, void *arg)
{
	const struct drained_letter *letter = arg;
	struct netback *nb = ctx;
	struct team_entry *entry = teams_find(nb->teams, letter->team);

	for (unsigned int i = 0; entry && i < entry->n_members; i++) {
		struct member_entry *member = &entry->members[i];

		if (!member->leaving || strcmp(member->name, letter->member) != 0)
			continue;
		teams_members_drop(entry, member);
		teams_apply(nb->teams); /* another team may have been waiting for it */
		return 0;
	}
	return 0;
}

void teams_lacp_on_drained(void *ctx, const char *member)
{
	struct team_entry *entry = ctx;
	struct drained_letter letter;

	snprintf(letter.team, sizeof(letter.team), "%s", entry->name);
	snprintf(letter.member, sizeof(letter.member), "%s", member);
	mailbox_post(entry->teams->nb->mail, mail_drained, &letter, sizeof(letter));
}

/* --- ids --- */

struct id_call {
	const uint8_t *mac;
	bool found;
};

static int call_id(void *ctx, void *arg)
{
	const struct uplink_lacp *l = &((struct worker *)ctx)->lacp;
	struct id_call *call = arg;

	call->found |= l->on && memcmp(l->lacp.config.system, call->mac, 6) == 0;
	return 0;
}

bool teams_lacp_has_id(const struct team_entry *but, const uint8_t mac[6])
{
	struct id_call call = {mac, false};
	struct team_entry *entry, *tmp;

	HASH_ITER (hh, but->teams->entries, entry, tmp)
		if (entry != but)
			worker_call(entry->worker, call_id, &call);
	return call.found;
}

/* --- replies --- */

void teams_lacp_add_member(json_t *reply, const struct uplink_lacp *lacp, unsigned int member)
{
	if (!lacp->on || !(lacp->n_told >> member & 1))
		return;
	json_object_set_new(reply, "lacp",
			    json_string(lacp_mux_name(lacp->lacp.ports[member].mux)));
}

static json_t *end_to_json(const struct lacp_info *end)
{
	char state[LACP_STATE_TEXT], system[18], octet[5];
	const uint8_t *s = end->system;

	lacp_state_format(state, end->state);
	snprintf(octet, sizeof(octet), "0x%02x", end->state);
	snprintf(system, sizeof(system), "%02x:%02x:%02x:%02x:%02x:%02x", s[0], s[1], s[2], s[3],
		 s[4], s[5]);
	return json_pack("{s:i, s:s, s:i, s:i, s:i, s:s, s:s}", "system_priority",
			 (int)end->system_priority, "system", system, "key", (int)end->key,
			 "port_priority", (int)end->port_priority, "port", (int)end->port,
			 "state_octet", octet, "state", state);
}

static json_t *counters_to_json(const struct lacp_counters *c)
{
	const struct {
		const char *name;
		uint64_t value;
	} rows[] = {
		{"pdu_tx", c->n_pdu_tx},
		{"pdu_rx", c->n_pdu_rx},
		{"bad", c->n_bad},
		{"unknown", c->n_unknown},
		{"ignored", c->n_ignored},
		{"tx_errors", c->n_tx_errors},
		{"marker_tx", c->n_marker_tx},
		{"marker_rx", c->n_marker_rx},
		{"response_tx", c->n_response_tx},
		{"response_rx", c->n_response_rx},
		{"response_missed", c->n_response_missed},
		{"expired", c->n_expired},
		{"defaulted", c->n_defaulted},
		{"moved", c->n_moved},
		{"churn_actor", c->n_churn[0]},
		{"churn_partner", c->n_churn[1]},
	};
	json_t *all = json_object();

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		json_object_set_new(all, rows[i].name, json_integer((json_int_t)rows[i].value));
	return all;
}

static json_t *port_to_json(const char *member, const struct lacp_port_status *s)
{
	json_t *partner = end_to_json(&s->partner);

	json_object_set_new(partner, "made_up", json_boolean(s->partner_default));
	return json_pack(
		"{s:s, s:s, s:I, s:s, s:I, s:s, s:i, s:b, s:b, s:b, s:i, s:b, s:b, s:b, s:s, s:s, "
		"s:s, s:s, s:o, s:o, s:o}",
		"member", member, "mux", lacp_mux_name(s->mux), "mux_since_ms",
		(json_int_t)(s->mux_ns / NSEC_PER_MSEC), "receive", lacp_rx_name(s->rx),
		"receive_since_ms", (json_int_t)(s->rx_ns / NSEC_PER_MSEC), "selected",
		lacp_selected_name(s->selected), "aggregator", s->aggregator, "active",
		(int)s->active, "ready", (int)s->ready, "carrier", (int)s->carrier, "speed_mbps",
		(int)s->mbps, "speed_assumed", (int)s->mbps_assumed, "individual",
		(int)s->individual, "loopback", (int)s->loopback, "drain",
		lacp_drain_name(s->drain), "churn_actor", lacp_churn_name(s->churn[0]),
		"churn_partner", lacp_churn_name(s->churn[1]), "reason", s->reason, "actor",
		end_to_json(&s->actor), "partner", partner, "counters",
		counters_to_json(&s->counters));
}

struct lacp_snapshot {
	struct uplink_lacp lacp;
	char names[TEAM_MEMBERS_MAX][TEAM_NAME_MAX];
	uint64_t now_ns;
};

static int call_snapshot(void *ctx, void *arg)
{
	const struct worker *w = ctx;
	struct lacp_snapshot *snap = arg;

	snap->lacp = w->lacp;
	snap->now_ns = w->now_ns;
	for (unsigned int i = 0; i < TEAM_MEMBERS_MAX; i++)
		memcpy(snap->names[i], w->team.members[i].name, TEAM_NAME_MAX);
	return 0;
}

static json_t *team_to_lacp(const struct team_entry *entry)
{
	AUTO_FREE struct lacp_snapshot *snap = xb_calloc(1, sizeof(*snap));
	const struct lacp *lacp = &snap->lacp.lacp;
	struct lacp_port_status status;
	json_t *ports = json_array(), *reply;

	worker_call(entry->worker, call_snapshot, snap);
	for (unsigned int i = 0; i < TEAM_MEMBERS_MAX && snap->lacp.on; i++)
		if (lacp_port_status(lacp, i, snap->now_ns, &status) == 0)
			json_array_append_new(ports, port_to_json(snap->names[i], &status));
	reply = json_pack("{s:s, s:s, s:s, s:i, s:I, s:o}", "team", entry->name, "mode",
			  lacp_mode_names[entry->options.lacp.mode], "rate",
			  lacp_rate_names[entry->options.lacp.rate], "active_aggregator",
			  snap->lacp.on ? lacp->active : -1, "active_changes",
			  (json_int_t)lacp->n_active_changes, "ports", ports);
	return reply;
}

json_t *teams_lacp_to_json(struct teams *teams, const struct team_entry *only)
{
	struct team_entry *entry, *tmp;
	json_t *all = json_array();

	HASH_ITER (hh, teams->entries, entry, tmp)
		if (policy_get(entry->options.mode)->lacp && (!only || only == entry))
			json_array_append_new(all, team_to_lacp(entry));
	return all;
}
