/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dos_priv.h - what counting (dos.c), judging (dos_tick.c) and telling (dos_alarm.c) share. Pure.
 */
#ifndef XB_NET_DOS_PRIV_H
#define XB_NET_DOS_PRIV_H

#include "dos.h"
#include "seen.h"
#include "sketch.h"

#define DOS_HLL_BITS	  12
#define DOS_TOP_ITEMS	  64
#define DOS_CM_WIDTH_LOG2 9
#define DOS_CM_DEPTH	  4
#define DOS_FLOWS_LOG2	  17		/**< entries of the table of flows */
#define DOS_STEP_NS	  4000000000ull /**< of its clock: entries live a minute */
#define DOS_BINS	  256		/**< of source entropy */
#define DOS_SMALL_BYTES	  128
#define DOS_SAMPLE_SHIFT  3  /**< one flow of eight */
#define DOS_UDP_ONE_SIDED 64 /**< one datagram back for so many is an answer */
#define DOS_PHASES	  10

/** Everything that is counted, since the beginning; what an ordinary packet counts comes first. */
enum dos_counter {
	COUNT_PACKETS,
	COUNT_BYTES,
	COUNT_SMALL,
	COUNT_LARGE,
	COUNT_FLOWS,
	COUNT_UNANSWERED,
	COUNT_UDP,
	COUNT_SYN,
	COUNT_SYNACK,
	COUNT_RST,
	COUNT_UNREACH,
	COUNT_CLOSED,
	COUNT_FRAGMENTS,
	COUNT_DROPS,
	COUNT_SPOOFED,
	DOS_COUNTS
};

/** One direction of a guest, or of the team. It begins with the one cache line that every packet
 * needs. */
struct dos_side {
	_Alignas(64) struct hll *sources;
	uint64_t salt; /**< tells flows of guests apart */
	uint64_t counts[DOS_COUNTS];
	uint64_t half_open;	 /**< decays */
	bool rested;		 /**< not all of this second's packets were seen */
	uint32_t bins[DOS_BINS]; /**< of unanswered packets by source */
	uint64_t at_tick[DOS_COUNTS], at_fast[DOS_COUNTS]; /**< counts then */
	struct spacesaving *peers, *ports;
	struct countmin *peer_counts; /**< tightens what peers says */
	uint64_t values[DOS_METRICS]; /**< of the last second */
	struct dos_meter meters[DOS_METRICS];
	uint64_t told_ns[DOS_METRICS]; /**< when the alarm was last reported */
	struct dos_top top_peers[DOS_TOP], top_ports[DOS_TOP]; /**< of the last second */
	unsigned int n_top_peers, n_top_ports;
	uint64_t top_packets; /**< all packets of that second */
};

struct dos_rule {
	uint64_t count; /**< matches since the last tick, sampled ones for as many as they stand */
	uint64_t told_ns;
	struct dos_meter meter;
	enum dos_direction direction; /**< of the last match before the alarm */
};

struct dos_vm {
	struct dos_options options;
	uint64_t tick_ns, due_ns; /**< last tick, next one */
	struct dos_side sides[2];
	struct dos_rule *rules; /**< one for each signature */
	unsigned int n_alarms;
};

struct dos {
	uint64_t seed;
	uint64_t random; /**< state of the generator that samples */
	struct dos_observer observer;
	struct seen *seen;
	const struct signature_set *signatures;
	uint64_t next_ns;	   /**< of the next fast tick */
	uint64_t fast_ns;	   /**< the last one */
	uint64_t n_packets;	   /**< since then, of all guests */
	uint8_t step;		   /**< of the table of flows */
	unsigned int flow_shift;   /**< one of 1 << shift flows is looked up */
	unsigned int detail_shift; /**< one of 1 << shift packets is looked at closely */
	int n_vms;		   /**< numbers ever given */
	struct dos_vm team;
	struct dos_vm *vms[DOS_VMS_MAX];
};

/** Hash of an address, as sketches know it. */
uint64_t dos_addr_hash(const struct dos *dos, const struct dos_addr *addr);
/** The guest, or the team. */
struct dos_vm *dos_vm_of(struct dos *dos, int vm);
/** Reports what a meter said: raised, cleared, or still there since it was last told. */
void dos_report(struct dos *dos, int vm, enum dos_direction direction, unsigned int source,
		enum dos_change change, uint64_t now_ns);
/** Most frequent peers and ports of the running second into what alarms and status show. */
void dos_take_top(struct dos_side *side);

#endif
