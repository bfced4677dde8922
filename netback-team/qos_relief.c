/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qos_relief.c - see qos_relief.h. worker.c runs it, qos.c tells it of vifs. */
#include "qos_relief.h"

#include <stdio.h>

#include "guard.h"
#include "relief.h"
#include "util.h"
#include "worker.h"

/* Should nobody let the guest go on, xenback-vmctl does so much later than we would have. */
#define GRACE_S 5u

static struct relief_team team_of(const struct worker *w)
{
	const struct qos *qos = &w->qos;

	return (struct relief_team){.lost = qos->up_bps < qos->all_bps,
				    .waiting = qos->short_ns &&
					       w->now_ns - qos->short_ns <= RELIEF_TICK_NS};
}

static void ask(struct worker *w, const struct vif *vif, const struct relief_step *step)
{
	struct guard_request request = {.kind = step->pause ? GUARD_PAUSE : GUARD_UNPAUSE,
					.reason = QOS_RELIEF_REASON,
					.domid = vif->config.domid,
					.devid = vif->config.devid,
					.now_ns = w->now_ns};

	if (!w->observer.guard)
		return;
	snprintf(request.vif, sizeof(request.vif), "%s", vif->config.name);
	if (step->pause)
		snprintf(request.argument, sizeof(request.argument), "%llus",
			 (unsigned long long)(step->longest_ns / NSEC_PER_SEC + GRACE_S));
	w->observer.guard(w->observer.ctx, &request);
}

void qos_relief_run(struct worker *w)
{
	const struct relief_team team = team_of(w);
	struct relief_step step;

	if (relief_deadline(w->qos.relief, team) == DEADLINE_NEVER)
		return;
	while ((step = relief_run(w->qos.relief, team, w->now_ns)).guest >= 0)
		ask(w, w->ports[step.guest], &step);
	worker_deadline(w, relief_deadline(w->qos.relief, team));
}

void qos_relief_set(struct worker *w, const struct vif *vif)
{
	const struct qos_vif *qos = &vif->config.qos;

	relief_set(w->qos.relief, (uint32_t)vif->port, qos->shortage_pause_ns, qos->tx.priority,
		   qos->tx.shares);
	worker_deadline(w, 0);
}

void qos_relief_remove(struct worker *w, const struct vif *vif)
{
	if (relief_remove(w->qos.relief, (uint32_t)vif->port))
		ask(w, vif, &(struct relief_step){.guest = vif->port});
}

void qos_relief_failed(struct worker *w, const struct vif *vif)
{
	relief_failed(w->qos.relief, (uint32_t)vif->port);
	worker_deadline(w, 0);
}
