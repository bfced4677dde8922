/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dos.h - denial of service, detected: what goes to and from each guest of a team is measured, and
 * an alarm is raised for what is an attack. What is done about it is act.[ch]'s. Pure; one per
 * team.
 *
 * Theory of Operation: dos_on_packet counts (and costs some tens of nanoseconds), dos_run judges:
 * each second all metrics of a guest, every 100 ms those that are rates, see dos_meter.h. Guests'
 * seconds begin at different tenths, so that a tick is short. The two directions of a guest are
 * judged apart: floods that it suffers, floods that it makes.
 *
 * High rates are no attack: backups, migrations and speed tests reach the wire's. So apart from
 * packets and bits (whose defaults lie above what a fast NIC carries) the metrics count what
 * innocent peaks have little of: packets to which nobody ever answered, small packets without large
 * ones the other way, connections that were begun and not completed, many new flows, many sources.
 *
 * - A table (seen.h) knows flows and pairs of addresses of the last minute. A pair is answered when
 *   packets went both ways, RST and ICMP errors apart. A flow is new by its SYN, or, without TCP,
 *   by not being in the table. Later fragments have no ports and are looked up as pairs.
 * - Who is flooded answers, and must not look like a flooder: refusals (RST, ICMP unreachable)
 * count in the direction of what was refused.
 * - A half-open connection is a SYN whose sender sends no ACK behind it. There is no timer for each
 *   one: their number decays by 1/8 a second, about as stacks forget them.
 * - Sources are counted by HyperLogLog, source entropy is that of packets nobody answered, the
 *   most frequent peers and ports are found by SpaceSaving, and their counts are made exact
 * (mostly) by a count-min of the team.
 * - Sampling: above DOS_SAMPLE_PPS a team, one flow of eight is looked up and counts for eight.
 *   Peers, ports and signatures are taken from DOS_DETAIL_PPS packets a second at most. Counters of
 *   packets, bytes and flags are always exact.
 * - The team has meters as well, over the sums of its guests; its id is DOS_TEAM.
 */
#ifndef XB_NET_DOS_H
#define XB_NET_DOS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dos_meter.h"
#include "signature.h"

#define DOS_VMS_MAX    1024
#define DOS_TEAM       (-1)
#define DOS_TOP	       5
#define DOS_SAMPLE_PPS 1000000u /**< packets a second of the team */
#define DOS_DETAIL_PPS 8192u
#define DOS_FAST_NS    100000000ull
#define DOS_TICK_NS    1000000000ull
#define DOS_ONGOING_NS 10000000000ull /**< an alarm that lasts is reported again after so long */

enum dos_direction {
	DOS_TO_GUEST,
	DOS_FROM_GUEST,
};

/** What is judged; each is a figure of one direction. "The other side" is whom these packets go to.
 */
enum dos_metric {
	DOS_PPS,	/**< packets a second */
	DOS_BPS,	/**< bit/s on the wire, as `bytes` of the packets says */
	DOS_FLOWS,	/**< new flows a second */
	DOS_SYN,	/**< SYN a second */
	DOS_SYN_RATIO,	/**< SYN for each 100 SYN-ACK of the other side, from syn_min SYN/s on */
	DOS_HALF_OPEN,	/**< connections begun and not completed */
	DOS_RST,	/**< RST a second by the other side */
	DOS_UNREACH,	/**< ICMP unreachable a second by the other side */
	DOS_CLOSED,	/**< UDP to closed ports: port unreachable a second by the other side */
	DOS_FRAGMENTS,	/**< IP fragments a second */
	DOS_SOURCES,	/**< different source addresses in a second */
	DOS_ENTROPY,	/**< 1/100 bit: source entropy of unanswered packets, its distance from the
			   usual one, from entropy_min such packets on */
	DOS_UNANSWERED, /**< packets a second between addresses where the other side never
			   answered; or UDP beyond 64 times of what comes back */
	DOS_SMALL,	/**< packets a second of up to 128 bytes, less the larger ones of the other
			   side, whose ACKs they may be; those of a guest, which may be answers,
			   less all of the other side */
	DOS_DROPS,	/**< packets a second dropped because the ring was full */
	DOS_SPOOFED,	/**< packets a second with a source address that is not the guest's */
	DOS_METRICS
};

struct dos_metric_info {
	const char *name; /**< "half-open": also the end of the key's name */
	const char *unit;
	const char *help;
	uint64_t max;	      /**< range of the threshold: 0 = do not judge, to max */
	uint64_t defaults[2]; /**< thresholds of a guest by enum dos_direction */
	bool rate;	      /**< judged every 100 ms, too */
	bool adaptive;	      /**< raised by the guest's usual traffic */
};
/** metric < DOS_METRICS. */
const struct dos_metric_info *dos_metric_info(enum dos_metric metric);

/** Configuration of a guest, or of a team. */
struct dos_options {
	bool enable;			    /**< default true; false: count, do not judge */
	uint64_t threshold[2][DOS_METRICS]; /**< by direction; 0 = do not judge. Adaptive: the
					       least threshold */
	struct dos_meter_options meter;	    /**< how all are judged */
	uint64_t syn_min;		    /**< SYN/s for DOS_SYN_RATIO: 1 to 10^9, default 500 */
	uint64_t entropy_min; /**< unanswered packets/s for DOS_ENTROPY: 50 to 10^9, default 5000 */
};

/** The defaults; those of a team are four times as high where they are rates or numbers. */
void dos_options_default(struct dos_options *options, bool team);
/** The threshold of a team's sum whose guests have this one each: four times it, where it is a rate
 * or a number. */
uint64_t dos_team_threshold(enum dos_metric metric, uint64_t threshold);
/** What is wrong with the options, a static text; NULL when they are good. */
const char *dos_options_check(const struct dos_options *options);

/** An IPv6 address, or IPv4 as ::ffff:a.b.c.d (RFC 4291 2.5.5.2). */
struct dos_addr {
	uint8_t bytes[16];
};

/** A packet, as its headers were parsed. What is not there is 0. */
struct dos_packet {
	struct dos_addr src, dst;
	uint16_t sport, dport;
	uint8_t proto;	   /**< IPPROTO_*; 0 = not IP: only packets and bytes are counted */
	uint8_t tcp_flags; /**< as in the header (RFC 9293 3.1) */
	uint8_t icmp_type, icmp_code;
	bool fragment;		/**< any IP fragment */
	bool later;		/**< one other than the first: without ports */
	bool spoofed;		/**< the source is not this guest's: MAC or IP filter says so */
	uint16_t packets;	/**< on the wire: 1, or the segments of a GSO frame */
	uint32_t bytes;		/**< on the wire, of all of them */
	const uint8_t *payload; /**< behind TCP, UDP or ICMP; only looked at in the call */
	uint32_t payload_len;
};

struct dos_top {
	struct dos_addr addr; /**< dos_alarm.peers: the address at the other end */
	uint16_t port;	      /**< dos_alarm.ports: of the destination */
	uint64_t packets;     /**< an estimate that is not too small */
};

enum dos_event {
	DOS_RAISED,
	DOS_ONGOING, /**< still there; every DOS_ONGOING_NS */
	DOS_CLEARED, /**< over, or no longer judged */
};

/** An alarm, as the observer gets it. */
struct dos_alarm {
	enum dos_event event;
	int vm; /**< as dos_vm_add said, or DOS_TEAM */
	enum dos_direction direction;
	unsigned int source; /**< enum dos_metric, or DOS_METRICS + number of the signature */
	const char *name;    /**< of it */
	uint64_t value, threshold, peak;
	uint64_t mean, sd; /**< what is usual; 0 for signatures */
	uint64_t raised_ns;
	uint64_t packets; /**< of this direction since the last full second, which peers and ports
			     are parts of; not 0 when these are there */
	unsigned int n_peers, n_ports;
	struct dos_top peers[DOS_TOP], ports[DOS_TOP]; /**< descending */
};

struct dos_observer {
	/** The alarm is the callee's for the call; it must not change the dos. */
	void (*alarm)(void *ctx, const struct dos_alarm *alarm, uint64_t now_ns);
	void *ctx;
};

struct dos;

/** seed: random bits that no guest knows. Takes the memory of the team's sketches (about 1 MiB);
 * NULL without. */
struct dos *dos_create(uint64_t seed, const struct dos_options *team,
		       const struct dos_observer *observer, uint64_t now_ns);
void dos_destroy(struct dos *dos);

/** A guest's vif; takes about 80 KiB. Its number (the lowest free one), -ENOSPC, -ENOMEM. */
int dos_vm_add(struct dos *dos, const struct dos_options *options, uint64_t now_ns);
/** Its alarms end without a word. */
void dos_vm_remove(struct dos *dos, int vm);
/** New options of a guest or of DOS_TEAM: what was learned stays; alarms of what is no longer
 * judged are cleared. */
void dos_set_options(struct dos *dos, int vm, const struct dos_options *options, uint64_t now_ns);
/**
 * New signatures for all guests (NULL: none); the set stays the caller's and must live as long as
 * it is used. Alarms of the old ones are cleared. -ENOMEM: the old ones stay.
 */
int dos_set_signatures(struct dos *dos, const struct signature_set *set, uint64_t now_ns);
/** Clears the alarms of this guest (or DOS_TEAM); what goes on raises them anew. */
void dos_clear(struct dos *dos, int vm, uint64_t now_ns);
/** Forgets what is usual for this guest (or DOS_TEAM) and begins to learn; clears its alarms. */
void dos_relearn(struct dos *dos, int vm, uint64_t now_ns);

/** Hashes by which a packet is counted. */
struct dos_hashes {
	uint64_t src, pair, flow;
};
/** A packet of this guest is soon to be counted: fetches the guest's counters into the cache. */
void dos_fetch(const struct dos *dos, int vm, enum dos_direction direction);
/** The same for what the packet itself leads to. Who has a batch of packets calls it for all of
 * them before dos_count for the first, and waits for memory once instead of once a packet. */
void dos_prepare(const struct dos *dos, int vm, enum dos_direction direction,
		 const struct dos_packet *packet, struct dos_hashes *hashes);
/** A packet to or from guest vm, also one that will be dropped. Guest to guest: one call for each
 * of both. hashes: as dos_prepare made them with the same arguments. */
void dos_count(struct dos *dos, int vm, enum dos_direction direction,
	       const struct dos_packet *packet, const struct dos_hashes *hashes);
/** dos_prepare and dos_count at once. */
void dos_on_packet(struct dos *dos, int vm, enum dos_direction direction,
		   const struct dos_packet *packet);
/** n packets were dropped for want of room in the ring. */
void dos_on_drop(struct dos *dos, int vm, enum dos_direction direction, uint32_t n);
/** There would have been more packets, but they were not taken: this second, no alarm of this
 * direction comes closer to its end. */
void dos_on_rest(struct dos *dos, int vm, enum dos_direction direction);

/** Judges what is due; call at the deadline (a late call is fine, values are per second). */
void dos_run(struct dos *dos, uint64_t now_ns);
uint64_t dos_deadline(const struct dos *dos);

/** A figure as people see it. */
struct dos_figure {
	uint64_t value, threshold, mean, sd;
	bool alarm;
	uint64_t raised_ns; /**< of alarm */
};
/** Of the last full second of a guest or of DOS_TEAM; source as in dos_alarm (signatures: guests
 * only, either direction). */
struct dos_figure dos_figure(const struct dos *dos, int vm, enum dos_direction direction,
			     unsigned int source);
/** Most frequent peers and ports of the last full second; returns how many. */
unsigned int dos_top_peers(const struct dos *dos, int vm, enum dos_direction direction,
			   struct dos_top top[DOS_TOP]);
unsigned int dos_top_ports(const struct dos *dos, int vm, enum dos_direction direction,
			   struct dos_top top[DOS_TOP]);

#endif
