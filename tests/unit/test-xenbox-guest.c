/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-xenbox-guest.c - what xenbox-guest accepts as addresses and names of interfaces. */
#include "tools/xenbox-guest-device.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>

#include "util.h"

static void test_addresses(void **state)
{
	static const char *const bad[] = {"",
					  "10.0.0.1",
					  "10.0.0.1/",
					  "10.0.0.1/33",
					  "10.0.0/24",
					  "/24",
					  "10.0.0.1/-1",
					  "10.0.0.1/24x",
					  "fd00::1/129",
					  "fd00::g/64",
					  "fd00::1/ 4",
					  "10.0.0.1/24 ",
					  "10.0.0.1/9999999999999999999999"};
	struct tap_address a;

	assert_int_equal(tap_address_parse("10.77.0.11/24", &a), 0);
	assert_int_equal(a.family, AF_INET);
	assert_int_equal(a.prefix_len, 24);
	assert_memory_equal(a.bytes, "\x0a\x4d\x00\x0b", 4);
	assert_int_equal(tap_address_parse("fd00::2/128", &a), 0);
	assert_int_equal(a.family, AF_INET6);
	assert_int_equal(a.prefix_len, 128);
	assert_int_equal(a.bytes[15], 2);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (tap_address_parse(bad[i], &a) != -EINVAL)
			fail_msg("\"%s\" was taken", bad[i]);
}

static void test_patterns(void **state)
{
	assert_true(device_pattern_ok("eth%u"));
	assert_true(device_pattern_ok("vif1.%u"));
	assert_true(device_pattern_ok("net0"));
	assert_true(device_pattern_ok("%u"));
	assert_false(device_pattern_ok("eth%d"));
	assert_false(device_pattern_ok("eth%"));
	assert_false(device_pattern_ok("%u%u"));
	assert_false(device_pattern_ok("%uabc%s"));
	assert_false(device_pattern_ok("a-very-long-name%u"));
	assert_false(device_pattern_ok(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_patterns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
