/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-cursor.c - bounded reading: byte orders, the end, and what stays true after it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "common/cursor.h"

static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};

static void reads_both_byte_orders(void **state)
{
	struct cursor c;

	cursor_init(&c, bytes, sizeof(bytes));
	assert_int_equal(cursor_u8(&c), 1);
	assert_int_equal(cursor_be16(&c), 0x0203);
	assert_int_equal(cursor_le16(&c), 0x0504);
	assert_int_equal(cursor_be32(&c), 0x06070809);
	assert_int_equal(cursor_left(&c), 1);
	cursor_init(&c, bytes, sizeof(bytes));
	assert_int_equal(cursor_le32(&c), 0x04030201);
	cursor_init(&c, bytes, sizeof(bytes));
	assert_true(cursor_le64(&c) == 0x0807060504030201ull);
	assert_false(c.failed);
}

static void past_the_end_yields_zero_and_moves_nothing(void **state)
{
	struct cursor c;

	cursor_init(&c, bytes, 3);
	assert_int_equal(cursor_be32(&c), 0);
	assert_true(c.failed);
	assert_int_equal(cursor_left(&c), 3);
	/* What fitted before does not any more: one wrong read spoils the rest. */
	assert_int_equal(cursor_u8(&c), 0);
	assert_int_equal(cursor_le64(&c), 0);
	assert_int_equal(cursor_be16(&c), 0);
	assert_int_equal(cursor_le16(&c), 0);
	assert_int_equal(cursor_le32(&c), 0);
	assert_null(cursor_skip(&c, 0));
}

static void copies_and_skips(void **state)
{
	struct cursor c;
	uint8_t out[4];

	cursor_init(&c, bytes, 6);
	assert_ptr_equal(cursor_skip(&c, 2), bytes);
	assert_true(cursor_bytes(&c, out, 4));
	assert_memory_equal(out, bytes + 2, 4);
	assert_true(cursor_bytes(&c, out, 0));
	assert_false(cursor_bytes(&c, out, 1));
	assert_int_equal(out[0], 0);
	assert_null(cursor_skip(&c, SIZE_MAX));
}

static void empty_input_is_fine(void **state)
{
	struct cursor c;

	cursor_init(&c, NULL, 0);
	assert_int_equal(cursor_left(&c), 0);
	assert_int_equal(cursor_u8(&c), 0);
	assert_true(c.failed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_both_byte_orders),
		cmocka_unit_test(past_the_end_yields_zero_and_moves_nothing),
		cmocka_unit_test(copies_and_skips),
		cmocka_unit_test(empty_input_is_fine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
