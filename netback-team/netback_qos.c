/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netback_qos.c - the command "qos show": who is entitled to how much of a team's bandwidth, who
 * uses how much, and what became of frames, by reason.
 *
 * Each worker is asked once (qos_report.h); what it says is printed in our thread.
 */
#include "netback.h"

#include <stdlib.h>
#include <utlist.h>

#include "ctl.h"
#include "qos_report.h"
#include "util.h"

/* The answer of one worker. */
struct asked {
	struct worker *worker;
	struct qos_report report;
	struct asked *next;
};

struct show {
	struct netback *nb;
	struct asked *asked;
	json_t *rows;
};

static int call_report(void *ctx, void *arg)
{
	qos_report(ctx, arg);
	return 0;
}

static const struct qos_report *ask(struct show *show, struct worker *worker)
{
	struct asked *asked;

	LL_FOREACH (show->asked, asked)
		if (asked->worker == worker)
			return &asked->report;
	asked = xb_calloc(1, sizeof(*asked));
	asked->worker = worker;
	asked->report.vifs = xb_calloc(SWITCH_PORTS_MAX, sizeof(*asked->report.vifs));
	worker_call(worker, call_report, &asked->report);
	LL_PREPEND(show->asked, asked);
	return &asked->report;
}

static json_t *number(uint64_t value)
{
	return json_integer((json_int_t)MIN(value, (uint64_t)INT64_MAX));
}

/* With one digit behind the point. */
static json_t *percent(uint64_t part, uint64_t whole)
{
	const uint64_t permille = whole ? (uint64_t)((__uint128_t)part * 1000 / whole) : 0;

	return json_real((double)permille / 10);
}

static const char *wait_name(enum fair_wait wait, bool rx)
{
	switch (wait) {
	case FAIR_WAIT_IDLE:
		return "nothing";
	case FAIR_WAIT_TURN:
		return "turn";
	case FAIR_WAIT_AVERAGE:
		return "average";
	case FAIR_WAIT_PEAK:
		return "peak";
	case FAIR_WAIT_MEMBER:
		return rx ? "guest" : "member";
	}
	return "";
}

/* sent, queued, discarded, and each reason that occurred. */
static void add_counts(json_t *row, const struct decide_counts *counts, bool rx)
{
	static const char *const names[] = {[DECIDE_ACTION_SEND] = "sent_packets",
					    [DECIDE_ACTION_QUEUE] = "queued_packets",
					    [DECIDE_ACTION_DISCARD] = "discarded_packets"};
	uint64_t sums[ARRAY_SIZE(names)] = {0};
	json_t *reasons = json_object();

	for (enum decide_reason r = 0; r < DECIDE_N_REASONS; r++) {
		sums[decide_action(r)] += counts->frames[r];
		if (counts->frames[r])
			json_object_set_new(reasons, rx ? decide_rx_name(r) : decide_name(r),
					    number(counts->frames[r]));
	}
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		json_object_set_new(row, names[i], number(sums[i]));
	json_object_set_new(row, "reasons", reasons);
}

static void add_limit(json_t *row, const struct limit_config *limit)
{
	json_object_set_new(row, "avg_bps", number(limit->avg_bps));
	json_object_set_new(row, "burst_bytes", number(limit->burst_bytes));
	json_object_set_new(row, "peak_bps", number(limit->peak_bps));
	json_object_set_new(row, "period_ns", number(limit->period_ns));
}

static json_t *tx_row(const struct qos_report *report, const struct qos_report_vif *v)
{
	const struct fair_flow_config *config = &v->config.tx;
	const bool wants = v->tx.wait != FAIR_WAIT_IDLE;
	json_t *row = json_pack("{s:s, s:i, s:i}", "direction", "tx", "shares", (int)config->shares,
				"priority", (int)config->priority);

	json_object_set_new(row, "entitled_percent", percent(v->entitled_bps, report->up_bps));
	json_object_set_new(row, "used_percent", percent(v->tx_bps, report->up_bps));
	json_object_set_new(row, "used_bps", number(v->tx_bps));
	json_object_set_new(row, "min_bps", number(config->min_bps));
	json_object_set_new(row, "min_granted_bps", number(v->tx.min_bps));
	/* A guest that sends less because it has no more has all that it was promised. */
	json_object_set_new(row, "min_met_percent",
			    percent(wants ? MIN(v->tx_bps, config->min_bps) : config->min_bps,
				    config->min_bps));
	if (!config->min_bps)
		json_object_del(row, "min_met_percent");
	add_limit(row, &config->limit);
	json_object_set_new(row, "lag", json_integer((json_int_t)v->tx.lag_bytes));
	json_object_set_new(row, "waits_for",
			    json_string(v->paused ? "members" : wait_name(v->tx.wait, false)));
	json_object_set_new(row, "paused_in_shortage", json_boolean(v->paused));
	json_object_set_new(row, "pinned_share_limited", json_boolean(v->tx.pin_limited));
	json_object_set_new(row, "lost_bytes", number(v->tx.lost_bytes));
	/* In the team's unit, by what they were chosen for. */
	json_object_set_new(row, "minimum_bytes", number(v->tx.bytes[FAIR_PHASE_MINIMUM]));
	json_object_set_new(row, "share_bytes", number(v->tx.bytes[FAIR_PHASE_SHARE]));
	json_object_set_new(row, "floor_bytes", number(v->tx.bytes[FAIR_PHASE_FLOOR]));
	json_object_set_new(row, "wakes", number(v->tx.wakes));
	json_object_set_new(row, "by_time_packets", number(v->tx_by_time));
	add_counts(row, &v->tx_counts, false);
	return row;
}

static json_t *rx_row(const struct qos_report *report, const struct qos_report_vif *v)
{
	json_t *row = json_pack("{s:s}", "direction", "rx");

	json_object_set_new(row, "used_percent", percent(v->rx_bps, report->up_bps));
	json_object_set_new(row, "used_bps", number(v->rx_bps));
	add_limit(row, &v->config.rx);
	json_object_set_new(row, "queue_bytes", number(v->rx_queue_bytes));
	json_object_set_new(row, "queue_max_bytes", number(v->rx_queue_max));
	json_object_set_new(row, "waits_for", json_string(wait_name(v->rx_wait, true)));
	json_object_set_new(row, "delay_p50_us", number(v->rx_delay_p50_ns / 1000));
	json_object_set_new(row, "delay_p99_us", number(v->rx_delay_p99_ns / 1000));
	json_object_set_new(row, "marked_packets", number(v->rx_marked));
	add_counts(row, &v->rx_counts, true);
	return row;
}

static void add_vif(void *ctx, struct backend_device *dev)
{
	struct show *show = ctx;
	const struct qos_report *report;
	struct worker *worker;
	const struct vif *vif = vifdev_vif(dev, &worker);
	AUTO_FREE char *name = confstore_domain_name(show->nb->conf, dev->domid);
	json_t *rows[2];

	if (!vif)
		return;
	report = ask(show, worker);
	if (report->vifs[vif->port].vif != vif)
		return;
	rows[0] = tx_row(report, &report->vifs[vif->port]);
	rows[1] = rx_row(report, &report->vifs[vif->port]);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		json_object_update_new(rows[i],
				       json_pack("{s:i, s:i, s:s, s:s, s:I, s:I, s:b}", "domid",
						 (int)dev->domid, "devid", (int)dev->devid, "name",
						 name ? name : "", "team", worker->team.name,
						 "capacity_bps", (json_int_t)report->up_bps,
						 "capacity_all_bps", (json_int_t)report->all_bps,
						 "minima_fit", (int)report->minima_fit));
		json_array_append_new(show->rows, rows[i]);
	}
}

static int qos_show(void *ctx, json_t *args, json_t **result, char error[CTL_ERROR_MAX])
{
	struct show show = {.nb = ctx, .rows = json_array()};
	struct asked *asked, *tmp;

	backend_foreach(show.nb->backend, add_vif, &show);
	LL_FOREACH_SAFE (show.asked, asked, tmp) {
		free(asked->report.vifs);
		free(asked);
	}
	*result = show.rows;
	return 0;
}

void netback_qos_register(struct netback *nb)
{
	ctl_register(nb->app->ctl, "qos show",
		     "bandwidth of every vif, a row each direction: entitled, used, by reason",
		     qos_show, nb);
}
