/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-lacp-options.c - keys of a team to an LACP configuration: good values, bad ones, defaults.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "netback-team/netback_keys.h"
#include "netback-team/team.h"

static const uint8_t first[6] = {2, 0, 0, 0, 0, 1};

static struct team_options options_of(const char *const *pairs)
{
	struct team_options options;
	char error[KEY_ERROR_MAX] = "";

	keys_set_defaults(&team_key_table, &options);
	for (; pairs[0]; pairs += 2)
		if (key_set(&team_key_table, &options, pairs[0], pairs[1], error) < 0)
			fail_msg("%s", error);
	return options;
}

static void defaults_are_those_of_the_standard(void **state)
{
	const struct team_options options = options_of((const char *const[]){NULL});
	struct lacp_config config;
	char error[256];

	assert_int_equal(lacp_options_check(&options.lacp, error, sizeof(error)), 0);
	lacp_options_config(&options.lacp, first, options.speed_bps, &config);
	assert_int_equal(config.mode, LACP_ACTIVE);
	assert_false(config.fast || config.coupled || config.strict || config.restarted);
	assert_int_equal(config.system_priority, LACP_PRIORITY_DEFAULT);
	assert_memory_equal(config.system, first, 6);
	assert_int_equal(config.ad_select, LACP_SELECT_STABLE);
	assert_int_equal(config.fallback, LACP_FALLBACK_NONE);
	assert_int_equal(config.max_ports + config.min_ports, 0);
	assert_int_equal(config.default_mbps, 10000);
	assert_int_equal(lacp_options_port_priority(&options.lacp, TEAM_PRIORITY_DEFAULT),
			 LACP_PORT_PRIO_DEFAULT);
}

static void every_key_arrives(void **state)
{
	static const char *const pairs[] = {"lacp_mode",
					    "passive",
					    "lacp_rate",
					    "fast",
					    "lacp_system_priority",
					    "7",
					    "lacp_system_id",
					    "02:AA:00:00:00:05",
					    "lacp_key",
					    "1023",
					    "lacp_port_priority",
					    "10",
					    "lacp_ad_select",
					    "prio",
					    "lacp_max_links",
					    "4",
					    "lacp_min_links",
					    "2",
					    "lacp_mux",
					    "coupled",
					    "lacp_fallback",
					    "static",
					    "lacp_strict",
					    "yes",
					    NULL};
	const struct team_options options = options_of(pairs);
	struct lacp_config config;
	char error[256];

	assert_int_equal(lacp_options_check(&options.lacp, error, sizeof(error)), 0);
	lacp_options_config(&options.lacp, first, 0, &config);
	assert_int_equal(config.mode, LACP_PASSIVE);
	assert_true(config.fast && config.coupled && config.strict);
	assert_int_equal(config.system_priority, 7);
	assert_memory_equal(config.system, ((uint8_t[6]){2, 0xaa, 0, 0, 0, 5}), 6);
	assert_int_equal(config.key, 1023);
	assert_int_equal(config.ad_select, LACP_SELECT_PRIO);
	assert_int_equal(config.max_ports, 4);
	assert_int_equal(config.min_ports, 2);
	assert_int_equal(config.fallback, LACP_FALLBACK_STATIC);
	assert_int_equal(config.default_mbps, 1); /* lacp_init wants one */
	/* preferred members have small numbers, within 16 bits */
	assert_int_equal(lacp_options_port_priority(&options.lacp, 130), 8);
	assert_int_equal(lacp_options_port_priority(&options.lacp, 255), 0);
	assert_int_equal(lacp_options_port_priority(&options.lacp, 0), 138);
	assert_int_equal(
		lacp_options_port_priority(&(struct lacp_options){.port_priority = UINT16_MAX}, 0),
		UINT16_MAX);
}

static void wrong_values_are_named(void **state)
{
	static const struct {
		const char *pairs[5], *words[3];
	} rows[] = {
		{{"lacp_system_id", "01:00:00:00:00:05"},
		 {"lacp_system_id", "01:00:00:00:00:05", "first member"}},
		{{"lacp_system_id", "nic0"}, {"lacp_system_id", "nic0", "first member"}},
		{{"lacp_max_links", "2", "lacp_min_links", "3"},
		 {"lacp_min_links: 3", "lacp_max_links", "2"}},
	};
	char error[512];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct team_options options = options_of(rows[i].pairs);

		assert_int_equal(lacp_options_check(&options.lacp, error, sizeof(error)), -EINVAL);
		for (int word = 0; word < 3; word++)
			assert_non_null(strstr(error, rows[i].words[word]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_those_of_the_standard),
		cmocka_unit_test(every_key_arrives),
		cmocka_unit_test(wrong_values_are_named),
	};

	return cmocka_run_group_tests_name("lacp-options", tests, NULL, NULL);
}
