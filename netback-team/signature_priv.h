/* SPDX-License-Identifier: GPL-2.0-or-later */
/* signature_priv.h - what the parser of signatures and their matcher share. Pure. */
#ifndef XB_NET_SIGNATURE_PRIV_H
#define XB_NET_SIGNATURE_PRIV_H

#include "signature.h"

#define PORT_RANGES    8
#define SIGNATURE_ENDS 0x80000000u

enum signature_proto {
	SIGNATURE_TCP,
	SIGNATURE_UDP,
	SIGNATURE_ICMP,
	SIGNATURE_OTHER,
};
#define SIGNATURE_PROTOS 4

struct port_set {
	bool except;	/**< all ports but those of the ranges */
	unsigned int n; /**< 0 = any port */
	struct {
		uint16_t first, last;
	} ranges[PORT_RANGES];
};

struct content {
	uint8_t bytes[SIGNATURE_CONTENT_MAX];
	uint8_t len;
	bool nocase, has_depth;
	uint16_t offset; /**< first byte where it may begin */
	uint16_t end;	 /**< it must end there or before */
};

struct rule {
	char name[SIGNATURE_NAME_MAX];
	uint32_t sid, pps;
	uint8_t protos;		   /**< bits of enum signature_proto */
	bool to_guest, from_guest; /**< directions that match */
	bool both_ways;		   /**< <> */
	struct port_set sports, dports;
	unsigned int n_contents;
	struct content contents[SIGNATURE_CONTENTS];
};

/** One content that ends in a state; the list goes on with shorter ones. */
struct output {
	uint16_t rule;
	uint8_t content;
	int32_t next; /**< index into outputs, -1 = end */
};

struct signature_set {
	unsigned int n_rules;
	struct rule *rules;
	unsigned int n_outputs;
	struct output *outputs; /**< one for each content */
	unsigned int n_states;	/**< of the automaton, state 0 is the root */
	unsigned int n_classes; /**< bytes that no content tells apart are one class */
	uint8_t classes[256];	/**< class of a byte, case folded */
	/** [state * n_classes + class]: the next state times n_classes; SIGNATURE_ENDS: contents
	 * end there. */
	uint32_t *next;
	bool starts[256];      /**< bytes that lead away from the root */
	int32_t *first_output; /**< of a state, -1 = none */
	/** Ports that some rule asks for, one bit a port: [proto][direction]. */
	struct port_interest {
		bool any;      /**< some rule asks for none in particular */
		bool in_sport; /**< some bit of sport is set */
		uint64_t sport[1024], dport[1024];
	} interest[SIGNATURE_PROTOS][2];
};

bool port_set_has(const struct port_set *set, uint16_t port);
/** Builds automaton and port_interest of a set that has its rules; 0 or -ENOMEM. */
int signature_build(struct signature_set *set);

#endif
