/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qos_report.h - what bandwidth control did, as figures: taken in the worker's thread
 * (qos_report.c), printed by netback_qos.c.
 */
#ifndef XB_NET_QOS_REPORT_H
#define XB_NET_QOS_REPORT_H

#include "decide.h"
#include "qos.h"

/** One vif. Rates are those of about the last second. */
struct qos_report_vif {
	const struct vif *vif; /**< NULL: nobody has this port; else its address, not to be read */
	struct qos_vif config;
	struct fair_status tx;
	struct decide_counts tx_counts, rx_counts;
	uint64_t tx_bps, rx_bps;
	uint64_t entitled_bps; /**< by shares and minima, among those who send */
	enum fair_wait rx_wait;
	uint64_t rx_queue_bytes, rx_queue_max, rx_marked;
	uint64_t rx_delay_p50_ns, rx_delay_p99_ns; /**< of what it received lately, delays.h */
	uint64_t tx_by_time; /**< packets whose share was of the worker's time */
	bool paused;	     /**< in a shortage, see relief.h */
};

struct qos_report {
	uint64_t up_bps, all_bps, admissible_bps;
	bool minima_fit;
	struct qos_report_vif *vifs; /**< by switch port */
};

/** Worker thread: bit/s that vifs are entitled to, by switch port (rate_bps has SWITCH_PORTS_MAX):
 * what the schedule would give each one that sent or waited within the last second if it, and all
 * others that did, wanted to send without limit. */
void qos_entitle(struct worker *worker, uint64_t *rate_bps);

/** Worker thread: fills the report, whose `vifs` has room for SWITCH_PORTS_MAX. */
void qos_report(struct worker *worker, struct qos_report *report);

#endif
