/* SPDX-License-Identifier: GPL-2.0-or-later */
/* team_guard.c - see team_guard.h. */
#include "team_guard.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "dos_json.h"
#include "guard_host.h"
#include "guard_profiles.h"
#include "log.h"
#include "teams_priv.h"
#include "util.h"

#define LOG_MODULE "dos"

static int call_team_profile(void *ctx, void *arg)
{
	guard_team_set(ctx, arg);
	return 0;
}

static int call_signatures(void *ctx, void *arg)
{
	return guard_signatures_set(ctx, arg);
}

/* --- signatures --- */

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* The whole file, free(); NULL with errno. */
static char *read_rules(int fd, size_t size, size_t *got)
{
	char *text = xb_calloc(1, size + 1);
	ssize_t n = 0;

	for (*got = 0; *got < size; *got += (size_t)n) {
		n = read(fd, text + *got, size - *got);
		if (n <= 0)
			break;
	}
	if (n < 0) {
		free(text);
		return NULL;
	}
	return text;
}

/* Reads and parses; 0, or -errno with a sentence. */
static int load(const char *path, struct signature_set **set, struct stat *file, char *error,
		size_t error_size)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char why[SIGNATURE_ERROR_MAX];
	AUTO_FREE char *text = NULL;
	size_t size = 0;
	int rc = fd < 0 || fstat(fd, file) < 0 ? -errno : 0;

	if (rc == 0 && !S_ISREG(file->st_mode))
		rc = -EINVAL;
	else if (rc == 0 && file->st_size > TEAM_GUARD_RULES_MAX)
		rc = -EFBIG;
	if (rc == 0) {
		text = read_rules(fd, (size_t)file->st_size, &size);
		rc = text ? 0 : -errno;
	}
	if (fd >= 0)
		close(fd);
	if (rc < 0) {
		snprintf(error, error_size,
			 "dos_signatures: %.128s: %s (a file of up to 1 MiB is needed)", path,
			 strerror(-rc));
		return rc;
	}
	rc = signature_parse(text, size, set, why);
	if (rc < 0)
		snprintf(error, error_size, "dos_signatures: %.128s: %.256s", path,
			 rc == -ENOMEM ? strerror(ENOMEM) : why);
	return rc;
}

static int apply_signatures(struct team_entry *entry, char *error, size_t error_size)
{
	struct team_guard *g = &entry->guard;
	const char *path = entry->options.dos_signatures;
	struct signature_set *set = NULL, *old = g->set;
	struct stat file = {0};
	int rc = 0;

	if (!path[0] && !g->path[0])
		return 0;
	if (path[0] && strcmp(path, g->path) == 0 && stat(path, &file) == 0 &&
	    same_file(&file, &g->file))
		return 0;
	if (path[0])
		rc = load(path, &set, &file, error, error_size);
	if (rc < 0)
		return rc;
	rc = worker_call(entry->worker, call_signatures, set);
	if (rc < 0) {
		snprintf(error, error_size, "dos_signatures: %.128s: %s", path, strerror(-rc));
		signature_destroy(set);
		return rc;
	}
	g->set = set;
	g->file = file;
	snprintf(g->path, sizeof(g->path), "%s", path);
	signature_destroy(old);
	log_info("%s: %u signatures of attacks", entry->name, set ? signature_count(set) : 0);
	return 0;
}

int team_guard_apply(struct team_entry *entry, char *error, size_t error_size)
{
	struct netback *nb = entry->teams->nb;
	struct guard_profile *profile = &entry->guard.profile;
	int rc = guard_profiles_get(nb->profiles, entry->options.dos, profile, error, error_size);

	if (rc < 0)
		return rc;
	worker_call(entry->worker, call_team_profile, profile);
	return apply_signatures(entry, error, error_size);
}

const struct guard_profile *team_entry_guard(const struct team_entry *entry)
{
	return &entry->guard.profile;
}

void team_guard_fini(struct team_entry *entry)
{
	signature_destroy(entry->guard.set);
	entry->guard.set = NULL;
}

/* --- from the worker --- */

struct letter {
	char team[TEAM_NAME_MAX];
	struct guard_request request;
};

static void tell_event(struct netback *nb, const struct letter *letter)
{
	static const enum events_severity severities[] = {
		[ACT_EVENT_RAISED] = EVENTS_WARN,      [ACT_EVENT_CLEARED] = EVENTS_INFO,
		[ACT_EVENT_WHITELISTED] = EVENTS_INFO, [ACT_EVENT_TAKEN] = EVENTS_WARN,
		[ACT_EVENT_UNDONE] = EVENTS_INFO,      [ACT_EVENT_HELD_BACK] = EVENTS_WARN,
		[ACT_EVENT_FAILED] = EVENTS_ERR,
	};
	const struct act_event *event = &letter->request.event;
	char words[DOS_WORDS_MAX], reason[DOS_WORDS_MAX];

	if (event->action == ACT_ALERT && event->kind == ACT_EVENT_TAKEN)
		return; /* it says what the event of the alarm says */
	dos_event_words(words, event);
	dos_event_reason(reason, event);
	netback_event(nb, &(struct events_input){.severity = severities[event->kind],
						 .kind = EVENTS_KIND_DOS,
						 .team = letter->team,
						 .who = letter->request.vif,
						 .new = words,
						 .why = reason});
	if (event->action > ACT_HOOK)
		log_warn("%s: %s%s%s", letter->request.vif, words, reason[0] ? ": " : "", reason);
}

static void alert(const struct letter *letter)
{
	const struct guard_request *request = &letter->request;
	char words[DOS_WORDS_MAX];

	dos_alarm_words(words, request);
	log_warn("%s: attack %s %s: %s: %s", request->whole_team ? letter->team : request->vif,
		 request->alarm.direction == DOS_TO_GUEST ? "on" : "by",
		 request->whole_team ? "guests of the team" : "the guest", request->name, words);
}

/* A guest stands still because the team has lost members, or goes on. */
static void tell_relief(struct netback *nb, const struct letter *letter)
{
	const bool pause = letter->request.kind == GUARD_PAUSE;
	const char *why = pause ? "members are lost, and the others do not suffice"
				: "members are back, or its time is over";

	netback_event(nb, &(struct events_input){.severity = pause ? EVENTS_WARN : EVENTS_INFO,
						 .kind = EVENTS_KIND_LIMIT,
						 .team = letter->team,
						 .who = letter->request.vif,
						 .new = pause ? "paused" : "goes on",
						 .why = why});
	log_warn("%s: %s: %s", letter->request.vif, pause ? "to be paused" : "to go on", why);
}

static int mail_request(void *ctx, void *arg)
{
	struct netback *nb = ctx;
	const struct letter *letter = arg;

	switch (letter->request.kind) {
	case GUARD_EVENT:
		tell_event(nb, letter);
		break;
	case GUARD_ALERT:
		alert(letter);
		break;
	case GUARD_PAUSE:
	case GUARD_UNPAUSE:
		if (letter->request.reason[0])
			tell_relief(nb, letter);
		guard_host_do(nb->guard_host, &letter->request, letter->team);
		break;
	case GUARD_HOOK:
	case GUARD_MIGRATE:
		guard_host_do(nb->guard_host, &letter->request, letter->team);
		break;
	}
	return 0;
}

void team_guard_on_request(void *ctx, const struct guard_request *request)
{
	const struct team_entry *entry = ctx;
	struct letter letter = {.request = *request};

	snprintf(letter.team, sizeof(letter.team), "%s", entry->name);
	mailbox_post(entry->teams->nb->mail, mail_request, &letter, sizeof(letter));
}
