/* SPDX-License-Identifier: GPL-2.0-or-later */
/* openmetrics.c - several OpenMetrics texts as one, see openmetrics.h. */
#include "openmetrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "common/util.h"

#define END "# EOF\n"

/* Lines that grow. */
struct lines {
	char *text;
	size_t n;
};

struct family {
	struct family *prev, *next;
	char *name, *type;
	struct lines metadata, samples;
};

struct openmetrics {
	struct family *families;
};

static void lines_add(struct lines *lines, const char *text, size_t n)
{
	lines->text = xb_realloc(lines->text, lines->n + n + 1);
	memcpy(lines->text + lines->n, text, n);
	lines->n += n;
	lines->text[lines->n] = '\0';
}

struct openmetrics *openmetrics_create(void)
{
	return xb_calloc(1, sizeof(struct openmetrics));
}

void openmetrics_destroy(struct openmetrics *om)
{
	struct family *family, *next;

	if (!om)
		return;
	DL_FOREACH_SAFE (om->families, family, next) {
		DL_DELETE(om->families, family);
		free(family->name);
		free(family->type);
		free(family->metadata.text);
		free(family->samples.text);
		free(family);
	}
	free(om);
}

static struct family *find_family(struct openmetrics *om, const char *name, size_t n)
{
	struct family *family;

	DL_FOREACH (om->families, family)
		if (strlen(family->name) == n && !memcmp(family->name, name, n))
			return family;
	return NULL;
}

/* A line "# TYPE name type": its two words. */
static bool read_type(const char *line, size_t size, const char **name, size_t *n_name,
		      const char **type, size_t *n_type)
{
	static const char start[] = "# TYPE ";
	const char *blank, *end = line + size;

	if (size < sizeof(start) || memcmp(line, start, sizeof(start) - 1) != 0)
		return false;
	*name = line + sizeof(start) - 1;
	blank = memchr(*name, ' ', (size_t)(end - *name));
	if (!blank || blank == *name || blank + 1 == end)
		return false;
	*n_name = (size_t)(blank - *name);
	*type = blank + 1;
	*n_type = (size_t)(end - *type);
	return true;
}

static struct family *open_family(struct openmetrics *om, const char *line, size_t size, bool *old)
{
	const char *name, *type;
	size_t n_name, n_type;
	struct family *family;

	if (!read_type(line, size, &name, &n_name, &type, &n_type))
		return NULL;
	family = find_family(om, name, n_name);
	*old = family != NULL;
	if (family)
		return strlen(family->type) == n_type && !memcmp(family->type, type, n_type)
			       ? family
			       : NULL;
	family = xb_calloc(1, sizeof(*family));
	family->name = xb_asprintf("%.*s", (int)n_name, name);
	family->type = xb_asprintf("%.*s", (int)n_type, type);
	DL_APPEND(om->families, family);
	return family;
}

static bool is_type(const char *line, size_t size)
{
	return size > 7 && !memcmp(line, "# TYPE ", 7);
}

static bool add(struct openmetrics *om, const char *text)
{
	struct family *family = NULL;
	bool old = false;

	while (strcmp(text, END) != 0) {
		const char *end = strchr(text, '\n');
		size_t size;

		if (!end)
			return false;
		size = (size_t)(end - text);
		if (is_type(text, size))
			family = open_family(om, text, size, &old);
		if (!family)
			return false;
		if (*text != '#')
			lines_add(&family->samples, text, size + 1);
		else if (!old)
			lines_add(&family->metadata, text, size + 1);
		text = end + 1;
	}
	return true;
}

bool openmetrics_add(struct openmetrics *om, const char *text)
{
	struct openmetrics trial = {0};
	AUTO_FREE char *all = openmetrics_text(om);
	const bool fine = add(&trial, all) && add(&trial, text);
	struct family *families = om->families;

	/* What was half read goes with the trial; on success the trial is what stays. */
	if (fine) {
		om->families = trial.families;
		trial.families = families;
	}
	openmetrics_destroy(memcpy(xb_calloc(1, sizeof(trial)), &trial, sizeof(trial)));
	return fine;
}

char *openmetrics_text(const struct openmetrics *om)
{
	struct lines all = {0};
	const struct family *family;

	DL_FOREACH (om->families, family) {
		lines_add(&all, family->metadata.text, family->metadata.n);
		if (family->samples.n)
			lines_add(&all, family->samples.text, family->samples.n);
	}
	lines_add(&all, END, strlen(END));
	return all.text;
}

char *openmetrics_escape(const char *value)
{
	char *out = xb_calloc(2 * strlen(value) + 1, 1), *to = out;

	for (; *value; value++) {
		if (strchr("\\\"\n", *value))
			*to++ = '\\';
		*to++ = *value == '\n' ? 'n' : *value;
	}
	return out;
}
