/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * team.h - several members as one: who is up, who is active, who sends the next frame. Pure: time
 * and events are passed in.
 *
 * Theory of Operation: each member has a link state (fed by linkwatch and by send errors) and
 * passes through DOWN, UPDELAY, STANDBY or ACTIVE. The mode, a row of the policy table (policy.h),
 * says which usable member takes a frame; spread.h holds what modes remember. In active-backup the
 * best usable member (highest priority, then first added) is active; when it fails, the next one is
 * at once; when a better one returns, failback follows the option after its hold time. What was
 * made active by hand stays so until it fails, is removed, or mode or failback change. Modes
 * without an active member have a designated one (for multicast), chosen the same way.
 *
 * - DOWN: when its link is up and its probes are answered, UPDELAY, or DAMPED when it came and went
 *   too often (damp.h).
 * - UPDELAY, DAMPED: when the delay is over or nobody else is usable, STANDBY or ACTIVE.
 * - STANDBY, ACTIVE: when the link is gone and the downdelay over, after a send error, or when its
 *   probes are missed (probe.h) while those of another usable member are not, DOWN.
 * - DRAINED: the operator took it out of use (option `drained`), whatever its link. On its way
 *   there nobody may send (team_held) until what it was given has left its queue: then all that it
 *   carried can move at once and stays in order.
 *
 * A reserve member is watched like the others and is STANDBY while it works, but modes, min_links
 * and failover know nothing of it: it carries the guests that were failed over to it (pin.h), and
 * nothing else.
 *
 * Where something else than a failure changes who sends (failback, by hand, another mode or hash),
 * nobody may send either (team_held) until what members have has left. A frame that the active
 * member could not take goes to a standby one, and so does what follows until that has drained
 * (seat.h), or for TEAM_ASIDE_NS; what comes back there is received until the active member
 * changes.
 *
 * A link that comes back within downdelay was never gone; one that goes within updelay never came.
 * Where the probes of all members are missed, they say nothing (the target is gone), and members
 * with a link are used. With fewer usable members than min_links, the team is down: it has no
 * active member, and sends and receives nothing. Where several members send, no more than max_links
 * do: those of the highest priority, among equals those that do already; the others are STANDBY.
 *
 * Every function that takes now_ns first does what was due, changes, decides anew, and then calls
 * the observer, which sees the finished result and must not change the team.
 */
#ifndef XB_NET_TEAM_H
#define XB_NET_TEAM_H

#include <stdbool.h>
#include <stdint.h>

#include "damp.h"
#include "flow.h"
#include "lacp_options.h"
#include "spread.h"

#define TEAM_PRIORITY_DEFAULT 128
#define TEAM_WEIGHT_MAX	      100
/** A member that said ENETDOWN while linkwatch goes on saying "up" is tried again after so long. */
#define TEAM_RETRY_NS 1000000000ull
/** A detour around an active member that takes no frames ends after so long, when it did not drain
 * before. */
#define TEAM_ASIDE_NS 1000000000ull

enum team_member_state {
	TEAM_MEMBER_DOWN,    /**< no carrier, admin down, gone, or downdelay over */
	TEAM_MEMBER_UPDELAY, /**< link is back, not yet trusted */
	TEAM_MEMBER_STANDBY, /**< link is up, but it is not active (active-backup), or LACP does not
				let it send */
	TEAM_MEMBER_ACTIVE,  /**< carries traffic */
	TEAM_MEMBER_DAMPED,  /**< link is up, but was lost too often: must be quiet for a while */
	TEAM_MEMBER_DRAINED, /**< taken out of use by the operator */
};

enum team_failback {
	TEAM_FAILBACK_ALWAYS, /**< to the best member (priority, then first added) once it is up for
				 the hold time */
	TEAM_FAILBACK_BETTER, /**< the same, but only to a member of higher priority than the active
				 one's */
	TEAM_FAILBACK_FAILURE, /**< when the active one fails, the best one takes over */
	TEAM_FAILBACK_MANUAL,  /**< by team_failover; a failure is treated as with FAILURE */
	TEAM_FAILBACK_LOAD, /**< as ALWAYS, once the active one is used less than failback_load */
};

/** Configuration of a team: target of the key table; names of modes come from policy_names(). */
struct team_options {
	char members[512]; /**< interface names, space separated; optional ":PRIORITY" (0-255,
			      default 128) */
	char reserve_members[512]; /**< the same, of reserve members */
	int mode;		   /**< index into the policy table */
	int failback;		   /**< enum team_failback */
	uint64_t failback_hold_ns;
	uint64_t failback_load; /**< percent of the active member's speed, over the last second */
	uint64_t updelay_ns, downdelay_ns;
	struct damp_options damping;
	uint64_t min_links; /**< usable members that the team needs, 0 and 1 are the same */
	uint64_t max_links; /**< that are used at a time, where several are; 0 = all */
	char drained[256];  /**< names of members that are out of use, space separated */
	int probe;	    /**< enum probe_mode (probe.h) */
	char probe_targets[256], probe_source[48]; /**< addresses */
	uint64_t probe_interval_ns, probe_missed;
	int probe_need; /**< of several targets: 0 any must answer, 1 all */
	uint64_t carrier_poll_ns;
	char netns[64];		   /**< private namespace for the members, "" = none */
	uint64_t rarp_count;	   /**< announcements of each guest MAC after a switch */
	uint64_t rarp_interval_ns; /**< between them */
	uint64_t rarp_burst;	   /**< frames in ANNOUNCE_BURST_NS */
	int announce;		   /**< enum announce_kind */
	int hash;		   /**< enum flow_fields, of the mode hash */
	uint64_t hash_seed;	   /**< 32 bits */
	uint64_t flowlet_gap_ns;
	uint64_t drain_ns;		/**< see seat.h */
	uint64_t sticky_age_ns;		/**< a silent session is forgotten */
	uint64_t speed_bps;		/**< of members whose speed is unknown */
	uint64_t rebalance_interval_ns; /**< 0 = never */
	uint64_t rebalance_threshold;	/**< percent of a member's speed */
	uint64_t rebalance_gain;	/**< percent */
	uint64_t repin_interval_ns;	/**< 0 = never */
	uint64_t repin_threshold;	/**< percent of a member's speed */
	char event_hook[64]; /**< of HOOK_PROGRAM_MAX; program that hears of events (hook.h), "" =
				none */
	char dos[32];	     /**< profile of guard_profiles.h */
	char dos_signatures[256]; /**< path of a file, "" = none */
	struct lacp_options lacp; /**< of the mode lacp */
	int unit;		  /**< enum cost_unit; from here on see fair.h and qos.h */
	bool strict;
	uint64_t floor_permille, admission_percent;
	uint64_t max_lag_bytes, wake_credit_bytes;
	uint64_t pace_bps; /**< of a member, 0 = none */
	uint64_t timer_slack_ns;
	uint64_t shortage_after_ns;
};

/** What the operator says of a member, beside its priority. */
struct member_traits {
	uint64_t weight;    /**< 1 to TEAM_WEIGHT_MAX: how much it takes, beside the others */
	uint64_t speed_bps; /**< counts in place of what its driver tells; 0 = that counts */
};

struct team_member {
	char name[TEAM_NAME_MAX];
	bool used;
	uint8_t priority;
	bool link;	/**< last reported */
	bool dead;	/**< its probes are missed */
	bool drained;	/**< out of use, or on its way there */
	bool reserve;	/**< for guests that are failed over to it */
	uint32_t order; /**< when it was added: smaller = earlier */
	struct member_traits traits;
	enum team_member_state state;
	uint64_t since_ns;    /**< of state */
	uint64_t deadline_ns; /**< of UPDELAY and DAMPED, of the downdelay of a member whose link is
				 gone, of the drain of one that works, or of the retry of a DOWN one
			       */
	uint64_t link_ns;     /**< last change of link */
	uint64_t up_ns;	      /**< when it became usable last */
	const char *reason;   /**< static text of the last change */
	void *ctx;	      /**< the owner's (its NIC) */
	uint64_t n_flaps;     /**< UP -> DOWN changes */
	uint64_t n_errors;    /**< sends that failed for want of carrier or resources */
	uint64_t n_shortages; /**< of these: ENOBUFS, EAGAIN */
	struct damp damp;
};

struct team;
/** Called on every change of a member's state or of the active member (then old != new; -1 = none).
 * Any of them may be NULL. */
struct team_observer {
	void (*member)(void *ctx, struct team *team, int member, enum team_member_state old);
	void (*active)(void *ctx, struct team *team, int old, int new, const char *reason);
	/** A bound guest belongs to another member now (-1 = any); pin->why says why. */
	void (*guest)(void *ctx, struct team *team, const struct pin *pin, int old);
	/** Rebalancing moved so many buckets of flows off this member. */
	void (*buckets)(void *ctx, struct team *team, unsigned int n, int from);
	void *ctx;
};

/** A frame that looks for a member. */
struct team_frame {
	struct flow_key key; /**< not needed where team_reads_flows is false */
	uint32_t bytes;	     /**< that it takes on the link */
	uint64_t now_ns;
	struct pin *pin;   /**< of the guest that sends it, NULL = not bound */
	struct seat *seat; /**< out: the seat that it took, NULL = none */
	bool follows;	   /**< out: earlier frames of that seat have not left the member yet */
};

struct team {
	char name[TEAM_NAME_MAX];
	struct team_options options;
	struct team_member members[TEAM_MEMBERS_MAX];
	uint32_t usable;  /**< bits of members that frames may go to: max_links of fit */
	uint32_t fit;	  /**< bits of those of up that may send, but for reserve members */
	uint32_t up;	  /**< bits of members in STANDBY or ACTIVE */
	uint32_t reserve; /**< bits of reserve members */
	uint32_t spare;	  /**< bits of those that guests may be failed over to: they are up */
	uint32_t may_send, may_receive; /**< bits, see team_permit */
	uint32_t retired;		/**< bits, see team_retire */
	uint32_t closed;  /**< all bits set while fewer members are usable than min_links */
	uint32_t n_added; /**< members ever added */
	bool by_hand;	  /**< active was chosen by team_failover: no failback */
	int active;	  /**< the active member in active-backup, the designated one (multicast)
			     otherwise; -1 none */
	uint32_t rr_next, rr_left; /**< round robin: whose turn it is, and frames left of it */
	uint64_t failback_ns;	   /**< when failback is due, DEADLINE_NEVER = not pending */
	uint64_t held_ns; /**< until then nobody may send: what members have is to leave first */
	uint32_t detours; /**< bits: members that sent in place of the active one, which could not,
			     since it is the active one: switches may have learned guests there */
	struct seat
		aside; /**< of what the active member did not take; member -1 = none under way */
	uint64_t aside_ns; /**< then nobody may send until it has left, and the active member is
			      tried again; DEADLINE_NEVER = no detour */
	struct team_observer observer;
	struct spread spread; /**< how frames are distributed */
};

void team_init(struct team *team, const char *name, const struct team_options *options,
	       const struct team_observer *observer);
/** New options, live; members are changed by team_add/team_remove, not here. */
void team_set_options(struct team *team, const struct team_options *options, uint64_t now_ns);
/** Adds a member, link down; returns its index, -EEXIST, -ENOSPC, -EINVAL (name empty or longer
 * than TEAM_NAME_MAX - 1). */
int team_add(struct team *team, const char *name, uint8_t priority, void *ctx);
/** A member that was just added is a reserve member, for as long as it is one at all. */
void team_reserve(struct team *team, int member);
/** Removes it; another one becomes active at once where needed. */
void team_remove(struct team *team, int member, uint64_t now_ns);
int team_find(const struct team *team, const char *name);

/** Carrier and admin state as seen by linkwatch. */
void team_on_link(struct team *team, int member, bool up, uint64_t now_ns);
/** Probes of the member: missed as often as it takes (false), or answered again as often. */
void team_on_probe(struct team *team, int member, bool answered, uint64_t now_ns);
/**
 * Takes a member out of use, as the option `drained` does for those that it names: no new frames.
 * Returns when it will be DRAINED (team_run does it), now_ns when nothing had to be waited for.
 */
uint64_t team_drain(struct team *team, int member, uint64_t now_ns);
/** May nobody send at this moment? Not for longer than LOAD_WAIT_MAX_NS and the option drain. */
static inline bool team_held(const struct team *team, uint64_t now_ns)
{
	return now_ns < team->held_ns;
}
/** Is the name one of the words of a list? */
bool team_listed(const char *list, const char *name);
/**
 * A send on member failed with -error. ENETDOWN: the member is down until linkwatch reports "up"
 * or, when it never reported "down", for TEAM_RETRY_NS. ENXIO/ENODEV: down until linkwatch reports
 * "up". ENOBUFS and others: counted; the frame is to be offered to the next member (team_choose
 * with `tried`), no change of state; re-check of carrier is the caller's.
 */
void team_on_send_error(struct team *team, int member, int error, uint64_t now_ns);
/**
 * Who may carry traffic at all, beside having a link: sets of members, all of them at first. For
 * modes in which a partner has a say (LACP). Members of the set `receive` also take frames to
 * groups, in modes with policy.lacp. why: static texts, by member, for those that change.
 */
void team_permit(struct team *team, uint32_t send, uint32_t receive,
		 const char *const why[TEAM_MEMBERS_MAX], uint64_t now_ns);
/** What member carries moves to the others without reordering (seat.h), or (on = false) comes back.
 * team_retired: it has moved; what never pauses for team_options.drain_ns does not. */
void team_retire(struct team *team, int member, bool on, uint64_t now_ns);
bool team_retired(const struct team *team, int member, uint64_t now_ns);
/** Another priority (0-255, higher is preferred), live. */
void team_set_priority(struct team *team, int member, uint8_t priority, uint64_t now_ns);
/** Other traits (a new member has weight 1 and the speed that its driver tells), live: what moves
 * to another member does so as it drains. */
void team_set_traits(struct team *team, int member, const struct member_traits *traits,
		     uint64_t now_ns);
/** Makes member active by hand (-1: the best one but the active); -EINVAL not a member, -ENETDOWN
 * not usable, or no other is, -EPERM a reserve member. */
int team_failover(struct team *team, int member, uint64_t now_ns);

/**
 * Member for a frame, usable and not one of the bits in `tried`; -1 = none. A bound guest's (pin.h)
 * comes before the mode's, but in modes with one active member. The frame counts as given to it.
 */
int team_choose(struct team *team, struct team_frame *frame, uint32_t tried);
/** Does the mode look at the frame's key? */
bool team_reads_flows(const struct team *team);
/** True when unicast frames received on member count. Also on a DRAINED one: switches take a moment
 * to learn that it is not used any more. A reserve member's count for the guests that are on it
 * (switch.h). */
bool team_may_receive(const struct team *team, int member);
/** ... frames to groups: on the active member where each member is a port of its own to the switch,
 * which sends such a frame to all of them; on all that count where the switch has an aggregation of
 * them, and sends it through any one; on a reserve member where no other member works. */
bool team_takes_groups(const struct team *team, int member);

/** Performs what is due; call at the deadline. */
void team_run(struct team *team, uint64_t now_ns);
/** Next time team_run has work, DEADLINE_NEVER = none. After team_run(now_ns) it is later than
 * now_ns. */
uint64_t team_deadline(const struct team *team);
/** Of these, what frames can set. */
static inline uint64_t team_clock(const struct team *team)
{
	const uint64_t spread_ns = spread_deadline(&team->spread);

	return team->aside_ns < spread_ns ? team->aside_ns : spread_ns;
}
/** The best of the members in the bit mask: link, priority, first added; -1 = mask is empty. For
 * policy.c. */
int team_best(const struct team *team, uint32_t mask);

const char *team_member_state_name(enum team_member_state state);

/**
 * Parses members ("eth0 eth1:200") one by one: true and the next name and priority, false at the
 * end. A wrong word (what no interface can be called, a priority that is not 0-255) sets *bad and
 * returns false, with *rest at that word.
 */
bool team_members_next(const char **rest, char name[TEAM_NAME_MAX], uint8_t *priority, bool *bad);

#endif
