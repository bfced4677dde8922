/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pool.c - runs of slots, see pool.h. */
#include "pool.h"

#include <errno.h>
#include <stdlib.h>

#include "util.h"

#define POOL_BYTES ((size_t)POOL_SLOTS * POOL_SLOT_BYTES)

static uint32_t mask(uint32_t first, uint32_t n)
{
	return (uint32_t)(((1ull << n) - 1) << first);
}

int pool_init(struct pool *pool, struct usb_host *host)
{
	*pool = (struct pool){.host = host};
	if (host->ops->buffer_alloc)
		pool->base = host->ops->buffer_alloc(host, POOL_BYTES);
	if (pool->base)
		return 0;
	pool->host = NULL;
	pool->base = aligned_alloc(4096, POOL_BYTES);
	return pool->base ? 0 : -ENOMEM;
}

void pool_fini(struct pool *pool)
{
	if (!pool->host) /* else it ended with the host */
		free(pool->base);
	pool->base = NULL;
}

uint32_t pool_room(const struct pool *pool)
{
	uint32_t best = 0, run = 0;

	for (uint32_t i = 0; i < POOL_SLOTS; i++) {
		run = pool->used & (1u << i) ? 0 : run + 1;
		best = MAX(best, run);
	}
	return best * POOL_SLOT_BYTES;
}

uint8_t *pool_get(struct pool *pool, uint32_t size)
{
	uint32_t n = DIV_ROUND_UP(size, POOL_SLOT_BYTES);

	for (uint32_t i = 0; i + n <= POOL_SLOTS; i++) {
		if (pool->used & mask(i, n))
			continue;
		pool->used |= mask(i, n);
		return pool->base + (size_t)i * POOL_SLOT_BYTES;
	}
	return NULL;
}

void pool_put(struct pool *pool, const uint8_t *p, uint32_t size)
{
	if (p)
		pool->used &= ~mask((uint32_t)((size_t)(p - pool->base) / POOL_SLOT_BYTES),
				    DIV_ROUND_UP(size, POOL_SLOT_BYTES));
}
