/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-lacp.c - LACP between two of our systems and with scripted partners: receive, mux, churn.
 *
 * What a LACP implementation has to show, and where it is asserted. Without a file name: here; tx,
 * select, live, peers, pdu: test-lacp-*.c; uplink: test-uplink-lacp.c, with a worker's data path.
 *
 * T1  first PDU at once, 124 bytes    tx first_pdu_goes_with_the_link, pdu test_lacpdu_bytes,
 *                                     uplink negotiates_and_carries
 * T2  periods, longest gap 1 s, 30 s  tx periods, uplink lacpdus_keep_their_period_under_load
 * T3  three PDUs in any second        lacp-lab.c at each PDU of each test, tx
 *                                     storm_of_outdated_pdus, identity_that_changes_all_the_time
 * T4  expiry after 3 s or 90 s        silence_expires_then_defaults, peers late_partners
 * T5  Sync=0 of the partner           sync_and_collecting_of_the_partner_count_at_once
 * T6  another key or system           changed_partner_is_selected_anew
 * T7  partner that does not mean us   partner_that_does_not_know_us_stays_out_of_sync, peers
 *                                     partner_that_claims_everything
 * T8  individual                      individual_partners_stay_alone,
 *                                     half_duplex_stays_alone_and_unknown_duplex_does_not
 * T9  passive                         passive_speaks_only_when_spoken_to
 * T10 two partners, ad_select         select one_of_two_partners_is_active,
 *                                     ad_select_follows_changes
 * T11 standby, max_links              select standby_takes_over
 * T12 min_links                       select too_few_ports_carry_nothing, uplink
 *                                     too_few_links_serve_no_guest
 * T13 loopback                        loopback_carries_nothing
 * T14 port moved                      partner_that_moves_is_forgotten_on_the_old_port
 * T15 marker response                 tx markers_are_answered, pdu test_marker
 * T16 odd and bad PDUs                pdu test_tolerated, test_refused, test_short, test_tagged; tx
 *                                     bad_and_unknown_frames_are_counted; uplink
 *                                     a_guest_cannot_speak_lacp
 * T17 churn                           churn_is_seen_after_60_s_and_goes_at_once
 * T18 live changes                    live configuration_changes, changes_of_mind
 * T19 members come and go             live members_come_and_go, markers_keep_the_order; uplink
 *                                     members_leave_and_join, a_member_is_drained
 * T20 fallback                        select fallback_until_somebody_speaks, fallback_changes_live
 * T21 restart of the daemon           live restart, uplink a_successor_goes_on_at_once
 * T22 clock jump                      clock_jump, uplink who_was_late_reads_first; the clock is
 *                                     CLOCK_MONOTONIC (test-clock.c): the wall clock plays no part
 * T23 fuzz                            tests/fuzz/fuzz-lacp.c, tests/sim/sim-lacp.c
 *
 * What other implementations get wrong:
 * churn looked at once only           T17, also Monitor ends with Sync, not after 60 s
 * one PDU each 300 or 500 ms          peers three_changes_are_told_at_once
 * no limit on PDUs                    T3
 * Sync=0 on what is not active        select one_of_two_partners_is_active
 * unknown duplex turns LACP off       half_duplex_stays_alone_and_unknown_duplex_does_not
 * Aggregation always 1                peers half_duplex_says_individual
 * Partner.Sync believed as it is      T7; without Activity: peers
 *                                     sync_of_a_link_that_nobody_keeps_alive
 * Partner.Sync set though it is 0     T5, peers partner_with_a_limit; key not compared: T6, T7
 * ports enabled without a partner,    peers nothing_negotiated_nothing_claimed, select
 *   Collecting claimed                strict_wants_negotiated_aggregations
 * answers to any difference           peers copies_that_differ_in_other_bits_are_not_answered
 * no wait_while                       two_systems_negotiate, waiting_is_joint
 * no or late marker responses         T15
 * collector delay 0, port number 0    tx first_pdu_goes_with_the_link
 * two switches merged                 peers strangers_are_not_merged
 * period over 1 s, PDUs behind data   T2; the own frame only with traffic: uplink, whose worker is
 *                                     idle while it negotiates
 * guests' addresses not received      uplink negotiates_and_carries
 * guests that speak LACP              T16
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "lacp-lab.h"

static struct lab lab;

static void expect_up(int system, unsigned int n)
{
	assert_int_equal(lab.systems[system].distributing, (1u << n) - 1);
	assert_int_equal(lab.systems[system].collecting, (1u << n) - 1);
	for (unsigned int port = 0; port < n; port++) {
		assert_int_equal(lab_state(&lab, system, port),
				 lab.systems[system].config.fast ? ST_FAST : ST_SLOW);
		assert_int_equal(lab_status(&lab, system, port).rx, LACP_RX_CURRENT);
	}
}

static void two_systems_negotiate(void **state)
{
	lab_init(&lab);
	lab_pair(&lab, 4);
	lab_run(&lab, 1900);
	assert_int_equal(lab.systems[0].collecting, 0);
	assert_int_equal(lab_status(&lab, 0, 2).mux, LACP_MUX_WAITING);
	lab_run(&lab, 200); /* Aggregate_Wait, some round trips */
	expect_up(0, 4);
	expect_up(1, 4);
	lab_run(&lab, 1000); /* the last PDU may have to wait */
	/* Each knows what the other one says. */
	assert_int_equal(lab_status(&lab, 0, 3).partner.state, ST_FAST);
	assert_memory_equal(lab_status(&lab, 0, 3).partner.system, lab.systems[1].config.system, 6);
	assert_int_equal(lab_status(&lab, 0, 3).partner.port, 4);
	lab_run(&lab, 600000);
	expect_up(0, 4);
	assert_int_equal(lab.systems[0].n_active_changes, 1);
	assert_int_equal(lab_status(&lab, 0, 0).counters.n_expired, 0);
}

/* Ports that come within 2 s join together. */
static void waiting_is_joint(void **state)
{
	lab_init(&lab);
	for (unsigned int port = 0; port < 3; port++)
		lab_cable(&lab, 0, port, 1, port);
	lab_carrier(&lab, 0, 0, true);
	lab_run(&lab, 1500);
	lab_carrier(&lab, 0, 1, true);
	lab_run(&lab, 1900);
	assert_int_equal(lab.systems[0].collecting, 0);
	lab_run(&lab, 150);
	assert_int_equal(lab.systems[0].distributing, 3);
	lab_carrier(&lab, 0, 2, true); /* one that comes late waits for itself */
	lab_run(&lab, 1900);
	assert_int_equal(lab.systems[0].distributing, 3);
	lab_run(&lab, 200);
	assert_int_equal(lab.systems[0].distributing, 7);
}

/* Two ports whose partners change all the time cannot keep the third one out. */
static void flapping_ports_delay_no_longer_than_6_s(void **state)
{
	lab_init(&lab);
	for (unsigned int port = 0; port < 3; port++)
		lab_peer(&lab, port, 0x20, ST_FAST, 500);
	for (int i = 0; i < 11; i++) {
		struct lab_peer *peer = &lab.systems[0].peers[1 + i % 2];

		lab_run(&lab, 530);
		peer->pdu.actor.port ^= 0x100;
		assert_int_equal(lab.systems[0].collecting, 0);
	}
	lab_run(&lab, 530);
	assert_int_equal(lab.systems[0].distributing & 1, 1);
}

/* T4, fast and slow. */
static void silence_expires_then_defaults(void **state)
{
	for (int fast = 0; fast < 2; fast++) {
		lab_init(&lab);
		lab.systems[0].config.fast = fast;
		lab_configure(&lab, 0);
		lab_peer(&lab, 0, 0x20, ST_FAST, 500);
		lab_run(&lab, 3000);
		lab.systems[0].peers[0].next_ns = DEADLINE_NEVER;
		lab_peer_send(&lab, 0);
		lab_run(&lab, fast ? 2999 : 89999);
		assert_int_equal(lab.systems[0].distributing, 1);
		lab_run(&lab, 2);
		assert_int_equal(lab.systems[0].collecting, 0);
		assert_int_equal(lab_status(&lab, 0, 0).rx, LACP_RX_EXPIRED);
		assert_true(lab_state(&lab, 0, 0) & LACP_STATE_EXPIRED);
		lab_run(&lab, 2997);
		assert_int_equal(lab_status(&lab, 0, 0).rx, LACP_RX_EXPIRED);
		lab_run(&lab, 2);
		assert_int_equal(lab_status(&lab, 0, 0).rx, LACP_RX_DEFAULTED);
		assert_int_equal(lab_state(&lab, 0, 0),
				 LACP_STATE_DEFAULTED | (ST_SLOW & 7) | (fast ? 2 : 0));
		assert_int_equal(lab_status(&lab, 0, 0).counters.n_expired, 1);
		assert_int_equal(lab_status(&lab, 0, 0).counters.n_defaulted, 1);
	}
}

/* T5, and back. */
static void sync_and_collecting_of_the_partner_count_at_once(void **state)
{
	struct lab_peer *peer;

	lab_init(&lab);
	peer = lab_peer(&lab, 0, 0x20, ST_FAST, 900);
	lab_run(&lab, 3000);
	assert_int_equal(lab.systems[0].distributing, 1);
	peer->pdu.actor.state = ST_FAST & ~LACP_STATE_COLLECTING;
	lab_peer_send(&lab, 0);
	assert_int_equal(lab.systems[0].distributing, 0);
	assert_int_equal(lab.systems[0].collecting, 1);
	assert_string_equal(lab_status(&lab, 0, 0).reason, "partner does not collect");
	peer->pdu.actor.state = ST_FAST & ~LACP_STATE_SYNC;
	lab_peer_send(&lab, 0);
	assert_int_equal(lab.systems[0].collecting, 0);
	assert_int_equal(lab_status(&lab, 0, 0).mux, LACP_MUX_ATTACHED);
	assert_string_equal(lab_status(&lab, 0, 0).reason, "partner is out of sync");
	assert_true(lab_state(&lab, 0, 0) & LACP_STATE_SYNC);
	peer->pdu.actor.state = ST_FAST;
	lab_peer_send(&lab, 0);
	assert_int_equal(lab.systems[0].distributing, 1);
	assert_string_equal(lab_status(&lab, 0, 0).reason, "in sync with the partner");
	peer->next_ns = DEADLINE_NEVER;
	lab_run(&lab, 3001);
	assert_string_equal(lab_status(&lab, 0, 0).reason, "partner is silent");
	lab_carrier(&lab, 0, 0, false);
	assert_string_equal(lab_status(&lab, 0, 0).reason, "no carrier");
}

static void coupled_does_not_wait_for_the_partner_to_collect(void **state)
{
	struct lab_peer *peer;

	lab_init(&lab);
	lab.systems[0].config.coupled = true;
	lab_configure(&lab, 0);
	peer = lab_peer(&lab, 0, 0x20, ST_FAST & 0x0f, 900);
	lab_run(&lab, 3000);
	assert_int_equal(lab.systems[0].distributing, 1);
	assert_int_equal(lab_state(&lab, 0, 0), ST_FAST);
	lab.systems[0].config.coupled = false; /* live */
	lab_configure(&lab, 0);
	assert_int_equal(lab.systems[0].distributing, 0);
	assert_int_equal(lab.systems[0].collecting, 1);
	lab.systems[0].config.coupled = true;
	lab_configure(&lab, 0);
	assert_int_equal(lab.systems[0].distributing, 1);
	peer->pdu.actor.state &= (uint8_t)~LACP_STATE_SYNC;
	lab_peer_send(&lab, 0);
	assert_int_equal(lab_status(&lab, 0, 0).mux, LACP_MUX_ATTACHED);
}

/* T6: each field that says who the partner is. */
static void changed_partner_is_selected_anew(void **state)
{
	for (int field = 0; field < 6; field++) {
		struct lacp_info *actor;

		lab_init(&lab);
		actor = &lab_peer(&lab, 0, 0x20, ST_FAST, 900)->pdu.actor;
		lab_run(&lab, 3000);
		assert_int_equal(lab.systems[0].distributing, 1);
		actor->system_priority ^= field == 0;
		actor->system[5] ^= field == 1;
		actor->key ^= field == 2;
		actor->port_priority ^= field == 3;
		actor->port ^= field == 4;
		actor->state ^= field == 5 ? LACP_STATE_AGGREGATION : 0;
		lab_peer_send(&lab, 0);
		if (field == 5) { /* an individual one has nobody to wait for */
			assert_int_equal(lab.systems[0].distributing, 1);
			assert_true(lab_status(&lab, 0, 0).individual);
			continue;
		}
		assert_int_equal(lab.systems[0].collecting, 0);
		assert_int_equal(lab_status(&lab, 0, 0).mux, LACP_MUX_WAITING);
		assert_int_equal(lab_state(&lab, 0, 0) & LACP_STATE_SYNC, 0);
		lab_run(&lab, 1990);
		assert_int_equal(lab.systems[0].collecting, 0);
		lab_run(&lab, 20);
		assert_int_equal(lab.systems[0].distributing, 1);
	}
}

/* T7: a partner that talks to somebody else, each field. */
static void partner_that_does_not_know_us_stays_out_of_sync(void **state)
{
	for (int field = 0; field < 6; field++) {
		struct lab_peer *peer;

		lab_init(&lab);
		peer = lab_peer(&lab, 0, 0x20, ST_FAST, 300);
		lab_run(&lab, 250);
		peer->learns = false;
		peer->pdu.partner.system_priority ^= field == 0;
		peer->pdu.partner.system[5] ^= field == 1;
		peer->pdu.partner.key ^= field == 2;
		peer->pdu.partner.port_priority ^= field == 3;
		peer->pdu.partner.port ^= field == 4;
		peer->pdu.partner.state ^= field == 5 ? LACP_STATE_AGGREGATION : 0;
		lab_run(&lab, 10000);
		assert_int_equal(lab_status(&lab, 0, 0).rx, LACP_RX_CURRENT);
		assert_int_equal(lab_status(&lab, 0, 0).mux, LACP_MUX_ATTACHED);
		assert_int_equal(lab.systems[0].collecting, 0);
		peer->learns = true;
		lab_run(&lab, 1500);
		assert_int_equal(lab.systems[0].distributing, 1);
	}
}

/* T8 */
static void individual_partners_stay_alone(void **state)
{
	lab_init(&lab);
	lab_peer(&lab, 0, 0x20, ST_FAST & ~LACP_STATE_AGGREGATION, 900);
	lab_peer(&lab, 1, 0x20, ST_FAST & ~LACP_STATE_AGGREGATION, 900);
	lab_run(&lab, 3000);
	assert_int_equal(lab.systems[0].distributing, 1);
	assert_true(lab_status(&lab, 0, 1).individual);
	assert_true(lab_status(&lab, 0, 1).ready);
	assert_int_not_equal(lab_status(&lab, 0, 1).aggregator, lab_status(&lab, 0, 0).aggregator);
}

static void half_duplex_stays_alone_and_unknown_duplex_does_not(void **state)
{
	lab_init(&lab);
	for (unsigned int port = 0; port < 3; port++) {
		lab.systems[0].links[port].duplex =
			port == 2 ? LACP_DUPLEX_HALF : LACP_DUPLEX_UNKNOWN;
		lab.systems[0].links[port].mbps = 0;
	}
	lab_pair(&lab, 3);
	lab_run(&lab, 3000);
	assert_int_equal(lab.systems[0].distributing, 3);
	assert_true(lab_status(&lab, 0, 0).mbps_assumed);
	assert_int_equal(lab_status(&lab, 0, 0).mbps, 1000);
	assert_true(lab_status(&lab, 0, 2).individual);
	/* Assumed or told, it is the same speed. */
	lab.systems[0].links[1].mbps = 1000;
	lab_set(&lab, 0, 1);
	assert_int_equal(lab.systems[0].distributing, 3);
	/* Another speed belongs into another aggregator. */
	lab.systems[0].links[1].mbps = 100;
	lab_set(&lab, 0, 1);
	assert_int_equal(lab.systems[0].distributing, 1);
	lab_run(&lab, 4000);
	assert_int_equal(lab.systems[0].distributing, 1);
	assert_true(lab_status(&lab, 0, 1).aggregator != lab_status(&lab, 0, 0).aggregator);
}

/* T9 */
static void passive_speaks_only_when_spoken_to(void **state)
{
	lab_init(&lab);
	lab.systems[0].config.mode = lab.systems[1].config.mode = LACP_PASSIVE;
	lab_configure(&lab, 0);
	lab_configure(&lab, 1);
	lab_pair(&lab, 2);
	lab_run(&lab, 100000);
	assert_int_equal(lab.systems[0].n_pdus[0] + lab.systems[1].n_pdus[0], 0);
	assert_int_equal(lab.systems[0].collecting, 0);
	lab.systems[1].config.mode = LACP_ACTIVE;
	lab_configure(&lab, 1);
	lab_run(&lab, 2500);
	assert_int_equal(lab.systems[0].distributing, 3);
	assert_int_equal(lab_state(&lab, 0, 0), ST_FAST & ~LACP_STATE_ACTIVITY);
	lab_run(&lab, 60000);
	assert_int_equal(lab.systems[0].distributing, 3);
	lab.systems[1].config.mode = LACP_PASSIVE; /* nobody keeps it alive */
	lab_configure(&lab, 1);
	lab_run(&lab, 10000);
	assert_int_equal(lab.systems[0].collecting | lab.systems[1].collecting, 0);
}

/* T13: a cable between two of our ports, and one that returns what we send. */
static void loopback_carries_nothing(void **state)
{
	lab_init(&lab);
	lab_cable(&lab, 0, 0, 0, 1);
	lab_carrier(&lab, 0, 0, true);
	lab_carrier(&lab, 0, 1, true);
	lab_peer(&lab, 2, 1, ST_FAST, 900); /* our own system */
	lab_run(&lab, 10000);
	for (unsigned int port = 0; port < 3; port++) {
		assert_true(lab_status(&lab, 0, port).loopback);
		assert_int_equal(lab_status(&lab, 0, port).selected, LACP_UNSELECTED);
	}
	assert_int_equal(lab.systems[0].collecting, 0);
	/* A system that takes its partner's name. */
	lab_init(&lab);
	lab_peer(&lab, 0, 0x20, ST_FAST, 900);
	lab_run(&lab, 3000);
	assert_int_equal(lab.systems[0].distributing, 1);
	lab.systems[0].config.system[5] = 0x20;
	lab_configure(&lab, 0);
	assert_int_equal(lab.systems[0].collecting, 0);
	assert_true(lab_status(&lab, 0, 0).loopback);
}

/* T14: with carrier loss, and silently. */
static void partner_that_moves_is_forgotten_on_the_old_port(void **state)
{
	for (int silent = 0; silent < 2; silent++) {
		struct lab_system *s = &lab.systems[0];

		lab_init(&lab);
		s->config.fast = false;
		lab_configure(&lab, 0);
		lab_peer(&lab, 0, 0x20, ST_FAST, 900);
		lab_run(&lab, 3000);
		assert_int_equal(s->distributing, 1);
		s->peers[0].next_ns = DEADLINE_NEVER;
		if (!silent)
			lab_carrier(&lab, 0, 0, false);
		lab_peer(&lab, 1, 0x20, ST_FAST, 900)->pdu.actor.port = 100;
		lab_run(&lab, 950);
		assert_int_equal(lab_status(&lab, 0, 0).counters.n_moved, 1);
		assert_int_equal(lab_status(&lab, 0, 0).rx,
				 silent ? LACP_RX_EXPIRED : LACP_RX_PORT_DISABLED);
		assert_int_equal(s->distributing & 1, 0);
		lab_run(&lab, 2500);
		assert_int_equal(s->distributing, 2);
	}
}

/* A bridge that floods LACPDUs to two of our ports: no port resets the other one for ever. */
static void flooded_pdus_do_not_look_like_a_move(void **state)
{
	lab_init(&lab);
	lab_peer(&lab, 0, 0x20, ST_FAST, 900);
	lab_run(&lab, 3000);
	lab_peer(&lab, 1, 0x20, ST_FAST, 900);
	lab.systems[0].peers[1].learns = false;
	lab.systems[0].peers[1].pdu = lab.systems[0].peers[0].pdu;
	lab_run(&lab, 10000);
	assert_int_equal(lab.systems[0].distributing, 1);
	assert_int_equal(lab_status(&lab, 0, 0).counters.n_moved, 0);
}

/* T17 */
static void churn_is_seen_after_60_s_and_goes_at_once(void **state)
{
	struct lab_peer *peer;

	lab_init(&lab);
	peer = lab_peer(&lab, 0, 0x20, ST_FAST & 0x07, 900);
	lab_run(&lab, 1000);
	assert_int_equal(lab_status(&lab, 0, 0).churn[0], LACP_CHURN_MONITOR);
	lab_run(&lab, 2000);
	assert_int_equal(lab_status(&lab, 0, 0).churn[0], LACP_CHURN_NONE);
	assert_int_equal(lab_status(&lab, 0, 0).churn[1], LACP_CHURN_MONITOR);
	lab_run(&lab, 56990);
	assert_int_equal(lab_status(&lab, 0, 0).churn[1], LACP_CHURN_MONITOR);
	lab_run(&lab, 20);
	assert_int_equal(lab_status(&lab, 0, 0).churn[1], LACP_CHURN_CHURN);
	assert_int_equal(lab_status(&lab, 0, 0).counters.n_churn[1], 1);
	assert_int_equal(lab_status(&lab, 0, 0).counters.n_churn[0], 0);
	peer->pdu.actor.state = ST_FAST;
	lab_peer_send(&lab, 0);
	assert_int_equal(lab_status(&lab, 0, 0).churn[1], LACP_CHURN_NONE);
	/* A loop keeps our own end out of Sync. */
	peer->pdu.actor.system[5] = 1;
	lab_run(&lab, 62000);
	assert_int_equal(lab_status(&lab, 0, 0).churn[0], LACP_CHURN_CHURN);
}

/* A short loss of carrier costs no wait: both ends still know each other. */
static void carrier_flap_is_over_in_milliseconds(void **state)
{
	lab_init(&lab);
	lab_pair(&lab, 2);
	lab_run(&lab, 5000);
	lab_carrier(&lab, 0, 1, false);
	assert_int_equal(lab.systems[0].collecting, 1);
	lab_run(&lab, 300);
	lab_carrier(&lab, 0, 1, true);
	lab_run(&lab, 10);
	assert_int_equal(lab.systems[0].distributing, 3);
	assert_int_equal(lab.systems[1].distributing, 3);
}

/* T22: we slept for an hour, and the partner's frames wait in the socket. */
static void clock_jump(void **state)
{
	lab_init(&lab);
	lab_peer(&lab, 0, 0x20, ST_FAST, 900);
	lab_run(&lab, 3000);
	lab.systems[0].peers[0].next_ns = DEADLINE_NEVER;
	lab.now_ns += 3600 * NSEC_PER_SEC;
	lab_peer_send(&lab, 0);
	lacp_run(&lab.systems[0].lacp, lab.now_ns);
	assert_int_equal(lab.systems[0].distributing, 1);
	assert_int_equal(lab_status(&lab, 0, 0).counters.n_expired, 0);
	/* Nothing waits: expired, and back with the next frame. */
	lab.now_ns += 3600 * NSEC_PER_SEC;
	lacp_run(&lab.systems[0].lacp, lab.now_ns);
	assert_int_equal(lab.systems[0].distributing, 0);
	lab_run(&lab, 900);
	lab_peer_send(&lab, 0);
	assert_int_equal(lab.systems[0].distributing, 1);
	/* PDUs of the past are not made up for. */
	assert_in_range(lab.systems[0].n_pdus[0], 4, 12);
}

static void bad_arguments(void **state)
{
	struct lacp_port_status status;
	struct lacp_config config;
	struct lacp_link link;
	struct lacp *lacp = &lab.systems[0].lacp;
	const uint8_t frame[LACP_FRAME_LEN] = {0};

	lab_init(&lab);
	lab_pair(&lab, 1);
	config = lab.systems[0].config;
	config.key = LACP_KEY_MAX + 1;
	assert_int_equal(lacp_configure(lacp, &config, 0), -EINVAL);
	config = lab.systems[0].config;
	config.default_mbps = 0;
	assert_int_equal(lacp_configure(lacp, &config, 0), -EINVAL);
	config = lab.systems[0].config;
	config.system[0] = 3;
	assert_int_equal(lacp_configure(lacp, &config, 0), -EINVAL);
	memset(config.system, 0, 6);
	assert_int_equal(lacp_init(lacp, &config, &lacp->ops, 0), -EINVAL);
	assert_int_equal(lacp->config.default_mbps, 1000);
	link = lab.systems[0].links[0];
	assert_int_equal(lacp_port_set(lacp, LACP_PORTS_MAX, &link, 0), -EINVAL);
	link.mac[0] = 1;
	assert_int_equal(lacp_port_set(lacp, 0, &link, 0), -EINVAL);
	for (unsigned int port = 5; port < 500; port += 100) {
		assert_int_equal(lacp_port_status(lacp, port, 0, &status), -EINVAL);
		assert_int_equal(lacp_port_drain(lacp, port, true, 0), -EINVAL);
		assert_int_equal(lacp_marker_send(lacp, port, 0), -EINVAL);
		assert_int_equal(lacp_receive(lacp, port, frame, sizeof(frame), 0), -EINVAL);
		assert_int_equal(lacp_marker_result(lacp, port), LACP_MARKER_NONE);
		assert_false(lacp_port_drained(lacp, port));
		lacp_port_remove(lacp, port, 0);
	}
}

static void names(void **state)
{
	char text[LACP_STATE_TEXT];

	lacp_state_format(text, ST_FAST);
	assert_string_equal(text, "active,fast,aggregatable,sync,collecting,distributing");
	lacp_state_format(text, 0);
	assert_string_equal(text, "passive,slow,individual");
	lacp_state_format(text, 0xff);
	assert_string_equal(text, "active,fast,aggregatable,sync,collecting,distributing,"
				  "defaulted,expired");
	assert_string_equal(lacp_rx_name(LACP_RX_CURRENT), "current");
	assert_string_equal(lacp_mux_name(LACP_MUX_DISTRIBUTING), "distributing");
	assert_string_equal(lacp_selected_name(LACP_SELECTED), "selected");
	assert_string_equal(lacp_churn_name(LACP_CHURN_CHURN), "churned");
	assert_string_equal(lacp_drain_name(LACP_DRAIN_DONE), "done");
	assert_string_equal(lacp_mode_names[LACP_STATIC], "static");
	assert_string_equal(lacp_ad_select_names[LACP_SELECT_PRIO], "prio");
	assert_string_equal(lacp_fallback_names[LACP_FALLBACK_STATIC], "static");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_systems_negotiate),
		cmocka_unit_test(waiting_is_joint),
		cmocka_unit_test(flapping_ports_delay_no_longer_than_6_s),
		cmocka_unit_test(silence_expires_then_defaults),
		cmocka_unit_test(sync_and_collecting_of_the_partner_count_at_once),
		cmocka_unit_test(coupled_does_not_wait_for_the_partner_to_collect),
		cmocka_unit_test(changed_partner_is_selected_anew),
		cmocka_unit_test(partner_that_does_not_know_us_stays_out_of_sync),
		cmocka_unit_test(individual_partners_stay_alone),
		cmocka_unit_test(half_duplex_stays_alone_and_unknown_duplex_does_not),
		cmocka_unit_test(passive_speaks_only_when_spoken_to),
		cmocka_unit_test(loopback_carries_nothing),
		cmocka_unit_test(partner_that_moves_is_forgotten_on_the_old_port),
		cmocka_unit_test(flooded_pdus_do_not_look_like_a_move),
		cmocka_unit_test(churn_is_seen_after_60_s_and_goes_at_once),
		cmocka_unit_test(carrier_flap_is_over_in_milliseconds),
		cmocka_unit_test(clock_jump),
		cmocka_unit_test(bad_arguments),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests_name("lacp", tests, NULL, NULL);
}
