/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xenbackctl_object.c - which object is meant, and does its key table take a value.
 *
 * The tables come from the daemon (command "keys"), so that nothing here knows a key or an object
 * by name. A table's path says it all: below /local/domain/0/xenback, a component in capitals is a
 * variable, any other one a fixed word.
 */
#include "xenbackctl.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"

/* No path has more words, and no name more characters. */
#define WORDS_MAX	16
#define NAME_MAX_LENGTH 63

/* The words of a path, in place. Returns how many, at most WORDS_MAX. */
static size_t split(char *text, const char *separators, char *words[WORDS_MAX])
{
	char *save = NULL;
	size_t n = 0;

	for (char *word = strtok_r(text, separators, &save); word && n < WORDS_MAX;
	     word = strtok_r(NULL, separators, &save))
		words[n++] = word;
	return n;
}

static const char *relative_path(const struct key_table *table)
{
	const char *path = table->path ? table->path : "";

	return strncmp(path, KEYS_BASE, strlen(KEYS_BASE)) ? path : path + strlen(KEYS_BASE);
}

static bool is_variable(const char *word)
{
	return strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == strlen(word);
}

static bool is_uuid(const char *text)
{
	static const char pattern[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

	if (strlen(text) != strlen(pattern))
		return false;
	for (size_t i = 0; pattern[i]; i++)
		if (pattern[i] == 'x' ? !strchr("0123456789abcdef", text[i]) : text[i] != '-')
			return false;
	return true;
}

/* What usbif has room for (xen/io/usbif.h, USBIF_MAX_PORTNR). */
static bool is_port(const char *text)
{
	size_t n = strlen(text);

	return n && n <= 2 && strspn(text, "0123456789") == n && *text != '0' && atoi(text) <= 31;
}

/* Checks the value of a variable of the path, by the variable's name; what xenstore allows in names
 * is the least. */
static int check_variable(const char *variable, const char *value, char error[KEY_ERROR_MAX])
{
	const char *allowed = NULL;

	if (!strcmp(variable, "UUID") && !is_uuid(value))
		allowed = "a domain's UUID in small letters, as `xl list -v` shows it";
	else if (!strcmp(variable, "DEV") &&
		 (strspn(value, "0123456789") != strlen(value) || strlen(value) > 5))
		allowed = "a device number such as 0";
	else if (!strcmp(variable, "PORT") && !is_port(value))
		allowed = "a port number from 1 to 31";
	else if (!*value || strlen(value) > NAME_MAX_LENGTH ||
		 strspn(value,
			"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_@") !=
			 strlen(value))
		allowed = "1 to 63 letters, digits, - _ and @";
	if (!allowed)
		return 0;
	snprintf(error, KEY_ERROR_MAX, "%s: \"%.64s\" is refused; allowed: %s", variable, value,
		 allowed);
	return -EINVAL;
}

enum match {
	MATCH_NO,
	MATCH_START, /* the first word fits, so it was meant */
	MATCH_ALL,
};

/* All words of the path ("vm UUID vif 0"), or the table's name and the variables ("vif UUID 0");
 * values: the variables'. */
static enum match match_words(const struct key_table *table, char *const *words, size_t n_words,
			      const char *values[WORDS_MAX])
{
	AUTO_FREE char *path = xb_strdup(relative_path(table));
	char *parts[WORDS_MAX];
	size_t n_parts = split(path, "/", parts), n_values = 0, n_variables = 0;
	bool full = n_words == n_parts;

	for (size_t i = 0; i < n_parts; i++) {
		if (is_variable(parts[i]))
			n_variables++;
		else if (full && strcmp(parts[i], words[i]))
			full = false;
	}
	if (full) {
		for (size_t i = 0; i < n_parts; i++)
			if (is_variable(parts[i]))
				values[n_values++] = words[i];
		return MATCH_ALL;
	}
	if (!strcmp(words[0], table->name) && n_words == n_variables + 1) {
		for (size_t i = 0; i < n_variables; i++)
			values[i] = words[i + 1];
		return MATCH_ALL;
	}
	return !strcmp(words[0], table->name) || (n_parts && !strcmp(words[0], parts[0]))
		       ? MATCH_START
		       : MATCH_NO;
}

/* Puts the values into the table's path. */
static int make_path(const struct key_table *table, const char *const *values, char **out,
		     char error[KEY_ERROR_MAX])
{
	AUTO_FREE char *path = xb_strdup(relative_path(table));
	char *parts[WORDS_MAX];
	size_t n_parts = split(path, "/", parts);
	char *made = xb_strdup("");

	for (size_t i = 0; i < n_parts; i++) {
		const char *part = parts[i];
		char *longer;

		if (is_variable(part)) {
			if (check_variable(part, *values, error)) {
				free(made);
				return -EINVAL;
			}
			part = *values++;
		}
		longer = xb_asprintf("%s%s%s", i ? made : KEYS_BASE, i ? "/" : "", part);
		free(made);
		made = longer;
	}
	*out = made;
	return 0;
}

/* "team NAME, vm UUID vif DEV": all, or only those that the words could mean. */
static char *list_kinds(const struct tables *tables, char *const *words, size_t n_words, bool all)
{
	char *text = xb_strdup("");

	for (size_t i = 0; i < tables->n; i++) {
		AUTO_FREE char *section = keys_section(tables->tables[i]);
		const char *values[WORDS_MAX];
		char *longer;

		if (!all && match_words(tables->tables[i], words, n_words, values) == MATCH_NO)
			continue;
		longer = xb_asprintf("%s%s%s", text, *text ? ", " : "", section);
		free(text);
		text = longer;
	}
	return text;
}

static int explain_mismatch(const struct tables *tables, char *const *words, size_t n_words,
			    char error[KEY_ERROR_MAX])
{
	AUTO_FREE char *meant = list_kinds(tables, words, n_words, false);
	AUTO_FREE char *all = list_kinds(tables, words, n_words, true);

	if (*meant)
		snprintf(error, KEY_ERROR_MAX, "\"%.32s\" needs more or fewer words; allowed: %s",
			 words[0], meant);
	else
		snprintf(error, KEY_ERROR_MAX, "there is no kind of object \"%.32s\"; allowed: %s",
			 words[0], all);
	return -EINVAL;
}

static int find_by_words(const struct tables *tables, struct object *object, char *const *words,
			 size_t n_words, char error[KEY_ERROR_MAX])
{
	const char *values[WORDS_MAX];

	for (size_t i = 0; i < WORDS_MAX; i++)
		values[i] = ""; /* refused by make_path */
	for (size_t i = 0; i < tables->n; i++) {
		if (match_words(tables->tables[i], words, n_words, values) != MATCH_ALL)
			continue;
		object->table = tables->tables[i];
		return make_path(object->table, values, &object->path, error);
	}
	return explain_mismatch(tables, words, n_words, error);
}

static int find_by_text(const struct tables *tables, struct object *object, const char *text,
			const char *separators, char error[KEY_ERROR_MAX])
{
	AUTO_FREE char *copy = xb_strdup(text);
	char *words[WORDS_MAX];
	size_t n = split(copy, separators, words);

	if (!n) {
		snprintf(error, KEY_ERROR_MAX, "the name of an object is missing");
		return -EINVAL;
	}
	return find_by_words(tables, object, words, n, error);
}

int object_find(const struct tables *tables, struct object *object, char *const *words,
		size_t n_words, char error[KEY_ERROR_MAX])
{
	*object = (struct object){0};
	if (*words[0] != '/')
		return find_by_words(tables, object, words, MIN(n_words, WORDS_MAX), error);
	if (n_words == 1 && !strncmp(words[0], KEYS_BASE, strlen(KEYS_BASE)))
		return find_by_text(tables, object, words[0] + strlen(KEYS_BASE), "/", error);
	snprintf(error, KEY_ERROR_MAX, "%.128s is no place of settings; allowed: one path below %s",
		 words[0], KEYS_BASE);
	return -EINVAL;
}

int object_find_section(const struct tables *tables, struct object *object, const char *section,
			char error[KEY_ERROR_MAX])
{
	*object = (struct object){0};
	return find_by_text(tables, object, section, " \t", error);
}

int object_check(const struct object *object, const char *key, const char *value,
		 char error[KEY_ERROR_MAX])
{
	AUTO_FREE void *values = xb_calloc(1, object->table->object_size);

	return key_set(object->table, values, key, value, error);
}

void object_fini(struct object *object)
{
	free(object->path);
	*object = (struct object){0};
}
