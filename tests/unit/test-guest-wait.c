/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-guest-wait.c - what a guest receives is limited by bytes; what is too much waits, is marked,
 * and is discarded with a reason. */
#include "datapath.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "netback-team/csum.h"
#include "netback-team/explain.h"
#include "util.h"

#define WIRE   (1514u + COST_WIRE_EXTRA)
#define BOUND  (DECIDE_QUEUE_FRAMES * DECIDE_FRAME_BYTES)
#define ECT0   2
#define CE     3
#define TOS_AT 15

static uint8_t frame[70000], got[70000];

static void set_rx(struct dp *dp, unsigned int guest, const struct limit_config *rx)
{
	const struct qos_vif qos = {.tx.shares = 1000, .rx = *rx};
	const char *why;

	assert_int_equal(qos_vif_set(dp->worker, dp->guests[guest].vif, &qos, &why), 0);
}

/* So many frames of 1514 bytes for the guest, with this type of service. */
static void arrive(struct dp *dp, unsigned int guest, unsigned int frames, uint8_t tos)
{
	const uint32_t len = dp_tcp(frame, dp->guests[guest].mac, dp_wire_mac, 1460, 2);
	uint16_t sum;

	frame[TOS_AT] = tos;
	memset(frame + 24, 0, 2);
	sum = (uint16_t)~csum_fold(csum_add(0, frame + 14, 20));
	memcpy(frame + 24, &sum, 2);
	while (frames-- > 0)
		dp_incoming(dp->nics[0], frame, len, NULL, -1);
	dp_run(dp);
}

/* Takes what the guest received; how many frames, and how many of them are marked. */
static unsigned int received(struct dp *dp, unsigned int guest, unsigned int *marked)
{
	struct dp_guest *g = &dp->guests[guest];
	unsigned int n = 0;
	int len;

	while ((len = dp_receive(g, got, NULL, NULL)) != 0) {
		assert_int_equal(len, 1514);
		assert_int_equal(csum_fold(csum_add(0, got + 14, 20)), 0xffff);
		*marked += (got[TOS_AT] & CE) == CE;
		n++;
		dp_post_rx(dp, guest, 1);
	}
	return n;
}

static void limit_holds_by_bytes(void **state)
{
	const struct limit_config rx = {.avg_bps = 10000000, .burst_bytes = 10 * WIRE};
	struct dp *dp = *state;
	const struct vif *vif = dp->guests[0].vif;
	unsigned int n = 0, marked = 0, arrived = 0;

	set_rx(dp, 0, &rx);
	dp_post_rx(dp, 0, 200);
	for (unsigned int ms = 0; ms <= 1000; ms++, arrived += 3) {
		arrive(dp, 0, 3, 0);
		dp_advance(dp, ms ? NSEC_PER_MSEC : 0);
		n += received(dp, 0, &marked);
	}
	assert_in_range(n * WIRE, 1250000 + 8 * WIRE, 1250000 + 10 * WIRE);
	assert_int_equal(marked, 0); /* nothing said that it understands ECN */
	assert_int_equal(vif->rx_counts.frames[DECIDE_REASON_SHARE], n);
	assert_true(vif->rx_counts.frames[DECIDE_REASON_AVERAGE] > 0);
	assert_in_range(vif->rx_wait_bytes, BOUND - 2 * 1514, BOUND);
	assert_int_equal(vif->rx_counts.frames[DECIDE_REASON_QUEUE_FULL],
			 arrived - n - vif->rx_wait_bytes / 1514);
	/* Without a limit all that waits goes at once. */
	set_rx(dp, 0, &(struct limit_config){0});
	dp_run(dp);
	assert_int_equal(vif->rx_wait_bytes, 0);
	assert_in_range(received(dp, 0, &marked), BOUND / 1514 - 1, BOUND / 1514);
}

/* The second half of the queue is marked, where the sender understands that. */
static void long_queues_are_marked(void **state)
{
	const struct limit_config rx = {.avg_bps = 10000000, .burst_bytes = WIRE};
	struct dp *dp = *state;
	const struct vif *vif = dp->guests[0].vif;
	unsigned int marked = 0;

	set_rx(dp, 0, &rx);
	dp_post_rx(dp, 0, 200);
	arrive(dp, 0, 41, ECT0);
	assert_int_equal(vif->stats.rx_marked, 0);
	arrive(dp, 0, 10, ECT0);
	arrive(dp, 0, 5, 0);
	assert_in_range(vif->stats.rx_marked, 7, 9);
	set_rx(dp, 0, &(struct limit_config){0});
	dp_run(dp);
	assert_int_equal(received(dp, 0, &marked), 56);
	assert_int_equal(marked, vif->stats.rx_marked);
}

/* The peak holds a guest back that has burst left. */
static void peak_paces(void **state)
{
	const struct limit_config rx = {
		.avg_bps = 10000000, .burst_bytes = 20 * WIRE, .peak_bps = 100000000};
	struct dp *dp = *state;
	unsigned int n, marked = 0;

	set_rx(dp, 0, &rx);
	dp_post_rx(dp, 0, 200);
	arrive(dp, 0, 30, 0);
	assert_int_equal(received(dp, 0, &marked), 1);
	/* To be met exactly; one with a period is not. */
	assert_int_equal(dp->worker->exact_ns, dp->clock.manual_ns + WIRE * 8 * 10);
	assert_true(dp->guests[0].vif->rx_counts.frames[DECIDE_REASON_PEAK] > 0);
	for (n = 0; n < 10; n++) {
		dp_advance(dp, WIRE * 8 * 10); /* ns on a link of 100 Mbit */
		assert_int_equal(received(dp, 0, &marked), 1);
	}
}

/* Is this what the trace says of some frame to the guest? */
static bool explained(const struct vif *vif, enum trace_outcome outcome, enum decide_reason reason)
{
	const struct trace_entry *entry;

	for (unsigned int i = 0; (entry = trace_get(vif->trace, i)); i++) {
		assert_int_equal(entry->direction, TRACE_RX);
		if (entry->outcome == outcome && entry->rule == reason)
			return true;
	}
	return false;
}

static void traces_say_why(void **state)
{
	const struct limit_config average = {.avg_bps = 10000000, .burst_bytes = WIRE},
				  peak = {.avg_bps = 10000000,
					  .burst_bytes = 100 * WIRE,
					  .peak_bps = 50000000},
				  none = {0};
	struct dp *dp = *state;
	struct vif *vif = dp->guests[0].vif;
	unsigned int marked = 0;

	explain_ask(dp->worker, vif);
	arrive(dp, 0, 1, 0);
	assert_true(explained(vif, TRACE_OUTCOME_WAITS, DECIDE_REASON_MEMBER));
	dp_post_rx(dp, 0, 200);
	dp_run(dp);
	assert_true(explained(vif, TRACE_OUTCOME_DELIVERED, TRACE_NO_RULE));
	set_rx(dp, 0, &average);
	arrive(dp, 0, 3, 0);
	assert_true(explained(vif, TRACE_OUTCOME_WAITS, DECIDE_REASON_AVERAGE));
	for (unsigned int i = 0; i < 3; i++)
		arrive(dp, 0, 50, 0);
	assert_true(explained(vif, TRACE_OUTCOME_FULL, DECIDE_REASON_QUEUE_FULL));
	set_rx(dp, 0, &none);
	dp_run(dp);
	received(dp, 0, &marked);
	set_rx(dp, 0, &peak);
	arrive(dp, 0, 5, 0);
	assert_true(explained(vif, TRACE_OUTCOME_WAITS, DECIDE_REASON_PEAK));
}

/* A guest that posts nothing: no limit, another reason. */
static void no_requests(void **state)
{
	struct dp *dp = *state;
	const struct vif *vif = dp->guests[0].vif;
	unsigned int marked = 0;

	arrive(dp, 0, 10, 0);
	assert_int_equal(vif->rx_counts.frames[DECIDE_REASON_MEMBER], 10);
	assert_int_equal(vif->queues[0].wait.why, FAIR_WAIT_MEMBER);
	dp_post_rx(dp, 0, 20);
	dp_run(dp);
	assert_int_equal(received(dp, 0, &marked), 10);
	dp_advance(dp, 11 * NSEC_PER_SEC);
	assert_int_equal(vif->rx_counts.frames[DECIDE_REASON_LATE], 0);
}

/* Priority decides who still may queue when memory runs short. */
static void memory_is_for_high_priorities(void **state)
{
	struct dp *dp = *state;
	struct buf *taken = NULL, *buf;
	const char *why;

	for (unsigned int i = 0; i < 2; i++) {
		const struct qos_vif qos = {.tx = {.shares = 1, .priority = i ? 10 : 0}};

		assert_int_equal(qos_vif_set(dp->worker, dp->guests[i].vif, &qos, &why), 0);
	}
	while (buf_pool_room(dp->worker->pool, 100) > 100 * BUF_SMALL_DATA) {
		buf = buf_get(dp->worker->pool, 100);
		buf->next = taken;
		taken = buf;
	}
	arrive(dp, 0, 100, 0);
	arrive(dp, 1, 40, 0);
	assert_true(dp->guests[0].vif->rx_counts.frames[DECIDE_REASON_MEMORY] > 0);
	assert_int_equal(dp->guests[1].vif->rx_counts.frames[DECIDE_REASON_MEMORY], 0);
	while ((buf = taken)) {
		taken = buf->next;
		buf_put(dp->worker->pool, buf);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(limit_holds_by_bytes, dp_setup, dp_teardown),
		cmocka_unit_test_setup_teardown(long_queues_are_marked, dp_setup, dp_teardown),
		cmocka_unit_test_setup_teardown(peak_paces, dp_setup, dp_teardown),
		cmocka_unit_test_setup_teardown(traces_say_why, dp_setup, dp_teardown),
		cmocka_unit_test_setup_teardown(no_requests, dp_setup, dp_teardown),
		cmocka_unit_test_setup_teardown(memory_is_for_high_priorities, dp_setup,
						dp_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
