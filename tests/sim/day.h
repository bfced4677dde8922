/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * day.h - a host's day for sim-day.c: a worker on a fake Xen, guests, four NICs with queues and
 * speeds, and the switch behind them, on the manual clock.
 *
 * day-net.c: NICs, cables, the switch (learns addresses, speaks LACP, answers probes).
 * day-guests.c: frames of numbered flows, who has to get them, and what was lost for which reason.
 * day-events.c: what happens to all of them. sim-day.c: time, and what must hold at any time.
 *
 * A NIC's queue holds what its link carries in DAY_DEPTH_NS, and goes on sending while it takes
 * nothing. So what is offered to another member because one took nothing for 5 ms
 * (uplink_full.c) is never overtaken by what that one still had.
 */
#ifndef XB_SIM_DAY_H
#define XB_SIM_DAY_H

#include "netback-team/lacp.h"
#include "tests/unit/datapath.h"

#define DAY_NICS     4
#define DAY_FLOWS    4 /**< of each pair of parties */
#define DAY_PARTIES  (DP_GUESTS + 1)
#define DAY_WIRE     DP_GUESTS /**< the party behind the switch */
#define DAY_QUEUE    2048      /**< frames in a NIC at most */
#define DAY_CONTROL  128       /**< bytes of a control frame */
#define DAY_DEPTH_NS 4000000ull
#define DAY_IDS	     256

/** Why a frame did not arrive, where that is legal. */
enum day_loss {
	DAY_LOSS_LINK,	    /**< in the queue of a NIC whose link died */
	DAY_LOSS_SILENT,    /**< on a link that was dead and not found out yet */
	DAY_LOSS_PARTNER,   /**< on a link that the LACP partner had just left */
	DAY_LOSS_NO_MEMBER, /**< no member could send */
	DAY_LOSS_INACTIVE,  /**< came in on a member before the switch knew better */
	DAY_LOSS_LIMIT,	    /**< over the guest's receive limit */
	DAY_LOSS_LAZY,	    /**< the guest took no frames */
	DAY_LOSS_GUEST,	    /**< waited for a guest that left */
	DAY_LOSSES
};
extern const char *const day_loss_names[DAY_LOSSES];

/** What is known of many days. */
struct day_figures {
	uint64_t frames, arrived, local, lost[DAY_LOSSES], left;
	uint64_t events, failovers, passes, held, full_waits, reselected, out_of_order;
};

/** A frame in a NIC's queue. */
struct day_queued {
	uint64_t gone_ns; /**< its last bit has left */
	uint8_t from, to, flow;
	uint32_t number;
	uint16_t n_control; /**< bytes below; 0 = a frame of a flow */
	uint8_t control[DAY_CONTROL];
};

struct day;

struct day_nic {
	struct nic nic;
	struct day *day;
	unsigned int index;
	int slot; /**< its number in the team, while it is a member */
	bool member, leaving;
	bool cable, admin, present;
	bool silent;  /**< nothing gets through, and nobody says so */
	bool starved; /**< takes no frames, goes on sending those it has */
	bool link;    /**< as link watch reported it */
	bool drained; /**< stands in the key */
	uint8_t priority;
	uint32_t order;
	uint64_t bps;
	uint64_t report_ns;	     /**< link watch reports then */
	uint64_t silent_ns;	     /**< since when it is silent */
	uint64_t starved_ns, fed_ns; /**< takes nothing from then until then */
	uint64_t disturbed_ns;	     /**< last time that anything happened to it */
	uint64_t remove_ns;	     /**< a member that was drained leaves then */
	uint64_t mend_ns;	     /**< what is broken works again then */
	uint64_t busy_ns;	     /**< all that it has will have left */
	struct day_queued *queue;
	unsigned int first, n, n_control;
	struct day_in *in; /**< came in, and was not read yet */
};

/** Frames for the worker. */
struct day_in {
	struct day_in *prev, *next;
	uint32_t len;
	uint8_t data[];
};

struct day_guest {
	struct dp_guest *g;
	bool on, lazy;
	uint64_t lazy_ns;
	uint64_t limit_ns; /**< its limit was changed last */
	uint16_t next_id;
	int32_t ids[DAY_IDS];	    /**< of requests, by ring index; -1 = extra info */
	bool last[DAY_IDS];	    /**< of its frame */
	unsigned int n_frames;	    /**< not answered */
	unsigned int n_pages;	    /**< in use */
	unsigned int todo, to, gso; /**< frames that it wants to send, where, one in so many GSO */
	uint64_t offered, taken; /**< frames put into the ring and answered, of this connection */
	struct vif_stats seen;	 /**< as of the last look */
	bool limited;
};

struct day {
	struct dp *dp;
	struct worker *w;
	uint64_t seed;
	struct team_options options;
	struct day_nic nics[DAY_NICS];
	struct day_guest guests[DP_GUESTS];
	struct lacp partner;
	bool partner_on, frozen, watched;
	uint64_t thaw_ns;  /**< until then the partner is frozen */
	uint64_t lacp_ns;  /**< last time that anything happened to LACP */
	uint64_t probe_ns; /**< that probes are as they are since */
	int learned[DP_GUESTS];
	uint64_t deadline_ns, change_ns, options_ns;
	uint32_t next[DAY_PARTIES][DAY_PARTIES][DAY_FLOWS];
	uint64_t made_ns[DAY_PARTIES][DAY_PARTIES][DAY_FLOWS]; /**< the last frame of a flow */
	uint32_t seen[DAY_PARTIES][DAY_PARTIES][DAY_FLOWS];
	uint32_t n_orders;
	bool no_order;						 /**< the mode says so */
	uint32_t unordered[DAY_PARTIES][DAY_PARTIES][DAY_FLOWS]; /**< the last frame until then */
	uint64_t rx_dropped;	      /**< worker's count of these, so far */
	int active;		      /**< the last one seen */
	uint32_t usable;	      /**< the last ones seen */
	uint64_t work_ns, work_taken; /**< something went last, and how much until then */
	struct day_figures *f;
	uint8_t frame[70000], want[70000];
};

static inline uint64_t day_now(struct day *day)
{
	return clock_now(&day->dp->clock);
}
uint32_t day_rnd(struct day *day, uint32_t below);
/** Fails the test with a sentence, the time of the day and the state of the team. */
void day_fail(struct day *day, const char *format, ...)
	__attribute__((format(printf, 2, 3), noreturn));

/* sim-day.c */

/** Lets the worker run, and checks everything. */
void day_run(struct day *day);
/** Time passes, with all that is due meanwhile. */
void day_until(struct day *day, uint64_t until_ns);

/* day-net.c */

void day_net_init(struct day *day);
void day_net_fini(struct day *day);
/** A NIC joins the team. */
void day_join(struct day *day, struct day_nic *nic);
/** Something happened to its link: link watch reports it soon. */
void day_link_changed(struct day *day, struct day_nic *nic);
/** What has left NICs by now arrives; link watch and the LACP partner do what is due. */
void day_net_run(struct day *day);
uint64_t day_net_deadline(struct day *day);
/** Does its link carry frames? */
bool day_carries(const struct day_nic *nic);
/** Can a frame be given to the NIC now (or, waits: shortly)? */
bool day_takes(struct day *day, const struct day_nic *nic, bool waits);
/** Frames for the worker that it has not read. */
bool day_has_input(const struct day *day);
/** A frame from the wire for a guest; false: the switch has no way to it. */
bool day_incoming(struct day *day, unsigned int to, unsigned int flow, const uint8_t *frame,
		  uint32_t len);
/** Mode, or the partner's mood, changed. */
void day_partner_set(struct day *day, bool on);

/* day-guests.c */

/** Attacks on and by all guests are looked for, as by default, or not. */
void day_watch(struct day *day, bool on);
void day_guest_connect(struct day *day, unsigned int i);
void day_guest_leave(struct day *day, unsigned int i);
/** Everybody who wants to send does, as far as rings have room. True: somebody did. */
bool day_guests_send(struct day *day);
/** The wire sends a few frames. */
void day_wire_sends(struct day *day, unsigned int n);
/** A NIC was given a frame of a flow: unchanged? Which one? */
void day_parse(struct day *day, const uint8_t *frame, uint32_t len, struct day_queued *queued);
/** It came to its end. */
void day_arrived(struct day *day, const struct day_queued *queued);
void day_lost(struct day *day, enum day_loss why, uint64_t n);
/** Answers and frames in the guests' rings; losses that counters tell. */
void day_guests_look(struct day *day);
/** Frames that wait for room in rings, unanswered. */
bool day_guests_wait(const struct day *day);

/* day-events.c */

void day_event(struct day *day);
/** All is well from now on: links, guests, options that stop traffic. */
void day_become_quiet(struct day *day);
/** New options, as teams.c gives them to a worker. */
void day_set_options(struct day *day);
/** Members that were drained leave, what is broken is mended, when their time has come. */
void day_events_run(struct day *day);
/** The worker's word that a member has drained; ctx: the day. */
void day_drained(void *ctx, const char *member);
uint64_t day_events_deadline(const struct day *day);

#endif
