/* SPDX-License-Identifier: GPL-2.0-or-later */
/* coalesce_priv.h - what the files of the merging engine share, see coalesce.h for its theory. */
#ifndef XB_USB_COALESCE_PRIV_H
#define XB_USB_COALESCE_PRIV_H

#include <utlist.h>

#include "coalesce.h"

static inline struct coalesce_batch *coalesce_batch_at(struct coalesce *c, uint32_t i)
{
	return &c->batches[(c->head + i) % COALESCE_BATCHES];
}

/* Bytes of a request that were not moved yet. */
static inline uint32_t coalesce_left(const struct coalesce_request *r)
{
	return r->length - r->actual;
}

static inline bool coalesce_whole_packets(const struct coalesce *c, uint32_t length)
{
	return length % c->config.max_packet == 0;
}

static inline bool coalesce_is_chain(const struct coalesce *c, const struct coalesce_request *r)
{
	return c->config.in && r->short_not_ok;
}

/* Takes up the state that follows from queue, batches and hold; counts transitions. */
void coalesce_set_state(struct coalesce *c);

#endif
