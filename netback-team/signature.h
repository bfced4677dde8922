/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * signature.h - known attacks by their packets: rules in a subset of the language of Snort and
 * Suricata, and their matcher. For dos.[ch], which counts the matches. Pure.
 *
 * Theory of Operation: one rule a line; `\` at the end of a line goes on in the next one; lines
 * that begin with # are comments.
 *
 *   alert PROTO ADDRESS PORTS -> ADDRESS PORTS (OPTION; OPTION: VALUE; ...)
 *
 * - PROTO: tcp, udp, icmp (ICMPv6 as well), ip (all).
 * - ADDRESS: any; $HOME_NET, the guest; $EXTERNAL_NET, everybody else. `$EXTERNAL_NET -> $HOME_NET`
 *   is a packet to the guest, `$HOME_NET -> $EXTERNAL_NET` one from it, `any -> any` both. `<>`
 *   instead of `->`: the ports may be the other way round, too.
 * - PORTS: any, 53, 1:1023, 1024:, :1023, or a list [80,443,8000:8080]; !PORTS is all but these.
 * - msg:"TEXT" is the rule's name and must be there; sid:NUMBER its number; rev, classtype,
 *   priority, reference and metadata are read over.
 * - content:"TEXT" is to be in the packet's payload, bytes in hexadecimal between bars:
 *   content:"GET |0d 0a|"; backslash before " ; : and backslash. At most SIGNATURE_CONTENTS in a
 * rule, all of which must be there, in any order. Behind one: offset:N, where the search begins;
 *   depth:N, how many bytes it covers from there; nocase.
 * - threshold:pps N, packets a second from which on the matches are an attack (the default is
 *   SIGNATURE_PPS_DEFAULT), or, as Snort writes it, detection_filter:track by_dst, count N, seconds
 * S.
 *
 * Only the first SIGNATURE_SCAN bytes of payload are searched, all contents of all rules in one
 * pass (Aho, Corasick 1975), and only in packets whose ports some rule asks for.
 */
#ifndef XB_NET_SIGNATURE_H
#define XB_NET_SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIGNATURE_RULES_MAX   256
#define SIGNATURE_CONTENTS    4	   /**< in a rule */
#define SIGNATURE_CONTENT_MAX 64   /**< bytes */
#define SIGNATURE_BYTES_MAX   8192 /**< of all contents of a set */
#define SIGNATURE_SCAN	      256  /**< bytes of payload that are searched */
#define SIGNATURE_NAME_MAX    96   /**< msg, with its end */
#define SIGNATURE_PPS_DEFAULT 100
#define SIGNATURE_PPS_MAX     100000000
#define SIGNATURE_ERROR_MAX   256

struct signature_set;

/**
 * Reads rules. 0; -EINVAL with error, "line 3, column 7: ..." with what was found and what is
 * allowed; -ENOMEM. On success *set is the caller's, to be given to signature_destroy; no rules at
 * all are a set, too.
 */
int signature_parse(const char *text, size_t size, struct signature_set **set,
		    char error[SIGNATURE_ERROR_MAX]);
void signature_destroy(struct signature_set *set);

/** What is known of a rule. */
struct signature_info {
	const char *name;
	uint32_t sid; /**< 0 = none */
	uint32_t pps; /**< threshold */
};
unsigned int signature_count(const struct signature_set *set);
/** i < signature_count. The name lives as long as the set. */
struct signature_info signature_info(const struct signature_set *set, unsigned int i);

/** What rules look at. */
struct signature_packet {
	bool to_guest;	/**< else from it */
	uint8_t proto;	/**< IPPROTO_* */
	uint16_t sport; /**< 0 without ports */
	uint16_t dport;
	const uint8_t *payload; /**< behind the TCP, UDP or ICMP header */
	size_t payload_len;	/**< bytes at hand; 0 is fine */
};

/** May any rule match this protocol and these ports? Some nanoseconds. */
bool signature_wants(const struct signature_set *set, const struct signature_packet *packet);
/** Numbers of the rules that match, in ascending order, max at most; returns how many. */
unsigned int signature_match(const struct signature_set *set, const struct signature_packet *packet,
			     uint16_t *rules, unsigned int max);

#endif
