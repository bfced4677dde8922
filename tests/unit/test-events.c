/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-events.c - the ring of events: order, bounds, repetitions, floods, what foreign text
 * becomes.
 */
#include "netback-team/events.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"

#define SECOND 1000000u

static struct events *fresh(void)
{
	struct events *events = xb_calloc(1, sizeof(*events));

	events_init(events);
	return events;
}

static bool add(struct events *events, enum events_kind kind, const char *who, uint64_t time_us)
{
	return events_add(events, &(struct events_input){.kind = kind, .team = "team0", .who = who},
			  time_us);
}

static void numbers_follow_each_other(void **state)
{
	AUTO_FREE struct events *events = fresh();
	const struct events_entry *entry;
	char who[16];

	assert_null(events_next(events, 0));
	for (unsigned int i = 1; i <= 3; i++) {
		snprintf(who, sizeof(who), "nic%u", i);
		assert_true(add(events, EVENTS_KIND_MEMBER, who, i * SECOND));
	}
	entry = events_next(events, 0);
	assert_int_equal(entry->number, 1);
	assert_int_equal(entry->time_us, SECOND);
	assert_string_equal(entry->team, "team0");
	assert_string_equal(entry->who, "nic1");
	assert_string_equal(entry->old, "");
	entry = events_next(events, 2);
	assert_int_equal(entry->number, 3);
	assert_null(events_next(events, 3));
	assert_null(events_next(events, 99));
}

static void the_oldest_make_room(void **state)
{
	AUTO_FREE struct events *events = fresh();
	uint64_t n = 0;
	char who[16];

	for (unsigned int i = 1; i <= EVENTS_MAX + 10; i++) {
		snprintf(who, sizeof(who), "nic%u", i);
		assert_true(add(events, EVENTS_KIND_MEMBER, who, (uint64_t)i * SECOND));
	}
	assert_int_equal(events_next(events, 0)->number, 11);
	for (const struct events_entry *entry = events_next(events, 0); entry;
	     entry = events_next(events, entry->number)) {
		assert_int_equal(entry->number, 11 + n);
		n++;
	}
	assert_int_equal(n, EVENTS_MAX);
}

static void a_repetition_counts(void **state)
{
	AUTO_FREE struct events *events = fresh();
	const struct events_entry *entry;

	for (unsigned int i = 1; i <= 4; i++)
		add(events, EVENTS_KIND_VIF, "vif1.0", i * SECOND);
	entry = events_next(events, 0);
	assert_int_equal(entry->number, 4);
	assert_int_equal(entry->count, 4);
	assert_int_equal(entry->time_us, 4 * SECOND);
	assert_null(events_next(events, 4));
	add(events, EVENTS_KIND_VIF, "vif2.0", 5 * SECOND);
	add(events, EVENTS_KIND_VIF, "vif1.0", 6 * SECOND);
	assert_int_equal(events_next(events, 4)->count, 1);
	assert_int_equal(events_next(events, 5)->count, 1);
}

static void a_flood_is_bounded(void **state)
{
	AUTO_FREE struct events *events = fresh();
	unsigned int kept = 0;
	char who[16];

	for (unsigned int i = 0; i < EVENTS_BURST + 50; i++) {
		snprintf(who, sizeof(who), "vif%u.0", i);
		kept += add(events, EVENTS_KIND_VIF, who, SECOND);
	}
	assert_int_equal(kept, EVENTS_BURST);
	/* Other kinds have tokens of their own. */
	assert_true(add(events, EVENTS_KIND_MEMBER, "nic0", SECOND));
	/* A second later there are EVENTS_PER_S more, and the first says what is missing. */
	kept = 0;
	for (unsigned int i = 0; i < 50; i++) {
		snprintf(who, sizeof(who), "vif%u.1", i);
		kept += add(events, EVENTS_KIND_VIF, who, 2 * SECOND);
	}
	assert_int_equal(kept, EVENTS_PER_S);
	assert_int_equal(events_next(events, EVENTS_BURST + 1)->left_out, 50);
	assert_int_equal(events_next(events, EVENTS_BURST + 2)->left_out, 0);
	/* A clock that steps back gives nothing away and breaks nothing. */
	assert_false(add(events, EVENTS_KIND_VIF, "vif9.9", 0));
	assert_true(add(events, EVENTS_KIND_VIF, "vif9.9", 3600ull * SECOND));
}

static void texts_are_cut_and_clean(void **state)
{
	AUTO_FREE struct events *events = fresh();
	char lots[1000];
	const struct events_entry *entry;

	memset(lots, 'x', sizeof(lots));
	lots[sizeof(lots) - 1] = '\0';
	events_add(events,
		   &(struct events_input){.severity = EVENTS_ERR,
					  .kind = EVENTS_KIND_ERROR,
					  .team = lots,
					  .who = lots,
					  .old = "\033[2J\xff",
					  .new = lots,
					  .why = lots},
		   1);
	entry = events_next(events, 0);
	assert_int_equal(strlen(entry->team), EVENTS_NAME_MAX - 1);
	assert_int_equal(strlen(entry->who), EVENTS_WHO_MAX - 1);
	assert_int_equal(strlen(entry->new), EVENTS_VALUE_MAX - 1);
	assert_int_equal(strlen(entry->why), EVENTS_WHY_MAX - 1);
	assert_string_equal(entry->old, "?[2J?");
	assert_string_equal(events_kind_name(entry->kind), "error");
	assert_string_equal(events_severity_name(entry->severity), "error");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_follow_each_other), cmocka_unit_test(the_oldest_make_room),
		cmocka_unit_test(a_repetition_counts),	     cmocka_unit_test(a_flood_is_bounded),
		cmocka_unit_test(texts_are_cut_and_clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
