/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-lacp-tx.c - what a port sends, and when: periods, the limit of three a second, markers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "lacp-lab.h"

static struct lab lab;

static const uint8_t src[6] = {2, 0, 0, 0, 9, 9};

/* T1 */
static void first_pdu_goes_with_the_link(void **state)
{
	const struct lacp_pdu *pdu = &lab.systems[0].last[0].pdu;

	lab_init(&lab);
	lab.systems[0].links[0].priority = 77;
	lab_set(&lab, 0, 0);
	assert_int_equal(lab.systems[0].n_pdus[0], 0);
	lab_carrier(&lab, 0, 0, true);
	assert_int_equal(lab.systems[0].n_pdus[0], 1);
	assert_int_equal(pdu->version, 1);
	assert_int_equal(pdu->actor.port, 1); /* never 0 */
	assert_int_equal(pdu->actor.port_priority, 77);
	assert_int_equal(pdu->actor.system_priority, LACP_PRIORITY_DEFAULT);
	assert_int_equal(pdu->actor.key, 1 << 6 | 3 << 1 | 1);
	assert_int_equal(pdu->actor.state, LACP_STATE_ACTIVITY | LACP_STATE_TIMEOUT |
						   LACP_STATE_AGGREGATION | LACP_STATE_DEFAULTED |
						   LACP_STATE_EXPIRED);
	assert_int_equal(pdu->partner.port, 0);
	assert_true(pdu->max_delay > 0);
}

/* T2: the partner's Timeout bit says how often. */
static void periods(void **state)
{
	for (int slow = 0; slow < 2; slow++) {
		struct lab_system *s = &lab.systems[0];
		uint64_t before;

		lab_init(&lab);
		lab_peer(&lab, 0, 0x20, slow ? ST_SLOW : ST_FAST, 900);
		lab_run(&lab, 5000);
		s->gap_ns[0] = 0;
		before = s->n_pdus[0];
		lab_run(&lab, 600000);
		assert_in_range(s->n_pdus[0] - before, slow ? 20 : 600, slow ? 21 : 630);
		assert_in_range(s->gap_ns[0], slow ? 29000 * MS : 950 * MS,
				slow ? 30000 * MS : 1000 * MS);
	}
}

static void a_partner_that_becomes_fast_hears_at_once(void **state)
{
	struct lab_peer *peer;
	uint64_t before;

	lab_init(&lab);
	peer = lab_peer(&lab, 0, 0x20, ST_SLOW, 900);
	lab_run(&lab, 10000);
	before = lab.systems[0].n_pdus[0];
	peer->pdu.actor.state = ST_FAST;
	lab_peer_send(&lab, 0);
	assert_int_equal(lab.systems[0].n_pdus[0], before + 1);
	lab_run(&lab, 990);
	assert_int_equal(lab.systems[0].n_pdus[0], before + 2);
}

/* T3: each of these frames asks for an answer; lacp-lab.c asserts the limit. */
static void storm_of_outdated_pdus(void **state)
{
	struct lab_peer *peer;
	uint64_t before;

	lab_init(&lab);
	peer = lab_peer(&lab, 0, 0x20, ST_FAST, 1);
	peer->learns = false;
	lab_run(&lab, 1000);
	before = lab.systems[0].n_pdus[0];
	lab_run(&lab, 10000);
	assert_in_range(lab.systems[0].n_pdus[0] - before, 29, 31);
}

static void identity_that_changes_all_the_time(void **state)
{
	lab_init(&lab);
	lab_pair(&lab, 2);
	for (unsigned int i = 0; i < 5000; i++) {
		lab.systems[0].config.system_priority = (uint16_t)i;
		lab.systems[0].config.fast = i & 1;
		lab_configure(&lab, 0);
		lab_run(&lab, 1);
	}
}

static void what_could_not_be_sent_is_sent_later(void **state)
{
	lab_init(&lab);
	lab.systems[0].refuse = -ENOBUFS;
	lab_cable(&lab, 0, 0, 1, 0);
	lab_carrier(&lab, 0, 0, true);
	lab_run(&lab, 50);
	assert_int_equal(lab_status(&lab, 0, 0).counters.n_tx_errors, 1);
	lab.systems[0].refuse = 0;
	lab_run(&lab, 60);
	assert_int_equal(lab.systems[0].n_pdus[0], 1);
	assert_int_equal(lab_status(&lab, 0, 0).counters.n_pdu_tx, 1);
}

static void farewell(void **state)
{
	lab_init(&lab);
	lab_pair(&lab, 2);
	lab_run(&lab, 10000);
	lacp_port_remove(&lab.systems[0].lacp, 0, lab.now_ns);
	assert_int_equal(lab.systems[0].last[0].pdu.actor.state & 0x3c, 0);
	assert_int_equal(lab.systems[0].distributing, 2);
	lab_run(&lab, 1);
	assert_int_equal(lab.systems[1].distributing, 2); /* and not after 3 s */
}

/* --- markers --- */

static void request(uint32_t transaction, int expected)
{
	const struct lacp_marker marker = {0x1234, {2, 9, 8, 7, 6, 5}, transaction};
	const struct lacp_frame *last = &lab.systems[0].last[0];
	uint8_t frame[LACP_FRAME_LEN];

	lab.systems[0].last[0].kind = LACP_FRAME_OTHER;
	lacp_marker_build(frame, src, LACP_FRAME_MARKER, &marker);
	assert_int_equal(lab_inject(&lab, 0, 0, frame, sizeof(frame)), 0);
	assert_int_equal(last->kind, expected);
	if (expected != LACP_FRAME_RESPONSE)
		return;
	/* The request from our address as a response, and no other byte changed. */
	memcpy(frame + 6, lab.systems[0].links[0].mac, 6);
	frame[16] = 2;
	assert_memory_equal(lab.systems[0].last_bytes[0], frame, sizeof(frame));
}

/* T15: at once, whatever state LACP is in; ten a second for ever, not more. */
static void markers_are_answered(void **state)
{
	lab_init(&lab);
	lab_peer(&lab, 0, 0x20, ST_FAST, 900);
	for (uint32_t i = 0; i < 100; i++) {
		request(i, LACP_FRAME_RESPONSE);
		lab_run(&lab, 100);
	}
	lab_run(&lab, 1000);
	for (uint32_t i = 0; i < 20; i++)
		request(i, i < 10 ? LACP_FRAME_RESPONSE : LACP_FRAME_OTHER);
	lab_run(&lab, 1000);
	request(1, LACP_FRAME_RESPONSE);
	assert_int_equal(lab_status(&lab, 0, 0).counters.n_marker_rx, 121);
	assert_int_equal(lab_status(&lab, 0, 0).counters.n_response_tx, 111);
	assert_int_equal(lab_status(&lab, 0, 0).counters.n_response_missed, 10);
	lab_carrier(&lab, 0, 0, false);
	lab_run(&lab, 1000);
	request(1, LACP_FRAME_OTHER);
}

static enum lacp_marker_result result(void)
{
	return lacp_marker_result(&lab.systems[0].lacp, 0);
}

static int send_marker(void)
{
	return lacp_marker_send(&lab.systems[0].lacp, 0, lab.now_ns);
}

static void own_markers(void **state)
{
	lab_init(&lab);
	lab_pair(&lab, 1);
	assert_int_equal(send_marker(), -ENOTCONN);
	assert_int_equal(result(), LACP_MARKER_NONE);
	lab_run(&lab, 5000);
	assert_int_equal(send_marker(), 0);
	assert_int_equal(send_marker(), -EBUSY);
	assert_int_equal(result(), LACP_MARKER_PENDING);
	lab_run(&lab, 1);
	assert_int_equal(result(), LACP_MARKER_ANSWERED);
	lab.systems[1].mute[0] = true;
	assert_int_equal(send_marker(), 0);
	lab_run(&lab, 999);
	assert_int_equal(result(), LACP_MARKER_PENDING);
	lab_run(&lab, 2);
	assert_int_equal(result(), LACP_MARKER_LOST);
	lab.systems[1].mute[0] = false;
	lab.systems[0].refuse = -ENETDOWN;
	assert_int_equal(send_marker(), -EAGAIN);
	lab.systems[0].refuse = 0;
	lab_run(&lab, 1000);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(send_marker(), 0);
		lab_run(&lab, 1);
	}
	assert_int_equal(send_marker(), -EAGAIN);
}

/* Answers to somebody else's marker, or to an old one. */
static void foreign_responses(void **state)
{
	const struct lab_system *s = &lab.systems[0];

	lab_init(&lab);
	lab_pair(&lab, 1);
	lab_run(&lab, 5000);
	lab.systems[1].mute[0] = true;
	assert_int_equal(send_marker(), 0);
	for (int field = 0; field < 4; field++) {
		struct lacp_marker marker = s->last[0].marker;
		uint8_t frame[LACP_FRAME_LEN];

		marker.port ^= field == 0;
		marker.system[5] ^= field == 1;
		marker.transaction ^= field == 2;
		lacp_marker_build(frame, src, LACP_FRAME_RESPONSE, &marker);
		assert_int_equal(lab_inject(&lab, 0, 0, frame, sizeof(frame)), 0);
		assert_int_equal(result(), field == 3 ? LACP_MARKER_ANSWERED : LACP_MARKER_PENDING);
	}
}

/* T16: what is counted as what. */
static void bad_and_unknown_frames_are_counted(void **state)
{
	struct lab_peer *peer;
	uint8_t frame[300] = {0};

	lab_init(&lab);
	peer = lab_peer(&lab, 0, 0x20, ST_FAST, 900);
	lab_run(&lab, 3000);
	lacp_pdu_build(frame, src, &peer->pdu);
	/* Version 2 has more TLVs behind what is known, and may be longer. */
	peer->next_ns = DEADLINE_NEVER;
	frame[15] = 2;
	for (int i = 0; i < 5; i++) {
		lab_run(&lab, 2000);
		assert_int_equal(lab_inject(&lab, 0, 0, frame, sizeof(frame)), 0);
		assert_int_equal(lab.systems[0].distributing, 1);
	}
	peer->next_ns = lab.now_ns;
	frame[15] = 1;
	assert_int_equal(lab_inject(&lab, 0, 0, frame, 100), -EPROTO);
	frame[17] = 19;
	assert_int_equal(lab_inject(&lab, 0, 0, frame, LACP_FRAME_LEN), -EPROTO);
	frame[14] = 3;
	assert_int_equal(lab_inject(&lab, 0, 0, frame, LACP_FRAME_LEN), -EOPNOTSUPP);
	frame[12] = 0x08;
	assert_int_equal(lab_inject(&lab, 0, 0, frame, LACP_FRAME_LEN), -ENOMSG);
	assert_int_equal(lab_status(&lab, 0, 0).counters.n_bad, 2);
	assert_int_equal(lab_status(&lab, 0, 0).counters.n_unknown, 1);
	assert_int_equal(lab.systems[0].distributing, 1);
	/* Without carrier nothing counts: what the socket still held. */
	lab_carrier(&lab, 0, 0, false);
	lab_peer_send(&lab, 0);
	assert_int_equal(lab_status(&lab, 0, 0).counters.n_ignored, 1);
	assert_int_equal(lab_status(&lab, 0, 0).rx, LACP_RX_PORT_DISABLED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_pdu_goes_with_the_link),
		cmocka_unit_test(periods),
		cmocka_unit_test(a_partner_that_becomes_fast_hears_at_once),
		cmocka_unit_test(storm_of_outdated_pdus),
		cmocka_unit_test(identity_that_changes_all_the_time),
		cmocka_unit_test(what_could_not_be_sent_is_sent_later),
		cmocka_unit_test(farewell),
		cmocka_unit_test(markers_are_answered),
		cmocka_unit_test(own_markers),
		cmocka_unit_test(foreign_responses),
		cmocka_unit_test(bad_and_unknown_frames_are_counted),
	};

	return cmocka_run_group_tests_name("lacp-tx", tests, NULL, NULL);
}
