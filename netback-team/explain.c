/* SPDX-License-Identifier: GPL-2.0-or-later */
/* explain.c - entries of a guest's trace, put together from what the data path knows when a frame's
 * fate is decided; see explain.h. */
#include "explain.h"

#include <string.h>
#include <utlist.h>

#include "decide.h"
#include "policy.h"
#include "util.h"
#include "worker.h"

void explain_ask(struct worker *w, struct vif *vif)
{
	if (!vif->trace) {
		vif->trace = xb_calloc(1, sizeof(*vif->trace));
		w->n_traced++;
	}
	trace_ask(vif->trace, w->now_ns);
}

void explain_forget(struct vif *vif)
{
	if (!vif->trace)
		return;
	vif->worker->n_traced--;
	free(vif->trace);
	vif->trace = NULL;
}

/* Nobody asked for a minute: back to nothing. */
static bool is_over(const struct worker *w, struct vif *vif)
{
	if (!trace_is_over(vif->trace, w->now_ns))
		return false;
	explain_forget(vif);
	return true;
}

/* Why this member: what team_choose went by, seen from its result. */
static void explain_member(const struct worker *w, const struct tx_record *rec,
			   struct trace_entry *entry)
{
	const struct pin *pin = &rec->queue->vif->pin;
	const struct spread *s = &w->team.spread;
	const uintptr_t seat = (uintptr_t)rec->seat, buckets = (uintptr_t)s->map.buckets,
			flowlets = (uintptr_t)s->flowlets;

	entry->tried = rec->tried;
	if (entry->member < 0)
		return;
	if (rec->seat == &w->team.aside) /* perhaps by those before it */
		entry->tried |= seat_bit(w->team.active);
	if (entry->tried) {
		entry->how = TRACE_HOW_RESELECTED;
	} else if (policy_get(w->team.options.mode)->single_active &&
		   !seat_in(w->team.reserve, entry->member)) {
		entry->how = TRACE_HOW_ACTIVE;
	} else if (!rec->seat) {
		const bool bound = pin->seat.member == entry->member;

		entry->how = bound ? TRACE_HOW_PIN : TRACE_HOW_MODE;
		entry->why = bound ? pin->why : NULL;
	} else if (seat - buckets < sizeof(s->map.buckets)) {
		entry->how = TRACE_HOW_BUCKET;
		entry->place = (uint16_t)((seat - buckets) / sizeof(s->map.buckets[0]));
	} else if (seat - flowlets < sizeof(s->flowlets)) {
		entry->how = TRACE_HOW_FLOWLET;
	} else {
		entry->how = TRACE_HOW_SESSION;
	}
}

static struct trace_entry begin(const struct worker *w, enum trace_direction direction,
				enum trace_outcome outcome, uint32_t bytes)
{
	return (struct trace_entry){.time_ns = w->now_ns,
				    .direction = (uint8_t)direction,
				    .outcome = (uint8_t)outcome,
				    .bytes = bytes,
				    .member = -1,
				    .port = -1,
				    .rule = TRACE_NO_RULE};
}

void explain_tx_slow(struct worker *w, const struct tx_record *rec, enum trace_outcome outcome,
		     int member, int port)
{
	struct vif *vif = rec->queue->vif;
	struct trace_entry entry;

	if (is_over(w, vif) || !trace_wants(vif->trace, TRACE_TX, outcome, w->now_ns))
		return;
	entry = begin(w, TRACE_TX, outcome, rec->packet.total);
	entry.member = (int16_t)member;
	entry.port = (int16_t)port;
	if (outcome == TRACE_OUTCOME_GRANT) {
		entry.why = rec->why;
	} else {
		entry.flow_known = true;
		entry.flow = rec->pkt.flow;
		entry.rule = (uint8_t)(outcome == TRACE_OUTCOME_WAITS ? DECIDE_REASON_MEMBER
								      : rec->reason);
		explain_member(w, rec, &entry);
	}
	trace_add(vif->trace, &entry);
}

void explain_rx_slow(struct worker *w, struct vif *vif, const struct pkt *pkt,
		     enum trace_outcome outcome, int reason)
{
	struct trace_entry entry;
	struct frame_info info;

	if (is_over(w, vif) || !trace_wants(vif->trace, TRACE_RX, outcome, w->now_ns))
		return;
	entry = begin(w, TRACE_RX, outcome, pkt->total);
	entry.member = pkt->from_member;
	entry.rule = (uint8_t)reason;
	if (pkt->info.payload_off) {
		entry.flow_known = true;
		entry.flow = pkt->flow;
	} else if (pkt->head && frame_parse(pkt->head, pkt->head_len, pkt->total, &info)) {
		entry.flow_known = true;
		flow_key_init(&entry.flow, pkt->head, pkt->head_len, pkt->total, &info);
	}
	trace_add(vif->trace, &entry);
}

/* What the schedule makes the vif wait for. */
static enum decide_reason waits_for(const struct worker *w, const struct vif *vif)
{
	struct decide_input input = {.member_up = w->team.usable != 0, .member_room = true};
	struct fair_status status;

	fair_flow_status(w->qos.fair, (uint32_t)vif->port, w->now_ns, &status);
	input.wait = status.wait;
	return decide(&input);
}

void explain_backlogs(struct worker *w)
{
	struct trace_entry entry;
	struct vif *vif;

	DL_FOREACH (w->vifs, vif) {
		if (!vif->trace || !vif->backlog || is_over(w, vif))
			continue;
		entry = begin(w, TRACE_TX, TRACE_OUTCOME_WAITS, 0);
		entry.rule = (uint8_t)waits_for(w, vif);
		trace_add(vif->trace, &entry);
	}
}
