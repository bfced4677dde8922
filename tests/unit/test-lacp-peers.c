/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-lacp-peers.c - what implementations of LACP are known to get wrong: that we do not, and that
 * we live with partners that do. What lacp-lab.c asserts at each step is half of these tests.
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

/* --- what we must not do --- */

/* The limit is three in any second, not one each 300 or 500 ms. */
static void three_changes_are_told_at_once(void **state)
{
	struct lab_peer *peer;
	uint64_t before;

	lab_init(&lab);
	peer = lab_peer(&lab, 0, 0x20, ST_SLOW, 1000);
	lab_run(&lab, 10500);
	before = lab.systems[0].n_pdus[0];
	for (int i = 0; i < 3; i++) {
		peer->pdu.actor.state ^= LACP_STATE_COLLECTING;
		lab_peer_send(&lab, 0);
		lab_run(&lab, 1);
	}
	assert_int_equal(lab.systems[0].n_pdus[0], before + 3);
	/* A fourth one waits, and tells how things stand then. */
	peer->pdu.actor.state &= (uint8_t)~LACP_STATE_SYNC;
	lab_peer_send(&lab, 0);
	assert_int_equal(lab.systems[0].collecting, 0);
	assert_int_equal(lab.systems[0].n_pdus[0], before + 3);
	lab_run(&lab, 1000);
	assert_int_equal(lab.systems[0].n_pdus[0], before + 4);
	assert_int_equal(lab.systems[0].last[0].pdu.actor.state, ST_FAST & 0x0f);
}

/* The Activity term of the rule for Partner.Sync: who keeps this link alive? */
static void sync_of_a_link_that_nobody_keeps_alive(void **state)
{
	for (int alive = 0; alive < 3; alive++) {
		struct lab_peer *peer;

		lab_init(&lab);
		lab.systems[0].config.mode = alive == 1 ? LACP_ACTIVE : LACP_PASSIVE;
		lab_configure(&lab, 0);
		peer = lab_peer(&lab, 0, 0x20,
				alive == 2 ? ST_FAST : ST_FAST & ~LACP_STATE_ACTIVITY, 900);
		peer->learns = false;
		peer->pdu.partner = lab.systems[0].lacp.ports[0].actor;
		peer->pdu.partner.state = alive == 1 ? ST_FAST : ST_FAST & ~LACP_STATE_ACTIVITY;
		lab_run(&lab, 5000);
		assert_int_equal(lab.systems[0].collecting, alive != 0);
	}
}

/* Only what a partner must know is worth an answer: not Collecting, not Distributing. */
static void copies_that_differ_in_other_bits_are_not_answered(void **state)
{
	static const struct {
		uint8_t bit;
		bool answered;
	} rows[] = {
		{LACP_STATE_COLLECTING, false}, {LACP_STATE_DISTRIBUTING, false},
		{LACP_STATE_DEFAULTED, false},	{LACP_STATE_EXPIRED, false},
		{LACP_STATE_ACTIVITY, true},	{LACP_STATE_TIMEOUT, true},
		{LACP_STATE_SYNC, true},
	};
	struct lab_peer *peer;

	lab_init(&lab);
	peer = lab_peer(&lab, 0, 0x20, ST_SLOW, 1000);
	lab_run(&lab, 10500);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const uint64_t before = lab.systems[0].n_pdus[0];

		peer->learns = false;
		peer->pdu.partner.state ^= rows[i].bit;
		lab_peer_send(&lab, 0);
		assert_int_equal(lab.systems[0].n_pdus[0], before + rows[i].answered);
		peer->pdu.partner.state ^= rows[i].bit;
		peer->learns = true;
		lab_run(&lab, 1100);
	}
}

/* Aggregation is what we are able to do, not a constant. */
static void half_duplex_says_individual(void **state)
{
	lab_init(&lab);
	lab.systems[0].links[0].duplex = LACP_DUPLEX_HALF;
	lab_carrier(&lab, 0, 0, true);
	assert_int_equal(lab.systems[0].last[0].pdu.actor.state & LACP_STATE_AGGREGATION, 0);
	assert_int_equal(lab.systems[0].last[0].pdu.actor.key & 1, 0);
}

/* Without a partner we do not claim to collect or distribute, and do not. */
static void nothing_negotiated_nothing_claimed(void **state)
{
	lab_init(&lab);
	lab_carrier(&lab, 0, 0, true);
	for (int i = 0; i < 100; i++) {
		lab_run(&lab, 1000);
		assert_int_equal(lab.systems[0].last[0].pdu.actor.state & 0x38, 0);
		assert_int_equal(lab.systems[0].collecting, 0);
	}
}

/* Two switches and a port that fits nowhere: each has its aggregator. */
static void strangers_are_not_merged(void **state)
{
	lab_init(&lab);
	for (unsigned int port = 0; port < 4; port++)
		lab_peer(&lab, port, port < 2 ? 0x20 : 0x21, ST_FAST, 900);
	lab.systems[0].peers[3].pdu.actor.key = 8; /* the same switch, another group */
	lab_run(&lab, 5000);
	assert_int_equal(lab.systems[0].distributing, 3);
	for (unsigned int port = 1; port < 4; port++)
		for (unsigned int other = 0; other < port; other++)
			assert_int_equal(lab_status(&lab, 0, port).aggregator ==
						 lab_status(&lab, 0, other).aggregator,
					 port == 1);
}

/* --- what partners do --- */

/* LACPDUs every 2.9 s, though we ask for one a second; one a 31 s at rate slow. */
static void late_partners(void **state)
{
	for (int slow = 0; slow < 2; slow++) {
		lab_init(&lab);
		lab.systems[0].config.fast = !slow;
		lab_configure(&lab, 0);
		lab_peer(&lab, 0, 0x20, ST_FAST, slow ? 31000 : 2900);
		lab_run(&lab, 70000);
		assert_int_equal(lab.systems[0].distributing, 1);
		lab_run(&lab, 600000);
		assert_int_equal(lab.systems[0].distributing, 1);
		assert_int_equal(lab_status(&lab, 0, 0).counters.n_expired, 0);
		assert_int_equal(lab.systems[0].n_active_changes, 1);
	}
}

/* Frozen, with carrier: three seconds, and back at once. */
static void frozen_partner(void **state)
{
	lab_init(&lab);
	lab_pair(&lab, 2);
	lab_run(&lab, 5000);
	lab.systems[1].frozen = true;
	lab_run(&lab, 1900);
	assert_int_equal(lab.systems[0].distributing, 3);
	lab_run(&lab, 1200);
	assert_int_equal(lab.systems[0].distributing, 0);
	lab_run(&lab, 60000);
	assert_int_equal(lab_status(&lab, 0, 1).rx, LACP_RX_DEFAULTED);
	lab.systems[1].frozen = false;
	lab_run(&lab, 5000);
	assert_int_equal(lab.systems[0].distributing, 3);
	assert_int_equal(lab.systems[1].distributing, 3);
}

/* Our frames are lost, theirs are not: both must stop, not only one. */
static void unidirectional_link(void **state)
{
	for (int muted = 0; muted < 2; muted++) {
		lab_init(&lab);
		lab_pair(&lab, 2);
		lab_run(&lab, 5000);
		lab.systems[muted].mute[1] = true;
		lab_run(&lab, 8000);
		assert_int_equal(lab.systems[0].distributing, 1);
		assert_int_equal(lab.systems[1].distributing, 1);
		lab.systems[muted].mute[1] = false;
		lab_run(&lab, 5000);
		assert_int_equal(lab.systems[0].distributing, 3);
	}
}

/* Says Sync, Collecting and Distributing to everybody, knows nobody, is defaulted. */
static void partner_that_claims_everything(void **state)
{
	struct lab_peer *peer;

	lab_init(&lab);
	peer = lab_peer(&lab, 0, 0x20, ST_FAST | LACP_STATE_DEFAULTED, 300);
	peer->learns = false;
	memset(&peer->pdu.partner, 0, sizeof(peer->pdu.partner));
	lab_run(&lab, 20000);
	assert_int_equal(lab.systems[0].collecting, 0);
	assert_int_equal(lab_state(&lab, 0, 0), ST_FAST & 0x0f);
}

/* Changes its mind every 7 ms. */
static void nervous_partner(void **state)
{
	struct lab_peer *peer;

	lab_init(&lab);
	peer = lab_peer(&lab, 0, 0x20, ST_FAST, 900);
	lab_run(&lab, 5000);
	for (unsigned int i = 0; i < 3000; i++) {
		peer->pdu.actor.state ^= (uint8_t)(1u << (i % 8));
		lab_peer_send(&lab, 0);
		lab_run(&lab, 7);
	}
	peer->pdu.actor.state = ST_FAST;
	lab_run(&lab, 5000);
	assert_int_equal(lab.systems[0].distributing, 1);
}

/* Two devices behind one port (a hub): never stable, never up, never more than three a second. */
static void two_partners_on_one_port(void **state)
{
	struct lab_peer *peer;

	lab_init(&lab);
	peer = lab_peer(&lab, 0, 0x20, ST_FAST, 450);
	for (int i = 0; i < 200; i++) {
		peer->pdu.actor.system[5] ^= 1;
		lab_run(&lab, 450);
		assert_int_equal(lab.systems[0].collecting, 0);
	}
	lab_run(&lab, 3000);
	assert_int_equal(lab.systems[0].distributing, 1);
}

/* System and key of zero, which look like no partner at all; port 0. */
static void partner_of_zeros(void **state)
{
	struct lab_peer *peer;

	lab_init(&lab);
	lab.systems[0].config.fallback = LACP_FALLBACK_STATIC;
	lab_configure(&lab, 0);
	lab_carrier(&lab, 0, 1, true);
	peer = lab_peer(&lab, 0, 0, ST_FAST, 900);
	memset(&peer->pdu.actor, 0, sizeof(peer->pdu.actor));
	peer->pdu.actor.state = ST_FAST;
	lab_run(&lab, 10000);
	assert_int_equal(lab.systems[0].distributing, 1); /* negotiated, so not with port 1 */
	assert_int_not_equal(lab_status(&lab, 0, 0).aggregator, lab_status(&lab, 0, 1).aggregator);
}

/* Puts ports on standby: Sync comes when one dies. */
static void partner_with_a_limit(void **state)
{
	lab_init(&lab);
	lab_peer(&lab, 0, 0x20, ST_FAST, 900);
	lab_peer(&lab, 1, 0x20, ST_FAST & 0x07, 900);
	lab_run(&lab, 5000);
	assert_int_equal(lab.systems[0].distributing, 1);
	assert_int_equal(lab_state(&lab, 0, 1), 0x0f);
	lab.systems[0].peers[1].pdu.actor.state = ST_FAST;
	lab_peer_send(&lab, 1);
	assert_int_equal(lab.systems[0].distributing, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(three_changes_are_told_at_once),
		cmocka_unit_test(sync_of_a_link_that_nobody_keeps_alive),
		cmocka_unit_test(copies_that_differ_in_other_bits_are_not_answered),
		cmocka_unit_test(half_duplex_says_individual),
		cmocka_unit_test(nothing_negotiated_nothing_claimed),
		cmocka_unit_test(strangers_are_not_merged),
		cmocka_unit_test(late_partners),
		cmocka_unit_test(frozen_partner),
		cmocka_unit_test(unidirectional_link),
		cmocka_unit_test(partner_that_claims_everything),
		cmocka_unit_test(nervous_partner),
		cmocka_unit_test(two_partners_on_one_port),
		cmocka_unit_test(partner_of_zeros),
		cmocka_unit_test(partner_with_a_limit),
	};

	return cmocka_run_group_tests_name("lacp-peers", tests, NULL, NULL);
}
