/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decide.h - send, queue or discard: what becomes of a frame, and why. Pure.
 *
 * fair.h says whether it is a VM's turn; this adds what the NICs and the frame's queue have to say,
 * in a fixed order, and gives each outcome a reason that is counted per VM.
 *
 * Frames that wait in a guest's own ring (guest to team) are never discarded for being many: the
 * ring is the bound. Frames that wait in our memory (team to guest, queue_max_bytes > 0) are, by
 * three bounds: the queue holds what its rate carries in the target delay (decide_queue_bytes); no
 * frame waits longer than its limit; and of the common pool a queue may have what is free times
 * (priority + 1) / 4 (dynamic thresholds, Choudhury and Hahne 1998), so that when memory runs short
 * it is low priorities that lose frames, at once and without a search.
 */
#ifndef XB_NET_DECIDE_H
#define XB_NET_DECIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "fair.h"

#define DECIDE_QUEUE_FRAMES  2u /**< frames of 64 KiB that any queue holds */
#define DECIDE_FRAME_BYTES   65536u
#define DECIDE_TARGET_NS     5000000u /**< delay that a queue is made for, 5 ms */
#define DECIDE_TARGET_NS_MAX 1000000000u

enum decide_action { DECIDE_ACTION_SEND, DECIDE_ACTION_QUEUE, DECIDE_ACTION_DISCARD };

/* Reason, action, name in the status, help. */
#define DECIDE_REASONS(ROW)                                                                        \
	ROW(MINIMUM, SEND, "sent-minimum", "its minimum was due")                                  \
	ROW(SHARE, SEND, "sent-share", "its turn by shares")                                       \
	ROW(FLOOR, SEND, "sent-floor", "a higher priority left it the floor")                      \
	ROW(TURN, QUEUE, "queued-turn", "others are before it")                                    \
	ROW(AVERAGE, QUEUE, "queued-average", "average and burst are used up")                     \
	ROW(PEAK, QUEUE, "queued-peak", "peak is used up")                                         \
	ROW(MEMBER, QUEUE, "queued-member", "its member's queue is full")                          \
	ROW(NO_MEMBER, QUEUE, "queued-no-member", "no member is up, it can wait in the ring")      \
	ROW(DOWN, DISCARD, "discarded-no-member", "no member is up")                               \
	ROW(LATE, DISCARD, "discarded-late", "waited longer than a frame may")                     \
	ROW(QUEUE_FULL, DISCARD, "discarded-queue", "more waits than its rate carries in time")    \
	ROW(MEMORY, DISCARD, "discarded-memory", "memory is short and its priority is low")

#define DECIDE_ENUM(reason, action, name, help) DECIDE_REASON_##reason,
enum decide_reason { DECIDE_REASONS(DECIDE_ENUM) DECIDE_N_REASONS };
#undef DECIDE_ENUM

/** All that a decision is made of. */
struct decide_input {
	bool chosen;	       /**< fair_next named this VM */
	enum fair_phase phase; /**< ... by this rule */
	enum fair_wait wait;   /**< else: what it waits for */
	bool member_up;	       /**< some member may carry the frame */
	bool member_room;      /**< ... and takes one now */
	uint8_t priority;      /**< 0 to 10 */
	uint32_t frame_bytes;
	uint64_t waited_ns;	  /**< since the frame came */
	uint64_t wait_max_ns;	  /**< 0 = no limit */
	uint64_t queued_bytes;	  /**< of this VM, in our memory, without this frame if it is new */
	uint64_t queue_max_bytes; /**< 0: frames wait in the guest's ring */
	uint64_t pool_free_bytes; /**< of the memory for all queues; not used for rings */
	bool fresh;		  /**< the frame is not in the queue yet */
};

/** The reason of a frame that goes, by the rule that chose it. */
enum decide_reason decide_sent(enum fair_phase phase);
/** What to do with the frame, as a reason that implies the action. */
enum decide_reason decide(const struct decide_input *input);
enum decide_action decide_action(enum decide_reason reason);
/** Static text for status and log. */
const char *decide_name(enum decide_reason reason);
const char *decide_help(enum decide_reason reason);
/** The same for frames to a guest, who is to them what members are to frames from guests. */
const char *decide_rx_name(enum decide_reason reason);
const char *decide_rx_help(enum decide_reason reason);

/** Bound of a queue in bytes: what rate_bps carries in target_ns (at most 1 s), at least two
 * frames, at most max_bytes; rate 0 = not known: max_bytes. */
uint64_t decide_queue_bytes(uint64_t rate_bps, uint64_t target_ns, uint64_t max_bytes);

/** Counters of one VM and direction. */
struct decide_counts {
	uint64_t frames[DECIDE_N_REASONS];
};

static inline void decide_count(struct decide_counts *counts, enum decide_reason reason)
{
	counts->frames[reason]++;
}

#endif
