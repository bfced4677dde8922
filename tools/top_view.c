/* SPDX-License-Identifier: GPL-2.0-or-later */
/* top_view.c - the screen of `xenbackctl top` as lines, see top_view.h; top_rows.c makes the cells
 * of its tables. */
#include "top_view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "top_priv.h"

static const struct {
	int key;
	const char *name;
} sorts[] = {
	[TOP_SORT_NAME] = {'n', "name"},   [TOP_SORT_RX] = {'r', "rx"},
	[TOP_SORT_TX] = {'t', "tx"},	   [TOP_SORT_PACKETS] = {'p', "packets"},
	[TOP_SORT_USED] = {'u', "used"},   [TOP_SORT_QUEUE] = {'w', "waiting"},
	[TOP_SORT_DROPS] = {'d', "drops"},
};

bool top_sort_of_key(int key, enum top_sort *sort)
{
	for (size_t i = 0; i < ARRAY_SIZE(sorts); i++)
		if (sorts[i].key == key) {
			*sort = (enum top_sort)i;
			return true;
		}
	return false;
}

const char *top_sort_name(enum top_sort sort)
{
	return sorts[sort].name;
}

void top_number(char *out, double value)
{
	static const char units[] = " kMGTPE";
	size_t i = 0;

	while (value >= 999.5 && units[i + 1]) {
		value /= 1000;
		i++;
	}
	if (!i)
		snprintf(out, 8, "%.0f", value);
	else
		snprintf(out, 8, "%.*f%c",
			 value >= 99.95	  ? 0
			 : value >= 9.995 ? 1
					  : 2,
			 value, units[i]);
}

/* --- lines --- */

struct screen {
	struct top_line *lines;
	size_t width, height, n;
};

static void put(struct screen *screen, enum top_style style, const char *text)
{
	struct top_line *line;
	size_t n = 0;

	if (screen->n == screen->height)
		return;
	line = &screen->lines[screen->n++];
	for (; text[n] && n < screen->width; n++)
		line->text[n] = text[n] >= 0x20 && text[n] < 0x7f ? text[n] : '?';
	while (n && line->text[n - 1] == ' ')
		n--;
	line->text[n] = '\0';
	line->style = style;
}

/* Which columns fit: by rank, then in their order. */
static uint32_t choose_columns(const struct top_column *columns, size_t n, size_t width)
{
	uint32_t chosen = 0;
	size_t used = 0;

	for (unsigned int rank = 0; rank <= TOP_RANKS; rank++)
		for (size_t i = 0; i < n; i++)
			if (columns[i].rank == rank && used + columns[i].width + 1 <= width + 1) {
				chosen |= 1u << i;
				used += columns[i].width + 1;
			}
	return chosen;
}

static void put_cell(char *row, size_t *at, const struct top_column *column, const char *text)
{
	*at += (size_t)snprintf(row + *at, TOP_WIDTH_MAX + 1 - *at,
				column->left ? "%-*.*s " : "%*.*s ", (int)column->width,
				(int)column->width, text);
}

static void put_heading(struct screen *screen, const struct top_column *columns, size_t n,
			uint32_t chosen)
{
	char row[TOP_WIDTH_MAX + 2] = "";
	size_t at = 0;

	for (size_t i = 0; i < n; i++)
		if (chosen >> i & 1)
			put_cell(row, &at, &columns[i], columns[i].title);
	put(screen, TOP_HEADING, row);
}

static void put_row(struct screen *screen, const struct top_column *columns, size_t n,
		    uint32_t chosen, char cells[][TOP_CELL_MAX], enum top_style style)
{
	char row[TOP_WIDTH_MAX + 2] = "";
	size_t at = 0;

	for (size_t i = 0; i < n; i++)
		if (chosen >> i & 1)
			put_cell(row, &at, &columns[i], cells[i]);
	put(screen, style, row);
}

/* --- parts --- */

static bool in_team(const struct top_sample *now, const struct top_options *options,
		    const char *team)
{
	return options->team < 0 || (size_t)options->team >= now->n_teams ||
	       !strcmp(now->teams[options->team].name, team);
}

static void put_title(struct screen *screen, const struct top_sample *now,
		      const struct top_sample *before, const struct top_options *options)
{
	size_t up = 0, members = 0;
	double rx = 0, tx = 0;
	char text[TOP_WIDTH_MAX + 1], rx_text[8], tx_text[8];

	for (size_t i = 0; i < now->n_members; i++) {
		const struct top_member *m = &now->members[i];
		struct top_rates rates;

		if (!in_team(now, options, m->team))
			continue;
		top_member_rates(now, before, m, &rates);
		rx += rates.rx_bps;
		tx += rates.tx_bps;
		members++;
		up += top_is_up(m->state);
	}
	top_number(rx_text, rx);
	top_number(tx_text, tx);
	snprintf(text, sizeof(text), "xenback: %zu team%s, %zu of %zu NICs up, in %s out %s bit/s",
		 now->n_teams, now->n_teams == 1 ? "" : "s", up, members, rx_text, tx_text);
	put(screen, up < members ? TOP_ALERT : TOP_TITLE, text);
	if (options->error) {
		put(screen, TOP_ALERT, options->error);
		return;
	}
	snprintf(text, sizeof(text), "%s%s; VMs by %s%s",
		 options->team < 0 || (size_t)options->team >= now->n_teams ? "all teams" : "team ",
		 options->team < 0 || (size_t)options->team >= now->n_teams
			 ? ""
			 : now->teams[options->team].name,
		 top_sort_name(options->sort), options->reverse ? ", reversed" : "");
	put(screen, TOP_PLAIN, text);
}

static void put_members(struct screen *screen, const struct top_sample *now,
			const struct top_sample *before, const struct top_options *options)
{
	const size_t room = MAX(screen->height / 3, 1u);
	const uint32_t chosen =
		choose_columns(top_member_columns, TOP_MEMBER_COLUMNS, screen->width);
	char cells[TOP_MEMBER_COLUMNS][TOP_CELL_MAX], text[64];
	size_t shown = 0, left_out = 0;

	put_heading(screen, top_member_columns, TOP_MEMBER_COLUMNS, chosen);
	for (size_t i = 0; i < now->n_members; i++) {
		const struct top_member *m = &now->members[i];

		if (!in_team(now, options, m->team))
			continue;
		if (shown == room) {
			left_out++;
			continue;
		}
		shown++;
		top_member_cells(now, before, m, cells);
		put_row(screen, top_member_columns, TOP_MEMBER_COLUMNS, chosen, cells,
			top_is_up(m->state) ? TOP_PLAIN : TOP_ALERT);
	}
	if (left_out) {
		snprintf(text, sizeof(text), "... and %zu more NICs", left_out);
		put(screen, TOP_PLAIN, text);
	}
}

static void put_vms(struct screen *screen, const struct top_sample *now,
		    const struct top_sample *before, const struct top_options *options, bool keys)
{
	AUTO_FREE const struct top_vm **sorted = xb_calloc(now->n_vms + 1, sizeof(*sorted));
	const uint32_t chosen = choose_columns(top_vm_columns, TOP_VM_COLUMNS, screen->width);
	char cells[TOP_VM_COLUMNS][TOP_CELL_MAX], text[64];
	size_t n = 0, room, first;

	for (size_t i = 0; i < now->n_vms; i++)
		if (in_team(now, options, now->vms[i].team))
			sorted[n++] = &now->vms[i];
	top_sort_vms(now, before, options, sorted, n);
	put_heading(screen, top_vm_columns, TOP_VM_COLUMNS, chosen);
	room = screen->height - screen->n - (keys && screen->height > screen->n);
	first = MIN(options->first, n ? n - 1 : 0);
	if (n - first > room && room)
		room--; /* for the line that says so */
	for (size_t i = first; i < n && i < first + room; i++) {
		top_vm_cells(now, before, sorted[i], cells);
		put_row(screen, top_vm_columns, TOP_VM_COLUMNS, chosen, cells,
			sorted[i]->reason[0] ? TOP_ALERT : TOP_PLAIN);
	}
	if (n > first + room) {
		snprintf(text, sizeof(text), "... and %zu more VMs", n - first - room);
		put(screen, TOP_PLAIN, text);
	}
	if (!n)
		put(screen, TOP_PLAIN, "no VM is connected");
}

size_t top_draw(const struct top_sample *now, const struct top_sample *before,
		const struct top_options *options, struct top_line *lines, size_t width,
		size_t height, bool keys)
{
	struct screen screen = {.lines = lines,
				.width = MAX(MIN(width, TOP_WIDTH_MAX), TOP_WIDTH_MIN),
				.height = MAX(height, TOP_HEIGHT_MIN)};

	put_title(&screen, now, before, options);
	put_members(&screen, now, before, options);
	put_vms(&screen, now, before, options, keys);
	if (!keys)
		return screen.n;
	while (screen.n + 1 < screen.height)
		put(&screen, TOP_PLAIN, "");
	put(&screen, TOP_KEYS,
	    "q quit  by: n name r rx t tx p packets u used w waiting d drops  Tab team");
	return screen.n;
}
