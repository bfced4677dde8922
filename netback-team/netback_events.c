/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netback_events.c - the daemon's ring of events (events.h): fed by the parts of the control
 * thread, shown by the command `events`, mirrored in xenstore.
 *
 * The mirror is status/events: the last MIRROR_SLOTS entries as JSON, each in the node of its
 * number modulo MIRROR_SLOTS, and `last`, the newest number. It is written at most once a second.
 */
#include "netback.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ctl.h"
#include "events.h"
#include "hook.h"
#include "log.h"
#include "util.h"

#define LOG_MODULE "events"

#define MIRROR_PATH  KEYS_BASE "status/events"
#define MIRROR_SLOTS 16u
#define MIRROR_USEC  1000000u

struct netback_events {
	struct netback *nb;
	struct events ring;
	uint64_t start_us; /**< tells a follower that numbers began anew */
	uint64_t mirrored; /**< last number in the store */
	bool armed;
	sd_event_source *timer;
};

static uint64_t now_us(const struct netback *nb)
{
	uint64_t us = 0;

	sd_event_now(nb->app->event, CLOCK_REALTIME, &us);
	return us;
}

static json_t *entry_to_json(const struct events_entry *entry)
{
	json_t *json =
		json_pack("{s:I, s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "number",
			  (json_int_t)entry->number, "time_us", (json_int_t)entry->time_us,
			  "severity", events_severity_name(entry->severity), "kind",
			  events_kind_name(entry->kind), "team", entry->team, "who", entry->who,
			  "old", entry->old, "new", entry->new, "why", entry->why);

	if (entry->count > 1)
		json_object_set_new(json, "count", json_integer((json_int_t)entry->count));
	if (entry->left_out)
		json_object_set_new(json, "left_out", json_integer((json_int_t)entry->left_out));
	return json;
}

static int on_mirror(sd_event_source *source, uint64_t usec, void *ctx)
{
	struct netback_events *events = ctx;
	struct confstore *conf = events->nb->conf;
	const struct events_entry *entry;
	AUTO_FREE char *last = xb_asprintf("%" PRIu64, events->ring.n);

	events->armed = false;
	if (events->ring.n > MIRROR_SLOTS)
		events->mirrored = MAX(events->mirrored, events->ring.n - MIRROR_SLOTS);
	while ((entry = events_next(&events->ring, events->mirrored))) {
		AUTO_FREE char *path = xb_asprintf(MIRROR_PATH "/%u",
						   (unsigned int)(entry->number % MIRROR_SLOTS));
		json_t *json = entry_to_json(entry);
		AUTO_FREE char *text = json_dumps(json, JSON_COMPACT);

		confstore_put(conf, path, text);
		events->mirrored = entry->number;
		json_decref(json);
	}
	confstore_put(conf, MIRROR_PATH "/last", last);
	return 0;
}

int netback_events_create(struct netback *nb)
{
	struct netback_events *events = xb_calloc(1, sizeof(*events));
	int rc;

	nb->events = events;
	events->nb = nb;
	events->start_us = now_us(nb);
	events_init(&events->ring);
	rc = sd_event_add_time_relative(nb->app->event, &events->timer, CLOCK_MONOTONIC, 0, 1000,
					on_mirror, events);
	if (rc >= 0)
		rc = sd_event_source_set_enabled(events->timer, SD_EVENT_OFF);
	return rc < 0 ? rc : 0;
}

void netback_events_destroy(struct netback *nb)
{
	if (!nb->events)
		return;
	sd_event_source_disable_unref(nb->events->timer);
	free(nb->events);
	nb->events = NULL;
}

/* The newest event, to the program that its team has for it. */
static void tell_hook(struct netback_events *events, const char *team)
{
	const char *program =
		team && events->nb->teams ? teams_event_hook(events->nb->teams, team) : "";
	const struct events_entry *entry = events_next(&events->ring, events->ring.n - 1);
	AUTO_FREE char *text = NULL;
	json_t *json;
	int rc;

	if (!program[0])
		return;
	json = entry_to_json(entry);
	text = json_dumps(json, JSON_COMPACT);
	rc = events->nb->hook ? hook_run(events->nb->hook, program, text) : -ENOSYS;
	if (rc < 0)
		log_warn("%s: event_hook %s: not run: %s", team, program, strerror(-rc));
	json_decref(json);
}

void netback_event(struct netback *nb, const struct events_input *input)
{
	struct netback_events *events = nb->events;

	if (!events_add(&events->ring, input, now_us(nb)))
		return;
	tell_hook(events, input->team);
	if (events->armed)
		return;
	events->armed = true;
	sd_event_source_set_time_relative(events->timer, MIRROR_USEC);
	sd_event_source_set_enabled(events->timer, SD_EVENT_ONESHOT);
}

void netback_event_keys(struct netback *nb, const char *team, const char *who,
			const struct key_table *table, const void *old, const void *new)
{
	for (size_t i = 0; i < table->n_keys; i++) {
		const struct key *key = &table->keys[i];
		AUTO_FREE char *before = key_format(key, old);
		AUTO_FREE char *after = key_format(key, new);
		AUTO_FREE char *name = NULL;

		if (!strcmp(before, after))
			continue;
		name = who ? xb_asprintf("%s %s", who, key->name) : xb_strdup(key->name);
		netback_event(nb, &(struct events_input){.kind = EVENTS_KIND_CONFIG,
							 .team = team,
							 .who = name,
							 .old = before,
							 .new = after});
	}
}

void netback_set_error(struct netback *nb, const char *dir, const char *team, const char *who,
		       const char *error)
{
	if (!confstore_set_error(nb->conf, dir, error))
		return;
	netback_event(nb, &(struct events_input){.severity = error ? EVENTS_ERR : EVENTS_INFO,
						 .kind = EVENTS_KIND_ERROR,
						 .team = team,
						 .who = who,
						 .old = error ? "" : "refused",
						 .new = error ? "refused" : "valid",
						 .why = error});
}

static int cmd_events(void *ctx, json_t *args, json_t **result, char error[CTL_ERROR_MAX])
{
	struct netback *nb = ctx;
	const struct netback_events *events = nb->events;
	json_int_t after = 0, since_ms = 0;
	const struct events_entry *entry;
	json_t *list;
	uint64_t last, from_us = 0;

	if (json_unpack(args, "{s?I, s?I}", "after", &after, "since_ms", &since_ms) < 0 ||
	    after < 0 || since_ms < 0) {
		snprintf(error, CTL_ERROR_MAX,
			 "after (a number of an event) and since_ms are numbers from 0");
		return -EINVAL;
	}
	if (since_ms && (uint64_t)since_ms < now_us(nb) / 1000)
		from_us = now_us(nb) - (uint64_t)since_ms * 1000;
	list = json_array();
	for (last = (uint64_t)after; (entry = events_next(&events->ring, last));
	     last = entry->number)
		if (entry->time_us >= from_us)
			json_array_append_new(list, entry_to_json(entry));
	*result = json_pack("{s:I, s:I, s:o}", "start_us", (json_int_t)events->start_us, "last",
			    (json_int_t)events->ring.n, "events", list);
	return 0;
}

void netback_events_register(struct netback *nb)
{
	ctl_register(nb->app->ctl, "events",
		     "{[after], [since_ms]}: what happened, after event number `after`, in the "
		     "last since_ms",
		     cmd_events, nb);
}
