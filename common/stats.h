/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stats.h - registry of counters and gauges: printed as text, JSON and OpenMetrics.
 *
 * Counters are plain uint64_t in the object that counts (written by one thread, read with relaxed
 * loads); the registry holds pointers with labels and is used by the control thread only. An object
 * registers a group at birth and removes it at death.
 */
#ifndef XB_STATS_H
#define XB_STATS_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

enum stat_kind { STAT_KIND_COUNTER, STAT_KIND_GAUGE };

/** One member of a struct that counts. Names follow OpenMetrics: base units, no _total (the printer
 * appends it). */
struct stat_desc {
	const char *name; /**< "rx_bytes"; printed as xb_<family>_rx_bytes_total */
	enum stat_kind kind;
	size_t offset; /**< of the uint64_t in the struct */
	const char *help;
};

struct stats;
struct stats_group;

struct stats *stats_create(void);
void stats_destroy(struct stats *stats);

/**
 * Adds a group: family "vif", labels `{"domid": "3", "devid": "0"}` (a JSON object of strings,
 * reference taken over), and the struct whose members descs names; base must outlive the group.
 */
struct stats_group *stats_add(struct stats *stats, const char *family, json_t *labels,
			      const struct stat_desc *descs, size_t n_descs, const void *base);
void stats_remove(struct stats *stats, struct stats_group *group);

/** [{"family":..., "labels":{...}, "values":{name: number}}], new reference. */
json_t *stats_to_json(const struct stats *stats);
/** OpenMetrics 1.0 text, ends with "# EOF\n"; free() it. */
char *stats_to_openmetrics(const struct stats *stats);
/** Aligned table for people; free() it. */
char *stats_to_text(const struct stats *stats);

#endif
