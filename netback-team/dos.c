/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dos.c - what is counted at each packet, see dos.h; guests come and go. dos_tick.c judges. */
#include "dos_priv.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10

/* Flags of an entry of the table of flows. */
#define FROM(direction)	   (1u << (direction)) /* pairs: an answer went this way */
#define PENDING(direction) (4u << (direction)) /* flows: a SYN went this way, no ACK yet */
#define PENDING_ANY	   (PENDING(0) | PENDING(1))
#define ANSWERED	   0x10u /* flows: their pair is */

static void side_fini(struct dos_side *side)
{
	hll_destroy(side->sources);
	spacesaving_destroy(side->peers);
	spacesaving_destroy(side->ports);
	countmin_destroy(side->peer_counts);
}

static bool side_init(struct dos_side *side, uint64_t salt)
{
	side->salt = salt;
	side->sources = hll_create(DOS_HLL_BITS);
	side->peers = spacesaving_create(DOS_TOP_ITEMS);
	side->ports = spacesaving_create(DOS_TOP_ITEMS);
	side->peer_counts = countmin_create(DOS_CM_WIDTH_LOG2, DOS_CM_DEPTH);
	return side->sources && side->peers && side->ports && side->peer_counts;
}

static void vm_fini(struct dos_vm *v)
{
	side_fini(&v->sides[0]);
	side_fini(&v->sides[1]);
	free(v->rules);
}

/* Zeros that begin at a cache line; NULL without memory. size: a multiple of a line. */
static void *line_calloc(size_t size)
{
	void *memory = aligned_alloc(_Alignof(struct dos_side), size);

	return memory ? memset(memory, 0, size) : NULL;
}

/* Without rules. False without memory: then vm_fini. */
static bool vm_init(struct dos_vm *v, const struct dos_options *options, uint64_t salt,
		    uint64_t now_ns)
{
	v->options = *options;
	v->tick_ns = now_ns;
	return side_init(&v->sides[0], salt) && side_init(&v->sides[1], salt);
}

struct dos *dos_create(uint64_t seed, const struct dos_options *team,
		       const struct dos_observer *observer, uint64_t now_ns)
{
	struct dos *dos = line_calloc(sizeof(*dos));

	if (!dos)
		return NULL;
	dos->seed = seed;
	dos->random = sketch_mix(seed, 1);
	if (observer)
		dos->observer = *observer;
	dos->seen = seen_create(DOS_FLOWS_LOG2);
	dos->fast_ns = now_ns;
	dos->next_ns = now_ns + DOS_FAST_NS;
	dos->step = (uint8_t)(now_ns / DOS_STEP_NS);
	dos->team.due_ns = now_ns + DOS_TICK_NS;
	if (!vm_init(&dos->team, team, 0, now_ns) || !dos->seen) {
		dos_destroy(dos);
		return NULL;
	}
	return dos;
}

void dos_destroy(struct dos *dos)
{
	if (!dos)
		return;
	for (int vm = 0; vm < dos->n_vms; vm++)
		dos_vm_remove(dos, vm);
	vm_fini(&dos->team);
	seen_destroy(dos->seen);
	free(dos);
}

struct dos_vm *dos_vm_of(struct dos *dos, int vm)
{
	return vm == DOS_TEAM ? &dos->team : dos->vms[vm];
}

int dos_vm_add(struct dos *dos, const struct dos_options *options, uint64_t now_ns)
{
	const unsigned int n_rules = dos->signatures ? signature_count(dos->signatures) : 0;
	struct dos_vm *v;
	int vm = 0;

	while (vm < DOS_VMS_MAX && dos->vms[vm])
		vm++;
	if (vm == DOS_VMS_MAX)
		return -ENOSPC;
	v = line_calloc(sizeof(*v));
	if (!v)
		return -ENOMEM;
	v->rules = calloc(n_rules + 1u, sizeof(v->rules[0]));
	if (!vm_init(v, options, sketch_mix(dos->seed, (uint64_t)vm + 2), now_ns) || !v->rules) {
		vm_fini(v);
		free(v);
		return -ENOMEM;
	}
	/* Guests' seconds end at different tenths. */
	v->due_ns = now_ns + DOS_TICK_NS - (uint64_t)vm % DOS_PHASES * DOS_FAST_NS;
	dos->vms[vm] = v;
	dos->n_vms = MAX(dos->n_vms, vm + 1);
	return vm;
}

void dos_vm_remove(struct dos *dos, int vm)
{
	if (!dos->vms[vm])
		return;
	vm_fini(dos->vms[vm]);
	free(dos->vms[vm]);
	dos->vms[vm] = NULL;
}

static bool is_unreachable(const struct dos_packet *p)
{
	return (p->proto == IPPROTO_ICMP && p->icmp_type == 3) ||
	       (p->proto == IPPROTO_ICMPV6 && p->icmp_type == 1);
}

static void count_tcp(struct dos_side *side, uint8_t flags, uint32_t n)
{
	const unsigned int syn = flags & (TCP_SYN | TCP_ACK);

	if (!(flags & (TCP_SYN | TCP_RST)))
		return;
	side->counts[COUNT_SYN] += syn == TCP_SYN ? n : 0;
	side->counts[COUNT_SYNACK] += syn == (TCP_SYN | TCP_ACK) ? n : 0;
	side->counts[COUNT_RST] += flags & TCP_RST ? n : 0;
}

static void count(struct dos_side *side, const struct dos_packet *p)
{
	const uint32_t n = p->packets;
	const bool small = p->bytes <= n * DOS_SMALL_BYTES;

	side->counts[COUNT_PACKETS] += n;
	side->counts[COUNT_BYTES] += p->bytes;
	side->counts[small ? COUNT_SMALL : COUNT_LARGE] += n;
	if (p->spoofed)
		side->counts[COUNT_SPOOFED] += n;
	if (p->fragment)
		side->counts[COUNT_FRAGMENTS] += n;
	if (p->proto == IPPROTO_TCP) {
		count_tcp(side, p->tcp_flags, n);
	} else if (p->proto == IPPROTO_UDP) {
		side->counts[COUNT_UDP] += n;
	} else if (is_unreachable(p)) {
		side->counts[COUNT_UNREACH] += n;
		if (p->icmp_code == (p->proto == IPPROTO_ICMP ? 3 : 4))
			side->counts[COUNT_CLOSED] += n;
	}
}

static void complete(struct dos_side *side, uint8_t *flags, unsigned int pending, uint32_t weight)
{
	if (!(*flags & pending))
		return;
	*flags &= (uint8_t)~pending;
	side->half_open -= MIN(side->half_open, weight);
}

/* A TCP packet and what its flow was so far. True when it begins a new flow. */
static bool handshake(struct dos_vm *v, enum dos_direction direction, const struct dos_packet *p,
		      uint8_t *flags, uint32_t weight)
{
	if (p->tcp_flags & TCP_RST) {
		complete(&v->sides[0], flags, PENDING(0), weight);
		complete(&v->sides[1], flags, PENDING(1), weight);
	} else if ((p->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN) {
		if (*flags & PENDING(direction))
			return false;
		*flags |= PENDING(direction);
		v->sides[direction].half_open += weight;
		return true;
	} else if (!(p->tcp_flags & TCP_SYN)) {
		complete(&v->sides[direction], flags, PENDING(direction), weight);
	}
	return false;
}

static bool is_refusal(const struct dos_packet *p)
{
	return (p->proto == IPPROTO_TCP && (p->tcp_flags & TCP_RST)) || is_unreachable(p);
}

/* Did the other side ever send to this address? And this one has, if it is an answer. */
static bool pair_answered(struct dos *dos, uint64_t pair, enum dos_direction direction,
			  const struct dos_packet *p)
{
	bool is_new;
	uint8_t *flags = seen_get(dos->seen, pair, dos->step, &is_new);

	if (!is_refusal(p))
		*flags |= FROM(direction);
	if ((*flags & (FROM(0) | FROM(1))) == (FROM(0) | FROM(1)))
		*flags |= SEEN_KEEP;
	return *flags & FROM(!direction);
}

/* Whole flows are left out, so that those looked at are complete. */
static bool is_looked_up(const struct dos *dos, uint64_t flow)
{
	return (flow >> 32 & ((1u << dos->flow_shift) - 1)) == 0;
}

static uint32_t *bin_of(struct dos_side *side, uint64_t src)
{
	return &side->bins[src >> 32 & (DOS_BINS - 1)];
}

/* New flow? Half-open? Answered? */
static void look_up(struct dos *dos, struct dos_vm *v, enum dos_direction direction,
		    const struct dos_packet *p, const struct dos_hashes *hashes)
{
	struct dos_side *side = &v->sides[direction];
	bool is_new = false, answered = false;
	uint8_t *flags;

	if (!p->later) {
		flags = seen_get(dos->seen, hashes->flow, dos->step, &is_new);
		if (p->proto == IPPROTO_TCP)
			is_new = handshake(v, direction, p, flags, 1u << dos->flow_shift);
		if (is_new && !is_refusal(p))
			side->counts[COUNT_FLOWS] += 1u << dos->flow_shift;
		answered = *flags & ANSWERED;
		if (answered && !(*flags & PENDING_ANY))
			*flags |= SEEN_KEEP;
	}
	if (answered)
		return;
	if (!pair_answered(dos, hashes->pair, direction, p)) {
		side->counts[COUNT_UNANSWERED] += (uint64_t)p->packets << dos->flow_shift;
		++*bin_of(side, hashes->src);
		return;
	}
	flags = seen_find(dos->seen, hashes->flow, dos->step);
	if (flags && !p->later)
		*flags |= ANSWERED;
}

static void count_matches(struct dos *dos, struct dos_vm *v, enum dos_direction direction,
			  const struct dos_packet *p)
{
	const struct signature_packet packet = {
		.to_guest = direction == DOS_TO_GUEST,
		.proto = p->proto,
		.sport = p->sport,
		.dport = p->dport,
		.payload = p->payload,
		.payload_len = p->payload_len,
	};
	uint16_t rules[8];
	const unsigned int n = signature_match(dos->signatures, &packet, rules, ARRAY_SIZE(rules));

	for (unsigned int i = 0; i < n; i++) {
		struct dos_rule *rule = &v->rules[rules[i]];

		rule->count += (uint64_t)p->packets << dos->detail_shift;
		if (!rule->meter.alarm)
			rule->direction = direction;
	}
}

/* What costs more than some nanoseconds: done for a sample. */
static void look_closely(struct dos *dos, struct dos_vm *v, enum dos_direction direction,
			 const struct dos_packet *p)
{
	const struct dos_addr *addr = direction == DOS_TO_GUEST ? &p->src : &p->dst;
	const uint64_t peer = dos_addr_hash(dos, addr);
	const uint32_t weight = (uint32_t)p->packets << dos->detail_shift;
	uint8_t label[SPACESAVING_LABEL] = {0};
	struct dos_side *side = &v->sides[direction];

	countmin_add(side->peer_counts, peer, weight);
	spacesaving_add(side->peers, peer, addr->bytes, weight);
	if (!p->later && (p->proto == IPPROTO_TCP || p->proto == IPPROTO_UDP)) {
		memcpy(label, &p->dport, sizeof(p->dport));
		spacesaving_add(side->ports, p->dport, label, weight);
	}
	if (dos->signatures)
		count_matches(dos, v, direction, p);
}

uint64_t dos_addr_hash(const struct dos *dos, const struct dos_addr *addr)
{
	uint64_t words[2];

	memcpy(words, addr->bytes, sizeof(words));
	return sketch_hash(words[0], words[1], dos->seed);
}

void dos_fetch(const struct dos *dos, int vm, enum dos_direction direction)
{
	__builtin_prefetch(&dos->vms[vm]->sides[direction], 1);
}

void dos_prepare(const struct dos *dos, int vm, enum dos_direction direction,
		 const struct dos_packet *packet, struct dos_hashes *hashes)
{
	struct dos_side *side = &dos->vms[vm]->sides[direction];
	uint64_t src, dst;

	if (packet->proto == 0)
		return;
	src = dos_addr_hash(dos, &packet->src);
	dst = dos_addr_hash(dos, &packet->dst);
	hashes->src = src;
	hashes->pair = sketch_mix(src + dst, side->salt);
	hashes->flow = sketch_mix(sketch_mix(src, packet->sport) + sketch_mix(dst, packet->dport),
				  side->salt + packet->proto);
	hll_prefetch(side->sources, DOS_HLL_BITS, src);
	if (!is_looked_up(dos, hashes->flow))
		return;
	seen_prefetch(dos->seen, hashes->flow);
	seen_prefetch(dos->seen, hashes->pair);
	__builtin_prefetch(bin_of(side, src), 1);
}

void dos_count(struct dos *dos, int vm, enum dos_direction direction,
	       const struct dos_packet *packet, const struct dos_hashes *hashes)
{
	struct dos_vm *v = dos->vms[vm];
	struct dos_side *side = &v->sides[direction];

	dos->n_packets += packet->packets;
	count(side, packet);
	if (packet->proto == 0)
		return;
	hll_add(side->sources, hashes->src);
	if (is_looked_up(dos, hashes->flow))
		look_up(dos, v, direction, packet, hashes);
	/* Knuth's linear congruential generator: an enemy cannot keep step with it. */
	dos->random = dos->random * 6364136223846793005ull + 1442695040888963407ull;
	if ((dos->random >> 40 & ((1u << dos->detail_shift) - 1)) == 0)
		look_closely(dos, v, direction, packet);
}

void dos_on_packet(struct dos *dos, int vm, enum dos_direction direction,
		   const struct dos_packet *packet)
{
	struct dos_hashes hashes;

	dos_prepare(dos, vm, direction, packet, &hashes);
	dos_count(dos, vm, direction, packet, &hashes);
}

void dos_on_drop(struct dos *dos, int vm, enum dos_direction direction, uint32_t n)
{
	dos->vms[vm]->sides[direction].counts[COUNT_DROPS] += n;
}

void dos_on_rest(struct dos *dos, int vm, enum dos_direction direction)
{
	dos->vms[vm]->sides[direction].rested = true;
}
