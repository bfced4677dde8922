/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-model-hid-input.c - lines of text to reports, and what is said about bad ones. */
#include "cluster/models/hid_input.h"

#include <ctype.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "cluster/models/hid_keys.h"
#include "util.h"

static struct hid_input input;
static char answer[HID_ANSWER_MAX];

static int line(const char *text)
{
	return hid_input_line(&input, text, strlen(text), answer);
}

/* The next report as hexadecimal digits, "" when there is none. */
static const char *report(void)
{
	static char text[2 * HID_REPORT_MAX + 1];
	uint8_t bytes[HID_REPORT_MAX];

	text[0] = '\0';
	if (!hid_input_next(&input, bytes))
		return text;
	for (size_t i = 0; i < hid_input_report_bytes(&input); i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	return text;
}

static void test_keys(void **state)
{
	hid_input_init(&input, false);
	assert_int_equal(line("key a\n"), 0);
	assert_string_equal(answer, "ok");
	assert_string_equal(report(), "0000040000000000");
	assert_string_equal(report(), "0000000000000000");
	assert_string_equal(report(), "");
	assert_int_equal(line("key ctrl+alt+delete"), 0);
	assert_string_equal(report(), "05004c0000000000");
	assert_string_equal(report(), "0000000000000000");
	assert_int_equal(line("down shift+a"), 0);
	assert_int_equal(line("down f1"), 0);
	assert_int_equal(line("up a"), 0);
	assert_int_equal(line("up f1+shift"), 0);
	assert_string_equal(report(), "0200040000000000");
	assert_string_equal(report(), "0200043a00000000");
	assert_string_equal(report(), "0200003a00000000");
	assert_string_equal(report(), "0000000000000000");
}

static void test_type(void **state)
{
	hid_input_init(&input, false);
	assert_int_equal(line("type aB1! \\n\\\\\\x"), 0);
	assert_string_equal(report(), "0000040000000000");
	report();
	assert_string_equal(report(), "0200050000000000");
	assert_string_equal(report(), "0000000000000000");
	assert_string_equal(report(), "00001e0000000000");
	report();
	assert_string_equal(report(), "02001e0000000000");
	report();
	assert_string_equal(report(), "00002c0000000000");
	report();
	assert_string_equal(report(), "0000280000000000"); /* enter */
	report();
	assert_string_equal(report(), "0000310000000000"); /* backslash */
	report();
	assert_string_equal(report(), "0000310000000000"); /* an escape that is none stays */
	report();
	assert_string_equal(report(), "00001b0000000000");
	report();
	assert_string_equal(report(), "");
}

/* Every printable character has a key, no two the same. */
static void test_characters(void **state)
{
	bool seen[2][256] = {{false}};

	for (int c = ' '; c < 0x7f; c++) {
		bool shift;
		uint8_t usage = hid_key_of_char((char)c, &shift);

		if (!usage || seen[shift][usage])
			fail_msg("'%c' has usage %02x, shift %d", c, usage, shift);
		seen[shift][usage] = true;
		if (isdigit(c) || islower(c))
			assert_false(shift);
	}
	for (size_t i = 0; hid_key_names[i].name; i++)
		assert_int_equal(hid_key(hid_key_names[i].name), hid_key_names[i].usage);
	assert_int_equal(hid_key("minus"), 0x2d);
	assert_int_equal(hid_key("A"), 0);
	assert_int_equal(hid_key(""), 0);
}

static void test_leds(void **state)
{
	hid_input_init(&input, false);
	input.leds = 5;
	assert_int_equal(line("leds"), 0);
	assert_string_equal(answer, "ok numlock=1 capslock=0 scrolllock=1");
	assert_string_equal(report(), "");
}

static void test_tablet(void **state)
{
	hid_input_init(&input, true);
	assert_int_equal(line("move 100 32767"), 0);
	assert_string_equal(report(), "006400ff7f00");
	assert_int_equal(line("click left"), 0);
	assert_string_equal(report(), "016400ff7f00");
	assert_string_equal(report(), "006400ff7f00");
	assert_int_equal(line("down right"), 0);
	assert_int_equal(line("down middle"), 0);
	assert_int_equal(line("wheel -2"), 0);
	assert_int_equal(line("up right"), 0);
	assert_string_equal(report(), "026400ff7f00");
	assert_string_equal(report(), "066400ff7f00");
	assert_string_equal(report(), "066400ff7ffe");
	assert_string_equal(report(), "046400ff7f00");
}

static void test_errors(void **state)
{
	static const struct {
		bool tablet;
		const char *text, *error;
	} bad[] = {
		{false, "", "command '' is unknown; a keyboard has key, down, up, type, leds"},
		{false, "kye a",
		 "command 'kye' is unknown (did you mean 'key'?); a keyboard has key, down, "
		 "up, type, leds"},
		{false, "key", "command 'key' needs an argument"},
		{false, "leds on", "command 'leds' takes no argument"},
		{false, "key entre",
		 "key 'entre' is unknown (did you mean 'enter'?); keys are a to z, 0 to 9, "
		 "f1 to f12, enter, space, ctrl, shift, alt, meta ..."},
		{false, "key a+",
		 "key '' is unknown; keys are a to z, 0 to 9, f1 to f12, enter, space, ctrl, "
		 "shift, alt, meta ..."},
		{false, "key a+b+c+d+e+f+g", "more than 6 keys at once cannot be told to the host"},
		{false, "type a\xc3\xa4", "byte 0xc3 at 2 is not on a US keyboard"},
		{false, "type a\nb", "byte 0x0a at 7: a datagram is one line of text"},
		{false, "move 1 2",
		 "command 'move' is unknown; a keyboard has key, down, up, type, leds"},
		{true, "mvoe 1 2",
		 "command 'mvoe' is unknown (did you mean 'move'?); a tablet has move, click, "
		 "down, up, wheel"},
		{true, "move 1", "move '1' is not allowed; it is X Y, 0 to 32767 each"},
		{true, "move 1 32768", "move '1 32768' is not allowed; it is X Y, 0 to 32767 each"},
		{true, "move -1 0", "move '-1 0' is not allowed; it is X Y, 0 to 32767 each"},
		{true, "move 1 2 3", "move '1 2 3' is not allowed; it is X Y, 0 to 32767 each"},
		{true, "move 1x 2", "move '1x 2' is not allowed; it is X Y, 0 to 32767 each"},
		{true, "move 99999999999999999999 2",
		 "move '99999999999999999999 2' is not allowed; it is X Y, 0 to 32767 each"},
		{true, "click lfet",
		 "button 'lfet' is unknown (did you mean 'left'?); there are left, right, middle"},
		{true, "wheel 128", "wheel '128' is not allowed; it is a number, -127 to 127"},
		{true, "key a",
		 "command 'key' is unknown; a tablet has move, click, down, up, wheel"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		hid_input_init(&input, bad[i].tablet);
		assert_int_equal(line(bad[i].text), -EINVAL);
		assert_string_equal(answer, bad[i].error);
		assert_string_equal(report(), ""); /* nothing of it was taken */
		assert_memory_equal(input.state, "\0\0\0\0\0\0\0\0", HID_REPORT_MAX);
	}
}

/* What the host does not take is refused, as a whole; later there is room again. */
static void test_full(void **state)
{
	char text[HID_LINE_MAX + 2] = "type ";
	size_t n_refused = 0, n_reports = 0;

	hid_input_init(&input, false);
	memset(text + 5, 'x', HID_LINE_MAX - 5);
	assert_int_equal(line(text), 0);
	assert_int_equal(line(text), -ENOSPC);
	assert_string_equal(answer,
			    "the host has not taken earlier input yet; at most 2048 reports "
			    "wait for it");
	for (; *report(); n_reports++)
		n_refused += n_reports >= 2 * (HID_LINE_MAX - 5);
	assert_int_equal(n_refused, 0);
	assert_int_equal(n_reports, 2 * (HID_LINE_MAX - 5));
	assert_int_equal(line(text), 0);
	text[HID_LINE_MAX] = 'x';
	assert_int_equal(line(text), -EINVAL);
	assert_string_equal(answer, "the line has 1001 bytes; at most 1000 are allowed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),	   cmocka_unit_test(test_type),
		cmocka_unit_test(test_characters), cmocka_unit_test(test_leds),
		cmocka_unit_test(test_tablet),	   cmocka_unit_test(test_errors),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
