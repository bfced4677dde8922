/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dos_keys.h - the keys of a profile: how guests are watched for attacks, and what is done. Teams
 * and guests name a profile by their key `dos`; see guard_profiles.h.
 */
#ifndef XB_NET_DOS_KEYS_H
#define XB_NET_DOS_KEYS_H

#include "guard.h"
#include "keys.h"

#define NETBACK_DOS_PATH KEYS_BASE "dos"

extern const struct key_table dos_key_table; /**< fills struct guard_profile */

/** What no single key can tell: do they fit together? 0, or -EINVAL with error. */
int dos_keys_check(const struct guard_profile *profile, char error[KEY_ERROR_MAX]);

#endif
