/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-switch-rules.c - R1 to R8 of switch.h: which frames from several uplinks count, and where a
 * guest is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "common/util.h"
#include "switch-lab.h"

#define ARP  0x0806
#define RARP 0x8035
#define SEC  NSEC_PER_SEC

/* How a member may receive: usable, designated. */
#define ACTIVE	true, true
#define OTHER	true, false
#define STANDBY false, false

static int setup(void **state)
{
	lab_now = 1000 * SEC;
	*state = sw_create();
	return 0;
}

static int teardown(void **state)
{
	sw_destroy(*state);
	return 0;
}

static void r1_unicast_from_usable_members(void **state)
{
	struct sw *sw = *state;
	const int a = lab_port(sw, 1, SPOOF_ON);
	const struct lab_frame known = lab_plain(50, 1), unknown = lab_plain(50, 99);

	lab_guest(sw, a, 1, 50, UPLINK); /* not silent: R8 is another test */
	lab_frame_nic(sw, ACTIVE, &known, LOCAL(a));
	lab_frame_nic(sw, OTHER, &known, LOCAL(a));
	lab_frame_nic(sw, STANDBY, &known, INACTIVE);
	lab_frame_nic(sw, OTHER, &unknown, UNKNOWN);
	lab_frame_nic(sw, STANDBY, &unknown, INACTIVE);
}

static void r2_multicast_from_the_designated_member(void **state)
{
	struct sw *sw = *state;
	const struct lab_frame broadcast = lab_plain(50, BROADCAST),
			       group = lab_plain(50, GROUP(1));

	lab_port(sw, 1, SPOOF_ON);
	lab_frame_nic(sw, ACTIVE, &broadcast, FLOOD);
	lab_frame_nic(sw, OTHER, &broadcast, INACTIVE);
	lab_frame_nic(sw, STANDBY, &broadcast, INACTIVE);
	lab_frame_nic(sw, ACTIVE, &group, FLOOD);
	lab_frame_nic(sw, OTHER, &group, INACTIVE);
}

static void r3_own_frames_come_back(void **state)
{
	struct sw *sw = *state;
	const int a = lab_port(sw, 1, LEARNING);

	lab_port(sw, 2, SPOOF_ON);
	lab_guest(sw, a, 11, BROADCAST, FLOOD);
	lab_nic(sw, 1, BROADCAST, REFLECT);
	lab_nic(sw, 1, 2, REFLECT);
	lab_nic(sw, 11, BROADCAST, REFLECT);
	lab_nic(sw, 12, BROADCAST, FLOOD);
	lab_nic(sw, GROUP(1), 1, UNKNOWN); /* no such sender can be */
}

static void r4_an_own_address_goes_away_and_returns(void **state)
{
	struct sw *sw = *state;
	const int a = lab_port(sw, 1, SPOOF_ON), b = lab_port(sw, 2, SPOOF_ON);
	const struct lab_frame garp = lab_arp(1, BROADCAST, ARP, 1, 1);
	uint8_t macs[4][6];

	lab_guest(sw, a, 1, 50, UPLINK);
	lab_guest(sw, b, 2, 1, LOCAL(a));
	lab_frame_nic(sw, ACTIVE, &garp,
		      FLOOD); /* migrated: it announces itself from another host */
	lab_guest(sw, b, 2, 1, UPLINK);
	lab_nic(sw, 1, 2, LOCAL(b)); /* no reflection: it lives there */
	lab_nic(sw, 1, BROADCAST, FLOOD);
	assert_int_equal(sw_macs(sw, macs, 4), 1);
	lab_guest(sw, a, 1, 50, UPLINK); /* or it did not, after all */
	lab_guest(sw, b, 2, 1, LOCAL(a));
	lab_nic(sw, 1, BROADCAST, REFLECT);
	assert_int_equal(sw_macs(sw, macs, 4), 2);
}

static void r4_a_learned_address_is_forgotten(void **state)
{
	struct sw *sw = *state;
	const int a = lab_port(sw, 1, LEARNING), b = lab_port(sw, 2, SPOOF_ON);
	const struct lab_frame garp = lab_arp(11, BROADCAST, ARP, 2, 11);

	lab_guest(sw, a, 11, 50, UPLINK);
	lab_frame_nic(sw, ACTIVE, &garp, FLOOD);
	lab_guest(sw, b, 2, 11, UPLINK);
	lab_nic(sw, 50, 11, UNKNOWN);
	lab_guest(sw, a, 11, 50, UPLINK);
	lab_guest(sw, b, 2, 11, LOCAL(a));
}

static void r4_wants_an_announcement(void **state)
{
	const struct lab_frame good[] = {
		lab_arp(1, BROADCAST, ARP, 1, 1), lab_arp(1, BROADCAST, ARP, 2, 9),
		lab_arp(1, BROADCAST, RARP, 3, 0), lab_na(1, GROUP(1), 0x20)};
	const struct lab_frame bad[] = {lab_plain(1, BROADCAST),
					lab_arp(1, BROADCAST, ARP, 1, 9), /* a question */
					lab_arp(1, 2, ARP, 2, 2),	  /* an answer to one */
					lab_arp(1, BROADCAST, RARP, 4, 0),
					lab_arp(1, BROADCAST, 0x0800, 1, 1),
					lab_na(1, GROUP(1), 0x60),
					lab_na(1, 2, 0x20)};
	struct sw *sw = *state;
	struct lab_frame frame;

	for (size_t i = 0; i < ARRAY_SIZE(good) * 2; i++) {
		const int a = lab_port(sw, 1, SPOOF_ON);

		frame = i % 2 ? lab_tagged(&good[i / 2]) : good[i / 2];
		lab_frame_nic(sw, ACTIVE, &frame, FLOOD);
		sw_port_remove(sw, a);
	}
	lab_port(sw, 1, SPOOF_ON);
	for (size_t i = 0; i < ARRAY_SIZE(bad) * 2; i++) {
		frame = i % 2 ? lab_tagged(&bad[i / 2]) : bad[i / 2];
		lab_frame_nic(sw, ACTIVE, &frame, REFLECT);
	}
	frame = good[0]; /* speaks for somebody else than its sender */
	frame.bytes[14 + 8 + 5] = 7;
	lab_frame_nic(sw, ACTIVE, &frame, REFLECT);
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) { /* cut short: says nothing */
		frame = good[i];
		frame.len = i < 3 ? 41 : 61;
		lab_frame_nic(sw, ACTIVE, &frame, REFLECT);
	}
	lab_frame_nic(sw, OTHER, &good[0], INACTIVE); /* R2 before R4 */
	lab_frame_nic(sw, ACTIVE, &good[0], FLOOD);
}

static void r5_own_announcements_do_not_count(void **state)
{
	const struct lab_frame kinds[] = {lab_arp(1, BROADCAST, ARP, 1, 1),
					  lab_arp(1, BROADCAST, RARP, 3, 0),
					  lab_na(1, GROUP(1), 0x20)};
	struct sw *sw = *state;
	const int a = lab_port(sw, 1, SPOOF_ON), b = lab_port(sw, 2, SPOOF_ON);

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		lab_frame_guest(sw, a, &kinds[i], FLOOD);
		lab_now += SWITCH_GARP_LOCK_NS - 1;
		lab_frame_nic(sw, ACTIVE, &kinds[i], REFLECT);
		lab_guest(sw, b, 2, 1, LOCAL(a));
		lab_now += 1;
		lab_frame_nic(sw, ACTIVE, &kinds[i], FLOOD);
		lab_guest(sw, b, 2, 1, UPLINK);
	}
	/* another guest's announcement locks only its own address */
	lab_guest(sw, a, 1, 50, UPLINK);
	lab_frame_guest(sw, b, &(struct lab_frame){0}, UNKNOWN);
	lab_frame_nic(sw, ACTIVE, &kinds[0], FLOOD);
}

static void r5_covers_what_we_announce(void **state)
{
	const struct lab_frame kinds[] = {lab_arp(1, BROADCAST, RARP, 3, 0),
					  lab_arp(1, BROADCAST, ARP, 1, 1)};
	struct sw *sw = *state;
	const int a = lab_port(sw, 1, SPOOF_ON), b = lab_port(sw, 2, SPOOF_ON);
	uint8_t mac[6];

	lab_mac(1, mac);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		lab_guest(sw, a, 1, 50, UPLINK);
		lab_now += 3600 * SEC; /* silence, then a failover */
		sw_announced(sw, mac, lab_now);
		lab_frame_nic(sw, ACTIVE, &kinds[i], REFLECT);
		lab_now += SWITCH_GARP_LOCK_NS - 1;
		lab_frame_nic(sw, ACTIVE, &kinds[i], REFLECT);
		sw_announced(sw, mac, lab_now); /* the next round */
		lab_now += SWITCH_GARP_LOCK_NS - 1;
		lab_frame_nic(sw, ACTIVE, &kinds[i], REFLECT);
		lab_now++;
		assert_true(sw_is_here(sw, mac));
		lab_frame_nic(sw, ACTIVE, &kinds[i], FLOOD);
		assert_false(sw_is_here(sw, mac)); /* it lives there */
		sw_announced(sw, mac, lab_now);
		lab_guest(sw, b, 2, 1, UPLINK);
	}
	lab_mac(3, mac);
	sw_announced(sw, mac, lab_now);
	assert_false(sw_is_here(sw, mac));
}

static void r6_lists_every_address(void **state)
{
	struct sw *sw = *state;
	const int a = lab_port(sw, 1, LEARNING);
	uint8_t macs[4][6], mac[6];

	lab_port(sw, 2, SPOOF_ON);
	lab_guest(sw, a, 11, 50, UPLINK);
	assert_int_equal(sw_macs(sw, macs, 4), 3);
	lab_mac(1, mac);
	assert_memory_equal(macs[0], mac, 6);
	lab_mac(11, mac);
	assert_memory_equal(macs[1], mac, 6);
	lab_mac(2, mac);
	assert_memory_equal(macs[2], mac, 6);
	assert_int_equal(sw_macs(sw, macs, 2), 2);
	assert_int_equal(sw_macs(sw, macs, 0), 0);
	assert_int_equal(sw_port_macs(sw, a, macs, 4), 2);
	lab_mac(11, mac);
	assert_memory_equal(macs[1], mac, 6);
	assert_int_equal(sw_port_macs(sw, a, macs, 1), 1);
}

static void r7_control_frames_stay_outside(void **state)
{
	struct sw *sw = *state;
	const int a = lab_port(sw, 1, SPOOF_OFF);

	for (unsigned int i = 0; i < 16; i++) {
		struct lab_frame frame = lab_plain(50, 99), tagged;

		memcpy(frame.bytes, "\x01\x80\xc2\0\0", 5);
		frame.bytes[5] = (uint8_t)i;
		tagged = lab_tagged(&frame);
		lab_frame_nic(sw, ACTIVE, &frame, CTRL);
		lab_frame_nic(sw, STANDBY, &frame,
			      CTRL); /* for the team itself, whatever the member */
		lab_frame_nic(sw, ACTIVE, &tagged, CTRL);
		lab_frame_guest(sw, a, &frame, CTRL);
		lab_frame_guest(sw, a, &tagged, CTRL);
	}
	for (unsigned int type = 0x8808; type <= 0x880a;
	     type++) { /* LACP and pause to any address */
		struct lab_frame frame = lab_plain(1, 99);

		frame.bytes[12] = 0x88;
		frame.bytes[13] = (uint8_t)type;
		if (type < 0x880a)
			lab_frame_guest(sw, a, &frame, CTRL);
		else
			lab_frame_guest(sw, a, &frame, UPLINK);
	}
}

static void r8_copies_to_a_silent_guest(void **state)
{
	struct sw *sw = *state;
	const int a = lab_port(sw, 1, SPOOF_ON);
	const struct lab_frame flooded = lab_plain(50, 1), broadcast = lab_plain(50, BROADCAST);
	struct lab_frame other = flooded;

	other.bytes[40] ^= 1;
	lab_frame_nic(sw, OTHER, &broadcast, INACTIVE); /* there is a second member */
	lab_frame_nic(sw, ACTIVE, &flooded, LOCAL(a));
	lab_frame_nic(sw, OTHER, &flooded, INACTIVE);
	lab_frame_nic(sw, OTHER, &other, LOCAL(a)); /* in any order */
	lab_frame_nic(sw, ACTIVE, &other, INACTIVE);
	/* a sender may repeat itself: as many as came on one member */
	lab_now += SEC;
	lab_frame_nic(sw, ACTIVE, &flooded, LOCAL(a));
	lab_frame_nic(sw, ACTIVE, &flooded, LOCAL(a));
	lab_frame_nic(sw, OTHER, &flooded, INACTIVE);
	lab_frame_nic(sw, OTHER, &flooded, INACTIVE);
	lab_frame_nic(sw, OTHER, &flooded, LOCAL(a));
	/* much later it is another frame */
	lab_now += SWITCH_COPY_NS + 1;
	lab_frame_nic(sw, OTHER, &flooded, LOCAL(a));
	/* a guest that speaks is known to the switch: nothing is flooded, nothing is dropped */
	lab_guest(sw, a, 1, 50, UPLINK);
	lab_frame_nic(sw, ACTIVE, &flooded, LOCAL(a));
	lab_now += SWITCH_SILENT_NS;
	lab_frame_nic(sw, ACTIVE, &flooded, LOCAL(a));
	lab_frame_nic(sw, OTHER, &flooded, LOCAL(a));
	lab_now += 1;
	lab_frame_nic(sw, ACTIVE, &flooded, LOCAL(a));
	lab_frame_nic(sw, OTHER, &flooded, INACTIVE);
}

static void r8_leaves_one_path_alone(void **state)
{
	struct sw *sw = *state;
	const int a = lab_port(sw, 1, SPOOF_ON);
	const struct lab_frame frame = lab_plain(50, 1);

	/* A silent guest that takes the same datagram again and again, through one member of either
	 * kind. */
	for (unsigned int i = 0; i < 1000; i++)
		lab_frame_nic(sw, ACTIVE, &frame, LOCAL(a));
	lab_now += SEC;
	for (unsigned int i = 0; i < 1000; i++)
		lab_frame_nic(sw, OTHER, &frame, LOCAL(a));
}

static void r8_remembers_frames_of_every_length(void **state)
{
	struct sw *sw = *state;
	const int a = lab_port(sw, 1, SPOOF_ON);
	struct lab_frame frame = lab_plain(50, 1);

	lab_frame_nic(sw, OTHER, &frame, LOCAL(a));
	lab_now += SEC;
	for (frame.len = 14; frame.len < 128; frame.len++) {
		lab_frame_nic(sw, ACTIVE, &frame, LOCAL(a));
		lab_frame_nic(sw, OTHER, &frame, INACTIVE);
	}
}

/* Number i of the frames to guest 1: none is a copy of another. */
static struct lab_frame another(int i)
{
	struct lab_frame frame = lab_plain(50, 1);

	frame.bytes[20] = (uint8_t)i;
	return frame;
}

static void reserve_members_are_for_who_is_there(void **state)
{
	struct sw *sw = *state;
	const int a = lab_port(sw, 1, SPOOF_ON), b = lab_port(sw, 2, SPOOF_ON);
	const struct lab_frame to_b = lab_plain(50, 2), own = lab_plain(1, 2),
			       broadcast = lab_plain(50, BROADCAST), nobody = lab_plain(50, 99);
	struct lab_frame frame = another(0);

	lab_guest(sw, a, 1, 50, UPLINK);
	lab_guest(sw, b, 2, 50, UPLINK);
	lab_frame_reserve(sw, 3, false, &frame, INACTIVE);
	lab_frame_nic(sw, ACTIVE, &frame, LOCAL(a));
	/* For a moment it is in both places, each frame once. */
	sw_port_home(sw, a, 3, lab_now);
	sw_port_home(sw, a, 3, lab_now + SEC); /* it was there already */
	frame = another(1);
	lab_frame_nic(sw, ACTIVE, &frame, LOCAL(a));
	lab_frame_reserve(sw, 3, false, &frame, INACTIVE);
	frame = another(2);
	lab_frame_reserve(sw, 3, false, &frame, LOCAL(a));
	lab_frame_nic(sw, ACTIVE, &frame, INACTIVE);
	lab_frame_reserve(sw, 4, false, &frame, INACTIVE);
	/* Then there only, however silent it is, and the others where they were. */
	lab_now += SWITCH_MOVE_NS + SWITCH_SILENT_NS;
	frame = another(3);
	lab_frame_nic(sw, ACTIVE, &frame, INACTIVE);
	lab_frame_nic(sw, OTHER, &frame, INACTIVE);
	lab_frame_reserve(sw, 3, false, &frame, LOCAL(a));
	lab_frame_reserve(sw, 3, false, &to_b, INACTIVE);
	lab_frame_nic(sw, ACTIVE, &to_b, LOCAL(b));
	lab_frame_reserve(sw, 3, false, &nobody, UNKNOWN);
	/* R2, R3 */
	lab_frame_reserve(sw, 3, false, &broadcast, INACTIVE);
	lab_frame_reserve(sw, 3, true, &broadcast, FLOOD);
	lab_frame_reserve(sw, 3, false, &own, REFLECT);
	/* And back. */
	sw_port_home(sw, a, -1, lab_now);
	frame = another(4);
	lab_frame_reserve(sw, 3, false, &frame, LOCAL(a));
	lab_frame_nic(sw, ACTIVE, &frame, INACTIVE);
	lab_now += SWITCH_MOVE_NS;
	frame = another(5);
	lab_frame_reserve(sw, 3, false, &frame, INACTIVE);
	lab_frame_nic(sw, ACTIVE, &frame, LOCAL(a));
	/* Another guest of this number begins at home. */
	sw_port_home(sw, b, 3, lab_now);
	sw_port_remove(sw, b);
	assert_int_equal(lab_port(sw, 2, SPOOF_ON), b);
	lab_frame_nic(sw, ACTIVE, &to_b, LOCAL(b));
	lab_frame_reserve(sw, 3, false, &to_b, INACTIVE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(r1_unicast_from_usable_members),
		TEST(r2_multicast_from_the_designated_member),
		TEST(r3_own_frames_come_back),
		TEST(r4_an_own_address_goes_away_and_returns),
		TEST(r4_a_learned_address_is_forgotten),
		TEST(r4_wants_an_announcement),
		TEST(r5_own_announcements_do_not_count),
		TEST(r5_covers_what_we_announce),
		TEST(r6_lists_every_address),
		TEST(r7_control_frames_stay_outside),
		TEST(r8_copies_to_a_silent_guest),
		TEST(r8_leaves_one_path_alone),
		TEST(r8_remembers_frames_of_every_length),
		TEST(reserve_members_are_for_who_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
