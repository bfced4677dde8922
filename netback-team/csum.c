/* SPDX-License-Identifier: GPL-2.0-or-later */
/* csum.c - Internet checksum, see csum.h. Used by frame.c and segment.c for every byte they touch.
 */
#include "csum.h"

#include <string.h>

/* Two 64-bit lanes, which every 64-bit machine has; the compiler takes care of those that have not.
 */
typedef uint64_t lanes __attribute__((vector_size(16)));

#define BLOCK (4 * sizeof(lanes))

uint64_t csum_add(uint64_t sum, const void *data, size_t len)
{
	const lanes low = {0xffffffff, 0xffffffff};
	lanes a = {0}, b = {0}, c = {0}, d = {0};
	const uint8_t *p = data;

	/* 32-bit words into 64-bit sums: no carry to mind before 2^32 words. */
	for (; len >= BLOCK; len -= BLOCK, p += BLOCK) {
		lanes w[4];

		memcpy(w, p, sizeof(w));
		a += (w[0] & low) + (w[0] >> 32);
		b += (w[1] & low) + (w[1] >> 32);
		c += (w[2] & low) + (w[2] >> 32);
		d += (w[3] & low) + (w[3] >> 32);
	}
	a += b + c + d;
	sum += a[0] + a[1];
	for (; len >= 4; len -= 4, p += 4) {
		uint32_t word;

		memcpy(&word, p, 4);
		sum += word;
	}
	if (len) {
		uint8_t tail[4] = {0};
		uint32_t word;

		memcpy(tail, p, len);
		memcpy(&word, tail, 4);
		sum += word;
	}
	return sum;
}
