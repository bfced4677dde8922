/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-lacp-select.c - aggregators: several partners, standby, fallback, static aggregation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "lacp-lab.h"

static struct lab lab;

/* System 0 with two switches: ports 0 and 1 to system 1 (1 Gbit/s), 2 to 4 to system 2 (100
 * Mbit/s). */
static void two_partners(enum lacp_ad_select ad_select)
{
	lab_init(&lab);
	lab.systems[0].config.ad_select = ad_select;
	lab_configure(&lab, 0);
	for (unsigned int port = 0; port < 5; port++) {
		const int to = port < 2 ? 1 : 2;

		if (to == 2)
			lab.systems[0].links[port].mbps = lab.systems[2].links[port].mbps = 100;
		lab.systems[0].links[port].priority = port == 3 ? 5 : 10;
		lab_cable(&lab, 0, port, to, port);
		lab_carrier(&lab, 0, port, true);
	}
	lab_run(&lab, 4000);
}

/* T10 */
static void one_of_two_partners_is_active(void **state)
{
	static const uint32_t expected[] = {
		[LACP_SELECT_STABLE] = 0x03,
		[LACP_SELECT_BANDWIDTH] = 0x03,
		[LACP_SELECT_COUNT] = 0x1c,
		[LACP_SELECT_PRIO] = 0x1c,
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(expected); i++) {
		two_partners((enum lacp_ad_select)i);
		assert_int_equal(lab.systems[0].distributing, expected[i]);
		/* The other switch sees a healthy link that does not collect. */
		for (unsigned int port = 0; port < 5; port++) {
			const bool active = expected[i] >> port & 1;

			assert_int_equal(lab_status(&lab, 0, port).active, active);
			assert_true(lab_status(&lab, 0, port).ready);
			assert_string_equal(lab_status(&lab, 0, port).reason,
					    active ? "in sync with the partner"
						   : "another aggregator is active");
			assert_int_equal(lab_state(&lab, 0, port), active ? ST_FAST : 0x0f);
			assert_int_equal(lab.systems[port < 2 ? 1 : 2].distributing >> port & 1,
					 active);
		}
	}
}

static void ad_select_follows_changes(void **state)
{
	two_partners(LACP_SELECT_STABLE);
	lab_carrier(&lab, 0, 0, false); /* now 1000 against 300, 1 port against 3 */
	assert_int_equal(lab.systems[0].distributing, 0x02);
	lab.systems[0].config.ad_select = LACP_SELECT_COUNT; /* live */
	lab_configure(&lab, 0);
	lab_run(&lab, 1000);
	assert_int_equal(lab.systems[0].distributing, 0x1c);
	lab.systems[0].config.ad_select = LACP_SELECT_STABLE;
	lab_configure(&lab, 0);
	lab_run(&lab, 1000);
	assert_int_equal(lab.systems[0].distributing, 0x1c);
	lab.systems[0].config.ad_select = LACP_SELECT_BANDWIDTH;
	lab_configure(&lab, 0);
	lab_run(&lab, 1000);
	assert_int_equal(lab.systems[0].distributing, 0x02);
	lab_carrier(&lab, 0, 1, false); /* the other switch takes over, in a round trip */
	lab_run(&lab, 1);
	assert_int_equal(lab.systems[0].distributing, 0x1c);
	lab_carrier(&lab, 0, 0, true);
	lab_run(&lab, 3000);
	assert_int_equal(lab.systems[0].distributing, 0x01);
	lab.systems[0].config.ad_select = LACP_SELECT_PRIO;
	lab_configure(&lab, 0);
	assert_int_equal(lab.systems[0].active, lab_status(&lab, 0, 3).aggregator);
	lab_carrier(&lab, 0, 3, false); /* the others are equal, the lowest number wins */
	assert_int_equal(lab.systems[0].active, lab_status(&lab, 0, 0).aggregator);
}

/* Two aggregations between the same two systems, which want different ones: the system that decides
 * has its way, and both carry traffic on the same one. */
static void two_systems_that_prefer_different_aggregators(void **state)
{
	for (int decides = 0; decides < 2; decides++) {
		const uint32_t fast = 1, slow = 2;
		uint64_t n_changes;
		struct lab_system *s = &lab.systems[0], *t = &lab.systems[1];

		lab_init(&lab);
		lab.systems[decides].config.system_priority = 1;
		s->config.ad_select = LACP_SELECT_BANDWIDTH;
		t->config.ad_select = LACP_SELECT_PRIO;
		lab_configure(&lab, 0);
		lab_configure(&lab, 1);
		s->links[1].mbps = t->links[1].mbps = 100;
		t->links[1].priority = 1;
		lab_pair(&lab, 2);
		lab_run(&lab, 3500);
		assert_int_equal(s->distributing | t->distributing, 0);
		lab_run(&lab, 2500);
		assert_int_equal(s->distributing, decides == 0 ? fast : slow);
		assert_int_equal(t->distributing, s->distributing);
		n_changes = s->n_active_changes + t->n_active_changes;
		lab_run(&lab, 100000);
		assert_int_equal(s->n_active_changes + t->n_active_changes, n_changes);
		lab_carrier(&lab, 0, 0, false);
		lab_run(&lab, 100);
		assert_int_equal(s->distributing & t->distributing, slow);
		lab_carrier(&lab, 0, 0, true);
		lab_carrier(&lab, 0, 1, false);
		lab_run(&lab, 5000);
		assert_int_equal(s->distributing & t->distributing, fast);
	}
}

/* A partner in Sync that collects on its second aggregator only. */
static void an_aggregator_whose_partner_never_collects_is_left(void **state)
{
	lab_init(&lab);
	lab.systems[0].config.ad_select = LACP_SELECT_BANDWIDTH;
	lab.systems[0].config.system_priority = 1;
	lab_configure(&lab, 0);
	lab.systems[0].links[1].mbps = 100;
	lab_peer(&lab, 0, 0x20, ST_FAST & 0x0f, 900);
	lab_peer(&lab, 1, 0x20, ST_FAST & 0x0f, 900);
	lab_run(&lab, 30000); /* no other one to go to */
	assert_int_equal(lab.systems[0].collecting, 1);
	assert_int_equal(lab.systems[0].n_active_changes, 1);
	lab.systems[0].peers[1].pdu.actor.state = ST_FAST;
	lab_peer_send(&lab, 1);
	assert_int_equal(lab.systems[0].distributing, 2);
	lab_run(&lab, 100000);
	assert_int_equal(lab.systems[0].distributing, 2);
	lab.systems[0].peers[0].pdu.actor.state = ST_FAST; /* it collects: our choice again */
	lab_peer_send(&lab, 0);
	assert_int_equal(lab.systems[0].distributing, 1);
}

/* T11, with either system deciding who stands by. */
static void standby_takes_over(void **state)
{
	for (int decides = 0; decides < 2; decides++) {
		struct lab_system *s = &lab.systems[0];

		lab_init(&lab);
		s->config.max_ports = 2;
		lab_configure(&lab, 0);
		lab.systems[decides].config.system_priority = 100;
		lab_configure(&lab, decides);
		/* The decider wants 3 and 1, the other one would take 0 and 1. */
		for (unsigned int port = 0; port < 4; port++)
			lab.systems[decides].links[port].priority =
				port == 3 ? 1 : (port == 1 ? 2 : 3);
		lab_pair(&lab, 4);
		lab_run(&lab, 4000);
		assert_int_equal(s->distributing, 0x0a);
		assert_int_equal(lab.systems[1].distributing, 0x0a);
		assert_int_equal(lab_status(&lab, 0, 0).selected, LACP_STANDBY);
		assert_int_equal(lab_state(&lab, 0, 0), 0x07);
		assert_int_equal(lab_status(&lab, 0, 0).rx, LACP_RX_CURRENT);
		lab_run(&lab, 100000);
		assert_int_equal(lab_status(&lab, 0, 0).churn[0], LACP_CHURN_MONITOR);
		lab_carrier(&lab, 0, 3, false);
		assert_int_equal(s->distributing, 0x02);
		lab_run(&lab, 5); /* one that stood by has waited long ago */
		assert_int_equal(s->distributing, 0x03);
		/* The better one comes back: it replaces the other one without a gap. */
		lab_carrier(&lab, 0, 3, true);
		lab.n_flows = 2;
		lab_run(&lab, 5000);
		assert_int_equal(s->distributing, 0x0a);
		assert_int_equal(lab.systems[1].distributing, 0x0a);
		assert_int_equal(lab.n_waited, 0);
		lab.n_flows = 0;
		s->config.max_ports = 0; /* live */
		lab_configure(&lab, 0);
		lab_run(&lab, 5000);
		assert_int_equal(s->distributing, 0x0f);
		s->config.max_ports = 1;
		lab_configure(&lab, 0);
		lab_run(&lab, 10);
		assert_int_equal(s->distributing, 0x08);
	}
}

/* A frame gets through in one direction only: that port must not keep the place of another one. */
static void a_port_that_is_not_heard_does_not_hold_a_place(void **state)
{
	for (int deaf = 0; deaf < 2; deaf++) {
		lab_init(&lab);
		for (int i = 0; i < 2; i++) {
			lab.systems[i].config.max_ports = 1;
			lab_configure(&lab, i);
		}
		lab_pair(&lab, 2);
		lab_run(&lab, 4000);
		assert_int_equal(lab.systems[0].distributing, 1);
		lab.systems[deaf].mute[0] = true;
		lab_run(&lab, 20000);
		assert_int_equal(lab.systems[0].distributing, 2);
		assert_int_equal(lab.systems[1].distributing, 2);
	}
}

/* T12: what the team asks for min-links. */
static void the_number_of_ports_follows_failures(void **state)
{
	lab_init(&lab);
	lab_pair(&lab, 3);
	lab_run(&lab, 4000);
	for (unsigned int n = 3; n > 0; n--) {
		assert_int_equal(__builtin_popcount(lacp_distributing(&lab.systems[0].lacp)), n);
		lab_carrier(&lab, 0, n - 1, false);
	}
	assert_int_equal(lab.systems[0].active, -1);
}

/* T20 */
static void fallback_until_somebody_speaks(void **state)
{
	static const uint32_t expected[] = {
		[LACP_FALLBACK_NONE] = 0,
		[LACP_FALLBACK_ACTIVE_BACKUP] = 1,
		[LACP_FALLBACK_STATIC] = 7,
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(expected); i++) {
		struct lab_system *s = &lab.systems[0];

		lab_init(&lab);
		s->config.fallback = (enum lacp_fallback)i;
		lab_configure(&lab, 0);
		for (unsigned int port = 0; port < 3; port++)
			lab_carrier(&lab, 0, port, true);
		lab_run(&lab, 2990);
		assert_int_equal(s->distributing, 0);
		lab_run(&lab, 20);
		assert_int_equal(s->distributing, expected[i]);
		assert_int_equal(lab_status(&lab, 0, 0).rx, LACP_RX_DEFAULTED);
		for (unsigned int port = 0; port < 3; port++)
			lab_peer(&lab, port, 0x20, ST_FAST, 900);
		lab_run(&lab, 3000);
		assert_int_equal(s->distributing, 7);
		assert_false(lab_status(&lab, 0, 0).partner_default);
		/* The first one alone is better than the others without LACP. */
		for (unsigned int port = 1; port < 3; port++)
			s->peers[port].next_ns = DEADLINE_NEVER;
		lab_run(&lab, 10000);
		assert_int_equal(s->distributing, 1);
		s->peers[0].next_ns = DEADLINE_NEVER;
		lab_run(&lab, 10000);
		assert_int_equal(__builtin_popcount(s->distributing),
				 __builtin_popcount(expected[i]));
	}
}

static void fallback_changes_live(void **state)
{
	struct lab_system *s = &lab.systems[0];

	lab_init(&lab);
	for (unsigned int port = 0; port < 3; port++)
		lab_carrier(&lab, 0, port, true);
	lab_run(&lab, 4000);
	assert_int_equal(s->distributing, 0);
	s->config.fallback = LACP_FALLBACK_STATIC;
	lab_configure(&lab, 0);
	assert_int_equal(s->distributing, 7);
	s->config.fallback = LACP_FALLBACK_ACTIVE_BACKUP;
	lab_configure(&lab, 0);
	assert_int_equal(__builtin_popcount(s->distributing), 1);
	lab_carrier(&lab, 0, (unsigned int)__builtin_ctz(s->distributing), false);
	assert_int_equal(__builtin_popcount(s->distributing), 1);
	s->config.strict = true;
	lab_configure(&lab, 0);
	lab_run(&lab, 10);
	assert_int_equal(s->distributing, 0);
}

static void strict_wants_negotiated_aggregations(void **state)
{
	lab_init(&lab);
	lab.systems[0].config.strict = true;
	lab.systems[0].config.fallback = LACP_FALLBACK_STATIC;
	lab_configure(&lab, 0);
	lab_peer(&lab, 0, 0x20, ST_FAST & ~LACP_STATE_AGGREGATION, 900);
	lab_carrier(&lab, 0, 1, true);
	lab_run(&lab, 10000);
	assert_int_equal(lab.systems[0].collecting, 0);
	lab_peer(&lab, 1, 0x20, ST_FAST, 900);
	lab_run(&lab, 3000);
	assert_int_equal(lab.systems[0].distributing, 2);
}

static void static_aggregation(void **state)
{
	struct lab_system *s = &lab.systems[0];

	lab_init(&lab);
	s->config.mode = LACP_STATIC;
	lab_configure(&lab, 0);
	for (unsigned int port = 0; port < 4; port++) {
		s->links[port].mbps = port == 3 ? 10 : 1000;
		lab_carrier(&lab, 0, port, true);
	}
	assert_int_equal(s->distributing, 7);
	assert_int_equal(lab_status(&lab, 0, 0).rx, LACP_RX_LACP_DISABLED);
	lab_carrier(&lab, 0, 1, false);
	assert_int_equal(s->distributing, 5);
	lab_carrier(&lab, 0, 1, true);
	assert_int_equal(s->distributing, 7);
	s->config.max_ports = 2;
	lab_configure(&lab, 0);
	assert_int_equal(s->distributing, 3);
	lab_peer(&lab, 0, 0x20, ST_FAST, 900); /* not heard, not answered */
	lab_run(&lab, 100000);
	assert_int_equal(s->distributing, 3);
	assert_int_equal(s->n_pdus[0], 0);
	assert_true(lab_status(&lab, 0, 0).counters.n_ignored > 100);
	s->config.mode = LACP_ACTIVE;
	lab_configure(&lab, 0);
	assert_int_equal(s->distributing, 0);
	lab_run(&lab, 4000);
	assert_int_equal(s->distributing, 1);
	s->config.mode = LACP_STATIC;
	lab_configure(&lab, 0);
	assert_int_equal(s->distributing, 3);
}

/* All ports in use, each with an aggregator of its own, then all with one. */
static void sixteen_ports(void **state)
{
	lab_init(&lab);
	for (unsigned int port = 0; port < LACP_PORTS_MAX; port++)
		lab_peer(&lab, port, (uint8_t)(0x20 + port), ST_FAST, 900);
	lab_run(&lab, 4000);
	assert_int_equal(__builtin_popcount(lab.systems[0].distributing), 1);
	for (unsigned int port = 0; port < LACP_PORTS_MAX; port++)
		lab.systems[0].peers[port].pdu.actor.system[5] = 0x40;
	lab_run(&lab, 4000);
	assert_int_equal(lab.systems[0].distributing, 0xffff);
}

/* T12 */
static void too_few_ports_carry_nothing(void **state)
{
	lab_init(&lab);
	lab.systems[0].config.min_ports = 2;
	lab_configure(&lab, 0);
	lab_pair(&lab, 3);
	lab_run(&lab, 3500);
	assert_int_equal(lab.systems[0].distributing, 0x7);
	lab_carrier(&lab, 0, 0, false);
	assert_int_equal(lab.systems[0].distributing, 0x6);
	lab_carrier(&lab, 0, 1, false);
	assert_int_equal(lab.systems[0].distributing, 0);
	assert_int_equal(lab.systems[0].collecting, 0);
	assert_int_equal(lab.systems[0].active, -1);
	lab_run(&lab, 100); /* the partner does not send there any more */
	assert_int_equal(lab.systems[1].distributing, 0);
	assert_true(lab_status(&lab, 0, 2).ready);
	assert_string_equal(lab_status(&lab, 0, 2).reason,
			    "fewer links in sync than lacp_min_links");
	lab.systems[0].config.min_ports = 1; /* live */
	lab_configure(&lab, 0);
	lab_run(&lab, 100);
	assert_int_equal(lab.systems[0].distributing, 0x4);
	assert_int_equal(lab.systems[1].distributing, 0x4);
	lab.systems[0].config.min_ports = 2;
	lab_configure(&lab, 0);
	assert_int_equal(lab.systems[0].distributing, 0);
	lab_carrier(&lab, 0, 0, true);
	lab_run(&lab, 3500);
	assert_int_equal(lab.systems[0].distributing, 0x5);
}

/* Of two partners the one with enough links is used, whatever ad_select says. */
static void min_ports_chooses_between_partners(void **state)
{
	two_partners(LACP_SELECT_BANDWIDTH);
	assert_int_equal(lab.systems[0].distributing, 0x03);
	lab.systems[0].config.min_ports = 3;
	lab_configure(&lab, 0);
	lab_run(&lab, 1000);
	assert_int_equal(lab.systems[0].distributing, 0x1c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_of_two_partners_is_active),
		cmocka_unit_test(ad_select_follows_changes),
		cmocka_unit_test(two_systems_that_prefer_different_aggregators),
		cmocka_unit_test(an_aggregator_whose_partner_never_collects_is_left),
		cmocka_unit_test(standby_takes_over),
		cmocka_unit_test(a_port_that_is_not_heard_does_not_hold_a_place),
		cmocka_unit_test(the_number_of_ports_follows_failures),
		cmocka_unit_test(fallback_until_somebody_speaks),
		cmocka_unit_test(fallback_changes_live),
		cmocka_unit_test(strict_wants_negotiated_aggregations),
		cmocka_unit_test(static_aggregation),
		cmocka_unit_test(sixteen_ports),
		cmocka_unit_test(too_few_ports_carry_nothing),
		cmocka_unit_test(min_ports_chooses_between_partners),
	};

	return cmocka_run_group_tests_name("lacp-select", tests, NULL, NULL);
}
