/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hid_keys.c - keys by name and by character, see hid_keys.h. */
#include "hid_keys.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

#define USAGE_A	    0x04
#define USAGE_1	    0x1e
#define USAGE_0	    0x27
#define USAGE_ENTER 0x28
#define USAGE_TAB   0x2b
#define USAGE_SPACE 0x2c
#define USAGE_MINUS 0x2d

const struct hid_key_name hid_key_names[] = {
	{"enter", USAGE_ENTER},
	{"esc", 0x29},
	{"backspace", 0x2a},
	{"tab", USAGE_TAB},
	{"space", USAGE_SPACE},
	{"minus", 0x2d},
	{"equal", 0x2e},
	{"leftbrace", 0x2f},
	{"rightbrace", 0x30},
	{"backslash", 0x31},
	{"semicolon", 0x33},
	{"apostrophe", 0x34},
	{"grave", 0x35},
	{"comma", 0x36},
	{"dot", 0x37},
	{"slash", 0x38},
	{"capslock", 0x39},
	{"f1", 0x3a},
	{"f2", 0x3b},
	{"f3", 0x3c},
	{"f4", 0x3d},
	{"f5", 0x3e},
	{"f6", 0x3f},
	{"f7", 0x40},
	{"f8", 0x41},
	{"f9", 0x42},
	{"f10", 0x43},
	{"f11", 0x44},
	{"f12", 0x45},
	{"printscreen", 0x46},
	{"scrolllock", 0x47},
	{"pause", 0x48},
	{"insert", 0x49},
	{"home", 0x4a},
	{"pageup", 0x4b},
	{"delete", 0x4c},
	{"end", 0x4d},
	{"pagedown", 0x4e},
	{"right", 0x4f},
	{"left", 0x50},
	{"down", 0x51},
	{"up", 0x52},
	{"numlock", 0x53},
	{"menu", 0x65},
	{"ctrl", 0xe0},
	{"shift", HID_KEY_SHIFT},
	{"alt", 0xe2},
	{"meta", 0xe3},
	{"rctrl", 0xe4},
	{"rshift", 0xe5},
	{"ralt", 0xe6},
	{"rmeta", 0xe7},
	{NULL, 0},
};

uint8_t hid_key(const char *name)
{
	bool shift;

	if (name[0] && !name[1] && islower((unsigned char)name[0]))
		return hid_key_of_char(name[0], &shift);
	if (name[0] && !name[1] && isdigit((unsigned char)name[0]))
		return hid_key_of_char(name[0], &shift);
	for (size_t i = 0; hid_key_names[i].name; i++)
		if (!strcmp(hid_key_names[i].name, name))
			return hid_key_names[i].usage;
	return 0;
}

uint8_t hid_key_of_char(char c, bool *shift)
{
	/* In the order of usages from "minus" on; '#' of other layouts (32h) is left out. */
	static const char plain[] = "-=[]\\\001;'`,./", shifted[] = "_+{}|\001:\"~<>?";
	static const char digits[] = ")!@#$%^&*(";
	const char *at;

	*shift = isupper((unsigned char)c);
	if (isalpha((unsigned char)c))
		return (uint8_t)(USAGE_A + tolower((unsigned char)c) - 'a');
	if (isdigit((unsigned char)c))
		return c == '0' ? USAGE_0 : (uint8_t)(USAGE_1 + c - '1');
	if (c == '\n' || c == '\t' || c == ' ')
		return c == '\n' ? USAGE_ENTER : c == '\t' ? USAGE_TAB : USAGE_SPACE;
	if (!isprint((unsigned char)c))
		return 0;
	at = strchr(plain, c);
	if (at)
		return (uint8_t)(USAGE_MINUS + (at - plain));
	*shift = true;
	at = strchr(shifted, c);
	if (at)
		return (uint8_t)(USAGE_MINUS + (at - shifted));
	at = strchr(digits, c); /* what is left are the shifted digits */
	if (!at)
		return 0;
	return at == digits ? USAGE_0 : (uint8_t)(USAGE_1 + (at - digits) - 1);
}
