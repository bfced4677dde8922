/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-uplink-lacp.c - LACP in a worker: what its NICs send and receive, what that means for
 * guests' frames, members that come, leave and fail.
 *
 * The switch is a second LACP system (lacp.h), whose port i is at the other end of NIC i.
 */
#include "datapath.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "netback-team/policy.h"
#include "util.h"

#define STEP_NS (20 * NSEC_PER_MSEC)

struct world {
	struct dp *dp;
	struct lacp partner;
	bool frozen;
	unsigned int n_pdus[DP_NICS]; /* seen at the partner's end */
	unsigned int n_data[DP_NICS];
	uint8_t src[DP_NICS][6];		   /* of the last LACPDU */
	uint64_t pdu_ns[DP_NICS], gap_ns[DP_NICS]; /* when that was, longest time between two */
	char drained[64];
};

static uint8_t frame[4096];

static int partner_send(void *ctx, unsigned int port, const uint8_t *pdu)
{
	struct world *world = ctx;

	dp_incoming(world->dp->nics[port], pdu, LACP_FRAME_LEN, NULL, -1);
	return 0;
}

static void partner_port(void *ctx, unsigned int port, bool collect, bool distribute)
{
}

static void partner_active(void *ctx, int old, int new)
{
}

static void on_drained(void *ctx, const char *member)
{
	struct world *world = ctx;

	strncat(world->drained, member, sizeof(world->drained) - strlen(world->drained) - 1);
}

static uint64_t now(const struct world *world)
{
	return clock_now(&world->dp->clock);
}

/* T1: 124 bytes, without the check sequence; when, for T2. */
static void note_pdu(struct world *world, unsigned int nic, const struct dp_frame *f)
{
	assert_int_equal(f->len, 124);
	memcpy(world->src[nic], f->data + 6, 6);
	world->gap_ns[nic] = MAX(world->gap_ns[nic], now(world) - world->pdu_ns[nic]);
	world->pdu_ns[nic] = now(world);
	world->n_pdus[nic]++;
}

/* Frames that NICs sent arrive at the partner. */
static void deliver(struct world *world)
{
	for (unsigned int i = 0; i < DP_NICS; i++) {
		struct dp_nic *nic = world->dp->nics[i];

		for (unsigned int n = 0; n < nic->n_sent; n++) {
			const struct dp_frame *f = nic->sent[n];
			const bool pdu = f->data[12] == 0x88 && f->data[13] == 0x09;

			world->n_data[i] += f->data[12] == 0x08 && f->data[13] == 0x00;
			if (pdu)
				note_pdu(world, i, f);
			if (pdu && !world->frozen)
				lacp_receive(&world->partner, i, f->data, f->len, now(world));
			free(nic->sent[n]);
		}
		nic->n_sent = 0;
	}
}

static void run(struct world *world, uint64_t ms)
{
	const uint64_t end_ns = now(world) + ms * NSEC_PER_MSEC;

	do {
		if (!world->frozen)
			lacp_run(&world->partner, now(world));
		dp_run(world->dp);
		deliver(world);
		clock_advance(&world->dp->clock, STEP_NS);
	} while (now(world) < end_ns);
	dp_run(world->dp);
	deliver(world);
}

static void partner_link(struct world *world, unsigned int port, bool carrier)
{
	const struct lacp_link link = {.carrier = carrier,
				       .mbps = 1000,
				       .duplex = LACP_DUPLEX_FULL,
				       .priority = 255,
				       .mac = {2, 0, 0, 0, 9, (uint8_t)port}};

	assert_int_equal(lacp_port_set(&world->partner, port, &link, now(world)), 0);
}

static void set_link(struct world *world, unsigned int nic, bool up)
{
	world->dp->nics[nic]->carrier = up;
	team_on_link(&world->dp->worker->team, (int)nic, up, now(world));
	partner_link(world, nic, up);
}

/* The worker's team in mode lacp, fast. */
static void set_mode(struct world *world, const char *mode, bool restarted)
{
	struct team_options options = world->dp->worker->team.options;

	for (options.mode = 0; strcmp(policy_names[options.mode], mode) != 0;)
		options.mode++;
	options.hash = FLOW_L34;
	options.drain_ns = NSEC_PER_MSEC;
	options.speed_bps = 1000000000;
	options.lacp = (struct lacp_options){
		.rate = 1, .system_priority = 32768, .key = 3, .port_priority = 255};
	team_set_options(&world->dp->worker->team, &options, now(world));
	uplink_lacp_configure(world->dp->worker, restarted);
}

static int setup(void **state)
{
	const struct lacp_config config = {.fast = true,
					   .system_priority = 1,
					   .system = {2, 0, 0, 0, 9, 9},
					   .default_mbps = 1000};
	const struct lacp_ops ops = {partner_send, partner_port, partner_active, NULL};
	struct world *world;
	void *dp;

	if (dp_setup(&dp) < 0)
		return -1;
	world = xb_calloc(1, sizeof(*world));
	world->dp = dp;
	world->dp->worker->observer.member_drained = on_drained;
	world->dp->worker->observer.ctx = world;
	assert_int_equal(lacp_init(&world->partner, &config, &ops, now(world)), 0);
	world->partner.ops.ctx = world;
	for (unsigned int i = 0; i < DP_NICS; i++)
		partner_link(world, i, true);
	*state = world;
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;
	void *dp = world->dp;

	free(world);
	return dp_teardown(&dp);
}

static struct lacp_port_status status(const struct world *world, unsigned int port)
{
	struct lacp_port_status s;

	assert_int_equal(lacp_port_status(&world->dp->worker->lacp.lacp, port, now(world), &s), 0);
	return s;
}

static unsigned int send_flows(struct world *world, unsigned int n)
{
	struct dp *dp = world->dp;

	world->n_data[0] = world->n_data[1] = 0;
	for (unsigned int flow = 0; flow < n; flow++) {
		const uint32_t len = dp_tcp(frame, dp_wire_mac, dp->guests[0].mac, 100, 2);

		frame[34] ^= (uint8_t)flow; /* source port */
		dp_send(dp, 0, frame, len, NULL, NETTXF_data_validated, 0, 0);
		dp_run(dp);
		assert_int_equal(dp_tx_status(&dp->guests[0]), NETIF_RSP_OKAY);
	}
	deliver(world);
	return world->n_data[0] + world->n_data[1];
}

/* A frame from the network on a NIC: does guest 0 get it? */
static bool arrives(struct world *world, unsigned int nic, const uint8_t dst[6])
{
	struct dp *dp = world->dp;
	uint8_t got[4096];
	uint16_t flags, gso;
	const uint32_t len = dp_tcp(frame, dst, dp_wire_mac, 100, 2);

	dp_post_rx(dp, 0, 1);
	dp_incoming(dp->nics[nic], frame, len, NULL, -1);
	dp_run(dp);
	return dp_receive(&dp->guests[0], got, &flags, &gso) > 0;
}

static const uint8_t broadcast[6] = {255, 255, 255, 255, 255, 255};

static void negotiates_and_carries(void **state)
{
	struct world *world = *state;
	struct dp *dp = world->dp;
	uint64_t dropped;

	set_mode(world, "lacp", false);
	dp_run(dp);
	deliver(world);
	for (unsigned int i = 0; i < DP_NICS; i++) { /* T1: at once, from its own address */
		assert_in_range(world->n_pdus[i], 1, LACP_WINDOW_PDUS);
		assert_memory_equal(world->src[i], dp->nics[i]->nic.mac, 6);
		assert_int_equal(dp->nics[i]->n_groups, 1);
	}
	assert_memory_equal(status(world, 1).actor.system, dp->nics[0]->nic.mac, 6);
	assert_int_equal(send_flows(world, 5), 0); /* nobody agreed to anything */
	assert_int_equal(dp->guests[0].vif->stats.tx_no_member, 5);
	assert_false(arrives(world, 0, dp->guests[0].mac));
	dropped = dp->worker->stats.nic_rx_dropped_switch;
	run(world, 4000);
	assert_int_equal(status(world, 0).mux, LACP_MUX_DISTRIBUTING);
	assert_int_equal(dp->worker->team.usable, 3);
	assert_int_equal(dp->worker->team.members[1].state, TEAM_MEMBER_ACTIVE);
	assert_int_equal(dp->worker->stats.nic_rx_dropped_switch, dropped); /* LACPDUs are not */
	assert_int_equal(send_flows(world, 60), 60);
	assert_in_range(world->n_data[0], 15, 45);
	for (unsigned int i = 0; i < DP_NICS; i++) {
		assert_true(arrives(world, i, dp->guests[0].mac));
		assert_true(arrives(world, i, broadcast));
	}
}

/* T16: plain, and with a VLAN tag. */
static void a_guest_cannot_speak_lacp(void **state)
{
	static const uint8_t tag[4] = {0x81, 0x00, 0x00, 0x05};
	struct world *world = *state;
	struct dp *dp = world->dp;
	struct lacp_pdu pdu = {.version = 1};
	uint8_t bytes[LACP_FRAME_LEN + sizeof(tag)];

	set_mode(world, "lacp", false);
	run(world, 4000);
	for (unsigned int tagged = 0; tagged < 2; tagged++) {
		lacp_pdu_build(bytes, dp->guests[0].mac, &pdu);
		if (tagged) {
			memmove(bytes + 16, bytes + 12, LACP_FRAME_LEN - 12);
			memcpy(bytes + 12, tag, sizeof(tag));
		}
		dp_send(dp, 0, bytes, LACP_FRAME_LEN + (tagged ? sizeof(tag) : 0), NULL, 0, 0, 0);
		dp_run(dp);
		assert_int_equal(dp->guests[0].vif->stats.tx_control, tagged + 1);
		assert_int_equal(dp->nics[0]->n_sent + dp->nics[1]->n_sent, 0);
	}
	assert_int_equal(status(world, 0).counters.n_bad, 0);
}

/* T2 with data: a guest that always has more, and a limit that lets it wait most of the time.
 * LACPDUs are in no queue with its frames, and no pass is too full for them. */
static void lacpdus_keep_their_period_under_load(void **state)
{
	struct world *world = *state;
	struct dp *dp = world->dp;
	struct qos_vif qos = dp->guests[0].vif->config.qos;
	unsigned int before[DP_NICS];
	const char *why;

	set_mode(world, "lacp", false);
	run(world, 4000);
	qos.tx.limit = (struct limit_config){.avg_bps = 1000000, .burst_bytes = 20000};
	assert_int_equal(qos_vif_set(dp->worker, dp->guests[0].vif, &qos, &why), 0);
	memcpy(before, world->n_pdus, sizeof(before));
	world->gap_ns[0] = world->gap_ns[1] = 0;
	world->n_data[0] = world->n_data[1] = 0;
	for (unsigned int ms = 0; ms < 600000; ms += 100) {
		while (dp->guests[0].tx.req_prod - dp->guests[0].tx.rsp_cons < DP_TX_PAGES) {
			const uint32_t len = dp_tcp(frame, dp_wire_mac, dp->guests[0].mac, 1400, 2);

			frame[34] = (uint8_t)dp->guests[0].tx_next; /* source port */
			dp_send(dp, 0, frame, len, NULL, NETTXF_data_validated, 0, 0);
		}
		run(world, 100);
		while (dp_tx_status(&dp->guests[0]) == NETIF_RSP_OKAY)
			;
	}
	assert_in_range(world->n_data[0] + world->n_data[1], 45000, 55000); /* of 1.5 kB */
	for (unsigned int i = 0; i < DP_NICS; i++) {
		assert_in_range(world->n_pdus[i] - before[i], 600, 630);
		assert_in_range(world->gap_ns[i], 950 * NSEC_PER_MSEC, 1000 * NSEC_PER_MSEC);
	}
	assert_int_equal(dp->worker->team.usable, 3);
}

static void a_silent_partner_gets_nothing(void **state)
{
	struct world *world = *state;

	set_mode(world, "lacp", false);
	run(world, 4000);
	world->frozen = true;
	run(world, 2000);
	assert_int_equal(world->dp->worker->team.usable, 3);
	run(world, 1500);
	assert_int_equal(status(world, 0).rx, LACP_RX_EXPIRED);
	assert_int_equal(world->dp->worker->team.usable, 0);
	assert_int_equal(send_flows(world, 5), 0);
	world->frozen = false;
	run(world, 4000);
	assert_int_equal(send_flows(world, 5), 5);
}

/* LACPDUs that came while we were not running count, before time runs out on them. */
static void who_was_late_reads_first(void **state)
{
	struct world *world = *state;
	struct dp *dp = world->dp;

	set_mode(world, "lacp", false);
	run(world, 4000);
	lacp_run(&world->partner, now(world) + NSEC_PER_SEC); /* speaks in a second */
	assert_int_equal(dp->nics[0]->n_incoming, 1);
	for (unsigned int i = 0; i < 100; i++) { /* behind more than one batch of others */
		const uint32_t len = dp_tcp(frame, dp_wire_mac, dp_wire_mac, 100, 2);

		dp_incoming(dp->nics[1], frame, len, NULL, -1);
	}
	clock_advance(&dp->clock, 10 * NSEC_PER_SEC);
	dp_run(dp);
	for (unsigned int i = 0; i < DP_NICS; i++) {
		assert_int_equal(status(world, i).rx, LACP_RX_CURRENT);
		assert_int_equal(status(world, i).counters.n_expired, 0);
	}
	assert_int_equal(dp->worker->team.usable, 3);
}

static void a_link_that_dies_costs_no_frame(void **state)
{
	struct world *world = *state;
	struct dp *dp = world->dp;

	set_mode(world, "lacp", false);
	run(world, 4000);
	set_link(world, 0, false);
	assert_int_equal(dp->worker->team.usable, 2); /* before LACP was asked */
	assert_int_equal(send_flows(world, 20), 20);
	assert_int_equal(world->n_data[1], 20);
	assert_int_equal(status(world, 0).rx, LACP_RX_PORT_DISABLED);
	set_link(world, 0, true);
	assert_int_equal(dp->worker->team.usable, 2); /* not before the partner agrees */
	run(world, 4000);
	assert_int_equal(dp->worker->team.usable, 3);
	/* a NIC that refuses while its link is up: LACPDUs go later, frames elsewhere */
	dp->nics[0]->send_error = ENETDOWN;
	assert_int_equal(send_flows(world, 20), 20);
	dp->nics[0]->send_error = 0;
	run(world, 6000);
	assert_int_equal(dp->worker->team.usable, 3);
}

static void a_member_is_drained(void **state)
{
	struct world *world = *state;
	struct dp *dp = world->dp;

	set_mode(world, "lacp", false);
	run(world, 4000);
	uplink_lacp_drain(dp->worker, 1, true);
	assert_string_equal(world->drained, "");
	assert_int_equal(send_flows(world, 20), 20);
	run(world, 100);
	assert_int_equal(dp->worker->team.usable, 1);
	run(world, 3000);
	assert_string_equal(world->drained, "nic1");
	assert_true(lacp_port_drained(&dp->worker->lacp.lacp, 1));
	assert_int_equal(lacp_distributing(&world->partner), 1);
	/* and comes back, as it is or half-way out */
	uplink_lacp_drain(dp->worker, 1, false);
	run(world, 4000);
	assert_int_equal(dp->worker->team.usable, 3);
	world->frozen = true;
	uplink_lacp_drain(dp->worker, 1, true);
	run(world, 100);
	assert_int_equal(dp->worker->team.usable, 1);
	uplink_lacp_drain(dp->worker, 1, false);
	world->frozen = false;
	run(world, 4000);
	assert_int_equal(dp->worker->team.usable, 3);
	assert_string_equal(world->drained, "nic1");
	assert_int_equal(send_flows(world, 20), 20);
}

static void members_leave_and_join(void **state)
{
	struct world *world = *state;
	struct worker *w = world->dp->worker;
	uint8_t id[6];
	struct nic *nic;

	set_mode(world, "lacp", false);
	run(world, 4000);
	memcpy(id, world->dp->nics[0]->nic.mac, sizeof(id));
	assert_int_equal(uplink_remove(w, "nic0", &nic), 0);
	assert_ptr_equal(nic, &world->dp->nics[0]->nic);
	run(world, 100);
	assert_int_equal(lacp_collecting(&world->partner), 2); /* it was told */
	assert_int_equal(w->team.usable, 2);
	assert_memory_equal(status(world, 1).actor.system, id, 6); /* the id stays */
	assert_int_equal(send_flows(world, 5), 5);
	assert_int_equal(uplink_add(w, "nic0", 128, nic), 0);
	team_on_link(&w->team, 0, true, now(world));
	run(world, 4000);
	assert_int_equal(w->team.usable, 3);
	for (unsigned int i = 0; i < DP_NICS; i++)
		assert_int_equal(uplink_remove(w, i ? "nic1" : "nic0", &nic), 0);
	run(world, 100);
	assert_int_equal(lacp_collecting(&world->partner), 0);
	/* an id that another team has is not used twice */
	set_mode(world, "active-backup", false);
	set_mode(world, "lacp", false);
	w->lacp.id_taken = true;
	for (unsigned int i = 0; i < DP_NICS; i++)
		uplink_add(w, i ? "nic1" : "nic0", 128, &world->dp->nics[i]->nic);
	id[0] ^= 0x02;
	assert_memory_equal(status(world, 1).actor.system, id, 6);
}

static void a_successor_goes_on_at_once(void **state)
{
	struct world *world = *state;
	struct nic *nic;

	set_mode(world, "lacp", false);
	run(world, 4000);
	uplink_lacp_hush(world->dp->worker);
	for (unsigned int i = 0; i < DP_NICS; i++)
		assert_int_equal(uplink_remove(world->dp->worker, i ? "nic1" : "nic0", &nic), 0);
	deliver(world);
	assert_int_equal(lacp_distributing(&world->partner), 3); /* heard nothing */
	dp_restart(world->dp);
	set_mode(world, "lacp", true);
	run(world, 200);
	assert_int_equal(world->dp->worker->team.usable, 3);
	assert_int_equal(send_flows(world, 5), 5);
}

/* T12 as guests see it: nothing goes out, nothing comes in, until there are enough links. */
static void too_few_links_serve_no_guest(void **state)
{
	struct world *world = *state;
	struct dp *dp = world->dp;

	set_mode(world, "lacp", false);
	dp->worker->team.options.lacp.min_links = 2;
	uplink_lacp_configure(dp->worker, false);
	run(world, 4000);
	assert_int_equal(send_flows(world, 5), 5);
	set_link(world, 0, false);
	run(world, 100);
	assert_int_equal(dp->worker->team.usable, 0);
	assert_int_equal(lacp_distributing(&world->partner), 0);
	assert_int_equal(send_flows(world, 5), 0);
	assert_int_equal(dp->guests[0].vif->stats.tx_no_member, 5);
	assert_false(arrives(world, 1, dp->guests[0].mac));
	set_link(world, 0, true);
	run(world, 4000);
	assert_int_equal(send_flows(world, 5), 5);
	assert_true(arrives(world, 1, dp->guests[0].mac));
}

static void modes_change_live(void **state)
{
	struct world *world = *state;
	struct worker *w = world->dp->worker;

	set_mode(world, "lacp", false);
	run(world, 4000);
	uplink_lacp_drain(w, 1, true);
	set_mode(world, "active-backup", false);
	assert_string_equal(world->drained, "nic1"); /* nothing holds it */
	assert_int_equal(world->dp->nics[0]->n_groups, 0);
	run(world, 100);
	assert_int_equal(lacp_collecting(&world->partner), 0);
	assert_int_equal(w->team.usable, 3);
	assert_int_equal(send_flows(world, 5), 5);
	assert_int_equal(w->lacp.due_ns, DEADLINE_NEVER);
	set_mode(world, "lacp", false);
	run(world, 4000);
	assert_int_equal(w->team.usable, 3);
	assert_int_equal(world->dp->nics[0]->n_groups, 1);
}

static void speed_and_duplex_are_told(void **state)
{
	struct world *world = *state;
	struct worker *w = world->dp->worker;

	set_mode(world, "lacp", false);
	run(world, 4000);
	assert_true(status(world, 0).mbps_assumed);
	assert_int_equal(status(world, 0).mbps, 1000);
	uplink_lacp_speed(w, 1, 100, LACP_DUPLEX_HALF);
	run(world, 100);
	assert_int_equal(status(world, 1).mbps, 100);
	assert_true(status(world, 1).individual);
	assert_int_equal(w->team.usable, 1);
	uplink_lacp_speed(w, 1, 1000, LACP_DUPLEX_FULL);
	run(world, 4000);
	assert_int_equal(w->team.usable, 3);
	/* priorities of members are those of their ports, the other way round */
	team_set_priority(&w->team, 1, 200, now(world));
	uplink_lacp_touch(w);
	run(world, 15000);
	assert_int_equal(status(world, 0).actor.port_priority, 255);
	assert_int_equal(status(world, 1).actor.port_priority, 255 - 72);
	assert_int_equal(w->team.usable, 3);
}

static void reserve_members_take_no_part(void **state)
{
	struct world *world = *state;
	struct worker *w = world->dp->worker;
	struct pin *pin = &world->dp->guests[0].vif->pin;
	struct team_options options = w->team.options;

	team_reserve(&w->team, 1);
	set_mode(world, "lacp", false);
	run(world, 5000);
	assert_true(world->n_pdus[0] > 0);
	assert_int_equal(world->n_pdus[1], 0);
	assert_int_equal(w->team.usable, 1);
	assert_int_equal(w->team.spare, 2);
	assert_int_equal(send_flows(world, 20), 20);
	assert_int_equal(world->n_data[0], 20);
	run(world, 10);
	assert_true(spread_pin_place(&w->team, pin, "", false, PIN_RESERVE, w->now_ns));
	assert_int_equal(send_flows(world, 20), 20);
	assert_int_equal(world->n_data[1], 20);
	/* The team drains it, LACP the others. */
	options.mode = w->team.options.mode;
	strcpy(options.drained, "nic0 nic1");
	uplink_drain_keep(w, &options);
	assert_string_equal(options.drained, "nic1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(negotiates_and_carries, setup, teardown),
		cmocka_unit_test_setup_teardown(a_guest_cannot_speak_lacp, setup, teardown),
		cmocka_unit_test_setup_teardown(reserve_members_take_no_part, setup, teardown),
		cmocka_unit_test_setup_teardown(lacpdus_keep_their_period_under_load, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_silent_partner_gets_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(who_was_late_reads_first, setup, teardown),
		cmocka_unit_test_setup_teardown(a_link_that_dies_costs_no_frame, setup, teardown),
		cmocka_unit_test_setup_teardown(a_member_is_drained, setup, teardown),
		cmocka_unit_test_setup_teardown(members_leave_and_join, setup, teardown),
		cmocka_unit_test_setup_teardown(a_successor_goes_on_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(too_few_links_serve_no_guest, setup, teardown),
		cmocka_unit_test_setup_teardown(modes_change_live, setup, teardown),
		cmocka_unit_test_setup_teardown(speed_and_duplex_are_told, setup, teardown),
	};

	return cmocka_run_group_tests_name("uplink-lacp", tests, NULL, NULL);
}
