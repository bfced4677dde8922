/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keys.c - one value of a key: parse, range-check, store, format; pure.
 *
 * Neighbours: keys_doc.c prints tables as POD, keys_json.c carries them over the control socket,
 * keys_file.c splits files.
 */
#include "keys.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "util.h"

struct unit {
	const char *name;
	uint64_t factor; /* to the stored unit */
};

/* Largest first: formatting takes the first one that divides. A rate is shown in bits, so bytes
 * come last. */
static const struct unit rate_units[] = {
	{"Tbit", 1000000000000},
	{"Gbit", 1000000000},
	{"Mbit", 1000000},
	{"kbit", 1000},
	{"bit", 1},
	{"TB", 8000000000000},
	{"GB", 8000000000},
	{"MB", 8000000},
	{"kB", 8000},
	{"B", 8},
	{NULL, 0},
};
static const struct unit bytes_units[] = {
	{"TiB", 1ull << 40}, {"TB", 1000000000000}, {"GiB", 1 << 30},
	{"GB", 1000000000},  {"MiB", 1 << 20},	    {"MB", 1000000},
	{"KiB", 1 << 10},    {"KB", 1000},	    {"B", 1},
	{NULL, 0},
};
static const struct unit duration_units[] = {
	{"h", 3600 * NSEC_PER_SEC},
	{"min", 60 * NSEC_PER_SEC},
	{"s", NSEC_PER_SEC},
	{"ms", NSEC_PER_MSEC},
	{"us", NSEC_PER_USEC},
	{"ns", 1},
	{NULL, 0},
};
static const struct unit no_units[] = {{NULL, 0}};

/* Below this a size is easier to read in bytes: 1500, 9000. */
#define PLAIN_BYTES_BELOW 10000

/* The value of any type but a string, which stays text. */
union value {
	bool flag;
	uint64_t number;
	int choice;
	uint8_t mac[6];
};

static const struct unit *units_of(enum key_type type)
{
	switch (type) {
	case KEY_TYPE_RATE:
		return rate_units;
	case KEY_TYPE_BYTES:
		return bytes_units;
	case KEY_TYPE_DURATION:
		return duration_units;
	case KEY_TYPE_BOOL:
	case KEY_TYPE_U64:
	case KEY_TYPE_ENUM:
	case KEY_TYPE_STRING:
	case KEY_TYPE_MAC:
		break;
	}
	return no_units;
}

const struct key *key_find(const struct key_table *table, const char *name)
{
	for (size_t i = 0; i < table->n_keys; i++)
		if (!strcmp(table->keys[i].name, name))
			return &table->keys[i];
	return NULL;
}

/* Case does not matter but in the B of bytes ("Mb": people mean either by it) and in times ("M" and
 * "m" differ elsewhere). */
static bool unit_is(const struct unit *unit, enum key_type type, const char *name)
{
	size_t last = strlen(name) - 1;

	if (!strcmp(unit->name, name))
		return true;
	return type != KEY_TYPE_DURATION && !strcasecmp(unit->name, name) &&
	       (name[last] == 'B' || unit->name[last] == 't');
}

static const struct unit *find_unit(enum key_type type, const char *text)
{
	size_t n = strlen(text);
	char name[8];

	if (type == KEY_TYPE_RATE && n > 2 && !strcmp(text + n - 2, "/s"))
		n -= 2;
	if (!n || n >= sizeof(name))
		return NULL;
	memcpy(name, text, n);
	name[n] = 0;
	for (const struct unit *unit = units_of(type); unit->name; unit++)
		if (unit_is(unit, type, name))
			return unit;
	return NULL;
}

/* Decimal digits into *number; returns how many, 0 = none. Saturates at UINT64_MAX. */
static size_t parse_digits(const char *text, uint64_t *number)
{
	size_t n = 0;

	for (*number = 0; text[n] >= '0' && text[n] <= '9'; n++)
		if (__builtin_mul_overflow(*number, 10, number) ||
		    __builtin_add_overflow(*number, (uint64_t)(text[n] - '0'), number)) {
			*number = UINT64_MAX;
			return n + strspn(text + n, "0123456789");
		}
	return n;
}

/* [digits][.digits][unit]; the result must be whole in the stored unit. */
static int parse_number(enum key_type type, const char *text, uint64_t *out)
{
	uint64_t whole, fraction = 0, scale = 1;
	size_t n = parse_digits(text, &whole), n_fraction = 0;
	const struct unit *unit;
	unsigned __int128 total;

	if (type == KEY_TYPE_RATE && !strcmp(text, "none")) {
		*out = 0;
		return 0;
	}
	if (!n)
		return -EINVAL;
	text += n;
	if (*text == '.' && type != KEY_TYPE_U64) {
		n_fraction = parse_digits(++text, &fraction);
		if (!n_fraction || n_fraction > 6)
			return -EINVAL;
		text += n_fraction;
	}
	for (size_t i = 0; i < n_fraction; i++)
		scale *= 10;
	if (!*text) {
		/* Only what has one natural unit may go without. */
		if (n_fraction || (whole && type != KEY_TYPE_U64 && type != KEY_TYPE_BYTES))
			return -EINVAL;
		*out = whole;
		return whole == UINT64_MAX ? -ERANGE : 0;
	}
	unit = find_unit(type, text);
	if (!unit)
		return -EINVAL;
	total = ((unsigned __int128)whole * scale + fraction) * unit->factor;
	if (total % scale)
		return -EINVAL;
	total /= scale;
	if (whole == UINT64_MAX || total >= UINT64_MAX)
		return -ERANGE;
	*out = (uint64_t)total;
	return 0;
}

static int parse_bool(const char *text, bool *out)
{
	static const char *const words[][4] = {{"0", "no", "off", "false"},
					       {"1", "yes", "on", "true"}};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		for (size_t j = 0; j < ARRAY_SIZE(words[i]); j++)
			if (!strcmp(text, words[i][j])) {
				*out = i;
				return 0;
			}
	return -EINVAL;
}

static int parse_enum(const struct key *key, const char *text, int *out)
{
	for (int i = 0; key->choices[i]; i++)
		if (!strcmp(text, key->choices[i])) {
			*out = i;
			return 0;
		}
	return -EINVAL;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* A station's own address: no group bit, not all zero. */
static int parse_mac(const char *text, uint8_t mac[6])
{
	uint8_t any = 0;

	if (strlen(text) != 17)
		return -EINVAL;
	for (int i = 0; i < 6; i++, text += 3) {
		int high = hex_digit(text[0]), low = hex_digit(text[1]);

		if (high < 0 || low < 0 || (i < 5 && text[2] != ':'))
			return -EINVAL;
		mac[i] = (uint8_t)(high << 4 | low);
		any |= mac[i];
	}
	return any && !(mac[0] & 1) ? 0 : -EINVAL;
}

static int check_string(const struct key *key, const char *text)
{
	size_t n = strlen(text);

	for (size_t i = 0; i < n; i++)
		if (text[i] < 0x20 || text[i] > 0x7e)
			return -EINVAL;
	return n < key->min || n > key->max ? -ERANGE : 0;
}

static int parse_value(const struct key *key, const char *text, union value *value)
{
	int err;

	switch (key->type) {
	case KEY_TYPE_BOOL:
		return parse_bool(text, &value->flag);
	case KEY_TYPE_ENUM:
		return parse_enum(key, text, &value->choice);
	case KEY_TYPE_STRING:
		return check_string(key, text);
	case KEY_TYPE_MAC:
		return parse_mac(text, value->mac);
	case KEY_TYPE_U64:
	case KEY_TYPE_RATE:
	case KEY_TYPE_BYTES:
	case KEY_TYPE_DURATION:
		err = parse_number(key->type, text, &value->number);
		if (!err && (value->number < key->min || (key->max && value->number > key->max)))
			err = -ERANGE;
		return err;
	}
	return -EINVAL;
}

static void store_value(const struct key *key, void *object, const char *text,
			const union value *value)
{
	void *member = (char *)object + key->offset;

	switch (key->type) {
	case KEY_TYPE_BOOL:
		*(bool *)member = value->flag;
		break;
	case KEY_TYPE_ENUM:
		*(int *)member = value->choice;
		break;
	case KEY_TYPE_STRING:
		memset(member, 0, key->max + 1);
		memcpy(member, text, strlen(text));
		break;
	case KEY_TYPE_MAC:
		memcpy(member, value->mac, sizeof(value->mac));
		break;
	case KEY_TYPE_U64:
	case KEY_TYPE_RATE:
	case KEY_TYPE_BYTES:
	case KEY_TYPE_DURATION:
		*(uint64_t *)member = value->number;
		break;
	}
}

/* "2ms" from 2000000: the largest unit that divides. */
static char *format_number(enum key_type type, uint64_t number)
{
	const struct unit *unit = units_of(type);

	if (!number)
		return xb_strdup(type == KEY_TYPE_RATE ? "none" : "0");
	while (unit->name && number % unit->factor)
		unit++;
	if (!unit->name ||
	    (type == KEY_TYPE_BYTES && (unit->factor == 1 || number < PLAIN_BYTES_BELOW)))
		return xb_asprintf("%" PRIu64, number);
	return xb_asprintf("%" PRIu64 "%s", number / unit->factor, unit->name);
}

char *key_format(const struct key *key, const void *object)
{
	const void *member = (const char *)object + key->offset;
	const uint8_t *mac = member;

	switch (key->type) {
	case KEY_TYPE_BOOL:
		return xb_strdup(*(const bool *)member ? "yes" : "no");
	case KEY_TYPE_ENUM:
		return xb_strdup(key->choices[*(const int *)member]);
	case KEY_TYPE_STRING:
		return xb_strdup(member);
	case KEY_TYPE_MAC:
		return xb_asprintf("%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
				   mac[4], mac[5]);
	case KEY_TYPE_U64:
	case KEY_TYPE_RATE:
	case KEY_TYPE_BYTES:
	case KEY_TYPE_DURATION:
		return format_number(key->type, *(const uint64_t *)member);
	}
	return xb_strdup("");
}

static char *allowed_choices(const struct key *key)
{
	char *text = xb_strdup("one of");

	for (size_t i = 0; key->choices[i]; i++) {
		char *longer = xb_asprintf("%s%s %s", text, i ? "," : "", key->choices[i]);

		free(text);
		text = longer;
	}
	return text;
}

static char *allowed_number(const struct key *key)
{
	static const char *const what[] = {
		[KEY_TYPE_U64] = "a whole number",
		[KEY_TYPE_RATE] = "a rate such as 100Mbit or 12.5MB",
		[KEY_TYPE_BYTES] = "a size such as 1500, 64KB or 1MiB",
		[KEY_TYPE_DURATION] = "a time such as 250us, 10ms or 5s",
	};
	AUTO_FREE char *min = format_number(key->type, key->min);
	AUTO_FREE char *max = format_number(key->type, key->max);

	if (key->type == KEY_TYPE_RATE && !key->min)
		return xb_asprintf("%s%s%s, or none", what[key->type], key->max ? ", up to " : "",
				   key->max ? max : "");
	if (!key->max)
		return xb_asprintf("%s, at least %s", what[key->type], min);
	return xb_asprintf("%s, %s to %s", what[key->type], min, max);
}

char *key_allowed(const struct key *key)
{
	switch (key->type) {
	case KEY_TYPE_BOOL:
		return xb_strdup("yes or no");
	case KEY_TYPE_ENUM:
		return allowed_choices(key);
	case KEY_TYPE_STRING:
		return xb_asprintf("%" PRIu64 " to %" PRIu64 " printable ASCII characters",
				   key->min, key->max);
	case KEY_TYPE_MAC:
		return xb_strdup("a unicast address such as 00:16:3e:12:34:56");
	case KEY_TYPE_U64:
	case KEY_TYPE_RATE:
	case KEY_TYPE_BYTES:
	case KEY_TYPE_DURATION:
		return allowed_number(key);
	}
	return xb_strdup("");
}

/* The value as an error may show it: short, and without what would harm a terminal or a JSON
 * string. */
static void quote_value(char out[48], const char *value)
{
	size_t n = 0;

	for (; value[n] && n < 40; n++)
		out[n] = value[n] >= 0x20 && value[n] <= 0x7e ? value[n] : '?';
	strcpy(out + n, value[n] ? "..." : "");
}

static int unknown_key(const struct key_table *table, const char *name, char error[KEY_ERROR_MAX])
{
	struct nearest nearest;
	char quoted[48];

	quote_value(quoted, name);
	nearest_init(&nearest, name);
	for (size_t i = 0; i < table->n_keys; i++)
		nearest_offer(&nearest, table->keys[i].name);
	if (nearest.best)
		snprintf(error, KEY_ERROR_MAX, "%s has no key \"%s\"; did you mean \"%s\"?",
			 table->name, quoted, nearest.best);
	else
		snprintf(error, KEY_ERROR_MAX,
			 "%s has no key \"%s\"; `xenbackctl keys %s` lists them", table->name,
			 quoted, table->name);
	return -ENOENT;
}

int key_set(const struct key_table *table, void *object, const char *name, const char *value,
	    char error[KEY_ERROR_MAX])
{
	const struct key *key = key_find(table, name);
	union value parsed;
	int err;

	if (!key)
		return unknown_key(table, name, error);
	err = parse_value(key, value, &parsed);
	if (err) {
		AUTO_FREE char *allowed = key_allowed(key);
		char quoted[48];

		quote_value(quoted, value);
		snprintf(error, KEY_ERROR_MAX, "%s: \"%s\" %s; allowed: %s", name, quoted,
			 err == -ERANGE ? "is out of range" : "is refused", allowed);
		return err;
	}
	store_value(key, object, value, &parsed);
	return 0;
}

void keys_set_defaults(const struct key_table *table, void *object)
{
	char error[KEY_ERROR_MAX];

	for (size_t i = 0; i < table->n_keys; i++) {
		const struct key *key = &table->keys[i];

		if (key->def && key_set(table, object, key->name, key->def, error)) {
			fprintf(stderr, "default of a key table: %s\n", error);
			abort();
		}
	}
}
