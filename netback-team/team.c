/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * team.c - what happens to a team and what is asked of it, see team.h for states and rules;
 * team_state.c and team_roles.c act on it, policy.c has the modes.
 *
 * Every entry point runs between pass_begin, which notes how things stand, and pass_end, which
 * decides what follows from the change and tells the observer what is different now. So no caller
 * can leave the team undecided, and no observer sees half a failover.
 */
#include "team_priv.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

/* What never pauses would stay on it for ever. */
static void end_detour(struct team *team)
{
	team_hold(team, seat_bit(team->aside.member) & team->usable);
	team_aside_is(team, -1, DEADLINE_NEVER);
}

static struct pass pass_begin(struct team *team, uint64_t now_ns)
{
	struct pass pass = {.now_ns = now_ns,
			    .old_active = team->active,
			    .why_role = team->options.max_links ? "one of max_links now"
								: "mode changed"};

	for (int i = 0; i < TEAM_MEMBERS_MAX; i++)
		pass.old[i] = team->members[i].state;
	spread_run(team, now_ns);
	if (team->aside_ns <= now_ns)
		end_detour(team);
	team_expire(team, now_ns);
	team_judge_dead(team, now_ns);
	team_check_min_links(team);
	return pass;
}

static void pass_end(struct team *team, struct pass *pass)
{
	const struct team_observer *observer = &team->observer;

	team_judge_dead(team, pass->now_ns);
	team_check_min_links(team);
	team_fail_over(team, pass);
	team_fail_back(team, pass);
	team_assign_roles(team, pass);
	if (!seat_in(team->usable & ~seat_bit(team->active), team->aside.member))
		team_aside_is(team, -1, DEADLINE_NEVER);
	if (team->active != pass->old_active) {
		team->detours = seat_bit(team->aside.member);
		if (team_single_active(team))
			team_hold(team, seat_bit(pass->old_active) & team->usable);
	}
	spread_members(team, pass->now_ns);
	for (int i = 0; i < TEAM_MEMBERS_MAX; i++)
		if (team->members[i].used && team->members[i].state != pass->old[i] &&
		    observer->member)
			observer->member(observer->ctx, team, i, pass->old[i]);
	if (team->active != pass->old_active && observer->active)
		observer->active(observer->ctx, team, pass->old_active, team->active, pass->why);
	spread_tell(team);
}

static struct team_member *member_of(struct team *team, int member)
{
	assert(member >= 0 && member < TEAM_MEMBERS_MAX && team->members[member].used);
	return &team->members[member];
}

void team_init(struct team *team, const char *name, const struct team_options *options,
	       const struct team_observer *observer)
{
	assert(policy_get(options->mode));
	memset(team, 0, sizeof(*team));
	strncpy(team->name, name, sizeof(team->name) - 1);
	team->options = *options;
	if (observer)
		team->observer = *observer;
	team->active = -1;
	team->may_send = team->may_receive = UINT32_MAX;
	team_aside_is(team, -1, DEADLINE_NEVER);
	team->failback_ns = DEADLINE_NEVER;
	team_check_min_links(team);
	spread_init(team);
}

uint64_t team_drain(struct team *team, int member, uint64_t now_ns)
{
	struct team_member *m = member_of(team, member);
	struct pass pass = pass_begin(team, now_ns);

	if (!m->drained)
		team_begin_drain(team, member, now_ns);
	team_expire(team, now_ns);
	pass_end(team, &pass);
	return team_is_up(team, member) ? m->deadline_ns : now_ns;
}

void team_set_options(struct team *team, const struct team_options *options, uint64_t now_ns)
{
	const uint32_t old_seed = (uint32_t)team->options.hash_seed;
	struct pass pass = pass_begin(team, now_ns);

	assert(policy_get(options->mode));
	if (options->mode != team->options.mode || options->failback != team->options.failback)
		team->by_hand = false;
	if (options->mode != team->options.mode || options->hash != team->options.hash ||
	    options->hash_seed != team->options.hash_seed)
		team_hold(team, team->usable);
	team->options = *options;
	team_set_up(team, team->up);
	spread_configure(team, old_seed);
	team_set_drained(team, now_ns);
	/* Delays that run are as long as the new options say, from when they began. */
	for (int i = 0; i < TEAM_MEMBERS_MAX; i++) {
		struct team_member *m = &team->members[i];

		if (m->state == TEAM_MEMBER_UPDELAY)
			m->deadline_ns = team_after(m->since_ns, options->updelay_ns);
		else if (team_is_up(team, i) && !m->link && !m->drained)
			m->deadline_ns = team_after(m->link_ns, options->downdelay_ns);
		else if (m->state == TEAM_MEMBER_DAMPED)
			team_member_link_up(team, i, now_ns, "damping changed");
	}
	team_expire(team, now_ns);
	pass_end(team, &pass);
}

int team_add(struct team *team, const char *name, uint8_t priority, void *ctx)
{
	if (!name[0] || strlen(name) >= TEAM_NAME_MAX)
		return -EINVAL;
	if (team_find(team, name) >= 0)
		return -EEXIST;
	for (int i = 0; i < TEAM_MEMBERS_MAX; i++) {
		struct team_member *m = &team->members[i];

		if (m->used)
			continue;
		memset(m, 0, sizeof(*m));
		strcpy(m->name, name);
		m->used = true;
		m->priority = priority;
		m->traits.weight = 1;
		m->order = team->n_added++;
		m->deadline_ns = DEADLINE_NEVER;
		m->reason = "added";
		m->ctx = ctx;
		if (team_listed(team->options.drained, name)) {
			m->drained = true;
			m->state = TEAM_MEMBER_DRAINED;
			m->reason = "drained";
		}
		return i;
	}
	return -ENOSPC;
}

void team_reserve(struct team *team, int member)
{
	member_of(team, member)->reserve = true;
	team->reserve |= 1u << member;
	team_set_up(team, team->up);
}

void team_remove(struct team *team, int member, uint64_t now_ns)
{
	struct team_member *m = member_of(team, member);
	struct pass pass = pass_begin(team, now_ns);

	m->link = m->drained = false;
	team_member_down(team, member, now_ns, "removed");
	m->reason = "removed"; /* also when it was down before */
	pass_end(team, &pass);
	memset(m, 0, sizeof(*m));
	team->retired &= ~(1u << member);
	team->reserve &= ~(1u << member);
	spread_set_speed(team, member, 0);
	spread_members(team, now_ns);
}

int team_find(const struct team *team, const char *name)
{
	for (int i = 0; i < TEAM_MEMBERS_MAX; i++)
		if (team->members[i].used && !strcmp(team->members[i].name, name))
			return i;
	return -1;
}

void team_on_link(struct team *team, int member, bool up, uint64_t now_ns)
{
	struct team_member *m = member_of(team, member);
	struct pass pass = pass_begin(team, now_ns);

	if (m->link != up)
		m->link_ns = now_ns;
	m->link = up;
	switch (m->state) {
	case TEAM_MEMBER_DOWN:
		m->deadline_ns = DEADLINE_NEVER;
		if (up)
			team_member_link_up(team, member, now_ns, "link up");
		break;
	case TEAM_MEMBER_UPDELAY:
		if (!up)
			team_member_down(team, member, now_ns, "link down within updelay");
		break;
	case TEAM_MEMBER_DAMPED:
		if (!up)
			team_member_down(team, member, now_ns, "link down");
		break;
	case TEAM_MEMBER_DRAINED:
		break;
	case TEAM_MEMBER_STANDBY:
	case TEAM_MEMBER_ACTIVE:
		if (up && !m->drained)
			m->deadline_ns = DEADLINE_NEVER;
		else if (!up && (!team->options.downdelay_ns || m->drained))
			team_member_down(team, member, now_ns, "link down");
		else if (!up && m->deadline_ns == DEADLINE_NEVER)
			m->deadline_ns = team_after(now_ns, team->options.downdelay_ns);
		break;
	}
	pass_end(team, &pass);
}

void team_on_probe(struct team *team, int member, bool answered, uint64_t now_ns)
{
	struct team_member *m = member_of(team, member);
	struct pass pass = pass_begin(team, now_ns);

	m->dead = !answered;
	if (answered && m->state == TEAM_MEMBER_DOWN)
		team_member_link_up(team, member, now_ns, "probes are answered again");
	else if (!answered && (m->state == TEAM_MEMBER_UPDELAY || m->state == TEAM_MEMBER_DAMPED))
		team_member_down(team, member, now_ns, "probes are missed");
	pass_end(team, &pass);
}

void team_on_send_error(struct team *team, int member, int error, uint64_t now_ns)
{
	struct team_member *m = member_of(team, member);
	struct pass pass = pass_begin(team, now_ns);

	m->n_errors++;
	m->n_shortages += error == ENOBUFS || error == EAGAIN;
	if (error == ENXIO || error == ENODEV) {
		team_member_down(team, member, now_ns, "interface is gone");
	} else if (error == ENETDOWN && m->state != TEAM_MEMBER_DOWN) {
		team_member_down(team, member, now_ns, "interface is down");
		if (m->link && !m->drained)
			m->deadline_ns = team_after(now_ns, TEAM_RETRY_NS);
	}
	pass_end(team, &pass);
}

void team_permit(struct team *team, uint32_t send, uint32_t receive,
		 const char *const why[TEAM_MEMBERS_MAX], uint64_t now_ns)
{
	struct pass pass = pass_begin(team, now_ns);

	pass.why_member = why;
	team_hold(team, team->usable & ~send);
	team->may_send = send;
	team->may_receive = receive;
	team_set_up(team, team->up);
	pass_end(team, &pass);
}

void team_retire(struct team *team, int member, bool on, uint64_t now_ns)
{
	const uint32_t bit = 1u << member;

	team->retired = on ? team->retired | bit : team->retired & ~bit;
	spread_members(team, now_ns);
}

bool team_retired(const struct team *team, int member, uint64_t now_ns)
{
	return spread_is_empty(team, member, now_ns);
}

void team_set_priority(struct team *team, int member, uint8_t priority, uint64_t now_ns)
{
	struct pass pass = pass_begin(team, now_ns);

	member_of(team, member)->priority = priority;
	team_set_up(team, team->up);
	pass_end(team, &pass);
}

void team_set_traits(struct team *team, int member, const struct member_traits *traits,
		     uint64_t now_ns)
{
	struct pass pass = pass_begin(team, now_ns);

	assert(traits->weight >= 1 && traits->weight <= TEAM_WEIGHT_MAX);
	member_of(team, member)->traits = *traits;
	spread_rates(team);
	pass_end(team, &pass);
}

int team_failover(struct team *team, int member, uint64_t now_ns)
{
	struct pass pass;
	int rc = 0;

	if (member < -1 || member >= TEAM_MEMBERS_MAX ||
	    (member >= 0 && !team->members[member].used))
		return -EINVAL;
	if (member >= 0 && team->members[member].reserve)
		return -EPERM;
	pass = pass_begin(team, now_ns);
	if (member < 0)
		member = team_best(team, team->active < 0 ? team->usable
							  : team->usable & ~(1u << team->active));
	if (member < 0 || !team_is_usable(team, member) || team->closed) {
		rc = -ENETDOWN;
	} else {
		team->by_hand = true;
		team_set_active(team, &pass, member, "by hand", "by hand");
	}
	pass_end(team, &pass);
	return rc;
}

/* Also where it is not bound (any more): it may be on its way out of a seat. */
static bool pin_counts(const struct team *team, const struct pin *pin)
{
	if (pin->seat.member >= 0 || pin->reach != PIN_NORMAL)
		return true;
	return pin_binds(pin) && !team_single_active(team);
}

/* A reserve member does not mind what the mode says, nor that the others are too few. */
static int choose_pinned(struct team *team, const struct team_frame *frame, uint32_t tried)
{
	struct pin *pin = frame->pin;
	uint32_t mask;
	int member;

	if (!pin || !pin_counts(team, pin))
		return -1;
	mask = team_single_active(team) ? 0 : team->usable & ~team->closed;
	mask = (mask | team->spare) & ~tried;
	member = pin_choose(pin, team->usable | team->spare, frame->now_ns, team->options.drain_ns);
	if (seat_in(tried, member))
		pin->seat.member = -1; /* the mode places it, until that has drained */
	return seat_in(mask, member) ? member : -1;
}

int team_choose(struct team *team, struct team_frame *frame, uint32_t tried)
{
	struct spread *spread = &team->spread;
	uint64_t clear_ns;
	int member;

	member = choose_pinned(team, frame, tried);
	frame->seat = NULL;
	tried |= team->closed;
	if (member < 0)
		member = policy_get(team->options.mode)->choose(team, frame, tried);
	if (member < 0)
		return -1;
	if (spread->asleep)
		spread_wake(team, frame->now_ns);
	clear_ns = load_add(&spread->loads[member], frame->bytes, frame->now_ns);
	frame->follows =
		frame->seat && frame->seat->last == member && frame->seat->clear_ns > frame->now_ns;
	if (frame->seat) {
		frame->seat->last = (int16_t)member;
		frame->seat->clear_ns = clear_ns;
		frame->seat->bytes += frame->bytes;
	}
	if (frame->pin) {
		frame->pin->seat.clear_ns = MAX(frame->pin->seat.clear_ns, clear_ns);
		frame->pin->seat.bytes += frame->bytes;
	}
	return member;
}

bool team_reads_flows(const struct team *team)
{
	return policy_get(team->options.mode)->by_flow;
}

bool team_may_receive(const struct team *team, int member)
{
	const struct policy *policy = policy_get(team->options.mode);
	const struct team_member *m = &team->members[member];

	if (m->reserve)
		return seat_in(team->spare, member) || (m->state == TEAM_MEMBER_DRAINED && m->link);
	if (team->closed)
		return false;
	if (policy->lacp)
		return team->up & team->may_receive & 1u << member;
	/* A switch that has an aggregation of them also sends to those that max_links spares. */
	if (!policy->single_active && !policy->by_mac && team_is_up(team, member))
		return true;
	return m->state == TEAM_MEMBER_ACTIVE || seat_in(team->detours & team->up, member) ||
	       (m->state == TEAM_MEMBER_DRAINED && m->link);
}

bool team_takes_groups(const struct team *team, int member)
{
	const struct policy *policy = policy_get(team->options.mode);

	if (team->members[member].reserve)
		return team->active < 0 && team->spare && __builtin_ctz(team->spare) == member;
	if (policy->single_active || policy->by_mac)
		return team->active == member;
	return team_may_receive(team, member);
}

void team_run(struct team *team, uint64_t now_ns)
{
	struct pass pass;

	if (team_deadline(team) > now_ns)
		return;
	pass = pass_begin(team, now_ns);
	pass_end(team, &pass);
}

uint64_t team_deadline(const struct team *team)
{
	uint64_t deadline = MIN(team->failback_ns, team_clock(team));

	for (int i = 0; i < TEAM_MEMBERS_MAX; i++)
		if (team->members[i].used)
			deadline = MIN(deadline, team->members[i].deadline_ns);
	return deadline;
}
