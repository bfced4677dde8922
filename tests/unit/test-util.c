/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-util.c - allocation helpers, edit distance and "did you mean". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "common/util.h"

static void allocation_gives_usable_memory(void **state)
{
	AUTO_FREE char *text = xb_asprintf("%s-%d", "vif", 3);
	AUTO_FREE char *copy = xb_strdup(text);
	unsigned char *bytes = xb_calloc(4, 8);

	assert_string_equal(copy, "vif-3");
	for (int i = 0; i < 32; i++)
		assert_int_equal(bytes[i], 0);
	bytes = xb_realloc(bytes, 64);
	bytes[63] = 1;
	free(bytes);
	free(xb_calloc(0, 8)); /* never NULL, whatever malloc(0) does */
}

static void lines_begin_where_the_machines_do(void **state)
{
	for (size_t n = 1; n < 200; n += 33) {
		AUTO_FREE uint8_t *lines = xb_calloc_lines(n, 3);

		assert_int_equal((uintptr_t)lines % 64, 0);
		for (size_t i = 0; i < n * 3; i++)
			assert_int_equal(lines[i], 0);
	}
}

static void distance_counts_edits(void **state)
{
	char longest[64];

	assert_int_equal(xb_distance("team", "team"), 0);
	assert_int_equal(xb_distance("team", "teem"), 1);
	assert_int_equal(xb_distance("team", "tem"), 1);
	assert_int_equal(xb_distance("", "team"), 4);
	assert_int_equal(xb_distance("kitten", "sitting"), 3);
	assert_int_equal(xb_distance("team", "taem"), 1);
	assert_int_equal(xb_distance("ab", "ba"), 1);
	assert_int_equal(xb_distance("a", ""), 1);
	memset(longest, 'a', sizeof(longest) - 1);
	longest[63] = 0;
	assert_true(xb_distance(longest, "a") == SIZE_MAX);
}

static const char *nearest_of(const char *word)
{
	static const char *const known[] = {"team show", "team set", "vif list", "log", "on"};
	struct nearest nearest;

	nearest_init(&nearest, word);
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		nearest_offer(&nearest, known[i]);
	return nearest.best;
}

static void nearest_suggests_only_what_is_near(void **state)
{
	assert_string_equal(nearest_of("team shwo"), "team show");
	assert_string_equal(nearest_of("vi list"), "vif list");
	assert_string_equal(nearest_of("lgo"), "log");
	assert_null(nearest_of("migrate"));
	assert_null(nearest_of("x"));
	assert_null(nearest_of("foo"));
	assert_null(nearest_of(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(allocation_gives_usable_memory),
		cmocka_unit_test(lines_begin_where_the_machines_do),
		cmocka_unit_test(distance_counts_edits),
		cmocka_unit_test(nearest_suggests_only_what_is_near),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
