/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * switch-lab.h - frames through a switch, for tests: addresses are numbers, verdicts are compared
 * at once.
 *
 * Number n is the address 02:00:00:nn:nn:nn, 0 is 00:00:00:00:00:00, BROADCAST and GROUP(n) are
 * multicast.
 */
#ifndef XB_TEST_SWITCH_LAB_H
#define XB_TEST_SWITCH_LAB_H

#include <stdbool.h>
#include <stdint.h>

#include "netback-team/switch.h"

#define BROADCAST (-1)
#define GROUP(n)  (-10 - (n))

/* What is expected of a frame. */
#define UPLINK	    SW_VERDICT_UPLINK, -1
#define LOCAL(port) SW_VERDICT_LOCAL, (port)
#define FLOOD	    SW_VERDICT_FLOOD, -1
#define SPOOF	    SW_VERDICT_DROP_SPOOF, -1
#define CTRL	    SW_VERDICT_DROP_CTRL, -1
#define REFLECT	    SW_VERDICT_DROP_REFLECT, -1
#define INACTIVE    SW_VERDICT_DROP_INACTIVE, -1
#define UNKNOWN	    SW_VERDICT_DROP_UNKNOWN, -1

enum lab_kind { SPOOF_OFF, SPOOF_ON, LEARNING };

/* The time of every frame, ns. */
extern uint64_t lab_now;

void lab_mac(int number, uint8_t mac[6]);
/* sw_port_add */
int lab_port(struct sw *sw, int mac, enum lab_kind kind);
void lab_mcast_add(struct sw *sw, int port, int group, int expected);
void lab_mcast_del(struct sw *sw, int port, int group);
bool lab_floods_to(const struct sw *sw, int port, int dst);

/* The plain frame from src to dst, from a guest or from the one member (usable, designated). */
void lab_guest(struct sw *sw, int port, int src, int dst, enum sw_verdict verdict, int to);
void lab_nic(struct sw *sw, int src, int dst, enum sw_verdict verdict, int to);

/* Any frame of src to dst. */
struct lab_frame {
	uint8_t bytes[128];
	unsigned int len;
};
struct lab_frame lab_plain(int src, int dst);
/* ARP or RARP (ethertype, operation) of src for its address 10.0.0.src, asking for 10.0.0.target.
 */
struct lab_frame lab_arp(int src, int dst, uint16_t ethertype, uint16_t operation, int target);
/* An IPv6 neighbour advertisement with these flags (0x40: solicited). */
struct lab_frame lab_na(int src, int dst, uint8_t flags);
/* The same frame with a VLAN tag. */
struct lab_frame lab_tagged(const struct lab_frame *frame);
void lab_frame_guest(struct sw *sw, int port, const struct lab_frame *frame,
		     enum sw_verdict verdict, int to);
void lab_frame_nic(struct sw *sw, bool usable, bool designated, const struct lab_frame *frame,
		   enum sw_verdict verdict, int to);
/* From the reserve member: usable, and designated or not. */
void lab_frame_reserve(struct sw *sw, int member, bool designated, const struct lab_frame *frame,
		       enum sw_verdict verdict, int to);

#endif
