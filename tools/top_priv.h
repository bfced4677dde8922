/* SPDX-License-Identifier: GPL-2.0-or-later */
/* top_priv.h - what top_view.c (lines) and top_rows.c (rates, cells, order) share. Pure. */
#ifndef XB_TOOLS_TOP_PRIV_H
#define XB_TOOLS_TOP_PRIV_H

#include "top_view.h"

#define TOP_CELL_MAX	   48
#define TOP_RANKS	   5u
#define TOP_MEMBER_COLUMNS 13
#define TOP_VM_COLUMNS	   16

struct top_column {
	const char *title;
	size_t width;
	unsigned int rank; /**< 0: first to get room, TOP_RANKS: last */
	bool left;
};
extern const struct top_column top_member_columns[TOP_MEMBER_COLUMNS];
extern const struct top_column top_vm_columns[TOP_VM_COLUMNS];

/** A second's worth. */
struct top_rates {
	double rx_bps, tx_bps, rx_pps, tx_pps, drops;
};

bool top_is_up(const char *state);
/** Since `before` had the same member, or VM; all 0 where it had not, or counters began anew. */
void top_member_rates(const struct top_sample *now, const struct top_sample *before,
		      const struct top_member *member, struct top_rates *rates);
void top_vm_rates(const struct top_sample *now, const struct top_sample *before,
		  const struct top_vm *vm, struct top_rates *rates);

void top_member_cells(const struct top_sample *now, const struct top_sample *before,
		      const struct top_member *member, char cells[][TOP_CELL_MAX]);
void top_vm_cells(const struct top_sample *now, const struct top_sample *before,
		  const struct top_vm *vm, char cells[][TOP_CELL_MAX]);
/** Puts n VMs in the order that options ask for; names decide between equals. */
void top_sort_vms(const struct top_sample *now, const struct top_sample *before,
		  const struct top_options *options, const struct top_vm **vms, size_t n);

#endif
