/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * teams.c - the teams as data: from /local/domain/0/xenback/team to workers, NICs and link watches,
 * live.
 *
 * One entry a team. A change of its directory is applied as a whole: options at once, members by
 * difference (teams_members.c).
 */
#include "teams_priv.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <uthash.h>

#include "hook.h"
#include "linkwatch.h"
#include "log.h"
#include "stats.h"
#include "util.h"

#define LOG_MODULE "team"

/* What crosses from other threads into ours. */
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

static int mail_minima_room(void *ctx, void *arg)
{
	vifdev_minima_room(ctx);
	return 0;
}

static void on_minima_room(void *ctx)
{
	const struct team_entry *entry = ctx;

	mailbox_post(entry->teams->nb->mail, mail_minima_room, NULL, 0);
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

/* --- teams --- */

static void tell_team(struct teams *teams, const char *name, bool comes)
{
	netback_event(teams->nb, &(struct events_input){.kind = EVENTS_KIND_TEAM,
							.team = name,
							.old = comes ? "absent" : "present",
							.new = comes ? "present" : "absent"});
}

struct options_call {
	struct team_options options;
	bool restarted;
};

static int call_options(void *ctx, void *arg)
{
	struct worker *w = ctx;
	struct options_call *call = arg;

	uplink_drain_keep(w, &call->options);
	team_set_options(&w->team, &call->options, w->now_ns);
	uplink_probe_set(w, &call->options);
	qos_set_options(w, &call->options);
	uplink_announce_set(w, &call->options);
	uplink_lacp_configure(w, call->restarted);
	uplink_drain_set(w);
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
		teams_members_drop(entry, &entry->members[0]);
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
					   .minima_room = on_minima_room,
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
			      teams_members_on_link, entry);
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
	struct probe_options probe;
	const char *why;
	int rc = qos_check_options(options, &why);

	if (rc < 0)
		snprintf(error, error_size, "%s: max_lag=%llu, wake_credit=%llu bytes", why,
			 (unsigned long long)options->max_lag_bytes,
			 (unsigned long long)options->wake_credit_bytes);
	if (rc == 0 && options->max_links && options->min_links > options->max_links) {
		snprintf(error, error_size,
			 "min_links: %llu is more than max_links, %llu: the team would be down",
			 (unsigned long long)options->min_links,
			 (unsigned long long)options->max_links);
		rc = -EINVAL;
	}
	if (rc == 0 && options->event_hook[0] && !hook_name_valid(options->event_hook)) {
		snprintf(error, error_size,
			 "event_hook: \"%s\": allowed is the name of a file in /etc/xenback/hooks: "
			 "letters, digits, '_', '-' and '.', not beginning with a dot",
			 options->event_hook);
		rc = -EINVAL;
	}
	if (rc == 0)
		rc = lacp_options_check(&options->lacp, error, error_size);
	return rc < 0 ? rc : uplink_probe_options(options, &probe, error, error_size);
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
		if (teams_members_apply(entry, &call.options, fresh, error, sizeof(error))) {
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
				teams_members_drop(entry, &entry->members[0]);
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

const char *teams_event_hook(struct teams *teams, const char *name)
{
	const struct team_entry *entry = teams_find(teams, name);

	return entry ? entry->options.event_hook : "";
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
	rc = team_match_init(teams);
	if (rc == 0)
		rc = team_status_init(teams);
	if (rc < 0) {
		team_match_fini(teams);
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
	team_match_fini(teams);
	free(teams);
}
