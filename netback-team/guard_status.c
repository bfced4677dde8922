/* SPDX-License-Identifier: GPL-2.0-or-later */
/* guard_status.c - a guest's meters, reactions and history, copied for other threads; see guard.h.
 */
#include <stdio.h>
#include <string.h>

#include "guard_priv.h"
#include "worker.h"

static void copy_figures(const struct guard *g, int vm, struct guard_status *status)
{
	for (unsigned int d = 0; d < 2; d++) {
		const enum dos_direction direction = (enum dos_direction)d;

		for (unsigned int m = 0; m < DOS_METRICS; m++)
			status->figures[d][m] = dos_figure(g->dos, vm, direction, m);
		status->n_peers[d] = dos_top_peers(g->dos, vm, direction, status->peers[d]);
		status->n_ports[d] = dos_top_ports(g->dos, vm, direction, status->ports[d]);
	}
}

static void copy_rules(const struct guard *g, int vm, struct guard_status *status)
{
	const unsigned int n = g->signatures ? signature_count(g->signatures) : 0;

	for (unsigned int i = 0; i < n && status->n_rules < GUARD_STATUS_RULES; i++) {
		const struct dos_figure figure =
			dos_figure(g->dos, vm, DOS_TO_GUEST, DOS_METRICS + i);

		if (!figure.alarm)
			continue;
		snprintf(status->rules[status->n_rules].name, SIGNATURE_NAME_MAX, "%s",
			 signature_info(g->signatures, i).name);
		status->rules[status->n_rules++].figure = figure;
	}
}

struct vif *guard_vif_of(const struct guard *g, const struct act_event *event)
{
	struct vif *vif = event->vm == DOS_TEAM ? NULL : g->vifs[event->vm];

	return vif && event->number > vif->guard.first_number ? vif : NULL;
}

static void copy_events(const struct guard *g, const struct vif *only, struct guard_status *status,
			char (*vifs)[32])
{
	const struct act_event *event;

	for (unsigned int i = 0;
	     status->n_events < GUARD_STATUS_EVENTS && (event = act_history(g->act, i)); i++) {
		const struct vif *vif = guard_vif_of(g, event);

		if (only && vif != only)
			continue;
		if (vifs)
			snprintf(vifs[status->n_events], 32, "%s",
				 vif			 ? vif->config.name
				 : event->vm == DOS_TEAM ? "team"
							 : "");
		status->events[status->n_events++] = *event;
	}
}

static void copy_place(const struct worker *w, const struct vif *vif, struct guard_status *status)
{
	const int want = vif->pin.seat.want;

	status->by_hand = vif->guard.by_hand;
	status->away = vif->guard.by_hand || vif->guard.second;
	status->why = vif->pin.why;
	if (!status->away)
		return;
	if (seat_in(vif->pin.reach == PIN_ALL ? pin_members(&vif->pin, UINT32_MAX)
					      : w->team.reserve,
		    want))
		snprintf(status->member, sizeof(status->member), "%s", w->team.members[want].name);
}

void guard_status_of(struct worker *w, struct vif *vif, struct guard_status *status,
		     char (*vifs)[32])
{
	const struct guard *g = w->guard;
	const int vm = vif ? vif->guard.vm : DOS_TEAM;

	memset(status, 0, sizeof(*status));
	status->now_ns = w->now_ns;
	if (vif)
		copy_place(w, vif, status);
	if (!g->dos || (vif && vm < 0))
		return;
	status->watched = vif ? true : g->team.detect.enable && g->n_watched > 0;
	status->dry_run = (vif ? &vif->config.guard : &g->team)->react.dry_run;
	copy_figures(g, vm, status);
	if (vif) {
		copy_rules(g, vm, status);
		for (unsigned int i = 0; i < ACT_ACTIONS; i++)
			status->active[i] =
				act_active(g->act, vm, (enum act_action)i, &status->since_ns[i]);
	}
	copy_events(g, vif, status, vifs);
}
