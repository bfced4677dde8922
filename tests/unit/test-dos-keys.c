/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-dos-keys.c - the keys of a profile: their defaults are those of the modules that they
 * configure, each threshold lands where it belongs, and what does not fit together is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "netback-team/dos_keys.h"

static struct guard_profile defaults(void)
{
	struct guard_profile p;

	memset(&p, 0, sizeof(p));
	keys_set_defaults(&dos_key_table, &p);
	return p;
}

static void defaults_are_those_of_the_modules(void **state)
{
	const struct guard_profile p = defaults();
	struct dos_options detect;
	struct act_options react;
	char error[KEY_ERROR_MAX];

	dos_options_default(&detect, false);
	act_options_default(&react);
	assert_true(p.detect.enable);
	assert_memory_equal(p.detect.threshold, detect.threshold, sizeof(detect.threshold));
	assert_int_equal(p.detect.syn_min, detect.syn_min);
	assert_int_equal(p.detect.entropy_min, detect.entropy_min);
	assert_int_equal(p.detect.meter.mode, detect.meter.mode);
	assert_int_equal(p.detect.meter.deviations, detect.meter.deviations);
	assert_int_equal(p.detect.meter.learn_ns, detect.meter.learn_ns);
	assert_int_equal(p.detect.meter.ceiling, detect.meter.ceiling);
	assert_int_equal(p.detect.meter.n, detect.meter.n);
	assert_int_equal(p.detect.meter.m, detect.meter.m);
	assert_int_equal(p.detect.meter.fast_factor, detect.meter.fast_factor);
	assert_int_equal(p.detect.meter.fast_n, detect.meter.fast_n);
	assert_int_equal(p.detect.meter.fast_m, detect.meter.fast_m);
	assert_int_equal(p.detect.meter.clear_percent, detect.meter.clear_percent);
	assert_int_equal(p.detect.meter.clear_ns, detect.meter.clear_ns);
	for (unsigned int i = 0; i < ACT_ACTIONS; i++) {
		assert_int_equal(p.react.rules[i].enable, react.rules[i].enable);
		assert_int_equal(p.react.rules[i].when, react.rules[i].when);
		assert_int_equal(p.react.rules[i].after_ns, react.rules[i].after_ns);
		assert_int_equal(p.react.rules[i].min_ns, react.rules[i].min_ns);
		assert_int_equal(p.react.rules[i].max_ns, react.rules[i].max_ns);
		assert_int_equal(p.react.rules[i].times, react.rules[i].times);
		assert_int_equal(p.react.rules[i].interval_ns, react.rules[i].interval_ns);
	}
	assert_int_equal(p.react.dry_run, react.dry_run);
	assert_int_equal(p.react.limit_pps, react.limit_pps);
	assert_int_equal(p.react.limit_bps, react.limit_bps);
	assert_int_equal(p.react.delay_ns, react.delay_ns);
	assert_string_equal(p.react.whitelist, react.whitelist);
	assert_int_equal(dos_keys_check(&p, error), 0);
}

static void every_metric_has_a_key_a_direction(void **state)
{
	char name[64], error[KEY_ERROR_MAX];

	for (unsigned int m = 0; m < DOS_METRICS; m++) {
		for (unsigned int d = 0; d < 2; d++) {
			struct guard_profile p = defaults();
			const struct key *key;

			snprintf(name, sizeof(name), "%s_%s", d == DOS_TO_GUEST ? "to" : "from",
				 dos_metric_info(m)->name);
			for (char *c = strchr(name, '-'); c; c = strchr(c, '-'))
				*c = '_';
			key = key_find(&dos_key_table, name);
			assert_non_null(key);
			assert_int_equal(key->max, dos_metric_info(m)->max);
			assert_true(key->live);
			p.detect.threshold[d][m] = 99999;
			assert_int_equal(key_set(&dos_key_table, &p, name,
						 key->type == KEY_TYPE_RATE ? "7bit" : "7", error),
					 0);
			assert_int_equal(p.detect.threshold[d][m], 7);
		}
	}
}

static void what_does_not_fit_together_is_refused(void **state)
{
	static const struct {
		const char *key, *value, *named;
	} bad[] = {
		{"alarm_n", "6", "n"},
		{"fast_n", "8", NULL}, /* of 8: fine */
		{"limit_max", "5s", "limit: max"},
		{"whitelist", "10.0.0.0/33", "10.0.0.0/33"},
		{"whitelist", "10.0.0.0/8 2001:db8::/32", NULL},
		{"hook_program", "../../bin/sh", "hook_program"},
		{"hook_program", ".hidden", "hook_program"},
		{"hook_program", "tell-me.py", NULL},
		{"migrate", "yes", "migrate_host"},
		{"second_team", "yes", NULL}, /* the team's reserve */
		{"second_team_members", "nic0 nic0", "second_team_members"},
		{"second_team_members", "nic0 nic1", NULL},
	};
	char error[KEY_ERROR_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct guard_profile p = defaults();

		assert_int_equal(key_set(&dos_key_table, &p, bad[i].key, bad[i].value, error), 0);
		assert_int_equal(dos_keys_check(&p, error), bad[i].named ? -EINVAL : 0);
		if (bad[i].named && !strstr(error, bad[i].named))
			fail_msg("%s = %s: \"%s\" does not name %s", bad[i].key, bad[i].value,
				 error, bad[i].named);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_those_of_the_modules),
		cmocka_unit_test(every_metric_has_a_key_a_direction),
		cmocka_unit_test(what_does_not_fit_together_is_refused),
	};

	return cmocka_run_group_tests_name("dos-keys", tests, NULL, NULL);
}
