/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-buf.c - the pool of frame buffers: sizes, alignment, bounds, no overlap. */
#include "netback-team/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static void test_pool(void **state)
{
	struct buf_pool *pool = buf_pool_create(3, 5);
	struct buf *bufs[8], *again;

	for (unsigned int i = 0; i < 8; i++) {
		bufs[i] = buf_get(pool, i < 3 ? BUF_BIG_DATA : BUF_SMALL_DATA);
		assert_non_null(bufs[i]);
		assert_int_equal(bufs[i]->big, i < 3);
		if (i < 3)
			assert_int_equal((uintptr_t)bufs[i]->data % 4096, 0);
		memset(bufs[i]->data - BUF_HEADROOM, (int)i,
		       BUF_HEADROOM + (i < 3 ? BUF_BIG_DATA : BUF_SMALL_DATA));
	}
	for (unsigned int i = 0; i < 8; i++) {
		assert_int_equal(bufs[i]->data[-(int)BUF_HEADROOM], i);
		assert_int_equal(bufs[i]->data[(i < 3 ? BUF_BIG_DATA : BUF_SMALL_DATA) - 1], i);
	}
	assert_null(buf_get(pool, 1));
	assert_null(buf_get(pool, BUF_BIG_DATA));
	assert_int_equal(buf_pool_free(pool), 0);
	buf_put(pool, bufs[1]);
	buf_put(pool, bufs[2]);
	again = buf_get(pool, BUF_SMALL_DATA + 1);
	assert_ptr_equal(again, bufs[2]); /* the warm one first */
	for (unsigned int i = 2; i < 8; i++)
		buf_put(pool, bufs[i]);
	buf_put(pool, bufs[0]);
	assert_int_equal(buf_pool_free(pool), 8);
	assert_null(buf_get(pool, BUF_BIG_DATA + 1));
	buf_pool_destroy(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_pool)};

	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
