/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-openmetrics.c - merging texts of several daemons; and the lint that judges ours has to find
 * what is wrong. */
#include "tools/openmetrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "openmetrics-lint.h"

#define A                                                                                          \
	"# TYPE xb_a_bytes counter\n# UNIT xb_a_bytes bytes\n# HELP xb_a_bytes Of \\\"a\\\".\n"    \
	"xb_a_bytes_total{vif=\"1\"} 5\n"
#define B "# TYPE xb_b gauge\n# HELP xb_b Of b.\nxb_b 7\n"

static void families_are_merged(void **state)
{
	struct openmetrics *om = openmetrics_create();
	AUTO_FREE char *text = NULL;
	char error[256];

	assert_true(openmetrics_add(om, A B "# EOF\n"));
	assert_true(openmetrics_add(om, "# TYPE xb_c gauge\nxb_c 1\n"
					"# TYPE xb_a_bytes counter\n# HELP xb_a_bytes Other.\n"
					"xb_a_bytes_total{vif=\"2\"} 6\n# EOF\n"));
	text = openmetrics_text(om);
	assert_string_equal(text, A "xb_a_bytes_total{vif=\"2\"} 6\n" B
				    "# TYPE xb_c gauge\nxb_c 1\n# EOF\n");
	assert_true(openmetrics_lint(text, error, sizeof(error)));
	openmetrics_destroy(om);
	openmetrics_destroy(NULL);
}

static void what_is_no_text_adds_nothing(void **state)
{
	static const char *const bad[] = {
		"",
		"# EOF",
		"xb_a_total 5\n# EOF\n",
		"# HELP xb_a Of a.\nxb_a 5\n# EOF\n",
		"# TYPE xb_z\nxb_z 5\n# EOF\n",
		"# TYPE xb_z \nxb_z 5\n# EOF\n",
		"# TYPE  gauge\nxb_z 5\n# EOF\n",
		"# TYPE xb_z gauge\nxb_z 5\n",
		"# TYPE xb_z gauge\nxb_z 5\n# TYPE xb_b counter\nxb_b_total 1\n# EOF\n",
	};
	struct openmetrics *om = openmetrics_create();
	AUTO_FREE char *text = NULL;

	assert_true(openmetrics_add(om, B "# EOF\n"));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(openmetrics_add(om, bad[i]));
	text = openmetrics_text(om);
	assert_string_equal(text, B "# EOF\n");
	openmetrics_destroy(om);
}

static void values_are_escaped(void **state)
{
	AUTO_FREE char *text = openmetrics_escape("a\"b\\c\nd");

	assert_string_equal(text, "a\\\"b\\\\c\\nd");
}

static void the_lint_finds_what_is_wrong(void **state)
{
	static const char *const bad[] = {
		A B,
		A "# EOF\nx",
		A "\n# EOF\n",
		A A "# EOF\n",
		A B "xb_a_bytes_total{vif=\"2\"} 6\n# EOF\n",
		A "xb_a_bytes_total{vif=\"1\"} 6\n# EOF\n",
		"xb_a 5\n# EOF\n",
		"# TYPE xb_a counter\nxb_a 5\n# EOF\n",
		"# TYPE xb_a counter\nxb_a_total -5\n# EOF\n",
		"# TYPE xb_a gauge\nxb_a five\n# EOF\n",
		"# TYPE xb_a gauge\nxb_a 5 6 \n# EOF\n",
		"# TYPE xb_a gauge\nxb_a  5\n# EOF\n",
		"# TYPE xb_a meter\nxb_a 5\n# EOF\n",
		"# TYPE xb_a gauge\n# UNIT xb_a bytes\nxb_a 5\n# EOF\n",
		"# TYPE xb_a gauge\n# HELP xb_a a \\t tab\nxb_a 5\n# EOF\n",
		"# TYPE xb_a gauge\nxb_a 5\n# HELP xb_a late\n# EOF\n",
		"# TYPE xb_a gauge\nxb_a{} 5\n# EOF\n",
		"# TYPE xb_a gauge\nxb_a{x=\"1\",x=\"2\"} 5\n# EOF\n",
		"# TYPE xb_a gauge\nxb_a{x:y=\"1\"} 5\n# EOF\n",
		"# TYPE xb_a gauge\nxb_a{x=\"1} 5\n# EOF\n",
		"# TYPE xb_a gauge\nxb_a{x=\"\\q\"} 5\n# EOF\n",
		"# TYPE 1xb_a gauge\n1xb_a 5\n# EOF\n",
		"# TYPE xb_a info\nxb_a_info 2\n# EOF\n",
	};
	char error[256];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (openmetrics_lint(bad[i], error, sizeof(error)))
			fail_msg("taken for good: %s", bad[i]);
	assert_true(openmetrics_lint(A B "# EOF\n", error, sizeof(error)));
	assert_true(openmetrics_lint("# EOF\n", error, sizeof(error)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(families_are_merged),
		cmocka_unit_test(what_is_no_text_adds_nothing),
		cmocka_unit_test(values_are_escaped),
		cmocka_unit_test(the_lint_finds_what_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
