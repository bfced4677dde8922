/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stats.c - registry of counters and gauges, and its three ways of printing.
 *
 * OpenMetrics wants all samples of a metric together under one TYPE and HELP, while we keep one
 * group an object: the printer walks the groups once for each distinct (family, name), in order of
 * first appearance.
 */
#include "stats.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <utlist.h>

#include "util.h"

struct stats_group {
	struct stats_group *prev, *next;
	const char *family;
	json_t *labels;
	const struct stat_desc *descs;
	size_t n_descs;
	const void *base;
};

struct stats {
	struct stats_group *groups;
};

struct stats *stats_create(void)
{
	return xb_calloc(1, sizeof(struct stats));
}

void stats_destroy(struct stats *stats)
{
	struct stats_group *group, *next;

	if (!stats)
		return;
	DL_FOREACH_SAFE (stats->groups, group, next) {
		stats_remove(stats, group);
	}
	free(stats);
}

struct stats_group *stats_add(struct stats *stats, const char *family, json_t *labels,
			      const struct stat_desc *descs, size_t n_descs, const void *base)
{
	struct stats_group *group = xb_calloc(1, sizeof(*group));

	assert(!labels || json_is_object(labels));
	*group = (struct stats_group){.family = family,
				      .labels = labels ? labels : json_object(),
				      .descs = descs,
				      .n_descs = n_descs,
				      .base = base};
	DL_APPEND(stats->groups, group);
	return group;
}

void stats_remove(struct stats *stats, struct stats_group *group)
{
	if (!group)
		return;
	DL_DELETE(stats->groups, group);
	json_decref(group->labels);
	free(group);
}

static uint64_t read_value(const struct stats_group *group, const struct stat_desc *desc)
{
	const uint64_t *value = (const uint64_t *)((const char *)group->base + desc->offset);

	return __atomic_load_n(value, __ATOMIC_RELAXED);
}

json_t *stats_to_json(const struct stats *stats)
{
	json_t *array = json_array();
	const struct stats_group *group;

	DL_FOREACH (stats->groups, group) {
		json_t *values = json_object();

		for (size_t i = 0; i < group->n_descs; i++)
			json_object_set_new(
				values, group->descs[i].name,
				json_integer((json_int_t)read_value(group, &group->descs[i])));
		json_array_append_new(array, json_pack("{s:s, s:O, s:o}", "family", group->family,
						       "labels", group->labels, "values", values));
	}
	return array;
}

/* ", \ and line ends are all that OpenMetrics wants escaped, in HELP and in label values alike. */
static void print_escaped(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '\n') {
			fputs("\\n", out);
			continue;
		}
		if (*text == '"' || *text == '\\')
			fputc('\\', out);
		fputc(*text, out);
	}
}

static void print_labels(FILE *out, json_t *labels)
{
	const char *name, *separator = "{";
	json_t *value;

	json_object_foreach(labels, name, value)
	{
		fprintf(out, "%s%s=\"", separator, name);
		print_escaped(out, json_is_string(value) ? json_string_value(value) : "");
		fputc('"', out);
		separator = ",";
	}
	if (*separator == ',')
		fputc('}', out);
}

static const struct stat_desc *find_desc(const struct stats_group *group, const char *family,
					 const char *name)
{
	if (strcmp(group->family, family))
		return NULL;
	for (size_t i = 0; i < group->n_descs; i++)
		if (!strcmp(group->descs[i].name, name))
			return &group->descs[i];
	return NULL;
}

static bool seen_before(const struct stats *stats, const struct stats_group *until,
			const char *name)
{
	for (const struct stats_group *group = stats->groups; group != until; group = group->next)
		if (find_desc(group, until->family, name))
			return true;
	return false;
}

/* The unit is the last word of the name, where it is one that OpenMetrics knows. */
static const char *unit_of(const char *name)
{
	static const char *const units[] = {"bytes", "seconds", "ratio", "celsius"};
	const char *word = strrchr(name, '_');

	for (size_t i = 0; word && i < ARRAY_SIZE(units); i++)
		if (!strcmp(word + 1, units[i]))
			return units[i];
	return NULL;
}

static void print_metric(FILE *out, const struct stats_group *first, const struct stat_desc *desc)
{
	bool counter = desc->kind == STAT_KIND_COUNTER;
	const char *unit = unit_of(desc->name);

	fprintf(out, "# TYPE xb_%s_%s %s\n", first->family, desc->name,
		counter ? "counter" : "gauge");
	if (unit)
		fprintf(out, "# UNIT xb_%s_%s %s\n", first->family, desc->name, unit);
	fprintf(out, "# HELP xb_%s_%s ", first->family, desc->name);
	print_escaped(out, desc->help);
	fputc('\n', out);
	for (const struct stats_group *group = first; group; group = group->next) {
		const struct stat_desc *own = find_desc(group, first->family, desc->name);

		if (!own)
			continue;
		assert(own->kind == desc->kind);
		fprintf(out, "xb_%s_%s%s", group->family, own->name, counter ? "_total" : "");
		print_labels(out, group->labels);
		fprintf(out, " %" PRIu64 "\n", read_value(group, own));
	}
}

static FILE *open_text(char **text, size_t *size)
{
	FILE *out = open_memstream(text, size);

	if (!out)
		abort(); /* open_memstream fails for want of memory only */
	return out;
}

char *stats_to_openmetrics(const struct stats *stats)
{
	const struct stats_group *group;
	char *text = NULL;
	size_t size;
	FILE *out = open_text(&text, &size);

	DL_FOREACH (stats->groups, group) {
		for (size_t i = 0; i < group->n_descs; i++)
			if (!seen_before(stats, group, group->descs[i].name))
				print_metric(out, group, &group->descs[i]);
	}
	fputs("# EOF\n", out);
	fclose(out);
	return text;
}

char *stats_to_text(const struct stats *stats)
{
	const struct stats_group *group;
	const char *name;
	json_t *value;
	char *text = NULL;
	size_t size;
	FILE *out = open_text(&text, &size);

	DL_FOREACH (stats->groups, group) {
		int width = 0;

		fputs(group->family, out);
		json_object_foreach(group->labels, name, value)
		{
			fprintf(out, " %s=%s", name,
				json_is_string(value) ? json_string_value(value) : "");
		}
		fputc('\n', out);
		for (size_t i = 0; i < group->n_descs; i++)
			width = MAX(width, (int)strlen(group->descs[i].name));
		for (size_t i = 0; i < group->n_descs; i++)
			fprintf(out, "  %-*s %20" PRIu64 "\n", width, group->descs[i].name,
				read_value(group, &group->descs[i]));
	}
	fclose(out);
	return text;
}
