/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-uplink.c - modes and bound guests in a worker: which NIC sends, and where guests' addresses
 * are announced when NICs come and go. */
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

static uint8_t frame[4096];

static void set_mode(struct dp *dp, const char *mode)
{
	struct team_options options = dp->worker->team.options;

	for (options.mode = 0; strcmp(policy_names[options.mode], mode) != 0;)
		options.mode++;
	options.hash = FLOW_L34;
	options.drain_ns = NSEC_PER_MSEC;
	options.rebalance_interval_ns = NSEC_PER_SEC;
	options.rebalance_gain = 5;
	team_set_options(&dp->worker->team, &options, clock_now(&dp->clock));
}

static void link_is(struct dp *dp, int nic, bool up)
{
	dp->nics[nic]->carrier = up;
	team_on_link(&dp->worker->team, nic, up, clock_now(&dp->clock));
	dp_run(dp);
}

static bool is_rarp(const struct dp_frame *f)
{
	return f->data[12] == 0x80 && f->data[13] == 0x35;
}

/* Takes what a NIC sent; how many frames of the guest, or (rarp) announcements of it. */
static unsigned int took(struct dp *dp, int nic, unsigned int guest, bool rarp)
{
	struct dp_nic *d = dp->nics[nic];
	unsigned int n = 0;

	for (unsigned int i = 0; i < d->n_sent; i++)
		n += is_rarp(d->sent[i]) == rarp &&
		     memcmp(d->sent[i]->data + 6, dp->guests[guest].mac, 6) == 0;
	return n;
}

static void forget(struct dp *dp)
{
	for (unsigned int i = 0; i < DP_NICS; i++)
		while (dp->nics[i]->n_sent > 0)
			free(dp->nics[i]->sent[--dp->nics[i]->n_sent]);
}

static void send_flow(struct dp *dp, unsigned int guest, uint8_t flow)
{
	const uint32_t len = dp_tcp(frame, dp_wire_mac, dp->guests[guest].mac, 100, 2);

	frame[34] ^= flow; /* source port */
	dp_send(dp, guest, frame, len, NULL, NETTXF_data_validated, 0, 0);
	dp_run(dp);
}

/* One frame of each of n flows from the guest to the network. */
static void send_flows(struct dp *dp, unsigned int guest, uint8_t n)
{
	for (uint8_t flow = 0; flow < n; flow++) {
		send_flow(dp, guest, flow);
		assert_int_equal(dp_tx_status(&dp->guests[guest]), NETIF_RSP_OKAY);
	}
}

static void flows_use_both_nics(void **state)
{
	struct dp *dp = *state;
	unsigned int on_first;

	set_mode(dp, "hash");
	send_flows(dp, 0, 60);
	on_first = took(dp, 0, 0, false);
	assert_int_equal(dp->worker->team.spread.loads[0].bytes, on_first * (100 + 54 + 24));
	assert_in_range(on_first, 15, 45);
	assert_int_equal(on_first + took(dp, 1, 0, false), 60);
	assert_int_equal(team_deadline(&dp->worker->team), clock_now(&dp->clock) + NSEC_PER_SEC);
	assert_true(dp->worker->next_ns <= clock_now(&dp->clock) + NSEC_PER_SEC);

	/* a NIC that refuses costs no frame, before anybody says that its link is gone */
	forget(dp);
	dp->nics[0]->send_error = ENOBUFS;
	dp->nics[0]->carrier = 0;
	send_flows(dp, 0, 60);
	assert_int_equal(took(dp, 1, 0, false), 60);
}

/* A broadcast comes in on this NIC: does guest 0 get it? */
static bool broadcast_arrives(struct dp *dp, int nic)
{
	static const uint8_t all[6] = {255, 255, 255, 255, 255, 255};
	const uint32_t len = dp_tcp(frame, all, dp_wire_mac, 100, 2);
	uint8_t got[4096];
	uint16_t flags, gso;

	dp_post_rx(dp, 0, 1);
	dp_incoming(dp->nics[nic], frame, len, NULL, -1);
	dp_run(dp);
	return dp_receive(&dp->guests[0], got, &flags, &gso) > 0;
}

/* A static aggregation sends a broadcast through any one of its links, other switches through all:
 * guests get it once. */
static void broadcasts_arrive_once(void **state)
{
	struct dp *dp = *state;

	set_mode(dp, "hash");
	assert_true(broadcast_arrives(dp, 0));
	assert_true(broadcast_arrives(dp, 1));
	set_mode(dp, "slb");
	assert_true(broadcast_arrives(dp, 0));
	assert_false(broadcast_arrives(dp, 1));
	set_mode(dp, "active-backup");
	assert_true(broadcast_arrives(dp, 0));
	assert_false(broadcast_arrives(dp, 1));
	link_is(dp, 0, false);
	assert_true(broadcast_arrives(dp, 1));
	set_mode(dp, "hash");
	assert_false(broadcast_arrives(dp, 0)); /* it is down */
}

static void gso_counts_as_its_segments(void **state)
{
	static const uint16_t slots[] = {2000, 1054, 0};
	struct dp *dp = *state;
	const uint32_t len = dp_tcp(frame, dp_wire_mac, dp->guests[0].mac, 3000, 1);

	dp_send(dp, 0, frame, len, slots, NETTXF_csum_blank, 1446, XEN_NETIF_GSO_TYPE_TCPV4);
	dp_run(dp);
	assert_int_equal(took(dp, 0, 0, false), 1);
	assert_int_equal(dp->worker->team.spread.loads[0].bytes, 3000 + 3 * (54 + 24));
}

static void a_bound_guest_uses_its_nic(void **state)
{
	struct dp *dp = *state;

	set_mode(dp, "hash");
	vif_set_pin(dp->guests[0].vif, "nic1", false);
	send_flows(dp, 0, 30);
	assert_int_equal(took(dp, 1, 0, false), 30);
	link_is(dp, 1, false);
	send_flows(dp, 0, 30);
	assert_int_equal(took(dp, 0, 0, false), 30);
	vif_set_pin(dp->guests[0].vif, "", true);
	dp_advance(dp, 100 * NSEC_PER_MSEC);
	link_is(dp, 1, true);
	forget(dp);
	send_flows(dp, 0, 30); /* alone there, and there it stays */
	assert_int_equal(took(dp, 0, 0, false), 30);
}

static void addresses_are_announced_where_their_guests_send(void **state)
{
	struct dp *dp = *state;

	set_mode(dp, "slb");
	vif_set_pin(dp->guests[0].vif, "nic1 nic0", false);
	vif_set_pin(dp->guests[1].vif, "nic0 nic1", false);
	send_flows(dp, 0, 1);
	send_flows(dp, 1, 1);
	forget(dp);
	link_is(dp, 1, false); /* not the designated one: no active member changes */
	assert_int_equal(took(dp, 0, 0, true), 1);
	assert_int_equal(took(dp, 0, 1, true), 1);
	dp_advance(dp, 100 * NSEC_PER_MSEC);
	forget(dp);
	link_is(dp, 1, true);
	assert_int_equal(took(dp, 0, 0, true) + took(dp, 1, 0, true), 1);
	assert_int_equal(took(dp, 0, 1, true), 1);
	forget(dp);
	link_is(dp, 0, false);
	for (unsigned int i = 0; i < DP_GUESTS; i++)
		assert_int_equal(took(dp, 1, i, true), 1);
}

/* Guest 0 sends a frame in a VLAN. */
static void send_in_vlan(struct dp *dp, uint16_t vid)
{
	const uint32_t len = dp_tcp(frame + FRAME_TAG_LEN, dp_wire_mac, dp->guests[0].mac, 100, 2);

	frame_insert_tag(frame + FRAME_TAG_LEN, FRAME_TYPE_VLAN, vid);
	dp_send(dp, 0, frame, len + FRAME_TAG_LEN, NULL, NETTXF_data_validated, 0, 0);
	dp_run(dp);
}

/* How often a NIC announced guest 0 in a VLAN. */
static unsigned int announced_in_vlan(struct dp *dp, int nic, uint16_t vid)
{
	uint8_t rarp[FRAME_TAG_LEN + FRAME_ANNOUNCE_LEN];
	unsigned int n = 0;

	frame_rarp(rarp + FRAME_TAG_LEN, dp->guests[0].mac);
	frame_insert_tag(rarp + FRAME_TAG_LEN, FRAME_TYPE_VLAN, vid);
	for (unsigned int i = 0; i < dp->nics[nic]->n_sent; i++)
		n += dp->nics[nic]->sent[i]->len == sizeof(rarp) &&
		     memcmp(dp->nics[nic]->sent[i]->data, rarp, sizeof(rarp)) == 0;
	return n;
}

/* Switches look a guest up in its VLAN. */
static void guests_are_announced_in_their_vlans(void **state)
{
	struct dp *dp = *state;

	send_in_vlan(dp, 42);
	dp_advance(dp, 100 * NSEC_PER_MSEC);
	forget(dp);
	link_is(dp, 0, false);
	assert_int_equal(announced_in_vlan(dp, 1, 42), 1);
	for (unsigned int i = 0; i < DP_GUESTS; i++)
		assert_int_equal(took(dp, 1, i, true), 1);
}

/* In mode slb each VLAN of a guest has its member. */
static void a_vlan_is_announced_where_its_frames_go(void **state)
{
	struct dp *dp = *state;
	unsigned int second = 0;
	int used[VLANS_MAX];

	set_mode(dp, "slb");
	for (uint16_t vid = 1; vid <= VLANS_MAX; vid++) {
		send_in_vlan(dp, vid);
		used[vid - 1] = (int)took(dp, 1, 0, false);
		second += (unsigned int)used[vid - 1];
		forget(dp);
	}
	assert_in_range(second, 1, VLANS_MAX - 1);		    /* on both */
	uplink_announce_set(dp->worker, &dp->worker->team.options); /* another mode than before */
	dp_run(dp);
	for (uint16_t vid = 1; vid <= VLANS_MAX; vid++) {
		assert_int_equal(announced_in_vlan(dp, used[vid - 1], vid), 1);
		assert_int_equal(announced_in_vlan(dp, !used[vid - 1], vid), 0);
	}
}

/* The new active member takes nothing for a while. */
static void announcements_wait_for_a_full_member(void **state)
{
	struct dp *dp = *state;

	dp->nics[1]->send_error = ENOBUFS;
	link_is(dp, 0, false);
	for (unsigned int ms = 0; ms < 2000; ms++)
		dp_advance(dp, NSEC_PER_MSEC);
	forget(dp);
	dp->nics[1]->send_error = 0;
	for (unsigned int ms = 0; ms < 11; ms++)
		dp_advance(dp, NSEC_PER_MSEC);
	for (unsigned int i = 0; i < DP_GUESTS; i++)
		assert_int_equal(took(dp, 1, i, true), 1);
}

static void announce_by(struct dp *dp, enum announce_kind kind)
{
	struct team_options options = dp->worker->team.options;

	options.announce = (int)kind;
	uplink_announce_set(dp->worker, &options);
}

/* An ARP question of `src` for its address 10.0.0.n, which a guest sends, or (-1) comes in on NIC
 * 1, where it does not count as a frame for guests. */
static void arp_from(struct dp *dp, int guest, const uint8_t src[6], uint8_t n)
{
	uint8_t arp[FRAME_ANNOUNCE_LEN];

	frame_arp(arp, src, 0x0a000000u + n);
	arp[41] = 254; /* asks for the gateway */
	if (guest >= 0)
		dp_send(dp, (unsigned int)guest, arp, sizeof(arp), NULL, 0, 0, 0);
	else
		dp_incoming(dp->nics[1], arp, sizeof(arp), NULL, -1);
	dp_run(dp);
}

/* ARP announcements of a guest for 10.0.0.n that the NIC sent. */
static unsigned int arps(struct dp *dp, int nic, unsigned int guest, uint8_t n)
{
	const struct dp_nic *d = dp->nics[nic];
	uint8_t expect[FRAME_ANNOUNCE_LEN];
	unsigned int count = 0;

	frame_arp(expect, dp->guests[guest].mac, 0x0a000000u + n);
	for (unsigned int i = 0; i < d->n_sent; i++)
		count += d->sent[i]->len == sizeof(expect) &&
			 !memcmp(d->sent[i]->data, expect, sizeof(expect));
	return count;
}

static void guests_are_announced_by_arp(void **state)
{
	struct dp *dp = *state;

	arp_from(dp, 0, dp->guests[0].mac, 9); /* nobody listens yet */
	announce_by(dp, ANNOUNCE_GARP);
	arp_from(dp, 0, dp->guests[0].mac, 1);
	arp_from(dp, 0, dp->guests[1].mac, 2); /* spoofed: goes nowhere */
	arp_from(dp, 1, dp->guests[1].mac, 3);
	arp_from(dp, 2, dp->guests[2].mac, 4);
	arp_from(dp, -1, dp_wire_mac, 3); /* a virtual address that moved */
	forget(dp);
	link_is(dp, 0, false);
	assert_int_equal(dp->nics[1]->n_sent, DP_GUESTS);
	assert_int_equal(arps(dp, 1, 0, 1), 1);
	assert_int_equal(took(dp, 1, 1, true), 1);
	assert_int_equal(arps(dp, 1, 2, 4), 1);
	assert_int_equal(dp->worker->stats.announced_arp, 2);

	announce_by(dp, ANNOUNCE_BOTH);
	dp_disconnect(dp, 2);
	forget(dp);
	link_is(dp, 0, true);
	assert_int_equal(dp->nics[0]->n_sent, 3);
	assert_int_equal(took(dp, 0, 0, true) + took(dp, 0, 1, true), 2);
	assert_int_equal(arps(dp, 0, 0, 1), 1);

	/* forgotten with the key, learned anew */
	announce_by(dp, ANNOUNCE_RARP);
	announce_by(dp, ANNOUNCE_GARP);
	forget(dp);
	link_is(dp, 0, false);
	assert_int_equal(dp->nics[1]->n_sent, 2);
	assert_int_equal(took(dp, 1, 0, true) + took(dp, 1, 1, true), 2);
}

/* What a bridge in a guest has behind it goes with the guest, and an address that was announced
 * from elsewhere is not announced here any more. */
static void announcements_end_with_their_address(void **state)
{
	static const uint8_t nested[6] = {2, 0, 0, 7, 7, 7};
	struct dp *dp = *state;
	struct vif_config config = dp_config(dp, 0);
	uint8_t rarp[FRAME_ANNOUNCE_LEN];

	dp_disconnect(dp, 0);
	config.learning = true;
	dp_connect(dp, 0, &config);
	announce_by(dp, ANNOUNCE_BOTH);
	arp_from(dp, 0, nested, 7);
	forget(dp);
	dp->nics[1]->send_error = ENOBUFS;
	link_is(dp, 0, false);
	assert_int_equal(dp->nics[1]->n_sent, 0);
	assert_int_equal(announce_pending(&dp->worker->announce), DP_GUESTS + 2);
	dp_disconnect(dp, 0);
	assert_int_equal(announce_pending(&dp->worker->announce), DP_GUESTS - 1);
	clock_advance(&dp->clock, SWITCH_GARP_LOCK_NS);
	frame_rarp(rarp, dp->guests[1].mac);
	dp_incoming(dp->nics[1], rarp, sizeof(rarp), NULL, -1);
	(void)dp_pass(dp); /* timers come after frames */
	dp->nics[1]->send_error = 0;
	dp_advance(dp, NSEC_PER_SEC);
	dp_advance(dp, NSEC_PER_SEC);
	assert_int_equal(took(dp, 1, 0, true), 0);
	assert_int_equal(took(dp, 1, 1, true), 0);
	assert_int_equal(took(dp, 1, 2, true), 1);
}

static bool arrives(struct dp *dp, unsigned int nic, unsigned int guest)
{
	uint8_t got[4096];
	const uint32_t len = dp_tcp(frame, dp->guests[guest].mac, dp_wire_mac, 100, 2);

	dp_post_rx(dp, guest, 1);
	dp_incoming(dp->nics[nic], frame, len, NULL, -1);
	dp_run(dp);
	return dp_receive(&dp->guests[guest], got, NULL, NULL) > 0;
}

/* A standby member that sent in place of the active one, which took nothing for a while: there the
 * switch has learned the guest, and sends it the answers. */
static void answers_follow_a_detour(void **state)
{
	struct dp *dp = *state;
	uint32_t len;

	assert_false(arrives(dp, 1, 0));
	len = dp_tcp(frame, dp_wire_mac, dp->guests[0].mac, 100, 2);
	dp->nics[0]->send_error = ENOBUFS;
	dp_send(dp, 0, frame, len, NULL, NETTXF_data_validated, 0, 0);
	for (unsigned int ms = 0; ms < 10; ms++)
		dp_advance(dp, NSEC_PER_MSEC);
	assert_int_equal(took(dp, 1, 0, false), 1);
	dp->nics[0]->send_error = 0;
	assert_int_equal(dp->worker->team.active, 0);
	assert_true(arrives(dp, 1, 0));
	assert_true(arrives(dp, 0, 0));
	link_is(dp, 0, false);
	link_is(dp, 0, true); /* announced anew: the switch knows better */
	assert_int_equal(dp->worker->team.active, 0);
	assert_false(arrives(dp, 1, 0));
}

/* A frame that went elsewhere because its member took nothing is not overtaken by the next one when
 * that takes frames again; flows and bound guests. */
static void who_stepped_aside_stays_until_it_pauses(void **state)
{
	struct dp *dp = *state;
	const struct vif *vif = dp->guests[0].vif;

	for (unsigned int bound = 0; bound < 2; bound++) {
		set_mode(dp, "hash");
		dp_advance(dp, 100 * NSEC_PER_MSEC);
		vif_set_pin(dp->guests[0].vif, bound ? "nic0" : "", false);
		send_flows(dp, 0, 60);
		forget(dp);
		dp->nics[0]->send_error = ENOBUFS;
		dp->nics[0]->carrier = 0;
		send_flows(dp, 0, 60);
		assert_int_equal(took(dp, 1, 0, false), 60);
		dp->nics[0]->send_error = 0;
		dp->nics[0]->carrier = 1;
		send_flows(dp, 0, 60); /* at once: all stay */
		assert_int_equal(took(dp, 0, 0, false), 0);
		dp_advance(dp, 100 * NSEC_PER_MSEC);
		send_flows(dp, 0, 60);
		assert_true(took(dp, 0, 0, false) >= (bound ? 60 : 15));
		forget(dp);
	}
	assert_int_equal(vif->stats.tx_no_member, 0);
}

/* A third NIC, as the second; ends with remove_third. */
static struct dp_nic *add_third(struct dp *dp)
{
	struct dp_nic *third = calloc(1, sizeof(*third));

	*third = *dp->nics[1];
	strcpy(third->nic.name, "nic2");
	assert_int_equal(uplink_add(dp->worker, "nic2", 1, &third->nic), 2);
	team_on_link(&dp->worker->team, 2, true, clock_now(&dp->clock));
	return third;
}

static void remove_third(struct dp *dp, struct dp_nic *third)
{
	struct nic *nic;

	assert_int_equal(uplink_remove(dp->worker, "nic2", &nic), 0);
	while (third->n_sent > 0)
		free(third->sent[--third->n_sent]);
	free(third);
}

/* Who waited for one full member does not wait for the next one, where a third takes frames. */
static void one_full_member_is_waited_for(void **state)
{
	struct dp *dp = *state;
	struct dp_nic *third = add_third(dp);
	uint32_t len = dp_tcp(frame, dp_wire_mac, dp->guests[0].mac, 100, 2);

	dp->nics[0]->send_error = dp->nics[1]->send_error = ENOBUFS;
	dp_send(dp, 0, frame, len, NULL, NETTXF_data_validated, 0, 0);
	for (unsigned int ms = 0; ms < 5; ms++)
		dp_advance(dp, NSEC_PER_MSEC);
	assert_int_equal(third->n_sent, 0);
	for (unsigned int ms = 0; ms < 2; ms++)
		dp_advance(dp, NSEC_PER_MSEC);
	assert_int_equal(third->n_sent, 1);
	remove_third(dp, third);
}

/* A bound guest's frame that its member refused takes no bucket away from a full member on which
 * frames of another guest still are. */
static void a_bucket_stays_where_its_frames_are(void **state)
{
	struct dp *dp = *state;
	struct dp_nic *third = add_third(dp);
	struct dp_nic *const nics[3] = {dp->nics[0], dp->nics[1], third};
	const struct dp_nic *idle;
	struct dp_nic *full, *dead;
	struct team_options options;
	unsigned int at;

	set_mode(dp, "hash");
	options = dp->worker->team.options;
	options.hash = FLOW_DST; /* all of it in one bucket */
	team_set_options(&dp->worker->team, &options, clock_now(&dp->clock));
	dp_advance(dp, 100 * NSEC_PER_MSEC);
	send_flow(dp, 1, 0);
	at = nics[0]->n_sent ? 0 : nics[1]->n_sent ? 1 : 2;
	assert_int_equal(nics[at]->n_sent, 1);
	full = nics[at];
	dead = nics[(at + 1) % 3];
	idle = nics[(at + 2) % 3];
	vif_set_pin(dp->guests[0].vif, dead->nic.name, false);
	dead->send_error = full->send_error = ENOBUFS;
	dead->carrier = 0;
	send_flow(dp, 0, 0);
	send_flow(dp, 1, 0);
	assert_int_equal(full->n_sent, 1);
	full->send_error = 0;
	dp_advance(dp, NSEC_PER_MSEC);
	assert_int_equal(full->n_sent, 3);
	assert_int_equal(idle->n_sent, 0);
	remove_third(dp, third);
}

/* In mode slb: the guest's switch port is not used any more, though its link is up. */
static void who_makes_room_for_max_links_is_announced(void **state)
{
	struct dp *dp = *state;
	struct team_options options;

	set_mode(dp, "slb");
	send_flows(dp, 0, 1);
	dp_advance(dp, 100 * NSEC_PER_MSEC);
	forget(dp);
	options = dp->worker->team.options;
	options.max_links = 1;
	team_set_options(&dp->worker->team, &options, clock_now(&dp->clock));
	worker_deadline(dp->worker, 0);
	dp_run(dp);
	for (unsigned int i = 0; i < DP_GUESTS; i++)
		assert_int_equal(took(dp, 0, i, true), 1);
}

/* Guests were known on all members, and now count on one only. */
static void a_mode_with_one_member_is_announced(void **state)
{
	struct dp *dp = *state;

	set_mode(dp, "hash");
	send_flows(dp, 0, 10);
	dp_advance(dp, 100 * NSEC_PER_MSEC);
	forget(dp);
	set_mode(dp, "active-backup");
	worker_deadline(dp->worker, 0);
	dp_run(dp);
	for (unsigned int i = 0; i < DP_GUESTS; i++)
		assert_int_equal(took(dp, 0, i, true), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(flows_use_both_nics, dp_setup, dp_teardown),
		cmocka_unit_test_setup_teardown(broadcasts_arrive_once, dp_setup, dp_teardown),
		cmocka_unit_test_setup_teardown(gso_counts_as_its_segments, dp_setup, dp_teardown),
		cmocka_unit_test_setup_teardown(a_bound_guest_uses_its_nic, dp_setup, dp_teardown),
		cmocka_unit_test_setup_teardown(addresses_are_announced_where_their_guests_send,
						dp_setup, dp_teardown),
		cmocka_unit_test_setup_teardown(guests_are_announced_in_their_vlans, dp_setup,
						dp_teardown),
		cmocka_unit_test_setup_teardown(a_vlan_is_announced_where_its_frames_go, dp_setup,
						dp_teardown),
		cmocka_unit_test_setup_teardown(announcements_wait_for_a_full_member, dp_setup,
						dp_teardown),
		cmocka_unit_test_setup_teardown(guests_are_announced_by_arp, dp_setup, dp_teardown),
		cmocka_unit_test_setup_teardown(announcements_end_with_their_address, dp_setup,
						dp_teardown),
		cmocka_unit_test_setup_teardown(answers_follow_a_detour, dp_setup, dp_teardown),
		cmocka_unit_test_setup_teardown(who_stepped_aside_stays_until_it_pauses, dp_setup,
						dp_teardown),
		cmocka_unit_test_setup_teardown(one_full_member_is_waited_for, dp_setup,
						dp_teardown),
		cmocka_unit_test_setup_teardown(a_bucket_stays_where_its_frames_are, dp_setup,
						dp_teardown),
		cmocka_unit_test_setup_teardown(who_makes_room_for_max_links_is_announced, dp_setup,
						dp_teardown),
		cmocka_unit_test_setup_teardown(a_mode_with_one_member_is_announced, dp_setup,
						dp_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
