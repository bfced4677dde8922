/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rebalance.c - see rebalance.h. */
#include "rebalance.h"

#include "load.h"
#include "util.h"

static unsigned int use_of(const struct rebalance_state *s, int member, uint64_t more,
			   uint64_t less)
{
	const uint64_t bytes = s->bytes[member] + more;

	return load_permille(s->rate_bps[member], bytes - MIN(less, bytes), s->interval_ns);
}

/* The most and the least used one. */
static void find_ends(const struct rebalance_state *s, int *from, int *to)
{
	*from = *to = -1;
	for (uint32_t left = s->usable; left; left &= left - 1) {
		const int i = __builtin_ctz(left);

		if (*from < 0 || use_of(s, i, 0, 0) > use_of(s, *from, 0, 0))
			*from = i;
		if (*to < 0 || use_of(s, i, 0, 0) < use_of(s, *to, 0, 0))
			*to = i;
	}
}

bool rebalance_pick(const struct rebalance_state *s, const struct rebalance_item *items,
		    size_t n_items, const struct rebalance_rule *rule, struct rebalance_move *move)
{
	unsigned int before, best;

	find_ends(s, &move->from, &move->to);
	if (move->from == move->to)
		return false;
	before = best = use_of(s, move->from, 0, 0);
	if (before < rule->min_percent * 10)
		return false;
	for (size_t i = 0; i < n_items; i++) {
		unsigned int after;

		if (items[i].member != move->from || !seat_in(items[i].members, move->to))
			continue;
		after = MAX(use_of(s, move->from, 0, items[i].bytes),
			    use_of(s, move->to, items[i].bytes, 0));
		if (after < best) {
			best = after;
			move->item = i;
		}
	}
	return best < before &&
	       (uint64_t)(before - best) * 100 >= (uint64_t)before * rule->gain_percent;
}

void rebalance_apply(struct rebalance_state *s, struct rebalance_item *items,
		     const struct rebalance_move *move)
{
	struct rebalance_item *item = &items[move->item];

	s->bytes[move->from] -= MIN(item->bytes, s->bytes[move->from]);
	s->bytes[move->to] += item->bytes;
	item->member = move->to;
	item->members = 0;
}
