/* SPDX-License-Identifier: GPL-2.0-or-later */
/* guard-lab.c - see guard-lab.h. */
#include "guard-lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "util.h"

#define MS NSEC_PER_MSEC

static uint8_t frame[4096];

struct guard_profile lab_profile(void)
{
	struct guard_profile p;

	guard_profile_off(&p);
	p.detect.enable = true;
	p.detect.meter.mode = DOS_MODE_FIXED;
	p.detect.meter.n = p.detect.meter.m = 1;
	p.detect.meter.fast_factor = 0;
	p.detect.meter.clear_ns = NSEC_PER_SEC;
	memset(p.detect.threshold, 0, sizeof(p.detect.threshold));
	p.detect.threshold[DOS_TO_GUEST][DOS_PPS] = p.detect.threshold[DOS_FROM_GUEST][DOS_PPS] =
		100;
	return p;
}

struct act_rule *lab_rule(struct guard_profile *p, enum act_action action)
{
	struct act_rule *rule = &p->react.rules[action];

	rule->enable = true;
	rule->when = ACT_BOTH;
	rule->after_ns = rule->min_ns = rule->max_ns = 0;
	return rule;
}

unsigned int lab_to_guest(struct dp *dp, unsigned int i, unsigned int n)
{
	const uint32_t len = dp_tcp(frame, dp->guests[i].mac, dp_wire_mac, 100, 2);
	unsigned int got = 0;
	uint8_t out[4096];

	dp_post_rx(dp, i, MIN(n, ring_front_free(&dp->guests[i].rx)));
	for (unsigned int k = 0; k < n; k++)
		dp_incoming(dp->nics[0], frame, len, NULL, -1);
	dp_run(dp);
	while (dp_receive(&dp->guests[i], out, NULL, NULL) > 0)
		got++;
	dp_advance(dp, MS);
	return got;
}

unsigned int lab_flood(struct dp *dp, unsigned int i, unsigned int seconds, unsigned int rate)
{
	unsigned int got = 0;

	for (unsigned int s = 0; s < seconds * 10; s++) {
		got += lab_to_guest(dp, i, rate / 10);
		dp_advance(dp, 99 * MS);
	}
	return got;
}

struct guard_status lab_status(struct dp *dp, unsigned int i)
{
	struct guard_status status;

	guard_status_of(dp->worker, dp->guests[i].vif, &status, NULL);
	return status;
}

void lab_watch(struct dp *dp, unsigned int i, const struct guard_profile *p)
{
	guard_vif_set(dp->guests[i].vif, p);
	dp_run(dp);
}

unsigned int lab_on_second(struct dp *dp, unsigned int i)
{
	const uint32_t len = dp_tcp(frame, dp_wire_mac, dp->guests[i].mac, 100, 2);
	unsigned int n;

	for (unsigned int k = 0; k < 10; k++) {
		dp_send(dp, i, frame, len, NULL, NETTXF_data_validated, 0, 0);
		dp_run(dp);
	}
	n = dp->nics[1]->n_sent;
	for (unsigned int nic = 0; nic < DP_NICS; nic++)
		while (dp->nics[nic]->n_sent > 0)
			free(dp->nics[nic]->sent[--dp->nics[nic]->n_sent]);
	return n;
}
