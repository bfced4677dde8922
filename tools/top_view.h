/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * top_view.h - the screen of `xenbackctl top`, as lines of text: rates out of two samples, sorting,
 * columns that fit the width, members and VMs that fit the height. Pure; xenbackctl_top.c fetches
 * the samples and puts the lines on the terminal.
 */
#ifndef XB_TOOLS_TOP_VIEW_H
#define XB_TOOLS_TOP_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOP_NAME_MAX   40
#define TOP_WIDTH_MAX  256u
#define TOP_WIDTH_MIN  20u
#define TOP_HEIGHT_MIN 5u

/** Counters of a member or VM; they may begin anew (restart). */
struct top_counters {
	uint64_t rx_bytes, tx_bytes, rx_packets, tx_packets, dropped;
};

struct top_member {
	char team[TOP_NAME_MAX], name[TOP_NAME_MAX], state[TOP_NAME_MAX];
	bool active;
	uint64_t rate_bps, use_percent, queued_us, errors, flaps;
	struct top_counters counters;
};

struct top_vm {
	char team[TOP_NAME_MAX], vif[TOP_NAME_MAX], name[TOP_NAME_MAX], member[TOP_NAME_MAX];
	uint64_t shares, priority;
	uint64_t entitled_bps, used_bps; /**< of what the guest sends */
	uint64_t waiting_bytes;		 /**< for the guest */
	bool backlog;			 /**< frames of the guest wait for their turn */
	struct top_counters counters;
	char reason[TOP_NAME_MAX]; /**< why most of the new drops happened, "" = none are new */
};

struct top_team {
	char name[TOP_NAME_MAX], mode[TOP_NAME_MAX];
	uint64_t up_bps; /**< of the members that are up, 0 = not known */
};

/** All of it at one moment. The arrays are the owner's. */
struct top_sample {
	uint64_t time_ns;
	struct top_team *teams;
	struct top_member *members;
	struct top_vm *vms;
	size_t n_teams, n_members, n_vms;
};

enum top_sort {
	TOP_SORT_NAME,
	TOP_SORT_RX,
	TOP_SORT_TX,
	TOP_SORT_PACKETS,
	TOP_SORT_USED,
	TOP_SORT_QUEUE,
	TOP_SORT_DROPS,
};

struct top_options {
	enum top_sort sort;
	bool reverse;
	int team;	   /**< index of the only team to show, -1 = all */
	size_t first;	   /**< VMs to skip */
	const char *error; /**< instead of the second line, NULL = none */
};

enum top_style { TOP_PLAIN, TOP_TITLE, TOP_HEADING, TOP_ALERT, TOP_KEYS };

struct top_line {
	char text[TOP_WIDTH_MAX + 1]; /**< printable ASCII, as wide as the screen at most */
	enum top_style style;
};

/**
 * Draws `now`, with rates since `before` (NULL: none yet), into height lines of at most width
 * columns; returns how many were used. Sizes are brought into their limits. Where not everything
 * fits, lines say how much is left out; of the members at most a third of the screen is shown.
 * Without keys: no help in the last line (batch).
 */
size_t top_draw(const struct top_sample *now, const struct top_sample *before,
		const struct top_options *options, struct top_line *lines, size_t width,
		size_t height, bool keys);

/** The key that asks for an order, and back; false when it is none. */
bool top_sort_of_key(int key, enum top_sort *sort);
const char *top_sort_name(enum top_sort sort);
/** A number of at most 5 columns: "0", "999", "12.3k", "1.23M"; out holds 8. */
void top_number(char *out, double value);

#endif
