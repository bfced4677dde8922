/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-switch.c - ports and their addresses: delivery, anti-spoof, learning, ageing, limits,
 * multicast filters, and the table against a model that searches one by one. test-switch-rules.c
 * has the rules for frames from NICs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "switch-lab.h"

static int setup(void **state)
{
	*state = sw_create();
	return 0;
}

static int teardown(void **state)
{
	sw_destroy(*state);
	return 0;
}

static void guests_reach_each_other_and_the_team(void **state)
{
	struct sw *sw = *state;
	const int a = lab_port(sw, 1, SPOOF_OFF), b = lab_port(sw, 2, SPOOF_OFF);

	assert_int_equal(a, 0);
	assert_int_equal(b, 1);
	lab_guest(sw, a, 1, 2, LOCAL(b));
	lab_guest(sw, b, 2, 1, LOCAL(a));
	lab_guest(sw, a, 1, 99, UPLINK);
	lab_guest(sw, a, 1, BROADCAST, FLOOD);
	lab_guest(sw, a, 1, GROUP(7), FLOOD);
	lab_guest(sw, a, 1, 1, UNKNOWN); /* to itself: goes nowhere */
	lab_nic(sw, 50, 1, LOCAL(a));
	lab_nic(sw, 50, 99, UNKNOWN);
	lab_nic(sw, 50, BROADCAST, FLOOD);
}

static void own_addresses_are_unique(void **state)
{
	static const uint8_t zero[6], group[6] = {1, 0, 0x5e, 0, 0, 1};
	struct sw_port_options options = {.learning = false};
	struct sw *sw = *state;
	const int a = lab_port(sw, 1, SPOOF_OFF);

	assert_int_equal(lab_port(sw, 1, SPOOF_OFF), -EEXIST);
	assert_int_equal(lab_port(sw, 1, LEARNING), -EEXIST);
	memcpy(options.mac, zero, 6);
	assert_int_equal(sw_port_add(sw, &options), -EINVAL);
	memcpy(options.mac, group, 6);
	assert_int_equal(sw_port_add(sw, &options), -EINVAL);
	sw_port_remove(sw, a);
	assert_int_equal(lab_port(sw, 1, SPOOF_OFF), a);
}

static void removal_forgets_everything(void **state)
{
	struct sw *sw = *state;
	const int a = lab_port(sw, 1, LEARNING), b = lab_port(sw, 2, SPOOF_OFF);
	uint8_t macs[8][6], learned[6], own[6];

	lab_mac(11, learned);
	lab_mac(1, own);
	assert_int_equal(sw_port_of(sw, learned), -1);
	lab_guest(sw, a, 11, 99, UPLINK);
	lab_guest(sw, b, 2, 11, LOCAL(a));
	assert_int_equal(sw_port_of(sw, learned), a);
	assert_int_equal(sw_port_of(sw, own), a);
	sw_mcast_filter(sw, a, true);
	lab_mcast_add(sw, a, GROUP(7), 0);
	sw_port_remove(sw, a);
	assert_int_equal(sw_port_of(sw, learned), -1);
	lab_guest(sw, b, 2, 11, UPLINK);
	lab_guest(sw, b, 2, 1, UPLINK);
	lab_nic(sw, 11, 2, LOCAL(b)); /* no reflection: it lives outside now */
	assert_int_equal(sw_macs(sw, macs, 8), 1);
	assert_int_equal(lab_port(sw, 3, SPOOF_OFF),
			 a); /* the number is given again, without filter */
	assert_true(lab_floods_to(sw, a, GROUP(8)));
	sw_mcast_filter(sw, a, true);
	assert_false(lab_floods_to(sw, a, GROUP(7)));
}

static void antispoof_drops_foreign_sources(void **state)
{
	struct sw *sw = *state;
	const int a = lab_port(sw, 1, SPOOF_ON), b = lab_port(sw, 2, SPOOF_OFF);

	lab_guest(sw, a, 1, 2, LOCAL(b));
	lab_guest(sw, a, 3, 2, SPOOF);
	lab_guest(sw, a, 2, 99, SPOOF);
	lab_guest(sw, a, 3, BROADCAST, SPOOF);
	lab_guest(sw, a, GROUP(1), 2, SPOOF);
	/* off: it may send with a free address, but frames for that do not come here */
	lab_guest(sw, b, 3, 99, UPLINK);
	lab_nic(sw, 50, 3, UNKNOWN);
	/* the own address of another guest is never free, nor is a group's */
	lab_guest(sw, b, 1, 99, SPOOF);
	lab_guest(sw, b, GROUP(1), 99, SPOOF);
}

static void learning_ports_have_more_addresses(void **state)
{
	struct sw *sw = *state;
	const int a = lab_port(sw, 1, LEARNING), b = lab_port(sw, 2, SPOOF_ON),
		  c = lab_port(sw, 3, LEARNING);

	lab_guest(sw, b, 2, 11, UPLINK);
	lab_guest(sw, a, 11, 99, UPLINK);
	lab_guest(sw, b, 2, 11, LOCAL(a));
	lab_guest(sw, a, 1, 11, UNKNOWN); /* both live behind port a */
	lab_nic(sw, 50, 11, LOCAL(a));
	lab_guest(sw, c, 11, 99, UPLINK); /* it moved to c */
	lab_guest(sw, b, 2, 11, LOCAL(c));
	lab_guest(sw, a, 2, 99, SPOOF); /* own addresses can't be taken over */
	lab_guest(sw, a, 0, 99, SPOOF);
	lab_guest(sw, a, GROUP(3), 99, SPOOF);
	assert_int_equal(lab_port(sw, 11, SPOOF_ON), 3); /* the toolstack knows better */
	lab_guest(sw, b, 2, 11, LOCAL(3));
	lab_guest(sw, c, 11, 99, SPOOF);
}

static void learning_has_a_limit(void **state)
{
	struct sw *sw = *state;
	const int a = lab_port(sw, 1, LEARNING), b = lab_port(sw, 2, LEARNING);

	for (int i = 0; i < SWITCH_LEARN_MAX; i++)
		lab_guest(sw, a, 1000 + i, 99, UPLINK);
	for (int i = 0; i < 100000; i++) /* a flood of addresses: it fills nobody's table */
		lab_guest(sw, a, 2000 + i, 99, SPOOF);
	for (int i = 0; i < SWITCH_LEARN_MAX; i++) {
		lab_guest(sw, a, 1000 + i, 99, UPLINK);
		lab_guest(sw, b, 2, 1000 + i, LOCAL(a));
	}
	lab_guest(sw, a, 1, 99, UPLINK);    /* its own does not count */
	lab_guest(sw, b, 1000, 99, UPLINK); /* one moved away: room for one */
	lab_guest(sw, a, 3000, 99, UPLINK);
	lab_guest(sw, a, 3001, 99, SPOOF);
}

static void learned_addresses_age(void **state)
{
	struct sw *sw = *state;
	const int a = lab_port(sw, 1, LEARNING), b = lab_port(sw, 2, SPOOF_ON);
	uint8_t macs[8][6];

	lab_now = 1000;
	lab_guest(sw, a, 11, 99, UPLINK);
	lab_guest(sw, a, 12, 99, UPLINK);
	lab_now += SWITCH_AGE_NS;
	lab_guest(sw, b, 2, 11, LOCAL(a));
	lab_guest(sw, a, 12, 99, UPLINK); /* speaks: young again */
	lab_now++;
	assert_int_equal(sw_macs(sw, macs, 8), 4); /* as of the last frame */
	lab_guest(sw, b, 2, 11, UPLINK);
	lab_guest(sw, b, 2, 12, LOCAL(a));
	lab_guest(sw, b, 2, 1, LOCAL(a)); /* own addresses never age */
	assert_int_equal(sw_macs(sw, macs, 8), 3);
	/* a full port takes new ones when old ones are gone */
	for (int i = 0; i < SWITCH_LEARN_MAX - 1; i++)
		lab_guest(sw, a, 1000 + i, 99, UPLINK);
	lab_guest(sw, a, 2000, 99, SPOOF);
	lab_now += SWITCH_AGE_NS + 1;
	for (int i = 0; i < SWITCH_LEARN_MAX; i++)
		lab_guest(sw, a, 2000 + i, 99, UPLINK);
	lab_guest(sw, a, 3000, 99, SPOOF);
	assert_int_equal(sw_macs(sw, macs, 8), 8);
}

/* A frame of src in a VLAN (with a priority), to nobody in particular. */
static void speak_in(struct sw *sw, int port, int src, uint16_t vid)
{
	const struct lab_frame plain = lab_plain(src, 99);
	struct lab_frame frame = lab_tagged(&plain);

	frame.bytes[14] = (uint8_t)(5 << 5 | vid >> 8);
	frame.bytes[15] = (uint8_t)vid;
	lab_frame_guest(sw, port, &frame, UPLINK);
}

static void vlans_are_known_of_each_address(void **state)
{
	struct sw *sw = *state;
	const int a = lab_port(sw, 1, LEARNING);
	struct lab_frame cut = lab_plain(1, 99);
	uint8_t own[6], learned[6];

	lab_mac(1, own);
	lab_mac(2, learned);
	lab_now = 1;
	lab_guest(sw, a, 1, 99, UPLINK);
	speak_in(sw, a, 1, 0); /* a priority only */
	speak_in(sw, a, 1, 4095);
	cut.bytes[12] = 0x81;
	cut.bytes[13] = 0;
	cut.len = 17; /* no tag behind its type */
	lab_frame_guest(sw, a, &cut, UPLINK);
	assert_int_equal(sw_vlans(sw, own).n, 0);
	assert_int_equal(sw_vlans(sw, learned).n, 0);
	for (unsigned int i = 0; i < 3; i++) {
		speak_in(sw, a, 1, 4094);
		speak_in(sw, a, 1, 1);
		speak_in(sw, a, 2, 700);
	}
	assert_int_equal(sw_vlans(sw, own).n, 2);
	assert_int_equal(sw_vlans(sw, own).ids[0], 4094);
	assert_int_equal(sw_vlans(sw, own).ids[1], 1);
	assert_int_equal(sw_vlans(sw, learned).n, 1);
	assert_int_equal(sw_vlans(sw, learned).ids[0], 700);
	/* the last ones */
	for (uint16_t vid = 100; vid < 100 + VLANS_MAX; vid++)
		speak_in(sw, a, 1, vid);
	assert_int_equal(sw_vlans(sw, own).n, VLANS_MAX);
	for (unsigned int i = 0; i < VLANS_MAX; i++)
		assert_in_range(sw_vlans(sw, own).ids[i], 100, 99 + VLANS_MAX);
	/* forgotten with the address */
	lab_now += SWITCH_AGE_NS + 1;
	assert_int_equal(sw_vlans(sw, learned).n, 1); /* as of the last frame */
	lab_guest(sw, a, 1, 99, UPLINK);
	assert_int_equal(sw_vlans(sw, learned).n, 0);
	lab_guest(sw, a, 2, 99, UPLINK);
	assert_int_equal(sw_vlans(sw, learned).n, 0);
	sw_port_remove(sw, a);
	assert_int_equal(sw_vlans(sw, own).n, 0);
}

static void aged_addresses_free_their_port(void **state)
{
	struct sw *sw = *state;
	const int a = lab_port(sw, 1, LEARNING);

	lab_now = 1;
	for (int i = 0; i < SWITCH_LEARN_MAX; i++)
		lab_guest(sw, a, 1000 + i, 99, UPLINK);
	lab_now += SWITCH_AGE_NS + 1;
	lab_nic(sw, 1000, 1, LOCAL(a)); /* no reflection any more */
	lab_nic(sw, 50, 1001, UNKNOWN);
	lab_guest(sw, a, 2000, 99, UPLINK);
}

static void all_ports_can_be_full(void **state)
{
	struct sw *sw = *state;
	static uint8_t macs[SWITCH_PORTS_MAX * (SWITCH_LEARN_MAX + 1)][6];

	for (int p = 0; p < SWITCH_PORTS_MAX; p++)
		assert_int_equal(lab_port(sw, 100000 + p, LEARNING), p);
	assert_int_equal(lab_port(sw, 99, SPOOF_ON), -ENOSPC);
	for (int p = 0; p < SWITCH_PORTS_MAX; p++)
		for (int i = 0; i < SWITCH_LEARN_MAX; i++)
			lab_guest(sw, p, 200000 + p * SWITCH_LEARN_MAX + i, 99, UPLINK);
	for (int p = 0; p < SWITCH_PORTS_MAX; p += 13)
		for (int i = 0; i < SWITCH_LEARN_MAX; i += 3)
			lab_nic(sw, 50, 200000 + p * SWITCH_LEARN_MAX + i, LOCAL(p));
	assert_int_equal(sw_macs(sw, macs, sizeof(macs) / 6), sizeof(macs) / 6);
	assert_int_equal(sw_macs(sw, macs, 10), 10);
	for (int p = 0; p < SWITCH_PORTS_MAX; p++)
		sw_port_remove(sw, p);
	assert_int_equal(sw_macs(sw, macs, 10), 0);
	lab_nic(sw, 50, 200000, UNKNOWN);
	assert_int_equal(lab_port(sw, 99, SPOOF_ON), 0);
}

static void floods_to_each_port_once(void **state)
{
	struct sw *sw = *state;
	int ports[200], n = 0, prev = -1;
	uint8_t dst[6];

	for (int i = 0; i < 200; i++)
		ports[i] = lab_port(sw, i + 1, SPOOF_ON);
	for (int i = 0; i < 200; i += 3)
		sw_port_remove(sw, ports[i]);
	lab_mac(BROADCAST, dst);
	while ((prev = sw_flood_next(sw, dst, 64, prev)) >= 0) {
		assert_int_not_equal(prev % 3, 0);
		assert_int_not_equal(prev, 64);
		n++;
	}
	assert_int_equal(n, 132);
	assert_int_equal(sw_flood_next(sw, dst, -1, 1022), -1);
	assert_int_equal(sw_flood_next(sw, dst, -1, 1023), -1);
	for (int i = 0; i < 200; i++)
		if (i % 3)
			sw_port_remove(sw, ports[i]);
	assert_int_equal(sw_flood_next(sw, dst, -1, -1), -1);
}

static void multicast_filter(void **state)
{
	struct sw *sw = *state;
	const int a = lab_port(sw, 1, SPOOF_ON), b = lab_port(sw, 2, SPOOF_ON);

	lab_mcast_add(sw, a, GROUP(1), 0); /* may come before the switch */
	assert_true(lab_floods_to(sw, a, GROUP(2)));
	sw_mcast_filter(sw, a, true);
	assert_true(lab_floods_to(sw, a, GROUP(1)));
	assert_false(lab_floods_to(sw, a, GROUP(2)));
	assert_true(lab_floods_to(sw, a, BROADCAST));
	assert_true(lab_floods_to(sw, b, GROUP(2)));
	lab_mcast_add(sw, a, GROUP(2), 0);
	lab_mcast_add(sw, a, GROUP(2), 0); /* twice is once */
	lab_mcast_del(sw, a, GROUP(1));
	lab_mcast_del(sw, a, GROUP(1));
	assert_false(lab_floods_to(sw, a, GROUP(1)));
	assert_true(lab_floods_to(sw, a, GROUP(2)));
	lab_mcast_add(sw, a, 5, -EINVAL);
	for (int i = 0; i < SWITCH_MCAST_MAX - 1; i++)
		lab_mcast_add(sw, a, GROUP(100 + i), 0);
	lab_mcast_add(sw, a, GROUP(100), 0);
	lab_mcast_add(sw, a, GROUP(500), -ENOSPC);
	assert_false(lab_floods_to(sw, a, GROUP(500)));
	assert_true(lab_floods_to(sw, a, GROUP(162)));
	sw_mcast_filter(sw, a, false);
	assert_true(lab_floods_to(sw, a, GROUP(500)));
}

static void short_frames_go_nowhere(void **state)
{
	struct sw *sw = *state;
	const int a = lab_port(sw, 1, SPOOF_OFF);

	for (size_t n = 0; n < 14; n++) {
		uint8_t *frame = calloc(1, n + 1);

		assert_int_equal(sw_from_guest(sw, a, frame, n, 1).verdict,
				 SW_VERDICT_DROP_UNKNOWN);
		assert_int_equal(sw_from_nic(sw, true, true, frame, n, 1).verdict,
				 SW_VERDICT_DROP_UNKNOWN);
		free(frame);
	}
}

static void every_verdict_has_a_name(void **state)
{
	for (int i = 0; i < SW_VERDICT_COUNT; i++) {
		assert_string_not_equal(sw_verdict_name((enum sw_verdict)i), "unknown verdict");
		for (int j = 0; j < i; j++)
			assert_string_not_equal(sw_verdict_name((enum sw_verdict)i),
						sw_verdict_name((enum sw_verdict)j));
	}
	assert_string_equal(sw_verdict_name((enum sw_verdict)SW_VERDICT_COUNT), "unknown verdict");
}

/* The same by the slowest means: for each address the port that it belongs to. */
#define MODEL_MACS 400

struct model {
	int owner[MODEL_MACS]; /* own address of this port, -1 */
	int learned[MODEL_MACS];
	unsigned int n_learned[SWITCH_PORTS_MAX];
};

static void model_guest(struct model *m, struct sw *sw, int port, int src, int dst)
{
	const int at = m->owner[dst] >= 0 ? m->owner[dst] : m->learned[dst];

	if (m->owner[src] != port && m->learned[src] != port) {
		if (m->owner[src] >= 0 || m->n_learned[port] == SWITCH_LEARN_MAX) {
			lab_guest(sw, port, src, dst, SPOOF);
			return;
		}
		if (m->learned[src] >= 0)
			m->n_learned[m->learned[src]]--;
		m->learned[src] = port;
		m->n_learned[port]++;
		model_guest(m, sw, port, src, dst);
		return;
	}
	if (at < 0)
		lab_guest(sw, port, src, dst, UPLINK);
	else if (at == port)
		lab_guest(sw, port, src, dst, UNKNOWN);
	else
		lab_guest(sw, port, src, dst, LOCAL(at));
}

static void model_add(struct model *m, struct sw *sw, int mac)
{
	const int port = lab_port(sw, mac, LEARNING);

	if (m->owner[mac] >= 0) {
		assert_int_equal(port, -EEXIST);
		return;
	}
	assert_true(port >= 0);
	if (m->learned[mac] >= 0)
		m->n_learned[m->learned[mac]]--;
	m->learned[mac] = -1;
	m->owner[mac] = port;
}

static void model_remove(struct model *m, struct sw *sw, int mac)
{
	const int port = m->owner[mac];

	if (port < 0)
		return;
	sw_port_remove(sw, port);
	m->owner[mac] = -1;
	m->n_learned[port] = 0;
	for (int i = 0; i < MODEL_MACS; i++)
		if (m->learned[i] == port)
			m->learned[i] = -1;
}

static void table_equals_the_model(void **state)
{
	static struct model m;
	struct sw *sw = *state;

	srand(20240607);
	memset(m.owner, -1, sizeof(m.owner));
	memset(m.learned, -1, sizeof(m.learned));
	for (int i = 0; i < 200000; i++) {
		const int src = 1 + rand() % (MODEL_MACS - 1), dst = 1 + rand() % (MODEL_MACS - 1);
		const int any = 1 + rand() % (MODEL_MACS - 1);

		if (rand() % 20 == 0)
			model_add(&m, sw, src % 40 + 1);
		else if (rand() % 40 == 0)
			model_remove(&m, sw, src % 40 + 1);
		else if (m.owner[any % 40 + 1] >= 0)
			model_guest(&m, sw, m.owner[any % 40 + 1], src, dst);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(guests_reach_each_other_and_the_team),
		TEST(own_addresses_are_unique),
		TEST(removal_forgets_everything),
		TEST(antispoof_drops_foreign_sources),
		TEST(learning_ports_have_more_addresses),
		TEST(learning_has_a_limit),
		TEST(learned_addresses_age),
		TEST(vlans_are_known_of_each_address),
		TEST(aged_addresses_free_their_port),
		TEST(all_ports_can_be_full),
		TEST(floods_to_each_port_once),
		TEST(multicast_filter),
		TEST(short_frames_go_nowhere),
		TEST(every_verdict_has_a_name),
		TEST(table_equals_the_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
