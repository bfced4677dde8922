/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch_copy.c - see switch_copy.h. */
#include "switch_copy.h"

#include <string.h>

#include "util.h"

#define COPY_HEAD 128u

static inline uint64_t mix(uint64_t a, uint64_t b)
{
	const __uint128_t product = (__uint128_t)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

bool switch_copy_is_second(struct switch_copies *copies, bool way, const uint8_t *head, size_t len,
			   uint64_t now_ns)
{
	uint64_t hash = mix(len ^ copies->salt, 0x9fb21c651e98df25ull);
	unsigned int i;

	for (size_t at = 0; at < MIN(len, COPY_HEAD); at += 8) {
		uint64_t word = 0;

		memcpy(&word, head + at, MIN(len - at, 8u));
		hash = mix(hash ^ word, 0xa0761d6478bd642full);
	}
	i = hash % SWITCH_COPIES;
	if (copies->frames[i].hash != hash ||
	    now_ns - copies->frames[i].first_ns > SWITCH_COPY_NS) {
		copies->frames[i].hash = hash;
		copies->frames[i].first_ns = now_ns;
		copies->frames[i].n[0] = copies->frames[i].n[1] = 0;
	}
	copies->frames[i].n[way]++;
	return copies->frames[i].n[way] <= copies->frames[i].n[!way];
}
