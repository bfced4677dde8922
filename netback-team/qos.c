/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qos.c - bandwidth control of one worker: options, capacity, vifs; see qos.h. The data path is in
 * guest_take.c and guest_rx.c. */
#include "qos.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "decide.h"
#include "policy.h"
#include "qos_relief.h"
#include "relief.h"
#include "util.h"
#include "worker.h"

#define QOS_QUEUE_MIN  (DECIDE_QUEUE_FRAMES * DECIDE_FRAME_BYTES)
#define PACE_BURST_MIN (3 * LIMIT_BURST_MIN)

static struct fair_options fair_options_of(const struct team_options *options)
{
	return (struct fair_options){.strict = options->strict,
				     .floor_permille = (uint32_t)options->floor_permille,
				     .admission_percent = (uint32_t)options->admission_percent,
				     .max_lag_bytes = (uint32_t)options->max_lag_bytes,
				     .wake_credit_bytes = (uint32_t)options->wake_credit_bytes,
				     .slack_ns = options->timer_slack_ns};
}

int qos_check_options(const struct team_options *options, const char **why)
{
	const struct fair_options fair = fair_options_of(options);

	return fair_options_check(&fair, why);
}

void qos_create(struct worker *w, const struct team_options *options)
{
	w->qos.fair = fair_create(SWITCH_PORTS_MAX);
	w->qos.relief = relief_create(SWITCH_PORTS_MAX);
	w->qos.room = WORKER_TX_BATCH;
	w->qos.wake_ns = DEADLINE_NEVER;
	qos_set_options(w, options);
}

void qos_destroy(struct worker *w)
{
	fair_destroy(w->qos.fair);
	relief_destroy(w->qos.relief);
}

/* Everybody may have become able to go on. */
static void wake(struct worker *w)
{
	w->qos.wake_ns = 0;
	worker_deadline(w, 0);
}

static void look_for_room(struct worker *w)
{
	if (!w->qos.refused || fair_room_bps(w->qos.fair) <= w->qos.refused_room_bps)
		return;
	w->qos.refused = false;
	if (w->observer.minima_room)
		w->observer.minima_room(w->observer.ctx);
}

void qos_set_options(struct worker *w, const struct team_options *options)
{
	const struct fair_options fair = fair_options_of(options);
	const char *why;

	/* Options that no key table has filled in leave the defaults. */
	(void)fair_configure(w->qos.fair, &fair, w->now_ns, &why);
	w->qos.unit = (enum cost_unit)options->unit;
	w->qos.pace_bps = options->pace_bps;
	relief_set_after(w->qos.relief, options->shortage_after_ns);
	w->qos.stale = true;
	look_for_room(w);
	wake(w);
}

static int fastest_first(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x < y) - (x > y);
}

/* Members that can be in use at a time. */
static uint64_t most_links(const struct team *team)
{
	const struct policy *policy = policy_get(team->options.mode);
	const uint64_t max = policy->lacp ? team->options.lacp.max_links : team->options.max_links;

	if (policy->single_active)
		return 1;
	return max ? max : TEAM_MEMBERS_MAX;
}

void qos_capacity(struct worker *w)
{
	const struct team *team = &w->team;
	const bool single = policy_get(team->options.mode)->single_active;
	const uint64_t pace = w->qos.pace_bps;
	uint64_t up = 0, all = 0, speeds[TEAM_MEMBERS_MAX];
	size_t n = 0;

	if (!w->qos.stale)
		return;
	w->qos.stale = false;
	for (int i = 0; i < TEAM_MEMBERS_MAX; i++) {
		uint64_t bps = team->spread.loads[i].rate_bps;

		if (!team->members[i].used || team->members[i].reserve)
			continue;
		if (pace)
			bps = MIN(bps, pace);
		speeds[n++] = bps;
		if (single ? team->active == i : seat_in(team->usable, i))
			up += bps;
	}
	qsort(speeds, n, sizeof(speeds[0]), fastest_first);
	for (size_t i = 0; i < MIN(n, most_links(team)); i++)
		all += speeds[i];
	w->qos.up_bps = up;
	w->qos.all_bps = all;
	fair_set_capacity(w->qos.fair, up, all, w->now_ns);
	look_for_room(w);
	shape_set_depth(&w->qos.pace, pace ? up : 0,
			MAX(up / 8 * QOS_PACE_NS / NSEC_PER_SEC, PACE_BURST_MIN), w->now_ns);
	wake(w);
}

/* --- vifs --- */

static void set_rx(struct worker *w, struct vif *vif, const struct qos_vif *qos)
{
	const struct limit_config *rx = &qos->rx;
	const uint64_t bps = rx->avg_bps ? rx->avg_bps : rx->peak_bps;

	limit_set(&vif->rx_limit, rx, w->now_ns);
	vif->rx_queue_max = decide_queue_bytes(bps, DECIDE_TARGET_NS, VIF_RXQ_BYTES_MAX);
	if (qos->rx_queue_bytes)
		vif->rx_queue_max = qos->rx_queue_bytes;
	for (unsigned int i = 0; i < vif->config.n_queues; i++)
		if (vif->queues[i].wait.head)
			worker_queue_ready(w, &vif->queues[i]);
}

/* What does not fit is the minimum: the rest is not kept waiting for it. */
static int set_tx(struct worker *w, const struct vif *vif, struct fair_flow_config *config,
		  uint64_t min_now_bps, const char **why)
{
	const uint32_t flow = (uint32_t)vif->port;
	const int rc = fair_flow_set(w->qos.fair, flow, config, w->now_ns, why);
	const char *fits;

	if (rc != -ENOSPC)
		return rc;
	w->qos.refused = true;
	w->qos.refused_room_bps = fair_room_bps(w->qos.fair);
	config->min_bps = min_now_bps;
	(void)fair_flow_set(w->qos.fair, flow, config, w->now_ns, &fits);
	return rc;
}

void qos_vif_add(struct worker *w, struct vif *vif)
{
	const char *why;

	qos_capacity(w);
	(void)set_tx(w, vif, &vif->config.qos.tx, 0, &why);
	set_rx(w, vif, &vif->config.qos);
	qos_relief_set(w, vif);
}

void qos_vif_remove(struct worker *w, struct vif *vif)
{
	for (unsigned int i = 0; i < vif->config.n_queues; i++)
		guest_take_forget(w, &vif->queues[i]);
	fair_flow_remove(w->qos.fair, (uint32_t)vif->port, w->now_ns);
	qos_relief_remove(w, vif);
	look_for_room(w);
}

int qos_vif_set(struct worker *w, struct vif *vif, const struct qos_vif *config, const char **why)
{
	struct qos_vif set = *config;
	int rc;

	qos_capacity(w);
	rc = limit_check(&config->rx, why);
	if (rc == 0)
		rc = set_tx(w, vif, &set.tx, vif->config.qos.tx.min_bps, why);
	if (rc < 0 && rc != -ENOSPC)
		return rc;
	set_rx(w, vif, &set);
	vif->config.qos = set;
	qos_relief_set(w, vif);
	look_for_room(w);
	wake(w);
	return rc;
}

int qos_vif_check(const struct qos_vif *config, const char **why)
{
	const int rc = fair_flow_check(&config->tx, why);

	if (rc < 0)
		return rc;
	if (config->rx_queue_bytes && (config->rx_queue_bytes < QOS_QUEUE_MIN ||
				       config->rx_queue_bytes > VIF_RXQ_BYTES_MAX)) {
		*why = "rx_queue is neither 0 nor from 128KiB to 512KiB";
		return -EINVAL;
	}
	return limit_check(&config->rx, why);
}

static bool limits_equal(const struct limit_config *a, const struct limit_config *b)
{
	return a->avg_bps == b->avg_bps && a->burst_bytes == b->burst_bytes &&
	       a->peak_bps == b->peak_bps && a->period_ns == b->period_ns;
}

bool qos_vif_equal(const struct qos_vif *a, const struct qos_vif *b)
{
	return a->tx.shares == b->tx.shares && a->tx.priority == b->tx.priority &&
	       a->tx.min_bps == b->tx.min_bps && limits_equal(&a->tx.limit, &b->tx.limit) &&
	       limits_equal(&a->rx, &b->rx) && a->rx_queue_bytes == b->rx_queue_bytes &&
	       a->shortage_pause_ns == b->shortage_pause_ns;
}
