/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * team_match.c - which interfaces the keys `members` and `reserve_members` mean: names, and
 * patterns (member_word.h) of interfaces that may appear at any time.
 *
 * Patterns are matched with the interfaces of our namespace and of the team's private one. When the
 * kernel tells of an interface that no team has, and some team has patterns, the configuration is
 * applied again after MATCH_USEC: by then udev has given it its name. What a pattern finds and may
 * not join (it carries an address of the host, is enslaved, belongs to another team) is left alone:
 * only those who name an interface hear why it cannot join.
 */
#include "teams_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "member_word.h"
#include "nic_names.h"
#include "util.h"

#define LOG_MODULE "team"
#define MATCH_USEC 200000u

static const struct team_entry *other_owner(const struct team_entry *entry, const char *nic)
{
	struct team_entry *e, *tmp;

	HASH_ITER (hh, entry->teams->entries, e, tmp)
		for (unsigned int i = 0; i < e->n_members; i++)
			if (e != entry && !strcmp(e->members[i].name, nic))
				return e;
	return NULL;
}

static bool is_wanted(const struct member_entry *wanted, unsigned int n, const char *nic)
{
	for (unsigned int i = 0; i < n; i++)
		if (!strcmp(wanted[i].name, nic))
			return true;
	return false;
}

static bool is_member(const struct team_entry *entry, const char *nic)
{
	return is_wanted(entry->members, entry->n_members, nic);
}

/* May a pattern take this interface? One that is ours already stays. */
static bool may_take(const struct team_entry *entry, const struct nic_name *nic)
{
	char why[256];

	if (is_member(entry, nic->id.name))
		return true;
	if (other_owner(entry, nic->id.name))
		return false;
	if (nic_check(nic->id.name, nic->netns_fd, why, sizeof(why)) == 0)
		return true;
	log_debug("%s: not taken by a pattern: %s", entry->name, why);
	return false;
}

/* What a word makes of a member, but for its name. */
static bool take_word(const struct member_word *word, bool reserve, struct member_entry *m,
		      char error[KEY_ERROR_MAX])
{
	char text[MEMBER_TRAITS_MAX], *save;

	memset(m, 0, sizeof(*m));
	m->priority = word->priority;
	m->reserve = reserve;
	keys_set_defaults(&member_key_table, &m->traits);
	memcpy(text, word->traits, sizeof(text));
	for (char *p = strtok_r(text, "/", &save); p; p = strtok_r(NULL, "/", &save)) {
		char *value = strchr(p, '=');

		*value++ = '\0';
		if (key_set(&member_key_table, &m->traits, p, value, error) < 0)
			return false;
	}
	return true;
}

static void take_matches(const struct team_entry *entry, const struct member_word *word,
			 bool reserve, const struct nic_name *nics, unsigned int n_nics,
			 struct member_entry *wanted, unsigned int *n)
{
	char error[KEY_ERROR_MAX];

	for (unsigned int i = 0; i < n_nics && *n < TEAM_MEMBERS_MAX; i++) {
		const struct nic_name *nic = &nics[i];
		struct member_entry *m = &wanted[*n];

		if (!member_word_matches(word, &nic->id) || is_wanted(wanted, *n, nic->id.name) ||
		    !may_take(entry, nic))
			continue;
		if (!take_word(word, reserve, m, error))
			return; /* take_names said so */
		snprintf(m->name, sizeof(m->name), "%s", nic->id.name);
		m->matched = true;
		(*n)++;
	}
}

/* One of the two keys. */
struct member_text {
	const char *key, *words;
	bool reserve;
};

static bool take_name(const struct member_text *text, const struct member_word *word,
		      const struct member_entry *made, struct member_entry *wanted, unsigned int *n,
		      char *error, size_t error_size)
{
	struct member_entry *m = &wanted[*n];

	if (*n == TEAM_MEMBERS_MAX) {
		snprintf(error, error_size, "%s: \"%s\": at most %d members", text->key,
			 text->words, TEAM_MEMBERS_MAX);
		return false;
	}
	for (unsigned int i = 0; i < *n; i++) {
		if (wanted[i].reserve == text->reserve || strcmp(wanted[i].name, word->text) != 0)
			continue;
		snprintf(error, error_size, "%s: \"%s\": %s is in members, too; allowed is one",
			 text->key, text->words, word->text);
		return false;
	}
	*m = *made;
	memcpy(m->name, word->text, TEAM_NIC_NAME_MAX);
	(*n)++;
	return true;
}

/* Names come first: a pattern gets what they leave. */
static bool take_names(const struct member_text *text, struct member_entry *wanted, unsigned int *n,
		       bool *patterns, char *error, size_t error_size)
{
	const char *rest = text->words;
	char why[KEY_ERROR_MAX];
	struct member_entry made;
	struct member_word word;
	bool bad = false;

	while (member_word_next(&rest, &word, &bad)) {
		*patterns |= word.kind != MEMBER_WORD_NAME;
		if (!take_word(&word, text->reserve, &made, why)) {
			snprintf(error, error_size, "%s: \"%s\": %s", text->key, text->words, why);
			return false;
		}
		if (word.kind == MEMBER_WORD_NAME &&
		    !take_name(text, &word, &made, wanted, n, error, error_size))
			return false;
	}
	if (bad)
		snprintf(error, error_size,
			 "%s: \"%s\": at \"%.40s\": allowed are names of interfaces (up to 15 "
			 "letters; with * ? [] they are patterns), mac:AA:BB:CC:DD:EE:FF and "
			 "pci:DOMAIN:BUS:DEVICE.FUNCTION (may hold * ? []), each with an optional "
			 ":PRIORITY of 0 to 255, /weight=N and /speed=RATE, separated by spaces",
			 text->key, text->words, rest);
	return !bad;
}

bool team_match_members(struct team_entry *entry, const struct team_options *options,
			struct member_entry *wanted, unsigned int *n, char *error,
			size_t error_size)
{
	const struct member_text texts[] = {
		{"members", options->members, false},
		{"reserve_members", options->reserve_members, true},
	};
	struct nic_name *nics = NULL;
	bool bad = false, patterns = false;
	struct member_word word;
	unsigned int n_nics;

	*n = 0;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (!take_names(&texts[i], wanted, n, &patterns, error, error_size))
			return false;
	entry->has_patterns = patterns;
	if (!patterns)
		return true;
	n_nics = nic_names_get(entry->netns_fd, &nics);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		for (const char *rest = texts[i].words; member_word_next(&rest, &word, &bad);)
			if (word.kind != MEMBER_WORD_NAME)
				take_matches(entry, &word, texts[i].reserve, nics, n_nics, wanted,
					     n);
	free(nics);
	return true;
}

void team_match_check(struct team_entry *entry, struct member_entry *member)
{
	const struct team_entry *other = other_owner(entry, member->name);
	char why[sizeof(member->refused)] = "";
	int rc;

	if (other) {
		snprintf(why, sizeof(why), "%s: already a member of team %s; remove it there first",
			 member->name, other->name);
		memcpy(member->refused, why, sizeof(why));
		return;
	}
	rc = nic_check(member->name, entry->netns_fd, why, sizeof(why));
	if (rc == -ENODEV && entry->netns_fd >= 0) {
		rc = nic_check(member->name, -1, why, sizeof(why));
		if (rc == 0)
			rc = nic_netns_move(member->name, entry->netns_fd);
		if (rc < 0 && rc != -ENODEV && !why[0])
			snprintf(why, sizeof(why), "%s: cannot move to namespace %s: %s",
				 member->name, entry->options.netns, strerror(-rc));
	}
	if (rc == -ENODEV) /* it joins when it appears */
		log_warn("%s: %s", entry->name, why);
	if (rc == 0 || rc == -ENODEV)
		why[0] = '\0';
	memcpy(member->refused, why, sizeof(why));
}

static bool is_of_interest(const struct teams *teams, const char *nic)
{
	struct team_entry *entry, *tmp;
	bool patterns = false;

	HASH_ITER (hh, teams->entries, entry, tmp) {
		if (is_member(entry, nic))
			return false; /* its link watch knows more */
		patterns |= entry->has_patterns;
	}
	return patterns;
}

void team_match_soon(struct teams *teams)
{
	if (teams->match_armed)
		return;
	teams->match_armed = true;
	sd_event_source_set_time_relative(teams->match_timer, MATCH_USEC);
	sd_event_source_set_enabled(teams->match_timer, SD_EVENT_ONESHOT);
}

static void on_name(void *ctx, const char *nic)
{
	if (is_of_interest(ctx, nic))
		team_match_soon(ctx);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *ctx)
{
	struct teams *teams = ctx;

	teams->match_armed = false;
	teams_apply(teams);
	return 0;
}

static int on_readable(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	struct teams *teams = ctx;

	nic_names_read(teams->names);
	return 0;
}

int team_match_init(struct teams *teams)
{
	sd_event *event = teams->nb->app->event;
	int rc = nic_names_watch(&teams->names, on_name, teams);

	if (rc == 0)
		rc = sd_event_add_io(event, &teams->match_source, nic_names_fd(teams->names),
				     EPOLLIN, on_readable, teams);
	if (rc >= 0)
		rc = sd_event_add_time_relative(event, &teams->match_timer, CLOCK_MONOTONIC, 0,
						1000, on_timer, teams);
	if (rc >= 0)
		rc = sd_event_source_set_enabled(teams->match_timer, SD_EVENT_OFF);
	return rc < 0 ? rc : 0;
}

void team_match_fini(struct teams *teams)
{
	sd_event_source_unref(teams->match_timer);
	sd_event_source_unref(teams->match_source);
	nic_names_unwatch(teams->names);
}
