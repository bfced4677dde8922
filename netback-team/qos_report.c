/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qos_report.c - figures of bandwidth control, see qos_report.h. */
#include "qos_report.h"

#include <utlist.h>

#include "relief.h"
#include "util.h"
#include "worker.h"

static enum fair_wait rx_wait(const struct vif *vif)
{
	for (unsigned int i = 0; i < vif->config.n_queues; i++)
		if (vif->queues[i].wait.head)
			return vif->queues[i].wait.why;
	return FAIR_WAIT_IDLE;
}

static void report_vif(struct worker *w, const struct vif *vif, struct qos_report_vif *out)
{
	out->vif = vif;
	out->config = vif->config.qos;
	fair_flow_status(w->qos.fair, (uint32_t)vif->port, w->now_ns, &out->tx);
	out->tx_counts = vif->tx_counts;
	out->rx_counts = vif->rx_counts;
	/* The schedule counts when a limit begins to hold a frame back. */
	out->tx_counts.frames[DECIDE_REASON_AVERAGE] += out->tx.average_waits;
	out->tx_counts.frames[DECIDE_REASON_PEAK] += out->tx.peak_waits;
	out->tx_bps = meter_bps(&vif->tx_meter, w->now_ns);
	out->rx_bps = meter_bps(&vif->rx_meter, w->now_ns);
	out->rx_wait = rx_wait(vif);
	out->rx_queue_bytes = vif->rx_wait_bytes;
	out->rx_queue_max = vif->rx_queue_max;
	out->rx_marked = vif->stats.rx_marked;
	out->rx_delay_p50_ns = delays_quantile(&vif->rx_delays, 500, w->now_ns);
	out->rx_delay_p99_ns = delays_quantile(&vif->rx_delays, 990, w->now_ns);
	out->tx_by_time = vif->stats.tx_by_time;
	out->paused = relief_paused(w->qos.relief, (uint32_t)vif->port);
}

void qos_entitle(struct worker *w, uint64_t *rate_bps)
{
	AUTO_FREE uint64_t *demand = xb_calloc(SWITCH_PORTS_MAX, sizeof(*demand));
	const struct vif *vif;

	DL_FOREACH (w->vifs, vif) {
		struct fair_status status;

		fair_flow_status(w->qos.fair, (uint32_t)vif->port, w->now_ns, &status);
		if (status.wait != FAIR_WAIT_IDLE || meter_bps(&vif->tx_meter, w->now_ns))
			demand[vif->port] = UINT64_MAX;
	}
	fair_entitled(w->qos.fair, demand, rate_bps);
}

void qos_report(struct worker *w, struct qos_report *report)
{
	AUTO_FREE uint64_t *rate = xb_calloc(SWITCH_PORTS_MAX, sizeof(*rate));
	struct vif *vif;

	qos_capacity(w);
	report->up_bps = w->qos.up_bps;
	report->all_bps = w->qos.all_bps;
	report->admissible_bps = fair_admissible_bps(w->qos.fair);
	report->minima_fit = fair_minima_fit(w->qos.fair);
	qos_entitle(w, rate);
	DL_FOREACH (w->vifs, vif) {
		report_vif(w, vif, &report->vifs[vif->port]);
		report->vifs[vif->port].entitled_bps = rate[vif->port];
	}
}
