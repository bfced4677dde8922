/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sim-day.c - random days of a whole team: 24 hours of links, NICs, guests, options, an LACP
 * partner and load that change at random, and frames through all of it.
 *
 * Time goes from one deadline to the next, of the worker, of the LACP partner, of link watch, so a
 * quiet hour costs nothing and no timer is left out. What must hold after every step:
 *
 * - a frame is lost only where that is legal: with a link that died, before a silent one can have
 *   been found out, when no member could send, over a limit (day.h has the reasons);
 * - frames of a flow arrive in order and once, but in the modes that say otherwise;
 * - while a member takes frames and a guest that no limit holds has some, something goes out; and
 *   after a while all of it;
 * - requests are answered once, in order; what was offered was sent, or discarded for a reason;
 * - the active member is one that can be used, and one whose link is up is used in time;
 * - after a quiet hour the active member is what priorities and failback say;
 * - nothing leaks.
 *
 * SIM_SEEDS (default 10) days from SIM_SEED (default 1); the seed of a failure is printed.
 */
#include "tests/sim/day.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "netback-team/netback_keys.h"
#include "netback-team/policy.h"
#include "tests/sim/seeds.h"
#include "util.h"

#define DAY_NS	    (24 * 3600 * NSEC_PER_SEC)
#define PASSES_MAX  2000u
#define STALL_NS    (10 * NSEC_PER_MSEC)
#define SETTLE_NS   (1500 * NSEC_PER_MSEC) /* a retry after a send error, and LACP fast */
#define FRAME_BYTES 13000u		   /* of the largest one, on the wire */

static struct day_figures figures;

uint32_t day_rnd(struct day *day, uint32_t below)
{
	uint64_t x = day->seed += 0x9e3779b97f4a7c15u; /* splitmix64 */

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return (uint32_t)((x ^ (x >> 31)) % below);
}

void day_fail(struct day *day, const char *format, ...)
{
	const struct team *team = &day->w->team;
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	printf("# at %.6f s, mode %s, active %d, usable %#x, up %#x: %s\n",
	       (double)day_now(day) / 1e9, policy_names[day->options.mode], team->active,
	       team->usable, team->up, text);
	for (unsigned int i = 0; i < DAY_NICS; i++) {
		const struct day_nic *nic = &day->nics[i];

		printf("#   nic%u = member %d: %s%s%s%s%s%s, %s, %u in its queue\n", i, nic->slot,
		       nic->present ? "" : "gone ", nic->admin ? "" : "admin-down ",
		       nic->cable ? "" : "no-cable ", nic->silent ? "silent " : "",
		       nic->starved ? "starved " : "", nic->link ? "up" : "down",
		       nic->member ? team_member_state_name(team->members[nic->slot].state)
				   : "no member",
		       nic->n);
	}
	for (unsigned int i = 0; i < DP_GUESTS; i++) {
		const struct day_guest *guest = &day->guests[i];

		printf("#   guest %u: %s%s%s, %u frames in its ring, %u to come\n", i,
		       guest->on ? "on" : "off", guest->limited ? ", limited" : "",
		       guest->lazy ? ", lazy" : "", guest->n_frames, guest->todo);
	}
	fflush(stdout);
	fail();
	abort(); /* not reached: fail() does not return */
}

/* --- what must hold --- */

/* Members that a frame could go to (waits: perhaps a moment later). */
static uint32_t able(struct day *day, bool waits)
{
	const struct team *team = &day->w->team;
	uint32_t set = 0;

	for (unsigned int i = 0; i < DAY_NICS && !team->closed; i++)
		if (day_takes(day, &day->nics[i], waits) &&
		    seat_in(team->usable, day->nics[i].slot))
			set |= 1u << day->nics[i].slot;
	return set;
}

static uint64_t no_member(const struct day *day)
{
	uint64_t n = 0;

	for (unsigned int i = 0; i < DP_GUESTS; i++)
		if (day->guests[i].on)
			n += day->guests[i].g->vif->stats.tx_no_member;
	return n;
}

/* How long a link that is up may be out of use. */
static uint64_t settle_ns(const struct day *day)
{
	const struct team_options *o = &day->options;
	uint64_t ns = SETTLE_NS + o->updelay_ns;

	if (o->damping.on)
		ns += o->damping.max_ns;
	if (o->probe != PROBE_OFF)
		ns += (o->probe_missed + 2) * o->probe_interval_ns;
	return ns;
}

/* Last time that something happened to what the use of a NIC depends on. */
static uint64_t member_since(const struct day *day, const struct day_nic *nic)
{
	uint64_t since = MAX(nic->disturbed_ns, day->options_ns);

	/* It is judged by what it hears of the others, too. */
	for (unsigned int i = 0; i < DAY_NICS && day->options.probe == PROBE_BEACON; i++)
		since = MAX(since, day->nics[i].disturbed_ns);
	return since;
}

static void check_members(struct day *day)
{
	const struct team *team = &day->w->team;
	uint32_t good = 0;

	for (unsigned int i = 0; i < DAY_NICS; i++) {
		const struct day_nic *nic = &day->nics[i];
		const uint64_t since = member_since(day, nic);

		if (!nic->member || !nic->link || !day_carries(nic) || nic->drained ||
		    nic->leaving || nic->starved || day_now(day) - since < SETTLE_NS)
			continue;
		good |= 1u << nic->slot;
		if (!seat_in(team->up, nic->slot) && day_now(day) - since > settle_ns(day))
			day_fail(day, "nic%u is up and not used", i);
	}
	if (good && !team->up)
		day_fail(day, "nobody is used, members %#x are up", good);
	if (!team->closed && team->usable && !seat_in(team->usable, team->active))
		day_fail(day, "the active member is not usable");
	if ((team->closed || !team->usable) && team->active >= 0)
		day_fail(day, "an active member of a team that is down");
}

/* Something has to go out while something can. */
static void check_work(struct day *day)
{
	uint64_t taken = 0, bound = STALL_NS;
	bool waits = false;

	if (day->options.pace_bps)
		bound += 8ull * DP_GUESTS * FRAME_BYTES * NSEC_PER_SEC / day->options.pace_bps;
	for (unsigned int i = 0; i < DP_GUESTS; i++) {
		const struct day_guest *guest = &day->guests[i];

		waits |= guest->on && guest->n_frames && !guest->limited;
		taken += guest->taken;
	}
	if (!waits || taken != day->work_taken || !able(day, false) ||
	    team_held(&day->w->team, day_now(day))) {
		day->work_taken = taken;
		day->work_ns = day_now(day);
	}
	if (day_now(day) - day->work_ns > bound)
		day_fail(day, "members %#x take frames, and nothing went for %llu ms",
			 able(day, false),
			 (unsigned long long)((day_now(day) - day->work_ns) / NSEC_PER_MSEC));
}

/* Frames that come in on a member that does not count. */
static void check_switch(struct day *day)
{
	const uint64_t dropped = day->w->stats.nic_rx_dropped_switch - day->rx_dropped;
	uint64_t since = MAX(day->change_ns, day->options_ns);
	const bool lacp = policy_get(day->options.mode)->lacp;
	const struct team *team = &day->w->team;

	day->rx_dropped += dropped;
	if (dropped == 0)
		return;
	for (unsigned int i = 0; i < DAY_NICS; i++) /* nor did it take announcements */
		if (day->nics[i].member)
			since = MAX(since, MIN(day->nics[i].fed_ns, day_now(day)));
	/* Announcements tell the switch at once; partners tell each other, when they are awake;
	 * nobody tells a static aggregation. */
	if (day_now(day) - since > settle_ns(day) && !team->closed && team->usable &&
	    (!lacp ||
	     (day->partner_on && !day->frozen && day_now(day) - day->lacp_ns > 100 * NSEC_PER_SEC)))
		day_fail(day, "the switch drops %llu frames for guests",
			 (unsigned long long)dropped);
	day_lost(day, DAY_LOSS_INACTIVE, dropped);
}

static void note_changes(struct day *day)
{
	const struct team *team = &day->w->team;

	if (team->active != day->active || team->usable != day->usable) {
		day->change_ns = day_now(day);
		day->f->failovers += team->active != day->active && day->active >= 0;
		day->active = team->active;
		day->usable = team->usable;
	}
}

/* One pass; a frame may only be lost for want of a member that could have it. */
static bool pass(struct day *day)
{
	const uint32_t could = able(day, true);
	const uint64_t lost = no_member(day);
	const bool more = worker_pass(day->w, day_now(day), &day->deadline_ns);

	day->f->passes++;
	if (no_member(day) != lost && (could & able(day, true)))
		day_fail(day, "frames were lost, members %#x could send", could & able(day, true));
	return more;
}

void day_run(struct day *day)
{
	unsigned int n = 0;

	for (;;) {
		bool more = pass(day);

		note_changes(day);
		check_switch(day);
		day_guests_look(day);
		day_net_run(day);
		if (!more && day->deadline_ns > day_now(day) &&
		    day_net_deadline(day) > day_now(day) && !day_has_input(day))
			break;
		if (++n > PASSES_MAX)
			day_fail(day, "the worker does not come to rest");
	}
	check_members(day);
	check_work(day);
}

void day_until(struct day *day, uint64_t until_ns)
{
	for (;;) {
		const uint64_t now = day_now(day);
		uint64_t next = MIN(day->deadline_ns, day_net_deadline(day));

		next = MIN(MIN(next, day_events_deadline(day)), until_ns);
		if (next > now)
			clock_advance(&day->dp->clock, next - now);
		day_net_run(day);
		day_events_run(day);
		day_run(day);
		if (day_now(day) >= until_ns)
			return;
	}
}

/* --- a day --- */

/* When all that waits must be gone: three members may in turn be full for a second. */
static uint64_t burst_end_ns(const struct day *day)
{
	uint64_t rate = 10000000;

	if (day->options.pace_bps)
		rate = MIN(rate, day->options.pace_bps);
	return DAY_NICS * NSEC_PER_SEC + 300ull * FRAME_BYTES * 8 * NSEC_PER_SEC / rate;
}

static bool only_limited_wait(const struct day *day)
{
	for (unsigned int i = 0; i < DP_GUESTS; i++)
		if (day->guests[i].on && (day->guests[i].n_frames || day->guests[i].todo) &&
		    !day->guests[i].limited)
			return false;
	return true;
}

/* Guests and the wire send; in the midst of it, something happens. */
static void burst(struct day *day, bool event)
{
	const uint64_t gaps[] = {0, 0, 10 * NSEC_PER_USEC, 200 * NSEC_PER_USEC, 3 * NSEC_PER_MSEC};
	const uint64_t gap = gaps[day_rnd(day, ARRAY_SIZE(gaps))];
	const unsigned int peak = day_rnd(day, 10) ? 20 : 200;
	uint64_t end = day_now(day) + burst_end_ns(day);
	unsigned int at = day_rnd(day, 8), n = 0;

	for (unsigned int i = 0; i < DP_GUESTS; i++) {
		struct day_guest *guest = &day->guests[i];

		if (!guest->on || day_rnd(day, 3) == 0)
			continue;
		guest->todo = day_rnd(day, peak);
		guest->gso = day_rnd(day, 2) ? 6 : 0;
		guest->to = day_rnd(day, 3) ? DAY_WIRE : day_rnd(day, DP_GUESTS);
		if (guest->to == i || (guest->to < DP_GUESTS && !day->guests[guest->to].on))
			guest->to = DAY_WIRE;
	}
	for (; day_guests_wait(day) || n <= at; n++) {
		day_guests_send(day);
		if (day_rnd(day, 3) == 0)
			day_wire_sends(day, day_rnd(day, 6));
		day_run(day);
		if (event && n == at) {
			day_event(day);
			end = day_now(day) + burst_end_ns(day);
		}
		day_until(day, day_now(day) + (gap ? gap
						   : MIN(day->deadline_ns - day_now(day),
							 100 * NSEC_PER_USEC)));
		if (day_now(day) > end && !only_limited_wait(day))
			day_fail(day, "frames still wait after a burst");
		if (day_now(day) > end + 60 * NSEC_PER_SEC)
			day_fail(day, "limited frames still wait");
	}
}

/* Between a tenth of a second and an hour; mostly little. */
static uint64_t pause_ns(struct day *day)
{
	const uint64_t base = (100 * NSEC_PER_MSEC) << day_rnd(day, 15);

	return base + base / 1024 * day_rnd(day, 1024);
}

/* Looking for attacks takes ten looks a second, and most of the CPU of a day: in pauses only in
 * the first hours of each fiftieth day. Probes many times a second are for short pauses, too. */
static void pause_day(struct day *day, bool watch)
{
	const uint64_t ns = pause_ns(day);

	if (ns > 5 * NSEC_PER_SEC && !watch)
		day_watch(day, false);
	if (ns > 30 * NSEC_PER_SEC && day->options.probe != PROBE_OFF &&
	    day->options.probe_interval_ns < 10 * NSEC_PER_SEC) {
		day_until(day, day_now(day) + 10 * NSEC_PER_SEC);
		day->options.probe_interval_ns = 10 * NSEC_PER_SEC;
		day->probe_ns = day_now(day);
		day_set_options(day);
	}
	day_until(day, day_now(day) + ns);
	day_watch(day, true);
}

static int best_member(const struct day *day)
{
	const struct day_nic *best = NULL;

	for (unsigned int i = 0; i < DAY_NICS; i++) {
		const struct day_nic *nic = &day->nics[i];

		if (nic->member && (!best || nic->priority > best->priority ||
				    (nic->priority == best->priority && nic->order < best->order)))
			best = nic;
	}
	return best ? best->slot : -1;
}

/* All links have been up for an hour: everybody is used, the right one is active. */
static void check_quiet(struct day *day, int active)
{
	const struct team *team = &day->w->team;
	const int best = best_member(day);
	uint32_t members = 0;

	for (unsigned int i = 0; i < DAY_NICS; i++)
		members |= day->nics[i].member ? 1u << day->nics[i].slot : 0;
	if (team->up != members)
		day_fail(day, "after a quiet hour not all are up");
	if (members && !team->usable)
		day_fail(day, "after a quiet hour nobody may send");
	if (!team->usable || team->by_hand || policy_get(day->options.mode)->lacp)
		return;
	switch ((enum team_failback)day->options.failback) {
	case TEAM_FAILBACK_ALWAYS:
	case TEAM_FAILBACK_LOAD:
		if (team->active != best)
			day_fail(day, "after a quiet hour member %d is best", best);
		break;
	case TEAM_FAILBACK_BETTER:
		if (team->members[team->active].priority < team->members[best].priority)
			day_fail(day, "after a quiet hour member %d is better", best);
		break;
	case TEAM_FAILBACK_FAILURE:
	case TEAM_FAILBACK_MANUAL:
		if (team->active != active)
			day_fail(day, "member %d became active for no reason", team->active);
		break;
	}
}

static void check_sums(struct day *day, const struct day_figures *before)
{
	const struct day_figures *f = day->f;
	const uint64_t offered = f->frames - before->frames, left = f->left - before->left;
	uint64_t known = f->arrived - before->arrived;

	for (unsigned int r = 0; r < DAY_LOSSES; r++)
		known += f->lost[r] - before->lost[r];
	if (known > offered || known + left < offered)
		day_fail(day, "%llu frames, of %llu it is known what became of them",
			 (unsigned long long)offered, (unsigned long long)known);
}

static void on_failed(void *ctx, struct vif *vif, const char *why)
{
	day_fail(ctx, "%s failed: %s", vif->config.name, why);
}

static void begin(struct day *day, struct dp *dp)
{
	struct nic *nic;

	day->dp = dp;
	day->w = dp->worker;
	day->w->observer = (struct worker_observer){
		.vif_failed = on_failed, .member_drained = day_drained, .ctx = day};
	day->f = &figures;
	day->active = -1;
	for (unsigned int i = 0; i < DP_NICS; i++)
		assert_int_equal(uplink_remove(day->w, dp->nics[i]->nic.name, &nic), 0);
	keys_set_defaults(&team_key_table, &day->options);
	day_net_init(day);
	day_set_options(day);
	for (unsigned int i = 0; i < DAY_NICS; i++)
		day_join(day, &day->nics[i]);
	for (unsigned int i = 0; i < DP_GUESTS; i++) {
		dp_disconnect(dp, i);
		day_guest_connect(day, i);
	}
	day_watch(day, true);
	day_run(day);
	day_until(day, day_now(day) + NSEC_PER_SEC);
}

static void run_seed(unsigned int seed)
{
	const struct day_figures before = figures;
	struct day *day = xb_calloc(1, sizeof(*day));
	struct nic *nic;
	void *state;
	int active;

	dp_setup(&state);
	day->seed = seed;
	begin(day, state);
	while (day_now(day) < DAY_NS) {
		burst(day, true);
		day->f->events++;
		pause_day(day, seed % 50 == 0 && day_now(day) < DAY_NS / 12);
		if (day_rnd(day, 4) == 0)
			burst(day, false);
	}
	day_become_quiet(day);
	day_until(day, day_now(day) + 600 * NSEC_PER_SEC);
	active = day->w->team.active;
	day_watch(day, false);
	day_until(day, day_now(day) + 3000 * NSEC_PER_SEC);
	check_quiet(day, active);
	burst(day, false);
	day_until(day, day_now(day) + 20 * NSEC_PER_SEC);
	for (unsigned int i = 0; i < DP_GUESTS; i++)
		if (day->guests[i].on)
			day_guest_leave(day, i);
	check_sums(day, &before);
	day->f->full_waits += day->w->stats.nic_full_waits;
	day->f->reselected += day->w->stats.reselected;
	for (unsigned int i = 0; i < DAY_NICS; i++)
		if (day->nics[i].member)
			uplink_remove(day->w, day->nics[i].nic.name, &nic);
	day_net_fini(day);
	dp_teardown(&state);
	free(day);
}

static void print_figures(void)
{
	const struct day_figures *f = &figures;

	printf("# frames %llu (guest to guest %llu), arrived %llu, with guests that left %llu\n",
	       (unsigned long long)f->frames, (unsigned long long)f->local,
	       (unsigned long long)f->arrived, (unsigned long long)f->left);
	printf("# events %llu, changes of the active member %llu, passes %llu, frames that went "
	       "to another member %llu, waits for full NICs %llu, legally out of order %llu\n",
	       (unsigned long long)f->events, (unsigned long long)f->failovers,
	       (unsigned long long)f->passes, (unsigned long long)f->reselected,
	       (unsigned long long)f->full_waits, (unsigned long long)f->out_of_order);
	for (unsigned int r = 0; r < DAY_LOSSES; r++)
		printf("# lost %s: %llu\n", day_loss_names[r], (unsigned long long)f->lost[r]);
}

static void test_days(void **state)
{
	sim_each_seed(10, run_seed);
	print_figures();
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_days)};

	return cmocka_run_group_tests_name("sim-day", tests, NULL, NULL);
}
