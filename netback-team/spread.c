/* SPDX-License-Identifier: GPL-2.0-or-later */
/* spread.c - tables and clocks of a team's distribution, see spread.h. */
#include "spread.h"

#include <string.h>
#include <utlist.h>

#include "policy.h"
#include "rebalance.h"
#include "team.h"
#include "util.h"

void spread_rates(struct team *team)
{
	struct spread *s = &team->spread;

	for (unsigned int i = 0; i < TEAM_MEMBERS_MAX; i++) {
		const uint64_t set_bps = team->members[i].traits.speed_bps;
		const uint64_t bps = set_bps ? set_bps : s->told_bps[i];

		load_set_rate(&s->loads[i], bps ? bps : team->options.speed_bps);
	}
}

static void stop_clocks(struct spread *s)
{
	s->rebalance.due_ns = s->repin.due_ns = DEADLINE_NEVER;
	s->asleep = true;
	s->relieve = -1;
}

void spread_init(struct team *team)
{
	struct spread *s = &team->spread;

	memset(s, 0, sizeof(*s));
	bucket_init(&s->map);
	spread_rates(team);
	stop_clocks(s);
}

void spread_configure(struct team *team, uint32_t old_seed)
{
	spread_rates(team);
	stop_clocks(&team->spread);
	if (old_seed != team->options.hash_seed) /* its sessions can't be found any more */
		sticky_init(&team->spread.sticky);
}

void spread_set_speed(struct team *team, int member, uint64_t bps)
{
	team->spread.told_bps[member] = bps;
	spread_rates(team);
}

/* Members that something may belong to. */
static uint32_t homes(const struct team *team)
{
	uint32_t used = 0;

	for (unsigned int i = 0; i < TEAM_MEMBERS_MAX; i++)
		used |= (uint32_t)team->members[i].used << i;
	return used & ~team->retired & ~team->reserve;
}

static struct pin_team view(const struct team *team)
{
	struct pin_team view = {.usable = team->usable & ~team->retired,
				.spare = team->spare & ~team->retired,
				.loads = team->spread.loads};

	for (unsigned int i = 0; i < TEAM_MEMBERS_MAX; i++)
		view.names[i] = team->members[i].used ? team->members[i].name : NULL;
	return view;
}

void spread_members(struct team *team, uint64_t now_ns)
{
	struct spread *s = &team->spread;
	const uint32_t used = homes(team);
	struct pin_team pin_team;
	struct pin *pin;

	for (int i = 0; i < TEAM_MEMBERS_MAX; i++)
		if (used >> i & 1)
			bucket_weight(&s->map, i, (uint16_t)team->members[i].traits.weight);
	if (used == s->map.used && team->usable == s->map.usable && team->spare == s->spare &&
	    !s->map.uneven)
		return;
	s->spare = team->spare;
	bucket_members(&s->map, used, team->usable);
	pin_team = view(team);
	DL_FOREACH (s->pins, pin)
		pin_aim(pin, &pin_team, s->pins, now_ns);
}

void spread_tell(struct team *team)
{
	const struct team_observer *observer = &team->observer;
	struct spread *s = &team->spread;
	struct pin *pin;

	s->n_away = 0;
	DL_FOREACH (s->pins, pin) {
		const int old = pin->told;

		pin->told = pin->seat.want;
		s->n_away += seat_in(team->reserve, pin->told);
		if (old != pin->told && observer->guest)
			observer->guest(observer->ctx, team, pin, old);
	}
	if (s->stats.rebalanced != s->told_rebalanced && observer->buckets)
		observer->buckets(observer->ctx, team,
				  (unsigned int)(s->stats.rebalanced - s->told_rebalanced),
				  s->moved_from);
	s->told_rebalanced = s->stats.rebalanced;
}

bool spread_is_empty(const struct team *team, int member, uint64_t now_ns)
{
	const uint64_t drain_ns = team->options.drain_ns;
	unsigned int count[TEAM_MEMBERS_MAX];
	const struct pin *pin;

	DL_FOREACH (team->spread.pins, pin) {
		if (pin->seat.member == member && pin->seat.want != member &&
		    !seat_may_leave(&pin->seat, team->usable | team->spare, now_ns, drain_ns))
			return false;
	}
	bucket_count(&team->spread.map, now_ns, drain_ns, count);
	return count[member] == 0;
}

/* --- guests --- */

void spread_pin_add(struct team *team, struct pin *pin, uint64_t now_ns)
{
	const struct pin_team pin_team = view(team);

	pin->seat = (struct seat){.member = -1, .want = -1};
	DL_APPEND(team->spread.pins, pin);
	team->spread.asleep = true; /* perhaps its clock has to start */
	pin_aim(pin, &pin_team, team->spread.pins, now_ns);
	pin->told = pin->seat.want;
}

void spread_pin_remove(struct team *team, struct pin *pin)
{
	DL_DELETE(team->spread.pins, pin);
	team->spread.n_away -= seat_in(team->reserve, pin->told);
}

bool spread_pin_set(struct team *team, struct pin *pin, const char *list, bool confine,
		    uint64_t now_ns)
{
	return spread_pin_place(team, pin, list, confine, PIN_NORMAL, now_ns);
}

bool spread_pin_place(struct team *team, struct pin *pin, const char *list, bool confine,
		      enum pin_reach reach, uint64_t now_ns)
{
	const struct team_observer *observer = &team->observer;
	const struct pin_team pin_team = view(team);

	if (!pin_set(pin, list, confine))
		return false;
	pin->reach = reach;
	pin_aim(pin, &pin_team, team->spread.pins, now_ns);
	team->spread.asleep = true;
	/* A guest that only listens moves now, not with its next frame. */
	if (reach != PIN_NORMAL || seat_in(team->reserve, pin->seat.member))
		pin_choose(pin, team->usable | team->spare, now_ns, team->options.drain_ns);
	if (reach == PIN_RESERVE && !seat_in(team->spare, pin->seat.want) &&
	    pin->told == pin->seat.want && observer->guest)
		observer->guest(observer->ctx, team, pin, pin->told);
	spread_tell(team);
	return true;
}

static int seat_now(const struct seat *seat, uint32_t usable)
{
	return seat_in(usable, seat->member) ? seat->member : seat->want;
}

int spread_member_of_mac(const struct team *team, const struct pin *pin, const uint8_t mac[6],
			 uint16_t vlan)
{
	const struct policy *policy = policy_get(team->options.mode);
	uint64_t hash;
	int member = -1;

	if (pin && seat_in(team->spare, pin->seat.want))
		return pin->seat.want;
	if (pin && pin_binds(pin) && !policy->single_active)
		member = seat_now(&pin->seat, team->usable);
	if (member < 0 && policy->by_mac) {
		hash = flow_hash_mac(mac, vlan, (uint32_t)team->options.hash_seed);
		member = seat_now(&team->spread.map.buckets[hash % BUCKETS].seat, team->usable);
	}
	return seat_in(team->usable, member) ? member : team->active;
}

bool spread_moves_macs(const struct team *team)
{
	const struct policy *policy = policy_get(team->options.mode);
	const struct pin *pin;

	if (policy->by_mac)
		return true;
	DL_FOREACH (team->spread.pins, pin)
		if (pin_binds(pin) && !policy->single_active)
			return true;
	return false;
}

/* --- clocks --- */

static void start_clock(struct spread *s, struct spread_clock *clock, uint64_t interval_ns,
			uint64_t now_ns)
{
	clock->begin_ns = now_ns;
	clock->due_ns = now_ns + interval_ns;
	for (unsigned int i = 0; i < TEAM_MEMBERS_MAX; i++)
		clock->bytes[i] = s->loads[i].bytes;
}

static bool has_confined(const struct spread *s)
{
	const struct pin *pin;

	DL_FOREACH (s->pins, pin)
		if (pin->confine)
			return true;
	return false;
}

void spread_wake(struct team *team, uint64_t now_ns)
{
	const struct team_options *options = &team->options;
	const struct policy *policy = policy_get(options->mode);
	struct spread *s = &team->spread;

	s->asleep = false;
	if (s->rebalance.due_ns == DEADLINE_NEVER && options->rebalance_interval_ns &&
	    policy->by_bucket)
		start_clock(s, &s->rebalance, options->rebalance_interval_ns, now_ns);
	if (s->repin.due_ns == DEADLINE_NEVER && options->repin_interval_ns &&
	    !policy->single_active && has_confined(s))
		start_clock(s, &s->repin, options->repin_interval_ns, now_ns);
}

/* What happened since the clock was started; false: nothing. */
static bool measure(const struct team *team, const struct spread_clock *clock,
		    struct rebalance_state *state, uint64_t now_ns)
{
	const struct spread *s = &team->spread;
	uint64_t all = 0;

	state->usable = team->usable;
	state->interval_ns = now_ns - clock->begin_ns;
	for (unsigned int i = 0; i < TEAM_MEMBERS_MAX; i++) {
		state->bytes[i] = s->loads[i].bytes - clock->bytes[i];
		state->rate_bps[i] = s->loads[i].rate_bps;
		all += state->bytes[i];
	}
	return all > 0;
}

/* As if speeds went by the weights: who weighs less is full earlier. */
static void weigh_rates(const struct team *team, struct rebalance_state *state)
{
	uint64_t most = 1;

	for (int i = 0; i < TEAM_MEMBERS_MAX; i++)
		if (seat_in(team->usable, i))
			most = MAX(most, team->members[i].traits.weight);
	for (int i = 0; i < TEAM_MEMBERS_MAX; i++)
		if (seat_in(team->usable, i))
			state->rate_bps[i] =
				state->rate_bps[i] * team->members[i].traits.weight / most;
}

static void rebalance_buckets(struct team *team, struct rebalance_state *state, uint64_t now_ns)
{
	const struct rebalance_rule rule = {(unsigned int)team->options.rebalance_threshold,
					    (unsigned int)team->options.rebalance_gain};
	const uint64_t hold_ns = SPREAD_HOLD * team->options.rebalance_interval_ns;
	struct rebalance_item items[BUCKETS];
	struct spread *s = &team->spread;
	struct rebalance_move move;
	const int before = s->relieve;

	for (unsigned int i = 0; i < BUCKETS; i++) {
		struct bucket *b = &s->map.buckets[i];
		const bool held = b->seat.member != b->seat.want ||
				  (b->moved_ns && now_ns - b->moved_ns < hold_ns);

		items[i] = (struct rebalance_item){b->seat.want, held ? 0 : team->usable,
						   b->seat.bytes};
		b->seat.bytes = 0;
	}
	s->relieve = -1;
	for (unsigned int n = 0; n < SPREAD_MOVES; n++) {
		if (!rebalance_pick(state, items, BUCKETS, &rule, &move))
			return;
		if (n == 0 && move.from != before) {
			s->relieve = move.from;
			return;
		}
		bucket_move(&s->map, (unsigned int)move.item, move.to, now_ns);
		s->stats.rebalanced++;
		s->moved_from = move.from;
		rebalance_apply(state, items, &move);
	}
}

static void repin_guests(struct team *team, const struct rebalance_state *state)
{
	const struct rebalance_rule rule = {(unsigned int)team->options.repin_threshold,
					    (unsigned int)team->options.rebalance_gain};
	struct rebalance_item items[SPREAD_PINS_MAX];
	struct pin *pins[SPREAD_PINS_MAX], *pin;
	struct rebalance_move move;
	size_t n = 0;

	DL_FOREACH (team->spread.pins, pin) {
		if (pin->confine && n < SPREAD_PINS_MAX &&
		    !seat_in(team->reserve, pin->seat.want)) {
			const bool held = pin->seat.member != pin->seat.want;

			items[n] = (struct rebalance_item){
				pin->seat.want, held ? 0 : pin_members(pin, team->usable),
				pin->seat.bytes};
			pins[n++] = pin;
		}
		pin->seat.bytes = 0;
	}
	if (!rebalance_pick(state, items, n, &rule, &move))
		return;
	pins[move.item]->seat.want = (int16_t)move.to;
	pins[move.item]->why = "moved off a busy member";
	team->spread.stats.repinned++;
}

void spread_run(struct team *team, uint64_t now_ns)
{
	const struct team_options *options = &team->options;
	struct spread *s = &team->spread;
	struct rebalance_state state;

	if (s->rebalance.due_ns <= now_ns) {
		const bool busy = measure(team, &s->rebalance, &state, now_ns);

		weigh_rates(team, &state);
		rebalance_buckets(team, &state, now_ns);
		start_clock(s, &s->rebalance, options->rebalance_interval_ns, now_ns);
		if (!busy)
			s->rebalance.due_ns = DEADLINE_NEVER;
		s->asleep |= !busy;
	}
	if (s->repin.due_ns <= now_ns) {
		const bool busy = measure(team, &s->repin, &state, now_ns);

		repin_guests(team, &state);
		start_clock(s, &s->repin, options->repin_interval_ns, now_ns);
		if (!busy || !has_confined(s))
			s->repin.due_ns = DEADLINE_NEVER;
		s->asleep |= !busy;
	}
}
