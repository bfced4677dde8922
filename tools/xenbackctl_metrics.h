/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xenbackctl_metrics.h - between the files of the command metrics. */
#ifndef XB_TOOLS_XENBACKCTL_METRICS_H
#define XB_TOOLS_XENBACKCTL_METRICS_H

#include "openmetrics.h"
#include "xenbackctl.h"

/* xenbackctl_metrics_top.c */

/** Adds what the answer to "top" says of members and interfaces. */
void metrics_add_top(struct openmetrics *om, const json_t *teams);

#endif
