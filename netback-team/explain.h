/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * explain.h - where the data path tells what became of a guest's frame, for its trace (trace.h).
 *
 * A vif has no trace until somebody asks; then each of these hooks costs a look at a pointer.
 */
#ifndef XB_NET_EXPLAIN_H
#define XB_NET_EXPLAIN_H

#include "trace.h"
#include "vif.h"

struct worker;
struct pkt;
struct tx_record;

/** Worker thread: begins to keep a trace of the vif, or goes on. */
void explain_ask(struct worker *worker, struct vif *vif);
/** Worker thread: the vif goes. */
void explain_forget(struct vif *vif);

/* The work behind the hooks. */

void explain_tx_slow(struct worker *worker, const struct tx_record *record,
		     enum trace_outcome outcome, int member, int port);
void explain_rx_slow(struct worker *worker, struct vif *vif, const struct pkt *pkt,
		     enum trace_outcome outcome, int reason);

/** A frame of the guest: sent on member (-1 = none), to the guest at port (-1 = none), or dropped.
 */
static inline void explain_tx(struct worker *worker, const struct vif *vif,
			      const struct tx_record *record, enum trace_outcome outcome,
			      int member, int port)
{
	if (__builtin_expect(vif->trace != NULL, 0))
		explain_tx_slow(worker, record, outcome, member, port);
}

/** A frame for the guest; why it waits or was dropped: enum decide_reason, or TRACE_NO_RULE. */
static inline void explain_rx(struct worker *worker, struct vif *vif, const struct pkt *pkt,
			      enum trace_outcome outcome, int reason)
{
	if (__builtin_expect(vif->trace != NULL, 0))
		explain_rx_slow(worker, vif, pkt, outcome, reason);
}

/** After a batch, while any vif of the worker has a trace: whose frames stay in their rings, and
 * what for. Their headers were not read. */
void explain_backlogs(struct worker *worker);

#endif
