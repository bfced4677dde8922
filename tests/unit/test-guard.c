/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-guard.c - attacks on and by guests of a worker: what is watched, which alarms come, what is
 * done and taken back, and that nobody else notices. */
#include "guard-lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "netback-team/policy.h"
#include "util.h"

#define MS NSEC_PER_MSEC

static uint8_t frame[4096];

/* What the control thread would get. */
static struct guard_request requests[64];
static unsigned int n_requests, n_events;

static void on_request(void *ctx, const struct guard_request *request)
{
	if (request->kind == GUARD_EVENT) {
		assert_true(request->event.number > n_events); /* each once, in order */
		n_events = (unsigned int)request->event.number;
		return;
	}
	assert_true(n_requests < ARRAY_SIZE(requests));
	requests[n_requests++] = *request;
}

static unsigned int asked(enum guard_request_kind kind)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < n_requests; i++)
		n += requests[i].kind == kind;
	return n;
}

static int setup(void **state)
{
	const int rc = dp_setup(state);

	((struct dp *)*state)->worker->observer.guard = on_request;
	n_requests = n_events = 0;
	return rc;
}

static void from_guest(struct dp *dp, unsigned int i, const uint8_t src[6])
{
	const uint32_t len = dp_tcp(frame, dp_wire_mac, src, 100, 2);

	dp_send(dp, i, frame, len, NULL, NETTXF_data_validated, 0, 0);
	dp_run(dp);
	assert_int_equal(dp_tx_status(&dp->guests[i]), NETIF_RSP_OKAY);
	while (dp->nics[0]->n_sent > 0)
		free(dp->nics[0]->sent[--dp->nics[0]->n_sent]);
}

static void nothing_is_counted_unless_asked_for(void **state)
{
	struct dp *dp = *state;

	assert_int_equal(lab_flood(dp, 0, 2, 200), 400);
	assert_int_equal(n_requests, 0);
	assert_false(lab_status(dp, 0).watched);
}

static void a_flood_is_told_and_ends(void **state)
{
	struct dp *dp = *state;
	const struct guard_profile p = lab_profile();
	struct guard_status status;

	lab_watch(dp, 0, &p);
	lab_watch(dp, 1, &p);
	assert_int_equal(lab_flood(dp, 0, 2, 80), 160);
	assert_int_equal(n_requests, 0);
	assert_int_equal(lab_flood(dp, 0, 2, 200), 400);
	assert_int_equal(asked(GUARD_ALERT), 1);
	assert_string_equal(requests[0].vif, "vif1.0");
	assert_int_equal(requests[0].domid, 1);
	assert_string_equal(requests[0].name, "pps");
	assert_false(requests[0].whole_team);
	assert_int_equal(requests[0].alarm.direction, DOS_TO_GUEST);
	assert_true(requests[0].alarm.value >= 100 && requests[0].alarm.value <= 210);
	status = lab_status(dp, 0);
	assert_true(status.watched);
	assert_true(status.figures[DOS_TO_GUEST][DOS_PPS].alarm);
	assert_int_equal(status.n_peers[DOS_TO_GUEST], 1);
	assert_false(lab_status(dp, 1).figures[DOS_TO_GUEST][DOS_PPS].alarm);
	assert_int_equal(lab_status(dp, 1).n_events, 0);
	lab_flood(dp, 0, 4, 10);
	assert_false(lab_status(dp, 0).figures[DOS_TO_GUEST][DOS_PPS].alarm);
	assert_int_equal(lab_status(dp, 0).events[0].kind, ACT_EVENT_CLEARED);
	assert_int_equal(n_events, lab_status(dp, 0).events[0].number);
}

static void a_limit_drops_what_is_over_it(void **state)
{
	struct guard_profile p = lab_profile();
	struct dp *dp = *state;
	unsigned int got;

	lab_rule(&p, ACT_LIMIT);
	p.react.limit_pps = 50;
	p.react.limit_bps = 0;
	lab_watch(dp, 0, &p);
	lab_watch(dp, 1, &p);
	lab_flood(dp, 0, 2, 300);
	assert_true(lab_status(dp, 0).active[ACT_LIMIT]);
	got = lab_flood(dp, 0, 4, 300);
	assert_true(got >= 4 * 50 - 10 && got <= 4 * 50 + 10);
	assert_true(dp->guests[0].vif->stats.rx_limited >= 4 * 240);
	/* It is still seen as the attack that it is; its neighbour is let alone. */
	assert_true(lab_status(dp, 0).figures[DOS_TO_GUEST][DOS_PPS].alarm);
	assert_int_equal(lab_flood(dp, 1, 1, 90), 90);
	assert_int_equal(dp->guests[1].vif->stats.rx_limited, 0);
	lab_flood(dp, 0, 4, 10);
	assert_false(lab_status(dp, 0).active[ACT_LIMIT]);
	assert_int_equal(lab_flood(dp, 0, 1, 90), 90);
}

static void limits_of_bits_count_bytes_on_the_wire(void **state)
{
	struct guard_profile p = lab_profile();
	struct dp *dp = *state;
	unsigned int got;

	lab_rule(&p, ACT_LIMIT);
	p.react.limit_pps = 0;
	p.react.limit_bps = 178 * 8 * 80; /* 154 bytes and 24 around it */
	lab_watch(dp, 0, &p);
	lab_flood(dp, 0, 5, 400); /* the burst of 64 KiB goes first */
	got = lab_flood(dp, 0, 5, 400);
	assert_true(got >= 5 * 80 - 10 && got <= 5 * 80 + 10);
}

static void what_a_guest_sends_is_watched_too(void **state)
{
	struct guard_profile p = lab_profile();
	static const uint8_t foreign[6] = {2, 9, 9, 9, 9, 9};
	struct dp *dp = *state;

	p.detect.threshold[DOS_FROM_GUEST][DOS_PPS] = 0;
	p.detect.threshold[DOS_FROM_GUEST][DOS_SPOOFED] = 50;
	lab_watch(dp, 2, &p);
	for (unsigned int n = 0; n < 300; n++) {
		from_guest(dp, 2, dp->guests[2].mac);
		dp_advance(dp, 5 * MS);
	}
	assert_int_equal(n_requests, 0);
	for (unsigned int n = 0; n < 300; n++) {
		from_guest(dp, 2, foreign);
		dp_advance(dp, 5 * MS);
	}
	assert_int_equal(asked(GUARD_ALERT), 1);
	assert_string_equal(requests[0].name, "spoofed");
	assert_int_equal(requests[0].alarm.direction, DOS_FROM_GUEST);
	assert_int_equal(dp->guests[2].vif->stats.tx_spoofed, 300);
}

static void limits_hold_for_what_a_guest_sends(void **state)
{
	struct guard_profile p = lab_profile();
	struct dp *dp = *state;

	lab_rule(&p, ACT_LIMIT);
	p.react.limit_pps = 20;
	lab_watch(dp, 0, &p);
	for (unsigned int n = 0; n < 600; n++) {
		from_guest(dp, 0, dp->guests[0].mac);
		dp_advance(dp, 5 * MS);
	}
	assert_true(dp->guests[0].vif->stats.tx_limited >= 200);
	assert_true(lab_status(dp, 0).figures[DOS_FROM_GUEST][DOS_PPS].alarm);
}

/* How many of guest i's frames were answered. */
static unsigned int answered(struct dp *dp, unsigned int i)
{
	unsigned int n = 0;

	while (dp_tx_status(&dp->guests[i]) != -100)
		n++;
	return n;
}

/* A worker that throws away as fast as a guest can send has no time for others. */
static void a_limited_guest_is_not_taken_from_without_end(void **state)
{
	struct guard_profile p = lab_profile();
	struct dp *dp = *state;
	unsigned int n;
	uint32_t len;

	lab_rule(&p, ACT_LIMIT);
	p.react.limit_pps = 20;
	lab_watch(dp, 0, &p);
	for (n = 0; n < 400; n++) {
		from_guest(dp, 0, dp->guests[0].mac);
		dp_advance(dp, 5 * MS);
	}
	assert_true(lab_status(dp, 0).active[ACT_LIMIT]);
	len = dp_tcp(frame, dp_wire_mac, dp->guests[0].mac, 100, 2);
	for (n = 0; n < 200; n++)
		dp_send(dp, 0, frame, len, NULL, NETTXF_data_validated, 0, 0);
	dp_run(dp);
	n = answered(dp, 0);
	assert_in_range(n, GUARD_BURST_FRAMES, GUARD_BURST_FRAMES + WORKER_TX_BATCH);
	from_guest(dp, 1, dp->guests[1].mac); /* the one beside sends as ever */
	assert_int_equal(answered(dp, 0), 0);
	/* What it wants to send goes on being taken, bit by bit. */
	dp_advance(dp, 10 * MS);
	dp_run(dp);
	n += answered(dp, 0);
	assert_in_range(n, 2 * GUARD_BURST_FRAMES, 200);
	/* Without the limit it has no more to wait. */
	lab_rule(&p, ACT_LIMIT)->enable = false;
	guard_vif_set(dp->guests[0].vif, &p);
	dp_run(dp);
	assert_int_equal(n + answered(dp, 0), 200);
}

static void delay_delivers_in_larger_intervals(void **state)
{
	struct guard_profile p = lab_profile();
	struct dp *dp = *state;
	uint8_t out[4096];
	unsigned int got = 0, in_time;

	lab_rule(&p, ACT_DELAY);
	p.react.delay_ns = 5 * MS;
	lab_watch(dp, 0, &p);
	lab_flood(dp, 0, 2, 300);
	assert_true(lab_status(dp, 0).active[ACT_DELAY]);
	dp_advance(dp, 10 * MS);
	while (dp_receive(&dp->guests[0], out, NULL, NULL) > 0)
		got++;
	in_time = lab_to_guest(dp, 0, 10);
	assert_int_equal(in_time, 10); /* nothing for so long: at once */
	assert_int_equal(lab_to_guest(dp, 0, 10), 0);
	assert_int_equal(lab_to_guest(dp, 0, 10), 0);
	assert_int_equal(lab_to_guest(dp, 1, 5), 5);
	dp_advance(dp, 3 * MS);
	for (got = 0; dp_receive(&dp->guests[0], out, NULL, NULL) > 0;)
		got++;
	assert_int_equal(got, 20);
	/* At its end, what is kept back comes at once. */
	lab_to_guest(dp, 0, 3);
	p.react.rules[ACT_DELAY].enable = false;
	lab_watch(dp, 0, &p);
	for (got = 0; dp_receive(&dp->guests[0], out, NULL, NULL) > 0;)
		got++;
	assert_int_equal(got, 3);
	assert_int_equal(lab_to_guest(dp, 0, 10), 10);
	assert_int_equal(lab_to_guest(dp, 0, 10), 10);
}

static void a_dry_run_does_nothing_and_remembers_all(void **state)
{
	struct guard_profile p = lab_profile();
	struct dp *dp = *state;
	struct guard_status status;

	lab_rule(&p, ACT_LIMIT);
	lab_rule(&p, ACT_PAUSE);
	lab_rule(&p, ACT_HOOK);
	p.react.limit_pps = 20;
	p.react.dry_run = true;
	lab_watch(dp, 0, &p);
	assert_int_equal(lab_flood(dp, 0, 4, 300), 1200);
	assert_int_equal(n_requests, 0);
	assert_int_equal(dp->guests[0].vif->stats.rx_limited, 0);
	status = lab_status(dp, 0);
	assert_true(status.dry_run);
	assert_true(status.n_events >= 4); /* raised, alert, hook, limit, pause */
	for (unsigned int i = 0; i < status.n_events; i++)
		assert_true(status.events[i].dry_run);
}

static void the_host_is_asked_for_what_only_it_can_do(void **state)
{
	struct guard_profile p = lab_profile();
	struct dp *dp = *state;

	lab_rule(&p, ACT_PAUSE);
	lab_rule(&p, ACT_MIGRATE);
	lab_rule(&p, ACT_HOOK);
	strcpy(p.hook_program, "tell-me");
	strcpy(p.migrate_host, "elsewhere");
	p.react.rules[ACT_PAUSE].max_ns = 60 * NSEC_PER_SEC;
	lab_watch(dp, 0, &p);
	lab_flood(dp, 0, 2, 300);
	assert_int_equal(asked(GUARD_PAUSE), 1);
	assert_int_equal(asked(GUARD_MIGRATE), 1);
	assert_int_equal(asked(GUARD_HOOK), 1);
	assert_string_equal(requests[1].argument, "tell-me");
	assert_int_equal(asked(GUARD_UNPAUSE), 0);
	assert_string_equal(requests[2].argument, "65s");
	assert_string_equal(requests[3].argument, "elsewhere");
	/* It came to nothing: tried again, later and later. */
	guard_failed(dp->guests[0].vif, ACT_PAUSE, -EIO);
	assert_false(lab_status(dp, 0).active[ACT_PAUSE]);
	lab_flood(dp, 0, 2, 300);
	assert_int_equal(asked(GUARD_PAUSE), 2);
	/* The guest goes: nobody would wake it up any more. */
	dp_disconnect(dp, 0);
	assert_int_equal(asked(GUARD_UNPAUSE), 1);
}

static void an_attacked_guest_moves_to_other_members(void **state)
{
	struct team_options options;
	struct guard_profile p = lab_profile();
	struct dp *dp = *state;

	lab_rule(&p, ACT_SECOND_TEAM);
	strcpy(p.second_members, "nic1");
	lab_watch(dp, 0, &p);
	lab_flood(dp, 0, 2, 300); /* active-backup has no other members */
	assert_false(lab_status(dp, 0).active[ACT_SECOND_TEAM]);
	options = dp->worker->team.options;
	for (options.mode = 0; strcmp(policy_names[options.mode], "slb") != 0;)
		options.mode++;
	team_set_options(&dp->worker->team, &options, clock_now(&dp->clock));
	vif_set_pin(dp->guests[0].vif, "nic0", false);
	vif_set_pin(dp->guests[1].vif, "nic0", false);
	assert_int_equal(lab_on_second(dp, 0), 0);
	lab_flood(dp, 0, 10, 300);
	assert_true(lab_status(dp, 0).active[ACT_SECOND_TEAM]);
	vif_set_pin(dp->guests[0].vif, "nic0", false); /* counts again afterwards */
	assert_int_equal(lab_on_second(dp, 0), 10);
	assert_int_equal(lab_on_second(dp, 1), 0);
	lab_flood(dp, 0, 6, 10);
	assert_false(lab_status(dp, 0).active[ACT_SECOND_TEAM]);
	assert_int_equal(lab_on_second(dp, 0), 0);
}

static void clear_ends_what_is_in_force(void **state)
{
	struct guard_profile p = lab_profile();
	struct dp *dp = *state;

	lab_rule(&p, ACT_LIMIT)->min_ns = 60 * NSEC_PER_SEC;
	p.react.limit_pps = 20;
	lab_watch(dp, 0, &p);
	lab_flood(dp, 0, 2, 300);
	assert_true(lab_status(dp, 0).active[ACT_LIMIT]);
	guard_clear(dp->guests[0].vif, false);
	assert_false(lab_status(dp, 0).active[ACT_LIMIT]);
	assert_false(lab_status(dp, 0).figures[DOS_TO_GUEST][DOS_PPS].alarm);
	lab_flood(dp, 0, 2, 300); /* the attack goes on */
	lab_flood(dp, 0, 4, 10);
	assert_true(lab_status(dp, 0).active[ACT_LIMIT]);
	guard_clear(dp->guests[0].vif, true);
	assert_false(lab_status(dp, 0).active[ACT_LIMIT]);
	assert_int_equal(lab_status(dp, 0).figures[DOS_TO_GUEST][DOS_PPS].mean, 0);
	assert_int_equal(lab_flood(dp, 0, 1, 90), 90);
}

static void watching_ends_with_what_it_caused(void **state)
{
	struct guard_profile p = lab_profile(), off;
	struct dp *dp = *state;

	lab_rule(&p, ACT_LIMIT);
	p.react.limit_pps = 20;
	guard_profile_off(&off);
	lab_watch(dp, 0, &p);
	lab_flood(dp, 0, 2, 300);
	assert_true(lab_status(dp, 0).active[ACT_LIMIT]);
	lab_watch(dp, 0, &off);
	assert_false(lab_status(dp, 0).watched);
	assert_int_equal(lab_flood(dp, 0, 1, 300), 300);
	/* Again, and the history of before is another guest's. */
	lab_watch(dp, 0, &p);
	assert_true(lab_status(dp, 0).watched);
	assert_int_equal(lab_status(dp, 0).n_events, 0);
}

static void signatures_name_the_attack(void **state)
{
	static const char text[] = "alert tcp any any -> $HOME_NET any (msg:\"bytes of dp\"; "
				   "content:\"|00 07 0e 15|\"; threshold:pps 50;)\n";
	const struct guard_profile p = lab_profile();
	char error[SIGNATURE_ERROR_MAX];
	struct guard_status status;
	struct dp *dp = *state;
	struct signature_set *set;

	assert_int_equal(signature_parse(text, strlen(text), &set, error), 0);
	assert_int_equal(guard_signatures_set(dp->worker, set), 0);
	lab_watch(dp, 0, &p);
	lab_flood(dp, 0, 3, 80);
	assert_int_equal(asked(GUARD_ALERT), 1);
	assert_string_equal(requests[0].name, "bytes of dp");
	status = lab_status(dp, 0);
	assert_int_equal(status.n_rules, 1);
	assert_string_equal(status.rules[0].name, "bytes of dp");
	assert_int_equal(guard_signatures_set(dp->worker, NULL), 0);
	signature_destroy(set);
	lab_flood(dp, 0, 2, 80);
	assert_int_equal(lab_status(dp, 0).n_rules, 0);
}

static void the_team_has_meters_of_its_own(void **state)
{
	struct guard_profile p = lab_profile();
	struct guard_status status;
	struct dp *dp = *state;
	char vifs[GUARD_STATUS_EVENTS][32];

	guard_team_set(dp->worker, &p);
	p.detect.threshold[DOS_TO_GUEST][DOS_PPS] = 1000;
	lab_watch(dp, 0, &p);
	lab_watch(dp, 1, &p);
	for (unsigned int s = 0; s < 20; s++) { /* 450 in the sum: more than four times 100 */
		lab_to_guest(dp, 0, 25);
		lab_to_guest(dp, 1, 20);
		dp_advance(dp, 98 * MS);
	}
	assert_int_equal(asked(GUARD_ALERT), 1);
	assert_true(requests[0].whole_team);
	assert_string_equal(requests[0].name, "pps");
	guard_status_of(dp->worker, NULL, &status, vifs);
	assert_true(status.watched);
	assert_true(status.figures[DOS_TO_GUEST][DOS_PPS].alarm);
	assert_string_equal(vifs[0], "team");
}

static void full_rings_are_counted(void **state)
{
	struct guard_profile p = lab_profile();
	struct dp *dp = *state;

	p.detect.threshold[DOS_TO_GUEST][DOS_PPS] = 0;
	p.detect.threshold[DOS_TO_GUEST][DOS_DROPS] = 100;
	lab_watch(dp, 0, &p);
	for (unsigned int n = 0; n < 30; n++) { /* nothing is posted: 1024 wait, the rest is lost */
		const uint32_t len = dp_tcp(frame, dp->guests[0].mac, dp_wire_mac, 100, 2);

		for (unsigned int k = 0; k < 100; k++)
			dp_incoming(dp->nics[0], frame, len, NULL, -1);
		dp_advance(dp, 100 * MS);
	}
	assert_int_equal(asked(GUARD_ALERT), 1);
	assert_string_equal(requests[0].name, "drops");
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, dp_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_counted_unless_asked_for),
		TEST(a_flood_is_told_and_ends),
		TEST(a_limit_drops_what_is_over_it),
		TEST(limits_of_bits_count_bytes_on_the_wire),
		TEST(what_a_guest_sends_is_watched_too),
		TEST(limits_hold_for_what_a_guest_sends),
		TEST(a_limited_guest_is_not_taken_from_without_end),
		TEST(delay_delivers_in_larger_intervals),
		TEST(a_dry_run_does_nothing_and_remembers_all),
		TEST(the_host_is_asked_for_what_only_it_can_do),
		TEST(an_attacked_guest_moves_to_other_members),
		TEST(clear_ends_what_is_in_force),
		TEST(watching_ends_with_what_it_caused),
		TEST(signatures_name_the_attack),
		TEST(the_team_has_meters_of_its_own),
		TEST(full_rings_are_counted),
	};

	return cmocka_run_group_tests_name("guard", tests, NULL, NULL);
}
