/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * teams.c - the teams as data: from /local/domain/0/xenback/team to workers, NICs and link watches,
 * live.
 *
 * One entry a team. A change of its directory is applied as a whole: options at once, members by
 * difference. A NIC that may not join (enslaved, in another team, carries the host's address) is
 * refused with its reason; one that does not exist yet joins when it appears. A NIC that vanished
 * is opened again when link watch sees it return.
 */
#include "teams_priv.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <uthash.h>

#include "linkwatch.h"
#include "log.h"
#include "stats.h"
#include "util.h"

#define LOG_MODULE "team"

/* What crosses from other threads into ours. */
struct link_letter {
	char team[TEAM_NAME_MAX];
	struct link_state state;
};
struct team_letter {
	char team[TEAM_NAME_MAX];
	enum events_kind kind;
	bool bad;
	char who[TEAM_NAME_MAX], old[TEAM_NAME_MAX], new[TEAM_NAME_MAX], why[EVENTS_WHY_MAX];
};
struct vif_letter {
	struct vif *vif;
	uint16_t domid;
	uint32_t devid;
	const char *why;
};

static struct member_entry *find_member(struct team_entry *entry, const char *name)
{
	for (unsigned int i = 0; i < entry->n_members; i++)
		if (strcmp(entry->members[i].name, name) == 0)
			return &entry->members[i];
	return NULL;
}

/* --- lookup --- */

struct team_entry *teams_find(struct teams *teams, const char *name)
{
	struct team_entry *entry;

	HASH_FIND_STR(teams->entries, name, entry);
	return entry;
}

/* --- from the worker's thread --- */

static int mail_vif_failed(void *ctx, void *arg)
{
	struct vif_letter *letter = arg;

	vifdev_failed(ctx, letter->domid, letter->devid, letter->vif, letter->why);
	return 0;
}

static int mail_team_changed(void *ctx, void *arg)
{
	struct team_letter *letter = arg;
	struct netback *nb = ctx;
	struct team_entry *entry = teams_find(nb->teams, letter->team);

	netback_event(nb,
		      &(struct events_input){.severity = letter->bad ? EVENTS_WARN : EVENTS_INFO,
					     .kind = letter->kind,
					     .team = letter->team,
					     .who = letter->who,
					     .old = letter->old,
					     .new = letter->new,
					     .why = letter->why});
	if (entry)
		team_status_dirty(entry);
	return 0;
}

static void on_vif_failed(void *ctx, struct vif *vif, const char *why)
{
	struct team_entry *entry = ctx;
	struct vif_letter letter = {vif, vif->config.domid, vif->config.devid, why};

	mailbox_post(entry->teams->nb->mail, mail_vif_failed, &letter, sizeof(letter));
}

static void on_team_changed(void *ctx, const struct worker_change *change)
{
	struct team_entry *entry = ctx;
	struct team_letter letter = {.kind = change->kind, .bad = change->bad};

	snprintf(letter.team, sizeof(letter.team), "%s", entry->name);
	snprintf(letter.who, sizeof(letter.who), "%s", change->who);
	snprintf(letter.old, sizeof(letter.old), "%s", change->old);
	snprintf(letter.new, sizeof(letter.new), "%s", change->new);
	snprintf(letter.why, sizeof(letter.why), "%s", change->why ? change->why : "");
	mailbox_post(entry->teams->nb->mail, mail_team_changed, &letter, sizeof(letter));
}

/* --- members --- */

struct nic_call {
	struct member_entry *member;
	bool id_taken; /* see uplink_lacp.h */
	struct nic *nic;
	struct uplink_stats *stats;
};

static int call_add(void *ctx, void *arg)
{
	struct worker *w = ctx;
	struct nic_call *call = arg;
	int i;

	w->lacp.id_taken = call->id_taken;
	i = uplink_add(w, call->member->name, call->member->priority, call->nic);
	if (i >= 0)
		call->stats = &w->uplinks[i]->stats;
	return i;
}

static int call_remove(void *ctx, void *arg)
{
	struct nic_call *call = arg;

	return uplink_remove(ctx, call->member->name, &call->nic);
}

static int call_link(void *ctx, void *arg)
{
	struct worker *w = ctx;
	const struct link_state *state = arg;
	int member = team_find(&w->team, state->name);

	if (member < 0)
		return 0;
	if (w->uplinks[member] && w->uplinks[member]->nic && state->mtu)
		w->uplinks[member]->nic->mtu = state->mtu;
	spread_set_speed(&w->team, member,
			 state->speed_mbps > 0 ? (uint64_t)state->speed_mbps * 1000000 : 0);
	w->qos.stale = true;
	uplink_lacp_speed(w, member, state->speed_mbps > 0 ? (uint32_t)state->speed_mbps : 0,
			  state->speed_mbps <= 0 ? LACP_DUPLEX_UNKNOWN
			  : state->full_duplex	 ? LACP_DUPLEX_FULL
						 : LACP_DUPLEX_HALF);
	team_on_link(&w->team, member, state->usable, w->now_ns);
	worker_deadline(w, 0);
	return 0;
}

static void open_nic(struct team_entry *entry, struct member_entry *member)
{
	struct nic_packet_options options = {.netns_fd = entry->netns_fd};
	struct nic_call call = {.member = member};
	char error[256];
	json_t *labels;
	int rc;

	rc = nic_packet_open(&call.nic, member->name, &options, error, sizeof(error));
	if (rc < 0) {
		log_warn("%s: %s", entry->name, error);
		return;
	}
	call.id_taken = teams_lacp_has_id(entry, call.nic->mac);
	rc = worker_call(entry->worker, call_add, &call);
	if (rc < 0) {
		log_err("%s: %s: cannot join: %s", entry->name, member->name, strerror(-rc));
		call.nic->ops->close(call.nic);
		return;
	}
	member->open = true;
	if (!member->group) {
		labels = json_pack("{s:s, s:s}", "team", entry->name, "member", member->name);
		member->group = stats_add(entry->teams->nb->app->stats, "member", labels,
					  uplink_stat_descs, uplink_n_stat_descs, call.stats);
	}
}

/* Runs in our thread, posted by link watch's. */
static int mail_link(void *ctx, void *arg)
{
	struct netback *nb = ctx;
	struct link_letter *letter = arg;
	struct team_entry *entry = teams_find(nb->teams, letter->team);
	struct member_entry *member = entry ? find_member(entry, letter->state.name) : NULL;
	bool again;

	if (!member)
		return 0;
	again = letter->state.ifindex != member->link.ifindex;
	if (letter->state.usable && letter->state.speed_mbps <= 0 && !member->speed_missed)
		log_info("%s: %s: its driver does not tell its speed; the key `speed` counts",
			 entry->name, member->name);
	member->speed_missed |= letter->state.usable && letter->state.speed_mbps <= 0;
	member->link = letter->state;
	if (letter->state.ifindex == 0)
		log_warn("%s: %s: the interface is gone; it joins again when it returns",
			 entry->name, member->name);
	else if (again || !member->open)
		open_nic(entry, member);
	/* What link watch told the worker itself may have come before the member was there. */
	worker_post(entry->worker, call_link, &member->link, sizeof(member->link));
	team_status_dirty(entry);
	return 0;
}

/* Link watch's thread: the team hears it first, then we. */
static void on_link(void *ctx, const struct link_state *state)
{
	struct team_entry *entry = ctx;
	struct link_letter letter = {.state = *state};

	worker_post(entry->worker, call_link, state, sizeof(*state));
	snprintf(letter.team, sizeof(letter.team), "%s", entry->name);
	mailbox_post(entry->teams->nb->mail, mail_link, &letter, sizeof(letter));
}

static const struct team_entry *other_team(const struct team_entry *entry, const char *nic)
{
	struct team_entry *e, *tmp;

	HASH_ITER (hh, entry->teams->entries, e, tmp)
		if (e != entry && find_member(e, nic))
			return e;
	return NULL;
}

/* May this NIC join? "" in refused = yes. In a private namespace: moves it there. */
static void check_member(struct team_entry *entry, struct member_entry *member)
{
	const struct team_entry *other = other_team(entry, member->name);
	int rc;

	member->refused[0] = '\0';
	if (other) {
		snprintf(member->refused, sizeof(member->refused),
			 "%s: already a member of team %s; remove it there first", member->name,
			 other->name);
		return;
	}
	rc = nic_check(member->name, entry->netns_fd, member->refused, sizeof(member->refused));
	if (rc == -ENODEV && entry->netns_fd >= 0) {
		rc = nic_check(member->name, -1, member->refused, sizeof(member->refused));
		if (rc == 0)
			rc = nic_netns_move(member->name, entry->netns_fd);
		if (rc < 0 && rc != -ENODEV && !member->refused[0])
			snprintf(member->refused, sizeof(member->refused),
				 "%s: cannot move to namespace %s: %s", member->name,
				 entry->options.netns, strerror(-rc));
	}
	if (rc == -ENODEV) /* it joins when it appears */
		log_warn("%s: %s", entry->name, member->refused);
	if (rc == 0 || rc == -ENODEV)
		member->refused[0] = '\0';
}

static void tell_membership(struct team_entry *entry, const char *member, bool joins)
{
	netback_event(entry->teams->nb, &(struct events_input){.kind = EVENTS_KIND_MEMBER,
							       .team = entry->name,
							       .who = member,
							       .old = joins ? "absent" : "member",
							       .new = joins ? "member" : "absent"});
}

static void tell_team(struct teams *teams, const char *name, bool comes)
{
	netback_event(teams->nb, &(struct events_input){.kind = EVENTS_KIND_TEAM,
							.team = name,
							.old = comes ? "absent" : "present",
							.new = comes ? "present" : "absent"});
}

void teams_drop_member(struct team_entry *entry, struct member_entry *member)
{
	struct nic_call call = {.member = member};

	linkwatch_remove(entry->linkwatch, member->name);
	if (member->group)
		stats_remove(entry->teams->nb->app->stats, member->group);
	if (member->open)
		worker_call(entry->worker, call_remove, &call);
	if (call.nic)
		call.nic->ops->close(call.nic);
	if (entry->netns_fd >= 0 && !entry->teams->stopping)
		nic_netns_return(member->name, entry->netns_fd);
	log_info("%s: %s left the team", entry->name, member->name);
	tell_membership(entry, member->name, false);
	*member = entry->members[--entry->n_members];
}

/* One that leaves has no time left when its place is needed. */
static void make_room(struct team_entry *entry)
{
	for (unsigned int i = entry->n_members; i-- > 0 && entry->n_members == TEAM_MEMBERS_MAX;)
		if (entry->members[i].leaving)
			teams_drop_member(entry, &entry->members[i]);
}

static void add_member(struct team_entry *entry, const struct member_entry *wanted)
{
	struct member_entry *member;

	make_room(entry);
	member = &entry->members[entry->n_members++];
	*member = *wanted;
	log_info("%s: %s joins, priority %u", entry->name, member->name, member->priority);
	tell_membership(entry, member->name, true);
	linkwatch_add(entry->linkwatch, member->name); /* its first report opens the NIC */
}

/* The wanted members of the key; false and error when a word is no member. */
static bool parse_members(const char *text, struct member_entry *wanted, unsigned int *n,
			  char *error, size_t error_size)
{
	const char *rest = text;
	bool bad = false;

	for (*n = 0; *n < TEAM_MEMBERS_MAX; (*n)++) {
		memset(&wanted[*n], 0, sizeof(wanted[*n]));
		if (!team_members_next(&rest, wanted[*n].name, &wanted[*n].priority, &bad))
			break;
	}
	if (bad)
		snprintf(error, error_size,
			 "members: \"%s\": allowed are interface names (up to 15 letters) with an "
			 "optional "
			 ":PRIORITY of 0 to 255, separated by spaces",
			 text);
	else if (*rest && strspn(rest, " \t") != strlen(rest))
		snprintf(error, error_size, "members: \"%s\": at most %d members", text,
			 TEAM_MEMBERS_MAX);
	else
		return true;
	return false;
}

/* Members by difference. fresh: the team is new, so good members start without the refused ones. */
static bool apply_members(struct team_entry *entry, const char *text, bool fresh, char *error,
			  size_t error_size)
{
	struct member_entry wanted[TEAM_MEMBERS_MAX];
	unsigned int n;

	if (!parse_members(text, wanted, &n, error, error_size))
		return false;
	for (unsigned int i = 0; i < n; i++) {
		if (find_member(entry, wanted[i].name))
			continue;
		check_member(entry, &wanted[i]);
		if (!wanted[i].refused[0])
			continue;
		snprintf(error, error_size, "members: %s", wanted[i].refused);
		if (!fresh)
			return false;
	}
	for (unsigned int m = entry->n_members; m-- > 0;) {
		struct member_entry *member = &entry->members[m];
		const struct member_entry *want = NULL;

		for (unsigned int i = 0; i < n; i++)
			if (strcmp(wanted[i].name, member->name) == 0)
				want = &wanted[i];
		if (want)
			teams_lacp_keep(entry, member, want->priority);
		else
			teams_lacp_release(entry, member);
	}
	for (unsigned int i = 0; i < n; i++)
		if (!wanted[i].refused[0] && !find_member(entry, wanted[i].name))
			add_member(entry, &wanted[i]);
	return true;
}

/* --- teams --- */

struct options_call {
	struct team_options options;
	bool restarted;
};

static int call_options(void *ctx, void *arg)
{
	struct worker *w = ctx;
	struct options_call *call = arg;

	team_set_options(&w->team, &call->options, w->now_ns);
	qos_set_options(w, &call->options);
	announce_set(&w->announce, (unsigned int)call->options.rarp_count,
		     call->options.rarp_interval_ns);
	uplink_lacp_configure(w, call->restarted);
	worker_deadline(w, 0);
	return 0;
}

static int call_hush(void *ctx, void *arg)
{
	uplink_lacp_hush(ctx);
	return 0;
}

static bool valid_name(const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)name[i]) && !strchr("_.-", name[i]))
			return false;
	return n > 0 && n < TEAM_NAME_MAX;
}

static void destroy_entry(struct team_entry *entry)
{
	if (entry->worker && entry->teams->stopping)
		worker_call(entry->worker, call_hush, NULL);
	while (entry->n_members > 0)
		teams_drop_member(entry, &entry->members[0]);
	linkwatch_destroy(entry->linkwatch);
	if (entry->group)
		stats_remove(entry->teams->nb->app->stats, entry->group);
	worker_destroy(entry->worker);
	team_guard_fini(entry);
	if (entry->netns_fd >= 0)
		close(entry->netns_fd);
	HASH_DEL(entry->teams->entries, entry);
	free(entry);
}

static int start_entry(struct team_entry *entry, char *error, size_t error_size)
{
	struct app *app = entry->teams->nb->app;
	struct worker_observer observer = {.vif_failed = on_vif_failed,
					   .team_changed = on_team_changed,
					   .guard = team_guard_on_request,
					   .member_drained = teams_lacp_on_drained,
					   .ctx = entry};
	int rc;

	if (entry->options.netns[0]) {
		entry->netns_fd = nic_netns_open(entry->options.netns);
		if (entry->netns_fd < 0) {
			snprintf(error, error_size, "netns: cannot enter or create \"%s\": %s",
				 entry->options.netns, strerror(-entry->netns_fd));
			return entry->netns_fd;
		}
	}
	rc = worker_create(&entry->worker, app->xen, app->clock, entry->name, &entry->options,
			   &observer, true, error, error_size);
	if (rc < 0)
		return rc;
	rc = linkwatch_create(&entry->linkwatch, entry->netns_fd, entry->options.carrier_poll_ns,
			      on_link, entry);
	if (rc < 0) {
		snprintf(error, error_size, "cannot watch links: %s", strerror(-rc));
		return rc;
	}
	entry->group = stats_add(app->stats, "worker", json_pack("{s:s}", "team", entry->name),
				 worker_stat_descs, worker_n_stat_descs, &entry->worker->stats);
	return 0;
}

static struct team_entry *create_entry(struct teams *teams, const char *name,
				       const struct team_options *options, char *error,
				       size_t error_size)
{
	struct team_entry *entry = xb_calloc(1, sizeof(*entry));

	entry->teams = teams;
	entry->netns_fd = -1;
	entry->options = *options;
	snprintf(entry->name, sizeof(entry->name), "%s", name);
	HASH_ADD_STR(teams->entries, name, entry);
	if (start_entry(entry, error, error_size) < 0) {
		destroy_entry(entry);
		return NULL;
	}
	log_info("%s: team created", name);
	tell_team(teams, name, true);
	return entry;
}

/* Do the options fit together? */
static int check_options(const struct team_options *options, char *error, size_t error_size)
{
	const char *why;
	int rc = qos_check_options(options, &why);

	if (rc < 0)
		snprintf(error, error_size, "%s: max_lag=%llu, wake_credit=%llu bytes", why,
			 (unsigned long long)options->max_lag_bytes,
			 (unsigned long long)options->wake_credit_bytes);
	return rc < 0 ? rc : lacp_options_check(&options->lacp, error, error_size);
}

static void apply_one(struct teams *teams, const char *name, const char *dir)
{
	struct confstore *conf = teams->nb->conf;
	struct team_entry *entry = teams_find(teams, name);
	struct options_call call;
	char error[KEY_ERROR_MAX * 2] = "";
	bool fresh = !entry;
	int rc;

	if (entry)
		entry->seen = true;
	if (!valid_name(name)) {
		netback_set_error(teams->nb, dir, name, "",
				  "a team's name has 1 to 31 letters, digits, '_', '.' or '-'");
		return;
	}
	rc = confstore_read(conf, dir, &team_key_table, &call.options, error);
	if (rc == -EIO)
		return;
	if (rc == 0)
		rc = check_options(&call.options, error, sizeof(error));
	if (rc == 0 && fresh)
		entry = create_entry(teams, name, &call.options, error, sizeof(error));
	if (rc == 0 && entry) {
		entry->seen = true;
		if (apply_members(entry, call.options.members, fresh, error, sizeof(error))) {
			memcpy(call.options.netns, entry->options.netns,
			       sizeof(call.options.netns));
			netback_event_keys(teams->nb, entry->name, NULL, &team_key_table,
					   &entry->options, &call.options);
			entry->options = call.options;
			call.restarted = fresh && teams->restarted;
			worker_call(entry->worker, call_options, &call);
			linkwatch_set_poll(entry->linkwatch, call.options.carrier_poll_ns);
			team_guard_apply(entry, error, sizeof(error));
			team_status_dirty(entry);
		}
	}
	netback_set_error(teams->nb, dir, name, "", error[0] ? error : NULL);
}

static void sweep(struct teams *teams)
{
	struct team_entry *entry, *tmp;

	HASH_ITER (hh, teams->entries, entry, tmp) {
		if (entry->seen)
			continue;
		if (entry->users == 0) {
			log_info("%s: team removed", entry->name);
			tell_team(teams, entry->name, false);
			destroy_entry(entry);
		} else if (entry->n_members > 0) {
			log_warn("%s: removed from the configuration while %u vif(s) use it: its "
				 "members "
				 "are released, the vifs stay without uplink",
				 entry->name, entry->users);
			while (entry->n_members > 0)
				teams_drop_member(entry, &entry->members[0]);
		}
	}
}

void teams_apply(struct teams *teams)
{
	struct confstore *conf = teams->nb->conf;
	struct team_entry *entry, *tmp;
	AUTO_FREE char **names = NULL;
	unsigned int n;

	if (confstore_list(conf, NETBACK_TEAM_PATH, &names, &n) < 0)
		return; /* xenstored is away: everything stays as it is */
	teams->restarted = !teams->nb->backend && teams_lacp_adopts(conf);
	HASH_ITER (hh, teams->entries, entry, tmp)
		entry->seen = false;
	for (unsigned int i = 0; i < n; i++) {
		AUTO_FREE char *dir = xb_asprintf("%s/%s", NETBACK_TEAM_PATH, names[i]);

		apply_one(teams, names[i], dir);
	}
	sweep(teams);
}

struct team_entry *teams_get(struct teams *teams, const char *name)
{
	struct team_entry *entry = teams_find(teams, name);

	if (entry)
		entry->users++;
	return entry;
}

void teams_put(struct team_entry *entry)
{
	entry->users--;
}

struct worker *team_entry_worker(struct team_entry *entry)
{
	return entry->worker;
}

const char *team_entry_name(const struct team_entry *entry)
{
	return entry->name;
}

char *teams_names(const struct teams *teams)
{
	struct team_entry *entry, *tmp;
	char *all = NULL;

	HASH_ITER (hh, teams->entries, entry, tmp) {
		char *longer =
			all ? xb_asprintf("%s, %s", all, entry->name) : xb_strdup(entry->name);

		free(all);
		all = longer;
	}
	return all ? all : xb_strdup("none");
}

int teams_create(struct teams **out, struct netback *nb)
{
	struct teams *teams = xb_calloc(1, sizeof(*teams));
	int rc;

	teams->nb = nb;
	rc = team_status_init(teams);
	if (rc < 0) {
		free(teams);
		return rc;
	}
	*out = teams;
	return 0;
}

void teams_destroy(struct teams *teams)
{
	struct team_entry *entry, *tmp;

	if (!teams)
		return;
	teams->stopping = true; /* NICs stay where our successor looks for them */
	HASH_ITER (hh, teams->entries, entry, tmp)
		destroy_entry(entry);
	sd_event_source_unref(teams->mirror_timer);
	free(teams);
}
