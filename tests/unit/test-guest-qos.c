/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-guest-qos.c - who sends when a NIC is full or the team is paced: shares and limits by bytes,
 * and that no frame is lost, doubled or out of order when it was put back into its ring. */
#include "datapath.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "netback-team/policy.h"
#include "util.h"

#define WIRE (1514u + COST_WIRE_EXTRA)

static uint8_t frame[70000], got[70000];
static uint8_t next_flow; /* of the guest's frames, by their source port */

static void set_qos(struct dp *dp, unsigned int guest, const struct qos_vif *qos)
{
	const char *why;

	assert_int_equal(qos_vif_set(dp->worker, dp->guests[guest].vif, qos, &why), 0);
}

static void set_shares(struct dp *dp, unsigned int guest, uint32_t shares)
{
	const struct qos_vif qos = {.tx.shares = shares};

	set_qos(dp, guest, &qos);
}

static void set_team(struct dp *dp, const char *mode, uint64_t pace_bps)
{
	struct team_options options = dp->worker->team.options;

	for (options.mode = 0; strcmp(policy_names[options.mode], mode) != 0; options.mode++)
		;
	options.hash = FLOW_L34;
	options.pace_bps = pace_bps;
	team_set_options(&dp->worker->team, &options, clock_now(&dp->clock));
	qos_set_options(dp->worker, &options);
}

/* Keeps the guest's ring filled with `most` frames of 1514 bytes. */
static void refill(struct dp *dp, unsigned int guest, unsigned int most)
{
	struct dp_guest *g = &dp->guests[guest];
	const uint32_t len = dp_tcp(frame, dp_wire_mac, g->mac, 1460, 2);

	while (dp_tx_status(g) != -100)
		;
	while (g->tx.size - ring_front_free(&g->tx) < most)
		dp_send(dp, guest, frame, len, NULL, 0, 0, 0);
}

/* Takes what the NICs sent: how many frames of each guest. */
static void took(struct dp *dp, unsigned int counts[DP_GUESTS])
{
	for (unsigned int n = 0; n < DP_NICS; n++) {
		struct dp_nic *nic = dp->nics[n];

		for (unsigned int i = 0; i < nic->n_sent; i++) {
			const uint8_t guest = nic->sent[i]->data[11];

			assert_in_range(guest, 1, DP_GUESTS);
			counts[guest - 1]++;
			free(nic->sent[i]);
		}
		nic->n_sent = 0;
	}
}

/* A NIC that takes some frames now and then is shared as the shares say. */
static void full_nic_is_shared(void **state)
{
	struct dp *dp = *state;
	unsigned int n[DP_GUESTS] = {0};

	set_shares(dp, 0, 2000);
	set_shares(dp, 1, 1000);
	dp->nics[0]->send_error = ENOBUFS;
	for (unsigned int step = 0; step < 3000; step++) {
		refill(dp, 0, 20);
		refill(dp, 1, 20);
		dp->nics[0]->accept = step % 5;
		dp_advance(dp, 37 * NSEC_PER_USEC * (1 + step % 3));
		took(dp, n);
	}
	assert_true(n[1] > 500);
	assert_in_range(n[0], 2 * n[1] - 40, 2 * n[1] + 40); /* one batch at the end */
	assert_true(dp->worker->stats.nic_full_waits > 100);
	assert_int_equal(dp->worker->stats.reselected, 0);
	assert_int_equal(dp->guests[0].vif->stats.tx_packets, n[0]);
	assert_true(dp->guests[0].vif->tx_counts.frames[DECIDE_REASON_MEMBER] > 0);
	assert_int_equal(dp->guests[0].vif->tx_counts.frames[DECIDE_REASON_SHARE], n[0]);
}

/* Of the first 20 frames on NIC 0: how many are those of guest 0, which sends small ones beside
 * full ones of guest 1. */
static unsigned int small_of_20(struct dp *dp)
{
	struct dp_guest *g = &dp->guests[0];
	unsigned int n = 0;

	for (unsigned int i = 0; i < 25; i++)
		dp_send(dp, 0, frame, dp_tcp(frame, dp_wire_mac, g->mac, 6, 2), NULL, 0, 0, 0);
	refill(dp, 1, 25);
	dp_run(dp);
	assert_int_equal(dp->nics[0]->n_sent, 50);
	for (unsigned int i = 0; i < 20; i++)
		n += dp->nics[0]->sent[i]->data[11] == 1;
	return n;
}

/* When no NIC is short the worker's time is shared, of which small frames take as much. */
static void small_frames_take_their_part_of_the_time(void **state)
{
	struct dp *dp = *state;

	assert_in_range(small_of_20(dp), 9, 11);
}

/* And when NICs are, their bytes. */
static void small_frames_take_little_of_a_short_nic(void **state)
{
	struct dp *dp = *state;

	dp->worker->qos.short_ns = clock_now(&dp->clock);
	assert_in_range(small_of_20(dp), 18, 20);
}

/* A worker that came late from waiting for the pace was short of it until now. */
static void late_wakes_share_bytes(void **state)
{
	struct dp *dp = *state;

	dp->worker->qos.short_ns = clock_now(&dp->clock);
	dp->worker->qos.paced = true;
	clock_advance(&dp->clock, NSEC_PER_SEC);
	assert_in_range(small_of_20(dp), 18, 20);
}

/* A pace is kept to the byte, and shared. */
static void pace_is_shared(void **state)
{
	struct dp *dp = *state;
	unsigned int n[DP_GUESTS] = {0};

	set_team(dp, "active-backup", 100000000);
	set_shares(dp, 0, 2000);
	set_shares(dp, 1, 1000);
	for (unsigned int ms = 0; ms < 1000; ms++) {
		for (unsigned int i = 0; i < DP_GUESTS - 1; i++)
			refill(dp, i, 30);
		dp_advance(dp, NSEC_PER_MSEC);
		took(dp, n);
	}
	assert_in_range((n[0] + n[1]) * WIRE, 12500000 - 2 * WIRE,
			12500000 + 50000 + 2 * WIRE); /* and the burst */
	assert_in_range(n[0], 2 * n[1] - 3, 2 * n[1] + 3);
	/* Changed while frames wait. */
	set_shares(dp, 1, 4000);
	memset(n, 0, sizeof(n));
	for (unsigned int ms = 0; ms < 300; ms++) {
		for (unsigned int i = 0; i < DP_GUESTS - 1; i++)
			refill(dp, i, 30);
		dp_advance(dp, NSEC_PER_MSEC);
		took(dp, n);
	}
	assert_in_range(n[1], 2 * n[0] - 6, 2 * n[0] + 6);
	/* Without a pace nobody waits. */
	set_team(dp, "active-backup", 0);
	dp_run(dp);
	assert_int_equal(dp->guests[0].vif->queues[0].avail, 0);
}

/* Fills the ring with frames of 1514 bytes of which every `nth` goes to guest 2 and the others
 * outside. */
static void refill_local(struct dp *dp, unsigned int guest, unsigned int nth)
{
	struct dp_guest *g = &dp->guests[guest];

	while (dp_tx_status(g) != -100)
		;
	while (g->tx.size - ring_front_free(&g->tx) < 30) {
		const bool local = next_flow++ % nth == 0;
		const uint32_t len =
			dp_tcp(frame, local ? dp->guests[2].mac : dp_wire_mac, g->mac, 1460, 2);

		dp_send(dp, guest, frame, len, NULL, 0, 0, 0);
	}
}

/* Frames from guest 0 to guest 2 take nothing of what guests 0 and 1 have of the NIC. */
static void frames_to_guests_use_no_nic(void **state)
{
	for (unsigned int nth = 1; nth <= 3; nth++) {
		const struct qos_vif qos = {
			.tx = {.shares = 1000,
			       .min_bps = nth == 3 ? 20000000 : 0,
			       .limit = {.avg_bps = 200000000, .burst_bytes = 20 * WIRE}}};
		struct dp *dp = *state;
		const struct vif_stats *stats = &dp->guests[0].vif->stats;
		const uint64_t before = stats->tx_local_packets;
		unsigned int n[DP_GUESTS] = {0};

		set_team(dp, "active-backup", 100000000);
		set_qos(dp, 0, &qos);
		set_shares(dp, 1, 1000);
		for (unsigned int us = 0; us < 1000000; us += 250) {
			uint16_t flags, gso;

			refill_local(dp, 0, nth);
			refill(dp, 1, 30);
			while (dp_receive(&dp->guests[2], got, &flags, &gso) > 0)
				;
			dp_post_rx(dp, 2, ring_front_free(&dp->guests[2].rx));
			dp_advance(dp, 250 * NSEC_PER_USEC);
			took(dp, n);
		}
		/* The pace is used up, and divided as if there were no other frames. */
		assert_in_range((n[0] + n[1]) * WIRE, 12500000 - 4 * WIRE, 12560000);
		if (nth == 1)
			assert_int_equal(n[0], 0);
		else
			assert_in_range(n[0], n[1] * 97 / 100, n[1] * 103 / 100);
		/* Its own limit counts both: 200 Mbit. */
		assert_true((n[0] + stats->tx_local_packets - before) * WIRE <=
			    25000000 + 22 * WIRE);
		if (nth == 1)
			assert_true((stats->tx_local_packets - before) * WIRE >= 24000000);
		else
			assert_in_range(stats->tx_local_packets - before, n[0] / (nth - 1) - 64,
					n[0] / (nth - 1) + 64); /* a batch */
	}
}

/* 10 Mbit hold to the byte over a second, whatever the others do. */
static void limit_holds_by_bytes(void **state)
{
	const struct qos_vif qos = {
		.tx = {.shares = 1000, .limit = {.avg_bps = 10000000, .burst_bytes = 10 * WIRE}}};
	struct dp *dp = *state;
	unsigned int n[DP_GUESTS] = {0};

	set_qos(dp, 0, &qos);
	for (unsigned int ms = 0; ms <= 1000; ms++) {
		refill(dp, 0, 30);
		refill(dp, 1, 3);
		dp_advance(dp, ms ? NSEC_PER_MSEC : 0);
		took(dp, n);
	}
	assert_in_range(n[0] * WIRE, 1250000 + 8 * WIRE, 1250000 + 10 * WIRE);
	assert_true(n[1] >= 3000);
}

/* Level of a bucket of no size that leaks at a rate: what came beyond it. */
struct leak {
	double level, top;
};

static void leak_add(struct leak *leak, uint64_t passed_ns, uint64_t rate_bps)
{
	leak->level -= (double)passed_ns * (double)rate_bps / 8e9;
	leak->level = MAX(leak->level, 0.0) + WIRE;
	leak->top = MAX(leak->top, leak->level);
}

/* The daemon stands still anywhere, also between its choice and the frame's way out. What leaves
 * never exceeds burst + average * t, nor an MTU + peak * t. The most by which it exceeded average *
 * t. */
static double limit_row(struct dp *dp, const struct limit_config *limit, unsigned int stall_ns)
{
	const struct qos_vif qos = {.tx = {.shares = 1000, .limit = *limit}};
	struct leak average = {0}, peak = {0};
	uint64_t last_ns = clock_now(&dp->clock);
	unsigned int seed = 3, n = 0;

	set_qos(dp, 0, &qos);
	for (unsigned int step = 0; step < 5000; step++) {
		struct dp_nic *nic = dp->nics[0];

		refill(dp, 0, 30);
		nic->send_ns = (unsigned int)rand_r(&seed) % stall_ns;
		clock_advance(&dp->clock, (unsigned int)rand_r(&seed) % stall_ns);
		dp_pass(dp);
		for (unsigned int i = 0; i < nic->n_sent; i++, n++) {
			const uint64_t passed_ns = nic->sent[i]->sent_ns - last_ns;

			leak_add(&average, passed_ns, limit->avg_bps);
			leak_add(&peak, passed_ns, limit->peak_bps);
			last_ns += passed_ns;
			free(nic->sent[i]);
		}
		nic->n_sent = 0;
	}
	assert_true(n > 1000);
	assert_true(average.top <= (double)limit->burst_bytes + 0.01);
	if (limit->peak_bps)
		assert_true(peak.top <= WIRE + 0.01);
	dp->nics[0]->send_ns = 0;
	return average.top;
}

static void limits_hold_on_the_wire(void **state)
{
	const struct limit_config average = {.avg_bps = 100000000, .burst_bytes = 10 * WIRE};
	const struct limit_config both = {
		.avg_bps = 100000000, .burst_bytes = 2 * WIRE, .peak_bps = 200000000};

	/* With pauses for which the bucket is full at times. */
	assert_true(limit_row(*state, &average, 3000000) >= 0.9 * 10 * WIRE);
	limit_row(*state, &average, 200000);
	limit_row(*state, &both, 200000);
}

static void minima_are_admitted(void **state)
{
	struct dp *dp = *state;
	struct qos_vif qos = {.tx = {.shares = 1, .min_bps = 60000000}};
	unsigned int n[DP_GUESTS] = {0};
	const char *why = NULL;

	set_team(dp, "active-backup", 100000000);
	set_qos(dp, 0, &qos);
	qos.tx.min_bps = 20000000;
	assert_int_equal(qos_vif_set(dp->worker, dp->guests[1].vif, &qos, &why), -ENOSPC);
	assert_non_null(strstr(why, "min"));
	assert_int_equal(dp->guests[1].vif->config.qos.tx.min_bps, 0);
	set_shares(dp, 1, 1000);
	for (unsigned int ms = 0; ms < 500; ms++) {
		refill(dp, 0, 30);
		refill(dp, 1, 30);
		dp_advance(dp, NSEC_PER_MSEC);
		took(dp, n);
	}
	assert_in_range(n[0] * 100 / (n[0] + n[1]), 59, 61); /* 60 of 100 Mbit, with one share */
	assert_true(dp->guests[0].vif->tx_counts.frames[DECIDE_REASON_MINIMUM] > 0);
}

static void on_minima_room(void *ctx)
{
	(*(unsigned int *)ctx)++;
}

static int set_minimum(struct dp *dp, unsigned int guest, uint64_t mbit)
{
	const struct qos_vif qos = {
		.tx = {.shares = 7 + (uint32_t)mbit, .min_bps = mbit * 1000000}};
	const char *why;

	return qos_vif_set(dp->worker, dp->guests[guest].vif, &qos, &why);
}

static uint64_t minimum(const struct dp *dp, unsigned int guest)
{
	return dp->guests[guest].vif->config.qos.tx.min_bps / 1000000;
}

/* Whoever was refused hears of it when there is more room, for whatever reason, and not before. */
static void refused_minima_are_tried_again(void **state)
{
	struct dp *dp = *state;
	struct worker *w = dp->worker;
	struct team_options options;
	unsigned int told = 0;

	w->observer.minima_room = on_minima_room;
	w->observer.ctx = &told;
	set_team(dp, "active-backup", 100000000);
	assert_int_equal(set_minimum(dp, 0, 50), 0);
	assert_int_equal(set_minimum(dp, 1, 10), 0);
	assert_int_equal(set_minimum(dp, 1, 40), -ENOSPC);
	assert_int_equal(minimum(dp, 1), 10); /* as it was; the rest is new */
	assert_int_equal(dp->guests[1].vif->config.qos.tx.shares, 47);
	assert_int_equal(fair_flow_config(w->qos.fair, (uint32_t)dp->guests[1].vif->port)->shares,
			 47);
	assert_int_equal(set_minimum(dp, 0, 60), 0); /* less room */
	assert_int_equal(set_minimum(dp, 0, 50), 0); /* as much as then */
	assert_int_equal(told, 0);
	assert_int_equal(set_minimum(dp, 0, 40), 0); /* another minimum is lowered */
	assert_int_equal(told, 1);
	assert_int_equal(set_minimum(dp, 1, 40), -ENOSPC); /* still too little */
	assert_int_equal(told, 1);
	dp_disconnect(dp, 0); /* a guest goes */
	assert_int_equal(told, 2);
	assert_int_equal(set_minimum(dp, 1, 40), 0);
	assert_int_equal(minimum(dp, 1), 40);
	set_team(dp, "active-backup", 0); /* nobody waits: nobody hears */
	dp_run(dp);
	assert_int_equal(told, 2);
	set_team(dp, "active-backup", 100000000);
	dp_run(dp);
	assert_int_equal(set_minimum(dp, 1, 80), -ENOSPC);
	set_team(dp, "active-backup", 200000000); /* more capacity */
	dp_run(dp);
	assert_int_equal(told, 3);
	set_team(dp, "active-backup", 100000000);
	dp_run(dp);
	assert_int_equal(set_minimum(dp, 1, 80), -ENOSPC);
	options = w->team.options; /* a larger part of it for minima */
	options.admission_percent = 90;
	options.max_lag_bytes = fair_options_default.max_lag_bytes;
	qos_set_options(w, &options);
	assert_int_equal(told, 4);
	assert_int_equal(set_minimum(dp, 1, 80), 0);
}

/* Each flow's frames are numbered. */
static void send_flow(struct dp *dp, unsigned int guest, unsigned int frames, uint8_t flows)
{
	while (frames-- > 0) {
		const uint32_t len = dp_tcp(frame, dp_wire_mac, dp->guests[guest].mac, 100, 2);

		frame[35] = (uint8_t)(next_flow % flows);
		frame[len - 1] = next_flow++;
		dp_send(dp, guest, frame, len, NULL, NETTXF_data_validated, 0, 0);
	}
}

/* A NIC of two is full: every frame goes once, the frames of a flow stay in order. */
static void nothing_is_doubled(void **state)
{
	struct dp *dp = *state;
	bool seen[256] = {false};
	int last[8];
	unsigned int n = 0;

	set_team(dp, "hash", 0);
	next_flow = 0;
	memset(last, -1, sizeof(last));
	dp->nics[0]->send_error = EAGAIN;
	for (unsigned int round = 0; round < 8; round++) {
		while (dp_tx_status(&dp->guests[0]) != -100)
			;
		send_flow(dp, 0, 32, 8);
		for (unsigned int step = 0; step < 40; step++) {
			dp->nics[0]->accept = step % 3;
			dp_advance(dp, 100 * NSEC_PER_USEC);
		}
		assert_int_equal(ring_front_responses(&dp->guests[0].tx), 32);
	}
	for (unsigned int i = 0; i < DP_NICS; i++) {
		assert_true(dp->nics[i]->n_sent > 0);
		for (unsigned int f = 0; f < dp->nics[i]->n_sent; f++, n++) {
			const struct dp_frame *sent = dp->nics[i]->sent[f];
			const uint8_t number = sent->data[sent->len - 1];

			assert_false(seen[number]);
			seen[number] = true;
			assert_true(number > last[sent->data[35]]);
			last[sent->data[35]] = number;
		}
	}
	assert_int_equal(n, 256);
	assert_int_equal(dp->guests[0].vif->stats.tx_packets, 256);
	assert_int_equal(dp->guests[0].vif->stats.tx_no_member, 0);
}

/* A broadcast that the NIC did not take at once: guests of the team get it once. */
static void flood_is_not_doubled(void **state)
{
	static const uint8_t all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	struct dp *dp = *state;
	const uint32_t len = dp_tcp(frame, all, dp->guests[0].mac, 100, 2);

	dp_post_rx(dp, 1, 4);
	dp->nics[0]->send_error = EAGAIN;
	dp_send(dp, 0, frame, len, NULL, 0, 0, 0);
	dp_run(dp);
	assert_int_equal(dp_tx_status(&dp->guests[0]), -100);
	dp->nics[0]->send_error = 0;
	dp_advance(dp, 50 * NSEC_PER_USEC);
	assert_int_equal(dp->nics[0]->n_sent, 1);
	assert_int_equal(dp_tx_status(&dp->guests[0]), NETIF_RSP_OKAY);
	assert_int_equal(dp_receive(&dp->guests[1], got, NULL, NULL), len);
	assert_int_equal(dp_receive(&dp->guests[1], got, NULL, NULL), 0);
}

/* A NIC that takes nothing for 5 ms: another member gets the frames, and nothing is lost. When none
 * takes any for a second, they are dropped as on a cut cable. */
static void stuck_nic(void **state)
{
	struct dp *dp = *state;
	struct dp_guest *g = &dp->guests[0];

	dp->nics[0]->send_error = ENOBUFS;
	send_flow(dp, 0, 10, 1);
	for (unsigned int ms = 0; ms < 4; ms++)
		dp_advance(dp, NSEC_PER_MSEC);
	assert_int_equal(dp->nics[1]->n_sent, 0);
	for (unsigned int ms = 0; ms < 3; ms++)
		dp_advance(dp, NSEC_PER_MSEC);
	assert_int_equal(dp->nics[1]->n_sent, 10);
	assert_int_equal(g->vif->stats.tx_packets, 10);
	dp->nics[1]->send_error = ENOBUFS;
	send_flow(dp, 0, 10, 1);
	for (unsigned int ms = 0; ms < 900; ms += 9)
		dp_advance(dp, 9 * NSEC_PER_MSEC);
	assert_int_equal(g->vif->stats.tx_packets, 10);
	for (unsigned int ms = 0; ms < 300; ms += 9)
		dp_advance(dp, 9 * NSEC_PER_MSEC);
	assert_int_equal(g->vif->stats.tx_no_member, 10);
	assert_int_equal(g->vif->tx_counts.frames[DECIDE_REASON_DOWN], 10);
	for (unsigned int i = 0; i < 20; i++)
		assert_int_equal(dp_tx_status(g), NETIF_RSP_OKAY);
}

/* A guest that closes, or breaks the protocol, while its frames are back in the ring. */
static void leaves_while_it_waits(void **state)
{
	struct dp *dp = *state;
	struct vif_config config = dp_config(dp, 0);
	unsigned int n[DP_GUESTS] = {0};

	dp->nics[0]->send_error = ENOBUFS;
	send_flow(dp, 0, 5, 1);
	send_flow(dp, 1, 5, 1);
	dp_run(dp);
	dp_disconnect(dp, 0);
	((struct ring_page *)dp->guests[1].tx_page)->req_prod += 5000;
	dp->nics[0]->send_error = 0;
	dp_advance(dp, NSEC_PER_MSEC);
	assert_ptr_equal(dp->failed, dp->guests[1].vif);
	assert_null(dp->worker->qos.back);
	assert_int_equal(dp->worker->qos.n_backlog, 0);
	dp_connect(dp, 0, &config); /* takes up what was not answered */
	dp_run(dp);
	took(dp, n);
	assert_int_equal(n[0], 5);
}

/* A guest waits for its limit while another one's frame is put back, and goes at last: the first
 * one goes on when it may, with nobody else to wake the worker. */
static void a_limit_is_not_forgotten(void **state)
{
	const struct qos_vif slow = {.tx = {.shares = 1000, .limit.peak_bps = 1000000}};
	struct dp *dp = *state;
	unsigned int n[DP_GUESTS] = {0};
	uint64_t deadline;

	set_qos(dp, 0, &slow);
	refill(dp, 0, 5);
	dp_run(dp);
	dp->nics[0]->send_error = ENOBUFS;
	refill(dp, 1, 1);
	dp_run(dp);
	assert_non_null(dp->worker->qos.back);
	dp->nics[0]->send_error = 0;
	for (unsigned int i = 0; i < 50; i++) {
		worker_pass(dp->worker, clock_now(&dp->clock), &deadline);
		if (deadline < DEADLINE_NEVER && deadline > clock_now(&dp->clock))
			clock_advance(&dp->clock, deadline - clock_now(&dp->clock));
	}
	took(dp, n);
	assert_int_equal(n[0], 5);
	assert_int_equal(n[1], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(full_nic_is_shared, dp_setup, dp_teardown),
		cmocka_unit_test_setup_teardown(small_frames_take_their_part_of_the_time, dp_setup,
						dp_teardown),
		cmocka_unit_test_setup_teardown(small_frames_take_little_of_a_short_nic, dp_setup,
						dp_teardown),
		cmocka_unit_test_setup_teardown(late_wakes_share_bytes, dp_setup, dp_teardown),
		cmocka_unit_test_setup_teardown(pace_is_shared, dp_setup, dp_teardown),
		cmocka_unit_test_setup_teardown(frames_to_guests_use_no_nic, dp_setup, dp_teardown),
		cmocka_unit_test_setup_teardown(limit_holds_by_bytes, dp_setup, dp_teardown),
		cmocka_unit_test_setup_teardown(limits_hold_on_the_wire, dp_setup, dp_teardown),
		cmocka_unit_test_setup_teardown(minima_are_admitted, dp_setup, dp_teardown),
		cmocka_unit_test_setup_teardown(refused_minima_are_tried_again, dp_setup,
						dp_teardown),
		cmocka_unit_test_setup_teardown(nothing_is_doubled, dp_setup, dp_teardown),
		cmocka_unit_test_setup_teardown(flood_is_not_doubled, dp_setup, dp_teardown),
		cmocka_unit_test_setup_teardown(stuck_nic, dp_setup, dp_teardown),
		cmocka_unit_test_setup_teardown(leaves_while_it_waits, dp_setup, dp_teardown),
		cmocka_unit_test_setup_teardown(a_limit_is_not_forgotten, dp_setup, dp_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
