/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trace.h - the last decisions about one guest's frames: for `xenbackctl explain vm`. Pure.
 *
 * Two rings, so that a guest whose frames go well does not wash away those that did not: of the
 * frames that went, the first after a pause of TRACE_PAUSE_NS and one of TRACE_SAMPLE are kept; of
 * the others all, where one that repeats the entry before only counts. Nothing is kept while nobody
 * asks: a trace ends TRACE_ASKED_NS after the last question.
 */
#ifndef XB_NET_TRACE_H
#define XB_NET_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "flow.h"

#define TRACE_ENTRIES  64u /**< of each ring */
#define TRACE_SAMPLE   64u
#define TRACE_PAUSE_NS 10000000u
#define TRACE_ASKED_NS 60000000000ull
#define TRACE_NO_RULE  0xff

/* What became of a frame: name, does it count as gone, name in JSON, help. */
#define TRACE_OUTCOMES(ROW)                                                                        \
	ROW(SENT, true, "sent", "a member of the team took it")                                    \
	ROW(LOCAL, true, "local", "it went to another guest of the team")                          \
	ROW(DELIVERED, true, "delivered", "it is in the guest's ring")                             \
	ROW(WAITS, false, "waits", "it waits")                                                     \
	ROW(GRANT, false, "dropped-request", "the guest's request or its pages were wrong")        \
	ROW(SPOOF, false, "dropped-spoofed", "its source address is not the guest's")              \
	ROW(CONTROL, false, "dropped-control", "a control frame of links, or a frame for nobody")  \
	ROW(LIMITED, false, "dropped-attack", "over the limit that answers an attack")             \
	ROW(NO_MEMBER, false, "dropped-no-member", "no member of the team could take it")          \
	ROW(TOO_BIG, false, "dropped-too-big", "larger than the MTU of the member")                \
	ROW(REFUSED, false, "dropped-refused", "the member's driver refused it")                   \
	ROW(FULL, false, "dropped-full", "too much waits for the guest")                           \
	ROW(LATE, false, "dropped-late", "the guest left it waiting for too long")                 \
	ROW(STALLED, false, "dropped-stalled", "the guest posts no requests")                      \
	ROW(UNFIT, false, "dropped-unfit", "it does not fit the guest, or could not be copied")

enum trace_outcome {
#define ROW(outcome, went, name, help) TRACE_OUTCOME_##outcome,
	TRACE_OUTCOMES(ROW)
#undef ROW
		TRACE_N_OUTCOMES
};

/** Why that member. */
enum trace_how {
	TRACE_HOW_NONE,	      /**< no member, or it came in there */
	TRACE_HOW_ACTIVE,     /**< the active one */
	TRACE_HOW_MODE,	      /**< the mode's choice for each frame */
	TRACE_HOW_BUCKET,     /**< its flow's bucket, `place` */
	TRACE_HOW_FLOWLET,    /**< its flow did not pause since the last choice */
	TRACE_HOW_SESSION,    /**< its TCP session was placed there */
	TRACE_HOW_PIN,	      /**< the guest is bound to it, `why` */
	TRACE_HOW_RESELECTED, /**< others (`tried`) could not take it */
};

enum trace_direction { TRACE_TX, TRACE_RX }; /**< as the guest sees it */

struct trace_entry {
	uint64_t time_ns;     /**< of the last one */
	uint32_t count;	      /**< so many of its kind in a row */
	uint32_t bytes;	      /**< of the frame */
	uint32_t tried;	      /**< bits of members that could not take it */
	uint16_t place;	      /**< bucket */
	int16_t port;	      /**< of the other guest in the switch, -1 = none */
	int16_t member;	      /**< that sent or received it, -1 = none */
	uint8_t direction;    /**< enum trace_direction */
	uint8_t outcome, how; /**< enum trace_outcome, trace_how */
	uint8_t rule;	      /**< enum decide_reason, TRACE_NO_RULE = not scheduled */
	bool flow_known;      /**< its headers were read */
	const char *why;      /**< static text, NULL = nothing to add */
	struct flow_key flow;
};

struct trace_ring {
	struct trace_entry entries[TRACE_ENTRIES];
	uint64_t n; /**< ever written */
};

struct trace {
	struct trace_ring went, held;
	uint64_t begin_ns, asked_ns;
	uint64_t n_went[2], last_went_ns[2]; /**< by direction */
};

/** Somebody asked at now_ns: an old trace goes on, an expired one begins anew. */
void trace_ask(struct trace *trace, uint64_t now_ns);
/** Is it kept any more? */
static inline bool trace_is_over(const struct trace *trace, uint64_t now_ns)
{
	return now_ns - trace->asked_ns > TRACE_ASKED_NS;
}

/** Is an entry wanted for a frame of this outcome? Counts it. */
bool trace_wants(struct trace *trace, enum trace_direction direction, enum trace_outcome outcome,
		 uint64_t now_ns);
/** Writes the entry that trace_wants wanted; its count is set here. */
void trace_add(struct trace *trace, const struct trace_entry *entry);
/** The i-th entry from the newest of both rings, by time; NULL = there are no more. */
const struct trace_entry *trace_get(const struct trace *trace, unsigned int i);

bool trace_went(enum trace_outcome outcome);
const char *trace_outcome_name(enum trace_outcome outcome);
const char *trace_outcome_help(enum trace_outcome outcome);

#endif
