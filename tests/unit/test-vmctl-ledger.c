/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-vmctl-ledger.c - what xenback-vmctl remembers of guests: pauses, how often, the file. */
#include "tools/vmctl/ledger.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "common/util.h"

#define S    NSEC_PER_SEC
#define DAY  (86400 * S)
#define NOW  (1000 * S)
#define UUID "01234567-89ab-cdef-0123-456789abcdef"

static struct ledger ledger;

static int setup(void **state)
{
	ledger_init(&ledger);
	return 0;
}

static const char *uuid(unsigned int i)
{
	static char text[LEDGER_UUID];

	snprintf(text, sizeof(text), "00000000-0000-0000-0000-%012u", i);
	return text;
}

static void a_bucket_of_times_in_an_interval(void **state)
{
	const struct ledger_rate vm = {4, 60 * S}, all = {1000, S};
	unsigned int n = 0;
	uint64_t wait_ns;

	/* At once: four. In ten minutes of asking every second: four and one every 15 s. */
	for (uint64_t now = NOW; now < NOW + 600 * S; now += S) {
		int err = ledger_book(&ledger, UUID, &vm, &all, now, &wait_ns);

		assert_true(err ? err == -EAGAIN && wait_ns && wait_ns <= 15 * S : !wait_ns);
		n += !err;
		if (now == NOW + 4 * S)
			assert_int_equal(n, 4);
	}
	assert_int_equal(n, 4 + 599 / 15);
}

static void all_of_them_have_a_bucket_too(void **state)
{
	const struct ledger_rate vm = {1, 60 * S}, all = {3, 30 * S};
	uint64_t wait_ns;

	assert_int_equal(ledger_book(&ledger, uuid(1), &vm, &all, NOW, &wait_ns), 0);
	assert_int_equal(ledger_book(&ledger, uuid(2), &vm, &all, NOW, &wait_ns), 0);
	assert_int_equal(ledger_book(&ledger, NULL, &vm, &all, NOW, &wait_ns), 0);
	assert_int_equal(ledger_book(&ledger, uuid(3), &vm, &all, NOW, &wait_ns), -EAGAIN);
	assert_true(wait_ns == 10 * S);
	assert_int_equal(ledger_book(&ledger, uuid(3), &vm, &all, NOW + 10 * S, &wait_ns), 0);
	/* What was refused is not booked. */
	assert_int_equal(ledger_book(&ledger, uuid(1), &vm, &all, NOW + 20 * S, &wait_ns), -EAGAIN);
	assert_true(wait_ns == 40 * S);
	assert_int_equal(ledger_book(&ledger, uuid(1), &vm, &all, NOW + 60 * S, &wait_ns), 0);
}

static void pauses_are_due_in_time(void **state)
{
	assert_true(ledger_deadline(&ledger) == DEADLINE_NEVER);
	assert_int_equal(ledger_pause(&ledger, uuid(1), 1, "", NOW, NOW + 5), 0);
	assert_int_equal(ledger_pause(&ledger, uuid(2), 2, "", NOW, NOW + 3), 0);
	assert_true(ledger_deadline(&ledger) == NOW + 3);
	assert_null(ledger_due(&ledger, NOW + 2));
	assert_int_equal(ledger_due(&ledger, NOW + 3)->domid, 2);
	ledger_unpause(&ledger, uuid(2));
	ledger_unpause(&ledger, uuid(9));
	assert_null(ledger_paused(&ledger, uuid(2)));
	assert_int_equal(ledger_nth_paused(&ledger, 0)->domid, 1);
	assert_null(ledger_nth_paused(&ledger, 1));
	assert_null(ledger_due(&ledger, NOW + 4));
	assert_int_equal(ledger_due(&ledger, NOW + 5)->domid, 1);
}

static void the_last_reason_ends_a_pause(void **state)
{
	static char text[LEDGER_TEXT_MAX], again[LEDGER_TEXT_MAX];
	const struct ledger_vm *vm;
	char reason[LEDGER_REASON];

	assert_int_equal(ledger_pause(&ledger, UUID, 3, "vif3.0", NOW, NOW + 5), 0);
	assert_int_equal(ledger_pause(&ledger, UUID, 3, "vif3.1", NOW + 1, NOW + 9), 0);
	assert_int_equal(ledger_pause(&ledger, UUID, 3, "", NOW + 2, NOW + 3), 0);
	vm = ledger_paused(&ledger, UUID);
	assert_true(vm->since_ns == NOW && vm->until_ns == NOW + 9);
	assert_null(ledger_due(&ledger, NOW + 8));
	ledger_forget(&ledger, UUID, "vif3.1");
	ledger_forget(&ledger, UUID, "vif3.2");
	assert_null(ledger_reason(vm, "vif3.1"));
	assert_non_null(ledger_reason(vm, ""));
	assert_null(ledger_due(&ledger, NOW + 4));
	assert_int_equal(ledger_due(&ledger, NOW + 5)->domid, 3);
	/* All of them are in the file, and are taken over. */
	ledger_format(&ledger, text);
	ledger_unpause(&ledger, UUID);
	assert_null(ledger_paused(&ledger, UUID));
	assert_int_equal(ledger_parse(&ledger, text, strlen(text), NOW, DAY), 0);
	ledger_format(&ledger, again);
	assert_string_equal(text, again);
	assert_true(ledger_reason(vm, "vif3.0")->until_ns == NOW + 5);
	/* What could not be ended is due again, once. */
	ledger_retry(&ledger, UUID, NOW + 20);
	assert_true(ledger_deadline(&ledger) == NOW + 20 && vm->n_reasons == 1);
	ledger_unpause(&ledger, UUID);
	ledger_retry(&ledger, UUID, NOW + 20);
	assert_true(ledger_deadline(&ledger) == DEADLINE_NEVER);
	for (int i = 0; i < LEDGER_REASONS; i++) {
		snprintf(reason, sizeof(reason), "r%d", i);
		assert_int_equal(ledger_pause(&ledger, UUID, 3, reason, NOW, NOW + 5), 0);
	}
	assert_int_equal(ledger_pause(&ledger, UUID, 3, "r9", NOW, NOW + 5), -EUSERS);
	assert_int_equal(ledger_pause(&ledger, UUID, 3, "r0", NOW, NOW + 6), 0);
	ledger_forget(&ledger, UUID, "r0");
	assert_true(ledger_deadline(&ledger) == NOW + 5);
}

static void paused_guests_are_not_forgotten(void **state)
{
	const struct ledger_rate rate = {1, S};
	uint64_t wait_ns;

	assert_int_equal(ledger_pause(&ledger, UUID, 7, "", NOW, NOW), 0);
	for (unsigned int i = 0; i < 3 * LEDGER_VMS; i++)
		assert_int_equal(ledger_book(&ledger, uuid(i), &rate,
					     &(struct ledger_rate){1000, 1000}, NOW + i, &wait_ns),
				 0);
	assert_int_equal(ledger_paused(&ledger, UUID)->domid, 7);
	/* The ones of late are still known. */
	assert_int_equal(ledger_book(&ledger, uuid(3 * LEDGER_VMS - 1), &rate,
				     &(struct ledger_rate){1000, 1000}, NOW + DAY / 86400,
				     &wait_ns),
			 -EAGAIN);
	for (unsigned int i = 1; i < LEDGER_VMS; i++)
		assert_int_equal(ledger_pause(&ledger, uuid(10000 + i), 8, "", NOW, NOW), 0);
	assert_int_equal(ledger_pause(&ledger, uuid(1), 8, "", NOW, NOW), -ENOSPC);
	assert_int_equal(ledger_book(&ledger, uuid(1), &rate, &rate, NOW + DAY, &wait_ns), -ENOSPC);
	ledger_unpause(&ledger, UUID);
	assert_int_equal(ledger_pause(&ledger, uuid(1), 8, "", NOW, NOW), 0);
}

static void pauses_survive_as_text(void **state)
{
	static char text[LEDGER_TEXT_MAX], again[LEDGER_TEXT_MAX];
	static struct ledger other;

	for (unsigned int i = 0; i < LEDGER_VMS; i++)
		assert_int_equal(
			ledger_pause(&ledger, uuid(i), (uint16_t)(i + 1), "", NOW, NOW + i * S), 0);
	ledger_unpause(&ledger, uuid(9));
	ledger_format(&ledger, text);
	ledger_init(&other);
	assert_int_equal(ledger_parse(&other, text, strlen(text), NOW, DAY), 0);
	ledger_format(&other, again);
	assert_string_equal(text, again);
	assert_null(ledger_paused(&other, uuid(9)));
	/* Clocks may lie, guests do not stand still for ever. */
	ledger_init(&other);
	assert_int_equal(ledger_parse(&other, text, strlen(text), 10 * S, 20 * S), 0);
	for (size_t i = 0; ledger_nth_paused(&other, i); i++)
		assert_true(ledger_nth_paused(&other, i)->until_ns <= 30 * S);
}

static void wrong_lines_are_left_out(void **state)
{
	static const char *const wrong[] = {
		"x",
		UUID,
		UUID " ",
		UUID " 3",
		UUID " 3 ",
		UUID " 0 5",
		UUID " 3 0",
		UUID " 3 5 ",
		UUID " 3 5 a b",
		UUID " 3 5 a/b",
		UUID " 3 5 a12345678901234567890123456789012",
		UUID " 3 -5",
		UUID "  3 5",
		UUID " 65536 5",
		UUID " 3 99999999999999999999",
		"01234567-89AB-cdef-0123-456789abcdef 3 5",
		"01234567089ab-cdef-0123-456789abcdef 3 5",
		UUID " 3 5555555555555555555555555555555555555555555555555555555555555555555555",
		"\n",
	};
	char text[200];

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		snprintf(text, sizeof(text), "%s\n%s 3 %llu\n", wrong[i], UUID, NOW);
		ledger_init(&ledger);
		assert_int_equal(ledger_parse(&ledger, text, strlen(text), NOW, DAY),
				 1 + (wrong[i][0] == '\n'));
		assert_int_equal(ledger_paused(&ledger, UUID)->domid, 3);
	}
	assert_int_equal(ledger_parse(&ledger, "a\0b\n", 4, NOW, DAY), 1);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_bucket_of_times_in_an_interval), TEST(all_of_them_have_a_bucket_too),
		TEST(pauses_are_due_in_time),		TEST(the_last_reason_ends_a_pause),
		TEST(paused_guests_are_not_forgotten),	TEST(pauses_survive_as_text),
		TEST(wrong_lines_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
