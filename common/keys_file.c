/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keys_file.c - splits a configuration text into (section, key, value, line); what they mean is the
 * caller's business. Pure. */
#include "keys.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

struct parser {
	struct keys_file *file;
	const char *name;
	char *section; /* of the current line, NULL before the first */
	unsigned int line;
	char *error;
};

static int fail(struct parser *p, const char *what)
{
	snprintf(p->error, KEY_ERROR_MAX, "%.100s:%u: %s", p->name, p->line, what);
	return -EINVAL;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Cuts white space off both ends, in place. */
static char *strip(char *text)
{
	size_t n;

	while (is_blank(*text))
		text++;
	n = strlen(text);
	while (n && is_blank(text[n - 1]))
		n--;
	text[n] = 0;
	return text;
}

/* A # starts a comment at the start of a line and after white space, so that it may stand inside of
 * a value. */
static void cut_comment(char *text)
{
	for (char *c = text; *c; c++)
		if (*c == '#' && (c == text || is_blank(c[-1]))) {
			*c = 0;
			return;
		}
}

static int parse_section(struct parser *p, char *text)
{
	size_t n = strlen(text);

	if (n < 2 || text[n - 1] != ']')
		return fail(p, "a section is written [NAME], the ] is missing");
	text[n - 1] = 0;
	text = strip(text + 1);
	if (!*text)
		return fail(p, "a section needs a name, such as [team NAME]");
	free(p->section);
	p->section = xb_strdup(text);
	return 0;
}

static int parse_item(struct parser *p, char *text)
{
	struct keys_file *file = p->file;
	struct keys_file_item *item;
	char *equals = strchr(text, '=');
	char *key;

	if (!equals)
		return fail(p, "expected `key = value`, [section] or # comment");
	*equals = 0;
	key = strip(text);
	if (!*key)
		return fail(p, "expected a key before the =");
	if (!p->section)
		return fail(p, "a key must stand below a [section]");
	/* Grows by doubling: at powers of two the array is full. */
	if (!(file->n_items & (file->n_items - 1)))
		file->items =
			xb_realloc(file->items, MAX(file->n_items * 2, 1) * sizeof(*file->items));
	item = &file->items[file->n_items++];
	item->section = xb_strdup(p->section);
	item->key = xb_strdup(key);
	item->value = xb_strdup(strip(equals + 1));
	item->line = p->line;
	return 0;
}

static int parse_line(struct parser *p, char *text)
{
	for (const char *c = text; *c; c++)
		if ((unsigned char)*c < 0x20 && *c != '\t')
			return fail(p, "control character in the line");
	cut_comment(text);
	text = strip(text);
	if (!*text)
		return 0;
	return *text == '[' ? parse_section(p, text) : parse_item(p, text);
}

int keys_file_parse(struct keys_file *file, const char *name, const char *text, size_t size,
		    char error[KEY_ERROR_MAX])
{
	struct parser p = {.file = file, .name = name, .error = error};
	int err = 0;

	*file = (struct keys_file){0};
	for (size_t pos = 0; pos < size && !err;) {
		const char *end = memchr(text + pos, '\n', size - pos);
		size_t n = end ? (size_t)(end - text) - pos : size - pos;
		AUTO_FREE char *line = xb_calloc(1, n + 1);

		memcpy(line, text + pos, n);
		if (n && line[n - 1] == '\r')
			line[n - 1] = 0;
		p.line++;
		err = memchr(text + pos, 0, n) ? fail(&p, "NUL byte in the line")
					       : parse_line(&p, line);
		pos += n + 1;
	}
	free(p.section);
	if (err)
		keys_file_fini(file);
	return err;
}

void keys_file_fini(struct keys_file *file)
{
	for (size_t i = 0; i < file->n_items; i++) {
		free(file->items[i].section);
		free(file->items[i].key);
		free(file->items[i].value);
	}
	free(file->items);
	*file = (struct keys_file){0};
}
