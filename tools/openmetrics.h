/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * openmetrics.h - several OpenMetrics texts as one: metric families of the same name are merged,
 * as the format wants each of them once and in one piece (OpenMetrics 1.0, "MetricFamily"). Pure.
 *
 * It reads what our daemons write (common/stats.c): lines of TYPE, UNIT and HELP, then the samples
 * of that family, at the end "# EOF".
 */
#ifndef XB_TOOLS_OPENMETRICS_H
#define XB_TOOLS_OPENMETRICS_H

#include <stdbool.h>
#include <stddef.h>

struct openmetrics;

struct openmetrics *openmetrics_create(void);
void openmetrics_destroy(struct openmetrics *om);
/**
 * Adds a text. Where a family was there before, the metadata of the first text stay. False, and
 * nothing added, when it is not such a text: no "# EOF" at its end, a sample before any metadata, a
 * family of another type than before.
 */
bool openmetrics_add(struct openmetrics *om, const char *text);
/** All of it as one text with "# EOF"; a string to free(). */
char *openmetrics_text(const struct openmetrics *om);
/** A label's value with what has to be escaped escaped (\, " and line ends); free(). */
char *openmetrics_escape(const char *value);

#endif
