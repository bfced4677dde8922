/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-lacp-live.c - changes while traffic flows: members added and removed, configuration, restart
 * of the daemon. Each ms a frame of each flow, both ways. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "lacp-lab.h"

static struct lab lab;

static void traffic_starts(unsigned int n_ports)
{
	lab_init(&lab);
	lab_pair(&lab, n_ports);
	lab_run(&lab, 5000);
	lab.n_flows = 8;
	lab_run(&lab, 100);
	assert_true(lab.systems[1].n_received > 700);
}

static void expect_no_loss(void)
{
	for (int i = 0; i < 2; i++)
		assert_int_equal(lab.systems[i].n_lost, 0);
	assert_int_equal(lab.n_waited, 0);
}

/* T19. Frames of a flow that moves are only overtaken when links differ; here they are alike. */
static void members_come_and_go(void **state)
{
	for (int coupled = 0; coupled < 2; coupled++) {
		traffic_starts(1);
		lab_cable(&lab, 0, 1, 1, 1);
		lab_carrier(&lab, 0, 1, true);
		lab_run(&lab, 5000);
		assert_int_equal(lab.systems[0].distributing, 3);
		if (coupled)
			for (int i = 0; i < 2; i++) {
				lab.systems[i].config.coupled = true;
				lab_configure(&lab, i);
			}
		lab_run(&lab, 1000);
		assert_int_equal(lacp_port_drain(&lab.systems[0].lacp, 0, true, lab.now_ns), 0);
		assert_int_equal(lab.systems[0].distributing, 2);
		assert_int_equal(lab.systems[0].collecting, 3);
		assert_false(lacp_port_drained(&lab.systems[0].lacp, 0));
		lab_run(&lab, 10); /* marker and answer, Sync, the partner stops */
		assert_true(lacp_port_drained(&lab.systems[0].lacp, 0));
		assert_int_equal(lab.systems[1].distributing, 2);
		lacp_port_remove(&lab.systems[0].lacp, 0, lab.now_ns);
		lab_run(&lab, 1000);
		expect_no_loss();
		assert_int_equal(lab.systems[0].n_reordered + lab.systems[1].n_reordered, 0);
	}
}

/* The partner answers no markers and never says that it stopped. */
static void draining_ends_whatever_the_partner_does(void **state)
{
	struct lab_system *s = &lab.systems[0];

	lab_init(&lab);
	lab_peer(&lab, 0, 0x20, ST_FAST, 900);
	lab_peer(&lab, 1, 0x20, ST_FAST, 900);
	lab_run(&lab, 4000);
	lacp_port_drain(&s->lacp, 0, true, lab.now_ns);
	lab_run(&lab, 999);
	assert_int_equal(lab_status(&lab, 0, 0).drain, LACP_DRAIN_MARKER);
	assert_int_equal(lab_state(&lab, 0, 0), ST_FAST & ~LACP_STATE_DISTRIBUTING);
	lab_run(&lab, 2);
	assert_int_equal(lab_status(&lab, 0, 0).drain, LACP_DRAIN_UNSYNC);
	assert_int_equal(lab_state(&lab, 0, 0) & 0x38, LACP_STATE_COLLECTING);
	lab_run(&lab, 2000);
	assert_true(lacp_port_drained(&s->lacp, 0));
	assert_int_equal(s->collecting, 2);
	lab_run(&lab, 10000);
	assert_int_equal(s->collecting, 2);
	lacp_port_drain(&s->lacp, 0, false, lab.now_ns); /* thought better of it */
	lab_run(&lab, 3000);
	assert_int_equal(s->distributing, 3);
	lacp_port_drain(&s->lacp, 0, true, lab.now_ns); /* ... half way */
	lab_run(&lab, 500);
	lacp_port_drain(&s->lacp, 0, false, lab.now_ns);
	assert_int_equal(s->distributing, 3);
	lacp_port_drain(&s->lacp, 0, true, lab.now_ns); /* link lost meanwhile */
	lab_carrier(&lab, 0, 0, false);
	assert_true(lacp_port_drained(&s->lacp, 0));
}

/* A port that carries nothing is drained at once, and stays out. */
static void idle_ports_are_drained_at_once(void **state)
{
	lab_init(&lab);
	lab_pair(&lab, 2);
	lacp_port_drain(&lab.systems[0].lacp, 1, true, lab.now_ns);
	assert_true(lacp_port_drained(&lab.systems[0].lacp, 1));
	lab_run(&lab, 5000);
	assert_int_equal(lab.systems[0].collecting, 1);
	assert_int_equal(lab.systems[1].collecting, 1);
}

/* T18: rate, priorities, key and system of one side. Frames that find no port for an instant wait
 * in the guest's ring. */
static void configuration_changes(void **state)
{
	for (int change = 0; change < 5; change++) {
		struct lab_system *s = &lab.systems[0];

		traffic_starts(3);
		s->config.fast = change != 0;
		s->config.system_priority ^= change == 1;
		s->config.key += change == 2;
		s->config.system[5] += change == 3 ? 0x50 : 0;
		if (change < 4)
			lab_configure(&lab, 0);
		for (unsigned int port = 0; port < 3 && change == 4; port++) {
			s->links[port].priority = 9;
			lab_set(&lab, 0, port);
		}
		lab_run(&lab, 20000);
		for (unsigned int port = 0; port < 3; port++) {
			assert_int_equal(lab_status(&lab, 1, port).partner.state,
					 change == 0 ? ST_SLOW : ST_FAST);
			assert_int_equal(s->last[port].pdu.actor.system_priority,
					 s->config.system_priority);
			assert_int_equal(s->last[port].pdu.actor.port_priority,
					 change == 4 ? 9 : LACP_PORT_PRIO_DEFAULT);
			assert_int_equal(s->last[port].pdu.actor.key >> 6, s->config.key);
			assert_int_equal(s->last[port].pdu.actor.system[5], s->config.system[5]);
		}
		assert_int_equal(s->distributing, 7);
		assert_int_equal(lab.systems[1].distributing, 7);
		assert_int_equal(s->n_lost + lab.systems[1].n_lost, 0);
		assert_true(lab.gap_longest_ns <= 2 * MS);
	}
}

/* Changed back before the first port was reached, and changed again while it goes on. */
static void changes_of_mind(void **state)
{
	struct lab_system *s = &lab.systems[0];

	traffic_starts(2);
	s->config.key = 2;
	lab_configure(&lab, 0);
	s->config.key = 1;
	lab_configure(&lab, 0);
	assert_int_equal(s->distributing, 3);
	lab_run(&lab, 20000);
	assert_int_equal(s->distributing, 3);
	s->config.key = 2;
	lab_configure(&lab, 0);
	lab_run(&lab, 2500);
	s->config.key = 3;
	lab_configure(&lab, 0);
	lab_run(&lab, 20000);
	assert_int_equal(s->distributing, 3);
	assert_int_equal(s->last[0].pdu.actor.key >> 6, 3);
	assert_int_equal(s->last[1].pdu.actor.key >> 6, 3);
	assert_int_equal(s->n_lost + lab.systems[1].n_lost, 0);
}

/* A changed port that does not come back does not keep the others from their change. */
static void a_change_that_fails_is_not_waited_for(void **state)
{
	struct lab_system *s = &lab.systems[0];

	lab_init(&lab);
	for (unsigned int port = 0; port < 2; port++)
		lab_peer(&lab, port, 0x20, ST_FAST, 900);
	lab_run(&lab, 4000);
	s->peers[0].learns = false;
	s->config.key = 2;
	lab_configure(&lab, 0);
	lab_run(&lab, 9900);
	assert_int_equal(s->distributing, 2);
	assert_int_equal(s->last[0].pdu.actor.key >> 6, 2);
	assert_int_equal(s->last[1].pdu.actor.key >> 6, 1);
	lab_run(&lab, 8000);
	assert_int_equal(s->last[1].pdu.actor.key >> 6, 2);
	assert_int_equal(s->distributing, 2);
}

/* T21: the daemon is killed and starts again a second later; the links stay up, the partner has
 * hardly noticed. */
static void restart(void **state)
{
	for (int restarted = 0; restarted < 2; restarted++) {
		struct lab_system *s = &lab.systems[0];

		traffic_starts(2);
		s->frozen = true;
		lab_run(&lab, 1000);
		s->frozen = false;
		s->config.restarted = restarted;
		lab_start(&lab, 0);
		lab_set(&lab, 0, 0);
		lab_set(&lab, 0, 1);
		lab.gap_ns = lab.gap_longest_ns = 0;
		lab_run(&lab, 5000);
		assert_int_equal(s->distributing, 3);
		assert_int_equal(lab.systems[1].distributing, 3);
		assert_true(lab.gap_longest_ns >= (restarted ? 0 : 2000 * MS));
		assert_true(lab.gap_longest_ns <= (restarted ? 1000 * MS : 2200 * MS));
	}
}

/* Moving a flow by markers: the slow link has delivered all before the fast one goes on. */
static void markers_keep_the_order(void **state)
{
	struct lab_system *s = &lab.systems[0];

	for (int marked = 0; marked < 2; marked++) {
		traffic_starts(2);
		lab.systems[0].latency_ns[0] = lab.systems[1].latency_ns[0] = 5 * MS;
		lab_run(&lab, 20);
		s->n_reordered = lab.systems[1].n_reordered = 0;
		if (marked) {
			assert_int_equal(lacp_marker_send(&s->lacp, 0, lab.now_ns), 0);
			lab.n_flows = 0; /* held back */
			while (lacp_marker_result(&s->lacp, 0) == LACP_MARKER_PENDING)
				lab_run(&lab, 1);
			lab.n_flows = 8;
			lab.data_ns = lab.now_ns;
		}
		lacp_port_drain(&s->lacp, 0, true, lab.now_ns);
		lab_run(&lab, 1000);
		assert_int_equal(lab.systems[1].n_reordered == 0, marked);
		assert_int_equal(lab.systems[1].n_lost, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_come_and_go),
		cmocka_unit_test(draining_ends_whatever_the_partner_does),
		cmocka_unit_test(idle_ports_are_drained_at_once),
		cmocka_unit_test(configuration_changes),
		cmocka_unit_test(changes_of_mind),
		cmocka_unit_test(a_change_that_fails_is_not_waited_for),
		cmocka_unit_test(restart),
		cmocka_unit_test(markers_keep_the_order),
	};

	return cmocka_run_group_tests_name("lacp-live", tests, NULL, NULL);
}
