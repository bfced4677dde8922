/* SPDX-License-Identifier: GPL-2.0-or-later */
/* buf.c - pool of frame buffers, see buf.h. */
#include "buf.h"

#include <assert.h>
#include <sys/mman.h>

#include "util.h"

#define PAGE	     4096u
#define BIG_STRIDE   (PAGE + BUF_BIG_DATA) /* a page of headroom keeps the data page-aligned */
#define SMALL_STRIDE PAGE

struct buf_pool {
	struct buf *bufs;
	struct buf *free_big, *free_small;
	unsigned int n_free[2]; /* small, big */
	uint8_t *area;
	size_t area_size;
};

static_assert(BUF_HEADROOM + BUF_SMALL_DATA <= SMALL_STRIDE, "a small buffer is one page");

struct buf_pool *buf_pool_create(unsigned int n_big, unsigned int n_small)
{
	struct buf_pool *pool = xb_calloc(1, sizeof(*pool));
	uint8_t *p;

	pool->area_size = (size_t)n_big * BIG_STRIDE + (size_t)n_small * SMALL_STRIDE;
	pool->area = mmap(NULL, pool->area_size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pool->area == MAP_FAILED) {
		free(pool);
		return NULL;
	}
	/* Locked pages spare a grant copy from page faults; without the right to lock we are
	 * slower, not wrong. */
	(void)mlock2(pool->area, pool->area_size, MLOCK_ONFAULT);
	pool->bufs = xb_calloc((size_t)n_big + n_small, sizeof(*pool->bufs));
	p = pool->area;
	for (unsigned int i = 0; i < n_big + n_small; i++) {
		struct buf *buf = &pool->bufs[i];

		buf->big = i < n_big;
		buf->data = p + (buf->big ? PAGE : BUF_HEADROOM);
		p += buf->big ? BIG_STRIDE : SMALL_STRIDE;
		buf_put(pool, buf);
	}
	return pool;
}

void buf_pool_destroy(struct buf_pool *pool)
{
	if (!pool)
		return;
	munmap(pool->area, pool->area_size);
	free(pool->bufs);
	free(pool);
}

struct buf *buf_get(struct buf_pool *pool, size_t bytes)
{
	struct buf **list = bytes <= BUF_SMALL_DATA ? &pool->free_small : &pool->free_big;
	struct buf *buf = *list;

	if (!buf || bytes > BUF_BIG_DATA)
		return NULL;
	*list = buf->next;
	buf->next = NULL;
	pool->n_free[buf->big]--;
	return buf;
}

void buf_put(struct buf_pool *pool, struct buf *buf)
{
	struct buf **list = buf->big ? &pool->free_big : &pool->free_small;

	buf->next = *list;
	*list = buf;
	pool->n_free[buf->big]++;
}

unsigned int buf_pool_free(const struct buf_pool *pool)
{
	return pool->n_free[0] + pool->n_free[1];
}

uint64_t buf_pool_room(const struct buf_pool *pool, size_t bytes)
{
	if (bytes > BUF_SMALL_DATA)
		return (uint64_t)pool->n_free[1] * BUF_BIG_DATA;
	return (uint64_t)pool->n_free[0] * BUF_SMALL_DATA;
}
