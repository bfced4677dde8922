/* SPDX-License-Identifier: GPL-2.0-or-later */
/* openmetrics-lint.c - is a text OpenMetrics 1.0? See openmetrics-lint.h. */
#include "openmetrics-lint.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"

#define FAMILIES_MAX 1024u
#define SAMPLES_MAX  65536u
#define LABELS_MAX   16u
#define NAME_MAX_LEN 200u

struct family {
	char name[NAME_MAX_LEN], type[16];
	bool has_type, has_unit, has_help, has_samples;
};

struct lint {
	struct family families[FAMILIES_MAX];
	size_t n_families;
	char **samples; /* name and labels */
	size_t n_samples;
	unsigned int line;
	char *error;
	size_t error_size;
};

static bool refuse(struct lint *lint, const char *rule, const char *what)
{
	snprintf(lint->error, lint->error_size, "line %u: %s: %.120s", lint->line, rule, what);
	return false;
}

/* metricname: letters, digits, _ and :, no digit first; labels have no colon. */
static size_t name_length(const char *text, bool colon)
{
	size_t n = 0;

	while (isalpha((unsigned char)text[n]) || text[n] == '_' || (colon && text[n] == ':') ||
	       (n && isdigit((unsigned char)text[n])))
		n++;
	return n;
}

/* \\, \" and \n are all the escapes that there are; ends at the NUL, or at an unescaped `end`. */
static const char *skip_escaped(const char *text, char end)
{
	for (; *text && *text != end; text++) {
		if ((unsigned char)*text < 0x20 || (unsigned char)*text > 0x7e)
			return NULL;
		if (*text == '\\' && !strchr("\\\"n", *++text))
			return NULL;
		if (!*text)
			return NULL;
	}
	return text;
}

static const char *const types[] = {"counter", "gauge", "info", "unknown", "stateset", NULL};

static bool known_type(const char *type)
{
	for (size_t i = 0; types[i]; i++)
		if (!strcmp(types[i], type))
			return true;
	return false;
}

static struct family *family_of(struct lint *lint, const char *name, size_t n)
{
	struct family *last = lint->n_families ? &lint->families[lint->n_families - 1] : NULL;

	if (last && strlen(last->name) == n && !memcmp(last->name, name, n))
		return last;
	for (size_t i = 0; i < lint->n_families; i++)
		if (strlen(lint->families[i].name) == n && !memcmp(lint->families[i].name, name, n))
			return NULL; /* interleaved, or twice */
	if (lint->n_families == FAMILIES_MAX || n >= NAME_MAX_LEN)
		return NULL;
	last = &lint->families[lint->n_families++];
	memset(last, 0, sizeof(*last));
	memcpy(last->name, name, n);
	strcpy(last->type, "unknown");
	return last;
}

static bool lint_type(struct lint *lint, struct family *family, const char *rest)
{
	if (family->has_type || !known_type(rest))
		return refuse(lint, "TYPE twice or unknown", rest);
	family->has_type = true;
	strcpy(family->type, rest);
	return true;
}

static bool lint_unit(struct lint *lint, struct family *family, const char *rest)
{
	const size_t n = strlen(family->name), unit = strlen(rest);

	if (family->has_unit || !unit || n <= unit + 1 || family->name[n - unit - 1] != '_' ||
	    strcmp(family->name + n - unit, rest) != 0)
		return refuse(lint, "UNIT twice, or no suffix of the name", rest);
	family->has_unit = true;
	return true;
}

static bool lint_help(struct lint *lint, struct family *family, const char *rest)
{
	const char *end = skip_escaped(rest, '\0');

	if (family->has_help || !end)
		return refuse(lint, "HELP twice, or wrongly escaped", rest);
	family->has_help = true;
	return true;
}

static bool lint_metadata(struct lint *lint, const char *line)
{
	const char *name = line + 7, *rest;
	size_t n;
	struct family *family;

	if (strncmp(line, "# TYPE ", 7) && strncmp(line, "# UNIT ", 7) &&
	    strncmp(line, "# HELP ", 7))
		return refuse(lint, "no TYPE, UNIT or HELP", line);
	n = name_length(name, true);
	if (!n || name[n] != ' ')
		return refuse(lint, "no name of a family", line);
	family = family_of(lint, name, n);
	if (!family)
		return refuse(lint, "the family was there before", line);
	if (family->has_samples)
		return refuse(lint, "metadata behind samples", line);
	rest = name + n + 1;
	if (line[2] == 'T')
		return lint_type(lint, family, rest);
	return line[2] == 'U' ? lint_unit(lint, family, rest) : lint_help(lint, family, rest);
}

/* {name="value",...}: what follows the brace, NULL after a message. */
static const char *lint_labels(struct lint *lint, const char *at)
{
	const char *names[LABELS_MAX];
	size_t lengths[LABELS_MAX], n = 0;

	do {
		if (n == LABELS_MAX)
			return refuse(lint, "too many labels", at), NULL;
		names[n] = ++at;
		lengths[n] = name_length(at, false);
		at += lengths[n];
		if (!lengths[n] || at[0] != '=' || at[1] != '"')
			return refuse(lint, "no label", names[n]), NULL;
		for (size_t i = 0; i < n; i++)
			if (lengths[i] == lengths[n] && !memcmp(names[i], names[n], lengths[n]))
				return refuse(lint, "label twice", names[n]), NULL;
		at = skip_escaped(at + 2, '"');
		if (!at || *at++ != '"')
			return refuse(lint, "label value not escaped or not ended", names[n]), NULL;
		n++;
	} while (*at == ',');
	if (*at != '}')
		return refuse(lint, "labels do not end", at), NULL;
	return at + 1;
}

static bool lint_value(struct lint *lint, const struct family *family, const char *text)
{
	char *end;
	double value;

	if (isspace((unsigned char)*text) || !strncasecmp(text, "0x", 2))
		return refuse(lint, "no number", text);
	value = strtod(text, &end);
	if (end == text || *end)
		return refuse(lint, "no number, or something behind it", text);
	if (!strcmp(family->type, "counter") && (isnan(value) || value < 0))
		return refuse(lint, "a counter below 0", text);
	if (!strcmp(family->type, "info") && value != 1)
		return refuse(lint, "info that is not 1", text);
	return true;
}

static bool lint_sample(struct lint *lint, char *line)
{
	struct family *family = lint->n_families ? &lint->families[lint->n_families - 1] : NULL;
	const size_t n = name_length(line, true);
	const char *at = line + n, *suffix = "";
	char wanted[NAME_MAX_LEN + 8];

	if (!family)
		return refuse(lint, "a sample without a family", line);
	if (!strcmp(family->type, "counter"))
		suffix = "_total";
	else if (!strcmp(family->type, "info"))
		suffix = "_info";
	snprintf(wanted, sizeof(wanted), "%s%s", family->name, suffix);
	if (strlen(wanted) != n || memcmp(wanted, line, n) != 0)
		return refuse(lint, "a sample of another family, or without its suffix", line);
	if (*at == '{')
		at = lint_labels(lint, at);
	if (!at)
		return false;
	if (*at != ' ')
		return refuse(lint, "no blank before the value", line);
	if (!lint_value(lint, family, at + 1))
		return false;
	family->has_samples = true;
	line[at - line] = '\0';
	for (size_t i = 0; i < lint->n_samples; i++)
		if (!strcmp(lint->samples[i], line))
			return refuse(lint, "a sample twice", line);
	if (lint->n_samples == SAMPLES_MAX)
		return refuse(lint, "too many samples", line);
	lint->samples[lint->n_samples++] = xb_strdup(line);
	return true;
}

static bool lint_lines(struct lint *lint, char *text)
{
	for (char *end; (end = strchr(text, '\n')); text = end + 1) {
		*end = '\0';
		lint->line++;
		if (!strcmp(text, "# EOF"))
			return end[1] ? refuse(lint, "something behind # EOF", end + 1) : true;
		if (*text == '#' ? !lint_metadata(lint, text) : !lint_sample(lint, text))
			return false;
	}
	return refuse(lint, "no # EOF", text);
}

bool openmetrics_lint(const char *text, char *error, size_t error_size)
{
	struct lint *lint = xb_calloc(1, sizeof(*lint));
	AUTO_FREE char *copy = xb_strdup(text);
	bool fine;

	lint->samples = xb_calloc(SAMPLES_MAX, sizeof(*lint->samples));
	lint->error = error;
	lint->error_size = error_size;
	fine = lint_lines(lint, copy);
	while (lint->n_samples)
		free(lint->samples[--lint->n_samples]);
	free(lint->samples);
	free(lint);
	return fine;
}
