/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * moderation.h - when a busy worker looks at rings and NICs by itself instead of waiting for the
 * next event. Pure: time is passed in.
 *
 * An event costs both sides: the guest's hypercall, the interrupt, the wake-up, reading the port,
 * unmasking it. After a pass that received much from the NICs the worker therefore pauses and looks
 * again, with all ports masked and nothing armed, as NAPI does: the guests' acknowledgements of it
 * come without events. The pause is as long as the pass was, so half of the time is left for more
 * frames to gather, on a fast machine and on a slow one; a few looks in vain end it. Passes that
 * receive little (a ping, one request and its answer) start nothing, so they never wait. Nor does a
 * guest that sends much: its TCP goes on when frames are answered, so they are answered at once.
 */
#ifndef XB_NET_MODERATION_H
#define XB_NET_MODERATION_H

#include <stdbool.h>
#include <stdint.h>

/** A pass that receives so much is worth a pause after it. */
#define MODERATION_BULK_BYTES  32768u
#define MODERATION_BULK_FRAMES 32u
/** Passes that receive less, until events are waited for again. */
#define MODERATION_LOOKS  3u
#define MODERATION_MIN_NS 10000u
#define MODERATION_MAX_NS 1000000u

struct moderation {
	unsigned int looks_left; /**< 0: wait for events */
	uint32_t pause_ns;
};

/** Notes a pass of took_ns that received so many bytes and frames. */
void moderation_pass(struct moderation *m, uint64_t took_ns, uint64_t bytes, uint64_t frames);

/** True: pause for m->pause_ns and look; false: wait for events. */
static inline bool moderation_on(const struct moderation *m)
{
	return m->looks_left > 0;
}

#endif
