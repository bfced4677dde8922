/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-act-options.c - limits of what is configured about actions, address blocks of the whitelist.
 */
#include "netback-team/act_options.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "util.h"

#define S NSEC_PER_SEC

static void test_options(void **state)
{
	struct act_options good, bad;
	char error[ACT_ERROR_MAX];

	act_options_default(&good);
	assert_int_equal(act_options_check(&good, error), 0);
	for (unsigned int i = 0; i < ACT_ACTIONS; i++)
		assert_int_equal(good.rules[i].enable, i == ACT_ALERT);
#define BAD(member, value, text)                                                                   \
	do {                                                                                       \
		bad = good;                                                                        \
		bad.member = (value);                                                              \
		assert_int_equal(act_options_check(&bad, error), -EINVAL);                         \
		assert_non_null(strstr(error, text));                                              \
	} while (0)
	BAD(rules[ACT_PAUSE].when, 3, "pause: when");
	BAD(rules[ACT_PAUSE].when, -1, "pause: when");
	BAD(rules[ACT_LIMIT].after_ns, 3601 * S, "limit: after");
	BAD(rules[ACT_DELAY].min_ns, 86401 * S, "delay: min");
	BAD(rules[ACT_PAUSE].max_ns, 1 * S, "pause: max");
	BAD(rules[ACT_PAUSE].max_ns, 86401 * S, "pause: max");
	BAD(rules[ACT_MIGRATE].times, 0, "migrate: times");
	BAD(rules[ACT_MIGRATE].times, 17, "migrate: times");
	BAD(rules[ACT_HOOK].interval_ns, 0, "hook: interval");
	BAD(rules[ACT_HOOK].interval_ns, 86401 * S, "hook: interval");
	BAD(delay_ns, 0, "delay");
	BAD(delay_ns, 101 * NSEC_PER_MSEC, "delay");
#undef BAD
	bad = good;
	bad.limit_pps = bad.limit_bps = 0;
	assert_int_equal(act_options_check(&bad, error), -EINVAL);
	bad = good;
	strcpy(bad.whitelist, "10.0.0.0/8 nonsense");
	assert_int_equal(act_options_check(&bad, error), -EINVAL);
	assert_non_null(strstr(error, "'nonsense'"));
}

static void test_cidrs(void **state)
{
	static const char *const wrong[] = {
		"1.2.3",
		"1.2.3.4.5",
		"256.1.1.1",
		"01.1.1.1",
		"1.2.3.4/33",
		"1.2.3.4/",
		"1.2.3.4/x",
		"1.2.3.4/1x",
		":",
		":::",
		"1::2::3",
		"1:2:3:4:5:6:7",
		"1:2:3:4:5:6:7:8:9",
		"12345::",
		"g::",
		"::1/129",
		"1:",
		":1",
		"1:2:3:4:5:6:7:8::",
		"/8",
		"1.2.3.4/8/8",
		"1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111",
	};
	struct act_cidr cidrs[ACT_CIDRS_MAX];
	char error[ACT_ERROR_MAX], many[ACT_WHITELIST_MAX] = "";
	struct dos_addr addr = {{[10] = 0xff, [11] = 0xff, [12] = 10, [13] = 1}};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		if (act_cidrs_parse(wrong[i], cidrs, error) != -EINVAL)
			fail_msg("%s is read", wrong[i]);
	assert_int_equal(act_cidrs_parse("", cidrs, error), 0);
	assert_int_equal(
		act_cidrs_parse(" 10.1.0.0/15,2001:db8::/33\t::1 0.0.0.0/0 ", cidrs, error), 4);
	assert_true(act_cidrs_have(cidrs, 1, &addr));
	addr.bytes[13] = 0;
	assert_true(act_cidrs_have(cidrs, 1, &addr));
	addr.bytes[13] = 2;
	assert_false(act_cidrs_have(cidrs, 3, &addr));
	assert_true(act_cidrs_have(cidrs, 4, &addr)); /* all of IPv4 */
	memset(&addr, 0, sizeof(addr));
	assert_false(act_cidrs_have(cidrs, 2, &addr));
	addr.bytes[15] = 1;
	assert_true(act_cidrs_have(cidrs, 3, &addr));
	assert_int_equal(act_cidrs_parse("1:2::a:FfFf/128", cidrs, error), 1);
	assert_memory_equal(cidrs[0].addr.bytes, "\0\1\0\2\0\0\0\0\0\0\0\0\0\12\377\377", 16);
	assert_int_equal(act_cidrs_parse("1:2:3:4:5:6:7::", cidrs, error), 1);
	assert_int_equal(cidrs[0].addr.bytes[13], 7);
	for (unsigned int i = 0; i <= ACT_CIDRS_MAX; i++)
		strcat(many, "1.1.1.1 ");
	assert_int_equal(act_cidrs_parse(many, cidrs, error), -EINVAL);
	assert_non_null(strstr(error, "at most 32"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_cidrs),
	};

	return cmocka_run_group_tests_name("act-options", tests, NULL, NULL);
}
