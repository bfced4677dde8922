/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guard_profiles.h - profiles by name: from /local/domain/0/xenback/dos/NAME, live.
 *
 * "off" watches nothing; "default" is what the key table says where nobody wrote a profile of that
 * name. A wrong profile keeps its old values, and one that was removed is an unknown name: guests
 * that name it keep what they have, and their error node says so.
 */
#ifndef XB_NET_GUARD_PROFILES_H
#define XB_NET_GUARD_PROFILES_H

#include <stddef.h>

#include "guard.h"

#define GUARD_PROFILE_OFF     "off"
#define GUARD_PROFILE_DEFAULT "default"

struct guard_profiles;
struct netback;

/** Reads nothing yet. */
struct guard_profiles *guard_profiles_create(struct netback *nb);
void guard_profiles_destroy(struct guard_profiles *profiles);
/** Reads all of them again; before teams and guests, which use them. */
void guard_profiles_apply(struct guard_profiles *profiles);
/** The profile of this name into *profile; -ENOENT with a sentence in error when there is none. */
int guard_profiles_get(const struct guard_profiles *profiles, const char *name,
		       struct guard_profile *profile, char *error, size_t error_size);

#endif
