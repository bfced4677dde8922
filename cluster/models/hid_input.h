/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hid_input.h - lines of text to reports of a keyboard or a tablet. Pure.
 *
 * Keyboard:
 *   key CHORD     presses and lets go: "key a", "key ctrl+alt+delete"
 *   down CHORD    presses; up CHORD lets go
 *   type TEXT     the rest of the line on a US keyboard; \n, \t and \\ as in C
 *   leds          answers which ones are lit
 * Tablet:
 *   move X Y      0 to 32767 each, from the upper left corner
 *   click BUTTON  left, right, middle: presses and lets go
 *   down BUTTON   presses; up BUTTON lets go
 *   wheel N       -127 to 127 notches, up is positive
 *
 * A line is taken as a whole or refused as a whole.
 */
#ifndef XB_HID_INPUT_H
#define XB_HID_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HID_KEYBOARD_BYTES 8 /* modifiers, 0, six keys */
#define HID_TABLET_BYTES   6 /* buttons, X, Y, wheel */
#define HID_REPORT_MAX	   8
#define HID_QUEUE	   2048 /* reports; a power of two */
#define HID_LINE_MAX	   1000 /* bytes */
#define HID_ANSWER_MAX	   320

struct hid_input {
	bool tablet;
	uint8_t leds;		       /**< bit 0 num lock, 1 caps lock, 2 scroll lock */
	uint8_t state[HID_REPORT_MAX]; /**< as after the last report of the queue */
	uint8_t sent[HID_REPORT_MAX];  /**< as after the last report that was taken out */
	uint32_t head, tail;	       /**< free-running: taken out, put in */
	uint8_t queue[HID_QUEUE][HID_REPORT_MAX];
};

void hid_input_init(struct hid_input *input, bool tablet);
/** Bytes of a report. */
size_t hid_input_report_bytes(const struct hid_input *input);

/**
 * Takes a line of n bytes (a newline at its end may be there). 0 with "ok" or the answer, -EINVAL
 * or -ENOSPC (too much is waiting for the host) with a sentence, in answer.
 */
int hid_input_line(struct hid_input *input, const char *line, size_t n,
		   char answer[HID_ANSWER_MAX]);

/** The next report, false when none is waiting. */
bool hid_input_next(struct hid_input *input, uint8_t report[HID_REPORT_MAX]);

#endif
