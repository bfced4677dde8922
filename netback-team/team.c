/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * team.c - state of the members and choice of the active one, see team.h for states and rules;
 * policy.c has the modes.
 *
 * Every entry point runs between pass_begin, which notes how things stand, and pass_end, which
 * decides what follows from the change and tells the observer what is different now. So no caller
 * can leave the team undecided, and no observer sees half a failover.
 */
#include "team.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "policy.h"
#include "util.h"

/** One entry into this module. */
struct pass {
	uint64_t now_ns;
	enum team_member_state old[TEAM_MEMBERS_MAX];
	int old_active;
	const char *why;      /**< the active member changed: for the observer */
	const char *why_role; /**< ... and for members that go from STANDBY to ACTIVE or back */
	const char *const *why_member; /**< instead, one for each; NULL = why_role */
};

static uint64_t after(uint64_t start_ns, uint64_t delay_ns)
{
	return delay_ns < DEADLINE_NEVER - start_ns ? start_ns + delay_ns : DEADLINE_NEVER;
}

static bool is_usable(const struct team *team, int member)
{
	return team->usable >> member & 1;
}

static bool is_up(const struct team *team, int member)
{
	return team->up >> member & 1;
}

static void set_up(struct team *team, uint32_t up)
{
	team->up = up;
	team->usable = up & team->may_send;
}

static bool single_active(const struct team *team)
{
	return policy_get(team->options.mode)->single_active;
}

static void enter_state(struct team_member *m, enum team_member_state state, uint64_t now_ns,
			const char *reason)
{
	if (m->state == state)
		return;
	m->state = state;
	m->since_ns = now_ns;
	m->reason = reason;
}

static void member_up(struct team *team, int i, uint64_t now_ns, const char *reason)
{
	struct team_member *m = &team->members[i];

	m->deadline_ns = DEADLINE_NEVER;
	m->up_ns = now_ns;
	set_up(team, team->up | 1u << i);
	enter_state(m, TEAM_MEMBER_STANDBY, now_ns, reason); /* or active: assign_roles knows */
}

static void member_down(struct team *team, int i, uint64_t now_ns, const char *reason)
{
	struct team_member *m = &team->members[i];

	m->deadline_ns = DEADLINE_NEVER;
	if (is_up(team, i))
		m->n_flaps++;
	set_up(team, team->up & ~(1u << i));
	enter_state(m, TEAM_MEMBER_DOWN, now_ns, reason);
}

static void member_link_up(struct team *team, int i, uint64_t now_ns, const char *reason)
{
	struct team_member *m = &team->members[i];

	if (!team->options.updelay_ns) {
		member_up(team, i, now_ns, reason);
		return;
	}
	enter_state(m, TEAM_MEMBER_UPDELAY, now_ns, reason);
	m->deadline_ns = after(now_ns, team->options.updelay_ns);
}

/* What was due. */
static void expire(struct team *team, uint64_t now_ns)
{
	for (int i = 0; i < TEAM_MEMBERS_MAX; i++) {
		struct team_member *m = &team->members[i];

		if (!m->used || m->deadline_ns > now_ns)
			continue;
		switch (m->state) {
		case TEAM_MEMBER_DOWN:
			member_link_up(team, i, now_ns, "link is up after a send error");
			break;
		case TEAM_MEMBER_UPDELAY:
			member_up(team, i, now_ns, "updelay over");
			break;
		case TEAM_MEMBER_STANDBY:
		case TEAM_MEMBER_ACTIVE:
			member_down(team, i, now_ns, "link down, downdelay over");
			break;
		}
	}
}

/* A link that may not forward yet beats none at all (as Linux bonding sees it). The others go on
 * waiting. */
static void skip_updelay(struct team *team, uint64_t now_ns)
{
	uint32_t waiting = 0;

	if (team->up)
		return;
	for (int i = 0; i < TEAM_MEMBERS_MAX; i++)
		if (team->members[i].used && team->members[i].state == TEAM_MEMBER_UPDELAY)
			waiting |= 1u << i;
	if (waiting)
		member_up(team, team_best(team, waiting), now_ns,
			  "link up, no other member to wait for");
}

static void set_active(struct team *team, struct pass *pass, int member, const char *why,
		       const char *why_role)
{
	team->active = member;
	pass->why = why;
	pass->why_role = why_role;
}

static void fail_over(struct team *team, struct pass *pass)
{
	const int old = team->active;
	const char *why = "first usable member";

	if (old >= 0 && is_usable(team, old))
		return;
	if (old < 0 && !team->usable)
		return;
	if (old >= 0)
		why = pass->why_member && is_up(team, old) ? pass->why_member[old]
							   : team->members[old].reason;
	team->by_hand = false;
	set_active(team, pass, team_best(team, team->usable), why, "failover");
}

/* Is it worth leaving the active member, which works, for this one? */
static bool wants_failback(const struct team *team, const struct team_member *m)
{
	const struct team_member *active = &team->members[team->active];

	switch ((enum team_failback)team->options.failback) {
	case TEAM_FAILBACK_ALWAYS:
		return m->priority > active->priority ||
		       (m->priority == active->priority && m->order < active->order);
	case TEAM_FAILBACK_BETTER:
		return m->priority > active->priority;
	case TEAM_FAILBACK_FAILURE:
	case TEAM_FAILBACK_MANUAL:
		return false;
	}
	return false;
}

static void fail_back(struct team *team, struct pass *pass)
{
	const int best = team_best(team, team->usable);
	const struct team_member *m = &team->members[best < 0 ? 0 : best];

	team->failback_ns = DEADLINE_NEVER;
	if (best < 0 || best == team->active || team->by_hand || !wants_failback(team, m))
		return;
	team->failback_ns = after(m->up_ns, team->options.failback_hold_ns);
	if (team->failback_ns > pass->now_ns)
		return;
	team->failback_ns = DEADLINE_NEVER;
	set_active(team, pass, best, "failback", "failback");
}

static void assign_roles(struct team *team, const struct pass *pass)
{
	const bool single = single_active(team);

	for (int i = 0; i < TEAM_MEMBERS_MAX; i++) {
		struct team_member *m = &team->members[i];
		const bool active = single ? i == team->active : is_usable(team, i);
		const bool was_up =
			pass->old[i] == TEAM_MEMBER_STANDBY || pass->old[i] == TEAM_MEMBER_ACTIVE;

		const char *why = pass->why_member ? pass->why_member[i] : pass->why_role;

		if (is_up(team, i)) /* a member that just came up has its own reason */
			enter_state(m, active ? TEAM_MEMBER_ACTIVE : TEAM_MEMBER_STANDBY,
				    pass->now_ns, was_up ? why : m->reason);
	}
}

static struct pass pass_begin(struct team *team, uint64_t now_ns)
{
	struct pass pass = {
		.now_ns = now_ns, .old_active = team->active, .why_role = "mode changed"};

	for (int i = 0; i < TEAM_MEMBERS_MAX; i++)
		pass.old[i] = team->members[i].state;
	spread_run(team, now_ns);
	expire(team, now_ns);
	skip_updelay(team, now_ns);
	return pass;
}

static void pass_end(struct team *team, struct pass *pass)
{
	const struct team_observer *observer = &team->observer;

	skip_updelay(team, pass->now_ns);
	fail_over(team, pass);
	fail_back(team, pass);
	assign_roles(team, pass);
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
	team->failback_ns = DEADLINE_NEVER;
	spread_init(team);
}

void team_set_options(struct team *team, const struct team_options *options, uint64_t now_ns)
{
	const uint32_t old_seed = (uint32_t)team->options.hash_seed;
	struct pass pass = pass_begin(team, now_ns);

	assert(policy_get(options->mode));
	if (options->mode != team->options.mode || options->failback != team->options.failback)
		team->by_hand = false;
	team->options = *options;
	spread_configure(team, old_seed);
	/* Delays that run are as long as the new options say, from when they began. */
	for (int i = 0; i < TEAM_MEMBERS_MAX; i++) {
		struct team_member *m = &team->members[i];

		if (m->state == TEAM_MEMBER_UPDELAY)
			m->deadline_ns = after(m->since_ns, options->updelay_ns);
		else if (is_up(team, i) && !m->link)
			m->deadline_ns = after(m->link_ns, options->downdelay_ns);
	}
	expire(team, now_ns);
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
		m->order = team->n_added++;
		m->deadline_ns = DEADLINE_NEVER;
		m->reason = "added";
		m->ctx = ctx;
		return i;
	}
	return -ENOSPC;
}

void team_remove(struct team *team, int member, uint64_t now_ns)
{
	struct team_member *m = member_of(team, member);
	struct pass pass = pass_begin(team, now_ns);

	m->link = false;
	member_down(team, member, now_ns, "removed");
	m->reason = "removed"; /* also when it was down before */
	pass_end(team, &pass);
	memset(m, 0, sizeof(*m));
	team->retired &= ~(1u << member);
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
			member_link_up(team, member, now_ns, "link up");
		break;
	case TEAM_MEMBER_UPDELAY:
		if (!up)
			member_down(team, member, now_ns, "link down within updelay");
		break;
	case TEAM_MEMBER_STANDBY:
	case TEAM_MEMBER_ACTIVE:
		if (up)
			m->deadline_ns = DEADLINE_NEVER;
		else if (!team->options.downdelay_ns)
			member_down(team, member, now_ns, "link down");
		else if (m->deadline_ns == DEADLINE_NEVER)
			m->deadline_ns = after(now_ns, team->options.downdelay_ns);
		break;
	}
	pass_end(team, &pass);
}

void team_on_send_error(struct team *team, int member, int error, uint64_t now_ns)
{
	struct team_member *m = member_of(team, member);
	struct pass pass = pass_begin(team, now_ns);

	m->n_errors++;
	if (error == ENXIO || error == ENODEV) {
		member_down(team, member, now_ns, "interface is gone");
	} else if (error == ENETDOWN && m->state != TEAM_MEMBER_DOWN) {
		member_down(team, member, now_ns, "interface is down");
		if (m->link)
			m->deadline_ns = after(now_ns, TEAM_RETRY_NS);
	}
	pass_end(team, &pass);
}

void team_permit(struct team *team, uint32_t send, uint32_t receive,
		 const char *const why[TEAM_MEMBERS_MAX], uint64_t now_ns)
{
	struct pass pass = pass_begin(team, now_ns);

	pass.why_member = why;
	team->may_send = send;
	team->may_receive = receive;
	set_up(team, team->up);
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
	pass_end(team, &pass);
}

int team_failover(struct team *team, int member, uint64_t now_ns)
{
	struct pass pass;
	int rc = 0;

	if (member < -1 || member >= TEAM_MEMBERS_MAX ||
	    (member >= 0 && !team->members[member].used))
		return -EINVAL;
	pass = pass_begin(team, now_ns);
	if (member < 0)
		member = team_best(team, team->active < 0 ? team->usable
							  : team->usable & ~(1u << team->active));
	if (member < 0 || !is_usable(team, member)) {
		rc = -ENETDOWN;
	} else {
		team->by_hand = true;
		set_active(team, &pass, member, "by hand", "by hand");
	}
	pass_end(team, &pass);
	return rc;
}

static int choose_pinned(struct team *team, const struct team_frame *frame, uint32_t tried)
{
	struct pin *pin = frame->pin;
	int member;

	if (!pin || single_active(team))
		return -1;
	/* Also where it is not bound (any more): it may be on its way out of a seat. */
	if (!pin_binds(pin) && pin->seat.member < 0)
		return -1;
	member = pin_choose(pin, team->usable, frame->now_ns, team->options.drain_ns);
	return member >= 0 && !(tried >> member & 1) ? member : -1;
}

int team_choose(struct team *team, struct team_frame *frame, uint32_t tried)
{
	struct spread *spread = &team->spread;
	int member = choose_pinned(team, frame, tried);
	uint64_t clear_ns;

	frame->seat = NULL;
	if (member < 0)
		member = policy_get(team->options.mode)->choose(team, frame, tried);
	if (member < 0)
		return -1;
	if (spread->asleep)
		spread_wake(team, frame->now_ns);
	clear_ns = load_add(&spread->loads[member], frame->bytes, frame->now_ns);
	if (frame->seat) {
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
	if (policy_get(team->options.mode)->lacp)
		return team->up & team->may_receive & 1u << member;
	return team->members[member].state == TEAM_MEMBER_ACTIVE;
}

bool team_takes_groups(const struct team *team, int member)
{
	if (policy_get(team->options.mode)->lacp)
		return team_may_receive(team, member);
	return team->active == member;
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
	uint64_t deadline = MIN(team->failback_ns, spread_deadline(&team->spread));

	for (int i = 0; i < TEAM_MEMBERS_MAX; i++)
		if (team->members[i].used)
			deadline = MIN(deadline, team->members[i].deadline_ns);
	return deadline;
}

static bool is_better(const struct team_member *a, const struct team_member *b)
{
	if (a->link != b->link)
		return a->link;
	if (a->priority != b->priority)
		return a->priority > b->priority;
	return a->order < b->order;
}

int team_best(const struct team *team, uint32_t mask)
{
	int best = -1;

	for (; mask; mask &= mask - 1) {
		const int i = __builtin_ctz(mask);

		if (best < 0 || is_better(&team->members[i], &team->members[best]))
			best = i;
	}
	return best;
}

const char *team_member_state_name(enum team_member_state state)
{
	switch (state) {
	case TEAM_MEMBER_DOWN:
		return "down";
	case TEAM_MEMBER_UPDELAY:
		return "updelay";
	case TEAM_MEMBER_STANDBY:
		return "standby";
	case TEAM_MEMBER_ACTIVE:
		return "active";
	}
	return "unknown";
}

/* What the kernel takes for a name (dev_valid_name): neither of "/", ":", white space; not "." or
 * "..". */
static bool valid_name(const char *name, size_t n)
{
	if (n == 0 || n >= TEAM_NIC_NAME_MAX ||
	    (name[0] == '.' && n == strspn(name, ".") && n <= 2))
		return false;
	return !memchr(name, '/', n);
}

/* 0-255 in decimal, up to `end`; -1 when it is anything else. */
static int parse_priority(const char *p, const char *end)
{
	int value = 0;

	if (p == end)
		return -1;
	for (; p < end && value <= UINT8_MAX; p++) {
		if (!isdigit((unsigned char)*p))
			return -1;
		value = value * 10 + (*p - '0');
	}
	return value <= UINT8_MAX ? value : -1;
}

bool team_members_next(const char **rest, char name[TEAM_NAME_MAX], uint8_t *priority, bool *bad)
{
	static const char blanks[] = " \t\n\v\f\r";
	const char *word = *rest + strspn(*rest, blanks), *end = word + strcspn(word, blanks);
	const size_t n = strcspn(word, ":\t\n\v\f\r ");
	int value = TEAM_PRIORITY_DEFAULT;

	*rest = word;
	if (word == end)
		return false;
	if (word[n] == ':')
		value = parse_priority(word + n + 1, end);
	if (value < 0 || !valid_name(word, n)) {
		*bad = true;
		return false;
	}
	memcpy(name, word, n);
	name[n] = '\0';
	*priority = (uint8_t)value;
	*rest = end;
	return true;
}
