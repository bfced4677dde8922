/* SPDX-License-Identifier: GPL-2.0-or-later */
/* day-events.c - what happens in a day, see day.h: to links and NICs, to the team's keys, to
 * guests, to the LACP partner. */
#include "tests/sim/day.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "netback-team/policy.h"
#include "util.h"

#define MS   NSEC_PER_MSEC
#define MBIT 1000000ull
/* Frames for guests may come in on a member for so long after it left (teams_members.c). */
#define LEARN_NS (20 * MS)

static struct day_nic *any_nic(struct day *day)
{
	return &day->nics[day_rnd(day, DAY_NICS)];
}

static struct day_guest *any_guest(struct day *day)
{
	return &day->guests[day_rnd(day, DP_GUESTS)];
}

/* 0.1 s to half an hour from now, mostly soon. */
static uint64_t soon(struct day *day)
{
	return day_now(day) + ((1 + day_rnd(day, 2000)) * MS << day_rnd(day, 11)) / 10;
}

/* --- links --- */

static void broken(struct day *day, struct day_nic *nic)
{
	nic->mend_ns = MIN(nic->mend_ns, soon(day));
	day_link_changed(day, nic);
}

static void cable(struct day *day)
{
	struct day_nic *nic = any_nic(day);

	nic->cable = false;
	broken(day, nic);
}

static void flaps(struct day *day)
{
	struct day_nic *nic = any_nic(day);
	const uint32_t longest = 2u << day_rnd(day, 10);

	for (unsigned int n = 3 + day_rnd(day, 10); n > 0; n--) {
		nic->cable = !nic->cable;
		day_link_changed(day, nic);
		day_guests_send(day);
		day_until(day, day_now(day) + day_rnd(day, longest) * MS);
	}
	nic->cable = true;
	day_link_changed(day, nic);
}

static void admin(struct day *day)
{
	struct day_nic *nic = any_nic(day);

	nic->admin = false;
	broken(day, nic);
}

static void vanish(struct day *day)
{
	struct day_nic *nic = any_nic(day);

	nic->present = false;
	broken(day, nic);
}

static void silence(struct day *day, struct day_nic *nic, bool silent)
{
	nic->silent = silent;
	nic->disturbed_ns = nic->silent_ns = day->change_ns = day->lacp_ns = day_now(day);
}

static void fall_silent(struct day *day)
{
	struct day_nic *nic = any_nic(day);

	silence(day, nic, true);
	nic->mend_ns = MIN(nic->mend_ns, soon(day));
}

static void mend(struct day *day, struct day_nic *nic)
{
	nic->mend_ns = DEADLINE_NEVER;
	nic->present = nic->admin = nic->cable = true;
	silence(day, nic, false);
	day_link_changed(day, nic);
}

/* No buffers for a while: 1 ms to 4 s. */
static void starve(struct day *day)
{
	struct day_nic *nic = any_nic(day);

	if (nic->starved)
		return;
	nic->starved = true;
	nic->starved_ns = nic->disturbed_ns = day_now(day);
	nic->fed_ns = day_now(day) + ((1 + day_rnd(day, 1000)) * MS << day_rnd(day, 12)) / 1000;
}

static void starve_all(struct day *day)
{
	const uint64_t fed_ns = day_now(day) + (1 + day_rnd(day, 1500)) * MS;

	for (unsigned int i = 0; i < DAY_NICS; i++) {
		struct day_nic *nic = &day->nics[i];

		nic->starved_ns = nic->starved ? nic->starved_ns : day_now(day);
		nic->starved = true;
		nic->disturbed_ns = day_now(day);
		nic->fed_ns = fed_ns;
	}
}

/* --- members --- */

static unsigned int n_members(const struct day *day)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < DAY_NICS; i++)
		n += day->nics[i].member && !day->nics[i].leaving;
	return n;
}

static void remove_member(struct day *day, struct day_nic *nic)
{
	struct nic *closed;

	assert_int_equal(uplink_remove(day->w, nic->nic.name, &closed), 0);
	nic->member = nic->leaving = nic->drained = nic->link = false;
	nic->remove_ns = nic->report_ns = DEADLINE_NEVER;
	day->change_ns = day->lacp_ns = day_now(day);
	day_set_options(day); /* it may stand in the key `drained` */
}

/* As teams_members.c and teams_lacp.c take a member out. */
static void leave(struct day *day, struct day_nic *nic)
{
	uint64_t wait_ns = 0;

	if (n_members(day) < 3)
		return;
	day->lacp_ns = day->change_ns = day_now(day);
	if (policy_get(day->options.mode)->lacp) {
		nic->leaving = true;
		uplink_lacp_drain(day->w, nic->slot, true);
		return;
	}
	if (seat_in(day->w->team.usable, nic->slot)) {
		wait_ns = team_drain(&day->w->team, nic->slot, day_now(day)) - day_now(day);
		worker_deadline(day->w, 0);
		nic->leaving = true;
		day_until(day, day_now(day) + wait_ns + LEARN_NS);
	}
	remove_member(day, nic);
}

static void join_or_leave(struct day *day)
{
	struct day_nic *nic = any_nic(day);

	if (nic->leaving)
		return;
	if (nic->member) {
		leave(day, nic);
		return;
	}
	nic->priority = (uint8_t)(100 + day_rnd(day, 60));
	day_join(day, nic);
	day->lacp_ns = day_now(day);
}

static void weigh(struct day *day)
{
	const struct day_nic *nic = any_nic(day);

	if (nic->member)
		team_set_traits(&day->w->team, nic->slot,
				&(struct member_traits){.weight = 1 + day_rnd(day, 10)},
				day_now(day));
}

static void drain(struct day *day)
{
	struct day_nic *nic = any_nic(day);

	if (!nic->member || nic->leaving)
		return;
	nic->drained = !nic->drained && day_rnd(day, 2);
	nic->disturbed_ns = day->change_ns = day->lacp_ns = day_now(day);
	day_set_options(day);
}

static void priority(struct day *day)
{
	struct day_nic *nic = any_nic(day);

	if (!nic->member)
		return;
	nic->priority = (uint8_t)(100 + day_rnd(day, 60));
	team_set_priority(&day->w->team, nic->slot, nic->priority, day_now(day));
	uplink_lacp_touch(day->w);
	day->lacp_ns = day_now(day);
}

static void by_hand(struct day *day)
{
	const struct day_nic *nic = any_nic(day);

	if (nic->member)
		team_failover(&day->w->team, day_rnd(day, 2) ? nic->slot : -1, day_now(day));
	worker_deadline(day->w, 0);
}

/* --- keys of the team --- */

void day_set_options(struct day *day)
{
	struct team_options options = day->options;
	struct worker *w = day->w;

	strcpy(options.probe_targets, "10.0.0.254");
	for (unsigned int i = 0; i < DAY_NICS; i++) {
		if (!day->nics[i].member || !day->nics[i].drained)
			continue;
		strcat(options.drained, " ");
		strcat(options.drained, day->nics[i].nic.name);
	}
	/* As teams.c does it. */
	uplink_drain_keep(w, &options);
	team_set_options(&w->team, &options, day_now(day));
	uplink_probe_set(w, &options);
	qos_set_options(w, &options);
	uplink_announce_set(w, &options);
	uplink_lacp_configure(w, false);
	uplink_drain_set(w);
	worker_deadline(w, 0);
	day->options_ns = day->lacp_ns = day_now(day);
	day_partner_set(day, policy_get(options.mode)->lacp && options.lacp.mode != LACP_STATIC);
}

static bool reorders(int mode)
{
	return !strcmp(policy_names[mode], "round-robin") ||
	       !strcmp(policy_names[mode], "least-load");
}

static void mode(struct day *day)
{
	unsigned int n = 0;

	while (policy_names[n])
		n++;
	day->options.mode = day_rnd(day, 3) ? (int)day_rnd(day, n) : 0;
	if (day->no_order) /* what is in queues by then, or was put back into a ring */
		memcpy(day->unordered, day->next, sizeof(day->next));
	day->no_order = reorders(day->options.mode);
}

static void failback(struct day *day)
{
	day->options.failback = (int)day_rnd(day, 5);
	day->options.failback_hold_ns =
		day_rnd(day, 2) ? 5 * NSEC_PER_SEC : day_rnd(day, 60000) * MS;
}

static void delays(struct day *day)
{
	day->options.updelay_ns = day_rnd(day, 2) ? 0 : day_rnd(day, 3000) * MS;
	day->options.downdelay_ns = day_rnd(day, 2) ? 0 : day_rnd(day, 500) * MS;
}

static void damping(struct day *day)
{
	day->options.damping.on = day_rnd(day, 2);
	day->options.damping.max_ns = (10 + day_rnd(day, 290)) * NSEC_PER_SEC;
}

static void probes(struct day *day)
{
	const int modes[] = {PROBE_OFF, PROBE_OFF, PROBE_ARP, PROBE_ARP, PROBE_BEACON};

	day->options.probe = modes[day_rnd(day, ARRAY_SIZE(modes))];
	day->options.probe_interval_ns = (50 * MS) << day_rnd(day, 6);
	day->options.probe_missed = 2 + day_rnd(day, 3);
	day->probe_ns = day_now(day);
}

static void distribution(struct day *day)
{
	switch (day_rnd(day, 5)) {
	case 0:
		day->options.hash = (int)day_rnd(day, 6);
		break;
	case 1:
		day->options.hash_seed = day_rnd(day, 1000);
		break;
	case 2:
		day->options.flowlet_gap_ns = day_rnd(day, 2000) * NSEC_PER_USEC;
		break;
	case 3:
		day->options.rebalance_interval_ns = day_rnd(day, 20) * NSEC_PER_SEC;
		break;
	default:
		day->options.drain_ns = day_rnd(day, 2000) * NSEC_PER_USEC;
		break;
	}
}

static void schedule(struct day *day)
{
	switch (day_rnd(day, 4)) {
	case 0:
		day->options.pace_bps = day_rnd(day, 2) ? 0 : (20 + day_rnd(day, 500)) * MBIT;
		break;
	case 1:
		day->options.strict = day_rnd(day, 2);
		break;
	case 2:
		day->options.unit = (int)day_rnd(day, COST_UNITS);
		break;
	default:
		day->options.min_links = day_rnd(day, 4) ? 0 : day_rnd(day, DAY_NICS);
		day->options.max_links = day_rnd(day, 2) ? 0 : 1 + day_rnd(day, DAY_NICS);
		break;
	}
}

static void lacp(struct day *day)
{
	struct lacp_options *o = &day->options.lacp;

	switch (day_rnd(day, 6)) {
	case 0:
		o->mode = day_rnd(day, 2) ? LACP_ACTIVE : (int)day_rnd(day, 3);
		break;
	case 1:
		o->rate = (int)day_rnd(day, 2);
		break;
	case 2:
		o->mux = (int)day_rnd(day, 2);
		break;
	case 3:
		o->max_links = day_rnd(day, DAY_NICS);
		break;
	case 4:
		o->ad_select = (int)day_rnd(day, 4);
		break;
	default:
		o->fallback = (int)day_rnd(day, 3);
		break;
	}
}

static void option(struct day *day)
{
	static void (*const kinds[])(struct day *) = {
		mode, failback, delays, damping, probes, probes, distribution, schedule, lacp};

	kinds[day_rnd(day, ARRAY_SIZE(kinds))](day);
	day_set_options(day);
}

static void change_mode(struct day *day)
{
	mode(day);
	day_set_options(day);
}

static void partner(struct day *day)
{
	if (!day->partner_on)
		return;
	day->frozen = true;
	day->thaw_ns = soon(day);
	day->lacp_ns = day_now(day);
}

/* --- guests --- */

static void connect_or_leave(struct day *day)
{
	const unsigned int i = day_rnd(day, DP_GUESTS);

	if (day->guests[i].on)
		day_guest_leave(day, i);
	else
		day_guest_connect(day, i);
}

static void bandwidth(struct day *day)
{
	struct day_guest *guest = any_guest(day);
	struct qos_vif qos = {.tx.shares = 1 + day_rnd(day, 10000),
			      .tx.priority = (uint8_t)day_rnd(day, 11)};
	const char *why;

	if (!guest->on)
		return;
	if (day_rnd(day, 2))
		qos.tx.min_bps = day_rnd(day, 50) * MBIT;
	if (day_rnd(day, 3) == 0)
		qos.tx.limit.avg_bps = (10 + day_rnd(day, 200)) * MBIT;
	if (day_rnd(day, 4) == 0)
		qos.tx.limit.peak_bps = qos.tx.limit.avg_bps + (10 + day_rnd(day, 200)) * MBIT;
	if (qos.tx.limit.peak_bps && day_rnd(day, 2))
		qos.tx.limit.period_ns = (1 + day_rnd(day, 100)) * MS;
	if (day_rnd(day, 4) == 0)
		qos.rx.avg_bps = (10 + day_rnd(day, 200)) * MBIT;
	if (qos_vif_set(day->w, guest->g->vif, &qos, &why) < 0)
		return;
	guest->limited = qos.tx.limit.avg_bps || qos.tx.limit.peak_bps;
	guest->limit_ns = day_now(day);
}

static void pin(struct day *day)
{
	struct day_guest *guest = any_guest(day);
	char list[PIN_LIST_MAX + 1] = "";

	if (!guest->on)
		return;
	for (unsigned int i = 0; i < DAY_NICS; i++)
		if (day_rnd(day, 3) == 0)
			snprintf(list + strlen(list), sizeof(list) - strlen(list), "eth%u ",
				 (i + 2) % DAY_NICS);
	vif_set_pin(guest->g->vif, list, day_rnd(day, 3) == 0);
}

static void be_lazy(struct day *day)
{
	struct day_guest *guest = any_guest(day);

	if (!guest->on)
		return;
	guest->lazy = !guest->lazy && day_rnd(day, 2);
	guest->lazy_ns = day_now(day);
}

void day_event(struct day *day)
{
	static void (*const events[])(struct day *) = {
		cable,	cable,	 cable,	      flaps,	     admin,   vanish,		fall_silent,
		starve, starve,	 starve_all,  join_or_leave, drain,   priority,		by_hand,
		option, option,	 option,      change_mode,   partner, connect_or_leave, bandwidth,
		pin,	be_lazy, fall_silent, weigh};

	events[day_rnd(day, ARRAY_SIZE(events))](day);
}

/* --- time --- */

uint64_t day_events_deadline(const struct day *day)
{
	uint64_t next = day->frozen ? day->thaw_ns : DEADLINE_NEVER;

	for (unsigned int i = 0; i < DAY_NICS; i++) {
		next = MIN(next, day->nics[i].remove_ns);
		next = MIN(next, day->nics[i].mend_ns);
		if (day->nics[i].starved)
			next = MIN(next, day->nics[i].fed_ns);
	}
	return next;
}

void day_events_run(struct day *day)
{
	const uint64_t now = day_now(day);

	if (day->frozen && day->thaw_ns <= now) {
		day->frozen = false;
		day->lacp_ns = now;
	}
	for (unsigned int i = 0; i < DAY_NICS; i++) {
		struct day_nic *nic = &day->nics[i];

		if (nic->mend_ns <= now)
			mend(day, nic);
		if (nic->starved && nic->fed_ns <= now) {
			nic->starved = false;
			nic->disturbed_ns = now;
		}
		if (nic->remove_ns <= now)
			remove_member(day, nic);
	}
}

void day_drained(void *ctx, const char *member)
{
	struct day *day = ctx;

	for (unsigned int i = 0; i < DAY_NICS; i++)
		if (day->nics[i].leaving && !strcmp(day->nics[i].nic.name, member))
			day->nics[i].remove_ns = day_now(day);
}

void day_become_quiet(struct day *day)
{
	day->frozen = false;
	day->options.min_links = day->options.max_links = day->options.lacp.min_links = 0;
	day->lacp_ns = day_now(day);
	day_until(day, day_now(day) + 10 * NSEC_PER_SEC); /* members that leave have left */
	for (unsigned int i = 0; i < DAY_NICS; i++) {
		struct day_nic *nic = &day->nics[i];

		nic->starved = nic->drained = false;
		mend(day, nic);
		if (!nic->member)
			day_join(day, nic);
	}
	day_set_options(day);
	for (unsigned int i = 0; i < DP_GUESTS; i++) {
		if (!day->guests[i].on)
			day_guest_connect(day, i);
		day->guests[i].lazy = false;
		day->guests[i].lazy_ns = day_now(day);
	}
}
