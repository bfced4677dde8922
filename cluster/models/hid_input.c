/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hid_input.c - the language of input sockets, see hid_input.h. */
#include "hid_input.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hid_keys.h"
#include "util.h"

#define FIRST_KEY 2
#define N_KEYS	  6

/* Of a tablet's report. */
#define AT_BUTTONS 0
#define AT_X	   1
#define AT_Y	   3
#define AT_WHEEL   5

#define COORDINATE_MAX 32767

void hid_input_init(struct hid_input *input, bool tablet)
{
	memset(input, 0, sizeof(*input));
	input->tablet = tablet;
}

size_t hid_input_report_bytes(const struct hid_input *input)
{
	return input->tablet ? HID_TABLET_BYTES : HID_KEYBOARD_BYTES;
}

bool hid_input_next(struct hid_input *input, uint8_t report[HID_REPORT_MAX])
{
	if (input->head == input->tail)
		return false;
	memcpy(report, input->queue[input->head++ % HID_QUEUE], HID_REPORT_MAX);
	memcpy(input->sent, report, HID_REPORT_MAX);
	return true;
}

static int refuse(char *answer, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int refuse(char *answer, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(answer, HID_ANSWER_MAX, format, args);
	va_end(args);
	return -EINVAL;
}

static int put(struct hid_input *input, char *answer)
{
	if (input->tail - input->head == HID_QUEUE) {
		refuse(answer,
		       "the host has not taken earlier input yet; at most %u reports wait for it",
		       HID_QUEUE);
		return -ENOSPC;
	}
	memcpy(input->queue[input->tail++ % HID_QUEUE], input->state, HID_REPORT_MAX);
	return 0;
}

static int unknown_key(const char *name, char *answer)
{
	struct nearest nearest;

	nearest_init(&nearest, name);
	for (size_t i = 0; hid_key_names[i].name; i++)
		nearest_offer(&nearest, hid_key_names[i].name);
	return refuse(answer,
		      "key '%.40s' is unknown%s%s%s; keys are a to z, 0 to 9, f1 to f12, enter, "
		      "space, ctrl, shift, alt, meta ...",
		      name, nearest.best ? " (did you mean '" : "",
		      nearest.best ? nearest.best : "", nearest.best ? "'?)" : "");
}

static int press(struct hid_input *input, uint8_t usage, char *answer)
{
	uint8_t *keys = input->state + FIRST_KEY, *place;

	if (usage >= HID_KEY_MODIFIERS) {
		input->state[0] |= (uint8_t)(1u << (usage - HID_KEY_MODIFIERS));
		return 0;
	}
	if (memchr(keys, usage, N_KEYS))
		return 0;
	place = memchr(keys, 0, N_KEYS);
	if (!place)
		return refuse(answer, "more than %d keys at once cannot be told to the host",
			      N_KEYS);
	*place = usage;
	return 0;
}

static void let_go(struct hid_input *input, uint8_t usage)
{
	uint8_t *place;

	if (usage >= HID_KEY_MODIFIERS) {
		input->state[0] &= (uint8_t) ~(1u << (usage - HID_KEY_MODIFIERS));
		return;
	}
	place = memchr(input->state + FIRST_KEY, usage, N_KEYS);
	if (place)
		*place = 0;
}

/* Presses or lets go of all keys of "ctrl+alt+delete". */
static int apply_chord(struct hid_input *input, const char *chord, bool down, char *answer)
{
	char name[48];

	for (;;) {
		size_t n = strcspn(chord, "+");
		uint8_t usage;
		int rc;

		snprintf(name, sizeof(name), "%.*s", (int)MIN(n, sizeof(name) - 1), chord);
		usage = hid_key(name);
		if (!usage)
			return unknown_key(name, answer);
		if (!down)
			let_go(input, usage);
		rc = down ? press(input, usage, answer) : 0;
		if (rc)
			return rc;
		if (!chord[n])
			return put(input, answer);
		chord += n + 1;
	}
}

static int do_key(struct hid_input *input, const char *chord, char *answer)
{
	int rc = apply_chord(input, chord, true, answer);

	return rc ? rc : apply_chord(input, chord, false, answer);
}

static int do_down(struct hid_input *input, const char *chord, char *answer)
{
	return apply_chord(input, chord, true, answer);
}

static int do_up(struct hid_input *input, const char *chord, char *answer)
{
	return apply_chord(input, chord, false, answer);
}

/* The next character of a text with escapes. */
static char unescape(const char **text)
{
	static const char codes[] = "nt\\", meanings[] = "\n\t\\";
	const char *code;

	if (**text != '\\' || !(*text)[1] || !(code = strchr(codes, (*text)[1])))
		return *(*text)++;
	*text += 2;
	return meanings[code - codes];
}

static int do_type(struct hid_input *input, const char *text, char *answer)
{
	const char *rest = text;

	while (*rest) {
		int position = (int)(rest - text) + 1, rc;
		char c = unescape(&rest);
		bool shift;
		uint8_t usage = hid_key_of_char(c, &shift);

		if (!usage)
			return refuse(answer, "byte 0x%02x at %d is not on a US keyboard",
				      (unsigned char)c, position);
		rc = shift ? press(input, HID_KEY_SHIFT, answer) : 0;
		if (!rc)
			rc = press(input, usage, answer);
		if (!rc)
			rc = put(input, answer);
		if (rc)
			return rc;
		let_go(input, usage);
		if (shift)
			let_go(input, HID_KEY_SHIFT);
		rc = put(input, answer);
		if (rc)
			return rc;
	}
	return 0;
}

static int do_leds(struct hid_input *input, const char *arguments, char *answer)
{
	snprintf(answer, HID_ANSWER_MAX, "ok numlock=%d capslock=%d scrolllock=%d", input->leds & 1,
		 input->leds >> 1 & 1, input->leds >> 2 & 1);
	return 0;
}

/* A decimal number between blanks; false: none, or outside of the range. */
static bool number(const char **text, long min, long max, long *out)
{
	char *end;

	*text += strspn(*text, " ");
	if (!isdigit((unsigned char)(*text)[**text == '-']))
		return false;
	*out = strtol(*text, &end, 10);
	*text = end;
	return *out >= min && *out <= max && (!*end || *end == ' ');
}

static int do_move(struct hid_input *input, const char *arguments, char *answer)
{
	const char *rest = arguments;
	long x, y;

	if (!number(&rest, 0, COORDINATE_MAX, &x) || !number(&rest, 0, COORDINATE_MAX, &y) ||
	    rest[strspn(rest, " ")])
		return refuse(answer, "move '%.40s' is not allowed; it is X Y, 0 to %d each",
			      arguments, COORDINATE_MAX);
	input->state[AT_X] = (uint8_t)x;
	input->state[AT_X + 1] = (uint8_t)(x >> 8);
	input->state[AT_Y] = (uint8_t)y;
	input->state[AT_Y + 1] = (uint8_t)(y >> 8);
	return put(input, answer);
}

static int apply_button(struct hid_input *input, const char *name, bool down, char *answer)
{
	static const char *const buttons[] = {"left", "right", "middle"};
	struct nearest nearest;

	nearest_init(&nearest, name);
	for (size_t i = 0; i < ARRAY_SIZE(buttons); i++) {
		nearest_offer(&nearest, buttons[i]);
		if (strcmp(buttons[i], name))
			continue;
		if (down)
			input->state[AT_BUTTONS] |= (uint8_t)(1u << i);
		else
			input->state[AT_BUTTONS] &= (uint8_t) ~(1u << i);
		return put(input, answer);
	}
	return refuse(answer, "button '%.40s' is unknown%s%s%s; there are left, right, middle",
		      name, nearest.best ? " (did you mean '" : "",
		      nearest.best ? nearest.best : "", nearest.best ? "'?)" : "");
}

static int do_click(struct hid_input *input, const char *name, char *answer)
{
	int rc = apply_button(input, name, true, answer);

	return rc ? rc : apply_button(input, name, false, answer);
}

static int do_button_down(struct hid_input *input, const char *name, char *answer)
{
	return apply_button(input, name, true, answer);
}

static int do_button_up(struct hid_input *input, const char *name, char *answer)
{
	return apply_button(input, name, false, answer);
}

static int do_wheel(struct hid_input *input, const char *arguments, char *answer)
{
	const char *rest = arguments;
	long notches;
	int rc;

	if (!number(&rest, -127, 127, &notches) || rest[strspn(rest, " ")])
		return refuse(answer, "wheel '%.40s' is not allowed; it is a number, -127 to 127",
			      arguments);
	input->state[AT_WHEEL] = (uint8_t)notches;
	rc = put(input, answer);
	input->state[AT_WHEEL] = 0; /* it is relative, unlike the rest */
	return rc;
}

static const struct command {
	const char *name;
	bool tablet, has_argument;
	int (*run)(struct hid_input *input, const char *arguments, char *answer);
} commands[] = {
	{"key", false, true, do_key},	  {"down", false, true, do_down},
	{"up", false, true, do_up},	  {"type", false, true, do_type},
	{"leds", false, false, do_leds},  {"move", true, true, do_move},
	{"click", true, true, do_click},  {"down", true, true, do_button_down},
	{"up", true, true, do_button_up}, {"wheel", true, true, do_wheel},
};

static int unknown_command(const struct hid_input *input, const char *name, char *answer)
{
	struct nearest nearest;

	nearest_init(&nearest, name);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (commands[i].tablet == input->tablet)
			nearest_offer(&nearest, commands[i].name);
	return refuse(answer, "command '%.40s' is unknown%s%s%s; a %s has %s", name,
		      nearest.best ? " (did you mean '" : "", nearest.best ? nearest.best : "",
		      nearest.best ? "'?)" : "", input->tablet ? "tablet" : "keyboard",
		      input->tablet ? "move, click, down, up, wheel" : "key, down, up, type, leds");
}

static int run_line(struct hid_input *input, const char *line, char *answer)
{
	size_t n_name = strcspn(line, " ");
	const char *arguments = line + n_name + (line[n_name] == ' ');
	char name[48];

	snprintf(name, sizeof(name), "%.*s", (int)MIN(n_name, sizeof(name) - 1), line);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (commands[i].tablet != input->tablet || strcmp(commands[i].name, name))
			continue;
		if (commands[i].has_argument != (*arguments != '\0'))
			return refuse(answer, "command '%s' %s", name,
				      commands[i].has_argument ? "needs an argument"
							       : "takes no argument");
		return commands[i].run(input, arguments, answer);
	}
	return unknown_command(input, name, answer);
}

int hid_input_line(struct hid_input *input, const char *line, size_t n, char answer[HID_ANSWER_MAX])
{
	uint8_t state[HID_REPORT_MAX];
	char text[HID_LINE_MAX + 1];
	uint32_t tail = input->tail;
	int rc;

	if (n && line[n - 1] == '\n')
		n--;
	if (n > HID_LINE_MAX)
		return refuse(answer, "the line has %zu bytes; at most %d are allowed", n,
			      HID_LINE_MAX);
	for (size_t i = 0; i < n; i++)
		if (!line[i] || line[i] == '\n')
			return refuse(answer, "byte 0x%02x at %zu: a datagram is one line of text",
				      (unsigned char)line[i], i + 1);
	memcpy(text, line, n);
	text[n] = '\0';
	memcpy(state, input->state, sizeof(state));
	strcpy(answer, "ok");
	rc = run_line(input, text, answer);
	if (rc) {
		input->tail = tail;
		memcpy(input->state, state, sizeof(state));
	}
	return rc;
}
