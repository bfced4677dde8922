/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xenbackctl_render.c - JSON as text for people: aligned tables, blocks of lines, quantities with
 * their units.
 *
 * It knows the names' endings, not the names: what a daemon adds tomorrow is shown without a change
 * here.
 */
#include "xenbackctl.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"

struct table {
	bool heading; /* row 0 names the columns, and those of quantities go to the right */
	char ***rows; /* cells, NULL-terminated */
	size_t n_rows, n_cells; /* cells of the last row, which is still open */
};

struct table *table_create(bool heading)
{
	struct table *table = xb_calloc(1, sizeof(*table));

	table->heading = heading;
	return table;
}

char *render_text(const char *text)
{
	char *copy = xb_strdup(text);

	for (char *c = copy; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	return copy;
}

void table_add(struct table *table, const char *text)
{
	char ***row;

	if (!table->n_cells) {
		table->rows = xb_realloc(table->rows, (table->n_rows + 1) * sizeof(*table->rows));
		table->rows[table->n_rows] = NULL;
	}
	row = &table->rows[table->n_rows];
	*row = xb_realloc(*row, (table->n_cells + 2) * sizeof(**row));
	(*row)[table->n_cells++] = render_text(*text ? text : "-");
	(*row)[table->n_cells] = NULL;
}

void table_end_row(struct table *table)
{
	if (table->n_cells)
		table->n_rows++;
	table->n_cells = 0;
}

/* "12", "1.5 GB", "4 min 3 s": starts with a digit and is no address or place. */
static bool is_quantity(const char *text)
{
	return isdigit((unsigned char)*text) && !strpbrk(text, ":/,=-");
}

struct column {
	size_t width;
	bool right;
};

static struct column *measure(const struct table *table, size_t *n_columns)
{
	struct column *columns = NULL;

	*n_columns = 0;
	for (size_t i = 0; i < table->n_rows; i++)
		for (size_t j = 0; table->rows[i][j]; j++) {
			const char *text = table->rows[i][j];

			if (j == *n_columns) {
				columns = xb_realloc(columns, ++*n_columns * sizeof(*columns));
				columns[j] = (struct column){.right = table->heading};
			}
			columns[j].width = MAX(columns[j].width, strlen(text));
			if (i && strcmp(text, "-") && !is_quantity(text))
				columns[j].right = false;
		}
	return columns;
}

static void print_row(FILE *out, char **cells, const struct column *columns, int indent)
{
	fprintf(out, "%*s", indent, "");
	for (size_t j = 0; cells[j]; j++) {
		int width = (int)columns[j].width;

		if (columns[j].right)
			fprintf(out, "%*s", width, cells[j]);
		else if (cells[j + 1])
			fprintf(out, "%-*s", width, cells[j]);
		else
			fputs(cells[j], out); /* no blanks at the end of a line */
		fputs(cells[j + 1] ? "  " : "\n", out);
	}
}

void table_print(struct table *table, FILE *out, int indent)
{
	size_t n_columns;
	AUTO_FREE struct column *columns = measure(table, &n_columns);

	table_end_row(table);
	for (size_t i = 0; i < table->n_rows; i++) {
		print_row(out, table->rows[i], columns, indent);
		for (size_t j = 0; table->rows[i][j]; j++)
			free(table->rows[i][j]);
		free(table->rows[i]);
	}
	free(table->rows);
	free(table);
}

/* Three digits, none of them a 0 behind the point. */
static char *short_number(double value)
{
	char *text = xb_asprintf("%.*f", value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2, value);
	size_t n = strlen(text);

	while (strchr(text, '.') && strchr(".0", text[n - 1])) {
		bool point = text[--n] == '.';

		text[n] = 0;
		if (point)
			break;
	}
	return text;
}

/* With a decimal prefix; numbers that are easy to read stay whole. */
static char *scaled(double value, double whole_below, const char *unit)
{
	static const char *const prefixes[] = {"", "k", "M", "G", "T", "P", "E"};
	AUTO_FREE char *number = NULL;
	size_t i = 0;

	while (value >= (i ? 999.5 : whole_below) && i + 1 < ARRAY_SIZE(prefixes)) {
		value /= 1000;
		i++;
	}
	number = i ? short_number(value) : xb_asprintf("%.0f", value);
	return xb_asprintf("%s%s%s%s", number, *unit ? " " : "", prefixes[i], unit);
}

/* Two units at most: more nobody reads. */
static char *duration(double seconds)
{
	AUTO_FREE char *number = NULL;
	uint64_t s = (uint64_t)seconds;

	if (seconds < 60) {
		int i = seconds <= 0 ? 0 : seconds < 0.0009995 ? 2 : seconds < 0.9995 ? 1 : 0;

		number = short_number(seconds * (i == 2 ? 1e6 : i == 1 ? 1e3 : 1));
		return xb_asprintf("%s %s", number, i == 2 ? "us" : i == 1 ? "ms" : "s");
	}
	if (s < 3600)
		return xb_asprintf("%" PRIu64 " min %" PRIu64 " s", s / 60, s % 60);
	if (s < 86400)
		return xb_asprintf("%" PRIu64 " h %" PRIu64 " min", s / 3600, s % 3600 / 60);
	return xb_asprintf("%" PRIu64 " d %" PRIu64 " h", s / 86400, s % 86400 / 3600);
}

static char *as_bytes(double value)
{
	return scaled(value, 10000, "B");
}

static char *as_count(double value)
{
	return scaled(value, 1000000, "");
}

static char *as_bps(double value)
{
	return scaled(value, 1000, "bit/s");
}

static char *as_mbps(double value)
{
	return scaled(value * 1e6, 1000, "bit/s");
}

static char *as_s(double value)
{
	return duration(value);
}

static char *as_ms(double value)
{
	return duration(value / 1e3);
}

static char *as_us(double value)
{
	return duration(value / 1e6);
}

static char *as_ns(double value)
{
	return duration(value / 1e9);
}

struct ending {
	const char *text;
	char *(*format)(double value);
	bool in_label; /* the value does not say it */
};

static const struct ending endings[] = {
	{"bytes", as_bytes, false}, {"packets", as_count, true}, {"bps", as_bps, false},
	{"mbps", as_mbps, false},   {"s", as_s, false},		 {"seconds", as_s, false},
	{"ms", as_ms, false},	    {"us", as_us, false},	 {"ns", as_ns, false},
};

static const struct ending *find_ending(const char *name)
{
	const char *word = strrchr(name, '_');

	for (size_t i = 0; word && i < ARRAY_SIZE(endings); i++)
		if (!strcmp(word + 1, endings[i].text))
			return &endings[i];
	return NULL;
}

static char *join(const json_t *array)
{
	char *text = xb_strdup("");
	size_t i;
	json_t *item;

	json_array_foreach((json_t *)(uintptr_t)array, i, item)
	{
		AUTO_FREE char *one = render_value("", item);
		char *longer = xb_asprintf("%s%s%s", text, i ? ", " : "", one);

		free(text);
		text = longer;
	}
	return text;
}

char *render_value(const char *name, const json_t *value)
{
	const struct ending *ending = find_ending(name);

	if (json_is_string(value))
		return xb_strdup(json_string_value(value));
	if (json_is_boolean(value))
		return xb_strdup(json_is_true(value) ? "yes" : "no");
	if (json_is_number(value) && ending)
		return json_number_value(value) < 0 ? xb_strdup("")
						    : ending->format(json_number_value(value));
	if (json_is_integer(value))
		return xb_asprintf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
	if (json_is_real(value))
		return xb_asprintf("%g", json_real_value(value));
	if (json_is_array(value))
		return join(value);
	if (json_is_object(value)) {
		char *text = json_dumps(value, JSON_COMPACT);

		return text ? text : xb_strdup("");
	}
	return xb_strdup("");
}

char *render_label(const char *name)
{
	const struct ending *ending = find_ending(name);
	char *label = xb_strdup(name);

	if (ending && !ending->in_label)
		label[strlen(name) - strlen(ending->text) - 1] = 0;
	for (char *c = label; *c; c++)
		if (*c == '_')
			*c = ' ';
	return label;
}

static bool is_among(const char *name, const char *const *names)
{
	for (; names && *names; names++)
		if (!strcmp(*names, name))
			return true;
	return false;
}

static bool is_row(const json_t *value)
{
	return json_is_object(json_array_get(value, 0));
}

/* Blocks follow after the lines, so that the eye finds the lines together. */
static bool is_block(const json_t *value)
{
	return json_is_object(value) || is_row(value);
}

/* What is text already, as options are, keeps its name as it is to be typed. */
static void add_line(struct table *table, const char *name, const json_t *value)
{
	AUTO_FREE char *label = json_is_string(value) ? xb_strdup(name) : render_label(name);
	AUTO_FREE char *text = render_value(name, value);

	table_add(table, label);
	table_add(table, text);
	table_end_row(table);
}

static void render_block(FILE *out, const char *name, const json_t *value, int indent)
{
	AUTO_FREE char *label = render_label(name);

	fprintf(out, "%*s%s:\n", indent, "", label);
	if (json_is_object(value))
		render_object(out, value, NULL, indent + 2);
	else
		render_rows(out, value, NULL, false, indent + 2);
}

void render_object(FILE *out, const json_t *object, const char *const *first, int indent)
{
	struct table *table = table_create(false);
	const char *name;
	json_t *value;

	for (const char *const *known = first; known && *known; known++) {
		value = json_object_get(object, *known);
		if (value && !is_block(value))
			add_line(table, *known, value);
	}
	json_object_foreach((json_t *)(uintptr_t)object, name, value)
	{
		if (!is_among(name, first) && !is_block(value))
			add_line(table, name, value);
	}
	table_print(table, out, indent);
	json_object_foreach((json_t *)(uintptr_t)object, name, value)
	{
		if (is_block(value) && json_object_size(value) + json_array_size(value))
			render_block(out, name, value, indent);
	}
}

static bool any_row_has(const json_t *rows, const char *name)
{
	for (size_t i = 0; i < json_array_size(rows); i++)
		if (json_object_get(json_array_get(rows, i), name))
			return true;
	return false;
}

/* Names of the columns, NULL-terminated: `first`, then what else any row has. They belong to rows
 * and first. */
static const char **choose_columns(const json_t *rows, const char *const *first, bool only)
{
	const char **columns = xb_calloc(1, sizeof(*columns)), *name;
	size_t n = 0;
	json_t *value;

	for (; first && *first; first++)
		if (any_row_has(rows, *first)) {
			columns = xb_realloc(columns, (n + 2) * sizeof(*columns));
			columns[n++] = *first;
			columns[n] = NULL;
		}
	for (size_t i = 0; i < json_array_size(rows) && !only; i++)
		json_object_foreach(json_array_get(rows, i), name, value)
		{
			if (is_among(name, columns))
				continue;
			columns = xb_realloc(columns, (n + 2) * sizeof(*columns));
			columns[n++] = name;
			columns[n] = NULL;
		}
	return columns;
}

static void add_heading(struct table *table, const char *name)
{
	AUTO_FREE char *label = render_label(name);

	for (char *c = label; *c; c++)
		*c = (char)toupper((unsigned char)*c);
	table_add(table, label);
}

void render_rows(FILE *out, const json_t *rows, const char *const *first, bool only, int indent)
{
	AUTO_FREE const char **columns = choose_columns(rows, first, only);
	struct table *table = table_create(true);

	for (size_t j = 0; columns[j]; j++)
		add_heading(table, columns[j]);
	table_end_row(table);
	for (size_t i = 0; i < json_array_size(rows); i++) {
		for (size_t j = 0; columns[j]; j++) {
			AUTO_FREE char *text = render_value(
				columns[j], json_object_get(json_array_get(rows, i), columns[j]));

			table_add(table, text);
		}
		table_end_row(table);
	}
	table_print(table, out, indent);
}
