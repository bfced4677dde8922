/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-act.c - from alarms to actions: enabled apart, age of the attack, shortest and longest time,
 * rate limits, dry run, whitelist, failures, history. */
#include "netback-team/act.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "util.h"

#define S   NSEC_PER_SEC
#define IN  DOS_TO_GUEST
#define OUT DOS_FROM_GUEST

struct lab {
	struct act *act;
	struct act_options options;
	uint64_t now_ns;
	char said[256]; /**< what the callbacks were called for since the last look */
	int error;	/**< what they return */
};

static int say(struct lab *lab, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int say(struct lab *lab, const char *format, ...)
{
	const size_t n = strlen(lab->said);
	va_list args;

	va_start(args, format);
	vsnprintf(lab->said + n, sizeof(lab->said) - n, format, args);
	va_end(args);
	return lab->error;
}

static int on_alert(void *ctx, const struct dos_alarm *alarm)
{
	return say(ctx, "alert %s;", alarm->name);
}

static int on_hook(void *ctx, const struct dos_alarm *alarm)
{
	return say(ctx, "hook %s%s;", alarm->event == DOS_CLEARED ? "-" : "", alarm->name);
}

static int on_limit(void *ctx, int vm, enum dos_direction direction, uint64_t pps, uint64_t bps)
{
	return say(ctx, "limit %d %s %d;", vm, direction == IN ? "in" : "out", (int)pps);
}

static int on_delay(void *ctx, int vm, uint64_t delay_ns)
{
	return say(ctx, "delay %d;", (int)(delay_ns / NSEC_PER_USEC));
}

static int on_second_team(void *ctx, int vm, bool second)
{
	return say(ctx, "team %d %d;", vm, second ? 2 : 1);
}

static int on_pause(void *ctx, int vm)
{
	return say(ctx, "pause;");
}

static int on_unpause(void *ctx, int vm)
{
	return say(ctx, "unpause;");
}

static int on_migrate(void *ctx, int vm)
{
	return say(ctx, "migrate %d;", vm);
}

static const struct act_ops ops = {on_alert,	   on_hook,  on_limit,	 on_delay,
				   on_second_team, on_pause, on_unpause, on_migrate};

/* Guests 0 and 1 with nothing but `action` enabled, in both directions. */
static void setup(struct lab *lab, enum act_action action)
{
	memset(lab, 0, sizeof(*lab));
	lab->now_ns = 1000 * S;
	act_options_default(&lab->options);
	lab->options.rules[ACT_ALERT].enable = false;
	lab->options.rules[action].enable = true;
	lab->options.rules[action].when = ACT_BOTH;
	lab->act = act_create(8, &lab->options, &ops, lab);
	assert_non_null(lab->act);
	assert_int_equal(act_vm_add(lab->act, 0, &lab->options), 0);
	assert_int_equal(act_vm_add(lab->act, 1, &lab->options), 0);
}

static void apply(struct lab *lab)
{
	act_set_options(lab->act, 0, &lab->options);
	act_set_options(lab->act, 1, &lab->options);
	assert_true(act_deadline(lab->act) <= lab->now_ns);
	act_run(lab->act, lab->now_ns);
}

static void alarm_of(struct lab *lab, int vm, enum dos_direction direction, enum dos_metric metric,
		     enum dos_event event)
{
	const struct dos_alarm alarm = {.event = event,
					.vm = vm,
					.direction = direction,
					.source = metric,
					.name = dos_metric_info(metric)->name,
					.value = 2000,
					.threshold = 1000};

	act_on_alarm(lab->act, &alarm, lab->now_ns);
}

/* What was said since the last time; time passes up to now + ms, stopping at each deadline. */
static void expect(struct lab *lab, uint64_t ms, const char *said)
{
	const uint64_t until_ns = lab->now_ns + ms * NSEC_PER_MSEC;

	while (act_deadline(lab->act) <= until_ns) {
		assert_true(act_deadline(lab->act) > lab->now_ns);
		lab->now_ns = act_deadline(lab->act);
		act_run(lab->act, lab->now_ns);
	}
	lab->now_ns = until_ns;
	assert_string_equal(lab->said, said);
	lab->said[0] = '\0';
}

static const struct act_event *last(const struct lab *lab)
{
	return act_history(lab->act, 0);
}

static void test_alert_and_hook(void **state)
{
	struct lab lab;

	setup(&lab, ACT_ALERT);
	lab.options.rules[ACT_HOOK].enable = true;
	lab.options.rules[ACT_HOOK].when = ACT_FROM_GUEST;
	apply(&lab);
	alarm_of(&lab, 0, IN, DOS_SYN, DOS_RAISED);
	alarm_of(&lab, 0, IN, DOS_SYN, DOS_ONGOING);
	expect(&lab, 0, "alert syn;");
	alarm_of(&lab, 0, OUT, DOS_PPS, DOS_RAISED);
	expect(&lab, 0, "alert pps;hook pps;");
	alarm_of(&lab, 0, OUT, DOS_PPS, DOS_CLEARED);
	alarm_of(&lab, 0, OUT, DOS_PPS, DOS_CLEARED);
	alarm_of(&lab, 0, IN, DOS_SYN, DOS_CLEARED);
	expect(&lab, 0, "hook -pps;");
	/* The team has its own options: those of setup, without the hook. */
	alarm_of(&lab, DOS_TEAM, OUT, DOS_BPS, DOS_RAISED);
	expect(&lab, 0, "alert bps;");
	assert_int_equal(last(&lab)->vm, DOS_TEAM);
	act_destroy(lab.act);
}

static void test_nothing_enabled(void **state)
{
	struct lab lab;

	setup(&lab, ACT_ALERT);
	lab.options.rules[ACT_ALERT].enable = false;
	apply(&lab);
	alarm_of(&lab, 0, IN, DOS_SYN, DOS_RAISED);
	expect(&lab, 7200000, "");
	assert_int_equal(last(&lab)->kind, ACT_EVENT_RAISED);
	assert_string_equal(last(&lab)->name, "syn");
	assert_int_equal(last(&lab)->value, 2000);
	act_destroy(lab.act);
}

/* Limit: at once, per direction; ends with the last alarm, after 10 s at least. */
static void test_limit(void **state)
{
	struct lab lab;

	setup(&lab, ACT_LIMIT);
	alarm_of(&lab, 0, IN, DOS_SYN, DOS_RAISED);
	expect(&lab, 1000, "limit 0 in 20000;");
	assert_true(act_active(lab.act, 0, ACT_LIMIT, NULL));
	alarm_of(&lab, 0, IN, DOS_PPS, DOS_RAISED);
	alarm_of(&lab, 0, OUT, DOS_PPS, DOS_RAISED);
	expect(&lab, 1000, "limit 0 out 20000;");
	alarm_of(&lab, 0, IN, DOS_SYN, DOS_CLEARED);
	alarm_of(&lab, 0, OUT, DOS_PPS, DOS_CLEARED);
	expect(&lab, 1000, "");
	alarm_of(&lab, 0, IN, DOS_PPS, DOS_CLEARED);
	expect(&lab, 6999, "");
	expect(&lab, 1, "limit 0 in 0;limit 0 out 0;");
	assert_int_equal(last(&lab)->kind, ACT_EVENT_UNDONE);
	expect(&lab, 100000, "");
	act_destroy(lab.act);
}

static void test_delay_after(void **state)
{
	struct lab lab;

	setup(&lab, ACT_DELAY);
	alarm_of(&lab, 1, IN, DOS_SYN, DOS_RAISED);
	expect(&lab, 1999, "");
	alarm_of(&lab, 1, IN, DOS_SYN, DOS_CLEARED);
	expect(&lab, 5000, ""); /* it was over before */
	alarm_of(&lab, 1, IN, DOS_SYN, DOS_RAISED);
	expect(&lab, 1999, "");
	expect(&lab, 1, "delay 5000;");
	expect(&lab, 100000, "");
	alarm_of(&lab, 1, IN, DOS_SYN, DOS_CLEARED);
	expect(&lab, 0, "delay 0;");
	act_destroy(lab.act);
}

/* Pause: unpaused after max at the latest; begins again while the limit allows it, 3 in an hour for
 * all guests. */
static void test_pause(void **state)
{
	uint64_t since_ns;
	struct lab lab;

	setup(&lab, ACT_PAUSE);
	alarm_of(&lab, 0, OUT, DOS_PPS, DOS_RAISED);
	expect(&lab, 9999, "");
	expect(&lab, 1, "pause;");
	assert_true(act_active(lab.act, 0, ACT_PAUSE, &since_ns));
	assert_true(since_ns == lab.now_ns);
	alarm_of(&lab, 0, OUT, DOS_PPS, DOS_CLEARED);
	expect(&lab, 4999, "");
	expect(&lab, 1, "unpause;");
	alarm_of(&lab, 1, OUT, DOS_PPS, DOS_RAISED);
	expect(&lab, 10000, "pause;");
	expect(&lab, 59999, "");
	lab.said[0] = '\0';
	expect(&lab, 1, "unpause;");
	expect(&lab, 4999, "");
	expect(&lab, 1, "pause;"); /* the third one */
	expect(&lab, 60000, "unpause;");
	/* The first one was an hour ago: 1010 s of our clock. */
	while (lab.now_ns < (1010 + 3600) * S - NSEC_PER_MSEC)
		expect(&lab, 1, "");
	expect(&lab, 1, "pause;");
	act_destroy(lab.act);
}

static void test_direction(void **state)
{
	struct lab lab;

	setup(&lab, ACT_PAUSE);
	lab.options.rules[ACT_PAUSE].when = ACT_FROM_GUEST;
	apply(&lab);
	alarm_of(&lab, 0, IN, DOS_PPS, DOS_RAISED);
	expect(&lab, 100000, "");
	alarm_of(&lab, 0, OUT, DOS_PPS, DOS_RAISED);
	expect(&lab, 9999, "");
	expect(&lab, 1, "pause;"); /* ten seconds of its own */
	act_destroy(lab.act);
}

/* Once in an attack, once in an hour. */
static void test_migrate(void **state)
{
	struct lab lab;

	setup(&lab, ACT_MIGRATE);
	alarm_of(&lab, 0, IN, DOS_PPS, DOS_RAISED);
	expect(&lab, 60000, "migrate 0;");
	expect(&lab, 4000000, "");
	alarm_of(&lab, 0, IN, DOS_PPS, DOS_CLEARED);
	alarm_of(&lab, 1, IN, DOS_PPS, DOS_RAISED);
	expect(&lab, 60000, "migrate 1;");
	alarm_of(&lab, 0, IN, DOS_PPS, DOS_RAISED);
	expect(&lab, 60000, "");
	assert_int_equal(last(&lab)->kind, ACT_EVENT_HELD_BACK);
	assert_int_equal(last(&lab)->action, ACT_MIGRATE);
	expect(&lab, 3539999, "");
	assert_int_equal(last(&lab)->kind, ACT_EVENT_HELD_BACK);
	expect(&lab, 1, "migrate 0;"); /* there still is reason to */
	act_destroy(lab.act);
}

static void test_rate_limit_of_alerts(void **state)
{
	struct lab lab;

	setup(&lab, ACT_ALERT);
	lab.options.rules[ACT_ALERT].times = 2;
	lab.options.rules[ACT_ALERT].interval_ns = 10 * S;
	apply(&lab);
	for (unsigned int i = 0; i < 5; i++) {
		alarm_of(&lab, 0, IN, DOS_PPS, DOS_RAISED);
		alarm_of(&lab, 0, IN, DOS_PPS, DOS_CLEARED);
	}
	alarm_of(&lab, 1, IN, DOS_SYN, DOS_RAISED); /* another guest's limit */
	expect(&lab, 9999, "alert pps;alert pps;alert syn;");
	alarm_of(&lab, 0, IN, DOS_PPS, DOS_RAISED);
	expect(&lab, 1, "");
	alarm_of(&lab, 0, IN, DOS_RST, DOS_RAISED);
	alarm_of(&lab, 0, IN, DOS_BPS, DOS_RAISED);
	alarm_of(&lab, 0, IN, DOS_FLOWS, DOS_RAISED);
	expect(&lab, 0, "alert rst;alert bps;");
	act_destroy(lab.act);
}

static void test_dry_run(void **state)
{
	struct lab lab;

	setup(&lab, ACT_SECOND_TEAM);
	lab.options.dry_run = true;
	apply(&lab);
	alarm_of(&lab, 0, IN, DOS_PPS, DOS_RAISED);
	expect(&lab, 5000, "");
	assert_int_equal(last(&lab)->kind, ACT_EVENT_TAKEN);
	assert_int_equal(last(&lab)->action, ACT_SECOND_TEAM);
	assert_true(last(&lab)->dry_run);
	assert_true(act_active(lab.act, 0, ACT_SECOND_TEAM, NULL));
	/* What was begun dry ends dry, and what was begun is really undone. */
	lab.options.dry_run = false;
	apply(&lab);
	alarm_of(&lab, 0, IN, DOS_PPS, DOS_CLEARED);
	expect(&lab, 60000, "");
	assert_int_equal(last(&lab)->kind, ACT_EVENT_UNDONE);
	assert_true(last(&lab)->dry_run);
	alarm_of(&lab, 0, IN, DOS_PPS, DOS_RAISED);
	expect(&lab, 5000, "team 0 2;");
	lab.options.dry_run = true;
	apply(&lab);
	alarm_of(&lab, 0, IN, DOS_PPS, DOS_CLEARED);
	expect(&lab, 60000, "team 0 1;");
	act_destroy(lab.act);
}

static void test_disabled_is_undone(void **state)
{
	struct lab lab;

	setup(&lab, ACT_LIMIT);
	alarm_of(&lab, 0, IN, DOS_PPS, DOS_RAISED);
	expect(&lab, 0, "limit 0 in 20000;");
	lab.options.rules[ACT_LIMIT].enable = false;
	apply(&lab);
	expect(&lab, 0, "limit 0 in 0;");
	act_destroy(lab.act);
}

static void test_operator_clears(void **state)
{
	struct lab lab;

	setup(&lab, ACT_LIMIT);
	alarm_of(&lab, 0, IN, DOS_PPS, DOS_RAISED);
	expect(&lab, 1000, "limit 0 in 20000;");
	act_clear(lab.act, 0, lab.now_ns);
	expect(&lab, 5000, "limit 0 in 0;");
	alarm_of(&lab, 0, IN, DOS_PPS, DOS_ONGOING);
	expect(&lab, 0, "limit 0 in 20000;");
	act_vm_remove(lab.act, 0);
	expect(&lab, 100000, "");
	act_destroy(lab.act);
}

/* Whose packets come half from the whitelist is no attacker; looked at again while it lasts. */
static void test_whitelist(void **state)
{
	struct dos_alarm alarm = {.direction = IN,
				  .source = DOS_PPS,
				  .name = "pps",
				  .packets = 1000,
				  .n_peers = 2,
				  .peers = {{.packets = 400}, {.packets = 300}}};
	struct lab lab;

	setup(&lab, ACT_ALERT);
	memcpy(alarm.peers[0].addr.bytes + 10, "\377\377\12\1\1\1", 6);
	memcpy(alarm.peers[1].addr.bytes + 10, "\377\377\12\2\1\1", 6);
	strcpy(lab.options.whitelist, "10.0.0.0/8");
	apply(&lab);
	act_on_alarm(lab.act, &alarm, lab.now_ns);
	expect(&lab, 0, "");
	assert_int_equal(last(&lab)->kind, ACT_EVENT_WHITELISTED);
	assert_memory_equal(&last(&lab)->peer, &alarm.peers[0], sizeof(alarm.peers[0]));
	alarm.event = DOS_ONGOING;
	act_on_alarm(lab.act, &alarm, lab.now_ns);
	expect(&lab, 0, "");
	alarm.packets = 1402;
	act_on_alarm(lab.act, &alarm, lab.now_ns);
	expect(&lab, 0, "alert pps;");
	alarm.event = DOS_CLEARED;
	act_on_alarm(lab.act, &alarm, lab.now_ns);
	assert_int_equal(last(&lab)->kind, ACT_EVENT_CLEARED);
	/* Spoofed packets are not those of their peers. */
	alarm.event = DOS_RAISED;
	alarm.packets = 1000;
	alarm.source = DOS_SPOOFED;
	act_on_alarm(lab.act, &alarm, lab.now_ns);
	expect(&lab, 0, "alert pps;");
	act_destroy(lab.act);
}

/* What fails is tried again, later each time; what cannot be undone, too. */
static void test_failures(void **state)
{
	struct lab lab;

	setup(&lab, ACT_LIMIT);
	lab.error = -EBUSY;
	alarm_of(&lab, 0, IN, DOS_PPS, DOS_RAISED);
	expect(&lab, 999, "limit 0 in 20000;");
	assert_int_equal(last(&lab)->kind, ACT_EVENT_FAILED);
	assert_int_equal(last(&lab)->error, -EBUSY);
	expect(&lab, 1, "limit 0 in 20000;");
	expect(&lab, 1999, "");
	lab.error = 0;
	expect(&lab, 1, "limit 0 in 20000;");
	assert_true(act_active(lab.act, 0, ACT_LIMIT, NULL));
	lab.error = -EBUSY;
	alarm_of(&lab, 0, IN, DOS_PPS, DOS_CLEARED);
	expect(&lab, 10000, "limit 0 in 0;");
	assert_true(act_active(lab.act, 0, ACT_LIMIT, NULL));
	lab.error = 0;
	expect(&lab, 1000, "limit 0 in 0;");
	assert_false(act_active(lab.act, 0, ACT_LIMIT, NULL));
	act_destroy(lab.act);
}

/* Begun by a callback, failed later: pausing, and unpausing. */
static void test_late_failures(void **state)
{
	struct lab lab;

	setup(&lab, ACT_PAUSE);
	alarm_of(&lab, 0, OUT, DOS_PPS, DOS_RAISED);
	expect(&lab, 10500, "pause;");
	act_failed(lab.act, 0, ACT_PAUSE, -EIO, lab.now_ns);
	assert_int_equal(last(&lab)->kind, ACT_EVENT_FAILED);
	assert_false(act_active(lab.act, 0, ACT_PAUSE, NULL));
	expect(&lab, 1000, "pause;");
	alarm_of(&lab, 0, OUT, DOS_PPS, DOS_CLEARED);
	expect(&lab, 5000, "unpause;");
	act_failed(lab.act, 0, ACT_PAUSE, -EIO, lab.now_ns);
	assert_true(act_active(lab.act, 0, ACT_PAUSE, NULL));
	expect(&lab, 1000, "unpause;");
	expect(&lab, 100000, "");
	act_destroy(lab.act);
}

static void test_missing_callbacks(void **state)
{
	static const struct act_ops none;

	for (unsigned int i = 0; i < ACT_ACTIONS; i++) {
		struct lab lab;

		setup(&lab, (enum act_action)i);
		act_destroy(lab.act);
		lab.options.rules[i].after_ns = 0;
		lab.act = act_create(2, &lab.options, &none, NULL);
		act_vm_add(lab.act, 0, &lab.options);
		alarm_of(&lab, 0, IN, DOS_PPS, DOS_RAISED);
		assert_int_equal(last(&lab)->kind, ACT_EVENT_FAILED);
		assert_int_equal(last(&lab)->error, -ENOSYS);
		assert_int_equal(last(&lab)->action, (int)i);
		act_destroy(lab.act);
	}
}

static void test_history(void **state)
{
	struct lab lab;

	setup(&lab, ACT_LIMIT);
	assert_null(act_create(0, &lab.options, &ops, NULL));
	assert_null(act_create(65537, &lab.options, &ops, NULL));
	assert_null(act_history(lab.act, 0));
	for (unsigned int i = 0; i < 10; i++) {
		alarm_of(&lab, 0, IN, DOS_PPS, DOS_RAISED);
		alarm_of(&lab, 0, IN, DOS_PPS, DOS_CLEARED);
	}
	assert_int_equal(last(&lab)->number, 21); /* and one action */
	for (unsigned int i = 0; i < 8; i++)
		assert_int_equal(act_history(lab.act, i)->number, 21 - i);
	assert_null(act_history(lab.act, 8));
	for (unsigned int i = 0; i < ACT_ACTIONS; i++)
		assert_true(strlen(act_action_name((enum act_action)i)) > 3);
	assert_string_equal(act_event_name(ACT_EVENT_FAILED), "failed");
	assert_string_equal(act_event_name(ACT_EVENT_RAISED), "raised");
	act_destroy(lab.act);
	act_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alert_and_hook),
		cmocka_unit_test(test_nothing_enabled),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_delay_after),
		cmocka_unit_test(test_pause),
		cmocka_unit_test(test_direction),
		cmocka_unit_test(test_migrate),
		cmocka_unit_test(test_rate_limit_of_alerts),
		cmocka_unit_test(test_dry_run),
		cmocka_unit_test(test_disabled_is_undone),
		cmocka_unit_test(test_operator_clears),
		cmocka_unit_test(test_whitelist),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_late_failures),
		cmocka_unit_test(test_missing_callbacks),
		cmocka_unit_test(test_history),
	};

	return cmocka_run_group_tests_name("act", tests, NULL, NULL);
}
