/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sketch.h - summaries of a stream in little memory: how often (count-min), how many different
 * (HyperLogLog), which most often (SpaceSaving), how evenly spread (entropy). For dos.[ch]. Pure.
 *
 * All memory is taken at creation. Keys are 64-bit hashes; where an enemy chooses what is counted,
 * make them with a seed that he does not know (sketch_hash), or he aims at one counter.
 */
#ifndef XB_NET_SKETCH_H
#define XB_NET_SKETCH_H

#include <stddef.h>
#include <stdint.h>

/** Mixes two words: both halves of their product. Not for cryptography. */
static inline uint64_t sketch_mix(uint64_t a, uint64_t b)
{
	const __uint128_t product =
		(__uint128_t)(a ^ 0x9e3779b97f4a7c15ull) * (b ^ 0xd6e8feb86659fd93ull);

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/** Hash of two words; the same seed gives the same hash. Each bit depends on every bit given. */
static inline uint64_t sketch_hash(uint64_t a, uint64_t b, uint64_t seed)
{
	return sketch_mix(sketch_mix(a ^ seed, b), seed ^ 0xa0761d6478bd642full);
}

/**
 * Count-min: how often a key was added. Cormode, Muthukrishnan 2005; conservative update of Estan,
 * Varghese 2002. The estimate is never too small; with probability 1 - e^-depth it is too large by
 * at most e * N / width, N being the sum of what was added.
 */
struct countmin;

/** width = 1 << width_log2 (4 to 24) counters in depth (1 to 8) rows; NULL without memory or for
 * other sizes. */
struct countmin *countmin_create(unsigned int width_log2, unsigned int depth);
void countmin_destroy(struct countmin *cm);
/** Adds n to the key; counters stay at UINT32_MAX. */
void countmin_add(struct countmin *cm, uint64_t key, uint32_t n);
uint32_t countmin_estimate(const struct countmin *cm, uint64_t key);
void countmin_clear(struct countmin *cm);

/**
 * HyperLogLog: how many different keys were added. Flajolet et al. 2007 with the estimator of Ertl
 * 2017, which needs no correction by tables at any size. Standard error 1.04 / sqrt(1 << bits): 1.6
 * % with 12.
 */
struct hll;

/** 1 << bits (4 to 16) bytes; NULL without memory or for other sizes. */
struct hll *hll_create(unsigned int bits);
void hll_destroy(struct hll *hll);
/** key must be a good hash: all its bits count. */
void hll_add(struct hll *hll, uint64_t key);
/** Fetches what hll_add of this key touches into the cache, without a look at it. bits: as at
 * creation. */
void hll_prefetch(const struct hll *hll, unsigned int bits, uint64_t key);
uint64_t hll_estimate(const struct hll *hll);
/** Adds all that was added to other, which has as many bits. */
void hll_merge(struct hll *hll, const struct hll *other);
/** Costs next to nothing when it is empty. */
void hll_clear(struct hll *hll);

#define SPACESAVING_LABEL 16

struct spacesaving_item {
	uint64_t key;
	uint8_t label[SPACESAVING_LABEL]; /**< what the key stands for */
	uint64_t count;			  /**< never less than the truth */
	uint64_t error;			  /**< count - error is never more than the truth */
};

/**
 * SpaceSaving: the most frequent keys. Metwally, Agrawal, El Abbadi 2005. A key that is more than N
 * / k of all is among the items; errors are at most N / k.
 */
struct spacesaving;

/** k: 1 to 1024 items; NULL without memory or for other sizes. */
struct spacesaving *spacesaving_create(unsigned int k);
void spacesaving_destroy(struct spacesaving *ss);
/** label: SPACESAVING_LABEL bytes, copied when the key becomes an item. Costs up to two looks
 * through all k: sample where that is too much. */
void spacesaving_add(struct spacesaving *ss, uint64_t key, const void *label, uint64_t n);
/** N: the sum of all that was added. */
uint64_t spacesaving_total(const struct spacesaving *ss);
/** The most frequent items in descending order, max at most; returns how many. */
unsigned int spacesaving_top(const struct spacesaving *ss, struct spacesaving_item *items,
			     unsigned int max);
void spacesaving_clear(struct spacesaving *ss);

/** Shannon entropy of the distribution that n counts make, in hundredths of a bit: 0 (all in one
 * place, or nothing) to 100 * log2(n). */
unsigned int sketch_entropy(const uint32_t *counts, size_t n);

#endif
