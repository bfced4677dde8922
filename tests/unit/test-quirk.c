/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-quirk.c - defaults by device and the administrator's list. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "keys.h"
#include "usbback/quirk.h"
#include "util.h"

static void expect(const struct quirks *q, bool no_merge, bool zlp, bool host,
		   enum quirk_reset reset, uint32_t read_ahead)
{
	assert_int_equal(q->no_merge, no_merge);
	assert_int_equal(q->zlp, zlp);
	assert_int_equal(q->clear_halt_host, host);
	assert_int_equal(q->reset, reset);
	assert_int_equal(q->read_ahead, read_ahead);
}

static void parse(struct quirks *q, const char *list)
{
	char error[KEY_ERROR_MAX] = "";

	assert_int_equal(quirks_parse(q, list, error, sizeof(error)), 0);
	assert_string_equal(error, "");
}

static void test_defaults(void **state)
{
	struct quirks q;

	memset(&q, 0xff, sizeof(q));
	quirks_init(&q, 0x1234, 0x5678);
	expect(&q, false, false, false, QUIRK_RESET_INFER, 0);
	quirks_init(&q, 0x1a86, 0x7523);
	expect(&q, true, false, false, QUIRK_RESET_INFER, 0);
	quirks_init(&q, 0x1a86, 0x5523);
	expect(&q, true, false, false, QUIRK_RESET_INFER, 0);
	quirks_init(&q, 0x7523, 0x1a86); /* not the other way around */
	expect(&q, false, false, false, QUIRK_RESET_INFER, 0);
}

static void test_words(void **state)
{
	struct quirks q;

	quirks_init(&q, 0, 0);
	parse(&q, "");
	expect(&q, false, false, false, QUIRK_RESET_INFER, 0);
	parse(&q, "no-merge");
	parse(&q, "zlp");
	parse(&q, "clear-halt=host");
	parse(&q, "reset=never");
	parse(&q, "read-ahead=64KiB");
	expect(&q, true, true, true, QUIRK_RESET_NEVER, 64u << 10);
	parse(&q, "merge,no-zlp,clear-halt=device,reset=infer,read-ahead=0");
	expect(&q, false, false, false, QUIRK_RESET_INFER, 0);
	parse(&q, "no-merge,merge,no-merge"); /* the last one counts */
	assert_true(q.no_merge);
	parse(&q, ",,zlp,,"); /* empty words are nothing */
	assert_true(q.zlp);
}

/* A default can be taken back. */
static void test_over_default(void **state)
{
	struct quirks q;

	quirks_init(&q, 0x1a86, 0x7523);
	parse(&q, "merge");
	assert_false(q.no_merge);
}

static void test_read_ahead(void **state)
{
	static const struct {
		const char *list;
		uint32_t bytes;
	} good[] = {{"read-ahead=1024", 1024},
		    {"read-ahead=1KiB", 1024},
		    {"read-ahead=1MiB", QUIRK_READ_AHEAD_MAX}};
	struct quirks q;

	quirks_init(&q, 0, 0);
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		parse(&q, good[i].list);
		assert_int_equal(q.read_ahead, good[i].bytes);
	}
}

/* Nothing of a list with a mistake counts, and the message names what is wrong. */
static void test_bad(void **state)
{
	static const struct {
		const char *list, *names;
	} bad[] = {
		{"nomerge", "\"nomerge\""},
		{"no-merge,zlq", "\"zlq\""},
		{"no-merge, zlp", "\" zlp\""},
		{"reset", "\"reset\""},
		{"reset=", "\"reset=\""},
		{"reset=always", "\"reset=always\""},
		{"clear-halt=", "\"clear-halt=\""},
		{"NO-MERGE", "\"NO-MERGE\""},
		{"read-ahead", "\"read-ahead\""},
		{"read-ahead=", "read-ahead"},
		{"read-ahead=-1", "-1"},
		{"read-ahead=many", "many"},
		{"read-ahead=1023", "1023"},
		{"read-ahead=1025", "1025"},
		{"read-ahead=1048577", "1048577"},
		{"read-ahead=2MiB", "2MiB"},
		{"read-ahead=99999999999999999999999", "99999999999999999999999"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		AUTO_FREE char *list = xb_asprintf("zlp,%s", bad[i].list);
		char error[KEY_ERROR_MAX] = "";
		struct quirks q;

		quirks_init(&q, 0, 0);
		assert_int_equal(quirks_parse(&q, list, error, sizeof(error)), -EINVAL);
		expect(&q, false, false, false, QUIRK_RESET_INFER, 0);
		if (!strstr(error, bad[i].names))
			fail_msg("%s: %s", list, error);
	}
}

/* A word that is too long is not taken for what it begins with, nor cut to a good one. */
static void test_long_word(void **state)
{
	char list[512] = "", error[KEY_ERROR_MAX], tiny[8];
	struct quirks q;

	quirks_init(&q, 0, 0);
	memset(list, 'x', sizeof(list) - 1);
	assert_int_equal(quirks_parse(&q, list, error, sizeof(error)), -EINVAL);
	assert_non_null(strstr(error, "xxxxxxxx"));
	snprintf(list, sizeof(list), "read-ahead=%060d1024", 0);
	assert_int_equal(quirks_parse(&q, list, error, sizeof(error)), -EINVAL);
	assert_int_equal(q.read_ahead, 0);
	/* A small buffer for the message is not overrun. */
	assert_int_equal(quirks_parse(&q, "nonsense", tiny, sizeof(tiny)), -EINVAL);
	assert_true(strlen(tiny) < sizeof(tiny));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),     cmocka_unit_test(test_words),
		cmocka_unit_test(test_over_default), cmocka_unit_test(test_read_ahead),
		cmocka_unit_test(test_bad),	     cmocka_unit_test(test_long_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
