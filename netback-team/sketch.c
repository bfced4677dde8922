/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sketch.c - count-min, HyperLogLog, SpaceSaving and entropy, see sketch.h. */
#include "sketch.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

struct countmin {
	unsigned int depth;
	uint32_t mask;	     /**< width - 1 */
	uint32_t counters[]; /**< row after row */
};

struct countmin *countmin_create(unsigned int width_log2, unsigned int depth)
{
	struct countmin *cm;

	if (width_log2 < 4 || width_log2 > 24 || depth < 1 || depth > 8)
		return NULL;
	cm = calloc(1, sizeof(*cm) + ((size_t)depth << width_log2) * sizeof(cm->counters[0]));
	if (!cm)
		return NULL;
	cm->depth = depth;
	cm->mask = (1u << width_log2) - 1;
	return cm;
}

void countmin_destroy(struct countmin *cm)
{
	free(cm);
}

/* One hash serves all rows: Kirsch, Mitzenmacher 2006. */
static size_t countmin_at(const struct countmin *cm, uint64_t key, unsigned int row)
{
	const uint32_t step = (uint32_t)(key >> 32) | 1;

	return (size_t)row * (cm->mask + 1) + (((uint32_t)key + row * step) & cm->mask);
}

uint32_t countmin_estimate(const struct countmin *cm, uint64_t key)
{
	uint32_t least = UINT32_MAX;

	for (unsigned int row = 0; row < cm->depth; row++)
		least = MIN(least, cm->counters[countmin_at(cm, key, row)]);
	return least;
}

void countmin_add(struct countmin *cm, uint64_t key, uint32_t n)
{
	const uint32_t old = countmin_estimate(cm, key);
	const uint32_t new = n < UINT32_MAX - old ? old + n : UINT32_MAX;

	for (unsigned int row = 0; row < cm->depth; row++) {
		uint32_t *counter = &cm->counters[countmin_at(cm, key, row)];

		*counter = MAX(*counter, new);
	}
}

void countmin_clear(struct countmin *cm)
{
	memset(cm->counters, 0, ((size_t)cm->mask + 1) * cm->depth * sizeof(cm->counters[0]));
}

struct hll {
	unsigned int bits;
	bool used;
	uint32_t n_with[65]; /**< registers that hold this rank */
	uint8_t ranks[];
};

static void hll_reset(struct hll *hll)
{
	memset(hll->n_with, 0, sizeof(hll->n_with));
	memset(hll->ranks, 0, (size_t)1 << hll->bits);
	hll->n_with[0] = 1u << hll->bits;
	hll->used = false;
}

struct hll *hll_create(unsigned int bits)
{
	struct hll *hll;

	if (bits < 4 || bits > 16)
		return NULL;
	hll = malloc(sizeof(*hll) + ((size_t)1 << bits));
	if (!hll)
		return NULL;
	hll->bits = bits;
	hll_reset(hll);
	return hll;
}

void hll_destroy(struct hll *hll)
{
	free(hll);
}

static void hll_raise(struct hll *hll, size_t at, uint8_t rank)
{
	if (rank <= hll->ranks[at])
		return;
	hll->n_with[hll->ranks[at]]--;
	hll->n_with[rank]++;
	hll->ranks[at] = rank;
	hll->used = true;
}

void hll_add(struct hll *hll, uint64_t key)
{
	/* The bit that is set ends the run of zeros where the key's bits end. */
	const uint64_t rest = key << hll->bits | (uint64_t)1 << hll->bits;

	hll_raise(hll, key >> (64 - hll->bits), (uint8_t)(__builtin_clzll(rest) + 1));
}

/* Sum of x^(2^i) * 2^(i-1): what empty registers tell, Ertl's formula (12). x < 1. */
static double hll_sigma(double x)
{
	double y = 1, z = x, before;

	do {
		x *= x;
		before = z;
		z += x * y;
		y += y;
	} while (z > before);
	return z;
}

uint64_t hll_estimate(const struct hll *hll)
{
	const double m = (double)(1u << hll->bits);
	double z = 0;

	if (!hll->used)
		return 0;
	for (unsigned int rank = 64 - hll->bits; rank > 0; rank--)
		z = (z + hll->n_with[rank]) / 2;
	z += m * hll_sigma(hll->n_with[0] / m);
	return (uint64_t)(m * m * 0.7213475204444817 / z + 0.5); /* 1 / (2 ln 2) */
}

void hll_merge(struct hll *hll, const struct hll *other)
{
	if (!other->used)
		return;
	for (size_t i = 0; i < (size_t)1 << hll->bits; i++)
		hll_raise(hll, i, other->ranks[i]);
}

void hll_clear(struct hll *hll)
{
	if (hll->used)
		hll_reset(hll);
}

struct spacesaving {
	unsigned int k, n_used;
	unsigned int least; /**< item with the smallest count; of use when all are used */
	uint64_t total;
	uint64_t *keys; /**< apart from the items: a search reads only these */
	struct spacesaving_item items[];
};

struct spacesaving *spacesaving_create(unsigned int k)
{
	struct spacesaving *ss;

	if (k < 1 || k > 1024)
		return NULL;
	ss = calloc(1, sizeof(*ss) + k * (sizeof(ss->items[0]) + sizeof(ss->keys[0])));
	if (!ss)
		return NULL;
	ss->k = k;
	ss->keys = (uint64_t *)&ss->items[k];
	return ss;
}

void spacesaving_destroy(struct spacesaving *ss)
{
	free(ss);
}

static void find_least(struct spacesaving *ss)
{
	ss->least = 0;
	for (unsigned int i = 1; i < ss->n_used; i++)
		if (ss->items[i].count < ss->items[ss->least].count)
			ss->least = i;
}

void spacesaving_add(struct spacesaving *ss, uint64_t key, const void *label, uint64_t n)
{
	struct spacesaving_item *item;
	unsigned int i = 0;
	bool other;

	ss->total += n;
	while (i < ss->n_used && ss->keys[i] != key)
		i++;
	other = i == ss->n_used;
	if (other) {
		/* A new key takes the place, and the count, of the least frequent one. */
		if (ss->n_used == ss->k)
			i = ss->least;
		else
			ss->n_used++;
		item = &ss->items[i];
		item->error = item->count;
		item->key = ss->keys[i] = key;
		memcpy(item->label, label, sizeof(item->label));
	}
	ss->items[i].count += n;
	if (ss->n_used == ss->k && (other || i == ss->least))
		find_least(ss);
}

uint64_t spacesaving_total(const struct spacesaving *ss)
{
	return ss->total;
}

unsigned int spacesaving_top(const struct spacesaving *ss, struct spacesaving_item *items,
			     unsigned int max)
{
	unsigned int n = 0;

	/* Insertion into the few that are asked for. */
	for (unsigned int i = 0; i < ss->n_used; i++) {
		const struct spacesaving_item *item = &ss->items[i];
		unsigned int at;

		if (n == max && (max == 0 || items[n - 1].count >= item->count))
			continue;
		at = n < max ? n++ : n - 1;
		for (; at > 0 && items[at - 1].count < item->count; at--)
			items[at] = items[at - 1];
		items[at] = *item;
	}
	return n;
}

void spacesaving_clear(struct spacesaving *ss)
{
	memset(ss->items, 0, ss->n_used * sizeof(ss->items[0]));
	ss->n_used = ss->least = 0;
	ss->total = 0;
}

/* log2(x) with 16 bits behind the point, x > 0: the bits of the fraction by squaring. */
static uint64_t log2_q16(uint64_t x)
{
	const unsigned int whole = 63 - (unsigned int)__builtin_clzll(x);
	uint64_t log = (uint64_t)whole << 16;
	uint64_t y = (x << (63 - whole)) >> 32; /* [1, 2) with 31 bits behind the point */

	for (uint64_t bit = 1u << 15; bit > 0; bit >>= 1) {
		y = (y * y) >> 31;
		if (y >> 32) {
			y >>= 1;
			log |= bit;
		}
	}
	return log;
}

unsigned int sketch_entropy(const uint32_t *counts, size_t n)
{
	__uint128_t sum = 0;
	uint64_t total = 0, mean;

	for (size_t i = 0; i < n; i++) {
		if (counts[i] == 0)
			continue;
		total += counts[i];
		sum += (__uint128_t)counts[i] * log2_q16(counts[i]);
	}
	if (total == 0)
		return 0;
	mean = (uint64_t)(sum / total);
	return (unsigned int)(((MAX(log2_q16(total), mean) - mean) * 100 + 0x8000) >> 16);
}
