/* SPDX-License-Identifier: GPL-2.0-or-later */
/* decide.c - send, queue or discard, see decide.h. fair.c supplies whose turn it is. */
#include "decide.h"

#include "util.h"

static const struct {
	enum decide_action action;
	const char *name, *help;
} reasons[] = {
#define ROW(reason, action, name, help) {DECIDE_ACTION_##action, name, help},
	DECIDE_REASONS(ROW)
#undef ROW
};

enum decide_reason decide_sent(enum fair_phase phase)
{
	if (phase == FAIR_PHASE_MINIMUM)
		return DECIDE_REASON_MINIMUM;
	return phase == FAIR_PHASE_FLOOR ? DECIDE_REASON_FLOOR : DECIDE_REASON_SHARE;
}

static enum decide_reason waiting(const struct decide_input *in)
{
	if (!in->member_up)
		return DECIDE_REASON_NO_MEMBER;
	if (in->chosen) /* and yet not sent */
		return DECIDE_REASON_MEMBER;
	switch (in->wait) {
	case FAIR_WAIT_AVERAGE:
		return DECIDE_REASON_AVERAGE;
	case FAIR_WAIT_PEAK:
		return DECIDE_REASON_PEAK;
	case FAIR_WAIT_MEMBER:
		return DECIDE_REASON_MEMBER;
	case FAIR_WAIT_IDLE:
	case FAIR_WAIT_TURN:
		break;
	}
	return DECIDE_REASON_TURN;
}

enum decide_reason decide(const struct decide_input *in)
{
	const bool ring = in->queue_max_bytes == 0;

	if (in->wait_max_ns && in->waited_ns > in->wait_max_ns)
		return DECIDE_REASON_LATE;
	if (in->member_up && in->member_room && in->chosen)
		return decide_sent(in->phase);
	if (ring)
		return waiting(in);
	if (!in->member_up)
		return DECIDE_REASON_DOWN;
	if (in->fresh) {
		if (in->queued_bytes + in->frame_bytes > in->queue_max_bytes)
			return DECIDE_REASON_QUEUE_FULL;
		if (in->frame_bytes > in->pool_free_bytes ||
		    in->queued_bytes > in->pool_free_bytes / 4 * (in->priority + 1))
			return DECIDE_REASON_MEMORY;
	}
	return waiting(in);
}

enum decide_action decide_action(enum decide_reason reason)
{
	return reasons[reason].action;
}

const char *decide_name(enum decide_reason reason)
{
	return reasons[reason].name;
}

const char *decide_help(enum decide_reason reason)
{
	return reasons[reason].help;
}

const char *decide_rx_name(enum decide_reason reason)
{
	if (reason == DECIDE_REASON_MEMBER)
		return "queued-guest";
	return reason == DECIDE_REASON_DOWN ? "discarded-guest" : decide_name(reason);
}

const char *decide_rx_help(enum decide_reason reason)
{
	if (reason == DECIDE_REASON_MEMBER)
		return "the guest has posted too few requests";
	return reason == DECIDE_REASON_DOWN ? "the guest posts no requests any more"
					    : decide_help(reason);
}

uint64_t decide_queue_bytes(uint64_t rate_bps, uint64_t target_ns, uint64_t max_bytes)
{
	const uint64_t least = (uint64_t)DECIDE_QUEUE_FRAMES * DECIDE_FRAME_BYTES;
	const uint64_t target = MIN(target_ns, DECIDE_TARGET_NS_MAX);
	const uint64_t carried = (uint64_t)((__uint128_t)rate_bps * target / (8 * NSEC_PER_SEC));

	return rate_bps ? MIN(MAX(carried, least), max_bytes) : max_bytes;
}
