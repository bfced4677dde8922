/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-uplink-health.c - probes, drains and shortages in a worker: which NIC sends what, and what a
 * guest sees of it. */
#include "datapath.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "util.h"

#define MS NSEC_PER_MSEC

static const uint8_t router[4] = {10, 0, 0, 1};
static uint8_t frame[4096];

static void forget(struct dp_nic *nic)
{
	while (nic->n_sent > 0)
		free(nic->sent[--nic->n_sent]);
}

/* Frames of an ethertype that a NIC sent. */
static unsigned int sent(const struct dp *dp, int nic, unsigned int type)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < dp->nics[nic]->n_sent; i++) {
		const uint8_t *data = dp->nics[nic]->sent[i]->data;

		n += (unsigned int)(data[12] << 8 | data[13]) == type;
	}
	return n;
}

static struct team_options options_of(struct dp *dp)
{
	struct team_options options = dp->worker->team.options;

	options.probe_interval_ns = 50 * MS;
	options.probe_missed = 3;
	options.failback = TEAM_FAILBACK_FAILURE;
	return options;
}

static void apply(struct dp *dp, struct team_options *options)
{
	team_set_options(&dp->worker->team, options, clock_now(&dp->clock));
	uplink_probe_set(dp->worker, options);
	worker_deadline(dp->worker, 0);
	dp_run(dp);
}

/* The router's answer to what a NIC asked. */
static void answer(struct dp *dp, int nic)
{
	const uint8_t *asked = dp->nics[nic]->sent[dp->nics[nic]->n_sent - 1]->data;
	uint8_t reply[60] = {0};

	memcpy(reply, asked + 6, 6);
	memcpy(reply + 6, dp_wire_mac, 6);
	memcpy(reply + 12, (uint8_t[]){8, 6, 0, 1, 8, 0, 6, 4, 0, 2}, 10);
	memcpy(reply + 22, dp_wire_mac, 6);
	memcpy(reply + 28, router, 4);
	dp_incoming(dp->nics[nic], reply, sizeof(reply), NULL, -1);
	dp_run(dp);
}

static void start_probes(struct dp *dp)
{
	struct team_options options = options_of(dp);

	for (unsigned int i = 0; i < DP_NICS; i++) {
		dp->nics[i]->nic.mac[0] = 2;
		dp->nics[i]->nic.mac[5] = (uint8_t)i;
		forget(dp->nics[i]);
	}
	options.probe = PROBE_ARP;
	strcpy(options.probe_targets, "10.0.0.1");
	apply(dp, &options);
}

static void a_silent_nic_is_left(void **state)
{
	struct dp *dp = *state;
	struct team *team = &dp->worker->team;
	uint64_t failed_ns;

	start_probes(dp);
	for (unsigned int i = 0; i < 10; i++) {
		assert_int_equal(sent(dp, 0, 0x0806), i + 1);
		assert_int_equal(sent(dp, 1, 0x0806), i + 1);
		answer(dp, 0);
		answer(dp, 1);
		dp_advance(dp, 50 * MS);
	}
	assert_int_equal(team->active, 0);
	assert_int_equal(dp->worker->stats.nic_rx_dropped_switch, 0); /* no guest, no switch */
	for (failed_ns = clock_now(&dp->clock); team->active == 0;) {
		assert_true(clock_now(&dp->clock) - failed_ns < 250 * MS);
		answer(dp, 1);
		dp_advance(dp, 50 * MS);
	}
	assert_string_equal(team->members[0].reason, "probes are missed");
	assert_true(sent(dp, 1, 0x8035) >= DP_GUESTS); /* in the same pass */
	for (unsigned int i = 0; i < 4; i++) {
		answer(dp, 0);
		answer(dp, 1);
		dp_advance(dp, 50 * MS);
	}
	assert_int_equal(team->members[0].state, TEAM_MEMBER_STANDBY);
}

static void a_late_worker_reads_before_it_judges(void **state)
{
	struct dp *dp = *state;
	uint8_t reply[2][60];

	start_probes(dp);
	for (unsigned int i = 0; i < 20; i++) {
		/* both answers wait in the socket when the next interval is over */
		for (int nic = 0; nic < 2; nic++) {
			memset(reply[nic], 0, 60);
			memcpy(reply[nic], dp->nics[nic]->nic.mac, 6);
			memcpy(reply[nic] + 6, dp_wire_mac, 6);
			memcpy(reply[nic] + 12, (uint8_t[]){8, 6, 0, 1, 8, 0, 6, 4, 0, 2}, 10);
			memcpy(reply[nic] + 28, router, 4);
			dp_incoming(dp->nics[nic], reply[nic], 60, NULL, -1);
		}
		dp_advance(dp, 70 * MS);
		assert_false(dp->worker->probe.members[0].dead);
	}
	assert_int_equal(dp->worker->probe.members[0].n_answers, 20);
}

static void wrong_targets_are_refused(void **state)
{
	static const struct {
		int mode;
		const char *targets, *source;
		bool good;
	} rows[] = {
		{PROBE_OFF, "nonsense", "", true},
		{PROBE_ARP, "", "", false},
		{PROBE_ARP, "10.0.0.1 10.0.0.2", "10.0.0.9", true},
		{PROBE_ARP, "10.0.0.0/8", "", false},
		{PROBE_ARP, "2001:db8::1", "", false},
		{PROBE_ARP, "10.0.0.1", "2001:db8::1", false},
		{PROBE_ARP, "10.0.0.1", "10.0.0.2 10.0.0.3", false},
		{PROBE_ARP, "1.1.1.1 1.1.1.2 1.1.1.3 1.1.1.4 1.1.1.5", "", false},
		{PROBE_ARP, "10.0.0.256", "", false},
		{PROBE_NS, "2001:db8::1 fe80::1", "", true},
		{PROBE_NS, "10.0.0.1", "", false},
		{PROBE_BEACON, "", "", true},
	};
	struct dp *dp = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct team_options options = options_of(dp);
		struct probe_options probe;
		char error[256] = "";

		options.probe = rows[i].mode;
		strcpy(options.probe_targets, rows[i].targets);
		strcpy(options.probe_source, rows[i].source);
		assert_int_equal(uplink_probe_options(&options, &probe, error, sizeof(error)),
				 rows[i].good ? 0 : -1);
		assert_int_equal(error[0] != '\0', !rows[i].good);
		if (!rows[i].good)
			assert_non_null(strstr(error, "address"));
	}
}

static void send_one(struct dp *dp)
{
	const uint32_t len = dp_tcp(frame, dp_wire_mac, dp->guests[0].mac, 100, 2);

	dp_send(dp, 0, frame, len, NULL, NETTXF_data_validated, 0, 0);
}

/* While a member drains, frames wait in the ring; then they leave on the other one. */
static void a_drain_holds_the_guests(void **state)
{
	struct dp *dp = *state;
	struct team_options options = options_of(dp);

	options.drain_ns = 5 * MS;
	strcpy(options.drained, "nic0");
	team_set_options(&dp->worker->team, &options, clock_now(&dp->clock));
	worker_deadline(dp->worker, 0);
	send_one(dp);
	assert_false(dp_pass(dp)); /* and meanwhile there is nothing to do */
	assert_int_equal(dp_tx_status(&dp->guests[0]), -100);
	assert_int_equal(sent(dp, 0, 0x0800) + sent(dp, 1, 0x0800), 0);
	clock_advance(&dp->clock, 5 * MS);
	dp_run(dp);
	assert_int_equal(dp_tx_status(&dp->guests[0]), NETIF_RSP_OKAY);
	assert_int_equal(sent(dp, 0, 0x0800), 0);
	assert_int_equal(sent(dp, 1, 0x0800), 1);
	assert_int_equal(dp->worker->team.members[0].state, TEAM_MEMBER_DRAINED);
}

/* Too few buffers for a moment: nobody is down for it, and no frame is lost. */
static void a_shortage_is_no_failure(void **state)
{
	struct dp *dp = *state;

	dp->nics[0]->send_error = ENOBUFS;
	send_one(dp);
	for (unsigned int i = 0; i < 20; i++) {
		clock_advance(&dp->clock, MS);
		dp_pass(dp);
	}
	assert_int_equal(dp->worker->team.active, 0);
	assert_int_equal(dp->worker->team.members[0].n_flaps, 0);
	dp->nics[0]->send_error = 0;
	dp_advance(dp, 100 * MS);
	assert_int_equal(dp_tx_status(&dp->guests[0]), NETIF_RSP_OKAY);
	assert_int_equal(sent(dp, 0, 0x0800) + sent(dp, 1, 0x0800), 1);
}

/* ENETDOWN: the frame leaves on the other member within the same pass. */
static void a_send_error_costs_no_time(void **state)
{
	struct dp *dp = *state;

	dp->nics[0]->send_error = ENETDOWN;
	dp->nics[0]->carrier = 0;
	send_one(dp);
	dp_pass(dp);
	assert_int_equal(dp_tx_status(&dp->guests[0]), NETIF_RSP_OKAY);
	assert_int_equal(sent(dp, 1, 0x0800), 1);
	assert_int_equal(dp->worker->team.active, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_silent_nic_is_left, dp_setup, dp_teardown),
		cmocka_unit_test_setup_teardown(a_late_worker_reads_before_it_judges, dp_setup,
						dp_teardown),
		cmocka_unit_test_setup_teardown(wrong_targets_are_refused, dp_setup, dp_teardown),
		cmocka_unit_test_setup_teardown(a_drain_holds_the_guests, dp_setup, dp_teardown),
		cmocka_unit_test_setup_teardown(a_shortage_is_no_failure, dp_setup, dp_teardown),
		cmocka_unit_test_setup_teardown(a_send_error_costs_no_time, dp_setup, dp_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
