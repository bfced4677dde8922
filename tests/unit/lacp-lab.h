/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lacp-lab.h - LACP systems, cables between their ports, and partners that are only a script, on
 * the manual clock; times in ms.
 *
 * What must hold at any time is asserted at each step, in every test: no more than three LACPDUs in
 * a second, frames well-formed, only ports of one partner carry traffic, nobody distributes to a
 * partner that did not say that it collects, the observer was told what is true.
 */
#ifndef XB_TEST_LACP_LAB_H
#define XB_TEST_LACP_LAB_H

#include <stdbool.h>
#include <stdint.h>

#include "common/util.h"
#include "netback-team/lacp.h"

#define MS	    NSEC_PER_MSEC
#define LAB_SYSTEMS 3
#define LAB_FLIGHT  4096
#define LAB_FLOWS   32
#define LAB_NOBODY  (-1)

/* State octets as seen on real wires. */
#define ST_FAST 0x3f
#define ST_SLOW 0x3d

/* A partner on a port that is not one of our systems. */
struct lab_peer {
	bool on;
	uint64_t period_ns, next_ns; /* next_ns DEADLINE_NEVER: only by lab_peer_send */
	struct lacp_pdu pdu;	     /* what it sends */
	bool learns;		     /* pdu.partner follows what it hears */
};

struct lab_system {
	struct lab *lab;
	struct lacp lacp;
	struct lacp_config config;
	struct lacp_link links[LACP_PORTS_MAX];
	struct lab_peer peers[LACP_PORTS_MAX];
	int to[LACP_PORTS_MAX], to_port[LACP_PORTS_MAX]; /* the cable's other end, or nobody */
	uint64_t latency_ns[LACP_PORTS_MAX];
	bool mute[LACP_PORTS_MAX];		/* frames that it sends get lost */
	int refuse;				/* ops->send returns this */
	bool frozen;				/* neither runs nor receives: killed */
	struct lacp_frame last[LACP_PORTS_MAX]; /* sent last */
	uint8_t last_bytes[LACP_PORTS_MAX][LACP_FRAME_LEN];
	uint64_t tx_ns[LACP_PORTS_MAX][8]; /* LACPDUs, newest last */
	uint64_t n_pdus[LACP_PORTS_MAX];
	uint64_t gap_ns[LACP_PORTS_MAX]; /* longest between two */
	uint32_t collecting, distributing;
	int active;
	uint64_t n_active_changes;
	/* data received */
	uint64_t n_received, n_lost, n_reordered;
	uint32_t next_seq[LAB_FLOWS];
};

struct lab_flight {
	bool data;
	uint64_t at_ns, order;
	int system;
	unsigned int port;
	uint32_t flow, seq;
	uint8_t frame[LACP_FRAME_LEN];
};

struct lab {
	uint64_t now_ns, n_order;
	void (*each)(struct lab *lab); /* after each step of lab_run, may be NULL */
	struct lab_system systems[LAB_SYSTEMS];
	struct lab_flight flight[LAB_FLIGHT];
	unsigned int n_flight;
	/* data: each ms one frame of each flow from system 0 to 1 and back, while n_flows > 0 */
	unsigned int n_flows;
	uint64_t data_ns;
	uint32_t sent_seq[LAB_SYSTEMS][LAB_FLOWS];
	uint64_t n_waited;		 /* frames that had no port to go to */
	uint64_t gap_ns, gap_longest_ns; /* such times, of system 0 */
};

/* Systems with addresses 02:00:00:00:00:01 ..., active, fast, no cables. */
void lab_init(struct lab *lab);
/* Starts a system with lab->systems[i].config. */
void lab_start(struct lab *lab, int system);
/* A cable of 10 us, 1 Gbit/s, down. */
void lab_cable(struct lab *lab, int a, unsigned int port_a, int b, unsigned int port_b);
/* Carrier of a port, and of the other end of its cable. */
void lab_carrier(struct lab *lab, int system, unsigned int port, bool up);
/* Tells the system what stands in links[port]. */
void lab_set(struct lab *lab, int system, unsigned int port);
/* Gives the system its config. */
void lab_configure(struct lab *lab, int system);
void lab_run(struct lab *lab, uint64_t ms);
/* Systems 0 and 1 with n ports each, cabled pairwise, up at 0. */
void lab_pair(struct lab *lab, unsigned int n);

/* A scripted partner on a port of system 0: port priority 255, key 7, port number 100 + port, and
 * 1 Gbit/s, carrier up. Sends every period_ms (0: never by itself) from now on. */
struct lab_peer *lab_peer(struct lab *lab, unsigned int port, uint8_t system, uint8_t state,
			  uint64_t period_ms);
/* What it sends, now. */
void lab_peer_send(struct lab *lab, unsigned int port);
/* A frame to a port of a system, now. */
int lab_inject(struct lab *lab, int system, unsigned int port, const uint8_t *frame, size_t len);

struct lacp_port_status lab_status(struct lab *lab, int system, unsigned int port);
/* The state octet that the port would send. */
uint8_t lab_state(struct lab *lab, int system, unsigned int port);

#endif
