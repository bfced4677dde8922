/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * policy.c - the modes of a team, one row each: see policy.h. team.c asks for the row at each
 * frame.
 *
 * A frame that its member could not take (`tried`) goes to the one of the others that has least to
 * do, and its seat with it: the next frame must not overtake it. What a flow belongs to does not
 * change by that; it goes back there as it drains (seat.h).
 */
#include "policy.h"

#include <netinet/in.h>
#include <stddef.h>

#include "team_priv.h"

/* For frames that the active member could not take, and those that must not overtake them. */
static int choose_aside(struct team *team, struct team_frame *frame, uint32_t mask)
{
	struct seat *aside = &team->aside;
	const uint32_t others = mask & ~seat_bit(team->active);

	if (!others) {
		team_aside_is(team, -1, DEADLINE_NEVER);
		return seat_in(mask, team->active) ? team->active : -1;
	}
	if (aside->member < 0)
		team_aside_is(team, team_best(team, others), frame->now_ns + TEAM_ASIDE_NS);
	else if (!seat_in(others, aside->member))
		team_aside_is(team, team_best(team, others), team->aside_ns);
	team->detours |= seat_bit(aside->member);
	frame->seat = aside;
	return aside->member;
}

/* The active one; a frame that it could not take goes to the best of the others, and so do the next
 * ones until that has drained (seat.h). */
static int choose_active(struct team *team, struct team_frame *frame, uint32_t tried)
{
	const uint32_t mask = team->usable & ~tried;

	if (team->aside.member >= 0 &&
	    seat_may_leave(&team->aside, team->usable, frame->now_ns, team->options.drain_ns))
		team_aside_is(team, -1, DEADLINE_NEVER);
	if (team->aside.member < 0 && seat_in(mask, team->active))
		return team->active;
	return choose_aside(team, frame, mask);
}

/* The next one after the last one, whatever became of its frame; a turn is as many frames as the
 * member's weight. */
static int choose_round_robin(struct team *team, struct team_frame *frame, uint32_t tried)
{
	const uint32_t mask = team->usable & ~tried;
	const uint32_t ahead = mask & (UINT32_MAX << team->rr_next % TEAM_MEMBERS_MAX);
	int member;

	if (!mask)
		return -1;
	member = __builtin_ctz(ahead ? ahead : mask);
	if (member != (int)team->rr_next || !team->rr_left)
		team->rr_left = (uint32_t)team->members[member].traits.weight;
	team->rr_left--;
	team->rr_next = (uint32_t)member + !team->rr_left;
	return member;
}

/* Where the frame would have left first. Where that is the same, the one that sent least lately. */
static int choose_least_load(struct team *team, struct team_frame *frame, uint32_t tried)
{
	uint64_t best_wait = UINT64_MAX, best_recent = UINT64_MAX;
	int best = -1;

	for (uint32_t left = team->usable & ~tried; left; left &= left - 1) {
		const int i = __builtin_ctz(left);
		const struct load *load = &team->spread.loads[i];
		const uint64_t wait = load_wait_ns(load, frame->bytes, frame->now_ns);
		uint64_t recent;

		if (wait > best_wait)
			continue;
		recent = load_recent_ns(load, frame->now_ns);
		if (wait == best_wait && recent >= best_recent)
			continue;
		best = i;
		best_wait = wait;
		best_recent = recent;
	}
	return best;
}

static uint64_t hash_of(const struct team *team, const struct team_frame *frame,
			enum flow_fields fields)
{
	return flow_hash(&frame->key, fields, (uint32_t)team->options.hash_seed);
}

static void count(struct team *team, const struct team_frame *frame)
{
	team->spread.stats.non_ip += !frame->key.ip_version;
	team->spread.stats.malformed += frame->key.malformed;
}

/* For a frame whose seat's member could not take it. */
static int step_aside(struct team *team, struct team_frame *frame, struct seat *seat,
		      uint32_t tried)
{
	const int member = choose_least_load(team, frame, tried);

	if (member >= 0) {
		seat->member = (int16_t)member;
		frame->seat = seat;
	}
	return member;
}

static int by_bucket(struct team *team, struct team_frame *frame, uint64_t hash, uint32_t tried)
{
	struct bucket_map *map = &team->spread.map;
	struct bucket *bucket = &map->buckets[hash % BUCKETS];
	int member;

	member = bucket_choose(map, bucket, frame->now_ns, team->options.drain_ns);
	if (member < 0 || tried >> member & 1)
		return step_aside(team, frame, &bucket->seat, tried);
	frame->seat = &bucket->seat;
	return member;
}

static int choose_hash(struct team *team, struct team_frame *frame, uint32_t tried)
{
	count(team, frame);
	return by_bucket(team, frame, hash_of(team, frame, (enum flow_fields)team->options.hash),
			 tried);
}

static int choose_slb(struct team *team, struct team_frame *frame, uint32_t tried)
{
	count(team, frame);
	return by_bucket(team, frame, hash_of(team, frame, FLOW_VLAN_SRCMAC), tried);
}

static int choose_ip_hash(struct team *team, struct team_frame *frame, uint32_t tried)
{
	count(team, frame);
	if (!frame->key.ip_version)
		return choose_round_robin(team, frame, tried);
	return by_bucket(team, frame, hash_of(team, frame, FLOW_SRCDST), tried);
}

static int choose_flowlet(struct team *team, struct team_frame *frame, uint32_t tried)
{
	struct spread *s = &team->spread;
	const uint64_t hash = hash_of(team, frame, FLOW_L34);
	struct seat *seat = &s->flowlets[hash % SPREAD_FLOWLETS];

	count(team, frame);
	if (seat_may_leave(seat, team->usable, frame->now_ns, team->options.flowlet_gap_ns)) {
		seat->member = (int16_t)choose_round_robin(team, frame, 0);
		s->stats.flowlets++;
	}
	if (!seat_in(team->usable & ~tried, seat->member))
		return step_aside(team, frame, seat, tried);
	frame->seat = seat;
	return seat->member;
}

static struct sticky_entry *session(struct team *team, const struct team_frame *frame,
				    uint64_t hash)
{
	struct sticky *sticky = &team->spread.sticky;
	const uint64_t age_ns = team->options.sticky_age_ns, now_ns = frame->now_ns;
	struct sticky_entry *entry = sticky_find(sticky, hash);

	if (!(frame->key.tcp_flags & FLOW_TCP_SYN))
		return entry;
	if (!entry) {
		entry = sticky_enter(sticky, hash, age_ns, now_ns);
		team->spread.stats.sessions_by_hash += !entry;
	} else if (sticky_is_over(entry, age_ns, now_ns) &&
		   seat_may_leave(&entry->seat, team->usable, now_ns, team->options.drain_ns)) {
		entry->seat.member = -1; /* a new session with the ports of an old one */
	}
	return entry;
}

static int choose_sticky(struct team *team, struct team_frame *frame, uint32_t tried)
{
	const uint64_t hash = hash_of(team, frame, FLOW_L34);
	struct sticky_entry *entry = NULL;

	count(team, frame);
	if (frame->key.proto == IPPROTO_TCP && frame->key.has_ports)
		entry = session(team, frame, hash);
	if (!entry)
		return by_bucket(team, frame, hash, tried);
	if (!seat_in(team->usable, entry->seat.member)) {
		entry->seat.member = (int16_t)choose_least_load(team, frame, 0);
		team->spread.stats.sessions++;
	}
	sticky_seen(entry, frame->key.tcp_flags, frame->now_ns);
	if (!seat_in(team->usable & ~tried, entry->seat.member))
		return step_aside(team, frame, &entry->seat, tried);
	frame->seat = &entry->seat;
	return entry->seat.member;
}

#define AGGREGATION "; needs a static aggregation on the switch"
/* Name, help, single_active, by_flow, by_bucket, by_mac, lacp, choose. The order is part of nothing
 * that is stored: configurations hold names. */
#define POLICIES(ROW)                                                                              \
	ROW("active-backup",                                                                       \
	    "one member carries everything, another one takes over when it fails", true, false,    \
	    false, false, false, choose_active)                                                    \
	ROW("round-robin",                                                                         \
	    "each frame on the next member, which reorders within flows" AGGREGATION, false,       \
	    false, false, false, false, choose_round_robin)                                        \
	ROW("rr-flowlet",                                                                          \
	    "each flow on the next member whenever it paused for flowlet_gap" AGGREGATION, false,  \
	    true, false, false, false, choose_flowlet)                                             \
	ROW("least-load",                                                                          \
	    "each frame on the member that would have sent it first (queued bytes over speed), "   \
	    "which reorders within flows" AGGREGATION,                                             \
	    false, false, false, false, false, choose_least_load)                                  \
	ROW("hash", "each flow on one member, by the fields of the key hash" AGGREGATION, false,   \
	    true, true, false, false, choose_hash)                                                 \
	ROW("ip-hash",                                                                             \
	    "each pair of IP addresses on one member, frames without IP in turn" AGGREGATION,      \
	    false, true, true, false, false, choose_ip_hash)                                       \
	ROW("tcp-sticky",                                                                          \
	    "each TCP session stays on the member that had least to send when it began, the rest " \
	    "by hash of addresses and ports" AGGREGATION,                                          \
	    false, true, true, false, false, choose_sticky)                                        \
	ROW("slb",                                                                                 \
	    "each address of a guest (and VLAN) on one member; needs nothing of the switch",       \
	    false, true, true, true, false, choose_slb)                                            \
	ROW("lacp",                                                                                \
	    "each flow on one member of an aggregation that is agreed on with the switch by LACP " \
	    "(or is static, lacp_mode), by the fields of the key hash",                            \
	    false, true, true, false, true, choose_hash)

#define AS_ROW(name, help, single_active, by_flow, by_bucket, by_mac, lacp, choose)                \
	{name, help, single_active, by_flow, by_bucket, by_mac, lacp, choose},
#define AS_NAME(name, help, single_active, by_flow, by_bucket, by_mac, lacp, choose) name,

static const struct policy policies[] = {POLICIES(AS_ROW)};

const char *const policy_names[] = {POLICIES(AS_NAME) NULL};

const struct policy *policy_get(int index)
{
	return index >= 0 && (size_t)index < ARRAY_SIZE(policies) ? &policies[index] : NULL;
}
