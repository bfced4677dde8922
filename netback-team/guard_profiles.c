/* SPDX-License-Identifier: GPL-2.0-or-later */
/* guard_profiles.c - see guard_profiles.h. */
#include "guard_profiles.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <uthash.h>

#include "dos_keys.h"
#include "log.h"
#include "netback.h"
#include "util.h"

#define LOG_MODULE "dos"

struct entry {
	char name[GUARD_NAME_MAX];
	struct guard_profile profile;
	bool valid; /**< it was, at least once */
	bool seen;
	UT_hash_handle hh;
};

struct guard_profiles {
	struct netback *nb;
	struct entry *entries;
};

struct guard_profiles *guard_profiles_create(struct netback *nb)
{
	struct guard_profiles *profiles = xb_calloc(1, sizeof(*profiles));

	profiles->nb = nb;
	return profiles;
}

/* The analyzer does not follow uthash's lists. */
/* NOLINTBEGIN(clang-analyzer-unix.Malloc) */
static void drop(struct guard_profiles *profiles, struct entry *entry)
{
	HASH_DEL(profiles->entries, entry);
	free(entry);
}

void guard_profiles_destroy(struct guard_profiles *profiles)
{
	struct entry *entry, *tmp;

	if (!profiles)
		return;
	HASH_ITER (hh, profiles->entries, entry, tmp)
		drop(profiles, entry);
	free(profiles);
}
/* NOLINTEND(clang-analyzer-unix.Malloc) */

static struct entry *find(const struct guard_profiles *profiles, const char *name)
{
	struct entry *entry;

	HASH_FIND_STR(profiles->entries, name, entry);
	return entry;
}

/* A profile may not be called as the one that is built in and watches nothing. */
static const char *wrong_name(const char *name)
{
	if (strlen(name) >= GUARD_NAME_MAX)
		return "a profile's name has 31 characters at most";
	if (strcmp(name, GUARD_PROFILE_OFF) == 0)
		return "the profile \"off\" is built in; take another name";
	return NULL;
}

static void apply_one(struct guard_profiles *profiles, const char *name, const char *dir)
{
	struct netback *nb = profiles->nb;
	const char *wrong = wrong_name(name);
	struct entry *entry = wrong ? NULL : find(profiles, name);
	char error[KEY_ERROR_MAX] = "";
	AUTO_FREE struct guard_profile *read = xb_calloc(1, sizeof(*read));
	int rc = wrong ? -EINVAL : 0;

	if (wrong)
		snprintf(error, sizeof(error), "%s", wrong);
	else if (!entry) {
		entry = xb_calloc(1, sizeof(*entry));
		snprintf(entry->name, sizeof(entry->name), "%s", name);
		HASH_ADD_STR(profiles->entries, name, entry);
	}
	if (entry)
		entry->seen = true;
	if (rc == 0)
		rc = confstore_read(nb->conf, dir, &dos_key_table, read, error);
	if (rc == -EIO)
		return;
	if (rc == 0)
		rc = dos_keys_check(read, error);
	if (rc == 0) {
		if (entry->valid)
			netback_event_keys(nb, NULL, dir + strlen(KEYS_BASE), &dos_key_table,
					   &entry->profile, read);
		entry->profile = *read;
		entry->valid = true;
	}
	netback_set_error(nb, dir, NULL, dir + strlen(KEYS_BASE), rc < 0 ? error : NULL);
}

void guard_profiles_apply(struct guard_profiles *profiles)
{
	struct entry *entry, *tmp;
	AUTO_FREE char **names = NULL;
	unsigned int n;

	if (confstore_list(profiles->nb->conf, NETBACK_DOS_PATH, &names, &n) < 0)
		return; /* xenstored is away: everything stays as it is */
	HASH_ITER (hh, profiles->entries, entry, tmp)
		entry->seen = false;
	for (unsigned int i = 0; i < n; i++) {
		AUTO_FREE char *dir = xb_asprintf("%s/%s", NETBACK_DOS_PATH, names[i]);

		apply_one(profiles, names[i], dir);
	}
	HASH_ITER (hh, profiles->entries, entry, tmp)
		if (!entry->seen)
			drop(profiles, entry);
}

int guard_profiles_get(const struct guard_profiles *profiles, const char *name,
		       struct guard_profile *profile, char *error, size_t error_size)
{
	const struct entry *entry = find(profiles, name);

	if (entry && entry->valid) {
		*profile = entry->profile;
		return 0;
	}
	if (strcmp(name, GUARD_PROFILE_OFF) == 0) {
		guard_profile_off(profile);
		return 0;
	}
	if (strcmp(name, GUARD_PROFILE_DEFAULT) == 0) {
		memset(profile, 0, sizeof(*profile));
		keys_set_defaults(&dos_key_table, profile);
		return 0;
	}
	snprintf(error, error_size,
		 "dos: \"%.31s\": there is no such profile; allowed are off, default and the names "
		 "below %s (xenbackctl set dos NAME KEY VALUE makes one)",
		 name, NETBACK_DOS_PATH);
	return -ENOENT;
}
