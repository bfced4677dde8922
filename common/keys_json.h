/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keys_json.h - key tables over the control socket.
 *
 * The daemon's command "keys" answers with its tables; xenbackctl makes tables of the answer and so
 * checks values by the very parser that the daemon uses, without knowing any key itself.
 */
#ifndef XB_KEYS_JSON_H
#define XB_KEYS_JSON_H

#include <jansson.h>

#include "keys.h"

/**
 * {"name", "path", "keys": [{"name", "type", "min", "max", "choices", "default", "live", "help",
 * "allowed"}]}, new reference. Ranges are in the notation of values ("10ms"); members that say
 * nothing are left out.
 */
json_t *keys_to_json(const struct key_table *table);

/** The table that keys_to_json wrote, for key_set; NULL where json is none. Free with
 * keys_json_free. */
struct key_table *keys_from_json(const json_t *json);
void keys_json_free(struct key_table *table);

#endif
