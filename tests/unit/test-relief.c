/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-relief.c - who is paused while members are lost, in which order, and until when. */
#include "netback-team/relief.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "common/util.h"

#define SEC   NSEC_PER_SEC
#define MS    NSEC_PER_MSEC
#define START (100 * SEC)

static const struct relief_team fine = {0}, lost = {.lost = true},
				shortage = {.lost = true, .waiting = true},
				busy = {.waiting = true};

static struct relief *fresh(void)
{
	struct relief *relief = relief_create(8);

	relief_set_after(relief, 2 * SEC);
	return relief;
}

/* With guests 1 and 2, which may be paused for 60 s; 1 has the lower priority. */
static struct relief *two_guests(void)
{
	struct relief *relief = fresh();

	relief_set(relief, 1, 60 * SEC, 5, 1000);
	relief_set(relief, 2, 60 * SEC, 6, 1000);
	return relief;
}

/* Looks every tick from *now_ns until then, or until there is a step. */
static struct relief_step look(struct relief *relief, struct relief_team team, uint64_t *now_ns,
			       uint64_t until_ns)
{
	struct relief_step step = {.guest = -1};

	while (step.guest < 0 && *now_ns < until_ns) {
		*now_ns += RELIEF_TICK_NS;
		step = relief_run(relief, team, *now_ns);
	}
	return step;
}

static void assert_step(struct relief_step step, int guest, bool pause)
{
	assert_int_equal(step.guest, guest);
	assert_int_equal(step.pause, pause);
}

static void nobody_who_does_not_take_part(void **state)
{
	struct relief *relief = fresh();
	uint64_t now = START;

	relief_set(relief, 1, 0, 0, 1);
	assert_int_equal(relief_deadline(relief, shortage), DEADLINE_NEVER);
	assert_int_equal(look(relief, shortage, &now, START + 60 * SEC).guest, -1);
	relief_destroy(relief);
}

static void only_while_members_are_lost_and_frames_wait(void **state)
{
	struct relief *relief = fresh();
	uint64_t now = START;

	relief_set(relief, 1, 60 * SEC, 5, 1000);
	assert_int_equal(relief_deadline(relief, busy), DEADLINE_NEVER);
	assert_int_equal(look(relief, busy, &now, START + 60 * SEC).guest, -1);
	assert_int_not_equal(relief_deadline(relief, lost), DEADLINE_NEVER);
	assert_int_equal(look(relief, lost, &now, START + 120 * SEC).guest, -1);
	/* Not all the time. */
	for (int i = 0; i < 10; i++) {
		assert_int_equal(look(relief, shortage, &now, now + 1900 * MS).guest, -1);
		assert_int_equal(look(relief, lost, &now, now + RELIEF_TICK_NS).guest, -1);
	}
	assert_false(relief_paused(relief, 1));
	relief_destroy(relief);
}

static void the_lowest_priority_first(void **state)
{
	struct relief *relief = fresh();
	uint64_t now = START;
	struct relief_step step;

	relief_set(relief, 1, 60 * SEC, 5, 1000);
	relief_set(relief, 2, 60 * SEC, 3, 1000);
	relief_set(relief, 3, 60 * SEC, 3, 500);
	relief_set(relief, 4, 0, 0, 1);
	step = look(relief, shortage, &now, START + 10 * SEC);
	assert_step(step, 3, true);
	assert_int_equal(step.longest_ns, 60 * SEC);
	assert_in_range(now - START, 2 * SEC, 2 * SEC + 200 * MS);
	assert_true(relief_paused(relief, 3));
	/* That was not enough. */
	assert_step(look(relief, shortage, &now, START + 20 * SEC), 2, true);
	assert_in_range(now - START, 4 * SEC, 4 * SEC + 300 * MS);
	/* Now it is: who stands still stays so. */
	assert_int_equal(look(relief, lost, &now, START + 30 * SEC).guest, -1);
	/* Members are back: the highest priority goes on first. */
	now += MS;
	assert_step(relief_run(relief, fine, now), 2, false);
	assert_step(relief_run(relief, fine, now), 3, false);
	assert_int_equal(relief_run(relief, fine, now).guest, -1);
	relief_destroy(relief);
}

static void its_time_is_over(void **state)
{
	struct relief *relief = fresh();
	uint64_t now = START;

	relief_set(relief, 1, 5 * SEC, 5, 1000);
	assert_step(look(relief, shortage, &now, START + 10 * SEC), 1, true);
	assert_step(look(relief, shortage, &now, START + 10 * SEC), 1, false);
	assert_in_range(now - START, 7 * SEC, 7 * SEC + 300 * MS);
	/* Not again in this shortage, but in the next one, which begins anew. */
	assert_int_equal(look(relief, shortage, &now, START + 60 * SEC).guest, -1);
	assert_int_equal(look(relief, fine, &now, START + 61 * SEC).guest, -1);
	assert_int_equal(relief_deadline(relief, fine), DEADLINE_NEVER);
	now = START + 100 * SEC;
	assert_step(look(relief, shortage, &now, START + 110 * SEC), 1, true);
	assert_in_range(now - START, 102 * SEC, 102 * SEC + 300 * MS);
	relief_destroy(relief);
}

/* Short before members came back, and short when others are lost, long after: not all the time. */
static void a_shortage_does_not_go_on_while_nobody_looks(void **state)
{
	struct relief *relief = fresh();
	uint64_t now = START;

	relief_set(relief, 1, 5 * SEC, 5, 1000);
	assert_int_equal(look(relief, shortage, &now, START + SEC).guest, -1);
	assert_int_equal(relief_deadline(relief, fine), DEADLINE_NEVER);
	now = START + 50 * SEC;
	assert_int_equal(look(relief, shortage, &now, START + 51 * SEC).guest, -1);
	relief_destroy(relief);
}

static void values_change(void **state)
{
	struct relief *relief = two_guests();
	uint64_t now = START;

	assert_step(look(relief, shortage, &now, START + 10 * SEC), 1, true);
	relief_set(relief, 1, 0, 5, 1000);
	assert_step(relief_run(relief, shortage, now), 1, false);
	assert_step(look(relief, shortage, &now, START + 10 * SEC), 2, true);
	assert_true(relief_remove(relief, 2));
	assert_false(relief_paused(relief, 2));
	assert_false(relief_remove(relief, 2));
	assert_int_equal(look(relief, shortage, &now, START + 30 * SEC).guest, -1);
	relief_destroy(relief);
}

static void somebody_else_where_one_cannot_be_paused(void **state)
{
	struct relief *relief = two_guests();
	uint64_t now = START;

	assert_step(look(relief, shortage, &now, START + 10 * SEC), 1, true);
	relief_failed(relief, 1);
	assert_step(look(relief, shortage, &now, START + 10 * SEC), 2, true);
	assert_int_equal(look(relief, shortage, &now, START + 30 * SEC).guest, -1);
	assert_step(relief_run(relief, fine, now), 2, false);
	relief_destroy(relief);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_who_does_not_take_part),
		cmocka_unit_test(only_while_members_are_lost_and_frames_wait),
		cmocka_unit_test(the_lowest_priority_first),
		cmocka_unit_test(its_time_is_over),
		cmocka_unit_test(a_shortage_does_not_go_on_while_nobody_looks),
		cmocka_unit_test(values_change),
		cmocka_unit_test(somebody_else_where_one_cannot_be_paused),
	};

	return cmocka_run_group_tests_name("relief", tests, NULL, NULL);
}
