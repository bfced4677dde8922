/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-trace.c - which frames a trace keeps, in which order it shows them, and when it ends. */
#include "netback-team/trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#define MS 1000000ull

static struct trace trace;

static int setup(void **state)
{
	memset(&trace, 0, sizeof(trace));
	trace_ask(&trace, 1000 * MS);
	return 0;
}

static void add(enum trace_outcome outcome, uint64_t time_ns, uint32_t ports)
{
	struct trace_entry entry = {.time_ns = time_ns,
				    .outcome = (uint8_t)outcome,
				    .member = -1,
				    .port = -1,
				    .rule = TRACE_NO_RULE,
				    .flow_known = true};

	entry.flow.ports = ports;
	trace_add(&trace, &entry);
}

static void of_frames_that_went_a_sample_is_kept(void **state)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < 10 * TRACE_SAMPLE; i++)
		kept += trace_wants(&trace, TRACE_TX, TRACE_OUTCOME_SENT, 1000 * MS);
	assert_int_equal(kept, 10);
	/* The other direction has a count of its own. */
	assert_true(trace_wants(&trace, TRACE_RX, TRACE_OUTCOME_DELIVERED, 1000 * MS));
	assert_false(trace_wants(&trace, TRACE_RX, TRACE_OUTCOME_DELIVERED, 1000 * MS));
	/* Of a guest that sends little, every frame is one after a pause. */
	for (unsigned int i = 1; i < 5; i++)
		assert_true(trace_wants(&trace, TRACE_TX, TRACE_OUTCOME_SENT,
					1000 * MS + i * TRACE_PAUSE_NS));
}

static void all_that_did_not_go_are_kept(void **state)
{
	for (unsigned int i = 0; i < 1000; i++)
		assert_true(trace_wants(&trace, TRACE_TX, TRACE_OUTCOME_SPOOF, 1000 * MS));
}

static void repetitions_count(void **state)
{
	for (unsigned int i = 0; i < 1000; i++)
		add(TRACE_OUTCOME_SPOOF, 2000 * MS + i, 7);
	add(TRACE_OUTCOME_SPOOF, 3000 * MS, 8);
	assert_int_equal(trace_get(&trace, 0)->count, 1);
	assert_int_equal(trace_get(&trace, 1)->count, 1000);
	assert_int_equal(trace_get(&trace, 1)->time_ns, 2000 * MS + 999);
	assert_null(trace_get(&trace, 2));
	/* Frames that went are samples: each is one. */
	add(TRACE_OUTCOME_SENT, 4000 * MS, 8);
	add(TRACE_OUTCOME_SENT, 4001 * MS, 8);
	assert_int_equal(trace_get(&trace, 0)->count, 1);
	assert_int_equal(trace_get(&trace, 1)->count, 1);
}

static void the_newest_come_first(void **state)
{
	uint64_t last = UINT64_MAX;
	unsigned int i;

	for (i = 0; i < 3 * TRACE_ENTRIES; i++)
		add(i % 3 ? TRACE_OUTCOME_SENT : TRACE_OUTCOME_SPOOF, (2000 + i) * MS, i);
	for (i = 0; trace_get(&trace, i); i++) {
		assert_true(trace_get(&trace, i)->time_ns < last);
		last = trace_get(&trace, i)->time_ns;
	}
	assert_int_equal(i, 2 * TRACE_ENTRIES);
}

static void one_kind_does_not_wash_away_the_other(void **state)
{
	unsigned int i;

	add(TRACE_OUTCOME_NO_MEMBER, 2000 * MS, 1);
	for (i = 0; i < 10 * TRACE_ENTRIES; i++)
		add(TRACE_OUTCOME_SENT, (3000 + i) * MS, i);
	for (i = 0; trace_get(&trace, i + 1); i++)
		;
	assert_int_equal(trace_get(&trace, i)->outcome, TRACE_OUTCOME_NO_MEMBER);
}

static void it_ends_a_minute_after_the_last_question(void **state)
{
	add(TRACE_OUTCOME_SPOOF, 2000 * MS, 7);
	assert_false(trace_is_over(&trace, 1000 * MS + TRACE_ASKED_NS));
	trace_ask(&trace, 1000 * MS + TRACE_ASKED_NS);
	assert_int_equal(trace.begin_ns, 1000 * MS);
	assert_non_null(trace_get(&trace, 0));
	assert_true(trace_is_over(&trace, 1001 * MS + 2 * TRACE_ASKED_NS));
	trace_ask(&trace, 1001 * MS + 2 * TRACE_ASKED_NS);
	assert_null(trace_get(&trace, 0));
}

static void outcomes_have_names(void **state)
{
	for (unsigned int i = 0; i < TRACE_N_OUTCOMES; i++) {
		assert_true(strlen(trace_outcome_name((enum trace_outcome)i)) > 0);
		assert_true(strlen(trace_outcome_help((enum trace_outcome)i)) > 0);
		/* Names tell what was lost. */
		assert_true(!trace_went((enum trace_outcome)i) ||
			    strncmp(trace_outcome_name((enum trace_outcome)i), "dropped", 7));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(of_frames_that_went_a_sample_is_kept, setup),
		cmocka_unit_test_setup(all_that_did_not_go_are_kept, setup),
		cmocka_unit_test_setup(repetitions_count, setup),
		cmocka_unit_test_setup(the_newest_come_first, setup),
		cmocka_unit_test_setup(one_kind_does_not_wash_away_the_other, setup),
		cmocka_unit_test_setup(it_ends_a_minute_after_the_last_question, setup),
		cmocka_unit_test(outcomes_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
