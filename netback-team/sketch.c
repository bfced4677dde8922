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

void hll_prefetch(const struct hll *hll, unsigned int bits, uint64_t key)
{
	__builtin_prefetch(hll);
	__builtin_prefetch(&hll->ranks[key >> (64 - bits)], 1);
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
	uint64_t eight; /* most are empty: looked at eight by eight */

	if (!other->used)
		return;
	for (size_t i = 0; i < (size_t)1 << hll->bits; i += sizeof(eight)) {
		memcpy(&eight, &other->ranks[i], sizeof(eight));
		for (size_t k = i; eight && k < i + sizeof(eight); k++)
			hll_raise(hll, k, other->ranks[k]);
	}
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
	/* Apart from the items: searches read only these. */
	uint64_t *keys, *counts;
	struct spacesaving_label {
		uint64_t error;
		uint8_t label[SPACESAVING_LABEL];
	} items[];
};

struct spacesaving *spacesaving_create(unsigned int k)
{
	struct spacesaving *ss;

	if (k < 1 || k > 1024)
		return NULL;
	ss = calloc(1, sizeof(*ss) + k * (sizeof(ss->items[0]) + 2 * sizeof(uint64_t)));
	if (!ss)
		return NULL;
	ss->k = k;
	ss->keys = (uint64_t *)&ss->items[k];
	ss->counts = ss->keys + k;
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
		if (ss->counts[i] < ss->counts[ss->least])
			ss->least = i;
}

void spacesaving_add(struct spacesaving *ss, uint64_t key, const void *label, uint64_t n)
{
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
		ss->keys[i] = key;
		ss->items[i].error = ss->counts[i];
		memcpy(ss->items[i].label, label, sizeof(ss->items[i].label));
	}
	ss->counts[i] += n;
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
		const uint64_t count = ss->counts[i];
		unsigned int at;

		if (n == max && (max == 0 || items[n - 1].count >= count))
			continue;
		at = n < max ? n++ : n - 1;
		for (; at > 0 && items[at - 1].count < count; at--)
			items[at] = items[at - 1];
		items[at] = (struct spacesaving_item){
			.key = ss->keys[i], .count = count, .error = ss->items[i].error};
		memcpy(items[at].label, ss->items[i].label, sizeof(items[at].label));
	}
	return n;
}

void spacesaving_clear(struct spacesaving *ss)
{
	memset(ss->counts, 0, ss->n_used * sizeof(ss->counts[0]));
	ss->n_used = ss->least = 0;
	ss->total = 0;
}

/* log2(x), x > 0, to 1e-7; libm is not for pure files. The series of artanh around sqrt(2). */
static double log2_of(uint64_t x)
{
	const unsigned int whole = 63 - (unsigned int)__builtin_clzll(x);
	const double y = (double)(x << (63 - whole)) / 9223372036854775808.0; /* [1, 2) */
	const double s = (y - 1.4142135623730951) / (y + 1.4142135623730951), s2 = s * s;

	return whole + 0.5 +
	       2.8853900817779268 * s * (1 + s2 * (1.0 / 3 + s2 * (1.0 / 5 + s2 / 7)));
}

unsigned int sketch_entropy(const uint32_t *counts, size_t n)
{
	uint64_t total = 0;
	double sum = 0, bits;

	for (size_t i = 0; i < n; i++) {
		if (counts[i] == 0)
			continue;
		total += counts[i];
		sum += counts[i] * log2_of(counts[i]);
	}
	if (total == 0)
		return 0;
	bits = log2_of(total) - sum / (double)total;
	return bits > 0 ? (unsigned int)(bits * 100 + 0.5) : 0;
}
