/* SPDX-License-Identifier: GPL-2.0-or-later */
/* top_rows.c - rates, cells and order of the tables of `xenbackctl top`, see top_priv.h; top_view.c
 * puts them on the screen. */
#include "top_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"

const struct top_column top_member_columns[TOP_MEMBER_COLUMNS] = {
	{"NIC", 15, 0, true},	  {"TEAM", 12, 1, true},   {"MODE", 13, 4, true},
	{"STATE", 9, 0, true},	  {"SPEED", 6, 3, false},  {"IN BIT", 6, 0, false},
	{"OUT BIT", 7, 0, false}, {"IN PPS", 6, 2, false}, {"OUT PPS", 7, 2, false},
	{"USE", 4, 1, false},	  {"QUEUE", 8, 3, false},  {"ERRORS", 6, 4, false},
	{"LOST/S", 6, 5, false},
};

const struct top_column top_vm_columns[TOP_VM_COLUMNS] = {
	{"VM", 12, 0, true},	 {"VIF", 8, 1, true},	  {"TEAM", 12, 4, true},
	{"NIC", 8, 4, true},	 {"RX BIT", 6, 0, false}, {"TX BIT", 6, 0, false},
	{"RX PPS", 6, 4, false}, {"TX PPS", 6, 4, false}, {"SHARES", 6, 3, false},
	{"PRIO", 4, 5, false},	 {"ENT%", 4, 1, false},	  {"USE%", 4, 1, false},
	{"WAITS", 6, 2, false},	 {"TURN", 4, 5, true},	  {"LOST/S", 6, 1, false},
	{"WHY", 12, 2, true},
};

bool top_is_up(const char *state)
{
	return !strcmp(state, "active") || !strcmp(state, "standby");
}

static double per_second(uint64_t now, uint64_t before, uint64_t ns)
{
	return now > before && ns ? (double)(now - before) * 1e9 / (double)ns : 0;
}

static void rates_of(const struct top_counters *now, const struct top_counters *before, uint64_t ns,
		     struct top_rates *rates)
{
	*rates = (struct top_rates){
		.rx_bps = 8 * per_second(now->rx_bytes, before->rx_bytes, ns),
		.tx_bps = 8 * per_second(now->tx_bytes, before->tx_bytes, ns),
		.rx_pps = per_second(now->rx_packets, before->rx_packets, ns),
		.tx_pps = per_second(now->tx_packets, before->tx_packets, ns),
		.drops = per_second(now->dropped, before->dropped, ns),
	};
}

static uint64_t passed(const struct top_sample *now, const struct top_sample *before)
{
	return now->time_ns > before->time_ns ? now->time_ns - before->time_ns : 0;
}

void top_member_rates(const struct top_sample *now, const struct top_sample *before,
		      const struct top_member *member, struct top_rates *rates)
{
	*rates = (struct top_rates){0};
	for (size_t i = 0; before && i < before->n_members; i++) {
		const struct top_member *old = &before->members[i];

		if (strcmp(old->name, member->name) || strcmp(old->team, member->team))
			continue;
		rates_of(&member->counters, &old->counters, passed(now, before), rates);
		return;
	}
}

void top_vm_rates(const struct top_sample *now, const struct top_sample *before,
		  const struct top_vm *vm, struct top_rates *rates)
{
	/* Order seldom changes between two samples: look at the same place first. */
	const size_t guess = (size_t)(vm - now->vms), n = before ? before->n_vms : 0;

	*rates = (struct top_rates){0};
	for (size_t i = 0; i < n; i++) {
		const struct top_vm *old = &before->vms[(guess + i) % n];

		if (strcmp(old->vif, vm->vif) != 0)
			continue;
		rates_of(&vm->counters, &old->counters, passed(now, before), rates);
		return;
	}
}

static const struct top_team *team_of(const struct top_sample *now, const char *name)
{
	for (size_t i = 0; i < now->n_teams; i++)
		if (!strcmp(now->teams[i].name, name))
			return &now->teams[i];
	return NULL;
}

static void text_cell(char *cell, const char *text)
{
	snprintf(cell, TOP_CELL_MAX, "%s", *text ? text : "-");
}

/* 1234 us -> "1.2ms" */
static void duration_cell(char *cell, uint64_t us)
{
	if (us < 1000)
		snprintf(cell, TOP_CELL_MAX, "%uus", (unsigned int)us);
	else if (us < 1000000)
		snprintf(cell, TOP_CELL_MAX, "%.1fms", (double)us / 1e3);
	else
		snprintf(cell, TOP_CELL_MAX, "%.1fs", (double)us / 1e6);
}

static void percent_cell(char *cell, uint64_t part, uint64_t whole)
{
	if (!whole)
		text_cell(cell, "");
	else
		snprintf(cell, TOP_CELL_MAX, "%.0f", (double)part * 100 / (double)whole);
}

void top_member_cells(const struct top_sample *now, const struct top_sample *before,
		      const struct top_member *m, char cells[][TOP_CELL_MAX])
{
	const struct top_team *team = team_of(now, m->team);
	struct top_rates rates;

	top_member_rates(now, before, m, &rates);
	text_cell(cells[0], m->name);
	text_cell(cells[1], m->team);
	text_cell(cells[2], team ? team->mode : "");
	text_cell(cells[3], m->state);
	top_number(cells[4], (double)m->rate_bps);
	top_number(cells[5], rates.rx_bps);
	top_number(cells[6], rates.tx_bps);
	top_number(cells[7], rates.rx_pps);
	top_number(cells[8], rates.tx_pps);
	snprintf(cells[9], TOP_CELL_MAX, "%u%%", (unsigned int)MIN(m->use_percent, 999));
	duration_cell(cells[10], m->queued_us);
	top_number(cells[11], (double)m->errors);
	top_number(cells[12], rates.drops);
}

void top_vm_cells(const struct top_sample *now, const struct top_sample *before,
		  const struct top_vm *vm, char cells[][TOP_CELL_MAX])
{
	const struct top_team *team = team_of(now, vm->team);
	const uint64_t up_bps = team ? team->up_bps : 0;
	struct top_rates rates;

	top_vm_rates(now, before, vm, &rates);
	text_cell(cells[0], vm->name);
	text_cell(cells[1], vm->vif);
	text_cell(cells[2], vm->team);
	text_cell(cells[3], vm->member);
	top_number(cells[4], rates.rx_bps);
	top_number(cells[5], rates.tx_bps);
	top_number(cells[6], rates.rx_pps);
	top_number(cells[7], rates.tx_pps);
	snprintf(cells[8], TOP_CELL_MAX, "%u", (unsigned int)vm->shares);
	snprintf(cells[9], TOP_CELL_MAX, "%u", (unsigned int)vm->priority);
	percent_cell(cells[10], vm->entitled_bps, up_bps);
	percent_cell(cells[11], vm->used_bps, up_bps);
	top_number(cells[12], (double)vm->waiting_bytes);
	text_cell(cells[13], vm->backlog ? "yes" : "");
	top_number(cells[14], rates.drops);
	text_cell(cells[15], vm->reason);
}

/* --- order --- */

struct ranked {
	const struct top_vm *vm;
	double value;
};

static double value_of(const struct top_sample *now, const struct top_sample *before,
		       enum top_sort sort, const struct top_vm *vm)
{
	struct top_rates rates;

	top_vm_rates(now, before, vm, &rates);
	switch (sort) {
	case TOP_SORT_NAME:
		return 0;
	case TOP_SORT_RX:
		return rates.rx_bps;
	case TOP_SORT_TX:
		return rates.tx_bps;
	case TOP_SORT_PACKETS:
		return rates.rx_pps + rates.tx_pps;
	case TOP_SORT_USED:
		return (double)vm->used_bps;
	case TOP_SORT_QUEUE:
		return (double)vm->waiting_bytes;
	case TOP_SORT_DROPS:
		return rates.drops;
	}
	return 0;
}

/* Largest first, then by name, then by interface. */
static int compare(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;
	int order;

	if (x->value != y->value)
		return x->value < y->value ? 1 : -1;
	order = strcmp(x->vm->name, y->vm->name);
	return order ? order : strcmp(x->vm->vif, y->vm->vif);
}

void top_sort_vms(const struct top_sample *now, const struct top_sample *before,
		  const struct top_options *options, const struct top_vm **vms, size_t n)
{
	AUTO_FREE struct ranked *ranked = xb_calloc(n + 1, sizeof(*ranked));

	for (size_t i = 0; i < n; i++)
		ranked[i] = (struct ranked){vms[i], value_of(now, before, options->sort, vms[i])};
	qsort(ranked, n, sizeof(*ranked), compare);
	for (size_t i = 0; i < n; i++)
		vms[i] = ranked[options->reverse ? n - 1 - i : i].vm;
}
