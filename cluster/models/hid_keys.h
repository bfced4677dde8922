/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hid_keys.h - names and characters of a US keyboard as usages of HID (Usage Tables 1.12, 10).
 * Pure.
 */
#ifndef XB_HID_KEYS_H
#define XB_HID_KEYS_H

#include <stdbool.h>
#include <stdint.h>

/** Usages of the modifiers begin here: left ctrl, shift, alt, meta, then the right ones. */
#define HID_KEY_MODIFIERS 0xe0
#define HID_KEY_SHIFT	  0xe1

struct hid_key_name {
	const char *name;
	uint8_t usage;
};
/** All names but single letters and digits; ends with a NULL name. */
extern const struct hid_key_name hid_key_names[];

/** Usage of a key by its name ("a", "7", "enter", "f5"); 0: unknown. */
uint8_t hid_key(const char *name);
/** Usage of the key that writes a character, and whether with shift; 0: there is none. */
uint8_t hid_key_of_char(char c, bool *shift);

#endif
