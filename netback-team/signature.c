/* SPDX-License-Identifier: GPL-2.0-or-later */
/* signature.c - the matcher of signatures, see signature.h: automaton, ports, verdict. The parser
 * is in signature_parse.c. */
#include "signature_priv.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

static uint8_t fold(uint8_t byte)
{
	return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + 'a' - 'A') : byte;
}

bool port_set_has(const struct port_set *set, uint16_t port)
{
	bool in = false;

	if (set->n == 0)
		return true;
	for (unsigned int i = 0; i < set->n && !in; i++)
		in = port >= set->ranges[i].first && port <= set->ranges[i].last;
	return in != set->except;
}

/* Bytes that occur in contents get classes of their own, from 1; all others are class 0. */
static unsigned int make_classes(struct signature_set *set)
{
	unsigned int n = 1, bytes = 0;

	for (unsigned int r = 0; r < set->n_rules; r++) {
		for (unsigned int c = 0; c < set->rules[r].n_contents; c++) {
			const struct content *content = &set->rules[r].contents[c];

			for (unsigned int i = 0; i < content->len; i++)
				set->classes[fold(content->bytes[i])] = 1;
			bytes += content->len;
			set->n_outputs++;
		}
	}
	for (unsigned int byte = 0; byte < 256; byte++)
		if (set->classes[byte])
			set->classes[byte] = (uint8_t)n++;
	for (unsigned int byte = 'A'; byte <= 'Z'; byte++)
		set->classes[byte] = set->classes[fold((uint8_t)byte)];
	set->n_classes = n;
	return bytes;
}

/* The trie: one way of states for each content. 0 means "no such way" yet, which is the root. */
static void add_content(struct signature_set *set, const struct content *content,
			const struct output *output, unsigned int at)
{
	unsigned int state = 0;

	for (unsigned int i = 0; i < content->len; i++) {
		uint32_t *next =
			&set->next[state * set->n_classes + set->classes[content->bytes[i]]];

		if (*next == 0)
			*next = set->n_states++;
		state = *next;
	}
	set->outputs[at] = *output;
	set->outputs[at].next = set->first_output[state];
	set->first_output[state] = (int32_t)at;
}

static void append_outputs(struct signature_set *set, unsigned int state, int32_t suffix)
{
	int32_t *end = &set->first_output[state];

	while (*end >= 0)
		end = &set->outputs[*end].next;
	*end = suffix;
}

/*
 * Breadth first: a state's failures are known before those of longer ones. Ways that are missing
 * become those of the longest suffix, so that matching never goes back.
 */
static void close_ways(struct signature_set *set, uint32_t *fail, uint32_t *queue)
{
	const unsigned int n = set->n_classes;
	unsigned int head = 0, tail = 0;

	for (unsigned int c = 0; c < n; c++)
		if (set->next[c])
			queue[tail++] = set->next[c];
	while (head < tail) {
		const unsigned int state = queue[head++], suffix = fail[state];

		append_outputs(set, state, set->first_output[suffix]);
		for (unsigned int c = 0; c < n; c++) {
			uint32_t *next = &set->next[state * n + c];

			if (*next) {
				fail[*next] = set->next[suffix * n + c];
				queue[tail++] = *next;
			} else {
				*next = set->next[suffix * n + c];
			}
		}
	}
}

/* What matching needs at hand, in one word. */
static void pack_ways(struct signature_set *set)
{
	const unsigned int n = set->n_classes;

	for (unsigned int i = 0; i < set->n_states * n; i++) {
		const uint32_t state = set->next[i];

		set->next[i] = state * n | (set->first_output[state] >= 0 ? SIGNATURE_ENDS : 0);
	}
	for (unsigned int byte = 0; byte < 256; byte++)
		set->starts[byte] = set->next[set->classes[byte]] != 0;
}

static int build_automaton(struct signature_set *set)
{
	const size_t most = make_classes(set) + 1u; /* states */
	uint32_t *work = calloc(most, 2 * sizeof(*work));
	unsigned int at = 0;

	set->next = calloc(most * set->n_classes, sizeof(set->next[0]));
	set->first_output = calloc(most, sizeof(set->first_output[0]));
	set->outputs = calloc(set->n_outputs + 1u, sizeof(set->outputs[0]));
	if (!work || !set->next || !set->first_output || !set->outputs) {
		free(work);
		return -ENOMEM;
	}
	for (size_t i = 0; i < most; i++)
		set->first_output[i] = -1;
	set->n_states = 1;
	for (unsigned int r = 0; r < set->n_rules; r++) {
		for (unsigned int c = 0; c < set->rules[r].n_contents; c++) {
			const struct output output = {.rule = (uint16_t)r, .content = (uint8_t)c};

			add_content(set, &set->rules[r].contents[c], &output, at++);
		}
	}
	close_ways(set, work, work + most);
	pack_ways(set);
	free(work);
	return 0;
}

/* A rule is found by the ports it names, those of the destination first. */
static void note_ports(struct port_interest *interest, const struct port_set *sports,
		       const struct port_set *dports)
{
	const struct port_set *ports = dports->n ? dports : sports;
	uint64_t *bits = dports->n ? interest->dport : interest->sport;

	if (ports->n == 0) {
		interest->any = true;
		return;
	}
	interest->in_sport |= !dports->n;
	for (unsigned int port = 0; port <= UINT16_MAX; port++)
		if (port_set_has(ports, (uint16_t)port))
			bits[port / 64] |= (uint64_t)1 << port % 64;
}

static void note_rule(struct signature_set *set, const struct rule *rule)
{
	for (unsigned int proto = 0; proto < SIGNATURE_PROTOS; proto++) {
		if (!(rule->protos >> proto & 1))
			continue;
		for (unsigned int to_guest = 0; to_guest < 2; to_guest++) {
			struct port_interest *interest = &set->interest[proto][to_guest];

			if (!(to_guest ? rule->to_guest : rule->from_guest))
				continue;
			note_ports(interest, &rule->sports, &rule->dports);
			if (rule->both_ways)
				note_ports(interest, &rule->dports, &rule->sports);
		}
	}
}

int signature_build(struct signature_set *set)
{
	for (unsigned int r = 0; r < set->n_rules; r++)
		note_rule(set, &set->rules[r]);
	return build_automaton(set);
}

void signature_destroy(struct signature_set *set)
{
	if (!set)
		return;
	free(set->rules);
	free(set->outputs);
	free(set->next);
	free(set->first_output);
	free(set);
}

unsigned int signature_count(const struct signature_set *set)
{
	return set->n_rules;
}

struct signature_info signature_info(const struct signature_set *set, unsigned int i)
{
	const struct rule *rule = &set->rules[i];

	return (struct signature_info){.name = rule->name, .sid = rule->sid, .pps = rule->pps};
}

static enum signature_proto proto_of(uint8_t proto)
{
	switch (proto) {
	case IPPROTO_TCP:
		return SIGNATURE_TCP;
	case IPPROTO_UDP:
		return SIGNATURE_UDP;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return SIGNATURE_ICMP;
	default:
		return SIGNATURE_OTHER;
	}
}

bool signature_wants(const struct signature_set *set, const struct signature_packet *packet)
{
	const struct port_interest *interest =
		&set->interest[proto_of(packet->proto)][packet->to_guest];

	return interest->any || (interest->dport[packet->dport / 64] >> packet->dport % 64 & 1) ||
	       (interest->in_sport &&
		(interest->sport[packet->sport / 64] >> packet->sport % 64 & 1));
}

static bool header_matches(const struct rule *rule, const struct signature_packet *packet)
{
	if (!(rule->protos >> proto_of(packet->proto) & 1) ||
	    !(packet->to_guest ? rule->to_guest : rule->from_guest))
		return false;
	if (port_set_has(&rule->sports, packet->sport) &&
	    port_set_has(&rule->dports, packet->dport))
		return true;
	return rule->both_ways && port_set_has(&rule->dports, packet->sport) &&
	       port_set_has(&rule->sports, packet->dport);
}

/* The automaton folds case and knows no places: this is the rest of the question. end: behind the
 * last byte. */
static bool content_matches(const struct content *content, const uint8_t *payload, size_t end)
{
	const size_t begin = end - content->len;

	if (begin < content->offset || end > content->end)
		return false;
	return content->nocase || memcmp(payload + begin, content->bytes, content->len) == 0;
}

/* Contents that end in a state. Sets a bit in found[rule] for each one that is there. */
static void note_contents(const struct signature_set *set, uint32_t state, const uint8_t *payload,
			  size_t end, uint8_t *found)
{
	for (int32_t at = set->first_output[state]; at >= 0; at = set->outputs[at].next) {
		const struct output *output = &set->outputs[at];
		const struct rule *rule = &set->rules[output->rule];

		if (content_matches(&rule->contents[output->content], payload, end))
			found[output->rule] |= (uint8_t)(1u << output->content);
	}
}

static void scan(const struct signature_set *set, const uint8_t *payload, size_t len,
		 uint8_t *found)
{
	uint32_t at = 0; /* state times n_classes */

	for (size_t i = 0; i < len; i++) {
		uint32_t next;

		/* From the root most bytes lead nowhere, and these need no look at the table. */
		if (at == 0 && !set->starts[payload[i]])
			continue;
		next = set->next[at + set->classes[payload[i]]];
		at = next & ~SIGNATURE_ENDS;
		if (next & SIGNATURE_ENDS)
			note_contents(set, at / set->n_classes, payload, i + 1, found);
	}
}

unsigned int signature_match(const struct signature_set *set, const struct signature_packet *packet,
			     uint16_t *rules, unsigned int max)
{
	uint16_t candidates[SIGNATURE_RULES_MAX];
	uint8_t found[SIGNATURE_RULES_MAX];
	unsigned int n_candidates = 0, n = 0;
	bool contents = false;

	if (!signature_wants(set, packet))
		return 0;
	for (unsigned int r = 0; r < set->n_rules; r++) {
		if (!header_matches(&set->rules[r], packet))
			continue;
		candidates[n_candidates++] = (uint16_t)r;
		contents |= set->rules[r].n_contents > 0;
	}
	if (n_candidates == 0)
		return 0;
	memset(found, 0, set->n_rules);
	if (contents && packet->payload_len)
		scan(set, packet->payload, MIN(packet->payload_len, SIGNATURE_SCAN), found);
	for (unsigned int i = 0; i < n_candidates && n < max; i++) {
		const uint16_t r = candidates[i];

		if (found[r] == (1u << set->rules[r].n_contents) - 1)
			rules[n++] = r;
	}
	return n;
}
