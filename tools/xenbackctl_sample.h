/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xenbackctl_sample.h - one answer of the daemon to "top", as top_view.h wants it. */
#ifndef XB_TOOLS_XENBACKCTL_SAMPLE_H
#define XB_TOOLS_XENBACKCTL_SAMPLE_H

#include "top_view.h"
#include "xenbackctl.h"

struct sample {
	struct top_sample top;
	json_t *raw; /**< the answer */
};

/**
 * Asks the daemon. vifs: its answer to "vif list", for names of domains; before: the sample before,
 * NULL = none: reasons of new drops are found by it. False: sample is empty and error says why.
 * sample_free is fine in both cases.
 */
bool sample_take(struct sample *sample, const struct cli *cli, const json_t *vifs,
		 const struct sample *before, char error[CTL_ERROR_MAX]);
void sample_free(struct sample *sample);

#endif
