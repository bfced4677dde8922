/* SPDX-License-Identifier: GPL-2.0-or-later */
/* model_spec.c - names of models and their options, see model_spec.h. */
#include "model_spec.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "util.h"

const char *const model_kinds[] = {"disk", "source-sink", "serial", "keyboard", "tablet", NULL};

enum option_type { OPTION_PATH, OPTION_SERIAL, OPTION_FLAG, OPTION_NUMBER, OPTION_SPEED };

#define KIND(kind) (1u << (kind))

static const struct option {
	const char *name;
	unsigned int kinds; /**< models that have it */
	enum option_type type;
	size_t offset;	     /**< of the member */
	uint8_t min, max;    /**< OPTION_NUMBER */
	const char *allowed; /**< in words */
} options[] = {
	{"file", KIND(MODEL_DISK), OPTION_PATH, offsetof(struct model_spec, path), 0, 0,
	 "the path of an image or a block device"},
	{"readonly", KIND(MODEL_DISK), OPTION_FLAG, offsetof(struct model_spec, read_only), 0, 0,
	 NULL},
	{"removable", KIND(MODEL_DISK), OPTION_FLAG, offsetof(struct model_spec, removable), 0, 0,
	 NULL},
	{"no-stall", KIND(MODEL_DISK), OPTION_FLAG, offsetof(struct model_spec, no_stall), 0, 0,
	 NULL},
	{"serial", KIND(MODEL_DISK), OPTION_SERIAL, offsetof(struct model_spec, serial), 0, 0,
	 "1 to 40 letters, digits, '.', '-' or '_'"},
	{"pattern", KIND(MODEL_SOURCE_SINK), OPTION_NUMBER, offsetof(struct model_spec, pattern), 0,
	 2, "0 (zeros), 1 (a count modulo 63) or 2 (the sink takes anything)"},
	{"interval", KIND(MODEL_SOURCE_SINK), OPTION_NUMBER, offsetof(struct model_spec, interval),
	 1, 16, "1 to 16: 2^(N-1) microframes, or frames at full speed"},
	{"speed", KIND(MODEL_SOURCE_SINK), OPTION_SPEED, offsetof(struct model_spec, full_speed), 0,
	 0, "full or high"},
	{"link", KIND(MODEL_SERIAL), OPTION_PATH, offsetof(struct model_spec, path), 0, 0,
	 "the path of the symbolic link to make"},
	{"input", KIND(MODEL_KEYBOARD) | KIND(MODEL_TABLET), OPTION_PATH,
	 offsetof(struct model_spec, path), 0, 0, "the path of the socket to make"},
};

/* One comma-separated word; a doubled comma is one comma of it. Its length in text. */
static size_t next_word(const char *text, char *word, size_t size)
{
	size_t n = 0, used = 0;

	while (text[used] && (text[used] != ',' || text[used + 1] == ',')) {
		if (n + 1 < size)
			word[n++] = text[used];
		used += text[used] == ',' ? 2 : 1;
	}
	word[n] = '\0';
	return used;
}

/* ", KIND has a, b and c" for messages. */
static void list_options(enum model_kind kind, char *list, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(options) && n < size; i++)
		if (options[i].kinds & KIND(kind))
			n += (size_t)snprintf(list + n, size - n, "%s%s%s", n ? ", " : "",
					      options[i].name,
					      options[i].type == OPTION_FLAG ? "" : "=");
}

static int unknown_kind(const char *word, char *error, size_t error_size)
{
	struct nearest nearest;
	char kinds[96] = "";

	nearest_init(&nearest, word);
	for (size_t i = 0, n = 0; model_kinds[i]; i++) {
		nearest_offer(&nearest, model_kinds[i]);
		n += (size_t)snprintf(kinds + n, sizeof(kinds) - n, "%s%s", i ? ", " : "",
				      model_kinds[i]);
	}
	snprintf(error, error_size, "model '%.60s' does not exist%s%s%s; there are %s", word,
		 nearest.best ? " (did you mean '" : "", nearest.best ? nearest.best : "",
		 nearest.best ? "'?)" : "", kinds);
	return -EINVAL;
}

static int unknown_option(enum model_kind kind, const char *word, char *error, size_t error_size)
{
	struct nearest nearest;
	char allowed[128] = "";

	nearest_init(&nearest, word);
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (options[i].kinds & KIND(kind))
			nearest_offer(&nearest, options[i].name);
	list_options(kind, allowed, sizeof(allowed));
	snprintf(error, error_size, "model %s has no option '%.60s'%s%s%s; it has %s",
		 model_kinds[kind], word, nearest.best ? " (did you mean '" : "",
		 nearest.best ? nearest.best : "", nearest.best ? "'?)" : "", allowed);
	return -EINVAL;
}

static bool is_serial(const char *text)
{
	size_t n = strlen(text);

	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)text[i]) && !strchr(".-_", text[i]))
			return false;
	return n && n < MODEL_SERIAL_MAX;
}

/* 0 to 99 without a sign; -1: no such number. */
static int small_number(const char *text)
{
	if (!isdigit((unsigned char)text[0]) || (text[1] && !isdigit((unsigned char)text[1])) ||
	    (text[1] && text[2]))
		return -1;
	return text[1] ? (text[0] - '0') * 10 + text[1] - '0' : text[0] - '0';
}

/* False: not what the option takes. */
static bool set_value(const struct option *option, const char *value, void *member)
{
	int number;

	switch (option->type) {
	case OPTION_PATH:
		if (!*value || strlen(value) >= MODEL_PATH_MAX)
			return false;
		strcpy(member, value);
		return true;
	case OPTION_SERIAL:
		if (!is_serial(value))
			return false;
		strcpy(member, value);
		return true;
	case OPTION_NUMBER:
		number = small_number(value);
		*(uint8_t *)member = (uint8_t)number;
		return number >= option->min && number <= option->max;
	case OPTION_SPEED:
		*(bool *)member = !strcmp(value, "full");
		return *(bool *)member || !strcmp(value, "high");
	case OPTION_FLAG:
		break;
	}
	return false;
}

static int set_option(struct model_spec *spec, char *word, uint32_t *given, char *error,
		      size_t error_size)
{
	char *value = strchr(word, '=');
	const struct option *option = NULL;

	if (value)
		*value++ = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(options) && !option; i++)
		if (options[i].kinds & KIND(spec->kind) && !strcmp(options[i].name, word))
			option = &options[i];
	if (!option)
		return unknown_option(spec->kind, word, error, error_size);
	if (*given & 1u << (option - options)) {
		snprintf(error, error_size, "model %s: option '%s' is given twice",
			 model_kinds[spec->kind], word);
		return -EINVAL;
	}
	*given |= 1u << (option - options);
	if (option->type == OPTION_FLAG && !value) {
		*(bool *)((char *)spec + option->offset) = true;
		return 0;
	}
	if (option->type == OPTION_FLAG)
		snprintf(error, error_size,
			 "model %s: option '%s' takes no value, but has '%.60s'; write it alone",
			 model_kinds[spec->kind], word, value);
	else if (!value)
		snprintf(error, error_size, "model %s: option '%s' needs a value, %s=VALUE: %s",
			 model_kinds[spec->kind], word, word, option->allowed);
	else if (set_value(option, value, (char *)spec + option->offset))
		return 0;
	else
		snprintf(error, error_size, "model %s: %s='%.60s' is not allowed; it is %s",
			 model_kinds[spec->kind], word, value, option->allowed);
	return -EINVAL;
}

int model_spec_parse(struct model_spec *spec, const char *text, char *error, size_t error_size)
{
	char word[MODEL_PATH_MAX + 16];
	uint32_t given = 0;
	size_t kind = 0;

	memset(spec, 0, sizeof(*spec));
	text += next_word(text, word, sizeof(word));
	while (model_kinds[kind] && strcmp(model_kinds[kind], word))
		kind++;
	if (!model_kinds[kind])
		return unknown_kind(word, error, error_size);
	spec->kind = (enum model_kind)kind;
	while (*text == ',') {
		int rc;

		text++;
		text += next_word(text, word, sizeof(word));
		rc = set_option(spec, word, &given, error, error_size);
		if (rc)
			return rc;
	}
	if (spec->kind == MODEL_DISK && !*spec->path) {
		snprintf(error, error_size,
			 "model disk needs the option file=PATH, an image or a block device");
		return -EINVAL;
	}
	return 0;
}
