/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keys_json.c - key tables over the control socket: rows to JSON and back. */
#include "keys_json.h"

#include <stdlib.h>
#include <string.h>

#include "util.h"

/* A string longer than this is no table of ours. */
#define STRING_KEY_MAX 4096

static const struct {
	const char *name;
	size_t size; /* of the member */
} types[] = {
	[KEY_TYPE_BOOL] = {"bool", sizeof(bool)},
	[KEY_TYPE_U64] = {"number", sizeof(uint64_t)},
	[KEY_TYPE_RATE] = {"rate", sizeof(uint64_t)},
	[KEY_TYPE_BYTES] = {"bytes", sizeof(uint64_t)},
	[KEY_TYPE_DURATION] = {"duration", sizeof(uint64_t)},
	[KEY_TYPE_ENUM] = {"choice", sizeof(int)},
	[KEY_TYPE_STRING] = {"string", 0},
	[KEY_TYPE_MAC] = {"mac", 6},
};

static bool is_number(enum key_type type)
{
	return type == KEY_TYPE_U64 || type == KEY_TYPE_RATE || type == KEY_TYPE_BYTES ||
	       type == KEY_TYPE_DURATION;
}

/* A limit is formatted as a value of its key; lengths of strings as plain numbers. */
static char *format_limit(const struct key *key, uint64_t limit)
{
	struct key plain = {.type = is_number(key->type) ? key->type : KEY_TYPE_U64};

	return key_format(&plain, &limit);
}

static void put_limit(json_t *row, const char *name, const struct key *key, uint64_t limit)
{
	AUTO_FREE char *text = format_limit(key, limit);

	if (limit)
		json_object_set_new(row, name, json_string(text));
}

static json_t *key_to_json(const struct key *key)
{
	AUTO_FREE char *allowed = key_allowed(key);
	json_t *row = json_pack("{s:s, s:s, s:b, s:s, s:s*}", "name", key->name, "type",
				types[key->type].name, "live", key->live, "help", key->help,
				"default", key->def);

	json_object_set_new(row, "allowed", json_string(allowed));
	if (is_number(key->type) || key->type == KEY_TYPE_STRING) {
		put_limit(row, "min", key, key->min);
		put_limit(row, "max", key, key->max);
	}
	if (key->type == KEY_TYPE_ENUM) {
		json_t *choices = json_array();

		for (size_t i = 0; key->choices[i]; i++)
			json_array_append_new(choices, json_string(key->choices[i]));
		json_object_set_new(row, "choices", choices);
	}
	return row;
}

json_t *keys_to_json(const struct key_table *table)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < table->n_keys; i++)
		json_array_append_new(rows, key_to_json(&table->keys[i]));
	return json_pack("{s:s, s:s*, s:o}", "name", table->name, "path", table->path, "keys",
			 rows);
}

static bool parse_limit(const struct key *key, const json_t *json, uint64_t *limit)
{
	struct key plain = {.name = "limit",
			    .type = is_number(key->type) ? key->type : KEY_TYPE_U64};
	struct key_table table = {.name = "limit", .keys = &plain, .n_keys = 1};
	char error[KEY_ERROR_MAX];

	*limit = 0;
	return !json || (json_is_string(json) &&
			 !key_set(&table, limit, "limit", json_string_value(json), error));
}

static bool parse_choices(struct key *key, const json_t *json)
{
	size_t n = json_array_size(json);
	const char **choices;

	if (!n)
		return false;
	choices = xb_calloc(n + 1, sizeof(*choices));
	key->choices = choices;
	for (size_t i = 0; i < n; i++) {
		const char *choice = json_string_value(json_array_get(json, i));

		if (!choice)
			return false;
		choices[i] = xb_strdup(choice);
	}
	return true;
}

static char *copy_string(const json_t *json, const char *name)
{
	const char *text = json_string_value(json_object_get(json, name));

	return text ? xb_strdup(text) : NULL;
}

static bool parse_key(struct key *key, const json_t *json)
{
	const char *type = json_string_value(json_object_get(json, "type"));
	size_t i = 0;

	key->name = copy_string(json, "name");
	key->help = copy_string(json, "help");
	key->def = copy_string(json, "default");
	key->live = json_is_true(json_object_get(json, "live"));
	while (type && i < ARRAY_SIZE(types) && strcmp(types[i].name, type))
		i++;
	if (!key->name || !key->help || !type || i == ARRAY_SIZE(types))
		return false;
	key->type = (enum key_type)i;
	if (!parse_limit(key, json_object_get(json, "min"), &key->min) ||
	    !parse_limit(key, json_object_get(json, "max"), &key->max))
		return false;
	if (key->type == KEY_TYPE_STRING && (!key->max || key->max > STRING_KEY_MAX))
		return false;
	return key->type != KEY_TYPE_ENUM || parse_choices(key, json_object_get(json, "choices"));
}

struct key_table *keys_from_json(const json_t *json)
{
	const json_t *rows = json_object_get(json, "keys");
	struct key_table *table;
	struct key *keys;

	if (!json_is_string(json_object_get(json, "name")) || !json_is_array(rows))
		return NULL;
	table = xb_calloc(1, sizeof(*table));
	table->name = copy_string(json, "name");
	table->path = copy_string(json, "path");
	table->n_keys = json_array_size(rows);
	table->keys = keys = xb_calloc(table->n_keys, sizeof(*keys));
	for (size_t i = 0; i < table->n_keys; i++) {
		size_t size;

		if (!parse_key(&keys[i], json_array_get(rows, i))) {
			keys_json_free(table);
			return NULL;
		}
		size = keys[i].type == KEY_TYPE_STRING ? keys[i].max + 1 : types[keys[i].type].size;
		keys[i].offset = table->object_size;
		table->object_size += DIV_ROUND_UP(size, 8) * 8;
	}
	return table;
}

/* What keys_from_json made is all its own, though the members are const for everybody else. */
static void free_const(const void *p)
{
	free((void *)(uintptr_t)p);
}

void keys_json_free(struct key_table *table)
{
	if (!table)
		return;
	for (size_t i = 0; i < table->n_keys; i++) {
		const struct key *key = &table->keys[i];

		for (size_t j = 0; key->choices && key->choices[j]; j++)
			free_const(key->choices[j]);
		free_const(key->choices);
		free_const(key->name);
		free_const(key->help);
		free_const(key->def);
	}
	free_const(table->keys);
	free_const(table->name);
	free_const(table->path);
	free(table);
}
