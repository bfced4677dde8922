/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * team_status.c - what a team looks like: replies for xenbackctl, the read-only mirror in xenstore,
 * failover by hand.
 *
 * The worker owns the team; a snapshot is taken in its thread and printed in ours.
 */
#include "teams_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <utlist.h>

#include "clock.h"
#include "log.h"
#include "policy.h"
#include "util.h"

#define LOG_MODULE  "team"
#define STATUS_PATH "/local/domain/0/xenback/status/team"
#define MIRROR_USEC 100000u /* written at most so often */

struct snapshot {
	struct team team;
	struct uplink_lacp lacp;
	struct probe probe;
	uint64_t n_rarp, n_garp;   /**< announcements that were sent */
	unsigned int n_announcing; /**< that are still to be sent */
	struct uplink_stats stats[TEAM_MEMBERS_MAX];
	struct load rx_loads[TEAM_MEMBERS_MAX];
	uint32_t
		full; /**< bits of members whose queue was full when they were last given a frame */
	uint64_t now_ns;
	struct pin *pins; /**< room for n_pins guests, which becomes their number */
	unsigned int n_pins;
};

static unsigned int copy_pins(const struct worker *w, struct pin *pins, unsigned int room)
{
	const struct pin *pin;
	unsigned int n = 0;

	DL_FOREACH (w->team.spread.pins, pin)
		if (pin_binds(pin) && n < room)
			pins[n++] = *pin;
	return n;
}

static int call_snapshot(void *ctx, void *arg)
{
	struct worker *w = ctx;
	struct snapshot *snap = arg;

	snap->team = w->team;
	snap->lacp = w->lacp;
	snap->probe = w->probe;
	snap->now_ns = w->now_ns;
	snap->n_rarp = w->stats.announced;
	snap->n_garp = w->stats.announced_arp;
	snap->n_announcing = announce_pending(&w->announce);
	snap->n_pins = copy_pins(w, snap->pins, snap->n_pins);
	for (unsigned int i = 0; i < TEAM_MEMBERS_MAX; i++) {
		struct uplink *up = w->uplinks[i];

		memset(&snap->stats[i], 0, sizeof(snap->stats[i]));
		if (!up)
			continue;
		if (up->nic && !up->gone)
			up->stats.rx_dropped_host = up->nic->ops->drops(up->nic);
		snap->stats[i] = up->stats;
		snap->rx_loads[i] = up->rx_load;
		snap->full |= (uint32_t)up->full << i;
	}
	return 0;
}

/* How much of its speed a member used in one direction, over about 1, 10 and 60 s. */
static void add_use(json_t *reply, const char *const names[3], const struct load *load,
		    uint64_t now_ns)
{
	const uint64_t recent_ns = load_recent_ns(load, now_ns);

	json_object_update_new(reply,
			       json_pack("{s:i, s:i, s:i}", names[0],
					 (int)(recent_ns * 100 / LOAD_WINDOW_NS), names[1],
					 (int)load_use_permille(load, 10, now_ns) / 10, names[2],
					 (int)load_use_permille(load, 60, now_ns) / 10));
}

/* What the mode made of its members: buckets in modes that have them, use in all. */
static void add_shares(json_t *reply, const struct snapshot *snap, int i)
{
	static const char *const tx[] = {"tx_use_percent", "tx_use_10s_percent",
					 "tx_use_60s_percent"};
	static const char *const rx[] = {"rx_use_percent", "rx_use_10s_percent",
					 "rx_use_60s_percent"};
	const struct spread *s = &snap->team.spread;
	unsigned int count[TEAM_MEMBERS_MAX];

	add_use(reply, tx, &s->loads[i], snap->now_ns);
	add_use(reply, rx, &snap->rx_loads[i], snap->now_ns);
	json_object_update_new(
		reply, json_pack("{s:I, s:I, s:I}", "speed_used_mbps",
				 (json_int_t)(s->loads[i].rate_bps / 1000000), "weight",
				 (json_int_t)snap->team.members[i].traits.weight, "tx_queued_bytes",
				 (json_int_t)load_queued_bytes(&s->loads[i], snap->now_ns)));
	if (!policy_get(snap->team.options.mode)->by_bucket)
		return;
	bucket_count(&s->map, snap->now_ns, snap->team.options.drain_ns, count);
	json_object_set_new(reply, "buckets", json_integer((json_int_t)count[i]));
}

/* What is known of it beside its link. */
static void add_health(json_t *reply, const struct snapshot *snap, int i)
{
	const struct team_member *m = &snap->team.members[i];
	const struct damp_options *damping = &snap->team.options.damping;
	const struct probe_member *probe = &snap->probe.members[i];

	json_object_set_new(reply, "shortages", json_integer((json_int_t)m->n_shortages));
	json_object_set_new(reply, "full", json_boolean(seat_in(snap->full, i)));
	if (snap->probe.on)
		json_object_update_new(reply,
				       json_pack("{s:s, s:I, s:I}", "probe",
						 !probe->on    ? "no link"
						 : probe->dead ? "missed"
							       : "answered",
						 "probes", (json_int_t)probe->n_sent,
						 "probe_answers", (json_int_t)probe->n_answers));
	if (damping->on)
		json_object_set_new(
			reply, "damping_penalty",
			json_integer((json_int_t)damp_penalty(&m->damp, damping, snap->now_ns)));
}

/* Guests that belong to a reserve member. */
static unsigned int guests_on(const struct snapshot *snap, int i)
{
	unsigned int n = 0;

	for (unsigned int p = 0; p < snap->n_pins; p++)
		n += snap->pins[p].seat.want == i;
	return n;
}

static json_t *member_to_json(const struct member_entry *member, const struct snapshot *snap)
{
	int i = team_find(&snap->team, member->name);
	const struct team_member *m;
	const struct uplink_stats *s;
	json_t *reply;

	if (i < 0)
		return json_pack("{s:s, s:s, s:i, s:b, s:b}", "name", member->name, "state",
				 "absent", "priority", (int)member->priority, "carrier", 0,
				 "active", 0);
	m = &snap->team.members[i];
	s = &snap->stats[i];
	reply = json_pack("{s:s, s:s, s:i, s:b, s:b, s:b, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, "
			  "s:I, s:i, s:i}",
			  "name", member->name, "state", team_member_state_name(m->state),
			  "priority", (int)member->priority, "carrier", (int)member->link.carrier,
			  "admin_up", (int)member->link.admin_up, "active", snap->team.active == i,
			  "reason", m->reason ? m->reason : "", "since_ms",
			  (json_int_t)((snap->now_ns - m->since_ns) / NSEC_PER_MSEC), "tx_packets",
			  (json_int_t)s->tx_packets, "tx_bytes", (json_int_t)s->tx_bytes,
			  "rx_packets", (json_int_t)s->rx_packets, "rx_bytes",
			  (json_int_t)s->rx_bytes, "rx_dropped",
			  (json_int_t)(s->rx_dropped + s->rx_dropped_host), "errors",
			  (json_int_t)m->n_errors, "flaps", (json_int_t)m->n_flaps, "speed_mbps",
			  (int)member->link.speed_mbps, "mtu", (int)member->link.mtu);
	if (m->reserve)
		json_object_set_new(reply, "reserve_for",
				    json_integer((json_int_t)guests_on(snap, i)));
	add_shares(reply, snap, i);
	teams_lacp_add_member(reply, &snap->lacp, (unsigned int)i);
	add_health(reply, snap, i);
	return reply;
}

/* The member of each bucket's next frame, null = none. */
static json_t *map_to_json(const struct team *team, uint64_t now_ns)
{
	const struct bucket_map *map = &team->spread.map;
	json_t *all = json_array();

	for (unsigned int i = 0; i < BUCKETS; i++) {
		const int member = bucket_next(map, i, now_ns, team->options.drain_ns);

		json_array_append_new(all, seat_in(map->usable, member)
						   ? json_string(team->members[member].name)
						   : json_null());
	}
	return all;
}

static json_t *distribution_to_json(const struct snapshot *snap)
{
	const struct team *team = &snap->team;
	const struct policy *policy = policy_get(team->options.mode);
	const struct spread *s = &team->spread;
	unsigned int count[TEAM_MEMBERS_MAX];
	json_t *reply = json_pack("{s:s}", "how", policy->help);

	if (policy->by_flow)
		json_object_update_new(reply,
				       json_pack("{s:I, s:I, s:I}", "frames_non_ip",
						 (json_int_t)s->stats.non_ip, "frames_malformed",
						 (json_int_t)s->stats.malformed, "flowlets",
						 (json_int_t)s->stats.flowlets));
	if (policy->by_bucket)
		json_object_update_new(
			reply,
			json_pack("{s:I, s:I, s:i, s:I, s:i, s:I}", "bucket_moves",
				  (json_int_t)s->map.n_moves, "buckets_rebalanced",
				  (json_int_t)s->stats.rebalanced, "buckets_waiting",
				  (int)bucket_count(&s->map, snap->now_ns, team->options.drain_ns,
						    count),
				  "sessions_placed", (json_int_t)s->stats.sessions, "sessions_open",
				  (int)sticky_count(&s->sticky, team->options.sticky_age_ns,
						    snap->now_ns),
				  "sessions_by_hash", (json_int_t)s->stats.sessions_by_hash));
	if (policy->by_bucket)
		json_object_set_new(reply, "bucket_map", map_to_json(team, snap->now_ns));
	json_object_set_new(reply, "guests_repinned", json_integer((json_int_t)s->stats.repinned));
	return reply;
}

static const char *member_name(const struct team *team, int member)
{
	return member >= 0 && team->members[member].used ? team->members[member].name : "any";
}

/* Guests that are bound to members: to which one now, and why. */
static json_t *guests_to_json(const struct snapshot *snap)
{
	const struct team *team = &snap->team;
	const bool counts = !policy_get(team->options.mode)->single_active;
	json_t *all = json_array();

	for (unsigned int i = 0; i < snap->n_pins; i++) {
		const struct pin *pin = &snap->pins[i];
		const bool told = counts || pin->reach != PIN_NORMAL;
		char list[PIN_LIST_MAX + 1] = "";

		for (unsigned int n = 0; n < pin->n_members; n++) {
			strncat(list, n ? " " : "", sizeof(list) - strlen(list) - 1);
			strncat(list, pin->members[n], sizeof(list) - strlen(list) - 1);
		}
		json_array_append_new(
			all,
			json_pack("{s:s, s:s, s:s, s:s, s:b, s:I, s:s}", "vif", pin->name, "member",
				  told ? member_name(team, pin->seat.member) : "any", "belongs",
				  told ? member_name(team, pin->seat.want) : "any", "pin", list,
				  "confine", (int)pin->confine, "moves", (json_int_t)pin->n_moves,
				  "why", told ? pin->why : "this mode has one active member"));
	}
	return all;
}

static json_t *options_to_json(const struct team_options *options)
{
	json_t *all = json_object();

	for (size_t i = 0; i < team_key_table.n_keys; i++) {
		AUTO_FREE char *value = key_format(&team_key_table.keys[i], options);

		json_object_set_new(all, team_key_table.keys[i].name, json_string(value));
	}
	return all;
}

json_t *team_to_json(struct team_entry *entry)
{
	AUTO_FREE struct snapshot *snap = xb_calloc(1, sizeof(*snap));
	AUTO_FREE struct pin *pins = xb_calloc(entry->users + 1, sizeof(*pins));
	AUTO_FREE char *error_path = xb_asprintf("%s/%s/error", NETBACK_TEAM_PATH, entry->name);
	AUTO_FREE char *error = confstore_get(entry->teams->nb->conf, error_path);
	json_t *members = json_array(), *reply;
	const char *active = "none";
	bool up = false;

	snap->pins = pins;
	snap->n_pins = entry->users;
	worker_call(entry->worker, call_snapshot, snap);
	for (unsigned int i = 0; i < entry->n_members; i++)
		json_array_append_new(members, member_to_json(&entry->members[i], snap));
	if (snap->team.active >= 0) {
		active = snap->team.members[snap->team.active].name;
		up = true;
	}
	reply = json_pack("{s:s, s:s, s:s, s:s, s:o, s:i, s:o}", "name", entry->name, "mode",
			  policy_names[entry->options.mode], "active", active, "state",
			  up ? "up" : "down", "members", members, "vifs", (int)entry->users,
			  "options", options_to_json(&entry->options));
	json_object_set_new(reply, "distribution", distribution_to_json(snap));
	json_object_set_new(reply, "announced",
			    json_pack("{s:I, s:I, s:i}", "rarp", (json_int_t)snap->n_rarp, "garp",
				      (json_int_t)snap->n_garp, "pending",
				      (int)snap->n_announcing));
	if (snap->n_pins)
		json_object_set_new(reply, "guests", guests_to_json(snap));
	if (error)
		json_object_set_new(reply, "error", json_string(error));
	return reply;
}

void teams_foreach(struct teams *teams, void (*fn)(void *ctx, struct team_entry *entry), void *ctx)
{
	struct team_entry *entry, *tmp;

	HASH_ITER (hh, teams->entries, entry, tmp)
		fn(ctx, entry);
}

json_t *teams_to_json(struct teams *teams)
{
	struct team_entry *entry, *tmp;
	json_t *all = json_array();

	HASH_ITER (hh, teams->entries, entry, tmp)
		json_array_append_new(all, team_to_json(entry));
	return all;
}

static int call_failover(void *ctx, void *arg)
{
	struct worker *w = ctx;
	const char *name = arg;
	int member = name[0] ? team_find(&w->team, name) : -1;

	if (name[0] && member < 0)
		return -EINVAL;
	worker_deadline(w, 0);
	return team_failover(&w->team, member, w->now_ns);
}

int team_entry_failover(struct team_entry *entry, const char *member, char *error,
			size_t error_size)
{
	int rc = worker_call(entry->worker, call_failover, (void *)member);

	if (rc == -ENETDOWN)
		snprintf(error, error_size,
			 "team %s: %s is not usable now; `team show %s` says why", entry->name,
			 member[0] ? member : "no other member", entry->name);
	else if (rc == -EPERM)
		snprintf(error, error_size,
			 "team %s: %s is a reserve member: `dos failover VIF` moves a guest to it",
			 entry->name, member);
	else if (rc < 0)
		snprintf(error, error_size, "team %s: \"%s\" is not one of its members",
			 entry->name, member);
	return rc;
}

static int call_may_drain(void *ctx, void *arg)
{
	struct worker *w = ctx;
	const int member = team_find(&w->team, arg);

	if (member < 0)
		return -EINVAL;
	return w->team.fit == 1u << member ? -EBUSY : 0;
}

int team_entry_may_drain(struct team_entry *entry, const char *member, char *error,
			 size_t error_size)
{
	int rc = worker_call(entry->worker, call_may_drain, (void *)member);

	if (rc == -EBUSY)
		snprintf(error, error_size,
			 "team %s: %s is its only usable member: its guests would be cut off. "
			 "`team set %s drained %s` does it nevertheless",
			 entry->name, member, entry->name, member);
	else if (rc < 0)
		snprintf(error, error_size, "team %s: \"%s\" is not one of its members",
			 entry->name, member);
	return rc;
}

static void put(struct confstore *conf, const char *team, const char *key, const char *value)
{
	AUTO_FREE char *path = xb_asprintf("%s/%s/%s", STATUS_PATH, team, key);

	confstore_put(conf, path, value);
}

static void mirror(struct team_entry *entry)
{
	AUTO_FREE struct snapshot *snap = xb_calloc(1, sizeof(*snap));
	struct confstore *conf = entry->teams->nb->conf;
	const struct team *team = &snap->team;

	worker_call(entry->worker, call_snapshot, snap);
	put(conf, entry->name, "active",
	    team->active >= 0 ? team->members[team->active].name : "none");
	for (unsigned int i = 0; i < entry->n_members; i++) {
		AUTO_FREE char *key = xb_asprintf("member/%s", entry->members[i].name);
		int m = team_find(team, entry->members[i].name);

		put(conf, entry->name, key,
		    m < 0 ? "absent" : team_member_state_name(team->members[m].state));
	}
}

static int on_mirror(sd_event_source *source, uint64_t usec, void *ctx)
{
	struct teams *teams = ctx;
	struct team_entry *entry, *tmp;

	HASH_ITER (hh, teams->entries, entry, tmp) {
		if (!entry->dirty)
			continue;
		entry->dirty = false;
		mirror(entry);
	}
	return 0;
}

int team_status_init(struct teams *teams)
{
	int rc = sd_event_add_time_relative(teams->nb->app->event, &teams->mirror_timer,
					    CLOCK_MONOTONIC, 0, 1000, on_mirror, teams);

	return rc < 0 ? rc : 0;
}

void team_status_dirty(struct team_entry *entry)
{
	if (!entry->dirty) {
		sd_event_source_set_time_relative(entry->teams->mirror_timer, MIRROR_USEC);
		sd_event_source_set_enabled(entry->teams->mirror_timer, SD_EVENT_ONESHOT);
	}
	entry->dirty = true;
}
